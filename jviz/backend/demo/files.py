"""The sample files: which there are, what is in them, and when they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.demo import cube as ifu
from jviz.backend.demo import mosaic as sky
from jviz.backend.demo.catalogue import catalogue_text
from jviz.backend.demo.fits import Hdu, write_atomically, write_fits
from jviz.backend.progress import Progress, silent

__all__ = ["NAMES", "make_demo", "sample_files"]

VERSION = 1
"""Counts changes of what the files contain, so that old copies are not taken for new ones."""

NAMES = (
    "simulated_field_i2d.fits",
    "simulated_field_cat.ecsv",
    "simulated_galaxy_s3d.fits",
    "simulated_galaxy_s2d.fits",
    "simulated_nucleus_x1d.fits",
    "simulated_ring_x1d.fits",
)

_DAY = "2026-01-01"
_CENTRE = (53.1708, -27.7821)
_SIDE = 45
_apertures = {"nucleus": (0.0, 0.0, 0.45), "ring": (0.95, 0.65, 0.35)}


def sample_files(*, seed: int = 20260101, progress: Progress = silent) -> list[Path]:
    """Return the sample files in the user's data folder, made when they are not there yet.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    from jviz.backend.cache import home

    folder = home("data") / "demo" / f"{VERSION}-{seed}"
    paths = [folder / name for name in NAMES]
    return paths if all(path.exists() for path in paths) else make_demo(folder, seed=seed, progress=progress)


def make_demo(folder: str | Path, *, seed: int = 20260101, progress: Progress = silent) -> list[Path]:
    """Write the sample files; the same seed gives the same bytes.

    Parameters
    ----------
    folder : str or Path
        Made when it is not there. Files of the same names are replaced, each when it is whole.
    seed : int
        Of all random numbers, 0 or above.

    Returns
    -------
    list of Path
        In the order of `NAMES`: mosaic, catalogue, cube, slit spectrum, two extracted spectra.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mosaic_path, catalogue_path, cube_path, slit_path, *spectrum_paths = (folder / name for name in NAMES)
    progress(0.0, 1.0, "simulating a mosaic")
    mosaic = sky.make_mosaic(seed)
    progress(0.6, 1.0, "writing the mosaic")
    write_fits(mosaic_path, _mosaic_hdus(mosaic, seed))
    text = catalogue_text(mosaic, mosaic_path.name, seed)
    write_atomically(catalogue_path, lambda file: file.write(text.encode()))
    progress(0.8, 1.0, "simulating spectra")
    cube = _cube(seed)
    write_fits(cube_path, _cube_hdus(cube, seed))
    write_fits(slit_path, _slit_hdus(seed))
    for path, (name, aperture) in zip(spectrum_paths, _apertures.items(), strict=True):
        write_fits(path, _spectrum_hdus(cube, name, aperture, seed))
    progress(1.0, 1.0, "")
    return [folder / name for name in NAMES]


def _primary(name: str, model: str, mode: str, instrument: str, seed: int, **more: Any) -> Hdu:
    cards = [
        ("DATE", f"{_DAY}T00:00:00.000", "fixed: the same seed gives the same bytes"),
        ("ORIGIN", "jviz", "made by the sample-data generator of jviz"),
        ("TELESCOP", "SIMULATED", "no telescope has seen this"),
        ("INSTRUME", instrument, "instrument imitated"),
        ("EXP_TYPE", mode, "kind of exposure imitated"),
        ("DATAMODL", model, "data model imitated"),
        ("FILENAME", name, ""),
        ("OBJECT", "SIMULATED " + ("field" if model == "ImageModel" else "galaxy"), ""),
        ("TARGNAME", "SIMULATED", ""),
        ("TITLE", "SIMULATED sample data", ""),
        ("DATE-OBS", _DAY, "invented"),
        *((keyword, value, "") for keyword, value in more.items()),
        ("SEED", seed, "of the random numbers"),
        ("HISTORY", f"SIMULATED by jviz, sample data version {VERSION}, seed {seed}.", ""),
        ("HISTORY", "Nothing in this file was observed.", ""),
    ]
    return Hdu("", None, cards)


def _sky_cards(x: float, y: float) -> list[tuple[str, Any, str]]:
    return [
        ("RADESYS", "ICRS", ""),
        ("CTYPE1", "RA---TAN", ""),
        ("CTYPE2", "DEC--TAN", ""),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRPIX1", x, "1-based"),
        ("CRPIX2", y, "1-based"),
    ]


def _mosaic_hdus(mosaic: sky.Mosaic, seed: int) -> list[Hdu]:
    (a, b), (c, d) = sky.cd_matrix()
    middle = (sky.SIZE + 1) / 2
    wcs = [
        *_sky_cards(middle, middle),
        ("CRVAL1", sky.CENTRE[0], ""),
        ("CRVAL2", sky.CENTRE[1], ""),
        *((f"CD{i}_{j}", value, "") for i, j, value in ((1, 1, a), (1, 2, b), (2, 1, c), (2, 2, d))),
    ]
    unit = [("BUNIT", "MJy/sr", "")]
    area = [
        ("PIXAR_SR", sky.PIXAR_SR, "solid angle of a pixel in sr"),
        ("PIXAR_A2", sky.PIXEL_SCALE**2, "area of a pixel in arcsec2"),
        ("PHOTMJSR", 1.0, "MJy/sr for 1 DN/s"),
    ]
    arrays = {"SCI": mosaic.sci, "ERR": mosaic.err, "DQ": mosaic.dq, "WHT": mosaic.wht}
    extra = {"SCI": unit + area, "ERR": unit, "WHT": [("BUNIT", "s", "exposure time")]}
    more = {"FILTER": "F200W", "PUPIL": "CLEAR", "EFFEXPTM": 3349.872}
    return [
        _primary(NAMES[0], "ImageModel", "NRC_IMAGE", "NIRCAM", seed, **more),
        *(Hdu(name, array, extra.get(name, []) + wcs) for name, array in arrays.items()),
    ]


def _cube(seed: int) -> ifu.Measured:
    """Return the cube of shape (400, 45, 45), NaN outside the turned field of view."""
    offset = (np.arange(_SIDE) - (_SIDE - 1) / 2) * ifu.SPAXEL
    x, y = np.meshgrid(offset, offset)
    cube = ifu.Galaxy(x, y).observed(ifu.cube_waves(), np.random.default_rng([seed, 2]))
    turn = np.radians(12)
    along, aside = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    outside = np.maximum(np.abs(along), np.abs(aside)) > 1.95
    cube.sci[:, outside] = cube.err[:, outside] = np.nan
    cube.dq[:, outside] = 513
    return cube


def _cube_hdus(cube: ifu.Measured, seed: int) -> list[Hdu]:
    waves = ifu.cube_waves()
    scale = ifu.SPAXEL / 3600
    wcs = [
        ("WCSAXES", 3, ""),
        *_sky_cards((_SIDE + 1) / 2, (_SIDE + 1) / 2),
        ("CRVAL1", _CENTRE[0], ""),
        ("CRVAL2", _CENTRE[1], ""),
        ("CDELT1", -scale, ""),
        ("CDELT2", scale, ""),
        ("CTYPE3", "WAVE", ""),
        ("CUNIT3", "um", ""),
        ("CRPIX3", 1.0, ""),
        ("CRVAL3", float(waves[0]), "vacuum"),
        ("CDELT3", float(np.round(waves[1] - waves[0], 9)), ""),
    ]
    unit = [("BUNIT", "MJy/sr", "")]
    area = [("PIXAR_SR", ifu.PIXAR_SR, "solid angle of a spaxel in sr"), ("PIXAR_A2", ifu.SPAXEL**2, "")]
    extra = {"SCI": unit + area, "ERR": unit}
    arrays = {"SCI": cube.sci, "ERR": cube.err, "DQ": cube.dq}
    more = {"GRATING": "G235H", "FILTER": "F170LP", "REDSHIFT": ifu.REDSHIFT}
    return [
        _primary(NAMES[2], "IFUCubeModel", "NRS_IFU", "NIRSPEC", seed, **more),
        *(Hdu(name, array, extra.get(name, []) + wcs) for name, array in arrays.items()),
    ]


def _slit_hdus(seed: int) -> list[Hdu]:
    """A slit along the major axis of the galaxy: 64 rows of 0.1 arcsec."""
    waves = ifu.slit_waves()
    along = (np.arange(64) - 31.5) * ifu.SPAXEL
    angle = np.radians(35.0)
    galaxy = ifu.Galaxy(along * np.cos(angle), along * np.sin(angle))
    slit = galaxy.observed(waves, np.random.default_rng([seed, 3]), bad=5e-4)
    wavelength = np.broadcast_to(waves.astype(np.float32), (64, waves.size))
    wcs = [
        ("WCSAXES", 2, ""),
        ("CTYPE1", "WAVE", ""),
        ("CUNIT1", "um", ""),
        ("CRPIX1", 1.0, ""),
        ("CRVAL1", float(waves[0]), "vacuum"),
        ("CDELT1", float(np.round(waves[1] - waves[0], 9)), ""),
        ("CTYPE2", "OFFSET", "along the slit"),
        ("CUNIT2", "arcsec", ""),
        ("CRPIX2", 32.5, ""),
        ("CRVAL2", 0.0, ""),
        ("CDELT2", ifu.SPAXEL, ""),
        ("DISPAXIS", 1, "dispersion along x"),
    ]
    unit = [("BUNIT", "MJy/sr", "")]
    area = [("PIXAR_SR", ifu.PIXAR_SR, "solid angle of a pixel in sr")]
    more = {"GRATING": "G235H", "FILTER": "F170LP", "REDSHIFT": ifu.REDSHIFT}
    return [
        _primary(NAMES[3], "SlitModel", "NRS_FIXEDSLIT", "NIRSPEC", seed, **more),
        Hdu("SCI", np.ascontiguousarray(slit.sci.T), unit + area + wcs),
        Hdu("ERR", np.ascontiguousarray(slit.err.T), unit + wcs),
        Hdu("DQ", np.ascontiguousarray(slit.dq.T), wcs),
        Hdu("WAVELENGTH", np.ascontiguousarray(wavelength), [("BUNIT", "um", ""), *wcs]),
    ]


def _spectrum_hdus(cube: ifu.Measured, name: str, aperture: tuple[float, float, float], seed: int) -> list[Hdu]:
    """Sum the cube in a circle: offsets from the centre and radius in arcsec."""
    x, y, radius = aperture
    offset = (np.arange(_SIDE) - (_SIDE - 1) / 2) * ifu.SPAXEL
    inside = np.hypot(offset - x, offset[:, None] - y) <= radius
    values, errors = cube.sci[:, inside].astype(float), cube.err[:, inside].astype(float)
    used = np.isfinite(values).sum(1)
    brightness = np.nanmean(values, 1)
    brightness_error = np.sqrt(np.nansum(errors**2, 1)) / used
    solid = int(inside.sum()) * ifu.PIXAR_SR * 1e6
    columns = {
        "WAVELENGTH": ifu.cube_waves(),
        "FLUX": brightness * solid,
        "FLUX_ERROR": brightness_error * solid,
        "SURF_BRIGHT": brightness,
        "SB_ERROR": brightness_error,
        "DQ": np.zeros(used.size, np.uint32),
        "NPIXELS": used.astype(float),
    }
    units = {"WAVELENGTH": "um", "FLUX": "Jy", "FLUX_ERROR": "Jy"}
    units |= {"SURF_BRIGHT": "MJy/sr", "SB_ERROR": "MJy/sr"}
    cards = [
        ("SOURCEID", name, "SIMULATED"),
        ("SRCTYPE", "EXTENDED", ""),
        ("EXTR_X", float(x / ifu.SPAXEL + (_SIDE + 1) / 2), "centre of the aperture, 1-based"),
        ("EXTR_Y", float(y / ifu.SPAXEL + (_SIDE + 1) / 2), ""),
        ("EXTR_R", float(radius / ifu.SPAXEL), "its radius in spaxels"),
        ("NPIXAPER", int(inside.sum()), "spaxels in the aperture"),
    ]
    file = f"simulated_{name}_x1d.fits"
    more = {"GRATING": "G235H", "FILTER": "F170LP", "REDSHIFT": ifu.REDSHIFT}
    primary = _primary(file, "MultiSpecModel", "NRS_IFU", "NIRSPEC", seed, **more)
    return [primary, Hdu("EXTRACT1D", columns, cards, units)]

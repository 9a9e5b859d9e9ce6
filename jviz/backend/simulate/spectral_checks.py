"""Spectra and cubes of simulated exposures against what was put into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.simulate.measures import Check, middle
from jviz.backend.simulate.spots import Spot
from jviz.backend.spectra.line_fits import C_KMS, fit_lines
from jviz.errors import JvizError

__all__ = ["check_cube", "check_spectrum"]

EDGE = 0.02
"""Part of the wavelengths that is left out at each end, where sensitivity and coverage break off."""

GAP = 20.0
"""Steps of wavelength that are missing between two channels, at least."""

WINDOW = 3.5
"""Half the range about a line, in its full widths."""

FAR = 6.0
"""Distance from the source from which on all is background, in full widths of the point-spread function."""

CORE = 2.0
"""Sigma in spaxels of the weight under which the centroid is taken."""


def check_spectrum(product: Path, folder: Path) -> list[Check]:
    """Compare an extracted spectrum: its continuum, and velocities and fluxes of its lines.

    Parameters
    ----------
    folder : Path
        Where the truth lies.

    Raises
    ------
    JvizError
        When there is no truth of a spectrum, or nothing in the spectrum to compare.
    """
    from astropy.io import fits

    true, lines = _truth(folder, "spectrum"), _truth(folder, "lines")
    with fits.open(product, memmap=False) as hdus:
        rows = hdus["EXTRACT1D"].data
        wave, flux, error = (rows[name].astype(float) for name in ("WAVELENGTH", "FLUX", "FLUX_ERROR"))
        good = (rows["DQ"] == 0) & np.isfinite(flux) & (flux != 0) & (wave > 0)
    if good.sum() < 20:
        raise JvizError(f"{product.name} has {int(good.sum())} samples that can be used, too few to compare.")
    wave, flux, error = wave[good], flux[good], error[good]
    inside = _inside(wave)
    shown = [line for line in lines if _is_covered(line["wavelength"].to_value("um"), wave[inside])]
    free = inside.copy()
    for line in lines:
        free &= np.abs(wave - line["wavelength"].to_value("um")) > WINDOW * _width(line)
    continuum = np.interp(wave, true["wavelength"].to_value("um"), true["continuum"].to_value("Jy"))
    note = f"{int(free.sum())} samples between {wave[inside].min():.4g} and {wave[inside].max():.4g} µm, without lines"
    checks = [Check("continuum / truth", *middle((flux / continuum)[free]), "", 1.0, note)]
    for line in shown:
        checks += _check_line(line, wave, flux, error, inside)
    return checks


def _inside(wave: np.ndarray) -> np.ndarray:
    """Say which samples lie well within a channel; where wavelengths are missing, one ends and another begins."""
    steps = np.abs(np.diff(wave))
    inside = np.zeros(wave.size, bool)
    for part in np.split(np.arange(wave.size), np.flatnonzero(steps > GAP * np.median(steps)) + 1):
        low, high = wave[part].min(), wave[part].max()
        margin = EDGE * (high - low)
        inside[part] = (wave[part] > low + margin) & (wave[part] < high - margin)
    return inside


def _is_covered(center: float, wave: np.ndarray) -> bool:
    """Return whether there are samples at both sides of a wavelength, near it."""
    return bool(wave.size and np.abs(wave - center).min() < 3 * np.median(np.abs(np.diff(wave)))
                and wave.min() < center < wave.max())  # fmt: skip


def _width(line: Any) -> float:
    """Return the full width of a line as the instrument shows it, in µm."""
    return float(line["wavelength"].to_value("um") * line["observed"].to_value("km/s") / C_KMS)


def _check_line(line: Any, wave: np.ndarray, flux: np.ndarray, error: np.ndarray, inside: np.ndarray) -> list[Check]:
    center = line["wavelength"].to_value("um")
    near = inside & (np.abs(wave - center) < WINDOW * _width(line))
    known = error if (error[near] > 0).all() else None
    [found] = fit_lines(wave, flux, known, [center], use=near, width=_width(line)).lines
    to_velocity = C_KMS / line["rest"].to_value("um")
    value, spread = (found.center[0] - center) * to_velocity, found.center[1] * to_velocity
    # From Jy µm to W/m².
    to_flux = 1e-26 * C_KMS * 1e9 / center**2 / line["flux"].to_value("W m-2")
    name, note = line["name"], f"{center:.5g} µm, put in at {line['velocity'].to_value('km/s'):.1f} km/s"
    flux, spread_of_flux = (number * to_flux for number in found.flux)
    return [Check(f"velocity of {name}", value, spread, "km/s", 0.0, note),
            Check(f"flux of {name} / truth", flux, spread_of_flux, "", 1.0, "")]  # fmt: skip


def check_cube(product: Path, folder: Path) -> list[Check]:
    """Compare a cube: where the source is, and the brightness of the background.

    Raises
    ------
    JvizError
        When there is no truth of a spectrum, or nothing in the cube to compare.
    """
    from astropy.io import fits
    from astropy.wcs import WCS

    true, [source] = _truth(folder, "spectrum"), _truth(folder, "sources")
    with fits.open(product, memmap=False) as hdus:
        header, cube = hdus["SCI"].header, hdus["SCI"].data
        wave = _waves(hdus)
        wcs = WCS(header, hdus, fix=False).celestial
    planes = np.flatnonzero(_inside(wave))
    background = np.interp(wave, true["wavelength"].to_value("um"), true["background"].to_value("MJy/sr"))
    place = [float(value) for value in wcs.world_to_pixel_values(source["RA"].value, source["DEC"].value)]
    y, x = np.indices(cube.shape[1:])
    spaxel = abs(header["CDELT1"]) * 3600
    far = np.hypot(x - place[0], y - place[1]) * spaxel > FAR * Spot().fwhm(wave.mean())
    image = _seen(cube[planes] - background[planes, None, None])
    column, row, light = _core(image, place)
    ra, dec = (float(value) for value in wcs.pixel_to_world_values(column, row))
    scatter = middle(image[far & np.isfinite(image)])[1] * np.sqrt(far.sum()) if far.any() else np.nan
    # Noise of a weighted centroid: twice the root of the sum of (n w x)², over the weighted light.
    spread = float(2000 * spaxel * scatter * CORE**2 * np.sqrt(np.pi / 2) / light)
    east = (ra - source["RA"].value) * np.cos(np.radians(source["DEC"].value)) * 3.6e6
    note = f"centroid of {planes.size} planes, {spaxel:.3g}″ spaxels"
    checks = [Check("offset east", float(east), spread, "mas", 0.0, note),
              Check("offset north", float(dec - source["DEC"].value) * 3.6e6, spread, "mas", 0.0, note)]  # fmt: skip
    ratio = _seen((cube[planes] / background[planes, None, None])[:, far]) if far.any() else np.array([])
    ratio = ratio[np.isfinite(ratio)]
    if ratio.size >= 20:
        note = f"{ratio.size} spaxels far from the source"
        checks.append(Check("background / truth", *middle(ratio), "", 1.0, note))
    return checks


def _waves(hdus: Any) -> np.ndarray:
    """Return the wavelengths of the planes of a cube in µm: of a table where it has several channels."""
    if "WCS-TABLE" in hdus:
        return np.ravel(hdus["WCS-TABLE"].data["wavelength"]).astype(float)
    header, count = hdus["SCI"].header, len(hdus["SCI"].data)
    return header["CRVAL3"] + header["CDELT3"] * (np.arange(count) + 1 - header["CRPIX3"])


def _seen(planes: np.ndarray) -> np.ndarray:
    """Return the mean over planes; NaN where there is none."""
    good = np.isfinite(planes) & (planes != 0)
    count = good.sum(axis=0)
    total = np.where(good, planes, 0).sum(axis=0, dtype=float)
    return np.where(count > 0.5 * len(planes), total / np.maximum(count, 1), np.nan)


def _core(image: np.ndarray, start: list[float]) -> tuple[float, float, float]:
    """Return the centroid under a Gaussian weight that moves with it, and the light there under the weight."""
    light = np.nan_to_num(image)
    y, x = np.indices(light.shape)
    column, row = start
    for _ in range(60):
        weight = light * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * CORE**2))
        whole = weight.sum()
        column += 2 * ((weight * x).sum() / whole - column)
        row += 2 * ((weight * y).sum() / whole - row)
    return column, row, float(whole)


def _truth(folder: Path, name: str) -> Any:
    from astropy.table import QTable

    path = folder / f"{name}_truth.ecsv"
    if not path.is_file():
        raise JvizError(f"There is no {path.name} in {folder}: the exposures there are not of a spectrometer.")
    return QTable.read(path)

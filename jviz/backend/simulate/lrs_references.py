"""Reference files for simulated exposures of a slit spectrometer: geometry, response, and how spectra are taken out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from jviz.backend.simulate.cache_writer import Reference
from jviz.backend.simulate.headers import hdu, table
from jviz.backend.simulate.lrs import (
    COLUMNS,
    FRAME,
    INSTRUMENT,
    LENGTH,
    ROWS,
    SENSITIVITY,
    SLIT,
    SPOT,
    WIDTH,
    Prism,
    lean,
    response,
    through_slit,
    waves_of,
)
from jviz.backend.simulate.references import Writer

__all__ = ["aperture_shares", "lrs_references"]

APERTURE = 8
"""Columns that a spectrum is the sum of."""

RING = (6, 9)
"""Columns from the source between which the background lies, at both sides; both within the slit at the usual nods."""

REACH, ACROSS = 3.0, 0.1
"""Rows from the middle of the slit for which the losses are given, and from one to the next."""

NOMINAL = 20
"""Column that the apertures are given for; they are moved to the source."""


def lrs_references(field: Prism) -> list[Reference]:
    """Return the reference files of a field; nothing is written yet."""
    detector = field.detector
    writer = Writer(field.plan, INSTRUMENT, "FASTR1", (1, 2))
    flat = np.where(detector.is_reference, np.float32(np.nan), detector.flat)
    meta = {"input_units": "pixel", "output_units": "arcsec", "exposure": {"type": "MIR_LRS-FIXEDSLIT"}}
    return [
        *writer.detector(detector),
        writer.fits("flat", "FlatModel", [hdu("SCI", flat)], writer.subarray | {"FILTER": "P750L"}),
        writer.asdf("distortion", "DistortionModel", lambda: {"model": FRAME.model()}, meta=meta),
        _waves(writer), _photom(writer), _losses(writer), _extraction(writer), _corrections(writer),
    ]  # fmt: skip


def _waves(writer: Writer) -> Reference:
    """Return where the wavelengths lie, from the red end up as far as the blue one, seen from the slit."""
    rows = np.arange(ROWS[1], ROWS[0] - 1, -1.0)
    place = SLIT[1] + rows
    left, right = (np.full(rows.shape, float(edge)) for edge in COLUMNS)
    columns = table("WAVETABLE", x_center=lean(place), y_center=rows, wavelength=waves_of(place), x0=left,
                    y0=rows + 0.5, x1=right, y1=rows + 0.5, x2=right, y2=rows - 0.5, x3=left,
                    y3=rows - 0.5)  # fmt: skip
    more = {"IMX": SLIT[0] + 1, "IMY": SLIT[1] + 1, "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "FILTER": "P750L"}
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    for number, (x, y) in enumerate(corners, 1):
        half = x * LENGTH / 2 / FRAME.scale_x, y * WIDTH / 2 / FRAME.scale_y
        v2, v3 = FRAME.to_telescope(SLIT[0] + half[0], SLIT[1] + half[1])
        more |= {f"V2VERT{number}": float(v2), f"V3VERT{number}": float(v3)}
    return writer.fits("specwcs", "MiriLRSSpecwcsModel", [columns], more)


def _grid() -> np.ndarray:
    return np.linspace(4.4, 14.4, 201, dtype=np.float32)


def _photom(writer: Writer) -> Reference:
    wave = _grid()
    relative = response(wave).astype(np.float32)
    columns = table("PHOTOM", filter=["P750L"], subarray=["FULL"], photmjsr=np.float32([SENSITIVITY]),
                    uncertainty=np.float32([0.02]), nelem=np.int16([wave.size]), wavelength=wave[None],
                    relresponse=relative[None], reluncertainty=np.zeros_like(relative)[None])  # fmt: skip
    area = FRAME.pixel_area
    more = {"EXP_TYPE": "MIR_LRS-FIXEDSLIT", "PIXAR_SR": area, "PIXAR_A2": area * (180 / np.pi * 3600) ** 2}
    return writer.fits("photom", "MirLrsPhotomModel", [columns], more)


def _losses(writer: Writer) -> Reference:
    """Return what light is multiplied by of sources beside the middle of the slit, the longest wavelength first."""
    wave = _grid()[::-1]
    rows = np.arange(-REACH, REACH + ACROSS / 2, ACROSS)
    factors = through_slit(0.0, wave)[:, None] / through_slit(rows * FRAME.scale_y, wave[:, None])
    values = np.repeat(factors[..., None], 2, axis=2).astype(np.float32)
    columns = table("PATHLOSS", wavelength=wave, pathloss=values, pathloss_err=np.zeros_like(values))
    # Along the slit nothing changes: two columns far apart.
    columns.header.update(WCSAXES=2, CRPIX1=1.0, CRVAL1=-float(NOMINAL + 10), CDELT1=2.0 * (NOMINAL + 10), CRPIX2=1.0,
                          CRVAL2=-REACH, CDELT2=ACROSS)  # fmt: skip
    more = {"EXP_TYPE": "MIR_LRS-FIXEDSLIT", "FILTER": "P750L"}
    return writer.fits("pathloss", "MirLrsPathlossModel", [columns], more)


def _extraction(writer: Writer) -> Reference:
    # Here a pixel reaches from half below its number to half above.
    sides = [NOMINAL - RING[1], NOMINAL - RING[0], NOMINAL + RING[0], NOMINAL + RING[1]]
    aperture = {
        "id": "MIR_LRS-FIXEDSLIT", "region_type": "target", "dispaxis": 2, "xstart": NOMINAL - 8, "xstop": NOMINAL + 8,
        "extract_width": APERTURE, "use_source_posn": True, "bkg_order": 0, "bkg_fit": "poly",
        "bkg_coeff": [[float(side)] for side in sides],
    }  # fmt: skip
    content = {"reftype": "EXTRACT1D", "instrument": "MIRI", "telescope": "JWST", "exp_type": "MIR_LRS-FIXEDSLIT",
               "pedigree": "DUMMY", "descrip": "SIMULATED, matches simulated exposures", "author": "jviz",
               "useafter": "2000-01-01T00:00:00", "history": "SIMULATED by jviz",
               "meta": {"instrument": {"detector": "MIRIMAGE"}}, "apertures": [aperture]}  # fmt: skip
    return writer.text("extract1d", lambda path: _write(path, json.dumps(content, indent=1)), ".json")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _corrections(writer: Writer) -> Reference:
    wave, sizes = _grid(), np.arange(2, 17, 2, dtype=np.uint8)
    factors = 1 / aperture_shares(sizes.astype(float), wave[:, None])
    columns = table("APCORR", subarray=["FULL"], wavelength=wave[None], nelem_wl=np.int16([wave.size]),
                    size=sizes[None], nelem_size=np.int16([sizes.size]), apcorr=factors.astype(np.float32)[None],
                    apcorr_err=np.zeros(factors.shape, np.float32)[None])  # fmt: skip
    columns.header["SIZEUNIT"] = "pixels"
    return writer.fits("apcorr", "MirLrsApcorrModel", [columns], {"EXP_TYPE": "MIR_LRS-FIXEDSLIT"})


def aperture_shares(size: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Return the share of a source's light in so many columns, less what the sides take off as background.

    Pixels smear the light as they collect it, and again when they are resampled, twice each.
    """
    sigma = np.hypot(SPOT.sigma(wave), FRAME.scale_x * np.sqrt(4 / 12))

    def within(half: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        return 2 * ndtr(half * FRAME.scale_x / sigma) - 1

    sides = (within(RING[1]) - within(RING[0])) / (2 * (RING[1] - RING[0]))
    return within(size / 2) - sides * size

"""The table of aperture photometry: sums, fluxes, magnitudes, limits and flags with units and words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jviz.backend.photometry.circles import Skies, Sums
from jviz.backend.photometry.fluxes import Calibration, magnitudes

__all__ = ["EDGE", "FLAGS", "MASKED", "NOTHING", "NO_SKY", "SATURATED", "WORDS", "Measured", "aperture_table",
           "columns_of", "flags_of", "flags_of_sums", "flux_errors"]  # fmt: skip

MASKED, EDGE, SATURATED, NO_SKY, NOTHING = 1, 2, 4, 8, 16
FLAGS = {
    MASKED: "pixels without a value or with an excluded flag are left out",
    EDGE: "the aperture reaches beyond the image",
    SATURATED: "saturated pixels",
    NO_SKY: "too few pixels for the sky",
    NOTHING: "no pixel to use",
}
"""Bits of the column ``flags``."""

LIMIT = 3.0
"""Below this ratio of flux to error an upper limit of as many errors is stated."""

FEWEST = 5
"""Pixels that a sky needs."""

WORDS = {
    "aperture_sum": "sum of the pixels, weighed by the part inside; the sky is still in it",
    "aperture_sum_err": "error of that sum",
    "background": "sky level of one pixel",
    "background_err": "error of the sky level",
    "area": "area used in pixels",
    "flux": "sum less the sky, with the aperture correction",
    "flux_err": "error of the flux, with that of the sky",
    "flux_limit": "3 times the error of the flux, where the flux is below that",
    "snr": "flux over its error",
    "abmag": "AB magnitude of the flux",
    "abmag_err": "2.5 log10(1 + flux_err / flux)",
    "abmag_limit": "magnitude of flux_limit",
    "vegamag": "abmag less m(AB) - m(Vega) of the filter",
    "vegamag_err": "2.5 log10(1 + flux_err / flux)",
    "n_masked": "pixels in the aperture that are not used",
}
"""What columns are."""


@dataclass(frozen=True)
class Measured:
    """What was measured at n places with m sizes, all that a table is made of.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
    sums : Sums
    expected : ndarray or None
        Areas that apertures have when they lie on the image, shape (m,) or (n, m); None: not known.
    skies : Skies or None
    variance : ndarray or None, shape (n, m)
        Of the sums; None: not known.
    unit : unit of astropy
        Of the pixels.
    calibration : Calibration
    solid : ndarray, shape (n,)
        Solid angle of a pixel in sr; NaN where it is not known.
    correction : ndarray, shape (m,)
    """

    x: np.ndarray
    y: np.ndarray
    sums: Sums
    expected: np.ndarray | None
    skies: Skies | None
    variance: np.ndarray | None
    unit: Any
    calibration: Calibration
    solid: np.ndarray
    correction: np.ndarray
    first: dict[str, Any] = field(default_factory=dict)


def flux_errors(measured: Measured) -> np.ndarray:
    """Return the errors of the sums less their sky, shape (n, m), before any correction; NaN: not known."""
    if measured.variance is None:
        return np.full(measured.sums.sum.shape, np.nan)
    sky = 0.0 if measured.skies is None else (measured.sums.used * measured.skies.error[:, None]) ** 2
    return np.sqrt(measured.variance + np.nan_to_num(sky))


def aperture_table(measured: Measured, coordinates: Any) -> Any:
    """Return a ``QTable`` with a row for each place; columns of several sizes end in _0, _1 … as in photutils.

    Parameters
    ----------
    measured : Measured
    coordinates : SkyCoord
        Of the places.
    """
    from astropy.table import QTable

    table = QTable()
    table["id"] = np.arange(1, len(measured.x) + 1)
    for name, values in measured.first.items():
        table[name] = values
    table["x"], table["y"], table["sky"] = measured.x, measured.y, coordinates
    columns = columns_of(measured)
    single = measured.sums.sum.shape[1] == 1
    for k in range(measured.sums.sum.shape[1]):
        for name, values in columns.items():
            if values.ndim == 2:
                _put(table, name if single else f"{name}_{k}", name, values[:, k], measured)
            elif k == 0:
                _put(table, name, name, values, measured)
    table["flags"] = flags_of(measured)
    table["flags"].info.description = "; ".join(f"{bit}: {words}" for bit, words in FLAGS.items())
    return table


def columns_of(measured: Measured) -> dict[str, np.ndarray]:
    """Return all numbers, shape (n, m), or (n,) where they do not depend on the size."""
    sums, n = measured.sums, len(measured.x)
    used = sums.used > 0
    total = np.where(used, sums.sum, np.nan)
    error = np.full(total.shape, np.nan) if measured.variance is None else np.sqrt(measured.variance)
    level = np.zeros(n) if measured.skies is None else measured.skies.level
    level_error = np.full(n, np.nan) if measured.skies is None else measured.skies.error
    factor = (_factors(measured)[:, None] * measured.correction).astype(float)
    flux = (total - level[:, None] * sums.used) * factor
    flux_error = np.where(np.isfinite(flux), flux_errors(measured), np.nan) * factor
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = flux / flux_error
    limit = np.where(ratio < LIMIT, LIMIT * flux_error, np.nan)
    if measured.calibration.known:
        magnitude, magnitude_error = magnitudes(flux, flux_error)
        faintest = magnitudes(limit, limit)[0]
    else:
        magnitude = magnitude_error = faintest = np.full(total.shape, np.nan)
    vega = {}
    if np.isfinite(measured.calibration.vega):
        vega = {"vegamag": magnitude - measured.calibration.vega, "vegamag_err": magnitude_error}
    return {
        "aperture_sum": total, "aperture_sum_err": np.where(used, error, np.nan),
        "background": level, "background_err": level_error, "area": sums.used,
        "flux": flux, "flux_err": flux_error, "snr": ratio, "flux_limit": limit,
        "abmag": magnitude, "abmag_err": magnitude_error, "abmag_limit": faintest, **vega,
        "n_masked": sums.n_masked,
    }  # fmt: skip


def _factors(measured: Measured) -> np.ndarray:
    """Return what sums are multiplied by: to Jy, or 1 where that cannot be had."""
    if not measured.calibration.known:
        return np.ones(len(measured.x))
    return measured.calibration.factor * (measured.solid if measured.calibration.per_area else np.ones(len(measured.x)))


def _put(table: Any, column: str, name: str, values: np.ndarray, measured: Measured) -> None:
    from astropy import units as u

    if name in ("aperture_sum", "aperture_sum_err", "background", "background_err"):
        table[column] = values * measured.unit
    elif name.startswith("flux"):
        table[column] = values * (u.Jy if measured.calibration.known else measured.unit)
    elif name.startswith(("abmag", "vegamag")):
        table[column] = values * u.mag
    else:
        table[column] = values * u.pix**2 if name == "area" else values
    if name in WORDS:
        table[column].info.description = WORDS[name]


def flags_of(measured: Measured) -> np.ndarray:
    """Return the bits of `FLAGS` for each place, of all its apertures."""
    bits = flags_of_sums(measured.sums, measured.expected)
    if measured.skies is not None:
        bits |= np.where(measured.skies.n < FEWEST, NO_SKY, 0)
    return bits


def flags_of_sums(sums: Sums, expected: np.ndarray | None) -> np.ndarray:
    """Return the bits of `FLAGS` that sums in apertures tell; ``expected`` are the areas of these."""
    bits = np.where((sums.n_masked > 0).any(axis=1), MASKED, 0)
    bits |= np.where((sums.n_saturated > 0).any(axis=1), SATURATED, 0)
    bits |= np.where((sums.used <= 0).any(axis=1), NOTHING, 0)
    if expected is not None:
        short = sums.area < expected * (1 - 1e-9) - 1e-9
        bits |= np.where(short.any(axis=1), EDGE, 0)
    return bits

"""From sums of pixels to flux densities and magnitudes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.units import parse_unit

__all__ = ["AB_ZERO", "Calibration", "calibration", "magnitudes"]

AB_ZERO = 3631.0
"""Flux density of AB magnitude 0 in Jy (Oke & Gunn 1983; −2.5 log10(3631e-23) = 48.60)."""

SPEED = 2.99792458e18
"""Of light, in Å/s."""


@dataclass(frozen=True)
class Calibration:
    """How a sum of pixels becomes a flux density.

    Attributes
    ----------
    factor : float
        Jy for 1 in the sum; NaN when it is not known.
    per_area : bool
        The sum must also be multiplied by the solid angle of a pixel in sr.
    how : str
        In words: what was used, or what is missing.
    vega : float
        m(AB) − m(Vega) in the filter; NaN when it is not known.
    no_vega : str
        Why there are no Vega magnitudes, where a user should be told.
    """

    factor: float
    per_area: bool = False
    how: str = ""
    vega: float = np.nan
    no_vega: str = ""

    @property
    def known(self) -> bool:
        """Whether flux densities can be had."""
        return bool(np.isfinite(self.factor))


def calibration(unit: str, header: Mapping[str, Any], *, zero_point: float | None = None) -> Calibration:
    """Find out how the values of an image become Jy.

    Parameters
    ----------
    unit : str
        Of the pixels, as the file has it.
    header : mapping
        Its keywords: BMAJ, BMIN; PHOTFLAM, PHOTPLAM, EXPTIME as HST has them.
    zero_point : float, optional
        AB magnitude of a sum of 1, whatever the unit says.

    Notes
    -----
    PHOTFLAM is erg/s/cm²/Å for 1 count/s, PHOTPLAM the pivot wavelength in Å; F_ν = F_λ λ²/c (HST Data Handbooks).
    """
    from astropy import units as u

    if zero_point is not None:
        factor = AB_ZERO * 10 ** (-0.4 * float(zero_point))
        return Calibration(factor, how=f"AB zero point {zero_point:g}")
    known = parse_unit(unit) if unit else None
    if known is None or not unit:
        return _of_counts(unit, header)
    if known.is_equivalent(u.Jy / u.sr):
        return Calibration(float(known.to(u.Jy / u.sr)), True, f"{unit} times the solid angle of pixels")
    for per in (u.dimensionless_unscaled, u.pix, u.pix**2):
        if (known * per).is_equivalent(u.Jy):
            return Calibration(float((known * per).to(u.Jy)), how=f"the unit {unit}")
        if (known * per).is_equivalent(u.mgy):  # 1 maggy has the AB magnitude 0
            return Calibration(float((known * per).to(u.mgy)) * AB_ZERO, how=f"the unit {unit}")
    if (known * u.beam).is_equivalent(u.Jy):
        return _of_beams(known, header)
    return _of_density(known, unit, header)


def _of_beams(unit: Any, header: Mapping[str, Any]) -> Calibration:
    from astropy import units as u

    sizes = [_number(header, name) for name in ("BMAJ", "BMIN")]
    if not all(sizes):
        return Calibration(np.nan, how=f"{unit} needs the size of the beam, BMAJ and BMIN, which the header lacks")
    solid = np.pi / (4 * np.log(2)) * np.radians(sizes[0]) * np.radians(sizes[1])
    return Calibration(float((unit * u.beam).to(u.Jy)) / solid, True, "Jy/beam, by BMAJ and BMIN")


def _of_density(unit: Any, text: str, header: Mapping[str, Any]) -> Calibration:
    from astropy import units as u

    pivot = _number(header, "PHOTPLAM")
    density = u.erg / u.s / u.cm**2 / u.AA
    for per, solid in ((u.dimensionless_unscaled, False), (u.pix, False), (u.sr, True)):
        if (unit * per).is_equivalent(density):
            if not pivot:
                return Calibration(np.nan, how=f"{text} needs a wavelength, PHOTPLAM, which the header lacks")
            factor = float((unit * per).to(density)) * pivot**2 / SPEED * 1e23
            return Calibration(factor, solid, f"{text} at {pivot:g} Å")
    return _of_counts(text, header)


def _of_counts(unit: str, header: Mapping[str, Any]) -> Calibration:
    flam, pivot = _number(header, "PHOTFLAM"), _number(header, "PHOTPLAM")
    if not (flam and pivot):
        what = f"{unit} is no flux density" if unit else "The image has no unit"
        return Calibration(np.nan, how=f"{what}, and the header has no PHOTFLAM and PHOTPLAM; give zero_point=")
    factor = flam * pivot**2 / SPEED * 1e23
    if _is_rate(unit):
        taken = "" if unit.strip() else "; without a unit, pixels are taken for rates"
        return Calibration(factor, how=f"PHOTFLAM {flam:.4g} and PHOTPLAM {pivot:g} Å{taken}")
    seconds = _number(header, "EXPTIME")
    if not seconds:
        return Calibration(np.nan, how=f"{unit or 'counts'} needs an exposure time, EXPTIME, which the header lacks")
    return Calibration(factor / seconds, how=f"PHOTFLAM {flam:.4g}, PHOTPLAM {pivot:g} Å, EXPTIME {seconds:g} s")


def _is_rate(unit: str) -> bool:
    bare = unit.lower().replace(" ", "")
    return not bare or bare.endswith(("/s", "/sec", "/second", "s-1", "s**-1", "s^-1"))


def _number(header: Mapping[str, Any], name: str) -> float | None:
    try:
        value = float(header.get(name))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) and value > 0 else None


def magnitudes(flux: np.ndarray, error: np.ndarray, zero: float = AB_ZERO) -> tuple[np.ndarray, np.ndarray]:
    """Return magnitudes and their errors; NaN for fluxes that are not above 0.

    Parameters
    ----------
    flux, error : ndarray
        In Jy.
    zero : float
        Flux density of magnitude 0 in Jy.

    Notes
    -----
    The error is 2.5 log10(1 + σ/F), as in the source catalogues of the JWST pipeline.
    """
    flux, error = np.asarray(flux, float), np.asarray(error, float)
    seen = flux > 0
    safe = np.where(seen, flux, 1.0)
    magnitude = np.where(seen, -2.5 * np.log10(safe / zero), np.nan)
    return magnitude, np.where(seen, 2.5 * np.log10(1.0 + error / safe), np.nan)

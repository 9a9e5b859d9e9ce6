"""Units of fluxes for display: per frequency, per length, magnitudes, photons, and all of them per area of sky."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from jviz.backend.spectra.units import C, H
from jviz.errors import CommandError

__all__ = ["Y_UNITS", "FluxUnit", "convert_flux", "flux_unit", "label_of", "units_for"]

Density = Literal["nu", "lambda", "photon nu", "photon lambda", "nu nu", "magnitude", "other"]

AB_ZERO = 3631e-26
"""Flux density of AB magnitude 0 in W m⁻² Hz⁻¹ (Oke & Gunn 1983)."""

_REFERENCES: tuple[tuple[Density, str], ...] = (
    ("nu", "W / (m2 Hz)"), ("lambda", "W / m3"), ("photon nu", "ph / (s m2 Hz)"), ("photon lambda", "ph / (s m3)"),
    ("nu nu", "W / m2"),
)  # fmt: skip

Y_UNITS: dict[str, tuple[str, ...]] = {
    "per frequency": ("Jy", "mJy", "uJy", "nJy", "erg / (s cm2 Hz)", "W / (m2 Hz)"),
    "per wavelength": ("erg / (s cm2 Angstrom)", "erg / (s cm2 um)", "W / (m2 um)"),
    "magnitudes": ("ABmag",),
    "photons": ("ph / (s cm2 Angstrom)", "ph / (s cm2 Hz)"),
    "ν Fν": ("W / m2", "erg / (s cm2)"),
}
"""Units of flux that are offered."""

Y_UNITS_SKY: dict[str, tuple[str, ...]] = {
    "per frequency": ("MJy / sr", "Jy / sr", "mJy / arcsec2"),
    "per wavelength": ("erg / (s cm2 Angstrom arcsec2)", "W / (m2 um sr)"),
    "magnitudes": ("ABmag / arcsec2",),
    "photons": ("ph / (s cm2 Angstrom arcsec2)",),
    "ν Iν": ("W / (m2 sr)", "erg / (s cm2 sr)"),
}
"""The same per area of sky."""


@dataclass(frozen=True)
class FluxUnit:
    """What a unit of flux is.

    Attributes
    ----------
    text : str
    density : str
        Per frequency, per length, photons of both, ν Fν, a magnitude, or "other", which only converts by a factor.
    factor : float
        How many SI units (W, photons, m, Hz, sr) it is; of magnitudes 1.
    on_sky : bool
        Whether it is per area of sky.
    """

    text: str
    density: Density = "other"
    factor: float = 1.0
    on_sky: bool = False


@lru_cache(maxsize=256)
def flux_unit(text: str) -> FluxUnit:
    """Find out what a unit is; one that is not understood is "other"."""
    if text.replace(" ", "") in ("ABmag", "mag(AB)"):
        return FluxUnit(text, "magnitude")
    if text.replace(" ", "") in ("ABmag/arcsec2", "ABmag/arcsec^2"):
        return FluxUnit(text, "magnitude", on_sky=True)
    from astropy import units

    from jviz.backend.units import parse_unit

    known = parse_unit(text) if text else None
    if known is None:
        return FluxUnit(text)
    for density, reference in _REFERENCES:
        for on_sky, area in ((False, units.one), (True, units.sr), (False, units.pix)):  # or per spaxel
            factor = _factor(known * area, units.Unit(reference))
            if factor is not None:
                return FluxUnit(text, density, factor, on_sky)
    return FluxUnit(text)


def _factor(unit: Any, reference: Any) -> float | None:
    try:
        return float(unit.to(reference))
    except Exception:  # astropy raises several kinds for units that are not as each other
        return None


def units_for(text: str, *, has_area: bool = False) -> dict[str, tuple[str, ...]]:
    """Return the units in which fluxes of a unit can be shown, by what they are; empty when in no other."""
    unit = flux_unit(text)
    if unit.density == "other":
        return {}
    first, second = (Y_UNITS_SKY, Y_UNITS) if unit.on_sky else (Y_UNITS, Y_UNITS_SKY)
    return (
        {**first, **{f"{name}, {'total' if unit.on_sky else 'per area'}": u for name, u in second.items()}}
        if (has_area)
        else dict(first)
    )


def convert_flux(
    flux: np.ndarray,
    error: np.ndarray | None,
    unit: str,
    target: str,
    *,
    wavelength: np.ndarray | None = None,
    area: float | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Convert fluxes and their errors.

    Parameters
    ----------
    flux, error : ndarray, shape (n,)
        In ``unit``; the error is one standard deviation.
    target : str
        ``""`` leaves them as they are.
    wavelength : ndarray, shape (n,), optional
        In vacuum, in m; needed between densities per frequency, per length and per photon.
    area : float, optional
        Steradians that the flux comes from; needed between flux and surface brightness.

    Raises
    ------
    CommandError
        When they cannot be converted; says why.
    """
    if not target or target == unit:
        return flux, error
    source, wanted = flux_unit(unit), flux_unit(target)
    if "other" in (source.density, wanted.density):
        return _by_factor(flux, error, unit, target)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if source.density == "magnitude":
            flux, error = _from_magnitude(flux, error)
        scale = _to_si(source, wavelength) * _area(source, wanted, area)
        if wanted.density == "magnitude":
            scale = scale * _per_arcsec(source, wanted)
            return _magnitude(flux * scale, None if error is None else error * scale)
        scale = scale / _to_si(wanted, wavelength)
        return flux * scale, None if error is None else error * np.abs(scale)


def _by_factor(
    flux: np.ndarray, error: np.ndarray | None, unit: str, target: str
) -> tuple[np.ndarray, np.ndarray | None]:
    from jviz.backend.units import parse_unit

    known, wanted = parse_unit(unit) if unit else None, parse_unit(target)
    factor = None if known is None or wanted is None else _factor(known, wanted)
    if factor is None:
        said = f"in {unit}" if unit else "without a unit"
        raise CommandError(f"A spectrum {said} cannot be shown in {target}; show it as the file has it.")
    return flux * factor, None if error is None else error * factor


def _to_si(unit: FluxUnit, wavelength: np.ndarray | None) -> np.ndarray | float:
    """Return the factor from a unit to W m⁻² Hz⁻¹ (per sr), at each wavelength."""
    if unit.density == "nu":
        return unit.factor
    if unit.density == "magnitude":
        return _ARCSEC2 if unit.on_sky else 1.0
    if wavelength is None:
        raise CommandError(f"{unit.text} needs wavelengths to be converted, and this spectrum counts channels.")
    match unit.density:
        case "lambda":
            return unit.factor * wavelength**2 / C
        case "photon nu":
            return unit.factor * H * C / wavelength
        case "photon lambda":
            return unit.factor * H * wavelength
        case _:
            return unit.factor * wavelength / C


_ARCSEC2 = (180 * 3600 / np.pi) ** 2
"""Square arcseconds in a steradian."""


def _per_arcsec(source: FluxUnit, wanted: FluxUnit) -> float:
    return 1.0 / _ARCSEC2 if wanted.on_sky else 1.0


def _area(source: FluxUnit, wanted: FluxUnit, area: float | None) -> float:
    if source.on_sky == wanted.on_sky:
        return 1.0
    if area is None or not area > 0:
        raise CommandError(
            f"{source.text} cannot be shown in {wanted.text}: nobody knows the area of sky that this spectrum is of."
        )
    return area if source.on_sky else 1.0 / area


def _magnitude(flux: np.ndarray, error: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return AB magnitudes of W m⁻² Hz⁻¹ and their errors, 2.5 / ln 10 × σ / F; NaN where there is no flux."""
    good = flux > 0
    value = np.where(good, -2.5 * np.log10(np.where(good, flux, 1.0) / AB_ZERO), np.nan)
    spread = None if error is None else np.where(good, 2.5 / np.log(10) * error / np.where(good, flux, 1.0), np.nan)
    return value, spread


def _from_magnitude(value: np.ndarray, error: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    flux = AB_ZERO * 10 ** (-0.4 * value)
    return flux, None if error is None else flux * error * np.log(10) / 2.5


def label_of(unit: str) -> str:
    """Name what a unit of flux measures, for the axis."""
    known = flux_unit(unit)
    match known.density:
        case "magnitude":
            return "AB magnitude"
        case "photon nu" | "photon lambda":
            return "Photon rate"
        case "nu nu":
            return "ν Iν" if known.on_sky else "ν Fν"
        case "nu" | "lambda":
            return "Surface brightness" if known.on_sky else "Flux density"
    return "Flux"

"""Units of spectra for display: wavelength, frequency, energy, velocity; flux densities, magnitudes, photon rates.

Nothing here changes data: arrays come in as the file has them and new ones go out. The constants are exact in the
SI since 2019. All arithmetic is vectorised and needs astropy only to read units that are not in the small table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from jviz.backend.spectra.axis import Quantity, SpectralAxis
from jviz.errors import CommandError

__all__ = [
    "X_UNITS",
    "Scale",
    "air_to_vacuum",
    "convert_axis",
    "quantity_of",
    "readable_unit",
    "scale_of",
    "vacuum_to_air",
]

C = 299_792_458.0
"""Speed of light, m/s."""
H = 6.626_070_15e-34
"""Planck's constant, J s."""
EV = 1.602_176_634e-19
"""Electron volt, J."""

CONVENTIONS = ("optical", "radio", "relativistic")

_SI: dict[str, tuple[Quantity, float]] = {
    "m": ("wavelength", 1.0), "cm": ("wavelength", 1e-2), "mm": ("wavelength", 1e-3), "um": ("wavelength", 1e-6),
    "micron": ("wavelength", 1e-6), "µm": ("wavelength", 1e-6), "nm": ("wavelength", 1e-9),
    "Angstrom": ("wavelength", 1e-10), "angstrom": ("wavelength", 1e-10), "AA": ("wavelength", 1e-10),
    "Å": ("wavelength", 1e-10), "pm": ("wavelength", 1e-12),
    "Hz": ("frequency", 1.0), "kHz": ("frequency", 1e3), "MHz": ("frequency", 1e6), "GHz": ("frequency", 1e9),
    "THz": ("frequency", 1e12),
    "eV": ("energy", EV), "meV": ("energy", 1e-3 * EV), "keV": ("energy", 1e3 * EV), "J": ("energy", 1.0),
    "erg": ("energy", 1e-7),
    "1/m": ("wavenumber", 1.0), "m-1": ("wavenumber", 1.0), "1 / m": ("wavenumber", 1.0),
    "1/cm": ("wavenumber", 100.0), "cm-1": ("wavenumber", 100.0), "1 / cm": ("wavenumber", 100.0),
    "m/s": ("velocity", 1.0), "m / s": ("velocity", 1.0), "m s-1": ("velocity", 1.0),
    "km/s": ("velocity", 1e3), "km / s": ("velocity", 1e3), "km s-1": ("velocity", 1e3),
}  # fmt: skip

X_UNITS = ("um", "nm", "Angstrom", "mm", "THz", "GHz", "MHz", "1/cm", "eV", "keV", "km/s")
"""Units of the horizontal axis that are offered, by what they measure."""


@lru_cache(maxsize=256)
def quantity_of(unit: str) -> tuple[Quantity, float]:
    """Return what a unit measures along a spectrum, and how many m, Hz, J, 1/m or m/s it is.

    Raises
    ------
    CommandError
        When it is no unit of an axis of spectra.
    """
    if unit in _SI:
        return _SI[unit]
    if not unit:
        return "channel", 1.0
    from jviz.backend.units import parse_unit

    known = parse_unit(unit)
    for quantity, si in (("wavelength", "m"), ("frequency", "Hz"), ("energy", "J"), ("wavenumber", "1/m"),
                         ("velocity", "m/s")):  # fmt: skip
        try:
            return quantity, float(known.to(si))  # type: ignore[return-value]
        except Exception:  # not that one: astropy raises its own UnitConversionError, None has no `to`
            continue
    raise CommandError(f"{unit!r} is no unit along a spectrum; take one such as {', '.join(X_UNITS)}.")


_READABLE = (("frequency", "Hz", 1e9, 1e15, "GHz"), ("frequency", "Hz", 1e6, 1e9, "MHz"),
             ("wavelength", "m", 1e-7, 1e-3, "um"), ("wavelength", "m", 1e-3, 1.0, "mm"),
             ("velocity", "m/s", 0.0, 1e9, "km/s"))  # fmt: skip
"""Quantity and unit of files, between which values, and what people count in."""


def readable_unit(unit: str, value: float) -> str:
    """Return the unit in which people count a value that a file gives in Hz, m or m/s; other units stay."""
    try:
        known = quantity_of(unit) if unit else None
    except CommandError:
        return unit
    for quantity, base, low, high, better in _READABLE:
        if known == (quantity, quantity_of(base)[1]) and low <= abs(value) < high:
            return better
    return unit


@dataclass(frozen=True)
class Scale:
    """How values along a spectrum are counted.

    Attributes
    ----------
    unit : str
        ``""`` counts channels.
    quantity : str
        What the unit measures.
    medium : str
        Of wavelengths: "vacuum", "air" or "" when nobody knows, which is taken as vacuum.
    rest : float or None
        Of velocities: the vacuum wavelength in m at which they are 0.
    convention : str
        Of velocities: optical (c (λ − λ₀)/λ₀), radio (c (ν₀ − ν)/ν₀) or relativistic.
    """

    unit: str = ""
    quantity: Quantity = "channel"
    medium: str = ""
    rest: float | None = None
    convention: str = "optical"

    @property
    def factor(self) -> float:
        """How many SI units one is."""
        return quantity_of(self.unit)[1]


def scale_of(axis: SpectralAxis) -> Scale:
    """Return how the axis of a file counts."""
    rest = axis.rest
    if rest is not None and axis.rest_unit == "Hz":
        rest = C / rest
    quantity = axis.quantity
    try:
        # A unit that does not measure what the axis is said to be cannot be converted.
        quantity = quantity if quantity_of(axis.unit)[0] == quantity else "channel"
    except CommandError:
        quantity = "channel"
    return Scale(axis.unit, quantity, axis.medium, rest, axis.convention or "optical")


def convert_axis(values: Any, source: Scale, target: Scale) -> np.ndarray:
    """Convert values along a spectrum.

    Parameters
    ----------
    values : array_like
        In the unit of ``source``.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    CommandError
        When one counts channels and the other does not, or a velocity lacks its rest value.
    """
    values = np.asarray(values, dtype=float)
    if source.quantity == target.quantity and _same(source, target):
        ratio = source.factor / target.factor
        return values if ratio == 1.0 else values * ratio
    return _from_wavelength(_to_wavelength(values, source), target)


def _same(source: Scale, target: Scale) -> bool:
    """Whether only a factor lies between two scales of one quantity."""
    if source.quantity == "velocity":
        unknown = source.rest is None or target.rest is None
        return (unknown or source.rest == target.rest) and source.convention == target.convention
    if source.quantity == "wavelength":
        return (source.medium == "air") == (target.medium == "air")
    return True


def _to_wavelength(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Return wavelengths in vacuum, in m."""
    si = values * scale.factor
    with np.errstate(divide="ignore", invalid="ignore"):
        match scale.quantity:
            case "wavelength":
                return air_to_vacuum(si) if scale.medium == "air" else si
            case "frequency":
                return C / si
            case "energy":
                return H * C / si
            case "wavenumber":
                return 1.0 / si
            case "velocity":
                return _rest(scale) * _stretch(si / C, scale.convention)
    raise CommandError("This spectrum counts channels; it has no wavelengths that could be converted.")


def _from_wavelength(waves: np.ndarray, scale: Scale) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        match scale.quantity:
            case "wavelength":
                si = vacuum_to_air(waves) if scale.medium == "air" else waves
            case "frequency":
                si = C / waves
            case "energy":
                si = H * C / waves
            case "wavenumber":
                si = 1.0 / waves
            case "velocity":
                si = C * _beta(waves / _rest(scale), scale.convention)
            case _:
                raise CommandError("A spectrum with wavelengths cannot be shown by channel and wavelength at once.")
    return si / scale.factor


def _rest(scale: Scale) -> float:
    if scale.rest is None or not scale.rest > 0:
        raise CommandError("A velocity needs a rest wavelength or frequency; give one, such as rest=(656.46, 'nm').")
    return scale.rest


def _stretch(beta: np.ndarray, convention: str) -> np.ndarray:
    """Return λ/λ₀ of velocities in units of c (Greisen et al. 2006, A&A 446, 747, table 3)."""
    if convention == "optical":
        return 1.0 + beta
    if convention == "radio":
        return 1.0 / (1.0 - beta)
    return np.sqrt((1.0 + beta) / (1.0 - beta))


def _beta(stretch: np.ndarray, convention: str) -> np.ndarray:
    """Return velocities in units of c of λ/λ₀."""
    if convention == "optical":
        return stretch - 1.0
    if convention == "radio":
        return 1.0 - 1.0 / stretch
    square = stretch * stretch
    return (square - 1.0) / (square + 1.0)


# --- air and vacuum -------------------------------------------------------------------------------

SHORTEST_IN_AIR = 200e-9
"""Wavelengths (m, in vacuum) below which nobody gives them in air."""


def vacuum_to_air(vacuum: Any) -> np.ndarray:
    """Return wavelengths in air of those in vacuum, both in m.

    The refractive index is that of standard dry air at 15 °C with 450 ppm of CO₂ (Ciddor 1996, Applied Optics 35,
    1566, eq. 1), which line tables and spectrographs use. The index of FITS world coordinates (Greisen et al. 2006,
    eq. 65) is for 0 °C and would shift lines by 5 km/s. Below 200 nm wavelengths stay those in vacuum.
    """
    vacuum = np.asarray(vacuum, dtype=float)
    return np.where(vacuum < SHORTEST_IN_AIR, vacuum, vacuum / _index(vacuum))


def air_to_vacuum(air: Any) -> np.ndarray:
    """Return wavelengths in vacuum of those in air, both in m; the inverse of `vacuum_to_air` to 1e-14."""
    air = np.asarray(air, dtype=float)
    vacuum = air
    # The index hardly depends on the wavelength: each round gains four digits.
    for _ in range(4):
        vacuum = air * _index(vacuum)
    return np.where(vacuum < SHORTEST_IN_AIR, air, vacuum)


def _index(vacuum: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        square = 1.0 / np.square(np.maximum(vacuum * 1e6, 0.15))
    return 1.0 + 0.05792105 / (238.0185 - square) + 0.00167917 / (57.362 - square)

"""The spectral axis of a cube: which array axis it is, and what the channels stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

__all__ = ["Quantity", "SpectralAxis", "quantity_of_unit", "rest_of", "spectral_axis", "spectral_word"]

Quantity = Literal["wavelength", "frequency", "velocity", "energy", "wavenumber", "channel"]
Medium = Literal["vacuum", "air", ""]

# Papers III of the FITS WCS series (Greisen et al. 2006), and words that files use beside them.
_CODES: dict[str, Quantity] = {
    "WAVE": "wavelength", "AWAV": "wavelength", "LAMBDA": "wavelength", "WAVELENGTH": "wavelength",
    "FREQ": "frequency", "ENER": "energy", "WAVN": "wavenumber", "VRAD": "velocity", "VOPT": "velocity",
    "VELO": "velocity", "FELO": "velocity", "VELOCITY": "velocity", "ZOPT": "velocity", "BETA": "velocity",
}  # fmt: skip
_CONVENTIONS = {"VRAD": "radio", "VOPT": "optical", "ZOPT": "optical", "FELO": "optical", "VELO": "relativistic",
                "BETA": "relativistic", "FREQ": "radio"}  # fmt: skip
_PHYSICAL: dict[str, Quantity] = {
    "em.wl": "wavelength", "em.freq": "frequency", "em.energy": "energy", "em.wavenumber": "wavenumber",
    "spect.dopplerveloc": "velocity",
}  # fmt: skip
_KINDS: dict[str, Quantity] = {
    "length": "wavelength", "frequency": "frequency", "energy": "energy", "wavenumber": "wavenumber",
    "speed": "velocity",
}  # fmt: skip


_USUAL_UNITS = {"wavelength": "m", "frequency": "Hz", "velocity": "m/s", "energy": "J", "wavenumber": "1/m"}
"""Of axes without CUNIT (FITS WCS paper III, table 1)."""


@dataclass(frozen=True, eq=False)
class SpectralAxis:
    """What the channels of a cube stand for, in the unit of its file.

    Attributes
    ----------
    values : ndarray of float64, shape (n_channels,)
        Of the middle of each channel.
    unit : str
        As the file gives it, ``""`` for channel numbers and when the file gives none.
    quantity : str
        wavelength, frequency, velocity, energy, wavenumber or channel.
    array_axis : int
        Which axis of the array it is, in numpy order.
    medium : str
        Of wavelengths: "vacuum", "air", or "" when the file does not tell.
    rest : float or None
        Rest frequency in Hz or rest wavelength in m (``rest_unit``).
    convention : str
        Of velocities: radio, optical, relativistic or ""; frequencies are turned into radio ones.
    label : str
        The word of the file, ``"WAVE"``.
    notes : tuple of str
        What a user should know, such as a step of zero.
    """

    values: np.ndarray
    unit: str = ""
    quantity: Quantity = "channel"
    array_axis: int = 0
    medium: Medium = ""
    rest: float | None = None
    rest_unit: str = ""
    convention: str = ""
    label: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def rises(self) -> bool:
        """Whether values grow with the channel number."""
        return bool(self.values[-1] >= self.values[0])

    @property
    def reach(self) -> float:
        """The greater of the absolute values at its ends: for each frame nobody looks through ten million channels."""
        return float(np.abs(self.values[[0, -1]]).max())

    @cached_property
    def edges(self) -> np.ndarray:
        """Borders of the channels, shape (n_channels + 1,): half way between neighbours."""
        values = self.values
        if len(values) == 1:
            return np.array([values[0] - 0.5, values[0] + 0.5])
        between = (values[1:] + values[:-1]) / 2
        return np.concatenate([[2 * values[0] - between[0]], between, [2 * values[-1] - between[-1]]])

    @cached_property
    def widths(self) -> np.ndarray:
        """Widths of the channels, always positive, shape (n_channels,)."""
        return np.abs(np.diff(self.edges))

    def channel_of(self, value: float) -> float:
        """Return the channel number, with its fraction, at which a value lies; NaN outside of the axis."""
        edges = self.edges if self.rises else self.edges[::-1]
        position = float(np.interp(value, edges, np.arange(len(edges)) - 0.5, left=np.nan, right=np.nan))
        return position if self.rises else len(self) - 1 - position

    def shares(self, low: float, high: float) -> np.ndarray:
        """Return which share of each channel lies between two values: 0 to 1, shape (n_channels,).

        Channels that are cut by a border count in part, so that sums change smoothly with it.
        """
        low, high = min(low, high), max(low, high)
        left, right = np.minimum(self.edges[:-1], self.edges[1:]), np.maximum(self.edges[:-1], self.edges[1:])
        inside = np.minimum(right, high) - np.maximum(left, low)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(inside / (right - left), 0.0, 1.0)
        # A step of zero leaves channels without a width: they are in or out as a whole.
        return np.where(right > left, share, (self.values >= low) & (self.values <= high)).astype(float)

    def sliced(self, first: int, last: int) -> SpectralAxis:
        """Return the axis of the channels ``first`` to ``last`` (exclusive)."""
        from dataclasses import replace

        return replace(self, values=self.values[first:last])


def spectral_axis(header: Mapping[str, Any], wcs: Any, shape: tuple[int, ...]) -> SpectralAxis:
    """Find the spectral axis of a cube and the values of its channels.

    Parameters
    ----------
    header : mapping
        FITS keywords of the array; may be empty.
    wcs : object or None
        With the interface of APE 14, over the axes of ``shape``.
    shape : tuple of int
        Shape of the array in numpy order.

    Returns
    -------
    SpectralAxis
        Channel numbers (from 0) where there is nothing better, with a note that says so.
    """
    low = getattr(wcs, "low_level_wcs", wcs)
    if low is None or low.pixel_n_dim != len(shape):
        return _channels(shape, 0, "The file has no spectral coordinates; channels are numbered from 0.")
    world = _spectral_world(low)
    if world is None:
        return _without_type(header, low, shape)
    pixel = _pixel_axis(low, world)
    return _from_world(header, low, shape, world, pixel)


def axis_by_keywords(header: Mapping[str, Any], count: int) -> SpectralAxis | None:
    """Return a linear axis from its keywords alone, for files whose WCS is broken elsewhere; None without sound ones.

    Parameters
    ----------
    count : int
        Of the channels: NAXISn must be the same.
    """
    for n in range(1, 10):
        code = str(header.get(f"CTYPE{n}", "")).strip().upper()
        if code not in _CODES or header.get(f"NAXIS{n}") != count:
            continue
        step = header.get(f"CD{n}_{n}", header.get(f"CDELT{n}"))
        given = [header.get(f"CRVAL{n}"), step, header.get(f"CRPIX{n}", 1.0)]
        if not all(isinstance(v, int | float) and np.isfinite(v) for v in given) or given[1] == 0:
            return None
        value, step, pixel = map(float, given)  # type: ignore[arg-type]
        unit = str(header.get(f"CUNIT{n}", "")).strip() or _USUAL_UNITS.get(_CODES[code], "")
        if quantity_of_unit(unit) != _CODES[code]:
            return None
        rest, rest_unit = rest_of(header)
        note = "The WCS of the file cannot be used; channels follow from the keywords of their axis alone."
        return SpectralAxis(
            value + (np.arange(count) + 1 - pixel) * step, unit, _CODES[code], medium=_medium(code, "", header),
            rest=rest, rest_unit=rest_unit, convention=_CONVENTIONS.get(code, ""), label=code, notes=(note,),
        )  # fmt: skip
    return None


def spectral_word(ctype: str) -> bool:
    """Whether a CTYPE names a spectral coordinate."""
    return ctype.strip().upper().partition("-")[0] in _CODES


def _channels(shape: tuple[int, ...], axis: int, note: str) -> SpectralAxis:
    return SpectralAxis(np.arange(shape[axis], dtype=float), array_axis=axis, notes=(note,) if note else ())


def _code(low: Any, world: int) -> str:
    """Return the first word of CTYPE, or the name of a GWCS axis, in capitals."""
    if hasattr(low, "wcs"):
        return low.wcs.ctype[world].strip().upper().partition("-")[0]
    return str(low.world_axis_names[world] or "").strip().upper()


def _physical(low: Any, world: int) -> str:
    return str(low.world_axis_physical_types[world] or "").lower()


def _spectral_world(low: Any) -> int | None:
    for world in range(low.world_n_dim):
        physical = _physical(low, world)
        if any(physical.startswith(word) for word in _PHYSICAL) or _code(low, world) in _CODES:
            return world
    return None


def _pixel_axis(low: Any, world: int) -> int:
    """Return the pixel axis (x first) that a world axis runs along: the one no other world axis shares."""
    matrix = np.asarray(low.axis_correlation_matrix, bool)
    along = np.flatnonzero(matrix[world])
    alone = [axis for axis in along if matrix[:, axis].sum() == 1]
    return int((alone or list(along) or [low.pixel_n_dim - 1])[-1])


def _without_type(header: Mapping[str, Any], low: Any, shape: tuple[int, ...]) -> SpectralAxis:
    """Take the axis that is no celestial one, else the slowest, and its linear values if there are any."""
    matrix = np.asarray(low.axis_correlation_matrix, bool)
    celestial = [w for w in range(low.world_n_dim) if _physical(low, w).startswith("pos.")]
    taken = set(np.flatnonzero(matrix[celestial].any(axis=0))) if celestial else set()
    free = [axis for axis in range(low.pixel_n_dim) if axis not in taken]
    pixel = max(free) if free else low.pixel_n_dim - 1
    worlds = [w for w in np.flatnonzero(matrix[:, pixel]) if w not in celestial]
    if not worlds:
        return _channels(shape, len(shape) - 1 - pixel, "No axis is spectral; the slowest is taken, by channel number.")
    axis = _from_world(header, low, shape, int(worlds[0]), pixel)
    code = _code(low, int(worlds[0]))
    note = (
        f"Its third axis is {code} and no spectral one; its slices are shown along it as channels would be."
        if code and not code.startswith("LINEAR") else
        "The file does not say what its third axis is; it is taken as the spectral one."
    )  # fmt: skip
    from dataclasses import replace

    return replace(axis, notes=(note, *axis.notes))


def _from_world(header: Mapping[str, Any], low: Any, shape: tuple[int, ...], world: int, pixel: int) -> SpectralAxis:
    array_axis = len(shape) - 1 - pixel
    values = _along(low, shape, world, pixel)
    given, factor = _file_unit(header, low, world, pixel)
    notes = []
    code, physical = _code(low, world), _physical(low, world)
    if not np.isfinite(values).all():
        return _channels(shape, array_axis, "The spectral coordinates are not finite; channels are numbered from 0.")
    if len(values) > 1 and not np.ptp(values):
        return _channels(
            shape, array_axis, f"The step of the spectral axis ({code or 'third axis'}) is 0; channels are numbered."
        )
    if _zero_step(header, low, world):
        return _channels(
            shape, array_axis, f"CDELT{world + 1} is 0, so the channels have no coordinates; they are numbered."
        )
    values = values * factor
    if _is_log_linear(header):
        values, code = 10.0**values, code or "LAMBDA"
        notes.append("Wavelengths are stored as logarithms (DC-FLAG = 1).")
    quantity = _quantity(code, physical, given)
    if not given and quantity != "channel":
        notes.append(f"The file gives no unit for the {quantity} of its channels.")
    rest, rest_unit = rest_of(header)
    return SpectralAxis(
        values, given, quantity, array_axis, _medium(code, physical, header), rest, rest_unit,
        _CONVENTIONS.get(code, "") if quantity in ("velocity", "frequency") else "", code or physical, tuple(notes),
    )  # fmt: skip


def _along(low: Any, shape: tuple[int, ...], world: int, pixel: int) -> np.ndarray:
    """Evaluate a world axis along a pixel axis, through the middle of the others."""
    sizes = shape[::-1]
    positions = [np.full(sizes[pixel], (size - 1) / 2) for size in sizes]
    positions[pixel] = np.arange(sizes[pixel], dtype=float)
    values = low.pixel_to_world_values(*positions)
    return np.asarray(values if low.world_n_dim == 1 else values[world], dtype=float)


def _file_unit(header: Mapping[str, Any], low: Any, world: int, pixel: int) -> tuple[str, float]:
    """Return the unit of the file and the factor from the unit of the WCS (astropy turns lengths to m)."""
    from jviz.backend.units import parse_unit
    from jviz.backend.wcs import world_units

    spoken = world_units(low)[world]
    number = _header_axis(header, low, world)
    given = str(header.get(f"CUNIT{number}", "") or "").strip()
    if not given or not spoken:
        return given or spoken, 1.0
    wanted, present = parse_unit(given), parse_unit(spoken)
    try:
        return given, float(present.to(wanted))
    except Exception:  # units that astropy does not know, or not as each other
        return spoken, 1.0


def _header_axis(header: Mapping[str, Any], low: Any, world: int) -> int:
    """Return the number of the axis in the header: others may have been taken out of the WCS."""
    if hasattr(low, "wcs"):
        ctype = low.wcs.ctype[world].strip()
        for number in range(1, 10):
            if str(header.get(f"CTYPE{number}", "")).strip() == ctype and ctype:
                return number
    return world + 1


def _zero_step(header: Mapping[str, Any], low: Any, world: int) -> bool:
    number = _header_axis(header, low, world)
    step = header.get(f"CD{number}_{number}", header.get(f"CDELT{number}"))
    return isinstance(step, int | float) and step == 0


def _is_log_linear(header: Mapping[str, Any]) -> bool:
    """Whether IRAF's flag says that the linear axis counts log10 of the wavelength."""
    return header.get("DC-FLAG") in (1, "1")


def _quantity(code: str, physical: str, unit: str) -> Quantity:
    if code in _CODES:
        return _CODES[code]
    for word, quantity in _PHYSICAL.items():
        if physical.startswith(word):
            return quantity
    return quantity_of_unit(unit)


def quantity_of_unit(unit: str) -> Quantity:
    """Return what a unit measures along a spectrum; "channel" for a unit of something else, or none."""
    from jviz.backend.units import parse_unit

    known = parse_unit(unit)
    kinds = str(getattr(known, "physical_type", "")).split("/")
    return next((_KINDS[kind] for kind in kinds if kind in _KINDS), "channel")


def _medium(code: str, physical: str, header: Mapping[str, Any]) -> Medium:
    if code == "AWAV" or "obs.atmos" in physical:
        return "air"
    if code == "WAVE" or "JWST" in str(header.get("TELESCOP", "")):
        return "vacuum"
    # SDSS and MaNGA say it in words of their own.
    return {True: "vacuum", False: "air"}.get(header.get("VACUUM"), "")


def rest_of(header: Mapping[str, Any]) -> tuple[float | None, str]:
    """Return the rest value of a header and its unit: Hz or m."""
    for keyword, unit in (("RESTFRQ", "Hz"), ("RESTFREQ", "Hz"), ("RESTWAV", "m")):
        value = header.get(keyword)
        if isinstance(value, int | float) and value > 0:
            return float(value), unit
    return None, ""

"""New cubes worked out of others: their values, axis, WCS and header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from jviz.backend.cubes.beams import Beams
from jviz.backend.cubes.grids import cube_cards, moved_wcs
from jviz.backend.io.product import Plane, Product, Unit, WcsResult
from jviz.backend.progress import Progress
from jviz.backend.room import let_go, room
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.units import is_brightness, parse_unit
from jviz.beams import beam_cards, beam_planes, beams_of
from jviz.cube_copies import copy_of
from jviz.cube_measuring import CubeMeasure
from jviz.data import Cube, from_product
from jviz.errors import CommandError
from jviz.pictures import cards_for, cards_kept
from jviz.spectral import VELDEFS

__all__ = ["VALUES", "NewCube", "Work", "by_channels", "by_rows", "channel_beams", "cube_from", "cut_out"]

VALUES = 1 << 21
"""Values worked on at a time."""

READ = 1 << 22
"""Values of whole spectra that are read at a time: few rows of every channel are short reads all over a file."""

Work = Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray | None]]
"""Takes values and variances of a part, channels first, and gives new ones."""


class NewCube:
    """A cube to be filled, with its errors where the old one has them.

    Parameters
    ----------
    measure : CubeMeasure
        Reads the old one.
    shape : (int, int, int)
        Channels, rows and columns of the new one; those of the old by default.
    error : bool, optional
        Whether it has errors; as the old one by default.

    Attributes
    ----------
    has_values : bool
        Whether a finite one is among those that were put in.
    """

    def __init__(
        self, measure: CubeMeasure, shape: tuple[int, int, int] | None = None, *, error: bool | None = None
    ) -> None:
        self.measure, self.cube = measure, measure.cube
        self.shape = shape or measure.source.shape
        kind = np.float64 if measure.source.dtype == np.float64 else np.float32
        self.values = room(self.shape, kind, windowed=True)
        known = measure.variance is not None if error is None else error
        self.error = room(self.shape, kind, windowed=True) if known else None
        self.has_values = False

    def put(self, where: Any, values: np.ndarray, variance: np.ndarray | None) -> None:
        """Store a part."""
        self.values[where] = values
        self.has_values = self.has_values or bool(np.isfinite(values).any())
        if self.error is not None:
            with np.errstate(invalid="ignore"):
                self.error[where] = np.nan if variance is None else np.sqrt(variance)
        # Else a result as large as the disk would seem to be as large as the memory.
        let_go(self.values, self.error)

    def made(self, name: str, what: str, **more: Any) -> Cube:
        """Return the data; see `cube_from`.

        Raises
        ------
        CommandError
            When not one value is finite: nothing would be seen, and nobody told why.
        """
        if not self.has_values:
            raise CommandError(
                f"Nothing would be left of {self.cube.name}: all values that go into the result are missing (NaN), "
                "infinite or flagged. Choose another part of the cube, or leave out fewer flags (exclude_flags)."
            )
        if self.measure.source.factors is not None:
            more.setdefault("beams", np.tile(beams_of(self.cube).reference, (self.shape[0], 1)))  # type: ignore[union-attr]
        return cube_from(self.cube, self.values, self.error, name, what + self.measure.of_beams, **more)


def cut_out(
    measure: CubeMeasure, where: tuple[slice, slice, slice], name: str, what: str, progress: Progress
) -> Cube:
    """Make a cube of a part of one, with its errors and flags as they are.

    Parameters
    ----------
    where : (slice, slice, slice)
        Channels, rows and columns, with both ends.
    what : str
        One line of its history.
    """
    channels, rows, columns = where
    cube, new = measure.cube, NewCube(measure, tuple(part.stop - part.start for part in where))  # type: ignore[arg-type]
    n, ny, nx = new.shape
    step = max(1, VALUES // (ny * nx))
    for first in range(0, n, step):
        progress(first, n, "cutting out")
        last = min(first + step, n)
        part = slice(channels.start + first, channels.start + last)
        new.put(slice(first, last), *read(measure, (part, rows, columns)))
    flags = cube.product.plane("flags")
    if flags is not None and flags.shape == cube.plane().shape:
        flags = _cut_plane(flags, where, new.shape)
    wcs = moved_wcs(cube.wcs, (1, 1, 1), (channels.start, rows.start, columns.start))
    return new.made(name, what, axis=measure.axis.sliced(channels.start, channels.stop), wcs=wcs, flags=flags,
                    beams=channel_beams(cube, channels))  # fmt: skip


def _cut_plane(plane: Plane, where: tuple[slice, ...], shape: tuple[int, ...]) -> Plane:
    return replace(plane, shape=shape, load=lambda progress: plane.raw(progress)[where], identity=None, _raw=None)


def read(measure: CubeMeasure, where: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return values (float64, NaN where flagged) and variances of a part."""
    values = measure.source.read(*where, dtype=np.dtype(np.float64))
    return values, None if measure.variance is None else measure.variance(*where)


def by_rows(new: NewCube, work: Work, doing: str, progress: Progress, channels: slice = slice(None)) -> None:
    """Fill a cube of the same rows and columns from whole spectra, some rows at a time."""
    n, ny, nx = new.measure.source.shape
    few, many = (max(1, size // (n * nx)) for size in (VALUES, READ))
    for first in range(0, ny, many):
        last = min(first + many, ny)
        progress(first, ny, doing)
        values, variance = _spectra(new.measure, channels, slice(first, last))
        for row in range(first, last, few):
            progress(row, ny, doing)
            there, part = slice(row, min(row + few, last)), slice(row - first, min(row + few, last) - first)
            new.put((slice(None), there), *work(values[:, part], None if variance is None else variance[:, part]))


def _spectra(measure: CubeMeasure, channels: slice, rows: slice) -> tuple[np.ndarray, np.ndarray | None]:
    """Read whole spectra: from the copy of the cube, in which they lie in one piece, where it has all digits."""
    as_filed = not measure.bits and measure.source.factors is None and measure.source.dtype == np.float32
    store = copy_of(measure.cube) if as_filed else None
    if store is None:
        return read(measure, (channels, rows, slice(None)))
    values = np.ascontiguousarray(np.moveaxis(store.spectra[rows], 2, 0)[channels], np.float64)
    let_go(store.spectra)
    return values, None if measure.variance is None else measure.variance(channels, rows, slice(None))


def by_channels(new: NewCube, work: Work, doing: str, progress: Progress, step: int = 0) -> None:
    """Fill a cube of the same channels from whole channels, some at a time."""
    n, ny, nx = new.measure.source.shape
    step = step or max(1, VALUES // (ny * nx))
    for first in range(0, n, step):
        progress(first, n, doing)
        channels = slice(first, min(first + step, n))
        new.put(channels, *work(*read(new.measure, (channels, slice(None), slice(None)))))


def cube_from(
    like: Cube,
    values: np.ndarray,
    error: np.ndarray | None,
    name: str,
    what: str,
    *,
    axis: SpectralAxis | None = None,
    wcs: Any = ...,
    unit: str | None = None,
    flags: Plane | None = None,
    beams: np.ndarray | None = None,
    without: tuple[str, ...] = (),
) -> Cube:
    """Make data of a cube with its channels first.

    Parameters
    ----------
    like : Cube
        Whose header is kept.
    what : str
        One line of its history.
    axis : SpectralAxis, optional
        Of the new channels; that of ``like`` by default.
    wcs : WCS or None, optional
        Of the new array; that of ``like`` by default.
    unit : str, optional
    flags : Plane, optional
        Data quality of the same shape.
    beams : ndarray of shape (n_channels, 3), optional
        Of the new channels; those of ``like`` by default, where it has as many.
    without : tuple of str
        Keywords that are not true any more.
    """
    axis, unit = like.axis if axis is None else axis, like.unit if unit is None else unit
    wcs = like.wcs if wcs is ... else wcs
    planes = {"SCI": _plane("SCI", values, "data", unit)}
    if error is not None:
        planes["ERR"] = _plane("ERR", error, "error", unit)
    if flags is not None and flags.shape == values.shape:
        planes["DQ"] = replace(flags, name="DQ")
    if not hasattr(wcs, "to_header") or not axis_is_linear(axis):
        planes["WAVELENGTH"] = _plane("WAVELENGTH", axis.values, "other", axis.unit)
    beams = beams if beams is not None else channel_beams(like, slice(None))
    if beams is not None and len(beams) == len(axis):
        planes |= beam_planes(beams)
        without = (*without, "BMAJ", "BMIN", "BPA")
    place = cube_cards(cards_for(wcs), wcs, axis)
    if "WAVELENGTH" in planes:
        place = [*place, *(card for card in _said_of_table(axis) if card[0] not in {c[0] for c in place})]
    known = {keyword for keyword, _, _ in place} | set(without)
    kept = [card for card in cards_kept(like) if card[0] not in known]
    bunit = [("BUNIT", unit, "unit of the values")] if unit else []
    one = Beams.of(beams) if beams is not None else None
    beam = beam_cards(one.reference) if one is not None and not one.differ else ()
    cards = (*kept, *bunit, *beam, *place, ("HISTORY", f"jviz: {what}", ""))
    header = Unit(0, "SCI", 1, "cube made in jviz", values.shape, values.dtype.name, unit, cards)
    product = Product("cube", name, like.label, planes=planes, units=(header,), flags=like.product.flags)
    if wcs is not None:
        product.load_wcs = lambda: WcsResult(wcs)
    made = from_product(product, name)
    assert isinstance(made, Cube)
    made._axis = replace(axis, array_axis=0)
    return made


def _said_of_table(axis: SpectralAxis) -> list[tuple[str, Any, str]]:
    """Return the cards that say of a table of channels what a CTYPE would."""
    cards: list[tuple[str, Any, str]] = []
    if axis.quantity == "wavelength" and axis.medium:
        cards.append(("VACUUM", axis.medium == "vacuum", "medium of the wavelengths"))
    if axis.rest is not None:
        cards.append(("RESTFRQ" if axis.rest_unit == "Hz" else "RESTWAV", axis.rest, f"[{axis.rest_unit}]"))
    if axis.quantity == "velocity":
        cards += [("VELDEF", key, "velocities") for key, name in VELDEFS.items() if name == axis.convention]
    return cards


def is_summed(unit: str) -> bool:
    """Return whether values of a unit add up where spaxels are joined: fluxes and counts do.

    Surface brightness, temperatures and what has no unit (ratios, optical depths, S/N) are averaged: their values stay.
    """
    known = parse_unit(unit)
    return not (is_brightness(unit) or (known is not None and not known.bases))


def channel_beams(cube: Cube, channels: slice) -> np.ndarray | None:
    """Return the beams of channels of a cube that has one for each, shape (n_channels, 3)."""
    beams = beams_of(cube)
    return None if beams is None or len(beams) != cube.shape[0] else beams.table[channels]


def axis_is_linear(axis: SpectralAxis) -> bool:
    """Whether channels are equally wide to a thousandth of a channel over the whole axis."""
    values = axis.values
    if len(values) < 3:
        return True
    line = np.linspace(values[0], values[-1], len(values))
    return bool(np.abs(values - line).max() <= 1e-3 * np.abs(values[-1] - values[0]) / (len(values) - 1))


def _plane(name: str, values: np.ndarray, meaning: Any, unit: str) -> Plane:
    return Plane(name, values.shape, values.dtype, lambda progress: values, meaning, unit)

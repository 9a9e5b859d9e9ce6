"""Commands on data quality flags: draw them, find their pixels, leave them out of measurements."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from jviz.actions.layer import layer_of, layered
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.errors import CommandError
from jviz.flags import (
    Flag,
    as_bits,
    bits_of,
    flag_counts,
    flags_plane,
    known_flags,
    matching,
    next_flagged,
    shown_bits,
    slice_of,
)
from jviz.geometry import geometry_of
from jviz.running import Apply
from jviz.session import Session
from jviz.subsets import Subset, next_color
from jviz.views import ImageLayer, ImageView

MENU = "Image/Data Quality"
CLOSE = 8.0
"""Screen pixels per data pixel at which single pixels are looked at."""

Names = str | list[str]


def flagged(session: Session, view: ImageView | None, layer: int | None) -> tuple[ImageView, ImageLayer]:
    """Return a view and a layer of it that has flags."""
    view = layered(session, view)
    found = layer_of(view, layer)
    if flags_plane(found) is None:
        raise CommandError(
            f"{found.data.name} has no data quality flags for the plane shown; open a file with a DQ extension."
        )
    return view, found


@command("dq.overlay", title="Data Quality Overlay", menu=MENU, shortcut="Q", needs="image", group="see",
         icon="fa6s.flag")  # fmt: skip
def overlay(
    session: Session,
    flags: Names | None = None,
    on: bool | None = None,
    opacity: float | None = None,
    layer: int | None = None,
    view: ImageView | None = None,
) -> None:
    """Draw the data quality flags over an image, each in its colour, or take them away.

    Parameters
    ----------
    flags : str or list of str, optional
        Names (``"SATURATED"``) or bits (``"bit 13"``) to draw; ``"all"`` draws every one.
    on : bool, optional
        By default, draws them when they are not drawn or flags are named, else takes them away.
    opacity : float, optional
        0 to 1.
    layer : int, optional
        Its number from the bottom, from 0; the active one by default.
    """
    view, found = flagged(session, view, layer)
    values: dict[str, Any] = {"dq": (flags is not None or not found.dq) if on is None else on}
    if flags is not None:
        values["dq_bits"] = None if flags == "all" else _numbers(bits_of(found.data, flags))
    if opacity is not None:
        values["dq_opacity"] = opacity
    found.update(**values)


@command("dq.color", title="Colour of a Flag…", menu=MENU, needs="image", group="see")
def color(
    session: Session, flag: str, color: str = "#ff8800", layer: int | None = None, view: ImageView | None = None
) -> None:
    """Draw a flag in another colour.

    Parameters
    ----------
    flag : str
        Its name, or ``"bit 13"``.
    color : str
        ``"#rrggbb"``
    """
    _, found = flagged(session, view, layer)
    bits = dict.fromkeys(_numbers(bits_of(found.data, flag)), color)
    found.dq_colors = tuple((dict(found.dq_colors) | bits).items())


@command("dq.exclude", title="Leave Flags out of Measurements…", menu=MENU, needs="image", group="use")
def exclude(session: Session, flags: Names = "DO_NOT_USE", view: ImageView | None = None) -> None:
    """Choose flags whose pixels measurements in a view leave out, in place of those chosen before.

    Parameters
    ----------
    flags : str or list of str
        Names; ``""`` leaves no pixel out.
    """
    view = layered(session, view)
    names = [name for name in ([flags] if isinstance(flags, str) else flags) if name]
    bits = bits_of(view.layer.data, names)
    view.exclude_flags = tuple(flag.name for flag in known_flags(view.layer.data) if bits >> flag.bit & 1)


@command("dq.count", title="Count Flags", menu=MENU, needs="image", group="use", icon="fa6s.list-ol", job=True)
def count(session: Session, layer: int | None = None, view: ImageView | None = None, *, progress: Progress) -> Any:
    """Make a table of the flags of an image: how many pixels of the slice shown have each.

    Returns
    -------
    astropy.table.Table
        Columns flag, bit, pixels, share (per cent) and meaning, for flags that are set somewhere.
    """
    from astropy.table import Table

    _, found = flagged(session, view, layer)
    counts = flag_counts(found, progress)
    shape = flags_plane(found).shape
    total = shape[-1] * shape[-2]
    flags = {bit: Flag(bit, f"bit {bit}", "not defined") for bit in range(32)}
    flags |= {flag.bit: flag for flag in known_flags(found.data)}
    set_ = [(flags[bit], int(n)) for bit, n in enumerate(counts[:-1]) if n]
    rows = [(flag.name, flag.bit, n, 100 * n / total, flag.description) for flag, n in set_]
    names = ("flag", "bit", "pixels", "share", "meaning")
    table = Table(rows=rows, names=names) if rows else Table(names=names, dtype=(str, int, int, float, str))
    table["share"].unit = "%"
    table["share"].format = ".3f"
    table.meta["name"] = f"Flags of {found.data.name}"
    return table


@command("dq.subset", title="Subset of Flagged Pixels…", menu=MENU, needs="image", group="use", job=True)
def subset(
    session: Session,
    flags: Names = "all",
    match: Literal["any", "all", "exact", "none"] = "any",
    name: str | None = None,
    layer: int | None = None,
    view: ImageView | None = None,
    *,
    progress: Progress,
) -> Apply:
    """Make a subset of the pixels that have flags.

    Parameters
    ----------
    flags : str or list of str
        Names or ``"bit 13"``; ``"all"``: every flag.
    match : {"any", "all", "exact", "none"}
        Pixels with any of them, all of them, exactly these and no others, or none of them.
    name : str, optional
        Of the subset; one of that name is replaced.
    """
    _, found = flagged(session, view, layer)
    bits = 0xFFFFFFFF if flags == "all" else bits_of(found.data, flags)
    label = "any flag" if flags == "all" else " ".join([flags] if isinstance(flags, str) else flags)
    words = {"any": "", "all": "all of ", "exact": "only ", "none": "without "}[match]
    return _as_subset(session, found, bits, match, name or f"{words}{label}", progress)


@command("dq.find", title="Find Pixels with the Same Flags", menu=MENU, needs="image", group="use", job=True,
         icon="fa6s.magnifying-glass")  # fmt: skip
def find(
    session: Session,
    x: float | None = None,
    y: float | None = None,
    name: str | None = None,
    layer: int | None = None,
    view: ImageView | None = None,
    *,
    progress: Progress,
) -> Apply:
    """Make a subset of all pixels that have exactly the flags of one pixel.

    Parameters
    ----------
    x, y : float, optional
        The place in pixels of the view's first layer; the middle of the view by default.
    name : str, optional
        Of the subset; by default the names of the flags.
    """
    view, found = flagged(session, view, layer)
    if x is None or y is None:
        x, y = (float(n) for n in geometry_of(view).centre)
    plane, at = flags_plane(found), _across(view, view.layers[0], found, x, y)
    column, row = (math.floor(n + 0.5) if math.isfinite(n) else -1 for n in at)
    if not (0 <= column < plane.shape[-1] and 0 <= row < plane.shape[-2]):
        raise CommandError(f"Pixel ({column}, {row}) is not on {found.data.name}; point at one that is.")
    value = int(as_bits(plane.read((*slice_of(found, plane), slice(row, row + 1)), progress=progress))[0, column])
    if not value:
        raise CommandError(f"Pixel ({column}, {row}) of {found.data.name} has no flags; point at one that has.")
    apply = _as_subset(session, found, value, "exact", name or f"like ({column}, {row})", progress)
    apply.recorded.update(x=x, y=y)
    return apply


@command("dq.next", title="Next Flagged Pixel", menu=MENU, shortcut="Ctrl+K", needs="image", group="step",
         icon="fa6s.arrow-right", merges=True, job=True)  # fmt: skip
def next_pixel(
    session: Session, flags: Names | None = None, layer: int | None = None, view: ImageView | None = None,
    *, progress: Progress,
) -> Apply:  # fmt: skip
    """Centre the view on the next flagged pixel, row by row from the bottom.

    Parameters
    ----------
    flags : str or list of str, optional
        Which count; those drawn by default.
    """
    return _step(session, flags, layer, view, progress, back=False)


@command("dq.previous", title="Previous Flagged Pixel", menu=MENU, shortcut="Ctrl+Shift+K", needs="image", group="step",
         icon="fa6s.arrow-left", merges=True, job=True)  # fmt: skip
def previous_pixel(
    session: Session, flags: Names | None = None, layer: int | None = None, view: ImageView | None = None,
    *, progress: Progress,
) -> Apply:  # fmt: skip
    """Centre the view on the flagged pixel before."""
    return _step(session, flags, layer, view, progress, back=True)


def _numbers(bits: int) -> tuple[int, ...]:
    return tuple(bit for bit in range(32) if bits >> bit & 1)


def _as_subset(session: Session, layer: ImageLayer, bits: int, match: Any, name: str, progress: Progress) -> Apply:
    """Read all flags (in the job) and leave the making of the subset to the session's thread."""
    plane, data = flags_plane(layer), layer.data
    mask = np.empty(plane.shape, bool)
    for number, place in enumerate(places := list(np.ndindex(*plane.shape[:-2], -(-plane.shape[-2] // 512)))):
        progress(number, len(places), "Reading flags")
        part = (*place[:-1], slice(512 * place[-1], 512 * (place[-1] + 1)))
        mask[part] = matching(plane.read(part, progress=progress), bits, match)
    if plane.shape != data.shape:
        mask = np.broadcast_to(mask.reshape(plane.shape[-2:]) if mask.ndim > len(data.shape) else mask, data.shape)
    if not mask.any():
        raise CommandError(f"No pixel of {data.name} is so flagged, so there is no subset {name!r}.")

    def make() -> Subset:
        old = session.subsets.get(name) or Subset(name, mask, data, color=next_color(session.subsets))
        made = old.but(region=mask, data=data)
        session.set_subsets({**session.subsets, name: made})
        session.notice("status", f"{name}: {np.count_nonzero(mask):,} pixels")
        return made

    return Apply(make, recorded={"name": name})


def _centre(view: ImageView, layer: ImageLayer) -> tuple[float, float]:
    """Return the middle of a view in pixels of a layer."""
    return _across(view, view.layers[0], layer, *geometry_of(view).centre)


def _across(view: ImageView, first: ImageLayer, second: ImageLayer, x: float, y: float) -> tuple[float, float]:
    """Turn a place on one layer into that on another, as the view aligns them."""
    if first.data is second.data or view.align != "sky" or first.data.sky is None or second.data.sky is None:
        return float(x), float(y)
    there = second.data.sky.sky_to_pixel(*first.data.sky.pixel_to_sky(np.array([x]), np.array([y])))
    return float(there[0][0]), float(there[1][0])


def _step(
    session: Session, flags: Names | None, layer: int | None, view: ImageView | None, progress: Progress, *, back: bool
) -> Apply:
    view, found = flagged(session, view, layer)
    bits = shown_bits(found) if flags is None else 0xFFFFFFFF if flags == "all" else bits_of(found.data, flags)
    x, y = _centre(view, found)
    place = next_flagged(found, bits, math.floor(x + 0.5), math.floor(y + 0.5), back=back, progress=progress)
    if place is None:
        raise CommandError(f"No pixel of {found.data.name} has such a flag.")
    centre = _across(view, found, view.layers[0], *place)

    def go() -> None:
        scale = geometry_of(view).scale
        view.update(centre=centre, scale=scale if scale >= CLOSE / 2 else CLOSE)
        session.interaction.point_at(view, *centre)

    return Apply(go)

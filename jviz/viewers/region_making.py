"""Regions from shapes that were drawn: on sky or pixels, new or combined with the selected one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from jviz.backend.regions.converting import combined
from jviz.errors import CommandError
from jviz.subsets import Subset, next_color
from jviz.viewers.region_grids import new_region
from jviz.viewers.region_shapes import Shape
from jviz.viewers.region_steps import add_regions, change_regions, free_region_name, selected_regions

__all__ = ["make_region", "mode_of", "preview_region"]

STEMS = {
    "ellipse_annulus": "Elliptical Annulus",
    "rectangle_annulus": "Rectangular Annulus",
}

AREAS = ("circle", "annulus", "ellipse", "ellipse_annulus", "rectangle", "rectangle_annulus", "polygon")


def mode_of(interaction: Any, held: Qt.KeyboardModifier) -> str:
    """Say what becomes of a drawn region: Ctrl adds, Alt cuts, Ctrl+Shift is "and", Ctrl+Alt "xor"."""
    ctrl = bool(held & Qt.KeyboardModifier.ControlModifier)
    alt = bool(held & Qt.KeyboardModifier.AltModifier)
    shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
    if ctrl and alt:
        return "xor"
    if ctrl:
        return "and" if shift else "or"
    return "andnot" if alt else interaction.region_mode


def preview_region(viewer: Any, place: Any, shape: Shape | None, held: Qt.KeyboardModifier) -> None:
    """Let live spectra follow a region while it is drawn, in the name and colour that it will have; None: no more."""
    session, region = viewer.session, None
    on_sky = session.interaction.region_system == "sky"
    known = not on_sky or getattr(place.data, "wcs_ready", True)
    mode = mode_of(session.interaction, held)
    if shape is not None and shape.kind in AREAS and known and _is_new(session, shape, mode):
        region = _subset(session, place, shape)
    session.cube_spectra.preview(region)


def make_region(viewer: Any, place: Any, shape: Shape, held: Qt.KeyboardModifier) -> None:
    """Make a region of a shape in pixels of a view, as one step, and select it.

    One that is to lie on the sky waits until the sky of the image, which takes a moment to read, is at hand.
    """
    session, data = viewer.session, place.data
    mode = mode_of(session.interaction, held)
    if session.interaction.region_system == "pixel" or getattr(data, "wcs_ready", True):
        _make(session, place, shape, mode)
        return

    def work(job: Any) -> None:
        sky = data.sky
        session.dispatcher.call(lambda: data in session.data and _make(session, place._replace(sky=sky), shape, mode))

    session.notice("status", f"The region appears as soon as the place of {data.name} on the sky is known.")
    session.jobs.submit(f"Sky of {data.name}", work, quiet=True, urgent=True)


def _target(session: Any, shape: Shape) -> Subset | None:
    """Return the selected region that a drawn one may be combined with."""
    chosen = selected_regions(session, unlocked=True)
    return chosen[-1] if chosen and shape.kind in AREAS else None


def _is_new(session: Any, shape: Shape, mode: str) -> bool:
    return mode == "new" or _target(session, shape) is None


def _subset(session: Any, place: Any, shape: Shape) -> Subset:
    region = new_region(shape, place.sky, on_sky=session.interaction.region_system == "sky")
    name = free_region_name(STEMS.get(shape.kind, shape.kind.capitalize()), session.subsets)
    data = None if "Sky" in type(region).__name__ else place.data
    return Subset(name, region, data, color=next_color(session.subsets))


def _make(session: Any, place: Any, shape: Shape, mode: str) -> None:
    if _is_new(session, shape, mode):
        add_regions(session, [_subset(session, place, shape)])
        return
    try:
        _change(session, _target(session, shape), shape, place, mode)
    except CommandError as error:
        session.notice("error", str(error))


def _change(session: Any, target: Subset, shape: Shape, place: Any, mode: str) -> None:
    drawn = new_region(shape, place.sky, on_sky=target.kind == "sky")
    is_sky = "Sky" in type(drawn).__name__
    if is_sky != (target.kind == "sky") or (target.kind == "pixel" and target.data not in (None, place.data)):
        raise CommandError(
            f"{target.name} lies on {'the sky' if target.kind == 'sky' else 'the pixels of another image'}, which "
            f"{place.data.name} does not have; draw on an image that it lies on."
        )
    region = drawn if mode == "replace" else combined(target.region, drawn, mode)
    after = target.but(region=region)
    change_regions(session, {target.name: target}, {target.name: after}, f"Combine {target.name}")
    session.interaction.select([target.name])

"""What an image view still lacks to be exact: pieces of images, limits, the sky.

A viewer has them fetched by jobs, a saved picture waits for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jviz.backend.coords import angle_text
from jviz.backend.progress import Progress, silent
from jviz.backend.render.blocks import Block, cut
from jviz.backend.render.mesh import Bounds
from jviz.backend.render.stretch import stretch
from jviz.backend.render.warp import gap, warps
from jviz.errors import JvizError
from jviz.geometry import Geometry
from jviz.viewers.image_layers import Compositor, is_flags, overlaid_flags, placed, raster_of, rough_raster_of
from jviz.viewers.image_places import picture_size, placed_data
from jviz.views import ImageLayer, ImageView

__all__ = ["BlockNeed", "CurveNeed", "LimitsNeed", "SkyNeed", "WarpNeed", "fulfil", "missing"]


@dataclass(frozen=True)
class BlockNeed:
    """A sharper piece of a raster. ``group``: of needs with the same one only the newest matters."""

    raster: Any
    request: Any
    slot: str = "main"

    @property
    def group(self) -> tuple:
        return ("block", id(self.raster), self.slot)

    @property
    def outdates(self) -> bool:
        """Whether it is not worth ending once nobody wants it: a picture that is worked out of many slices."""
        return getattr(self.raster, "outdates", False)

    def run(self, progress: Progress) -> Any:
        """Fetch it (in any thread)."""
        return self.raster.fetch(self.request, progress)

    def apply(self, value: Any) -> None:
        """Use it (in the thread of the view); the raster has kept it already."""


@dataclass(frozen=True)
class SkyNeed:
    """The sky map of data."""

    data: Any

    @property
    def group(self) -> tuple:
        return ("sky", id(self.data))

    def run(self, progress: Progress) -> Any:
        sky = self.data.sky
        getattr(self.data, "axis", None)  # of cubes; it comes from the same WCS
        return sky

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about the WCS; nothing when the file just has none."""
        axis = getattr(self.data, "axis", None)
        way_out = "“Cube ▸ Spectral Axis…” says once and for all what it is."
        unclear = [f"{note} {way_out}" for note in getattr(axis, "notes", ())
                   if axis.quantity == "channel" or not axis.unit]  # fmt: skip
        return tuple(f"{self.data.name}: {text}" for text in (*self.data.wcs_notes, *unclear))

    @property
    def unclear(self) -> tuple[Any, ...]:
        """The cube, when nobody has said yet what its spectral axis is."""
        from jviz.cube_choice import is_unclear

        return (self.data,) if is_unclear(self.data) else ()

    def apply(self, value: Any) -> None:
        """The data have kept it already."""


OF_ALL = ("minmax", "percentile")
"""Limits that a sample gives roughly at first, and all pixels exactly."""


@dataclass(frozen=True)
class WarpNeed:
    """The grid on which a layer is placed through the sky while the view moves."""

    first: Any
    sky: Any
    base: str
    name: str
    others: tuple[Any, ...] = field(default=(), compare=False)
    """The data of layers between the two: a tile of a mosaic may lie beside one of them."""
    notes: list[str] = field(default_factory=list, compare=False)
    """That the layer lies elsewhere on the sky, once that is found out."""

    @property
    def group(self) -> tuple:
        return ("warp", id(self.first), id(self.sky))

    def run(self, progress: Progress) -> Any:
        away = gap(self.first, self.sky)
        skies = (getattr(other, "sky", None) for other in reversed(self.others) if other is not None)
        if away and all(gap(sky, self.sky) for sky in skies if sky is not None):
            self.notes.append(
                f"{self.name} lies more than {angle_text(3600 * away, 2, mas=False)} away from {self.base} on the sky: "
                "nothing of it is in sight here. “Image ▸ Layers ▸ Align Layers by…” can lay it on the pixels instead; "
                "or show it in a viewer of its own."
            )
        return warps.work_out(self.first, self.sky)

    def apply(self, value: Any) -> None:
        warps.keep(self.first, self.sky, value)


@dataclass(frozen=True)
class LimitsNeed:
    """Display limits of a layer, of all pixels or of those within ``bounds``."""

    layer: ImageLayer
    asked: tuple
    memory: Any
    block: Block | None = None
    bounds: Bounds | None = None
    counted: bool = False
    rough: Any = None
    """Raster of a first look, to take them from meanwhile."""

    @property
    def seen(self) -> tuple:
        """Return what the limits depend on: for those of the whole image, whether all pixels are known."""
        return (self.asked, self.block, self.bounds, self.counted)

    @property
    def group(self) -> tuple:
        return ("limits", id(self.layer))

    def run(self, progress: Progress, *, exact: bool = False) -> tuple[float, float]:
        if self.block is not None and self.bounds is not None:
            return limits_in_sight(self.layer, self.block, self.bounds)
        if self.rough is not None:
            found = self.layer.data.limits_of(
                self.rough, self.layer.limits_mode, percentiles=self.layer.percentiles, exact=False
            )
            narrowed = getattr(self.layer, "sensible_limits", None)
            return found if narrowed is None else narrowed(found)
        return self.layer.computed_limits(exact=exact)

    def apply(self, value: tuple[float, float]) -> None:
        if asked_limits(self.layer) == self.asked:
            self.memory.seen = self.seen
            self.layer.shown_limits = value


@dataclass(frozen=True)
class CurveNeed:
    """The histogram stretch of a layer for some limits."""

    memory: Any
    raster: Any
    limits: tuple[float, float]

    @property
    def group(self) -> tuple:
        return ("curve", id(self.memory))

    def run(self, progress: Progress) -> Any:
        return stretch("histogram", sample=self.raster.sample(), low=self.limits[0], high=self.limits[1])

    def apply(self, value: Any) -> None:
        self.memory.curve, self.memory.curve_for = value, (self.raster, self.limits)


Need = BlockNeed | SkyNeed | WarpNeed | LimitsNeed | CurveNeed


def asked_limits(layer: ImageLayer) -> tuple:
    """Return all that the limits of a layer depend on."""
    shown = (*layer.limits_key, layer.operation, layer.against)
    return (*shown, layer.limits_mode, layer.limits_from, layer.percentiles)


def limits_in_sight(layer: ImageLayer, block: Block, bounds: Bounds) -> tuple[float, float]:
    """Work out limits of the samples of a block within bounds in data pixels."""
    from jviz.backend.render.limits import limits

    x0, y0, x1, y1 = cut(bounds, block.extent)
    left, top = (int((edge - zero) / block.step + 0.5) for edge, zero in ((x0, block.x0), (y0, block.y0)))
    right, bottom = (int(np.ceil((edge - zero) / block.step + 0.5)) for edge, zero in ((x1, block.x0), (y1, block.y0)))
    part = block.data[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
    # Enough for percentiles to a fraction of a per cent, and a few milliseconds.
    step = max(1, int(np.sqrt(part.size / 200_000)))
    options = {}
    if layer.limits_mode == "percentile":
        options = dict(zip(("low", "high"), layer.percentiles, strict=True))
    part = part if layer.limits_mode == "minmax" else part[::step, ::step]
    return limits(part + np.float64(block.offset) if block.offset else part, layer.limits_mode, **options)


def missing(
    view: ImageView,
    geometry: Geometry,
    ratio: float,
    compositor: Compositor,
    *,
    settled: bool = True,
    slot: str = "main",
) -> Iterator[Need]:
    """List what would make a picture better, the most urgent first.

    Parameters
    ----------
    settled : bool
        Whether the view rests; limits of the pixels in sight wait for that.
    slot : str
        Which of the viewer's pictures it is; insets lack pieces of images only.
    """
    for layer in view.wanted:
        yield from _of_layer(view, layer, geometry, ratio, compositor, settled, slot)
    if slot != "main":
        return
    everything = dict.fromkeys((*(layer.data for layer in view.layers), *(layer.against for layer in view.layers)))
    for data in everything:
        if data is not None and not getattr(data, "wcs_ready", True):
            yield SkyNeed(data)
    yield from _warps(view, list(everything))


def _warps(view: ImageView, everything: list[Any]) -> Iterator[WarpNeed]:
    """List the grids that are still to be worked out."""
    base = everything[0] if everything else None
    if view.align != "sky" or not getattr(base, "wcs_ready", False) or base.sky is None:
        return
    for number, data in enumerate(everything[1:], start=1):
        sky = data.sky if data is not None and getattr(data, "wcs_ready", False) else None
        if sky is not None and not warps.is_known(base.sky, sky):
            yield WarpNeed(base.sky, sky, base.name, data.name, tuple(everything[1:number]))


def _of_layer(
    view: ImageView,
    layer: ImageLayer,
    geometry: Geometry,
    ratio: float,
    compositor: Compositor,
    settled: bool,
    slot: str,
) -> Iterator[Need]:
    raster = raster_of(layer)
    place = placed(view, layer, raster.shape, geometry, ratio) if raster is not None else None
    if raster is None or place is None:
        return
    request = raster.wanted(place.bounds, place.step)
    if request is not None:
        yield from _rough_look(layer, place, slot)
        yield BlockNeed(raster, request, slot)
    yield from _of_flags(view, layer, geometry, ratio, slot)
    if layer.operation and layer.against is not None:
        yield from _of_operation(view, layer, geometry, ratio, compositor, request is None and settled, slot)
        return
    if slot != "main" or is_flags(layer):
        return
    yield from _limits(layer, raster, place, request is None and settled, compositor)
    limits, memory = compositor.limits(layer), compositor.memory(layer)
    if layer.stretch == "histogram" and limits is not None and memory.curve_for != (raster, limits):
        yield CurveNeed(memory, raster, limits)


def _rough_look(layer: ImageLayer, place: Any, slot: str) -> Iterator[Need]:
    rough = rough_raster_of(layer)
    request = rough.wanted(place.bounds, place.step) if rough is not None else None
    if request is not None:
        yield BlockNeed(rough, request, slot)


def _of_flags(view: ImageView, layer: ImageLayer, geometry: Geometry, ratio: float, slot: str) -> Iterator[Need]:
    """List what the flags over a layer lack."""
    raster = overlaid_flags(layer)
    place = placed(view, layer, raster.shape, geometry, ratio) if raster is not None else None
    request = raster.wanted(place.bounds, place.step) if place is not None else None
    if request is not None:
        yield BlockNeed(raster, request, slot)


def _of_operation(
    view: ImageView,
    layer: ImageLayer,
    geometry: Geometry,
    ratio: float,
    compositor: Compositor,
    at_rest: bool,
    slot: str,
) -> Iterator[Need]:
    """List what the other image of a difference or ratio lacks, and its limits."""
    other = layer.against.raster()
    place = placed_data(view, layer.against, other.shape, geometry, ratio)
    request = other.wanted(place.bounds, place.step) if place is not None else None
    if request is not None:
        yield BlockNeed(other, request, slot)
    if slot != "main" or (layer.limits_mode == "manual" and layer.manual_limits is not None):
        return
    asked, memory = asked_limits(layer), compositor.memory(layer)
    if layer.limits_from != "view":
        if layer.shown_limits is None:
            yield LimitsNeed(layer, asked, memory)
        return
    block = compositor.computed(view, layer, geometry, ratio) if at_rest and request is None else None
    width, height = picture_size(geometry, ratio)
    need = LimitsNeed(layer, asked, memory, block, (-0.5, -0.5, width - 0.5, height - 0.5))
    if block is not None and (layer.shown_limits is None or memory.seen != need.seen):
        yield need


def _limits(layer: ImageLayer, raster: Any, place: Any, at_rest: bool, compositor: Compositor) -> Iterator[Need]:
    if layer.limits_mode == "manual" and layer.manual_limits is not None:
        return
    asked, memory = asked_limits(layer), compositor.memory(layer)
    if layer.limits_from != "view":
        yield from _limits_of_all(layer, raster, place, asked, memory)
        return
    block = raster.block(place.bounds, place.step)
    need = LimitsNeed(layer, asked, memory, block, place.bounds)
    if block is not None and at_rest and (layer.shown_limits is None or memory.seen != need.seen):
        yield need


def _limits_of_all(layer: ImageLayer, raster: Any, place: Any, asked: tuple, memory: Any) -> Iterator[Need]:
    """List limits of the whole image; of a picture that is worked out, once it is there, or its first look."""
    made, counted, rough = getattr(raster, "outdates", False), raster.counted, None
    if made and not getattr(layer, "has_limits_of_cube", False) and raster.block(place.bounds, place.step) is None:
        # Not at once: they would work out the same picture a second time beside the first.
        rough, counted = rough_raster_of(layer), False
        if rough is None or rough.block(place.bounds, place.step) is None:
            return
    need = LimitsNeed(layer, asked, memory, counted=counted, rough=rough)
    outdated = need.counted and (layer.limits_mode in OF_ALL or made) and memory.seen != need.seen
    if layer.shown_limits is None or outdated:
        yield need


def fulfil(
    view: ImageView,
    geometry: Geometry,
    ratio: float,
    compositor: Compositor,
    *,
    build: bool = True,
    progress: Progress = silent,
) -> None:
    """Wait for all that a picture lacks (in this thread).

    Parameters
    ----------
    build : bool
        Make pyramids too where the picture is not exact without, which may take seconds.

    Raises
    ------
    JvizError
        When a file cannot be read any more.
    """
    for _ in range(8):  # the sky brings new layers, limits bring a new histogram
        needs = [n for n in missing(view, geometry, ratio, compositor) if not isinstance(n, WarpNeed)]
        if not needs:
            return
        for need in needs:
            if isinstance(need, LimitsNeed):
                if need.layer.shown_limits is None:
                    need.apply(need.run(progress, exact=build))
                continue
            value = need.run(progress)
            need.apply(value)
            if build and isinstance(need, BlockNeed) and not value.exact and not need.raster.sharp:
                need.raster.build(progress)


def failed_text(error: BaseException) -> str:
    """Say what went wrong, for a notice."""
    return str(error) if isinstance(error, JvizError | OSError) else f"{type(error).__name__}: {error}"

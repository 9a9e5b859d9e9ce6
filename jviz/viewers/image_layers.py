"""What an image view draws: for each layer its raster, colours and place, put together into one picture.

Nothing here reads a file: what is not in memory is left out, and listed by `jviz.viewers.image_needs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.render import kernels
from jviz.backend.render.blocks import Block
from jviz.backend.render.colormaps import colormap
from jviz.backend.render.mesh import affine_mesh
from jviz.backend.render.stretch import Stretch, look_table, stretch
from jviz.combining import combined, sampled, true_values
from jviz.errors import JvizError
from jviz.flags import FLAG_COLOURS, flag_table, flags_raster, is_flags, shown_order
from jviz.geometry import Geometry
from jviz.viewers.image_places import Placed, picture_size, placed, placed_data, ready_sky
from jviz.viewers.look import Look, argb
from jviz.views import ImageLayer, ImageView

__all__ = [
    "FLAG_COLOURS", "Compositor", "Placed", "curve_of", "is_flags", "placed", "raster_of", "rasters_of",
    "ready_sky",
]  # fmt: skip


def raster_of(layer: ImageLayer) -> Any:
    """Return the raster that a layer shows; None when its plane or slice cannot be drawn."""
    try:
        return layer.raster()
    except (JvizError, IndexError):
        return None


def rough_raster_of(layer: ImageLayer) -> Any:
    """Return the raster of a first look at what takes long to work out; None for others."""
    rough = getattr(layer, "rough_raster", None)
    return rough() if rough is not None else None


def rasters_of(layer: ImageLayer) -> list[Any]:
    """Return all rasters that a layer shows: its own, and that of the flags over it."""
    flags = overlaid_flags(layer)
    return [raster for raster in (raster_of(layer), flags) if raster is not None]


def overlaid_flags(layer: ImageLayer) -> Any:
    """Return the raster of the flags that are drawn over a layer, None when there are none."""
    if not layer.dq or layer.dq_opacity == 0 or layer.operation or is_flags(layer):
        return None
    return flags_raster(layer)


# --- colours --------------------------------------------------------------------------------------


BAR_COLOURS = 512
EQUAL_STEPS = np.linspace(0, 1, 1025)
"""Where between the limits the brightness along a colour bar is looked up."""


def _pairs(knots: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in knots)


def curve_of(layer: ImageLayer, equalised: Stretch | None = None) -> Stretch:
    """Return the stretch of a layer; ``equalised`` is its histogram stretch once that is worked out."""
    if layer.stretch == "histogram":
        return equalised or _curve("linear", None, ())
    return _curve(layer.stretch, layer.stretch_parameter, _pairs(layer.knots) if layer.stretch == "spline" else ())


@lru_cache(maxsize=64)
def _curve(name: str, parameter: float | None, knots: tuple[tuple[float, float], ...]) -> Stretch:
    options: dict[str, Any] = {}
    if parameter is not None and name in ("log", "asinh", "sinh", "power"):
        options["gamma" if name == "power" else "a"] = parameter
    if name == "spline":
        options["knots"] = knots
    try:
        return stretch(name, **options)
    except JvizError:
        return stretch("linear")


def _colours(name: str) -> np.ndarray:
    try:
        return colormap(name)
    except JvizError:
        return colormap("gray")


class _Tables:
    """The last few colour tables, by all that they depend on."""

    limit = 24

    def __init__(self) -> None:
        self._made: dict[tuple, tuple[Any, np.ndarray]] = {}

    def of(self, layer: ImageLayer, curve: Stretch) -> np.ndarray:
        key = (id(curve), layer.colormap, layer.invert, layer.contrast, layer.bias)
        if key not in self._made:
            while len(self._made) >= self.limit:
                del self._made[next(iter(self._made))]
            # The curve is kept with its table, so that its id is not given to another one.
            self._made[key] = (curve, self._make(layer, curve))
        return self._made[key][1]

    @staticmethod
    def _make(layer: ImageLayer, curve: Stretch) -> np.ndarray:
        size = 65536 if layer.stretch in ("log", "histogram", "asinh", "power") else 4096
        options = {"contrast": layer.contrast, "bias": layer.bias, "invert": layer.invert}
        return look_table(curve, _colours(layer.colormap), size=size, **options)


@dataclass(frozen=True, eq=False)
class BarLook:
    """How a colour bar looks between its limits.

    Attributes
    ----------
    colours : ndarray of uint32, shape (n, 1)
        ARGB in equal steps of brightness, the brightest first.
    bright : ndarray of float
        Brightness at equal steps between the limits.
    key : (bytes, bytes)
        Both as something that can be compared.
    """

    colours: np.ndarray
    bright: np.ndarray
    key: tuple[bytes, bytes]


def _bar_look(layer: ImageLayer, curve: Stretch) -> BarLook:
    options = {"contrast": layer.contrast, "bias": layer.bias, "invert": layer.invert}
    table = look_table(_curve("linear", None, ()), _colours(layer.colormap), size=BAR_COLOURS, **options)
    colours, bright = np.ascontiguousarray(table[::-1]).reshape(-1, 1), curve(EQUAL_STEPS)
    return BarLook(colours, bright, (colours.tobytes(), bright.tobytes()))


# --- the picture ----------------------------------------------------------------------------------


@dataclass
class _Memory:
    """What a layer was last drawn with, to go on with until the new is there."""

    raster: Any = None
    limits: tuple[float, float] | None = None
    curve: Stretch | None = None
    curve_for: Any = None
    seen: tuple | None = None
    flags: tuple[Any, int] = (None, 0)
    computed: tuple[tuple, Block, Any] | None = None


@dataclass(frozen=True, eq=False)
class _Part:
    """One layer, ready to be coloured; or the flags ``over`` one, in the order in which they show."""

    blocks: tuple[Any, ...]
    placed: Placed
    table: np.ndarray
    limits: tuple[float, float]
    blank: int
    opacity: float
    smooth: bool
    flags: bool
    blend: str = "normal"
    over: tuple[int, ...] | None = None

    @property
    def key(self) -> tuple:
        """All that its pixels depend on; the objects live as long as the part is kept."""
        blocks = tuple(map(id, self.blocks))
        colours = (id(self.table), self.limits, self.blank, self.opacity, self.blend)
        return (blocks, id(self.placed), *colours, self.smooth, self.over)

    def fill(self, out: np.ndarray) -> None:
        """Fill an array of the picture's shape with the data in it, above the offset of the blocks; NaN outside."""
        sampled(self.blocks, self.placed.mesh, out.shape, smooth=self.smooth, out=out)

    def same_values(self, other: _Part | None) -> bool:
        """Whether the values of another part are those of this one, whatever their colours."""
        return other is not None and (self.blocks, self.placed, self.smooth) == (
            other.blocks, other.placed, other.smooth
        )  # fmt: skip

    def colour(self, out: np.ndarray, *, clear: bool) -> None:
        for block in self.blocks:
            if self.flags:
                kernels.colour_flags(block, self.placed.mesh, self.table, out, clear=clear)
            else:
                kernels.colour(
                    block, self.placed.mesh, self.table, *self.limits, out,
                    blank=self.blank, smooth=self.smooth, clear=clear,
                )  # fmt: skip
            clear = False

    def veil(self, out: np.ndarray, opacity: float) -> None:
        """Lay flags over a picture."""
        for block in self.blocks:
            kernels.veil(block, self.placed.mesh, self.over, self.table, out, opacity=opacity)


@dataclass
class _Kept:
    key: tuple
    parts: list[_Part]
    pixels: np.ndarray


class Compositor:
    """Draws views into arrays, and keeps the last ones.

    One per viewer. Pictures for different purposes (``slot``: "main", "overview", "magnifier")
    are kept side by side.
    """

    def __init__(self) -> None:
        self._memories: WeakKeyDictionary[ImageLayer, _Memory] = WeakKeyDictionary()
        self._tables = _Tables()
        self._bar: tuple[tuple, Stretch, BarLook] | None = None
        self._kept: dict[str, _Kept] = {}
        self._spare: dict[str, np.ndarray] = {}
        self._stacks: dict[str, tuple[np.ndarray, list[_Part | None]]] = {}

    def memory(self, layer: ImageLayer) -> _Memory:
        """Return what is remembered about a layer."""
        return self._memories.setdefault(layer, _Memory())

    def limits(self, layer: ImageLayer) -> tuple[float, float] | None:
        """Return the limits to draw with: those in use, or the last ones while new ones are worked out."""
        memory = self.memory(layer)
        manual = layer.limits_mode == "manual" and layer.manual_limits is not None
        now = layer.manual_limits if manual else layer.shown_limits
        if now is not None:
            memory.limits = now
        return memory.limits

    def curve(self, layer: ImageLayer) -> Stretch:
        """Return the stretch to draw with."""
        return curve_of(layer, self.memory(layer).curve)

    def bar(self, layer: ImageLayer) -> BarLook:
        """Return how the colour bar of a layer looks."""
        curve = self.curve(layer)
        key = (id(curve), layer.colormap, layer.contrast, layer.bias, layer.invert)
        if self._bar is None or self._bar[0] != key:
            # The curve is kept, so that its id is not given to another one.
            self._bar = (key, curve, _bar_look(layer, curve))
        return self._bar[2]

    def flags_in_sight(self, layer: ImageLayer) -> int:
        """Return all flags of the pixels that were drawn last, as bits."""
        return self.memory(layer).flags[1]

    def compose(
        self, view: ImageView, geometry: Geometry, ratio: float, look: Look, slot: str = "main"
    ) -> np.ndarray | None:
        """Draw all visible layers.

        Parameters
        ----------
        ratio : float
            Pixels per unit of the geometry.

        Returns
        -------
        ndarray of uint32, shape (height, width), or None
            Opaque 0xFFRRGGBB; valid until the next call for this slot. None when nothing can be drawn yet.
        """
        for _ in self.gradually(view, geometry, ratio, look, slot):
            pass
        return self._kept[slot].pixels if self._kept.get(slot) is not None else None

    def gradually(
        self, view: ImageView, geometry: Geometry, ratio: float, look: Look, slot: str = "main"
    ) -> Iterator[None]:
        """Draw as `compose` does, a layer with each step; nothing, when the picture is there already.

        What was drawn last, in another size, stays the picture of the slot until the end.
        """
        parts = self._parts(view, geometry, ratio, look)
        if not parts:
            self._kept.pop(slot, None)
            return
        size, lupton = picture_size(geometry, ratio), _lupton_of(view, parts)
        curtain = None if view.curtain is None or lupton else (view.curtain_axis, view.curtain)
        key = (size, look.canvas, kernels.ready, lupton, curtain, *(part.key for part in parts))
        kept = self._kept.get(slot)
        if kept is not None and kept.key == key:
            return
        pixels = self._buffer(slot, size)
        if kept is not None and kept.pixels is pixels:
            del self._kept[slot]  # drawn over; when the rest is never asked for, it is nothing
        yield from self._draw(slot, kept, key, parts, look, pixels)
        self._kept[slot] = _Kept(key, parts, pixels)

    def _draw(
        self, slot: str, kept: _Kept | None, key: tuple, parts: list[_Part], look: Look, pixels: np.ndarray
    ) -> Iterator[None]:
        lupton, curtain = key[3:5]
        if lupton:
            yield from self._draw_lupton(slot, parts, lupton, look, pixels)
            return
        before = len(kept.key) if kept is not None and kept.pixels is pixels and curtain is None else len(key)
        if before < len(key) and kept.key == key[:before]:
            # Nothing but layers on top is new.
            yield from _draw(parts[len(kept.parts) :], pixels, self)
            return
        light = any(part.blend in ("add", "screen", "lighten") for part in parts)
        pixels.fill(0xFF000000 if light else argb(look.canvas))
        yield from _draw(parts, pixels, self, curtain)

    def _draw_lupton(
        self, slot: str, parts: list[_Part], softening: tuple[float, float], look: Look, pixels: np.ndarray
    ) -> Iterator[None]:
        images = [part for part in parts if part.over is None]
        values, filled = self._stack(slot, (len(images), *pixels.shape))
        for number, part in enumerate(images):
            if not part.same_values(filled[number]):
                filled[number] = None
                part.fill(values[number])
                filled[number] = part
                yield
        pixels.fill(argb(look.canvas))
        hues = np.array([_hue(part.table) for part in images])
        limits = np.array([np.subtract(part.limits, part.blocks[0].offset) for part in images])
        kernels.lupton(values, hues, limits, pixels, q=softening[0], stretch=softening[1])
        yield from _draw([part for part in parts if part.over is not None], pixels, self)

    def _stack(self, slot: str, shape: tuple[int, ...]) -> tuple[np.ndarray, list[_Part | None]]:
        """Return the values of layers as they were last drawn, and of which parts they are."""
        if slot not in self._stacks or self._stacks[slot][0].shape != shape:
            self._stacks[slot] = (np.empty(shape, np.float32), [None] * shape[0])
        return self._stacks[slot]

    def _parts(self, view: ImageView, geometry: Geometry, ratio: float, look: Look) -> list[_Part]:
        made = []
        for layer in view.shown:
            part = self._part(view, layer, geometry, ratio, look)
            made += [part, self._flags_over(view, layer, geometry, ratio) if part is not None else None]
        return [part for part in made if part is not None]

    def _flags_over(self, view: ImageView, layer: ImageLayer, geometry: Geometry, ratio: float) -> _Part | None:
        """Return the flags that are drawn over a layer."""
        raster = overlaid_flags(layer)
        place = placed(view, layer, raster.shape, geometry, ratio) if raster is not None else None
        blocks = place.blocks(raster) if place is not None else []
        if not blocks:
            return None
        self._note_flags(layer, blocks[-1])
        table = flag_table(layer)
        opacity = layer.dq_opacity * layer.opacity
        order = shown_order(layer)
        return _Part(tuple(blocks), place, table, (0.0, 1.0), 0, opacity, False, True, over=order)

    def _note_flags(self, layer: ImageLayer, block: Any) -> None:
        memory = self.memory(layer)
        if memory.flags[0] is not block:
            memory.flags = (block, int(np.bitwise_or.reduce(block.data, axis=None)))

    def _part(self, view: ImageView, layer: ImageLayer, geometry: Geometry, ratio: float, look: Look) -> _Part | None:
        memory, raster, flags = self.memory(layer), raster_of(layer), is_flags(layer)
        if layer.operation and layer.against is not None:
            return self._computed_part(view, layer, geometry, ratio, look)
        for candidate in (raster, rough_raster_of(layer), memory.raster):
            if candidate is None or (candidate.reduce == "or") != flags:
                continue
            place = placed(view, layer, candidate.shape, geometry, ratio)
            blocks = place.blocks(candidate) if place is not None else []
            if blocks:
                break
        else:
            return None
        memory.raster = candidate
        limits = (0.0, 1.0) if flags else self.limits(layer)
        if limits is None:
            return None
        table = flag_table(layer) if flags else self._tables.of(layer, self.curve(layer))
        blank = 0 if flags else argb(layer.nan_color, look.blank if layer is view.layers[0] else "")
        if flags:
            self._note_flags(layer, blocks[-1])
        smooth = view.smooth and place.step < 1 and not flags
        return _Part(tuple(blocks), place, table, limits, blank, layer.opacity, smooth, flags, _blend(view, layer))

    def _computed_part(
        self, view: ImageView, layer: ImageLayer, geometry: Geometry, ratio: float, look: Look
    ) -> _Part | None:
        """Return the difference or ratio of what the picture shows of two images."""
        block = self.computed(view, layer, geometry, ratio)
        limits = self.limits(layer)
        if block is None or limits is None:
            return None
        width, height = picture_size(geometry, ratio)
        place = _one_to_one(width, height)
        blank = argb(layer.nan_color, "")
        return _Part(
            (block,), place, self._tables.of(layer, self.curve(layer)), limits, blank, layer.opacity, False, False,
            _blend(view, layer),
        )  # fmt: skip

    def computed(self, view: ImageView, layer: ImageLayer, geometry: Geometry, ratio: float) -> Block | None:
        """Return the values of a difference or ratio, one for each pixel of the picture; None while they lack."""
        found = []
        for data, raster in ((layer.picture, raster_of(layer)), (layer.against, layer.against.raster())):
            place = placed_data(view, data, raster.shape, geometry, ratio) if raster is not None else None
            blocks = place.blocks(raster) if place is not None else []
            if not blocks:
                return None
            found.append((blocks, place))
        memory, (width, height) = self.memory(layer), picture_size(geometry, ratio)
        key = (layer.operation, width, height, view.smooth, *((tuple(map(id, b)), id(p)) for b, p in found))
        if memory.computed is None or memory.computed[0] != key:
            smooth = view.smooth or view.align == "sky"
            mine, other = (true_values(b, p.mesh, (height, width), smooth=smooth and p.step < 1) for b, p in found)
            values = combined(mine, other, layer.operation)
            block = Block(values, 0.0, 0.0, 1.0, 0, (-0.5, -0.5, width - 0.5, height - 0.5))
            memory.computed = (key, block, found)
        return memory.computed[1]

    def _buffer(self, slot: str, size: tuple[int, int]) -> np.ndarray:
        """Return an array to draw into, the last one when it fits: new pages cost more than drawing."""
        width, height = size
        buffer = self._spare.get(slot)
        if buffer is None or buffer.shape != (height, width):
            buffer = self._spare[slot] = np.empty((height, width), np.uint32)
        return buffer


def _draw(
    parts: list[_Part], out: np.ndarray, owner: Compositor, curtain: tuple[str, float] | None = None
) -> Iterator[None]:
    """Lay parts over a picture, one with each step; the last one on its side of the curtain only."""
    images = [part for part in parts if part.over is None]
    top = parts.index(images[-1]) if len(images) > 1 else len(parts)
    for number, part in enumerate(parts):
        drawn = curtain if number >= top else None
        if part is parts[0] and part.opacity == 1 and part.blank and not drawn:
            part.colour(out, clear=False)
        elif part.over is not None and len(part.blocks) == 1 and drawn is None:
            part.veil(out, part.opacity)
        else:
            _lay(part, out, owner, drawn)
        yield


def _lay(part: _Part, out: np.ndarray, owner: Compositor, curtain: tuple[str, float] | None) -> None:
    """Draw a part on a sheet of its own and lay that over the picture."""
    sheet = owner._buffer(f"sheet {out.shape}", out.shape[::-1])
    if part.over is None:
        part.colour(sheet, clear=True)
    else:
        sheet.fill(0)
        part.veil(sheet, 1.0)
    if curtain is not None:
        axis, share = curtain
        if axis == "vertical":
            sheet[:, : round(share * sheet.shape[1])] = 0
        else:
            sheet[: round(share * sheet.shape[0])] = 0
    kernels.blend(out, sheet, part.opacity, part.blend)


@lru_cache(maxsize=8)
def _one_to_one(width: int, height: int) -> Placed:
    mesh = affine_mesh(np.eye(3)[:2], width, height)
    return Placed(mesh, (-0.5, -0.5, width - 0.5, height - 0.5), 1.0)


def _blend(view: ImageView, layer: ImageLayer) -> str:
    """Return how a layer joins what is below it: what is alone, or behind a curtain, covers it."""
    alone = len(view.shown) == 1 or view.curtain is not None
    return "normal" if alone else layer.blend


def _lupton_of(view: ImageView, parts: list[_Part]) -> tuple[float, float] | None:
    if view.composite != "lupton" or len(view.shown) < 2 or any(part.flags and part.over is None for part in parts):
        return None
    return view.lupton_q, view.lupton_stretch


def _hue(table: np.ndarray) -> tuple[float, float, float]:
    """Return the colour of the brightest pixels, 0 to 1."""
    top = int(table[-1])
    return (top >> 16 & 255) / 255, (top >> 8 & 255) / 255, (top & 255) / 255

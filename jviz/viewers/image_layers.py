"""What an image view draws: for each layer its raster, colours and place, put together into one picture.

Nothing here reads a file: what is not in memory is left out, and listed by `jviz.viewers.image_needs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.render import kernels
from jviz.backend.render.colormaps import colormap
from jviz.backend.render.mesh import Bounds, Mesh, affine_mesh, mesh_of
from jviz.backend.render.stretch import Stretch, look_table, stretch
from jviz.errors import JvizError
from jviz.geometry import Geometry
from jviz.viewers.look import Look, argb
from jviz.views import ImageLayer, ImageView

__all__ = ["Compositor", "Placed", "bar_table", "curve_of", "is_flags", "placed", "raster_of", "ready_sky"]

NICE = np.array(
    [0x4E79A7, 0xF28E2B, 0xE15759, 0x76B7B2, 0x59A14F, 0xEDC948, 0xB07AA1, 0xFF9DA7, 0x9C755F, 0xBAB0AC, 0x86BCB6],
    np.uint32,
)


def _shades(colours: np.ndarray, towards: int, share: float) -> np.ndarray:
    """Mix colours with a grey."""
    mixed = np.zeros_like(colours)
    for shift in (16, 8, 0):
        channel = (colours >> np.uint32(shift)) & np.uint32(255)
        mixed |= np.rint(channel * (1 - share) + towards * share).astype(np.uint32) << np.uint32(shift)
    return mixed


FLAG_COLOURS = np.concatenate([NICE, _shades(NICE, 255, 0.5), _shades(NICE, 0, 0.4)])[:32] | np.uint32(0xFF000000)
"""One colour for each bit of a flags plane."""


def is_flags(layer: ImageLayer) -> bool:
    """Whether the layer shows data quality flags, which have colours of their own and no limits."""
    return layer.data.plane(layer.plane).meaning == "flags"


def raster_of(layer: ImageLayer) -> Any:
    """Return the raster that a layer shows; None when its plane or slice cannot be drawn."""
    try:
        plane = layer.data.plane(layer.plane)
        index = layer.index[len(layer.index) - (len(plane.shape) - 2) :] if len(plane.shape) > 2 else ()
        return layer.data.raster(layer.plane, index)
    except (JvizError, IndexError):
        return None


def ready_sky(data: Any) -> Any:
    """Return the sky map of data when it is at hand, else None."""
    return data.sky if getattr(data, "wcs_ready", False) else None


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the pixels of a picture lie in a layer's data.

    ``bounds`` and ``step`` say which part of the data is in sight and how many data pixels
    there are for each pixel of the picture.
    """

    mesh: Mesh
    bounds: Bounds
    step: float


@lru_cache(maxsize=32)
def _straight(geometry: Geometry, ratio: float, shape: tuple[int, int], size: tuple[int, int]) -> Placed:
    m = geometry.matrix / ratio
    m[:, 2] = geometry.matrix[:, 2] + 0.5 * (m[:, 0] + m[:, 1])
    return Placed(affine_mesh(m, *size), geometry.bounds(shape), 1 / (geometry.scale * ratio))


@lru_cache(maxsize=8)
def _bent(geometry: Geometry, ratio: float, size: tuple[int, int], first: Any, sky: Any) -> Placed | None:
    def through_the_sky(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = geometry.to_data((u + 0.5) / ratio, (v + 0.5) / ratio)
        return sky.sky_to_pixel(*first.pixel_to_sky(x, y))

    mesh = mesh_of(through_the_sky, *size, step=min(first.mesh_step, sky.mesh_step))
    if mesh.bounds is None or not mesh.scale > 0:
        return None
    return Placed(mesh, mesh.bounds, mesh.scale)


def placed(
    view: ImageView, layer: ImageLayer, shape: tuple[int, int], geometry: Geometry, ratio: float
) -> Placed | None:
    """Place a layer in a picture of ``ratio`` pixels per unit of the geometry.

    Layers lie on the first one's pixels, through the sky when both have one.

    Returns
    -------
    Placed or None
        None while a sky is not known yet, or when nothing of the layer is in sight.
    """
    size = picture_size(geometry, ratio)
    base = view.layers[0].data
    if layer.data is not base:
        if not (base.wcs_ready and layer.data.wcs_ready):
            return None
        if base.sky is not None and layer.data.sky is not None:
            return _bent(geometry, ratio, size, base.sky, layer.data.sky)
    return _straight(geometry, ratio, tuple(shape), size)


def picture_size(geometry: Geometry, ratio: float) -> tuple[int, int]:
    """Return width and height of the picture in pixels."""
    return max(1, math.ceil(geometry.width * ratio)), max(1, math.ceil(geometry.height * ratio))


# --- colours --------------------------------------------------------------------------------------


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


def bar_table(layer: ImageLayer, n: int = 512) -> np.ndarray:
    """Return the colours along a colour bar: equal steps of brightness, uint32 ARGB of shape (n,)."""
    options = {"contrast": layer.contrast, "bias": layer.bias, "invert": layer.invert}
    return look_table(_curve("linear", None, ()), _colours(layer.colormap), size=n, **options)


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


@dataclass(frozen=True, eq=False)
class _Part:
    """One layer, ready to be coloured."""

    blocks: tuple[Any, ...]
    placed: Placed
    table: np.ndarray
    limits: tuple[float, float]
    blank: int
    opacity: float
    smooth: bool
    flags: bool

    @property
    def key(self) -> tuple:
        """All that its pixels depend on; the objects live as long as the part is kept."""
        blocks = tuple(map(id, self.blocks))
        return (blocks, id(self.placed), id(self.table), self.limits, self.blank, self.opacity, self.smooth)

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
        self._kept: dict[str, _Kept] = {}
        self._spare: dict[str, np.ndarray] = {}

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
        parts = self._parts(view, geometry, ratio, look)
        if not parts:
            return None
        key = (picture_size(geometry, ratio), look.canvas, kernels.ready, *(part.key for part in parts))
        kept = self._kept.get(slot)
        if kept is None or kept.key != key:
            pixels = self._buffer(slot, picture_size(geometry, ratio))
            _draw(parts, pixels, argb(look.canvas), self)
            self._kept[slot] = kept = _Kept(key, parts, pixels)
        return kept.pixels

    def _parts(self, view: ImageView, geometry: Geometry, ratio: float, look: Look) -> list[_Part]:
        visible = [layer for layer in view.layers if layer.visible and layer.opacity > 0]
        made = (self._part(view, layer, geometry, ratio, look) for layer in visible)
        return [part for part in made if part is not None]

    def _part(self, view: ImageView, layer: ImageLayer, geometry: Geometry, ratio: float, look: Look) -> _Part | None:
        memory, raster, flags = self.memory(layer), raster_of(layer), is_flags(layer)
        for candidate in (raster, memory.raster):
            if candidate is None or (candidate.reduce == "or") != flags:
                continue
            place = placed(view, layer, candidate.shape, geometry, ratio)
            blocks = candidate.blocks(place.bounds, place.step) if place is not None else []
            if blocks:
                break
        else:
            return None
        memory.raster = candidate
        limits = (0.0, 1.0) if flags else self.limits(layer)
        if limits is None:
            return None
        table = FLAG_COLOURS if flags else self._tables.of(layer, self.curve(layer))
        blank = 0 if flags else argb(layer.nan_color, look.blank if layer is view.layers[0] else "")
        if flags and memory.flags[0] is not blocks[-1]:
            memory.flags = (blocks[-1], int(np.bitwise_or.reduce(blocks[-1].data, axis=None)))
        smooth = view.smooth and place.step < 1 and not flags
        return _Part(tuple(blocks), place, table, limits, blank, layer.opacity, smooth, flags)

    def _buffer(self, slot: str, size: tuple[int, int]) -> np.ndarray:
        """Return an array to draw into, the last one when it fits: new pages cost more than drawing."""
        width, height = size
        buffer = self._spare.get(slot)
        if buffer is None or buffer.shape != (height, width):
            buffer = self._spare[slot] = np.empty((height, width), np.uint32)
        return buffer


def _draw(parts: list[_Part], out: np.ndarray, canvas: int, owner: Compositor) -> None:
    out.fill(canvas)
    for number, part in enumerate(parts):
        if number == 0 and part.opacity == 1 and part.blank:
            part.colour(out, clear=False)
            continue
        sheet = owner._buffer(f"sheet {out.shape}", out.shape[::-1])
        part.colour(sheet, clear=True)
        kernels.blend(out, sheet, part.opacity)

"""The state of a page of channel maps: many slices of a cube side by side, with one colour bar."""

from __future__ import annotations

from typing import Any

from echo import CallbackProperty

from jviz.checked import whole
from jviz.cube_views import CubeLayer, CubeView
from jviz.errors import CommandError
from jviz.geometry import fitting_scale
from jviz.views import Checked, View, declare_view, number

__all__ = ["ChannelMapsView", "field_of", "maps_of", "middle_of", "panel_view"]


def _field(value: Any) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    try:
        x0, y0, x1, y1 = (float(edge) for edge in value)
    except (TypeError, ValueError):
        raise CommandError(f"{value!r} is no field; give left, bottom, right and top in pixels.") from None
    if not (x1 > x0 and y1 > y0):
        raise CommandError(f"The field from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) holds no pixel.")
    return x0, y0, x1, y1


class ChannelMapsView(View):
    """Slices of a cube in rows and columns.

    Attributes
    ----------
    first, last : int
        Channels that are shown; ``last`` is among them.
    step : int
        Every so many channels get a map.
    averaged : bool
        A map is the mean of its ``step`` channels, not the one in the middle of them.
    rows, columns : int
    page : int
        From 0, when there are more maps than rows × columns.
    spectral_unit : str
        Of the labels, as in a cube view.
    labels, colorbar : bool
    field : (float, float, float, float) or None
        Left, bottom, right and top of what maps show, in data pixels; None is all.
    rotation : float
        Degrees by which maps are turned counter-clockwise.
    flip_x, flip_y : bool
    """

    kind = "channel_maps"
    accepts = ()
    layer_type = CubeLayer
    navigation = frozenset({"page"})
    navigation_label = "Page"

    first = Checked(0, whole(0, 1e7, "channel"))
    last = Checked(0, whole(0, 1e7, "channel"))
    step = Checked(1, whole(1, 1e6, "step"))
    averaged = CallbackProperty(True)
    rows = Checked(3, whole(1, 20, "number of rows"))
    columns = Checked(4, whole(1, 20, "number of columns"))
    page = Checked(0, whole(0, 1e6, "page"))
    spectral_unit = CallbackProperty("")
    labels = CallbackProperty(True)
    colorbar = CallbackProperty(True)
    field = Checked(None, _field)
    rotation = Checked(0.0, lambda v: number(name="rotation")(v) % 360)
    flip_x = CallbackProperty(False)
    flip_y = CallbackProperty(False)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        count = max(0, (self.last - self.first) // self.step + 1)
        return max(1, -(-count // (self.rows * self.columns)))


def maps_of(view: ChannelMapsView) -> list[tuple[int, int]]:
    """Return the first and the last channel of each map on the page that is shown."""
    last = min(view.last, view.layer.data.shape[0] - 1)
    maps = [(k, min(k + view.step - 1, last)) for k in range(view.first, last + 1, view.step)]
    size = view.rows * view.columns
    page = min(view.page, max(0, -(-len(maps) // size) - 1))
    return maps[page * size : (page + 1) * size]


def middle_of(view: ChannelMapsView, channels: tuple[int, int]) -> float:
    """Return the channel that stands for a map: the middle of those averaged, or the one that is shown."""
    first, last = channels
    return (first + last) / 2 if view.averaged else float((first + last) // 2)


def field_of(view: ChannelMapsView) -> tuple[float, float, float, float]:
    """Return the part of the sky that maps show, in data pixels: left, bottom, right, top."""
    if view.field is not None:
        return view.field
    ny, nx = view.layer.data.shape[-2:]
    return (-0.5, -0.5, nx - 0.5, ny - 0.5)


def panel_view(
    view: ChannelMapsView, channels: tuple[int, int], limits: tuple[float, float], size: tuple[float, float], *,
    first: bool,
) -> CubeView:  # fmt: skip
    """Return the state of one map of a size; the first of a page has compass, scale bar and beam."""
    panel, layer = CubeView(), CubeLayer()
    values = {n: v for n, v in view.layer.recorded().items() if n not in ("slab", "slab_subset", "order")}
    layer.update(**values)
    low, high = channels
    layer.index, layer.width = ((low + high) // 2,), high - low + 1 if view.averaged else 1
    layer.update(limits=limits)
    panel.layers = (layer,)
    x0, y0, x1, y1 = field_of(view)
    panel.update(centre=((x0 + x1) / 2, (y0 + y1) / 2), scale=fitting_scale((y1 - y0, x1 - x0), *size, view.rotation))
    panel.update(rotation=view.rotation, flip_x=view.flip_x, flip_y=view.flip_y)
    panel.update(colorbar=False, compass=first, scale_bar=first, beam=first)
    return panel


declare_view(ChannelMapsView)

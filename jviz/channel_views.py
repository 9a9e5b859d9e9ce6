"""The state of a page of channel maps: many slices of a cube side by side, with one colour bar."""

from __future__ import annotations

from typing import Any

from echo import CallbackProperty

from jviz.cube_views import CubeLayer, CubeView
from jviz.views import Checked, View, declare_view, number

__all__ = ["ChannelMapsView", "channels_of", "panel_view"]


def _whole(low: float, high: float, name: str) -> Any:
    check = number(low, high, name)
    return lambda value: int(check(value))


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
    """

    kind = "channel_maps"
    accepts = ()
    layer_type = CubeLayer
    navigation = frozenset({"page"})
    navigation_label = "Page"

    first = Checked(0, _whole(0, 1e7, "channel"))
    last = Checked(0, _whole(0, 1e7, "channel"))
    step = Checked(1, _whole(1, 1e6, "step"))
    averaged = CallbackProperty(True)
    rows = Checked(3, _whole(1, 20, "number of rows"))
    columns = Checked(4, _whole(1, 20, "number of columns"))
    page = Checked(0, _whole(0, 1e6, "page"))
    spectral_unit = CallbackProperty("")
    labels = CallbackProperty(True)
    colorbar = CallbackProperty(True)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        count = max(0, (self.last - self.first) // self.step + 1)
        return max(1, -(-count // (self.rows * self.columns)))


def channels_of(view: ChannelMapsView) -> list[int]:
    """Return the channels in the middle of the maps on the page that is shown."""
    count = view.layer.data.shape[0]
    last = min(view.last, count - 1)
    middles = [min(k + (view.step - 1) // 2, last) for k in range(view.first, last + 1, view.step)]
    size = view.rows * view.columns
    page = min(view.page, max(0, -(-len(middles) // size) - 1))
    return middles[page * size : (page + 1) * size]


def panel_view(view: ChannelMapsView, channel: int, limits: tuple[float, float], *, first: bool) -> CubeView:
    """Return the state of one map; the first of a page has compass and scale bar."""
    panel, layer = CubeView(), CubeLayer()
    values = {n: v for n, v in view.layer.recorded().items() if n not in ("slab", "slab_subset", "order")}
    layer.update(**values)
    layer.index, layer.width = (channel,), view.step if view.averaged else 1
    layer.update(limits=limits)
    panel.layers = (layer,)
    panel.update(colorbar=False, compass=first, scale_bar=first)
    return panel


declare_view(ChannelMapsView)

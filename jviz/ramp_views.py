"""The state of a ramp viewer: that of an image viewer, at one group of one integration."""

from __future__ import annotations

from typing import Any

import numpy as np
from echo import CallbackProperty

from jviz.data import Ramp
from jviz.errors import CommandError
from jviz.ramp_data import DIFFERENCE
from jviz.views import Checked, ImageLayer, ImageView, declare_view, number

__all__ = ["RampView", "ramp_layer"]


class RampView(ImageView):
    """A ramp viewer: pictures of groups, which can be gone through and played.

    Attributes
    ----------
    group, integration : int
        What the active layer shows, from 0; of data without groups the integration alone.
    difference : bool
        Whether what came since the group before is shown, instead of all that has been collected.
    rate : float
        Groups a second while playing.
    playing : int
        Groups that each step of playing goes on; 0 is still. Not recorded.
    """

    kind = "ramp"
    accepts = ("ramp",)
    derived = ImageView.derived | {"playing"}

    rate = Checked(5.0, number(0.1, 60, "rate"))
    playing = CallbackProperty(0)

    @property
    def group(self) -> int:
        """Number of the group."""
        return _index(ramp_layer(self))[-1]

    @group.setter
    def group(self, value: int) -> None:
        layer = ramp_layer(self)
        layer.index = (*_index(layer)[:-1], _within(value, layer.data.shape[-3], "group", layer.data.name))

    @property
    def integration(self) -> int:
        """Number of the integration."""
        return _index(ramp_layer(self))[0]

    @integration.setter
    def integration(self, value: int) -> None:
        layer = ramp_layer(self)
        chosen = _within(value, layer.data.shape[0], "integration", layer.data.name)
        layer.index = (chosen, *_index(layer)[1:])

    @property
    def difference(self) -> bool:
        """Whether differences of groups are shown."""
        return ramp_layer(self).plane == DIFFERENCE

    @difference.setter
    def difference(self, value: bool) -> None:
        layer = ramp_layer(self)
        if value and not layer.data.has_groups:
            raise CommandError(f"{layer.data.name} has no groups whose difference could be shown.")
        if value != self.difference:
            # Differences lie evenly about their mean; the counts of bright pixels need another stretch.
            stretch = "linear" if value else layer.data.suggested_stretch()
            layer.update(plane=DIFFERENCE if value else "", stretch=stretch)

    def step(self, by: int) -> None:
        """Go some groups on; after the last of an integration comes the first of the next one."""
        layer = ramp_layer(self)
        shape = layer.data.shape[:-2]
        number = int(np.ravel_multi_index(_index(layer), shape))
        layer.index = tuple(int(n) for n in np.unravel_index((number + by) % int(np.prod(shape)), shape))


def ramp_layer(view: Any) -> ImageLayer:
    """Return the layer of a view whose groups are stepped through: the active one, or the topmost that is a ramp.

    Raises
    ------
    CommandError
        When it shows no ramp.
    """
    layers = [view.layer, *reversed(view.layers)] if view.layers else []
    found = next((layer for layer in layers if isinstance(layer.data, Ramp)), None)
    if found is None:
        raise CommandError(f"{view.name} shows no ramp; open an uncal, ramp or rateints file in it first.")
    return found


def _index(layer: ImageLayer) -> tuple[int, ...]:
    """Return integration and group, the middle ones before one was chosen."""
    middle = layer.data.middle
    return tuple(layer.index) if len(layer.index) == len(middle) else middle


def _within(value: Any, size: int, what: str, name: str) -> int:
    chosen = round(number(-0.5, size - 0.5, f"number of the {what}")(value))
    if not 0 <= chosen < size:
        raise CommandError(f"{name} has no {what} {value}; they are 0 to {size - 1}.")
    return chosen


declare_view(RampView)

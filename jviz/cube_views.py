"""The state of a cube viewer: that of an image viewer, with a place along the third axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import permutations
from typing import Any

from echo import CallbackProperty

from jviz.backend.units import moment_unit
from jviz.checked import whole
from jviz.data import Cube
from jviz.errors import CommandError
from jviz.views import (
    LAYER_PROPERTIES,
    Checked,
    ImageLayer,
    ImageView,
    View,
    declare_view,
    number,
    of_active_layer,
    one_of,
)

__all__ = ["CURVES", "NATURAL", "SLAB_STATISTICS", "CubeLayer", "CubeView", "cube_layer", "without_companions"]

NATURAL = (0, 1, 2)
"""Slices along the spectral axis, y up and x to the right."""

SLAB_STATISTICS = ("sum", "mean", "median", "min", "max", "moment0", "moment1", "moment2")
LOOPS = ("loop", "bounce", "once")
CURVES = ("none", "mean", "std", "max")
MATCHES = ("wavelength", "velocity", "channel")


def _order(value: Any) -> tuple[int, ...]:
    order = tuple(int(axis) for axis in value or ())
    if order and order not in set(permutations(NATURAL)):
        raise CommandError(f"{value!r} is no order of the axes; give each of 0 (spectral), 1 (y) and 2 (x) once.")
    return () if order == NATURAL else order


def _cut(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    try:
        row, column = (int(v) for v in value)
    except (TypeError, ValueError):
        raise CommandError(f"{value!r} is no row and column.") from None
    return row, column


def _slab(value: Any) -> tuple[float, float, str] | None:
    if not value:
        return None
    try:
        low, high, *rest = value
        low, high = sorted((float(low), float(high)))
    except (TypeError, ValueError):
        raise CommandError(
            f"{value!r} is no slab; give two spectral values and a statistic, (5.1, 5.2, 'mean')."
        ) from None
    statistic = one_of(*SLAB_STATISTICS, name="statistic")(rest[0] if rest else "sum")
    if not high - low < float("inf"):
        raise CommandError(f"The slab from {low:g} to {high:g} is not finite.")
    return low, high, statistic


class CubeLayer(ImageLayer):
    """How a cube looks, or an image over one.

    Attributes
    ----------
    index : (int,)
        The channel, also while another side of the cube is shown.
    order : tuple of int
        Which axes are the slices, the vertical and the horizontal one of the picture: a permutation of 0 (spectral),
        1 (y) and 2 (x). ``()``: slices along the spectral axis.
    cut : (int, int) or None
        Row and column through which pictures of other sides are laid; None: the middle.
    width : int
        Slices whose mean is shown.
    slab : (float, float, str) or None
        Shows a statistic of a range of spectral values, in the unit of the cube's axis: sum, mean, median, min,
        max, moment0, moment1 or moment2. A range that came from a spectral subset follows it (``slab_subset``).
    slab_subset : str
    live_slab : (float, float) or None
        The range that the subset has now; worked out, not recorded.
    """

    derived = ImageLayer.derived | {"live_slab"}
    navigation = frozenset({"index", "cut"})
    navigation_label = "Slice"
    limits_depend_on = (
        "data", "plane", "limits_mode", "limits_from", "percentiles", "operation", "against", "order", "width", "slab",
        "live_slab",
    )  # fmt: skip

    order = Checked((), _order)
    cut = Checked(None, _cut)
    width = Checked(1, whole(1, 1e6, "number of slices"))
    slab = Checked(None, _slab)
    slab_subset = CallbackProperty("")
    live_slab = CallbackProperty(None)

    def __init__(self) -> None:
        super().__init__()
        for name in ("index", "cut"):
            self.add_callback(name, self._moved)

    def _moved(self, _: Any) -> None:
        if not self.has_limits_of_cube:
            self.shown_limits = None

    @property
    def cube(self) -> Cube | None:
        """The cube, None for an image."""
        return self.data if isinstance(self.data, Cube) and len(self.data.shape) == 3 else None

    @property
    def is_side(self) -> bool:
        """Whether another side than that of the sky is shown."""
        return bool(self.order) and self.cube is not None

    @property
    def picture(self) -> Any:
        """What is drawn: the cube, or another side of it."""
        return self.data.face(self.order) if self.is_side else self.data

    @property
    def point(self) -> tuple[int, int, int]:
        """Channel, row and column that the three sides are laid through."""
        n, ny, nx = self.data.shape
        channel = min(max((self.index or (n // 2,))[0], 0), n - 1)
        row, column = self.cut if self.cut is not None else (ny // 2, nx // 2)
        return channel, min(max(row, 0), ny - 1), min(max(column, 0), nx - 1)

    @property
    def picture_index(self) -> tuple[int, ...]:
        """Which slice of `picture`."""
        if self.cube is None:
            return self.index
        return (self.point[(self.order or NATURAL)[0]],)

    @property
    def count(self) -> int:
        """How many slices there are."""
        return self.picture.shape[0] if self.cube is not None else 1

    @property
    def slice(self) -> float:
        """Number of the slice, from 0; setting it rounds to a whole one."""
        return float(self.picture_index[0]) if self.cube is not None else 0.0

    @slice.setter
    def slice(self, value: float) -> None:
        if self.cube is None:
            raise CommandError(f"{self.data.name} is no cube, so it has no slices.")
        chosen = round(number(-0.5, self.count - 0.5, "number of the slice")(value))
        axis, (row, column) = (self.order or NATURAL)[0], self.point[1:]
        if axis == 0:
            self.index = (chosen,)
        else:
            self.cut = (chosen, column) if axis == 1 else (row, chosen)

    def update(self, **values: Any) -> None:
        """Set several properties; ``slice`` may be among them."""
        before = self.recorded() if "slice" in values else {}
        chosen = values.pop("slice", None)
        super().update(**values)
        if chosen is None:
            return
        try:
            self.slice = chosen
        except Exception:
            super().update(**before)
            raise

    @property
    def slab_now(self) -> tuple[float, float, str] | None:
        """The slab that is shown: where its subset is now, if it follows one."""
        if self.slab is not None and self.live_slab is not None and self.slab_subset:
            return (*self.live_slab, self.slab[2])
        return self.slab

    @property
    def shows_slab(self) -> bool:
        """Whether the statistic of a range is drawn in place of slices."""
        return self.slab is not None and self.cube is not None and not self.order and self._is_deep

    @property
    def slab_text(self) -> str:
        """What of which range is shown in place of slices, in words; empty for slices."""
        if not self.shows_slab or not self.data.axis_ready:
            return ""
        from jviz.spectral_display import channel_within, scale_of

        low, high, statistic = self.slab_now  # type: ignore[misc]
        axis, scale = self.data.axis, scale_of(self.data.axis)
        ends = f"{scale.text(channel_within(axis, low), unit=False)} – {scale.text(channel_within(axis, high))}"
        return f"{statistic.replace('moment', 'moment ')}, {ends}"

    @property
    def is_made(self) -> bool:
        """Whether what is drawn is worked out of several slices."""
        return self.cube is not None and self._is_deep and (self.shows_slab or self.width > 1)

    @property
    def shown_unit(self) -> str:
        """The unit of what is drawn; moments have one of their own."""
        unit, statistic = super().shown_unit, self.slab[2] if self.shows_slab else ""
        if not statistic.startswith("moment") or not self.data.axis_ready:
            return unit
        return moment_unit(unit, self.data.axis.unit, int(statistic[-1]))

    @property
    def _is_deep(self) -> bool:
        plane = self.data.plane(self.plane)
        return len(plane.shape) == 3 and plane.meaning != "flags"

    @property
    def has_limits_of_cube(self) -> bool:
        """Whether limits are those of all slices, whichever is shown."""
        return self.limits_from == "cube" and self.cube is not None and not self.shows_slab and self._is_deep

    @property
    def limits_key(self) -> tuple:
        """What limits of the whole image depend on, besides the mode."""
        if self.has_limits_of_cube:
            return (self.picture, self.plane, "cube")
        return (*super().limits_key, self.slab_now if self.shows_slab else None, self.width)

    def raster(self) -> Any:
        """Return the `jviz.backend.render.raster.Raster` that is drawn."""
        from jviz.cube_pictures import mean_raster, slab_raster

        if self.shows_slab:
            return slab_raster(self.data, self.plane, self.slab_now)
        if self.is_made:
            return mean_raster(self.picture, self.plane, self.picture_index[0], self.width)
        return super().raster()

    def rough_raster(self) -> Any:
        """Return the raster of a first look at a slab that takes long to work out, or None."""
        from jviz.cube_pictures import rough_slab_raster

        return rough_slab_raster(self.data, self.plane, self.slab_now) if self.shows_slab else None

    def computed_limits(self, *, exact: bool = True) -> tuple[float, float]:
        """Work out limits for the present mode, of all slices where ``limits_from`` is "cube"."""
        if not self.has_limits_of_cube or (self.operation and self.against is not None):
            return self.sensible_limits(super().computed_limits(exact=exact))
        from jviz.cube_pictures import limits_of_cube

        return limits_of_cube(self.picture, self.plane, self.limits_mode, self.percentiles, exact=exact)


    def sensible_limits(self, limits: tuple[float, float]) -> tuple[float, float]:
        """Return limits within the slab for a mean spectral value: where there is only noise it lies anywhere."""
        if not self.shows_slab or self.slab[2] != "moment1" or self.limits_mode != "auto":
            return limits
        low, high = self.slab_now[:2]  # type: ignore[index]
        low, high = max(low, limits[0]), min(high, limits[1])
        return (low, high) if low < high else self.slab_now[:2]  # type: ignore[index]


OF_CUBE = ("order", "cut", "width", "slab", "slab_subset", "slice")


class CubeView(ImageView):
    """The state of a cube viewer.

    Attributes
    ----------
    slice : float
        Number of the slice that the active layer shows, from 0.
    spectral_value : float
        Value of its channel, in the unit of the cube's axis; setting it takes the nearest channel.
    width, slab, order, cut
        Of the active layer, see `CubeLayer`.
    slice_bar : bool
        Whether the slice is chosen in a bar below the picture.
    slice_curve : str
        What the curve above the ruler of slices is: mean, std or max of each plane, or none.
    spectral_unit : str
        Unit in which spectral values are shown: "" is that of the file (GHz where it counts in Hz, km/s where in m/s);
        "channel"; "km/s" and others of velocity need a rest value (of the file, or from ``cube.spectral_axis``).
    loop : str
        What playing does at the end: loop, bounce, once.
    rate : float
        Slices a second.
    playing : int
        Slices that each step of playing goes on; 0 is still. Not recorded.
    match : str
        How views with the lock "slice" find the same slice: by wavelength, velocity or channel.
    """

    kind = "cube"
    accepts = ("cube", "image", "spectrum2d", "ramp")
    layer_type = CubeLayer
    lent = (*LAYER_PROPERTIES, *OF_CUBE)
    derived = ImageView.derived | {"playing"}

    slice_bar = CallbackProperty(True)
    slice_curve = Checked("mean", one_of(*CURVES, name="curve"))
    spectral_unit = CallbackProperty("")
    loop = Checked("loop", one_of(*LOOPS, name="way to go on"))
    rate = Checked(10.0, number(0.1, 60, "rate"))
    playing = CallbackProperty(0)
    match = Checked("wavelength", one_of(*MATCHES, name="way to match slices"))

    @property
    def leading(self) -> CubeLayer | None:
        """The layer whose slices the bar moves: the active one if it is a cube, else the topmost that is."""
        layers = [self.layer, *reversed(self.layers)] if self.layers else []
        return next((layer for layer in layers if getattr(layer, "cube", None) is not None), None)

    @property
    def spectral_value(self) -> float:
        """Value of the channel that is shown, in the unit of the cube's axis."""
        layer = cube_layer(self)
        return float(layer.data.axis.values[layer.point[0]])

    @spectral_value.setter
    def spectral_value(self, value: float) -> None:
        layer = cube_layer(self)
        layer.index = (channel_at(layer.data, float(value)),)

    def update(self, **values: Any) -> None:
        """Set several properties; ``slice`` and ``spectral_value`` may be among them."""
        value = values.pop("spectral_value", None)
        channel = None if value is None else channel_at(cube_layer(self).data, float(value))
        super().update(**values)
        if channel is not None:
            cube_layer(self).index = (channel,)


for _name in OF_CUBE:
    setattr(CubeView, _name, of_active_layer(_name))


def cube_layer(view: Any) -> CubeLayer:
    """Return the layer of a view whose slices are stepped through.

    Raises
    ------
    CommandError
        When it shows no cube.
    """
    layer = getattr(view, "leading", None)
    if layer is None:
        raise CommandError(f"{view.name} shows no cube; open a cube in it first.")
    return layer


def channel_at(cube: Cube, value: float) -> int:
    """Return the channel nearest to a spectral value in the unit of the cube's axis.

    Raises
    ------
    CommandError
        When the value lies outside of the cube.
    """
    axis = cube.axis
    position = axis.channel_of(value)
    if math.isnan(position):
        low, high = sorted((float(axis.edges[0]), float(axis.edges[-1])))
        raise CommandError(
            f"{value:g} {axis.unit} is outside of {cube.name}, which reaches from {low:g} to {high:g} {axis.unit}."
        )
    return min(max(round(position), 0), len(axis) - 1)


declare_view(CubeView)


def without_companions(views: Iterable[View]) -> tuple[View, ...]:
    """Return views without those that came below a cube, show nothing of their own, and have no cube left to follow."""
    kept = tuple(views)
    if any(getattr(layer.data, "kind", "") == "cube" for view in kept for layer in view.layers):
        return kept
    return tuple(view for view in kept if view.layers or not view.below)

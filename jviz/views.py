"""The state of every viewer, owned by the session: with or without a window, undone and saved with it.

A state is an echo object whose recorded properties are plain values (numbers, texts, tuples).
The session watches them: whatever sets one, a mouse, a panel or a script, becomes a step that can
be undone and a line of the script.
"""

from __future__ import annotations

import itertools
from importlib import import_module
from typing import Any, ClassVar

from echo import CallbackProperty

from jviz.checked import (
    Checked,
    bit_colors,
    bits,
    colour,
    colour_map,
    knots,
    layer_number,
    levels,
    names,
    number,
    one_of,
    pair,
    positive,
    sky_frame,
    some_of,
)
from jviz.errors import CommandError
from jviz.states import State

__all__ = ["Checked", "ImageLayer", "ImageView", "State", "View", "number", "one_of", "pair", "some_of", "view_kinds"]

STRETCHES = ("linear", "sqrt", "squared", "log", "asinh", "sinh", "power", "histogram", "spline")
LIMIT_MODES = ("auto", "minmax", "percentile", "zscale", "manual")
BLENDS = ("normal", "add", "screen", "multiply", "lighten", "difference")
OPERATIONS = ("", "difference", "ratio")
LOCKS = ("pan", "zoom", "rotation", "cursor", "limits", "colormap", "slice")


class View(State):
    """What every viewer has: a name, a kind, and layers, the last of which is drawn on top.

    Attributes
    ----------
    name : str
        Unique in the session, ``"Image 1"``.
    layers : tuple of State
        Each with a ``data``.
    active : int
        Index of the layer that panels and shortcuts act on; −1 is the topmost.
    """

    kind: ClassVar[str] = ""
    accepts: ClassVar[tuple[str, ...]] = ()
    layer_type: ClassVar[type[State]]
    lent: ClassVar[tuple[str, ...]] = ()
    below: str = ""
    """Name of the view below which a window first shows this one; empty: among the others."""

    name = CallbackProperty("")
    layers = CallbackProperty(())
    active = CallbackProperty(-1)

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return its kind, and those of which it is a special one: whatever serves these serves it."""
        found = [vars(base).get("kind", "") for base in cls.__mro__]
        return tuple(dict.fromkeys(kind for kind in found if kind))

    @property
    def layer(self) -> Any:
        """The active layer, or None in an empty view."""
        if not self.layers:
            return None
        return self.layers[self.active] if -len(self.layers) <= self.active < len(self.layers) else self.layers[-1]

    def update(self, **values: Any) -> None:
        """Set several properties of the view, and of its active layer those that a view lends from it."""
        lent = {n: v for n, v in values.items() if self._lends(n)}
        before = self.layer.recorded() if lent else {}
        if lent:
            self.layer.update(**lent)
        try:
            super().update(**{n: v for n, v in values.items() if n not in lent})
        except Exception:
            if lent:
                self.layer.update(**before)
            raise

    def _lends(self, name: str) -> bool:
        is_own = self.is_callback_property(name) or not isinstance(getattr(type(self), name, None), property)
        return not is_own and self.layer is not None and name in self.lent

    @property
    def data(self) -> Any:
        """The data of the active layer, or None."""
        return self.layer.data if self.layer is not None else None

    def __repr__(self) -> str:
        shown = ", ".join(dict.fromkeys(layer.data.name for layer in self.layers))
        return f"<{type(self).__name__} {self.name!r} of {shown or 'nothing'}>"


class ImageLayer(State):
    """How one image looks.

    Attributes
    ----------
    data : jviz.data.Data
        The image; ``plane`` names the array shown, ``""`` is its first.
    index : tuple of int
        Which slice of an array with more than two axes.
    stretch : str
        linear, sqrt, squared, log, asinh, sinh, power, histogram or spline.
    stretch_parameter : float or None
        ``a`` of log, asinh and sinh, the exponent of power; None takes the usual one.
    knots : tuple of (float, float)
        Of the spline stretch, in 0..1.
    limits_mode : str
        auto, minmax, percentile (``percentiles``), zscale or manual (``limits``).
    limits_from : str
        "image": all pixels; "view": those in sight; "cube": all slices of a cube.
    limits : (float, float) or None
        In data units; setting them makes the mode manual.
    contrast, bias : float
        As in DS9: 1 and 0.5 leave the colours as they are.
    colormap : str
        Name of a colour map, or a colour like ``"#ff8800"``: from black to that.
    blend : str
        How the layer joins those below: normal covers them, add, screen, multiply, lighten, difference.
    operation : str
        "" shows the data; "difference" and "ratio" show data − ``against`` and data / ``against``,
        pixel by pixel of the picture.
    against : jviz.data.Data or None
    dq : bool
        Whether its data quality flags are drawn over it.
    dq_bits : tuple of int or None
        Bits that are drawn; None: all.
    dq_opacity : float
    dq_colors : tuple of (int, str)
        Colours of bits, ``(10, "#ff8800")``, other than the usual ones.
    contour_levels : tuple of float
        Values that contours are drawn of; empty: none.
    contour_color : str
        ``"#rrggbb"``; empty: one by the number of the layer.
    contour_smoothing : float
        Sigma, in pixels, of a Gaussian that the image is smoothed by first.
    contour_width : float
        Of the lines, in screen pixels.
    contour_labels : bool
        Whether each level is written at one of its lines.
    """

    derived = frozenset({"shown_limits"})
    limits_depend_on: ClassVar[tuple[str, ...]] = (
        "data", "plane", "index", "limits_mode", "limits_from", "percentiles", "operation", "against",
    )  # fmt: skip

    data = CallbackProperty(None)
    plane = CallbackProperty("")
    index = CallbackProperty(())
    visible = CallbackProperty(True)
    opacity = Checked(1.0, number(0, 1, "opacity"))
    stretch = Checked("linear", one_of(*STRETCHES, name="stretch"))
    stretch_parameter = Checked(None, positive("parameter of the stretch"))
    knots = Checked(((0.0, 0.0), (0.25, 0.25), (0.5, 0.5), (0.75, 0.75), (1.0, 1.0)), knots)
    limits_mode = Checked("auto", one_of(*LIMIT_MODES, name="kind of limits"))
    limits_from = Checked("image", one_of("image", "view", "cube", name="source of limits"))
    percentiles = Checked((0.5, 99.5), pair)
    manual_limits = Checked(None, pair)
    colormap = Checked("gray", colour_map)
    invert = CallbackProperty(False)
    contrast = Checked(1.0, number(0, 100, "contrast"))
    bias = Checked(0.5, number(-10, 10, "bias"))
    nan_color = Checked("", colour)
    blend = Checked("normal", one_of(*BLENDS, name="blend mode"))
    operation = Checked("", one_of(*OPERATIONS, name="operation"))
    against = CallbackProperty(None)
    dq = CallbackProperty(False)
    dq_bits = Checked(None, bits)
    dq_opacity = Checked(0.7, number(0, 1, "opacity"))
    dq_colors = Checked((), bit_colors)
    contour_levels = Checked((), levels)
    contour_color = Checked("", colour)
    contour_smoothing = Checked(0.0, number(0, 1000, "smoothing"))
    contour_width = Checked(1.3, number(0.5, 8, "width of contours"))
    contour_labels = CallbackProperty(False)
    shown_limits = CallbackProperty(None, docstring="(low, high) that are in use now; computed, not recorded")

    def __init__(self) -> None:
        super().__init__()
        for name in self.limits_depend_on:
            self.add_callback(name, self._forget_limits)

    def update(self, **values: Any) -> None:
        """Set several properties; ``limits`` may be among them."""
        if "limits" in values:
            values |= {"manual_limits": values.pop("limits"), "limits_mode": "manual"}
        super().update(**values)

    def _forget_limits(self, _: Any) -> None:
        self.shown_limits = None

    @property
    def picture(self) -> Any:
        """What is drawn: the data themselves, or a side of a cube (`jviz.cube_views.CubeLayer`)."""
        return self.data

    @property
    def picture_index(self) -> tuple[int, ...]:
        """Which slice of `picture`."""
        return self.index

    @property
    def is_made(self) -> bool:
        """Whether what is drawn is worked out of several slices, so that no pixel of the file is what is shown."""
        return False

    @property
    def shown_unit(self) -> str:
        """The unit of what is drawn."""
        return self.data.plane(self.plane).unit

    @property
    def limits_key(self) -> tuple:
        """What limits of the whole image depend on, besides the mode."""
        return (self.picture, self.plane, self.picture_index)

    def raster(self) -> Any:
        """Return the `jviz.backend.render.raster.Raster` that is drawn."""
        plane, index = self.picture.plane(self.plane), self.picture_index
        own = index[len(index) - (len(plane.shape) - 2) :] if len(plane.shape) > 2 else ()
        return self.picture.raster(self.plane, own)

    def sample(self) -> Any:
        """Return values over the whole of what is drawn, a difference or ratio where it is one (reads the images)."""
        if self.operation and self.against is not None:
            from jviz.combining import low_resolution

            return low_resolution(self)
        return self.raster().sample()

    @property
    def limits(self) -> tuple[float, float]:
        """The limits in use, in data units; computed at once when no viewer has yet."""
        if self.limits_mode == "manual" and self.manual_limits is not None:
            return self.manual_limits
        if self.shown_limits is None:
            self.shown_limits = self.computed_limits()
        return self.shown_limits

    @limits.setter
    def limits(self, value: tuple[float, float]) -> None:
        self.update(manual_limits=pair(value), limits_mode="manual")

    def computed_limits(self, *, exact: bool = True) -> tuple[float, float]:
        """Work out the limits of the whole image for the present mode (reads the image)."""
        if self.operation and self.against is not None:
            from jviz.combining import limits_of

            return limits_of(self)
        return self.data.limits_of(self.raster(), self.limits_mode, percentiles=self.percentiles, exact=exact)


LAYER_PROPERTIES = (
    "stretch", "stretch_parameter", "knots", "limits_mode", "limits_from", "percentiles", "limits",
    "colormap", "invert", "contrast", "bias", "nan_color", "plane", "opacity", "blend",
    "dq", "dq_bits", "dq_opacity", "dq_colors", "contour_levels", "contour_color", "contour_smoothing",
    "contour_width", "contour_labels",
)  # fmt: skip


def of_active_layer(name: str) -> property:
    """Make a property of a view that stands for the one of its active layer."""

    def layer_of(view: View) -> Any:
        if view.layer is None:
            raise CommandError(f"{view.name} shows no data, so it has no {name}.")
        return view.layer

    return property(
        lambda view: getattr(layer_of(view), name),
        lambda view, value: setattr(layer_of(view), name, value),
        doc=f"`{name}` of the active layer.",
    )


class ImageView(View):
    """The state of an image viewer.

    Attributes
    ----------
    centre : (float, float) or None
        Data pixel (x, y) of the first layer in the middle of the view; None: the image's middle.
    scale : float or None
        Screen pixels per data pixel, along x; None: the whole image fits.
    aspect : float or None
        How many times as high as wide pixels are drawn; None: as they are on the sky, and 2-D spectra fill the view.
    rotation : float
        Degrees by which the picture is turned counter-clockwise.
    flip_x, flip_y : bool
    axes : str
        "none", "pixel" or "sky": what the edges of the picture say.
    grid, colorbar, compass, scale_bar, beam, overview, magnifier : bool
    sky_frame, sky_style : str
        Of the grid and the read-out: icrs, fk5 (J2000), fk4 (B1950), galactic, ecliptic (J2000), or with another
        equinox, ``"fk5 J1975"``; sexagesimal, degrees.
    smooth : bool
        Interpolate between magnified pixels.
    align : str
        "sky": layers lie where they are on the sky, those without one pixel on pixel; "pixels": all of them.
    locks : tuple of str
        What is kept the same in all views that have the same lock: pan, zoom, rotation, cursor,
        limits (with the stretch), colormap.
    solo : int or None
        Number of the layer that is shown alone, from 0.
    blink : float
        Seconds for which each visible layer is shown in turn; 0: all are shown together.
    curtain : float or None
        Share of the picture, from the left or the top, that shows what is below the topmost layer.
    curtain_axis : str
        "vertical": the curtain's edge is upright; "horizontal": it is level.
    composite : str
        "layers": each layer is coloured and blended as it says; "lupton": their values are brought into one
        picture that keeps the colours of bright sources (Lupton et al. 2004, PASP 116, 133).
    lupton_q, lupton_stretch : float
        Softening, and the value (the limits of a layer count 0 and 1) up to which the stretch is linear.
    flag_legend : bool
        Whether the flags in sight that are drawn over an image are named in its corner.
    catalog_marks : bool
        Whether rows of catalogues are marked at their positions.
    exclude_flags : tuple of str
        Names of data quality flags whose pixels measurements leave out (``"bit 13"`` for one without a name).
    """

    kind = "image"
    accepts = ("image", "spectrum2d", "cube", "ramp", "psf")
    layer_type = ImageLayer
    lent = LAYER_PROPERTIES
    navigation = frozenset({"centre", "scale", "aspect"})
    derived = frozenset({"blinking"})
    viewport: tuple[float, float] = (1000.0, 800.0)
    """Width and height of the picture in screen pixels; set by the viewer, no part of the state."""

    centre = Checked(None, pair)
    scale = Checked(None, lambda v: None if v is None else number(1e-6, 1e4, "scale")(v))
    aspect = Checked(None, lambda v: None if v is None else number(1e-3, 1e3, "aspect of pixels")(v))
    rotation = Checked(0.0, lambda v: number(name="rotation")(v) % 360)
    flip_x = CallbackProperty(False)
    flip_y = CallbackProperty(False)
    axes = Checked("none", one_of("none", "pixel", "sky", name="kind of axes"))
    grid = CallbackProperty(False)
    colorbar = CallbackProperty(True)
    compass = CallbackProperty(True)
    scale_bar = CallbackProperty(True)
    beam = CallbackProperty(True)
    overview = CallbackProperty(False)
    magnifier = CallbackProperty(False)
    sky_frame = Checked("icrs", sky_frame)
    sky_style = Checked("sexagesimal", one_of("sexagesimal", "degrees", name="style"))
    smooth = CallbackProperty(False)
    align = Checked("sky", one_of("sky", "pixels", name="way to align layers"))
    locks = Checked(("cursor",), some_of(*LOCKS, name="lock"))
    solo = Checked(None, layer_number)
    blink = Checked(0.0, number(0, 60, "time for each layer"))
    blinking = CallbackProperty(None, docstring="number of the layer in sight now; not recorded")
    curtain = Checked(None, lambda v: None if v is None else number(0, 1, "place of the curtain")(v))
    curtain_axis = Checked("vertical", one_of("vertical", "horizontal", name="direction"))
    composite = Checked("layers", one_of("layers", "lupton", name="way to compose layers"))
    lupton_q = Checked(8.0, number(0, 1000, "Q"))
    lupton_stretch = Checked(0.5, number(1e-6, 1e6, "stretch"))
    flag_legend = CallbackProperty(True)
    catalog_marks = CallbackProperty(True)
    exclude_flags = Checked(("DO_NOT_USE",), names)

    @property
    def shown(self) -> tuple[ImageLayer, ...]:
        """The layers that are drawn now, from the bottom up."""
        alone = self.solo if self.blinking is None else self.blinking
        if alone is not None and alone < len(self.layers):
            return (self.layers[alone],)
        return tuple(layer for layer in self.layers if layer.visible and layer.opacity > 0)

    @property
    def wanted(self) -> tuple[ImageLayer, ...]:
        """The layers that are drawn now or will be at the next blink."""
        visible = tuple(layer for layer in self.layers if layer.visible and layer.opacity > 0)
        return tuple(dict.fromkeys((*self.shown, *visible))) if self.blink or self.solo is not None else self.shown


for _name in LAYER_PROPERTIES:
    setattr(ImageView, _name, of_active_layer(_name))

_kinds: dict[str, type[View]] = {}


def declare_view(kind: type[View]) -> type[View]:
    """Register a kind of view state under its ``kind`` (plugins do so through `jviz.api`)."""
    _kinds[kind.kind] = kind
    return kind


def view_kinds() -> dict[str, type[View]]:
    """Return the view states by kind."""
    for name in ("plot_views", "catalog_views", "cube_views", "channel_views", "spectrum_views", "association_data"):
        import_module(f"jviz.{name}")
    return dict(_kinds)


declare_view(ImageView)


def free_name(stem: str, taken: Any) -> str:
    """Return ``stem``, or the first of ``stem (2)``, ``stem (3)`` … that is not taken."""
    if stem not in taken:
        return stem
    return next(name for n in itertools.count(2) if (name := f"{stem} ({n})") not in taken)

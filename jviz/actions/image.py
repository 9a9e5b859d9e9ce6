"""Commands on image views: navigation, orientation, limits, stretch, colours, overlays."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from jviz.commands import command
from jviz.errors import CommandError
from jviz.geometry import geometry_of, image_shape
from jviz.positions import pixel_of
from jviz.session import Session
from jviz.views import ImageView

ZOOM = "View/Zoom"
ORIENTATION = "View/Orientation"
SHOW = "View/Show"
Frame = Literal["icrs", "fk5", "fk4", "galactic", "ecliptic"]


def _image(session: Session, view: ImageView | None) -> Any:
    view = session.find_view(view, "image")
    if view.layer is None:
        raise CommandError(f"{view.name} shows no image yet.")
    return view


def _zoom_by(view: Any, factor: float) -> None:
    view.scale = min(max(geometry_of(view).scale * factor, 1e-5), 1e3)


@command(
    "image.zoom_in",
    merges=True,
    title="Zoom In",
    menu=ZOOM,
    shortcut="+; =; Ctrl++",
    needs="image",
    icon="fa6s.magnifying-glass-plus",
    group="zoom",
)
def zoom_in(session: Session, view: ImageView | None = None, factor: float = 2.0) -> None:
    """Magnify about the centre."""
    _zoom_by(_image(session, view), factor)


@command(
    "image.zoom_out",
    merges=True,
    title="Zoom Out",
    menu=ZOOM,
    shortcut="-; Ctrl+-",
    needs="image",
    icon="fa6s.magnifying-glass-minus",
    group="zoom",
)
def zoom_out(session: Session, view: ImageView | None = None, factor: float = 2.0) -> None:
    """Show more of the image about the centre."""
    _zoom_by(_image(session, view), 1 / factor)


@command("image.fit", title="Fit", menu=ZOOM, shortcut="F; Home", needs="image", icon="fa6s.expand", group="zoom")
def fit(session: Session, view: ImageView | None = None) -> None:
    """Show the whole image, in pixels as it comes; it stays whole when the window changes its size."""
    _image(session, view).update(centre=None, scale=None, aspect=None)


@command("image.aspect", title="Stretch Pixels…", menu=ZOOM, needs="image", group="zoom", merges=True)
def aspect(session: Session, aspect: float | None = None, view: ImageView | None = None) -> None:
    """Draw pixels higher than wide, as Shift and the wheel do.

    Parameters
    ----------
    aspect : float, optional
        How many times as high as wide; 1 is square. By default as they are on the sky (square where they nearly are),
        and so that pictures with wavelength along an edge fill the view.
    """
    _image(session, view).aspect = aspect


@command("image.square_pixels", title="Square Pixels", menu=ZOOM, needs="image", group="zoom")
def square_pixels(session: Session, on: bool | None = None, view: ImageView | None = None) -> None:
    """Draw pixels square, or as they are on the sky again; ``on`` left out turns it round."""
    view = _image(session, view)
    view.aspect = 1.0 if (geometry_of(view).aspect != 1.0 if on is None else on) else None


@command(
    "image.one_to_one",
    title="One Screen Pixel per Data Pixel",
    menu=ZOOM,
    shortcut="1",
    needs="image",
    icon="mdi6.numeric-1-box-outline",
    group="zoom",
)
def one_to_one(session: Session, view: ImageView | None = None) -> None:
    """Show each data pixel as one screen pixel."""
    _image(session, view).scale = 1.0


@command("image.zoom", title="Zoom to Scale…", menu=ZOOM, needs="image", group="zoom")
def zoom(session: Session, scale: float, view: ImageView | None = None) -> None:
    """Show ``scale`` screen pixels per data pixel."""
    _image(session, view).scale = scale


@command("image.zoom_to", merges=True, title="Zoom to Box…", menu=ZOOM, needs="image", group="zoom")
def zoom_to(session: Session, x0: float, y0: float, x1: float, y1: float, view: ImageView | None = None) -> None:
    """Show a box between two corners, in data pixels."""
    view = _image(session, view)
    if x0 == x1 or y0 == y1:
        raise CommandError(f"The box from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) is empty; give two different corners.")
    from jviz.geometry import fitting_scale

    width, height = view.viewport
    scale = fitting_scale((abs(y1 - y0), abs(x1 - x0)), width, height, view.rotation, geometry_of(view).aspect)
    view.update(centre=((x0 + x1) / 2, (y0 + y1) / 2), scale=min(scale, 1e3))


@command(
    "image.go_to",
    title="Go to…",
    menu=ZOOM,
    shortcut="Ctrl+G",
    needs="image",
    job=True,
    icon="fa6s.location-crosshairs",
    group="go",
)
def go_to(session: Session, position: str, view: ImageView | None = None, scale: float | None = None) -> Any:
    """Centre on a pixel, a sky position or a named object.

    Parameters
    ----------
    position : str
        ``"x, y"`` with ``pixel`` before it or for images off the sky (``"pixel 512 300"``), a sky
        position in any usual form (``"10:00:28.6 +02:12:21"``, ``"galactic 121.2 -21.6"``) or an
        object's name (``"M 31"``).
    scale : float, optional
        Screen pixels per data pixel; as it is by default.
    """
    from jviz.running import Apply

    view = _image(session, view)
    x, y, text = pixel_of(session, view.layers[0].data, position)
    ny, nx = image_shape(view)
    if not (-0.5 <= x <= nx - 0.5 and -0.5 <= y <= ny - 0.5):
        raise CommandError(
            f"{position} is not on {view.layers[0].data.name}: it falls on pixel ({x:.1f}, {y:.1f}) of {nx} × {ny}."
        )

    def apply() -> tuple[float, float]:
        view.update(centre=(x, y), **({} if scale is None else {"scale": scale}))
        return x, y

    return Apply(apply, f"Go to {text}", {"position": f"pixel {x!r} {y!r}", "view": view})


@command("image.show_place", title="Centre All Images on…", menu=ZOOM, needs="image", job=True, group="go")
def show_place(session: Session, position: str) -> Any:
    """Centre every image on which a place lies.

    Parameters
    ----------
    position : str
        A sky position in any usual form, or an object's name.

    Raises
    ------
    CommandError
        When it lies on none of them.
    """
    from jviz.positions import sky_position
    from jviz.running import Apply

    lon, lat, text = sky_position(session, position)
    there = {}
    for view in session.views.values():
        if isinstance(view, ImageView) and view.layers and view.layers[0].data.sky is not None:
            x, y = (float(v) for v in view.layers[0].data.sky.sky_to_pixel(lon, lat))
            ny, nx = image_shape(view)
            if -0.5 <= x <= nx - 0.5 and -0.5 <= y <= ny - 0.5:
                there[view] = x, y
    if not there:
        raise CommandError(f"{text} is on none of the images that are shown.")

    def apply() -> tuple[float, float]:
        for view, centre in there.items():
            if view in session.views.values():
                view.update(centre=centre)
        return lon, lat

    return Apply(apply, f"Centre on {text}", {"position": f"{lon!r} {lat!r}"})


def _pan(session: Session, view: ImageView | None, dx: float, dy: float) -> None:
    view = _image(session, view)
    geometry = geometry_of(view)
    x, y = geometry.to_data(geometry.width * (0.5 + dx), geometry.height * (0.5 + dy))
    view.centre = (x, y)


@command("image.pan", merges=True, title="Pan…", needs="image", group="go")
def pan(session: Session, dx: float = 0.0, dy: float = 0.0, view: ImageView | None = None) -> None:
    """Move the view to the right and down by fractions of its size."""
    _pan(session, view, dx, dy)


for _name, _title, _key, _step in (
    ("left", "Left", "Left", (-0.125, 0.0)),
    ("right", "Right", "Right", (0.125, 0.0)),
    ("up", "Up", "Up", (0.0, -0.125)),
    ("down", "Down", "Down", (0.0, 0.125)),
):

    def _make(step: tuple[float, float], where: str) -> Any:
        def go(session: Session, view: ImageView | None = None) -> None:
            _pan(session, view, *step)

        go.__doc__ = f"Move the view {where} by an eighth of its size."
        return go

    command(
        f"image.pan_{_name}", merges=True, title=f"Pan {_title}", menu=ZOOM, shortcut=_key, needs="image", group="pan"
    )(_make(_step, _name))


# --- orientation ----------------------------------------------------------------------------------


@command("image.rotate", title="Rotate…", menu=ORIENTATION, needs="image", group="rotate")
def rotate(session: Session, angle: float, view: ImageView | None = None) -> None:
    """Turn the picture counter-clockwise by ``angle`` degrees from where it is now."""
    view = _image(session, view)
    view.rotation = view.rotation + angle


@command(
    "image.rotate_left",
    title="Rotate by 90°",
    menu=ORIENTATION,
    shortcut="R",
    needs="image",
    group="rotate",
    icon="fa6s.rotate-left",
)
def rotate_left(session: Session, view: ImageView | None = None) -> None:
    """Turn the picture counter-clockwise by a quarter turn."""
    rotate(session, 90, view)


@command("image.flip_x", title="Flip Left and Right", menu=ORIENTATION, shortcut="X", needs="image", group="flip")
def flip_x(session: Session, view: ImageView | None = None) -> None:
    """Mirror the picture along x."""
    view = _image(session, view)
    view.flip_x = not view.flip_x


@command("image.flip_y", title="Flip Up and Down", menu=ORIENTATION, shortcut="Y", needs="image", group="flip")
def flip_y(session: Session, view: ImageView | None = None) -> None:
    """Mirror the picture along y."""
    view = _image(session, view)
    view.flip_y = not view.flip_y


@command(
    "image.north_up",
    title="North Up, East Left",
    menu=ORIENTATION,
    shortcut="N",
    needs="image",
    job=True,
    group="north",
    icon="fa6s.compass",
)
def north_up(session: Session, view: ImageView | None = None) -> Any:
    """Turn and mirror the picture so that north is up and east is left at the view's centre."""
    from jviz.running import Apply

    view = _image(session, view)
    sky = view.layers[0].data.sky
    if sky is None:
        raise CommandError(f"{view.layers[0].data.name} has no sky coordinates, so it has no north.")
    geometry = geometry_of(view)
    x, y = geometry.centre
    north, hand = math.radians(sky.north_angle(x, y)), float(sky.handedness(x, y))
    north = math.degrees(math.atan2(math.sin(north), geometry.aspect * math.cos(north)))
    # An image on which east is right of north must be mirrored; that mirrors the angle of north too.
    flip = hand < 0
    values = {"flip_x": flip, "flip_y": False, "rotation": north if flip else -north}
    return Apply(lambda: view.update(**values), "North up", {"view": view})


@command("image.reset_orientation", title="As in the File", menu=ORIENTATION, needs="image", group="north")
def reset_orientation(session: Session, view: ImageView | None = None) -> None:
    """Show the first pixel at the bottom left, neither turned nor mirrored."""
    _image(session, view).update(rotation=0.0, flip_x=False, flip_y=False)


# --- limits, stretch, colours ---------------------------------------------------------------------


@command("image.limits", title="Limits…", menu="Image", needs="image", group="limits")
def limits(
    session: Session,
    mode: Literal["auto", "minmax", "percentile", "zscale", "manual"] = "auto",
    low: float | None = None,
    high: float | None = None,
    view: ImageView | None = None,
    *,
    of: Literal["image", "view", "cube"] = "image",
) -> None:
    """Set the display limits of the active layer.

    Parameters
    ----------
    mode : str
        ``percentile`` takes ``low`` and ``high`` in per cent, ``manual`` in data units.
    of : str
        Worked out over all pixels of the image, over those in sight, or over all slices of a cube.
    """
    layer = _image(session, view).layer
    values: dict[str, Any] = {"limits_mode": mode, "limits_from": of}
    if mode in ("manual", "percentile"):
        if (low is None) != (high is None) or (mode == "manual" and low is None):
            raise CommandError(f"Limits of kind {mode} need both low and high.")
        if low is not None:
            values["manual_limits" if mode == "manual" else "percentiles"] = (low, high)
    if low is not None and high is not None and low >= high:
        raise CommandError(f"The lower limit {low:g} must be below the upper one, {high:g}.")
    layer.update(**values)


@command("image.stretch", title="Stretch…", menu="Image", needs="image", group="stretch")
def stretch(
    session: Session,
    stretch: Literal["linear", "sqrt", "squared", "log", "asinh", "sinh", "power", "histogram", "spline"] = "linear",
    parameter: float | None = None,
    view: ImageView | None = None,
) -> None:
    """Set how values between the limits become brightness.

    Parameters
    ----------
    parameter : float, optional
        ``a`` of log, asinh and sinh, the exponent of power.
    """
    _image(session, view).layer.update(stretch=stretch, stretch_parameter=parameter)


@command("image.colormap", title="Colour Map…", menu="Image", needs="image", group="colours")
def colormap(session: Session, colormap: str = "gray", invert: bool = False, view: ImageView | None = None) -> None:
    """Set the colour map of the active layer by its name (matplotlib's or DS9's)."""
    from jviz.backend.render.colormaps import colormap as look_up

    look_up(colormap)
    _image(session, view).layer.update(colormap=colormap, invert=invert)


@command(
    "image.invert",
    title="Invert Colours",
    menu="Image",
    shortcut="I",
    needs="image",
    group="colours",
    icon="fa6s.circle-half-stroke",
)
def invert(session: Session, view: ImageView | None = None) -> None:
    """Turn the colour map of the active layer round."""
    layer = _image(session, view).layer
    layer.invert = not layer.invert


@command("image.reset_contrast", title="Reset Contrast and Bias", menu="Image", needs="image", group="colours")
def reset_contrast(session: Session, view: ImageView | None = None) -> None:
    """Undo what dragging with the right button did to the colours."""
    _image(session, view).layer.update(contrast=1.0, bias=0.5)


@command("image.plane", title="Show Plane…", menu="Image", needs="image", group="planes")
def plane(session: Session, plane: str = "", view: ImageView | None = None) -> None:
    """Show another array of the same data: ``"ERR"``, ``"DQ"``; ``""`` is the first."""
    layer = _image(session, view).layer
    layer.data.plane(plane)
    layer.plane = plane


@command("image.slice", title="Show Slice…", menu="Image", needs="image", group="planes")
def show_slice(session: Session, index: tuple[int, ...], view: ImageView | None = None) -> None:
    """Show one slice of data with more than two axes: one number for each axis but the last two, from 0."""
    layer = _image(session, view).layer
    shape = layer.data.shape[:-2]
    index = tuple(int(n) for n in (index if isinstance(index, tuple | list) else (index,)))
    if len(index) != len(shape) or not all(0 <= n < size for n, size in zip(index, shape, strict=False)):
        sizes = " × ".join(map(str, shape)) or "no"
        raise CommandError(f"{layer.data.name} has {sizes} slices; {index} is none of them.")
    layer.index = index


def _step_slice(session: Session, view: ImageView | None, step: int) -> None:
    layer = _image(session, view).layer
    if getattr(layer, "cube", None) is not None:
        layer.slice = (round(layer.slice) + step) % layer.count
        return
    shape = layer.data.shape[:-2]
    if not shape:
        raise CommandError(f"{layer.data.name} has two axes only, so it has no slices to step through.")
    number = np.ravel_multi_index(layer.index or layer.data.middle, shape) + step
    layer.index = tuple(int(n) for n in np.unravel_index(number % math.prod(shape), shape))


@command("image.next_slice", title="Next Slice", menu="Image", shortcut="]", needs="image", group="planes")
def next_slice(session: Session, view: ImageView | None = None) -> None:
    """Show the next slice of a cube or a ramp; after the last comes the first."""
    _step_slice(session, view, 1)


@command("image.previous_slice", title="Previous Slice", menu="Image", shortcut="[", needs="image", group="planes")
def previous_slice(session: Session, view: ImageView | None = None) -> None:
    """Show the slice before this one."""
    _step_slice(session, view, -1)


# --- what is drawn over the image -----------------------------------------------------------------


def _toggle(name: str, title: str, shortcut: str, what: str, icon: str = "", *, id: str = "") -> None:
    @command(
        id or f"image.{name}", title=title, menu=SHOW, shortcut=shortcut, needs="image", group="overlays", icon=icon
    )
    def toggle(session: Session, on: bool | None = None, view: ImageView | None = None) -> None:
        view = _image(session, view)
        setattr(view, name, not getattr(view, name) if on is None else on)

    toggle.__doc__ = f"Show or hide {what}; ``on`` left out turns it round."


_toggle("grid", "Coordinate Grid", "G", "lines of equal longitude and latitude (or pixel numbers)", "fa6s.border-all")
_toggle("colorbar", "Colour Bar", "Shift+C", "the colour bar with its values")
_toggle("compass", "Compass", "Shift+N", "the arrows to north and east")
_toggle("scale_bar", "Scale Bar", "Shift+B", "the bar of a round angular length")
_toggle("beam", "Beam", "", "the beam of radio data in the lower left corner")
_toggle("overview", "Overview", "O", "the whole image with the part in view")
_toggle("magnifier", "Magnifier", "M", "the pixels round the cursor, magnified")
_toggle("flag_legend", "Legend of Flags", "", "the names of the data quality flags that are drawn over an image")
_toggle("catalog_marks", "Marks of Catalogues", "", "the rows of open catalogues at their positions")
_toggle("smooth", "Smooth Magnified Pixels", "", "interpolation between magnified pixels", id="image.interpolate")


@command("image.axes", title="Axes…", menu=SHOW, needs="image", group="axes")
def axes(session: Session, axes: Literal["none", "pixel", "sky"] = "sky", view: ImageView | None = None) -> None:
    """Label the edges with pixel numbers, sky coordinates or nothing."""
    _image(session, view).axes = axes


@command("image.sky_frame", title="Sky Frame…", menu=SHOW, needs="image", group="axes")
def sky_frame(
    session: Session,
    frame: Frame = "icrs",
    style: Literal["sexagesimal", "degrees"] = "sexagesimal",
    view: ImageView | None = None,
    *,
    equinox: float | None = None,
) -> None:
    """Choose the frame and style of sky coordinates in the grid and the read-out.

    Parameters
    ----------
    frame : str
        Ecliptic is mean and barycentric.
    equinox : float, optional
        Of fk5 and ecliptic, in Julian years, 2000 by default; of fk4, in Besselian years, 1950 by default.
    """
    from jviz.backend.render.frames import dated

    try:
        named = frame if equinox is None else dated(frame, equinox)
    except ValueError as error:
        raise CommandError(str(error)) from None
    _image(session, view).update(sky_frame=named, sky_style=style)

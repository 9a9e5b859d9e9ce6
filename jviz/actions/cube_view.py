"""Commands on cube views: slices, playing, sides, planes, slabs, and what is known of the spectral axis."""

from __future__ import annotations

from typing import Any, Literal

from jviz.commands import command
from jviz.cube_views import CubeLayer, CubeView, cube_layer
from jviz.data import Cube, Data
from jviz.errors import CommandError
from jviz.session import Session

MENU = "Cube"
Sides = Literal["x-y", "wavelength-x", "wavelength-y", "x-wavelength", "y-wavelength"]
ORDERS: dict[str, tuple[int, ...]] = {
    "x-y": (), "wavelength-x": (1, 2, 0), "wavelength-y": (2, 1, 0), "x-wavelength": (1, 0, 2),
    "y-wavelength": (2, 0, 1),
}  # fmt: skip
"""What lies along the horizontal and the vertical edge of the picture."""

Statistic = Literal["sum", "mean", "median", "min", "max", "moment0", "moment1", "moment2"]
POSITIONS = ("moment1", "moment2")


def _view(session: Session, view: CubeView | None) -> CubeView:
    found = session.find_view(view, "cube")
    cube_layer(found)
    return found  # type: ignore[return-value]


@command("cube.background", title="Background of Live Spectra…", menu=MENU, needs="cube", group="spectra",
         recorded=False)  # fmt: skip
def set_background(session: Session, region: str = "", ring: tuple[float, float] | None = None) -> None:
    """Take the mean of a region, or of a ring round each, away from the live spectra of regions on cubes.

    Parameters
    ----------
    region : str, optional
        Name of a region; none by default: spectra are as they are.
    ring : (float, float), optional
        In place of a region: what is round each region from so many times its size to so many times, (1.5, 2). Rings
        follow their regions. Annuli, masks and paths have none.
    """
    if region and ring is not None:
        raise CommandError("Give a region or a ring, not both.")
    session.cube_spectra.ring = ring
    session.cube_spectra.background = region


@command("cube.cone", title="Cones in Live Spectra…", menu=MENU, needs="cube", group="spectra", recorded=False)
def cone(session: Session, on: bool = True, reference: float | None = None) -> None:
    """Let regions on cubes grow in proportion to the wavelength in their live spectra, or leave them as drawn.

    Parameters
    ----------
    on : bool
    reference : float, optional
        Value on the spectral axis at which they are as drawn; the middle of each cube by default.
    """
    session.cube_spectra.use_cones(on, reference)


@command("cube.slice", title="Go to Slice…", menu=MENU, shortcut="Ctrl+Alt+G", needs="cube", group="slices",
         merges=True)  # fmt: skip
def go_to_slice(
    session: Session, slice: float | None = None, value: float | None = None, view: CubeView | None = None
) -> None:
    """Show a slice of a cube.

    Parameters
    ----------
    slice : float, optional
        Its number, from 0.
    value : float, optional
        The spectral value of the channel, in the unit of the cube's axis, in place of a number.
    """
    view = _view(session, view)
    if (slice is None) == (value is None):
        raise CommandError("Give either the number of the slice or a spectral value.")
    if value is None:
        cube_layer(view).slice = slice
    else:
        from jviz.cube_views import channel_at

        cube_layer(view).index = (channel_at(cube_layer(view).data, value),)


@command("cube.step", title="Step Through Slices…", menu=MENU, needs="cube", group="slices", merges=True)
def step(session: Session, by: int = 1, view: CubeView | None = None) -> None:
    """Go some slices on (or back); after the last comes the first."""
    step_slices(_view(session, view), by)


def step_slices(view: CubeView, by: int) -> None:
    """Move the slice of a view; what went beyond an end comes in at the other."""
    layer = cube_layer(view)
    layer.slice = (round(layer.slice) + by) % layer.count


@command("cube.play", title="Play Slices", menu=MENU, shortcut="Shift+Space", needs="cube", group="slices",
         recorded=False, script=False)  # fmt: skip
def play(
    session: Session,
    view: CubeView | None = None,
    on: bool | None = None,
    *,
    rate: float | None = None,
    loop: Literal["loop", "bounce", "once"] | None = None,
) -> None:
    """Play the slices of a cube one after the other, or stop.

    Parameters
    ----------
    on : bool, optional
        Left out: the other of what it does now.
    rate : float, optional
        Slices a second.
    loop : str, optional
        Begin again after the last, go back, or stop.
    """
    view = _view(session, view)
    view.update(**{n: v for n, v in (("rate", rate), ("loop", loop)) if v is not None})
    view.playing = int(not view.playing if on is None else on)


@command("cube.width", title="Average Slices…", menu=MENU, needs="cube", group="slices")
def width(session: Session, width: int = 1, view: CubeView | None = None) -> None:
    """Show the mean of so many neighbouring slices instead of one."""
    cube_layer(_view(session, view)).width = width


@command("cube.axes", title="Choose the Side of the Cube…", menu=MENU, needs="cube", group="sides")
def axes(session: Session, side: Sides = "x-y", view: CubeView | None = None) -> None:
    """Look at a cube from another side: wavelength along the horizontal or the vertical edge of the picture.

    Parameters
    ----------
    side : str
        What lies along the horizontal edge, and along the vertical one.
    """
    view = _view(session, view)
    view.update(centre=None, scale=None)
    cube_layer(view).order = ORDERS[side]


@command("cube.next_side", title="Next Side of the Cube", menu=MENU, shortcut="Shift+X", needs="cube", group="sides")
def next_side(session: Session, view: CubeView | None = None) -> None:
    """Go through the sides: the sky, wavelength and x, wavelength and y."""
    view = _view(session, view)
    sides = ["x-y", "wavelength-x", "wavelength-y"]
    now = next((side for side in sides if ORDERS[side] == cube_layer(view).order), sides[-1])
    axes(session, sides[(sides.index(now) + 1) % 3], view)  # type: ignore[arg-type]


@command("cube.plane", title="Next Plane (Error, Flags, Weights)", menu=MENU, shortcut="Shift+P", needs="cube",
         group="sides")  # fmt: skip
def plane(session: Session, plane: str | None = None, view: CubeView | None = None) -> None:
    """Show the errors, the flags, the weights … of a cube, one after the other.

    Parameters
    ----------
    plane : str, optional
        Name of the plane, ``"DQ"``; ``""`` is the first. Left out: the next one.
    """
    layer = cube_layer(_view(session, view))
    if plane is not None:
        layer.data.plane(plane)
        layer.plane = plane
        return
    names = [p.name for p in layer.picture.planes.values() if p.shape == layer.picture.shape]
    now = layer.plane or names[0]
    following = names[(names.index(now) + 1) % len(names)] if now in names else names[0]
    layer.plane = "" if following == names[0] else following


@command("cube.show_slab", title="Show a Slab…", menu=MENU, needs="cube", group="slabs")
def show_slab(
    session: Session,
    low: float | None = None,
    high: float | None = None,
    statistic: Statistic = "mean",
    *,
    subset: str = "",
    view: CubeView | None = None,
) -> None:
    """Show a statistic over a range of wavelengths (or what else the axis counts) in place of one slice.

    Without a range and a subset, slices are shown again.

    Parameters
    ----------
    low, high : float, optional
        Ends of the range in the unit of the cube's axis.
    statistic : str
        sum, mean, median, min, max; moment0 is the integral, moment1 the mean spectral value weighted by the flux,
        moment2 the variance about it.
    subset : str
        Name of a spectral region, whose changes the picture then follows.
    """
    layer = cube_layer(_view(session, view))
    if subset:
        low, high = _range_of(session, subset, layer.data)
    if low is None and high is None:
        layer.update(slab=None, slab_subset="", live_slab=None, **_stretch_for(layer, ""))
        return
    if low is None or high is None:
        raise CommandError("Give both ends of the slab.")
    _show_statistic(layer, low, high, statistic, slab_subset=subset, live_slab=None)


def _range_of(session: Session, name: str, cube: Cube) -> tuple[float, float]:
    from jviz.slabs import range_in

    return range_in(session.find_subset(name), cube)


@command("cube.slab_statistic", title="Statistic of the Slab…", menu=MENU, needs="cube", group="slabs")
def slab_statistic(session: Session, statistic: Statistic = "mean", view: CubeView | None = None) -> None:
    """Choose what of the slab is shown; without a slab, it becomes the tenth of the cube round the slice."""
    layer = cube_layer(_view(session, view))
    if layer.slab is None:
        axis, half = layer.data.axis, max(1, len(layer.data.axis) // 20)
        middle = layer.point[0]
        low, high = (axis.values[min(max(k, 0), len(axis) - 1)] for k in (middle - half, middle + half))
        _show_statistic(layer, float(low), float(high), statistic)
        return
    _show_statistic(layer, *layer.slab[:2], statistic)


def _show_statistic(layer: CubeLayer, low: float, high: float, statistic: str, **more: Any) -> None:
    layer.update(slab=(low, high, statistic), **_stretch_for(layer, statistic), **more)


def _stretch_for(layer: CubeLayer, statistic: str) -> dict[str, str]:
    """Return a stretch in equal steps for positions and widths of lines, and again that of fluxes after these.

    Where it was chosen by hand it stays.
    """
    before, usual = layer.slab[2] if layer.slab is not None else "", layer.data.suggested_stretch()
    if statistic in POSITIONS and before not in POSITIONS and layer.stretch == usual:
        return {"stretch": "linear"}
    if statistic not in POSITIONS and before in POSITIONS and layer.stretch == "linear":
        return {"stretch": usual}
    return {}


@command("cube.spectral_axis", title="Spectral Axis…", menu=MENU, needs="cube", group="axis")
def spectral_axis(
    session: Session,
    data: Data,
    axis: int | None = None,
    unit: str = "",
    *,
    first: float | None = None,
    step: float | None = None,
    medium: Literal["", "vacuum", "air"] = "",
    rest: float | None = None,
    rest_unit: Literal["Hz", "GHz", "m", "um", "nm", "Angstrom"] = "Hz",
    remember: bool = True,
) -> None:
    """Say what a file leaves open about the spectral axis of a cube; what is left out stays as the file says.

    Parameters
    ----------
    axis : int, optional
        Which axis of the array it is, counted as numpy does: 0 is the slowest, the last axis of the FITS header.
    unit : str
        Of the spectral values, as they are: nothing is converted.
    first, step : float, optional
        Value of the first channel and the step to the next, for files without coordinates.
    medium : str
        Of wavelengths.
    rest : float, optional
        Rest frequency or wavelength, for velocities.
    remember : bool
        For this file, when it is opened again.
    """
    from jviz.cube_choice import choice_of, choose
    from jviz.spectral import AxisChoice

    if not isinstance(data, Cube):
        raise CommandError(f"{data.name} is of kind {data.kind}; this is for cubes.")
    chosen = choice_of(data, AxisChoice(axis, unit, first, step, medium, rest, rest_unit))
    choose(session, data, chosen, remember=remember)


@command("cube.errors", title="Kind of Errors…", menu=MENU, needs="cube", group="axis")
def errors(
    session: Session,
    data: Cube,
    kind: Literal["standard deviation", "variance", "inverse variance"] = "variance",
    *,
    remember: bool = True,
) -> None:
    """Say what the plane of errors of a cube holds, where its name and its numbers contradict each other.

    Parameters
    ----------
    kind : {"standard deviation", "variance", "inverse variance"}
        The values stay as they are; only what is worked out of them changes.
    remember : bool
        For this file, when it is opened again.
    """
    from jviz.backend.cubes.error_kind import errors_plane
    from jviz.cube_choice import choice_of, choose
    from jviz.spectral import AxisChoice

    if errors_plane(data.product) is None:
        raise CommandError(f"{data.name} has no errors (ERR, variances) of its shape, so there is nothing to say.")
    meaning = "error" if kind == "standard deviation" else kind
    choose(session, data, choice_of(data, AxisChoice(errors=meaning)), remember=remember)

"""Commands that make figures of cubes: pages of channel maps, colours from three slabs, movies."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Literal

from jviz.actions.view import _new_layer, _new_view, copy_of_state, place, still_of
from jviz.backend.progress import Progress
from jviz.channel_views import ChannelMapsView
from jviz.commands import command
from jviz.cube_views import CubeView, cube_layer
from jviz.data import Cube
from jviz.errors import CommandError
from jviz.geometry import geometry_of
from jviz.session import Session
from jviz.views import View

MENU = "Cube/Figures"
COLOURS = ("#ff0000", "#00ff00", "#0000ff")


@command("cube.channel_maps", title="Channel Maps…", menu=MENU, needs="cube", group="figures")
def channel_maps(
    session: Session,
    view: CubeView | None = None,
    first: float | None = None,
    last: float | None = None,
    *,
    step: int | None = None,
    averaged: bool = True,
    rows: int = 3,
    columns: int = 4,
) -> View:
    """Show slices of a cube side by side, with one colour bar, as the cube view looks now: its part, colours, turn.

    File ▸ Export Figure writes them as PNG, PDF or SVG.

    Parameters
    ----------
    first, last : float, optional
        Ends of the range, in the unit of the cube's axis; the whole cube by default.
    step : int, optional
        Channels for each map; by default so many that all fit on one page.
    averaged : bool
        A map is the mean of its channels, not one of them.
    rows, columns : int
        Of a page.
    """
    source = session.find_view(view, "cube")
    layer = cube_layer(source)
    low, high = _channels(layer.data, first, last)
    maps = _new_view(session, "channel_maps")
    assert isinstance(maps, ChannelMapsView)
    copied = copy_of_state(layer)
    copied.update(order=(), slab=None, slab_subset="", width=1)
    maps.layers = (copied,)
    step = step if step is not None else -(-(high - low + 1) // (rows * columns))
    maps.update(first=low, last=high, step=step, averaged=averaged, rows=rows, columns=columns,
                spectral_unit=source.spectral_unit, field=_field_in_sight(source), rotation=source.rotation,
                flip_x=source.flip_x, flip_y=source.flip_y)  # fmt: skip
    session.set_views((*session.views.values(), maps))
    return maps


def _field_in_sight(view: CubeView) -> tuple[float, float, float, float] | None:
    """Return the part of the sky that a view was zoomed to; None for all of it."""
    if view.scale is None or cube_layer(view).is_side:
        return None
    x0, y0, x1, y1 = geometry_of(view).bounds(cube_layer(view).data.shape[-2:])
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _channels(cube: Cube, first: float | None, last: float | None) -> tuple[int, int]:
    from jviz.cube_views import channel_at

    low = 0 if first is None else channel_at(cube, first)
    high = cube.shape[0] - 1 if last is None else channel_at(cube, last)
    return min(low, high), max(low, high)


@command("cube.rgb", title="Colours from Three Slabs…", menu=MENU, needs="cube", group="figures")
def rgb(
    session: Session,
    data: Cube,
    red: tuple[float, float] | None = None,
    green: tuple[float, float] | None = None,
    blue: tuple[float, float] | None = None,
    *,
    statistic: Literal["sum", "mean", "median", "max"] = "mean",
) -> View:
    """Show three slabs of a cube as red, green and blue in one picture.

    Parameters
    ----------
    red, green, blue : (float, float), optional
        Ends of the ranges, in the unit of the cube's axis; by default the thirds of the cube, the longest
        wavelength in red.
    """
    thirds = _thirds(data)
    view = _new_view(session, "cube")
    place(session, view, [data], "add")
    layers = []
    for given, usual, colour in zip((red, green, blue), thirds, COLOURS, strict=True):
        layer = _new_layer(session, view, data)
        layer.update(slab=(*(given or usual), statistic), colormap=colour, limits_mode="percentile")
        layer.update(percentiles=(1.0, 99.7), blend="add", stretch="asinh", limits_from="image")
        layers.append(layer)
    view.update(layers=tuple(layers), active=-1, colorbar=False)
    session.set_views((*session.views.values(), view))
    return view


def _thirds(cube: Cube) -> list[tuple[float, float]]:
    """Return the thirds of the axis, from long to short wavelengths."""
    axis = cube.axis
    cuts = [round(len(axis) * share) for share in (0, 1 / 3, 2 / 3, 1)]
    ends = [(float(axis.edges[a]), float(axis.edges[b])) for a, b in pairwise(cuts)]
    long_last = axis.rises == (axis.quantity in ("wavelength", "velocity", "channel"))
    return ends[::-1] if long_last else ends


@command("cube.movie", title="Movie…", menu=MENU, needs="cube", group="figures", job=True)
def movie(
    session: Session,
    view: CubeView | None = None,
    path: Path = Path("cube.gif"),
    first: int = 0,
    last: int | None = None,
    *,
    step: int = 1,
    rate: float = 10.0,
    size: tuple[int, int] = (640, 480),
    label: bool = True,
    progress: Progress,
) -> Path:
    """Write the slices of a cube view as a movie, with the limits that it has now.

    Parameters
    ----------
    path : Path
        Ends with .gif or .mp4 (for which the package imageio-ffmpeg must be installed).
    first, last : int
        Slices, from 0; to the last one by default.
    step : int
        Every so many slices are a picture.
    rate : float
        Pictures a second.
    size : (int, int)
        Pixels, even numbers for mp4.
    label : bool
        Write the spectral value into the picture.
    """
    found = session.find_view(view, "cube")
    layer = cube_layer(found)
    final = layer.count - 1 if last is None else last
    if not (0 <= first <= final < layer.count) or step < 1:
        raise CommandError(f"There are slices 0 to {layer.count - 1}; {first} to {final} by {step} is no part of them.")
    if not 0.1 <= rate <= 120:
        raise CommandError(f"{rate:g} pictures a second cannot be shown; choose between 0.1 and 120.")
    still = session.dispatcher.ask(lambda: still_of(found))
    limits = cube_layer(still).limits
    cube_layer(still).update(limits=limits)
    slices = list(range(first, final + 1, step))
    movies = import_module("jviz.viewers.movie")  # draws, so it knows Qt
    return movies.write_movie(session, still, Path(path), slices, rate=rate, size=size, label=label, progress=progress)

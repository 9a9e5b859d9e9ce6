"""Commands that compare images: blink, curtain, difference, ratio, colour composites."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.actions.layer import layered
from jviz.actions.view import _new_view, place
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Data, WithPicture
from jviz.errors import CommandError
from jviz.outputs import maker_of, output_path
from jviz.session import Session
from jviz.views import ImageLayer, ImageView

COMPARE = "Image/Compare"
MOST_PIXELS = 200_000_000


def _several(view: ImageView, what: str) -> ImageView:
    if len([layer for layer in view.layers if layer.visible]) < 2:
        raise CommandError(f"{view.name} has one image in sight; add another one to it to {what} (View ▸ Show Data…).")
    return view


@command("compare.blink", title="Blink", menu=COMPARE, shortcut="K", needs="image", group="blink",
         icon="fa6s.repeat")  # fmt: skip
def blink(session: Session, seconds: float | None = None, view: ImageView | None = None) -> None:
    """Show the visible layers in turn; once more ends it.

    Parameters
    ----------
    seconds : float, optional
        For which each layer is shown; 0 ends it. The last pace, or half a second, by default.
    """
    view = layered(session, view)
    if seconds is None:
        seconds = 0.0 if view.blink else session.settings["image.blink"]
    if seconds > 0:
        _several(view, "blink")
    view.update(blink=seconds, solo=None)


@command("compare.curtain", title="Curtain", menu=COMPARE, shortcut="W", needs="image", group="curtain",
         icon="mdi6.arrow-split-vertical")  # fmt: skip
def curtain(
    session: Session,
    at: float | None = None,
    axis: Literal["vertical", "horizontal", ""] = "",
    view: ImageView | None = None,
    *,
    on: bool | None = None,
) -> None:
    """Draw the topmost layer on one side of a curtain that the mouse moves; once more takes it away.

    Parameters
    ----------
    at : float, optional
        Place of its edge, 0 (left or top) to 1.
    axis : str, optional
        "vertical": it parts left from right; "horizontal": top from bottom; as it was by default.
    """
    view = layered(session, view)
    shown = view.curtain is None or at is not None or bool(axis and axis != view.curtain_axis) if on is None else on
    if not shown:
        view.curtain = None
        return
    _several(view, "draw a curtain between them")
    place = at if at is not None else 0.5 if view.curtain is None else view.curtain
    view.update(curtain=place, curtain_axis=axis or view.curtain_axis, solo=None, blink=0.0)


@command("compare.curtain_level", title="Level Curtain", menu=COMPARE, shortcut="Shift+W", needs="image",
         group="curtain", icon="mdi6.arrow-split-horizontal")  # fmt: skip
def level_curtain(session: Session, view: ImageView | None = None) -> None:
    """Draw the topmost layer below the edge of a curtain; once more takes it away."""
    view = layered(session, view)
    off = view.curtain is not None and view.curtain_axis == "horizontal"
    curtain(session, axis="horizontal", view=view, on=not off)


def _add_operation(
    session: Session, view: ImageView | None, data: Data | None, against: Data | None, operation: str
) -> None:
    view = layered(session, view)
    shown = [layer for layer in view.layers if not layer.operation]
    if data is None:
        data = shown[-1].data if shown else view.layers[-1].data
    if against is None:
        below = [layer.data for layer in shown if layer.data is not data]
        if not below:
            raise CommandError(
                f"{view.name} has nothing to compare {data.name} with; add another image to it, or name one as against."
            )
        against = below[-1]
    for one in (data, against):
        if not isinstance(one, WithPicture):
            raise CommandError(f"{one.name} is of kind {one.kind}, which is no image; a {operation} needs two images.")
    if data is against:
        raise CommandError(f"A {operation} of {data.name} with itself shows nothing; choose another image.")
    _checked_units(data, against, operation)
    layer = ImageLayer()
    layer.update(data=data, index=data.middle, operation=operation, against=against, stretch="linear",
                 colormap="RdBu_r" if operation == "difference" else "viridis")  # fmt: skip
    view.update(layers=(*view.layers, layer), active=-1, solo=None, blink=0.0, curtain=None)


def _checked_units(data: Any, against: Any, operation: str) -> None:
    first, second = (" ".join(one.plane().unit.split()) for one in (data, against))
    if operation == "difference" and first and second and first.casefold() != second.casefold():
        from jviz.backend.units import parse_unit

        units = [parse_unit(unit) for unit in (first, second)]
        if None in units or units[0] != units[1]:
            raise CommandError(
                f"{data.name} is in {first} and {against.name} in {second}, so they have no difference. Convert one "
                "of them first, or look at their ratio."
            )


@command("compare.difference", title="Difference of Layers", menu=COMPARE, shortcut="Shift+D", needs="image",
         group="operations", icon="fa6s.minus")  # fmt: skip
def difference(
    session: Session, data: Data | None = None, against: Data | None = None, view: ImageView | None = None
) -> None:
    """Add a layer that shows one image minus another, on the grid of the picture, live.

    Parameters
    ----------
    data, against : Data, optional
        Topmost layer minus the one below it by default.

    Notes
    -----
    For the eye: nearest pixels, or interpolated ones when magnified. *Image ▸ Reproject* and *Arithmetic* make
    new data for measurements.
    """
    _add_operation(session, view, data, against, "difference")


@command("compare.ratio", title="Ratio of Layers", menu=COMPARE, needs="image", group="operations",
         icon="fa6s.divide")  # fmt: skip
def ratio(
    session: Session, data: Data | None = None, against: Data | None = None, view: ImageView | None = None
) -> None:
    """Add a layer that shows one image divided by another, on the grid of the picture, live.

    Parameters
    ----------
    data, against : Data, optional
        Topmost layer divided by the one below it by default.
    """
    _add_operation(session, view, data, against, "ratio")


@command("image.compose_rgb", title="Colour Composite…", menu=COMPARE, group="colour", icon="fa6s.palette")
def compose_rgb(
    session: Session,
    data: list[Data],
    colors: list[str] | None = None,
    method: Literal["lupton", "screen", "add"] = "lupton",
    *,
    limits: list[tuple[float, float]] | None = None,
    q: float = 8.0,
    stretch: float = 0.5,
    reference: Data | None = None,
) -> ImageView:
    """Open a view of a colour picture of two to seven images, laid on each other through the sky.

    Parameters
    ----------
    data : list of Data
    colors : list of str, optional
        Names ("red") or "#rrggbb", one for each; by default from blue for the shortest wavelength to red, by the
        filters that the headers name (in the order given where they name none).
    method : str
        "lupton" keeps the colours of bright sources (asinh of the mean brightness, Lupton et al. 2004);
        "screen" and "add" lay stretched pictures over each other.
    limits : list of (float, float), optional
        Values that count as black and as 1; worked out from each image by default.
    q, stretch : float
        Of "lupton": softening, and brightness up to which it is linear.
    reference : Data, optional
        Whose pixels are the grid; the first by default.
    """
    from jviz.backend.filters import hues, in_order

    if not 2 <= len(data) <= 7 or len(set(data)) < len(data):
        raise CommandError(f"A colour composite takes two to seven different images, not {len(data)}.")
    if colors is None:
        order = in_order([one.header for one in data])
        chosen = dict(zip((data[n] for n in order), hues(len(data)), strict=True))
        colors = [chosen[one] for one in data]
    if len(colors) != len(data) or (limits is not None and len(limits) != len(data)):
        raise CommandError(f"Give one colour, and one pair of limits, for each of the {len(data)} images.")
    hex_colors = [_hex(color) for color in colors]
    view = _new_view(session, "image")
    place(session, view, list(data), "add")
    for n, layer in enumerate(view.layers):
        low_high = tuple(limits[n]) if limits is not None else data[n].limits("auto")
        layer.update(colormap=hex_colors[n], stretch="linear" if method == "lupton" else "asinh", limits=low_high,
                     blend="normal" if method == "lupton" else method, nan_color="" if n else "black")  # fmt: skip
    composite = "lupton" if method == "lupton" else "layers"
    view.update(composite=composite, lupton_q=q, lupton_stretch=stretch, colorbar=False)
    if reference is not None:
        _refer_to(view, reference)
    session.set_views((*session.views.values(), view))
    return view


def _refer_to(view: ImageView, reference: Data) -> None:
    first = [layer for layer in view.layers if layer.data is reference]
    if not first:
        raise CommandError(f"{reference.name} is none of the images of the composite; choose one of them.")
    view.update(layers=(*first, *(layer for layer in view.layers if layer not in first)), active=-1)


def _hex(color: str) -> str:
    from jviz.backend.filters import hex_of

    found = hex_of(color)
    if found is None:
        raise CommandError(f"{color!r} is no colour; write a name such as orange, or #rrggbb.")
    return found


@command("image.export_rgb", title="Export Colour Picture…", menu=COMPARE, needs="image", job=True, group="colour",
         icon="fa6s.file-export")  # fmt: skip
def export_rgb(
    session: Session,
    path: Path = Path("composite.tif"),
    view: ImageView | None = None,
    *,
    bits: Literal[8, 16] = 16,
    step: float = 1.0,
    title: str = "",
    progress: Progress,
) -> Path:
    """Write the layers of a view, composed on the pixels of the lowest one, into a TIFF or PNG file.

    Parameters
    ----------
    path : Path
        Ends with .tif, .tiff or .png.
    bits : int
        For each colour, 8 or 16.
    step : float
        Data pixels for each pixel of the picture.
    title : str
        Said in the metadata, which also tell where on the sky the picture lies (AVM 1.2).
    """
    from jviz.actions.view import still_of
    from jviz.backend.files import writing
    from jviz.backend.io.colour_picture import avm_packet, write_png, write_tiff
    from jviz.compose import composed

    view = layered(session, view)
    path = output_path(session, path)
    write = maker_of(path, {".tif": write_tiff, ".tiff": write_tiff, ".png": write_png}, "colour pictures")
    ny, nx = view.layers[0].data.shape[-2:]
    most = min(nx, ny)
    if not 0 < step <= most or nx * ny / step**2 > MOST_PIXELS:
        raise CommandError(
            f"A step of {step:g} makes no picture of {ny} × {nx} pixels of data: choose one above 0 and up to {most} "
            f"that leaves at most {MOST_PIXELS // 1_000_000} million."
        )
    picture = composed(session.dispatcher.ask(lambda: still_of(view)), step=step, progress=progress)
    top = 65535 if bits == 16 else 255
    levels = (picture * top + 0.5).astype(np.uint16 if bits == 16 else np.uint8)
    packet = avm_packet(view.layers[0].data.sky, (ny, nx), step=step, title=title or view.layers[0].data.name)
    with writing(path) as temporary:
        write(temporary, levels, packet)
    return path

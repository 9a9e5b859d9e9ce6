"""Commands on views of any kind."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from jviz.backend.progress import Progress
from jviz.commands import all_commands, command
from jviz.cube_views import without_companions
from jviz.data import Data, WithPicture
from jviz.errors import CommandError, JvizError
from jviz.session import Session
from jviz.views import ImageLayer, ImageView, View, view_kinds


@command("view.open", title="New View…", menu="View", method="view", group="views")
def open_view(session: Session, kind: str, data: Data | None = None, **values: Any) -> View:
    """Open a view of some data.

    Parameters
    ----------
    kind : str
        "image", …
    values : dict
        Properties of the new view, ``stretch="asinh"``.
    """
    view = _new_view(session, kind)
    if data is not None:
        place(session, view, [data], "add")
    if "name" in values and values["name"] in session.views:
        raise CommandError(f"There is a view named {values['name']!r} already; choose another name.")
    for name, value in values.items():
        if not hasattr(type(view), name):
            raise CommandError(f"A view of kind {kind} has no {name!r}.")
        setattr(view, name, value)
    session.set_views((*session.views.values(), view))
    return view


@command("view.close", title="Close View", menu="View", shortcut="Ctrl+W", group="views", needs="view")
def close_view(session: Session, view: View | None = None) -> None:
    """Close a view; its data stay in the session."""
    view = session.find_view(view)
    session.set_views(without_companions([v for v in session.views.values() if v is not view]))


@command("view.show", title="Show Data in View…")
def show(session: Session, view: View, data: Data, mode: Literal["add", "replace"] = "add") -> None:
    """Show data in an open view, on top of what is there or instead of it."""
    place(session, view, [data], mode)


@command("view.remove_layer", title="Remove Layer from View")
def remove_layer(session: Session, view: View, data: Data) -> None:
    """Take data out of one view; they stay in the session."""
    layers = tuple(layer for layer in view.layers if layer.data is not data)
    if layers == view.layers:
        raise CommandError(f"{view.name} does not show {data.name}.")
    view.update(layers=layers, active=-1)


@command("view.order_layers", title="Order Layers…")
def order_layers(session: Session, view: View, order: list[int]) -> None:
    """Draw the layers of a view in another order.

    Parameters
    ----------
    order : list of int
        Present numbers of the layers, from 0; the first is drawn at the bottom.
    """
    if sorted(order) != list(range(len(view.layers))):
        raise CommandError(f"{view.name} has {len(view.layers)} layers; {order} does not name each of them once.")
    layers = tuple(view.layers[n] for n in order)
    if isinstance(view, ImageView) and layers:
        from jviz.actions.layer import reorder

        reorder(view, layers)
        return
    active = view.layer
    view.update(layers=layers, active=layers.index(active) if active is not None else -1)


@command("view.duplicate", title="Duplicate View", menu="View", group="views", needs="view")
def duplicate(session: Session, view: View | None = None) -> View:
    """Open a second view that looks the same."""
    copy = still_of(session.find_view(view))
    copy.name = _free_view_name(session.views, copy.kind)
    session.set_views((*session.views.values(), copy))
    return copy


@command(
    "view.save",
    title="Save Picture…",
    menu="File",
    shortcut="Ctrl+Shift+S",
    group="save",
    method="render",
    icon="fa6s.camera",
    needs="view",
    job=True,
)
def save_picture(
    session: Session,
    view: View | None = None,
    path: Path = Path("view.png"),
    size: tuple[int, int] = (1200, 900),
    *,
    progress: Progress,
) -> Path:
    """Draw a view, as it is now, into a PNG, PDF or SVG file of any size (width, height in pixels)."""
    # The model knows no Qt: who draws is found at run time, so that scripts without a window draw too.
    picture = import_module("jviz.viewers.picture")
    ask = session.dispatcher.ask
    if not isinstance(found := session.find_view(view), ImageView):
        return ask(lambda: picture.save(session, found, Path(path), size))
    still = ask(lambda: still_of(found))
    return picture.save(session, still, Path(path), size, progress=progress)


@command("view.export_figure", title="Export Figure…", menu="File", group="save", icon="fa6s.file-image", needs="view",
         job=True)  # fmt: skip
def export_figure(
    session: Session,
    view: View | None = None,
    path: Path = Path("figure.pdf"),
    width: float = 16.0,
    height: float | None = None,
    unit: Literal["cm", "in"] = "cm",
    dpi: float = 300.0,
    theme: Literal["light", "dark", "screen"] = "light",
    font: float = 0.8,
    transparent: bool = False,
    title: str = "",
    *,
    progress: Progress,
) -> Path:
    """Write a view as a figure of an exact size on paper: a PNG with its resolution, a PDF or an SVG.

    Parameters
    ----------
    path : Path
        Ends with .png, .pdf or .svg.
    width, height : float
        Of the figure; without a height it has the proportions of the viewer.
    unit : {"cm", "in"}
        Of width and height.
    dpi : float
        Pixels per inch of a PNG, and of the image within a PDF or SVG, where text and lines stay sharp.
    theme : {"light", "dark", "screen"}
        Black on white for print, bright on dark, or as the window is.
    font : float
        Size of the text: 0.8 is about 8 points, 1 about 10.
    transparent : bool
        Leave out what is behind the image.
    title : str
        Above the picture.
    """
    figure = import_module("jviz.viewers.figure")
    found, ask = session.find_view(view), session.dispatcher.ask
    inch = 2.54 if unit == "cm" else 1.0
    wide, high = getattr(found, "viewport", (4.0, 3.0))
    height = width * high / wide if height is None else height
    sheet = figure.Sheet(width / inch, height / inch, dpi, theme, font, transparent, title)
    if not isinstance(found, ImageView):
        return ask(lambda: figure.export_figure(session, found, Path(path), sheet))
    still = ask(lambda: still_of(found))
    return figure.export_figure(session, still, Path(path), sheet, progress=progress)


MOST_VIEWS = 24
"""Viewers that are opened by themselves at once: nobody finds anything among hundreds of tabs."""


def open_views_for(session: Session, loaded: list[Data]) -> None:
    """Open a view for each data set that has a viewer (inside a change); of very many for the first ones."""
    views = dict(session.views)
    kinds = [(kind, data) for data in loaded if (kind := kind_for(data)) is not None]
    for kind, data in kinds[:MOST_VIEWS]:
        try:
            view = _of_one_object(data, kind, [view for name, view in views.items() if name not in session.views])
            if view is None:
                view = _new_view(session, kind)
                view.name = _free_view_name(views, kind)
            place(session, view, [data], "add")
        except JvizError as error:
            # What cannot be drawn is open all the same: its header and table can be looked at.
            session.notice("warning", f"{data.name} is open, but cannot be drawn: {error}")
            continue
        views[view.name] = view
    _add_spectrum_view(session, views)
    if views:  # without any, the welcome page says what is open
        _tell_undrawn(session, [data for data in loaded if data.kind == "other"])
    if len(kinds) > MOST_VIEWS:
        session.notice(
            "info",
            f"{len(loaded)} data sets are open, and the first {MOST_VIEWS} of them shown. The others are in the Data "
            "panel: double-click one there, or drag it onto a viewer.",
        )
    # All at once: a window goes to the first of those that come together.
    session.set_views(tuple(views.values()))


def _tell_undrawn(session: Session, loaded: list[Data]) -> None:
    if loaded:
        names = ", ".join(f"{data.name} ({data.label or data.kind})" for data in loaded[:3])
        more = f" and {len(loaded) - 3} more" if len(loaded) > 3 else ""
        are = "are" if len(loaded) > 1 else "is"
        said = f"{names}{more} {are} open. No viewer draws such data; the Header panel has the keywords."
        session.notice("info", said)


def _of_one_object(data: Data, kind: str, new: list[View]) -> View | None:
    """Return the new view of the other arms of a spectrograph in the same file, which are spectra of one object."""
    if kind != "spectrum" or data.path is None:
        return None
    first = data.samples[0]
    for view in new:
        layer = view.layers[0] if view.kind == kind and view.layers else None
        other = layer.data.samples[0] if layer is not None and layer.data.path == data.path else None
        if other is not None and (other.unit, other.axis.unit) == (first.unit, first.axis.unit):
            return view
    return None


def _add_spectrum_view(session: Session, views: dict[str, View]) -> None:
    """Open a spectrum viewer below the first new cube in a window, when none is there."""
    cube = next((v for n, v in views.items() if v.kind == "cube" and n not in session.views), None)
    if cube is None or not session.showing or not session.settings["cube.spectrum_viewer"]:
        return
    if all(view.kind != "spectrum" for view in views.values()):
        spectra = _new_view(session, "spectrum")
        spectra.name = _free_view_name(views, "spectrum")
        spectra.below = cube.name
        views[spectra.name] = spectra


def kind_for(data: Data) -> str | None:
    """Return the kind of view that shows such data first, None when there is none."""
    fitting = {k: v.accepts for k, v in view_kinds().items() if data.kind in v.accepts}
    # What a viewer is made for comes before what it also takes.
    return min(fitting, key=lambda kind: fitting[kind].index(data.kind), default=None)


def place(session: Session, view: View, loaded: list[Data], mode: str) -> None:
    """Put data into a view as layers (inside a change)."""
    for data in loaded:
        if data.kind not in view.accepts:
            raise CommandError(f"{_taken(view)}; {data.name} is of kind {data.kind}.")
    new = tuple(layer for data in loaded for layer in _new_layers(session, view, data))
    kept = () if mode == "replace" else view.layers
    values: dict[str, Any] = {"layers": (*kept, *new), "active": -1}
    if mode == "replace" and view.layers and new and view.layers[0].data.shape != new[0].data.shape:
        values |= {n: None for n in ("centre", "scale") if view.is_callback_property(n)}
    view.update(**values)


def _taken(view: View) -> str:
    """Say what a view shows, or which command makes such views."""
    if view.accepts:
        return f"{view.name} shows data of kind {' or '.join(view.accepts)}"
    makers = [id for id in all_commands() if id.endswith(f".{view.kind}")]
    return f"{view.name} takes no data: views of kind {view.kind} are made by {' or '.join(makers) or 'their plugin'}"


def still_of(view: View) -> View:
    """Return a copy that no viewer follows and that does not change any more."""
    still = type(view)()
    still.layers = tuple(copy_of_state(layer) for layer in view.layers)
    still.update(**{n: v for n, v in view.recorded().items() if n != "layers"})
    if isinstance(view, ImageView):
        still.viewport = view.viewport
    return still


def copy_of_state(state: Any) -> Any:
    """Return a new state of the same type with the same values."""
    copy = type(state)()
    copy.update(**state.recorded())
    return copy


def _new_view(session: Session, kind: str) -> View:
    kinds = view_kinds()
    if kind not in kinds:
        raise CommandError(f"There is no viewer {kind!r}; there are {', '.join(kinds)}.")
    view = kinds[kind]()
    view.name = _free_view_name(session.views, kind)
    for name in ("sky_frame", "sky_style", "smooth"):
        if view.is_callback_property(name):
            setattr(view, name, session.settings[f"image.{name}"])
    return view


def _free_view_name(taken: Collection[str], kind: str) -> str:
    stem = kind.capitalize().replace("_", " ")
    number = next(n for n in range(1, len(taken) + 2) if f"{stem} {n}" not in taken)
    return f"{stem} {number}"


def _new_layers(session: Session, view: View, data: Data) -> tuple[Any, ...]:
    """Return the layers that show data: a view may want several for what holds several."""
    several = getattr(view, "layers_of", None)
    return several(data) if several is not None else (_new_layer(session, view, data),)


def _new_layer(session: Session, view: View, data: Data) -> Any:
    layer = view.layer_type()
    layer.data = data
    if isinstance(data, WithPicture) and isinstance(layer, ImageLayer):
        settings = session.settings
        layer.index = data.middle
        stretch = settings["image.stretch"]
        layer.stretch = data.suggested_stretch() if stretch == "auto" else stretch
        try:
            layer.colormap = settings["image.colormap"]
        except JvizError as error:  # one of a plugin that is gone, or misspelt: the image is shown all the same
            session.notice("warning", f"{error} The colour map of Preferences ▸ Images is not used.")
        if data.kind == "cube" and hasattr(layer, "slab"):
            layer.limits_from = "cube"
        elif data.lit_box is not None:
            layer.limits_from = "view"  # the rest of the detector is seen by another optic
        mode = settings["image.limits"]
        layer.limits_mode = "percentile" if mode == "99.5" else mode
    return layer

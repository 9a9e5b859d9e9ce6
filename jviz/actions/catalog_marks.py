"""The command that says how the rows of a catalogue look, as marks on images and as points of a plot."""

from __future__ import annotations

from typing import Literal

from jviz.catalog_views import ScatterView, TableView
from jviz.catalogs import evaluated
from jviz.commands import command
from jviz.errors import CommandError
from jviz.session import Session

Mark = Literal["circle", "square", "diamond", "triangle", "cross", "plus", "dot"]


@command("catalog.marks", title="Look of Marks…", menu="Catalogue", needs="catalog", group="plots",
         icon="mdi6.shape-outline")  # fmt: skip
def marks(
    session: Session,
    view: TableView | ScatterView | None = None,
    mark: Mark | None = None,
    size: float | None = None,
    *,
    size_by: str | None = None,
    color: str | None = None,
    color_by: str | None = None,
    colormap: str | None = None,
    opacity: float | None = None,
    label: str | None = None,
) -> None:
    """Choose shape, size and colour of the marks of a table on images, or of the points of a scatter plot.

    What is not given stays as it is.

    Parameters
    ----------
    view : table or scatter plot
        Marks on images are those of the table.
    size : float
        In pixels of the screen.
    size_by : str
        A column or an expression: marks are half as large as *size* where it is low, three times where it is high;
        empty: all alike.
    color : str
        ``"#rrggbb"``; empty: one of the theme.
    color_by : str
        A column or an expression that colours the marks by *colormap*; empty: all alike.
    opacity : float
        0 to 1.
    label : str
        A column whose text stands beside up to 300 marks on images; empty: none.
    """
    view = _catalogue_view(session, view)
    given = {"mark": mark, "size": size, "size_by": size_by, "color": color, "color_by": color_by,
             "colormap": colormap, "opacity": opacity, "label": label}  # fmt: skip
    for name in ("size_by", "color_by"):
        if given[name] is not None and (text := str(given[name]).strip()):
            evaluated(view.layer.data, text)
    if label and label.strip() not in view.layer.data.columns:
        there = ", ".join(view.layer.data.columns)
        raise CommandError(f"{view.layer.data.name} has no column {label.strip()!r}; there are {there}.")
    view.layer.update(**{
        name: value.strip() if isinstance(value, str) else value for name, value in given.items() if value is not None
    })  # fmt: skip


def _catalogue_view(session: Session, view: TableView | ScatterView | None) -> TableView | ScatterView:
    if view is not None:
        view = session.find_view(view)  # type: ignore[assignment]
    else:
        view = next((v for v in reversed(session.views.values()) if isinstance(v, TableView | ScatterView)), None)
    if not isinstance(view, TableView | ScatterView) or view.layer is None:
        raise CommandError("Open a table or a scatter plot first; this is about the marks of its rows.")
    return view

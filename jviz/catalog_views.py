"""States of the viewers of catalogues: tables, scatter plots and histograms."""

from __future__ import annotations

from typing import Any

from echo import CallbackProperty

from jviz.views import Checked, State, View, declare_view, number, one_of, pair

__all__ = ["MARKS", "CatalogLayer", "CatalogPlotView", "HistogramView", "ScatterView", "TableView"]

MARKS = ("circle", "square", "diamond", "triangle", "cross", "plus", "dot")


def _bins(value: Any) -> int | None:
    return None if value in (None, "auto", 0) else int(number(1, 100_000, "number of bins")(value))


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(name) for name in value or ())


class CatalogLayer(State):
    """How the rows of one catalogue look.

    Attributes
    ----------
    data : Catalog
    visible : bool
    color : str
        ``"#rrggbb"``; empty: one of the theme by its number.
    mark : str
        circle, square, diamond, triangle, cross, plus or dot.
    size : float
        Of the marks, in screen pixels.
    size_by : str
        An expression over the columns that scales the marks between half and three times `size`; empty: all alike.
    color_by : str
        An expression over the columns that colours the marks by `colormap`; empty: all alike.
    on_images : bool
        Whether the rows are marked on images, by their position (of tables only, so that each is drawn once).
    label : str
        Column whose text stands beside the marks on images when there are few; empty: none.
    image : Data or None
        The image whose pixels positions in pixels count; None: any.
    """

    data = CallbackProperty(None)
    visible = CallbackProperty(True)
    color = CallbackProperty("")
    mark = Checked("circle", one_of(*MARKS, name="mark"))
    size = Checked(9.0, number(1, 200, "size"))
    size_by = CallbackProperty("")
    color_by = CallbackProperty("")
    colormap = CallbackProperty("viridis")
    opacity = Checked(1.0, number(0, 1, "opacity"))
    on_images = CallbackProperty(True)
    label = CallbackProperty("")
    image = CallbackProperty(None)


class TableView(View):
    """The state of a table viewer.

    Attributes
    ----------
    sort_by : str
        Name of a column; empty: the order of the catalogue.
    descending : bool
    filter : str
        A condition over the columns, ``(mag < 24) & (class == 'star')``: other rows are not shown, here and on images.
    hidden : tuple of str
        Columns that are not shown.
    """

    kind = "table"
    accepts = ("catalog",)
    layer_type = CatalogLayer

    sort_by = CallbackProperty("")
    descending = CallbackProperty(False)
    filter = CallbackProperty("")
    hidden = Checked((), _names)


class CatalogPlotView(View):
    """What scatter plots and histograms have in common.

    Attributes
    ----------
    x : str
        An expression over the columns, ``F115W - F200W``; empty: a column that suits.
    x_range, y_range : (float, float) or None
        What the axes show; None: everything.
    filter : str
        A condition over the columns: other rows are not shown.
    """

    accepts = ("catalog",)
    layer_type = CatalogLayer
    navigation = frozenset({"x_range", "y_range"})

    x = CallbackProperty("")
    x_range = Checked(None, pair)
    y_range = Checked(None, pair)
    x_log = CallbackProperty(False)
    y_log = CallbackProperty(False)
    x_inverted = CallbackProperty(False)
    grid = CallbackProperty(False)
    legend = CallbackProperty(True)
    filter = CallbackProperty("")


class ScatterView(CatalogPlotView):
    """The state of a scatter plot: any two expressions over the columns of catalogues.

    Attributes
    ----------
    y : str
        An expression over the columns; empty: a column that suits.
    y_inverted : bool
        Whether values fall upwards, as magnitudes do.
    errors : bool
        Draw bars of one standard deviation where columns of errors are known (up to 5,000 points in sight).
    density : str
        "auto" draws a picture of the density when more than 20,000 points are in sight; "never", "always".
    """

    kind = "scatter"

    y = CallbackProperty("")
    y_inverted = CallbackProperty(False)
    errors = CallbackProperty(False)
    density = Checked("auto", one_of("auto", "never", "always", name="way to draw many points"))


class HistogramView(CatalogPlotView):
    """The state of a histogram of an expression over the columns of catalogues.

    Attributes
    ----------
    bins : int or None
        How many between the ends; None: by the rule of Freedman and Diaconis (1981).
    cumulative, normalize : bool
        Add up from the left; divide by the number of rows.
    """

    kind = "histogram"

    bins = Checked(None, _bins)
    cumulative = CallbackProperty(False)
    normalize = CallbackProperty(False)


for _kind in (TableView, ScatterView, HistogramView):
    declare_view(_kind)

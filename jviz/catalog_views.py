"""States of the viewers of catalogues: tables, scatter plots and histograms."""

from __future__ import annotations

from typing import Any

from echo import CallbackProperty

from jviz.checked import Checked, colour, colour_map, number, one_of, pair
from jviz.views import State, View, declare_view

__all__ = ["MARKS", "CatalogLayer", "CatalogPlotView", "HistogramView", "ScatterView", "TableView"]

MARKS = ("circle", "square", "diamond", "triangle", "cross", "plus", "dot")


def _bins(value: Any) -> int | None:
    return None if value in (None, "auto", 0) else int(number(1, 100_000, "number of bins")(value))


def _functions(value: Any) -> tuple[tuple[str, str, bool, str], ...]:
    """Check functions: an expression alone, or with its colour, whether it is seen, and its name."""
    from jviz.backend.catalogs.tracks import function_of

    made = []
    for one in value or ():
        given = (one,) if isinstance(one, str) else tuple(one)
        text, color, visible, label = (*given, *("", True, "")[len(given) - 1 :])
        function_of(text)
        made.append((str(text).strip(), colour(color), bool(visible), str(label)))
    return tuple(made)


def _extinction(value: Any) -> tuple[tuple[str, float], ...]:
    check = number(-1000, 1000, "A / E(B − V)")
    items = value.items() if hasattr(value, "items") else value or ()
    return tuple((str(name), check(factor)) for name, factor in items)


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
    drawing : str
        "points", or "line": rows are joined in their order, as isochrones and tracks are.
    x, y, condition : str
        Of a line: expressions of its own (empty: those of the plot), and which of its rows are taken.
    distance_modulus, reddening : float
        Of a line, mag: its magnitudes are drawn as at this distance, and behind dust of this E(B − V).
    extinction : tuple of (str, float)
        A / E(B − V) of its columns of magnitudes.
    width : float
        Of a line, in screen pixels.
    arrows : str
        Offsets that are drawn as arrows on images: ``"residual"`` takes the columns residual_ra and residual_dec (east
        and north), or residual_x and residual_y; empty: none.
    arrow_scale : float
        By which arrows are longer than what they show; 0: so that they are seen well.
    """

    data = CallbackProperty(None)
    visible = CallbackProperty(True)
    color = Checked("", colour)
    mark = Checked("circle", one_of(*MARKS, name="mark"))
    size = Checked(9.0, number(1, 200, "size"))
    size_by = CallbackProperty("")
    color_by = CallbackProperty("")
    colormap = Checked("viridis", colour_map)
    opacity = Checked(1.0, number(0, 1, "opacity"))
    on_images = CallbackProperty(True)
    label = CallbackProperty("")
    image = CallbackProperty(None)
    drawing = Checked("points", one_of("points", "line", name="way to draw rows"))
    x = CallbackProperty("")
    y = CallbackProperty("")
    condition = CallbackProperty("")
    distance_modulus = Checked(0.0, number(-20, 60, "distance modulus"))
    reddening = Checked(0.0, number(-10, 100, "reddening"))
    extinction = Checked((), _extinction)
    width = Checked(1.8, number(0.5, 12, "width"))
    arrows = CallbackProperty("")
    arrow_scale = Checked(0.0, number(0, 1e9, "scale of arrows"))

    @property
    def title(self) -> str:
        """What the legend says."""
        return f"{self.data.name}, {self.condition}" if self.condition else self.data.name


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
    functions : tuple of (str, str, bool, str)
        Lines over the plot: functions of x (``24 - 2 * x``) or of y (``x = 1.2``) in the units of the axes, each with
        its colour (empty: one of the theme), whether it is seen, and its name (empty: the function).
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
    functions = Checked((), _functions)


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

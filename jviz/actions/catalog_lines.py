"""Commands on lines over plots of catalogues: functions, isochrones and tracks, and profiles fitted to histograms."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.catalogs.extinction import per_reddening
from jviz.backend.catalogs.histograms import bin_edges, counted, fit_counts
from jviz.backend.catalogs.tracks import is_magnitude
from jviz.backend.units import parse_unit
from jviz.catalog_lines import expression_for, lines_of, remove_line, track_places
from jviz.catalog_views import CatalogPlotView, HistogramView
from jviz.catalogs import axes_for, evaluated, passing
from jviz.commands import command
from jviz.data import Catalog
from jviz.errors import CommandError
from jviz.session import Session


@command("catalog.add_function", title="Function over Plot…", menu="Catalogue", needs="catalog", group="lines",
         icon="mdi6.function-variant")  # fmt: skip
def add_function(
    session: Session, expression: str, view: CatalogPlotView | None = None, *, color: str = "", name: str = ""
) -> None:
    """Draw a function over a scatter plot or a histogram.

    Parameters
    ----------
    expression : str
        Of x, ``24 - 2 * x``, or of y, ``x = 0.1 * y - 1``, in the units of the axes; ``x = 1.2`` is an upright line.
    color : str
        ``"#rrggbb"``; by default one of the theme.
    name : str
        In the legend; by default the function itself.
    """
    view = plot_view(session, view)
    view.functions = (*view.functions, (expression, color, True, name.strip()))


@command("catalog.add_track", title="Isochrones over Plot…", menu="Catalogue", needs="catalog", group="lines",
         icon="mdi6.chart-bell-curve")  # fmt: skip
def add_track(
    session: Session,
    data: Catalog,
    view: CatalogPlotView | None = None,
    x: str = "",
    y: str = "",
    *,
    condition: str = "",
    distance_modulus: float = 0.0,
    reddening: float = 0.0,
    extinction: dict[str, float] | None = None,
    color: str = "",
    width: float = 1.8,
) -> None:
    """Draw rows of a table as a line over a plot: isochrones, tracks of stars, any curve.

    Parameters
    ----------
    data : Catalog
        From a file of PARSEC, MIST or BaSTI, or any table; rows are joined in their order, and each age and
        metallicity is a line of its own.
    x, y : str
        Expressions over its columns; by default those of the plot, with its columns of the same filters.
    condition : str
        Only rows for which it holds: ``(logAge == 10) & (label < 9)``.
    distance_modulus : float
        Added to all its magnitudes, mag.
    reddening : float
        E(B − V), mag; magnitudes are dimmed by A(filter) = R(filter) E(B − V).
    extinction : dict of str to float, optional
        R by column; by default of the filters that the columns are named after, by the law of Cardelli, Clayton &
        Mathis (1989) with A(V) = 3.1 E(B − V) at their wavelength.

    Raises
    ------
    CommandError
        When the plot's filters are not among its columns, or the extinction of a filter is not known.
    """
    view = plot_view(session, view)
    own_x, own_y = axes_for(view, view.data) if view.data is not None else ("", "")
    x = x.strip() or _own(own_x, data, "x")
    y = y.strip() or _own(own_y if hasattr(view, "y") else "", data, "y")
    known = extinction if extinction is not None else _extinction(data)
    if reddening and not known:
        raise CommandError(f"No filter of {data.name} is known; say how much its columns are dimmed by extinction=.")
    layer = view.layer_type()
    layer.data = data
    layer.update(drawing="line", x=x, y=y, condition=condition.strip(), distance_modulus=distance_modulus,
                 reddening=reddening, extinction=known, color=color, width=width)  # fmt: skip
    along, up = track_places(view, layer)
    if not (np.isfinite(along) & np.isfinite(up)).any():
        raise CommandError(f"No row of {data.name} has both {x} and {y}{' where ' + condition if condition else ''}.")
    active = view.layers.index(view.layer) if view.layer is not None else 0
    view.update(layers=(*view.layers, layer), active=active)


@command("catalog.remove_line", title="Remove Line over Plot…", menu="Catalogue", needs="catalog", group="lines")
def remove(session: Session, number: int, view: CatalogPlotView | None = None) -> None:
    """Take a function or a track away from a plot.

    Parameters
    ----------
    number : int
        From 0, tracks first, then functions, as the panel Lines over Plots lists them.
    """
    view = plot_view(session, view)
    lines = lines_of(view)
    if not 0 <= number < len(lines):
        raise CommandError(f"{view.name} has {len(lines)} lines over it; there is no line {number}.")
    remove_line(view, lines[number])


@command("catalog.fit_histogram", title="Fit Histogram…", menu="Catalogue", needs="histogram", group="lines",
         icon="mdi6.chart-histogram")  # fmt: skip
def fit_histogram(
    session: Session, view: HistogramView | None = None, model: Literal["gaussian", "lognormal"] = "gaussian"
) -> Any:
    """Fit a Gaussian to the bins of a histogram that are in sight, and draw it over them.

    Parameters
    ----------
    model : {"gaussian", "lognormal"}
        Of the values, or of their decimal logarithms.

    Returns
    -------
    QTable
        A row with rows (its area), centre, sigma and their errors (in dex for lognormal), χ² and degrees of freedom.
        The fit has the greatest likelihood for counts of Poisson, over the whole width of each bin.
    """
    from astropy.table import QTable

    view = session.find_view(view, "histogram")
    if view.data is None or view.cumulative or view.normalize:
        raise CommandError("Counts are fitted: show a catalogue, neither cumulative nor normalised.")
    expression = view.x or axes_for(view, view.data)[1]
    values = _values(view, expression)
    edges = bin_edges(values, view.bins, view.x_log)
    low, high = sorted(view.x_range or (edges[0], edges[-1]))
    inside = (edges[:-1] >= low - 1e-9 * abs(low)) & (edges[1:] <= high + 1e-9 * abs(high)) & (
        (edges[:-1] > 0) | (model == "gaussian")
    )  # fmt: skip
    if not inside.any():
        raise CommandError("No whole bin is in sight to be fitted; show more of the histogram.")
    first, last = np.flatnonzero(inside)[[0, -1]]
    part = edges[first : last + 2]
    try:
        fit = fit_counts(part, counted(values, edges)[first : last + 1], model, whole=bool(inside.all()))
    except (ValueError, np.linalg.LinAlgError) as error:
        raise CommandError(f"The histogram of {expression} cannot be fitted: {error}.") from None
    view.functions = (*view.functions, (_profile(fit, edges, model, log=view.x_log), "", True, _said(fit, model)))
    names = ("rows", "centre", "sigma")
    numbers = {n: [getattr(fit, n)] for n in names} | {f"{n}_err": [e] for n, e in zip(names, fit.errors, strict=True)}
    unit = parse_unit(evaluated(view.data, expression).unit if model == "gaussian" else "dex")
    table = QTable({**numbers, "chi2": [fit.chi2], "dof": [fit.dof]}, meta={"of": expression, "model": model})
    for name in ("centre", "centre_err", "sigma", "sigma_err"):
        table[name] = table[name] if unit is None else table[name] * unit
    return table


def plot_view(session: Session, view: Any) -> Any:
    """Return a scatter plot or histogram: the given one, or the newest.

    Raises
    ------
    CommandError
        When there is none.
    """
    if view is not None:
        view = session.find_view(view)
    else:
        view = next((v for v in reversed(session.views.values()) if isinstance(v, CatalogPlotView)), None)
    if not isinstance(view, CatalogPlotView):
        raise CommandError("Open a scatter plot or a histogram first; lines are drawn over these.")
    return view


def _own(expression: str, data: Catalog, axis: str) -> str:
    found = expression_for(expression, data.columns) if expression else ""
    if not found:
        wanted = f"the columns of {expression!r}" if expression else f"what to plot along {axis}"
        raise CommandError(f"{data.name} does not tell {wanted}; give {axis}= as an expression over "
                           f"{', '.join(list(data.columns)[:12])} …")  # fmt: skip
    return found


def _extinction(data: Catalog) -> dict[str, float]:
    return per_reddening(name for name, column in data.columns.items() if is_magnitude(column))


def _values(view: HistogramView, expression: str) -> np.ndarray:
    values, rows = evaluated(view.data, expression).values, passing(view.data, view.filter)
    good = np.isfinite(values) & ((values > 0) | (not view.x_log))
    return values[good if rows is None else good & rows]


def _said(fit: Any, model: str) -> str:
    what, unit = ("Gaussian", "") if model == "gaussian" else ("Log-normal", " dex")
    return f"{what} {fit.centre:.4g} ± {fit.errors[1]:.2g}, σ {fit.sigma:.3g}{unit}"


def _profile(fit: Any, edges: np.ndarray, model: str, *, log: bool) -> str:
    """Write the counts that a fit expects in bins of this width, as a function of x."""
    width = float(np.log10(edges[1] / edges[0])) if log else float(edges[1] - edges[0])
    height = fit.rows / (fit.sigma * np.sqrt(2 * np.pi)) * width
    place = "log10(x)" if model == "lognormal" else "x"
    # Where bins and profile are not of the same variable, the width of a bin goes with its place.
    factor = {(True, "gaussian"): " * x", (False, "lognormal"): " / x"}.get((log, model), "")
    scale = {(True, "gaussian"): np.log(10), (False, "lognormal"): 1 / np.log(10)}.get((log, model), 1.0)
    return f"{height * scale:.7g} * exp(-0.5 * (({place} - {fit.centre:.9g}) / {fit.sigma:.7g})**2){factor}"

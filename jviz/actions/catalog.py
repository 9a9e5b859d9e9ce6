"""Commands on catalogues: select rows, keep rows as data or regions, statistics, plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.actions.view import open_view
from jviz.catalog_views import HistogramView, ScatterView
from jviz.catalogs import catalog_of, evaluated, passing, places_on, selection_name
from jviz.commands import command
from jviz.data import Catalog, Regions, from_product
from jviz.errors import CommandError
from jviz.outputs import output_path
from jviz.session import Session
from jviz.subsets import Subset, next_color

SELECTED = "#f8961e"
"""Colour of what is plainly selected: far from the blue that points have."""

Mode = Literal["new", "and", "or", "xor", "andnot"]
_COMBINE = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor, "andnot": lambda a, b: a & ~b}


@command("catalog.select", title="Select Rows…", menu="Catalogue", needs="catalog", group="select",
         icon="fa6s.check-double")  # fmt: skip
def select(
    session: Session,
    expression: str = "",
    data: Catalog | None = None,
    *,
    rows: Any = None,
    region: Any = None,
    mode: Mode = "new",
    name: str = "",
) -> Subset:
    """Select rows of a catalogue, in all viewers at once.

    Parameters
    ----------
    expression : str
        A condition over the columns: ``(mag < 24) & (class == 'star')``.
    data : Catalog, optional
        By default the one of the newest table or plot of a catalogue.
    rows : list of int or ndarray of bool, optional
        Rows from 0, or a value for each row.
    region : name of a subset or regions.Region, optional
        Rows whose position lies inside it.
    mode : {"new", "and", "or", "xor", "andnot"}
        How they join the rows that are selected already.
    name : str
        Of the subset; by default the plain selection of the catalogue.

    Raises
    ------
    CommandError
        When none of the three is given, or a row is not there.
    """
    if not expression.strip() and rows is None and region is None:
        raise CommandError("Say which rows: a condition such as mag < 24, a list of rows, or a region.")
    data = data or _newest(session)
    n = len(data)
    chosen = np.ones(n, bool)
    if expression.strip():
        chosen &= passing(data, expression)
    if rows is not None:
        chosen &= _mask(rows, n, data.name)
    if region is not None:
        chosen &= _inside(session, data, region)
    name = name.strip() or selection_name(data)
    color = SELECTED if name == selection_name(data) else next_color(session.subsets)
    old = session.subsets.get(name)
    if old is not None and old.data is not data:
        raise CommandError(f"{name!r} is a subset of something else; choose another name.")
    if old is not None and mode != "new":
        chosen = _COMBINE[mode](old.region, chosen)
    elif mode in ("and", "andnot"):
        chosen = np.zeros(n, bool)
    subset = (old or Subset(name, chosen, color=color)).but(region=chosen, data=data)
    session.set_subsets({**session.subsets, name: subset})
    session.notice("status", f"{int(chosen.sum()):,} of {n:,} rows of {data.name} selected")
    return subset


@command("catalog.deselect", title="Select No Rows", menu="Catalogue", needs="catalog", group="select")
def deselect(session: Session, data: Catalog) -> None:
    """Forget the plain selection of a catalogue; named subsets stay."""
    session.set_subsets({n: s for n, s in session.subsets.items() if n != selection_name(data)})


@command("catalog.rows", title="Selected Rows as Catalogue…", menu="Catalogue", needs="catalog", group="make",
         icon="fa6s.table-list")  # fmt: skip
def rows(session: Session, data: Catalog, subset: str = "", *, condition: str = "", name: str = "") -> Catalog:
    """Make a new catalogue of some rows.

    Parameters
    ----------
    subset : str
        Name of a subset of rows; by default the plain selection.
    condition : str
        Instead of a subset: ``mag < 24``.
    """
    if condition.strip():
        chosen, what = passing(data, condition), condition.strip()
    else:
        found = chosen_rows(session, data, subset)
        chosen, what = found.region, found.name
    if not chosen.any():
        raise CommandError(f"{what} holds no row of {data.name}.")
    return catalog_of(data.table[chosen], name.strip() or f"{data.name} ({what.removeprefix(data.name).strip()})")


@command("catalog.to_regions", title="Rows as Regions…", menu="Catalogue", needs="catalog", group="make",
         icon="fa6s.draw-polygon")  # fmt: skip
def to_regions(
    session: Session,
    data: Catalog,
    subset: str = "",
    radius: float = 1.0,
    *,
    label: str = "",
    everything: bool = False,
) -> Regions:
    """Make circles round the positions of selected rows, to draw, measure or write as a region file.

    Parameters
    ----------
    subset : str
        Name of a subset of rows; by default the plain selection.
    radius : float
        In arcseconds, or in pixels for a catalogue with positions in pixels.
    label : str
        Column whose text names the regions.
    everything : bool
        Take all rows, whatever is selected.

    Raises
    ------
    CommandError
        When the catalogue has no positions or nothing is selected.
    """
    import regions as shapes

    from jviz.conversion.taken import take_regions

    made, _ = _circles(session, data, subset, radius, label, everything)
    return from_product(take_regions(shapes.Regions(made), f"{data.name} regions"))  # type: ignore[return-value]


@command("catalog.export_regions", title="Export Rows as Regions…", menu="Catalogue", needs="catalog", group="make",
         icon="fa6s.file-export", recorded=False, script=True)  # fmt: skip
def export_regions(
    session: Session,
    data: Catalog,
    path: Path,
    subset: str = "",
    radius: float = 1.0,
    *,
    label: str = "",
    everything: bool = False,
    color: str = "",
) -> Path:
    """Write circles round the positions of selected rows as a region file, for DS9 or another program.

    Parameters
    ----------
    path : Path
        The ending says the format: .reg for DS9, .crtf, .fits, .stcs or .ecsv.
    subset : str
        Name of a subset of rows; by default the plain selection.
    radius : float
        In arcseconds, or in pixels for a catalogue with positions in pixels.
    label : str
        Column whose text names the regions.
    everything : bool
        Take all rows, whatever is selected.
    color : str
        ``"#rrggbb"``; by default that of the subset.

    Raises
    ------
    CommandError
        When the catalogue has no positions or nothing is selected.
    """
    from jviz.backend.regions.files import write_regions

    path = output_path(session, path)
    made, own = _circles(session, data, subset, radius, label, everything)
    for region in made:
        region.visual["color"] = color or own
    left = write_regions(path, made)
    if left:
        session.notice("warning", f"{path.name}: {len(left)} rows were left out; {path.suffix} cannot hold them.")
    session.notice("status", f"{len(made) - len(left):,} rows of {data.name} written to {path.name}")
    return path


@command("catalog.statistics", title="Column Statistics", menu="Catalogue", needs="catalog", group="columns",
         icon="fa6s.calculator", job=True)  # fmt: skip
def statistics(session: Session, data: Catalog, *, subset: str = "") -> Any:
    """Work out number, mean, median, scatter, least and greatest value of every column with numbers.

    Parameters
    ----------
    subset : str
        Rows of a subset only.

    Returns
    -------
    QTable
        A row for each column; ``std`` has n − 1 below it, ``mean_err`` is std / √n.
    """
    from astropy.table import QTable

    from jviz.backend.catalogs.expressions import numbers

    chosen = chosen_rows(session, data, subset).region if subset else slice(None)
    found: list[dict[str, Any]] = []
    for column in data.columns.values():
        if column.values.ndim != 1 or column.values.dtype.kind not in "iufb":
            continue
        values = numbers(column)[chosen]
        good = values[np.isfinite(values)]
        n = len(good)
        std = float(good.std(ddof=1)) if n > 1 else np.nan
        spread = np.percentile(good, (0, 16, 50, 84, 100)) if n else np.full(5, np.nan)
        found.append({
            "column": column.name, "unit": column.unit, "n": n, "n_missing": len(values) - n,
            "mean": float(good.mean()) if n else np.nan, "mean_err": std / np.sqrt(n) if n else np.nan, "std": std,
            **dict(zip(("min", "p16", "median", "p84", "max"), (float(v) for v in spread), strict=True)),
        })  # fmt: skip
    if not found:
        raise CommandError(f"{data.name} has no column with numbers.")
    return QTable(found)


@command("catalog.scatter", title="Scatter Plot…", menu="Catalogue", needs="catalog", group="plots",
         icon="fa6s.braille")  # fmt: skip
def scatter(
    session: Session,
    data: Catalog,
    x: str = "",
    y: str = "",
    *,
    x_inverted: bool = False,
    y_inverted: bool | None = None,
) -> ScatterView:
    """Plot two expressions over the columns against each other, ``F115W - F200W`` and ``F200W``.

    Parameters
    ----------
    x, y : str
        By default a colour and a magnitude, or the first columns with numbers.
    y_inverted : bool, optional
        By default for magnitudes.
    """
    from jviz.catalogs import is_magnitude_name, usual_axes

    usual = usual_axes(data)
    x, y = x.strip() or usual[0], y.strip() or usual[1]
    if not x or not y:
        raise CommandError(f"{data.name} has no column with numbers to plot.")
    units = [evaluated(data, expression).unit for expression in (x, y)]
    inverted = (units[1].startswith("mag") or is_magnitude_name(y)) if y_inverted is None else y_inverted
    return open_view(session, "scatter", data, x=x, y=y, x_inverted=x_inverted, y_inverted=inverted)  # type: ignore[return-value]


@command("catalog.histogram", title="Histogram of a Column…", menu="Catalogue", needs="catalog", group="plots",
         icon="fa6s.chart-column")  # fmt: skip
def histogram(session: Session, data: Catalog, x: str = "", *, bins: int | None = None) -> HistogramView:
    """Plot how often the values of an expression over the columns occur.

    Parameters
    ----------
    bins : int, optional
        By default after Freedman and Diaconis (1981).
    """
    from jviz.catalogs import usual_axes

    x = x.strip() or usual_axes(data)[1]
    if not x:
        raise CommandError(f"{data.name} has no column with numbers to plot.")
    evaluated(data, x)
    return open_view(session, "histogram", data, x=x, bins=bins)  # type: ignore[return-value]


# --- helpers --------------------------------------------------------------------------------------


def chosen_rows(session: Session, data: Catalog, subset: str) -> Subset:
    """Return the subset of rows that is meant: by name, or the plain selection.

    Raises
    ------
    CommandError
        When there is none.
    """
    found = session.subsets.get(subset or selection_name(data))
    if found is None or found.data is not data or found.kind != "mask":
        there = [s.name for s in session.subsets.values() if s.data is data and s.kind == "mask"]
        what = f"{subset!r} is no subset of rows" if subset else "No row is selected"
        raise CommandError(
            f"{what} of {data.name}; {'there are ' + ', '.join(there) if there else 'select some first'}."
        )
    return found


def _circles(
    session: Session, data: Catalog, subset: str, radius: float, label: str, everything: bool
) -> tuple[list[Any], str]:
    """Return circles round rows, and the colour of the subset that they are of."""
    import regions as shapes
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    if not 0 < radius < np.inf:
        raise CommandError(f"A radius of {radius:g} makes no circle; give one above 0.")
    places = _places(data)
    found = None if everything else chosen_rows(session, data, subset)
    chosen = np.ones(len(data), bool) if found is None else found.region
    numbers = np.flatnonzero(chosen & np.isfinite(places.x) & np.isfinite(places.y))
    if label and label not in data.columns:
        raise CommandError(f"{data.name} has no column {label!r}.")
    made: list[Any] = []
    for n in numbers.tolist():
        meta = shapes.RegionMeta({"text": data.columns[label].exact(n)}) if label else None
        if places.system == "sky":
            centre = SkyCoord(places.x[n] * u.deg, places.y[n] * u.deg)
            made.append(shapes.CircleSkyRegion(centre, radius * u.arcsec, meta=meta))
        else:
            made.append(shapes.CirclePixelRegion(shapes.PixCoord(places.x[n], places.y[n]), radius, meta=meta))
    if not made:
        raise CommandError(f"No selected row of {data.name} has a position.")
    return made, SELECTED if found is None else found.color


def _newest(session: Session) -> Catalog:
    """Return the catalogue of the newest view of one, else the newest catalogue."""
    shown = [view.data for view in session.views.values() if "catalog" in view.accepts and view.data is not None]
    found = shown or [data for data in session.data if isinstance(data, Catalog)]
    if not found:
        raise CommandError("There is no catalogue yet; open one first.")
    return found[-1]


def _places(data: Catalog) -> Any:
    if data.places is None:
        raise CommandError(f"No columns of {data.name} tell where its rows are; name some ra and dec, or x and y.")
    return data.places


def _mask(rows: Any, n: int, name: str) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.dtype == bool:
        if rows.shape != (n,):
            raise CommandError(f"The mask has shape {rows.shape}; {name} has {n} rows.")
        return rows
    if rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n):
        raise CommandError(f"{name} has rows 0 to {n - 1}; choose from these.")
    mask = np.zeros(n, bool)
    mask[rows.astype(np.intp)] = True
    return mask


def _inside(session: Session, data: Catalog, region: Any) -> np.ndarray:
    """Return which rows lie in a region, by the pixels of an image that both are placed on."""
    from regions import PixCoord

    from jviz.backend.regions.converting import is_pixel, to_pixel

    home = None
    if isinstance(region, str):
        subset = session.find_subset(region)
        region, home = subset.region, subset.data
    if not hasattr(region, "contains"):
        raise CommandError("Rows can be selected by a region with an inside; a mask or a range is none.")
    image = home or next((d for d in session.data if getattr(d, "sky", None) is not None), None)
    if image is None:
        raise CommandError("Open an image with a WCS first: regions are compared with rows on its pixels.")
    places = places_on(data, image)
    if places is None:
        raise CommandError(f"The rows of {data.name} cannot be placed on {image.name}.")
    pixel = region if is_pixel(region) else to_pixel(region, image.sky)
    x, y = places
    good = np.isfinite(x) & np.isfinite(y)
    found = np.zeros(len(x), bool)
    found[good] = pixel.contains(PixCoord(x[good], y[good]))
    return found

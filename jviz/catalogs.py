"""Rows of catalogues: which are selected, where they lie on images, and what a view shows of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.catalogs.expressions import Values, error_column, numbers, rows_where, values_of
from jviz.backend.courtesy import courteous
from jviz.data import Catalog, Data, from_product
from jviz.errors import JvizError
from jviz.signals import Signal

__all__ = [
    "RowPlaces",
    "at_hand",
    "axes_for",
    "evaluated",
    "is_magnitude_name",
    "isophote_shapes",
    "offsets_on",
    "passing",
    "places_on",
    "row_places",
    "scaled",
    "selection_name",
    "selections_of",
    "spans",
    "usual_axes",
]

_MAGNITUDE = re.compile(r"mag|^f\d{3,4}(w2?|m|n|lp|x)$|^[ugrizyjhk]s?$", re.IGNORECASE)
"""Names of columns of magnitudes: the word itself, filters of JWST and HST, the usual bands."""

SAMPLED = 2_000
"""Rows by which it is seen whether two magnitudes make a colour."""

SOON = 20_000
"""Rows that are placed on an image at once; more of them in a job."""


def selection_name(data: Catalog) -> str:
    """Return the name of the subset that plain selecting makes."""
    return f"{data.name} selection"


def selections_of(session: Any, data: Data) -> list[Any]:
    """Return the visible subsets that are masks of the rows of a catalogue, the newest last."""
    return [s for s in session.subsets.values() if s.data is data and s.kind == "mask" and s.visible]


# --- expressions, kept ----------------------------------------------------------------------------

_worked: WeakKeyDictionary[Any, dict[str, Values]] = WeakKeyDictionary()
_passed: WeakKeyDictionary[Any, dict[str, np.ndarray]] = WeakKeyDictionary()
KEPT = 24


def catalog_of(table: Any, name: str) -> Catalog:
    """Make a catalogue of a table of astropy."""
    from jviz.conversion.taken import take_table

    return from_product(take_table(table, name))  # type: ignore[return-value]


def evaluated(data: Catalog, expression: str) -> Values:
    """Return the values of an expression for all rows, kept with the catalogue.

    Raises
    ------
    CommandError
        When it cannot be worked out.
    """
    return _kept(_worked, data, expression, values_of)


def passing(data: Catalog, condition: str) -> np.ndarray | None:
    """Return True for the rows that a filter lets through; None for no filter."""
    return _kept(_passed, data, condition, rows_where) if condition.strip() else None


def _kept(kept: Any, data: Catalog, expression: str, work: Callable[[Any, str], Any]) -> Any:
    mine = kept.setdefault(data, {})
    if expression not in mine:
        made = work(data.columns, expression)
        while len(mine) >= KEPT:
            del mine[next(iter(mine))]
        mine[expression] = made
    return mine[expression]


_logarithms: WeakKeyDictionary[Values, np.ndarray] = WeakKeyDictionary()
_spans: WeakKeyDictionary[Values, list[tuple]] = WeakKeyDictionary()


def scaled(values: Values, log: bool) -> np.ndarray:
    """Return values as an axis has them: their decimal logarithms on a logarithmic one, kept with the values."""
    if not log:
        return np.ascontiguousarray(values.values)
    if values not in _logarithms:
        with np.errstate(divide="ignore", invalid="ignore"):
            _logarithms[values] = np.where(values.values > 0, np.log10(values.values), np.nan)
    return _logarithms[values]


def spans(
    x: Values, y: Values, rows: np.ndarray | None, log: tuple[bool, bool]
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the least and greatest x and y of the rows that have both, kept with them; None when there are none."""
    mine = _spans.setdefault(x, [])
    for known in mine:
        if known[0] is y and known[1] is rows and known[2] == log:
            return known[3]
    good = np.isfinite(scaled(x, log[0])) & np.isfinite(scaled(y, log[1]))
    if rows is not None:
        good &= rows
    found = None
    if good.any():
        a, b = x.values[good], y.values[good]
        found = (float(a.min()), float(a.max())), (float(b.min()), float(b.max()))
    del mine[:-3]
    mine.append((y, rows, log, found))
    return found


def at_hand(data: Catalog, texts: Sequence[str], condition: str, log: tuple[bool, bool]) -> bool:
    """Whether `evaluated`, `passing` and `spans` have kept what they return for two expressions over a catalogue."""
    worked, passed = _worked.get(data, {}), _passed.get(data, {})
    if not all(text in worked for text in texts) or (condition.strip() and condition not in passed):
        return False
    rows = passed[condition] if condition.strip() else None
    x, y = (worked[text] for text in texts)
    return any(known[0] is y and known[1] is rows and known[2] == log for known in _spans.get(x, ()))


_usual: WeakKeyDictionary[Any, tuple[str, str]] = WeakKeyDictionary()


def usual_axes(data: Catalog) -> tuple[str, str]:
    """Return two expressions to plot first: colour and magnitude, or the first columns with numbers."""
    if data not in _usual:
        _usual[data] = _found_axes(data)
    return _usual[data]


def _found_axes(data: Catalog) -> tuple[str, str]:
    from jviz.backend.catalogs.places import position_columns

    names = [n for n, c in data.columns.items() if c.values.ndim == 1 and c.values.dtype.kind in "iuf"]
    errors = {error_column(names, name) for name in names}
    places = position_columns(names) or ("", "", "")
    free = [n for n in names if n not in errors and n.lower() not in ("id", "label", "index", "number", "source_id")]
    magnitudes = [n for n in free if _MAGNITUDE.search(n) and data.columns[n].unit in ("mag", "mag(AB)", "")]
    for blue, red in combinations(magnitudes[:6], 2):
        if _differ(data, blue, red):
            return f"{_quoted(blue)} - {_quoted(red)}", _quoted(red)
    rest = [n for n in free if n not in places[1:]] or free or names
    if not rest:
        return "", ""
    return _quoted(rest[0]), _quoted(rest[min(1, len(rest) - 1)])


def _differ(data: Catalog, blue: str, red: str) -> bool:
    """Whether two magnitudes are more than the same one from another zero point, by a sample of the rows."""
    every = slice(None, None, max(1, len(data) // SAMPLED))
    colour = numbers(data.columns[blue], every) - numbers(data.columns[red], every)
    colour = colour[np.isfinite(colour)]
    return len(colour) > 1 and bool(np.ptp(colour) > 1e-6)


def is_magnitude_name(expression: str) -> bool:
    """Whether an expression is a column that is named as magnitudes are, or speaks of magnitudes."""
    return "mag" in expression.lower() or _MAGNITUDE.search(expression.strip("` ")) is not None


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def axes_for(view: Any, data: Catalog) -> tuple[str, str]:
    """Return the expressions that a plot shows of a catalogue."""
    x, y = view.x, getattr(view, "y", "")
    if x and (y or not hasattr(view, "y")):
        return x, y
    usual = usual_axes(data)
    return x or usual[0], y or usual[1]


# --- rows on images -------------------------------------------------------------------------------


class RowPlaces:
    """Where the rows of catalogues lie on images, in pixels; worked out once, in a job when there are many.

    Attributes
    ----------
    arrived : Signal
        Emitted when places that were asked for are there.
    """

    def __init__(self, session: Any) -> None:
        self.arrived = Signal()
        self._session = session
        self._kept: dict[tuple[int, int], tuple[np.ndarray, np.ndarray] | None] = {}
        self._under_way: set[tuple[int, int]] = set()

    def of(self, data: Catalog, image: Data, *, wait: bool = False) -> tuple[np.ndarray, np.ndarray] | None:
        """Return x and y of all rows in pixels of an image; None without positions, or while they are worked out."""
        key = (data.number, image.number)
        if key in self._kept:
            return self._kept[key]
        if wait or (data.is_read and len(data) <= SOON and _is_quick(image)):
            self._keep(key, places_on(data, image))
            return self._kept[key]
        if key not in self._under_way:
            self._under_way.add(key)
            self._session.jobs.submit(f"Places of {data.name}", lambda job: self._work(key, data, image), quiet=True)
        return None

    def _work(self, key: tuple[int, int], data: Catalog, image: Data) -> None:
        try:
            with courteous():
                made = places_on(data, image)
        except JvizError as error:
            self._session.notice("error", f"{data.name} cannot be marked on {image.name}: {error}")
            made = None

        def end() -> None:
            self._under_way.discard(key)
            self._keep(key, made)
            self.arrived.emit()

        self._session.dispatcher.call(end)

    def _keep(self, key: tuple[int, int], made: tuple[np.ndarray, np.ndarray] | None) -> None:
        alive = {data.number for data in self._session.data}
        self._kept = {k: v for k, v in self._kept.items() if set(k) <= alive}
        self._kept[key] = made


def _is_quick(image: Data) -> bool:
    """Whether places on an image are worked out in less time than it takes to draw it."""
    if not getattr(image, "wcs_ready", True):
        return False
    sky = getattr(image, "sky", None)
    return sky is None or sky.is_quick


def places_on(data: Catalog, image: Data) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where the rows lie on an image, in 0-based pixels; None when that cannot be told."""
    places = data.places
    if places is None or image.kind == "psf":  # the samples of a PSF are pixels of no image
        return None
    if places.system == "pixel":
        return places.x, places.y
    sky = getattr(image, "sky", None)
    if sky is None:
        return None
    x, y = np.full(len(places.x), np.nan), np.full(len(places.x), np.nan)
    good = np.isfinite(places.x) & np.isfinite(places.y) & (np.abs(places.y) <= 90)
    x[good], y[good] = sky.sky_to_pixel(places.x[good], places.y[good])
    return x, y


def isophote_shapes(data: Catalog) -> tuple[np.ndarray, ...] | None:
    """Return x, y, both semi-axes (pixels) and angle (radians from +x) of isophotes; None for other catalogues."""
    columns = data.columns
    if not {"sma", "ellipticity", "pa", "x0", "y0"} <= set(columns):
        return None
    x, y, sma, flat, turn = (numbers(columns[name]) for name in ("x0", "y0", "sma", "ellipticity", "pa"))
    return x, y, sma, sma * (1 - flat), np.radians(turn)


def offsets_on(
    data: Catalog, image: Data, name: str, places: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str] | None:
    """Return offsets of rows on an image: steps along x and y in pixels, lengths, and their unit; None without columns.

    Parameters
    ----------
    name : str
        What the columns begin with: ``name_ra`` and ``name_dec`` (east and north), or ``name_x`` and ``name_y``.
    places : (ndarray, ndarray)
        Pixels of the rows.
    """
    columns, x, y = data.columns, *places
    if {f"{name}_x", f"{name}_y"} <= set(columns):
        dx, dy = (numbers(columns[f"{name}_{axis}"]) for axis in "xy")
        return dx, dy, np.hypot(dx, dy), "pix"
    sky = getattr(image, "sky", None)
    if sky is None or not {f"{name}_ra", f"{name}_dec"} <= set(columns):
        return None
    east, north = (_arcsec(columns[f"{name}_{axis}"]) for axis in ("ra", "dec"))
    dx, dy = np.full(len(x), np.nan), np.full(len(x), np.nan)
    good = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(east) & np.isfinite(north))
    good = good[:: max(1, len(good) // SOON)]
    lon, lat = sky.pixel_to_sky(x[good], y[good])
    ends = sky.sky_to_pixel(lon + east[good] / 3600 / np.cos(np.radians(lat)), lat + north[good] / 3600)
    dx[good], dy[good] = ends[0] - x[good], ends[1] - y[good]
    return dx, dy, np.hypot(east, north), "arcsec"


def _arcsec(column: Any) -> np.ndarray:
    from jviz.backend.units import parse_unit

    known = parse_unit(column.unit) if column.unit else None
    return numbers(column) * (float(known.to("arcsec")) if known is not None and known.is_equivalent("arcsec") else 1.0)


_stores: WeakKeyDictionary[Any, RowPlaces] = WeakKeyDictionary()


def row_places(session: Any) -> RowPlaces:
    """Return the places of rows of a session."""
    if session not in _stores:
        _stores[session] = RowPlaces(session)
    return _stores[session]

"""Outlines of what a search found, over the images: where they lie, and which rows are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.errors import JvizError
from jviz.placement import ready_sky
from jviz.signals import Signal

__all__ = ["FoundRows", "Outlined", "found_rows"]

MOST = 3000
"""Rows of which outlines are drawn on an image, the nearest to its middle."""

MARGIN = 1.0
"""Degrees round an image within which the middle of a row must lie."""


@dataclass(frozen=True, eq=False)
class Outlined:
    """Outlines in the pixels of an image.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n,)
        Corners of all polygons, one after the other; each ends with its first corner.
    starts : ndarray of int, shape (m + 1,)
        Where each polygon begins.
    rows : ndarray of int, shape (m,)
        The row that each belongs to.
    """

    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray
    rows: np.ndarray


class FoundRows:
    """The rows whose outlines lie over the images of one session, while somebody shows them.

    Attributes
    ----------
    changed : Signal
        What is drawn has changed.
    picked : Signal
        With the row whose outline was clicked on an image, and whether it is added to what is chosen.
    chosen : frozenset of int
    under : int
        The row under the mouse elsewhere, -1 for none.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.changed, self.picked = Signal(), Signal()
        self.chosen: frozenset[int] = frozenset()
        self.under = -1
        self._table: Any = None
        self._passing: np.ndarray | None = None
        self._kept: dict[int, tuple[Any, Outlined | None]] = {}

    def show(self, table: Any, passing: np.ndarray | None = None) -> None:
        """Draw the rows of a table, or those for which ``passing`` is true; None for nothing."""
        if table is None and self._table is None:
            return
        self._table, self._passing, self._kept = table, passing, {}
        self.changed.emit()

    def choose(self, rows: Any) -> None:
        """Draw these rows as chosen."""
        chosen = frozenset(int(row) for row in rows)
        if chosen != self.chosen:
            self.chosen = chosen
            self._tell()

    def point_at(self, row: int) -> None:
        """Draw one row as the one that is pointed at, -1 for none."""
        if row != self.under:
            self.under = row
            self._tell()

    def _tell(self) -> None:
        if self._table is not None:
            self.changed.emit()

    def on(self, image: Any) -> Outlined | None:
        """Return the outlines on an image; None without any, or while they are worked out in a job."""
        if self._table is None or not len(self._table):
            return None
        sky = ready_sky(image)
        known, found = self._kept.get(image.number, (sky, None))
        # Also when its place on the sky was corrected meanwhile.
        if image.number not in self._kept or (known is not sky and None not in (known, sky)):
            self._kept[image.number] = sky, found
            self._session.jobs.submit("Outlines of what was found", lambda job: self._work(job, image), quiet=True)
        return found

    def _work(self, job: Any, image: Any) -> None:
        table, passing, sky, found = self._table, self._passing, None, None
        try:
            sky = image.sky
            found = outlined(table, passing, sky) if sky is not None and table is not None else None
        except JvizError:
            pass  # an image without a usable place; its own viewer says why

        def end() -> None:
            if table is self._table and passing is self._passing:
                self._kept[image.number] = sky, found
                self.changed.emit()

        self._session.dispatcher.call(end)


def outlined(table: Any, passing: np.ndarray | None, sky: Any) -> Outlined | None:
    """Return the outlines of rows near an image in its pixels; None when there are none."""
    from jviz.backend.archive.skyplaces import outlines

    rows = _near(table, passing, sky)
    x, y, lengths, owners = [], [], [], []
    for row, shapes in zip(rows.tolist(), outlines(table, rows.tolist()), strict=True):
        for shape in shapes:
            lon = np.degrees(np.arctan2(shape[:, 1], shape[:, 0]))
            lat = np.degrees(np.arcsin(np.clip(shape[:, 2], -1, 1)))
            x.append(np.append(lon, lon[0]) % 360)
            y.append(np.append(lat, lat[0]))
            lengths.append(len(lon) + 1)
            owners.append(row)
    if not x:
        return None
    u, v = sky.sky_to_pixel(np.concatenate(x), np.concatenate(y))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    whole = np.array([np.isfinite(u[a:b]).all() and np.isfinite(v[a:b]).all()
                      for a, b in pairwise(starts.tolist())])  # fmt: skip
    keep = np.repeat(whole, lengths)
    ends = np.cumsum(np.array(lengths)[whole])
    return Outlined(u[keep], v[keep], np.concatenate([[0], ends]), np.array(owners, int)[whole])


def _near(table: Any, passing: np.ndarray | None, sky: Any) -> np.ndarray:
    """Return the rows whose middle is near an image, the nearest first: projections go wild far away."""
    from jviz.backend.archive.skyplaces import position_columns
    from jviz.backend.render.frames import separation

    found = position_columns(table)
    if found is None or "s_region" not in table.colnames:
        return np.empty(0, int)
    ny, nx = sky.shape[-2:]
    x = np.array([(nx - 1) / 2, -0.5, nx - 0.5, -0.5, nx - 0.5])
    y = np.array([(ny - 1) / 2, -0.5, -0.5, ny - 0.5, ny - 0.5])
    lon, lat = (np.asarray(values, float) for values in sky.pixel_to_sky(x, y))
    if not np.isfinite([lon[0], lat[0]]).all():
        return np.empty(0, int)
    corners = separation(lon[0], lat[0], lon[1:], lat[1:])
    reach = (float(np.nanmax(corners)) if np.isfinite(corners).any() else 1.0) + MARGIN
    away = separation(lon[0], lat[0], *found)
    near = np.isfinite(away) & (away <= reach) & (True if passing is None else passing)
    rows = np.flatnonzero(near)
    return rows[np.argsort(away[rows], kind="stable")][:MOST]


_found: WeakKeyDictionary[Any, FoundRows] = WeakKeyDictionary()


def found_rows(session: Any) -> FoundRows:
    """Return what is drawn in a session."""
    if session not in _found:
        _found[session] = FoundRows(session)
    return _found[session]

"""The rows of a catalogue in a picture: marks while there are few, their density when there are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from jviz.backend.catalogs import crowd
from jviz.catalog_views import CatalogLayer
from jviz.catalogs import evaluated
from jviz.errors import JvizError
from jviz.viewers.catalog.points import (
    CROWD,
    FEW,
    colours_of,
    draw_coloured,
    draw_density,
    draw_means,
    draw_points,
    shades_of,
    sizes_by,
)

__all__ = ["Marking", "Rows", "draw_rows", "share_of"]

COVERED, LEAST_SHARE = 0.08, 0.5
"""Share of a picture that marks may cover before they shrink, and what is left of their size in a crowd."""

MARGIN = 20.0
"""Pixels outside of the picture at which a mark may still reach into it."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Where rows lie: ``screen = to @ (x, y, 1)``, in logical pixels.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n,)
        NaN for rows that lie nowhere.
    to : ndarray, shape (2, 3)
    passing : ndarray of bool or None
        Rows that a filter lets through.
    """

    x: np.ndarray
    y: np.ndarray
    to: np.ndarray
    passing: np.ndarray | None = None

    def at(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of some rows on the screen."""
        return crowd.placed(self.x[numbers], self.y[numbers], self.to)

    def among(self, chosen: np.ndarray) -> Rows:
        """Return the same rows of which only those count that are chosen too."""
        return Rows(self.x, self.y, self.to, chosen if self.passing is None else chosen & self.passing)

    def in_sight(self, area: QRectF, most: int = CROWD) -> tuple[int, np.ndarray]:
        """Return how many rows lie in an area, and the numbers of up to ``most`` of them."""
        box = (area.left() - MARGIN, area.top() - MARGIN, area.right() + MARGIN, area.bottom() + MARGIN)
        return crowd.in_sight(self.x, self.y, box, most, to=self.to, rows=self.passing)

    def inside(self, outline: np.ndarray) -> np.ndarray:
        """Return which rows lie inside an outline on the screen, shape (n,)."""
        found = crowd.inside(self.x, self.y, outline, to=self.to)
        return found if self.passing is None else found & self.passing

    def nearest(self, place: tuple[float, float], reach: float) -> int | None:
        """Return the row nearest to a place on the screen, None when none is within ``reach``."""
        return crowd.nearest(self.x, self.y, place, reach, to=self.to, rows=self.passing)


@dataclass(frozen=True)
class Marking:
    """How marks are drawn, besides what their layer says.

    Attributes
    ----------
    colour, faint : str
        Of marks, and of those without a value to colour them by.
    share : float
        Of the layer's size.
    selected : str
        Mark of selected rows; empty: that of the layer, larger and thicker.
    rim : str
        Colour of a border; empty: none.
    density : str
        As in `jviz.catalog_views.ScatterView`.
    shrinks : bool
        Whether marks become smaller where there are many, so that what is below them is seen.
    """

    colour: str
    faint: str
    share: float = 1.0
    selected: str = ""
    rim: str = ""
    density: str = "auto"
    shrinks: bool = False


def share_of(count: int, area: QRectF, size: float) -> float:
    """Return how much of their size so many marks keep, so that they leave an image to be seen."""
    covered = count * size**2 / max(area.width() * area.height(), 1.0)
    return max(LEAST_SHARE, (COVERED / covered) ** 0.5) if covered > COVERED else 1.0


def draw_rows(
    painter: QPainter, rows: Rows, area: QRectF, layer: CatalogLayer, marking: Marking, subsets: Sequence[Any] = ()
) -> np.ndarray:
    """Draw rows, and those of subsets in their colours.

    Returns
    -------
    ndarray of int
        Numbers of the rows that were drawn one by one; none for a crowd.

    Raises
    ------
    JvizError
        When the expression that colours or scales the marks cannot be worked out; they are drawn plainly then.
    """
    count, numbers = rows.in_sight(area)
    crowded = marking.density == "always" or count > (np.inf if marking.density == "never" else CROWD)
    if marking.shrinks:
        marking = replace(marking, share=marking.share * share_of(count, area, layer.size))
    if count > len(numbers) and not crowded:
        numbers = rows.in_sight(area, count)[1]
    problem = None
    if crowded:
        problem = _draw_crowd(painter, rows, area, layer, marking)
        numbers = numbers[:0]
    else:
        problem = _draw_marks(painter, rows, numbers, layer, marking)
    for subset in subsets:
        _draw_selected(painter, rows.among(subset.region), area, layer, marking, subset.color)
    if problem is not None:
        raise problem
    return numbers


def _draw_marks(
    painter: QPainter, rows: Rows, numbers: np.ndarray, layer: CatalogLayer, marking: Marking
) -> JvizError | None:
    x, y = rows.at(numbers)
    size: Any = marking.share * layer.size
    looks = {"opacity": layer.opacity, "rim": marking.rim if len(numbers) <= FEW else ""}
    try:
        if layer.size_by:
            size = sizes_by(evaluated(layer.data, layer.size_by).values, size)[numbers]
        values = evaluated(layer.data, layer.color_by) if layer.color_by else None
    except JvizError as error:
        draw_points(painter, x, y, marking.colour, layer.mark, marking.share * layer.size, **looks)
        return error
    if values is None:
        draw_points(painter, x, y, marking.colour, layer.mark, size, **looks)
        return None
    shades, colours = shades_of(values)[0][numbers], [*colours_of(layer.colormap), marking.faint]
    draw_coloured(painter, x, y, shades, colours, layer.mark, size, **looks)
    return None


def _draw_crowd(
    painter: QPainter, rows: Rows, area: QRectF, layer: CatalogLayer, marking: Marking
) -> JvizError | None:
    problem, where = None, {"to": rows.to, "rows": rows.passing, "opacity": layer.opacity}
    try:
        if layer.color_by:
            shades = shades_of(evaluated(layer.data, layer.color_by))[0]
            draw_means(painter, rows.x, rows.y, area, shades, colours_of(layer.colormap), **where)
            return None
    except JvizError as error:
        problem = error
    draw_density(painter, rows.x, rows.y, area, QColor(marking.colour), **where)
    return problem


def _draw_selected(
    painter: QPainter, rows: Rows, area: QRectF, layer: CatalogLayer, marking: Marking, colour: str
) -> None:
    count, numbers = rows.in_sight(area)
    if count > CROWD:
        draw_density(painter, rows.x, rows.y, area, QColor(colour), to=rows.to, rows=rows.passing)
    elif marking.selected:
        draw_points(painter, *rows.at(numbers), colour, marking.selected, max(4.0, marking.share * layer.size))
    else:
        draw_points(painter, *rows.at(numbers), colour, layer.mark, layer.size + 4, width=2.2, rim=marking.rim)

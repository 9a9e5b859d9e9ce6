"""Many polylines as one path, made from arrays without a loop over their points."""

from __future__ import annotations

import numpy as np
import shiboken6
from PySide6.QtCore import QByteArray, QDataStream, QIODevice, QLineF, QPointF
from PySide6.QtGui import QPainter, QPainterPath, QTransform

from jviz.geometry import Geometry

__all__ = ["circle_on_screen", "draw_segments", "path_of", "picked", "segments_of"]

_ELEMENT = np.dtype([("type", ">i4"), ("x", ">f8"), ("y", ">f8")])
"""How QDataStream writes an element of a path: 0 moves there, 1 draws a line."""


def path_of(points: np.ndarray, starts: np.ndarray) -> QPainterPath:
    """Return polylines as a path.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        NaN interrupts a line.
    starts : ndarray of int
        Where each polyline begins, and the end of the last.
    """
    path = QPainterPath()
    if not np.isfinite(points).all():
        points, starts = _whole(points, starts)
    if not len(points):
        return path
    elements = np.empty(len(points), _ELEMENT)
    elements["type"] = 1
    elements["type"][starts[:-1]] = 0
    elements["x"], elements["y"] = points.T
    head = np.array([len(points)], ">i4").tobytes()
    tail = np.array([starts[-2], 0], ">i4").tobytes()  # where the last part begins; how it would be filled
    data = QByteArray(head + elements.tobytes() + tail)
    QDataStream(data, QIODevice.OpenModeFlag.ReadOnly) >> path
    return path


def circle_on_screen(geometry: Geometry, centre: tuple[float, float], radius: float) -> QPainterPath:
    """Return a circle in data pixels as it is seen: an ellipse where pixels are drawn higher than wide."""
    (a, b, c), (d, e, f) = geometry.to_screen_matrix.tolist()
    path = QPainterPath()
    path.addEllipse(QPointF(*centre), radius, radius)
    return QTransform(a, d, b, e, c, f).map(path)


def _whole(points: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part polylines where they are interrupted by NaN."""
    finite = np.isfinite(points).all(axis=1)
    begins = np.zeros(len(points), bool)
    begins[starts[:-1]] = True
    begins[1:] |= ~finite[:-1]
    return points[finite], np.append(np.flatnonzero(begins[finite]), np.count_nonzero(finite))


def segments_of(points: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the pieces of polylines, shape (n, 4): from x and y to x and y.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    starts : ndarray of int
        Where each polyline begins, and the end of the last.
    """
    if len(points) < 2:
        return np.empty((0, 4))
    within = np.ones(len(points) - 1, dtype=bool)
    within[starts[1:-1] - 1] = False
    finite = np.isfinite(points).all(axis=1)
    begins = np.flatnonzero(within & finite[1:] & finite[:-1])
    return np.concatenate([points.take(begins, axis=0), points.take(begins + 1, axis=0)], axis=1)


def draw_segments(painter: QPainter, segments: np.ndarray) -> None:
    """Draw lines, shape (n, 4), straight from the memory of an array."""
    packed = np.ascontiguousarray(segments, dtype=np.float64)
    if len(packed):
        painter.drawLines(shiboken6.wrapInstance(packed.ctypes.data, QLineF), len(packed))


def picked(starts: np.ndarray, lines: np.ndarray, strides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which points some polylines take, and where each begins then.

    Parameters
    ----------
    starts : ndarray of int
        Where each polyline begins, and the end of the last.
    lines : ndarray of int
        Numbers of the polylines.
    strides : ndarray of int
        Of each of them every n-th point only, and the last one.
    """
    lasts = starts[lines + 1] - 1
    counts = -(-(lasts - starts[lines]) // strides) + 1
    begins = np.concatenate([[0], np.cumsum(counts)])
    within = np.arange(begins[-1]) - np.repeat(begins[:-1], counts)
    points = np.repeat(starts[lines], counts) + within * np.repeat(strides, counts)
    return np.minimum(points, np.repeat(lasts, counts)), begins

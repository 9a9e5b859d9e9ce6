"""Many points on a picture: how densely they lie, which are in sight, inside an outline, or nearest to a place.

Until the compiled kernels are loaded (`jviz.backend.render.kernels.warm_up`) numpy does the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jviz.backend.render import kernels

__all__ = ["AS_GIVEN", "density", "in_sight", "inside", "means", "nearest", "placed", "stamped", "tinted"]

AS_GIVEN = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""The map of points that are given in pixels."""

STRIPS, CELLS = 512, 256
"""Into how many parts an outline is cut, down and across."""

_every = np.zeros(0, bool)


def _plain(*arrays: np.ndarray) -> Iterator[np.ndarray]:
    """Return arrays as the kernels take them; mostly they are so already."""
    return (np.require(array, np.float64, "CA") for array in arrays)


def _taken(rows: np.ndarray | None) -> np.ndarray:
    return _every if rows is None else np.require(rows, bool, "CA")


def placed(x: np.ndarray, y: np.ndarray, to: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of points: ``to @ (x, y, 1)``."""
    return to[0, 0] * x + to[0, 1] * y + to[0, 2], to[1, 0] * x + to[1, 1] * y + to[1, 2]


def density(
    x: np.ndarray, y: np.ndarray, width: int, height: int, *, to: np.ndarray = AS_GIVEN, rows: np.ndarray | None = None
) -> np.ndarray:
    """Count points in the pixels of a picture.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Those that fall outside of the picture, and NaN, are left out.
    to : ndarray, shape (2, 3)
        ``pixel = to @ (x, y, 1)``; as they are by default.
    rows : ndarray of bool, optional
        Points that count.

    Returns
    -------
    ndarray of uint32, shape (height, width)
    """
    if kernels.ready:
        from jviz.backend.render.crowd_kernels import count_points

        counts = np.zeros((height, width), np.uint32)
        count_points(*_plain(x, y), _taken(rows), *_plain(to), counts)
        return counts
    across, down = placed(x, y, to)
    with np.errstate(invalid="ignore"):
        there = (across >= 0) & (across < width) & (down >= 0) & (down < height)
    if rows is not None:
        there &= rows
    column, row = across[there].astype(np.int64), down[there].astype(np.int64)
    return np.bincount(row * width + column, minlength=width * height).reshape(height, width).astype(np.uint32)


def means(
    x: np.ndarray, y: np.ndarray, numbers: np.ndarray, width: int, height: int, *, to: np.ndarray = AS_GIVEN,
    rows: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the mean of the numbers of the points in each pixel of a picture, rounded, plus 1; 0 where there is none.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Points with one below 0 are left out.
    x, y, to, rows
        As in `density`.

    Returns
    -------
    ndarray of uint32, shape (height, width)
    """
    if kernels.ready:
        from jviz.backend.render.crowd_kernels import add_points

        counts, sums = np.zeros((height, width), np.uint32), np.zeros((height, width), np.int64)
        add_points(*_plain(x, y), _taken(rows), *_plain(to), np.require(numbers, np.int64, "CA"), counts, sums)
    else:
        across, down = placed(x, y, to)
        with np.errstate(invalid="ignore"):
            there = (across >= 0) & (across < width) & (down >= 0) & (down < height) & (numbers >= 0)
        if rows is not None:
            there &= rows
        places = down[there].astype(np.int64) * width + across[there].astype(np.int64)
        counts, sums = (np.bincount(places, weights, width * height).reshape(height, width)
                        for weights in (None, numbers[there]))  # fmt: skip
    return np.where(counts > 0, (2 * sums + counts) // np.maximum(2 * counts, 1) + 1, 0).astype(np.uint32)


def stamped(
    column: np.ndarray, row: np.ndarray, stamp: np.ndarray, width: int, height: int, numbers: np.ndarray | None = None
) -> np.ndarray:
    """Put a stamp at many places of a picture: where they overlap what covers most counts, of equal ones the last.

    Parameters
    ----------
    column, row : ndarray of int64, shape (n,)
        Of its left upper corner; all of it lies in the picture.
    stamp : ndarray of uint8
        How much it covers, 0 to 255.
    numbers : ndarray of int64, shape (n,), optional
        Of each point, 0 and above.

    Returns
    -------
    ndarray of uint32, shape (height, width)
        256 × the number of the point, and how much is covered.
    """
    made = np.zeros((height, width), np.uint32)
    if not len(column):
        return made
    # Compiled code would write beyond what is too small, and end the program.
    if min(column.min(), row.min()) < 0 or column.max() + stamp.shape[1] > width or row.max() + stamp.shape[0] > height:
        raise ValueError(f"a stamp of {stamp.shape[::-1]} pixels reaches beyond the picture of {width} × {height}")
    if kernels.ready:
        from jviz.backend.render.crowd_kernels import stamp_points

        whole = [np.require(v, np.int64, "CA") for v in (column, row, np.zeros(0) if numbers is None else numbers)]
        stamp_points(*whole, np.require(stamp, np.uint8, "CA"), made)
        return made
    flat, own = made.reshape(-1), 0 if numbers is None else 256 * numbers.astype(np.uint32)
    for dy, dx in zip(*np.nonzero(stamp), strict=True):
        places = (row + int(dy)) * width + column + int(dx)
        better = np.uint32(stamp[dy, dx]) >= flat[places] % 256
        flat[places[better]] = (own if np.ndim(own) == 0 else own[better]) + np.uint32(stamp[dy, dx])
    return made


def tinted(counts: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the colour of each count, ``table[count]``, the last one for counts beyond the table."""
    if kernels.ready:
        from jviz.backend.render.crowd_kernels import tint

        pixels = np.empty(counts.shape, np.uint32)
        tint(np.require(counts, np.uint32, "CA"), np.require(table, np.uint32, "CA"), pixels)
        return pixels
    return table[np.minimum(counts, len(table) - 1)]


def in_sight(
    x: np.ndarray,
    y: np.ndarray,
    box: tuple[float, float, float, float],
    most: int,
    *,
    to: np.ndarray = AS_GIVEN,
    rows: np.ndarray | None = None,
) -> tuple[int, np.ndarray]:
    """Return how many points fall into a box (left, top, right, bottom), and the numbers of up to ``most``."""
    if kernels.ready:
        from jviz.backend.render.crowd_kernels import gather

        found = np.empty(most, np.int64)
        number = gather(*_plain(x, y), _taken(rows), *_plain(to, np.array(box)), found)
        return number, found[: min(number, most)]
    across, down = placed(x, y, to)
    with np.errstate(invalid="ignore"):
        there = (across >= box[0]) & (across <= box[2]) & (down >= box[1]) & (down <= box[3])
    numbers = np.flatnonzero(there if rows is None else there & rows)
    return len(numbers), numbers[:most]


def inside(x: np.ndarray, y: np.ndarray, corners: np.ndarray, *, to: np.ndarray = AS_GIVEN) -> np.ndarray:
    """Return which points lie in a polygon (an odd number of times, so that loops of a lasso are holes).

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        NaN lies nowhere.
    corners : ndarray of float, shape (m, 2)
        In pixels.
    to : ndarray, shape (2, 3)
        ``pixel = to @ (x, y, 1)``; as they are by default.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    corners = np.ascontiguousarray(corners, np.float64)
    if kernels.ready:
        from jviz.backend.render.crowd_kernels import inside as tested

        found = np.empty(len(x), bool)
        cells = np.empty((STRIPS, CELLS), np.uint8)
        tested(*_plain(x, y, to), corners, *_strips(corners), cells, found)
        return found
    return _inside(*placed(x, y, to), corners)


def _strips(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Sort the edges of a polygon into horizontal strips."""
    top, bottom = float(corners[:, 1].min()), float(corners[:, 1].max())
    step = (bottom - top) / STRIPS or 1.0
    ends = np.stack([corners[:, 1], np.roll(corners[:, 1], -1)])
    first, last = (np.clip(np.floor((e - top) / step).astype(int), 0, STRIPS - 1) for e in (ends.min(0), ends.max(0)))
    number = last - first + 1
    edges = np.repeat(np.arange(len(corners)), number)
    strips = np.arange(number.sum()) - np.repeat(number.cumsum() - number, number) + np.repeat(first, number)
    order = np.argsort(strips, kind="stable")
    starts = np.searchsorted(strips[order], np.arange(STRIPS + 1))
    return starts, edges[order], top, step


def _inside(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    low, high = corners.min(axis=0), corners.max(axis=0)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    # Sorted by y, the points that an edge passes are one slice: the work grows with crossings, not with edges.
    near = near[np.argsort(y[near], kind="stable")]
    px, py = x[near], y[near]
    crossed = np.zeros(len(near), np.int64)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        first, last = np.searchsorted(py, (y0, y1), side="left")
        part = slice(int(first), int(last))
        crossed[part] += px[part] < x0 + (py[part] - y0) * ((x1 - x0) / (y1 - y0))
    found = np.zeros(len(x), bool)
    found[near[crossed % 2 == 1]] = True
    return found


def nearest(
    x: np.ndarray,
    y: np.ndarray,
    place: tuple[float, float],
    reach: float,
    *,
    to: np.ndarray = AS_GIVEN,
    rows: np.ndarray | None = None,
) -> int | None:
    """Return the number of the point that is nearest to a place in pixels, None when none is within ``reach``."""
    box = (place[0] - reach, place[1] - reach, place[0] + reach, place[1] + reach)
    _, near = in_sight(x, y, box, len(x), to=to, rows=rows)
    if not len(near):
        return None
    across, down = placed(x[near], y[near], to)
    distance = np.hypot(across - place[0], down - place[1])
    best = int(distance.argmin())
    return int(near[best]) if distance[best] <= reach else None

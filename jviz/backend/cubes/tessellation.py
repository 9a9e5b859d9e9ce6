"""The weighted Voronoi tessellation of spaxels, compiled without the GIL; see `jviz.backend.cubes.binning`."""

import numpy as np
from numba import njit

__all__ = ["assign", "sorted_into_cells"]

Array = np.ndarray

compiled = njit(cache=True, nogil=True, error_model="numpy")


def sorted_into_cells(generators: Array, extent: tuple[float, float]) -> tuple[Array, Array, float]:
    """Sort generators into square cells that hold about one each.

    Parameters
    ----------
    generators : ndarray of float64, shape (m, 2)
        Places x, y from 0 to ``extent``.

    Returns
    -------
    order, starts : ndarray of int
        Generators of the cell in row i and column j are ``order[starts[i, j]:starts[i, j + 1]]``, with one more column
        than cells.
    size : float
        Of a cell, in pixels.
    """
    size = max(1.0, float(np.sqrt((extent[0] + 1) * (extent[1] + 1) / len(generators))))
    columns, rows = (int(end / size) + 1 for end in extent)
    cells = (generators[:, 1] / size).astype(np.int64) * columns + (generators[:, 0] / size).astype(np.int64)
    ends = np.searchsorted(np.sort(cells), np.arange(rows * columns + 1))
    starts = np.empty((rows, columns + 1), np.int64)
    starts[:, :-1] = ends[:-1].reshape(rows, columns)
    starts[:, -1] = ends[columns::columns]
    return np.argsort(cells, kind="stable"), starts, size


@compiled
def assign(
    places: Array, generators: Array, scale: Array, order: Array, starts: Array, size: float, label: Array
) -> None:
    """Fill the number of the generator that is nearest to each place in units of its own scale.

    Cells are searched in rings round each place, until none beyond can hold a nearer one.
    """
    rows, columns = starts.shape[0], starts.shape[1] - 1
    largest = scale.max()
    for k in range(places.shape[0]):
        x, y = places[k, 0], places[k, 1]
        j, i = int(x / size), int(y / size)
        best, choice = np.inf, 0
        for ring in range(max(rows, columns)):
            if ring > 0 and ((ring - 1) * size / largest) ** 2 >= best:
                break
            for a in range(max(0, i - ring), min(rows, i + ring + 1)):
                inner = abs(a - i) < ring
                for b in range(max(0, j - ring), min(columns, j + ring + 1)):
                    if inner and abs(b - j) < ring:
                        continue
                    for n in range(starts[a, b], starts[a, b + 1]):
                        g = order[n]
                        far = ((generators[g, 0] - x) ** 2 + (generators[g, 1] - y) ** 2) / scale[g] ** 2
                        if far < best:
                            best, choice = far, g
        label[k] = choice

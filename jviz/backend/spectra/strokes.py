"""Many curves at once: their samples side by side in memory, for kernels that draw and search them in one pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["Strokes", "is_ready", "prepare"]

_kernels: Any = None
_preparing = threading.Lock()


def is_ready() -> bool:
    """Whether the kernels are compiled."""
    return _kernels is not None


def prepare(between: Callable[[], None] = lambda: None) -> None:
    """Compile the kernels, or take them from the cache; takes seconds the first time.

    Parameters
    ----------
    between : callable
        Called before each kernel; what it raises ends the preparation.
    """
    global _kernels
    with _preparing:
        if _kernels is not None:
            return
        from jviz.backend.spectra import stroke_kernels as made

        x, starts, ends = np.arange(4.0), np.array([0]), np.array([4])
        picture, axes, logs = np.zeros((4, 4), np.uint32), np.array([[1.0, 0.0], [1.0, 0.0]]), np.zeros(2, bool)
        colours = np.array([0xFF000000], np.uint32)
        between()
        made.draw(picture, x, x, starts, ends, colours, np.array([True]), axes, logs, 0.5)
        between()
        made.draw_bands(picture, x, x, x, starts, ends, colours, 0.2, axes, logs)
        between()
        made.span(x, x, starts, ends, 0.0, 1.0, False)
        made.every(x, x, starts, ends, 0.0, 1.0, 1, np.empty(4))
        made.nearest(x, starts, ends, 0.0, np.empty(1, np.int64))
        _kernels = made


class Strokes:
    """Curves of which most stay while some come and go: what is added costs what it is long, whatever is there.

    Attributes
    ----------
    x, y, error : ndarray of float64
        Samples of all curves one after the other, with room behind them; ``error`` is NaN where none is known.
    """

    def __init__(self) -> None:
        self.x, self.y, self.error = (np.empty(0) for _ in range(3))
        self._used, self._live = 0, 0
        self._places: dict[int, tuple[Any, int, int, bool]] = {}

    def places(self, curves: Iterable[Any]) -> np.ndarray:
        """Take in the curves that are not there yet.

        Parameters
        ----------
        curves : iterable
            Of objects with ``x``, ``y`` and ``error`` (or None), the same objects for the same numbers.

        Returns
        -------
        ndarray of int64, shape (3, n)
            Start and end of each, and whether it has errors.
        """
        curves = list(curves)
        wanted = {id(curve): curve for curve in curves}
        for gone in self._places.keys() - wanted.keys():
            _, start, end, _ = self._places.pop(gone)
            self._live -= end - start
        if self._used > 2 * self._live + 100_000:
            self._places, self._used, self._live = {}, 0, 0
        news = [curve for key, curve in wanted.items() if key not in self._places]
        self._reserve(sum(len(curve.x) for curve in news))
        for curve in news:
            self._append(curve)
        found = [self._places[id(curve)][1:] for curve in curves]
        return np.array(found, np.int64).reshape(-1, 3).T.copy()

    def _reserve(self, more: int) -> None:
        wanted = self._used + more
        if wanted <= len(self.x):
            return
        size = max(wanted, 2 * len(self.x))
        for name in ("x", "y", "error"):
            grown = np.empty(size)
            grown[: self._used] = getattr(self, name)[: self._used]
            setattr(self, name, grown)

    def _append(self, curve: Any) -> None:
        start, end = self._used, self._used + len(curve.x)
        self.x[start:end], self.y[start:end] = curve.x, curve.y
        self.error[start:end] = np.nan if curve.error is None else curve.error
        # The curve is kept with its place: as long as it is, no other object has its id.
        self._places[id(curve)] = (curve, start, end, curve.error is not None)
        self._used, self._live = end, self._live + end - start

    # --- what the kernels do ----------------------------------------------------------------------

    def draw(
        self, picture: np.ndarray, where: np.ndarray, colours: np.ndarray, stepped: np.ndarray, axes: np.ndarray,
        logs: np.ndarray, width: float = 1.0,
    ) -> None:  # fmt: skip
        """Draw curves into a picture of uint32, shape (width, height); see `stroke_kernels.draw`."""

        def columns(part: np.ndarray, axes: np.ndarray) -> None:
            _kernels.draw(part, self.x, self.y, where[0], where[1], colours, stepped, axes, logs, width / 2)

        _in_halves(columns, picture, axes)

    def draw_bands(
        self, picture: np.ndarray, where: np.ndarray, colours: np.ndarray, opacity: float, axes: np.ndarray,
        logs: np.ndarray,
    ) -> None:  # fmt: skip
        """Draw the bands of errors of those that have them into an empty picture."""
        has = np.flatnonzero(where[2])
        start, end, colours = where[0][has], where[1][has], colours[has]

        def columns(part: np.ndarray, axes: np.ndarray) -> None:
            _kernels.draw_bands(part, self.x, self.y, self.error, start, end, colours, float(opacity), axes, logs)

        if len(has):
            _in_halves(columns, picture, axes)

    def span(self, where: np.ndarray, low: float, high: float, *, log: bool) -> tuple[float, float, int]:
        """Return the least and greatest value of y for x between two values, and the number of samples."""
        return _kernels.span(self.x, self.y, where[0], where[1], float(low), float(high), bool(log))

    def every(self, where: np.ndarray, low: float, high: float, step: int, count: int) -> np.ndarray:
        """Return every n-th value of y for x between two values."""
        out = np.empty(count // step + where.shape[1] + 1)
        return out[: _kernels.every(self.x, self.y, where[0], where[1], float(low), float(high), step, out)]

    def nearest(self, where: np.ndarray, wanted: float) -> np.ndarray:
        """Return which sample of each curve is nearest to a value of x, counted from the start of the curve."""
        out = np.empty(where.shape[1], np.int64)
        _kernels.nearest(self.x, where[0], where[1], float(wanted), out)
        return out - where[0]


def _in_halves(work: Callable[[np.ndarray, np.ndarray], None], picture: np.ndarray, axes: np.ndarray) -> None:
    """Let two threads draw the two halves of a picture."""
    middle = len(picture) // 2
    other = threading.Thread(target=work, args=(picture[middle:], axes - np.array([[0.0, middle], [0.0, 0.0]])))
    other.start()
    work(picture[:middle], axes)
    other.join()

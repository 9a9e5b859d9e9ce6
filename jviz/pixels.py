"""Pixels of data with their errors, a part at a time, without those that their flags forbid."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.data import WithPicture
from jviz.errors import CommandError

__all__ = ["VARIANCES", "Pixels"]


def _inverse(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.where(values > 0, 1 / values, np.nan)


VARIANCES = (("error", np.square), ("variance", np.asarray), ("inverse variance", _inverse))
"""From what a plane of errors means to how its values become variances, the first choice first."""


class Pixels:
    """Reads parts of one plane (or a slice of it) of an image.

    Parameters
    ----------
    data : WithPicture
    plane : str
        ``""`` is the first.
    index : tuple of int
        Slice of data with more than two axes; the middle one by default.
    exclude : int
        Pixels with any of these data quality bits count as missing.
    """

    def __init__(self, data: WithPicture, plane: str = "", index: tuple[int, ...] = (), *, exclude: int = 0) -> None:
        if not isinstance(data, WithPicture):
            raise CommandError(f"{data.name} is of kind {data.kind}; this works on images.")
        self.data, self.plane = data, data.plane(plane)
        if self.plane.dtype.kind not in "biuf":
            raise CommandError(f"The plane {self.plane.name} of {data.name} holds no numbers.")
        self.index = tuple(index) or tuple(n // 2 for n in self.plane.shape[:-2])
        self.shape: tuple[int, int] = self.plane.shape[-2:]
        flags = data.product.plane("flags")
        self._flags = flags if flags is not None and flags.shape[-2:] == self.shape else None
        self._exclude = exclude if self._flags is not None else 0

    @property
    def unit(self) -> str:
        """Unit of the values, as the file has it."""
        return self.plane.unit

    def read(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray | None]:
        """Return values (float64, NaN for missing ones) and variances, None where there are no errors."""
        values = self.part(self.plane, rows, columns).astype(np.float64)
        if self._exclude:
            values[(self.flags(rows, columns) & self._exclude) != 0] = np.nan
        return values, self._variance(rows, columns)

    def flags(self, rows: slice, columns: slice) -> np.ndarray | None:
        """Return the data quality of a part (int64), None where the data have none of this shape."""
        return None if self._flags is None else self.part(self._flags, rows, columns).astype(np.int64)

    def _variance(self, rows: slice, columns: slice) -> np.ndarray | None:
        if self.plane is not self.data.plane():
            return None
        product = self.data.product
        for meaning, turn in VARIANCES:
            found = product.plane(meaning)
            if found is not None and found.shape[-2:] == self.shape:
                return turn(self.part(found, rows, columns).astype(np.float64))
        return None

    def part(self, plane: Any, rows: slice, columns: slice) -> np.ndarray:
        """Read a part of another plane of the same rows and columns, in the same slice."""
        # Companions of cubes may have the cube's axes, or those of one slice.
        index = self.index[len(self.index) - (len(plane.shape) - 2) :] if len(plane.shape) > 2 else ()
        return plane.read((*index, rows, columns))

"""Arrays of files that are mapped window by window, where the process may not map the whole file at once."""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from jviz.errors import ReadError

__all__ = ["Opened", "Windowed"]

WINDOW = 16 << 20
"""Bytes that are mapped at a time."""


class Opened:
    """A file that stays open as long as somebody uses it.

    Parameters
    ----------
    descriptor : int
        Of an open file; it is this object's from now on.
    name : str
        For messages.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self.name, self._descriptor = name, descriptor
        weakref.finalize(self, os.close, descriptor)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor


class Windowed:
    """An array of a file that reads what is asked for: a limit on the address space can be below the file's size.

    Whole numbers, slices and lists of indices choose a part, each along its own axis; whole numbers alone that leave
    three axes or more read nothing yet.

    Parameters
    ----------
    stream : Opened
    dtype : dtype
    shape : tuple of int
        As the file has it.
    start : int
        Byte of the first value.
    order : tuple of int, optional
        Which axis of the file comes first, second …

    Notes
    -----
    A file that is open for writing can be written to in the same way.
    """

    def __init__(
        self, stream: Opened, dtype: np.dtype, shape: tuple[int, ...], start: int, order: tuple[int, ...] | None = None
    ) -> None:
        self._stream, self._stored, self._start = stream, tuple(shape), start
        self._order = tuple(range(len(shape))) if order is None else tuple(order)
        self.dtype = np.dtype(dtype)
        self.shape = tuple(self._stored[axis] for axis in self._order)
        self.ndim, self.size = len(shape), prod(shape)
        self.nbytes = self.size * self.dtype.itemsize

    def reshape(self, *shape: Any) -> Windowed:
        """Return the same values with other axes; only as the file has them."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        known = prod(n for n in wanted if n != -1)
        full = tuple(self.size // known if n == -1 else int(n) for n in wanted)
        if prod(full) != self.size or self._order != tuple(range(self.ndim)):
            raise ValueError(f"cannot take an array of shape {self.shape} as {full}")
        return Windowed(self._stream, self.dtype, full, self._start)

    def transpose(self, *order: Any) -> Windowed:
        """Return the same values with their axes in another order."""
        wanted = order[0] if len(order) == 1 and not isinstance(order[0], int) else order
        axes = tuple(self._order[axis] for axis in wanted)
        return Windowed(self._stream, self.dtype, self._stored, self._start, axes)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self._read([slice(None)] * self.ndim, [False] * self.ndim)
        return values.astype(dtype or self.dtype, copy=False)

    def __getitem__(self, index: Any) -> Any:
        keys = self._keys(index)
        ints = [isinstance(key, int | np.integer) for key in keys]
        if self._order == tuple(range(self.ndim)) and self._leaves_much(keys, ints):
            number = sum(ints)
            rest = self._stored[number:]
            place = np.ravel_multi_index([range(n)[k] for k, n in zip(keys, self._stored, strict=False)][:number],
                                         self._stored[:number]) if number else 0  # fmt: skip
            return Windowed(self._stream, self.dtype, rest, self._start + int(place) * prod(rest) * self.dtype.itemsize)
        return self._read(keys, ints)

    def __setitem__(self, index: Any, values: Any) -> None:
        keys = self._keys(index)
        kept = [n for n, key in enumerate(keys) if not isinstance(key, int | np.integer)]
        chosen = self._chosen(keys)
        sizes = [len(chosen[axis]) for axis in self._order]
        part = np.broadcast_to(values, [sizes[n] for n in kept]).reshape(sizes)
        part = part.transpose(np.argsort(self._order))
        for first, window in self._windows(chosen[0], mmap.ACCESS_WRITE):
            inside = np.flatnonzero((chosen[0] >= first) & (chosen[0] < first + len(window)))
            window[np.ix_(chosen[0][inside] - first, *chosen[1:])] = part[inside]

    def _leaves_much(self, keys: list[Any], ints: list[bool]) -> bool:
        number = sum(ints)
        whole = all(isinstance(key, slice) and key == slice(None) for key in keys[number:])
        return whole and all(ints[:number]) and self.ndim - number >= 3

    def _keys(self, index: Any) -> list[Any]:
        keys = list(index) if isinstance(index, tuple) else [index]
        if any(key is Ellipsis for key in keys):
            at = next(n for n, key in enumerate(keys) if key is Ellipsis)
            keys[at : at + 1] = [slice(None)] * (self.ndim - len(keys) + 1)
        keys += [slice(None)] * (self.ndim - len(keys))
        return [np.ravel(key) if isinstance(key, np.ndarray | list) else key for key in keys]

    def _read(self, keys: list[Any], ints: list[bool]) -> np.ndarray:
        """Read a part, in the order of the file, and turn it."""
        chosen = self._chosen(keys)
        part = np.empty([len(places) for places in chosen], self.dtype)
        if part.size:
            for first, window in self._windows(chosen[0]):
                inside = np.flatnonzero((chosen[0] >= first) & (chosen[0] < first + len(window)))
                part[inside] = window[np.ix_(chosen[0][inside] - first, *chosen[1:])]
        turned = part.transpose(self._order)
        return turned[tuple(0 if one else slice(None) for one in ints)]

    def _chosen(self, keys: list[Any]) -> list[np.ndarray]:
        """Return the places along each axis of the file."""
        chosen: list[np.ndarray] = [np.empty(0)] * self.ndim
        for axis, key in zip(self._order, keys, strict=True):
            chosen[axis] = np.atleast_1d(np.arange(self._stored[axis])[key])
        return chosen

    def _windows(self, wanted: np.ndarray, access: int = mmap.ACCESS_READ) -> Iterator[tuple[int, np.ndarray]]:
        """Map what holds some places along the slowest axis, a window at a time."""
        row = prod(self._stored[1:]) * self.dtype.itemsize
        count = max(1, WINDOW // max(row, 1))
        for number in np.unique(wanted // count).tolist():
            first = number * count
            length = min(count, self._stored[0] - first)
            start = self._start + first * row
            page = start - start % mmap.ALLOCATIONGRANULARITY
            descriptor, end = self._stream.fileno(), start + length * row
            if os.fstat(descriptor).st_size < end:
                raise ReadError(f"{self._stream.name} was cut short by another program while it was open; open it "
                                "again once it is complete.")  # fmt: skip
            found = mmap.mmap(descriptor, end - page, access=access, offset=page)
            window = np.frombuffer(found, self.dtype, length * prod(self._stored[1:]), start - page)
            yield first, window.reshape(length, *self._stored[1:])

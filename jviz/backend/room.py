"""Room for large results: in memory, or in a file of the cache that goes when nobody uses it any more."""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
from typing import Any

import numpy as np

from jviz.backend.cache import folder
from jviz.backend.io.windowed import Opened, Windowed
from jviz.errors import CommandError

__all__ = ["let_go", "room", "zeros"]

IN_MEMORY = 256 << 20
"""Bytes of a plane above which it goes into a file of the cache."""


def room(shape: tuple[int, ...], dtype: Any, *, windowed: bool = False) -> Any:
    """Return an array to fill: in memory, or when it is large in a file that goes when nobody uses it any more.

    Parameters
    ----------
    windowed : bool
        Give a `jviz.backend.io.windowed.Windowed` where the process may not map so much at once.

    Raises
    ------
    CommandError
        When the disk has no place for it.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    try:
        with tempfile.TemporaryFile(dir=folder("made"), prefix="made-") as file:
            # Claimed at once: a map of a file that finds the disk full later would end the program.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return _mapped(file, shape, np.dtype(dtype), windowed)
    except OSError as error:
        raise CommandError(
            f"The result needs {size / 1e9:.1f} GB on the disk of the cache ({error.strerror}); make room there, or "
            "crop the data first."
        ) from error


def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return room that is filled with zeros; a new file is, without being written."""
    made = room(shape, dtype)
    if not isinstance(made, np.memmap):
        made[:] = 0
    return made


def _mapped(file: Any, shape: tuple[int, ...], dtype: np.dtype, windowed: bool) -> Any:
    try:
        return np.memmap(file, dtype, "r+", shape=shape)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
    if not windowed:
        raise CommandError(
            f"The result needs {math.prod(shape) * dtype.itemsize / 1e9:.1f} GB of addresses, more than the limit of "
            "this process leaves; raise the limit (ulimit -v), or crop the data first."
        )
    return Windowed(Opened(os.dup(file.fileno()), "the result"), dtype, shape, 0)


def let_go(*arrays: Any) -> None:
    """Give back the memory that pages of mapped files take; they are read again when they are needed.

    Maps that keep what is written to them to themselves are left as they are.
    """
    for array in arrays:
        held = array
        while isinstance(held, np.ndarray | memoryview):
            if isinstance(held, np.memmap) and held.mode not in ("r", "r+"):
                break
            held = held.obj if isinstance(held, memoryview) else held.base
        if isinstance(held, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            held.madvise(mmap.MADV_DONTNEED)

"""Planes to test with."""

from pathlib import Path

import numpy as np

from jviz.backend.io.product import Identity, Plane


def plane_of(array: np.ndarray, **options) -> Plane:
    """Make a plane of an array in memory."""
    dtype = options.pop("dtype", array.dtype.newbyteorder("="))
    return Plane("SCI", array.shape, np.dtype(dtype), lambda progress: array, **options)


def plane_on_disk(folder: Path, array: np.ndarray, **options) -> Plane:
    """Make a memory-mapped, big-endian plane with an identity."""
    path = folder / "pixels"
    big = array.astype(array.dtype.newbyteorder(">"))
    path.write_bytes(b"\0" * 2880 + big.tobytes())
    mapped = np.memmap(path, big.dtype, "r", 2880, array.shape)
    return plane_of(mapped, identity=Identity.of(path), **options)


def coordinates(rows: int, columns: int) -> np.ndarray:
    """Return float32 pixels with the value x + 10000 y, exact for images below 1600 × 10000."""
    return (np.arange(columns)[None, :] + 10000.0 * np.arange(rows)[:, None]).astype(np.float32)

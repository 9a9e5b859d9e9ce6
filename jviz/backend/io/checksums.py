"""Whether a FITS file is as it was written: CHECKSUM and DATASUM (FITS standard 4.0, appendix J)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.io.cards import CARD
from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.fitsfile import BLOCK, FitsFile, Hdu
from jviz.backend.progress import Progress, silent

__all__ = ["has_checksums", "verify_checksums"]

_CHUNK = 16 * 1024**2
_ALL_ONES = 0xFFFFFFFF


def verify_checksums(path: Path, *, progress: Progress = silent) -> list[str]:
    """Compare a file with the checksums in its headers.

    Reads the whole file; opening does not do this by itself.

    Returns
    -------
    list of str
        A sentence for each wrong sum; empty when all are right or there are none.
    """
    file = FitsFile.open(decompressed(path, progress))
    problems = list(file.warnings)
    for hdu in file.hdus:
        if hdu.complete and has_checksums(hdu.header):
            watch = partial(progress, hdu.index, len(file.hdus), f"Checking {path.name}")
            problems += _verify(file.path, hdu, path.name, watch)
    return problems


def has_checksums(header: Any) -> bool:
    """Whether a header (a mapping) has sums to compare with."""
    return bool(str(header.get("DATASUM", "")).strip() or str(header.get("CHECKSUM", "")).strip(" 0"))


def _verify(path: Path, hdu: Hdu, name: str, watch: Callable[[], None]) -> list[str]:
    problems = []
    header_size = -(-(len(hdu.header.block) + CARD) // BLOCK) * BLOCK
    data = _sum(path, hdu.start, hdu.size, watch)
    wanted = str(hdu.header.get("DATASUM", "")).strip()
    if wanted.isdigit() and int(wanted) % _ALL_ONES != data % _ALL_ONES:
        problems.append(
            f"The data of extension {hdu.title} of {name} changed since they were written "
            f"(DATASUM is {wanted}, the data give {data}). Fetch the file again if you do not know why."
        )
        return problems  # CHECKSUM, which is over all, is wrong for the same reason
    # CHECKSUM is chosen so that the sum over the whole unit has all bits set, which is minus zero
    total = _folded(data + _sum(path, hdu.start - header_size, header_size, watch))
    if str(hdu.header.get("CHECKSUM", "")).strip(" 0") and total % _ALL_ONES:
        problems.append(
            f"Header or data of extension {hdu.title} of {name} changed since they were written "
            "(CHECKSUM is wrong). Fetch the file again if you do not know why."
        )
    return problems


def _sum(path: Path, start: int, size: int, watch: Callable[[], None]) -> int:
    """Return the ones' complement sum of 32-bit words, padded by zeros."""
    total = 0
    with path.open("rb") as stream:
        stream.seek(start)
        left = -(-size // BLOCK) * BLOCK
        while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
            watch()
            left -= len(chunk)
            words = np.frombuffer(chunk + bytes(-len(chunk) % 4), ">u4")
            total = _folded(total + int(words.sum(dtype=np.uint64)))
    return total


def _folded(total: int) -> int:
    while total >> 32:
        total = (total & _ALL_ONES) + (total >> 32)
    return total

"""Compressed FITS: decompressed once into the cache, then memory mapped like any other file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from jviz.backend import cache
from jviz.backend.io.fitsfile import Hdu
from jviz.backend.io.product import Identity
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["check_room", "decompressed", "decompressed_image", "first_bytes", "just_stored"]

_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_UNIX_COMPRESS = b"\x1f\x9d"
_CHUNK = 4 * 1024**2
_RESERVE = 256 * 1024**2
"""Bytes of disk that decompression leaves free, for everything else on the machine."""


def first_bytes(start: bytes, count: int = 80) -> bytes:
    """Return what a compressed file begins with once decompressed, as far as ``start`` tells.

    Returns
    -------
    bytes
        ``start`` itself when it is not gzip.
    """
    if not start.startswith(b"\x1f\x8b"):
        return start[:count]
    try:
        return zlib.decompressobj(wbits=31).decompress(start, count)
    except zlib.error:
        return b""


def decompressed(path: Path, progress: Progress = silent) -> Path:
    """Return the file itself, or its decompressed copy in the cache when it is gzip, bzip2 or xz.

    The content decides, not the name.

    Raises
    ------
    ReadError
        When the stream is damaged or the disk too full.
    """
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(_UNIX_COMPRESS):
        raise ReadError(f"{path.name} is packed by Unix compress. Run `uncompress` on it, then open it.")
    opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
    if opener is None:
        return path
    identity = Identity.of(path.absolute(), "decompressed")
    found = cache.stored(identity, ".fits")
    if found is None:
        _decompress(path, opener, identity, progress)
        found = just_stored(identity, ".fits", path.name)
    return found


def just_stored(identity: Identity, suffix: str, name: str) -> Path:
    """Return an entry of the cache that was written just now, for data of this name.

    Raises
    ------
    ReadError
        When it is gone again.
    """
    found = cache.stored(identity, suffix)
    if found is None:  # another jviz emptied the cache
        raise ReadError(f"The decompressed copy of {name} vanished from the cache. Open the file again.")
    return found


def _decompress(path: Path, opener: Callable[[IO[bytes]], IO[bytes]], identity: Identity, progress: Progress) -> None:
    check_room(path.name, _announced_size(path))
    with (
        cache.storing(identity, ".fits") as temporary,
        path.open("rb") as packed,
        opener(packed) as unpacked,
        temporary.open("wb") as copy,
    ):
        try:
            for chunk in _chunks(unpacked):
                progress(packed.tell(), identity.size, f"Decompressing {path.name}")
                check_room(path.name, len(chunk))
                copy.write(chunk)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise _damaged(path, error) from error
        except OSError as error:
            if error.errno is None:  # so says bz2
                raise _damaged(path, error) from error
            raise


def _damaged(path: Path, error: Exception) -> ReadError:
    return ReadError(
        f"{path.name} cannot be decompressed: {str(error).rstrip('.')}. "
        "It is damaged or truncated; fetch the file again."
    )


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _announced_size(path: Path) -> int:
    """Return the size that gzip notes in its last four bytes (modulo 4 GiB), at least the file's own."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(2) != b"\x1f\x8b" or size < 18:
            return size
        stream.seek(-4, 2)
        return max(size, int.from_bytes(stream.read(4), "little"))


def check_room(name: str, needed: int) -> None:
    """Make sure that the cache has room for so many bytes of this file.

    Raises
    ------
    ReadError
        When the disk is too full.
    """
    place = cache.folder("entries")
    free = shutil.disk_usage(place).free
    if free < needed + _RESERVE:
        raise ReadError(
            f"{name} needs {needed / 1e6:,.0f} MB of decompressed data in {place}, where "
            f"{free / 1e6:,.0f} MB are free. Make room there, then open it again."
        )


def decompressed_image(path: Path, hdu: Hdu, identity: Identity, progress: Progress = silent) -> np.ndarray:
    """Return the stored values of a tile-compressed image as a memory map of a copy in the cache.

    Parameters
    ----------
    identity : Identity
        Of this unit in the user's file.

    Raises
    ------
    ReadError
        When the tiles are damaged or the disk too full.
    """
    found = cache.stored(identity, ".npy")
    if found is None:
        check_room(path.name, hdu.dtype.itemsize * int(np.prod(hdu.shape)))
        name = Path(identity.path).name
        try:
            _decompress_tiles(path, hdu, identity, name, progress)
        except Exception as error:  # the decoders raise classes of their own
            raise ReadError(
                f"The compressed image {hdu.title} of {name} cannot be decompressed: {error}. "
                "It is damaged, or of a kind that astropy does not know; fetch the file again."
            ) from error
        found = just_stored(identity, ".npy", name)
    return np.load(found, mmap_mode="r")


def _decompress_tiles(path: Path, hdu: Hdu, identity: Identity, name: str, progress: Progress) -> None:
    from astropy.io import fits

    rows = _rows_per_step(hdu)
    with (
        fits.open(path, memmap=True, do_not_scale_image_data=True, output_verify="ignore") as units,
        cache.storing(identity, ".npy") as temporary,
    ):
        section = units[hdu.index].section
        copy = np.lib.format.open_memmap(temporary, "w+", hdu.dtype.newbyteorder("="), hdu.shape)
        for start in range(0, hdu.shape[0], rows):
            progress(start, hdu.shape[0], f"Decompressing {name}")
            copy[start : start + rows] = section[start : start + rows]
        copy.flush()


def _rows_per_step(hdu: Hdu) -> int:
    """Choose whole rows of tiles, about 16 MB of them."""
    tile = max(1, int(hdu.number(f"ZTILE{len(hdu.shape)}", 1)))
    row_bytes = hdu.dtype.itemsize * int(np.prod(hdu.shape[1:]))
    return tile * max(1, 16 * 1024**2 // (row_bytes * tile))

"""Where the header-data units of a FITS file are, without reading any data.

Data are jumped over by BITPIX, NAXISn, PCOUNT and GCOUNT.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jviz.backend.io.cards import CARD, Header
from jviz.backend.io.product import Identity, Unit
from jviz.errors import ReadError

__all__ = ["BLOCK", "FitsFile", "Hdu"]

BLOCK = 2880
_FIRST_READ = 4 * BLOCK
_LONGEST_HEADER = 64 * 1024**2
_END = re.compile(rb"END {5}")
_TEXT = bytes(range(32, 127)) + bytes(range(160, 256))
_DTYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_EXTENSIONS = {"IMAGE": "image", "BINTABLE": "binary table", "A3DTABLE": "binary table",
               "TABLE": "text table", "IUEIMAGE": "image"}  # fmt: skip


class BadHeader(Exception):
    """A header that cannot be followed; the text is the reason."""


@dataclass(frozen=True)
class Hdu:
    """One header-data unit: its header, and where its data are.

    ``shape`` is in numpy order; of a table it is (rows, columns). ``complete`` says whether
    the file is long enough to hold the data.
    """

    index: int
    header: Header
    start: int
    size: int
    what: str
    shape: tuple[int, ...]
    bitpix: int
    complete: bool = True
    given: str = ""

    @cached_property
    def name(self) -> str:
        """EXTNAME as written, the name ``given`` to a unit without one, ``"PRIMARY"`` for the first, else ``""``."""
        name = str(self.header.get("EXTNAME", "")).strip()
        if name == "COMPRESSED_IMAGE":
            name = ""
        return name or self.given or ("PRIMARY" if self.index == 0 else "")

    @cached_property
    def extver(self) -> int | None:
        """EXTVER, None where it is missing."""
        version = self.header.get("EXTVER")
        return int(version) if isinstance(version, int | float) else None

    @property
    def version(self) -> int:
        """EXTVER, 1 where it is missing."""
        return 1 if self.extver is None else self.extver

    @property
    def title(self) -> str:
        """Name for messages and choosers, ``"3 SCI,1"``."""
        return f"{self.index} {self.name or 'unnamed'}" + ("" if self.extver is None else f",{self.extver}")

    @property
    def is_array(self) -> bool:
        """Whether there are pixels, plain or compressed."""
        return self.what in ("image", "compressed image") and bool(self.shape) and 0 not in self.shape

    @property
    def is_table(self) -> bool:
        """Whether it is a table (and not the tiles of a compressed image)."""
        return self.what in ("binary table", "text table")

    @property
    def dtype(self) -> np.dtype:
        """Type of the stored values."""
        return np.dtype(_DTYPES[self.bitpix])

    def number(self, keyword: str, default: float) -> float:
        """Return a keyword that must be a finite number; ``default`` for anything else."""
        value = self.header.get(keyword, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            return default
        return value

    def as_unit(self) -> Unit:
        """Describe it for choosers and the header viewer."""
        dtype = self.dtype.name if self.is_array else ""
        unit = str(self.header.get("BUNIT", "")).strip()
        return Unit(self.index, self.name, self.version, self.what, self.shape, dtype, unit, self.header)


@dataclass
class FitsFile:
    """The index of a FITS file.

    Attributes
    ----------
    path : Path
        What was opened.
    hdus : list of Hdu
        All that could be followed.
    warnings : list of str
        What is wrong with the rest of the file, in sentences.
    """

    path: Path
    identity: Identity
    hdus: list[Hdu] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _map: mmap.mmap | bytes | None = b""
    _stream: Any = None

    @classmethod
    def open(cls, path: Path, *, identity: Identity | None = None) -> FitsFile:
        """Index a file.

        Parameters
        ----------
        path : Path
            A regular, uncompressed file.
        identity : Identity, optional
            Of the file that ``path`` is a decompressed copy of.

        Raises
        ------
        ReadError
            When not even the first header can be followed.
        """
        name = Path(identity.path).name if identity else path.name
        with path.open("rb", buffering=0) as stream:
            file = cls(path, identity or Identity.of(path.absolute()))
            size = os.fstat(stream.fileno()).st_size
            file._index(stream, size, name)
            file._map = _map_readonly(stream.fileno())
        if file._map is None:
            from jviz.backend.io.windowed import Opened

            file._stream = Opened(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), name)
        return file

    @classmethod
    def indexed(cls, content: bytes, path: Path) -> FitsFile:
        """Index the bytes of an uncompressed file that were read already; for its headers, not for its arrays.

        Raises
        ------
        ReadError
            When not even the first header can be followed.
        """
        file = cls(path, Identity(str(path), len(content), 0))
        file._index(BytesIO(content), len(content), path.name)
        return file

    def array(self, hdu: Hdu) -> Any:
        """Return the stored values of an image: a read-only memory map in file byte order.

        Where the process may not map so much at once, a `jviz.backend.io.windowed.Windowed`.
        """
        if self._map is None:
            from jviz.backend.io.windowed import Windowed

            return Windowed(self._stream, np.dtype(hdu.dtype), hdu.shape, hdu.start)
        # one map for the file: it needs no descriptor and outlives the file's deletion
        flat = np.frombuffer(self._map, hdu.dtype, prod(hdu.shape), hdu.start)
        return flat.reshape(hdu.shape)

    def bytes_of(self, hdu: Hdu) -> bytes:
        """Return the data of one unit as they are in the file."""
        if self._map is None:
            return os.pread(self._stream.fileno(), hdu.size, hdu.start)
        return self._map[hdu.start : hdu.start + hdu.size]

    def identity_of(self, hdu: Hdu, section: int | None = None) -> Identity:
        """Return the cache key of one unit, or of a section along its slowest axis."""
        return replace(self.identity, part=f"{hdu.index}" if section is None else f"{hdu.index}/{section}")

    def _index(self, stream: BinaryIO, size: int, name: str) -> None:
        offset = 0
        while offset < size:
            try:
                block, end = _read_header(stream, offset, first=offset == 0)
                hdu = describe(Header(block), len(self.hdus), end, size)
            except BadHeader as error:
                self._stop(name, offset, str(error))
                return
            self.hdus.append(hdu)
            if not hdu.complete:
                missing = hdu.start + hdu.size - size
                self.warnings.append(
                    f"{name} ends {missing:,} bytes before the end of extension {hdu.title}, which is left "
                    "out: the file is truncated, or NAXIS is wrong. Fetch the file again."
                )
            offset = hdu.start + -(-hdu.size // BLOCK) * BLOCK

    def _stop(self, name: str, offset: int, reason: str) -> None:
        if not self.hdus:
            raise ReadError(f"{name} cannot be read as FITS: {reason}. Fetch or write the file again.") from None
        if reason:
            self.warnings.append(
                f"{name} has unreadable bytes after extension {self.hdus[-1].title} (byte {offset:,}): "
                f"{reason}. What comes before it was opened."
            )


def _map_readonly(descriptor: int) -> mmap.mmap | None:
    """Map a file; None where a limit on the address space of the process does not allow it."""
    options = {"trackfd": False} if sys.version_info >= (3, 13) else {}
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ, **options)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        return None


def _read_header(stream: BinaryIO, offset: int, *, first: bool) -> tuple[bytes, int]:
    """Return the cards before END and the offset of the data."""
    stream.seek(offset)
    block = stream.read(_FIRST_READ)
    _check_begin(block, first)
    searched = 0
    while True:
        end = _find_end(block, searched)
        if end is not None:
            return block[:end], offset + -(-(end + CARD) // BLOCK) * BLOCK
        _check_text(block[searched:])
        searched = len(block) // CARD * CARD
        more = stream.read(len(block))
        if not more:
            raise BadHeader("the file ends within a header, so it is truncated")
        block += more
        if len(block) > _LONGEST_HEADER:
            raise BadHeader("a header has no END card")


def _check_begin(block: bytes, first: bool) -> None:
    if first:
        if not block.startswith(b"SIMPLE"):
            raise BadHeader(f"it does not begin with SIMPLE but with {block[:16]!r}")
    elif not block.startswith(b"XTENSION"):
        if not block.strip(b"\0 "):
            raise BadHeader("")  # padding
        raise BadHeader("no extension starts there, so NAXIS may be wrong or something was appended")


def _find_end(block: bytes, start: int) -> int | None:
    for match in _END.finditer(block, start):
        if match.start() % CARD == 0:
            return match.start()
    return None


def _check_text(block: bytes) -> None:
    if len(block.translate(None, _TEXT)) > CARD:
        raise BadHeader("a header has no END card before binary data")


def describe(header: Header, index: int, start: int, file_size: int) -> Hdu:
    """Work out what a header announces.

    Raises
    ------
    BadHeader
        When the size of its data cannot be known.
    """
    bitpix = _integer(header, "BITPIX")
    if bitpix not in _DTYPES:
        raise BadHeader(f"BITPIX is {header.get('BITPIX')!r}, which is none of 8, 16, 32, 64, -32, -64")
    axes = _axes(header, "NAXIS")
    groups = axes[:1] == [0] and header.get("GROUPS") is True
    size = _data_size(header, bitpix, axes[1:] if groups else axes)
    what, shape, bitpix = _what(header, index, axes, bitpix, groups)
    return Hdu(index, header, start, size, what, shape, bitpix, start + size <= file_size)


def _what(header: Header, index: int, axes: list[int], bitpix: int, groups: bool) -> tuple[str, tuple[int, ...], int]:
    if groups:
        return "random groups", tuple(axes[:0:-1]), bitpix
    extension = str(header.get("XTENSION", "IMAGE")).strip() if index else "IMAGE"
    what = _EXTENSIONS.get(extension, f"unknown extension {extension}")
    if what == "binary table" and header.get("ZIMAGE") is True:
        zbitpix = _integer(header, "ZBITPIX")
        if zbitpix in _DTYPES:
            return "compressed image", tuple(_axes(header, "ZNAXIS")[::-1]), zbitpix
    if what.endswith("table"):
        return what, (axes[1] if len(axes) > 1 else 0, int(header.get("TFIELDS", 0))), bitpix
    return what if axes or what != "image" else "empty", tuple(axes[::-1]), bitpix


def _axes(header: Header, keyword: str) -> list[int]:
    count = _integer(header, keyword)
    if not 0 <= count <= 999:
        raise BadHeader(f"{keyword} is {count}, which must be 0 to 999")
    axes = [_integer(header, f"{keyword}{axis}") for axis in range(1, count + 1)]
    for axis, length in enumerate(axes, 1):
        if length < 0:
            raise BadHeader(f"{keyword}{axis} is {length}, which must not be negative")
    return axes


def _data_size(header: Header, bitpix: int, axes: list[int]) -> int:
    if not axes:
        return 0
    extra, groups = _integer(header, "PCOUNT", 0), _integer(header, "GCOUNT", 1)
    size = abs(bitpix) // 8 * groups * (extra + prod(axes))
    if size < 0:
        raise BadHeader(f"PCOUNT is {extra} and GCOUNT {groups}, which gives a negative size")
    return size


def _integer(header: Header, keyword: str, default: Any = None) -> int:
    value = header.get(keyword, default)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadHeader(f"{keyword} is missing" if value is None else f"{keyword} is {value!r}")
    return value

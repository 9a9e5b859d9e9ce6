"""Where the arrays of an ASDF file lie in it, so that they can be memory mapped.

See the ASDF standard 1.6, section "Low-level file layout". The asdf package maps arrays too, but
only while it keeps the file open.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["Block", "blocks_of"]

_MAGIC = b"\xd3BLK"
_HEADER = struct.Struct(">I4sQQQ16s")
_STREAMED = 1
_chunk = 1 << 20


@dataclass(frozen=True)
class Block:
    """A piece of binary data.

    Parameters
    ----------
    offset : int
        Where its data begin.
    size : int
        How many bytes the file claims to hold of it.
    plain : bool
        Whether it is not compressed.
    complete : bool
        Whether the file is long enough.
    """

    offset: int
    size: int
    plain: bool
    complete: bool


def blocks_of(path: Path) -> list[Block]:
    """List the blocks of an ASDF file in their order; stop where the file ends."""
    blocks: list[Block] = []
    length = path.stat().st_size
    with path.open("rb") as stream:
        position = _first(stream)
        while position is not None and position < length:
            stream.seek(position)
            found = _block(stream, length)
            if found is None:
                break
            block, position = found
            blocks.append(block)
    return blocks


def _first(stream: BinaryIO) -> int | None:
    """Find the first block: after the end of the tree, which is a line of three dots."""
    head, before = b"", 0
    while chunk := stream.read(_chunk):
        head = head[-len(_MAGIC) - 8 :] + chunk
        place = head.find(b"\n" + _MAGIC)
        if place < 0:
            place = head.find(b"\0" + _MAGIC)
        if place >= 0:
            return before + place + 1 - (len(head) - len(chunk))
        before += len(chunk)
    return None


def _block(stream: BinaryIO, length: int) -> tuple[Block, int] | None:
    if stream.read(4) != _MAGIC:
        return None
    size_field = stream.read(2)
    header_size = struct.unpack(">H", size_field)[0] if len(size_field) == 2 else 0
    header = stream.read(header_size)
    if len(header) < _HEADER.size:
        return None
    flags, compression, allocated, used, _, _ = _HEADER.unpack_from(header)
    offset = stream.tell()
    if flags & _STREAMED:
        used = allocated = length - offset
    block = Block(offset, used, compression in (b"\0\0\0\0", b""), offset + used <= length)
    return block, offset + allocated

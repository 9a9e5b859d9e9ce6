"""JSON in small steps: code that reads or writes much of it at once keeps Python to itself, and the window waits."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["loads", "packed", "unpacked"]

ROWS = re.compile(r'(?<!\\)"data"\s*:\s*\[')
SPACE = re.compile(r"[\s,]*")

MARK = "the rows, 5f1c0b62-8a7e-4a53-9d0e-6f0f6a3a1c77"
"""Stands where the rows were; no server sends it."""

PIECE = 256 * 1024
"""Bytes that are packed or unpacked at a time."""


def loads(text: str) -> Any:
    """Read an object of JSON whose ``data`` are many rows, row by row; anything else as it is.

    Raises
    ------
    json.JSONDecodeError
        When it is none.
    """
    start = ROWS.search(text)
    if start is None:
        return json.loads(text)
    read, rows = json.JSONDecoder().raw_decode, []
    at = SPACE.match(text, start.end()).end()  # type: ignore[union-attr]
    while text[at : at + 1] not in ("]", ""):
        row, at = read(text, at)
        rows.append(row)
        at = SPACE.match(text, at).end()  # type: ignore[union-attr]
    outside = json.loads(f'{text[: start.end()]}"{MARK}"{text[at:]}')
    if not isinstance(outside, dict) or outside.get("data") != [MARK]:
        return json.loads(text)  # those were the data of something within
    outside["data"] = rows
    return outside


def packed(lines: Iterable[str]) -> bytes:
    """Compress lines of text."""
    packer, found = zlib.compressobj(1), []
    for line in lines:
        content = f"{line}\n".encode()
        found += [packer.compress(content[at : at + PIECE]) for at in range(0, len(content), PIECE)]
    return b"".join([*found, packer.flush()])


def unpacked(content: bytes) -> Iterator[str]:
    """Yield the lines of a compressed text, one after the other."""
    unpacker, rest = zlib.decompressobj(), b""
    for at in range(0, len(content), PIECE):
        waiting = content[at : at + PIECE]
        while waiting:
            *lines, rest = (rest + unpacker.decompress(waiting, PIECE)).split(b"\n")
            yield from (line.decode() for line in lines)
            waiting = unpacker.unconsumed_tail
    *lines, rest = (rest + unpacker.flush()).split(b"\n")
    yield from (line.decode() for line in [*lines, *([rest] if rest else [])])

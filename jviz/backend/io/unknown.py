"""What files are that jviz does not read, in words: a user knows then what to do with them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["unknown_text"]

UNPACK = "Unpack it, and open the files or the folder that come out."
OTHER = "Use File > Open As… to name a reader, or add one with a plugin."
AGAIN = "Fetch the file again: servers send such a page in place of a file."

KINDS = (
    (b"PK\x03\x04", "a ZIP archive", UNPACK),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    (b"%PDF", "a PDF document", OTHER),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", OTHER),
    (b"SQLite format 3", "an SQLite data base", OTHER),
    (b"\x7fELF", "a program", OTHER),
    (b"GIF8", "a GIF picture", "Convert it to PNG."),
)
"""How files start, what that is, and what to do."""

TAR = slice(257, 262)


def unknown_text(path: Path, start: bytes) -> str:
    """Say what a file is that no reader wants, and what to do.

    Parameters
    ----------
    path : Path
    start : bytes
        The first 4,096 of the file.
    """
    for magic, what, way in KINDS:
        if start.startswith(magic):
            return f"{path.name} is {what}, which jviz does not read. {way}"
    if start[TAR] == b"ustar":
        return f"{path.name} is a tar archive, which jviz does not read. {UNPACK}"
    head = start.lstrip()[:15].lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return f"{path.name} is a web page. {AGAIN}"
    return f"{path.name} is of no kind that jviz reads ({_beginning(start)}). {OTHER}"


def _beginning(start: bytes) -> str:
    """Show how a file starts: text as text, other bytes as numbers."""
    first = start[:24].decode("ascii", "replace")
    if first and all(c.isprintable() or c.isspace() for c in first) and "\ufffd" not in first:
        return f"it starts with the text “{' '.join(first.split())}”"
    return f"it starts with the bytes {start[:8].hex(' ')}"

"""Whether a file that came over the network is what it should be."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path

from jviz.backend.io.checksums import verify_checksums
from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.fitsfile import FitsFile
from jviz.errors import JvizError

__all__ = ["digest", "is_checked", "is_page", "problem_of"]

CHUNK = 4 * 1024**2
FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")


def digest(path: Path, kind: str = "sha256", watch: Callable[[], None] | None = None) -> str:
    """Return the checksum of a file in hexadecimal digits."""
    total = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            total.update(chunk)
            if watch is not None:
                watch()
    return total.hexdigest()


def is_page(start: bytes, name: str) -> bool:
    """Whether bytes begin a page for people, such as those of errors and of logging in, in the place of a file."""
    if name.lower().endswith((".html", ".htm")):
        return False
    head = start[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head"))


def is_checked(name: str) -> bool:
    """Whether a file of that name tells by itself whether it is whole."""
    return name.lower().endswith((*FITS, ".json", ".gz"))


def problem_of(path: Path, name: str, md5: str = "", sha1: str = "") -> str:
    """Return what is wrong with a file that should bear a name; empty when nothing is.

    Parameters
    ----------
    path : Path
        Where its bytes are.
    md5, sha1 : str
        The checksums that the archive gives, when it does.
    """
    low = name.lower()
    with path.open("rb") as stream:
        start = stream.read(512)
    if not start:
        return "the server sent an empty file"
    if is_page(start, name):
        return "the server sent a page instead of the file"
    for kind, known in (("md5", md5), ("sha1", sha1)):
        if known and digest(path, kind) != known.lower():
            return "its checksum is not the one that the archive gives"
    if low.endswith(FITS):
        return _problem_of_fits(path, low).replace(path.name, name).rstrip(".")
    if low.endswith(".json"):
        return _problem_of_json(path)
    if low.endswith(".gz"):
        return _problem_of_gzip(path)
    return ""


def _problem_of_fits(path: Path, name: str) -> str:
    try:
        if name.endswith(".gz"):
            return _problem_of_gzip(path)
        file = FitsFile.open(decompressed(path))
        if file.warnings:
            return file.warnings[0]
        problems = verify_checksums(path)
    except (JvizError, OSError) as error:
        return str(error)
    return problems[0] if problems else ""


def _problem_of_json(path: Path) -> str:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return "it is not whole JSON"
    return ""


def _problem_of_gzip(path: Path) -> str:
    try:
        with gzip.open(path) as stream:
            while stream.read(CHUNK):
                pass
    except (OSError, EOFError, zlib.error):
        return "its compression is broken, so it is not whole"
    return ""

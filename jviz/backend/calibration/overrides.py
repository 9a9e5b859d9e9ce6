"""Reference files that a user gives in place of those of CRDS, looked at before a run begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jviz.errors import CommandError, JvizError

__all__ = ["NOTHING", "given_references"]

NOTHING = "N/A"
"""Given in place of a file: the type is not used."""

STARTS = {".fits": ("FITS", b"SIMPLE"), ".asdf": ("ASDF", b"#ASDF"), ".gz": ("gzip", b"\x1f\x8b")}
"""Format that the ending of a reference file says, and how such files begin; JWST has no others."""

TREE_BYTES = 1 << 20
"""What the tree of an ASDF file, which says the type, is looked for in."""

INSTEAD = "choose another one, or take it away for the best that CRDS knows."


def given_references(references: Mapping[str, Any]) -> dict[str, str]:
    """Return paths as text; "N/A" declares a type unused.

    Raises
    ------
    CommandError
        When a file is not what its name says, is cut off, or is a reference of another type.
    """
    found = {
        kind: str(path) if str(path) == NOTHING else str(Path(str(path)).expanduser().absolute())
        for kind, path in references.items()
    }
    for kind, path in found.items():
        if path != NOTHING and Path(path).is_file():  # what is not there is refused where the steps are known
            _check(kind, Path(path))
    return found


def _check(kind: str, path: Path) -> None:
    what = f"The reference file {path} ({kind})"
    if path.suffix.lower() not in STARTS:
        raise CommandError(f"{what} is neither FITS nor ASDF, as reference files of JWST are; {INSTEAD}")
    format, start = STARTS[path.suffix.lower()]
    try:
        with open(path, "rb") as stream:
            begins = stream.read(len(start))
    except OSError as error:
        raise CommandError(f"{what} cannot be read: {error.strerror}.") from None
    if begins != start:
        raise CommandError(f"{what} is called {format} and is no {format} file; {INSTEAD}")
    if format == "FITS":
        _check_fits(kind, path, what)
    elif format == "ASDF":
        _check_asdf(kind, path, what)


def _check_fits(kind: str, path: Path, what: str) -> None:
    """Refuse what the pipelines would take for what it is not: they do not look at the type of a file."""
    from jviz.backend.io.fitsfile import FitsFile

    try:
        file = FitsFile.open(path)
    except JvizError as error:
        raise CommandError(f"{what} is of no use: {error}") from error
    if file.warnings:
        raise CommandError(f"{what} is damaged: {file.warnings[0]} Fetch it again.")
    _check_type(kind, str(file.hdus[0].header.get("REFTYPE", "") or ""), what)


def _check_asdf(kind: str, path: Path, what: str) -> None:
    """Refuse files without a tree, or with one that says another type; the text is enough, no library is loaded."""
    with open(path, "rb") as stream:
        text = stream.read(TREE_BYTES)
    if b"%YAML" not in text:
        raise CommandError(f"{what} is damaged: it has no tree. Fetch it again.")
    said = re.search(rb"(?m)\breftype:\s*['\"]?([\w-]+)", text.split(b"\n...", 1)[0])
    _check_type(kind, said[1].decode() if said else "", what)


def _check_type(kind: str, says: str, what: str) -> None:
    says = says.strip().lower()
    if says not in ("", kind):
        raise CommandError(f"{what} says that it is of the type {says} (REFTYPE); {INSTEAD}")

"""Reference files that a user gives in place of those of CRDS: what cannot be used is refused before a run begins."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jviz.errors import CommandError, JvizError

__all__ = ["NOTHING", "check_reference", "endings_of", "given_references"]

NOTHING = "N/A"
"""Given in place of a file: the type is not used."""

STARTS = {".fits": ("FITS", b"SIMPLE"), ".asdf": ("ASDF", b"#ASDF"), ".gz": ("gzip", b"\x1f\x8b"),
          ".json": ("JSON", b"")}  # fmt: skip
"""Format that the ending of a reference file says, and how such files begin; JWST has no others."""

AS_JSON = ("extract1d",)
"""Types whose files may be JSON."""

SUBARRAYS = ("mask", "saturation", "superbias", "linearity", "gain", "readnoise", "flat", "dark")
"""Types that are cut to the subarray of an exposure; a dark has to be of the same one."""

TREE_BYTES = 1 << 20
"""What the tree of an ASDF file, which says the type, is looked for in."""

MOST_JSON = 64 << 20

_type = re.compile(rb"(?m)\breftype:\s*['\"]?([\w-]+)")
_instrument = re.compile(rb"(?m)^([ \t]+)instrument:[ \t]*(\{[^}]*\}|(?:\r?\n\1[ \t]+.*)+)")
_name = re.compile(rb"\bname:\s*['\"]?([\w-]+)")
"""In the tree of an ASDF file: a mapping in braces, or in lines that stand farther in."""

INSTEAD = "choose another one, or take it away for the best that CRDS knows."


def given_references(references: Mapping[str, Any]) -> dict[str, str]:
    """Return paths as text; "N/A" declares a type unused.

    Raises
    ------
    CommandError
        When they are not given by type.
    """
    if not isinstance(references, Mapping):
        raise CommandError(f"references cannot be {references!r}; give files by type, as {{'dark': 'my_dark.fits'}}.")
    return {
        kind: str(path) if str(path) == NOTHING else str(Path(str(path)).expanduser().absolute())
        for kind, path in references.items()
    }


def endings_of(kind: str) -> tuple[str, ...]:
    """Return the endings that names of references of a type may have."""
    return tuple(ending for ending in STARTS if ending != ".json" or kind in AS_JSON)


def check_reference(kind: str, path: str, exposures: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> None:
    """Refuse a file that the pipelines could not use, or would take for what it is not.

    Parameters
    ----------
    kind : str
        Type that it is given for, ``"dark"``.
    path : str
        Or ``"N/A"``.
    exposures : iterable of (str, mapping)
        Names and primary headers of those that it is for.

    Raises
    ------
    CommandError
        When it is not there, not what its name says, cut off, a reference of another type or instrument, or of a
        subarray that does not hold that of an exposure.
    """
    if path == NOTHING:
        return
    file, what = Path(path), f"The reference file {path} ({kind})"
    if not file.is_file():
        raise CommandError(f"{what} is not there.")
    if file.suffix.lower() not in endings_of(kind):
        raise CommandError(f"{what} is neither FITS nor ASDF, as reference files of JWST are; {INSTEAD}")
    format, start = STARTS[file.suffix.lower()]
    try:
        with open(file, "rb") as stream:
            begins = stream.read(len(start))
        if begins != start:
            raise CommandError(f"{what} is called {format} and is no {format} file; {INSTEAD}")
        header = READERS[format](file, what)
    except OSError as error:
        raise CommandError(f"{what} cannot be read: {error.strerror or error}.") from None
    _check_type(kind, header, what)
    for name, exposure in exposures:
        _check_instrument(header, name, exposure, what)
        if kind in SUBARRAYS:
            _check_subarray(kind, header, name, exposure, what)


# --- what files say of themselves, as keywords -----------------------------------------------------


def _of_fits(path: Path, what: str) -> Mapping[str, Any]:
    from jviz.backend.io.fitsfile import FitsFile

    try:
        file = FitsFile.open(path)
    except JvizError as error:
        raise CommandError(f"{what} is of no use: {error}") from error
    if file.warnings:
        raise CommandError(f"{what} is damaged: {file.warnings[0]} Fetch it again.")
    return file.hdus[0].header


def _of_gzip(path: Path, what: str) -> Mapping[str, Any]:
    from jviz.backend.calibration.registry import header_of

    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass
        return header_of(path)
    except (EOFError, gzip.BadGzipFile, JvizError) as error:
        raise CommandError(f"{what} is damaged: {str(error).rstrip('.')}. Fetch it again.") from error


def _of_asdf(path: Path, what: str) -> Mapping[str, Any]:
    """Return type and instrument that the tree says; its text is enough, no library is loaded."""
    with open(path, "rb") as stream:
        text = stream.read(TREE_BYTES)
    if b"%YAML" not in text:
        raise CommandError(f"{what} is damaged: it has no tree. Fetch it again.")
    tree = text.split(b"\n...", 1)[0]
    block = _instrument.search(tree)
    found = {"REFTYPE": _type.search(tree), "INSTRUME": _name.search(block[2]) if block else None}
    return {keyword: said[1].decode() for keyword, said in found.items() if said}


def _of_json(path: Path, what: str) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8")) if path.stat().st_size < MOST_JSON else None
    except ValueError as error:
        raise CommandError(f"{what} is no valid JSON ({error}); mend it, or {INSTEAD}") from error
    if not isinstance(content, Mapping):
        raise CommandError(f"{what} says nothing of a reference; {INSTEAD}")
    return {str(key).upper(): value for key, value in content.items()}


READERS = {"FITS": _of_fits, "gzip": _of_gzip, "ASDF": _of_asdf, "JSON": _of_json}


# --- what has to fit ------------------------------------------------------------------------------


def _check_type(kind: str, header: Mapping[str, Any], what: str) -> None:
    """Refuse another type: the pipelines do not look at it."""
    says = str(header.get("REFTYPE", "") or "").strip().lower()
    if says not in ("", kind):
        raise CommandError(f"{what} says that it is of the type {says} (REFTYPE); {INSTEAD}")


def _check_instrument(header: Mapping[str, Any], name: str, exposure: Mapping[str, Any], what: str) -> None:
    says, wanted = (str(each.get("INSTRUME", "") or "").strip().upper() for each in (header, exposure))
    if says and wanted and says != wanted:
        raise CommandError(f"{what} is of {says}, and {name} of {wanted} (INSTRUME); {INSTEAD}")


def _check_subarray(kind: str, header: Mapping[str, Any], name: str, exposure: Mapping[str, Any], what: str) -> None:
    own, wanted = _subarray(header), _subarray(exposure)
    if own is None or wanted is None:
        return
    held = all(low <= first and last <= high
               for (low, high), (first, last) in zip(own, wanted, strict=True))  # fmt: skip
    if (own == wanted) if kind == "dark" else held:
        return
    raise CommandError(f"{what} is of {_where(own)}, and {name} of {_where(wanted)} (SUBSTRT, SUBSIZE); {INSTEAD}")


def _subarray(header: Mapping[str, Any]) -> tuple[tuple[int, int], ...] | None:
    """Return the first and last column and row, None where that is not said."""
    numbers = [header.get(f"SUB{word}{axis}") for axis in (1, 2) for word in ("STRT", "SIZE")]
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        return None
    return tuple((start, start + size - 1) for start, size in zip(numbers[::2], numbers[1::2], strict=True))


def _where(subarray: tuple[tuple[int, int], ...]) -> str:
    (left, right), (bottom, top) = subarray
    return f"columns {left} to {right} and rows {bottom} to {top}"

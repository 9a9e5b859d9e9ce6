"""Region files of DS9 and CASA, FITS region tables, and coverage maps (MOC)."""

from __future__ import annotations

import re
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from jviz.backend.io.product import Product
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.backend.regions.ds9 import parse_ds9
from jviz.backend.regions.mocs import is_moc, moc_outlines
from jviz.errors import ReadError

__all__ = ["read_regions", "regions_and_notes"]

_FORMATS = {"ds9": "DS9 regions", "crtf": "CASA regions", "fits": "FITS regions", "moc": "coverage map"}
_left_out = re.compile(r'(?:"([^"]*)" frame or shape is not|not found for region: "([^"]*)")')
_group = re.compile(r"^# group:[ \t]*(.*?)[ \t]*\n", re.MULTILINE)
_corner_box = re.compile(
    r"(?<![a-z])box\s*\[\s*\[([^],]+),([^],]+)\]\s*,\s*\[([^],]+),([^],]+)\]\s*\]", re.IGNORECASE
)
_unreadable = (ValueError, TypeError, IndexError, KeyError)
_fits_header = 3 * 2880


def _format(path: Path, start: bytes) -> str:
    """Return which of the formats a file has, ``""`` for none."""
    if start.startswith(b"#CRTF"):
        return "crtf"
    if start.startswith(b"# Region file format: DS9") or path.suffix.lower() == ".reg":
        return "ds9"
    if path.suffix.lower() == ".crtf":
        return "crtf"
    if start.startswith(b"SIMPLE") and _is_region_table(path):
        return "fits"
    return "moc" if is_moc(path, start) else ""


def _is_region_table(path: Path) -> bool:
    with path.open("rb") as stream:
        start = stream.read(_fits_header)
    return any(card in start for card in (b"HDUCLAS1= 'REGION  '", b"EXTNAME = 'REGION  '"))


@reader(
    "regions",
    title="Regions",
    suffixes=(".reg", ".crtf"),
    sniff=lambda path, start: bool(start) and bool(_format(path, start)),
)
def read_regions(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open a file of regions; those of unsupported shapes are left out and named in a warning.

    Raises
    ------
    ReadError
        When it holds no region that can be read.
    """
    with path.open("rb") as stream:
        kind = _format(path, stream.read(4096)) or "ds9"
    found, notes = regions_and_notes(path, kind)
    if not len(found):
        listed = f" ({'; '.join(notes[:3])}{' …' if len(notes) > 3 else ''})" if notes else ""
        raise ReadError(f"{path.name} holds no regions that can be read{listed}. Save it again as DS9 regions.")
    product = Product("regions", path.stem, f"{_FORMATS[kind]} ({len(found)})", path=path, load_object=lambda: found)
    if notes:
        product.warnings.append(f"{path.name}: left out {', '.join(notes)}.")
    return [product]


def regions_and_notes(path: Path, kind: str) -> tuple[Any, list[str]]:
    """Return the regions of a file of a known format ("ds9", "crtf", "fits", "moc") and what was left out."""
    if kind == "fits":
        return _regions_of_fits(path)
    if kind == "moc":
        return _regions_of_moc(path)
    return _regions_of_ds9(path) if kind == "ds9" else _regions_of_text(path, kind)


def _regions_of_ds9(path: Path) -> tuple[Any, list[str]]:
    from regions import Regions

    found, problems = parse_ds9(path.read_text("utf-8-sig", errors="replace"))
    return Regions(found), _counted([text if text.isalnum() else f"line {number}" for number, text in problems])


def _regions_of_fits(path: Path) -> tuple[Any, list[str]]:
    from regions import Regions

    return _noting(lambda: Regions.read(path, format="fits"))


def _regions_of_moc(path: Path) -> tuple[Any, list[str]]:
    from astropy.coordinates import SkyCoord
    from regions import PolygonSkyRegion, Regions

    outlines = moc_outlines(path)
    return Regions([PolygonSkyRegion(SkyCoord(lines[:, 0], lines[:, 1], unit="deg")) for lines in outlines]), []


def _regions_of_text(path: Path, kind: str) -> tuple[Any, list[str]]:
    """Read a text file as a whole, or line by line when a line cannot be understood at all."""
    from regions import Regions

    text = path.read_text("utf-8-sig", errors="replace")
    # The package takes the difference of right ascensions for a width, which is too wide away from the equator.
    text = _corner_box.sub(r"poly[[\1,\2], [\3,\2], [\3,\4], [\1,\4]]", text)
    parts, found, notes, spoken, lines = _group.split(text), Regions([]), [], "", 0
    for group, part in zip(["", *parts[1::2]], parts[::2], strict=True):
        try:
            regions, left_out = _noting(lambda said=spoken + part: Regions.parse(said, format=kind))
        except _unreadable:
            regions, left_out = _by_lines(part, kind, spoken, lines)
        for region in regions if group else ():
            region.meta["tag"] = [group]
        found.extend(regions)
        notes += left_out
        lines += part.count("\n") + 1
        spoken += "".join(f"{line}\n" for line in part.splitlines() if line.startswith(("#CRTF", "global")))
    return found, notes


def _noting(parse: Any) -> tuple[Any, list[str]]:
    """Call a parser of the regions package and collect what it says it skipped."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        found = parse()
    for region in found:
        if label := region.meta.get("label"):
            region.meta.setdefault("text", label)
    skipped = [match[1] or match[2] for warning in raised if (match := _left_out.search(str(warning.message)))]
    return found, _counted(skipped)


def _counted(words: list[str]) -> list[str]:
    """Say each word once, with its number: ``["panda (7)", "vector"]``."""
    counts = {word: words.count(word) for word in words}
    return [word if count == 1 else f"{word} ({count})" for word, count in counts.items()]


def _by_lines(text: str, kind: str, context: str, before: int) -> tuple[Any, list[str]]:
    """Keep the regions of the lines that can be understood."""
    from regions import Regions

    found, skipped = [], []
    for number, line in enumerate(text.splitlines(), start=before + 1):
        try:
            regions, notes = _noting(partial(Regions.parse, f"{context}{line}\n", format=kind))
        except _unreadable:
            skipped.append(f"line {number}")
            continue
        found += list(regions)
        skipped += notes
        if not len(regions) and not notes:  # a frame, a global line or a comment holds for what follows
            context += f"{line}\n"
    return Regions(found), skipped

"""Reading and writing regions: DS9, CRTF, FITS, STC-S and tables in ECSV and CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.backend.files import writing
from jviz.backend.regions.ds9 import Problem, sketch_ds9
from jviz.backend.regions.ds9_writing import chain, ds9_text
from jviz.backend.regions.kinds import SPECIAL, kind_of
from jviz.backend.regions.stcs import parse_stcs, stcs_of
from jviz.backend.regions.tables import regions_of_table, table_of_regions
from jviz.errors import CommandError, ReadError

__all__ = ["FORMATS", "format_of", "read_regions", "write_regions"]

CRTF_GROUP = "# group:"
"""Begins the comment over the members of a group; with nothing after it, those that follow are in none."""

_point = re.compile(r"^point\[\[([^\]]*)\]\]")

Format = Literal["ds9", "crtf", "fits", "stcs", "ecsv", "csv"]

FORMATS: dict[str, str] = {
    ".reg": "ds9", ".crtf": "crtf", ".fits": "fits", ".fit": "fits", ".stcs": "stcs", ".stc": "stcs", ".ecsv": "ecsv",
    ".csv": "csv",
}  # fmt: skip
"""Format by the ending of a file's name."""


def format_of(path: Path) -> str:
    """Return the format that the ending of a name asks for.

    Raises
    ------
    CommandError
        For other endings.
    """
    if path.suffix.lower() not in FORMATS:
        raise CommandError(f"{path.name} has no ending of a region file; use {', '.join(FORMATS)}.")
    return FORMATS[path.suffix.lower()]


def read_regions(path: Path, kind: str | None = None) -> tuple[list[Any], list[Problem]]:
    """Read the regions of a file.

    Parameters
    ----------
    path : Path
    kind : {"ds9", "crtf", "fits", "stcs", "ecsv", "csv"}, optional
        By default as the content and the name say.

    Returns
    -------
    regions : list of regions.Region or Sketch
    problems : list of (int, str)
        Lines that were left out (0: not of one line), and what is not known in them.

    Raises
    ------
    ReadError
        When the file cannot be read, or nothing in it can be understood.
    """
    try:
        kind = kind or _sniffed(path)
        found, problems = _READERS[kind](path)
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if not found:
        raise ReadError(
            f"{path.name} holds no regions that can be read{_first(problems)}. Save it again as DS9 regions."
        )
    return found, problems


def _sniffed(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(64)
    if start.startswith(b"#CRTF"):
        return "crtf"
    if start.startswith(b"SIMPLE"):
        return "fits"
    if start.startswith(b"# %ECSV"):
        return "ecsv"
    if start.startswith(b"# Region file format: DS9"):
        return "ds9"
    return FORMATS.get(path.suffix.lower(), "ds9")


def _first(problems: list[Problem]) -> str:
    if not problems:
        return ""
    said = [f"line {number}: {text}" if number else text for number, text in problems[:3]]
    return f" ({'; '.join(said)}{' …' if len(problems) > 3 else ''})"


def _read_text(parse: Any) -> Any:
    return lambda path: parse(path.read_text("utf-8-sig", errors="replace"))


def _read_package(kind: str) -> Any:
    def read(path: Path) -> tuple[list[Any], list[Problem]]:
        from jviz.backend.io.regions_reader import regions_and_notes

        found, notes = regions_and_notes(path, kind)
        return list(found), [(0, note) for note in notes]

    return read


def _read_table(kind: str, **options: Any) -> Any:
    def read(path: Path) -> tuple[list[Any], list[Problem]]:
        from astropy.table import QTable

        try:
            table = QTable.read(path, format=kind, **options)
        except Exception as error:  # astropy raises what it likes for broken tables
            said = " ".join(str(error).split())[:200]
            raise ReadError(f"{path.name} is no table that can be read: {said}.") from error
        return regions_of_table(table, path.name)

    return read


_READERS = {
    "ds9": _read_text(sketch_ds9),
    "stcs": _read_text(parse_stcs),
    "crtf": _read_package("crtf"),
    "fits": _read_package("fits"),
    "ecsv": _read_table("ascii.ecsv"),
    "csv": _read_table("ascii.csv", fill_values=[]),
}


def write_regions(path: Path, regions: Sequence[Any], kind: str | None = None) -> list[str]:
    """Write regions to a file, whole or not at all.

    Parameters
    ----------
    path : Path
    regions : sequence of regions.Region
        With names, colours and tags in ``meta`` and ``visual``.
    kind : str, optional
        By the ending of the name by default.

    Returns
    -------
    list of str
        What was left out because the format does not have it: ``"Compound"``.

    Raises
    ------
    CommandError
        When nothing can be written.
    """
    kind = kind or format_of(path)
    kept = [r for r in regions if _has(kind, r)]
    left = [type(r).__name__.replace("Region", "") for r in regions if not _has(kind, r)]
    if not kept:
        what = f": it has no {', '.join(sorted(set(left)))}" if left else "; there are no regions"
        raise CommandError(f"Nothing can be written to {path.name} as {kind}{what}.")
    with writing(path) as temporary:
        _WRITERS[kind](temporary, kept)
    return left


def _has(kind: str, region: Any) -> bool:
    name = type(region).__name__
    if isinstance(region, np.ndarray):
        return False
    if name.startswith("Compound"):
        return kind in ("ecsv", "csv") or (kind == "ds9" and chain(region) is not None)
    if kind in ("crtf", "fits", "stcs") and kind_of(region) in SPECIAL:
        return False  # they would come back as plain lines, and paths as polygons
    if kind == "stcs":
        return name in ("CircleSkyRegion", "EllipseSkyRegion", "RectangleSkyRegion", "PolygonSkyRegion",
                        "PointSkyRegion", "TextSkyRegion")  # fmt: skip
    if kind == "fits":
        return name.endswith("PixelRegion") and not name.startswith(("Text", "RegularPolygon", "Line"))
    if kind == "crtf":
        # the package regions writes pixels as degrees
        return name in ("CircleSkyRegion", "EllipseSkyRegion", "RectangleSkyRegion", "PolygonSkyRegion",
                        "CircleAnnulusSkyRegion", "PointSkyRegion", "LineSkyRegion", "TextSkyRegion")  # fmt: skip
    return True


def _write_ds9(path: Path, regions: Sequence[Any]) -> None:
    path.write_text(ds9_text(regions), encoding="utf-8")


def _write_crtf(path: Path, regions: Sequence[Any]) -> None:
    """Write each frame and each group apart: the package gives all regions of a text one frame.

    Groups stand in comments, which CASA passes over.
    """
    from regions import Regions

    lines, before = ["#CRTFv0"], ""
    for (group, frame), members in groupby(regions, key=lambda r: (_group_of(r), _frame_of(r))):
        if group != before:
            lines.append(f"{CRTF_GROUP} {group}".rstrip())
            before = group
        some = Regions([_labelled(r) for r in members])
        text = some.serialize(format="crtf", coordsys=frame, fmt=".10f")
        # The package writes points under a name that neither it nor CASA reads.
        lines += [_point.sub(r"symbol[[\1], .]", line) for line in text.splitlines() if not line.startswith("#CRTF")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _group_of(region: Any) -> str:
    return " ".join(str((region.meta.get("tag") or [""])[0]).split())


def _labelled(region: Any) -> Any:
    """Return a region with its name, or what it says, as the label that CASA writes; quotes and commas would end it."""
    region = region.copy()
    said = region.text if kind_of(region) == "text" else region.meta.get("text", "")
    if said := " ".join(re.sub("[\"',]", " ", str(said)).split()):
        region.meta["label"] = said
    return region


def _frame_of(region: Any) -> str:
    return next(getattr(region, n) for n in ("center", "vertices", "start") if hasattr(region, n)).frame.name


def _write_fits(path: Path, regions: Sequence[Any]) -> None:
    from regions import Regions

    Regions(list(regions)).write(path, format="fits", overwrite=True)


def _write_stcs(path: Path, regions: Sequence[Any]) -> None:
    path.write_text("".join(f"{stcs_of(region)}\n" for region in regions), encoding="utf-8")


def _write_table(kind: str) -> Any:
    return lambda path, regions: table_of_regions(regions).write(path, format=kind, overwrite=True)


_WRITERS = {
    "ds9": _write_ds9,
    "crtf": _write_crtf,
    "fits": _write_fits,
    "stcs": _write_stcs,
    "ecsv": _write_table("ascii.ecsv"),
    "csv": _write_table("ascii.csv"),
}

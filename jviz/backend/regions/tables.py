"""Regions as rows of a table, which keeps names, groups and colours, and any program reads."""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jviz.backend.regions.ds9_words import properties, tags_of
from jviz.backend.regions.ds9_writing import words_of
from jviz.backend.regions.kinds import NAMES, SPECIAL, kind_of, shape_name
from jviz.backend.regions.making import PIXEL_FRAME, SIZES, Maker, Sketch
from jviz.backend.regions.rings import degrees

__all__ = ["regions_of_table", "table_of_regions"]

COLUMNS = ("name", "shape", "frame", "points", "sizes", "angle", "text", "color", "group", "words")
"""``points`` and ``sizes`` are JSON: [[x, y], …] and the sizes by the order of the shape's class, in pixels
from 0, or in degrees of the frame. ``words`` are properties as in files of DS9."""


def table_of_regions(regions: Sequence[Any]) -> Any:
    """Return a ``QTable`` with a row for each region."""
    from astropy.table import QTable

    rows = [_row(region) for region in regions]
    kinds = [str] * 5 + [float] + [str] * 4
    table = QTable({n: [row[i] for row in rows] for i, n in enumerate(COLUMNS)}, dtype=kinds)
    table.meta["regions"] = "points and sizes in pixels from 0 (frame image) or degrees; angle in degrees"
    return table


def _row(region: Any) -> tuple[Any, ...]:
    shape, kind = shape_name(type(region)), kind_of(region)
    if shape == "Compound":
        return _row_of_compound(region)
    if shape == "RegularPolygon":
        shape = "Polygon"
    places = (region.start, region.end) if shape == "Line" else (getattr(region, "vertices", None) or region.center,)
    points = [pair for place in places for pair in _pairs(place)]
    frame = PIXEL_FRAME if hasattr(places[0], "x") else places[0].frame.name
    sizes = [_number(getattr(region, n)) for n in SIZES.get(shape, ())]
    angle = float(degrees(region.angle)) if hasattr(region, "angle") and shape != "Polygon" else 0.0
    tags = region.meta.get("tag") or [""]
    shape = kind.capitalize() if kind in SPECIAL else shape
    name = str(region.meta.get("text") or region.meta.get("name", ""))
    return (
        name, shape, frame, json.dumps(points), json.dumps(sizes), angle,
        str(getattr(region, "text", "")), str(region.visual.get("color", "")), str(tags[0]), _words(region),
    )  # fmt: skip


def _words(region: Any) -> str:
    """Return what has no column of its own: more tags, width, a minus sign, whether it is locked, looks of DS9."""
    rest = region.copy()
    rest.visual.pop("color", None)
    rest.meta.pop("text", None)
    rest.meta["tag"] = (region.meta.get("tag") or [])[1:]
    said = words_of(rest, text="")
    excluded = region.meta.get("include", True) in (False, "-")
    return f"{said} include=0".strip() if excluded else said


def _row_of_compound(region: Any) -> tuple[Any, ...]:
    """Return a row whose ``sizes`` hold the operator and the rows of its two members."""
    tags = region.meta.get("tag") or [""]
    parts = [_row(region.region1), _row(region.region2)]
    said = str(region.meta.get("text", "")), "Compound", parts[0][2], "[]"
    value = json.dumps([region.operator.__name__, *parts])
    return (*said, value, 0.0, "", str(region.visual.get("color", "")), str(tags[0]), _words(region))


def _pairs(place: Any) -> list[list[float]]:
    if hasattr(place, "x"):
        x, y = place.x, place.y
    else:
        sphere = place.frame.spherical
        x, y = degrees(sphere.lon), degrees(sphere.lat)
    return np.stack([np.atleast_1d(x), np.atleast_1d(y)], axis=1).astype(float).tolist()


def _number(value: Any) -> float:
    return float(degrees(value) if hasattr(value, "unit") else value)


def regions_of_table(table: Any, name: str) -> tuple[list[Any], list[tuple[int, str]]]:
    """Return the regions of a table of `table_of_regions`, and the rows left out.

    Raises
    ------
    ReadError
        When columns are missing.
    """
    from jviz.errors import ReadError

    missing = [c for c in ("shape", "frame", "points", "sizes", "angle") if c not in table.colnames]
    if missing:
        raise ReadError(
            f"{name} is no table of regions: it lacks {', '.join(missing)}. Open it as a catalogue instead."
        )
    maker, problems = Maker(), []
    for number, row in enumerate(table, start=1):
        given = {c: row[c] if c in table.colnames and not np.ma.is_masked(row[c]) else "" for c in COLUMNS}
        try:
            _take(given, maker)
        except (ValueError, KeyError, IndexError, TypeError):
            problems.append((number, f"{given['shape']!s} in row {number}"))
    return maker.sketches, problems


def _take(row: dict[str, Any], maker: Maker) -> None:
    shape, frame = str(row["shape"]), str(row["frame"])
    if shape == "Compound":
        maker.sketches.append(_compound(row))
        return
    points, sizes = np.array(json.loads(row["points"]), float), json.loads(row["sizes"])
    said, tags, _ = _words_of(row)
    if shape == "Text":
        said["text"], said["name"] = str(row["text"]), str(row["name"])
    if shape.lower() in SPECIAL:
        said["type"], shape = shape.lower(), NAMES[shape.lower()]
    words = (said, tags, "")
    if shape in SIZES:
        angle = None if shape.startswith("Circle") else float(row["angle"])
        if len(sizes) != len(SIZES[shape]):
            raise ValueError("sizes")
        maker.curve(shape, frame, tuple(points[0]), sizes, angle, words)
    elif shape in ("Polygon", "Line", "Point", "Text"):
        maker.path(shape, frame, points, words)
    else:
        raise ValueError(shape)


def _compound(row: dict[str, Any]) -> Any:
    import regions

    name, *parts = json.loads(row["sizes"])
    maker = Maker()
    for part in parts:
        _take(dict(zip(COLUMNS, part, strict=False)), maker)  # those of earlier tables have no words
    first, second = maker.made()
    kind = regions.CompoundPixelRegion if hasattr(first, "to_sky") else regions.CompoundSkyRegion
    told = Sketch("Polygon", PIXEL_FRAME, (), (), None, _words_of(row))
    words = {"meta": regions.RegionMeta(told.meta), "visual": regions.RegionVisual(told.visual)}
    return kind(first, second, {"or_": operator.or_, "and_": operator.and_, "xor": operator.xor}[name], **words)


def _words_of(row: dict[str, Any]) -> tuple[dict[str, str], list[str], str]:
    more, group = str(row.get("words", "")), str(row["group"])
    said = {**properties(more), "text": str(row["name"]), "color": str(row["color"])}
    return said, [*([group] if group else []), *tags_of(more)], ""

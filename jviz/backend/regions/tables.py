"""Regions as rows of a table, which keeps names, groups and colours, and any program reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from jviz.backend.regions.kinds import shape_name
from jviz.backend.regions.making import PIXEL_FRAME, SIZES, Maker
from jviz.backend.regions.rings import degrees

__all__ = ["regions_of_table", "table_of_regions"]

COLUMNS = ("name", "shape", "frame", "points", "sizes", "angle", "text", "color", "group")
"""``points`` and ``sizes`` are JSON: [[x, y], …] and the sizes by the order of the shape's class, in pixels
from 0, or in degrees of the frame."""


def table_of_regions(regions: Sequence[Any]) -> Any:
    """Return a ``QTable`` with a row for each region that is not compound."""
    from astropy.table import QTable

    rows = [_row(region) for region in regions]
    kinds = [str] * 5 + [float] + [str] * 3
    table = QTable({n: [row[i] for row in rows] for i, n in enumerate(COLUMNS)}, dtype=kinds)
    table.meta["regions"] = "points and sizes in pixels from 0 (frame image) or degrees; angle in degrees"
    return table


def _row(region: Any) -> tuple[Any, ...]:
    shape = shape_name(type(region))
    if shape == "RegularPolygon":
        shape = "Polygon"
    places = (region.start, region.end) if shape == "Line" else (getattr(region, "vertices", None) or region.center,)
    points = [pair for place in places for pair in _pairs(place)]
    frame = PIXEL_FRAME if hasattr(places[0], "x") else places[0].frame.name
    sizes = [_number(getattr(region, n)) for n in SIZES.get(shape, ())]
    angle = float(degrees(region.angle)) if hasattr(region, "angle") and shape != "Polygon" else 0.0
    tags = region.meta.get("tag") or [""]
    return (
        str(region.meta.get("text", "")), shape, frame, json.dumps(points), json.dumps(sizes), angle,
        str(getattr(region, "text", "")), str(region.visual.get("color", "")), str(tags[0]),
    )  # fmt: skip


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
        given = {c: row[c] if c in table.colnames else "" for c in COLUMNS}
        try:
            _take(given, maker)
        except (ValueError, KeyError, IndexError, TypeError):
            problems.append((number, f"{given['shape']!s} in row {number}"))
    return maker.made(), problems


def _take(row: dict[str, Any], maker: Maker) -> None:
    shape, frame = str(row["shape"]), str(row["frame"])
    points, sizes = np.array(json.loads(row["points"]), float), json.loads(row["sizes"])
    said = {"text": str(row["text"] if shape == "Text" else row["name"]), "color": str(row["color"])}
    words = (said, [str(row["group"])] if str(row["group"]) else [], "")
    if shape in SIZES:
        angle = None if shape.startswith("Circle") else float(row["angle"])
        if len(sizes) != len(SIZES[shape]):
            raise ValueError("sizes")
        maker.curve(shape, frame, tuple(points[0]), sizes, angle, words)
    elif shape in ("Polygon", "Line", "Point", "Text"):
        maker.path(shape, frame, points, words)
    else:
        raise ValueError(shape)

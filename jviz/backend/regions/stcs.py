"""Space-time coordinates as strings (STC-S), of which S_REGION keywords are made (IVOA Note 20091030)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from jviz.backend.regions.making import Maker

__all__ = ["parse_stcs", "stcs_of"]

FRAMES = {"icrs": "icrs", "fk5": "fk5", "fk4": "fk4", "j2000": "fk5", "b1950": "fk4", "galactic": "galactic",
          "galactic_ii": "galactic", "ecliptic": "barycentricmeanecliptic", "unknownframe": "icrs"}  # fmt: skip
SKIPPED = ("geocenter", "barycenter", "heliocenter", "topocenter", "unknownrefpos", "spherical2", "cart2", "union",
           "(", ")", "intersection", "not")  # fmt: skip
SHAPES = ("circle", "polygon", "box", "ellipse", "position")


def parse_stcs(text: str, *, name: str = "") -> tuple[list[Any], list[tuple[int, str]]]:
    """Read circles, polygons, boxes, ellipses and positions; "Union ICRS (…)" gives its members.

    Returns
    -------
    regions : list of regions.Region
    problems : list of (int, str)
        Number of the line and the words that were not understood.
    """
    maker, problems = Maker(), []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            _take(re.findall(r"[()]|[^\s(),]+", line.partition("#")[0]), maker, name)
        except (ValueError, IndexError):
            problems.append((number, line.strip()[:40]))
    return maker.made(), problems


def _take(words: list[str], maker: Maker, name: str) -> None:
    frame, shape, numbers = "icrs", "", []
    for word in [*words, ""]:
        low = word.lower()
        if not low or low in SHAPES:
            if shape:
                _add(shape, frame, numbers, maker, name)
            shape, numbers = low, []
        elif low in FRAMES:
            frame = FRAMES[low]
        elif low not in SKIPPED:
            numbers.append(float(word))


def _add(shape: str, frame: str, n: list[float], maker: Maker, name: str) -> None:
    words = ({"text": name} if name else {}, [], "")
    if shape == "circle":
        maker.curve("Circle", frame, (n[0], n[1]), [n[2]], None, words)
    elif shape == "ellipse":
        # the position angle of the major axis, from north to east; regions count from the parallel
        maker.curve("Ellipse", frame, (n[0], n[1]), [2 * n[2], 2 * n[3]], n[4] + 90.0, words)
    elif shape == "box":
        maker.curve("Rectangle", frame, (n[0], n[1]), [n[2], n[3]], 0.0, words)
    elif shape == "polygon":
        points = np.reshape(n, (-1, 2))
        points = points[:-1] if len(points) > 3 and (points[0] == points[-1]).all() else points
        if len(points) < 3:
            raise ValueError("few")
        maker.path("Polygon", frame, points, words)
    else:
        maker.path("Point", frame, np.array([n[:2]]), words)


def stcs_of(region: Any) -> str:
    """Return a sky region as one line of STC-S in ICRS; shapes that STC-S lacks become polygons."""
    from jviz.backend.regions.kinds import shape_name
    from jviz.backend.regions.outlines import outline
    from jviz.backend.regions.rings import degrees

    name = shape_name(type(region))
    if name in ("Circle", "Point", "Text"):
        centre = region.center.icrs
        place = f"{degrees(centre.ra):.9f} {degrees(centre.dec):.9f}"
        return f"Circle ICRS {place} {degrees(region.radius):.9f}" if name == "Circle" else f"Position ICRS {place}"
    if name not in ("Ellipse", "Rectangle", "Polygon"):
        raise ValueError(f"STC-S has no {name}")
    vertices = region.vertices.icrs if name == "Polygon" else None
    points = (
        np.stack([degrees(vertices.ra), degrees(vertices.dec)], axis=1)
        if vertices is not None
        else outline(region).ring(0)
    )
    return "Polygon ICRS " + " ".join(f"{value:.9f}" for value in np.ravel(points))

"""What shapes regions are: the names that hands and files know them by."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["CURVED", "NAMES", "OPEN", "SPECIAL", "kind_of", "shape_name", "text_of"]

NAMES = {
    "circle": "Circle",
    "annulus": "CircleAnnulus",
    "ellipse": "Ellipse",
    "ellipse_annulus": "EllipseAnnulus",
    "rectangle": "Rectangle",
    "rectangle_annulus": "RectangleAnnulus",
    "polygon": "Polygon",
    "path": "Polygon",
    "line": "Line",
    "ruler": "Line",
    "compass": "Line",
    "vector": "Line",
    "point": "Point",
    "text": "Text",
}
"""Classes of ``regions``, without ``PixelRegion`` or ``SkyRegion``."""

SPECIAL = ("path", "ruler", "compass", "vector")
"""Kinds for which ``regions`` has no class; their regions carry the kind in ``meta["type"]``."""

OPEN = ("path", "line", "ruler", "vector", "compass")
"""Kinds that are lines and have no inside."""

CURVED = frozenset({"circle", "annulus", "ellipse", "ellipse_annulus"})

_kinds = {name: kind for kind, name in NAMES.items() if kind not in SPECIAL} | {"RegularPolygon": "polygon"}


@cache
def shape_name(kind: type) -> str:
    """Return "Circle", "EllipseAnnulus" … of a class of the ``regions`` package."""
    name = kind.__name__
    for ending in ("PixelRegion", "SphericalSkyRegion", "SkyRegion"):
        name = name.removesuffix(ending)
    return name


def kind_of(region: Any) -> str:
    """Return the kind of shape that a region is, "" for those that hands do not edit (compound ones, and others).

    Parameters
    ----------
    region : regions.Region, Sketch or other
    """
    name = getattr(region, "shape", None) or shape_name(type(region))
    if not isinstance(name, str):
        return ""  # an array, whose shape is something else
    special = str(getattr(region, "meta", {}).get("type", "")) if name in ("Polygon", "Line") else ""
    if special in SPECIAL and name == NAMES[special]:
        return special
    return _kinds.get(name, "")


def text_of(region: Any) -> str:
    """Return what a region, or a sketch, that is a text says; "" for others."""
    if kind_of(region) != "text":
        return ""
    words = getattr(region, "words", None)
    return str(words[0].get("text", "") if words else region.text)

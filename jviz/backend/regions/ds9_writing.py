"""Regions in the language of DS9, with what the package ``regions`` does not write: rulers, compasses, paths, cuts."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jviz.backend.regions.ds9_words import COMBINED, LOCKS
from jviz.backend.regions.kinds import kind_of
from jviz.backend.regions.offsets import offsets_to
from jviz.backend.regions.rings import degrees

__all__ = ["chain", "ds9_text", "words_of"]

_frames = {"icrs": "icrs", "fk5": "fk5", "fk4": "fk4", "galactic": "galactic", "barycentricmeanecliptic": "ecliptic"}
_loud = ("text", "ruler", "compass", "vector", "path")
"""Shapes that DS9 writes as comments."""


def ds9_text(regions: Iterable[Any]) -> str:
    """Return the text of a file of regions.

    Parameters
    ----------
    regions : iterable of regions.Region
        Combined ones must be chains, as from `chain`.

    Notes
    -----
    Positions have nine decimals of a degree (four microarcseconds), pixels are counted from 1.
    """
    lines, before = ["# Region file format: DS9 version 4.1"], ""
    for region in regions:
        links = chain(region)
        if links is None:
            raise ValueError("DS9 has no such combination")
        frame = _frame(links[0][0])
        if frame != before:
            lines.append(frame)
            before = frame
        lines += _alone(region, frame) if len(links) == 1 else _composite(region, links, frame)
    return "\n".join(lines) + "\n"


def chain(region: Any) -> list[tuple[Any, bool]] | None:
    """Return the members of a region with whether they are cut out, None where DS9 cannot say the combination.

    ``A or B or …`` and ``A and not B`` can be said, one after the other; "and" and "xor" cannot.
    """
    if not hasattr(region, "region1"):
        return [(region, False)]
    first, second = region.region1, region.region2
    cut = region.operator is operator.xor
    if cut:
        if not hasattr(first, "region1") or first.operator is not operator.or_ or first.region2 != second:
            return None
        first = first.region1
    elif region.operator is not operator.or_:
        return None
    links = chain(first)
    return None if links is None or hasattr(second, "region1") else [*links, (second, cut)]


def _alone(region: Any, frame: str) -> list[str]:
    sign = "-" if region.meta.get("include") in (False, "-") else ""
    return [_line(region, frame, sign, words_of(region))]


def _composite(region: Any, links: Sequence[tuple[Any, bool]], frame: str) -> list[str]:
    x, y = _numbers(_anchor(links[0][0]), frame)[0]
    head = f"# composite({x},{y},0) || composite=1 {words_of(region, COMBINED)}"
    members = [
        _line(leaf, frame, "-" if cut else "", "", more=k + 1 < len(links)) for k, (leaf, cut) in enumerate(links)
    ]
    return [head.rstrip(), *members]


def _line(region: Any, frame: str, sign: str, words: str, *, more: bool = False) -> str:
    kind = kind_of(region)
    name, arguments, extra = _shape(region, kind, frame)
    shape = f"{sign}{name}({','.join(arguments)})"
    said = " ".join(part for part in ("" if "line=" in words else extra, words) if part)
    if kind in _loud:
        return f"# {shape}{' ||' if more else ''} {said}".rstrip()
    return f"{shape}{' ||' if more else ''}{' # ' + said if said else ''}"


def words_of(region: Any, *tags: str, text: str | None = None) -> str:
    """Return the properties of a region as DS9 writes them after it, with more tags, or with another text."""
    color, width = region.visual.get("color"), region.visual.get("linewidth")
    if text is None:
        text = region.text if kind_of(region) == "text" else region.meta.get("text")
    parts = [f"color={color}"] if color else []
    parts += [f"width={width}"] if width else []
    parts += [f"text={{{_safe(text)}}}"] if text else []
    parts += [str(kept)] if (kept := region.meta.get("comment")) else []
    parts += [f"{name}=0" for name in LOCKS] if region.meta.get("move", 1) == 0 else []
    return " ".join(parts + [f"tag={{{_safe(tag)}}}" for tag in (*(region.meta.get("tag") or ()), *tags)])


def _safe(text: Any) -> str:
    return " ".join(str(text).replace("{", "(").replace("}", ")").split())


def _shape(region: Any, kind: str, frame: str) -> tuple[str, list[str], str]:
    """Return name, arguments and own properties of a shape."""
    if kind in ("polygon", "path"):
        name = "polygon" if kind == "polygon" else "segment"
        return name, [n for pair in _numbers(region.vertices, frame) for n in pair], ""
    if kind in ("line", "ruler", "compass", "vector"):
        return _of_line(region, kind, frame)
    at = list(_numbers(region.center, frame)[0])
    if kind in ("point", "text"):
        return kind, at, ""
    sizes = [_size(getattr(region, name)) for name in _SIZES[kind]]
    halves = [_scaled(s, 0.5) for s in sizes] if kind.startswith("ellipse") else sizes
    angle = [f"{degrees(region.angle):.8g}"] if hasattr(region, "angle") else []
    return _DS9[kind], [*at, *(_text(s) for s in halves), *angle], ""


def _of_line(region: Any, kind: str, frame: str) -> tuple[str, list[str], str]:
    start, end = (_numbers(p, frame)[0] for p in (region.start, region.end))
    if kind == "line":
        return "line", [*start, *end], "line=0 0"
    if kind == "ruler":
        return "ruler", [*start, *end], "ruler=image" if frame == "image" else f"ruler={frame} arcsec"
    right, up = _way(region, frame)
    length = float(np.hypot(right, up))
    size = _text((length, "px") if frame == "image" else (3600 * length, '"'))
    if kind == "compass":
        return "compass", [*start, size], f"compass={frame} {{N}} {{E}} 1 1"
    return "vector", [*start, size, f"{np.degrees(np.arctan2(up, right)) % 360:.8g}"], "vector=1"


def _way(region: Any, frame: str) -> tuple[float, float]:
    """Return how far it is from start to end to the right and up, with north up."""
    if frame == "image":
        return float(region.end.x - region.start.x), float(region.end.y - region.start.y)
    (x0, y0), (x1, y1) = (_degrees(p, frame)[0] for p in (region.start, region.end))
    right, up = offsets_to(x0, y0, np.array([x1]), np.array([y1]))
    return float(right[0]), float(up[0])


def _anchor(region: Any) -> Any:
    return next(getattr(region, name) for name in ("center", "start", "vertices") if hasattr(region, name))


def _frame(region: Any) -> str:
    position = _anchor(region)
    return "image" if hasattr(position, "x") else _frames.get(position.frame.name, "icrs")


def _numbers(position: Any, frame: str) -> list[tuple[str, str]]:
    if frame == "image":
        pairs = zip(np.atleast_1d(position.x) + 1.0, np.atleast_1d(position.y) + 1.0, strict=True)
        return [(f"{x:.9g}", f"{y:.9g}") for x, y in pairs]
    return [(f"{lon:.9f}", f"{lat:.9f}") for lon, lat in _degrees(position, frame)]


def _degrees(position: Any, frame: str) -> list[tuple[float, float]]:
    own = position if _frames.get(position.frame.name) == frame else position.transform_to(_named(frame))
    sphere = own.frame.spherical
    lon, lat = np.atleast_1d(degrees(sphere.lon)), np.atleast_1d(degrees(sphere.lat))
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def _named(frame: str) -> str:
    return next(name for name, word in _frames.items() if word == frame)


def _size(value: Any) -> tuple[float, str]:
    return (float(degrees(value)) * 3600.0, '"') if hasattr(value, "unit") else (float(value), "px")


def _scaled(size: tuple[float, str], by: float) -> tuple[float, str]:
    return size[0] * by, size[1]


def _text(size: tuple[float, str]) -> str:
    return f"{size[0]:.9g}{size[1] if size[1] != 'px' else ''}"


_SIZES = {
    "circle": ("radius",),
    "annulus": ("inner_radius", "outer_radius"),
    "ellipse": ("width", "height"),
    "rectangle": ("width", "height"),
    "ellipse_annulus": ("inner_width", "inner_height", "outer_width", "outer_height"),
    "rectangle_annulus": ("inner_width", "inner_height", "outer_width", "outer_height"),
}
_DS9 = {
    "circle": "circle",
    "annulus": "annulus",
    "ellipse": "ellipse",
    "rectangle": "box",
    "ellipse_annulus": "ellipse",
    "rectangle_annulus": "box",
}

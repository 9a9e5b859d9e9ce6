"""Region files of DS9, read fast and line by line: what cannot be understood is told and the rest is kept."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jviz.backend.regions.converting import combined, is_pixel
from jviz.backend.regions.ds9_numbers import Numbers
from jviz.backend.regions.ds9_statements import Term, pieces, terms
from jviz.backend.regions.ds9_words import COMBINED, is_alternate, properties, sized_about, tags_of
from jviz.backend.regions.making import PIXEL_FRAME, Maker, Sketch, made
from jviz.backend.regions.sectors import offset_points, sectors

__all__ = ["Problem", "parse_ds9", "sketch_ds9"]

Problem = tuple[int, str]
"""Number of a line and what is wrong with it."""

FRAMES = {
    "image": PIXEL_FRAME, "physical": PIXEL_FRAME, "linear": PIXEL_FRAME, "icrs": "icrs", "fk5": "fk5", "j2000": "fk5",
    "wcs": "fk5", "fk4": "fk4", "b1950": "fk4", "galactic": "galactic", "ecliptic": "barycentricmeanecliptic",
}  # fmt: skip
"""Physical and linear positions, and those of other WCS of an image ("wcsa"), wait for it: `.of_images`. DS9 has FK5
for "wcs"."""

OTHER_FRAMES = ("amplifier", "detector", "panner", "tile")

_plain = re.compile(r"^\s*(circle|ellipse|box|annulus|polygon|point)\(([^()#;|{]*)\)\s*(?:#([^;|]*))?$")
"""By far the most lines are such: one shape, its numbers, and its properties."""

Words = tuple[dict[str, str], list[str], str]


class _Wrong(Exception):
    """What a line says that cannot be understood."""


@dataclass
class _State:
    """What earlier lines say of later ones."""

    frame: str | None = PIXEL_FRAME
    frame_word: str = "image"
    words: dict[str, str] = field(default_factory=dict)
    composite: int = 0
    inside: bool = False
    combining: tuple[int, Words, str] | None = None
    """Of a composite that is one region: which sketch is the first, what is said of it, and "or" or "and"."""


def parse_ds9(text: str) -> tuple[list[Any], list[Problem]]:
    """Read regions of the ``regions`` package from the text of a DS9 file.

    Returns
    -------
    regions : list of regions.Region
        As `sketch_ds9` describes them.
    problems : list of (int, str)
    """
    sketches, problems = sketch_ds9(text)
    return made(sketches), problems


def sketch_ds9(text: str) -> tuple[list[Sketch], list[Problem]]:
    """Read regions as plain numbers from the text of a DS9 file.

    Parameters
    ----------
    text : str

    Returns
    -------
    sketches : list of Sketch, or regions.Region where several are one
        With colour, width, text and tags; excluded ones get ``meta["include"]`` False.
    problems : list of (int, str)
        Lines left out, with the shape, the frame or the words that are not known.
    """
    state, maker, problems = _State(), Maker(), []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        try:
            if (plain := _plain.match(line)) and not state.inside:
                _add(plain[1], plain[2], "", plain[3] or "", state, maker)
                continue
        except _Wrong as wrong:
            problems.append((number, str(wrong)))
            continue
        for part in pieces(line):
            try:
                _take(part.strip(), state, maker)
            except _Wrong as wrong:
                problems.append((number, str(wrong)))
    return maker.sketches, problems


def _take(part: str, state: _State, maker: Maker) -> None:
    if not part:
        return
    if part.startswith("#"):
        part = part[1:].strip()
        if part.startswith("composite"):
            _begin_composite(part, state, maker)
            return
        if not re.match(r"(text|vector|ruler|projection|compass|segment)\s*\(", part):
            return
    low = part.lower()
    first, comma, rest = low.partition(",")
    if low.startswith("global"):
        state.words = {**state.words, **properties(part[6:])}
    elif first.strip() in FRAMES:
        _set_frame(first.strip(), state)
        if comma:
            _take(part[-len(rest) :].strip(), state, maker)
    elif re.fullmatch("wcs[a-z]", low):
        state.frame, state.frame_word = PIXEL_FRAME, low
        state.words = {**state.words, "frame": low}
    elif low in OTHER_FRAMES:
        state.frame, state.frame_word = None, low
    elif not re.fullmatch(r"tile\s+\d+", low):
        _statement(part, state, maker)


def _set_frame(word: str, state: _State) -> None:
    state.frame, state.frame_word = FRAMES[word], word
    state.words = {**state.words, "frame": word if word in ("physical", "linear") else ""}


def _begin_composite(part: str, state: _State, maker: Maker) -> None:
    """Begin a group, or one region: by the tag that jviz writes, or where all members must meet (&&)."""
    state.composite += 1
    state.inside = True
    _, sign, said = re.split(r"(\|\||&&|$)", part, maxsplit=1)
    tags = tags_of(said)
    if COMBINED in tags or sign == "&&":
        words = properties(said), [t for t in tags if t != COMBINED], ""
        state.combining = len(maker.sketches), words, "and" if sign == "&&" else "or"
    else:
        state.combining = None


def _statement(part: str, state: _State, maker: Maker) -> None:
    found, more, comment = terms(part)
    if not found:
        raise _Wrong(f"{part[:40]!r} is no region")
    in_composite, state.inside = state.inside, more
    try:
        _add_all(found, comment, state, maker, in_composite)
    finally:
        if not state.inside and state.combining is not None:
            first, words, mode = state.combining
            state.combining = None
            _check_alike(maker, first)
            members = [[made([m])[0]] for m in maker.sketches[first:]]
            modes = ["or", *("andnot" if _cut(m) else mode for [m] in members[1:])]
            _replace(maker, first, _together(members, modes), words)


def _add_all(found: list[Term], comment: str, state: _State, maker: Maker, in_composite: bool) -> None:
    """Add the shapes of a statement: each by itself, or one region of those that operators put together."""
    first, starts = len(maker.sketches), []
    try:
        for term in found:
            starts.append(len(maker.sketches))
            _add(term.name.lower(), term.arguments, term.sign, comment, state, maker, in_composite)
    except _Wrong:
        if any(term.mode for term in found):
            del maker.sketches[first:]  # the rest alone would be another region
        raise
    if any(term.mode for term in found):
        if not all(term.mode for term in found[1:]):
            del maker.sketches[first:]
            raise _Wrong("a comma among operators")
        _check_alike(maker, first)
        ends = [*starts[1:], len(maker.sketches)]
        members = [made(maker.sketches[a:b]) for a, b in zip(starts, ends, strict=True)]
        sketch = maker.sketches[first]
        _replace(maker, first, _together(members, [term.mode or "or" for term in found]), sketch.words)


def _together(members: list[list[Any]], modes: list[str]) -> Any:
    """Put regions together; "and" and "andnot" bind more closely than "or"."""
    products: list[Any] = []
    for parts, mode in zip(members, modes, strict=True):
        region = parts[0]
        for other in parts[1:]:
            region = combined(region, other, "or")
        region.meta.pop("include", None)
        if mode == "or":
            products.append(region)
        else:
            products[-1] = combined(products[-1], region, mode)
    whole = products[0]
    for region in products[1:]:
        whole = combined(whole, region, "or")
    return whole


def _check_alike(maker: Maker, first: int) -> None:
    """Forget the last sketches where pixels and the sky would make one region."""
    if len({is_pixel(sketch) for sketch in maker.sketches[first:]}) > 1:
        del maker.sketches[first:]
        raise _Wrong("pixels and the sky in one region")


def _cut(region: Any) -> bool:
    return region.meta.get("include", True) in (False, "-")


def _replace(maker: Maker, first: int, whole: Any, words: Words) -> None:
    """Put one region, of which something is said, in the place of the last sketches."""
    del maker.sketches[first:]
    told = Sketch("Polygon", PIXEL_FRAME, (), (), None, words)
    whole = whole.copy()
    for kept in (whole.meta, whole.visual):
        kept.clear()
    whole.meta.update(told.meta)
    whole.visual.update(told.visual)
    maker.sketches.append(whole)


def _add(
    name: str, inner: str, sign: str, comment: str, state: _State, maker: Maker, in_composite: bool = False
) -> None:
    if name not in SHAPES:
        raise _Wrong(name)
    if state.frame is None:
        raise _Wrong(f"{state.frame_word} coordinates")
    words = {**state.words, **properties(comment)} if comment else state.words
    tags = tags_of(comment) if comment else []
    if in_composite and not tags:
        tags = [f"composite {state.composite}"]
    texts = (inner if name == "text" else re.sub(r"\s*=\s*", "=", inner)).replace(",", " ").split()
    if name == "text" and "text" not in words:
        texts, words = texts[:2], {**words, "text": " ".join(texts[2:]).strip("{}\"'")}
    given = Numbers(texts, state.frame, alternate=is_alternate(state.frame_word))
    first = len(maker.sketches)
    try:
        SHAPES[name](maker, given, (words, tags, sign))
        if len(given.kinds) > 1:
            raise ValueError("sizes of several kinds")
    except (ValueError, IndexError):
        del maker.sketches[first:]
        raise _Wrong(f"{name}({inner.strip()[:40]})") from None
    if given.foreign:
        for sketch in maker.sketches[first:]:
            kind = given.foreign if sketch.sizes else sized_about(given.foreign, given.point(0))
            said, its_tags, _ = sketch.words
            sketch.words = ({**said, "frame": "+".join(filter(None, (words.get("frame"), kind)))}, its_tags, sign)


def _circle(maker: Maker, given: Numbers, words: Words) -> None:
    maker.curve("Circle", given.frame, given.point(0), [given.size(2)], None, words)


def _annulus(maker: Maker, given: Numbers, words: Words) -> None:
    [radii] = given.evenly(given.sizes(2, len(given)))
    if len(radii) < 2:
        raise ValueError("one radius")
    for inner, outer in itertools.pairwise(radii):
        maker.curve("CircleAnnulus", given.frame, given.point(0), [inner, outer], None, words)


def _two_axes(kind: str, factor: float) -> Callable[[Maker, Numbers, Words], None]:
    def take(maker: Maker, given: Numbers, words: Words) -> None:
        with_angle = len(given) % 2
        angle = given.angle(len(given) - 1) if with_angle else 0.0
        sizes = [factor * s for s in given.sizes(2, len(given) - with_angle)]
        pairs = list(zip(*given.evenly(sizes[::2], sizes[1::2]), strict=True))
        if not pairs:
            raise ValueError("no sizes")
        if len(pairs) == 1:
            maker.curve(kind, given.frame, given.point(0), list(pairs[0]), angle, words)
        for (w0, h0), (w1, h1) in itertools.pairwise(pairs):
            maker.curve(f"{kind}Annulus", given.frame, given.point(0), [w0, w1, h0, h1], angle, words)

    return take


def _path(kind: str, least: int) -> Callable[[Maker, Numbers, Words], None]:
    def take(maker: Maker, given: Numbers, words: Words) -> None:
        points = given.points()
        if len(points) < least:
            raise ValueError("few points")
        maker.path(kind, given.frame, points, words)

    return take


def _line(kind: str) -> Callable[[Maker, Numbers, Words], None]:
    def take(maker: Maker, given: Numbers, words: Words) -> None:
        maker.path("Line", given.frame, np.array([given.point(0), given.point(2)]), _special(words, kind))

    return take


def _special(words: Words, kind: str) -> Words:
    return ({**words[0], "type": kind}, *words[1:])


def _arrow(kind: str) -> Callable[[Maker, Numbers, Words], None]:
    """Take a vector (a place, a length, an angle), or a compass, whose first arm leads to the north."""

    def take(maker: Maker, given: Numbers, words: Words) -> None:
        start, length = given.point(0), given.size(2)
        angle = given.angle(3) if kind == "vector" else 90.0
        end = offset_points(given.frame, start, np.array([[length, 0.0]]), angle)
        maker.path("Line", given.frame, np.concatenate([[start], end]), _special(words, kind))

    return take


def _segment(maker: Maker, given: Numbers, words: Words) -> None:
    points = given.points()
    if len(points) < 2:
        raise ValueError("few points")
    maker.path("Polygon", given.frame, points, _special(words, "path"))


def _pie(maker: Maker, given: Numbers, words: Words) -> None:
    """Take a sector of CIAO: its two radii, then its two angles; or of funtools, which has no radii."""
    if len(given) == 4:
        _endless(maker, given, words)
        return
    if len(given) != 6:
        raise ValueError("neither four nor six numbers")
    low, high = given.size(2), given.size(3)
    _sectors(maker, given, words, ((low, low), (high, high)), 1, angles=(given.angle(4), given.angle(5), 1))


def _corners(maker: Maker, given: Numbers, words: Words) -> None:
    """Take a rectangle of CIAO, by two of its corners."""
    (x0, y0), (x1, y1) = given.point(0), given.point(2)
    if given.frame != PIXEL_FRAME:
        raise ValueError("sides along pixels only")
    maker.curve("Rectangle", given.frame, ((x0 + x1) / 2, (y0 + y1) / 2), [abs(x1 - x0), abs(y1 - y0)], 0.0, words)


def _field(maker: Maker, given: Numbers, words: Words) -> None:
    """Take what CIAO names the field: all pixels of the image."""
    said = {**words[0], "frame": "field"}
    maker.sketches.append(Sketch("Rectangle", PIXEL_FRAME, ((0.0, 0.0),), (1.0, 1.0), 0.0, (said, *words[1:])))


def _endless(maker: Maker, given: Numbers, words: Words) -> None:
    """Take a sector of CIAO without radii, which ends at the edges of the image."""
    if len(given) != 4:
        raise ValueError("not four numbers")
    angles = (given.angle(2), given.angle(3), 1)
    radius = 1.0 if given.frame == PIXEL_FRAME else 1 / 3600
    [corners] = sectors(given.frame, given.point(0), angles, (0.0, 0.0), (radius, radius), 1)
    frame = words[0].get("frame", "") + "+sector"
    maker.path("Polygon", given.frame, corners, ({**words[0], "frame": frame}, *words[1:]))


def _panda(maker: Maker, given: Numbers, words: Words) -> None:
    low, high = given.size(5), given.size(6)
    _sectors(maker, given, words, ((low, low), (high, high)), given.count(7))


def _wide_panda(half: float, *, box: bool) -> Callable[[Maker, Numbers, Words], None]:
    def take(maker: Maker, given: Numbers, words: Words) -> None:
        a, b, c, d = (half * size for size in given.sizes(5, 9))
        _sectors(maker, given, words, ((a, b), (c, d)), given.count(9), turn=given.angle(10), box=box)

    return take


def _sectors(
    maker: Maker, given: Numbers, words: Words, edges: tuple, rings: int, angles: tuple | None = None, **how: Any
) -> None:
    """Take the sectors of rings as polygons of one group."""
    angles = angles or (given.angle(2), given.angle(3), given.count(4))
    tags = words[1] or [f"sectors {len(maker.sketches) + 1}"]
    for corners in sectors(given.frame, given.point(0), angles, *edges, rings, **how):
        maker.path("Polygon", given.frame, corners, (words[0], tags, words[2]))


SHAPES: dict[str, Callable[[Maker, Numbers, Words], None]] = {
    "circle": _circle,
    "annulus": _annulus,
    "ellipse": _two_axes("Ellipse", 2.0),
    "box": _two_axes("Rectangle", 1.0),
    "rotbox": _two_axes("Rectangle", 1.0),
    "polygon": _path("Polygon", 3),
    "line": _line("line"),
    "ruler": _line("ruler"),
    "projection": _line("line"),
    "vector": _arrow("vector"),
    "compass": _arrow("compass"),
    "segment": _segment,
    "panda": _panda,
    "cpanda": _panda,
    "epanda": _wide_panda(1.0, box=False),
    "bpanda": _wide_panda(0.5, box=True),
    "pie": _pie,
    "rectangle": _corners,
    "field": _field,
    "sector": _endless,
    "point": lambda maker, given, words: maker.path("Point", given.frame, np.array([given.point(0)]), words),
    "text": lambda maker, given, words: maker.path("Text", given.frame, np.array([given.point(0)]), words),
}

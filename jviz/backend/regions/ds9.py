"""Region files of DS9, read fast and line by line: what cannot be understood is told and the rest is kept."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jviz.backend.regions.converting import combined
from jviz.backend.regions.ds9_writing import COMBINED
from jviz.backend.regions.making import PIXEL_FRAME, Maker, Sketch, made
from jviz.backend.regions.sectors import offset_points, sectors

__all__ = ["Problem", "parse_ds9", "sketch_ds9"]

Problem = tuple[int, str]
"""Number of a line and what is wrong with it."""

FRAMES = {
    "image": PIXEL_FRAME, "physical": PIXEL_FRAME, "icrs": "icrs", "fk5": "fk5", "j2000": "fk5", "fk4": "fk4",
    "b1950": "fk4", "galactic": "galactic", "ecliptic": "barycentricmeanecliptic",
}  # fmt: skip
"""Without LTV keywords, which binned or cut images may have, physical pixels are image pixels."""

OTHER_FRAMES = ("linear", "amplifier", "detector", "wcs", "panner", "tile")

_statement = re.compile(r"^([+-]?)\s*([a-z]+)\s*(?:\(([^)#]*)\)|\s([^#|]*))\s*(?:\|\|)?\s*#?(.*)$", re.IGNORECASE)
_plain = re.compile(r"^\s*(circle|ellipse|box|annulus|polygon|point)\(([^()#;|{]*)\)\s*(?:#([^;|]*))?$")
"""By far the most lines are such: one shape, its numbers, and its properties."""
_tag = re.compile(r"tag\s*=\s*\{([^}]*)\}")
_property = re.compile(r"""(\w+)\s*=\s*(?:\{([^}]*)\}|"([^"]*)"|'([^']*)'|(\S+))""")
_factors = {'"': 1 / 3600, "'": 1 / 60, "d": 1.0, "r": 180 / np.pi, "p": None, "i": None}


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
    combining: tuple[int, Words] | None = None
    """Of a composite that is one region: which sketch is the first, and what is said of it."""


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
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            if (plain := _plain.match(line)) and not state.inside:
                _add(plain[1], plain[2], "", plain[3] or "", state, maker)
                continue
        except _Wrong as wrong:
            problems.append((number, str(wrong)))
            continue
        for part in _split(line):
            try:
                _take(part.strip(), state, maker)
            except _Wrong as wrong:
                problems.append((number, str(wrong)))
    return maker.sketches, problems


def _split(line: str) -> list[str]:
    """Split at semicolons that are not within a text."""
    return re.split(r";(?![^{]*\})", line) if ";" in line else [line]


def _take(part: str, state: _State, maker: Maker) -> None:
    if not part:
        return
    if part.startswith("#"):
        part = part[1:].strip()
        if part.startswith("composite"):
            state.composite += 1
            state.inside = True
            tags = _tag.findall(part)
            said = _properties(part.partition("||")[2]), [t for t in tags if t != COMBINED], ""
            state.combining = (len(maker.sketches), said) if COMBINED in tags else None
            return
        if not re.match(r"(text|vector|ruler|projection|compass|segment)\s*\(", part):
            return
    low = part.lower()
    if low.startswith("global"):
        state.words = _properties(part[6:])
    elif low in FRAMES:
        state.frame, state.frame_word = FRAMES[low], low
    elif low in OTHER_FRAMES or re.fullmatch("wcs[a-z]", low):
        state.frame, state.frame_word = None, low
    elif match := _statement.match(part):
        _shape(match, part, state, maker)
    else:
        raise _Wrong(f"{part[:40]!r} is no region")


def _shape(match: re.Match, part: str, state: _State, maker: Maker) -> None:
    sign, name, inside, bare, comment = match.groups()
    in_composite, state.inside = state.inside, "||" in part
    try:
        _add(name.lower(), inside if inside is not None else bare, sign, comment or "", state, maker, in_composite)
    finally:
        if not state.inside and state.combining is not None:
            _combine(maker, *state.combining)
            state.combining = None


def _combine(maker: Maker, first: int, words: Words) -> None:
    """Make one region of the last ones: each is added to those before, or cut out of them where it has a minus sign."""
    members = maker.sketches[first:]
    if not members:
        return
    del maker.sketches[first:]
    whole, *rest = made(members)
    for region in rest:
        cut = region.meta.pop("include", True) in (False, "-")
        whole = combined(whole, region, "andnot" if cut else "or")
    told = Sketch("Polygon", PIXEL_FRAME, (), (), None, words)
    whole = whole.copy()
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
    words = {**state.words, **_properties(comment)} if comment else state.words
    tags = _tag.findall(comment) if comment else []
    if in_composite and not tags:
        tags = [f"composite {state.composite}"]
    texts = inner.replace(",", " ").split()
    if name == "text" and "text" not in words:
        texts, words = texts[:2], {**words, "text": " ".join(texts[2:]).strip("{}\"'")}
    try:
        SHAPES[name](maker, _Numbers(texts, state.frame), (words, tags, sign))
    except (ValueError, IndexError):
        raise _Wrong(f"{name}({inner.strip()[:40]})") from None


def _properties(text: str) -> dict[str, str]:
    found = {}
    for match in _property.finditer(text):
        found[match[1].lower()] = next((g for g in match.groups()[1:] if g is not None), "")
    return found


class _Numbers:
    """The arguments of a shape, as numbers of its frame: pixels from 0, or degrees."""

    def __init__(self, texts: list[str], frame: str) -> None:
        self._texts, self.frame = texts, frame

    def __len__(self) -> int:
        return len(self._texts)

    def point(self, first: int) -> tuple[float, float]:
        x, y = self._texts[first], self._texts[first + 1]
        if self.frame == PIXEL_FRAME:
            return float(x.rstrip("ip")) - 1.0, float(y.rstrip("ip")) - 1.0
        hours = self.frame in ("icrs", "fk5", "fk4")
        return _angle(x, hours=hours), _angle(y, hours=False)

    def points(self) -> np.ndarray:
        count = len(self._texts) // 2
        if count < 1 or len(self._texts) % 2:
            raise ValueError("odd")
        return np.array([self.point(2 * i) for i in range(count)])

    def size(self, index: int) -> float:
        text = self._texts[index]
        factor = _factors.get(text[-1])
        if self.frame == PIXEL_FRAME:
            if factor is not None:
                raise ValueError("an angle")
            value = float(text.rstrip("ip"))
        else:
            if text[-1] in "pi":
                raise ValueError("pixels")
            value = float(text) if factor is None else float(text[:-1]) * factor
        if not value >= 0:
            raise ValueError("negative")
        return value

    def sizes(self, first: int, last: int) -> list[float]:
        return [self.size(i) for i in range(first, last)]

    def count(self, index: int) -> int:
        return int(float(self._texts[index]))

    def angle(self, index: int) -> float:
        return float(self._texts[index].rstrip("d")) if index < len(self._texts) else 0.0


def _angle(text: str, *, hours: bool) -> float:
    """Return degrees of ``12.5``, ``12:30:00``, ``12h30m00s``, ``12d30m00s``."""
    try:
        return float(text)
    except ValueError:
        pass
    sexagesimal = re.fullmatch(r"([+-]?)(\d+)[:hd](\d+)[:m]([\d.]+)s?", text)
    if not sexagesimal:
        return float(text[:-1]) * _factors[text[-1]] if text[-1] in "dr" else float(text)
    sign, *parts = sexagesimal.groups()
    value = sum(float(p) / 60**i for i, p in enumerate(parts))
    in_hours = "h" in text or (hours and ":" in text)
    return (-value if sign == "-" else value) * (15 if in_hours else 1)


def _circle(maker: Maker, given: _Numbers, words: Words) -> None:
    maker.curve("Circle", given.frame, given.point(0), [given.size(2)], None, words)


def _annulus(maker: Maker, given: _Numbers, words: Words) -> None:
    radii = given.sizes(2, len(given))
    if len(radii) < 2:
        raise ValueError("one radius")
    for inner, outer in itertools.pairwise(radii):
        maker.curve("CircleAnnulus", given.frame, given.point(0), [inner, outer], None, words)


def _two_axes(kind: str, factor: float) -> Callable[[Maker, _Numbers, Words], None]:
    def take(maker: Maker, given: _Numbers, words: Words) -> None:
        with_angle = len(given) % 2
        angle = given.angle(len(given) - 1) if with_angle else 0.0
        sizes = [factor * s for s in given.sizes(2, len(given) - with_angle)]
        pairs = list(zip(sizes[::2], sizes[1::2], strict=True))
        if not pairs:
            raise ValueError("no sizes")
        if len(pairs) == 1:
            maker.curve(kind, given.frame, given.point(0), list(pairs[0]), angle, words)
        for (w0, h0), (w1, h1) in itertools.pairwise(pairs):
            maker.curve(f"{kind}Annulus", given.frame, given.point(0), [w0, w1, h0, h1], angle, words)

    return take


def _path(kind: str, least: int) -> Callable[[Maker, _Numbers, Words], None]:
    def take(maker: Maker, given: _Numbers, words: Words) -> None:
        points = given.points()
        if len(points) < least:
            raise ValueError("few points")
        maker.path(kind, given.frame, points, words)

    return take


def _line(kind: str) -> Callable[[Maker, _Numbers, Words], None]:
    def take(maker: Maker, given: _Numbers, words: Words) -> None:
        maker.path("Line", given.frame, np.array([given.point(0), given.point(2)]), _special(words, kind))

    return take


def _special(words: Words, kind: str) -> Words:
    return ({**words[0], "type": kind}, *words[1:])


def _arrow(kind: str) -> Callable[[Maker, _Numbers, Words], None]:
    """Take a vector (a place, a length, an angle), or a compass, whose first arm leads to the north."""

    def take(maker: Maker, given: _Numbers, words: Words) -> None:
        start, length = given.point(0), given.size(2)
        angle = given.angle(3) if kind == "vector" else 90.0
        end = offset_points(given.frame, start, np.array([[length, 0.0]]), angle)
        maker.path("Line", given.frame, np.concatenate([[start], end]), _special(words, kind))

    return take


def _segment(maker: Maker, given: _Numbers, words: Words) -> None:
    points = given.points()
    if len(points) < 2:
        raise ValueError("few points")
    maker.path("Polygon", given.frame, points, _special(words, "path"))


def _panda(maker: Maker, given: _Numbers, words: Words) -> None:
    low, high = given.size(5), given.size(6)
    _sectors(maker, given, words, ((low, low), (high, high)), given.count(7))


def _wide_panda(half: float, *, box: bool) -> Callable[[Maker, _Numbers, Words], None]:
    def take(maker: Maker, given: _Numbers, words: Words) -> None:
        a, b, c, d = (half * size for size in given.sizes(5, 9))
        _sectors(maker, given, words, ((a, b), (c, d)), given.count(9), turn=given.angle(10), box=box)

    return take


def _sectors(maker: Maker, given: _Numbers, words: Words, edges: tuple, rings: int, **how: Any) -> None:
    """Take the sectors of rings as polygons of one group."""
    angles = given.angle(2), given.angle(3), given.count(4)
    tags = words[1] or [f"sectors {len(maker.sketches) + 1}"]
    for corners in sectors(given.frame, given.point(0), angles, *edges, rings, **how):
        maker.path("Polygon", given.frame, corners, (words[0], tags, words[2]))


SHAPES: dict[str, Callable[[Maker, _Numbers, Words], None]] = {
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
    "epanda": _wide_panda(1.0, box=False),
    "bpanda": _wide_panda(0.5, box=True),
    "point": lambda maker, given, words: maker.path("Point", given.frame, np.array([given.point(0)]), words),
    "text": lambda maker, given, words: maker.path("Text", given.frame, np.array([given.point(0)]), words),
}

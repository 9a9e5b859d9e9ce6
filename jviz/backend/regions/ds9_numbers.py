"""The numbers of shapes in region files of DS9: positions, sizes with and without units, angles."""

from __future__ import annotations

import re

import numpy as np

from jviz.backend.regions.making import PIXEL_FRAME

__all__ = ["Numbers"]

MOST_RINGS = 1000

_factors = {'"': 1 / 3600, "'": 1 / 60, "d": 1.0, "r": 180 / np.pi, "p": None, "i": None}


class Numbers:
    """The arguments of a shape, as numbers of its frame: pixels from 0, or degrees."""

    def __init__(self, texts: list[str], frame: str, *, alternate: bool = False) -> None:
        # celestial positions imply the sky; their sizes must then have units
        sexagesimal = bool(texts) and bool(re.match(r"[+-]?[\d.]+[:hd]", texts[0]))
        self.implied = frame == PIXEL_FRAME and sexagesimal and not alternate
        self._alternate = alternate
        rings = [text[2:] for text in texts if text.startswith("n=")]
        self.rings = int(rings[0]) if rings and rings[0].isdigit() else 1
        self._texts = [text for text in texts if not text.startswith("n=")]
        self.frame = "icrs" if self.implied else frame
        self.kinds: set[str] = set()

    @property
    def foreign(self) -> str:
        """What the sizes wait for that are not of the kind of the positions: "sky sizes", "pixel sizes", or ""."""
        return next((kind for kind in self.kinds if kind), "")

    def __len__(self) -> int:
        return len(self._texts)

    def point(self, first: int) -> tuple[float, float]:
        x, y = self._texts[first], self._texts[first + 1]
        if self._alternate:  # degrees, or whatever the image will say
            return _angle(x, hours=True) - 1.0, _angle(y, hours=False) - 1.0
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
        text = self._texts[index].replace("''", '"')
        factor, kind = _factors.get(text[-1]), ""
        if self.implied and factor is None:
            raise ValueError("no unit")
        if self.frame == PIXEL_FRAME and factor is not None:
            value, kind = float(text[:-1]) * factor * 3600.0, "sky sizes"  # one pixel stands for an arcsecond
        elif self.frame == PIXEL_FRAME or text[-1] in "pi":
            value, kind = float(text.rstrip("ip")), ""
            if self.frame != PIXEL_FRAME:
                value, kind = value / 3600.0, "pixel sizes"  # one arcsecond stands for a pixel
        else:
            value = float(text) if factor is None else float(text[:-1]) * factor
        self.kinds |= {kind} if value else set()
        if not value >= 0:
            raise ValueError("negative")
        return value

    def sizes(self, first: int, last: int) -> list[float]:
        return [self.size(i) for i in range(first, last)]

    def evenly(self, *sizes: list[float]) -> list[list[float]]:
        """Return sizes of the edges of rings: those given, or as many as ``n=`` says between two."""
        if self.rings == 1:
            return list(sizes)
        if not 0 < self.rings <= MOST_RINGS or any(len(some) != 2 for some in sizes):
            raise ValueError("rings between other than two sizes")
        return [np.linspace(*some, self.rings + 1).tolist() for some in sizes]

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
    sexagesimal = re.fullmatch(r"([+-]?)(\d+)[:hd](\d+)(?:[:m]([\d.]+)s?|m?)", text)
    if not sexagesimal:
        return float(text[:-1]) * _factors[text[-1]] if text[-1] in "dr" else float(text)
    sign, *parts = sexagesimal.groups()
    value = sum(float(p or 0) / 60**i for i, p in enumerate(parts))
    in_hours = "h" in text or (hours and ":" in text)
    return (-value if sign == "-" else value) * (15 if in_hours else 1)

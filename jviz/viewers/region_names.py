"""Where the names of regions stand: below their regions, within the picture, none over another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSizeF

__all__ = ["Named", "names_in_room"]

GAP = 4.0
"""Screen pixels between a region and its name, and between names and the edge."""


@dataclass(frozen=True)
class Named:
    """A region that is to have its name written.

    Parameters
    ----------
    name, group : str
    middle : float
        Across the screen, below which the name stands.
    top, bottom : float
        Of the region on the screen.
    """

    name: str
    group: str
    middle: float
    top: float
    bottom: float

    @property
    def short(self) -> str:
        """What tells it from the other members of its group, whose name comes before: "12" of "above 200 12"."""
        rest = self.name.removeprefix(self.group).strip() if self.group else ""
        return rest or self.name


def names_in_room(
    regions: Sequence[Named], width: Callable[[str], float], height: float, view: QSizeF
) -> list[tuple[int, str, QRectF]]:
    """Return which names are written where: the number of the region, the text, and its place.

    Parameters
    ----------
    regions : sequence of Named
        What comes first has its place first.
    width : callable
        Of a text, in screen pixels.
    height : float
        Of a line of text.
    view : QSizeF
        Size of the picture on the screen.

    Notes
    -----
    Where names of a group would lie over others, all of the group are written short; what finds no room even so is
    left out until the picture is larger.
    """
    _, crowded = _laid(regions, set(), width, height, view)
    groups = {regions[k].group for k in crowded} - {""}
    found, _ = _laid(regions, groups, width, height, view)
    return found


def _laid(
    regions: Sequence[Named], groups: set[str], width: Callable[[str], float], height: float, view: QSizeF
) -> tuple[list[tuple[int, str, QRectF]], set[int]]:
    """Lay names out, short ones in some groups; return those that found room, and which got into each other's way."""
    found: list[tuple[int, str, QRectF]] = []
    crowded: set[int] = set()
    for k, region in enumerate(regions):
        text = region.short if region.group in groups else region.name
        place = _place(region, width(text), height, view)
        others = [number for number, _, taken in found if taken.intersects(place)]
        if others:
            crowded |= {k, *others}
        else:
            found.append((k, text, place))
    return found, crowded


def _place(region: Named, width: float, height: float, view: QSizeF) -> QRectF:
    left = region.middle - width / 2
    if 0 <= region.middle <= view.width():  # what leaves the picture takes its name along
        left = max(GAP, min(left, view.width() - width - GAP))
    top = region.bottom + GAP
    if top + height > view.height() and region.top - GAP - height >= 0:
        top = region.top - GAP - height
    return QRectF(left, top, width, height)

"""Named selections of a session: a region (pixel, sky or spectral) or a boolean mask, and how it is drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from jviz.backend.regions.kinds import kind_of, text_of
from jviz.backend.regions.making import Sketch
from jviz.errors import CommandError

__all__ = ["PALETTE", "Subset", "next_color"]

PALETTE = ("#4cc9f0", "#f9c74f", "#f94144", "#90be6d", "#f8961e", "#c77dff", "#ff85a1", "#43aa8b")
"""Colours given to new subsets in turn: told apart on dark and bright pictures, also by colour-blind people."""

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class _Region:
    """The region of a subset; a sketch becomes an object of ``regions`` when it is first asked for."""

    def __get__(self, subset: Any, owner: type | None = None) -> Any:
        if subset is None:
            raise AttributeError("region")
        found = subset.__dict__["region"]
        if isinstance(found, Sketch):
            found = subset.__dict__["region"] = found.made()
        return found

    def __set__(self, subset: Any, region: Any) -> None:
        subset.__dict__["region"] = region


@dataclass(frozen=True, eq=False)
class Subset:
    """A named selection; never changed, only replaced by another one of the same name.

    Attributes
    ----------
    name : str
    region : regions.Region, SpectralRanges, specutils.SpectralRegion or ndarray of bool
        A mask has the shape of the first plane of ``data``, or one value for each row of a catalogue.
    data : Data or None
        Whose pixels a pixel region or mask counts; None for regions on the sky.
    color : str
        ``"#rrggbb"``.
    visible, locked : bool
        Whether it is drawn; whether mouse and keys leave it as it is.
    group : str
        Regions of one group are shown, hidden and selected together; empty: of none.
    """

    name: str
    region: Any = _Region()  # type: ignore[assignment]
    data: Any = None
    color: str = PALETTE[0]
    visible: bool = True
    locked: bool = False
    group: str = ""

    def __post_init__(self) -> None:
        if not _COLOR.fullmatch(self.color):
            raise CommandError(f"{self.color!r} is no colour for {self.name}; write one as '#4cc9f0'.")

    @cached_property
    def kind(self) -> str:
        """What it selects by: "pixel" or "sky" (a region), "spectral" or "mask"."""
        if isinstance(self.source, Sketch):
            return self.source.space
        bases = {base.__name__ for base in type(self.source).__mro__}  # nothing is imported for a look
        kinds = {"SkyRegion": "sky", "PixelRegion": "pixel", "SpectralRegion": "spectral", "SpectralRanges": "spectral"}
        return next((kind for name, kind in kinds.items() if name in bases), "mask")

    @property
    def source(self) -> Any:
        """The region, or the sketch of it as long as nobody asked for more: all that drawing needs."""
        return self.__dict__["region"]

    @cached_property
    def on_images(self) -> bool:
        """Whether it is a region of images or a mask of one, and no spectral range and no rows of a catalogue."""
        return self.kind in ("pixel", "sky") or (self.kind == "mask" and getattr(self.source, "ndim", 0) >= 2)

    @cached_property
    def shape(self) -> str:
        """The kind of its shape ("circle", "path" …): "combined" for compound regions, "mask", or "spectral"."""
        if self.kind in ("mask", "spectral"):
            return self.kind
        return kind_of(self.source) or ("combined" if hasattr(self.source, "region1") else "other")

    @property
    def text(self) -> str:
        """What a region that is a text says."""
        return text_of(self.source)

    def but(self, **values: Any) -> Subset:
        """Return the same with other values."""
        return replace(self, **{"region": self.source, **values})


def next_color(subsets: Mapping[str, Subset]) -> str:
    """Return the colour of the palette that is used least so far."""
    used = [subset.color for subset in subsets.values()]
    return min(PALETTE, key=used.count)

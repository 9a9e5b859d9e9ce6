"""Named selections of a session: a region (pixel, sky or spectral) or a boolean mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Subset"]


@dataclass(frozen=True, eq=False)
class Subset:
    """A named selection.

    Attributes
    ----------
    name : str
    region : regions.Region, specutils.SpectralRegion or ndarray of bool
    data : Data or None
        Whose pixels a pixel region or mask counts; None for regions on the sky.
    """

    name: str
    region: Any
    data: Any = None

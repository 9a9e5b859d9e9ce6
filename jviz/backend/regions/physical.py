"""Coordinates along the axes of an image that region files count by: physical pixels, and linear ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Physical", "linear_of", "physical_of"]


@dataclass(frozen=True)
class Physical:
    """How pixels of an image follow from physical ones, both counted from 1: ``factor * physical + shift``."""

    factor: tuple[float, float]
    shift: tuple[float, float]

    space = "Pixel"

    def position(self, position: Any) -> Any:
        """Return a position in pixels of the image, counted from 0."""
        from regions import PixCoord

        (a, b), (u, v) = self.factor, self.shift
        return PixCoord(a * (position.x + 1.0) + u - 1.0, b * (position.y + 1.0) + v - 1.0)

    def matrix(self, position: Any) -> np.ndarray:
        """Return the map of small steps from physical pixels to those of the image."""
        return np.diag(self.factor)

    def size(self, value: float) -> float:
        """Return a size that the matrix was applied to."""
        return value


def physical_of(header: Mapping[str, Any]) -> Physical | None:
    """Return the physical pixels of an image by its header; None where they are its own pixels.

    Notes
    -----
    The keywords LTMi_i and LTVi of IRAF, or the WCS "P" that Chandra's files name PHYSICAL, as DS9 reads them.
    """
    if any(f"LTV{i}" in header or f"LTM{i}_{i}" in header for i in (1, 2)):
        factor = tuple(_number(header, f"LTM{i}_{i}", 1.0) for i in (1, 2))
        shift = tuple(_number(header, f"LTV{i}", 0.0) for i in (1, 2))
    elif all(str(header.get(f"WCSTY{i}P", "")).strip() == "PHYSICAL" for i in (1, 2)):
        factor = tuple(1.0 / (_number(header, f"CDELT{i}P", 1.0) or 1.0) for i in (1, 2))
        shift = tuple(
            _number(header, f"CRPIX{i}P", 0.0) - f * _number(header, f"CRVAL{i}P", 0.0)
            for i, f in zip((1, 2), factor, strict=True)
        )
    else:
        return None
    return None if factor == (1.0, 1.0) and shift == (0.0, 0.0) else Physical(factor, shift)


def linear_of(header: Mapping[str, Any]) -> Physical | None:
    """Return the linear world coordinates of an image that is not of the sky; None where it has none.

    Notes
    -----
    Along the axes of the pixels alone, by CRPIX, CRVAL and CDELT or the diagonal of CD (Greisen & Calabretta 2002).
    """
    if any("--" in str(header.get(f"CTYPE{i}", "")) for i in (1, 2)) or "CRVAL1" not in header:
        return None
    if any(_number(header, f"{kind}{i}_{3 - i}", 0.0) for kind in ("CD", "PC") for i in (1, 2)):
        return None
    steps = [_number(header, f"CD{i}_{i}", _number(header, f"CDELT{i}", 1.0) * _number(header, f"PC{i}_{i}", 1.0))
             for i in (1, 2)]  # fmt: skip
    if not all(steps):
        return None
    factor = (1 / steps[0], 1 / steps[1])
    shift = tuple(_number(header, f"CRPIX{i}", 0.0) - f * _number(header, f"CRVAL{i}", 0.0)
                  for i, f in zip((1, 2), factor, strict=True))  # fmt: skip
    return Physical(factor, shift)


def _number(header: Mapping[str, Any], key: str, usual: float) -> float:
    try:
        value = float(header.get(key, usual))
    except (TypeError, ValueError):
        return usual
    return value if np.isfinite(value) else usual

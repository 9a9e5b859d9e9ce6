"""An image in memory with its errors, flags, unit and WCS: what the operations of this package take and give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["Extra", "Picture"]


@dataclass(frozen=True)
class Extra:
    """A plane beside an image, of its shape.

    Attributes
    ----------
    meaning : str
        As `jviz.backend.io.product.Plane` has it.
    """

    name: str
    meaning: str
    unit: str
    values: np.ndarray


@dataclass(frozen=True)
class Picture:
    """A two-dimensional image.

    Attributes
    ----------
    values : ndarray
        (ny, nx), of a floating type; NaN where nothing is known.
    error : ndarray or None
        Standard deviations in the unit of the values.
    dq : ndarray or None
        Flags as integers.
    unit : str
        As the file says.
    wcs : WCS, gwcs.WCS or None
        Of two pixel axes.
    others : tuple of Extra
        Further planes of the same shape (variances, weights, wavelengths), which only operations that move pixels
        take along.
    """

    values: np.ndarray
    error: np.ndarray | None = None
    dq: np.ndarray | None = None
    unit: str = ""
    wcs: Any = None
    others: tuple[Extra, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)"""
        return self.values.shape[0], self.values.shape[1]

    def but(self, **changes: Any) -> Picture:
        """Return a copy with these attributes."""
        return replace(self, **changes)

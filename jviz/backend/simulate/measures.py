"""One comparison of a product with its truth, and what all of them need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["OUTLIER", "Check", "middle"]

OUTLIER = 5.0


@dataclass(frozen=True)
class Check:
    """One comparison: what was measured, with its statistical uncertainty, and what a perfect product would give."""

    quantity: str
    value: float
    uncertainty: float
    unit: str
    expected: float
    note: str


def middle(values: np.ndarray) -> tuple[float, float]:
    """Return the median and its error."""
    values = np.asarray(values, float)
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    return float(np.median(values)), float(1.2533 * spread / np.sqrt(values.size))

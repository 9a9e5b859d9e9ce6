"""Medians that leave out NaN without a warning: all threads share the filters of warnings, and jobs run in several."""

from __future__ import annotations

import numpy as np

__all__ = ["nan_median"]


def nan_median(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return medians along an axis, NaN where there is no number."""
    ordered = np.sort(values, axis=axis)  # NaN comes last
    count = np.sum(~np.isnan(values), axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0), axis)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis)
    middle = np.where(count > 0, (low + high) / 2, np.nan)
    return np.squeeze(middle, axis=axis)

"""Ramps: reads of a detector one after the other, without a reset between them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane
from jviz.picture_data import WithPicture

__all__ = ["DIFFERENCE", "Ramp"]

DIFFERENCE = "DIFFERENCE"
"""Name of the plane that has of each group what came since the one before."""


class Ramp(WithPicture):
    """Up-the-ramp samples (integrations, groups, y, x) or integrations (integrations, y, x).

    Ramps have a further plane, ``"DIFFERENCE"``: each group less the one before, NaN in the first. It is worked out
    as it is looked at.
    """

    kind = "ramp"

    @property
    def planes(self) -> dict[str, Plane]:
        """The arrays by name; the first is the one to look at, differences of groups are the last."""
        planes = self.product.planes
        return {**planes, DIFFERENCE: self._difference} if self.has_groups and DIFFERENCE not in planes else planes

    @property
    def has_groups(self) -> bool:
        """Whether there are two groups or more."""
        return len(self.shape) == 4 and self.shape[1] > 1

    @cached_property
    def _difference(self) -> Plane:
        plane = next(iter(self.product.planes.values()))
        steps = Differences(plane)
        identity = plane.identity and replace(plane.identity, part=f"{plane.identity.part} difference")
        return replace(
            plane, name=DIFFERENCE, dtype=steps.dtype, load=lambda progress: steps, scale=1.0, zero=0.0, blank=None,
            identity=identity, _raw=None,
        )  # fmt: skip


class Differences:
    """An array whose values are worked out where they are read: each group less the one before.

    Indices of whole numbers alone choose a part that still reads nothing.

    Parameters
    ----------
    plane : Plane
        Of shape (integrations, groups, y, x).
    place : tuple of int
        Integration, and group, of the part.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, plane: Plane, place: tuple[int, ...] = ()) -> None:
        self._plane, self._place = plane, place
        self.shape = plane.shape[len(place) :]
        self.ndim = len(self.shape)

    def __getitem__(self, index: Any) -> Any:
        keys = index if isinstance(index, tuple) else (index,)
        if all(isinstance(key, int | np.integer) for key in keys) and len(keys) <= self.ndim - 2:
            return Differences(self._plane, (*self._place, *keys))
        if any(key is Ellipsis for key in keys):
            at = next(n for n, key in enumerate(keys) if key is Ellipsis)
            keys = (*keys[:at], *[slice(None)] * (self.ndim + 1 - len(keys)), *keys[at + 1 :])
        return self._read((*self._place, *keys, *[slice(None)] * (self.ndim - len(keys))))

    def _read(self, index: tuple[Any, ...]) -> np.ndarray:
        integrations, chosen, *area = index
        groups = np.arange(self._plane.shape[1])[chosen]
        later, earlier = (
            self._plane.read((integrations, these, *area)).astype(self.dtype)
            for these in (groups, np.maximum(groups - 1, 0))
        )
        found = later - earlier
        if groups.ndim == 0:
            return found if groups else np.full_like(found, np.nan)
        lead = () if isinstance(integrations, int | np.integer) else (slice(None),)
        found[(*lead, groups == 0)] = np.nan
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[...].astype(dtype or self.dtype, copy=False)

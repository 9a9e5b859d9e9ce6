"""Slabs of cubes that follow spectral subsets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jviz.backend.spectra.ranges import ranges_of
from jviz.errors import CommandError, JvizError

if TYPE_CHECKING:
    from jviz.data import Cube
    from jviz.session import Session
    from jviz.subsets import Subset

__all__ = ["SlabFollower", "range_in"]


def range_in(subset: Subset, cube: Cube) -> tuple[float, float]:
    """Return the range of a spectral subset in the unit of a cube's axis.

    Raises
    ------
    CommandError
        When it is no spectral subset, or its unit cannot be turned into that of the axis.
    """
    if subset.kind != "spectral":
        raise CommandError(f"{subset.name} is no spectral region; a slab needs a range along the spectral axis.")
    ranges, axis = ranges_of(subset.region), cube.axis
    if ranges.unit == axis.unit:
        return ranges.low, ranges.high
    if not ranges.unit:
        channels = range(len(axis))
        ends = [axis.values[min(max(round(k), 0), channels[-1])] for k in (ranges.low, ranges.high)]
        return float(min(ends)), float(max(ends))
    from astropy import units

    from jviz.backend.units import parse_unit

    source, target = parse_unit(ranges.unit), parse_unit(axis.unit)
    try:
        ends = [float((v * source).to_value(target, units.spectral())) for v in (ranges.low, ranges.high)]
    except (units.UnitConversionError, TypeError):
        raise CommandError(
            f"{subset.name} is in {ranges.unit}; {cube.name} counts {axis.unit or 'channels'}, which is something else."
        ) from None
    return min(ends), max(ends)


class SlabFollower:
    """Lets the slabs that came from spectral subsets follow them, also while these are dragged."""

    def __init__(self, session: Session) -> None:
        self._session = session
        session.subsets_changed.connect(self.follow)
        session.views_changed.connect(self.follow)

    def follow(self) -> None:
        """Bring all slabs in line with their subsets; a slab whose subset is gone stays where it was."""
        for view in self._session.views.values():
            for layer in view.layers:
                subset = self._session.subsets.get(getattr(layer, "slab_subset", "") or "")
                if subset is not None and layer.slab is not None:
                    self._move(layer, subset)

    @staticmethod
    def _move(layer: Any, subset: Subset) -> None:
        try:
            low, high = range_in(subset, layer.data)
        except JvizError:
            return  # of another kind now; the slab stays
        layer.live_slab = (low, high)

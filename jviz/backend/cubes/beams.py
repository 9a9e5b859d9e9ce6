"""Synthesised beams of radio cubes: one for all channels, or one for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["COLUMNS", "Beams"]

COLUMNS = {"BMAJ": "arcsec", "BMIN": "arcsec", "BPA": "deg"}
"""Columns of a table of beams, and planes of a cube with a beam for each channel, with their units."""

ALIKE = 1e-4
"""Beams whose solid angles differ by less than this share count as one."""

GAUSSIAN = np.pi / (4 * np.log(2))
"""Area of an elliptical Gaussian over the product of its full widths at half maximum."""

SR_PER_ARCSEC2 = float(np.radians(1 / 3600) ** 2)


@dataclass(frozen=True, eq=False)
class Beams:
    """Elliptical Gaussian beams.

    Attributes
    ----------
    table : ndarray of float64, shape (channels or 1, 3)
        Full widths at half maximum along the major and the minor axis in arcsec, and the position angle of the major
        axis in degrees, from north to east. Channels without a beam (flagged ones have sizes of 0) are NaN.
    """

    table: np.ndarray

    @classmethod
    def of(cls, table: Any) -> Beams | None:
        """Take beams of channels; None when there is not one."""
        made = np.array(table, float).reshape(-1, 3)
        made[~(np.isfinite(made).all(axis=1) & (made[:, :2] > 0).all(axis=1))] = np.nan
        return cls(made) if np.isfinite(made[:, 0]).any() else None

    @classmethod
    def of_header(cls, header: Mapping[str, Any]) -> Beams | None:
        """Take the beam of BMAJ, BMIN and BPA (AIPS Memo 117: degrees); None where they are missing."""
        values = [header.get(name) for name in ("BMAJ", "BMIN")]
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return None
        angle = header.get("BPA")
        known = float(angle) if isinstance(angle, int | float) else 0.0
        return cls.of([[3600 * float(values[0]), 3600 * float(values[1]), known]])  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def solid_angles(self) -> np.ndarray:
        """In sr, of each channel; a channel without a beam has that of its nearest neighbour."""
        found = GAUSSIAN * self.table[:, 0] * self.table[:, 1] * SR_PER_ARCSEC2
        known, numbers = np.flatnonzero(np.isfinite(found)), np.arange(len(found))
        return found[known[np.abs(numbers[:, None] - known).argmin(axis=1)]]

    @property
    def differ(self) -> bool:
        """Whether the unit "per beam" is another one from channel to channel."""
        return bool(np.ptp(self.solid_angles) > ALIKE * self.solid_angles.mean())

    @property
    def reference(self) -> tuple[float, float, float]:
        """The beam of median solid angle, which stands for all of them."""
        known = np.flatnonzero(np.isfinite(self.table[:, 0]))
        areas = self.solid_angles[known]
        chosen = known[np.argsort(areas, kind="stable")[(len(known) - 1) // 2]]
        return tuple(self.table[chosen].tolist())

    @property
    def factors(self) -> np.ndarray:
        """What values per beam of each channel are multiplied by to be per `reference` beam."""
        major, minor, _ = self.reference
        return GAUSSIAN * major * minor * SR_PER_ARCSEC2 / self.solid_angles

    def at(self, channel: int) -> tuple[float, float, float] | None:
        """Return the beam of a channel, None where it has none."""
        row = self.table[min(channel, len(self.table) - 1)] if len(self.table) > 1 else self.table[0]
        return tuple(row.tolist()) if np.isfinite(row).all() else None

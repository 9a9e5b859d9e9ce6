"""Geometry of an integral-field spectrometer of slices: from pixels to places on the sky and wavelengths, and back.

Each slice is a stripe of the detector that leans a little. Along it wavelengths grow with the row; across it lies the
place along the slice. Both are linear in column and row, so that the way back is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.simulate.geometry import DetectorFrame

__all__ = ["CHANNELS", "Channel", "Slice"]

MIDDLE = 511.5
"""Row in the middle of the detector."""

LEAN = 0.005
"""Columns per row by which the outermost slices lean."""

SLANT = 0.02
"""Rows per column by which lines of equal wavelength are slanted."""

STAGGER = 0.15
"""Rows by which each slice sees its wavelengths higher up than the one before."""

ANGLE = -8.3
"""From V3 to the axis across the slices, in degrees."""


@dataclass(frozen=True)
class Slice:
    """One slice.

    Attributes
    ----------
    label : int
        Hundred times the channel plus its number from 1 on.
    beta : float
        Place across the slices, in arcsec.
    column, lean : float
        Column of its middle in the middle row, and by how many columns it leans per row.
    scale : float
        Arcsec per column.
    wave, step : float
        Wavelength in the middle of the slice, and per row, in µm.
    """

    label: int
    beta: float
    column: float
    lean: float
    scale: float
    wave: float
    step: float

    @property
    def alpha(self) -> tuple[float, float, float]:
        """Place along the slice in arcsec: a + b row + c column."""
        return -self.scale * (self.column - self.lean * MIDDLE), -self.scale * self.lean, self.scale

    @property
    def lam(self) -> tuple[float, float, float]:
        """Wavelength in µm: a + b row + c column."""
        return self.wave - self.step * (MIDDLE + SLANT * self.column), self.step, self.step * SLANT

    @property
    def inverse(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Column, and row: a + b wavelength + c place along the slice."""
        matrix = np.linalg.inv(np.array([self.alpha[1:], self.lam[1:]]))  # from (alpha, lam) to (row, column)
        start = -matrix @ np.array([self.alpha[0], self.lam[0]])
        row, column = (tuple(map(float, (start[n], matrix[n, 1], matrix[n, 0]))) for n in (0, 1))
        return column, row


@dataclass(frozen=True)
class Channel:
    """The slices of a channel.

    Attributes
    ----------
    number, count : int
        Of the channel, and of its slices.
    first, pitch : float
        Column of the middle of the first slice, and from one to the next.
    field : float
        Length of the slices on the sky, in arcsec.
    width : float
        Of a slice, in arcsec.
    wave, step : float
        Wavelength in the middle, and per row, in µm.
    shift : tuple of float
        V2 and V3 of its middle, in arcsec.
    turn : float
        By which it is turned against the other channel, in degrees.
    spaxel, plane : float
        Of cubes: arcsec and µm.
    sensitivity : float
        MJy/sr for 1 DN/s.
    """

    number: int
    count: int
    first: float
    pitch: float
    field: float
    width: float
    wave: float
    step: float
    shift: tuple[float, float]
    turn: float
    spaxel: float
    plane: float
    sensitivity: float
    scale: float = 0.196
    band: str = "SHORT"

    @property
    def name(self) -> str:
        """Channel and band, ``"1SHORT"``."""
        return f"{self.number}{self.band}"

    @property
    def zero(self) -> float:
        """Place across the slices of the first one, in arcsec."""
        return -self.width * (self.count - 1) / 2

    @property
    def frame(self) -> DetectorFrame:
        """From places along and across the slices in arcsec to V2 and V3."""
        return DetectorFrame((0.0, 0.0), *self.shift, 1.0, 1.0, ANGLE + self.turn)

    @property
    def waves(self) -> tuple[float, float]:
        """Shortest and longest wavelength on the detector, with a margin, in µm."""
        half = self.step * (MIDDLE + STAGGER * self.count + 8)
        return self.wave - half, self.wave + half

    @property
    def pixel(self) -> float:
        """Solid angle of a pixel in sr."""
        return float(np.radians(self.scale / 3600) * np.radians(self.width / 3600))

    def slices(self) -> Iterator[Slice]:
        """Return the slices, from the first column on."""
        for n in range(self.count):
            part = 2 * n / (self.count - 1) - 1
            wave = self.wave - self.step * STAGGER * (n - self.count / 2)
            yield Slice(100 * self.number + n + 1, self.zero + n * self.width, self.first + n * self.pitch, LEAN * part,
                        self.scale, wave, self.step)  # fmt: skip

    def places(self, x: Any, y: Any) -> Iterator[tuple[Slice, np.ndarray, np.ndarray, np.ndarray]]:
        """Return for each slice which pixels it lights, their places along it in arcsec, and wavelengths in µm.

        Parameters
        ----------
        x, y : ndarray
            Columns and rows, 0-based, that broadcast.
        """
        for one in self.slices():
            alpha, lam = (a + b * y + c * x for a, b, c in (one.alpha, one.lam))
            lit = np.abs(alpha) < self.field / 2
            yield one, lit, alpha[lit], lam[lit]


CHANNELS = (
    Channel(1, 21, first=18.0, pitch=23.6, field=3.2, width=0.176, wave=5.32, step=8.2e-4, shift=(-503.3, -318.9),
            turn=0.0, spaxel=0.13, plane=0.0008, sensitivity=45.0),
    Channel(2, 17, first=532.0, pitch=29.6, field=4.0, width=0.277, wave=8.14, step=1.23e-3, shift=(-503.27, -318.94),
            turn=0.3, spaxel=0.17, plane=0.0013, sensitivity=35.0),
)  # fmt: skip
"""Those of one of two detectors; like channels 1 and 2 of MIRI, and no real ones."""

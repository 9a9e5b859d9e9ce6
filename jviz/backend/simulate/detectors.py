"""Detectors as they are made up: what their families have in common, maps of their pixels, and what light does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jviz.backend.simulate.cosmic_rays import Hits

__all__ = ["DEAD", "DO_NOT_USE", "HOT", "MIRI", "NIRCAM", "REFERENCE_PIXEL", "SIDE", "Detector", "Family",
           "frame_time", "make_detector", "ramp"]  # fmt: skip

SIDE = 2048
"""Pixels of a full near-infrared detector."""

DO_NOT_USE, DEAD, HOT, REFERENCE_PIXEL = 1, 1024, 2048, 2**31


@dataclass(frozen=True)
class Family:
    """What detectors of a kind have in common, in the mean.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of a whole detector.
    edge : (int, int)
        Reference pixels: rows at the lower and upper edge, columns at the left and right one.
    microns : float
        Width of a pixel.
    gain : float
        In electrons per DN.
    read_noise, bias, well : float
        In DN; the well above the bias.
    curvature : float
        ``true = m + curvature m²``.
    dark : float
        In DN/s.
    hot, dead : float
        Shares of such pixels.
    amplifiers : int
        Of a whole detector; a subarray has one.
    interleaved : bool
        Whether amplifiers take every fourth column, and odd and even rows drift apart; else each has a stripe of
        columns, and odd and even columns drift apart.
    has_superbias : bool
        Whether the pipelines take the bias off, before they undo the non-linearity; else its correction is one of the
        raw reads.
    dark_model : str
        Type of the reference files of dark current.
    """

    shape: tuple[int, int]
    edge: tuple[int, int]
    microns: float
    gain: float
    read_noise: float
    bias: float
    curvature: float
    well: float
    dark: float
    hot: float
    dead: float
    amplifiers: int
    interleaved: bool
    has_superbias: bool
    dark_model: str


NIRCAM = Family(
    shape=(SIDE, SIDE), edge=(4, 4), microns=18.0, gain=2.05, read_noise=5.5, bias=12_000, curvature=1.4e-6,
    well=44_000, dark=0.0012, hot=0.003, dead=0.001, amplifiers=4, interleaved=False, has_superbias=True,
    dark_model="DarkModel",
)  # fmt: skip
MIRI = Family(
    shape=(1024, 1032), edge=(0, 4), microns=25.0, gain=5.5, read_noise=2.6, bias=8_000, curvature=1.4e-6,
    well=46_000, dark=0.04, hot=0.002, dead=0.001, amplifiers=4, interleaved=True, has_superbias=False,
    dark_model="DarkMIRIModel",
)  # fmt: skip


@dataclass
class Detector:
    """Maps of a detector, or of a subarray of it that begins at its first pixel; all of one shape.

    Attributes
    ----------
    family : Family
    gain : ndarray
        In electrons per DN.
    read_noise : ndarray
        Of one read, in DN.
    bias : ndarray
        In DN.
    curvature : ndarray
        ``true = m + curvature m²``, for DN above the bias.
    well : ndarray
        Most DN above the bias that a pixel holds.
    dark : ndarray
        In DN/s.
    flat : ndarray
        Efficiency times relative solid angle: what an even sky looks like.
    mask : ndarray of uint32
        Flags of bad and reference pixels.
    """

    family: Family
    gain: np.ndarray
    read_noise: np.ndarray
    bias: np.ndarray
    curvature: np.ndarray
    well: np.ndarray
    dark: np.ndarray
    flat: np.ndarray
    mask: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.gain.shape

    @property
    def amplifiers(self) -> int:
        """How many read it."""
        return self.family.amplifiers if self.shape == self.family.shape else 1

    @property
    def is_reference(self) -> np.ndarray:
        """Where pixels see no light."""
        return (self.mask & REFERENCE_PIXEL) != 0

    @property
    def area(self) -> float:
        """In cm²."""
        return self.gain.size * (self.family.microns * 1e-4) ** 2


def frame_time(side: int) -> float:
    """Return the seconds in which a square subarray is read, 10 µs per pixel (JDox, *NIRCam Detector Readout*)."""
    if side == SIDE:
        return 10.73677
    return (side + 12) * (side + 2) * 1e-5


def make_detector(rng: np.random.Generator, family: Family, shape: tuple[int, int], area: np.ndarray) -> Detector:
    """Make up a detector.

    Parameters
    ----------
    shape : (int, int)
        That of the family for a whole detector; less is a subarray in its first corner.
    area : ndarray
        Relative solid angles of the pixels.
    """

    def scattered(mean: float, relative: float) -> np.ndarray:
        return (mean * (1 + relative * rng.standard_normal(shape))).astype(np.float32)

    x = np.linspace(-1, 1, shape[1], dtype=np.float32)
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    mask = np.zeros(shape, np.uint32)
    efficiency = scattered(1.0, 0.006) * (1 + 0.02 * x - 0.015 * y * y)
    dark = np.abs(scattered(family.dark, 0.4))
    hot, dead = rng.random(shape) < family.hot, rng.random(shape) < family.dead
    dark[hot] = rng.uniform(0.2, 3.0, int(hot.sum()))
    efficiency[dead] = 0.05
    mask[hot] |= HOT
    mask[dead] |= DEAD | DO_NOT_USE
    edge = _edge(family, shape)
    efficiency[edge] = dark[edge] = 0
    mask[edge] = REFERENCE_PIXEL
    bias = family.bias + 150 * np.sin(6 * x) * y + 60 * rng.standard_normal(shape)
    return Detector(
        family, gain=scattered(family.gain, 0.01), read_noise=scattered(family.read_noise, 0.04),
        bias=bias.astype(np.float32), curvature=scattered(family.curvature, 0.05), well=scattered(family.well, 0.02),
        dark=dark.astype(np.float32), flat=(efficiency * area).astype(np.float32), mask=mask,
    )  # fmt: skip


def _edge(family: Family, shape: tuple[int, int]) -> np.ndarray:
    """Say which pixels are reference pixels: at the edges of the detector; a subarray lies in its first corner."""
    rows, columns = family.edge
    edge = np.zeros(shape, bool)
    edge[:rows] = edge[:, :columns] = True
    if shape == family.shape:
        edge[shape[0] - rows :] = edge[:, shape[1] - columns :] = True
    return edge


def ramp(rng: np.random.Generator, detector: Detector, rate: np.ndarray, seconds: float, groups: int,
         hits: Hits | None = None) -> np.ndarray:  # fmt: skip
    """Read a detector out, non-destructively, while light falls on it.

    Electrons of light and dark current come by Poisson's law and cosmic rays at once; the well fills along the curve of
    its non-linearity; each read adds its noise, the charge left by the reset, and the drift of the amplifiers, which
    reference pixels see too.

    Parameters
    ----------
    rate : ndarray
        Light in DN/s as a linear detector would count it.
    seconds : float
        Between two reads; the first comes that long after the reset.

    Returns
    -------
    ndarray of uint16
        (groups, rows, columns), in DN.
    """
    expected = np.where(detector.is_reference, 0, (rate + detector.dark) * detector.gain) * seconds
    electrons = np.zeros(detector.shape)
    left = 6.0 * rng.standard_normal(detector.shape)
    drifts = _drifts(rng, detector, groups)
    reads = np.empty((groups, *detector.shape), np.uint16)
    for group in range(groups):
        electrons += rng.poisson(expected)
        if hits is not None:
            hits.add(electrons, group, detector.is_reference)
        true = electrons / detector.gain
        counts = np.minimum(_bent(true, detector.curvature), detector.well)
        noise = detector.read_noise * rng.standard_normal(detector.shape, dtype=np.float32)
        read = detector.bias + left + counts + _spread(detector, drifts[group]) + noise
        reads[group] = np.clip(np.rint(read), 0, 65_535)
    return reads


def _bent(true: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Return the m of ``true = m + curvature m²``."""
    return 2 * true / (1 + np.sqrt(1 + 4 * curvature * true))


def _drifts(rng: np.random.Generator, detector: Detector, groups: int) -> np.ndarray:
    """Return the offsets (groups, amplifiers, 2) of odd and even columns, or rows, of the amplifiers, in DN."""
    walk = np.cumsum(4.0 * rng.standard_normal((groups, detector.amplifiers, 1)), axis=0)
    return walk + 5.0 * rng.standard_normal((groups, detector.amplifiers, 2))


def _spread(detector: Detector, drift: np.ndarray) -> np.ndarray:
    """Return the offsets of one read on the pixels, (rows or 1, columns)."""
    rows, columns = detector.shape
    if detector.family.interleaved:
        return np.tile(drift.T, (rows // 2, columns // detector.amplifiers))
    return np.tile(drift, (1, columns // detector.amplifiers // 2)).reshape(1, columns)

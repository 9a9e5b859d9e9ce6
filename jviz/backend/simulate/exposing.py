"""Exposures: the telescope points, light falls on a detector, and it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.backend.simulate.cache_writer import Reference
from jviz.backend.simulate.cosmic_rays import Hits, draw_hits, joined
from jviz.backend.simulate.detectors import Detector, ramp
from jviz.backend.simulate.geometry import DetectorFrame, Pointing
from jviz.backend.simulate.plans import Plan

__all__ = ["CENTRE", "ROLL", "Exposure", "Field"]

CENTRE = (80.4872, -69.4981)
"""Right ascension and declination of the middle of all fields, in degrees."""

ROLL = 37.0


@dataclass
class Exposure:
    """One exposure and its truth.

    Attributes
    ----------
    number : int
        From 1 on.
    reads : ndarray of uint16
        (integrations, groups, rows, columns).
    sky : ndarray
        Brightness that the pixels see, in MJy/sr, without noise, in the mean of the integrations.
    rate : ndarray
        That light in DN/s, as a linear detector without noise would count it.
    curve : ndarray
        Light of the target in each integration, relative to that out of transit.
    hits : Hits
    said, true : Pointing
        Where the header says that the telescope looks, and where it does.
    """

    number: int
    reads: np.ndarray
    sky: np.ndarray
    rate: np.ndarray
    curve: np.ndarray
    hits: Hits
    said: Pointing
    true: Pointing


@dataclass
class Field(ABC):
    """What is on the sky, and the instrument that exposures of it are taken with."""

    plan: Plan
    detector: Detector

    frame: DetectorFrame
    """From pixels, or from places in the field of view in arcsec, to the telescope's V2 and V3."""

    middle: tuple[float, float]
    """Column and row that look where the telescope points, 0-based."""

    @abstractmethod
    def dithered(self, number: int) -> Pointing:
        """Return where the telescope is told to look in an exposure, counted from 1."""

    @abstractmethod
    def skies(self, pointing: Pointing) -> Iterable[np.ndarray]:
        """Return what the pixels see in each integration, in MJy/sr, without noise."""

    @abstractmethod
    def rate(self, sky: np.ndarray) -> np.ndarray:
        """Return what is counted in DN/s of a brightness in MJy/sr, without noise."""

    @abstractmethod
    def keywords(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return what the primary header says of the instrument."""

    @abstractmethod
    def references(self) -> list[Reference]:
        """Return the reference files that calibrate the exposures; nothing is written yet."""

    @abstractmethod
    def write_truth(self, folder: Path) -> None:
        """Write what is on the sky: ``sources_truth.ecsv``, and more where there is more to say."""

    @property
    def curve(self) -> np.ndarray:
        """Light of the target in each integration, relative to that of most of them."""
        return np.ones(self.plan.integrations)

    def offset(self, pointing: Pointing) -> tuple[float, float]:
        """Return where the middle of the field lies in the ideal coordinates of the aperture, in arcsec."""
        v2, v3 = pointing.from_sky(*CENTRE)
        ideal = DetectorFrame((0.0, 0.0), pointing.v2, pointing.v3, 1.0, 1.0, self.frame.angle,
                              parity=self.frame.parity)  # fmt: skip
        x, y = ideal.from_telescope(v2, v3)
        return float(x), float(y)

    def exposures(self, progress: Progress = silent) -> Iterator[Exposure]:
        """Take the exposures, each with random numbers of its own."""
        for number in range(1, self.plan.dithers + 1):
            progress(number - 1, self.plan.dithers, f"Exposure {number} of {self.plan.dithers}")
            yield self.exposure(number)

    def exposure(self, number: int) -> Exposure:
        """Take one exposure."""
        plan, detector = self.plan, self.detector
        rng = np.random.default_rng([plan.seed, 10, number])
        said = self.dithered(number)
        error = plan.pointing_error / 1000 * rng.standard_normal(2)
        true = said if number == 1 else said.moved(*error)
        several, reads = [], np.empty((plan.integrations, plan.groups, *detector.shape), np.uint16)
        mean = np.zeros(detector.shape)
        for integration, sky in enumerate(self.skies(true)):
            hits = draw_hits(rng, plan.cosmic_rays, detector.area, plan.seconds, plan.groups, detector.shape)
            reads[integration] = ramp(rng, detector, self.rate(sky), plan.seconds, plan.groups, hits)
            several.append(hits.without(detector.is_reference))
            mean += sky / plan.integrations
        return Exposure(number, reads, mean.astype(np.float32), self.rate(mean), self.curve, joined(several), said,
                        true)  # fmt: skip

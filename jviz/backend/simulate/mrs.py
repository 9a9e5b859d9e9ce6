"""Exposures of an integral-field spectrometer like MIRI's: two channels of slices side by side on a detector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.simulate.cache_writer import Reference
from jviz.backend.simulate.detectors import MIRI, make_detector
from jviz.backend.simulate.exposing import CENTRE, ROLL, Exposure, Field
from jviz.backend.simulate.geometry import Pointing
from jviz.backend.simulate.plans import Plan
from jviz.backend.simulate.scenes import Scene, make_scene
from jviz.backend.simulate.slicer import CHANNELS, Channel, Slice
from jviz.backend.simulate.spots import Spot

__all__ = ["INSTRUMENT", "RESOLVING", "SPOT", "Slices", "make_mrs"]

INSTRUMENT = {"INSTRUME": "MIRI", "DETECTOR": "MIRIFUSHORT", "CHANNEL": "12", "BAND": "SHORT"}
SPOT = Spot()
RESOLVING = 3300.0

PATTERN = ((-0.343, 0.484), (0.343, -0.484), (0.292, -0.44), (-0.294, 0.528), (0.049, 0.044), (0.392, 0.22),
           (-0.098, -0.132), (-0.392, 0.132), (0.147, -0.308))  # fmt: skip
"""Where the target lies along and across the slices in arcsec: at other fractions of pixels and slices each time."""

FLUX = 0.12
"""Of the source, in Jy at `PIVOT`."""

PIVOT = 6.5
LINE_WIDTH = 230.0
FRINGES = 0.08
"""Half their height."""

PLATE = 2800.0
"""Optical path in µm that light of fringes goes through; they are so many pixels apart as in a real detector."""


@dataclass
class Slices(Field):
    """A source, and an integral-field spectrometer that looks at it."""

    scene: Scene

    def dithered(self, number: int) -> Pointing:
        """Return the pointing that brings the target to its place of the pattern."""
        v2, v3 = self.frame.to_telescope(*PATTERN[number - 1])
        here = Pointing(*CENTRE, ROLL, float(v2), float(v3))
        ra, dec = here.to_sky(*CHANNELS[0].shift)
        return Pointing(float(ra), float(dec), ROLL, *CHANNELS[0].shift)

    def skies(self, pointing: Pointing) -> Iterator[np.ndarray]:
        """Return what the pixels see, in MJy/sr; nothing between the slices."""
        v2, v3 = pointing.from_sky(self.scene.ra, self.scene.dec)
        sky = np.zeros(self.detector.shape)
        for channel, one, lit, alpha, wave in self._places():
            along, across = channel.frame.from_telescope(v2, v3)
            share = SPOT.in_box(alpha - along, one.beta - across, channel.scale, channel.width, wave)
            source = self.scene.source(wave, channel.step, RESOLVING) * share / channel.pixel / 1e6
            sky[lit] = self.scene.sky(wave) + source
        yield sky

    def rate(self, sky: np.ndarray) -> np.ndarray:
        """Return what is counted in DN/s, without noise; where no slice is, nothing."""
        return np.where(self.is_lit, sky * self.detector.flat * self.fringes / self.sensitivity, 0).astype(np.float32)

    @cached_property
    def is_lit(self) -> np.ndarray:
        """Which pixels slices lie on, and are no reference pixels."""
        return (self.labels > 0) & ~self.detector.is_reference

    @cached_property
    def labels(self) -> np.ndarray:
        """Labels of the slices on the pixels, 0 between them."""
        found = np.zeros(self.detector.shape, np.uint16)
        for _, one, lit, *_ in self._places():
            found[lit] = one.label
        return found

    @cached_property
    def fringes(self) -> np.ndarray:
        """What interference in the detector multiplies the light by; 1 between the slices."""
        return self._painted(1.0, lambda channel, wave: 1 + FRINGES * np.cos(2 * np.pi * PLATE / wave))

    @cached_property
    def sensitivity(self) -> np.ndarray:
        """MJy/sr for 1 DN/s; NaN between the slices."""

        def one(channel: Channel, wave: np.ndarray) -> np.ndarray:
            part = (wave - channel.wave) / (1024 * channel.step)
            return channel.sensitivity * (1 + 0.15 * part + 0.6 * part**2)

        return self._painted(np.nan, one)

    def _painted(self, outside: float, inside: Any) -> np.ndarray:
        """Return a map of what depends on channel and wavelength."""
        found = np.full(self.detector.shape, outside)
        for channel, _, lit, _, wave in self._places():
            found[lit] = inside(channel, wave)
        return found

    def _places(self) -> Iterator[tuple[Channel, Slice, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield for each slice its channel, itself, and the pixels that it lights, as `Channel.places` does."""
        x, y = np.arange(self.detector.shape[1]), np.arange(self.detector.shape[0])[:, None]
        for channel in CHANNELS:
            for one, *places in channel.places(x, y):
                yield channel, one, *places

    def keywords(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return what the primary header says of the instrument."""
        return {
            "EXP_TYPE": "MIR_MRS", "TSOVISIT": False, "VISITYPE": "PRIME_TARGETED_FIXED", **INSTRUMENT,
            "READPATT": "FASTR1", "NOUTPUTS": 4, "FASTAXIS": 1, "SLOWAXIS": 2, "APERNAME": "MIRIFU_CHANNEL1A",
            "PPS_APER": "MIRIFU_CHANNEL1A", "TARG_RA": self.scene.ra, "TARG_DEC": self.scene.dec, "SRCTYAPT": "POINT",
            "PATTTYPE": "4-POINT", "DITHOPFR": "POINT-SOURCE",
        }  # fmt: skip

    def references(self) -> list[Reference]:
        """Return the reference files that calibrate the exposures."""
        from jviz.backend.simulate.mrs_references import mrs_references

        return mrs_references(self)

    def write_truth(self, folder: Path) -> None:
        """Write the source, its lines and its spectrum."""
        wave = np.concatenate([np.arange(*channel.waves, channel.step / 2) for channel in CHANNELS])
        self.scene.write(folder, wave, RESOLVING, self.plan.seed)


def make_mrs(plan: Plan) -> Slices:
    """Make up the detector and what is on the sky; the same seed gives the same."""
    detector = make_detector(np.random.default_rng([plan.seed, 1]), MIRI, plan.shape, np.ones(plan.shape))
    waves = CHANNELS[0].waves[0] + 0.03, CHANNELS[1].waves[1] - 0.04
    scene = make_scene(np.random.default_rng([plan.seed, 3]), CENTRE, FLUX, PIVOT, plan.sky, waves, LINE_WIDTH,
                       RESOLVING)  # fmt: skip
    return Slices(plan, detector, CHANNELS[0].frame, ((plan.shape[1] - 1) / 2, (plan.shape[0] - 1) / 2), scene)

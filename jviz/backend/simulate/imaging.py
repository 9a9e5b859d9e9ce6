"""Exposures of an imager like NIRCam."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.demo.psf import Psf
from jviz.backend.simulate.cache_writer import Reference
from jviz.backend.simulate.detectors import NIRCAM, SIDE, make_detector
from jviz.backend.simulate.exposing import CENTRE, ROLL, Exposure, Field
from jviz.backend.simulate.geometry import DetectorFrame, Pointing
from jviz.backend.simulate.plans import FILTERS, Plan
from jviz.backend.simulate.sky import Sources, centred_psf, draw_sources, painted

__all__ = ["FRAME", "INSTRUMENT", "Image", "light_curve", "make_image"]

INSTRUMENT = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "MODULE": "A", "CHANNEL": "SHORT"}

FRAME = DetectorFrame(
    middle=((SIDE - 1) / 2, (SIDE - 1) / 2), v2=120.0, v3=-527.0, scale_x=0.0309, scale_y=0.0311, angle=-0.6,
    stretch_x=1.6e-6, stretch_y=-1.2e-6, shear=0.9e-6,
)  # fmt: skip
"""Of the detector; like one of NIRCam's short channel, and no real one."""

TARGET = 15.3
"""AB magnitude of the star of a time series."""

ALONE = 1.2
"""Distance in arcsec that others keep from it."""

DITHER = 0.055
"""Of the width of the field, for one step of the pattern."""

PATTERN = ((0, 0), (1, 0.6), (-0.7, 1), (0.4, -1), (-1, -0.5), (0.9, -0.3), (-0.3, 0.4), (0.2, 1), (-0.9, 0.3))


@dataclass
class Image(Field):
    """A field of stars and galaxies, and a detector that takes images of it."""

    sources: Sources
    psf: Psf

    @cached_property
    def photmjsr(self) -> float:
        """MJy/sr for 1 DN/s."""
        return FILTERS[self.plan.filter].photmjsr

    @property
    def pointing(self) -> Pointing:
        """Of the first exposure: the middle of the subarray looks at the middle of the field."""
        v2, v3 = FRAME.to_telescope(*self.middle)
        return Pointing(*CENTRE, ROLL, float(v2), float(v3))

    @property
    def curve(self) -> np.ndarray:
        """Light of the star of a time series in each integration."""
        plan = self.plan
        return light_curve(plan.integrations, plan.transit_depth if plan.is_series else 0.0)

    def skies(self, pointing: Pointing) -> Iterator[np.ndarray]:
        """Return what the pixels see in each integration, in MJy/sr."""
        still = self.brightness(pointing, self.still)
        star = self.brightness(pointing, self.target) - self.plan.sky
        for light in self.curve:
            yield still + light * star

    def keywords(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return what the primary header says of the instrument."""
        plan = self.plan
        return {
            "EXP_TYPE": "NRC_TSIMAGE" if plan.is_series else "NRC_IMAGE", "TSOVISIT": plan.is_series,
            "VISITYPE": "PRIME_TARGETED_FIXED", **INSTRUMENT, "FILTER": plan.filter, "PUPIL": "CLEAR",
            "READPATT": "RAPID", "NOUTPUTS": self.detector.amplifiers, "FASTAXIS": -1, "SLOWAXIS": 2,
            "APERNAME": f"NRCA1_{plan.subarray}", "PPS_APER": f"NRCA1_{plan.subarray}", "TARG_RA": self.pointing.ra,
            "TARG_DEC": self.pointing.dec, "SRCTYAPT": "POINT" if plan.is_series else "EXTENDED",
        }  # fmt: skip

    def references(self) -> list[Reference]:
        """Return the reference files that calibrate the exposures."""
        from jviz.backend.simulate.nircam_references import nircam_references

        return nircam_references(self)

    def write_truth(self, folder: Path) -> None:
        """Write the catalogue of the sources."""
        self.sources.write(folder / "sources_truth.ecsv", seed=self.plan.seed, filter=self.plan.filter)

    @property
    def still(self) -> Sources:
        """Sources that shine evenly."""
        return self.sources.chosen(np.arange(self.sources.ra.size) >= self.plan.is_series)

    @property
    def target(self) -> Sources:
        """The star of a time series, the first source; none otherwise."""
        return self.sources.chosen(np.arange(self.sources.ra.size) < self.plan.is_series)

    def brightness(self, pointing: Pointing, sources: Sources | None = None) -> np.ndarray:
        """Return what the sky looks like to the pixels, in MJy/sr, without noise."""
        sources = self.sources if sources is None else sources
        x, y = FRAME.from_telescope(*pointing.from_sky(CENTRE[0], CENTRE[1] + np.array([0, 1 / 3600])))
        north = float(np.degrees(np.arctan2(y[1] - y[0], x[1] - x[0])))

        def place(ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return FRAME.from_telescope(*pointing.from_sky(ra, dec))

        light = painted(sources, place, self.detector.shape, self.psf, FRAME.scale_x, north)
        return self.plan.sky + light / 1e6 / (FRAME.pixel_area * self.area)

    def rate(self, sky: np.ndarray) -> np.ndarray:
        """Return what is counted in DN/s of a brightness in MJy/sr, without noise."""
        light = sky * self.detector.flat / self.photmjsr
        light[self.detector.is_reference] = 0
        return light.astype(np.float32)

    @property
    def area(self) -> np.ndarray:
        """Relative solid angles of the pixels."""
        return areas(self.plan.size)

    def dithered(self, number: int) -> Pointing:
        """Return the pointing that brings the middle of the field to another pixel."""
        first = self.pointing
        if number == 1:
            return first
        # Fractions of a pixel differ, so that the mosaic is better sampled than each exposure.
        step = self.plan.size * DITHER
        dx, dy = (step * part + 0.27 * number for part in PATTERN[number - 1])
        v2, v3 = FRAME.to_telescope(self.middle[0] - dx, self.middle[1] - dy)
        ra, dec = first.to_sky(v2, v3)
        return Pointing(float(ra), float(dec), ROLL, first.v2, first.v3)


def light_curve(integrations: int, depth: float) -> np.ndarray:
    """Return the light of a star of which a planet hides a part during the middle third, (integrations,)."""
    phase = np.abs(np.linspace(-1.5, 1.5, integrations)) if integrations > 1 else np.full(1, 1.5)
    return 1 - depth * np.clip((0.56 - phase) / 0.12, 0, 1)


def areas(size: int) -> np.ndarray:
    """Return the relative solid angles of the pixels of a subarray."""
    place = np.arange(size, dtype=float)
    return FRAME.area(place, place[:, None])


def make_image(plan: Plan) -> Image:
    """Make up the detector and the sky; the same seed gives the same."""
    rng = np.random.default_rng([plan.seed, 1])
    filter = FILTERS[plan.filter]
    psf = centred_psf(np.random.default_rng([plan.seed, 2]), FRAME.scale_x, filter.wavelength, filter.width)
    detector = make_detector(rng, NIRCAM, plan.shape, areas(plan.size))
    width = plan.size * FRAME.scale_x * (1 + 2 * DITHER + 0.08)
    sources = draw_sources(np.random.default_rng([plan.seed, 3]), *CENTRE, width, stars=plan.stars,
                           galaxies=plan.galaxies)  # fmt: skip
    if plan.is_series:
        sources = sources.around(*CENTRE, TARGET, ALONE)
    middle = (plan.size - 1) / 2
    return Image(plan, detector, FRAME, (middle, middle), sources, psf)

"""Exposures of a slit spectrometer like MIRI's of low resolution: a prism, on the detector of the imager."""

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
from jviz.backend.simulate.geometry import DetectorFrame, Pointing
from jviz.backend.simulate.plans import Plan
from jviz.backend.simulate.scenes import Scene, make_scene
from jviz.backend.simulate.spots import Spot

__all__ = ["COLUMNS", "FRAME", "INSTRUMENT", "RESOLVING", "ROWS", "SENSITIVITY", "SLIT", "SPOT", "Prism", "lean",
           "make_lrs", "response", "through_slit", "waves_of"]  # fmt: skip

INSTRUMENT = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE"}
SLIT = (325.0, 299.0)
"""Column and row of the detector that look at the middle of the slit, 0-based."""

FRAME = DetectorFrame(
    middle=SLIT, v2=-414.7, v3=-400.6, scale_x=0.1107, scale_y=0.1103, angle=4.8, stretch_x=1.1e-6, stretch_y=-0.9e-6,
    shear=0.7e-6,
)  # fmt: skip
"""Of the detector without the prism; like MIRI's imager, and no real one."""

LENGTH, WIDTH = 4.7, 0.51
"""Of the slit, in arcsec."""

COLUMNS = (-21, 21)
"""First and last column of the spectrum, from that of the slit."""

ROWS = (-291, 96)
"""First and last row of the spectrum, from that of the slit."""

SPOT = Spot(halo=0.0)
RESOLVING = 100.0
SENSITIVITY = 7.0
"""MJy/sr for 1 DN/s where the prism lets most through."""

NODS = (-10.3, 10.2, -7.55, 7.95, -4.8, 5.7, -2.05, 3.45, -0.3)
"""Columns from the middle of the slit at which the target lies."""

FLUX, PIVOT, LINE_WIDTH = 0.007, 8.0, 2000.0


@dataclass
class Prism(Field):
    """A source, and a slit spectrometer that looks at it."""

    scene: Scene

    def dithered(self, number: int) -> Pointing:
        """Return the pointing that brings the target to its place along the slit."""
        v2, v3 = FRAME.to_telescope(SLIT[0] + NODS[number - 1], SLIT[1])
        ra, dec = Pointing(*CENTRE, ROLL, float(v2), float(v3)).to_sky(FRAME.v2, FRAME.v3)
        return Pointing(float(ra), float(dec), ROLL, FRAME.v2, FRAME.v3)

    def skies(self, pointing: Pointing) -> Iterator[np.ndarray]:
        """Return what the pixels of the spectrum see, in MJy/sr, relative to what the slit lets through of its middle.

        The spectrum of a source in the middle of the slit is calibrated as if all its light came through.
        """
        x, y = FRAME.from_telescope(*pointing.from_sky(self.scene.ra, self.scene.dec))
        sky = np.zeros(self.detector.shape)
        columns, rows = np.arange(sky.shape[1]), self.rows
        wave = waves_of(rows)[:, None]
        step = np.abs(np.gradient(waves_of(rows)))[:, None]
        along = (columns - lean(rows)[:, None] - float(x)) * FRAME.scale_x
        across = (float(y) - SLIT[1]) * FRAME.scale_y
        share = SPOT.in_box(along, across, FRAME.scale_x, WIDTH, wave) / through_slit(0.0, wave)
        source = self.scene.source(wave, step, RESOLVING) * share / FRAME.pixel_area / 1e6
        sky[rows] = np.where(self.is_lit[rows], self.scene.sky(wave) + source, 0)
        yield sky

    def rate(self, sky: np.ndarray) -> np.ndarray:
        """Return what is counted in DN/s, without noise; beside the spectrum, nothing."""
        found = np.zeros(sky.shape)
        rows = self.rows
        found[rows] = sky[rows] * self.detector.flat[rows] / (SENSITIVITY * response(waves_of(rows))[:, None])
        return np.where(self.is_lit, found, 0).astype(np.float32)

    @cached_property
    def rows(self) -> np.ndarray:
        """Rows of the spectrum, 0-based."""
        return np.arange(ROWS[0], ROWS[1] + 1) + int(SLIT[1])

    @cached_property
    def is_lit(self) -> np.ndarray:
        """Which pixels see light that came through the slit."""
        lit = np.zeros(self.detector.shape, bool)
        place = (np.arange(lit.shape[1]) - SLIT[0] - lean(self.rows)[:, None]) * FRAME.scale_x
        lit[self.rows] = np.abs(place) < LENGTH / 2
        return lit & ~self.detector.is_reference

    def keywords(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return what the primary header says of the instrument."""
        return {
            "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "TSOVISIT": False, "VISITYPE": "PRIME_TARGETED_FIXED", **INSTRUMENT,
            "FILTER": "P750L", "READPATT": "FASTR1", "NOUTPUTS": 4, "FASTAXIS": 1, "SLOWAXIS": 2,
            "APERNAME": "MIRIM_SLIT", "PPS_APER": "MIRIM_SLIT", "TARG_RA": self.scene.ra, "TARG_DEC": self.scene.dec,
            "SRCTYAPT": "POINT", "PATTTYPE": "ALONG-SLIT-NOD",
        }  # fmt: skip

    def references(self) -> list[Reference]:
        """Return the reference files that calibrate the exposures."""
        from jviz.backend.simulate.lrs_references import lrs_references

        return lrs_references(self)

    def write_truth(self, folder: Path) -> None:
        """Write the source, its lines and its spectrum."""
        low, high = sorted(waves_of(self.rows)[[0, -1]])
        self.scene.write(folder, np.arange(low, high, 0.005), RESOLVING, self.plan.seed)


def waves_of(rows: Any) -> np.ndarray:
    """Return the wavelengths in µm of rows of the detector, 0-based; the upper ones are blue.

    It is a cubic polynomial, which the splines of the pipelines follow without an error.
    """
    part = (SLIT[1] + ROWS[1] - np.asarray(rows, float)) / (ROWS[1] - ROWS[0])
    return 4.6 + 14.0 * part - 7.0 * part**2 + 2.4 * part**3


def lean(rows: Any) -> np.ndarray:
    """Return by how many columns the spectrum lies beside the slit in rows of the detector."""
    return 0.006 * (np.asarray(rows, float) - SLIT[1])


def through_slit(across: Any, wave: Any) -> np.ndarray:
    """Return the share of a source's light that comes through the slit, so many arcsec from its middle."""
    return SPOT.in_box(0.0, across, np.inf, WIDTH, wave)


def response(wave: Any) -> np.ndarray:
    """Return MJy/sr for 1 DN/s relative to that at the best wavelength."""
    return 1 + 0.03 * (np.asarray(wave, float) - 7.5) ** 2


def make_lrs(plan: Plan) -> Prism:
    """Make up the detector and what is on the sky; the same seed gives the same."""
    detector = make_detector(np.random.default_rng([plan.seed, 1]), MIRI, plan.shape, np.ones(plan.shape))
    scene = make_scene(np.random.default_rng([plan.seed, 3]), CENTRE, FLUX, PIVOT, plan.sky, (7.0, 13.3), LINE_WIDTH,
                       RESOLVING)  # fmt: skip
    return Prism(plan, detector, FRAME, SLIT, scene)

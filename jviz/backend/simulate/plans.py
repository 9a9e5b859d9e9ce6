"""What is to be simulated: the choices of a user, checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jviz.backend.cache import home
from jviz.backend.simulate.detectors import MIRI, SIDE, frame_time
from jviz.errors import JvizError

__all__ = ["FILTERS", "LRS", "MRS", "SERIES", "SIZES", "Filter", "Plan", "default_folder", "plan_of"]

VERSION = 6
"""Counts changes of what is simulated, so that a folder of an older one is not taken for the same."""

SIZES = {160: "SUB160", 320: "SUB320", 640: "SUB640", SIDE: "FULL"}
"""Names of the subarrays by their width in pixels."""

STARS_PER_ARCSEC2 = 0.45
FEWEST_STARS, MOST_STARS = 90, 1500
"""Of fields for which nobody says how many; with fewer, dithers of the smallest field share too few to be aligned."""

PIXEL = 0.031


@dataclass(frozen=True)
class Filter:
    """A filter as it is made up: wavelength and width in µm; MJy/sr for 1 DN/s."""

    wavelength: float
    width: float
    photmjsr: float
    vega: float


FILTERS = {
    "F115W": Filter(1.154, 0.225, 3.2, 0.77),
    "F150W": Filter(1.501, 0.318, 2.3, 1.20),
    "F200W": Filter(1.990, 0.461, 1.8, 1.68),
}

SERIES = "nircam-tso"
"""Instrument of time series of a star that is eclipsed."""

MRS, LRS = "miri-mrs", "miri-lrs"
"""Integral-field spectrometer, and the one with a slit."""

MIRI_SECONDS = 2.77504
"""Between two reads of a whole detector of MIRI (JDox, *MIRI Detector Readout Fast*)."""


@dataclass(frozen=True)
class Mode:
    """What there is to choose of an instrument.

    Attributes
    ----------
    usual : mapping
        Values of choices that nobody makes.
    others : tuple of str
        Choices that it does not have.
    """

    usual: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[str, ...] = ()


IMAGES = {"size": 640, "filter": "F200W", "dithers": 4, "groups": 8, "integrations": 1, "sky": 0.4,
          "pointing_error": 15.0}  # fmt: skip
SPECTRA = {"size": MIRI.shape[1], "filter": "", "dithers": 4, "groups": 8, "integrations": 1, "sky": 40.0,
           "pointing_error": 0.0, "stars": 1, "galaxies": 0}  # fmt: skip
OF_IMAGES = ("size", "filter", "stars", "galaxies", "integrations")
MODES = {
    "nircam": Mode(IMAGES), SERIES: Mode(IMAGES | {"dithers": 1, "integrations": 40}),
    MRS: Mode(SPECTRA, OF_IMAGES), LRS: Mode(SPECTRA | {"dithers": 2}, OF_IMAGES),
}  # fmt: skip

LIMITS = {
    "seed": (0, 2**32 - 1), "dithers": (1, 9), "groups": (3, 60), "integrations": (1, 400), "stars": (0, 4000),
    "galaxies": (0, 2000), "sky": (0.0, 1000.0), "cosmic_rays": (0.0, 500.0), "pointing_error": (0.0, 200.0),
    "transit_depth": (0.0, 0.5),
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Exposures of an instrument.

    Attributes
    ----------
    size : int
        Width of the subarray in pixels, one of `SIZES`; that of the detector of a spectrometer.
    filter : str
        One of `FILTERS`, "" of a spectrometer.
    dithers, groups, integrations : int
        Exposures, reads of each integration, and integrations of each exposure.
    sky : float
        Brightness of the sky in MJy/sr.
    cosmic_rays : float
        Per cm² and second.
    pointing_error : float
        In milliarcsec, rms on each axis; the first exposure has none.
    transit_depth : float
        Part of its light that the star of a time series loses.
    """

    seed: int
    size: int = 640
    filter: str = "F200W"
    dithers: int = 4
    groups: int = 8
    stars: int = FEWEST_STARS
    galaxies: int = 12
    sky: float = 0.4
    cosmic_rays: float = 5.0
    pointing_error: float = 15.0
    integrations: int = 1
    transit_depth: float = 0.01
    instrument: str = "nircam"

    @property
    def is_series(self) -> bool:
        """Whether one star is watched for long."""
        return self.instrument == SERIES

    @property
    def is_spectral(self) -> bool:
        """Whether spectra are taken, with MIRI."""
        return not self.filter

    @property
    def subarray(self) -> str:
        """Name of the subarray."""
        return "FULL" if self.is_spectral else SIZES[self.size]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the exposures."""
        return MIRI.shape if self.is_spectral else (self.size, self.size)

    @property
    def seconds(self) -> float:
        """Between two reads."""
        return MIRI_SECONDS if self.is_spectral else frame_time(self.size)

    @property
    def disk(self) -> int:
        """Bytes that everything takes, about."""
        plane = 4 * self.shape[0] * self.shape[1]
        return plane * (self.dithers * (self.integrations * self.groups // 2 + 3) + self.groups + 22) + 1_000_000

    def record(self) -> dict[str, Any]:
        """Return what is kept beside the exposures, by which they are known again."""
        return {"simulated": True, "version": VERSION, **asdict(self)}


def plan_of(*, seed: int, instrument: str = "nircam", transit_depth: float = 0.01, **choices: Any) -> Plan:
    """Return a plan; choices that are None, or not made, are the usual ones of the instrument.

    Parameters
    ----------
    **choices
        Attributes of `Plan`.

    Raises
    ------
    JvizError
        Says which choice cannot be, and what can.
    """
    if instrument not in MODES:
        raise JvizError(f"{instrument!r} cannot be simulated; there are {', '.join(MODES)}.")
    mode = MODES[instrument]
    given = {name: value for name, value in choices.items() if value is not None}
    if unknown := [name for name in given if name in mode.others]:
        raise JvizError(f"Exposures of {instrument} have no {unknown[0]} to choose; leave it out.")
    values = {"seed": seed, "transit_depth": transit_depth, **mode.usual, **given}
    _check_field(values, mode)
    values = _sources(values["size"]) | values
    values.setdefault("galaxies", max(6, values["stars"] // 3))
    for name, value in values.items():
        if name in LIMITS:
            _check_number(name, value)
    return Plan(instrument=instrument, **values)


def _check_field(values: Mapping[str, Any], mode: Mode) -> None:
    if "size" in mode.others:
        return
    if values["size"] not in SIZES:
        raise JvizError(f"The size is {values['size']}; it must be one of {', '.join(map(str, SIZES))} pixels.")
    if values["filter"] not in FILTERS:
        raise JvizError(f"There is no filter {values['filter']!r}; there are {', '.join(FILTERS)}.")


def _sources(size: int) -> dict[str, int]:
    """Return how many sources a field has room for."""
    area = (size * PIXEL * 1.25) ** 2
    return {"stars": max(FEWEST_STARS, min(round(STARS_PER_ARCSEC2 * area), MOST_STARS))}


def _check_number(name: str, value: Any) -> None:
    low, high = LIMITS[name]
    if isinstance(low, int) and not isinstance(value, int):
        raise JvizError(f"{name} is {value!r}; it must be a whole number.")
    if not low <= value <= high:
        digits = "d" if isinstance(low, int) else "g"
        raise JvizError(f"{name} is {value:{digits}}; it must be between {low:{digits}} and {high:{digits}}.")


def default_folder(plan: Plan) -> Path:
    """Return where a simulation is kept when nobody says where: one folder for each set of choices."""
    text = json.dumps(plan.record(), sort_keys=True)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:8]
    return home("data") / "simulated" / f"{plan.instrument}-{plan.size}-{plan.seed}-{digest}"

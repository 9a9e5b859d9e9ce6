"""Ramps of a session: how they were read, their noise, and rates fitted to them at a pixel or over the whole."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.backend.ramps.constants import UNKNOWN_GAIN, Constants, measured_noise, reference_plane
from jviz.backend.ramps.fitting import DO_NOT_USE, JumpRule, RampFit, ReadOut, fit_ramps
from jviz.data import Ramp
from jviz.errors import CommandError

__all__ = ["JumpRule", "RampAt", "constants_of", "fit_all", "fit_at", "fit_window", "place_in", "read_out_of",
           "times_of", "up_the_ramp"]  # fmt: skip

SIDE = 256
"""Pixels along a side of the middle part that the read noise is measured in."""

UNKNOWN = "read noise not known"

_measured: WeakKeyDictionary[Ramp, Constants] = WeakKeyDictionary()


@dataclass(frozen=True)
class RampAt:
    """The ramp of one pixel, or the mean one of a region, and what was fitted to it.

    Attributes
    ----------
    x, y : int
        Column and row; -1 of a region.
    time : ndarray of float, shape (groups,)
        Seconds from the reset to the middle of each group.
    counts, model : ndarray of float, shape (integrations, groups)
        DN; the model is NaN between runs of good groups.
    flags, filed : ndarray of uint8, shape (integrations, groups)
        With the jumps that were found, and as the file has them.
    rates, errors, photons, reads : ndarray of float, shape (integrations + 1,)
        DN/s, of each integration and of all of them; the two parts of the error, as variances in (DN/s)².
    words : str
        Where gain and read noise are from.
    pixels : int
        How many it is the mean of.
    name : str
        Of the region, "" of a pixel.
    quantity, unit : str
        Of the counts; of rates that are fitted already "Rate".
    axis : (str, str)
        What the time is called, and its unit.
    """

    x: int
    y: int
    time: np.ndarray
    counts: np.ndarray
    model: np.ndarray
    flags: np.ndarray
    filed: np.ndarray
    rates: np.ndarray
    errors: np.ndarray
    photons: np.ndarray
    reads: np.ndarray
    words: str
    pixels: int = 1
    name: str = ""
    quantity: str = "Counts"
    unit: str = "DN"
    axis: tuple[str, str] = ("Time since reset", "s")

    def number(self, flag: int, integration: int | None = None) -> int:
        """Return how many groups have a flag, in one integration or in all."""
        part = self.flags if integration is None else self.flags[integration]
        return int(np.count_nonzero(part & flag))


def up_the_ramp(data: Any) -> Ramp:
    """Return data that have groups.

    Raises
    ------
    CommandError
        When they are no ramps, or rates already.
    """
    if not isinstance(data, Ramp):
        raise CommandError(f"{data.name} is no ramp; open an uncal or ramp file.")
    if len(data.shape) != 4 or data.shape[1] < 2:
        raise CommandError(
            f"{data.name} has shape {' × '.join(map(str, data.shape))}: rates are fitted to two groups and more "
            "(integrations, groups, y, x), as in uncal and ramp files."
        )
    return data


def read_out_of(data: Ramp) -> ReadOut:
    """Return how it was read; seconds are groups when the header does not tell them."""
    header = data.header
    return ReadOut(_number(header.get("TGROUP"), 1.0), max(int(_number(header.get("NFRAMES"), 1.0)), 1))


def _number(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise


def constants_of(data: Ramp, gain: float | None = None, readnoise: float | None = None) -> Constants:
    """Return gain and read noise: those given, those of reference files in the CRDS cache, or measured ones.

    Reads from the disk the first time.

    Parameters
    ----------
    gain : float, optional
        e⁻ per DN.
    readnoise : float, optional
        DN of the difference of two reads.

    Raises
    ------
    CommandError
        When a given number is not above 0, or the read noise can neither be found nor measured.
    """
    for name, value in (("gain", gain), ("read noise", readnoise)):
        if value is not None and not value > 0:
            raise CommandError(f"A {name} of {value:g} is none; it must be above 0.")
    known = _measured.get(data)
    if known is None:
        known = _measured[data] = _found(data)
    if gain is not None:
        known = replace(known, gain=gain, photons=True, gain_from=f"gain {gain:g} e⁻/DN as given")
    if readnoise is not None:
        known = replace(known, noise=readnoise, noise_from=f"read noise {readnoise:g} DN as given")
    if known.noise_from == UNKNOWN:
        raise CommandError(
            f"The read noise of {data.name} is not known: its reference file is not in the CRDS cache, and it cannot "
            "be measured in fewer than three groups. Give a read noise (readnoise=) in DN."
        )
    return known


def _found(data: Ramp) -> Constants:
    area = data.shape[-2:]
    gain, noise = (reference_plane(data.header, kind, area, data.path) for kind in ("gain", "readnoise"))
    gain_from = f"gain from {gain[1]}" if gain else "gain not known: errors are of the read noise alone"
    if noise is not None:
        values, noise_from = noise[0], f"read noise from {noise[1]}"
    else:
        values = _measure(data)
        noise_from = f"read noise {values:.3g} DN measured in this ramp" if values > 0 else UNKNOWN
    return Constants(gain[0] if gain else UNKNOWN_GAIN, values, gain is not None, gain_from, noise_from)


def _measure(data: Ramp) -> float:
    rows, columns = (slice(max(n // 2 - SIDE // 2, 0), n // 2 + SIDE // 2) for n in data.shape[-2:])
    counts = data.plane().read((0, slice(None), rows, columns))
    flags = _flags(data, (slice(0, 1), slice(None), rows, columns))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without a good group are NaN
        found = measured_noise(counts, None if flags is None else flags[0])
    # Groups are means of reads, of which each had that much more noise.
    return found * float(np.sqrt(read_out_of(data).frames))


def _flags(data: Ramp, index: tuple[slice, ...]) -> np.ndarray | None:
    """Read flags of groups, None where the file has none."""
    groups = data.product.planes.get("GROUPDQ")
    return None if groups is None else groups.read(index).astype(np.uint8)


def _bad(data: Ramp, rows: slice, columns: slice) -> np.ndarray | None:
    """Return pixels that are not to be used, as far as the file says."""
    plane = data.product.planes.get("PIXELDQ")
    return None if plane is None else (plane.read((rows, columns)).astype(np.int64) & DO_NOT_USE) != 0


def _dark(data: Ramp, rows: slice, columns: slice) -> np.ndarray | float:
    plane = data.product.planes.get("AVDRKCUR")
    return 0.0 if plane is None else np.nan_to_num(plane.read((rows, columns)).astype(np.float32))


def fit_at(
    data: Ramp, x: float, y: float, rule: JumpRule | None, gain: float | None = None, readnoise: float | None = None
) -> RampAt:
    """Fit the ramp of the pixel at (x, y); its neighbours are read for the jumps that spread from them.

    Parameters
    ----------
    rule : JumpRule or None
        How to look for jumps; None takes those that the file has flagged.

    Raises
    ------
    CommandError
        Beside the array, and what `up_the_ramp` and `constants_of` raise.
    """
    data = up_the_ramp(data)
    column, row, _ = place_in(data, x, y)
    rows, columns = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)
    constants = constants_of(data, gain, readnoise)
    counts, flags, found = fit_window(data, rows, columns, rule, constants)
    at = (..., row - rows.start, column - columns.start)
    joined = (found.rate[at], found.var_poisson[at], found.var_rnoise[at], found.err[at])
    numbers = np.concatenate([found.integrations[at], np.array(joined)[None]]).astype(float)
    filed = np.zeros(data.shape[:2], np.uint8) if flags is None else flags[at]
    return RampAt(
        column, row, times_of(data), counts[at].astype(float), found.model[at].astype(float), found.flags[at],
        filed, numbers[:, 0], numbers[:, 3], numbers[:, 1], numbers[:, 2], constants.words,
    )  # fmt: skip


def place_in(data: Ramp, x: float, y: float) -> tuple[int, int, tuple[int, int]]:
    """Return column and row of the pixel at (x, y), and both as an index.

    Raises
    ------
    CommandError
        Beside the array.
    """
    column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    height, width = data.shape[-2:]
    if not (0 <= column < width and 0 <= row < height):
        raise CommandError(f"({x:g}, {y:g}) is beside {data.name}, which has {width} × {height} pixels.")
    return column, row, (row, column)


def fit_window(
    data: Ramp, rows: slice, columns: slice, rule: JumpRule | None, constants: Constants, progress: Progress = silent
) -> tuple[np.ndarray, np.ndarray | None, RampFit]:
    """Return counts and flags of some pixels, as the file has them, and what is fitted, with the model."""
    gain, noise = constants.part(rows, columns)
    index = (slice(None), slice(None), rows, columns)
    counts, flags = data.plane().read(index), _flags(data, index)
    found = fit_ramps(
        counts, flags, gain, noise, read_out_of(data), jumps=rule, bad=_bad(data, rows, columns),
        dark=_dark(data, rows, columns), differences=data.shape[1] - 1, model=True, progress=progress,
    )  # fmt: skip
    return counts, flags, found


def times_of(data: Ramp) -> np.ndarray:
    """Return the middle of each group in seconds since the reset."""
    readout = read_out_of(data)
    frame = _number(data.header.get("TFRAME"), readout.group_time / readout.frames)
    return np.arange(data.shape[1]) * readout.group_time + frame * (readout.frames + 1) / 2


def fit_all(
    data: Ramp, rule: JumpRule | None, gain: float | None = None, readnoise: float | None = None,
    progress: Progress = silent,
) -> RampFit:  # fmt: skip
    """Fit the ramps of all pixels; parameters and errors as of `fit_at`."""
    data = up_the_ramp(data)
    constants = constants_of(data, gain, readnoise)
    everything = (slice(None), slice(None))
    progress(0, 1, f"reading {data.name}")
    counts, flags = data.plane().read(progress=progress), _flags(data, (slice(None),) * 4)
    return fit_ramps(
        counts, flags, constants.gain, constants.noise, read_out_of(data), jumps=rule, bad=_bad(data, *everything),
        dark=_dark(data, *everything), progress=progress,
    )  # fmt: skip

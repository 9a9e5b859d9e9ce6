"""Ramps of regions, and rates that are fitted already: what many pixels, or many integrations, say together."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.backend.ramps.constants import Constants
from jviz.backend.ramps.fitting import DO_NOT_USE, JUMP, SATURATED, JumpRule, RampFit
from jviz.backend.regions.masks import Target
from jviz.data import Ramp
from jviz.errors import CommandError
from jviz.measuring import subset_of
from jviz.ramps import RampAt, constants_of, fit_window, place_in, times_of, up_the_ramp
from jviz.region_statistics import weights_of

__all__ = ["counts_at", "fit_region", "rates_at"]

MOST = 1 << 27
"""Reads of the box round a region that are held in memory at once."""

BAD = DO_NOT_USE | SATURATED


def fit_region(
    session: Any, data: Ramp, region: Any, rule: JumpRule | None, gain: float | None = None,
    readnoise: float | None = None, progress: Progress = silent,
) -> RampAt:  # fmt: skip
    """Fit the ramps of the pixels whose centre is in a region, and return their mean.

    The mean ramp grows from group to group by the mean of what came in the pixels that are good in both and have no
    jump between them, so that jumps and full wells leave no steps. The rate is the mean of those of the pixels.

    Raises
    ------
    CommandError
        When no pixel is in the region, it is too large, and what `jviz.ramps.fit_at` raises.
    """
    data = up_the_ramp(data)
    subset = subset_of(session, data, region)
    box = weights_of(subset, data, Target(tuple(data.shape[-2:]), data.sky), "center")
    inside = box.counted
    if not inside.any():
        raise CommandError(f"{subset.name} holds no pixel of {data.name}; move it onto the picture.")
    rows, columns = (slice(max(part.start - 1, 0), part.stop + 1) for part in box.slices)
    if data.shape[0] * data.shape[1] * (rows.stop - rows.start) * (columns.stop - columns.start) > MOST:
        raise CommandError(f"{subset.name} is too large for one mean ramp; choose a smaller region, or fit all pixels "
                           "with ramp.refit.")  # fmt: skip
    constants = constants_of(data, gain, readnoise)
    counts, _, found = fit_window(data, rows, columns, rule, constants, progress)
    return _mean(data, subset.name, _chosen(counts, found, box.slices, (rows, columns), inside), constants)


def _chosen(counts: np.ndarray, found: RampFit, slices: Any, around: Any, inside: np.ndarray) -> tuple:
    """Return counts and flags (integrations, groups, pixels) and rates (integrations + 1, 4, pixels) of a region."""
    part = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(slices, around, strict=True))
    joined = np.stack([found.rate, found.var_poisson, found.var_rnoise, found.err])[None]
    rates = np.concatenate([found.integrations, joined])
    return tuple(array[..., part[0], part[1]][..., inside] for array in (counts.astype(float), found.flags, rates))


def _mean(data: Ramp, name: str, chosen: tuple, constants: Constants) -> RampAt:
    counts, flags, rates = chosen
    good = (flags & BAD) == 0
    steps = good[:, 1:] & good[:, :-1] & ((flags[:, 1:] & JUMP) == 0)
    time, each = times_of(data), rates[:-1, 0]
    steps &= np.isfinite(each)[:, None]
    grown = _over(np.diff(counts, axis=1), steps)
    expected = _over(each[:, None] * np.diff(time)[None, :, None], steps)
    first = _over(counts[:, :1], good[:, :1])
    ramp, line = (np.concatenate([first, first + np.cumsum(part, axis=1)], axis=1) for part in (grown, expected))
    line += np.nan_to_num(_over(ramp - line, np.isfinite(ramp - line)))[:, None]
    full = ((flags & SATURATED) != 0).mean(axis=-1) > 0.5
    marks = np.where(np.isfinite(ramp), 0, np.where(full, SATURATED, DO_NOT_USE)).astype(np.uint8)
    count = np.isfinite(rates[:, 0]).sum(axis=-1)
    values, *parts = (_over(rates[:, n], np.isfinite(rates[:, 0])) for n in range(4))
    photons, reads, squares = parts[0] / count, parts[1] / count, _over(rates[:, 3] ** 2, np.isfinite(rates[:, 0]))
    struck = int(((flags & JUMP) != 0).sum())
    words = f"{counts.shape[-1]} pixels, {struck} reads with a jump between them left out; {constants.words}"
    return RampAt(-1, -1, time, ramp, line, marks, marks, values, np.sqrt(squares / count), photons, reads, words,
                  pixels=counts.shape[-1], name=name)  # fmt: skip


def _over(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of what is good, NaN where nothing is."""
    number = where.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(where, values, 0.0).sum(axis=-1, dtype=float) / number


def counts_at(data: Ramp, x: float, y: float, why: str) -> RampAt:
    """Return the ramp of a pixel to which nothing is fitted, and why."""
    column, row, _ = place_in(data, x, y)
    counts = data.plane().read((slice(None), slice(None), row, column)).astype(float)
    planes = data.product.planes
    flags = planes["GROUPDQ"].read((slice(None), slice(None), row, column)) if "GROUPDQ" in planes else 0
    flags = np.broadcast_to(np.asarray(flags, np.uint8), counts.shape)
    nothing = np.full(len(counts) + 1, np.nan)
    return RampAt(column, row, times_of(data), counts, np.full(counts.shape, np.nan), flags, flags, nothing, nothing,
                  nothing, nothing, why)  # fmt: skip


def rates_at(data: Ramp, x: float, y: float) -> RampAt:
    """Return the rates of a pixel in each integration, and their mean, weighted by their errors.

    Raises
    ------
    CommandError
        Beside the array.
    """
    column, row, at = place_in(data, x, y)
    rates = data.plane().read((slice(None), *at)).astype(float)
    planes = {plane.meaning: plane for plane in reversed(data.product.planes.values()) if plane.shape == data.shape}
    errors, flags = (planes[key].read((slice(None), *at)) if key in planes else None for key in ("error", "flags"))
    errors = np.full(rates.shape, np.nan) if errors is None else errors.astype(float)
    flags = np.zeros(rates.shape, np.int64) if flags is None else flags.astype(np.int64)
    flags = (flags & (BAD | JUMP)).astype(np.uint8)
    good = np.isfinite(rates) & ((flags & DO_NOT_USE) == 0)
    mean, error, words = _joined(rates[good], errors[good])
    unknown = np.full(2, np.nan)
    return RampAt(column, row, np.arange(len(rates), dtype=float), rates[None], np.full((1, len(rates)), mean),
                  flags[None], flags[None], np.full(2, mean), np.full(2, error), unknown, unknown, words,
                  quantity="Rate", unit=data.unit or "DN/s", axis=("Integration", ""))  # fmt: skip


def _joined(rates: np.ndarray, errors: np.ndarray) -> tuple[float, float, str]:
    """Return the weighted mean, its error, and how the scatter compares with the errors."""
    number = rates.size
    if not number:
        return np.nan, np.nan, "no integration is good"
    known = (np.isfinite(errors) & (errors > 0)).all()
    weights = 1 / errors**2 if known else np.ones(number)
    mean = float((weights * rates).sum() / weights.sum())
    words = f"mean of {number} integration{'s' * (number > 1)}"
    if not known:
        return mean, float(rates.std(ddof=1) / np.sqrt(number)) if number > 1 else np.nan, words
    if number > 1:
        ratio = np.sqrt((weights * (rates - mean) ** 2).sum() / (number - 1))
        words += f"; they scatter by {ratio:.2g} times their errors"
    return mean, float(1 / np.sqrt(weights.sum())), words

"""Two-dimensional spectra with straight lines: every row on the same wavelengths, and the source on one row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.resampling import Holds, resampled
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.two_d import Frame
from jviz.errors import JvizError

__all__ = ["Straight", "rectified", "straightened"]

_MOST = 4
"""Times as many columns as there were that a rectified spectrum may have."""


@dataclass(frozen=True, eq=False)
class Straight:
    """A two-dimensional spectrum whose columns are wavelengths.

    Attributes
    ----------
    flux : ndarray, shape (n_cross, n_along)
        NaN where nothing is known.
    variance : ndarray or None
    axis : SpectralAxis
        Of the columns.
    """

    flux: np.ndarray
    variance: np.ndarray | None
    axis: SpectralAxis

    def of_slit(self) -> tuple[Straight, int]:
        """Return it without the rows beside a slit that takes less than half of them, and how many went from below."""
        lit = np.flatnonzero(np.isfinite(self.flux).any(axis=1))
        if not len(lit) or 2 * (lit[-1] - lit[0] + 1) > len(self.flux):
            return self, 0
        rows = slice(lit[0], lit[-1] + 1)
        variance = None if self.variance is None else self.variance[rows]
        return replace(self, flux=self.flux[rows], variance=variance), int(lit[0])


def rectified(
    frame: Frame, row: float | None = None, *, step: float | None = None, holds: Holds = "density",
    progress: Progress = silent,
) -> Straight:  # fmt: skip
    """Bring every row onto the same wavelengths, by the overlap of channels: fluxes of lines stay row by row.

    Parameters
    ----------
    row : float, optional
        Whose wavelengths the columns get, with steps like its own beyond its ends; the best known one by default.
    step : float, optional
        Equal steps instead, in the unit of the wavelengths.
    holds : {"density", "counts"}
        What values are of: per unit of wavelength (or surface brightness), or of a whole pixel.

    Raises
    ------
    JvizError
        When the file has no wavelengths, or they do not rise or fall along the rows.
    """
    waves = frame.wavelengths.values
    if waves is None:
        raise JvizError("it has no wavelengths")
    grid = SpectralAxis(
        _grid(waves, row, step), frame.wavelengths.unit, frame.wavelengths.quantity, medium=frame.wavelengths.medium
    )
    flux = np.full((len(frame.flux), len(grid)), np.nan)
    variance = None if frame.variance is None else flux.copy()
    for n, (values, w) in enumerate(zip(frame.flux, waves, strict=True)):
        progress(n, len(frame.flux), "rectifying")
        known = np.isfinite(w)
        if known.sum() < 2 or frame.bad[n][known].all():
            continue
        spread = None if frame.variance is None else frame.variance[n][known]
        bad = frame.bad[n][known]
        one = Samples(
            replace(grid, values=w[known]), np.where(bad, 0.0, values[known]), "",
            None if spread is None else np.where(bad, 0.0, spread), "" if spread is None else "var", bad,
        )  # fmt: skip
        made = resampled(one, grid, holds=holds)
        flux[n] = np.where(made.mask, np.nan, made.flux)
        if variance is not None and made.error is not None:
            variance[n] = np.where(made.mask, np.nan, np.square(made.error))
    return Straight(flux, variance, grid)


def _grid(waves: np.ndarray, row: float | None, step: float | None) -> np.ndarray:
    known = np.isfinite(waves)
    low, high = float(waves[known].min()), float(waves[known].max())
    if step is not None:
        if not step > 0 or (high - low) / step > _MOST * waves.shape[1]:
            raise JvizError(f"a step of {step:g} from {low:g} to {high:g} is none that serves; take another one")
        return low + step * np.arange(int((high - low) / step * (1 + 1e-12)) + 1)
    number = int(np.argmax(known.sum(axis=1))) if row is None else int(np.clip(round(row), 0, len(waves) - 1))
    own = waves[number][known[number]]
    if len(own) < 2:
        raise JvizError(f"row {number} has no wavelengths")
    own = own if own[-1] > own[0] else own[::-1]
    if (np.diff(own) <= 0).any():
        raise JvizError("its wavelengths do not rise or fall along the rows")
    first, last = own[1] - own[0], own[-1] - own[-2]
    before = min(int(np.ceil((own[0] - low) / first)), waves.shape[1])
    after = min(int(np.ceil((high - own[-1]) / last)), waves.shape[1])
    return np.concatenate([
        own[0] - first * np.arange(before, 0, -1), own, own[-1] + last * np.arange(1, after + 1)
    ])  # fmt: skip


def straightened(straight: Straight, frame: Frame, centre: np.ndarray) -> tuple[Straight, float]:
    """Shift every column so that a trace lies on one row, sharing pixels out by overlap; rows are added for all of it.

    Parameters
    ----------
    centre : ndarray, shape (n_along,)
        Of the trace, on the frame.

    Returns
    -------
    tuple
        The spectrum, and the row of the trace in it.
    """
    along = np.arange(len(centre), dtype=float)
    waves = frame.wavelengths.values
    assert waves is not None
    rows = np.clip(np.round(centre).astype(int), 0, len(waves) - 1)
    at = waves[rows, along.astype(int)]
    known = np.isfinite(at)
    order = np.argsort(at[known])
    middle = np.interp(straight.axis.values, at[known][order], centre[known][order])
    home = float(np.median(middle))
    shift = middle - home
    pad = int(np.ceil(np.abs(shift).max())) + 1
    whole, part = np.floor(shift).astype(int), shift - np.floor(shift)
    target = np.arange(-pad, len(straight.flux) + pad)[:, np.newaxis]
    flux, variance = _shared(straight.flux, straight.variance, target + whole, part)
    return replace(straight, flux=flux, variance=variance), home + pad


def _shared(
    flux: np.ndarray, variance: np.ndarray | None, low: np.ndarray, part: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return ``(1 − part)`` of each pixel and ``part`` of the next one, of those that are known."""
    columns = np.arange(flux.shape[1])

    def at(values: np.ndarray, rows: np.ndarray, missing: float) -> np.ndarray:
        inside = (rows >= 0) & (rows < len(values))
        return np.where(inside, values[np.clip(rows, 0, len(values) - 1), columns], missing)

    pieces = [(np.broadcast_to(w, low.shape), rows) for w, rows in ((1 - part, low), (part, low + 1))]
    total, spread, share = (np.zeros(low.shape) for _ in range(3))
    for weight, rows in pieces:
        value = at(flux, rows, np.nan)
        good = np.isfinite(value)
        share += weight * good
        total += np.where(good, weight * value, 0.0)
        if variance is not None:
            spread += np.where(good, weight**2 * at(variance, rows, 0.0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A pixel half of whose light is known is made whole, less is not enough.
        flux = np.where(share >= 0.5 - 1e-9, total / share, np.nan)
        return flux, None if variance is None else np.where(np.isfinite(flux), spread / share**2, np.nan)

"""Spectra summed out of two-dimensional ones: box and optimal (Horne 1986, PASP 98, 609), with errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.median_errors import median_factor
from jviz.backend.spectra.medians import nan_median
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.two_d import Frame
from jviz.errors import JvizError

__all__ = ["Background", "Edges", "Windows", "aperture", "background_of", "edges_of", "extracted", "spatial_profile"]

Edges = tuple[float, float]
"""The lower and the upper edge of a window, in pixels from the trace."""
Windows = Sequence[tuple[float, float]]
"""Each from low to high, in pixels from the trace."""
Background = Literal["median", "polynomial"]
_LOST = 0.5
_STEP = 1 / 3
_ENOUGH = 60.0
"""Signal to noise of a profile's peak from which it is taken as it is."""


def edges_of(width: float | Edges) -> Edges:
    """Return the edges of a width, half of which lies on either side of the trace, or those that are given.

    Raises
    ------
    JvizError
        When nothing lies between them.
    """
    if np.ndim(width) == 0:
        if not float(width) > 0:  # type: ignore[arg-type]
            raise JvizError(f"The width is {width:g}; it must be above 0 pixels.")
        return -float(width) / 2, float(width) / 2  # type: ignore[arg-type]
    try:
        low, high = (float(edge) for edge in width)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not -np.inf < low < high < np.inf:
        raise JvizError(f"{width!r} is no window; give its lower and upper edge in pixels from the trace, as (-2, 4).")
    return low, high


def aperture(shape: tuple[int, int], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which share of each pixel lies between two lines, shape (n_cross, n_along)."""
    rows = np.arange(shape[0])[:, np.newaxis]
    return np.clip(np.minimum(rows + 0.5, high) - np.maximum(rows - 0.5, low), 0.0, 1.0)


def background_of(
    frame: Frame,
    centre: np.ndarray,
    windows: Windows,
    method: Background = "median",
    order: int = 1,
    sigma: float = 4.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Work out the background of every pixel from windows beside the trace, column by column.

    Returns
    -------
    tuple
        The background and its variance, each of the frame's shape; NaN in columns without a good pixel in the windows.
    """
    inside = np.zeros(frame.flux.shape, bool)
    for low, high in windows:
        inside |= aperture(frame.flux.shape, centre + min(low, high), centre + max(low, high)) > 0.5
    use = inside & ~frame.bad
    if not use.any():
        raise JvizError(
            "The background windows have no good pixel; move them onto the image, in pixels from the trace."
        )
    values = np.where(use, frame.flux, np.nan)
    kept = _without_outliers(values, sigma)
    if method == "median" or order == 0:
        return _median_background(frame, kept)
    return _polynomial_background(frame, kept, centre, order)


def _without_outliers(values: np.ndarray, sigma: float) -> np.ndarray:
    middle = nan_median(values)
    width = 1.4826 * nan_median(np.abs(values - middle))
    enough = np.isfinite(values).sum(axis=0) >= 4
    out = (np.abs(values - middle) > sigma * width) & enough & (width > 0)
    return np.where(out, np.nan, values)


def _pixel_variance(frame: Frame, values: np.ndarray) -> np.ndarray:
    """Return the variance of pixels, from their scatter about each other where the file has none."""
    if frame.variance is not None:
        return np.where(frame.bad, np.nan, frame.variance)
    count = np.isfinite(values).sum()
    if not count:
        return np.full(frame.flux.shape, np.nan)
    centred = values - np.nansum(values, axis=0) / np.maximum(np.isfinite(values).sum(axis=0), 1)
    return np.full(frame.flux.shape, np.nanvar(centred))


def _median_background(frame: Frame, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = np.isfinite(values).sum(axis=0).astype(float)
    count[count == 0] = np.nan
    level = nan_median(values)
    noise = np.nansum(np.where(np.isfinite(values), _pixel_variance(frame, values), 0.0), axis=0) / count
    shape = frame.flux.shape
    return np.broadcast_to(level, shape), np.broadcast_to(noise * median_factor(count), shape)


def _polynomial_background(
    frame: Frame, values: np.ndarray, centre: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray]:
    offset = np.arange(values.shape[0])[:, np.newaxis] - centre
    scale = max(float(np.abs(offset[np.isfinite(values)]).max(initial=1.0)), 1.0)
    powers = np.stack([(offset / scale) ** n for n in range(order + 1)])
    good = np.isfinite(values)
    known = np.where(good, 1.0, 0.0)
    normal = np.einsum("iyx,jyx,yx->xij", powers, powers, known)
    right = np.einsum("iyx,yx->xi", powers, np.where(good, values, 0.0))
    enough = good.sum(axis=0) > order
    inverse = np.zeros_like(normal)
    inverse[enough] = np.linalg.pinv(normal[enough])
    solved = np.einsum("xij,xj->xi", inverse, right)
    noise = np.where(good, np.nan_to_num(_pixel_variance(frame, values)), 0.0)
    covariance = inverse @ np.einsum("iyx,jyx,yx->xij", powers, powers, noise) @ inverse
    level = np.einsum("iyx,xi->yx", powers, solved)
    spread = np.einsum("iyx,xij,jyx->yx", powers, covariance, powers)
    level[:, ~enough], spread[:, ~enough] = np.nan, np.nan
    return level, spread


def spatial_profile(
    frame: Frame, flux: np.ndarray, centre: np.ndarray, reach: float | Edges, segments: int = 0
) -> np.ndarray:
    """Return the share of the light that falls on each pixel of a column, shape (n_cross, n_along); columns sum to 1.

    The share is a smooth function of the distance from the trace that changes slowly along it: weighted means in bins
    of a third of a pixel in some segments of the spectrum, joined by straight lines.

    Parameters
    ----------
    flux : ndarray, shape (n_along,)
        First estimate of the spectrum.
    reach : float or (float, float)
        Pixels on either side of the trace, or the lowest and highest distance from it.
    segments : int
        Along the spectrum; 0 takes as many as the signal allows, at most 8.
    """
    low, high = edges_of(2 * reach if np.ndim(reach) == 0 else reach)
    offset = np.arange(frame.flux.shape[0])[:, np.newaxis] - centre
    light = _smooth(flux)
    noise = np.ones(frame.flux.shape) if frame.variance is None else frame.variance
    use = ~frame.bad & (offset >= low) & (offset <= high) & np.isfinite(light) & (light > 0) & (noise > 0)
    if not use.any():
        raise JvizError("No column has light within the width of the extraction; is the trace on the source?")
    weight = np.where(use, 1 / np.where(use, noise, 1), 0.0)
    signal = float(np.median(np.sqrt((light**2 * weight).max(axis=0)[use.any(axis=0)])))
    if frame.variance is None:
        signal = 1.0
    count = segments or int(np.clip(signal / 5, 1, 8))
    bins = np.arange(np.floor(low / _STEP) - 1, np.ceil(high / _STEP) + 2) * _STEP
    known = []
    for columns in np.array_split(np.flatnonzero(use.any(axis=0)), count):
        part = use[:, columns]
        if len(columns):
            curve = _curve(offset[:, columns], frame.flux[:, columns], light[columns], weight[:, columns], part, bins)
            known.append((float(columns.mean()), curve))
    model = _joined(known, offset, bins)
    model = np.where((offset >= low - 0.5) & (offset <= high + 0.5), np.clip(model, 0, None), 0.0)
    total = model.sum(axis=0)
    return np.where(total > 0, model / np.where(total > 0, total, 1), np.nan)


def _smooth(flux: np.ndarray) -> np.ndarray:
    """Return running medians over 15 columns, which tell how bright columns are without the noise of each."""
    padded = np.pad(flux, 7, constant_values=np.nan)
    return nan_median(np.lib.stride_tricks.sliding_window_view(padded, 15), axis=1)


def _curve(
    offset: np.ndarray, values: np.ndarray, light: np.ndarray, weight: np.ndarray, use: np.ndarray, bins: np.ndarray
) -> np.ndarray:
    """Fit f = P(offset) × light to the pixels, P given in bins: linear in f, so that noise does not bias it.

    Where the bins are uncertain the Gaussian that fits them best stands for them.
    """
    brightness = np.broadcast_to(light, values.shape)
    # a single wild pixel must not shape the profile
    limit = np.quantile(np.abs(values[use] / brightness[use]), 0.99) * 1.5
    use = use & (np.abs(values) <= limit * brightness)
    place = (offset[use] - bins[0]) / _STEP
    low = np.clip(np.floor(place).astype(int), 0, len(bins) - 2)
    part, f, b, w = place - low, values[use], brightness[use], weight[use]
    w = np.minimum(w, np.quantile(w, 0.98))

    def summed(what: np.ndarray) -> np.ndarray:
        return np.bincount(low, (1 - part) * what, len(bins)) + np.bincount(low + 1, part * what, len(bins))

    total = summed(w * b**2)
    known = total > 0
    curve, noise = np.zeros(len(bins)), np.full(len(bins), np.inf)
    curve[known], noise[known] = summed(w * f * b)[known] / total[known], 1 / np.sqrt(total[known])
    if np.max(curve[known] / noise[known]) < _ENOUGH:
        return _gaussian(bins[known], curve[known], noise[known], bins)
    return np.interp(bins, bins[known], curve[known], left=0, right=0)


def _gaussian(x: np.ndarray, y: np.ndarray, noise: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return the Gaussian on the trace that fits a profile best, on a grid of widths; its height is linear."""
    widths = np.linspace(0.6, max((bins[-1] - bins[0]) / 3, 0.9), 60)[:, np.newaxis]
    middles = np.linspace(-1, 1, 21)[:, np.newaxis, np.newaxis]
    shape = np.exp(-0.5 * ((x - middles) / widths) ** 2)
    height = (shape * y / noise**2).sum(axis=-1) / (shape**2 / noise**2).sum(axis=-1)
    left = (((y - height[..., np.newaxis] * shape) / noise) ** 2).sum(axis=-1)
    one, two = np.unravel_index(np.argmin(np.where(height > 0, left, np.inf)), left.shape)
    return np.exp(-0.5 * ((bins - middles[one, 0, 0]) / widths[two, 0]) ** 2)


def _joined(known: list[tuple[float, np.ndarray]], offset: np.ndarray, bins: np.ndarray) -> np.ndarray:
    columns = np.arange(offset.shape[1])
    places = np.array([place for place, _ in known])
    models = [np.interp(offset, bins, curve) for _, curve in known]
    result = np.zeros(offset.shape)
    for number, model in enumerate(models):
        result += model * np.interp(columns, places, np.eye(len(places))[number])
    return result


@dataclass(frozen=True)
class _Sum:
    flux: np.ndarray
    variance: np.ndarray
    lost: np.ndarray
    pixels: np.ndarray
    """How many pixels' worth of background it holds."""


def extracted(
    frame: Frame,
    centre: np.ndarray,
    method: Literal["boxcar", "horne"] = "boxcar",
    width: float | Edges = 6.0,
    *,
    windows: Windows = (),
    background: Background = "median",
    order: int = 1,
    sigma: float = 5.0,
) -> Samples:
    """Sum the light along a trace.

    Parameters
    ----------
    centre : ndarray, shape (n_along,)
        The trace, in pixels across the dispersion.
    method : {"boxcar", "horne"}
        The sum within ``width``, cut pixels by their share; or the optimal sum, weighted by the spatial profile.
    width : float or (float, float)
        In pixels, across the trace: half on either side; or the lower and the upper edge, as distances from the trace.
    windows : sequence of (float, float)
        Where the background is measured, in pixels from the trace.
    order : int
        Of a polynomial background.
    sigma : float
        The optimal sum leaves out pixels that are that many standard deviations off the profile (cosmic rays).

    Returns
    -------
    Samples
        In the frame's unit times pixels. Columns that lost more than half of their light to bad pixels are masked;
        what others lost is made up for by the spatial profile. Without errors in the file they come from the scatter
        of the pixels beside the source.
    """
    edges = edges_of(width)
    shape = frame.flux.shape
    inside = aperture(shape, centre + edges[0], centre + edges[1])
    if not (inside > 0).any():
        raise JvizError("The trace lies outside of the image; move it onto the source.")
    level, level_variance = np.zeros(shape), np.zeros(shape)
    if len(windows):
        level, level_variance = background_of(frame, centre, windows, background, order)
    clean = Frame(frame.flux - level, frame.variance, frame.bad | ~np.isfinite(level), frame.wavelengths)
    noise = _pixel_variance(frame, np.where(inside > 0, np.nan, clean.good))
    box = _boxcar(clean, inside, noise, centre, edges)
    found = _horne(clean, box, inside, noise, centre, edges, sigma) if method == "horne" else box
    # the background has one error for a whole column, which counts as often as the sum holds it
    shared = np.nansum(inside * level_variance, axis=0) / np.maximum(inside.sum(axis=0), 1e-9)
    variance = found.variance + shared * np.nan_to_num(found.pixels) ** 2
    return _samples(frame, centre, inside, found.flux, variance, found.lost > _LOST)


def _boxcar(frame: Frame, inside: np.ndarray, noise: np.ndarray, centre: np.ndarray, edges: Edges) -> _Sum:
    good = np.where(frame.bad, 0.0, inside)
    flux = (good * np.where(frame.bad, 0.0, frame.flux)).sum(axis=0)
    variance = (good**2 * np.where(frame.bad, 0.0, np.nan_to_num(noise))).sum(axis=0)
    lost = 1 - good.sum(axis=0) / np.maximum(inside.sum(axis=0), 1e-9)
    partly = (lost > 0) & (lost < 1)
    if partly.any():
        whole = np.where(partly, np.nan, flux)
        if np.any(whole > 0):
            profile = spatial_profile(frame, whole, centre, (edges[0] - 1, edges[1] + 1))
            light = (inside * np.nan_to_num(profile)).sum(axis=0)
            with np.errstate(divide="ignore", invalid="ignore"):
                kept = (good * np.nan_to_num(profile)).sum(axis=0) / light
            lost = np.where(partly & np.isfinite(kept), 1 - kept, lost)
        scale = 1 / np.maximum(1 - lost, 1e-6)
        fixed = partly & (lost <= _LOST)
        flux, variance = np.where(fixed, flux * scale, flux), np.where(fixed, variance * scale**2, variance)
    empty = inside.sum(axis=0) == 0
    return _Sum(np.where((lost >= 1) | empty, np.nan, flux), variance, np.where(empty, 1.0, lost), inside.sum(axis=0))


def _horne(
    frame: Frame, box: _Sum, inside: np.ndarray, noise: np.ndarray, centre: np.ndarray, edges: Edges, sigma: float
) -> _Sum:
    start = np.where(box.lost <= _LOST, box.flux, np.nan)
    profile = spatial_profile(frame, start, centre, (edges[0] - 1, edges[1] + 1))
    usable = ~frame.bad & np.isfinite(noise) & (noise > 0) & np.isfinite(profile)
    share, values = np.where(inside > 0, np.nan_to_num(profile), 0.0), np.where(usable, frame.flux, 0.0)
    inverse = np.where(usable, 1 / np.where(usable, noise, 1), 0.0)
    for _ in range(6):
        with np.errstate(divide="ignore", invalid="ignore"):
            flux = (share * values * inverse).sum(axis=0) / (share**2 * inverse).sum(axis=0)
        off = np.where(share > 0, (values - flux * share) ** 2 * inverse, 0.0)
        # the noise of bright pixels is not known better than the profile is: 5 % of the light
        slack = (0.05 * np.abs(flux) * share) ** 2 * inverse
        worst = np.argmax(np.nan_to_num(off - slack), axis=0)
        column = np.arange(len(worst))
        out = np.nan_to_num(off - slack)[worst, column] > sigma**2
        if not out.any():
            break
        inverse[worst[out], column[out]] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = (share**2 * inverse).sum(axis=0)
        flux, variance = (share * values * inverse).sum(axis=0) / weight, 1 / weight
        pixels = (share * inverse).sum(axis=0) / weight
        lost = 1 - np.where(inverse > 0, share, 0.0).sum(axis=0) / share.sum(axis=0)
    # whole pixels tell how bright a column is; of those on the edges only a part is summed
    part = (inside * share).sum(axis=0)
    return _Sum(np.where(weight > 0, flux * part, np.nan), variance * part**2, lost, pixels * part)


def _samples(
    frame: Frame, centre: np.ndarray, inside: np.ndarray, flux: np.ndarray, variance: np.ndarray, masked: np.ndarray
) -> Samples:
    waves = frame.wavelengths
    values = np.arange(len(flux), dtype=float) if waves.values is None else _along(waves.values, centre, inside)
    keep = np.isfinite(values)
    unit, scale, area = _summed_unit(frame, inside)
    axis = SpectralAxis(values[keep], waves.unit, waves.quantity, medium=waves.medium, notes=waves.notes)  # type: ignore[arg-type]
    known = np.isfinite(variance).any()
    return Samples(
        axis,
        flux[keep] * scale,
        unit,
        np.sqrt(variance[keep]) * scale if known else None,
        "std" if known else "",
        (masked | ~np.isfinite(flux))[keep],
        area=area,
    )


def _along(wavelengths: np.ndarray, centre: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the wavelengths on the trace, linearly between rows; from the nearest row in the aperture at the rims."""
    rows, columns = wavelengths.shape
    low = np.clip(np.floor(centre).astype(int), 0, max(rows - 2, 0))
    part, column = np.clip(centre - low, 0, 1), np.arange(columns)
    values = (1 - part) * wavelengths[low, column] + part * wavelengths[np.minimum(low + 1, rows - 1), column]
    distance = np.abs(np.arange(rows)[:, np.newaxis] - centre)
    distance = np.where(np.isfinite(wavelengths) & (inside > 0), distance, np.inf)
    nearest = np.argmin(distance, axis=0)
    fallback = np.where(np.isfinite(distance[nearest, column]), wavelengths[nearest, column], np.nan)
    return np.where(np.isfinite(values), values, fallback)


def _summed_unit(frame: Frame, inside: np.ndarray) -> tuple[str, float, float | None]:
    """Return the unit of a sum over pixels, the factor to it, and the area in sr.

    MJy/sr times the area of a pixel is a flux: it becomes Jy. JWST point sources are in MJy already.
    """
    text = frame.unit.replace(" ", "")
    if text == "MJy":
        return "Jy", 1e6, None
    if text in ("MJy/sr", "MJysr-1", "MJy.sr-1") and frame.area:
        return "Jy", 1e6 * frame.area, float(np.median(inside.sum(axis=0))) * frame.area
    return frame.unit, 1.0, None

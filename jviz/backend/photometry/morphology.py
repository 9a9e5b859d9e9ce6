"""Shapes of galaxies without a model: Gini, M20, concentration, asymmetry and smoothness of segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.photometry.segmenting import Segments, Tile, Tiles, bands, label_boxes, windows
from jviz.backend.progress import Progress, silent
from jviz.backend.room import let_go

__all__ = ["COLUMNS", "FLAGS", "RADII", "Stamp", "gini", "m20", "measure", "morphologies"]

ETA = 0.2
"""Surface brightness over the mean one within, at the Petrosian radius (Petrosian 1976)."""

TOTAL = 1.5
"""Radius with all light, over the Petrosian one (Conselice 2003, ApJS 147, 1)."""

FINE = 0.25
"""Width of the smoothing for the smoothness, and radius of the core that it leaves out, over the Petrosian radius."""

LEAST_RATIO = 0.1
"""Of minor to major axis: no galaxy is flatter."""

ROUNDS, SHAPE_ROUNDS = 12, 12
STEP = 0.25
"""Pixels between the radii of the curve of growth."""

FLAGS = {
    1: "the light does not fall to the Petrosian radius on the image",
    2: "signal-to-noise of a pixel below 2.5",
    4: "more than a tenth of the pixels belongs to neighbours, is bad or beyond the edge",
    8: "smaller than the smoothing of the smoothness (Petrosian radius below 8 pixels)",
    16: "hardly larger than a pixel (20 % of the light within one pixel)",
}
NUMBERS = ("concentration", "asymmetry", "smoothness", "gini", "m20")
RADII = ("petrosian_radius", "r20", "r50", "r80", "petrosian_sma", "half_light_sma")
"""In pixels."""
COLUMNS = (*RADII, "petrosian_ellipticity", "petrosian_angle", *NUMBERS, *(f"{name}_err" for name in NUMBERS),
           "snr_per_pixel")  # fmt: skip


@dataclass(frozen=True)
class Stamp:
    """The surroundings of a source.

    Attributes
    ----------
    values : ndarray of float64, shape (ny, nx)
        Less the background; NaN where pixels belong to neighbours or have no value.
    noise : ndarray of float64
        Scatter of the background in each pixel.
    error : ndarray of float64
        Standard deviation of each pixel.
    x, y : float
        Where the source is, in pixels of the stamp.
    """

    values: np.ndarray
    noise: np.ndarray
    error: np.ndarray
    x: float
    y: float


def gini(values: np.ndarray) -> float:
    """Return how unevenly light is shared among pixels: 0 all alike, 1 all in one.

    Lotz, Primack & Madau (2004, AJ 128, 163), equation 6: Σ (2i − n − 1) |X_i| / (mean |X| · n (n − 1)), X ascending.
    """
    ranked = np.sort(np.abs(values))
    n = len(ranked)
    if n < 2 or not ranked.sum() > 0:
        return float("nan")
    return float(((2 * np.arange(1, n + 1) - n - 1) @ ranked) / (ranked.mean() * n * (n - 1)))


def m20(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Return log10 of the second moment of the brightest fifth of the light over that of all.

    Lotz, Primack & Madau (2004), equations 7 and 8; the centre, where the moment of all is least, is the centroid.
    """
    total = values.sum()
    if not total > 0:
        return float("nan")
    moments = values * ((x - (values @ x) / total) ** 2 + (y - (values @ y) / total) ** 2)
    order = np.argsort(values)[::-1]
    # the pixel with which a fifth is reached counts by the part that is needed, so that few pixels do not jump
    before = np.concatenate([[0.0], np.cumsum(values[order])[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.clip((0.2 * total - before) / values[order], 0, 1)
    whole, bright = moments.sum(), float(np.nansum(np.where(before < 0.2 * total, part, 0) * moments[order]))
    return float(np.log10(bright / whole)) if whole > 0 and bright > 0 else float("nan")


def measure(stamp: Stamp, realisations: int = 0, rng: Any = None) -> tuple[dict[str, float], int]:
    """Return the numbers of a source by `COLUMNS`, and its flags.

    Definitions are those of Conselice (2003) and Lotz et al. (2004) as Rodriguez-Gomez et al. (2019, MNRAS 483, 4140)
    put them into statmorph: Gini and M20 of the pixels above the brightness at the elliptical Petrosian radius, the
    others in circles. What noise adds to the asymmetry and the smoothness is worked out from the scatter of the
    background (independent from pixel to pixel), not measured in one box of sky beside the source.

    Parameters
    ----------
    realisations : int
        Times that noise of the size of the errors is added again, the centre held: the scatter of the numbers is
        their error. 0: no errors.
    """
    found = dict.fromkeys(COLUMNS, float("nan"))
    x, y, radius = _placed(stamp)
    if not np.isfinite(radius):
        return found, 1
    found["petrosian_radius"] = radius
    ellipse = _ellipse(stamp.values, x, y, radius)
    numbers, segment = _numbers(stamp.values, stamp.noise, x, y, ellipse, *_both(stamp.values, x, y, ellipse))
    found |= numbers
    found["petrosian_ellipticity"], found["petrosian_angle"] = 1 - ellipse[0], float(np.degrees(ellipse[1]) % 180)
    if segment.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            found["snr_per_pixel"] = float(np.mean(stamp.values[segment] / stamp.error[segment]))
    if realisations:
        rng = np.random.default_rng(0) if rng is None else rng
        most = 2 * radius + 2, 2 * np.nan_to_num(found["petrosian_sma"], nan=np.inf) + 2
        drawn = _again(stamp, x, y, ellipse, most, rng.normal(0, 1, (*stamp.values.shape, realisations)))
        for name in NUMBERS:
            values = np.array([one[name] for one in drawn])
            values = values[np.isfinite(values)]
            found[f"{name}_err"] = float(values.std(ddof=1)) if len(values) > 2 else float("nan")
    return found, _flags(stamp, x, y, radius, found)


def _again(
    stamp: Stamp, x: float, y: float, ellipse: tuple[float, float], most: tuple[float, float], noise: np.ndarray
) -> list[dict[str, float]]:
    """Return the numbers with noise added once more, about the same centre; radii and segment are found anew."""
    stack = stamp.values[..., None] + noise * np.nan_to_num(stamp.error)[..., None]
    circles, ellipses = _both(stack, x, y, ellipse, most)
    return [
        _numbers(np.ascontiguousarray(stack[..., k]), stamp.noise, x, y, ellipse, *(
            (radii, light[:, k], area) for radii, light, area in (circles, ellipses)))[0]
        for k in range(stack.shape[-1])
    ]  # fmt: skip


def _both(
    values: np.ndarray, x: float, y: float, ellipse: tuple[float, float],
    most: tuple[float, float] = (np.inf, np.inf),
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:  # fmt: skip
    """Return the curves of growth in circles and in ellipses."""
    return _growth(values, x, y, most[0]), _growth(values, x, y, most[1], ellipse)


def _placed(stamp: Stamp) -> tuple[float, float, float]:
    """Return the centre of least asymmetry and the Petrosian radius there; each depends on the other."""
    from jviz.backend.photometry.morphology_kernels import least_asymmetry

    x, y = stamp.x, stamp.y
    radius = _petrosian(*_growth(stamp.values, x, y))
    for first_step in (1.0, 0.125):
        if not np.isfinite(radius):
            return x, y, radius
        x, y = least_asymmetry(stamp.values, x, y, TOTAL * radius, ROUNDS, first_step)
        radius = _petrosian(*_growth(stamp.values, x, y))
    return x, y, radius


def _ellipse(values: np.ndarray, x: float, y: float, radius: float) -> tuple[float, float]:
    """Return the ratio of the axes and the angle (radians from +x) of a source by the second moments about its centre.

    Of the light within an ellipse of the area of the Petrosian circle, which takes over what it has found until it
    agrees with it: in a circle flat sources would be too round.
    """
    rows, columns = np.ogrid[: values.shape[0], : values.shape[1]]
    v, u, light = rows - y, columns - x, np.where(np.isfinite(values), values, 0.0)
    moments = np.stack([light * m for m in (np.ones_like(u * v), u * u, v * v, u * v)])
    ratio, turn = 1.0, 0.0
    for _ in range(SHAPE_ROUNDS):
        inside = _distance(values.shape, x, y, (ratio, turn)) <= radius / np.sqrt(ratio)
        total, xx, yy, xy = moments[:, inside].sum(axis=1)
        mean, root = (xx + yy) / 2, float(np.hypot((xx - yy) / 2, xy))
        if not (total > 0 and mean + root > 0):
            return 1.0, 0.0
        before, ratio = ratio, max(float(np.sqrt(max(mean - root, 0.0) / (mean + root))), LEAST_RATIO)
        turn = 0.5 * float(np.arctan2(2 * xy, xx - yy))
        if abs(ratio - before) < 0.002:
            break
    return ratio, turn


def _growth(
    values: np.ndarray, x: float, y: float, most: float = np.inf, ellipse: tuple[float, float] = (1.0, 0.0)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return semi-major axes, the light within them (of many images in columns), and their areas."""
    from jviz.backend.photometry.morphology_kernels import ellipse_growth

    ny, nx = values.shape[:2]
    stack = values if values.ndim == 3 else values[..., None]
    reach = min(max(x, nx - 1 - x) + 0.5, max(y, ny - 1 - y) + 0.5, most)
    if ellipse[0] < 1:  # along a diagonal there is more room
        reach = min(float(np.hypot(max(x, nx - 1 - x), max(y, ny - 1 - y))), most)
    step = max(STEP, reach / 400)
    radii = np.arange(1, max(int(reach / step), 3)) * step
    parts, used = np.zeros((len(radii), stack.shape[-1])), np.zeros(len(radii))
    ellipse_growth(stack, x, y, *ellipse, step, parts, used)
    # Pixels that are left out have the mean of those as far away.
    area = np.pi * ellipse[0] * radii**2
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(used[:, None] > 0, parts / used[:, None], 0.0)
    light = np.cumsum(mean * np.diff(area, prepend=0.0)[:, None], axis=0)
    return radii, light if values.ndim == 3 else light[:, 0], area


def _petrosian(radii: np.ndarray, light: np.ndarray, area: np.ndarray) -> float:
    """Return where the surface brightness in a ring of a pixel is a fifth of the mean within; NaN where it never is.

    Lotz et al. (2004), equation 4. Of noise-free Sérsic profiles (n of 1 to 4, axis ratios of 0.5 to
    1, 22 to 26 pixels) it is that of the integral of the profile within 0.1 pixel, of circles and of ellipses.
    statmorph's semi-major axes differ by up to a pixel, for its ellipses are those of the moments of the segment that
    it is given, which depend on the threshold.
    """
    wide = max(1, round(0.5 / (radii[1] - radii[0])))
    with np.errstate(divide="ignore", invalid="ignore"):
        ring = (light[2 * wide :] - light[: -2 * wide]) / (area[2 * wide :] - area[: -2 * wide])
        ratio = ring / (light[wide:-wide] / area[wide:-wide])
    below = np.flatnonzero((ratio[1:] <= ETA) & (ratio[:-1] > ETA))
    if not len(below):
        return float("nan")
    k = int(below[0])
    at = radii[wide:-wide]
    return float(at[k] + (ratio[k] - ETA) / (ratio[k] - ratio[k + 1]) * (at[k + 1] - at[k]))


def _segment(values: np.ndarray, x: float, y: float, radius: float, ellipse: tuple[float, float]) -> np.ndarray:
    """Return the pixels of the source: above the surface brightness at the Petrosian radius, connected.

    Of the image smoothed by a Gaussian of a fifth of that radius (Lotz et al. 2004, section 3.1).
    """
    from scipy.ndimage import gaussian_filter, label

    smooth = gaussian_filter(np.where(np.isfinite(values), values, 0.0), radius / 5)
    distance = _distance(values.shape, x, y, ellipse)
    ring = (np.abs(distance - radius) < 0.5) & np.isfinite(values)
    if not ring.any():
        return np.zeros(smooth.shape, bool)
    parts, count = label((smooth >= smooth[ring].mean()) & (distance < TOTAL * radius))
    if not count:
        return np.zeros(smooth.shape, bool)
    largest = int(np.argmax(np.bincount(parts.ravel())[1:])) + 1
    return (parts == largest) & np.isfinite(values)


def _distance(shape: tuple[int, ...], x: float, y: float, ellipse: tuple[float, float] = (1.0, 0.0)) -> np.ndarray:
    """Return the semi-major axis of the ellipse through each pixel."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    v, u = rows - y, columns - x
    if ellipse[0] == 1:
        return np.sqrt(v * v + u * u)
    cos, sin = np.cos(ellipse[1]), np.sin(ellipse[1])
    return np.hypot(u * cos + v * sin, (v * cos - u * sin) / ellipse[0])


def _numbers(
    values: np.ndarray, noise: np.ndarray, x: float, y: float, ellipse: tuple[float, float],
    circles: tuple[np.ndarray, ...], ellipses: tuple[np.ndarray, ...],
) -> tuple[dict[str, float], np.ndarray]:  # fmt: skip
    """Return the numbers of a source about its centre, and its pixels; NaN and none without Petrosian radii."""
    from jviz.backend.photometry.morphology_kernels import asymmetry

    found = dict.fromkeys((*NUMBERS, *RADII[1:]), float("nan"))
    radii, light, area = circles
    radius = _petrosian(radii, light, area)
    if not np.isfinite(radius):
        return found, np.zeros(values.shape, bool)
    found["r20"], found["r50"], found["r80"] = _radii(radii, light, TOTAL * radius)
    difference, total, expected = asymmetry(values, noise, x, y, TOTAL * radius)
    found["concentration"] = float(5 * np.log10(found["r80"] / found["r20"]))
    found["asymmetry"] = float((difference - expected) / total) if total > 0 else float("nan")
    found["smoothness"] = _smoothness(values, noise, x, y, radius)
    long, within, area = ellipses
    sma = _petrosian(long, within, area)
    if not np.isfinite(sma):
        return found, np.zeros(values.shape, bool)
    segment = _segment(values, x, y, sma, ellipse)
    rows, columns = np.nonzero(segment)
    found["petrosian_sma"], found["half_light_sma"] = sma, _radii(long, within, TOTAL * sma)[1]
    found["gini"] = gini(values[segment])
    found["m20"] = m20(values[segment], columns.astype(float), rows.astype(float))
    return found, segment


def _radii(radii: np.ndarray, light: np.ndarray, reach: float) -> tuple[float, float, float]:
    """Return the radii with 20, 50 and 80 % of the light within ``reach``."""
    total = np.interp(reach, radii, light)
    found = []
    for part in (0.2, 0.5, 0.8):
        k = int(np.argmax(light >= part * total))
        if not total > 0 or light[k] < part * total:
            return (float("nan"),) * 3
        before, r = (light[k - 1], radii[k - 1]) if k else (0.0, 0.0)
        # within the first radius light grows with its square
        share = (part * total - before) / (light[k] - before)
        found.append(float(radii[0] * np.sqrt(share) if k == 0 else r + share * (radii[k] - r)))
    return tuple(found)  # type: ignore[return-value]


def _smoothness(values: np.ndarray, noise: np.ndarray, x: float, y: float, radius: float) -> float:
    """Return the light in structure finer than a quarter of the Petrosian radius, over all between it and 1.5 radii.

    Conselice (2003), equation 11: the part above the image averaged in a square, without the core, less what noise
    gives: σ √((1 − 1/n) / 2π) a pixel for squares of n pixels. The average that he and Lotz et al. (2004) take
    has its middle on the pixel, which a square has with an odd number of pixels alone: the side is the odd number next
    to a quarter of the radius. statmorph rounds that down; where it comes out even (half of all galaxies), its average
    lies half a pixel off, and the slope of the profile counts as structure, up to 0.04.
    """
    from scipy.ndimage import uniform_filter

    side = 2 * int(FINE * radius / 2) + 1
    if side < 3:
        return float("nan")
    good = np.isfinite(values)
    share = uniform_filter(good.astype(float), side, mode="constant")
    with np.errstate(divide="ignore", invalid="ignore"):
        smooth = uniform_filter(np.where(good, values, 0.0), side, mode="constant") / share
    distance = _distance(values.shape, x, y)
    ring = good & (distance >= FINE * radius) & (distance <= TOTAL * radius)
    total = values[ring].sum()
    if not total > 0:
        return float("nan")
    fine = np.clip(values - smooth, 0, None)[ring].sum()
    expected = noise[ring].sum() * np.sqrt((1 - 1 / side**2) / (2 * np.pi))
    return float((fine - expected) / total)


def _flags(stamp: Stamp, x: float, y: float, radius: float, found: dict[str, float]) -> int:
    area = _distance(stamp.values.shape, x, y) <= TOTAL * radius
    whole = np.pi * (TOTAL * radius) ** 2
    flags = (2 if not found["snr_per_pixel"] >= 2.5 else 0) | (1 if not np.isfinite(found["petrosian_sma"]) else 0)
    if (area & np.isfinite(stamp.values)).sum() < 0.9 * whole:
        flags |= 4
    if 2 * int(FINE * radius / 2) + 1 < 3:
        flags |= 8
    return flags | (16 if found["r20"] < 1 else 0)


# --- all sources of an image ------------------------------------------------------------------------


def morphologies(
    found: Segments,
    tiles: Tiles,
    errors: Callable[[Tile], np.ndarray],
    places: tuple[np.ndarray, np.ndarray],
    *,
    realisations: int = 10,
    progress: Progress = silent,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Measure each segment of an image.

    Parameters
    ----------
    found : Segments
    tiles : callable
        The image that is measured, less its background.
    errors : callable
        Gives the standard deviations of the pixels of a tile.
    places : (ndarray, ndarray)
        x and y of the segments, by their labels.

    Returns
    -------
    dict of ndarray, ndarray of int
        By `COLUMNS`, a value for each label, and flags.
    """
    from jviz.backend.photometry.morphology_kernels import stamp_values

    parts, rng = bands(found.shape), np.random.default_rng(1)
    boxes = label_boxes(found.labels, found.count, parts)
    made = {name: np.full(found.count, np.nan) for name in COLUMNS}
    flags, done = np.ones(found.count, int), 0
    for window in windows(boxes, found.shape, parts, 1.0, 10):
        tile = tiles(window.rows, window.columns)
        labels = np.array(found.labels[window.rows, window.columns])
        let_go(found.labels)
        error = np.asarray(errors(tile), float)
        for number in window.numbers.tolist():
            done += 1
            if done % 8 == 0:
                progress(done, found.count, f"shapes of {found.count} sources")
            y0, y1, x0, x1 = _box(boxes[number - 1], window, labels.shape)
            part = (slice(y0, y1), slice(x0, x1))
            values = stamp_values(np.asarray(tile.values[part], float), tile.mask[part], labels[part], number)
            noise = np.nan_to_num(np.asarray(tile.rms[part], float))
            x, y = (float(p[number - 1]) - first for p, first in
                    zip(places, (window.columns.start + x0, window.rows.start + y0), strict=True))  # fmt: skip
            if not (np.isfinite(x) and np.isfinite(y)):
                continue
            stamp = Stamp(values, noise, error[part], x, y)
            numbers, flags[number - 1] = measure(stamp, realisations, rng)
            for name in COLUMNS:
                made[name][number - 1] = numbers[name]
    return made, flags


def _box(box: np.ndarray, window: Any, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the rows and columns of a window with a segment and what is round it."""
    y0, y1, x0, x1 = (int(v) for v in box)
    reach = int(np.ceil(np.hypot(y1 - y0, x1 - x0))) + 10
    top, left = window.rows.start, window.columns.start
    return (max(y0 - reach - top, 0), min(y1 + reach - top, shape[0]), max(x0 - reach - left, 0),
            min(x1 + reach - left, shape[1]))  # fmt: skip

"""Ellipses of equal surface brightness fitted to a galaxy, and the image that they make."""

from __future__ import annotations

import warnings
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.backend.room import let_go, zeros

__all__ = ["FIRST", "HARMONICS", "Grid", "Isophote", "binned", "centre_near", "fit_growing", "fit_isophotes",
           "model_of", "moments_near", "part_round", "table_of"]  # fmt: skip

HARMONICS = ("a3", "b3", "a4", "b4")
STARTS = (1.0, 0.5, 2.0, 4.0, 0.25)
"""Parts of the first semi-major axis that are tried, one after the other, until an ellipse is found."""

LEAST = 0.5
"""Semi-major axis in pixels within which there are no more ellipses."""

ROUNDS = 40
STRIP = 128
NEARBY, SPARSE = 150, 4
"""Pixels from the centre within which models are worked out in each pixel, and every how many beyond."""

NEAR = 6
"""Pixels round the place that was given in which the brightest one is looked for."""


FIRST = 1024
"""Half the side in pixels of the picture that ellipses are fitted on: of larger parts means of pixels are taken."""

STRIPS = 1 << 22
"""Pixels that are read at once."""

INSIDE = 0.85
"""Part of that within which ellipses are whole, wherever their centres have gone and however they are turned."""

Read = Callable[[slice, slice], np.ndarray]
"""From rows and columns to pixels."""


def part_round(centre: tuple[float, float], reach: float, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of an image within a distance of a place along both axes."""
    half = int(np.ceil(reach))
    rows, columns = (slice(max(round(place) - half, 0), max(min(round(place) + half + 1, n), 0))
                     for place, n in zip(centre[::-1], shape, strict=True))  # fmt: skip
    return rows, columns


@dataclass(frozen=True)
class Grid:
    """How means of ``bins`` × ``bins`` pixels, from a column and a row on, lie on an image."""

    x: int
    y: int
    bins: int

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """Return the place among the means of a place on the image."""
        return (x - self.x + 0.5) / self.bins - 0.5, (y - self.y + 0.5) / self.bins - 0.5

    def outside(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the place on the image of a place among the means."""
        return (x + 0.5) * self.bins - 0.5 + self.x, (y + 0.5) * self.bins - 0.5 + self.y


def binned(read: Read, rows: slice, columns: slice, bins: int) -> tuple[np.ndarray, Grid]:
    """Return the means of blocks of pixels, NaN where a block has none; what is left over at the edge is dropped."""
    grid = Grid(columns.start, rows.start, bins)
    if bins == 1:
        return read(rows, columns), grid
    ny, nx = (max((part.stop - part.start) // bins, 1) for part in (rows, columns))
    width = slice(columns.start, min(columns.start + nx * bins, columns.stop))
    made = np.empty((ny, nx))
    high = max(STRIPS // (nx * bins * bins), 1)
    for first in range(0, ny, high):
        last = min(first + high, ny)
        values = read(slice(rows.start + first * bins, rows.start + last * bins), width)
        blocks = values[:, : nx * bins].reshape(last - first, bins, nx, bins)
        known = np.isfinite(blocks)
        count = known.sum(axis=(1, 3))
        made[first:last] = np.where(known, blocks, 0).sum(axis=(1, 3)) / np.where(count, count, np.nan)
    return made, grid


def fit_growing(
    read: Read, shape: tuple[int, int], centre: tuple[float, float], sma: float, ellipticity: float, angle: float, *,
    step: float = 0.1, linear: bool = False, minimum: float = 0.0, maximum: float | None = None, **options: Any,
) -> Any:  # fmt: skip
    """Fit isophotes on as large a part of an image as they need, and on means of pixels where they are large.

    Parameters
    ----------
    read : callable
        From rows and columns to pixels, NaN where they are not used.
    shape : (int, int)
        Of the image.
    centre, sma, ellipticity, angle, step, linear, minimum, maximum, options
        As in `fit_isophotes`.

    Returns
    -------
    QTable
        From `table_of`, in pixels of the image.
    """
    from astropy.table import vstack

    bins, how = max(1, int(np.ceil(3 * sma / FIRST))), {"step": step, "linear": linear, **options}
    start = (centre, sma, ellipticity, angle)
    table, cut = _on_part(read, shape, bins, *start, minimum=minimum, maximum=maximum, **how)
    while cut:
        table = table[_length(table) <= INSIDE * FIRST * bins]
        bins *= 2
        last = {name: float(getattr(table[name][-1], "value", table[name][-1])) for name in table.colnames}
        start = (last["x0"], last["y0"]), last["sma"], last["ellipticity"], float(np.radians(last["pa"]))
        try:
            more, cut = _on_part(read, shape, bins, *start, minimum=last["sma"], maximum=maximum, **how)
        except ValueError:  # there is nothing more to be seen
            break
        table = vstack([table, more[_length(more) > 1.0001 * last["sma"]]])
    return table


def _on_part(
    read: Read, shape: tuple[int, int], bins: int, centre: tuple[float, float], sma: float, ellipticity: float,
    angle: float, *, step: float, linear: bool, minimum: float, maximum: float | None, **options: Any,
) -> tuple[Any, bool]:  # fmt: skip
    """Fit isophotes on a picture of some size; return them in pixels of the image, and whether they reach beyond."""
    reach = FIRST * bins
    rows, columns = part_round(centre, reach, shape)
    values, grid = binned(read, rows, columns, bins)
    most = None if maximum is None else min(maximum, 1.2 * reach) / bins
    table = table_of(fit_isophotes(
        values, grid.inside(*centre), sma / bins, ellipticity, angle, step=step / bins if linear else step,
        linear=linear, minimum=minimum / bins, maximum=most, **options,
    ))  # fmt: skip
    units = table["x0"].unit
    x, y = grid.outside(table["x0"].value, table["y0"].value)
    table["x0"], table["y0"] = x * units, y * units
    for name in ("sma", "x0_err", "y0_err"):
        table[name] *= bins
    for name in ("gradient", "gradient_err"):
        table[name] /= bins
    smaller = rows.stop - rows.start < shape[0] or columns.stop - columns.start < shape[1]
    return table, bool(smaller and _length(table)[-1] > INSIDE * reach)


def _length(table: Any) -> np.ndarray:
    return np.asarray(table["sma"].value)


def centre_near(values: np.ndarray, x: float, y: float, reach: int = NEAR) -> tuple[float, float]:
    """Return the peak near a place by a parabola through the pixels round the brightest one, else the place."""
    from photutils.centroids import centroid_quadratic

    ny, nx = values.shape
    y0, x0 = max(round(y) - reach, 0), max(round(x) - reach, 0)
    box = values[y0 : min(round(y) + reach + 1, ny), x0 : min(round(x) + reach + 1, nx)]
    if box.size < 25 or not np.isfinite(box).any():
        return x, y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = centroid_quadratic(np.nan_to_num(box, nan=float(np.nanmin(box))), fit_boxsize=5)
    good = np.isfinite(found).all()
    return (float(found[0]) + x0, float(found[1]) + y0) if good else (x, y)


def moments_near(values: np.ndarray, x: float, y: float, reach: float) -> tuple[float, float]:
    """Return ellipticity and angle (radians from +x) of the light within a radius, by its second moments."""
    y0, x0 = (max(int(np.ceil(place - reach)), 0) for place in (y, x))
    values = values[y0 : int(y + reach) + 1, x0 : int(x + reach) + 1]
    rows, columns = np.indices(values.shape)
    v, u = rows + y0 - y, columns + x0 - x
    inside = (np.hypot(u, v) <= reach) & np.isfinite(values)
    light = np.clip(values[inside] - np.min(values[inside], initial=np.inf), 0, None)
    if not inside.sum() > 10 or not light.sum() > 0:
        return 0.2, 0.0
    xx, yy, xy = (np.average(m, weights=light) for m in (u[inside] ** 2, v[inside] ** 2, (u * v)[inside]))
    root = np.hypot((xx - yy) / 2, xy)
    long, short = (xx + yy) / 2 + root, max((xx + yy) / 2 - root, 1e-9)
    return float(np.clip(1 - np.sqrt(short / long), 0.05, 0.8)), float(0.5 * np.arctan2(2 * xy, xx - yy) % np.pi)


def fit_isophotes(
    values: np.ndarray,
    centre: tuple[float, float],
    sma: float,
    ellipticity: float,
    angle: float,
    *,
    step: float = 0.1,
    linear: bool = False,
    minimum: float = 0.0,
    maximum: float | None = None,
    fixed: Sequence[str] = (),
    clip: float = 3.0,
    clips: int = 2,
    gradient_error: float = 0.5,
    each: Callable[[Any], None] | None = None,
    progress: Progress = silent,
) -> Any:
    """Fit isophotes outwards from a first ellipse, then inwards (Jedrzejewski 1987, MNRAS 226, 747).

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        NaN is left out.
    sma, ellipticity, angle : float
        First semi-major axis in pixels, ellipticity 1 − b/a, angle in radians from +x, counter-clockwise.
    step : float
        From one to the next: as a part of it, or with ``linear`` in pixels.
    minimum, maximum : float
        Semi-major axes; without a maximum until the signal is lost.
    fixed : sequence of str
        Of "center", "ellipticity", "angle": what stays as it is.
    clip, clips : float, int
        Values farther than so many σ from the mean along the ellipse are left out, so many times.
    gradient_error : float
        Relative error of the gradient above which no geometry is fitted any more.
    each : callable, optional
        Gets each `Isophote` as soon as it is there.

    Returns
    -------
    list of Isophote

    Raises
    ------
    ValueError
        When no ellipse can be fitted.
    """
    image = np.ascontiguousarray(values, float)
    held = np.array([name in fixed for name in ("center", "center", "angle", "ellipticity")])
    fit = _Fit(image, held, linear, clip, clips, gradient_error, each, progress)
    for part in STARTS:
        first = sma * part
        if first < 3 or (maximum is not None and first >= maximum):
            continue
        found = fit.outwards(np.array([*centre, ellipticity, angle], float), first, step, maximum)
        if len(found) > 1:
            found = [*fit.inwards(found[0], step, minimum), *found]
        if len(found) >= 4:
            return found
    raise ValueError("no ellipse can be fitted there; give a centre on a galaxy, or another first semi-major axis")


COLUMNS = ("sma", "x0", "y0", "eps", "pa", "intens", "rms", "int_err", "grad", "gradient_err", "n_data", "n_flag",
           "n_iter", "stop_code", "x0_err", "y0_err", "ellip_err", "pa_err", "a3", "b3", "a3_err", "b3_err",
           "a4", "b4", "a4_err", "b4_err")  # fmt: skip
"""What is known of an ellipse, by the names of ``photutils.isophote.Isophote``."""

Isophote = namedtuple("Isophote", COLUMNS)
"""One ellipse, in pixels and radians, by the names of ``photutils.isophote.Isophote``."""

CORRECTIONS = 10
"""Of an ellipse at least; of the first one twice as many."""


@dataclass(frozen=True)
class _Fit:
    """Fits one ellipse after the other, each from the one before, as photutils' ``Ellipse.fit_image`` does.

    Other than there the way inwards begins with the first ellipse, not with the outermost one, and with ``linear`` the
    gradient is that over one step (photutils takes the step for a part of the axis).
    """

    image: np.ndarray
    fixed: np.ndarray
    linear: bool
    clip: float
    clips: int
    doubt: float
    each: Callable[[Isophote], None] | None
    progress: Progress

    def outwards(self, start: np.ndarray, sma: float, step: float, maximum: float | None) -> list[Isophote]:
        """Return ellipses from the first one on, until the signal or the image ends."""
        found: list[Isophote] = []
        fitting, least = True, 2 * CORRECTIONS
        while maximum is None or sma < maximum or not found:
            one = self._next(start, sma, step, least, fitting)
            least = CORRECTIONS
            if one.stop_code == 3 or one.n_data == 0:
                break
            if one.stop_code < 0 or one.stop_code == 1:
                if not found:
                    return []
                one = self._like(one, found[-1], step)
            found.append(one)
            lost = one.stop_code == 1 or (one.stop_code == 5 and found[-2].stop_code == 5)
            if fitting and lost and len(found) > 2:
                if maximum is None:
                    break
                fitting = False
            start, sma = _shape(one), sma + step if self.linear else sma * (1 + step)
        return found

    def inwards(self, first: Isophote, step: float, minimum: float) -> list[Isophote]:
        """Return ellipses from the innermost one to the one within the first."""
        from jviz.backend.photometry.isophote_kernels import light_at

        found: list[Isophote] = []
        start, sma = _shape(first), first.sma
        step = -step if self.linear else 1 / (1 + step) - 1
        while (sma := sma + step if self.linear else sma * (1 + step)) > max(minimum, LEAST):
            one = self._next(start, sma, step, CORRECTIONS, True)
            if one.stop_code == 3 or one.n_data == 0:
                break
            if one.stop_code < 0:
                one = self._like(one, first, step)
            found.insert(0, one)
            start = _shape(one)
        light = light_at(self.image, start[0], start[1])
        if minimum == 0 and np.isfinite(light):
            found.insert(0, Isophote(**dict.fromkeys(COLUMNS, 0.0) | {
                "x0": start[0], "y0": start[1], "intens": light, "n_data": 1, "rms": np.nan, "gradient_err": np.nan}))
        return found

    def _next(self, start: np.ndarray, sma: float, step: float, least: int, fitting: bool) -> Isophote:
        from jviz.backend.photometry.isophote_kernels import as_it_is, fitted

        self.progress(0, 0, f"ellipse of {sma:.1f} pixels")
        part, how = self._part(sma, step), (self.clip, self.clips)
        if fitting:
            row = fitted(self.image, start, sma, part, self.fixed, *how, least, self.doubt, step < 0)
        else:
            row = as_it_is(self.image, start, sma, part, *how, 0, 4)
        one = Isophote(*row.tolist())
        if self.each is not None:
            self.each(one)
        return one

    def _like(self, one: Isophote, other: Isophote, step: float) -> Isophote:
        """Return an ellipse that went astray with the shape of another."""
        from jviz.backend.photometry.isophote_kernels import as_it_is

        code = 5 if one.stop_code < 0 else int(one.stop_code)
        part = self._part(one.sma, step)
        row = as_it_is(self.image, _shape(other), one.sma, part, self.clip, self.clips, int(one.n_iter), code)
        return Isophote(*row.tolist())

    def _part(self, sma: float, step: float) -> float:
        return max(step / sma, -0.5) if self.linear else step


def _shape(one: Isophote) -> np.ndarray:
    return np.array([one.x0, one.y0, one.eps, one.pa])


def table_of(found: Any) -> Any:
    """Return the numbers of isophotes as a ``QTable``, lengths in pixels, angles in degrees from +x.

    Errors are photutils': of the intensity the scatter along the ellipse over √n, of the geometry those of the
    harmonics (Busko 1996, ASPC 101, 139); NaN where they are not known.
    """
    from astropy import units as u
    from astropy.table import QTable

    def column(name: str) -> np.ndarray:
        return np.array([np.nan if (v := getattr(one, name, None)) is None else v for one in found], float)

    table = QTable({"sma": column("sma") * u.pix, "intensity": column("intens"), "intensity_err": column("int_err"),
                    "ellipticity": column("eps"), "ellipticity_err": column("ellip_err")})  # fmt: skip
    table["pa"], table["pa_err"] = np.degrees(column("pa")) % 180 * u.deg, np.degrees(column("pa_err")) * u.deg
    for name in ("x0", "y0"):
        table[name], table[f"{name}_err"] = column(name) * u.pix, column(f"{name}_err") * u.pix
    for name in HARMONICS:
        table[name], table[f"{name}_err"] = column(name), column(f"{name}_err")
    table["gradient"], table["gradient_err"] = column("grad"), column("gradient_err")
    table["rms"] = column("rms")
    for ours, theirs in (("n_data", "n_data"), ("n_flagged", "n_flag"), ("n_iter", "n_iter"), ("stop_code",) * 2):
        table[ours] = np.nan_to_num(column(theirs)).astype(int)
    for name in [name for name in table.colnames if name.endswith("_err")]:
        table[name][np.asarray(getattr(table[name], "value", table[name])) == 0] = np.nan
    return table


def model_of(table: Any, shape: tuple[int, int], *, harmonics: bool = True, progress: Progress = silent) -> np.ndarray:
    """Return the image that isophotes make: each pixel has the intensity of the ellipse through it.

    The geometry is interpolated along the semi-major axis, angles without jumps, the intensity by a monotonic cubic in
    its logarithm; beyond the last ellipse the model is 0.

    Parameters
    ----------
    table : QTable
        From `table_of`.
    harmonics : bool
        Add the third and fourth harmonics.
    """
    from scipy.interpolate import PchipInterpolator

    plain = {n: np.asarray(getattr(table[n], "value", table[n]), float) for n in table.colnames}
    good = np.isfinite(plain["intensity"]) & np.isfinite(plain["ellipticity"])
    plain = {n: v[good] for n, v in plain.items()}
    sma, least = plain["sma"], 0.3
    axis = np.log(np.maximum(sma, least))
    keep = np.concatenate([[True], np.diff(axis) > 0])
    curve = PchipInterpolator(axis[keep], plain["intensity"][keep])
    geometry = [plain["x0"], plain["y0"], plain["ellipticity"], np.unwrap(np.radians(plain["pa"]), period=np.pi)]
    made = zeros(shape, np.float32)
    last = float(sma[-1])
    x0, y0 = float(plain["x0"][-1]), float(plain["y0"][-1])
    rows = slice(max(int(y0 - last) - 2, 0), min(int(y0 + last) + 3, shape[0]))
    columns = slice(max(int(x0 - last) - 2, 0), min(int(x0 + last) + 3, shape[1]))
    for first in range(rows.start, rows.stop, STRIP):
        progress(first - rows.start, rows.stop - rows.start, "model")
        part = slice(first, min(first + STRIP, rows.stop))
        a, angle = _ellipses_of(part, columns, sma, geometry)
        light = curve(np.log(np.clip(a, least, last)))
        if harmonics:
            light += _harmonics(a, angle, sma, plain)
        made[part, columns] = np.where(a <= last, light, 0)
        let_go(made)
    return made


def _ellipses_of(rows: slice, columns: slice, sma: np.ndarray, geometry: list[np.ndarray]) -> Any:
    """Return the semi-major axis of the ellipse through each pixel of a strip, and the angle from its major axis.

    Far from the centre every fourth pixel is worked out, between which axes are as good as linear.
    """
    y, x = np.mgrid[rows, columns].astype(float)
    if sma[-1] < NEARBY:
        return _ellipse_through(x, y, sma, geometry)
    grid = [np.append(np.arange(part.start, part.stop - 1, SPARSE), part.stop - 1) for part in (rows, columns)]
    rough = _ellipse_through(*np.meshgrid(grid[1], grid[0]), sma, geometry)[0]
    along = np.stack([np.interp(x[0], grid[1], line) for line in rough])
    where = np.clip(np.searchsorted(grid[0], y[:, 0], side="right") - 1, 0, max(len(grid[0]) - 2, 0))
    part = ((y[:, 0] - grid[0][where]) / np.maximum(np.diff(grid[0], append=np.inf)[where], 1))[:, None]
    a = along[where] * (1 - part) + along[np.minimum(where + 1, len(along) - 1)] * part
    near = (np.abs(x - geometry[0][-1]) < NEARBY) & (np.abs(y - geometry[1][-1]) < NEARBY)
    if near.any():
        a[near] = _ellipse_through(x[near], y[near], sma, geometry)[0]
    return _angle(x, y, a, sma, geometry)  # with the shape of an ellipse that is nearly the right one


def _ellipse_through(x: np.ndarray, y: np.ndarray, sma: np.ndarray, geometry: list[np.ndarray]) -> Any:
    """Return the semi-major axis of the ellipse through each place, and the angle there from its major axis."""
    a = np.hypot(x - geometry[0][-1], y - geometry[1][-1])
    for _ in range(ROUNDS):
        new, angle = _angle(x, y, a, sma, geometry)
        done = np.abs(new - a).max() < 1e-3
        # half-way: where ellipses turn or flatten quickly a full step would swing to and fro
        a = new if done else (a + new) / 2
        if done:
            break
    return a, angle


def _angle(x: np.ndarray, y: np.ndarray, a: np.ndarray, sma: np.ndarray, geometry: list[np.ndarray]) -> Any:
    """Return the axis of the ellipse through each place with the shape of that of axis a, and the angle there."""
    x0, y0, eps, pa = (np.interp(a, sma, values) for values in geometry)
    cos, sin = np.cos(pa), np.sin(pa)
    u, v = (x - x0) * cos + (y - y0) * sin, (y - y0) * cos - (x - x0) * sin
    return np.hypot(u, v / (1 - np.clip(eps, 0, 0.98))), np.arctan2(v, u)


def _harmonics(a: np.ndarray, angle: np.ndarray, sma: np.ndarray, plain: dict[str, np.ndarray]) -> np.ndarray:
    scale = np.nan_to_num(np.abs(plain["gradient"]) * sma)
    made = np.zeros(a.shape)
    for order in (3, 4):
        for name, wave in ((f"a{order}", np.sin), (f"b{order}", np.cos)):
            made += np.interp(a, sma, np.nan_to_num(plain[name]) * scale) * wave(order * angle)
    return made

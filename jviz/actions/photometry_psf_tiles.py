"""PSF photometry of large mosaics: a tile at a time with what is round it, so that memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from jviz.actions.photometry_sources import scene_of
from jviz.backend.photometry.psf_fitting import Fitted
from jviz.backend.photometry.psfs import PsfModel
from jviz.backend.progress import Progress
from jviz.backend.room import let_go, room
from jviz.data import Image
from jviz.errors import CommandError
from jviz.photometry import Field
from jviz.photometry_tiles import Scene
from jviz.psf_photometry import saturated_near
from jviz.session import Session

__all__ = ["Added", "Montage", "Mosaic", "Plan", "Window", "fit_mosaic", "measured_scene", "montage", "plan_for",
           "variance_of", "windows_of"]  # fmt: skip

CORE = 1536
"""Side of the tiles in pixels, without what is round them."""

MOST_MARGIN = 320
STAMP = 96
"""Pixels round a star that are cut out to build a PSF from it; larger PSFs take more."""

SHARED = 0.5
"""Pixels beyond a tile in which stars found are taken too: one that lies on its edge might belong to none."""

SAME = 1.0
"""Pixels within which stars of two tiles are one."""


@dataclass(frozen=True)
class Window:
    """A tile: its own pixels, and those with what is round them."""

    rows: slice
    columns: slice
    wide_rows: slice
    wide_columns: slice

    def owns(self, x: np.ndarray, y: np.ndarray, beyond: float = 0.0) -> np.ndarray:
        """Return which places lie on the tile."""
        low, high = -0.5 - beyond, -0.5 + beyond
        with np.errstate(invalid="ignore"):
            return ((x >= self.columns.start + low) & (x < self.columns.stop + high)
                    & (y >= self.rows.start + low) & (y < self.rows.stop + high))  # fmt: skip

    def near(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which places lie on the tile or round it."""
        with np.errstate(invalid="ignore"):
            return ((x > self.wide_columns.start - 0.5) & (x < self.wide_columns.stop - 0.5)
                    & (y > self.wide_rows.start - 0.5) & (y < self.wide_rows.stop - 0.5))  # fmt: skip


@dataclass(frozen=True)
class Mosaic:
    """The stars of a mosaic.

    Attributes
    ----------
    fitted : Fitted
    level : ndarray
        Background at each star.
    saturated : ndarray of bool
    found : ndarray of int
        In which pass each was found; 0: given.
    residual : ndarray or None
        The image less its stars.
    field : Field
    from_errors : bool
    """

    fitted: Fitted
    level: np.ndarray
    saturated: np.ndarray
    found: np.ndarray
    residual: np.ndarray | None
    field: Field
    from_errors: bool


def windows_of(shape: tuple[int, int], mesh: int, margin: int) -> list[Window]:
    """Share an image out to tiles whose edges are those of meshes of the background, so that these stay the same."""
    step = max(mesh, 1)
    side, margin = -(-CORE // step) * step, -(-margin // step) * step
    spans = [[(first, min(first + side, n)) for first in range(0, n, side)] for n in shape]
    return [
        Window(slice(y0, y1), slice(x0, x1), slice(max(y0 - margin, 0), min(y1 + margin, shape[0])),
               slice(max(x0 - margin, 0), min(x1 + margin, shape[1])))
        for y0, y1 in spans[0] for x0, x1 in spans[1]
    ]  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What is the same for all tiles."""

    scene: Scene
    model: PsfModel
    fit_size: int
    max_shift: float | None
    snr: float
    passes: int
    box_size: int
    gain: float | None
    from_errors: bool


@dataclass(frozen=True)
class Added:
    """Stars that are added to an image: their light, shape (ny, nx), and where they are."""

    light: np.ndarray
    x: np.ndarray
    y: np.ndarray


def plan_for(
    session: Session, data: Image, model: PsfModel, *, fit_size: int, max_shift: float | None, snr: float = 5.0,
    passes: int = 1, box_size: int, gain: float | None, flags: Any, progress: Progress,
) -> Plan:  # fmt: skip
    """Work out the background and the noise of an image whose stars are to be fitted.

    Raises
    ------
    CommandError
        When a number is none, or there is no noise.
    """
    scene, from_errors = measured_scene(session, data, box_size, gain, flags, progress)
    return Plan(scene, model, fit_size, max_shift, snr, passes, box_size, gain, from_errors)


def measured_scene(
    session: Session, data: Image, box_size: int, gain: float | None, flags: Any, progress: Progress
) -> tuple[Scene, bool]:
    """Return an image with its background and its noise, and whether that is from its errors."""
    if gain is not None and not gain > 0:
        raise CommandError(f"A gain of {gain:g} is none; give the electrons for 1 in the image, above 0.")
    scene = scene_of(session, data, None, flags)
    from_errors = scene.field.has_errors and gain is None
    scene.measure(box_size, noise="errors" if from_errors else "background", progress=progress)
    if not scene.typical_rms > 0:
        raise CommandError(f"{data.name} has no noise to weigh its pixels by: its errors are 0 or NaN; give a gain.")
    return scene, from_errors


def fit_mosaic(
    plan: Plan, places: tuple[np.ndarray, np.ndarray] | None = None, *, residual: bool = False,
    added: Added | None = None, progress: Progress,
) -> Mosaic:  # fmt: skip
    """Fit the stars of an image a tile at a time.

    Each tile is fitted with the stars round it, as far as the PSF reaches; those on the tile itself are kept.

    Parameters
    ----------
    places : (x, y), optional
        Stars, each of which has its row in the end.
    residual : bool
        Make the image less its stars.
    added : Added, optional
        Stars that are added first; only tiles on which some of them are get fitted.
    """
    scene = plan.scene
    margin = min(max(2 * plan.model.reach + 4, 2 * plan.box_size, 64), MOST_MARGIN)
    windows = windows_of(scene.shape, plan.box_size, margin)
    if added is not None:
        windows = [window for window in windows if window.owns(added.x, added.y).any()]
    left = room(scene.shape, np.float32) if residual else None
    parts = []
    for number, window in enumerate(windows):
        progress(number, len(windows), f"tile {number + 1} of {len(windows)}")
        parts.append(_fitted_tile(plan, window, places, left, added))
        let_go(*(plane for plane in (left, added and added.light) if plane is not None))
    kept = _together(parts, None if places is None else len(places[0]), plan.model.fwhm)
    return Mosaic(*kept, left, scene.field, plan.from_errors)


@dataclass(frozen=True)
class Montage:
    """The surroundings of stars side by side, as one image.

    Attributes
    ----------
    values, variance : ndarray, shape (ny, nx)
        NaN and infinite between them, and where pixels are not used.
    x, y : ndarray
        The stars there.
    others : (ndarray, ndarray)
        Their neighbours there; one that is near two stars is there twice.
    """

    values: np.ndarray
    variance: np.ndarray
    x: np.ndarray
    y: np.ndarray
    others: tuple[np.ndarray, np.ndarray]


def montage(
    scene: Scene, x: np.ndarray, y: np.ndarray, others: tuple[np.ndarray, np.ndarray] | None, reach: int,
    progress: Progress,
) -> Montage:  # fmt: skip
    """Cut stars out of an image, with what is round them within ``reach`` pixels, and lay them side by side."""
    on = np.flatnonzero((x > -0.5) & (y > -0.5) & (x < scene.shape[1] - 0.5) & (y < scene.shape[0] - 0.5))
    side = 2 * reach + 2  # a free pixel between two
    across = max(int(np.ceil(np.sqrt(max(len(on), 1)))), 1)
    shape = (max(-(-len(on) // across), 1) * side, across * side)
    values, variance = np.full(shape, np.nan, np.float32), np.full(shape, np.inf, np.float32)
    near = np.c_[x, y] if others is None else np.r_[np.c_[x, y], np.c_[others]]
    places, beside = np.full((len(x), 2), -1e3), [np.zeros((0, 2))]  # stars off the image stay off
    # row by row, so that files are read from begin to end
    for number, star in enumerate(on[np.argsort(y[on], kind="stable")].tolist()):
        progress(number, len(on), "cutting out stars")
        row, column = number // across * side, number % across * side
        j, i = round(float(x[star])), round(float(y[star]))
        rows, columns = (slice(max(c - reach, 0), min(c + reach + 1, n))
                         for c, n in zip((i, j), scene.shape, strict=True))  # fmt: skip
        tile = scene.tile(rows, columns)
        top, left = row + rows.start - i + reach, column + columns.start - j + reach
        cell = (slice(top, top + rows.stop - rows.start), slice(left, left + columns.stop - columns.start))
        values[cell], variance[cell] = tile.values, variance_of(scene, rows, columns, tile)[0]
        shift = np.array([column + reach - j, row + reach - i])
        places[star] = np.array([x[star], y[star]]) + shift
        far = np.abs(near - (x[star], y[star])).max(axis=1)
        far[star] = np.inf
        beside.append(near[far < reach] + shift)
    neighbours = np.concatenate(beside)
    return Montage(values, variance, places[:, 0], places[:, 1], (neighbours[:, 0], neighbours[:, 1]))


@dataclass(frozen=True)
class _Part:
    """The stars of one tile, by the places they were given at (−1: found)."""

    fitted: Fitted
    level: np.ndarray
    saturated: np.ndarray
    found: np.ndarray
    given: np.ndarray


def _fitted_tile(
    plan: Plan, window: Window, places: tuple[np.ndarray, np.ndarray] | None, left: np.ndarray | None,
    added: Added | None,
) -> _Part | None:  # fmt: skip
    from jviz.actions.photometry_psf import Ready, fit_passes, settle_background, star_fit
    from jviz.backend.progress import silent

    chosen = np.zeros(0, int) if places is None else np.flatnonzero(window.near(*places))
    if left is None and plan.passes == 1 and places is not None and not window.owns(*places).any():
        return None
    tile = plan.scene.tile(window.wide_rows, window.wide_columns)
    if added is not None:
        tile = replace(tile, values=tile.values + added.light[window.wide_rows, window.wide_columns])
    variance, dq = variance_of(plan.scene, window.wide_rows, window.wide_columns, tile)
    corner = np.array([window.wide_columns.start, window.wide_rows.start], float)
    fit, found, level = None, np.zeros(0, int), tile.level
    if np.isfinite(variance).any() and (places is None or len(chosen) or plan.passes > 1):
        model = replace(plan.model, places=plan.model.places - corner)
        ready = Ready(plan.scene.field, None, tile.values, tile.level, variance, plan.gain, False)
        fit = star_fit(ready, model, plan.fit_size, plan.max_shift)
        x, y = (np.zeros((2, 0)) if places is None else np.stack(places)[:, chosen]) - corner[:, None]
        try:
            found = fit_passes(fit, x, y, plan.snr, plan.passes, len(chosen) > 0, silent)
            if plan.box_size:
                level = level + settle_background(fit, ready, plan.box_size, silent)
        except CommandError:  # no star on this tile
            fit = None
    if left is not None:
        _lay_down(left, window, tile, fit)
    if fit is None:
        return None
    given = np.full(len(found), -1)
    given[: len(chosen)] = chosen
    return _own(fit, found, given, level, dq, plan, window)


def variance_of(scene: Scene, rows: slice, columns: slice, tile: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the variance of each pixel of a tile, infinite where it is not used, and the flags."""
    hidden, saturated = tile.mask, scene.field.saturated
    flags = scene.field.read(rows, columns).flags if saturated else None
    if flags is not None:
        hidden = hidden | ((flags & np.uint32(saturated)) != 0)
    variance = np.square(tile.rms, dtype=np.float32)
    variance[hidden | ~(variance > 0)] = np.inf
    return variance, flags


def _lay_down(left: np.ndarray, window: Window, tile: Any, fit: Any) -> None:
    """Write the tile less its stars."""
    part = (slice(window.rows.start - window.wide_rows.start, window.rows.stop - window.wide_rows.start),
            slice(window.columns.start - window.wide_columns.start, window.columns.stop - window.wide_columns.start))
    values = tile.values[part] + tile.level[part]
    left[window.rows, window.columns] = values if fit is None else values - fit.model[part]


def _own(
    fit: Any, found: np.ndarray, given: np.ndarray, level: np.ndarray, dq: np.ndarray | None, plan: Plan, window: Window
) -> _Part:
    """Return the stars that lie on the tile, in pixels of the image."""
    from jviz.actions.photometry_psf import level_at

    fitted = fit.fitted()
    saturated = saturated_near(dq, plan.scene.field.saturated, fitted.x, fitted.y, fit.half)
    # A star that was given belongs to the tile on which it began, wherever the fit has moved it.
    x = np.where(given >= 0, fit.start[:, 0], fitted.x) + window.wide_columns.start
    y = np.where(given >= 0, fit.start[:, 1], fitted.y) + window.wide_rows.start
    mine = np.where(given >= 0, window.owns(x, y), window.owns(x, y, SHARED))
    values = {f.name: getattr(fitted, f.name)[mine] for f in fields(Fitted)}
    values["x"], values["y"] = values["x"] + window.wide_columns.start, values["y"] + window.wide_rows.start
    return _Part(Fitted(**values), level_at(level, fitted)[mine], saturated[mine], found[mine], given[mine])


def _together(parts: list[_Part | None], count: int | None, fwhm: float) -> tuple[Fitted, Any, Any, Any]:
    """Put the stars of all tiles together: those given in their order, then those found, each once."""
    parts = [part for part in parts if part is not None]
    tile = np.concatenate([np.full(len(p.found), n) for n, p in enumerate(parts)] or [np.zeros(0, int)])
    given, found, level, saturated = (
        np.concatenate([getattr(p, name) for p in parts] or [np.zeros(0)])
        for name in ("given", "found", "level", "saturated")
    )
    values = {f.name: np.concatenate([getattr(p.fitted, f.name) for p in parts] or [np.zeros(0)])
              for f in fields(Fitted)}  # fmt: skip
    values["group"] = _numbered(tile, values["group"])
    keep = _once(values["x"], values["y"], values["flux"], tile, given < 0, min(SAME, 0.5 * fwhm))
    order = keep[np.lexsort((np.arange(len(keep)), given[keep], given[keep] < 0))]
    rows = {name: column[order] for name, column in values.items()}
    level, saturated, found = level[order], saturated[order], found[order]
    if count is None:
        return Fitted(**rows), level, saturated.astype(bool), found.astype(int)
    return _with_lost(rows, level, saturated, found, given[order], count)


def _numbered(tile: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Number the groups of all tiles on; 0 stays 0."""
    pairs, number = np.unique(np.stack([tile, group], 1), axis=0, return_inverse=True)
    made = np.cumsum(pairs[:, 1] > 0)[number.ravel()] if len(pairs) else np.zeros(0, int)
    return np.where(group > 0, made, 0)


def _once(
    x: np.ndarray, y: np.ndarray, flux: np.ndarray, tile: np.ndarray, free: np.ndarray, reach: float
) -> np.ndarray:
    """Return the numbers of stars without those that a neighbouring tile has found too."""
    from scipy.spatial import KDTree

    good = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & free)
    keep = np.ones(len(x), bool)
    if len(good) > 1:
        pairs = good[KDTree(np.c_[x, y][good]).query_pairs(reach, output_type="ndarray")]
        for a, b in pairs[tile[pairs[:, 0]] != tile[pairs[:, 1]]].tolist():
            if keep[a] and keep[b]:
                keep[b if flux[a] >= flux[b] else a] = False
    return np.flatnonzero(keep)


def _with_lost(
    rows: dict[str, np.ndarray], level: np.ndarray, saturated: np.ndarray, found: np.ndarray, given: np.ndarray,
    count: int,
) -> tuple[Fitted, Any, Any, Any]:
    """Give each place that was given its row, also those off the image, on which no tile has looked."""
    there, extra = given >= 0, int((given < 0).sum())
    at = np.concatenate([given[there].astype(int), count + np.arange(extra)])

    def spread(values: np.ndarray, nothing: Any) -> np.ndarray:
        made = np.full(count + extra, nothing, values.dtype)
        made[at] = values
        return made

    nothing = {"f": np.nan, "i": 0, "u": 0, "b": False}
    fitted = Fitted(**{n: spread(v, nothing[v.dtype.kind]) for n, v in rows.items()})
    return fitted, spread(level, np.nan), spread(saturated.astype(bool), False), spread(found.astype(int), 0)

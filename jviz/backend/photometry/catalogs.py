"""Numbers of the sources in segments: photutils' shapes and sums, fluxes in Jy and magnitudes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jviz.backend.photometry.fluxes import Calibration, magnitudes
from jviz.backend.photometry.segmenting import Segments, Tile, Tiles, Window, bands, label_boxes, windows
from jviz.backend.progress import Progress, silent
from jviz.backend.room import let_go

__all__ = ["ENERGIES", "STAR_LIMITS", "Errors", "Sources", "add_concentrations", "add_fluxes", "star_limits"]

ENERGIES = (30, 50, 70)
"""Percent of a point's light in the circles of a source catalogue of the JWST pipeline."""

STAR_LIMITS = (2.0, 1.8)
"""Concentrations 50/30 and 70/50; above both a source is extended (``ci1_star_threshold`` and ``ci2_star_threshold`` of
the pipeline's step source_catalog)."""

MOST = 60
"""Sources whose radii are taken for those of points."""

_SHAPES = ("semimajor_axis", "semiminor_axis", "orientation", "ellipticity", "fwhm", "kron_radius", "max_value")


REACH = 15.0 / 4.0
"""Margin round a source over the diagonal of its box: the ellipse of Kron reaches to 2.5 × 6 semi-major axes at most,
and a source that is flat over its box has one of a quarter of that."""

Errors = Callable[[Tile], np.ndarray]
"""From a tile to the errors of its pixels."""


class Sources:
    """The sources in segments, measured by photutils' catalogue a tile at a time.

    Parameters
    ----------
    found : Segments
    tiles : callable
        The image that is measured, less its background.
    errors : callable
    kron : (float, float)
        The ellipse of Kron over its radius, and the least radius.
    """

    def __init__(
        self, found: Segments, tiles: Tiles, errors: Errors, kron: tuple[float, float] = (2.5, 1.4)
    ) -> None:
        self._kron = (float(kron[0]), float(kron[1]), 0.0)
        self.found, self._tiles, self._errors = found, tiles, errors
        self._parts = bands(found.shape)
        self._boxes = label_boxes(found.labels, found.count, self._parts)
        self._kept: Any = None

    def _windows(self, alone: np.ndarray | None = None) -> Iterator[Window]:
        return windows(self._boxes, self.found.shape, self._parts, REACH, 8, alone)

    def _catalog(self, window: Window) -> Any:
        """Return photutils' catalogue of a window; that of an image in one piece is kept."""
        from photutils.segmentation import SegmentationImage, SourceCatalog

        if self._kept is not None:
            return self._kept
        tile = self._tiles(window.rows, window.columns)
        values, error = np.where(tile.mask, 0, tile.values), self._errors(tile)
        labels = np.array(self.found.labels[window.rows, window.columns])
        let_go(self.found.labels)
        made = SourceCatalog(
            values, SegmentationImage(labels), convolved_data=self.found.smooth(window.rows, window.columns),
            error=error.astype(values.dtype, copy=False), mask=tile.mask, kron_params=self._kron,
            progress_bar=False,
        )  # fmt: skip
        if len(self._parts) == 1:
            self._kept = made
        return made

    def table(self, progress: Progress = silent) -> Any:
        """Return a ``QTable`` with photutils' numbers of each segment."""
        from astropy.table import vstack

        tables, done = [], 0
        for window in self._windows():
            done += len(window.numbers)
            progress(done, self.found.count, f"measuring {self.found.count} sources")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of NaN and of sources without a shape, whose numbers are NaN
                tables.append(self._rows(window))
        table = vstack(tables, metadata_conflicts="silent") if len(tables) > 1 else tables[0]
        return table[np.argsort(table["label"], kind="stable")] if len(tables) > 1 else table

    def _rows(self, window: Window) -> Any:
        from astropy.table import QTable

        found = self._catalog(window)
        if len(window.numbers) < len(found.labels):
            found = found.select_labels(window.numbers)
        table = QTable({
            "label": found.labels, "x_centroid": found.x_centroid + window.columns.start,
            "y_centroid": found.y_centroid + window.rows.start, "area": found.area,
        })  # fmt: skip
        for name in _SHAPES:
            table[name] = getattr(found, name)
        for ours, theirs in (("isophotal_flux", "segment_flux"), ("kron_flux", "kron_flux")):
            for suffix in ("", "_err"):
                table[f"{ours}{suffix}"] = np.asarray(getattr(found, f"{theirs}{suffix}"), float)
        return table

    def energy_radii(self, table: Any) -> np.ndarray:
        """Return the radii of the `ENERGIES` of compact bright sources, as parts of their Kron fluxes, in pixels.

        Parameters
        ----------
        table : QTable
            From `table`.
        """
        chosen = _compact(table)
        found = []
        for window in self._windows(chosen if len(self._parts) > 1 else None) if len(chosen) else ():
            mine = np.intersect1d(window.numbers, chosen)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                few = self._catalog(window).select_labels(mine)
                radii = [few.flux_radius(e / 100) for e in ENERGIES]
            found.append(np.column_stack([np.atleast_1d(getattr(r, "value", r)) for r in radii]))
        return np.nanmedian(np.concatenate(found), axis=0) if found else np.full(len(ENERGIES), np.nan)


def _compact(table: Any) -> np.ndarray:
    """Return the labels of sources that are bright, and narrow among these."""
    width, flux, flat = (np.asarray(getattr(table[n], "value", table[n]), float)
                         for n in ("fwhm", "isophotal_flux", "ellipticity"))  # fmt: skip
    good = np.isfinite(width) & np.isfinite(flux) & np.isfinite(flat) & (width > 0)
    if not good.any():
        return np.zeros(0, int)
    bright = good & (flux >= np.median(flux[good]))
    compact = np.flatnonzero(bright & (width <= np.median(width[bright])))
    return np.sort(np.asarray(table["label"])[compact[np.argsort(flux[compact])[-MOST:]]])


def add_fluxes(table: Any, name: str, factor: np.ndarray, calibration: Calibration, unit: Any) -> None:
    """Turn a column of sums and its errors into Jy, and add magnitudes after them (NaN without a calibration).

    Vega magnitudes are added where the filter is known.
    """
    from astropy import units as u

    flux, error = (np.asarray(getattr(table[n], "value", table[n]), float) * factor for n in (name, f"{name}_err"))
    kind = u.Jy if calibration.known else unit
    table[name], table[f"{name}_err"] = flux * kind, error * kind
    magnitude, magnitude_error = (np.full(len(flux), np.nan),) * 2
    if calibration.known:
        magnitude, magnitude_error = magnitudes(flux, error)
    stem = name.removesuffix("_flux")
    table[f"{stem}_abmag"], table[f"{stem}_abmag_err"] = magnitude * u.mag, magnitude_error * u.mag
    if np.isfinite(calibration.vega):
        table[f"{stem}_vegamag"] = (magnitude - calibration.vega) * u.mag
        table[f"{stem}_vegamag_err"] = magnitude_error * u.mag


def star_limits(radii: np.ndarray) -> tuple[float, float]:
    """Return concentrations half-way between those of points and of a source that is flat over the circles."""
    parts = np.array(ENERGIES) / 100
    points, flat = parts[1:] / parts[:-1], (radii[1:] / radii[:-1]) ** 2
    return tuple((points + flat) / 2)


def add_concentrations(table: Any, limits: tuple[float, float]) -> None:
    """Add the concentrations of the circles' fluxes, and whether a source is extended: both above the limits."""
    inner, middle, outer = (np.asarray(table[f"aper{e}_flux"].value, float) for e in ENERGIES)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["CI_50_30"], table["CI_70_50"] = middle / inner, outer / middle
    table["is_extended"] = (table["CI_50_30"] > limits[0]) & (table["CI_70_50"] > limits[1])

"""The numbers of sources: of segments, of stars by DAOFIND, of peaks; a tile of the image at a time."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from jviz.backend.photometry.segmenting import Segments, Tile, bands
from jviz.backend.progress import Progress, silent
from jviz.backend.room import let_go
from jviz.errors import CommandError

__all__ = ["Method", "find_points", "peaks", "segment_table", "stars"]

Method = Literal["segmentation", "dao", "peaks"]


def segment_table(found: Segments, progress: Progress = silent) -> Any:
    """Return a ``QTable`` with centroids, areas and peaks of segments.

    Returns
    -------
    QTable
        label, x_centroid, y_centroid (of the smoothed light, in pixels), area (pixels), peak and peak_snr (of the
        image less its background).
    """
    from astropy.table import QTable

    from jviz.backend.photometry.label_kernels import FEATURES, features

    sums = np.zeros((found.count + 1, FEATURES))
    sums[:, 4:] = -np.inf
    whole = slice(0, found.shape[1])
    for rows in bands(found.shape):
        progress(rows.start, found.shape[0], f"measuring {found.count} sources")
        tile = found.tiles(rows, whole)
        features(found.labels[rows], rows.start, found.smooth(rows, whole), tile.values, tile.rms, sums)
        let_go(found.labels)
    total, x, y, area, peak, ratio = sums[1:].T
    with np.errstate(divide="ignore", invalid="ignore"):
        return QTable({
            "label": np.arange(1, found.count + 1), "x_centroid": x / total, "y_centroid": y / total,
            "area": area.astype(int), "peak": peak, "peak_snr": np.where(np.isfinite(ratio), ratio, np.nan),
        })  # fmt: skip


def find_points(
    scene: Any, method: str, snr: float, fwhm: float, size: int, progress: Progress = silent,
    parts: list[slice] | None = None,
) -> Any:  # fmt: skip
    """Find stars or peaks; return photutils' numbers, named as those of segments are, or None when there are none.

    Parameters
    ----------
    scene : object
        With ``tile(rows, columns)``, ``shape`` and ``typical_rms``.
    parts : list of slice, optional
        Rows of the tiles; what is found belongs to the tile that holds its highest pixel.
    """
    from astropy.table import QTable, vstack

    ny, nx = scene.shape
    reach = 2 * max(int(np.ceil(fwhm)), size) + 8 if method == "dao" else max(3, size)
    rms = scene.typical_rms if method == "dao" else 0.0
    tables = []
    for rows in bands(scene.shape) if parts is None else parts:
        progress(rows.start, ny, "finding sources")
        wide = slice(max(rows.start - reach, 0), min(rows.stop + reach, ny))
        tile = scene.tile(wide, slice(0, nx))
        if method == "dao":
            found = stars(tile.values, rms, snr=snr, fwhm=fwhm, mask=tile.mask)
        else:
            found = peaks(tile.values, tile.rms, snr=snr, size=size, mask=tile.mask)
        if found is not None:
            tables.append(_own(found, tile, wide.start, rows))
    table = vstack(tables, metadata_conflicts="silent") if tables else QTable()
    if not len(table):
        return None
    table["label"] = np.arange(1, len(table) + 1)
    return table


def _own(found: Any, tile: Tile, first: int, rows: slice) -> Any:
    """Return the rows of a table whose middle lies in a tile, in pixels of the image."""
    from astropy.table import QTable

    renamed = {"id": "label", "x_peak": "x_centroid", "y_peak": "y_centroid", "peak_value": "peak"}
    table = QTable({renamed.get(n, n): np.asarray(found[n]) for n in found.colnames})
    x, y = (np.rint(np.asarray(table[n], float)).astype(int) for n in ("x_centroid", "y_centroid"))
    with np.errstate(divide="ignore", invalid="ignore"):
        table["peak_snr"] = tile.values[y, x] / tile.rms[y, x]
    table["y_centroid"] = table["y_centroid"] + first
    return table[(y + first >= rows.start) & (y + first < rows.stop)]


def stars(values: np.ndarray, rms: float, *, snr: float, fwhm: float, mask: np.ndarray | None = None) -> Any:
    """Find stars with DAOFIND (Stetson 1987); return photutils' table, None when there are none.

    Parameters
    ----------
    rms : float
        Scatter of the pixels; the threshold is ``snr`` times it.
    fwhm : float
        Of stars, in pixels.
    """
    from photutils.detection import DAOStarFinder

    _check(snr, 1)
    if not fwhm > 0:
        raise CommandError(f"Stars with a FWHM of {fwhm:g} pixels are none; give one above 0.")
    hidden = ~np.isfinite(values) if mask is None else mask | ~np.isfinite(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DAOStarFinder(snr * rms, fwhm)(np.where(hidden, 0, values), mask=hidden)


def peaks(values: np.ndarray, rms: np.ndarray, *, snr: float, size: int = 5, mask: np.ndarray | None = None) -> Any:
    """Find local maxima in boxes of so many pixels; return photutils' table, None when there are none."""
    from photutils.detection import find_peaks

    _check(snr, 1)
    hidden = ~np.isfinite(values) if mask is None else mask | ~np.isfinite(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        threshold = np.where(np.isfinite(rms), snr * rms, np.inf)
        return find_peaks(np.where(hidden, -np.inf, values), threshold, box_size=max(3, size), mask=hidden)


def _check(snr: float, npixels: int) -> None:
    if not (np.isfinite(snr) and snr > 0 and npixels >= 1):
        raise CommandError(f"A threshold of S/N {snr:g} over {npixels} pixels finds nothing; both must be above 0.")

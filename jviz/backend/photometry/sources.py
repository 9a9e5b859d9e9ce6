"""Finding sources: segments that are split where they blend, stars by DAOFIND, peaks."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError

__all__ = ["Found", "Method", "peaks", "segments", "smoothed", "stars"]

Method = Literal["segmentation", "dao", "peaks"]
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True)
class Found:
    """Segments of sources.

    Attributes
    ----------
    image : photutils SegmentationImage
    smooth : ndarray
        The image, less its background, smoothed as it was for the detection.
    """

    image: Any
    smooth: np.ndarray


def smoothed(values: np.ndarray, fwhm: float, rms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smooth by a Gaussian; return that, and the scatter that noise of independent pixels has afterwards.

    Parameters
    ----------
    values : ndarray
        Less the background; 0 where nothing is known.
    fwhm : float
        In pixels; 0: nothing is done.
    rms : ndarray
        Of the pixels.
    """
    if fwhm <= 0:
        return values, rms
    from jviz.backend.photometry.smoothing import smooth as run

    sigma = fwhm / FWHM
    reach = max(1, int(4 * sigma + 0.5))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    smooth = np.empty(values.shape, np.float32)
    run(np.ascontiguousarray(values, np.float32), kernel.astype(np.float32), smooth)
    # of a separable kernel: the root of the sum of its squares is the product along the axes
    return smooth, rms * float((kernel**2).sum())


def segments(
    values: np.ndarray,
    rms: np.ndarray,
    *,
    snr: float = 3.0,
    npixels: int = 5,
    fwhm: float = 2.0,
    mask: np.ndarray | None = None,
    deblend: bool = True,
    levels: int = 32,
    contrast: float = 0.005,
    progress: Progress = silent,
) -> Found | None:
    """Find connected pixels above a threshold, and split those that blend; None when there are none.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        Less the background.
    rms : ndarray
        Scatter of each pixel.
    snr : float
        Threshold over the scatter of the smoothed image.
    npixels : int
        Fewest connected pixels of a source.
    fwhm : float
        Of the Gaussian that smooths it for the detection, in pixels.
    mask : ndarray of bool, optional
    deblend : bool
        As in SExtractor, with so many levels and the contrast.
    """
    from photutils.segmentation import deblend_sources, detect_sources

    _check(snr, npixels)
    good = np.isfinite(values)
    if mask is not None:
        good &= ~mask
    clean = np.where(good, values, 0).astype(values.dtype)
    smooth, scatter = smoothed(clean, fwhm, rms)
    progress(1, 3, "finding sources")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "no sources were found" is said by who asked
        threshold = np.where(np.isfinite(scatter), snr * scatter, np.inf).astype(smooth.dtype)
        found = detect_sources(smooth, threshold, npixels, mask=~good)
        if found is None:
            return None
        if deblend:
            progress(2, 3, f"splitting {found.n_labels} segments")
            found = deblend_sources(
                smooth, found, npixels, n_levels=levels, contrast=contrast, progress_bar=False
            )  # fmt: skip
    return Found(found, smooth)


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

"""Numbers of the sources in segments: photutils' shapes and sums, fluxes in Jy and magnitudes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from jviz.backend.photometry.fluxes import Calibration, magnitudes

__all__ = ["ENERGIES", "STAR_LIMITS", "add_concentrations", "add_fluxes", "energy_radii", "shapes", "star_limits"]

ENERGIES = (30, 50, 70)
"""Percent of a point's light in the circles of a source catalogue of the JWST pipeline."""

STAR_LIMITS = (2.0, 1.8)
"""Concentrations 50/30 and 70/50; above both a source is extended (``ci1_star_threshold`` and ``ci2_star_threshold`` of
the pipeline's step source_catalog)."""

MOST = 60
"""Sources whose radii are taken for those of points."""

_SHAPES = ("semimajor_axis", "semiminor_axis", "orientation", "ellipticity", "fwhm", "kron_radius", "max_value")


def shapes(
    values: np.ndarray, segments: Any, *, smooth: np.ndarray | None, error: np.ndarray | None, mask: np.ndarray
) -> tuple[Any, Any]:
    """Return a ``QTable`` with photutils' numbers of each segment, and photutils' own catalogue.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        Less the background.
    segments : SegmentationImage
    smooth : ndarray or None
        For centroids and shapes.
    error : ndarray or None
    mask : ndarray of bool
    """
    from astropy.table import QTable
    from photutils.segmentation import SourceCatalog

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NaN and of sources without a shape, whose numbers are NaN
        found = SourceCatalog(
            np.where(mask, 0, values), segments, convolved_data=smooth, error=error, mask=mask, progress_bar=False
        )
        table = QTable({
            "label": found.labels, "x_centroid": found.x_centroid, "y_centroid": found.y_centroid, "area": found.area,
        })  # fmt: skip
        for name in _SHAPES:
            table[name] = getattr(found, name)
        for ours, theirs in (("isophotal_flux", "segment_flux"), ("kron_flux", "kron_flux")):
            table[ours] = np.asarray(getattr(found, theirs), float)
            sigma = np.asarray(getattr(found, f"{theirs}_err"), float)
            table[f"{ours}_err"] = sigma if error is not None else np.full(len(table), np.nan)
    return table, found


def energy_radii(found: Any, table: Any) -> np.ndarray:
    """Return the radii of the `ENERGIES` of compact bright sources, as parts of their Kron fluxes, in pixels.

    Parameters
    ----------
    found : SourceCatalog
    table : QTable
        From `shapes`.
    """
    width, flux, flat = (np.asarray(getattr(table[n], "value", table[n]), float)
                         for n in ("fwhm", "isophotal_flux", "ellipticity"))  # fmt: skip
    good = np.isfinite(width) & np.isfinite(flux) & np.isfinite(flat) & (width > 0)
    if not good.any():
        return np.full(len(ENERGIES), np.nan)
    bright = good & (flux >= np.median(flux[good]))
    compact = np.flatnonzero(bright & (width <= np.median(width[bright])))
    brightest = compact[np.argsort(flux[compact])[-MOST:]]
    chosen = found.select_labels(np.asarray(table["label"])[brightest])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array([np.nanmedian(getattr(chosen.flux_radius(e / 100), "value", chosen.flux_radius(e / 100)))
                         for e in ENERGIES])  # fmt: skip


def add_fluxes(table: Any, name: str, factor: np.ndarray, calibration: Calibration, unit: Any) -> None:
    """Turn a column of sums and its errors into Jy, and add magnitudes after them (NaN without a calibration)."""
    from astropy import units as u

    flux, error = (np.asarray(getattr(table[n], "value", table[n]), float) * factor for n in (name, f"{name}_err"))
    kind = u.Jy if calibration.known else unit
    table[name], table[f"{name}_err"] = flux * kind, error * kind
    magnitude, magnitude_error = (np.full(len(flux), np.nan),) * 2
    if calibration.known:
        magnitude, magnitude_error = magnitudes(flux, error)
    stem = name.removesuffix("_flux")
    table[f"{stem}_abmag"], table[f"{stem}_abmag_err"] = magnitude * u.mag, magnitude_error * u.mag


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

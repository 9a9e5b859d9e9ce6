"""What is measured while the mouse moves: cuts along row, column or a line, rings, growth."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.pixels import Pixels
from jviz.plot_views import Curve

__all__ = ["CursorProfile", "curves_along", "curves_at"]

CursorProfile = Literal["cuts", "radial", "growth"]
MOST = 4096
"""Pixels of a cut; of longer ones every n-th is taken."""


def curves_at(
    data: Any, plane: str, index: tuple[int, ...], x: float, y: float, what: CursorProfile, *, reach: float
) -> tuple[dict[str, Curve], str]:
    """Measure at a pixel.

    Parameters
    ----------
    x, y : float
        Data pixel.
    reach : float
        Half the length of cuts, or the largest radius, in pixels.

    Returns
    -------
    curves : dict of str to Curve
        Empty beside the image.
    text : str
        What a fit says, ``""`` without one.
    """
    pixels = Pixels(data, plane, index)
    column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    if not (0 <= column < pixels.shape[1] and 0 <= row < pixels.shape[0]):
        return {}, ""
    if what == "cuts":
        return _cuts(pixels, column, row, reach), ""
    radii = np.arange(0, max(3, round(min(reach, 100))) + 1.0)
    if what == "growth":
        from jviz.backend.profiles import growth

        found = growth(pixels.read, pixels.shape, (x, y), radii[1:])
        return {"sum": _curve(found, "Radius", "Sum", pixels.unit)}, ""
    from jviz.backend.profiles import fit_rings, rings

    found = rings(pixels.read, pixels.shape, (x, y), radii)
    curves = {"mean": _curve(found, "Radius", "Mean", pixels.unit)}
    fit = fit_rings(found)
    if fit is None or not fit.fwhm_err < fit.fwhm:
        return curves, "no peak to fit"
    fine = np.linspace(0, radii[-1], 200)
    curves["Gaussian"] = Curve(fine, fit(fine), None, "Radius", "Mean", "pix", pixels.unit)
    quality = f"   χ²/ν {fit.chi2 / fit.dof:.3g}" if np.isfinite(fit.chi2) and fit.dof > 0 else ""
    return curves, f"FWHM {fit.fwhm:.2f} ± {fit.fwhm_err:.2f} pix{quality}"


def curves_along(
    data: Any, plane: str, index: tuple[int, ...], corners: np.ndarray, width: float
) -> tuple[dict[str, Curve], str]:
    """Measure along a path.

    Parameters
    ----------
    corners : ndarray, shape (n, 2)
        In data pixels.
    width : float
        Pixels across the path that are averaged.

    Returns
    -------
    curves : dict of str to Curve
        Empty where the path has no length, or is beside the image.
    text : str
        Its length.
    """
    from jviz.backend.profiles import line_cut

    pixels = Pixels(data, plane, index)
    try:
        cut = line_cut(pixels.read, pixels.shape, corners, width=width)
    except ValueError as error:
        return {}, str(error)
    if not np.isfinite(cut.values).any():
        return {}, "beside the image"
    curve = Curve(cut.distance, cut.values, cut.error, "Distance", "Value", "pix", pixels.unit)
    return {"along": curve}, f"length {cut.distance[-1]:.1f} pix, width {width:g} pix"


def _cuts(pixels: Pixels, column: int, row: int, reach: float) -> dict[str, Curve]:
    curves = {}
    for name, middle, size in (("row", column, pixels.shape[1]), ("column", row, pixels.shape[0])):
        first, last = max(0, round(middle - reach)), min(size, round(middle + reach) + 1)
        part = slice(first, last, max(1, (last - first) // MOST))
        where = (slice(row, row + 1), part) if name == "row" else (part, slice(column, column + 1))
        values, variance = pixels.read(*where)
        error = None if variance is None else np.sqrt(variance.ravel())
        places = np.arange(first, last, part.step, dtype=float)
        curves[name] = Curve(places, values.ravel(), error, "Pixel", "Value", "", pixels.unit)
    return curves


def _curve(found: Any, x_label: str, y_label: str, unit: str) -> Curve:
    return Curve(found.radius, found.values, found.error, x_label, y_label, "pix", unit)

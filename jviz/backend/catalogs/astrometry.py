"""Astrometric corrections: fitted to matched positions, and put into FITS and GWCS world coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.errors import JvizError

__all__ = ["Correction", "Fit", "Model", "corrected", "first_shift", "fit_offsets", "moved_wcs", "on_plane", "on_sky"]

Model = Literal["shift", "rotation", "similarity", "affine"]
ARCSEC = 3600.0
MAD = 1.4826022185056
STEP = 1e-5
"""Degrees over which derivatives on the sky are taken."""


@dataclass(frozen=True)
class Correction:
    """An affine map on the tangent plane at a place of the sky: new = matrix · old + shift.

    Attributes
    ----------
    lon, lat : float
        ICRS degrees.
    matrix : tuple of float
        a, b, c, d of ((a, b), (c, d)); xi grows to the east, eta to the north.
    shift : tuple of float
        In arcseconds.
    """

    lon: float
    lat: float
    matrix: tuple[float, float, float, float]
    shift: tuple[float, float]

    @property
    def array(self) -> np.ndarray:
        """The matrix, shape (2, 2)."""
        return np.array(self.matrix, float).reshape(2, 2)


@dataclass(frozen=True)
class Fit:
    """What was fitted.

    Attributes
    ----------
    matrix : ndarray, shape (2, 2)
    shift : ndarray, shape (2,)
        In the unit of the offsets.
    matrix_error, shift_error : ndarray
        1 σ, from the scatter of the residuals.
    residual : ndarray, shape (n, 2)
        Of all pairs, b less what the fit makes of a.
    used : ndarray of bool, shape (n,)
        Pairs that were not clipped.
    """

    matrix: np.ndarray
    shift: np.ndarray
    matrix_error: np.ndarray
    shift_error: np.ndarray
    residual: np.ndarray
    used: np.ndarray


def on_plane(lon: Any, lat: Any, lon0: float, lat0: float) -> np.ndarray:
    """Return gnomonic coordinates (xi, eta) in degrees, shape (n, 2) (Calabretta & Greisen 2002, A&A 395, 1077).

    What is 90 degrees or farther away has none and becomes NaN.
    """
    lon, lat, lat0 = np.radians(np.asarray(lon, float) - lon0), np.radians(np.asarray(lat, float)), np.radians(lat0)
    depth = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon)
    depth = np.where(depth > 1e-12, depth, np.nan)
    xi = np.cos(lat) * np.sin(lon) / depth
    eta = (np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon)) / depth
    return np.degrees(np.stack([xi, eta], axis=-1))


def on_sky(plane: np.ndarray, lon0: float, lat0: float) -> tuple[np.ndarray, np.ndarray]:
    """Return longitude and latitude in degrees of gnomonic coordinates; undoes `on_plane`."""
    xi, eta = np.radians(plane[..., 0]), np.radians(plane[..., 1])
    sin, cos = np.sin(np.radians(lat0)), np.cos(np.radians(lat0))
    lon = np.degrees(np.arctan2(xi, cos - eta * sin)) + lon0
    lat = np.degrees(np.arctan2(sin + eta * cos, np.hypot(xi, cos - eta * sin)))
    return lon % 360, lat


def corrected(lon: Any, lat: Any, correction: Correction) -> tuple[np.ndarray, np.ndarray]:
    """Return places on the sky after a correction."""
    plane = on_plane(lon, lat, correction.lon, correction.lat)
    moved = plane @ correction.array.T + np.array(correction.shift) / ARCSEC
    return on_sky(moved, correction.lon, correction.lat)


def first_shift(offsets: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the offset that most pairs have, shape (2,): the mean of the densest circle of a radius."""
    from scipy.spatial import KDTree

    tree = KDTree(offsets)
    near = tree.query_ball_point(offsets, tolerance, return_length=True)
    return offsets[tree.query_ball_point(offsets[int(np.argmax(near))], tolerance)].mean(axis=0)


def fit_offsets(a: np.ndarray, b: np.ndarray, model: Model = "similarity", *, clip: float = 3.0) -> Fit:
    """Fit b = matrix · a + shift by least squares, clipping pairs that do not belong together.

    Parameters
    ----------
    a, b : ndarray, shape (n, 2)
        On a plane, of the same unit.
    model : {"shift", "rotation", "similarity", "affine"}
        A shift; with a rotation; with a scale; any linear map. The rotation is that of the best similarity.
    clip : float
        Deviations (1.4826 × median absolute residual per axis) beyond which pairs are left out; 0: none.

    Raises
    ------
    ValueError
        With too few pairs.
    """
    fewest = {"shift": 1, "rotation": 2, "similarity": 2, "affine": 3}[model]
    used = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
    if used.sum() < fewest:
        raise ValueError(f"{int(used.sum())} pairs are too few for a {model}; {fewest} are needed")
    for _ in range(20):
        matrix, shift = _solved(a[used], b[used], model)
        residual = b - a @ matrix.T - shift
        # From the median: pairs that do not belong together pull the first fits away from it.
        apart = residual - np.median(residual[used], axis=0)
        spread = MAD * np.median(np.abs(apart[used]), axis=0).max()
        if clip <= 0 or spread <= 0:
            break
        kept = np.isfinite(apart).all(axis=1) & (np.hypot(*apart.T) <= clip * np.sqrt(2) * spread)
        if kept.sum() < fewest or (kept == used).all():
            break
        used = kept
    return Fit(matrix, shift, *_errors(a[used], residual[used], model), residual, used)


def _solved(a: np.ndarray, b: np.ndarray, model: Model) -> tuple[np.ndarray, np.ndarray]:
    middle, aim = a.mean(axis=0), b.mean(axis=0)
    u, v = a - middle, b - aim
    matrix = np.eye(2)
    if model == "affine":
        matrix = np.linalg.lstsq(u, v, rcond=None)[0].T
    elif model != "shift":
        along, across = (u * v).sum(), (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum()
        size = np.hypot(along, across) if model == "rotation" else (u * u).sum()
        matrix = np.array([[along, -across], [across, along]]) / size
    return matrix, aim - matrix @ middle


def _errors(a: np.ndarray, residual: np.ndarray, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of the elements of the matrix and of the shift, as for independent equal errors."""
    free = {"shift": 2, "rotation": 3, "similarity": 4, "affine": 6}[model]
    n = len(a)
    variance = (residual**2).sum() / (2 * n - free) if 2 * n > free else np.nan
    u = a - a.mean(axis=0)
    if model == "shift":
        return np.zeros((2, 2)), np.full(2, np.sqrt(variance / n))
    if model == "affine":
        each = np.sqrt(variance * np.diag(np.linalg.inv(u.T @ u)))
        return np.tile(each, (2, 1)), np.sqrt(variance / n + (each**2) @ a.mean(axis=0) ** 2) * np.ones(2)
    each = np.sqrt(variance / (u * u).sum())
    lever = np.hypot(*a.mean(axis=0)) if model == "similarity" else np.abs(a.mean(axis=0)[::-1])
    return np.full((2, 2), each), np.sqrt(variance / n + (each * lever) ** 2) * np.ones(2)


# --- into world coordinates ---------------------------------------------------------------------------


def moved_wcs(wcs: Any, correction: Correction) -> Any:
    """Return world coordinates that are another's after a correction.

    Of FITS keywords CRVAL and CD (or PC) change, all distortions stay: exact but for terms of the order of shift ×
    field², which a second correction takes away. A GWCS gets a further step, which is exact.

    Raises
    ------
    JvizError
        For projections and frames that this cannot be said in.
    """
    if hasattr(wcs, "available_frames"):
        return _moved_gwcs(wcs, correction)
    if not hasattr(wcs, "wcs") or getattr(wcs, "naxis", 0) != 2:
        raise JvizError("a WCS of this kind cannot be changed; reproject the image first.")
    return _moved_fits(wcs, correction)


def _moved_fits(wcs: Any, correction: Correction) -> Any:
    from astropy.wcs import WCS

    new = wcs.deepcopy()
    if new.wcs.has_crota():
        new = WCS(new.to_header(relax=True))
    zenithal = all(t[5:8] in ("TAN", "SIN", "ARC", "STG", "ZEA", "ZPN", "TPV", "TPD") for t in new.wcs.ctype)
    if not zenithal or not new.wcs.lngtyp.startswith("RA") or abs(new.wcs.lonpole - 180) > 1e-9:
        raise JvizError(
            f"axes {' and '.join(new.wcs.ctype)} cannot be shifted by CRVAL and CD; reproject the image to "
            "RA---TAN first."
        )
    order = [new.wcs.lng, new.wcs.lat]
    lon, lat = (float(new.wcs.crval[k]) for k in order)
    # The correction at its own tangent point, said at that of the keywords.
    ends = np.array([[0.0, 0.0], [STEP, 0.0], [-STEP, 0.0], [0.0, STEP], [0.0, -STEP]])
    to = corrected(*on_sky(ends, lon, lat), correction)
    plane = on_plane(*to, float(to[0][0]), float(to[1][0]))
    change = np.stack([plane[1] - plane[2], plane[3] - plane[4]], axis=1) / (2 * STEP)
    turned = np.eye(2)
    turned[np.ix_(order, order)] = change
    crval = new.wcs.crval.copy()
    crval[order] = float(to[0][0]), float(to[1][0])
    new.wcs.crval = crval
    if new.wcs.has_cd():
        new.wcs.cd = turned @ new.wcs.cd
    else:
        step = np.diag(new.wcs.cdelt)
        new.wcs.pc = np.linalg.inv(step) @ turned @ step @ new.wcs.get_pc()
    new.wcs.set()
    return new


def _moved_gwcs(wcs: Any, correction: Correction) -> Any:
    from astropy.modeling import models
    from gwcs import WCS

    frame = wcs.output_frame
    if getattr(frame, "naxes", 0) != 2 or getattr(frame, "reference_frame", None) is None:
        raise JvizError("a GWCS with more than two sky axes cannot be changed; collapse or cut the data first.")
    ends = (correction.lon, correction.lat, 180.0)
    affine = models.AffineTransformation2D(
        matrix=correction.array, translation=np.array(correction.shift, float) / ARCSEC
    )
    step = (
        models.RotateCelestial2Native(*ends) | models.Sky2Pix_TAN() | affine | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(*ends)
    )  # fmt: skip
    steps = [(one.frame, one.transform) for one in wcs.pipeline]
    steps[-2] = (steps[-2][0], steps[-2][1] | step)
    new = WCS(steps)
    if wcs.bounding_box is not None:
        new.bounding_box = wcs.bounding_box
    new.pixel_shape = wcs.pixel_shape
    return new

"""The WCS of images whose pixels moved: exact for FITS keywords, SIP, lookup tables and GWCS."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["changed_wcs", "tangent_wcs", "tangent_wcs_of_sky", "turned_wcs"]

OFF_PIXELS = 0.02
"""What a plain WCS may be off that is taken for the sky of a cube."""


def changed_wcs(wcs: Any, matrix: Any, shift: Any, shape: tuple[int, int]) -> Any:
    """Return the WCS for new pixels p' = matrix · p + shift.

    Parameters
    ----------
    wcs : astropy.wcs.WCS, gwcs.WCS or None
        Of two pixel axes.
    matrix : (2, 2) array
        With one number other than 0 in each row and column where the WCS has SIP or tables: shifts, mirrors,
        quarter turns, binning.
    shift : (2,) array
        Of (x, y), counted from 0 at the centre of the first pixel.
    shape : tuple of int
        (ny, nx) of the new image.

    Notes
    -----
    The linear part becomes CD · matrix⁻¹, so what follows it (projection, PV terms) stays. SIP polynomials f
    become matrix · f(matrix⁻¹ u) (Shupe et al. 2005, ASPC 347, 491, eq. 1-3), and so do lookup tables.
    """
    if wcs is None:
        return None
    matrix, shift = np.asarray(matrix, float), np.asarray(shift, float)
    if hasattr(wcs, "available_frames"):
        return _changed_gwcs(wcs, matrix, shift, shape)
    return _changed_fits(wcs, matrix, shift, shape)


def tangent_wcs(wcs: Any, shape: tuple[int, int]) -> Any:
    """Return a plain TAN WCS that agrees with another one at the middle of an image, in place and first derivatives."""
    from astropy.coordinates import SkyCoord

    return _tangent(SkyCoord(wcs.pixel_to_world(*_cross(shape))).icrs, shape)


def tangent_wcs_of_sky(sky: Any, shape: tuple[int, int]) -> Any:
    """Return the plain TAN WCS of a map to the sky, None where pixels lie elsewhere by more than `OFF_PIXELS`.

    Parameters
    ----------
    sky : SkyMap
        For example that of a cube, whose WCS has three axes.
    """
    from astropy.coordinates import SkyCoord

    points = SkyCoord(*sky.pixel_to_sky(*_cross(shape)), unit="deg")
    if not np.isfinite(points.ra.deg).all():
        return None
    new = _tangent(points, shape)
    x, y = (a.ravel() for a in np.meshgrid(np.linspace(0, shape[1] - 1, 5), np.linspace(0, shape[0] - 1, 5)))
    back = new.world_to_pixel_values(*sky.pixel_to_sky(x, y))
    off = np.hypot(back[0] - x, back[1] - y)
    return new if np.nanmax(off) < OFF_PIXELS else None


def _cross(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle of an image and what is half a pixel right, left, above and below of it."""
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    return np.array([x, x + 0.5, x - 0.5, x, x]), np.array([y, y, y, y + 0.5, y - 0.5])


def _tangent(points: Any, shape: tuple[int, int]) -> Any:
    from astropy.wcs import WCS

    ny, nx = shape
    frame = points[0].skyoffset_frame()
    offsets = points.transform_to(frame)
    lon, lat = offsets.lon.wrap_at("180d").deg, offsets.lat.deg
    new = WCS(naxis=2)
    new.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    new.wcs.cunit = ["deg", "deg"]
    new.wcs.radesys = "ICRS"
    new.wcs.crval = [points[0].ra.deg, points[0].dec.deg]
    new.wcs.crpix = [(nx + 1) / 2, (ny + 1) / 2]
    new.wcs.cd = [[lon[1] - lon[2], lon[3] - lon[4]], [lat[1] - lat[2], lat[3] - lat[4]]]
    new.wcs.set()
    new.pixel_shape = nx, ny
    return new


def turned_wcs(wcs: Any, shape: tuple[int, int], degrees: float) -> tuple[Any, tuple[int, int]]:
    """Return a plain WCS turned about the middle of an image (counter-clockwise content), and the shape that holds all.

    Distortions of the original are not in it: it is meant as the target of a reprojection.
    """
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    ny, nx = shape
    size = np.abs(matrix) @ np.array([nx, ny])
    new_shape = int(np.ceil(size[1] - 1e-9)), int(np.ceil(size[0] - 1e-9))
    old, new = np.array([nx - 1, ny - 1]) / 2, np.array([new_shape[1] - 1, new_shape[0] - 1]) / 2
    plain = tangent_wcs(wcs, shape)
    return _changed_fits(plain, matrix, new - matrix @ old, new_shape), new_shape


def _changed_gwcs(wcs: Any, matrix: np.ndarray, shift: np.ndarray, shape: tuple[int, int]) -> Any:
    from astropy.modeling.models import AffineTransformation2D
    from gwcs import WCS

    back = np.linalg.inv(matrix)
    first = AffineTransformation2D(matrix=back, translation=-back @ shift)
    steps = [(step.frame, step.transform) for step in wcs.pipeline]
    steps[0] = (steps[0][0], first | steps[0][1])
    new = WCS(steps)
    new.bounding_box = _moved_box(wcs, matrix, shift, shape)
    new.pixel_shape = shape[1], shape[0]
    return new


def _moved_box(wcs: Any, matrix: np.ndarray, shift: np.ndarray, shape: tuple[int, int]) -> Any:
    """Return where the old bounding box lies on the new pixels, no larger than these."""
    whole = np.array([(-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5)])
    if wcs.bounding_box is None:
        return tuple(map(tuple, whole.tolist()))
    box = np.array([[float(getattr(v, "value", v)) for v in pair] for pair in wcs.bounding_box.bounding_box(order="F")])
    if np.count_nonzero(matrix) != 2:
        return tuple(map(tuple, whole.tolist()))
    moved = np.sort(matrix @ box + shift[:, None], axis=1)
    low, high = np.maximum(moved[:, 0], whole[:, 0]), np.minimum(moved[:, 1], whole[:, 1])
    if (low >= high).any():
        return tuple(map(tuple, whole.tolist()))
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


def _changed_fits(wcs: Any, matrix: np.ndarray, shift: np.ndarray, shape: tuple[int, int]) -> Any:
    from astropy.wcs import WCS, Sip

    new = wcs.deepcopy()
    if new.wcs.has_crota():
        new = WCS(new.to_header(relax=True))
    back = np.linalg.inv(matrix)
    new.wcs.crpix = _from_one(new.wcs.crpix, matrix, shift)
    if new.wcs.has_cd():
        new.wcs.cd = new.wcs.cd @ back
    else:
        new.wcs.pc = new.wcs.get_pc() @ back
    if wcs.sip is not None:
        sip = wcs.sip
        forth = _moved_polynomials(sip.a, sip.b, matrix, back)
        inverse = _moved_polynomials(sip.ap, sip.bp, matrix, back)
        new.sip = Sip(*forth, *inverse, _from_one(sip.crpix, matrix, shift))
    for first, second in (("cpdis1", "cpdis2"), ("det2im1", "det2im2")):
        tables = [getattr(wcs, first), getattr(wcs, second)]
        if any(table is not None for table in tables):
            for name, table in zip((first, second), _moved_tables(tables, matrix, shift), strict=True):
                setattr(new, name, table)
    new.wcs.set()
    new.pixel_shape = shape[1], shape[0]
    return new


def _from_one(point: Any, matrix: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Move a pixel that is counted from 1."""
    return matrix @ (np.asarray(point, float) - 1) + shift + 1


def _moved_polynomials(a: Any, b: Any, matrix: np.ndarray, back: np.ndarray) -> tuple[Any, Any]:
    """Return matrix · (a, b)(back · u) for a monomial matrix."""
    if a is None or b is None:
        return None, None
    turned = [_substituted(np.asarray(c, float), back) for c in (a, b)]
    size = max(c.shape[0] for c in turned)
    turned = [np.pad(c, (0, size - c.shape[0])) for c in turned]
    return tuple(np.ascontiguousarray(row[0] * turned[0] + row[1] * turned[1]) for row in matrix)  # type: ignore[return-value]


def _substituted(coefficients: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Put u = back · u' into Σ c[p, q] u^p v^q."""
    swapped = back[0, 0] == 0
    first, second = (back[0, 1], back[1, 0]) if swapped else (back[0, 0], back[1, 1])
    powers = np.arange(coefficients.shape[0])
    scaled = coefficients * first ** powers[:, None] * second ** powers[None, :]
    return scaled.T if swapped else scaled


def _moved_tables(tables: list[Any], matrix: np.ndarray, shift: np.ndarray) -> list[Any]:
    """Move the lookup tables of both axes: their grid goes with the pixels, their corrections turn with them."""
    from astropy.wcs import DistortionLookupTable

    swapped = matrix[0, 0] == 0
    moved = []
    for row in matrix:
        column = int(np.flatnonzero(row)[0])
        table = tables[column]
        if table is None:
            moved.append(None)
            continue
        order = [1, 0] if swapped else [0, 1]
        steps = (matrix @ np.asarray(table.cdelt, float)).astype(float)
        values = np.asarray(table.data) * row[column]
        values = np.ascontiguousarray(values.T if swapped else values, np.float32)
        crpix = tuple(np.asarray(table.crpix, float)[order])
        moved.append(DistortionLookupTable(values, crpix, tuple(_from_one(table.crval, matrix, shift)), tuple(steps)))
    return moved

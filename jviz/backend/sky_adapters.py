"""Pixel ↔ native longitude and latitude for every kind of WCS object, over the last two array axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.native_frame import ICRS, NativeFrame, frame_of_astropy, frame_of_fits

__all__ = ["Adapter", "adapter_of"]

Pair = tuple[np.ndarray, np.ndarray]

_converged = 1e-8
_rounds = 30


@dataclass(frozen=True)
class Adapter:
    """The celestial part of a WCS as two functions on float64 arrays.

    Parameters
    ----------
    forward : callable
        ``(x, y) -> (lon, lat)`` in native degrees, NaN where undefined.
    inverse : callable, optional
        ``(lon, lat) -> (x, y)``; None when the WCS has none.
    exact : bool
        Whether the inverse undoes the forward to the last digits; if not, it needs polishing.
    mesh_step : int
        Viewport pixels between which bilinear interpolation stays within a hundredth of a pixel.
    quick : bool
        Whether thousands of places take no longer than a picture may: models of astropy take milliseconds for one.
    """

    frame: NativeFrame
    forward: Callable[[np.ndarray, np.ndarray], Pair]
    inverse: Callable[[np.ndarray, np.ndarray], Pair] | None
    exact: bool = True
    mesh_step: int = 32
    quick: bool = True


def adapter_of(wcs: Any) -> Adapter | None:
    """Find the celestial pair over pixel axes 0 and 1.

    Parameters
    ----------
    wcs : astropy.wcs.WCS, gwcs.WCS or any APE-14 object
    """
    wcs = getattr(wcs, "low_level_wcs", wcs)
    kind = type(wcs).__module__.partition(".")[0]
    if kind == "gwcs":
        return _of_gwcs(wcs)
    if hasattr(wcs, "wcs") and hasattr(wcs, "all_pix2world"):
        return _of_fits(wcs)
    return _of_any(wcs)


def _of_fits(wcs: Any) -> Adapter | None:
    lng, lat = wcs.wcs.lng, wcs.wcs.lat
    if lng < 0 or lat < 0 or wcs.naxis < 2:
        return None
    frame = frame_of_fits(wcs)
    if frame is None or not _lies_in_the_plane(wcs, (lng, lat)):
        return None
    if {lng, lat} != {0, 1}:
        return _of_any(wcs, frame)
    plane = wcs if wcs.naxis == 2 else wcs.sub([1, 2])
    order = slice(None, None, 1 if lng < lat else -1)

    def forward(x: np.ndarray, y: np.ndarray) -> Pair:
        return tuple(plane.all_pix2world(x, y, 0)[order])

    return Adapter(frame, forward, _fits_inverse(plane, order))


def _fits_inverse(plane: Any, order: slice) -> Callable[[np.ndarray, np.ndarray], Pair]:
    def inverse(lon: np.ndarray, lat: np.ndarray) -> Pair:
        x, y = plane.wcs_world2pix(*(lon, lat)[order], 0)
        return _undistorted(plane, x, y) if plane.has_distortion else (x, y)

    return inverse


def _undistorted(plane: Any, x: np.ndarray, y: np.ndarray) -> Pair:
    """Find the pixels whose corrected places are given, by fixed-point iteration.

    astropy's ``all_world2pix`` does the same, but gives up on all points when one diverges.
    """
    u, v = x.copy(), y.copy()
    step = np.full(u.shape, np.inf)
    for _ in range(_rounds):
        with np.errstate(over="ignore", invalid="ignore"):
            focal_u, focal_v = plane.pix2foc(u, v, 0)
            du, dv = x - focal_u, y - focal_v
            step = np.hypot(du, dv)
        going = step > _converged
        if not going.any():
            break
        u, v = u + du, v + dv
    lost = ~(step <= 1e-4)
    u[lost], v[lost] = np.nan, np.nan
    return u, v


def _of_gwcs(wcs: Any) -> Adapter | None:
    frame = _gwcs_frame(wcs)
    pair = _celestial_pair(wcs)
    if frame is None or pair is None:
        return None
    transform = wcs.forward_transform
    rest = transform.n_inputs - 2
    lon, lat = pair
    scale = _degrees_per_unit(wcs, pair)

    def forward(x: np.ndarray, y: np.ndarray) -> Pair:
        world = transform(x, y, *[np.zeros_like(x)] * rest)
        return np.asarray(world[lon], float) * scale, np.asarray(world[lat], float) * scale

    return Adapter(frame, forward, _gwcs_inverse(wcs, pair, scale, transform.n_outputs), False, 16, quick=False)


def _degrees_per_unit(wcs: Any, pair: tuple[int, int]) -> float:
    from astropy import units

    return units.Unit(wcs.world_axis_units[pair[0]] or "deg").to("deg")


def _gwcs_inverse(
    wcs: Any, pair: tuple[int, int], scale: float, n_world: int
) -> Callable[[np.ndarray, np.ndarray], Pair] | None:
    try:
        transform = wcs.backward_transform
    except NotImplementedError:
        return None
    origin = np.asarray(wcs(*np.zeros(wcs.pixel_n_dim), with_bounding_box=False), float)

    def inverse(lon: np.ndarray, lat: np.ndarray) -> Pair:
        # the other coordinates do not matter for the celestial pair, but must be on the axis
        world = [np.full(lon.shape, origin[i]) for i in range(n_world)]
        world[pair[0]], world[pair[1]] = lon / scale, lat / scale
        x, y, *_ = transform(*world)
        return np.array(x, float), np.array(y, float)

    return inverse


def _gwcs_frame(wcs: Any) -> NativeFrame | None:
    from gwcs.coordinate_frames import CelestialFrame

    output = wcs.output_frame
    for frame in getattr(output, "frames", [output]):
        if isinstance(frame, CelestialFrame) and frame.reference_frame is not None:
            return frame_of_astropy(frame.reference_frame)
    return None


def _celestial_pair(wcs: Any) -> tuple[int, int] | None:
    """Return the world axes of longitude and latitude when they belong to pixel axes 0 and 1 alone."""
    physical = [str(kind or "") for kind in wcs.world_axis_physical_types]
    lon = [i for i, kind in enumerate(physical) if kind.startswith("pos.") and kind.endswith((".ra", ".lon"))]
    lat = [i for i, kind in enumerate(physical) if kind.startswith("pos.") and kind.endswith((".dec", ".lat"))]
    if not lon or not lat:
        return None
    pair = lon[0], lat[0]
    return pair if _lies_in_the_plane(wcs, pair) else None


def _lies_in_the_plane(wcs: Any, pair: tuple[int, int]) -> bool:
    """Whether two world axes depend on pixel axes 0 and 1 alone, and nothing else depends on these."""
    correlated = np.asarray(wcs.axis_correlation_matrix, bool)
    others = [i for i in range(len(correlated)) if i not in pair]
    # a slit: along it both the sky and the wavelength change
    mixed = correlated[others, :2].any() or correlated[list(pair), 2:].any()
    return not mixed and bool(correlated[list(pair), :2].any(axis=0).all())


def _of_any(wcs: Any, frame: NativeFrame | None = None) -> Adapter | None:
    """Use the common interface of APE 14, which any WCS object has."""
    pair = _celestial_pair(wcs)
    frame = frame or _ape14_frame(wcs)
    if pair is None or frame is None:
        return None
    lon, lat = pair
    scale = _degrees_per_unit(wcs, pair)

    def forward(x: np.ndarray, y: np.ndarray) -> Pair:
        world = wcs.pixel_to_world_values(x, y, *[np.zeros_like(x)] * (wcs.pixel_n_dim - 2))
        return np.asarray(world[lon], float) * scale, np.asarray(world[lat], float) * scale

    # the inverse of a sliced FITS WCS raises for all points when it fails for one
    return Adapter(frame, forward, None, False, quick=False)


def _ape14_frame(wcs: Any) -> NativeFrame | None:
    for kind, _, options in (entry[:3] for entry in wcs.world_axis_object_classes.values()):
        if getattr(kind, "__name__", "") == "SkyCoord":
            frame = options.get("frame")
            return frame_of_astropy(frame) if frame is not None else ICRS
    return None

"""Which part of each pixel of an image lies in a region."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.backend.regions.converting import is_pixel
from jviz.backend.regions.kinds import OPEN, kind_of, shape_name
from jviz.backend.regions.outlines import Outlines
from jviz.backend.regions.placing import HERE, place
from jviz.backend.regions.rings import degrees
from jviz.backend.skymap import SkyMap

__all__ = ["Target", "Weights", "weights"]

Slices = tuple[slice, slice]
Mode = Literal["exact", "center"]

_fine = 0.0005
"""Distance in pixels between an outline and the polygon whose pixels are counted: areas to 1e-4 at a radius of 5."""

_cells = 4_000_000
_subpixels = 8


@dataclass(frozen=True)
class Target:
    """The image whose pixels are weighed.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx)
    sky : SkyMap or None
    """

    shape: tuple[int, int]
    sky: SkyMap | None = None


@dataclass(frozen=True)
class Weights:
    """Weights of the pixels in a box.

    Attributes
    ----------
    slices : (slice, slice)
        Rows and columns of the image; empty ones when the region lies outside of it.
    values : ndarray of float32
        From 0 (outside) to 1 (all of the pixel); of lines the length within the pixel.
    centres : ndarray of bool or None
        Where the centre of the pixel is inside; None: wherever there is a weight.
    """

    slices: Slices
    values: np.ndarray
    centres: np.ndarray | None = None

    @property
    def counted(self) -> np.ndarray:
        """Which pixels count as being in the region: by their centre, or, where it has no centre, by any part."""
        within = self.values > 0
        if self.centres is None or not self.centres.any():
            return within
        return self.centres & within

    def full(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the weights of every pixel of the image, float32."""
        whole = np.zeros(shape, np.float32)
        whole[self.slices] = self.values
        return whole


NOTHING = Weights((slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32))


def weights(region: Any, target: Target, *, home: Any = HERE, mode: Mode = "exact") -> Weights:
    """Return what part of each pixel lies in a region.

    Parameters
    ----------
    region : regions.Region or ndarray of bool
        A mask has the shape of the image.
    target : Target
    home : SkyMap, HERE or None
        Of a pixel region: the map of the image whose pixels it counts.
    mode : {"exact", "center"}
        The area of the overlap, or 1 where the centre of the pixel is inside. Circles, ellipses,
        rectangles, their annuli and polygons of the image's own pixels are exact; those of the sky and of
        other images are polygons within 0.0005 pixels of the true outline, clipped exactly by the
        pixels. Compound regions are counted on 8 × 8 points in each pixel.

    Returns
    -------
    Weights
        Of the box round the region, cut at the edges of the image. A point weighs the pixel that
        it is in. Lines and paths weigh each pixel by their length in it, as if they were one pixel wide;
        compasses and texts weigh nothing.
    """
    if isinstance(region, np.ndarray):
        return _of_mask(region, target.shape)
    name = shape_name(type(region))
    if name == "Compound":
        return _of_compound(region, target, home, mode)
    kind = kind_of(region)
    if kind in ("compass", "text"):
        return NOTHING
    if is_pixel(region) and home is HERE and name in ("Circle", "Ellipse", "CircleAnnulus", "EllipseAnnulus"):
        return _of_ellipses(region, target.shape, mode)
    found = place([region], [home], target.sky, error=_fine)
    if kind in OPEN:
        return _of_lines(found, target.shape)
    return _of_point(found.points[0], target.shape) if name == "Point" else _of_rings(found, target.shape, mode)


def _of_mask(mask: np.ndarray, shape: tuple[int, int]) -> Weights:
    mask = mask.reshape(-1, *mask.shape[-2:]).any(axis=0) if mask.ndim > 2 else mask
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if mask.shape != tuple(shape) or not len(rows):
        return NOTHING
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Weights(box, mask[box].astype(np.float32))


def _box(low: np.ndarray, high: np.ndarray, shape: tuple[int, int]) -> Slices | None:
    """Return the pixels between two corners (x, y), or None when there are none in the image."""
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return None
    nx_ny = np.array(shape[::-1])
    first = np.clip(np.floor(low + 0.5), 0, nx_ny).astype(int)
    last = np.clip(np.ceil(high + 0.5), 0, nx_ny).astype(int)
    if (last <= first).any():
        return None
    return slice(first[1], last[1]), slice(first[0], last[0])


def _of_point(at: np.ndarray, shape: tuple[int, int]) -> Weights:
    box = _box(np.round(at), np.round(at), shape)
    return NOTHING if box is None else Weights(box, np.ones((1, 1), np.float32))


# --- ellipses of the image's own pixels -----------------------------------------------------------------


def _of_ellipses(region: Any, shape: tuple[int, int], mode: Mode) -> Weights:
    """Use the exact overlap of ellipses and pixels of photutils, on the part of the box that is in the image."""
    angle = np.radians(float(degrees(region.angle))) if hasattr(region, "angle") else 0.0
    sizes = _half_sizes(region)
    (a, b), cos, sin = sizes[0], np.cos(angle), np.sin(angle)
    half = np.array([np.hypot(a * cos, b * sin), np.hypot(a * sin, b * cos)])
    centre = np.array([region.center.x, region.center.y], float)
    box = _box(centre - half, centre + half, shape)
    if box is None:
        return NOTHING
    found = []
    for how in ("exact", "center") if mode == "exact" else ("center",):
        values = _ellipse(box, centre, sizes[0], angle, how)
        for inner in sizes[1:]:
            values -= _ellipse(box, centre, inner, angle, how)
        found.append(np.clip(values, 0.0, 1.0))
    return Weights(box, found[0].astype(np.float32), found[-1] > 0.5)


def _half_sizes(region: Any) -> list[tuple[float, float]]:
    if hasattr(region, "radius"):
        return [(region.radius, region.radius)]
    if hasattr(region, "outer_radius"):
        return [(region.outer_radius,) * 2, (region.inner_radius,) * 2]
    if hasattr(region, "width"):
        return [(region.width / 2, region.height / 2)]
    return [(getattr(region, f"{n}_width") / 2, getattr(region, f"{n}_height") / 2) for n in ("outer", "inner")]


def _ellipse(box: Slices, centre: np.ndarray, half: tuple[float, float], angle: float, mode: Mode) -> np.ndarray:
    from photutils.geometry import circular_overlap_grid, elliptical_overlap_grid

    rows, columns = box
    left, right = columns.start - 0.5 - centre[0], columns.stop - 0.5 - centre[0]
    low, high = rows.start - 0.5 - centre[1], rows.stop - 0.5 - centre[1]
    extent = left, right, low, high, columns.stop - columns.start, rows.stop - rows.start
    exact = int(mode == "exact")
    if half[0] == half[1]:
        return circular_overlap_grid(*extent, float(half[0]), exact, 1)
    return elliptical_overlap_grid(*extent, float(half[0]), float(half[1]), float(angle), exact, 1)


# --- lines ----------------------------------------------------------------------------------------------


def _of_lines(found: Outlines, shape: tuple[int, int]) -> Weights:
    """Cut lines at the borders of the pixels and add up the lengths in each."""
    pieces = [_within_pixels(found.ring(k)) for k in range(len(found))]
    middle = np.concatenate([middle for middle, _ in pieces]) if pieces else np.empty((0, 2))
    length = np.concatenate([length for _, length in pieces]) if pieces else np.empty(0)
    ny, nx = shape
    column, row = np.floor(middle + 0.5).T.astype(int)
    seen = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    if not seen.any():
        return NOTHING
    column, row, length = column[seen], row[seen], length[seen]
    box = slice(int(row.min()), int(row.max()) + 1), slice(int(column.min()), int(column.max()) + 1)
    values = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start))
    np.add.at(values, (row - box[0].start, column - box[1].start), length)
    return Weights(box, values.astype(np.float32))


def _within_pixels(line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles and the lengths of the pieces of a polyline that lie in one pixel each."""
    middles, lengths = [np.empty((0, 2))], [np.empty(0)]
    for start, end in itertools.pairwise(line[np.isfinite(line).all(axis=1)]):
        way = end - start
        cuts = [np.array([0.0, 1.0])]
        for a, b, step in zip(start, end, way, strict=True):
            if step:
                low, high = min(a, b) + 0.5, max(a, b) + 0.5
                cuts.append((np.arange(np.ceil(low), np.floor(high) + 1) - 0.5 - a) / step)
        at = np.unique(np.clip(np.concatenate(cuts), 0.0, 1.0))
        middles.append(start + (0.5 * (at[1:] + at[:-1]))[:, None] * way)
        lengths.append(np.diff(at) * np.hypot(*way))
    return np.concatenate(middles), np.concatenate(lengths)


# --- polygons -------------------------------------------------------------------------------------------


def _of_rings(found: Outlines, shape: tuple[int, int], mode: Mode) -> Weights:
    """Count the outer ring and take the inner one away; points that are not on the image's sky are left out."""
    rings = [ring[np.isfinite(ring).all(axis=1)] for ring in map(found.ring, range(len(found)))]
    if not rings or len(rings[0]) < 3:
        return NOTHING
    box = _box(rings[0].min(axis=0), rings[0].max(axis=0), shape)
    if box is None:
        return NOTHING
    parts = []
    for how in ("exact", "center") if mode == "exact" else ("center",):
        values = _covered(rings[0], box, how)
        for inner in rings[1:]:
            values -= _covered(inner, box, how)
        parts.append(np.clip(values, 0.0, 1.0))
    return Weights(box, parts[0].astype(np.float32), parts[-1] > 0.5)


def _covered(ring: np.ndarray, box: Slices, mode: Mode, finer: int = 1) -> np.ndarray:
    from jviz.backend.regions import kernels

    rows, columns = box
    out = np.zeros(((rows.stop - rows.start) * finer, (columns.stop - columns.start) * finer))
    x = np.ascontiguousarray((ring[:, 0] + 0.5 - columns.start) * finer)
    y = np.ascontiguousarray((ring[:, 1] + 0.5 - rows.start) * finer)
    (kernels.cover if mode == "exact" else kernels.inside)(x, y, out)
    return out


# --- compound regions -----------------------------------------------------------------------------------


def _of_compound(region: Any, target: Target, home: Any, mode: Mode) -> Weights:
    whole = place([region], [home], target.sky, error=_fine)
    points = whole.points[np.isfinite(whole.points).all(axis=1)]
    box = _box(points.min(axis=0), points.max(axis=0), target.shape) if len(points) else None
    if box is None:
        return NOTHING
    pixels = (box[0].stop - box[0].start) * (box[1].stop - box[1].start)
    finer = 1 if mode == "center" else max(1, min(_subpixels, int(np.sqrt(_cells / pixels))))
    member = _member(region, target, home, box, finer).astype(np.float32)
    ny, nx = member.shape[0] // finer, member.shape[1] // finer
    values = member.reshape(ny, finer, nx, finer).mean(axis=(1, 3), dtype=np.float32)
    return Weights(box, values, _member(region, target, home, box, 1) if finer > 1 else values > 0.5)


def _member(region: Any, target: Target, home: Any, box: Slices, finer: int) -> np.ndarray:
    """Return which sub-pixels of a box are in a region, a compound one by its members."""
    if shape_name(type(region)) == "Compound":
        parts = (_member(part, target, home, box, finer) for part in (region.region1, region.region2))
        return region.operator(*parts)
    rings = place([region], [home], target.sky, error=_fine)
    found = [ring[np.isfinite(ring).all(axis=1)] for ring in map(rings.ring, range(len(rings)))]
    empty = np.zeros(((box[0].stop - box[0].start) * finer, (box[1].stop - box[1].start) * finer), bool)
    for ring in found:
        if len(ring) > 2:
            empty ^= _covered(ring, box, "center", finer) > 0.5
    return empty

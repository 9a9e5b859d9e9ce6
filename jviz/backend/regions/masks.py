"""Which part of each pixel of an image lies in a region."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.backend.regions.combining import members, same
from jviz.backend.regions.converting import is_pixel
from jviz.backend.regions.kinds import OPEN, kind_of, shape_name
from jviz.backend.regions.outlines import Outlines
from jviz.backend.regions.placing import HERE, place
from jviz.backend.regions.rings import degrees
from jviz.backend.regions.sky_masks import SkyShape
from jviz.backend.skymap import SkyMap

__all__ = ["Target", "Weights", "weights"]

Slices = tuple[slice, slice]
Mode = Literal["exact", "center"]

_fine = 0.0005
"""Distance in pixels between an outline and the polygon whose pixels are counted: areas to 1e-4 at a radius of 5."""

_cells = 4_000_000
_subpixels = 8

_far = 30.0
"""Degrees; a region whose outline a map does not show at all, and that still lies on it, reaches farther."""


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
        pixels. Compound regions are counted on 8 × 8 points in pixels where the edges of several members
        meet; regions across the seam of a map of the whole sky on such points in all pixels.

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
    if name == "Point":
        return _of_point(found.points[0], target.shape)
    if _is_parted(found, region, target):
        return _on_the_sky(SkyShape(region, home), target, mode)
    return _of_rings(found, target.shape, mode)


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


def _covered(ring: np.ndarray, box: Slices, mode: Mode) -> np.ndarray:
    from jviz.backend.regions import kernels

    rows, columns = box
    out = np.zeros((rows.stop - rows.start, columns.stop - columns.start))
    x = np.ascontiguousarray(ring[:, 0] + 0.5 - columns.start)
    y = np.ascontiguousarray(ring[:, 1] + 0.5 - rows.start)
    (kernels.cover if mode == "exact" else kernels.inside)(x, y, out)
    return out


# --- regions that the map of the image parts --------------------------------------------------------------


def _is_parted(found: Outlines, region: Any, target: Target) -> bool:
    """Whether rings of an area lie across the seam of a map, or beyond the sky that it shows."""
    beyond = np.isnan(found.points[:, 0])
    if beyond.all() and len(beyond):
        # Of smaller ones nothing is in sight; a larger one may hold all of the image.
        return not is_pixel(region) and target.sky is not None and SkyShape(region, HERE).reach > _far
    return not found.closed.all() or bool(beyond.any())


def _on_the_sky(shape: SkyShape, target: Target, mode: Mode) -> Weights:
    """Ask for each pixel whether it lies in the region: there is no polygon of pixels to clip."""
    box = shape.near(target.sky, margin=1.0)
    if box is None:
        return NOTHING
    centres = shape.points_in(target.sky, box, 1)
    if mode == "center":
        return Weights(box, centres.astype(np.float32), centres)
    pixels = centres.size
    finer = max(1, min(_subpixels, int(np.sqrt(_cells / pixels))))
    points = shape.points_in(target.sky, box, finer)
    values = points.reshape(centres.shape[0], finer, centres.shape[1], finer).mean(axis=(1, 3), dtype=np.float32)
    return Weights(box, values, centres)


# --- compound regions -----------------------------------------------------------------------------------


def _of_compound(region: Any, target: Target, home: Any, mode: Mode) -> Weights:
    leaves = [_leaf(leaf, target, home) for leaf in members(region)]
    boxes = [leaf.slices for leaf in leaves if leaf.values.size]
    if not boxes:
        return NOTHING
    box = tuple(slice(min(b[i].start for b in boxes), max(b[i].stop for b in boxes)) for i in (0, 1))
    centres = _member(region, target, home, box)
    if mode == "center":
        return Weights(box, centres.astype(np.float32), centres)
    return Weights(box, _parts(region, [_on_box(leaf, box) for leaf in leaves], target, home, box), centres)


def _leaf(leaf: Any, target: Target, home: Any) -> Weights:
    return NOTHING if kind_of(leaf) in OPEN else weights(leaf, target, home=home)


def _parts(region: Any, leaves: list[np.ndarray], target: Target, home: Any, box: Slices) -> np.ndarray:
    """Return which part of each pixel of a box is in a compound region.

    Where no more than one of its members has an edge in a pixel, the part follows exactly from that member's; where
    edges of several meet, points are counted.
    """
    partly = [(part > 0) & (part < 1) for part in leaves]
    edges = np.sum(partly, axis=0)
    within = _joined(region, [part > 0 for part in leaves])
    without = _joined(region, [part >= 1 for part in leaves])
    share = np.sum([np.where(edge, part, 0.0) for edge, part in zip(partly, leaves, strict=True)], axis=0)
    values = without + share * (within.astype(np.float32) - without)
    rows, columns = np.nonzero(edges > 1)
    if len(rows):
        apart = (np.arange(_subpixels) + 0.5) / _subpixels - 0.5
        y = (rows + box[0].start)[:, None, None] + apart[:, None] + 0 * apart
        x = (columns + box[1].start)[:, None, None] + 0 * apart[:, None] + apart
        values[rows, columns] = _holds(region, target, home, x.ravel(), y.ravel()).reshape(len(rows), -1).mean(axis=1)
    return values.astype(np.float32)


def _on_box(found: Weights, box: Slices) -> np.ndarray:
    """Return weights on the pixels of a box that holds theirs."""
    whole = np.zeros([part.stop - part.start for part in box], np.float32)
    if found.values.size:
        whole[tuple(_shifted(own, all_) for own, all_ in zip(found.slices, box, strict=True))] = found.values
    return whole


def _shifted(part: slice, by: slice) -> slice:
    return slice(part.start - by.start, part.stop - by.start)


def _joined(region: Any, parts: list[np.ndarray]) -> np.ndarray:
    """Return where a compound region is, from where its members are, in the order of `members`."""
    known = list(zip(members(region), parts, strict=True))
    by_id = {id(leaf): found for leaf, found in known}

    def of(part: Any) -> np.ndarray:
        if shape_name(type(part)) == "Compound":
            return part.operator(of(part.region1), of(part.region2))
        if id(part) not in by_id:
            by_id[id(part)] = next(found for leaf, found in known if same(leaf, part))
        return by_id[id(part)]

    return of(region)


def _member(region: Any, target: Target, home: Any, box: Slices) -> np.ndarray:
    """Return which pixels of a box have their centre in a region, a compound one by its members."""
    if shape_name(type(region)) == "Compound":
        parts = (_member(part, target, home, box) for part in (region.region1, region.region2))
        return region.operator(*parts)
    rings = place([region], [home], target.sky, error=_fine)
    if kind_of(region) not in OPEN and _is_parted(rings, region, target):
        return SkyShape(region, home).points_in(target.sky, box, 1)
    found = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), bool)
    for ring in _closed(rings):
        found ^= _covered(ring, box, "center") > 0.5
    return found


def _holds(region: Any, target: Target, home: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which points, in pixels of the target, lie in a region, a compound one by its members."""
    from jviz.backend.regions import kernels

    if shape_name(type(region)) == "Compound":
        return region.operator(*(_holds(part, target, home, x, y) for part in (region.region1, region.region2)))
    rings = place([region], [home], target.sky, error=_fine)
    if kind_of(region) not in OPEN and _is_parted(rings, region, target):
        return SkyShape(region, home).holds(target.sky, x, y)
    found = np.zeros(len(x), bool)
    for ring in _closed(rings):
        found ^= kernels.contains(np.ascontiguousarray(ring[:, 0]), np.ascontiguousarray(ring[:, 1]), x, y)
    return found


def _closed(rings: Outlines) -> list[np.ndarray]:
    """Return the rings that enclose something, without points beside the sky of the image."""
    found = (ring[np.isfinite(ring).all(axis=1)] for ring in map(rings.ring, range(len(rings))))
    return [ring for ring in found if len(ring) > 2]

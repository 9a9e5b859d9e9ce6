"""The coordinate grid of any projection and rotation, drawn anew for each frame of a pan.

The sky is evaluated on a coarse mesh of the viewport, refined by cubic interpolation of the unit
vectors, and meridians and parallels are traced through it (see `jviz.backend.render.contour`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from jviz.backend.render.contour import Line, Mesh, meridians, parallels
from jviz.backend.render.frames import FRAMES, equatorial, from_icrs, lonlat, unit_vectors
from jviz.backend.render.labels import Label, place_labels
from jviz.backend.render.levels import Step, Style, nice_step, step_of
from jviz.backend.render.ticks import (
    Compass,
    Ticks,
    compass,
    pixel_ticks,
    scale_bar,
    ticks_for_table,
    value_ticks,
)

__all__ = [
    "FRAMES",
    "Compass",
    "Grid",
    "GridLine",
    "Label",
    "Ticks",
    "compass",
    "pixel_ticks",
    "scale_bar",
    "sky_grid",
    "ticks_for_table",
    "value_ticks",
]

PixelMap = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""``(x, y) -> (x, y)`` or ``(lon, lat)`` on arrays of one dimension."""

_coarse = 24.0
_usual_area = 1e6
_refinement = 3
_flat = 0.1
_doubt = 1e-3
_most_lines = 150


@dataclass(frozen=True)
class GridLine:
    """One connected piece of a meridian (``axis="lon"``) or parallel (``"lat"``).

    Parameters
    ----------
    value : float
        The longitude or latitude in degrees.
    points : ndarray, (n, 2)
        Vertices in viewport coordinates.
    """

    axis: Literal["lon", "lat"]
    value: float
    points: np.ndarray


@dataclass(frozen=True)
class Grid:
    """A coordinate grid in viewport coordinates."""

    frame: str
    lines: tuple[GridLine, ...] = ()
    labels: tuple[Label, ...] = ()

    def path(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all lines as one: points (n, 2), and whether each is joined to the next (n,)."""
        if not self.lines:
            return np.empty((0, 2)), np.empty(0, dtype=bool)
        joined = np.ones(sum(len(line.points) for line in self.lines), dtype=bool)
        joined[np.cumsum([len(line.points) for line in self.lines]) - 1] = False
        return np.concatenate([line.points for line in self.lines]), joined


def sky_grid(
    pixel_to_sky: PixelMap,
    viewport_to_pixel: PixelMap,
    width: float,
    height: float,
    *,
    frame: str = "icrs",
    style: Style = "sexagesimal",
    spacing: float | tuple[float, float] | None = None,
    n: float = 5,
    glyph: tuple[float, float] = (7.0, 15.0),
    taken: Sequence[tuple[float, float, float, float]] = (),
) -> Grid:
    """Compute the grid that a viewport shows.

    Parameters
    ----------
    pixel_to_sky : callable
        ``(x, y) -> (lon, lat)``: ICRS degrees, NaN where undefined.
    viewport_to_pixel : callable
        ``(x, y) -> (x, y)``: from viewport coordinates, in [0, width] × [0, height] with y
        downwards, to data pixels.
    frame : str
        One of `FRAMES`, FK5 and ecliptic (barycentric and mean) at J2000, FK4 at B1950; or ``"fk5 J1975"``.
    style : "sexagesimal" or "degrees"
        Hours (equatorial frames), degrees, minutes and seconds; or decimal degrees.
    spacing : float or (float, float), optional
        Of meridians and parallels, in degrees; nice numbers are chosen when it is not given, or
        when it would give more than 150 lines.
    n : float
        About how many lines of each kind to draw.
    glyph : (float, float)
        Width of a character and height of a line of the labels, in viewport units.
    taken : sequence of (float, float, float, float)
        Left, top, right and bottom of places where no label goes.

    Returns
    -------
    Grid
        Without lines where the sky is undefined.

    Raises
    ------
    ValueError
        When the frame is not known or a spacing is not above 0.
    """
    mesh = _mesh(pixel_to_sky, viewport_to_pixel, width, height, frame)
    if not np.isfinite(mesh.lon).any():
        return Grid(frame)
    lon_step, lat_step = _steps(mesh, frame, style, spacing, n)
    traced = {
        "lon": (lon_step, meridians(mesh, lon_step.degrees)),
        "lat": (lat_step, parallels(mesh, lat_step.degrees)),
    }
    labels = place_labels(traced, width, height, glyph=glyph, taken=taken)
    return Grid(frame, _grid_lines(traced), labels)


def _grid_lines(traced: dict[str, tuple[Step, list[Line]]]) -> tuple[GridLine, ...]:
    return tuple(
        GridLine(axis, line.index * step.degrees, line.points)
        for axis, (step, lines) in traced.items()
        for line in lines
    )


def _mesh(pixel_to_sky: PixelMap, viewport_to_pixel: PixelMap, width: float, height: float, frame: str) -> Mesh:
    """Evaluate the sky on the viewport, finely only where it is curved."""
    # On larger screens the mesh is coarser, or its cost would grow with their area.
    step = _coarse * max(1.0, width * height / _usual_area) ** 0.25
    x, y = _nodes(width, step), _nodes(height, step)

    def directions(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        lon, lat = pixel_to_sky(*viewport_to_pixel(x, y))
        return from_icrs(unit_vectors(np.asarray(lon, float), np.asarray(lat, float)), frame)

    vectors = directions(*_all_pairs(x, y)).reshape(3, y.size, x.size)
    if not _is_flat(vectors, step):
        vectors, x, y = _refined(vectors, x, y, directions)
    lon, lat = lonlat(vectors)
    return Mesh(x, y, vectors, lon, lat)


def _nodes(length: float, step: float) -> np.ndarray:
    """Return equal steps from edge to edge; four nodes at least, for the cubic."""
    return np.linspace(0, length, max(4, round(length / step) + 1))


def _all_pairs(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.tile(x, y.size), np.repeat(y, x.size)


def _is_flat(vectors: np.ndarray, step: float) -> bool:
    """Whether chords of one mesh step stay within a tenth of a pixel of the lines."""
    if not np.isfinite(vectors[0]).all():
        return False
    bend, size = 0.0, np.inf
    for axis in (1, 2):
        bend = max(bend, np.abs(np.diff(vectors, 2, axis=axis)).max())
        size = min(size, np.sqrt((np.diff(vectors, axis=axis) ** 2).sum(0)).min())
    across = np.hypot(vectors[0], vectors[1]).min()
    # A parallel at latitude b is a circle of radius cot b.
    sag = np.sqrt(3) * bend / max(size, 1e-300) + 2 * size / max(across, 1e-300)
    return bool(sag / 8 * step < _flat)


def _refined(
    vectors: np.ndarray, x: np.ndarray, y: np.ndarray, directions: Callable
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interpolate to a finer mesh; ask for the exact sky beside undefined nodes and where that fails."""
    rows, columns = _cubic(y.size), _cubic(x.size)
    fine_x, fine_y = np.linspace(x[0], x[-1], len(columns)), np.linspace(y[0], y[-1], len(rows))
    undefined = np.isnan(vectors[0])
    fine = rows @ np.where(undefined, 0.0, vectors) @ columns.T
    steps = np.abs(np.diff(vectors)).max(0)
    size = np.median(steps[np.isfinite(steps)]) if np.isfinite(steps).any() else 0.0
    # Where interpolation is poor (at a map's own poles), vectors are no longer of length 1.
    doubtful = np.abs((fine * fine).sum(0) - 1) > _doubt * size
    if undefined.any():
        touched = np.abs(rows) @ undefined.astype(float) @ np.abs(columns.T) > 0
        known = np.abs(rows) @ (~undefined).astype(float) @ np.abs(columns.T) > 0
        fine[:, touched] = np.nan
        doubtful = (doubtful | touched) & known
    i, j = np.nonzero(doubtful)
    if i.size:
        fine[:, i, j] = directions(fine_x[j], fine_y[i])
    return fine, fine_x, fine_y


@lru_cache(maxsize=64)
def _cubic(nodes: int) -> np.ndarray:
    """Return the weights (fine, nodes) of cubic Lagrange interpolation at equal steps."""
    place = np.linspace(0, nodes - 1, (nodes - 1) * _refinement + 1)
    first = np.clip(place.astype(int) - 1, 0, nodes - 4)
    t = place - first
    weights = np.zeros((place.size, nodes))
    for node in range(4):
        others = [other for other in range(4) if other != node]
        value = np.prod([(t - other) / (node - other) for other in others], axis=0)
        weights[np.arange(place.size), first + node] = value
    return weights


def _steps(
    mesh: Mesh, frame: str, style: Style, spacing: float | tuple[float, float] | None, n: float
) -> tuple[Step, Step]:
    """Choose the distance of meridians and of parallels."""
    chosen = (None, None) if spacing is None else np.broadcast_to(spacing, 2)
    spans = (_lon_span(mesh), float(np.nanmax(mesh.lat) - np.nanmin(mesh.lat)))
    steps = []
    for signed, (span, wanted) in enumerate(zip(spans, chosen, strict=True)):
        traits = {"hours": equatorial(frame) and not signed, "signed": bool(signed)}
        if wanted is not None and not wanted > 0:
            raise ValueError(f"The spacing of the grid is {wanted}; it must be above 0 degrees.")
        if wanted is None or span / wanted > _most_lines:
            steps.append(nice_step(max(span, 1e-12) / n, style, **traits))
        else:
            steps.append(step_of(wanted, style, **traits))
    return steps[0], steps[1]


def _lon_span(mesh: Mesh) -> float:
    """Return the range of longitudes in degrees, counted from their mean direction."""
    east, north = np.nansum(mesh.vectors[1]), np.nansum(mesh.vectors[0])
    offset = (mesh.lon - np.degrees(np.arctan2(east, north)) + 540) % 360
    return float(np.nanmax(offset) - np.nanmin(offset))

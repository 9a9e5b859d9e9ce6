"""Where isophotes begin, and those that are drawn while the numbers of their fit are turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jviz.backend.photometry.isophotes import Grid, binned, centre_near, fit_isophotes, moments_near, part_round
from jviz.backend.progress import Cancelled
from jviz.data import Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.geometry import geometry_of
from jviz.photometry import Field, places_meant
from jviz.photometry_preview import Preview, read_part

__all__ = ["first_ellipse", "isophote_preview", "others_of", "reach_in_sight"]

FINE = 512
"""Half the side in pixels of the picture that previews are fitted on; larger parts are binned to it."""

MOST = 2896
"""Farthest from the centre that a preview looks, in pixels, for it is read again and again."""

COARSE, IN_SIGHT = 0.1, 40
"""Least step of a preview between ellipses, as a part of its size; and steps in sight where they are equal."""

SOME = 4
"""Ellipses that are shown before a preview gives way to one with other numbers."""

Read = Callable[[slice, slice], np.ndarray]


def first_ellipse(
    read: Read, shape: tuple[int, int], place: tuple[float, float], sma: float, ellipticity: float | None,
    angle: float | None, *, recenter: bool = True,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Return x, y, ellipticity and angle (radians from +x) of the ellipse that a fit begins with.

    Parameters
    ----------
    read : callable
        From rows and columns to pixels.
    shape : (int, int)
        Of the image.
    place : (float, float)
        x and y, on the galaxy.
    ellipticity, angle : float, optional
        1 − b/a, and degrees from +x; by default from the moments of the light within twice the axis.

    Raises
    ------
    CommandError
        When no pixel can be used there, or the ellipticity is none.
    """
    rows, columns = part_round(place, 2 * sma + 8, shape)
    values = read(rows, columns)
    if not np.isfinite(values).any():
        raise CommandError(f"There is no pixel to fit at ({place[0]:.1f}, {place[1]:.1f}): all are NaN or not used.")
    x, y = place[0] - columns.start, place[1] - rows.start
    if recenter:
        x, y = centre_near(values, x, y)
    flat, turn = moments_near(values, x, y, 2 * sma)
    flat, turn = flat if ellipticity is None else ellipticity, turn if angle is None else float(np.radians(angle))
    if not 0 <= flat < 1:
        raise CommandError(f"An ellipticity of {flat:g} is none; give one from 0 to below 1.")
    return x + columns.start, y + rows.start, flat, turn


def others_of(segmentation: Image, data: Image, place: tuple[float, float]) -> Callable[[slice, slice], np.ndarray]:
    """Return what tells which pixels of a part belong to other segments than the one at a place."""
    plane = segmentation.plane()
    if plane.shape[-2:] != data.shape[-2:]:
        raise CommandError(f"{segmentation.name} has shape {plane.shape[-2:]}; {data.name} has {data.shape[-2:]}.")

    def labels(rows: slice, columns: slice) -> np.ndarray:
        return np.asarray(plane.read((*(0,) * (len(plane.shape) - 2), rows, columns)))

    x, y = round(place[0]), round(place[1])
    own = labels(slice(y, y + 1), slice(x, x + 1)).item()

    def others(rows: slice, columns: slice) -> np.ndarray:
        found = labels(rows, columns)
        return (found != 0) & (found != own)

    return others


# --- previews -----------------------------------------------------------------------------------------


def reach_in_sight(view: Any) -> tuple[float, float, float, float]:
    """Return the edges of what is in sight of the first layer of a view: x0, y0, x1, y1."""
    return geometry_of(view).bounds(view.layers[0].picture.shape[-2:])


def isophote_preview(
    session: Any, data: Image, sight: tuple[float, float, float, float], center: Any = "cursor", sma: float = 10.0, *,
    maximum: float | None = None, background: float = 0.0, region: str | None = None, segmentation: str | None = None,
    exclude_flags: Any = DEFAULT_FLAGS, step: float = 0.1, linear: bool = False, outdated: Callable[[], bool],
    **fit: Any,
) -> tuple[Preview, str]:  # fmt: skip
    """Fit the ellipses in sight as ``photometry.isophotes`` does, but on fewer pixels where many are seen.

    Parameters
    ----------
    sight : (float, float, float, float)
        From `reach_in_sight`.
    outdated : callable
        Whether other numbers are wanted; the preview then ends with what it has.
    fit : dict
        fixed, clip and clips of the command.

    Returns
    -------
    tuple
        What to draw, and the numbers in words.
    """
    place, part, reach = _part(session, data, sight, center, sma, maximum)
    field = Field(session, data, exclude_flags=exclude_flags)
    values, hidden = read_part(field, part, [session.subsets[region]] if region else ())
    if segmentation is not None:
        hidden |= others_of(session[segmentation], data, place)(*part)
    values = np.where(hidden, np.nan, values) - background
    bins = -(-max(values.shape) // (2 * FINE))
    small, _ = binned(lambda *at: values[at], *(slice(0, n) for n in values.shape), bins)
    grid = Grid(part[1].start, part[0].start, bins)
    x, y, *first = first_ellipse(lambda *at: small[at], small.shape, grid.inside(*place), sma / bins, None, None)
    growing = _Growing(data, grid, outdated)
    step = max(step, reach / IN_SIGHT) / bins if linear else max(step, COARSE)
    try:
        fit_isophotes(
            small, (x, y), sma / bins, *first, step=step, linear=linear, minimum=2.0,
            maximum=None if maximum is None else maximum / bins, each=growing.take, progress=growing.look, **fit,
        )  # fmt: skip
    except Cancelled:
        pass  # there are other numbers: what there is of these is shown meanwhile
    except ValueError as error:
        raise CommandError(f"{data.name} at ({place[0]:.0f}, {place[1]:.0f}): {error}.") from None
    return growing.preview(), growing.words()


def _part(
    session: Any, data: Image, sight: tuple[float, ...], center: Any, sma: float, maximum: float | None
) -> tuple[tuple[float, float], tuple[slice, slice], float]:
    """Return the place of a galaxy, the rows and columns round it that are worked on, and how far these reach."""
    x, y = (float(v[0]) for v in places_meant(session, data, center))
    ny, nx = data.shape[-2:]
    if not (0 <= x <= nx - 1 and 0 <= y <= ny - 1):
        raise CommandError(f"The centre ({x:.1f}, {y:.1f}) lies off {data.name}.")
    far = max(abs(edge - (x, y)[k % 2]) for k, edge in enumerate(sight)) if maximum is None else 1.2 * maximum + 8
    reach = min(max(far, 3 * sma), MOST)
    return (x, y), part_round((x, y), reach, (ny, nx)), reach


class _Growing:
    """The ellipses that there are so far."""

    def __init__(self, data: Image, grid: Grid, outdated: Callable[[], bool]) -> None:
        self._data, self._grid, self._outdated = data, grid, outdated
        self._found: list[tuple[float, float, float, float, float]] = []
        self._settled: list[float] = []

    def look(self, *_: Any) -> None:
        if self._outdated() and len(self._found) >= SOME:
            raise Cancelled

    def take(self, one: Any) -> None:
        if not one.sma > 0 or not np.isfinite([one.x0, one.y0, one.eps, one.pa]).all():
            return
        axis = float(one.sma) * self._grid.bins
        centre = self._grid.outside(float(one.x0), float(one.y0))
        self._found.append((*centre, axis, axis * (1 - float(one.eps)), float(one.pa)))
        if one.stop_code == 0:
            self._settled.append(axis)

    def preview(self) -> Preview:
        return Preview(self._data, ellipses=np.array(sorted(self._found, key=lambda row: row[2])).reshape(-1, 5))

    def words(self) -> str:
        rows = self.preview().ellipses
        if not len(rows):
            return ""
        middle = max(self._settled, default=rows[-1, 2]) / 2
        x, y, long, short, turn = rows[np.argmin(np.abs(rows[:, 2] - middle))]
        binned = f" Fitted on means of {self._grid.bins} × {self._grid.bins} pixels." if self._grid.bins > 1 else ""
        return (f"Ellipses out to {rows[-1, 2]:.0f} pixels. At {long:.0f} pixels: ellipticity {1 - short / long:.2f}, "
                f"angle {np.degrees(turn) % 180:.0f}°, centre {x:.1f}, {y:.1f}.{binned}")  # fmt: skip

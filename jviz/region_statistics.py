"""Statistics of the regions of a session: one at a time while it is dragged, or all of them as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np

from jviz.backend.regions.kinds import OPEN
from jviz.backend.regions.masks import Target, Weights, weights
from jviz.backend.regions.placing import is_wide
from jviz.backend.regions.statistics import Numbers, interpolated_areas, numbers_of
from jviz.backend.render.frames import lonlat, unit_vectors
from jviz.backend.units import parse_unit
from jviz.data import Data
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS, excluded_bits
from jviz.placement import home_of
from jviz.subsets import Subset

__all__ = ["LiveStatistics", "table_of", "weights_of"]

_nodes, _most_nodes = 64, 512
_seam = 0.1
"""So far, in widths of the map, a centroid in pixels lies from the true one when a seam parts the region."""
_apart = 0.5
"""Degrees between the places of which the solid angle of a pixel is worked out."""


class LiveStatistics:
    """The numbers of regions on one image; only the pixels round a region are read.

    It holds no state that a measurement changes, so jobs may share it.

    Parameters
    ----------
    data : Data
        An image, or a slice of a cube.
    plane : str
        The first plane by default.
    index : tuple of int
        Slice of arrays with more than two axes; the middle by default.
    exclude_flags : str, int or list, optional
        Names or bits of flags whose pixels are not used, as from `jviz.backend.dq.flag_bits`.
        `DEFAULT_FLAGS`: DO_NOT_USE where there is one.
    mode : {"exact", "center"}
        Weigh pixels by the part that is inside, or count those whose centre is.
    """

    def __init__(
        self,
        data: Data,
        *,
        plane: str = "",
        index: tuple[int, ...] = (),
        exclude_flags: Any = DEFAULT_FLAGS,
        mode: str = "exact",
    ) -> None:
        if len(data.shape) < 2:
            raise CommandError(f"{data.name} is no image; regions need at least two axes.")
        self.data = data
        self.mode = mode
        self._plane = data.plane(plane)
        self._index = tuple(index) or tuple(n // 2 for n in self._plane.shape[:-2])
        self.bits = excluded_bits(data, exclude_flags)
        self.target = Target(tuple(self._plane.shape[-2:]), getattr(data, "sky", None))
        self._errors = next((p for m in _SIGMA if (p := self._beside(m)) is not None), None)
        self._flags = self._beside("flags") if self.bits else None

    def _beside(self, meaning: str) -> Any:
        planes = self.data.planes.values()
        return next((p for p in planes if p.meaning == meaning and p.shape == self._plane.shape), None)

    @cached_property
    def _areas(self) -> tuple[np.ndarray, int] | None:
        """Solid angles at every 64th pixel, or closer: between places 0.5° apart they change linearly within 1e-5."""
        if self.target.sky is None:
            return None
        scale = self.target.sky.pixel_scale().mean
        near = int(_apart * 3600.0 / scale) if np.isfinite(scale) and scale > 0 else _nodes
        step = max(min(_nodes, near), 1, -(-max(self.target.shape) // _most_nodes))
        y, x = (np.arange(0, n + step, step, dtype=float) for n in self.target.shape)
        nodes = self.target.sky.pixel_area_arcsec2(*np.meshgrid(x, y))
        typical = float(np.nanmedian(nodes)) if np.isfinite(nodes).any() else np.nan
        return np.where(np.isfinite(nodes), nodes, typical), step

    def weights(self, subset: Subset) -> Weights:
        """Return which part of each pixel is in a subset.

        Raises
        ------
        CommandError
            When it is no region of images: a spectral range, the rows of a catalogue.
        """
        return weights_of(subset, self.data, self.target, self.mode)

    def measure(self, subset: Subset) -> Numbers:
        """Return the numbers of a subset: areas in square arcseconds, or in pixels without a sky."""
        box = self.weights(subset)
        if not box.values.size:
            return Numbers()
        where = (*self._index, *box.slices)
        errors = None
        if self._errors is not None:
            errors = _SIGMA[self._errors.meaning](self._errors.read(where).astype(float))
        flagged = None if self._flags is None else (self._flags.read(where).astype(np.int64) & self.bits) != 0
        areas = 1.0 if self._areas is None else interpolated_areas(*self._areas, box.slices)
        values = self._plane.read(where)
        found = numbers_of(box, values, errors=errors, flagged=flagged, areas=areas)
        if not self._is_wide or not np.isfinite(found.centroid_x):
            return found
        use = np.isfinite(values) & (box.values > 0) & ~(np.zeros(values.shape, bool) if flagged is None else flagged)
        return _centred_on_the_sphere(found, box, np.where(use, values * box.values, 0.0), self.target)

    @cached_property
    def _is_wide(self) -> bool:
        return self.target.sky is not None and is_wide(self.target.sky)

    def read(self, subset: Subset) -> np.ndarray:
        """Return the pixels of the box round a subset."""
        return self._plane.read((*self._index, *self.weights(subset).slices))

    @property
    def unit(self) -> Any:
        """The unit of the pixels, dimensionless when it is not understood."""
        from astropy import units as u

        return parse_unit(self._plane.unit) or u.dimensionless_unscaled


def _inverse_root(variance: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1.0 / np.sqrt(variance)


def _centred_on_the_sphere(found: Numbers, box: Weights, light: np.ndarray, target: Target) -> Numbers:
    """Take the centroid on the sphere: between the two halves of a region at the seam of a map there is nothing of it.

    Second moments of such a region are none.
    """
    rows, columns = np.nonzero(light)
    lon, lat = target.sky.pixel_to_sky(columns + box.slices[1].start, rows + box.slices[0].start)
    middle = np.nansum(unit_vectors(lon, lat) * light[rows, columns], axis=1)
    x, y = (float(v) for v in target.sky.sky_to_pixel(*lonlat(middle / np.linalg.norm(middle))))
    values: dict[str, float] = {"centroid_x": x, "centroid_y": y}
    if not np.hypot(x - found.centroid_x, y - found.centroid_y) < _seam * max(target.shape):
        values |= dict.fromkeys(("semimajor", "semiminor", "orientation"), np.nan)
    return replace(found, **values)


_SIGMA = {"error": lambda e: e, "variance": lambda v: np.sqrt(np.maximum(v, 0)), "inverse variance": _inverse_root}
"""From what a plane holds to 1-σ errors."""


def weights_of(subset: Subset, data: Data, target: Target, mode: str = "exact") -> Weights:
    """Return which part of each pixel of an image is in a subset.

    Raises
    ------
    CommandError
        When it is no region of images: a spectral range, the rows of a catalogue, a mask of another shape.
    """
    region = subset.region
    if subset.kind == "spectral" or (isinstance(region, np.ndarray) and region.ndim < 2):
        raise CommandError(f"{subset.name} is no region of an image; draw one, or choose another.")
    if isinstance(region, np.ndarray) and region.shape[-2:] != target.shape:
        raise CommandError(
            f"The mask {subset.name} of shape {region.shape} does not fit {data.name} of shape "
            f"{data.shape}; use a region, which is on all images."
        )
    return weights(region, target, home=home_of(subset, data), mode=mode)


def table_of(live: LiveStatistics, subsets: Iterable[Subset], *, progress: Any = None) -> Any:
    """Return the statistics of subsets as an astropy ``QTable``, one row each.

    Notes
    -----
    Flux densities per solid angle are multiplied by the solid angle of each pixel: MJy/sr become Jy. In
    any other unit the flux is the sum, and the surface brightness that sum over the area; ``note`` says so.
    """
    from astropy.table import QTable

    subsets = list(subsets)
    rows = []
    for number, subset in enumerate(subsets):
        if progress is not None:
            progress(number, len(subsets), subset.name)
        rows.append(asdict(live.measure(subset)))
    table = QTable({"name": [subset.name for subset in subsets]}, names=["name"], dtype=[str])
    columns = {n: np.array([row[n] for row in rows], int if n.startswith("n_") else float) for n in Numbers.names()}
    _fill(table, columns, live, np.array([subset.shape in OPEN for subset in subsets], bool))
    return table


_VALUES = ("sum", "sum_err", "mean", "median", "std", "clipped_mean", "clipped_median", "clipped_std", "min", "max")


def _fill(table: Any, columns: dict[str, np.ndarray], live: LiveStatistics, lines: np.ndarray) -> None:
    from astropy import units as u

    unit, sky = live.unit, live.target.sky
    area = u.pix**2 if sky is None else u.arcsec**2
    for name in ("n_pixels", "n_excluded", "n_flagged", "n_nan"):
        table[name] = columns[name]
    table["area"] = columns["area"] * area
    for name in _VALUES:
        table[name] = columns[name] * unit
    for name in ("centroid_x", "centroid_y"):
        table[name] = columns[name]
    table["sky_centroid"] = _on_sky(sky, columns["centroid_x"], columns["centroid_y"])
    for name in ("semimajor", "semiminor"):
        table[name] = columns[name]
    table["orientation"] = columns["orientation"] * u.deg
    _fill_fluxes(table, columns, unit, area, lines)
    table.meta.update(data=live.data.name, mode=live.mode, excluded_bits=live.bits)


def _on_sky(sky: Any, x: np.ndarray, y: np.ndarray) -> Any:
    from astropy.coordinates import SkyCoord

    lon = lat = np.full(x.shape, np.nan)
    if sky is not None and len(x):
        lon, lat = sky.pixel_to_sky(x, y)
    return SkyCoord(lon, lat, unit="deg")


def _fill_fluxes(table: Any, columns: dict[str, np.ndarray], unit: Any, area: Any, lines: np.ndarray) -> None:
    from astropy import units as u

    flux = next((f for f in (u.Jy, u.erg / u.s / u.cm**2 / u.AA, u.W / u.m**2) if unit.is_equivalent(f / u.sr)), None)
    if flux is not None and area == u.arcsec**2:
        table["surface_brightness"] = columns["mean"] * unit
        for name in ("flux", "flux_err"):
            table[name] = (columns[name] * (unit * area)).to(flux)
        note = ""
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            table["surface_brightness"] = columns["sum"] / columns["area"] * (unit / area)
        table["flux"], table["flux_err"] = columns["sum"] * unit, columns["sum_err"] * unit
        note = _why(unit, flux)
    along = f"along the line, one pixel wide{'; ' if note else ''}{note}"
    notes = [along if line else note for line in lines]
    table["note"] = [said if a > 0 else "no pixels to use" for said, a in zip(notes, columns["area"], strict=True)]


def _why(unit: Any, flux: Any) -> str:
    if flux is not None:
        return "no sky: the solid angle of pixels is not known, so flux is the sum"
    said = unit.to_string() or "no unit"
    return f"flux is the sum: {said} is not a flux density per solid angle"

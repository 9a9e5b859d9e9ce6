"""What commands of photometry share: the pixels of an image with errors and flags, places, radii, solid angles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jviz.backend.dq import DIALECTS
from jviz.backend.photometry.circles import Block, Skies, Statistic, Sums, add_weighted, skies_of
from jviz.backend.photometry.fluxes import Calibration, calibration
from jviz.backend.photometry.vega import missing, offset_of
from jviz.backend.regions.masks import Target, Weights
from jviz.backend.skymap import SR_PER_ARCSEC2
from jviz.backend.units import parse_unit
from jviz.catalogs import catalog_of, places_on
from jviz.data import Catalog, Data, WithPicture
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS, excluded_bits, flags_meant
from jviz.measuring import centre_of
from jviz.pixels import Pixels
from jviz.positions import pixel_of
from jviz.region_statistics import weights_of
from jviz.subsets import Subset

__all__ = ["Field", "places_meant", "radius_in_pixels", "sky_of_region", "sums_in_regions"]

MEANINGS = ("error", "variance", "inverse variance")
APART = 0.05
"""PIXAR_SR that differs by more from the WCS is that of another grid."""


class Field:
    """An image, or a slice of a cube, with what its photometry needs.

    Parameters
    ----------
    data : WithPicture
    exclude_flags : str, int, list or None
        Flags whose pixels are not used.
    error : None, float, ndarray, Data or its name
        1-σ errors instead of those of the data.
    plane, index
        The first plane, and the slice in the middle, by default.
    """

    def __init__(
        self,
        session: Any,
        data: Data,
        *,
        exclude_flags: Any = DEFAULT_FLAGS,
        error: Any = None,
        plane: str = "",
        index: tuple[int, ...] = (),
    ) -> None:
        self._pixels = Pixels(data, plane, index)
        self.data, self.plane, self.shape = data, self._pixels.plane, self._pixels.shape
        self.bits, self.saturated = _bits(session, data, exclude_flags), _saturated(data)
        self._flags = self._beside("flags")
        error = session[error] if isinstance(error, str) and error in session.names else error
        self.constant = float(error) if isinstance(error, int | float) and not isinstance(error, bool) else None
        self.kind, self._sigma = self._errors(error)

    def _beside(self, meaning: str) -> Any:
        planes = (p for p in self.data.planes.values() if p.meaning == meaning and p.shape[-2:] == self.shape)
        return next(planes, None)

    def _errors(self, error: Any) -> tuple[str, Any]:
        """Return what the errors are and what reads them: a plane, an array, or None."""
        if error is None:
            found = next(((m, p) for m in MEANINGS if (p := self._beside(m)) is not None), ("", None))
            return found if self.plane is self.data.plane() else ("", None)
        if self.constant is not None:
            if not self.constant >= 0:
                raise CommandError(f"An error of {error:g} is none; give one of 0 or more.")
            return "", None
        if isinstance(error, Data):
            plane = error.plane()
            meaning, errors = (plane.meaning if plane.meaning in MEANINGS else "error"), plane
        else:
            meaning, errors = "error", np.asarray(getattr(error, "value", error))
            if errors.dtype.kind not in "iuf":
                raise CommandError(f"{error!r} are no errors; give a number, an array, or the name of an image.")
        if errors.shape[-2:] != self.shape or len(errors.shape) < 2:
            raise CommandError(f"The errors have shape {errors.shape}; {self.data.name} has {self.shape}.")
        return meaning, errors

    @property
    def has_errors(self) -> bool:
        """Whether the error of each pixel is known."""
        return self._sigma is not None or self.constant is not None

    @property
    def unit(self) -> Any:
        """Unit of the pixels, dimensionless when it is not understood."""
        from astropy import units as u

        return (parse_unit(self.plane.unit) if self.plane.unit else None) or u.dimensionless_unscaled

    def calibration(self, zero_point: float | None, vega: Any = None) -> Calibration:
        """Return how sums become Jy and magnitudes."""
        found = calibration(self.plane.unit, self.data.header, zero_point=zero_point)
        offset = offset_of(self.data.header, vega)[0]
        return replace(found, vega=offset, no_vega="" if np.isfinite(offset) else missing(self.data.header))

    def read(self, rows: slice, columns: slice) -> Block:
        """Return a part of the image."""
        values = self._pixels.part(self.plane, rows, columns)
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64 if values.dtype.itemsize > 2 else np.float32)
        sigma = None
        if isinstance(self._sigma, np.ndarray):
            sigma = self._sigma[(*(n // 2 for n in self._sigma.shape[:-2]), rows, columns)]
        elif self._sigma is not None:
            sigma = self._pixels.part(self._sigma, rows, columns)
        return Block(values, sigma, self.flags(rows, columns))

    def flags(self, rows: slice, columns: slice) -> np.ndarray | None:
        """Return the flags of a part of the image; None where there are none of interest."""
        if self._flags is None or not self.bits | self.saturated:
            return None
        flags = self._pixels.part(self._flags, rows, columns)
        return flags if flags.dtype == np.uint32 else flags.astype(np.int64).astype(np.uint32)

    def weights(self, subset: Subset, mode: Any = "exact") -> Weights:
        """Return which part of each pixel is in a region."""
        return weights_of(subset, self.data, Target(self.shape, self.data.sky), mode)

    def solid_angles(self, x: np.ndarray, y: np.ndarray, *, exact: bool = False) -> tuple[np.ndarray, str]:
        """Return the solid angle of pixels in sr, and where it is from; NaN and why where it is not known.

        The header's PIXAR_SR counts (as in the JWST pipeline) unless it is more than 5 % off the WCS, or ``exact``.
        """
        sky, stated = self.data.sky, self.data.header.get("PIXAR_SR")
        stated = float(stated) if isinstance(stated, int | float) and stated > 0 else None
        middle = np.nan
        if sky is not None:
            ny, nx = self.shape
            middle = float(sky.pixel_area_arcsec2((nx - 1) / 2, (ny - 1) / 2)) * SR_PER_ARCSEC2
        if stated is not None and not exact and not abs(stated / middle - 1) > APART:
            return np.full(len(x), stated), "PIXAR_SR"
        if sky is None:
            return np.full(len(x), np.nan), "it has neither PIXAR_SR nor world coordinates"
        found = np.full(len(x), np.nan)
        good = np.isfinite(x) & np.isfinite(y)
        if good.any():
            found[good] = sky.pixel_area_arcsec2(x[good], y[good]) * SR_PER_ARCSEC2
        return found, "WCS at each place"

    def coordinates(self, x: np.ndarray, y: np.ndarray) -> Any:
        """Return the places on the sky, NaN where there is none."""
        from astropy.coordinates import SkyCoord

        lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
        good = np.isfinite(x) & np.isfinite(y)
        if self.data.sky is not None and good.any():
            lon[good], lat[good] = self.data.sky.pixel_to_sky(x[good], y[good])
        return SkyCoord(lon, lat, unit="deg")


def _bits(session: Any, data: Data, flags: Any) -> int:
    return excluded_bits(data, flags_meant(session, data, flags))


def _saturated(data: Data) -> int:
    named = DIALECTS.get(data.product.flags or "generic", {})
    return sum(1 << bit for bit, (name, _) in named.items() if "SATURATED" in name.upper())


# --- places and sizes ---------------------------------------------------------------------------------


def places_meant(session: Any, data: WithPicture, positions: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels (x, y) of positions in any form: pairs, SkyCoord, a catalogue or table, "cursor", one place.

    Raises
    ------
    CommandError
        When they are not understood, or have no place on the image.
    """
    if isinstance(positions, str):
        if positions.strip().lower() == "cursor":
            return _single(_under_cursor(session, data))
        if positions in session.names:
            positions = session[positions]
    if isinstance(positions, Catalog):
        return _of_catalog(positions, data)
    if hasattr(positions, "colnames"):
        return _of_table(positions, data)
    if hasattr(positions, "icrs") and not positions.isscalar:
        return _of_sky(positions.icrs.ra.deg, positions.icrs.dec.deg, data)
    if hasattr(positions, "xy") and hasattr(positions, "x"):  # PixCoord
        return np.atleast_1d(np.asarray(positions.x, float)), np.atleast_1d(np.asarray(positions.y, float))
    pairs = _pairs(positions)
    if pairs is not None:
        return pairs[:, 0].copy(), pairs[:, 1].copy()
    if isinstance(positions, list | tuple) and not _is_pair(positions):
        if not len(positions):
            raise CommandError("The list of positions is empty; give at least one (x, y).")
        found = np.array([pixel_of(session, data, one)[:2] for one in positions], float)
        return found[:, 0], found[:, 1]
    return _single(pixel_of(session, data, positions)[:2])


def _single(place: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([place[0]], float), np.array([place[1]], float)


def _is_pair(positions: Sequence[Any]) -> bool:
    return len(positions) == 2 and all(isinstance(v, int | float | np.number) for v in positions)


def _pairs(positions: Any) -> np.ndarray | None:
    """Return numbers of shape (n, 2), None when that is not what they are."""
    if not isinstance(positions, np.ndarray | list | tuple) or not len(positions):
        return None
    try:
        numbers = np.asarray(positions, float)
    except (TypeError, ValueError):
        return None
    if numbers.ndim == 1 and len(numbers) == 2:
        return numbers[None]
    if numbers.ndim != 2 or numbers.shape[1] != 2:
        raise CommandError(f"Positions of shape {numbers.shape} are no list of (x, y).")
    return numbers


def _under_cursor(session: Any, data: WithPicture) -> tuple[float, float]:
    pointed = session.interaction.pixel
    if pointed is not None and pointed[0].layers and pointed[0].layers[0].data is data:
        return pointed[1], pointed[2]
    return centre_of(session, data, None)


def _of_catalog(catalog: Catalog, data: WithPicture) -> tuple[np.ndarray, np.ndarray]:
    found = places_on(catalog, data)
    if found is None:
        why = "no columns of positions" if catalog.places is None else f"its places are on the sky, {data.name} is not"
        raise CommandError(f"The rows of {catalog.name} cannot be placed on {data.name}: {why}.")
    return found


def _of_table(table: Any, data: WithPicture) -> tuple[np.ndarray, np.ndarray]:
    return _of_catalog(catalog_of(table, "the table"), data)


def _of_sky(lon: np.ndarray, lat: np.ndarray, data: WithPicture) -> tuple[np.ndarray, np.ndarray]:
    if data.sky is None:
        raise CommandError(f"{data.name} has no world coordinates; give positions in pixels.")
    return data.sky.sky_to_pixel(np.asarray(lon, float), np.asarray(lat, float))


def radius_in_pixels(radius: Any, data: WithPicture) -> float:
    """Return a radius in pixels: a number, an angle as a Quantity or as text, ``0.3"``.

    Raises
    ------
    CommandError
        When it is no radius above 0, or an angle on an image without world coordinates.
    """
    from astropy import units as u

    if isinstance(radius, str):
        text = re.sub(r"\"|''", " arcsec", radius.strip())
        try:
            radius = u.Quantity(text)
        except (TypeError, ValueError):
            raise CommandError(f"{radius!r} is no radius; write 5 (pixels), 0.3 arcsec or 70 %.") from None
    if hasattr(radius, "unit") and radius.unit not in (u.dimensionless_unscaled, u.pix):
        if not radius.unit.is_equivalent(u.arcsec):
            raise CommandError(f"A radius is an angle or a number of pixels, not {radius}.")
        if data.sky is None:
            raise CommandError(f"{data.name} has no world coordinates; give radii in pixels.")
        radius = radius.to_value(u.arcsec) / data.sky.pixel_scale().mean
    number = float(getattr(radius, "value", radius))
    if not 0 < number < 5000:
        raise CommandError(f"A radius of {number:g} pixels makes no aperture; give one above 0 and below 5000.")
    return number


# --- regions --------------------------------------------------------------------------------------


def sums_in_regions(field: Field, subsets: Sequence[Subset], progress: Any) -> tuple[Sums, np.ndarray, np.ndarray]:
    """Add up the pixels of regions by their exact parts; return the sums and the middles (x, y) of the regions."""
    found = np.zeros((len(subsets), 10))
    x, y = np.full(len(subsets), np.nan), np.full(len(subsets), np.nan)
    for k, subset in enumerate(subsets):
        progress(k, len(subsets), subset.name)
        box = field.weights(subset)
        if box.values.size:
            add_weighted(field.read(*box.slices), field.kind, field.bits, field.saturated, box.values, found[k])
        if found[k, 0] > 0:
            x[k], y[k] = found[k, 8:] / found[k, 0] + (box.slices[1].start, box.slices[0].start)
    return Sums.of(found[:, None, :8]), x, y


def sky_of_region(field: Field, subset: Subset, count: int, statistic: Statistic, clip: float) -> Skies:
    """Return the sky in one region, the same for all places.

    Raises
    ------
    CommandError
        When it has no pixel to use.
    """
    from jviz.backend.photometry.kernels import clipped

    box = field.weights(subset, "center")
    block = field.read(*box.slices)
    good = (box.values > 0) & np.isfinite(block.values)
    if block.flags is not None:
        good &= (block.flags & np.uint32(field.bits)) == 0
    if not good.any():
        raise CommandError(f"{subset.name} has no pixel of {field.data.name} to take the sky from.")
    numbers = np.full(4, np.nan)
    clipped(np.sort(block.values[good].astype(np.float64)), float(clip), numbers)
    return skies_of(*(np.full(count, v) for v in numbers), statistic)

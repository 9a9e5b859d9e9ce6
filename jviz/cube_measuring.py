"""What measuring cubes needs: spaxels of regions, channels of spectral ranges, variances, spectra with their unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from jviz.backend.cubes.extract import Extracted, Spaxels, Statistic, extract
from jviz.backend.cubes.source import CubeSource
from jviz.backend.progress import Progress, silent
from jviz.backend.regions.masks import Target
from jviz.backend.skymap import SR_PER_ARCSEC2
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.ranges import SpectralRanges, ranges_of, ranges_of_text
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.units import Scale, convert_axis, scale_of
from jviz.backend.units import parse_unit
from jviz.beams import beams_of, is_per_beam, tell_of_beams
from jviz.cube_places import Place, can_grow, can_have_ring, checked_ring, growth
from jviz.data import Cube
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS, excluded_bits
from jviz.measuring import subset_of
from jviz.pixels import VARIANCES
from jviz.placement import home_of

__all__ = ["CubeMeasure", "channel_shares", "channels_within", "spaxel_area"]


def channel_shares(session: Any, axis: SpectralAxis, spectral: Any) -> np.ndarray:
    """Return which share of each channel lies in spectral ranges, shape (n_channels,); all of them for None.

    Parameters
    ----------
    spectral : None, SpectralRanges, SpectralRegion, pair of quantities, name of a spectral subset or text
        A text says a range: ``"5.0 to 5.1 um"``.
        In any unit that the axis can be converted to; without a unit, in that of the axis.

    Raises
    ------
    CommandError
        When it is none of these, or no channel lies inside.
    """
    if spectral is None or (isinstance(spectral, str) and not spectral):
        return np.ones(len(axis))
    if isinstance(spectral, str):
        spectral = _named_ranges(session, spectral)
    ranges = ranges_of(spectral)
    shares = np.zeros(len(axis))
    for low, high in _in_axis(ranges, axis):
        shares = np.maximum(shares, axis.shares(low, high))
    if not shares.any():
        ends = f"{axis.values.min():.6g} to {axis.values.max():.6g} {axis.unit}".rstrip()
        raise CommandError(f"No channel lies in that spectral range; the cube covers {ends}.")
    return shares


def _named_ranges(session: Any, text: str) -> Any:
    """Return the ranges of a spectral subset, or those that a text says."""
    if text in session.subsets and session.subsets[text].kind == "spectral":
        return session.subsets[text].region
    ranges = ranges_of_text(text)
    if ranges is None:
        there = [n for n, s in session.subsets.items() if s.kind == "spectral"]
        raise CommandError(
            f"There is no spectral subset {text!r}; there are {', '.join(there) or 'none'}. Or write a range, such as "
            "5.0 to 5.1 um."
        )
    return ranges


def _in_axis(ranges: SpectralRanges, axis: SpectralAxis) -> list[tuple[float, float]]:
    if not ranges.unit or ranges.unit == axis.unit:
        return [tuple(pair) for pair in ranges.ranges]
    from jviz.backend.spectra.units import quantity_of

    mine = scale_of(axis)
    if mine.quantity == "channel":
        quantity_of(ranges.unit)
        raise CommandError(
            f"The file does not say in which unit the channels are counted, so {ranges.unit} cannot be found on them; "
            "give numbers as the axis has them, without a unit, or say the unit with Cube ▸ Spectral Axis…."
        )
    medium = getattr(ranges, "medium", "") or mine.medium
    theirs = Scale(ranges.unit, quantity_of(ranges.unit)[0], medium, mine.rest, mine.convention)
    return [tuple(convert_axis(pair, theirs, mine).tolist()) for pair in ranges.ranges]


def channels_within(session: Any, axis: SpectralAxis, spectral: Any) -> slice:
    """Return the channels from the first to the last of which at least half lies in spectral ranges.

    Where each is wider than the range, those that hold most of it. See `channel_shares`.
    """
    shares = channel_shares(session, axis, spectral)
    inside = np.flatnonzero(shares >= min(0.5, shares.max()))
    return slice(int(inside[0]), int(inside[-1]) + 1)


def spaxel_area(cube: Cube) -> float | None:
    """Return the solid angle of a spaxel in sr: PIXAR_SR of the header, else that of the middle by the WCS."""
    header = cube.header
    for keyword, factor in (("PIXAR_SR", 1.0), ("PIXAR_A2", SR_PER_ARCSEC2)):
        value = header.get(keyword)
        if isinstance(value, int | float) and value > 0:
            return float(value) * factor
    return None if cube.sky is None else float(cube.sky.pixel_scale().mean) ** 2 * SR_PER_ARCSEC2


class CubeMeasure:
    """Measures one plane of a cube, without the pixels that their flags forbid.

    Parameters
    ----------
    session : Session
    cube : Cube
    exclude_flags : list of str, str or int
        By default DO_NOT_USE where the flags have it.
    one_beam : bool
        Values per beam are of one beam for all channels, so that channels can be added up.

    Attributes
    ----------
    of_beams : str
        What the history says of beams that differ; "" where values are as they are.
    """

    def __init__(
        self, session: Any, cube: Cube, exclude_flags: Any = DEFAULT_FLAGS, *, one_beam: bool = False
    ) -> None:
        self.session, self.cube = session, cube
        self.bits = excluded_bits(cube, exclude_flags) if cube.product.plane("flags") is not None else 0
        self.source: CubeSource = cube.source("", self.bits, one_beam=one_beam)
        self.axis: SpectralAxis = cube.axis
        self.of_beams = tell_of_beams(session, cube, scaled=True) if self.source.factors is not None else ""

    @property
    def variance(self) -> Callable[[slice, slice, slice], np.ndarray] | None:
        """Read variances of a part, channels first; None when the cube has no errors."""
        for meaning, turn in VARIANCES:
            plane = self.cube.product.plane(meaning)
            if plane is not None and plane.shape == self.cube.plane().shape:
                return partial(self._variance, self.cube.source(plane.name), turn)
        return None

    def _variance(self, reader: CubeSource, turn: Any, channels: slice, *where: slice) -> np.ndarray:
        found = turn(reader.read(channels, *where, dtype=np.dtype(np.float64)))
        if self.source.factors is not None:
            found = found * self.source.factors[channels, None, None] ** 2
        return found

    # --- spaxels --------------------------------------------------------------------------------

    def spaxels(self, region: Any = None, mode: Literal["exact", "center"] = "exact") -> Spaxels:
        """Return the spaxels of a region: a name, a region, a mask; all of them for None.

        Raises
        ------
        CommandError
            When it covers no spaxel.
        """
        ny, nx = self.source.shape[1:]
        if region is None or (isinstance(region, str) and not region):
            rows, columns = np.mgrid[:ny, :nx].reshape(2, -1)
            return Spaxels(rows, columns, np.ones(ny * nx))
        return self._covering(self.place(region, mode))

    def place(self, region: Any, mode: Literal["exact", "center"] = "exact", **options: Any) -> Place:
        """Return the place of a region: a name, a region, a mask.

        Parameters
        ----------
        **options
            See `jviz.cube_places.Place`.

        Raises
        ------
        CommandError
            When it is no region, or does not fit the cube.
        """
        subset = subset_of(self.session, self.cube, region)
        shape = subset.region
        if isinstance(shape, np.ndarray) and shape.shape[-2:] != self.source.shape[1:]:
            raise CommandError(f"The mask of shape {shape.shape} does not fit {self.cube.name}; draw a region instead.")
        if not isinstance(shape, np.ndarray) and not hasattr(shape, "meta"):
            raise CommandError("That is no region of an image; draw one on the cube, or name one.")
        target = Target(self.source.shape[1:], self.cube.sky)  # type: ignore[arg-type]
        made = Place(shape, home_of(subset, self.cube), target, mode, **options)
        return made.in_pixels(self.cube.sky) if options else made

    def _covering(self, place: Place) -> Any:
        """Return a place, or its spaxels where they are the same in each channel; there must be some."""
        found = place(0)
        if not len(found) and not (place.grows and len(place(len(self.axis) - 1))):
            raise CommandError(f"The region covers no spaxel of {self.cube.name}; move it onto the cube.")
        return place if place.grows else found

    def cone(self, region: Any, reference: float | None, mode: Literal["exact", "center"]) -> Place:
        """Return spaxels by channel for a region whose size grows with wavelength; see `jviz.cube_places.growth`."""
        place = self.place(region, mode, factors=growth(self.axis, reference))
        if not can_grow(place.shape):
            raise CommandError("A cone needs a circle, an ellipse, a rectangle, an annulus or a polygon.")
        return self._covering(place)

    def ring(self, region: Any, ring: Any, mode: Literal["exact", "center"], factors: Any = None) -> Any:
        """Return the spaxels round a region, from so many times its size to so many times."""
        place = self.place(region, mode, ring=checked_ring(ring), factors=factors)
        if not can_have_ring(place.shape):
            raise CommandError("A ring goes round a circle, an ellipse, a rectangle or a polygon.")
        return self._covering(place)

    # --- spectra --------------------------------------------------------------------------------

    def spectrum(
        self,
        region: Any = None,
        statistic: Statistic = "sum",
        *,
        mode: Literal["exact", "center"] = "exact",
        cone: bool = False,
        reference: float | None = None,
        background: Any = None,
        ring: Any = None,
        name: str = "",
        progress: Progress = silent,
    ) -> Samples:
        """Work out the spectrum of a region, less that of a background or of a ring round it."""
        place: Any = self.cone(region, reference, mode) if cone else self.spaxels(region, mode)
        found = extract(self.source, place, statistic, variance=self.variance, progress=progress)
        below: Any = None
        if ring is not None:
            below = self.ring(region, ring, mode, place.factors if cone else None)
        elif background is not None and not (isinstance(background, str) and not background):
            grows = cone and can_grow(subset_of(self.session, self.cube, background).region)
            below = self.cone(background, reference, mode) if grows else self.spaxels(background, mode)
        if below is not None:
            sky = extract(self.source, below, "mean", variance=self.variance, progress=progress)
            found = found.minus(sky, found.coverage if statistic == "sum" else 1.0)
        # A cone has another solid angle in each channel: none turns all of its sums into brightness.
        return self.samples(found, statistic, name, has_area=not cone)

    def samples(self, found: Extracted, statistic: str, name: str = "", *, has_area: bool = True) -> Samples:
        """Give extracted numbers their axis, unit and solid angle: sums of brightness become flux (Jy from MJy/sr)."""
        factor, unit = self.flux_unit() if statistic == "sum" else (1.0, self.cube.unit)
        error = None if found.error is None else found.error * factor
        area, meta = spaxel_area(self.cube) if has_area else None, {}
        for keyword in ("TARGNAME", "OBJECT", "INSTRUME", "TELESCOP"):
            if keyword in self.cube.header:
                meta[keyword] = self.cube.header[keyword]
        covered = float(np.nanmax(found.coverage)) if found.coverage.size else 0.0
        return Samples(
            self.axis, found.values * factor, unit, error, "std" if error is not None else "",
            area=area * covered if area is not None else None, name=name, meta=meta,
        )  # fmt: skip

    def flux_unit(self) -> tuple[Any, str]:
        """Return by what a sum over spaxels is multiplied, and its unit: brightness × solid angle, else as it is.

        Returns
        -------
        float or ndarray of shape (n_channels,)
            Channels differ where their beams do.
        str
        """
        from astropy import units

        unit, area = parse_unit(self.cube.unit), spaxel_area(self.cube)
        if unit is None or area is None:
            return 1.0, self.cube.unit
        beams = beams_of(self.cube) if is_per_beam(self.cube.unit) else None
        if beams is not None:
            factor = area * float((unit * units.beam).to(units.Jy)) / beams.solid_angles
            return factor if len(factor) == len(self.axis) else float(factor[0]), "Jy"
        for base, power in zip(unit.bases, unit.powers, strict=True):
            angle = base**-power
            if power < 0 and angle.is_equivalent(units.sr):
                flux, factor = unit * angle, area * float(units.sr.to(angle))
                if flux.is_equivalent(units.Jy):
                    return factor * float(flux.to(units.Jy)), "Jy"
                return factor, flux.to_string()
        return 1.0, self.cube.unit

"""The spectral side of the model: samples of spectra, sources of cubes, and new spectra made by commands."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.io.product import Plane, Product, Unit
from jviz.backend.spectra.axis import SpectralAxis, axis_by_keywords, quantity_of_unit, rest_of, spectral_axis
from jviz.backend.spectra.conventions import made_axis, medium_of
from jviz.backend.spectra.reading import samples_of_planes, samples_of_table
from jviz.backend.spectra.samples import Samples
from jviz.data import loaded_object
from jviz.errors import ReadError

if TYPE_CHECKING:
    from jviz.backend.cubes.source import CubeSource
    from jviz.data import Cube, Spectrum

__all__ = ["VELDEFS", "AxisChoice", "axis_of", "made_spectrum", "samples_of", "source_of_cube"]

VELDEFS = {"RADI": "radio", "OPTI": "optical", "RELA": "relativistic"}
"""How VELDEF names conventions of velocities (SDFITS, Garwood 2000); used beside tables of channels."""


@dataclass(frozen=True)
class AxisChoice:
    """What a user says about the spectral axis of a cube, and its errors; None or "" leaves what the file says.

    Attributes
    ----------
    axis : int or None
        Which array axis of the file it is, in numpy order.
    unit : str
        Of the values: as they are given, not converted. With ``first`` and ``step``, their unit.
    first, step : float or None
        Value of the first channel and the step to the next one, for files that have no coordinates.
    medium : str
        vacuum or air.
    rest : float or None
        Rest frequency or wavelength in ``rest_unit``.
    flux_unit : str
        Of the fluxes of spectra: as they are given, not converted.
    errors : str
        What the plane of errors holds: "error" (standard deviations), "variance" or "inverse variance".
    """

    axis: int | None = None
    unit: str = ""
    first: float | None = None
    step: float | None = None
    medium: str = ""
    rest: float | None = None
    rest_unit: str = ""
    flux_unit: str = ""
    errors: str = ""

    def applied(self, axis: SpectralAxis) -> SpectralAxis:
        """Return an axis with what was chosen."""
        values, unit, quantity, notes = axis.values, self.unit or axis.unit, axis.quantity, axis.notes
        if self.first is not None and self.step is not None:
            values, notes = self.first + self.step * np.arange(len(axis)), ()
            quantity = "channel"
        if self.unit:
            quantity = quantity_of_unit(unit) if quantity_of_unit(unit) != "channel" else quantity
        rest = (self.rest, self.rest_unit) if self.rest is not None else (axis.rest, axis.rest_unit)
        return replace(axis, values=values, unit=unit, quantity=quantity, medium=self.medium or axis.medium,
                       rest=rest[0], rest_unit=rest[1], notes=notes)  # fmt: skip

    def to_samples(self, samples: Sequence[Samples]) -> tuple[Samples, ...]:
        """Return spectra with what was chosen."""
        made = []
        for one in samples:
            axis = self.applied(one.axis)
            if self.unit:
                axis = replace(axis, notes=())
            if axis.quantity not in ("wavelength", "wavenumber"):
                axis = replace(axis, medium="")
            made.append(replace(one, axis=axis, unit=self.flux_unit or one.unit))
        return tuple(made)


def axis_of(cube: Cube) -> SpectralAxis:
    """Work out the spectral axis of a cube; loads its WCS (seconds the first time)."""
    axis = _tabulated(cube) or spectral_axis(cube.header, cube.wcs, cube.shape)
    if axis.quantity == "channel" and cube.wcs is None:
        axis = axis_by_keywords(cube.header, cube.shape[0]) or axis
    return cube.choice.applied(axis) if cube.choice is not None else axis


def _tabulated(cube: Cube) -> SpectralAxis | None:
    """Return the axis of a cube that brings a table of its wavelengths."""
    table = cube.planes.get("WAVELENGTH")
    if table is None or table.shape != cube.shape[:1]:
        return None
    quantity, (rest, rest_unit) = quantity_of_unit(table.unit), rest_of(cube.header)
    medium = medium_of(cube.header) if quantity == "wavelength" else ""
    said = str(cube.header.get("VELDEF", "")).strip().upper()[:4]
    convention = VELDEFS.get(said, "") if quantity == "velocity" else ""
    return SpectralAxis(np.asarray(table.read(), float), table.unit, quantity, medium=medium, rest=rest,
                        rest_unit=rest_unit, convention=convention)  # fmt: skip


def source_of_cube(cube: Cube, plane: str = "", exclude: int = 0, *, one_beam: bool = False) -> CubeSource:
    """Return a reader of a plane of a cube, channels first; pixels with any bit of ``exclude`` become NaN."""
    from jviz.backend.cubes.source import CubeSource
    from jviz.beams import channel_factors

    return CubeSource(cube.plane(plane), cube.axis.array_axis, flags=cube.product.plane("flags"), exclude=exclude,
                      factors=channel_factors(cube, plane) if one_beam else None)  # fmt: skip


def samples_of(spectrum: Spectrum) -> tuple[Samples, ...]:
    """Read the spectra of a data set, with what was said about them.

    Raises
    ------
    JvizError
        When no wavelengths are found, neither by jviz nor by the readers of specutils.
    """
    found = _samples_of_file(spectrum)
    return found if spectrum.choice is None else spectrum.choice.to_samples(found)


def _samples_of_file(spectrum: Spectrum) -> tuple[Samples, ...]:
    product = spectrum.product
    try:
        if product.load_samples is not None:
            return tuple(product.load_samples())
        if product.load_object is not None:
            return _of_object(loaded_object(spectrum), spectrum)
        names, header = _target_names(spectrum), {**spectrum.header, **_said_of_waves(spectrum)}
        return samples_of_planes(spectrum.planes, header, dialect=product.flags, names=names, what=spectrum.name)
    except ReadError as error:
        if spectrum.path is None:
            raise
        return _by_specutils(spectrum, error)


def _of_object(thing: Any, spectrum: Spectrum) -> tuple[Samples, ...]:
    if hasattr(thing, "colnames"):
        return samples_of_table(thing, spectrum.header, spectrum.name)
    if isinstance(thing, list):
        return tuple(one for spectra in thing for one in _from_specutils(spectra))
    return tuple(_from_specutils(thing))


def _said_of_waves(spectrum: Spectrum) -> dict[str, Any]:
    """Return what the extension of the wavelengths says about them: vacuum or air."""
    waves = [p.hdu for n, p in spectrum.planes.items() if "WAVE" in n.upper() and p.hdu is not None]
    headers = [u.header for u in spectrum.product.units if u.index in waves]
    if any(u.name.upper() == "FIBERMAP" for u in spectrum.product.units):
        headers.insert(0, {"VACUUM": True})  # DESI's data model
    return {key: header[key] for header in headers for key in ("VACUUM", "AIRORVAC") if key in header}


_FIBRES = {"FIBERMAP": "TARGETID", "FIBRES": "NAME"}
"""Tables that name the rows of a file of fibres, and their columns: DESI, and 2dfdr of AAOmega."""


def _target_names(spectrum: Spectrum) -> list[str]:
    """Return the names of the rows of files of fibres: what was observed, or the numbers of the fibres (PFS)."""
    if "FIBERID" in spectrum.planes:
        return [f"fibre {number}" for number in np.ravel(spectrum.planes["FIBERID"].read())]
    unit = next((u for u in spectrum.product.units if u.name.upper() in _FIBRES), None)
    if unit is None or spectrum.path is None or len(spectrum.shape) != 2:
        return []
    from astropy.io import fits

    from jviz.backend.io.fits_compressed import decompressed

    column = _FIBRES[unit.name.upper()]
    with fits.open(decompressed(spectrum.path)) as units:
        rows = units[unit.index].data
        if column not in rows.names or len(rows) != spectrum.shape[0]:
            return []
        return [str(name).strip() for name in rows[column]]


def _by_specutils(spectrum: Spectrum, cause: ReadError) -> tuple[Samples, ...]:
    """Let specutils try its own readers on the file; its import takes seconds, so it comes last."""
    from specutils import SpectrumList

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = SpectrumList.read(spectrum.path)
        return tuple(one for spectra in found for one in _from_specutils(spectra))
    except Exception as error:  # its readers fail in as many ways as there are files
        raise cause from error


def _from_specutils(spectrum: Any) -> Iterator[Samples]:
    """Take a specutils ``Spectrum`` of one or of several spectra on one axis."""
    axis, error = spectrum.spectral_axis, spectrum.uncertainty
    kind = error.uncertainty_type if error is not None and error.uncertainty_type in ("std", "var", "ivar") else ""
    meta = dict(spectrum.meta.get("header") or {}) | {k: v for k, v in spectrum.meta.items() if k != "header"}
    arguments, notes = made_axis(np.asarray(axis.value, float), axis.unit.to_string(), "", meta)
    flux = np.asarray(spectrum.flux.value, float)
    parts = [np.broadcast_to(np.asarray(p), flux.shape) if p is not None else None for p in (
        error.array.astype(float) if kind else None, spectrum.mask)]  # fmt: skip
    rows = [None if p is None else p.reshape(-1, flux.shape[-1]) for p in (flux, *parts)]
    for number in range(len(rows[0])):
        one, uncertainty, mask = (None if p is None else p[number] for p in rows)
        yield Samples(
            SpectralAxis(**arguments, notes=notes),
            one,
            spectrum.flux.unit.to_string(),
            uncertainty,
            kind,
            None if mask is None else mask.astype(bool),
            name=f"row {number + 1}" if len(rows[0]) > 1 else "",
            meta=meta,
        )


def made_spectrum(samples: Samples | Sequence[Samples], name: str, label: str) -> Spectrum:
    """Wrap one spectrum or several that a command worked out as data of a session.

    Parameters
    ----------
    samples : Samples or sequence of Samples
    name : str
        Of the new data; the session makes it unique.
    label : str
        What it is, in words: ``"sum of core in cube"``.
    """
    from jviz.conversion.taken import cards_of
    from jviz.data import from_product

    spectra = (samples,) if isinstance(samples, Samples) else tuple(samples)
    first = spectra[0]
    product = Product("spectrum", name, label)
    cards = dict(first.meta) | ({"VACUUM": first.axis.medium == "vacuum"} if first.axis.medium else {})
    product.units = (Unit(0, name, 1, "spectrum", (len(first),), "", first.unit, cards_of(cards)),)
    if len(spectra) == 1:
        product.planes = {plane.name: plane for plane in _planes_of(first)}
    else:
        from jviz.backend.spectra.tables import table_of_samples

        product.load_object = lambda: table_of_samples(spectra)
    data = from_product(product)
    data._samples = spectra
    return data  # type: ignore[return-value]


def _planes_of(samples: Samples) -> list[Plane]:
    def plane(title: str, values: Any, meaning: Any, unit: str) -> Plane:
        return Plane(title, values.shape, values.dtype, lambda progress: values, meaning, unit)

    meaning = {"std": "error", "var": "variance", "ivar": "inverse variance"}
    planes = [plane("FLUX", samples.flux, "data", samples.unit)]
    if samples.uncertainty is not None and samples.kind:
        title = {"std": "ERR", "var": "VAR", "ivar": "IVAR"}[samples.kind]
        planes.append(plane(title, samples.uncertainty, meaning[samples.kind], ""))
    if samples.mask is not None:
        planes.append(plane("MASK", samples.mask.view(np.uint8), "flags", ""))
    planes.append(plane("WAVELENGTH", samples.axis.values, "other", samples.axis.unit))
    return planes

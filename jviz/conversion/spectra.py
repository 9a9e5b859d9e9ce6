"""Spectra from tables and arrays, by the names that pipelines give to their columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.io.product import Plane
from jviz.backend.units import parse_unit
from jviz.data import Data, loaded_object
from jviz.errors import CommandError

__all__ = ["give_spectra", "give_spectrum", "table_of"]

AXES = ["WAVELENGTH", "WAVE", "LAMBDA", "LAM", "SPECTRAL_AXIS", "WAVELENGTHS", "FREQUENCY", "FREQ", "ENERGY", "LOGLAM"]
FLUXES = ["FLUX", "SPECTRUM", "FLUX_DENSITY", "SURF_BRIGHT", "FLAM", "FNU", "COUNTS", "INTENSITY", "DATA"]
ERRORS = ["{0}_ERROR", "{0}_ERR", "ERR_{0}", "{0}ERR", "ERROR", "ERR", "SIGMA", "STD", "UNCERTAINTY", "{0}_UNCERTAINTY"]
VARIANCES = ["{0}_VAR", "{0}_VARIANCE", "VAR", "VARIANCE"]
INVERSE_VARIANCES = ["{0}_IVAR", "IVAR", "INVVAR"]


def give_spectrum(data: Data, cls: type | None) -> Any:
    """Give one spectrum.

    Raises
    ------
    CommandError
        When there is none, or several.
    """
    found = give_spectra(data, None)
    if len(found) > 1:
        raise CommandError(
            f"{data.name} holds {len(found)} spectra; get it as specutils.SpectrumList and choose one of them."
        )
    return found[0]


def give_spectra(data: Data, cls: type | None) -> Any:
    """Give all spectra of the data as a SpectrumList."""
    from specutils import SpectrumList

    thing = loaded_object(data) if data.product.load_object is not None else None
    if isinstance(thing, SpectrumList):
        return SpectrumList(thing)
    if thing is not None and not hasattr(thing, "colnames"):
        return SpectrumList([thing])
    if thing is not None:
        return SpectrumList(_from_table(data, thing))
    return SpectrumList(_from_planes(data))


def table_of(spectrum: Any, cls: type) -> Any:
    """Return a spectrum as a table, one row for each channel.

    Its columns are spectral_axis, flux and, where known, flux_err and mask; of several spectra
    on one axis the columns hold vectors.
    """
    from astropy.nddata import StdDevUncertainty
    from astropy.table import QTable
    from astropy.units import Quantity

    columns = {"spectral_axis": Quantity(spectrum.spectral_axis), "flux": spectrum.flux.T}
    if spectrum.uncertainty is not None:
        error = spectrum.uncertainty.represent_as(StdDevUncertainty)
        columns["flux_err"] = Quantity(error.array, error.unit or spectrum.flux.unit).T
    if spectrum.mask is not None:
        columns["mask"] = np.asarray(spectrum.mask).T
    return cls(QTable(columns, meta=dict(spectrum.meta)))


def _from_table(data: Data, table: Any) -> list[Any]:
    names = {name.upper(): name for name in table.colnames}
    axis = next((names[n] for n in AXES if n in names), None)
    flux = next((names[n] for n in FLUXES if n in names), None)
    if axis is None or flux is None:
        return _by_specutils(data)
    error = _error_column(names, flux)
    columns = [np.atleast_2d(_quantity(table[n])) for n in (axis, flux, *error[:1])]
    if table[axis].ndim > 2:
        return _by_specutils(data)
    return [_spectrum(data, *row, kind=error[1] if error else "") for row in zip(*columns, strict=True)]


def _error_column(names: dict[str, str], flux: str) -> tuple[str, ...]:
    """Find the column with the uncertainty of the flux; returns its name and kind, or ``()``."""
    for kind, patterns in (("std", ERRORS), ("var", VARIANCES), ("ivar", INVERSE_VARIANCES)):
        for pattern in patterns:
            if (name := pattern.format(flux.upper())) in names:
                return names[name], kind
    return ()


def _quantity(column: Any) -> Any:
    """Give a column its unit; logarithms of wavelengths become wavelengths."""
    from astropy import units

    values = units.Quantity(getattr(column, "quantity", None) if hasattr(column, "quantity") else column)
    if column.info.name.upper() == "LOGLAM":
        return 10 ** values.value.astype(float) * units.AA
    return values


def _spectrum(data: Data, axis: Any, flux: Any, error: Any = None, *, kind: str = "", mask: Any = None) -> Any:
    from astropy import units
    from astropy.nddata import InverseVariance, StdDevUncertainty, VarianceUncertainty
    from specutils import Spectrum

    kinds = {"std": StdDevUncertainty, "var": VarianceUncertainty, "ivar": InverseVariance}
    if axis.unit == units.dimensionless_unscaled:
        axis = axis.value * units.AA  # SDSS and its kin write wavelengths in Å and leave the unit out
    keep = np.isfinite(axis.value)
    uncertainty = kinds[kind](error[..., keep].value, unit=_uncertainty_unit(error, flux, kind)) if kind else None
    mask = mask[..., keep] if mask is not None else None
    return Spectrum(flux[..., keep], axis[keep], uncertainty=uncertainty, mask=mask, meta=data.header)


def _uncertainty_unit(error: Any, flux: Any, kind: str) -> Any:
    """Take the unit of the error column when it can be one of the flux's errors, else what follows from the flux."""
    expected = flux.unit ** {"std": 1, "var": 2, "ivar": -2}[kind]
    return error.unit if error.unit.is_equivalent(expected) else expected


def _from_planes(data: Data) -> list[Any]:
    from astropy.units import Quantity, dimensionless_unscaled

    from jviz.conversion.given import mask_of, uncertainty_of

    axis = _wavelengths(data)
    if axis is None:
        return _by_specutils(data)
    unit = parse_unit(data.unit) or dimensionless_unscaled
    flux = Quantity(data.plane().read(), unit)
    uncertainty, mask = uncertainty_of(data), mask_of(data)
    error = Quantity(uncertainty.array, uncertainty.unit or dimensionless_unscaled) if uncertainty is not None else None
    kind = uncertainty.uncertainty_type if uncertainty is not None else ""
    return [_spectrum(data, axis, flux, error, kind=kind, mask=mask)]


def _wavelengths(data: Data) -> Any:
    """Return the spectral axis of arrays as a Quantity: a plane of wavelengths, or the WCS."""
    from astropy.units import Quantity

    if not data.planes:
        return None
    plane = next((p for p in data.planes.values() if _is_axis(p, data.shape[-1])), None)
    if plane is not None:
        return Quantity(plane.read(), parse_unit(plane.unit) or "")
    wcs = data.product.load_wcs().wcs if len(data.shape) == 1 else None
    if wcs is None or wcs.pixel_n_dim != 1 or wcs.world_n_dim != 1:
        return None
    wcs = getattr(wcs, "low_level_wcs", wcs)
    return Quantity(wcs.pixel_to_world_values(np.arange(data.shape[0])), parse_unit(wcs.world_axis_units[0]) or "")


def _is_axis(plane: Plane, length: int) -> bool:
    return plane.shape == (length,) and any(word in plane.name.upper() for word in ("WAVELENGTH", "WAVE", "LAMBDA"))


def _by_specutils(data: Data) -> list[Any]:
    """Let specutils try its own readers on the file."""
    from specutils import Spectrum

    if data.path is None or data.kind not in ("spectrum", "spectrum2d", "cube"):
        raise CommandError(f"{data.name} ({data.label or data.kind}) has no wavelengths, so it cannot be a Spectrum.")
    try:
        return [Spectrum.read(data.path)]
    except Exception as error:  # its readers fail in as many ways as there are files
        raise CommandError(
            f"{data.name} cannot be given as a Spectrum: no wavelengths were found beside its values "
            f"({error or type(error).__name__}). Get it as numpy.ndarray or QTable."
        ) from error

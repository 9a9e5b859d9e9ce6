"""Spectra of a session as objects of specutils, and as tables."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from jviz.backend.spectra.samples import Samples
from jviz.backend.units import parse_unit
from jviz.data import Data, Spectrum, loaded_object
from jviz.errors import CommandError

__all__ = ["give_spectra", "give_spectrum", "table_of"]


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
    """Give all spectra of the data as a SpectrumList; those that share one axis are one of its members.

    Raises
    ------
    CommandError
        When the data have no wavelengths.
    """
    from specutils import SpectrumList

    thing = loaded_object(data) if data.product.load_object is not None else None
    if isinstance(thing, SpectrumList):
        return SpectrumList(thing)
    if thing is not None and not hasattr(thing, "colnames"):
        return SpectrumList([thing])
    if not isinstance(data, Spectrum):
        return _by_specutils(data)
    groups = [list(group) for _, group in groupby(data.samples, key=lambda one: id(one.axis))]
    return SpectrumList([_spectrum(group) for group in groups])


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


def _spectrum(group: list[Samples]) -> Any:
    """Make a Spectrum of one spectrum, or of several on one axis."""
    from astropy import units
    from astropy.nddata import InverseVariance, StdDevUncertainty, VarianceUncertainty
    from specutils import Spectrum

    kinds = {
        "std": (StdDevUncertainty, 1),
        "var": (VarianceUncertainty, 2),
        "ivar": (InverseVariance, -2),
    }
    first = group[0]

    def stacked(what: str) -> Any:
        parts = [getattr(one, what) for one in group]
        return None if parts[0] is None else parts[0] if len(parts) == 1 else np.stack(parts)

    unit = parse_unit(first.unit) or units.dimensionless_unscaled
    channel = units.pix if first.axis.quantity == "channel" and not first.axis.unit else units.dimensionless_unscaled
    axis = first.axis.values * (parse_unit(first.axis.unit) if first.axis.unit else channel)
    uncertainty = None
    if first.kind:
        make, power = kinds[first.kind]
        uncertainty = make(stacked("uncertainty"), unit=unit**power)
    meta = dict(first.meta)
    return Spectrum(stacked("flux") * unit, axis, uncertainty=uncertainty, mask=stacked("mask"), meta=meta)


def _by_specutils(data: Data) -> Any:
    """Let specutils try its own readers on the file."""
    from specutils import Spectrum, SpectrumList

    if data.path is None or data.kind not in ("spectrum2d", "cube"):
        raise CommandError(f"{data.name} ({data.label or data.kind}) has no wavelengths, so it cannot be a Spectrum.")
    try:
        return SpectrumList([Spectrum.read(data.path)])
    except Exception as error:  # its readers fail in as many ways as there are files
        raise CommandError(
            f"{data.name} cannot be given as a Spectrum: no wavelengths were found beside its values "
            f"({error or type(error).__name__}). Get it as numpy.ndarray or QTable."
        ) from error

"""Numbers of spectral ranges for tables and panels, in the units of the files or those that are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.backend.spectra.fluxes import convert_flux, flux_unit
from jviz.backend.spectra.ranges import SpectralRanges, ranges_of
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.statistics import RangeStatistics, range_statistics
from jviz.backend.spectra.units import Scale, convert_axis, scale_of
from jviz.errors import CommandError
from jviz.session import Session
from jviz.spectrum_views import SpectrumView, bounds_in, measured_layers, ranges_between, scale_of_view

__all__ = ["ToMeasure", "as_shown", "measured", "ranges_to_measure", "table_of_ranges"]


@dataclass(frozen=True)
class ToMeasure:
    """A range of a spectrum.

    Attributes
    ----------
    name : str
        Of the range.
    title : str
        Of the spectrum.
    samples : Samples
    low, high : float
        In the unit of the axis of the samples.
    """

    name: str
    title: str
    samples: Samples
    low: float
    high: float


PLAIN = "range"
"""Name of ranges that are given as numbers."""


def ranges_to_measure(
    session: Session, region: Any, data: Any, view: Any, *, layers: Sequence[Any] | None = None
) -> list[ToMeasure]:
    """Find the ranges and spectra that are meant: of data, of some layers, or of all that a view shows.

    Raises
    ------
    CommandError
        When there are none.
    """
    ranges = _ranges(session, region, view)
    spectra = _of_layers(layers) if layers is not None else _spectra(session, data, view)
    found = [
        ToMeasure(name, title, samples, low, high)
        for name, one in ranges.items()
        for title, samples in spectra
        for low, high in bounds_in(_of_axis(one, samples) if name == PLAIN else one, scale_of(samples.axis))
        if high > samples.axis.edges.min() and low < samples.axis.edges.max()
    ]
    if not found:
        raise CommandError(f"None of the spectra reaches into {', '.join(ranges)}; choose another range or spectrum.")
    return found


def _ranges(session: Session, region: Any, view: Any) -> dict[str, SpectralRanges]:
    subsets = {name: s for name, s in session.subsets.items() if s.kind == "spectral"}
    if region is None and subsets:
        return {name: ranges_of(subset.region) for name, subset in subsets.items()}
    if region is None:
        return {"in sight": _in_sight(_view(session, view))}
    names = [region] if isinstance(region, str) else region
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        for name in names:
            if name not in subsets:
                known = ", ".join(subsets) or "none; drag with Shift in a spectrum to make one"
                raise CommandError(f"There is no spectral subset {name!r}; there are {known}.")
        return {name: ranges_of(subsets[name].region) for name in names}
    return {PLAIN: ranges_of(region)}


def _of_axis(ranges: SpectralRanges, samples: Samples) -> SpectralRanges:
    """Return ranges; plain numbers are in the unit of the axis, as they are where cubes are measured."""
    return ranges if ranges.unit else replace(ranges, unit=samples.axis.unit)


def _view(session: Session, view: Any) -> SpectrumView:
    found = session.find_view(view, "spectrum")
    if not isinstance(found, SpectrumView) or not found.layers:
        raise CommandError(f"{found.name} shows no spectrum; name the data to measure.")
    return found


def _in_sight(view: SpectrumView) -> SpectralRanges:
    first = view.layers[0].data.samples[view.layers[0].index]
    scale = scale_of_view(view, first.axis)
    low, high = view.x_range or bounds_in(ranges_between(*_ends(first), scale_of(first.axis)), scale)[0]
    return ranges_between(low, high, scale)


def _ends(samples: Samples) -> tuple[float, float]:
    return float(samples.axis.edges.min()), float(samples.axis.edges.max())


def _of_layers(layers: Sequence[Any]) -> list[tuple[str, Samples]]:
    return [(layer.title, layer.data.samples[layer.index]) for layer in layers]


def _spectra(session: Session, data: Any, view: Any) -> list[tuple[str, Samples]]:
    if data is None:
        return _of_layers(measured_layers(_view(session, view)))
    given = data if isinstance(data, list | tuple) else [data]
    found = []
    for one in map(session.find_data, given):
        several = len(one.samples) > 1
        found += [(f"{one.name} {s.name or n + 1}" if several else one.name, s) for n, s in enumerate(one.samples)]
    return found


def as_shown(one: ToMeasure, view: SpectrumView) -> ToMeasure:
    """Return a range of a spectrum in the units of a view.

    Magnitudes have no sums or lines: where a view shows them, and where a spectrum cannot be converted, the unit of
    the file stays.
    """
    samples, source = one.samples, scale_of(one.samples.axis)
    target = scale_of_view(view, samples.axis)
    unit = view.y_unit or samples.unit
    if flux_unit(unit).density == "magnitude":
        unit = samples.unit
    if target == source and unit == samples.unit:
        return one
    try:
        values = convert_axis(samples.axis.values, source, target)
        low, high = sorted(map(float, convert_axis([one.low, one.high], source, target)))
        waves = convert_axis(samples.axis.values, source, Scale("m", "wavelength")) if unit != samples.unit else None
        flux, error = convert_flux(
            samples.flux, samples.error, samples.unit, unit, wavelength=waves, area=samples.area
        )  # fmt: skip
    except CommandError:
        return one
    axis = replace(
        samples.axis, values=values, unit=target.unit, quantity=target.quantity, medium=target.medium,
        rest=target.rest, rest_unit="m" if target.rest else "", convention=target.convention,
    )  # fmt: skip
    kind = "" if error is None else "std"
    return replace(one, samples=replace(samples, axis=axis, flux=flux, uncertainty=error, kind=kind, unit=unit),
                   low=low, high=high)  # fmt: skip


def measured(one: ToMeasure, continuum: str = "sides") -> tuple[RangeStatistics, str]:
    """Measure a range, and say in a note what is not as wished."""
    try:
        found, note = range_statistics(one.samples, one.low, one.high, continuum=continuum), ""
    except CommandError:
        if continuum != "sides":
            raise
        found = range_statistics(one.samples, one.low, one.high, continuum="ends")
        note = "continuum through the ends: nothing is beside the range"
    return found, ", ".join(filter(None, [note, "errors from the scatter" if found.from_scatter else ""]))


COLUMNS = (
    ("channels", "channels", ""), ("mean", "mean", "y"), ("mean_err", "mean_err", "y"), ("median", "median", "y"),
    ("rms", "rms", "y"), ("low", "min", "y"), ("high", "max", "y"), ("total", "sum", "y"),
    ("total_err", "sum_err", "y"), ("integral", "integral", "xy"), ("integral_err", "integral_err", "xy"),
    ("snr", "snr", ""), ("continuum", "continuum", "y"), ("line", "line_flux", "xy"),
    ("line_err", "line_flux_err", "xy"), ("width", "equivalent_width", "x"), ("width_err", "equivalent_width_err", "x"),
    ("centroid", "centroid", "x"), ("centroid_err", "centroid_err", "x"), ("fwhm", "fwhm", "x"),
    ("fwhm_err", "fwhm_err", "x"),
)  # fmt: skip


def table_of_ranges(ranges: Iterable[ToMeasure], continuum: str = "sides") -> Any:
    """Measure ranges and return a ``QTable`` of them; spectra of other units are brought to those of the first."""
    from astropy import units as u
    from astropy.table import QTable

    from jviz.backend.units import parse_unit

    rows: list[dict[str, Any]] = []
    units: dict[str, Any] = {}
    for one in ranges:
        found, note = measured(one, continuum)
        x = parse_unit(one.samples.axis.unit) or u.dimensionless_unscaled
        y = parse_unit(one.samples.unit) or u.dimensionless_unscaled
        row: dict[str, Any] = {"range": one.name, "spectrum": one.title, "start": one.low * x, "end": one.high * x}
        for name, column, kind in COLUMNS:
            unit = {"": u.dimensionless_unscaled, "x": x, "y": y, "xy": x * y}[kind]
            row[column] = getattr(found, name) * unit
        row["note"] = note
        for column, value in row.items():
            if hasattr(value, "unit"):
                units.setdefault(column, value.unit)
                row[column] = _in(value, units[column])
        rows.append(row)
    return QTable({name: _column([row[name] for row in rows], units.get(name)) for name in rows[0]})


def _in(value: Any, unit: Any) -> float:
    """Return a quantity in a unit, NaN where it is of another kind: such columns cannot be compared."""
    from astropy.units import UnitConversionError

    try:
        return float(value.to_value(unit))
    except UnitConversionError:
        return np.nan


def _column(values: list[Any], unit: Any) -> Any:
    return values if unit is None or isinstance(values[0], str) else np.array(values, float) * unit

"""Fits of lines to a range of a spectrum: what is meant, the fit, its table and model, and a preview of all that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.backend.spectra.line_fits import FittedLine, LineFit, fit_lines
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.units import scale_of
from jviz.backend.units import parse_unit
from jviz.data import Spectrum
from jviz.errors import CommandError, JvizError
from jviz.session import Session
from jviz.spectral import made_spectrum
from jviz.spectrum_statistics import ToMeasure, ranges_to_measure
from jviz.spectrum_views import MODEL_OF, measured_layers, scale_of_view

__all__ = [
    "CONTINUA", "FIT", "Fitted", "ShownUnits", "fitted", "line_fit_preview", "line_fit_units", "meant", "model_of",
    "table_of",
]  # fmt: skip

CONTINUA = {"none": -1, "constant": 0, "line": 1, "parabola": 2, "cubic": 3}
"""Orders of the polynomials below lines."""

FIT = "Line fit"
"""Name of the live spectrum that shows a fit which is tried."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit of lines to a range.

    Attributes
    ----------
    one : ToMeasure
        Spectrum and range.
    centers : list of float
        Where the lines began.
    use : ndarray of bool
        Samples that took part.
    found : LineFit
    """

    one: ToMeasure
    centers: list[float]
    use: np.ndarray
    found: LineFit

    @property
    def model(self) -> Samples:
        """The model within the range."""
        reached, samples = np.flatnonzero(self.use), self.one.samples
        part = slice(int(reached[0]), int(reached[-1]) + 1)
        return replace(
            samples, axis=replace(samples.axis, values=samples.axis.values[part]), flux=self.found.model[part],
            uncertainty=None, kind="", mask=None, flags=None, meta={**samples.meta, MODEL_OF: self.one.title},
        )  # fmt: skip

    @property
    def farthest(self) -> float:
        """Where the spectrum is farthest from the model: where a further line may be."""
        left = np.where(self.use, np.abs(self.one.samples.flux - self.found.model), -np.inf)
        return float(self.one.samples.axis.values[np.argmax(left)])


def fitted(one: ToMeasure, centers: Any, *, shape: str, continuum: str, **options: Any) -> Fitted:
    """Fit lines to a range, beginning at some places, or at the farthest from a straight line.

    Raises
    ------
    CommandError
        When there is no sample, or a place is beside the range.
    """
    x = one.samples.axis.values
    use = one.samples.good & (x >= one.low) & (x <= one.high)
    error = one.samples.error
    if error is not None:
        use &= np.isfinite(error) & (error > 0)
    if not use.any():
        raise CommandError(
            f"{one.title} has no good sample between {one.low:g} and {one.high:g} {one.samples.axis.unit}."
        )
    places = _centers(one, use) if centers is None else [float(center) for center in np.atleast_1d(centers)]
    outside = [center for center in places if not one.low <= center <= one.high]
    if not places or outside:
        raise CommandError(
            f"Give places of lines between {one.low:g} and {one.high:g} {one.samples.axis.unit}; "
            f"{outside[0]:g} is outside." if outside else "Give the place of one line at least."
        )  # fmt: skip
    found = fit_lines(
        x, one.samples.flux, error, places, use=use, shape=shape, order=CONTINUA[continuum],  # type: ignore[arg-type]
        **options,
    )  # fmt: skip
    return Fitted(one, places, use, found)


def line_fit_preview(session: Session, view: Any, region: Any, centers: Any, **options: Any) -> Fitted | str:
    """Fit as ``spectrum.fit_lines`` does, for a look; a sentence when that cannot be done."""
    try:
        one, _ = meant(session, region or None, None, view)
        return fitted(one, centers, **options)
    except JvizError as error:
        return str(error)


@dataclass(frozen=True)
class ShownUnits:
    """Units in which numbers of a fit are written.

    Attributes
    ----------
    x, y : str
    x_factor, y_factor : float
        By what numbers in the units of the file are multiplied.
    """

    x: str = ""
    y: str = ""
    x_factor: float = 1.0
    y_factor: float = 1.0


def line_fit_units(samples: Samples, view: Any) -> ShownUnits:
    """Return the units of a view where they are multiples of those of a spectrum, which stay otherwise."""
    source, target = scale_of(samples.axis), scale_of_view(view, samples.axis)
    alike = replace(target, unit=source.unit) == source
    x, x_factor = _multiple(source.unit, target.unit if alike else "")
    y, y_factor = _multiple(samples.unit, view.y_unit)
    return ShownUnits(x, y, x_factor, y_factor)


def _multiple(unit: str, wanted: str) -> tuple[str, float]:
    """Return a unit and the factor that leads to it; the first one where the second is no multiple of it."""
    from astropy.units import UnitConversionError

    source, target = parse_unit(unit), parse_unit(wanted) if wanted else None
    if source is None or target is None or wanted == unit:
        return unit, 1.0
    try:
        return wanted, float(source.to(target))
    except (UnitConversionError, TypeError):
        return unit, 1.0


def meant(session: Session, region: Any, data: Any, view: Any) -> tuple[ToMeasure, Any]:
    """Return the one range of the one spectrum that is meant, and the view that shows it."""
    views = [one for one in session.views.values() if one.kind == "spectrum" and one.layers]
    shown = session.find_view(view, "spectrum") if view is not None or (data is None and views) else None
    if shown is None and data is not None:
        shown = next((one for one in views if any(layer.data is data for layer in one.layers)), None)
    ranged = any(subset.kind == "spectral" for subset in session.subsets.values())
    if region is None and shown is None and data is not None and not ranged:
        ends = data.samples[0].axis.edges
        return ToMeasure("all", data.name, data.samples[0], float(ends.min()), float(ends.max())), None
    layers = None
    if data is None and shown is not None:
        layers = measured_layers(shown)[-1:]
        if not layers:
            raise CommandError(f"{shown.name} shows no spectrum; name the data to fit.")
    found = ranges_to_measure(session, region, data, shown, layers=layers)
    if len({(one.low, one.high) for one in found}) > 1:
        names = ", ".join(dict.fromkeys(one.name for one in found))
        raise CommandError(f"There are several ranges, {names}; say with region which one takes part.")
    if len(found) > 1:
        raise CommandError(f"{len(found)} spectra are meant; fit one after the other.")
    return found[0], shown


def _centers(one: ToMeasure, use: np.ndarray) -> list[float]:
    """Return where the spectrum is farthest from a straight line through what is not far from it."""
    x, y = one.samples.axis.values[use], one.samples.flux[use]
    left = y - np.median(y)
    if len(x) > 3:
        near = np.abs(left) <= 1.5 * np.median(np.abs(left)) + 1e-300
        scaled = (x - x.mean()) / (np.ptp(x) or 1.0)
        if near.sum() > 2:
            left = y - np.polynomial.Polynomial.fit(scaled[near], y[near], 1)(scaled)
    return [float(x[np.argmax(np.abs(left))])]


def table_of(one: ToMeasure, found: LineFit, shape: str) -> Any:
    """Return one row for each line."""
    from astropy import units as u
    from astropy.table import QTable

    x = parse_unit(one.samples.axis.unit) or u.dimensionless_unscaled
    y = parse_unit(one.samples.unit) or u.dimensionless_unscaled
    columns = (("center", "center", x), ("fwhm", "fwhm", x), ("velocity_width", "fwhm_velocity", u.km / u.s),
               ("amplitude", "amplitude", y), ("flux", "flux", x * y),
               ("equivalent_width", "equivalent_width", x))  # fmt: skip
    table: dict[str, Any] = {"line": [number + 1 for number in range(len(found.lines))]}
    for field, column, unit in columns:
        values = np.array([getattr(line, field) for line in found.lines])
        table[column], table[f"{column}_err"] = values[:, 0] * unit, values[:, 1] * unit
    table["continuum"] = np.array([line.continuum for line in found.lines]) * y
    table["reduced_chi2"] = np.full(len(found.lines), found.chi2 / found.free if not found.scaled else np.nan)
    made = QTable(table)
    made.meta = {"spectrum": one.title, "shape": shape, "start": one.low, "end": one.high,
                 "errors": "scatter about the model" if found.scaled else "covariance"}  # fmt: skip
    return made


def model_of(fit: Fitted, name: str) -> Spectrum:
    """Return the model within the range as data."""
    return made_spectrum(fit.model, name, f"model of {_words(fit.found.lines)} in {fit.one.title}")


def _words(lines: tuple[FittedLine, ...]) -> str:
    return "one line" if len(lines) == 1 else f"{len(lines)} lines"

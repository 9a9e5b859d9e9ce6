"""Commands on lines of spectra: fits of profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jviz.actions.view import place
from jviz.backend.spectra.line_fits import FittedLine, LineFit, fit_lines
from jviz.backend.spectra.samples import Samples
from jviz.commands import command
from jviz.data import Spectrum
from jviz.errors import CommandError
from jviz.running import Apply, add_data
from jviz.session import Session
from jviz.spectral import made_spectrum
from jviz.spectrum_statistics import ToMeasure, ranges_to_measure


@command("spectrum.fit_lines", title="Fit Lines…", menu="Spectrum", needs="spectrum", group="measure", job=True,
         icon="fa6s.chart-area")  # fmt: skip
def fit(
    session: Session,
    centers: list[float] | None = None,
    region: Any = None,
    data: Spectrum | None = None,
    *,
    shape: Literal["gaussian", "lorentzian", "voigt"] = "gaussian",
    continuum: Literal["constant", "line", "parabola", "cubic", "none"] = "line",
    width: float | None = None,
    tie_centers: bool = False,
    tie_widths: bool = False,
    fix_centers: bool = False,
    fix_width: bool = False,
    resolution: float = 0.0,
    model: bool = True,
    name: str = "",
    view: Any = None,
) -> Any:
    """Fit emission or absorption lines together with the continuum below them, over one range.

    Parameters
    ----------
    centers : list of float, optional
        Where each line is about, in the unit of the axis of the file; by default the farthest point from a straight
        line through the range.
    region : str or SpectralRanges, optional
        Range that takes part: a spectral subset, or a pair such as (4.9 * u.um, 5.1 * u.um); by default the only
        spectral subset, what is in sight, or all of it.
    data : Spectrum, optional
        The uppermost visible one of the view by default.
    shape : str
        Of the lines: gaussian, lorentzian or voigt.
    continuum : str
        Polynomial below the lines, fitted with them.
    width : float, optional
        Full width at half maximum to begin with, in the unit of the axis; the one that is held with "fix_width".
    tie_centers : bool
        Hold the ratios of the centres: one redshift for all lines.
    tie_widths : bool
        One width in velocity for all lines.
    resolution : float
        Full width at half maximum of the instrument, in the unit of the axis, taken off the widths in quadrature.
    model : bool
        Keep the model as data, drawn over the spectrum.

    Returns
    -------
    QTable
        One row for each line: center, fwhm, fwhm_velocity, amplitude, flux, equivalent_width (positive for
        absorption), each with its error, and the continuum and reduced chi² of the fit. Errors come from the
        covariance, with the errors of the samples; without those from the scatter about the model.
    """
    one, shown = _meant(session, region, data, view)
    order = {"none": -1, "constant": 0, "line": 1, "parabola": 2, "cubic": 3}[continuum]
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
        x, one.samples.flux, error, places, use=use, shape=shape, order=order, width=width, tie_centers=tie_centers,
        tie_widths=tie_widths, fix_centers=fix_centers, fix_width=fix_width, resolution=resolution,
    )  # fmt: skip
    table = _table(one, found, shape)
    fitted = _model(one, found, use, name or f"{one.title} fit") if model else None

    def end() -> Any:
        if fitted is not None:
            add_data(session, [fitted])
            if shown is not None:
                place(session, shown, [fitted], "add")
        return table

    return Apply(end, f"Fit {len(places)} Line{'s' * (len(places) > 1)} of {one.title}", {"centers": places})


def _meant(session: Session, region: Any, data: Any, view: Any) -> tuple[ToMeasure, Any]:
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
        layers = [layer for layer in shown.layers if layer.visible and layer.data is not None][-1:]
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


def _table(one: ToMeasure, found: LineFit, shape: str) -> Any:
    from astropy import units as u
    from astropy.table import QTable

    from jviz.backend.units import parse_unit

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


def _model(one: ToMeasure, found: LineFit, use: np.ndarray, name: str) -> Spectrum:
    """Return the model within the range as data."""
    reached = np.flatnonzero(use)
    part = slice(int(reached[0]), int(reached[-1]) + 1)
    samples: Samples = replace(
        one.samples, axis=replace(one.samples.axis, values=one.samples.axis.values[part]), flux=found.model[part],
        uncertainty=None, kind="", mask=None, flags=None,
    )  # fmt: skip
    return made_spectrum(samples, name, f"model of {_words(found.lines)} in {one.title}")


def _words(lines: tuple[FittedLine, ...]) -> str:
    return "one line" if len(lines) == 1 else f"{len(lines)} lines"

"""Commands on lines of spectra: fits of profiles."""

from __future__ import annotations

from typing import Any, Literal

from jviz.actions.view import place
from jviz.commands import command
from jviz.data import Spectrum
from jviz.line_fitting import fitted, meant, model_of, table_of
from jviz.running import Apply, add_data
from jviz.session import Session


@command("spectrum.fit_lines", title="Fit Lines…", menu="Spectrum", needs="spectrum", group="measure", job=True,
         icon="fa6s.chart-area")  # fmt: skip
def fit_spectrum_lines(
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
    flux_ratios: list[float | None] | None = None,
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
    flux_ratios : list, optional
        One for each line: those with a number keep these ratios of their fluxes, those with None are free:
        ``[None, 1, 2.98]`` for Hβ and [O III].
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
    one, shown = meant(session, region, data, view)
    fit = fitted(
        one, centers, shape=shape, continuum=continuum, width=width, tie_centers=tie_centers, tie_widths=tie_widths,
        fix_centers=fix_centers, fix_width=fix_width, resolution=resolution, flux_ratios=flux_ratios,
    )  # fmt: skip
    table = table_of(one, fit.found, shape)
    made = model_of(fit, name or f"{one.title} fit") if model else None
    places = fit.centers

    def end() -> Any:
        if made is not None:
            add_data(session, [made])
            if shown is not None:
                active = shown.layers.index(shown.layer)
                place(session, shown, [made], "add")
                shown.active = active  # not the model, which is only looked at
        return table

    return Apply(end, f"Fit {len(places)} Line{'s' * (len(places) > 1)} of {one.title}", {"centers": places})

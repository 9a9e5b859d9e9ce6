"""Commands on viewers of spectra: units, lines, looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.backend.spectra.lines import LISTS
from jviz.backend.spectra.units import C, convert_axis
from jviz.commands import command
from jviz.data import Spectrum
from jviz.errors import CommandError
from jviz.running import Apply
from jviz.session import Session
from jviz.spectrum_curves import curve_of_samples, recipe_of
from jviz.spectrum_views import MASKED, SpectrumView, first_samples, moved_range, scale_of_view

MENU = "Spectrum"
LOOK = "Spectrum/Look"
UNITS = "Spectrum/Units"


def _filled(session: Session, view: SpectrumView | None) -> SpectrumView:
    """Return a spectrum view with something in it."""
    found = session.find_view(view, "spectrum")
    if not isinstance(found, SpectrumView):
        raise CommandError(f"{found.name} shows no spectra; it is a view of kind {found.kind}.")
    if not found.layers and not session.live_spectra.shown:
        raise CommandError(f"{found.name} shows no spectrum yet; open one in it first.")
    return found


@command(
    "spectrum.units", title="Units of Axes…", menu=UNITS, needs="spectrum", group="units", icon="fa6s.ruler-horizontal"
)
def units(
    session: Session,
    x: str | None = None,
    y: str | None = None,
    *,
    medium: Literal["", "vacuum", "air"] | None = None,
    rest: Any = None,
    convention: Literal["", "optical", "radio", "relativistic"] | None = None,
    view: SpectrumView | None = None,
) -> None:
    """Show spectra in other units; data stay as they are, and what is in sight stays in sight.

    Parameters
    ----------
    x : str, optional
        Of wavelength ("um", "nm", "Angstrom"), frequency ("GHz"), wavenumber ("1/cm"), energy ("eV") or velocity
        ("km/s"); "" is that of the first spectrum.
    y : str, optional
        Of flux per frequency ("mJy"), per wavelength ("erg / (s cm2 Angstrom)"), "ABmag", photons
        ("ph / (s cm2 Angstrom)"), ν Fν ("W / m2"), or the same per area of sky ("MJy / sr"); "" as in the file.
    medium : str, optional
        Of wavelengths: vacuum or air; "" is that of the first spectrum.
    rest : (float, str), optional
        Rest value of velocities, ``(656.46, "nm")``, in vacuum; by default that of the file.
    convention : str, optional
        Of velocities: c (λ − λ₀)/λ₀ (optical), c (ν₀ − ν)/ν₀ (radio) or relativistic; "" is that of the first spectrum,
        radio for frequencies and else optical where it tells none.
    """
    view = _filled(session, view)
    first = first_samples(session, view)
    before = scale_of_view(view, first.axis)
    trial = SpectrumView()
    given = {"x_unit": x, "y_unit": y, "medium": medium, "rest": rest, "convention": convention}
    names = ("x_unit", "y_unit", "medium", "rest", "convention")
    trial.update(**{name: getattr(view, name) for name in names})
    trial.update(**{name: value for name, value in given.items() if value is not None})
    after = scale_of_view(trial, first.axis)
    # One that cannot be shown so is told now, and nothing is changed.
    convert_axis(first.axis.values[:1], _own(first), after)
    curve_of_samples(_part(first), recipe_of(trial, first, 0))
    values: dict[str, Any] = {name: getattr(trial, name) for name in names}
    for name in ("x_range", "normalize_range"):
        values[name] = moved_range(getattr(view, name), before, after)
    if trial.y_unit != view.y_unit or trial.x_unit != view.x_unit:
        values["y_range"] = view.y_range if trial.y_unit == view.y_unit else None
    view.update(**values)


def _own(samples: Any) -> Any:
    from jviz.backend.spectra.units import scale_of

    return scale_of(samples.axis)


def _part(samples: Any) -> Any:
    """Return a few of the samples: enough to find out whether they can be converted."""
    from dataclasses import replace

    def cut(values: Any) -> Any:
        return None if values is None else values[:4]

    return replace(
        samples, axis=samples.axis.sliced(0, 4), flux=samples.flux[:4], uncertainty=cut(samples.uncertainty),
        mask=cut(samples.mask), flags=cut(samples.flags),
    )  # fmt: skip


@command("spectrum.axis", title="Units and Medium of Data…", menu=MENU, needs="spectrum", group="units")
def axis(
    session: Session,
    data: Spectrum,
    unit: str = "",
    flux_unit: str = "",
    *,
    first: float | None = None,
    step: float | None = None,
    medium: Literal["", "vacuum", "air"] = "",
    rest: float | None = None,
    rest_unit: Literal["Hz", "GHz", "m", "um", "nm", "Angstrom"] = "um",
    remember: bool = True,
) -> None:
    """Say what a file leaves open about its spectra: units of wavelength and flux, medium; no number is converted.

    Parameters
    ----------
    unit : str
        Of the wavelengths, frequencies or energies as they are in the file ("um"); what is left out stays.
    flux_unit : str
        Of the fluxes as they are in the file ("Jy").
    first, step : float, optional
        Value of the first sample and the step to the next, for files without wavelengths.
    medium : str
        Of wavelengths.
    rest : float, optional
        Rest frequency or wavelength, for velocities.
    remember : bool
        For this file, when it is opened again.
    """
    from jviz.cube_choice import choice_of_spectrum, choose
    from jviz.spectral import AxisChoice

    given = AxisChoice(None, unit, first, step, medium, rest, rest_unit if rest else "", flux_unit)
    choose(session, data, choice_of_spectrum(data, given), remember=remember)


@command(
    "spectrum.lines", title="Line Marks…", menu="Spectrum", needs="spectrum", group="lines", icon="fa6s.bars-staggered"
)
def lines(
    session: Session,
    lists: list[str] | str | None = None,
    redshift: float | None = None,
    *,
    velocity: float | None = None,
    add: list[str] | str | None = None,
    view: SpectrumView | None = None,
) -> None:
    """Mark spectral lines.

    Parameters
    ----------
    lists : list of str, optional
        Of H, He, C, N, O, Ne, S, Fe, Metals, PAH, H2, CO; "all", or "none", which takes lines of files away as well;
        by default those that are marked.
    redshift : float, optional
        Of the source of the lines.
    velocity : float, optional
        The same in km/s, c z.
    add : list of str, optional
        Lists to mark besides those that are.
    """
    view = _filled(session, view)
    if redshift is not None and velocity is not None:
        raise CommandError("Give a redshift or a velocity, not both.")
    if velocity is not None:
        redshift = velocity * 1e3 / C
    chosen = _lists(lists, view.lines) + _lists(add, ())
    own = () if lists == "none" else view.own_lines
    view.update(lines=chosen, own_lines=own, redshift=view.redshift if redshift is None else redshift)


@command("spectrum.line_file", title="Lines of a File…", menu=MENU, needs="spectrum", group="lines", job=True,
         icon="fa6s.file-lines")  # fmt: skip
def line_file(
    session: Session,
    path: Path,
    unit: str = "",
    *,
    medium: Literal["", "vacuum", "air"] = "",
    add: bool = False,
    view: SpectrumView | None = None,
) -> Apply:
    """Mark the lines of a list of your own, at the redshift of the others.

    Parameters
    ----------
    path : Path
        A table (text, CSV, ECSV, FITS, VOTable) with a column of names and one of wavelengths, frequencies or
        energies at rest.
    unit : str
        Of these ("Angstrom"); by default as the table says: in its header, in the name of the column
        (``wave_nm``), or in a column ``unit``; else by the size of the values.
    medium : str
        Of wavelengths: vacuum or air; by default vacuum, unless the name of the column says air.
    add : bool
        Keep the lines of the files before; else these take their place. `spectrum.lines` with "none" removes all.
    """
    from jviz.backend.spectra.line_tables import lines_of_file

    view = _filled(session, view)
    found = lines_of_file(Path(path), unit=unit, medium=medium)

    def mark() -> None:
        view.own_lines = tuple(dict.fromkeys((*(view.own_lines if add else ()), *found)))

    return Apply(mark, f"{len(found)} lines of {Path(path).name}", {"path": Path(path), "view": view.name})


def _lists(given: Any, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    if given is None:
        return otherwise
    names = (given,) if isinstance(given, str) else tuple(given)
    return {("all",): tuple(LISTS), ("none",): ()}.get(names, names)


@command("spectrum.normalize", title="Normalise…", menu=LOOK, needs="spectrum", group="levels")
def normalize(
    session: Session,
    how: Literal["none", "median", "peak", "range"] = "median",
    low: float | None = None,
    high: float | None = None,
    *,
    view: SpectrumView | None = None,
) -> None:
    """Divide each spectrum, for display, by its median, its peak or its median within a range.

    Parameters
    ----------
    low, high : float, optional
        Ends of the range, in the unit of the axis; needed for "range".
    """
    view = _filled(session, view)
    if how == "range" and (low is None or high is None):
        if view.normalize_range is None:
            raise CommandError("Give the ends of the range, low and high, in the unit of the axis.")
        low, high = view.normalize_range
    values = {} if low is None or high is None else {"normalize_range": (low, high)}
    view.update(normalize=how, y_range=None, **values)


@command("spectrum.stack", title="Stack with Offsets…", menu=LOOK, needs="spectrum", group="levels")
def stack(session: Session, offset: float | None = None, *, view: SpectrumView | None = None) -> None:
    """Draw each spectrum above the one before.

    Parameters
    ----------
    offset : float, optional
        In the unit that is shown; by default one that parts them, 0 lays them over each other.
    """
    view = _filled(session, view)
    if offset is None:
        offset = _apart(view)
    view.update(offset=offset, y_range=None)


def _apart(view: SpectrumView) -> float:
    """Return an offset by which spectra do not overlap: the largest reach of the middle 98 % of one."""
    first, reaches = view.layers[0].data.samples[view.layers[0].index], [0.0]
    for layer in view.layers[:50]:
        curve = curve_of_samples(layer.data.samples[layer.index], recipe_of(view, first, 0))
        y = curve.y[np.isfinite(curve.y)]
        if len(y):
            low, high = np.percentile(y, (1, 99))
            reaches.append(float(high - low))
    return float(f"{max(reaches):.2g}")


@command("spectrum.show_smoothed", title="Smooth for Display…", menu=LOOK, needs="spectrum", group="levels")
def show_smoothed(
    session: Session,
    kind: Literal["none", "boxcar", "gaussian"] = "boxcar",
    width: float = 3.0,
    *,
    view: SpectrumView | None = None,
) -> None:
    """Show spectra averaged over neighbouring channels; data and measurements stay as they are.

    Parameters
    ----------
    width : float
        Channels: the width of the box, or sigma of the Gaussian.
    """
    _filled(session, view).update(smoothing=kind, smoothing_width=width)


@command("spectrum.drawing", title="Draw As…", menu=LOOK, needs="spectrum", group="drawing")
def drawing(
    session: Session,
    drawing: Literal["steps", "line", "points"] = "steps",
    *,
    errors: bool | None = None,
    view: SpectrumView | None = None,
) -> None:
    """Draw all spectra of a view as steps, lines or points, with or without the bands of their errors."""
    view = _filled(session, view)
    for layer in view.layers:
        layer.update(drawing=drawing, **({} if errors is None else {"errors": errors}))


@command("spectrum.errors", title="Errors", menu=LOOK, shortcut="Shift+E", needs="spectrum", group="drawing")
def errors(session: Session, on: bool | None = None, *, view: SpectrumView | None = None) -> None:
    """Show the bands of one standard deviation, or hide them."""
    view = _filled(session, view)
    shown = not any(layer.errors for layer in view.layers) if on is None else on
    for layer in view.layers:
        layer.errors = shown


@command("spectrum.masked", title="Next Look of Masked Samples", menu=LOOK, shortcut="Shift+M", needs="spectrum",
         group="drawing")  # fmt: skip
def masked(
    session: Session, how: Literal["grey", "hide", "show"] | None = None, *, view: SpectrumView | None = None
) -> None:
    """Draw samples that must not be used in grey on a hatched ground, not at all, or like the others.

    Measurements leave them out, whatever is drawn.

    Parameters
    ----------
    how : str, optional
        The next of grey, hide and show by default.
    """
    view = _filled(session, view)
    view.masked = MASKED[(MASKED.index(view.masked) + 1) % len(MASKED)] if how is None else how


def _switch(session: Session, view: SpectrumView | None, name: str, on: bool | None) -> None:
    view = _filled(session, view)
    setattr(view, name, not getattr(view, name) if on is None else on)


@command("spectrum.log_x", title="Logarithmic Wavelengths", menu=UNITS, needs="spectrum", group="log")
def log_x(session: Session, on: bool | None = None, *, view: SpectrumView | None = None) -> None:
    """Make the horizontal axis logarithmic, or linear again."""
    _switch(session, view, "x_log", on)


@command("spectrum.log_y", title="Logarithmic Flux", menu=UNITS, needs="spectrum", group="log")
def log_y(session: Session, on: bool | None = None, *, view: SpectrumView | None = None) -> None:
    """Make the vertical axis logarithmic, or linear again."""
    _switch(session, view, "y_log", on)


@command("spectrum.robust", title="Cut off Peaks of Noise…", menu=LOOK, needs="spectrum", group="see")
def robust(session: Session, how: Literal["auto", "on", "off"] = "on", *, view: SpectrumView | None = None) -> None:
    """Scale the flux to 99 of 100 samples in sight, to all of them, or cut off only what would hide the rest (auto)."""
    _filled(session, view).update(robust=how, y_range=None)


@command("spectrum.legend", title="Legend", menu=LOOK, needs="spectrum", group="see")
def legend(session: Session, on: bool | None = None, *, view: SpectrumView | None = None) -> None:
    """Show the names of the spectra, or hide them."""
    _switch(session, view, "legend", on)


@command("spectrum.grid", title="Grid", menu=LOOK, needs="spectrum", group="see")
def grid(session: Session, on: bool | None = None, *, view: SpectrumView | None = None) -> None:
    """Show lines at the numbers of the axes, or hide them."""
    _switch(session, view, "grid", on)


@command("spectrum.lock", title="Lock Wavelengths", menu="Spectrum", shortcut="Shift+Y", needs="spectrum",
         group="views", icon="fa6s.link")  # fmt: skip
def lock(session: Session, on: bool | None = None, *, view: SpectrumView | None = None) -> None:
    """Let all spectrum views that have this lock show the same wavelengths, each in its own unit."""
    view = _filled(session, view)
    on = "x" not in view.locks if on is None else on
    view.locks = ("x",) if on else ()


@command("spectrum.align_panels", title="Align All Spectrum Viewers", menu="Spectrum", needs="spectrum",
         group="views", icon="fa6s.grip-lines")  # fmt: skip
def align_panels(session: Session, on: bool | None = None, *, view: SpectrumView | None = None) -> None:
    """Let all spectrum viewers show the wavelengths of this one, each in its own unit, and follow each other."""
    view = _filled(session, view)
    views = [one for one in session.views.values() if isinstance(one, SpectrumView)]
    if len(views) < 2:
        raise CommandError("Only one spectrum viewer is open; open another one to align it with.")
    on = not all("x" in one.locks for one in views) if on is None else on
    for one in views:
        one.locks = ("x",) if on else ()
    for one in views:
        if on and one is not view:
            one.x_range = view.x_range_for(one)


@command("spectrum.home", title="Show All", menu="Spectrum", needs="spectrum", group="views", merges=True)
def home(session: Session, view: SpectrumView | None = None) -> None:
    """Show the spectra from end to end."""
    _filled(session, view).update(x_range=None, y_range=None)

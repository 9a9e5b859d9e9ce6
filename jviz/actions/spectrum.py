"""Commands that make new spectra of spectra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jviz.backend.expressions import Operand, evaluate, names_in, parsed
from jviz.backend.progress import Progress
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.combining import How, combined, joined
from jviz.backend.spectra.filtering import Continuum, Kernel, continuum_of, cropped, smoothed
from jviz.backend.spectra.ranges import SpectralRanges, ranges_of, ranges_of_text
from jviz.backend.spectra.resampling import Holds, brought_onto, resampled, variance_of, with_variance
from jviz.backend.spectra.samples import Samples
from jviz.commands import command
from jviz.data import Spectrum
from jviz.errors import CommandError
from jviz.session import Session
from jviz.spectral import made_spectrum
from jviz.terms import term_of, unit_of

MENU = "Spectrum"


def _made(spectra: Sequence[Samples], name: str, label: str) -> Spectrum:
    return made_spectrum(spectra[0] if len(spectra) == 1 else spectra, name, label)


def _ranges(session: Session, region: Any) -> SpectralRanges | None:
    """Take ranges given as such or as the name of a spectral subset."""
    if region is None or region == "":
        return None
    if isinstance(region, str):
        written = None if region in session.subsets else ranges_of_text(region)
        region = session.find_subset(region).region if written is None else written
    return ranges_of(region)


@command(
    "spectrum.resample", title="Resample Spectrum…", menu=MENU, job=True, needs="data", group="grid",
    icon="fa6s.ruler-horizontal",
)  # fmt: skip
def resample(
    data: Spectrum,
    like: Spectrum | None = None,
    step: float | None = None,
    *,
    start: float | None = None,
    stop: float | None = None,
    method: Literal["conserving", "linear"] = "conserving",
    holds: Holds = "density",
    logarithmic: bool = False,
    name: str = "",
    progress: Progress,
) -> Spectrum:
    """Bring spectra onto other channels: those of another spectrum, or of equal steps.

    Parameters
    ----------
    like : Data, optional
        Its first spectrum gives the channels.
    step, start, stop : float, optional
        Of a grid in the unit of the axis; start and stop are the first and last value by default.
    method : str
        "conserving" shares channels out by overlap, so that line fluxes stay; "linear" interpolates.
    holds : str
        Whether values are densities (Jy, per Å, surface brightness) or counts of a whole channel.
    logarithmic : bool
        Equal ratios: the step is the relative one, ``0.0001``.

    Notes
    -----
    Errors are those of independent input channels. Channels that share input samples are correlated; the keyword
    "neighbour correlation" of the result says how much, in the median.
    """
    spectra = data.samples
    if like is None and step is None:
        raise CommandError("Say onto which channels: those of another spectrum (like), or equal steps (step).")
    grids = [like.samples[0].axis if like else _grid(one, step, start, stop, logarithmic) for one in spectra]
    made = []
    for number, (one, grid) in enumerate(zip(spectra, grids, strict=True)):
        progress(number, len(spectra), "resampling")
        made.append(resampled(one, grid, method, holds))
    onto = f"the channels of {like.name}" if like else f"steps of {step:g}"
    return _made(made, name or f"{data.name} resampled", f"{data.name} on {onto}")


_most_channels = 50_000_000


def _grid(one: Samples, step: float | None, start: float | None, stop: float | None, logarithmic: bool) -> SpectralAxis:
    assert step is not None
    values = one.axis.values
    low = float(values.min()) if start is None else start
    high = float(values.max()) if stop is None else stop
    if not (step > 0 and high > low and (not logarithmic or low > 0)):
        raise CommandError(
            f"A grid from {low:g} to {high:g} in steps of {step:g} has no channels; the step must be above 0."
        )
    span = np.log(high / low) / np.log1p(step) if logarithmic else (high - low) / step
    if span > _most_channels:
        raise CommandError(f"A step of {step:g} makes {span:.3g} channels; take a larger one.")
    count = np.arange(int(np.floor(span + 1e-9)) + 1)
    return replace(one.axis, values=low * (1 + step) ** count if logarithmic else low + step * count)


@command(
    "spectrum.combine",
    title="Combine Spectra…",
    menu=MENU,
    job=True,
    needs="data",
    group="many",
    icon="fa6s.layer-group",
)
def combine(
    data: list[Spectrum],
    how: How = "mean",
    *,
    sigma: float = 3.0,
    errors: Literal["propagated", "scatter"] = "propagated",
    name: str = "",
    progress: Progress,
) -> Spectrum:
    """Combine spectra into one, all those of several data sets or of one.

    Parameters
    ----------
    data : list of Data
        The first gives the channels and the unit; spectra on others are resampled, with their flux conserved.
    how : str
        mean, weighted (by 1/error²), median, or clipped: the mean within ``sigma`` robust deviations of the median.
    errors : str
        Propagated from the errors of the spectra, or from the scatter between them.
    """
    spectra = [one for some in data for one in some.samples]
    if len(spectra) < 2:
        raise CommandError("There is only one spectrum; combine two or more.")
    progress(0, 1, f"combining {len(spectra)} spectra")
    made = combined(spectra, how, sigma=sigma, errors=errors)
    names = ", ".join(one.name for one in data)
    return made_spectrum(made, name or f"{how} of {len(spectra)}", f"{how} of {len(spectra)} spectra of {names}")


@command("spectrum.join", title="Join Arms…", menu=MENU, job=True, needs="data", group="many", icon="fa6s.link")
def join(data: list[Spectrum], *, name: str = "", progress: Progress) -> Spectrum:
    """Join the arms of a spectrograph into one spectrum of each object.

    Channels stay as they are. Where two arms overlap, those of the bluer one stay, and the other is resampled onto
    them and averaged, weighted by 1/error² where both have errors.

    Parameters
    ----------
    data : list of Data
        One spectrum each, or several that have the same names (as the TARGETID of DESI files).
    """
    if len(data) < 2:
        raise CommandError("There is only one arm; name two data or more.")
    arms = [{one.name: one for one in some.samples} for some in data]
    if all(len(some.samples) == 1 for some in data):
        arms = [{"": some.samples[0]} for some in data]
    names = [one for one in arms[0] if all(one in arm for arm in arms)]
    if not names or any(len(arm) != len(some.samples) for arm, some in zip(arms, data, strict=True)):
        raise CommandError("The spectra of these data have no names in common; join data with one spectrum each.")
    made = []
    for number, one in enumerate(names):
        progress(number, len(names), "joining arms")
        made.append(replace(joined([arm[one] for arm in arms]), name=one))
    title = ", ".join(one.name for one in data)
    return _made(made, name or f"{data[0].name} joined", f"{title} joined")


@command(
    "spectrum.smooth",
    title="Smooth Spectrum…",
    menu=MENU,
    job=True,
    needs="data",
    group="filter",
    icon="fa6s.wave-square",
)
def smooth(data: Spectrum, kernel: Kernel = "gaussian", width: float = 3.0, *, name: str = "") -> Spectrum:
    """Smooth spectra; masked samples take no part and stay as they are.

    Parameters
    ----------
    kernel : str
        gaussian, boxcar or median.
    width : float
        In samples: full width at half maximum, or of the box.
    """
    made = [smoothed(one, kernel, width) for one in data.samples]
    return _made(made, name or f"{data.name} smoothed", f"{data.name}, {kernel} of {width:g} samples")


@command("spectrum.crop", title="Crop Spectrum…", menu=MENU, job=True, needs="data", group="grid", icon="fa6s.crop")
def crop(session: Session, data: Spectrum, spectral: Any, *, name: str = "") -> Spectrum:
    """Keep what lies in one or several spectral ranges.

    Parameters
    ----------
    spectral : pair of quantities, SpectralRegion or name of a subset
        ``(4.9 * u.um, 5.1 * u.um)``.
    """
    ranges = _ranges(session, spectral)
    if ranges is None:
        raise CommandError("Say what to keep: a range such as (4.9 * u.um, 5.1 * u.um).")
    made = [cropped(one, ranges) for one in data.samples]
    return _made(
        made, name or f"{data.name} cropped", f"{data.name} from {ranges.low:g} to {ranges.high:g} {ranges.unit}"
    )


@command(
    "spectrum.continuum", title="Continuum…", menu=MENU, job=True, needs="data", group="filter", icon="fa6s.chart-line"
)
def continuum(
    session: Session,
    data: Spectrum,
    method: Continuum = "polynomial",
    order: int = 3,
    *,
    spectral: Any = None,
    exclude: Any = None,
    sigma: float = 3.0,
    width: float = 101.0,
    result: Literal["continuum", "subtracted", "normalized"] = "continuum",
    name: str = "",
) -> Spectrum:
    """Fit a continuum, and give it, or the spectrum without it.

    Parameters
    ----------
    method : str
        polynomial, spline (least squares, cubic) or median (running).
    order : int
        Of the polynomial, or the number of pieces of the spline.
    spectral, exclude : ranges, optional
        What takes part, and what (lines) does not: pairs of quantities, SpectralRegion or names of subsets.
    sigma : float
        Samples beyond that many robust deviations are left out; 0 keeps all.
    width : float
        Of the running median, in samples.
    result : str
        The continuum, the spectrum with it subtracted, or divided by it. Errors of a polynomial's fit are added to
        those of the spectrum.
    """
    taken, left = _ranges(session, spectral), _ranges(session, exclude)
    made = []
    for one in data.samples:
        model, spread = continuum_of(one, method, order, ranges=taken, exclude=left, sigma=sigma, width=width)
        made.append(_continuum_result(one, model, spread, result))
    words = {"continuum": "continuum of {}", "subtracted": "{} without continuum", "normalized": "{} over continuum"}
    said = words[result].format(data.name)
    return _made(made, name or said, f"{said} ({method})")


def _continuum_result(one: Samples, model: np.ndarray, spread: np.ndarray | None, result: str) -> Samples:
    if result == "continuum":
        return with_variance(one, model, spread, mask=None, flags=None)
    variance = variance_of(one)
    known = None if variance is None else variance + (0 if spread is None else spread)
    if result == "subtracted":
        return with_variance(one, one.flux - model, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = one.flux / model
        noise = None
        if variance is not None:
            noise = (variance + (0 if spread is None else ratio**2 * spread)) / model**2
    return with_variance(one, ratio, noise, unit="")


@command(
    "spectrum.arithmetic",
    title="Spectrum Arithmetic…",
    menu=MENU,
    job=True,
    needs="data",
    group="many",
    icon="fa6s.calculator",
)
def arithmetic(
    session: Session,
    expression: str,
    a: Spectrum | None = None,
    b: Spectrum | None = None,
    *,
    c: Spectrum | None = None,
    name: str = "",
    **names: Any,
) -> Spectrum:
    """Work out an expression of spectra, sample by sample, with units and errors.

    Parameters
    ----------
    expression : str
        ``"a - 2*b"``, ``"where(a > 3*a.err, a, 0)"``; see image.arithmetic.
    a, b, c : Data, optional
        What the names stand for; names of data in the session can be used as they are. Spectra on other channels
        than the first are resampled onto its channels.
    """
    tree = parsed(expression)
    given = {key: value for key, value in {"a": a, "b": b, "c": c, **names}.items() if value is not None}
    terms = {text: _term(session, text, given) for text in names_in(tree)}
    found = [value[0] for value in terms.values() if isinstance(value, tuple)]
    if not found:
        raise CommandError(f"{expression!r} has no spectrum in it; name at least one.")
    first = found[0]
    operands = {text: _operand(value, first.axis) for text, value in terms.items()}
    result = evaluate(tree, operands)
    values = np.broadcast_to(np.asarray(result.values, float), first.flux.shape).copy()
    variance = None if result.variance is None else np.broadcast_to(result.variance, values.shape).astype(float)
    unit = "" if result.unit is None else result.unit.to_string()
    made = with_variance(first, values, variance, unit=unit, mask=~np.isfinite(values), flags=None)
    return made_spectrum(made, name or expression.strip()[:40], expression)


def _term(session: Session, text: str, given: dict[str, Any]) -> Any:
    """Return ``(samples, part)``, or a number."""
    found = term_of(session, text, given)
    if not isinstance(found, tuple):
        return found
    data, part = found
    if not isinstance(data, Spectrum) or len(data.samples) != 1:
        raise CommandError(f"{data.name} is no single spectrum; expressions are of data with one spectrum each.")
    if part not in ("", "err"):
        raise CommandError(f"{data.name} has no part {part!r}; a spectrum has .err.")
    return data.samples[0], part


def _operand(term: Any, axis: SpectralAxis) -> Operand:
    if not isinstance(term, tuple):
        return Operand(term)
    one, part = term
    one = brought_onto(one, axis)
    unit = unit_of(one.unit) if one.unit else None
    flux = np.where(one.good, one.flux, np.nan)
    if part == "err":
        if one.error is None:
            raise CommandError("That spectrum has no errors; leave .err out.")
        return Operand(one.error, None, None, unit)
    return Operand(flux, variance_of(one), None, unit)

"""Commands that find redshifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress
from jviz.backend.spectra.lines import LISTS, Line, lines_of
from jviz.backend.spectra.redshifts import Found, Seen, prepared, refined, searched
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.units import Scale, convert_axis, scale_of
from jviz.commands import command
from jviz.data import Spectrum
from jviz.errors import CommandError
from jviz.running import Apply
from jviz.session import Session
from jviz.spectrum_views import SpectrumView, measured_layers

USUAL = ("H", "He", "C", "N", "O", "Ne", "S", "Metals")
NEAR = 0.02
"""How far, in (1 + z), a redshift is looked for about one that is given."""


@command("spectrum.identify", title="Find Redshift…", menu="Spectrum", needs="spectrum", group="lines", job=True,
         icon="fa6s.magnifying-glass")  # fmt: skip
def identify(
    session: Session,
    data: Spectrum | None = None,
    lists: list[str] | None = None,
    *,
    picks: list[Any] | None = None,
    low: float = 0.0,
    high: float = 12.0,
    near: float | None = None,
    sign: Literal["emission", "absorption", "both"] = "emission",
    mark: bool = True,
    view: Any = None,
    progress: Progress,
) -> Any:
    """Find the redshift of a spectrum by its lines, and mark the lines at it.

    The spectrum without its continuum is correlated with lists of lines at all redshifts; the best ones are fitted
    with all lines that are seen at once.

    Parameters
    ----------
    data : Spectrum, optional
        The uppermost visible one of the view by default.
    lists : list of str, optional
        Of lines: H, He, C, N, O, Ne, S, Fe, Metals, PAH, H2, CO; by default those of atoms without Fe.
    picks : list of (name, value), optional
        Lines that you know, with their observed places in the unit of the axis of the file:
        ``[("Hα", 0.6721), ("[O III] 5008", 0.5129)]``. They alone are fitted then.
    low, high : float
        Redshifts between which is looked.
    near : float, optional
        Look only about this redshift, within 0.02 (1 + z).
    sign : str
        Lines in emission, in absorption, or both.
    mark : bool
        Show the lists of the lines that are seen, at the best redshift.

    Returns
    -------
    QTable
        The best first: redshift, redshift_err (from the covariance, enlarged by the root of reduced chi² above 1),
        score of the correlation, number of lines seen at 3 sigma, which, and reduced_chi2.
    """
    samples, title, shown = _spectrum(session, data, view)
    waves = convert_axis(samples.axis.values, scale_of(samples.axis), Scale("m", "wavelength", "vacuum"))
    seen = prepared(waves, samples.flux, samples.error, samples.good)
    chosen = lines_of(_checked(lists))[0]
    if picks:
        found = [_of_picks(seen, samples, picks, sign)]
    else:
        if near is not None:
            low, high = near - NEAR * (1 + near), near + NEAR * (1 + near)
        if not -1 < low < high:
            raise CommandError(f"No redshift lies between {low:g} and {high:g}; give low above -1 and high above low.")
        found = _search(seen, chosen, low, high, sign, progress)
    if not found:
        raise CommandError(
            f"No lines of {title} agree on a redshift between {low:g} and {high:g}; "
            f"try other lists of lines, sign='both', or pick lines yourself."
        )

    def end() -> Any:
        if mark and shown is not None:
            kinds = {line.list for line in found[0].lines}
            lists_on = tuple(name for name in LISTS if name in kinds or name in shown.lines)
            shown.update(redshift=found[0].redshift, lines=lists_on)
        return _table(found, title)

    return Apply(end, f"Find Redshift of {title}")


def _spectrum(session: Session, data: Any, view: Any) -> tuple[Samples, str, SpectrumView | None]:
    """Return the one spectrum that is meant, what it is called, and the view that shows it."""
    views = [one for one in session.views.values() if isinstance(one, SpectrumView) and one.layers]
    if data is None:
        shown = session.find_view(view, "spectrum")
        layers = measured_layers(shown)[-1:]
        if not layers:
            raise CommandError(f"{shown.name} shows no spectrum; name the data.")
        return layers[0].data.samples[layers[0].index], layers[0].title, shown
    if len(data.samples) > 1:
        raise CommandError(f"{data.name} has {len(data.samples)} spectra; show the one that is meant in a viewer.")
    if view is not None:
        return data.samples[0], data.name, session.find_view(view, "spectrum")
    shown = next((one for one in views if any(layer.data is data for layer in one.layers)), None)
    return data.samples[0], data.name, shown


def _checked(lists: Any) -> tuple[str, ...]:
    names = (lists,) if isinstance(lists, str) else tuple(lists or USUAL)
    unknown = [name for name in names if name not in LISTS]
    if unknown:
        raise CommandError(f"There is no list of lines {unknown[0]!r}; there are {', '.join(LISTS)}.")
    return names


def _search(
    seen: Seen, lines: Sequence[Line], low: float, high: float, sign: Any, progress: Progress
) -> list[Found]:  # fmt: skip
    progress(0, 2, "correlating with lines")
    trials = searched(seen, lines, low, high, sign=sign)
    found: list[Found] = []
    for number, (redshift, score) in enumerate(trials):
        progress(len(trials) + number, 2 * len(trials), "fitting lines")
        one = refined(seen, lines, redshift, score, sign=sign)
        known = one is not None and any(abs(one.redshift - old.redshift) < 1e-3 * (1 + old.redshift) for old in found)
        if one is not None and not known and low <= one.redshift <= high:
            found.append(one)
    return found


def _of_picks(seen: Seen, samples: Samples, picks: list[Any], sign: Any) -> Found:
    every = lines_of(tuple(LISTS))[0]
    taken, redshifts = [], []
    for name, value in picks:
        named = [line for line in every if str(name) in (line.title, line.name)]
        if not named:
            raise CommandError(f"There is no line {name!r}; write its name as the marks do, such as '[O III] 5008'.")
        if len({line.title for line in named}) > 1:
            raise CommandError(f"Several lines are called {name!r}: {', '.join(line.title for line in named)}.")
        wave = float(convert_axis(float(value), scale_of(samples.axis), Scale("m", "wavelength", "vacuum")))
        taken.append(named[0])
        redshifts.append(wave / named[0].wavelength - 1)
    middle = float(np.median(redshifts))
    if np.ptp(redshifts) > NEAR * (1 + middle):
        said = ", ".join(f"{line.title} {z:.4f}" for line, z in zip(taken, redshifts, strict=True))
        raise CommandError(f"The lines do not agree on one redshift: {said}.")
    found = refined(seen, taken, middle, float("nan"), sign=sign)
    if found is None:
        raise CommandError("No line is seen at 3 sigma at those places; pick clearer ones.")
    return found


def _table(found: Sequence[Found], title: str) -> Any:
    from astropy.table import QTable

    return QTable(
        {
            "redshift": [one.redshift for one in found],
            "redshift_err": [one.error for one in found],
            "score": [one.score for one in found],
            "lines": [len(one.lines) for one in found],
            "seen": [", ".join(line.title for line in one.lines) for one in found],
            "reduced_chi2": [one.chi2 for one in found],
        },
        meta={"spectrum": title},
    )

"""Redshifts by lines: made spectra come out where they were put, errors are the scatter of many, real ones agree."""

import numpy as np
import pytest

import jviz
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.lines import LISTS, lines_of
from jviz.backend.spectra.redshifts import prepared, refined, searched
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError
from jviz.spectral import made_spectrum

X = np.linspace(0.6, 5.0, 3000)
LINES = {"Hα": 9, "Hβ": 3, "[O III] 4960": 4, "[O III] 5008": 12, "[S III] 9533": 3}
EVERY = lines_of(tuple(LISTS))[0]


def flux_at(z, scale=1.0, sign=1):
    flux = 5 + 0.5 * X
    for line in EVERY:
        center = line.wavelength * 1e6 * (1 + z)
        flux = flux + sign * scale * LINES.get(line.title, 0) * np.exp(-0.5 * ((X - center) / 0.0025) ** 2)
    return flux


def made(flux, name="galaxy", error=0.5):
    samples = Samples(SpectralAxis(X, "um", "wavelength", medium="vacuum"), flux, "mJy", np.full(len(X), error), "std")
    return made_spectrum(samples, name, name)


@pytest.mark.parametrize("z", [0.8, 2.4, 5.31])
def test_the_redshift_that_was_put_in_is_found_and_marked(z):
    session = jviz.Session()
    session.add(made(flux_at(z) + np.random.default_rng(4).normal(0, 0.5, len(X))))
    view = session.view("spectrum", data="galaxy")
    table = session.run("spectrum.identify")
    best = table[0]
    assert abs(best["redshift"] - z) < 4 * best["redshift_err"] < 2e-3
    assert "[O III] 5008" in best["seen"]
    assert view.redshift == best["redshift"]
    assert {"H", "O"} <= set(view.lines)
    session.undo()
    assert (view.redshift, view.lines) == (0.0, ())
    session.redo()
    assert "spectrum.identify" in session.script()


def test_absorption_is_found_when_asked():
    session = jviz.Session()
    session.add(made(flux_at(1.2, 0.3, -1) + np.random.default_rng(5).normal(0, 0.2, len(X)), error=0.2))
    table = session.run("spectrum.identify", data="galaxy", sign="absorption")
    assert table["redshift"][0] == pytest.approx(1.2, abs=2e-3)


def test_the_error_is_the_scatter_of_many_spectra():
    lines, draw, found = [line for line in EVERY if line.list in ("H", "O")], np.random.default_rng(6), []
    for _ in range(60):
        flux = flux_at(1.5, 0.4) + draw.normal(0, 0.5, len(X))
        seen = prepared(X * 1e-6, flux, np.full(len(X), 0.5), np.ones(len(X), bool))
        named = [line for line in lines if line.title in LINES]
        found.append(refined(seen, named, 1.5, 0.0))
    values = np.array([one.redshift for one in found])
    errors = np.array([one.error for one in found])
    assert abs(values.mean() - 1.5) < 4 * values.std() / np.sqrt(60)
    assert values.std() == pytest.approx(np.median(errors), rel=0.35)


def test_units_do_not_matter():
    flux = flux_at(2.0) + np.random.default_rng(7).normal(0, 0.5, len(X))
    whole = np.ones(len(X), bool)
    both = [prepared(X * 1e-6, flux * f, np.full(len(X), 0.5 * f), whole) for f in (1.0, 1e-20)]
    first, second = (refined(seen, EVERY, 2.0, 0.0) for seen in both)
    assert second.redshift == pytest.approx(first.redshift, rel=1e-6)
    assert second.error == pytest.approx(first.error, rel=1e-3)
    assert searched(both[0], EVERY, 0, 6)[0][0] == pytest.approx(2.0, abs=3e-3)


def test_lines_that_are_picked():
    session = jviz.Session()
    session.add(made(flux_at(2.4) + np.random.default_rng(4).normal(0, 0.5, len(X))))
    picks = [("Hα", 0.656461 * 3.4 + 0.001), ("[O III] 5008", 0.500824 * 3.4)]
    table = session.run("spectrum.identify", data="galaxy", picks=picks)
    assert table["redshift"][0] == pytest.approx(2.4, abs=4 * table["redshift_err"][0])
    assert table["lines"][0] == 2
    near = session.run("spectrum.identify", data="galaxy", near=2.398)
    assert near["redshift"][0] == pytest.approx(2.4, abs=1e-3)


def test_what_is_wrong_is_said():
    session = jviz.Session()
    session.add(made(flux_at(2.4)))
    session.add(made_spectrum(Samples(SpectralAxis(X[:9], "um", "wavelength"), X[:9], ""), "short", "short"))
    for words, values in (
        ("do not agree", {"picks": [("Hα", 2.2), ("Hβ", 3.0)]}),
        ("no line 'Hx'", {"picks": [("Hx", 2.2)]}),
        ("no list of lines 'X'", {"lists": ["X"]}),
        ("No redshift lies between", {"low": 3, "high": 2}),
    ):
        with pytest.raises(CommandError, match=words):
            session.run("spectrum.identify", data="galaxy", **values)
    with pytest.raises(CommandError, match="9 good samples"):
        session.run("spectrum.identify", data="short")


@pytest.mark.parametrize(
    ("file", "z", "within"),
    [
        ("spec-0398-51789-0282.fits", 0.0058603, 5e-5),
        ("rubies-egs61_prism-clear_4233_44597.spec.fits", 3.459, 5e-3),
    ],
)
def test_real_spectra_have_their_published_redshift(shared_data, file, z, within):
    session = jviz.Session()
    spectrum = next(one for one in session.open(shared_data / file) if one.kind == "spectrum")
    table = session.run("spectrum.identify", data=spectrum)
    assert table["redshift"][0] == pytest.approx(z, abs=within)

"""Lines fitted by command: the table, the model as data, undo, the script, and what is refused."""

import numpy as np
import pytest
from astropy import units as u

import jviz
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.line_fits import profile
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError
from jviz.spectral import made_spectrum

X = np.linspace(4.8, 5.2, 401)


@pytest.fixture
def session():
    session = jviz.Session()
    flux = 2 + X + 0.3 * profile(X, 4.95, 0.02, 0) - 0.1 * profile(X, 5.06, 0.02, 0)
    flux = flux + np.random.default_rng(8).normal(0, 0.1, 401)
    samples = Samples(SpectralAxis(X, "um", "wavelength", medium="vacuum"), flux, "mJy", np.full(401, 0.1), "std")
    session.add(made_spectrum(samples, "star", "star"))
    return session


def test_lines_are_measured_and_the_model_is_drawn(session):
    view = session.view("spectrum", data="star")
    table = session.run("spectrum.fit_lines", centers=[4.953, 5.058], width=0.02)
    assert table["flux"].unit == u.mJy * u.um
    assert table["fwhm_velocity"].unit == u.km / u.s
    for row, (center, flux) in zip(table, ((4.95, 0.3), (5.06, -0.1)), strict=True):
        assert abs(row["center"].value - center) < 4 * row["center_err"].value
        assert abs(row["flux"].value - flux) < 4 * row["flux_err"].value
        width = -flux / (2 + center)
        assert abs(row["equivalent_width"].value - width) < 4 * row["equivalent_width_err"].value
    assert table["reduced_chi2"][0] == pytest.approx(1, abs=0.25)
    assert [layer.data.name for layer in view.layers] == ["star", "star fit"]
    model = session["star fit"].samples[0]
    assert np.nanmax(np.abs(model.flux - session["star"].samples[0].flux)) < 0.6
    session.undo()
    assert session.names == ["star"]
    assert [layer.data.name for layer in view.layers] == ["star"]
    session.redo()
    assert "spectrum.fit_lines" in session.script()


def test_one_range_and_one_line_by_itself(session):
    session.run("subset.create", name="bright", region=SpectralRanges(((4.88, 5.02),), "um", "vacuum"))
    table = session.run("spectrum.fit_lines", data="star", model=False)
    assert abs(table["center"][0].value - 4.95) < 4 * table["center_err"][0].value
    assert session.names == ["star"]


def test_a_range_of_plain_numbers_is_in_the_unit_of_the_spectrum(session):
    plain = session.run("spectrum.fit_lines", data="star", region=(4.88, 5.02), model=False)
    named = session.run("spectrum.fit_lines", data="star", region=(4880 * u.nm, 5020 * u.nm), model=False)
    assert plain["center"][0].value == pytest.approx(named["center"][0].value)
    [row] = session.run("spectrum.statistics", data="star", region=(4.88, 5.02))
    assert 139 <= float(row["channels"]) <= 141


def test_what_is_wrong_is_said(session):
    session.view("spectrum", data="star")
    with pytest.raises(CommandError, match=r"5\.5 is outside"):
        session.run("spectrum.fit_lines", centers=[5.5])
    with pytest.raises(CommandError, match="width that is to be held"):
        session.run("spectrum.fit_lines", centers=[5.0], fix_width=True)
    session.run("subset.create", name="a", region=SpectralRanges(((4.88, 5.02),), "um", "vacuum"))
    session.run("subset.create", name="b", region=SpectralRanges(((5.02, 5.1),), "um", "vacuum"))
    with pytest.raises(CommandError, match="several ranges, a, b"):
        session.run("spectrum.fit_lines", centers=[5.0])
    assert session.names == ["star"]


def test_the_model_is_not_what_is_measured_next(session):
    view = session.view("spectrum", data="star")
    first = session.run("spectrum.fit_lines", centers=[4.95], width=0.02)
    before = session.run("spectrum.fit_lines", centers=[4.95], width=0.02, name="again")
    assert before.meta["spectrum"] == "star"
    assert before["flux_err"][0] == first["flux_err"][0]
    assert view.layer.data.name == "star"
    assert view.layers[-1].drawing == "line"
    assert session["star fit"].samples[0].error is None
    assert list(session.run("spectrum.statistics")["spectrum"]) == ["star"]


def test_models_are_known_in_a_session_that_is_opened_again(session, tmp_path):
    session.view("spectrum", data="star")
    session.run("spectrum.fit_lines", centers=[4.95], width=0.02)
    session.save(tmp_path / "work.jviz")
    opened = jviz.Session.load(tmp_path / "work.jviz")
    [view] = opened.views.values()
    assert [layer.is_model for layer in view.layers] == [False, True]
    assert list(opened.run("spectrum.statistics")["spectrum"]) == ["star"]


def test_a_model_alone_can_be_measured(session):
    session.run("spectrum.fit_lines", data="star", centers=[4.95], width=0.02)
    session.view("spectrum", data="star fit")
    assert list(session.run("spectrum.statistics")["spectrum"]) == ["star fit"]

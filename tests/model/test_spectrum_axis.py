"""What a user says about units and medium of spectra: taken as they are, remembered, saved, undone."""

import numpy as np
import pytest

import jviz
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError
from jviz.spectral import made_spectrum

X = np.linspace(410.0, 690.0, 71)
Y = np.linspace(1.0, 2.0, 71)


@pytest.fixture
def text(tmp_path):
    np.savetxt(tmp_path / "lamp.txt", np.column_stack([X, Y, 0 * Y + 0.1]))
    return tmp_path / "lamp.txt"


def test_units_are_taken_and_no_number_is_converted(session, text):
    session.open(text, show=True)
    view = session.views["Spectrum 1"]
    view.x_range = (500.0, 600.0)
    assert session["lamp"].samples[0].axis.notes  # it says that it guesses
    session.run("spectrum.axis", data="lamp", unit="Angstrom", flux_unit="erg / (s cm2 Angstrom)", medium="air")
    data = session["lamp"]
    [one] = data.samples
    assert (one.axis.unit, one.axis.medium, one.unit, data.unit, one.axis.notes) == (
        "Angstrom", "air", "erg / (s cm2 Angstrom)", "erg / (s cm2 Angstrom)", ())  # fmt: skip
    np.testing.assert_array_equal(one.axis.values, X)
    np.testing.assert_array_equal(one.flux, Y)
    assert view.layers[0].data is data
    assert view.x_range is None
    session.undo()
    assert session["lamp"].samples[0].axis.unit == "nm"
    assert view.x_range == (500.0, 600.0)


def test_what_was_said_is_added_to_what_was_said_before(session, text):
    session.open(text, show=False)
    session.run("spectrum.axis", data="lamp", unit="GHz")
    assert session["lamp"].samples[0].axis.quantity == "frequency"
    session.run("spectrum.axis", data="lamp", flux_unit="Jy", rest=500.0, rest_unit="GHz")
    [one] = session["lamp"].samples
    assert (one.axis.unit, one.unit, one.axis.rest, one.axis.rest_unit) == ("GHz", "Jy", 500.0, "GHz")


def test_it_is_remembered_for_the_file_and_kept_in_sessions_and_scripts(text, tmp_path):
    settings = {}
    with_name = jviz.Session(settings)
    with_name.open(text, show=False)
    with_name.run("spectrum.axis", data="lamp", unit="um", flux_unit="Jy")
    saved = with_name.save(tmp_path / "work.jviz")
    [again] = with_name.open(text, show=False)
    assert (again.samples[0].axis.unit, again.samples[0].unit) == ("um", "Jy")
    space = {}
    exec(with_name.script(), space)
    loaded = jviz.Session.load(saved)
    for other in (space["session"], loaded):
        assert (other["lamp"].samples[0].axis.unit, other["lamp"].unit) == ("um", "Jy")
        other.close()
    with_name.close()


def test_samples_that_are_numbered_get_wavelengths(session):
    axis = SpectralAxis(np.arange(71.0), notes=("No wavelengths.",))
    session.add(made_spectrum(Samples(axis, Y, "Jy"), "lamp", "lamp"))
    session.run("spectrum.axis", data="lamp", unit="nm", first=400.0, step=2.0)
    [one] = session["lamp"].samples
    np.testing.assert_allclose(one.axis.values, 400 + 2.0 * np.arange(71))
    assert (one.axis.quantity, one.axis.unit) == ("wavelength", "nm")


@pytest.mark.parametrize(
    ("given", "words"),
    [({}, "Say the unit"), ({"unit": "Jy"}, "no unit of wavelength"), ({"flux_unit": "bananas"}, "no unit of flux"),
     ({"first": 1.0}, "both"), ({"first": 1.0, "step": 0.0, "unit": "nm"}, "step is 0"),
     ({"rest": -1.0}, "above 0")],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_changes(session, text, given, words):
    session.open(text, show=False)
    before = session["lamp"]
    with pytest.raises(CommandError, match=words):
        session.run("spectrum.axis", data="lamp", **given)
    assert session["lamp"] is before

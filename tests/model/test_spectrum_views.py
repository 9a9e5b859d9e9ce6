"""Views of spectra without a window: scripts, sessions, undo, many spectra of one file."""

import numpy as np
import pytest

import jviz
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError, ReadError
from jviz.spectral import made_spectrum
from jviz.spectrum_curves import curve_of_samples, recipe_of

X = np.linspace(0.5, 0.8, 301)


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "star.ecsv"
    from astropy import units as u
    from astropy.table import QTable

    QTable({"wavelength": X * u.um, "flux": np.linspace(1, 2, 301) * u.mJy}).write(path)
    return path


def test_a_script_repeats_units_lines_and_ranges(session, text_file):
    session.open(text_file, show=True)
    session.run("spectrum.units", x="nm", y="ABmag", medium="air")
    session.run("spectrum.lines", lists=["H", "O"], redshift=0.01)
    session.subset("band", SpectralRanges(((600.0, 610.0),), "nm", "air"))
    space = {}
    exec(session.script(), space)
    again = space["session"]
    view, other = session.views["Spectrum 1"], again.views["Spectrum 1"]
    assert {**view.recorded(), "layers": 0} == {**other.recorded(), "layers": 0}
    assert again.subsets["band"].region == session.subsets["band"].region
    again.close()


def test_a_saved_session_comes_back(session, text_file, tmp_path):
    session.open(text_file, show=True)
    session.run("spectrum.units", x="THz")
    session.views["Spectrum 1"].x_range = (400.0, 500.0)
    session.subset("band", SpectralRanges(((600.0, 610.0),), "nm", "air"))
    again = jviz.Session.load(session.save(tmp_path / "work.jviz"))
    view = again.views["Spectrum 1"]
    assert (view.x_unit, view.x_range, len(view.layers)) == ("THz", (400.0, 500.0), 1)
    assert again.subsets["band"].region == SpectralRanges(((600.0, 610.0),), "nm", "air")
    again.close()


def test_each_spectrum_of_a_file_is_a_layer(session):
    axis = SpectralAxis(X, "um", "wavelength")
    many = [Samples(axis, np.full(301, float(n)), "mJy", name=f"fibre {n}") for n in range(5)]
    session.add(made_spectrum(many, "plate", "plate"))
    view = session.view("spectrum", data="plate")
    assert [layer.title for layer in view.layers] == [f"plate fibre {n}" for n in range(5)]
    session.undo()
    assert not session.views


def test_spectra_of_other_units_are_shown_in_those_of_the_first(session):
    axis = SpectralAxis(X, "um", "wavelength")
    frequencies = SpectralAxis(299.792458 / X, "THz", "frequency")
    first, second = Samples(axis, np.ones(301), "mJy"), Samples(frequencies, np.full(301, 1e-3), "Jy")
    session.add(made_spectrum(first, "a", "a"))
    view = session.view("spectrum", data="a")
    curve = curve_of_samples(second, recipe_of(view, first, 0))
    np.testing.assert_allclose(curve.x, X)
    np.testing.assert_allclose(curve.y, 1.0)
    assert (curve.x_unit, curve.y_unit) == ("um", "mJy")


@pytest.mark.parametrize(
    ("command", "values", "words"),
    [
        ("spectrum.lines", {"lists": ["Kryptonite"]}, "Kryptonite"), ("spectrum.normalize", {"how": "range"}, "ends"),
        ("spectrum.lines", {"redshift": 1.0, "velocity": 3.0}, "not both"),
        ("spectrum.statistics", {"region": "nowhere"}, "nowhere"), ("spectrum.units", {"rest": 5}, "rest value"),
    ],
)  # fmt: skip
def test_bad_input_is_told(session, text_file, command, values, words):
    session.open(text_file, show=True)
    with pytest.raises(CommandError, match=words):
        session.run(command, **values)


def test_nothing_to_show_is_told(session):
    session.view("spectrum")
    with pytest.raises(CommandError, match="no spectrum yet"):
        session.run("spectrum.stack")


def test_what_is_no_spectrum_after_all_opens_without_a_view(session):
    from jviz.actions.view import open_views_for
    from jviz.backend.io.product import Product
    from jviz.data import from_product

    def fail():
        raise ReadError("no wavelengths are found")

    product = Product("spectrum", "broken", "a spectrum without samples")
    product.load_samples = fail
    data = from_product(product)
    with session.change("Open"):
        session.set_data((data,))
        open_views_for(session, [data])
    assert not session.views
    assert session.notices[-1][0] == "warning"
    assert "broken" in session.notices[-1][1]


def test_a_unit_that_is_set_directly_keeps_what_is_in_sight(session, text_file, tmp_path):
    session.open(text_file, show=True)
    view = session.views["Spectrum 1"]
    view.x_range, view.normalize_range = (0.6, 0.7), (0.55, 0.56)
    session.flush()
    view.x_unit = "nm"
    session.flush()
    assert view.x_range == pytest.approx((600, 700))
    assert view.normalize_range == pytest.approx((550, 560))
    session.undo()
    assert (view.x_unit, view.x_range) == ("", (0.6, 0.7))
    session.redo()
    assert view.x_range == pytest.approx((600, 700))
    view.update(x_unit="THz")
    assert view.x_range == pytest.approx((299792.458 / 700, 299792.458 / 600))
    view.update(x_unit="um", x_range=(0.61, 0.62))
    assert view.x_range == (0.61, 0.62)
    view.medium = "air"
    assert view.x_range[0] == pytest.approx(0.61 / 1.000277, rel=1e-5)
    session.save(tmp_path / "work.jviz")
    again = jviz.Session.load(tmp_path / "work.jviz")
    assert again.views["Spectrum 1"].x_range == view.x_range
    again.close()


def test_a_unit_that_cannot_be_takes_nothing_away(session, text_file):
    session.open(text_file, show=True)
    view = session.views["Spectrum 1"]
    view.x_range = (0.6, 0.7)
    with pytest.raises(CommandError):
        view.x_unit = "kg"
    assert (view.x_unit, view.x_range) == ("", (0.6, 0.7))


def test_statistics_are_in_the_units_that_are_shown(session):
    from astropy import units as u

    line = 3e3 * np.exp(-0.5 * ((X - 0.65) / 0.004) ** 2)
    flux = (100 + line) * u.mJy
    samples = Samples(SpectralAxis(X, "um", "wavelength", medium="vacuum"), flux.value, "mJy", np.full(301, 2.0), "std")
    session.add(made_spectrum(samples, "star", "star"))
    view = session.view("spectrum", data="star")
    session.run("spectrum.units", x="nm", y="W / (m2 um)")
    region = (0.63 * u.um, 0.67 * u.um)
    shown = session.run("spectrum.statistics", region=region, continuum="zero")
    per = flux.to(u.W / u.m**2 / u.um, u.spectral_density(X * u.um))
    inside = (X > 0.63 - 1e-9) & (X < 0.67 + 1e-9)
    assert shown["mean"].unit == per.unit
    assert shown["mean"][0].value == pytest.approx(per[inside].mean().value, rel=0.02)
    assert shown["start"][0].to_value("nm") == pytest.approx(630)
    whole = np.trapezoid(per.value, X) * u.W / u.m**2
    inner = session.run("spectrum.statistics", region=(0.5 * u.um, 0.8 * u.um), continuum="zero")
    assert inner["integral"][0].to_value(whole.unit) == pytest.approx(whole.value, rel=2e-3)
    assert inner["integral"].unit.is_equivalent(u.W / u.m**2)
    of_file = session.run("spectrum.statistics", region=region, units="file")
    assert of_file["mean"].unit == u.mJy
    assert of_file["centroid"].unit == u.um
    assert shown["centroid"][0].to_value("um") == pytest.approx(0.65, abs=1e-4)
    view.y_unit = "ABmag"
    assert session.run("spectrum.statistics", region=region)["mean"].unit == u.mJy
    assert session.run("spectrum.statistics", region=region, data="star")["centroid"].unit == u.um


def test_velocities_of_frequencies_are_radio_ones_unless_wanted_otherwise(session):
    from jviz.spectrum_views import SpectrumView, scale_of_view

    values = np.linspace(229, 231, 11) * 1e9
    axis = SpectralAxis(values, "Hz", "frequency", rest=230e9, rest_unit="Hz", convention="radio")
    view = SpectrumView()
    view.update(x_unit="km/s")
    assert scale_of_view(view, axis).convention == "radio"
    view.update(convention="relativistic")
    assert scale_of_view(view, axis).convention == "relativistic"
    waves = SpectralAxis(X, "um", "wavelength")
    view.update(convention="")
    assert scale_of_view(view, waves).convention == "optical"

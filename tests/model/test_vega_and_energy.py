"""Vega magnitudes of images and files, and the part of a star's light within circles and squares."""

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import Table
from scipy.special import erf

import jviz
from jviz import CommandError
from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.photometry.vega import filter_of, offset_of, read_offsets

SIGMA = 2.3
WEBB = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM"}


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    edges = np.arange(92) - 0.5
    along = [0.5 * np.diff(erf((edges - c) / (SIGMA * np.sqrt(2)))) for c in (45.2, 44.7)]
    star = CCDData(5.0 * np.outer(*along[::-1]), unit="Jy", meta=WEBB | {"FILTER": "F200W", "PUPIL": "CLEAR"})
    session.add(star, name="star")
    yield session
    session.close()


def measured(session, **options):
    return session.run("photometry.aperture", data="star", positions=[(45.2, 44.7)], radii=20, **options)


def test_the_filter_is_the_narrower_of_the_wheels():
    assert filter_of({"FILTER": "F444W", "PUPIL": "F405N"}) == "F405N"
    assert filter_of({"FILTER": "F356W", "PUPIL": "GRISMR"}) == "F356W"
    assert filter_of({"FILTER1": "CLEAR1L", "FILTER2": "F814W"}) == "F814W"
    assert filter_of({"FILTER": "R"}) == ""


def test_vega_has_magnitude_0_in_its_own_filter():
    offset, how = offset_of(WEBB | {"FILTER": "F200W"})
    assert 3631 * 10 ** (-0.4 * offset) == pytest.approx(757.65)  # Jy, Vega in F200W
    assert "F200W" in how
    assert offset_of({"TELESCOP": "HST", "INSTRUME": "WFC3", "DETECTOR": "IR", "FILTER": "F160W"})[0] == pytest.approx(
        1.2514,
        abs=0.03,  # m(AB) - m(Vega) of the WFC3 handbook: 25.9463 - 24.6949
    )
    assert np.isnan(offset_of({"FILTER": "F200W"})[0])


def test_filters_of_niriss_are_nearly_those_of_nircam():
    """They were made as its spares; only the blue ones and the detector differ."""
    niriss = {"TELESCOP": "JWST", "INSTRUME": "NIRISS", "DETECTOR": "NIS"}
    for band in ("F090W", "F115W", "F140M", "F150W", "F200W", "F277W", "F356W", "F430M", "F444W", "F480M"):
        wheel = {"FILTER": "CLEAR", "PUPIL": band} if band < "F250" else {"FILTER": band, "PUPIL": "CLEARP"}
        offset, how = offset_of(niriss | wheel)
        assert offset == pytest.approx(offset_of(WEBB | {"FILTER": band})[0], abs=0.02), band
        assert "CALSPEC" in how
    assert np.isfinite(offset_of(niriss | {"FILTER": "F380M", "PUPIL": "CLEARP"})[0])


def test_magnitudes_of_both_systems_and_of_numbers_and_tables(session, tmp_path):
    table = measured(session)
    vega = -2.5 * np.log10(table["flux"][0].to_value("Jy") / 757.65)
    assert table["vegamag"][0].value == pytest.approx(vega, abs=1e-6)
    assert measured(session, vega=1.5)["vegamag"][0].value == pytest.approx(table["abmag"][0].value - 1.5)
    offsets = {"filter": ["F200W", "F444W"], "pupil": ["CLEAR", "CLEAR"], "abvega_offset": np.array([1.7, 3.2])}
    reference = tmp_path / "abvega.asdf"
    asdf_library().AsdfFile({"abvega_offset": offsets}).write_to(reference)
    Table(offsets).write(tmp_path / "abvega.ecsv")
    for path in (reference, tmp_path / "abvega.ecsv"):
        assert measured(session, vega=str(path))["vegamag"][0].value == pytest.approx(table["abmag"][0].value - 1.7)
    found = session.run("photometry.catalog", data="star", snr=3, box_size=0, psf_fwhm=5.4, vega=str(reference)).table
    np.testing.assert_allclose(found["aper_total_vegamag"], found["aper_total_abmag"] - 1.7 * found["kron_abmag"].unit)


def test_what_is_no_table_of_offsets_is_said(session, tmp_path):
    Table({"filter": ["F200W"]}).write(tmp_path / "without.ecsv")
    Table({"filter": ["F070W", "F090W"], "abvega_offset": [0.1, 0.2]}).write(tmp_path / "others.ecsv")
    with pytest.raises(CommandError, match="no column abvega_offset"):
        read_offsets(tmp_path / "without.ecsv")
    for path, words in (("others.ecsv", "no Vega offset for filter F200W"), ("missing.asdf", "There is no file")):
        with pytest.raises(CommandError, match=words):
            measured(session, vega=str(tmp_path / path))


@pytest.mark.parametrize("shape", ["circle", "square"])
def test_energy_is_that_of_a_gaussian(session, shape):
    session.run("photometry.encircled_energy", data="star", position=(45.2, 44.7), r_max=20, step=1, shape=shape)
    profile = session["energy of star"]
    table = profile.get(Table)
    radius, energy = np.asarray(table["radius"], float), np.asarray(table["energy"], float)
    if shape == "circle":  # the pixels, laid out again as boxes of variance 1/12, widen it
        wanted = 1 - np.exp(-0.5 * radius**2 / (SIGMA**2 + 1 / 6))
    else:
        wanted = erf(radius / np.sqrt(2 * (SIGMA**2 + 1 / 6))) ** 2
    np.testing.assert_allclose(energy, wanted, atol=2e-3)
    half = np.interp(0.5, wanted, radius)
    assert table.meta["r50"] == pytest.approx(half, abs=0.05)
    session.undo()
    assert session.names == ["star"]


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
def test_radii_with_half_of_the_light_are_between_the_steps(session, step):
    session.run("photometry.encircled_energy", data="star", position=(45.2, 44.7), step=step)
    session.run("photometry.growth_curve", data="star", position=(45.2, 44.7), step=step)
    found, growth = session["energy of star"].get(Table).meta, session["growth of star"].get(Table).meta
    width = np.sqrt(SIGMA**2 + 1 / 6)
    for radius, part in ((found["r50"], 0.5), (found["r80"], 0.8), (growth["half_light"], 0.5)):
        wanted = width * np.sqrt(-2 * np.log(1 - part))
        assert radius == pytest.approx(wanted, rel=0.025 if step > SIGMA / 2 else 0.0025)


def test_energy_of_nothing_is_said(session):
    session.add(np.zeros((40, 40)) - 1.0, name="dark")
    with pytest.raises(CommandError, match="has no light above the sky"):
        session.run("photometry.encircled_energy", data="dark", position=(20, 20))


@pytest.mark.parametrize(("instrument", "band"), [("NIRISS", "NIRISS"), ("FGS", "FGS")])
def test_without_a_filter_it_is_said_that_there_is_no_zero_point(session, instrument, band):
    star = session["star"].get(CCDData)
    star.meta = {"TELESCOP": "JWST", "INSTRUME": instrument}
    session.add(star, name="other")
    table = session.run("photometry.aperture", data="other", positions=[(45.2, 44.7)], radii=20)
    assert "vegamag" not in table.colnames or np.isnan(table["vegamag"].value).all()
    assert any(f"zero point of {band} is known" in note for note in table.meta["notes"])
    given = session.run("photometry.aperture", data="other", positions=[(45.2, 44.7)], radii=20, vega=1.7)
    assert given["abmag"][0].value - given["vegamag"][0].value == pytest.approx(1.7)
    assert not any("Vega" in note for note in given.meta["notes"])
    assert "Vega" not in str(measured(session).meta["notes"])

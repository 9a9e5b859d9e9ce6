"""Commands that measure along lines and round points: units, sky distances, undo, scripts, clear words."""

import astropy.units as u
import numpy as np
import pytest
import regions
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.wcs import WCS

import jviz
from jviz.errors import CommandError


def sip_wcs() -> WCS:
    header = fits.Header({
        "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRVAL1": 150.0, "CRVAL2": 2.2, "CRPIX1": 50.0,
        "CRPIX2": 40.0, "CD1_1": -2.5e-5, "CD1_2": 1e-5, "CD2_1": 1e-5, "CD2_2": 2.5e-5, "A_ORDER": 2, "B_ORDER": 2,
        "A_2_0": 2e-4, "B_1_1": -1e-4,
    })  # fmt: skip
    return WCS(header)


@pytest.fixture
def session():
    y, x = np.mgrid[:80, :100].astype(float)
    values = 5 + 300 * np.exp(-4 * np.log(2) * ((x - 61.4) ** 2 + (y - 33.2) ** 2) / 4.5**2)
    image = CCDData(values, unit="MJy/sr", uncertainty=StdDevUncertainty(np.full(values.shape, 0.5)), wcs=sip_wcs())
    session = jviz.Session()
    session.add(image, name="field")
    yield session
    session.close()


def test_a_cut_knows_its_distance_on_the_sky(session):
    cut = session.run("image.line_cut", data="field", path=[(5, 10), (90, 70)])
    table = cut.table
    ends = SkyCoord(*sip_wcs().all_pix2world([5, 90], [10, 70], 0), unit="deg")
    # along great circles from sample to sample: a little more than straight from end to end
    straight = ends[0].separation(ends[1]).to_value("arcsec")
    assert straight <= table["angular_distance"][-1].value < 1.001 * straight
    assert np.isclose(table["distance"][-1].value, np.hypot(85, 60))
    assert table["signal"].unit == u.Unit("MJy/sr")
    # four neighbours share a sample: between σ ∕ 2, in the middle of them, and σ, on one of them
    error = table["signal_err"].value
    assert (error >= 0.2499).all()
    assert (error <= 0.5001).all()
    assert session.undo()
    assert session.names == ["field"]


def test_regions_and_subsets_are_paths(session):
    line = regions.LinePixelRegion(regions.PixCoord(10, 20), regions.PixCoord(80, 20))
    session.subset("slit", line, data="field")
    cut = session.run("image.line_cut", data="field", path="slit")
    np.testing.assert_allclose(cut.table["x"].value, np.linspace(10, 80, 71), atol=1e-9)
    again = session.run("image.line_cut", data="field", path=line.to_sky(sip_wcs()))
    np.testing.assert_allclose(again.table["x"].value[[0, -1]], [10, 80], atol=1e-4)


def test_a_profile_has_the_width_of_its_source(session):
    profile = session.run("image.radial_profile", data="field", center=(61.4, 33.2), r_max=15)
    assert np.isclose(profile.table.meta["fwhm"], 4.5, rtol=0.05)
    assert profile.table["mean"].unit == u.Unit("MJy/sr")


def test_a_picked_source_has_a_place_on_the_sky_and_a_position_angle(session):
    found = session.run("image.pick", data="field", position=(58, 35))
    assert np.isclose(found["x"][0].value, 61.4, atol=1e-4)
    truth = SkyCoord(*sip_wcs().all_pix2world(61.4, 33.2, 0), unit="deg")
    assert found["sky_position"][0].separation(truth).arcsec < 1e-4
    assert found["flux_err"][0] > 0


def test_histograms_count_every_pixel_of_a_region(session):
    circle = regions.CirclePixelRegion(regions.PixCoord(60.2, 33.1), 8.3)
    inside = circle.to_mask(mode="center").to_image((80, 100)) > 0
    counts = session.run("image.histogram", data="field", region=circle, bins=10, low=-1e3, high=1e3)
    assert counts.table["pixels"].sum() == inside.sum()


def test_values_in_a_range_become_a_region(session):
    values = session["field"].get(np.ndarray)
    made = session.run("image.select_values", data="field", low=10.0, high=60.0, name="rim")
    assert np.array_equal(made.region, (values >= 10) & (values <= 60))
    counts = session.run("image.histogram", data="field", region="rim", bins=4, low=10.0, high=60.0)
    assert counts.table["pixels"].value.sum() == made.region.sum()
    circle = regions.CirclePixelRegion(regions.PixCoord(60.2, 33.1), 3.3)
    inside = circle.to_mask(mode="center").to_image((80, 100)) > 0
    part = session.run("image.select_values", data="field", high=200.0, region=circle)
    assert np.array_equal(part.region, inside & (values <= 200))
    session.undo()
    assert part.name not in session.subsets
    for wrong, words in (({}, "Say which"), ({"low": 9.0, "high": 8.0}, "lower one first"), ({"low": 1e9}, "No pixel")):
        with pytest.raises(CommandError, match=words):
            session.run("image.select_values", data="field", **wrong)


def test_histograms_of_what_is_in_sight(session):
    view = session.view("image", data="field", rotation=30.0, scale=8.0, centre=(50.0, 40.0))
    view.viewport = (400, 240)
    made = session.run("image.histogram", data="field", within="view", bins=10, low=-1e3, high=1e3)
    y, x = np.mgrid[:80, :100]
    cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
    along, up = cos * (x - 50) - sin * (y - 40), sin * (x - 50) + cos * (y - 40)
    inside = (abs(along) <= 25) & (abs(up) <= 15)
    turned = (abs(cos * (x - 50) + sin * (y - 40)) <= 25) & (abs(cos * (y - 40) - sin * (x - 50)) <= 15)
    assert made.table["pixels"].value.sum() in (inside.sum(), turned.sum())
    assert "PolygonPixelRegion" in session.script()
    with pytest.raises(CommandError, match="one of the two"):
        session.run("image.histogram", data="field", within="view", region="x")


def test_the_fitted_profile_comes_with_errors_and_chi_squared(session):
    made = session.run("image.radial_profile", data="field", center=(61.4, 33.2), r_max=12)
    meta = made.table.meta
    assert abs(meta["fwhm"] - 4.5) < 0.2
    residuals = (made.table["mean"] - made.table["model"]) / made.table["mean_err"]
    np.testing.assert_allclose(meta["chi2"], np.sum(residuals.value**2))
    assert meta["dof"] == len(made.table) - 3
    assert {"peak_err", "sky_err", "fwhm_err"} <= set(meta)


def test_separations_are_those_of_astropy(session):
    found = session.run("sky.separation", a="10:00:00 +02:00:00", b="10:00:02 +02:01:00")
    a, b = SkyCoord("10h00m00s +02d00m00s"), SkyCoord("10h00m02s +02d01m00s")
    assert np.isclose(found["separation"][0].to_value("arcsec"), a.separation(b).arcsec)
    assert np.isclose(found["position_angle"][0].to_value("deg"), a.position_angle(b).deg)


def test_scripts_repeat_the_numbers(session, tmp_path):
    image = tmp_path / "field.fits"
    fits.PrimaryHDU(np.asarray(session["field"].get(np.ndarray)), sip_wcs().to_header(relax=True)).writeto(image)
    first = jviz.Session()
    first.open(image)
    first.run("image.line_cut", data="field", path=[(5, 10), (90, 70)], width=3)
    first.run("image.radial_profile", data="field", center=(61, 33))
    names = {}
    exec(first.script(), names)  # our own program
    second = names["session"]
    assert second.names == first.names
    for name in first.names[1:]:
        np.testing.assert_array_equal(second[name].curve().y, first[name].curve().y)
    first.save(tmp_path / "kept.jviz")
    third = jviz.Session.load(tmp_path / "kept.jviz")
    np.testing.assert_array_equal(third[first.names[1]].curve().y, first[first.names[1]].curve().y)
    for each in (first, second, third):
        each.close()


@pytest.mark.parametrize(
    ("id", "arguments", "words"),
    [
        ("image.line_cut", {"path": [(5, 10)]}, "no path"),
        ("image.line_cut", {"path": [(500, 10), (600, 10)]}, "crosses no pixel"),
        ("image.line_cut", {"path": [(5, 10), (5, 10)]}, "no length"),
        ("image.radial_profile", {"center": (500, 500)}, "No pixel"),
        ("image.radial_profile", {"r_max": -3}, "make no profile"),
        ("image.histogram", {"bins": 1}, "bins"),
        ("image.pick", {"position": (5, 75)}, "Nothing to pick"),
    ],
)
def test_what_cannot_be_measured_is_said(session, id, arguments, words):
    before = session.names
    with pytest.raises(CommandError, match=words):
        session.run(id, data="field", **arguments)
    assert session.names == before

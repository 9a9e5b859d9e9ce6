"""Backgrounds and detected sources of a field with known stars, sky and noise."""

import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from regions import CirclePixelRegion, PixCoord
from scipy.spatial import KDTree
from scipy.special import ndtr

import jviz
from jviz import CommandError
from jviz.data import Catalog, Image
from tests.backend.regions.skies import sip_wcs

SIDE, NOISE, SIGMA = 400, 0.5, 1.6


@pytest.fixture(scope="module")
def field():
    draw = np.random.default_rng(12)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    sky = 10 + 0.002 * columns + 0.001 * rows
    image = sky + draw.normal(0, NOISE, sky.shape)
    x, y = (v.ravel() + draw.uniform(-4, 4, 64) for v in np.meshgrid(*[np.arange(35, 370, 46.0)] * 2))
    flux = 10 ** draw.uniform(2.2, 4, x.size)
    for px, py, f in zip(x, y, flux, strict=True):
        image += f / (2 * np.pi * SIGMA**2) * np.exp(-0.5 * ((columns - px) ** 2 + (rows - py) ** 2) / SIGMA**2)
    return image.astype(np.float32), sky, x, y, flux


@pytest.fixture
def session(field):
    session = jviz.Session(settings={})
    session.add(CCDData(field[0], unit="MJy/sr", wcs=sip_wcs(size=SIDE)), name="field")
    yield session
    session.close()


def test_the_background_is_the_sky_and_its_scatter_the_noise(session, field):
    image, sky, *_ = field
    level, rms, less = session.run("photometry.background", data="field", box_size=50, subtract=True)
    assert np.abs(level.plane().read() - sky).max() < 0.35
    assert np.median(rms.plane().read()) == pytest.approx(NOISE, rel=0.05)
    np.testing.assert_allclose(less.plane().read(), image - level.plane().read(), atol=1e-5)
    assert level.unit == "MJy / sr"
    assert session.names == ["field", "field background", "field background rms", "field less background"]
    session.undo()
    assert session.names == ["field"]


@pytest.mark.parametrize("estimator", ["mean", "mode", "sextractor", "mmm", "biweight"])
def test_each_estimator_finds_the_sky(session, field, estimator):
    level, _ = session.run("photometry.background", data="field", estimator=estimator, rms="mad", box_size=50)
    assert np.abs(np.median(level.plane().read() - field[1])) < 0.1


def test_what_is_masked_does_not_count(session, field):
    values = field[0].copy()
    values[100:180, 100:180] += 50
    values[:40] = np.nan
    session.add(CCDData(values, unit="MJy/sr"), name="hole")
    circle = CirclePixelRegion(PixCoord(140, 140), 60)
    level, _ = session.run("photometry.background", data="hole", region=circle, box_size=40)
    found = level.plane().read()
    assert np.isnan(found[:40]).all()
    assert np.isfinite(found[40:]).all()
    assert np.abs(found[40:] - field[1][40:]).max() < 1.5


@pytest.mark.parametrize(("method", "snr", "close"), [("segmentation", 4, 0.25), ("dao", 5, 0.25), ("peaks", 8, 0.8)])
def test_all_stars_are_found_where_they_are_and_nothing_else(session, field, method, snr, close):
    *_, x, y, flux = field
    found = session.run("photometry.detect", data="field", method=method, snr=snr, fwhm=3.7)
    assert isinstance(found, Catalog)
    places = found.table
    tree = KDTree(np.c_[places["x_centroid"], places["y_centroid"]])
    distance, _ = tree.query(np.c_[x, y])
    assert (distance[flux > 300] < close).all()
    assert len(found) <= len(x) + 2
    assert found.places.system == "sky"
    back, _ = session["field"].sky.sky_to_pixel(found.places.x, found.places.y)
    np.testing.assert_allclose(back, places["x_centroid"], atol=1e-3)
    if method == "segmentation":
        labels = session["field segments"]
        assert isinstance(labels, Image)
        assert labels.plane().read().max() == len(found)
    session.undo()
    assert session.names == ["field"]


def test_blended_stars_are_split(session):
    rows, columns = np.mgrid[:80, :80]
    image = np.random.default_rng(2).normal(0, 0.1, (80, 80))
    for x in (36, 44):
        image += 100 * np.exp(-0.5 * ((columns - x) ** 2 + (rows - 40) ** 2) / 2**2)
    session.add(image.astype(np.float32), name="pair")
    together = session.run("photometry.detect", data="pair", deblend=False, snr=5)
    apart = session.run("photometry.detect", data="pair", snr=5)
    assert (len(together), len(apart)) == (1, 2)


@pytest.mark.parametrize(("command", "options", "words"), [
    ("photometry.detect", {"snr": 1e5}, "No source of field is above"),
    ("photometry.detect", {"snr": -1}, "above 0"),
    ("photometry.detect", {"noise": "errors"}, "no plane of errors"),
    ("photometry.background", {"filter_size": 2}, "odd"),
    ("photometry.background", {"box_size": 1}, "sides of 2"),
])  # fmt: skip
def test_bad_input_is_said_in_words(session, command, options, words):
    with pytest.raises(CommandError, match=words):
        session.run(command, data="field", **options)
    assert session.names == ["field"]


@pytest.mark.parametrize("command", ["photometry.detect", "photometry.background"])
def test_an_image_of_nothing_is_said_to_be_one(session, command):
    session.add(np.full((50, 50), np.nan), name="empty")
    with pytest.raises(CommandError, match="NaN"):
        session.run(command, data="empty")


def test_the_catalogue_has_the_fluxes_of_the_stars(session, field):
    *_, x, y, flux = field
    found = session.run("photometry.catalog", data="field", snr=4, fwhm=3.7)
    table = found.table
    distance, which = KDTree(np.c_[table["x_centroid"], table["y_centroid"]]).query(np.c_[x, y])
    assert (distance < 0.5).all()
    assert len(table) <= len(x) + 2
    solid = session["field"].sky.pixel_area_arcsec2(200, 200) * np.radians(1 / 3600) ** 2
    wanted = flux * 1e6 * float(solid)
    for column in ("aper_total_flux", "kron_flux"):
        ratio = table[column][which].to_value("Jy") / wanted
        assert np.average(ratio, weights=flux) == pytest.approx(1, abs=0.03), column
    magnitude = -2.5 * np.log10(table["aper_total_flux"].value / 3631)
    np.testing.assert_allclose(table["aper_total_abmag"].value, magnitude)
    assert not table["is_extended"][which][flux > 500].any()
    assert np.median(table["fwhm"][which].value) == pytest.approx(2.355 * np.hypot(SIGMA, 3.7 / 2.355), rel=0.1)
    assert "scatter of the background" in "".join(table.meta["notes"])


def test_circles_by_the_width_of_stars_count_the_smearing_by_pixels(session):
    draw, sigma = np.random.default_rng(4), 1.0
    edges = np.arange(SIDE + 1) - 0.5
    x, y = (v.ravel() + draw.uniform(-0.5, 0.5, 49) for v in np.meshgrid(*[np.arange(30, 380, 50.0)] * 2))
    along, up = (np.diff(ndtr((edges[:, None] - p) / sigma), axis=0) for p in (x, y))
    image = (draw.normal(0, 0.01, (SIDE, SIDE)) + 1000 * up @ along.T).astype(np.float32)
    session.add(CCDData(image, unit="Jy"), name="pixels")
    seen = 2.3548 * np.hypot(sigma, np.sqrt(1 / 12))
    table = session.run("photometry.catalog", data="pixels", snr=20, psf_fwhm=seen, box_size=0).table
    assert len(table) == 49
    for column, share in (("aper50_flux", 0.5), ("aper70_flux", 0.7), ("aper_total_flux", 1.0)):
        assert np.mean(table[column].value) / 1000 == pytest.approx(share, rel=0.006), column


def test_errors_that_are_all_0_are_said(session):
    draw = np.random.default_rng(4)
    image = draw.normal(0, 1, (100, 100)).astype(np.float32)
    image[49:52, 49:52] += 100
    session.add(CCDData(image, unit="Jy", uncertainty=StdDevUncertainty(np.zeros_like(image))), name="exact")
    said = "the errors of all pixels of its sources are 0"
    assert said in "".join(session.run("photometry.catalog", data="exact", box_size=0, psf_fwhm=3).table.meta["notes"])
    table = session.run("photometry.catalog", data="exact", box_size=0, psf_fwhm=3, gain=2.0).table
    assert said not in "".join(table.meta["notes"])
    assert (table["kron_flux_err"] > 0).all()


def test_a_galaxy_is_extended(session, field):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    galaxy = 40 * np.exp(-np.hypot(columns - 200, rows - 200) / 12)
    session.add((field[0] + galaxy).astype(np.float32), name="galaxy")
    table = session.run("photometry.catalog", data="galaxy", snr=4, psf_fwhm=3.8, contrast=0.05).table
    nearest = np.argmin(np.hypot(table["x_centroid"] - 200, table["y_centroid"] - 200))
    assert table["is_extended"][nearest]
    assert np.isnan(table["kron_abmag"]).all()


def test_segments_of_one_image_are_measured_on_another(session, field):
    session.run("photometry.detect", data="field", snr=4)
    session.add(CCDData(2 * field[0], unit="MJy/sr", wcs=sip_wcs(size=SIDE)), name="twice")
    one = session.run("photometry.catalog", data="field", detection="field segments", psf_fwhm=4).table
    two = session.run("photometry.catalog", data="twice", detection="field segments", psf_fwhm=4).table
    np.testing.assert_array_equal(one["label"], two["label"])
    np.testing.assert_allclose(two["isophotal_flux"] / one["isophotal_flux"], 2, rtol=1e-4)

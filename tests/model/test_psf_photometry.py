"""PSF photometry by commands: truth, units, stars picked, residual, undo, script, PSFs as data, bad input."""

import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import QTable
from regions import PixCoord, PointPixelRegion

import jviz
from jviz import CommandError
from jviz.backend.io.product import Plane
from jviz.backend.photometry.psfs import moffat_psf
from jviz.data import Psf
from tests.backend.photometry.test_psfs import crowd, pictured, sampled
from tests.backend.regions.skies import sip_wcs

SIDE = 420
TRUE = moffat_psf(2.8, 3.5)


@pytest.fixture
def field(session):
    image, x, y, flux = crowd(11, 150, SIDE, TRUE, faintest=2.3)
    session.add(CCDData(image + 10, unit="mJy", uncertainty=StdDevUncertainty(np.ones_like(image))), name="field")
    session.run("photometry.model_psf", shape="moffat", fwhm=2.8, beta=3.5, name="star")
    return x, y, flux


def test_fluxes_in_jansky_with_errors_that_hold_and_a_residual_without_stars(session, field):
    x, y, flux = field
    view = session.view("image", data="field")
    stars = session.run("photometry.psf", data="field", psf="star", positions=np.c_[x, y], passes=1)
    table = stars.table
    assert str(table["flux"].unit) == "Jy"
    found, error = table["flux"].to_value("mJy"), table["flux_err"].to_value("mJy")
    assert np.average(found / flux, weights=flux) == pytest.approx(1, abs=0.004)
    assert ((found - flux) / error).std() == pytest.approx(1, abs=0.12)
    assert table["background"].to_value("mJy") == pytest.approx(np.full(len(x), 10.0), abs=0.3)
    np.testing.assert_allclose(table["abmag"].value, -2.5 * np.log10(found / 3631e3), atol=1e-6)
    assert "vegamag" not in table.colnames
    session["field"].product.units[0].header.update({"TELESCOP": "JWST", "INSTRUME": "MIRI", "FILTER": "F770W"})
    webb = session.run("photometry.psf", data="field", psf="star", positions=np.c_[x, y], passes=1, residual=False)
    offset = (webb.table["abmag"] - webb.table["vegamag"]).value
    np.testing.assert_allclose(offset, 2.5 * np.log10(3631 / 65.08))  # Vega has 65.08 Jy in F770W
    session.undo()
    rest = session["field residual"].get(np.ndarray)
    assert np.std(rest) == pytest.approx(1, abs=0.03)
    assert np.mean(rest) == pytest.approx(10, abs=0.1)
    assert [layer.data.name for layer in view.layers] == ["field", "field residual"]
    assert view.layers[1].limits == view.layers[0].limits
    assert "photometry.psf" in session.script()
    session.undo()
    assert list(session.names) == ["field", "star"]
    assert [layer.data.name for layer in view.layers] == ["field"]


def test_stars_are_found_and_blends_in_a_second_pass(session, field):
    x, y, flux = field
    table = session.run("photometry.psf", data="field", psf="star", residual=False, snr=6).table
    from scipy.spatial import KDTree

    places = KDTree(np.c_[table["x"], table["y"]])
    bright = flux > 20 * np.sqrt(np.pi) * 2.8 / 2
    near = places.query(np.c_[x, y])[0] < 0.7
    assert near[bright].mean() > 0.96
    wrong = KDTree(np.c_[x, y]).query(np.c_[table["x"], table["y"]])[0] > 1.5
    assert wrong.mean() < 0.02
    assert set(table["found_in"]) <= {1, 2}
    assert "field residual" not in session.names


def test_a_psf_is_built_from_picked_points_and_from_selected_rows(session, field):
    x, y, flux = field
    best = np.argsort(-flux)[:25]
    for k in best:
        session.subset(f"star {k}", PointPixelRegion(PixCoord(float(round(x[k])), float(round(y[k])))), data="field")
    built = session.run("photometry.build_psf", data="field", others=np.c_[x, y], name="from points")
    assert isinstance(built, Psf)
    assert built.kind == "psf"
    offsets = np.linspace(-4, 4, 33)
    wanted, made = sampled(TRUE, offsets), sampled(built.model, offsets)
    assert abs(made - wanted).max() < 0.02 * wanted.max()
    line = session.script().splitlines()[-1]
    assert "build_psf" in line
    assert f"{float(round(x[best[0]]))}" in line
    rows = session.add(QTable({"x": x, "y": y, "flux": flux}), name="rows")
    session.run("catalog.select", data=rows, expression=f"flux >= {flux[best].min()}")
    again = session.run("photometry.build_psf", data="field", others="rows")
    np.testing.assert_allclose(sampled(again.model, offsets), made, atol=0.01 * wanted.max())


def test_a_session_file_keeps_a_psf(session, field, tmp_path):
    session.save(tmp_path / "work.jviz")
    other = jviz.Session.load(tmp_path / "work.jviz")
    np.testing.assert_array_equal(other["star"].model.values, session["star"].model.values)
    assert other["star"].model.centre == session["star"].model.centre
    other.close()


def test_a_psf_is_shown_in_an_image_viewer_and_is_no_image(session, field):
    view = session.view("image", data="star")
    assert view.layers[0].data is session["star"]
    with pytest.raises(CommandError, match="of kind psf"):
        session.run("photometry.psf", data="star", psf="star")


def test_saturated_masked_and_missing_stars_are_flagged(session):
    x, y = np.array([30.0, 60.0, 90.0, 500.0]), np.array([30.0, 60.0, 90.0, 5.0])
    image = pictured(TRUE, x[:3], y[:3], np.full(3, 8000.0), (120, 120))
    image += np.random.default_rng(2).normal(0, 1, image.shape).astype(np.float32)
    flags = np.zeros(image.shape, np.uint32)
    flags[60, 60], image[60, 60] = 2, 1e5
    flags[85:96, 85:96], image[85:96, 85:96] = 1, np.nan
    errors = StdDevUncertainty(np.ones_like(image))
    data = session.add(CCDData(image, unit="MJy/sr", wcs=sip_wcs(size=120), uncertainty=errors), name="image")
    data.product.planes["DQ"] = Plane("DQ", flags.shape, flags.dtype, lambda progress: flags, "flags")
    data.product.flags = "jwst"
    session.run("photometry.model_psf", shape="moffat", fwhm=2.8, beta=3.5, name="star")
    table = session.run("photometry.psf", data="image", psf="star", positions=np.c_[x, y], box_size=0, passes=1).table
    assert [int(f) & 4 for f in table["flags"]] == [0, 4, 0, 0]
    assert table["flux_fit"][:2].value == pytest.approx([8000, 8000], rel=0.01)
    assert int(table["flags"][2]) & 16
    assert int(table["flags"][3]) == 256
    assert np.isnan(table["flux"][2:].value).all()
    assert "2 of 4 have no pixel" in table.meta["notes"][-1]
    area = data.sky.pixel_area_arcsec2(30.0, 30.0) / 206264.806**2
    assert table["flux"][0].to_value("Jy") == pytest.approx(8000e6 * float(area), rel=0.01)


def test_bad_input_is_said_in_a_sentence(session, field):
    with pytest.raises(CommandError, match="No stars are picked on field"):
        session.run("photometry.build_psf", data="field")
    with pytest.raises(CommandError, match="None of the 1 positions lies on field"):
        session.run("photometry.psf", data="field", psf="star", positions=[(9999, 3)])
    with pytest.raises(CommandError, match="takes data of kind psf"):
        session.run("photometry.psf", data="field", psf="field")
    session.add(CCDData(np.full((80, 80), np.nan), unit="Jy"), name="nothing")
    with pytest.raises(CommandError, match="no pixel to look at"):
        session.run("photometry.psf", data="nothing", psf="star")
    noise = np.random.default_rng(1).normal(0, 1, (80, 80))
    session.add(CCDData(noise, unit="adu"), name="empty")
    with pytest.raises(CommandError, match="No star is above S/N 8"):
        session.run("photometry.psf", data="empty", psf="star", snr=8)
    table = session.run("photometry.psf", data="empty", psf="star", positions=[(40, 40)], passes=1).table
    notes = " ".join(table.meta["notes"])
    assert "it has no errors" in notes
    assert "zero_point" in notes

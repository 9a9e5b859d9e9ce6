"""Forced photometry over bands on other pixels, and artificial stars: completeness and bias with truth."""

import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import CCDData, StdDevUncertainty

from jviz import CommandError
from jviz.backend.photometry.psfs import gaussian_psf
from tests.backend.photometry.test_psfs import crowd, pictured
from tests.backend.regions.skies import sip_wcs


def test_fluxes_at_fixed_places_in_two_bands_with_other_widths_and_pixels(session):
    narrow, wide = gaussian_psf(2.2), gaussian_psf(3.4)
    draw = np.random.default_rng(5)
    x, y = (v.ravel() + draw.uniform(-1, 1, v.size) for v in np.meshgrid(*[np.arange(25, 180, 15.0)] * 2))
    blue, red = 10 ** draw.uniform(2, 3.5, (2, x.size))
    sky = sip_wcs(size=200)
    moved = sky.deepcopy()
    moved.wcs.crpix += [7.0, -4.0]
    errors = StdDevUncertainty(np.ones((200, 200), np.float32))
    for name, psf, flux, wcs, shift, band in (
        ("short", narrow, blue, sky, (0, 0), "F150W"),
        ("long", wide, red, moved, (7, -4), "F277W"),
    ):
        image = pictured(psf, x + shift[0], y + shift[1], flux, (200, 200))
        image += draw.normal(0, 1, image.shape).astype(np.float32)
        session.add(CCDData(image, unit="uJy", uncertainty=errors, wcs=wcs, meta={"FILTER": band}), name=name)
        session.run("photometry.model_psf", fwhm=2.2 if psf is narrow else 3.4, name=f"{name} PSF")
    table = session.run(
        "photometry.forced", data=["short", "long"], psf=["short PSF", "long PSF"], positions=np.c_[x, y], box_size=0
    ).table
    for band, flux in (("F150W", blue), ("F277W", red)):
        pull = (table[f"flux_{band}"].to_value("uJy") - flux) / table[f"flux_err_{band}"].to_value("uJy")
        assert pull.std() == pytest.approx(1, abs=0.2)
        assert abs(pull.mean()) < 0.3
    assert table["abmag_F150W"].unit == u.mag
    assert "photometry.forced" in session.script()
    session.undo()
    assert "forced photometry of 2 images" not in session.names
    with pytest.raises(CommandError, match="2 images and 3 PSFs"):
        session.run("photometry.forced", data=["short", "long"], psf=["short PSF"] * 3, positions=[(50, 50)])
    alone = session.run("photometry.forced", data="short", psf=session["short PSF"], positions=np.c_[x, y], box_size=0)
    np.testing.assert_allclose(alone.table["flux_F150W"].value, table["flux_F150W"].value)


def test_an_exposure_without_pixels_is_left_out_and_the_others_are_kept(session):
    psf, places = gaussian_psf(2.5), np.array([[30.0, 40.0], [70.0, 60.0], [400.0, 5.0]])
    errors = StdDevUncertainty(np.ones((100, 100), np.float32))
    image = pictured(psf, *places[:2].T, np.array([500.0, 900.0]), (100, 100))
    for name, values, wheel in (("blank", np.full((100, 100), np.nan), "F115W"), ("good", image, "F200W")):
        meta = {"TELESCOP": "JWST", "INSTRUME": "NIRISS", "FILTER": "CLEAR", "PUPIL": wheel}
        session.add(CCDData(values, unit="Jy", uncertainty=errors, meta=meta), name=name)
    session.run("photometry.model_psf", fwhm=2.5, name="star")
    run = {"psf": ["star"], "positions": places, "box_size": 0}
    table = session.run("photometry.forced", data=["blank", "good"], **run).table
    assert table["flux_F200W"][:2].to_value("Jy") == pytest.approx([500, 900], rel=0.01)
    assert table["x"].tolist() == [30, 70, 400]
    assert np.isnan(table["flux_F200W"][2])
    assert "flux_F115W" not in table.colnames
    assert "blank is left out" in table.meta["notes"][0]
    with pytest.raises(CommandError, match="blank has no pixel"):
        session.run("photometry.forced", data=["blank"], **run)


def test_bright_artificial_stars_are_all_found_with_true_fluxes_and_faint_ones_are_not(session):
    psf = gaussian_psf(2.5)
    image, *_ = crowd(3, 60, 400, psf)
    session.add(CCDData(image, unit="Jy", uncertainty=StdDevUncertainty(np.ones_like(image))), name="field")
    session.run("photometry.model_psf", fwhm=2.5, name="star")
    options = {"data": "field", "psf": "star", "stars": 120, "rounds": 4, "bins": 6, "box_size": 0}
    table = session.run("photometry.inject", **options).table
    assert table["n"].sum() == 480
    [plot] = [view for view in session.views.values() if view.kind == "scatter"]
    assert (plot.x, plot.y, plot.errors) == ("mag", "completeness", True)
    session.undo()
    assert not [view for view in session.views.values() if view.kind == "scatter"]
    assert table["completeness"][0] > 0.9
    assert table["completeness"][-1] < 0.3
    assert table["flux_ratio"][:3] == pytest.approx(np.ones(3), abs=0.02)
    assert table["pull_width"][:4].mean() == pytest.approx(1, abs=0.2)
    assert table["mag"].value[0] == pytest.approx(-2.5 * np.log10(100 * 3.55 / 3631) + 0.35, abs=0.3)
    again = session.run("photometry.inject", **options).table
    np.testing.assert_array_equal(again["completeness"], table["completeness"])
    with pytest.raises(CommandError, match="brightest below faintest"):
        session.run("photometry.inject", data="field", psf="star", brightest=9, faintest=5)

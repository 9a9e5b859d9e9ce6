"""Sources found in several bands together, and measured in all of them."""

import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from scipy.special import erf

import jviz
from jviz import CommandError
from jviz.photometry_bands import chi_threshold
from tests.backend.regions.skies import sip_wcs

SIDE, SIGMA, NOISE = 300, 1.6, (0.5, 0.8, 0.3)
X, Y = (v.ravel() + 0.3 for v in np.meshgrid(np.arange(25, 290, 40.0), np.arange(25, 290, 40.0)))


def band(fluxes, noise, seed):
    image = np.random.default_rng(seed).normal(3, noise, (SIDE, SIDE))
    edges = np.arange(SIDE + 1) - 0.5
    for x, y, flux in zip(X, Y, fluxes, strict=True):
        along = [0.5 * np.diff(erf((edges - c) / (SIGMA * np.sqrt(2)))) for c in (y, x)]
        image += flux * np.outer(*along)
    return image.astype(np.float32)


@pytest.fixture(scope="module")
def fluxes():
    draw = np.random.default_rng(3)
    return [10 ** draw.uniform(1.6, 3, X.size) for _ in NOISE]


@pytest.fixture
def session(fluxes):
    session = jviz.Session(settings={})
    for k, (flux, noise) in enumerate(zip(fluxes, NOISE, strict=True)):
        header = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": ("F115W", "F200W", "F444W")[k], "PUPIL": "CLEAR"}
        image, errors = band(flux, noise, k), StdDevUncertainty(np.full((SIDE, SIDE), noise))
        session.add(CCDData(image, unit="uJy", uncertainty=errors, wcs=sip_wcs(size=SIDE), meta=header), name=f"b{k}")
    yield session
    session.close()


def nearest(table):
    distance = np.hypot(X[:, None] - table["x_centroid"], Y[:, None] - table["y_centroid"])
    return distance.argmin(axis=1), distance.min(axis=1)


@pytest.mark.parametrize("how", ["chi2", "sum", "first"])
def test_fluxes_of_all_bands_are_those_of_the_stars(session, fluxes, how):
    found = session.run("photometry.bands", data=["b0", "b1", "b2"], detect_on=how, snr=4, radius=6, fwhm=3.8)
    which, distance = nearest(found.table)
    bright = fluxes[0] > 120
    assert (distance[bright] < 0.5).all()
    within = 1 - np.exp(-0.5 * 36 / (SIGMA**2 + 1 / 6))
    for flux, word in zip(fluxes, ("F115W", "F200W", "F444W"), strict=True):
        rows = found.table[which[bright]]
        measured, error = (rows[f"{name}_{word}"].to_value("uJy") for name in ("flux", "flux_err"))
        pulls = (measured - flux[bright] * within) / error
        assert np.abs(np.median(pulls)) < 1
        assert np.percentile(np.abs(pulls), 68) < 1.7
        assert np.isfinite(rows[f"vegamag_{word}"].value).all()
        assert (rows[f"flags_{word}"] == 0).all()
    assert session.names == ["b0", "b1", "b2", "b0 segments", "3 bands"]
    session.undo()
    assert session.names == ["b0", "b1", "b2"]


@pytest.mark.parametrize("snr", [2.0, 3.5])
def test_noise_passes_the_threshold_as_rarely_in_chi(snr):
    from scipy.stats import norm

    noise = np.random.default_rng(1).normal(size=(3, 4_000_000))
    chi = np.sqrt((np.maximum(noise, 0) ** 2).sum(axis=0))
    share = (chi > chi_threshold(snr, 3)).mean()
    assert share == pytest.approx(norm.sf(snr), rel=6 / np.sqrt(norm.sf(snr) * chi.size))
    assert chi_threshold(snr, 1) == pytest.approx(snr, rel=1e-6)


def test_stars_too_faint_for_each_band_are_found_in_all_together(session):
    faint = [np.full(X.size, 6.5 * noise * np.sqrt(4 * np.pi) * SIGMA / 2) for noise in NOISE]
    for k, flux in enumerate(faint):
        session.add(CCDData(band(flux, NOISE[k], 20 + k), unit="uJy"), name=f"f{k}")
    names = [f"f{k}" for k in range(3)]
    options = {"snr": 4, "fwhm": 3.8, "npixels": 3}
    alone = session.run("photometry.bands", data=names, detect_on="first", name="alone", **options).table
    together = session.run("photometry.bands", data=names, detect_on="chi2", name="together", **options).table
    found = [(nearest(table)[1] < 1.5).mean() for table in (alone, together)]
    assert found[1] > found[0] + 0.3
    assert found[1] > 0.8


def test_a_band_on_other_pixels_is_measured_by_the_sky_but_not_added_up(session, fluxes):
    shifted = sip_wcs(size=SIDE)
    shifted.wcs.crpix += 7
    image = np.roll(band(fluxes[1], 0.1, 9), (7, 7), axis=(0, 1))
    session.add(CCDData(image, unit="uJy", wcs=shifted), name="moved")
    found = session.run("photometry.bands", data=["b0", "moved"], detect_on="first", snr=4, radius=6, fwhm=3.8)
    which, distance = nearest(found.table)
    inside = (distance < 0.5) & (fluxes[1] > 200) & (X < 280) & (Y < 280)
    ratio = found.table["flux_moved"][which[inside]].to_value("uJy") / fluxes[1][inside]
    assert np.median(ratio) == pytest.approx(0.999, abs=0.02)
    with pytest.raises(CommandError, match="reproject it"):
        session.run("photometry.bands", data=["b0", "moved"])


def test_nothing_found_is_said(session):
    with pytest.raises(CommandError, match="No source is above S/N 100000 in 2 bands"):
        session.run("photometry.bands", data=["b0", "b1"], snr=1e5)


def test_a_band_without_values_is_left_out_and_told(session, fluxes):
    session.add(CCDData(np.full((SIDE, SIDE), np.nan, np.float32), unit="uJy", wcs=sip_wcs(size=SIDE)), name="nothing")
    found = session.run("photometry.bands", data=["b0", "nothing", "b1"], snr=4, radius=6, fwhm=3.8)
    assert {"flux_F115W", "flux_F200W"} <= set(found.table.colnames)
    assert found.table.meta["images"] == "b0, b1"
    assert any("nothing has no pixel to look at" in note for note in found.table.meta["notes"])
    assert "left out a band: nothing has no pixel" in session.notices[-1][1]
    with pytest.raises(CommandError, match="nothing has no pixel to look at"):
        session.run("photometry.bands", data=["nothing"])


def test_the_next_band_finds_the_sources_where_the_first_has_no_values(session, fluxes):
    wide = sip_wcs(size=SIDE)
    wide.wcs.cd = wide.wcs.cd * 2
    session.add(CCDData(np.full((SIDE, SIDE), np.nan, np.float32), unit="uJy", wcs=wide), name="nothing")
    options = {"snr": 4, "fwhm": 3.8, "detect_on": "first"}
    found = session.run("photometry.bands", data=["nothing", "b0", "b1"], radius=3, region=None, **options)
    alone = session.run("photometry.bands", data=["b0", "b1"], radius=6, name="alone", **options)
    assert len(found.table) == len(alone.table)
    # the radius is in pixels of the band that was named first, which are twice as large
    for name in ("x_centroid", "flux_F115W", "flux_F200W"):
        np.testing.assert_allclose(np.asarray(found.table[name]), np.asarray(alone.table[name]), rtol=1e-3)
    assert found.table.meta["images"] == "b0, b1"
    assert "sources were looked for in b0" in found.table.meta["notes"]
    assert any("sources were looked for in b0" in notice[1] for notice in session.notices)

"""Morphology as columns of a source catalogue: the same as of each source alone, in tiles too, with flags and undo."""

import numpy as np
import pytest
from astropy.nddata import CCDData
from photutils.segmentation import detect_sources

import jviz
from jviz.backend.photometry.morphology import NUMBERS

NOISE = 0.02
PLACES = ((60.3, 55.7, 8.0, 0.0), (160.2, 62.4, 6.0, 0.6), (100.6, 150.2, 10.0, 0.8))


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    y, x = np.mgrid[:220, :220]
    values = np.random.default_rng(2).normal(0, NOISE, x.shape)
    for x0, y0, scale, knot in PLACES:
        values += np.exp(-np.hypot(x - x0, y - y0) / scale * 1.678)
        values += knot * np.exp(-0.5 * ((x - x0 - scale) ** 2 + (y - y0) ** 2) / 1.5**2)
    segments = detect_sources(values, 3 * NOISE, 30)
    session.add(CCDData(values.astype("f4"), unit="MJy/sr"), name="galaxies")
    session.add(CCDData(segments.data.astype(np.int32), unit=""), name="segments")
    yield session
    session.close()


def test_columns_tell_smooth_galaxies_from_those_with_knots(session):
    run = {"data": "galaxies", "detection": "segments", "box_size": 0, "psf_fwhm": 2, "morphology": True}
    table = session.run("photometry.catalog", **run).table
    order = [int(np.argmin(np.hypot(table["x_centroid"] - x, table["y_centroid"] - y))) for x, y, *_ in PLACES]
    rows = table[order]
    assert np.allclose(rows["x_centroid"], [p[0] for p in PLACES], atol=1.5)
    assert (rows["morphology_flags"] == 0).all()
    assert rows["petrosian_radius"].unit == "pix"
    # of an exponential disc, whose light is counted to 1.5 Petrosian radii
    assert rows["petrosian_radius"][0].value / rows["r50"][0].value == pytest.approx(2.21, rel=0.04)
    assert rows["concentration"][0] == pytest.approx(2.74, abs=0.06)
    a, error = rows["asymmetry"], rows["asymmetry_err"]
    assert a[0] < 0.03
    assert (a[0] + 3 * error[0] < a[1:] - 3 * error[1:]).all()
    assert (np.abs(rows["smoothness"]) < 0.05).all()
    for name in NUMBERS:
        assert np.isfinite(rows[f"{name}_err"]).all()
    session.undo()
    assert session.names == ["galaxies", "segments"]


def test_tiles_give_the_same_numbers_as_one_piece(session, monkeypatch):
    wanted = ("label", "petrosian_radius", *NUMBERS)
    run = {"data": "galaxies", "detection": "segments", "box_size": 0, "psf_fwhm": 2, "morphology": True}
    whole = session.run("photometry.catalog", **run).table
    monkeypatch.setattr("jviz.backend.photometry.segmenting.WHOLE", 20_000)
    monkeypatch.setattr("jviz.backend.photometry.segmenting.PIECE", 12_000)
    tiled = session.run("photometry.catalog", **run).table
    for name in wanted:
        ours, theirs = (np.asarray(getattr(t[name], "value", t[name]), float) for t in (whole, tiled))
        assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-6, equal_nan=True), name


def test_without_it_the_columns_are_as_before(session):
    table = session.run("photometry.catalog", data="galaxies", box_size=0, psf_fwhm=2).table
    assert "gini" not in table.colnames

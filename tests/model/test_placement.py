"""Outlines of the subsets of a session, kept until a subset is replaced."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from regions import CirclePixelRegion, CircleSkyRegion, PixCoord

import jviz
from jviz import placement
from tests.backend.regions.skies import sip_wcs


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    yield session
    session.close()


def test_regions_of_one_image_are_on_all(session):
    here = session.add(CCDData(np.ones((64, 64)), unit="Jy", wcs=sip_wcs(size=64)), name="here")
    there = session.add(CCDData(np.ones((64, 64)), unit="Jy", wcs=sip_wcs(size=64, angle=0)), name="there")
    bare = session.add(np.ones((64, 64)), name="bare")
    session.subset("core", CirclePixelRegion(PixCoord(32, 31), 4), data="here")
    session.subset("star", CircleSkyRegion(SkyCoord(150, 2, unit="deg"), 0.3 * u.arcsec))
    session.subset("mask", np.ones((64, 64), bool), data="here")
    on_there = placement.outlines_of(session.subsets, there)
    assert on_there.names == ("core", "star")
    ring = on_there.outlines.ring(0)
    back = here.sky.sky_to_pixel(*there.sky.pixel_to_sky(*ring.T))
    np.testing.assert_allclose(np.hypot(back[0] - 32, back[1] - 31), 4, atol=1e-6)
    # without a sky, images are linked by their pixels
    on_bare = placement.outlines_of(session.subsets, bare).outlines
    np.testing.assert_allclose(np.hypot(*(on_bare.ring(0) - [32, 31]).T), 4)
    assert np.isnan(on_bare.ring(1)).all()


def test_only_what_changed_is_worked_out_again(session, monkeypatch):
    image = session.add(CCDData(np.ones((64, 64)), unit="Jy", wcs=sip_wcs(size=64)), name="image")
    for i in range(5):
        session.subset(f"r{i}", CirclePixelRegion(PixCoord(10 * i, 31), 4), data="image")
    placement.outlines_of(session.subsets, image)
    worked_out = []
    real = placement.place
    monkeypatch.setattr(placement, "place", lambda r, *a, **k: worked_out.append(len(r)) or real(r, *a, **k))
    session.subset("r3", CirclePixelRegion(PixCoord(5, 5), 2), data="image")
    again = placement.outlines_of(session.subsets, image).outlines
    assert worked_out == [1]
    np.testing.assert_allclose(again.ring(3).mean(axis=0), [5, 5], atol=1e-9)
    assert again.owners.tolist() == [0, 1, 2, 3, 4]

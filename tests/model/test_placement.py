"""Outlines of the subsets of a session, kept until a subset is replaced."""

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from regions import CirclePixelRegion, CircleSkyRegion, LinePixelRegion, PixCoord

from jviz import placement, places
from jviz.backend.regions.ds9 import sketch_ds9
from jviz.backend.regions.making import Sketch, made
from jviz.backend.regions.placing import place
from jviz.subsets import Subset
from tests.backend.regions.skies import sip_wcs, sky_of


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
    places.places_of(session, image, image.sky)
    worked_out = []
    real = places.place
    monkeypatch.setattr(places, "place", lambda r, *a, **k: worked_out.append(len(r)) or real(r, *a, **k))
    session.subset("r3", CirclePixelRegion(PixCoord(5, 5), 2), data="image")
    again = places.places_of(session, image, image.sky)
    assert worked_out == [1]
    np.testing.assert_allclose(again.boxes[3], [3, 3, 7, 7], atol=0.01)
    assert again.owners.tolist() == [0, 1, 2, 3, 4]
    session.subset("line", LinePixelRegion(PixCoord(1, 2), PixCoord(9, 8)), data="image")
    session.run("region.remove", names=["r1"])
    fewer = places.places_of(session, image, image.sky)
    assert worked_out == [1, 1]
    assert [s.name for s in fewer.subsets] == ["r0", "r2", "r3", "r4", "line"]
    assert fewer.outline(4).points.tolist() == [[1, 2], [9, 8]]
    np.testing.assert_allclose(fewer.boxes[2], [3, 3, 7, 7], atol=0.01)


def test_regions_keep_their_numbers_where_they_are_not_on_the_sky(session):
    image = session.add(np.ones((64, 64)), name="bare")
    session.subset("star", CircleSkyRegion(SkyCoord(150, 2, unit="deg"), 0.3 * u.arcsec))
    session.subset("core", CirclePixelRegion(PixCoord(32, 31), 4), data="bare")
    found = places.places_of(session, image, None)
    assert [s.name for s in found.subsets] == ["star", "core"]
    assert [s.name for s in found.seen()] == ["core"]
    assert [s.name for s in found.under(32, 31, 1)] == ["core"]


def test_masks_are_outlined_along_their_pixels(session):
    image = session.add(np.ones((20, 30)), name="bare")
    mask = np.zeros((20, 30), bool)
    mask[3:7, 5:15] = True
    mask[4, 8] = False
    session.subset("mask", mask, data="bare")
    outline = places.places_of(session, image, None).outline(0)
    ends = outline.points.reshape(-1, 3, 2)
    length = np.abs(ends[:, 1] - ends[:, 0]).sum()
    assert length == 2 * (4 + 10) + 4  # round it, and round the hole
    assert np.isnan(ends[:, 2]).all()
    assert places.places_of(session, image, None).boxes[0].tolist() == [4.5, 2.5, 14.5, 6.5]


def test_sketches_and_regions_are_outlined_alike(session):
    text = """image
circle(10,11,3)
annulus(30,31,2,5)
ellipse(20,21,5,3,30)
ellipse(20,21,4,2,8,4,30)
box(20,21,5,3,30)
box(20,21,4,2,8,4,30)
polygon(1,2,9,4,5,8)
line(3,4,9,12)
point(5,6)
# text(7,8) text={x}
fk5
circle(150,2,2")
ellipse(150,2,2",1",20)
galactic
box(236.8,42.1,2",1",20)
"""
    sketches, problems = sketch_ds9(text)
    assert not problems
    image = session.add(CCDData(np.ones((64, 64)), unit="Jy", wcs=sip_wcs(size=64)), name="image")
    for region in (sketches, made(sketches)):
        session.set_subsets({f"r{k}": Subset(f"r{k}", r) for k, r in enumerate(region)})
        found = places.places_of(session, image, image.sky)
        if region is sketches:
            before = found
            assert all(isinstance(s.source, Sketch) for s in found.subsets)
    assert before.starts.tolist() == found.starts.tolist()
    assert before.kinds.tolist() == found.kinds.tolist()
    np.testing.assert_allclose(before.points, found.points, atol=1e-6)


def test_few_nodes_of_a_circle_tell_all_of_it():
    sky = sky_of(sip_wcs())
    rng = np.random.default_rng(3)
    at = rng.uniform(0, 2048, (2, 2000))
    lon, lat = sky.pixel_to_sky(*at)
    circles = [
        Sketch("Circle", "icrs", ((x, y),), [100 * 0.06 / 3600], None, ({}, [], ""))
        for x, y in zip(lon, lat, strict=True)
    ]
    quick = place(circles, [None] * 2000, sky, curve=64)
    exact = place(circles[:50], [None] * 50, sky, curve=64)
    assert np.abs(quick.points[: len(exact.points)] - exact.points).max() < 1e-5

"""Regions across the seam, and round the poles, of maps of the whole sky: against closed forms on the sphere."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.wcs import WCS
from regions import (
    CircleAnnulusSkyRegion,
    CirclePixelRegion,
    CircleSkyRegion,
    LineSkyRegion,
    PixCoord,
    PolygonSkyRegion,
    RectangleSkyRegion,
)

import jviz
from jviz.backend.regions.converting import combined
from jviz.backend.regions.masks import Target, weights
from jviz.backend.regions.placing import HERE, place
from jviz.backend.skymap import SkyMap

SIZE = 380


def whole_sky(projection, frame=("RA---", "DEC--")):
    """Return a map of the whole sky with pixels of one degree."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"{name}{projection}" for name in frame]
    wcs.wcs.crval, wcs.wcs.cdelt, wcs.wcs.crpix = (0.0, 0.0), (-1.0, 1.0), (190.5, 190.5)
    return wcs


def cap(radius):
    """Return the solid angle of a circle on the sphere, in square degrees, by its radius in degrees."""
    return 2 * np.pi * (1 - np.cos(np.radians(radius))) * np.degrees(1.0) ** 2


def at(lon, lat, frame="icrs"):
    return SkyCoord(lon, lat, unit="deg", frame=frame)


@pytest.mark.parametrize("projection", ["AIT", "MOL", "CAR", "SFL"])
@pytest.mark.parametrize(("region", "area"), [
    (CircleSkyRegion(at(20, 30), 20 * u.deg), cap(20)),
    (CircleSkyRegion(at(180, 30), 20 * u.deg), cap(20)),
    (CircleSkyRegion(at(175, -50), 12 * u.deg), cap(12)),
    (CircleSkyRegion(at(20, 85), 20 * u.deg), cap(20)),
    (CircleSkyRegion(at(20, -90), 3 * u.deg), cap(3)),
    (CircleAnnulusSkyRegion(at(180, 30), 10 * u.deg, 20 * u.deg), cap(20) - cap(10)),
    (PolygonSkyRegion(at([170, 190, 190, 170], [-10, -10, 10, 10])), None),
])  # fmt: skip
def test_areas_do_not_know_of_the_seam(projection, region, area):
    session = jviz.Session()
    image = CCDData(np.ones((SIZE, SIZE), np.float32), unit="adu", wcs=whole_sky(projection))
    session.add(image, name="sky")
    if area is None:  # the same polygon where there is no seam
        moved = PolygonSkyRegion(at(region.vertices.ra.deg - 140, region.vertices.dec.deg))
        area = session.run("region.statistics", data="sky", region=moved)["area"].to_value("deg2")[0]
    found = session.run("region.statistics", data="sky", region=region)["area"].to_value("deg2")[0]
    # two square degrees: pixels at the poles, of which a part lies beyond the edge of the sky
    assert found == pytest.approx(area, rel=6e-3, abs=2.0)


@pytest.mark.parametrize(("lon", "lat"), [(20.0, 30.0), (179.0, 30.0), (40.0, 85.0)])
def test_the_centroid_of_an_even_circle_is_its_middle(lon, lat):
    session = jviz.Session()
    session.add(CCDData(np.ones((SIZE, SIZE), np.float32), unit="adu", wcs=whole_sky("AIT")), name="sky")
    [row] = session.run("region.statistics", data="sky", region=CircleSkyRegion(at(lon, lat), 15 * u.deg))
    assert row["sky_centroid"].separation(at(lon, lat)).deg < 0.1
    assert np.isfinite(row["semimajor"]) == (lon != 179)


def test_an_outline_ends_at_both_sides_of_the_seam():
    sky = SkyMap.of(whole_sky("AIT"), (SIZE, SIZE))
    found = place([CircleSkyRegion(at(180, 30), 20 * u.deg), CircleSkyRegion(at(20, 30), 20 * u.deg)], [None] * 2, sky)
    assert found.owners.tolist() == [0, 0, 1]
    assert found.closed.tolist() == [False, False, True]
    left, right = sorted((found.ring(0), found.ring(1)), key=lambda ring: ring[0, 0])
    for piece in (left, right):
        assert np.linalg.norm(np.diff(piece, axis=0), axis=1).max() < 4
    lon, lat = sky.pixel_to_sky(*np.concatenate([left[[0, -1]], right[[0, -1]]]).T)
    np.testing.assert_allclose(np.abs((lon % 360) - 180), 0, atol=0.01)
    assert sorted(np.round(lat, 1)) == pytest.approx([10.0, 10.0, 50.0, 50.0], abs=0.2)


def test_a_line_is_parted_too_and_keeps_its_length():
    sky = SkyMap.of(whole_sky("AIT"), (SIZE, SIZE))
    line = LineSkyRegion(at(170, 5), at(190, 5))
    found = place([line], [None], sky)
    assert len(found) == 2
    length = weights(line, Target((SIZE, SIZE), sky)).values.sum()
    assert length == pytest.approx(sum(np.linalg.norm(np.diff(found.ring(k), axis=0), axis=1).sum() for k in (0, 1)))


def test_combinations_across_the_seam():
    sky = SkyMap.of(whole_sky("AIT"), (SIZE, SIZE))
    whole = CircleSkyRegion(at(180, 30), 20 * u.deg)
    hole, beside = CircleSkyRegion(at(178, 31), 6 * u.deg), RectangleSkyRegion(at(20, 0), 10 * u.deg, 10 * u.deg)
    target = Target((SIZE, SIZE), sky)
    values = [weights(region, target).values.sum(dtype=float) for region in (whole, hole, beside)]
    cut = weights(combined(whole, hole, "andnot"), target).values.sum(dtype=float)
    both = weights(combined(whole, beside, "or"), target).values.sum(dtype=float)
    assert (cut, both) == pytest.approx((values[0] - values[1], values[0] + values[2]), rel=2e-3)


def test_regions_of_a_small_image_are_not_parted_on_a_map():
    small = whole_sky("TAN")
    small.wcs.cdelt, small.wcs.crval = (-0.05, 0.05), (180.0, 30.0)
    own, sky = SkyMap.of(small, (SIZE, SIZE)), SkyMap.of(whole_sky("AIT"), (SIZE, SIZE))
    region = CirclePixelRegion(PixCoord(189.5, 189.5), 60)
    assert place([region], [own], sky).closed.tolist() == [False, False]
    assert place([region], [HERE], sky).closed.tolist() == [True]
    found = weights(region, Target((SIZE, SIZE), sky), home=own).values.sum(dtype=float)
    # pixels of Hammer and Aitoff's map are all of one area
    assert found == pytest.approx(cap(np.degrees(np.arctan(np.radians(3.0)))), rel=5e-3)


@pytest.mark.parametrize(("lon", "lat", "radius", "share"), [
    (150.0, 2.0, 95.0, 1.0), (145.0, 5.0, 100.0, 1.0), (330.0, -2.0, 80.0, 0.0), (330.0, -2.0, 5.0, 0.0),
])  # fmt: skip
def test_an_outline_wholly_beyond_the_projection(lon, lat, radius, share):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [20.5, 20.5]
    wcs.wcs.cdelt = [-0.1, 0.1]
    target = Target((40, 40), SkyMap.of(wcs, (40, 40)))
    region = CircleSkyRegion(SkyCoord(lon, lat, unit="deg"), radius * u.deg)
    found = weights(region, target)
    assert found.values.sum() == share * 1600
    hole = CircleSkyRegion(SkyCoord(150.0, 2.0, unit="deg"), 1 * u.deg)
    assert weights(combined(region, hole, "and"), target).values.sum() == pytest.approx(
        share * weights(hole, target).values.sum(), rel=1e-3)

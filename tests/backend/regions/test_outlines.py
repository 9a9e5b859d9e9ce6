"""Outlines against closed forms, astropy's separations and position angles, and exact transforms."""

import operator

import numpy as np
import pytest
import regions
from astropy import units as u
from astropy.coordinates import SkyCoord
from regions import PixCoord, RegionVisual

from jviz.backend.regions.outlines import outline
from jviz.backend.regions.placing import HERE, place
from tests.backend.regions.skies import sip_wcs, sky_of

CENTRE = PixCoord(40.0, 30.0)


def polygon_area(points):
    x, y = points.T
    return 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


@pytest.mark.parametrize(
    ("region", "areas"),
    [
        (regions.CirclePixelRegion(CENTRE, 10), [np.pi * 100]),
        (regions.EllipsePixelRegion(CENTRE, 20, 10, 30 * u.deg), [np.pi * 50]),
        (regions.RectanglePixelRegion(CENTRE, 20, 10, 30 * u.deg), [200]),
        (regions.CircleAnnulusPixelRegion(CENTRE, 5, 10), [np.pi * 100, np.pi * 25]),
        (regions.EllipseAnnulusPixelRegion(CENTRE, 10, 20, 5, 10, 30 * u.deg), [np.pi * 50, np.pi * 12.5]),
        (regions.RectangleAnnulusPixelRegion(CENTRE, 10, 20, 5, 10, 30 * u.deg), [200, 50]),
        (regions.PolygonPixelRegion(PixCoord([0, 4, 4], [0, 0, 3])), [6]),
        (regions.RegularPolygonPixelRegion(CENTRE, 6, 10), [1.5 * np.sqrt(3) * 100]),
    ],
)
def test_pixel_outlines_enclose_the_area(region, areas):
    found = outline(region, error=1e-4)
    assert found.closed.all()
    assert [polygon_area(found.ring(i)) for i in range(len(found))] == pytest.approx(areas, rel=1e-4)


def test_the_polyline_stays_within_the_error():
    for error in (0.5, 0.02, 1e-3):
        points = outline(regions.CirclePixelRegion(CENTRE, 300), error=error).ring(0)
        chords = (points + np.roll(points, -1, axis=0)) / 2
        assert 300 - np.hypot(*(chords - [40, 30]).T).min() <= error * 1.01


def test_the_sides_of_a_turned_rectangle_are_those_of_regions():
    region = regions.RectanglePixelRegion(CENTRE, 20, 10, 33 * u.deg)
    corners = np.array(region.corners)
    points = outline(region).ring(0)
    assert all(np.hypot(*(points - corner).T).min() < 1e-9 for corner in corners)


def test_points_texts_lines_and_compounds():
    assert outline(regions.PointPixelRegion(CENTRE)).points.tolist() == [[40, 30]]
    assert outline(regions.TextPixelRegion(CENTRE, "here")).points.tolist() == [[40, 30]]
    line = outline(regions.LinePixelRegion(CENTRE, PixCoord(41, 31)))
    assert not line.closed.any()
    assert line.points[[0, -1]].tolist() == [[40, 30], [41, 31]]
    one, two = regions.CirclePixelRegion(CENTRE, 3), regions.CirclePixelRegion(CENTRE, 5)
    both = outline(regions.CompoundPixelRegion(one, two, operator.xor))
    assert len(both) == 2
    assert both.owners.tolist() == [0, 0]


@pytest.mark.parametrize("dec", [0.0, 60.0, 89.99, -90.0])
def test_a_circle_on_the_sky_is_one_on_the_sphere(dec):
    centre = SkyCoord(10, dec, unit="deg")
    found = outline(regions.CircleSkyRegion(centre, 3 * u.arcmin))
    radii = SkyCoord(*found.points.T, unit="deg").separation(centre).to_value("arcsec")
    np.testing.assert_allclose(radii, 180, rtol=1e-8)


@pytest.mark.parametrize("frame", ["icrs", "galactic", "fk5"])
def test_angles_on_the_sky_are_those_of_the_frame_of_the_centre(frame):
    centre = SkyCoord(40, 55, unit="deg", frame=frame)
    region = regions.EllipseSkyRegion(centre, 40 * u.arcsec, 10 * u.arcsec, angle=20 * u.deg)
    points = SkyCoord(*outline(region).points.T, unit="deg").transform_to(centre.frame)
    farthest = points[np.argmax(points.separation(centre))]
    # the width lies along the parallel for angle 0: position angle = angle - 90 degrees
    angle = centre.position_angle(farthest).to_value("deg")
    assert (angle - (20 - 90) + 90) % 180 == pytest.approx(90, abs=1e-4)


def test_ellipses_on_the_sky_lie_as_regions_puts_them():
    wcs = sip_wcs(strength=0, angle=40)
    region = regions.EllipseSkyRegion(SkyCoord(150, 2, unit="deg"), 6 * u.arcsec, 2 * u.arcsec, angle=20 * u.deg)
    theirs = region.to_pixel(wcs)
    points = place([region], [None], sky_of(wcs)).ring(0) - [theirs.center.x, theirs.center.y]
    turn = np.exp(-1j * theirs.angle.to_value("rad")) * (points[:, 0] + 1j * points[:, 1])
    distance = np.hypot(turn.real / theirs.width, turn.imag / theirs.height)
    np.testing.assert_allclose(distance, 0.5, atol=1e-4)


def test_sides_of_polygons_on_the_sky_are_great_circles():
    vertices = SkyCoord([0, 40, 20], [50, 50, 70], unit="deg")
    points = SkyCoord(*outline(regions.PolygonSkyRegion(vertices)).ring(0).T, unit="deg")
    a, b = (v.cartesian.xyz.value for v in vertices[:2])
    normal = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
    sides = len(points) // 3
    assert sides > 10
    np.testing.assert_allclose(normal @ points[:sides].cartesian.xyz.value, 0, atol=1e-12)


def test_regions_of_the_image_itself_stay_where_they_are():
    region = regions.EllipsePixelRegion(CENTRE, 20, 10, 30 * u.deg, visual=RegionVisual(color="red"))
    np.testing.assert_array_equal(place([region], [HERE], None).points, outline(region).points)


def test_sky_regions_lie_right_at_distorted_edges():
    sky = sky_of(sip_wcs())
    lon, lat = sky.pixel_to_sky(2000.0, 30.0)
    centre = SkyCoord(float(lon), float(lat), unit="deg")
    points = place([regions.CircleSkyRegion(centre, 3 * u.arcsec)], [None], sky).points
    back = SkyCoord(*sky.pixel_to_sky(*points.T), unit="deg")
    np.testing.assert_allclose(back.separation(centre).to_value("arcsec"), 3, atol=1e-6)


def test_thousands_are_placed_as_exactly_as_one():
    """The few exact points of small regions and the curve through them, against each point transformed."""
    sky = sky_of(sip_wcs())
    rng = np.random.default_rng(3)
    lon, lat = sky.pixel_to_sky(*rng.uniform(0, 2048, (2, 400)))
    places = SkyCoord(lon, lat, unit="deg")
    many = [regions.CircleSkyRegion(p, r * u.arcsec) for p, r in zip(places, rng.uniform(0.5, 7, 400), strict=True)]
    found = place(many, [None] * 400, sky, error=0.01)
    for i in (0, 57, 399):
        alone = place([many[i]], [None], sky, error=0.01)
        np.testing.assert_allclose(found.ring(i), alone.points, atol=1e-5)


def test_pixel_regions_of_one_image_lie_on_another():
    first, second = sky_of(sip_wcs()), sky_of(sip_wcs(angle=-60, scale=0.03, strength=0.3))
    region = regions.CirclePixelRegion(PixCoord(900, 1200), 40)
    points = place([region], [first], second).points
    home = np.stack(first.sky_to_pixel(*second.pixel_to_sky(*points.T)))
    np.testing.assert_allclose(np.hypot(home[0] - 900, home[1] - 1200), 40, atol=1e-6)


def test_what_is_not_on_the_sky_of_the_image_is_nan():
    opposite = regions.CircleSkyRegion(SkyCoord(330, -2, unit="deg"), 3 * u.arcsec)
    sky = sky_of(sip_wcs())
    assert np.isnan(place([opposite], [None], sky).points).all()
    assert np.isnan(place([opposite], [None], None).points).all()
    assert len(place([], [], sky)) == 0

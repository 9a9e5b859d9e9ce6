"""Weights of pixels against closed forms, against `regions`' own masks and against sampling."""

import numpy as np
import pytest
import regions
from astropy import units as u
from astropy.coordinates import SkyCoord
from regions import PixCoord

from jviz.backend.regions.converting import combined
from jviz.backend.regions.masks import Target, weights
from tests.backend.regions.skies import sip_wcs, sky_of

SHAPE = (60, 70)
TARGET = Target(SHAPE)
CENTRE = PixCoord(33.3, 28.7)
ANGLE = 33 * u.deg

SHAPES = [
    (regions.CirclePixelRegion(CENTRE, 10.3), np.pi * 10.3**2),
    (regions.CirclePixelRegion(CENTRE, 0.2), np.pi * 0.04),
    (regions.EllipsePixelRegion(CENTRE, 31, 11, ANGLE), np.pi * 31 * 11 / 4),
    (regions.RectanglePixelRegion(CENTRE, 31, 11, ANGLE), 31 * 11),
    (regions.RectanglePixelRegion(CENTRE, 31, 0.1), 3.1),
    (regions.CircleAnnulusPixelRegion(CENTRE, 5, 12), np.pi * (144 - 25)),
    (regions.EllipseAnnulusPixelRegion(CENTRE, 10, 30, 4, 20, ANGLE), np.pi * (600 - 40) / 4),
    (regions.RectangleAnnulusPixelRegion(CENTRE, 10, 30, 4, 20, ANGLE), 600 - 40),
    (regions.PolygonPixelRegion(PixCoord([10.1, 50.6, 30.1], [10.3, 12.3, 50.3])), 0.5 * (40.5 * 40 - 20 * 2)),
    (regions.RegularPolygonPixelRegion(CENTRE, 6, 10), 1.5 * np.sqrt(3) * 100),
]


@pytest.mark.parametrize(("region", "area"), SHAPES)
def test_the_weights_add_up_to_the_area(region, area):
    found = weights(region, TARGET)
    assert found.values.sum(dtype=float) == pytest.approx(area, rel=2e-6)
    assert found.values.min() >= 0
    assert found.values.max() <= 1
    assert found.values.shape == tuple(s.stop - s.start for s in found.slices)


@pytest.mark.parametrize(("region", "area"), SHAPES)
@pytest.mark.parametrize("mode", ["exact", "center"])
def test_each_pixel_is_that_of_the_masks_of_regions(region, area, mode):
    if "Annulus" in type(region).__name__:
        parts = region._compound_region
        inner, outer = (part.to_mask(mode=mode).to_image(SHAPE) for part in (parts.region1, parts.region2))
        theirs = outer - inner
    else:
        theirs = region.to_mask(mode=mode).to_image(SHAPE)
    np.testing.assert_allclose(weights(region, TARGET, mode=mode).full(SHAPE), theirs, atol=2e-6)


@pytest.mark.parametrize("seed", range(6))
def test_polygons_cut_by_the_edges_of_the_image(seed):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radius = rng.uniform(15, 60, 9)
    x, y = 35 + radius * np.cos(angle), 30 + radius * np.sin(angle)
    region = regions.PolygonPixelRegion(PixCoord(x, y))
    found = weights(region, TARGET).full(SHAPE)
    fine = (np.arange(20) + 0.5) / 20 - 0.5
    xs, ys = (np.add.outer(np.arange(n), fine).ravel() for n in SHAPE[::-1])
    inside = region.contains(PixCoord(*np.meshgrid(xs, ys)))
    sampled = inside.reshape(SHAPE[0], 20, SHAPE[1], 20).mean(axis=(1, 3))
    np.testing.assert_allclose(found, sampled, atol=0.06)
    assert found.sum() == pytest.approx(sampled.sum(), rel=2e-3)


def test_off_the_image_there_is_nothing():
    for region in (
        regions.CirclePixelRegion(PixCoord(-50, 20), 10),
        regions.RectanglePixelRegion(PixCoord(200, 20), 10, 10),
        regions.PointPixelRegion(PixCoord(-5, 3)),
        regions.CompoundPixelRegion(
            regions.CirclePixelRegion(PixCoord(-50, 20), 3), regions.CirclePixelRegion(PixCoord(-40, 20), 3), np.add
        ),
        regions.LinePixelRegion(PixCoord(-9, -4), PixCoord(-3, 4)),
        regions.CircleSkyRegion(SkyCoord(1, 2, unit="deg"), 1 * u.arcsec),
        np.zeros(SHAPE, bool),
    ):
        found = weights(region, TARGET)
        assert not found.values.size
        assert found.full(SHAPE).sum() == 0


def test_points_and_masks():
    found = weights(regions.PointPixelRegion(PixCoord(3.4, 8.6)), TARGET)
    assert found.slices == (slice(9, 10), slice(3, 4))
    mask = np.random.default_rng(1).random(SHAPE) > 0.9
    np.testing.assert_array_equal(weights(mask, TARGET).full(SHAPE), mask)


@pytest.mark.parametrize(
    ("combine", "law"),
    [
        (lambda a, b: a & b, np.logical_and),
        (lambda a, b: a | b, np.logical_or),
        (lambda a, b: a ^ b, np.logical_xor),
        (lambda a, b: (a | b) ^ b, lambda a, b: a & ~b),
    ],
)
def test_compounds_by_sampling(combine, law):
    a = regions.CirclePixelRegion(CENTRE, 12)
    b = regions.RectanglePixelRegion(PixCoord(40, 30), 20, 9, ANGLE)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    wanted = law(a.contains(PixCoord(x, y)), b.contains(PixCoord(x, y)))
    np.testing.assert_array_equal(weights(combine(a, b), TARGET, mode="center").full(SHAPE), wanted)
    fine = (np.arange(400) + 0.5) / 400 * 60 - 0.5 + 5
    grid = PixCoord(*np.meshgrid(fine, fine))
    area = law(a.contains(grid), b.contains(grid)).mean() * 3600
    assert weights(combine(a, b), TARGET).values.sum() == pytest.approx(area, rel=3e-3)


def test_sky_circles_on_distorted_edges_hold_their_solid_angle():
    sky = sky_of(sip_wcs())
    lon, lat = sky.pixel_to_sky(1980.0, 50.0)
    region = regions.CircleSkyRegion(SkyCoord(lon, lat, unit="deg"), 1.5 * u.arcsec)
    found = weights(region, Target((2048, 2048), sky))
    y, x = np.mgrid[found.slices]
    solid = (found.values * sky.pixel_area_arcsec2(x, y)).sum()
    assert solid == pytest.approx(np.pi * 1.5**2, rel=1e-4)
    inside = SkyCoord(*sky.pixel_to_sky(x, y), unit="deg").separation(region.center) < region.radius
    np.testing.assert_array_equal(weights(region, Target((2048, 2048), sky), mode="center").values, inside)


def test_pixel_regions_of_another_image():
    first, second = sky_of(sip_wcs()), sky_of(sip_wcs(angle=-60, scale=0.03, strength=0.3))
    region = regions.RectanglePixelRegion(PixCoord(1010, 1030), 30, 12, ANGLE)
    found = weights(region, Target((2048, 2048), second), home=first, mode="center")
    y, x = np.mgrid[found.slices]
    home = PixCoord(*first.sky_to_pixel(*second.pixel_to_sky(x, y)))
    differ = (found.values > 0) != region.contains(home)
    assert differ.sum() <= 2
    assert found.values.sum() == pytest.approx(360 * 4, rel=0.02)


def test_a_huge_region_is_bounded_by_the_image():
    found = weights(regions.CirclePixelRegion(PixCoord(30, 30), 1e6), TARGET)
    assert found.full(SHAPE).min() == pytest.approx(1)
    found = weights(regions.RectanglePixelRegion(PixCoord(30, 30), 1e6, 1e6, ANGLE), TARGET)
    assert found.full(SHAPE).min() == pytest.approx(1)


@pytest.mark.parametrize(
    "region",
    [
        regions.CirclePixelRegion(PixCoord(20.3, 21.4), 7.7),
        regions.EllipsePixelRegion(PixCoord(20.3, 21.4), 17, 9, 30 * u.deg),
        regions.CircleAnnulusPixelRegion(PixCoord(20.3, 21.4), 4.4, 9.1),
        regions.RectanglePixelRegion(PixCoord(20.3, 21.4), 17, 9, 30 * u.deg),
        regions.PolygonPixelRegion(PixCoord([3.2, 30.1, 18.7], [4.1, 7.3, 31.9])),
    ],
)
def test_pixels_are_counted_by_their_centres_as_regions_does(region):
    inside = region.to_mask(mode="center").to_image((50, 60)) > 0.5
    found = weights(region, Target((50, 60)))
    whole = np.zeros((50, 60), bool)
    whole[found.slices] = found.counted
    assert np.array_equal(whole, inside)


def test_a_region_without_a_centre_counts_what_it_touches():
    found = weights(regions.CirclePixelRegion(PixCoord(20.5, 21.5), 0.2), Target((50, 60)))
    assert found.counted.sum() == 4
    assert found.values.sum() == pytest.approx(np.pi * 0.04, rel=1e-4)


def test_lines_weigh_pixels_by_their_length_in_them():
    region = regions.LinePixelRegion(PixCoord(2, 3), PixCoord(12, 3))
    values = weights(region, Target((50, 60))).full((50, 60))
    expected = np.zeros((50, 60))
    expected[3, 2:13] = 1
    expected[3, [2, 12]] = 0.5
    np.testing.assert_allclose(values, expected)
    slanted = weights(regions.LinePixelRegion(PixCoord(2.3, 3.1), PixCoord(40.7, 33.9)), Target((50, 60)))
    assert slanted.values.sum() == pytest.approx(np.hypot(38.4, 30.8), rel=1e-6)
    cut = weights(regions.LinePixelRegion(PixCoord(-20, 10), PixCoord(9.5, 10)), Target((50, 60)))
    assert cut.values.sum() == pytest.approx(10)  # from the left edge of the image at -0.5


def test_a_path_is_no_polygon():
    corners = PixCoord([2.0, 12.0, 12.0], [3.0, 3.0, 9.0])
    path = regions.PolygonPixelRegion(corners, meta=regions.RegionMeta({"type": "path"}))
    assert weights(path, Target((50, 60))).values.sum() == pytest.approx(16)


def test_a_circle_cut_out_of_another_leaves_the_difference_of_their_exact_areas():
    whole, hole = (regions.CirclePixelRegion(PixCoord(x, y), r) for x, y, r in ((30.3, 31.2, 9.0), (31.1, 30.4, 3.7)))
    region = combined(whole, hole, "andnot")
    found = weights(region, Target((64, 64)))
    assert found.values.sum(dtype=float) == pytest.approx(np.pi * (81 - 3.7**2), rel=1e-6)
    assert weights(region, Target((64, 64)), mode="center").values.sum() == found.counted.sum()


@pytest.mark.parametrize("mode", ["and", "or", "xor", "andnot"])
def test_the_parts_of_combined_regions_add_up(mode):
    first = regions.CirclePixelRegion(PixCoord(30.3, 31.2), 9.0)
    second = regions.RectanglePixelRegion(PixCoord(36, 30), 14.5, 6.2)
    found = weights(combined(first, second, mode), Target((64, 64))).values.sum(dtype=float)
    both = weights(combined(first, second, "and"), Target((64, 64))).values.sum(dtype=float)
    a, b = np.pi * 81, 14.5 * 6.2
    area = {"and": both, "or": a + b - both, "xor": a + b - 2 * both, "andnot": a - both}[mode]
    # pixels with edges of both are counted on points: the few crossings of the outlines
    assert found == pytest.approx(area, abs=0.15)

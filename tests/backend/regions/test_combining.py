"""Outlines of combined regions: their length and the area that they enclose, by closed forms and by masks."""

import operator

import numpy as np
import pytest
from regions import CirclePixelRegion, CompoundPixelRegion, PixCoord, PolygonPixelRegion, RectanglePixelRegion

from jviz.backend.regions.combining import combine, members, with_member
from jviz.backend.regions.converting import combined
from jviz.backend.regions.masks import Target, weights
from jviz.backend.regions.placing import HERE, place

LEFT = RectanglePixelRegion(PixCoord(10, 10), 10, 8)
RIGHT = RectanglePixelRegion(PixCoord(14, 11), 10, 8)
AFAR = CirclePixelRegion(PixCoord(60, 10), 5)


def edge(region):
    found = combine(place([region], [HERE], None), [region])
    return [found.ring(k) for k in range(len(found))]


def length(rings):
    return sum(np.hypot(*np.diff(ring, axis=0).T).sum() for ring in rings)


# two rectangles of 10 × 8 that share 6 × 7
@pytest.mark.parametrize(
    ("mode", "expected"), [("and", 2 * (6 + 7)), ("or", 2 * (14 + 9)), ("xor", 72), ("andnot", 2 * (10 + 8))]
)
def test_the_length_of_the_outline(mode, expected):
    assert length(edge(combined(LEFT, RIGHT, mode))) == pytest.approx(expected)


def test_the_outline_closes_and_encloses_the_area():
    disc = CirclePixelRegion(PixCoord(18, 10), 5)
    region = combined(combined(LEFT, disc, "or"), CirclePixelRegion(PixCoord(10, 10), 2), "andnot")
    area, pieces = 0.0, edge(region)
    for ring in pieces:
        assert min(np.hypot(*(other[0] - ring[-1])) for other in pieces) < 1e-9
        x, y = ring.T
        area += 0.5 * (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() * (1 if np.ptp(x) > 5 else -1)
    y, x = np.mgrid[0:20:0.02, 0:30:0.02]
    inside = region.contains(PixCoord(x, y)).sum() * 0.02**2
    assert abs(area) == pytest.approx(inside, rel=2e-3)


def test_apart_they_are_both_and_their_overlap_has_no_outline():
    assert length(edge(combined(LEFT, AFAR, "or"))) == pytest.approx(36 + 2 * np.pi * 5, rel=1e-2)
    assert edge(combined(LEFT, AFAR, "and")) == []


def test_members_are_told_once_and_replaced_wherever_they_are():
    region = combined(LEFT, RIGHT, "andnot")
    assert members(region) == [LEFT, RIGHT]
    copied = CompoundPixelRegion(
        CompoundPixelRegion(LEFT.copy(), RIGHT.copy(), operator.or_), RIGHT.copy(), operator.xor
    )
    assert len(members(copied)) == 2
    new = with_member(copied, members(copied)[1], AFAR)
    assert members(new) == [LEFT, AFAR]
    assert length(edge(new)) == pytest.approx(36)


def test_polygons_of_different_numbers_of_vertices_are_members():
    triangle = PolygonPixelRegion(PixCoord([1.0, 9.0, 5.0], [1.0, 1.0, 8.0]))
    square = PolygonPixelRegion(PixCoord([4.0, 6.0, 6.0, 4.0], [2.0, 2.0, 4.0, 4.0]))
    whole = combined(triangle, square, "andnot")
    assert members(whole) == [triangle, square]
    assert weights(whole, Target((12, 12))).values.sum() == pytest.approx(28 - 4, rel=1e-6)

"""Outlines on the sky against points drawn at random in both."""

from __future__ import annotations

import numpy as np
import pytest

from jviz.backend.library.footprints import of_region
from jviz.backend.library.outlines import enclosing, overlapping, within
from jviz.errors import JvizError


def box(ra, dec, size, turn=0.0):
    """A square about a place, turned, its corners set off on the plane that touches the sky there."""
    corners = size * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2
    c, s = np.cos(turn), np.sin(turn)
    corners = corners @ np.array([[c, s], [-s, c]])
    lon = ra + corners[:, 0] / np.cos(np.radians(dec))
    pairs = zip(lon, dec + corners[:, 1], strict=True)
    return of_region("POLYGON ICRS " + " ".join(f"{x:.9f} {y:.9f}" for x, y in pairs))


@pytest.mark.parametrize(("ra", "dec"), [(150.0, 2.0), (0.0, -45.0), (359.99, 60.0)])
def test_overlaps_are_those_of_points_drawn_at_random(ra, dec):
    draw = np.random.default_rng(3)
    outline = box(ra, dec, 0.4, 0.3)
    places = zip(*draw.uniform(-0.5, 0.5, (2, 60)), draw.uniform(0.02, 0.5, 60), draw.uniform(0, 3, 60), strict=True)
    others = [box(ra + x / np.cos(np.radians(dec)), dec + y, size, turn) for x, y, size, turn in places]
    east, north = draw.uniform(-1, 1, (2, 40_000))
    lon, lat = ra + east / np.cos(np.radians(dec)), dec + north
    inside = within(outline, lon, lat)
    shared = np.array([(inside & within(other, lon, lat)).sum() for other in others])
    found = overlapping(others, outline)
    assert found[shared > 0].all()
    # Where no point of 40,000 lies in both the overlap is none, or as small as 4 points.
    assert (found & (shared == 0)).sum() <= 3
    assert 5 < found.sum() < 55


def test_one_within_the_other_overlaps_and_none_does_not():
    small, large, away = box(10, 80, 0.1), box(10, 80, 2.0), box(190, -80, 1.0)
    assert overlapping([small, large, None, away], large).tolist() == [True, True, False, False]
    assert overlapping([large], small).tolist() == [True]
    places = np.array([10.0, np.nan, 190.0]), np.array([80.0, 80.0, -80.0])
    assert within(large, *places).tolist() == [True, False, False]


def test_the_circle_holds_all_corners():
    outline = box(359.9, 30, 1.0)
    lon, lat, radius = enclosing(outline)
    assert (lon, lat) == pytest.approx((359.9, 30.0), abs=0.01)
    assert radius == pytest.approx(np.sqrt(0.5), rel=0.01)
    with pytest.raises(JvizError, match="at most 30°"):
        enclosing(box(10, 0, 90))

"""Sums in circles against areas and photutils, and their errors against many draws of noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photutils.aperture import CircularAperture, aperture_photometry

from jviz.backend.photometry.circles import Block, skies_in_rings, sums_in_circles


def reader(values, sigma=None, flags=None):
    def read(rows, columns):
        parts = (None if a is None else a[rows, columns] for a in (values, sigma, flags))
        return Block(*parts)

    return read


@settings(max_examples=60)
@given(st.floats(20, 30), st.floats(20, 30), st.floats(0.05, 18))
def test_the_sum_of_ones_is_the_area_of_the_circle(x, y, r):
    ones = np.ones((50, 50))
    found = sums_in_circles(reader(ones), ones.shape, np.array([x]), np.array([y]), np.array([r]))
    assert found.sum[0, 0] == pytest.approx(np.pi * r * r, rel=1e-11)
    assert found.area[0, 0] == found.used[0, 0] == pytest.approx(found.sum[0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_photutils_gives_the_same_also_across_the_edges_and_in_any_order(dtype):
    draw = np.random.default_rng(3)
    values = draw.normal(10, 3, (1500, 90)).astype(dtype)
    sigma = draw.uniform(0.5, 2, values.shape).astype(dtype)
    x, y = draw.uniform(-6, 95, 400), draw.uniform(-6, 1505, 400)
    radii = np.array([5.0, 0.4, 2.5, 11.3])
    found = sums_in_circles(reader(values, sigma), values.shape, x, y, radii, kind="error")
    wanted = aperture_photometry(values, [CircularAperture(np.c_[x, y], r) for r in radii], error=sigma)
    for k in range(len(radii)):
        there = np.isfinite(wanted[f"aperture_sum_{k}"])
        np.testing.assert_allclose(found.sum[there, k], wanted[f"aperture_sum_{k}"][there], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(
            np.sqrt(found.variance[there, k]), wanted[f"aperture_sum_err_{k}"][there], rtol=1e-6, atol=1e-6
        )
        assert (found.area[~there, k] == 0).all()


def test_nan_and_flags_are_left_out_and_counted():
    values, flags = np.ones((21, 21), np.float32), np.zeros((21, 21), np.uint32)
    values[10, 10], flags[10, 12], flags[10, 8], flags[0, 0] = np.nan, 1, 2, 1
    place = np.array([10.0])
    found = sums_in_circles(
        reader(values, flags=flags), values.shape, place, place, np.array([1.0, 4.0]), exclude=1, saturated=2
    )
    assert found.n_masked.tolist() == [[1, 2]]
    assert found.n_saturated.tolist() == [[0, 1]]
    assert found.used[0, 1] == pytest.approx(np.pi * 16 - 2)
    assert found.area[0, 1] == pytest.approx(np.pi * 16)


def test_variances_of_each_kind_agree():
    ones, place = np.ones((15, 15)), np.array([7.2])
    both = [
        sums_in_circles(reader(ones, sigma), ones.shape, place, place, np.array([3.0]), kind=kind).variance[0, 0]
        for kind, sigma in (("error", ones * 2), ("variance", ones * 4), ("inverse variance", ones / 4))
    ]
    assert both[0] == pytest.approx(both[1]) == pytest.approx(both[2])


@pytest.mark.parametrize("statistic", ["mean", "median", "mode"])
def test_the_error_of_the_sky_is_that_of_many_draws(statistic):
    draw = np.random.default_rng(8)
    values = draw.normal(5, 2, (1000, 1000)).astype(np.float32)
    x, y = (v.ravel() for v in np.meshgrid(np.arange(15, 985, 25.0), np.arange(15, 985, 25.0)))
    found = skies_in_rings(reader(values), values.shape, x, y, (6.0, 12.0), statistic=statistic, clip=0)
    pulls = (found.level - 5) / found.error
    assert abs(pulls.mean()) < 0.1
    assert pulls.std() == pytest.approx(1, abs=0.06)
    assert found.scatter.mean() == pytest.approx(2, rel=0.01)
    assert np.abs(found.n - np.pi * (144 - 36)).max() < 12


def test_clipping_forgets_the_stars_in_the_ring():
    draw = np.random.default_rng(9)
    values = draw.normal(5, 1, (64, 64))
    values[38:42, 30:36] += 500
    at = np.array([32.0])
    clipped = skies_in_rings(reader(values), values.shape, at, at, (5.0, 12.0), statistic="mean")
    plain = skies_in_rings(reader(values), values.shape, at, at, (5.0, 12.0), statistic="mean", clip=0)
    assert abs(clipped.level[0] - 5) < 4 * clipped.error[0]
    assert plain.level[0] > 20
    assert clipped.n[0] == pytest.approx(plain.n[0] - 24, abs=6)


def test_a_ring_beside_the_image_has_no_sky():
    values = np.ones((20, 20))
    found = skies_in_rings(reader(values), values.shape, np.array([200.0, np.nan]), np.array([9.0, 9.0]), (3.0, 6.0))
    assert np.isnan(found.level).all()
    assert found.n.tolist() == [0, 0]

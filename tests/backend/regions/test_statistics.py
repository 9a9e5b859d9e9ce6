"""Numbers of weighed pixels against numpy, astropy and closed forms."""

import numpy as np
import pytest
from astropy.stats import sigma_clipped_stats
from regions import CirclePixelRegion, PixCoord

from jviz.backend.regions.masks import Target, Weights, weights
from jviz.backend.regions.statistics import interpolated_areas, numbers_of


def whole(values):
    box = tuple(slice(0, n) for n in values.shape)
    return Weights(box, np.ones(values.shape, np.float32))


def test_whole_pixels_give_what_numpy_and_astropy_give():
    rng = np.random.default_rng(5)
    values = rng.normal(1e6, 3, (40, 50))
    values[rng.random(values.shape) < 0.03] += 500
    found = numbers_of(whole(values), values, errors=np.full(values.shape, 2.0))
    assert found.n_pixels == 2000
    assert found.sum == pytest.approx(values.sum())
    assert found.sum_err == pytest.approx(2 * np.sqrt(2000))
    for name in ("mean", "median", "std", "min", "max"):
        assert getattr(found, name) == pytest.approx(getattr(np, name)(values), rel=1e-12)
    mean, median, std = sigma_clipped_stats(values, sigma=3, maxiters=5)
    assert (found.clipped_mean, found.clipped_median) == pytest.approx((mean, median), rel=1e-12)
    assert found.clipped_std == pytest.approx(std, rel=1e-6)


def test_sums_of_ones_are_areas():
    region = CirclePixelRegion(PixCoord(30.2, 31.7), 12.5)
    box = weights(region, Target((64, 64)))
    found = numbers_of(box, np.ones(box.values.shape), areas=0.25)
    assert found.sum == pytest.approx(np.pi * 12.5**2, rel=1e-6)
    assert found.area == pytest.approx(np.pi * 12.5**2 / 4, rel=1e-6)
    assert found.flux == pytest.approx(found.area)
    assert (found.mean, found.std, found.median) == pytest.approx((1, 0, 1))


def test_a_gaussian_has_its_own_centre_and_axes():
    y, x = np.mgrid[:101, :121]
    angle = np.radians(30)
    u = (x - 61.3) * np.cos(angle) + (y - 48.8) * np.sin(angle)
    v = -(x - 61.3) * np.sin(angle) + (y - 48.8) * np.cos(angle)
    values = np.exp(-0.5 * ((u / 6) ** 2 + (v / 3) ** 2))
    found = numbers_of(whole(values), values)
    assert (found.centroid_x, found.centroid_y) == pytest.approx((61.3, 48.8), abs=1e-6)
    assert (found.semimajor, found.semiminor, found.orientation) == pytest.approx((6, 3, 30), rel=1e-5)


def test_excluded_pixels_are_counted_by_cause():
    values = np.arange(20.0).reshape(4, 5)
    values[0, 0] = np.nan
    flagged = np.zeros((4, 5), bool)
    flagged[0, :2] = True
    values[3, 3] = np.inf
    found = numbers_of(whole(values), values, flagged=flagged)
    assert (found.n_pixels, found.n_excluded, found.n_flagged, found.n_nan) == (17, 3, 2, 1)
    use = np.isfinite(values) & ~flagged
    assert found.sum == values[use].sum()
    nothing = numbers_of(whole(values), np.full((4, 5), np.nan))
    assert (nothing.n_pixels, nothing.n_nan) == (0, 20)
    assert np.isnan(nothing.sum)
    assert np.isnan(nothing.centroid_x)


def test_errors_follow_monte_carlo():
    region = CirclePixelRegion(PixCoord(8.2, 7.7), 4.3)
    box = weights(region, Target((16, 16)))
    rng = np.random.default_rng(8)
    errors = rng.uniform(1, 4, box.values.shape)
    sums = [numbers_of(box, rng.normal(0, errors)).sum for _ in range(4000)]
    assert numbers_of(box, errors, errors=errors).sum_err == pytest.approx(np.std(sums), rel=0.04)


def test_areas_between_nodes_are_linear():
    nodes = np.add.outer(np.arange(4) * 8.0, 2 * np.arange(5) * 8.0)
    found = interpolated_areas(nodes, 8, (slice(3, 20), slice(5, 30)))
    np.testing.assert_allclose(found, np.add.outer(np.arange(3, 20), 2 * np.arange(5, 30)))

"""Laws of light curves: sums, errors by Monte Carlo, trends, outliers, bins, scatter."""

import numpy as np
import pytest

from jviz.backend.timeseries.curves import binned, curve_of_stack, decorrelated, outliers, scatter_by_bin


def test_the_product_is_the_sum_of_each_integration():
    draw = np.random.default_rng(2)
    stack, weights = draw.normal(5, 1, (40, 9, 11)).astype(">f4"), draw.uniform(0, 1, (9, 11))
    sigma = draw.uniform(0.5, 2, stack.shape)
    curve = curve_of_stack(stack, weights, sigma=sigma)
    np.testing.assert_allclose(curve.flux, [(weights * image).sum() for image in stack], rtol=1e-6)
    np.testing.assert_allclose(curve.error, [np.sqrt((weights**2 * s**2).sum()) for s in sigma])
    assert (curve.replaced == 0).all()


@pytest.mark.parametrize("with_errors", [True, False])
def test_errors_hold_with_the_sky_taken_away(with_errors):
    draw = np.random.default_rng(3)
    y, x = np.mgrid[:31, :31] - 15.0
    star = 900 * np.exp(-0.5 * (x**2 + (y - 0.4) ** 2) / 2**2) / (2 * np.pi * 4)
    sky = draw.normal(20, 5, 3000)
    stack = star + sky[:, None, None] + draw.normal(0, 1.5, (3000, 31, 31))
    radius = np.hypot(x, y)
    curve = curve_of_stack(
        stack, (radius < 7).astype(float), ring=(radius > 9) & (radius < 14),
        sigma=np.full(stack.shape, 1.5) if with_errors else None,
    )  # fmt: skip
    true = star[radius < 7].sum()
    assert ((curve.flux - true) / curve.error).std() == pytest.approx(1, abs=0.06)
    assert curve.flux.mean() == pytest.approx(true, abs=4 * curve.error.mean() / np.sqrt(3000))
    assert np.abs(curve.background - sky).max() < 1
    assert (curve.x.mean(), curve.y.mean()) == pytest.approx((15, 15.4), abs=0.02)


def test_bad_pixels_take_the_median_of_their_time_and_dead_ones_count_nowhere():
    stack = np.full((20, 4, 4), 3.0)
    stack[5, 1, 1], stack[:, 2, 2] = np.nan, np.nan
    bad = np.zeros(stack.shape, bool)
    bad[7, 0, 0], stack[7, 0, 0] = True, 1e6
    curve = curve_of_stack(stack, np.ones((4, 4)), bad=bad)
    np.testing.assert_allclose(curve.flux, 45)
    assert curve.replaced.tolist() == [int(k in (5, 7)) for k in range(20)]


def test_a_linear_trend_with_position_and_time_is_found_and_taken_away():
    draw = np.random.default_rng(4)
    n = 800
    regressors = np.column_stack([np.cumsum(draw.normal(0, 0.01, n)), draw.normal(7, 0.1, n), 59000 + np.arange(n) / n])
    slopes = np.array([0.03, -0.02, 0.001])
    level = 1000 * (1 + (regressors - regressors.mean(axis=0)) @ slopes)
    flux = level + draw.normal(0, 0.3, n)
    flux[100] += 500
    trend, found, _ = decorrelated(flux, regressors, np.ones(n, bool))
    np.testing.assert_allclose(found, slopes, atol=4e-4)
    rest = np.delete(flux / trend, 100)
    assert rest.std() / rest.mean() == pytest.approx(0.3 / 1000, rel=0.1)
    with pytest.raises(ValueError, match="too few"):
        decorrelated(flux[:3], regressors[:3], np.ones(3, bool))


def test_outliers_are_told_from_a_transit():
    draw = np.random.default_rng(5)
    flux = 1 + draw.normal(0, 1e-4, 500)
    flux[200:300] -= 0.01
    flux[[50, 250]] += (0.002, -0.002)
    flux[400] = np.nan
    assert np.flatnonzero(outliers(flux, 6)).tolist() == [50, 250, 400]


def test_bins_are_means_of_what_is_used():
    used = np.ones(10, bool)
    used[[0, 4, 5, 6, 7]] = False
    made = binned({"v": np.arange(10.0), "e": np.full(10, 2.0)}, ("e",), 4, used)
    assert made["v"].tolist() == [2.0, 8.5]
    assert made["n"].tolist() == [3, 2]
    np.testing.assert_allclose(made["e"], [2 / np.sqrt(3), 2 / np.sqrt(2)])


def test_scatter_falls_as_the_root_for_white_noise_and_not_for_a_walk():
    draw = np.random.default_rng(6)
    size, rms, error, expected = scatter_by_bin(draw.normal(0, 1, 20_000))
    assert size[0] == 1
    assert size[-1] == 4000
    near = size < 400
    assert np.abs((rms - expected) / error)[near].max() < 4
    walk = scatter_by_bin(np.cumsum(draw.normal(0, 1, 20_000)))
    assert (walk[1] > 5 * walk[3])[(size > 100) & (size < 2000)].all()


def test_errors_of_slopes_hold():
    """Slopes of many curves with known noise scatter about the true ones as their errors say."""
    draw, n = np.random.default_rng(8), 200
    pulls = []
    for _ in range(400):
        regressors = np.column_stack([draw.normal(0, 0.2, n), np.linspace(59800, 59800.1, n)])
        centred = regressors - regressors.mean(axis=0)
        flux = 500 * (1 + centred @ [0.02, -0.3]) + draw.normal(0, 2.0, n)
        _, slopes, errors = decorrelated(flux, regressors, np.ones(n, bool))
        pulls.append((slopes - [0.02, -0.3]) / errors)
    np.testing.assert_allclose(np.std(pulls, axis=0), 1, atol=5 / np.sqrt(2 * 400))
    np.testing.assert_allclose(np.mean(pulls, axis=0), 0, atol=5 / np.sqrt(400))

"""Percentiles and histograms of all pixels, against numpy on the same values."""

import numpy as np
import pytest

from jviz.backend.io.product import Product
from jviz.backend.render import kernels, limits, numpy_kernels
from jviz.backend.render import raster as rasters
from jviz.backend.render.distribution import BINS, MOST_OUTSIDE, Distribution, Spread, Values
from jviz.backend.render.limits import limits as limits_of
from jviz.backend.render.raster import Raster
from jviz.data import from_product

from .planes import plane_of, plane_on_disk

PERCENTS = (0.0, 0.01, 0.5, 1.0, 25.0, 50.0, 99.0, 99.5, 99.9, 99.99, 100.0)
SPAN = (0.5, 99.5)


@pytest.fixture(params=["numpy", "numba"])
def active(request, monkeypatch):
    """Use each of the two sets of kernels."""
    if request.param == "numba":
        kernels.warm_up()
        from jviz.backend.render import numba_kernels as module
    else:
        module = numpy_kernels
    monkeypatch.setattr(kernels, "_active", module)


def sky(seed=1, shape=(1500, 1100)):
    """Noise, a background, stars with bright cores, hot pixels and NaN."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0.1, 0.02, shape)
    values[rng.random(shape) < 0.02] += rng.lognormal(0, 2.5, shape).flat[0]
    values += np.where(rng.random(shape) < 0.01, rng.pareto(1.0, shape), 0)
    values[3, 5] = 1e6
    values[rng.random(shape) < 0.05] = np.nan
    return values.astype(np.float32)


def spread_of(values, step=97, *, grid=None):
    spread = Spread(values.ravel()[::step], values.size, grid=grid)
    for part in np.array_split(values, 9):
        spread.add(np.ascontiguousarray(part))
    return spread


KINDS = {
    "sky": sky(),
    "far from zero": (1e5 + np.random.default_rng(2).normal(size=(700, 900))).astype(np.float32),
    "tiny": (sky(3) * 1e-19).astype(np.float32),
    "constant": np.full((300, 400), 7.25, np.float32),
    "two values": np.where(np.random.default_rng(4).random((400, 500)) < 0.3, -1, 5).astype(np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_percentiles_are_those_of_all_values(active, kind):
    values = KINDS[kind]
    finite = values[np.isfinite(values)].astype(float)
    found = spread_of(values).result()
    low, high = np.percentile(finite, SPAN)
    bin_of_a_screen = (high - low) / 256 or abs(low) * 1e-6
    for percent in PERCENTS:
        assert found.percentile(percent) == pytest.approx(np.percentile(finite, percent), abs=1e-3 * bin_of_a_screen)
    assert found.size == finite.size


@pytest.mark.parametrize("kind", KINDS)
def test_histograms_count_every_value_once(active, kind):
    values = KINDS[kind]
    finite = values[np.isfinite(values)]
    found = spread_of(values).result()
    low, high = np.percentile(finite, SPAN)
    margin = 0.1137 * (high - low) or 1.0
    edges = np.linspace(low - margin, high + 1.31 * margin, 193)
    expected = np.diff(np.searchsorted(np.sort(finite), edges))
    # A value may be on the other side of an edge by a millionth of the range.
    np.testing.assert_allclose(found.counts(edges), expected, atol=max(2e-4 * expected.max(), 1))
    everything = found.counts(np.array([finite.min() - 1, finite.max() + 1]))
    assert everything[0] == pytest.approx(finite.size)


def test_whole_numbers_are_exact(active):
    values = np.random.default_rng(5).poisson(200, (600, 800)).astype(np.float32)
    values[0, 0] = 65535
    found = spread_of(values, grid=(0.0, 1.0)).result()
    for percent in PERCENTS:
        assert found.percentile(percent) == np.percentile(values.astype(float), percent)
    edges = np.arange(150, 250) - 0.5
    np.testing.assert_array_equal(found.counts(edges), np.histogram(values, edges)[0])


def test_scaled_integers_are_exact(active):
    levels = np.random.default_rng(12).poisson(300, (500, 700))
    values = (np.float32(-3.7) + np.float32(0.013) * levels).astype(np.float32)
    found = spread_of(values, grid=(-3.7, 0.013)).result()
    for percent in PERCENTS:
        assert found.percentile(percent) == pytest.approx(
            np.percentile(values.astype(float), percent), abs=1e-5 * 0.013
        )


def test_a_sample_that_tells_nothing_makes_the_range_wider_not_the_result_wrong(active):
    rng = np.random.default_rng(6)
    values = rng.normal(0, 1000, (2100, 1100)).astype(np.float32)
    found = Spread(np.array([0.0, 1e-3]), values.size)
    for part in np.array_split(values, 8):
        found.add(np.ascontiguousarray(part))
    result = found.result()
    assert result.low.size + result.high.size <= MOST_OUTSIDE
    for percent in (1.0, 50.0, 99.0):
        assert result.percentile(percent) == pytest.approx(np.percentile(values, percent), abs=0.01)


def test_the_kernels_agree(monkeypatch):
    kernels.warm_up()
    from jviz.backend.render import numba_kernels

    values = sky(7)
    results = []
    for module in (numpy_kernels, numba_kernels):
        monkeypatch.setattr(kernels, "_active", module)
        results.append(spread_of(values).result())
    first, second = results
    np.testing.assert_array_equal(first._bins, second._bins)
    np.testing.assert_array_equal(first.low, second.low)
    np.testing.assert_array_equal(first.high, second.high)


def test_nothing_finite_has_no_distribution(active):
    assert spread_of(np.full((50, 60), np.nan, np.float32)).result() is None
    assert np.isnan(Values(np.array([np.nan])).percentile(50))


def test_packed_and_unpacked_it_is_the_same():
    found = spread_of(sky(8)).result()
    facts, content = found.packed()
    back = Distribution.unpacked(facts, content)
    assert [back.percentile(p) for p in PERCENTS] == [found.percentile(p) for p in PERCENTS]
    with pytest.raises(ValueError, match="missing"):
        Distribution.unpacked(facts, content[:-4])
    assert len(found._bins) == BINS


# --- of an image ----------------------------------------------------------------------------------


def test_a_small_image_has_limits_of_all_pixels_at_once():
    values = sky(9)
    raster = Raster(plane_of(values))
    finite = values[np.isfinite(values)]
    assert limits_of(raster, "percentile", low=0.5, high=99.5) == pytest.approx(tuple(np.percentile(finite, SPAN)))
    assert limits_of(raster, "minmax") == (finite.min(), finite.max())
    assert raster.spread().size == finite.size


def test_a_large_image_gets_them_with_its_pyramid_and_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setattr(rasters, "SMALL", 1000)
    values = sky(10)
    finite = values[np.isfinite(values)].astype(float)
    plane = plane_on_disk(tmp_path, values)
    raster = Raster(plane)
    assert not raster.counted
    assert raster.spread() is None
    rough = limits_of(raster, "percentile", low=0.5, high=99.5)
    raster.build()
    exact = np.percentile(finite, SPAN)
    width = (exact[1] - exact[0]) / 256
    found = limits_of(raster, "percentile", low=0.5, high=99.5)
    assert found == pytest.approx(tuple(exact), abs=1e-3 * width)
    assert found != rough
    again = Raster(plane)
    again.build(lambda *a: pytest.fail("it was not kept"))
    assert limits_of(again, "percentile", low=0.5, high=99.5) == found


def test_data_give_the_same_limits_with_and_without_a_pyramid(tmp_path, monkeypatch):
    monkeypatch.setattr(rasters, "SMALL", 1000)
    values = sky(11)
    plane = plane_on_disk(tmp_path, values)
    first, second = (from_product(Product("image", "sky", "", planes={"SCI": plane})) for _ in range(2))
    second.raster().build()
    assert first.limits("percentile") == second.limits("percentile")
    third = from_product(Product("image", "sky", "", planes={"SCI": plane}))
    assert third.limits("percentile", exact=False) == limits.limits(third.raster().sample(), "percentile", low=0.5)

"""Copies, spectra of regions and maps of cubes, worked out again with plain numpy and closed forms."""

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.cubes import extract, maps, store
from jviz.backend.cubes.continuum import line_of, peaks_of
from jviz.backend.cubes.source import CubeSource
from jviz.backend.io.product import Plane
from jviz.backend.io.registry import open_products
from jviz.backend.progress import Cancelled
from jviz.backend.spectra.axis import SpectralAxis
from jviz.cube_readers import InMemory
from jviz.errors import JvizError

SHAPE = (173, 23, 19)
AXIS = SpectralAxis(5 + 0.01 * np.arange(SHAPE[0]), "um", "wavelength")


@pytest.fixture
def values():
    cube = np.random.default_rng(4).normal(3, 1, SHAPE).astype(np.float32)
    cube[np.random.default_rng(5).random(SHAPE) < 0.05] = np.nan
    cube[:, 2, 3] = np.nan
    cube[7] = np.nan
    return cube


@pytest.fixture
def source(values, tmp_path):
    fits.PrimaryHDU(values).writeto(tmp_path / "cube.fits")
    return CubeSource(open_products(tmp_path / "cube.fits")[0].planes["PRIMARY"])


def disc(x, y, radius, shape=SHAPE[1:]) -> extract.Spaxels:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    weights = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1)
    return extract.Spaxels.of((0, 0), weights)


def test_the_copy_has_every_value(source, values):
    made = store.build(source, AXIS)
    np.testing.assert_array_equal(np.asarray(made.spectra), np.moveaxis(values, 0, -1))
    np.testing.assert_array_equal(store.stored(source).spectrum(5, 6), values[:, 5, 6])


def test_statistics_of_planes(source, values):
    found = store.build(source, AXIS).statistics
    np.testing.assert_array_equal(found.number, np.isfinite(values).sum(axis=(1, 2)))
    rest = np.arange(SHAPE[0]) != 7
    np.testing.assert_allclose(found.mean[rest], np.nanmean(values[rest].astype(float), axis=(1, 2)))
    np.testing.assert_array_equal(found.least[rest], np.nanmin(values[rest], axis=(1, 2)))
    assert np.isnan([found.mean[7], found.least[7], found.greatest[7]]).all()


def test_a_cancelled_copy_leaves_nothing(source, own_folders):
    def stop(done, total=1.0, text=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        store.build(source, AXIS, stop)
    assert store.stored(source) is None
    assert not [p for p in own_folders.rglob("*") if p.is_file()]


def test_an_edited_file_has_no_copy(source, values, tmp_path):
    store.build(source, AXIS)
    fits.PrimaryHDU(values + 1).writeto(tmp_path / "cube.fits", overwrite=True)
    other = CubeSource(open_products(tmp_path / "cube.fits")[0].planes["PRIMARY"])
    assert store.stored(other) is None


@pytest.mark.parametrize("spectral", [0, 1, 2])
def test_any_axis_may_be_the_spectral_one(spectral):
    cube = np.arange(60.0, dtype=">f8").reshape(3, 4, 5)
    source = CubeSource(Plane("A", cube.shape, np.dtype(float), lambda progress: cube), spectral)
    wanted = np.moveaxis(cube, spectral, 0)
    assert source.shape == wanted.shape
    np.testing.assert_array_equal(source.read(slice(1, 3), slice(1, 3)), wanted[1:3, 1:3])


def test_flagged_values_are_missing():
    cube, flags = np.ones((2, 3, 4), ">f4"), np.zeros((2, 3, 4), ">u4")
    flags[0, 1, 2], flags[1, 0, 0] = 1, 4
    plane = Plane("SCI", cube.shape, np.dtype("f4"), lambda progress: cube)
    bits = Plane("DQ", cube.shape, np.dtype("u4"), lambda progress: flags, "flags")
    read = CubeSource(plane, flags=bits, exclude=1).read(slice(None))
    assert np.argwhere(np.isnan(read)).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("statistic", ["sum", "mean"])
def test_weighted_spectra_are_matrix_products(source, values, statistic):
    spaxels = disc(9.3, 11.2, 4.4)
    weights = np.zeros(SHAPE[1:])
    weights[spaxels.rows, spaxels.columns] = spaxels.weights
    spread = np.full(SHAPE, 0.25)
    found = extract.extract(source, spaxels, statistic, variance=lambda *part: spread[part])
    good = np.isfinite(values)
    total = np.where(good, values, 0).reshape(SHAPE[0], -1).astype(float) @ weights.ravel()
    share = good.reshape(SHAPE[0], -1) @ weights.ravel()
    error = np.sqrt(0.25 * (good.reshape(SHAPE[0], -1) @ weights.ravel() ** 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = (total, error) if statistic == "sum" else (total / share, error / share)
    rest = share > 0
    np.testing.assert_allclose(found.values[rest], wanted[0][rest], rtol=1e-12)
    np.testing.assert_allclose(found.error[rest], wanted[1][rest], rtol=1e-12)
    assert np.isnan(found.values[~rest]).all()


@pytest.mark.parametrize(("statistic", "wanted"), [("median", np.nanmedian), ("min", np.nanmin), ("max", np.nanmax)])
def test_other_statistics_are_over_the_spaxels_inside(source, values, statistic, wanted):
    spaxels = disc(9, 11, 3)
    inside = spaxels.weights >= 0.5
    found = extract.extract(source, spaxels, statistic)
    rest = np.arange(SHAPE[0]) != 7
    part = values[:, spaxels.rows[inside], spaxels.columns[inside]].astype(float)
    np.testing.assert_allclose(found.values[rest], wanted(part[rest], axis=1))


def test_errors_of_sum_and_median_by_monte_carlo():
    rng = np.random.default_rng(11)
    sigma = rng.uniform(0.5, 2.0, (1, 15, 15))
    # each "channel" is another draw of the same noise
    draws = (rng.normal(0, 1, (4000, 15, 15)) * sigma).astype(np.float64)
    source = CubeSource(Plane("A", draws.shape, np.dtype(float), lambda progress: draws))
    spread = np.broadcast_to(sigma**2, draws.shape)
    spaxels = disc(7, 7, 5, (15, 15))
    found = extract.extract(source, spaxels, "sum", variance=lambda *part: spread[part])
    assert np.isclose(found.values.std(), found.error[0], rtol=0.05)


def test_a_moving_region_gives_the_sums_of_the_file(source):
    live = extract.LiveSum(store.build(source, AXIS))
    for x in np.linspace(2, 16, 25):
        live.move_to(disc(x, 10, 4))
    wanted = extract.extract(source, disc(16, 10, 4))
    np.testing.assert_allclose(live.spectrum("sum"), wanted.values, rtol=1e-9)
    np.testing.assert_allclose(live.spectrum("mean"), wanted.values / wanted.coverage, rtol=1e-9)


def test_a_move_that_is_given_up_is_gone_on_from(source):
    live = extract.LiveSum(store.build(source, AXIS))
    parts = iter(range(3))

    def stop_soon(*_):
        if next(parts, None) is None:
            raise Cancelled

    with pytest.raises(Cancelled):
        live.move_to(disc(6, 10, 4), stop_soon, 5 * SHAPE[0])
    left = live.changes(disc(6, 10, 4))
    assert 0 < left < len(disc(6, 10, 4))
    for x in (6.5, 9):
        live.move_to(disc(x, 10, 4))
        wanted = extract.extract(source, disc(x, 10, 4))
        np.testing.assert_allclose(live.spectrum("sum"), wanted.values, rtol=1e-9)


def test_a_sum_says_when_only_rounding_is_left_of_it():
    values = np.ones((SHAPE[0], 20, 20), np.float32)
    values[3, 2, 2] = 1e30
    values[4, 4, 4] = np.inf
    source = CubeSource(Plane("A", values.shape, values.dtype, lambda progress: values))
    live = extract.LiveSum(InMemory.of(source, lambda: None))
    live.move_to(disc(3, 3, 3, (20, 20)))
    assert not live.worn
    live.move_to(disc(3.5, 3, 3, (20, 20)))
    assert not live.worn
    live.move_to(disc(12, 12, 3, (20, 20)))  # all other spaxels: begun anew
    assert not live.worn
    live.move_to(disc(3, 3, 3, (20, 20)))
    for x in np.arange(4, 12, 0.5):
        live.move_to(disc(x, 3, 3, (20, 20)))
    assert live.worn
    live.clear()
    live.move_to(disc(12, 3, 3, (20, 20)))
    assert not live.worn
    np.testing.assert_allclose(live.spectrum(), extract.extract(source, disc(12, 3, 3, (20, 20))).values, rtol=1e-12)


def test_what_lies_before_a_moving_region_is_read_ahead(source, monkeypatch):
    from jviz.cube_readers import Area

    kept, asked = store.build(source, AXIS), []
    area = Area(disc(5, 10, 3))
    area.added_up(kept)
    monkeypatch.setattr(extract.LiveSum, "_ask_for", lambda self, rows, columns: asked.append((rows, columns)))
    area.look_ahead(kept)
    assert not asked  # it rests
    area.move(disc(5.5, 10, 3))
    area.added_up(kept)
    area.look_ahead(kept)
    columns, rows = (np.concatenate([part[n] for part in asked]) for n in (1, 0))
    assert columns.min() > 5
    assert columns.max() < SHAPE[2]
    assert (rows.min(), rows.max()) == (7, 13)


def test_a_cone_takes_other_spaxels_in_each_channel():
    cube = np.ones((5, 21, 21))
    source = CubeSource(Plane("A", cube.shape, np.dtype(float), lambda progress: cube))
    cone = [disc(10, 10, 2 + k, (21, 21)) for k in range(5)]
    found = extract.extract(source, lambda channel: cone[channel])
    np.testing.assert_allclose(found.values, [part.weights.sum() for part in cone])


def test_a_region_beside_the_cube_is_said(source):
    with pytest.raises(JvizError, match="covers no spaxel"):
        extract.extract(source, disc(100, 100, 3, (120, 120)))


# --- maps ------------------------------------------------------------------------------------------


def test_moments_of_a_gaussian_line(tmp_path):
    x = AXIS.values
    centre, sigma, flux = 5.9, 0.05, 7.0
    line = flux / (sigma * np.sqrt(2 * np.pi)) * np.exp(-((x - centre) ** 2) / (2 * sigma**2))
    cube = np.broadcast_to(line[:, None, None], (len(x), 3, 4)).copy()
    source = CubeSource(Plane("A", cube.shape, np.dtype(float), lambda progress: cube))
    sums = maps.moment_sums(source, AXIS, AXIS.shares(5.3, 6.5))
    np.testing.assert_allclose(maps.moment(sums, 0), flux, rtol=1e-9)
    np.testing.assert_allclose(maps.moment(sums, 1), centre, rtol=1e-12)
    np.testing.assert_allclose(maps.moment(sums, 2), sigma**2, rtol=1e-9)


@pytest.mark.parametrize("ends_from_file", [False, True])
@pytest.mark.parametrize("span", [(5.0, 6.7), (5.123, 6.456), (5.4, 5.41), (5.502, 5.998)])
def test_block_sums_give_the_moments_of_the_file(source, span, ends_from_file):
    shares = AXIS.shares(*span)
    kept, ends = store.build(source, AXIS), source if ends_from_file else None
    fast = maps.sums_from_store(kept, AXIS, shares, ends)
    totals = maps.sums_from_store(kept, AXIS, shares, ends, totals_only=True)
    assert (totals.s0 == fast.s0).all()
    assert (totals.number == fast.number).all()
    exact = maps.moment_sums(source, AXIS, shares)
    np.testing.assert_array_equal(fast.number, exact.number)
    for order in (0, 1):
        np.testing.assert_allclose(maps.moment(fast, order), maps.moment(exact, order), rtol=2e-6)
    np.testing.assert_allclose(maps.moment(fast, 2), maps.moment(exact, 2), rtol=1e-4, atol=1e-12)


def test_sums_of_a_range_that_moves_are_those_of_the_range(source):
    before = AXIS.shares(5.2, 5.9)
    sums = maps.moment_sums(source, AXIS, before)
    for low, high in ((5.203, 5.911), (5.16, 5.87), (5.19, 5.94)):
        after = AXIS.shares(low, high)
        sums, before = maps.sums_moved(sums, AXIS, before, after, source), after
        exact = maps.moment_sums(source, AXIS, after)
        np.testing.assert_array_equal(sums.number, exact.number)
        assert np.isclose(sums.zero, exact.zero)
        for order in (0, 1, 2):
            np.testing.assert_allclose(maps.moment(sums, order), maps.moment(exact, order), rtol=1e-8, atol=1e-12)
    assert maps.sums_moved(sums, AXIS, before, AXIS.shares(6.2, 6.6), source) is None


def source_of(values):
    return CubeSource(Plane("A", values.shape, values.dtype, lambda progress: values))


def test_a_straight_continuum_leaves_nothing_also_where_channels_are_missing():
    x = AXIS.values
    cube = np.broadcast_to((2 + 0.3 * x)[:, None, None], (len(x), 2, 2)).copy()
    cube[60:70, 0, 1] = np.nan
    shares = AXIS.shares(5.2, 6.1)
    line = line_of(source_of(cube), x - maps.middle_of(AXIS, shares), shares == 0)
    left = maps.moment_sums(source_of(cube), AXIS, shares, continuum=line)
    assert max(abs(part).max() for part in (left.s0, left.s1, left.s2)) < 1e-11


@pytest.mark.parametrize("order", [0, 1, 2])
def test_errors_of_moments_have_that_of_the_continuum_by_monte_carlo(order):
    rng = np.random.default_rng(8)
    x, sigma = AXIS.values, 0.5
    line = 40 * np.exp(-((x - 5.8) ** 2) / (2 * 0.06**2)) + 3 - x
    draws = line[:, None, None] + rng.normal(0, sigma, (len(x), 60, 60))
    draws[90:93] = np.nan
    source, shares = source_of(draws), AXIS.shares(5.6, 6.0)
    beside = (shares == 0) & (x > 5.35) & (x < 6.1)

    def variance(k, i, j):
        return np.full(draws[k, i, j].shape, sigma**2)

    found = line_of(source, x - maps.middle_of(AXIS, shares), beside, variance=variance)
    assert np.isclose(found.level.std(), np.sqrt(found.spread[0]).mean(), rtol=0.05)
    assert np.isclose(found.slope.std(), np.sqrt(found.spread[2]).mean(), rtol=0.05)
    both = np.cov(found.level.ravel(), found.slope.ravel())[0, 1]
    assert np.isclose(both, found.spread[1].mean(), rtol=0.1)
    sums = maps.moment_sums(source, AXIS, shares, continuum=found)
    error = maps.moment_errors(source, sums, order, AXIS, shares, variance, continuum=found)
    without = maps.moment_errors(source, sums, order, AXIS, shares, variance)
    assert np.isclose(maps.moment(sums, order).std(), error.mean(), rtol=0.06)
    assert (error >= without).all()


def test_errors_of_peaks_by_monte_carlo():
    rng = np.random.default_rng(4)
    x, sigma = np.arange(21.0), 0.3
    draws = (50 * np.exp(-((x - 10.2) ** 2) / (2 * 1.5**2)))[:, None, None] + rng.normal(0, sigma, (21, 70, 70))
    found = peaks_of(source_of(draws), np.ones(21, bool),
                     variance=lambda k, i, j: np.full(draws[k, i, j].shape, sigma**2))  # fmt: skip
    assert np.isclose(found.channel.std(), found.channel_error.mean(), rtol=0.05)
    assert np.isclose(found.value.std(), found.value_error.mean(), rtol=0.05)
    assert (peaks_of(source_of(draws), x <= 10).channel[0, 0]) > 9
    rising = draws[:10]
    edge = peaks_of(source_of(rising), np.ones(10, bool), variance=lambda k, i, j: np.ones(rising[k, i, j].shape))
    np.testing.assert_allclose(edge.channel_error, 1 / np.sqrt(12))


@pytest.mark.parametrize("percentile", [0, 16, 50, 90, 100])
def test_percentiles_are_numpys_and_their_errors_the_scatter(percentile):
    rng = np.random.default_rng(6)
    draws = rng.normal(5, 2, (101, 40, 50))
    found = maps.collapse(source_of(draws), np.ones(101), "percentile", percentile=percentile,
                          variance=lambda k, i, j: np.full(draws[k, i, j].shape, 4.0))  # fmt: skip
    np.testing.assert_allclose(found.values, np.percentile(draws, percentile, axis=0))
    if 0 < percentile < 100:
        assert np.isclose(found.values.std(), found.error.mean(), rtol=0.08)
    draws[rng.random(draws.shape) < 0.3] = np.nan
    found = maps.collapse(source_of(draws), np.ones(101), "percentile", percentile=percentile)
    np.testing.assert_allclose(found.values, np.nanpercentile(draws, percentile, axis=0))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_errors_of_moments_by_monte_carlo(order):
    rng = np.random.default_rng(3)
    x = AXIS.values
    line = 40 * np.exp(-((x - 5.8) ** 2) / (2 * 0.06**2))
    sigma = 0.5
    draws = line[:, None, None] + rng.normal(0, sigma, (len(x), 60, 60))
    source = CubeSource(Plane("A", draws.shape, np.dtype(float), lambda progress: draws))
    shares = AXIS.shares(5.6, 6.0)
    sums = maps.moment_sums(source, AXIS, shares)

    def variance(k, i, j):
        return np.full(draws[k, i, j].shape, sigma**2)

    error = maps.moment_errors(source, sums, order, AXIS, shares, variance)
    assert np.isclose(maps.moment(sums, order).std(), error.mean(), rtol=0.06)


@pytest.mark.parametrize("statistic", ["sum", "mean", "median", "min", "max"])
def test_collapsed_cubes_are_numpys(source, values, statistic):
    shares = np.zeros(SHAPE[0])
    shares[20:90] = 1
    found = maps.collapse(source, shares, statistic)
    part = values[20:90].astype(float)
    keep = np.isfinite(part).any(axis=0)
    wanted = getattr(np, f"nan{statistic}")(part[:, keep], axis=0)
    np.testing.assert_allclose(found.values[keep], wanted, rtol=1e-12)
    assert np.isnan(found.values[~keep]).all()


def test_an_empty_spectral_region_is_said(source):
    with pytest.raises(JvizError, match="No channel"):
        maps.collapse(source, AXIS.shares(1.0, 2.0))


@pytest.mark.parametrize("channels", [slice(None), slice(3, 160), slice(1, 170, 7), slice(5, 6), slice(9, 9)])
def test_many_channels_are_read_a_part_at_a_time_with_the_same_values(source, values, monkeypatch, channels):
    from jviz.backend.cubes import source as module

    monkeypatch.setattr(module, "MANY", 10)
    monkeypatch.setattr(module, "LARGE", 100)
    found = source.read(channels, slice(2, 9), slice(None, None, 2), dtype=np.dtype(np.float64))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values[channels, 2:9, ::2])

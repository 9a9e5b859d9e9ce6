"""Rasters: where each sample lies, that it is the mean of its pixels, and that nothing is left behind."""

import gc
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jviz.backend import cache
from jviz.backend.progress import Cancelled
from jviz.backend.render import pyramid
from jviz.backend.render import raster as module
from jviz.backend.render.blocks import STORE, BlockRequest, BlockStore, block_of
from jviz.backend.render.pyramid import level_shape, top_level
from jviz.backend.render.raster import Raster
from jviz.backend.render.source import Source
from jviz.errors import JvizError
from tests.backend.render.planes import coordinates, plane_of, plane_on_disk

rng = np.random.default_rng(7)


def noisy(rows: int, columns: int) -> np.ndarray:
    """Return noise on a slope of which a third is NaN, some cells wholly."""
    data = rng.normal(5, 2, (rows, columns)).astype(np.float32)
    data[rng.random(data.shape) < 0.3] = np.nan
    data[: rows // 5, : columns // 4] = np.nan
    return data


def block_means(data: np.ndarray, step: int) -> np.ndarray:
    """Work out the mean of the finite pixels of each cell, from running sums."""
    finite = np.isfinite(data)
    rows, columns = (np.arange(0, size, step) for size in data.shape)

    def summed(values):
        return np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)

    with np.errstate(invalid="ignore"):
        return summed(np.where(finite, data, 0.0).astype(float)) / summed(finite.astype(int))


def whole(raster: Raster, level: int) -> BlockRequest:
    """Ask for all of a level."""
    rows, columns = level_shape(raster.shape, level)
    return BlockRequest(level, 0, 0, columns, rows)


@pytest.fixture(params=[1, pyramid.STRIP_PIXELS], ids=["thin strips", "thick strips"])
def big(monkeypatch, request):
    """Treat every image as one that needs a pyramid, made in strips of few rows or of many."""
    monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(pyramid, "STRIP_PIXELS", request.param)


@pytest.mark.parametrize("shape", [(700, 900), (1, 1), (3, 70_001), (3000, 2), (257, 1023)])
@pytest.mark.parametrize("built", [False, True])
def test_each_sample_is_the_mean_of_its_pixels_at_every_level(shape, built, big, tmp_path):
    data = noisy(*shape)
    raster = Raster(plane_on_disk(tmp_path, data))
    if built:
        raster.build()
    for level in range(top_level(shape) + 1 if built else min(2, top_level(shape)) + 1):
        block = raster.fetch(whole(raster, level))
        assert block.exact
        np.testing.assert_allclose(block.data, block_means(data, 2**level), rtol=1e-6)


@pytest.mark.parametrize("level", range(5))
@pytest.mark.parametrize("built", [False, True])
def test_samples_lie_where_the_block_says(level, built, big):
    raster = Raster(plane_of(coordinates(800, 2560)))
    if built:
        raster.build()
    request = BlockRequest(level, 8, 4, 16, 12)
    block = raster.fetch(request)
    rows, columns = block.data.shape
    inner = np.s_[: rows - 1, : columns - 1]
    x = block.x0 + block.step * np.arange(columns)
    y = block.y0 + block.step * np.arange(rows)
    np.testing.assert_allclose(block.data[inner], (x[None, :] + 10000 * y[:, None])[inner], rtol=1e-6)
    assert block.covers(request.bounds(raster.shape))


def test_the_first_look_lies_where_it_says(big):
    raster = Raster(plane_of(coordinates(900, 1300)))
    block = raster.first(100)
    assert max(block.data.shape) <= 100
    assert block.extent == raster.bounds
    x = block.x0 + block.step * np.arange(block.data.shape[1])
    y = block.y0 + block.step * np.arange(block.data.shape[0])
    inside_x, inside_y = x <= 1299, y <= 899
    expected = (x[None, :] + 10000 * y[:, None])[np.ix_(inside_y, inside_x)]
    np.testing.assert_array_equal(block.data[np.ix_(inside_y, inside_x)], expected)


def test_a_pyramid_is_found_again_until_the_file_changes(big, tmp_path):
    data = noisy(300, 400)
    plane = plane_on_disk(tmp_path, data)
    first = Raster(plane).build()
    asked = []
    assert Raster(plane).build(lambda *a: asked.append(a)) == first
    assert not asked  # no pixel was read again
    changed = plane_on_disk(tmp_path, np.concatenate([data, data + 1]))
    assert Raster(changed).build().maximum == np.nanmax(data + 1)


def test_a_damaged_pyramid_is_made_again(big, tmp_path):
    plane = plane_on_disk(tmp_path, noisy(300, 400))
    first = Raster(plane).build()
    [path] = cache.folder(cache.ENTRIES).iterdir()
    for damage in (b"", b"nonsense", path.read_bytes()[:-4]):
        path.write_bytes(damage)
        assert Raster(plane).build() == first


def test_a_pyramid_that_the_cache_removed_is_done_without(big, tmp_path):
    raster = Raster(plane_on_disk(tmp_path, coordinates(900, 1300)))
    raster.build()
    cache.clear()
    assert raster.fetch(whole(raster, 3)).data.shape
    assert not raster.sharp
    raster.build()
    assert raster.fetch(whole(raster, 3)).exact


def test_statistics_are_those_of_all_pixels(big, tmp_path):
    data = noisy(500, 611)
    data[3, 4], data[400, 600] = np.inf, 1234.5
    found = Raster(plane_on_disk(tmp_path, data)).build()
    finite = data[np.isfinite(data)].astype(float)
    assert (found.minimum, found.maximum) == (finite.min(), finite.max())
    assert found.mean == pytest.approx(finite.mean(), rel=1e-12)
    assert (found.finite, found.missing) == (finite.size, data.size - finite.size)


def test_an_image_without_a_finite_pixel(big):
    raster = Raster(plane_of(np.full((50, 60), np.nan, np.float32)))
    found = raster.build()
    assert (found.finite, found.missing) == (0, 3000)
    assert math.isnan(found.minimum)
    assert np.isnan(raster.fetch(whole(raster, 0)).data).all()


@pytest.mark.parametrize("dtype", [">i2", "<u1", ">i4", ">f8", "<f4", "?", ">u2"])
def test_all_kinds_of_numbers_become_native_float32(dtype):
    data = rng.integers(0, 2, (40, 30)).astype(dtype)
    block = Raster(plane_of(data)).first()
    assert block.data.dtype == np.dtype("=f4")
    assert block.data.flags.c_contiguous
    np.testing.assert_array_equal(block.data, data.astype(float))


def test_scaled_integers_with_blanks():
    raw = np.array([[0, 1], [-7, 3]], ">i2")
    plane = plane_of(raw, dtype=np.float32, scale=0.5, zero=10.0, blank=-7)
    raster = Raster(plane)
    np.testing.assert_array_equal(raster.first().data, [[10, 10.5], [np.nan, 11.5]])
    assert raster.value(1.4, 0.6) == 11.5
    assert math.isnan(raster.value(0, 1))


def test_values_are_exact_and_end_at_the_edges():
    raster = Raster(plane_of(np.array([[2**31 - 1, 5]], ">i4")))
    assert raster.value(-0.5, 0.0) == 2**31 - 1
    assert raster.value(1.49, 0.49) == 5
    assert raster.value(1.5, 0.0) is None
    assert raster.value(0.0, -0.51) is None


def test_values_wait_for_no_decompression():
    plane = plane_of(np.ones((4, 4), np.float32), immediate=False)
    raster = Raster(plane)
    assert raster.value(1, 1) is None
    raster.first()
    assert raster.value(1, 1) == 1.0


@pytest.mark.parametrize("built", [False, True])
def test_flags_are_or_ed_at_every_level(built, big, tmp_path):
    flags = (1 << rng.integers(0, 32, (300, 421))).astype(np.uint32) * (rng.random((300, 421)) < 0.01)
    raster = Raster(plane_on_disk(tmp_path, flags.astype(np.uint32)), reduce="or")
    if built:
        assert raster.build().maximum == flags.max()
    for level in range(1, top_level(flags.shape) + 1):
        block, step = raster.fetch(whole(raster, level)), 2**level
        assert block.data.dtype == np.uint32
        for i, j in rng.integers(0, 300 // step, (20, 2)):
            cell = flags[i * step : (i + 1) * step, j * step : (j + 1) * step]
            assert block.data[i, j] == np.bitwise_or.reduce(cell, axis=None)


def test_labels_are_never_averaged(big):
    labels = rng.integers(0, 9, (300, 421)).astype(np.int32) * 7
    raster = Raster(plane_of(labels), reduce="nearest")
    block = raster.fetch(BlockRequest(3, 2, 3, 20, 10))
    for i, j in ((0, 0), (9, 19), (4, 7)):
        x, y = block.x0 + block.step * j, block.y0 + block.step * i
        cell = labels[int(y - 3.5) : int(y + 4.5), int(x - 3.5) : int(x + 4.5)]
        assert block.data[i, j] in cell
        assert block.data[i, j] % 7 == 0
    assert raster.sharp


def test_a_slice_of_a_cube_is_that_slice():
    cube = rng.normal(size=(2, 5, 30, 20)).astype(">f4")
    raster = Raster(plane_of(cube), (1, -2))
    np.testing.assert_array_equal(raster.first().data, cube[1, 3])
    assert raster.value(19, 29) == float(cube[1, 3, 29, 19])


@pytest.mark.parametrize("index", [(), (1, 2, 3), (7,)])
def test_a_wrong_slice_is_refused(index):
    with pytest.raises((JvizError, IndexError)):
        Raster(plane_of(np.zeros((3, 4, 5))), index)


def test_complex_numbers_are_refused():
    with pytest.raises(JvizError, match="numbers"):
        Raster(plane_of(np.zeros((3, 4), complex)))


def cancel_after(calls: int):
    """Make a progress that raises `Cancelled` at the n-th call."""
    left = iter(range(calls))

    def progress(done, total=1.0, text=""):
        if next(left, None) is None:
            raise Cancelled

    return progress


@pytest.mark.parametrize("calls", [0, 3])
def test_a_cancelled_build_leaves_no_file(calls, big, tmp_path, own_folders, monkeypatch):
    monkeypatch.setattr(pyramid, "STRIP_PIXELS", 1)  # strips enough to be stopped between
    raster = Raster(plane_on_disk(tmp_path, noisy(900, 300)))
    with pytest.raises(Cancelled):
        raster.build(cancel_after(calls))
    assert [path for path in own_folders.rglob("*") if path.is_file()] == []
    assert raster.statistics is None
    assert not raster.sharp


def test_a_cancelled_fetch_keeps_nothing(big):
    raster = Raster(plane_of(noisy(900, 300)))
    with pytest.raises(Cancelled):
        raster.fetch(whole(raster, 1), cancel_after(0))
    assert raster.block(raster.bounds, 2.0) is None


def test_a_full_disk_keeps_the_pyramid_in_memory(big, tmp_path, monkeypatch):
    data = noisy(300, 400)
    raster = Raster(plane_on_disk(tmp_path, data))

    def full(path: Path, *args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jviz.backend.render.pyramid._write", full)
    raster.build()
    np.testing.assert_allclose(raster.fetch(whole(raster, 1)).data, block_means(data, 2), rtol=1e-6)
    assert raster.sharp
    assert cache.size() == 0


def test_the_cache_is_trimmed_to_its_limit_but_not_below_what_is_used(big, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        Raster(plane_on_disk(tmp_path / name, noisy(600, 700))).build(cache_limit=0)
    assert len(list(cache.folder(cache.ENTRIES).iterdir())) == 1


def test_what_is_wanted_is_fetched_and_then_wanted_no_more(big):
    raster = Raster(plane_of(coordinates(1500, 1600)))
    raster.first(50)
    for step in (0.3, 1, 1.9, 3, 7, 40):
        for built in (False, True):
            if built:
                raster.build()
            bounds = (200.0, 300.0, 200 + 100 * step, 300 + 80 * step)
            request = raster.wanted(bounds, step)
            if request is not None:
                raster.fetch(request)
            assert raster.wanted(bounds, step) is None
            best = raster.block(bounds, step)
            shown = (*bounds[:2], min(bounds[2], 1599.5), min(bounds[3], 1499.5))
            assert best.covers(shown)
            if built:
                assert best.exact
                assert best.step <= max(1, 1.2 * step)


def test_small_pans_fetch_nothing_new(big):
    raster = Raster(plane_of(np.zeros((4000, 4000), np.float32)))
    raster.fetch(raster.wanted((1000, 1000, 2000, 1800), 1.0))
    assert raster.wanted((1100, 1080, 2100, 1880), 1.0) is None
    assert raster.wanted((1500, 1000, 2500, 1800), 1.0) is not None


def test_nothing_is_wanted_beside_the_image():
    assert Raster(plane_of(np.zeros((5, 5)))).wanted((10, 10, 20, 20), 1.0) is None


def test_a_coarse_block_fills_in_beside_a_sharp_one(big):
    raster = Raster(plane_of(coordinates(1500, 1600)))
    first = raster.first(50)
    sharp = raster.fetch(BlockRequest(0, 0, 0, 400, 400))
    assert raster.blocks((0, 0, 800, 300), 1.0) == [first, sharp]
    assert raster.block((0, 0, 800, 300), 1.0) is first
    assert raster.blocks((10, 10, 300, 300), 1.0) == [sharp]


def test_blocks_go_with_their_raster():
    raster = Raster(plane_of(np.zeros((200, 100), np.float32)))
    raster.first()
    owner = raster._owner
    assert sum(block.data.nbytes for block in STORE.of(owner)) == 80_000
    del raster
    gc.collect()
    assert not STORE.of(owner)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 50)), min_size=1, max_size=30))
def test_the_store_stays_within_its_budget(additions):
    store = BlockStore(4000)
    rasters = [Raster(plane_of(np.zeros((2, 2)))) for _ in range(4)]
    owners = [store.owner(raster) for raster in rasters]
    for owner, side in additions:
        data = np.zeros((1, side * 10), np.float32)
        store.add(owners[owner], block_of(data, 0, 0, 1, data.shape, level=0, exact=True))
    held = sum(block.data.nbytes for owner in owners for block in store.of(owner))
    assert held == store.used <= 4000


def test_the_sample_is_spread_evenly():
    raster = Raster(plane_of(coordinates(3000, 1600)))
    sample = raster.sample(10_000).astype(float)
    assert 5_000 <= sample.size <= 20_000
    x, y = sample % 10_000, sample // 10_000
    assert abs(x.mean() - 800) < 30
    assert abs(y.mean() - 1500) < 60


@pytest.mark.parametrize("shape", [(1, 1), (1, 100_000), (100_000, 1), (3, 40_000)])
def test_samples_of_odd_shapes(shape):
    data = rng.normal(size=shape).astype(np.float32)
    sample = Raster(plane_of(data)).sample(1000)
    assert min(400, data.size) <= sample.size <= 2000
    assert np.isin(sample, data).all()


def test_the_file_is_never_changed(big, tmp_path):
    plane = plane_on_disk(tmp_path, noisy(300, 400))
    before = (tmp_path / "pixels").read_bytes()
    raster = Raster(plane)
    raster.first()
    raster.build()
    raster.fetch(whole(raster, 0))
    assert (tmp_path / "pixels").read_bytes() == before


def test_two_threads_build_what_one_does(monkeypatch):
    values = np.random.default_rng(5).normal(size=(301, 777)).astype("f4")
    values[::7, ::3] = np.nan
    found = []
    for many in (0, values.size + 1):
        monkeypatch.setattr(pyramid, "MANY", many)
        source = Source(plane_of(values))
        found.append(pyramid.survey(source, sample=values[::5]))
    (about, spread), (other, expected) = found
    assert about == other
    edges = np.linspace(-5, 5, 101)
    assert np.array_equal(spread.counts(edges), expected.counts(edges))
    assert spread.percentile(31.0) == expected.percentile(31.0)


def test_kilohertz_at_230_gigahertz_are_kept():
    """Steps of a float32 there are 16 kHz wide; zeros where nothing was seen stay zeros."""
    steps = rng.permutation(2400).reshape(40, 60) * 10.0
    frequencies = 230.538e9 + steps
    frequencies[0, :9], frequencies[1, 1] = 0.0, np.nan
    raster = Raster(plane_of(frequencies))
    block = raster.first()
    assert block.data.dtype == np.float32
    for values in (block.values, raster.all_values(), raster.sample().reshape(40, 60)):
        np.testing.assert_allclose(values, frequencies, rtol=0, atol=0.01)
    found = raster.build()
    seen = frequencies[np.isfinite(frequencies)]
    assert (found.minimum, found.maximum, found.missing) == (0.0, seen.max(), 1)
    assert found.mean == pytest.approx(seen.mean(), rel=1e-12)
    assert raster.spread().percentile(50) == pytest.approx(np.median(seen), abs=10)


@pytest.mark.parametrize("values", [[0.0, 1.0, 2.0], [1.0, 1.0, 1.0], [1e3, 1.5e3, 2e3], [np.nan, np.nan, np.nan]])
def test_values_near_zero_or_all_alike_are_taken_as_they_are(values):
    assert Raster(plane_of(np.array([values]))).first().offset == 0.0

"""Kernels: compiled and plain give the same bits, and both what the definition says."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jviz.backend.render import kernels, numpy_kernels
from jviz.backend.render.blocks import block_of
from jviz.backend.render.mesh import affine_mesh, mesh_of

TABLE = np.arange(4096, dtype=np.uint32) | np.uint32(0xFF000000)
BLANK = 0xFF112233


@pytest.fixture(scope="module", params=["plain", "compiled"])
def module(request):
    """Run with the numpy and with the numba kernels."""
    before = kernels._active, kernels.ready
    if request.param == "compiled":
        kernels.warm_up()
        assert kernels.ready
    else:
        kernels._active = numpy_kernels
    yield kernels.active()
    kernels._active, kernels.ready = before


def block(data, column=0, row=0, step=1, shape=None):
    """Make a block of an array."""
    data = np.ascontiguousarray(data)
    shape = shape or (data.shape[0] * step, data.shape[1] * step)
    return block_of(data, column, row, step, shape, level=0, exact=True)


def picture(data, affine, size, low=0.0, high=4095.0, **options):
    """Colour an array through an affine mesh."""
    out = np.zeros(size[::-1], np.uint32)
    kernels.colour(block(data), affine_mesh(affine, *size), TABLE, low, high, out, blank=BLANK, **options)
    return out


IDENTITY = [[1, 0, 0], [0, 1, 0]]


def test_each_pixel_shows_its_data(module):
    data = np.arange(12, dtype=np.float32).reshape(3, 4) * 100
    out = picture(data, IDENTITY, (6, 5))
    np.testing.assert_array_equal(out[:3, :4], TABLE[data.astype(int)])
    assert not out[3:].any()
    assert not out[:, 4:].any()


@pytest.mark.parametrize(("u", "column"), [(-0.5, 0), (0.49, 0), (0.5, 1), (2.49, 2)])
def test_a_pixel_spans_half_a_pixel_to_each_side(u, column, module):
    data = np.array([[10, 20, 30]], np.float32)
    assert picture(data, [[1, 0, u], [0, 1, 0]], (1, 1))[0, 0] == TABLE[int(data[0, column])]


@pytest.mark.parametrize("u", [-0.51, 2.5, np.nan, 1e300, -1e300])
def test_beyond_the_edges_is_transparent(u, module):
    data = np.array([[10, 20, 30]], np.float32)
    assert picture(data, [[1, 0, u], [0, 1, 0]], (1, 1))[0, 0] == 0


def test_values_beyond_the_limits_get_the_end_colours(module):
    data = np.array([[-1e30, -np.inf, 1e30, np.inf, np.nan, 5, 15]], np.float32)
    out = picture(data, IDENTITY, (7, 1), low=5, high=15)[0]
    first, last = TABLE[0], TABLE[-1]
    np.testing.assert_array_equal(out, [first, first, last, last, BLANK, first, last])


def test_limits_may_be_turned_round_or_equal(module):
    data = np.array([[5, 15]], np.float32)
    assert list(picture(data, IDENTITY, (2, 1), low=15, high=5)[0]) == [TABLE[-1], TABLE[0]]
    assert list(picture(data, IDENTITY, (2, 1), low=10, high=10)[0]) == [TABLE[0], TABLE[-1]]


def test_a_sharp_block_over_a_coarse_one_leaves_the_rest(module):
    out = picture(np.full((1, 4), 7, np.float32), IDENTITY, (4, 1))
    sharp = block(np.array([[9, 9]], np.float32), column=1, shape=(1, 4))
    kernels.colour(sharp, affine_mesh(IDENTITY, 4, 1), TABLE, 0, 4095, out, clear=False)
    assert list(out[0]) == [TABLE[7], TABLE[9], TABLE[9], TABLE[7]]


def test_coarse_samples_cover_their_pixels(module):
    data = np.array([[1, 2], [3, 4]], np.float32)
    out = np.zeros((6, 7), np.uint32)
    kernels.colour(block(data, step=4, shape=(6, 7)), affine_mesh(IDENTITY, 7, 6), TABLE, 0, 4095, out)
    np.testing.assert_array_equal(out, TABLE[np.kron(data, np.ones((4, 4))).astype(int)][:6, :7])


def test_smooth_is_exact_on_a_plane(module):
    x, y = np.meshgrid(np.arange(25.0), np.arange(15.0))
    data = (3 * x + 7 * y).astype(np.float32)
    out = np.zeros((30, 40), np.float32)
    mesh = affine_mesh([[0.4, 0.1, 1.3], [-0.1, 0.3, 5.1]], 40, 30)
    kernels.resample(block(data), mesh, out, smooth=True)
    u, v = np.meshgrid(np.arange(40), np.arange(30))
    expected = 3 * (0.4 * u + 0.1 * v + 1.3) + 7 * (-0.1 * u + 0.3 * v + 5.1)
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_smooth_ignores_missing_neighbours(module):
    data = np.array([[1, np.nan], [3, np.nan]], np.float32)
    out = np.zeros((1, 1), np.float32)
    kernels.resample(block(data), affine_mesh([[1, 0, 0.4], [0, 1, 0.5]], 1, 1), out, smooth=True)
    assert out[0, 0] == 2.0


def test_flags_show_their_lowest_coloured_bit(module):
    data = np.array([[0, 1, 2, 6, 8, 1 << 31]], np.uint32)
    colours = np.zeros(32, np.uint32)
    colours[[0, 2, 31]] = 0xFF0000AA, 0xFF0000BB, 0xFF0000CC
    out = np.zeros((1, 7), np.uint32)
    kernels.colour_flags(block(data), affine_mesh(IDENTITY, 7, 1), colours, out)
    assert list(out[0]) == [0, 0xFF0000AA, 0, 0xFF0000BB, 0, 0xFF0000CC, 0]


def test_blending(module):
    under = np.array([[0xFF204060, 0xFF204060, 0, 0xFF204060]], np.uint32)
    layer = np.array([[0xFF80A0C0, 0, 0xFF80A0C0, 0xFFFFFFFF]], np.uint32)

    def mixed(opacity, mode):
        out = under.copy()
        kernels.blend(out, layer, opacity, mode)
        return [int(value) for value in out[0]]

    assert mixed(1.0, "normal") == [0xFF80A0C0, 0xFF204060, 0xFF80A0C0, 0xFFFFFFFF]
    assert mixed(0.0, "normal") == [int(value) for value in under[0]]
    assert mixed(0.5, "normal")[0] == 0xFF507090
    assert mixed(1.0, "add") == [0xFFA0E0FF, 0xFF204060, 0xFF80A0C0, 0xFFFFFFFF]
    assert mixed(1.0, "screen")[3] == 0xFFFFFFFF
    screen = [round(255 * (1 - (1 - a / 255) * (1 - b / 255))) for a, b in ((0x20, 0x80), (0x40, 0xA0))]
    assert [(mixed(1.0, "screen")[0] >> shift) & 255 for shift in (16, 8)] == screen


def test_large_pictures_are_drawn_in_halves_that_fit(monkeypatch):
    kernels.warm_up()
    data = np.random.default_rng(1).normal(2000, 900, (50, 60)).astype(np.float32)
    affine = [[0.7, 0.3, 2.0], [-0.3, 0.6, 20.0]]
    whole = picture(data, affine, (61, 47))
    monkeypatch.setattr(kernels, "LARGE", 1)
    np.testing.assert_array_equal(picture(data, affine, (61, 47)), whole)


def test_values_and_blends_of_large_pictures_are_made_in_halves_that_fit(monkeypatch):
    kernels.warm_up()
    data = np.random.default_rng(2).normal(size=(50, 60)).astype(np.float32)
    mesh = affine_mesh([[0.7, 0.3, 2.0], [-0.3, 0.6, 20.0]], 61, 47)
    under, layer = np.random.default_rng(3).integers(0, 256, (2, 47, 61), np.uint32) * np.uint32(0x01010101)

    def made():
        values, mixed = np.empty((47, 61), np.float32), [under.copy(), under.copy()]
        kernels.resample(block(data), mesh, values, smooth=True)
        for out, mode in zip(mixed, ("normal", "multiply"), strict=True):
            kernels.blend(out, layer, 0.6, mode)
        return values, *mixed

    whole = made()
    monkeypatch.setattr(kernels, "LARGE", 1)
    for half, one in zip(made(), whole, strict=True):
        np.testing.assert_array_equal(half, one)


def test_a_mesh_that_is_too_small_is_refused(module):
    data = np.zeros((4, 4), np.float32)
    with pytest.raises(ValueError, match="mesh"):
        kernels.colour(block(data), affine_mesh(IDENTITY, 4, 4), TABLE, 0, 1, np.zeros((4, 5), np.uint32))


grids = st.builds(
    lambda seed, width, height, step: (np.random.default_rng(seed), width, height, step),
    st.integers(0, 2**32),
    st.integers(1, 70),
    st.integers(1, 50),
    st.sampled_from([2, 5, 8, 32]),
)


@settings(max_examples=120)
@given(grids, st.booleans(), st.booleans(), st.booleans())
def test_compiled_and_plain_agree_to_the_last_bit(grid, smooth, clear, upright):
    rng, width, height, step = grid
    data = rng.normal(size=(int(rng.integers(1, 40)), int(rng.integers(1, 60)))).astype(np.float32)
    data[rng.random(data.shape) < 0.2] = np.nan
    a, b, c, d = rng.normal(size=4)

    def bent(u, v):
        x = a * u + b * v + 0.002 * u * v + 20
        return np.where(x > 45, np.nan, x), c * u + d * v + 0.001 * u**2 + 15

    mesh = mesh_of(bent, width, height, step=step)
    if upright:
        mesh = affine_mesh([[a, 0, 20], [0, d, 15]], width, height)
    flags = data.view(np.uint32).copy()
    colours = rng.integers(0, 2**32, 32, dtype=np.uint32) * (rng.random(32) < 0.3).astype(np.uint32)
    layer = rng.integers(0, 2**32, (height, width), dtype=np.uint32)

    def everything():
        out, values = layer.copy(), np.zeros((height, width), np.float32)
        options = {"smooth": smooth, "clear": clear, "blank": BLANK}
        kernels.colour(block(data), mesh, TABLE, -1.1, 1.7, out, **options)
        kernels.resample(block(data), mesh, values, smooth=smooth)
        shown = layer.copy()
        kernels.colour_flags(block(flags), mesh, colours, shown, clear=clear)
        blends = []
        for mode in ("normal", "add", "screen"):
            blends.append(layer.copy())
            kernels.blend(blends[-1], layer[::-1].copy(), 0.37, mode)
        module = kernels.active()
        half = (-(-height // 2), -(-width // 2))
        sums, counts = np.zeros(half), np.zeros(half, np.int32)
        module.gather(values, sums, counts)
        quarter = (-(-half[0] // 2), -(-half[1] // 2))
        more, number = np.zeros(quarter), np.zeros(quarter, np.int32)
        module.halve(sums, counts, more, number)
        bins, low, high = np.zeros(64, np.uint32), np.zeros(values.size, np.float32), np.zeros(values.size, np.float32)
        found = module.survey(values, np.float32(-1.0), np.float32(16.0), bins, low, high)
        return [
            out,
            values,
            shown,
            *blends,
            sums,
            counts,
            more,
            number,
            bins,
            low,
            high,
            found,
            module.extremes(values),
        ]

    kernels.warm_up()
    compiled = everything()
    kernels._active = numpy_kernels
    try:
        plain = everything()
    finally:
        kernels._active, kernels.ready = numpy_kernels, False
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_array_equal(one, other)


def test_numba_is_not_imported_before_it_is_wanted():
    code = (
        "import sys; from jviz.backend.render import kernels, raster, limits, stretch, colormaps;"
        "print(sorted({'numba', 'scipy', 'astropy', 'matplotlib', 'PySide6'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_compiled_code_goes_to_the_cache_when_the_program_is_read_only(monkeypatch, own_folders):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(os, "access", lambda path, mode: str(path).startswith(str(own_folders)))
    monkeypatch.setitem(os.environ, "NUMBA_CACHE_DIR", "")
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    kernels.choose_cache()
    try:
        assert str(own_folders / "cache" / "numba") == numba.config.CACHE_DIR
    finally:
        os.environ.pop("NUMBA_CACHE_DIR", None)


@pytest.mark.parametrize("turned", [False, True])
def test_flags_veil_a_picture(turned):
    rng = np.random.default_rng(5)
    flags = rng.integers(0, 16, (30, 40)).astype(np.uint32)
    colours = (rng.integers(0, 1 << 24, 32) | 0xFF000000).astype(np.uint32)
    matrix = np.array([[0.7, 0.3, 1.0], [-0.2, 0.8, 3.0]]) if turned else IDENTITY
    mesh = affine_mesh(matrix, 40, 30)
    ground = (rng.integers(0, 1 << 24, (30, 40)) | 0xFF000000).astype(np.uint32)
    # the same in steps: one flag after the other in a sheet, the first of the order on top, then blended
    sheet, one = np.zeros_like(ground), np.zeros_like(ground)
    for bit in (0, 3, 1):
        alone = np.zeros(32, np.uint32)
        alone[bit] = colours[bit]
        kernels.colour_flags(block(flags), mesh, alone, one)
        np.copyto(sheet, one, where=one != 0)
    expected = ground.copy()
    kernels.blend(expected, sheet, 0.6)
    for module in (numpy_kernels, kernels.active()):
        drawn = ground.copy()
        before, kernels._active = kernels._active, module
        try:
            kernels.veil(block(flags), mesh, (1, 3, 0), colours, drawn, opacity=0.6)
        finally:
            kernels._active = before
        assert np.array_equal(drawn, expected)

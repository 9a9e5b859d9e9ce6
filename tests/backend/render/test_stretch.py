"""Stretches rise from 0 to 1 and can be turned round; tables begin and end with their colours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from jviz.backend.render.colormaps import colormap
from jviz.backend.render.stretch import STRETCHES, look_table, pchip, stretch
from jviz.errors import JvizError

SAMPLE = np.random.default_rng(3).normal(10, 3, 5000)
PARAMETERS = {
    "histogram": {"sample": SAMPLE, "low": 0, "high": 30},
    "spline": {"knots": [(0, 0), (0.2, 0.6), (0.5, 0.7), (1, 1)]},
    "power": {"gamma": 1.7},
}
T = np.linspace(0, 1, 1001)


@pytest.mark.parametrize("name", STRETCHES)
def test_every_stretch_rises_from_0_to_1_and_back(name):
    curve = stretch(name, **PARAMETERS.get(name, {}))
    bright = curve(T)
    assert bright[0] == 0
    assert bright[-1] == pytest.approx(1, abs=1e-12)
    assert (np.diff(bright) >= 0).all()
    np.testing.assert_allclose(curve(curve.inverse(T)), T, atol=2e-3)
    assert curve(-5) == bright[0]
    assert curve(7) == bright[-1]


def test_stretches_are_those_of_astropy():
    visualization = pytest.importorskip("astropy.visualization")
    for name, other in {
        "log": visualization.LogStretch(1000),
        "asinh": visualization.AsinhStretch(0.1),
        "sinh": visualization.SinhStretch(1 / 3),
        "sqrt": visualization.SqrtStretch(),
        "squared": visualization.SquaredStretch(),
    }.items():
        np.testing.assert_allclose(stretch(name)(T), other(T), atol=1e-12)
        np.testing.assert_allclose(stretch(name).inverse(T), other.inverse(T), atol=1e-12)


def test_histogram_equalisation_makes_all_brightnesses_equally_frequent():
    curve = stretch("histogram", sample=SAMPLE, low=0, high=30)
    counts, _ = np.histogram(curve(SAMPLE / 30), bins=10, range=(0, 1))
    assert counts.min() > 0.9 * len(SAMPLE) / 10


@pytest.mark.parametrize("sample", [np.zeros(9), np.full(9, np.nan), np.r_[np.zeros(900), 1, 2, 3]])
def test_histogram_equalisation_of_odd_samples_still_rises(sample):
    bright = stretch("histogram", sample=sample, low=0.0, high=3.0)(T)
    assert bright[0] == 0
    assert bright[-1] == 1
    assert (np.diff(bright) >= 0).all()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_pchip_is_scipys(steps):
    x, y = np.cumsum(np.array(steps, float), axis=0).T
    t = np.linspace(x[0], x[-1], 200)
    np.testing.assert_allclose(pchip(x, y)(t), PchipInterpolator(x, y)(t), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("asin", {}),
        ("log", {"a": -1}),
        ("power", {"gamma": 0}),
        ("linear", {"a": 3}),
        ("spline", {"knots": [(0, 0), (0.5, 0.9), (0.6, 0.2)]}),
        ("spline", {"knots": [(0, 0)]}),
    ],
)
def test_senseless_stretches_are_refused(name, parameters):
    with pytest.raises(JvizError, match=r"stretch|spline"):
        stretch(name, **parameters)


@pytest.mark.parametrize("name", STRETCHES)
def test_tables_begin_and_end_with_the_ends_of_the_colour_map(name):
    colours = colormap("viridis")
    table = look_table(stretch(name, **PARAMETERS.get(name, {})), colours)
    assert table.dtype == np.uint32
    assert table.shape == (4096,)
    for entry, (red, green, blue) in ((table[0], colours[0]), (table[-1], colours[-1])):
        assert entry == 0xFF000000 | int(red) << 16 | int(green) << 8 | int(blue)


def test_a_linear_table_is_the_colour_map():
    colours = colormap("magma")
    table = look_table(stretch("linear"), colours, size=256)
    np.testing.assert_array_equal(np.stack([table >> 16 & 255, table >> 8 & 255, table & 255], 1), colours)
    inverted = look_table(stretch("linear"), colours, size=256, invert=True)
    np.testing.assert_array_equal(inverted, table[::-1])


def test_contrast_and_bias_as_in_ds9():
    gray = colormap("gray")
    hard = look_table(stretch("linear"), gray, contrast=2.0, bias=0.5, size=101) & 255
    assert (hard[25], hard[50], hard[75]) == (0, 128, 255)
    moved = look_table(stretch("linear"), gray, contrast=1.0, bias=0.75, size=101) & 255
    assert moved[75] == 128

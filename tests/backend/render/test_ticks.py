"""Ticks are round, inside their range, and their texts read back give their values."""

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.render.ticks import (
    compass,
    digits_apart,
    in_digits,
    pixel_ticks,
    scale_bar,
    ticks_for_table,
    value_ticks,
)

ranges = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.sampled_from([1e-20, 1e-7, 1.0, 1e8])).map(
    lambda parts: (parts[0] * parts[2], (parts[0] + parts[1]) * parts[2])
)


def read(label, ticks):
    return float(label.replace("−", "-")) * 10.0**ticks.exponent


@given(ranges, st.integers(2, 12))
def test_value_ticks_lie_inside_and_read_back(limits, n):
    low, high = limits
    ticks = value_ticks(low, high, n)
    span = high - low
    assert n / 2.6 - 1 <= len(ticks.values) <= 2.6 * n + 1
    for value, position, label in zip(ticks.values, ticks.positions, ticks.labels, strict=True):
        assert low - 1e-6 * span <= value <= high + 1e-6 * span
        assert low + position * span == pytest.approx(value, abs=1e-6 * span)
        assert read(label, ticks) == pytest.approx(value, abs=1e-3 * span)
    assert len(set(ticks.labels)) == len(ticks.labels)


@given(ranges, st.sampled_from(["log", "asinh", "sqrt", "square", "linear"]))
def test_ticks_of_a_stretch_are_where_the_table_says(limits, stretch):
    low, high = limits
    x = np.linspace(0, 1, 4096)
    table = {
        "log": np.log1p(1000 * x),
        "asinh": np.arcsinh(1000 * x),
        "sqrt": np.sqrt(x),
        "square": x * x,
        "linear": x,
    }[stretch]
    ticks = ticks_for_table(table, low, high, 5)
    assert 2 <= len(ticks.values) <= 13
    expected = np.interp(ticks.values, np.linspace(low, high, 4096), table / table[-1])
    assert ticks.positions == pytest.approx(tuple(expected), abs=0.02)
    assert list(ticks.values) == sorted(ticks.values)


def test_a_bar_whose_round_values_crowd_at_one_end_has_two_ticks():
    ticks = ticks_for_table(np.log1p(1000 * np.linspace(0, 1, 4096)), 3.50001, 6.66229)
    assert ticks.values == (4.0, 5.0, 6.5)


def test_log_ticks_are_decades():
    x = np.linspace(0, 1, 4096)
    assert set(ticks_for_table(np.log1p(1e3 * x), 0, 1000).labels) >= {"0", "10", "100", "1000"}


def test_steep_values_share_a_power_of_ten():
    ticks = value_ticks(1e-7, 9e-7)
    assert ticks.labels == ("2", "4", "6", "8")
    assert ticks.power == "×10⁻⁷"
    assert value_ticks(0, 50).power == ""


@pytest.mark.parametrize("limits", [(1, 1), (2, 1), (np.nan, 1), (0, np.inf)])
def test_no_range_no_ticks(limits):
    assert value_ticks(*limits).values == ()
    assert pixel_ticks(*limits).values == ()
    assert ticks_for_table(np.linspace(0, 1, 9), *limits).values == ()


def test_pixel_ticks_are_whole_pixels():
    assert pixel_ticks(-0.5, 9.5, 5).values == (0, 2, 4, 6, 8)
    assert pixel_ticks(3.2, 5.4, 8).labels == ("4", "5")


@given(st.floats(1e-4, 1e3), st.floats(1e-3, 64), st.floats(20, 400))
def test_scale_bar_is_as_long_as_it_says(arcsec, magnification, longest):
    length, text = scale_bar(arcsec, magnification, longest)
    units = {" mas": 1e-3, " µas": 1e-6, "″": 1.0, "′": 60.0, "°": 3600.0}
    mark = next(mark for mark in units if text.endswith(mark))
    size = float(text.removesuffix(mark)) * units[mark]
    assert length <= longest * (1 + 1e-9)
    assert length / magnification * arcsec == pytest.approx(size)
    assert length > longest / 3 or text == "180°"


def test_scale_bar_counts_pixels_without_a_sky():
    assert scale_bar(None, 2.0, 150) == (100.0, "50 px")
    assert scale_bar(float("nan"), 2.0, 150) == (0.0, "")


def rotated(angle, parity=-1):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [10, 60], [1, 1]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = 1e-5 * np.array([[parity, 0], [0, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    return lambda x, y: wcs.wcs_pix2world(x, y, 0)


@given(st.floats(-179, 179))
def test_compass_turns_with_the_image(angle):
    found = compass(rotated(angle), 0.0, 0.0)
    assert (found.north - (90 + angle) + 180) % 360 - 180 == pytest.approx(0, abs=1e-4)
    assert (found.east - found.north + 180) % 360 - 180 == pytest.approx(90, abs=1e-4)


def test_compass_sees_mirrored_images_viewports_and_undefined_sky():
    mirrored = compass(rotated(0, parity=1), 0.0, 0.0)
    assert mirrored == pytest.approx((90, 0), abs=1e-4)
    upside_down = compass(rotated(0), 0.0, 0.0, pixel_to_viewport=lambda x, y: (x, 100 - y))
    assert upside_down.north == pytest.approx(-90, abs=1e-4)
    assert abs(upside_down.east) == pytest.approx(180, abs=1e-4)
    assert compass(lambda x, y: (x * np.nan, y * np.nan), 0.0, 0.0) is None
    assert compass(lambda x, y: (-x, np.where(y > 0, np.nan, y)), 0.0, 0.0) is None  # at the edge of a map


@given(st.floats(-1e12, 1e12), st.floats(1e-3, 1e9), st.floats(0, 1))
def test_written_values_tell_thousandths_of_a_range_apart(low, span, share):
    """As far as a float64 does."""
    high = low + span
    digits = digits_apart(low, high)
    value = low + share * (high - low)
    written = float(in_digits(value, digits))
    finest = max(abs(low), abs(high)) * 1e-15
    assert abs(written - value) <= max((high - low) / 1000, finest)


def test_many_digits_are_written_without_a_power_of_ten():
    assert in_digits(230_538_000_997.4, 11) == "230538001000"
    assert in_digits(230_538_000_997.4, 13) == "230538000997.4"
    assert in_digits(230_538_000_000.0, 13) == "230538000000"
    assert in_digits(1.5e11, 6) == "1.5e+11"

"""Ranges in conditions: numbers, dates, and right ascensions that go through zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.archive.vo import obscore_query
from jviz.backend.searching import days_of, spans_of
from jviz.errors import JvizError

ANGLES = st.floats(-400, 400)


@pytest.mark.parametrize(
    ("column", "value", "spans"),
    [
        ("t_exptime", 5, [(5, 5)]),
        ("t_exptime", "5", [(5, 5)]),
        ("t_exptime", (1, 5), [(1, 5)]),
        ("t_exptime", [1, 5], [(1, 5)]),
        ("t_exptime", "1..5", [(1, 5)]),
        ("t_exptime", [1, 5, "7..9"], [(1, 1), (5, 5), (7, 9)]),
        ("t_exptime", ["1..2", "7..9", 3], [(1, 2), (7, 9), (3, 3)]),
        ("calib_level", (3, 1), [(3, 3), (1, 1)]),
        ("s_dec", (-10, 10), [(-10, 10)]),
        ("s_ra", (350, 10), [(350, 360), (0, 10)]),
        ("s_ra", (-10, 10), [(350, 360), (0, 10)]),
        ("s_ra", (10, 350), [(10, 350)]),
        ("s_ra", (350, 370), [(350, 360), (0, 10)]),
        ("targ_ra", "350..10", [(350, 360), (0, 10)]),
        ("s_ra", (0, 360), [(0, 360)]),
        ("s_ra", (180, 360), [(180, 360)]),
    ],
)
def test_ranges(column, value, spans):
    assert spans_of(column, value) == spans


@given(ANGLES, st.floats(0, 359.9), ANGLES)
def test_a_right_ascension_is_within_when_it_lies_on_the_way_from_the_first_to_the_last(first, length, ra):
    away, inside = (ra - first) % 360, any(low <= ra % 360 <= high for low, high in
                                           spans_of("s_ra", (first, first + length)))  # fmt: skip
    if min(away, 360 - away) > 1e-9 and abs(away - length) > 1e-9:
        assert inside == (away < length)


@pytest.mark.parametrize("value", [(5, 1), "5..1", (5, float("nan")), ("a", 1), "5..", "many", (None, 1)])
def test_what_is_no_range_is_one_sentence(value):
    with pytest.raises(JvizError, match=r"exchanged|is no number") as told:
        spans_of("t_exptime", value)
    assert "t_exptime" in str(told.value)


@pytest.mark.parametrize("value", ["2024-05-31..2024-01-01", ("2024-05-31", "2024-01-01"), (59803.5, 59801.5)])
def test_dates_in_the_wrong_order_are_one_sentence(value):
    with pytest.raises(JvizError, match=r"A date cannot be from .* the ends of the range are exchanged"):
        days_of(value)


def test_a_day_and_an_open_range_of_days():
    assert days_of("2020-05-31") == (59000.0, 59001.0)
    assert days_of("2020-05-31..") == (59000.0, 1e6)
    assert days_of("..2020-05-31") == (0.0, 59001.0)
    assert days_of("2020-05-31..2020-05-31") == (59000.0, 59001.0)


def test_ranges_in_adql():
    assert obscore_query(None, {"s_ra": (350, 10)}, 10).endswith(
        "WHERE (s_ra BETWEEN 350.0 AND 360.0 OR s_ra BETWEEN 0.0 AND 10.0)"
    )
    assert obscore_query(None, {"level": [2, 3]}, 10).endswith("WHERE (calib_level = 2.0 OR calib_level = 3.0)")
    assert obscore_query(None, {"t_exptime": "100"}, 10).endswith("WHERE t_exptime = 100.0")
    with pytest.raises(JvizError, match="exchanged"):
        obscore_query(None, {"exposure_time": (5, 1)}, 10)

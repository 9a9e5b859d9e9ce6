"""Facets and the plane of the sky, against sums and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.archive.allsky import HALF_HEIGHT, HALF_WIDTH, Hammer
from jviz.backend.archive.facets import facets_of, fitting
from jviz.backend.archive.skyplaces import outlines, position_columns
from jviz.backend.render.frames import separation


def made():
    rng = np.random.default_rng(2)
    table = Table(
        {"instrument_name": rng.choice(["NIRCAM", "MIRI", "NIRSPEC"], 500), "calib_level": rng.choice([2, 3], 500)}
    )
    table["t_exptime"] = MaskedColumn(10 ** rng.uniform(0, 4, 500), mask=rng.random(500) < 0.1)
    table["obs_title"] = [f"title {number}" for number in range(500)]
    return table


def test_each_row_is_counted_once_unless_it_has_no_value():
    table = made()
    facets = {facet.name: facet for facet in facets_of(QTable(table))}
    assert list(facets) == ["instrument_name", "calib_level", "t_exptime"]
    everything = np.ones(500, bool)
    for name, facet in facets.items():
        assert facet.counts(everything).sum() == 500 - np.sum(getattr(table[name], "mask", 0))
    counted = dict(zip(facets["instrument_name"].labels, facets["instrument_name"].counts(everything), strict=True))
    assert counted == {name: (table["instrument_name"] == name).sum() for name in counted}


def test_rows_fit_all_facets_and_one_label_of_each():
    table = made()
    facets = facets_of(table)
    chosen = {"instrument_name": frozenset({0, 1}), "calib_level": frozenset({1})}
    right = np.isin(table["instrument_name"], ["MIRI", "NIRCAM"]) & (table["calib_level"] == 3)
    np.testing.assert_array_equal(fitting(facets, chosen), right)
    np.testing.assert_array_equal(fitting(facets, chosen, but="calib_level"),
                                  np.isin(table["instrument_name"], ["MIRI", "NIRCAM"]))  # fmt: skip
    assert fitting(facets, {}) is None


angles = st.floats(-89.9, 89.9)


@given(st.floats(0, 360), angles, st.floats(0, 360), angles)
def test_there_and_back_again(lon0, lat0, lon, lat):
    plane = Hammer(lon0, lat0)
    x, y = plane.at(lon, lat)
    assert (x / HALF_WIDTH) ** 2 + (y / HALF_HEIGHT) ** 2 <= 1 + 1e-9
    back = plane.to_sky(x, y)
    if (x / HALF_WIDTH) ** 2 + (y / HALF_HEIGHT) ** 2 < 1 - 1e-6:  # at the rim two places are one
        assert float(separation(lon, lat, *back)) < 1e-4


def test_the_whole_sky_keeps_its_area():
    # 4 pi steradian: an ellipse of semi-axes 2 sqrt(2) and sqrt(2) has the area 4 pi
    assert np.pi * HALF_WIDTH * HALF_HEIGHT == pytest.approx(4 * np.pi)
    x, y = Hammer(83.0, 20.0).at(np.array([83.0, 83.01]), np.array([20.01, 20.0]))
    assert (x[0], y[0]) == pytest.approx((0, np.radians(0.01)), abs=1e-9)
    assert x[1] == pytest.approx(-np.radians(0.01) * np.cos(np.radians(20)), rel=1e-6)  # east is left
    assert np.isnan(Hammer().to_sky(3.0, 0.0)[0])


def test_positions_and_outlines_of_rows():
    table = Table({"RA": MaskedColumn([1.0, 2.0], mask=[False, True]), "Dec": [3, 4],
                   "s_region": ["POLYGON ICRS 0 0 1 0 1 1", ""]})  # fmt: skip
    ra, dec = position_columns(table)
    np.testing.assert_array_equal(ra, [1.0, np.nan])
    np.testing.assert_array_equal(dec, [3.0, 4.0])
    [first, second] = outlines(table, [0, 1])
    assert first[0].shape == (3, 3)
    assert second == ()
    assert position_columns(Table({"RA": ["10:00"], "Dec": ["x"]})) is None

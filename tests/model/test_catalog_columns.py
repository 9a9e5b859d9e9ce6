"""Columns that are added and edited: nothing missing comes to life, and what speaks of a column follows its name."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table

import jviz
from jviz import CommandError


@pytest.fixture
def session():
    table = Table({"mag": MaskedColumn([20.0, 21.0, 99.0], mask=[False, False, True], unit="mag"),
                   "mag_err": [0.1, 0.2, 0.3], "name": list("abc"),
                   "n": MaskedColumn([1, 2, 3], mask=[False, True, False], description="how often"),
                   "flux": [1.0, 2.0, 4.0], "flux_err": [0.1, 0.2, 0.4],
                   "sky": SkyCoord([1, 2, 3], [1, 2, 3], unit="deg"), "all mag": [5.0, 6.0, 7.0]})  # fmt: skip
    for name in ("flux", "flux_err"):
        table[name].unit = "uJy"
    session = jviz.Session(settings={})
    session.add(table, name="stars")
    yield session
    session.close()


def test_what_is_missing_stays_missing_when_a_unit_is_given(session):
    edited = session.run("catalog.edit_column", data="stars", column="n", unit="ct")
    column = edited.table["n"]
    assert column.unit == u.ct
    assert column.mask.tolist() == [False, True, False]
    assert column.info.description == "how often"
    back = session.run("catalog.edit_column", data="stars", column="n", unit="").table["n"]
    assert back.mask.tolist() == [False, True, False]
    assert getattr(back, "unit", None) is None
    session.undo()
    session.undo()
    assert session["stars"].table["n"].mask.tolist() == [False, True, False]


def test_errors_in_the_same_unit_get_the_new_one(session):
    table = session.run("catalog.edit_column", data="stars", column="flux", unit="mJy").table
    assert (table["flux"].unit, table["flux_err"].unit) == (u.mJy, u.mJy)
    np.testing.assert_array_equal(table["flux_err"].value, [0.1, 0.2, 0.4])
    # the errors of the magnitudes have no unit, and keep that
    table = session.run("catalog.edit_column", data="stars", column="mag", unit="dex").table
    assert getattr(table["mag_err"], "unit", None) is None


def test_plots_conditions_and_marks_follow_a_new_name(session):
    plot = session.run("catalog.scatter", data="stars", x="mag - `all mag`", y="mag")
    plot.filter = "(mag < 22) & (name != 'mag') & (n > 0)"
    plot.layers[0].color_by, plot.layers[0].size_by = "mag", "mag_err"
    table = session.view("table", data="stars")
    table.sort_by, table.hidden = "mag", ("mag", "name")
    edited = session.run("catalog.edit_column", data="stars", column="mag", rename="I mag")
    assert {"I mag", "I mag_err"} <= set(edited.columns)
    assert (plot.x, plot.y) == ("`I mag` - `all mag`", "`I mag`")
    assert plot.filter == "(`I mag` < 22) & (name != 'mag') & (n > 0)"
    assert (plot.layers[0].color_by, plot.layers[0].size_by) == ("`I mag`", "`I mag_err`")
    assert (table.sort_by, table.hidden) == ("I mag", ("I mag", "name"))
    assert session.run("catalog.select", data="stars", expression=plot.filter).region.tolist() == [True, False, False]
    session.run("catalog.deselect", data="stars")
    again = session.run("catalog.edit_column", data="stars", column="I mag", rename="mag")
    assert {"mag", "mag_err"} <= set(again.columns)
    assert (plot.x, plot.layers[0].size_by) == ("mag - `all mag`", "mag_err")
    session.undo()
    assert plot.x == "`I mag` - `all mag`"


@pytest.mark.parametrize(("options", "words"), [
    ({"column": "name", "unit": "Jy"}, "name has no numbers"), ({"column": "sky", "unit": "m"}, "sky has no numbers"),
    ({"column": "flux", "unit": "furlongs"}, "is no unit"), ({"column": "none"}, "no column 'none'"),
    ({"column": "flux", "rename": "mag"}, "There is a column 'mag' already"),
])  # fmt: skip
def test_what_cannot_be_edited_is_told(session, options, words):
    with pytest.raises(CommandError, match=words):
        session.run("catalog.edit_column", data="stars", **options)
    assert len(session["stars"].columns) == 8


def test_a_magnitude_of_a_flux_with_a_unit(session):
    expression = "-2.5 * log10(flux) + 23.9"
    made = session.run("catalog.add_column", data="stars", name="ab", expression=expression, unit="mag").table
    np.testing.assert_allclose(made["ab"].to_value("mag"), u.Magnitude([1, 2, 4] * u.uJy, u.ABmag).value, atol=1e-3)
    np.testing.assert_allclose(made["ab_err"].to_value("mag"), 2.5 / np.log(10) * 0.1)

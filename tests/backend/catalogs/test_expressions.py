"""Expressions over tables: the numbers numpy and astropy give, units, errors, texts and clear words."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable

from jviz.backend.catalogs.columns import columns_of
from jviz.backend.catalogs.expressions import error_column, names_of, rows_where, values_of
from jviz.errors import CommandError


@pytest.fixture
def columns():
    table = QTable(
        {
            "flux": [1.0, 2.0, 4.0] * u.uJy,
            "flux_err": [100.0, 200.0, 400.0] * u.nJy,
            "F115W": [24.0, 25.0, 26.0],
            "Ks mag": [20.0, 21.5, 22.0],
            "type": ["star", "galaxy", "star"],
            "n": MaskedColumn([1, 2, 3], mask=[False, True, False]),
            "spectrum": np.ones((3, 4)),
        }
    )
    return {column.name: column for column in columns_of(table)}


def test_a_column_is_an_expression_with_its_unit_and_error(columns):
    found = values_of(columns, "flux")
    assert found.unit == "uJy"
    assert np.allclose(found.values, [1, 2, 4])
    assert np.allclose(found.error, [0.1, 0.2, 0.4])


def test_errors_are_those_of_first_order(columns):
    square = values_of(columns, "flux ** 2")
    assert square.unit == "uJy2"
    assert np.allclose(square.error, 2 * np.array([1, 2, 4]) * [0.1, 0.2, 0.4])


def test_names_that_are_no_words_stand_in_backquotes(columns):
    colour = values_of(columns, "F115W - `Ks mag`")
    assert np.allclose(colour.values, [4, 3.5, 4])
    assert colour.error is None


def test_one_number_of_a_column_with_several_is_taken_with_its_error():
    vectors = {"MAG_APER": np.array([[20.0, 19.5], [21.0, 20.8]]) * u.mag,
               "MAGERR_APER": np.array([[0.03, 0.04], [0.3, 0.4]]) * u.mag,
               "a b": np.arange(12.0).reshape(2, 2, 3), "name": ["x[0]", "y"]}  # fmt: skip
    columns = {column.name: column for column in columns_of(QTable(vectors))}
    found = values_of(columns, "MAG_APER[0] - MAG_APER[1]")
    assert np.allclose(found.values, [0.5, 0.2])
    assert np.allclose(found.error, [0.05, 0.5])
    assert values_of(columns, "MAG_APER[1]").unit == "mag"
    assert np.allclose(values_of(columns, "`a b`[1, 2]").values, [5, 11])
    assert rows_where(columns, "(MAG_APER[0] < 20.5) & (name == 'x[0]')").tolist() == [True, False]
    assert names_of("MAG_APER[0] - MAG_APER[1]") == ["MAG_APER"]
    for expression, words in (("MAG_APER", r"take one of them: MAG_APER\[0\]"), ("MAG_APER[2]", "take one of them"),
                              ("`a b`[1]", r"a b\[0, 0\]"), ("name[0]", "one value a row"),
                              ("nothing[0]", "no column 'nothing'")):  # fmt: skip
        with pytest.raises(CommandError, match=words):
            values_of(columns, expression)


def test_rows_where_a_condition_holds(columns):
    assert rows_where(columns, "type == 'star'").tolist() == [True, False, True]
    assert rows_where(columns, "(F115W < 25.5) & ~(type == 'star')").tolist() == [False, True, False]
    assert rows_where(columns, "n > 0").tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        # n is missing in the second row: there nothing is known of it
        ("n != 2", [True, False, True]),
        ("~(n > 2)", [True, False, False]),
        ("not n > 2", [True, False, False]),
        ("(n > 2) | (F115W == 25)", [False, True, True]),
        ("~((n > 2) & (F115W < 20))", [True, True, True]),
        ("n + 1 != 2", [False, False, True]),
        ("~isfinite(n)", [False, True, False]),
        ("24 < F115W <= 26 and type == 'star'", [False, False, True]),
        ("F115W == 24 or F115W == 26", [True, False, True]),
        ("(type == 'star') == True", [True, False, True]),
        ("seen != 'yes'", [False, False, True]),
        ("seen == ''", [False, True, False]),
        ("seen", None),
    ],
)
def test_missing_values_meet_no_condition(columns, expression, rows):
    seen = QTable({"seen": MaskedColumn(["yes", "yes", "no"], mask=[False, True, False])})
    columns |= {column.name: column for column in columns_of(seen)}
    if rows is None:
        with pytest.raises(CommandError, match="is a text"):
            rows_where(columns, expression)
    else:
        assert rows_where(columns, expression).tolist() == rows


def test_logarithms_and_powers_take_the_numbers_that_are_shown(columns):
    made = values_of(columns, "-2.5 * log10(flux / 3631)")
    assert np.allclose(made.values, -2.5 * np.log10(np.array([1, 2, 4]) / 3631))
    assert np.allclose(made.error, 2.5 / np.log(10) * 0.1)
    columns |= {column.name: column for column in columns_of(QTable({"m": [20.0, 22.5, 25.0] * u.mag}))}
    assert np.allclose(values_of(columns, "10 ** (-0.4 * (m - 25))").values, [100, 10, 1])


def test_magnitudes_of_any_system_are_calculated_with():
    table = QTable({"m": [20.0, 21.0] * u.ABmag, "m_err": [0.3, 0.4] * u.mag, "k": [18.0, 18.0] * u.mag})
    table["d"] = [10.0, 100.0]
    columns = {column.name: column for column in columns_of(table)}
    for expression, values, errors in (("m - k", [2, 3], [0.3, 0.4]), ("2 * m", [40, 42], [0.6, 0.8]),
                                       ("m - 5 * log10(d) + 5", [20, 16], [0.3, 0.4])):  # fmt: skip
        found = values_of(columns, expression)
        assert found.unit == "mag"
        assert np.allclose(found.values, values)
        assert np.allclose(found.error, errors)


def test_sines_take_angles_in_their_unit(columns):
    columns |= {column.name: column for column in columns_of(QTable({"dec": [0.0, 30.0, 90.0] * u.deg}))}
    assert np.allclose(values_of(columns, "sin(dec)").values, [0, 0.5, 1])
    assert np.allclose(values_of(columns, "cos(value(dec))").values, np.cos([0, 30, 90]))


@pytest.mark.parametrize(
    ("expression", "times"),
    [("flux + flux", 2.0), ("flux - flux", 0.0), ("flux / flux", 0.0), ("flux * flux - 2 * flux", None)],
)
def test_a_column_that_stands_twice_is_one_and_the_same(columns, expression, times):
    flux, sigma = np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.2, 0.4])
    if times is None:
        columns |= {column.name: column for column in columns_of(QTable({"flux": flux, "flux_err": sigma}))}
    expected = times * sigma if times is not None else np.abs(2 * flux - 2) * sigma
    assert np.allclose(values_of(columns, expression).error, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("F116W - 1", "did you mean F115W"),
        ("flux + F115W.x", "no column 'F115W.x'"),
        ("type", "a text"),
        ("type + 1", "cannot be worked out|cannot"),
        ("spectrum", "values a row"),
        ("__import__('os')", "no function"),
        ("tan(flux)", "an angle"),
        ("F115W < 24 & n > 1", "into brackets"),
        ("F115W in (1, 2)", "each with one thing"),
        ("type > 1", "texts and numbers"),
        ("type.startswith('s')", "no function 'type.startswith'"),
        ("", "empty"),
    ],
)
def test_what_cannot_be_worked_out_is_told(columns, expression, words):
    with pytest.raises(CommandError, match=words):
        values_of(columns, expression)


@pytest.mark.parametrize("name", ["flux_err", "e_flux", "fluxerr", "FLUX_ERROR", "dflux"])
def test_columns_of_errors_are_known_by_their_names(name):
    assert error_column(["flux", name], "flux") == name
    assert error_column(["flux"], "flux") == ""

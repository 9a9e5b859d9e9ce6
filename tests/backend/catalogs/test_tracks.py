"""Isochrones moved by distance and dust, functions, and Gaussians fitted to counts."""

import numpy as np
import pytest
from astropy.table import QTable

from jviz.backend.catalogs.columns import columns_of
from jviz.backend.catalogs.extinction import extinction_curve, filter_wavelength, per_reddening
from jviz.backend.catalogs.histograms import bin_edges, counted, fit_counts
from jviz.backend.catalogs.tracks import curve_of, function_of, is_magnitude, moved_columns, track_of
from jviz.errors import CommandError


def test_the_extinction_law_gives_the_table_of_its_paper():
    """Cardelli, Clayton & Mathis (1989), table 3: A(λ) / A(V) for R = 3.1, met within 1.6 %."""
    x = np.array([2.78, 2.27, 1.82, 1.43, 1.11, 0.80, 0.63, 0.46])
    printed = [1.569, 1.337, 1.000, 0.751, 0.479, 0.282, 0.190, 0.114]
    assert np.allclose(extinction_curve(1 / x), printed, rtol=0.016)


@pytest.mark.parametrize(
    ("name", "wave"),
    [("F115Wmag", 1.15), ("F200W", 2.0), ("F770W", 7.7), ("F1500W", 15.0), ("ACS_F606W", 0.606), ("F814Wmag", 0.814),
     ("F160W", 1.6), ("WFC3_UVIS_F410M", 0.410), ("F410M", 4.1), ("Bessell_V", 0.545), ("Vmag", 0.545),
     ("Gaia_G_EDR3", 0.622), ("2MASS_Ks", 2.16), ("logL", None), ("Mini", None), ("F606W_vegamag", 0.606)],
)  # fmt: skip
def test_the_wavelength_of_a_filter_is_told_by_its_name(name, wave):
    assert filter_wavelength(name) == (pytest.approx(wave) if wave else None)


def columns(**values):
    return {column.name: column for column in columns_of(QTable(values))}


def test_distance_moves_magnitudes_and_not_colours_and_dust_dims_each_filter_by_its_own():
    table = columns(F115Wmag=[1.0, 2.0], F200Wmag=[0.5, 1.0], logL=[3.0, 4.0])
    table["F115Wmag"].unit = table["F200Wmag"].unit = "mag"
    factors = per_reddening(table)
    assert set(factors) == {"F115Wmag", "F200Wmag"}
    moved = moved_columns(table, 24.5, 0.1, factors)
    x, y = track_of(moved, "F115Wmag - F200Wmag", "F200Wmag")
    r115, r200 = 3.1 * extinction_curve(np.array([1.15, 2.0]))
    assert np.allclose(x, np.array([0.5, 1.0]) + 0.1 * (r115 - r200))
    assert np.allclose(y, np.array([0.5, 1.0]) + 24.5 + 0.1 * r200)
    assert np.array_equal(moved["logL"].values, [3.0, 4.0])
    assert np.array_equal(table["F200Wmag"].values, [0.5, 1.0])


def test_a_column_of_a_colour_or_an_error_is_no_magnitude():
    table = columns(**{"U-B": [1.0], "F200W": [1.0], "F200W_err": [0.1], "M_V": [2.0]})
    assert [name for name, column in table.items() if is_magnitude(column)] == ["F200W", "M_V"]


def test_each_age_is_a_line_of_its_own_and_rows_that_are_left_out_break_it():
    table = columns(logAge=[9.0, 9.0, 9.0, 10.0, 10.0], a=[1.0, 2.0, 3.0, 4.0, 5.0], b=[1.0, 1.0, 1.0, 2.0, 2.0])
    x, y = track_of(table, "a", "b")
    assert np.array_equal(x, [1, 2, 3, np.nan, 4, 5], equal_nan=True)
    assert np.array_equal(y, [1, 1, 1, np.nan, 2, 2], equal_nan=True)
    assert np.array_equal(track_of(table, "a", "b", "a != 2")[0], [1, np.nan, 3, np.nan, 4, 5], equal_nan=True)


def test_functions_of_x_and_of_y():
    values = np.array([1.0, 4.0])
    assert np.allclose(curve_of("24 - 2 * sqrt(x)", values), [values, [22, 20]])
    assert np.allclose(curve_of("y = 3", values), [values, [3, 3]])
    assert np.allclose(curve_of("x = 0.5 * y + 1", values), [[1.5, 3], values])
    assert np.isnan(curve_of("log10(x)", np.array([-1.0, 1.0]))[1][0])


@pytest.mark.parametrize("text", ["a * x", "x = x", "", "y = y", "__import__('os')", "x.real"])
def test_what_is_no_function_is_refused_in_one_sentence(text):
    with pytest.raises(CommandError):
        function_of(text)


@pytest.mark.parametrize(("model", "make"), [("gaussian", lambda v: v), ("lognormal", lambda v: 10.0**v)])
def test_a_gaussian_fitted_to_counts_gives_the_truth_with_the_errors_of_the_closed_form(model, make):
    rng = np.random.default_rng(3)
    n, centre, sigma = 4000, 0.4, 0.15
    pulls = []
    for _ in range(200):
        values = make(rng.normal(centre, sigma, n))
        edges = bin_edges(values, 40, log=model == "lognormal")
        fit = fit_counts(edges, counted(values, edges), model)
        pulls.append([(fit.centre - centre) / fit.errors[1], (fit.sigma - sigma) / fit.errors[2]])
    pulls = np.array(pulls)
    assert np.abs(pulls.mean(0)).max() < 0.2
    assert np.allclose(pulls.std(0), 1, atol=0.15)
    # without bins: σ/√n and σ/√2n
    assert np.allclose(fit.errors[1:], [sigma / np.sqrt(n), sigma / np.sqrt(2 * n)], rtol=0.06)


def test_too_few_bins_are_said():
    with pytest.raises(ValueError, match="four bins"):
        fit_counts(np.arange(4.0), np.array([1.0, 0, 3]), "gaussian")

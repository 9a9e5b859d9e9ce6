"""Errors of medians against medians of random numbers."""

import numpy as np
import pytest

from jviz.backend.spectra.median_errors import median_factor, variance_of_medians

PATTERNS = [
    [1, 1, 1], [1, 1, 0.1], [1, 0.1, 0.1], [1, 0.5, 0.2], [1, 1, 0.2, 0.2], [0.1, 0.1, 0.1, 1], [1, 1, 1, 0.1, 0.1],
    [0.1, 0.2, 0.3, 0.2, 0.2, 0.1, 0.3], [1.0] * 10 + [0.1] * 10, [1.0] * 15 + [0.1] * 4, list(np.linspace(0.1, 1, 20)),
    [1, 10], [0.5],
]  # fmt: skip


@pytest.mark.parametrize("errors", PATTERNS, ids=str)
def test_medians_of_values_that_differ_have_the_scatter_of_simulated_ones(errors):
    errors = np.array(errors, float)
    drawn = errors * np.random.default_rng(8).standard_normal((60_000, len(errors)))
    [found] = variance_of_medians(errors[:, np.newaxis] ** 2, np.ones((len(errors), 1), bool))
    assert np.sqrt(found) == pytest.approx(np.median(drawn, axis=1).std(), rel=0.06)


def test_missing_values_take_no_part_and_columns_are_independent():
    rng = np.random.default_rng(4)
    variances = rng.uniform(0.1, 3, (9, 40))
    good = rng.uniform(size=(9, 40)) > 0.3
    good[:, 0] = False
    variances[~good] = np.nan
    whole = variance_of_medians(variances, good)
    assert np.isnan(whole[0])
    for n in range(1, 40):
        chosen = variances[good[:, n], n][:, np.newaxis]
        assert whole[n] == pytest.approx(variance_of_medians(chosen, np.ones(chosen.shape, bool))[0])


def test_values_that_are_alike_have_the_factor_of_medians():
    same = np.full((7, 3), 4.0)
    np.testing.assert_allclose(variance_of_medians(same, np.ones(same.shape, bool)), 4 * median_factor(7))

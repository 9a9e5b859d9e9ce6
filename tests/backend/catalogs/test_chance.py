"""Matches by chance: the estimate against catalogues of which it is known which pairs are real."""

import numpy as np
import pytest

from jviz.backend.catalogs.chance import chance_matches
from jviz.backend.catalogs.matching import match_places, on_sphere, one_to_one


def plane(rng, n, m, real, side=1000.0, scatter=0.3):
    first = rng.uniform(0, side, (n, 2))
    second = np.concatenate([first[:real] + rng.normal(0, scatter, (real, 2)), rng.uniform(0, side, (m - real, 2))])
    return first, second


@pytest.mark.parametrize(
    ("n", "m", "real", "radius"), [(2000, 3000, 1000, 3.0), (1000, 8000, 300, 2.0), (500, 500, 0, 6.0)]
)
def test_the_estimate_is_the_number_of_false_pairs(n, m, real, radius):
    rng, misses, errors = np.random.default_rng(n), [], []
    for _ in range(12):
        first, second = plane(rng, n, m, real)
        pairs = one_to_one(match_places(first, second, radius))
        false = int(((pairs.first != pairs.second) | (pairs.first >= real)).sum())
        found = chance_matches(first, second, radius, pairs.separation, seed=int(rng.integers(1000)))
        misses.append(found.count - false)
        errors.append(found.error)
    assert abs(np.mean(misses)) < 2 * np.mean(errors) / np.sqrt(len(misses)) + 0.05 * np.mean(errors) ** 2
    assert np.std(misses) < 1.8 * np.mean(errors)


def test_without_strangers_there_are_no_false_matches():
    rng = np.random.default_rng(1)
    first = rng.uniform(0, 1e4, (300, 2))
    second = first + rng.normal(0, 0.1, first.shape)
    pairs = one_to_one(match_places(first, second, 1.0))
    found = chance_matches(first, second, 1.0, pairs.separation)
    assert len(pairs) == 300
    assert found.count < 0.5


def test_all_pairs_of_strangers_are_as_many_as_the_density_says():
    """n rows, each with ρ π r² strangers."""
    rng = np.random.default_rng(2)
    first, second = plane(rng, 3000, 6000, 0)
    pairs = match_places(first, second, 5.0)
    found = chance_matches(first, second, 5.0, pairs.separation, best=False)
    expected = 3000 * 6000 / 1000**2 * np.pi * 25
    assert found.count == pytest.approx(expected, rel=0.05)
    assert found.count == pytest.approx(len(pairs), abs=4 * found.error)


def test_the_share_grows_with_the_separation_and_ends_at_the_whole():
    rng = np.random.default_rng(3)
    first, second = plane(rng, 2000, 6000, 1000)
    pairs = one_to_one(match_places(first, second, 5.0))
    found = chance_matches(first, second, 5.0, pairs.separation)
    order = np.argsort(pairs.separation)
    assert found.share[order[-1]] == pytest.approx(found.count / len(pairs), abs=0.01)
    assert found.share[order[100]] < 0.02
    assert np.corrcoef(pairs.separation, found.share)[0, 1] > 0.8


def test_the_sphere_gives_the_same_as_the_plane():
    rng = np.random.default_rng(4)
    first, second = plane(rng, 2000, 3000, 1000)
    flat = one_to_one(match_places(first, second, 3.0))
    here = chance_matches(first, second, 3.0, flat.separation)
    wide = np.cos(np.radians(85))
    far = [on_sphere(40 + p[:, 0] / 3600 / wide, 85 + p[:, 1] / 3600) for p in (first, second)]
    chord = 2 * np.sin(np.radians(3 / 3600) / 2)
    pairs = one_to_one(match_places(*far, chord))
    there = chance_matches(*far, chord, pairs.separation)
    assert there.count == pytest.approx(here.count, abs=2 * here.error)

"""The weighted Voronoi tessellation against all distances."""

import numpy as np
import pytest

from jviz.backend.cubes.tessellation import assign, sorted_into_cells


@pytest.mark.parametrize("spread", [1.0, 30.0])
@pytest.mark.parametrize("number", [1, 7, 400])
def test_each_place_goes_to_the_generator_nearest_in_its_own_scale(number, spread):
    rng = np.random.default_rng(number)
    rows, columns = np.mgrid[:41, :57].reshape(2, -1)
    places = np.stack([columns, rows], axis=1).astype(float)
    generators = rng.uniform(0, 1, (number, 2)) * [56, 40]
    scale = np.exp(rng.uniform(0, np.log(spread), number)) if spread > 1 else np.ones(number)
    label = np.empty(len(places), np.int64)
    assign(places, generators, scale, *sorted_into_cells(generators, (56.0, 40.0)), label)
    distance = np.linalg.norm(places[:, None] - generators[None], axis=2) / scale
    assert np.allclose(distance[np.arange(len(places)), label], distance.min(axis=1))

"""Statistics of channels, worked out again by numpy in double precision."""

import numpy as np
import pytest

from jviz.backend.cubes import planes
from jviz.backend.cubes.planes import plane_statistics
from jviz.backend.cubes.source import CubeSource
from jviz.backend.progress import Cancelled
from jviz.backend.spectra.medians import nan_median
from tests.backend.render.planes import plane_of, plane_on_disk

SHAPE = (37, 11, 13)


@pytest.fixture
def values():
    cube = np.random.default_rng(3).normal(1e4, 0.1, SHAPE).astype(np.float32)
    cube[np.random.default_rng(4).random(SHAPE) < 0.2] = np.nan
    cube[5] = np.nan
    cube[6, 0, 0] = np.inf
    return cube


@pytest.mark.parametrize("part", [1, 300, 1 << 22])
@pytest.mark.parametrize("spectral", [0, 1, 2])
def test_numbers_are_those_of_numpy_whatever_the_parts_and_the_order_of_axes(values, tmp_path, monkeypatch, part,
                                                                            spectral):  # fmt: skip
    monkeypatch.setattr(planes, "PART", part)
    turned = np.ascontiguousarray(np.moveaxis(values, 0, spectral))
    found = plane_statistics(CubeSource(plane_on_disk(tmp_path, turned), spectral))
    good = np.where(np.isfinite(values), values, np.nan).astype(float).reshape(len(values), -1)
    some = np.isfinite(good).any(axis=1)
    np.testing.assert_array_equal(found.number, np.isfinite(good).sum(axis=1))
    for name, function in (("mean", np.nanmean), ("std", np.nanstd), ("least", np.nanmin), ("greatest", np.nanmax)):
        made = getattr(found, name)
        np.testing.assert_allclose(made[some], function(good[some], axis=1), rtol=1e-9 if name != "std" else 1e-6)
        assert np.isnan(made[~some]).all()
    assert found.whole == pytest.approx(
        (np.isfinite(good).sum(), np.nanmean(good), np.nanstd(good), np.nanmin(good), np.nanmax(good)), rel=1e-6
    )
    assert np.isfinite(nan_median(found.mean))


def test_a_cube_without_a_value_has_none(tmp_path):
    found = plane_statistics(CubeSource(plane_of(np.full((3, 2, 2), np.nan, np.float32))))
    assert found.whole[0] == 0
    assert np.isnan(found.whole[1:]).all()


def test_it_can_be_cancelled(values, monkeypatch):
    monkeypatch.setattr(planes, "PART", 1)

    def report(done, total, text):
        if done > 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        plane_statistics(CubeSource(plane_of(values)), report)

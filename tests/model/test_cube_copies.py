"""Copies of cubes in the cache: made in the background, of use for slabs, given up with the data, none without room."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from jviz import JvizError, Session, cube_copies
from jviz.backend import cache
from jviz.backend.progress import silent
from jviz.cube_pictures import slab_map
from tests.model.test_full_disk import small_disk


@pytest.fixture
def cube(tmp_path, monkeypatch):
    """A cube that counts as large, in a session."""
    monkeypatch.setattr(cube_copies, "SMALL", 1000)
    values = np.random.default_rng(5).normal(3, 1, size=(130, 12, 14)).astype(np.float32)
    values[7, 3, 4] = np.nan
    hdu = fits.PrimaryHDU(values)
    hdu.header.update({"CTYPE3": "WAVE", "CUNIT3": "um", "CRVAL3": 1.0, "CDELT3": 0.01, "CRPIX3": 1.0})
    hdu.writeto(tmp_path / "cube.fits")
    session = Session()
    [data] = session.open(tmp_path / "cube.fits")
    yield session, data
    session.close()


@pytest.mark.parametrize("statistic", ["sum", "mean", "moment0", "moment1"])
def test_slabs_are_the_same_with_and_without_the_copy(cube, statistic):
    session, data = cube
    slab = (1.043, 2.171, statistic)
    before = slab_map(data, "", slab, silent)
    job = cube_copies.make_copy(session, data)
    job.result(60)
    assert cube_copies.copy_of(data).shape == (130, 12, 14)
    del data._slab_sums  # or it would be the same sums again
    np.testing.assert_allclose(slab_map(data, "", slab, silent), before, rtol=2e-6)
    assert cube_copies.make_copy(session, data) is None  # once is enough


def test_no_copy_without_room_and_none_of_what_is_small(cube, monkeypatch):
    session, data = cube
    assert cube_copies.is_worth_it(data, 10**9)
    assert not cube_copies.is_worth_it(data, 10_000)
    monkeypatch.setattr(cube_copies, "SMALL", 10**9)
    assert not cube_copies.is_worth_it(data, 10**9)
    assert cube_copies.make_copy(session, data) is None


def test_the_copy_is_given_up_when_the_data_are_removed(cube):
    session, data = cube
    session.run("data.remove", data=data)
    job = cube_copies.make_copy(session, data)
    with pytest.raises(JvizError, match="was cancelled"):
        job.result(60)
    assert job.is_over
    assert cube_copies.copy_of(data) is None


@pytest.mark.parametrize("statistic", ["sum", "mean", "moment0", "moment1", "moment2"])
def test_a_slab_that_is_dragged_is_that_of_its_range(cube, statistic):
    _, data = cube
    for low in (1.043, 1.052, 1.048, 1.3):
        dragged = slab_map(data, "", (low, low + 0.9, statistic), silent)
        kept = data.__dict__.pop("_slab_sums", None)
        alone = slab_map(data, "", (low, low + 0.9, statistic), silent)
        np.testing.assert_allclose(dragged, alone, rtol=1e-8)
        if kept is not None:
            data._slab_sums = kept


def test_a_disk_that_is_full_leaves_the_file_to_serve(cube):
    session, data = cube
    slab = (1.043, 2.171, "moment0")
    before = slab_map(data, "", slab, silent)
    with small_disk(20_000):
        cube_copies.make_copy(session, data).result(60)
    assert any("cannot be written" in text and "goes on with the file" in text for _, text in session.notices)
    assert cube_copies.copy_of(data) is None
    assert not [path for path in cache.folder("").rglob("*") if "spectra" in path.name and path.stat().st_size]
    np.testing.assert_array_equal(slab_map(data, "", slab, silent), before)

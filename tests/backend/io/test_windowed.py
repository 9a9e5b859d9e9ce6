"""Arrays read and written window by window: what numpy gives for the same indices."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.io import windowed
from jviz.backend.io.windowed import Opened, Windowed
from jviz.errors import ReadError

SHAPE = (7, 5, 6)
VALUES = np.arange(210, dtype=">f4").reshape(SHAPE)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("windows") / "values"
    path.write_bytes(b"\1" * 2880 + VALUES.tobytes())
    return path


def of(path, how=os.O_RDONLY):
    return Windowed(Opened(os.open(path, how), path.name), np.dtype(">f4"), SHAPE, 2880)


def key(size):
    whole = st.integers(-size, size - 1)
    part = st.slices(size)
    return whole | part


@given(order=st.permutations(range(3)), data=st.data(), size=st.sampled_from([1, 250, 1 << 20]))
def test_parts_are_those_of_the_array(path, order, data, size):
    expected = VALUES.transpose(order)
    index = tuple(data.draw(key(n)) for n in expected.shape)[: data.draw(st.integers(0, 3))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windowed, "WINDOW", size)
        found = of(path).transpose(order)
        assert found.shape == expected.shape
        np.testing.assert_array_equal(np.asarray(found[index]), expected[index])
        np.testing.assert_array_equal(np.moveaxis(found, 2, 0)[1], np.moveaxis(expected, 2, 0)[1])


def test_lists_of_places_and_sections(path):
    found = of(path)
    rows, columns = np.array([0, 3]), np.array([1, 2, 5])
    np.testing.assert_array_equal(found[2][np.ix_(rows, columns)], VALUES[2][np.ix_(rows, columns)])
    np.testing.assert_array_equal(found[np.array([1, 4, 6]), 1:3], VALUES[np.array([1, 4, 6]), 1:3])
    section = found.reshape(-1, 7, 5, 6)[0]
    assert isinstance(section, Windowed)
    np.testing.assert_array_equal(section[3], VALUES[3])
    with pytest.raises(ValueError, match="cannot take"):
        found.reshape(4, 5)


@given(order=st.permutations(range(3)), data=st.data())
def test_what_is_written_is_what_an_array_would_hold(tmp_path_factory, order, data):
    path = tmp_path_factory.mktemp("written") / "values"
    path.write_bytes(b"\1" * 2880 + VALUES.tobytes())
    expected = VALUES.copy().transpose(order)
    index = tuple(data.draw(key(n)) for n in expected.shape)
    values = np.random.default_rng(1).normal(size=expected[index].shape).astype("f4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windowed, "WINDOW", 250)
        of(path, os.O_RDWR).transpose(order)[index] = values
    expected[index] = values
    np.testing.assert_array_equal(np.asarray(of(path).transpose(order)), expected)
    assert path.read_bytes()[:2880] == b"\1" * 2880


def test_a_file_that_was_cut_is_told(tmp_path):
    path = tmp_path / "values"
    path.write_bytes(b"\1" * 2880 + VALUES.tobytes())
    found = of(path)
    path.write_bytes(b"\1" * 3000)
    with pytest.raises(ReadError, match="cut short"):
        found[6]

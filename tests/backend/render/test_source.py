"""Parts of mapped files: which bytes are asked for beforehand, and that they are read then."""

import ctypes
import mmap
import os
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.render import source
from jviz.backend.render.source import Source, in_memory, will_need
from tests.backend.render.planes import plane_on_disk

ends = st.tuples(st.integers(0, 5), st.integers(1, 6), st.integers(1, 3))


@given(first=ends, second=ends, third=ends, gap=st.sampled_from([0, 8, 64]), order=st.permutations(range(3)))
def test_pieces_hold_every_value_of_a_part_and_lie_within_it(first, second, third, gap, order):
    whole = np.zeros((7, 9, 11), np.float32)
    low = np.lib.array_utils.byte_bounds(whole)[0]
    part = whole[tuple(slice(start, start + size, step) for start, size, step in (first, second, third))]
    part = part.transpose(order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "GAP", gap)
        pieces = list(source._pieces(part))
    start, stop = (end - low for end in np.lib.array_utils.byte_bounds(part))
    part[...] = 1.0
    used = np.flatnonzero(whole.ravel()) * 4
    for byte in used:
        assert any(start + offset <= byte and byte + 4 <= start + offset + length for offset, length in pieces)
    assert all(offset >= 0 and offset + length <= stop - start for offset, length in pieces)


def resident(mapped: np.ndarray) -> np.ndarray:
    """Ask the system which pages of a mapped array are in memory."""
    low, high = np.lib.array_utils.byte_bounds(mapped)
    start = low - low % mmap.PAGESIZE
    found = (ctypes.c_ubyte * -(-(high - start) // mmap.PAGESIZE))()
    assert ctypes.CDLL(None).mincore(ctypes.c_void_p(start), ctypes.c_size_t(high - start), found) == 0
    return np.frombuffer(found, np.uint8) & 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell in other ways what is in memory")
def test_a_cold_part_is_read_without_being_touched(tmp_path):
    plane = plane_on_disk(tmp_path, np.ones((64, 512, 512), np.float32))
    with open(tmp_path / "pixels", "rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    part = plane.raw()[::4, :8]
    if resident(plane.raw()).any():
        pytest.skip("the system does not let go of the file")
    part.setflags(write=False)
    assert not in_memory(part[3])
    will_need(part)
    end = time.monotonic() + 10
    while not all(resident(plane.raw()[k, :8]).all() for k in range(0, 64, 4)) and time.monotonic() < end:
        time.sleep(0.01)
    assert all(resident(plane.raw()[k, :8]).all() for k in range(0, 64, 4))
    assert all(in_memory(row) for row in part)
    assert not resident(plane.raw()[2, 100:400]).any()


def test_an_array_that_no_file_holds_is_in_memory():
    assert in_memory(np.ones(5000))


def test_what_is_picked_is_what_lies_there(tmp_path):
    values = np.arange(3 * 40 * 50, dtype=np.float32).reshape(3, 40, 50)
    found = Source(plane_on_disk(tmp_path, values), (1,))
    rows, columns = np.array([3, 9, 30]), np.array([0, 7, 8])
    np.testing.assert_array_equal(found.pick(rows, columns), values[1][np.ix_(rows, columns)])
    np.testing.assert_array_equal(found.pick(rows[:1], columns), values[1][np.ix_(rows[:1], columns)])

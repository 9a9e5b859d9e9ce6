"""What root may do beyond others, taken away for a while: of this thread and those that it starts."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VERSION = 0x20080522
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2
"""Numbers of Linux' capabilities to read and write what permissions forbid (capabilities(7))."""


class Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("thread", ctypes.c_int))


class Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def without_overriding_permissions() -> Iterator[None]:
    """Have permissions of files count; skips the test where the system has no capabilities."""
    library = ctypes.CDLL(None, use_errno=True)
    header, sets = Header(VERSION, 0), (Sets * 2)()
    if not hasattr(library, "capget") or library.capget(ctypes.byref(header), sets):
        pytest.skip("root may read everything here")
    before = sets[0].effective
    sets[0].effective &= ~(1 << DAC_OVERRIDE | 1 << DAC_READ_SEARCH)
    if library.capset(ctypes.byref(header), sets):
        pytest.skip("root may read everything here")
    try:
        yield
    finally:
        sets[0].effective = before
        library.capset(ctypes.byref(header), sets)

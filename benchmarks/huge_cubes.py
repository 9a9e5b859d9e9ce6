"""The same for a cube of 10 GB, larger than the memory of many computers; needs 25 GB of disk, else it is left out."""

from __future__ import annotations

import shutil
import tempfile

from benchmarks.cubes import viewing
from benchmarks.make_cube import big_cube
from benchmarks.timing import Row, offscreen

__all__ = ["rows"]

CHANNELS = 15_700
NEEDED = 25e9


def rows() -> list[Row]:
    """Measure a cube viewer without and with the copy of spectra."""
    path = big_cube(CHANNELS, make=False)
    if min(shutil.disk_usage(folder).free for folder in (path.parent.parent, tempfile.gettempdir())) < NEEDED:
        return []
    with offscreen() as (application, _):
        return viewing(application, big_cube(CHANNELS))

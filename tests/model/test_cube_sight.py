"""Which cubes carry on the spectra of others: bands one after the other, of the same unit."""

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.cube_sight import continued


@pytest.fixture
def cube(tmp_path):
    session = jviz.Session()

    def made(name, first, last, *, kind="WAVE", unit="um", bunit="MJy/sr"):
        header = fits.Header({"CTYPE3": kind, "CRVAL3": first, "CRPIX3": 1, "CUNIT3": unit, "BUNIT": bunit})
        header["CDELT3"] = (last - first) / 99
        fits.PrimaryHDU(np.zeros((100, 2, 2), np.float32), header).writeto(tmp_path / f"{name}.fits")
        [found] = session.open(tmp_path / f"{name}.fits")
        _ = found.axis
        return found

    yield made
    session.close()


def test_bands_follow_each_other_in_any_order(cube):
    one, two, three, four = (cube(f"b{k}", first, first + 1.1) for k, first in enumerate((5.0, 6.0, 7.0, 8.0)))
    assert set(continued([two], [four, one, three])) == {one, two, three, four}
    assert continued([one], [four, three]) == [one]  # what lies between is not there
    assert continued([one, four], [three]) == [one, four, three]


def test_what_counts_something_else_or_the_same_band_does_not(cube):
    one = cube("one", 5.0, 6.0)
    others = [
        cube("same", 5.2, 6.2),
        cube("flux", 6.0, 7.0, bunit="Jy/beam"),
        cube("far", 1300.0, 1301.0),
        cube("frequency", 4.3e13, 5.0e13, kind="FREQ", unit="Hz"),  # 6.0 to 7.0 µm
        cube("plain", 0.0, 99.0, kind="LINEAR", unit=""),
    ]
    assert continued([one], others) == [one]


def test_bands_of_frequencies_follow_each_other_too(cube):
    low, high = (cube(str(f), f * 1e9, (f + 2) * 1e9, kind="FREQ", unit="Hz") for f in (110, 112))
    assert continued([high], [low]) == [high, low]

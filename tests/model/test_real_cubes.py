"""Cubes of many telescopes, as their files are and with the axes turned: in the right place."""

from __future__ import annotations

import gzip
from itertools import permutations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from jviz import Session

# file, shape (spectral, y, x), quantity, unit, medium, first and last value in that unit
CUBES = [
    ("jw01022-o023_t001_miri_ch2-short_s3d_nav.fits", (625, 35, 35), "wavelength", "um", "vacuum", 7.511, 8.759),
    ("muse_udf_subcube.fits", (500, 30, 30), "wavelength", "Angstrom", "air", 4750.0, 5373.75),
    ("gmos_ngc3081_cube.fits", (1800, 8, 6), "wavelength", "", "", 5627.89, 6848.140906),
    ("l1448_13co.fits", (53, 105, 105), "velocity", "m s-1", "", 2528.19489695, 5982.22261695),
    ("alma_perplanebeam.fits", (11, 21, 20), "frequency", "Hz", "", 90736348500.0, 90736043315.3),
    ("alma_m17_4d.fits", (5, 6, 6), "frequency", "Hz", "", 86750419200.0, 86749442286.8),
]


@pytest.mark.parametrize(
    ("name", "shape", "quantity", "unit", "medium", "first", "last"), CUBES, ids=[c[0] for c in CUBES]
)
def test_axes_of_real_cubes(shared_data, name, shape, quantity, unit, medium, first, last):
    session = Session()
    [cube] = session.open(shared_data / name)
    axis = cube.axis
    assert (cube.shape, axis.quantity, axis.medium, axis.array_axis) == (shape, quantity, medium, 0)
    assert unit in ("", axis.unit)
    np.testing.assert_allclose(axis.values[[0, -1]], [first, last], rtol=2e-6)


@pytest.mark.parametrize("name", [c[0] for c in CUBES if "gmos" not in c[0] and "4d" not in c[0]])
@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
@pytest.mark.parametrize("order", list(permutations((0, 1, 2)))[1:], ids=str)
def test_turned_copies_of_real_cubes_lie_at_the_same_place(shared_data, tmp_path, name, order):
    with fits.open(shared_data / name) as units:
        unit = next(u for u in units if u.header.get("NAXIS") == 3 and u.data is not None)
        values = np.transpose(unit.data[:10, :9, :8], order)
        wcs = WCS(unit.header, units).sub([3 - axis for axis in order][::-1])
    turned = fits.PrimaryHDU(values, wcs.to_header())
    turned.writeto(tmp_path / "turned.fits")
    whole, session = Session(), Session()
    [home] = whole.open(shared_data / name)
    [cube] = session.open(tmp_path / "turned.fits")
    np.testing.assert_array_equal(cube.get(np.ndarray), values)
    swapped = order.index(1) > order.index(2)  # y and x changed places
    assert cube.shape == ((10, 8, 9) if swapped else (10, 9, 8))
    metres = {"um": 1e-6, "Angstrom": 1e-10}.get(home.axis.unit, 1.0)
    np.testing.assert_allclose(cube.axis.values, home.axis.values[:10] * metres, rtol=1e-9)
    x, y = 3, 5
    place = (y, x) if swapped else (x, y)
    np.testing.assert_allclose(cube.sky.pixel_to_sky(*place), home.sky.pixel_to_sky(x, y), atol=2e-7)
    mine = cube.raster("", (7,)).value(*place)
    assert mine == home.raster("", (7,)).value(x, y) or np.isnan(mine)


def test_stokes_parameters_open_as_cubes_and_a_plain_array_has_channels(tmp_path):
    hdu = fits.PrimaryHDU(np.arange(2 * 5 * 4 * 3, dtype=np.float32).reshape(2, 5, 4, 3))
    for number, kind in enumerate(("RA---SIN", "DEC--SIN", "VRAD", "STOKES"), start=1):
        hdu.header.update({f"CTYPE{number}": kind, f"CRVAL{number}": 1.0, f"CDELT{number}": 1.0, f"CRPIX{number}": 1.0})
    hdu.writeto(tmp_path / "stokes.fits")
    session = Session()
    first, second = session.open(tmp_path / "stokes.fits")
    assert first.shape == second.shape == (5, 4, 3)
    assert second.raster("", (2,)).value(1, 3) == hdu.data[1, 2, 3, 1]
    plain = session.add(np.zeros((6, 4, 5), np.float32), name="plain")
    assert (plain.kind, plain.axis.quantity, len(plain.axis)) == ("cube", "channel", 6)


def test_a_step_of_zero_is_said_and_channels_are_numbered(tmp_path):
    hdu = fits.PrimaryHDU(np.zeros((4, 3, 3), np.float32))
    hdu.header.update({"CTYPE3": "WAVE", "CUNIT3": "um", "CRVAL3": 5.0, "CDELT3": 0.0, "CRPIX3": 1.0})
    with gzip.open(tmp_path / "zero.fits.gz", "wb") as stream:
        hdu.writeto(stream)
    [cube] = Session().open(tmp_path / "zero.fits.gz")
    assert "CDELT3 is 0" in cube.axis.notes[0]
    np.testing.assert_array_equal(cube.axis.values, range(4))

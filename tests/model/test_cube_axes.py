"""Cubes with the spectral axis anywhere: seen with it first, given back as the file has them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from jviz import Session
from jviz.cube_choice import is_unclear
from jviz.spectral_display import axis_name, scale_of

CARDS = {
    "spectral": {"CTYPE": "VRAD", "CRVAL": 1.0e4, "CDELT": 500.0, "CRPIX": 2.0, "CUNIT": "m/s"},
    "ra": {"CTYPE": "RA---TAN", "CRVAL": 150.0, "CDELT": -1e-3, "CRPIX": 3.0, "CUNIT": "deg"},
    "dec": {"CTYPE": "DEC--TAN", "CRVAL": 2.0, "CDELT": 1e-3, "CRPIX": 4.0, "CUNIT": "deg"},
}
SIZES = {"spectral": 5, "ra": 7, "dec": 9}


def written(path, order):
    """Write a cube whose FITS axes 1, 2 and 3 are ``order``; returns its values."""
    values = np.random.default_rng(1).normal(size=[SIZES[name] for name in order][::-1]).astype(np.float32)
    unit = fits.PrimaryHDU(values)
    for number, name in enumerate(order, start=1):
        for key, value in CARDS[name].items():
            unit.header[f"{key}{number}"] = value
    unit.writeto(path)
    return values


@pytest.mark.parametrize("order", list(permutations(CARDS)), ids="-".join)
def test_any_order_of_axes_shows_the_sky_and_the_right_channel(tmp_path, order):
    values = written(tmp_path / "cube.fits", order)
    session = Session()
    [cube] = session.open(tmp_path / "cube.fits")
    np.testing.assert_array_equal(cube.get(np.ndarray), values)
    assert cube.shape[0] == SIZES["spectral"]
    np.testing.assert_allclose(cube.axis.values, 1.0e4 + 500.0 * (np.arange(5) - 1))
    assert cube.axis.array_axis == 0
    place = {"spectral": 3, "ra": 4, "dec": 6}
    pixel = [place[name] for name in order]
    world = WCS(fits.getheader(tmp_path / "cube.fits")).pixel_to_world_values(*pixel)
    sky = [name for name in order if name != "spectral"]
    lon, lat = cube.sky.pixel_to_sky(place[sky[0]], place[sky[1]])
    np.testing.assert_allclose([lon, lat], [world[order.index("ra")], world[order.index("dec")]], atol=1e-10)
    expected = values[tuple(pixel[::-1])]
    assert cube.raster("", (3,)).value(place[sky[0]], place[sky[1]]) == pytest.approx(expected)
    assert cube.source().value(3, place[sky[1]], place[sky[0]]) == pytest.approx(expected)


@pytest.mark.parametrize(("broken", "code", "unit", "expected"), [
    ({"CTYPE1": "RA---XYZ"}, "WAVE", "um", ("um", "wavelength", 5.2)),
    ({"CTYPE1": "RA---XYZ"}, "FREQ", "", ("Hz", "frequency", 5.2)),
    ({"CTYPE1": "RA---XYZ"}, "WAVE", "furlong", ("", "channel", 2.0)),
    ({"CTYPE1": "RA---XYZ", "CDELT3": 0.0}, "WAVE", "um", ("", "channel", 2.0)),
])  # fmt: skip
def test_a_sound_spectral_axis_beside_a_broken_sky_is_used(tmp_path, broken, code, unit, expected):
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CTYPE3": code, "CUNIT3": unit, "CRVAL3": 5.0,
                          "CDELT3": 0.1, "CRPIX3": 1.0, "CDELT1": -1e-4, "CDELT2": 1e-4, **broken})  # fmt: skip
    fits.PrimaryHDU(np.ones((6, 4, 5), np.float32), header).writeto(tmp_path / "cube.fits")
    session = Session(settings={})
    [cube] = session.open(tmp_path / "cube.fits")
    axis = cube.axis
    assert (axis.unit, axis.quantity, axis.values[2]) == (*expected[:2], pytest.approx(expected[2]))
    assert len(axis.notes) == 1
    assert any("make no sense" in note for note in cube.wcs_notes)
    session.close()


def test_wavelengths_without_a_unit_are_asked_about_and_not_called_channels(tmp_path):
    header = fits.Header({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR", "CTYPE3": "LAMBDA", "CRVAL3": 5600.0, "CDELT3": 0.5,
                          "CRPIX3": 1.0})  # fmt: skip
    fits.PrimaryHDU(np.zeros((5, 6, 7), np.float32), header).writeto(tmp_path / "gmos.fits")
    session = Session()
    [cube] = session.open(tmp_path / "gmos.fits")
    assert is_unclear(cube)
    assert (cube.axis.quantity, cube.axis.unit) == ("wavelength", "")
    scale = scale_of(cube.axis)
    assert (axis_name(cube.axis, scale), scale.text(1), scale.is_channels) == ("Wavelength", "5600.50", False)
    assert scale_of(cube.axis, "channel").is_channels
    session.run("cube.spectral_axis", data=cube, unit="Angstrom")
    cube = session["gmos"]
    assert not is_unclear(cube)
    assert scale_of(cube.axis).text(1) == "5600.50 Å"
    session.close()

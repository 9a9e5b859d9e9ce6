"""Pixels, telescope and sky: there and back, and as other code works it out."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.modeling.rotations import RotationSequence3D

from jviz.backend.simulate.geometry import Pointing
from jviz.backend.simulate.imaging import FRAME

POINTING = Pointing(80.4, -69.5, 37.0, 120.0, -527.0)


@pytest.fixture
def pixels():
    x, y = np.meshgrid(np.linspace(-5, 2053, 12), np.linspace(-5, 2053, 12))
    return x, y


def test_pixels_come_back_from_the_telescope(pixels):
    back = FRAME.from_telescope(*FRAME.to_telescope(*pixels))
    np.testing.assert_allclose(back, pixels, atol=1e-9)


def test_the_model_of_the_reference_file_is_the_same_map_with_its_inverse(pixels):
    model = FRAME.model()
    np.testing.assert_allclose(model(*pixels), FRAME.to_telescope(*pixels), rtol=0, atol=1e-9)
    np.testing.assert_allclose(model.inverse(*model(*pixels)), pixels, atol=2e-6)


def test_solid_angles_are_the_determinant_of_the_map(pixels):
    x, y = pixels
    step = 0.5
    right, left = FRAME.to_telescope(x + step, y), FRAME.to_telescope(x - step, y)
    up, down = FRAME.to_telescope(x, y + step), FRAME.to_telescope(x, y - step)
    determinant = np.abs((right[0] - left[0]) * (up[1] - down[1]) - (right[1] - left[1]) * (up[0] - down[0]))
    np.testing.assert_allclose(FRAME.area(x, y), determinant / (FRAME.scale_x * FRAME.scale_y), rtol=1e-9)


def test_the_sky_is_where_rotations_of_astropy_put_it():
    v2, v3 = np.array([0.0, 100, -300, 120]), np.array([0.0, -400, 200, -527])
    # Rotations of astropy turn the axes, not the vectors.
    angles = [POINTING.v2 / 3600, -POINTING.v3 / 3600, POINTING.roll, POINTING.dec, -POINTING.ra]
    rotation = RotationSequence3D(angles, axes_order="zyxyz")
    lon, lat = np.radians(v2 / 3600), np.radians(v3 / 3600)
    x, y, z = rotation(np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    ra, dec = POINTING.to_sky(v2, v3)
    np.testing.assert_allclose(ra, np.degrees(np.arctan2(y, x)) % 360, atol=1e-11)
    np.testing.assert_allclose(dec, np.degrees(np.arcsin(z)), atol=1e-11)
    np.testing.assert_allclose(POINTING.from_sky(ra, dec), (v2, v3), atol=1e-7)


def test_v3_points_along_the_roll_and_a_moved_pointing_moves_the_sky():
    here = SkyCoord(*POINTING.to_sky(POINTING.v2, POINTING.v3), unit="deg")
    up = SkyCoord(*POINTING.to_sky(POINTING.v2, POINTING.v3 + 1), unit="deg")
    assert here.position_angle(up).deg == pytest.approx(POINTING.roll, abs=1e-3)
    there = POINTING.moved(0.020, -0.035)
    moved = SkyCoord(*there.to_sky(POINTING.v2, POINTING.v3), unit="deg")
    east, north = here.spherical_offsets_to(moved)
    assert east.to_value("mas") == pytest.approx(20, abs=1e-3)
    assert north.to_value("mas") == pytest.approx(-35, abs=1e-3)

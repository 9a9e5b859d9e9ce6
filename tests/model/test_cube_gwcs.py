"""Operations on cubes whose WCS is a GWCS: what comes of them stays on the sky."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import ICRS, SkyCoord
from astropy.modeling import models
from astropy.nddata import NDData
from gwcs import WCS, coordinate_frames

import jviz

SHAPE = (40, 20, 30)


@pytest.fixture
def session():
    return jviz.Session()


@pytest.fixture
def cube(session):
    turn = models.AffineTransformation2D(np.array([[-3e-5, 1e-5], [1e-5, 3e-5]]))
    sky = models.Shift(-14.5) & models.Shift(-9.5) | turn | models.Pix2Sky_TAN()
    whole = (sky | models.RotateNative2Celestial(150.1, 62.2, 180)) & (models.Scale(0.01) | models.Shift(5.0))
    detector = coordinate_frames.CoordinateFrame(3, ["PIXEL"] * 3, (0, 1, 2), unit=[u.pix] * 3, name="detector")
    frames = [coordinate_frames.CelestialFrame(axes_order=(0, 1), reference_frame=ICRS(), unit=(u.deg, u.deg)),
              coordinate_frames.SpectralFrame(axes_order=(2,), unit=u.um)]  # fmt: skip
    wcs = WCS([(detector, whole), (coordinate_frames.CompositeFrame(frames, name="world"), None)])
    wcs.bounding_box = tuple((-0.5, size - 0.5) for size in SHAPE[::-1])
    values = np.random.default_rng(7).normal(5, 0.1, SHAPE)
    session.add(NDData(values, unit="MJy/sr", wcs=wcs), name="cube")
    return session["cube"]


def one(found):
    return found[0] if isinstance(found, (list, tuple)) else found


def apart(data, pixel, cube, there):
    """How far a pixel lies from one of the cube, in arcsec."""
    mine, other = (SkyCoord(*d.sky.pixel_to_sky(*p), unit="deg") for d, p in ((data, pixel), (cube, there)))
    return mine.separation(other).arcsec


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("cube.moment", {"order": 0}), ("cube.collapse", {"statistic": "mean"}), ("cube.bin_snr", {"target": 20.0})],
)
def test_maps_lie_where_their_cube_lies(session, cube, command, arguments, tmp_path):
    found = one(session.run(command, data=cube, **arguments))
    for pixel in ((0, 0), (29, 19), (3, 17)):
        assert apart(found, pixel, cube, pixel) < 1e-4
    session.run("data.export", data=found, path=tmp_path / "map.fits")
    [again] = session.open(tmp_path / "map.fits")
    assert apart(again, (3, 4), cube, (3, 4)) < 1e-4


@pytest.mark.parametrize(
    ("command", "arguments", "pixel", "there", "channel"),
    [
        ("cube.rebin", {"spatial": 2}, (3, 4), (6.5, 8.5), 0.0),
        ("cube.rebin", {"spectral": 2}, (3, 4), (3, 4), 0.5),  # as many channels as rows are left
        ("cube.crop", {"spectral": (5.1, 5.3)}, (3, 4), (3, 4), 10.0),
        ("cube.smooth", {"axis": "spectral", "sigma": 1.0}, (3, 4), (3, 4), 0.0),
    ],
)
def test_cubes_lie_where_they_came_from(session, cube, command, arguments, pixel, there, channel):
    found = one(session.run(command, data=cube, **arguments))
    assert apart(found, pixel, cube, there) < 1e-4
    assert found.axis.values[0] == pytest.approx(5.0 + 0.01 * channel, abs=1e-9)
    np.testing.assert_allclose(found.sky.sky_to_pixel(*found.sky.pixel_to_sky(*pixel)), pixel, atol=1e-5)

"""Position-velocity diagrams: a rotating disc, widths, errors, offsets, missing values."""

import numpy as np
import pytest
from regions import LinePixelRegion, PixCoord

import jviz
from jviz.errors import JvizError
from tests.model.test_cube_operations import NX, NY, N, errors_of, opened, values_of

SIZE, VMAX, TURN = 41, 8.0, 5.0
MIDDLE = (SIZE - 1) / 2


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def disc(angle):
    """A thin disc turning by v(r) = v_max · r / (r + turn), seen at 60°, its major axis at an angle from x."""
    y, x = np.mgrid[:SIZE, :SIZE] - MIDDLE
    along = x * np.cos(angle) + y * np.sin(angle)
    across = (-x * np.sin(angle) + y * np.cos(angle)) / np.cos(np.pi / 3)
    r = np.hypot(along, across)
    speed = VMAX * along / (r + TURN) * np.sin(np.pi / 3)
    channels = np.arange(N)[:, None, None]
    return np.exp(-0.5 * ((channels - 20 - speed) / 1.2) ** 2)


def test_along_the_major_axis_of_a_disc_lies_its_rotation_curve(session, tmp_path):
    angle = np.radians(30)
    cube = opened(session, tmp_path / "disc.fits", disc(angle), 0.1)
    ends = [(MIDDLE + s * 18 * np.cos(angle), MIDDLE + s * 18 * np.sin(angle)) for s in (-1, 1)]
    made = session.run("cube.pv", data=cube, path=ends, width=1)
    values = values_of(made)
    channels = np.arange(N)[:, None]
    mean = (values * channels).sum(axis=0) / values.sum(axis=0)
    offset = np.linspace(-18, 18, values.shape[1])
    expected = 20 + VMAX * offset / (np.abs(offset) + TURN) * np.sin(np.pi / 3)
    assert made.kind == "image"
    assert np.abs(mean - expected).max() < 0.15
    x, wave = made.wcs.pixel_to_world_values(values.shape[1] - 1, 10)
    assert np.isclose(x * made.wcs.wcs.cunit[0].to("arcsec"), 36 * 0.2, rtol=1e-4)
    assert np.isclose(wave, 5.1e-6)


def test_errors_over_a_width_are_the_scatter(session, tmp_path):
    noise = np.random.default_rng(5).normal(0, 0.5, (400, SIZE, SIZE))
    cube = opened(session, tmp_path / "noise.fits", noise, 0.5)
    made = session.run("cube.pv", data=cube, path=[(5.3, 8.2), (30.1, 27.7)], width=5)
    scatter, told = values_of(made)[:, 3:-3].std(axis=0), errors_of(made)[:, 3:-3].mean(axis=0)
    assert np.allclose(scatter, told, rtol=0.2)
    assert np.isclose(scatter.mean(), told.mean(), rtol=0.03)


def test_a_drawn_line_is_a_path_and_missing_spaxels_take_no_part(session, tmp_path):
    values = np.broadcast_to(np.arange(NX, dtype=float), (N, NY, NX)).copy()
    values[:, 6, 5], values[:, :, 9] = np.nan, np.nan
    cube = opened(session, tmp_path / "a.fits", values, 0.1)
    region = LinePixelRegion(PixCoord(2, 6), PixCoord(12, 6))
    made = values_of(session.run("cube.pv", data=cube, path=region, width=3))
    assert made.shape == (N, 11)
    assert np.allclose(made[0][[0, 1, 3, 10]], [2, 3, 5, 12])
    assert np.isnan(made[0, 7])


def test_what_is_no_path_over_the_cube_is_told(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((N, NY, NX)))
    for path, words in (
        ([(3, 3), (3, 3)], "no length"), ([(100, 100), (120, 100)], "does not cross"), ([(1, 1)], "no path"),
    ):  # fmt: skip
        with pytest.raises(JvizError, match=words):
            session.run("cube.pv", data=cube, path=path)
    with pytest.raises(JvizError, match="width"):
        session.run("cube.pv", data=cube, path=[(1, 1), (5, 5)], width=0)

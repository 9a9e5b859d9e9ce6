"""Cubes on the grid of another: integrals and flux conserved, place and axis of the reference, errors, words."""

import numpy as np
import pytest

import jviz
from jviz.errors import JvizError
from tests.model.test_cube_operations import NX, NY, WAVES, N, cube_header, errors_of, line, opened, values_of, world


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_channels_of_another_cube_hold_the_same_integral(session, tmp_path):
    values = np.broadcast_to(line(20, 3.0)[:, None, None], (N, NY, NX)).copy()
    values[:, 2, 2] = np.nan
    cube = opened(session, tmp_path / "a.fits", values, 0.1)
    coarse = opened(session, tmp_path / "b.fits", np.ones((15, NY, NX)), step=0.027)
    made = session.run("cube.regrid", data=cube, reference=coarse)
    got = values_of(made)
    assert got.shape == (15, NY, NX)
    assert np.isclose((got[:, 5, 5] * made.axis.widths).sum(), line(20, 3.0).sum() * 0.01, rtol=1e-4)
    assert np.isnan(got[:, 2, 2]).all()
    assert np.allclose(made.axis.values, coarse.axis.values)
    assert np.allclose(world(made, 4, 5, 6)[:2], world(cube, 4, 5, 6)[:2], rtol=1e-12)
    assert np.isclose(world(made, 4, 5, 6)[2], world(coarse, 4, 5, 6)[2], rtol=1e-12)


def test_errors_on_other_channels_are_the_scatter(session, tmp_path):
    noise = np.random.default_rng(9).normal(5, 0.5, (N, 50, 50))
    cube = opened(session, tmp_path / "noise.fits", noise, 0.5)
    other = opened(session, tmp_path / "b.fits", np.ones((15, 50, 50)), step=0.023)
    made = session.run("cube.regrid", data=cube, reference=other)
    scatter, told = values_of(made)[1:].std(axis=(1, 2)), errors_of(made)[1:].mean(axis=(1, 2))
    assert np.allclose(scatter, told, rtol=0.08)


def test_spaxels_of_another_cube_hold_the_same_flux(session, tmp_path):
    y, x = np.mgrid[:NY, :NX]
    star = np.exp(-0.5 * ((x - 6.4) ** 2 + (y - 5.3) ** 2) / 1.0**2)
    cube = opened(session, tmp_path / "a.fits", star * np.ones((4, 1, 1)), 0.1, unit="Jy")
    fine = opened(session, tmp_path / "b.fits", np.ones((4, 30, 34)), pixel=0.1, unit="Jy")
    made = session.run("cube.regrid", data=cube, reference=fine, axes="spatial", method="exact")
    assert made.shape == (4, 30, 34)
    assert np.isclose(np.nansum(values_of(made)[0]), star.sum(), rtol=0.01)
    assert np.allclose(world(made, 2, 3, 4), world(fine, 2, 3, 4), rtol=1e-12)
    assert np.allclose(made.axis.values, WAVES[:4])


def test_cubes_without_anything_in_common_are_told(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((4, NY, NX)))
    image = session.run("cube.collapse", data=cube)
    with pytest.raises(JvizError, match="no channels; choose a cube"):
        session.run("cube.regrid", data=cube, reference=image)


def test_the_place_of_a_cube_with_a_cd_matrix_stays(session, tmp_path):
    from astropy.io import fits

    header = cube_header(N)
    for number in (1, 2, 3):
        header[f"CD{number}_{number}"] = header.pop(f"CDELT{number}")
    header["CD1_2"], header["CD2_1"] = 1e-5, -1e-5
    fits.PrimaryHDU(np.ones((N, NY, NX), np.float32), header).writeto(tmp_path / "cd.fits")
    [cube] = session.open(tmp_path / "cd.fits")
    made = session.run("cube.regrid", data=cube, reference=cube)
    assert np.allclose(world(made, 3, 4, 5), world(cube, 3, 4, 5), rtol=1e-12)


@pytest.mark.parametrize("method", ["interpolate", "exact"])
def test_both_in_one_run_are_one_after_the_other(session, tmp_path, method):
    y, x = np.mgrid[:NY, :NX]
    star = np.exp(-0.5 * ((x - 6.4) ** 2 + (y - 5.3) ** 2) / 1.0**2)
    cube = opened(session, tmp_path / "a.fits", star * line(20, 3.0)[:, None, None], 0.1, unit="Jy")
    other = opened(session, tmp_path / "b.fits", np.ones((15, 30, 34)), step=0.027, pixel=0.1, unit="Jy")
    made = session.run("cube.regrid", data=cube, reference=other, axes="both", method=method)
    half = session.run("cube.regrid", data=cube, reference=other)
    whole = session.run("cube.regrid", data=half, reference=other, axes="spatial", method=method)
    assert made.shape == (15, 30, 34)
    assert np.allclose(values_of(made), values_of(whole), rtol=1e-5, atol=1e-7, equal_nan=True)
    assert np.allclose(errors_of(made), errors_of(whole), rtol=1e-5, equal_nan=True)
    assert np.allclose(world(made, 4, 5, 6), world(other, 4, 5, 6), rtol=1e-12)
    total = np.nansum(values_of(made), axis=(1, 2)) @ made.axis.widths
    assert np.isclose(total, star.sum() * line(20, 3.0).sum() * 0.01, rtol=0.01)
    session.undo()
    session.undo()
    session.undo()
    assert made.name not in session.names
    session.redo()
    assert made.name in session.names
    assert "axes='both'" in session.script()


def test_channels_beyond_the_old_ones_are_empty_on_both(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((N, NY, NX)), 0.1)
    longer = opened(session, tmp_path / "b.fits", np.ones((2 * N, NY, NX)), step=0.02)
    made = values_of(session.run("cube.regrid", data=cube, reference=longer, axes="both"))
    middle = made[:, NY // 2, NX // 2]
    assert np.allclose(middle[1 : N // 2 - 1], 1.0)
    assert np.isnan(middle[N // 2 + 1 :]).all()


def test_only_the_spaxels_of_an_image_can_be_taken(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.ones((4, NY, NX)))
    image = session.run("cube.collapse", data=cube)
    with pytest.raises(JvizError, match="no channels; choose a cube"):
        session.run("cube.regrid", data=cube, reference=image, axes="both")

"""Meshes: exact for affine transforms, close for bent ones, honest at edges."""

import numpy as np
import pytest

from jviz.backend.render import kernels
from jviz.backend.render.blocks import block_of
from jviz.backend.render.mesh import affine_mesh, mesh_of
from tests.backend.render.planes import coordinates


def shown(mesh, width, height, data):
    """Return the data values that a viewport shows, sampled smoothly."""
    out = np.zeros((height, width), np.float32)
    kernels.resample(block_of(data, 0, 0, 1, data.shape, level=0, exact=True), mesh, out, smooth=True)
    return out


def test_a_mesh_of_an_affine_function_is_the_affine_mesh():
    affine = np.array([[0.7, -0.2, 100.0], [0.3, 0.9, 200.0]])
    mesh = mesh_of(lambda u, v: affine @ [u.ravel(), v.ravel(), np.ones(u.size)], 300, 170)
    data = coordinates(500, 600)
    np.testing.assert_allclose(
        shown(mesh, 300, 170, data), shown(affine_mesh(affine, 300, 170), 300, 170, data), rtol=1e-6
    )
    assert mesh.scale == pytest.approx(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    assert affine_mesh(affine, 300, 170).scale == pytest.approx(mesh.scale)


def test_bounds_hold_everything_shown():
    mesh = affine_mesh([[0.7, -0.2, 100.0], [0.3, 0.9, 200.0]], 300, 170)
    u, v = np.meshgrid(np.arange(300), np.arange(170))
    x, y = 0.7 * u - 0.2 * v + 100, 0.3 * u + 0.9 * v + 200
    x0, y0, x1, y1 = mesh.bounds
    assert x0 <= x.min()
    assert y0 <= y.min()
    assert x1 >= x.max()
    assert y1 >= y.max()


def test_a_slightly_bent_function_is_followed_to_a_hundredth_of_a_pixel():
    def bent(u, v):
        return u + 3e-5 * u * v + 1e-5 * u**2, v - 2e-5 * v**2 + 20

    mesh = mesh_of(bent, 800, 600)
    u, v = np.meshgrid(np.arange(800), np.arange(600))
    x = np.broadcast_to(np.arange(900, dtype=np.float32), (700, 900)).copy()
    assert np.nanmax(np.abs(shown(mesh, 800, 600, x) - bent(u, v)[0])) < 0.01


def test_cells_with_a_missing_corner_are_not_drawn_and_small():
    mesh = mesh_of(lambda u, v: (np.where(u > 100, np.nan, u), v), 320, 64)
    values = shown(mesh, 320, 64, coordinates(64, 320))
    assert np.isfinite(values[:, :96]).all()
    assert np.isnan(values[:, 101:]).all()


def test_a_cell_in_which_the_ends_of_a_map_meet_is_not_drawn():
    mesh = mesh_of(lambda u, v: ((u + 500) % 1000, v), 1000, 64)
    values = shown(mesh, 1000, 64, coordinates(64, 1000))
    expected = (np.arange(1000) + 500) % 1000
    drawn = np.isfinite(values[5])
    np.testing.assert_allclose(values[5][drawn] - 50_000, expected[drawn], atol=0.01)
    assert drawn.sum() > 980


def test_a_mesh_that_shows_nothing():
    mesh = mesh_of(lambda u, v: (u * np.nan, v * np.nan), 50, 40)
    assert mesh.bounds is None
    assert np.isnan(mesh.scale)
    assert np.isnan(shown(mesh, 50, 40, coordinates(10, 10))).all()

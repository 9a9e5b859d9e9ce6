"""The light of stars and galaxies on a detector: all of it, and where it belongs."""

import numpy as np
import pytest
from photutils.aperture import CircularAperture, aperture_photometry

from jviz.backend.simulate import plan_of
from jviz.backend.simulate.imaging import FRAME, make_image
from jviz.backend.simulate.nircam_references import encircled, mosaic_transfer
from jviz.backend.simulate.sky import Sources, centred_psf, draw_sources, painted

SCALE = FRAME.scale_x


@pytest.fixture(scope="module")
def psf():
    return centred_psf(np.random.default_rng(2), SCALE, 1.99, 0.46)


def at(x, y, flux, radius=0.0, ratio=1.0, angle=0.0):
    values = [np.atleast_1d(np.asarray(value, float)) for value in (x, y, flux, radius, 1.0, ratio, angle)]
    return Sources(*np.broadcast_arrays(*values))


def paint(sources, psf, shape=(200, 200), north=90.0):
    return painted(sources, lambda ra, dec: (ra, dec), shape, psf, SCALE, north)


def centroid(image):
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return (image * x).sum() / image.sum(), (image * y).sum() / image.sum()


def core(image):
    """Return the centroid under a Gaussian that moves with it, which leaves out the wings."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    row, column = np.unravel_index(image.argmax(), image.shape)
    for _ in range(40):
        weight = image * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * 2.0**2))
        column += 2 * ((weight * x).sum() / weight.sum() - column)
        row += 2 * ((weight * y).sum() / weight.sum() - row)
    return np.array([column, row])


@pytest.mark.parametrize(("x", "y"), [(99.5, 100.5), (100.25, 99.7), (100.9, 100.1)])
def test_a_star_lies_where_it_is_put_whatever_the_phase(psf, x, y):
    still, moved = paint(at(100, 100, 1e-6), psf), paint(at(x, y, 1e-6), psf)
    np.testing.assert_allclose(core(still), (100, 100), atol=5e-3)
    np.testing.assert_allclose(core(moved), (x, y), atol=5e-3)
    whole = paint(at(103, 98, 1e-6), psf)
    np.testing.assert_allclose(np.roll(still, (-2, 3), (0, 1))[40:160, 40:160], whole[40:160, 40:160], atol=1e-15)


def test_a_star_keeps_its_light(psf):
    image = paint(at(100.3, 99.8, 1e-6), psf)
    assert image.sum() == pytest.approx(1e-6, rel=1e-3)
    bright = paint(at(600.3, 600.1, 1e-3), psf, (1200, 1200))
    assert bright.sum() == pytest.approx(1e-3, rel=1e-3)


def test_a_galaxy_has_its_light_size_and_angle(psf):
    image = paint(at(100.2, 100.4, 1e-5, radius=8 * SCALE, ratio=0.5, angle=30.0), psf)
    assert image.sum() == pytest.approx(1e-5, rel=0.01)
    # The point-spread function is a little lopsided, and takes the galaxy along.
    expected = np.array([100.2, 100.4]) + centroid(paint(at(100, 100, 1e-6), psf)) - 100
    np.testing.assert_allclose(centroid(image), expected, atol=5e-3)
    y, x = np.mgrid[:200, :200]
    dx, dy = x - 100.2, y - 100.4
    inner = image * np.exp(-(dx**2 + dy**2) / (2 * 8.0**2))  # without the spikes of the wings
    xx, yy, xy = ((inner * value).sum() for value in (dx * dx, dy * dy, dx * dy))
    # North is up (90°); 30° east of it is 120° against the clock from +x.
    assert np.degrees(np.arctan2(2 * xy, xx - yy) / 2) % 180 == pytest.approx(120, abs=1.0)


def test_an_even_sky_is_even_and_stars_keep_apart():
    field = make_image(plan_of(seed=4, size=160, stars=0, galaxies=0, sky=2.5, dithers=1, groups=3,
                               cosmic_rays=0.0, pointing_error=0.0))  # fmt: skip
    np.testing.assert_allclose(field.brightness(field.pointing), 2.5)
    sources = draw_sources(np.random.default_rng(1), 10.0, -20.0, 20.0, stars=40, galaxies=10)
    east = (sources.ra - 10) * np.cos(np.radians(-20)) * 3600
    north = (sources.dec + 20) * 3600
    apart = np.hypot(east[:40, None] - east[:40], north[:40, None] - north[:40])[~np.eye(40, dtype=bool)]
    assert apart.min() > 1.5
    assert np.abs(east).max() <= 10
    assert (sources.is_star == (np.arange(50) < 40)).all()


def test_circles_of_a_mosaic_hold_what_stars_that_are_drizzled_have_there(psf):
    radii, sums = [1.1, 1.5, 2.5, 6.0], []
    phases = (np.arange(4) + 0.5) / 4
    for x, y in np.stack(np.meshgrid(phases, phases), -1).reshape(-1, 2):
        star = paint(at(60 + x, 60 + y, 1e-4), psf, (121, 121)) / 1e-4
        for right, up in np.stack(np.meshgrid(phases, phases), -1).reshape(-1, 2):
            # Pixels of the mosaic lie between four of the detector, and take of each what they cover.
            mosaic = (1 - right) * star + right * np.roll(star, -1, axis=1)
            mosaic = (1 - up) * mosaic + up * np.roll(mosaic, -1, axis=0)
            place = (60 + x - right, 60 + y - up)
            sums.append([aperture_photometry(mosaic, CircularAperture(place, radius))["aperture_sum"][0]
                         for radius in radii])  # fmt: skip
    np.testing.assert_allclose(encircled(mosaic_transfer(psf), radii), np.mean(sums, axis=0), atol=2e-3)

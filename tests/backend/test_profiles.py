"""Cuts, rings, growth and peaks, worked out again by closed forms, photutils and Monte Carlo."""

import numpy as np
import pytest
from photutils.profiles import CurveOfGrowth, RadialProfile

from jviz.backend.pick import pick
from jviz.backend.profiles import fit_rings, growth, line_cut, rings, samples_along

SHAPE = (101, 101)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
CENTRE = (50.3, 49.6)


def reader(image, variance=None):
    return lambda rows, columns: (image[rows, columns], None if variance is None else variance[rows, columns])


def gaussian(major, minor=None, angle=0.0, peak=100.0, sky=10.0):
    turn = np.radians(angle)
    u = (X - CENTRE[0]) * np.cos(turn) + (Y - CENTRE[1]) * np.sin(turn)
    v = -(X - CENTRE[0]) * np.sin(turn) + (Y - CENTRE[1]) * np.cos(turn)
    return sky + peak * np.exp(-4 * np.log(2) * (u**2 / major**2 + v**2 / (minor or major) ** 2))


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("width", [1, 5])
def test_a_plane_is_cut_exactly(interpolation, width):
    image = 3 + 0.5 * X - 0.25 * Y
    path = np.array([[10.5, 20.25], [80.0, 35.0], [60.0, 90.0]])
    cut = line_cut(reader(image), SHAPE, path, width=width, interpolation=interpolation)
    np.testing.assert_allclose(
        cut.values, 3 + 0.5 * cut.x - 0.25 * cut.y, atol=2e-2 if interpolation == "cubic" else 1e-9
    )
    length = np.hypot(69.5, 14.75) + np.hypot(20, 55)
    assert np.isclose(cut.distance[-1], length)
    np.testing.assert_allclose([cut.x[0], cut.y[0], cut.x[-1], cut.y[-1]], [*path[0], *path[-1]])


def test_errors_of_a_wide_cut_by_monte_carlo():
    rng = np.random.default_rng(2)
    path = np.array([[10.0, 20.0], [80.0, 20.0]])  # through pixel centres: the width's pixels are independent
    draws = np.array([line_cut(reader(rng.normal(0, 2, SHAPE)), SHAPE, path, width=4.0).values for _ in range(400)])
    cut = line_cut(reader(np.zeros(SHAPE), np.full(SHAPE, 4.0)), SHAPE, path, width=4.0)
    # offsets of ±0.5 and ±1.5 share pixels between neighbours, so the mean scatters more than independent ones
    assert np.isclose(draws.std(), 2 / np.sqrt(4), rtol=0.2)
    assert (cut.error < draws.std()).all()


def test_missing_pixels_and_places_off_the_image_are_missing():
    image = np.ones(SHAPE)
    image[:, 40:60] = np.nan
    cut = line_cut(reader(image), SHAPE, np.array([[-20.0, 50.0], [120.0, 50.0]]))
    off = (cut.x < -0.5) | (cut.x > 100.5) | ((cut.x > 40) & (cut.x < 59))
    assert np.isnan(cut.values[off]).all()
    assert (cut.values[np.isfinite(cut.values)] == 1).all()


def test_a_path_without_length_is_refused():
    with pytest.raises(ValueError, match="no length"):
        samples_along(np.array([[3.0, 4.0], [3.0, 4.0]]))


def test_rings_and_growth_are_those_of_photutils():
    rng = np.random.default_rng(1)
    image, sigma = gaussian(4.2) + rng.normal(0, 1, SHAPE), rng.uniform(0.5, 1.5, SHAPE)
    radii = np.arange(0, 21.0)
    mine = rings(reader(image, sigma**2), SHAPE, CENTRE, radii)
    theirs = RadialProfile(image, CENTRE, radii, error=sigma)
    np.testing.assert_allclose(mine.values, theirs.profile, rtol=1e-9)
    np.testing.assert_allclose(mine.area, theirs.area, rtol=1e-9)
    total = growth(reader(image, sigma**2), SHAPE, CENTRE, radii[1:])
    curve = CurveOfGrowth(image, CENTRE, radii[1:], error=sigma)
    np.testing.assert_allclose(total.values, curve.profile, rtol=1e-9)


def test_errors_of_rings_by_monte_carlo():
    rng = np.random.default_rng(3)
    radii = np.arange(0, 9.0)
    draws = np.array([rings(reader(rng.normal(0, 2, SHAPE)), SHAPE, CENTRE, radii).values for _ in range(600)])
    found = rings(reader(np.zeros(SHAPE), np.full(SHAPE, 4.0)), SHAPE, CENTRE, radii)
    np.testing.assert_allclose(draws.std(axis=0), found.error, rtol=0.12)


def test_growth_holds_the_light_of_a_gaussian():
    fwhm = 6.0
    found = growth(reader(gaussian(fwhm, sky=0.0)), SHAPE, CENTRE, np.array([3.0, 6.0, 12.0, 40.0]))
    total = 100 * np.pi * fwhm**2 / (4 * np.log(2))
    inside = 1 - np.exp(-4 * np.log(2) * (found.radius / fwhm) ** 2)
    # the image holds values at pixel centres, not means over pixels: small circles are a little off
    np.testing.assert_allclose(found.values, total * inside, rtol=1e-2)


@pytest.mark.parametrize("model", ["gaussian", "moffat"])
def test_widths_of_rings(model):
    fwhm, beta = 8.0, 3.0
    r = np.hypot(X - CENTRE[0], Y - CENTRE[1])
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    image = gaussian(fwhm) if model == "gaussian" else 10 + 100 * (1 + (r / alpha) ** 2) ** -beta
    found = fit_rings(rings(reader(image), SHAPE, CENTRE, np.arange(0, 30.5, 0.5)), model)
    # rings average over half a pixel, which widens a profile a little
    assert np.isclose(found.fwhm, fwhm, rtol=0.02)
    assert np.isclose(found.sky, 10, atol=0.3)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 140.0])
def test_a_clean_source_is_measured_exactly(angle):
    found = pick(reader(gaussian(5.0, 3.5, angle)), SHAPE, 47, 52)
    np.testing.assert_allclose([found.x, found.y], CENTRE, atol=1e-6)
    np.testing.assert_allclose(
        [found.fwhm_major, found.fwhm_minor, found.peak, found.sky], [5, 3.5, 100, 10], rtol=1e-6
    )
    assert abs((found.angle - angle + 90) % 180 - 90) < 1e-4
    assert np.isclose(found.flux, 100 * np.pi * 5 * 3.5 / (4 * np.log(2)), rtol=1e-6)
    assert np.isclose(found.ellipticity, 0.3)


def test_errors_of_picked_sources_by_monte_carlo():
    rng = np.random.default_rng(8)
    clean, variance = gaussian(5.0, 3.5, 30.0), np.full(SHAPE, 4.0)
    found = [pick(reader(clean + rng.normal(0, 2, SHAPE), variance), SHAPE, 48, 52) for _ in range(150)]
    for name in ("x", "y", "peak", "sky", "fwhm_major", "fwhm_minor", "fwhm", "angle", "flux"):
        values = np.array([getattr(p, name) for p in found])
        errors = np.array([p.errors[name] for p in found])
        assert 0.8 < values.std() / errors.mean() < 1.25, name
    assert np.isclose(np.mean([p.reduced_chi2 for p in found]), 1, atol=0.05)


def test_without_a_source_it_says_so():
    with pytest.raises(ValueError, match=r"no peak|value"):
        pick(reader(np.full(SHAPE, np.nan)), SHAPE, 50, 50)
    with pytest.raises(ValueError, match="off the image"):
        pick(reader(gaussian(4.0)), SHAPE, 500, 50)


def test_a_long_cut_reads_no_more_than_it_needs(monkeypatch):
    from jviz.backend import profiles

    image = np.arange(400.0)[:, None] + np.arange(500.0)
    whole = line_cut(reader(image), image.shape, np.array([(0, 0), (499, 399)]), width=3)
    monkeypatch.setattr(profiles, "MOST", 1000)
    read = []

    def counting(rows, columns):
        part = reader(image)(rows, columns)
        read.append(part[0].size)
        return part

    parts = line_cut(counting, image.shape, np.array([(0, 0), (499, 399)]), width=3)
    np.testing.assert_array_equal(parts.values, whole.values)
    assert max(read) <= 1000

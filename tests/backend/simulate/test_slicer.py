"""The geometry of slices, images of points and spectra of sources, against closed forms and sums."""

import numpy as np
import pytest

from jviz.backend.simulate.mrs_references import _models, _plane, aperture_shares
from jviz.backend.simulate.scenes import make_scene
from jviz.backend.simulate.slicer import CHANNELS
from jviz.backend.simulate.spots import Spot
from jviz.backend.spectra.line_fits import C_KMS, SIGMA

X, Y = np.arange(1032), np.arange(1024)[:, None]


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_slices_lie_apart_on_their_half_of_the_detector_and_keep_off_reference_pixels(channel):
    taken = np.zeros((1024, 1032), int)
    for _, lit, alpha, wave in channel.places(X, Y):
        taken += lit
        assert np.abs(alpha).max() < channel.field / 2
        assert np.ptp(alpha) > channel.field - 2 * channel.scale
        low, high = channel.waves
        assert low < wave.min()
        assert wave.max() < high
    assert taken.max() == 1
    columns = np.flatnonzero(taken.any(axis=0))
    first, last = (4, 511) if channel.number == 1 else (513, 1027)
    assert first <= columns.min()
    assert columns.max() <= last


def test_the_ranges_of_wavelengths_of_the_channels_lie_apart():
    assert CHANNELS[0].waves[1] < CHANNELS[1].waves[0]


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_the_models_of_the_reference_files_are_the_closed_form_and_lead_back(channel):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1031, 50), rng.uniform(0, 1023, 50)
    for one in channel.slices():
        models = _models(one)
        alpha, lam = models["alpha_model"](y, x), _plane(*one.lam)(y, x)
        np.testing.assert_allclose(alpha, one.scale * (x - one.column - one.lean * (y - 511.5)), atol=1e-10)
        np.testing.assert_allclose(models["x_model"](lam, alpha), x, atol=1e-7)
        np.testing.assert_allclose(models["y_model"](lam, alpha), y, atol=1e-7)
        np.testing.assert_allclose(models["beta_model"](x), one.beta)
        # The pipelines find the slice again by its place across.
        assert round(100 * channel.number + (one.beta - channel.zero) / channel.width + 1) == one.label
    there = channel.frame.model()(0.4, -0.3)
    np.testing.assert_allclose(there, channel.frame.to_telescope(0.4, -0.3))
    np.testing.assert_allclose(channel.frame.model().inverse(*there), (0.4, -0.3), atol=1e-9)


def test_the_image_of_a_point_is_whole_and_as_wide_as_it_says():
    spot, wave = Spot(), 5.5
    place = np.arange(-8, 8, 0.1) + 0.05
    image = spot.in_box(place - 0.21, place[:, None] + 0.13, 0.1, 0.1, wave)
    assert image.sum() == pytest.approx(1, abs=1e-9)
    radius = np.hypot(place - 0.21, place[:, None] + 0.13)
    assert image[radius < 1.0].sum() == pytest.approx(spot.encircled(1.0, wave), abs=2e-3)
    line = spot.in_box(place, 0.0, 0.1, 0.01, wave)
    half = place[line > line.max() / 2]
    assert np.ptp(half) == pytest.approx(float(spot.fwhm(wave)), abs=0.15)


def test_apertures_on_cubes_hold_less_than_those_on_the_sky():
    """A sum over a made-up cube: smeared by pixel, slice and spaxel, with the ring taken off."""
    channel, wave = CHANNELS[0], 5.3
    spot, fine = Spot(), 0.01
    place = np.arange(-4, 4, fine) + fine / 2
    image = spot.in_box(place, place[:, None], fine, fine, wave)
    for box in (channel.scale, channel.scale, channel.spaxel, channel.spaxel):
        image = smeared(image, box / fine, 1)
    for box in (channel.width, channel.width, channel.spaxel, channel.spaxel):
        image = smeared(image, box / fine, 0)
    radius, aperture = np.hypot(place, place[:, None]), 2 * float(spot.fwhm(wave))
    ring = (radius > 1.5 * aperture) & (radius < 2 * aperture)
    inside = radius < aperture
    expected = image[inside].sum() - image[ring].mean() * inside.sum()
    assert aperture_shares(channel, aperture, wave) == pytest.approx(expected, abs=3e-4)


def smeared(image, width, axis):
    """Convolve with a box of a width that is no whole number of samples."""
    frequency = np.fft.fftfreq(image.shape[axis])
    shape = (-1, 1) if axis == 0 else (1, -1)
    transfer = np.sinc(frequency * width).reshape(shape)
    return np.fft.ifft(np.fft.fft(image, axis=axis) * transfer, axis=axis).real


def test_lines_keep_their_light_and_lie_where_their_velocity_puts_them():
    scene = make_scene(np.random.default_rng(2), (10.0, -20.0), 0.1, 6.5, 40.0, (4.8, 8.9), 230.0, 3300.0)
    assert {line.name for line in scene.lines} >= {"[Fe II]", "H2 0-0 S(7)", "[Ne VI]"}
    step = 8e-4
    wave = np.arange(4.8, 8.9, step)
    above = scene.source(wave, step, 3300.0) - scene.continuum(wave)
    for line in scene.lines:
        assert line.wavelength == pytest.approx(line.rest * (1 + scene.velocity / C_KMS))
        near = np.abs(wave - line.wavelength) < 0.04
        light = above[near].sum() * step
        sigma = line.wavelength * line.fwhm / C_KMS / SIGMA
        assert light == pytest.approx(line.height * scene.continuum(line.wavelength) * np.sqrt(2 * np.pi) * sigma)
        assert (above * wave)[near].sum() * step / light == pytest.approx(line.wavelength, abs=1e-6)
        spread = np.sqrt((above[near] * (wave[near] - line.wavelength) ** 2).sum() * step / light)
        assert spread == pytest.approx(np.hypot(scene.sigma(line, 3300.0), step / np.sqrt(12)), rel=1e-3)

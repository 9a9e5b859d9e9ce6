"""The quick ways to a background and a smooth image against those of photutils and scipy."""

import numpy as np
import pytest
from photutils.background import Background2D, MedianBackground, StdBackgroundRMS
from scipy.ndimage import gaussian_filter

from jviz.backend.photometry.backgrounds import mesh_background, uncovered
from jviz.backend.photometry.segmenting import FWHM, Tile, smooth_part


@pytest.mark.parametrize("shape", [(200, 310), (64, 500), (50, 50)])
def test_photutils_gives_the_same_background(shape):
    values = np.random.default_rng(1).normal(10, 2, shape) + np.arange(shape[1]) * 0.05
    box = tuple(-(-n // max(1, round(n / 40))) for n in shape)
    wanted = Background2D(
        values, box, filter_size=3, exclude_percentile=50, bkg_estimator=MedianBackground(),
        bkg_rms_estimator=StdBackgroundRMS(),
    )  # fmt: skip
    level, scatter = mesh_background(values, 40)
    np.testing.assert_allclose(level, wanted.background, rtol=1e-5)
    np.testing.assert_allclose(scatter, wanted.background_rms, rtol=1e-5)


def test_smoothing_is_that_of_scipy_and_its_noise_that_of_many_pixels():
    noise = np.random.default_rng(2).normal(0, 1, (600, 700)).astype(np.float32)
    whole = Tile(noise, np.zeros_like(noise), np.ones_like(noise), np.zeros(noise.shape, bool))
    found, _, factor = smooth_part(whole.part, noise.shape, slice(0, 600), slice(0, 700), 3.0)
    wanted = gaussian_filter(noise, 3.0 / FWHM, mode="constant")
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert found.std() == pytest.approx(factor, rel=0.01)
    part, _, _ = smooth_part(whole.part, noise.shape, slice(100, 130), slice(5, 40), 3.0)
    np.testing.assert_array_equal(part, found[100:130, 5:40])


def test_many_exact_zeros_are_no_sky():
    values = np.ones((20, 20))
    values[0, 0] = 0
    assert not uncovered(values).any()
    values[:5] = 0
    assert uncovered(values).sum() == 100

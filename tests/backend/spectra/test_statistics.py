"""Numbers of ranges: against closed forms of Gaussian lines, and their errors against many noisy spectra."""

import numpy as np
import pytest

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.statistics import range_statistics
from jviz.errors import CommandError

X = np.arange(5.0, 7.0, 0.004)
CONTINUUM = 10.0 + 0.5 * (X - 6.0)
FLUX, CENTRE, SIGMA = 3.0, 6.03, 0.05
LINE = FLUX / (SIGMA * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((X - CENTRE) / SIGMA) ** 2)


def spectrum(flux, error=None, **values):
    return Samples(
        SpectralAxis(X, "um", "wavelength"), flux, "mJy", error, "std" if error is not None else "", **values
    )


def test_a_gaussian_line_on_a_slope():
    found = range_statistics(spectrum(CONTINUUM + LINE), 5.7, 6.36)
    assert np.isclose(found.line, FLUX, rtol=1e-6)
    assert np.isclose(found.centroid, CENTRE, atol=1e-6)
    assert np.isclose(found.fwhm, SIGMA * np.sqrt(8 * np.log(2)), rtol=2e-3)
    width = -FLUX / np.interp(CENTRE, X, CONTINUUM)
    assert np.isclose(found.width, width, rtol=1e-3)
    assert np.isclose(found.continuum, 10.0 + 0.5 * (6.03 - 6.0), rtol=1e-6)
    absorbed = range_statistics(spectrum(CONTINUUM - LINE), 5.7, 6.36)
    assert np.isclose(absorbed.width, -width, rtol=1e-3)
    assert np.isclose(absorbed.fwhm, found.fwhm, rtol=1e-6)


def test_channels_at_the_ends_count_in_part():
    flat = spectrum(np.full(len(X), 2.0))
    for low, high in ((5.5, 5.6), (5.5013, 5.6187), (5.50201, 5.50389)):
        assert np.isclose(range_statistics(flat, low, high, continuum="zero").integral, 2 * (high - low), rtol=1e-9)


def test_errors_are_those_of_many_spectra():
    draw, error = np.random.default_rng(3), np.full(len(X), 0.5)
    many = [
        range_statistics(spectrum(CONTINUUM + LINE + error * draw.standard_normal(len(X)), error), 5.85, 6.21)
        for _ in range(200)
    ]
    for name in ("mean", "total", "integral", "line", "width", "centroid", "fwhm"):
        scatter = np.std([getattr(one, name) for one in many])
        told = np.median([getattr(one, f"{name}_err") for one in many])
        # 200 spectra tell a scatter to 5 %; widths at half maximum of noisy tops depend on the draw.
        assert 0.75 < told / scatter < (1.5 if name == "fwhm" else 1.25), (name, told, scatter)


def test_noise_is_told_without_errors():
    draw = np.random.default_rng(4)
    found = range_statistics(spectrum(CONTINUUM + 0.1 * draw.standard_normal(len(X))), 5.5, 6.5)
    assert found.from_scatter
    assert np.isclose(found.snr, 100, rtol=0.15)


def test_masked_samples_do_not_count():
    flux, mask = CONTINUUM + LINE, np.zeros(len(X), bool)
    flux[250], mask[250] = 1e9, True
    assert range_statistics(spectrum(flux, mask=mask), 5.7, 6.36).high < 100


@pytest.mark.parametrize(("ends", "continuum"), [((1.0, 2.0), "zero"), ((5.0, 6.5), "sides"), ((5.5, 6.0), "curved")])
def test_what_cannot_be_measured_is_said(ends, continuum):
    with pytest.raises(CommandError, match=r"continuum|no good sample"):
        range_statistics(spectrum(CONTINUUM), *ends, continuum=continuum)


def test_a_single_sample_has_numbers_and_no_place():
    axis = SpectralAxis(np.array([4000.0]), "Angstrom", "wavelength")
    one = Samples(axis, np.array([2.0]), "mJy", np.array([0.1]), "std")
    found = range_statistics(one, 3000.0, 5000.0, continuum="ends")
    assert found.mean == 2.0
    assert np.isnan(found.centroid_err)

"""Bins of spaxels: their signal-to-noise and its scatter, roundness, spectra, errors, missing spaxels."""

import numpy as np
import pytest

import jviz
from jviz.backend.cubes.binning import bins_of
from jviz.errors import JvizError
from tests.model.test_cube_operations import errors_of, opened, values_of

SIZE, TARGET = 60, 20.0


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def galaxy():
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    return 30 * np.exp(-np.hypot(x, y) / 9) + 0.3


def test_bins_come_near_the_target_and_are_round():
    signal = galaxy()
    bins = bins_of(signal, np.ones(signal.shape), TARGET)
    assert (bins.number >= 0).all()
    joined = bins.count > 1
    assert joined.sum() > 20
    assert abs(np.median(bins.snr[joined]) / TARGET - 1) < 0.1
    assert bins.snr[joined].std() / TARGET < 0.15
    # another way: sums over the map
    label = bins.number.ravel()
    snr = np.bincount(label, signal.ravel()) / np.sqrt(np.bincount(label))
    assert np.allclose(snr, bins.snr)
    y, x = np.mgrid[:SIZE, :SIZE]
    for k in np.flatnonzero(bins.count > 15)[:20]:
        inside = bins.number == k
        far = np.hypot(x[inside] - x[inside].mean(), y[inside] - y[inside].mean()).max()
        assert far / np.sqrt(inside.sum() / np.pi) < 2.2


def test_spectra_of_bins_are_means_with_the_scatter_as_error(session, tmp_path):
    rng, signal = np.random.default_rng(2), galaxy()
    values = signal + rng.normal(0, 1, (50, SIZE, SIZE))
    values[:, 5, 5] = np.nan
    cube = opened(session, tmp_path / "galaxy.fits", values, 1.0)
    bins, made = session.run("cube.bin_snr", data=cube, target=TARGET)
    number, spectra = values_of(bins), values_of(made)
    assert np.isnan(number[5, 5])
    assert np.isnan(spectra[:, 5, 5]).all()
    for k in (3, int(np.nanmax(number))):
        inside = number == k
        assert np.allclose(spectra[:, inside], values[:, inside].mean(axis=1)[:, None], rtol=1e-4)
        assert np.allclose(errors_of(made)[:, inside], 1 / np.sqrt(inside.sum()), rtol=1e-4)
    # the scatter along the spectrum is what the error says, and the ratio what was asked for
    last = number == np.nanmax(number)
    spectrum = spectra[:, last][:, 0]
    assert abs(spectrum.mean() / spectrum.std() / TARGET - 1) < 0.4
    assert np.allclose(made.axis.values, cube.axis.values)
    assert bins.planes["SNR"].shape == (SIZE, SIZE)


def test_a_cube_without_errors_is_binned_by_the_noise_of_its_channels(session, tmp_path):
    values = galaxy() + np.random.default_rng(2).normal(0, 1, (80, SIZE, SIZE))
    cube = opened(session, tmp_path / "galaxy.fits", values)
    bins, made = session.run("cube.bin_snr", data=cube, target=TARGET, spectral=(5.1, 5.7))
    snr, count = bins.planes["SNR"].read(), bins.planes["SPAXELS"].read()
    assert abs(np.median(snr[count > 1]) / TARGET - 1) < 0.15
    assert "ERR" not in made.planes


def test_what_cannot_be_reached_is_told(session, tmp_path):
    cube = opened(session, tmp_path / "a.fits", np.full((10, 8, 8), 1.0), 1.0)
    with pytest.raises(JvizError, match="All spaxels together"):
        session.run("cube.bin_snr", data=cube, target=50)
    with pytest.raises(JvizError, match="above 0"):
        session.run("cube.bin_snr", data=cube, target=0)
    with pytest.raises(JvizError, match="No spaxel"):
        session.run("cube.bin_snr", data=cube, target=5, minimum=100)

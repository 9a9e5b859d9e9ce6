"""Arms of a spectrograph: opened as one object's spectra, and joined into one."""

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError
from jviz.spectral import made_spectrum


def arm(low, high, step, level=1.0, error=0.1, unit="mJy", seed=None):
    x = np.arange(low, high, step)
    flux = np.full(len(x), level)
    if seed is not None:
        flux = flux + np.random.default_rng(seed).normal(0, error, len(x))
    return Samples(SpectralAxis(x, "nm", "wavelength", medium="vacuum"), flux, unit, np.full(len(x), error), "std")


@pytest.fixture
def desi(tmp_path):
    """Two objects in three arms, as DESI's data model has them."""
    units, rng = [fits.PrimaryHDU()], np.random.default_rng(3)
    table = fits.BinTableHDU.from_columns([fits.Column("TARGETID", "K", array=[39627, 39628])], name="FIBERMAP")
    units.append(table)
    for name, low, high in (("B", 3600, 5800), ("R", 5760, 7620), ("Z", 7520, 9824)):
        waves = np.arange(low, high + 0.4, 0.8)
        flux = fits.ImageHDU(rng.normal(5, 0.5, (2, len(waves))).astype("f4"), name=f"{name}_FLUX")
        flux.header["BUNIT"] = "10**-17 erg/(s cm2 Angstrom)"
        wave = fits.ImageHDU(waves, name=f"{name}_WAVELENGTH")
        wave.header["BUNIT"] = "Angstrom"
        units += [wave, flux, fits.ImageHDU(np.full((2, len(waves)), 4.0, "f4"), name=f"{name}_IVAR"),
                  fits.ImageHDU(np.zeros((2, len(waves)), "i4"), name=f"{name}_MASK")]  # fmt: skip
    path = tmp_path / "coadd.fits"
    fits.HDUList(units).writeto(path)
    return path


def test_all_arms_of_a_file_open_in_one_viewer(session, desi):
    loaded = session.open(desi, show=True)
    views = [view for view in session.views.values() if view.kind == "spectrum"]
    assert [len(view.layers) for view in views] == [6]
    arms = [one for one in loaded if one.kind == "spectrum"]
    joined = session.run("spectrum.join", data=arms)
    assert [one.name for one in joined.samples] == ["39627", "39628"]
    x = joined.samples[0].axis.values
    assert (np.diff(x) > 0).all()
    assert (x[0], x[-1]) == (3600, pytest.approx(9824, abs=0.8))
    assert joined.samples[0].good.all()
    blue = arms[0].samples[0]
    alone = blue.axis.values < 5755
    np.testing.assert_allclose(joined.samples[0].flux[: alone.sum()], blue.flux[alone], rtol=1e-6)


def test_overlaps_are_weighted_means_and_errors_follow():
    from jviz.backend.spectra.combining import joined

    made = joined([arm(500, 600, 1.0, 1.0, 0.1), arm(580, 700, 1.0, 2.0, 0.2)])
    x = made.axis.values
    common = (x > 581) & (x < 599)
    np.testing.assert_allclose(made.flux[common], (1 / 0.01 + 2 / 0.04) / (1 / 0.01 + 1 / 0.04))
    np.testing.assert_allclose(made.error[common], (1 / 0.01 + 1 / 0.04) ** -0.5)
    np.testing.assert_allclose(made.flux[x < 579], 1)
    np.testing.assert_allclose(made.flux[x > 601], 2)
    draws = [joined([arm(500, 600, 1.0, seed=n), arm(580, 700, 1.3, seed=n + 999)]) for n in range(300)]
    scatter = np.std([one.flux for one in draws], axis=0)
    common = (draws[0].axis.values > 581) & (draws[0].axis.values < 599)
    assert np.median(scatter[common] / draws[0].error[common]) == pytest.approx(1, abs=0.05)


def test_what_cannot_be_joined_is_told(session):
    session.add(made_spectrum(arm(500, 600, 1.0), "a", "a"))
    session.add(made_spectrum(arm(580, 700, 1.0, unit="Jy"), "b", "b"))
    session.add(made_spectrum([arm(1, 2, 0.1), arm(1, 2, 0.1)], "two", "two"))
    joined = session.run("spectrum.join", data=["a", "b"])
    assert joined.samples[0].flux[-5] == pytest.approx(1000)
    with pytest.raises(CommandError, match="only one arm"):
        session.run("spectrum.join", data=["a"])
    with pytest.raises(CommandError, match="names in common"):
        session.run("spectrum.join", data=["a", "two"])


def test_the_real_file_opens_in_one_step(session, shared_data):
    session.open(shared_data / "desi_coadd-sv3-dark-26065.fits", show=True)
    [view] = [view for view in session.views.values() if view.kind == "spectrum"]
    assert len(view.layers) == 15

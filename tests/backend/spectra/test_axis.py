"""The spectral axis: right values for real files and for every way of writing them."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from jviz.backend.io.registry import open_products
from jviz.backend.spectra.axis import SpectralAxis, spectral_axis

# file, extension: quantity, unit, first and last channel (by CRVAL and CDELT), medium
KNOWN = {
    "alma_m17_4d.fits": (
        "frequency", "Hz", 86751396188.4 + 4 * -244237.7011414, 86751396188.4 + 8 * -244237.7011414, ""),
    "alma_perplanebeam.fits": ("frequency", "Hz", 90736348491.11, 90736348491.11 + 10 * -30517.57812243, ""),
    "gmos_ngc3081_cube.fits": ("wavelength", "", 5627.89, 5627.89 + 1799 * 0.678294, ""),
    "jw01022-o023_t001_miri_ch2-short_s3d_nav.fits": (
        "wavelength", "um", 7.511000228929333, 7.511000228929333 + 624 * 0.002000000094994903, "vacuum"),
    "l1448_13co.fits": ("velocity", "m s-1", -9959.44378305 + 188 * 66.42361, -9959.44378305 + 240 * 66.42361, ""),
    "muse_udf_subcube.fits": ("wavelength", "Angstrom", 4750.0, 4750.0 + 499 * 1.25, "air"),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_channels_of_real_cubes(shared_data, name):
    product = open_products(shared_data / name)[0]
    quantity, unit, first, last, medium = KNOWN[name]
    axis = spectral_axis(product.header, product.load_wcs().wcs, product.shape)
    assert (axis.quantity, axis.unit, axis.medium) == (quantity, unit, medium)
    # single precision in some headers, and the units of astropy's WCS between
    np.testing.assert_allclose(axis.values[[0, -1]], [first, last], rtol=1e-12)


def header(**cards) -> fits.Header:
    base = {"NAXIS": 3, "NAXIS1": 4, "NAXIS2": 5, "NAXIS3": 6, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN",
            "CRVAL1": 10.0, "CRVAL2": 20.0, "CDELT1": -1e-4, "CDELT2": 1e-4, "CRPIX1": 2.0, "CRPIX2": 2.0}  # fmt: skip
    return fits.Header({**base, **cards})


def axis_of(**cards) -> SpectralAxis:
    made = header(**cards)
    return spectral_axis(made, WCS(made), (6, 5, 4))


def test_logarithmic_wavelengths():
    axis = axis_of(CTYPE3="WAVE-LOG", CUNIT3="Angstrom", CRVAL3=4000.0, CDELT3=2.0, CRPIX3=1.0)
    # FITS paper III: w = w_r exp(w' / w_r)
    np.testing.assert_allclose(axis.values, 4000 * np.exp(np.arange(6) * 2.0 / 4000), rtol=1e-12)
    assert axis.unit == "Angstrom"


def test_velocities_keep_unit_rest_and_convention():
    axis = axis_of(CTYPE3="VRAD", CUNIT3="km/s", CRVAL3=-5.0, CDELT3=0.5, CRPIX3=1.0, RESTFRQ=1.15271202e11)
    np.testing.assert_allclose(axis.values, -5 + 0.5 * np.arange(6))
    assert (axis.quantity, axis.convention, axis.rest, axis.rest_unit) == ("velocity", "radio", 1.15271202e11, "Hz")


def test_a_step_of_zero_is_said_and_channels_are_numbered():
    made = header(CTYPE3="WAVE", CUNIT3="um", CRVAL3=5.0, CDELT3=0.0, CRPIX3=1.0)
    mended = made.copy()
    mended["CDELT3"] = 1.0  # as jviz mends it for wcslib
    axis = spectral_axis(made, WCS(mended), (6, 5, 4))
    np.testing.assert_array_equal(axis.values, np.arange(6))
    assert axis.quantity == "channel"
    assert "0" in axis.notes[0]


def test_without_a_wcs_channels_are_numbered():
    axis = spectral_axis({}, None, (6, 5, 4))
    np.testing.assert_array_equal(axis.values, np.arange(6))
    assert axis.notes


def test_the_spectral_axis_may_come_first_in_the_file():
    made = fits.Header({"NAXIS": 3, "NAXIS1": 6, "NAXIS2": 5, "NAXIS3": 4, "CTYPE1": "FREQ", "CUNIT1": "Hz",
                        "CRVAL1": 1e9, "CDELT1": 1e6, "CRPIX1": 1.0, "CTYPE2": "RA---TAN", "CTYPE3": "DEC--TAN",
                        "CRVAL2": 10.0, "CRVAL3": 20.0, "CDELT2": -1e-4, "CDELT3": 1e-4})  # fmt: skip
    axis = spectral_axis(made, WCS(made), (4, 5, 6))
    assert axis.array_axis == 2
    np.testing.assert_allclose(axis.values, 1e9 + 1e6 * np.arange(6))


def test_wavelengths_from_a_table():
    waves = np.array([1.0, 1.1, 1.3, 1.6, 2.0, 2.5])
    table = fits.BinTableHDU.from_columns(
        [fits.Column("wavelength", "6D", dim="(1,6)", array=waves.reshape(1, 6, 1))], name="WCS-TABLE"
    )
    cube = fits.ImageHDU(np.zeros((6, 5, 4), np.float32), name="SCI")
    cube.header.update(header(CTYPE3="WAVE-TAB", CUNIT3="um", PS3_0="WCS-TABLE", PS3_1="wavelength", CRVAL3=1.0,
                              CDELT3=1.0, CRPIX3=1.0))  # fmt: skip
    units = fits.HDUList([fits.PrimaryHDU(), cube, table])
    axis = spectral_axis(cube.header, WCS(cube.header, units), (6, 5, 4))
    np.testing.assert_allclose(axis.values, waves, rtol=1e-12)


@pytest.mark.parametrize("step", [0.5, -0.5])
def test_shares_add_up_to_the_width_of_the_region(step):
    axis = SpectralAxis(10 + step * np.arange(40), "um", "wavelength")
    low, high = sorted((10 + 3.3 * step, 10 + 21.7 * step))
    shares = axis.shares(low, high)
    assert np.isclose((shares * axis.widths).sum(), high - low)
    assert ((shares >= 0) & (shares <= 1)).all()


@pytest.mark.parametrize("step", [0.5, -0.5])
def test_channels_and_values_are_inverse(step):
    axis = SpectralAxis(10 + step * np.arange(40), "um", "wavelength")
    for channel in (0.0, 7.25, 39.0):
        assert np.isclose(axis.channel_of(10 + step * channel), channel)
    assert np.isnan(axis.channel_of(10 - step))

"""Units of spectra for display, against astropy's equivalencies and specutils' formula of air."""

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.fluxes import convert_flux, flux_unit, units_for
from jviz.backend.spectra.units import Scale, air_to_vacuum, convert_axis, quantity_of, scale_of, vacuum_to_air
from jviz.errors import CommandError

WAVES = np.array([0.09, 0.3, 0.55, 2.2, 17.0, 1300.0])
SOURCE = Scale("um", "wavelength")


@pytest.mark.parametrize("unit", ["nm", "Angstrom", "GHz", "THz", "1/cm", "eV", "keV", "erg", "pc"])
def test_axes_agree_with_astropy(unit):
    found = convert_axis(WAVES, SOURCE, Scale(unit, quantity_of(unit)[0]))
    np.testing.assert_allclose(found, (WAVES * u.um).to_value(unit, u.spectral()), rtol=1e-13)


@pytest.mark.parametrize("convention", ["optical", "radio", "relativistic"])
def test_velocities_agree_with_astropy(convention):
    rest = 2.1218 * u.um
    doppler = {"optical": u.doppler_optical, "radio": u.doppler_radio, "relativistic": u.doppler_relativistic}
    target = Scale("km/s", "velocity", rest=rest.to_value("m"), convention=convention)
    waves = np.array([2.05, 2.12, 2.1218, 2.13, 2.3])
    found = convert_axis(waves, SOURCE, target)
    np.testing.assert_allclose(found, (waves * u.um).to_value("km/s", doppler[convention](rest)), rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(convert_axis(found, target, SOURCE), waves, rtol=1e-13)


def test_air_is_as_specutils_has_it_and_comes_back():
    from specutils.utils.wcs_utils import vac_to_air

    waves = np.array([2005.0, 3727.09, 5008.24, 6564.61, 9533.2, 25000.0])
    air = vacuum_to_air(waves * 1e-10) * 1e10
    # Published pairs of strong lines in vacuum and air.
    np.testing.assert_allclose(air[1:4], [3726.03, 5006.84, 6562.80], atol=0.01)
    np.testing.assert_allclose(air, vac_to_air(waves * u.AA, method="Ciddor1996").value, rtol=1e-12)
    np.testing.assert_allclose(air, vac_to_air(waves * u.AA, method="Edlen1953").value, rtol=3e-7)
    np.testing.assert_allclose(air_to_vacuum(air * 1e-10) * 1e10, waves, rtol=1e-13)


@given(st.floats(2.01e-7, 1e-3), st.sampled_from(["nm", "GHz", "1/cm", "eV"]), st.sampled_from(["air", "vacuum"]))
def test_there_and_back(wave, unit, medium):
    start, there = Scale("m", "wavelength", medium), Scale(unit, quantity_of(unit)[0])
    found = convert_axis(convert_axis(wave, start, there), there, start)
    assert np.isclose(found, wave, rtol=1e-12)


PLAIN = ["mJy", "erg / (s cm2 Hz)", "erg / (s cm2 Angstrom)", "W / (m2 um)", "ph / (s cm2 Angstrom)", "ph / (s cm2 Hz)"]


@pytest.mark.parametrize("unit", PLAIN)
@pytest.mark.parametrize("target", PLAIN)
def test_fluxes_agree_with_astropy(unit, target):
    flux, error = np.linspace(1, 3, len(WAVES)), np.linspace(0.1, 0.2, len(WAVES))
    found, spread = convert_flux(flux, error, unit, target, wavelength=WAVES * 1e-6)
    equivalent = u.spectral_density(WAVES * u.um)
    np.testing.assert_allclose(found, (flux * u.Unit(unit)).to_value(target, equivalent), rtol=1e-12)
    np.testing.assert_allclose(spread, (error * u.Unit(unit)).to_value(target, equivalent), rtol=1e-12)


def test_nu_f_nu_agrees_with_astropy():
    flux = np.linspace(1, 3, len(WAVES))
    found, _ = convert_flux(flux, None, "mJy", "erg / (s cm2)", wavelength=WAVES * 1e-6)
    expected = (flux * u.mJy * (WAVES * u.um).to(u.Hz, u.spectral())).to_value("erg / (s cm2)")
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_magnitudes_and_their_errors():
    flux, error = np.array([3631.0, 363.1, -1.0]), np.array([36.31, 3.631, 1.0])
    found, spread = convert_flux(flux, error, "Jy", "ABmag")
    np.testing.assert_allclose(found, [0, 2.5, np.nan], atol=1e-12)
    np.testing.assert_allclose(found[:2], (flux[:2] * u.Jy).to_value(u.ABmag), atol=1e-3)
    # By differences: the slope of the logarithm.
    step = (convert_flux(flux + 1e-4 * error, None, "Jy", "ABmag")[0] - found) / 1e-4
    np.testing.assert_allclose(spread[:2], -step[:2], rtol=1e-4)
    back, back_error = convert_flux(found, spread, "ABmag", "Jy")
    np.testing.assert_allclose(back[:2], flux[:2])
    np.testing.assert_allclose(back_error[:2], error[:2])


def test_surface_brightness_by_the_area():
    area = (0.5 * u.arcsec**2).to_value("sr")
    found, error = convert_flux(np.array([10.0]), np.array([1.0]), "MJy / sr", "mJy", area=area)
    expected = (10 * u.MJy / u.sr * area * u.sr).to_value("mJy")
    np.testing.assert_allclose([found[0], error[0]], [expected, expected / 10], rtol=1e-12)
    per_arcsec, _ = convert_flux(found, None, "mJy", "mJy / arcsec2", area=area)
    np.testing.assert_allclose(per_arcsec, found / 0.5, rtol=1e-12)
    magnitude, _ = convert_flux(found, None, "mJy", "ABmag / arcsec2", area=area)
    np.testing.assert_allclose(magnitude, -2.5 * np.log10(per_arcsec * 1e-3 / 3631), rtol=1e-12)
    with pytest.raises(CommandError, match="area of sky"):
        convert_flux(found, None, "MJy / sr", "Jy")


def test_what_cannot_be_converted_is_said():
    with pytest.raises(CommandError, match="count / s"):
        convert_flux(np.ones(3), None, "count / s", "Jy", wavelength=np.ones(3))
    with pytest.raises(CommandError, match="rest"):
        convert_axis(WAVES, SOURCE, Scale("km/s", "velocity"))
    with pytest.raises(CommandError, match="channels"):
        convert_axis(WAVES, Scale(), SOURCE)
    with pytest.raises(CommandError, match="no unit along"):
        quantity_of("Jy")
    assert units_for("count / s") == {}
    assert flux_unit("erg / (s cm2 Angstrom)").density == "lambda"
    assert "MJy / sr" in units_for("Jy", has_area=True)["per frequency, per area"]


def test_the_scale_of_a_file():
    scale = scale_of(
        SpectralAxis(np.arange(3.0), "km/s", "velocity", rest=115.271e9, rest_unit="Hz", convention="radio")
    )
    assert scale.convention == "radio"
    assert np.isclose(scale.rest, 299792458 / 115.271e9)
    assert scale_of(SpectralAxis(np.arange(3.0), "bananas", "wavelength")).quantity == "channel"

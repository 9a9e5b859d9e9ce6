"""Spectra whose columns go by other names: of packages, of archives, and of hands."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.utils.masked import Masked

import jviz
from jviz.backend.spectra.naming import plain_name
from jviz.backend.units import parse_unit

N = 60
WAVE = np.linspace(4000.0, 9000.0, N)
FLUX = np.random.default_rng(1).normal(10, 1, N)
SIGMA = np.full(N, 0.5)
GOOD = np.where(np.arange(N) % 7 == 3, 0, 1)
FLAM = u.erg / (u.s * u.cm**2 * u.AA)


def opened(tmp_path, name, *units):
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / name)
    found = jviz.Session(settings={}).open(tmp_path / name)
    assert [data.kind for data in found] == ["spectrum"] * len(found)
    return [one for data in found for one in data.samples]


def table(columns, name="", **cards):
    made = [fits.Column(key, form, unit=unit or None, array=values) for key, (form, unit, values) in columns.items()]
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    hdu.header.update(cards)
    return hdu


def check(one, wave=WAVE, flux=FLUX, sigma=SIGMA):
    np.testing.assert_allclose(one.axis.values, wave, rtol=1e-6)
    np.testing.assert_allclose(one.flux, flux, rtol=1e-6)
    np.testing.assert_allclose(one.error[one.good], sigma[one.good], rtol=1e-6)


def test_masks_of_pypeit_are_1_for_good_samples(tmp_path):
    columns = {"wave": ("D", "", WAVE), "wave_grid_mid": ("D", "", WAVE), "flux": ("D", "", FLUX),
               "ivar": ("D", "", GOOD / SIGMA**2), "sigma": ("D", "", SIGMA), "mask": ("K", "", GOOD)}  # fmt: skip
    [one] = opened(tmp_path, "coadd1d.fits", table(columns, "SPECTRUM", DMODCLS="OneSpec", FLUXED=True))
    check(one)
    assert one.mask.tolist() == (GOOD == 0).tolist()
    assert (one.axis.unit, one.axis.medium) == ("Angstrom", "vacuum")
    assert parse_unit(one.unit).to(FLAM) == pytest.approx(1e-17)


def test_objects_of_pypeit_are_read_by_their_best_extraction(tmp_path):
    columns = {"TRACE_SPAT": ("D", "", WAVE), "OPT_WAVE": ("D", "", WAVE), "OPT_FLAM": ("D", "", FLUX),
               "OPT_FLAM_SIG": ("D", "", SIGMA), "OPT_FLAM_IVAR": ("D", "", SIGMA**-2),
               "OPT_COUNTS": ("D", "", FLUX * 9), "OPT_MASK": ("L", "", GOOD > 0), "BOX_WAVE": ("D", "", WAVE),
               "BOX_COUNTS": ("D", "", FLUX * 8)}  # fmt: skip
    counts = {"BOX_WAVE": ("D", "", WAVE), "BOX_COUNTS": ("D", "", FLUX * 8), "BOX_COUNTS_IVAR": ("D", "", SIGMA**-2)}
    first, second = (table(c, f"SPAT000{n}-SLIT0001-DET01", DMODCLS="SpecObj") for n, c in enumerate((columns, counts)))
    one, other = opened(tmp_path, "spec1d.fits", first, second)
    check(one)
    check(other, flux=FLUX * 8)
    assert one.mask.tolist() == (GOOD == 0).tolist()
    assert parse_unit(one.unit).to(FLAM) == pytest.approx(1e-17)
    assert (other.unit, other.kind) == ("count", "ivar")


def test_standards_of_calspec_have_statistical_errors_and_flags_of_good_samples(tmp_path):
    columns = {"WAVELENGTH": ("D", "ANGSTROMS", WAVE), "FLUX": ("D", "FLAM", FLUX), "STATERROR": ("D", "FLAM", SIGMA),
               "SYSERROR": ("D", "FLAM", 9 * SIGMA), "DATAQUAL": ("I", "", GOOD)}  # fmt: skip
    [one] = opened(tmp_path, "gd71_stis_001.fits", table(columns))
    check(one)
    assert one.mask.tolist() == (GOOD == 0).tolist()
    assert one.axis.medium == "vacuum"


def test_wavelengths_in_vacuum_come_before_those_in_air(tmp_path):
    columns = {"WAVE_AIR": ("D", "Angstrom", WAVE - 2), "WAVE_VAC": ("D", "Angstrom", WAVE),
               "FLUX": ("D", "", FLUX), "FLUXERR": ("D", "", SIGMA)}  # fmt: skip
    [one] = opened(tmp_path, "both.fits", table(columns))
    check(one)
    assert one.axis.medium == "vacuum"
    del columns["WAVE_VAC"]
    [one] = opened(tmp_path, "air.fits", table(columns))
    check(one, wave=WAVE - 2)
    assert one.axis.medium == "air"


def test_flags_that_lamost_writes_as_floats_are_a_mask(tmp_path):
    columns = {"FLUX": (f"{N}E", "", [FLUX]), "IVAR": (f"{N}E", "", [SIGMA**-2]), "WAVELENGTH": (f"{N}E", "", [WAVE]),
               "ANDMASK": (f"{N}E", "", [1.0 - GOOD])}  # fmt: skip
    [one] = opened(tmp_path, "lamost.fits", table(columns, "COADD", TELESCOP="LAMOST"))
    check(one)
    assert one.mask.tolist() == (GOOD == 0).tolist()


@pytest.mark.parametrize(("wave", "flux", "error", "units"), [
    ("Lambda [nm]", "F_lambda", "sigma_F", ("nm", "")),
    ("WAVELENGTH_UM", "FLUX_UJY", "FLUX_ERR_UJY", ("um", "uJy")),
    ("Wavelength_micron", "Flux_Jy", "Err_Jy", ("um", "Jy")),
    ("wave_obs", "fnu", "efnu", ("Angstrom", "")),
    ("lambda_A", "flam", "sig", ("Angstrom", "")),
    ("freq_GHz", "T_mb", "rms", ("GHz", "")),
])  # fmt: skip
def test_names_with_units_and_words_of_hands_are_understood(tmp_path, wave, flux, error, units):
    columns = {wave: ("D", "", WAVE), flux: ("D", "", FLUX), error: ("D", "", SIGMA)}
    [one] = opened(tmp_path, "odd.fits", table(columns))
    check(one)
    assert (one.axis.unit, one.unit) == units


def test_a_megajansky_in_capitals_may_be_a_millijansky():
    assert plain_name("FLUX_MJY") == ("FLUX_MJY", "")
    assert plain_name("flux_mJy") == ("FLUX", "mJy")


def test_an_a_along_a_spectrum_is_no_ampere(tmp_path):
    [one] = opened(tmp_path, "a.fits", table({"wave": ("D", "A", WAVE), "flux": ("D", "erg/s/cm2/A", FLUX)}))
    assert one.axis.unit == "Angstrom"
    [one] = opened(tmp_path, "odd.fits", table({"wave": ("D", "Angsts", WAVE), "flux": ("D", "", FLUX)}))
    assert one.axis.unit == "Angstrom"
    assert "Angsts, is not understood" in one.axis.notes[0]


def test_rows_of_spex_are_wavelength_flux_and_error(tmp_path):
    hdu = fits.PrimaryHDU(np.array([WAVE / 1e4, FLUX, SIGMA], "f4"))
    hdu.header.update(TELESCOP="NASA IRTF", XUNITS="um", YUNITS="W m-2 um-1")
    hdu.writeto(tmp_path / "M5V.fits")
    [data] = jviz.Session(settings={}).open(tmp_path / "M5V.fits")
    check(data.samples[0], wave=WAVE / 1e4)
    assert (data.samples[0].axis.unit, data.samples[0].unit) == ("um", "W m-2 um-1")


def test_samples_that_a_table_says_are_missing_are_none(tmp_path):
    """Not zero, which the memory below a mask of a quantity may hold."""
    mask = GOOD == 0
    values = np.where(mask, 0.0, FLUX)
    made = QTable({"wave": WAVE * u.AA, "flux": Masked(values, mask=mask) * FLAM, "flux_err": SIGMA * FLAM})
    made.write(tmp_path / "masked.ecsv")
    [data] = jviz.Session(settings={}).open(tmp_path / "masked.ecsv")
    one = data.samples[0]
    assert np.isnan(one.flux).tolist() == mask.tolist()
    np.testing.assert_allclose(one.flux[~mask], FLUX[~mask])
    whole = Table({"wave": WAVE, "flux": np.ma.array(np.arange(N), mask=mask)})
    whole.write(tmp_path / "whole.ecsv")
    [data] = jviz.Session(settings={}).open(tmp_path / "whole.ecsv")
    assert np.isnan(data.samples[0].flux).tolist() == mask.tolist()


ROWS = "\n".join(f"{a:.6f} {b:.8e} {c:.3e}" for a, b, c in zip(WAVE, FLUX, SIGMA, strict=True)) + "\n"


@pytest.mark.parametrize("sign", ["%", "!", ";", "//"])
def test_comments_of_other_programs_are_comments(tmp_path, sign):
    path = tmp_path / "model.txt"
    path.write_text(f"{sign} A model\n{sign} of 2020, by hand\n{ROWS}")
    [data] = jviz.Session(settings={}).open(path)
    check(data.samples[0])


@pytest.mark.parametrize("head", [
    "# Object: NGC 7027\n# z = 0.001\n#  lam(A)  F_lambda(erg/s/cm2/A)  err(erg/s/cm2/A)\n",
    "# by hand\n#\n# wavelength [Angstrom]   flux [erg/(s cm2 A)]   error [erg/(s cm2 A)]\n\n",
    "% wave (Ang) flux (erg s-1 cm-2 A-1) sigma (erg s-1 cm-2 A-1)\n",
])  # fmt: skip
def test_the_last_comment_above_the_numbers_names_them(tmp_path, head):
    path = tmp_path / "named.dat"
    path.write_text(head + ROWS)
    [data] = jviz.Session(settings={}).open(path)
    one = data.samples[0]
    check(one)
    assert parse_unit(one.unit) == FLAM
    assert parse_unit(one.axis.unit) == u.AA or one.axis.unit == "Angstrom"
    assert not one.axis.notes


def test_samples_without_information_are_masked_in_arrays_as_in_tables(tmp_path):
    hdu = fits.PrimaryHDU(FLUX)
    hdu.header.update(CRVAL1=4000.0, CDELT1=1.0, CRPIX1=1.0, CTYPE1="WAVE", CUNIT1="Angstrom")
    fits.HDUList([hdu, fits.ImageHDU(GOOD / SIGMA**2, name="IVAR")]).writeto(tmp_path / "ivar.fits")
    [data] = jviz.Session(settings={}).open(tmp_path / "ivar.fits")
    assert data.samples[0].kind == "ivar"
    assert data.samples[0].mask.tolist() == (GOOD == 0).tolist()

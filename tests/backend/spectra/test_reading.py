"""Spectra of real files against what astropy.io.fits finds in them, and made ones of each convention."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table

import jviz
from jviz.backend.spectra.dispersion import dispersion_axes
from jviz.errors import JvizError, ReadError
from jviz.spectral import samples_of

REAL = {
    # file: (extension, which spectrum, axis, flux, uncertainty, kind, unit of the axis, unit of the flux, medium)
    "MRK209_cos_x1dsum.fits": (1, 1, "WAVELENGTH", "FLUX", "ERROR", "std", u.AA, "erg/(s cm2 AA)", "vacuum"),
    "XShooter_XQ100.fits.gz": (1, 0, "WAVE", "FLUX", "ERR_FLUX", "std", u.nm, "erg/(s cm2 nm)", "vacuum"),
    "jw01243001001_01101_00001_nrca5_x1d.fits": (1, 0, "WAVELENGTH", "FLUX", "FLUX_ERROR", "std", u.um, "Jy", "vacuum"),
    "jw01373-o019_t001_nirspec_g395h-f290lp_x1d.fits": (
        1, 0, "WAVELENGTH", "FLUX", "FLUX_ERROR", "std", u.um, "Jy", "vacuum"),
    "jw02565007001_03101_00002_nrs2_x1d.fits": (1, 0, "WAVELENGTH", "FLUX", "FLUX_ERROR", "std", u.um, "Jy", "vacuum"),
    "rubies-egs61_prism-clear_4233_44597.spec.fits": (1, 0, "wave", "flux", "err", "std", u.um, "uJy", "vacuum"),
    "spec-0398-51789-0282.fits": (1, 0, "loglam", "flux", "ivar", "ivar", u.AA, "1e-17 erg/(s cm2 AA)", "vacuum"),
}  # fmt: skip


def spectra_of(path, **options):
    return [d for d in jviz.Session().open(path, **options) if d.kind == "spectrum"]


@pytest.mark.parametrize("name", REAL)
def test_real_tables_give_the_numbers_of_their_columns(shared_data, name):
    extension, which, axis, flux, error, kind, axis_unit, flux_unit, medium = REAL[name]
    [data] = spectra_of(shared_data / name)
    with fits.open(shared_data / name) as hdus:
        rows = hdus[extension].data
        columns = [np.asarray(rows[c], float) for c in (axis, flux, error)]
    wave, values, sigma = (c[which] if c.ndim == 2 else c for c in columns)
    wave = 10**wave if axis == "loglam" else wave
    good = np.isfinite(wave) & (wave > 0)
    one = data.samples[which]
    np.testing.assert_array_equal(one.axis.values, wave[good])
    np.testing.assert_array_equal(one.flux, values[good])
    np.testing.assert_array_equal(one.uncertainty, sigma[good])
    assert (one.kind, one.axis.medium, one.axis.quantity) == (kind, medium, "wavelength")
    from jviz.backend.units import parse_unit

    assert parse_unit(one.axis.unit) == axis_unit
    assert parse_unit(one.unit).is_equivalent(u.Unit(flux_unit))
    assert parse_unit(one.unit).to(u.Unit(flux_unit)) == pytest.approx(1)
    assert data.shape[-1] >= len(one)


def test_the_nirspec_wavelengths_are_those_expected_of_the_prism(shared_data):
    [data] = spectra_of(shared_data / "jw02565007001_03101_00002_nrs2_x1d.fits")
    values = data.samples[0].axis.values
    assert values[0] == pytest.approx(0.55164, abs=1e-5)
    assert values[-1] == pytest.approx(5.37776, abs=1e-5)


def test_flux_over_surface_brightness_tells_the_area(shared_data):
    name = "jw01243001001_01101_00001_nrca5_x1d.fits"
    [data] = spectra_of(shared_data / name)
    table = fits.getdata(shared_data / name, 1)
    some = np.flatnonzero(table["SURF_BRIGHT"] > 0)[:5]
    expected = table["FLUX"][some] / table["SURF_BRIGHT"][some] / 1e6
    np.testing.assert_allclose(data.samples[0].area, expected, rtol=0.11)  # 10 and 11 pixels


def test_serious_flags_mask_and_others_do_not(shared_data):
    [data] = spectra_of(shared_data / "jw01373-o019_t001_nirspec_g395h-f290lp_x1d.fits")
    one = data.samples[0]
    np.testing.assert_array_equal(one.mask, (one.flags & 1) != 0)
    assert one.mask.sum() == 29
    [cos] = spectra_of(shared_data / "MRK209_cos_x1dsum.fits")
    weights = fits.getdata(shared_data / "MRK209_cos_x1dsum.fits", 1)["DQ_WGT"]
    np.testing.assert_array_equal(cos.samples[0].mask, weights[0] == 0)
    assert [one.name for one in cos.samples] == ["FUVA", "FUVB"]


def test_desi_arms_have_the_targets_of_the_fibermap(shared_data):
    path = shared_data / "desi_coadd-sv3-dark-26065.fits"
    arms = spectra_of(path)
    with fits.open(path) as hdus:
        targets = [str(t) for t in hdus["FIBERMAP"].data["TARGETID"]]
        for data, arm in zip(arms, "BRZ", strict=True):
            assert [one.name for one in data.samples] == targets
            one = data.samples[2]
            np.testing.assert_array_equal(one.axis.values, hdus[f"{arm}_WAVELENGTH"].data)
            np.testing.assert_array_equal(one.flux, hdus[f"{arm}_FLUX"].data[2])
            np.testing.assert_array_equal(one.uncertainty, hdus[f"{arm}_IVAR"].data[2])
            np.testing.assert_array_equal(one.mask, hdus[f"{arm}_MASK"].data[2] != 0)
            assert (one.kind, one.axis.medium) == ("ivar", "vacuum")


def test_jades_arrays_are_one_spectrum(shared_data):
    path = shared_data / "jades_000110_prism_1D.fits"
    [data] = spectra_of(path)
    [one] = data.samples
    with fits.open(path) as hdus:
        np.testing.assert_array_equal(one.axis.values, hdus["WAVELENGTH"].data)
        np.testing.assert_array_equal(one.flux, hdus["DATA"].data)
        np.testing.assert_array_equal(one.uncertainty, hdus["ERR"].data)
    assert (one.axis.unit, one.unit, one.kind) == ("meter", "m-3 W", "std")


def test_reading_needs_no_specutils(shared_data):
    import subprocess
    import sys

    code = (
        "import sys, jviz\n"
        f"for name in {sorted(REAL)!r}:\n"
        f"    [d.samples for d in jviz.Session().open({str(shared_data)!r} + '/' + name) if d.kind == 'spectrum']\n"
        "print('specutils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def _extract1d(source, n=20, **more):
    wave = np.linspace(1, 2, n)
    wave[:3] = 0
    flux = np.full(n, source or 1) * u.Jy
    columns = {"WAVELENGTH": wave * u.um, "FLUX": flux, "FLUX_ERROR": np.ones(n) * u.Jy}
    hdu = fits.table_to_hdu(Table(columns | {"DQ": np.zeros(n, np.int32)}))
    hdu.header.update(EXTNAME="EXTRACT1D", EXTVER=source or 1, SOURCEID=source, **more)
    return hdu


def _jwst():
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="JWST", INSTRUME="NIRSPEC", DATAMODL="MultiSpecModel")
    return primary


def test_hundreds_of_sources_open_as_one_data_set(tmp_path):
    path = tmp_path / "jw1_nrs1_x1d.fits"
    fits.HDUList([_jwst(), *(_extract1d(n) for n in range(1, 301))]).writeto(path)
    [data] = spectra_of(path)
    assert (len(data.samples), data.label) == (300, "JWST NIRSpec x1d (300 spectra)")
    assert [one.name for one in data.samples[:2]] == ["source 1", "source 2"]
    assert (data.samples[41].flux == 42).all()
    assert len(data.samples[41]) == 17
    [again] = spectra_of(path, **data.product.options)
    assert len(again.samples) == 300
    [one] = spectra_of(path, hdu="EXTRACT1D,7")
    assert (one.samples[0].flux == 7).all()


def test_two_orders_of_one_source_are_told_apart(tmp_path):
    path = tmp_path / "jw1_nis_x1d.fits"
    hdus = [_extract1d(1, SPORDER=1), _extract1d(1, SPORDER=2), _extract1d(1, SPORDER=2)]
    fits.HDUList([_jwst(), *hdus]).writeto(path)
    [data] = spectra_of(path)
    assert [one.name for one in data.samples] == ["source 1 order 1", "source 1 order 2 #1", "source 1 order 2 #2"]


def test_tables_of_integrations_are_named_after_them(tmp_path):
    path = tmp_path / "jw1_nis_x1dints.fits"
    hdus = [_extract1d(None, SPORDER=order, INT_NUM=number) for number in (1, 2) for order in (1, 2)]
    fits.HDUList([_jwst(), *hdus]).writeto(path)
    [data] = spectra_of(path)
    names = [f"order {order} integration {number}" for number in (1, 2) for order in (1, 2)]
    assert [one.name for one in data.samples] == names


def test_rows_of_vectors_are_sources_or_integrations(tmp_path):
    wave = np.vstack([np.linspace(1, 2, 30), np.r_[np.linspace(3, 4, 20), np.full(10, np.nan)]])
    columns = {"SOURCE_ID": [5, 9], "N_ALONGDISP": [30, 20], "WAVELENGTH": wave * u.um, "FLUX": wave * u.Jy}
    hdu = fits.table_to_hdu(Table(columns))
    hdu.header["EXTNAME"] = "EXTRACT1D"
    path = tmp_path / "jw1_nrca5_x1d.fits"
    fits.HDUList([_jwst(), hdu]).writeto(path)
    [data] = spectra_of(path)
    assert [(one.name, len(one)) for one in data.samples] == [("source 5", 30), ("source 9", 20)]
    assert data.shape == (2, 30)


def test_surface_brightness_stands_in_for_an_empty_flux(tmp_path):
    n = 8
    columns = {
        "WAVELENGTH": np.linspace(1, 2, n) * u.um, "FLUX": np.zeros(n) * u.Jy, "FLUX_ERROR": np.zeros(n) * u.Jy,
        "SURF_BRIGHT": np.ones(n) * u.MJy / u.sr, "SB_ERROR": np.full(n, 0.1) * u.MJy / u.sr,
    }  # fmt: skip
    fits.HDUList([_jwst(), fits.table_to_hdu(Table(columns))]).writeto(tmp_path / "jw1_x1d.fits")
    [data] = spectra_of(tmp_path / "jw1_x1d.fits")
    assert data.unit == "MJy / sr" or data.unit == "MJy sr-1"
    assert (data.samples[0].error == 0.1).all()


def test_iue_gives_a_first_wavelength_and_a_step(tmp_path):
    flux = np.arange(12.0).reshape(1, 12)
    rows = {"WAVELENGTH": [1150.0], "DELTAW": [1.5], "NPOINTS": [10], "FLUX": flux, "SIGMA": flux + 1}
    fits.table_to_hdu(Table(rows)).writeto(tmp_path / "swp.fits")
    [data] = spectra_of(tmp_path / "swp.fits")
    [one] = data.samples
    np.testing.assert_allclose(one.axis.values, 1150 + 1.5 * np.arange(10))
    assert (one.flux[-1], one.uncertainty[-1], one.axis.unit) == (9, 10, "Angstrom")


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"CRVAL1": 4000.0, "CDELT1": 2.0, "CUNIT1": "Angstrom"}, 4000 + 2 * np.arange(50)),
        ({"CRVAL1": 4000.0, "CD1_1": 2.0, "CRPIX1": 11.0}, 3980 + 2 * np.arange(50)),
        ({"CRVAL1": 3.6, "CDELT1": 1e-4, "DC-FLAG": 1}, 10 ** (3.6 + 1e-4 * np.arange(50))),
        (
            {"CTYPE1": "WAVE-LOG", "CRVAL1": 5e-7, "CDELT1": 1e-10, "CUNIT1": "m"},
            5e-7 * np.exp(np.arange(50) * 1e-10 / 5e-7),
        ),
    ],
)
def test_one_dimensional_images_have_the_axis_of_their_header(tmp_path, cards, expected):
    hdu = fits.PrimaryHDU(np.arange(50.0))
    hdu.header.update(cards)
    hdu.writeto(tmp_path / "a.fits")
    [data] = spectra_of(tmp_path / "a.fits")
    np.testing.assert_allclose(data.samples[0].axis.values, expected, rtol=1e-12)
    assert data.samples[0].axis.quantity == "wavelength"


def test_another_algorithm_is_worked_out_by_wcslib():
    from astropy.wcs import WCS

    header = fits.Header({"CTYPE1": "FREQ", "CRVAL1": 1.4e9, "CDELT1": 1e5, "CUNIT1": "Hz"})
    assert dispersion_axes(header, (1, 5))[0].quantity == "frequency"
    header = fits.Header({"CTYPE1": "WAVE-F2W", "CRVAL1": 5e-7, "CDELT1": 1e-10, "CUNIT1": "m", "CRPIX1": 1.0})
    [axis] = dispersion_axes(header, (1, 9))
    np.testing.assert_allclose(axis.values, WCS(header, naxis=1).pixel_to_world_values(np.arange(9)), rtol=1e-12)


def _multispec(words):
    header = fits.Header({"CTYPE1": "MULTISPE", "CTYPE2": "MULTISPE", "WAT1_001": "wtype=multispec units=angstroms"})
    text = "wtype=multispec " + " ".join(f'spec{n} = "{w}"' for n, w in enumerate(words, 1))
    for number, start in enumerate(range(0, len(text), 68), 1):
        header[f"WAT2_{number:03d}"] = text[start : start + 68]
    return header


def test_iraf_multispec_has_an_axis_for_each_order(tmp_path):
    n = 40
    x = np.linspace(-1, 1, n)
    header = _multispec(
        [
            f"1 1 0 5000. 0.5 {n} 0. 10. 20.",
            f"2 2 1 3.7 0.0001 {n} 0. 10. 20.",
            f"3 3 2 5000. 0.5 {n} 0.001 10. 20. 1. 0. 1 3 1. {n}. 6000. 50. 2.",
            f"4 4 2 5000. 0.5 {n} 0. 10. 20. 1. 10. 2 3 1. {n}. 7000. 50. 2.",
        ]
    )
    path = tmp_path / "echelle.fits"
    fits.PrimaryHDU(np.arange(4 * n, dtype=float).reshape(4, n), header).writeto(path)
    [data] = spectra_of(path)
    axes = [one.axis.values for one in data.samples]
    np.testing.assert_allclose(axes[0], 5000 + 0.5 * np.arange(n))
    np.testing.assert_allclose(axes[1], 10 ** (3.7 + 1e-4 * np.arange(n)))
    np.testing.assert_allclose(axes[2], (6000 + 50 * x + 2 * (2 * x**2 - 1)) / 1.001)
    np.testing.assert_allclose(axes[3], 7010 + 50 * x + (3 * x**2 - 1))
    assert data.samples[2].flux[0] == 2 * n


def test_iraf_splines_agree_with_the_splines_of_scipy():
    from scipy.interpolate import BSpline

    n, pieces = 25, 4
    c = np.array([5000, 5010, 5025, 5040, 5043, 5060, 5070.0])
    header = _multispec([f"1 1 2 0 0 {n} 0. 1. 2. 1. 0. 3 {pieces} 1. {n}. " + " ".join(map(str, c))])
    [axis] = dispersion_axes(header, (1, n))
    # IRAF's pieces are six times the uniform cubic B-spline
    s = np.linspace(0, pieces, n)
    np.testing.assert_allclose(axis.values, 6 * BSpline(np.arange(-3.0, pieces + 4), c, 3)(s))


def test_text_with_two_and_three_columns_is_a_spectrum(tmp_path):
    wave = np.linspace(4000, 5000, 30)
    np.savetxt(tmp_path / "two.txt", np.c_[wave, np.sin(wave)])
    np.savetxt(tmp_path / "three.dat", np.c_[wave, np.sin(wave), np.ones(30)])
    [two] = spectra_of(tmp_path / "two.txt")
    [three] = spectra_of(tmp_path / "three.dat")
    np.testing.assert_allclose(two.samples[0].axis.values, wave)
    assert two.samples[0].kind == ""
    assert "Å is taken" in two.samples[0].axis.notes[0]
    assert three.samples[0].kind == "std"
    assert (three.samples[0].error == 1).all()


def test_a_text_table_of_anything_else_stays_a_catalogue(tmp_path):
    rng = np.random.default_rng(1)
    np.savetxt(tmp_path / "stars.txt", rng.normal(size=(30, 3)))
    [data] = jviz.Session().open(tmp_path / "stars.txt")
    assert data.kind == "catalog"


def test_ecsv_of_quantities_keeps_units(tmp_path):
    wave = np.linspace(4, 5, 30) * u.um
    QTable({"spectral_axis": wave, "flux": wave.value * u.mJy, "uncertainty": np.ones(30) * u.mJy}).write(
        tmp_path / "s.ecsv"
    )
    [data] = spectra_of(tmp_path / "s.ecsv")
    [one] = data.samples
    assert (one.axis.unit, one.unit, one.kind) == ("um", "mJy", "std")
    np.testing.assert_array_equal(one.axis.values, wave.value)


def test_what_is_no_spectrum_says_what_is_missing(tmp_path):
    columns = {"wave": np.zeros((9, 2, 2)), "flux": np.ones((9, 2, 2))}
    fits.table_to_hdu(Table(columns)).writeto(tmp_path / "odd.fits")
    [data] = jviz.Session().open(tmp_path / "odd.fits")
    with pytest.raises(JvizError, match=r"odd.fits has no column of wavelengths"):
        samples_of(data)
    assert any("no column of wavelengths" in text for text in data.product.warnings)


def test_broken_iraf_cards_say_which():
    header = _multispec(["1 1 0 5000. 0.5 9 0. 1. 2."])
    with pytest.raises(ReadError, match="no dispersion of number 2"):
        dispersion_axes(header, (2, 9), "x.fits")
    with pytest.raises(ReadError, match="damaged"):
        dispersion_axes(_multispec(["1 1 0 what"]), (1, 9), "x.fits")


def test_values_without_wavelengths_are_numbered_and_say_so(tmp_path):
    fits.PrimaryHDU(np.arange(9.0)).writeto(tmp_path / "bare.fits")
    [data] = spectra_of(tmp_path / "bare.fits")
    axis = data.samples[0].axis
    assert (axis.quantity, axis.unit) == ("channel", "")
    np.testing.assert_array_equal(axis.values, np.arange(9))
    assert "bare has no wavelengths" in axis.notes[0]


SIMULATED = {
    # file: wavelengths of the first and last sample (µm), as astropy.io.fits reads them
    "jw09999-o002_t001_miri_ch1-short_x1d.fits": (4.9004, 5.7396),
    "jw09999-o002_t001_miri_ch2-short_x1d.fits": (7.51065, 8.77035),
    "jw09999003001_02101_00001_mirimage_x1d.fits": (14.09651, 5.0495),
}


@pytest.mark.parametrize("name", SIMULATED)
def test_simulated_miri_spectra_have_their_wavelengths(shared_data, name):
    path = shared_data / "sim_miri" / name
    if not path.is_file():
        pytest.skip("the simulations are not here")
    [data] = spectra_of(path)
    one = data.samples[0]
    np.testing.assert_allclose(one.axis.values[[0, -1]], SIMULATED[name], atol=1e-5)
    assert (one.axis.unit, one.axis.medium, one.unit, one.kind) == ("um", "vacuum", "Jy", "std")


def test_a_spectrum_of_eso_phase_3(tmp_path):
    waves, unit = np.linspace(3000, 5000, 500), "erg cm**(-2) s**(-1) angstrom**(-1)"
    table = fits.BinTableHDU.from_columns([
        fits.Column("WAVE", "500D", unit="angstrom", array=[waves]),
        fits.Column("FLUX", "500E", unit=unit, array=[waves]),
        fits.Column("ERR", "500E", unit=unit, array=[np.full(500, 2.0)]),
        fits.Column("QUAL", "500J", array=[(waves > 4900).astype(int)]),
    ], name="SPECTRUM")  # fmt: skip
    table.header.update(VOCLASS="SPECTRUM v1.0", TUTYP1="Spectrum.Data.SpectralAxis.Value", TUCD1="em.wl;obs.atmos")
    primary = fits.PrimaryHDU(header=fits.Header({"PRODCATG": "SCIENCE.SPECTRUM", "INSTRUME": "UVES"}))
    fits.HDUList([primary, table]).writeto(tmp_path / "uves.fits")
    [data] = spectra_of(tmp_path / "uves.fits")
    [one] = data.samples
    np.testing.assert_array_equal(one.axis.values, waves)
    assert (one.axis.unit, one.axis.medium, one.kind) == ("angstrom", "air", "std")  # obs.atmos: in air
    np.testing.assert_array_equal(one.good, waves <= 4900)
    np.testing.assert_array_equal(one.error, 2.0)

"""What goes into a session as an object comes out as the same object."""

import subprocess
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData, InverseVariance, NDData, StdDevUncertainty, VarianceUncertainty
from astropy.table import QTable, Table
from astropy.utils.masked import Masked
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from jviz import CommandError
from jviz.convert import convert, data_from

KINDS = {1: "spectrum", 2: "image", 3: "cube", 4: "ramp"}


def wcs_of(nx=6, ny=5):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = 53.1, -27.8
    wcs.wcs.crpix = nx / 2, ny / 2
    wcs.wcs.cdelt = -1e-5, 1e-5
    wcs.wcs.set()
    return wcs


@given(hnp.arrays(hnp.floating_dtypes(sizes=(32, 64)) | hnp.integer_dtypes(), hnp.array_shapes(max_dims=4, min_side=2)))
@settings(max_examples=50)
def test_arrays_of_any_byte_order_come_back_with_their_shape(array):
    data = data_from(array)
    assert data.kind == KINDS[array.ndim]
    back = convert(data, np.ndarray)
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(back, array)


def test_a_native_array_is_not_copied_on_the_way_in_and_is_on_the_way_out():
    array = np.zeros((4, 5), np.float32)
    data = data_from(array, "field")
    assert data.name == "field"
    assert np.shares_memory(data.plane().raw(), array)
    out = convert(data, np.ndarray)
    out[:] = 7
    assert not array.any()


def test_adding_an_array_imports_nothing_of_astropy():
    code = (
        "import sys, numpy as np; from jviz.convert import data_from; data_from(np.ones((3, 4))); "
        "print([m for m in ('astropy', 'specutils', 'regions', 'glue') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("shape", [(1, 4, 5), (1, 1, 4, 5)])
def test_axes_of_length_one_do_not_make_a_cube(shape):
    data = data_from(np.ones(shape))
    assert data.kind == "image"
    assert convert(data, np.ndarray).shape == shape


@pytest.mark.parametrize(
    "thing", [np.array(3.0), np.ones((0, 4)), np.ones((2,) * 5), np.ones((2, 2), complex), np.array([[object()]])]
)
def test_arrays_that_cannot_be_shown_are_refused_with_a_reason(thing):
    with pytest.raises(CommandError, match=r"array"):
        data_from(thing)


@pytest.mark.parametrize("thing", [{"a": 1}, 5, object(), [1, 2]])
def test_other_things_are_refused_with_what_is_taken(thing):
    with pytest.raises(CommandError, match=r"jviz takes ndarray.*CCDData.*Regions"):
        data_from(thing)


def test_a_path_leads_to_open(tmp_path):
    with pytest.raises(CommandError, match=r"session\.open"):
        data_from(tmp_path / "m31.fits")
    with pytest.raises(CommandError, match=r"session\.open"):
        data_from("m31.fits")


@pytest.mark.parametrize("kind", [StdDevUncertainty, VarianceUncertainty, InverseVariance])
def test_ccddata_comes_back_whole(kind):
    rng = np.random.default_rng(1)
    values, errors = rng.normal(size=(5, 6)), rng.uniform(1, 2, (5, 6))
    mask = values > 1
    header = fits.Header({"OBJECT": "M 31", "EXPTIME": 30.0})
    ccd = CCDData(values, unit="MJy/sr", uncertainty=kind(errors), mask=mask, wcs=wcs_of(), meta=header)
    back = convert(data_from(ccd), CCDData)
    np.testing.assert_array_equal(back.data, values)
    np.testing.assert_array_equal(back.mask, mask)
    np.testing.assert_array_equal(back.uncertainty.array, errors)
    assert type(back.uncertainty) is kind
    assert back.uncertainty.unit == ccd.uncertainty.unit
    assert back.unit == ccd.unit
    assert back.meta["OBJECT"] == "M 31"
    np.testing.assert_array_equal(back.wcs.pixel_to_world_values(2, 3), wcs_of().pixel_to_world_values(2, 3))


def test_nddata_without_anything_has_nothing_more():
    back = convert(data_from(NDData(np.ones((3, 4)))), NDData)
    assert back.uncertainty is None
    assert back.mask is None
    assert back.wcs is None
    assert back.unit == u.dimensionless_unscaled


def test_quantities_keep_their_unit():
    quantity = np.arange(12.0).reshape(3, 4) * u.MJy / u.sr
    data = data_from(quantity)
    assert data.kind == "image"
    back = convert(data, u.Quantity)
    assert back.unit == quantity.unit
    np.testing.assert_array_equal(back.value, quantity.value)


def test_what_is_masked_becomes_nan_and_a_mask():
    values = np.array([[1, 2], [3, 10**9]])
    for thing in (
        np.ma.masked_greater(values, 100),
        Masked(values.astype(float), mask=values > 100),
        Masked(values * u.Jy, mask=values > 100),
    ):
        data = data_from(thing)
        np.testing.assert_array_equal(convert(data, np.ndarray), [[1, 2], [3, np.nan]])
        np.testing.assert_array_equal(convert(data, CCDData).mask, values > 100)
        np.testing.assert_array_equal(convert(data, np.ma.MaskedArray).mask, values > 100)


def test_an_unknown_unit_is_kept_as_text(tmp_path):
    path = tmp_path / "odd.fits"
    fits.PrimaryHDU(np.ones((4, 4), np.float32), fits.Header({"BUNIT": "furlongs"})).writeto(path)
    from jviz.backend.io.registry import open_products
    from jviz.data import from_product

    data = from_product(open_products(path)[0])
    ccd = convert(data, CCDData)
    assert ccd.unit == u.dimensionless_unscaled
    assert ccd.meta["BUNIT"] == "furlongs"
    with pytest.raises(CommandError, match="furlongs"):
        convert(data, u.Quantity)


def test_tables_keep_units_and_error_columns():
    table = Table({"flux": [1.0, 2.0], "flux_err": [0.1, 0.2], "label": ["a", "b"]})
    table["flux"].unit = table["flux_err"].unit = "uJy"
    data = data_from(table)
    assert data.kind == "catalog"
    back = convert(data, QTable)
    assert back.colnames == table.colnames
    assert back["flux_err"].unit == u.uJy
    back["flux"][0] = 99 * u.uJy
    assert convert(data, QTable)["flux"][0] == 1 * u.uJy
    assert convert(data, np.ndarray)["flux"].tolist() == [1.0, 2.0]


def test_a_structured_array_is_a_table():
    rows = np.array([(1, 2.0), (3, 4.0)], [("id", "i4"), ("x", "f8")])
    np.testing.assert_array_equal(convert(data_from(rows), np.ndarray), rows)


def test_spectra_come_back_as_themselves():
    from specutils import SpectralRegion, Spectrum, SpectrumList

    axis = np.linspace(1, 2, 50) * u.um
    spectrum = Spectrum(np.arange(50.0) * u.Jy, axis, uncertainty=StdDevUncertainty(np.ones(50)))
    data = data_from(spectrum)
    assert (data.kind, data.shape, data.unit) == ("spectrum", (50,), "Jy")
    assert convert(data, Spectrum) is spectrum
    table = convert(data, QTable)
    assert table.colnames == ["spectral_axis", "flux", "flux_err"]
    assert table["flux_err"].unit == u.Jy
    pair = data_from(SpectrumList([spectrum, spectrum]))
    assert len(convert(pair, SpectrumList)) == 2
    with pytest.raises(CommandError, match="SpectrumList"):
        convert(pair, Spectrum)
    region = SpectralRegion(1.2 * u.um, 1.4 * u.um)
    assert convert(data_from(region), SpectralRegion).lower == 1.2 * u.um


def test_regions_come_back():
    from regions import CirclePixelRegion, CircleSkyRegion, PixCoord, Regions

    circle = CirclePixelRegion(PixCoord(5, 6), 3)
    data = data_from(circle)
    assert data.kind == "regions"
    assert convert(data, Regions)[0] == circle
    sky = CircleSkyRegion(SkyCoord(1 * u.deg, 2 * u.deg), 3 * u.arcsec)
    assert len(convert(data_from(Regions([circle, sky])), Regions)) == 2
    with pytest.raises(CommandError, match=r"regions.*no array|no table"):
        convert(data, QTable)


def test_unknown_classes_are_refused_with_what_there_is():
    with pytest.raises(CommandError, match=r"choose one of numpy\.ndarray"):
        convert(data_from(np.ones((2, 2))), dict)


# --- real files -------------------------------------------------------------------------------------


def real(shared_data, name, index=0):
    from jviz.backend.io.registry import open_products
    from jviz.data import from_product

    return from_product(open_products(shared_data / name)[index])


@pytest.mark.parametrize(
    ("name", "axis", "flux", "error", "power"),
    [
        ("jw02565007001_03101_00002_nrs2_x1d.fits", "WAVELENGTH", "FLUX", "FLUX_ERROR", 1),
        ("XShooter_XQ100.fits.gz", "WAVE", "FLUX", "ERR_FLUX", 1),
        ("rubies-egs61_prism-clear_4233_44597.spec.fits", "wave", "flux", "err", 1),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_spectra_of_tables_have_the_numbers_of_the_columns(shared_data, name, axis, flux, error, power):
    from specutils import Spectrum

    with fits.open(shared_data / name) as units:
        rows = next(h.data for h in units if isinstance(h, fits.BinTableHDU) and flux in h.columns.names)
        expected = {n: np.ravel(rows[n]).astype(float) for n in (axis, flux, error)}
    data = next(d for i in range(3) if (d := real(shared_data, name, i)).kind == "spectrum")
    spectrum = convert(data, Spectrum)
    good = np.isfinite(expected[axis])
    np.testing.assert_allclose(spectrum.spectral_axis.value, expected[axis][good], rtol=1e-6)
    np.testing.assert_array_equal(spectrum.flux.value, expected[flux][good])
    np.testing.assert_array_equal(spectrum.uncertainty.array, expected[error][good])


@pytest.mark.filterwarnings("ignore")
def test_sdss_wavelengths_come_from_their_logarithms(shared_data):
    from specutils import Spectrum

    spectrum = convert(real(shared_data, "spec-0398-51789-0282.fits"), Spectrum)
    with fits.open(shared_data / "spec-0398-51789-0282.fits") as units:
        expected = 10 ** units[1].data["loglam"].astype(float)
    np.testing.assert_allclose(spectrum.spectral_axis.to_value("AA"), expected, rtol=1e-9)
    assert spectrum.uncertainty.uncertainty_type == "ivar"


@pytest.mark.filterwarnings("ignore")
def test_only_do_not_use_masks_jwst_pixels(shared_data):
    name = "jw01093012001_03102_00001_nis_cal.fits"
    ccd = convert(real(shared_data, name), CCDData)
    with fits.open(shared_data / name) as units:
        flags = units["DQ"].data
        np.testing.assert_array_equal(ccd.mask, flags % 2 == 1)
        np.testing.assert_array_equal(ccd.uncertainty.array, units["ERR"].data)
    assert (flags != 0).sum() > ccd.mask.sum()


@pytest.mark.filterwarnings("ignore")
def test_variances_stay_variances(shared_data):
    ccd = convert(real(shared_data, "muse_udf_subcube.fits"), CCDData)
    assert isinstance(ccd.uncertainty, VarianceUncertainty)
    assert ccd.shape == (500, 30, 30)


@pytest.mark.filterwarnings("ignore")
def test_a_gwcs_goes_with_ccddata(shared_data):
    data = real(shared_data, "jw01288016001_34101_00002_mirimage_i2d.fits")
    ccd = convert(data, CCDData)
    np.testing.assert_array_equal(ccd.wcs.pixel_to_world_values(10, 20), data.wcs.pixel_to_world_values(10, 20))

"""The WCS loader and SkyMap against astropy's and gwcs's own answers, on real and recorded headers."""

import gc
import io
import subprocess
import sys
import warnings
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.embedded_gwcs import read_gwcs
from jviz.backend.wcs import SkyMap, linear_axes, load_fits_wcs

FITS_WITH_SKY = {
    "tpv.fits": 0,
    "ukidss.fits": 1,
    "wise-1b-1.fits": 0,
    "allsky_rosat.fits": 0,
    "gc_msx_e.fits": 0,
    "j8bt06nyq_flt.fits": 1,
    "iccz11q4q_ima.fits": 1,
    "muse_udf_subcube.fits": 1,
    "alma_m17_4d.fits": 0,
    "alma_perplanebeam.fits": 0,
    "l1448_13co.fits": 0,
    "jw01386_nrcalong_f300m_mask335r_hd141569_psfsub.fits": 1,
    "nircam_f200w_cutout_401.fits": 0,
    "xdf_hst_wfc3ir_60mas_f160w_sci.fits": 0,
    "k4m_160319_075112_oow_zd_ls9.CCD3.fits": 1,
    "jw01022-o023_t001_miri_ch2-short_s3d_nav.fits": 1,
}
GWCS_FILES = (
    "jw01093012001_03102_00001_nis_cal.fits",
    "jw01288016001_34101_00002_mirimage_i2d.fits",
    "sim_nircam_sub160/jw09999001001_02101_00001_nrcb1_cal.fits",
    "sim_nircam_sub160/jw09999-o001_t001_nircam_clear-f200w-sub160_i2d.fits",
)


def tan_header(*, shape=(80, 100), scale=0.1, angle=0.0, mirrored=False, **cards):
    header = fits.Header()
    s, c = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    flip = 1 if mirrored else -1
    values = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 20.0, "CRPIX1": 50.0, "CRPIX2": 40.0,
        "CD1_1": flip * c * scale / 3600, "CD1_2": flip * -s * scale / 3600,
        "CD2_1": s * scale / 3600, "CD2_2": c * scale / 3600,
    }  # fmt: skip
    header.update(values | cards)
    return header


def write(path, header, shape=(80, 100)):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros(shape, "u1"), header, name="SCI")]).writeto(path)
    return path


def grid(shape, n=9):
    ny, nx = shape[-2:]
    return np.meshgrid(np.linspace(0, nx - 1, n), np.linspace(0, ny - 1, n))


def quiet_wcs(header, units=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return WCS(header, units)


def assert_same_as_astropy(sky, header, shape, units=None):
    x, y = grid(shape)
    plane = quiet_wcs(header, units).celestial
    expected = plane.pixel_to_world(x, y).icrs
    lon, lat = sky.pixel_to_sky(x, y)
    defined = np.isfinite(expected.ra.deg)
    assert np.array_equal(np.isfinite(lon), defined)
    apart = SkyCoord(lon[defined], lat[defined], unit="deg").separation(expected[defined])
    assert apart.arcsec.max() < 1e-6
    back = sky.sky_to_pixel(lon, lat)
    assert np.hypot(back[0] - x, back[1] - y)[defined].max() < 1e-5
    assert not np.isfinite(back[0][~defined]).any()


@pytest.mark.parametrize("name", FITS_WITH_SKY)
def test_files_agree_with_astropy(shared_data, name):
    path, index = shared_data / name, FITS_WITH_SKY[name]
    with fits.open(path, memmap=False) as units:
        header, shape = units[index].header, units[index].shape
        sky = SkyMap.of(load_fits_wcs(path, index, shape).wcs, shape)
        assert_same_as_astropy(sky, header, shape, units)


def recorded_headers(folder):
    with zipfile.ZipFile(folder / "wcs_headers.zip") as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("ascii", "replace")
            yield name, text


def parse(text):
    separator = "\n" if "\n" in text[:90] else ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fits.Header.fromstring(text, sep=separator)


def test_recorded_headers_agree_with_astropy(shared_data, tmp_path):
    """Twenty-eight projections, CD matrices, SIP and TPV."""
    checked = 0
    for name, text in recorded_headers(shared_data):
        if not name.startswith("1904") and name not in (
            "3d_cd.hdr",
            "irac_sip.hdr",
            "siponly.hdr",
            "tpvonly.hdr",
        ):
            continue
        header = parse(text)
        shape = tuple(int(header.get(f"NAXIS{i}", 192)) for i in (2, 1))
        wcs = quiet_wcs(header)
        if not wcs.has_celestial or wcs.naxis > 2:
            continue
        sky = SkyMap.of(wcs, shape)
        assert sky is not None, name
        x, y = grid(shape, 17)
        lon, lat = sky.pixel_to_sky(x, y)
        expected = wcs.pixel_to_world(x, y).icrs
        known = np.isfinite(lon)
        assert known.any(), name
        apart = SkyCoord(lon[known], lat[known], unit="deg").separation(expected[known]).arcsec
        assert apart.max() < 1e-6, name
        u_back, v_back = sky.sky_to_pixel(lon, lat)
        # where a map shows a place twice the way back leads to one of the two
        again = sky.pixel_to_sky(u_back, v_back)
        lands = SkyCoord(again[0][known], again[1][known], unit="deg").separation(expected[known]).arcsec
        # the polynomials of the COBE cube are only rough inverses (Calabretta & Greisen 2002, section 5.6.2)
        assert np.nanmax(lands) < (60 if "CSC" in name else 1e-5), name
        checked += 1
    assert checked >= 28


def test_every_recorded_header_loads_or_says_why(shared_data, tmp_path):
    for name, text in recorded_headers(shared_data):
        header = parse(text)
        for keyword in (
            "SIMPLE",
            "XTENSION",
            "BITPIX",
            "NAXIS",
            "NAXIS1",
            "NAXIS2",
            "NAXIS3",
            "NAXIS4",
            "EXTEND",
        ):
            header.remove(keyword, ignore_missing=True)
        path = tmp_path / f"{name}.fits"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fits.PrimaryHDU(np.zeros((20, 30), "u1"), header).writeto(path, output_verify="silentfix")
        result = load_fits_wcs(path, 0, (20, 30))
        assert result.wcs is not None or len(result.warnings) == 1, name
        SkyMap.of(result.wcs, (20, 30))


@pytest.mark.parametrize("name", GWCS_FILES)
def test_gwcs_is_used_and_agrees_with_its_own_transform(shared_data, name):
    import gwcs

    path = shared_data / name
    shape = fits.getdata(path, "SCI").shape
    result = load_fits_wcs(path, 1, shape)
    assert isinstance(result.wcs, gwcs.WCS)
    assert result.warnings == ()
    sky = SkyMap.of(result.wcs, shape)
    x, y = grid(shape)
    expected = result.wcs(x, y, with_bounding_box=False)
    lon, lat = sky.pixel_to_sky(x, y)
    assert np.allclose(lon, expected[0], atol=1e-10)
    assert np.allclose(lat, expected[1], atol=1e-10)
    back = sky.sky_to_pixel(lon, lat)
    assert np.hypot(back[0] - x, back[1] - y).max() < 1e-6
    outside = sky.pixel_to_sky(-3.0, -3.0)
    assert np.isfinite(outside).all()
    # The same few places are remembered, and nobody changes them for the next one who asks.
    x, y = np.array([10.0, 11.5]), np.array([20.0, 7.25])
    first = sky.pixel_to_sky(x, y)
    for values in first:
        values[:] = 0.0
    again, all_at_once = sky.pixel_to_sky(x, y), sky.pixel_to_sky(np.repeat(x, 8), np.repeat(y, 8))
    assert not sky.is_quick
    np.testing.assert_array_equal(np.repeat(again, 8, axis=1), all_at_once)


@pytest.mark.parametrize("name", GWCS_FILES[:2])
def test_inverse_is_found_without_one(shared_data, name):
    """A GWCS without stored inverse is inverted by iteration on the forward transform."""
    import gwcs

    path = shared_data / name
    shape = fits.getdata(path, "SCI").shape
    full = load_fits_wcs(path, 1, shape).wcs
    forward = full.forward_transform.copy()
    from astropy.modeling import custom_model

    @custom_model
    def unchanged(value):
        return value

    bare = gwcs.WCS([(gwcs.coordinate_frames.Frame2D(name="detector"), (unchanged() & unchanged()) | forward),
                     (full.output_frame, None)])  # fmt: skip
    with pytest.raises(NotImplementedError):
        _ = bare.backward_transform
    sky = SkyMap.of(bare, shape)
    x, y = grid(shape)
    lon, lat = sky.pixel_to_sky(x, y)
    back = sky.sky_to_pixel(lon, lat)
    assert np.hypot(back[0] - x, back[1] - y).max() < 1e-5
    assert np.isnan(sky.sky_to_pixel(lon.mean() + 90, lat.mean())).all()


def test_cube_of_gwcs_has_a_sky_and_slits_have_none(shared_data):
    slit = shared_data / "jw02565007001_03101_00002_nrs2_s2d.fits"
    shape = fits.getdata(slit, "SCI").shape
    wcs = load_fits_wcs(slit, 1, shape).wcs
    assert wcs.world_n_dim == 3
    assert SkyMap.of(wcs, shape) is None
    [axis] = [a for a in linear_axes(wcs) if a.label == "wavelength"]
    wavelengths = axis.function([0, shape[1] - 1])
    assert axis.pixel_axis == 0
    assert 0.4 < wavelengths[0] < wavelengths[1] < 6.0


def test_gwcs_with_transforms_of_the_pipeline_needs_its_package(shared_data):
    path = shared_data / "jw02565007001_03101_00002_nrs2_cal.fits"
    result = load_fits_wcs(path, 1, (38, 419))
    if find_spec("stdatamodels") is None:
        assert result.wcs is None
        assert len(result.warnings) == 1
        assert "SCI" in result.warnings[0]
        return
    # The pipeline has written the wavelength of each pixel beside it.
    wavelengths = fits.getdata(path, "WAVELENGTH")
    y, x = np.mgrid[5:33:4, 50:400:60]
    np.testing.assert_allclose(result.wcs(x, y)[-1], wavelengths[y, x], rtol=1e-6)


def cut_out(source, target, rows, columns, *, shift_keywords=True, keep_shape=False):
    """Cut a JWST image as tools do that know nothing of its ASDF extension."""
    with fits.open(source) as units:
        header = units["SCI"].header.copy()
        pixels = units["SCI"].data[rows, columns]
        if keep_shape:
            pixels = np.zeros(units["SCI"].shape, "f4")
        if shift_keywords:
            header["CRPIX1"] -= columns.start
            header["CRPIX2"] -= rows.start
        asdf = units["ASDF"].copy()
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(pixels, header, name="SCI"), asdf]).writeto(target)
    return target


@pytest.mark.parametrize("keep_shape", [False, True])
def test_gwcs_of_a_cut_out_loses(shared_data, tmp_path, keep_shape):
    source = shared_data / GWCS_FILES[1]
    path = cut_out(source, tmp_path / "cut.fits", slice(30, 90), slice(40, 100), keep_shape=keep_shape)
    shape = fits.getdata(path, "SCI").shape
    result = load_fits_wcs(path, 1, shape)
    assert isinstance(result.wcs, WCS)
    [warning] = result.warnings
    assert "cut-out" in warning
    before = SkyMap.of(load_fits_wcs(source, 1, (129, 137)).wcs, (129, 137))
    assert np.allclose(SkyMap.of(result.wcs, shape).pixel_to_sky(5, 6), before.pixel_to_sky(45, 36), atol=1e-9)


def test_gwcs_of_a_cut_out_without_keywords_is_not_used(shared_data, tmp_path):
    path = tmp_path / "cut.fits"
    with fits.open(shared_data / GWCS_FILES[0]) as units:
        pixels = fits.ImageHDU(units["SCI"].data[10:50, 10:60], name="SCI")
        fits.HDUList([fits.PrimaryHDU(), pixels, units["ASDF"].copy()]).writeto(path)
    result = load_fits_wcs(path, 1, (40, 50))
    assert result.wcs is None
    assert len(result.warnings) == 1


def test_no_keywords(tmp_path):
    result = load_fits_wcs(write(tmp_path / "a.fits", fits.Header()), 1, (80, 100))
    assert result.wcs is None
    assert "SCI has no WCS keywords" in result.warnings[0]


@pytest.mark.parametrize(
    "cards",
    [
        {"CD1_1": 1e-4, "CD1_2": 1e-4, "CD2_1": 1e-4, "CD2_2": 1e-4},
        {"CTYPE2": "GLAT-TAN"},
        {"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"},
        {"CRVAL1": "middle"},
        {"CUNIT1": "parsec per fortnight"},
        {"A_ORDER": 3, "B_ORDER": 3, "A_2_0": "a"},
    ],
)
def test_unreadable_keywords_give_one_clear_warning(tmp_path, cards):
    result = load_fits_wcs(write(tmp_path / "a.fits", tan_header(**cards)), 1, (80, 100))
    assert result.wcs is None
    [warning] = result.warnings
    assert "SCI" in warning or "extension 1" in warning
    assert warning.endswith("pixels.")
    assert "\n" not in warning


def test_numbers_written_as_text_and_steps_of_zero(tmp_path):
    expected = SkyMap.of(WCS(tan_header()), (80, 100)).pixel_to_sky(3, 4)
    header = tan_header(CRVAL1="150.0", CTYPE3="FREQ", CRVAL3=1e9, CDELT3=0.0)
    header.update({"CDELT1": header["CD1_1"], "CDELT2": header["CD2_2"]})
    for keyword in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"):
        del header[keyword]
    result = load_fits_wcs(write(tmp_path / "a.fits", header, (2, 80, 100)), 1, (2, 80, 100))
    assert result.warnings == ()
    assert np.allclose(SkyMap.of(result.wcs, (2, 80, 100)).pixel_to_sky(3, 4), expected, atol=1e-9)


@pytest.mark.parametrize("keywords", [("CD1_1", "CD1_2", "CD2_1", "CD2_2"), ("CDELT1", "CDELT2")])
def test_steps_that_are_all_zero_give_no_sky_of_one_degree_a_pixel(tmp_path, keywords):
    header = tan_header()
    for keyword in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"):
        header.pop(keyword, None)
    header.update(dict.fromkeys(keywords, 0.0))
    result = load_fits_wcs(write(tmp_path / "a.fits", header), 1, (80, 100))
    assert result.wcs is None
    [warning] = result.warnings
    assert ", ".join(keywords) in warning


def test_a_row_of_zeros_gives_no_sky_either(tmp_path):
    result = load_fits_wcs(write(tmp_path / "a.fits", tan_header(CD2_1=0.0, CD2_2=0.0)), 1, (80, 100))
    assert result.wcs is None
    [warning] = result.warnings
    assert "(CD2_1, CD2_2 are 0)" in warning


def test_missing_extension_is_a_warning(tmp_path):
    result = load_fits_wcs(write(tmp_path / "a.fits", tan_header()), 7, (80, 100))
    assert result.wcs is None
    assert len(result.warnings) == 1


def test_sip_suffix_without_polynomials_changes_nothing(tmp_path, capsys):
    plain = load_fits_wcs(write(tmp_path / "a.fits", tan_header()), 1, (80, 100)).wcs
    header = tan_header(CTYPE1="RA---TAN-SIP", CTYPE2="DEC--TAN-SIP")
    result = load_fits_wcs(write(tmp_path / "b.fits", header), 1, (80, 100))
    assert result.warnings == ()
    assert np.allclose(result.wcs.pixel_to_world_values(3, 4), plain.pixel_to_world_values(3, 4), atol=1e-12)
    assert "SIP" not in "".join(capsys.readouterr())


def test_degenerate_axes_may_be_missing_from_the_array(tmp_path):
    header = tan_header(CTYPE3="FREQ", CRVAL3=1e9, CRPIX3=1.0, CTYPE4="STOKES", CRVAL4=1.0, CRPIX4=1.0)
    header["CD3_3"], header["CD4_4"] = 1e6, 1.0
    path = write(tmp_path / "a.fits", header, (1, 5, 80, 100))
    cube = load_fits_wcs(path, 1, (5, 80, 100)).wcs
    assert cube.pixel_n_dim == 3
    sky = SkyMap.of(cube, (5, 80, 100))
    assert np.allclose(sky.pixel_to_sky(49, 39), (150.0, 20.0))
    [frequency] = linear_axes(cube)
    assert frequency[:2] == ("FREQ", "Hz")
    assert frequency.function(4) == pytest.approx(1.004e9)


def test_more_wcs_axes_than_array_axes(tmp_path):
    header = tan_header(WCSAXES=4, CTYPE3="FREQ", CRVAL3=1e9, CTYPE4="STOKES", CRVAL4=1.0)
    header["CD3_3"], header["CD4_4"] = 1e6, 1.0
    result = load_fits_wcs(write(tmp_path / "a.fits", header), 1, (80, 100))
    assert result.wcs.pixel_n_dim == 2
    assert np.allclose(SkyMap.of(result.wcs, (80, 100)).pixel_to_sky(49, 39), (150.0, 20.0))


def test_declination_first(tmp_path):
    header = tan_header(CTYPE1="DEC--TAN", CTYPE2="RA---TAN", CRVAL1=20.0, CRVAL2=150.0)
    sky = SkyMap.of(load_fits_wcs(write(tmp_path / "a.fits", header), 1, (80, 100)).wcs, (80, 100))
    assert np.allclose(sky.pixel_to_sky(49, 39), (150.0, 20.0))
    # x runs to smaller declinations, so north is to the left
    assert sky.pixel_to_sky(60, 39)[1] < 20
    assert sky.north_angle() == pytest.approx(90, abs=1e-2)
    assert np.allclose(sky.sky_to_pixel(*sky.pixel_to_sky(7, 8)), (7, 8))


def test_spectral_axis_first_has_no_sky_over_the_last_two_axes(tmp_path):
    header = fits.Header()
    header.update({
        "CTYPE1": "FREQ", "CRVAL1": 1e9, "CDELT1": 1e6, "CRPIX1": 1.0,
        "CTYPE2": "RA---TAN", "CRVAL2": 150.0, "CDELT2": -1e-4, "CRPIX2": 1.0,
        "CTYPE3": "DEC--TAN", "CRVAL3": 20.0, "CDELT3": 1e-4, "CRPIX3": 1.0,
    })  # fmt: skip
    wcs = load_fits_wcs(write(tmp_path / "a.fits", header, (4, 5, 6)), 1, (4, 5, 6)).wcs
    assert SkyMap.of(wcs, (4, 5, 6)) is None
    assert [a.pixel_axis for a in linear_axes(wcs)] == [0]


def test_celestial_alternate_is_taken_when_the_first_is_not(tmp_path):
    header = tan_header(CTYPE1="LINEAR", CTYPE2="LINEAR")
    header.update({
        "CTYPE1A": "GLON-CAR", "CTYPE2A": "GLAT-CAR", "CRVAL1A": 30.0, "CRVAL2A": 0.0, "CRPIX1A": 1.0, "CRPIX2A": 1.0,
        "CDELT1A": -0.1, "CDELT2A": 0.1,
    })  # fmt: skip
    result = load_fits_wcs(write(tmp_path / "a.fits", header), 1, (80, 100))
    sky = SkyMap.of(result.wcs, (80, 100))
    assert sky.native_frame == "galactic"
    expected = SkyCoord(30 * u.deg, 0 * u.deg, frame="galactic").icrs
    assert np.allclose(sky.pixel_to_sky(0, 0), (expected.ra.deg, expected.dec.deg), atol=1e-9)
    assert "alternate WCS A" in result.warnings[0]


@pytest.mark.parametrize(
    ("cards", "name", "frame"),
    [
        ({}, "icrs", "icrs"),
        ({"RADESYS": "FK5", "EQUINOX": 2000.0}, "fk5", "fk5"),
        (
            {"RADESYS": "FK5", "EQUINOX": 1975.0},
            "fk5",
            SkyCoord(0, 0, unit="deg", frame="fk5", equinox="J1975").frame,
        ),
        ({"RADESYS": "FK4", "EQUINOX": 1950.0}, "fk4", "fk4"),
        ({"EQUINOX": 1950.0}, "fk4", "fk4"),
        (
            {"RADESYS": "FK4", "EQUINOX": 1900.0},
            "fk4",
            SkyCoord(0, 0, unit="deg", frame="fk4", equinox="B1900").frame,
        ),
        ({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}, "galactic", "galactic"),
        ({"CTYPE1": "ELON-TAN", "CTYPE2": "ELAT-TAN"}, "ecliptic", "barycentricmeanecliptic"),
        ({"CTYPE1": "SLON-TAN", "CTYPE2": "SLAT-TAN"}, "supergalactic", "supergalactic"),
    ],
)
def test_frames(cards, name, frame):
    sky = SkyMap.of(quiet_wcs(tan_header(**cards)), (80, 100))
    assert sky.native_frame == name
    lon, lat = quiet_wcs(tan_header(**cards)).wcs_pix2world(7, 8, 0)
    equinox = {"equinox": frame.equinox} if hasattr(frame, "equinox") else {}
    native = SkyCoord(lon, lat, unit="deg", frame=getattr(frame, "name", frame), **equinox)
    found = SkyCoord(*sky.pixel_to_sky(7, 8), unit="deg")
    assert found.separation(native.icrs).arcsec < 1e-5
    assert np.allclose(sky.sky_to_pixel(found.ra.deg, found.dec.deg), (7, 8), atol=1e-3)


@pytest.mark.parametrize("kind", ["HP", "MA"])
def test_sun_and_planets_have_no_place_among_the_stars(kind):
    names = {"HP": ("HPLN-TAN", "HPLT-TAN"), "MA": ("MALN-TAN", "MALT-TAN")}[kind]
    wcs = quiet_wcs(tan_header(CTYPE1=names[0], CTYPE2=names[1], CRVAL1=0.0, CRVAL2=0.0))
    assert SkyMap.of(wcs, (80, 100)) is None


@pytest.mark.parametrize("angle", [0.0, 30.0, -100.0, 179.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_scale_angle_and_handedness(angle, mirrored):
    sky = SkyMap.of(WCS(tan_header(angle=angle, mirrored=mirrored, scale=0.2)), (80, 100))
    place = (49, 39)
    assert sky.pixel_scale(*place) == pytest.approx((0.2, 0.2, 0.2), rel=1e-7)
    assert sky.pixel_area_arcsec2(*place) == pytest.approx(0.04, rel=1e-7)
    assert sky.handedness(*place) == (-1 if mirrored else 1)
    lon, lat = sky.pixel_to_sky(*place)
    dx, dy = np.subtract(sky.sky_to_pixel(lon, lat + 1e-4), place)
    assert sky.north_angle(*place) == pytest.approx(np.degrees(np.arctan2(-dx, dy)), abs=1e-3)


def test_area_of_pixels_sums_to_the_sphere():
    """An equal-area all-sky map covers 4π steradians."""
    header = fits.Header()
    header.update({"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL1": 180.0, "CRVAL2": 0.0, "CRPIX1": 180.5,
                   "CRPIX2": 90.5, "CDELT1": -1.0, "CDELT2": 1.0})  # fmt: skip
    sky = SkyMap.of(WCS(header), (180, 360))
    x, y = np.meshgrid(np.arange(1, 359), np.arange(1, 179))
    lat = np.radians(sky.pixel_to_sky(x, y)[1])
    expected = np.cos(lat) * 3600**2
    assert np.allclose(sky.pixel_area_arcsec2(x, y), expected, rtol=1e-4)


def test_shapes_numbers_and_nan():
    sky = SkyMap.of(WCS(tan_header()), (80, 100))
    lon, lat = sky.pixel_to_sky(3, 4)
    assert lon.shape == lat.shape == ()
    assert lon.dtype == lat.dtype == np.float64
    assert sky.pixel_to_sky(np.zeros((2, 3)), 1.0)[0].shape == (2, 3)
    assert sky.pixel_to_sky([], [])[0].shape == (0,)
    assert np.isnan(sky.pixel_to_sky([np.nan, 1], [1, 1])[0]).tolist() == [True, False]
    assert np.isnan(sky.sky_to_pixel([150.0, 330.0], [20.0, -20.0])[0]).tolist() == [False, True]


def test_objects_of_users():
    """High-level objects and slices have the common interface, and give the same sky."""
    from astropy.wcs.wcsapi import HighLevelWCSWrapper, SlicedLowLevelWCS

    wcs = WCS(tan_header(angle=20))
    plain = SkyMap.of(wcs, (80, 100)).pixel_to_sky(12, 23)
    cut = HighLevelWCSWrapper(SlicedLowLevelWCS(wcs, (slice(20, None), slice(10, None))))
    sky = SkyMap.of(cut, (60, 90))
    assert np.allclose(sky.pixel_to_sky(2, 3), plain, atol=1e-10)
    assert np.allclose(sky.sky_to_pixel(*plain), (2, 3), atol=1e-5)
    assert SkyMap.of(None, (80, 100)) is None
    assert SkyMap.of(wcs, (80,)) is None


def test_old_pipeline_products_say_why_there_is_no_sky_and_where_wavelengths_are(shared_data):
    from jviz.backend.io.registry import open_products

    [product, *_] = open_products(shared_data / "jw02565007001_03101_00002_nrs2_cal.fits")
    assert "WAVELENGTH" in product.planes
    if find_spec("stdatamodels") is not None:
        return  # it reads them
    result = product.load_wcs()
    assert result.wcs is None
    assert "early version of the JWST pipeline, with the transform coords-1.0.0" in result.warnings[0]
    assert "WAVELENGTH plane" in result.warnings[0]


def test_transforms_that_nothing_here_reads_are_seen_in_the_text_without_importing_gwcs(shared_data):
    code = (
        "import sys; from jviz.backend.io.registry import open_products\n"
        f"product = open_products({str(shared_data / 'jw01243001001_01101_00001_nrca5_cal.fits')!r})[0]\n"
        "print(product.load_wcs().warnings[0]); assert 'gwcs' not in sys.modules"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "with the transform nircam_grism_dispersion-0.7.0" in said


def made_gwcs(shape, crpix, scale):
    """A GWCS of a TAN projection, x and y axes free of turns, with its bounding box."""
    import gwcs
    from astropy.coordinates import ICRS
    from astropy.modeling import models
    from gwcs import coordinate_frames as cf

    steps = models.Shift(-crpix[0]) & models.Shift(-crpix[1]) | models.Scale(-scale) & models.Scale(scale)
    sky = models.Pix2Sky_TAN() | models.RotateNative2Celestial(150.0, 2.0, 180.0)
    detector = cf.Frame2D(name="detector", axes_order=(0, 1), unit=(u.pix, u.pix))
    made = gwcs.WCS([(detector, steps | sky), (cf.CelestialFrame(reference_frame=ICRS(), name="world"), None)])
    made.bounding_box = ((-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5))
    return made


def asdf_extension(wcs):
    """The extension of a FITS file that holds a GWCS."""
    buffer = io.BytesIO()
    asdf_library().AsdfFile({"meta": {"wcs": wcs}}).write_to(buffer)
    raw = np.frombuffer(buffer.getvalue(), np.uint8)
    column = fits.Column(name="ASDF_METADATA", format=f"{raw.size}B", array=raw[None])
    return fits.BinTableHDU.from_columns([column], name="ASDF")


def test_tables_within_transforms_need_the_file_no_more():
    """They are blocks of the file, which asdf reads when they are first used."""
    import gwcs
    from astropy.modeling import models
    from gwcs import coordinate_frames as cf

    waves = np.linspace(0.6, 5.3, 2000) ** 2
    table = models.Shift(1.0) | models.Tabular1D(points=np.arange(2000.0), lookup_table=waves)
    pixels = cf.CoordinateFrame(1, ["SPATIAL"], (0,), unit=(u.pix,), name="detector")
    made = gwcs.WCS([(pixels, table), (cf.SpectralFrame(unit=(u.um,), axes_order=(0,), name="world"), None)])
    found, problem = read_gwcs(asdf_extension(made))
    gc.collect()
    assert problem == ""
    assert found(700.0) == pytest.approx(waves[701])


@pytest.mark.parametrize("shift", [0, 12])
def test_a_made_cut_out_lies_where_its_keywords_say(tmp_path, shift):
    """Both say the same, or the GWCS is still that of the whole array from which it was cut."""
    shape, scale = (60, 70), 0.1 / 3600
    extension = asdf_extension(made_gwcs(shape, (30.0, 25.0), scale))
    cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 31.0 - shift,
             "CRPIX2": 26.0, "CDELT1": -scale, "CDELT2": scale, "CUNIT1": "deg", "CUNIT2": "deg"}  # fmt: skip
    pixels = fits.ImageHDU(np.zeros(shape, "f4"), fits.Header(cards), name="SCI")
    units = [fits.PrimaryHDU(), pixels, extension]
    fits.HDUList(units).writeto(tmp_path / "made.fits")
    result = load_fits_wcs(tmp_path / "made.fits", 1, shape)
    assert isinstance(result.wcs, WCS) == bool(shift)
    assert len(result.warnings) == bool(shift)
    if shift:
        assert "cut-out" in result.warnings[0]
        assert f"{0.1 * shift:.1f} arcsec" in result.warnings[0]
    place = SkyCoord(*SkyMap.of(result.wcs, shape).pixel_to_sky(50, 40), unit="deg")
    truth = WCS(fits.Header(cards)).pixel_to_world(50, 40)
    assert place.separation(truth) < 1e-6 * u.arcsec

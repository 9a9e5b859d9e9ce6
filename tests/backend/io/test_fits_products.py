"""What belongs together is one product of the right kind."""

import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.io.registry import open_products
from jviz.errors import ReadError


def image(name="", shape=(6, 7), dtype="f4", version=None, **cards):
    hdu = fits.ImageHDU(np.ones(shape, dtype), name=name)
    if version is not None:
        hdu.ver = version
    hdu.header.update(cards)
    return hdu


def write(path, *hdus, **primary):
    first = fits.PrimaryHDU()
    first.header.update(primary)
    fits.HDUList([first, *hdus]).writeto(path)
    return path


def opened(tmp_path, *hdus, name="m31.fits", **primary):
    return open_products(write(tmp_path / name, *hdus, **primary))


def meanings(product):
    return {name: plane.meaning for name, plane in product.planes.items()}


def test_error_flags_and_weight_go_with_their_data(tmp_path):
    names = ("SCI", "ERR", "DQ", "WHT", "VAR_POISSON", "AREA")
    [product] = opened(tmp_path, *[image(n, dtype="i2" if n == "DQ" else "f4") for n in names])
    assert product.kind == "image"
    assert product.name == "m31"
    assert meanings(product) == {
        "SCI": "data",
        "ERR": "error",
        "DQ": "flags",
        "WHT": "weight",
        "VAR_POISSON": "variance",
        "AREA": "other",
    }
    assert [plane.hdu for plane in product.planes.values()] == [1, 2, 3, 4, 5, 6]
    assert len({plane.identity.key for plane in product.planes.values()}) == 6


def test_one_noise_term_is_not_the_whole_variance(tmp_path):
    [product] = opened(tmp_path, image("SCI"), image("VAR_RNOISE"))
    assert product.plane("variance") is None


def test_each_extver_is_a_product(tmp_path):
    hdus = [image(n, version=v) for n in ("SCI", "ERR") for v in (1, 2)]
    first, second = opened(tmp_path, *hdus)
    assert (first.name, second.name) == ("m31[SCI,1]", "m31[SCI,2]")
    assert [plane.hdu for plane in first.planes.values()] == [1, 3]
    assert [plane.hdu for plane in second.planes.values()] == [2, 4]
    assert first.options == {"hdu": "SCI,1"}


def test_sets_without_extver_go_by_their_order(tmp_path):
    hdus = [image(n) for n in ("SCI", "ERR", "DQ", "SCI", "ERR", "DQ")]
    first, second = opened(tmp_path, *hdus)
    assert [plane.hdu for plane in first.planes.values()] == [1, 2, 3]
    assert [plane.hdu for plane in second.planes.values()] == [4, 5, 6]
    assert second.options == {"hdu": 4}


def test_errors_before_the_data_are_found(tmp_path):
    [product] = opened(tmp_path, image("DQ"), image("ERR"), image("SCI"))
    assert list(product.planes) == ["SCI", "DQ", "ERR"]
    assert product.main == 3


def test_prefixed_sets(tmp_path):
    hdus = [image(f"{arm}_{role}") for arm in "BR" for role in ("FLUX", "IVAR", "MASK")]
    blue, red = opened(tmp_path, *hdus)
    assert meanings(blue) == {"B_FLUX": "data", "B_IVAR": "inverse variance", "B_MASK": "flags"}
    assert list(red.planes) == ["R_FLUX", "R_IVAR", "R_MASK"]


def test_chips_of_a_mosaic_stay_apart(tmp_path):
    products = opened(tmp_path, *[image(f"CCD{n}") for n in range(1, 5)])
    assert [product.name for product in products] == [f"m31[CCD{n}]" for n in range(1, 5)]


def test_an_error_of_another_shape_stands_alone(tmp_path):
    first, second = opened(tmp_path, image("SCI"), image("ERR", shape=(3, 3)))
    assert list(first.planes) == ["SCI"]
    assert second.plane("data").shape == (3, 3)


def test_arrays_stored_as_one_number(tmp_path):
    constant = fits.ImageHDU(name="DQ")
    constant.header.update({"NPIX1": 7, "NPIX2": 6, "PIXVALUE": 4})
    [product] = opened(tmp_path, image("SCI"), constant)
    np.testing.assert_array_equal(product.plane("flags").read(), np.full((6, 7), 4))


@pytest.mark.parametrize(
    ("shape", "kind", "shown"),
    [
        ((6, 7), "image", (6, 7)),
        ((1, 1, 6, 7), "image", (6, 7)),
        ((6, 7, 1), "image", (6, 7)),
        ((3, 6, 7), "cube", (3, 6, 7)),
        ((1, 3, 6, 7), "cube", (3, 6, 7)),
        ((500,), "spectrum", (500,)),
        ((1, 500), "spectrum", (500,)),
        ((1, 1), "image", (1, 1)),
    ],
)
def test_the_array_decides_the_kind(tmp_path, shape, kind, shown):
    [product] = opened(tmp_path, image("DATA", shape=shape))
    assert (product.kind, product.shape) == (kind, shown)
    assert product.plane("data").read().shape == shown


@pytest.mark.parametrize(
    ("name", "model", "shape", "kind"),
    [
        ("jw1_nrca1_uncal.fits", "Level1bModel", (2, 5, 6, 7), "ramp"),
        ("jw1_nrca1_rateints.fits", "CubeModel", (2, 6, 7), "ramp"),
        ("jw1_nrca1_rateints.fits", "CubeModel", (1, 6, 7), "ramp"),
        ("jw1_nrca1_rate.fits", "ImageModel", (6, 7), "image"),
        ("jw1_nrca1_cal.fits", "CubeModel", (6, 7), "image"),
        ("jw1_ch1_s3d.fits", "IFUCubeModel", (5, 6, 7), "cube"),
        ("jw1_nrs1_s2d.fits", "SlitModel", (6, 7), "spectrum2d"),
        ("jw1_nrs1_cal.fits", "MultiSlitModel", (6, 7), "spectrum2d"),
    ],
)
def test_jwst_products(tmp_path, name, model, shape, kind):
    primary = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": model}
    hdus = image("SCI", shape, version=1), image("DQ", shape, "i4", version=1)
    [product] = opened(tmp_path, *hdus, name=name, **primary)
    assert (product.kind, product.shape, product.flags) == (kind, shape, "jwst")
    assert product.label.startswith(f"JWST NIRCam {name.split('_')[-1][:-5]} (")


@pytest.mark.parametrize(
    ("instrument", "detector", "dialect"),
    [("ACS", "WFC", "hst-acs"), ("WFC3", "IR", "hst-wfc3-ir"), ("WFC3", "UVIS", "hst-wfc3-uvis")],
)
def test_flag_dialects_of_hubble(tmp_path, instrument, detector, dialect):
    primary = {"TELESCOP": "HST", "INSTRUME": instrument, "DETECTOR": detector}
    [product] = opened(tmp_path, image("SCI"), image("DQ", dtype="i2"), **primary)
    assert product.flags == dialect


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (("WAVELENGTH", "FLUX", "FLUX_ERROR"), "spectrum"),
        (("loglam", "flux", "ivar"), "spectrum"),
        (("RA", "DEC", "flux"), "catalog"),
        (("x", "y", "peak"), "catalog"),
    ],
)
def test_tables(tmp_path, columns, kind):
    table = fits.BinTableHDU.from_columns([fits.Column(c, "D", array=np.arange(4.0)) for c in columns])
    [product] = opened(tmp_path, table)
    assert product.kind == kind
    assert product.load_object().colnames == list(columns)


def test_metadata_tables_stay_out_beside_an_image(tmp_path):
    columns = [fits.Column(c, "D", array=np.arange(4.0)) for c in ("x", "y")]
    table = fits.BinTableHDU.from_columns(columns, name="HDRTAB")
    [product] = opened(tmp_path, image("SCI"), table)
    assert product.kind == "image"
    assert [unit.what for unit in product.units] == ["empty", "image", "binary table"]
    [asked] = open_products(product.path, hdu="HDRTAB")
    assert asked.kind == "catalog"


@pytest.mark.parametrize("hdu", [2, "2", "ERR", "err", "ERR,1"])
def test_one_extension_by_number_or_name(tmp_path, hdu):
    path = write(tmp_path / "a.fits", image("SCI", version=1), image("ERR", version=1))
    [product] = open_products(path, hdu=hdu)
    assert product.main == 2
    assert list(product.planes) == ["ERR"]


def test_options_give_the_same_product_again(tmp_path):
    hdus = [image(n, version=v) for v in (1, 2, 2) for n in ("SCI", "ERR")]
    for product in opened(tmp_path, *hdus):
        [again] = open_products(product.path, **product.options)
        assert again.main == product.main
        assert list(again.planes) == list(product.planes)


@pytest.mark.parametrize("hdu", [7, "SCI,9", "NOPE", 0])
def test_an_unknown_extension_is_told_with_what_there_is(tmp_path, hdu):
    path = write(tmp_path / "a.fits", image("SCI", version=1))
    with pytest.raises(ReadError, match=r"a\.fits.*0 PRIMARY \(no data\); 1 SCI,1 \(6 × 7 float32\)"):
        open_products(path, hdu=hdu)


def test_a_file_of_headers_can_be_looked_at(tmp_path):
    [product] = opened(tmp_path, OBJECT="M31")
    assert product.kind == "other"
    assert product.header["OBJECT"] == "M31"


def test_four_axes_are_taken_apart(tmp_path):
    data = np.arange(4 * 3 * 5 * 6, dtype="f4").reshape(4, 3, 5, 6)
    hdu = fits.PrimaryHDU(data)
    hdu.header.update({"CTYPE4": "STOKES", "CRPIX4": 1.0, "CRVAL4": 1.0, "CDELT4": 1.0})
    hdu.writeto(tmp_path / "a.fits")
    products = open_products(tmp_path / "a.fits")
    assert [product.name for product in products] == [f"a[{s}]" for s in "IQUV"]
    assert len({product.plane("data").identity.key for product in products}) == 4
    for product, expected in zip(products, data, strict=True):
        assert product.kind == "cube"
        np.testing.assert_array_equal(product.plane("data").read(), expected)
        [again] = open_products(product.path, **product.options)
        np.testing.assert_array_equal(again.plane("data").read(), expected)
    with pytest.raises(ReadError, match=r"no section 4 in a\.fits"):
        open_products(tmp_path / "a.fits", section=4)


def test_a_wavelength_for_each_plane_goes_with_the_cube(tmp_path):
    [product] = opened(tmp_path, image("FLUX", (5, 6, 7)), image("IVAR", (5, 6, 7)), image("WAVE", (5,)))
    assert product.kind == "cube"
    assert product.planes["WAVE"].shape == (5,)


def test_reading_does_not_import_astropy(tmp_path):
    path = write(tmp_path / "a.fits", image("SCI"), image("ERR"))
    program = (
        "import sys; from jviz.backend.io.registry import open_products;"
        f"[p] = open_products({str(path)!r}); p.plane('data').read();"
        "sys.exit(any(name.startswith('astropy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

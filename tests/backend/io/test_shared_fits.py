"""Real files: the right kind of product, and the pixels that astropy finds."""

import csv
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.registry import open_products

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"

# What the first words of the manifest's product type make of a file.
KINDS = {
    "JWST i2d": "image",
    "JWST cal (image)": "image",
    "JWST image cutout": "image",
    "JWST coronagraphic PSF-subtracted": "image",
    "JWST s3d": "cube",
    "JWST cal (MultiSlit": "spectrum2d",
    "JWST s2d": "spectrum2d",
    "JWST Level-3 cal": "spectrum2d",
    "JWST Level-3 s2d": "spectrum2d",
    "JWST SlitModel": "spectrum2d",
    "JWST cal (WFSS": "spectrum2d",
    "JWST x1d": "spectrum",
    "JWST Level-3 x1d": "spectrum",
    "JWST MSA metadata": "image",
    "JWST guide-star ACQ1 uncal": "ramp",
    "JWST rateints": "ramp",
    "NIRSpec MSA msaexp": "spectrum",
    "NIRSpec MSA 1-D": "spectrum",
    "grizli": "spectrum2d",
    "catalogue": "catalog",
    "HST raw": "image",
    "HST flt": "image",
    "HST ima": "image",
    "HST drz": "image",
    "HST x1dsum": "spectrum",
    "IFU cube": "cube",
    "radio cube": "cube",
    "ALMA": "cube",
    "SDSS spec": "spectrum",
    "DESI": "spectrum",
    "ESO phase-3 1-D": "spectrum",
    "2-D slit spectrum": "spectrum2d",
    "image": "image",
    "all-sky": "image",
    "compressed": "image",
    "FITS test suite (many": "image",
    "MEF image": "image",
    "HEALPix": "other",
}
EXCEPTIONS = {
    "o4sp040b0_raw.fits": "spectrum2d",
    "eso_tst0004.fits": "spectrum2d",  # CTYPE1 is LAMBDA
    "niriss_jw01324001001_test.beams.fits": "spectrum2d",
}
SIMULATED = {
    "uncal": "ramp",
    "rateints": "ramp",
    "rate": "image",
    "cal": "image",
    "crf": "image",
    "i2d": "image",
    "segm": "image",
    "s3d": "cube",
    "s2d": "spectrum2d",
    "x1d": "spectrum",
}
FILES = sorted(path.relative_to(SHARED).as_posix() for path in SHARED.rglob("*.fits*"))


@cache
def manifest() -> dict[str, str]:
    with (SHARED / "MANIFEST.csv").open() as stream:
        return {row["file"]: row["product_type"] for row in csv.DictReader(stream)}


def expected_kind(name: str) -> str | None:
    if name in EXCEPTIONS:
        return EXCEPTIONS[name]
    if "/" in name:
        stem = name.rpartition("_")[2].partition(".")[0]
        return SIMULATED.get(stem)
    words = manifest()[name]
    fitting = [start for start in KINDS if words.startswith(start)]
    return KINDS[max(fitting, key=len)]


def astropy_data(hdu) -> np.ndarray:
    value = hdu.header.get("PIXVALUE")
    if hdu.data is None and value is not None:
        return np.full((hdu.header["NPIX2"], hdu.header["NPIX1"]), value)
    return hdu.data


@pytest.mark.parametrize("name", FILES)
def test_kinds_and_pixels(shared_data, name):
    path = shared_data / name
    products = open_products(path)
    kind = expected_kind(name)
    assert kind is None or kind in [product.kind for product in products]
    assert all(product.label and product.units for product in products)
    assert not any(product.warnings for product in products)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old headers
        with fits.open(decompressed(path)) as units:
            compare(products, units)


def compare(products, units):
    for product in products:
        for plane in product.planes.values():
            if plane.hdu is None:  # a column of the table of beams
                np.testing.assert_allclose(plane.read(), units["BEAMS"].data[plane.name], rtol=1e-6)
                continue
            expected = astropy_data(units[plane.hdu])
            found = plane.read()
            assert found.size == expected.size
            assert found.dtype == plane.dtype
            assert found.shape == plane.shape
            np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=1e-6)
            if units[plane.hdu].data is not None and plane.scale == 1:
                np.testing.assert_array_equal(found, expected.reshape(found.shape))


@pytest.mark.parametrize("name", [name for name in FILES if "/" not in name])
def test_tables(shared_data, name):
    for product in open_products(shared_data / name):
        if product.load_object is not None:
            table = product.load_object()
            unit = product.units[product.main]
            assert (len(table), len(table.columns)) == unit.shape
            assert all(text not in ("", None) for text in product.warnings)


@pytest.mark.parametrize("name", FILES)
def test_cards(shared_data, name):
    path = shared_data / name
    units = open_products(path)[0].units
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(decompressed(path), disable_image_compression=True) as expected:
            for unit, hdu in zip(units, expected, strict=True):
                found = [keyword for keyword, _, _ in unit.cards]
                assert found == [card.keyword for card in hdu.header.cards]


def test_names_of_what_is_in_them(shared_data):
    reads = open_products(shared_data / "iccz11q4q_ima.fits")
    assert len(reads) == 4
    assert all(list(read.planes) == ["SCI", "ERR", "DQ", "SAMP", "TIME"] for read in reads)
    [raw] = open_products(shared_data / "j8bt05njq_raw.fits")
    assert raw.plane("error").read((5, 5)) == 0
    assert raw.flags == "hst-acs"
    [cube] = open_products(shared_data / "muse_udf_subcube.fits")
    assert cube.plane("variance").name == "STAT"
    [herschel] = open_products(shared_data / "0259p6031_1342192088_SpirePhoto_L20_PMP500_SPG14.0.fits.gz")
    assert herschel.plane("error").name == "error"
    assert herschel.plane("weight").name == "coverage"


def test_units_of_tables(shared_data):
    [spectrum] = open_products(shared_data / "XShooter_XQ100.fits.gz")
    table = spectrum.load_object()
    assert table["WAVE"].unit == "nm"
    assert "spectral flux density wav" in str(table["FLUX"].unit.physical_type)
    [cos] = open_products(shared_data / "MRK209_cos_x1dsum.fits")
    assert cos.load_object()["WAVELENGTH"].unit == "Angstrom"


def test_the_asdf_tree_of_jwst_files(shared_data):
    [product] = open_products(shared_data / "jw01093012001_03102_00001_nis_cal.fits")
    tree = product.tree()
    assert tree["meta"]["instrument"]["name"] == product.header["INSTRUME"]
    assert tree["data"] == "array 80 × 80 float32 in fits:SCI,1"
    [hubble] = open_products(shared_data / "j8bt06nyq_flt.fits")
    assert hubble.tree is None

"""Files as other observatories and programs make them, which need more than the standard to be understood."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn, QTable
from mocpy import MOC

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.io.registry import open_products


def test_asinh_of_pan_starrs_is_undone(tmp_path):
    flux = np.random.default_rng(1).normal(0, 300, (40, 50))
    alpha, offset, softening = 2.5 * np.log10(np.e), 0.35, 120.0
    stored = alpha * np.arcsinh((flux - offset) / (2 * softening))
    step = np.ptp(stored) / 60000
    raw = np.round((stored - stored.min()) / step - 30000).astype("i2")
    raw[0, 0] = -32768
    cards = {"BSCALE": step, "BZERO": stored.min() + 30000 * step, "BLANK": -32768}
    unit = fits.CompImageHDU(raw, compression_type="RICE_1")
    unit.header.update({**cards, "BOFFSET": offset, "BSOFTEN": softening})
    path = tmp_path / "stk.unconv.fits"
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
    [product] = open_products(path)
    [plane] = product.planes.values()
    values = plane.read()
    assert values.dtype == np.float32
    assert np.isnan(values[0, 0])
    assert np.isnan(values).sum() == 1
    # half a step of the stored numbers, through the slope of the sinh
    allowed = 0.51 * step * np.hypot(flux - offset, 2 * softening) / alpha + 1e-4
    assert (np.abs(values - flux)[np.isfinite(values)] < allowed[np.isfinite(values)]).all()
    assert "BSOFTEN" in product.warnings[0]
    assert np.array_equal(plane.read((slice(10, 20), slice(3, 9))), values[10:20, 3:9])


TABLE_OF_AAS = """Title: Two stars
Authors: A. Person
Table: Stars
================================================================================
Byte-by-byte Description of file: two.txt
--------------------------------------------------------------------------------
   Bytes Format Units   Label     Explanations
--------------------------------------------------------------------------------
   1-  8 F8.4   deg     RAdeg     Right ascension
  10- 17 F8.4   deg     DEdeg     Declination
  19- 23 F5.2   mag     Vmag      ?=99.99 V
--------------------------------------------------------------------------------
150.1000   2.2000 20.10
150.2000   2.3000 99.99
"""


@pytest.mark.parametrize("name", ["two.mrt", "two.txt"])
def test_lines_of_dashes_do_not_hide_a_machine_readable_table(tmp_path, name):
    (tmp_path / name).write_text(TABLE_OF_AAS)
    [product] = open_products(tmp_path / name)
    table = product.load_object()
    assert table.colnames == ["RAdeg", "DEdeg", "Vmag"]
    assert len(table) == 2
    assert table["RAdeg"].unit == u.deg
    assert table["Vmag"].mask.tolist() == [False, True]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig", "utf-8"])
def test_texts_of_spreadsheets(tmp_path, encoding):
    (tmp_path / "names.csv").write_bytes("name,ra,dec\nMüller,1.5,2.5\nWeiß,3,4\n".encode(encoding))
    [product] = open_products(tmp_path / "names.csv")
    table = product.load_object()
    assert table.colnames == ["name", "ra", "dec"]
    assert table["name"].tolist() == ["Müller", "Weiß"]
    assert table["ra"].tolist() == [1.5, 3.0]


@pytest.mark.parametrize(
    ("name", "kind"), [("m.fits", "fits"), ("m.json", "json"), ("m.txt", "ascii"), ("m.moc", "ascii")]
)
def test_coverage_maps_open_as_their_outlines(tmp_path, name, kind):
    moc = MOC.from_cone(lon=150 * u.deg, lat=2 * u.deg, radius=1 * u.deg, max_depth=8)
    moc.save(tmp_path / name, format=kind)
    [product] = open_products(tmp_path / name)
    assert product.kind == "regions"
    assert product.label == "coverage map (1)"
    [outline] = product.load_object()
    separation = outline.vertices.separation(SkyCoord(150, 2, unit="deg")).deg
    assert (separation > 0.6).all()
    assert (separation < 1.5).all()


def test_map_of_probabilities_is_no_coverage(tmp_path):
    columns = [fits.Column("UNIQ", "K", array=[1024, 1025]), fits.Column("PROBDENSITY", "D", array=[0.1, 0.2])]
    unit = fits.BinTableHDU.from_columns(columns)
    unit.header.update({"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "MOCORDER": 4})
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(tmp_path / "bayestar.fits")
    assert [p.kind for p in open_products(tmp_path / "bayestar.fits")] == ["catalog"]


def test_tables_in_asdf(tmp_path):
    table = QTable({"ra": [1.0, 2.0] * u.deg, "mag": MaskedColumn([20.0, 21.0], mask=[False, True])})
    asdf_library().AsdfFile({"a": {"catalog": table}, "image": np.ones((5, 6))}).write_to(tmp_path / "both.asdf")
    image, catalogue = open_products(tmp_path / "both.asdf")
    assert (image.kind, catalogue.kind, catalogue.name) == ("image", "catalog", "both[a.catalog]")
    read = catalogue.load_object()
    assert read["ra"].unit == u.deg
    assert read["mag"].mask.tolist() == [False, True]
    [alone] = open_products(tmp_path / "both.asdf", **catalogue.options)
    assert alone.kind == "catalog"
    assert len(alone.load_object()) == 2


def test_names_with_dots_are_sets(tmp_path):
    units = [fits.PrimaryHDU()]
    for chip in ("3-4.E", "3-4.F"):
        units += [fits.ImageHDU(np.zeros((4, 5), "f4"), name=f"{chip}.SCI")]
        units += [fits.ImageHDU(np.ones((4, 5), "f4"), name=f"{chip}.RMS")]
        units += [fits.ImageHDU(np.ones((4, 5), "i4"), name=f"{chip}.FLG")]
    fits.HDUList(units).writeto(tmp_path / "vis.fits")
    products = open_products(tmp_path / "vis.fits")
    assert [p.name for p in products] == ["vis[3-4.E.SCI]", "vis[3-4.F.SCI]"]
    assert [plane.meaning for plane in products[1].planes.values()] == ["data", "error", "flags"]
    assert [plane.hdu for plane in products[1].planes.values()] == [4, 5, 6]


def test_table_without_rows_keeps_its_columns(tmp_path):
    columns = [fits.Column("ra", "D", array=np.zeros(0)), fits.Column("dec", "D", array=np.zeros(0))]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(tmp_path / "none.fits")
    [product] = open_products(tmp_path / "none.fits")
    assert product.kind == "catalog"
    assert product.load_object().colnames == ["ra", "dec"]


def test_visibilities_are_called_so(tmp_path):
    groups = fits.GroupData(np.zeros((5, 1, 1, 4, 1, 3), "f4"), parnames=["UU", "VV"], pardata=[np.zeros(5)] * 2,
                            bitpix=-32)  # fmt: skip
    fits.GroupsHDU(groups).writeto(tmp_path / "uv.fits")
    [product] = open_products(tmp_path / "uv.fits")
    assert (product.kind, product.label) == ("other", "FITS visibilities, 5 random groups")

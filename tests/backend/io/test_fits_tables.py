"""Tables come with their units, the ones that nobody understands as text."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable

from jviz.backend.io.registry import open_products


def opened(path, *columns):
    table = fits.BinTableHDU.from_columns(columns, name="CAT")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    [product] = open_products(path)
    return product, product.load_object()


def column(name, unit=None, form="D", array=None):
    return fits.Column(name, form, unit=unit, array=np.arange(4.0) if array is None else array)


def test_units_are_kept(tmp_path):
    product, table = opened(tmp_path / "a.fits", column("ra", "deg"), column("flux", "MJy/sr"), column("n"))
    assert isinstance(table, QTable)
    assert table["ra"].unit == u.deg
    assert table["flux"].unit == u.MJy / u.sr
    assert getattr(table["n"], "unit", None) is None
    assert product.warnings == []


def test_an_unknown_unit_is_text_and_a_warning(tmp_path):
    product, table = opened(tmp_path / "a.fits", column("a", "furlongs!"), column("b", "deg"))
    np.testing.assert_array_equal(table["a"], np.arange(4.0))
    assert table["a"].info.meta["unit"] == "furlongs!"
    [warning] = product.warnings
    assert "'furlongs!'" in warning
    product.load_object()
    assert len(product.warnings) == 1


def test_other_spellings_of_units(tmp_path):
    _, table = opened(tmp_path / "a.fits", column("f", "erg s**(-1) cm**(-2) Angstrom**(-1)"), column("x"))
    assert table["f"].unit == u.erg / u.s / u.cm**2 / u.AA


def test_nan_is_not_masked_but_null_is(tmp_path):
    numbers = fits.Column("i", "J", array=np.array([1, -99, 3, 4]), null=-99)
    _, table = opened(tmp_path / "a.fits", numbers, column("x", array=np.array([1, np.nan, 3, 4])))
    assert table["i"].mask.tolist() == [False, True, False, False]
    assert not hasattr(table["x"], "mask")


def test_vectors_texts_and_lists(tmp_path):
    ragged = np.array([np.arange(n, dtype="f8") for n in (1, 2, 3, 4)], dtype=object)
    _, table = opened(
        tmp_path / "a.fits",
        column("v", "nm", "3D", np.ones((4, 3))),
        column("name", "none", "5A", np.array(["a", "b", "c", "d"])),
        fits.Column("list", "PD()", unit="Jy", array=ragged),
    )
    assert table["v"].shape == (4, 3)
    assert list(table["name"]) == ["a", "b", "c", "d"]
    assert [len(cell) for cell in table["list"]] == [1, 2, 3, 4]


def test_units_beyond_the_standard_are_written_and_read(tmp_path):
    from astropy.coordinates import SkyCoord

    from jviz.backend.io.table_writer import write_table

    table = QTable({"sky": SkyCoord([1, 2], [3, 4], unit="deg"), "light": [1.0, 2.0] * u.electron / u.s,
                    "flux": [3.0, 4.0] * u.Jy})  # fmt: skip
    write_table(table, tmp_path / "light.fits")
    [product] = open_products(tmp_path / "light.fits")
    again = product.load_object()
    assert again["light"].unit == u.electron / u.s
    assert again["flux"].unit == u.Jy
    assert again["sky"].ra.deg.tolist() == [1, 2]


def test_a_table_of_topcat_is_read_without_the_votable_before_it(tmp_path):
    text = np.frombuffer(b'<?xml version="1.0"?><VOTABLE version="1.1"><RESOURCE/></VOTABLE>', np.uint8)
    primary = fits.PrimaryHDU(text)
    primary.header["VOTMETA"] = True
    table = fits.BinTableHDU.from_columns([column("ra", "deg"), column("flux", "Jy")], name="CAT")
    fits.HDUList([primary, table]).writeto(tmp_path / "topcat.fits")
    [product] = open_products(tmp_path / "topcat.fits")
    assert product.kind == "catalog"
    assert product.load_object()["flux"].unit == u.Jy


@pytest.mark.parametrize(("said", "single"), [(True, "(1,5)"), (True, "(5)"), (False, "(1,5)")])
def test_columns_that_topcat_writes_as_arrays_of_one_row(tmp_path, said, single):
    """Both its colfits-plus, which says so in the primary header, and its colfits-basic, which does not."""
    ra, name, shape = np.arange(5.0), np.array([b"ab", b"c", b"def", b"", b"e"]), np.arange(10.0).reshape(5, 2)
    wide = (1, 5, 1) if "," in single else (1, 5)
    columns = [
        fits.Column("ra", "5D", unit="deg", dim=single, array=ra.reshape(wide)),
        fits.Column("n", "5I", dim=single, null=-32768, array=np.array([1, 2, -32768, 4, 5], ">i2").reshape(wide)),
        fits.Column("name", "15A", dim="(3,5)", array=name[None]),
        fits.Column("shape", "10D", unit="arcsec", dim="(2,5)", array=shape[None]),
    ]
    primary = fits.PrimaryHDU(header=fits.Header({"COLFITS": True} if said else {}))
    fits.HDUList([primary, fits.BinTableHDU.from_columns(columns)]).writeto(tmp_path / "a.colfits")
    [product] = open_products(tmp_path / "a.colfits")
    table = product.load_object()
    assert len(table) == 5
    assert table["n"].tolist() == [1, 2, None, 4, 5]
    np.testing.assert_array_equal(table["ra"], ra * u.deg)
    np.testing.assert_array_equal(table["shape"], shape * u.arcsec)
    assert [str(text) for text in table["name"]] == ["ab", "c", "def", "", "e"]


def test_one_row_of_arrays_that_differ_stays_one_row(tmp_path):
    columns = [fits.Column("a", "6D", dim="(2,3)", array=np.arange(6.0).reshape(1, 3, 2)),
               fits.Column("b", "4D", dim="(1,4)", array=np.arange(4.0).reshape(1, 4, 1))]  # fmt: skip
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(tmp_path / "a.fits")
    [product] = open_products(tmp_path / "a.fits")
    assert len(product.load_object()) == 1


def test_lists_of_the_same_length_become_arrays(tmp_path):
    cells = np.empty(3, object)
    cells[:] = [np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])]
    columns = [column("ra", "deg", array=[1.0, 2.0, 3.0]), fits.Column("mag", "PD()", unit="mag", array=cells)]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(tmp_path / "a.fits")
    [product] = open_products(tmp_path / "a.fits")
    np.testing.assert_array_equal(product.load_object()["mag"], [[1, 2], [3, 4], [5, 6]] * u.mag)

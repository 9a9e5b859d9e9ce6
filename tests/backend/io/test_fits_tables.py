"""Tables come with their units, the ones that nobody understands as text."""

import numpy as np
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

"""VOTables whose rows are binary, FITS, compressed, or in a file beside them."""

import base64
import gzip
import io

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table

from jviz.backend.io.registry import open_products
from jviz.errors import ReadError

FIELDS = """\
<FIELD name="ra" datatype="double" unit="deg"><DESCRIPTION>Right ascension</DESCRIPTION></FIELD>
<FIELD name="mag" datatype="float" unit="mag"/>
<FIELD name="n" datatype="short"><VALUES null="-32768"/></FIELD>
<FIELD name="name" datatype="char" arraysize="5"/>
"""
RA, MAG, N, NAME = [10.5, 10.6, 10.7], [20.125, np.nan, 22.5], [1, -32768, 3], ["alpha", "", "gamma"]


def document(data):
    return f"""<?xml version='1.0'?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE>
<TABLE name="empty"><FIELD name="x" datatype="int"/></TABLE>
<TABLE name="stars" nrows="3">
{FIELDS}<DATA>{data}</DATA></TABLE>
</RESOURCE></VOTABLE>"""


def fits_bytes():
    columns = [fits.Column("ra", "D", array=RA), fits.Column("mag", "E", unit="mag", array=MAG),
               fits.Column("n", "I", null=-32768, array=N), fits.Column("name", "5A", array=NAME)]  # fmt: skip
    made = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(made)
    return made.getvalue()


def binary_bytes():
    """Rows after the standard: big-endian, each number after the other."""
    kind = np.dtype([("ra", ">f8"), ("mag", ">f4"), ("n", ">i2"), ("name", "S5")])
    return np.array(list(zip(RA, MAG, N, [text.encode() for text in NAME], strict=True)), kind).tobytes()


def assert_stars(path):
    [product] = open_products(path)
    table = product.load_object()
    assert table.colnames == ["ra", "mag", "n", "name"]
    np.testing.assert_array_equal(table["ra"], RA * u.deg)
    assert table["ra"].info.description == "Right ascension"
    assert (table["mag"].unit, table["mag"][2].value) == (u.mag, 22.5)
    assert table["n"].tolist() == [1, None, 3]
    assert [str(text).strip("\0") for text in table["name"]] == NAME


@pytest.mark.parametrize("number", ["", ' extnum="1"'])
def test_rows_that_are_fits_within(tmp_path, number):
    text = base64.encodebytes(fits_bytes()).decode()
    data = f"<FITS{number}>\n<STREAM encoding='base64'>\n{text}</STREAM>\n</FITS>"
    (tmp_path / "stars.vot").write_text(document(data))
    assert_stars(tmp_path / "stars.vot")


@pytest.mark.parametrize("stream", ['<STREAM href="my%20stars.fits"/>', "<STREAM href='my%20stars.fits'></STREAM>"])
def test_rows_that_are_fits_beside(tmp_path, stream):
    (tmp_path / "my stars.fits").write_bytes(fits_bytes())
    (tmp_path / "stars.vot").write_text(document(f"<FITS>{stream}</FITS>"))
    assert_stars(tmp_path / "stars.vot")


def test_rows_that_are_binary_beside(tmp_path):
    (tmp_path / "stars.bin").write_bytes(binary_bytes())
    (tmp_path / "stars.vot").write_text(document('<BINARY><STREAM href="stars.bin"/></BINARY>'))
    assert_stars(tmp_path / "stars.vot")


def test_rows_that_are_missing_or_elsewhere_are_told_and_not_fetched(tmp_path):
    path = tmp_path / "stars.vot"
    path.write_text(document('<FITS><STREAM href="stars.fits"/></FITS>'))
    with pytest.raises(ReadError, match=r"rows of stars.vot are in stars.fits, which is missing; put it beside it"):
        open_products(path)
    for address in ("http://127.0.0.1:9/stars.bin", "https://example.org/stars.bin"):
        path.write_text(document(f'<BINARY2><STREAM href="{address}"/></BINARY2>'))
        with pytest.raises(ReadError, match=f"at {address}, which jviz does not fetch"):
            open_products(path)
    path.write_text(document("<FITS><STREAM encoding='base64'>AAAA</STREAM></FITS>"))
    with pytest.raises(ReadError, match=r"stars.vot cannot be read as a VOTable"):
        open_products(path)


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
def test_compressed(tmp_path, form):
    made, file = io.BytesIO(), from_table(Table({"ra": RA * u.deg, "n": [1, 2, 3]}))
    file.to_xml(made, tabledata_format=form)
    (tmp_path / "stars.vot.gz").write_bytes(gzip.compress(made.getvalue()))
    [product] = open_products(tmp_path / "stars.vot.gz")
    assert product.name == "stars"
    np.testing.assert_array_equal(product.load_object()["ra"], RA * u.deg)


def test_lists_of_the_same_length_become_arrays(tmp_path):
    rows = "".join(f"<TR><TD>{ra}</TD><TD>{mags}</TD></TR>" for ra, mags in ((1, "20 21"), (2, "22 23")))
    (tmp_path / "a.vot").write_text(f"""<VOTABLE version="1.4"><RESOURCE><TABLE>
<FIELD name="ra" datatype="double" unit="deg"/><FIELD name="mag" datatype="float" arraysize="*" unit="mag"/>
<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>""")
    [product] = open_products(tmp_path / "a.vot")
    np.testing.assert_array_equal(product.load_object()["mag"], [[20, 21], [22, 23]] * u.mag)


def test_texts_of_any_length_are_written_to_every_kind_of_file(tmp_path):
    """VizieR declares texts without their length, which astropy reads as Python objects."""
    from jviz.backend.io.table_writer import write_table

    rows = "".join(f"<TR><TD>{ra}</TD><TD>{flag}</TD></TR>" for ra, flag in ((1, "ABB"), (2, ""), (3, "A")))
    (tmp_path / "a.vot").write_text(f"""<VOTABLE version="1.4"><RESOURCE><TABLE>
<FIELD name="ra" datatype="double" unit="deg"/><FIELD name="Qflg" datatype="char" arraysize="*"/>
<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>""")
    table = open_products(tmp_path / "a.vot")[0].load_object()
    assert table["Qflg"].dtype.kind == "U"
    for suffix in ("fits", "vot", "ecsv", "csv", "parquet"):
        again = open_products(write_table(table, tmp_path / f"b.{suffix}"))[0].load_object()
        assert [str(text or "") for text in again["Qflg"].tolist()] == ["ABB", "", "A"]

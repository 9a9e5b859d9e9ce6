"""The files of rows of the Virtual Observatory."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table

from jviz.backend.archive.vo_products import MOST_LINKS, files_of_rows, plain_rows
from jviz.errors import JvizError

DATALINK = "application/x-votable+xml;content=datalink"


def no_links(url):
    raise AssertionError(f"{url} is asked")


def rows(**columns):
    return plain_rows(Table(columns))


def test_an_address_is_a_file():
    table = QTable({"obs_id": ["a", "b", "c"], "calib_level": MaskedColumn([2, 3, 0], mask=[False, False, True]),
                    "access_url": ["https://x.test/d/a_i2d.fits", "https://x.test/get?ID=b&f=B7", "ftp://x.test/c"],
                    "access_format": ["image/fits", "image/fits", "image/fits"],
                    "access_estsize": [22.0, np.nan, 1.0]})  # fmt: skip
    found = files_of_rows(plain_rows(table), no_links)
    assert found["productFilename"].tolist() == ["a_i2d.fits", "B7.fits"]
    assert found["dataURI"].tolist() == table["access_url"][:2].tolist()
    assert found["obs_id"].tolist() == ["a", "b"]
    assert found["calib_level"].tolist() == [2, 3]
    assert found["size"].tolist() == [0, 0], "an estimate is no size that a file must have"
    assert found["description"].tolist() == ["about 22,000 bytes", ""]
    assert set(found["productType"]) == {"SCIENCE"}


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        ("https://x.test/a/ADP.2019-02-11T13:02:26.713", "application/fits", "ADP.2019-02-11T13_02_26.713.fits"),
        ("https://x.test/a.fits.gz", "image/fits", "a.fits.gz"),
        ("https://x.test/a.fits", "application/fits;convention=hst", "a.fits"),
        ("https://x.test/%2e%2e%2fetc%2fpasswd", "application/fits", "passwd.fits"),
        ("https://x.test/preview", "image/jpeg", "preview.jpg"),
        ("https://x.test/", "", "file"),
    ],
)
def test_names_fit_what_is_in_the_files(url, kind, name):
    [file] = files_of_rows([{"access_url": url, "access_format": kind}], no_links)
    assert file["productFilename"] == name


def test_datalinks_tell_of_files_once_and_services_are_none():
    def links(url):
        head = ("access_url", "semantics", "description", "content_type", "content_length")
        if url.endswith("more"):
            return Table(rows=[("https://x.test/raw.fits", "#progenitor", "Raw", "application/fits", 5)], names=head)
        return Table(rows=[
            ("https://x.test/data.fits", "#this", "The data", "application/fits", 2880),
            ("https://x.test/p.png", "#preview", "Seen", "image/png", 0),
            ("https://x.test/flat.fits", "#flat", "", "application/fits", 0),
            ("https://x.test/soda", "#cutout", "", "", 0), ("", "#this", "It is not public", "", 0),
            ("https://x.test/more", "#progenitor", "", DATALINK, 0),
        ], names=head)  # fmt: skip

    asked = rows(obs_id=["a", "b"], access_url=["https://x.test/dl?a", "https://x.test/dl?b"],
                 access_format=[DATALINK, 'application/x-votable+xml; content="datalink"'])  # fmt: skip
    found = files_of_rows(asked, links)
    assert {row["productFilename"]: (row["productType"], row["productSubGroupDescription"], row["size"])
            for row in found} == {
        "data.fits": ("SCIENCE", "this", 2880), "p.png": ("PREVIEW", "preview", 0),
        "flat.fits": ("AUXILIARY", "flat", 0), "raw.fits": ("SCIENCE", "progenitor", 5)}  # fmt: skip
    assert set(found["obs_id"]) == {"a"}, "of a file that two rows have, the first is named"


def test_a_datalink_that_leads_to_itself_ends():
    def links(url):
        return Table(rows=[(url, "#this", "", DATALINK)],
                     names=("access_url", "semantics", "description", "content_type"))  # fmt: skip

    assert len(files_of_rows(rows(access_url=["https://x.test/dl"], access_format=[DATALINK]), links)) == 0


def test_too_many_and_none_are_said():
    many = [{"access_url": f"https://x.test/{n}", "access_format": DATALINK} for n in range(MOST_LINKS + 1)]
    with pytest.raises(JvizError, match="select at most 200"):
        files_of_rows(many, no_links)
    with pytest.raises(JvizError, match="neither an obsid"):
        plain_rows(Table({"name": ["a"]}))

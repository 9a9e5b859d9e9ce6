"""Queries of MAST against a server on loopback that speaks its protocol."""

from __future__ import annotations

import time

import numpy as np
import pytest

from jviz.backend.archive import mast as module
from jviz.backend.archive import net
from jviz.backend.archive.keys import Secrets
from jviz.backend.archive.mast import Mast
from jviz.backend.archive.net import NetError
from jviz.backend.archive.products import wanted_files
from jviz.backend.progress import Cancelled
from jviz.errors import JvizError
from tests.standin import TOKEN, Fault

SKY = (53.1, -27.8, 0.25)


@pytest.fixture
def archive(mast):
    return Mast(timeout=(2.0, 2.0), tries=2)


def test_a_circle_gives_what_lies_in_it(mast, archive):
    table, total = archive.search(SKY, {})
    assert total == len(table) == 2
    assert table["target_name"].tolist() == ["FIELD 0", "FIELD 1"]
    assert table["s_ra"].dtype.kind == "f"
    assert table["obsid"].dtype.kind == "U", "the products are asked for by text"
    assert archive.count(SKY, {}) == 2


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        ({"instrument": "NIRCAM"}, 5),
        ({"instrument_name": "NIRCAM/IMAGE"}, 5),
        ({"instrument": "MIRI"}, 0),
        ({"instrument": ["MIRI", "NIRCAM"]}, 5),
        ({"pi": "curie"}, 5),
        ({"program": 1234}, 5),
        ({"program": "01234"}, 5),
        ({"target_name": "FIELD 3"}, 1),
        ({"target_name": ["FIELD 3", "FIELD 1"]}, 2),
        ({"exposure_time": (312, 313)}, 2),
        ({"exposure_time": "312..313"}, 2),
        ({"exposure_time": 312}, 1),
        ({"exposure_time": 1e6}, 0),
        ({"exposure_time": [311, 313, 999]}, 2),
        ({"s_ra": (53.8, 53.2)}, 2),
        ({"s_ra": (53.2, 53.8)}, 3),
        ({"s_ra": (-307, -306.8)}, 1),
        ({"date": "2022-08-10"}, 1),
        ({"date": "2022-08-10..2022-08-12"}, 3),
        ({"date": "2022-08-11.."}, 3),
        ({"date": (59801.5, 59803.5)}, 2),
        ({"level": 3, "collection": "JWST"}, 5),
        ({"level": 2}, 0),
    ],
)
def test_conditions(archive, criteria, count):
    assert archive.count(None, criteria) == count
    assert len(archive.search(None, criteria)[0]) == count


def test_pages_stream_in(mast, archive, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 2)
    seen = []
    table, total = archive.search(None, {"instrument": "NIRCAM"}, each=lambda page, n: seen.append((len(page), n)))
    assert seen == [(2, 5), (2, 5), (1, 5)]
    assert total == len(table) == 5
    assert len(set(table["obsid"])) == 5


def test_a_search_can_stop_at_a_number_of_rows_and_says_how_many_there_are(archive, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 2)
    table, total = archive.search(None, {"instrument": "NIRCAM"}, most=3)
    assert (len(table), total) == (3, 5)


def test_a_search_is_cancelled_between_pages(mast, archive, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 2)

    def progress(done, total=1.0, text=""):
        if done >= 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        archive.search(None, {"instrument": "NIRCAM"}, progress=progress)
    assert len(mast.asked("invoke")) == 1


def test_an_executing_query_is_asked_again_but_not_in_a_rush(mast, archive, monkeypatch):
    monkeypatch.setattr(net, "POLL", 0.15)
    mast.executing = 3
    start = time.monotonic()
    assert archive.count(SKY, {}) == 2
    assert time.monotonic() - start > 0.4
    assert len(mast.asked("invoke")) == 4


def test_products_come_once_however_often_they_are_listed(mast, archive, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 7)
    monkeypatch.setattr(module, "BATCH", 3)
    mast.copies = 40
    table, _ = archive.search(None, {"instrument": "NIRCAM"})
    products = archive.products(table["obsid"])
    names = sorted(products["productFilename"])
    assert names == sorted(path.name for path in mast.folder.iterdir())
    files = wanted_files(products)
    assert all(file.url.startswith(f"{mast.url}/api/v0.1/Download/file?uri=mast:JWST/product/jw") for file in files)
    sizes = {file.name: file.size for file in files}
    assert all(sizes[path.name] == path.stat().st_size for path in mast.folder.iterdir())


def test_the_token_is_shown_and_answers_who_one_is(mast):
    assert Mast().whoami()["anon"] is True
    assert Mast(Secrets(TOKEN)).whoami()["ezid"] == "astro"
    Mast(Secrets(TOKEN)).count(SKY, {})
    assert mast.asked("invoke")[-1].headers["authorization"] == f"token {TOKEN}"


def test_names_are_resolved_by_the_same_server(mast, archive):
    place = archive.resolve("M 31")[0]
    np.testing.assert_allclose([place["ra"], place["decl"]], [10.6847083, 41.26875])
    assert archive.resolve("nothing at all") == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ([Fault("status", status=503)] * 3, "busy or has a fault|error 503"),
        ([Fault("html")] * 3, "down for maintenance"),
        ([Fault("silence")] * 3, "did not answer in time"),
        ([Fault("status", status=401)] * 3, "archive.login|error 401"),
        ([Fault("cut", after=150)], "The answer of MAST breaks off in the middle"),
        ([Fault("json", to="null")], "of another form than it should have"),
        ([Fault("json", to="[1, 2]")], "of another form than it should have"),
        ([Fault("json", to='{"status": "COMPLETE", "data": [{"obsid": 1}], "fields": []}')], "of another form"),
        ([Fault("status", status=429, headers=(("Retry-After", "3600"),))], "to be left alone for 60 minutes"),
    ],
    ids=["busy", "page", "silent", "refused", "cut", "nothing", "a list", "no fields", "an hour"],
)
def test_a_server_in_trouble_is_told_in_a_sentence(mast, fault, words):
    mast.fail("invoke", *fault)
    with pytest.raises(NetError, match=words):
        Mast(timeout=(0.3, 0.3), tries=2).count(SKY, {})


def test_one_bad_answer_is_not_the_end(mast, archive):
    for when in ("0", "0.1", "soon", "-1"):
        mast.fail("invoke", Fault("status", status=503, headers=(("Retry-After", when),)))
        assert archive.count(SKY, {}) == 2


def test_a_connection_that_cannot_be_trusted_is_told(mast, monkeypatch):
    monkeypatch.setenv("JVIZ_MAST_URL", mast.url.replace("http", "https"))  # it does not speak TLS
    with pytest.raises(NetError, match="The connection to MAST cannot be trusted"):
        Mast(timeout=(1, 1), tries=1).whoami()


def test_an_error_of_the_database_is_told(mast, archive):
    mast.error = "Conversion failed when converting the varchar value"
    with pytest.raises(NetError, match="MAST could not answer: Conversion failed"):
        archive.search(SKY, {})


@pytest.mark.parametrize(
    ("criteria", "words"),
    [
        ({}, "needs a target, a position or a condition"),
        ({"instrumnet": "MIRI"}, "no column 'instrumnet'. Did you mean instrument"),
        ({"date": "someday"}, "'someday' is no date"),
    ],
)
def test_bad_searches_are_told_before_the_network_is_asked(mast, archive, criteria, words):
    with pytest.raises(JvizError, match=words):
        archive.search(None, criteria)
    assert mast.asked("invoke") == []


def test_no_server(monkeypatch):
    monkeypatch.setenv("JVIZ_MAST_URL", "http://127.0.0.1:9")
    with pytest.raises(NetError, match="cannot be reached"):
        Mast(tries=1).count(SKY, {})


@pytest.mark.parametrize(("repeats", "size", "total"), [(True, 5, 6), (False, 5, 5), (True, 4, 5)])
def test_a_full_page_of_a_server_that_says_no_total_need_not_be_all(mast, archive, monkeypatch, repeats, size, total):
    from tests import standin

    paged = standin._paged

    def silent(rows, types, request):
        asked = {**request, "page": 1} if repeats else request
        return {key: value for key, value in paged(rows, types, asked).items() if key != "paging"}

    monkeypatch.setattr(module, "PAGE", size)
    monkeypatch.setattr(standin, "_paged", silent)
    table, told = archive.search(None, {"program": 1234})
    assert (len(table), told) == (size, total)

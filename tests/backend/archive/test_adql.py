"""ADQL: tables of a service, jobs of it that are cleared away, and where a refused question is wrong."""

from __future__ import annotations

import time

import pytest

import jviz
from jviz import JvizError
from jviz.backend.archive import vo
from jviz.backend.archive.adql import adql_examples, adql_place, tap_services
from jviz.backend.progress import Cancelled

ADQL = "SELECT TOP 5 obs_id, colour\nFORM ivoa.ObsCore\nWHERE s_ra > 5"


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    yield session
    session.close()


@pytest.mark.parametrize(("message", "word"), [
    ('Encountered "FORM" at line 2, column 1. Was expecting one of: "FROM"', "FORM"),
    (" Incorrect ADQL query: Encountered \"FORM\". Was expecting: \"FROM\" [l.2 c.1 - l.2 c.5]", "FORM"),
    ("Could not parse your query: Expected FROM (at char 28), (line:2, col:1)", "FORM"),
    ("Syntax error at position 28", "FORM"),
    ("Unknown column 'colour' in field list", "colour"),
    ("no such column: colour", "colour"),
    ("SIMBAD refuses the question: no such column: colour.", "colour"),
    ("column colour does not exist", "colour"),
    ("Field query: No such table “ivoa.ObsCore” known", "ivoa.ObsCore"),
    ("Unexpected end of the query (line 3, column 400)", "5"),
    ("Encountered \"<EOF>\" at line 9, column 1", None),
    ("The server is on fire", None),
])  # fmt: skip
def test_where_services_find_a_fault(message, word):
    found = adql_place(message, ADQL)
    assert (ADQL[slice(*found)] if found else None) == word


def test_a_place_in_nothing():
    assert adql_place("line 1, column 1", " ") is None


def test_services_and_examples():
    known = {one.name for one in tap_services()}
    assert {"esa-jwst", "cadc", "irsa", "alma", "eso", "vizier", "simbad", "ned", "mast-vo"} <= known
    for service in (*known, "https://example.org/tap"):
        examples = adql_examples(service)
        assert examples
        assert all(one.service in ("", "*", service) for one in examples)
    assert "Gaia" in adql_examples("vizier")[0].title
    assert not any("ObsCore" in one.adql for one in adql_examples("simbad"))


def test_tables_and_columns_of_a_service(session, service):
    url = f"{service.url}/tap"
    found = session.run("archive.tables", url=url)
    assert found["table_name"].tolist() == ["TAP_SCHEMA.tables", "ivoa.ObsCore"]
    assert session.run("archive.tables", url=url, words="observ")["table_name"].tolist() == ["ivoa.ObsCore"]
    columns = session.run("archive.tables", url=url, table="ivoa.ObsCore")
    assert columns["column_name"].tolist() == ["s_ra", "obs_id"]
    assert columns["unit"][0] == "deg"
    with pytest.raises(JvizError, match="no table \"it's\""):
        session.run("archive.tables", url=url, table="it's")


def test_a_question_as_a_job_of_the_service_leaves_nothing_there(session, service, monkeypatch):
    monkeypatch.setattr(vo, "FIRST_LOOK", 0.01)
    adql = "SELECT TOP 3 obs_id FROM ivoa.ObsCore"
    found = session.run("archive.tap", url=f"{service.url}/tap", adql=adql, wait=True)
    assert found["obs_id"].tolist() == ["obs-0", "obs-1", "obs-2"]
    assert service.asked[0]["QUERY"] == adql
    assert service.jobs == {}


def test_a_cancelled_question_is_removed_from_the_service(service, monkeypatch):
    monkeypatch.setattr(vo, "FIRST_LOOK", 0.01)
    service.slow = True

    def progress(done, total=1.0, text=""):
        if service.jobs:
            raise Cancelled

    with pytest.raises(Cancelled):
        vo.ask_tap(vo.service_of(f"{service.url}/tap", "tap"), "SELECT 1", wait=True, progress=progress)
    end = time.monotonic() + 20
    while service.jobs:
        assert time.monotonic() < end
        time.sleep(0.01)

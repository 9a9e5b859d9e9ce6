"""Searches: every collection, answers that are kept, lists of targets, and what is said when something is missing."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

import jviz
from jviz.backend.archive.net import NetError
from jviz.errors import CommandError, JvizError
from tests.standin import Fault


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_an_answer_is_kept_and_says_so(session, mast):
    first = session.run("archive.search", instrument="NIRCAM")
    assert not first.meta["cached"]
    asked = len(mast.asked("invoke"))
    second = session.run("archive.search", instrument="NIRCAM")
    assert len(mast.asked("invoke")) == asked
    assert second.meta["cached"]
    assert second.meta["total"] == 5
    assert second.colnames == first.colnames
    for name in first.colnames:
        np.testing.assert_array_equal(np.ma.getdata(np.asarray(first[name])), np.ma.getdata(np.asarray(second[name])))
        assert first[name].unit == second[name].unit
    third = session.run("archive.search", instrument="NIRCAM", fresh=True)
    assert not third.meta["cached"]
    assert len(mast.asked("invoke")) > asked


def test_a_process_beside_the_window_answers_as_this_one_does(session, mast, service):
    for id, arguments in (
        ("archive.search", {"program": "1234", "exposure_time": (311, 313), "fresh": True}),
        ("archive.search", {"collection": f"{service.url}/tap", "position": (53.0, -27.0), "radius": 0.1}),
        ("archive.columns", {}),
        ("archive.products", {"observations": session.run("archive.search", program="1234")}),
        ("archive.cone", {"url": f"{service.url}/cone", "position": (53.0, -27.0), "radius": 0.1}),
    ):
        here, beside = session.run(id, **arguments), session.submit(id, **arguments).result(60)
        assert len(here) == len(beside) > 0
        assert here.colnames == beside.colnames
        for name in here.colnames:
            assert here[name].dtype.kind == beside[name].dtype.kind
            assert (here[name].unit, str(here[name])) == (beside[name].unit, str(beside[name]))
    job = session.submit("archive.search", collection="http://127.0.0.1:9/tap", position=(53.0, -27.0))
    with pytest.raises(NetError, match=r"127\.0\.0\.1:9/tap cannot be reached"):
        job.result(60)


@pytest.mark.parametrize(
    ("collection", "column"),
    [("mast-hsc", "MatchID"), ("mast-tic", "ID"), ("mast-gaia", "ID"), ("mast-panstarrs", "objID")],
)
def test_catalogues_of_mast_are_asked_there_alone(session, mast, collection, column):
    found = session.run("archive.search", collection=collection, position=(322.49, 12.17), radius="1 arcmin")
    assert len(found) > 1
    assert column in found.colnames
    assert session.add(found, name="rows").kind == "catalog"
    assert mast.asked("invoke") or mast.asked("panstarrs")
    with pytest.raises(JvizError, match="knows a place and a radius only"):
        session.run("archive.search", collection=collection, position=(322.49, 12.17), instrument="X")


def test_without_a_network_the_earlier_answer_is_given(session, mast):
    session.run("archive.search", instrument="NIRCAM")
    session.settings["archive.keep_minutes"] = 0.0
    session.settings["network.offline"] = True
    assert session.run("archive.search", instrument="NIRCAM").meta["cached"]
    with pytest.raises(CommandError, match="You work offline"):
        session.run("archive.search", instrument="MIRI")
    session.settings["network.offline"] = False
    mast.fail("invoke", *[Fault("html")] * 9)
    found = session.run("archive.search", instrument="NIRCAM")
    assert len(found) == 5
    assert found.meta["cached"]
    assert "earlier answer" in found.meta["incomplete"]
    with pytest.raises(NetError, match="maintenance"):
        session.run("archive.search", instrument="NIRCAM", fresh=True)


def test_an_outline_is_searched_for_what_overlaps_it(session, mast, holdings, service):
    # Observations lie at 53.1, 53.3 … 53.9 with footprints of 0.02°; this triangle meets two by a corner each.
    outline = "POLYGON ICRS 53.105 -27.805 53.295 -27.795 53.2 -27.7"
    for asked in ({}, {"collection": "library"}):
        if asked:
            session.run("library.add", path=holdings)
        found = session.run("archive.search", outline=outline, **asked)
        assert sorted({str(name)[8:12] for name in found["obs_id"]}) == ["o000", "o001"]
        assert found.meta["total"] == len(found)
        assert not found.meta["truncated"]
    between = session.run("archive.search", outline="POLYGON 53.15 -27.85 53.25 -27.85 53.25 -27.75 53.15 -27.75")
    assert len(between) == 0
    triangle = "POLYGON 53 -27.1 53.1 -27.1 53 -27"
    inside = session.run("archive.search", collection=f"{service.url}/tap", outline=triangle)
    rows = service.rows
    lies = (rows["s_ra"] > 53) & (rows["s_dec"] > -27.1) & (rows["s_dec"] < -27 - (rows["s_ra"] - 53))
    assert sorted(inside["obs_id"]) == sorted(rows["obs_id"][lies])


def test_a_polygon_of_the_session_is_an_outline(session, mast, holdings):
    from astropy.coordinates import SkyCoord
    from regions import CircleSkyRegion, PolygonSkyRegion

    [image] = session.open(holdings / "jw01234-o000_t001_nircam_clear-f200w_i2d.fits")
    corners = SkyCoord([53.29, 53.31, 53.31], [-27.81, -27.81, -27.79], unit="deg")
    field = session.subset("field", PolygonSkyRegion(corners), data=image)
    for outline in ("field", field):
        found = session.run("archive.search", outline=outline)
        assert [str(name)[8:12] for name in found["obs_id"]] == ["o001"]
    assert "outline='field'" in session.script()
    session.subset("round", CircleSkyRegion(corners[0], 1 * corners.ra.unit), data=image)
    with pytest.raises(CommandError, match="Only polygons on the sky"):
        session.run("archive.search", outline="round")


def test_outlines_that_are_none(session, mast):
    with pytest.raises(CommandError, match="is no outline"):
        session.run("archive.search", outline="BOX 1 2 3")
    with pytest.raises(CommandError, match="not both"):
        session.run("archive.search", outline="POLYGON 1 1 2 1 2 2", target="M 31")
    with pytest.raises(JvizError, match="at most 30°"):
        session.run("archive.search", outline="POLYGON 0 0 90 0 90 80")
    with pytest.raises(CommandError, match="cannot be counted"):
        session.run("archive.count", outline="POLYGON 1 1 2 1 2 2")


def test_lists_of_targets(session, mast, tmp_path):
    text = "53.1 -27.8\n# a remark\ntest field\n53.5 -27.8\n"
    found = session.run("archive.search", targets=text, radius="1 arcmin")
    assert found["asked_for"].tolist() == ["53.1 -27.8", "test field", "53.5 -27.8"]
    (tmp_path / "list.txt").write_text(text)
    again = session.run("archive.search", targets=str(tmp_path / "list.txt"), radius="1 arcmin")
    assert again["obs_id"].tolist() == found["obs_id"].tolist()
    rows = Table({"name": ["a", "b"], "ra": [53.1, 53.9], "dec": [-27.8, -27.8]})
    rows.write(tmp_path / "rows.csv")
    for targets in (rows, tmp_path / "rows.csv"):
        assert session.run("archive.search", targets=targets, radius="1 arcmin")["asked_for"].tolist() == ["a", "b"]
    assert session.run("archive.count", targets=rows, radius="1 arcmin") == 2
    for wrong, words in (("\n", "empty"), (Table({"x": [1]}), "neither RA")):
        with pytest.raises(CommandError, match=words):
            session.run("archive.search", targets=wrong)


def test_the_form_of_a_mission(session, mast):
    found = session.run("archive.search", collection="mast-jwst", instrument="NIRCAM", limit=3)
    assert len(found) == 3
    assert found.meta["total"] == 5
    assert found.meta["truncated"]
    near = session.run("archive.search", collection="mast-jwst", position=(53.1, -27.8), radius="1 arcmin")
    assert near["fileSetName"].tolist() == ["jw01234-o000_t001_nircam_clear-f200w"]
    assert session.run("archive.count", collection="mast-jwst", program="1234") == 5
    for value, count in (((311.5, 313), 2), ("311.5..313", 2), ((311, 315), 5)):
        assert len(session.run("archive.search", collection="mast-jwst", exposure_time=value)) == count
    # RA 53.1, 53.3 … 53.9: from 53.6 round the sky to 53.2
    wrapped = session.run("archive.search", collection="mast-jwst", targ_ra=(53.6, 53.2))
    assert [round(ra, 1) for ra in sorted(wrapped["targ_ra"])] == [53.1, 53.7, 53.9]
    assert wrapped.meta["total"] == 3
    assert session.run("archive.count", collection="mast-jwst", targ_ra=(53.6, 53.2)) == 3
    for bad in ({"exposure_time": (5, 1)}, {"date": "2024-05-31..2024-01-01"}, {"program": "12..3"}):
        with pytest.raises(JvizError, match="the ends of the range are exchanged"):
            session.run("archive.search", collection="mast-jwst", **bad)
    names = session.run("archive.columns", collection="mast-jwst")["name"].tolist()
    assert "sci_targname" in names
    with pytest.raises(JvizError, match="does not understand the search: no column nonsense"):
        session.run("archive.search", collection="mast-jwst", nonsense=1)


def test_columns_of_mast_are_its_dictionary(session, mast):
    columns = session.run("archive.columns")
    rows = {row["name"]: row for row in columns}
    assert rows["t_min"]["kind"] == "date"
    assert rows["s_ra"]["unit"] == "deg"
    assert rows["mtFlag"]["kind"] == "boolean"
    assert "WFPC2/WFC" in rows["instrument_name"]["example"]


@pytest.mark.parametrize("kind", ["sia2", "sia1", "ssa", "cone"])
def test_services_that_know_places_alone(session, service, kind):
    collection = f"{kind}:{service.url}/cone?"
    found = session.run("archive.search", collection=collection, position=(53.0, -27.0), radius=0.1)
    assert 0 < len(found) < 40
    with pytest.raises(JvizError, match="a place and a radius only"):
        session.run("archive.search", collection=collection, position=(53.0, -27.0), instrument="X")
    with pytest.raises(JvizError, match="give a target or a position"):
        session.run("archive.search", collection=collection)


def test_obscore_is_counted_without_loading(session, service):
    there = session.run("archive.count", collection=f"{service.url}/tap", position=(53.0, -27.0), radius=0.1)
    found = session.run("archive.search", collection=f"{service.url}/tap", position=(53.0, -27.0), radius=0.1)
    assert there == len(found)


def test_services_are_listed(session):
    listed = session.run("archive.services", words="esa")
    assert listed["name"].tolist() == ["esa-jwst"]
    assert len(session.run("archive.services", words="no such thing")) == 0


def test_who_says_where_a_target_is(session, mast):
    found = session.run("archive.search", target="test field", radius="1 arcmin", resolver="mast")
    assert len(found) == 1
    assert found.meta["question"]["resolver"] == "mast"
    assert session.run("archive.count", target="test field", radius="1 arcmin", resolver="mast") == 1
    with pytest.raises(JvizError, match="not among the objects"):
        session.run("archive.search", target="test field", radius="1 arcmin", resolver="offline")
    with pytest.raises(CommandError, match="resolver"):
        session.run("archive.search", target="test field", resolver="oracle")


def test_moving_targets(session, mast):
    assert len(session.run("archive.search", instrument="NIRCAM", moving_target=False)) == 5
    assert len(session.run("archive.search", instrument="NIRCAM", moving_target=True)) == 0

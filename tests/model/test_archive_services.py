"""Services of the registry, and those that are kept under a name of one's own."""

from __future__ import annotations

import pytest

import jviz
from jviz.errors import CommandError, JvizError
from tests.vo_service import RESOURCES


@pytest.fixture
def session(service):
    session = jviz.Session()
    session.settings["archive.registry"] = f"{service.url}/tap"
    yield session
    session.close()


def found(session, **asked):
    return session.run("archive.services", registry=True, **asked)


def test_the_registry_is_asked_by_words_kind_and_waveband(session, service):
    everything = found(session, words="a")
    # The table that is served elsewhere only points at a service that is listed already.
    assert len(everything) == len(RESOURCES) - 1
    assert set(everything["kind"].tolist()) == {"tap", "cone", "sia1", "sia2", "ssa"}
    assert found(session, words="GALAXIES spectra")["name"].tolist() == ["INFRA", "SPEC"]
    assert found(session, words="stars'")["name"].tolist() == ["STARS"]
    assert found(session, words="survey", kind="sia2")["url"].tolist() == [f"{service.url}/cone?SIA2"]
    assert found(session, waveband="optical", kind="cone")["name"].tolist() == ["CONE"]
    [row] = found(session, kind="obscore")
    assert (row["name"], row["kind"], bool(row["obscore"]), row["waveband"]) == (
        "INFRA", "tap", True, "infrared, optical")  # fmt: skip
    assert len(found(session, words="nothing of that")) == 0


def test_what_the_registry_cannot_be_asked_is_said(session, service):
    for asked, words in (
        ({}, "Give words, or a waveband"), ({"words": "x", "kind": "ftp"}, "'ftp' is none of them"),
        ({"waveband": "pink"}, "'pink' is none of them"),
    ):  # fmt: skip
        with pytest.raises(JvizError, match=words):
            found(session, **asked)
    with pytest.raises(CommandError, match="registry=True"):
        session.run("archive.services", waveband="radio")
    session.settings["network.offline"] = True
    with pytest.raises(CommandError, match="offline"):
        found(session, words="stars")


def test_a_kept_service_answers_by_its_name_everywhere(session, service):
    [row] = found(session, kind="obscore")
    name = session.run("archive.keep_service", url=row["url"], title=row["title"], obscore=True)
    assert name == "infrared-observatory-archive"
    rows = session.run("archive.search", collection=name, position=(53.0, -27.0), radius=0.1)
    assert rows.meta["source"] == "Infrared observatory archive"
    assert session.run("archive.count", collection=name, position=(53.0, -27.0), radius=0.1) == len(rows) > 0
    assert len(session.run("archive.tap", url=name, adql="SELECT TOP 3 * FROM ivoa.ObsCore")) == 3
    assert len(session.run("archive.tables", url=name)) == 2
    assert name in session.run("archive.services", words="infrared")["name"].tolist()
    cone = session.run("archive.keep_service", url=f"{service.url}/cone?", kind="cone", name="Mine")
    assert cone == "mine"
    assert len(session.run("archive.cone", url="mine", position=(53.0, -27.0), radius=0.1)) == len(rows)
    assert len(session.run("archive.search", collection="mine", position=(53.0, -27.0), radius=0.1)) == len(rows)


def test_keeping_and_forgetting_are_taken_back(session, service):
    url = f"{service.url}/tap"
    assert session.run("archive.keep_service", url=url, title="Mine") == "mine"
    assert session.run("archive.keep_service", url=url, title="Mine, too", kind="ssa") == "mine-too"
    # The same address and kind once more: its title changes, its name stays.
    assert session.run("archive.keep_service", url=url, title="Yours", obscore=True) == "mine"
    assert [(one["name"], one["title"], one["obscore"]) for one in session.settings["archive.own_services"]] == [
        ("mine", "Yours", True), ("mine-too", "Mine, too", False)]  # fmt: skip
    session.undo()
    assert session.settings["archive.own_services"][0]["title"] == "Mine"
    session.run("archive.forget_service", name="mine")
    with pytest.raises(JvizError, match="There is no service 'mine'"):
        session.run("archive.tap", url="mine", adql="SELECT 1")
    session.undo()
    assert [one["name"] for one in session.settings["archive.own_services"]] == ["mine", "mine-too"]
    # Names that are taken are made unlike.
    assert session.run("archive.keep_service", url="https://x.test/tap", title="MAST") == "mast-2"
    assert session.run("archive.keep_service", url="https://y.test/tap", title="Alma!") == "alma-2"
    with pytest.raises(CommandError, match="There is a service 'alma' already"):
        session.run("archive.keep_service", url="https://z.test/tap", name="ALMA")


def test_what_is_no_service_is_refused_and_broken_settings_lose_nothing(session):
    with pytest.raises(CommandError, match="no address of a service"):
        session.run("archive.keep_service", url="file:///etc/passwd")
    with pytest.raises(CommandError, match="none is kept"):
        session.run("archive.forget_service", name="nobody")
    no_address = {"name": "a", "title": "A", "kind": "tap", "url": "x"}
    good = {"name": "b", "title": "B", "kind": "tap", "url": "https://b.test"}
    session.settings["archive.own_services"] = [{"who": 1}, no_address, good]
    assert "b" in session.run("archive.services")["name"].tolist()
    assert "a" not in session.run("archive.services")["name"].tolist()

"""Services of the Virtual Observatory, asked through pyvo."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

import jviz
from jviz.backend.archive.net import NetError
from jviz.backend.archive.vo import obscore_query, services
from jviz.backend.progress import Cancelled
from jviz.errors import JvizError
from tests.vo_service import _away


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_adql(session, service):
    found = session.run("archive.tap", url=f"{service.url}/tap", adql="SELECT TOP 3 obs_id, s_ra FROM ivoa.ObsCore")
    assert found["obs_id"].tolist() == ["obs-0", "obs-1", "obs-2"]
    np.testing.assert_allclose(found["s_ra"].to_value(u.deg), service.rows["s_ra"][:3])
    assert found.meta["question"]["adql"].startswith("SELECT TOP 3")


def test_observations_of_any_archive(session, service):
    found = session.run("archive.search", collection=f"{service.url}/tap", position=(53.0, -27.0), radius=0.1,
                        instrument="band6")  # fmt: skip
    near = _away(service.rows, 53.0, -27.0) <= 0.1
    right = service.rows[near & (service.rows["instrument_name"] == "BAND6")]
    assert 0 < len(right) < 20
    # SQLite's LIKE does not mind capitals; the words are those that were written
    assert sorted(found["obs_id"]) == sorted(right["obs_id"])
    assert not found.meta["truncated"]
    cut = session.run("archive.search", collection=f"{service.url}/tap", position=(53.0, -27.0), radius=1, limit=5)
    assert len(cut) == 5
    assert cut.meta["truncated"]


def test_quotes_do_not_end_the_question(session, service):
    found = session.run("archive.search", collection=f"{service.url}/tap", target_name="Source's 7")
    assert found["obs_id"].tolist() == ["obs-7"]
    assert len(session.run("archive.search", collection=f"{service.url}/tap", target_name="x' OR 1=1 --")) == 0


@pytest.mark.parametrize(
    ("criteria", "where"),
    [
        ({"level": 2}, "calib_level = 2.0"),
        ({"t_exptime": (1, 10)}, "t_exptime BETWEEN 1.0 AND 10.0"),
        ({"date": "2020-05-31"}, "t_min BETWEEN 59000.0 AND 59001.0"),
        ({"collection": ["ALMA", "JWST"]}, "(obs_collection LIKE 'ALMA' OR obs_collection LIKE 'JWST')"),
        ({"instrument": "MUSE"}, "instrument_name LIKE '%MUSE%'"),
    ],
)
def test_conditions_in_adql(criteria, where):
    assert obscore_query(None, criteria, 10) == f"SELECT TOP 10 * FROM ivoa.ObsCore WHERE {where}"


def test_a_cone(session, service):
    found = session.run("archive.cone", url=f"{service.url}/cone?", position="53 -27", radius="6 arcmin")
    assert len(found) == int((_away(service.rows, 53.0, -27.0) <= 0.1).sum())
    assert session.add(found, name="near").kind == "catalog"


def test_what_the_service_says_against_a_question(session, service):
    with pytest.raises(JvizError, match="no such column: colour"):
        session.run("archive.tap", url=f"{service.url}/tap", adql="SELECT colour FROM ivoa.ObsCore")


def test_pages_and_silence_instead_of_tables(session, service):
    service.broken = "<html><body>maintenance</body></html>"
    with pytest.raises(NetError, match=r"no table|cannot be asked"):
        session.run("archive.cone", url=f"{service.url}/cone?", position="53 -27")
    with pytest.raises(NetError):
        session.run("archive.tap", url="http://127.0.0.1:9/tap", adql="SELECT 1")


def test_an_unknown_column_is_told_before_anybody_is_asked(session, service):
    with pytest.raises(JvizError, match="no column 'colour'"):
        session.run("archive.search", collection=f"{service.url}/tap", colour="red")
    assert service.asked == []


def test_cancelling_does_not_wait_for_the_service(service, monkeypatch):
    from jviz.backend.archive import net, vo

    def progress(done, total=1.0, text=""):
        raise Cancelled

    monkeypatch.setattr(net, "TICK", 0.0)
    with pytest.raises(Cancelled):
        vo.cone(vo.service_of(f"{service.url}/cone?", "cone"), (53.0, -27.0, 0.1), progress=progress)


def test_shipped_services_are_complete():
    for name, service in services().items():
        assert name == name.lower()
        assert service.kind in ("tap", "cone", "sia1", "sia2", "ssa", "missions", "catalogue")
        if service.kind in ("missions", "catalogue"):
            assert service.url.isalpha()  # its name at MAST
            continue
        assert service.url.startswith("https://")
        assert service.title

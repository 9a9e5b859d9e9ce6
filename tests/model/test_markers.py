"""Markers: what is logged, the table that follows, undo, sessions, scripts, clear words."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import QTable

import jviz
from jviz.errors import CommandError
from tests.model.test_profile_actions import sip_wcs


@pytest.fixture
def session():
    session = jviz.Session()
    y, x = np.mgrid[:80, :100].astype(float)
    error = StdDevUncertainty(np.full(x.shape, 0.25))
    session.add(CCDData(x + 100 * y, unit="MJy/sr", uncertainty=error, wcs=sip_wcs()), name="field")
    yield session
    session.close()


def rows(session):
    return [r.value for r in session.results if r.title == "Markers"]


def test_markers_are_rows_with_sky_value_and_error(session):
    session.run("marker.add", data="field", position=(10.4, 20.0))
    session.run("marker.add", data="field", position="pixel 99 79")
    [table] = rows(session)
    assert list(table["marker"]) == [1, 2]
    np.testing.assert_allclose(table["value"].to_value("MJy/sr"), [10 + 2000, 99 + 7900])
    np.testing.assert_allclose(table["value_err"].to_value("MJy/sr"), 0.25)
    ra, dec = sip_wcs().all_pix2world([10.4, 99], [20, 79], 0)
    np.testing.assert_allclose(table["ra"].to_value(u.deg), ra, atol=1e-10)
    np.testing.assert_allclose(table["dec"].to_value(u.deg), dec, atol=1e-10)
    assert list(table["data"]) == ["field", "field"]


def test_undo_takes_the_row_back_and_numbers_go_on(session):
    for x in (1, 2, 3):
        session.run("marker.add", data="field", position=(x, 5))
    session.run("marker.remove", number=2)
    assert [m.number for m in session.markers] == [1, 3]
    session.run("marker.add", data="field", position=(9, 5))
    assert list(rows(session)[0]["marker"]) == [1, 3, 4]
    session.undo()
    session.undo()
    assert list(rows(session)[0]["marker"]) == [1, 2, 3]
    session.run("marker.clear")
    assert not rows(session)
    session.undo()
    assert len(rows(session)[0]) == 3


def test_the_table_can_be_written_and_a_session_keeps_it(session, tmp_path):
    session.run("marker.add", data="field", position=(10, 20))
    session.run("table.export", path=tmp_path / "m.ecsv")
    session.run("table.export", path=tmp_path / "m.csv", table=session.run("marker.table"))
    assert QTable.read(tmp_path / "m.ecsv")["value"][0] == 2010 * u.Unit("MJy/sr")
    assert "2010" in (tmp_path / "m.csv").read_text()
    again = jviz.Session.load(session.save(tmp_path / "s.jviz"))
    assert again.markers[0].data is again["field"]
    assert again.markers[0].value == 2010
    again.close()


def test_the_script_logs_the_same(session):
    session.run("marker.add", data="field", position="pixel 10 20")
    assert "session.run('marker.add', data='field', position=(10.0, 20.0), plane='SCI')" in session.script()


def test_flags_are_named_and_different_units_stand_beside(session):
    from jviz.conversion.taken import plane_from

    plain = session.add(np.ones((6, 5)), name="plain")
    flags = np.zeros((6, 5), np.uint32)
    flags[2, 3] = 5
    plain.product.planes["DQ"] = plane_from("DQ", flags, "flags", "")
    plain.product.flags = "jwst"
    session.run("marker.add", data="plain", position=(3, 2))
    session.run("marker.add", data="plain", position=(0, 0))
    session.run("marker.add", data="field", position=(0, 0))
    [table] = rows(session)
    assert list(table["flags"]) == ["DO_NOT_USE, JUMP_DET", "good", ""]
    assert list(table["unit"]) == ["", "", "MJy / sr"]
    assert np.isnan(table["ra"][0])


@pytest.mark.parametrize(
    ("id", "arguments", "words"),
    [
        ("marker.add", {"data": "field", "position": (100, 5)}, "not on field"),
        ("marker.remove", {"number": 7}, "no marker 7"),
        ("marker.clear", {}, "no markers"),
        ("marker.table", {}, "press D"),
        ("marker.add_at_cursor", {}, "not over an image"),
    ],
)
def test_bad_wishes_are_refused_in_words(session, id, arguments, words):
    with pytest.raises(CommandError, match=words):
        session.run(id, **arguments)
    assert not session.markers

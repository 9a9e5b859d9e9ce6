"""Catalogues matched with the rows that an archive has in their field."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from jviz import JvizError
from jviz.errors import CommandError

SHIFT = 0.1 / 3600


@pytest.fixture
def mine(session, service):
    """Every second row of the service's catalogue, seen 0.1 arcsec farther north."""
    rows = service.rows[::2]
    table = QTable({"ra": np.asarray(rows["s_ra"]) * u.deg, "dec": (np.asarray(rows["s_dec"]) + SHIFT) * u.deg})
    return session.add(table, name="mine")


def test_rows_of_the_field_are_asked_for_and_matched(session, service, mine):
    matched, archive = session.run("catalog.match_archive", a=mine, service=f"{service.url}/cone?", radius=0.5)
    assert len(matched.table) == 20
    assert 20 <= len(archive.table) <= 40
    np.testing.assert_allclose(matched.table["separation"].to_value("arcsec"), 0.1, atol=1e-6)
    np.testing.assert_allclose(matched.table["delta_dec"].to_value("arcsec"), -0.1, atol=1e-6)
    asked = service.asked[-1]
    assert float(asked["SR"]) < 1
    session.undo()
    assert session.names == ["mine"]


def test_what_the_archive_has_and_we_do_not(session, service, mine):
    rest, archive = session.run("catalog.match_archive", a="mine", service=f"{service.url}/cone?", rows="only b")
    assert len(rest.table) == len(archive.table) - 20


def test_an_epoch_needs_proper_motions_and_moves_by_them(session, service, mine):
    url = f"{service.url}/cone?"
    with pytest.raises(CommandError, match="no proper motions"):
        session.run("catalog.match_archive", a=mine, service=url, epoch=2026.0)
    service.rows["pmRA"] = np.zeros(len(service.rows))
    service.rows["pmDE"] = np.full(len(service.rows), 10.0)
    matched, _ = session.run("catalog.match_archive", a=mine, service=url, epoch=2026.0)
    np.testing.assert_allclose(matched.table["separation"].to_value("arcsec"), 0.0, atol=1e-5)


def test_what_cannot_be_asked_is_said(session, service, mine, monkeypatch):
    with pytest.raises(JvizError, match="no service 'nonsense'"):
        session.run("catalog.match_archive", a=mine, service="nonsense")
    wide = QTable({"ra": [0.0, 40.0] * u.deg, "dec": [0.0, 0.0] * u.deg})
    session.add(wide, name="wide")
    with pytest.raises(CommandError, match="too wide"):
        session.run("catalog.match_archive", a="wide", service=f"{service.url}/cone?")
    session.add(QTable({"ra": [200.0] * u.deg, "dec": [10.0] * u.deg}), name="elsewhere")
    with pytest.raises(CommandError, match=r"has no row in the field of elsewhere"):
        session.run("catalog.match_archive", a="elsewhere", service=f"{service.url}/cone?")
    session.settings["network.offline"] = True
    with pytest.raises(CommandError, match="offline"):
        session.run("catalog.match_archive", a=mine)

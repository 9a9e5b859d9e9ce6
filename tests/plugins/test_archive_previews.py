"""Previews of the selected rows of the Archive panel: fetched when they are looked at, and once."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage

import jviz
from jviz import JvizError
from jviz.archive_search import preview_of
from jviz.backend.archive import previews
from tests.vo_service import PICTURE, Service


@pytest.fixture
def pictures(holdings):
    """A red picture of the first observation, and a page in the place of that of the second."""
    picture = QImage(640, 480, QImage.Format.Format_RGB32)
    picture.fill(QColor("red"))
    picture.save(str(holdings / "jw01234-o000_t001_nircam_clear-f200w_i2d.jpg"), quality=95)
    (holdings / "jw01234-o001_t001_nircam_clear-f200w_i2d.jpg").write_text("<html>no picture</html>")
    return holdings


@pytest.fixture
def panel(qtbot, make_panel, pictures, mast):
    panel = make_panel("archive", size=(1200, 500))
    panel.question.fields["instrument"].setText("nircam")
    panel.search()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    return panel


def look(qtbot, panel):
    tabs = panel.rows.previews.parentWidget().parentWidget().tabBar()
    qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(1).center())
    assert panel.rows.previews.isVisible()
    return panel.rows.previews


def jpegs(mast):
    return [one for one in mast.asked("Download") if ".jpg" in str(one)]


def row_of(panel, number):
    stem = f"jw01234-o{number:03d}_t001_nircam_clear-f200w"
    return [str(one) for one in panel.rows.table["obs_id"]].index(stem)


def test_pictures_are_fetched_when_they_are_looked_at_and_once(qtbot, panel, session, mast):
    panel.found.select_rows([row_of(panel, 0)])
    qtbot.wait(50)
    assert jpegs(mast) == []
    shown = look(qtbot, panel)
    qtbot.waitUntil(lambda: shown.count() == 1 and "Double-click" in shown.item(0).toolTip(), timeout=60_000)
    colour = shown.item(0).icon().pixmap(64, 64).toImage().pixelColor(32, 32)
    assert colour.red() > 240
    assert colour.green() < 20
    panel.found.clearSelection()
    qtbot.waitUntil(lambda: shown.count() == 0)
    panel.found.select_rows([row_of(panel, 0)])
    qtbot.waitUntil(lambda: shown.count() == 1 and "Double-click" in shown.item(0).toolTip(), timeout=60_000)
    assert len(jpegs(mast)) == 1
    place = shown.visualItemRect(shown.item(0)).center()
    qtbot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel.rows.map._under == row_of(panel, 0)
    qtbot.mouseDClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: session.names != [], timeout=60_000)
    assert session.names[0].endswith("preview")


def test_what_is_no_picture_says_so_and_the_others_come(qtbot, panel, mast):
    shown = look(qtbot, panel)
    panel.found.select_rows([row_of(panel, 0), row_of(panel, 1), row_of(panel, 2)])
    qtbot.waitUntil(lambda: shown.count() == 3, timeout=60_000)
    qtbot.waitUntil(lambda: not any("Fetching" in shown.item(n).toolTip() for n in range(3)), timeout=60_000)
    tips = [shown.item(n).toolTip() for n in range(3)]
    assert sum("Double-click" in tip for tip in tips) == 1
    assert sum("no picture" in tip for tip in tips) == 1
    assert sum("404" in tip for tip in tips) == 1


def test_rows_without_a_picture(qtbot, make_panel, session):
    from astropy.table import Table

    panel = make_panel("archive", size=(1200, 500))
    shown = look(qtbot, panel)
    assert "Select rows" in shown._empty
    panel.rows.show_table(Table({"obs_id": ["a", "b"]}))
    panel.found.select_rows([1])
    qtbot.waitUntil(lambda: "No preview" in shown._empty, timeout=60_000)


def test_a_datalink_tells_where_the_picture_is(qtbot, make_panel, session, service):
    from astropy.table import Table

    panel = make_panel("archive", size=(1200, 500))
    shown = look(qtbot, panel)
    kind = 'application/x-votable+xml; content="datalink"'
    table = Table({"obs_id": ["a", "b"], "access_url": [f"{service.url}/links?ID=a", f"{service.url}/links?bare"],
                   "access_format": [kind, kind]})  # fmt: skip
    panel.rows.show_table(table)
    panel.found.select_rows([0, 1])
    qtbot.waitUntil(lambda: shown.count() == 2 and "Fetching" not in shown.item(0).toolTip() + shown.item(1).toolTip(),
                    timeout=60_000)  # fmt: skip
    assert "Double-click" in shown.item(0).toolTip()
    assert shown.item(0).icon().pixmap(4, 4).toImage().pixelColor(2, 2).red() > 240
    assert "Its datalink tells of no picture" in shown.item(1).toolTip()
    # Once it is here neither the datalink nor the picture is asked for again, and no network is needed.
    asked = len(service.headers)
    session.settings["network.offline"] = True
    assert preview_of(session, previews.preview_address(table[0])).read_bytes() == PICTURE
    assert len(service.headers) == asked


def test_addresses_of_rows():
    from astropy.table import Table

    table = Table({
        "jpegURL": ["mast:JWST/product/a.jpg", "", "javascript:x"], "access_format": ["", "image/jpeg", "text"],
        "access_url": ["", "https://a.org/b.jpg", "https://a.org/c"],
    })  # fmt: skip
    assert [previews.preview_address(row) for row in table] == ["mast:JWST/product/a.jpg", "https://a.org/b.jpg", ""]


def test_offline_and_too_large(mast, pictures, monkeypatch):
    session = jviz.Session(settings={"network.offline": True})
    address = "mast:JWST/product/jw01234-o000_t001_nircam_clear-f200w_i2d.jpg"
    try:
        with pytest.raises(JvizError, match="offline"):
            preview_of(session, address)
        session.settings["network.offline"] = False
        monkeypatch.setattr(previews, "MOST", 100)
        with pytest.raises(JvizError, match="more than"):
            preview_of(session, address)
    finally:
        session.close()


def test_the_token_goes_to_mast_alone(mast, pictures, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "secret")
    session, other = jviz.Session(settings={}), Service()
    try:
        with pytest.raises(JvizError):
            preview_of(session, f"{other.url}/picture.jpg")
        preview_of(session, "mast:JWST/product/jw01234-o000_t001_nircam_clear-f200w_i2d.jpg")
        assert other.headers
        assert all("Authorization" not in one for one in other.headers)
    finally:
        session.close()
        other.close()

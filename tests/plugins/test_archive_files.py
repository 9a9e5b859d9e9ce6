"""The products of observations in the archive panel: listed, filtered, fetched and opened."""

from __future__ import annotations

import pytest
from astropy.table import Table
from PySide6.QtCore import Qt

from tests.archive_hand import I2D, choose, double_click, double_click_file, searched, wait_for_files


@pytest.fixture
def panel(make_panel, mast):
    return make_panel("archive", size=(1200, 420))


@pytest.fixture
def listed(qtbot, panel):
    """The products of two observations."""
    searched(qtbot, panel, target="test field", radius="20 arcmin")
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 4)
    return panel.files


def test_from_a_search_to_a_file_that_is_opened(qtbot, panel, session, mast):
    searched(qtbot, panel, instrument="nircam")
    assert panel.about.text() == "5 observations, MAST"
    assert panel.found.table_model.rowCount() == 5
    double_click(qtbot, panel.found, 0)
    wait_for_files(qtbot, panel, 3)
    qtbot.keyClicks(panel.files.suffix, "i2d")
    wait_for_files(qtbot, panel, 2)  # the association comes along
    choose(panel.files, "extension", ".fits")
    wait_for_files(qtbot, panel, 1)
    assert panel.files.get_button.text() == "Download 1"
    size = (mast.folder / "jw01234-o000_t001_nircam_clear-f200w_i2d.fits").stat().st_size
    assert panel.files.about.text() == f"1 file, {size / 1000:.3g} kB; the filters hide 2"
    double_click_file(qtbot, panel, 0)
    qtbot.waitUntil(lambda: session.names != [], timeout=60_000)
    assert session.names == ["jw01234-o000_t001_nircam_clear-f200w_i2d"]
    script = session.script()
    assert "archive.search" in script
    assert "archive.download" in script


def test_only_what_is_selected_is_fetched(qtbot, panel, session, mast):
    panel.files.open_after.setChecked(False)
    searched(qtbot, panel, target="test field", radius="20 arcmin")
    assert panel.found.table_model.rowCount() == 2
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 4)
    panel.files.tree.select_rows([3])
    assert panel.files.get_button.text() == "Download 1"
    qtbot.mouseClick(panel.files.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert len(mast.asked("Download")) == 1
    assert panel.files.about.text().startswith("1 file in ")
    assert session.names == []


def test_products_stand_below_their_observations(qtbot, panel, listed, mast):
    model = listed.tree.products
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == [
        f"jw01234-o00{n}_t001_nircam_clear-f200w" for n in range(2)
    ]
    first = model.index(0, 0)
    assert model.rowCount(first) == 3
    assert listed.tree.isExpanded(first)
    sizes = [path.stat().st_size for path in mast.folder.glob("jw01234-o000_*")]
    assert model.index(0, 1).data() == f"{sum(sizes) / 1000:.3g} kB"
    place = listed.tree.visualRect(first).center()
    qtbot.mouseClick(listed.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert listed.get_button.text() == "Download 3", "an observation stands for its files"
    assert listed.tree.selected_rows() == [0, 1, 2]
    listed.tree.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    shown = [model.index(row, 0, first).data() for row in range(3)]
    assert shown[-1].endswith("_asn.json")
    assert listed.tree.selected_rows() == [0, 1, 2]


def test_filters_of_products_are_kept(qtbot, panel, listed, make_panel, session):
    choose(listed, "level", "Level 3")
    wait_for_files(qtbot, panel, 2)
    choose(listed, "type", "Preview")
    wait_for_files(qtbot, panel, 0)
    assert listed.about.text() == "0 files; the filters hide 4"
    assert not listed.get_button.isEnabled()
    choose(listed, "type", "Science")
    qtbot.keyClicks(listed.suffix, "cal i2d")
    wait_for_files(qtbot, panel, 3)  # the association comes along
    other = make_panel("archive", size=(1200, 420)).files
    assert other.filters() == {"level": [3, 4], "type": ["SCIENCE"], "suffix": ["cal", "i2d"]}
    assert other.suffix.text() == "cal i2d"


def test_products_are_put_into_the_basket(qtbot, panel, listed, session, mast):
    listed.tree.select_rows([0, 3])
    qtbot.mouseClick(listed.basket_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert listed.about.text() == "2 files put into the basket."
    assert len(session.run("archive.basket")) == 2
    qtbot.mouseClick(listed.basket_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert listed.about.text() == "They are in the basket."
    assert not mast.asked("Download")


def test_a_new_search_does_not_stop_downloads(qtbot, panel, listed, session, mast):
    mast.rate = 60_000
    listed.open_after.setChecked(False)
    qtbot.mouseClick(listed.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(mast.asked("Download")) == 4, timeout=60_000)
    assert not panel.cancel_button.isEnabled()
    panel.question.target.clear()
    panel.question.fields["program"].setText("1234")
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.about.text() == "5 observations, MAST", timeout=60_000)
    mast.rate = 0
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert listed.about.text().startswith("4 files in ")
    qtbot.waitUntil(lambda: bool(listed.tree.products.are_here(listed.tree.chosen_rows()).all()))
    assert listed.about.text().startswith("4 files in ")


def test_a_quarter_of_a_million_products_are_grouped():
    import numpy as np

    from jviz.backend.archive.products import grouped

    draw = np.random.default_rng(4)
    names = np.array([f"obs-{n}" for n in draw.integers(0, 24, 250_000)])
    sizes = draw.integers(0, 1000, 250_000)
    groups = grouped(Table({"obs_id": names, "size": sizes, "dataURI": names}))
    assert groups.observations == tuple(dict.fromkeys(names.tolist()))
    for name, rows, size in zip(groups.observations, groups.rows, groups.sizes, strict=True):
        assert np.array_equal(rows, np.flatnonzero(names == name))
        assert size == sizes[names == name].sum()
    assert grouped(Table({"obs_id": [], "size": []})).observations == ()


def test_the_recommended_products_alone(qtbot, panel, session, mast):
    searched(qtbot, panel, instrument="nircam")
    panel.found.select_rows([next(n for n, v in enumerate(panel.rows.table["obs_id"]) if "o000" in str(v))])
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 3)
    choose(panel.files, "recommended", "Minimum recommended")
    wait_for_files(qtbot, panel, 1)
    assert "the filters hide 2" in panel.files.about.text()
    assert session.settings["archive.product_filters"] == {"recommended": "Minimum recommended"}


def test_what_is_on_this_machine_is_marked_and_opened(qtbot, panel, session, mast, holdings):
    session.run("library.add", path=holdings / "jw01234-o000_t001_nircam_clear-f200w_i2d.fits")
    searched(qtbot, panel, instrument="nircam")
    rows, role = panel.found.table_model, Qt.ItemDataRole.DecorationRole

    def marked():
        names = [str(name) for name in panel.rows.table["obs_id"]]
        return [names[n][8:12] for n in range(len(names))
                if rows.headerData(n, Qt.Orientation.Vertical, role) is not None]  # fmt: skip

    qtbot.waitUntil(lambda: marked() == ["o000"], timeout=60_000)
    panel.found.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    first = next(n for n in range(5) if rows.headerData(n, Qt.Orientation.Vertical, role) is not None)
    assert str(panel.rows.table["obs_id"][rows.order[first]])[8:12] == "o000"
    panel.found.select_rows([int(rows.order[first])])
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 3)
    listed = panel.files
    qtbot.waitUntil(lambda: ", 1 on this machine" in listed.about.text(), timeout=60_000)
    assert listed.get_button.text() == "Download 2"
    names = [str(name) for name in listed.tree.table["productFilename"]]
    i2d = names.index("jw01234-o000_t001_nircam_clear-f200w_i2d.fits")
    about = listed.tree.products.data(listed.tree.products.index_of(i2d), Qt.ItemDataRole.ToolTipRole)
    assert f"On this machine: {holdings}" in about
    listed.tree.select_rows([i2d])
    assert (listed.get_button.text(), listed.open_after.isVisible()) == ("Open 1", False)
    qtbot.mouseClick(listed.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.names) == 1, timeout=60_000)
    assert not mast.asked("Download")
    # The others are fetched alone, and then everything is here.
    listed.tree.clearSelection()
    listed.open_after.setChecked(False)
    qtbot.mouseClick(listed.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: listed.get_button.text() == "Open 3", timeout=60_000)
    assert len(mast.asked("Download")) == 2


def test_files_of_another_archive_are_listed_and_fetched(qtbot, panel, session, service, mast, holdings):

    kind, url = "application/x-votable+xml;content=datalink", f"{mast.url}/plain/{I2D}"
    panel.rows.show_table(Table({"obs_id": ["a", "b"], "access_url": [f"{service.url}/links?ID=a", url],
                                 "access_format": [kind, "image/fits"]}))  # fmt: skip
    panel._settle()
    panel.found.select_rows([0, 1])
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 5)
    names = [str(name) for name in panel.files.tree.table["productFilename"]]
    assert names == ["data.fits", "about.html", "small.png", "picture.png", I2D]
    model = panel.files.tree.products
    assert [model.data(model.index(row, 1)) for row in (0, 1)] == ["–", "–"], "no size is told"
    panel.files.tree.select_rows([4])
    qtbot.mouseClick(panel.files.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.names) == 1, timeout=60_000)
    assert session.data[0].path.read_bytes() == (holdings / I2D).read_bytes()
    assert "'access_format': 'image/fits'" in session.script()

"""The panel of downloads, worked with keys and the mouse against a server on loopback."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

import jviz
from jviz.backend.archive.transfers import Transfers
from jviz.plugins.transfers_table import COLUMNS
from tests.archives import made
from tests.standin import Fault

NAMES = [f"jw01234-o{number:03d}_t001_nircam_clear-f200w_i2d.fits" for number in range(4)]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(make_panel, mast):
    return make_panel("transfers", size=(1000, 320))


@pytest.fixture
def page(panel):
    return panel.page


def get(session, *names, folder=None):
    """Put files on the list, as a download does, without waiting for them."""
    from jviz.backend.archive.products import wanted_files

    place = folder or session.archives.library.path.parent / "in"
    return session.archives.transfers.add(wanted_files([f"mast:JWST/product/{n}" for n in names]), place)


def cell(page, name, column):
    shown = page.table.shown
    for row in range(shown.rowCount()):
        if shown.index(row, 0).data() == name:
            return shown.index(row, COLUMNS.index(column)).data()
    return None


def states(page):
    return {row.name: row.state for row in page.table.transfers.rows}


def select(qtbot, page, *names):
    modifier = Qt.KeyboardModifier.NoModifier
    for row in range(page.table.shown.rowCount()):
        index = page.table.shown.index(row, 0)
        if index.data() in names:
            place = page.table.visualRect(index).center()
            qtbot.mouseClick(page.table.viewport(), LEFT, modifier, place)
            modifier = Qt.KeyboardModifier.ControlModifier
    assert sorted(row.name for row in page.table.selected()) == sorted(names)


def test_a_download_is_followed_to_its_end_and_opened(qtbot, page, session, mast):
    mast.rate = 60_000
    get(session, NAMES[0])
    qtbot.waitUntil(lambda: cell(page, NAMES[0], "Speed") not in (None, ""), timeout=15_000)
    assert cell(page, NAMES[0], "State") == "Running"
    assert cell(page, NAMES[0], "From") == mast.url.removeprefix("http://")
    assert cell(page, NAMES[0], "Size") == "135 kB"
    assert cell(page, NAMES[0], "Progress").endswith("%")
    assert cell(page, NAMES[0], "Time left").endswith(" s")
    assert page.about.text().startswith("1 running: ")
    assert page.about.text().endswith(" left")
    mast.rate = 0
    qtbot.waitUntil(lambda: states(page) == {NAMES[0]: "done"}, timeout=15_000)
    assert (cell(page, NAMES[0], "Progress"), cell(page, NAMES[0], "Speed")) == ("100%", "")
    place = page.table.visualRect(page.table.shown.index(0, 0)).center()
    qtbot.mouseClick(page.table.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(page.table.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: session.names == [NAMES[0].removesuffix(".fits")], timeout=15_000)


def test_one_several_or_all_are_paused_resumed_and_cancelled(qtbot, page, session, mast):
    mast.rate = 15_000
    get(session, *NAMES)
    qtbot.waitUntil(lambda: list(states(page).values()) == ["running"] * 4, timeout=15_000)
    select(qtbot, page, NAMES[1], NAMES[2])
    assert page.buttons["pause"].toolTip() == "Pause 2 downloads"
    qtbot.mouseClick(page.buttons["pause"], LEFT)
    qtbot.waitUntil(lambda: [states(page)[n] for n in NAMES] == ["running", "paused", "paused", "running"])
    assert len(page.table.selected()) == 2, "what is selected stays so"
    select(qtbot, page, NAMES[2])
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: states(page)[NAMES[2]] == "running")
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: states(page)[NAMES[2]] == "cancelled")
    page.table.clearSelection()
    assert page.buttons["pause"].text() == "Pause All"
    qtbot.mouseClick(page.buttons["pause"], LEFT)
    qtbot.waitUntil(lambda: [states(page)[n] for n in NAMES] == ["paused", "paused", "cancelled", "paused"])
    assert not page.buttons["pause"].isEnabled()
    mast.rate = 0
    qtbot.mouseClick(page.buttons["resume"], LEFT)
    qtbot.waitUntil(lambda: [states(page)[n] for n in NAMES] == ["done", "done", "cancelled", "done"])
    select(qtbot, page, NAMES[2])
    qtbot.mouseClick(page.buttons["retry"], LEFT)
    qtbot.waitUntil(lambda: set(states(page).values()) == {"done"})
    qtbot.mouseClick(page.clear_button, LEFT)
    qtbot.waitUntil(lambda: states(page) == {})
    assert not page.table.isVisible()


def test_a_failure_is_told_with_its_reason_and_tried_again(qtbot, page, session, mast):
    mast.fail(NAMES[0], Fault("html"))
    get(session, *NAMES[:2])
    qtbot.waitUntil(lambda: states(page) == {NAMES[0]: "failed", NAMES[1]: "done"}, timeout=15_000)
    assert "a page instead of the file" in cell(page, NAMES[0], "State")
    index = page.table.shown.index(1, 0)
    assert "a page instead of the file" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert page.about.text().startswith("1 failed, 1 done")
    qtbot.mouseClick(page.buttons["retry"], LEFT)
    qtbot.waitUntil(lambda: set(states(page).values()) == {"done"}, timeout=15_000)


def test_what_was_interrupted_is_offered(qtbot, make_panel, session, mast):
    mast.rate = 20_000
    earlier = jviz.Session()
    get(earlier, *NAMES[:2])
    end = time.monotonic() + 15
    while not all(t.done for t in earlier.archives.transfers.listed()):
        assert time.monotonic() < end
        time.sleep(0.01)
    earlier.close()
    page = make_panel("transfers", size=(900, 300)).page
    qtbot.waitUntil(lambda: page.offer.isVisible(), timeout=15_000)
    assert page.offer_text.text().startswith("2 downloads stopped when jviz ended; ")
    assert {cell(page, name, "State") for name in NAMES[:2]} == {"Interrupted"}
    mast.rate = 0
    qtbot.mouseClick(page.go_on_button, LEFT)
    qtbot.waitUntil(lambda: set(states(page).values()) == {"done"}, timeout=15_000)
    assert not page.offer.isVisible()
    assert all("range" in mast.asked(name)[-1].headers for name in NAMES[:2])


def test_what_another_program_is_at_cannot_be_stopped_here(qtbot, page, session, mast, tmp_path):
    from jviz.backend.archive.products import wanted_files
    from jviz.backend.library.catalogue import Library

    mast.rate = 50_000
    library = Library(session.archives.library.path)
    other = Transfers(library)
    other.add(wanted_files(f"mast:JWST/product/{NAMES[0]}"), tmp_path / "in")
    page.ask()
    qtbot.waitUntil(lambda: cell(page, NAMES[0], "State") == "Running in another jviz", timeout=15_000)
    assert not page.buttons["pause"].isEnabled()
    with pytest.raises(jviz.CommandError, match="Another jviz that is open is fetching jw01234"):
        session.run("archive.cancel", transfers=NAMES[0])
    assert session.run("archive.cancel") == 0
    other.close()
    library.close()


def test_what_is_shown_is_narrowed_down_and_sorted(qtbot, page, session, mast):
    mast.fail(NAMES[3], Fault("html"))
    get(session, *NAMES)
    qtbot.waitUntil(lambda: sorted(states(page).values()) == ["done", "done", "done", "failed"], timeout=15_000)
    page.group.setCurrentText("Failed")
    assert page.table.shown.rowCount() == 1
    page.group.setCurrentText("All")
    qtbot.keyClicks(page.words, "o002")
    assert [page.table.shown.index(0, 0).data(), page.table.shown.rowCount()] == [NAMES[2], 1]
    page.words.clear()
    page.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert [page.table.shown.index(row, 0).data() for row in range(4)] == NAMES
    select(qtbot, page, NAMES[1], NAMES[3])
    menu = page.menu()
    enabled = {action.text(): action.isEnabled() for action in menu.actions() if action.text()}
    assert (enabled["Open"], enabled["Retry"], enabled["Pause"]) == (True, True, False)
    next(action for action in menu.actions() if action.text() == "Copy Addresses").trigger()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line.rpartition("/")[2] for line in lines] == [NAMES[1], NAMES[3]]
    menu.close()


def test_a_file_that_is_not_here_is_not_opened(qtbot, page, session, mast, context):
    mast.rate = 10_000
    get(session, NAMES[0])
    qtbot.waitUntil(lambda: states(page) == {NAMES[0]: "running"}, timeout=15_000)
    select(qtbot, page, NAMES[0])
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert context.notices[-1].text == f"{NAMES[0]} is not here yet: it is running."
    session.run("archive.cancel")


def test_the_bars_show_how_much_is_here(qtbot, page, session, mast):
    made(mast.folder / "jw09999-o000_t001_nircam_clear-f200w_i2d.fits", 7, size=400)
    mast.rate = 150_000
    get(session, "jw09999-o000_t001_nircam_clear-f200w_i2d.fits")
    qtbot.waitUntil(lambda: any(0.3 < (row.share or 0) < 0.6 for row in page.table.transfers.rows), timeout=15_000)
    session.run("archive.pause")
    qtbot.waitUntil(lambda: page.table.transfers.rows[0].state == "paused")
    share = page.table.transfers.rows[0].share
    area = page.table.visualRect(page.table.shown.index(0, COLUMNS.index("Progress")))
    picture = page.table.viewport().grab().toImage()
    ratio = picture.devicePixelRatio()
    words = page.table.fontMetrics().horizontalAdvance("100%") + 6
    y = int((area.center().y()) * ratio)
    line = [picture.pixelColor(int(x * ratio), y).rgb() for x in range(area.left() + 8, area.right() - words - 8)]
    filled = sum(colour == line[0] for colour in line) / len(line)
    assert filled == pytest.approx(share, abs=0.06)
    session.run("archive.cancel")


# --- the basket and the history -----------------------------------------------------------------------


def fill(session, *names):
    session.run("archive.basket_add", products=[f"mast:JWST/product/{name}" for name in names])


def go_to(qtbot, panel, title):
    bar = panel.tabs.tabBar()
    number = next(n for n in range(bar.count()) if bar.tabText(n).startswith(title))
    qtbot.mouseClick(bar, LEFT, pos=bar.tabRect(number).center())
    assert panel.tabs.currentIndex() == number


def test_the_basket_is_seen_changed_and_fetched(qtbot, panel, session, mast):
    products = session.run("archive.products", observations=[str(1_000_000 + n) for n in range(3)], suffix="i2d",
                           extension="fits")  # fmt: skip
    session.run("archive.basket_add", products=products)
    qtbot.waitUntil(lambda: panel.tabs.tabText(1) == "Basket (3)", timeout=15_000)
    go_to(qtbot, panel, "Basket")
    basket = panel.basket
    qtbot.waitUntil(lambda: basket.count == 3)
    size = sum((mast.folder / name).stat().st_size for name in NAMES[:3])
    assert basket.about.text() == f"3 files, {size / 1000:.3g} kB"
    assert not basket.remove_button.isEnabled()
    place = basket.tree.visualRect(basket.tree.products.index_of(1)).center()
    qtbot.mouseClick(basket.tree.viewport(), LEFT, pos=place)
    qtbot.mouseClick(basket.remove_button, LEFT)
    qtbot.waitUntil(lambda: panel.tabs.tabText(1) == "Basket (2)", timeout=15_000)
    session.undo()
    qtbot.waitUntil(lambda: panel.tabs.tabText(1) == "Basket (3)", timeout=15_000)
    basket.tree.copy_addresses()
    assert [line.rpartition("/")[2] for line in QGuiApplication.clipboard().text().splitlines()] == NAMES[:3]
    qtbot.mouseClick(basket.get_button, LEFT)
    qtbot.waitUntil(lambda: panel.tabs.tabText(1) == "Basket", timeout=15_000)
    assert not basket.tree.isVisible()
    assert len(mast.asked("Download")) == 3


def test_what_is_here_already_has_a_tick_in_the_basket(qtbot, panel, session, mast):
    get(session, NAMES[0])
    fill(session, *NAMES[:2])
    go_to(qtbot, panel, "Basket")
    basket = panel.basket
    qtbot.waitUntil(lambda: basket.about.text().endswith(", 1 on this machine"), timeout=15_000)
    tree = basket.tree

    def cloud_or_tick(row):
        area = tree.visualRect(tree.products.index_of(row))
        picture = tree.viewport().grab(area).toImage()
        greens = [picture.pixelColor(x, y) for x in range(40) for y in range(picture.height())]
        return "tick" if any(c.green() > c.red() + 40 and c.green() > c.blue() + 40 for c in greens) else "cloud"

    rows = {str(name): number for number, name in enumerate(tree.table["productFilename"])}
    assert [cloud_or_tick(rows[name]) for name in NAMES[:2]] == ["tick", "cloud"]
    place = tree.visualRect(tree.products.index_of(rows[NAMES[0]])).center()
    qtbot.mouseClick(tree.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(tree.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: len(session.data) == 1, timeout=15_000)
    assert len(mast.asked("Download")) == 1
    get(session, NAMES[1])
    qtbot.waitUntil(lambda: basket.about.text().endswith(", 2 on this machine"), timeout=15_000)


def test_the_basket_is_written_as_a_script_and_as_addresses(qtbot, panel, session, mast, tmp_path, monkeypatch):
    from PySide6.QtWidgets import QFileDialog

    fill(session, *NAMES[:2])
    go_to(qtbot, panel, "Basket")
    qtbot.waitUntil(lambda: panel.basket.count == 2, timeout=15_000)
    for words, name in (("Write cURL Script…", "get.sh"), ("Write Addresses…", "urls.txt")):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, name=name: (str(tmp_path / name), ""))
        menu = panel.basket.tree.menu()
        next(action for action in menu.actions() if action.text() == words).trigger()
        menu.close()
        qtbot.waitUntil((tmp_path / name).is_file, timeout=15_000)
    assert (tmp_path / "urls.txt").read_text().count("\n") == 2
    assert (tmp_path / "get.sh").read_text().count("\nget ") == 2


def test_the_history_is_searched_and_used(qtbot, panel, session, mast, tmp_path, context):
    paths = session.run("archive.download", products=[f"mast:JWST/product/{n}" for n in NAMES[:3]],
                        folder=tmp_path / "in")  # fmt: skip
    session.run("archive.clear_transfers")
    paths[0].unlink()
    go_to(qtbot, panel, "History")
    history = panel.history
    qtbot.waitUntil(lambda: history.rows is not None and len(history.rows) == 3, timeout=15_000)
    assert history.about.text() == "3 files, 1 not where they were any more"
    qtbot.keyClicks(history.words, "o000")
    qtbot.waitUntil(lambda: len(history.rows) == 1, timeout=15_000)
    history.view.select_rows([0])
    qtbot.mouseClick(history.open_button, LEFT)
    assert context.notices[-1].text.endswith("is not where it was any more. Download it again.")
    qtbot.mouseClick(history.basket_button, LEFT)
    qtbot.waitUntil(lambda: panel.tabs.tabText(1) == "Basket (1)", timeout=15_000)
    qtbot.mouseClick(history.again_button, LEFT)
    qtbot.waitUntil(lambda: len(session.run("archive.history", text="o000")) == 2, timeout=15_000)
    history.words.clear()
    qtbot.waitUntil(lambda: len(history.rows) == 4, timeout=15_000)
    row = next(n for n, name in enumerate(history.rows["productFilename"]) if name == NAMES[1])
    place = history.view.visualRect(history.view.model().index(row, 0)).center()
    qtbot.mouseClick(history.view.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(history.view.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: session.names == [NAMES[1].removesuffix(".fits")], timeout=15_000)

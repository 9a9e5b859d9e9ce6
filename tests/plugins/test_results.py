"""The Results panel and the table that it shares with others, used by hand."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from jviz.backend.catalogs.columns import columns_of
from jviz.viewers.tables.model import TableModel
from jviz.viewers.tables.view import TableView

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def table():
    return QTable(
        {
            "id": [3, 1, 2, 4],
            "flux": [1.5, np.nan, 2.5, 0.25] * u.Jy,
            "name": ["c", "a", "b", "d"],
            "place": SkyCoord([1, 2, 3, 4] * u.deg, [4, 5, 6, 7] * u.deg),
            "seen": MaskedColumn([1, 2, 3, 4], mask=[False, True, False, False]),
        }
    )


@pytest.fixture
def view(qtbot, table):
    view = TableView("Stars")
    qtbot.addWidget(view)
    view.resize(600, 300)
    view.show_table(table)
    view.show()
    qtbot.waitExposed(view)
    return view


def shown(view, column):
    model = view.model()
    return [model.index(row, column).data() for row in range(model.rowCount())]


def click_header(view, column):
    header = view.horizontalHeader()
    x = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
    QTest.mouseClick(header.viewport(), LEFT, pos=QPoint(x, header.height() // 2))


def test_headers_have_units_and_missing_values_a_dash(view):
    header = view.model().headerData(1, Qt.Orientation.Horizontal)
    assert header == "flux\nJy"
    assert shown(view, 4) == ["1", "—", "3", "4"]
    assert shown(view, 1)[1] == "nan"


def test_a_click_sorts_a_second_turns_round_a_third_ends_it(view):
    click_header(view, 1)
    assert shown(view, 0) == ["4", "3", "2", "1"]
    click_header(view, 1)
    assert shown(view, 0) == ["2", "3", "4", "1"]  # without a value: last again
    click_header(view, 1)
    assert shown(view, 0) == ["3", "1", "2", "4"]


def test_selected_rows_stay_selected_when_sorted_and_are_those_of_the_table(view, table):
    view.select_rows([0])
    click_header(view, 2)
    assert view.selected_rows() == [0]
    [row] = {index.row() for index in view.selectionModel().selectedRows()}
    assert view.model().index(row, 2).data() == "c"


@pytest.mark.parametrize("by_hand", [True, False], ids=["click", "call"])
def test_many_rows_here_and_there_stay_selected_when_sorted_and_nobody_hears_of_it(view, by_hand):
    values = np.random.default_rng(2).permutation(400)
    view.show_table(QTable({"n": np.arange(400), "value": values}))
    view.select_rows(np.arange(0, 400, 3))
    told = []
    view.selectionModel().selectionChanged.connect(lambda *_: told.append(1))
    if by_hand:
        click_header(view, 1)
    else:
        view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert view.horizontalHeader().sortIndicatorSection() == 1
    assert view.table_model.order.tolist() == np.argsort(values).tolist()
    assert view.selected_rows() == [row for row in np.argsort(values).tolist() if row % 3 == 0]
    assert len(view.selectionModel().selectedRows()) == 134
    assert not told
    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)  # once more the same
    assert sorted(view.selected_rows()) == list(range(0, 400, 3))


def test_rows_that_a_facet_leaves_stay_sorted_after_the_table_has_grown(view):
    short, long = QTable({"value": [3, 1, 2]}), QTable({"value": [3, 1, 2, 0]})
    model = view.table_model
    model.grow(short, columns_of(short), 3)
    view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    model.keep(np.array([True, False, True]))
    assert model.order.tolist() == [2, 0]
    model.keep(None)
    model.grow(long, columns_of(long), 4)
    model.keep(np.array([True, False, True, True]))
    assert model.order.tolist() == [3, 2, 0]


def test_copied_rows_have_all_digits(view, qtbot):
    value = 1.2345678901234567
    view.show_table(QTable({"x": [value, 2.0] * u.m, "n": [1, 2]}))
    view.setFocus()
    QTest.mouseClick(view.viewport(), LEFT, pos=QPoint(20, view.rowHeight(0) // 2))
    QTest.keySequence(view, "Ctrl+C")
    assert QGuiApplication.clipboard().text() == f"x (m)\tn\n{value!r}\t1"


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_order_is_that_of_python_and_stable(seed, descending):
    values = np.random.default_rng(seed).integers(0, 5, 50)
    [column] = columns_of(QTable({"a": values}))
    expected = sorted(range(50), key=lambda row: values[row], reverse=descending)
    assert column.order(descending=descending).tolist() == expected


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([10.68470833, 83.8] * u.deg, "10.6847083"),
        (np.array([0.5, 2.0]), "0.5"),
        (np.array([1e-18, 3e-18]), "1e-18"),
        (np.array([1234.5678, 0.1]), "1234.568"),
        (np.array(["a", "b"]), "a"),
        (np.array([[1, 2], [3, 4]]), "[1, 2]"),
    ],
)
def test_cells_show_digits_worth_reading(values, first):
    [column] = columns_of(QTable({"a": values}))
    assert column.shown(0) == first


def test_a_large_table_is_quick_to_look_up(qapp):
    table = QTable({f"c{n}": np.random.default_rng(n).normal(size=100_000) for n in range(6)})
    model = TableModel()
    model.show(table)
    model.sort(3)
    column = np.asarray(table["c3"])
    assert model.rowCount() == 100_000
    assert float(model.index(0, 3).data()) == pytest.approx(column.min(), rel=1e-5)
    assert float(model.index(99_999, 3).data()) == pytest.approx(column.max(), rel=1e-5)


# --- the panel ------------------------------------------------------------------------------------


@pytest.fixture
def panel(make_panel):
    return make_panel("results", (900, 260))


def test_what_comes_is_shown_at_once(panel, session, table, qtbot):
    session.results.add("Photometry", table, "session.run('photometry')")
    qtbot.waitUntil(lambda: panel.body.isVisible())
    assert panel.pages.currentWidget() is panel.table
    assert panel.line.text() == "session.run('photometry')"
    session.results.add("Sum", 2.5 * u.Jy)
    qtbot.waitUntil(lambda: panel.number.isVisible())
    assert panel.number.text() == "2.5 Jy"
    assert not panel.buttons["add"].isHidden()
    session.results.add("Fit", {"z": 0.5, "z_err": 0.01})
    qtbot.waitUntil(lambda: panel.pairs.isVisible())
    assert panel.pairs.model().index(0, 1).data() == "0.500 ± 0.010"
    session.results.add("Report", "words\nand more")
    qtbot.waitUntil(lambda: panel.text.isVisible())
    assert not panel.buttons["export"].isEnabled()


def test_older_ones_are_chosen_with_the_keys(panel, session, table, qtbot):
    session.results.add("First", 1.0)
    session.results.add("Second", 2.0)
    qtbot.waitUntil(lambda: panel.number.text() == "2")
    panel.list.setFocus()
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    assert panel.number.text() == "1"
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: panel.number.text() == "2")
    QTest.mouseClick(panel.buttons["clear"], LEFT)
    qtbot.waitUntil(lambda: not panel.body.isVisible())


def test_tables_become_catalogues_and_files(panel, session, table, qtbot, tmp_path):
    session.results.add("Aperture Photometry", table)
    qtbot.waitUntil(lambda: panel.table.isVisible())
    QTest.mouseClick(panel.buttons["add"], LEFT)
    qtbot.waitUntil(lambda: session.names == ["aperture_photometry"])
    assert session["aperture_photometry"].kind == "catalog"
    assert len(session["aperture_photometry"].table) == 4
    session.undo()
    assert not session.data
    panel.export(tmp_path / "t.vot")
    qtbot.waitUntil(lambda: (tmp_path / "t.vot").exists())

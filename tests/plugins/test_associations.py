"""The panel of associations."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QFileDialog


@pytest.fixture
def panel(make_panel, session, nods, qtbot):
    session.run("association.make", data=str(nods))
    panel = make_panel("associations", (420, 700))
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 3)
    return panel


def rows(panel, product=0):
    top = panel.tree.topLevelItem(product)
    return [[top.child(n).text(column) for column in range(4)] for n in range(top.childCount())]


def name_of(number, suffix="rate"):
    return f"jw01234007001_03101_0000{number}_nrs1_{suffix}.fits"


def test_an_empty_panel_says_what_to_do_and_makes_one(make_panel, session, nods, qtbot, monkeypatch):
    panel = make_panel("associations")
    assert "No association is open" in panel._empty.text()
    paths = sorted(map(str, nods.glob("*.fits")))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a, **k: (paths, ""))
    panel.make_of_files()
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 3)


def test_tree_and_graph_show_members_and_roles(panel, qtbot):
    assert rows(panel) == [
        [name_of(1), "science", "rate · 2a", "there"], [name_of(2), "background", "rate · 2a", "there"],
        [name_of(3), "background", "rate · 2a", "there"],
    ]  # fmt: skip
    qtbot.waitUntil(lambda: panel.note.text() == "Nothing is wrong with it.")
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(1))
    assert panel.graph.selected_name == name_of(2)
    number = next(n for n, node in enumerate(panel.graph.graph.nodes) if node.name == name_of(1))
    place = panel.graph.rect_of(number).center().toPoint()
    qtbot.mouseClick(panel.graph, Qt.MouseButton.LeftButton, pos=place)
    assert panel.tree.currentItem().text(0) == name_of(1)


def test_roles_members_and_names_are_edited_and_undone(panel, session, qtbot):
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(1))
    panel.role.setFocus()
    qtbot.keyClick(panel.role, Qt.Key.Key_I)
    panel.role.activated.emit(panel.role.currentIndex())
    qtbot.waitUntil(lambda: rows(panel)[1][1] == "imprint")
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(2))
    panel.tree.setFocus()
    panel.remove_button.click()
    qtbot.waitUntil(lambda: len(rows(panel)) == 2)
    assert len(rows(panel, 1)) == 3, "other products keep theirs"
    item = panel.tree.topLevelItem(0)
    item.setText(0, "renamed")
    qtbot.waitUntil(lambda: panel.tree.topLevelItem(0).text(0) == "renamed")
    for _ in range(3):
        session.undo()
    qtbot.waitUntil(lambda: [row[1] for row in rows(panel)] == ["science", "background", "background"])
    assert panel.tree.topLevelItem(0).text(0) == "jw01234007001_03101_00001_nrs1"


def test_members_are_taken_out_by_keys_and_the_keyboard_stays(panel, qtbot):
    panel.tree.setFocus()
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0))
    qtbot.keyClick(panel.tree, Qt.Key.Key_Down)
    qtbot.keyClick(panel.tree, Qt.Key.Key_Down)
    assert panel.tree.currentItem().text(0) == name_of(2)
    qtbot.keyClick(panel.tree, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: [row[0] for row in rows(panel)] == [name_of(1), name_of(3)])
    assert panel.tree.currentItem().text(0) == name_of(3)
    assert panel.tree.hasFocus()
    qtbot.keyClick(panel.tree, Qt.Key.Key_Up)
    assert panel.graph.selected_name == name_of(1)


def test_the_menu_key_shows_what_can_be_done_with_a_member(panel, session, qtbot):
    panel.tree.setFocus()
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(1))
    place = panel.tree.visualItemRect(panel.tree.currentItem()).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, place, panel.tree.viewport().mapToGlobal(place))
    QApplication.sendEvent(panel.tree.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert [action.text() for action in menu.actions()] == ["Open", "Take Out"]
    qtbot.keyClick(menu, Qt.Key.Key_Up)  # the last one
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [row[0] for row in rows(panel)] == [name_of(1), name_of(3)])


def test_panels_of_files_say_that_an_association_is_in_none(panel, make_panel, session, context, qtbot):
    context.activate(session.view("association", data=panel.association))
    for id, shown in (("calibration", lambda panel: panel.note), ("provenance", lambda panel: panel._empty)):
        other = make_panel(id)
        said = f"{panel.association.name} is in no file yet. Write it in the panel Associations to "
        label = shown(other)
        qtbot.waitUntil(lambda label=label, said=said: label.text().startswith(said))
        assert label.isVisibleTo(other)


def test_what_is_missing_is_told(panel, session, nods, qtbot):
    (nods / name_of(3)).unlink()
    session.run("association.type", data=panel.association, asn_type="spec3")
    qtbot.waitUntil(lambda: "error" in panel.note.text())
    assert f"{name_of(3)} is not in" in panel.note.text()
    assert rows(panel)[2][3] == "missing"


def test_files_are_opened_and_added(panel, session, nods, qtbot, monkeypatch):
    panel.tree.setFocus()
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(1))
    qtbot.keyClick(panel.tree, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: name_of(2).removesuffix(".fits") in session.names)
    extra = nods / name_of(4)
    extra.write_bytes((nods / name_of(1)).read_bytes())
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a, **k: ([str(extra)], ""))
    panel.add_button.click()
    qtbot.waitUntil(lambda: len(rows(panel)) == 4)


def test_it_is_written_before_it_is_calibrated(panel, session, context, nods, qtbot, monkeypatch):
    asked = []
    run = context.run

    def noted(id, **arguments):
        return asked.append((id, arguments)) if id == "calibration.run" else run(id, **arguments)

    monkeypatch.setattr(context, "run", noted)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(nods / "my_asn.json"), ""))
    qtbot.mouseClick(panel.calibrate_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(asked))
    assert asked == [("calibration.run", {"inputs": [str(nods / "my_asn.json")]})]
    assert panel.association.path == nods / "my_asn.json"

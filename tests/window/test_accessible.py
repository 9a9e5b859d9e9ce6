"""Every part that takes the mouse or the keys has a name for screen readers."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QStatusBar,
    QTabBar,
    QTextEdit,
    QToolBar,
    QWidget,
)

from jviz.plugin_loader import panels

TAKES_INPUT = (
    QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QAbstractSlider, QAbstractItemView, QPlainTextEdit,
    QTabBar, QTextEdit,
)  # fmt: skip


def is_part_of_another(widget):
    """Whether Qt made a widget as a part of one that has the name: the list of a combo box, a clear button."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QComboBox | QLineEdit | QAbstractSpinBox):
        parent = parent.parentWidget()
    return parent is not None or widget.objectName().startswith("qt_")


def takes_tab(widget):
    return widget.isVisible() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def is_named(widget):
    text = widget.text().strip() if isinstance(widget, QAbstractButton) else ""
    return bool(widget.accessibleName() or text)


def unnamed_in(root):
    """What takes input, or the keys on their way with Tab, below a widget and has no name."""
    widgets = [w for w in [root, *root.findChildren(QWidget)] if isinstance(w, TAKES_INPUT) or takes_tab(w)]
    widgets = [w for w in widgets if not isinstance(w, QScrollBar | QHeaderView) and not is_part_of_another(w)]
    assert widgets
    return [f"{type(w).__name__} in {type(w.parentWidget()).__name__}" for w in widgets if not is_named(w)]


def test_all_that_takes_input_has_a_name(filled, qtbot):
    for id in panels():
        if id != "console":  # it has a test of its own
            filled.panel(id)
    filled.session.results.add("Count", {"stars": 7})
    qtbot.wait(100)
    assert len([w for w in filled.findChildren(QWidget) if isinstance(w, TAKES_INPUT)]) > 50
    assert not unnamed_in(filled)


DIALOGS = (
    "window.preferences", "window.shortcuts", "help.about", "help.manual", "image.go_to", "image.smooth", "data.export",
    "view.save", "window.save_layout",
)  # fmt: skip


@pytest.mark.parametrize("id", DIALOGS)
def test_all_that_takes_input_in_dialogs_has_a_name_and_the_keys_reach_it(filled, qtbot, id):
    before = set(QApplication.topLevelWidgets())
    filled.invoker.trigger(id)
    qtbot.waitUntil(lambda: bool(opened(filled, before)), timeout=10_000)
    qtbot.wait(100)
    for dialog in opened(filled, before):
        assert not unnamed_in(dialog)
        assert dialog.windowTitle()
        assert not unreached(dialog, qtbot)
        dialog.close()


def opened(window, before):
    return [w for w in QApplication.topLevelWidgets() if w not in before and w is not window and w.isVisible()]


def unreached(dialog, qtbot):
    """Walk through a dialog with the Tab key; return what can be used and was not come to."""
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow, timeout=5_000)
    wanted = {
        w for w in dialog.findChildren(QWidget)
        if isinstance(w, TAKES_INPUT) and w.isVisible() and w.isEnabled() and not is_part_of_another(w)
        and not isinstance(w, QScrollBar | QHeaderView) and w.focusProxy() is None
        and not (isinstance(w, QAbstractButton) and w.focusPolicy() == Qt.FocusPolicy.NoFocus)
    }  # fmt: skip
    come_to = set()
    for _ in range(4 * len(wanted) + 20):
        if QApplication.focusWidget() is not None:
            come_to.add(QApplication.focusWidget())
        dialog.focusNextPrevChild(True)
    return [f"{type(w).__name__} {w.accessibleName()}" for w in wanted - come_to]


def test_f6_goes_round_the_areas_and_shift_f6_back(filled, qtbot):
    filled.panel("display")
    filled.panel("header")
    qtbot.wait(50)
    filled.viewers[0].setFocus()

    def rounds(modifier):
        seen = [area_of(filled)]
        while len(seen) < 12 and (len(seen) == 1 or seen[-1] != seen[0]):
            qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6, modifier)
            seen.append(area_of(filled))
        return seen

    onwards = rounds(Qt.KeyboardModifier.NoModifier)
    assert onwards[0] == onwards[-1] == "Viewers"
    assert {"Image Display", "Header", "Tools"} <= set(onwards)
    assert len(set(onwards)) == len(onwards) - 1
    assert rounds(Qt.KeyboardModifier.ShiftModifier) == onwards[::-1]


def area_of(window):
    widget = QApplication.focusWidget()
    while widget is not None and not isinstance(widget, QDockWidget | QToolBar | QStatusBar):
        if widget is window.central:
            return "Viewers"
        widget = widget.parentWidget()
    return widget.windowTitle() or type(widget).__name__

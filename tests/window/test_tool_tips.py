"""Tool tips: what comes from files and archives is shown letter by letter, titles of commands are bold."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QListWidget, QToolBar, QToolTip, QVBoxLayout

FOREIGN = "<b>jw01</b><img src='http://nowhere.invalid/a.png'><br>a&lt;b"


@pytest.fixture
def tip(qtbot):
    """Show the tool tip of a widget and return its label."""
    corner = iter(range(5, 500, 40))

    def show(widget, text) -> QLabel:
        QToolTip.showText(QPoint(next(corner), 5), text, widget)

        def found():
            return [w for w in QApplication.topLevelWidgets() if w.inherits("QTipLabel") and w.text() == text]

        qtbot.waitUntil(lambda: bool(found()))
        return found()[0]

    yield show
    QToolTip.hideText()


def test_texts_from_outside_are_plain(window, tip, qtbot):
    qtbot.waitUntil(lambda: window.theme.is_settled)
    dialog = QDialog(window)
    inner = QListWidget()
    QVBoxLayout(dialog).addWidget(inner)
    dialog.show()
    for widget in (inner, inner.viewport(), window.statusBar(), window.central, window.menus._menus["Interop/Send To"]):
        assert tip(widget, f"{FOREIGN} {id(widget)}").textFormat() == Qt.TextFormat.PlainText, widget


def test_titles_of_commands_are_bold_and_fit(window, tip, qtbot):
    qtbot.waitUntil(lambda: window.theme.is_settled)
    bar = next(bar for bar in window.findChildren(QToolBar) if bar.isVisible())
    file = window.menus._menus["File"]
    file.popup(QPoint(0, 0))
    for widget in (bar.widgetForAction(bar.actions()[0]), file):
        label = tip(widget, f"<b>A title</b><br>What it does {id(widget)}")
        assert label.textFormat() == Qt.TextFormat.RichText
        assert label.width() >= label.sizeHint().width()
    file.hide()

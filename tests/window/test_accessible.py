"""Every part that takes the mouse or the keys has a name for screen readers."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
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


def is_named(widget):
    text = widget.text().strip() if isinstance(widget, QAbstractButton) else ""
    return bool(widget.accessibleName() or text)


def test_all_that_takes_input_has_a_name(filled, qtbot):
    for id in panels():
        if id != "console":  # it has a test of its own
            filled.panel(id)
    filled.session.results.add("Count", {"stars": 7})
    qtbot.wait(100)
    widgets = [w for w in filled.findChildren(QWidget) if isinstance(w, TAKES_INPUT)]
    widgets = [w for w in widgets if not isinstance(w, QScrollBar | QHeaderView) and not is_part_of_another(w)]
    assert len(widgets) > 50
    unnamed = [f"{type(w).__name__} in {type(w.parentWidget()).__name__}" for w in widgets if not is_named(w)]
    assert not unnamed

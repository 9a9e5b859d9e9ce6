"""The text of boxes for numbers stands where that of the fields beside them does."""

import ast
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

import jviz
from jviz.viewers.number_boxes import NumberBox, WholeBox
from jviz.window.style import style_sheet
from jviz.window.theme import DARK


def ink_starts(widget):
    """Return the first column of a widget, its border left out, that has something bright."""
    image = widget.grab().toImage()
    middle = range(image.height() // 4, 3 * image.height() // 4)
    return next(x for x in range(3, image.width()) if any(image.pixelColor(x, y).lightness() > 128 for y in middle))


@pytest.mark.parametrize("box", [NumberBox, WholeBox])
def test_numbers_stand_as_far_from_the_edge_as_the_text_of_fields(qtbot, box):
    page = QWidget()
    qtbot.addWidget(page)
    page.setStyleSheet(style_sheet(DARK))
    field, number, chooser = QLineEdit("88"), box(value=88), QComboBox()
    chooser.addItem("88")
    layout = QVBoxLayout(page)
    for widget in (field, number, chooser):
        layout.addWidget(widget)
    page.show()
    starts = [ink_starts(widget) for widget in (field, number, chooser)]
    assert max(starts) - min(starts) <= 2
    assert number.sizeHint().width() >= number.fontMetrics().horizontalAdvance(number.text()) + 18 + 9


def test_every_box_for_numbers_is_one_of_those():
    folder = Path(jviz.__file__).parent
    for path in folder.rglob("*.py"):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        alone = path.name == "number_boxes.py" or not names & {"QSpinBox", "QDoubleSpinBox"}
        assert alone, f"{path.name}: take NumberBox or WholeBox of jviz.api instead of Qt's"

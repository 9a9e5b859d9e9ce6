"""The form of a search: what is asked, as the arguments of archive.search and as a line of Python."""

from __future__ import annotations

import shlex
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from jviz.api import CommandError, literal

__all__ = ["Question", "conditions"]

COLLECTIONS = (
    ("MAST", "mast"), ("This machine", "library"), ("ESA JWST", "esa-jwst"), ("CADC", "cadc"), ("IRSA", "irsa"),
    ("ALMA", "alma"), ("ESO", "eso"),
)  # fmt: skip
LEVELS = ("any", "1", "2", "3", "4")
FIELDS = (
    ("instrument", "Instrument", "NIRCAM, MIRI"), ("filter", "Filter", "F200W"), ("program", "Program", "1345"),
    ("pi", "Investigator", "Finkelstein"), ("date", "Date", "2024-01-01..2024-12-31"),
)  # fmt: skip


class Question(QWidget):
    """Fields of a search; ``asked`` is emitted when Return is pressed in one of them."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.collection = QComboBox()
        self.collection.setEditable(True)
        self.collection.lineEdit().setPlaceholderText("https://… of a TAP service")
        for title, name in COLLECTIONS:
            self.collection.addItem(title, name)
        self.target = QLineEdit(placeholderText="NGC 1365, or a position", clearButtonEnabled=True)
        self.radius = QLineEdit("3 arcmin")
        self.level = QComboBox()
        self.level.addItems(LEVELS)
        self.fields = {name: QLineEdit(placeholderText=hint, clearButtonEnabled=True) for name, _, hint in FIELDS}
        self.more = QLineEdit(placeholderText="exposure_time=100..5000", clearButtonEnabled=True)
        self.place = QHBoxLayout()
        self._arrange()

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(10, 8, 10, 4)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.place.setContentsMargins(0, 0, 0, 0)
        self.place.setSpacing(2)
        self.place.addWidget(self.target, 1)
        form.addRow("Archive", self.collection)
        form.addRow("Target", self.place)
        form.addRow("Radius", self.radius)
        for name, title, _ in FIELDS:
            form.addRow(title, self.fields[name])
        form.addRow("Level", self.level)
        form.addRow("More", self.more)
        self.more.setToolTip(
            "Further columns and what they must be, parted by spaces: title=deep*  t_exptime=100..5000"
        )
        for widget, name in ((self.collection, "Archive"), (self.target, "Target or position"),
                             (self.radius, "Radius"), (self.level, "Calibration level"),
                             (self.more, "Further conditions"),
                             *((self.fields[name], title) for name, title, _ in FIELDS)):  # fmt: skip
            widget.setAccessibleName(name)
            if isinstance(widget, QLineEdit):
                widget.returnPressed.connect(self.asked)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of archive.search.

        Raises
        ------
        CommandError
            When the further conditions are not understood.
        """
        text = self.collection.currentText().strip()
        named = self.collection.findText(text)
        found: dict[str, Any] = {"collection": self.collection.itemData(named) if named >= 0 else text or "mast"}
        if self.target.text().strip():
            found |= {"target": self.target.text().strip(), "radius": self.radius.text().strip() or "3 arcmin"}
        for name, field in self.fields.items():
            if field.text().strip():
                found[name] = _several(field.text())
        if self.level.currentIndex():
            found["level"] = int(self.level.currentText())
        return found | conditions(self.more.text())

    def python(self) -> str:
        """Return the search as a line of Python."""
        words = [f"{name}={literal(value)}" for name, value in self.arguments().items()]
        return f"session.run('archive.search', {', '.join(words)})"


def conditions(text: str) -> dict[str, Any]:
    """Read ``column=value`` words: quotes hold spaces together, commas part alternatives, ``1..5`` is a range."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise CommandError(f"{text!r} is not understood: a quote is not closed.") from None
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and name.isidentifier() and value):
            raise CommandError(f"{word!r} is no condition. Write column=value, such as exposure_time=100..5000.")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    low, dots, high = text.partition("..")
    numbers = [_number(low), _number(high)] if dots else []
    if dots and None not in numbers:
        return tuple(numbers)
    several = _several(text)
    return _number(several) if isinstance(several, str) and _number(several) is not None else several


def _several(text: str) -> Any:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return parts if len(parts) > 1 else parts[0] if parts else ""


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None

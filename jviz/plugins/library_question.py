"""The fields by which the Library panel is searched, as arguments of library.search."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from jviz.api import literal
from jviz.plugins.archive_question import alternatives, conditions

__all__ = ["LibraryQuestion"]

EVERYTHING = {"missing": True}
SHOWS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("all", "All files", EVERYTHING), ("here", "On this machine", {}), ("pinned", "Pinned", {"pinned": True}),
    ("duplicates", "Duplicates", {"duplicates": True}), ("missing", "Missing", {"missing": True, "state": "missing"}),
    ("dropped", "Dropped from the store", {"missing": True, "state": "dropped"}),
    ("refused", "Refused", {"refused": True}), ("bad", "Of bad quality", {"quality": "bad"}),
)  # fmt: skip
"""What the box offers: a name, a title, and what it asks for."""

FIELDS = (
    ("place", "Place", "a name, or a position: M 51, 10:00:28 +02:12"), ("radius", "Radius", "3 arcmin"),
    ("instrument", "Instrument", "NIRCAM, MIRI"), ("date", "Date", "a day, or from..to: 2024-01-01..2024-12-31"),
    ("tag", "Tag", "one that you gave"), ("more", "More", "further columns: level=3 suffix=i2d exposure_time=100..500"),
)  # fmt: skip
"""A name, a title, and what can be written."""

PAUSE_MS = 300
"""After the last letter, before the library is asked."""


class LibraryQuestion(QWidget):
    """Words, what is shown, and a row of fields; ``asked`` is emitted a moment after something was changed."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = QLineEdit(placeholderText="Search target, investigator, title, name, note")
        self.words.setClearButtonEnabled(True)
        self.words.setAccessibleName("Words to search")
        self.show_box = QComboBox()
        self.show_box.setAccessibleName("Which files")
        for name, title, _ in SHOWS:
            self.show_box.addItem(title, name)
        self.fields = {name: QLineEdit(placeholderText=title, clearButtonEnabled=True) for name, title, _ in FIELDS}
        self.head = QHBoxLayout()
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.asked)
        self._arrange()

    def _arrange(self) -> None:
        self.head.setSpacing(4)
        self.head.addWidget(self.words, 1)
        self.head.addWidget(self.show_box)
        row = QGridLayout()
        row.setHorizontalSpacing(4)
        for column, (name, title, hint) in enumerate(FIELDS):
            field = self.fields[name]
            field.setAccessibleName(title)
            field.setToolTip(f"{title}: {hint}")
            field.setMinimumWidth(48)
            row.addWidget(field, 0, column)
            row.setColumnStretch(column, 2 if name in ("radius", "tag") else 3)
        outer = QGridLayout(self)
        outer.setContentsMargins(8, 6, 8, 2)
        outer.setVerticalSpacing(4)
        outer.addLayout(self.head, 0, 0)
        outer.addLayout(row, 1, 0)
        for field in (self.words, *self.fields.values()):
            field.textChanged.connect(self._pause.start)
            field.returnPressed.connect(self.ask)
        self.show_box.currentIndexChanged.connect(self.ask)

    def ask(self, *_: Any) -> None:
        """Ask at once."""
        self._pause.stop()
        self.asked.emit()

    @property
    def shown(self) -> str:
        """Which files are shown: "all", "here", "pinned", "duplicates", "missing", "dropped", "refused" or "bad"."""
        return str(self.show_box.currentData())

    def choose(self, shown: str) -> None:
        """Show all files, or only some of them."""
        self.show_box.setCurrentIndex(self.show_box.findData(shown))

    @property
    def is_blank(self) -> bool:
        """Whether nothing is asked for."""
        return self.shown == "all" and not any(f.text().strip() for f in (self.words, *self.fields.values()))

    def clear(self) -> None:
        """Ask for nothing in particular."""
        for field in (self.words, *self.fields.values()):
            field.clear()
        self.choose("all")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of library.search.

        Raises
        ------
        JvizError
            When the further conditions are not understood.
        """
        found = dict(next(asked for name, _, asked in SHOWS if name == self.shown))
        texts = {name: field.text().strip() for name, field in self.fields.items()}
        if self.words.text().strip():
            found["text"] = self.words.text().strip()
        if texts["place"]:
            found |= {"target": texts["place"], "radius": texts["radius"] or "3 arcmin"}
        for name in ("instrument", "date", "tag"):
            if texts[name]:
                found[name] = alternatives(texts[name]) if name == "instrument" else texts[name]
        return found | conditions(texts["more"])

    def python(self) -> str:
        """Return the search as a line of Python."""
        arguments = self.arguments()
        if arguments.pop("refused", False):
            return "session.run('library.problems')"
        words = "".join(f", {name}={literal(value)}" for name, value in arguments.items())
        return f"session.run('library.search'{words})"

"""What is known of the selected files of the Library panel, with what a user writes to them: tags, a note, a pin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QCheckBox, QFormLayout, QFrame, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from jviz.api import counted, size_text
from jviz.plugins.calibration_quality import WORDS, value_text
from jviz.plugins.parts import muted

__all__ = ["LibraryDetails"]

FACTS = (
    ("Target", ("target_name",)),
    ("Instrument", ("obs_collection", "instrument_name", "filters", "grating", "detector")),
    ("Product", ("suffix", "dataproduct_type", "calib_level")), ("Observed", ("date_obs", "t_exptime")),
    ("Program", ("proposal_id", "proposal_pi")), ("Pipeline", ("cal_ver", "crds_ctx")),
    ("Why refused", ("reason",)), ("Folder", ("path",)), ("From", ("source",)),
)  # fmt: skip
"""Lines of facts: a title, and the columns that are put together in it."""

MAY_BREAK = "\u200b"
ORDER = ("bad", "look", "good", "unknown")
STATES = {"missing": "not where it was any more", "dropped": "dropped from the store; can be fetched again"}


class LibraryDetails(QScrollArea):
    """Shows one file in full, or how many are selected; what is written is emitted, and done by commands."""

    tags_written = Signal(list)
    note_written = Signal(str)
    pin_clicked = Signal(bool)

    def __init__(self) -> None:
        super().__init__(widgetResizable=True)
        self.setAccessibleName("Details of the file")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.picture = _Picture()
        self.title = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.about = muted(QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True))
        self.facts = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.quality = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.quality.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.quality.setAccessibleName("Quality of the product")
        self.tags = QLineEdit(placeholderText="words with commas between")
        self.note = QLineEdit(placeholderText="anything worth knowing")
        self.pin = QCheckBox("Pinned: never dropped from the store")
        self._shown_tags: list[str] = []
        self._shown_note = ""
        self._arrange()
        self.tags.editingFinished.connect(self._write_tags)
        self.note.editingFinished.connect(self._write_note)
        self.pin.clicked.connect(self.pin_clicked)
        self.show_rows(None, [])

    def _arrange(self) -> None:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(10, 6, 10, 8)
        layout.setSpacing(6)
        self.form = QWidget()
        form = QFormLayout(self.form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Tags", self.tags)
        form.addRow("Note", self.note)
        form.addRow(self.pin)
        self.tags.setAccessibleName("Tags")
        self.note.setAccessibleName("Note")
        for part in (self.picture, self.title, self.about, self.form, self.facts, self.quality):
            layout.addWidget(part)
        layout.addStretch(1)
        self.setWidget(inside)
        self.setMinimumWidth(inside.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width())

    def show_rows(self, table: Any, rows: list[int]) -> None:
        """Show the rows of a table that are selected."""
        one = table[rows[0]] if len(rows) == 1 else None
        self.title.setText(_breakable(str(one["name"])) if one is not None else counted(len(rows), "file") if rows
                           else "")  # fmt: skip
        self.title.setVisible(bool(rows))
        self.about.setText(_about(table, rows) if rows else "Select a file to see what is known of it.")
        self.facts.setText("\n".join(_facts(one)) if one is not None else "")
        known = bool(rows) and "tags" in table.colnames
        self.form.setVisible(known)
        if known:
            self._fill({name: np.asarray(np.ma.getdata(table[name]))[rows] for name in ("tags", "note", "pinned")})
        self.show_report([])
        if one is None:
            self.show_picture(None)

    def _fill(self, values: dict[str, np.ndarray]) -> None:
        common = set.intersection(*(set(_words(text)) for text in np.unique(values["tags"])))
        is_one = len(values["note"]) == 1
        self._shown_tags = sorted(common)
        self._shown_note = _text(values["note"][0]) if is_one else ""
        if not self.tags.hasFocus() or not self.tags.isModified():
            self.tags.setText(", ".join(self._shown_tags))
        if not self.note.hasFocus() or not self.note.isModified():
            self.note.setText(self._shown_note)
        self.note.setEnabled(is_one)
        pinned = {bool(value) for value in np.unique(values["pinned"])}
        self.pin.setTristate(len(pinned) > 1)
        state = Qt.CheckState.PartiallyChecked if len(pinned) > 1 else Qt.CheckState.Unchecked
        self.pin.setCheckState(Qt.CheckState.Checked if pinned == {True} else state)

    def show_report(self, checks: list[Any]) -> None:
        """Show how good the one file is that is selected; what stands out comes first."""
        first = sorted(checks, key=lambda check: ORDER.index(check.verdict))
        lines = [f"{check.name}: {value_text(check)}, {WORDS[check.verdict]}. {_sentence(check.said)}"
                 for check in first]  # fmt: skip
        self.quality.setText("\n".join(["Quality", *lines]) if lines else "")
        self.quality.setVisible(bool(lines))

    def show_picture(self, picture: QPixmap | None) -> None:
        """Show the picture of the one file that is selected."""
        self.picture.show_picture(picture)

    def _write_tags(self) -> None:
        words = sorted(set(_words(self.tags.text())))
        self.tags.setModified(False)
        before, self._shown_tags = self._shown_tags, words
        if words != before:
            self.tags_written.emit([*(word for word in words if word not in before),
                                    *(f"-{word}" for word in before if word not in words)])  # fmt: skip

    def _write_note(self) -> None:
        text = self.note.text().strip()
        self.note.setModified(False)
        before, self._shown_note = self._shown_note, text
        if text != before:
            self.note_written.emit(text)


class _Picture(QWidget):
    """A picture as large as there is room for, in its own proportions."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: QPixmap | None = None
        self.setAccessibleName("Preview")
        self.setVisible(False)

    def show_picture(self, picture: QPixmap | None) -> None:
        self._picture = picture
        self.setVisible(picture is not None)
        if picture is not None:
            self.setFixedHeight(min(picture.height(), 130))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 160)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = self._picture.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = self.rect()
            place.setSize(size)
            painter.drawPixmap(place, self._picture)


def _about(table: Any, rows: list[int]) -> str:
    size = size_text(float(np.sum(np.asarray(np.ma.getdata(table["size"]))[rows], dtype=float)))
    if len(rows) > 1 or "state" not in table.colnames:
        return size
    return ", ".join(filter(None, (size, STATES.get(str(table["state"][rows[0]]), ""))))


def _facts(row: Any) -> list[str]:
    found = []
    for title, columns in FACTS:
        texts = [_fact(name, row[name]) for name in columns if name in row.colnames and _text(row[name])]
        if texts:
            found.append(f"{title}: {', '.join(texts)}")
    return found


def _fact(name: str, value: Any) -> str:
    if name == "path":
        return str(Path(str(value)).parent)
    if name == "calib_level":
        return f"level {value}"
    if name == "t_exptime":
        return f"{float(value):.5g} s"
    if name == "proposal_id":
        return str(value)
    return _text(value)


def _breakable(name: str) -> str:
    """Return a name that may break after its underscores: its label would be wider than the rest, and cut them off."""
    return name.replace("_", f"_{MAY_BREAK}")


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _text(value: Any) -> str:
    return "" if np.ma.is_masked(value) else str(value).strip()


def _words(text: Any) -> list[str]:
    return [word.strip() for word in _text(text).split(",") if word.strip()]

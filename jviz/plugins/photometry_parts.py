"""What the tabs of the Photometry panel are made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from jviz.api import JvizError, NumberBox, WholeBox, literal, photometry_shown
from jviz.plugins.parts import muted, scrolled

__all__ = ["Tab", "flags_of", "number_of", "number_or_text", "quietly"]


class Tab(QWidget):
    """Numbers of one command, what it would give with them, and the button that runs it.

    ``changed`` is emitted when a number is turned. Fields that are as the command has them by default are not
    written into its script line.
    """

    changed = Signal()
    command = ""
    title = ""
    verb = "Run"

    def __init__(self, context: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self.form = QFormLayout()
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._fields: dict[str, tuple[Callable[[], Any], Any]] = {}
        self.note = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self.note.setWordWrap(True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = QPushButton(self.verb)
        self.button.clicked.connect(self.run)
        self.copier = QPushButton("Copy as Python")
        self.copier.setToolTip("Copy the line that does the same in a script or in the console")
        self.copier.clicked.connect(self.copy)
        self.fill()
        self._arrange()

    def fill(self) -> None:
        """Make the fields."""

    def below(self) -> QWidget | None:
        """Return what stands between the fields and the buttons."""
        return None

    def _arrange(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(8, 8, 8, 4)
        column.addLayout(self.form)
        if (below := self.below()) is not None:
            column.addWidget(below, 1)
        column.addWidget(self.note)
        if below is None:
            column.addStretch(1)
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 0, 8, 8)
        foot.addStretch(1)
        foot.addWidget(self.copier)
        foot.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(inside, sideways=False), 1)
        layout.addLayout(foot)

    # --- fields ---------------------------------------------------------------------------------

    def _keep(self, name: str, label: str, widget: QWidget, read: Callable[[], Any], hint: str) -> None:
        widget.setToolTip(hint)
        widget.setAccessibleName(label or name)
        self.form.addRow(label, widget)
        if name:
            self._fields[name] = (read, read())

    def whole(self, name: str, label: str, value: int, low: int, high: int, hint: str, **more: Any) -> WholeBox:
        """Add a whole number."""
        box = WholeBox(minimum=low, maximum=high, value=value, **more)
        box.setKeyboardTracking(False)
        self._keep(name, label, box, box.value, hint)
        box.valueChanged.connect(lambda _: self.changed.emit())
        return box

    def real(self, name: str, label: str, value: float, low: float, high: float, hint: str, **more: Any) -> Any:
        """Add a number."""
        box = NumberBox(minimum=low, maximum=high, decimals=more.pop("decimals", 1), value=value, **more)
        box.setKeyboardTracking(False)
        self._keep(name, label, box, lambda: round(box.value(), box.decimals()), hint)
        box.valueChanged.connect(lambda _: self.changed.emit())
        return box

    def choice(self, name: str, label: str, items: dict[Any, str], hint: str) -> QComboBox:
        """Add a choice of values, each with its words."""
        box = QComboBox()
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(10)
        for value, words in items.items():
            box.addItem(words, value)
        self._keep(name, label, box, box.currentData, hint)
        box.currentIndexChanged.connect(lambda _: self.changed.emit())
        return box

    def switch(self, name: str, words: str, on: bool, hint: str) -> QCheckBox:
        """Add a box to tick."""
        box = QCheckBox(words, checked=on)
        self._keep(name, "", box, box.isChecked, hint)
        box.setAccessibleName(words)
        box.toggled.connect(lambda _: self.changed.emit())
        return box

    def line(self, name: str, label: str, text: str, hint: str, read: Callable[[str], Any], empty: str = "") -> Any:
        """Add a line of text, which ``read`` understands."""
        box = QLineEdit(text, placeholderText=empty)
        box.setMinimumWidth(60)
        self._keep(name, label, box, lambda: read(box.text().strip()), hint)
        box.textChanged.connect(lambda _: self.changed.emit())
        return box

    def zero_point(self) -> QLineEdit:
        """Add the zero point of images whose header has none."""
        return self.line(
            "zero_point", "Zero point", "", "AB magnitude of 1 in the image",
            lambda text: number_of(text, "zero point"), "of the header",
        )  # fmt: skip

    def vega_line(self) -> QLineEdit:
        """Add the difference of AB and Vega magnitudes."""
        hint = "m(AB) − m(Vega): a number, an ABVEGAOFFSET reference file, or a table by name"
        return self.line("vega", "AB − Vega", "", hint, number_or_text, "of the filter")

    def flag_line(self) -> QLineEdit:
        """Add the flags whose pixels are not used."""
        hint = "Pixels with these flags are not used: names or bits, none for all pixels"
        return self.line("exclude_flags", "Leave out flags", "", hint, flags_of, "as in the view")

    def alike(self) -> list[str]:
        """Return the names of other images on the same pixels."""
        shape = self.data.shape[-2:] if self.data is not None else ()
        return [d.name for d in self.session.data
                if d is not self.data and d.kind == "image" and d.shape[-2:] == shape]  # fmt: skip

    def offer(self, box: QComboBox, items: dict[Any, str]) -> None:
        """Put other values into a choice; what was chosen stays while it is there."""
        if [box.itemData(k) for k in range(box.count())] == list(items):
            return
        chosen = box.currentData()
        with QSignalBlocker(box):
            box.clear()
            for value, words in items.items():
                box.addItem(words, value)
            box.setCurrentIndex(max(box.findData(chosen), 0))

    def regions(self, none: str) -> dict[Any, str]:
        """Return the regions of images by name, after a word for none of them."""
        names = [name for name, subset in self.session.subsets.items() if subset.on_images]
        return {None: none} | {name: name for name in names}

    # --- what the command takes -----------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The image of the active view."""
        view = self.context.active_image()
        return view.layer.data if view is not None and view.layer is not None else None

    def options(self) -> dict[str, Any]:
        """Return the arguments that differ from those of the command by default.

        Raises
        ------
        JvizError
            When a line is not understood.
        """
        now = {name: (read(), usual) for name, (read, usual) in self._fields.items()}
        return {name: value for name, (value, usual) in now.items() if value != usual}

    def refresh(self) -> None:
        """Offer what the session has now."""

    def preview(self, view: Any) -> tuple[Callable[..., tuple], Callable[..., None]] | None:
        """Return what works out the preview in a job, and what shows it."""
        return None

    def show_preview(self, preview: Any, text: str) -> None:
        """Draw a preview over its image, and say its numbers; ``None`` takes away what is drawn."""
        if preview is None or preview.data is self.data:
            self.note.setText(text)
            photometry_shown(self.session).show(preview if self.isVisible() else None)

    def meant(self) -> Any:
        """Return the image, or images, that the command is run on."""
        return self.data

    def run(self) -> None:
        """Run the command with these numbers."""
        if self.data is None:
            return
        try:
            options = self.options()
        except JvizError as error:
            self.context.notify("error", str(error))
            return
        self.context.run(self.command, data=self.meant(), **options)

    def copy(self) -> None:
        """Copy the line of Python that runs the command with these numbers."""
        try:
            options = {"data": self.meant()} | self.options()
        except JvizError as error:
            self.context.notify("error", str(error))
            return
        said = ", ".join(f"{name}={literal(value)}" for name, value in options.items())
        QGuiApplication.clipboard().setText(f'session.run("{self.command}", {said})')
        self.context.notify("status", "Copied as Python")


def number_of(text: str, what: str) -> float | None:
    """Return the number in a line, None in an empty one.

    Raises
    ------
    JvizError
        When there is none in it.
    """
    if not text:
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise JvizError(f"{text!r} is no {what}; write a number.") from None


def number_or_text(text: str) -> Any:
    """Return a number, or the text as the name of a file or table; None for an empty line."""
    try:
        return float(text) if text else None
    except ValueError:
        return text


def flags_of(text: str) -> Any:
    """Return names and bits of flags as a list, None for an empty line, ``[]`` for the word none."""
    if not text:
        return None
    if text.lower() == "none":
        return []
    parts = [part.strip() for part in re.split(r"[,;\s]+", text) if part.strip()]
    return [int(part) if part.isdigit() else part.upper() for part in parts]


def quietly(work: Callable[[], tuple], failed: Callable[[str], tuple]) -> Callable[[Any], tuple]:
    """Return a work of a job that turns errors for users into what ``failed`` makes of their text."""
    return partial(_quietly, work, failed)


def _quietly(work: Callable[[], tuple], failed: Callable[[str], tuple], job: Any) -> tuple:
    try:
        return work()
    except (JvizError, OSError) as error:
        return failed(str(error))

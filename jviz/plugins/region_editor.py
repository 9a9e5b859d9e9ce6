"""The form with the numbers of one region."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from jviz.api import CommandError, Subset, to_pixel, to_sky
from jviz.plugins.parts import muted
from jviz.plugins.region_numbers import LENGTHS, fields_of, with_field

__all__ = ["RegionEditor"]


class RegionEditor(QWidget):
    """Shows the numbers of a region in pixels or on the sky, and takes new ones.

    Attributes
    ----------
    edited : Signal
        With the name of the region, its new region, and the image whose pixels it counts (or None).
    refused : Signal
        With the reason why a text was not taken.
    """

    edited = Signal(str, object, object)
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._subset: Subset | None = None
        self._data: Any = None
        self.origin = 0
        self.system = _choice("Coordinates", (("As It Is", "own"), ("Sky", "sky"), ("Pixels", "pixel")))
        self.style_choice = _choice("Style", (("Sexagesimal", "sexagesimal"), ("Degrees", "degrees")))
        self.unit = _choice("Unit of sizes", tuple((unit, unit) for unit in LENGTHS))
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, 0)
        for choice in (self.system, self.style_choice, self.unit):
            choice.currentIndexChanged.connect(lambda *_: self._fill())
            bar.addWidget(choice, 1)
        self.note = muted(QLabel())
        self.note.setWordWrap(True)
        self.fields: dict[str, QLineEdit] = {}
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(bar)
        layout.addLayout(self._form)
        layout.addWidget(self.note)

    def show_region(self, subset: Subset | None, data: Any, several: int = 0) -> None:
        """Show a region with an image to which it can be carried; None: how many are selected."""
        self._subset, self._data = subset, data
        self.note.setText("" if subset is not None else f"{several} regions are selected." if several else "")
        self._fill()

    def region(self) -> Any:
        """Return the region in the coordinates that are chosen."""
        subset, wanted = self._subset, self.system.currentData()
        if subset is not None and subset.kind == "mask":
            return None
        sky = self._sky()
        if subset is None or wanted == "own" or sky is None:
            return subset.region if subset is not None else None
        return to_sky(subset.region, sky) if wanted == "sky" else to_pixel(subset.region, sky)

    def _sky(self) -> Any:
        data = self._subset.data if self._subset is not None and self._subset.data is not None else self._data
        return data.sky if data is not None and getattr(data, "wcs_ready", False) else None

    def _options(self) -> dict[str, Any]:
        return {"origin": self.origin, "unit": self.unit.currentData()}

    def _fill(self) -> None:
        try:
            region = self.region()
        except CommandError as error:
            region = None
            self.note.setText(str(error))
        for choice in (self.system, self.style_choice, self.unit):
            choice.setVisible(self._subset is not None and self._subset.shape not in ("mask", "combined"))
        style = self.style_choice.currentData()
        texts = fields_of(region, style=style, **self._options()) if region is not None else {}
        if list(texts) != list(self.fields):
            self._make_fields(texts)
        for name, (_, text) in texts.items():
            if not self.fields[name].hasFocus() or not self.fields[name].isModified():
                self.fields[name].setText(text)
                self.fields[name].setCursorPosition(0)
        if self._subset is not None and not texts and not self.note.text():
            count = f"mask of {int(self._subset.region.sum())} pixels" if self._subset.kind == "mask" else ""
            self.note.setText(f"A {count or 'combined region'} has no numbers of its own.")
        locked = self._subset is not None and self._subset.locked
        for field in self.fields.values():
            field.setReadOnly(locked)

    def _make_fields(self, texts: dict[str, tuple[str, str]]) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)
        self.fields = {}
        for name, (title, _) in texts.items():
            field = QLineEdit()
            field.setAccessibleName(title)
            field.editingFinished.connect(lambda name=name: self._edited(name))
            self._form.addRow(title, field)
            self.fields[name] = field

    def _edited(self, name: str) -> None:
        field = self.fields[name]
        if not field.isModified() or self._subset is None:
            return
        field.setModified(False)
        try:
            region = with_field(self.region(), name, field.text(), **self._options())
            self._hand_on(region)
        except CommandError as error:
            self.refused.emit(str(error))
            self._fill()

    def _hand_on(self, region: Any) -> None:
        """Give the region back in the coordinates that it has."""
        subset, sky = self._subset, self._sky()
        if sky is not None and self.system.currentData() != "own":
            region = to_sky(region, sky) if subset.kind == "sky" else to_pixel(region, sky)
        self.edited.emit(subset.name, region, subset.data)


def _choice(name: str, entries: tuple[tuple[str, str], ...]) -> QComboBox:
    choice = QComboBox()
    choice.setAccessibleName(name)
    choice.setToolTip(name)
    for title, value in entries:
        choice.addItem(title, value)
    return choice

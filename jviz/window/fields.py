"""Fields for values of every kind that commands and settings take."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QWidget,
)

from jviz.data import Data
from jviz.errors import CommandError
from jviz.viewers.number_boxes import WholeBox
from jviz.views import View

__all__ = ["SECRET", "Field", "field_for", "shown_name"]

SECRET = ("token", "password")
"""Names of texts that are neither shown nor said."""

LARGEST = 2**31 - 1
NOTHING = "—"


class Field(QWidget):
    """A widget for one value.

    Attributes
    ----------
    changed : Signal
        The user changed the value.
    """

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)

    def _hold(self, *widgets: QWidget) -> None:
        for number, widget in enumerate(widgets):
            self._row.addWidget(widget, 0 if number else 1)
            widget.setAccessibleName(widget.accessibleName() or shown_name(self.name))
        self.setFocusProxy(widgets[0])

    def value(self) -> Any:
        """Return what is entered, in the type of the parameter.

        Raises
        ------
        CommandError
            When it cannot be that.
        """
        raise NotImplementedError

    def _made(self, read: Callable[[str], Any], text: str) -> Any:
        """Make the value of a text, or say what it should be."""
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError):
            raise CommandError(f"{shown_name(self.name)} cannot be {text!r}; {_wanted(read)}.") from None

    def set_value(self, value: Any) -> None:
        """Show a value."""
        raise NotImplementedError

    def set_wrong(self, wrong: bool) -> None:
        """Mark the field as the one that is at fault, or not."""
        target = self.focusProxy()
        if target is not None and bool(target.property("wrong")) != wrong:
            target.setProperty("wrong", wrong)
            target.style().unpolish(target)
            target.style().polish(target)


class TextField(Field):
    """Text, or anything that is written as text: ``read`` makes the value, ``show`` the text."""

    def __init__(
        self, name: str, read: Callable[[str], Any] = str, show: Callable[[Any], str] = str, *,
        optional: bool = False, hint: str = "",
    ) -> None:  # fmt: skip
        super().__init__(name)
        self._read, self._show, self._optional = read, show, optional
        self.edit = QLineEdit(placeholderText=hint or ("may be left empty" if optional else ""))
        self.edit.textChanged.connect(lambda: self.changed.emit())
        self._hold(self.edit)

    def value(self) -> Any:
        text = self.edit.text().strip()
        return None if not text and self._optional else self._made(self._read, text)

    def set_value(self, value: Any) -> None:
        self.edit.setText("" if value is None else self._show(value))


class SecretField(TextField):
    """A text that nobody who looks on may read."""

    def __init__(self, name: str, *, optional: bool = False) -> None:
        super().__init__(name, optional=optional)
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)


class PathField(TextField):
    """A path with a button that opens a dialog of files, or of folders where it is called one."""

    def __init__(self, name: str, *, optional: bool = False) -> None:
        self._what = "folder" if name == "folder" else "file"
        super().__init__(name, _path, optional=optional, hint=f"Path of the {self._what}")
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.setAccessibleName(f"Browse for {shown_name(name).lower()}")
        browse.clicked.connect(self._browse)
        self._hold(self.edit, browse)

    def _browse(self) -> None:
        dialog = QFileDialog(self.window(), f"Choose {shown_name(self.name)}", self.edit.text())
        if self._what == "folder":
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        else:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(self.edit.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class NumberField(Field):
    """A whole number with arrows."""

    def __init__(self, name: str, low: float | None = None, high: float | None = None) -> None:
        super().__init__(name)
        self.spin = WholeBox()
        self.spin.setRange(int(-LARGEST if low is None else low), int(LARGEST if high is None else high))
        self.spin.valueChanged.connect(lambda: self.changed.emit())
        self._hold(self.spin)

    def value(self) -> int:
        return self.spin.value()

    def set_value(self, value: Any) -> None:
        self.spin.setValue(0 if value is None else int(value))


class SwitchField(Field):
    """A tick box."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.box = QCheckBox("Yes")
        self.box.toggled.connect(lambda on: self.changed.emit())
        self._hold(self.box)

    def value(self) -> bool:
        return self.box.isChecked()

    def set_value(self, value: Any) -> None:
        self.box.setChecked(bool(value))


class ChoiceField(Field):
    """One of some values, shown by name; editable lists take others too, as ``read`` makes them of the text."""

    def __init__(
        self,
        name: str,
        choices: Iterable[tuple[str, Any]],
        *,
        editable: bool = False,
        read: Callable[[str], Any] = str,
    ) -> None:
        super().__init__(name)
        self._read = read
        self.combo = QComboBox()
        self.combo.setEditable(editable)
        for text, value in choices:
            self.combo.addItem(text, value)
        self.combo.currentTextChanged.connect(lambda: self.changed.emit())
        self._hold(self.combo)

    def value(self) -> Any:
        at = self.combo.findText(self.combo.currentText())
        if at >= 0:
            return self.combo.itemData(at)
        if self.combo.isEditable():
            return self._made(self._read, self.combo.currentText())
        raise CommandError(f"There is nothing to choose for {shown_name(self.name)}; open a fitting file first.")

    def set_value(self, value: Any) -> None:
        for at in range(self.combo.count()):
            if self.combo.itemData(at) is value or self.combo.itemData(at) == value:
                self.combo.setCurrentIndex(at)
                return
        if self.combo.isEditable():
            self.combo.setEditText("" if value is None else str(value))


# --- which field for which type -------------------------------------------------------------------


class RangeField(ChoiceField):
    """A range along the spectral axis: one that is drawn, by its name, or a text that says it."""

    def __init__(self, name: str, drawn: Iterable[str], *, optional: bool = False) -> None:
        super().__init__(name, [(one, one) for one in drawn], editable=True, read=_anything)
        self._optional = optional
        words = ["5.0 to 5.1 um", *["a name"] * bool(self.combo.count()), *["empty"] * optional]
        self.combo.lineEdit().setPlaceholderText(" or ".join(words))
        if optional:
            self.combo.setCurrentIndex(-1)

    def value(self) -> Any:
        return None if self._optional and not self.combo.currentText().strip() else super().value()


class PickField(Field):
    """Any number of things of the session, each with a box."""

    def __init__(self, name: str, things: Iterable[Any]) -> None:
        super().__init__(name)
        self._list = QListWidget()
        for thing in things:
            item = QListWidgetItem(thing.name, self._list)
            item.setData(Qt.ItemDataRole.UserRole, thing)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
        rows = min(max(self._list.count(), 2), 6)
        self._list.setFixedHeight(rows * max(self._list.sizeHintForRow(0), 18) + 6)
        self._list.itemChanged.connect(lambda _: self.changed.emit())
        self._hold(self._list)

    def value(self) -> list[Any]:
        items = [self._list.item(row) for row in range(self._list.count())]
        checked = [item for item in items if item.checkState() == Qt.CheckState.Checked]
        return [item.data(Qt.ItemDataRole.UserRole) for item in checked]

    def set_value(self, value: Any) -> None:
        wanted = value if isinstance(value, list | tuple) else [] if value is None else [value]
        for row in range(self._list.count()):
            item = self._list.item(row)
            chosen = item.data(Qt.ItemDataRole.UserRole) in wanted
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)


def field_for(
    name: str, annotation: Any, session: Any, *, low: float | None = None, high: float | None = None,
    optional: bool = False,
) -> Field:  # fmt: skip
    """Return the field for a parameter of this type; what is not known is entered as a Python literal, or as words.

    ``optional`` fields may be left empty, as those whose type has None may.
    """
    kinds = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    optional = optional or type(None) in kinds
    kinds = tuple(k for k in kinds if k is not type(None))
    choices = [c for k in kinds if get_origin(k) is Literal for c in get_args(k)]
    if choices:
        listed = [(NOTHING, None)] * optional + [(str(c), c) for c in choices]
        return ChoiceField(name, listed, editable=len(kinds) > 1)
    kind = kinds[0] if len(kinds) == 1 else Any
    if known := _named_choices(name, session):
        return ChoiceField(name, known, editable=True)
    if kind is str and name == "region":
        return ChoiceField(name, [(NOTHING, ""), *_drawn(session)], editable=True)
    if kind is Any and name in RANGES:
        drawn = [one.name for one in session.subsets.values() if one.kind == "spectral"]
        return RangeField(name, drawn[::-1], optional=optional)
    if kind is Any and name in REGIONS and (drawn := _drawn(session)):
        return ChoiceField(name, [(NOTHING, None)] * optional + drawn, editable=True, read=_anything)
    if all(isinstance(k, type) and issubclass(k, Data | View) for k in kinds):
        return ChoiceField(name, _objects(kinds, session, optional=optional))
    inner = get_args(kind)[0] if get_origin(kind) is list and get_args(kind) else None
    if isinstance(inner, type) and issubclass(inner, Data):
        return PickField(name, [data for data in session.data if isinstance(data, inner)])
    if set(kinds) == {str, list[str]}:
        hint = "" if optional else "names, with commas"
        return TextField(name, _word_or_words, _words_text, optional=optional, hint=hint)
    if inner is str:
        return TextField(name, _words, ", ".join, optional=optional, hint="" if optional else "words, with commas")
    if kind is bool:
        return ChoiceField(name, [("switch", None), ("on", True), ("off", False)]) if optional else SwitchField(name)
    if kind is int and not optional:
        return NumberField(name, low, high)
    if isinstance(kind, type) and issubclass(kind, Path):
        return PathField(name, optional=optional)
    if kind is Any and {str, Any} & set(kinds):
        hint = "" if optional or name not in REGIONS else "(x, y), (x, y), … or draw it first"
        return TextField(name, _anything, _anything_text, optional=optional, hint=hint)
    return _text_field(name, kind, optional)


def _text_field(name: str, kind: Any, optional: bool) -> TextField:
    if kind is str:
        return (SecretField if name in SECRET else TextField)(name, optional=optional)
    if kind in (float, int):
        return TextField(name, kind, _number_text, optional=optional, hint="" if optional else "a number")
    if get_origin(kind) is tuple or kind is tuple:
        hint = "words, with commas" if str in get_args(kind) else "numbers, with commas"
        return TextField(name, _tuple_of(get_args(kind)), _tuple_text, optional=optional, hint=hint)
    return TextField(name, _literal, repr, optional=optional)


def _named_choices(name: str, session: Any) -> list[tuple[str, Any]]:
    """Return names that a text parameter of this name can take, when jviz knows them."""
    if name == "colormap":
        from jviz.backend.render.colormaps import names

        return [(n, n) for n in names()]
    if name == "plane":
        views = [view for view in session.views.values() if view.data is not None]
        return [("first", "")] + [(n, n) for n in (views[-1].data.planes if views else ())]
    if name == "column":
        tables = [view.data for view in session.views.values() if getattr(view.data, "is_read", False)]
        return [(n, n) for n in (tables[-1].columns if tables else ())]
    if name == "kind":
        from jviz.views import view_kinds

        return [(kind, kind) for kind in view_kinds()]
    return []


REGIONS = ("path", "region", "background")
"""Parameters that take what is drawn, by its name."""
RANGES = ("spectral", "side_bands", "exclude")
"""Parameters that take ranges along the spectral axis, drawn or written."""
MOST_REGIONS = 200
"""Of those that a form lists."""


def _drawn(session: Any) -> list[tuple[str, Any]]:
    """Return the names of regions, the newest first."""
    drawn = [one.name for one in session.subsets.values() if one.on_images]
    return [(name, name) for name in drawn[: -MOST_REGIONS - 1 : -1]]


def _objects(kinds: tuple[type, ...], session: Any, *, optional: bool) -> list[tuple[str, Any]]:
    things = session.data if issubclass(kinds[0], Data) else session.views.values()
    return [(NOTHING, None)] * optional + [(thing.name, thing) for thing in things if isinstance(thing, kinds)]


def _path(text: str) -> Path:
    if not text:
        raise ValueError
    return Path(text).expanduser()


def _words(text: str) -> list[str]:
    words = [word.strip(" '\"") for word in text.strip("[]() ").split(",")]
    if not any(words):
        raise ValueError
    return [word for word in words if word]


def _word_or_words(text: str) -> str | list[str]:
    words = _words(text)
    return words[0] if len(words) == 1 else words


def _words_text(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _literal(text: str) -> Any:
    return ast.literal_eval(text)


def _anything(text: str) -> Any:
    """Take a Python literal as what it is, and words as a text: ``(9, 14)``, ``5``, ``0.3 arcsec``, ``Circle 1``."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        if text[:1] in ("", *"([{'\""):
            raise
        return text


def _anything_text(value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) == 1 and isinstance(value[0], str):
        return _anything_text(value[0])  # ("DO_NOT_USE",) is meant by the word alone, too
    if not isinstance(value, str):
        return getattr(value, "name", None) or repr(value)
    try:
        same = _anything(value) == value
    except (ValueError, SyntaxError):
        same = False
    return value if same else repr(value)


def _tuple_of(kinds: tuple[Any, ...]) -> Callable[[str], tuple[Any, ...]]:
    first = next((k for k in kinds if k in (int, float)), float)
    count = len(kinds) if kinds and Ellipsis not in kinds else None

    if kinds and kinds[0] is str:
        first = str

    def read(text: str) -> tuple[Any, ...]:
        parts = text.strip("()[] ").replace(",", " ").split()
        if count is not None and (not parts or len(parts) != count):
            raise ValueError
        return tuple(first(part) for part in parts)

    what = "words, such as a, b" if first is str else f"numbers, such as {', '.join('1234'[: count or 3])}"
    read.wanted = f"it takes {count or 'some'} {what}"
    return read


def _tuple_text(value: Any) -> str:
    return ", ".join(_number_text(v) if isinstance(v, int | float) else str(v) for v in value)


def _number_text(value: float) -> str:
    return repr(value) if not isinstance(value, float) or not value.is_integer() else f"{value:g}"


def _wanted(read: Callable[[str], Any]) -> str:
    usual = {float: "it takes a number", int: "it takes a whole number", _path: "it takes the path of a file"}
    return getattr(read, "wanted", usual.get(read, "it takes a Python value such as 3, 'text' or (1, 2)"))


_SPELT = {
    "snr": "S/N", "psf": "PSF", "fwhm": "FWHM", "adql": "ADQL", "dpi": "DPI", "hdu": "HDU", "url": "URL", "rms": "RMS",
    "pa": "PA", "v3": "V3", "asn": "association", "npixels": "number of pixels", "colormap": "colour map",
    "colormaps": "colour maps", "readnoise": "read noise", "dx": "Δx", "dy": "Δy",
}  # fmt: skip
"""Words in names of parameters that people write in another way."""


def shown_name(name: str) -> str:
    """Turn the name of a parameter into words: ``minimum_snr`` becomes "Minimum S/N"."""
    text = " ".join(_SPELT.get(word, word) for word in name.split("_"))
    return text[:1].upper() + text[1:] if text[:1].isascii() else text

"""The form of a search: what is asked, as the arguments of archive.search and as a line of Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from jviz.api import CommandError, literal, separation

__all__ = ["Question", "alternatives", "conditions", "field_of"]

COLLECTIONS = (
    ("MAST", "mast"), ("MAST JWST form", "mast-jwst"), ("This machine", "library"), ("ESA JWST", "esa-jwst"),
    ("CADC", "cadc"), ("IRSA", "irsa"), ("ALMA", "alma"), ("ESO", "eso"), ("CADC images", "cadc-sia"),
    ("IRSA images", "irsa-sia"), ("ESO spectra", "eso-ssa"), ("Gaia DR2 (MAST)", "mast-gaia"),
    ("Hubble Source Catalog", "mast-hsc"), ("Pan-STARRS DR2", "mast-panstarrs"), ("TESS Input Catalog", "mast-tic"),
)  # fmt: skip
LEVELS = ("any", "1", "2", "3", "4")
MOVING = (("any", None), ("fixed", False), ("moving", True))
RESOLVERS = (("automatic", "auto"), ("offline", "offline"), ("Sesame (CDS)", "sesame"), ("MAST", "mast"))
FIELDS = (
    ("instrument", "Instrument", "NIRCAM, MIRI"), ("filter", "Filter", "F200W"), ("program", "Program", "1345"),
    ("pi", "Investigator", "Finkelstein"), ("date", "Date", "2024-01-01..2024-12-31"),
)  # fmt: skip


class Question(QWidget):
    """Fields of a search; ``asked`` is emitted when Return is pressed in one of them."""

    asked = Signal()
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.collection = QComboBox()
        self.collection.setEditable(True)
        # As wide as the fields below, and not as its longest name.
        self.collection.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.collection.setMinimumContentsLength(10)
        self.collection.lineEdit().setPlaceholderText("https://… of a TAP service")
        self.list_collections({})
        self.target = QLineEdit(placeholderText="NGC 1365, or a position", clearButtonEnabled=True)
        self.radius = QLineEdit("3 arcmin")
        self.level = QComboBox()
        self.level.addItems(LEVELS)
        self.moving, self.resolver = QComboBox(), QComboBox()
        for box, choices in ((self.moving, MOVING), (self.resolver, RESOLVERS)):
            for text, value in choices:
                box.addItem(text, value)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
        self.fields = {name: QLineEdit(placeholderText=hint, clearButtonEnabled=True) for name, _, hint in FIELDS}
        self.more = QLineEdit(placeholderText="exposure_time=100..5000", clearButtonEnabled=True)
        self.place, self.archive, self.others = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        self._arrange()

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(10, 8, 10, 4)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for row, widget in ((self.place, self.target), (self.archive, self.collection), (self.others, self.more)):
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(2)
            row.addWidget(widget, 1)
        form.addRow("Archive", self.archive)
        form.addRow("Target", self.place)
        form.addRow("Names", self.resolver)
        form.addRow("Radius", self.radius)
        for name, title, _ in FIELDS:
            form.addRow(title, self.fields[name])
        form.addRow("Level", self.level)
        form.addRow("Motion", self.moving)
        self.resolver.setToolTip(
            "Who says where a target is: jviz's list and earlier answers, then a server; nobody else; or one server. "
            "Names with a position in them need nobody"
        )
        self.moving.setToolTip("Moving targets are those of the solar system (MAST alone tells)")
        form.addRow("More", self.others)
        self.more.setToolTip(
            "Further columns and what they must be, parted by spaces: title=deep*  t_exptime=100..5000"
        )
        self.target.setToolTip("A name or a position; several with ; or as lines; @ and a file or a catalogue of them; "
                               "or an outline: POLYGON 53.1 -27.8 53.2 -27.8 53.2 -27.7")  # fmt: skip
        for widget, name in ((self.collection, "Archive"), (self.target, "Target or position"),
                             (self.radius, "Radius"), (self.level, "Calibration level"),
                             (self.more, "Further conditions"), (self.resolver, "Resolver of names"),
                             (self.moving, "Fixed or moving targets"),
                             *((self.fields[name], title) for name, title, _ in FIELDS)):  # fmt: skip
            widget.setAccessibleName(name)
            if isinstance(widget, QLineEdit):
                widget.returnPressed.connect(self.asked)
                widget.textChanged.connect(self.changed)
            else:
                widget.currentTextChanged.connect(self.changed)

    def list_collections(self, own: Mapping[str, Any]) -> None:
        """List the archives, those that the user keeps after MAST and this machine; what stands in the box stays."""
        text = self.collection.currentText()
        self.collection.clear()
        kept = [(one.title, one.name) for one in own.values() if one.kind != "tap" or one.obscore]
        for title, name in (*COLLECTIONS[:3], *kept, *COLLECTIONS[3:]):
            self.collection.addItem(title, name)
        if text:
            self.collection.setCurrentText(text)

    def name(self) -> str:
        """Return the name of the archive, or its address."""
        text = self.collection.currentText().strip()
        named = self.collection.findText(text)
        return self.collection.itemData(named) if named >= 0 else text or "mast"

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of archive.search.

        Raises
        ------
        CommandError
            When the further conditions are not understood.
        """
        found: dict[str, Any] = {"collection": self.name()}
        if self.target.text().strip():
            found |= _places(self.target.text().strip())
            if "outline" not in found:
                found["radius"] = self.radius.text().strip() or "3 arcmin"
            if self.resolver.currentIndex():
                found["resolver"] = self.resolver.currentData()
        for name, field in self.fields.items():
            if field.text().strip():
                found[name] = alternatives(field.text())
        if self.level.currentIndex():
            found["level"] = int(self.level.currentText())
        if self.moving.currentIndex():
            found["moving_target"] = self.moving.currentData()
        return found | conditions(self.more.text())

    def python(self) -> str:
        """Return the search as a line of Python."""
        words = [f"{name}={literal(value)}" for name, value in self.arguments().items()]
        return f"session.run('archive.search', {', '.join(words)})"


def field_of(sky: Any, shape: tuple[int, int]) -> tuple[float, float, float] | None:
    """Return RA, Dec and radius in degrees of the circle round an image; None when its corner is not on the sky."""
    height, width = shape
    x, y = (width - 1) / 2, (height - 1) / 2
    lon, lat = (np.asarray(v, float) for v in sky.pixel_to_sky(np.array([x, -0.5]), np.array([y, -0.5])))
    if not np.isfinite([lon, lat]).all():
        return None
    return float(lon[0]), float(lat[0]), float(separation(lon[0], lat[0], lon[1], lat[1]))


def _places(text: str) -> dict[str, Any]:
    """Read one target, several with semicolons or ends of lines between, or ``@`` and a file or catalogue of them."""
    if text.startswith("@"):
        return {"targets": text[1:].strip()}
    if text.upper().startswith(("POLYGON ", "CIRCLE ")):
        return {"outline": text}
    several = [part.strip() for part in re.split(r"[;\n\r\u2028\u2029]", text) if part.strip()]
    return {"targets": several} if len(several) > 1 else {"target": text}


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
    several = alternatives(text)
    return _number(several) if isinstance(several, str) and _number(several) is not None else several


def alternatives(text: str) -> str | list[str]:
    """Read words with commas between: several, one, or "" for none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return parts if len(parts) > 1 else parts[0] if parts else ""


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None

"""The panel that lays fields of view of telescopes on the sky."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from jviz.api import Aperture, ImageView, NumberBox, aperture_on_sky, apertures
from jviz.plugins.parts import Panel, muted, tool_button

__all__ = ["FootprintsPanel"]


class FootprintsPanel(Panel):
    """Fields of view of JWST, HST and Roman, laid on the sky by position and angle.

    Choose an aperture, where its reference point lies, and the position angle of its y axis (or of the
    telescope's V3). Each footprint is a group of regions. Choose one in the list to move it to other
    numbers, to turn it by steps, or to remove it.
    """

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.instrument, self.aperture = QComboBox(), QComboBox()
        self.position = QLineEdit(placeholderText="middle of the view", clearButtonEnabled=True)
        self.angle = NumberBox(minimum=-360, maximum=360, decimals=3, wrapping=True, suffix=" °")
        self.of_v3 = QCheckBox("of V3")
        self.preview = Preview()
        self.placed = QListWidget()
        self.place_button, self.move_button = QPushButton("Place"), QPushButton("Move Here")
        self._pointed: tuple[Any, float, float] | None = None
        self._fill()
        self._arrange()
        self._connect()
        self._choose_instrument()

    def _fill(self) -> None:
        for (telescope, instrument), _ in by_instrument().items():
            self.instrument.addItem(f"{telescope} {instrument}", (telescope, instrument))
        for widget, name in (
            (self.instrument, "Telescope and instrument"), (self.aperture, "Aperture"), (self.position, "Position"),
            (self.angle, "Position angle"), (self.placed, "Footprints in this session"),
        ):  # fmt: skip
            widget.setAccessibleName(name)
        self.aperture.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.of_v3.setToolTip("The angle is that of the telescope's V3 axis, as of roll angles in schedules")
        self.position.setToolTip("RA and Dec in any usual form, or the name of an object")

    def _arrange(self) -> None:
        button = partial(tool_button, self.context)
        place, angle, buttons, tools = (QHBoxLayout() for _ in range(4))
        place.addWidget(self.position, 1)
        place.addWidget(button("fa6s.crosshairs", "Take the position last pointed at", self.take_cursor))
        angle.addWidget(self.angle, 1)
        angle.addWidget(self.of_v3)
        form = QFormLayout()
        form.setContentsMargins(10, 8, 10, 4)
        form.addRow("Instrument", self.instrument)
        form.addRow("Aperture", self.aperture)
        form.addRow("Position", place)
        form.addRow("Angle", angle)
        buttons.setContentsMargins(10, 2, 10, 6)
        buttons.addWidget(self.place_button)
        buttons.addWidget(self.move_button)
        buttons.addStretch(1)
        tools.setContentsMargins(10, 2, 6, 2)
        tools.addWidget(muted(QLabel("In this session")), 1)
        tools.addWidget(button("fa6s.rotate-left", "Turn by 1° through east", partial(self.turn, 1.0)))
        tools.addWidget(button("fa6s.rotate-right", "Turn by 1° through west", partial(self.turn, -1.0)))
        tools.addWidget(button("fa6s.trash", "Remove", self.remove))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(form)
        layout.addWidget(self.preview, 2)
        layout.addLayout(buttons)
        layout.addLayout(tools)
        layout.addWidget(self.placed, 1)
        self.placed.setFrameShape(QListWidget.Shape.NoFrame)

    def _connect(self) -> None:
        self.instrument.currentIndexChanged.connect(self._choose_instrument)
        self.aperture.currentIndexChanged.connect(self._show_preview)
        self.angle.valueChanged.connect(self._show_preview)
        self.of_v3.toggled.connect(self._show_preview)
        self.place_button.clicked.connect(lambda: self.place(""))
        self.move_button.clicked.connect(lambda: self.place(self.group))
        self.position.returnPressed.connect(lambda: self.place(self.group))
        self.placed.currentTextChanged.connect(self._choose_placed)
        self.context.cursor_changed.connect(self._note_cursor)
        self.links.signal(self.session.subsets_changed, self.later)

    # --- what is shown --------------------------------------------------------------------------

    @property
    def group(self) -> str:
        """Name of the chosen footprint, ``""`` for none."""
        item = self.placed.currentItem()
        return item.text() if item is not None else ""

    def refresh(self) -> None:
        groups = [g for g in dict.fromkeys(s.group for s in self.session.subsets.values()) if g]
        if groups != [self.placed.item(n).text() for n in range(self.placed.count())]:
            before = self.group
            self.placed.blockSignals(True)
            self.placed.clear()
            self.placed.addItems(groups)
            if before in groups:
                self.placed.setCurrentRow(groups.index(before))
            self.placed.blockSignals(False)
        self.move_button.setEnabled(bool(self.group))

    def chosen(self) -> Aperture | None:
        """Return the chosen aperture."""
        return apertures().get(self.aperture.currentData())

    def _choose_instrument(self) -> None:
        self.aperture.blockSignals(True)
        self.aperture.clear()
        for aperture in by_instrument()[tuple(self.instrument.currentData())]:
            self.aperture.addItem(f"{aperture.title}  ({aperture.name})", aperture.name)
        self.aperture.blockSignals(False)
        self._show_preview()

    def _choose_placed(self, group: str) -> None:
        """Show the aperture of a footprint, to be placed elsewhere, and select its regions for the mouse."""
        self.move_button.setEnabled(bool(group))
        members = [name for name, subset in self.session.subsets.items() if group and subset.group == group]
        self.session.interaction.select(members)
        aperture = apertures().get(group.partition(" (")[0])
        if aperture is not None:
            self.instrument.setCurrentText(f"{aperture.telescope} {aperture.instrument}")
            self.aperture.setCurrentIndex(self.aperture.findData(aperture.name))

    def _show_preview(self) -> None:
        aperture = self.chosen()
        if aperture is not None:
            # A place on the equator, where RA and Dec are a plane.
            outlines = aperture_on_sky(aperture, 180.0, 0.0, self.angle.value(), of_v3=self.of_v3.isChecked())
            self.preview.show_outlines([3600 * (outline - (180.0, 0.0)) for outline in outlines])

    # --- what the user does ---------------------------------------------------------------------

    def _note_cursor(self) -> None:
        if self.context.cursor is not None:
            self._pointed = self.context.cursor

    def take_cursor(self) -> None:
        """Write the sky position where the mouse was last over an image."""
        view, x, y = self._pointed or (None, 0, 0)
        sky = view.layers[0].data.sky if isinstance(view, ImageView) and view.layers else None
        if sky is None:
            self.context.notify("warning", "Point at an image with sky coordinates first.")
            return
        ra, dec = (float(np.ravel(v)[0]) for v in sky.pixel_to_sky(x, y))
        self.position.setText(f"{ra:.6f} {dec:+.6f}")

    def place(self, group: str) -> None:
        """Place the chosen aperture: a new footprint, or in place of a group."""
        aperture = self.chosen()
        values: dict[str, Any] = {"pa": self.angle.value(), "of_v3": self.of_v3.isChecked()}
        if self.position.text().strip():
            values["position"] = self.position.text().strip()
        elif (view := self.context.active_image()) is not None:
            values["view"] = view
        if group:
            values["name"] = group
        self.context.run("footprint.place", aperture=aperture.name, **values)

    def turn(self, degrees: float) -> None:
        """Turn the chosen footprint about its middle."""
        if self.group:
            self.context.run("footprint.move", group=self.group, turn=degrees)

    def remove(self) -> None:
        """Remove the chosen footprint."""
        if self.group:
            self.context.run("footprint.remove", group=self.group)


def by_instrument() -> dict[tuple[str, str], list[Aperture]]:
    """Return the apertures in the order of the table by telescope and instrument."""
    found: dict[tuple[str, str], list[Aperture]] = {}
    for aperture in apertures().values():
        found.setdefault((aperture.telescope, aperture.instrument), []).append(aperture)
    return found


class Preview(QWidget):
    """Outlines on the sky about a reference point: north up, east left, with their size."""

    def __init__(self) -> None:
        super().__init__()
        self._outlines: list[np.ndarray] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Preview of the footprint")

    def sizeHint(self) -> QSize:
        return QSize(260, 190)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 110)

    def show_outlines(self, outlines: list[np.ndarray]) -> None:
        """Show outlines in arcsec to the east and north, shape (n, 2)."""
        self._outlines = outlines
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._outlines:
            return
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        points = np.concatenate([*self._outlines, np.zeros((1, 2))])
        low, high = points.min(0), points.max(0)
        line = self.fontMetrics().height()
        room = min((self.width() - 5 * line) / (high[0] - low[0]), (self.height() - 3.2 * line) / (high[1] - low[1]))
        middle, palette = (low + high) / 2, self.palette()

        def at(east: float, north: float) -> QPointF:
            return QPointF(
                self.width() / 2 - (east - middle[0]) * room, self.height() / 2 - line / 2 - (north - middle[1]) * room
            )

        accent = palette.color(QPalette.ColorRole.Accent)
        painter.setPen(QPen(accent, 1.5))
        painter.setBrush(QColor(accent.red(), accent.green(), accent.blue(), 46))
        for outline in self._outlines:
            painter.drawPolygon(QPolygonF([at(*point) for point in outline]))
        text = palette.color(QPalette.ColorRole.Text)
        painter.setPen(QPen(text, 1.2))
        zero = at(0, 0)
        painter.drawLine(zero - QPointF(5, 0), zero + QPointF(5, 0))
        painter.drawLine(zero - QPointF(0, 5), zero + QPointF(0, 5))
        size = f"{_angle(high[0] - low[0])} × {_angle(high[1] - low[1])}"
        painter.drawText(
            self.rect().adjusted(0, 0, 0, -3), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, size
        )
        painter.drawText(
            self.rect().adjusted(0, 1, 0, 0), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, "N"
        )
        painter.drawText(
            self.rect().adjusted(9, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "E"
        )


def _angle(arcsec: float) -> str:
    return f"{arcsec:.2f}″" if arcsec < 10 else f"{arcsec:.1f}″" if arcsec < 100 else f"{arcsec / 60:.2f}′"

"""The panel of cuts and profiles at the cursor."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout

from jviz.api import CurvePicture, JvizError, curves_at, panel
from jviz.plugins.parts import Panel, muted, tool_button

KINDS = {"cuts": "Row and column", "radial": "Radial profile", "growth": "Curve of growth"}


@panel("profiles", title="Profiles", place="right", icon="fa6s.chart-area", shortcut="Ctrl+Shift+I")
class ProfilesPanel(Panel):
    """Cuts along row and column, or a radial profile or a curve of growth, at the cursor while it moves.

    Hold keeps what is shown; the button measures at the same place as a command, whose profile opens in a viewer.
    """

    empty_text = "Move the mouse over an image to see its profiles here."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.kind = QComboBox()
        for key, text in KINDS.items():
            self.kind.addItem(text, key)
        self.kind.setAccessibleName("What is measured")
        self.reach = QSpinBox(minimum=3, maximum=5000, value=30, suffix=" pix")
        self.reach.setAccessibleName("Half the length of cuts, or the largest radius")
        self.hold = QCheckBox("Hold")
        self.keep = tool_button(context, "fa6s.up-right-from-square", "Open in a viewer", self.open_in_viewer)
        self.picture = CurvePicture()
        self.picture.setAccessibleName("Profiles at the cursor")
        self.note = muted(QLabel())
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = QHBoxLayout()
        for widget in (self.kind, self.reach, self.hold):
            head.addWidget(widget)
        head.addStretch()
        head.addWidget(self.keep)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(head)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.note)
        self._at: tuple[Any, float, float] | None = None
        self._busy = self._wanted = False
        context.cursor_changed.connect(self._moved)
        self.kind.currentIndexChanged.connect(self._measure)
        self.reach.valueChanged.connect(self._measure)

    def is_empty(self) -> bool:
        return self._at is None or self._at[0].layer is None

    def _moved(self) -> None:
        cursor = self.context.cursor
        if cursor is None or self.hold.isChecked() or not self.isVisible():
            return
        self._at = cursor
        self.show_empty(self.is_empty())
        self._measure()

    def _measure(self, *_: Any) -> None:
        """Measure in a job; while one is under way, only the newest place is kept."""
        if self.is_empty():
            return
        if self._busy:
            self._wanted = True
            return
        self._busy, self._wanted = True, False
        (view, x, y), what, reach = self._at, self.kind.currentData(), float(self.reach.value())
        layer = view.layer
        plane, index = layer.plane, layer.index

        def work(job: Any) -> None:
            try:
                found = curves_at(layer.data, plane, index, x, y, what, reach=reach)
            except (JvizError, OSError) as error:
                found = {}, str(error)
            self.session.dispatcher.call(lambda: self._show(*found, x, y))

        self.session.jobs.submit("Profiles at the cursor", work, quiet=True)

    def _show(self, curves: dict[str, Any], text: str, x: float, y: float) -> None:
        if self.links.ended:
            return
        self._busy = False
        self.picture.show_curves(curves, {"Gaussian": "line"})
        self.note.setText(f"at ({x:.1f}, {y:.1f})   {text}")
        if self._wanted:
            self._measure()

    def open_in_viewer(self) -> None:
        """Measure at the same place by a command: a profile of the session, in a viewer, in the script."""
        if self.is_empty():
            return
        (view, x, y), reach = self._at, float(self.reach.value())
        what, data = self.kind.currentData(), view.layer.data
        if what == "cuts":
            self.context.run("image.line_cut", data=data, path=[(x - reach, y), (x + reach, y)])
        else:
            id = "image.radial_profile" if what == "radial" else "image.growth_curve"
            self.context.run(id, data=data, center=(x, y), r_max=reach)

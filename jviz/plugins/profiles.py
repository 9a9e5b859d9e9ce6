"""The panel of cuts and profiles at the cursor, and along lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout

from jviz.api import CurvePicture, JvizError, WholeBox, corners_of, curves_along, curves_at, place_in
from jviz.plugins.parts import Newest, Panel, muted, tool_button

KINDS = {"cuts": "Row and column", "radial": "Radial profile", "growth": "Curve of growth", "line": "Along a line"}

LINES = ("Line", "Polyline", "Polygon")
"""Beginnings of the names of regions that a cut can follow."""


NO_LINE = "Drag a line with the tool Line Cut (C), or select a line or path that is there."


class Line(NamedTuple):
    """A path on the active layer of a view: corners in pixels of its first layer, or a subset."""

    view: Any
    path: Any


class ProfilesPanel(Panel):
    """Cuts along row and column, a radial profile or a curve of growth at the cursor, or a cut along a line.

    A cut along a line follows the line that is drawn with the tool for cuts, or the selected line or path while it is
    moved. Hold keeps what is shown; the button measures the same as a command, whose profile opens in a viewer.
    """

    empty_text = "Move the mouse over an image to see its profiles here.\n\nDrag with the tool Line Cut (C) for a cut."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.kind = QComboBox()
        for key, text in KINDS.items():
            self.kind.addItem(text, key)
        self.kind.setAccessibleName("What is measured")
        self.reach = WholeBox(minimum=3, maximum=5000, value=30, suffix=" pix")
        self.reach.setAccessibleName("Half the length of cuts, or the largest radius")
        self.width_box = WholeBox(minimum=1, maximum=1000, value=round(self.session.interaction.cut_width))
        self.width_box.setPrefix("width ")
        self.width_box.setSuffix(" pix")
        self.width_box.setAccessibleName("Pixels across the line that are averaged")
        self.hold = QCheckBox("Hold")
        self.keep = tool_button(context, "fa6s.up-right-from-square", "Open in a viewer", self.open_in_viewer)
        self.picture = CurvePicture()
        self.picture.setAccessibleName("Profiles")
        self.note = muted(QLabel())
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note.setWordWrap(True)
        self._arrange()
        self._at: tuple[Any, float, float] | None = None
        self._line: Line | None = None
        self._newest = Newest(self.links, self.session, "Profiles at the cursor", self._begin)
        self._connect()
        self._kind_chosen()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        for widget in (self.kind, self.reach, self.width_box, self.hold):
            head.addWidget(widget)
        head.addStretch()
        head.addWidget(self.keep)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(head)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.note)

    def _connect(self) -> None:
        interaction = self.session.interaction
        self.context.cursor_changed.connect(self._moved)
        self.kind.currentIndexChanged.connect(self._kind_chosen)
        self.reach.valueChanged.connect(self._newest.ask)
        self.width_box.valueChanged.connect(self._width_chosen)
        self.links.signal(interaction.line_changed, self._line_drawn)
        self.links.signal(interaction.changed, self._interaction_changed)
        self.links.signal(interaction.selection_changed, self._selected)
        self.links.signal(self.session.subsets_changed, self._selected)

    # --- what is measured -----------------------------------------------------------------------

    @property
    def what(self) -> str:
        """Key of `KINDS` that is chosen."""
        return self.kind.currentData()

    def is_empty(self) -> bool:
        source = self._line if self.what == "line" else self._at
        return source is None or source[0].layer is None

    def _kind_chosen(self, *_: Any) -> None:
        along = self.what == "line"
        self.reach.setVisible(not along)
        self.width_box.setVisible(along)
        self._selected()
        self.show_empty(self.is_empty() and not along)
        if self.is_empty():
            self.picture.show_curves({})
            self.note.setText(NO_LINE if along else "")
        self._newest.ask()

    def _width_chosen(self, width: int) -> None:
        self.session.interaction.cut_width = width
        self._newest.ask()

    def _interaction_changed(self) -> None:
        self.width_box.setValue(round(self.session.interaction.cut_width))
        if self.session.interaction.tool == "cut":
            self.kind.setCurrentIndex(self.kind.findData("line"))

    def _moved(self) -> None:
        cursor = self.context.cursor
        if cursor is None or self.hold.isChecked() or not self.isVisible():
            return
        self._at = cursor
        if self.what != "line":
            self.show_empty(self.is_empty())
            self._newest.ask()

    def _line_drawn(self) -> None:
        """Follow the line that is being drawn."""
        line = self.session.interaction.line
        if line is not None and not self.hold.isChecked():
            self._line = Line(*line)
            self._newest.ask()

    def _selected(self) -> None:
        """Follow the selected line or path."""
        if self.what != "line" or self.hold.isChecked() or self.session.interaction.line is not None:
            return
        subsets = self.session.subsets
        chosen = [subsets[name] for name in self.session.interaction.selected if name in subsets]
        lines = [subset for subset in chosen if type(subset.region).__name__.startswith(LINES)]
        view = self.context.active_image()
        if lines and view is not None and view.layer is not None:
            self._line = Line(view, lines[-1])
            self._newest.ask()

    def _begin(self) -> Any:
        """Return what measures at the newest place, and what shows it."""
        if self.is_empty() or not self.isVisible():
            return None
        measure, where = self._along() if self.what == "line" else self._round()

        def work(job: Any) -> tuple:
            try:
                return *measure(), where
            except (JvizError, OSError) as error:
                return {}, str(error), where

        return work, self._show

    def _round(self) -> tuple[Callable[[], Any], str]:
        (view, x, y), what, reach = self._at, self.what, float(self.reach.value())
        layer = view.layer
        data, plane, index = layer.data, layer.plane, layer.index
        return lambda: curves_at(data, plane, index, x, y, what, reach=reach), f"at ({x:.1f}, {y:.1f})"

    def _along(self) -> tuple[Callable[[], Any], str]:
        layer, path, width = self._line.view.layer, self._path(), float(self.width_box.value())
        data, plane, index = layer.data, layer.plane, layer.index
        where = getattr(self._line.path, "name", "")
        return lambda: curves_along(data, plane, index, corners_of(self.session, data, path), width), where

    def _path(self) -> Any:
        """Return the path on the data of the active layer."""
        view, path = self._line
        if hasattr(path, "region"):
            return path
        x, y = path.T
        if view.align == "sky":
            x, y = place_in(view.layers[0].data, view.layer.data, x, y)
        return list(zip(x.tolist(), y.tolist(), strict=True))

    def _show(self, curves: dict[str, Any], text: str, where: str) -> None:
        self.picture.show_curves(curves, {"Gaussian": "line"})
        self.note.setText("   ".join(filter(None, (where, text))))

    # --- what stays -----------------------------------------------------------------------------

    def open_in_viewer(self) -> None:
        """Measure the same by a command: a profile of the session, in a viewer, in the script."""
        if self.is_empty():
            return
        if self.what == "line":
            path, width = self._path(), float(self.width_box.value())
            self.context.run(
                "image.line_cut", data=self._line.view.layer.data, path=getattr(path, "name", path), width=width
            )
            return
        (view, x, y), reach = self._at, float(self.reach.value())
        data = view.layer.data
        if self.what == "cuts":
            self.context.run("image.line_cut", data=data, path=[(x - reach, y), (x + reach, y)])
        else:
            id = "image.radial_profile" if self.what == "radial" else "image.growth_curve"
            self.context.run(id, data=data, center=(x, y), r_max=reach)

"""The panel that compares the layers of a view and links views with each other."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from jviz.api import LOCKS, ImageLayer, ImageView, JvizError, NumberBox
from jviz.plugins.parts import Panel, muted, tool_button

__all__ = ["ComparePanel"]

LOCK_NAMES = {"pan": "Pan", "zoom": "Zoom", "rotation": "Rotation", "cursor": "Cursor", "limits": "Limits",
              "colormap": "Colours", "slice": "Slice of cubes"}  # fmt: skip
WAYS = {"layers": "Layers, each as it is", "blink": "Blink", "curtain": "Curtain", "level": "Level curtain",
        "lupton": "One colour picture (Lupton)"}  # fmt: skip


class ComparePanel(Panel):
    """How the layers of the active view are compared, and what it has in common with other views.

    Blink, part the picture with a curtain, or make one colour picture of all layers; add the difference or the
    ratio of two of them. Locks keep pan, zoom, rotation, cursor, limits or colours the same in all views with the lock.
    """

    empty_text = "No image is open.\n\nOpen two or more, and they are compared and linked here."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._view: ImageView | None = None
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(10)
        self.title = muted(QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True))
        # Long names must not push the viewers aside.
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout.addWidget(self.title)
        layout.addWidget(self._layers_group())
        layout.addWidget(self._links_group())
        layout.addStretch()
        context.active_changed.connect(self.later)
        self.links.signal(self.session.views_changed, self.later)

    # --- parts ----------------------------------------------------------------------------------

    def _layers_group(self) -> QWidget:
        group, form = QGroupBox("Layers"), QFormLayout()
        self.way = QComboBox()
        self.way.setAccessibleName("How the layers are shown")
        for way, name in WAYS.items():
            self.way.addItem(name, way)
        self.way.activated.connect(lambda _: self._choose(self.way.currentData()))
        self.pace = _number(0.05, 10, 0.1, " s", "Pace of blinking", lambda v: self._set(blink=v))
        self.q = _number(0, 100, 1.0, "", "Q of the colour picture", lambda v: self._set(lupton_q=v))
        self.stretch = _number(0.001, 100, 0.05, "", "Stretch of the colour picture",
                               lambda v: self._set(lupton_stretch=v))  # fmt: skip
        self.align = QComboBox()
        self.align.setAccessibleName("How layers are aligned")
        for name, text in (("sky", "by the sky"), ("pixels", "pixel on pixel")):
            self.align.addItem(text, name)
        self.align.activated.connect(lambda _: self._set(align=self.align.currentData()))
        for text, widget in (("Show", self.way), ("Pace", self.pace), ("Q", self.q), ("Stretch", self.stretch),
                             ("Align", self.align)):  # fmt: skip
            form.addRow(text, widget)
        self.form = form
        row = QHBoxLayout()
        for icon, text, id in (
            ("fa6s.backward-step", "Previous layer alone", "layer.previous"),
            ("fa6s.forward-step", "Next layer alone", "layer.next"),
            ("fa6s.layer-group", "Show all layers", "layer.all"),
            ("fa6s.minus", "Add the difference of the two topmost layers", "compare.difference"),
            ("fa6s.divide", "Add their ratio", "compare.ratio"),
            ("fa6s.table-cells", "Give each layer a viewer of its own", "view.tile_layers"),
        ):
            row.addWidget(tool_button(self.context, icon, text, partial(self._run, id)))
        row.addStretch()
        self.note = muted(QLabel(wordWrap=True))
        layout = QVBoxLayout(group)
        layout.addLayout(form)
        layout.addLayout(row)
        layout.addWidget(self.note)
        return group

    def _links_group(self) -> QWidget:
        group, grid = QGroupBox("Locked with other views"), QGridLayout()
        self.locks = {name: QCheckBox(LOCK_NAMES[name]) for name in LOCKS}
        for number, (name, box) in enumerate(self.locks.items()):
            box.clicked.connect(lambda on, name=name: self._lock(name, on))
            grid.addWidget(box, number // 2, number % 2)
        layout = QVBoxLayout(group)
        layout.addLayout(grid)
        row = QHBoxLayout()
        for text, tip, id in (
            ("Lock All", "Lock all views to this one", "view.lock_all"),
            ("Match All", "Show in all views what this one shows, once", "view.match_all"),
            ("Tile", "Put all image viewers into a grid", "view.tile"),
            ("Free All", "Let every view move on its own", "view.unlock_all"),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(partial(self._run, id))
            row.addWidget(button)
        layout.addLayout(row)
        return group

    # --- what is shown --------------------------------------------------------------------------

    def view(self) -> ImageView | None:
        """Return the active image view with something in it, or None."""
        view = self.context.active_image()
        return view if view is not None and view.layers else None

    def is_empty(self) -> bool:
        return self.view() is None

    def refresh(self) -> None:
        self._view = view = self.view()
        self.links.states("view", [view], self._changed)
        if view is None:
            return
        self.title.setText(f"{view.name} · {', '.join(map(_called, view.layers))}")
        widgets = (self.way, self.pace, self.q, self.stretch, self.align, *self.locks.values())
        blockers = [QSignalBlocker(widget) for widget in widgets]
        way = self._way(view)
        self.way.setCurrentIndex(self.way.findData(way))
        self.align.setCurrentIndex(self.align.findData(view.align))
        self.pace.setValue(view.blink or self.session.settings["image.blink"])
        self.q.setValue(view.lupton_q)
        self.stretch.setValue(view.lupton_stretch)
        for name, box in self.locks.items():
            box.setChecked(name in view.locks)
        del blockers
        for widget, wanted in ((self.pace, "blink"), (self.q, "lupton"), (self.stretch, "lupton")):
            self.form.setRowVisible(widget, way == wanted)
        alone = len(view.layers) < 2
        self.way.setEnabled(not alone)
        self.note.setText("Drop another image into this view to compare the two." if alone else "")
        self.note.setVisible(alone)

    @staticmethod
    def _way(view: ImageView) -> str:
        if view.composite == "lupton":
            return "lupton"
        if view.blink:
            return "blink"
        if view.curtain is None:
            return "layers"
        return "curtain" if view.curtain_axis == "vertical" else "level"

    def _changed(self, **changed: Any) -> None:
        if set(changed) - {"centre", "scale", "rotation", "blinking"}:
            self.later()

    # --- what the user does ---------------------------------------------------------------------

    def _run(self, id: str, *_: Any) -> None:
        if id in ("view.tile", "view.tile_layers", "view.unlock_all"):
            self.context.run(id)
        elif self._view is not None:
            self.context.run(id, view=self._view)

    def _choose(self, way: str) -> None:
        place = 0.5 if self._view is None or self._view.curtain is None else self._view.curtain
        values = {"blink": 0.0, "curtain": None, "composite": "layers", "solo": None}
        values |= {
            "blink": {"blink": self.session.settings["image.blink"]},
            "curtain": {"curtain": place, "curtain_axis": "vertical"},
            "level": {"curtain": place, "curtain_axis": "horizontal"},
            "lupton": {"composite": "lupton"},
        }.get(way, {})
        self._set(**values)

    def _lock(self, name: str, on: bool) -> None:
        if self._view is not None:
            locks = [*self._view.locks, name] if on else [lock for lock in self._view.locks if lock != name]
            self.context.run("view.lock", locks=locks, view=self._view)

    def _set(self, **values: Any) -> None:
        if self._view is None:
            return
        try:
            self._view.update(**values)
        except JvizError as error:
            self.context.notify("error", str(error))
        self.session.flush()
        self.session.history.seal()


def _called(layer: ImageLayer) -> str:
    """Return what a layer shows: the name of its image, or those of the two that it compares."""
    sign = {"difference": "−", "ratio": "/"}.get(layer.operation)
    if sign is None or layer.against is None:
        return layer.data.name
    return f"{layer.data.name} {sign} {layer.against.name}"


def _number(low: float, high: float, step: float, suffix: str, name: str, on_change: Any) -> NumberBox:
    box = NumberBox(minimum=low, maximum=high, singleStep=step, suffix=suffix, decimals=2, keyboardTracking=False)
    box.setAccessibleName(name)
    box.valueChanged.connect(on_change)
    return box

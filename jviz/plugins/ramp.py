"""The panel of ramps: counts of the pixel under the cursor against time, its flags, and the rate fitted to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout

from jviz.api import (
    DO_NOT_USE,
    JUMP,
    SATURATED,
    Curve,
    CurvePicture,
    JumpRule,
    JvizError,
    NumberBox,
    Ramp,
    RampAt,
    fit_at,
)
from jviz.plugins.parts import Newest, Panel, muted, tool_button

SHOWN = {"counts": "Counts", "residuals": "Residuals", "steps": "Differences of groups"}
FLAGS = ((SATURATED, "saturated"), (JUMP, "jump"), (DO_NOT_USE, "not used"))
"""Bits of groups that are marked, and what they are called; the first one set counts."""


class RampPanel(Panel):
    """The ramp of the pixel under the cursor, with the groups that are flagged and the fitted rate.

    The fit is the JWST pipeline's, and is made anew when a threshold is changed. Hold keeps the pixel; the buttons put
    its numbers under Results, and fit all pixels into a new image.
    """

    empty_text = "Open an uncal, ramp or rateints file and move the mouse over it to see the ramp of a pixel here."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._at: tuple[Ramp, int, int, int] | None = None
        self.found: RampAt | None = None
        self._make_fields()
        self.picture = CurvePicture(legend_left=True, empty="Point at a pixel")
        self.picture.setAccessibleName("Ramp")
        self.rate = QLabel()
        self.rate.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note = muted(QLabel())
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (self.rate, self.note):
            label.setWordWrap(True)
        self._arrange()
        self._newest = Newest(self.links, self.session, "Ramp at the cursor", self._begin)
        self.context.cursor_changed.connect(self._moved)

    def _make_fields(self) -> None:
        self.shown = QComboBox()
        for key, text in SHOWN.items():
            self.shown.addItem(text, key)
        self.shown.setAccessibleName("What is plotted")
        self.shown.currentIndexChanged.connect(self._draw)
        self.hold = QCheckBox("Hold")
        self.hold.setToolTip("Keep this pixel while the mouse moves")
        self.anew = QCheckBox("Look for jumps anew")
        self.anew.setChecked(True)
        self.anew.toggled.connect(self._asked)
        self.threshold = self._box(4.0, "Threshold in standard deviations", 0.1, 1000.0, " σ")
        self.gain = self._box(0.0, "Gain in electrons per DN; 0: as known", 0.0, 1000.0, " e⁻/DN")
        self.noise = self._box(0.0, "Read noise of a difference of two reads, DN; 0: as known", 0.0, 1e5, " DN")
        for box in (self.gain, self.noise):
            box.setSpecialValueText("as known")

    def _box(self, value: float, name: str, minimum: float, maximum: float, suffix: str) -> NumberBox:
        box = NumberBox(minimum=minimum, maximum=maximum, value=value, suffix=suffix)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.valueChanged.connect(self._asked)
        return box

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.shown)
        head.addWidget(self.hold)
        head.addStretch()
        head.addWidget(tool_button(self.context, "fa6s.table", "List the numbers under Results", self.list_numbers))
        head.addWidget(tool_button(self.context, "fa6s.images", "Fit all pixels into a new image", self.fit_all))
        form = QFormLayout()
        form.addRow(self.anew)
        form.addRow("Jumps above", self.threshold)
        form.addRow("Gain", self.gain)
        form.addRow("Read noise", self.noise)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(head)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.rate)
        layout.addWidget(self.note)
        layout.addLayout(form)

    # --- the pixel ------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        return self._at is None

    def _moved(self) -> None:
        cursor = self.context.cursor
        if cursor is None or self.hold.isChecked() or not self.isVisible():
            return
        view, x, y = cursor
        layer = view.layer
        if layer is None or not isinstance(layer.data, Ramp) or not layer.data.has_groups:
            return
        integration = layer.index[0] if len(layer.index) == 2 else 0
        at = (layer.data, int(np.floor(x + 0.5)), int(np.floor(y + 0.5)), integration)
        if at != self._at:
            self._at = at
            self.show_empty(False)
            self._newest.ask()

    def _asked(self, *_: Any) -> None:
        self.threshold.setEnabled(self.anew.isChecked())
        self._newest.ask()

    @property
    def choices(self) -> dict[str, Any]:
        """Parameters of the commands as the fields say."""
        given = {"gain": self.gain.value(), "readnoise": self.noise.value()}
        chosen = {name: value for name, value in given.items() if value > 0}
        if not self.anew.isChecked():
            return {"find_jumps": False, **chosen}
        return {"threshold": self.threshold.value(), **chosen}

    def _begin(self) -> Any:
        """Return what fits the newest pixel, and what shows it."""
        if self._at is None or not self.isVisible():
            return None
        data, x, y, _ = self._at
        rule = JumpRule(self.threshold.value()) if self.anew.isChecked() else None
        gain, noise = self.choices.get("gain"), self.choices.get("readnoise")

        def work(job: Any) -> tuple[RampAt | None, str]:
            try:
                return fit_at(data, x, y, rule, gain, noise), ""
            except (JvizError, OSError) as error:
                return None, str(error)

        return work, self._show

    def _show(self, found: RampAt | None, problem: str) -> None:
        self.found = found
        if found is None:
            self.picture.show_curves({})
            self.rate.setText("")
            self.note.setText(problem)
            return
        n = min(self._at[3], len(found.flags) - 1)
        value = _rate(found.rates[n], found.errors[n])
        which = f", integration {n}" if len(found.flags) > 1 else ""
        flagged = [f"{found.number(bit, n)} {name}" for bit, name in FLAGS if found.number(bit, n)]
        self.rate.setText(f"Pixel ({found.x}, {found.y}){which}: <b>{value}</b>")
        self.note.setText("   ".join(filter(None, (", ".join(flagged), found.words))))
        self._draw()

    # --- the picture ----------------------------------------------------------------------------

    def _draw(self, *_: Any) -> None:
        if self.found is None:
            return
        found, n = self.found, min(self._at[3], len(self.found.flags) - 1)
        x, model, title, unit = found.time, found.model[n], SHOWN[self.shown.currentData()], "DN"
        values = found.counts[n]
        if self.shown.currentData() == "residuals":
            values, model = values - model, np.where(np.isfinite(model), 0.0, np.nan)
        elif self.shown.currentData() == "steps":
            values, model = np.diff(values, prepend=np.nan), np.diff(model, prepend=np.nan)
        curves, drawings = {"good": self._curve(x, np.where(found.flags[n] == 0, values, np.nan), title, unit)}, {}
        marked = np.zeros(len(x), bool)
        for bit, name in FLAGS:
            chosen = ((found.flags[n] & bit) != 0) & ~marked
            marked |= chosen
            if chosen.any():
                curves[name] = self._curve(x, np.where(chosen, values, np.nan), title, unit)
        drawings = dict.fromkeys(curves, "points")
        starts = np.flatnonzero(found.flags[n] & JUMP)  # each begins a new line
        between = (x[starts] + x[starts - 1]) / 2
        curves["fit"] = self._curve(np.insert(x, starts, between), np.insert(model, starts, np.nan), title, unit)
        self.picture.show_curves(curves, {**drawings, "fit": "line"})

    @staticmethod
    def _curve(x: np.ndarray, y: np.ndarray, title: str, unit: str) -> Curve:
        return Curve(x, y, None, "Time since reset", title, "s", unit)

    # --- what stays -----------------------------------------------------------------------------

    def list_numbers(self) -> None:
        """Fit the pixel by a command: a table under Results, in the script."""
        if self._at is not None:
            data, x, y, _ = self._at
            self.context.run("ramp.fit", data=data, x=x, y=y, **self.choices)

    def fit_all(self) -> None:
        """Fit all pixels as a job."""
        if self._at is not None:
            self.context.run("ramp.refit", data=self._at[0], **self.choices)


def _rate(rate: float, error: float) -> str:
    """Say a rate with as many places as its error has."""
    if not (np.isfinite(rate) and error > 0):
        return "no rate: there are no two good groups"
    places = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{rate:.{places}f} ± {error:.{places}f} DN/s"

"""The panel of ramps: counts of the pixel under the cursor against time, its flags, and the rate fitted to them."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
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
    counts_at,
    fit_at,
    fit_region,
    rates_at,
)
from jviz.plugins.parts import Newest, Panel, muted, tool_button

SHOWN = {"counts": "Counts", "residuals": "Residuals", "steps": "Differences of groups"}
FLAGS = ((SATURATED, "saturated"), (JUMP, "jump"), (DO_NOT_USE, "not used"))
"""Bits of groups that are marked, and what they are called; the first one set counts."""


AT_CURSOR = "Pixel at the cursor"


class RampPanel(Panel):
    """The ramp of the pixel under the cursor or of a region, with the groups that are flagged and the fitted rate.

    The fit is the JWST pipeline's, and is made anew when a threshold is changed. Hold keeps the pixel; the buttons put
    its numbers under Results, and fit all pixels into a new image. Of rates that are fitted already the integrations
    are shown.
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
        self.links.signal(self.session.subsets_changed, self.later)

    def _make_fields(self) -> None:
        self.where = QComboBox()
        self.where.addItem(AT_CURSOR, "")
        self.where.setAccessibleName("Of which pixels")
        self.where.currentIndexChanged.connect(self._where_chosen)
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
        form = self.form = QFormLayout()
        form.addRow("Of", self.where)
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

    def refresh(self) -> None:
        """Offer the regions that there are, and follow the one that is chosen."""
        regions = [name for name, subset in self.session.subsets.items() if subset.on_images]
        offered = [self.where.itemText(n) for n in range(1, self.where.count())]
        if regions != offered:
            chosen = self.region
            with QSignalBlocker(self.where):
                self.where.clear()
                self.where.addItem(AT_CURSOR, "")
                for name in regions:
                    self.where.addItem(name, name)
                self.where.setCurrentIndex(max(self.where.findData(chosen), 0))
            if chosen != self.region:
                self._where_chosen()
        if self.region:
            self._newest.ask()

    @property
    def region(self) -> str:
        """Name of the region whose mean is shown, "" of the pixel under the cursor."""
        return self.where.currentData() or ""

    def _where_chosen(self, *_: Any) -> None:
        self.hold.setEnabled(not self.region)
        self._newest.ask()

    def _moved(self) -> None:
        cursor = self.context.cursor
        if cursor is None or self.hold.isChecked() or not self.isVisible():
            return
        view, x, y = cursor
        layer = view.layer
        if layer is None or not isinstance(layer.data, Ramp):
            return
        integration = layer.index[0] if len(layer.index) == 2 else 0
        at = (layer.data, int(np.floor(x + 0.5)), int(np.floor(y + 0.5)), integration)
        if at == self._at:
            return
        same = self.region and self._at is not None and (at[0], at[3]) == (self._at[0], self._at[3])
        self._at = at
        self.show_empty(False)
        if not same:
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
        """Return what fits the newest pixel, or the region, and what shows it."""
        if self._at is None or not self.isVisible():
            return None
        data, x, y, _ = self._at
        rule = JumpRule(self.threshold.value()) if self.anew.isChecked() else None
        noise, region = (self.choices.get("gain"), self.choices.get("readnoise")), self.region

        def work(job: Any) -> tuple[RampAt | None, str]:
            try:
                if len(data.shape) == 3:
                    return rates_at(data, x, y), ""
                if region:
                    return fit_region(self.session, data, region, rule, *noise, job.report), ""
                return _fitted(data, x, y, rule, *noise), ""
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
        for field in (self.anew, self.threshold, self.gain, self.noise):
            self.form.setRowVisible(field, found.quantity == "Counts")
        n = min(self._at[3], len(found.flags) - 1)
        value = _rate(found.rates[n], found.errors[n], found.unit)
        which = f", integration {n}" if len(found.flags) > 1 else ""
        flagged = [f"{found.number(bit, n)} {name}" for bit, name in FLAGS if found.number(bit, n)]
        place = html.escape(found.name) or f"Pixel ({found.x}, {found.y})"
        self.rate.setText(f"{place}{which}: <b>{value}</b>")
        self.note.setText("   ".join(filter(None, (", ".join(flagged), found.words))))
        self._draw()

    # --- the picture ----------------------------------------------------------------------------

    def _draw(self, *_: Any) -> None:
        if self.found is None:
            return
        found, n = self.found, min(self._at[3], len(self.found.flags) - 1)
        x, model, title = found.time, found.model[n], SHOWN[self.shown.currentData()].replace("Counts", found.quantity)
        values = found.counts[n]
        if self.shown.currentData() == "residuals":
            values, model = values - model, np.where(np.isfinite(model), 0.0, np.nan)
        elif self.shown.currentData() == "steps":
            values, model = np.diff(values, prepend=np.nan), np.diff(model, prepend=np.nan)
        curves, drawings = {"good": self._curve(x, np.where(found.flags[n] == 0, values, np.nan), title)}, {}
        marked = np.zeros(len(x), bool)
        for bit, name in FLAGS:
            chosen = ((found.flags[n] & bit) != 0) & ~marked
            marked |= chosen
            if chosen.any():
                curves[name] = self._curve(x, np.where(chosen, values, np.nan), title)
        drawings = dict.fromkeys(curves, "points")
        starts = np.flatnonzero(found.flags[n] & JUMP)  # each begins a new line
        between = (x[starts] + x[starts - 1]) / 2
        if np.isfinite(model).any():
            curves["fit"] = self._curve(np.insert(x, starts, between), np.insert(model, starts, np.nan), title)
        self.picture.show_curves(curves, {**drawings, "fit": "line"})

    def _curve(self, x: np.ndarray, y: np.ndarray, title: str) -> Curve:
        label, unit = self.found.axis
        return Curve(x, y, None, label, title, unit, self.found.unit)

    # --- what stays -----------------------------------------------------------------------------

    def list_numbers(self) -> None:
        """Fit the pixel by a command: a table under Results, in the script."""
        if self._at is not None:
            data, x, y, _ = self._at
            place = {"region": self.region} if self.region else {"x": x, "y": y}
            self.context.run("ramp.fit", data=data, **place, **self.choices)

    def fit_all(self) -> None:
        """Fit all pixels as a job."""
        if self._at is not None:
            self.context.run("ramp.refit", data=self._at[0], **self.choices)


def _fitted(data: Ramp, x: int, y: int, rule: JumpRule | None, gain: float | None, noise: float | None) -> RampAt:
    """Return the fit of a pixel, or its counts alone when nothing can be fitted."""
    counts = counts_at(data, x, y, "")
    try:
        return fit_at(data, x, y, rule, gain, noise)
    except JvizError as error:
        return replace(counts, words=str(error))


def _rate(rate: float, error: float, unit: str) -> str:
    """Say a rate with as many places as its error has."""
    if not np.isfinite(rate):
        return "no rate: there are no two good groups" if np.isfinite(error) else "no rate"
    unit = "DN/s" if unit == "DN" else unit
    if not error > 0:
        return f"{rate:.4g} {unit}"
    places = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{rate:.{places}f} ± {error:.{places}f} {unit}"

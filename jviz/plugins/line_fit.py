"""The panel of line fits: the model over the spectrum and its numbers, while lines and range are changed."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from jviz.api import LINE_FIT, NumberBox, ShownUnits, line_fit_preview, line_fit_units, measured_layers, pretty_unit
from jviz.plugins.parts import Newest, SpectrumFollower, muted, row_of, tool_button
from jviz.plugins.spectrum_parts import row_titles, with_error

SHAPES = {"gaussian": "Gaussian", "lorentzian": "Lorentzian", "voigt": "Voigt"}
CONTINUA = {"none": "No continuum", "constant": "Constant", "line": "Line", "parabola": "Parabola", "cubic": "Cubic"}
ROWS = (("center", "Centre", "x"), ("fwhm", "Width at half", "x"), ("velocity_width", "Width", "km/s"),
        ("amplitude", "Height", "y"), ("flux", "Flux", "xy"),
        ("equivalent_width", "Equivalent width", "x"))  # fmt: skip
COLOR = "#e4702a"


class LineFitPanel(SpectrumFollower):
    """Lines fitted to a range of the active spectrum viewer, anew while the range is dragged and choices are made.

    Numbers are in the units that are shown, where these are multiples of those of the file, which stay otherwise.
    *Lines at* takes the places where the lines begin; left empty, the farthest point from the
    continuum. *+* adds one where the spectrum is farthest from the model. The model is drawn over the spectrum while
    the panel is seen; Fit keeps it as data with its table, by the command.
    """

    empty_text = "Open a spectrum, and drag with Shift over the line that you want to fit."
    pause_ms = 60

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._fit: Any = None
        self._units = ShownUnits()
        self._newest = Newest(self.links, self.session, "Line fit", self._begin)
        self._make_widgets()
        self._arrange()
        for signal in (self.range.activated, self.shape.activated, self.continuum.activated, self.lines.textChanged,
                       self.width_box.valueChanged, self.resolution.valueChanged, self.fix_width.clicked,
                       self.tie_centers.clicked, self.tie_widths.clicked):  # fmt: skip
            signal.connect(self._newest.ask)
        context.active_changed.connect(self.follow)
        for signal in (self.session.views_changed, self.session.data_changed):
            self.links.signal(signal, self.follow)
        self.links.signal(self.session.subsets_changed, self.later)
        live = self.session.live_spectra
        self.destroyed.connect(lambda *_: live.remove(LINE_FIT))
        self.follow()

    def _make_widgets(self) -> None:
        self.range, self.shape, self.continuum = (QComboBox() for _ in range(3))
        for box, name, choices in ((self.range, "Range that is fitted", {}), (self.shape, "Shape of lines", SHAPES),
                                   (self.continuum, "Continuum below lines", CONTINUA)):  # fmt: skip
            box.setAccessibleName(name)
            for value, text in choices.items():
                box.addItem(text, value)
        self.continuum.setCurrentIndex(self.continuum.findData("line"))
        self.lines = QLineEdit(placeholderText="the strongest", clearButtonEnabled=True)
        self.lines.setAccessibleName("Places of lines")
        self.lines.setToolTip("Where each line is about, in the unit that the table names: 4.05 4.17")
        self.more = tool_button(self.context, "fa6s.plus", "Add a line where the model is farthest off", self.add_line)
        self.width_box = NumberBox(minimum=0, maximum=1e9, decimals=5, specialValueText="found")
        self.width_box.setAccessibleName("Full width at half maximum to begin with")
        self.fix_width = QCheckBox("hold")
        self.fix_width.setToolTip("Keep the width as it is given")
        self.resolution = NumberBox(minimum=0, maximum=1e9, decimals=5, specialValueText="none")
        self.resolution.setAccessibleName("Full width at half maximum of the instrument")
        self.tie_centers, self.tie_widths = QCheckBox("one redshift"), QCheckBox("one width")
        self.tie_centers.setToolTip("Hold the ratios of the centres of several lines")
        self.tie_widths.setToolTip("One width in velocity for all lines")
        self.table = QTableWidget(len(ROWS), 0)
        self.table.setAccessibleName("Numbers of the fit")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.note = muted(QLabel())
        self.note.setWordWrap(True)
        self.fit = QPushButton("Fit")
        self.fit.setToolTip("Keep the model as data, and the table")
        self.fit.clicked.connect(self.keep)

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow("Range", self.range)
        form.addRow("Lines at", row_of(self.lines, self.more))
        form.addRow("Model", row_of(self.shape, self.continuum))
        form.addRow("Width", row_of(self.width_box, self.fix_width))
        form.addRow("Resolution", self.resolution)
        form.addRow("Several", row_of(self.tie_centers, self.tie_widths))
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.fit)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(form)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)

    # --- what is fitted -------------------------------------------------------------------------

    @property
    def places(self) -> list[float] | None:
        """Where lines begin, in the unit of the file; None for the strongest one."""
        words = [word for word in re.split(r"[\s,;]+", self.lines.text()) if word]
        return [float(word) / self._units.x_factor for word in words] or None

    @property
    def options(self) -> dict[str, Any]:
        """The options of the command that are not as they are by default."""
        factor = self._units.x_factor
        found: dict[str, Any] = {"shape": self.shape.currentData(), "continuum": self.continuum.currentData()}
        if self.width_box.value() > 0:
            found |= {"width": self.width_box.value() / factor, "fix_width": self.fix_width.isChecked()}
        if self.resolution.value() > 0:
            found["resolution"] = self.resolution.value() / factor
        return found | {"tie_centers": self.tie_centers.isChecked(), "tie_widths": self.tie_widths.isChecked()}

    def refresh(self) -> None:
        if self.view is None:
            self._forget("")
            return
        layers = measured_layers(self.view)
        if layers:
            self._write_in(line_fit_units(layers[-1].data.samples[layers[-1].index], self.view))
        names = [name for name, subset in self.session.subsets.items() if subset.kind == "spectral"]
        chosen = self.range.currentData()
        self.range.clear()
        for name in names:
            self.range.addItem(name, name)
        if not names:
            self.range.addItem("In sight", "")
        self.range.setCurrentIndex(max(self.range.findData(chosen), 0))
        self._newest.ask()

    def _write_in(self, units: ShownUnits) -> None:
        """Go over to other units, with what has been typed."""
        factor = units.x_factor / self._units.x_factor
        self._units, unit = units, pretty_unit(units.x)
        for box in (self.width_box, self.resolution):
            box.setSuffix(f" {unit}".rstrip())
            if factor != 1 and box.value():
                box.setValue(box.value() * factor)
        self.lines.setPlaceholderText(f"the strongest, or places in {unit}" if unit else "the strongest")
        if factor != 1:
            words = re.split(r"([\s,;]+)", self.lines.text())
            self.lines.setText("".join(_times(word, factor) for word in words))

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self.session.live_spectra.remove(LINE_FIT)
        self.later()

    def _begin(self) -> Any:
        """Return what fits, and what shows the fit."""
        view = self.view
        if view is None or not self.isVisible():
            return None
        try:
            places = self.places
        except ValueError:
            self._forget("Places of lines are numbers, such as 4.05 4.17.")
            return None
        region, options = self.range.currentData(), self.options

        def work(job: Any) -> tuple:
            return (line_fit_preview(self.session, view, region, places, **options),)

        return work, self._show

    def _show(self, fit: Any) -> None:
        if isinstance(fit, str):
            self._forget(fit)
            return
        if not self.isVisible():
            return
        self._fit = fit
        self.session.live_spectra.show(LINE_FIT, fit.model, COLOR)
        self._tabulate(fit)
        per_sample = fit.found.chi2 / max(fit.found.free, 1)
        quality = "errors from the scatter" if fit.found.scaled else f"χ² / {fit.found.free} = {per_sample:.3g}"
        self.note.setText(f"{fit.one.title}: {quality}")
        self.fit.setEnabled(True)
        self.more.setEnabled(True)

    def _tabulate(self, fit: Any) -> None:
        lines = fit.found.lines
        self.table.setColumnCount(len(lines))
        self.table.setVerticalHeaderLabels(row_titles(ROWS, self._units.x, self._units.y))
        x, y = self._units.x_factor, self._units.y_factor
        factors = {"x": x, "y": y, "xy": x * y}
        for column, line in enumerate(lines):
            for row, (name, _, unit) in enumerate(ROWS):
                value, error = (number * factors.get(unit, 1.0) for number in getattr(line, name))
                self.table.setItem(row, column, QTableWidgetItem(with_error(value, error)))
        self.table.resizeColumnsToContents()

    def _forget(self, text: str) -> None:
        self._fit = None
        self.session.live_spectra.remove(LINE_FIT)
        self.table.setColumnCount(0)
        self.note.setText(text)
        self.fit.setEnabled(False)
        self.more.setEnabled(False)

    # --- what the user does ---------------------------------------------------------------------

    def add_line(self) -> None:
        """Let a further line begin where the spectrum is farthest from the model."""
        if self._fit is not None:
            places = [line.center[0] for line in self._fit.found.lines] + [self._fit.farthest]
            self.lines.setText(" ".join(f"{place * self._units.x_factor:.6g}" for place in places))

    def keep(self) -> None:
        """Fit by the command, with its line in the script."""
        if self._fit is None:
            return
        options = {name: value for name, value in self.options.items() if value is not False}
        if self.range.currentData():
            options["region"] = self.range.currentData()
        self.context.run("spectrum.fit_lines", view=self.view, centers=self._fit.centers, **options)


def _times(word: str, factor: float) -> str:
    """Return a number that was typed times a factor; what is no number stays."""
    try:
        return f"{float(word) * factor:.8g}"
    except ValueError:
        return word

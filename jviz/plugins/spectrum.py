"""The panel of spectra: marks of lines with their redshift, looks, and numbers of ranges while they are dragged."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSlider,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
)

from jviz.api import (
    LINE_LISTS,
    JvizError,
    NumberBox,
    as_shown,
    measured,
    measured_layers,
    ranges_to_measure,
)
from jviz.plugins.parts import Newest, SpectrumFollower, fill_quietly, muted, tool_button
from jviz.plugins.spectrum_parts import row_titles, with_error

SPEED_OF_LIGHT = 299_792.458
FINE = 20_000
"""Steps of the slider on either side: a turn of it is a hundredth of 1 + z."""

ROWS = (
    ("mean", "Mean", "y"), ("rms", "Scatter", "y"), ("snr", "Signal / noise", ""), ("integral", "Integral", "xy"),
    ("line", "Line flux", "xy"), ("width", "Equivalent width", "x"), ("centroid", "Centroid", "x"),
    ("fwhm", "Width at half", "x"), ("channels", "Channels", ""),
)  # fmt: skip
MOST = 4
"""Ranges that the panel measures at once."""


class SpectrumPanel(SpectrumFollower):
    """Marks lines in the active spectrum viewer at a redshift, sets how spectra look, and measures ranges live.

    The table has the numbers of spectral ranges (of what is in sight when there are none) for the uppermost visible
    spectrum, also while a range is dragged; the button beside it makes a table of all ranges and spectra.
    """

    empty_text = "Open a spectrum to mark its lines and measure it."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._filling = False
        self._newest = Newest(self.links, self.session, "Measure ranges", self._begin)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(self._line_buttons())
        layout.addLayout(self._redshift())
        layout.addLayout(self._looks())
        layout.addLayout(self._numbers(), 1)
        context.active_changed.connect(self.follow)
        self.links.signal(self.session.views_changed, self.follow)
        self.links.signal(self.session.subsets_changed, self.later)
        self.follow()

    # --- parts ----------------------------------------------------------------------------------

    def _line_buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(3)
        self.lists: dict[str, QToolButton] = {}
        for number, (name, words) in enumerate(LINE_LISTS.items()):
            button = QToolButton()
            button.setText(name.replace("H2", "H₂"))
            button.setCheckable(True)
            button.setToolTip(f"Mark lines: {words}")
            button.setAccessibleName(f"Mark lines: {words}")
            button.setSizePolicy(button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Fixed)
            button.clicked.connect(self._mark)
            self.lists[name] = button
            grid.addWidget(button, number // 6, number % 6)
        return grid

    def _redshift(self) -> QGridLayout:
        self.redshift = NumberBox(decimals=5, minimum=-0.99, maximum=100.0, singleStep=0.001)
        self.redshift.setAccessibleName("Redshift of the lines")
        self.velocity = NumberBox(decimals=1, minimum=-290_000, maximum=3e7, singleStep=10.0, suffix=" km/s")
        self.velocity.setAccessibleName("The redshift as a velocity, c z")
        self.fine = QSlider(Qt.Orientation.Horizontal, minimum=-FINE, maximum=FINE)
        self.fine.setAccessibleName("Move the lines")
        self.fine.setToolTip("Drag to shift the lines by up to 1 %; let go, and the slider is in its middle again")
        self.redshift.valueChanged.connect(lambda value: self._shift(value))
        self.velocity.valueChanged.connect(lambda value: self._shift(value / SPEED_OF_LIGHT))
        self.fine.sliderPressed.connect(self._take)
        self.fine.sliderMoved.connect(self._slide)
        self.fine.sliderReleased.connect(self._end)
        grid = QGridLayout()
        grid.addWidget(QLabel("z"), 0, 0)
        grid.addWidget(self.redshift, 0, 1)
        grid.addWidget(self.velocity, 0, 2)
        self.search = tool_button(self.context, "fa6s.magnifying-glass", "Find the redshift by the lines", self._search)
        grid.addWidget(self.search, 0, 3)
        self.own = tool_button(self.context, "fa6s.file-lines", "Mark lines of a file…", self._own_lines)
        self.own.setCheckable(True)
        grid.addWidget(self.own, 0, 4)
        grid.addWidget(self.fine, 1, 0, 1, 5)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        return grid

    def _looks(self) -> QGridLayout:
        grid = QGridLayout()
        self.choices: dict[str, QComboBox] = {}
        offered = {
            "normalize": ("Normalise", {"none": "as it is", "median": "by median", "peak": "by peak"}),
            "smoothing": ("Smooth", {"none": "not", "boxcar": "boxcar", "gaussian": "Gaussian"}),
            "masked": ("Masked", {"grey": "in grey", "hide": "hidden", "show": "like others"}),
        }
        for row, (name, (title, values)) in enumerate(offered.items()):
            box = QComboBox()
            for value, text in values.items():
                box.addItem(text, value)
            box.setAccessibleName(title)
            box.activated.connect(lambda _, name=name: self._choose(name))
            self.choices[name] = box
            grid.addWidget(QLabel(title), row, 0)
            grid.addWidget(box, row, 1)
        self.width_ = NumberBox(decimals=1, minimum=0.1, maximum=10_000, suffix=" channels")
        self.width_.setAccessibleName("Width of smoothing")
        self.width_.valueChanged.connect(lambda value: self._set(smoothing_width=value))
        self.offset = NumberBox(decimals=4, minimum=-1e9, maximum=1e9, prefix="offset ")
        self.offset.setAccessibleName("Offset of each spectrum from the one before")
        self.offset.valueChanged.connect(lambda value: self._set(offset=value))
        grid.addWidget(self.offset, 0, 2)
        grid.addWidget(self.width_, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        return grid

    def _numbers(self) -> QVBoxLayout:
        self.where = muted(QLabel())
        self.all = tool_button(self.context, "fa6s.table", "Table of all ranges and spectra", self._tabulate)
        self.table = QTableWidget(len(ROWS), 0)
        self.table.setVerticalHeaderLabels([title for _, title, _ in ROWS])
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setAccessibleName("Numbers of the ranges")
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head = QHBoxLayout()
        head.addWidget(self.where, 1)
        self.fit = tool_button(self.context, "fa6s.chart-area", "Fit lines in a range…", self._fit)
        head.addWidget(self.fit)
        head.addWidget(self.all)
        layout = QVBoxLayout()
        layout.addLayout(head)
        layout.addWidget(self.table, 1)
        return layout

    # --- the view -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state of the view, and measure."""
        view = self.view
        if view is None:
            return
        self._filling = True
        for name, button in self.lists.items():
            button.setChecked(name in view.lines)
        self.own.setChecked(bool(view.own_lines))
        told = f"Take the {len(view.own_lines)} lines of files away" if view.own_lines else "Mark lines of a file…"
        self.own.setToolTip(told)
        self.own.setAccessibleName(told)
        fill_quietly(self.redshift, view.redshift)
        fill_quietly(self.velocity, view.redshift * SPEED_OF_LIGHT)
        for name, box in self.choices.items():
            box.setCurrentIndex(box.findData(getattr(view, name)))
        fill_quietly(self.width_, view.smoothing_width)
        fill_quietly(self.offset, view.offset)
        self.width_.setEnabled(view.smoothing != "none")
        self._filling = False
        self._newest.ask()

    def _set(self, **values: Any) -> None:
        if self.view is not None and not self._filling:
            try:
                self.view.update(**values)
            except JvizError as error:
                self.context.notify("error", str(error))

    def _choose(self, name: str) -> None:
        self._set(**{name: self.choices[name].currentData(), **({"y_range": None} if name == "normalize" else {})})

    def _mark(self) -> None:
        self._set(lines=tuple(name for name, button in self.lists.items() if button.isChecked()))

    # --- redshift -------------------------------------------------------------------------------

    def _shift(self, redshift: float) -> None:
        if not self._filling:
            self._set(redshift=min(max(redshift, -0.99), 100.0))

    def _take(self) -> None:
        self._start = self.view.redshift if self.view is not None else 0.0
        self._seal()

    def _slide(self, value: int) -> None:
        self._shift((1 + self._start) * (1 + 0.01 * value / FINE) - 1)

    def _end(self) -> None:
        self.fine.setValue(0)
        self._seal()

    def _search(self) -> None:
        if self.view is not None:
            self.context.run("spectrum.identify", view=self.view)

    def _own_lines(self) -> None:
        """Ask for a file with lines, or take those of files away."""
        if self.view is None:
            return
        if self.view.own_lines:
            self._set(own_lines=())
            self._seal()
        else:
            self.own.setChecked(False)
            self.context.run("spectrum.line_file")

    def _seal(self) -> None:
        self.session.flush()
        self.session.history.seal()

    # --- numbers --------------------------------------------------------------------------------

    def _begin(self) -> Any:
        """Return what measures the ranges of the topmost spectrum, and what shows it."""
        view = self.view
        layers = measured_layers(view) if view is not None else []
        if not layers:
            self._show([], "No spectrum is visible.")
            return None
        try:
            found = ranges_to_measure(self.session, None, None, view, layers=layers[-1:])[:MOST]
        except JvizError as error:
            self._show([], str(error))
            return None

        def work(job: Any) -> tuple:
            try:
                shown = [as_shown(one, view) for one in found]
                return [(one, *measured(one)) for one in shown], layers[-1].title
            except JvizError as error:
                return [], str(error)

        return work, self._show

    def _show(self, numbers: list[Any], text: str) -> None:
        self.where.setText(text)
        self.where.setToolTip(text)
        self.where.setWordWrap(not numbers)
        self.table.setVisible(bool(numbers))
        self.table.setColumnCount(len(numbers))
        self.table.setHorizontalHeaderLabels([one.name for one, _, _ in numbers])
        if numbers:
            samples = numbers[0][0].samples
            self.table.setVerticalHeaderLabels(row_titles(ROWS, samples.axis.unit, samples.unit))
        for column, (_, found, note) in enumerate(numbers):
            for row, (name, _, _) in enumerate(ROWS):
                value = with_error(getattr(found, name), getattr(found, f"{name}_err", math.nan))
                item = QTableWidgetItem(value)
                item.setToolTip(f"{value}\n{note}".strip())
                self.table.setItem(row, column, item)
        self.table.resizeColumnsToContents()

    def _fit(self) -> None:
        if self.view is not None:
            self.context.open_panel("line_fit")

    def _tabulate(self) -> None:
        if self.view is not None:
            self.context.run("spectrum.statistics", view=self.view)

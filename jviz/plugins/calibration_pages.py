"""Pages of the Calibration panel beside the steps: the log, before and after, and the runs."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontDatabase, QPainter, QPalette, QTextCharFormat
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from jviz.api import JvizError, LiveRun, TableView, comparison_of, comparison_table, counted
from jviz.plugins.parts import Newest, muted, tool_button

__all__ = ["ComparePage", "LogPage", "RunsPage"]


AT_ONCE, BREATH_MS = 200, 4
"""Lines of a log that are shown before the window does something else, and for how long it has time to."""


class LogPage(QPlainTextEdit):
    """What the pipelines say; warnings are amber, errors red."""

    def __init__(self) -> None:
        super().__init__(readOnly=True, maximumBlockCount=20_000)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setAccessibleName("Log of the pipelines")
        self.setPlaceholderText("The log of the pipelines comes here.")
        self._run: LiveRun | None = None
        self._count = 0
        self._more = QTimer(self, singleShot=True, interval=BREATH_MS)
        self._more.timeout.connect(lambda: self._run is not None and self.show_run(self._run))

    def show_run(self, run: LiveRun) -> None:
        """Show the log of a run, or what came since; a long one comes in pieces."""
        if run is not self._run:
            self._run, self._count = run, 0
            self.clear()
        said, kept = run.said, run.log.copy()
        # Of a log that is longer than what is kept, the first lines are gone.
        gone = max(said - len(kept), 0)
        begin = max(self._count, gone)
        fresh = list(islice(kept, begin - gone, begin - gone + AT_ONCE))
        self._count = begin + len(fresh)
        if self._count < said:
            self._more.start()
        if fresh:
            self._write(fresh)

    def _write(self, fresh: list[str]) -> None:
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        cursor = self.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        cursor.beginEditBlock()
        for line in fresh:
            if cursor.position():
                cursor.insertBlock()
            cursor.insertText(line, _format(line))
        cursor.endEditBlock()
        if at_end:
            bar.setValue(bar.maximum())


def _format(line: str) -> QTextCharFormat:
    form = QTextCharFormat()
    word = line[9:].partition(" ")[0]
    colours = {"WARNING": "#c98a1b", "ERROR": "#d9534f", "CRITICAL": "#d9534f"}
    if word in colours:
        form.setForeground(QColor(colours[word]))
    return form


COMPARED = ("image", "cube", "ramp", "spectrum2d", "spectrum")
"""Kinds of data that are compared before and after."""


WAYS = {"": "Over Each Other", "blink": "Blink", "curtain": "Curtain", "difference": "Difference", "ratio": "Ratio"}
"""How two products are shown, and what that is called: ``""`` is for spectra alone, blink and curtain for images."""


class ComparePage(QWidget):
    """Two data before and after: how they are shown over each other, and what differs."""

    def __init__(self, context: Any, links: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self.before, self.after = QComboBox(), QComboBox()
        self.table, self.bars = TableView("What differs"), Bars()
        self.about = muted(QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText))
        self._newest = Newest(links, self.session, "Before and after", self._begin)
        self._view: Any = None
        self._arrange()

    def _arrange(self) -> None:
        grid, row = QGridLayout(), QHBoxLayout()
        for number, (words, box) in enumerate((("Before", self.before), ("After", self.after))):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
            box.setAccessibleName(f"{words} the calibration")
            box.activated.connect(self._newest.ask)
            grid.addWidget(QLabel(words), number, 0)
            grid.addWidget(box, number, 1)
        grid.setColumnStretch(1, 1)
        self.buttons = {}
        for way, words in WAYS.items():
            self.buttons[way] = QPushButton(words)
            self.buttons[way].clicked.connect(partial(self.show_way, way))
            row.addWidget(self.buttons[way])
            self.buttons[way].setVisible(bool(way))
        row.addStretch(1)
        self.drop_button = tool_button(self.context, "fa6s.trash", "Drop the run that made “after”", self.drop)
        row.addWidget(self.drop_button)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.bars)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.addLayout(grid)
        layout.addLayout(row)
        layout.addWidget(self.about)
        layout.addWidget(split, 1)

    # --- what is compared -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Offer the data of the session."""
        names = [data.name for data in self.session.data if data.kind in COMPARED]
        for box, otherwise in ((self.before, 0), (self.after, len(names) - 1)):
            # As long as there was one alone, nobody chose it.
            chosen = box.currentText() if box.count() > 1 else ""
            if [box.itemText(n) for n in range(box.count())] == names:
                continue
            with QSignalBlocker(box):
                box.clear()
                box.addItems(names)
                box.setCurrentIndex(max(0, names.index(chosen) if chosen in names else otherwise))
        self._settle()
        if self.isVisible():
            self._newest.ask()

    def choose(self, before: str, after: str) -> None:
        """Choose what is compared, by name."""
        self.refresh()
        self.before.setCurrentText(before)
        self.after.setCurrentText(after)
        self._newest.ask()

    def pair(self) -> tuple[Any, Any] | None:
        """Return the two data, or None when there are not two."""
        names = self.before.currentText(), self.after.currentText()
        if names[0] == names[1] or any(name not in self.session for name in names):
            return None
        return self.session[names[0]], self.session[names[1]]

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.refresh()

    def _settle(self) -> None:
        pair = self.pair()
        of_spectra = pair is not None and all(data.kind == "spectrum" for data in pair)
        for way, button in self.buttons.items():
            button.setEnabled(pair is not None)
            button.setVisible(way in ("difference", "ratio") or (way == "") == of_spectra)
        self.drop_button.setEnabled(pair is not None)
        if pair is None:
            self.about.setText("Open or calibrate two products of one exposure to compare them here.")
            self.table.show_table(None)
            self.bars.show_counts(np.empty(0), np.empty(0))

    def _begin(self) -> Any:
        self._settle()
        pair = self.pair()
        return None if pair is None else (partial(_compared, *pair), self._show)

    def _show(self, table: Any, comparison: Any, problem: str) -> None:
        self.about.setText(problem or _said(comparison))
        self.table.show_table(table)
        if comparison is not None:
            self.bars.show_counts(comparison.edges, comparison.counts)
        else:
            self.bars.show_counts(np.empty(0), np.empty(0))

    # --- what the user does ---------------------------------------------------------------------

    def show_way(self, way: str) -> None:
        """Show the two over each other."""
        pair = self.pair()
        if pair is None:
            return
        view = self._view if self._view in self.session.views.values() else None
        given = {} if view is None else {"view": view}
        made = self.context.run("calibration.show", before=pair[0], after=pair[1], way=way or None, **given)
        self._view = made or self._view

    def drop(self) -> None:
        """Drop the run that made what is after."""
        if (pair := self.pair()) is not None:
            self.context.run("calibration.drop", data=pair[1])


def _compared(before: Any, after: Any, job: Any) -> tuple:
    try:
        comparison = comparison_of(before, after, job.report)
        return comparison_table(comparison, before, after), comparison, ""
    except JvizError as error:
        return None, None, str(error)


def _said(comparison: Any) -> str:
    differ = comparison.numbers["pixels that differ"][2]
    flags = sum(1 for flag in comparison.flags if flag.added or flag.removed)
    changed = f"{counted(flags, 'flag')} and {counted(len(comparison.keywords), 'keyword')} changed"
    return f"{counted(differ, 'pixel')} differ{'s' if differ == 1 else ''}, {changed}"


class Bars(QWidget):
    """A histogram of differences, painted by hand; zero is marked."""

    def __init__(self) -> None:
        super().__init__()
        self._edges, self._counts = np.empty(0), np.empty(0)
        self.setMinimumHeight(90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Histogram of the differences")
        self.setToolTip("Differences, after − before, between their 0.5th and 99.5th percentile (logarithmic counts)")

    def sizeHint(self) -> QSize:
        return QSize(240, 120)

    def show_counts(self, edges: np.ndarray, counts: np.ndarray) -> None:
        """Take over the numbers."""
        self._edges, self._counts = edges, counts
        self.update()

    def paintEvent(self, event: Any) -> None:
        if not len(self._counts):
            return
        with QPainter(self) as painter:
            text = self.fontMetrics().height() + 4
            area = QRectF(8, 6, self.width() - 16, self.height() - text - 8)
            heights = np.log1p(self._counts) / (np.log1p(self._counts.max()) or 1)
            step = area.width() / len(heights)
            colour = self.palette().color(QPalette.ColorRole.Link)
            for n, height in enumerate(heights):
                bar = QRectF(area.left() + n * step, area.bottom() - height * area.height(), max(step - 0.5, 1),
                             height * area.height())  # fmt: skip
                painter.fillRect(bar, colour)
            self._paint_labels(painter, area)

    def _paint_labels(self, painter: QPainter, area: QRectF) -> None:
        low, high = self._edges[0], self._edges[-1]
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        below = QRectF(area.left(), area.bottom() + 2, area.width(), self.fontMetrics().height() + 2)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, f"{low:.4g}")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{high:.4g}")
        if low < 0 < high:
            x = area.left() + (0 - low) / (high - low) * area.width()
            painter.drawLine(int(x), int(area.top()), int(x), int(area.bottom()))
            painter.drawText(QRectF(x - 20, below.top(), 40, below.height()), Qt.AlignmentFlag.AlignHCenter, "0")


RUN_COLUMNS = ("state", "started", "title", "pipelines", "priority", "context", "error", "folder", "run")
"""What the page of runs shows of each."""


def _runs(session: Any, job: Any) -> tuple:
    try:
        return session.calibrations.runs(), ""
    except JvizError as error:
        return None, str(error)


class RunsPage(QWidget):
    """The runs of this user: what was made, what failed, what was interrupted."""

    def __init__(self, context: Any, links: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self._newest = Newest(links, self.session, "Runs of calibrations", self._begin)
        self.table = TableView("Runs of calibrations")
        self.about = muted(QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText))
        self.open_button, self.resume_button = QPushButton("Open Products"), QPushButton("Resume Interrupted")
        self.open_button.clicked.connect(self.open_products)
        self.resume_button.clicked.connect(self.resume)
        self.table.doubleClicked.connect(lambda _: self.open_products())
        row = QHBoxLayout()
        row.addWidget(self.about, 1)
        row.addWidget(self.resume_button)
        row.addWidget(self.open_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        self._rows: Any = None
        self._states: dict[str, str] = {}
        links.signal(self.session.calibrations.changed, self._changed)

    def _changed(self, run: LiveRun) -> None:
        """Read the queue again when a run begins or ends."""
        if self._states.get(run.id) != run.state:
            self._states[run.id] = run.state
            if self.isVisible():
                self.refresh()

    def refresh(self) -> None:
        """Read the queue, in a job: each run has a record of its own."""
        self._newest.ask()

    def _begin(self) -> Any:
        return partial(_runs, self.session), self._show

    def _show(self, rows: Any, problem: str) -> None:
        if rows is None:
            self.about.setText(problem)
            return
        self._rows = rows[::-1]
        self.table.show_table(self._rows[RUN_COLUMNS])
        waiting = sum(state == "interrupted" for state in rows["state"])
        self.resume_button.setEnabled(waiting > 0)
        self.about.setText(counted(len(rows), "run") + (f", {waiting} interrupted" if waiting else ""))

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.refresh()

    def resume(self) -> None:
        """Begin the interrupted runs again, each as a job of its own: two go side by side, by their priority."""
        self.resume_button.setEnabled(False)
        rows = [row for row in self._rows if row["state"] == "interrupted"]
        for row in sorted(rows, key=lambda row: (-row["priority"], row["started"])):
            self.context.run("calibration.resume", run=str(row["run"]))

    def open_products(self) -> None:
        """Open the folder of the selected run."""
        rows = self.table.selected_rows()
        folders = [str(self._rows["folder"][row]) for row in rows if str(self._rows["folder"][row])]
        if folders:
            self.context.run("file.open", paths=folders)
        else:
            self.context.notify("warning", "Select a run that is done first.")

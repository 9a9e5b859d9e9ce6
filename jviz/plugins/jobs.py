"""The panel of long work: how far it is, how long it will take, and a way to stop it."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from jviz.api import Job
from jviz.plugins.parts import Panel, ProgressBar, muted, tool_button

__all__ = ["JobsPanel"]

STEPS = 1000


class JobsPanel(Panel):
    """Work that runs beside the window, newest first, with progress, remaining time and log.

    The cross stops a job: nothing half done is left. The arrow shows what a job said so far.
    """

    empty_text = "No jobs.\n\nOpening, measuring and other long work shows here, with a button to stop it."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.rows: dict[int, _Row] = {}
        self._cleared: set[int] = set()
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        self._list.addStretch()
        inner = QWidget()
        inner.setLayout(self._list)
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setAccessibleName("All jobs")
        area.setFrameShape(QFrame.Shape.NoFrame)
        self.summary = QLabel()
        self.clear_button = tool_button(context, "fa6s.broom", "Clear finished", self.clear_finished, label=True)
        self.setFocusProxy(area)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 2, 4, 2)
        bar.addWidget(self.summary, 1)
        bar.addWidget(self.clear_button)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(area)
        self._clock = QTimer(self, interval=500)
        self._clock.timeout.connect(self._tick)
        self.links.signal(self.session.jobs.changed, self.later)

    def jobs(self) -> list[Job]:
        """Return the jobs that are listed, oldest first."""
        return [job for job in self.session.jobs.all if not job.quiet and job.number not in self._cleared]

    def is_empty(self) -> bool:
        return not self.jobs()

    def refresh(self) -> None:
        jobs = self.jobs()
        for gone in set(self.rows) - {job.number for job in jobs}:
            self.rows.pop(gone).deleteLater()
        for job in jobs:
            if job.number not in self.rows:
                self.rows[job.number] = _Row(self.context, job)
                self._list.insertWidget(0, self.rows[job.number])
            self.rows[job.number].refresh()
        running = [job for job in jobs if not job.is_over]
        over = len(jobs) - len(running)
        self.summary.setText(f"{len(running)} running or waiting, {over} finished")
        self.clear_button.setEnabled(over > 0)
        if running and not self._clock.isActive():
            self._clock.start()
        elif not running:
            self._clock.stop()

    def clear_finished(self) -> None:
        """Take jobs that are over off the list."""
        self._cleared |= {job.number for job in self.jobs() if job.is_over}
        self.later()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self._clock.stop()
        self._stale = True

    def _tick(self) -> None:
        for row in self.rows.values():
            row.refresh()


class _Row(QFrame):
    """One job."""

    def __init__(self, context: Any, job: Job) -> None:
        super().__init__()
        self.job = job
        self._icon, self._shown = context.icon, ""
        self.mark, self.title, self.text, self.time = QLabel(), QLabel(), muted(QLabel()), muted(QLabel())
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setText(job.title)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.bar = ProgressBar(f"Progress of {job.title}")
        self.cancel_button = tool_button(context, "fa6s.xmark", f"Cancel {job.title}", job.cancel)
        self.log_button = QToolButton(checkable=True, autoRaise=True, arrowType=Qt.ArrowType.RightArrow)
        self.log_button.setToolTip("Show what it said")
        self.log_button.setAccessibleName(f"Log of {job.title}")
        self.log_button.toggled.connect(self._show_log)
        self.log = QPlainTextEdit(readOnly=True, visible=False, maximumHeight=160)
        self.log.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._arrange()

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 6, 4, 6)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(2, 1)
        grid.addWidget(self.log_button, 0, 0)
        grid.addWidget(self.mark, 0, 1)
        grid.addWidget(self.title, 0, 2)
        grid.addWidget(self.time, 0, 3)
        grid.addWidget(self.cancel_button, 0, 4)
        grid.addWidget(self.bar, 1, 1, 1, 4)
        grid.addWidget(self.text, 2, 1, 1, 4)
        grid.addWidget(self.log, 3, 1, 1, 4)

    def refresh(self) -> None:
        """Show the present state of the job."""
        job = self.job
        # A bar without a maximum runs to and fro: nobody knows yet how much there is to do.
        known = job.total or job.is_over or job.state == "queued"
        self.bar.show_progress(round(job.progress * STEPS), STEPS if known else 0)
        self.bar.setVisible(not job.is_over)
        self.cancel_button.setVisible(not job.is_over)
        self.cancel_button.setEnabled(not job.cancel_wanted)
        self.time.setText(time_text(job))
        self.text.setText(status_text(job))
        self.text.setVisible(bool(self.text.text()))
        self._show_mark()
        if self.log.isVisible():
            self._fill_log()

    def _show_mark(self) -> None:
        if self._shown != self.job.state:
            self._shown = self.job.state
            icon, colour = MARKS[self.job.state]
            self.mark.setPixmap(self._icon(icon, colour).pixmap(14, 14))
            self.mark.setToolTip(self.job.state.capitalize())
            self.mark.setAccessibleName(self.job.state)

    def _show_log(self, on: bool) -> None:
        self.log_button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.log.setVisible(on)
        self._fill_log()

    def _fill_log(self) -> None:
        text = "\n".join(self.job.log) or "It has said nothing."
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())


MARKS = {
    "queued": ("fa6s.hourglass-start", ""),
    "running": ("fa6s.gear", ""),
    "done": ("fa6s.circle-check", "#3fa66b"),
    "failed": ("fa6s.circle-exclamation", "#d9534f"),
    "cancelled": ("fa6s.ban", "#8a8f98"),
}


def status_text(job: Job) -> str:
    """Say what a job does, or how it ended."""
    if job.state == "failed":
        return str(job.error)
    if job.state == "queued":
        return "Waiting for its turn"
    if job.cancel_wanted and not job.is_over:
        return "Stopping …"
    return "" if job.is_over else job.text


def time_text(job: Job) -> str:
    """Say how long a job took, or how long it will still take."""
    if job.is_over:
        took = (job.ended or 0) - (job.started or job.ended or 0)
        return f"{job.state}, {duration(took)}" if job.started else job.state
    if job.remaining is not None:
        return f"{job.progress:.0%}, about {duration(job.remaining)} left"
    return duration(time.time() - job.started) if job.started else ""


def duration(seconds: float) -> str:
    """Write a time as a person would: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

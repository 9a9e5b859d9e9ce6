"""The panel in which raw CCD frames of any telescope are reduced."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from jviz.api import Job, JvizError, ccd_frames, ccd_instruments, counted
from jviz.plugins.parts import Newest, Panel, ProgressBar, is_dark, muted, tool_button

__all__ = ["CcdPanel"]

BY_HEADER = "as INSTRUME says"
KINDS = ("science", "flat", "dark", "bias")
NAMES = {"science": "of the sky", "flat": "flat", "dark": "dark", "bias": "bias"}
STEPS = {"overscan": "Overscan", "bias": "Bias", "dark": "Dark", "flat": "Flat", "cosmic_rays": "Cosmic rays"}
UNKNOWN = "not used"


class CcdPanel(Panel):
    """Reduce a folder of raw CCD frames of any telescope.

    Choose a folder: its frames are listed by kind, filter and exposure time, as the keywords of their instrument say
    (**Map Keywords…** changes what they mean). Tick the steps, choose how exposures are aligned and combined, and run.
    """

    empty_text = ""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._job: Job | None = None
        self._newest = Newest(self.links, self.session, "Raw frames", self._begin)
        self._make_parts()
        self._arrange()
        self.links.signal(self.session.jobs.changed, self._job_changed)
        self.links.signal(self.session.settings.changed, self._setting_changed)
        self._settle()

    # --- parts ----------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.folder = QLineEdit(placeholderText="Folder with raw frames")
        self.folder.setAccessibleName("Folder with raw frames")
        self.folder.editingFinished.connect(self._newest.ask)
        self.instrument = QComboBox()
        self.instrument.setAccessibleName("Instrument")
        self.instrument.setToolTip("Whose keywords count")
        self.instrument.activated.connect(self._newest.ask)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Frame", "Filter", "Time", "Object"])
        self.tree.setAccessibleName("Raw frames by kind")
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(14)
        self.tree.itemActivated.connect(self._open)
        self.steps = {}
        for name, title in STEPS.items():
            self.steps[name] = QCheckBox(title)
            self.steps[name].setChecked(True)
        self.combine, self.align = QComboBox(), QComboBox()
        for box, name, words in ((self.combine, "Combine", {"Mean": "mean", "Median": "median", "Do not": "none"}),
                                 (self.align, "Align", {"Whole pixels": "pixel", "Between pixels": "linear",
                                                        "Turn and scale": "stars", "Do not": "none"})):  # fmt: skip
            box.setAccessibleName(name)
            for text, value in words.items():
                box.addItem(text, value)
        self.gain, self.noise = (QLineEdit(placeholderText="header") for _ in range(2))
        for edit, words in ((self.gain, "Gain, electrons per count"), (self.noise, "Read noise, electrons")):
            edit.setAccessibleName(words)
            edit.setToolTip(f"{words}; empty: as headers say, or measured from pairs of frames")
        self.note = muted(QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText))
        self.status = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar = ProgressBar("Progress of the reduction")
        self.run_button, self.cancel_button = QPushButton("Reduce"), QPushButton("Cancel")
        self.run_button.clicked.connect(self.run)
        self.cancel_button.clicked.connect(self.cancel)

    def _arrange(self) -> None:
        button = partial(tool_button, self.context)
        head, second, steps, foot, grid = QHBoxLayout(), QHBoxLayout(), QGridLayout(), QHBoxLayout(), QGridLayout()
        head.addWidget(self.folder, 1)
        head.addWidget(button("fa6s.folder-open", "Choose a folder", self.choose))
        second.addWidget(QLabel("Keywords"))
        second.addWidget(self.instrument, 1)
        second.addWidget(button("fa6s.pen-to-square", "Map keywords of an instrument…", self.map_keywords))
        for number, box in enumerate(self.steps.values()):
            steps.addWidget(box, number // 3, number % 3)
        fields = (("Align", self.align), ("Combine", self.combine), ("Gain (e⁻/count)", self.gain),
                  ("Read noise (e⁻)", self.noise))  # fmt: skip
        for number, (words, widget) in enumerate(fields):
            row, column = divmod(number, 2)
            grid.addWidget(QLabel(words), row, 2 * column)
            grid.addWidget(widget, row, 2 * column + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        foot.addWidget(self.status, 1)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.run_button)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(6)
        for part in (head, second, self.tree, self.note, steps, grid, self.bar, foot):
            layout.addWidget(part) if part in (self.tree, self.note, self.bar) else layout.addLayout(part)
        layout.setStretchFactor(self.tree, 1)

    # --- what is shown --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Offer the instruments."""
        names = [BY_HEADER, *(each.name for each in ccd_instruments(self.session))]
        if [self.instrument.itemText(n) for n in range(self.instrument.count())] != names:
            chosen = self.instrument.currentText()
            with QSignalBlocker(self.instrument):
                self.instrument.clear()
                self.instrument.addItems(names)
                self.instrument.setCurrentIndex(max(names.index(chosen) if chosen in names else 0, 0))
        if not self.folder.text():
            self.note.setText("Choose a folder with raw frames of bias, dark, flat and sky.")

    def choose(self) -> None:
        """Choose the folder."""
        path = QFileDialog.getExistingDirectory(self, "Folder with raw frames", self.folder.text())
        if path:
            self.folder.setText(path)
            self._newest.ask()

    def map_keywords(self) -> None:
        """Say what the keywords of an instrument mean."""
        self.context.run("ccd.map_keywords")

    def _chosen(self) -> str | None:
        return self.instrument.currentText() if self.instrument.currentIndex() > 0 else None

    def _begin(self) -> Any:
        text = self.folder.text().strip()
        if not text:
            return None
        return partial(_listed, self.session, Path(text).expanduser(), self._chosen()), self._show

    def _show(self, instrument: Any, frames: Any, problem: str) -> None:
        self.tree.clear()
        if frames is None:
            self.note.setText(problem)
            self._settle()
            return
        counts = Counter(frame.kind or UNKNOWN for frame in frames)
        warn = QColor("#e5a50a" if is_dark(self) else "#8f5902")
        for kind in (*KINDS, UNKNOWN):
            if not counts[kind]:
                continue
            top = QTreeWidgetItem([f"{kind} ({counts[kind]})"])
            for frame in frames:
                if (frame.kind or UNKNOWN) == kind:
                    time = f"{frame.exposure:g} s" if frame.exposure == frame.exposure else ""
                    item = QTreeWidgetItem([frame.path.name, frame.filter, time, frame.object])
                    item.setData(0, Qt.ItemDataRole.UserRole, str(frame.path))
                    item.setToolTip(0, frame.note or str(frame.path))
                    if frame.note:
                        item.setForeground(0, warn)
                    top.addChild(item)
            self.tree.addTopLevelItem(top)
            top.setExpanded(kind == "science" or len(counts) == 1)
        for column in (0, 1, 2):
            self.tree.resizeColumnToContents(column)
        words = ", ".join(f"{counts[kind]} {name}" for kind, name in NAMES.items())
        unknown = f" {counted(counts[UNKNOWN], 'frame')} of unknown kind." if counts[UNKNOWN] else ""
        self.note.setText(f"{words}; keywords: {instrument.name}.{unknown}")
        self._settle()

    def _open(self, item: QTreeWidgetItem, _: int) -> None:
        path = item.data(0, Qt.ItemDataRole.UserRole)
        if path:
            self.context.run("file.open", paths=[path])

    # --- running --------------------------------------------------------------------------------

    def run(self) -> None:
        """Reduce the frames."""
        values: dict[str, Any] = {name: box.isChecked() for name, box in self.steps.items() if not box.isChecked()}
        if self.combine.currentData() != "mean":
            values["combine"] = self.combine.currentData()
        if self.align.currentData() != "pixel":
            values["align"] = self.align.currentData()
        for name, edit in (("gain", self.gain), ("read_noise", self.noise)):
            if edit.text().strip():
                values[name] = edit.text().strip()
        if self._chosen() is not None:
            values["instrument"] = self._chosen()
        self._job = self.context.run("ccd.reduce", folder=self.folder.text().strip(), **values)
        self._settle()

    def cancel(self) -> None:
        """Stop; nothing is left of it."""
        if self._job is not None:
            self._job.cancel()

    def _job_changed(self, job: Job) -> None:
        if job is not self._job:
            return
        if job.is_over:
            words = {"done": "Done", "cancelled": "Cancelled; nothing is left of it."}
            self.status.setText(words.get(job.state, str(job.error)))
            self.status.setToolTip(self.status.text())
            self._job = None
        else:
            self.status.setText(job.text)
            self.bar.show_progress(round(100 * job.progress) if job.progress else 0, 100 if job.progress else 0)
        self._settle()

    def _setting_changed(self, key: str) -> None:
        if key == "ccd.instruments":
            self.later()
            self._newest.ask()

    def _settle(self) -> None:
        busy = self._job is not None
        self.run_button.setEnabled(not busy and self.tree.topLevelItemCount() > 0)
        self.cancel_button.setEnabled(busy)
        self.bar.setVisible(busy)


def _listed(session: Any, folder: Path, instrument: str | None, job: Job) -> tuple:
    try:
        return *ccd_frames(session, folder, instrument, job.report), ""
    except JvizError as error:
        return None, None, str(error)

"""Reference files of one's own in the Calibration panel: fields that take them, and the look at them before a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFocusEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit

from jviz.api import ReferenceRow, reference_endings, reference_problem
from jviz.plugins.parts import Newest

__all__ = ["GivenReferences", "ReferenceField"]


class ReferenceField(QLineEdit):
    """A reference file of one type: the best one, unless a path is written or a file dropped.

    Attributes
    ----------
    offered : Signal
        With a path, "N/A", or "" for the best one: when it was dropped or chosen, or the writing of it has ended.
    """

    offered = Signal(str)

    def __init__(self, kind: str, path: str, used: str) -> None:
        super().__init__(path, clearButtonEnabled=True)
        self.kind, self._used = kind, used
        self._known = path
        self.setObjectName("takesFile")  # the window's veil for drops gives it the file
        self.setAcceptDrops(True)
        self.setAccessibleName(f"Reference file {kind}")
        self.textChanged.connect(self._changed)
        self.editingFinished.connect(self._offer)

    def show_best(self, best: ReferenceRow | None) -> None:
        """Say which file CRDS would take, and whether it is on this machine."""
        texts = {"cached": "{name}", "missing": "{name} (not on this machine)", "not applicable": "not applicable",
                 "no rule": "none found: {why}"}  # fmt: skip
        text = texts[best.state].format(name=best.best, why=best.note) if best is not None else ""
        self.setPlaceholderText(text or (f"in the header: {self._used}" if self._used else "the best one"))
        lines = [f"Best: {text}" if text else "", f"In the header: {self._used}" if self._used else "",
                 "Drop a file here to use it in every step that reads this type; N/A: none"]  # fmt: skip
        self.setToolTip("\n".join(filter(None, lines)))

    def show_file(self, path: str) -> None:
        """Show what was decided, and offer nothing."""
        self._known = path
        if self.text() != path:
            self.setText(path)

    def browse(self) -> None:
        """Choose a file."""
        kinds = f"References ({' '.join(f'*{ending}' for ending in reference_endings(self.kind))})"
        start = self._known if Path(self._known).is_absolute() else ""
        path, _ = QFileDialog.getOpenFileName(self, f"Reference file {self.kind}", start, kinds)
        if path:
            self.setText(path)

    def _changed(self, text: str) -> None:
        """Offer what was not written by hand, and an empty field at once; what is being written when that has ended."""
        if not (self.isModified() and self.hasFocus() and text.strip()):
            self._offer()

    def _offer(self) -> None:
        if (path := self.text().strip()) != self._known:
            self._known = path
            self.offered.emit(path)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.setModified(False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        urls = event.mimeData().urls()
        if urls and urls[0].isLocalFile():
            self.setText(str(Path(urls[0].toLocalFile())))
            event.acceptProposedAction()
        else:
            super().dropEvent(event)


class GivenReferences:
    """The files that were given in place of the best ones, by type; one that cannot be used gives way to the former.

    A file counts from the moment in which it is given, so that a run that is started at once has it (and refuses it
    by the same look); meanwhile a job looks at it.

    Parameters
    ----------
    panel : CalibrationPanel
        Whose forms show them.
    """

    def __init__(self, panel: Any) -> None:
        self._panel = panel
        self.files: dict[str, str] = {}
        self._found_good: dict[str, str] = {}
        self._offers: list[tuple[str, str]] = []
        self._told = ""
        self._newest = Newest(panel.links, panel.session, "Looking at a reference file", self._begin)

    @property
    def is_looking(self) -> bool:
        """Whether files are still to be looked at."""
        return bool(self._offers)

    def give(self, kind: str, path: str) -> None:
        """Take a file, "N/A", or "" for the best one."""
        self._set(kind, path)
        self._offers.append((kind, path))
        self._newest.ask()

    def _set(self, kind: str, path: str) -> None:
        if path:
            self.files[kind] = path
        else:
            self.files.pop(kind, None)
        for form in self._panel.forms_of_steps():  # several steps may read the type
            if kind in form.references:
                form.references[kind].show_file(path)
        self._panel.show_changes()

    def _begin(self) -> Any:
        if not self._offers:
            return None
        kind, path = self._offers[0]
        return partial(_looked_at, self._panel.choice, kind, path), partial(self._settle, kind, path)

    def _settle(self, kind: str, path: str, problem: str) -> None:
        """Keep what is good; what is not gives way to what was, unless another file was given meanwhile."""
        del self._offers[0]
        if not problem:
            self._found_good[kind] = path
        elif kind not in dict(self._offers):
            self._set(kind, self._found_good.get(kind, ""))
        if problem:
            self._panel.context.notify("error", problem)
        self._say(kind, problem)
        self._newest.ask()

    def _say(self, kind: str, problem: str) -> None:
        """Say above the forms that take the type what is wrong, and take back what was said of another file."""
        for form in self._panel.forms_of_steps():
            if kind in form.references and (problem or form.problem.text() == self._told):
                form.say(problem)
        self._told = problem


def _looked_at(choice: Any, kind: str, path: str, job: Any) -> tuple[str]:
    return (reference_problem(choice, kind, path),)

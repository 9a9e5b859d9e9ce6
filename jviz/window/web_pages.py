"""Asking the user whether a page in a browser may connect to jviz."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

__all__ = ["Doorkeeper", "PageQuestion"]

WIDTH = 440
MEANS = ("It then gets what is sent to it or to all programs, with the files that such messages name, learns which "
         "programs are connected, and can send images, tables, spectra, selected rows and positions, which are opened "
         "and never run. It can read no other file. This holds until the page is closed or you end it in Other "
         "Programs.")  # fmt: skip
ADVICE = "Allow it only if you have just asked for it on this page."


class PageQuestion(QDialog):
    """Names the page and where it comes from; nothing but a click on *Allow* lets it in.

    Parameters
    ----------
    knock : Knock
    """

    def __init__(self, knock: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.knock = knock
        self.setWindowTitle("A Page in a Browser Asks to Connect")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # What is being typed elsewhere must not answer.
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        for text, size in ((knock.origin, 1.25), (f"calls itself “{knock.name}” and wants to connect to jviz.", 1.0),
                           (MEANS, 1.0), (ADVICE, 1.0)):  # fmt: skip
            layout.addWidget(self._label(text, size))
        self.allow_button, self.refuse_button = QPushButton("Allow"), QPushButton("Refuse")
        self.allow_button.setAutoDefault(False)
        self.refuse_button.setDefault(True)
        self.refuse_button.setToolTip("Until jviz connects anew nothing more is asked for pages from there")
        buttons = QDialogButtonBox()
        buttons.addButton(self.allow_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.refuse_button, QDialogButtonBox.ButtonRole.RejectRole)
        layout.addSpacing(4)
        layout.addWidget(buttons)
        self.refuse_button.setFocus()

    def _label(self, text: str, size: float) -> QLabel:
        # The page chose the words: plain text, whatever is in them.
        label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        label.setMinimumWidth(WIDTH)
        if size != 1.0:
            font = label.font()
            font.setBold(True)
            font.setPointSizeF(font.pointSizeF() * size)
            label.setFont(font)
        return label


class Doorkeeper(QObject):
    """Asks for each page once, while it waits.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._samp = window, window.session.samp
        self.questions: dict[int, PageQuestion] = {}
        self._samp.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Ask for those that came, and not any more for those that went."""
        waiting = {knock.number: knock for knock in self._samp.waiting}
        for number in [number for number in self.questions if number not in waiting]:
            self.questions.pop(number).close()
        for number, knock in waiting.items():
            if number not in self.questions:
                self.questions[number] = self._ask(knock)

    def _ask(self, knock: Any) -> PageQuestion:
        question = PageQuestion(knock, self._window)
        page, run = str(knock.number), self._window.invoker.run
        question.allow_button.clicked.connect(partial(run, "samp.admit_page", page=page))
        question.refuse_button.clicked.connect(partial(run, "samp.refuse_page", page=page))
        # Closed without a word: not now.
        question.rejected.connect(partial(self._samp.answer_page, knock.number, False, remember=False))
        question.show()
        return question

    def release(self) -> None:
        """Stop listening."""
        self._samp.changed.disconnect(self.refresh)
        for question in self.questions.values():
            question.close()
        self.questions.clear()

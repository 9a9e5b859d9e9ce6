"""The page of the Calibration panel that reports how good the active product is."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import JvizError, entries, quality_checks, worst_verdict
from jviz.plugins.parts import Newest, is_dark, muted

__all__ = ["WORDS", "QualityPage", "value_text"]

WORDS = {"good": "good", "look": "look at it", "bad": "bad", "unknown": "not known"}
COLOURS = {"good": ("#1c7f5c", "#4fc99a"), "look": ("#8f5902", "#e5a50a"), "bad": ("#c01c28", "#ff7b72"),
           "unknown": ("#6b7280", "#8d95a1")}  # fmt: skip
"""On light and on dark ground."""

SAID = {"good": "nothing stands out.", "look": "some of it deserves a look.", "bad": "something is wrong.",
        "unknown": "little is known of it."}  # fmt: skip


class QualityPage(QWidget):
    """Numbers with verdicts: what the header, the flags, the background and the stars of a product say."""

    def __init__(self, context: Any, links: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Check", "Value", "Verdict"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName("Quality of the product")
        self.tree.currentItemChanged.connect(lambda item, _: self.detail.setText(_detail(item)))
        self.detail = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.about = muted(QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText))
        self.reference = QComboBox()
        self.reference.setAccessibleName("Reference catalogue")
        self.reference.setToolTip("Catalogue with positions, such as Gaia, that stars are compared with")
        self.reference.activated.connect(lambda _: self.ask())
        self.keep_button = QPushButton("Keep as Result")
        self.keep_button.setToolTip("Put the report among the results")
        self.keep_button.clicked.connect(self.keep)
        row = QHBoxLayout()
        row.addWidget(QLabel("Positions against"))
        row.addWidget(self.reference, 1)
        row.addWidget(self.keep_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.addWidget(self.about)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.detail)
        layout.addLayout(row)
        self._shown: tuple[Any, Any] | None = None
        self._newest = Newest(links, self.session, "Quality report", self._begin)
        links.signal(self.session.data_changed, self.refresh)
        context.active_changed.connect(self.refresh)

    @property
    def product(self) -> Any:
        """The data of the active view, when they are arrays."""
        view = self.context.active_view()
        data = getattr(getattr(view, "layer", None), "data", None)
        return data if data is not None and data.planes else None

    def refresh(self) -> None:
        """Report on the active product, when the page is seen."""
        names = ["no catalogue", *(data.name for data in self.session.data if data.kind == "catalog")]
        if [self.reference.itemText(n) for n in range(self.reference.count())] != names:
            chosen = self.reference.currentText()
            with QSignalBlocker(self.reference):
                self.reference.clear()
                self.reference.addItems(names)
                self.reference.setCurrentIndex(names.index(chosen) if chosen in names else 0)
        if self.isVisible() and (self.product, self._catalogue()) != self._shown:
            self.ask()

    def ask(self) -> None:
        """Report anew."""
        self._newest.ask()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.refresh()

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()

    def _catalogue(self) -> Any:
        name = self.reference.currentText()
        known = self.reference.currentIndex() > 0 and name in self.session
        return self.session[name] if known else None

    def _begin(self) -> Any:
        data, catalogue = self.product, self._catalogue()
        self._shown = (data, catalogue)
        self.keep_button.setEnabled(data is not None)
        if data is None:
            self.tree.clear()
            self.about.setText("Open a product to see how good it is.")
            return None
        return partial(_checked, data, catalogue), self._show

    def _show(self, data: Any, checks: Any, problem: str) -> None:
        if data is not self.product:
            return
        self.tree.clear()
        for check in checks or ():
            item = QTreeWidgetItem([check.name, value_text(check), WORDS[check.verdict]])
            item.setData(0, Qt.ItemDataRole.UserRole, check)
            for column in range(3):
                item.setToolTip(column, check.said)
            self.tree.addTopLevelItem(item)
        self._colour()
        for column in range(3):
            self.tree.resizeColumnToContents(column)
        self._choose_worst(checks or ())
        self.about.setText(problem or f"{data.name}: {SAID[worst_verdict(checks)]}")

    def _colour(self) -> None:
        """Give the verdicts the colours of the theme."""
        for number in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(number)
            verdict = item.data(0, Qt.ItemDataRole.UserRole).verdict
            item.setForeground(2, QColor(COLOURS[verdict][is_dark(self)]))

    def _choose_worst(self, checks: Any) -> None:
        """Explain what most deserves a look."""
        wanted = worst_verdict(list(checks))
        self.detail.clear()
        for number, check in enumerate(checks):
            if check.verdict == wanted and wanted != "good":
                self.tree.setCurrentItem(self.tree.topLevelItem(number))
                return
        self.detail.setText("Choose a row to read what it means." if checks else "")

    def keep(self) -> None:
        """Put the report among the results."""
        if self.product is not None:
            catalogue = self._catalogue()
            given = {"reference": catalogue.name} if catalogue is not None else {}
            self.context.ask("calibration.quality", data=self.product.name, **given)
            self.context.open_panel("results")


def _detail(item: Any) -> str:
    check = item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None
    return f"{check.name}: {check.said}" if check is not None else ""


def _checked(data: Any, catalogue: Any, job: Any) -> tuple:
    try:
        return data, quality_checks(data, catalogue, job.report), ""
    except JvizError as error:
        return data, None, str(error)


def value_text(check: Any) -> str:
    """Return a value with its error and unit, as people write it."""
    if check.value != check.value:
        return "–"
    if check.name in PARTS:
        return f"{100 * check.value:.3g} %"
    if not check.error > 0:
        return f"{check.value:.4g} {check.unit}".rstrip()
    [(_, text)] = entries({"value": check.value, "value_err": check.error})
    return f"{text} {check.unit}".rstrip()


PARTS = ("calibration", "saturated", "not to be used")
"""Checks whose values are parts of a whole."""

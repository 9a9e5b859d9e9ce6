"""The panel of live spectra of cubes: what they are over regions, their background, and keeping them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
)

from jviz.api import JvizError, pretty_unit
from jviz.plugins.parts import Panel, muted

STATISTICS = {"mean": "Mean", "sum": "Sum", "median": "Median", "min": "Least value", "max": "Greatest value"}


class CubeSpectraPanel(Panel):
    """What the spectra of regions on cubes are while they are drawn and moved, and which are shown now.

    *Statistic* is over the spaxels of each region, *Background* the region whose mean is taken away from the others.
    Keep makes data of the spectra of the regions chosen in the list, of all where none is chosen; that under the
    cursor is kept by Shift+K.
    """

    empty_text = "Open a cube, and draw regions on it: their spectra follow while you move them."
    pause_ms = 60

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.live = self.session.cube_spectra
        self._make_widgets()
        form = QFormLayout()
        form.addRow("Statistic", self.statistic)
        form.addRow("Background", self.background)
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.keep)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(form)
        layout.addWidget(self.list, 1)
        layout.addLayout(foot)
        context.active_changed.connect(self.later)
        for signal in (self.live.changed, self.session.live_spectra.changed, self.session.subsets_changed,
                       self.session.views_changed):  # fmt: skip
            self.links.signal(signal, self.later)

    def _make_widgets(self) -> None:
        self.statistic, self.background = QComboBox(), QComboBox()
        self.statistic.setAccessibleName("Statistic over the spaxels of regions")
        for value, text in STATISTICS.items():
            self.statistic.addItem(text, value)
        self.statistic.activated.connect(self._choose_statistic)
        self.background.setAccessibleName("Region whose mean is taken away")
        self.background.activated.connect(self._choose_background)
        self.list = QListWidget()
        self.list.setAccessibleName("Spectra that are shown now")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setIconSize(QSize(14, 14))
        self.keep = QPushButton("Keep")
        self.keep.setToolTip("Make data of the spectra of the chosen regions, with their errors")
        self.keep.clicked.connect(self._keep)
        self.note = muted(QLabel())
        self.note.setWordWrap(True)

    # --- showing --------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        return not self.live.cubes()

    def refresh(self) -> None:
        self.statistic.setCurrentIndex(self.statistic.findData(self.live.statistic))
        self._offer_backgrounds()
        shown = self.session.live_spectra.shown
        chosen = {item.text() for item in self.list.selectedItems()}
        wanted = [(live.title, live.color) for live in shown]
        if wanted != [(self.list.item(k).text(), self.list.item(k).toolTip()) for k in range(self.list.count())]:
            self._fill(wanted, chosen)
        regions = [live for live in shown if not live.name.startswith("Cursor")]
        self.keep.setEnabled(bool(regions))
        unit = pretty_unit(regions[0].samples.unit) if regions else ""
        drawn = any(subset.on_images for subset in self.session.subsets.values())
        waiting = "Draw a region on the cube." if not drawn else "No region on the cube yet, or its spectrum is coming."
        self.note.setText("" if regions and not unit else f"In {unit}" if unit else waiting)

    def _fill(self, wanted: list[tuple[str, str]], chosen: set[str]) -> None:
        self.list.clear()
        for title, color in wanted:
            square = QPixmap(14, 14)
            square.fill(QColor(color) if color else self.palette().text().color())
            item = QListWidgetItem(QIcon(square), title, self.list)
            item.setToolTip(color)
            item.setSelected(title in chosen)

    def _offer_backgrounds(self) -> None:
        names = [name for name, subset in self.session.subsets.items() if subset.on_images]
        if [self.background.itemData(k) for k in range(self.background.count())] != ["", *names]:
            self.background.clear()
            self.background.addItem("None", "")
            for name in names:
                self.background.addItem(name, name)
        self.background.setCurrentIndex(self.background.findData(self.live.background))

    # --- choosing -------------------------------------------------------------------------------

    def _choose_statistic(self) -> None:
        self.live.statistic = self.statistic.currentData()

    def _choose_background(self) -> None:
        try:
            self.session.run("cube.background", region=self.background.currentData())
        except JvizError as error:
            self.context.notify("error", str(error))

    def _keep(self) -> None:
        """Extract the regions that are chosen in the list, by the command: with its line in the script."""
        chosen = {item.text() for item in self.list.selectedItems()}
        found = self.live.regions_shown()
        for title, region, cube in found:
            if title in chosen or not chosen & {title for title, _, _ in found}:
                below = {"background": self.live.background} if self.live.background not in ("", region) else {}
                self.context.run("cube.extract", data=cube.name, region=region, statistic=self.live.statistic, **below)

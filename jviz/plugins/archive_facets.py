"""The facets of the Archive panel: values and histograms of what was found, ticked to narrow it down."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QHeaderView, QStyledItemDelegate, QTreeWidget, QTreeWidgetItem

from jviz.api import Facet, fitting

__all__ = ["FacetTree"]

SHOWN = 12
"""Values of a facet that are listed, the most frequent."""

TITLES = {"asked_for": "Target asked for", "obs_collection": "Mission", "instrument_name": "Instrument",
          "instrume": "Instrument", "filters": "Filter", "opticalElements": "Filter", "calib_level": "Level",
          "productLevel": "Level", "dataproduct_type": "Type", "exp_type": "Exposure type", "suffix": "Suffix",
          "proposal_id": "Program", "program": "Program", "proposal_pi": "Investigator", "pi_name": "Investigator",
          "target_name": "Target", "targprop": "Target", "dataRights": "Rights", "t_exptime": "Exposure time (s)",
          "duration": "Duration (s)", "t_min": "Start (MJD)", "distance": "Distance", "em_min": "Wavelength from",
          "facility_name": "Facility", "intentType": "Intent"}  # fmt: skip
CODE, COUNT, SHARE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2


class FacetTree(QTreeWidget):
    """Facets with the number of rows for each value; ``chosen`` says that other rows are wanted."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Facets of what was found")
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.setIndentation(10)
        self.setUniformRowHeights(True)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setItemDelegateForColumn(0, _Bars(self))
        self._facets: list[Facet] = []
        self._wanted: dict[str, frozenset[int]] = {}
        self.hide()
        self.itemChanged.connect(self._ticked)

    def show_facets(self, facets: list[Facet], rows: int) -> None:
        """Show other facets, and be out of sight without any; nothing is ticked."""
        self.setVisible(bool(facets))
        self._facets, self._wanted = facets, {}
        self._rows = rows
        self.blockSignals(True)
        self.clear()
        for number, facet in enumerate(facets):
            head = QTreeWidgetItem(self, [TITLES.get(facet.name, facet.name)])
            head.setData(0, CODE, facet.name)
            font = head.font(0)
            font.setBold(True)
            head.setFont(0, font)
            head.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            self._list(head, facet)
            head.setExpanded(number < 4)
        self.blockSignals(False)
        self._count()

    def _list(self, head: QTreeWidgetItem, facet: Facet) -> None:
        counts = facet.counts(np.ones(self._rows, bool))
        codes = np.arange(facet.size) if not facet.labels else np.argsort(-counts, kind="stable")[:SHOWN]
        for code in codes.tolist():
            if counts[code]:
                text = facet.labels[code] if facet.labels else _range(facet.edges, code)
                item = QTreeWidgetItem(head, [text, ""])
                item.setData(0, CODE, code)
                item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(0, Qt.CheckState.Unchecked)

    def rows(self) -> np.ndarray | None:
        """Return which rows fit what is ticked, None for all."""
        return fitting(self._facets, self._wanted)

    def _ticked(self, item: QTreeWidgetItem, column: int) -> None:
        head = item.parent()
        if head is None or column != 0:
            return
        ticked = [head.child(n) for n in range(head.childCount())]
        self._wanted[head.data(0, CODE)] = frozenset(
            child.data(0, CODE) for child in ticked if child.checkState(0) == Qt.CheckState.Checked
        )
        self._count()
        self.chosen.emit()

    def _count(self) -> None:
        """Say for each value how many rows it has among those that fit the other facets."""
        self.blockSignals(True)
        for number, facet in enumerate(self._facets):
            fits = fitting(self._facets, self._wanted, but=facet.name)
            counts = facet.counts(np.ones(self._rows, bool) if fits is None else fits)
            most, head = max(int(counts.max(initial=0)), 1), self.topLevelItem(number)
            for child in (head.child(n) for n in range(head.childCount())):
                count = int(counts[child.data(0, CODE)])
                child.setText(1, f"{count:,}")
                child.setData(0, SHARE, count / most)
        self.blockSignals(False)
        self.viewport().update()


def _range(edges: np.ndarray, code: int) -> str:
    return f"{edges[code]:.4g} – {edges[code + 1]:.4g}"


class _Bars(QStyledItemDelegate):
    """Lays a bar behind each value, as long as its share of the rows."""

    def paint(self, painter: QPainter, option: Any, index: QModelIndex) -> None:
        share = index.data(SHARE)
        if share:
            accent = option.palette.color(QPalette.ColorRole.Accent)
            area = QRectF(option.rect).adjusted(18, 2, -2, -2)
            area.setWidth(max(area.width() * float(share), 2))
            painter.fillRect(area, QColor(accent.red(), accent.green(), accent.blue(), 70))
        super().paint(painter, option, index)

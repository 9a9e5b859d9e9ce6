"""Headers of a table that know which of their sections is the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHeaderView

if TYPE_CHECKING:
    from jviz.viewers.tables.model import TableModel

__all__ = ["Header"]


class Header(QHeaderView):
    """A header as large as the largest of its sections.

    Qt asks up to 200 sections for their font, text, icon and order, three times for each new table.

    Parameters
    ----------
    orientation : Qt.Orientation
    model : TableModel
    """

    def __init__(self, orientation: Qt.Orientation, model: TableModel) -> None:
        super().__init__(orientation)
        self._shown = model
        self.setSectionsClickable(True)
        self.setHighlightSections(False)

    def sizeHint(self) -> QSize:
        """Return the size of the largest section."""
        # All names of columns stand on as many lines as the first one.
        sections = self._shown.widest_rows() if self.orientation() == Qt.Orientation.Vertical else [0]
        sizes = [self.sectionSizeFromContents(section) for section in sections if section < self.count()]
        return QSize(max((s.width() for s in sizes), default=0), max((s.height() for s in sizes), default=0))

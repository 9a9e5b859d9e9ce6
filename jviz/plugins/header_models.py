"""What the header panel shows: cards of an extension, the ASDF tree, and the marking of matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QRect, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor, QFontDatabase, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from jviz.plugins.tree_model import Row, Rows

__all__ = ["Cards", "Highlight", "Tree", "matching"]

Card = tuple[str, Any, str]

MARK = QColor(255, 196, 0, 110)


def matching(cards: tuple[Card, ...], text: str) -> list[Card]:
    """Return the cards that hold each word of a text, whatever its case."""
    words = text.casefold().split()
    if not words:
        return list(cards)
    return [card for card in cards if all(word in _plain(card) for word in words)]


def _plain(card: Card) -> str:
    return f"{card[0]} {value_text(card[1])} {card[2]}".casefold()


def value_text(value: Any) -> str:
    """Write a value as the header does: T and F for truth, no quotes."""
    if isinstance(value, bool):
        return "T" if value else "F"
    return "" if value is None else str(value)


class Cards(QAbstractTableModel):
    """Keyword, value and comment of the cards that match a search."""

    titles = ("Keyword", "Value", "Comment")

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._cards: tuple[Card, ...] = ()
        self._shown: list[Card] = []
        self._text = ""
        self._fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)

    def show(self, cards: tuple[Card, ...]) -> None:
        """Take over the cards of an extension."""
        self._cards = cards
        self._filter()

    def search(self, text: str) -> None:
        """Leave out cards that do not match."""
        if text != self._text:
            self._text = text
            self._filter()

    def _filter(self) -> None:
        self.beginResetModel()
        self._shown = matching(self._cards, self._text)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self._shown)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 3

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return value_text(self._shown[index.row()][index.column()]).replace("\n", " ")
        if role == Qt.ItemDataRole.FontRole and index.column() < 2:
            return self._fixed
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section]
        return None

    def text_of(self, rows: Iterable[int]) -> str:
        """Return rows as FITS writes them: ``KEYWORD = value / comment``."""
        return "\n".join(_line(self._shown[row]) for row in rows)


def _line(card: Card) -> str:
    keyword, value, comment = card
    if keyword in ("COMMENT", "HISTORY", ""):
        return f"{keyword} {value_text(value)}".strip()
    shown = f"'{value}'" if isinstance(value, str) else value_text(value)
    return f"{keyword:<8}= {shown}" + (f" / {comment}" if comment else "")


class Tree(QObject):
    """The ASDF tree, of which `shown` holds what matches a search."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._model = Rows(("Key", "Value"), self)
        self.shown = QSortFilterProxyModel(self)
        self.shown.setSourceModel(self._model)
        self.shown.setRecursiveFilteringEnabled(True)
        self.shown.setAutoAcceptChildRows(True)
        self.shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.shown.setFilterKeyColumn(-1)

    def clear(self, text: str = "") -> None:
        """Show nothing but a text."""
        self._model.show([Row((text, ""))] if text else [])

    def fill(self, tree: Any) -> None:
        """Show a tree of dicts, lists and plain values."""
        self._model.show(_rows(tree))

    def search(self, text: str) -> None:
        """Show only keys and values that hold a text, with all that is below them."""
        self.shown.setFilterFixedString(text)

    def text_of(self, index: QModelIndex) -> str:
        """Return a row as ``path.to.key: value``."""
        names, value = [], index.siblingAtColumn(1).data() or ""
        index = index.siblingAtColumn(0)
        while index.isValid():
            names.append(str(index.data()))
            index = index.parent()
        return f"{'.'.join(reversed(names))}: {value}" if names else ""


def _rows(tree: Any) -> list[Row]:
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else [("", tree)]
    return [_row(str(key), value) for key, value in pairs]


def _row(key: str, value: Any) -> Row:
    if isinstance(value, dict | list):
        return Row((key, f"{len(value)} {'keys' if isinstance(value, dict) else 'items'}"), children=_rows(value))
    return Row((key, value_text(value)))


class Highlight(QStyledItemDelegate):
    """Draws a marker behind each match of the search in a cell."""

    text = ""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        if not self.text:
            super().paint(painter, option, index)
            return
        option = QStyleOptionViewItem(option)
        self.initStyleOption(option, index)
        content, option.text = option.text, ""
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        option.text = content
        area = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget).adjusted(3, 0, -3, 0)
        self._draw(painter, option, area, content)

    def _draw(self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, content: str) -> None:
        metrics = option.fontMetrics
        shown = metrics.elidedText(content, option.textElideMode, area.width())
        painter.save()
        painter.setFont(option.font)
        painter.setClipRect(area)
        for start, stop in spans(shown, self.text):
            left = area.left() + metrics.horizontalAdvance(shown[:start])
            width = metrics.horizontalAdvance(shown[start:stop])
            painter.fillRect(left, area.top() + 2, width, area.height() - 4, MARK)
        chosen = option.state & QStyle.StateFlag.State_Selected
        role = QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text
        painter.setPen(option.palette.color(role))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()


def spans(content: str, text: str) -> list[tuple[int, int]]:
    """Return (start, stop) of each place where a word of the search stands in a text."""
    plain, found = content.lower(), []
    for word in text.lower().split():
        start = plain.find(word)
        while start >= 0:
            found.append((start, start + len(word)))
            start = plain.find(word, start + len(word))
    return sorted(found)

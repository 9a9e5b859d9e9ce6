"""The command palette: everything that can be done, found by a few letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPalette, QPen, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from jviz.settings import declared
from jviz.window.recent import folder_of
from jviz.window.search import Hit, matched_letters, ranked
from jviz.window.shortcuts import shown_keys

__all__ = ["Palette", "open_palette", "small_shadow"]

CHOICE = re.compile(r"'([^']+)'")

HIT = Qt.ItemDataRole.UserRole
WIDTH, ROWS, ROW_PADDING = 680, 11, 14
SHADOW, SHADOW_DROP, SHADOW_ALPHA = 26, 8, 34
"""How far the shadow reaches beyond the palette, how much lower it lies, and how dark it is where it is darkest."""

LEAVING = (Qt.FocusReason.MouseFocusReason, Qt.FocusReason.OtherFocusReason)


def open_palette(window: Any, only: str = "") -> Palette:
    """Open the palette over a window, with hits of one kind only if one is named."""
    for old in window.findChildren(Palette):
        if old.isVisible():  # a closed one may still wait for its end
            old.close()
    palette = Palette(window, only)
    palette.raise_()
    palette.show()
    palette.search.setFocus()
    return palette


class Palette(QFrame):
    """A field and a list below it; arrows choose, Enter runs, Escape closes.

    The field is there at once, the list in the next turn of the event loop.

    Parameters
    ----------
    window : MainWindow
    only : str
        Kind of the hits, if not all of them.
    """

    def __init__(self, window: Any, only: str = "") -> None:
        super().__init__(window)
        self.setObjectName("card")
        window.theme.dress(self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("Command palette")
        self._window, self._only = window, only
        self._hits: list[Hit] = []
        self._before = window.focusWidget()
        what = f"Search: {only.casefold()} files" if only else "Search commands, data, viewers, recent files, settings"
        self.search = QLineEdit(placeholderText=what)
        self.search.setObjectName("paletteSearch")
        self.search.setAccessibleName(what)
        self.search.textChanged.connect(self._find)
        self.search.installEventFilter(self)
        self.list = QListView()
        self.list.setAccessibleName("What was found")
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.model = Hits(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(Row(self))
        self.list.clicked.connect(self._run)
        self.summary = QLabel()
        self.summary.setProperty("muted", "true")
        self.summary.setContentsMargins(8, 4, 8, 2)
        self._lay_out()
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._fill)
        self._soon.start()

    def _lay_out(self) -> None:
        rule = QFrame()
        rule.setObjectName("rule")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(4)
        for widget in (self.search, rule, self.list, self.summary):
            layout.addWidget(widget)
        self._shadow = Shadow(self._window)
        self.list.viewport().setBackgroundRole(QPalette.ColorRole.NoRole)
        self.list.setStyleSheet("QListView { background: transparent; }")
        self.place()
        self._window.installEventFilter(self)

    def place(self) -> None:
        """Stand at the top in the middle of the window."""
        width = min(WIDTH, self._window.width() - 40)
        row = self.fontMetrics().height() + ROW_PADDING
        rows = max(3, min(ROWS, (self._window.height() - 220) // row))
        self.list.setFixedHeight(row * rows)
        self.layout().activate()
        self.setGeometry((self._window.width() - width) // 2, 56, width, self.sizeHint().height())
        self._shadow.surround(self.geometry())

    # --- finding --------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Look up what there is."""
        self._soon.stop()
        self._hits = [hit for hit in _hits(self._window) if not self._only or hit.kind == self._only]
        self._find(self.search.text())

    def _find(self, text: str) -> None:
        if self._soon.isActive():
            self._fill()
            return
        self.model.show(ranked(text, self._hits), text)
        self._choose(0)

    def _choose(self, row: int) -> None:
        count = self.model.rowCount()
        if count:
            index = self.model.index(max(0, min(row, count - 1)))
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
            hit = index.data(HIT)
            room = self.width() - 60
            self.summary.setText(self.fontMetrics().elidedText(hit.summary, Qt.TextElideMode.ElideRight, room))
            self.search.setAccessibleDescription(f"{hit.title}. {hit.summary}")
        else:
            self.summary.setText("Nothing was found; try fewer letters.")

    def _run(self, index: QModelIndex) -> None:
        hit = index.data(HIT)
        if hit is None:
            return
        if not hit.enabled:
            self.summary.setText(f"{hit.title} cannot be run now: what it works on is not open.")
            return
        self.close()
        hit.run()

    # --- keys -----------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self.place()
        elif watched is self.search and event.type() == QEvent.Type.KeyPress:
            return self._pressed(event.key())
        elif watched is self.search and event.type() == QEvent.Type.FocusOut and event.reason() in LEAVING:
            self.close()
        return False

    def _pressed(self, key: int) -> bool:
        if self._soon.isActive():
            self._fill()
        row = self.list.currentIndex().row()
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: ROWS - 1, Qt.Key.Key_PageUp: 1 - ROWS}
        if key in steps:
            count = self.model.rowCount()
            wraps = abs(steps[key]) == 1 and count
            self._choose((row + steps[key]) % count if wraps else row + steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.list.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        return True

    def closeEvent(self, event: Any) -> None:
        self._window.removeEventFilter(self)
        self._shadow.close()
        if self._before is not None and self.search.hasFocus():
            self._before.setFocus()
        super().closeEvent(event)


class Shadow(QWidget):
    """The soft shadow below the palette: a few lines, where Qt's effect blurs all of it for each letter typed."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def surround(self, card: QRect) -> None:
        """Lie below a card, a little lower than it."""
        self.setGeometry(card.adjusted(-SHADOW, -SHADOW, SHADOW, SHADOW).translated(0, SHADOW_DROP))
        self.show()

    def paintEvent(self, event: Any) -> None:
        """Paint the corners as they are and stretch the sides."""
        small, corner = small_shadow(), 2 * SHADOW
        with QPainter(self) as painter:
            for x, width, from_x, from_width in _thirds(self.width(), small.width(), corner):
                for y, height, from_y, from_height in _thirds(self.height(), small.height(), corner):
                    source = QRect(from_x, from_y, from_width, from_height)
                    painter.drawImage(QRect(x, y, width, height), small, source)


def _thirds(size: int, small: int, corner: int) -> Iterator[tuple[int, int, int, int]]:
    """Return where the corners and what is between them begin and how long they are, in a shadow and in a small one."""
    yield 0, corner, 0, corner
    yield corner, size - 2 * corner, corner, small - 2 * corner
    yield size - corner, corner, small - corner, corner


@cache
def small_shadow() -> QImage:
    """Return the shadow of a small card; its hundreds of soft lines take 10 ms, once, in any thread."""
    image = QImage(5 * SHADOW, 5 * SHADOW, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for inset in range(SHADOW + SHADOW_DROP + 2):
            depth = min(1.0, (inset + 1) / SHADOW)
            painter.setPen(QPen(QColor(0, 0, 0, round(SHADOW_ALPHA * depth * depth)), 1.5))
            radius = max(1, SHADOW + SHADOW_DROP + 2 - inset)
            painter.drawRoundedRect(image.rect().adjusted(inset, inset, -inset, -inset), radius, radius)
    return image


class Hits(QAbstractListModel):
    """The hits that fit, best first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._hits: list[Hit] = []
        self.query = ""

    def show(self, hits: list[Hit], query: str) -> None:
        """Take over what was found."""
        self.beginResetModel()
        self._hits, self.query = hits, query
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self._hits)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        hit = self._hits[index.row()]
        if role == HIT:
            return hit
        if role == Qt.ItemDataRole.DisplayRole:
            return hit.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, [hit.title, hit.note or hit.kind, hit.keys]))
        return None


class Row(QStyledItemDelegate):
    """Draws a hit: title with the letters found in bold, where it comes from, its keys."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(100, option.fontMetrics.height() + ROW_PADDING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        hit: Hit = index.data(HIT)
        palette = option.palette
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Highlight))
            painter.drawRoundedRect(option.rect.adjusted(0, 1, 0, -1), 5, 5)
        inside = option.rect.adjusted(8, 0, -8, 0)
        right = _draw_keys(painter, inside, hit.keys, palette)
        group = QPalette.ColorGroup.Normal if hit.enabled else QPalette.ColorGroup.Disabled
        left = _draw_title(painter, inside, hit.title, matched_letters(index.model().query, hit.title),
                           palette.color(group, QPalette.ColorRole.Text))  # fmt: skip
        room = QRect(left + 14, inside.top(), right - left - 28, inside.height())
        if room.width() > 30:
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            note = option.fontMetrics.elidedText(hit.note or hit.kind, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, note)
        painter.restore()


def _draw_title(painter: QPainter, area: QRect, title: str, bold: set[int], colour: QColor) -> int:
    """Draw a title; returns where it ends."""
    layout = QTextLayout(title, painter.font())
    strong = QTextCharFormat()
    strong.setFontWeight(QFont.Weight.Bold)
    ranges = []
    for at in sorted(bold):
        piece = QTextLayout.FormatRange()
        piece.start, piece.length, piece.format = at, 1, strong
        ranges.append(piece)
    layout.setFormats(ranges)
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    painter.setPen(colour)
    layout.draw(painter, area.topLeft() + QRect(0, 0, 0, area.height() - int(line.height())).center())
    return area.left() + round(line.naturalTextWidth())


def _draw_keys(painter: QPainter, area: QRect, keys: str, palette: QPalette) -> int:
    """Draw the keys in a frame at the right; returns where it begins."""
    if not keys:
        return area.right()
    metrics = QFontMetrics(painter.font())
    width = metrics.horizontalAdvance(keys) + 14
    box = QRect(area.right() - width, area.center().y() - metrics.height() // 2 - 2, width, metrics.height() + 4)
    painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
    painter.setBrush(palette.color(QPalette.ColorRole.Base))
    painter.drawRoundedRect(box, 4, 4)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, keys)
    return box.left()


# --- what can be found ----------------------------------------------------------------------------


def _hits(window: Any) -> list[Hit]:
    return [*_commands(window), *_viewers(window), *_data(window), *_panels(window), *_recent(window),
            *_settings(window)]  # fmt: skip


def _commands(window: Any) -> Iterator[Hit]:
    invoker, effective = window.invoker, window.shortcuts.effective()
    for id, command in sorted(invoker.visible_commands().items(), key=lambda item: item[1].title):
        yield Hit(
            command.title.rstrip("…"), lambda id=id: invoker.trigger(id), "Command",
            command.menu.replace("/", " ▸ "),
            f"{id} {id.replace('.', ' ').replace('_', ' ')} {command.summary} {_choices(command)}",
            shown_keys(effective.get(id, [])), command.summary, invoker.is_possible(command), weight=3,
        )  # fmt: skip


def _choices(command: Any) -> str:
    """Return the words that parameters can be: "asinh" finds the command that sets the stretch."""
    written = (str(parameter.annotation) for parameter in command.parameters.values())
    return " ".join(word for text in written for word in CHOICE.findall(text))


def _viewers(window: Any) -> Iterator[Hit]:
    for viewer in window.viewers:
        name, data = viewer.state.name, viewer.state.data
        yield Hit(name, lambda name=name: window.central.activate(name), "Viewer",
                  f"Viewer of {data.name}" if data is not None else "Viewer", summary=f"Go to {name}")  # fmt: skip


def _data(window: Any) -> Iterator[Hit]:
    from jviz.actions.view import kind_for

    for data in window.session.data:
        kind = kind_for(data)

        def show(name: str = data.name, kind: str | None = kind) -> None:
            window.invoker.run("view.open", kind=kind, data=name) if kind else window.panel("data")

        summary = "Open in a new viewer" if kind else "Show in the Data panel"
        yield Hit(data.name, show, "Data", f"Data, {data.label or data.kind}", summary=summary)


def _panels(window: Any) -> Iterator[Hit]:
    effective = window.shortcuts.effective()
    for dock in window.docks:
        spec = dock.spec
        yield Hit(
            f"{spec.title} Panel",
            lambda id=spec.id: window.panel(id).setFocus(),
            "Panel",
            "Panels",
            keys=shown_keys(effective.get(f"panel.{spec.id}", [])),
            summary=f"Show the panel {spec.title}",
        )


def _recent(window: Any) -> Iterator[Hit]:
    for path in window.recent.paths:
        yield Hit(path.name, lambda path=path: window.recent.open(path), "Recent", f"Recent, {folder_of(path)}",
                  summary=f"Open {path}", weight=-4)  # fmt: skip


def _settings(window: Any) -> Iterator[Hit]:
    for setting in declared().values():
        yield Hit(setting.title, lambda key=setting.key: window.invoker.run("window.preferences", key=key), "Setting",
                  "Setting", setting.key, summary=setting.help, weight=-2)  # fmt: skip

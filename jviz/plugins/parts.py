"""Small things that several panels are made of."""

from __future__ import annotations

import itertools
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from PySide6.QtCore import QEvent, QPoint, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QTreeView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import Association, Cancelled, JvizError, PanelSpec, State, in_turn

__all__ = [
    "Awaited", "Broken", "Line", "Links", "Newest", "Panel", "ProgressBar", "SpectrumFollower", "color_icon",
    "fill_quietly", "fit_first", "hint_label", "in_tab_order", "is_dark", "item_menu", "low", "muted", "paint_hint",
    "row_of", "scrolled", "tool_button", "unwritten",
]  # fmt: skip


log = logging.getLogger(__name__)

LINE_WIDTH = 80
"""In pixels, what is left at least of a line that is cut."""


class Links:
    """Connections to the session that end with a widget, so that nothing is called after its end.

    ``ended`` is true once the widget is gone.
    """

    def __init__(self, widget: QWidget) -> None:
        self.ended = False
        self._ends: dict[str, list[Callable[[], None]]] = {}
        widget.destroyed.connect(self.clear)

    def signal(self, signal: Any, receiver: Callable[..., Any]) -> None:
        """Call a bound method at each emit of a signal of the model."""
        signal.connect(receiver)
        self._ends.setdefault("", []).append(lambda: signal.disconnect(receiver))

    def states(self, group: str, states: Iterable[State | None], receiver: Callable[..., Any]) -> None:
        """Call a bound method at each change of these states; they replace those of the group before."""
        self.end(group)
        for state in states:
            if state is not None:
                state.add_global_callback(receiver)
                self._ends.setdefault(group, []).append(lambda state=state: state.remove_global_callback(receiver))

    def end(self, group: str) -> None:
        """End the connections of one group."""
        for end in self._ends.pop(group, []):
            end()

    def clear(self, *_: Any) -> None:
        """End all connections."""
        self.ended = True
        for group in list(self._ends):
            self.end(group)


class Newest:
    """Works something out in quiet jobs, one at a time; however often it is asked meanwhile, once more afterwards.

    Parameters
    ----------
    links : Links
        Of the widget that shows the results: nothing is shown after its end.
    session : Session
    title : str
        Of the jobs.
    begin : callable
        Called in the window's thread before each job: returns ``work(job)`` and what takes the results that it gives
        as a tuple, or None when there is nothing to do.
    apart : bool
        The work only waits for other processes, so that it takes no turn of those that work here.
    """

    def __init__(
        self,
        links: Links,
        session: Any,
        title: str,
        begin: Callable[[], tuple[Callable[[Any], tuple], Callable[..., None]] | None],
        *,
        apart: bool = False,
    ) -> None:
        self._links, self._session, self._title, self._begin = links, session, title, begin
        self._apart = apart
        self._busy = self._again = False

    @property
    def is_busy(self) -> bool:
        """Whether a job is under way."""
        return self._busy

    def ask(self, *_: Any) -> None:
        """Begin now, or once more as soon as what is under way is done."""
        if self._links.ended:
            return
        if self._busy:
            self._again = True
            return
        begun = self._begin()
        if begun is None:
            return
        work, show = begun
        self._busy, self._again = True, False

        def run(job: Any) -> None:
            found: tuple | None = None
            try:
                found = work(job)
            except Cancelled:
                raise
            except Exception:
                log.exception("%s failed", self._title)  # nobody looks at the end of a quiet job
                raise
            finally:
                self._session.dispatcher.call(lambda: self._done(show, found))

        try:
            self._session.jobs.submit(self._title, run, quiet=True, apart=self._apart)
        except JvizError:
            self._busy = False  # the session was closed meanwhile

    def _done(self, show: Callable[..., None], found: tuple | None) -> None:
        if self._links.ended:
            return
        self._busy = False
        if found is not None:
            show(*found)
        if self._again:
            self.ask()


class Awaited:
    """What a dialog waits for: the newest command that it had done; what became of those before does not matter.

    Parameters
    ----------
    show : callable
        Takes the result.
    say : callable
        Takes a sentence on what went wrong.
    """

    def __init__(self, links: Links, session: Any, show: Callable[[Any], None], say: Callable[[str], None]) -> None:
        self._session, self._show, self._say = session, show, say
        self._job: Any = None
        links.signal(session.jobs.changed, self._follow)

    def ask(self, id: str, **arguments: Any) -> None:
        """Have a command done instead of the one before."""
        self.stop()
        try:
            self._job = self._session.submit(id, **arguments)
        except JvizError as error:
            self._say(str(error))

    @property
    def is_waiting(self) -> bool:
        """Whether nothing has come yet."""
        return self._job is not None

    def stop(self) -> None:
        """Wait no more."""
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _follow(self, job: Any) -> None:
        if job is not self._job or not job.is_over:
            return
        self._job = None
        if job.state == "done":
            self._show(job.result(5))
        else:
            self._say("Cancelled." if job.state == "cancelled" else str(job.error))


class Panel(QWidget):
    """A panel that refreshes itself once after any number of changes, and only while it is seen.

    Subclasses fill `body`, override `refresh`, and set `empty_text` (shown instead of the body
    while `is_empty` is true) and `pause_ms` (how far apart refreshes come at least: while something is dragged
    that they show, the drag stays smooth).
    """

    empty_text = ""
    pause_ms: ClassVar[int] = 0
    _stirred = Signal()

    def __init__(self, context: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self.links = Links(self)
        self.body = QWidget(self)
        self._empty = hint_label(self.empty_text)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.body)
        self._pages.addWidget(self._empty)
        self._pause = QTimer(self, singleShot=True, interval=self.pause_ms)
        self._pause.timeout.connect(self._take_turn)
        # Through a signal, because a state may be changed in any thread.
        self._stirred.connect(self._ask_for_turn)
        self._stale = True

    def later(self, *_: Any, **__: Any) -> None:
        """Ask for a `refresh`, soon; from any thread."""
        self._stale = True
        self._stirred.emit()

    def refresh(self) -> None:
        """Show the present state of the session."""

    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return False

    def show_empty(self, empty: bool, text: str = "") -> None:
        """Show the hint instead of the body, or the body."""
        if text:
            self._empty.setText(text)
        self._pages.setCurrentWidget(self._empty if empty else self.body)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._refresh_if_seen()

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.restyle()

    def restyle(self) -> None:
        """Take over new colours of the theme."""

    def _ask_for_turn(self) -> None:
        if not self.pause_ms:
            self._take_turn()
        elif not self._pause.isActive():
            self._pause.start()

    def _take_turn(self) -> None:
        if self.isVisible():  # else it refreshes when it comes into sight
            in_turn(self._refresh_if_seen)

    def _refresh_if_seen(self) -> None:
        if self._stale and self.isVisible():
            self._stale = False
            self.show_empty(self.is_empty())
            self.refresh()


class SpectrumFollower(Panel):
    """A panel about the spectrum view that is worked with."""

    @property
    def view(self) -> Any:
        """The spectrum view that is active, else the newest one; None when there is none."""
        active = self.context.active_view()
        views = [view for view in self.session.views.values() if view.kind == "spectrum" and view.layers]
        return active if active in views else next(reversed(views), None)

    def follow(self, *_: Any) -> None:
        """Take over the view that is meant now."""
        self.links.states("view", [self.view], self.later)
        self.later()

    def is_empty(self) -> bool:
        return self.view is None


class ProgressBar(QProgressBar):
    """A slim bar without text, for what a job has done so far."""

    def __init__(self, name: str) -> None:
        super().__init__(textVisible=False, maximumHeight=6)
        self.setAccessibleName(name)

    def show_progress(self, value: int, maximum: int) -> None:
        """Show how much of a maximum is done; a maximum of 0 says that nobody knows."""
        if (value, maximum) != (self.value(), self.maximum()):
            # Qt repaints a bar at once, and with it whatever else of the window waits for being painted.
            self.setUpdatesEnabled(False)
            self.setRange(0, maximum)
            self.setValue(value)
            self.setUpdatesEnabled(True)


class Broken(QWidget):
    """Stands where a panel would be that raised while it was made."""

    def __init__(self, spec: PanelSpec, error: Exception) -> None:
        super().__init__()
        self.reason = str(error) if isinstance(error, JvizError) else f"{type(error).__name__}: {error}"
        report = "".join(traceback.format_exception(error))
        text = QLabel(
            f"<b>{spec.title}</b> could not be made.<br><br>{_escaped(self.reason)}<br><br>"
            f"It comes from {_escaped(spec.origin)}. Everything else works without it."
        )
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = QPushButton("Copy Report")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addWidget(text)
        layout.addWidget(copy, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addStretch()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def hint_label(text: str) -> QLabel:
    """Make the quiet text of an empty panel."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setContentsMargins(20, 20, 20, 20)
    return muted(label)


class Line(QLabel):
    """One line that gives way to others: cut in its middle where it is too long, and whole in its tooltip."""

    def __init__(self) -> None:
        super().__init__(textFormat=Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(super().minimumSizeHint().width(), LINE_WIDTH), super().minimumSizeHint().height())

    def paintEvent(self, event: Any) -> None:
        with QPainter(self) as painter:
            text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.contentsRect().width())
            self.style().drawItemText(painter, self.contentsRect(), int(self.alignment()), self.palette(),
                                      self.isEnabled(), text, self.foregroundRole())  # fmt: skip


def scrolled(widget: QWidget, *, sideways: bool = True) -> QScrollArea:
    """Return a frameless area in which a widget, which takes the keys, is scrolled up and down or sideways too."""
    area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame, focusPolicy=Qt.FocusPolicy.NoFocus)
    if not sideways:
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area


def paint_hint(view: QAbstractScrollArea, text: str) -> None:
    """Write the quiet text of an empty view; to be called when it is painted."""
    with QPainter(view.viewport()) as painter:
        painter.setPen(view.palette().color(QPalette.ColorRole.PlaceholderText))
        area = view.viewport().rect().adjusted(12, 12, -12, -12)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)


def muted(label: QLabel) -> QLabel:
    """Make the text of a label a quiet one."""
    label.setProperty("muted", True)  # the style sheet of the window has its colour
    return label


def tool_button(context: Any, icon: str, text: str, on_click: Callable[[], Any], *, label: bool = False) -> QToolButton:
    """Make a flat button with an icon, a tool tip and a name for screen readers."""
    button = QToolButton()
    button.setIcon(context.icon(icon))
    button.setText(text)
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.setAutoRaise(True)
    style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if label else Qt.ToolButtonStyle.ToolButtonIconOnly
    button.setToolButtonStyle(style)
    button.clicked.connect(lambda: on_click())
    return button


def unwritten(data: Any, purpose: str) -> str:
    """Say of an association that is in no file that it has to be written for a purpose; "" of all else."""
    if not isinstance(data, Association) or data.path is not None:
        return ""
    return f"{data.name} is in no file yet. Write it in the panel Associations {purpose}."


def in_tab_order(*widgets: QWidget) -> None:
    """Have the Tab key go through widgets in this order."""
    for before, after in itertools.pairwise(widgets):
        QWidget.setTabOrder(before, after)


def low(widget: QWidget, lines: int) -> None:
    """Let a widget that scrolls itself be as low as some lines: else what it stands in is scrolled, too."""
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
    widget.setMinimumHeight(lines * widget.fontMetrics().lineSpacing())


def item_menu(tree: QTreeWidget, fill: Callable[[QMenu, QTreeWidgetItem], None]) -> None:
    """Give the items of a tree a menu: by the right button, or the menu key on the current one."""

    def show(place: QPoint) -> None:
        item = tree.itemAt(place) or tree.currentItem()
        if item is not None:
            menu = QMenu(tree)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            fill(menu, item)
            menu.popup(tree.viewport().mapToGlobal(place))

    tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    tree.customContextMenuRequested.connect(show)


def row_of(*widgets: QWidget) -> QHBoxLayout:
    """Lay widgets out beside each other: fields share the room, texts, boxes and buttons keep their size."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget, int(not isinstance(widget, QAbstractButton | QLabel)))
    return row


def fill_quietly(box: Any, value: float) -> None:
    """Show a number in a box without telling anybody."""
    with QSignalBlocker(box):
        box.setValue(value)


def color_icon(color: str | QColor) -> QIcon:
    """Make a square of a colour."""
    square = QPixmap(14, 14)
    square.fill(QColor(color))
    return QIcon(square)


def fit_first(view: QTreeView, least: int) -> None:
    """Give the first column of a view what the others leave, but so many letters at least."""
    header = view.header()
    others = header.length() - header.sectionSize(0)
    header.resizeSection(0, max(view.viewport().width() - others, least * view.fontMetrics().horizontalAdvance("0")))


def is_dark(widget: QWidget) -> bool:
    """Whether the theme of a widget is a dark one."""
    return widget.palette().color(QPalette.ColorRole.Window).lightness() < 128

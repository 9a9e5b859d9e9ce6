"""The panels, each in a dock that can be moved, floated and closed, made when it is first seen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import shiboken6
from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDockWidget, QFrame, QMenu, QScrollArea, QTabBar, QWidget

from jviz.errors import SessionError
from jviz.plugin_loader import OwnPanel, PanelSpec, panels
from jviz.plugins.context import built_panel

__all__ = ["Docks"]

LEAST_HEIGHT = 180
BOTTOM_SHARE = 0.32
SIDE_SHARE = 0.36
"""Of the window: what a panel at a side is given at most when it is shown and needs more."""

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
LEAST_ROOM = QSize(250, 220)
"""In pixels: what panels that need more are scrolled in, so that a small window holds all its parts."""
LEAST_WIDTH = 170
"""In pixels: what the others do not fall below."""
SIZES = {"left": 290, "right": 356, "bottom": 220}
STATE_VERSION = 1


class Room(QScrollArea):
    """What a panel stands in: where it needs more room than it gets, it is scrolled, and the window stays as it is."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._needs: tuple[QSize, QSize] | None = None
        self.setWidget(panel)

    def sizeHint(self) -> QSize:
        return self.widget().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.widget().minimumSizeHint().boundedTo(LEAST_ROOM).expandedTo(QSize(LEAST_WIDTH, 0))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            needs = self.sizeHint(), self.minimumSizeHint()
            if needs != self._needs:  # else the whole window would be laid out anew for each text that changes
                self._needs = needs
                self.updateGeometry()
        return super().event(event)


class Dock(QDockWidget):
    """One dock; its panel is made when it is first seen."""

    def __init__(self, spec: PanelSpec, window: QWidget) -> None:
        super().__init__(spec.title, window)
        self.spec = spec
        self.setObjectName(f"panel.{spec.id}")
        self.setAccessibleName(f"{spec.title} panel")
        self.panel: QWidget | None = None

    def build(self, context: Any) -> QWidget:
        """Make the panel, unless it is there, and put it in."""
        self.make(context)
        if self.widget() is None:
            self.setWidget(Room(self.panel))
            self.setFocusProxy(self.panel)
        return self.panel

    def make(self, context: Any) -> None:
        """Make the panel, unless it is there; nobody sees it yet."""
        if self.panel is None:
            self.panel = built_panel(self.spec, context)

    def dress(self) -> None:
        """Style and lay out the panel before it is seen."""
        if self.panel is not None and self.widget() is None:
            self.panel.setParent(self)
            for widget in (self.panel, *self.panel.findChildren(QWidget)):
                widget.ensurePolished()

    def lay_out(self) -> None:
        """Give the parts of the panel their places before it is seen."""
        if self.panel is not None and self.widget() is None:
            self.panel.resize(self.size())
            if self.panel.layout() is not None:
                self.panel.layout().activate()


class Docks(QObject):
    """The docks of a window.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self._docks: dict[str, Dock] = {}
        self._toggles: dict[str, QAction] = {}
        self._icon: Any = None
        self._building = False
        self._share_corners()
        self.add_declared()

    def __iter__(self) -> Any:
        return iter(self._docks.values())

    def __getitem__(self, id: str) -> Dock:
        return self._docks[id]

    def add_declared(self) -> bool:
        """Make docks for panels that were declared since the last time; False when there are none."""
        new = [spec for spec in panels().values() if spec.id not in self._docks]
        for spec in new:
            dock = self._docks[spec.id] = Dock(spec, self._window)
            self._toggles[spec.id] = self._toggle(spec)
            if not self._window.restoreDockWidget(dock):
                self._place(dock)
            dock.visibilityChanged.connect(partial(self._seen, dock))
        return bool(new)

    def _toggle(self, spec: PanelSpec) -> QAction:
        action = QAction(spec.title, self._window, checkable=True)
        action.setObjectName(f"panel.{spec.id}")
        action.setIconVisibleInMenu(False)  # the tick stands in its place
        action.triggered.connect(lambda: self.toggle(spec.id))
        self._window.addAction(action)
        return action

    def _place(self, dock: Dock) -> None:
        """Put a dock where it was declared, behind the first one there."""
        spec = dock.spec
        there = [d for d in self._docks.values() if self._window.dockWidgetArea(d) == AREAS[spec.place]]
        self._window.addDockWidget(AREAS[spec.place], dock)
        first = next((d for d in there if d is not dock and not d.isFloating()), None)
        if first is not None:
            self._window.tabifyDockWidget(first, dock)
        dock.setFloating(False)
        dock.setVisible(spec.default_open)

    # --- showing --------------------------------------------------------------------------------

    def steps(self) -> list[Callable[[], Any]]:
        """Return what makes the panels in sight, in steps short enough for a turn of the event loop each.

        From now on other panels are made as they are seen.
        """
        self._building = True
        steps: list[Callable[[], Any]] = []
        for dock in self._docks.values():
            if dock.isVisible():
                steps += [partial(dock.make, self._window.context), dock.dress, dock.lay_out,
                          partial(dock.build, self._window.context)]  # fmt: skip
        return steps

    def loaders(self) -> list[Callable[[], Any]]:
        """Return what imports the panels in sight; it may run in any thread."""
        factories = [dock.spec.factory for dock in self._docks.values() if dock.isVisible()]
        return [factory.load for factory in factories if isinstance(factory, OwnPanel)]

    def _seen(self, dock: Dock, visible: bool) -> None:
        if not shiboken6.isValid(self._window):
            return  # the program ends, and Qt hides what is left
        if visible and self._building:
            dock.build(self._window.context)
        # Behind another tab Qt moves a dock off the window, visible all the same: its panel would go on working.
        if dock.panel is not None and dock.widget() is not None:
            dock.panel.setVisible(visible)
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setAccessibleName("Panels docked here")  # Qt makes them as panels come to lie on each other

    def show(self, id: str) -> QWidget:
        """Show a panel in front of others and return its widget.

        Raises
        ------
        SessionError
            When there is no such panel.
        """
        if id not in self._docks:
            raise SessionError(f"There is no panel {id!r}; there are {', '.join(self._docks)}.")
        dock = self._docks[id]
        panel = dock.build(self._window.context)
        dock.show()
        dock.raise_()
        self._give_room(dock)
        return panel

    def _give_room(self, dock: Dock) -> None:
        """Make a panel at the bottom as high, and one at a side as wide, as it needs to be read."""
        if dock.isFloating():
            return
        height, width = self._window.height(), self._window.width()
        if self._window.dockWidgetArea(dock) == Qt.DockWidgetArea.BottomDockWidgetArea:
            if dock.height() < LEAST_HEIGHT:
                self._window.resizeDocks([dock], [round(BOTTOM_SHARE * height)], Qt.Orientation.Vertical)
            return
        needed = min(dock.panel.minimumSizeHint().width(), round(SIDE_SHARE * width))
        if dock.width() < needed:
            self._window.resizeDocks([dock], [needed], Qt.Orientation.Horizontal)

    def toggle(self, id: str) -> None:
        """Show a panel and go to it; close it when it is in sight."""
        dock = self._docks[id]
        if dock.isVisible() and not dock.visibleRegion().isEmpty():
            dock.close()
        else:
            self.show(id).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def fill_menu(self, menu: QMenu) -> None:
        """Put a switch for every panel into a menu."""
        first = menu.actions()[0] if menu.actions() else None
        menu.insertActions(first, list(self._toggles.values()))
        menu.aboutToShow.connect(self._tick)

    def _tick(self) -> None:
        for id, action in self._toggles.items():
            action.setChecked(self._docks[id].isVisible())

    def apply_shortcuts(self, effective: dict[str, list[str]]) -> None:
        """Give the switches their keys."""
        for id, action in self._toggles.items():
            action.setShortcuts([QKeySequence(k) for k in effective.get(f"panel.{id}", [])])

    def show_icons(self, icon: Any) -> None:
        """Give the switches their icons."""
        for id, action in self._toggles.items():
            if self._docks[id].spec.icon:
                action.setIcon(icon(self._docks[id].spec.icon))

    # --- arrangement ----------------------------------------------------------------------------

    def state(self) -> str:
        """Return the arrangement of docks and tool bars as text."""
        return bytes(self._window.saveState(STATE_VERSION).toBase64()).decode()

    def restore(self, state: str) -> bool:
        """Arrange the docks as they were; False when the text is of no use."""
        done = self._window.restoreState(QByteArray.fromBase64(state.encode()), STATE_VERSION)
        self._share_corners()  # part of what is restored, but no choice of the user
        return done

    def _share_corners(self) -> None:
        """Give tables, searches and logs at the bottom width, and the controls at the right height."""
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, "bottom"), (Qt.Corner.BottomRightCorner, "right"),
        ):  # fmt: skip
            self._window.setCorner(corner, AREAS[area])

    def reset(self) -> None:
        """Go back to the arrangement of a first start."""
        for dock in self._docks.values():
            self._window.removeDockWidget(dock)
        for dock in self._docks.values():
            self._place(dock)
        self.set_usual_sizes()

    def set_usual_sizes(self) -> None:
        """Give the sides the sizes of a first start."""
        for place, size in SIZES.items():
            docks = [d for d in self._docks.values() if d.spec.place == place and not d.isHidden()]
            direction = Qt.Orientation.Vertical if place == "bottom" else Qt.Orientation.Horizontal
            self._window.resizeDocks(docks, [size] * len(docks), direction)

"""The slim strip of tools beside the image viewers."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolBar, QToolButton, QWidget

from jviz.interaction import MODES, Tool, tools
from jviz.window.menus import blank_icon
from jviz.window.shortcuts import shown_keys

__all__ = ["ToolStrip", "beside"]

CORNER = 5.0
"""Side of the mark on buttons that hold several tools."""

ICON_SIZE = 18
MODE_ICONS = {
    "new": "mdi6.plus-box-outline",
    "replace": "mdi6.swap-horizontal",
    "or": "mdi6.set-all",
    "and": "mdi6.set-center",
    "xor": "mdi6.set-left-right",
    "andnot": "mdi6.set-left",
}
SYSTEM_ICONS = {"sky": "mdi6.web", "pixel": "mdi6.grid"}


class ToolStrip(QToolBar):
    """Buttons for the tools of image viewers, one for each group, and how drawn regions are taken.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__("Tools")
        self._window, self._interaction = window, window.session.interaction
        self._icon: Any = None
        self._buttons: dict[str, QToolButton] = {}
        self._shown: dict[str, str] = {}
        self._worn: dict[QToolButton, tuple[str, str, bool]] = {}
        self.setObjectName("toolStrip")
        self.setAccessibleName("Tools")
        self.setOrientation(Qt.Orientation.Vertical)
        self.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.setMovable(False)
        self._fill()
        self._taken = self._interaction.tool
        self._interaction.changed.connect(self._changed)
        window.context.active_changed.connect(self.refresh)
        window.session.views_changed.connect(self.refresh)
        self.refresh()

    def _fill(self) -> None:
        groups: dict[str, list[Tool]] = {}
        for tool in tools().values():
            groups.setdefault(tool.group or tool.id, []).append(tool)
        for name, members in groups.items():
            self._shown[name] = members[0].id
            self._buttons[name] = self._button(members[0].title, [(t.id, t.title) for t in members], self._take)
            self._buttons[name].setCheckable(True)
        self.addSeparator()
        self._mode = self._button("Drawn regions", list(MODES.items()), self._set_mode)
        systems = [("sky", "Draw on the Sky"), ("pixel", "Draw on Pixels")]
        self._system = self._button("Sky or pixels", systems, self._set_system)
        self._system.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)

    def _button(self, name: str, entries: list[tuple[str, str]], chosen: Any) -> QToolButton:
        button = _Button()
        button.setAccessibleName(name)
        button.setIcon(blank_icon())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(partial(self._clicked, button))
        if len(entries) > 1:
            menu = QMenu(button)
            for id, title in entries:
                menu.addAction(title, partial(chosen, id)).setData(id)
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)
        self.addWidget(button)
        return button

    # --- what the user does ---------------------------------------------------------------------

    def _clicked(self, button: QToolButton, *_: Any) -> None:
        if button is self._mode:
            button.showMenu()
        elif button is self._system:
            self._set_system("pixel" if self._interaction.region_system == "sky" else "sky")
        else:
            name = next(n for n, b in self._buttons.items() if b is button)
            tool = self._shown[name]
            self._take(tool if self._interaction.tool != tool else "pan")

    def _take(self, id: str) -> None:
        self._window.invoker.run("tool.select", tool=id)
        self.refresh()

    def _set_mode(self, mode: str) -> None:
        self._window.invoker.run("tool.region_mode", mode=mode)

    def _set_system(self, system: str) -> None:
        self._window.invoker.run("tool.region_system", system=system)

    def _changed(self) -> None:
        """Open the panel that belongs to a tool when it is taken."""
        self.refresh()
        before, self._taken = self._taken, self._interaction.tool
        panel = tools()[self._taken].panel
        if panel and self._taken != before:
            self._window.panel(panel)

    # --- what is shown --------------------------------------------------------------------------

    def refresh(self, *_: Any) -> None:
        """Show which tool is in hand; hide where there is no image."""
        views = self._window.session.views.values()
        self.setVisible(any("image" in view.kinds() for view in views))
        tool = tools().get(self._interaction.tool)
        if tool is not None:
            self._shown[tool.group or tool.id] = tool.id
        declared, keys = tools(), self._window.shortcuts.effective()
        for name, button in self._buttons.items():
            shown = declared[self._shown[name]]
            self._dress(button, shown, shown_keys(keys.get(f"tool.{shown.id}", [])))
            button.setChecked(tool is not None and name == (tool.group or tool.id))
        mode, system = self._interaction.region_mode, self._interaction.region_system
        self._show(self._mode, MODE_ICONS[mode], f"<b>Drawn regions:</b> {MODES[mode]}")
        words = "the sky, where the image has one" if system == "sky" else "the pixels of the image"
        self._show(self._system, SYSTEM_ICONS[system], f"<b>Drawn regions lie on</b> {words}<br>Click to change")

    def _dress(self, button: QToolButton, tool: Tool, keys: str) -> None:
        more = "<br><i>Hold the button for more</i>" if button.menu() is not None else ""
        button.setAccessibleName(tool.title)
        self._show(button, tool.icon, f"<b>{tool.title}</b>{f'  ({keys})' if keys else ''}<br>{tool.summary}{more}")

    def _show(self, button: QToolButton, icon: str, tip: str) -> None:
        look = (icon, tip, self._icon is not None)
        if self._worn.get(button) == look:
            return
        self._worn[button] = look
        if self._icon is not None:
            button.setIcon(self._icon(icon))
        button.setToolTip(tip)

    def show_icons(self, icon: Any) -> None:
        """Give buttons and menus their icons; ``icon(name)`` makes one."""
        self._icon = icon
        for button in self._buttons.values():
            for action in button.menu().actions() if button.menu() is not None else ():
                action.setIcon(icon(tools()[action.data()].icon))
        for action in self._mode.menu().actions():
            action.setIcon(icon(MODE_ICONS[action.data()]))
        for action in self._system.menu().actions():
            action.setIcon(icon(SYSTEM_ICONS[action.data()]))
        self.refresh()


def beside(strip: ToolStrip, viewers: QWidget) -> QWidget:
    """Return a widget that holds the strip and, to the right of it, the viewers."""
    both = QWidget()
    layout = QHBoxLayout(both)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(strip)
    layout.addWidget(viewers, 1)
    return both


class _Button(QToolButton):
    """A button with a small mark in its corner when it holds more."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.menu() is None:
            return
        x, y = self.width() - 4.0, self.height() - 4.0
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().buttonText())
            painter.drawPolygon(QPolygonF([QPointF(x, y), QPointF(x - CORNER, y), QPointF(x, y - CORNER)]))

"""Going round the areas of a window with the keys: viewers, panels, tools, tool bar, status bar."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget

__all__ = ["step"]

REASON = Qt.FocusReason.ShortcutFocusReason


def step(window: Any, by: int) -> None:
    """Give the keys to the next area (``by`` = 1) or the previous one (-1); one without a use for them is left out."""
    areas = _areas(window)
    focus = QApplication.focusWidget()
    here = next((n for n, area in enumerate(areas) if focus is not None and _holds(area, focus)), -1 if by > 0 else 0)
    for further in range(1, len(areas) + 1):
        if _enter(window, areas[(here + by * further) % len(areas)]):
            return


def _areas(window: Any) -> list[QWidget]:
    """Return the areas in sight: the viewers, then the panels from left to right and down, then the bars."""
    docks = [d for d in window.docks if d.isVisible() and not d.visibleRegion().isEmpty() and d.panel is not None]
    docks.sort(key=lambda dock: (dock.mapTo(window, QPoint(0, 0)).x(), dock.mapTo(window, QPoint(0, 0)).y())
               if not dock.isFloating() else (1 << 20, 0))  # fmt: skip
    bars = [window.tool_strip, window.menus.tool_bar, window.statusBar()]
    return [window.central, *(dock.panel for dock in docks), *(bar for bar in bars if bar.isVisible())]


def _holds(area: QWidget, widget: QWidget) -> bool:
    return area is widget or area.isAncestorOf(widget)


def _enter(window: Any, area: QWidget) -> bool:
    """Give the focus to what had it last in an area, or to the first that takes it; False when nothing does."""
    if area is window.central and window.central.active:
        window.central.activate(window.central.active)
        return True
    before = area.focusWidget()
    able = (w for w in [before, area, *_in_order(area)] if w is not None and _takes_keys(w))
    target = next(able, None)
    if target is None:
        return False
    if area.window() is not window:
        area.window().activateWindow()
    target.setFocus(REASON)
    return True


def _in_order(area: QWidget) -> list[QWidget]:
    """Return what is in an area in the order of the Tab key."""
    found, widget = [], area.nextInFocusChain()
    while widget is not area:
        if area.isAncestorOf(widget):
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


def _takes_keys(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.isVisible() and widget.isEnabled()

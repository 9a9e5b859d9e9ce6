"""The tree of splitters and tab groups, as widgets and as a dict for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from jviz.window.tabs import TabGroup

__all__ = ["cleaned", "groups_in", "new_splitter", "state_of"]


def new_splitter(orientation: Qt.Orientation) -> QSplitter:
    """Make a splitter whose parts cannot be dragged away to nothing."""
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(4)
    splitter.setAccessibleName("Split of viewers")
    return splitter


def groups_in(part: QWidget) -> Iterator[TabGroup]:
    """Return the tab groups in a part of the tree, from left to right and top to bottom."""
    if isinstance(part, TabGroup):
        yield part
    elif isinstance(part, QSplitter):
        for n in range(part.count()):
            yield from groups_in(part.widget(n))


def state_of(part: QWidget, name_of: Callable[[QWidget], str]) -> dict[str, Any]:
    """Describe a part of the tree.

    Returns
    -------
    dict
        ``{"tabs": [names], "current": int}`` or ``{"split": "h" or "v", "sizes": [int], "parts": [dict]}``.
    """
    if isinstance(part, QSplitter):
        return {
            "split": "h" if part.orientation() == Qt.Orientation.Horizontal else "v",
            "sizes": part.sizes(),
            "parts": [state_of(part.widget(n), name_of) for n in range(part.count())],
        }
    assert isinstance(part, TabGroup)
    names = [name_of(widget) for widget in part.viewers()]
    return {"tabs": [name for name in names if name], "current": max(0, part.currentIndex())}


def cleaned(state: Any, names: set[str]) -> dict[str, Any] | None:
    """Return a description with viewers of these names only, each once; None when nothing is left of it.

    A session file may come from elsewhere: whatever makes no sense in it is left out.
    """
    return _cleaned(state, set(names))


def _cleaned(state: Any, left: set[str]) -> dict[str, Any] | None:
    if not isinstance(state, dict):
        return None
    if "split" in state:
        return _cleaned_split(state, left)
    tabs = [name for name in _list(state.get("tabs")) if isinstance(name, str) and name in left]
    tabs = list(dict.fromkeys(tabs))
    left.difference_update(tabs)
    current = state.get("current")
    return {"tabs": tabs, "current": current if current in range(len(tabs)) else 0} if tabs else None


def _cleaned_split(state: dict[str, Any], left: set[str]) -> dict[str, Any] | None:
    sizes = _list(state.get("sizes"))
    parts = [(_cleaned(part, left), n) for n, part in enumerate(_list(state.get("parts")))]
    there = [(part, n) for part, n in parts if part is not None]
    if len(there) < 2:
        return there[0][0] if there else None
    kept = [sizes[n] if n < len(sizes) and isinstance(sizes[n], int) else 100 for _, n in there]
    return {"split": "v" if state["split"] == "v" else "h", "sizes": kept, "parts": [part for part, _ in there]}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

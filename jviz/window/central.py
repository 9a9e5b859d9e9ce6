"""The middle of the window: viewers in tab groups that split and join by drag or by command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QApplication, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from jviz.window.arrangement import cleaned, groups_in, new_splitter, state_of
from jviz.window.tab_drag import TabDrag
from jviz.window.tabs import TabGroup
from jviz.window.zones import Zone

__all__ = ["Central"]

SPLITS: dict[Zone, tuple[Qt.Orientation, bool]] = {
    "left": (Qt.Orientation.Horizontal, False),
    "right": (Qt.Orientation.Horizontal, True),
    "top": (Qt.Orientation.Vertical, False),
    "bottom": (Qt.Orientation.Vertical, True),
}
"""Direction of the split, and whether the new group comes after the old one."""

LEAST_WIDTH = 430
"""In pixels: in a narrow window the panels give way before the picture does."""


class Central(QWidget):
    """Viewers by name in a tree of splitters and tab groups; without any, the welcome page.

    Parameters
    ----------
    welcome : QWidget
        Shown while no viewer is open.

    Attributes
    ----------
    activated : Signal
        With the name of the viewer that the user went to, ``""`` when there is none.
    arranged : Signal
        Something changed its place.
    close_requested : Signal
        With the name of the viewer whose close button was pressed.
    """

    activated = Signal(str)
    arranged = Signal()
    close_requested = Signal(str)

    def __init__(self, welcome: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("central")
        self.setAccessibleName("Viewers")
        self.setMinimumWidth(LEAST_WIDTH)
        self._widgets: dict[str, QWidget] = {}
        self._active = ""
        self._beside: tuple[str, Zone] | None = None
        self._root: QWidget | None = None
        self._area = QWidget(self)
        QVBoxLayout(self._area).setContentsMargins(0, 0, 0, 0)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(welcome)
        self._pages.addWidget(self._area)
        self._drag = TabDrag(self)
        QApplication.instance().focusChanged.connect(self._focus_changed)

    # --- what is there --------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """Names of the viewers, from left to right and top to bottom."""
        names = {widget: name for name, widget in self._widgets.items()}
        return [names[w] for group in self.groups() for w in group.viewers() if w in names]

    @property
    def active(self) -> str:
        """Name of the active viewer, ``""`` when there is none."""
        return self._active

    def widget(self, name: str) -> QWidget:
        """Return the viewer of a name."""
        return self._widgets[name]

    def groups(self) -> Iterator[TabGroup]:
        """Return the tab groups, from left to right and top to bottom."""
        root = self._root
        yield from groups_in(root) if root is not None else ()

    def group_of(self, name: str) -> TabGroup | None:
        """Return the group that holds a viewer."""
        widget = self._widgets.get(name)
        return next((g for g in self.groups() if widget is not None and g.indexOf(widget) >= 0), None)

    def area_of(self, name: str, within: QWidget) -> QRect:
        """Return where a viewer is, in the coordinates of another widget; empty when it is not in sight."""
        widget = self._widgets[name]
        if not widget.isVisible():
            return QRect()
        return QRect(within.mapFromGlobal(widget.mapToGlobal(QPoint(0, 0))), widget.size())

    # --- adding and taking away -----------------------------------------------------------------

    def add(self, name: str, widget: QWidget, title: str, tip: str = "", *, front: bool = True) -> None:
        """Add a viewer behind the active one, and go to it unless it is one of many."""
        group = self._group_for_new()
        self._widgets[name] = widget
        self._put(group, name, title, tip)
        self._pages.setCurrentWidget(self._area)
        if front or not self._active:
            self.activate(name)

    @contextmanager
    def adding_beside(self, name: str, zone: Zone) -> Iterator[None]:
        """Have the viewer that is added meanwhile stand on a side of the group of another one."""
        self._beside = (name, zone)
        try:
            yield
        finally:
            self._beside = None

    def _group_for_new(self) -> TabGroup:
        beside, self._beside = self._beside, None
        target = self.group_of(beside[0]) if beside is not None else None
        if beside is not None and target is not None:
            return self._split(target, beside[1])
        return self.group_of(self._active) or next(self.groups(), None) or self._first_group()

    def remove(self, name: str) -> None:
        """Take a viewer out; the next in its group becomes the active one."""
        group, widget = self.group_of(name), self._widgets.pop(name)
        if group is not None:
            group.removeTab(group.indexOf(widget))
            self._tidy(group)
        widget.hide()
        if not self._widgets:
            self._pages.setCurrentIndex(0)
        if self._active == name:
            self._active = ""
            self.activate(self._shown_in(group) or next(iter(self.names), ""))

    def set_title(self, name: str, title: str, tip: str = "") -> None:
        """Change the text of a tab."""
        group = self.group_of(name)
        # A bar lays itself out anew for each text, and all viewers are named again whenever one changes.
        if group is not None and self._label_of(name) != (title, tip):
            self._label(group, group.indexOf(self._widgets[name]), title, tip)

    def activate(self, name: str, *, focus: bool = True) -> None:
        """Go to a viewer."""
        group = self.group_of(name)
        for other in self.groups():
            other.mark(other is group)
        if group is not None:
            group.setCurrentWidget(self._widgets[name])
            if focus:
                self._widgets[name].setFocus()
        if name != self._active:
            self._active = name
            self.activated.emit(name)
            self.arranged.emit()

    def step(self, by: int) -> None:
        """Go to the next or the previous viewer."""
        names = self.names
        if names:
            at = names.index(self._active) if self._active in names else 0
            self.activate(names[(at + by) % len(names)])

    # --- splitting ------------------------------------------------------------------------------

    def move(self, name: str, beside: str, zone: Zone) -> None:
        """Move a viewer to a side of the group of another one, or into that group ("centre")."""
        target = self.group_of(beside)
        if target is not None:
            self.move_to_group(name, target, zone)

    def name_of(self, widget: QWidget | None) -> str:
        """Return the name of a viewer, ``""`` when it is none."""
        return next((name for name, w in self._widgets.items() if w is widget), "")

    def move_towards(self, name: str, zone: Zone) -> None:
        """Move a viewer to the neighbouring group on that side; where there is none, split off a new one."""
        group = self.group_of(name)
        if group is None:
            return
        neighbour = self._neighbour(group, zone)
        if neighbour is not None:
            self.move_to_group(name, neighbour, "centre")
        elif group.count() > 1:
            self.move_to_group(name, group, zone)

    def move_to_group(self, name: str, target: TabGroup, zone: Zone) -> None:
        """Move a viewer to a side of a group, or into it ("centre")."""
        source, widget = self.group_of(name), self._widgets[name]
        if source is None or (source is target and (zone == "centre" or source.count() == 1)):
            return
        index = source.indexOf(widget)
        title, tip = source.tabText(index), source.tabToolTip(index)
        group = target if zone == "centre" else self._split(target, zone)
        source.removeTab(index)
        self._put(group, name, title, tip)
        self._tidy(source)
        self.activate(name)
        self.arranged.emit()

    def _split(self, group: TabGroup, zone: Zone) -> TabGroup:
        """Make a new group on a side of another one."""
        orientation, after = SPLITS[zone]
        new, parent = self._new_group(), group.parentWidget()
        if isinstance(parent, QSplitter) and parent.orientation() == orientation:
            index, sizes = parent.indexOf(group), parent.sizes()
            half = sizes[index] // 2
            parent.insertWidget(index + after, new)
            sizes[index : index + 1] = [half, half]
            parent.setSizes(sizes)
            return new
        splitter = new_splitter(orientation)
        self._replace(group, splitter)
        for part in (group, new) if after else (new, group):
            splitter.addWidget(part)
        group.show()
        splitter.setSizes([1000, 1000])
        return new

    def _neighbour(self, group: TabGroup, zone: Zone) -> TabGroup | None:
        """Return the group whose middle is nearest on that side."""
        here = QRect(group.mapTo(self, QPoint(0, 0)), group.size())
        best, least = None, 1e9
        for other in self.groups():
            there = QRect(other.mapTo(self, QPoint(0, 0)), other.size())
            beyond = {
                "left": here.left() - there.right(), "right": there.left() - here.right(),
                "top": here.top() - there.bottom(), "bottom": there.top() - here.bottom(),
            }[zone]  # fmt: skip
            distance = (here.center() - there.center()).manhattanLength()
            if other is not group and beyond >= 0 and distance < least:
                best, least = other, distance
        return best

    # --- keeping the tree in order --------------------------------------------------------------

    def _take_root(self, root: QWidget | None) -> None:
        """Fill the area with a group or a splitter."""
        # Not asking the layout (itemAt) what is there: PySide would keep its answer when Qt has deleted it,
        # and take for it whatever is made at the same address later.
        if self._root is not None:
            self._area.layout().removeWidget(self._root)
        self._root = root
        if root is not None:
            self._area.layout().addWidget(root)

    def _first_group(self) -> TabGroup:
        group = self._new_group()
        self._take_root(group)
        return group

    def _new_group(self) -> TabGroup:
        group = TabGroup()
        group.tabCloseRequested.connect(partial(self._close, group))
        group.tabBarClicked.connect(lambda index: self._clicked(group, index))
        self._drag.watch(group)
        return group

    def _put(self, group: TabGroup, name: str, title: str, tip: str) -> None:
        index = group.addTab(self._widgets[name], _tab_text(title))
        self._label(group, index, title, tip)

    def _label(self, group: TabGroup, index: int, title: str, tip: str) -> None:
        if group.tabText(index) != _tab_text(title):  # Qt lays out all tabs anew for the same text, too
            group.setTabText(index, _tab_text(title))
        group.setTabToolTip(index, tip)
        group.bar.setAccessibleTabName(index, f"{tip or title}")
        for side in (group.bar.ButtonPosition.RightSide, group.bar.ButtonPosition.LeftSide):
            button = group.bar.tabButton(index, side)
            if button is not None:
                button.setAccessibleName(f"Close {title}")
                button.setToolTip("Close")

    def _replace(self, old: QWidget, new: QWidget) -> None:
        parent = old.parentWidget()
        if isinstance(parent, QSplitter):
            # Not by replaceWidget: with PySide it ends the life of the widget that it gives back.
            sizes, index = parent.sizes(), parent.indexOf(old)
            old.setParent(self._area)
            parent.insertWidget(index, new)
            parent.setSizes(sizes)
        else:
            self._take_root(new)
        new.show()

    def _tidy(self, group: TabGroup) -> None:
        """Remove a group that became empty, and splitters that part nothing any more."""
        if group.count():
            return
        parent = group.parentWidget()
        if group is self._root:
            self._take_root(None)
        group.hide()
        group.setParent(None)
        group.deleteLater()
        while isinstance(parent, QSplitter) and parent.count() == 1:
            above = parent.parentWidget()
            self._replace(parent, parent.widget(0))
            parent.setParent(None)
            parent.deleteLater()
            parent = above

    def _shown_in(self, group: TabGroup | None) -> str:
        return self.name_of(group.currentWidget()) if group is not None and group.count() else ""

    def _close(self, group: TabGroup, index: int) -> None:
        self.close_requested.emit(self.name_of(group.widget(index)))

    def _clicked(self, group: TabGroup, index: int) -> None:
        if index >= 0:
            self.activate(self.name_of(group.widget(index)))

    def _focus_changed(self, _: Any, now: QWidget | None) -> None:
        """The viewer that holds the focus is the active one."""
        if now is None or not self.isAncestorOf(now):
            return
        for name, widget in self._widgets.items():
            if widget is now or widget.isAncestorOf(now):
                self.activate(name, focus=False)
                return

    # --- keeping the arrangement ----------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the arrangement as a dict for JSON: groups, splits with sizes, the active viewer."""
        root = self._root
        return {"tree": state_of(root, self.name_of) if root is not None else None, "active": self._active}

    def restore(self, state: dict[str, Any]) -> None:
        """Arrange the viewers that are there as they were; unknown names are left out, others join the first group."""
        if not self._widgets:
            return
        labels = {name: self._label_of(name) for name in self._widgets}
        active, old = self._active, self._root
        new = self._built(cleaned(state.get("tree"), set(labels)), labels) or self._new_group()
        self._take_root(new)
        for name in [n for n in self._widgets if n in labels]:
            self._put(next(groups_in(new)), name, *labels.pop(name))
        old.hide()
        old.setParent(None)
        old.deleteLater()
        new.show()
        self._active = ""
        wanted = state.get("active")
        self.activate(wanted if isinstance(wanted, str) and wanted in self._widgets else active)

    def _label_of(self, name: str) -> tuple[str, str]:
        group = self.group_of(name)
        index = group.indexOf(self._widgets[name])
        return group.tabText(index).replace("&&", "&"), group.tabToolTip(index)

    def _built(self, state: dict[str, Any] | None, labels: dict[str, tuple[str, str]]) -> QWidget | None:
        """Make the part of the tree that a cleaned state describes; viewers that it places leave ``labels``."""
        if state is None:
            return None
        if "tabs" in state:
            group = self._new_group()
            for name in state["tabs"]:
                self._put(group, name, *labels.pop(name))
            group.setCurrentIndex(state["current"])
            return group
        splitter = new_splitter(Qt.Orientation.Horizontal if state["split"] == "h" else Qt.Orientation.Vertical)
        for part in state["parts"]:
            splitter.addWidget(self._built(part, labels))
        splitter.setSizes(state["sizes"])
        return splitter


def _tab_text(title: str) -> str:
    """Return the text of a tab that shows a title, in which & marks no key."""
    return title.replace("&", "&&")

"""Dragging a tab to another place of the central area."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QPoint, QRect

from jviz.window.tabs import TabGroup
from jviz.window.zones import Veil, Zone, part_of, zone_at

__all__ = ["TabDrag"]


class TabDrag(QObject):
    """Follows a tab that left its bar, shows where it would go, and moves its viewer there.

    Parameters
    ----------
    central : Central
    """

    def __init__(self, central: Any) -> None:
        super().__init__(central)
        self._central = central
        self._name = ""
        self.veil = Veil(central)

    def watch(self, group: TabGroup) -> None:
        """Take part in the drags that begin in a group."""
        group.bar.taken.connect(lambda index, where: self._taken(group, index, where))
        group.bar.moved.connect(self._moved)
        group.bar.dropped.connect(self._dropped)
        group.bar.given_up.connect(self._end)

    def _taken(self, group: TabGroup, index: int, where: QPoint) -> None:
        self._name = self._central.name_of(group.widget(index))
        self._moved(where)

    def _moved(self, where: QPoint) -> None:
        group = self._central.group_of(self._name)
        if group is None:  # its viewer was closed meanwhile
            return
        title = group.tabText(group.indexOf(self._central.widget(self._name))).replace("&&", "&")
        self.veil.show_target(self._target(where)[2], title, self._central.mapFromGlobal(where))

    def _dropped(self, where: QPoint) -> None:
        name = self._name
        self._end()
        group, zone, _ = self._target(where)
        if group is not None and self._central.group_of(name) is not None:
            self._central.move_to_group(name, group, zone)

    def _end(self) -> None:
        self._name = ""
        self.veil.hide()

    def _target(self, where: QPoint) -> tuple[TabGroup | None, Zone, QRect]:
        """Return the group under the mouse, the zone of it, and the part that a drop would take."""
        point = self._central.mapFromGlobal(where)
        for group in self._central.groups():
            area = QRect(group.mapTo(self._central, QPoint(0, 0)), group.size())
            if area.contains(point):
                zone = zone_at(area, point)
                return group, zone, part_of(area, zone)
        return None, "centre", QRect()

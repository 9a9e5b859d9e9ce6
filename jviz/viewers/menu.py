"""The context menu of a viewer, made of the declared commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from jviz.commands import Command, all_commands

__all__ = ["command_menu"]


def command_menu(parent: QWidget, needs: str | Sequence[str], run: Callable[[str], None]) -> QMenu:
    """Make a menu of the commands that need a kind of view, in submenus as in the menu bar.

    Parameters
    ----------
    needs : str or sequence of str
        Kinds of view or of what they show.
    run : callable
        Called with the id of the command that the user chose.
    """
    menu = QMenu(parent)
    needs = (needs,) if isinstance(needs, str) else needs
    wanted = [c for c in all_commands().values() if c.needs in needs and c.needs and c.menu]
    places: dict[str, QMenu] = {}
    for command in wanted:
        name = command.menu.split("/")[-1]
        if name not in places:
            places[name] = menu.addMenu(name)
    for name, place in places.items():
        _fill(place, [c for c in wanted if c.menu.split("/")[-1] == name], run)
    return menu


def _fill(menu: QMenu, commands: list[Command], run: Callable[[str], None]) -> None:
    for number, (_, group) in enumerate(groupby(commands, key=lambda command: command.group)):
        if number:
            menu.addSeparator()
        for command in group:
            action = menu.addAction(command.title, lambda id=command.id: run(id))
            action.setObjectName(command.id)
            action.setToolTip(command.summary)
            if command.shortcut:
                # Shown only: the keys belong to the window.
                action.setShortcut(QKeySequence(command.shortcut.split(";")[0].strip()))
                action.setShortcutVisibleInContextMenu(True)

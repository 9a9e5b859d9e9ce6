"""Undo and redo as commands, for menus and keys."""

from __future__ import annotations

from jviz.commands import command
from jviz.session import Session


@command(
    "edit.undo",
    title="Undo",
    menu="Edit",
    shortcut="Ctrl+Z",
    script=False,
    recorded=False,
    icon="fa6s.rotate-left",
    group="history",
)
def undo(session: Session) -> None:
    """Take the last step back."""
    label = session.undo()
    session.notice("status", f"Undone: {label}" if label else "There is nothing to undo.")


@command(
    "edit.redo",
    title="Redo",
    menu="Edit",
    shortcut="Ctrl+Shift+Z; Ctrl+Y",
    script=False,
    recorded=False,
    icon="fa6s.rotate-right",
    group="history",
)
def redo(session: Session) -> None:
    """Do the last undone step again."""
    label = session.redo()
    session.notice("status", f"Done again: {label}" if label else "There is nothing to redo.")

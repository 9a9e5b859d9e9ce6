"""Commands of the Help menu."""

from __future__ import annotations

from typing import Any

from jviz.commands import command


@command(
    "help.manual",
    title="Manual",
    menu="Help",
    shortcut="F1",
    recorded=False,
    script=False,
    group="read",
    icon="fa6s.book",
)
def manual(window: Any) -> None:
    """Open the user guide."""
    from jviz.window.manual import open_manual

    open_manual(window)


@command(
    "help.shortcuts",
    title="Keyboard Shortcuts…",
    menu="Help",
    shortcut="Ctrl+F1",
    recorded=False,
    script=False,
    group="read",
)
def help_shortcuts(window: Any) -> None:
    """List all keys."""
    from jviz.window.shortcut_editor import open_editor

    open_editor(window)


@command("help.about", title="About jviz", menu="Help", recorded=False, script=False, group="about")
def about(window: Any) -> None:
    """Say the version of jviz and of what it stands on."""
    from jviz.window.about import open_about

    open_about(window)

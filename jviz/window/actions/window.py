"""Commands on the window itself."""

from __future__ import annotations

from typing import Any, Literal

from jviz.commands import command


@command(
    "window.palette",
    title="Command Palette…",
    menu="View",
    shortcut="Ctrl+Shift+P",
    recorded=False,
    script=False,
    group="palette",
    icon="fa6s.terminal",
)
def palette(window: Any) -> None:
    """Find and run any command by typing a part of its name."""
    from jviz.window.palette import open_palette

    open_palette(window)


@command(
    "window.preferences",
    title="Preferences…",
    menu="Edit",
    shortcut="Ctrl+,",
    recorded=False,
    script=False,
    group="settings",
    icon="fa6s.gear",
)
def preferences(window: Any, key: str = "") -> None:
    """Change settings; ``key`` names the one to show."""
    from jviz.window.preferences import open_preferences

    open_preferences(window, key)


@command(
    "window.shortcuts",
    title="Shortcuts…",
    menu="Edit",
    recorded=False,
    script=False,
    group="settings",
    icon="fa6s.keyboard",
)
def shortcuts(window: Any) -> None:
    """Change the keys of commands and panels."""
    from jviz.window.shortcut_editor import open_editor

    open_editor(window)


@command(
    "window.theme",
    title="Switch Dark and Light",
    menu="Window",
    recorded=False,
    script=False,
    group="theme",
    icon="fa6s.circle-half-stroke",
)
def theme(window: Any, theme: Literal["switch", "system", "dark", "light"] = "switch") -> None:
    """Change the colours of the window; "switch" takes the other of dark and light."""
    if theme == "switch":
        theme = "light" if window.theme.colours.dark else "dark"
    window.session.settings["window.theme"] = theme


@command(
    "window.full_screen",
    title="Full Screen",
    menu="Window",
    shortcut="F11",
    recorded=False,
    script=False,
    group="screen",
    icon="fa6s.expand",
)
def full_screen(window: Any) -> None:
    """Fill the screen, or go back."""
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()


@command(
    "window.next_area",
    title="Next Area",
    menu="Window",
    shortcut="F6",
    recorded=False,
    script=False,
    group="areas",
)
def next_area(window: Any) -> None:
    """Bring the keyboard to the next area: viewers, panels, tools, tool bar, status bar."""
    from jviz.window.areas import step

    step(window, 1)


@command(
    "window.previous_area",
    title="Previous Area",
    menu="Window",
    shortcut="Shift+F6",
    recorded=False,
    script=False,
    group="areas",
)
def previous_area(window: Any) -> None:
    """Bring the keyboard to the area before."""
    from jviz.window.areas import step

    step(window, -1)


@command("window.save_layout", title="Save Layout…", menu="Window", recorded=False, script=False, group="layout")
def save_layout(window: Any, name: str = "") -> None:
    """Keep the arrangement of panels under a name."""
    from jviz.window.dialogs import ask_text

    if name:
        window.layouts.save(name)
    else:
        ask_text(
            window,
            "Save Layout",
            "Name of the layout:",
            window.layouts.names,
            lambda text: window.invoker.run("window.save_layout", name=text),
        )


@command("window.restore_layout", title="Restore Layout…", recorded=False, script=False, group="layout")
def restore_layout(window: Any, name: str = "") -> None:
    """Arrange the panels as saved under a name."""
    from jviz.window.dialogs import ask_text

    if name:
        window.layouts.restore(name)
    else:
        ask_text(
            window,
            "Restore Layout",
            "Name of the layout:",
            window.layouts.names,
            lambda text: window.invoker.run("window.restore_layout", name=text),
        )


@command("window.reset_layout", title="Reset Layout", menu="Window", recorded=False, script=False, group="layout")
def reset_layout(window: Any) -> None:
    """Arrange the panels as at the first start."""
    window.layouts.reset()


@command(
    "window.close_messages", title="Close All Messages", menu="Window", recorded=False, script=False, group="messages"
)
def close_messages(window: Any) -> None:
    """Take away the messages at the lower right; the Notifications panel keeps them."""
    window.toasts.clear()

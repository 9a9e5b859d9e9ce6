"""Commands that arrange viewers and copy what they show."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPageLayout

from jviz.commands import command
from jviz.errors import CommandError, JvizError

MOVE = "View/Move Viewer"


def _active(window: Any) -> str:
    if not window.central.active:
        raise CommandError("No viewer is open; open a file first.")
    return window.central.active


def _split(window: Any, zone: str) -> None:
    """Move the active viewer into a new group on that side; alone in its group, it gets a twin there."""
    name = _active(window)
    if window.central.group_of(name).count() > 1:
        window.central.move(name, name, zone)
        return
    with window.central.adding_beside(name, zone):
        window.invoker.run("view.duplicate", view=window.session.views[name])


@command(
    "view.split_right",
    title="Split Right",
    menu="View",
    shortcut="Ctrl+\\",
    needs="view",
    recorded=False,
    script=False,
    group="split",
    icon="mdi6.arrow-split-vertical",
)
def split_right(window: Any) -> None:
    """Put the active viewer to the right of those it shares its place with; alone, show it twice."""
    _split(window, "right")


@command(
    "view.split_down",
    title="Split Down",
    menu="View",
    shortcut="Ctrl+Shift+\\",
    needs="view",
    recorded=False,
    script=False,
    group="split",
    icon="mdi6.arrow-split-horizontal",
)
def split_down(window: Any) -> None:
    """Put the active viewer below those it shares its place with; alone, show it twice."""
    _split(window, "bottom")


def _declare_moves() -> None:
    for zone, word, key in (("left", "Left", "Left"), ("right", "Right", "Right"), ("top", "Up", "Up"),
                            ("bottom", "Down", "Down")):  # fmt: skip

        @command(
            f"view.move_to_{zone}",
            title=f"Move {word}",
            menu=MOVE,
            shortcut=f"Ctrl+Alt+{key}",
            needs="view",
            recorded=False,
            script=False,
            group="move",
        )
        def move(window: Any, zone: Any = zone) -> None:
            window.central.move_towards(_active(window), zone)

        move.__doc__ = f"Move the active viewer to the group at that side ({word.lower()}), made when there is none."


_declare_moves()


@command(
    "view.next",
    title="Next Viewer",
    menu="View",
    shortcut="Ctrl+Tab",
    needs="view",
    recorded=False,
    script=False,
    group="step",
)
def next_viewer(window: Any) -> None:
    """Go to the next viewer."""
    window.central.step(1)


@command(
    "view.previous",
    title="Previous Viewer",
    menu="View",
    shortcut="Ctrl+Shift+Tab",
    needs="view",
    recorded=False,
    script=False,
    group="step",
)
def previous_viewer(window: Any) -> None:
    """Go to the viewer before this one."""
    window.central.step(-1)


@command(
    "view.focus",
    title="Go to Viewers",
    menu="View",
    shortcut="Alt+0",
    needs="view",
    recorded=False,
    script=False,
    group="step",
)
def focus(window: Any) -> None:
    """Bring the keyboard from a panel back to the active viewer."""
    window.central.activate(_active(window))


@command(
    "view.copy_picture",
    title="Copy Picture",
    menu="Edit",
    shortcut="Ctrl+Shift+C",
    needs="view",
    recorded=False,
    script=False,
    group="copy",
    icon="fa6s.copy",
)
def copy_picture(window: Any) -> None:
    """Copy what the active viewer shows as a picture."""
    QGuiApplication.clipboard().setImage(window.viewers[_active(window)].grab())
    window.session.notice("status", "The picture was copied.")


@command("view.print", title="Print…", menu="File", shortcut="Ctrl+P", needs="view", recorded=False, script=False,
         group="save", icon="fa6s.print")  # fmt: skip
def print_view(window: Any) -> None:
    """Print what the active viewer shows, black on white, as large as the page allows."""
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    from jviz.viewers.figure import print_figure

    view = window.session.views[_active(window)]
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setDocName(view.name)
    wide, high = getattr(view, "viewport", (4.0, 3.0))
    printer.setPageOrientation(QPageLayout.Orientation.Landscape if wide > high else QPageLayout.Orientation.Portrait)
    dialog = QPrintDialog(printer, window)

    def accepted() -> None:
        try:
            print_figure(window.session, view, printer)
        except JvizError as error:
            window.session.notice("error", str(error))
        else:
            window.session.notice("status", f"{view.name} was printed.")

    dialog.accepted.connect(accepted)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setModal(True)
    dialog.show()

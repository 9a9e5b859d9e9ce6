"""What the user is about to do: the tool in hand, how regions are drawn, which are selected; none of it is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jviz.commands import command
from jviz.errors import CommandError
from jviz.signals import Signal

__all__ = ["MODES", "Interaction", "Tool", "declare_tool", "tools"]

MODES = {
    "new": "New Region",
    "replace": "Replace the Selected Region",
    "or": "Add to the Selected Region",
    "and": "Keep What Both Have",
    "xor": "Keep What One of Both Has",
    "andnot": "Cut from the Selected Region",
}
"""What becomes of a region that is drawn, with the words for it."""

SYSTEMS = ("sky", "pixel")


@dataclass(frozen=True)
class Tool:
    """Something that the left mouse button can do in an image viewer.

    Attributes
    ----------
    id, title : str
        The command that takes it is ``tool.<id>``.
    icon : str
        QtAwesome name.
    shortcut : str
    group : str
        Tools of one group share a place in the tool strip.
    menu : str
        Where the command stands.
    summary : str
        What it does, for tool tips.
    panel : str
        Id of the panel that shows what it finds; a window opens it when the tool is taken.
    """

    id: str
    title: str
    icon: str
    shortcut: str = ""
    group: str = ""
    menu: str = "Image/Tools"
    summary: str = ""
    panel: str = ""


_tools: dict[str, Tool] = {}


def declare_tool(tool: Tool) -> Tool:
    """Declare a tool of image viewers and its command; `jviz.viewers.image_tools.gesture` says what it does."""
    _tools[tool.id] = tool

    def take(session: Any) -> None:
        session.interaction.tool = tool.id

    take.__doc__ = tool.summary or f"Work with {tool.title}."
    command(
        f"tool.{tool.id}", title=tool.title, menu=tool.menu, shortcut=tool.shortcut, icon=tool.icon, needs="image",
        recorded=False, script=False, group="tools",
    )(take)  # fmt: skip
    return tool


def tools() -> dict[str, Tool]:
    """Return the declared tools by id."""
    return dict(_tools)


class Interaction:
    """The tool in hand and the selected regions, shared by all viewers and panels of a session.

    Attributes
    ----------
    changed : Signal
        Tool, mode or system changed.
    selection_changed : Signal
        Other regions are selected.
    pixel_changed : Signal
        `pixel` changed.
    pixel : (ImageView, float, float) or None
        The pixel, of the view's first layer, that was stepped to last; it is framed while it is in sight.
    line_changed : Signal
        `line` changed.
    line : (ImageView, ndarray) or None
        A cut that is being drawn: corners of shape (n, 2), in pixels of the view's first layer.
    """

    def __init__(self) -> None:
        self.changed, self.selection_changed = Signal(), Signal()
        self._tool, self._mode, self._system = "pan", "new", "sky"
        self._selected: tuple[str, ...] = ()
        self.line_changed = Signal()
        self.line: tuple[Any, Any] | None = None
        self._cut_width = 1.0
        self.pixel_changed = Signal()
        self.pixel: tuple[Any, float, float] | None = None

    def point_at(self, view: Any, x: float, y: float) -> None:
        """Frame a pixel of a view's first layer, one that was looked for, until another is."""
        self.pixel = (view, x, y)
        self.pixel_changed.emit()

    def show_line(self, line: tuple[Any, Any] | None) -> None:
        """Say where a cut is being drawn; None: it is not any more."""
        self.line = line
        self.line_changed.emit()

    @property
    def cut_width(self) -> float:
        """Pixels across a line cut that are averaged."""
        return self._cut_width

    @cut_width.setter
    def cut_width(self, width: float) -> None:
        if not 1 <= width <= 1000:
            raise CommandError(f"A cut {width:g} pixels wide cannot be made; give 1 to 1000.")
        self._set("_cut_width", float(width))

    @property
    def tool(self) -> str:
        """Id of the tool that the left button works with; ``"pan"`` at first."""
        return self._tool

    @tool.setter
    def tool(self, id: str) -> None:
        if id not in _tools:
            raise CommandError(f"There is no tool {id!r}; there are {', '.join(_tools)}.")
        self._set("_tool", id)

    @property
    def region_mode(self) -> str:
        """What becomes of a region that is drawn: one of `MODES`."""
        return self._mode

    @region_mode.setter
    def region_mode(self, mode: str) -> None:
        if mode not in MODES:
            raise CommandError(f"There is no way {mode!r} to combine regions; there are {', '.join(MODES)}.")
        self._set("_mode", mode)

    @property
    def region_system(self) -> str:
        """Whether regions drawn on an image with a sky lie on the "sky" or on its "pixel" grid."""
        return self._system

    @region_system.setter
    def region_system(self, system: str) -> None:
        if system not in SYSTEMS:
            raise CommandError(f"Regions lie on the sky or on pixels; {system!r} is neither 'sky' nor 'pixel'.")
        self._set("_system", system)

    @property
    def selected(self) -> tuple[str, ...]:
        """Names of the selected regions, the one that was selected last at the end."""
        return self._selected

    def select(self, names: Iterable[str]) -> None:
        """Select these regions and no others."""
        names = tuple(dict.fromkeys(names))
        if names != self._selected:
            self._selected = names
            self.selection_changed.emit()

    def _set(self, name: str, value: Any) -> None:
        if getattr(self, name) != value:
            setattr(self, name, value)
            self.changed.emit()

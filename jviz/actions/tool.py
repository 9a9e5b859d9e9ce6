"""The tools of image viewers, and the command that takes one of them."""

from __future__ import annotations

from typing import Literal

from jviz.commands import command
from jviz.interaction import Tool, declare_tool
from jviz.session import Session

DRAW = "Regions/Draw"

declare_tool(
    Tool("pan", "Pan and Select", "fa6s.arrow-pointer", "V", "pan", summary="Move the picture; click selects a region.")
)
declare_tool(Tool("zoom", "Zoom to Box", "fa6s.magnifying-glass", "Z", "pan", summary="Zoom to a box that is drawn."))
for _id, _title, _icon, _keys, _group, _what in (
    ("circle", "Circle", "mdi6.circle-outline", "A", "circle", "Draw a circle from its centre."),
    ("annulus", "Annulus", "mdi6.circle-double", "", "circle", "Draw a ring from its centre."),
    ("ellipse", "Ellipse", "mdi6.ellipse-outline", "E", "ellipse", "Draw an ellipse from its centre."),
    ("ellipse_annulus", "Elliptical Annulus", "mdi6.ring", "", "ellipse", "Draw an elliptical ring from its centre."),
    ("rectangle", "Rectangle", "mdi6.rectangle-outline", "S", "rectangle", "Draw a rectangle from corner to corner."),
    (
        "rectangle_annulus", "Rectangular Annulus", "mdi6.select-group", "", "rectangle",
        "Draw a rectangular frame from its centre.",
    ),
    ("polygon", "Polygon", "mdi6.vector-polygon", "P", "polygon", "Click corner after corner; double-click ends."),
    ("freehand", "Free-Hand", "mdi6.lasso", "J", "polygon", "Draw the outline of a region with the mouse."),
    ("line", "Line", "mdi6.vector-line", "L", "line", "Draw a straight line."),
    ("path", "Path", "mdi6.vector-polyline", "", "line", "Click point after point; double-click ends."),
    ("point", "Point", "mdi6.plus-circle-outline", "", "text", "Mark a point with a click."),
    ("text", "Text", "mdi6.format-text", "T", "text", "Write a text with a click."),
    ("ruler", "Ruler", "mdi6.ruler", "U", "ruler", "Measure separation and position angle."),
    ("compass", "Compass Region", "mdi6.compass-outline", "", "ruler", "Put down arrows to north and east."),
):  # fmt: skip
    declare_tool(Tool(_id, _title, _icon, _keys, _group, DRAW, _what))
declare_tool(
    Tool("cut", "Line Cut", "fa6s.chart-line", "C", "measure", "Image/Measure",
         "Drag a line: its profile is shown while you drag, and the line stays.", "profiles")
)  # fmt: skip
declare_tool(
    Tool("pick", "Pick Peak", "fa6s.crosshairs", "B", "measure", "Image/Measure",
         "Click near a star, or drag a circle round it: centre and widths of the brightest peak.", "results")
)  # fmt: skip


@command("tool.select", title="Select Tool…", recorded=False, script=False)
def select(session: Session, tool: str) -> None:
    """Choose what the left mouse button does in image viewers.

    Parameters
    ----------
    tool : str
        "pan", "zoom", "circle", "polygon" …; ``session.commands`` lists one ``tool.<id>`` for each.
    """
    session.interaction.tool = tool


@command("tool.region_mode", title="Drawn Regions…", menu=DRAW, recorded=False, script=False, group="mode")
def region_mode(session: Session, mode: Literal["new", "replace", "or", "and", "xor", "andnot"] = "new") -> None:
    """Choose what becomes of regions that are drawn: new ones, or parts of the selected one."""
    session.interaction.region_mode = mode


@command("tool.cut_width", title="Width of Line Cuts…", menu="Image/Measure", recorded=False, script=False,
         group="cuts")  # fmt: skip
def cut_width(session: Session, width: float = 1.0) -> None:
    """Choose how many pixels across the line the tool for cuts averages."""
    session.interaction.cut_width = width


@command("tool.region_system", title="Draw on Sky or Pixels…", menu=DRAW, recorded=False, script=False, group="mode")
def region_system(session: Session, system: Literal["sky", "pixel"] = "sky") -> None:
    """Choose whether regions drawn on an image with a sky are kept in sky coordinates or in its pixels."""
    session.interaction.region_system = system

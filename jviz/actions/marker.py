"""Commands on markers: places logged with what was read there, in one table."""

from __future__ import annotations

from typing import Any

from jviz.commands import command
from jviz.data import WithPicture
from jviz.errors import CommandError
from jviz.linking import place_in
from jviz.markers import mark, numbered, table_of
from jviz.positions import Position, pixel_of
from jviz.running import Apply
from jviz.session import Session
from jviz.views import ImageView

MENU = "Image/Markers"


@command("marker.add", title="Log Marker…", menu=MENU, needs="image", group="log", job=True)
def add(
    session: Session, data: WithPicture, position: Position, *, plane: str = "", index: tuple[int, ...] = ()
) -> Apply:
    """Log a place of an image as a row of the table of markers, with what is read there.

    Parameters
    ----------
    position : position
        Pixel, sky position or name.
    plane : str
        Whose value is read; the first by default.
    index : tuple of int
        Slice of data with more than two axes; the middle one by default.

    Returns
    -------
    int
        The marker's number; its row is in the table "Markers" among the results.
    """
    x, y, _ = pixel_of(session, data, position)
    marker = mark(data, x, y, plane, tuple(index))
    table_of([marker])  # what it imports is there when the session makes the table

    def apply() -> None:
        session.set_markers(numbered(session.markers, marker))

    given = {"position": (x, y), "plane": marker.plane, "index": marker.index}
    return Apply(apply, f"Marker on {data.name}", given)


@command("marker.add_at_cursor", title="Log Marker at the Cursor", menu=MENU, needs="image", shortcut="D",
         group="log", recorded=False, script=False, icon="fa6s.map-pin")  # fmt: skip
def add_at_cursor(session: Session) -> None:
    """Log the pixel under the mouse: position, sky, value, error, flags, data and plane."""
    at = session.pointer.at
    if at is None or not isinstance(at[0], ImageView) or at[0].layer is None:
        raise CommandError("The mouse is not over an image; move it to what is to be marked, and press the key there.")
    view, x, y = at
    layer = view.layer
    if view.align == "sky":
        x, y = place_in(view.layers[0].data, layer.data, x, y)
    where = (float(x), float(y))
    session.submit("marker.add", data=layer.data, position=where, plane=layer.plane, index=layer.index)


@command("marker.remove", title="Remove Marker…", menu=MENU, needs="image", group="remove")
def remove(session: Session, number: int) -> None:
    """Take a marker away; the others keep their numbers."""
    kept = tuple(marker for marker in session.markers if marker.number != number)
    if len(kept) == len(session.markers):
        there = ", ".join(str(m.number) for m in session.markers) or "none yet"
        raise CommandError(f"There is no marker {number}; there are {there}.")
    session.set_markers(kept)


@command("marker.clear", title="Remove All Markers", menu=MENU, needs="image", group="remove")
def clear(session: Session) -> None:
    """Take all markers away."""
    if not session.markers:
        raise CommandError("There are no markers to remove.")
    session.set_markers(())


@command("marker.table", title="Table of Markers", menu=MENU, needs="image", group="table", icon="fa6s.table-list")
def table(session: Session) -> Any:
    """Return the markers as a table, which can be written to a file or added as a catalogue.

    Returns
    -------
    QTable
        One row each: number, pixel, sky (ICRS), value with its unit and error, flags, data and plane.
    """
    if not session.markers:
        raise CommandError("There are no markers yet; press D over a picture to log what is under the cursor.")
    return table_of(session.markers)

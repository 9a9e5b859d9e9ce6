"""The command that draws offsets of rows of a catalogue as arrows on images."""

from __future__ import annotations

from jviz.actions.view import open_view
from jviz.commands import command
from jviz.data import Catalog
from jviz.errors import CommandError
from jviz.session import Session


@command("catalog.arrows", title="Offsets as Arrows…", menu="Catalogue", needs="catalog", group="plots",
         icon="mdi6.arrow-top-right-thin")  # fmt: skip
def arrows(session: Session, data: Catalog, columns: str = "", *, scale: float | None = None) -> None:
    """Draw offsets of rows as arrows on images, from a match of catalogues or a check of astrometry.

    Parameters
    ----------
    columns : str
        What two columns begin with, ``delta`` of delta_ra and delta_dec (east and north) or of delta_x and delta_y; by
        default residual or delta; ``none`` takes the arrows away.
    scale : float, optional
        By which arrows are longer than what they show; by default so that they are seen well.
    """
    known = [n[: -len(end)] for end in ("_ra", "_x") for n in data.columns if n.endswith(end)
             and n[: -len(end)] + {"_ra": "_dec", "_x": "_y"}[end] in data.columns]  # fmt: skip
    name = columns.strip() or next((n for n in ("residual", "delta") if n in known), "")
    if name != "none" and name not in known:
        there = f"there are offsets {', '.join(known)}" if known else "it has no columns such as delta_ra and delta_dec"
        raise CommandError(f"{data.name} has no offsets {name!r}; {there}.")
    tables = [view for view in session.views.values() if view.kind == "table" and view.data is data]
    for view in tables or [open_view(session, "table", data)]:
        layer = next(one for one in view.layers if one.data is data)
        layer.update(arrows="" if name == "none" else name, arrow_scale=layer.arrow_scale if scale is None else scale)

"""Commands on data sets."""

from __future__ import annotations

from typing import Any

from jviz.backend.progress import Progress
from jviz.changed_files import read_again
from jviz.commands import command
from jviz.cube_views import without_companions
from jviz.data import Data
from jviz.errors import CommandError, JvizError
from jviz.replacing import put_in_place
from jviz.running import Apply
from jviz.session import Session


@command("data.add", title="Add Data", method="add", job=True)
def add(session: Session, thing: Any, name: str | None = None) -> Apply:
    """Add an object of numpy or of the astropy family to the session.

    Parameters
    ----------
    thing : NDData, CCDData, Quantity, ndarray, Spectrum, Table, Regions or SpectralRegion
    name : str, optional
        ``"image"``, ``"cube"`` … by default.

    Returns
    -------
    Data
    """
    from jviz.convert import data_from
    from jviz.script import Written, literal

    data = data_from(thing, name)
    data.prepare()
    try:
        written = {"thing": Written(literal(thing))}
    except JvizError:
        written = {}  # the line says why not
    return Apply(lambda: data, recorded=written)


@command("data.remove", title="Remove from Session", menu="Data", icon="fa6s.trash", needs="data")
def remove(session: Session, data: Data) -> None:
    """Remove data from the session and from every view; the file stays as it is."""
    session.set_views(_without(session, data))
    session.set_subsets({n: s for n, s in session.subsets.items() if s.data is not data})
    session.set_data(tuple(d for d in session.data if d is not data))


@command("data.rename", title="Rename Data…", menu="Data", icon="fa6s.pen", needs="data")
def rename(session: Session, data: Data, name: str) -> None:
    """Give data another name, unique in the session."""
    name = name.strip()
    if not name:
        raise CommandError(f"{data.name} cannot have an empty name.")
    if name != data.name and name in session.names:
        raise CommandError(f"Another data set is named {name!r} already; choose a different name.")
    data.name = name
    session.data_changed.emit()


@command("data.reload", title="Read Again from File", menu="Data", icon="fa6s.rotate", needs="data", job=True)
def reload(session: Session, data: Data, *, progress: Progress) -> Apply:
    """Take data as their file is now, after another program changed it; views and regions stay.

    Raises
    ------
    JvizError
        When they came from no file, or it is gone or holds nothing of the kind any more.
    """
    new = read_again(data, progress)

    def end() -> Data:
        put_in_place(session, data, new, turned=getattr(new, "shape", ()) != getattr(data, "shape", ()))
        return new

    return Apply(end, f"Read {data.name} Again")


def _without(session: Session, data: Data) -> tuple:
    """Take layers of the data out of all views; views left empty go too, and the empty ones that came with them."""
    kept = []
    for view in session.views.values():
        layers = tuple(one for one in view.layers if one.data is not data and getattr(one, "against", None) is not data)
        if layers or not view.layers:
            kept.append(view)
        if layers and layers != view.layers:
            view.update(layers=layers, active=-1)
    return without_companions(kept)

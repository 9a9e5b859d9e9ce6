"""Commands on the basket, which keeps products until they are fetched, and on the history of downloads."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.archive_fetching import arrived, fetched
from jviz.archives import answer
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.results import counted
from jviz.running import Apply
from jviz.session import Session

if TYPE_CHECKING:
    from jviz.backend.archive.basket import Kept

MENU = "Archive/Basket"


@command("archive.basket", title="List Basket", menu=MENU, job=True, apart=True, group="list",
         icon="fa6s.basket-shopping")  # fmt: skip
def basket(session: Session) -> Any:
    """List the products in the basket; it outlives jviz.

    Returns
    -------
    QTable
        As of archive.products: name, ``size`` in bytes (0: not known), level, rights, ``dataURI`` and what else was
        known of each.
    """
    from jviz.backend.archive.basket import basket as products_in

    table = products_in(session.archives.library)
    return answer(table, len(table), "basket", {})


@command("archive.basket_add", title="Add to Basket…", menu=MENU, job=True, apart=True, group="change",
         icon="fa6s.plus")  # fmt: skip
def basket_add(session: Session, products: Any) -> Apply:
    """Put products into the basket, to be fetched later; those that are in it already stay once.

    Parameters
    ----------
    products : QTable, Row, str or list of str
        Rows of archive.products, or addresses: ``mast:JWST/product/…`` or ``https://…``.

    Returns
    -------
    int
        How many were not in it.
    """
    from jviz.backend.archive.basket import kept_products, put

    new = put(session.archives.library, kept_products(products))
    return _changed(session, f"Put {counted(len(new), 'product')} into the basket", put, take_out_of, new, products)


@command("archive.basket_remove", title="Remove from Basket…", menu=MENU, job=True, apart=True, group="change",
         icon="fa6s.minus")  # fmt: skip
def basket_remove(session: Session, products: Any) -> Apply:
    """Take products out of the basket.

    Parameters
    ----------
    products : QTable, Row, str or list of str
        Rows of archive.basket, or their addresses.

    Returns
    -------
    int
        How many were in it.
    """
    from jviz.backend.archive.basket import kept_products, put, take_out

    gone = take_out(session.archives.library, [kept.uri for kept in kept_products(products)])
    if not gone:
        raise CommandError("None of these products is in the basket; archive.basket lists what is.")
    label = f"Take {counted(len(gone), 'product')} out of the basket"
    return _changed(session, label, take_out_of, put, gone, products)


@command("archive.basket_clear", title="Empty Basket", menu=MENU, job=True, apart=True, group="change",
         icon="fa6s.trash")  # fmt: skip
def basket_clear(session: Session) -> Apply:
    """Take all products out of the basket.

    Returns
    -------
    int
        How many there were.
    """
    from jviz.backend.archive.basket import empty, put

    return _changed(session, "Empty the basket", take_out_of, put, empty(session.archives.library))


@command("archive.basket_download", title="Download Basket", menu=MENU, job=True, apart=True, group="download",
         icon="fa6s.download")  # fmt: skip
def basket_download(
    session: Session, folder: Path | None = None, *, open: bool = False, keep: bool = False, progress: Progress
) -> Apply:
    """Fetch what is in the basket, as archive.download does; what is here then leaves it.

    Parameters
    ----------
    folder : Path, optional
        By default the store of the library. A file of the same name that is there already stays as it is.
    open : bool
        Open the files afterwards.
    keep : bool
        Leave the products in the basket.

    Returns
    -------
    list of Path
        The files that are here; what could not be had is told in a notice each, and stays in the basket.
    """
    from jviz.backend.archive.basket import basket as products_in
    from jviz.backend.archive.basket import take_out
    from jviz.backend.archive.products import uri_of, wanted_files

    library = session.archives.library
    products = products_in(library)
    if not len(products):
        raise CommandError("The basket is empty. Put products into it with archive.basket_add.")
    outcomes = fetched(session, wanted_files(products), folder, progress)
    if not keep:
        take_out(library, [uri_of(outcome.wanted.url) for outcome in outcomes if outcome.state == "done"])
        session.archives.basket_changed.emit()
    return Apply(partial(arrived, session, outcomes, open))


@command("archive.history", title="List Downloaded Files", menu=MENU, job=True, apart=True, group="list",
         icon="fa6s.clock-rotate-left")  # fmt: skip
def history(session: Session, text: str = "", limit: int = 2_000) -> Any:
    """List the files that were ever fetched, the newest first, also those that are not here any more.

    Parameters
    ----------
    text : str
        A part of the name, the address or the path.
    limit : int
        Most rows.

    Returns
    -------
    QTable
        ``time`` (UTC), ``productFilename``, ``size`` in bytes, whether it is still ``here``, ``dataURI``, ``path`` and
        ``sha256``; archive.download and archive.basket_add take its rows.
    """
    from astropy.table import Table
    from astropy.time import Time

    from jviz.backend.archive.basket import downloads

    found = downloads(session.archives.library, text, most=limit)
    columns = {"productFilename": "name", "size": "size", "here": "is_here", "dataURI": "uri", "path": "path",
               "sha256": "sha256"}  # fmt: skip
    kinds = {"size": float, "here": bool}
    table = Table({name: [getattr(row, field) for row in found] for name, field in columns.items()},
                  dtype=[kinds.get(name, str) for name in columns])  # fmt: skip
    times = Time([row.time for row in found], format="unix", precision=0).isot if found else []
    table.add_column([str(time) for time in times], name="time", index=0)
    return answer(table, len(table), "history", {"text": text} if text else {})


def take_out_of(library: Any, products: list[Kept]) -> list[Kept]:
    """Take these products out of the basket."""
    from jviz.backend.archive.basket import take_out

    return take_out(library, [kept.uri for kept in products])


def _changed(session: Session, label: str, do: Any, undo: Any, products: list[Kept], given: Any = None) -> Apply:
    """Return a step of the history for what was done to the basket already."""
    archives = session.archives
    if not products:
        return Apply(lambda: 0)

    def change(way: Any) -> None:
        way(archives.library, products)
        archives.basket_changed.emit()

    # What is in the basket is not put in again, and what is not in it not taken out: the first time, nothing happens.
    step = Edit(label, partial(change, do), partial(change, undo), len(products))
    recorded = {} if given is None else {"products": [kept.uri for kept in products]}
    return Apply(lambda: step, recorded=recorded)

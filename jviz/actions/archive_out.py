"""Commands that let products be fetched without jviz: a list of addresses, and a script for cURL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.archives import answer
from jviz.backend.files import writing
from jviz.commands import command
from jviz.errors import CommandError
from jviz.outputs import output_path
from jviz.running import Apply
from jviz.session import Session

if TYPE_CHECKING:
    from jviz.backend.archive.fetch import Wanted

MENU = "Archive/Basket"


@command("archive.urls", title="List Addresses…", menu=MENU, job=True, apart=True, group="out", icon="fa6s.link")
def urls(session: Session, products: Any = None, path: Path | None = None) -> Apply:
    """List the addresses that products are fetched from, on the screen or in a file; no token is in them.

    Parameters
    ----------
    products : QTable, Row, str or list of str, optional
        Rows of archive.products, or addresses; without it what is in the basket.
    path : Path, optional
        Of a text with one address on each line.

    Returns
    -------
    QTable or Path
        ``productFilename``, ``size`` in bytes (0: not known) and ``url``; the file where one is written.
    """
    from astropy.table import Table

    from jviz.backend.archive.scripts import address_list

    files = _files(session, products)
    text = address_list(files)
    if path is not None:
        return _written(session, path, text, files, products)
    table = Table({"productFilename": [file.name for file in files], "size": [float(file.size) for file in files],
                   "url": [file.url for file in files]})  # fmt: skip
    result = answer(table, len(table), "archive", {"products": len(files)})
    return Apply(lambda: result, recorded=_recorded(products, files))


@command("archive.script", title="Write cURL Script…", menu=MENU, job=True, apart=True, group="out",
         icon="fa6s.terminal")  # fmt: skip
def script(session: Session, path: Path, products: Any = None) -> Apply:
    """Write a script of the shell that fetches products with cURL, on a machine without jviz.

    Run again, it goes on with what is missing, also within a file; it checks sizes, refuses pages for people, and says
    what failed. For exclusive data it takes the token from the environment variable ``MAST_API_TOKEN`` when it is
    run, and shows it to MAST alone; none is written into it.

    Parameters
    ----------
    path : Path
        ``"….sh"``; run it by ``sh get_data.sh FOLDER``.
    products : QTable, Row, str or list of str, optional
        Rows of archive.products, or addresses; without it what is in the basket.

    Returns
    -------
    Path
    """
    from jviz.backend.archive.scripts import curl_script

    files = _files(session, products)
    return _written(session, path, curl_script(files), files, products)


def _files(session: Session, products: Any) -> list[Wanted]:
    """Return the files that are meant.

    Raises
    ------
    CommandError
        When none were given, and the basket is empty.
    """
    from jviz.backend.archive.basket import basket
    from jviz.backend.archive.products import wanted_files

    if products is None:
        products = basket(session.archives.library)
        if not len(products):
            raise CommandError("The basket is empty. Put products into it with archive.basket_add, or name them.")
    return list(dict.fromkeys(wanted_files(products)))


def _written(session: Session, path: Path, text: str, files: list[Wanted], products: Any) -> Apply:
    target = output_path(session, path)
    with writing(target) as temporary:
        temporary.write_text(text, "utf-8")
    return Apply(lambda: target, recorded=_recorded(products, files))


def _recorded(products: Any, files: list[Wanted]) -> dict[str, Any]:
    """Return what the script line has: what the basket held then is not what it holds later, so it stays the basket."""
    from jviz.backend.archive.products import uri_of

    return {} if products is None else {"products": [uri_of(file.url) for file in files]}

"""The readers: functions that turn a path into products, found by suffix or by looking at the first bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.backend.io.product import Product
from jviz.backend.io.unknown import unknown_text
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["Reader", "open_products", "reader", "readers", "sniff_bytes"]

sniff_bytes = 4096
"""How many bytes of the start of a file a sniffer sees."""


@dataclass(frozen=True)
class Reader:
    """A reader and how to recognise what it reads."""

    id: str
    title: str
    read: Callable[..., list[Product]]
    suffixes: tuple[str, ...] = ()
    sniff: Callable[[Path, bytes], bool] | None = None
    origin: str = "jviz"

    def claims(self, path: Path, start: bytes) -> bool:
        """Whether this reader wants a file that has this name and starts with these bytes."""
        if self.sniff is not None:
            return self.sniff(path, start)
        return path.name.lower().endswith(self.suffixes)


_readers: dict[str, Reader] = {}


def reader(
    id: str,
    *,
    title: str,
    suffixes: tuple[str, ...] = (),
    sniff: Callable[[Path, bytes], bool] | None = None,
    origin: str = "jviz",
) -> Callable:
    """Declare a function ``read(path, *, progress, **options) -> list[Product]`` as a reader.

    Parameters
    ----------
    id : str
        Stable name, used in sessions and by ``session.open(path, reader=id)``.
    suffixes : tuple of str
        Lower-case endings such as ``(".fits", ".fits.gz")``; used when there is no ``sniff``
        and for the file dialog.
    sniff : callable, optional
        ``sniff(path, first_bytes) -> bool``; the content decides, not the name.
    """

    def register(function: Callable[..., list[Product]]) -> Callable[..., list[Product]]:
        _readers[id] = Reader(id, title, function, suffixes, sniff, origin)
        return function

    return register


def readers() -> dict[str, Reader]:
    """Return all readers by id; the ones added last are asked first."""
    import jviz.backend.io.builtin  # noqa: F401  (declares the readers of jviz itself)

    return dict(_readers)


def forget(id: str) -> None:
    """Take a reader out again (when its plugin is unloaded)."""
    _readers.pop(id, None)


def open_products(
    path: str | Path,
    *,
    reader: str | None = None,
    progress: Progress = silent,
    **options: Any,
) -> list[Product]:
    """Read a file with the reader that claims it.

    Parameters
    ----------
    path : str or Path
        A file, or a folder (every readable file in it, not recursive).
    reader : str, optional
        Id of the reader to use instead of asking who claims the file.
    options : dict
        Passed to the reader; ``hdu="SCI,1"`` or ``hdu=3`` for FITS.

    Returns
    -------
    list of Product
        At least one.

    Raises
    ------
    ReadError
        With the file, the reason and what to do; the cause is chained.
    """
    from jviz.backend.io.guard import checked_start, explain

    path = Path(path)
    start = checked_start(path)
    chosen = _choose(path, start, reader)
    try:
        products = chosen.read(path, progress=progress, **options)
        _check_products(path, chosen, products)
    except ReadError:
        raise
    except (Exception, SystemExit) as error:
        raise explain(path, chosen, error) from error
    for product in products:
        product.path = product.path or path
        product.reader = product.reader or chosen.id
    return products


def _check_products(path: Path, chosen: Reader, products: Any) -> None:
    if not isinstance(products, list) or not products or not all(isinstance(one, Product) for one in products):
        raise ReadError(
            f"{path.name} was not read: the reader {chosen.title} ({chosen.origin}) gave {products!r:.60} and no list "
            "of products. Have it mended, or name another reader with File > Open As…"
        )


def _choose(path: Path, start: bytes, id: str | None) -> Reader:
    known = readers()
    if id is not None:
        if id not in known:
            raise ReadError(f"There is no reader {id!r}; choose one of {', '.join(sorted(known))}.")
        return known[id]
    for candidate in reversed(known.values()):
        if candidate.claims(path, start):
            return candidate
    raise ReadError(unknown_text(path, start))

"""Tables of astropy in ASDF files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.io.product import Product
from jviz.backend.io.tables import table_product

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["table_of_asdf", "table_places"]

_TAG = "astropy/table/table-"


def table_places(node: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the ways from the root of a tagged tree to its tables."""
    if _TAG in str(getattr(node, "_tag", "")):
        yield keys
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from table_places(value, (*keys, str(key)))


def table_of_asdf(path: Path, keys: tuple[str, ...]) -> Product:
    """Make a product of the table at a place of the tree.

    Raises
    ------
    ReadError
        When it cannot be made.
    """

    def load() -> Table:
        asdf = asdf_library()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with asdf.open(path, memmap=False, lazy_load=False) as file:
                node: Any = file.tree
                for key in keys:
                    node = node[key]
        if isinstance(node, Mapping):
            raise ValueError("asdf has no extension for its tag at hand")
        return node

    product = table_product(path, "ASDF table", "an ASDF table", load)[0]
    product.options = {"array": ".".join(keys)}
    return product

"""JWST associations as products: what stands in the file, and a table of their members."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.associations.model import MOST_BYTES, Association, parsed, read_content
from jviz.backend.io.product import Product, Unit
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError, ReadError

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["association_of_table", "association_product", "read_association"]

LABEL = "JWST association"
LONGEST = 200
"""Characters of a value that the header viewer shows."""


def _is_association(path: Path, start: bytes) -> bool:
    if path.suffix.lower() != ".json" or path.stat().st_size > MOST_BYTES:
        return False
    if path.name.lower().endswith("_asn.json"):
        return True
    text = start if len(start) >= path.stat().st_size else path.read_bytes()
    return b'"asn_type"' in text and b'"products"' in text


@reader("association", title=LABEL, suffixes=("_asn.json", ".json"), sniff=_is_association)
def read_association(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open a JWST association: which exposures the pipeline makes into which products.

    The tree has its content as it is; `load_object` gives a table of the members.

    Raises
    ------
    ReadError
        When it is no JSON, or has no products.
    """
    try:
        content, notes = read_content(path)
        association = parsed(content, path.name)
    except JvizError as error:
        raise ReadError(str(error)) from error
    product = association_product(association, path.stem, path.parent)
    product.path, product.reader, product.warnings = path, "association", notes
    product.tree = lambda: content
    return [product]


def association_product(association: Association, name: str, folder: Path | None) -> Product:
    """Wrap an association that is in no file (yet).

    Parameters
    ----------
    folder : Path, optional
        Where its members lie.
    """
    values = [("asn_type", association.asn_type), *association.more.items()]
    cards = tuple((key, _short(value), "") for key, value in values if not isinstance(value, list | dict))
    unit = Unit(0, association.asn_type, 1, "association", (len(association.members),), "", "", cards)
    product = Product("association", name, LABEL, units=(unit,))
    product.tree = association.content
    product.load_object = lambda: _table(association, folder)
    return product


def _short(value: Any) -> Any:
    text = value if isinstance(value, bool | int | float) else "" if value is None else str(value)
    return text if not isinstance(text, str) or len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _table(association: Association, folder: Path | None) -> QTable:
    from astropy.table import QTable

    rows = [(product.name, m.expname, m.exptype) for product in association.products for m in product.members]
    table = QTable(rows=rows or None, names=("product", "expname", "exptype"), dtype=("U", "U", "U"))
    table.meta |= {"association": json.dumps(association.content()), "folder": str(folder or "")}
    return table


def association_of_table(table: Any) -> tuple[Association, Path | None]:
    """Return what the table of an association was made of, and the folder of its members."""
    folder = table.meta.get("folder", "")
    return parsed(json.loads(table.meta["association"]), "The association"), Path(folder) if folder else None

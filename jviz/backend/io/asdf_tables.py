"""Tables of astropy and spectra of specutils in ASDF files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.io.product import Product
from jviz.backend.io.tables import table_product

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["is_spectrum", "table_of_asdf", "table_places"]

_TAG, _SPECTRUM = "astropy/table/table-", "specutils/spectra/spectrum"
_ERRORS = {"std": "flux_error", "var": "flux_var", "ivar": "flux_ivar"}


def table_places(node: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the ways from the root of a tagged tree to its tables and spectra."""
    if _TAG in str(getattr(node, "_tag", "")) or is_spectrum(node):
        yield keys
    elif isinstance(node, Mapping | list):
        for key, value in node.items() if isinstance(node, Mapping) else enumerate(node):
            yield from table_places(value, (*keys, str(key)))


def is_spectrum(node: Any) -> bool:
    """Whether a node of a tagged tree is a spectrum, or several on one axis; those of cubes are arrays."""
    if _SPECTRUM not in str(getattr(node, "_tag", "")) or not isinstance(node, Mapping):
        return False
    flux = node.get("flux")
    values = flux.get("value") if isinstance(flux, Mapping) else None
    return isinstance(values, list) or (isinstance(values, Mapping) and len(values.get("shape", ())) in (1, 2))


def table_of_asdf(path: Path, keys: tuple[str, ...]) -> Product:
    """Make a product of the table or spectrum at a place of the tree.

    Raises
    ------
    ReadError
        When it cannot be made.
    """

    def load() -> Table:
        asdf = asdf_library()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with asdf.open(path, memmap=False, lazy_load=False, ignore_unrecognized_tag=True) as file:
                node: Any = file.tree
                for key in keys:
                    node = node[int(key) if isinstance(node, list) else key]
        if isinstance(node, Mapping) and {"flux", "spectral_axis"} <= set(node):
            return _table_of_spectrum(node)
        if isinstance(node, Mapping):
            raise ValueError("asdf has no extension for its tag at hand")
        return node

    product = table_product(path, "ASDF table", "an ASDF table", load)[0]
    product.options = {"array": ".".join(keys)}
    return product


def _table_of_spectrum(node: Mapping[str, Any]) -> Table:
    """Return the parts of a spectrum as columns, as the schemas of specutils name them."""
    from astropy.table import QTable
    from astropy.units import Quantity

    axis, flux, error = node["spectral_axis"], node["flux"], node.get("uncertainty")
    if isinstance(axis, Mapping):  # without specutils it is what its tag holds
        axis = Quantity(np.asarray(axis["value"]), axis["unit"])
    rows = np.atleast_2d(flux.value)
    table = QTable({"spectral_axis": np.broadcast_to(axis.value, rows.shape) if len(rows) > 1 else axis.value})
    table["spectral_axis"].unit, table["flux"] = axis.unit, flux
    if isinstance(error, Mapping) and error.get("uncertainty_type") in _ERRORS:
        name = _ERRORS[error["uncertainty_type"]]
        usual = {"flux_error": flux.unit, "flux_var": flux.unit**2, "flux_ivar": flux.unit**-2}[name]
        table[name] = Quantity(np.asarray(error["data"]), error.get("unit") or usual)
    if node.get("mask") is not None:
        table["mask"] = np.asarray(node["mask"])
    return table

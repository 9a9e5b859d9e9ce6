"""The ASDF tree that JWST and Roman files carry in a FITS extension."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.fitsfile import FitsFile, Hdu
from jviz.errors import ReadError

__all__ = ["asdf_bytes", "asdf_tree", "asdf_unit", "shortened"]

_LONGEST_LIST = 200


def asdf_unit(hdus: list[Hdu]) -> Hdu | None:
    """Return the extension that holds an ASDF file (the last one called ASDF), None without one."""
    fitting = [hdu for hdu in hdus if hdu.name.upper() == "ASDF" and hdu.is_table and hdu.complete]
    return fitting[-1] if fitting else None


def asdf_bytes(path: Path) -> bytes:
    """Return the ASDF file that is embedded in a FITS file.

    Raises
    ------
    ReadError
        When there is none.
    """
    file = FitsFile.open(decompressed(path))
    hdu = asdf_unit(file.hdus)
    if hdu is None:
        raise ReadError(f"{path.name} has no ASDF extension. Look at its FITS headers instead.")
    return file.bytes_of(hdu)


def asdf_tree(path: Path) -> dict[str, Any]:
    """Return the embedded tree as nested dicts, lists and plain values; arrays as a few words.

    Raises
    ------
    ReadError
        When there is none, or its text cannot be parsed.
    """
    from asdf.util import load_yaml

    content = asdf_bytes(path)
    try:
        return shortened(load_yaml(io.BytesIO(content)))
    except Exception as error:  # asdf and YAML raise classes of their own
        raise ReadError(
            f"The ASDF tree of {path.name} cannot be read: {error}. Look at its FITS headers instead."
        ) from error


def shortened(tree: Any) -> Any:
    """Replace arrays and long lists by a few words."""
    if isinstance(tree, dict):
        if "datatype" in tree and "shape" in tree:
            shape = " × ".join(map(str, tree["shape"]))
            return f"array {shape} {tree['datatype']} in {tree.get('source', 'the tree')}"
        return {str(key): shortened(value) for key, value in tree.items()}
    if isinstance(tree, list):
        rest = len(tree) - _LONGEST_LIST
        shown = [shortened(value) for value in tree[:_LONGEST_LIST]]
        return [*shown, f"… and {rest} more"] if rest > 0 else shown
    return tree

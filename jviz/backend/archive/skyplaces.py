"""Where the rows of an answer are on the sky: their positions and their outlines."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.library.footprints import of_region

__all__ = ["outlines", "position_columns"]

PAIRS = (("s_ra", "s_dec"), ("ra", "dec"), ("raj2000", "dej2000"), ("ra_icrs", "de_icrs"), ("targ_ra", "targ_dec"),
         ("_raj2000", "_dej2000"), ("ramean", "decmean"), ("matchra", "matchdec"), ("sci_ra", "sci_dec"),
         ("radeg", "dedeg"), ("ra_deg", "dec_deg"), ("lon", "lat"))  # fmt: skip
"""Names that columns of right ascension and declination in degrees go by."""


def position_columns(table: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Return right ascensions and declinations in degrees, NaN where there is none; None without such columns."""
    low = {name.lower(): name for name in table.colnames}
    for ra, dec in PAIRS:
        if ra in low and dec in low:
            lon, lat = _degrees(table[low[ra]]), _degrees(table[low[dec]])
            if lon is not None and lat is not None:
                return lon, lat
    return None


def _degrees(column: Any) -> np.ndarray | None:
    """Return a column in degrees, None when it is not of numbers."""
    mask = getattr(column, "mask", None)
    column = getattr(column, "unmasked", column)
    values = np.asarray(np.ma.getdata(column.to_value("deg") if getattr(column, "unit", None) == "rad" else column))
    if values.dtype.kind not in "iuf":
        return None
    return np.where(mask, np.nan, values) if mask is not None else values.astype(float)


def outlines(table: Any, rows: Any) -> list[tuple[np.ndarray, ...]]:
    """Return the outlines of rows as unit vectors: for each a tuple of polygons of shape (n, 3), empty without one."""
    if "s_region" not in table.colnames:
        return [()] * len(rows)
    column, found = table["s_region"], []
    for row in rows:
        footprint = of_region(str(column[row]))
        found.append(() if footprint is None else footprint.shapes)
    return found

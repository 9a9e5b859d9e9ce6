"""Aperture corrections: what a sum in a circle must be multiplied by to hold all the light of a point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jviz.errors import CommandError

__all__ = ["corrections_at", "radius_of_energy", "read_corrections", "ring_at", "rows_for"]

_FILTERS = ("detector", "filter", "pupil", "subarray")


def read_corrections(path: Path) -> Any:
    """Read a table of corrections: an APCORR reference file of JWST, or any table with radius and apcorr.

    Raises
    ------
    CommandError
        When the file cannot be read or has no such columns.
    """
    from astropy.table import Table

    path = Path(path).expanduser()
    if not path.exists():
        raise CommandError(f"There is no file {path}; give a table of aperture corrections, or a number.")
    options = {"hdu": 1} if path.name.lower().endswith((".fits", ".fits.gz")) else {}
    try:
        table = Table.read(path, **options)
    except Exception as error:  # of whichever of the many readers of tables
        raise CommandError(f"{path.name} cannot be read as a table of aperture corrections: {error}") from error
    return checked(table, path.name)


def checked(table: Any, name: str) -> Any:
    """Return a table with columns in lower case after looking whether it has what is needed."""
    from astropy.table import Table

    table = Table({column.lower(): np.asarray(table[column]) for column in table.colnames})
    if not {"radius", "apcorr"} <= set(table.colnames):
        raise CommandError(f"{name} has no columns radius and apcorr; it has {', '.join(table.colnames)}.")
    return table


def rows_for(table: Any, header: Mapping[str, Any], *, what: str = "corrections") -> Any:
    """Keep the rows of the filter (pupil, subarray) of an image, where the table tells them apart.

    Raises
    ------
    CommandError
        When it has none for the filter.
    """
    for name in _FILTERS:
        if name not in table.colnames:
            continue
        values = np.char.strip(np.char.upper(table[name].astype(str)))
        wanted = str(header.get(name.upper(), "")).strip().upper()
        found = values == wanted
        if not found.any() and name == "subarray":
            found = np.isin(values, ("FULL", "GENERIC", "N/A", ""))
        if not found.any() and len(np.unique(values)) > 1:
            there = ", ".join(sorted(set(values.tolist()))[:12])
            raise CommandError(f"The table has no {what} for {name} {wanted or '(none)'}; it has {there}.")
        table = table[found] if found.any() else table
    return table


def _curve(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return radii and corrections in ascending order, of tables with one row a radius or one row with all."""
    radius, factor = (np.ravel(np.asarray(table[name], float)) for name in ("radius", "apcorr"))
    good = np.isfinite(radius) & np.isfinite(factor) & (radius > 0) & (factor > 0)
    if not good.any():
        raise CommandError("The table of aperture corrections has no rows with a radius and a correction above 0.")
    radius, first = np.unique(radius[good], return_index=True)
    return radius, factor[good][first]


def corrections_at(table: Any, radii: np.ndarray) -> np.ndarray:
    """Return the corrections of radii in pixels, linearly between those of the table.

    Raises
    ------
    CommandError
        For a radius outside of the table.
    """
    radius, factor = _curve(table)
    tolerance = 1e-3 * radius[-1]
    for r in np.atleast_1d(radii):
        if not radius[0] - tolerance <= r <= radius[-1] + tolerance:
            raise CommandError(
                f"The aperture corrections reach from {radius[0]:.3g} to {radius[-1]:.3g} pixels; {r:.3g} is not there."
            )
    return np.interp(radii, radius, factor)


def radius_of_energy(table: Any, fraction: float) -> float:
    """Return the radius in pixels that holds a fraction of the light of a point.

    Raises
    ------
    CommandError
        When the table has no column eefraction, or not this fraction.
    """
    if "eefraction" not in table.colnames:
        raise CommandError("The table of aperture corrections has no column eefraction; give radii in pixels.")
    part, radius = (np.ravel(np.asarray(table[name], float)) for name in ("eefraction", "radius"))
    part, first = np.unique(part[np.isfinite(part)], return_index=True)
    if not len(part) or not part[0] - 1e-6 <= fraction <= part[-1] + 1e-6:
        raise CommandError(f"The table has no radius for {100 * fraction:g} % of the light.")
    return float(np.interp(fraction, part, radius[first]))


def ring_at(table: Any, radius: float) -> tuple[float, float] | None:
    """Return the ring of sky in pixels with which the corrections near a radius were made; None where none is told.

    The columns skyin and skyout of APCORR reference files.
    """
    if not {"skyin", "skyout"} <= set(table.colnames):
        return None
    radii, inner, outer = (np.ravel(np.asarray(table[name], float)) for name in ("radius", "skyin", "skyout"))
    if not len(radii) == len(inner) == len(outer):
        return None
    good = np.flatnonzero(np.isfinite(radii) & (inner >= 0) & (outer > inner))
    if not good.size:
        return None
    row = good[np.abs(radii[good] - radius).argmin()]
    return float(inner[row]), float(outer[row])

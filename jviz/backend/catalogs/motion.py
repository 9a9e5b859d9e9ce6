"""Positions of a catalogue at another epoch, by its proper motions."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from jviz.backend.catalogs.places import position_columns
from jviz.backend.render.frames import lonlat, unit_vectors

__all__ = ["REFERENCE_EPOCH", "at_epoch"]

REFERENCE_EPOCH = 2016.0
"""Julian year of the positions of Gaia DR3."""

_MOTIONS = (("pmra", "pmde"), ("pmra", "pmdec"), ("pm_ra", "pm_dec"), ("pmra_cosdec", "pmdec"))
_EPOCHS = ("ref_epoch", "refepoch", "epoch")


def at_epoch(table: Table, epoch: float) -> tuple[Table, int]:
    """Return a catalogue with its positions moved by proper motion, and how many rows have moved.

    Parameters
    ----------
    table : Table
        Proper motions are in columns pmRA (times cos Dec) and pmDE or pmDec, mas/yr when they have no unit; the epoch
        of the positions in ref_epoch, else it is 2016.0, that of Gaia DR3.
    epoch : float
        Julian year.

    Returns
    -------
    moved : Table
        The positions as they were are in columns with ``_at_source`` after their names.
    rows : int
        Rows with a proper motion; the others stay.

    Notes
    -----
    Along the great circle of the motion, without parallax and radial velocity: p + μ t, made a unit vector again
    (Hipparcos catalogue, vol. 1, eq. 1.2.26 without its radial terms).
    """
    found = position_columns(table.colnames)
    motions = _motions(table)
    if found is None or found[0] != "sky" or motions is None:
        return table, 0
    _, x, y = found
    ra, dec = (_plain(table[name], u.deg) for name in (x, y))
    pm_ra, pm_dec = (_plain(table[name], u.mas / u.yr) for name in motions)
    years = epoch - _epochs(table)
    known = np.isfinite(pm_ra) & np.isfinite(pm_dec) & np.isfinite(years)
    lon, lat = np.radians(ra), np.radians(dec)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)])
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    radians = np.radians(1 / 3.6e6) * years
    moved = unit_vectors(ra, dec) + radians * (pm_ra * east + pm_dec * north)
    new_ra, new_dec = lonlat(moved)
    result = table.copy()
    for name, old, new in ((x, ra, new_ra), (y, dec, new_dec)):
        result[f"{name}_at_source"] = table[name]
        result[name] = np.where(known, new, old) * u.deg
    return result, int(known.sum())


def _motions(table: Table) -> tuple[str, str] | None:
    known = {name.lower(): name for name in table.colnames}
    return next(((known[a], known[b]) for a, b in _MOTIONS if a in known and b in known), None)


def _epochs(table: Table) -> np.ndarray:
    known = {name.lower(): name for name in table.colnames}
    name = next((known[each] for each in _EPOCHS if each in known), None)
    if name is None or np.asarray(table[name]).dtype.kind not in "iuf":
        return np.full(len(table), REFERENCE_EPOCH)
    return _plain(table[name], u.yr)


def _plain(column: Any, unit: u.Unit) -> np.ndarray:
    """Return numbers in a unit, which a column without one is taken to be in; NaN where it is masked."""
    own = getattr(column, "unit", None)
    values = np.ma.filled(np.ma.asarray(getattr(column, "value", column), float), np.nan)
    return values if own in (None, u.dimensionless_unscaled) else (values * own).to_value(unit)

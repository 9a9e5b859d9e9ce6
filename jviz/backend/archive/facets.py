"""Facets: the values that columns of an answer have, how often, and the rows that fit a choice of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Facet", "facets_of", "fitting"]

VALUES = ("asked_for", "obs_collection", "instrument_name", "instrume", "filters", "opticalElements", "calib_level",
          "productLevel", "dataproduct_type", "exp_type", "suffix", "proposal_id", "program", "proposal_pi", "pi_name",
          "target_name", "targprop", "dataRights", "facility_name", "intentType")  # fmt: skip
NUMBERS = ("t_exptime", "duration", "t_min", "distance", "em_min", "mag", "phot_g_mean_mag")
MOST_VALUES = 400
BINS = 24


@dataclass(frozen=True, eq=False)
class Facet:
    """One column.

    Attributes
    ----------
    name : str
    labels : tuple of str
        Its values; empty for numbers.
    codes : ndarray of int, shape (n_rows,)
        Which label, or which bin, each row has; -1 for none.
    edges : ndarray
        Of the bins of numbers; empty for values.
    """

    name: str
    labels: tuple[str, ...]
    codes: np.ndarray
    edges: np.ndarray

    @property
    def size(self) -> int:
        """How many labels or bins there are."""
        return len(self.labels) or len(self.edges) - 1

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Return how many of the rows that are True have each label, or are in each bin."""
        codes = self.codes[rows]
        return np.bincount(codes[codes >= 0], minlength=self.size)


def facets_of(table: Any) -> list[Facet]:
    """Return the facets of a table: columns of few values, and histograms of numbers."""
    if not len(table):
        return []
    named = [_of_values(name, table[name]) for name in VALUES if name in table.colnames]
    measured = [_of_numbers(name, table[name]) for name in NUMBERS if name in table.colnames]
    return [facet for facet in (*named, *measured) if facet is not None]


def _of_values(name: str, column: Any) -> Facet | None:
    values, missing = _plain(column)
    # Only those that differ become texts: all of them would take long, and keep Python from the window meanwhile.
    known, codes = np.unique(values.astype(str) if values.dtype.kind == "O" else values, return_inverse=True)
    if not 2 <= len(known) <= MOST_VALUES:
        return None
    labels = known.astype(str)
    codes = codes.ravel()
    return Facet(name, tuple(labels.tolist()), np.where(missing | (labels == "")[codes], -1, codes), np.empty(0))


def _of_numbers(name: str, column: Any) -> Facet | None:
    values, missing = _plain(column)
    if values.dtype.kind not in "iuf":
        return None
    values = np.where(missing, np.nan, values.astype(float))
    good = np.isfinite(values)
    if good.sum() < 2 or values[good].min() == values[good].max():
        return None
    low, high = values[good].min(), values[good].max()
    # What spans several powers of ten is seen by powers of ten.
    wide = low > 0 and high / low > 300
    edges = np.geomspace(low, high, BINS + 1) if wide else np.linspace(low, high, BINS + 1)
    codes = np.clip(np.searchsorted(edges, values, "right") - 1, 0, BINS - 1)
    return Facet(name, (), np.where(good, codes, -1), edges)


def _plain(column: Any) -> tuple[np.ndarray, np.ndarray]:
    mask = np.asarray(getattr(column, "mask", False)) | np.zeros(len(column), bool)
    column = getattr(column, "unmasked", column)
    return np.asarray(np.ma.getdata(getattr(column, "value", column))), mask


def fitting(facets: Iterable[Facet], chosen: Mapping[str, frozenset[int]], *, but: str = "") -> np.ndarray | None:
    """Return which rows have, of each facet with a choice, one of the chosen labels or bins; None: all.

    Parameters
    ----------
    but : str
        A facet whose own choice does not count: what it would give is counted that way.
    """
    rows: np.ndarray | None = None
    for facet in facets:
        wanted = chosen.get(facet.name)
        if wanted and facet.name != but:
            fits = np.isin(facet.codes, list(wanted))
            rows = fits if rows is None else rows & fits
    return rows

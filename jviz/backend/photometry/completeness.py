"""Artificial stars: where and how bright they are, which come back, and what that says for each magnitude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.photometry.psf_fitting import Fitted
from jviz.errors import CommandError

__all__ = ["Injected", "bins_of", "injected", "matched"]

ALIKE = 0.75
"""Magnitudes by which a star may differ and be the one that was injected, not a brighter one that was there before."""


@dataclass(frozen=True)
class Injected:
    """Stars that were added; arrays of shape (n,), NaN for those that did not come back."""

    flux: np.ndarray
    found: np.ndarray
    error: np.ndarray


def injected(
    draw: np.random.Generator, usable: np.ndarray, count: int, fluxes: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw places on usable pixels and fluxes, uniform in magnitude."""
    before = np.concatenate([[0], np.cumsum(np.count_nonzero(usable, axis=1))])
    if not before[-1]:
        raise CommandError("There is no pixel on which a star could be added.")
    which = draw.integers(0, before[-1], count)
    # Row by row: a list of all pixels that are used would take eight times the memory of the image.
    rows = np.searchsorted(before, which, side="right") - 1
    columns = np.array([np.flatnonzero(usable[row])[k] for row, k in zip(rows, which - before[rows], strict=True)])
    x, y = columns + draw.uniform(-0.5, 0.5, count), rows + draw.uniform(-0.5, 0.5, count)
    return x, y, np.exp(draw.uniform(*np.log(fluxes), count))


def matched(x: np.ndarray, y: np.ndarray, flux: np.ndarray, fitted: Fitted, distance: float) -> Injected:
    """Return which stars came back: the nearest within a distance, of about their flux."""
    from scipy.spatial import KDTree

    good = np.flatnonzero(fitted.usable)
    found, error = np.full(len(x), np.nan), np.full(len(x), np.nan)
    if good.size:
        far, which = KDTree(np.c_[fitted.x, fitted.y][good]).query(np.c_[x, y])
        nearest = good[which]
        ratio = np.maximum(fitted.flux[nearest], 1e-30) / flux
        back = (far < distance) & (np.abs(2.5 * np.log10(ratio)) < ALIKE)
        found[back], error[back] = fitted.flux[nearest][back], fitted.flux_error[nearest][back]
    return Injected(flux, found, error)


def bins_of(made: Sequence[Injected], zero: float, bins: int, fluxes: tuple[float, float]) -> Any:
    """Return a ``QTable`` with a row for each step of magnitude.

    Parameters
    ----------
    zero : float
        Magnitude of a flux of 1.
    """
    from astropy import units as u
    from astropy.table import QTable

    flux, found, error = (np.concatenate([getattr(one, n) for one in made]) for n in ("flux", "found", "error"))
    edges = zero - 2.5 * np.log10(np.geomspace(fluxes[1], fluxes[0], bins + 1))
    step = np.clip(np.searchsorted(edges, zero - 2.5 * np.log10(flux), side="right") - 1, 0, bins - 1)
    rows = [_row(flux[step == k], found[step == k], error[step == k]) for k in range(bins)]
    table = QTable({"mag": 0.5 * (edges[1:] + edges[:-1]) * u.mag})
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        table[name] = values * u.mag if name in ("bias", "scatter") else values
    return table


def _row(flux: np.ndarray, found: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """Work out one step; the error of the completeness is that of a binomial with one more success and failure."""
    back = np.isfinite(found)
    n, k = len(flux), int(back.sum())
    likely = (k + 1) / (n + 2)
    row = {"n": n, "completeness": k / n if n else np.nan, "completeness_err": np.sqrt(likely * (1 - likely) / (n + 3))}
    empty = dict.fromkeys(("flux_ratio", "flux_ratio_err", "bias", "scatter", "pull_width"), np.nan)
    if k < 2:
        return row | empty
    ratio = found[back] / flux[back]
    spread = 1.4826 * np.median(np.abs(ratio - np.median(ratio)))
    pull = (found[back] - flux[back]) / error[back]
    middle = float(np.median(ratio))
    return row | {
        "flux_ratio": middle, "flux_ratio_err": 1.2533 * spread / np.sqrt(k), "bias": -2.5 * np.log10(middle),
        "scatter": 1.0857 * spread / middle, "pull_width": 1.4826 * float(np.median(np.abs(pull - np.median(pull)))),
    }  # fmt: skip

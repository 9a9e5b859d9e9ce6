"""Histograms of columns: borders of bins, and profiles fitted to counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["CountsFit", "bin_edges", "counted", "fit_counts"]

MOST_BINS = 1_000
ROUNDS = 60


def bin_edges(values: np.ndarray, bins: int | None, log: bool = False) -> np.ndarray:
    """Return borders of bins of equal width, on a logarithmic axis of equal ratio.

    Without a number, their width is 2 IQR / n^(1/3) (Freedman & Diaconis 1981), and there are 5 to 1,000.
    """
    values = np.log10(values[values > 0]) if log else values
    if not len(values):
        return np.array([1.0, 10.0])
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    if bins is None:
        width = 2 * float(np.subtract(*np.percentile(values, (75, 25)))) / len(values) ** (1 / 3)
        bins = int(np.clip(np.ceil((high - low) / width), 5, MOST_BINS)) if width > 0 else 5
    edges = np.linspace(low, high, bins + 1)
    return 10.0**edges if log else edges


def counted(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return how many values lie in each bin; the last one holds its upper border."""
    return np.histogram(values, edges)[0].astype(float)


@dataclass(frozen=True)
class CountsFit:
    """A Gaussian fitted to counts.

    Attributes
    ----------
    rows, centre, sigma : float
        Area under it, centre and standard deviation (of decimal logarithms for "lognormal").
    errors : tuple of float
        One standard deviation of each, from the Fisher information.
    chi2, dof : float
        Pearson's χ², and bins less parameters.
    """

    rows: float
    centre: float
    sigma: float
    errors: tuple[float, float, float]
    chi2: float
    dof: int


def fit_counts(
    edges: np.ndarray, counts: np.ndarray, model: Literal["gaussian", "lognormal"], *, whole: bool = True
) -> CountsFit:
    """Fit a Gaussian to counts by the likelihood of Poisson (Cash 1979, ApJ 228, 939), integrated over each bin.

    Scoring: Newton steps with the Fisher information in place of the second derivatives.

    Parameters
    ----------
    edges : ndarray, shape (n + 1,)
    counts : ndarray, shape (n,)
    model : {"gaussian", "lognormal"}
        Of the values, or of their decimal logarithms.
    whole : bool
        The bins hold all values there are: none lies below or above them, which counts too.

    Raises
    ------
    ValueError
        With fewer than four bins that hold rows, or when it does not converge.
    """
    from scipy.special import ndtr

    edges = np.log10(edges) if model == "lognormal" else edges
    if (counts > 0).sum() < 4:
        raise ValueError("fewer than four bins hold rows; take more bins or more rows")
    bins, far = len(counts), 100 * (edges[-1] - edges[0])
    if whole:
        edges = np.concatenate([[edges[0] - far], edges, [edges[-1] + far]])
        counts = np.concatenate([[0.0], counts, [0.0]])
    middle = (edges[1:] + edges[:-1]) / 2
    centre = np.average(middle, weights=counts)
    values = np.array([counts.sum(), centre, np.sqrt(np.average((middle - centre) ** 2, weights=counts))])
    for _ in range(ROUNDS):
        rows, centre, sigma = values
        z = (edges - centre) / sigma
        share, bell = np.diff(ndtr(z)), np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        expected = np.maximum(rows * share, 1e-12)
        slopes = np.stack([share, -rows * np.diff(bell) / sigma, -rows * np.diff(z * bell) / sigma])
        information = (slopes / expected) @ slopes.T
        step = np.linalg.solve(information, slopes @ (counts / expected - 1))
        step *= min(1.0, 0.5 * sigma / max(abs(step[1]), abs(step[2]), 1e-300))
        values = values + step
        if np.all(np.abs(step) <= 1e-10 * np.abs(values) + 1e-14):
            break
    else:
        raise ValueError("no Gaussian describes the counts; take a range with one peak")
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    return CountsFit(*(float(v) for v in values), tuple(errors.tolist()), chi2, bins - 3)  # type: ignore[arg-type]

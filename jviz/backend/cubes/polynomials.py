"""Continua of every spaxel: polynomials along the spectrum, fitted to chosen channels without outliers."""

from __future__ import annotations

import numpy as np

from jviz.backend.spectra.medians import nan_median
from jviz.errors import JvizError

__all__ = ["basis_of", "continuum"]

ROUNDS = 5
"""How often outliers are looked for."""


def basis_of(values: np.ndarray, order: int) -> np.ndarray:
    """Return Legendre polynomials over an axis scaled to -1 … 1, shape (n_channels, order + 1).

    Raises
    ------
    JvizError
        When the order is not 0 to 10.
    """
    if not 0 <= order <= 10:
        raise JvizError(f"The order of the polynomial is {order}; it must be 0 to 10.")
    low, high = values.min(), values.max()
    return np.polynomial.legendre.legvander(2 * (values - low) / ((high - low) or 1.0) - 1, order)


def continuum(
    values: np.ndarray, variance: np.ndarray | None, basis: np.ndarray, use: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Fit a polynomial to each spectrum by least squares of equal weights.

    Parameters
    ----------
    values, variance : ndarray of float64, shape (n_channels, rows, columns)
        NaN where nothing is known.
    basis : ndarray, shape (n_channels, n_coefficients)
    use : ndarray of bool, shape (n_channels,)
        Channels that take part.
    sigma : float
        Values beyond that many robust deviations of the fit are left out, five times over; 0 for never.

    Returns
    -------
    model : ndarray
        Of the shape of the values; NaN where too few channels have a value.
    spread : ndarray or None
        Its variance.
    remaining : ndarray or None
        The variance of the values less the model: a channel that took part in the fit goes into both.
    """
    n, rows, columns = values.shape
    flat = np.ascontiguousarray(values.reshape(n, -1).T)
    good = np.isfinite(flat) & use
    filled = np.where(np.isfinite(flat), flat, 0.0)
    solved, inverse = _solved(filled, good, basis)
    for _ in range(ROUNDS if sigma > 0 else 0):
        residual = np.where(good, filled - solved @ basis.T, np.nan)
        middle = nan_median(residual, axis=1)[:, None]
        spread = 1.4826 * nan_median(np.abs(residual - middle), axis=1)[:, None]
        with np.errstate(invalid="ignore"):
            kept = good & ((np.abs(residual) <= sigma * spread) | (spread == 0))
        if (kept == good).all():
            break
        good = kept
        solved, inverse = _solved(filled, good, basis)
    model = (solved @ basis.T).T.reshape(n, rows, columns)
    if variance is None:
        return model, None, None
    noise = np.nan_to_num(variance.reshape(n, -1).T)
    pairs = (basis[:, :, None] * basis[:, None, :]).reshape(n, -1)
    p = basis.shape[1]
    middle = ((noise * good) @ pairs).reshape(-1, p, p)
    spread = ((inverse @ middle @ inverse).reshape(-1, p * p)) @ pairs.T
    both = (inverse.reshape(-1, p * p) @ pairs.T) * noise * good
    remaining = np.maximum(noise + spread - 2 * both, 0.0)
    shape = (n, rows, columns)
    remaining = np.where(np.isfinite(variance), remaining.T.reshape(shape), np.nan)
    return model, spread.T.reshape(shape), remaining


def _solved(filled: np.ndarray, good: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients (spaxels, p) and inverse normal matrices (spaxels, p, p); NaN where they do not follow."""
    n, p = basis.shape
    normal = (good.astype(float) @ (basis[:, :, None] * basis[:, None, :]).reshape(n, -1)).reshape(-1, p, p)
    right = np.where(good, filled, 0.0) @ basis
    count = good.sum(axis=1)
    enough = count >= p
    normal[~enough] = np.eye(p)
    # Channels all in one corner of the axis leave a matrix that cannot be inverted: no continuum there.
    size = np.linalg.eigvalsh(normal)
    enough &= size[:, 0] > 1e-12 * size[:, -1]
    normal[~enough] = np.eye(p)
    inverse = np.linalg.inv(normal)
    inverse[~enough] = np.nan
    return np.einsum("spq,sq->sp", inverse, right), inverse

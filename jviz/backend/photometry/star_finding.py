"""Finding stars by the best filter for them: the light that a star has at each pixel, over its error."""

from __future__ import annotations

import numpy as np

from jviz.errors import CommandError

__all__ = ["find_stars"]

FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))

UNSURE = 0.03
"""Part of the light of known stars that residuals of an imperfect PSF may have without being new stars."""


def find_stars(
    residual: np.ndarray, weight: np.ndarray, fwhm: float, snr: float, model: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find local maxima of the S/N that a star of a Gaussian shape has at each pixel.

    Parameters
    ----------
    residual, weight : ndarray of float32, shape (ny, nx)
        Light and inverse variances; 0: not used.
    fwhm : float
        Of stars, in pixels.
    snr : float
        Threshold.
    model : ndarray, optional
        The light of stars that are subtracted already: near them the threshold is higher.

    Returns
    -------
    x, y, snr : ndarray
        The brightest first.

    Notes
    -----
    The best estimate of the flux is Σ g w r / Σ g² w with the error 1/√(Σ g² w).
    """
    from jviz.backend.photometry.peak_kernels import maxima
    from jviz.backend.photometry.smoothing import smooth

    if not (np.isfinite(snr) and snr > 0):
        raise CommandError(f"A threshold of S/N {snr:g} finds nothing; give one above 0.")
    sigma = np.hypot(fwhm / FWHM, 1e-3)
    reach = max(1, int(np.ceil(3 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    light, power = np.empty(residual.shape, np.float32), np.empty(residual.shape, np.float32)
    smooth(np.ascontiguousarray(weight * residual), kernel, light)
    smooth(np.ascontiguousarray(weight), kernel**2, power)
    root = np.sqrt(np.maximum(power, 0))
    if model is not None:
        known = np.empty(residual.shape, np.float32)
        smooth(np.ascontiguousarray(weight * model), kernel, known)
        root = np.hypot(root, UNSURE * known)
    # where most of a star is masked, what is left says nothing of its place
    covered = power > 0.3 * float(np.median(power[:: max(1, len(power) // 200)]))
    ratio = np.zeros(residual.shape, np.float32)
    np.divide(light, root, out=ratio, where=covered & (root > 0))
    found = np.empty((residual.size // 9 + 1, 3))
    found = found[: maxima(ratio, snr, max(1, round(0.6 * fwhm)), found)]
    found = found[np.argsort(-found[:, 2], kind="stable")]
    return found[:, 0].copy(), found[:, 1].copy(), found[:, 2].copy()

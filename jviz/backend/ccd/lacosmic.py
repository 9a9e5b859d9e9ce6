"""Cosmic rays found by their sharp edges: L.A.Cosmic (van Dokkum 2001, PASP 113, 1420), as ``astroscrappy`` has it."""

from __future__ import annotations

import numpy as np

__all__ = ["find_rays"]

EDGE = 8
"""Pixels mirrored beyond each side: `detect_cosmics` filters nothing near its edges, and takes stars there for rays."""


def find_rays(
    image: np.ndarray, variance: np.ndarray, mask: np.ndarray, *, threshold: float = 4.5, contrast: float = 5.0
) -> tuple[np.ndarray, np.ndarray]:
    """Find cosmic rays in one exposure.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        In electrons, without bias.
    variance : ndarray
        Of each pixel; of read noise and light, in electrons squared.
    mask : ndarray of bool
        Pixels that are left out.
    threshold : float
        Laplacian signal over noise of a ray (``sigclip``).
    contrast : float
        Between Laplacian and fine structure, which keeps stars (``objlim``).

    Returns
    -------
    rays : ndarray of bool
    cleaned : ndarray of float32
        The image with the median of good neighbours in place of rays.
    """
    from astroscrappy import detect_cosmics  # imports what a start should not wait for

    if mask.all():
        return np.zeros(image.shape, bool), image.astype(np.float32)
    wide, left_out, noise = (np.pad(each, EDGE, mode="symmetric") for each in (image, mask, variance))
    # The whole medians of the paper: separable ones take ten times as many parts of stars for rays.
    rays, cleaned = detect_cosmics(
        wide.astype(np.float32), left_out, invar=noise.astype(np.float32), sigclip=threshold, objlim=contrast,
        satlevel=np.inf, sepmed=False, cleantype="medmask",
    )  # fmt: skip
    inside = (slice(EDGE, -EDGE), slice(EDGE, -EDGE))
    return rays[inside], cleaned[inside]

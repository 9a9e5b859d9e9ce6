"""Gain and read noise of a ramp: from reference files on this machine, from the user, or from the ramp itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.calibration.environment import own_cache
from jviz.backend.calibration.rules import Rules
from jviz.backend.calibration.status import reference_of
from jviz.errors import JvizError

__all__ = ["Constants", "measured_noise", "reference_plane"]

UNKNOWN_GAIN = 1e4
"""Stands for a gain that is not known: photons add next to nothing to the noise then."""
MAD = 1.4826022185056
"""Standard deviation of normal noise over its median absolute deviation."""


@dataclass(frozen=True)
class Constants:
    """What noise depends on.

    Attributes
    ----------
    gain, noise : ndarray, shape (y, x), or float
        e⁻ per DN; DN of the difference of two reads (CDS).
    photons : bool
        Whether the noise of photons is known, which takes the gain.
    gain_from, noise_from : str
        Where they are from, in words.
    """

    gain: np.ndarray | float
    noise: np.ndarray | float
    photons: bool
    gain_from: str
    noise_from: str

    @property
    def words(self) -> str:
        """Where both are from."""
        return f"{self.gain_from}, {self.noise_from}"

    def part(self, rows: slice, columns: slice) -> tuple[Any, Any]:
        """Return gain and noise of a part of the array."""
        return tuple(a[rows, columns] if isinstance(a, np.ndarray) else a for a in (self.gain, self.noise))


def reference_plane(header: Mapping[str, Any], kind: str, shape: tuple[int, int],
                    product: Path | None = None) -> tuple[np.ndarray, str] | None:  # fmt: skip
    """Read a reference file from the CRDS cache, cut to the subarray of a header.

    Parameters
    ----------
    header : mapping
        ``R_GAIN`` or ``R_READNO`` name the file; without them, as in raw exposures, the rules of CRDS choose it.
    kind : {"gain", "readnoise"}
    shape : (int, int)
        Rows and columns that are wanted.
    product : Path, optional
        File of the header; simulated ones have a cache of their own.

    Returns
    -------
    (ndarray of float32, str) or None
        The plane and the name of the file; None when it is not on this machine or does not fit.
    """
    rules = Rules(own_cache(product) if product is not None else None)
    name = reference_of(header, kind) or _best(rules, header, kind)
    path = rules.reference(name, str(header.get("INSTRUME", "")))
    if path is None:
        return None
    from astropy.io import fits

    try:
        with fits.open(path, memmap=False) as units:
            values, about = units["SCI"].data.astype(np.float32), units[0].header
    except (OSError, KeyError, AttributeError):
        return None
    if values.ndim != 2:
        return None
    if values.shape != shape:
        row, column = (int(header.get(key, 1)) - int(about.get(key, 1)) for key in ("SUBSTRT2", "SUBSTRT1"))
        if row < 0 or column < 0:
            return None
        values = values[row : row + shape[0], column : column + shape[1]]
    return (np.ascontiguousarray(values), name) if values.shape == shape else None


def _best(rules: Rules, header: Mapping[str, Any], kind: str) -> str:
    """Return the file that the rules choose, "" when they cannot."""
    try:
        chosen = rules.choices(header, rules.context(), [kind]).get(kind)
    except (JvizError, OSError):
        return ""  # the rules are not on this machine
    return chosen.file if chosen is not None else ""


def measured_noise(counts: np.ndarray, flags: np.ndarray | None = None) -> float:
    """Estimate the read noise from a ramp itself.

    The second differences of three groups have no signal left, and six times the variance of a read; their scatter in
    the half of the pixels that is least bright has few photons in it, so that it is an upper bound.

    Parameters
    ----------
    counts : ndarray, shape (groups, y, x)
        DN; three groups at least.
    flags : ndarray of uint8, same shape, optional
        Groups with any flag are left out.

    Returns
    -------
    float
        DN of the difference of two reads (CDS): √2 times that of one; NaN of fewer groups.
    """
    if counts.shape[0] < 3:
        return float("nan")
    values = np.array(counts, np.float64)
    if flags is not None:
        values[flags != 0] = np.nan
    rise = np.nanmedian(np.diff(values, axis=0), axis=0)
    second = np.diff(values, n=2, axis=0)[:, rise <= np.nanmedian(rise)]
    scatter = MAD * np.nanmedian(np.abs(second - np.nanmedian(second)))
    return float(np.sqrt(2.0) * scatter / np.sqrt(6.0))

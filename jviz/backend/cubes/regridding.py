"""Cubes on the channels of another, with what they hold conserved, all spaxels at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.resampling import scales_between
from jviz.backend.spectra.units import Scale, convert_axis
from jviz.errors import JvizError

__all__ = ["Measured", "Shared", "measured_along", "shared_between", "shared_out"]


Measured = Literal["frequency", "wavelength", ""]
"""Along what the values of a cube are densities; "" is the axis of the cube, whatever it counts."""


_MEASURES = {"frequency": Scale("Hz", "frequency"), "wavelength": Scale("m", "wavelength", "vacuum")}


@dataclass(frozen=True, eq=False)
class Shared:
    """Which share of old channels goes to which new ones.

    Attributes
    ----------
    weights : sparse array, shape (new, old)
        By how much of its width each old channel lies in each new one.
    widths : ndarray, shape (new,)
        Of the new channels.
    along : str
        What they are measured in: integrals over it stay.
    axis : SpectralAxis
        Of the new channels.
    """

    weights: Any
    widths: np.ndarray
    along: str
    axis: SpectralAxis

    @property
    def correlation(self) -> float:
        """The median correlation of the errors of neighbouring new channels, of independent old ones."""
        products = (self.weights @ self.weights.T).tocsr()
        own, next_one = products.diagonal(), products.diagonal(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = next_one / np.sqrt(own[1:] * own[:-1])
        found = found[np.isfinite(found)]
        return float(np.median(found)) if len(found) else 0.0


def measured_along(unit: Any) -> Measured:
    """Return along what values of an astropy unit (or None) are densities: per Hz, or per length."""
    from astropy import units as u

    if unit is None:
        return ""
    for part in (u.sr, u.beam, u.pix, u.dimensionless_unscaled):
        for power in (1, 0):
            flux = unit * part**power
            if flux.is_equivalent(u.Jy) or flux.is_equivalent(u.photon / u.s / u.m**2 / u.Hz):
                return "frequency"
            if flux.is_equivalent(u.W / u.m**3) or flux.is_equivalent(u.photon / u.s / u.m**3):
                return "wavelength"
    return ""


def shared_between(old: SpectralAxis, new: SpectralAxis, measured: Measured = "") -> Shared:
    """Work out which share of old channels goes to which new ones, whatever either axis counts.

    Parameters
    ----------
    measured : {"frequency", "wavelength", ""}
        Where one axis counts something else than the other, along what the values are densities, so that their
        integrals over it stay. Axes of one quantity keep integrals over the axis.

    Raises
    ------
    JvizError
        When an axis cannot be converted, or does not rise or fall throughout, or they have nothing in common.
    """
    before, after, common = _scales(old, new := _completed(old, new), measured)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = convert_axis(old.edges, before, common), convert_axis(new.edges, after, common)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise JvizError(f"Not all channels have a {common.quantity}; crop the cubes first.")
    along = f"{common.convention} velocity" if common.quantity == "velocity" else common.quantity
    return Shared(_overlaps(a, b), np.abs(np.diff(b)), along, new)


def _completed(old: SpectralAxis, new: SpectralAxis) -> SpectralAxis:
    """Return the new axis with what only the old one knows. Lines keep the rest value that they are counted from."""
    rest = (old.rest, old.rest_unit) if old.rest is not None else (new.rest, new.rest_unit)
    medium = new.medium or (old.medium if new.quantity == old.quantity else "")
    return replace(new, array_axis=0, rest=rest[0], rest_unit=rest[1], medium=medium)


def _scales(old: SpectralAxis, new: SpectralAxis, measured: Measured) -> tuple[Scale, Scale, Scale]:
    a, b = scales_between(old, new)
    alike = a.quantity == b.quantity and (a.quantity != "velocity" or a.convention == b.convention)
    return a, b, a if alike else _MEASURES.get(measured, a)


def _overlaps(a: np.ndarray, b: np.ndarray) -> Any:
    """Return by how much channels with these edges overlap, as a sparse array (of b, of a)."""
    from scipy.sparse import coo_array

    turned = [edges[-1] < edges[0] for edges in (a, b)]
    a, b = (edges[::-1] if turn else edges for edges, turn in zip((a, b), turned, strict=True))
    if (np.diff(a) <= 0).any() or (np.diff(b) <= 0).any():
        raise JvizError("The spectral axes must rise or fall throughout to be brought together.")
    if a[-1] <= b[0] or b[-1] <= a[0]:
        raise JvizError("The cubes have no channels in common; choose another reference.")
    cuts = np.unique(np.concatenate([a, b]))
    cuts = cuts[(cuts >= max(a[0], b[0])) & (cuts <= min(a[-1], b[-1]))]
    middle = (cuts[1:] + cuts[:-1]) / 2
    before, after = np.searchsorted(a, middle) - 1, np.searchsorted(b, middle) - 1
    n, m = len(a) - 1, len(b) - 1
    rows, columns = (m - 1 - after if turned[1] else after), (n - 1 - before if turned[0] else before)
    return coo_array((np.diff(cuts), (rows, columns)), (m, n)).tocsr()


def shared_out(
    values: np.ndarray, variance: np.ndarray | None, weights: Any, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Average old channels in new ones by overlap, so that the integral over the axis stays.

    Parameters
    ----------
    values, variance : ndarray of float64, shape (old, rows, columns)
    weights : sparse array, shape (new, old)
    widths : ndarray, shape (new,)
        Of the new channels; those covered by less than half by values become NaN.
    """
    n, rows, columns = values.shape
    flat = values.reshape(n, -1)
    good = np.isfinite(flat)
    covered = weights @ good.astype(float)
    known = covered >= (0.5 - 1e-9) * widths[:, None]
    shape = (len(widths), rows, columns)
    with np.errstate(invalid="ignore", divide="ignore"):
        made = np.where(known, (weights @ np.where(good, flat, 0.0)) / covered, np.nan)
        if variance is None:
            return made.reshape(shape), None
        noise = np.where(good, np.nan_to_num(variance.reshape(n, -1)), 0.0)
        spread = np.where(known, (weights.power(2) @ noise) / covered**2, np.nan)  # type: ignore[attr-defined]
    return made.reshape(shape), spread.reshape(shape)

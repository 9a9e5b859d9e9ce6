"""One spectrum as its file gives it: values along a spectral axis, with their uncertainty and flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.errors import JvizError

__all__ = ["Samples", "UncertaintyKind"]

UncertaintyKind = Literal["std", "var", "ivar", ""]


@dataclass(frozen=True, eq=False)
class Samples:
    """One spectrum; nothing in it is converted.

    Attributes
    ----------
    axis : SpectralAxis
        Of n samples, in the order of the file (rising or falling).
    flux : ndarray of float64, shape (n,)
    unit : str
        Of ``flux``, ``""`` when the file gives none.
    uncertainty : ndarray of float64 or None, shape (n,)
        As the file has it.
    kind : str
        What ``uncertainty`` is: "std" (one standard deviation), "var" (variance), "ivar" (inverse variance),
        "" for none.
    mask : ndarray of bool or None, shape (n,)
        True for samples that must not be used.
    flags : ndarray of int or None, shape (n,)
        Data quality bits.
    area : float or None
        Steradians that the flux was summed over; turns flux into surface brightness and back.
    name : str
        Which of several, ``"B"``, ``"source 12"``.
    meta : mapping
        Keywords that tell where it came from.
    """

    axis: SpectralAxis
    flux: np.ndarray
    unit: str = ""
    uncertainty: np.ndarray | None = None
    kind: UncertaintyKind = ""
    mask: np.ndarray | None = None
    flags: np.ndarray | None = None
    area: float | None = None
    name: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.axis)
        for what in ("flux", "uncertainty", "mask", "flags"):
            values = getattr(self, what)
            if values is not None and values.shape != (n,):
                raise JvizError(f"The {what} of a spectrum has shape {values.shape}; its axis has {n} samples.")

    def __len__(self) -> int:
        return len(self.flux)

    @cached_property
    def error(self) -> np.ndarray | None:
        """One standard deviation, NaN where the file knows none; None without an uncertainty."""
        if self.uncertainty is None or not self.kind:
            return None
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.kind == "std":
                return self.uncertainty
            variance = self.uncertainty if self.kind == "var" else 1.0 / self.uncertainty
            return np.where(np.isfinite(variance) & (variance >= 0), np.sqrt(variance), np.nan)

    @cached_property
    def good(self) -> np.ndarray:
        """True for samples that have a value and are not masked, shape (n,)."""
        finite = np.isfinite(self.flux)
        return finite if self.mask is None else finite & ~self.mask

"""Data quality of Keck's integral field spectrographs as flags that are raised where something is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress

__all__ = ["keck_dialect", "keck_flags"]

_GOOD = 0b1001
"""OSIRIS raises bit 0 for valid values and bit 3 for those inside the field; 1 and 2 tell of interpolation."""

_USED = 0b1111
"""The higher ones count the exposures of a mosaic."""

_PADDING = 128
"""Raised in FLAGS of KCWI where the correction of refraction made the cube larger: there are zeros."""


def keck_dialect(header: Mapping[str, Any]) -> str:
    """Return which dialect flags of OSIRIS, KCWI and KCRM speak, a key of `jviz.backend.dq.DIALECTS`; else ``""``."""
    instrument = str(header.get("INSTRUME", "")).strip().upper()
    keck = "KECK" in str(header.get("TELESCOP", "")).upper() or header.get("CURRINST") is not None
    known = {"OSIRIS": "keck-osiris", "KCWI": "keck-kcwi", "KCRM": "keck-kcwi"}
    return known.get(instrument, "") if keck or instrument != "OSIRIS" else ""  # there is one in La Palma, too


def keck_flags(planes: Iterable[Plane], header: Mapping[str, Any]) -> Plane | None:
    """Return the flags of a cube as raised bits; None where it is of another instrument, or has none.

    Parameters
    ----------
    planes : iterable of Plane
        The first is the one that the flags are of.
    header : mapping
        Primary header.
    """
    dialect = keck_dialect(header)
    if not dialect:
        return None
    main, *others = planes
    wanted = ("AUX",) if dialect == "keck-osiris" else ("MASK", "FLAGS")
    found = [plane for plane in others if plane.name.upper() in wanted and plane.shape == main.shape]
    if not found:
        return None

    def load(progress: Progress) -> np.ndarray:
        bits = [np.asarray(plane.physical(plane.raw(progress))).astype(np.uint8) for plane in found]
        return _of_osiris(bits[0]) if dialect == "keck-osiris" else _of_kcwi(found, bits)

    name = f"{found[0].name} as flags" if len(found) == 1 else " and ".join(plane.name for plane in found)
    return Plane(name, main.shape, np.dtype(np.uint8), load, "flags", hdu=found[0].hdu, immediate=False)


def _of_osiris(quality: np.ndarray) -> np.ndarray:
    return (quality & _USED) ^ np.uint8(_GOOD)


def _of_kcwi(planes: list[Plane], bits: list[np.ndarray]) -> np.ndarray:
    made = np.zeros(bits[0].shape, np.uint8)
    for plane, values in zip(planes, bits, strict=True):
        if plane.name.upper() == "MASK":
            made |= (values != 0).astype(np.uint8)
        else:
            made |= values & np.uint8(0b11111110)
            made |= ((values & _PADDING) != 0).astype(np.uint8)
    return made

"""What the errors of a cube are: standard deviations, variances or inverse variances, whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.backend.cubes.source import CubeSource
from jviz.backend.io.product import Meaning, Plane, Product
from jviz.backend.units import parse_unit

__all__ = ["KINDS", "Judgement", "errors_plane", "judged", "with_errors"]

KINDS: tuple[Meaning, ...] = ("error", "variance", "inverse variance")

WORDS = {"error": "standard deviations", "variance": "variances", "inverse variance": "inverse variances"}

_POWERS = {"error": 1, "variance": 2, "inverse variance": -2}

_SAID: dict[str, Meaning] = {
    "RMSE": "error", "MSE": "variance", "INVMSE": "inverse variance",
    "STDDEVUNCERTAINTY": "error", "VARIANCEUNCERTAINTY": "variance", "INVERSEVARIANCE": "inverse variance",
}  # fmt: skip
"""HDUCLAS3 of ESO's science products (Data Product Standard, 2.3), and UTYPE as astropy's CCDData writes it."""

ROWS = 64
"""Rows that are looked at."""

GROUP = 5
"""Channels of one look at the noise."""

FAR = 1.0
"""Decades that errors may differ from the noise, as those of resampled cubes do."""

CLEARLY = 1.5
"""Decades by which another kind has to fit better than the one that the name says."""


@dataclass(frozen=True)
class Judgement:
    """What a plane of errors is.

    Attributes
    ----------
    meaning : str
    is_sure : bool
        Else it may as well be ``other``.
    said : str
        Why, where it is not what its name says.
    """

    meaning: Meaning
    is_sure: bool = True
    said: str = ""


def errors_plane(product: Product) -> Plane | None:
    """Return the plane that errors of a cube are taken from."""
    for meaning in KINDS:
        plane = product.plane(meaning)
        if plane is not None and plane.shape == product.shape:
            return plane
    return None


def with_errors(product: Product, meaning: Meaning) -> Product:
    """Return a product whose errors are of another kind."""
    found = errors_plane(product)
    if found is None or found.meaning == meaning:
        return product
    planes = {name: replace(p, meaning=meaning) if p is found else p for name, p in product.planes.items()}
    return replace(product, planes=planes)


def judged(product: Product, spectral: int = 0, *, numbers: bool = True) -> Judgement | None:
    """Find out of which kind the errors of a cube are: by their header, their unit, else by the noise of the data.

    Parameters
    ----------
    product : Product
        Of three axes.
    spectral : int
        Which of them is the spectral one.
    numbers : bool
        Whether values may be looked at.

    Returns
    -------
    Judgement or None
        None for cubes without errors.
    """
    plane = errors_plane(product)
    if plane is None:
        return None
    named, header = plane.meaning, _header(product, plane)
    for keyword in ("HDUCLAS3", "UTYPE"):
        said = _SAID.get(str(header.get(keyword, "")).strip().upper())
        if said:
            return Judgement(said, said=f"{keyword} says so")
    main = next(iter(product.planes.values()))
    by_unit = _by_unit(main.unit, plane.unit)
    if by_unit and (by_unit == named or by_unit != "error"):  # the unit of the data is often only copied
        return Judgement(by_unit, said=f"its unit is {plane.unit}")
    return _by_numbers(CubeSource(main, spectral), CubeSource(plane, spectral), named) if numbers else Judgement(named)


def _header(product: Product, plane: Plane) -> Mapping[str, Any]:
    return next((unit.header for unit in product.units if unit.index == plane.hdu), {})


def _by_unit(data: str, errors: str) -> Meaning | None:
    unit, found = parse_unit(data), parse_unit(errors)
    if unit is None or found is None or not (unit.bases and found.bases):
        return None
    return next((kind for kind in KINDS if found.is_equivalent(unit ** _POWERS[kind])), None)


def _by_numbers(data: CubeSource, errors: CubeSource, named: Meaning) -> Judgement:
    """Compare the errors with what the values scatter by from channel to channel."""
    noise, middle = _noise(data), _middle(errors)
    if not (noise > 0 and middle > 0):
        return Judgement(named)
    far = {kind: abs(np.log10(middle) - _POWERS[kind] * np.log10(noise)) for kind in KINDS}
    best = min(KINDS, key=far.__getitem__)
    if far[named] <= FAR or far[best] > FAR:
        return Judgement(named)
    said = f"values scatter by about {noise:.3g}, and it is about {middle:.3g}"
    is_sure = bool(far[named] - far[best] >= CLEARLY)
    return Judgement(best if is_sure else named, is_sure, said)


def _looks(source: CubeSource) -> list[tuple[slice, slice]]:
    n, ny, _ = source.shape
    rows = slice(max(0, (ny - ROWS) // 2), max(0, (ny - ROWS) // 2) + ROWS)
    starts = {min(max(0, n * third // 3 - GROUP // 2), max(0, n - GROUP)) for third in (1, 2)}
    return [(slice(first, first + GROUP), rows) for first in sorted(starts)]


def _noise(source: CubeSource) -> float:
    """Return the noise of values, by DER_SNR (Stoehr et al. 2008, ASP Conf. 394, 505); NaN where it cannot be told."""
    found = []
    for channels, rows in _looks(source):
        part = source.read(channels, rows, dtype=np.dtype(np.float64))
        if len(part) == GROUP:
            difference = np.abs(2 * part[2] - part[0] - part[4])
            found.append(difference[np.isfinite(difference) & (difference > 0)])
    together = np.concatenate(found) if found else np.zeros(0)
    return 1.482602 / np.sqrt(6) * float(np.median(together)) if len(together) else np.nan


def _middle(source: CubeSource) -> float:
    parts = [source.read(channels, rows, dtype=np.dtype(np.float64)) for channels, rows in _looks(source)]
    values = np.concatenate([part[np.isfinite(part) & (part > 0)] for part in parts])
    return float(np.median(values)) if len(values) else np.nan

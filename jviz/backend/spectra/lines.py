"""Lists of spectral lines: names and wavelengths in vacuum, and where they are at a redshift."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from jviz.resources import resource

__all__ = ["LISTS", "Line", "identify", "lines_of"]

LISTS = {
    "H": "Hydrogen", "He": "Helium", "C": "Carbon", "N": "Nitrogen", "O": "Oxygen", "Ne": "Neon", "S": "Sulphur",
    "Fe": "Iron", "Metals": "Mg, Al, Si, Ar, Na, Ca", "PAH": "PAH features", "H2": "Molecular hydrogen",
    "CO": "Carbon monoxide",
}  # fmt: skip
"""Names of the lists with words for them."""


@dataclass(frozen=True)
class Line:
    """A spectral line.

    Attributes
    ----------
    list, name : str
        ``"O"``, ``"[O III]"``.
    wavelength : float
        At rest in vacuum, in m.
    """

    list: str
    name: str
    wavelength: float

    @property
    def title(self) -> str:
        """The name with the wavelength that tells lines of one ion apart: in Å below 1 µm, else in µm."""
        if "(" in self.name or "-" in self.name or self.list == "PAH":
            return f"H₂ {self.name}" if self.list == "H2" else self.name
        if self.list == "H":
            return self.name
        micron = self.wavelength * 1e6
        return f"{self.name} {micron * 1e4:.0f}" if micron < 1 else f"{self.name} {micron:.4g}"


@cache
def _all() -> tuple[Line, ...]:
    with resource("lines.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        found = [Line(row["list"], row["name"], float(row["wavelength_um"]) * 1e-6) for row in rows]
    return tuple(sorted(found, key=lambda line: line.wavelength))


@cache
def lines_of(lists: tuple[str, ...]) -> tuple[tuple[Line, ...], np.ndarray]:
    """Return the lines of some lists by rising wavelength, and their wavelengths in m."""
    found = tuple(line for line in _all() if line.list in lists)
    return found, np.array([line.wavelength for line in found])


def identify(wavelength: float, redshift: float = 0.0, lists: Iterable[str] = (), count: int = 3) -> list[Line]:
    """Return the lines that are nearest to an observed wavelength, the nearest first.

    Parameters
    ----------
    wavelength : float
        Observed, in vacuum, in m.
    lists : iterable of str
        Where to look; everywhere by default.
    """
    lines, waves = lines_of(tuple(lists) or tuple(LISTS))
    order = np.argsort(np.abs(waves * (1 + redshift) / wavelength - 1))
    return [lines[n] for n in order[:count]]

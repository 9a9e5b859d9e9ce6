"""Lists of spectral lines: names and wavelengths in vacuum, and where they are at a redshift."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from jviz.resources import resource

__all__ = ["LISTS", "OWN", "Line", "identify", "lines_of", "own_lines"]

LISTS = {
    "H": "Hydrogen", "He": "Helium", "C": "Carbon", "N": "Nitrogen", "O": "Oxygen", "Ne": "Neon", "S": "Sulphur",
    "Fe": "Iron", "Metals": "Mg, Al, Si, Ar, Na, Ca", "PAH": "PAH features", "H2": "Molecular hydrogen",
    "CO": "Carbon monoxide",
}  # fmt: skip
"""Names of the lists with words for them."""

OWN = "own"
"""What the list of lines that a user gave is called."""

STRENGTHS = {
    "Lyα": 3.0, "Hα": 3.0, "Hβ": 1.5, "Hγ": 0.8, "Paα": 2.0, "Paβ": 1.2, "[O III] 5008": 3.0, "[O III] 4960": 1.5,
    "[O II] 3727": 1.5, "[O II] 3730": 1.5, "C IV 1548": 1.0, "C IV 1551": 1.0, "C III] 1909": 1.0, "[N II] 6585": 1.0,
    "[S III] 9533": 1.5, "[S III] 9071": 1.0, "He I 1.083": 1.5, "[S II] 6718": 1.0, "[S II] 6733": 1.0,
    "[Ne II] 12.81": 2.0, "[Ne III] 15.56": 2.0, "Mg II 2796": 1.0, "Mg II 2804": 1.0, "Ca K": 1.5, "Ca H": 1.5,
}  # fmt: skip
"""How strong lines use to be, roughly; all others are `WEAK`."""
WEAK = 0.4


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
        if self.list == OWN:
            return self.name
        if "(" in self.name or "-" in self.name or self.list == "PAH":
            return f"H₂ {self.name}" if self.list == "H2" else self.name
        if self.list == "H":
            return self.name
        micron = self.wavelength * 1e6
        return f"{self.name} {micron * 1e4:.0f}" if micron < 1 else f"{self.name} {micron:.4g}"

    @property
    def strength(self) -> float:
        """How much it counts beside others: in labels that have no room for all, and in searches of redshifts."""
        return STRENGTHS.get(self.title, STRENGTHS.get(self.name, WEAK))


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


def own_lines(given: Iterable[tuple[str, float]]) -> tuple[Line, ...]:
    """Return lines of a user's own, given by name and wavelength in vacuum, in m."""
    return tuple(Line(OWN, name, wave) for name, wave in given)


def identify(
    wavelength: float, redshift: float = 0.0, lists: Iterable[str] = (), count: int = 3, own: Iterable[Line] = ()
) -> list[Line]:
    """Return the lines that are nearest to an observed wavelength, the nearest first.

    Parameters
    ----------
    wavelength : float
        Observed, in vacuum, in m.
    lists : iterable of str
        Where to look; everywhere by default.
    own : iterable of Line
        Others.
    """
    own = tuple(own)
    lines, waves = lines_of(tuple(lists) or tuple(LISTS))
    lines, waves = (*lines, *own), np.append(waves, [line.wavelength for line in own])
    order = np.argsort(np.abs(waves * (1 + redshift) / wavelength - 1))
    return [lines[n] for n in order[:count]]

"""How much dust dims a star in a filter: the mean law of the Milky Way, by the names of magnitudes."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

__all__ = ["RV", "extinction_curve", "filter_wavelength", "per_reddening"]

RV = 3.1
"""A(V) / E(B − V) of the diffuse medium."""

_WAVES_OF_JWST = frozenset({
    250, 277, 300, 322, 323, 335, 356, 360, 380, 405, 410, 430, 444, 460, 466, 470, 480, 560, 770, 200, 210, 212,
})  # fmt: skip
"""Numbers of its filters that HST might count in nm; those below 200 are in 0.01 µm on both telescopes."""

_BANDS = {
    "U": 0.360, "B": 0.438, "V": 0.545, "R": 0.641, "I": 0.798, "J": 1.22, "H": 1.63, "K": 2.19, "Ks": 2.16,
    "u": 0.355, "g": 0.469, "r": 0.617, "i": 0.748, "z": 0.893, "y": 0.960,
    "G": 0.622, "BP": 0.511, "RP": 0.777, "G_BP": 0.511, "G_RP": 0.777,
}  # fmt: skip
"""Pivot wavelengths in µm: Bessell (1990), Cohen et al. (2003), Doi et al. (2010), Riello et al. (2021)."""

_filter = re.compile(r"(?<![A-Z0-9])F(\d{3,4})(W2|LP|[WMNX])(?![A-Z0-9])")
_affix = re.compile(r"^(m|M|mag|Bessell|SDSS|PS|2MASS|Gaia|abmag|vegamag)_|(_?mag|_EDR3|_DR3|_DR2)$", re.IGNORECASE)


def extinction_curve(wavelength: np.ndarray, rv: float = RV) -> np.ndarray:
    """Return A(λ) / A(V) of Cardelli, Clayton & Mathis (1989, ApJ 345, 245, equations 1 to 4).

    Parameters
    ----------
    wavelength : ndarray
        In µm, 0.125 to 3.3; beyond 3.3 µm their power law is drawn on, elsewhere NaN.
    rv : float
        A(V) / E(B − V).
    """
    x = 1 / np.asarray(wavelength, float)
    y = x - 1.82
    optical = [(1, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999),
               (0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)]  # fmt: skip
    far = np.where(x >= 5.9, x - 5.9, 0)
    pieces = (
        (x < 1.1, 0.574 * x**1.61, -0.527 * x**1.61),
        ((x >= 1.1) & (x < 3.3), *(np.polynomial.polynomial.polyval(y, c) for c in optical)),
        ((x >= 3.3) & (x <= 8), 1.752 - 0.316 * x - 0.104 / ((x - 4.67) ** 2 + 0.341) - 0.04473 * far**2
         - 0.009779 * far**3, -3.090 + 1.825 * x + 1.206 / ((x - 4.62) ** 2 + 0.263) + 0.2130 * far**2
         + 0.1207 * far**3),
    )  # fmt: skip
    made = np.full(x.shape, np.nan)
    for where, a, b in pieces:
        made = np.where(where, a + b / rv, made)
    return made


def filter_wavelength(name: str) -> float | None:
    """Return the wavelength (µm) of the filter that a column of magnitudes is named after; None when it has none.

    Filters of JWST and HST tell it by their names; where both have one of that name, JWST's is taken unless the column
    names an instrument of HST.
    """
    found = _filter.search(name.upper().replace("MAG", " ").replace("_", " "))
    if found:
        hubble = any(word in name.upper() for word in ("ACS", "WFC3", "UVIS", "WFPC2", "HST"))
        number = int(found[1])
        if len(found[1]) == 4 or number < 200 or (number in _WAVES_OF_JWST and not hubble):
            return number / 100
        return number / 1000
    bare, before = name, ""
    while bare != before:
        before, bare = bare, _affix.sub("", bare)
    return _BANDS.get(bare)


def per_reddening(names: Iterable[str], rv: float = RV) -> dict[str, float]:
    """Return A(filter) / E(B − V) of those columns whose filter is known."""
    waves = {name: wave for name in names if (wave := filter_wavelength(name)) is not None}
    return {name: float(rv * extinction_curve(np.array(wave), rv)) for name, wave in waves.items()}

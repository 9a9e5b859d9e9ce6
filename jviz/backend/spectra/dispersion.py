"""Wavelengths from headers: FITS linear and logarithmic axes, and IRAF's ``multispec`` system.

Sources: Greisen et al. 2006 (FITS WCS paper III); F. Valdes, "The IRAF/NOAO Spectral World Coordinate Systems" (1993).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.conventions import made_axis
from jviz.errors import ReadError

__all__ = ["dispersion_axes"]

_LIGHT = 299792.458
_SPEC = re.compile(r'spec(\d+)\s*=\s*"([^"]*)"', re.IGNORECASE)


def dispersion_axes(header: Mapping[str, Any], shape: tuple[int, int], what: str = "") -> Sequence[SpectralAxis]:
    """Return the axis of each row.

    Parameters
    ----------
    header : mapping
    shape : (int, int)
        Number of spectra and of samples.
    what : str
        The file, for messages.

    Raises
    ------
    ReadError
        When the header gives wavelengths in a way that jviz does not know.
    """
    rows, n = shape
    if str(header.get("CTYPE1", "")).strip().upper().startswith("MULTISPE"):
        return _multispec(header, rows, n, what)
    return [_linear(header, n, what)] * rows


def _linear(header: Mapping[str, Any], n: int, what: str) -> SpectralAxis:
    """Evaluate CRVAL1 + CDELT1 × (i − CRPIX1).

    It is log10 of the wavelength where DC-FLAG is 1 or CTYPE1 is LOG-LIN; axes ``-LOG`` have paper III's form.
    """
    start, step = _number(header, "CRVAL1", "CRVAL"), _number(header, "CD1_1", "CDELT1", "CDELT")
    if start is None or not step:
        note = f"{what or 'The spectrum'} has no wavelengths, neither an array of them nor CRVAL1 and CDELT1 in its "
        return SpectralAxis(np.arange(n, dtype=float), notes=(f"{note}header; samples are numbered from 0.",))
    offset = (np.arange(n) + 1 - (_number(header, "CRPIX1", "CRPIX") or 1.0)) * step
    code = str(header.get("CTYPE1", "")).strip().upper()
    if header.get("DC-FLAG") in (1, "1") or code in ("LOG-LIN", "LOGLAM", "LOG10LAM", "WAVE-LOG10"):
        values = 10.0 ** (start + offset)
    elif code.endswith("-LOG"):
        values = start * np.exp(offset / start)
    elif re.fullmatch(r"[A-Z]{4}-(?!LOG)[A-Z0-9]{3}", code):
        values = _by_wcslib(header, n, what)
    else:
        values = start + offset
    unit = str(header.get("CUNIT1", "") or "").strip() or _iraf_unit(header)
    label = code.partition("-")[0] or "WAVELENGTH"
    arguments, notes = made_axis(values, unit, label if label not in ("LINEAR", "LOG") else "WAVELENGTH", header)
    return SpectralAxis(**arguments, notes=notes)


def _number(header: Mapping[str, Any], *keywords: str) -> float | None:
    for keyword in keywords:
        value = header.get(keyword)
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            return float(value)
    return None


def _by_wcslib(header: Mapping[str, Any], n: int, what: str) -> np.ndarray:
    """Evaluate an axis with another algorithm (``-F2W``, ``-GRI``), in the unit of the header."""
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    keys = {k: v for k, v in header.items() if re.fullmatch(r"(CTYPE|CRVAL|CRPIX|CDELT|CUNIT)1|PV1_\d+|REST\w+", k)}
    try:
        wcs = WCS(Header(keys), naxis=1)
        factor = 1.0
        if keys.get("CUNIT1"):
            from astropy.units import Unit

            factor = Unit(wcs.world_axis_units[0]).to(Unit(keys["CUNIT1"]))
        return np.asarray(wcs.pixel_to_world_values(np.arange(n))) * factor
    except Exception as error:  # wcslib refuses in many ways
        raise ReadError(
            f"The axis {keys.get('CTYPE1')} of {what or 'the spectrum'} cannot be worked out: {error}."
        ) from error


def _iraf_words(header: Mapping[str, Any], axis: int) -> str:
    """Join the 68 characters of each WATn_mmm card; blanks at their ends count."""
    cards = sorted(key for key in header if re.fullmatch(rf"WAT{axis}_\d{{3}}", key))
    return "".join(str(header[key]).ljust(68) if key != cards[-1] else str(header[key]) for key in cards)


def _iraf_unit(header: Mapping[str, Any]) -> str:
    found = re.search(r"units\s*=\s*(\S+)", _iraf_words(header, 1))
    word = found[1].strip('"').lower() if found else ""
    return {"angstroms": "Angstrom", "angstrom": "Angstrom", "nanometers": "nm", "microns": "um"}.get(word, "")


def _multispec(header: Mapping[str, Any], rows: int, n: int, what: str) -> list[SpectralAxis]:
    words = {int(number): text.split() for number, text in _SPEC.findall(_iraf_words(header, 2))}
    missing = [row for row in range(1, rows + 1) if row not in words]
    if missing:
        raise ReadError(
            f"{what or 'The file'} has {rows} spectra, but its WAT2 cards give no dispersion of number {missing[0]}; "
            "write the file again with IRAF, or give a table of wavelengths."
        )
    unit = _iraf_unit(header)
    axes = []
    for row in range(1, rows + 1):
        arguments, notes = made_axis(_multispec_values(words[row], n, row, what), unit, "WAVELENGTH", header)
        axes.append(SpectralAxis(**arguments, notes=notes))
    return axes


def _multispec_values(words: list[str], n: int, row: int, what: str) -> np.ndarray:
    """Evaluate ``ap beam dtype w1 dw nw z aplow aphigh [functions]``."""
    try:
        kind, start, step, used, shift = int(words[2]), float(words[3]), float(words[4]), int(words[5]), float(words[6])
        if kind in (-1, 0, 1):
            values = start + step * np.arange(n)
            values = 10.0**values if kind == 1 else values
        else:
            values = _functions([float(word) for word in words[9:]], n)
    except (ValueError, IndexError) as error:
        raise ReadError(
            f"The dispersion of spectrum {row} of {what or 'the file'} is damaged: {' '.join(words)[:80]!r}."
        ) from error
    values = values / (1.0 + shift)
    values[used:] = np.nan
    return values


def _functions(words: list[float], n: int) -> np.ndarray:
    """Add up weighted functions: 1 Chebyshev, 2 Legendre, 3 cubic spline, 4 linear spline, 5 pixels, 6 samples."""
    pixel = np.arange(1.0, n + 1)
    total = np.zeros(n)
    while words:
        weight, zero, kind, words = words[0], words[1], int(words[2]), words[3:]
        if kind in (1, 2):
            order, low, high = int(words[0]), words[1], words[2]
            coefficients, words = words[3 : 3 + order], words[3 + order :]
            x = (pixel - (high + low) / 2) / ((high - low) / 2)
            series: Any = np.polynomial.chebyshev.chebval if kind == 1 else np.polynomial.legendre.legval
            value = series(x, coefficients)
        elif kind in (3, 4):
            pieces, low, high = int(words[0]), words[1], words[2]
            count = pieces + (3 if kind == 3 else 1)
            value = _spline(pixel, words[3 : 3 + count], pieces, low, high)
            words = words[3 + count :]
        else:
            raise ValueError(f"function {kind}")
        total += weight * (zero + value)
    return total


def _spline(pixel: np.ndarray, coefficients: list[float], pieces: int, low: float, high: float) -> np.ndarray:
    """Evaluate IRAF's spline of order 1 or 3 over equal pieces."""
    s = np.clip((pixel - low) / (high - low), 0, 1) * pieces
    j = np.minimum(s.astype(int), pieces - 1)
    a, b = (j + 1) - s, s - j
    c = np.asarray(coefficients)
    if len(c) == pieces + 1:
        return c[j] * a + c[j + 1] * b
    z0, z1, z2, z3 = a**3, 1 + 3 * a * (1 + a * b), 1 + 3 * b * (1 + a * b), b**3
    return c[j] * z0 + c[j + 1] * z1 + c[j + 2] * z2 + c[j + 3] * z3

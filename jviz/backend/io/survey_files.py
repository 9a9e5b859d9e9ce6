"""Files of spectroscopic surveys whose arrays have no names, or whose rows differ: what each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jviz.backend.io.product import Meaning

__all__ = ["conventional_names", "has_rows_of_spectra", "row_roles"]

_ROLES: dict[str, Meaning] = {
    "spectrum": "data", "flux": "data", "error": "error", "noise": "error", "sigma": "error", "variance": "variance",
    "inverse": "inverse variance", "ivar": "inverse variance", "mask": "flags", "andmask": "flags",
}  # fmt: skip

_PLATE = ("", "IVAR", "MASK", "ORMASK", "DISP")
"""Units of an SDSS spPlate file (data model of DR7 to DR17)."""
_VISIT = ("", "FLUX", "ERROR", "MASK", "WAVELENGTH")
_STAR = ("", "FLUX", "ERROR", "MASK")
_ASPCAP = ("", "FLUX", "ERROR", "MODEL")
"""Units of apVisit, apStar and aspcapStar files (APOGEE data model)."""


def conventional_names(headers: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the names of units that have none, in files that are known by their primary header.

    Parameters
    ----------
    headers : sequence of mapping
        Of all units.
    """
    names = _names_of(headers)
    return {n: name for n, name in enumerate(names[: len(headers)]) if name and not headers[n].get("EXTNAME")}


def _names_of(headers: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    if is_plate(headers[0]):
        return _PLATE
    units = [str(header.get("BUNIT", "")) for header in headers]
    if len(units) > 3 and units[1].startswith("Flux") and units[2].startswith(("Err", "Flux")):
        return _VISIT if len(units) > 4 and units[4].startswith("Wave") else _STAR
    logarithmic = all(header.get("CRVAL1") and header.get("CDELT1") for header in headers[1:4])
    if len(headers) > 3 and logarithmic and headers[0].get("TARG1"):
        return _ASPCAP
    return ()


def is_plate(header: Mapping[str, Any]) -> bool:
    """Whether a primary array holds one spectrum of SDSS in each row."""
    return header.get("COEFF0") is not None and header.get("NAXIS") == 2 and not row_roles(header)


def has_rows_of_spectra(header: Mapping[str, Any]) -> bool:
    """Whether the rows of a two-dimensional array are spectra, or what belongs to one."""
    plate = header.get("COEFF0") is not None or str(header.get("BUNIT", "")).startswith("Flux (")
    return plate or bool(row_roles(header))


def row_roles(header: Mapping[str, Any]) -> dict[int, Meaning]:
    """Return what rows of an array are, by the keywords ARRAYn (SDSS, LAMOST) or ROWn (GAMA); empty when none tells.

    The first spectrum is the one; others, as that without its continuum or the sky, are left out.
    """
    roles: dict[int, Meaning] = {}
    for number in range(1, 10):
        said = header.get(f"ARRAY{number}") or header.get(f"ROW{number}") or ""
        role = _ROLES.get(str(said).strip().lower())
        if role is not None and role not in roles.values():
            roles[number - 1] = role
    return roles if "data" in roles.values() else {}

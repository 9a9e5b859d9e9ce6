"""Files of spectroscopic surveys whose arrays have no names, or whose rows differ: what each of them is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jviz.backend.io.product import Meaning

__all__ = ["conventional_names", "has_rows_of_spectra", "is_pfs", "is_spex", "roles_of_units", "row_roles"]

_ROLES: dict[str, Meaning] = {
    "spectrum": "data", "flux": "data", "error": "error", "noise": "error", "sigma": "error", "variance": "variance",
    "inverse": "inverse variance", "ivar": "inverse variance", "mask": "flags", "andmask": "flags",
}  # fmt: skip

_WITH_SKY: dict[int, Meaning] = {0: "data", 1: "variance"}
"""Rows of 2dFGRS and 6dFGS: spectrum, variance, sky."""
_SIXDF = ("OBSRA", "OBSDEC", "Z", "Z_HELIO", "QUALITY")

_ALONG = re.compile(r"(A|AA|angstroms?|um|microns?|micrometers?|nm|nanometers?|[kMGT]?Hz|k?eV)", re.IGNORECASE)
_FLUX = re.compile(r"Jy|(?i:erg).*cm|W.*m\W*2|(?i:^(counts?|ct|adu|dn|electrons?)(\W*s)?$)")

_PLATE = ("", "IVAR", "MASK", "ORMASK", "DISP")
"""Units of an SDSS spPlate file (data model of DR7 to DR17)."""
_VISIT = ("", "FLUX", "ERROR", "MASK", "WAVELENGTH")
_STAR = ("", "FLUX", "ERROR", "MASK")
_ASPCAP = ("", "FLUX", "ERROR", "MODEL")
"""Units of apVisit, apStar and aspcapStar files (APOGEE data model)."""
_GALAH = ("", "RELATIVE_ERROR", "NO_SKY_DATA", "NO_SKY_SIGMA", "NORMALISED")
"""Units of GALAH spectra (Data Central, data release 3)."""
_TRIPLE = ("VARIANCE", "BADPIX")
"""What follows each spectrum of OzDES and of WiggleZ in GAMA."""
_OSIRIS = ("", "NOISE", "AUX")
"""Units of Keck OSIRIS cubes: the last is 9 for good values; `jviz.backend.io.keck_flags` turns it into flags."""


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
    return _names_by_origin(headers)


def _names_by_origin(headers: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    def said(keyword: str) -> str:
        return str(headers[0].get(keyword, "")).strip().upper()

    if len(headers) in (4, 5) and "GALAH" in said("ORIGIN"):
        return _GALAH
    if len(headers) % 3 == 0 and ("OZDES" in said("REFERENC") or "WIGGLEZ" in said("SURVEY")):
        exposures = range(1, len(headers) // 3)
        return ("", *_TRIPLE, *(f"EXPOSURE{n}_{word}" for n in exposures for word in ("DATA", *_TRIPLE)))
    if len(headers) == 3 and "OSIRIS" in said("INSTRUME") and ("KECK" in said("TELESCOP") or said("CURRINST")):
        return _OSIRIS
    return ()


def is_plate(header: Mapping[str, Any]) -> bool:
    """Whether a primary array holds one spectrum of SDSS in each row."""
    return header.get("COEFF0") is not None and header.get("NAXIS") == 2 and not row_roles(header)


def has_rows_of_spectra(header: Mapping[str, Any], primary: Mapping[str, Any]) -> bool:
    """Whether the rows of a two-dimensional array are spectra, or what belongs to one."""
    if header.get("COEFF0") is not None or str(header.get("BUNIT", "")).startswith("Flux ("):
        return True
    return _has_fibres(header) or is_pfs(primary) or bool(row_roles(header))


def _has_fibres(header: Mapping[str, Any]) -> bool:
    """Whether it is a frame of extracted fibres that 2dfdr wrote (AAOmega)."""
    reduced = str(header.get("CTYPE1", "")).strip().upper() == "WAVELENGTH"
    return reduced and str(header.get("INSTRUME", "")).strip().upper().startswith("AAOMEGA")


def is_pfs(header: Mapping[str, Any]) -> bool:
    """Whether a header is of Subaru's PFS: nm in vacuum, and nJy of single objects (PFS data model)."""
    return header.get("DAMD_VER") is not None or str(header.get("EXTNAME", "")).strip() in ("FLUX_TABLE", "FLUXTBL")


def is_spex(header: Mapping[str, Any]) -> bool:
    """Whether the first row of an array has the wavelengths of the others: spectra of SpeX and its kin (Spextool)."""
    has_units = all(str(header.get(keyword, "")).strip() for keyword in ("XUNITS", "YUNITS"))
    return has_units and header.get("NAXIS") == 2 and header.get("NAXIS2") in (2, 3, 4)


def row_roles(header: Mapping[str, Any]) -> dict[int, Meaning]:
    """Return what rows of an array are; empty when nothing tells.

    Keywords ARRAYn (SDSS, LAMOST) or ROWn (GAMA) do, and those of 2dFGRS, 6dFGS and 2SLAQ that specutils goes by.
    The first spectrum is the one; others, as that without its continuum or the sky, are left out.
    """
    lengths = [header.get(f"NAXIS{axis}") for axis in (2, 3)]
    if str(header.get("IMAGE", "")).strip() == "SPECTRUM" and lengths[0] == 3:
        return dict(_WITH_SKY)
    if lengths[0] in (3, 4) and all(header.get(keyword) is not None for keyword in _SIXDF):
        return dict(_WITH_SKY)
    if is_spex(header):
        return {1: "data", 2: "error"} if lengths[0] > 2 else {1: "data"}
    if str(header.get("MSTITLE", "")).startswith("2dF-SDSS LRG/QSO survey") and lengths == [1, 2]:
        return {0: "data"}
    roles: dict[int, Meaning] = {}
    for number in range(1, 10):
        said = header.get(f"ARRAY{number}") or header.get(f"ROW{number}") or ""
        role = _ROLES.get(str(said).strip().lower())
        if role is not None and role not in roles.values():
            roles[number - 1] = role
    return roles if "data" in roles.values() else {}


def roles_of_units(units: Sequence[str]) -> tuple[str, ...]:
    """Return what the first columns of a table are by their units alone: those of a spectrum, or nothing.

    Parameters
    ----------
    units : sequence of str
        Of all columns, as the file writes them.

    Returns
    -------
    tuple of str
        ``("WAVELENGTH", "FLUX")``, with ``"ERROR"`` where a third column has the unit of the second; else empty.
    """
    texts = [unit.strip() for unit in units]
    if len(texts) < 2 or not _ALONG.fullmatch(texts[0]) or not _FLUX.search(texts[1]):
        return ()
    return ("WAVELENGTH", "FLUX", *(["ERROR"] if texts[2:3] == texts[1:2] else []))

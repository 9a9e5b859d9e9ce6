"""How files call the columns of a spectrum: with their unit, by the words of a package, or of an archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jviz.backend.spectra.tables import split_unit

__all__ = ["Naming", "named_columns", "plain_name"]

_LENGTHS = {"A": "Angstrom", "AA": "Angstrom", "ANG": "Angstrom", "ANGSTROM": "Angstrom", "ANGSTROMS": "Angstrom",
            "NM": "nm", "UM": "um", "MICRON": "um", "MICRONS": "um", "MUM": "um", "MM": "mm", "M": "m", "HZ": "Hz",
            "MHZ": "MHz", "GHZ": "GHz", "THZ": "THz", "EV": "eV", "KEV": "keV"}  # fmt: skip
_FLUXES = {"JY": "Jy", "UJY": "uJy", "NJY": "nJy", "mJy": "mJy", "mjy": "mJy", "MJy": "MJy",
           "FLAM": "erg / (s cm2 Angstrom)"}  # fmt: skip
"""Units behind the names of columns; MJY in capitals may be either, and says nothing."""
_ALONG = ("WAVELENGTH", "WAVELENGTHS", "WAVE", "LAMBDA", "LAM", "WL", "WLEN", "FREQUENCY", "FREQ", "ENERGY")
_ACROSS = ("FLUX", "FLUX_DENSITY", "FNU", "FLAM", "ERR", "ERROR", "SIGMA", "FLUX_ERR", "FLUX_ERROR", "FLUXERR",
           "FLUX_UNC", "UNC", "VAR", "VARIANCE", "FLUX_VAR", "E_FLUX", "EFLUX")  # fmt: skip

_WORDS = {
    "WAVE_AIR": "AWAV", "WAVELENGTH_AIR": "AWAV", "LAMBDA_AIR": "AWAV", "AIRWAVE": "AWAV",
    "WAVE_VAC": "WAVELENGTH", "WAVELENGTH_VAC": "WAVELENGTH", "LAMBDA_VAC": "WAVELENGTH", "VACWAVE": "WAVELENGTH",
    "WAVE_OBS": "WAVELENGTH", "WAVELENGTH_OBS": "WAVELENGTH", "LAMBDA_OBS": "WAVELENGTH", "WVL": "WAVELENGTH",
    "Λ": "WAVELENGTH", "F_LAMBDA": "FLUX", "F_NU": "FLUX", "F_LAM": "FLUX", "FLAMBDA": "FLUX", "FLUX_LAMBDA": "FLUX",
    "FLUX_NU": "FLUX", "T_MB": "FLUX", "TMB": "FLUX", "BRIGHTNESS": "FLUX", "SIGMA_F": "ERROR", "SIGMA_FLUX": "ERROR",
    "DFLUX": "ERROR", "FLUX_UNC": "ERROR", "FLUX_SIG": "ERROR", "FLUX_STD": "ERROR", "SIG": "ERROR", "UNC": "ERROR",
    "RMS": "ERROR", "STATERROR": "ERROR", "ANDMASK": "MASK",
}  # fmt: skip
_VACUUM = ("WAVE_VAC", "WAVELENGTH_VAC", "LAMBDA_VAC", "VACWAVE")
_FLAM_OF_PYPEIT = "1e-17 erg / (s cm2 Angstrom)"


@dataclass(frozen=True)
class Naming:
    """What columns are.

    Attributes
    ----------
    names : dict of str to str
        For each column of the file the name, in capitals, that jviz knows it by.
    units : dict of str to str
        By the name of the file: units that stand in it, or that the data model of its package says.
    cards : dict
        What else the names tell, such as VACUUM.
    good : frozenset of str
        Masks that are true, or 1, for good samples.
    """

    names: Mapping[str, str]
    units: Mapping[str, str] = field(default_factory=dict)
    cards: Mapping[str, Any] = field(default_factory=dict)
    good: frozenset[str] = frozenset()


def plain_name(name: str) -> tuple[str, str]:
    """Return the name of a column in capitals without the unit that stands in it, and that unit.

    Returns
    -------
    (str, str)
        ``("WAVELENGTH", "um")`` of ``Wavelength_micron`` or ``wavelength [um]``.
    """
    plain, unit = split_unit(name)
    key = plain.strip().upper()
    if unit or "_" not in key:
        return key, unit
    stem, end = key.rsplit("_", 1)
    said = plain.strip().rsplit("_", 1)[1]
    if stem in _ALONG and end in _LENGTHS:
        return stem, _LENGTHS[end]
    known = _FLUXES.get(said) or _FLUXES.get(end)
    return (stem, known) if stem in _ACROSS and known else (key, "")


def named_columns(names: Iterable[str], header: Mapping[str, Any]) -> Naming:
    """Say what the columns of a table are, as far as their names and the header tell.

    Parameters
    ----------
    names : iterable of str
        As the file has them.
    header : mapping
        Of the table, over that of its file; may be empty.
    """
    listed = list(names)
    upper = {name.strip().upper() for name in listed}
    # By the columns above all: what jviz wrote of such a file has its keywords, and columns of its own.
    is_one = str(header.get("DMODCLS", "")).strip() == "OneSpec" and upper >= {"WAVE", "FLUX", "MASK"}
    if is_one or upper >= {"WAVE", "WAVE_GRID_MID"}:
        return _one_spec(listed, header)
    if upper & {"OPT_WAVE", "BOX_WAVE"}:
        return _spec_obj(listed)
    return _of_archive(_by_words(listed), header)


def _by_words(listed: list[str]) -> Naming:
    """Take words that many use, where no column has the plain name."""
    plain = {name: plain_name(name) for name in listed}
    taken = {key for key, _ in plain.values()}
    found: dict[str, str] = {}
    for name, (key, _) in plain.items():
        word = _WORDS.get(key, key)
        is_free = word not in taken and not (word == "AWAV" and taken & {"WAVELENGTH", "WAVE"})
        found[name] = word if is_free else key
        taken.add(found[name])
    # Of wavelengths in vacuum and in air those in vacuum are taken, and both are told apart.
    both = {"AWAV", "WAVELENGTH"} <= set(found.values())
    names = {name: "WAVELENGTHS_IN_AIR" if both and word == "AWAV" else word for name, word in found.items()}
    in_vacuum = any(key in _VACUUM and names[name] == "WAVELENGTH" for name, (key, _) in plain.items())
    units = {name: unit for name, (_, unit) in plain.items() if unit}
    return Naming(names, units, {"VACUUM": True} if in_vacuum else {})


def _of_archive(naming: Naming, header: Mapping[str, Any]) -> Naming:
    """Add what is known of CALSPEC: wavelengths in vacuum, and 1 for good samples in DATAQUAL."""
    keys = {name.strip().upper(): name for name in naming.names}
    if "DATAQUAL" not in keys or "STATERROR" not in keys:
        return naming
    quality = keys["DATAQUAL"]
    names = {**naming.names, quality: "MASK"}
    return Naming(names, naming.units, {"VACUUM": True, **naming.cards}, frozenset({quality}))


def _one_spec(listed: list[str], header: Mapping[str, Any]) -> Naming:
    """Name the columns of PypeIt's coadded spectra (data model OneSpec): Å in vacuum, 1 for good samples."""
    names = {name: name.strip().upper() for name in listed}
    units = {name: "Angstrom" for name, key in names.items() if key == "WAVE"}
    if header.get("FLUXED", True):
        units |= {name: _FLAM_OF_PYPEIT for name, key in names.items() if key == "FLUX"}
    return Naming(names, units, {"VACUUM": True}, frozenset(n for n, key in names.items() if key == "MASK"))


def _spec_obj(listed: list[str]) -> Naming:
    """Name the columns of an object of PypeIt's spec1d (data model SpecObj): optimal sums and fluxes first."""
    keys = {name.strip().upper(): name for name in listed}
    way = "OPT" if {"OPT_FLAM", "OPT_COUNTS"} & keys.keys() else "BOX"
    what = "FLAM" if f"{way}_FLAM" in keys else "COUNTS"
    roles = {f"{way}_WAVE": "WAVELENGTH", f"{way}_{what}": "FLUX", f"{way}_{what}_SIG": "FLUX_ERROR",
             f"{way}_MASK": "MASK"}  # fmt: skip
    if f"{way}_{what}_SIG" not in keys:
        roles[f"{way}_{what}_IVAR"] = "FLUX_IVAR"
    names = {name: roles.get(key, key) for key, name in keys.items()}
    said = {"WAVELENGTH": "Angstrom", "FLUX": _FLAM_OF_PYPEIT if what == "FLAM" else "count"}
    units = {name: said[role] for name, role in names.items() if role in said}
    return Naming(names, units, {"VACUUM": True}, frozenset(n for n, role in names.items() if role == "MASK"))

"""What files leave unsaid: units of old surveys, vacuum or air, the frame of velocities, which flags are fatal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from jviz.backend.dq import DIALECTS
from jviz.backend.io.survey_files import is_pfs
from jviz.backend.spectra.axis import _CODES, _KINDS, Medium

__all__ = ["flux_unit", "made_axis", "mask_of_flags", "medium_of", "meta_of", "unit_within"]

_NAMES = {"CHANNEL": "channel", "FREQUENCY": "frequency", "FREQ": "frequency", "ENERGY": "energy",
          "WAVENUMBER": "wavenumber", "VELOCITY": "velocity"}  # fmt: skip
# FITS standard 4.0, table 27
_FRAMES = {"BARYCENT": "barycentric", "HELIOCEN": "heliocentric", "TOPOCENT": "topocentric", "LSRK": "LSRK",
           "LSRD": "LSRD", "GEOCENTR": "geocentric", "GALACTOC": "galactocentric", "SOURCE": "source"}  # fmt: skip
_SIZES = ((100.0, "um", "µm"), (900.0, "nm", "nm"), (np.inf, "Angstrom", "Å"))
_SPELLINGS = {"a": "Angstrom", "ang": "Angstrom", "angs": "Angstrom", "mum": "um", "micrometre": "um",
              "micrometres": "um", "mu": "um", "nanometre": "nm", "nanometres": "nm"}  # fmt: skip
"""Of units along a spectrum, where A is no ampere."""
_VACUUM = ("JWST", "HST", "SDSS", "DESI", "IUE", "ROMAN", "EUCLID")


def made_axis(
    values: np.ndarray, unit: str, label: str, header: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the arguments of a `SpectralAxis` for a table of values, and its notes."""
    from jviz.backend.units import parse_unit

    unit, notes = _along(unit.strip()), []
    if "LOG" in label.upper() and not _is_length(unit):
        unit = ""
    known = parse_unit(unit) if unit else None
    kinds = str(getattr(known, "physical_type", "")).split("/")
    quantity = next((_KINDS[kind] for kind in kinds if kind in _KINDS), "")
    if not quantity:
        quantity = _NAMES.get(label.upper(), _CODES.get(label.upper(), "wavelength"))
    if quantity == "wavelength" and (not unit or known is None):
        unknown = unit
        unit, note = _wavelength_unit(values, label, header)
        word = f"The unit of wavelength, {unknown}, is not understood; {unit} is taken." if unknown else note
        notes += [word] if word else []
    medium = medium_of(header) if quantity == "wavelength" else ""
    if quantity == "wavelength" and label.upper() == "AWAV":
        medium = "air"
    return {"values": values, "unit": unit, "quantity": quantity, "medium": medium, "label": label}, tuple(notes)


def _along(unit: str) -> str:
    """Return a unit along a spectrum as astropy spells it, where it would not understand it or take A for an ampere."""
    from jviz.backend.units import parse_unit

    if unit != "A" and (not unit or parse_unit(unit) is not None):
        return unit
    return _SPELLINGS.get(unit.rstrip(".").lower(), unit)


def _wavelength_unit(values: np.ndarray, label: str, header: Mapping[str, Any]) -> tuple[str, str]:
    """Return the unit of wavelengths that have none: by the data model of their survey, else by their size.

    Returns
    -------
    tuple of str
        The unit, and what a user should know when it was guessed.
    """
    if is_pfs(header):
        return "nm", ""
    if str(header.get("TELESCOP", "")).strip().upper() == "JWST":
        return "um", ""
    words = f"{header.get('TELESCOP', '')} {header.get('SURVEY', '')}".upper()
    if "LOG" in label.upper() or any(word in words for word in ("SDSS", "DESI", "LAMOST")) or header.get("V_ASTRA"):
        return "Angstrom", ""  # as their data models say
    found = np.abs(np.asarray(values, float))
    found = found[np.isfinite(found) & (found > 0)]
    middle = float(np.median(found)) if len(found) else 5000.0
    # Few spectra are shortward of the Lyman limit, 91 nm; what would be there in Å is in nm or µm.
    unit, word = next((u, w) for limit, u, w in _SIZES if middle < limit)
    return unit, f"The file gives no unit of wavelength; {word} is taken by the size of the values."


def _is_length(unit: str) -> bool:
    from jviz.backend.units import parse_unit

    return "length" in str(getattr(parse_unit(unit), "physical_type", "")) if unit else False


_XSHOOTER = 2144337919
"""Codes of bad pixels by default of ESO's pipeline for X-shooter (decode-bp)."""
_APOGEE = re.compile(r"(?:Flux|Err\w*|Wavelength) ?\((.*)\)")


def unit_within(text: str) -> str:
    """Return the unit of a BUNIT of APOGEE, which says more: ``Flux (10^-17 erg/s/cm^2/Ang)``."""
    within = _APOGEE.fullmatch(text.strip())
    return within[1] if within else text


def flux_unit(unit: str, header: Mapping[str, Any]) -> str:
    """Return the unit of the values, else the one of all in the header: BUNIT (SDSS), UNIT (JADES) or YUNITS (SpeX)."""
    said = (str(header.get(key, "") or "").strip().rstrip("/").strip() for key in ("BUNIT", "UNIT", "YUNITS"))
    text = unit.strip() or next((text for text in said if text), "")
    return unit_within(text) or _conventional_flux(header)


def _conventional_flux(header: Mapping[str, Any]) -> str:
    """Return the unit that the data model of a survey gives to fluxes whose files say none."""
    if header.get("V_ASTRA") is not None:  # SDSS-V
        return "1e-17 erg / (s cm2 Angstrom)"
    name = str(header.get("EXTNAME", "")).strip()
    of_an_object = name in ("FLUX_TABLE", "FLUXTBL") or (name == "FLUX" and header.get("NAXIS") == 1)
    return "nJy" if is_pfs(header) and of_an_object else ""  # fibres of PFS are not calibrated


def medium_of(header: Mapping[str, Any]) -> Medium:
    """Return whether wavelengths hold in vacuum or air, "" when neither the file nor its observatory tells.

    Keywords: VACUUM (SDSS), AIRORVAC (BOSS), the UCD of ESO's phase 3 (TUCD1), CTYPE1.
    """
    vacuum = header.get("VACUUM")
    if isinstance(vacuum, bool | int):
        return "vacuum" if vacuum else "air"
    if is_pfs(header) or header.get("V_ASTRA") is not None:
        return "vacuum"
    said = str(header.get("AIRORVAC", "")).strip().lower()
    if said[:3] in ("air", "vac"):
        return "air" if said.startswith("air") else "vacuum"
    ucd = str(header.get("TUCD1", "")).lower()
    if "em.wl" in ucd:
        return "air" if "obs.atmos" in ucd else "vacuum"
    code = str(header.get("CTYPE1", "")).strip().upper().partition("-")[0]
    if code in ("AWAV", "WAVE"):
        return "air" if code == "AWAV" else "vacuum"
    words = f"{header.get('TELESCOP', '')} {header.get('SURVEY', '')}".upper()
    return "vacuum" if any(word in words for word in _VACUUM) else ""


def meta_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords of a header with ``"frame"`` beside them: of what velocity zero is, where it tells."""
    meta = dict(header)
    frame = _FRAMES.get(str(header.get("SPECSYS", "")).strip().upper(), "")
    corrected = str(header.get("HELCORR", "")).strip() in ("PERFORM", "COMPLETE")
    if not frame and (corrected or header.get("HELIO_RV") is not None):
        frame = "heliocentric"
    if frame:
        meta["frame"] = frame
    return meta


def mask_of_flags(flags: np.ndarray, dialect: str, header: Mapping[str, Any]) -> np.ndarray | None:
    """Return which samples must not be used, None when the flags do not say.

    JWST and Roman have DO_NOT_USE; HST spectrographs name their serious flags in SDQFLAGS; flags of ESO's phase 3 are
    0 for good samples; those of the pipeline for X-shooter have harmless ones among them.
    """
    bits = [bit for bit, (name, _) in DIALECTS.get(dialect, {}).items() if name == "DO_NOT_USE"]
    if bits:
        return (flags & (1 << bits[0])) != 0
    serious = header.get("SDQFLAGS")
    if isinstance(serious, int):
        return (flags & serious) != 0
    if str(header.get("INSTRUME", "")).strip() == "XSHOOTER" and not header.get("PRODCATG"):
        return (flags & _XSHOOTER) != 0
    return flags != 0 if str(header.get("PRODCATG", "")).startswith("SCIENCE") else None

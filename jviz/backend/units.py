"""Units as files write them, understood by astropy where they can be."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

__all__ = ["is_brightness", "moment_unit", "parse_unit"]


_plural = re.compile(r"\b(electron|count|photon|angstrom|micron|nanometer)s\b", re.IGNORECASE)
"""HST and SDSS headers count in the plural, which astropy does not know."""

_flux = re.compile(r"\b(erg|watts?|w|ph|photons?)\b", re.IGNORECASE)
_per_a = re.compile(r"(?<![A-Za-z])A(?=(?:\^?\(?-1\)?)?(?![A-Za-z]))")
"""In densities of flux A is the ångström: ERG/CM2/S/A of IUE, FUSE and many text tables."""

_ang = re.compile(r"\bA(?:ng|NG)\b")
_bare_power = re.compile(r"^E(?=[-+]?\d)")
"""E-17 ERG/S/CM^2/ANG"""

_words = ("Jy", "mJy", "MJy", "beam", "sr", "erg", "cm", "Hz", "um", "nm", "arcsec", "pixel", "Angstrom", "K", "km")
_capitals = {word.upper(): word for word in _words} | {"S": "s", "M": "m"} | {"MJY": "MJy"}

_in_words = {
    "degrees": "deg", "arcsecs": "arcsec", "arcseconds": "arcsec", "arcmins": "arcmin", "arcminutes": "arcmin",
    "radians": "rad", "mags": "mag", "magnitude": "mag", "magnitudes": "mag", "sec": "s", "secs": "s", "seconds": "s",
    "minutes": "min", "hours": "h", "hrs": "h", "days": "d", "years": "yr", "pixels": "pix", "px": "pix", "ergs": "erg",
    "microjy": "uJy", "mujy": "uJy", "microjansky": "uJy", "jansky": "Jy", "janskys": "Jy", "nanomaggies": "nmgy",
    "sqarcsec": "arcsec2", "parsecs": "pc", "kelvins": "K",
}  # fmt: skip
"""What people write in place of the names of the standards."""

_magnitude_of = re.compile(r"(?:(AB|ST)[ _]?mag|mag[ _]?(AB|ST))\b", re.IGNORECASE)
_vega = re.compile(r"(?:vega[ _]?mags?|mags?[ _]?(?:\(vega\)|vega))\b", re.IGNORECASE)
_logarithm_of = re.compile(r"log(?:10)?\s*(?:\((.+)\)|\s(.+))", re.IGNORECASE)

_stmag = re.compile(r"(FLAM|FNU)(\d*)")
"""Of HST; with a number, KCWI counts in 10⁻¹⁶ of them: FLAM16."""


@lru_cache(512)
def parse_unit(text: str) -> Any:
    """Return the astropy unit of a text, dimensionless for ``""``, None when it is not understood.

    Parameters
    ----------
    text : str
        ``"MJy/sr"``, ``"10**(-20)*erg/s/cm**2/Angstrom"``, ``"Jy/beam"`` …
    """
    from astropy import units

    bare = re.sub(r"\bspaxel\b", "pixel", _ang.sub(_angstrom, text.replace("**(", "^("))).strip()
    if _flux.search(bare):
        bare = _bare_power.sub("1E", re.sub(r"^[xX×*]\s*(?=1)", "", _per_a.sub("Angstrom", bare)))
    bare = _magnitude_of.sub(lambda found: f"mag({(found[1] or found[2]).upper()})", bare)
    bare = re.sub(r"mag\((AB|ST)\)(?=\s*/)", "mag", bare)  # one that knows its system cannot be divided
    bare = bare.lower() if bare.isupper() and _plural.search(bare) else bare
    bare = re.sub(r"\)(?=[A-Za-z])", ") ", _plural.sub(lambda word: word[1].lower(), bare))
    bare = re.sub(r"(?<![\w.])e-(?=\s*(?:/|$))", "electron", re.sub(r"\bcps\b", "count/s", bare, flags=re.IGNORECASE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)  # deprecated spellings are understood all the same
        # else A would be an ampere, and AB mag a product
        first = () if "Angstrom" in bare or "mag" in bare else (text.strip(),)
        others = (bare.lower(), _without_hyphens(bare), _in_small_letters(bare), _flux_of(bare), _of_words(bare))
        for spelling in dict.fromkeys((*first, bare, *others)):
            for form in (None, "fits", "cds", "vounit"):
                try:
                    return units.Unit(spelling, format=form)
                except (ValueError, TypeError):
                    continue
    return None


def _angstrom(found: re.Match[str]) -> str:
    return "ANGSTROM" if found[0].isupper() else "Angstrom"


def _of_words(text: str) -> str:
    """Return degrees and arcseconds per year, ABmag, Vegamag and log(Msun) as astropy calls them."""
    text = _vega.sub("mag", text.strip().rstrip("."))
    text = re.sub(r"[A-Za-z]+", lambda word: _in_words.get(word[0].lower(), word[0]), text)
    text = _logarithm_of.sub(lambda found: f"dex({found[1] or found[2]})", text)
    return text[:1].lower() + text[1:] if text[:1].isupper() and text[1:].islower() and len(text) > 2 else text


def _in_small_letters(text: str) -> str:
    """Return JY/BEAM as Jy/beam, and MJy/SR as MJy/sr."""
    words = r"[A-Z]+" if text.isupper() else r"\b[A-Z]{2,}\b"
    return re.sub(words, lambda word: _capitals.get(word[0], word[0]), text)


def _flux_of(text: str) -> str:
    found = _stmag.fullmatch(text.strip().upper())
    if not found:
        return text
    return f"10**-{found[2] or 0} erg / (s cm2 {'Angstrom' if found[1] == 'FLAM' else 'Hz'})"


def _without_hyphens(text: str) -> str:
    """Return W/m^2-sr as W/m^2/sr and Jy-km/s as Jy km/s: the hyphens between names join them."""
    first, slash, rest = text.partition("/")
    joined = re.compile(r"(?<=[A-Za-z0-9])-(?=[A-Za-z])")
    return joined.sub(" ", first) + slash + joined.sub("/", rest)


def moment_unit(unit: str, axis_unit: str, order: int) -> str:
    """Return the unit of a moment along an axis: that of the values times that of the axis, else a power of the latter.

    Parameters
    ----------
    unit, axis_unit : str
        Of the values and of the axis; what is no unit stands as it is.
    order : int
    """
    if order:
        known = parse_unit(axis_unit) if axis_unit else None
        if known is None:
            return f"{axis_unit}{order if order > 1 else ''}" if axis_unit else ""
        return (known**order).to_string()
    first, second = (parse_unit(text) if text else None for text in (unit, axis_unit))
    if first is None or second is None:
        return " ".join(filter(None, (unit, axis_unit)))
    return (first * second).to_string()


def is_brightness(unit: str) -> bool:
    """Return whether a unit is one of a quantity per solid angle, or of a temperature, which a mean keeps."""
    found = parse_unit(unit)
    if found is None:
        return any(word in unit.lower().replace(" ", "") for word in ("/sr", "/beam", "arcsec", "sr-1", "beam-1"))
    from astropy import units

    names = dict(zip((b.name for b in found.bases), found.powers, strict=True))
    if any(names.get(n, 0) < 0 for n in ("sr", "beam", "arcsec", "arcmin", "deg", "rad", "mas")):
        return True
    return found.is_equivalent(units.K)

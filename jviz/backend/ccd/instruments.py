"""Which keywords of raw frames mean what, for each instrument; users may add and change them."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jviz.errors import CommandError

__all__ = ["KINDS", "MEANINGS", "Instrument", "instrument_for", "instruments", "taken"]

KINDS = ("bias", "dark", "flat", "science")

MEANINGS = ("type", "exposure", "filter", "object", "gain", "read_noise", "overscan", "trim", "saturation", "date")
"""What keywords can stand for: ``gain`` in electrons per count, ``read_noise`` in electrons, ``exposure`` in seconds,
``overscan`` and ``trim`` as FITS sections (``[1:32,1:2048]``), ``saturation`` in counts."""


@dataclass(frozen=True)
class Instrument:
    """Keywords and words of one instrument.

    Attributes
    ----------
    name : str
    match : str
        Pattern of INSTRUME, ``"ALFOSC*"``; ``"*"`` fits all.
    keywords : dict of str to tuple of str
        Keywords by meaning (`MEANINGS`); the first that a header has counts.
    words : dict of str to tuple of str
        Patterns of the type of exposure by kind (`KINDS`), compared without regard to case.
    """

    name: str
    match: str
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def value(self, header: Mapping[str, Any], meaning: str) -> Any:
        """Return what a header says, None when it says nothing."""
        for keyword in self.keywords.get(meaning, ()):
            value = header.get(keyword)
            if value is not None and str(value).strip():
                return value
        return None

    def kind(self, header: Mapping[str, Any]) -> str:
        """Return bias, dark, flat or science; "" when the header does not tell."""
        said = str(self.value(header, "type") or "").strip().lower()
        found = [(place, kind) for kind, patterns in self.words.items() for place, pattern in enumerate(patterns)
                 if fnmatch.fnmatch(said, pattern.lower())]  # fmt: skip
        if found:
            return min(found, key=lambda one: one[0])[1]  # the instrument's own words come before the usual ones
        exposure = self.value(header, "exposure")
        return "bias" if not said and _number(exposure) == 0 else ""


GENERIC = Instrument("generic", "*", {
    "type": ("IMAGETYP", "OBSTYPE", "EXPTYPE", "IMGTYPE", "HIERARCH ESO DPR TYPE", "ESO DPR TYPE", "FRAME", "OBJECT"),
    "exposure": ("EXPTIME", "EXPOSURE", "ITIME", "ELAPTIME"),
    "filter": ("FILTER", "FILTER1", "FILTERS", "INSFLNAM", "ESO INS FILT1 NAME", "ALFLTNM", "FILTNAME"),
    "object": ("OBJECT", "TARGET", "TARGNAME", "OBJNAME"),
    "gain": ("GAIN", "EGAIN", "CCDGAIN", "ATODGAIN", "ESO DET OUT1 CONAD", "GAIN1"),
    "read_noise": ("RDNOISE", "READNOIS", "RON", "ENOISE", "ESO DET OUT1 RON", "RDNOISE1"),
    "overscan": ("BIASSEC", "OVERSCAN"), "trim": ("TRIMSEC", "DATASEC", "CCDSEC"),
    "saturation": ("SATURATE", "SATLEVEL", "DATAMAX", "MAXLIN"), "date": ("DATE-OBS", "DATE", "MJD-OBS"),
}, {
    "bias": ("*bias*", "*zero*"), "dark": ("*dark*",), "flat": ("*flat*", "*skyflat*"),
    "science": ("object*", "light*", "science*", "target*", "sky", "obj", "std*", "expose"),
})  # fmt: skip
"""What most cameras write: the conventions of IRAF, MaxIm and ESO."""

KNOWN = (
    Instrument("ALFOSC (NOT)", "ALFOSC*", {"type": ("IMAGETYP", "OBS_MODE", "OBJECT"), "filter": ("ALFLTNM", "FAFLTNM"),
                                           "gain": ("GAIN1",), "read_noise": ("RDNOISE1",)}),
    Instrument("FORS (VLT)", "FORS*", {"type": ("ESO DPR TYPE",), "filter": ("ESO INS FILT1 NAME",),
                                       "gain": ("ESO DET OUT1 CONAD",), "read_noise": ("ESO DET OUT1 RON",)}),
    Instrument("EFOSC (NTT)", "EFOSC*", {"type": ("ESO DPR TYPE",), "filter": ("ESO INS FILT1 NAME",),
                                         "gain": ("ESO DET OUT1 CONAD",), "read_noise": ("ESO DET OUT1 RON",)}),
    Instrument("Sinistro (LCOGT)", "fa*", {"type": ("OBSTYPE",)},
               {"science": ("EXPOSE", "STANDARD"), "flat": ("SKYFLAT", "LAMPFLAT")}),
)  # fmt: skip


def instruments(own: Mapping[str, Mapping[str, Any]]) -> list[Instrument]:
    """Return all instruments: those of the user first, then those that are known, the generic one last.

    Parameters
    ----------
    own : mapping
        By name: ``{"match": …, "keywords": {…}, "words": {…}}``, as `taken` gives it.
    """
    mine = [_whole(Instrument(name, str(value.get("match", "*")), _tuples(value.get("keywords", {})),
                              _tuples(value.get("words", {})))) for name, value in own.items()]  # fmt: skip
    others = [_whole(each) for each in KNOWN if each.name not in own]
    return [*mine, *others, *([] if GENERIC.name in own else [GENERIC])]


def instrument_for(headers: Sequence[Mapping[str, Any]], known: Sequence[Instrument], name: str | None) -> Instrument:
    """Return the instrument of frames: the one named, or the first whose pattern fits.

    Raises
    ------
    CommandError
        When there is none of that name.
    """
    if name is not None:
        for each in known:
            if each.name.lower() == name.lower():
                return each
        raise CommandError(f"There is no instrument {name!r}; there are {', '.join(each.name for each in known)}. "
                           "Add it with ccd.map_keywords.")  # fmt: skip
    said = {str(header.get("INSTRUME", "") or "").strip() for header in headers}
    for each in known:
        if each.match != "*" and any(fnmatch.fnmatch(text.lower(), each.match.lower()) for text in said):
            return each
    return next((each for each in known if each.match == "*"), GENERIC)


def taken(match: str, keywords: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping of keywords as settings keep it.

    Raises
    ------
    CommandError
        For a meaning or a kind that there is not.
    """
    for given, known, what in ((keywords, MEANINGS, "meaning of a keyword"), (words, KINDS, "kind of frame")):
        if unknown := [name for name in given if name not in known]:
            raise CommandError(f"{unknown[0]!r} is no {what}; there are {', '.join(known)}.")
    return {"match": match or "*", "keywords": {key: list(value) for key, value in _tuples(keywords).items()},
            "words": {key: list(value) for key, value in _tuples(words).items()}}  # fmt: skip


def _whole(instrument: Instrument) -> Instrument:
    """Return an instrument with what it leaves open as most cameras have it."""
    keywords = {meaning: (*instrument.keywords.get(meaning, ()), *GENERIC.keywords[meaning]) for meaning in MEANINGS}
    words = {kind: (*instrument.words.get(kind, ()), *GENERIC.words[kind]) for kind in KINDS}
    return Instrument(instrument.name, instrument.match, keywords, words)


def _tuples(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {str(key): (value,) if isinstance(value, str) else tuple(str(one) for one in value)
            for key, value in values.items()}  # fmt: skip


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None

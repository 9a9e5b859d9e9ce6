"""Which reference files fit a product, by the rules of a CRDS context that is on this machine."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from jviz.backend.calibration.mappings import Mapping, Selector, holds, read_mapping
from jviz.errors import JvizError

__all__ = ["NOT_APPLICABLE", "Choice", "Rules", "keys_of", "rows_of"]

NOT_APPLICABLE = "N/A"

KEYWORDS = {
    "META.INSTRUMENT.NAME": "INSTRUME", "META.INSTRUMENT.DETECTOR": "DETECTOR", "META.INSTRUMENT.FILTER": "FILTER",
    "META.INSTRUMENT.PUPIL": "PUPIL", "META.INSTRUMENT.BAND": "BAND", "META.INSTRUMENT.CHANNEL": "CHANNEL",
    "META.INSTRUMENT.GRATING": "GRATING", "META.INSTRUMENT.MODULE": "MODULE",
    "META.INSTRUMENT.CORONAGRAPH": "CORONMSK", "META.INSTRUMENT.LAMP_STATE": "LAMP",
    "META.INSTRUMENT.LAMP_MODE": "OPMODE", "META.EXPOSURE.TYPE": "EXP_TYPE", "META.EXPOSURE.READPATT": "READPATT",
    "META.EXPOSURE.NGROUPS": "NGROUPS", "META.EXPOSURE.NFRAMES": "NFRAMES", "META.EXPOSURE.NOUTPUTS": "NOUTPUTS",
    "META.SUBARRAY.NAME": "SUBARRAY", "META.SUBARRAY.XSTART": "SUBSTRT1", "META.SUBARRAY.YSTART": "SUBSTRT2",
    "META.SUBARRAY.XSIZE": "SUBSIZE1", "META.SUBARRAY.YSIZE": "SUBSIZE2", "META.OBSERVATION.DATE": "DATE-OBS",
    "META.OBSERVATION.TIME": "TIME-OBS", "META.VISIT.TSOVISIT": "TSOVISIT", "META.VISIT.TYPE": "VISITYPE",
    "META.VISIT.CROWDED_FIELD": "CROWDFLD", "META.CALIBRATION_SOFTWARE_VERSION": "CAL_VER",
    "META.MODEL_TYPE": "DATAMODL",
}  # fmt: skip
"""FITS keywords of what rules ask for."""

UNDEFINED = "UNDEFINED"
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
_RELATION = re.compile(r"([><]=?)\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True)
class Choice:
    """What the rules say of one type.

    Attributes
    ----------
    file : str
        Name of the reference file, "N/A" where the type does not apply, "" when no rule fits.
    reason : str
        Why no file was found.
    """

    file: str
    reason: str = ""


def keys_of(header: Any) -> dict[str, str]:
    """Return what rules ask for from FITS keywords, as CRDS compares it: upper case, numbers with a decimal point."""
    return {name: _conditioned(header[keyword]) for name, keyword in KEYWORDS.items() if keyword in header}


def _conditioned(value: Any) -> str:
    text = str(value).strip().upper()
    if _NUMBER.match(text):
        text = str(float(text))
    if text in ("N/A", "NOT APPLICABLE", "NOT_APPLICABLE"):
        return NOT_APPLICABLE
    if text == "ANY":
        return "*"
    return {"4294967295.0": "-1.0", "TRUE": "T", "FALSE": "F"}.get(text, text)


class Rules:
    """The mappings in a CRDS cache.

    Parameters
    ----------
    folder : Path, optional
        ``CRDS_PATH``, or ``~/crds_cache``.
    observatory : str
    whole : bool
        Everything lies in that folder, whatever ``CRDS_MAPPATH`` and ``CRDS_REFPATH`` say.

    Attributes
    ----------
    mappings, references : Path
        Folders of the mappings and of the reference files.
    """

    def __init__(self, folder: Path | None = None, observatory: str = "jwst", *, whole: bool = False) -> None:
        self.folder = folder or Path(os.environ.get("CRDS_PATH") or Path.home() / "crds_cache").expanduser()
        self.observatory = observatory
        elsewhere = {} if whole else os.environ
        self.mappings = Path(elsewhere.get("CRDS_MAPPATH") or self.folder / "mappings") / observatory
        self.references = Path(elsewhere.get("CRDS_REFPATH") or self.folder / "references") / observatory

    # --- what is there --------------------------------------------------------------------------

    def contexts(self) -> list[str]:
        """Return the contexts in the cache, oldest first."""
        return sorted(path.name for path in self.mappings.glob("*_[0-9]*.pmap"))

    def context(self, name: str | None = None) -> str:
        """Return the context to use: the one given, that of ``CRDS_CONTEXT``, or the newest one in the cache.

        Raises
        ------
        JvizError
            When it is not in the cache.
        """
        there = self.contexts()
        if not there:
            raise JvizError(
                f"There are no rules for reference files in {self.folder}, and no server is asked for them. Set "
                "CRDS_PATH to the folder of a CRDS cache. Work online: a calibration fetches what it needs, and Fetch "
                "Missing Files does so too."
            )
        wanted = name or os.environ.get("CRDS_CONTEXT", "")
        if not wanted or wanted.endswith(("-operational", "-latest", "-edit")):
            return there[-1]
        if wanted not in there and not (self.mappings / wanted).exists():
            raise JvizError(f"The CRDS context {wanted} is not in {self.folder}; the newest there are "
                            f"{', '.join(there[-3:])}.")  # fmt: skip
        return wanted

    def reference(self, name: str, instrument: str = "") -> Path | None:
        """Return the path of a reference file in the cache, None when it is not there (or no name of a file)."""
        if name in ("", NOT_APPLICABLE) or Path(name).name != name:
            return None
        folder = self.references
        instrument = instrument.lower() or [*name.split("_"), "", ""][1]
        return next((path for path in (folder / instrument / name, folder / name) if path.is_file()), None)

    # --- what they say --------------------------------------------------------------------------

    def types(self, context: str, instrument: str) -> dict[str, str]:
        """Return the mapping of each type of reference files, or "N/A", by the type's name in lower case."""
        choices = read_mapping(self.mappings / context).selector
        name = next((value for key, value in choices.items() if key.upper() == instrument.upper()), None)
        if name is None:
            raise JvizError(f"The CRDS context {context} has no rules for the instrument {instrument or '?'}.")
        return {key.lower(): value for key, value in read_mapping(self.mappings / name).selector.items()}

    def choices(self, header: Any, context: str, kinds: Iterable[str] | None = None) -> dict[str, Choice]:
        """Return the best reference file of each type for a product.

        Parameters
        ----------
        header : mapping
            FITS keywords.
        context : str
        kinds : iterable of str, optional
            Types, all by default; those that the context omits are left out.
        """
        keys = keys_of(header)
        types = self.types(context, keys.get("META.INSTRUMENT.NAME", ""))
        found = {kind: self._choice(types.get(kind, ""), keys) for kind in (types if kinds is None else kinds)}
        return {kind: choice for kind, choice in found.items() if choice is not None}

    def _choice(self, mapping: str, keys: dict[str, str]) -> Choice | None:
        if mapping.upper() in (NOT_APPLICABLE, "TEMP_N/A"):
            return Choice(NOT_APPLICABLE)
        if not mapping:
            return Choice("", "the context has no such type")
        if mapping.upper() == "OMIT":
            return None
        try:
            return _chosen(read_mapping(self.mappings / mapping), keys)
        except ValueError as error:
            return Choice("", f"{mapping}: {error}")


# --- one mapping --------------------------------------------------------------------------------------


def _chosen(rmap: Mapping, keys: dict[str, str]) -> Choice | None:
    if holds(str(rmap.header.get("rmap_omit", "False")), keys):
        return None
    if not holds(str(rmap.header.get("rmap_relevance", "always")), keys):
        return Choice(NOT_APPLICABLE)
    keys = dict(keys)
    for name, condition in dict(rmap.header.get("parkey_relevance", {})).items():
        if not holds(str(condition), keys):
            keys[name.upper()] = NOT_APPLICABLE
    parameters = [part if isinstance(part, tuple) else (part,) for part in rmap.header["parkey"]]
    value = _select(rmap.selector, parameters, keys, _substitutions(rmap))
    if value is None:
        required = str(rmap.header.get("reffile_required", "YES")).upper() in ("YES", "NONE")
        return Choice("", "no rule fits this product") if required else Choice(NOT_APPLICABLE)
    if str(value).upper() == "OMIT":
        return None
    return Choice(NOT_APPLICABLE if str(value).upper() in (NOT_APPLICABLE, "TEMP_N/A") else str(value))


def _substitutions(rmap: Mapping) -> dict[str, dict[Any, Any]]:
    return dict(rmap.header.get("substitutions") or {})


def _select(selector: Any, parameters: list[tuple[str, ...]], keys: dict[str, str], swaps: dict) -> Any:
    """Return the choice of a selector and those below it, None when none fits."""
    if not isinstance(selector, Selector):
        return selector
    mine, below = parameters[0], parameters[1:]
    if selector.kind == "Match":
        for group in _ranked(selector, mine, keys, swaps):
            found = _select(_merged(group), below, keys, swaps)
            if found is not None:
                return found
        return None
    if selector.kind == "UseAfter":
        date = " ".join(keys.get(name, UNDEFINED) for name in mine)
        if UNDEFINED in date:
            return None
        fitting = [(str(start), choice) for start, choice in selector.choices.items() if str(start) <= date]
        return _select(max(fitting, key=lambda one: one[0])[1], below, keys, swaps) if fitting else None
    raise ValueError(f"rules by {selector.kind} are not known here")


def _ranked(selector: Selector, names: tuple[str, ...], keys: dict[str, str], swaps: dict) -> Iterator[list[Any]]:
    """Yield the choices that fit, most specific first; those that fit equally well together."""
    values = [keys.get(name, UNDEFINED) for name in names]
    ranks: dict[int, list[Any]] = {}
    for patterns, choice in _prepared(selector, names, swaps):
        weight = 0
        for pattern, value in zip(patterns, values, strict=True):
            fits = _fits(pattern, value)
            if fits < 0:
                break
            weight += fits
        else:
            ranks.setdefault(weight, []).append(choice)
    for weight in sorted(ranks, reverse=True):
        yield ranks[weight]


_known: WeakKeyDictionary[Selector, list[tuple[tuple[str, ...], Any]]] = WeakKeyDictionary()


def _prepared(selector: Selector, names: tuple[str, ...], swaps: dict) -> list[tuple[tuple[str, ...], Any]]:
    """Return the keys of a rule as they are compared, with their choices."""
    if selector not in _known:
        rows = []
        for key, choice in selector.choices.items():
            parts = zip(names, key if isinstance(key, tuple) else (key,), strict=True)
            swapped = (swaps.get(name, {}).get(part, part) if isinstance(part, str) else part for name, part in parts)
            rows.append((tuple(_pattern(part) for part in swapped), choice))
        _known[selector] = rows
    return _known[selector]


def _merged(group: list[Any]) -> Any:
    """Join choices that fit equally well: of the same date the greater name counts."""
    if len(group) == 1 or not all(isinstance(choice, Selector) for choice in group):
        return max(group, key=str)
    joined: dict[Any, Any] = {}
    for choice in group:
        for start, value in choice.choices.items():
            joined[start] = max(joined[start], value) if start in joined else value
    return Selector(group[0].kind, joined)


def _pattern(value: Any) -> str:
    """Return a key of a rule as CRDS compares it."""
    if isinstance(value, tuple | list):
        return "|".join(_conditioned(part) for part in value)
    text = str(value)
    if text.startswith(("{", "(")) and text.endswith(("}", ")")):
        return text
    return "|".join(_conditioned(part) for part in text.split("|"))


@lru_cache(maxsize=100_000)
def _fits(pattern: str, value: str) -> int:
    """Return 1 when a value fits, 0 when the rule or the value does not care, −1 when it does not fit."""
    if pattern == NOT_APPLICABLE:
        return 0
    if value in (pattern, "*"):
        return 1
    if value == NOT_APPLICABLE:
        return 0
    return 1 if _matcher(pattern)(value) else -1


@lru_cache(maxsize=20_000)
def _matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a value fits a pattern that is not the value itself."""
    text = pattern.strip()
    upper = text.upper()
    if text.startswith("{") and text.endswith("}"):
        return text[1:-1].__eq__
    if text.startswith("(") and text.endswith(")"):
        return lambda value, one=re.compile(text[1:-1]): bool(one.match(value))
    if text.startswith("#") and text.endswith("#"):
        return _matcher(text[1:-1])
    if upper.startswith("NOT "):
        inner = text[4:].strip()
        return lambda value: _fits(inner, value) < 0
    if upper.startswith("BETWEEN"):
        low, high = (float(part) for part in text.split()[1:3])
        return lambda value: _is_number(value) and low <= float(value) < high
    for word, both in ((" AND ", all), (" OR ", any)):
        if word in upper:
            parts = [part.strip() for part in text.split(word)]
            return lambda value, parts=parts, both=both: both(_fits(part, value) == 1 for part in parts)
    if relation := _RELATION.match(text):
        return _related(relation.group(1), float(relation.group(2)))
    globs = [re.compile(fnmatch.translate(part)) for part in text.split("|")]
    return lambda value: any(one.match(value) for one in globs)


def _related(sign: str, limit: float) -> Callable[[str], bool]:
    tests = {">": float.__gt__, "<": float.__lt__, ">=": float.__ge__, "<=": float.__le__}
    return lambda value: _is_number(value) and tests[sign](float(value), limit)


def _is_number(value: str) -> bool:
    return bool(_NUMBER.match(value))


# --- all rules of a context ---------------------------------------------------------------------------


def rows_of(rules: Rules, context: str) -> dict[tuple[str, ...], str]:
    """Return every rule of a context: instrument, type, the values and dates that choose, and the file.

    Returns
    -------
    dict
        ``{(instrument, type, "NAME=value", …): file}``
    """
    rows: dict[tuple[str, ...], str] = {}
    for instrument in read_mapping(rules.mappings / context).selector:
        for kind, mapping in rules.types(context, instrument).items():
            if not mapping.endswith(".rmap"):
                rows[instrument.lower(), kind] = mapping
                continue
            rmap = read_mapping(rules.mappings / mapping)
            parameters = [part if isinstance(part, tuple) else (part,) for part in rmap.header["parkey"]]
            for path, file in _leaves(rmap.selector, parameters):
                rows[(instrument.lower(), kind, *path)] = file
    return rows


def _leaves(selector: Any, parameters: list[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(selector, Selector):
        yield (), str(selector)
        return
    for key, choice in selector.choices.items():
        if selector.kind == "Match":
            key = key if isinstance(key, tuple) else (key,)
            here = tuple(f"{name.rpartition('.')[2]}={value}" for name, value in zip(parameters[0], key, strict=False))
        else:
            here = (f"{selector.kind}={key}",)
        for path, file in _leaves(choice, parameters[1:]):
            yield (*here, *path), file

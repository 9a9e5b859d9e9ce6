"""What the library keeps of a file: read from its headers alone, in well under a millisecond."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.fitsfile import FitsFile, Hdu
from jviz.backend.library.footprints import Footprint, of_region, of_wcs
from jviz.errors import JvizError

__all__ = ["SUFFIXES", "Record", "read_record"]

SUFFIXES = (
    ".fits", ".fit", ".fts", ".fits.gz", ".fits.fz", ".fit.gz", ".asdf", ".ecsv", ".vot", ".csv", ".json", ".parquet",
)  # fmt: skip
"""Names of files that a scan of a folder takes."""

LEVELS = {
    1: ("uncal", "raw"),
    2: ("rate", "rateints", "cal", "calints", "crf", "crfints", "flt", "flc"),
    3: ("i2d", "s2d", "s3d", "x1d", "x1dints", "c1d", "cat", "segm", "drz", "drc"),
}
"""Level of calibration by the last word of the name; products of single JWST exposures stay at 2."""

TYPES = {"i2d": "image", "cal": "image", "rate": "image", "uncal": "image", "crf": "image", "s3d": "cube",
         "x1d": "spectrum", "x1dints": "timeseries", "c1d": "spectrum", "s2d": "spectrum", "calints": "timeseries",
         "rateints": "timeseries", "cat": "measurements", "segm": "image", "asn": "association"}  # fmt: skip

NAMES: dict[str, tuple[str, ...]] = {
    "obs_collection": ("TELESCOP", "OBSERVAT", "MISSION"),
    "instrument_name": ("INSTRUME", "INSTRUMENT"),
    "filters": ("FILTER", "FILTER1", "FILTERS", "FILTNAM1", "BAND", "PHOTMODE"),
    "target_name": ("TARGPROP", "TARGNAME", "OBJECT", "TARGET"),
    "proposal_id": ("PROGRAM", "PROPOSID", "PROPID", "PROG_ID"),
    "proposal_pi": ("PI_NAME", "PI-COI", "PR_INV_L", "OBSERVER"),
    "obs_title": ("TITLE", "PROPTTL1"),
    "exp_type": ("EXP_TYPE", "OBSTYPE", "IMAGETYP"),
    "cal_ver": ("CAL_VER", "CALSOFT", "OPUS_VER"),
    "crds_ctx": ("CRDS_CTX",),
    "detector": ("DETECTOR", "DETNAM"),
    "grating": ("GRATING", "PUPIL", "OPT_ELEM"),
    "date_obs": ("DATE-BEG", "DATE-OBS", "DATE_OBS"),
}
"""Columns of text, and the keywords that hold them, the first found wins."""

NUMBERS: dict[str, tuple[str, ...]] = {
    "t_min": ("EXPSTART", "MJD-BEG", "MJD-OBS", "MJD"),
    "t_max": ("EXPEND", "MJD-END"),
    "t_exptime": ("EFFEXPTM", "XPOSURE", "EXPTIME", "EXPOSURE", "TELAPSE"),
    "s_ra": ("TARG_RA", "RA_TARG", "RA_OBJ", "OBSRA"),
    "s_dec": ("TARG_DEC", "DEC_TARG", "DEC_OBJ", "OBSDEC"),
}

REFERENCE = re.compile(r"R_[A-Z]{3,6}\Z")
"""Keywords of JWST and Roman that name a reference file."""


FORM = re.compile(r"(\d*)([ABLIJKEDCMXPQ])")
WIDTHS = {"A": 1, "B": 1, "L": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
"""Bytes of one value of each type of a binary table (FITS standard 4.0, table 18)."""

KEYWORDS = frozenset(
    keyword.ljust(8).encode()
    for keyword in (
        *(name for names in (*NAMES.values(), *NUMBERS.values()) for name in names),
        *("S_REGION", "FILTER2", "ASNTABLE", "TIME-OBS", "TIME-BEG"),
        *(f"{name}{n}" for name in ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CROTA") for n in range(1, 5)),
        *(f"{name}{i}_{j}" for name in ("CD", "PC") for i in range(1, 5) for j in range(1, 5)),
    )
)
"""All that is read of a header, as it stands there."""


@dataclass
class Record:
    """One file as the library knows it.

    Attributes
    ----------
    columns : dict
        ObsCore names and a few more; None where the file does not say.
    footprint : Footprint or None
    members : list of (str, str, str)
        Name, role (``member``, ``reference``, ``association``) and step of what it was made of; of an association
        also the products that are made by it (``output``).
    header : bytes
        Cards of the first unit and of the first with data, as they are in the file.
    """

    path: Path
    columns: dict[str, Any] = field(default_factory=dict)
    footprint: Footprint | None = None
    members: list[tuple[str, str, str]] = field(default_factory=list)
    header: bytes = b""


def read_record(path: Path, content: bytes | None = None) -> Record:
    """Read what the library keeps of a file.

    Parameters
    ----------
    content : bytes, optional
        All of the file, where it was read already.

    Raises
    ------
    JvizError
        When the file is broken: the sentence is the reason shown with it.
    """
    stem, suffix = _parts(path)
    record = Record(path, {"suffix": suffix, "obs_id": stem, "calib_level": _level(stem, suffix),
                           "dataproduct_type": TYPES.get(suffix)})  # fmt: skip
    low = path.name.lower()
    if low.endswith((".fits", ".fit", ".fts", ".gz", ".fz")):
        _read_fits(record, content)
    elif low.endswith("_asn.json"):
        _read_association(record)
    return record


def _parts(path: Path) -> tuple[str, str]:
    stem = path.name.partition(".")[0]
    head, _, last = stem.rpartition("_")
    return (head, last.lower()) if head and last.isalnum() and len(last) <= 9 else (stem, "")


def _level(stem: str, suffix: str) -> int | None:
    level = next((level for level, suffixes in LEVELS.items() if suffix in suffixes), None)
    return 2 if level == 3 and re.match(r"jw\d{11}_", stem) else level


def _read_fits(record: Record, content: bytes | None) -> None:
    file = _indexed(record.path, content)
    if file.warnings:
        raise JvizError(file.warnings[0])
    first = file.hdus[0]
    data = next((hdu for hdu in file.hdus if hdu.is_array), next((hdu for hdu in file.hdus if hdu.is_table), first))
    units = [first] if data is first else [first, data]
    headers = [unit.header.some(KEYWORDS, b"R_") for unit in units]
    for column, keywords in NAMES.items():
        record.columns[column] = _text(headers, keywords)
    for column, keywords in NUMBERS.items():
        record.columns[column] = _number(headers, keywords)
    record.columns["filters"] = _filters(headers, record.columns["filters"])
    record.columns["proposal_id"] = (record.columns["proposal_id"] or "").lstrip("0") or None
    _settle(record, data, headers)
    record.members = [*_members(headers), *_table_members(file, content)]
    record.header = b"".join(unit.header.block for unit in units)


def _indexed(path: Path, content: bytes | None) -> FitsFile:
    if content is None:
        with path.open("rb") as stream:
            start = stream.read(8)
    else:
        start = content[:8]
    if not start:
        raise JvizError(f"{path.name} is empty.")
    if content is not None and start.startswith(b"SIMPLE"):
        return FitsFile.indexed(content, path)
    return FitsFile.open(decompressed(path))


def _settle(record: Record, data: Hdu, headers: list[Any]) -> None:
    """Place, time and kind that need more than one keyword."""
    columns = record.columns
    region = _text(headers, ("S_REGION",))
    record.footprint = of_region(region) if region else None
    if record.footprint is None and data.is_array:
        record.footprint = of_wcs(headers[-1], data.shape)
    columns["s_region"] = region
    if record.footprint is not None:
        columns["s_ra"], columns["s_dec"] = record.footprint.middle
    if columns["t_min"] is None and columns["date_obs"]:
        columns["t_min"] = _mjd(columns["date_obs"], _text(headers, ("TIME-OBS", "TIME-BEG")))
    if columns["t_max"] is None and columns["t_min"] is not None:
        columns["t_max"] = columns["t_min"] + (columns["t_exptime"] or 0.0) / 86400
    if columns["dataproduct_type"] is None:
        columns["dataproduct_type"] = _kind(data)


def _kind(data: Hdu) -> str:
    if data.is_array:
        axes = sum(length > 1 for length in data.shape)
        return {1: "spectrum", 2: "image", 3: "cube"}.get(axes, "image" if axes else "header")
    return "measurements" if data.is_table else "header"


def _text(headers: Iterable[Any], keywords: Iterable[str]) -> str | None:
    headers = list(headers)
    for keyword in keywords:
        for header in headers:
            value = header.get(keyword)
            if value is not None and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()
    return None


def _number(headers: Iterable[Any], keywords: Iterable[str]) -> float | None:
    headers = list(headers)
    for keyword in keywords:
        for header in headers:
            value = header.get(keyword)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                return float(value)
    return None


def _filters(headers: list[Any], first: str | None) -> str | None:
    """Put the elements in the light path together: those that are there and not clear."""
    found = [first, *(_text(headers, (keyword,)) for keyword in ("PUPIL", "FILTER2"))]
    names = [name for name in dict.fromkeys(found) if name and not name.upper().startswith(("CLEAR", "NONE", "N/A"))]
    return ";".join(names) or first


def _members(headers: list[Any]) -> Iterable[tuple[str, str, str]]:
    """Yield what a product was made of: reference files, and the association it names."""
    for header in headers:
        for keyword, value in header.items():
            if REFERENCE.match(keyword) and str(value).startswith("crds://"):
                yield value.removeprefix("crds://"), "reference", keyword
    association = _text(headers, ("ASNTABLE",))
    if association and association.upper() not in ("NONE", "SINGLETON"):
        yield association, "association", ""


def _table_members(file: FitsFile, content: bytes | None) -> Iterable[tuple[str, str, str]]:
    """Yield the exposures that a product of stage 3 was made of: the table of their headers names them."""
    for hdu in file.hdus:
        if hdu.what == "binary table" and hdu.name == "HDRTAB":
            start, width = _column(hdu, "FILENAME")
            length, rows = int(hdu.number("NAXIS1", 0)), hdu.shape[0]
            data = content[hdu.start : hdu.start + hdu.size] if content is not None else file.bytes_of(hdu)
            for row in range(rows if width else 0):
                cell = data[row * length + start : row * length + start + width]
                name = cell.split(b"\0")[0].decode("ascii", "ignore").strip()
                if name:
                    yield name, "member", "HDRTAB"


def _column(hdu: Hdu, name: str) -> tuple[int, int]:
    """Return where a column of text begins in a row, and its bytes; 0 bytes when there is none."""
    start = 0
    for number in range(1, hdu.shape[1] + 1):
        match = FORM.match(str(hdu.header.get(f"TFORM{number}", "")).strip())
        if match is None:
            return 0, 0
        repeat, kind = int(match[1] or 1), match[2]
        width = (repeat + 7) // 8 if kind == "X" else repeat * WIDTHS[kind]
        if str(hdu.header.get(f"TTYPE{number}", "")).strip() == name:
            return (start, width) if kind == "A" else (0, 0)
        start += width
    return 0, 0


def _read_association(record: Record) -> None:
    try:
        content = json.loads(record.path.read_bytes())
        products = content["products"]
        record.members = [(str(member["expname"]), "member", str(member.get("exptype", "")))
                          for product in products for member in product.get("members", ())]  # fmt: skip
        record.members += [(str(product["name"]), "output", "") for product in products if product.get("name")]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise JvizError(f"{record.path.name} is no association that can be read: it is broken JSON, or has no "
                        "products.") from None  # fmt: skip
    record.columns["proposal_id"] = str(_of(content, "program") or "").lstrip("0") or None
    record.columns["obs_title"] = _of(content, "asn_rule")


def _of(content: Mapping[str, Any], key: str) -> str | None:
    value = content.get(key)
    return None if value is None else str(value)


def _mjd(date: str, time: str | None) -> float | None:
    """Return the modified Julian day of an ISO date, without astropy: a scan reads thousands."""
    from datetime import UTC, datetime

    text = date if "T" in date or not time else f"{date}T{time}"
    try:
        moment = datetime.fromisoformat(text.strip()[:26])
    except ValueError:
        return None
    return (moment.replace(tzinfo=UTC) - datetime(1858, 11, 17, tzinfo=UTC)).total_seconds() / 86400

"""Text catalogues of programs of photometry: SExtractor's ASCII_HEAD, and DOLPHOT with its file of columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.catalogs.places import FIRST_PIXEL
from jviz.backend.io.fits_tables import NO_MAGNITUDE
from jviz.backend.io.product import Product
from jviz.backend.io.registry import reader
from jviz.backend.io.tables import table_product
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["read_dolphot", "read_sextractor"]

_head = re.compile(rb"#\s+\d+\s+[A-Z][A-Z0-9_]+(\s|$)")
_numbered = re.compile(r"\s*(\d+)\.\s*(.+?)\s*$")
_of_band = re.compile(r"^(.*?),\s*([A-Za-z0-9]+_[A-Za-z0-9]+)$")
_of_exposure = re.compile(r"^(.*?),\s*(\S+)\s*\((.+)\)$")

_OBJECT = (
    ("Extension", "extension", ""), ("Chip", "chip", ""), ("Object X position", "x", "pix"),
    ("Object Y position", "y", "pix"), ("Chi for fit", "chi", ""), ("Signal-to-noise", "snr", ""),
    ("Object sharpness", "sharp", ""), ("Object roundness", "round", ""),
    ("Direction of major axis", "major_axis_angle", ""), ("Crowding", "crowd", "mag"),
    ("Object type", "object_type", ""), ("Pass Detected", "pass_detected", ""),
)  # fmt: skip
_MEASURED = (
    ("Normalized count rate uncertainty", "rate_err", ""), ("Normalized count rate", "rate", ""),
    ("Total counts", "counts", ""), ("Measured counts", "counts", ""), ("Total sky level", "sky", ""),
    ("Measured sky level", "sky", ""), ("Instrumental VEGAMAG magnitude", "vegamag", "mag"),
    ("Instrumental magnitude", "vegamag", "mag"), ("Transformed UBVRI magnitude", "ubvri", "mag"),
    ("Magnitude uncertainty", "vegamag_err", "mag"), ("Chi", "chi", ""), ("Signal-to-noise", "snr", ""),
    ("Sharpness", "sharp", ""), ("Roundness", "round", ""), ("Crowding", "crowd", "mag"),
    ("Photometry quality flag", "flag", ""), ("PSF FWHM", "psf_fwhm", "pix"), ("PSF eccentricity", "psf_ecc", ""),
    ("PSF a parameter", "psf_a", ""), ("PSF b parameter", "psf_b", ""), ("PSF c parameter", "psf_c", ""),
)  # fmt: skip
"""What the words of a .columns file mean, the longer ones first: name here, and unit."""

_WHOLE = ("extension", "chip", "object_type", "pass_detected", "flag")

NO_ERROR = 9.999
"""DOLPHOT writes 99.999 for magnitudes, and 9.999 for their errors, of stars that an image does not measure."""


def _is_sextractor(path: Path, start: bytes) -> bool:
    return _head.match(start.lstrip(b"\r\n")) is not None


@reader("sextractor", title="SExtractor catalogue (ASCII_HEAD)", suffixes=(".cat", ".sex"), sniff=_is_sextractor)
def read_sextractor(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open a catalogue of SExtractor with its header of column numbers, names, descriptions and units.

    Vectors such as MAG_APER become MAG_APER, MAG_APER_1 …; values of 99 of magnitudes and their errors are missing.

    Raises
    ------
    ReadError
        When it is damaged, or a plain ASCII catalogue without its header.
    """
    from astropy.table import Table

    def load() -> Any:
        table = Table.read(path, format="ascii.sextractor", guess=False)
        for name in table.colnames:
            if str(table[name].unit or "") == "pixel":
                table[name].unit = "pix"
        return table

    return table_product(path, "SExtractor catalogue", "a SExtractor catalogue", load)


def _without(column: Any, missing: np.ndarray) -> Any:
    from astropy.table import MaskedColumn

    if not missing.any():
        return column
    about = {"name": column.name, "unit": column.unit, "description": column.info.description}
    return MaskedColumn(np.asarray(column), mask=missing | np.asarray(getattr(column, "mask", False)), **about)


def _columns_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.columns")


def _is_dolphot(path: Path, start: bytes) -> bool:
    if path.name.endswith(".columns"):
        return re.match(rb"\s*1\.\s", start) is not None and b"VEGAMAG" in start
    return b"\0" not in start and _columns_file(path).is_file()


@reader("dolphot", title="DOLPHOT catalogue", suffixes=(".phot", ".columns"), sniff=_is_dolphot)
def read_dolphot(path: Path, *, progress: Progress = silent, exposures: bool = False) -> list[Product]:
    """Open a catalogue of DOLPHOT, whose columns the file beside it with the ending .columns names.

    Columns of a filter begin with its name (``F115W_vegamag``, ``F115W_vegamag_err``, ``F115W_snr`` …), with that of
    the instrument where two have it; 99.999 is missing. Positions are in DOLPHOT's pixels: the middle of
    the first one is 0.5.

    Parameters
    ----------
    exposures : bool
        Take the columns of single exposures too.

    Raises
    ------
    ReadError
        When the .columns file is missing, or does not fit.
    """
    path = path.with_name(path.name.removesuffix(".columns")) if path.name.endswith(".columns") else path
    about = _columns_file(path)
    for needed, what in ((path, "the catalogue"), (about, "the names of its columns")):
        if not needed.is_file():
            raise ReadError(f"{needed.name} is missing, which has {what}; put it beside the other file.")
    return table_product(path, "DOLPHOT catalogue", "a DOLPHOT catalogue", lambda: _dolphot(path, about, exposures))


def _dolphot(path: Path, about: Path, exposures: bool) -> Any:
    from astropy.table import Column, MaskedColumn, Table

    lines = [found.groups() for line in about.read_text("utf-8", errors="replace").splitlines()
             if (found := _numbered.match(line))]  # fmt: skip
    named = {int(number) - 1: _named(text) for number, text in lines}
    chosen = [n for n, (name, _, single) in sorted(named.items()) if name and (exposures or not single)]
    with path.open("rb") as file:
        wide = len(file.readline().split())
    if not chosen or max(named) >= wide:
        raise ValueError(f"{about.name} names {max(named, default=-1) + 1} columns, the catalogue has {wide}")
    values = np.loadtxt(path, usecols=chosen, ndmin=2)
    table = Table(meta={"columns": about.name, FIRST_PIXEL: 0.5})
    names = _unique([named[n][0] for n in chosen])
    about_column = dict(lines)
    for k, (n, name) in enumerate(zip(chosen, names, strict=True)):
        numbers = values[:, k].astype(int) if name.rpartition("_")[2] in _WHOLE or name in _WHOLE else values[:, k]
        missing = _missing(name, numbers)
        kind = MaskedColumn if missing.any() else Column
        mask = {"mask": missing} if missing.any() else {}
        table[name] = kind(numbers, unit=named[n][1] or None, description=about_column[str(n + 1)], **mask)
    return table


def _named(text: str) -> tuple[str, str, bool]:
    """Return name and unit of a column by its words, and whether it is of a single exposure; "" for unknown words."""
    band, exposure = _of_band.match(text), _of_exposure.match(text)
    if exposure:
        what, stem, single = exposure[1], exposure[2], True
    elif band:
        what, stem, single = band[1], band[2], False
    else:
        found = next(((name, unit) for start, name, unit in _OBJECT if text.startswith(start)), ("", ""))
        return (*found, False)
    for start, name, unit in _MEASURED:
        if what.startswith(start):
            return f"{stem}|{name}", unit, single
    return "", "", single


def _unique(names: list[str]) -> list[str]:
    """Name columns by the filter alone (NIRCAM_F115W: F115W) where only one instrument has it."""
    stems = dict.fromkeys(name.partition("|")[0] for name in names if "|" in name)
    short = {stem: stem.partition("_")[2] if re.fullmatch(r"[A-Z0-9]+_F\d+\w+", stem) else stem for stem in stems}
    taken = list(short.values())
    short = {stem: stem if taken.count(name) > 1 else name for stem, name in short.items()}
    return [f"{short[n.partition('|')[0]]}_{n.partition('|')[2]}" if "|" in n else n for n in names]


def _missing(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return np.zeros(len(values), bool)
    bad = ~np.isfinite(values)
    if name.endswith(("vegamag", "ubvri")):
        return bad | (values >= NO_MAGNITUDE)
    return bad | (values >= NO_ERROR) if name.endswith("vegamag_err") else bad

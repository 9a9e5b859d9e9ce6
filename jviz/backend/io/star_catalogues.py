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
_of_source = re.compile(r"^(.*?),\s*(.+)$")
_exposure = re.compile(r"^(\S+)\s*\((?:(\w+),\s*)?[^()]*sec\)$")

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
    ("Instrumental ABMAG magnitude", "abmag", "mag"), ("Instrumental magnitude", "mag", "mag"),
    ("Transformed UBVRI magnitude", "ubvri", "mag"), ("Magnitude uncertainty", "mag_err", "mag"), ("Chi", "chi", ""),
    ("Signal-to-noise", "snr", ""), ("Sharpness", "sharp", ""), ("Roundness", "round", ""),
    ("Crowding", "crowd", "mag"), ("Photometry quality flag", "flag", ""), ("PSF FWHM", "psf_fwhm", "pix"),
    ("PSF eccentricity", "psf_ecc", ""), ("PSF a parameter", "psf_a", ""), ("PSF b parameter", "psf_b", ""),
    ("PSF c parameter", "psf_c", ""),
)  # fmt: skip
"""What the words of a .columns file mean, the longer ones first: name here, and unit."""

_WHOLE = ("extension", "chip", "object_type", "pass_detected", "flag")
_MAGNITUDES = ("vegamag", "abmag", "mag")

NO_ERROR, NO_RATE_ERROR = 9.999, 999.0
"""DOLPHOT writes 99.999 for magnitudes, 9.999 for their errors and some 9999 for those of rates (1 is magnitude 0) of
stars that an image does not measure."""

_FLAG = "1: the aperture reaches off the chip; 2: many bad or saturated pixels; 4: saturated centre; 8: extreme"
"""What the numbers mean that add up to a photometry quality flag (DOLPHOT User's Guide 2.0, section 5.3)."""


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
        return re.match(rb"\s*1\.\s", start) is not None and b"Object X position" in start
    return b"\0" not in start and _columns_file(path).is_file()


@reader("dolphot", title="DOLPHOT catalogue", suffixes=(".phot", ".columns"), sniff=_is_dolphot)
def read_dolphot(path: Path, *, progress: Progress = silent, exposures: bool = False) -> list[Product]:
    """Open a catalogue of DOLPHOT, whose columns the file beside it with the ending .columns names.

    Columns of a filter begin with its name (``F115W_vegamag``, ``F115W_vegamag_err``, ``F115W_snr`` …), with that of
    the instrument where two have it; 99.999 is missing. A filter with a single exposure has the numbers of that one,
    and images of no known instrument have their own (``m31r_mag``). Positions are in DOLPHOT's pixels: the middle of
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
    products = table_product(path, "DOLPHOT catalogue", "a DOLPHOT catalogue", lambda: _dolphot(path, about, exposures))
    products[0].warnings += _several_chips(path.name, products[0].load_object())  # type: ignore[misc]
    return products


def _several_chips(name: str, table: Any) -> list[str]:
    if not {"extension", "chip"} <= set(table.colnames):
        return []
    chips = sorted(set(zip(table["extension"].tolist(), table["chip"].tolist(), strict=True)))
    condition = f"(extension == {chips[0][0]}) & (chip == {chips[0][1]})" if chips else ""
    said = f"{name}: x and y count on each of its {len(chips)} chips; for the image of one show rows with {condition}."
    return [said] if len(chips) > 1 else []


def _dolphot(path: Path, about: Path, exposures: bool) -> Any:
    from astropy.table import Column, MaskedColumn, Table

    lines = [found.groups() for line in about.read_text("utf-8", errors="replace").splitlines()
             if (found := _numbered.match(line))]  # fmt: skip
    texts = {int(number) - 1: text for number, text in lines}
    named = _named(texts, exposures)
    with path.open("rb") as file:
        wide = len(file.readline().split())
    if not named or max(texts) >= wide:
        raise ValueError(f"{about.name} names {max(texts, default=-1) + 1} columns, the catalogue has {wide}")
    values = np.loadtxt(path, usecols=list(named), ndmin=2)
    table = Table(meta={"columns": about.name, FIRST_PIXEL: 0.5})
    for k, (n, (name, unit)) in enumerate(named.items()):
        whole = name.rpartition("_")[2] in _WHOLE or name in _WHOLE
        numbers = values[:, k].astype(int) if whole else values[:, k]
        missing = _missing(name, numbers)
        kind = MaskedColumn if missing.any() else Column
        mask = {"mask": missing} if missing.any() else {}
        said = f"{texts[n]}; {_FLAG}" if name.endswith("_flag") else texts[n]
        table[name] = kind(numbers, unit=unit or None, description=said, **mask)
    return table


def _named(texts: dict[int, str], exposures: bool) -> dict[int, tuple[str, str]]:
    """Return the columns to take, by number: their names and units. What has unknown words is left out."""
    split = {n: found.groups() for n, text in texts.items() if (found := _of_source.match(text)) and _meaning(found[1])}
    stems = _stems({source for what, source in split.values() if what.startswith("Measured")},
                   {source for what, source in split.values() if what.startswith("Total")}, exposures)  # fmt: skip
    magnitudes = {source: _meaning(what)[0] for what, source in split.values() if _meaning(what)[0] in _MAGNITUDES}
    made: dict[int, tuple[str, str]] = {}
    for n, text in sorted(texts.items()):
        if n in split:
            what, source = split[n]
            name, unit = _meaning(what)
            if source in stems:
                name = f"{magnitudes.get(source, 'mag')}_err" if name == "mag_err" else name
                made[n] = (f"{stems[source]}_{name}", unit)
        elif found := next(((name, unit) for start, name, unit in _OBJECT if text.startswith(start)), None):
            made[n] = found
    return made


def _meaning(what: str) -> tuple[str, str] | None:
    return next(((name, unit) for start, name, unit in _MEASURED if what.startswith(start)), None)


def _stems(measured: set[str], together: set[str], exposures: bool) -> dict[str, str]:
    """Return with what the names of columns begin, by the images or filters that are taken.

    DOLPHOT combines the exposures of a filter only where there are several.
    """
    bands = {source: source for source in together}
    filters = {source: (_exposure.match(source) or (None, None, None))[2] for source in measured}
    known = [_short(source) for source in together]
    single: dict[str, str] = {}
    for source in sorted(measured):
        band, alike = filters[source], [s for s in measured if filters[s] and filters[s] == filters[source]]
        if band and len(alike) == 1 and _short(band) not in known:
            bands[source] = band
        elif exposures or not band or _short(band) not in known:
            found = _exposure.match(source)
            single[source] = found[1] if found else source.replace(" ", "_")
    short = [_short(band) for band in bands.values()]
    made = {source: _short(band) if short.count(_short(band)) == 1 else band for source, band in bands.items()}
    return made | single


def _short(band: str) -> str:
    """Return the filter alone: NIRCAM_F115W is F115W."""
    return band.partition("_")[2] if re.fullmatch(r"[A-Z0-9]+_F\d+\w+", band) else band


def _missing(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return np.zeros(len(values), bool)
    bad = ~np.isfinite(values)
    if name.endswith(("mag", "ubvri")):
        return bad | (values >= NO_MAGNITUDE)
    if name.endswith("mag_err"):
        return bad | (values >= NO_ERROR)
    return bad | (values >= NO_RATE_ERROR) if name.endswith("rate_err") else bad

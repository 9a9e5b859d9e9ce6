"""Vega magnitudes: how far they are from AB magnitudes in a filter."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.asdf_plugins import asdf_library
from jviz.backend.photometry.fluxes import AB_ZERO
from jviz.errors import CommandError

__all__ = ["filter_of", "missing", "offset_of", "read_offsets"]

_FILTER = re.compile(r"F\d{3,4}(W2|LP|[WMNCX])")


def filter_of(header: Mapping[str, Any]) -> str:
    """Return the filter that shapes the band of an image, ``""`` where none is stated.

    Narrow filters of NIRCam, and half of NIRISS', sit in the pupil wheel; ACS has two wheels.
    """
    for name in ("PUPIL", "FILTER", "FILTER1", "FILTER2"):
        value = str(header.get(name) or "").strip().upper()
        if _FILTER.fullmatch(value):
            return value
    return ""


@cache
def _known() -> dict[tuple[str, str, str, str], float]:
    text = resources.files("jviz.resources").joinpath("vega.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {(r["telescope"], r["instrument"], r["detector"], r["filter"]): float(r["jansky"]) for r in rows}


def offset_of(header: Mapping[str, Any], given: Any = None) -> tuple[float, str]:
    """Return m(AB) − m(Vega) in the filter of an image, and where it is from; NaN where it is not known.

    Parameters
    ----------
    header : mapping
        TELESCOP, INSTRUME, DETECTOR, FILTER, PUPIL as JWST and HST have them.
    given : float or Table, optional
        The difference, or a table from `read_offsets`; by default that of the filter.

    Raises
    ------
    CommandError
        When the table has none for the filter.
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        if not np.isfinite(given):
            raise CommandError(f"A difference of {given} between AB and Vega magnitudes is none; give a number.")
        return float(given), f"m(AB) − m(Vega) = {given:g}"
    if given is not None:
        return _of_table(given, header)
    telescope, instrument, detector = (str(header.get(n) or "").strip().upper()
                                       for n in ("TELESCOP", "INSTRUME", "DETECTOR"))  # fmt: skip
    band = filter_of(header)
    for chip in ("", detector, detector[:4]):
        flux = _known().get((telescope, instrument, chip, band))
        if flux is not None:
            source = "CALSPEC, JDox" if instrument == "NIRISS" else "SVO"
            return float(2.5 * np.log10(AB_ZERO / flux)), f"Vega has {flux:g} Jy in {band} ({source})"
    return float("nan"), f"no Vega zero point is known for {band or 'its filter'}"


def missing(header: Mapping[str, Any]) -> str:
    """Return a sentence for images of FGS, and of NIRISS without a filter, that have no zero point; else ``""``."""
    telescope, instrument = (str(header.get(n) or "").strip().upper() for n in ("TELESCOP", "INSTRUME"))
    if telescope != "JWST" or instrument not in ("NIRISS", "FGS") or np.isfinite(offset_of(header)[0]):
        return ""
    band = f"{instrument} {filter_of(header)}".strip()
    why = ", which has no filters" if instrument == "FGS" else ""
    return (
        f"no Vega magnitudes: no documented Vega zero point of {band} is known to jviz{why}; give vega=, a number or "
        "an ABVEGAOFFSET reference file"
    )


def read_offsets(path: Path) -> Any:
    """Read a table of differences: an ABVEGAOFFSET reference file of JWST (ASDF), or any table with abvega_offset.

    Raises
    ------
    CommandError
        When it cannot be read, or has no such column.
    """
    from astropy.table import Table

    path = Path(path).expanduser()
    if not path.exists():
        raise CommandError(f"There is no file {path}; give a table of Vega offsets, or a number.")
    try:
        table = _of_asdf(path) if path.suffix.lower() == ".asdf" else Table.read(path)
    except Exception as error:  # of whichever of the many readers of tables
        raise CommandError(f"{path.name} cannot be read as a table of Vega offsets: {error}") from error
    return checked(table, path.name)


def _of_asdf(path: Path) -> Any:
    asdf = asdf_library()
    from astropy.table import Table

    with asdf.open(path, memmap=False, lazy_load=False, ignore_unrecognized_tag=True) as file:
        found = file.tree.get("abvega_offset", file.tree.get("roman", {}))
        columns = found.colnames if hasattr(found, "colnames") else list(found)
        return Table({name: np.asarray(found[name]) for name in columns})


def checked(table: Any, name: str) -> Any:
    """Return a table with columns in lower case after looking whether it has what is needed."""
    from astropy.table import Table

    table = Table({column.lower(): np.asarray(table[column]) for column in table.colnames})
    if "abvega_offset" not in table.colnames:
        raise CommandError(f"{name} has no column abvega_offset; it has {', '.join(table.colnames)}.")
    return table


def _of_table(table: Any, header: Mapping[str, Any]) -> tuple[float, str]:
    from jviz.backend.photometry.corrections import rows_for

    rows = rows_for(table, header, what="Vega offset")
    return float(np.asarray(rows["abvega_offset"], float)[0]), "the table of Vega offsets"

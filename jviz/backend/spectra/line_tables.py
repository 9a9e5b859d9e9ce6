"""Lists of spectral lines of a user's own: from the columns of a table to names and wavelengths in vacuum."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.spectra.conventions import made_axis
from jviz.backend.spectra.naming import plain_name
from jviz.backend.spectra.units import Scale, convert_axis, quantity_of
from jviz.errors import CommandError, ReadError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["MOST_LINES", "lines_of_file", "lines_of_table"]

MOST_LINES = 5000
_NAMES = ("NAME", "LINE", "LINE NAME", "LINE_NAME", "LINENAME", "ION", "SPECIES", "ID", "TRANSITION", "LABEL", "TITLE")
_PLACES = ("WAVELENGTH", "REST VALUE", "REST_VALUE", "WAVE", "LAMBDA", "LAM", "REST", "RESTWAVE", "REST_WAVELENGTH",
           "WREST", "FREQUENCY", "FREQ", "ENERGY", "WAVENUMBER")  # fmt: skip
_UNITS = ("UNIT", "UNITS", "WAVELENGTH UNIT")


def lines_of_file(path: Path, *, unit: str = "", medium: str = "") -> tuple[tuple[str, float], ...]:
    """Read lines from a table in a file; see `lines_of_table`.

    Raises
    ------
    ReadError
        When the file cannot be read, or is no table.
    CommandError
        When its columns are no lines.
    """
    from jviz.backend.io.registry import open_products

    [product, *_] = open_products(path)
    if product.load_object is None or product.kind not in ("catalog", "spectrum"):
        raise ReadError(f"{path.name} is no table; give one with a column of names and one of wavelengths.")
    return lines_of_table(product.load_object(), path.name, unit=unit, medium=medium)


def lines_of_table(table: Table, what: str, *, unit: str = "", medium: str = "") -> tuple[tuple[str, float], ...]:
    """Return the lines of a table: names and wavelengths in vacuum, in m, by rising wavelength.

    Parameters
    ----------
    table : Table
        With a column of texts, and one of wavelengths, frequencies or energies at rest (else the first with numbers);
        their unit may be in its header, in its name, or in a column of units, one for each row.
    what : str
        The file, for messages.
    unit : str
        Of the places; by default as the table says, else by the size of the values.
    medium : str
        "air" or "vacuum"; by default air where the name of the column says so (``wave_air``), else vacuum.
    """
    keys = {name: plain_name(name) for name in table.colnames}
    place = _chosen(table, keys, _PLACES, "fiu")
    if place is None:
        raise CommandError(f"{what} has no column with numbers; a list of lines needs one of wavelengths.")
    title = _chosen(table, keys, _NAMES, "US")
    values = _numbers(table[place])
    names = [str(text).strip() for text in table[title]] if title else [f"{value:g}" for value in values]
    units = _units(table, keys, place, unit)
    if "AIR" in place.upper() and not medium:
        medium = "air"
    found = []
    for said in dict.fromkeys(units):
        chosen = np.array([one == said for one in units]) & np.isfinite(values) & (values > 0)
        waves = _in_vacuum(values[chosen], said, plain_name(place)[0], medium, what)
        found += [(name, float(wave)) for name, wave in zip(np.array(names)[chosen], waves, strict=True)]
    if not found:
        raise CommandError(f"{what} has no line with a wavelength above 0.")
    if len(found) > MOST_LINES:
        raise CommandError(f"{what} has {len(found):,} lines; take a list of {MOST_LINES:,} at most.")
    return tuple(sorted(((str(name), wave) for name, wave in found), key=lambda line: line[1]))


def _chosen(table: Table, keys: dict[str, tuple[str, str]], wanted: tuple[str, ...], kinds: str) -> str | None:
    """Return the column of one of these names, else the first one of those kinds of values."""
    usable = [name for name in table.colnames if _plain(table[name]).dtype.kind in kinds and table[name].ndim == 1]
    # wave_vac and wave_air, too; vacuum first
    for end in ("", "_VAC", "_AIR"):
        for word in wanted:
            if (hit := next((name for name in usable if keys[name][0] == word + end), None)) is not None:
                return hit
    return next((name for name in usable if keys[name][0] not in _UNITS), None)


def _plain(column: Any) -> np.ndarray:
    return np.asarray(getattr(column, "value", column))


def _numbers(column: Any) -> np.ndarray:
    values = getattr(column, "value", column)
    mask = np.asarray(getattr(values, "mask", False))
    plain = np.asarray(getattr(values, "unmasked", getattr(values, "data", values)), float)
    return np.where(mask, np.nan, plain)


def _units(table: Table, keys: dict[str, tuple[str, str]], place: str, unit: str) -> list[str]:
    """Return the unit of each row."""
    said = unit or str(getattr(table[place], "unit", None) or "") or keys[place][1]
    column = next((name for name in table.colnames if keys[name][0] in _UNITS), None)
    if said or column is None:
        return [said] * len(table)
    return [str(text).strip() for text in table[column]]


def _in_vacuum(values: np.ndarray, unit: str, label: str, medium: str, what: str) -> np.ndarray:
    axis, _ = made_axis(values, unit, label, {})
    if quantity_of(axis["unit"])[0] in ("velocity", "channel"):
        raise CommandError(f"{what}: places of lines in {unit or 'no unit'} are no wavelengths; say the unit, as 'um'.")
    source = Scale(axis["unit"], axis["quantity"], medium if axis["quantity"] == "wavelength" else "")
    return convert_axis(values, source, Scale("m", "wavelength", "vacuum"))

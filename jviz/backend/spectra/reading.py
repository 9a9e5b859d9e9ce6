"""Spectra of files: tables of FITS and text, and arrays with an axis, as `Samples`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.product import Meaning, Plane
from jviz.backend.io.survey_files import is_spex, row_roles
from jviz.backend.progress import Progress
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.columns import Column, samples_of_columns
from jviz.backend.spectra.conventions import flux_unit, made_axis, mask_of_flags, meta_of, unit_within
from jviz.backend.spectra.dispersion import dispersion_axes
from jviz.backend.spectra.samples import Samples, UncertaintyKind
from jviz.backend.spectra.tables import split_unit
from jviz.errors import ReadError

__all__ = ["samples_of_planes", "samples_of_table", "samples_of_tables"]

_KINDS: dict[str, UncertaintyKind] = {"error": "std", "variance": "var", "inverse variance": "ivar"}
_RELATIVE = ("RELATIVE_ERROR", "INPUT_SIGMA")
_PARTS = ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "VAR_DARK")


def samples_of_tables(path: Path, indices: Sequence[int], dialect: str = "") -> tuple[Samples, ...]:
    """Read the spectra of one or many tables of a FITS file, each table opened once.

    Parameters
    ----------
    indices : sequence of int
        Numbers of the extensions.
    dialect : str
        Which bits their flags have.

    Raises
    ------
    ReadError
        When a table is damaged or is no spectrum.
    """
    from astropy.io import fits

    found: list[Samples] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units outside of the standard are kept as text
            with fits.open(decompressed(path), memmap=True) as units:
                primary = dict(units[0].header)
                for index in indices:
                    header = {**primary, **units[index].header}
                    name = _table_name(header) if len(indices) > 1 else ""
                    what = f"Table {index} of {path.name}"
                    found += samples_of_columns(_columns(units[index]), header, dialect=dialect, name=name, what=what)
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise ReadError(
            f"The spectra of {path.name} cannot be read: {error}. Look at its header, or fetch the file again."
        ) from error
    return _told_apart(found)


def _columns(hdu: Any) -> dict[str, Column]:
    rows, columns = hdu.data, {}
    for definition in hdu.columns:
        values = np.asarray(rows[definition.name])
        if values.dtype.kind in "biufUS" and values.ndim in (1, 2):
            native = values if values.dtype.kind == "U" else values.astype(values.dtype.newbyteorder("="))
            columns[definition.name] = Column(native, str(definition.unit or "").strip())
    return columns


def _table_name(header: Mapping[str, Any]) -> str:
    """Name a table after its source, slit or order, as the JWST pipeline writes them."""
    words = []
    if header.get("SOURCEID") is not None:
        words.append(f"source {header['SOURCEID']}")
    elif str(header.get("SLTNAME", "")).strip():
        words.append(str(header["SLTNAME"]).strip())
    if header.get("SPORDER") not in (None, 0):
        words.append(f"order {header['SPORDER']}")
    if header.get("INT_NUM") is not None:
        words.append(f"integration {header['INT_NUM']}")
    return " ".join(words)


def _told_apart(found: list[Samples]) -> tuple[Samples, ...]:
    """Give numbers to spectra of one name."""
    names = [one.name for one in found]
    if len(set(names)) == len(names):
        return tuple(found)
    seen: dict[str, int] = {}
    result = []
    for one in found:
        seen[one.name] = seen.get(one.name, 0) + 1
        repeated = names.count(one.name) > 1
        result.append(replace(one, name=f"{one.name} #{seen[one.name]}".strip()) if repeated else one)
    return tuple(result)


def samples_of_table(table: Any, header: Mapping[str, Any], what: str) -> tuple[Samples, ...]:
    """Take the spectra of an astropy table; columns without names go by their order."""
    columns = {}
    for name in table.colnames:
        column = table[name]
        unit = getattr(column, "unit", None)
        text = unit.to_string() if unit is not None else (column.info.meta or {}).get("unit", "")
        values = getattr(column, "value", column)
        values = _without_mask(values)
        plain, said = split_unit(name)
        if values.ndim in (1, 2):
            columns[plain] = Column(values, str(text or said))
    if list(columns)[:2] == ["col1", "col2"]:
        names = ("wavelength", "flux", "error")
        columns = dict(zip(names, columns.values(), strict=False))
    return samples_of_columns(columns, {**dict(table.meta), **header}, what=what)


def _without_mask(values: Any) -> np.ndarray:
    """Return values of a column, NaN where they are missing: of numpy's masked arrays and of astropy's."""
    mask = np.asarray(getattr(values, "mask", False))
    plain = np.asarray(getattr(values, "unmasked", getattr(values, "data", values)))
    if not mask.any():
        return plain
    if plain.dtype.kind in "iu":
        plain = plain.astype(float)
    return np.where(mask, np.nan, plain) if plain.dtype.kind == "f" else np.asarray(np.ma.filled(values))


def samples_of_planes(
    planes: Mapping[str, Plane],
    header: Mapping[str, Any],
    *,
    dialect: str = "",
    names: Sequence[str] = (),
    what: str = "",
) -> tuple[Samples, ...]:
    """Make the spectra of arrays: the first plane with its companions, along the last axis.

    Parameters
    ----------
    planes : mapping
        The first is the flux, shape (n,), (spectra, n) or IRAF's (bands, spectra, n).
    names : sequence of str
        Of the rows.

    Raises
    ------
    ReadError
        When the header gives wavelengths in a way that jviz does not know.
    """
    first = next(iter(planes.values()))
    flux = np.asarray(first.read(), float)
    if flux.ndim == 2 and (roles := row_roles(header)) and len(flux) > max(roles):
        planes = _planes_of_rows(first, roles) | _wavelengths_of_rows(first, header)
        first = planes["data"]
        flux = np.asarray(first.read(), float)
    bands = flux.reshape(-1, *flux.shape[-2:]) if flux.ndim > 2 else flux[np.newaxis]
    rows = np.atleast_2d(bands[0])
    axes = _axes(planes, header, rows.shape, what)
    uncertainty, kind = _uncertainty(planes, first.shape)
    if uncertainty is None and (error := _iraf_sigma(bands, header)) is not None:
        uncertainty, kind = error, "std"
    flags, mask = _flags(planes, first.shape, dialect, header)
    if kind == "ivar" and uncertainty is not None and (uncertainty == 0).any():  # no information, as in tables
        mask = uncertainty == 0 if mask is None else mask | (uncertainty == 0)
    labels = list(names) if len(names) == len(rows) else _numbered(rows)
    meta, unit = meta_of(header), flux_unit(first.unit, header)

    def row(values: np.ndarray | None, number: int) -> np.ndarray | None:
        return None if values is None else np.atleast_2d(values)[number]

    return tuple(
        _dropped(
            Samples(axes[n], rows[n], unit, row(uncertainty, n), kind, row(mask, n), row(flags, n),
                    name=labels[n], meta=meta)
        )
        for n in range(len(rows))
    )  # fmt: skip


def _planes_of_rows(plane: Plane, roles: Mapping[int, Meaning]) -> dict[str, Plane]:
    """Take the rows of an array as the planes of one spectrum, the values first."""
    by_meaning = {meaning: number for number, meaning in roles.items()}
    order = sorted(by_meaning, key=lambda meaning: meaning != "data")
    names = {meaning: "MASK" if meaning == "flags" else meaning for meaning in order}
    return {meaning: _row_of(plane, by_meaning[meaning], names[meaning], meaning) for meaning in order}


def _wavelengths_of_rows(plane: Plane, header: Mapping[str, Any]) -> dict[str, Plane]:
    """Take the first row as the wavelengths, where the file has them there."""
    if not is_spex(header):
        return {}
    return {"WAVELENGTH": replace(_row_of(plane, 0, "WAVELENGTH", "other"), unit=str(header["XUNITS"]).strip())}


def _row_of(plane: Plane, number: int, name: str, meaning: Meaning) -> Plane:
    def load(progress: Progress) -> np.ndarray:
        return plane.raw(progress)[number]

    return replace(plane, name=name, shape=plane.shape[-1:], load=load, meaning=meaning, _raw=None)


def _numbered(rows: np.ndarray) -> list[str]:
    return [""] if len(rows) == 1 else [f"row {number}" for number in range(1, len(rows) + 1)]


def _axes(
    planes: Mapping[str, Plane], header: Mapping[str, Any], shape: tuple[int, int], what: str
) -> Sequence[SpectralAxis]:
    plane = next((p for p in planes.values() if _is_axis(p, shape)), None)
    if plane is None:
        return dispersion_axes(header, shape, what)
    values = np.asarray(plane.read(), float)
    made = [made_axis(row, unit_within(plane.unit), "WAVELENGTH", header) for row in np.atleast_2d(values)]
    axes = [SpectralAxis(**arguments, notes=notes) for arguments, notes in made]
    return axes * shape[0] if len(axes) == 1 else axes


def _is_axis(plane: Plane, shape: tuple[int, int]) -> bool:
    name = plane.name.upper()
    named = any(word in name for word in ("WAVELENGTH", "WAVE", "LAMBDA", "LOGLAM"))
    return named and plane.shape in ((shape[1],), shape)


def _uncertainty(planes: Mapping[str, Plane], shape: tuple[int, ...]) -> tuple[np.ndarray | None, UncertaintyKind]:
    for meaning, kind in _KINDS.items():
        found = [p for p in planes.values() if p.meaning == meaning and p.shape == shape]
        whole = [p for p in found if p.name not in _PARTS]
        if whole:
            return np.asarray(whole[0].read(), float), kind
        if found:  # independent parts of the variance
            return sum(np.asarray(p.read(), float) for p in found), kind  # type: ignore[return-value]
    return _derived_uncertainty(planes, shape)


def _derived_uncertainty(
    planes: Mapping[str, Plane], shape: tuple[int, ...]
) -> tuple[np.ndarray | None, UncertaintyKind]:
    """Work out errors that a file has in another form: parts of the flux (GALAH), diagonals of covariances (PFS)."""
    relative = next((p for p in planes.values() if p.name.upper() in _RELATIVE and p.shape == shape), None)
    if relative is not None:
        flux = np.asarray(next(iter(planes.values())).read(), float)
        return np.abs(flux) * np.asarray(relative.read(), float), "std"
    covariance = planes.get("COVAR")
    if covariance is not None and covariance.shape == (*shape[:-1], 3, shape[-1]):
        return np.asarray(covariance.read(), float)[..., 0, :], "var"
    return None, ""


def _iraf_sigma(bands: np.ndarray, header: Mapping[str, Any]) -> np.ndarray | None:
    """Return the band that IRAF's apall calls sigma (BANDID4 by default)."""
    for number in range(1, len(bands) + 1):
        if str(header.get(f"BANDID{number}", "")).lower().startswith("sigma"):
            return bands[number - 1]
    return None


def _flags(
    planes: Mapping[str, Plane], shape: tuple[int, ...], dialect: str, header: Mapping[str, Any]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    plane = next((p for p in planes.values() if p.meaning == "flags" and p.shape == shape), None)
    if plane is None:
        return None, None
    values = np.asarray(plane.read()).astype(np.int64)
    is_mask = "MASK" in plane.name.upper() or plane.name.upper().endswith(("BPM", "BADPIX"))
    return values, values != 0 if is_mask else mask_of_flags(values, dialect, header)


def _dropped(samples: Samples) -> Samples:
    """Drop samples without a wavelength."""
    keep = np.isfinite(samples.axis.values)
    if keep.all():
        return samples
    parts = {
        what: None if (values := getattr(samples, what)) is None else values[keep]
        for what in ("flux", "uncertainty", "mask", "flags")
    }
    return replace(samples, axis=replace(samples.axis, values=samples.axis.values[keep]), **parts)

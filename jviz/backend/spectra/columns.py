"""Spectra from columns of tables, by the names that pipelines give to their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from jviz.backend.io.survey_files import roles_of_units
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.conventions import flux_unit, made_axis, mask_of_flags, meta_of
from jviz.backend.spectra.naming import named_columns
from jviz.backend.spectra.samples import Samples, UncertaintyKind
from jviz.errors import ReadError

__all__ = ["AXES", "FLUXES", "Column", "samples_of_columns"]

AXES = ("WAVELENGTH", "WAVE", "LAMBDA", "LAM", "SPECTRAL_AXIS", "WAVELENGTHS", "FREQUENCY", "FREQ", "ENERGY",
        "WAVENUMBER", "VELOCITY", "LOGLAM", "LOGLAMBDA", "LOG_LAMBDA", "WLEN", "WL", "AWAV", "CHANNEL")  # fmt: skip
FLUXES = ("FLUX", "FLUX_REDUCED", "SPECTRUM", "FLUX_DENSITY", "SURF_BRIGHT", "FLAM", "FNU", "COUNTS", "INTENSITY",
          "DATA", "FLUXES", "NET", "COADD", "MODEL_FLUX")  # fmt: skip
_ERRORS: tuple[tuple[UncertaintyKind, tuple[str, ...]], ...] = (
    ("std", ("{0}_ERROR", "{0}_ERR", "ERR_{0}", "{0}ERR", "ERROR", "ERR", "SIGMA", "STD",
             "{0}_UNCERTAINTY", "E_{0}", "E{0}", "ENU", "{0}_SIGMA", "ERRORS", "NOISE")),
    ("var", ("{0}_VAR", "{0}_VARIANCE", "{0}VARIANCE", "VAR", "VARIANCE")),
    ("ivar", ("{0}_IVAR", "IVAR", "INVVAR")),
    ("std", ("UNCERTAINTY",)),
)  # fmt: skip
_FLAGS = ("DQ", "QUALITY", "QUAL", "AND_MASK", "FLAGS", "QUALITY_FLAG", "PIXEL_FLAGS")
_MASKS = ("MASK", "BAD", "BADPIX")
# jwst_pipeline: schemas of MultiSpecModel, WFSSMultiSpecModel, TSOMultiSpecModel; STIS and IUE data handbooks
_LABELS = {"NAME": "{}", "SOURCE_ID": "source {}", "INT_NUM": "integration {}", "SPORDER": "order {}",
           "ORDER": "order {}", "SEGMENT": "{}", "TARGETID": "{}", "APERTURE": "{}", "MJD": "MJD {}"}  # fmt: skip
_STEPS = ("DELTAW", "DELTA", "STEP")
_LENGTHS = ("N_ALONGDISP", "NELEM", "NELEMENTS", "NPOINTS")


@dataclass(frozen=True)
class Column:
    """Values of a column, shape (rows,) or (rows, n), with the text of its unit."""

    values: np.ndarray
    unit: str = ""


def samples_of_columns(
    columns: Mapping[str, Column], header: Mapping[str, Any], *, dialect: str = "", name: str = "", what: str = ""
) -> tuple[Samples, ...]:
    """Make the spectra of a table.

    Parameters
    ----------
    columns : mapping
        In the order of the file. Scalars: one row for each channel. Vectors: one row for each spectrum.
    header : mapping
        Keywords of the table over those of its file.
    dialect : str
        Which bits its flags have, a key of `jviz.backend.dq.DIALECTS`.
    name : str
        Of the spectrum, or what names of several begin with.
    what : str
        The file, for messages.

    Raises
    ------
    ReadError
        When it has no column of wavelengths or none of fluxes.
    """
    named, header = _named(columns, header)
    axis, flux = _found(named, AXES), _flux_name(named)
    if axis is None and flux is not None and (made := _of_header(header, named[flux].values.shape)) is not None:
        named["WAVELENGTH"], axis = made, "WAVELENGTH"
    if axis is None or flux is None:
        named = _by_units(named)
        axis, flux = _found(named, AXES), _flux_name(named)
    if axis is None or flux is None:
        missing = "wavelengths" if axis is None else "fluxes"
        raise ReadError(
            f"{what or 'The table'} has no column of {missing} among {', '.join(columns)[:200]}; "
            "rename one to wavelength or flux, or open the file as a table."
        )
    table = _Table(_as_rows(named, axis, flux), axis, flux, header, dialect, name)
    return tuple(table.samples())


def _named(columns: Mapping[str, Column], header: Mapping[str, Any]) -> tuple[dict[str, Column], Mapping[str, Any]]:
    """Return the columns by the names that they go by here, with the units that only their names tell."""
    naming = named_columns(columns, header)
    named = {}
    for key, column in columns.items():
        values = column.values
        if key in naming.good and values.dtype.kind in "biuf":
            values = values == 0
        elif naming.names[key] == "MASK" and values.dtype.kind == "f":
            values = values != 0  # LAMOST writes its flags as floats
        named[naming.names[key]] = Column(values, column.unit or naming.units.get(key, ""))
    return named, {**header, **naming.cards}


def _of_header(header: Mapping[str, Any], shape: tuple[int, ...]) -> Column | None:
    """Return the logarithmic wavelengths that SDSS-V's mwmVisit tables have in their headers."""
    keywords = [header.get(keyword) for keyword in ("CRVAL", "CDELT", "NPIXELS")]
    if str(header.get("CTYPE", "")).strip().upper() != "LOG-LINEAR" or None in keywords or shape[-1] != keywords[2]:
        return None
    waves = 10.0 ** (float(keywords[0]) + float(keywords[1]) * np.arange(shape[-1]))
    return Column(np.broadcast_to(waves, shape), "Angstrom")


def _as_rows(named: Mapping[str, Column], axis: str, flux: str) -> Mapping[str, Column]:
    """Turn a table with a row for each wavelength and vectors of several spectra, as specutils writes them."""
    waves, shape = named[axis].values, named[flux].values.shape
    steps = np.diff(waves) if waves.ndim == 1 else np.zeros(0)
    rises = len(steps) > 0 and bool((steps > 0).all() or (steps < 0).all())
    if len(shape) != 2 or not rises or any(name in named for name in (*_STEPS, *_LENGTHS)):
        return named
    turned = {k: Column(c.values.T, c.unit) for k, c in named.items() if c.values.shape == shape}
    return turned | {axis: Column(np.broadcast_to(waves, shape[::-1]), named[axis].unit)}


def _by_units(named: Mapping[str, Column]) -> dict[str, Column]:
    """Name the columns of a table whose names tell nothing by their units."""
    roles = roles_of_units([column.unit for column in named.values()])
    return dict(zip(roles, named.values(), strict=False)) | {k: named[k] for k in list(named)[len(roles) :]}


def _found(named: Mapping[str, Column], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in named and named[name].values.dtype.kind in "fiu"), None)


def _flux_name(named: Mapping[str, Column]) -> str | None:
    """Take the first column of fluxes that has any: x1d files may have zeros in FLUX and values in SURF_BRIGHT."""
    present = [n for n in FLUXES if n in named and named[n].values.dtype.kind in "fiu"]
    filled = [n for n in present if np.any(np.nan_to_num(named[n].values))]
    return next(iter(filled or present), None)


def _error_name(named: Mapping[str, Column], flux: str) -> tuple[str, UncertaintyKind]:
    patterns = _ERRORS
    if flux == "SURF_BRIGHT":
        patterns = (("std", ("SB_ERROR",)), *patterns)
    for kind, names in patterns:
        for pattern in names:
            if (name := pattern.format(flux)) in named and name != flux:
                return name, kind
    return "", ""


@dataclass(frozen=True)
class _Table:
    named: Mapping[str, Column]
    axis: str
    flux: str
    header: Mapping[str, Any]
    dialect: str
    name: str

    def samples(self) -> Iterator[Samples]:
        if self.named[self.flux].values.ndim == 1:
            flat = {key: c.values for key, c in self.named.items() if c.values.ndim == 1}
            for name, rows in self._parts():
                yield self._one({key: values[rows] for key, values in flat.items()}, name)
            return
        rows = len(self.named[self.flux].values)
        for row, label in zip(range(rows), self._labels(rows), strict=True):
            yield self._one(self._row(row), label)

    def _parts(self) -> Iterator[tuple[str, slice]]:
        """Part a table with a row for each sample where the name of the spectrum changes."""
        names = self.named["NAME"].values if "NAME" in self.named else np.zeros(0)
        starts = np.flatnonzero(names[1:] != names[:-1]) + 1 if names.ndim == 1 else np.zeros(0, int)
        if not len(starts) or len(np.unique(names)) != len(starts) + 1:
            yield self.name, slice(None)
            return
        for start, end in pairwise([0, *starts, len(names)]):
            yield f"{self.name} {names[start]}".strip(), slice(start, end)

    def _labels(self, rows: int) -> list[str]:
        """Name the rows after what tells them apart."""
        if rows == 1:
            return [self.name]
        parts = [self._label(key, text) for key, text in _LABELS.items() if key in self.named and self._tells(key)]
        names = [" ".join(filter(None, words)) for words in zip(*parts, strict=True)] or [""] * rows
        if len(set(names)) < rows:
            names = [f"{text} row {number}".strip() for number, text in enumerate(names, 1)]
        return [f"{self.name} {text}".strip() for text in names]

    def _tells(self, key: str) -> bool:
        values = self.named[key].values
        return values.ndim == 1 and len(np.unique(values)) > 1

    def _label(self, key: str, text: str) -> list[str]:
        return [text.format(str(value).strip()) for value in self.named[key].values]

    def _row(self, row: int) -> dict[str, np.ndarray]:
        flux = self.named[self.flux].values[row]
        length = next((int(self.named[k].values[row]) for k in _LENGTHS if k in self.named), len(flux))
        taken = {}
        for key, column in self.named.items():
            value = column.values[row]
            if np.ndim(value) == 1 and len(value) == len(flux):
                taken[key] = value[: length or None]
            elif key == self.axis and np.ndim(value) == 0:
                # IUE and its kin: the first wavelength and the step stand for the column
                step = next((self.named[k].values[row] for k in _STEPS if k in self.named), 1.0)
                taken[key] = (value + step * np.arange(len(flux)))[: length or None]
        return taken

    def _one(self, row: Mapping[str, np.ndarray], name: str) -> Samples:
        values = np.asarray(row[self.axis], float)
        notes: tuple[str, ...] = ()
        keep = np.isfinite(values)
        if "LOG" in self.axis:
            values = 10.0**values
        elif self.axis in ("WAVELENGTH", "WAVE", "LAMBDA", "LAM", "WLEN"):
            keep &= values > 0  # x1d files fill rows without a wavelength with 0
        axis, notes = made_axis(values[keep], self.named[self.axis].unit, self.axis, self.header)
        error, kind = _error_name(self.named, self.flux)
        flags = self._flags(row, keep)
        flux, unit = np.asarray(row[self.flux], float)[keep], flux_unit(self.named[self.flux].unit, self.header)
        uncertainty = np.asarray(row[error], float)[keep] if error in row else None
        return Samples(
            SpectralAxis(**axis, notes=notes),
            flux,
            unit,
            uncertainty,
            kind if uncertainty is not None else "",
            self._mask(row, keep, flags, uncertainty if kind == "ivar" else None),
            flags,
            self._area(row, keep),
            name,
            meta_of(self.header),
        )

    def _flags(self, row: Mapping[str, np.ndarray], keep: np.ndarray) -> np.ndarray | None:
        key = next((k for k in _FLAGS if k in row and row[k].dtype.kind in "iu"), None)
        return None if key is None else np.asarray(row[key])[keep].astype(np.int64)

    def _mask(
        self, row: Mapping[str, np.ndarray], keep: np.ndarray, flags: np.ndarray | None, ivar: np.ndarray | None
    ) -> np.ndarray | None:
        if "DQ_WGT" in row:  # COS has weighed the flags itself
            return row["DQ_WGT"][keep] == 0
        if any(k in row and row[k].dtype.kind == "b" for k in _MASKS):
            flags = None  # a file that says which samples are bad leaves nothing to be told from flags
        masks = [] if flags is None else [mask_of_flags(flags, self.dialect, self.header)]
        masks += [row[k][keep] != 0 for k in _MASKS if k in row and row[k].dtype.kind in "biu"]
        if ivar is not None:
            masks.append(ivar == 0)  # no information
        found = [mask for mask in masks if mask is not None]
        return np.logical_or.reduce(found) if found else None

    def _area(self, row: Mapping[str, np.ndarray], keep: np.ndarray) -> float | None:
        """Return the steradians that a flux in Jy was summed over, from a surface brightness in MJy/sr beside it."""
        if isinstance(said := self.header.get("FLUXAREA"), float):
            return said
        pair = self.named.get("FLUX"), self.named.get("SURF_BRIGHT")
        if any(column is None for column in pair) or [c.unit for c in pair if c] != ["Jy", "MJy/sr"]:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = row["FLUX"][keep] / (row["SURF_BRIGHT"][keep] * 1e6)
        ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
        if not len(ratio) or np.subtract(*np.percentile(ratio, (84, 16))) > 0.01 * np.median(ratio):
            return None  # the aperture grows with wavelength
        return float(np.median(ratio))

"""What a reader hands over: a `Product`, made of lazily read `Plane` objects.

Nothing in here imports astropy: the first picture must not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["Identity", "Kind", "Meaning", "Plane", "Product", "Unit", "WcsResult"]

Kind = Literal[
    "image", "cube", "spectrum", "spectrum2d", "ramp", "catalog", "regions", "profile", "psf", "association", "other",
]  # fmt: skip
Meaning = Literal["data", "error", "variance", "inverse variance", "flags", "weight", "other"]


@dataclass(frozen=True)
class Identity:
    """Which bytes an array came from; the key of everything cached about it."""

    path: str
    size: int
    mtime_ns: int
    part: str = ""

    @property
    def key(self) -> str:
        """A name for the cache folder: 32 hexadecimal digits."""
        import hashlib

        text = f"{self.path}|{self.size}|{self.mtime_ns}|{self.part}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def check(self) -> None:
        """Raise when the file got shorter: reading a map beyond the end of its file would end the program.

        A file that is gone, or replaced by another, is no danger: the map keeps the old bytes.
        """
        try:
            size = os.stat(self.path).st_size
        except OSError:
            return
        if size < self.size:
            raise ReadError(
                f"{os.path.basename(self.path)} was cut from {self.size} to {size} bytes by another program while it "
                "was open; open it again once it is complete."
            )

    @classmethod
    def of(cls, path: str | Path, part: str = "") -> Identity:
        """Take the identity of a file as it is now (one ``stat``)."""
        status = Path(path).stat()
        return cls(str(path), status.st_size, status.st_mtime_ns, part)


@dataclass
class Plane:
    """One array of a data set, in file order, never converted whole.

    Parameters
    ----------
    name : str
        Name of the extension, ``"SCI"``.
    shape : tuple of int
        Shape in numpy order (slowest axis first).
    load : callable
        ``load(progress)`` returns the raw array: a memory map in file byte order, or,
        for compressed data, a memory map of the decompressed copy in the cache.
    scale, zero : float
        Physical value = raw × scale + zero.
    blank : int, optional
        Raw integer value that means NaN.
    unit : str
        As the file says, ``""`` when it says nothing.
    immediate : bool
        Whether ``load`` returns at once (a memory map), or may take long (decompression).
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    load: Callable[[Progress], np.ndarray]
    meaning: Meaning = "data"
    unit: str = ""
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None
    hdu: int | None = None
    identity: Identity | None = None
    immediate: bool = True
    _raw: np.ndarray | None = field(default=None, repr=False)

    @property
    def loaded(self) -> bool:
        """Whether the raw array is at hand, so that `read` does not wait for a decompression."""
        return self._raw is not None

    def raw(self, progress: Progress = silent) -> np.ndarray:
        """Return the array as stored, in file byte order (do not convert it whole)."""
        if self._raw is None:
            self._raw = self.load(progress)
        elif self.identity is not None:
            self.identity.check()
        return self._raw

    def read(self, index: Any = ..., *, progress: Progress = silent) -> np.ndarray:
        """Read a part as physical values in native byte order.

        Returns
        -------
        ndarray
            Integers stay integers while unscaled and without a blank value; all else is
            float32, or float64 when the file has float64 or integers wider than 16 bits.
        """
        return self.physical(self.raw(progress)[index])

    def physical(self, part: np.ndarray) -> np.ndarray:
        """Turn a raw part into physical values in native byte order."""
        native = np.asarray(part, dtype=part.dtype.newbyteorder("="))
        if not self.is_scaled and self.blank is None:
            return native
        if self.blank is None and self._is_unsigned:
            # adding half the range turns the sign bit over, in any width and without a wider copy
            bits = native.view(f"u{native.dtype.itemsize}")
            return (bits ^ bits.dtype.type(1 << (8 * bits.dtype.itemsize - 1))).view(self.dtype)
        values = native.astype(self.dtype)
        if self.blank is not None:
            values[native == self.blank] = np.nan
        if self.is_scaled:
            values = values * self.dtype.type(self.scale) + self.dtype.type(self.zero)
        return values

    @property
    def is_scaled(self) -> bool:
        """Whether raw values must be multiplied or shifted."""
        return self.scale != 1.0 or self.zero != 0.0

    @property
    def _is_unsigned(self) -> bool:
        return self.dtype.kind in "iu"


@dataclass(frozen=True)
class Unit:
    """One header-data unit (FITS) or block (ASDF) of a file, for choosers and the header viewer.

    ``cards`` are ``(keyword, value, comment)`` in file order; ``what`` is a word such as
    ``"image"``, ``"binary table"``, ``"compressed image"``, ``"tree"``.
    """

    index: int
    name: str
    version: int
    what: str
    shape: tuple[int, ...]
    dtype: str
    unit: str
    cards: tuple[tuple[str, Any, str], ...] = ()

    @cached_property
    def header(self) -> dict[str, Any]:
        """Keyword → value of the first card with that keyword (COMMENT, HISTORY: all lines)."""
        return header_of(self.cards)


def header_of(cards: tuple[tuple[str, Any, str], ...]) -> dict[str, Any]:
    """Collect cards into a mapping; commentary cards are joined by line feeds."""
    header: dict[str, Any] = {}
    for keyword, value, _ in cards:
        if keyword in ("COMMENT", "HISTORY", ""):
            header[keyword] = f"{header[keyword]}\n{value}" if keyword in header else str(value)
        else:
            header.setdefault(keyword, value)
    return header


@dataclass(frozen=True)
class WcsResult:
    """A WCS as an APE-14 object (or None) with what a user should know about it.

    ``absent`` tells a file that has none, which is no fault, from one whose WCS cannot be read.
    """

    wcs: Any = None
    warnings: tuple[str, ...] = ()
    absent: bool = False


def no_wcs() -> WcsResult:
    """Stand for data without a world coordinate system."""
    return WcsResult()


@dataclass
class Product:
    """A data set as read: planes, headers, and what to load later.

    Parameters
    ----------
    kind : str
        What it is to a user; decides which viewer shows it.
    name : str
        Suggested name in the session.
    label : str
        The kind of product in words, ``"JWST NIRCam i2d"``.
    planes : dict
        Name → `Plane`; the first is the one to look at. Empty for tables and regions.
    units : tuple of Unit
        Every header-data unit of the file, for the header viewer.
    main : int
        Index in ``units`` of the unit that the first plane (or the table) came from.
    joint : Plane, optional
        Flags of ramps, of pixels and of groups together (`jviz.backend.io.joint_flags`), beside ``planes``.
    flags : str
        Which dialect the DQ bits speak (a key of `jviz.backend.dq.DIALECTS`), or ``""``.
    load_wcs : callable
        Returns a `WcsResult`; slow (imports astropy), so call it in a job.
    load_object : callable, optional
        Returns the table (QTable), regions, or other non-array content; slow.
    load_samples : callable, optional
        Of spectra: returns a tuple of `jviz.backend.spectra.samples.Samples`; slow.
    options : dict
        Keyword arguments of the reader that give this very product again, ``{"hdu": "SCI,1"}``.
    tree : callable, optional
        Returns the ASDF tree as nested dicts, lists and short strings, for the header viewer.
    """

    kind: Kind
    name: str
    label: str = ""
    path: Path | None = None
    reader: str = ""
    planes: dict[str, Plane] = field(default_factory=dict)
    units: tuple[Unit, ...] = ()
    main: int = 0
    joint: Plane | None = None
    flags: str = ""
    load_wcs: Callable[[], WcsResult] = no_wcs
    load_object: Callable[[], Any] | None = None
    load_samples: Callable[[], Any] | None = None
    tree: Callable[[], Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def header(self) -> Mapping[str, Any]:
        """The primary header's cards with those of the main unit over them."""
        if not self.units:
            return {}
        return {**self.units[0].header, **self.units[self.main].header}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first plane, ``()`` when there is none."""
        return next(iter(self.planes.values())).shape if self.planes else ()

    def plane(self, meaning: Meaning) -> Plane | None:
        """Return the first plane with that meaning, or None; for flags those of pixels and groups together."""
        if meaning == "flags" and self.joint is not None:
            return self.joint
        return next((p for p in self.planes.values() if p.meaning == meaning), None)

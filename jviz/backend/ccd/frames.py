"""Raw frames of a folder: what each is, and its pixels with their section of overscan."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.ccd.instruments import Instrument, instrument_for
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Frame", "frames_of", "read_frame", "section"]

ENDINGS = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fits.fz")
_SECTION = re.compile(r"\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*$")


@dataclass(frozen=True)
class Frame:
    """One raw frame.

    Attributes
    ----------
    kind : str
        bias, dark, flat, science, or "" when nobody knows.
    exposure : float
        Seconds; NaN when the header does not say.
    gain, read_noise, saturation : float
        Electrons per count, electrons, counts; NaN when the header does not say.
    overscan, trim : tuple of slice or None
        In rows and columns.
    note : str
        Why it cannot be used.
    """

    path: Path
    kind: str
    filter: str = ""
    object: str = ""
    exposure: float = math.nan
    gain: float = math.nan
    read_noise: float = math.nan
    saturation: float = math.nan
    overscan: tuple[slice, slice] | None = None
    trim: tuple[slice, slice] | None = None
    shape: tuple[int, ...] = ()
    hdu: int = 0
    note: str = ""


def frames_of(
    folder: Path, known: Sequence[Instrument], name: str | None = None, progress: Progress = silent
) -> tuple[Instrument, list[Frame]]:
    """Look at the headers of all FITS files of a folder.

    Raises
    ------
    JvizError
        When there is no folder, or no FITS file in it.
    """
    if not folder.is_dir():
        raise JvizError(f"{folder} is no folder; give one with raw frames.")
    paths = sorted(path for path in folder.iterdir() if path.name.lower().endswith(ENDINGS) and path.name[0] != ".")
    if not paths:
        raise JvizError(f"{folder} holds no FITS files; give a folder with raw frames.")
    headers: list[tuple[Path, Mapping[str, Any], int, str]] = []
    for number, path in enumerate(paths):
        progress(number, len(paths), f"Reading {path.name}")
        headers.append((path, *_header(path)))
    instrument = instrument_for([header for _, header, _, _ in headers], known, name)
    return instrument, [_frame(instrument, *each) for each in headers]


def _header(path: Path) -> tuple[Mapping[str, Any], int, str]:
    """Return the keywords of a frame, those of its image over those of the file, and where the image is."""
    from jviz.backend.io.fits_compressed import decompressed
    from jviz.backend.io.fitsfile import FitsFile

    try:
        if not path.stat().st_size:
            return {}, 0, "it is empty. Fetch it again."
        file = FitsFile.open(decompressed(path))
    except JvizError as error:
        return {}, 0, str(error)
    except (OSError, ValueError, EOFError) as error:
        return {}, 0, f"it cannot be read: {error}"
    hdus = file.hdus
    image = next((hdu for hdu in hdus if hdu.is_array and len([n for n in hdu.shape if n > 1]) == 2), None)
    header = dict(hdus[0].as_unit().header)
    if image is None:
        return header, 0, "it holds no image of two axes"
    if not image.complete:
        return header, 0, file.warnings[-1]
    return {**header, **image.as_unit().header, "NAXIS1": image.shape[-1], "NAXIS2": image.shape[-2]}, image.index, ""


def _frame(instrument: Instrument, path: Path, header: Mapping[str, Any], hdu: int, note: str) -> Frame:
    kind = instrument.kind(header) if not note else ""
    shape = (int(header["NAXIS2"]), int(header["NAXIS1"])) if "NAXIS1" in header and not note else ()

    def number(meaning: str) -> float:
        try:
            return float(instrument.value(header, meaning))
        except (TypeError, ValueError):
            return math.nan

    def text(meaning: str) -> str:
        return str(instrument.value(header, meaning) or "").strip()

    if not note and not kind:
        note = f"its type {text('type') or 'is missing and'!r} says of no kind of frame what it is"
    overscan, trim = (section(text(meaning), shape) for meaning in ("overscan", "trim"))
    return Frame(path, kind, text("filter"), text("object"), number("exposure"), number("gain"), number("read_noise"),
                 number("saturation"), overscan, trim, shape, hdu, note)  # fmt: skip


def section(text: str, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Return rows and columns of a FITS section, ``[x1:x2,y1:y2]`` counted from 1; None for none that fits.

    Examples
    --------
    >>> section("[1:32,5:10]", (100, 200))
    (slice(4, 10, None), slice(0, 32, None))
    """
    found = _SECTION.match(text)
    if found is None or not shape:
        return None
    left, right, bottom, top = (int(part) for part in found.groups())
    if not (1 <= left <= right <= shape[1] and 1 <= bottom <= top <= shape[0]):
        return None
    return slice(bottom - 1, top), slice(left - 1, right)


def read_frame(frame: Frame) -> np.ndarray:
    """Return the pixels of a frame, in counts.

    Raises
    ------
    JvizError
        When it cannot be read.
    """
    from astropy.io import fits

    try:
        with fits.open(frame.path, memmap=False) as file:
            return np.squeeze(np.asarray(file[frame.hdu].data, float))
    except (OSError, ValueError, TypeError, IndexError) as error:
        text = f"{frame.path.name} cannot be read: {error}. Take it out of the folder, or fetch it again."
        raise JvizError(text) from error

"""Outlines of coverage maps (MOC, IVOA)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from jviz.errors import ReadError

__all__ = ["is_moc", "moc_outlines"]

MOST_CELLS = 40_000
"""A map of more cells is drawn by coarser ones."""


_JSON = re.compile(rb'\s*\{\s*"\d{1,2}"\s*:\s*\[')
_TEXT = re.compile(rb"s?\d{1,2}/\d+[-,\s\d/]*$")
_FITS_WORDS = (b"MOCORDER=", b"MOCORD_S=", b"ORDERING= 'NUNIQ")
_headers = 3 * 2880


def is_moc(path: Path, start: bytes) -> bool:
    """Whether a file that starts so is a coverage map, in FITS, JSON or text.

    A map of probabilities over cells of several orders has the same keywords, and more than one column.
    """
    if not start.startswith(b"SIMPLE"):
        return bool(_JSON.match(start) or _TEXT.match(start))
    with path.open("rb") as stream:
        head = stream.read(_headers)
    return b"TFIELDS =                    1 " in head and any(word in head for word in _FITS_WORDS)


def moc_outlines(path: Path) -> list[np.ndarray]:
    """Read a MOC and return its outlines; those of holes are among them.

    Returns
    -------
    list of ndarray, shape (n, 2)
        RA and Dec of the corners, degrees (ICRS).

    Raises
    ------
    ReadError
        When the file is no MOC, or covers nothing.

    Notes
    -----
    Cells of one order share their edges; those that one cell has alone are the outline.
    """
    from mocpy import MOC

    try:
        moc = MOC.load(path, format=_format(path))
        order = moc.max_order
        while order > 0 and moc.sky_fraction * 12 * 4.0**order > MOST_CELLS:
            order -= 1
        cells = (moc.degrade_to_order(order) if order < moc.max_order else moc).flatten()
    except Exception as error:
        raise ReadError(f"{path.name} cannot be read as a MOC: {error or type(error).__name__}.") from error
    if not len(cells):
        raise ReadError(f"{path.name} covers nothing.")
    return _chained(*_edges(cells, order))


def _format(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(64)
    return "fits" if start.startswith(b"SIMPLE") else "json" if start.lstrip().startswith(b"{") else "ascii"


def _edges(cells: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners and the outer edges of cells: positions (n, 2), and pairs of their numbers in order."""
    from astropy_healpix import HEALPix

    lon, lat = HEALPix(nside=2**order, order="nested").boundaries_lonlat(np.asarray(cells, np.int64), step=1)
    corners = np.stack([lon.to_value("deg") % 360, lat.to_value("deg")], axis=-1)
    # Corners of different cells differ by rounding only; cells are never smaller than a milliarcsecond.
    x = np.cos(np.radians(corners[..., 1])) * np.exp(1j * np.radians(corners[..., 0]))
    keys = np.round(np.stack([x.real, x.imag, np.sin(np.radians(corners[..., 1]))], -1).reshape(-1, 3), 10)
    _, first, numbers = np.unique(keys + 0.0, axis=0, return_index=True, return_inverse=True)
    numbers = numbers.reshape(-1, 4)
    pairs = np.stack([numbers, np.roll(numbers, -1, axis=1)], axis=-1).reshape(-1, 2)
    _, index, count = np.unique(np.sort(pairs, axis=1), axis=0, return_index=True, return_counts=True)
    return corners.reshape(-1, 2)[first], pairs[index[count == 1]]


def _chained(corners: np.ndarray, edges: np.ndarray) -> list[np.ndarray]:
    """Join edges that go on from each other into closed outlines."""
    following: dict[int, list[int]] = {}
    for start, end in edges.tolist():
        following.setdefault(start, []).append(end)
    outlines = []
    while following:
        at = begin = next(iter(following))
        chain = []
        while at in following:
            chain.append(at)
            ends = following[at]
            at = ends.pop()
            if not ends:
                del following[chain[-1]]
            if at == begin:
                break
        outlines.append(corners[chain])
    return [outline for outline in outlines if len(outline) > 2]

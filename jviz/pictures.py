"""Between data of a session and the pictures that the operations on images work with."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from jviz.backend.images.geometry import crop_wcs
from jviz.backend.images.picture import Extra, Picture
from jviz.backend.io.product import Plane, Product, Unit, WcsResult
from jviz.backend.progress import Progress, silent
from jviz.data import Data, Image, from_product
from jviz.errors import CommandError

__all__ = [
    "ABOUT_PLACE",
    "cards_for",
    "cards_kept",
    "data_from",
    "picture_of",
    "plane_of",
    "plane_wcs",
    "read_rows",
    "standard_deviation",
]

ABOUT_PLACE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|[PG]COUNT|EXTEND|EXTNAME|EXTVER|EXTLEVEL|BSCALE|BZERO|BLANK|BUNIT|BOFFSET|BSOFTEN"
    r"|CHECKSUM|DATASUM"
    r"|C(RPIX|RVAL|DELT|TYPE|UNIT|ROTA|NAME|RDER|SYER)\d+|PC\d+_\d+|CD\d+_\d+|P[VS]\d+_\d+|[AB]P?_(\d+_\d+|ORDER|DMAX)"
    r"|WCSAXES|WCSNAME|LONPOLE|LATPOLE|RADESYS|RADECSYS|EQUINOX|EPOCH|S_REGION|LT[VM]\d+(_\d+)?|PC\d{6}"
    r"|CASAMBM|(CP|CQ)?DIS\d|D2IM(DIS|ARR|EXT|ERR)\d?|DP\d|TFIELDS|(Z|TTYPE|TFORM|TUNIT)[A-Z]*\d*|THEAP|HISTORY|COMMENT"
    r"|T(CTYP|CRVL|CRPX|CDLT|CUNI|LMIN|LMAX|NULL|DISP|SCAL|ZERO|DIM)\d+|",
)
"""Keywords of the grid and of the file's layout, which the new data have of their own."""

STRIP = 2 << 20
"""Pixels that are read between two looks at whether the user still wants it."""


def picture_of(
    data: Data,
    plane: str = "",
    *,
    part: tuple[slice, slice] | None = None,
    others: bool = False,
    progress: Progress = silent,
) -> Picture:
    """Read an image, or a part of it, with its errors and flags.

    Parameters
    ----------
    plane : str
        Only this plane, without errors and flags; the first one, with both, by default.
    part : (slice, slice), optional
        Rows and columns; the WCS is that of the part.
    others : bool
        Read further planes of its shape too.
    progress : callable
        Called after every few rows; raises `Cancelled`.

    Raises
    ------
    CommandError
        When it has more than two axes longer than 1.
    """
    main = data.plane(plane)
    _check_flat(data, main)
    error = flags = None
    if not plane:
        error, flags = plane_of(data, "error", "variance", "inverse variance"), plane_of(data, "flags")
    own = [p for p in (main, error, flags) if p is not None]
    beside = data.planes.values() if others else ()
    more = [p for p in beside if p.shape == main.shape and not any(p is one for one in own)]
    reader = _Reader(part, len(own) + len(more), progress)
    values = reader.read(main)
    if values.dtype.kind != "f":
        values = values.astype(np.float64 if values.dtype.itemsize > 2 else np.float32)
    return Picture(
        values,
        None if error is None else standard_deviation(error.meaning, reader.read(error)),
        None if flags is None else reader.read(flags),
        main.unit,
        plane_wcs(data) if part is None else crop_wcs(plane_wcs(data), *part),
        tuple(Extra(p.name, p.meaning, p.unit, reader.read(p)) for p in more if p.dtype.kind in "biuf"),
    )


class _Reader:
    """Reads planes in strips of rows, so that a wish to cancel is heard soon."""

    def __init__(self, part: tuple[slice, slice] | None, planes: int, progress: Progress) -> None:
        self._part, self._planes, self._progress = part, planes, progress
        self._done = 0

    def read(self, plane: Plane) -> np.ndarray:
        """Return the part of a plane, (rows, columns) in native byte order."""
        ny, nx = plane.shape[-2:]
        rows, columns = self._part or (slice(0, ny), slice(0, nx))
        raw = plane.raw(self._progress).reshape(ny, nx)
        step = max(1, STRIP // max(1, columns.stop - columns.start))
        strips = []
        for first in range(rows.start, rows.stop, step):
            share = (first - rows.start) / (rows.stop - rows.start)
            self._progress(round(1000 * (self._done + share)), 1000 * self._planes, f"reading {plane.name}")
            strips.append(plane.physical(raw[first : min(first + step, rows.stop), columns]))
        self._done += 1
        # The caller may change it, which a memory map does not bear.
        return np.concatenate(strips) if len(strips) > 1 else strips[0].copy()


def plane_of(data: Data, *meanings: Any) -> Plane | None:
    """Return the first plane with one of these meanings and the shape of the data."""
    for meaning in meanings:
        plane = data.product.plane(meaning)
        if plane is not None and plane.shape == data.shape:
            return plane
    return None


def standard_deviation(meaning: str, values: np.ndarray) -> np.ndarray:
    """Return standard deviations from values of a plane of errors, variances or inverse variances."""
    values = values if values.dtype.kind == "f" else values.astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        if meaning == "variance":
            return np.sqrt(values)
        return 1 / np.sqrt(values) if meaning == "inverse variance" else values


def read_rows(data: Data, plane: Plane, rows: slice) -> np.ndarray:
    """Read some rows of a plane of an image, (rows, nx)."""
    return plane.read((*(0,) * (len(plane.shape) - 2), rows))


def _check_flat(data: Data, plane: Plane) -> None:
    if len(plane.shape) < 2 or any(n > 1 for n in plane.shape[:-2]):
        raise CommandError(f"{data.name} has {len(plane.shape)} axes; this works on images of two.")


def plane_wcs(data: Data) -> Any:
    """Return the WCS of the two axes of an image, or of the sky of a cube; None when there is none."""
    from jviz.backend.images.wcs_change import tangent_wcs_of_sky

    wcs = getattr(data, "wcs", None)
    if wcs is None or wcs.pixel_n_dim == 2:
        return wcs
    if hasattr(wcs, "has_celestial"):
        return wcs.celestial if wcs.has_celestial else None
    # A GWCS cannot be parted; the sky of cubes is plain, and FITS files of their maps can say it.
    return tangent_wcs_of_sky(data.sky, data.shape[-2:]) if data.sky is not None else None


def cards_for(wcs: Any) -> list[tuple[str, Any, str]]:
    """Return the FITS cards of a WCS; none for what FITS cannot say."""
    if not hasattr(wcs, "to_header"):
        return []
    return [(c.keyword, c.value, c.comment) for c in wcs.to_header(relax=True).cards]


def cards_kept(data: Data) -> list[tuple[str, Any, str]]:
    """Return the cards of data, with their comments, that stay true on another grid and in another file.

    Those of the primary header come first; the main extension's own take their place, or follow.
    """
    product = data.product
    if not product.units:
        return []
    units = [product.units[0]] if product.main == 0 else [product.units[0], product.units[product.main]]
    kept: dict[Any, tuple[str, Any, str]] = {}
    for number, unit in enumerate(units):
        for place, (keyword, value, comment) in enumerate(unit.cards):
            if keyword in ("HISTORY", "COMMENT"):
                if str(value).strip():
                    kept[number, place] = (keyword, value, "")
            elif not ABOUT_PLACE.fullmatch(keyword):
                kept[keyword] = (keyword, value, comment)
    past = [card for card in kept.values() if card[0] == "HISTORY"]
    return [*(card for card in kept.values() if card[0] != "HISTORY"), *past]


def data_from(picture: Picture, name: str, like: Data, what: str, *, cards: tuple = ()) -> Image:
    """Make data of a picture, with the header of those it was made from and a line of its history.

    Parameters
    ----------
    like : Data
    what : str
        One line that says what was done to which data.
    cards : tuple of (keyword, value, comment)
        In place of those of the header, or beside them.
    """
    planes = {"SCI": _plane("SCI", picture.values, "data", picture.unit)}
    if picture.error is not None:
        planes["ERR"] = _plane("ERR", picture.error, "error", picture.unit)
    if picture.dq is not None:
        planes["DQ"] = _plane("DQ", picture.dq, "flags", "")
    for extra in picture.others:
        planes.setdefault(extra.name, _plane(extra.name, extra.values, extra.meaning, extra.unit))
    place = cards_for(picture.wcs)
    known = {keyword for keyword, _, _ in (*place, *cards)}
    bunit = [("BUNIT", picture.unit, "unit of the values")] if picture.unit else []
    kept = [card for card in cards_kept(like) if card[0] not in known]
    cards = (*kept, *cards, *bunit, *place, ("HISTORY", f"jviz: {what}", ""))
    unit = Unit(0, "SCI", 1, "image made in jviz", picture.shape, picture.values.dtype.name, picture.unit, cards)
    product = Product("image", name, like.label, planes=planes, units=(unit,), flags=like.product.flags)
    if picture.wcs is not None:
        product.load_wcs = lambda: WcsResult(picture.wcs)
    made = from_product(product, name)
    assert isinstance(made, Image)
    return made


def _plane(name: str, values: np.ndarray, meaning: Any, unit: str) -> Plane:
    return Plane(name, values.shape, values.dtype, lambda progress: values, meaning, unit)

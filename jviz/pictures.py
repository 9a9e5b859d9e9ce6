"""Between data of a session and the pictures that the operations on images work with."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from jviz.backend.images.picture import Picture
from jviz.backend.io.product import Plane, Product, Unit, WcsResult
from jviz.data import Data, Image, from_product
from jviz.errors import CommandError

__all__ = [
    "ABOUT_PLACE",
    "cards_for",
    "data_from",
    "picture_of",
    "plane_of",
    "plane_wcs",
    "read_rows",
    "standard_deviation",
]

ABOUT_PLACE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|[PG]COUNT|EXTEND|EXTNAME|EXTVER|EXTLEVEL|BSCALE|BZERO|BLANK|BUNIT|CHECKSUM|DATASUM"
    r"|C(RPIX|RVAL|DELT|TYPE|UNIT|ROTA|NAME|RDER|SYER)\d+|PC\d+_\d+|CD\d+_\d+|P[VS]\d+_\d+|[AB]P?_(\d+_\d+|ORDER|DMAX)"
    r"|WCSAXES|WCSNAME|LONPOLE|LATPOLE|RADESYS|RADECSYS|EQUINOX|EPOCH|S_REGION|LT[VM]\d+(_\d+)?|PC\d{6}"
    r"|(CP|CQ)?DIS\d|D2IM(DIS|ARR|EXT|ERR)\d?|DP\d|TFIELDS|(Z|TTYPE|TFORM|TUNIT)[A-Z]*\d*|THEAP|HISTORY|COMMENT|",
)
"""Keywords of the grid and of the file's layout, which the new data have of their own."""


def picture_of(data: Data, plane: str = "") -> Picture:
    """Read an image whole.

    Parameters
    ----------
    plane : str
        Only this plane, without errors and flags; the first one, with both, by default.

    Raises
    ------
    CommandError
        When it has more than two axes longer than 1.
    """
    main = data.plane(plane)
    values = _flat(data, main.read())
    values = (
        values if values.dtype.kind == "f" else values.astype(np.float64 if values.dtype.itemsize > 2 else np.float32)
    )
    error = dq = None
    if not plane:
        found = plane_of(data, "error", "variance", "inverse variance")
        error = None if found is None else standard_deviation(found, _flat(data, found.read()))
        flags = plane_of(data, "flags")
        dq = None if flags is None else _flat(data, flags.read())
    return Picture(values, error, dq, main.unit, plane_wcs(data))


def plane_of(data: Data, *meanings: Any) -> Plane | None:
    """Return the first plane with one of these meanings and the shape of the data."""
    for meaning in meanings:
        plane = data.product.plane(meaning)
        if plane is not None and plane.shape == data.shape:
            return plane
    return None


def standard_deviation(plane: Plane, values: np.ndarray) -> np.ndarray:
    """Return standard deviations from a plane of errors, variances or inverse variances."""
    values = values if values.dtype.kind == "f" else values.astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        if plane.meaning == "variance":
            return np.sqrt(values)
        return 1 / np.sqrt(values) if plane.meaning == "inverse variance" else values


def read_rows(data: Data, plane: Plane, rows: slice) -> np.ndarray:
    """Read some rows of a plane of an image, (rows, nx)."""
    return plane.read((*(0,) * (len(plane.shape) - 2), rows))


def _flat(data: Data, values: np.ndarray) -> np.ndarray:
    if values.ndim < 2 or values.size != values.shape[-1] * values.shape[-2]:
        raise CommandError(f"{data.name} has {values.ndim} axes; this works on images of two.")
    return values.reshape(values.shape[-2:])


def plane_wcs(data: Data) -> Any:
    """Return the WCS of the two axes of an image, None when there is none."""
    wcs = getattr(data, "wcs", None)
    if wcs is None or wcs.pixel_n_dim == 2:
        return wcs
    return wcs.celestial if getattr(wcs, "has_celestial", False) else None


def cards_for(wcs: Any) -> list[tuple[str, Any, str]]:
    """Return the FITS cards of a WCS; none for what FITS cannot say."""
    if not hasattr(wcs, "to_header"):
        return []
    return [(c.keyword, c.value, c.comment) for c in wcs.to_header(relax=True).cards]


def data_from(picture: Picture, name: str, like: Data, what: str) -> Image:
    """Make data of a picture, with the header of those it was made from and a line of its history.

    Parameters
    ----------
    like : Data
    what : str
        One line that says what was done to which data.
    """
    planes = {"SCI": _plane("SCI", picture.values, "data", picture.unit)}
    if picture.error is not None:
        planes["ERR"] = _plane("ERR", picture.error, "error", picture.unit)
    if picture.dq is not None:
        planes["DQ"] = _plane("DQ", picture.dq, "flags", "")
    old = like.product.header
    place = cards_for(picture.wcs)
    known = {keyword for keyword, _, _ in place}
    kept = [(k, v, "") for k, v in old.items() if not ABOUT_PLACE.fullmatch(k) and k not in known]
    past = [("HISTORY", line, "") for line in str(old.get("HISTORY", "")).splitlines() if line.strip()]
    bunit = [("BUNIT", picture.unit, "")] if picture.unit else []
    cards = (*kept, *bunit, *place, *past, ("HISTORY", f"jviz: {what}", ""))
    unit = Unit(0, "SCI", 1, "image made in jviz", picture.shape, picture.values.dtype.name, picture.unit, cards)
    product = Product("image", name, like.label, planes=planes, units=(unit,), flags=like.product.flags)
    if picture.wcs is not None:
        product.load_wcs = lambda: WcsResult(picture.wcs)
    made = from_product(product, name)
    assert isinstance(made, Image)
    return made


def _plane(name: str, values: np.ndarray, meaning: Any, unit: str) -> Plane:
    return Plane(name, values.shape, values.dtype, lambda progress: values, meaning, unit)

"""The command that makes an image of the rows of a catalogue, or of a list of events."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from jviz.backend.images.picture import Picture
from jviz.backend.progress import Progress
from jviz.catalogs import evaluated, passing
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.pictures import data_from
from jviz.session import Session

MOST_PIXELS = 8192
"""Along a side: more would take a gigabyte."""

WIDE = 60.0
"""Degrees that a tangential projection shows at most; wider fields are projected after Hammer and Aitoff."""


@command("catalog.image", title="Image of Rows…", menu="Catalogue", needs="catalog", group="make", job=True,
         icon="fa6s.image")  # fmt: skip
def image(
    session: Session,
    data: Catalog,
    x: str = "",
    y: str = "",
    *,
    pixel: float | None = None,
    condition: str = "",
    weight: str = "",
    name: str = "",
    progress: Progress,
) -> Image:
    """Count the rows of a catalogue, or the events of a telescope, in the pixels of an image.

    Parameters
    ----------
    x, y : str
        Columns or expressions. By default the columns that the file gives a place on the sky (X and Y of Chandra and
        XMM), else the positions of the rows: right ascension and declination, or pixels.
    pixel : float, optional
        Size of a pixel in the unit of x and y, in arcseconds for right ascension and declination; by default such that
        the longer side has 512 to 1024 pixels.
    condition : str
        Only rows that fulfil it: ``(energy > 500) & (energy < 2000)``.
    weight : str
        Column or expression that is summed instead of counting.

    Raises
    ------
    CommandError
        When there is no row, nothing tells places, or the image would be too large.
    """
    progress(0, 2, "Reading columns")
    across, up, sky = _axes(data, x.strip(), y.strip())
    weights = evaluated(data, weight).values if weight.strip() else None
    if condition.strip():
        chosen = passing(data, condition)
        across, up = np.where(chosen, across, np.nan), np.where(chosen, up, np.nan)
    if pixel is not None and not 0 < pixel < math.inf:
        raise CommandError(f"The size of a pixel is {pixel:g}; it must be above 0.")
    good = np.isfinite(across) & np.isfinite(up)
    if not good.any():
        raise CommandError(f"No row of {data.name} has a place{' and fulfils the condition' if condition else ''}.")
    progress(1, 2, "Counting")
    picture, cards = _picture(data, across, up, good, pixel, sky, weights)
    picture = replace(picture, unit=evaluated(data, weight).unit if weight.strip() else "ct")
    what = f"{int(good.sum()):,} rows of {data.name}{f' with {condition.strip()}' if condition.strip() else ''}"
    made = data_from(picture, name.strip() or f"{data.name} image", data, what, cards=cards)
    made.product.label = "image of rows"
    return made


def _axes(data: Catalog, x: str, y: str) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return the places of rows, and what makes them places of the sky: two axes, "equatorial", or None."""
    from jviz.backend.catalogs.binning import celestial_axes

    if bool(x) != bool(y):
        raise CommandError("Name both x and y, or neither.")
    known = celestial_axes(data.header, [x, y] if x else list(data.columns))
    if known is not None and (not x or (known[0].column, known[1].column) == (x, y)):
        return evaluated(data, known[0].column).values, evaluated(data, known[1].column).values, known
    if x:
        return evaluated(data, x).values, evaluated(data, y).values, None
    places = data.places
    if places is None:
        raise CommandError(f"No columns of {data.name} tell where its rows are; name x and y.")
    return places.x, places.y, "equatorial" if places.system == "sky" else None


def _picture(
    data: Catalog, x: np.ndarray, y: np.ndarray, good: np.ndarray, pixel: float | None, sky: Any, weights: Any
) -> tuple[Picture, tuple]:
    from jviz.backend.catalogs.binning import binned, round_bin, sky_wcs

    wcs, cards = None, ()
    if sky == "equatorial":
        wcs, x, y, pixel = _projected(x, y, good, pixel)
        good = np.isfinite(x) & np.isfinite(y)
        size, origin = 1.0, (-0.5, -0.5)
        ends = x[good].max(), y[good].max()
    else:
        low, high = ((end(x[good]), end(y[good])) for end in (np.min, np.max))
        size = pixel or round_bin(max(high[0] - low[0], high[1] - low[1]), whole=sky is not None)
        # pixels begin at whole multiples of their size, so that images of the same columns lie on each other
        origin = tuple(math.floor((edge - 0.5) / size) * size + 0.5 if sky else math.floor(edge / size) * size
                       for edge in low)  # fmt: skip
        ends = high
    columns, rows = (math.floor((end - start) / size) + 1 for end, start in zip(ends, origin, strict=True))
    if max(columns, rows) > MOST_PIXELS:
        raise CommandError(f"An image of {columns:,} × {rows:,} pixels is too large; make pixels larger.")
    if sky not in (None, "equatorial"):
        wcs = sky_wcs(*sky, origin, size)
        cards = tuple((f"{key}{end}", value, "") for axis, start in enumerate(origin, start=1)
                      for key, end, value in (("LTM", f"{axis}_{axis}", 1 / size),
                                              ("LTV", str(axis), 0.5 - start / size)))  # fmt: skip
    values, error = binned(x, y, origin, size, (rows, columns), weights)
    return Picture(values, error, wcs=wcs), cards


def _projected(
    ra: np.ndarray, dec: np.ndarray, good: np.ndarray, pixel: float | None
) -> tuple[Any, np.ndarray, np.ndarray, float]:
    """Lay a grid of the sky round places, north up, and return its WCS and the places in its pixels."""
    from astropy.wcs import WCS

    from jviz.backend.catalogs.binning import round_bin
    from jviz.backend.render.frames import lonlat, separation, unit_vectors

    lon, lat = map(float, lonlat(unit_vectors(ra[good], dec[good]).mean(axis=-1)))
    reach = float(np.max(separation(lon, lat, ra[good], dec[good])))
    is_wide = reach > WIDE / 2
    size = pixel or round_bin(3600 * max(min(2 * reach, 360.0), 1e-4), whole=False)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---AIT", "DEC--AIT"] if is_wide else ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [lon, 0.0 if is_wide else lat]
    wcs.wcs.cdelt = [-size / 3600, size / 3600]
    x, y = np.full(len(ra), np.nan), np.full(len(ra), np.nan)
    x[good], y[good] = wcs.wcs_world2pix(ra[good], dec[good], 0)
    shift = np.floor([np.nanmin(x), np.nanmin(y)])
    wcs.wcs.crpix = wcs.wcs.crpix - shift
    wcs.wcs.set()
    return wcs, x - shift[0], y - shift[1], size

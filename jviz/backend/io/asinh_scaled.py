"""Images of Pan-STARRS, which are stored as the inverse hyperbolic sine of what was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jviz.backend import cache
from jviz.backend.io.fits_compressed import check_room, just_stored
from jviz.backend.io.fitsfile import Hdu
from jviz.backend.io.product import Identity, Plane
from jviz.backend.progress import Progress

__all__ = ["is_asinh_scaled", "linear_plane"]

_POGSON = 2.5 / np.log(10.0)
_STRIP = 4 * 1024**2


def is_asinh_scaled(hdu: Hdu) -> bool:
    """Whether whole numbers stand for the asinh of a flux (keywords BOFFSET and BSOFTEN)."""
    has_offset = isinstance(hdu.header.get("BOFFSET"), int | float)
    return hdu.is_array and hdu.bitpix > 0 and has_offset and hdu.number("BSOFTEN", 0.0) > 0


def linear_plane(plane: Plane, hdu: Hdu) -> Plane:
    """Return the plane of linear values: a copy in the cache, made when it is looked at.

    Notes
    -----
    ``flux = BOFFSET + 2 BSOFTEN sinh(v ln(10) / 2.5)`` with the stored value v after BSCALE and BZERO: the asinh
    magnitudes of Lupton, Gunn and Szalay (1999, AJ 118, 1406) as Waters et al. (2020, ApJS 251, 4) write them.
    """
    identity = replace(plane.identity, part=f"{plane.identity.part} linear")

    def load(progress: Progress) -> np.ndarray:
        found = cache.stored(identity, ".npy")
        if found is None:
            _write(plane, hdu, identity, progress)
            found = just_stored(identity, ".npy", plane.name)
        return np.load(found, mmap_mode="r")

    return Plane(plane.name, plane.shape, np.dtype("f4"), load, plane.meaning, plane.unit, hdu=plane.hdu,
                 identity=identity, immediate=False)  # fmt: skip


def _write(plane: Plane, hdu: Hdu, identity: Identity, progress: Progress) -> None:
    offset, softening = hdu.number("BOFFSET", 0.0), hdu.number("BSOFTEN", 1.0)
    check_room(plane.name, 4 * int(np.prod(plane.shape)))
    raw = plane.raw(progress)
    rows = max(1, _STRIP // max(1, int(np.prod(plane.shape[1:]))))
    with cache.storing(identity, ".npy") as temporary:
        copy = np.lib.format.open_memmap(temporary, "w+", np.dtype("f4"), plane.shape)
        for start in range(0, plane.shape[0], rows):
            progress(start, plane.shape[0], "Making values linear")
            stored = plane.physical(raw[start : start + rows]).astype("f8")
            copy[start : start + rows] = offset + 2 * softening * np.sinh(stored / _POGSON)
        copy.flush()

"""From an array in a FITS file to a plane that is mapped, or decompressed, when it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from jviz.backend.io.asinh_scaled import is_asinh_scaled, linear_plane
from jviz.backend.io.fits_compressed import decompressed_image
from jviz.backend.io.fits_groups import Companion, constant_shape
from jviz.backend.io.fitsfile import FitsFile, Hdu
from jviz.backend.io.kinds import squeezed
from jviz.backend.io.product import Meaning, Plane
from jviz.backend.progress import Progress

__all__ = ["View", "companion_plane", "physical_dtype", "plane_of"]

_UNSIGNED = {(8, -128.0): "i1", (16, 2.0**15): "u2", (32, 2.0**31): "u4", (64, 2.0**63): "u8"}


@dataclass(frozen=True)
class View:
    """How a stored array is shown.

    Parameters
    ----------
    shape : tuple of int
        The shape to show, which may lack axes of length 1.
    section : int, optional
        Which part along one more axis (one Stokes parameter) is shown.
    axis : int
        Where that axis is, 0 for the slowest one.
    """

    shape: tuple[int, ...]
    section: int | None = None
    axis: int = 0

    def of(self, array: np.ndarray) -> np.ndarray:
        """Take the part of an array; never a copy."""
        if self.section is None:
            return array.reshape(self.shape)
        whole = array.reshape(*self.shape[: self.axis], -1, *self.shape[self.axis :])
        return whole[(slice(None),) * self.axis + (self.section,)]


def plane_of(file: FitsFile, hdu: Hdu, meaning: Meaning, view: View) -> Plane:
    """Make the plane of an image, plain or compressed."""
    scale, zero = hdu.number("BSCALE", 1.0) or 1.0, hdu.number("BZERO", 0.0)
    blank = None if meaning == "flags" else _blank(hdu)
    compressed = hdu.what == "compressed image"
    plane = Plane(
        hdu.name or f"HDU{hdu.index}",
        view.shape,
        physical_dtype(hdu.bitpix, scale, zero, blank),
        partial(_load, file, hdu, view),
        meaning,
        str(hdu.header.get("BUNIT", "")).strip(),
        float(scale),
        float(zero),
        blank,
        hdu.index,
        file.identity_of(hdu, view.section),
        immediate=not compressed,
    )
    return linear_plane(plane, hdu) if meaning == "data" and is_asinh_scaled(hdu) else plane


def _load(file: FitsFile, hdu: Hdu, view: View, progress: Progress) -> np.ndarray:
    if hdu.what == "compressed image":
        return view.of(decompressed_image(file.path, hdu, file.identity_of(hdu), progress))
    return view.of(file.array(hdu))


def _blank(hdu: Hdu) -> int | None:
    if hdu.bitpix < 0:
        return None
    value = hdu.header.get("BLANK", hdu.header.get("ZBLANK"))
    limits = np.iinfo(hdu.dtype)
    is_usable = isinstance(value, int) and not isinstance(value, bool) and limits.min <= value <= limits.max
    return value if is_usable else None


def physical_dtype(bitpix: int, scale: float, zero: float, blank: int | None) -> np.dtype:
    """Return the type of physical values, as `jviz.backend.io.product.Plane.read` promises it."""
    if bitpix < 0:
        return np.dtype(f"f{-bitpix // 8}")
    if blank is None and scale == 1.0:
        if zero == 0.0:
            return np.dtype(f"{'u' if bitpix == 8 else 'i'}{bitpix // 8}")
        if (bitpix, zero) in _UNSIGNED:
            return np.dtype(_UNSIGNED[bitpix, zero])
    return np.dtype("f4" if bitpix <= 16 else "f8")


def companion_plane(file: FitsFile, companion: Companion, main: Hdu, view: View) -> Plane:
    """Make the plane of an error, flags … array, shown like the data ``main`` where it has their shape."""
    hdu = companion.hdu
    own = constant_shape(hdu) or hdu.shape
    if hdu.is_array:
        like_main = squeezed(own) == squeezed(main.shape)
        return plane_of(file, hdu, companion.meaning, view if like_main else View(squeezed(own)))
    return _constant_plane(file, hdu, companion.meaning, own)


def _constant_plane(file: FitsFile, hdu: Hdu, meaning: Meaning, shape: tuple[int, ...]) -> Plane:
    value = hdu.header.get("PIXVALUE")
    fits_in = isinstance(value, int) and abs(value) < 2.0 ** (hdu.bitpix - 1)
    dtype = hdu.dtype.newbyteorder("=") if fits_in else np.dtype("f4")
    unit = str(hdu.header.get("BUNIT", "")).strip()

    def load(progress: Progress) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype), shape)

    name = hdu.name or f"HDU{hdu.index}"
    return Plane(name, shape, dtype, load, meaning, unit, hdu=hdu.index, identity=file.identity_of(hdu))

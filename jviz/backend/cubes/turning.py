"""Cubes whose channels do not come first in the file, looked at as if they did: views of the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane, Product, WcsResult
from jviz.backend.spectra.axis import spectral_axis, spectral_word

__all__ = ["spectral_position", "turned_plane", "turned_product", "turned_wcs"]

Order = tuple[int, ...]


def spectral_position(product: Product) -> int:
    """Return which array axis of a cube is the spectral one, without reading its WCS where the header tells.

    0 where nothing tells: the slowest axis.
    """
    shape = product.shape
    if len(shape) != 3:
        return 0
    if product.path is not None:
        return _by_keywords(product.header, shape)
    table = next((p for p in product.planes.values() if p.name == "WAVELENGTH" and len(p.shape) == 1), None)
    fitting = [axis for axis, size in enumerate(shape) if table is not None and (size,) == table.shape]
    wcs = product.load_wcs().wcs if table is None or len(fitting) > 1 else None  # at hand: it was made in memory
    if wcs is not None:
        return spectral_axis(product.header, wcs, shape).array_axis
    return fitting[-1] if fitting else 0


def _by_keywords(header: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    from jviz.backend.first_look import PROJECTED
    from jviz.backend.wcs import matching_axes

    types = {number: str(header.get(f"CTYPE{number}", "")).strip() for number in range(1, 10)}
    lengths = [int(header[f"NAXIS{n}"]) for n in range(1, 10) if isinstance(header.get(f"NAXIS{n}"), int)]
    if len(lengths) < len(shape):
        lengths = list(shape[::-1])
    kept = matching_axes(lengths, list(shape[::-1]))
    if len(kept) != len(shape):
        return 0
    words = [types[axis + 1] for axis in kept][::-1]  # in numpy order
    found = next((axis for axis, word in enumerate(words) if spectral_word(word)), None)
    if found is None:
        sky = [axis for axis, word in enumerate(words) if word[:4] in PROJECTED]
        found = next((axis for axis in range(len(shape)) if axis not in sky), 0) if len(sky) == 2 else 0
    return found


def first(axis: int, n: int = 3) -> Order:
    """Return the order of ``n`` axes in which one comes first and the others keep theirs."""
    return (axis, *(other for other in range(n) if other != axis))


def turned_plane(plane: Plane, order: Order) -> Plane:
    """Return a plane of the same bytes with its axes in another order."""
    identity = plane.identity
    if identity is not None:
        identity = replace(identity, part=f"{identity.part}|axes {''.join(map(str, order))}")
    return replace(
        plane,
        shape=tuple(plane.shape[axis] for axis in order),
        load=lambda progress: np.transpose(plane.raw(progress), order),
        identity=identity,
        _raw=None,
    )


def turned_product(product: Product, order: Order, *, sky: bool = True) -> Product:
    """Return a product whose arrays of the main shape have their axes in another order.

    Parameters
    ----------
    order : tuple of int
        Which axis of the file comes first, second …, in numpy order.
    sky : bool
        Turn the WCS too, as it still has the sky on the last two axes; else there is none.
    """
    if order == tuple(range(len(order))):
        return product
    shape = product.shape
    planes = {n: turned_plane(p, order) if p.shape == shape else p for n, p in product.planes.items()}
    joint = product.joint
    joint = turned_plane(joint, order) if joint is not None and joint.shape == shape else joint
    load = product.load_wcs

    def load_wcs() -> WcsResult:
        found = load()
        return replace(found, wcs=turned_wcs(found.wcs, order))

    none = WcsResult(None, absent=True)
    return replace(product, planes=planes, joint=joint, load_wcs=load_wcs if sky else lambda: none)


def turned_wcs(wcs: Any, order: Order) -> Any:
    """Return a WCS for the array with its axes in another order; None for one that has other axes."""
    low = getattr(wcs, "low_level_wcs", wcs)
    if low is None or low.pixel_n_dim != len(order):
        return None
    pixel = [len(order) - 1 - axis for axis in order][::-1]  # x first
    if hasattr(wcs, "sub") and hasattr(wcs, "wcs") and wcs.naxis == len(order):
        try:
            return wcs.sub([axis + 1 for axis in pixel])
        except ValueError:
            pass  # distortions, which only the wrapper keeps
    from jviz.backend.cubes.reordered import Reordered

    return Reordered(low, pixel)

"""What commands that measure images share: the pixels meant, the place meant, and the profile that is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.dq import flag_bits
from jviz.backend.units import parse_unit
from jviz.data import Profile, WithPicture, from_product
from jviz.errors import CommandError
from jviz.geometry import geometry_of
from jviz.pixels import Pixels
from jviz.placement import outlines_of
from jviz.positions import Position, pixel_of
from jviz.subsets import Subset

__all__ = ["MENU", "centre_of", "corners_of", "pixels_of", "profile_of", "subset_of", "with_unit"]

MENU = "Image/Measure"


def pixels_of(session: Any, data: WithPicture, exclude_flags: Any = None) -> Pixels:
    """Return the pixels that are measured: those of the slice that a view shows."""
    layers = [layer for view in session.views.values() for layer in view.layers if layer.data is data]
    index = getattr(layers[-1], "index", ()) if layers else ()
    plane = getattr(layers[-1], "plane", "") if layers else ""
    plane = plane if plane and data.plane(plane).meaning != "flags" else ""
    return Pixels(data, plane, index, exclude=flag_bits(exclude_flags, data.product.flags))


def centre_of(session: Any, data: WithPicture, position: Position | None) -> tuple[float, float]:
    """Return the pixel that is meant; the middle of the last view of the data by default."""
    if position is not None:
        return pixel_of(session, data, position)[:2]
    for view in reversed(list(session.views.values())):
        if "image" in view.kinds() and view.layers and view.layers[0].data is data:
            return geometry_of(view).centre
    ny, nx = data.shape[-2:]
    return (nx - 1) / 2, (ny - 1) / 2


def with_unit(values: np.ndarray, unit: str) -> Any:
    """Return numbers with the unit of a file, bare when astropy does not know it."""
    known = parse_unit(unit) if unit else None
    return values if known is None else values * known


def profile_of(name: str, label: str, columns: dict[str, Any], meta: dict[str, Any]) -> Profile:
    """Make a profile of columns; those that are None are left out."""
    from astropy.table import QTable

    from jviz.conversion.taken import take_profile

    kept = {key: value for key, value in columns.items() if value is not None}
    return from_product(take_profile(QTable(kept, meta=meta), name, label))  # type: ignore[return-value]


def subset_of(session: Any, data: WithPicture, region: Any) -> Subset:
    """Return the subset of a name, or a region as one."""
    if isinstance(region, Subset):
        return region
    if not isinstance(region, str):
        return Subset("region", region, data)
    return session.find_subset(region)


def corners_of(session: Any, data: WithPicture, path: Any) -> np.ndarray:
    """Return the corners of a path in data pixels, shape (n, 2)."""
    is_name = isinstance(path, Subset) or (isinstance(path, str) and path in session.subsets)
    if is_name or hasattr(path, "to_sky") or hasattr(path, "to_pixel"):
        outlines = _outlines(session, data, path)
        points = outlines.points[: outlines.starts[1]]
        return np.vstack([points, points[:1]]) if outlines.closed[0] else points
    if not isinstance(path, list | tuple | np.ndarray) or len(path) < 2:
        raise CommandError(f"{path!r} is no path: give two or more positions, a region or the name of a subset.")
    corners = np.array([pixel_of(session, data, tuple(p) if isinstance(p, np.ndarray) else p)[:2] for p in path])
    if not np.isfinite(corners).all():
        raise CommandError("The path has corners that are not finite numbers.")
    return corners


def _outlines(session: Any, data: WithPicture, region: Any) -> Any:
    """Return the outlines of a region or a subset in the pixels of some data."""
    outlines = outlines_of({"region": subset_of(session, data, region)}, data).outlines
    if not len(outlines) or not np.isfinite(outlines.points).any():
        raise CommandError(f"That region has no outline on {data.name}; take another one.")
    return outlines

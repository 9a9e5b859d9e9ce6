"""Where subsets lie in the pixels of an image: through the sky of both, or pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jviz.backend.regions.outlines import ERROR, Outlines
from jviz.backend.regions.placing import HERE, place
from jviz.data import Data
from jviz.subsets import Subset

__all__ = ["Placement", "home_of", "outlines_of", "ready_sky"]


@dataclass(frozen=True)
class Placement:
    """Outlines of subsets in the pixels of one image.

    Attributes
    ----------
    names : tuple of str
        The subsets with a region; ``outlines.owners`` counts them.
    outlines : Outlines
    """

    names: tuple[str, ...]
    outlines: Outlines


def ready_sky(data: Any) -> Any:
    """Return the sky map of data when it is at hand, else None."""
    return data.sky if getattr(data, "wcs_ready", False) else None


def home_of(subset: Subset, data: Data, *view: Any) -> Any:
    """Return what `jviz.backend.regions.placing.place` wants to know of the image that a subset belongs to.

    Images that are not both on the sky are linked by their pixels.

    Parameters
    ----------
    view : SkyMap or None, optional
        The sky of the data as far as it is at hand. With it nothing is waited for, and None is
        returned for subsets that cannot be placed (yet).
    """
    if subset.data is None or subset.data is data:
        return HERE if subset.kind != "sky" or not view or view[0] is not None else None
    home, target = (ready_sky(subset.data), view[0]) if view else (_sky(subset.data), _sky(data))
    if home is None or target is None:
        return HERE if home is target or not view else None
    return home


def _sky(data: Any) -> Any:
    return getattr(data, "sky", None)


def outlines_of(subsets: Mapping[str, Subset], data: Data, *, error: float = ERROR) -> Placement:
    """Return the outlines of all regions (pixel and sky) among subsets, in the pixels of some data.

    The sky of the data must be ready (`Data.wcs_ready`), or this waits for it.

    Parameters
    ----------
    subsets : mapping of str to Subset
        ``session.subsets``.
    data : Data
        An image, a cube …
    error : float
        Largest distance in pixels between a curve and its polyline.

    Returns
    -------
    Placement
        Subsets that are masks or spectral ranges are left out.
    """
    wanted = {name: subset for name, subset in subsets.items() if subset.kind in ("pixel", "sky")}
    homes = [home_of(subset, data) for subset in wanted.values()]
    found = place([s.source for s in wanted.values()], homes, _sky(data), error=error)
    return Placement(tuple(wanted), found)

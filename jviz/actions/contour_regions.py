"""The command that makes regions of what lies within contours."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.actions.region_file import subsets_of
from jviz.backend.contours import Area, Side, areas
from jviz.backend.progress import Progress
from jviz.backend.regions.converting import combined, to_sky
from jviz.commands import command
from jviz.contouring import samples_of
from jviz.data import WithPicture
from jviz.errors import CommandError
from jviz.running import Apply
from jviz.session import Session
from jviz.subsets import Subset

MOST, HOLES = 1000, 100
"""Regions that are made at once, and holes that are cut out of each; of more the largest are taken."""


@command(
    "region.from_contours", title="Regions from Contours…", menu="Regions", job=True, group="file", needs="image",
    icon="fa6s.draw-polygon",
)  # fmt: skip
def from_contours(
    session: Session,
    data: WithPicture | None = None,
    level: float | None = None,
    side: Side = "above",
    *,
    smoothing: float | None = None,
    least: float = 9.0,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Make regions of the areas in which an image is above a level, within its contours.

    Parameters
    ----------
    data : image, optional
        That of the active layer by default.
    level : float, optional
        In the unit of the image; by default the lowest one of its contours that are drawn.
    side : {"above", "below"}
        Which side of the contour is inside.
    smoothing : float, optional
        Sigma, in pixels, of a Gaussian that the image is smoothed by first; by default that of the contours that are
        drawn, or none.
    least : float
        Smaller areas, in pixels, are left out, and smaller holes filled.
    name : str
        Of the regions and their group; "m31 above 3.5" by default.

    Returns
    -------
    list of Subset
        The largest first; polygons of the sky where the image has one, with holes cut out.
    """
    data, layer = _chosen(session, data)
    level = _level(data, layer, level)
    if smoothing is None:
        smoothing = layer.contour_smoothing if layer is not None else 0.0
    if smoothing < 0 or least < 0:
        raise CommandError(f"The smoothing ({smoothing:g}) and the least area ({least:g}) must be 0 or more pixels.")
    raster = layer.raster() if layer is not None else data.raster()
    values, origin, step = samples_of(raster, smoothing, progress)
    found = [area for area in areas(values, level, side, origin=origin, step=step) if area.size >= max(least, 1e-6)]
    if not found:
        raise CommandError(f"{data.name} has no area {side} {level:g} of {least:g} pixels or more; try another level.")
    stem = name.strip() or f"{data.name} {side} {level:g}"
    regions = [_region(area, data, least) for area in found[:MOST]]

    def apply() -> list[Subset]:
        added = subsets_of(session.subsets, regions, data, stem, stem)
        session.set_subsets({**session.subsets, **{s.name: s for s in added}})
        if len(found) > MOST:
            said = f"{data.name} has {len(found):,} areas {side} {level:g}"
            session.notice("warning", f"{said}; the {MOST:,} largest became regions.")
        return added

    given = {"data": data, "level": level, "smoothing": smoothing}
    return Apply(apply, f"Regions of {data.name} {side} {level:g}", given)


def _chosen(session: Session, data: WithPicture | None) -> tuple[WithPicture, Any]:
    """Return the image and a layer that shows it, one with contours before others."""
    layers = [layer for view in session.views.values() if "image" in view.kinds() for layer in view.layers]
    if data is None:
        view = session.find_view(None, "image")
        if view.layer is None:
            raise CommandError(f"{view.name} shows no image yet, so there is nothing to make regions of.")
        data = view.layer.data
    own = sorted((layer for layer in layers if layer.data is data), key=lambda layer: not layer.contour_levels)
    return data, own[0] if own else None


def _level(data: WithPicture, layer: Any, level: float | None) -> float:
    if level is None and layer is not None and layer.contour_levels:
        level = min(layer.contour_levels)
    if level is None:
        raise CommandError(f"No contours of {data.name} are drawn, so say which level is meant.")
    if not np.isfinite(level):
        raise CommandError(f"{level} is no level; give a finite number.")
    return float(level)


def _region(area: Area, data: WithPicture, least: float) -> Any:
    from regions import PixCoord, PolygonPixelRegion

    edges = area.edge, *(hole for hole in area.largest_holes(HOLES, least))
    whole, *holes = (PolygonPixelRegion(PixCoord(*edge.T)) for edge in edges)
    for hole in holes:
        whole = combined(whole, hole, "andnot")
    if data.sky is None:
        return whole
    try:
        return to_sky(whole, data.sky)
    except CommandError:
        return whole  # a part of it lies beside the sky

"""The command that counts the pixels of an image, of a region or of what is in sight by their values."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress
from jviz.backend.regions.masks import Target, Weights, weights
from jviz.commands import command
from jviz.data import Profile, WithPicture
from jviz.errors import CommandError
from jviz.geometry import geometry_of
from jviz.linking import place_in
from jviz.measuring import MENU, pixels_of, profile_of, subset_of, with_unit
from jviz.pixels import Pixels
from jviz.placement import home_of
from jviz.running import Apply
from jviz.session import Session
from jviz.subsets import Subset, next_color
from jviz.views import ImageView


@command("image.histogram", title="Histogram…", menu=MENU, needs="image", group="cuts", job=True)
def histogram(
    session: Session,
    data: WithPicture,
    region: Any = None,
    bins: int = 256,
    *,
    within: Literal["image", "view"] = "image",
    view: ImageView | None = None,
    low: float | None = None,
    high: float | None = None,
    exclude_flags: Any = None,
) -> Profile | Apply:
    """Count the pixels of an image, of a region of it, or of what is in sight, by their values.

    Parameters
    ----------
    region : region or name of a subset, optional
        Pixels whose centres lie inside; the whole image by default.
    within : str
        "view" counts only what is in sight; the script names that part as a region.
    view : view, optional
        Whose sight it is; the newest one that shows the image by default.
    low, high : float, optional
        Range of the bins; from the 0.1th to the 99.9th percentile by default.
    """
    if within == "image":
        return _counted(session, data, region, bins, low, high, exclude_flags)
    if region is not None:
        raise CommandError("A histogram is of a region or of what is in sight; give one of the two.")
    seen = in_sight(_showing(session, data, view), data)
    made = _counted(session, data, seen, bins, low, high, exclude_flags)
    return Apply(lambda: made, "Histogram of what is in sight", {"region": seen, "within": "image", "view": None})


@command("image.select_values", title="Region of Values…", menu=MENU, needs="image", group="cuts", job=True)
def select_values(
    session: Session,
    data: WithPicture,
    low: float | None = None,
    high: float | None = None,
    region: Any = None,
    name: str = "",
    *,
    exclude_flags: Any = None,
    progress: Progress,
) -> Apply:
    """Make a subset of the pixels of an image whose values lie in a range.

    Parameters
    ----------
    low, high : float, optional
        In the unit of the image; both count as inside. Without one of them that side is open.
    region : region or name of a subset, optional
        Only pixels whose centres lie inside.
    name : str
        Of the subset, by default the range; one of that name is replaced.
    exclude_flags : str, int or list, optional
        Pixels with any of these flags are left out.
    """
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    if not low <= high or (low, high) == (-np.inf, np.inf):
        raise CommandError("Say which values: give low, high, or both, the lower one first.")
    pixels = pixels_of(session, data, exclude_flags)
    mask = np.zeros(data.shape, bool)
    inside = mask[pixels.index]
    for row in range(0, len(inside), 512):
        progress(row, len(inside), "Reading")
        rows = slice(row, min(row + 512, len(inside)))
        values = pixels.read(rows, slice(None))[0]
        inside[rows] = (values >= low) & (values <= high)
    if region is not None:
        box = _inside(session, pixels, region)
        within = np.zeros(inside.shape, bool)
        within[box.slices] = box.values > 0
        inside &= within
    if not inside.any():
        raise CommandError(f"No pixel of {data.name} lies between {low:.6g} and {high:.6g} there; widen the range.")
    name = name.strip() or f"{data.name}: {low:.4g} to {high:.4g}"
    return Apply(partial(_as_subset, session, name, mask, data))


def _as_subset(session: Session, name: str, mask: np.ndarray, data: WithPicture) -> Subset:
    old = session.subsets.get(name) or Subset(name, mask, data, color=next_color(session.subsets))
    made = old.but(region=mask, data=data)
    session.set_subsets({**session.subsets, name: made})
    session.notice("status", f"{name}: {np.count_nonzero(mask):,} pixels")
    return made


def _showing(session: Session, data: WithPicture, view: ImageView | None) -> ImageView:
    if view is not None:
        return session.find_view(view, "image")  # type: ignore[return-value]
    for one in reversed(list(session.views.values())):
        if isinstance(one, ImageView) and any(layer.data is data for layer in one.layers):
            return one
    raise CommandError(f"No view shows {data.name}, so nothing of it is in sight; open it in a view first.")


def in_sight(view: ImageView, data: WithPicture) -> Any:
    """Return the part of an image that a view shows, a `regions.PolygonPixelRegion` in its pixels.

    Edges are bent as the sky bends them where the image lies on another one's.
    """
    from regions import PixCoord, PolygonPixelRegion

    geometry, base = geometry_of(view), view.layers[0].data
    bent = data is not base and view.align == "sky" and None not in (base.sky, data.sky)
    steps = np.linspace(0, 1, 16, endpoint=False) if bent else np.zeros(1)
    corners = np.array([(0, 0), (geometry.width, 0), (geometry.width, geometry.height), (0, geometry.height)])
    ways = np.roll(corners, -1, axis=0) - corners
    edge = (corners[:, None] + steps[:, None] * ways[:, None]).reshape(-1, 2)
    x, y = geometry.to_data(*edge.T)
    if bent:
        x, y = place_in(base, data, x, y)
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 3:
        raise CommandError(f"What {view.name} shows is not on the sky of {data.name}.")
    return PolygonPixelRegion(PixCoord(x[known], y[known]))


def _counted(
    session: Session, data: WithPicture, region: Any, bins: int, low: float | None, high: float | None, flags: Any
) -> Profile:
    import astropy.units as u

    if not 2 <= bins <= 100_000:
        raise CommandError(f"{bins} bins make no histogram; give 2 to 100,000.")
    pixels = pixels_of(session, data, flags)
    values = _values_inside(session, pixels, region)
    if not len(values):
        raise CommandError(f"No pixel of {data.name} with a value lies there.")
    percentiles = np.percentile(values if len(values) < 4_000_000 else values[:: len(values) // 2_000_000], (0.1, 99.9))
    low, high = (float(p) if given is None else given for p, given in zip(percentiles, (low, high), strict=True))
    if low >= high:
        low, high = low - 0.5, low + 0.5
    counts, edges = np.histogram(values, bins, (low, high))
    columns = {
        "bin_center": with_unit((edges[1:] + edges[:-1]) / 2, pixels.unit),
        "pixels": counts * u.one,
        "pixels_err": np.sqrt(counts) * u.one,
    }
    meta = {"x": "bin_center", "y": "pixels", "x_label": data.name, "y_label": "Pixels", "n": len(values)}
    return profile_of(f"histogram of {data.name}", f"histogram of {data.name}", columns, meta)


def _values_inside(session: Session, pixels: Pixels, region: Any) -> np.ndarray:
    if region is None:
        rows = max(1, (8 << 20) // pixels.shape[1])
        parts = []
        for row in range(0, pixels.shape[0], rows):
            part = pixels.read(slice(row, min(row + rows, pixels.shape[0])), slice(None))[0].astype(np.float32)
            parts.append(part[np.isfinite(part)])
        return np.concatenate(parts)
    found = _inside(session, pixels, region)
    values = pixels.read(*found.slices)[0][found.values > 0]
    return values[np.isfinite(values)]


def _inside(session: Session, pixels: Pixels, region: Any) -> Weights:
    """Return which pixels have their centres in a region."""
    subset = subset_of(session, pixels.data, region)
    target = Target(pixels.shape, pixels.data.sky)
    return weights(subset.region, target, home=home_of(subset, pixels.data), mode="center")

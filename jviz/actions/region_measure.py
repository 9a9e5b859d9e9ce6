"""Commands that measure regions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.actions.region import found, free_name
from jviz.backend.progress import Progress
from jviz.backend.regions.converting import is_pixel, moved, to_pixel, to_sky
from jviz.backend.render.limits import limits
from jviz.commands import command
from jviz.data import Cube, Data, Image, Ramp, Spectrum2D
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS, flags_meant
from jviz.placement import home_of
from jviz.region_statistics import LiveStatistics, table_of
from jviz.running import Apply
from jviz.session import Session
from jviz.subsets import Subset
from jviz.views import ImageView

Pictures = Image | Cube | Spectrum2D | Ramp


@command(
    "region.statistics", title="Region Statistics…", menu="Regions", job=True, group="measure", icon="fa6s.table",
    needs="data",
)  # fmt: skip
def statistics(
    session: Session,
    data: Pictures,
    region: Any = None,
    *,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    plane: str = "",
    index: tuple[int, ...] = (),
    mode: Literal["exact", "center"] = "exact",
    progress: Progress,
) -> Any:
    """Measure the pixels in regions.

    Parameters
    ----------
    data : Data
        The image, or a cube of which a slice is measured.
    region : str, list of str, or regions.Region, optional
        All regions of the session by default.
    exclude_flags : str, int or list, optional
        Flags whose pixels are not used, by names ("SATURATED,JUMP_DET"), as "bit 3", or a value; by default
        those that the view of the image leaves out (`dq.exclude`), at first DO_NOT_USE. "none": use all that
        are finite.
    plane : str, optional
        The first by default.
    index : tuple of int, optional
        Slice of a cube; the middle by default.
    mode : {"exact", "center"}
        Weigh each pixel by the part inside, or take those whose centre is.

    Returns
    -------
    QTable
        One row each: n_pixels, n_excluded (of these n_flagged, n_nan), area, sum, sum_err, mean, median, std,
        the same clipped at 3 σ, min, max, centroid_x, centroid_y, sky_centroid, semimajor, semiminor,
        orientation, surface_brightness, flux, flux_err, note. The area is that of the pixels used.
    """
    exclude_flags = flags_meant(session, data, exclude_flags)
    live = LiveStatistics(data, plane=plane, index=tuple(index), exclude_flags=exclude_flags, mode=mode)
    return table_of(live, chosen(session, region, data), progress=progress)


@command("region.recentre", title="Recentre Region", menu="Regions", group="measure", icon="fa6s.crosshairs")
def recentre(session: Session, name: str | list[str], data: Pictures | None = None) -> list[Subset]:
    """Move regions to the centroid of the light in them, above the median round it.

    Parameters
    ----------
    name : str or list of str
    data : Data, optional
        The image whose light counts; by default the one that the region belongs to.
    """
    new = {}
    for subset in found(session, name):
        if subset.locked:
            raise CommandError(f"{subset.name} is locked; unlock it first.")
        image = data or subset.data or _only_image(session)
        new[subset.name] = subset.but(region=_recentred(subset, image))
    session.set_subsets({n: new.get(n, s) for n, s in session.subsets.items()})
    return list(new.values())


@command(
    "region.limits", title="Limits from Regions", menu="Regions", job=True, group="measure", needs="image",
    icon="fa6s.circle-half-stroke",
)  # fmt: skip
def limits_of(
    session: Session,
    region: str | list[str] | None = None,
    view: ImageView | None = None,
    *,
    mode: Literal["auto", "minmax", "percentile", "zscale"] = "auto",
    low: float = 0.5,
    high: float = 99.5,
    progress: Progress,
) -> Apply:
    """Set the display limits of the active layer by its pixels in regions.

    Parameters
    ----------
    region : str or list of str, optional
        By default those that are selected.
    mode : {"auto", "minmax", "percentile", "zscale"}
        ``percentile`` takes ``low`` and ``high`` in per cent.

    Returns
    -------
    (float, float)
        The limits, which stay when the regions are moved.
    """
    layer = session.find_view(view, "image").layer
    if layer is None:
        raise CommandError("The view shows no image yet, so it has no limits; open one.")
    names = list(session.interaction.selected) if region is None else region
    if not names:
        raise CommandError("No region is selected; select one, or name it by region=….")
    live = LiveStatistics(layer.data, plane=layer.plane, index=layer.index)
    parts = []
    for subset in found(session, names):
        box = live.weights(subset)
        if box.values.size:
            parts.append(live.read(subset)[box.counted])
    values = np.concatenate([*parts, np.empty(0)])
    if not np.isfinite(values).any():
        raise CommandError(f"The regions hold no finite pixels of {layer.data.name}; the limits stay as they are.")
    chosen_limits = limits(values, mode, **({"low": low, "high": high} if mode == "percentile" else {}))

    def apply() -> tuple[float, float]:
        layer.update(limits_mode="manual", manual_limits=chosen_limits)
        return chosen_limits

    return Apply(apply, "Limits from Regions", {"region": names})


def chosen(session: Session, region: Any, data: Data) -> list[Subset]:
    """Return the subsets that a command means: by name, as objects, or all regions of images."""
    if region is None:
        return [s for s in session.subsets.values() if _fits(s, data)]
    if isinstance(region, str | Subset) or not isinstance(region, list | tuple):
        region = [region]
    names: dict[str, Subset] = {}
    for one in region:
        if isinstance(one, str):
            subset = found(session, one)[0]
        elif isinstance(one, Subset):
            subset = one
        else:
            subset = Subset(free_name(names, None), one, data)
        names[subset.name] = subset
    return list(names.values())


def _fits(subset: Subset, data: Data) -> bool:
    if subset.kind == "mask":
        return subset.region.ndim >= 2 and subset.region.shape[-2:] == data.shape[-2:]
    return subset.kind in ("pixel", "sky")


def _only_image(session: Session) -> Data:
    for view in reversed(session.views.values()):
        if "image" in view.kinds() and view.layers:
            return view.layers[0].data
    images = [d for d in session.data if isinstance(d, Pictures)]
    if len(images) != 1:
        raise CommandError("Say which image counts: give data=….")
    return images[0]


_CLOSE = 1e-3
_ROUNDS = 10


def _recentred(subset: Subset, data: Data) -> Any:
    """Go to the centroid until it stays; the median of the box is taken off, or the sky would hold it back."""
    live = LiveStatistics(data)
    region = subset.region
    for _ in range(_ROUNDS):
        here = _centre_of_light(live, subset.but(region=region))
        x, y = _middle(live, subset.but(region=region))
        if np.hypot(here[0] - x, here[1] - y) < _CLOSE:
            break
        region = _moved(region, (x, y), here, subset, data)
    return region


def _pixels(live: LiveStatistics, subset: Subset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    box = live.weights(subset)
    if not box.values.size:
        raise CommandError(f"{subset.name} lies outside of {live.data.name}; move it onto the image.")
    y, x = np.mgrid[box.slices]
    return box.values.astype(float), x, y


def _middle(live: LiveStatistics, subset: Subset) -> tuple[float, float]:
    w, x, y = _pixels(live, subset)
    return float((w * x).sum() / w.sum()), float((w * y).sum() / w.sum())


def _centre_of_light(live: LiveStatistics, subset: Subset) -> tuple[float, float]:
    w, x, y = _pixels(live, subset)
    light = np.nan_to_num(live.read(subset))
    use = (w > 0) & np.isfinite(live.read(subset))
    if not use.any():
        raise CommandError(f"{subset.name} has no finite pixels on {live.data.name}; it stays where it is.")
    w = w * np.maximum(light - np.median(light[use]), 0.0) * use
    if not w.sum() > 0:
        raise CommandError(f"{subset.name} holds no light above its median; it stays where it is.")
    return float((w * x).sum() / w.sum()), float((w * y).sum() / w.sum())


def _moved(region: Any, old: tuple, new: tuple, subset: Subset, data: Data) -> Any:
    """Shift a region by what leads from one pixel of the image to another."""
    if isinstance(region, np.ndarray):
        raise CommandError(f"{subset.name} is a mask of pixels and cannot be moved.")
    if is_pixel(region) and not hasattr(home_of(subset, data), "sky_to_pixel"):
        return moved(region, new[0] - old[0], new[1] - old[1])
    home = subset.data.sky if is_pixel(region) else data.sky
    if is_pixel(region):
        (x0, x1), (y0, y1) = home.sky_to_pixel(*data.sky.pixel_to_sky(*np.transpose([old, new])))
        return moved(region, float(x1 - x0), float(y1 - y0))
    shifted = moved(to_pixel(region, home), new[0] - old[0], new[1] - old[1])
    return to_sky(shifted, home)

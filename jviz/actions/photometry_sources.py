"""Commands that work out backgrounds and find sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.actions.region_measure import chosen
from jviz.backend.images.picture import Picture
from jviz.backend.photometry.backgrounds import Estimator, Rms, clipped_scatter, mesh_background, uncovered
from jviz.backend.photometry.sources import Found, Method, peaks, segments, stars
from jviz.backend.progress import Progress
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field
from jviz.pictures import data_from, picture_of
from jviz.running import Apply, add_data
from jviz.session import Session

MENU = "Photometry"


@command("photometry.background", title="Background…", menu=MENU, job=True, group="background", needs="image",
         icon="fa6s.chess-board")  # fmt: skip
def background(
    session: Session,
    data: Image,
    box_size: int = 64,
    filter_size: int = 3,
    *,
    estimator: Estimator = "median",
    rms: Rms = "std",
    region: Any = None,
    segmentation: Image | None = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    clip: float = 3.0,
    subtract: bool = False,
    progress: Progress,
) -> list[Image]:
    """Work out the background of an image in meshes, and its scatter; or subtract it too.

    Parameters
    ----------
    box_size : int
        Side of the meshes in pixels; larger than the sources.
    filter_size : int
        Meshes over which a median is taken, an odd number.
    estimator : {"median", "mean", "mode", "sextractor", "mmm", "biweight"}
        The level of a mesh, from values clipped at ``clip`` deviations.
    rms : {"std", "mad", "biweight"}
        The scatter of a mesh.
    region : str, list of str or regions.Region, optional
        Sources that are left out.
    segmentation : Data, optional
        An image whose pixels above 0 are sources, as `photometry.detect` makes it.
    exclude_flags : str, int or list, optional
        Flags whose pixels are left out.
    subtract : bool
        Make the image less its background too.

    Returns
    -------
    list of Image
        The background, its scatter, and with ``subtract`` the image without it (its errors and flags are kept).
    """
    picture = picture_of(data, progress=progress)
    mask = _mask(session, data, picture, region, segmentation, exclude_flags)
    progress(0, 1, "background")
    level, scatter = mesh_background(
        picture.values, box_size, filter_size, estimator, rms, mask=mask if mask.any() else None, clip=clip
    )
    what = f"meshes of {box_size} pixels, filter {filter_size}, {estimator}"
    plain = Picture(level.astype(picture.values.dtype), None, None, picture.unit, picture.wcs)
    made = [
        data_from(plain, f"{data.name} background", data, f"background of {data.name}, {what}"),
        data_from(plain.but(values=scatter.astype(picture.values.dtype)), f"{data.name} background rms", data,
                  f"scatter of the background of {data.name}, {what}, {rms}"),
    ]  # fmt: skip
    if subtract:
        less = picture.but(values=(picture.values - level).astype(picture.values.dtype))
        made.append(data_from(less, f"{data.name} less background", data, f"{data.name} less its background, {what}"))
    return made


@command("photometry.detect", title="Find Sources…", menu=MENU, job=True, group="sources", needs="image",
         icon="fa6s.magnifying-glass-plus")  # fmt: skip
def detect(
    session: Session,
    data: Image,
    method: Method = "segmentation",
    snr: float = 3.0,
    *,
    npixels: int = 5,
    fwhm: float = 2.0,
    deblend: bool = True,
    contrast: float = 0.005,
    levels: int = 32,
    box_size: int = 64,
    noise: Literal["background", "errors"] = "background",
    region: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Find the sources of an image above its background.

    Parameters
    ----------
    method : {"segmentation", "dao", "peaks"}
        Connected pixels above a threshold, which also gives an image of the segments; stars by DAOFIND; local maxima.
    snr : float
        Threshold over the noise; of segments over that of the smoothed image.
    npixels : int
        Fewest pixels of a segment; side of the box in which a peak is the highest.
    fwhm : float
        Of stars, in pixels: of the Gaussian that smooths segments (0: none), of DAOFIND's kernel.
    deblend : bool
        Split segments with several peaks, each with more than ``contrast`` of the light, at so many ``levels``.
    box_size : int
        Side of the meshes of the background in pixels; 0: it is subtracted already, the noise is one for all.
    noise : {"background", "errors"}
        The scatter of the background, or the errors of the pixels.
    region : str, list of str or regions.Region, optional
        Where no sources are looked for.
    exclude_flags : str, int or list, optional
        Flags whose pixels are not used.

    Returns
    -------
    Catalog
        label, x_centroid, y_centroid (pixels), sky_centroid, and numbers of the method.
    """
    prepared = prepare(session, data, box_size, noise, region, exclude_flags, progress)
    if method == "segmentation":
        found = segments(prepared.values, prepared.rms, snr=snr, npixels=npixels, fwhm=fwhm, mask=prepared.mask,
                         deblend=deblend, levels=levels, contrast=contrast, progress=progress)  # fmt: skip
        table = None if found is None else _segment_table(found, prepared)
    else:
        found, table = None, _point_table(prepared, method, snr, fwhm, npixels)
    if table is None or not len(table):
        raise CommandError(
            f"No source of {data.name} is above S/N {snr:g} ({method}); lower snr or npixels, or look at the noise."
        )
    table = with_places(table, Field(session, data), data)
    catalog = catalog_of(table, name or f"{data.name} sources")
    maps = [] if found is None else [segment_image(found, prepared.picture, data)]

    def end() -> Catalog:
        add_data(session, maps)
        return catalog

    return Apply(end, f"Find {len(table)} Sources in {data.name}")


# --- what they share ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prepared:
    """An image less its background, with the noise of each pixel and what is not used."""

    picture: Picture
    values: np.ndarray
    level: np.ndarray
    rms: np.ndarray
    mask: np.ndarray


def prepare(
    session: Session, data: Image, box_size: int, noise: str, region: Any, exclude_flags: Any, progress: Progress
) -> Prepared:
    """Subtract the background and find the noise.

    Raises
    ------
    CommandError
        When no pixel is left, or errors are asked for that there are not.
    """
    picture = picture_of(data, progress=progress)
    mask = _mask(session, data, picture, region, None, exclude_flags)
    empty = uncovered(picture.values)
    if (mask | empty).all():
        raise CommandError(f"{data.name} has no pixel to look at: all are NaN, flagged, masked or off the field.")
    progress(0, 3, "background")
    if box_size:
        level, rms = mesh_background(picture.values, box_size, mask=mask if mask.any() else None)
    else:
        scatter = np.nan if noise == "errors" else clipped_scatter(picture.values[~(mask | empty)])
        level, rms = np.zeros(picture.shape, np.float32), np.full(picture.shape, scatter, np.float32)
    if noise == "errors":
        if picture.error is None:
            raise CommandError(f"{data.name} has no plane of errors; take the scatter of the background as noise.")
        rms = np.where(picture.error > 0, picture.error, np.nan)
    kind = picture.values.dtype
    values = np.where(empty, np.nan, picture.values - level).astype(kind)
    return Prepared(picture, values, level.astype(kind), rms.astype(kind), mask | empty)


def _mask(session: Session, data: Image, picture: Picture, region: Any, segmentation: Any, flags: Any) -> np.ndarray:
    """Return which pixels are not used: in regions, in segments, with flags."""
    field = Field(session, data, exclude_flags=flags)
    hidden = np.zeros(picture.shape, bool)
    if region:
        for subset in chosen(session, region, data):
            inside = field.weights(subset, "center")
            hidden[inside.slices] |= inside.values > 0
    if segmentation is not None:
        plane = segmentation.plane()
        if plane.shape[-2:] != picture.shape:
            raise CommandError(f"{segmentation.name} has shape {plane.shape}; {data.name} has {picture.shape}.")
        hidden |= plane.read().reshape(picture.shape) > 0
    if picture.dq is not None and field.bits:
        hidden |= (picture.dq.astype(np.int64) & field.bits) != 0
    return hidden


def segment_image(found: Found, picture: Picture, like: Image) -> Image:
    """Make an image of the labels of segments."""
    labels = Picture(found.image.data.astype(np.int32), None, None, "", picture.wcs)
    name = f"{like.name} segments"
    return data_from(labels, name, like, f"{found.image.n_labels} segments of {like.name}")


def _segment_table(found: Found, prepared: Prepared) -> Any:
    """Return centroids, areas and peaks of segments by sums over labels."""
    from astropy.table import QTable

    labels, data = np.asarray(found.image.labels), found.image.data
    light = np.where(np.isfinite(found.smooth), found.smooth, 0).clip(0)
    rows, columns = np.nonzero(data)
    which, weight = data[rows, columns], light[rows, columns].astype(float)
    total, x, y = (np.bincount(which, w, data.max() + 1)[labels] for w in (weight, weight * columns, weight * rows))
    order = np.argsort(which, kind="stable")
    start = np.searchsorted(which[order], labels)
    values = prepared.values[rows, columns][order]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.fmax.reduceat(values / prepared.rms[rows, columns][order], start)
    peak = np.fmax.reduceat(values, start)
    return QTable({
        "label": labels, "x_centroid": x / total, "y_centroid": y / total,
        "area": np.bincount(which, minlength=data.max() + 1)[labels], "peak": peak, "peak_snr": ratio,
    })  # fmt: skip


def _point_table(prepared: Prepared, method: str, snr: float, fwhm: float, size: int) -> Any:
    """Return stars or peaks with photutils' numbers, named as those of segments are."""
    from astropy.table import QTable

    if method == "dao":
        rms = float(np.nanmedian(prepared.rms[~prepared.mask]))
        found = stars(prepared.values, rms, snr=snr, fwhm=fwhm, mask=prepared.mask)
    else:
        found = peaks(prepared.values, prepared.rms, snr=snr, size=size, mask=prepared.mask)
    if found is None:
        return None
    renamed = {"id": "label", "x_peak": "x_centroid",
               "y_peak": "y_centroid", "peak_value": "peak"}  # fmt: skip
    table = QTable({renamed.get(n, n): np.asarray(found[n]) for n in found.colnames})
    x, y = (np.rint(np.asarray(table[n], float)).astype(int) for n in ("x_centroid", "y_centroid"))
    with np.errstate(divide="ignore", invalid="ignore"):
        table["peak_snr"] = prepared.values[y, x] / prepared.rms[y, x]
    return table


def with_places(table: Any, field: Field, data: Image) -> Any:
    """Add the places on the sky after those in pixels, and the unit of peaks."""
    if data.sky is not None:
        x, y = (np.asarray(table[n], float) for n in ("x_centroid", "y_centroid"))
        table.add_column(field.coordinates(x, y), table.index_column("y_centroid") + 1, "sky_centroid")
    for name in ("peak", "flux"):
        if name in table.colnames and not getattr(table[name], "unit", None):
            table[name] = np.asarray(table[name]) * field.unit
    table.meta["image"] = data.name
    return table

"""Commands that work out backgrounds and find sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.actions.region_measure import chosen
from jviz.backend.images.picture import Picture
from jviz.backend.photometry.backgrounds import Estimator, Rms
from jviz.backend.photometry.segmenting import Segments, find_segments
from jviz.backend.photometry.sources import Method, find_points, segment_table
from jviz.backend.progress import Progress
from jviz.backend.room import let_go, room
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field
from jviz.photometry_tiles import Noise, Scene
from jviz.pictures import data_from, picture_of, plane_of, plane_wcs
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
    edge: int = 0,
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
    edge : int
        Pixels nearer than so many to the edge of the field are left out.
    subtract : bool
        Make the image less its background too.

    Returns
    -------
    list of Image
        The background, its scatter, and with ``subtract`` the image without it (its errors and flags are kept).
    """
    scene = scene_of(session, data, region, exclude_flags, edge, segmentation)
    scene.measure(box_size, filter_size, estimator, rms, clip=clip, progress=progress)
    what = f"meshes of {box_size} pixels, filter {filter_size}, {estimator}"
    level, scatter, less = _background_planes(scene, subtract, progress)
    plain = Picture(level, None, None, scene.field.plane.unit, plane_wcs(data))
    made = [
        data_from(plain, f"{data.name} background", data, f"background of {data.name}, {what}"),
        data_from(plain.but(values=scatter), f"{data.name} background rms", data,
                  f"scatter of the background of {data.name}, {what}, {rms}"),
    ]  # fmt: skip
    if less is not None:
        whole = data_from(plain.but(values=less), f"{data.name} less background", data,
                          f"{data.name} less its background, {what}")  # fmt: skip
        beside = (plane_of(data, "error", "variance", "inverse variance"), plane_of(data, "flags"))
        whole.product.planes |= {p.name: replace(p) for p in beside if p is not None}
        made.append(whole)
    return made


def _background_planes(
    scene: Scene, subtract: bool, progress: Progress
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return level, scatter, and the image less its background, NaN off the field."""
    kind = np.result_type(scene.tile(slice(0, 1), slice(0, 1)).values)
    planes = [room(scene.shape, kind) for _ in range(3 if subtract else 2)]
    for rows in scene.parts:
        progress(rows.start, scene.shape[0], "background")
        tile = scene.tile(rows, slice(0, scene.shape[1]))
        empty = np.isnan(tile.values)
        for plane, values in zip(planes, (tile.level, tile.rms, tile.values), strict=False):
            plane[rows] = np.where(empty, np.nan, values)
        if len(scene.parts) > 1:
            let_go(*planes)
    return planes[0], planes[1], planes[2] if subtract else None


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
    noise: Noise = "background",
    region: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    edge: int = 0,
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
    edge : int
        No sources nearer than so many pixels to the edge of the field.

    Returns
    -------
    Catalog
        label, x_centroid, y_centroid (pixels), sky_centroid, and numbers of the method.
    """
    scene = scene_of(session, data, region, exclude_flags, edge)
    scene.measure(box_size, noise=noise, progress=progress)
    found = None
    if method == "segmentation":
        found = find_segments(scene.tile, scene.shape, snr=snr, npixels=npixels, fwhm=fwhm, deblend=deblend,
                              levels=levels, contrast=contrast, progress=progress)  # fmt: skip
        table = None if found is None else segment_table(found, progress)
    else:
        table = find_points(scene, method, snr, fwhm, npixels, progress)
    if table is None or not len(table):
        raise CommandError(
            f"No source of {data.name} is above S/N {snr:g} ({method}); lower snr or npixels, or look at the noise."
        )
    table = with_places(table, scene.field, data)
    catalog = catalog_of(table, name or f"{data.name} sources")
    maps = [] if found is None else [segment_image(found, data)]

    def end() -> Catalog:
        add_data(session, maps)
        return catalog

    return Apply(end, f"Find {len(table)} Sources in {data.name}")


# --- what they share ----------------------------------------------------------------------------------


def scene_of(
    session: Session, data: Image, region: Any, exclude_flags: Any, edge: int = 0, segmentation: Image | None = None
) -> Scene:
    """Return an image with what of it is not used: pixels in regions, in segments, with flags, near the edge."""
    regions = tuple(chosen(session, region, data)) if region else ()
    return Scene(session, data, regions, segmentation, exclude_flags, edge)


@dataclass(frozen=True)
class Prepared:
    """An image less its background, with the noise of each pixel and what is not used."""

    picture: Picture
    values: np.ndarray
    level: np.ndarray
    rms: np.ndarray
    mask: np.ndarray


def prepare(
    session: Session, data: Image, box_size: int, noise: Noise, exclude_flags: Any, progress: Progress
) -> Prepared:
    """Read an image whole, subtract its background and find the noise.

    Raises
    ------
    CommandError
        When no pixel is left, or errors are asked for that there are not.
    """
    picture = picture_of(data, progress=progress)
    scene = scene_of(session, data, None, exclude_flags).measure(box_size, noise=noise, progress=progress)
    tile = scene.tile(slice(0, scene.shape[0]), slice(0, scene.shape[1]))
    return Prepared(picture, tile.values, tile.level, tile.rms, tile.mask)


def segment_image(found: Segments, like: Image) -> Image:
    """Make an image of the labels of segments."""
    labels = Picture(found.labels, None, None, "", plane_wcs(like))
    return data_from(labels, f"{like.name} segments", like, f"{found.count} segments of {like.name}")


def with_sky(table: Any, field: Field, data: Image) -> None:
    """Add the places on the sky after those in pixels, where the image has a sky."""
    if data.sky is not None:
        x, y = (np.asarray(table[n], float) for n in ("x_centroid", "y_centroid"))
        table.add_column(field.coordinates(x, y), table.index_column("y_centroid") + 1, "sky_centroid")


def with_places(table: Any, field: Field, data: Image) -> Any:
    """Add the places on the sky after those in pixels, and the unit of peaks."""
    with_sky(table, field, data)
    for name in ("peak", "flux"):
        if name in table.colnames and not getattr(table[name], "unit", None):
            table[name] = np.asarray(table[name]) * field.unit
    table.meta["image"] = data.name
    return table

"""Commands that cut, bin, mirror and turn images."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.actions.region_measure import chosen
from jviz.backend.images import geometry
from jviz.backend.images.picture import Picture
from jviz.backend.progress import Progress
from jviz.backend.regions.masks import Target, weights
from jviz.backend.units import is_brightness
from jviz.commands import command
from jviz.data import Image
from jviz.errors import CommandError
from jviz.pictures import data_from, picture_of
from jviz.placement import home_of
from jviz.positions import sky_position
from jviz.session import Session

MENU = "Image/Operations"


@command("image.cutout", title="Cut Out…", menu=MENU, job=True, needs="image", group="cut", icon="fa6s.scissors")
def cutout(
    session: Session,
    data: Image,
    region: Any = None,
    position: str = "",
    *,
    size: float | tuple[float, float] = 100.0,
    unit: Literal["pixel", "arcsec", "arcmin", "deg"] = "pixel",
    name: str = "",
    progress: Progress,
) -> Image:
    """Cut a part out of an image, with its errors, flags and place on the sky.

    Parameters
    ----------
    region : str or regions.Region, optional
        The box round it is cut out.
    position : str, optional
        Instead of a region: the centre, as ``"pixel 512 300"``, a sky position or the name of an object.
    size : float or (float, float)
        Full width and height round the position.
    unit : {"pixel", "arcsec", "arcmin", "deg"}
        Of the size.
    """
    if (region is None or region == "") == (not position):
        raise CommandError("Give either a region or a position to cut out.")
    if position:
        x, y = _round_position(session, data, position, size, unit)
    else:
        x, y = _round_region(session, data, region)
    what = f"cut-out of {data.name}, columns {x[0]} to {x[1] - 1}, rows {y[0]} to {y[1] - 1}, counted from 0"
    return data_from(_part(data, x, y, progress), name or f"{data.name} cut-out", data, what)


def _part(data: Image, x: tuple[int, int], y: tuple[int, int], progress: Progress) -> Picture:
    part = geometry.part_of(data.shape[-2:], x, y)  # type: ignore[arg-type]
    return picture_of(data, part=part, others=True, progress=progress)


def _round_region(session: Session, data: Image, region: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    boxes = []
    for subset in chosen(session, region, data):
        target = Target(data.shape[-2:], data.sky)  # type: ignore[arg-type]
        rows, columns = weights(subset.region, target, home=home_of(subset, data)).slices
        if rows.stop <= rows.start or columns.stop <= columns.start:
            raise CommandError(f"{subset.name} does not lie on {data.name}; choose a region on it.")
        boxes.append((columns.start, columns.stop, rows.start, rows.stop))
    x0, x1, y0, y1 = zip(*boxes, strict=True)
    return (min(x0), max(x1)), (min(y0), max(y1))


def _round_position(session: Session, data: Image, text: str, size: Any, unit: str) -> Any:
    words = text.lower().replace(",", " ").split()
    if words[0] in ("pixel", "pix", "image") or data.sky is None:
        try:
            x, y = (float(w) for w in words if w not in ("pixel", "pix", "image"))
        except ValueError:
            raise CommandError(f"{text!r} is no pair of pixel numbers such as pixel 512 300.") from None
    else:
        lon, lat, _ = sky_position(session, text)
        x, y = (float(v) for v in data.sky.sky_to_pixel(lon, lat))
        if not np.isfinite([x, y]).all():
            raise CommandError(f"{text} does not fall on {data.name}.")
    scale = 1.0
    if unit != "pixel":
        if data.sky is None:
            raise CommandError(f"{data.name} is not on the sky; give the size in pixels.")
        scale = _degrees_per_pixel(data.sky, x, y) * {"arcsec": 3600, "arcmin": 60, "deg": 1}[unit]
    full = np.broadcast_to(np.asarray(size, float), 2) / scale
    if not (np.isfinite(full).all() and (full > 0).all()):
        raise CommandError(f"The size must be above 0, not {size!r}.")
    counts = np.maximum(np.rint(full).astype(int), 1)
    first = np.ceil(np.array([x, y]) - counts / 2).astype(int)
    return tuple((int(a), int(a + n)) for a, n in zip(first, counts, strict=True))


def _degrees_per_pixel(sky: Any, x: float, y: float) -> float:
    lon, lat = (
        np.radians(v) for v in sky.pixel_to_sky(np.array([x - 0.5, x + 0.5, x, x]), np.array([y, y, y - 0.5, y + 0.5]))
    )
    vectors = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    along, up = vectors[:, 1] - vectors[:, 0], vectors[:, 3] - vectors[:, 2]
    return float(np.degrees(np.sqrt(np.linalg.norm(np.cross(along, up)))))


@command(
    "image.crop",
    title="Crop to Rows and Columns…",
    menu=MENU,
    job=True,
    needs="image",
    group="cut",
    icon="fa6s.crop-simple",
)
def crop(
    data: Image, x: tuple[int, int] = (0, 100), y: tuple[int, int] = (0, 100), *, name: str = "", progress: Progress
) -> Image:
    """Keep columns and rows of an image.

    Parameters
    ----------
    x, y : (int, int)
        First column (row) and the one after the last, counted from 0 as in numpy.
    """
    picture = _part(data, tuple(map(int, x)), tuple(map(int, y)), progress)  # type: ignore[arg-type]
    return data_from(picture, name or f"{data.name} cropped", data, f"{data.name}[{y[0]}:{y[1]}, {x[0]}:{x[1]}]")


@command("image.rebin", title="Rebin…", menu=MENU, job=True, needs="image", group="grid", icon="fa6s.table-cells")
def rebin(
    data: Image,
    factor: int | tuple[int, int] = 2,
    how: Literal["auto", "mean", "sum"] = "auto",
    *,
    name: str = "",
    progress: Progress,
) -> Image:
    """Join blocks of pixels into one; NaN is left out, errors are added in quadrature.

    Parameters
    ----------
    factor : int or (int, int)
        Pixels along x and y.
    how : {"auto", "mean", "sum"}
        The mean keeps surface brightness, the sum flux; "auto" decides by the unit.
    """
    fx, fy = (int(v) for v in np.broadcast_to(np.asarray(factor), 2))
    way = ("mean" if is_brightness(data.unit) else "sum") if how == "auto" else how
    picture = geometry.rebin(picture_of(data, others=True, progress=progress), (fx, fy), way)  # type: ignore[arg-type]
    return data_from(picture, name or f"{data.name} rebinned", data, f"{data.name} binned by {fx} x {fy}, {way}")


@command("image.flip", title="Mirror Pixels…", menu=MENU, job=True, needs="image", group="grid", icon="fa6s.left-right")
def flip(data: Image, axis: Literal["x", "y"] = "x", *, name: str = "", progress: Progress) -> Image:
    """Mirror the pixels of an image; its sky goes with them.

    Parameters
    ----------
    axis : {"x", "y"}
        The axis whose direction changes.
    """
    mirrored = geometry.flip(picture_of(data, others=True, progress=progress), axis)
    return data_from(mirrored, name or f"{data.name} mirrored", data, f"{data.name} mirrored in {axis}")


@command(
    "image.rotate_pixels",
    title="Rotate Pixels…",
    menu=MENU,
    job=True,
    needs="image",
    group="grid",
    icon="fa6s.rotate-left",
)
def rotate(
    data: Image,
    angle: float = 90.0,
    method: Literal["interpolate", "exact", "adaptive"] = "exact",
    *,
    name: str = "",
    progress: Progress,
) -> Image:
    """Turn the pixels of an image counter-clockwise; its sky goes with them.

    Parameters
    ----------
    angle : float
        Degrees. Multiples of 90 are exact; others are reprojected, onto a grid that holds all of the image.
    method : {"interpolate", "exact", "adaptive"}
        As for `image.reproject`.
    """
    from jviz.backend.images.projection import rotated

    if not np.isfinite(angle):
        raise CommandError("The angle must be a number of degrees.")
    picture = picture_of(data, others=angle % 90 == 0, progress=progress)
    if angle % 90 == 0:
        turned = geometry.quarter_turns(picture, round(angle / 90))
    else:
        turned = rotated(picture, angle, method, flux=not is_brightness(data.unit), progress=progress)
    return data_from(turned, name or f"{data.name} rotated", data, f"{data.name} turned by {angle:g} degrees")

"""Small pictures of files: made once from a part of their values, kept in the cache by the checksum of the bytes."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend import cache
from jviz.backend.files import writing
from jviz.backend.io.product import Plane, Product
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["SIZE", "draw_ahead", "kept", "known", "made", "picture_of", "trimmed"]

SIZE = 224
"""Pixels of the longer side."""

WIDE = (224, 126)
"""Width and height of curves."""

MOST_READ = 4_000_000
"""Values that are read of an image; of a larger one only some rows, and of these some columns."""

PLANES = 8
"""Planes of a cube that are averaged."""

MOST_PACKED = 64 * 1024**2
"""Bytes of values above which nothing is unpacked only for a small picture."""

INK = (86, 148, 226, 255)
"""Colour of curves and dots, seen on dark and on bright."""

FOLDER = "thumbnails"

NONE = ".none"
"""End of an empty file beside the pictures: there was nothing to draw in a file, so that nobody tries again."""


def kept(sha256: str) -> Path | None:
    """Return the picture of a file that is in the cache already, marked as just used; None when there is none."""
    path = cache.folder(FOLDER) / f"{sha256}.png"
    if not path.is_file():
        return None
    with suppress(OSError):
        os.utime(path)
    return path


def made(sha256: str, path: Path, *, progress: Progress = silent) -> Path | None:
    """Return the picture of a file, made when it is not in the cache; None when there is nothing to draw in it.

    Parameters
    ----------
    sha256 : str
        Of the bytes of the file.
    """
    found = kept(sha256)
    if found is not None:
        return found
    picture = picture_of(path, progress=progress)
    if picture is None:
        return None
    target = cache.folder(FOLDER) / f"{sha256}.png"
    with writing(target) as temporary:
        temporary.write_bytes(_png(picture))
    return target


def known() -> set[str]:
    """Return the checksums of the files that were drawn, or in which there was nothing to draw."""
    with os.scandir(cache.folder(FOLDER)) as entries:
        return {entry.name.partition(".")[0] for entry in entries if entry.name.endswith((".png", NONE))}


def draw_ahead(files: Sequence[tuple[str, str]], limit: int, *, progress: Progress = silent) -> bool:
    """Draw files before anybody looks at them, until their pictures fill the cache; return whether it has room.

    Parameters
    ----------
    files : sequence of (str, str)
        SHA-256 and path of each, the first first.
    limit : int
        Bytes of all pictures.
    """
    place = cache.folder(FOLDER)
    size = sum(entry.stat().st_size for entry in os.scandir(place))
    for number, (sha256, path) in enumerate(files):
        progress(number, len(files), "Drawing small pictures")
        if size > limit:
            return False
        if (place / f"{sha256}.png").exists() or (place / f"{sha256}{NONE}").exists() or not os.path.isfile(path):
            continue
        picture = made(sha256, Path(path), progress=progress)
        if picture is None:
            (place / f"{sha256}{NONE}").touch()
        else:
            size += picture.stat().st_size
    return True


def trimmed(limit: int) -> int:
    """Remove the pictures that were not seen for longest until all are within a limit; return the bytes freed."""
    files = []
    with os.scandir(cache.folder(FOLDER)) as entries:
        for entry in entries:
            with suppress(OSError):
                files.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
    excess, freed = sum(size for _, size, _ in files) - limit, 0
    for _, size, path in sorted(files):
        if freed >= excess:
            break
        with suppress(OSError):
            os.unlink(path)
            freed += size
    return freed


def picture_of(path: Path, *, progress: Progress = silent) -> np.ndarray | None:
    """Draw what a file shows first: an image, the mean of a cube, a curve, places of a catalogue.

    Returns
    -------
    ndarray of uint8, shape (height, width, 4), or None
        Red, green, blue and opacity, the top row first; None when there is nothing to draw, or it cannot be read.
    """
    from jviz.backend.io.registry import open_products

    try:
        for product in open_products(path, progress=progress):
            drawn = _drawn(product, path, progress)
            if drawn is not None:
                return drawn
    except (JvizError, OSError, ValueError, MemoryError):
        return None  # the file itself says why, when it is opened
    return None


def _drawn(product: Product, path: Path, progress: Progress) -> np.ndarray | None:
    if product.load_samples is not None:
        samples = product.load_samples()
        return _curve(samples[0].flux) if samples else None
    plane = next(iter(product.planes.values()), None)
    if plane is None:
        table = product.load_object if product.kind == "catalog" and path.stat().st_size <= MOST_PACKED else None
        return _places(table()) if table is not None else None
    if not plane.immediate and math.prod(plane.shape) * plane.dtype.itemsize > MOST_PACKED:
        return None
    if len([length for length in plane.shape if length > 1]) == 1:
        return _curve(plane.read(progress=progress).ravel())
    return _image(_flat(product.kind, plane, progress))


# --- images ---------------------------------------------------------------------------------------


def _flat(kind: str, plane: Plane, progress: Progress) -> np.ndarray:
    """Read two dimensions of a plane, at most `MOST_READ` values of each of its slices."""
    raw = plane.raw(progress)
    high, wide = raw.shape[-2:]
    step = max(1, math.ceil(math.sqrt(high * wide / MOST_READ)))
    rest = raw.reshape(-1, high, wide) if raw.flags.c_contiguous else raw[(0,) * (raw.ndim - 3)].reshape(-1, high, wide)

    def slice_at(number: int) -> np.ndarray:
        progress(0, 1, "Drawing a small picture")
        return np.asarray(plane.physical(rest[number, ::step, ::step]), float)

    if kind == "ramp" and raw.ndim >= 3 and raw.shape[-3] > 1:
        return slice_at(raw.shape[-3] - 1) - slice_at(0)
    if kind == "cube":
        numbers = np.unique(np.linspace(0, len(rest) - 1, PLANES + 2).round().astype(int)[1:-1])
        planes = np.array([slice_at(int(number)) for number in numbers])
        good = np.isfinite(planes)
        with np.errstate(invalid="ignore"):
            return np.where(good, planes, 0).sum(0) / np.where(good.any(0), good.sum(0), np.nan)
    return slice_at(len(rest) // 2)


def _image(values: np.ndarray) -> np.ndarray | None:
    from jviz.backend.render.limits import auto_limits, suggest_stretch
    from jviz.backend.render.stretch import stretch

    small = _shrunk(values)
    sample = small[np.isfinite(small)]
    if not sample.size:
        return None
    low, high = auto_limits(sample)
    curve = stretch(suggest_stretch(sample, (low, high)))
    grey = curve(np.clip((np.nan_to_num(small, nan=low) - low) / (high - low), 0, 1))
    picture = np.empty((*small.shape, 4), np.uint8)
    picture[..., :3] = np.rint(255 * np.clip(grey, 0, 1))[..., None]
    picture[..., 3] = 255 * np.isfinite(small)
    return picture[::-1]


def _shrunk(values: np.ndarray) -> np.ndarray:
    """Average squares of pixels, what is not a number left out, so that the longer side is at most `SIZE`."""
    step = max(1, math.ceil(max(values.shape) / SIZE))
    high, wide = (max(length // step, 1) for length in values.shape)
    down, across = min(step, values.shape[0]), min(step, values.shape[1])
    blocks = values[: high * down, : wide * across].reshape(high, down, wide, across)
    good = np.isfinite(blocks)
    count = good.sum((1, 3))
    total = np.where(good, blocks, 0).sum((1, 3))
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


# --- curves and places ----------------------------------------------------------------------------


def _curve(flux: np.ndarray) -> np.ndarray | None:
    flux = np.asarray(flux, float)
    good = np.isfinite(flux)
    if good.sum() < 2:
        return None
    low, high = np.percentile(flux[good], (0.5, 99.5))
    high = high if high > low else low + 1.0
    x = np.linspace(0.02, 0.98, len(flux))
    y = np.clip((flux - low) / (high - low), -0.05, 1.05) * 0.86 + 0.07
    runs = np.split(np.arange(len(flux)), np.flatnonzero(np.diff(good.astype(int))) + 1)
    return _painted(lambda draw, at: [draw.line(at(x[run], y[run]), fill=INK, width=5, joint="curve")
                                      for run in runs if good[run[0]] and len(run) > 1])  # fmt: skip


def _places(table: Any) -> np.ndarray | None:
    from jviz.backend.archive.skyplaces import position_columns

    places = position_columns(table)
    if places is None:
        return None
    ra, dec = places
    good = np.isfinite(ra) & np.isfinite(dec)
    if not good.any():
        return None
    ra, dec = ra[good][:20_000], dec[good][:20_000]
    east = (ra - ra[0] + 180) % 360 - 180
    x, y = (_within(-east), _within(dec))
    radius = 2 if len(x) > 500 else 4
    return _painted(lambda draw, at: [draw.ellipse((a - radius, b - radius, a + radius, b + radius), fill=INK)
                                      for a, b in at(x, y)])  # fmt: skip


def _within(values: np.ndarray) -> np.ndarray:
    span = np.ptp(values)
    return 0.06 + 0.88 * (values - values.min()) / span if span > 0 else np.full(len(values), 0.5)


def _painted(paint: Any) -> np.ndarray:
    """Draw at twice the size, which smooths the edges."""
    from PIL import Image, ImageDraw

    wide, high = 2 * WIDE[0], 2 * WIDE[1]

    def at(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
        return list(zip((x * wide).tolist(), ((1 - y) * high).tolist(), strict=True))

    sheet = Image.new("RGBA", (wide, high), (*INK[:3], 0))
    paint(ImageDraw.Draw(sheet), at)
    return np.asarray(sheet.resize(WIDE, Image.Resampling.BOX))


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, "PNG")
    return stream.getvalue()

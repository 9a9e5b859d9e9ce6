"""PNG, JPEG and other pictures, turned so that they stand upright with y pointing up."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.io.colours import colour_planes, once
from jviz.backend.io.product import Identity, Product
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["read_picture"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
_MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM")
_PLAIN_MODES = {"L": "u1", "I;16": "<u2", "I;16L": "<u2", "I;16B": ">u2", "I": "=i4", "F": "=f4"}
_TURNED = (5, 6, 7, 8)
_ORIENTATION = 0x0112


def _is_picture(path: Path, start: bytes) -> bool:
    is_webp = start.startswith(b"RIFF") and start[8:12] == b"WEBP"
    is_named_bitmap = not start.startswith(b"BM") or path.suffix.lower() == ".bmp"
    return is_webp or (start.startswith(_MAGIC) and is_named_bitmap)


@reader("picture", title="Picture", suffixes=_SUFFIXES, sniff=_is_picture)
def read_picture(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open a picture; colours become a plane of luminance, followed by R, G and B.

    Raises
    ------
    ReadError
        When the picture is damaged.
    """
    image = _opened(path)
    with image:
        mode, format_ = image.mode, image.format
        shape = image.size[::-1]
        if image.getexif().get(_ORIENTATION) in _TURNED:
            shape = shape[::-1]
        colours = "RGB" if mode not in _PLAIN_MODES and mode not in ("1", "LA", "La") else ""
        alpha = "A" if mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info else ""
    decode = once(lambda: _decoded(path, colours + alpha))
    product = Product("image", path.stem, f"{format_} picture", path=path, reader="picture")
    dtype = np.dtype(_PLAIN_MODES.get(mode, "u1"))
    product.planes = colour_planes(decode, shape, colours + alpha, dtype, Identity.of(path.absolute()))
    return [product]


def _opened(path: Path) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(path)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise ReadError(f"{path.name} cannot be read as a picture: {error}. Fetch or export it again.") from error


def _decoded(path: Path, channels: str) -> np.ndarray:
    """Return the pixels, (ny, nx) or (ny, nx, channels), first row at the bottom."""
    from PIL import ImageOps

    try:
        with _opened(path) as image:
            upright = ImageOps.exif_transpose(image)
            if channels:
                upright = upright.convert({"RGB": "RGB", "RGBA": "RGBA", "A": "LA"}[channels])
            elif upright.mode not in _PLAIN_MODES:
                upright = upright.convert("L")
            return np.asarray(upright)[::-1]
    except (OSError, SyntaxError, ValueError) as error:
        raise ReadError(f"{path.name} is damaged: {error}. Fetch or export it again.") from error

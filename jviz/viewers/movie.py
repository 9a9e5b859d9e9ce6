"""Movies of cubes: the pictures of slices, one after the other, as GIF or MP4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage, QPainter

from jviz.backend.files import writing
from jviz.backend.progress import Progress
from jviz.cube_views import CubeView, cube_layer
from jviz.errors import JvizError
from jviz.outputs import maker_of, output_path
from jviz.session import Session
from jviz.spectral_display import scale_of
from jviz.viewers.image_overlays import draw_caption
from jviz.viewers.look import PAPER
from jviz.viewers.picture import image_of_view

__all__ = ["write_movie"]


def write_movie(
    session: Session,
    view: CubeView,
    path: Path,
    slices: list[int],
    *,
    rate: float,
    size: tuple[int, int],
    label: bool,
    progress: Progress,
) -> Path:
    """Write a movie of a view that nobody else changes; a file that was there stays until all is written.

    Raises
    ------
    JvizError
        For a suffix other than .gif and .mp4, a size that makes no sense, or an mp4 without imageio-ffmpeg.
    """
    path = output_path(session, path)
    width, height = (int(side) for side in size)
    if not (32 <= width <= 4096 and 32 <= height <= 4096):
        raise JvizError(f"A movie of {width} × {height} pixels cannot be written; choose sides of 32 to 4096.")
    writer = maker_of(path, {".gif": _gif, ".mp4": _mp4}, "movies")
    with writing(path) as temporary:
        writer(temporary, _frames(session, view, slices, (width, height), label, progress), rate, (width, height))
    return path


def _frames(
    session: Session, view: CubeView, slices: list[int], size: tuple[int, int], label: bool, progress: Progress
) -> Iterator[np.ndarray]:
    """Draw the pictures; arrays of shape (height, width, 3)."""
    layer = cube_layer(view)
    scale = scale_of(layer.data.axis, view.spectral_unit) if not layer.order else None
    for number, slice_ in enumerate(slices):
        progress(number, len(slices), f"drawing slice {slice_}")
        layer.slice = slice_
        image = image_of_view(session, view, size)
        if label:
            _write(image, scale.text(slice_) if scale is not None else f"slice {slice_}")
        yield _pixels(image)


def _write(image: QImage, text: str) -> None:
    with QPainter(image) as painter:
        draw_caption(painter, PAPER, text, 1.1)


def _pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def _gif(path: Path, frames: Iterator[np.ndarray], rate: float, size: tuple[int, int]) -> None:
    from PIL import Image

    pictures = (Image.fromarray(frame).quantize(256) for frame in frames)
    first = next(pictures)
    first.save(path, format="GIF", save_all=True, append_images=pictures, duration=round(1000 / rate), loop=0)


def _mp4(path: Path, frames: Iterator[np.ndarray], rate: float, size: tuple[int, int]) -> None:
    try:
        import imageio_ffmpeg
    except ImportError:
        raise JvizError(
            "An mp4 needs the package imageio-ffmpeg, which is not installed; install it, or write a .gif."
        ) from None
    if size[0] % 2 or size[1] % 2:
        raise JvizError(f"An mp4 has even numbers of pixels; {size[0]} × {size[1]} are not.")
    writer = imageio_ffmpeg.write_frames(str(path), size, fps=rate, macro_block_size=2, output_params=["-f", "mp4"])
    writer.send(None)
    try:
        for frame in frames:
            writer.send(frame)
    finally:
        writer.close()

"""Pictures of views as files: PNG, PDF and SVG of any size, with or without a window."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPageSize, QPaintDevice, QPainter, QPdfWriter
from PySide6.QtWidgets import QApplication

from jviz.backend.files import writing
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError
from jviz.outputs import maker_of, output_path
from jviz.session import Session
from jviz.viewers.image_layers import Compositor
from jviz.viewers.image_needs import fulfil
from jviz.viewers.image_paint import paint, scene_of
from jviz.viewers.look import PAPER, Look
from jviz.views import ImageView, View

__all__ = ["draw_on", "drawing_of", "image_of_view", "needs_application", "save", "write_png"]

MOST_PIXELS = 200_000_000
USUAL = (1200.0, 900.0)
"""A size at which the font looks right; larger pictures are drawn as that one, magnified."""

VECTOR_RATIO = 2.0
"""Pixels of the image per unit of a vector file."""

DOTS = 96
"""Units of a picture per inch of paper."""

Drawing = Callable[[QPainter], None]


def save(
    session: Session,
    view: View,
    path: Path,
    size: tuple[int, int] = (1200, 900),
    *,
    look: Look | None = None,
    progress: Progress = silent,
) -> Path:
    """Draw a view into a file, sharp and complete: waits for all that it shows.

    Parameters
    ----------
    path : Path
        Its suffix says what is written: ``.png``, ``.pdf`` or ``.svg``.
    size : (int, int)
        Width and height in pixels.
    look : Look, optional
        Black on white by default.

    Returns
    -------
    Path
        The file, absolute.

    Raises
    ------
    JvizError
        When the suffix is none of those, the size makes no sense, or the file cannot be written; what was
        there before is left as it is.
    """
    path = output_path(session, path)
    writer = maker_of(path, WRITERS, "pictures")
    width, height = _checked(size, path)
    needs_application()
    ratio = max(1.0, min(width / USUAL[0], height / USUAL[1]))
    pixels_ratio = ratio if writer is write_png else VECTOR_RATIO
    draw = drawing_of(session, view, width / ratio, height / ratio, pixels_ratio, look or PAPER, progress)
    with writing(path) as temporary:
        writer(temporary, width, height, ratio, draw)
    return path


def image_of_view(
    session: Session, view: View, size: tuple[int, int], *, look: Look | None = None, ratio: float = 1.0
) -> QImage:
    """Draw a view into an image of a size in pixels, ``ratio`` of them per logical pixel."""
    needs_application()
    width, height = size
    image = QImage(width, height, QImage.Format.Format_RGB32)
    with QPainter(image) as painter:
        painter.scale(ratio, ratio)
        drawing_of(session, view, width / ratio, height / ratio, ratio, look or PAPER, silent)(painter)
    return image


def needs_application() -> None:
    """Make sure that Qt can draw text; without a window it draws offscreen."""
    global _application
    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _application = QApplication(["jviz"])


_application: QApplication | None = None


def _checked(size: tuple[int, int], path: Path) -> tuple[int, int]:
    try:
        width, height = (int(number) for number in size)
    except (TypeError, ValueError):
        raise JvizError(f"The size {size!r} of {path.name} is not a width and a height, such as (1200, 900).") from None
    if width < 16 or height < 16 or width * height > MOST_PIXELS:
        raise JvizError(
            f"A picture of {width} × {height} pixels cannot be drawn: give at least 16 × 16 and at most "
            f"{MOST_PIXELS // 1_000_000} million pixels in all."
        )
    return width, height


def drawing_of(
    session: Session, view: View, width: float, height: float, ratio: float, look: Look, progress: Progress
) -> Drawing:
    """Return a function that draws a view in a size in logical pixels."""
    if not isinstance(view, ImageView):
        return _widget_drawing(session, view, width, height, look)
    compositor = Compositor()
    options: dict[str, Any] = {"same_field": True, "origin": session.settings["image.pixel_origin"]}
    options["session"] = session
    scene = scene_of(view, width, height, look, compositor, ratio=ratio, **options)
    if view.layers:
        fulfil(view, scene.geometry, ratio, compositor, progress=progress)
        scene = scene_of(view, width, height, look, compositor, ratio=ratio, **options)

    def draw(painter: QPainter) -> None:
        paint(painter, scene, pixels_ratio=ratio)

    return draw


def _widget_drawing(session: Session, view: View, width: float, height: float, look: Look) -> Drawing:
    from jviz.viewers.base import viewer_type

    kind = viewer_type(view.kind)
    if kind is None:
        raise JvizError(f"{view.name} is a view of kind {view.kind}, which no viewer draws.")
    widget = kind(session, view)
    widget.resize(round(width), round(height))
    widget.wear(look)
    widget.refresh()

    def draw(painter: QPainter) -> None:
        widget.draw(painter)
        widget.release()

    return draw


# --- files ----------------------------------------------------------------------------------------


def write_png(path: Path, width: int, height: int, ratio: float, draw: Drawing, transparent: bool = False) -> None:
    """Write a PNG with its resolution; ``ratio`` pixels per logical pixel."""
    form = QImage.Format.Format_ARGB32_Premultiplied if transparent else QImage.Format.Format_RGB32
    image = QImage(width, height, form)
    if image.isNull():
        raise JvizError(f"There is not enough memory for a picture of {width} × {height} pixels.")
    image.fill(Qt.GlobalColor.transparent if transparent else Qt.GlobalColor.white)
    draw_on(image, ratio, draw)
    image.setDotsPerMeterX(round(DOTS * ratio / 0.0254))
    image.setDotsPerMeterY(round(DOTS * ratio / 0.0254))
    with in_memory(path) as device:
        image.save(device, "PNG")


@contextmanager
def in_memory(path: Path) -> Iterator[QBuffer]:
    """Give a device to draw into, and write it to a file at the end: Qt itself does not tell when the disk is full.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    device = QBuffer()
    device.open(QIODevice.OpenModeFlag.WriteOnly)
    yield device
    path.write_bytes(device.data().data())


def _write_pdf(path: Path, width: int, height: int, ratio: float, draw: Drawing) -> None:
    with in_memory(path) as device:
        _draw_pdf(device, width, height, ratio, draw)


def _draw_pdf(device: QBuffer, width: int, height: int, ratio: float, draw: Drawing) -> None:
    writer = QPdfWriter(device)
    writer.setCreator("jviz")
    writer.setResolution(DOTS)
    inches = QSizeF(width / ratio / DOTS, height / ratio / DOTS)
    writer.setPageSize(QPageSize(inches, QPageSize.Unit.Inch, "", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    draw_on(writer, 1.0, draw)


def _write_svg(path: Path, width: int, height: int, ratio: float, draw: Drawing) -> None:
    from PySide6.QtSvg import QSvgGenerator

    generator = QSvgGenerator()
    generator.setTitle("jviz")
    generator.setResolution(DOTS)
    generator.setSize(QSize(round(width / ratio), round(height / ratio)))
    generator.setViewBox(generator.viewBoxF().adjusted(0, 0, width / ratio, height / ratio))
    with in_memory(path) as device:
        generator.setOutputDevice(device)
        draw_on(generator, 1.0, draw)


def draw_on(device: QPaintDevice, ratio: float, draw: Drawing) -> None:
    """Draw on a device of Qt, with ``ratio`` of its pixels per logical pixel."""
    with QPainter(device) as painter:
        if not painter.isActive():
            raise JvizError("Qt cannot draw a picture of this kind.")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.scale(ratio, ratio)
        draw(painter)


WRITERS: dict[str, Callable[[Path, int, int, float, Drawing], None]] = {
    ".png": write_png,
    ".pdf": _write_pdf,
    ".svg": _write_svg,
}

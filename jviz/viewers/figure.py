"""Figures for papers and talks: a view at a size on paper, with a theme, a title, and fonts of a known size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QMarginsF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPagedPaintDevice, QPageSize, QPainter, QPdfWriter

from jviz.backend.files import writing
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError
from jviz.outputs import maker_of, output_path
from jviz.session import Session
from jviz.viewers.look import Look
from jviz.viewers.picture import (
    DOTS,
    MOST_PIXELS,
    draw_on,
    drawing_of,
    in_memory,
    needs_application,
    write_png,
)
from jviz.views import View

__all__ = ["Sheet", "export_figure", "figure_image", "print_figure"]

Drawing = Callable[[QPainter], None]


@dataclass(frozen=True)
class Sheet:
    """What a figure is drawn on.

    Attributes
    ----------
    width, height : float
        Inches.
    dpi : float
        Pixels per inch of a PNG, and of the image within a PDF or SVG.
    theme : {"light", "dark", "screen"}
    font : float
        Size of the text; 1 is about 10 points.
    transparent : bool
        Leave out what is behind the image.
    title : str
        Above the picture.
    """

    width: float
    height: float
    dpi: float = 300.0
    theme: str = "light"
    font: float = 1.0
    transparent: bool = False
    title: str = ""

    @property
    def ratio(self) -> float:
        """Pixels per logical pixel, of which there are 96 in an inch."""
        return self.dpi / DOTS

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return max(1, round(self.width * self.dpi)), max(1, round(self.height * self.dpi))

    def check(self) -> None:
        """Raise a `JvizError` for sizes that make no sense."""
        numbers = (self.width, self.height, self.dpi, self.font)
        if not all(math.isfinite(n) and n > 0 for n in numbers):
            raise JvizError("Width, height, dpi and the size of the text must be numbers above 0.")
        width, height = self.pixels
        if min(width, height) < 16 or width * height > MOST_PIXELS:
            raise JvizError(
                f"A figure of {self.width * 2.54:.3g} × {self.height * 2.54:.3g} cm at {self.dpi:g} dpi has {width} × "
                f"{height} pixels; give at least 16 × 16 and at most {MOST_PIXELS // 1_000_000} million in all."
            )
        if not 0.2 <= self.font <= 5:
            raise JvizError(f"The text cannot be {self.font:g} times as large; choose between 0.2 and 5.")


def export_figure(session: Session, view: View, path: Path, sheet: Sheet, *, progress: Progress = silent) -> Path:
    """Write a figure; what was in the file before stays when that fails.

    Parameters
    ----------
    path : Path
        Its suffix says what is written: ``.png``, ``.pdf`` or ``.svg``.

    Returns
    -------
    Path
        The file, absolute.

    Raises
    ------
    JvizError
        For another suffix, sizes that make no sense, or a file that cannot be written.
    """
    path = output_path(session, path)
    writer = maker_of(path, {".png": _png, ".pdf": _pdf, ".svg": _svg}, "figures")
    sheet.check()
    needs_application()
    draw = _drawing(session, view, sheet, progress)
    with writing(path) as temporary:
        writer(temporary, sheet, draw)
    return path


def figure_image(session: Session, view: View, sheet: Sheet) -> QImage:
    """Draw a figure into an image."""
    sheet.check()
    needs_application()
    image = QImage(*sheet.pixels, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    draw_on(image, sheet.ratio, _drawing(session, view, sheet, silent))
    return image


def print_figure(session: Session, view: View, device: QPagedPaintDevice, *, theme: str = "light") -> None:
    """Draw a view on a page of a printer, as large as its margins allow in the proportions of the viewer."""
    with QPainter(device) as painter:
        if not painter.isActive():
            raise JvizError("The printer does not answer. Choose another one, or export a PDF.")
        page = QRectF(painter.viewport())
        wide, high = getattr(view, "viewport", (4.0, 3.0))
        share = min(page.width() / wide, page.height() / high)
        inch = float(device.logicalDpiX())
        sheet = Sheet(wide * share / inch, high * share / inch, min(300.0, inch), theme)
        sheet.check()
        painter.translate((page.width() - wide * share) / 2, (page.height() - high * share) / 2)
        painter.scale(inch / DOTS, inch / DOTS)
        _drawing(session, view, sheet, silent)(painter)


def _drawing(session: Session, view: View, sheet: Sheet, progress: Progress) -> Drawing:
    """Return a function that draws the figure in logical pixels."""
    look = Look.for_paper(sheet.theme, font=sheet.font, transparent=sheet.transparent)
    width, height = sheet.width * DOTS, sheet.height * DOTS
    metrics = look.metrics(1.15)
    top = round(1.9 * metrics.height()) if sheet.title else 0
    if height - top < 16:
        raise JvizError("There is no room for the picture under the title; make the figure higher or the text smaller.")
    inner = drawing_of(session, view, width, height - top, sheet.ratio, look, progress)

    def draw(painter: QPainter) -> None:
        if not sheet.transparent:
            painter.fillRect(QRectF(0, 0, width, height), QColor(look.canvas))
        if sheet.title:
            painter.setFont(look.font(1.15, bold=True))
            painter.setPen(QColor(look.text))
            text = metrics.elidedText(sheet.title, Qt.TextElideMode.ElideRight, width - 12)
            painter.drawText(
                QPointF((width - metrics.horizontalAdvance(text)) / 2, top / 2 + 0.35 * metrics.ascent()), text
            )
        painter.translate(0, top)
        inner(painter)

    return draw


def _png(path: Path, sheet: Sheet, draw: Drawing) -> None:
    write_png(path, *sheet.pixels, sheet.ratio, draw, sheet.transparent)


def _pdf(path: Path, sheet: Sheet, draw: Drawing) -> None:
    with in_memory(path) as device:
        _draw_pdf(device, sheet, draw)


def _draw_pdf(device: QBuffer, sheet: Sheet, draw: Drawing) -> None:
    writer = QPdfWriter(device)
    writer.setCreator("jviz")
    writer.setTitle(sheet.title)
    writer.setResolution(1200)
    inches = QSizeF(sheet.width, sheet.height)
    writer.setPageSize(QPageSize(inches, QPageSize.Unit.Inch, "", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    draw_on(writer, 1200 / DOTS, draw)


def _svg(path: Path, sheet: Sheet, draw: Drawing) -> None:
    from PySide6.QtSvg import QSvgGenerator

    generator = QSvgGenerator()
    generator.setTitle(sheet.title or "jviz")
    generator.setResolution(round(sheet.dpi))
    generator.setSize(QSize(*sheet.pixels))
    generator.setViewBox(QRectF(0, 0, *sheet.pixels))
    with in_memory(path) as device:
        generator.setOutputDevice(device)
        draw_on(generator, sheet.ratio, draw)

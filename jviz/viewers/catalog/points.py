"""Drawing many points: shapes while there are few, stamps for thousands, a picture of their density beyond."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPainterPath, QPen

from jviz.backend.catalogs.crowd import AS_GIVEN, density, means, stamped, tinted
from jviz.backend.catalogs.expressions import Values
from jviz.backend.render.colormaps import colormap

__all__ = ["CROWD", "FEW", "SHADES", "colours_of", "draw_coloured", "draw_density", "draw_means",
           "draw_points", "mark_path", "shades_of", "sizes_by"]  # fmt: skip

FEW = 3_000
"""Points that are drawn each as it is, in any size and with a rim."""

OUTLINES = 24
"""Points that are drawn as outlines on screens, too: Qt needs a second for those of a thousand, in one path."""

PHASES = 4
"""Places within a pixel at which pictures of marks are drawn."""

CROWD = 20_000
"""Points in sight above which a picture of their density tells more."""

MOST_COUNT = 65_535
"""Points in one pixel above which all look alike."""

SAMPLE = 100_000
"""Values that tell where a scale of colours ends."""

SHADES = 32
"""Different colours of points that are coloured by a value."""

_FILLED = ("dot",)


def mark_path(mark: str, size: float) -> QPainterPath:
    """Return the outline of a mark round the origin."""
    r = size / 2
    path = QPainterPath()
    if mark in ("circle", "dot"):
        path.addEllipse(QPointF(0, 0), r, r)
    elif mark == "square":
        path.addRect(QRectF(-r, -r, size, size))
    elif mark in ("diamond", "triangle"):
        corners = [(0, -r), (r, 0), (0, r), (-r, 0)] if mark == "diamond" else [(0, -r), (r, 0.8 * r), (-r, 0.8 * r)]
        path.moveTo(*corners[0])
        for corner in corners[1:]:
            path.lineTo(*corner)
        path.closeSubpath()
    else:
        lines = [((-r, 0), (r, 0)), ((0, -r), (0, r))]
        if mark == "cross":
            lines = [((-r, -r), (r, r)), ((-r, r), (r, -r))]
        for start, end in lines:
            path.moveTo(*start)
            path.lineTo(*end)
    return path


_shades: WeakKeyDictionary[Values, tuple[np.ndarray, float, float]] = WeakKeyDictionary()


def shades_of(values: Values) -> tuple[np.ndarray, float, float]:
    """Return for each value the number of its colour, −1 without one, and the values of the first and last colour.

    One in a hundred values lies below, one above. Kept with the values.
    """
    if values not in _shades:
        some = values.values[:: max(1, len(values.values) // SAMPLE)]
        some = some[np.isfinite(some)]
        low, high = np.percentile(some, (1, 99)) if len(some) else (0.0, 1.0)
        high = high if high > low else low + 1.0
        good = np.isfinite(values.values)
        share = np.where(good, (values.values - low) / (high - low), 0.0)
        numbers = np.where(good, np.clip(np.round(share * (SHADES - 1)), 0, SHADES - 1), -1).astype(np.int64)
        _shades[values] = numbers, float(low), float(high)
    return _shades[values]


def colours_of(name: str) -> list[str]:
    """Return the colours of a map, `SHADES` of them."""
    table = colormap(name)
    return [_hex(table[round(n * (len(table) - 1) / (SHADES - 1))]) for n in range(SHADES)]


def _hex(colour: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def sizes_by(values: np.ndarray, size: float) -> np.ndarray:
    """Return sizes between half and three times ``size``, growing with the values; NaN gives ``size``."""
    good = np.isfinite(values)
    low, high = np.percentile(values[good], (1, 99)) if good.any() else (0.0, 1.0)
    share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    return np.where(good, size * (0.5 + 2.5 * share), size)


def draw_points(
    painter: QPainter,
    x: np.ndarray,
    y: np.ndarray,
    colour: str,
    mark: str = "circle",
    size: float | np.ndarray = 9.0,
    *,
    opacity: float = 1.0,
    width: float = 1.4,
    rim: str = "",
) -> None:
    """Draw a mark at each place (logical pixels; only those in sight are given).

    Parameters
    ----------
    rim : str
        Colour of a thin border that keeps marks readable on any picture; empty: none.
    """
    shade = QColor(colour)
    shade.setAlphaF(shade.alphaF() * opacity)
    if len(x) <= OUTLINES or not _has_pixels(painter):
        _draw_shapes(painter, x, y, shade, mark, size, width, rim)
    elif len(x) <= FEW:
        _draw_pictures(painter, x, y, shade, mark, size, width, rim)
    else:
        _draw_stamps(painter, x, y, [shade], mark, float(np.median(size)), width)


def _draw_shapes(
    painter: QPainter, x: np.ndarray, y: np.ndarray, colour: QColor, mark: str, size: float | np.ndarray,
    width: float, rim: str,
) -> None:  # fmt: skip
    path = QPainterPath()
    if np.ndim(size) == 0:
        one = mark_path(mark, float(size))
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            path.addPath(one.translated(a, b))
    else:
        for a, b, s in zip(x.tolist(), y.tolist(), np.asarray(size).tolist(), strict=True):
            path.addPath(mark_path(mark, s).translated(a, b))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    if mark in _FILLED:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        path.setFillRule(Qt.FillRule.WindingFill)
        painter.drawPath(path)
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if rim:
        shade = QColor(rim)
        shade.setAlphaF(0.5 * colour.alphaF())
        painter.setPen(QPen(shade, width + 1.8))
        painter.drawPath(path)
    painter.setPen(QPen(colour, width))
    painter.drawPath(path)


def draw_coloured(
    painter: QPainter, x: np.ndarray, y: np.ndarray, shades: np.ndarray, colours: list[str], mark: str,
    size: float | np.ndarray, **looks: Any,
) -> None:  # fmt: skip
    """Draw marks of which each has the colour of its number, `draw_points` with that.

    Parameters
    ----------
    shades : ndarray of int
        −1 is the last colour.
    """
    if len(x) > FEW and _has_pixels(painter):
        _draw_stamps(painter, x, y, [QColor(c) for c in colours], mark, float(np.median(size)), 1.4,
                     shades=shades % len(colours), opacity=looks.get("opacity", 1.0))  # fmt: skip
        return
    for shade in np.unique(shades).tolist():
        part = shades == shade
        own = size if np.ndim(size) == 0 else size[part]
        draw_points(painter, x[part], y[part], colours[shade], mark, own, **looks)


def _has_pixels(painter: QPainter) -> bool:
    """Return whether a painter has pixels for a ground, not the lines of a PDF or SVG file."""
    return painter.paintEngine().type() not in (QPaintEngine.Type.Pdf, QPaintEngine.Type.SVG, QPaintEngine.Type.Picture)


def _draw_pictures(
    painter: QPainter, x: np.ndarray, y: np.ndarray, colour: QColor, mark: str, size: float | np.ndarray,
    width: float, rim: str,
) -> None:  # fmt: skip
    """Draw marks as pictures, which are made once for each size and place within a pixel (a quarter is told apart)."""
    ratio = painter.device().devicePixelRatioF()
    steps = np.floor(np.stack([x, y]) * ratio * PHASES + 0.5).astype(np.int64)
    whole, phase = np.divmod(steps, PHASES)
    halves = np.maximum(np.round(2 * np.broadcast_to(size, x.shape)), 1).astype(np.int64)
    kinds = (halves * PHASES + phase[0]) * PHASES + phase[1]
    look = (mark, width, rim, ratio, colour.rgba())
    for kind in np.unique(kinds).tolist():
        picture, middle = _picture(kind // PHASES**2, kind // PHASES % PHASES, kind % PHASES, *look)
        places = (whole[:, kinds == kind] - middle) / ratio
        for a, b in places.T.tolist():
            painter.drawImage(QPointF(a, b), picture)


@lru_cache(1024)
def _picture(
    halves: int, right: int, down: int, mark: str, width: float, rim: str, ratio: float, colour: int
) -> tuple[QImage, int]:
    """Return the picture of a mark of a size (in halves of a pixel), and where its middle is, in pixels of it."""
    middle = int(np.ceil((halves / 4 + width + 2) * ratio))
    image = QImage(2 * middle + 2, 2 * middle + 2, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    with QPainter(image) as painter:
        painter.translate(middle + right / PHASES, middle + down / PHASES)
        painter.scale(ratio, ratio)
        _draw_shapes(painter, np.zeros(1), np.zeros(1), QColor.fromRgba(colour), mark, halves / 2, width, rim)
    image.setDevicePixelRatio(ratio)
    return image, middle


@lru_cache(64)
def _stamp(mark: str, size: float, width: float, ratio: float) -> np.ndarray:
    """Return the coverage of a mark, 0 to 1, with its middle in the middle."""
    half = int(np.ceil((size / 2 + width) * ratio)) + 1
    image = QImage(2 * half + 1, 2 * half + 1, QImage.Format.Format_Alpha8)
    image.fill(0)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.translate(half + 0.5, half + 0.5)
        painter.scale(ratio, ratio)
        _draw_shapes(painter, np.zeros(1), np.zeros(1), QColor("white"), mark, size, width, "")
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].astype(np.float32) / 255.0


def _draw_stamps(
    painter: QPainter, x: np.ndarray, y: np.ndarray, colours: list[QColor], mark: str, size: float, width: float, *,
    shades: np.ndarray | None = None, opacity: float = 1.0,
) -> None:  # fmt: skip
    """Draw thousands of marks of one size, all in the first colour or each in the one of its number."""
    ratio = painter.device().devicePixelRatioF()
    stamp = np.round(_stamp(mark, size, width, ratio) * 255).astype(np.uint8)
    half = stamp.shape[0] // 2
    column, row = np.floor(x * ratio).astype(np.int64) - half, np.floor(y * ratio).astype(np.int64) - half
    left, top = int(column.min()), int(row.min())
    wide, high = int(column.max()) - left + stamp.shape[1], int(row.max()) - top + stamp.shape[0]
    made = stamped(column - left, row - top, stamp, wide, high, shades)
    cover = np.arange(256) / 255 * opacity
    table = np.concatenate([_tinted(cover, colour) for colour in colours])
    _draw_pixels(painter, tinted(made, table), QPointF(left / ratio, top / ratio), ratio)


def _tinted(alpha: np.ndarray, colour: QColor) -> np.ndarray:
    """Return pixels of a colour, 0xAARRGGBB premultiplied, as opaque as ``alpha`` says (0 to 1)."""
    opacity = np.round(alpha * (255 * colour.alphaF())).astype(np.uint32)
    pixels = opacity << 24
    for shift, part in ((16, colour.red()), (8, colour.green()), (0, colour.blue())):
        pixels |= (opacity * part // 255) << shift
    return pixels


def _draw_pixels(painter: QPainter, pixels: np.ndarray, at: QPointF, ratio: float) -> None:
    pixels = np.ascontiguousarray(pixels, np.uint32)
    high, wide = pixels.shape
    image = QImage(pixels.data, wide, high, 4 * wide, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    painter.drawImage(at, image)


def draw_density(
    painter: QPainter,
    x: np.ndarray,
    y: np.ndarray,
    area: QRectF,
    colour: QColor,
    *,
    to: np.ndarray = AS_GIVEN,
    rows: np.ndarray | None = None,
    opacity: float = 1.0,
) -> None:
    """Draw how many points lie in each pixel of an area: the more, the more opaque, on a logarithmic scale.

    Parameters
    ----------
    to : ndarray, shape (2, 3)
        ``screen = to @ (x, y, 1)``, in logical pixels.
    rows : ndarray of bool, optional
        Points that count.
    """
    ratio = painter.device().devicePixelRatioF()
    wide, high = max(1, round(area.width() * ratio)), max(1, round(area.height() * ratio))
    pixels = ratio * (to - np.array([[0, 0, area.left()], [0, 0, area.top()]]))
    counts = density(x, y, wide, high, to=pixels, rows=rows)
    most = int(counts.max())
    if most == 0:
        return
    # One is where the scale begins: a single point is seen, and ten times as many are told from it.
    steps = np.arange(min(most, MOST_COUNT) + 1)
    alpha = np.where(steps > 0, 0.35 + 0.65 * np.log1p(steps) / np.log1p(most), 0.0) * opacity
    table = _tinted(alpha, colour)
    _draw_pixels(painter, tinted(counts, table), area.topLeft(), ratio)


def draw_means(
    painter: QPainter, x: np.ndarray, y: np.ndarray, area: QRectF, shades: np.ndarray, colours: list[str], *,
    to: np.ndarray, rows: np.ndarray | None = None, opacity: float = 1.0,
) -> None:  # fmt: skip
    """Draw a crowd whose points have colours: each pixel has that of the mean of the points in it.

    Parameters
    ----------
    shades : ndarray of int
        Numbers of colours; points with −1 are left out.
    to, rows
        As in `draw_density`.
    """
    ratio = painter.device().devicePixelRatioF()
    wide, high = max(1, round(area.width() * ratio)), max(1, round(area.height() * ratio))
    pixels = ratio * (to - np.array([[0, 0, area.left()], [0, 0, area.top()]]))
    found = means(x, y, shades, wide, high, to=pixels, rows=rows)
    table = np.array([0, *(_tinted(np.array(opacity), QColor(colour)) for colour in colours)], np.uint32)
    _draw_pixels(painter, tinted(found, table), area.topLeft(), ratio)

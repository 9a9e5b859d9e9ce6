"""Colours and fonts of what viewers draw themselves: on the screen as the theme has them, in files as on paper."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QGuiApplication, QPalette
from PySide6.QtWidgets import QWidget

__all__ = ["PAPER", "Look", "argb", "blended"]


@dataclass(frozen=True)
class Look:
    """Colours as ``#rrggbb`` and the size of the text.

    Parameters
    ----------
    canvas : str
        Behind and beside the image.
    blank : str
        Pixels without a value (NaN).
    text, line : str
        Of axes and colour bar.
    faint : str
        Of hints and minor lines.
    accent : str
        Of what the mouse is doing now.
    pixels : float
        Height of the font in logical pixels.
    family : str
        Font family; empty: the application's.
    transparent : bool
        Nothing is drawn behind the image (for files).
    """

    canvas: str
    blank: str
    text: str
    line: str
    faint: str
    accent: str
    pixels: float = 13.0
    family: str = ""
    transparent: bool = False

    @classmethod
    def of(cls, widget: QWidget) -> Look:
        """Take the theme and the font of a widget."""
        dark = widget.palette().color(QPalette.ColorRole.Window).lightness() < 128
        accent = widget.palette().color(QPalette.ColorRole.Highlight).name()
        colours = _DARK if dark else _LIGHT
        font = widget.font()
        return cls(*colours, accent, float(QFontInfo(font).pixelSize()), font.family())

    @classmethod
    def for_paper(cls, theme: str, *, font: float = 1.0, transparent: bool = False) -> Look:
        """Return the look of a figure.

        Parameters
        ----------
        theme : {"light", "dark", "screen"}
            Black on white, bright on dark, or as the windows of the application are.
        font : float
            Size of the text, 1 is about 10 points.
        """
        if theme == "screen":
            theme = "dark" if QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128 else "grey"
        colours = {"light": PAPER, "dark": cls(*_DARK, PAPER.accent), "grey": cls(*_LIGHT, PAPER.accent)}
        look = replace(colours[theme], pixels=PAPER.pixels * font)
        return replace(look, transparent=True, blank="") if transparent else look

    @property
    def is_dark(self) -> bool:
        """Whether text is brighter than what it stands on."""
        return QColor(self.canvas).lightness() < 128

    def font(self, share: float = 1.0, *, bold: bool = False) -> QFont:
        """Return the font at a share of its size, in logical pixels whatever the device."""
        font = QFont(self.family) if self.family else QFont(QGuiApplication.font())
        font.setPixelSize(max(1, round(self.pixels * share)))
        font.setBold(bold)
        # Widths must not depend on the resolution, or a PDF would break lines where the screen does not.
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font

    def metrics(self, share: float = 1.0) -> QFontMetricsF:
        """Return the sizes of text in that font."""
        return QFontMetricsF(self.font(share))


_DARK = ("#15171b", "#30343d", "#c9ced6", "#767d89", "#6b7280")
_LIGHT = ("#eef0f3", "#cfd3da", "#2a2e35", "#7c838e", "#8d95a1")

PAPER = Look("#ffffff", "#ffffff", "#000000", "#000000", "#808080", "#1f6feb")
"""White with black axes, for files."""


def argb(colour: str, otherwise: str = "") -> int:
    """Return 0xFFRRGGBB of a colour name; 0 (transparent) when neither it nor ``otherwise`` is one."""
    for name in (colour, otherwise):
        if name and QColor.isValidColorName(name):
            return QColor(name).rgb() | 0xFF000000
    return 0


def blended(first: QColor, second: QColor, share: float) -> QColor:
    """Mix two colours: ``share`` of the second."""
    return QColor.fromRgbF(
        *(a + (b - a) * share for a, b in zip(first.getRgbF()[:3], second.getRgbF()[:3], strict=True))
    )

"""Colours of the window: a dark and a light theme that follow the system or a setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from jviz.window.style import FRAME, style_sheet

__all__ = ["DARK", "LIGHT", "Colours", "Theme", "contrast", "palette_of"]

BREATH_MS = 4
"""Between styling two parts of a window, so that the first is painted and what the user does comes in."""

FROZEN = "jviz_frozen"
"""Property of a part that waits for its turn."""


@dataclass(frozen=True)
class Colours:
    """The colours of a theme, as ``#rrggbb``.

    ``window`` is behind everything, ``base`` behind lists and fields, ``raised`` of buttons and cards;
    ``muted`` is the text of what matters less; ``line`` parts areas, ``edge`` bounds what can be used.
    """

    dark: bool
    window: str
    base: str
    raised: str
    hover: str
    line: str
    edge: str
    text: str
    muted: str
    disabled: str
    accent: str
    on_accent: str
    selection: str
    info: str
    warning: str
    error: str
    good: str


DARK = Colours(
    dark=True, window="#1d2026", base="#16181d", raised="#2a2e37", hover="#343945", line="#0f1114", edge="#6d7584",
    text="#e6e8ec", muted="#a3abb8", disabled="#6b7280", accent="#6cb2ff", on_accent="#08182b", selection="#274a73",
    info="#6cb2ff", warning="#f0b860", error="#ff8a80", good="#7bd0a0",
)  # fmt: skip

LIGHT = Colours(
    dark=False, window="#f2f3f5", base="#ffffff", raised="#ffffff", hover="#e4e7ec", line="#cfd4db", edge="#808894",
    text="#1b1f26", muted="#565f6d", disabled="#9aa2ad", accent="#1863c0", on_accent="#ffffff", selection="#cfe2fa",
    info="#1863c0", warning="#8a5a00", error="#b3261e", good="#1c7a4a",
)  # fmt: skip


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance of sRGB)."""
    light, dark = sorted((_luminance(QColor(first)), _luminance(QColor(second))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: QColor) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour.getRgbF()[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def palette_of(colours: Colours) -> QPalette:
    """Turn colours into what Qt's own drawing uses."""
    role = QPalette.ColorRole
    palette = QPalette(QColor(colours.raised), QColor(colours.window))
    for target, name in {
        role.Window: "window", role.WindowText: "text", role.Base: "base", role.AlternateBase: "window",
        role.ToolTipBase: "raised", role.ToolTipText: "text", role.PlaceholderText: "muted", role.Text: "text",
        role.Button: "raised", role.ButtonText: "text", role.BrightText: "error", role.Link: "accent",
        role.LinkVisited: "accent", role.Highlight: "selection", role.HighlightedText: "text", role.Accent: "accent",
        role.Light: "hover", role.Midlight: "hover", role.Mid: "line", role.Dark: "line", role.Shadow: "line",
    }.items():  # fmt: skip
        palette.setColor(target, QColor(getattr(colours, name)))
    for target in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(colours.disabled))
    return palette


class Theme(QObject):
    """Dresses a window in the theme of the setting ``window.theme`` and keeps it so.

    The style sheet is worn by the parts of the window (docks, bars, the middle, dialogs), not by the window:
    Qt styles a widget and all within it in one go, which takes a whole window 80 ms. A change of theme goes
    from part to part, those in sight first; each keeps its old look until its turn.

    Attributes
    ----------
    colours : Colours
        Those in use.
    changed : Signal
    """

    changed = Signal()

    def __init__(self, window: QWidget, settings: Any) -> None:
        super().__init__(window)
        self._window, self._settings = window, settings
        self.colours = DARK
        self._sheet = ""
        self._worn: str | None = None
        self._turn = QTimer(self, singleShot=True, interval=BREATH_MS)
        self._turn.timeout.connect(self._dress_next)
        window.setStyleSheet(FRAME)
        settings.changed.connect(self._setting_changed)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.apply)
        self.apply()

    def apply(self, *_: Any) -> None:
        """Put on what setting and system ask for."""
        colours = self._wanted()
        if self._sheet and colours == self.colours:
            return
        self.colours, self._sheet = colours, style_sheet(colours)
        for part in self._outdated():
            if part.isVisible() and part.updatesEnabled():
                _freeze(part)
        QApplication.setPalette(palette_of(colours))
        # Qt keeps the colours that the frame took from the palette until it is polished again.
        self._window.style().polish(self._window)
        self._turn.start()
        self.changed.emit()

    @property
    def is_settled(self) -> bool:
        """Whether everything in sight wears the theme."""
        return not any(part.isVisible() for part in self._outdated())

    def _outdated(self) -> list[QWidget]:
        """Return the parts in other clothes; those never shown are dressed when they are."""
        return [
            part
            for part in self._window.children()
            if isinstance(part, QWidget)
            and part.testAttribute(Qt.WidgetAttribute.WA_WState_Polished)
            and part.styleSheet() != self._sheet
        ]

    def _dress_next(self) -> None:
        parts = self._outdated()
        if parts:
            self.dress(max(parts, key=QWidget.isVisible))
            self._turn.start()

    def dress(self, part: QWidget) -> None:
        """Dress a child of the window; before it has children of its own it costs least."""
        if part.styleSheet() != self._sheet:
            part.setStyleSheet(self._sheet)
        if part.property(FROZEN):
            _thaw(part)

    def wear(self, theme: str) -> None:
        """Put on a theme until the setting changes, without changing the setting."""
        self._worn = theme
        self.apply()

    def _wanted(self) -> Colours:
        chosen = self._worn or self._settings["window.theme"]
        if chosen == "system":
            # A system that says nothing gets the dark one: pictures look best on it.
            return LIGHT if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK
        return {"dark": DARK, "light": LIGHT}[chosen]

    def _setting_changed(self, key: str) -> None:
        if key == "window.theme":
            self._worn = None
            self.apply()


def _freeze(part: QWidget) -> None:
    """Keep the pixels of a part as they are."""
    part.setProperty(FROZEN, True)
    part.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, True)  # or the window would paint where it is
    part.setUpdatesEnabled(False)


def _thaw(part: QWidget) -> None:
    """Let a part be painted again."""
    part.setProperty(FROZEN, None)
    part.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, False)
    part.setUpdatesEnabled(True)

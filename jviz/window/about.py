"""What jviz is, and what it stands on."""

from __future__ import annotations

import platform
from typing import Any

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout

__all__ = ["open_about"]

PARTS = ("numpy", "PySide6_Essentials", "astropy", "glue-core", "numba", "pyqtgraph", "gwcs", "regions", "specutils")


def open_about(window: Any) -> QDialog:
    """Open the dialog with the versions."""
    dialog = QDialog(window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("About jviz")
    mark = QLabel()
    mark.setPixmap(window.windowIcon().pixmap(QSize(72, 72), window.devicePixelRatioF()))
    mark.setAccessibleName("Icon of jviz")
    text = QLabel(_text())
    text.setTextFormat(Qt.TextFormat.RichText)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    row = QHBoxLayout()
    row.setSpacing(22)
    row.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
    row.addWidget(text, 1)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    copy = buttons.addButton("Copy Versions", QDialogButtonBox.ButtonRole.ActionRole)
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText("\n".join(_versions())))
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(26, 24, 26, 18)
    layout.setSpacing(20)
    layout.addLayout(row)
    layout.addWidget(buttons)
    dialog.open()
    return dialog


def _text() -> str:
    head, *parts = _versions()
    rows = "<br>".join(parts)
    return (
        f"<p style='font-size: 18pt; font-weight: 600; margin: 0'>{head}</p>"
        "<p>Searches, calibrates, shows and measures astronomical data,<br>"
        "above all JWST data, in one linked window.</p>"
        f"<p>Licence: BSD 3-Clause</p><p style='line-height: 140%'>{rows}</p>"
    )


def _versions() -> list[str]:
    from importlib.metadata import PackageNotFoundError, version

    import jviz

    found = [f"jviz {jviz.__version__}", f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}"]
    names = []
    for part in PARTS:
        try:
            names.append(f"{part.replace('_Essentials', '')} {version(part)}")
        except PackageNotFoundError:
            continue
    return [*found, ", ".join(names[:5]), ", ".join(names[5:])]

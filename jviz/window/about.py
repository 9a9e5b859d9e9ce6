"""What jviz is, and where its manual stands."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout

from jviz.errors import JvizError

__all__ = ["open_about", "open_manual"]

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


def open_manual(window: Any) -> None:
    """Open the user guide in the program that the desktop has for it.

    Raises
    ------
    JvizError
        When this installation has none.
    """
    page = Path(__file__).resolve().parents[2] / "docs" / "user" / "index.md"
    if not page.is_file():
        raise JvizError("The manual is not part of this installation; it is in the folder docs/user of the sources.")
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(page))):
        raise JvizError(f"No program opened the manual; it is in {page.parent}.")


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

"""The user guide in a window of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QTextBrowser, QToolButton, QVBoxLayout, QWidget

from jviz.errors import JvizError
from jviz.viewers.icons import themed_icon

__all__ = ["Manual", "guide_folder", "open_manual"]

MARKDOWN = QTextDocument.ResourceType.MarkdownResource


def guide_folder() -> Path:
    """Return the folder of the user guide.

    Raises
    ------
    JvizError
        When this installation has none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "guide" / "user", package.parent / "docs" / "user"):
        if (folder / "index.md").is_file():
            return folder
    raise JvizError("The manual is not part of this installation; it is in the folder docs/user of the sources.")


def open_manual(window: Any, page: str = "index.md") -> Manual:
    """Open the guide at a page, in the window that it has already if there is one."""
    folder = guide_folder()
    manual = next(iter(window.findChildren(Manual)), None) or Manual(window)
    manual.show_page(folder / page)
    manual.show()
    manual.raise_()
    manual.activateWindow()
    return manual


class Manual(QWidget):
    """Shows pages of the guide; links lead from one to the next, Alt+Left goes back."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("jviz Manual")
        self.setObjectName("manual")
        self.resize(820, 760)
        self.browser = Pages()
        self.browser.setAccessibleName("Page of the manual")
        self.browser.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.browser.setOpenLinks(False)
        self.browser.document().setDocumentMargin(26)
        self.browser.anchorClicked.connect(self._follow)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 6, 8, 6)
        for icon, text, keys, action in (
            ("fa6s.arrow-left", "Back", "Alt+Left", self.browser.backward),
            ("fa6s.arrow-right", "Forward", "Alt+Right", self.browser.forward),
            ("fa6s.house", "Contents", "Alt+Home", lambda: self.show_page(guide_folder() / "index.md")),
        ):
            bar.addWidget(_button(icon, text, keys, action))
        bar.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.browser)

    def show_page(self, path: Path) -> None:
        """Show one page."""
        self.browser.setSource(QUrl.fromLocalFile(str(path)), MARKDOWN)

    def _follow(self, link: QUrl) -> None:
        target = self.browser.source().resolved(link)
        if not target.isLocalFile():
            QDesktopServices.openUrl(target)
        elif Path(target.toLocalFile()).suffix == ".md":
            self.browser.setSource(target, MARKDOWN)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        super().keyPressEvent(event)


class Pages(QTextBrowser):
    """Pictures are made as wide as the page at most."""

    def loadResource(self, kind: int, name: QUrl) -> Any:
        loaded = super().loadResource(kind, name)
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return self._fitted(self.source().resolved(name)) or loaded
        return loaded

    def _fitted(self, address: QUrl) -> Any:
        from PySide6.QtGui import QImage

        image = QImage(address.toLocalFile())
        width = max(200, self.viewport().width() - 76)
        if image.isNull() or image.width() <= width:
            return image if not image.isNull() else None
        ratio = self.devicePixelRatioF()
        smooth = Qt.TransformationMode.SmoothTransformation
        image = image.scaledToWidth(round(width * ratio), smooth)
        image.setDevicePixelRatio(ratio)
        return image


def _button(icon: str, text: str, keys: str, action: Any) -> QToolButton:
    button = QToolButton()
    button.setIcon(themed_icon(icon))
    button.setIconSize(QSize(16, 16))
    button.setText(text)
    button.setToolTip(f"{text} ({keys})")
    button.setAccessibleName(text)
    button.setShortcut(QKeySequence(keys))
    button.clicked.connect(lambda: action())
    return button

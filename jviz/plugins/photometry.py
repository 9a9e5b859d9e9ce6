"""The panel of photometry: background, sources, apertures, catalogues and isophotes of the image in view."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QTabWidget, QVBoxLayout

from jviz.api import Catalog, ImageView, photometry_shown
from jviz.plugins.parts import Newest, Panel
from jviz.plugins.photometry_aperture import ApertureTab
from jviz.plugins.photometry_isophotes import IsophotesTab
from jviz.plugins.photometry_parts import Tab
from jviz.plugins.photometry_sources import BackgroundTab, BandsTab, CatalogTab, DetectTab

__all__ = ["PhotometryPanel"]

PAUSE = 120
"""Milliseconds that a view must rest before what is in sight is worked out anew."""


class PhotometryPanel(Panel):
    """Background, sources, apertures, catalogues and isophotes of the active image.

    While numbers are turned, what they give is drawn over the part of the image in sight; fluxes and the curve of
    growth follow a region that is dragged. The buttons run the commands, which undo takes back and scripts repeat.
    """

    empty_text = "Open an image to measure its background, find its sources and measure their light here."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._newest = Newest(self.links, self.session, "Photometry", self._begin)
        self._rest = QTimer(self, singleShot=True, interval=PAUSE)
        self._rest.timeout.connect(self._newest.ask)
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.setAccessibleName("Ways to measure")
        self.tabs.setUsesScrollButtons(True)
        self.aperture, self.background = ApertureTab(context), BackgroundTab(context)
        self.detect, self.catalog, self.bands = DetectTab(context), CatalogTab(context), BandsTab(context)
        self.isophotes = IsophotesTab(context)
        for tab in (self.aperture, self.background, self.detect, self.catalog, self.bands, self.isophotes):
            self.tabs.addTab(tab, tab.title)
            tab.changed.connect(self._newest.ask)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self._connect()

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._turned)
        self.context.active_changed.connect(self.later)
        self.context.cursor_changed.connect(self._moved)
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.subsets_changed, self.later)
        self.links.signal(self.session.interaction.selection_changed, self.later)
        self.links.signal(self.session.interaction.pixel_changed, self.later)
        shown = photometry_shown(self.session)
        self.destroyed.connect(lambda *_: shown.show(None))

    @property
    def tab(self) -> Tab:
        """The tab in front."""
        return self.tabs.currentWidget()  # type: ignore[return-value]

    def is_empty(self) -> bool:
        view = self.context.active_image()
        data = view.layers[0].data if isinstance(view, ImageView) and view.layers else None
        return data is None or isinstance(data, Catalog) or len(data.shape) != 2

    def refresh(self) -> None:
        view = self.context.active_image()
        self.links.states("view", [view if isinstance(view, ImageView) else None], self._view_changed)
        if self.is_empty():
            photometry_shown(self.session).show(None)
            return
        self.tab.refresh()
        self._newest.ask()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        photometry_shown(self.session).show(None)
        self.later()

    def _turned(self, _: int) -> None:
        photometry_shown(self.session).show(None)
        self.later()

    def _view_changed(self, **changed: Any) -> None:
        if self.tab is not self.aperture or "layers" in changed:
            self._rest.start()

    def _moved(self) -> None:
        if self.isVisible() and self.tab is self.aperture and self.aperture.where.currentData() == "cursor":
            self._newest.ask()

    def _begin(self) -> Any:
        """Return what works out the preview of the tab in front, and what shows it."""
        view = self.context.active_image()
        return None if self.is_empty() or not self.isVisible() else self.tab.preview(view)

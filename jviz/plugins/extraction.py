"""The panel of extractions from 2-D spectra."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from jviz.api import CurvePicture, JvizError, NumberBox, Spectrum2D, extraction_preview, extraction_shown
from jviz.plugins.parts import Newest, Panel, fill_quietly, muted, row_of

USUAL = "Found, or the last trace"
BANDS = {"light": "the light", "below": "the background below", "above": "the background above"}
USUAL_EDGES = {"light": (-3.0, 3.0), "below": (-10.0, -6.0), "above": (6.0, 10.0)}


class ExtractionPanel(Panel):
    """The spectrum along a trace, extracted anew while trace, edges and background change.

    The windows are drawn over the 2-D spectrum while the panel is seen. Trace finds the source and keeps it as a path,
    which can be moved and bent by hand; the edges of the light and of the windows can be dragged on the image, too.
    Extract makes the spectrum by a command.
    """

    empty_text = (
        "Open a 2-D spectrum (JWST s2d or cal of a slit, a long slit) to extract the spectrum of a source here."
    )

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._newest = Newest(self.links, self.session, "Extraction", self._begin)
        self._make_widgets()
        self._arrange()
        for signal in (self.trace.currentIndexChanged, self.method.currentIndexChanged, self.fit.currentIndexChanged,
                       self.background.toggled, *(side.toggled for side in self.sides.values())):  # fmt: skip
            signal.connect(self._newest.ask)
        for key, box in self.edges.items():
            box.valueChanged.connect(partial(self._edge_changed, *key))
        for box in (self.background, *self.sides.values()):
            box.toggled.connect(self._allow)
        self._allow()
        context.active_changed.connect(self.later)
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.subsets_changed, self.later)
        shown = extraction_shown(self.session)
        self.links.signal(shown.dragged, self._edges_dragged)
        self.destroyed.connect(lambda *_: shown.show(None))

    def _make_widgets(self) -> None:
        self.trace, self.method, self.fit = QComboBox(), QComboBox(), QComboBox()
        self.trace.setAccessibleName("Trace")
        self.method.setAccessibleName("How the light is summed")
        self.method.addItem("Box", "boxcar")
        self.method.addItem("Optimal (Horne)", "horne")
        self.fit.setAccessibleName("How the background is found")
        self.fit.addItem("Median", "median")
        self.fit.addItem("Line", "polynomial")
        self.edges = {
            (band, end): _pixels(f"{('Lower', 'Upper')[end]} edge of {BANDS[band]}, from the trace", value)
            for band, pair in USUAL_EDGES.items()
            for end, value in enumerate(pair)
        }
        self.alike = QCheckBox("Same on both sides")
        self.alike.setChecked(True)
        self.alike.setToolTip("The edge on the other side of the trace goes with the one that is moved; Shift, while "
                              "an edge is dragged on the image, moves that one alone")  # fmt: skip
        self.background = QCheckBox("Background")
        self.sides = {"below": QCheckBox("Below"), "above": QCheckBox("Above")}
        for side in self.sides.values():
            side.setChecked(True)
        self.find = QPushButton("Trace")
        self.find.setToolTip("Find the source and keep its trace as a path that can be moved by hand")
        self.find.clicked.connect(self.find_trace)
        self.extract = QPushButton("Extract")
        self.extract.setToolTip("Make the spectrum: data of the session, in the script")
        self.extract.clicked.connect(self.extract_spectrum)
        self.picture = CurvePicture(robust="auto")
        self.picture.setAccessibleName("Spectrum along the trace")
        self.note = muted(QLabel())
        self.note.setWordWrap(True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow("Trace", row_of(self.trace, self.find))
        form.addRow("Sum", self.method)
        form.addRow("Light", self._edge_row("light"))
        form.addRow(self.background, self.fit)
        for band, side in self.sides.items():
            form.addRow(side, self._edge_row(band))
        form.addRow("", self.alike)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(form)
        layout.addWidget(self.picture, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.extract)
        layout.addLayout(foot)

    def _edge_row(self, band: str) -> QHBoxLayout:
        return row_of(self.edges[band, 0], QLabel("to"), self.edges[band, 1])

    def _allow(self, *_: Any) -> None:
        used = self.background.isChecked()
        for widget in (self.fit, *self.sides.values()):
            widget.setEnabled(used)
        for band, end in self.edges:
            if band != "light":
                self.edges[band, end].setEnabled(used and self.sides[band].isChecked())

    # --- what is extracted ----------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The 2-D spectrum of the active image view, or None."""
        view = self.context.active_image()
        data = view.layer.data if view is not None and view.layer is not None else None
        return data if isinstance(data, Spectrum2D) and len(data.shape) == 2 else None

    @property
    def bands(self) -> dict[str, tuple[float, float]]:
        """Where the light is summed, and the background measured: edges in pixels from the trace."""
        found = {}
        for band in USUAL_EDGES:
            low, high = sorted((self.edges[band, 0].value(), self.edges[band, 1].value()))
            if band == "light" or (high > low and self.background.isChecked() and self.sides[band].isChecked()):
                found[band] = (low, high)
        return found

    def is_empty(self) -> bool:
        return self.data is None

    def refresh(self) -> None:
        data = self.data
        if data is None:
            extraction_shown(self.session).show(None)
            return
        paths = [n for n, s in self.session.subsets.items() if s.data is data and s.shape in ("path", "line")]
        chosen = self.trace.currentData()
        self.trace.blockSignals(True)
        self.trace.clear()
        self.trace.addItem(USUAL, "")
        for name in paths:
            self.trace.addItem(name, name)
        self.trace.setCurrentIndex(max(self.trace.findData(chosen), 0))
        self.trace.blockSignals(False)
        self._newest.ask()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        extraction_shown(self.session).show(None)
        self.later()

    def _edges_dragged(self, band: str, end: int, value: float, alone: bool) -> None:
        """Take over what the mouse does to an edge on the image."""
        if alone:
            self.alike.setChecked(False)
        self.edges[band, end].setValue(value)

    def _edge_changed(self, band: str, end: int, value: float) -> None:
        """Move the edge on the other side with one, if both sides are to be the same."""
        if self.alike.isChecked():
            other = {"light": "light", "below": "above", "above": "below"}[band]
            fill_quietly(self.edges[other, 1 - end], -value)
        self._newest.ask()

    def _begin(self) -> Any:
        """Return what extracts with the numbers of the panel, and what shows the spectrum."""
        if self.is_empty() or not self.isVisible():
            return None
        options = (self.data, self.trace.currentData() or None, self.method.currentData(), self.bands,
                   self.fit.currentData())  # fmt: skip

        def work(job: Any) -> tuple:
            try:
                return extraction_preview(self.session, *options)
            except (JvizError, OSError) as error:
                return None, None, str(error)

        return work, self._show

    def _show(self, where: Any, curve: Any, text: str) -> None:
        if where is None or where.data is self.data:
            self.picture.show_curves({} if curve is None else {"spectrum": curve})
            self.note.setText(text)
            self.extract.setEnabled(curve is not None)
            extraction_shown(self.session).show(where if self.isVisible() else None)

    # --- what stays -----------------------------------------------------------------------------

    def find_trace(self) -> None:
        """Find the source by the command, and keep its path."""
        if self.data is not None:
            self.context.run("spectrum2d.trace", data=self.data)

    def extract_spectrum(self) -> None:
        """Make the spectrum by the command, with the numbers of the panel."""
        if self.data is None:
            return
        low, high = self.bands["light"]
        options: dict[str, Any] = {"method": self.method.currentData()}
        options |= {"width": high - low} if low == -high else {"edges": (low, high)}
        if name := self.trace.currentData():
            options["trace"] = name
        if windows := [list(edges) for band, edges in self.bands.items() if band != "light"]:
            options |= {"background": windows, "fit": self.fit.currentData()}
        self.context.run("spectrum2d.extract", data=self.data, **options)


def _pixels(name: str, value: float) -> NumberBox:
    box = NumberBox(minimum=-2000, maximum=2000, value=value, singleStep=0.5, decimals=1)
    box.setSuffix(" pix")
    box.setAccessibleName(name)
    return box

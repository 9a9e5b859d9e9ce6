"""The panel of extractions from 2-D spectra."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from jviz.api import CurvePicture, JvizError, Spectrum2D, extraction_preview, extraction_shown
from jviz.plugins.parts import Newest, Panel, muted

USUAL = "Found, or the last trace"


class ExtractionPanel(Panel):
    """The spectrum along a trace, extracted anew while trace, width and background change.

    The windows are drawn over the 2-D spectrum while the panel is seen. Trace finds the source and keeps it as a path,
    which can be moved and bent by hand; Extract makes the spectrum by a command.
    """

    empty_text = (
        "Open a 2-D spectrum (JWST s2d or cal of a slit, a long slit) to extract the spectrum of a source here."
    )

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._newest = Newest(self.links, self.session, "Extraction", self._begin)
        self._make_widgets()
        self._arrange()
        for signal in (self.trace.currentIndexChanged, self.method.currentIndexChanged, self.width_box.valueChanged,
                       self.inner.valueChanged, self.outer.valueChanged, self.fit.currentIndexChanged,
                       self.background.toggled):  # fmt: skip
            signal.connect(self._newest.ask)
        self.background.toggled.connect(self._allow)
        self._allow()
        context.active_changed.connect(self.later)
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.subsets_changed, self.later)
        shown = extraction_shown(self.session)
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
        self.width_box = _pixels("Width across the trace", 6.0)
        self.inner, self.outer = _pixels("Inner edge of the windows", 6.0), _pixels("Outer edge of the windows", 10.0)
        self.background = QCheckBox("Background")
        self.find = QPushButton("Trace")
        self.find.setToolTip("Find the source and keep its trace as a path that can be moved by hand")
        self.find.clicked.connect(self.find_trace)
        self.extract = QPushButton("Extract")
        self.extract.setToolTip("Make the spectrum: data of the session, in the script")
        self.extract.clicked.connect(self.extract_spectrum)
        self.picture = CurvePicture()
        self.picture.setAccessibleName("Spectrum along the trace")
        self.note = muted(QLabel())
        self.note.setWordWrap(True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow("Trace", _row(self.trace, self.find))
        form.addRow("Sum", _row(self.method, self.width_box))
        form.addRow(self.background, _row(self.fit, self.inner, QLabel("to"), self.outer))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(form)
        layout.addWidget(self.picture, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.extract)
        layout.addLayout(foot)

    def _allow(self, *_: Any) -> None:
        for widget in (self.fit, self.inner, self.outer):
            widget.setEnabled(self.background.isChecked())

    # --- what is extracted ----------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The 2-D spectrum of the active image view, or None."""
        view = self.context.active_image()
        data = view.layer.data if view is not None and view.layer is not None else None
        return data if isinstance(data, Spectrum2D) and len(data.shape) == 2 else None

    @property
    def windows(self) -> tuple[tuple[float, float], ...]:
        """Windows of the background on both sides of the trace, in pixels from it."""
        low, high = sorted((self.inner.value(), self.outer.value()))
        return ((-high, -low), (low, high)) if self.background.isChecked() and high > low else ()

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

    def _begin(self) -> Any:
        """Return what extracts with the numbers of the panel, and what shows the spectrum."""
        if self.is_empty() or not self.isVisible():
            return None
        options = (self.data, self.trace.currentData() or None, self.method.currentData(), self.width_box.value(),
                   self.windows, self.fit.currentData())  # fmt: skip

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
        options: dict[str, Any] = {"method": self.method.currentData(), "width": self.width_box.value()}
        if name := self.trace.currentData():
            options["trace"] = name
        if self.windows:
            options |= {"background": [list(pair) for pair in self.windows], "fit": self.fit.currentData()}
        self.context.run("spectrum2d.extract", data=self.data, **options)


def _pixels(name: str, value: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox(minimum=0.5, maximum=2000, value=value, singleStep=0.5, decimals=1)
    box.setSuffix(" pix")
    box.setAccessibleName(name)
    return box


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget, 1 if isinstance(widget, QComboBox) else 0)
    return row

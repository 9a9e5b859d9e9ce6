"""The tabs of the Photometry panel for backgrounds, sources and their catalogues."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem

from jviz.api import JvizError, background_preview, detection_preview, part_in_sight
from jviz.plugins.parts import muted
from jviz.plugins.photometry_parts import Tab, number_of, number_or_text, quietly

__all__ = ["BackgroundTab", "BandsTab", "CatalogTab", "DetectTab"]

ESTIMATORS = {
    "median": "Median",
    "mean": "Mean",
    "mode": "Mode",
    "sextractor": "As SExtractor",
    "mmm": "MMM (DAOPHOT)",
    "biweight": "Biweight",
}
BOX = "Side of the meshes in pixels: larger than the sources"


class _OnPart(Tab):
    """A tab whose preview is worked out on the part of the image in sight."""

    def region_of(self, name: str | None) -> list[Any]:
        """Return the region of a name as a list, for previews."""
        return [self.session.subsets[name]] if name in self.session.subsets else []

    def edge_number(self) -> Any:
        """Add how near to the edge pixels are not used."""
        hint = "Pixels nearer to the edge of the field are not used"
        return self.whole("edge", "Edge", 0, 0, 1000, hint, suffix=" pix")


class BackgroundTab(_OnPart):
    """The background in meshes."""

    command, title, verb = "photometry.background", "Background", "Make Background"

    def fill(self) -> None:
        self.box = self.whole("box_size", "Mesh", 64, 4, 4096, BOX, suffix=" pix")
        self.window = self.whole(
            "filter_size", "Filter", 3, 1, 31, "Meshes over which a median is taken, an odd number", singleStep=2
        )
        self.estimator = self.choice("estimator", "Level", ESTIMATORS, "How the level of a mesh is found")
        self.rms = self.choice(
            "rms",
            "Scatter",
            {"std": "Standard deviation", "mad": "Median absolute deviation", "biweight": "Biweight"},
            "How the scatter of a mesh is found",
        )
        self.clip = self.real("clip", "Clip", 3.0, 1, 20, "Values farther from the median are left out", suffix=" σ")
        self.mask = self.choice("region", "Leave out", {None: "Nothing more"}, "A region whose pixels are not used")
        self.segments = self.choice(
            "segmentation", "Sources", {None: "Only by clipping"}, "An image of segments, whose pixels are not used"
        )
        self.flags, self.edge = self.flag_line(), self.edge_number()
        self.subtract = self.switch("subtract", "Subtract it too", False, "Make the image less its background as well")
        self.show_what = self.choice(
            "",
            "Show",
            {"level": "Background", "rms": "Scatter", "": "Nothing"},
            "What is drawn over the image meanwhile, on the part in sight",
        )

    def refresh(self) -> None:
        self.offer(self.mask, self.regions("Nothing more"))
        shape = self.data.shape[-2:] if self.data is not None else ()
        alike = [d for d in self.session.data if d.shape[-2:] == shape and d.name.endswith("segments")]
        self.offer(self.segments, {None: "Only by clipping"} | {d.name: d.name for d in alike})

    def preview(self, view: Any) -> Any:
        data, part, show = self.data, part_in_sight(view), self.show_what.currentData()
        known = ("box_size", "filter_size", "estimator", "rms", "clip", "exclude_flags", "edge")
        try:
            options = {n: v for n, v in self.options().items() if n in known}
        except JvizError as error:
            self.note.setText(str(error))
            return None
        regions = self.region_of(self.mask.currentData())
        return quietly(
            lambda: background_preview(self.session, data, part, show, regions, **options), lambda text: (None, text)
        ), self.show_preview


class _Finding(_OnPart):
    """Fields of how segments are found."""

    def threshold(self) -> None:
        """Add what all methods take."""
        self.snr = self.real(
            "snr",
            "Threshold",
            3.0,
            0.5,
            100000,
            "Over the noise (of segments: that of the smoothed image)",
            singleStep=0.5,
            suffix=" σ",
        )
        self.npixels = self.whole(
            "npixels", "Pixels", 5, 1, 10000, "Fewest pixels of a source; side of the box of a peak"
        )
        self.fwhm = self.real(
            "fwhm",
            "Smooth",
            2.0,
            0,
            100,
            "FWHM of the Gaussian that smooths, and of DAOFIND's stars",
            suffix=" pix",
            singleStep=0.5,
        )
        self.deblend = self.switch("deblend", "Split blends", True, "Split segments with several peaks")
        self.contrast = self.real(
            "contrast",
            "Contrast",
            0.005,
            0,
            1,
            "Part of the light that each piece has at least",
            decimals=4,
            singleStep=0.001,
        )
        self.box = self.whole(
            "box_size", "Mesh", 64, 0, 4096, f"{BOX}; 0: the background is subtracted already", suffix=" pix"
        )
        self.mask = self.choice("region", "Leave out", {None: "Nothing"}, "A region in which no sources are looked for")
        self.flags, self.edge = self.flag_line(), self.edge_number()
        self.deblend.toggled.connect(self.contrast.setEnabled)

    def refresh(self) -> None:
        self.offer(self.mask, self.regions("Nothing"))

    def preview(self, view: Any) -> Any:
        data, part = self.data, part_in_sight(view)
        known = ("method", "snr", "npixels", "fwhm", "deblend", "contrast", "box_size", "noise", "exclude_flags",
                 "edge")  # fmt: skip
        try:
            options = {n: v for n, v in self.options().items() if n in known}
        except JvizError as error:
            self.note.setText(str(error))
            return None
        regions = self.region_of(self.mask.currentData())
        return quietly(
            lambda: detection_preview(self.session, data, part, regions=regions, **options), lambda text: (None, text)
        ), self.show_preview


class DetectTab(_Finding):
    """Finding sources."""

    command, title, verb = "photometry.detect", "Detect", "Find Sources"

    def fill(self) -> None:
        methods = {"segmentation": "Segmentation", "dao": "DAOFIND (stars)", "peaks": "Peaks"}
        self.method = self.choice("method", "Method", methods, "Connected pixels, stars, or local maxima")
        self.threshold()
        self.noise = self.choice(
            "noise",
            "Noise",
            {"background": "Scatter of the background", "errors": "Errors of pixels"},
            "What the threshold is a multiple of",
        )
        self.method.currentIndexChanged.connect(self._allow)

    def _allow(self, *_: Any) -> None:
        segments = self.method.currentData() == "segmentation"
        self.deblend.setEnabled(segments)
        self.contrast.setEnabled(segments and self.deblend.isChecked())
        self.npixels.setEnabled(self.method.currentData() != "dao")
        self.fwhm.setEnabled(self.method.currentData() != "peaks")


class CatalogTab(_Finding):
    """Source catalogues."""

    command, title, verb = "photometry.catalog", "Catalogue", "Make Catalogue"

    def fill(self) -> None:
        self.detection = self.choice(
            "detection", "Find on", {None: "This image"}, "Another image on the same pixels, or an image of segments"
        )
        self.threshold()
        self.psf = self.line(
            "psf_fwhm",
            "FWHM of stars",
            "",
            "In pixels; gives the circles of 30, 50 and 70 % of the light",
            lambda t: number_of(t, "width in pixels"),
            "from bright sources",
        )
        self.correction = self.line(
            "aperture_correction",
            "Correction",
            "",
            "An APCORR reference file, or a table by name",
            lambda t: t or None,
            "none",
        )
        self.kron = self.real(
            "kron_scale", "Kron scale", 2.5, 0.1, 20, "The ellipse of Kron over its radius", singleStep=0.5
        )
        self.kron_least = self.real(
            "kron_minimum", "Least", 1.4, 0, 20, "Least Kron radius, in axes of the source", singleStep=0.1
        )
        self.zero = self.zero_point()
        self.vega = self.vega_line()
        self.morphology = self.switch(
            "morphology", "Gini, M20, C, A, S", False, "Shapes of galaxies without a model, with errors; takes a while"
        )

    def refresh(self) -> None:
        super().refresh()
        self.offer(self.detection, {None: "This image"} | {name: name for name in self.alike()})


class BandsTab(_Finding):
    """Sources found in several bands together, and measured in all of them."""

    command, title, verb = "photometry.bands", "Bands", "Measure Bands"

    def fill(self) -> None:
        self.bands = QListWidget()
        self.bands.setAccessibleName("Bands")
        self.bands.setToolTip("Images on the same pixels that are measured besides this one")
        self.bands.setFixedHeight(5 * self.fontMetrics().height())
        self.alone = muted(QLabel("Open the other bands, on the same pixels as this one, to measure them too."))
        self.alone.setWordWrap(True)
        self.form.addRow("Besides", self.bands)
        self.form.addRow(self.alone)
        self.detect_on = self.choice(
            "detect_on",
            "Find on",
            {"chi2": "χ² of the bands", "sum": "Sum of the bands", "first": "This image"},
            "Where sources are looked for",
        )
        self.radius = self.line("radius", "Radius", "5", "Of the circles, in pixels or as an angle (0.3 arcsec)",
                                lambda text: number_or_text(text) or 5.0)  # fmt: skip
        self.threshold()
        self.correction = self.line(
            "aperture_correction", "Correction", "", "A factor, an APCORR reference file, or a table", number_or_text,
            "none",
        )  # fmt: skip

    def refresh(self) -> None:
        super().refresh()
        names = self.alike()
        self.form.setRowVisible(self.bands, bool(names))
        self.form.setRowVisible(self.alone, not names)
        if [self.bands.item(k).text() for k in range(self.bands.count())] == names:
            return
        chosen = self.chosen()
        with QSignalBlocker(self.bands):
            self.bands.clear()
            for name in names:
                item = QListWidgetItem(name, self.bands)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if name in chosen else Qt.CheckState.Unchecked)

    def chosen(self) -> list[str]:
        """Return the names of the bands that are ticked."""
        items = (self.bands.item(k) for k in range(self.bands.count()))
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def _show(self, preview: Any, text: str) -> None:
        super()._show(preview, f"{text}, in this image alone" if text.endswith("in sight") else text)

    def meant(self) -> Any:
        return [self.data, *(self.session[name] for name in self.chosen())]

"""The tab of the Photometry panel that measures while an aperture is dragged."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from jviz.api import Catalog, CurvePicture, JvizError, aperture_preview, photometry_shown
from jviz.plugins.photometry_parts import Tab, number_of, number_or_text, quietly

__all__ = ["ApertureTab"]


OF_DATA = {None: "Of the data"}


class ApertureTab(Tab):
    """Fluxes in a region, at the cursor or at the rows of a catalogue."""

    command, title, verb = "photometry.aperture", "Aperture", "Measure"

    def fill(self) -> None:
        self.where = self.choice(
            "", "Where", {"region": "Selected region", "cursor": "At the cursor"}, "What is measured"
        )
        self.radii = self.line(
            "radii", "Radii", "5", "In pixels, as angles (0.3 arcsec), or 70 % with a table of corrections", radii_of
        )
        self._fill_sky()
        self._fill_errors()
        self._fill_units()
        self.where.currentIndexChanged.connect(self._allow)

    def _fill_sky(self) -> None:
        hint = "Inner and outer radius in pixels, or none; empty: none, or with radii in % that of the corrections"
        self.ring = self.line("annulus", "Sky ring", "", hint, ring_of, "inner, outer")
        self.sky = self.choice("sky", "Sky level", {"median": "Median", "mean": "Mean", "mode": "Mode"}, "Of the ring")
        self.clip = self.real(
            "sky_clip", "Clip", 3.0, 0, 20, "Values of the sky farther from the median are left out", suffix=" σ"
        )

    def _fill_errors(self) -> None:
        self.error = self.choice(
            "error", "Errors", OF_DATA, "The errors of the pixels: those of the data, or those in another image"
        )
        self.gain = self.line(
            "gain",
            "Gain",
            "",
            "Electrons for 1 in the image: errors of Poisson and the sky's scatter",
            lambda t: number_of(t, "gain"),
            "errors of the pixels",
        )
        self.flags = self.flag_line()

    def _fill_units(self) -> None:
        hint = "A factor, an APCORR reference file, or a table by name"
        self.correction = self.line("aperture_correction", "Correction", "", hint, number_or_text, "none")
        self.zero = self.zero_point()
        self.vega = self.vega_line()

    def below(self) -> QWidget:
        self.picture = CurvePicture()
        self.picture.setAccessibleName("Curve of growth")
        self.numbers = QFormLayout()
        self.numbers.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.numbers.setVerticalSpacing(2)
        self._said: dict[str, QLabel] = {}
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(self.numbers)
        layout.addWidget(self.picture, 1)
        return inside

    def refresh(self) -> None:
        tables = [d.name for d in self.session.data if isinstance(d, Catalog)]
        fixed = {"region": "Selected region", "cursor": "At the cursor"}
        self.offer(self.where, fixed | {name: f"Rows of {name}" for name in tables})
        self.offer(self.error, OF_DATA | {name: name for name in self.alike()})
        self._allow()

    def _allow(self, *_: Any) -> None:
        self.radii.setEnabled(self.where.currentData() != "region")

    # --- what is measured -----------------------------------------------------------------------

    def _region(self) -> Any:
        """Return the region that was selected last, else the newest."""
        regions = {n: s for n, s in self.session.subsets.items() if s.on_images}
        chosen = [regions[n] for n in self.session.interaction.selected if n in regions]
        return (chosen or list(regions.values()) or [None])[-1]

    def _place(self, view: Any) -> Any:
        """Return where the preview measures, None when there is nothing."""
        where = self.where.currentData()
        if where == "region":
            return self._region()
        if where != "cursor":
            return where
        if self.context.cursor is not None and self.context.cursor[0] is view:
            self._last = self.context.cursor
        last = getattr(self, "_last", None)
        return last[1:] if last is not None and last[0] is view else None

    def options(self) -> dict[str, Any]:
        options, where = super().options(), self.where.currentData()
        if where == "region":
            options.pop("radii", None)
            region = self._region()
            return options if region is None else {"region": region.name, **options}
        if where == "cursor":
            last = getattr(self, "_last", None)
            return {"positions": "cursor" if last is None else [(round(last[1], 3), round(last[2], 3))], **options}
        return {"positions": where, **options}

    def preview(self, view: Any) -> Any:
        place, data = self._place(view), self.data
        try:
            options = self.options()
        except JvizError as error:
            self.note.setText(str(error))
            return None
        if place is None:
            self._show(None, {}, None, self._hint())
            return None
        radii = options.pop("radii", 5.0)
        for name in ("region", "positions"):
            options.pop(name, None)
        return quietly(
            lambda: (*aperture_preview(self.session, data, place, radii, **options), ""),
            lambda text: (None, {}, None, text),
        ), self._show

    def _hint(self) -> str:
        if self.where.currentData() == "region":
            return "Draw a circle, or another region, on the image and drag it: the numbers follow."
        return "Move the mouse over the image: the numbers follow."

    def _show(self, preview: Any, said: dict[str, str], curve: Any, text: str) -> None:
        if preview is not None and preview.data is not self.data:
            return
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self._say(said)
        self.picture.show_curves({} if curve is None else {"growth": curve}, {"growth": "line"})
        self.picture.setVisible(curve is not None)
        photometry_shown(self.session).show(preview if self.isVisible() else None)

    def _say(self, said: dict[str, str]) -> None:
        if list(said) != list(self._said):
            while self.numbers.rowCount():
                self.numbers.removeRow(0)
            self._said = {name: self._label(name) for name in said}
        for name, text in said.items():
            self._said[name].setText(text)

    def _label(self, name: str) -> QLabel:
        label = QLabel(textFormat=Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.numbers.addRow(name, label)
        return label


def radii_of(text: str) -> Any:
    """Return one radius or a list: numbers of pixels, or texts of angles and parts of light."""
    parts = [part.strip() for part in re.split(r"[;,]", text) if part.strip()]
    if not parts:
        raise JvizError("Give a radius: 5, or 3, 5, 8 (pixels), 0.3 arcsec, 70 %.")
    found = [float(part) if re.fullmatch(r"[0-9.]+", part) and part.count(".") < 2 else part for part in parts]
    return found[0] if len(found) == 1 else found


def ring_of(text: str) -> tuple[float, float] | str | None:
    """Return the two radii of a ring, None for an empty line, and ``none`` as it is."""
    if not text:
        return None
    if text.strip().lower() == "none":
        return "none"
    try:
        inner, outer = (float(part) for part in re.split(r"[;,\s]+", text.strip()))
    except ValueError:
        raise JvizError(f"{text!r} is no ring; write its inner and outer radius in pixels: 10, 15.") from None
    return inner, outer

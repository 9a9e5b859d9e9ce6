"""The panel of live spectra of cubes: what they are over regions, their background, and keeping them."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from jviz.api import JvizError, NumberBox, pretty_unit
from jviz.plugins.parts import Panel, color_icon, fill_quietly, muted, row_of

RING = "\n"
"""Stands for a ring in the list of backgrounds: no region has such a name."""
USUAL_RING = (1.5, 2.0)
STATISTICS = {"mean": "Mean", "sum": "Sum", "median": "Median", "min": "Least value", "max": "Greatest value"}


class CubeSpectraPanel(Panel):
    """What the spectra of regions on cubes are while they are drawn and moved, and which are shown now.

    *Statistic* is over the spaxels of each region, *Background* the region whose mean is taken away from the others, or
    a ring round each of them. *Cone* lets regions grow in proportion to the wavelength, as the image of a point source
    does; they are as drawn at the value beside it. Keep makes data of the spectra of the regions chosen in the list, of
    all where none is chosen; that under the cursor is kept by Shift+K.
    """

    empty_text = "Open a cube, and draw regions on it: their spectra follow while you move them."
    pause_ms = 60

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.live = self.session.cube_spectra
        self._make_widgets()
        form = QFormLayout()
        form.addRow("Statistic", self.statistic)
        form.addRow("Background", row_of(self.background))
        form.addRow("", self.sizes)
        form.addRow("", row_of(self.cone, self.reference))
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.keep)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(form)
        layout.addWidget(self.list, 1)
        layout.addLayout(foot)
        context.active_changed.connect(self.later)
        for signal in (self.live.changed, self.session.live_spectra.changed, self.session.subsets_changed,
                       self.session.views_changed):  # fmt: skip
            self.links.signal(signal, self.later)

    def _make_widgets(self) -> None:
        self.statistic, self.background = QComboBox(), QComboBox()
        self.statistic.setAccessibleName("Statistic over the spaxels of regions")
        for value, text in STATISTICS.items():
            self.statistic.addItem(text, value)
        self.statistic.activated.connect(self._choose_statistic)
        self.background.setAccessibleName("Region whose mean is taken away")
        self.background.activated.connect(self._choose_background)
        self._make_sizes()
        self.list = QListWidget()
        self.list.setAccessibleName("Spectra that are shown now")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setIconSize(QSize(14, 14))
        self.keep = QPushButton("Keep")
        self.keep.setToolTip("Make data of the spectra of the chosen regions, with their errors")
        self.keep.clicked.connect(self._keep)
        self.note = muted(QLabel())
        self.note.setWordWrap(True)

    def _make_sizes(self) -> None:
        """Make what says how rings and cones lie."""
        self.inner, self.outer = (NumberBox(minimum=1, maximum=50, singleStep=0.1, decimals=2) for _ in range(2))
        self.inner.setAccessibleName("Inner size of rings, in sizes of the region")
        self.outer.setAccessibleName("Outer size of rings, in sizes of the region")
        for box in (self.inner, self.outer):
            box.setPrefix("× ")
            box.valueChanged.connect(self._choose_ring)
        self.sizes = QWidget()
        self.sizes.setLayout(row_of(self.inner, QLabel("to"), self.outer))
        self.cone = QCheckBox("Cone, as drawn at")
        self.cone.setToolTip("Regions grow in proportion to the wavelength")
        self.cone.clicked.connect(self._choose_cone)
        self.reference = NumberBox(minimum=-1e18, maximum=1e18, decimals=4)
        self.reference.setAccessibleName("Spectral value at which cones are as drawn")
        self.reference.valueChanged.connect(self._choose_cone)

    # --- showing --------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        return not self.live.cubes()

    def refresh(self) -> None:
        self.statistic.setCurrentIndex(self.statistic.findData(self.live.statistic))
        self._offer_backgrounds()
        self._show_cone()
        titles = self.live.titles
        shown = [live for live in self.session.live_spectra.shown if live.title in titles]
        chosen = {item.text() for item in self.list.selectedItems()}
        wanted = [(live.title, live.color) for live in shown]
        if wanted != [(self.list.item(k).text(), self.list.item(k).toolTip()) for k in range(self.list.count())]:
            self._fill(wanted, chosen)
        regions = [live for live in shown if not live.name.startswith("Cursor")]
        self.keep.setEnabled(bool(regions))
        unit = pretty_unit(regions[0].samples.unit) if regions else ""
        drawn = any(subset.on_images for subset in self.session.subsets.values())
        waiting = "Draw a region on the cube." if not drawn else "No region on the cube yet, or its spectrum is coming."
        self.note.setText("" if regions and not unit else f"In {unit}" if unit else waiting)

    def _fill(self, wanted: list[tuple[str, str]], chosen: set[str]) -> None:
        self.list.clear()
        for title, color in wanted:
            item = QListWidgetItem(color_icon(color or self.palette().text().color()), title, self.list)
            item.setToolTip(color)
            item.setSelected(title in chosen)

    def _offer_backgrounds(self) -> None:
        names = [name for name, subset in self.session.subsets.items() if subset.on_images]
        if [self.background.itemData(k) for k in range(self.background.count())] != ["", RING, *names]:
            self.background.clear()
            self.background.addItem("None", "")
            self.background.addItem("Ring round each", RING)
            for name in names:
                self.background.addItem(name, name)
        ring = self.live.ring
        self.background.setCurrentIndex(self.background.findData(RING if ring else self.live.background))
        self.sizes.setVisible(ring is not None)
        if ring is not None:
            fill_quietly(self.inner, ring[0])
            fill_quietly(self.outer, ring[1])

    def _show_cone(self) -> None:
        """Show whether regions grow, and where they are as drawn: by default in the middle of the cube."""
        self.cone.setChecked(self.live.cone)
        self.reference.setEnabled(self.live.cone)
        cube = next((cube for cube in self.live.cubes() if cube.axis_ready), None)
        if cube is None:
            return
        axis, value = cube.axis, self.live.reference
        step = abs(float(axis.widths[len(axis) // 2]))
        self.reference.setDecimals(max(0, min(9, 1 - math.floor(math.log10(step)))) if step > 0 else 4)
        self.reference.setSingleStep(step)
        self.reference.setSuffix(f" {pretty_unit(axis.unit)}".rstrip())
        fill_quietly(self.reference, float(axis.values[len(axis) // 2]) if value is None else value)

    # --- choosing -------------------------------------------------------------------------------

    def _choose_statistic(self) -> None:
        self.live.statistic = self.statistic.currentData()

    def _choose_ring(self, *_: Any) -> None:
        if self.inner.value() < self.outer.value():
            self._run("cube.background", ring=(self.inner.value(), self.outer.value()))

    def _choose_cone(self, *_: Any) -> None:
        on = self.cone.isChecked()
        self._run("cube.cone", on=on, reference=self.reference.value() if on else None)

    def _choose_background(self) -> None:
        chosen = self.background.currentData()
        self._run("cube.background", **({"ring": USUAL_RING} if chosen == RING else {"region": chosen}))

    def _run(self, id: str, **options: Any) -> None:
        try:
            self.session.run(id, **options)
        except JvizError as error:
            self.context.notify("error", str(error))

    def _keep(self) -> None:
        """Extract the regions that are chosen in the list, by the command: with its line in the script."""
        chosen = {item.text() for item in self.list.selectedItems()}
        found = self.live.regions_shown()
        for title, region, cube in found:
            if title in chosen or not chosen & {title for title, _, _ in found}:
                options = self.live.options_of(region)
                self.context.run("cube.extract", data=cube.name, region=region, **options)

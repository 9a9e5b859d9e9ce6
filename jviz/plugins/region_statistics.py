"""Statistics of regions, kept up while they are dragged."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from jviz.api import CommandError, JvizError, Subset, TableView, all_commands, pretty_unit, to_pixel
from jviz.plugins.parts import Line, Links, Newest, muted, tool_button

__all__ = ["RegionStatistics"]

COMMAND = "region.statistics"
MOST = 500
"""Regions whose statistics are shown together."""


PAUSE = 60
"""Milliseconds from one measurement to the next while a region is dragged."""

UPRIGHT = 3
"""Regions up to which each has a column instead of a row: a panel is narrow."""


def upright(table: Any) -> Any:
    """Return a table of texts with a row for each quantity and a column for each region."""
    from astropy.table import Table

    names = [name for name in table.colnames if name not in ("name", "note")]
    columns: dict[str, list[str]] = {"quantity": [name.replace("_", " ") for name in names]}
    for number, row in enumerate(table):
        columns[str(row["name"]) or f"region {number + 1}"] = [_text(row[name]) for name in names]
    return Table(columns)


def _text(value: Any) -> str:
    if hasattr(value, "to_string") and hasattr(value, "frame"):
        return value.to_string("hmsdms", precision=3)
    unit = f" {pretty_unit(str(value.unit))}" if getattr(value, "unit", None) else ""
    number = getattr(value, "value", value)
    return f"{number}{unit}" if isinstance(number, int) or "int" in type(number).__name__ else f"{number:.6g}{unit}"


class RegionStatistics(QWidget):
    """A table with a row for each region, worked out beside the window's own thread."""

    def __init__(self, context: Any) -> None:
        super().__init__()
        self._context, self._session = context, context.session
        self.links = Links(self)
        self._wanted: tuple[Any, list[Subset], str, tuple[int, ...]] | None = None
        self._newest = Newest(self.links, self._session, "Statistics", self._begin)
        self._result: Any = None
        self.table = TableView("Statistics of the regions")
        self.table.verticalHeader().hide()
        self.head = muted(Line())
        self._later = QTimer(self, singleShot=True, interval=PAUSE)
        self._later.timeout.connect(self._newest.ask)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 2, 4, 2)
        bar.addWidget(self.head, 1)
        bar.addWidget(tool_button(context, "fa6s.copy", "Copy the table", self.table.copy))
        bar.addWidget(tool_button(context, "fa6s.floppy-disk", "Write the table…", self.write))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.table, 1)

    def show_regions(self, subsets: list[Subset], view: Any) -> None:
        """Show statistics of regions on the active layer of a view."""
        data = getattr(view, "data", None)
        chosen = subsets[:MOST]
        self.head.setText(f"Statistics on {data.name}" if data is not None else "No image is active.")
        if data is None or COMMAND not in all_commands():
            self.setVisible(COMMAND in all_commands())
            return
        if not chosen and self._result is None:
            return  # to work nothing out would need the sky of the image, and that many imports
        layer = view.layer
        self._wanted = (data, chosen, layer.plane, layer.index)
        if not self._later.isActive():
            self._later.start()

    def _begin(self) -> Any:
        """Return what measures the regions that are wanted, and what shows it."""
        if self._wanted is None:
            return None
        data, subsets, plane, index = self._wanted
        self._wanted = None
        return partial(self._work, data=data, subsets=subsets, plane=plane, index=index), self._arrived

    def _work(self, job: Any, *, data: Any, subsets: list[Subset], **which: Any) -> tuple[Any, str]:
        command = all_commands()[COMMAND]
        try:
            extra = {"session": self._session, "progress": job.report}
            extra = {name: extra[name] for name in command.injected if name in extra}
            return command.function(data=data, region=subsets, **which, **extra), ""
        except JvizError as error:
            return None, str(error)

    def _arrived(self, table: Any, text: str) -> None:
        if text:
            self.head.setText(text)
        if table is not None:
            self._result = table
            self.table.show_table(upright(table) if len(table) <= UPRIGHT else table)

    def write(self) -> None:
        """Write the table into an ECSV or CSV file."""
        table = self._result
        if table is None:
            return
        path, _ = QFileDialog.getSaveFileName(self, "Write Statistics", "regions.ecsv", "ECSV (*.ecsv);;CSV (*.csv)")
        if path:
            kind = "ascii.csv" if path.endswith(".csv") else "ascii.ecsv"
            table.write(path, format=kind, overwrite=True)

    def centre_of(self, subset: Subset, view: Any) -> tuple[float, float] | None:
        """Return the middle of a region in pixels of a view."""
        data = view.layers[0].data if view.layers else None
        sky = data.sky if data is not None and data.wcs_ready else None
        try:
            region = to_pixel(subset.region, sky) if subset.kind == "sky" else subset.region
            box = region.bounding_box
        except (CommandError, AttributeError, NotImplementedError):
            return None
        return (box.ixmin + box.ixmax - 1) / 2, (box.iymin + box.iymax - 1) / 2

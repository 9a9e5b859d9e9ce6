"""Statistics of regions, kept up while they are dragged."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from jviz.api import CommandError, JvizError, Subset, all_commands, to_pixel
from jviz.plugins.parts import Links, muted, tool_button
from jviz.plugins.table_view import TableView

__all__ = ["RegionStatistics"]

COMMAND = "region.statistics"
MOST = 500
"""Regions whose statistics are shown together."""


class RegionStatistics(QWidget):
    """A table with a row for each region, worked out beside the window's own thread."""

    def __init__(self, context: Any) -> None:
        super().__init__()
        self._context, self._session = context, context.session
        self.links = Links(self)
        self._wanted: tuple[Any, list[Subset]] | None = None
        self._shown: list[Subset] = []
        self._job: Any = None
        self.table = TableView("Statistics of the regions")
        self.head = muted(QLabel())
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._begin)
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
        self._wanted = (data, chosen)
        self._later.start()

    def _begin(self) -> None:
        """Begin what is wanted, unless something is under way; then its end begins it."""
        if self._wanted is None or self._job is not None:
            return
        data, subsets = self._wanted
        self._wanted = None
        self._job = self._session.jobs.submit("Statistics", lambda job: self._work(job, data, subsets), quiet=True)

    def _work(self, job: Any, data: Any, subsets: list[Subset]) -> None:
        command, table, text = all_commands()[COMMAND], None, ""
        try:
            extra = {"session": self._session, "progress": job.report}
            extra = {name: extra[name] for name in command.injected if name in extra}
            table = command.function(data=data, region=[s.name for s in subsets], **extra)
        except JvizError as error:
            text = str(error)
        self._session.dispatcher.call(lambda: self._arrived(table, text))

    def _arrived(self, table: Any, text: str) -> None:
        if self.links.ended:
            return
        self._job = None
        if text:
            self.head.setText(text)
        if table is not None:
            self.table.show_table(table)
        self._begin()

    def write(self) -> None:
        """Write the table into an ECSV or CSV file."""
        table = self.table.table_model.table
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

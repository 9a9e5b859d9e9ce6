"""The panel of what a file was made of, and what was made of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QFileDialog, QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout

from jviz.api import Job, JvizError, ProvenanceGraph, counted, library_provenance
from jviz.plugins.parts import Line, Newest, Panel, muted, tool_button, unwritten

__all__ = ["ProvenancePanel"]

KINDS = "Pictures (*.png *.pdf *.svg)"
UNKNOWN = "{} is not in the library yet, so nothing is known of what it was made of."


class ProvenancePanel(Panel):
    """What a file was made of, back to the exposures, and what was made of it, as a graph.

    It shows the file of the active view, or one chosen in the Library panel. Files are joined by the tables and
    associations that name them; a dashed line is known by the names alone. Beside a file stands by which steps it was
    made, in it the version of the software and the CRDS context; its reference files can be shown, too. A double
    click opens a file, and fetches it when it was dropped from the store. The graph is saved as a PNG, PDF or SVG.
    """

    empty_text = "Open a file, or choose one in the Library panel, to see what it was made of."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.path: Path | None = None
        self._unwritten = ""
        self.graph = ProvenanceGraph()
        self.title = Line()
        self.references = QCheckBox("Reference files", checked=True)
        self.about = muted(Line())
        self.about.setWordWrap(True)
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setAccessibleName("What the file was made of")
        self._arrange()
        self._newest = Newest(self.links, self.session, "Provenance", self._begin)
        self.references.toggled.connect(self.later)
        self.graph.chosen.connect(self._say)
        self.graph.opened.connect(self._open)
        self.graph.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.graph.customContextMenuRequested.connect(self._show_menu)
        context.active_changed.connect(self._follow)
        self.links.signal(self.session.data_changed, self._follow)
        self.links.signal(self.session.archives.library_changed, self.later)
        self._follow()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 4, 4)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        row.addWidget(self.title, 1)
        row.addWidget(self.references)
        row.addWidget(tool_button(self.context, "fa6s.camera", "Save the graph as a picture…", self.save))
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(self.graph)
        self.about.setContentsMargins(8, 4, 8, 4)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.about)

    # --- what is shown --------------------------------------------------------------------------

    def show_file(self, path: str | Path) -> None:
        """Show what a file was made of."""
        if (wanted := Path(path)) != self.path or self._unwritten:
            self.path, self._unwritten = wanted, ""
            self.later()

    def _follow(self, *_: Any) -> None:
        view = self.context.active_view()
        data = view.data if view is not None else None
        if (path := getattr(data, "path", None)) is not None:
            self.show_file(path)
        elif (text := unwritten(data, "to see its members and products here")) and text != self._unwritten:
            self._unwritten = text
            self.later()

    def is_empty(self) -> bool:
        if self._unwritten:
            self._empty.setText(self._unwritten)
        return self.path is None or bool(self._unwritten)

    def refresh(self) -> None:
        """Ask the library."""
        self._newest.ask()

    def _begin(self) -> Any:
        path, references = self.path, self.references.isChecked()
        if path is None or self._unwritten:
            return None

        def work(job: Job) -> tuple:
            try:
                return path, library_provenance(self.session, path, references=references)
            except JvizError as error:
                return path, error

        return work, self._show

    def _show(self, path: Path, graph: Any) -> None:
        self.title.setText(path.name)
        if graph is None or isinstance(graph, JvizError):
            self.graph.show_graph(None)
            self.about.setText(UNKNOWN.format(path.name) if graph is None else str(graph))
            return
        chosen = self._chosen_name()
        self.graph.show_graph(graph)
        again = next((n for n, node in enumerate(graph.nodes) if node.name == chosen), graph.focus)
        self._select(again)
        self._go_to(graph.focus)

    def _select(self, number: int) -> None:
        self.graph.select(number)
        self._say(number)

    def _chosen_name(self) -> str:
        graph, number = self.graph.graph, self.graph.selected
        return graph.nodes[number].name if graph is not None and number >= 0 else ""

    def _go_to(self, number: int) -> None:
        """Bring a node into sight, with what is left of it as far as there is room."""
        area = self.graph.rect_of(number).toRect()
        self._scroll.ensureVisible(area.right(), area.center().y(), 20, self._scroll.height() // 2)

    def _say(self, number: int) -> None:
        graph = self.graph.graph
        if graph is None or number < 0:
            self.about.setText(counted(len(graph.nodes), "file") if graph is not None else "")
            return
        self.about.setText(self.graph.accessibleDescription().replace("\n", " · "))
        area: QRect = self.graph.rect_of(number).toRect()
        self._scroll.ensureVisible(area.center().x(), area.center().y(), area.width() // 2 + 8, area.height())

    # --- what is done ---------------------------------------------------------------------------

    def _open(self, number: int) -> None:
        node = self.graph.graph.nodes[number]
        if node.state == "present":
            self.context.run("file.open", paths=[node.path])
        elif node.path:
            self.context.run("library.fetch", files=node.path, open=True)
        elif node.role != "more":
            self.context.notify("warning", f"{node.name} is not in the library, so it cannot be opened here.")

    def _show_menu(self, place: QPoint) -> None:
        number = self.graph.node_at(place.toPointF())
        if number < 0 and self.graph.hasFocus():  # the menu key asks for the chosen one
            number = self.graph.selected
            place = self.graph.rect_of(number).center().toPoint() if number >= 0 else place
        if number >= 0:
            self._select(number)
            self.menu_of(number).popup(self.graph.mapToGlobal(place))

    def menu_of(self, number: int) -> QMenu:
        """Return the menu of a node."""
        node = self.graph.graph.nodes[number]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Open", partial(self._open, number)).setEnabled(bool(node.path))
        menu.addAction("Show What It Was Made Of", partial(self.show_file, node.path)).setEnabled(bool(node.path))
        menu.addAction("Copy Name", lambda: QGuiApplication.clipboard().setText(node.name))
        return menu

    def save(self) -> None:
        """Ask for a name, and draw the graph into a file."""
        if self.graph.graph is None or self.path is None:
            self.context.notify("warning", "There is no graph to save. " + self.empty_text)
            return
        name = f"{self.path.name.partition('.')[0]}_provenance.png"
        target, _ = QFileDialog.getSaveFileName(self, "Save Provenance", name, KINDS)
        if target:
            self.context.run("library.draw_provenance", file=self.path, path=Path(target),
                             references=self.references.isChecked())  # fmt: skip

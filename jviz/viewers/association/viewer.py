"""The viewer of associations: what they are in a line, and the graph of their members and products."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPalette
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from jviz.association_data import AssociationView
from jviz.errors import JvizError
from jviz.results import counted
from jviz.session import Session
from jviz.viewers.association.graph import AssociationGraph
from jviz.viewers.base import Viewer, viewer
from jviz.viewers.drops import DropZones
from jviz.viewers.look import Look
from jviz.viewers.menu import command_menu

__all__ = ["AssociationViewer"]


@viewer(kind="association", title="Association", view=AssociationView)
class AssociationViewer(Viewer):
    """Shows which exposures an association makes into which products. A double click opens a file."""

    def __init__(self, session: Session, state: AssociationView, parent: QWidget | None = None) -> None:
        self._looked: Any = None
        super().__init__(session, state, parent)
        self.run_command = self._run_command
        self.drops = DropZones(self)
        self.setAcceptDrops(True)
        self.title = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.title.setWordWrap(True)
        self.title.setContentsMargins(14, 6, 14, 6)
        self.graph = AssociationGraph()
        self.scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.scroll.setWidget(self.graph)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it takes the keys
        self.graph.installEventFilter(self)
        self.graph.chosen.connect(lambda number: self.state.update(selected=self.graph.name_of(number)))
        self.graph.opened.connect(lambda number: self.open_node(self.graph.name_of(number)))
        self.graph.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.graph.customContextMenuRequested.connect(self._menu)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.title)
        whole.addWidget(self.scroll, 1)
        self.setFocusProxy(self.graph)
        session.data_changed.connect(self.stir)

    def release(self) -> None:
        """Stop listening."""
        self.session.data_changed.disconnect(self.stir)
        super().release()

    def refresh(self) -> None:
        """Show the association as it is now."""
        data = self.state.data
        self.title.setText(_title(data) if data is not None else "No association")
        graph = data.graph if data is not None else None
        if graph is None or graph != self.graph.graph:
            self.graph.show_graph(graph)
        self.graph.select_name(self.state.selected)
        if data is not None and data is not self._looked:
            self._look_again(data)
        self.has_painted = True
        self.update()

    def _look_again(self, data: Any) -> None:
        """See in a job which files are there by now."""
        self._looked = data

        def work(job: Any) -> None:
            if data.look():
                self.stir()

        if self.session.showing:
            self.session.jobs.submit(f"Looking for the files of {data.name}", work, quiet=True)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._looked = None
        self.stir()

    def wear(self, look: Look) -> None:
        """Take colours and font for a file."""
        super().wear(look)
        self.graph.wear(look)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        palette = QPalette(QColor(look.canvas))
        palette.setColor(QPalette.ColorRole.WindowText, QColor(look.text))
        self.setPalette(palette)
        self.setAutoFillBackground(True)
        font = QFont(self.font())
        font.setPixelSize(max(1, round(look.pixels)))
        self.title.setFont(font)

    def draw(self, painter: QPainter) -> None:
        """Draw the whole graph where it has room."""
        self.render(painter, QPoint())

    # --- what the user does ---------------------------------------------------------------------

    def open_node(self, name: str) -> None:
        """Open the file of a node, when it is there."""
        data = self.state.data
        node = next((node for node in data.graph.nodes if node.name == name), None)
        if node is None or node.column == 1:
            return
        if node.present is False or data.folder is None:
            way = "is made by the pipeline" if node.column == 2 else "is missing"
            self.session.notice("warning", f"{name} {way}; it is not in {data.folder or 'any folder'}.")
            return
        self.files_dropped.emit([str(data.folder / name)], "new")

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        """Tell that this viewer is worked with."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.activated.emit()
        return False

    def dragEnterEvent(self, event: Any) -> None:
        self.drops.enter(event)

    def dragMoveEvent(self, event: Any) -> None:
        self.drops.move(event)

    def dragLeaveEvent(self, event: Any) -> None:
        self.drops.leave()

    def dropEvent(self, event: Any) -> None:
        self.drops.drop(event)

    def _menu(self, place: QPoint) -> None:
        menu = command_menu(self, ("association",), lambda id: self.run_command(id))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.graph.mapToGlobal(place))

    def _run_command(self, id: str) -> None:
        try:
            self.session.run(id, data=self.state.data)
        except JvizError as error:
            self.session.notice("error", str(error))


def _title(data: Any) -> str:
    """Say what an association is in one line."""
    content, nodes = data.content, data.graph.nodes
    missing = sum(node.present is False for node in nodes if node.column == 0)
    kind = content.asn_type if content.asn_type.lower() not in ("", "none") else "no type"
    parts = [kind, f"level {content.level}" if content.level else "", str(content.more.get("asn_rule", "") or "")]
    program = str(content.more.get("program", "") or "")
    parts += [f"program {program}" if program not in ("", "noprogram") else "",
              counted(len(content.products), "product"), counted(len(content.names), "member"),
              f"{missing} missing" if missing else "all there" if data.folder is not None else "",
              "" if data.path is not None else "not written yet"]  # fmt: skip
    return "  ·  ".join(part for part in parts if part)

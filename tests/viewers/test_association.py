"""The viewer of associations: nodes are chosen and opened by hand, and colours can be read."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor
from scipy.optimize import brentq

from jviz.association_data import association_data
from jviz.backend.associations.model import AsnProduct, Association, Member
from jviz.viewers.association.graph import _lines
from jviz.viewers.association.viewer import AssociationViewer
from jviz.viewers.look import Look
from jviz.viewers.picture import image_of_view


@pytest.fixture
def viewer(session, nods, qtbot):
    [data] = session.run("association.make", data=str(nods))
    viewer = AssociationViewer(session, session.view("association", data=data))
    qtbot.addWidget(viewer)
    viewer.resize(900, 620)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.has_painted)
    return viewer


def middle(viewer, name):
    graph = viewer.graph
    number = next(n for n, node in enumerate(graph.graph.nodes) if node.name == name)
    return graph.rect_of(number).center().toPoint()


def name_of(number, suffix="rate"):
    return f"jw01234007001_03101_0000{number}_nrs1_{suffix}.fits"


def test_a_click_chooses_and_a_double_click_opens(viewer, nods, qtbot):
    opened = []
    viewer.files_dropped.connect(lambda paths, mode: opened.append((paths, mode)))
    qtbot.mouseClick(viewer.graph, Qt.MouseButton.LeftButton, pos=middle(viewer, name_of(2)))
    assert viewer.state.selected == name_of(2)
    qtbot.mouseDClick(viewer.graph, Qt.MouseButton.LeftButton, pos=middle(viewer, name_of(2)))
    assert opened == [([str(nods / name_of(2))], "new")]
    qtbot.mouseClick(viewer.graph, Qt.MouseButton.LeftButton, pos=QPoint(2, viewer.graph.height() - 2))
    assert viewer.state.selected == ""


def test_keys_go_from_node_to_node(viewer, qtbot):
    opened = []
    viewer.files_dropped.connect(lambda paths, mode: opened.append(paths))
    viewer.graph.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        qtbot.keyClick(viewer.graph, key)
    assert viewer.state.selected.startswith("jw01234007001_03101_0000")
    qtbot.keyClick(viewer.graph, Qt.Key.Key_Return)
    assert not opened, "a product is no file"
    qtbot.keyClick(viewer.graph, Qt.Key.Key_Left)
    qtbot.keyClick(viewer.graph, Qt.Key.Key_Return)
    assert len(opened) == 1


def test_what_is_not_there_is_said_instead_of_opened(viewer, session, qtbot):
    qtbot.mouseDClick(viewer.graph, Qt.MouseButton.LeftButton, pos=middle(viewer, name_of(1, "cal")))
    assert "is made by the pipeline" in session.notices[-1][1]


def test_it_follows_edits_undo_and_files_that_come(viewer, session, nods, qtbot):
    assert "all there" in viewer.title.text()
    name = viewer.state.data.name
    session.run("association.remove", data=name, members=[name_of(3)])
    qtbot.waitUntil(lambda: len([n for n in viewer.graph.graph.nodes if n.column == 0]) == 2)
    session.undo()
    qtbot.waitUntil(lambda: len([n for n in viewer.graph.graph.nodes if n.column == 0]) == 3)
    (nods / name_of(1)).unlink()
    viewer.state.data.look()
    viewer.stir()
    qtbot.waitUntil(lambda: "1 missing" in viewer.title.text())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_drawn_into_files_in_both_themes(viewer, session, theme):
    image = image_of_view(session, viewer.state, (800, 500), look=Look.for_paper(theme))
    canvas = QColor(Look.for_paper(theme).canvas)
    assert image.pixelColor(799, 499) == canvas
    colours = {image.pixelColor(x, y).name() for x in range(0, 400, 3) for y in range(30, 300, 3)}
    assert len(colours) > 20
    assert any(abs(QColor(c).lightness() - canvas.lightness()) > 120 for c in colours), "no text stands out"


def test_long_edges_are_cut_to_what_is_in_sight():
    seen = QRectF(0, 20_000, 300, 700)
    ends = (np.array([v]) for v in (10.0, 0.0, 70.0, 50_000.0))
    lines = _lines(*ends, seen)
    points = [(line.x1(), line.y1()) for line in lines] + [(lines[-1].x2(), lines[-1].y2())]
    assert points[0][1] == seen.top()
    assert points[-1][1] == seen.bottom()
    for x, y in points:
        t = brentq(lambda t, y=y: 50_000 * (3 * t**2 - 2 * t**3) - y, 0, 1)
        assert x == pytest.approx(10 + 60 * (1.5 * t * (1 - t) + t**3), abs=0.5)


def test_a_thousand_members_are_drawn(session, qtbot):
    members = tuple(Member(f"jw01234001001_02101_{n:05d}_nrca1_cal.fits") for n in range(1000))
    data = association_data(Association("image3", (AsnProduct("deep", members),), {}), "deep", None)
    session.run("data.add", thing=data)
    viewer = AssociationViewer(session, session.view("association", data=data))
    qtbot.addWidget(viewer)
    viewer.resize(800, 500)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.has_painted)
    viewer.scroll.verticalScrollBar().setValue(20_000)
    qtbot.wait(20)
    assert len({viewer.grab().pixelColor(x, 250).name() for x in range(0, 700, 5)}) > 3

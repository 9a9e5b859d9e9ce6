"""The panel of lines over plots: what it lists, draws, changes and takes away."""

import pytest
from astropy.table import QTable
from PySide6.QtCore import Qt

from jviz.catalog_lines import lines_of


@pytest.fixture
def plot(session):
    session.add(QTable({"F115W": [25.0, 24.0], "F200W": [24.0, 23.5]}), name="stars")
    session.add(QTable({"F115Wmag": [1.0, 2.0], "F200Wmag": [0.5, 1.0], "logAge": [9.0, 9.0]}), name="parsec")
    return session.view("scatter", data="stars", x="F115W - F200W", y="F200W")


@pytest.fixture
def panel(make_panel, plot):
    return make_panel("plot_lines", (330, 600))


def until(qtbot, condition):
    qtbot.waitUntil(condition, timeout=10_000)


def texts(panel):
    return [panel.list.item(n).text() for n in range(panel.list.count())]


def test_functions_and_tracks_are_drawn_and_listed(panel, plot, session, qtbot):
    panel.function.setText("x = 0.7")
    qtbot.keyClick(panel.function, Qt.Key.Key_Return)
    until(qtbot, lambda: texts(panel) == ["x = 0.7"])
    assert panel.source.currentData() == "parsec"
    qtbot.mouseClick(panel.add_track_button, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: texts(panel) == ["parsec", "x = 0.7"])
    until(qtbot, lambda: panel.texts["x"].text() == "F115Wmag - F200Wmag")
    assert panel.note.text().startswith("A / E(B − V): F115Wmag")


def test_distance_and_dust_are_steps_of_their_own(panel, plot, session, qtbot):
    session.run("catalog.add_track", data="parsec")
    until(qtbot, lambda: texts(panel) == ["parsec"])
    steps = len(session.history)
    panel.numbers["distance_modulus"].setValue(24.5)
    panel.numbers["reddening"].setValue(0.2)
    assert (plot.layers[1].distance_modulus, plot.layers[1].reddening) == (24.5, 0.2)
    assert len(session.history) == steps + 2
    session.undo()
    until(qtbot, lambda: panel.numbers["reddening"].value() == 0)


def test_a_box_hides_a_line_and_the_button_removes_it(panel, plot, session, qtbot):
    session.run("catalog.add_function", expression="24 - x")
    until(qtbot, lambda: texts(panel) == ["24 - x"])
    panel.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert [line.visible for line in lines_of(plot)] == [False]
    until(qtbot, lambda: panel.texts["y"].text() == "24 - x")
    panel.texts["y"].setText("23 - x")
    panel.texts["y"].editingFinished.emit()
    until(qtbot, lambda: texts(panel) == ["23 - x"])
    qtbot.mouseClick(panel.remove, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: texts(panel) == [])
    assert not panel.fields.isVisible()


def test_what_is_wrong_is_told_and_the_field_goes_back(panel, plot, session, qtbot, context):
    session.run("catalog.add_function", expression="24 - x")
    until(qtbot, lambda: panel.texts["y"].text() == "24 - x")
    panel.texts["y"].setText("24 - q")
    panel.texts["y"].editingFinished.emit()
    until(qtbot, lambda: panel.texts["y"].text() == "24 - x")
    assert "has q" in context.notices[-1].text


def test_without_a_plot_it_says_what_to_do(make_panel, session):
    panel = make_panel("plot_lines")
    assert panel.is_empty()

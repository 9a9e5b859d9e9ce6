"""What a hand does in a ramp viewer, and what an eye sees there."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from jviz.viewers.ramp import RampViewer
from tests.ramp_files import RATE, SECONDS, write_ramp

GROUPS = 8


@pytest.fixture
def viewer(qtbot, session, tmp_path):
    ramp = session.open(write_ramp(tmp_path / "jw1_ramp.fits", noise=0.01), show=False)[0]
    top = RATE * SECONDS * GROUPS
    view = session.view("ramp", data=ramp, compass=False, scale_bar=False, colorbar=False, limits=(0.0, top))
    view.stretch = "linear"
    view.group = 3
    session.flush()
    session.history.seal()
    made = RampViewer(session, view)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitUntil(lambda: made.is_sharp, timeout=20_000)
    return made


def grey(qtbot, viewer):
    """Return the brightness in the middle of the picture, 0 to 255, once it is all there."""
    qtbot.waitUntil(lambda: viewer.is_sharp)
    return viewer.grab().pixelColor(viewer.frame_now().picture.center().toPoint()).red()


def expected(group):
    return pytest.approx(255 * (group + 1) / GROUPS, abs=2)


def test_keys_step_through_groups_and_integrations(qtbot, viewer):
    viewer.setFocus()
    assert grey(qtbot, viewer) == expected(3)
    for key, place in ((Qt.Key.Key_Period, (1, 4)), (Qt.Key.Key_Comma, (1, 3)), (Qt.Key.Key_PageUp, (0, 3))):
        qtbot.keyClick(viewer, key)
        assert viewer.state.layer.index == place
        assert grey(qtbot, viewer) == expected(place[1])


def test_the_wheel_with_ctrl_steps(qtbot, viewer):
    at = QPointF(viewer.rect().center())
    event = QWheelEvent(at, viewer.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.ControlModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(viewer, event)
    assert viewer.state.group == 4


def test_the_bar_shows_and_sets_the_group(qtbot, viewer, session):
    bar = viewer.bar
    assert (bar.slider.value(), bar.group.value(), bar.integration.value()) == (3, 3, 1)
    bar.slider.setFocus()
    qtbot.keyClick(bar.slider, Qt.Key.Key_Right)
    assert viewer.state.group == 4
    assert grey(qtbot, viewer) == expected(4)
    session.flush()
    session.undo()
    qtbot.waitUntil(lambda: bar.group.value() == 3)
    qtbot.mouseClick(bar.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bar.slider.value() == 2)


def test_differences_are_even_where_light_is_even(qtbot, viewer):
    bar = viewer.bar
    bar.shown.setFocus()
    qtbot.keyClick(bar.shown, Qt.Key.Key_Down)
    assert viewer.state.difference
    viewer.state.limits = (0.0, 2 * RATE * SECONDS)
    first = grey(qtbot, viewer)
    assert first == pytest.approx(127, abs=3)
    viewer.state.group = 6
    assert grey(qtbot, viewer) == pytest.approx(first, abs=1)


def test_space_plays_and_stops(qtbot, viewer, session):
    viewer.run_command = lambda id: session.run(id, view=viewer.state)
    viewer.state.rate = 50.0
    viewer.setFocus()
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: viewer.state.group == 6, timeout=5000)
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    assert not viewer.state.playing

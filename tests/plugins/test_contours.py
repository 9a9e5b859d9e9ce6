"""The panel of contours: levels made and written, their look, other images, what is refused."""

import numpy as np
import pytest


@pytest.fixture
def panel(make_panel, view):
    return make_panel("contours", (320, 520))


def until(qtbot, condition):
    qtbot.waitUntil(condition, timeout=10_000)


def test_levels_are_made_and_edited_by_hand(panel, view, session, qtbot):
    panel.number.setValue(4)
    panel.low.setText("1000")
    panel.high.setText("2500")
    panel.make_levels()
    until(qtbot, lambda: view.layer.contour_levels == (1000.0, 1500.0, 2000.0, 2500.0))
    until(qtbot, lambda: panel.levels.text() == "1000, 1500, 2000, 2500")
    panel.levels.setText("5, 1800.5 7e2")
    panel.levels.returnPressed.emit()
    until(qtbot, lambda: view.layer.contour_levels == (5.0, 700.0, 1800.5))
    session.undo()
    until(qtbot, lambda: panel.levels.text() == "1000, 1500, 2000, 2500")
    panel.remove.click()
    until(qtbot, lambda: view.layer.contour_levels == ())
    until(qtbot, lambda: not panel.remove.isEnabled())


def test_the_look_changes_in_steps_of_its_own(panel, view, session, qtbot):
    panel.levels.setText("1000")
    panel.draw_levels()
    until(qtbot, lambda: view.layer.contour_levels == (1000.0,))
    steps = len(session.history)
    panel.width_box.setValue(3.0)
    panel.labels.click()
    panel.smoothing.setValue(2.5)
    assert (view.layer.contour_width, view.layer.contour_labels, view.layer.contour_smoothing) == (3.0, True, 2.5)
    assert len(session.history) == steps + 3
    session.undo()
    assert view.layer.contour_smoothing == 0
    until(qtbot, lambda: panel.smoothing.value() == 0)


def test_contours_of_an_image_that_is_not_shown(panel, view, session, picture, qtbot):
    session.add(np.sqrt(picture), name="other")
    until(qtbot, lambda: panel.source.count() == 2)
    panel.source.setCurrentIndex(1)
    panel.source.activated.emit(1)
    assert "does not show" in panel.note.text()
    panel.levels.setText("30 40")
    panel.draw_levels()
    until(qtbot, lambda: len(view.layers) == 2)
    assert view.layers[1].contour_levels == (30.0, 40.0)
    assert view.layers[1].opacity == 0
    until(qtbot, lambda: panel.remove.isEnabled())
    panel.remove.click()
    until(qtbot, lambda: len(view.layers) == 1)


def test_what_is_no_level_is_refused_in_words(panel, context, view):
    told = []
    context.notice_added.connect(lambda notice: told.append(notice.text))
    panel.levels.setText("one, two")
    panel.draw_levels()
    panel.levels.clear()
    panel.low.setText("x")
    panel.draw_levels()
    assert "no list of levels" in told[0]
    assert "no level" in told[1]
    assert view.layer.contour_levels == ()


def test_contours_become_regions(panel, view, session, qtbot):
    assert not panel.regions.isEnabled()
    panel.levels.setText("1000")
    panel.draw_levels()
    until(qtbot, panel.regions.isEnabled)
    panel.regions.click()
    until(qtbot, lambda: bool(session.subsets))
    assert all(name.startswith(f"{view.data.name} above 1000") for name in session.subsets)

"""What a hand does in an image viewer: real events, and where things are afterwards."""

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from jviz.viewers.image_overlays import overview


def turn_wheel(viewer, at, delta):
    point = QPointF(*at)
    event = QWheelEvent(
        point, viewer.mapToGlobal(point), QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewer, event)


def drag(qtbot, viewer, start, end, button=Qt.MouseButton.LeftButton, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.mousePress(viewer, button, modifier, QPoint(*start))
    for share in (0.2, 0.5, 0.8, 1.0):
        x, y = (round(a + share * (b - a)) for a, b in zip(start, end, strict=True))
        qtbot.mouseMove(viewer, QPoint(x, y))
    qtbot.mouseRelease(viewer, button, modifier, QPoint(*end))


@pytest.mark.parametrize("rotation", [0.0, 40.0])
@pytest.mark.parametrize("axes", ["none", "pixel"])
def test_the_wheel_zooms_at_the_cursor(show, ramp, rotation, axes):
    viewer = show(ramp, rotation=rotation, axes=axes)
    at = (310.0, 120.0)
    inside = viewer.frame_now().inside(QPointF(*at))
    before = viewer.geometry_now()
    turn_wheel(viewer, at, 120)
    after = viewer.geometry_now()
    assert np.allclose(before.to_data(inside.x(), inside.y()), after.to_data(inside.x(), inside.y()))
    assert after.scale == pytest.approx(before.scale * 1.25)


def test_touch_pads_zoom_by_fractions_of_a_step(show, ramp):
    viewer = show(ramp)
    before = viewer.geometry_now().scale
    for _ in range(8):
        turn_wheel(viewer, (100, 100), 15)
    assert viewer.geometry_now().scale == pytest.approx(before * 1.25)


def test_pinch_zooms(show, ramp):
    viewer = show(ramp)
    before = viewer.geometry_now()
    at = QPointF(200, 150)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture, QPointingDevice.primaryPointingDevice(), 2, at, at,
        viewer.mapToGlobal(at), 0.1, QPointF(),
    )  # fmt: skip
    QApplication.sendEvent(viewer, event)
    assert viewer.geometry_now().scale == pytest.approx(before.scale * 1.1)
    assert np.allclose(before.to_data(200, 150), viewer.geometry_now().to_data(200, 150))


def test_wheel_zooms_merge_into_one_step(show, ramp, session):
    viewer = show(ramp)
    steps, scale = len(session.history), viewer.state.scale
    for _ in range(5):
        turn_wheel(viewer, (100, 100), 120)
        session.flush()
    assert len(session.history) == steps + 1
    session.undo()
    assert viewer.state.scale == scale


@pytest.mark.parametrize("values", [{}, {"rotation": 120.0, "flip_x": True}, {"scale": 20.0, "centre": (10.0, 10.0)}])
def test_a_drag_moves_the_picture_exactly_with_the_mouse(qtbot, show, ramp, values):
    viewer = show(ramp, **values)
    held = viewer.geometry_now().to_data(200, 150)
    drag(qtbot, viewer, (200, 150), (263, 101))
    assert np.allclose(viewer.geometry_now().to_data(263, 101), held)


def test_a_drag_is_one_step_that_can_be_undone_and_is_in_the_script(qtbot, show, ramp, session):
    viewer = show(ramp)
    turn_wheel(viewer, (100, 100), 120)
    session.flush()
    steps, before = len(session.history), (viewer.state.centre, viewer.state.scale)
    drag(qtbot, viewer, (200, 150), (263, 101))
    after = viewer.state.centre
    drag(qtbot, viewer, (200, 150), (210, 101))
    assert len(session.history) == steps + 2
    session.undo()
    assert viewer.state.centre == after
    session.undo()
    assert (viewer.state.centre, viewer.state.scale) == before
    session.redo()
    assert "centre" in session.script()


def test_a_click_does_nothing(qtbot, show, ramp, session):
    viewer = show(ramp)
    steps = len(session.history)
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert viewer.state.centre is None
    assert len(session.history) == steps


def test_double_click_centres(qtbot, show, ramp):
    viewer = show(ramp, scale=10.0, centre=(30.0, 20.0))
    wanted = viewer.geometry_now().to_data(123, 77)
    qtbot.mouseDClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(123, 77))
    assert np.allclose(viewer.state.centre, wanted)
    assert np.allclose(viewer.geometry_now().to_data(250, 200), wanted)


@pytest.mark.parametrize(
    ("tool", "modifier"),
    [("pan", Qt.KeyboardModifier.ControlModifier), ("zoom", Qt.KeyboardModifier.NoModifier)],
)
def test_box_zoom_shows_the_box(qtbot, show, ramp, session, tool, modifier):
    session.run("tool.select", tool=tool)
    viewer = show(ramp)
    corners = [viewer.geometry_now().to_data(*corner) for corner in ((100, 120), (300, 280))]
    drag(qtbot, viewer, (100, 120), (300, 280), modifier=modifier)
    geometry = viewer.geometry_now()
    shown = [geometry.to_screen(*corner) for corner in corners]
    # 200 × 160 in a window of 500 × 400: both directions fill it
    assert np.allclose(shown, [(0, 0), (500, 400)], atol=1e-6)


def test_right_drag_sets_contrast_and_bias(qtbot, show, ramp, session):
    viewer = show(ramp)
    layer, steps = viewer.state.layer, len(session.history)
    drag(qtbot, viewer, (250, 200), (300, 100), Qt.MouseButton.RightButton)
    assert layer.bias == pytest.approx(0.5 + 50 / 500)
    assert layer.contrast > 1
    assert len(session.history) == steps + 1
    session.undo()
    assert (layer.contrast, layer.bias) == (1.0, 0.5)


@pytest.mark.qt_log_ignore("does not support")
def test_right_click_opens_the_menu_and_an_entry_acts(qtbot, show, ramp, session):
    viewer = show(ramp)
    qtbot.mouseClick(viewer, Qt.MouseButton.RightButton, pos=QPoint(100, 100))
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    actions = {a.objectName(): a for sub in menu.actions() for a in sub.menu().actions() if a.objectName()}
    assert {id for id, c in session.commands.items() if c.needs == "image" and c.menu} == set(actions)
    actions["image.flip_x"].trigger()
    menu.close()
    assert viewer.state.flip_x
    assert (viewer.state.layer.contrast, viewer.state.layer.bias) == (1.0, 0.5)


@pytest.mark.qt_log_ignore("does not support")
def test_the_menu_key_opens_the_menu(qtbot, show, ramp):
    viewer = show(ramp)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), viewer.mapToGlobal(QPoint(5, 5)))
    QApplication.sendEvent(viewer, event)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    QApplication.activePopupWidget().close()


def test_dragging_the_overview_moves_the_part_in_view(qtbot, show, ramp):
    viewer = show(ramp, overview=True, scale=30.0, centre=(30.0, 20.0))
    from jviz.viewers.image_overlays import overview

    area = overview(viewer.state, viewer.geometry_now())
    place = area.area.topLeft() + QPointF(0.25 * area.area.width(), 0.25 * area.area.height())
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=place.toPoint())
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=place.toPoint())
    x, y = viewer.state.centre
    assert abs(x - 0.25 * 60) < 1
    assert abs(y - 0.75 * 40) < 1


def test_readout_follows_the_mouse(qtbot, show, ramp):
    viewer = show(ramp)
    u, v = viewer.geometry_now().to_screen(12, 7)
    with qtbot.waitSignal(viewer.readout_changed) as told:
        qtbot.mouseMove(viewer, QPoint(int(u), int(v)))
    [readout] = told.args
    assert readout.value == 712.0
    assert (round(readout.x), round(readout.y)) == (12, 7)


def test_leaving_clears_the_readout(qtbot, show, ramp):
    from PySide6.QtCore import QEvent

    viewer = show(ramp)
    with qtbot.waitSignal(viewer.readout_changed) as told:
        QApplication.sendEvent(viewer, QEvent(QEvent.Type.Leave))
    assert told.args == [None]


@pytest.mark.parametrize(("x", "mode"), [(100, "add"), (400, "replace")])
def test_dropped_files_are_handed_on_with_what_to_do(qtbot, show, ramp, tmp_path, x, mode):
    viewer = show(ramp)
    path = tmp_path / "new.fits"
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    options = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    before = viewer.grab()
    enter = QDragEnterEvent(QPointF(x, 100), *options)
    QApplication.sendEvent(viewer, enter)
    assert enter.isAccepted()
    assert viewer.grab() != before
    with qtbot.waitSignal(viewer.files_dropped) as told:
        QApplication.sendEvent(viewer, QDropEvent(QPointF(x, 100), *options))
    assert told.args == [[str(path)], mode]
    assert viewer.grab() == before


def test_dropped_data_become_layers(qtbot, show, ramp, session):
    from jviz.plugin_loader import DATA_MIME

    viewer = show(ramp)
    session.add(ramp + 1, name="other")
    mime = QMimeData()
    mime.setData(DATA_MIME, b"other")
    options = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(viewer, QDragEnterEvent(QPointF(50, 50), *options))
    QApplication.sendEvent(viewer, QDropEvent(QPointF(50, 50), *options))
    assert [layer.data.name for layer in viewer.state.layers] == ["test", "other"]


def test_a_press_tells_that_the_viewer_is_in_use(qtbot, show, ramp):
    viewer = show(ramp)
    with qtbot.waitSignal(viewer.activated):
        qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))


def test_assistive_programs_are_told_what_is_shown(show, ramp, qtbot):
    viewer = show(ramp)
    viewer.state.scale = 2.0
    qtbot.waitUntil(lambda: "200 %" in viewer.accessibleDescription())
    assert "test" in viewer.accessibleName()


def fingers(viewer, device, moves):
    """Put two fingers down, move them through pairs of places, and lift them."""
    sequence = QTest.touchEvent(viewer, device, False)
    first, *rest = moves
    sequence.press(0, QPoint(*first[0]), viewer).press(1, QPoint(*first[1]), viewer)
    sequence.commit()
    for a, b in rest:
        sequence.move(0, QPoint(*a), viewer).move(1, QPoint(*b), viewer)
        sequence.commit()
    a, b = moves[-1]
    sequence.release(0, QPoint(*a), viewer).release(1, QPoint(*b), viewer)
    sequence.commit()


@pytest.fixture(scope="module")
def touch_screen():
    return QTest.createTouchDevice()


def test_two_fingers_zoom_in_one_step_and_hold_the_data(qtbot, show, ramp, session, touch_screen):
    viewer = show(ramp)
    steps, before = len(session.history), viewer.geometry_now()
    half = [20, 24, 30, 38, 46, 54, 60]
    fingers(viewer, touch_screen, [((200 - h, 150), (200 + h, 150)) for h in half])
    after = viewer.geometry_now()
    assert after.scale / before.scale == pytest.approx(3)
    inside = viewer.frame_now().inside(QPointF(200, 150))
    held = before.to_data(inside.x(), inside.y())
    assert np.allclose(after.to_data(inside.x(), inside.y()), held)
    assert len(session.history) == steps + 1
    session.undo()
    assert viewer.geometry_now().scale == before.scale
    assert viewer.state.centre is None


def test_one_finger_is_the_mouse(qtbot, show, ramp, session, touch_screen):
    viewer = show(ramp)
    steps, held = len(session.history), viewer.geometry_now().to_data(200, 150)
    sequence = QTest.touchEvent(viewer, touch_screen, False)
    sequence.press(0, QPoint(200, 150), viewer).commit()
    for x in (210, 230, 260):
        sequence.move(0, QPoint(x, 150), viewer).commit()
    sequence.release(0, QPoint(260, 150), viewer).commit()
    assert np.allclose(viewer.geometry_now().to_data(260, 150), held)
    assert len(session.history) == steps + 1


def test_a_second_finger_turns_the_drag_of_the_first_into_a_pinch(qtbot, show, ramp, session, touch_screen):
    viewer = show(ramp)
    steps = len(session.history)
    sequence = QTest.touchEvent(viewer, touch_screen, False)
    sequence.press(0, QPoint(200, 150), viewer).commit()
    sequence.move(0, QPoint(230, 150), viewer).commit()
    sequence.stationary(0).press(1, QPoint(270, 150), viewer).commit()
    assert viewer.state.centre is None
    sequence.move(0, QPoint(210, 150), viewer).move(1, QPoint(290, 150), viewer).commit()
    sequence.release(0, QPoint(210, 150), viewer).stationary(1).commit()
    scale = viewer.state.scale
    sequence.move(1, QPoint(100, 100), viewer).commit()
    sequence.release(1, QPoint(100, 100), viewer).commit()
    assert viewer.state.scale == scale
    assert len(session.history) == steps + 1


@pytest.mark.parametrize("button", ["overview", "contrast"])
def test_escape_puts_back_what_a_drag_changed(qtbot, show, ramp, session, button):
    viewer = show(ramp)
    if button == "overview":
        session.run("image.zoom_in")
        session.run("image.overview", on=True)
    steps, view, layer = len(session.history), viewer.state, viewer.state.layer
    before = (view.centre, view.scale, layer.contrast, layer.bias)
    if button == "overview":
        area = overview(view, viewer.geometry_now()).area
        start, which = (viewer.frame_now().picture.topLeft() + area.topLeft()).toPoint(), Qt.MouseButton.LeftButton
        start += QPoint(4, 4)
    else:
        start, which = QPoint(200, 150), Qt.MouseButton.RightButton
    qtbot.mousePress(viewer, which, pos=start)
    qtbot.mouseMove(viewer, start + QPoint(30, 20))
    assert (view.centre, view.scale, layer.contrast, layer.bias) != before
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    qtbot.mouseRelease(viewer, which, pos=start + QPoint(30, 20))
    assert (view.centre, view.scale, layer.contrast, layer.bias) == before
    assert len(session.history) == steps
    assert QApplication.activePopupWidget() is None

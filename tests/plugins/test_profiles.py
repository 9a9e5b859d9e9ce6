"""The panel of profiles at the cursor."""

import numpy as np
import pytest


@pytest.fixture
def panel(make_panel, view):
    return make_panel("profiles")


def test_cuts_follow_the_cursor(panel, context, view, qtbot):
    panel.show()
    context.move_cursor(view, 3.2, 2.1)
    qtbot.waitUntil(lambda: "row" in panel.picture.curves)
    values = view.layer.data.get(np.ndarray).reshape(-1, *view.layer.data.shape[-2:])
    index = np.ravel_multi_index(view.layer.index, view.layer.data.shape[:-2]) if view.layer.index else 0
    np.testing.assert_allclose(panel.picture.curves["row"].y, values[index][2, : len(panel.picture.curves["row"].y)])
    panel.hold.setChecked(True)
    before = panel.picture.curves["row"]
    context.move_cursor(view, 1.0, 1.0)
    assert panel.picture.curves["row"] is before


def test_beside_the_image_nothing_is_shown(panel, context, view, qtbot):
    panel.show()
    context.move_cursor(view, -50.0, 2.0)
    qtbot.waitUntil(lambda: not panel._newest.is_busy)
    assert panel.picture.curves == {}
    assert not panel.picture.grab().isNull()


def test_a_cut_follows_the_line_and_then_the_selected_region(panel, context, view, session, picture, qtbot):
    import regions

    session.run("tool.cut")
    assert panel.what == "line"
    session.interaction.show_line((view, np.array([[5.0, 10.0], [45.0, 10.0]])))
    qtbot.waitUntil(lambda: "along" in panel.picture.curves)
    np.testing.assert_allclose(panel.picture.curves["along"].y, picture[10, 5:46])
    session.interaction.show_line(None)
    context.activate(view)
    line = regions.LinePixelRegion(regions.PixCoord(3, 2), regions.PixCoord(3, 32))
    session.subset("slit", line, data="ramp")
    session.interaction.select(["slit"])
    qtbot.waitUntil(lambda: len(panel.picture.curves["along"].y) == 31)
    np.testing.assert_allclose(panel.picture.curves["along"].y, picture[2:33, 3])
    panel.width_box.setValue(3)
    assert session.interaction.cut_width == 3
    qtbot.waitUntil(lambda: "width 3" in panel.note.text())
    np.testing.assert_allclose(panel.picture.curves["along"].y, picture[2:33, 2:5].mean(axis=1))
    panel.open_in_viewer()
    qtbot.waitUntil(lambda: len(session.data) == 2)
    np.testing.assert_allclose(session.data[-1].table["signal"].value, picture[2:33, 2:5].mean(axis=1))

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
    qtbot.waitUntil(lambda: not panel._busy)
    assert panel.picture.curves == {}
    assert not panel.picture.grab().isNull()

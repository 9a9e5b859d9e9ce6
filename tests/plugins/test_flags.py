"""The panel of data quality flags, worked with the mouse."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QPoint, Qt

from jviz.plugins.flags import COUNT, NAME, USE


@pytest.fixture
def flagged(tmp_path, session):
    dq = np.zeros((40, 60), np.uint32)
    dq[:3] = 1 << 11 | 1
    dq[20, 30] = 2
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "JWST"
    path = tmp_path / "flagged_cal.fits"
    hdus = [primary, fits.ImageHDU(np.ones(dq.shape, np.float32), name="SCI"), fits.ImageHDU(dq, name="DQ")]
    fits.HDUList(hdus).writeto(path)
    return session.open(path, show=True)[0]


def click_box(qtbot, panel, row, column):
    area = panel.table.visualRect(panel.model.index(row, column))
    qtbot.mouseClick(
        panel.table.viewport(), Qt.MouseButton.LeftButton, pos=area.topLeft() + QPoint(11, area.height() // 2)
    )


def test_empty_without_flags(make_panel, session, picture):
    session.add(picture)
    assert make_panel("flags").is_empty()


def test_lists_counts_and_ticks(qtbot, make_panel, session, flagged):
    panel = make_panel("flags")
    qtbot.waitUntil(lambda: panel.model.counts is not None and panel.model.rowCount() == 3)
    text = [[panel.model.data(panel.model.index(row, column)) for column in (NAME, COUNT)] for row in range(3)]
    assert text == [["DO_NOT_USE", "180"], ["SATURATED", "1"], ["HOT", "180"]]
    layer = session.views["Image 1"].layer
    click_box(qtbot, panel, 1, NAME)
    assert layer.dq_bits is not None
    assert 1 not in layer.dq_bits
    qtbot.mouseClick(panel.overlay, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.overlay.height() // 2))
    assert layer.dq
    session.undo()
    session.undo()
    assert (layer.dq, layer.dq_bits) == (False, None)
    click_box(qtbot, panel, 2, USE)
    assert session.views["Image 1"].exclude_flags == ("DO_NOT_USE", "HOT")
    qtbot.waitUntil(lambda: panel.model.data(panel.model.index(2, USE), Qt.ItemDataRole.CheckStateRole)
                    == Qt.CheckState.Unchecked)  # fmt: skip


def test_pixels_like_the_one_pointed_at(qtbot, make_panel, session, context, flagged):
    panel = make_panel("flags")
    view = session.views["Image 1"]
    context.move_cursor(view, 30.2, 20.1)
    context.move_cursor(None)
    panel.find()
    qtbot.waitUntil(lambda: "like (30, 20)" in session.subsets)
    assert session.subsets["like (30, 20)"].region.sum() == 1
    panel.table.selectRow(2)
    panel._go("dq.next")
    qtbot.waitUntil(lambda: view.centre == (0, 0))

"""The panel of regions: list, selection, numbers."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from regions import CirclePixelRegion, CircleSkyRegion, PixCoord, PolygonPixelRegion

from jviz.errors import CommandError
from jviz.plugins.region_numbers import fields_of, with_field
from jviz.plugins.region_rows import RegionRows
from jviz.subsets import Subset


@pytest.fixture
def panel(make_panel, session, qtbot):
    """The panel of a session with an image and three regions."""
    data = session.add(np.zeros((80, 100), np.float32), name="flat")
    session.view("image", data=data)
    for number, x in enumerate((20, 50, 80)):
        region = CirclePixelRegion(PixCoord(x, 40), 5 + number)
        session.run("region.add", region=region, name=f"r{number}", data=data)
    panel = make_panel("regions")
    panel.resize(340, 700)
    qtbot.waitUntil(lambda: panel.rows.rowCount() == 3)
    return panel


def click(qtbot, panel, row, modifier=Qt.KeyboardModifier.NoModifier):
    index = panel.shown.index(row, 1)
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, modifier, panel.list.visualRect(index).center())


def test_selection_is_shared_with_the_viewers(qtbot, panel):
    click(qtbot, panel, 1)
    assert panel.interaction.selected == ("r1",)
    click(qtbot, panel, 2, Qt.KeyboardModifier.ControlModifier)
    assert set(panel.interaction.selected) == {"r1", "r2"}
    panel.interaction.select(["r0"])
    qtbot.waitUntil(lambda: [i.row() for i in panel.list.selectionModel().selectedRows()] == [0])


def test_the_box_hides_a_region_and_undo_shows_it(qtbot, panel):
    session = panel.session
    rect = panel.list.visualRect(panel.shown.index(0, 0))
    qtbot.mouseClick(
        panel.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.topLeft() + QPoint(10, rect.height() // 2)
    )
    assert not session.subsets["r0"].visible
    session.undo()
    assert session.subsets["r0"].visible


def test_numbers_are_edited_and_bad_ones_refused(qtbot, panel):
    click(qtbot, panel, 1)
    qtbot.waitUntil(lambda: "radius" in panel.editor.fields)
    field = panel.editor.fields["radius"]
    field.selectAll()
    qtbot.keyClicks(field, "12.5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.session.subsets["r1"].region.radius == 12.5
    qtbot.waitUntil(lambda: panel.editor.fields["radius"].text() == "12.5 px")
    field = panel.editor.fields["radius"]
    field.selectAll()
    qtbot.keyClicks(field, "-3")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.session.subsets["r1"].region.radius == 12.5
    assert "must be above 0" in panel.context.notices[-1].text
    panel.session.undo()
    assert panel.session.subsets["r1"].region.radius == 6


def test_filter_rename_lock_and_remove(qtbot, panel):
    qtbot.keyClicks(panel.filter, "r2")
    assert panel.shown.rowCount() == 1
    panel.filter.clear()
    panel.rows.setData(panel.rows.index(0, 0), "core")
    assert list(panel.session.subsets) == ["core", "r1", "r2"]
    panel.interaction.select(["core", "r1"])
    qtbot.waitUntil(lambda: len(panel.selected()) == 2)
    panel.switch("locked")
    assert all(panel.session.subsets[n].locked for n in ("core", "r1"))
    panel.switch("locked")
    panel.remove()
    assert list(panel.session.subsets) == ["r2"]
    panel.session.undo()
    assert len(panel.session.subsets) == 3


def test_ten_thousand_rows_change_one_at_a_time(qtbot):
    subsets = [Subset(f"r{k}", CirclePixelRegion(PixCoord(k, 1), 2)) for k in range(10_000)]
    from PySide6.QtCore import QObject

    from jviz.viewers.icons import themed_icon

    parent = QObject()
    rows = RegionRows(parent, themed_icon)
    rows.show(subsets)
    told = []
    rows.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    changed = list(subsets)
    changed[77] = changed[77].but(color="#ffffff")
    rows.show(changed)
    assert told == [(77, 77)]
    assert rows.data(rows.index(77, 0), Qt.ItemDataRole.DecorationRole).toImage().pixelColor(5, 5) == QColor("#ffffff")


@pytest.mark.parametrize("style", ["sexagesimal", "degrees"])
@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_numbers_on_the_sky_are_read_as_they_are_written(style, frame):
    centre = SkyCoord(150.123456, -2.345678, unit="deg").transform_to(frame)
    region = CircleSkyRegion(centre, 12.5 * u.arcsec)
    fields = fields_of(region, style=style, unit="arcmin")
    for name, (_, text) in fields.items():
        again = with_field(region, name, text, unit="arcmin")
        assert again.center.separation(centre).arcsec < 1e-3
        assert again.center.frame.name == frame
        assert again.radius.to_value("arcsec") == pytest.approx(12.5)
    assert with_field(region, "radius", '3"').radius.to_value("arcsec") == pytest.approx(3)


def test_vertices_are_read_as_they_are_written():
    region = PolygonPixelRegion(PixCoord([1.5, 20, 30], [2, 3, 44]))
    text = fields_of(region, origin=1)["vertices"][1]
    assert text == "2.5, 3; 21, 4; 31, 45"
    again = with_field(region, "vertices", text, origin=1)
    assert np.array_equal(again.vertices.xy, region.vertices.xy)
    with pytest.raises(CommandError, match="no position"):
        with_field(region, "vertices", "1 2 3", origin=1)

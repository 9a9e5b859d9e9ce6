"""The panel of regions: list, selection, numbers."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from PySide6.QtCore import QModelIndex, QPoint, Qt
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


def names_in(panel):
    """Return the rows of the list as texts, those of a group in a list of their own."""
    shown = panel.shown
    rows = []
    for row in range(shown.rowCount()):
        head = shown.index(row, 0)
        children = [shown.index(k, 0, head).data() for k in range(shown.rowCount(head))]
        rows.append([head.data(), children] if children else head.data())
    return rows


def drop(panel, names, row, parent=None):
    """Drop rows as the list does at the end of a drag."""
    rows = panel.rows
    mime = rows.mimeData([rows.index_of(n) if n in rows._places else group_row(panel, n) for n in names])
    rows.dropMimeData(mime, Qt.DropAction.MoveAction, row, 0, parent if parent is not None else QModelIndex())


def group_row(panel, name):
    return panel.rows.index([e.group for e in panel.rows.entries].index(name), 0)


def test_groups_are_branches_that_are_shown_locked_and_renamed_as_one(qtbot, panel):
    session = panel.session
    session.run("region.group", names=["r0", "r2"], group="stars")
    qtbot.waitUntil(lambda: names_in(panel) == [["stars", ["r0", "r2"]], "r1"])
    head = panel.shown.index(0, 0)
    assert panel.list.isExpanded(head)
    rect = panel.list.visualRect(head)
    box = rect.topLeft() + QPoint(10, rect.height() // 2)
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=box)
    assert [s.visible for s in session.subsets.values()] == [False, True, False]
    session.undo()
    assert all(s.visible for s in session.subsets.values())
    session.run("region.edit", name="r0", visible=False)
    qtbot.waitUntil(lambda: head.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.PartiallyChecked)
    click(qtbot, panel, 0)
    assert set(panel.interaction.selected) == {"r0", "r2"}
    panel.switch("locked")
    assert [s.locked for s in session.subsets.values()] == [True, False, True]
    panel.rows.setData(panel.rows.index(0, 0), "bright")
    assert {s.group for s in session.subsets.values()} == {"bright", ""}
    panel.list.collapse(panel.shown.index(0, 0))
    session.run("region.edit", name="r1", rename="other")
    qtbot.waitUntil(lambda: names_in(panel)[1] == "other")
    assert len(names_in(panel)) == 2


def test_rows_are_dragged_into_groups_and_to_other_places_and_undo_puts_them_back(qtbot, panel):
    session = panel.session
    drop(panel, ["r2"], 0)
    assert list(session.subsets) == ["r2", "r0", "r1"]
    session.undo()
    assert list(session.subsets) == ["r0", "r1", "r2"]
    session.redo()
    assert list(session.subsets) == ["r2", "r0", "r1"]
    session.run("region.group", names=["r0"], group="stars")
    qtbot.waitUntil(lambda: names_in(panel) == ["r2", ["stars", ["r0"]], "r1"])
    drop(panel, ["r2"], -1, group_row(panel, "stars"))
    qtbot.waitUntil(lambda: names_in(panel) == [["stars", ["r0", "r2"]], "r1"])
    drop(panel, ["stars"], 2)
    qtbot.waitUntil(lambda: names_in(panel) == ["r1", ["stars", ["r0", "r2"]]])
    drop(panel, ["r0"], 0)
    qtbot.waitUntil(lambda: names_in(panel) == ["r0", "r1", ["stars", ["r2"]]])
    assert session.subsets["r0"].group == ""
    assert 'session.run("region.order"' in session.script().replace("'", '"')


def test_the_filter_finds_members_and_groups(qtbot, panel):
    panel.session.run("region.group", names=["r0", "r2"], group="stars")
    qtbot.waitUntil(lambda: len(names_in(panel)) == 2)
    qtbot.keyClicks(panel.filter, "r2")
    assert names_in(panel) == [["stars", ["r2"]]]
    panel.filter.setText("STARS")
    assert names_in(panel) == [["stars", ["r0", "r2"]]]


def test_masks_are_in_the_list(qtbot, panel):
    mask = np.zeros((80, 100), bool)
    mask[3:9, 4:20] = True
    panel.session.subset("bright", mask, data="flat")
    qtbot.waitUntil(lambda: "bright" in names_in(panel))
    panel.interaction.select(["bright"])
    qtbot.waitUntil(lambda: [s.name for s in panel.selected()] == ["bright"])
    qtbot.waitUntil(lambda: panel.editor.note.text() == "A mask of 96 pixels has no numbers of its own.")


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

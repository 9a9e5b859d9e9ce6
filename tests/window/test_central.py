"""Splitting and joining viewers by drag and by keys."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from jviz.window.arrangement import cleaned
from jviz.window.zones import part_of, zone_at

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def three(filled, qtbot):
    """Three viewers behind each other."""
    for _ in range(2):
        filled.session.view("image", data="picture")
    assert filled.central.names == ["Image 1", "Image 2", "Image 3"]
    QApplication.processEvents()
    return filled


def drag_tab(window, name: str, target: QPoint, *, release: bool = True) -> None:
    """Take a tab by the mouse and drop it at a point of the central area."""
    central = window.central
    group = central.group_of(name)
    bar = group.bar
    start = bar.tabRect(group.indexOf(central.widget(name))).center()
    QTest.mousePress(bar, LEFT, Qt.KeyboardModifier.NoModifier, start)
    middle = bar.mapFromGlobal(central.mapToGlobal(QPoint(central.width() // 2, central.height() // 2)))
    end = bar.mapFromGlobal(central.mapToGlobal(target))
    for point in (start + QPoint(0, 6), middle, end):
        QTest.mouseMove(bar, point)
        QApplication.processEvents()
    if release:
        QTest.mouseRelease(bar, LEFT, Qt.KeyboardModifier.NoModifier, end)
        QApplication.processEvents()


def left_of(window, name: str) -> int:
    widget = window.central.widget(name)
    return widget.mapTo(window, QPoint(0, 0)).x()


def top_of(window, name: str) -> int:
    return window.central.widget(name).mapTo(window, QPoint(0, 0)).y()


def test_dragging_a_tab_to_the_right_splits(three):
    central = three.central
    drag_tab(three, "Image 2", QPoint(central.width() - 20, central.height() // 2))
    assert len(list(central.groups())) == 2
    assert central.names == ["Image 1", "Image 3", "Image 2"]
    central.activate("Image 1")
    assert left_of(three, "Image 2") > left_of(three, "Image 1") + central.width() // 3
    assert central.widget("Image 1").isVisible()
    assert central.widget("Image 2").isVisible()


def test_dragging_to_the_top_and_back_into_the_middle(three):
    central = three.central
    drag_tab(three, "Image 3", QPoint(central.width() // 2, 40))
    QApplication.processEvents()
    central.activate("Image 1")
    assert top_of(three, "Image 3") < top_of(three, "Image 1")
    target = central.group_of("Image 1")
    drag_tab(three, "Image 3", target.mapTo(central, target.rect().center()))
    assert len(list(central.groups())) == 1
    assert sorted(central.names) == ["Image 1", "Image 2", "Image 3"]


def test_the_place_is_shown_while_dragging_and_escape_gives_up(three, qtbot):
    central = three.central
    drag_tab(three, "Image 1", QPoint(10, central.height() // 2), release=False)
    assert central._drag.veil.isVisible()
    bar = central.group_of("Image 1").bar
    qtbot.keyClick(bar, Qt.Key.Key_Escape)
    assert not central._drag.veil.isVisible()
    QTest.mouseRelease(bar, LEFT)
    assert len(list(central.groups())) == 1


def test_dragging_along_the_bar_only_orders_the_tabs(three):
    bar = three.central.group_of("Image 1").bar
    start, end = bar.tabRect(0).center(), bar.tabRect(2).center() + QPoint(20, 0)
    QTest.mousePress(bar, LEFT, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 11):
        QTest.mouseMove(bar, start + (end - start) * step / 10)
        QApplication.processEvents()
    QTest.mouseRelease(bar, LEFT, Qt.KeyboardModifier.NoModifier, end)
    assert three.central.names == ["Image 2", "Image 3", "Image 1"]


def test_keys_split_step_and_move(three, qtbot):
    central, ctrl = three.central, Qt.KeyboardModifier.ControlModifier
    central.activate("Image 3")
    qtbot.keyClick(three, Qt.Key.Key_Backslash, ctrl)
    assert len(list(central.groups())) == 2
    assert central.active == "Image 3"
    qtbot.keyClick(three, Qt.Key.Key_Tab, ctrl)
    assert central.active == "Image 1"
    qtbot.keyClick(three, Qt.Key.Key_Right, ctrl | Qt.KeyboardModifier.AltModifier)
    assert central.group_of("Image 1") is central.group_of("Image 3")


def test_splitting_a_lonely_viewer_shows_it_twice(filled):
    filled.invoker.run("view.split_right")
    assert len(filled.viewers) == 2
    assert len(list(filled.central.groups())) == 2
    assert filled.viewers[0].state.data is filled.viewers[1].state.data


def test_an_emptied_group_goes_and_its_neighbour_takes_the_room(three):
    central = three.central
    central.move("Image 3", "Image 3", "bottom")
    height = central.widget("Image 3").height()
    central.activate("Image 3")
    three.session.run("view.close", view="Image 3")
    QApplication.processEvents()
    assert len(list(central.groups())) == 1
    assert central.widget(central.active).height() > height


def test_the_group_of_the_active_viewer_is_marked(three):
    central = three.central
    central.move("Image 3", "Image 3", "right")
    central.activate("Image 1")
    marked = [group.property("active") for group in central.groups()]
    assert marked == [True, False]
    central.widget("Image 3").setFocus()
    assert central.active == "Image 3"
    assert three.context.active_view().name == "Image 3"
    assert [group.property("active") for group in central.groups()] == [False, True]


def test_the_arrangement_survives_json(three):
    central = three.central
    central.move("Image 3", "Image 3", "right")
    central.move("Image 2", "Image 3", "bottom")
    state = json.loads(json.dumps(central.state()))
    names = central.names
    for name in names[1:]:
        central.move(name, names[0], "centre")
    assert len(list(central.groups())) == 1
    central.restore(state)
    again = central.state()
    assert central.names == names
    assert _without_sizes(again) == _without_sizes(state)


def test_restoring_leaves_out_the_unknown_and_keeps_the_rest(three):
    state = {
        "tree": {"split": "h", "sizes": [1, 1], "parts": [{"tabs": ["Gone"]}, {"tabs": ["Image 2"], "current": 0}]},
        "active": "Gone",
    }
    three.central.restore(state)
    assert sorted(three.central.names) == ["Image 1", "Image 2", "Image 3"]
    assert len(list(three.central.groups())) == 1


@pytest.mark.parametrize(
    ("point", "zone"),
    [((5, 50), "left"), ((195, 50), "right"), ((100, 3), "top"), ((100, 97), "bottom"), ((100, 50), "centre")],
)
def test_zones(point, zone):
    area = QRect(0, 0, 200, 100)
    assert zone_at(area, QPoint(*point)) == zone
    assert area.contains(part_of(area, zone))


@pytest.mark.parametrize(
    "state",
    [None, 3, [], {}, {"tabs": "Image 1"}, {"tabs": [1, None]}, {"split": "h"}, {"split": "x", "parts": [5, {}]},
     {"tabs": ["Image 1"], "current": "x"}, {"split": "h", "parts": [{"tabs": ["Image 1"]}] * 3}],
)  # fmt: skip
def test_descriptions_that_make_no_sense_do_no_harm(three, state):
    three.central.restore({"tree": state, "active": state})
    assert sorted(three.central.names) == ["Image 1", "Image 2", "Image 3"]


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
TREES = st.recursive(
    st.builds(lambda tabs, n: {"tabs": tabs, "current": n}, st.lists(NAMES, max_size=4), st.integers(-2, 5)),
    lambda parts: st.builds(
        lambda p, s, d: {"split": d, "parts": p, "sizes": s},
        st.lists(parts, max_size=4), st.lists(st.integers(0, 900), max_size=4), st.sampled_from("hv"),
    ),
    max_leaves=12,
)  # fmt: skip


# The first tree takes long to draw on a busy machine, which says nothing about the strategy.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_cleaned_trees_hold_each_known_viewer_once_and_part_at_least_two(tree):
    def leaves(part):
        if "tabs" in part:
            assert part["tabs"]
            assert 0 <= part["current"] < len(part["tabs"])
            return part["tabs"]
        assert len(part["parts"]) >= 2
        assert len(part["sizes"]) == len(part["parts"])
        return [name for inner in part["parts"] for name in leaves(inner)]

    known = {"a", "b", "c"}
    result = cleaned(tree, known)
    names = leaves(result) if result is not None else []
    assert sorted(names) == sorted(known & set(_names_in(tree)))
    assert result is None or cleaned(result, known) == result


def _names_in(tree) -> list[str]:
    return tree["tabs"] if "tabs" in tree else [name for part in tree["parts"] for name in _names_in(part)]


def _without_sizes(state):
    if isinstance(state, dict):
        return {key: _without_sizes(value) for key, value in state.items() if key != "sizes"}
    return [_without_sizes(value) for value in state] if isinstance(state, list) else state


def test_no_layout_item_outlives_what_it_held(three, qtbot):
    # PySide keeps what a layout answered (itemAt) after Qt has deleted it, and takes it for whatever
    # is made at the same address later: wrong types, then a crash.
    import shiboken6
    from PySide6.QtWidgets import QLayout, QLayoutItem

    def kept():
        return {
            id(w) for w in shiboken6.getAllValidWrappers() if isinstance(w, QLayoutItem) and not isinstance(w, QLayout)
        }

    before = kept()
    drag_tab(three, "Image 2", QPoint(three.central.width() - 20, three.central.height() // 2))
    for name in list(three.central.names):
        three.session.run("view.close", view=name)
    three.session.undo()
    qtbot.wait(10)
    assert kept() <= before

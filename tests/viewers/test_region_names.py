"""Names of regions: none over another, all within the picture, short where a group is crowded."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF, QSizeF

from jviz.viewers.region_names import Named, names_in_room

VIEW = QSizeF(400, 300)


def laid(*regions):
    return names_in_room(regions, lambda text: 7.0 * len(text), 14.0, VIEW)


def test_a_name_stands_below_its_region():
    [(number, text, place)] = laid(Named("core", "", 200, 90, 110))
    assert (number, text) == (0, "core")
    assert place == QRectF(186, 114, 28, 14)


def test_names_stay_within_the_picture():
    right, left, low = laid(
        Named("a long name", "", 390, 90, 110), Named("a long name", "", 5, 90, 110), Named("low", "", 200, 270, 295)
    )
    assert right[2].right() == 396
    assert left[2].left() == 4
    assert low[2].bottom() == 266  # above its region, since there is no room below
    [gone] = laid(Named("a long name", "", 440, 90, 110))
    assert gone[2].center().x() == 440


def test_a_crowded_group_is_written_short_and_others_are_not():
    found = laid(
        Named("m31 above 200 1", "m31 above 200", 150, 90, 110),
        Named("m31 above 200 2", "m31 above 200", 180, 90, 110),
        Named("m31 above 200 3", "m31 above 200", 300, 200, 210),
        Named("core", "", 60, 200, 210),
    )
    assert [text for _, text, _ in found] == ["1", "2", "3", "core"]


def test_names_without_room_are_left_out():
    found = laid(Named("one", "", 150, 90, 110), Named("two", "", 152, 92, 112), Named("six", "", 152, 200, 210))
    assert [text for _, text, _ in found] == ["one", "six"]


boxes = st.tuples(st.floats(-50, 450), st.floats(-50, 350), st.floats(1, 80), st.sampled_from(["", "g", "h"]))


@given(st.lists(boxes, max_size=40))
def test_no_name_lies_over_another(given_boxes):
    regions = [Named(f"{group} {k}".strip(), group, x, y, y + h) for k, (x, y, h, group) in enumerate(given_boxes)]
    found = laid(*regions)
    assert len({number for number, _, _ in found}) == len(found)
    for (_, _, one), (_, _, other) in itertools.combinations(found, 2):
        assert not one.intersects(other)

"""The form of the archive panel: what it asks, and how it says so."""

from __future__ import annotations

import shlex

import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QLineEdit

from jviz.errors import CommandError
from jviz.plugins.archive_columns import ColumnForm, written
from jviz.plugins.archive_question import conditions
from tests.archive_hand import searched


@pytest.fixture
def panel(make_panel, mast):
    return make_panel("archive", size=(1200, 420))


def test_copied_as_python(qtbot, panel, mast):
    panel.question.level.setCurrentText("3")
    qtbot.keyClicks(panel.question.fields["instrument"], "NIRCAM, MIRI")
    qtbot.keyClicks(panel.question.more, "exposure_time=100..5000 title='deep field'")
    panel.copy_python()
    assert QGuiApplication.clipboard().text() == (
        "session.run('archive.search', collection='mast', instrument=['NIRCAM', 'MIRI'], level=3, "
        "exposure_time=(100, 5000), title='deep field')"
    )
    assert mast.log == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("a=1 b=2.5", {"a": 1, "b": 2.5}),
        ("t=1..5", {"t": (1, 5)}),
        ("date=2024-01-01..2024-02-01", {"date": "2024-01-01..2024-02-01"}),
        ("pi='van der Berg' filter=F1,F2", {"pi": "van der Berg", "filter": ["F1", "F2"]}),
    ],
)
def test_conditions(text, found):
    assert conditions(text) == found


@pytest.mark.parametrize("text", ["a", "=3", "a=", "a='x", "1a=2"])
def test_bad_conditions(text):
    with pytest.raises(CommandError):
        conditions(text)


def test_conditions_on_any_column_are_filled_in(qtbot, panel, session):
    panel.question.more.setText("title='deep field' s_ra=0..1")
    button = next(b for b in panel.question.findChildren(type(panel.saved_button)) if "any column" in b.toolTip())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    [form] = panel.findChildren(ColumnForm)
    qtbot.waitUntil(lambda: form.tree.topLevelItemCount() > 20, timeout=60_000)
    assert form.values() == {"title": "deep field", "s_ra": "0..1"}
    qtbot.keyClicks(form.words, "exposure time")
    shown = [item for n in range(form.tree.topLevelItemCount()) if not (item := form.tree.topLevelItem(n)).isHidden()]
    [item] = [item for item in shown if item.text(0) == "t_exptime"]
    assert len(shown) < 5
    place = form.tree.visualItemRect(item).center()
    qtbot.mouseClick(form.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    editor = form.tree.viewport().findChild(QLineEdit)
    qtbot.keyClicks(editor, "312..313")
    qtbot.mouseClick(form.buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton)
    assert conditions(panel.question.more.text()) == {
        "title": "deep field", "s_ra": (0, 1), "t_exptime": (312, 313)}  # fmt: skip
    panel.question.more.setText("t_exptime=312..313")
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert panel.found.table_model.rowCount() == 2


@given(st.dictionaries(st.sampled_from(["title", "s_ra"]), st.text("ab ',\"\\*.=é", min_size=1, max_size=12)))
def test_conditions_are_written_as_they_are_read(values):
    words = [word.partition("=") for word in shlex.split(written(values))]
    assert {name: value for name, _, value in words} == values


def test_an_outline_is_a_target_too(qtbot, panel):
    searched(qtbot, panel, target="polygon 53.05 -27.85 53.35 -27.85 53.35 -27.75 53.05 -27.75")
    assert panel.about.text() == "2 observations, MAST"
    assert "radius" not in panel.question.arguments()


def test_pasted_lines_are_several_targets(qtbot, panel):
    QGuiApplication.clipboard().setText("53.1 -27.8\ntest field\n\n")
    panel.question.target.setFocus()
    qtbot.keyClick(panel.question.target, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert panel.question.arguments()["targets"] == ["53.1 -27.8", "test field"]


def test_several_targets(qtbot, panel, session):

    searched(qtbot, panel, target="53.1 -27.8; test field; 53.5 -27.8", radius="1 arcmin")
    assert panel.about.text() == "3 observations, MAST"
    assert panel.rows.table["asked_for"].tolist() == ["53.1 -27.8", "test field", "53.5 -27.8"]
    session.add(Table({"name": ["a", "b"], "ra": [53.1, 53.9], "dec": [-27.8, -27.8]}), name="mine")
    searched(qtbot, panel, target="@mine", radius="1 arcmin")
    assert panel.rows.table["asked_for"].tolist() == ["a", "b"]


def test_how_many_there_are_is_said_before_the_search(qtbot, panel, mast):
    qtbot.keyClicks(panel.question.fields["program"], "1234")
    qtbot.waitUntil(lambda: panel.counted.text() == "5 to be found", timeout=60_000)
    assert panel.rows.table is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"target": "no such object"}, "does not know"), ({"more": "nonsense=1"}, "no column 'nonsense'"),
     ({"radius": "three", "target": "M 31"}, "is no radius"),
     ({"more": "exposure_time=5..1"}, "t_exptime cannot be from 5 to 1: the ends of the range are exchanged"),
     ({"date": "2024-05-31..2024-01-01"}, "the ends of the range are exchanged")],
    ids=["a bad name", "a bad column", "a bad radius", "a range upside down", "dates upside down"],
)  # fmt: skip
def test_what_is_asked_wrongly_is_one_sentence(qtbot, panel, fields, words):
    searched(qtbot, panel, **fields)
    assert words in panel.about.text()
    assert panel.told.again_button.isVisible()

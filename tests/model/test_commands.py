"""Commands: arguments checked by name and kind, errors that help, nothing changed by a failure."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import jviz
from jviz import CommandError
from jviz.commands import all_commands, command, find, forget
from jviz.data import Data, Image
from jviz.views import ImageView, View, view_kinds


@pytest.fixture
def declared():
    ids = []

    def declare(id, function, **options):
        command(id, title=options.pop("title", id), **options)(function)
        ids.append(id)
        return find(id)

    yield declare
    for id in ids:
        forget(id)


def test_every_command_is_documented_and_well_named():
    needed = {"", "data", "view", *(need for kind, view in view_kinds().items() for need in (kind, *view.accepts))}
    for id, one in all_commands().items():
        noun, _, verb = id.partition(".")
        assert noun.islower(), id
        assert verb.islower(), id
        assert one.title, id
        assert one.summary.endswith((".", "…")), f"{id}: {one.summary}"
        assert id in jviz.help(id)
        assert one.needs in needed, id
        assert one.hints is not None, "every annotation can be resolved"


def test_shortcuts_and_titles_are_not_given_twice():
    keys = [key for one in all_commands().values() for key in one.shortcut.split("; ") if key]
    assert len(keys) == len(set(keys))
    # The window's own Open… stands for file.open in its menus; it is declared once a window was imported.
    titles = [one.title for one in all_commands().values() if not one.needs_window]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize(
    ("id", "arguments", "words"),
    [
        ("no.such", {}, "There is no command 'no.such'"),
        ("image.zom_in", {}, "Did you mean image.zoom_in"),
        ("data.remove", {}, "needs the argument 'data'"),
        ("data.remove", {"data": "a", "now": 1}, "no argument 'now'; it takes data"),
        ("data.remove", {"data": "b"}, "no data named 'b'; the session holds a"),
        ("view.show", {"view": "x", "data": "a"}, "no view named 'x'"),
        ("view.show", {"view": "Image 1", "data": "a", "mode": "both"}, "choose one of add, replace"),
    ],
)
def test_wrong_arguments_are_told_and_change_nothing(session, id, arguments, words):
    session.add(np.ones((3, 3)), name="a")
    session.view("image")
    steps = len(session.history)
    with pytest.raises(jviz.JvizError, match=words):
        session.run(id, **arguments)
    assert len(session.history) == steps


def test_names_become_data_views_and_paths(session, declared):
    got = {}

    def take(data: Image, others: list[Data], view: View | None, path: Path, word: str | None = None) -> None:
        got.update(data=data, others=others, view=view, path=path, word=word)

    declared("test.take", take)
    a, b = session.add(np.ones((3, 3)), name="a"), session.add(np.ones((3, 3)), name="b")
    view = session.view("image", data="a")
    session.run("test.take", data="a", others=["a", b], view="Image 1", path="x.fits", word="a")
    assert got == {"data": a, "others": [a, b], "view": view, "path": Path("x.fits"), "word": "a"}
    assert "session.run('test.take', data='a', others=['a', 'b'], view='Image 1', path='x.fits', word='a')" in (
        session.script()
    )


def test_data_of_another_kind_are_refused(session, declared):
    declared("test.take", lambda: None)

    def take(data: Image) -> None: ...

    declared("test.take", take)
    session.add(np.ones(5), name="spectrum")
    with pytest.raises(CommandError, match="takes data of kind image; spectrum is of kind spectrum"):
        session.run("test.take", data="spectrum")


def test_data_of_another_session_are_refused(session):
    other = jviz.Session(settings={})
    data = other.add(np.ones((3, 3)), name="a")
    with pytest.raises(jviz.JvizError, match="not in this session"):
        session.run("data.remove", data=data)
    other.close()


def test_choices_may_be_something_else_too(session, declared):
    def take(limit: Literal["auto"] | float = "auto") -> float | str:
        return limit

    declared("test.take", take)
    assert session.run("test.take") == "auto"
    assert session.run("test.take", limit=2.5) == 2.5
    with pytest.raises(CommandError, match="choose one of auto"):
        session.run("test.take", limit="most")


def test_an_unexpected_error_is_explained_and_undone(session, declared):
    def breaks(session: jviz.Session) -> None:
        session.add(np.ones((2, 2)), name="half")
        raise ValueError("too odd")

    declared("test.breaks", breaks, title="Break It…")
    with pytest.raises(CommandError, match=r"Break It failed: too odd\. Nothing was changed") as caught:
        session.run("test.breaks")
    assert isinstance(caught.value.__cause__, ValueError)
    assert session.names == []
    with pytest.raises(CommandError, match="too odd"):
        session.submit("test.breaks").result(10)
    assert len(session.history) == 0


def test_what_a_command_returns_is_added(session, declared):
    from jviz.convert import data_from

    def make(count: int = 2) -> list[Data]:
        return [data_from(np.full((2, 2), n), "made") for n in range(count)]

    for job in (False, True):
        declared("test.make", make, job=job)
        new = session.run("test.make")
        assert [d.name for d in new] == session.names[-2:]
    assert session.names == ["made", "made (2)", "made (3)", "made (4)"]
    session.undo()
    assert session.names == ["made", "made (2)"]


def test_aliases_find_their_command(declared):
    one = declared("test.new", lambda: None, aliases=("test.old",))
    assert find("test.old") is one


def test_commands_for_the_window_say_so(session, declared):
    declared("test.window", lambda window: None)
    with pytest.raises(CommandError, match=r"jviz\.launch"):
        session.run("test.window")


def test_progress_and_session_are_given(session, declared):
    def report(session, progress):
        progress(1, 2, "half")
        return session

    one = declared("test.report", report, job=True)
    assert list(one.parameters) == []
    assert session.run("test.report") is session
    job = session.submit("test.report")
    assert job.result(10) is session
    assert job.text == "half"


def test_views_lend_the_properties_of_their_layer(session):
    session.add(np.ones((3, 3)), name="a")
    view = session.view("image", data="a")
    view.update(stretch="log", rotation=10, limits=(1, 2))
    assert (view.layer.stretch, view.rotation, view.limits) == ("log", 10, (1, 2))
    with pytest.raises(CommandError):
        view.update(stretch="sqrt", axes="bent")
    assert view.layer.stretch == "log"
    with pytest.raises(CommandError):
        view.update(rotation=20, stretch="bendy")
    assert view.rotation == 10
    with pytest.raises(CommandError, match="ImageView has no 'colour'"):
        view.update(colour="red")
    with pytest.raises(CommandError, match="shows no data"):
        _ = ImageView().stretch
    with pytest.raises(CommandError, match="has no"):
        ImageView().update(stretch="log")

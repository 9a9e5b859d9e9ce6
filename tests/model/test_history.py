"""Undo and redo: any sequence of commands and changed states can be taken back and done again."""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import jviz
from jviz.commands import command, forget
from jviz.history import Edit, Entry, History

ACTIONS = ["view.close", "view.duplicate", "image.fit", "image.zoom_in"]
PROPERTIES = ["rotation", "centre", "scale", "grid"]


def present(session):
    """All that a user sees, as plain values."""
    return {
        "names": session.names,
        "data": [id(d) for d in session.data],
        "views": [
            (id(view), {n: v for n, v in view.recorded().items() if n != "layers"},
             [(id(layer), {**layer.recorded(), "data": layer.data.name}) for layer in view.layers])
            for view in session.views.values()
        ],
        "subsets": dict(session.subsets),
    }  # fmt: skip


class Sessions(RuleBasedStateMachine):
    """A hand that does anything, in any order; the history must always lead back and forth."""

    @initialize()
    def begin(self):
        self.session = jviz.Session(settings={})
        self.session.add(np.arange(30.0).reshape(5, 6), name="a")
        self.session.history.replace([])
        self.first = present(self.session)

    def teardown(self):
        if hasattr(self, "session"):
            self.the_history_leads_back_and_forth()
            self.session.close()

    @precondition(lambda self: len(self.session.data) < 4)
    @rule(value=st.integers(0, 9))
    def add_data(self, value):
        self.session.add(np.full((4, 4), float(value)), name="n")

    @precondition(lambda self: len(self.session.data) > 1)
    @rule(which=st.integers(0, 99))
    def remove_data(self, which):
        self.session.run("data.remove", data=self.session.names[which % len(self.session.data)])

    @precondition(lambda self: len(self.session.data))
    @rule(which=st.integers(0, 99), name=st.sampled_from(["x", "y", "z"]))
    def rename_data(self, which, name):
        old = self.session.names[which % len(self.session.data)]
        if name not in self.session.names:
            self.session.run("data.rename", data=old, name=name)

    @precondition(lambda self: len(self.session.data) and len(self.session.views) < 4)
    @rule(which=st.integers(0, 99))
    def open_view(self, which):
        self.session.view("image", data=self.session.data[which % len(self.session.data)])

    @precondition(lambda self: self.session.views)
    @rule(which=st.integers(0, 99), what=st.sampled_from(ACTIONS))
    def act_on_view(self, which, what):
        names = list(self.session.views)
        if what != "view.duplicate" or len(names) < 4:
            self.session.run(what, view=names[which % len(names)])

    @precondition(lambda self: self.session.views and self.session.data)
    @rule(which=st.integers(0, 99), other=st.integers(0, 99), mode=st.sampled_from(["add", "replace"]))
    def show(self, which, other, mode):
        views = list(self.session.views.values())
        data = self.session.data[other % len(self.session.data)]
        self.session.run("view.show", view=views[which % len(views)], data=data, mode=mode)

    @precondition(lambda self: self.session.views)
    @rule(which=st.integers(0, 99), name=st.sampled_from(PROPERTIES), number=st.integers(1, 50))
    def set_by_hand(self, which, name, number):
        view = list(self.session.views.values())[which % len(self.session.views)]
        value = {"centre": (number, number), "scale": number, "rotation": number, "grid": bool(number % 2)}[name]
        setattr(view, name, value)

    @precondition(lambda self: any(v.layers for v in self.session.views.values()))
    @rule(which=st.integers(0, 99), stretch=st.sampled_from(["log", "sqrt", "linear"]), low=st.floats(-5, 5))
    def set_layer(self, which, stretch, low):
        views = [v for v in self.session.views.values() if v.layers]
        view = views[which % len(views)]
        view.stretch = stretch
        view.limits = (low, low + 1)

    @rule(name=st.sampled_from(["p", "q"]), size=st.integers(1, 3))
    def make_subset(self, name, size):
        data = self.session.data[0] if self.session.data else None
        if data is not None:
            self.session.subset(name, np.ones(data.shape, bool), data=data)

    @precondition(lambda self: self.session.views)
    @rule()
    def fail(self):
        self.session.flush()
        before, steps = present(self.session), len(self.session.history)
        with pytest.raises(jviz.CommandError):
            self.session.run("test.break", view=next(iter(self.session.views)))
        assert present(self.session) == before
        assert len(self.session.history) == steps

    @rule(times=st.integers(1, 4))
    def undo(self, times):
        for _ in range(times):
            self.session.undo()

    @rule(times=st.integers(1, 4))
    def redo(self, times):
        for _ in range(times):
            self.session.redo()

    @rule()
    def pause(self):
        self.session.flush()
        self.session.history.seal()

    @rule()
    def the_history_leads_back_and_forth(self):
        session = self.session
        position, now = len(session.history), present(session)
        steps = session.history
        states = []
        while session.undo():
            states.append(present(session))
        assert present(session) == self.first
        for state in reversed(states[:-1]):
            session.redo()
            assert present(session) == state
        steps.go_to(position)
        assert present(session) == now
        assert len(steps) == position
        assert not session._recorder._depth


def _break(session: jviz.Session, view: str):
    session.views[view].rotation = 123
    session.add(np.ones((2, 2)), name="half")
    session.set_views(())
    session.data[0].name = "broken"
    raise RuntimeError("on purpose")


@pytest.fixture(autouse=True)
def breaking_command():
    _break.__annotations__ = {"view": str}
    command("test.break", title="Break")(_break)
    yield
    forget("test.break")


def test_any_history_leads_back_and_forth():
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Sessions,
        settings=settings(
            max_examples=40, stateful_step_count=25, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.fixture
def view(session):
    session.add(np.arange(30.0).reshape(5, 6), name="a")
    return session.view("image", data="a")


def labels(session):
    return [entry.label for entry in session.history]


def test_movements_in_quick_succession_are_one_step(session, view):
    steps = len(session.history)
    for n in range(1, 20):
        view.centre = (n, n)
        view.scale = n
        session.flush()
    assert len(session.history) == steps + 1
    assert labels(session)[-1] == "Zoom and pan"
    session.undo()
    assert (view.centre, view.scale) == (None, None)
    session.redo()
    assert (view.centre, view.scale) == ((19, 19), 19)


def test_a_merged_step_says_all_that_it_did(session, view):
    view.centre = (1, 2)
    session.flush()
    view.scale = 5
    script = session.script()
    assert "centre" in script
    assert "scale" in script


def test_a_seal_parts_two_gestures(session, view):
    view.centre = (1, 2)
    session.flush()
    session.history.seal()
    view.centre = (3, 4)
    session.undo()
    assert view.centre == (1, 2)


def test_a_change_that_is_taken_back_at_once_is_no_step(session, view):
    steps = len(session.history)
    view.grid = True
    view.grid = False
    assert len(session.history) == steps


def test_a_new_step_forgets_what_was_undone(session, view):
    view.grid = True
    session.undo()
    view.rotation = 5
    assert session.redo() is None
    assert labels(session)[-1].startswith("Rotation")


def test_notes_stay_with_the_step_they_follow():
    done = []
    history = History(lambda: None)
    history.push(Entry("a", lambda: done.append("undo"), lambda: done.append("redo"), ["a()"]))
    history.note(["look()"], "look", "x.look")
    assert history.undo().label == "a"
    assert [e.label for e in history] == []
    assert history.redo().label == "a"
    assert [e.label for e in history] == ["a", "look"]
    history.go_to(1)
    assert done == ["undo", "redo"]


def test_an_edit_is_one_step_with_one_line(session):
    values = []

    def do(session: jviz.Session, rename: bool = False) -> Edit:
        if rename:
            session.add(np.ones((2, 2)), name="more")
        return Edit("Append", lambda: values.append(1), values.pop)

    command("test.edit", title="Edit")(do)
    try:
        session.run("test.edit")
        assert values == [1]
        assert session.script().count("test.edit") == 1
        assert session.undo()
        assert values == []
        assert session.undo() is None
        session.redo()
        assert values == [1]
        session.run("test.edit", rename=True)
        assert session.names == ["more"]
        session.undo()
        assert (session.names, values) == ([], [1])
        session.redo()
        assert (session.names, values) == (["more"], [1, 1])
    finally:
        forget("test.edit")


def test_the_history_tells_of_every_change(session, view):
    seen = []
    session.history_changed.connect(told := lambda: seen.append(len(session._history)))
    view.grid = True
    session.flush()
    session.undo()
    session.redo()
    assert len(seen) == 3
    assert told


def test_signals_say_what_changed(session):
    seen = []
    told = [lambda what=what: seen.append(what) for what in ("data", "views", "subsets")]
    session.data_changed.connect(told[0])
    session.views_changed.connect(told[1])
    session.subsets_changed.connect(told[2])
    session.add(np.ones((3, 3)), name="a")
    session.view("image", data="a")
    session.subset("s", np.ones((3, 3), bool), data="a")
    session.subset("s", np.zeros((3, 3), bool), data="a")
    assert seen == ["data", "views", "subsets", "subsets"]
    session.undo()
    assert session.subsets["s"].region.all()


def test_a_step_asks_only_what_changed_however_many_layers_there_are(monkeypatch):
    from jviz.backend.spectra.axis import SpectralAxis
    from jviz.backend.spectra.samples import Samples
    from jviz.spectral import made_spectrum
    from jviz.views import State

    session, asked = jviz.Session(settings={}), []
    recorded = State.recorded
    monkeypatch.setattr(State, "recorded", lambda state: asked.append(state) or recorded(state))
    axis = SpectralAxis(np.arange(1.0, 6.0), "um", "wavelength")
    counts = []
    for n in range(60):
        data = session.add(made_spectrum(Samples(axis, np.full(5, float(n)), "mJy"), f"s{n}", f"s{n}"))
        asked.clear()
        if n == 0:
            view = session.view("spectrum", data=data)
        else:
            session.run("view.show", view=view, data=data)
        counts.append(len(asked))
    assert set(counts[1:]) == {2}  # the view and the new layer
    before = [(layer.data.name, layer.visible) for layer in view.layers]
    view.layers[7].visible = False
    session.flush()
    session.run("view.order_layers", view=view, order=[*range(59, -1, -1)])
    assert not view.layers[52].visible
    session.undo()
    session.undo()
    assert [(layer.data.name, layer.visible) for layer in view.layers] == before
    session.redo()
    session.redo()
    assert [layer.visible for layer in view.layers].index(False) == 52
    session.close()


def test_a_failed_command_is_put_back_though_a_listener_broke_the_news(session, view):
    """What a state was told is taken back even when the recorder heard nothing of it."""

    heard = []

    def breaks(value):
        heard.append(value)
        if len(heard) == 1:
            raise RuntimeError("a listener that fails")

    @command("test.turn", title="Turn")
    def turn(session: jviz.Session) -> None:
        """Turn the view."""
        view.rotation = 33.0

    view.add_callback("rotation", breaks, priority=99)
    try:
        with pytest.raises(jviz.JvizError):
            session.run("test.turn")
    finally:
        view.remove_callback("rotation", breaks)
        forget("test.turn")
    assert heard == [33.0, 0.0]
    assert view.rotation == 0.0

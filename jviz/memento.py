"""Recording: what the session was before and after each change, whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from jviz.history import Edit, Entry
from jviz.signals import Signal
from jviz.views import State, View

if TYPE_CHECKING:
    from jviz.data import Data
    from jviz.markers import Marker
    from jviz.session import Session

__all__ = ["Memento", "Recorder"]

NO_STATES: dict[State, dict[str, Any]] = {}


@dataclass(frozen=True)
class Memento:
    """A session at one moment, by reference: data and their names, views, values of every state, subsets, markers."""

    data: tuple[Data, ...] = ()
    names: tuple[str, ...] = ()
    views: tuple[View, ...] = ()
    states: dict[State, dict[str, Any]] = None  # type: ignore[assignment]
    subsets: dict[str, Any] = None  # type: ignore[assignment]
    markers: tuple[Marker, ...] = ()
    order: tuple[str, ...] = ()
    """Names of the subsets: dicts in another order count as equal."""


@dataclass
class Step:
    """What is being recorded; commands add the edits that they did, and lines of the script for what they opened."""

    edits: list[Edit] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def undo(self) -> None:
        """Take the edits back, the last one first."""
        for edit in reversed(self.edits):
            edit.undo()

    def redo(self) -> None:
        """Do the edits again."""
        for edit in self.edits:
            edit.do()


@dataclass
class _Pending:
    """Properties of one state that were set outside of any command and are not in the history yet."""

    state: State
    group: Any
    names: set[str]
    followers: dict[State, set[str]] = field(default_factory=dict)


class Recorder:
    """Watches the states of a session's views and turns changes into steps of its history.

    Attributes
    ----------
    touched : Signal
        Emitted when a change waits to become a step; a window answers by calling `flush` once
        the user pauses.
    """

    def __init__(self, session: Session) -> None:
        self.touched = Signal()
        self._session = session
        self._depth = 0
        self._step: Step | None = None
        self._watched: WeakSet[State] = WeakSet()
        self._stirred: WeakSet[State] = WeakSet()
        """States that changed since they were last looked at: the others need not be asked, however many there are."""
        self._pending: _Pending | None = None
        self._settled = Memento(states={}, subsets={})

    # --- mementos -------------------------------------------------------------------------------

    def capture(self) -> Memento:
        """Take the present; what did not change is shared with the last memento."""
        session, known = self._session, self._settled
        views = tuple(session.views.values())
        names = tuple(map(attrgetter("name"), session.data))
        return Memento(
            session.data, known.names if names == known.names else names, views, self._values(views), session.subsets,
            session.markers, tuple(session.subsets),
        )  # fmt: skip

    def _values(self, views: tuple[View, ...]) -> dict[State, dict[str, Any]]:
        """Return the values of every state of views; of those that did not change nothing is asked."""
        known, stirred = self._settled.states, set(self._stirred)
        changed = [view for view in views if view in stirred]
        if views == self._settled.views and all(_added(known[v]["layers"], v.layers) is not None for v in changed):
            news = [layer for v in changed for layer in _added(known[v]["layers"], v.layers)]
            states, asked = dict(known), [*(stirred & known.keys()), *news]
        else:
            states, asked = {}, list(_states(views))
        for state in asked:
            before = known.get(state)
            if before is None or state in stirred:
                values = state.recorded()
                before = before if before == values else values
            states[state] = before
        return states

    def _settle_on(self, memento: Memento) -> None:
        """Take what was captured just now as recorded."""
        self._settled = memento
        self._stirred = WeakSet(state for state in self._stirred if state not in memento.states)

    def restore(self, memento: Memento) -> None:
        """Put the session back to what it was."""
        session = self._session
        self._depth += 1
        try:
            with session.linker.paused():
                self._put_back(memento)
        finally:
            self._depth -= 1
            self._settled = memento

    def _put_back(self, memento: Memento) -> None:
        """Set everything that a memento holds."""
        session = self._session
        renamed = [(d, name) for d, name in zip(memento.data, memento.names, strict=True) if d.name != name]
        for data, name in renamed:
            data.name = name
        session.set_data(memento.data)
        for state, values in memento.states.items():
            if state in self._stirred or self._settled.states.get(state) is not values:
                state.update(**values)
        session.set_views(memento.views)
        session.set_subsets(memento.subsets)
        session.set_markers(memento.markers)
        if renamed:
            session.data_changed.emit()

    def settle(self) -> None:
        """Take the present as recorded."""
        self._settle_on(self.capture())

    @contextmanager
    def step(self, label: str, *, lines: list[str], merge: Any, command: str) -> Iterator[Step]:
        """Record the body as one step; put everything back when it raises."""
        if self._step is not None:
            yield self._step
            return
        self.flush()
        before = self._settled
        self._session.linker.forget()
        self._step = step = Step(lines=list(lines))
        self._depth += 1
        try:
            yield step
        except BaseException:
            step.undo()
            self._stirred.update(before.states)  # who raised may have kept us from hearing of a change
            self.restore(before)
            raise
        finally:
            self._step = None
            self._depth -= 1
        self._finish(step, before, Entry(label, _nothing, _nothing, step.lines, merge, command))

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Have changes inside be no step, and not taken back by the undo of others."""
        self.flush()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _finish(self, step: Step, before: Memento, entry: Entry) -> None:
        after = self.capture()
        linker = self._session.linker
        followers = {state: names for state, names in linker.followers.items() if state not in linker.sources}
        merges = entry.merge == "navigation" and not step.edits
        moved = _only_navigation(before, after, followers) if merges else None
        entry.lines = [*self._sizes(linker.sources), *entry.lines]
        if moved is not None:
            # Zooming by a command merges with zooming by hand: both are said as where the view went.
            self._pending = _Pending(moved, "navigation", set(moved.navigation), followers)
            self.flush()
        elif step.edits or after != before:
            entry.undo = partial(_both, step.undo, partial(self.restore, before))
            entry.redo = partial(_both, step.redo, partial(self.restore, after))
            self._settle_on(after)
            self._push(entry)
        elif entry.lines:
            self._session._history.note(entry.lines, entry.label, entry.command)

    # --- changes made outside of commands -------------------------------------------------------

    def watch(self, views: tuple[View, ...]) -> None:
        """Hear of every change of these views and their layers."""
        self._watch(_states(views))

    def _watch(self, states: Iterable[State]) -> None:
        for state in states:
            if state not in self._watched:
                self._watched.add(state)
                state.add_global_callback(partial(self._changed, ref(state)))

    def flush(self) -> None:
        """Turn the pending change into a step."""
        pending, self._pending = self._pending, None
        if pending is None or pending.state not in self._settled.states:
            return
        state, before = pending.state, self._settled
        values = state.recorded()
        changed = {n: values[n] for n in pending.names if values[n] != before.states[state].get(n)}
        if not changed:
            return
        states = {**before.states, state: {**before.states[state], **changed}}
        for other, names in pending.followers.items():
            if other in states:
                states[other] = {**states[other], **{name: getattr(other, name) for name in names}}
        after = replace(before, states=states)
        self._settled = after
        say = partial(_lines, self._session, state, self._sizes({state}) if pending.followers else [])
        self._push(
            Entry(
                _label(state, changed),
                partial(self.restore, before),
                partial(self.restore, after),
                say(changed),
                (id(state), pending.group),
                values=changed,
                say=say,
            )
        )

    @staticmethod
    def _sizes(sources: set[State]) -> list[str]:
        """Return the lines that give views their size when others follow them and it depends on it where they look."""
        from jviz.script import viewport_lines

        return viewport_lines(view for view in sources if getattr(view, "scale", 1) is None)

    def _push(self, entry: Entry) -> None:
        self._session._history.push(entry)

    def _changed(self, whose: ref[State], **values: Any) -> None:
        state = whose()  # held weakly: its callbacks would keep it for ever
        self._stirred.add(state)
        if "layers" in values:
            self._watch(_added(self._settled.states.get(state, {}).get("layers", ()), state.layers) or state.layers)
        if self._depth or state not in self._settled.states:
            return
        names = set(values) - state.derived
        if not names:
            return
        group = _group(state, names)
        pending = self._pending
        if self._session.linker.is_leading and pending is not None:
            pending.followers.setdefault(state, set()).update(names)
            self.touched.emit()
            return
        if pending is not None and (pending.state is not state or pending.group != group):
            self.flush()
        if self._pending is None:
            self._pending = _Pending(state, group, set())
        self._pending.names |= names
        self.touched.emit()


def _nothing() -> None:
    """Stand for an undo that is not known yet."""


def _both(first: Callable[[], None], second: Callable[[], None]) -> None:
    first()
    second()


def _group(state: State, names: set[str]) -> Any:
    """Name what changes belong to one gesture."""
    if names <= state.navigation:
        return "navigation"
    # The first move of a dragged limit sets the mode as well, all further ones only the limits.
    return "limits" if names <= {"manual_limits", "limits_mode"} else frozenset(names)


def _only_navigation(before: Memento, after: Memento, followers: dict[State, set[str]]) -> State | None:
    """Return the one state, besides followers, of which nothing but the navigation differs, None when more does."""
    if replace(before, states=NO_STATES) != replace(after, states=NO_STATES):
        return None
    changed = [s for s, v in after.states.items() if v is not before.states.get(s) and s not in followers]
    if len(changed) != 1 or changed[0] not in before.states:
        return None
    old, new = before.states[changed[0]], after.states[changed[0]]
    return changed[0] if {n for n in new if new[n] != old.get(n)} <= changed[0].navigation else None


def _added(before: tuple[State, ...], after: tuple[State, ...]) -> tuple[State, ...] | None:
    """Return the layers that came behind others, None where any of these went or moved."""
    return after[len(before) :] if after[: len(before)] == before else None


def _states(views: tuple[View, ...]) -> Iterator[State]:
    for view in views:
        yield view
        yield from view.layers


def _label(state: State, changed: dict[str, Any]) -> str:
    if set(changed) <= state.navigation:
        return state.navigation_label
    if changed.get("limits_mode") == "manual" or set(changed) == {"manual_limits"}:
        return "Limits {:.4g} to {:.4g}".format(*state.manual_limits)
    words = []
    for name, value in changed.items():
        title = name.replace("_", " ").replace("colorm", "colour m").replace("colorb", "colour b").capitalize()
        words.append(title if isinstance(value, tuple) else f"{title}: {_word(value)}")
    return ", ".join(words)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if isinstance(value, float) else str(getattr(value, "name", value) or "none")


def _lines(session: Session, state: State, first: list[str], changed: dict[str, Any]) -> list[str]:
    from jviz.script import state_lines

    return [*first, *state_lines(session, state, changed)]

"""Undo and redo by mementos: what the session was before and after each step.

A memento holds references and small dicts of plain values, shared between steps as long as they do
not change, so a step costs about as much as what it changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Edit", "Entry", "History"]

MERGE_SECONDS = 1.0

LOOKS = ("file.open", "view.open", "view.show", "view.close")
"""Commands that open what is on disk, and viewers of it."""


@dataclass
class Edit:
    """A change that a command asks for: run by the session, undone by the user.

    Parameters
    ----------
    label : str
        What the history shows, ``"Delete 3 regions"``.
    do, undo : callable
        Called without arguments; ``do`` also redoes.
    value : object
        What the caller of the command gets.
    """

    label: str
    do: Callable[[], Any]
    undo: Callable[[], Any]
    value: Any = None


@dataclass
class Entry:
    """One step of the history: how to take it back and how to say it in Python.

    Steps with the same ``merge`` that follow each other quickly become one. Their ``values`` are put
    together then, and ``say(values)`` gives its lines: two zooms and a pan end in one centre and one scale.
    """

    label: str
    undo: Callable[[], None] = field(repr=False)
    redo: Callable[[], None] = field(repr=False)
    lines: list[str] = field(default_factory=list)
    merge: Hashable = field(default=None, repr=False)
    command: str = ""
    changes: bool = True
    when: float = field(default_factory=time.time, repr=False)
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    say: Callable[[dict[str, Any]], list[str]] | None = field(default=None, repr=False)

    @property
    def only_looks(self) -> bool:
        """Whether it opened data or a viewer, or moved about in one: nothing that a user would miss."""
        kind = self.merge[1] if isinstance(self.merge, tuple) and len(self.merge) > 1 else self.merge
        return self.command in LOOKS or kind == "navigation"

    def extend(self, other: Entry) -> None:
        """Take in a step that was done after this one."""
        self.redo, self.when = other.redo, other.when
        self.values = {**self.values, **other.values}
        self.lines = other.say(self.values) if other.say is not None else other.lines


class History:
    """The steps done, and those undone that can be redone.

    Attributes
    ----------
    entries : list of Entry
    position : int
        How many of them are done; the rest was undone.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.entries: list[Entry] = []
        self.position = 0
        self._changed = changed
        self._sealed = True

    def __len__(self) -> int:
        return self.position

    def __iter__(self) -> Any:
        return iter(self.entries[: self.position])

    def __repr__(self) -> str:
        steps = [f"  {number}  {entry.label}" for number, entry in enumerate(self, 1)]
        return "\n".join([f"<History of {len(self)} steps>", *steps])

    def push(self, entry: Entry) -> None:
        """Add a step that was just done; what was undone before is forgotten."""
        del self.entries[self.position :]
        if self._merges(entry):
            self.entries[-1].extend(entry)
        else:
            self.entries.append(entry)
            self.position = len(self.entries)
        self._sealed = False
        self._changed()

    def note(self, lines: list[str], label: str, command: str) -> None:
        """Remember script lines of a command that changed nothing; undo passes over them."""
        self.push(Entry(label, _nothing, _nothing, lines, None, command, changes=False))

    def replace(self, entries: list[Entry]) -> None:
        """Begin anew with these steps as done."""
        self.entries = list(entries)
        self._move(len(self.entries))

    def mark(self) -> tuple[int, float]:
        """Return a value that differs after every step, undo and redo."""
        for position in reversed(range(self.position)):
            if self.entries[position].changes:
                return position, self.entries[position].when
        return -1, 0.0

    def work_since(self, mark: tuple[int, float] | None, measured: Collection[str] = ()) -> list[str]:
        """Return the labels of steps since a `mark` that somebody would miss, oldest first.

        Parameters
        ----------
        mark : (int, float) or None
            None: nothing of what there is was ever saved.
        measured : collection of str
            Commands whose value was kept: they count though they changed nothing.
        """
        done = self.entries[: self.position]
        if mark is None:
            return ["Work that was restored"]
        place, when = mark
        if place >= len(done) or (place >= 0 and done[place].when != when and not done[place].only_looks):
            return ["Steps that were taken back"]
        new = done[place + 1 :]
        return [e.label for e in new if not e.only_looks and (e.changes or e.command in measured)]

    def seal(self) -> None:
        """Let the next step be one of its own, even when it would merge."""
        self._sealed = True

    def undo(self) -> Entry | None:
        """Take the last step back and return it, None when there is none."""
        for position in reversed(range(self.position)):
            entry = self.entries[position]
            if entry.changes:
                entry.undo()
                self._move(position)
                return entry
        return None

    def redo(self) -> Entry | None:
        """Do the next undone step again and return it."""
        for position in range(self.position, len(self.entries)):
            entry = self.entries[position]
            if entry.changes:
                entry.redo()
                self._move(self._after_notes(position + 1))
                return entry
        return None

    def go_to(self, position: int) -> None:
        """Undo or redo until ``position`` steps are done (and what only looked at their result)."""
        position = self._after_notes(position)
        while self.position > position and self.undo():
            pass
        while self.position < position and self.redo():
            pass

    def _after_notes(self, position: int) -> int:
        """Return the position after steps that changed nothing: they are done when the one before is."""
        while position < len(self.entries) and not self.entries[position].changes:
            position += 1
        return position

    def _move(self, position: int) -> None:
        self.position = position
        self._sealed = True
        self._changed()

    def _merges(self, entry: Entry) -> bool:
        if self._sealed or entry.merge is None or not self.entries:
            return False
        last = self.entries[-1]
        return last.merge == entry.merge and entry.when - last.when < MERGE_SECONDS


def _nothing() -> None:
    """Undo of what changed nothing."""

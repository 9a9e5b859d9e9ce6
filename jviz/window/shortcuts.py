"""Which keys do what: those declared, with the user's own over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from jviz.commands import all_commands
from jviz.plugin_loader import panels
from jviz.window.invoke import INSTEAD

__all__ = ["Keyed", "Shortcuts", "is_plain", "shown_keys", "split_keys"]

SETTING = "window.shortcuts"


@dataclass(frozen=True)
class Keyed:
    """Something that keys can start: a command, or showing a panel (``panel.<id>``)."""

    id: str
    title: str
    menu: str
    declared: str


class Shortcuts:
    """The keys in force.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self._known: tuple[Any, dict[str, list[str]]] = (None, {})

    def all(self) -> Iterator[Keyed]:
        """Return everything that can have keys, commands first."""
        for command in all_commands().values():
            if command.id in INSTEAD:
                continue
            yield Keyed(command.id, command.title.rstrip("…"), command.menu, command.shortcut)
        for spec in panels().values():
            yield Keyed(f"panel.{spec.id}", f"{spec.title} Panel", "Panels", spec.shortcut)

    def keys(self, id: str, declared: str) -> list[str]:
        """Return the keys of one entry in portable text, the user's own if there are any."""
        return split_keys(self._settings[SETTING].get(id, declared))

    def effective(self) -> dict[str, list[str]]:
        """Return all keys by id; keys that two declarations claim stay with the first."""
        own = self._settings[SETTING]
        state = (own, [(c.id, c.shortcut) for c in (*all_commands().values(), *panels().values())])
        if self._known[0] != state:
            self._known = (state, self._found(own))
        return dict(self._known[1])

    def _found(self, own: dict[str, str]) -> dict[str, list[str]]:
        taken: set[str] = set()
        found = {}
        for keyed in sorted(self.all(), key=lambda k: k.id not in own):
            keys = [key for key in split_keys(own.get(keyed.id, keyed.declared)) if key not in taken]
            taken.update(keys)
            found[keyed.id] = keys
        return found

    def conflicts(self, id: str, keys: str) -> list[Keyed]:
        """Return what else uses these keys now."""
        wanted, effective = set(split_keys(keys)), self.effective()
        return [k for k in self.all() if k.id != id and wanted & set(effective[k.id])]

    def assign(self, id: str, keys: str) -> None:
        """Give an entry keys (none for ``""``); whatever had them loses them."""
        changed = dict(self._settings[SETTING])
        wanted = split_keys(keys)
        for other in self.conflicts(id, keys):
            left = [key for key in self.effective()[other.id] if key not in wanted]
            changed[other.id] = "; ".join(left)
        changed[id] = "; ".join(wanted)
        self._settings[SETTING] = self._without_needless(changed)

    def reset(self, id: str = "") -> None:
        """Go back to the declared keys of one entry, or of all."""
        kept = {k: v for k, v in self._settings[SETTING].items() if id and k != id}
        self._settings[SETTING] = kept

    def _without_needless(self, changed: dict[str, str]) -> dict[str, str]:
        declared = {k.id: "; ".join(split_keys(k.declared)) for k in self.all()}
        return {id: keys for id, keys in changed.items() if declared.get(id) != keys}


def split_keys(keys: str) -> list[str]:
    """Split ``"F; Home"`` into key sequences in one portable spelling."""
    parts = [QKeySequence(part.strip()).toString() for part in str(keys).split("; ") if part.strip()]
    return [part for part in parts if part]


def shown_keys(keys: list[str]) -> str:
    """Return the first keys as the platform writes them, ``"⌘Z"`` on a Mac."""
    return _native(keys[0]) if keys else ""


@cache
def _native(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def is_plain(keys: str) -> bool:
    """Whether a sequence starts with a key that types or moves a cursor, without Ctrl, Alt or Meta."""
    first = QKeySequence(keys)[0]
    strong = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    is_function = Qt.Key.Key_F1 <= first.key() <= Qt.Key.Key_F35
    return not is_function and not (first.keyboardModifiers() & strong)

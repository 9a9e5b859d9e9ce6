"""Groups of recorded properties, which views and layers are.

A state is an echo object whose properties are plain values. What echo looks up anew at each change is
remembered here for each class: a property is set in 8 µs instead of 42.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from typing import Any, ClassVar

from echo import CallbackProperty, HasCallbackProperties, delay_callback

from jviz.checked import like, plain
from jviz.errors import CommandError

__all__ = ["State"]


class State(HasCallbackProperties):
    """A group of recorded properties.

    ``navigation`` names the properties whose changes merge into one step ("Zoom and pan").
    """

    navigation: ClassVar[frozenset[str]] = frozenset()
    navigation_label: ClassVar[str] = "Zoom and pan"
    derived: ClassVar[frozenset[str]] = frozenset()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a property; what a class does not declare is a misspelling, which would change nothing."""
        if not name.startswith("_"):
            if name not in _declared_names(type(self)):
                raise self._unknown(name)
            value = like(_defaults(type(self)).get(name), name, plain(value))
        super().__setattr__(name, value)

    def iter_callback_properties(self) -> Iterator[tuple[str, CallbackProperty]]:
        """Return all properties by name; echo looks through everything that an object has for them."""
        return iter(_properties(type(self)))

    def _get_aliases_for(self, name: str) -> tuple[str, ...]:
        # No state has a property under a second name, for which echo looks at each change.
        return ()

    def _unknown(self, name: str) -> CommandError:
        known = sorted({*self.recorded(), *getattr(self, "lent", ())})
        near = difflib.get_close_matches(name, known, 2)
        hint = f"Did you mean {' or '.join(near)}? It" if near else "It"
        return CommandError(f"{type(self).__name__} has no {name!r}. {hint} has {', '.join(known)}.")

    def recorded(self) -> dict[str, Any]:
        """Return the values that undo, sessions and scripts know."""
        return {name: getattr(self, name) for name in _recorded_names(type(self))}

    def update(self, **values: Any) -> None:
        """Set several properties; whoever watches hears of them once.

        Raises
        ------
        CommandError
            For a name that is no property, or a value it cannot take; nothing is set then.
        """
        for name in values:
            if not self.is_callback_property(name):
                raise self._unknown(name)
        before = {name: getattr(self, name) for name in values}
        values = {name: plain(value) for name, value in values.items()}
        changed = {name: value for name, value in values.items() if before[name] != value}
        with delay_callback(self, *changed) if len(changed) > 1 else nullcontext():
            try:
                for name, value in changed.items():
                    setattr(self, name, value)
            except Exception:
                for name in changed:
                    setattr(self, name, before[name])
                raise


@cache
def _declared_names(kind: type[State]) -> frozenset[str]:
    """Return all that a class of states has or announces by an annotation."""
    return frozenset((*dir(kind), *(name for base in kind.__mro__ for name in vars(base).get("__annotations__", ()))))


@cache
def _defaults(kind: type[State]) -> dict[str, Any]:
    """Return the defaults of the properties without a check of their own: what is set must be like them."""
    found = {name: getattr(kind, name, None) for name in dir(kind)}
    return {name: one._default for name, one in found.items() if type(one) is CallbackProperty}


@cache
def _properties(kind: type[State]) -> tuple[tuple[str, CallbackProperty], ...]:
    """Return the properties of a class of states by name."""
    found = ((name, getattr(kind, name, None)) for name in dir(kind))
    return tuple((name, one) for name, one in found if isinstance(one, CallbackProperty))


@cache
def _recorded_names(kind: type[State]) -> tuple[str, ...]:
    """Return the names of the recorded properties of a class of states."""
    return tuple(name for name, _ in _properties(kind) if name not in kind.derived)

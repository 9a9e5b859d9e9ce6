"""Notices within the model, on echo's containers (which hold bound methods weakly)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from echo.callback_container import CallbackContainer

__all__ = ["Signal"]


class Signal:
    """Functions called in the order in which they were connected."""

    def __init__(self) -> None:
        self._receivers = CallbackContainer()

    def connect(self, receiver: Callable[..., Any]) -> None:
        """Call ``receiver`` at each `emit`; a bound method does not keep its object alive."""
        self._receivers.append(receiver)

    def disconnect(self, receiver: Callable[..., Any]) -> None:
        """Stop calling ``receiver``; unknown ones are ignored."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)

    def receivers(self) -> list[Any]:
        """Return who is connected now, for `restore`."""
        return list(self._receivers.callbacks)

    def restore(self, receivers: list[Any]) -> None:
        """Go back to who was connected once."""
        self._receivers.callbacks[:] = receivers

    def emit(self, *arguments: Any) -> None:
        """Call every receiver."""
        for receiver in list(self._receivers):
            receiver(*arguments)

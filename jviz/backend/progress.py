"""How a long function says how far it is, and how it learns that nobody waits for it any more."""

from typing import Protocol

__all__ = ["Cancelled", "Progress", "silent", "within"]


class Cancelled(BaseException):
    """The caller no longer wants the result.

    Not an ``Exception``: a science library's broad handler must not swallow it.
    """


class Progress(Protocol):
    """``progress(done, total, text)``; raises `Cancelled` when the work is not wanted any more."""

    def __call__(self, done: float, total: float = 1.0, text: str = "") -> None: ...


def silent(done: float, total: float = 1.0, text: str = "") -> None:
    """Report nothing and never cancel."""


def within(progress: Progress, number: int, count: int, name: str) -> Progress:
    """Return how far part ``number`` of ``count`` is, as progress of the whole."""

    def part(done: float, total: float = 1.0, text: str = "") -> None:
        share = min(max(done / total, 0.0), 1.0) if total else 0.0
        progress(number + share, count, f"{name}: {text}" if text else name)

    return part

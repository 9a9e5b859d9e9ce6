"""Imports and other Python in threads give way to the window.

A package imported in a thread holds Python's lock for most of the time. Painting gives that lock away at each
call into Qt and gets it back a tenth of a millisecond later, or when a module has been read: a frame that takes 5 ms
takes 30 ms then. So a thread begins to import a module only while the event loop of the window waits; one that it
has begun, it brings to its end. Jobs wait so where they report their progress, and the loading of
the compiled kernels before each of them. Quiet jobs import nothing at all while the user drags or zooms.

PySide reads the source of each module that is imported to see whether it mentions PySide, for the sake of
``from __feature__ import snake_case``. That is a seventh of the time of an import, and all those texts stay in
memory; so it is told about packages that are known here.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from PySide6.QtCore import QAbstractEventDispatcher

__all__ = ["GivingWay", "give_way"]

PATIENCE = 0.03
"""Seconds after which an import goes on although the window is still busy: it may wait for that very import."""

GLANCE = 0.001

SHORT, STALE = 0.0005, 0.02
"""Seconds between two looks at what the window does, less than which tell nothing, and more than which are too old."""

BUSY = 0.15
"""Share of the time in which a busy window has a processor at least: it waits for Python, too."""

PAUSE = 0.25
"""Seconds without a change after which the user is taken to rest."""

LONGEST = 10.0
"""Seconds for which somebody may go on dragging and zooming before quiet jobs import all the same."""



WITHOUT_QT = frozenset((
    "IPython", "PIL", "asdf", "astropy", "bottleneck", "dask", "echo", "erfa", "glue", "gwcs", "llvmlite", "matplotlib",
    "numba", "numpy", "pandas", "photutils", "regions", "reproject", "scipy", "shapely", "specreduce", "specutils",
    "yaml",
))  # fmt: skip
"""Packages of which no module makes use of PySide while it is imported here."""


class GivingWay(MetaPathFinder):
    """Finds no module, but waits until the event loop does.

    Made in the thread of the widgets, whose imports never wait.
    """

    def __init__(self) -> None:
        self._known = _known_modules()
        self._thread = threading.get_ident()
        self._clock = _clock_of_this_thread()
        self._seen = (0.0, 0.0, True)
        self._turns, self._gave_up = 0, -1
        self._watches = False
        self._busy_since = self._busy_until = 0.0
        self._local = threading.local()

    def watch(self, loop: QAbstractEventDispatcher) -> None:
        """Begin to wait for the event loop of this thread."""
        if not self._watches:
            self._watches = True
            loop.awake.connect(self._turn)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Wait; who looks for the module is another finder."""
        package = fullname.partition(".")[0]
        if package == "jviz" or package in WITHOUT_QT:
            self._known.setdefault(fullname, 0 if package == "jviz" else -1)
        self._wait(for_user=getattr(self._local, "is_patient", False))
        return None

    def note_user(self) -> None:
        """The user moves or changes something just now (called in the thread of the widgets)."""
        now = time.monotonic()
        if now > self._busy_until:
            self._busy_since = now
        self._busy_until = now + PAUSE

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Have imports of this thread wait for the user to pause."""
        self._local.is_patient = True
        try:
            yield
        finally:
            self._local.is_patient = False

    def wait(self) -> None:
        """Wait until the loop waits for events, but in one turn of it only once for too long."""
        self._wait(for_user=False)

    def _wait(self, *, for_user: bool) -> None:
        if threading.get_ident() == self._thread:
            return
        end = time.monotonic() + PATIENCE
        while not (rests := self._is_resting) or (for_user and self._user_is_busy):
            if rests:
                end = time.monotonic() + PATIENCE
            elif self._gave_up == self._turns or time.monotonic() > end:
                self._gave_up = self._turns
                return
            time.sleep(GLANCE)

    @property
    def _user_is_busy(self) -> bool:
        now = time.monotonic()
        return now < self._busy_until and now < self._busy_since + LONGEST

    @property
    def _is_resting(self) -> bool:
        """Whether the thread of the widgets does next to nothing: it waits for the user, or for what a thread does."""
        # The signals of the loop do not tell: with GLib it says that it waits and then runs what came. Nor do the
        # frames of Python: one that is looked at by two threads may end the program (CPython 3.13, issue 125723).
        if self._clock is None or not self._watches:
            return True
        now, used = time.monotonic(), time.clock_gettime(self._clock)
        then, used_then, rested = self._seen
        if now - then < SHORT:
            return rested
        rested = now - then < STALE and used - used_then < BUSY * (now - then)
        self._seen = (now, used, rested)
        return rested

    def _turn(self) -> None:
        self._turns += 1


def _clock_of_this_thread() -> int | None:
    """Return the clock of the processor time of this thread, None where no other thread can read it."""
    of_thread = getattr(time, "pthread_getcpuclockid", None)
    return of_thread(threading.get_ident()) if of_thread is not None else None


def _known_modules() -> dict[str, int]:
    """Return PySide's list of modules: -1 for those without PySide, else the features that they have chosen."""
    try:
        from shibokensupport.feature import pyside_feature_dict
    except ImportError:
        return {}  # another version of PySide, which does without
    return pyside_feature_dict


def give_way() -> GivingWay:
    """Install it, once in a program; it waits for nothing before `GivingWay.watch`."""
    there = next((finder for finder in sys.meta_path if isinstance(finder, GivingWay)), None)
    if there is None:
        there = GivingWay()
        sys.meta_path.insert(0, there)
    return there

"""What happens after the first picture: panels, icons, plugins, compiled kernels; a little at a time."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import batched
from types import ModuleType
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer

from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.plugin_loader import OWN, others_there
from jviz.viewers.base import viewer_types
from jviz.viewers.icons import preload_icons
from jviz.viewers.image_loading import warm_up
from jviz.window.giving_way import give_way

__all__ = ["Startup"]

log = logging.getLogger(__name__)

LATEST_MS = 1500
"""The longest that panels wait for a picture that does not come."""

BREATH_MS = 4
"""Between two steps, so that what the user does comes in and what was changed is painted."""

QUIET_MS = 3000
"""The longest that jobs wait for the compiled kernels; on a new machine these take a minute."""

DIALOGS_MS = 6000
"""The longest that imports for dialogs wait for the jobs of the start: each would take a processor from the other."""

TYPES_AT_ONCE = 8
"""PySide makes a class, with all its enumerations, when it is first asked for: a third of a millisecond each."""

LATER_IMPORTS = ("rapidfuzz.fuzz", "jviz.window.palette", "jviz.window.forms")


class Startup(QObject):
    """Runs the steps of the start, each in a turn of the event loop of its own.

    Parameters
    ----------
    window : MainWindow
    files : list of str
        Opened once the window is on screen.

    Attributes
    ----------
    is_done : bool
        Whether icons and panels are there.
    """

    def __init__(self, window: Any, files: list[str]) -> None:
        super().__init__(window)
        self._window, self._files = window, files
        self._steps: list[Callable[[], Any]] = []
        self._started = False
        self._plugins_came = False
        self._others_there = bool(files) and others_there()
        self.is_done = False
        self._kernels = contextlib.ExitStack()
        warm_up().pause = give_way().wait
        warm_up().hold()
        self._kernels.callback(warm_up().release)
        self._quiet = contextlib.ExitStack()
        if not warm_up().is_over:
            window.session.jobs.hold()
            self._quiet.callback(window.session.jobs.release)
            warm_up().ended.connect(self._quiet_begins)
        self._patience = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._patience.timeout.connect(self._quiet_begins)
        self._turn = QTimer(self, singleShot=True, interval=BREATH_MS)
        self._turn.timeout.connect(self._next)
        self._wait = QTimer(self, interval=10)
        self._wait.timeout.connect(self._look)
        self._waited = 0
        self._dialogs = QTimer(self, interval=50)
        self._dialogs.timeout.connect(self._prepare_dialogs)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self._started:
            self._started = True
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self.begin)
        return False

    def begin(self) -> None:
        """Open the files; everything else waits for their picture.

        Only plugins of others come before, when there are any: a file may need a reader of theirs.
        """
        self._started = True
        if self._others_there:
            self._plugins_came = True
            self._in_job("Loading plugins", self._load_plugins, self._open_after_plugins)
        else:
            self._open()

    def _open_after_plugins(self, reports: list[Any]) -> None:
        self._take_plugins(reports)
        self._open()

    def _open(self) -> None:
        if self._files and not self._window.is_closed:
            self._window.open_files(self._files)
            self._wait.start()
        else:
            self._go_on()

    def stop(self) -> None:
        """Do nothing more: the window closes."""
        self._turn.stop()
        self._wait.stop()
        self._dialogs.stop()
        self._steps.clear()
        self._kernels.close()
        warm_up().ended.disconnect(self._quiet_begins)
        self._patience.stop()
        self._quiet.close()

    def _look(self) -> None:
        self._waited += self._wait.interval()
        painted = any(viewer.has_painted for viewer in self._window.viewers)
        nothing_comes = not self._window.session.jobs.running and not len(self._window.viewers)
        if painted or nothing_comes or self._waited >= LATEST_MS:
            self._wait.stop()
            self._go_on()

    def _go_on(self) -> None:
        self._steps = [self._prepare]
        self._turn.start()

    def _prepare(self) -> None:
        """Import what icons and the panels in sight need, beside the window."""
        work = [preload_icons, *self._window.docks.loaders()]
        self._in_job("Preparing the panels", lambda: [run() for run in work], self._furnish)

    def _next(self) -> None:
        if self._steps:
            self._steps.pop(0)()
            self._turn.start()

    def _in_job(self, title: str, work: Callable[[], Any], after: Callable[[Any], Any] | None) -> None:
        """Run something slow beside the window, and its end in the window's thread."""
        session = self._window.session

        def run(_: Job) -> None:
            try:
                value = work()
            except Exception:
                log.exception("%s failed", title)
                raise
            if after is not None:
                session.dispatcher.call(lambda: after(value))

        try:
            session.jobs.submit(title, run, quiet=True, urgent=True)
        except JvizError:
            log.debug("%s: the window was closed before", title)

    def _furnish(self, _: Any) -> None:
        """Show icons and panels, now that what they need is imported."""
        if not self._window.is_closed:
            self._steps = [*self._window.icon_steps(), *self._window.docks.steps(), *self._steps, *self._later()]
            self._turn.start()

    def _later(self) -> list[Callable[[], Any]]:
        """Return the steps after which much is imported in threads, which takes time from the window."""
        return [
            # Starting a thread waits until it runs: not while another one keeps Python busy.
            self._window.keeper.start,
            self._window.library_clock.start,
            self._window.file_clock.start,
            *([] if self._plugins_came else [self._load_plugins_later]),
            *_type_steps(),
            self._connect_to_programs,
            self._kernels.close,
            warm_up().begin,
            self._quiet_begins if warm_up().is_over else self._patience.start,
            partial(setattr, self, "is_done", True),
        ]

    def _quiet_begins(self) -> None:
        """Let jobs begin that nobody waits for.

        Before the kernels are there they would take five times as long, and all of it from the window.
        """
        warm_up().ended.disconnect(self._quiet_begins)
        self._patience.stop()
        self._quiet.close()
        if not self._window.is_closed:
            self._waited = 0
            self._dialogs.start()

    def _prepare_dialogs(self) -> None:
        """Import what dialogs need, once the pictures that came with the start are sharp."""
        self._waited += self._dialogs.interval()
        seen = [viewer for viewer in self._window.viewers if viewer.isVisible()]
        sharp = all(getattr(viewer, "is_sharp", True) for viewer in seen)
        if (sharp and not self._window.session.jobs.running) or self._waited >= DIALOGS_MS:
            self._dialogs.stop()
            self._in_job("Preparing the window", _import_later, None)

    def _connect_to_programs(self) -> None:
        if self._window.session.settings["samp.connect"]:
            self._window.invoker.run("samp.connect")

    def _load_plugins_later(self) -> None:
        self._in_job("Loading plugins", self._load_plugins, self._take_plugins)

    def _load_plugins(self) -> list[Any]:
        from jviz.plugin_loader import load_plugins

        return load_plugins(self._window.session.settings)

    def _take_plugins(self, reports: list[Any]) -> None:
        if self._window.is_closed:
            return
        for report in reports:
            if report.error:
                self._window.session.notice("warning", report.error)
        self._window.take_plugins()


def _type_steps() -> Iterator[Callable[[], None]]:
    """Yield what makes the classes of widgets: the first `viewport` of a table makes thirty of them at once."""
    import PySide6.QtGui
    import PySide6.QtWidgets

    for module in (PySide6.QtGui, PySide6.QtWidgets):
        names = [name for name in dir(module) if name not in vars(module)]
        for some in batched(names, TYPES_AT_ONCE):
            yield partial(_make_types, module, some)


def _make_types(module: ModuleType, names: Iterable[str]) -> None:
    for name in names:
        getattr(module, name)


def _import_later() -> None:
    for name in LATER_IMPORTS:
        importlib.import_module(name)
    importlib.import_module("jviz.window.palette").small_shadow()
    viewer_types()
    for spec in OWN:
        spec.factory.load()
    importlib.import_module("jviz.backend.embedded_gwcs").prepare_gwcs()

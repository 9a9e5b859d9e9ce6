"""The console panel: IPython in the window, with the session at hand."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import re
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from jviz.api import Job, JvizError, all_commands, home
from jviz.plugins.parts import Panel, is_dark

__all__ = ["ConsolePanel"]

NEEDED = (
    "IPython", "qtconsole.rich_jupyter_widget", "qtconsole.inprocess", "ipykernel.inprocess.ipkernel",
    "ipykernel.debugger", "IPython.core.application", "IPython.core.completerlib", "IPython.core.oinspect", "psutil",
    "sqlite3", "tornado.platform.asyncio", "pygments.styles.default", "pygments.styles.monokai",
)  # fmt: skip

BREATH_MS = 4
"""Between the steps of its start."""

GLANCE_MS, LONGEST_MS = 20, 3000
"""How often it looks whether quiet jobs still run before a step, and how long it waits for their end at most."""

BANNER = """jviz console.  session: data, views, commands   view: the active viewer   window, np, jviz
session.open("file.fits")   session.run("image.stretch", stretch="asinh")   jviz.help("image.stretch")
Tab completes, ↑ and ↓ go through what was typed.  Long work: session.submit(…), so that the window stays alive.
"""

COLOURS = {
    style: dict(enumerate(f"black {colours} white".split()))
    for style, colours in {
        "linux": "#ff7b72 #7ee787 #e3b341 #79c0ff #d2a8ff #76e3ea",
        "lightbg": "#b3261e #116329 #7d4e00 #0550ae #8250df #1b7c83",
    }.items()
}
"""Colours of the terminal codes 30 to 37, easy to read on dark and on light."""


TRIES, RETRY_MS = 3, 200


class ConsolePanel(Panel):
    """Python with the session: `session`, `view` (the active viewer's state), `window`, `np`, `jviz`.

    What it changes shows at once. It works in the window's own thread: start long work with
    ``session.submit(…)``.
    """

    empty_text = "Starting Python …"

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.terminal: Any = None
        self._kernel: Any = None
        self._job: Job | None = None
        self._tries, self._is_made, self._waited_ms = 0, False, 0
        self._text = ""
        self._endings = Endings()
        self.destroyed.connect(self._endings.run)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        self.links.signal(self.session.jobs.changed, self._job_changed)
        context.active_changed.connect(self._name_view)

    def is_empty(self) -> bool:
        return self.terminal is None

    def refresh(self) -> None:
        if self._job is None and not self._is_made:
            self._tries += 1
            self._job = self.session.jobs.submit(
                "Start the console", partial(_started_kernel, self._endings), quiet=True
            )
            self._job_changed(self._job)  # it may be over, and have said so, before it had a name here

    def _job_changed(self, job: Job) -> None:
        if job is not self._job or not job.is_over or self._is_made:
            return
        if job.state == "done":
            self._is_made = True
            QTimer.singleShot(0, self, self._start)
        elif self._tries < TRIES:
            # Two threads that import modules which need each other may see one of them half made.
            self._job = None
            QTimer.singleShot(RETRY_MS, self, self.refresh)
        else:
            self._job, self._tries = None, 0
            self.show_empty(True, f"The console could not be started: {job.error}. Close and open it to try again.")

    # --- the kernel -----------------------------------------------------------------------------

    def _start(self) -> None:
        """Start step by step, so that the window is not held up."""
        self._steps = [
            self._make_client, self._make_terminal, self._dress_terminal, self._connect_terminal, self._show_terminal
        ]  # fmt: skip
        self._next()

    def _next(self) -> None:
        if self._waited_ms < LONGEST_MS and any(job.quiet and job.state == "running" for job in self.session.jobs.all):
            # Beside others that import, a step would take three times as long.
            self._waited_ms += GLANCE_MS
            QTimer.singleShot(GLANCE_MS, self, self._next)
            return
        with _own_streams(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of qtconsole and ipykernel, which no user can do anything about
            self._steps.pop(0)()
        if self._steps:
            QTimer.singleShot(BREATH_MS, self, self._next)

    def _make_client(self) -> None:
        from qtconsole.inprocess import QtInProcessKernelManager

        self._kernel = self._job.result()
        self._kernel.gui = "qt"
        shell = self._kernel.shell
        shell.showtraceback = _shorter(shell)
        shell.banner1 = shell.banner2 = ""
        shell.Completer.custom_matchers.append(_command_ids(shell.Completer))
        shell.push(self.names())
        self._manager = QtInProcessKernelManager(config=_configuration())
        self._manager.kernel = self._kernel
        self._client = self._manager.client()
        self._endings.add(partial(_end_client, self._client, self._manager))
        self._client.start_channels()

    def _make_terminal(self) -> None:
        from qtconsole.rich_jupyter_widget import RichJupyterWidget

        terminal = RichJupyterWidget(gui_completion="droplist", enable_calltips=True)
        terminal.banner = BANNER
        terminal.setAccessibleName("Python console")
        terminal._control.setFrameShape(terminal._control.Shape.NoFrame)
        terminal._control.setAccessibleName("Python console")
        terminal.hide()
        terminal.setParent(self.body)
        self._made = terminal

    def _dress_terminal(self) -> None:
        """Give it its colours before it is seen: a style sheet of a widget in sight is worked out twice."""
        self._dress(self._made)

    def _connect_terminal(self) -> None:
        self._made.kernel_manager, self._made.kernel_client = self._manager, self._client

    def _show_terminal(self) -> None:
        self.terminal = self._made
        self.body.layout().addWidget(self.terminal)
        self.terminal.show()
        self.setFocusProxy(self.terminal)
        self.show_empty(False)

    def names(self) -> dict[str, Any]:
        """Return what the console knows at its start."""
        import numpy as np

        return {
            "session": self.session, "window": self.context.window, "view": self.context.active_view(),
            "np": np, "jviz": importlib.import_module("jviz"),
        }  # fmt: skip

    @property
    def namespace(self) -> dict[str, Any]:
        """The names of the console as they are now; empty before it has started."""
        return self._kernel.shell.user_ns if self._kernel is not None else {}

    def run(self, code: str) -> None:
        """Run code as if it had been typed."""
        self.terminal.execute(code)

    def _name_view(self) -> None:
        if self._kernel is not None:
            self._kernel.shell.push({"view": self.context.active_view()})

    def restyle(self) -> None:
        if self.terminal is not None:
            self._dress(self.terminal)
            # What was typed before would keep its colours, bright ones on a bright ground.
            self.terminal._highlighter.rehighlight()

    def _dress(self, terminal: Any) -> None:
        style = "linux" if is_dark(self) else "lightbg"
        terminal.set_default_style(style)
        colours = COLOURS[style]
        terminal._ansi_processor.color_map.update(colours | {n + 8: c for n, c in colours.items()})
        terminal.setStyleSheet(terminal.styleSheet() + _background(self))


def _background(widget: QWidget) -> str:
    palette = widget.palette()
    return (
        f"QPlainTextEdit, QTextEdit {{ background-color: {palette.base().color().name()}; "
        f"color: {palette.text().color().name()}; "
        f"selection-background-color: {palette.highlight().color().name()}; }}"
    )


def _configuration() -> Any:
    """Keep what was typed with jviz's own data, and write nothing to the folder of IPython."""
    from traitlets.config import Config

    folder = home("data")
    folder.mkdir(parents=True, exist_ok=True)
    return Config(
        {
            # Made in a job's thread, used in the window's.
            "HistoryManager": {
                "hist_file": str(folder / "console.sqlite"), "connection_options": {"check_same_thread": False},
            },
            "InteractiveShell": {"enable_tip": False},
        }
    )


def _started_kernel(endings: Endings, job: Job) -> Any:
    """Import what the console needs (in a second) and start its kernel (in 30 ms); runs in a job's thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _import_needed(job)
        with _own_streams():
            # One whose window is about to go may still be there; each console has its own.
            importlib.import_module("ipykernel.inprocess.ipkernel").InProcessInteractiveShell.clear_instance()
            manager = importlib.import_module("qtconsole.inprocess").InProcessKernelManager(config=_configuration())
            manager.start_kernel(show_banner=False)
    endings.add(partial(_end_kernel, manager.kernel))
    return manager.kernel


def _import_needed(job: Job) -> None:
    with _no_debugger():
        for number, name in enumerate(NEEDED):
            job.report(number, len(NEEDED))
            importlib.import_module(name)
    # Their regular expressions are compiled when the first of each is made.
    importlib.import_module("ipython_pygments_lexers").IPython3Lexer()
    importlib.import_module("pygments.lexers").Python3Lexer()


@contextlib.contextmanager
def _no_debugger() -> Any:
    """Let the kernel think that there is no debugger: one in the window's process could not stop it without the window.

    It would change how threads start, and keep Python's lock for 30 ms at a time while it is imported.
    """
    is_there = "debugpy" in sys.modules
    if not is_there:
        sys.modules["debugpy"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if not is_there:
            del sys.modules["debugpy"]


def _command_ids(completer: Any) -> Callable[[str], list[str]]:
    """Return what completes the id of a command where one is being typed."""

    def ids(text: str) -> list[str]:
        begun = re.search(r"""(?:\.run|\.submit|jviz\.help)\(\s*['"]([\w.]*)$""", completer.text_until_cursor)
        return [id for id in all_commands() if id.startswith(begun[1])] if begun else []

    return ids


def _shorter(shell: Any) -> Any:
    """Show what jviz says to users without the frames that led there."""
    usual = shell.showtraceback

    def show(exc_tuple: Any = None, *arguments: Any, **options: Any) -> None:
        kind, error, _ = exc_tuple or sys.exc_info()
        if isinstance(error, JvizError):
            shell._showtraceback(kind, error, [f"\x1b[31m{kind.__name__}\x1b[0m: {error}"])
        else:
            usual(exc_tuple, *arguments, **options)

    return show


@contextlib.contextmanager
def _own_streams() -> Any:
    """Keep the program's own output and hooks: the kernel puts its own in their place."""
    kept = sys.stdout, sys.stderr, sys.displayhook, sys.excepthook
    try:
        yield
    finally:
        sys.stdout, sys.stderr, sys.displayhook, sys.excepthook = kept


class Endings:
    """What must be ended when the panel is gone; it may be begun in any thread, and after that."""

    def __init__(self) -> None:
        self._lock, self._is_over = threading.Lock(), False
        self._ends: list[Callable[[], None]] = []

    def add(self, end: Callable[[], None]) -> None:
        """Have something ended with the panel; at once when that is gone already."""
        with self._lock:
            self._ends.append(end)
        if self._is_over:
            self.run()

    def run(self, *_: Any) -> None:
        """End everything, the newest first."""
        self._is_over = True
        with self._lock:
            ends, self._ends = self._ends[::-1], []
        for end in ends:
            end()


def _end_kernel(kernel: Any) -> None:
    shell = kernel.shell
    atexit.unregister(shell.atexit_operations)
    shell._atexit_once()  # ends the thread that saves what was typed
    _end_output(kernel.iopub_thread)
    if shell is type(shell)._instance:
        type(shell).clear_instance()


def _end_client(client: Any, manager: Any) -> None:
    with contextlib.suppress(RuntimeError):  # Qt's part of it is gone already when the program ends
        client.stop_channels()
        manager.kernel = None


def _end_output(thread: Any) -> None:
    """End the kernel's output thread; its own `stop` alone leaves a task that complains when the program ends."""
    import asyncio

    async def cancel() -> None:
        task = getattr(thread, "_event_pipe_gc_task", None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    if thread.thread.is_alive():
        asyncio.run_coroutine_threadsafe(cancel(), thread.io_loop.asyncio_loop).result(2)
        thread.stop()

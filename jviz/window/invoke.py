"""Running commands for the user: on the active view, with a form where one is needed, errors as notices."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from jviz.commands import Command, all_commands, find
from jviz.data import Data
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.running import kinds_of
from jviz.script import command_line
from jviz.views import View

__all__ = ["Invoker", "is_toggle"]

log = logging.getLogger(__name__)

INSTEAD = {"file.open": "file.open_dialog", "file.open_session": "file.open_session_dialog"}
"""Commands that take paths, and those that ask for them in a dialog of the system."""

ASKS_FOR_A_NAME = {"file.save_session": "file.save_session_as"}
"""Commands that need a file of the session, and what runs while it has none."""

LONGEST_TEXT = 200
"""Characters of a result that the status bar tells."""

MAKES_NEW = ("view.open", "file.open")
"""Commands that make something new: what is active is no default for them."""


OF_MEASUREMENTS = ("exclude_flags",)
"""What a view says for all that is measured on it."""


class Invoker(QObject):
    """Runs commands as menus, keys and the palette ask for them.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._own_jobs: dict[int, tuple[Command, dict[str, Any], bool]] = {}
        self._session.jobs.changed.connect(self._job_changed)

    # --- running --------------------------------------------------------------------------------

    def trigger(self, id: str, **arguments: Any) -> None:
        """Do what a menu entry promises: open the form of a command whose title ends with …, run others.

        Those that lack something which only the user knows get their form, too; it begins with the arguments.
        """
        id = INSTEAD.get(id, id)
        id = ASKS_FOR_A_NAME.get(id, id) if self._session.path is None else id
        command = find(id)
        arguments = self._on_selected(command, self.on_active(command, arguments))
        if (command.title.endswith("…") and not command.needs_window) or command.missing(arguments):
            from jviz.window.forms import open_form

            open_form(self._window, command, self._operand(command, self._as_it_is(command, arguments)))
            return
        try:
            self.start(id, show_result=True, **arguments)
        except JvizError as error:
            self.report(error)

    def run(self, id: str, /, **arguments: Any) -> Any:
        """Run a command on the active view unless told otherwise; errors become notices.

        Returns
        -------
        object
            What the command gives, its `Job`, or None when it failed.
        """
        try:
            return self.start(id, **arguments)
        except JvizError as error:
            self.report(error)
            return None

    def ask(self, id: str, /, **arguments: Any) -> Any:
        """Run a command as `run` does, and bring what it answers to the front of the results."""
        try:
            return self.start(id, show_result=True, **arguments)
        except JvizError as error:
            self.report(error)
            return None

    def start(self, id: str, /, *, show_result: bool = False, **arguments: Any) -> Any:
        """Run a command like `run`, but raise what goes wrong at once (for forms).

        Parameters
        ----------
        show_result : bool
            Bring the panel of results to the front when there is one: the user asked for it, and not a panel.
        """
        command = find(id)
        arguments = self.on_active(command, arguments)
        if command.job:
            job = self._session.submit(id, **arguments)
            self._own_jobs[job.number] = (command, arguments, show_result)
            return job
        value = self._session.run(id, **arguments)
        self._tell(value, command, arguments, show_result)
        return value

    def on_active(self, command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
        """Fill in the active view and its data where the command takes them and none is given."""
        filled = dict(arguments)
        if command.id in MAKES_NEW:
            return filled
        view = self._window.context.active_view()
        for name, parameter in command.parameters.items():
            if name in filled or view is None:
                continue
            kinds = [k for k in kinds_of(command.hints.get(name, Any)) if isinstance(k, type)]
            if any(issubclass(k, View) and isinstance(view, k) for k in kinds):
                filled[name] = view
            elif parameter.default is parameter.empty and any(
                issubclass(k, Data) and isinstance(view.data, k) for k in kinds
            ):
                filled[name] = view.data
        return filled

    def _operand(self, command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
        """Let the first name of an expression stand for the active data; the others are the user's choice."""
        view = self._window.context.active_view()
        if not {"expression", "a"} <= set(command.parameters) or "a" in arguments or view is None:
            return arguments
        kinds = tuple(k for k in kinds_of(command.hints.get("a")) if isinstance(k, type) and issubclass(k, Data))
        return {**arguments, "a": view.data} if isinstance(view.data, kinds) else arguments

    def _on_selected(self, command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
        """Fill in the names of the selected regions where a command takes names of regions."""
        names = list(self._session.interaction.selected) or list(self._session.subsets)
        if not command.id.startswith("region.") or not names or (not self._session.interaction.selected and names[1:]):
            return arguments
        wanted = [n for n in command.missing(arguments) if list[str] in kinds_of(command.hints.get(n, Any))]
        return {**arguments, **dict.fromkeys(wanted, names[0] if len(names) == 1 else names)}

    def _as_it_is(self, command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
        """Let a form start from how the view looks now, where its fields are named after what they set."""
        view = self._window.context.active_view()
        if view is None or command.needs not in (*view.kinds(), *view.accepts[:1]):
            return arguments
        now = {**view.recorded(), **(view.layer.recorded() if view.layer is not None else {})}
        # Others may use a word of the view for something else: the contrast of sources is not that of colours, and
        # a name is that of what is made.
        shared = [n for n in command.parameters if n != "name"] if _is_about(command, view) else OF_MEASUREMENTS
        wanted = [n for n in shared if n in command.parameters and now.get(n) not in (None, ())]
        return {**{n: now[n] for n in wanted}, **arguments}

    # --- what can be run now --------------------------------------------------------------------

    def is_possible(self, command: Command) -> bool:
        """Whether what a command needs is there."""
        view = self._window.context.active_view()
        if command.needs == "":
            return True
        if command.needs == "data":
            return bool(self._session.data)
        if command.needs == "view":
            return view is not None
        return view is not None and command.needs in (*view.kinds(), *view.accepts[:1]) and view.layer is not None

    def is_on(self, command: Command) -> bool:
        """Whether what a toggle switches is on in the active view."""
        view = self._window.context.active_view()
        return bool(getattr(view, command.id.partition(".")[2], False)) if view is not None else False

    def visible_commands(self) -> dict[str, Command]:
        """Return the commands that a user can start from menu or palette."""
        return {id: c for id, c in all_commands().items() if not _is_for_scripts(c)}

    # --- telling --------------------------------------------------------------------------------

    def report(self, error: BaseException) -> None:
        """Tell that something failed; what is behind it goes to the log, with a way to its report."""
        cause = error.__cause__
        if cause is not None and not isinstance(cause, JvizError | OSError):
            log.error("%s", error, exc_info=error)
            self._window.errors.remember(str(error), error)
        self._session.notice("error", str(error))

    def _job_changed(self, job: Job) -> None:
        if not job.is_over or job.number not in self._own_jobs:
            return
        command, arguments, show_result = self._own_jobs.pop(job.number)
        if job.state == "failed" and job.error is not None and job.number not in self._window.watched_jobs:
            self.report(job.error)
        elif job.state == "cancelled":
            self._session.notice("status", f"{job.title}: cancelled")
        elif job.state == "done":
            # A timer keeps this out of the jobs' own call; the result is set at the same moment as the state.
            QTimer.singleShot(0, self, lambda: self._tell(job.result(5), command, arguments, show_result))

    def _tell(self, value: Any, command: Command, arguments: dict[str, Any], show_result: bool) -> None:
        if isinstance(value, Path):
            self._session.notice("info", f"Saved {value.name} in {value.parent}")
        results = self._session.results
        if show_result and not command.recorded and _is_answer(value):
            # Panels ask such questions for themselves all the time; this one was the user's.
            line = command_line(self._session, command, arguments)
            results.add(command.title.rstrip("…"), value, line, command.id)
        result = results.of(value, command.id) if value is not None else None
        if result is None:
            if show_result and isinstance(value, int):
                self._session.notice("status", f"{command.title.rstrip('…')}: {value}")
            return
        self._session.notice("status", f"{result.title}: {result.text[:LONGEST_TEXT]}")
        if show_result and self._session.settings["results.show"]:
            self._window.panel("results").show_result(result)


def _is_about(command: Command, view: View) -> bool:
    """Whether a command takes such a view: what else it takes can be what the view has under the same name."""
    kinds = [kind for hint in command.hints.values() for kind in kinds_of(hint)]
    return any(isinstance(kind, type) and issubclass(kind, View) and isinstance(view, kind) for kind in kinds)


def _is_answer(value: Any) -> bool:
    """Whether a value is worth a place among the results: a table, a text, or named values."""
    return isinstance(value, str | dict) or hasattr(value, "colnames")


def _is_for_scripts(command: Command) -> bool:
    """Whether a command takes what only a script can give (objects, lists of paths)."""
    if command.id in INSTEAD or command.id == "view.show":
        return True
    return not command.menu and any(command.hints.get(n) is Any for n in command.parameters)


def is_toggle(command: Command) -> bool:
    """Whether a command switches a property of a view on and off."""
    return "on" in command.parameters and command.needs not in ("", "data")

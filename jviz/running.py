"""Running a command: arguments resolved, result applied to the session, step and script line recorded."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from jviz.backend.progress import Cancelled, silent
from jviz.commands import Command, find
from jviz.data import Data
from jviz.errors import CommandError, JvizError
from jviz.history import Edit
from jviz.jobs import Job
from jviz.script import command_line
from jviz.subsets import Subset
from jviz.views import View, free_name

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Apply", "Runner"]


@dataclass
class Apply:
    """What a job leaves to be done in the session's own thread, recorded as one step.

    Parameters
    ----------
    function : callable
        Changes the session and returns the command's value.
    label : str
        Of the step; the command's title by default.
    recorded : dict
        Arguments as the script line should have them, over those given.
    lines : list of (str, dict), optional
        Commands and arguments that repeat it, where the command itself would not.
    """

    function: Callable[[], Any]
    label: str = ""
    recorded: dict[str, Any] = field(default_factory=dict)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


class Runner:
    """Runs the commands of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.window: Any = None

    def run(self, id: str, arguments: dict[str, Any]) -> Any:
        """Run a command in this thread and return its value."""
        return self._run(*self._prepared(id, arguments))

    def _run(self, command: Command, values: dict[str, Any]) -> Any:
        if not command.recorded:
            return self._call(command, values, silent)
        if command.job:
            return self._apply(command, values, self._call(command, values, silent))
        with self._recorded(command, values) as step:
            value = step.take(self._call(command, values, silent))
        return self._kept(command, step, value)

    def submit(self, id: str, arguments: dict[str, Any]) -> Job:
        """Run a command in a job's thread; the result is applied in the session's own."""
        command, values = self._prepared(id, arguments)
        title = _title(command, values)
        return self._session.jobs.submit(title, lambda job: self._in_job(job, command, values), apart=command.apart)

    # --- steps of a run -------------------------------------------------------------------------

    def _prepared(self, id: str, arguments: dict[str, Any]) -> tuple[Command, dict[str, Any]]:
        command = find(id)
        if command.needs_window and self.window is None:
            raise CommandError(f"{command.id} works in the window only; start one with jviz.launch().")
        self._session.flush()
        return command, self._resolved(command, command.bind(arguments))

    def _call(self, command: Command, values: dict[str, Any], progress: Any, job: Job | None = None) -> Any:
        extra = {"session": self._session, "progress": progress, "job": job, "window": self.window}
        extra = {name: extra[name] for name in command.injected}
        try:
            return command.function(**values, **extra)
        except (JvizError, Cancelled, KeyboardInterrupt):
            raise
        except (Exception, SystemExit) as error:
            raise CommandError(
                f"{command.title.rstrip('…')} failed: {error or type(error).__name__}. Nothing was changed; "
                "the report in the log has the details."
            ) from error

    def _in_job(self, job: Job, command: Command, values: dict[str, Any]) -> Any:
        ask = self._session.dispatcher.ask
        if not command.job:
            # It changes the session as it goes, so it runs where the session lives.
            return ask(lambda: self._run(command, values), unless=lambda: job.cancel_wanted)
        value = self._call(command, values, job.report, job)
        if not command.recorded:
            return value
        return ask(lambda: self._apply(command, values, value), unless=lambda: job.cancel_wanted)

    def _apply(self, command: Command, values: dict[str, Any], value: Any) -> Any:
        label, function, lines = "", None, []
        if isinstance(value, Apply):
            values = {**values, **value.recorded}
            label, function, lines = value.label, value.function, value.lines
        with self._recorded(command, values, label, lines) as step:
            value = step.take(function() if function is not None else value)
        return self._kept(command, step, value)

    def _kept(self, command: Command, step: _Step, value: Any) -> Any:
        """Keep a value that is something to show with the results of the session."""
        self._session.results.add(command.title.rstrip("…"), value, "\n".join(step.lines), command.id)
        return value

    def _recorded(
        self, command: Command, values: dict[str, Any], label: str = "",
        repeated: Sequence[tuple[str, dict[str, Any]]] = (),
    ) -> _Step:  # fmt: skip
        said = [(find(id), arguments) for id, arguments in repeated] or [(command, values)]
        lines = [command_line(self._session, each, given) for each, given in said] if command.script else []
        return _Step(self._session, command, label or command.title.rstrip("…"), lines)

    # --- arguments ------------------------------------------------------------------------------

    def _resolved(self, command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
        return {n: self._resolve(command, n, v) for n, v in arguments.items()}

    def _resolve(self, command: Command, name: str, value: Any) -> Any:
        kinds = kinds_of(command.hints.get(name, Any))
        value = self._named(value)
        choices = [c for kind in kinds if get_origin(kind) is Literal for c in get_args(kind)]
        if choices and value not in choices and not any(_fits(value, k) for k in kinds):
            raise CommandError(
                f"{name} of {command.id} cannot be {value!r}; choose one of {', '.join(map(str, choices))}."
            )
        inner = tuple(a for k in kinds if get_origin(k) in (list, tuple) for a in get_args(k))
        lists_data = any(isinstance(k, type) and issubclass(k, Data) for k in inner)
        if lists_data and isinstance(value, str | Data) and all(get_origin(k) or k is type(None) for k in kinds):
            value = [value]
        if lists_data and isinstance(value, list | tuple):
            return type(value)(self._found(command, inner, item) for item in value)
        return self._found(command, kinds, value, name)

    def _named(self, value: Any) -> Any:
        """Return the names of subsets that were given as objects: commands and script lines know them by name."""
        if isinstance(value, Subset):
            return self._session.find_subset(value).name
        return type(value)(map(self._named, value)) if type(value) in (list, tuple) else value

    def _found(self, command: Command, kinds: tuple[Any, ...], value: Any, name: str = "") -> Any:
        """Return the data, view, path or number that a value stands for."""
        classes = tuple(k for k in kinds if isinstance(k, type))
        wanted = tuple(k for k in classes if issubclass(k, Data))
        is_path = Path in classes and isinstance(value, str) and value not in self._session
        if wanted and isinstance(value, str | Data) and not is_path:
            value = self._session.find_data(value)
            if not isinstance(value, wanted):
                kind = " or ".join(k.__name__.lower() for k in wanted)
                raise CommandError(f"{command.id} takes data of kind {kind}; {value.name} is of kind {value.kind}.")
        elif any(issubclass(k, View) for k in classes) and isinstance(value, str):
            value = self._session.find_view(value)
        elif Path in classes and str not in classes and isinstance(value, str):
            value = Path(value)
        elif {int, float} & set(classes) and not _fits_any(value, (*classes, *_origins(kinds))):
            value = _number(command, name, value, float if float in classes else int)
        elif isinstance(value, list | tuple) and _holds_whole_numbers(kinds):
            value = type(value)(_number(command, name, one, int) for one in value)
        return value


def kinds_of(annotation: Any) -> tuple[Any, ...]:
    """Split a union into its members."""
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _fits(value: Any, kind: Any) -> bool:
    return isinstance(kind, type) and isinstance(value, kind)


def _origins(kinds: tuple[Any, ...]) -> tuple[type, ...]:
    """Classes of parametrised types: list for ``list[int]``."""
    return tuple(origin for kind in kinds if isinstance(origin := get_origin(kind), type))


def _holds_whole_numbers(kinds: tuple[Any, ...]) -> bool:
    """Whether lists or tuples are of whole numbers only."""
    inner = [set(get_args(kind)) - {...} for kind in kinds if get_origin(kind) in (list, tuple)]
    return bool(inner) and all(one == {int} for one in inner)


def _fits_any(value: Any, classes: tuple[type, ...]) -> bool:
    # Python counts True as an integer and 3 as no float; users see it the other way round.
    if isinstance(value, bool) and int in classes and not {bool, float} & set(classes):
        return False
    return isinstance(value, (*classes, int) if float in classes else classes)


def _number(command: Command, name: str, value: Any, kind: type) -> Any:
    try:
        made = kind(value)
    except (TypeError, ValueError, OverflowError):
        raise CommandError(f"{name} of {command.id} must be a number; {value!r} is none.") from None
    # int("2") is 2, but int(1.5) is 1: what was asked for would not be what is done.
    if kind is int and (isinstance(value, bool) or (not isinstance(value, str | bytes) and made != value)):
        raise CommandError(f"{name} of {command.id} must be a whole number; {value!r} is none.")
    return made


def _title(command: Command, values: dict[str, Any]) -> str:
    """Name a job by its command and what it works on."""
    for value in values.values():
        if isinstance(value, Data | View):
            return f"{command.title.rstrip('…')}: {value.name}"
        if isinstance(value, list) and value and isinstance(value[0], str):
            return f"{command.title.rstrip('…')}: {Path(value[0]).name}"
    return command.title.rstrip("…")


class _Step:
    """One recorded run: takes the value of a command and does what it asks for."""

    def __init__(self, session: Session, command: Command, label: str, lines: list[str]) -> None:
        self._session, self._command = session, command
        self._label, self.lines = label, lines

    def __enter__(self) -> _Step:
        merge = "navigation" if self._command.merges else None
        self._change = self._session.change(self._label, lines=self.lines, merge=merge, command=self._command.id)
        self._record = self._change.__enter__()
        return self

    def __exit__(self, *details: Any) -> Any:
        return self._change.__exit__(*details)

    def take(self, value: Any) -> Any:
        """Apply a result; returns what the caller of the command gets."""
        if isinstance(value, Edit):
            value.do()
            self._record.edits.append(value)
            return value.value
        new = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, Data)]
        new = [d for d in new if d not in self._session.data]
        add_data(self._session, new)
        # What has a method of the session (add, open) is for scripts, or opens views itself.
        if self._session.showing and new and not self._command.method:
            self._show(new)
        return value

    def _show(self, new: list[Data]) -> None:
        """Open views for data that a command made, and say so in the script."""
        from jviz.actions.view import open_views_for

        before = self._session.views
        open_views_for(self._session, new)
        opened = [view for name, view in self._session.views.items() if name not in before]
        if self.lines:
            self._record.lines += [f"session.view({view.kind!r}, data={view.data.name!r})" for view in opened]


def add_data(session: Session, new: list[Data]) -> None:
    """Put data into the session under names that are free (inside a change)."""
    for data in new:
        data.name = free_name(data.name, session.names)
        session.set_data((*session.data, data))

"""Commands: plain functions declared once, for menu, palette, shortcut, form, console and script."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, get_type_hints

from jviz.errors import CommandError

__all__ = ["Command", "all_commands", "command", "find"]

INJECTED = ("session", "progress", "job", "window")


@dataclass(frozen=True, repr=False)
class Command:
    """A declared command.

    Attributes
    ----------
    id : str
        ``noun.verb``, stable.
    title : str
        As in the menu; ends with … when it opens a form.
    menu : str
        Path such as ``"View/Zoom"``; empty: only in the palette.
    shortcut : str
        Qt key sequence; several are separated by ``"; "``.
    job : bool
        Runs off the main thread.
    apart : bool
        Such a job only waits for other processes or for the network, and never for its turn.
    script : bool
        Leaves a line in the session's script.
    recorded : bool
        Is a step of the history; False for undo itself and for what only looks.
    merges : bool
        Only moves the view, and makes one step with other movements before and after it.
    method : str
        Name of the method of `Session` that the script line uses instead of ``run``.
    icon : str
        QtAwesome name; empty: no icon.
    group : str
        Commands of one group stand together in a menu, groups are parted by a line.
    needs : str
        Kind of what must be active: "", "data", "view" or a kind of view such as "image".
    only_with : mapping
        Parameters that count for some choices alone, with the parameter that chooses and its values:
        ``{"depth": ("mode", ("transit",))}``. Forms show them then, and leave them out otherwise.
    """

    id: str
    title: str
    function: Callable[..., Any]
    menu: str = ""
    shortcut: str = ""
    job: bool = False
    apart: bool = False
    script: bool = True
    recorded: bool = True
    merges: bool = False
    method: str = ""
    icon: str = ""
    group: str = ""
    needs: str = ""
    origin: str = "jviz"
    aliases: tuple[str, ...] = field(default=())
    only_with: Mapping[str, tuple[str, tuple[Any, ...]]] = field(default_factory=dict)

    @cached_property
    def hints(self) -> dict[str, Any]:
        """Resolved annotations of the parameters."""
        return get_type_hints(self.function)

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What a user gives (not the session, the progress, the window)."""
        signature = inspect.signature(self.function)
        return {n: p for n, p in signature.parameters.items() if n not in INJECTED}

    @cached_property
    def injected(self) -> frozenset[str]:
        """Which of session, progress, job and window the function wants."""
        return frozenset(inspect.signature(self.function).parameters) & set(INJECTED)

    @property
    def needs_window(self) -> bool:
        """Whether it only makes sense in the window."""
        return "window" in self.injected

    @property
    def summary(self) -> str:
        """First line of the documentation."""
        return (_documentation(self.function) or self.title).splitlines()[0]

    @property
    def help(self) -> str:
        """Signature and documentation."""
        shown = ", ".join(_shown(parameter) for parameter in self.parameters.values())
        doc = _documentation(self.function)
        return f"{self.id}({shown})\n\n{textwrap.indent(doc, '    ')}"

    def __repr__(self) -> str:
        return f"<Command {self.id}: {self.title}>"

    def bind(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Check names of arguments; those left out keep their defaults.

        Raises
        ------
        CommandError
            For unknown or missing arguments.
        """
        takes_any = any(p.kind is p.VAR_KEYWORD for p in self.parameters.values())
        unknown = [] if takes_any else [n for n in arguments if n not in self.parameters]
        if unknown:
            takes = ", ".join(self.parameters) or "no arguments"
            raise CommandError(f"{self.id} has no argument {unknown[0]!r}; it takes {takes}.")
        missing = self.missing(arguments)
        if missing:
            raise CommandError(f"{self.id} needs the argument {missing[0]!r}.")
        return arguments

    def missing(self, arguments: Mapping[str, Any]) -> list[str]:
        """Return the parameters without a default that arguments leave out."""
        return [
            n
            for n, p in self.parameters.items()
            if p.default is p.empty and n not in arguments and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        ]


_commands: dict[str, Command] = {}
_aliases: dict[str, str] = {}
_loaded = False


def command(
    id: str,
    *,
    title: str,
    menu: str = "",
    shortcut: str = "",
    job: bool = False,
    apart: bool = False,
    script: bool = True,
    recorded: bool = True,
    merges: bool = False,
    method: str = "",
    icon: str = "",
    group: str = "",
    needs: str = "",
    origin: str = "jviz",
    aliases: tuple[str, ...] = (),
    only_with: Mapping[str, tuple[str, tuple[Any, ...]]] | None = None,
) -> Callable:
    """Declare a function as a command; see `Command` for the meaning of the arguments.

    What the function returns says what happens: data are added to the session, an `Edit` is done
    and can be undone, None only looked at something, anything else is shown as a result.
    Parameters named ``session``, ``progress``, ``job`` (None where nobody can cancel) and ``window`` are given by jviz.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        known = _commands.get(id)
        if known is not None and known.function.__module__ != function.__module__:
            raise CommandError(f"it declares {id!r}, which {known.origin} has declared already; give it another id")
        _commands[id] = Command(
            id,
            title,
            function,
            menu,
            shortcut,
            job,
            apart,
            script,
            recorded,
            merges,
            method,
            icon,
            group,
            needs,
            origin,
            aliases,
            only_with or {},
        )
        _aliases.update(dict.fromkeys(aliases, id))
        return function

    return register


def forget(id: str) -> None:
    """Take a command out again (when its plugin is unloaded)."""
    _commands.pop(id, None)


def _shown(parameter: inspect.Parameter) -> str:
    """Write a parameter as in source, without the quotes that postponed annotations have."""
    annotation = parameter.annotation
    if not isinstance(annotation, str):
        return str(parameter).replace("jviz.data.", "").replace("jviz.views.", "")
    bare = str(parameter.replace(annotation=parameter.empty, default=parameter.empty))
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{bare}: {annotation}{default}"


@cache
def _documentation(function: Callable[..., Any]) -> str:
    return inspect.getdoc(function) or ""


def all_commands() -> dict[str, Command]:
    """Return every command by id, those of jviz and of plugins."""
    _load_own()
    return dict(_commands)


def find(id: str) -> Command:
    """Return a command by id or alias.

    Raises
    ------
    CommandError
        With near matches when there is no such command.
    """
    _load_own()
    id = _aliases.get(id, id)
    if id in _commands:
        return _commands[id]
    near = difflib.get_close_matches(id, _commands, 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " See session.commands for those there are."
    raise CommandError(f"There is no command {id!r}.{hint}")


def _load_own() -> None:
    global _loaded
    if _loaded:
        return
    _loaded = True
    import jviz.actions

    for module in pkgutil.iter_modules(jviz.actions.__path__):
        importlib.import_module(f"jviz.actions.{module.name}")

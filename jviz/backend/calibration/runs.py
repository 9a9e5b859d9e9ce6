"""Runs: a folder each, with the products, a record of everything that made them, and scripts that repeat it."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jviz.backend.archive.checks import digest
from jviz.backend.files import unwritable, writing

__all__ = ["RECORD", "Run", "Task", "new_name", "read_record", "remove_part", "running", "script_of", "strun_of"]

RECORD = "record.json"


@dataclass
class Task:
    """One call of a pipeline or a step.

    Attributes
    ----------
    alias, class_name : str
        ``"calwebb_detector1"``, ``"jwst.pipeline.Detector1Pipeline"``.
    input : str
        Path of a file or of an association.
    parameters : dict
        Of the pipeline or the step itself.
    steps : dict
        Of the steps of a pipeline.
    references : dict
        Files by type, for every step that reads the type.
    order : list of str
        Names of the steps that will run.
    """

    alias: str
    class_name: str
    input: str
    parameters: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    readers: dict[str, list[str]] = field(default_factory=dict)
    keep_steps: bool = False

    def call(self) -> dict[str, Any]:
        """Return what `jviz.backend.calibration.jwst_worker.run` takes."""
        names = ("class_name", "input", "parameters", "steps", "references", "order", "keep_steps")
        return {name: getattr(self, name) for name in names}

    def given(self) -> dict[str, Any]:
        """Return parameters and overrides as ``Pipeline.call`` takes them."""
        steps = {name: dict(values) for name, values in self.steps.items() if values}
        own = dict(self.parameters)
        for kind, path in self.references.items():
            for step in self.readers.get(kind, ()):
                outer, _, inner = step.partition(".")
                values = steps.setdefault(outer, {})
                if inner:
                    values = values.setdefault("steps", {}).setdefault(inner, {})
                values[f"override_{kind}"] = path
            if not self.readers:
                own[f"override_{kind}"] = path
        return {**own, **({"steps": steps} if steps else {})}


@dataclass
class Run:
    """What happened in one run; written as ``record.json`` beside its products."""

    id: str
    title: str
    state: str = "running"
    started: float = field(default_factory=time.time)
    ended: float | None = None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)
    context: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    error: str = ""

    def add_input(self, path: Path) -> None:
        """Note a file with its size and SHA-256."""
        self.inputs.append({"path": str(path), "size": path.stat().st_size, "sha256": digest(path)})

    def add(self, task: Task, answer: Mapping[str, Any], seconds: float) -> None:
        """Note a task that ended, with what the worker answered."""
        log = list(answer.get("log", ()))
        self.tasks.append({
            "pipeline": task.alias, "class": task.class_name, "input": task.input, "given": task.given(),
            "parameters": answer.get("parameters", {}), "steps": answer.get("steps", {}),
            "products": answer.get("products", []), "seconds": round(seconds, 3),
            "host": answer.get("host", ""), "log": log,
        })  # fmt: skip
        self.context = answer.get("context") or self.context
        self.versions |= {"python": platform.python_version(), **answer.get("versions", {})}

    def write(self, folder: Path) -> None:
        """Write the record, the log and the scripts into a folder."""
        record = {name: value for name, value in vars(self).items() if name != "tasks"}
        record["tasks"] = [{key: v for key, v in task.items() if key != "log"} for task in self.tasks]
        for name, text in (
            (RECORD, json.dumps(record, indent=1)),
            ("log.txt", "\n".join(line for task in self.tasks for line in task["log"]) + "\n"),
            ("script.py", script_of(self)),
        ):
            with writing(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")


def new_name() -> str:
    """Return a name for a run: the time in UTC and four random signs."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}_{secrets.token_hex(2)}"


@contextmanager
def running(parent: Path, name: str) -> Iterator[Path]:
    """Give a hidden folder to work in; it becomes ``parent/name`` when the block ends well, and goes when not."""
    part = _part(parent, name)
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise unwritable(parent / name, error) from error
    try:
        yield part
        os.replace(part, parent / name)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def remove_part(parent: Path, name: str) -> None:
    """Take away what is left of a run whose program was killed."""
    shutil.rmtree(_part(parent, name), ignore_errors=True)


def _part(parent: Path, name: str) -> Path:
    return parent / f".{name}.part"


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a run; an empty one when there is none that can be read."""
    try:
        return json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def script_of(run: Run) -> str:
    """Return a Python program that repeats a run with jwst alone."""
    lines = ['"""Repeats a calibration with the JWST pipelines alone: python script.py', "", "From a shell:", ""]
    lines += [strun_of(task) for task in run.tasks]
    lines += ['"""', "", "import os", ""]
    crds = {name: value for name, value in run.environment.items() if name.startswith("CRDS_")}
    if run.context:
        crds["CRDS_CONTEXT"] = run.context
    if "CRDS_PATH" in crds:
        # A shell has a cache of its own; simulated exposures, for one, bring theirs.
        lines += [f"if os.path.isdir({crds['CRDS_PATH']!r}):  # the cache of that run, where it is still there"]
        lines += [f"    os.environ[{name!r}] = {value!r}" for name, value in sorted(crds.items())]
    lines += [f"os.environ.setdefault({name!r}, {value!r})" for name, value in sorted(crds.items())]
    modules = sorted({task["class"].rpartition(".")[0] for task in run.tasks})
    lines += ["", *(f"import {module}  # noqa: E402" for module in modules), ""]
    for task in run.tasks:
        lines.append(f"{task['class']}.call({_arguments(task)})")
    return "\n".join(lines) + "\n"


def strun_of(task: Mapping[str, Any]) -> str:
    """Return the command line of jwst that repeats a task."""
    words = ["strun", task["pipeline"], task["input"], "--save_results=true", "--output_dir=."]
    given = dict(task["given"])
    steps = given.pop("steps", {})
    return shlex.join([*words, *_options("steps.", steps), *_options("", given)])


def _options(prefix: str, values: Mapping[str, Any]) -> list[str]:
    """Return parameters, and those of steps within, as options."""
    found = []
    for name, value in values.items():
        nested = isinstance(value, Mapping)
        found += _options(f"{prefix}{name}.", value) if nested else [f"--{prefix}{name}={_word(value)}"]
    return found


def _arguments(task: Mapping[str, Any]) -> str:
    given = [f"{name}={value!r}" for name, value in task["given"].items()]
    return ", ".join([repr(task["input"]), "save_results=True", "output_dir='.'", *given])


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)

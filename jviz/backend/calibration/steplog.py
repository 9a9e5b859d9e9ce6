"""What the log of a pipeline says about its steps: which runs, how long each took, what it warned of."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["StepLog"]

RUNNING = re.compile(r"Step (\S+) running with args")
DONE = re.compile(r"Step (\S+) done")
SKIPS = re.compile(
    r"step will be skipped|skipping step|^Step skipped|will be skipped$|No spectral leak correction|"
    r"Skipping(?!.* (updates|time correction|orders|replacement))",
    re.IGNORECASE,
)
"""Messages of steps that do nothing; some say that they leave out a part of their work, and do the rest."""

HARMLESS = re.compile(
    r"No \S+ (reference|ref) file|reference file (not )?found|reference file found$|will be skipped|Keyword name .* is "
    r"greater than|deprecated|Invalid value encountered|divide by zero|All-NaN|Mean of empty|pars-|"
    r"Server build context|No spectral leak correction|spectral_order is None",
    re.IGNORECASE,
)
"""Warnings that are no reason to look again: a step that has no reference file says so, libraries speak of numbers."""

MOST_LINES = 20_000


class StepLog(logging.Handler):
    """Keeps a log and tells the states of steps: running, done, skipped, or warning (done, but read the log).

    Parameters
    ----------
    tell : callable
        Gets ``{"step": name, "state": state, "index": …, "count": …}`` and ``{"log": text}``.
    known : sequence of str
        Names of the steps in their order, for the progress.
    """

    def __init__(self, tell: Callable[[Any], None], known: Sequence[str] = ()) -> None:
        super().__init__(logging.INFO)
        self.steps: dict[str, dict[str, Any]] = {}
        self.lines: list[str] = []
        self.last_error = ""
        self._tell, self._known = tell, list(known)
        self._stack: list[tuple[str, float]] = []

    @property
    def current(self) -> str:
        """The step at work, "" for none."""
        return self._stack[-1][0] if self._stack else ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if not text:
            return
        if match := RUNNING.match(text):
            self._begin(match[1])
        elif match := DONE.match(text):
            self._end(match[1])
        elif text == "Step skipped.":
            self._mark("skipped")
            self._end(self.current)
        elif SKIPS.search(text):
            self._mark("skipped")
        self._keep(record, text)

    def finish(self) -> None:
        """Take note that the run has ended well."""
        while self._stack:
            self._end(self.current)

    def _begin(self, name: str) -> None:
        self._stack.append((name, time.monotonic()))
        warned = self.steps.get(name, {}).get("warnings", [])  # by the same step on another product
        self.steps[name] = {"state": "running", "seconds": 0.0, "warnings": warned}
        self._say(name)

    def _mark(self, state: str) -> None:
        if self.current:
            self.steps[self.current]["state"] = state

    def _end(self, name: str) -> None:
        """End a step; those inside it that said nothing (they were skipped by their parent) end with it."""
        if name not in [inner for inner, _ in self._stack]:
            return
        while True:
            inner, began = self._stack.pop()
            step = self.steps[inner]
            step["seconds"] = round(time.monotonic() - began, 3)
            if step["warnings"]:
                step["state"] = "warning"
            elif step["state"] == "running":
                step["state"] = "done"
            self._say(inner)
            if inner == name:
                return

    def _say(self, name: str) -> None:
        step = self.steps[name]
        index = self._known.index(name) if name in self._known else -1
        self._tell({"step": name, "index": index, "count": len(self._known), **step})

    def _keep(self, record: logging.LogRecord, text: str) -> None:
        first = text.splitlines()[0] if text else ""
        if record.levelno >= logging.ERROR:
            self.last_error = " ".join(text.split()).rstrip(".")
        if record.levelno >= logging.WARNING and self.current and not HARMLESS.search(text):
            self.steps[self.current]["warnings"].append(first)
        when = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno <= logging.INFO else f"{record.levelname} "
        line = f"{when} {level}{first}" if "parameters are:" in first else f"{when} {level}{text}"
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)
        self._tell({"log": line})

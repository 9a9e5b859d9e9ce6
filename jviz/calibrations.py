"""Calibrations of a session: warm workers, what the pipelines are made of, and runs that go on."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.calibration.environment import NOT_INSTALLED, crds_environment, jwst_version
from jviz.backend.progress import Cancelled
from jviz.calibration_cluster import Cluster
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.signals import Signal
from jviz.worker import Pool, run_in_worker, special_pool

if TYPE_CHECKING:
    from astropy.table import QTable

    from jviz.backend.calibration.queue import Queue
    from jviz.backend.calibration.steps import Catalogue
    from jviz.session import Session

__all__ = ["Calibrations", "LiveRun", "installed"]

WORKER = "jviz.backend.calibration.jwst_worker"
WORKERS = 2
"""Exposures that are calibrated side by side."""

FORMAT = 3
"""Of the kept descriptions of steps; they are made anew when it changes."""


@dataclass
class LiveRun:
    """A run that goes on or has ended, as panels show it.

    Attributes
    ----------
    steps : dict
        ``{(input name, step): {"state", "seconds", "warnings"}}``.
    log : deque of str
        The last lines.
    said : int
        Lines in all.
    products : list of (str, Path)
        Step and file of each product that a step has saved so far.
    """

    id: str
    title: str
    job: Job
    state: str = "queued"
    steps: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=20_000))
    said: int = 0
    products: list[tuple[str, Path]] = field(default_factory=list)
    folder: Path | None = None
    error: str = ""

    def say(self, line: str) -> None:
        """Take a line into the log."""
        self.log.append(line)
        self.said += 1

    @property
    def why(self) -> str:
        """The first error in the log as the end of a sentence, or that the log has to be read."""
        errors = [line.partition(" ERROR ")[2] for line in self.log if line[8:15] == " ERROR "]
        said = next((text for text in errors if "abort" not in text.lower()), "")
        return f": {said.rstrip('.')}" if said else "; read the log of the run"

    def warnings(self) -> dict[str, list[str]]:
        """Return what steps warned of, by step."""
        found: dict[str, list[str]] = {}
        for (_, name), state in self.steps.items():
            if state["state"] == "warning":
                found.setdefault(name, []).extend(state["warnings"])
        return found

    def state_of(self, step: str) -> dict[str, Any]:
        """Return what is known of a step over all inputs: the least finished of its states."""
        found = [state for (_, name), state in self.steps.items() if name == step]
        for state in ("failed", "cancelled", "running", "warning", "done", "skipped"):
            for each in found:
                if each["state"] == state:
                    return each
        return {}


class Gate:
    """Lets so many through at a time, those of the highest priority first."""

    def __init__(self, places: Callable[[], int]) -> None:
        self._places, self._taken = places, 0
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @contextmanager
    def passed(self, priority: int, give_up: Callable[[], bool]) -> Iterator[None]:
        """Wait for a place and keep it; raises `Cancelled` when it is given up meanwhile."""
        ticket = (-priority, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, ticket)
            try:
                while not (self._taken < self._places() and self._waiting[0] == ticket):
                    if give_up():
                        raise Cancelled
                    self._changed.wait(0.05)
                self._taken += 1
            finally:
                self._waiting.remove(ticket)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()


class Calibrations:
    """The workers and runs of one session.

    Attributes
    ----------
    changed : Signal
        Emitted in the session's thread with the `LiveRun` that changed.
    live : deque of LiveRun
        The last runs, oldest first.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.changed = Signal()
        self.live: deque[LiveRun] = deque(maxlen=50)
        self.cluster = Cluster(session)
        self.gate = Gate(lambda: self.places)
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._queue: Queue | None = None
        self._pending: set[str] = set()
        self._unnoted: dict[str, LiveRun] = {}

    # --- what there is --------------------------------------------------------------------------

    @property
    def queue(self) -> Queue:
        """The queue of this user, which lasts over restarts."""
        from jviz.backend.cache import home
        from jviz.backend.calibration.queue import Queue

        with self._lock:
            if self._queue is None:
                self._queue = Queue(home("data") / "calibrations.sqlite")
            return self._queue

    def folder(self) -> Path:
        """Return the folder of runs that are given none."""
        from jviz.backend.cache import home

        chosen = self._session.settings["calibration.folder"]
        return Path(chosen).expanduser() if chosen else home("data") / "runs"

    def known(self) -> Catalogue | None:
        """Return the catalogue of pipelines when it is at hand without starting a worker."""
        if self._catalogue is None and (path := _kept_specs()) is not None and path.is_file():
            from jviz.backend.calibration.steps import Catalogue

            try:
                self._catalogue = Catalogue.from_json(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError):
                path.unlink(missing_ok=True)
        return self._catalogue

    def catalogue(self, job: Job) -> Catalogue:
        """Return the catalogue of pipelines; asks a worker for it the first time.

        Raises
        ------
        JvizError
            When jwst is not installed.
        """
        known = self.known()
        if known is not None:
            return known
        from jviz.backend.calibration.steps import Catalogue
        from jviz.backend.files import writing

        job.report(0, 0, "Reading what the pipelines are made of")
        values = self.call(job, "specs")
        if (path := _kept_specs()) is not None:
            with writing(path) as temporary:
                temporary.write_text(json.dumps(values), encoding="utf-8")
        self._catalogue = Catalogue.from_json(values)
        return self._catalogue

    def runs(self) -> QTable:
        """Return all runs of this user, as the command ``calibration.runs`` does; reads the record of each."""
        from astropy.table import QTable

        from jviz.backend.calibration.runs import read_record

        rows = []
        for entry in self.queue.entries():
            record = read_record(Path(entry.folder)) if entry.folder else {}
            pipelines = ", ".join(dict.fromkeys(task["pipeline"] for task in record.get("tasks", ())))
            started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.created))
            rows.append((entry.id, entry.title, entry.state, entry.priority, started, pipelines,
                         record.get("context", ""), entry.folder, entry.error))  # fmt: skip
        names = ("run", "title", "state", "priority", "started", "pipelines", "context", "folder", "error")
        return QTable({name: [row[number] for row in rows] for number, name in enumerate(names)})

    # --- workers --------------------------------------------------------------------------------

    @property
    def places(self) -> int:
        """How many exposures are calibrated side by side."""
        return self.cluster.places if self.cluster.is_chosen else WORKERS

    def environment(self, context: str | None = None, cache: Path | None = None) -> dict[str, str]:
        """Return the variables of CRDS that workers get."""
        return crds_environment(offline=self._session.settings["network.offline"], context=context, cache=cache)

    def prepare(self, count: int = 1, context: str | None = None, cache: Path | None = None) -> None:
        """Have workers import the pipelines now, beside everything else."""
        if installed() and not self.cluster.is_chosen:
            self._pool(context, cache).prepare(count)

    def call(self, job: Job, function: str, *, context: str | None = None, cache: Path | None = None,
             tell: Callable[[Any], None] | None = None, **arguments: Any) -> Any:  # fmt: skip
        """Call a function of the worker's module; once more when its process crashes."""
        if not installed():
            raise JvizError(NOT_INSTALLED)
        workers = self._pool(context, cache)
        return run_in_worker(job, f"{WORKER}:{function}", workers=workers, tell=tell, tries=2, **arguments)

    def run(self, job: Job, task: dict[str, Any], folder: Path, *, context: str | None, cache: Path | None = None,
            tell: Callable[[Any], None]) -> dict[str, Any]:  # fmt: skip
        """Do a task of a run (see `jviz.backend.calibration.jwst_worker.run`), here or on the cluster."""
        arguments = {"task": task, "folder": str(folder)}
        if not self.cluster.is_chosen:
            return self.call(job, "run", context=context, cache=cache, tell=tell, **arguments)
        environment = self.environment(context, cache)
        return self.cluster.call(job, f"{WORKER}:run", arguments, environment, f"{WORKER}:warm", tell)

    def stand_in(self, title: str) -> Job:
        """Return a job for work that somebody waits for and nobody can cancel."""
        return Job(title, lambda job: None, self._session.jobs, quiet=True)

    def note(self, run: LiveRun) -> None:
        """Write into the queue what became of a run; while that cannot be written, runs go on without."""
        self._unnoted[run.id] = run
        try:
            for each in list(self._unnoted.values()):
                folder = str(each.folder) if each.folder is not None else ""
                self.queue.set(each.id, each.state, folder=folder, error=each.error)
                self._unnoted.pop(each.id, None)
        except JvizError as error:
            self._session.notice("warning", f"{error} The list of runs does not say that {run.title} is {run.state}.")

    def tell(self, run: LiveRun) -> None:
        """Say that a run changed, once per batch of changes."""
        with self._lock:
            if run.id in self._pending:
                return
            self._pending.add(run.id)
        self._session.dispatcher.call(lambda: self._emit(run))

    def close(self) -> None:
        """Let go of the queue and the cluster; the workers stay warm for another session of this process."""
        self.cluster.close()
        with self._lock:
            queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()

    def _pool(self, context: str | None, cache: Path | None) -> Pool:
        return special_pool(f"{WORKER}:warm", self.environment(context, cache), ready=WORKERS)

    def _emit(self, run: LiveRun) -> None:
        with self._lock:
            self._pending.discard(run.id)
        self.changed.emit(run)


def installed() -> bool:
    """Whether the JWST pipelines are on this machine (without importing them)."""
    return jwst_version() is not None


def _kept_specs() -> Path | None:
    from jviz.backend.cache import folder

    found = jwst_version()
    return folder("calibration") / f"steps-{FORMAT}-{found}.json" if found else None

"""The cluster that calibrations of a session run on: one that is there, or one that jviz makes and keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jviz.backend.progress import Cancelled
from jviz.cluster import KINDS, options_of
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.worker import run_in_worker

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Cluster"]

CLOSE_SECONDS = 3
"""How long the end of a cluster that jviz made is waited for."""


class Cluster:
    """Takes tasks to the cluster that the settings name."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    @property
    def chosen(self) -> str:
        """The address of a scheduler, a kind of cluster that is made, or nothing for this computer."""
        return self._session.settings["calibration.cluster"].strip()

    @property
    def is_chosen(self) -> bool:
        """Whether tasks go to a cluster."""
        return bool(self.chosen)

    @property
    def places(self) -> int:
        """How many tasks it gets at the same time."""
        return self._session.settings["calibration.cluster_jobs"]

    def address(self, job: Job) -> str:
        """Return the address of the scheduler; makes the cluster when it is one to be made.

        Raises
        ------
        JvizError
            When it cannot be made.
        """
        chosen = self.chosen
        if chosen not in KINDS:
            return chosen
        wanted = chosen, self._options(chosen), self.places
        with self._lock:
            if self._kept is not None and (self._kept.wanted != wanted or self._kept.is_over):
                self._kept.end()
                self._kept = None
            if self._kept is None:
                self._kept = _Kept(self._session, *wanted)
            kept = self._kept
        return kept.address(job)

    def call(self, job: Job, called: str, arguments: dict[str, Any], environment: dict[str, str], setup: str,
             tell: Callable[[Any], None]) -> Any:  # fmt: skip
        """Call a function on the cluster; see `jviz.cluster.call`."""
        return run_in_worker(job, "jviz.cluster:call", tell=tell, address=self.address(job), called=called,
                             arguments=arguments, environment=environment, setup=setup)  # fmt: skip

    def members(self, job: Job) -> list[dict[str, Any]]:
        """Return the workers of the cluster; see `jviz.cluster.members`."""
        return run_in_worker(job, "jviz.cluster:members", address=self.address(job))

    def script(self, job: Job, kind: str) -> str:
        """Return what a queue gets for each worker; see `jviz.cluster.job_script`."""
        return run_in_worker(job, "jviz.cluster:job_script", kind=kind, options=self._options(kind))

    def close(self) -> None:
        """End a cluster that was made."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None:
            kept.end()

    def _options(self, kind: str) -> dict[str, Any]:
        return options_of(kind, self._session.settings["calibration.cluster_options"])


class _Kept:
    """A cluster that was made, and the process that keeps it."""

    def __init__(self, session: Session, kind: str, options: dict[str, Any], count: int) -> None:
        self.wanted = kind, options, count
        self._folder = TemporaryDirectory(prefix="jviz-cluster-")
        self._flag = Path(self._folder.name) / "keep"
        self._flag.touch()
        self._address, self._known = "", threading.Event()
        self._error: JvizError | None = None
        # No job of the session: it outlives those, so that they can be cancelled on it when the session ends.
        self._job = session.calibrations.stand_in(f"The {kind} cluster")
        self._thread = threading.Thread(target=self._keep, args=self.wanted, name="jviz-cluster", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def address(self, job: Job) -> str:
        while not self._known.wait(0.05):
            if job.cancel_wanted:
                raise Cancelled
            if self.is_over:
                raise self._error or JvizError("The cluster ended before it was ready.")
        return self._address

    def end(self) -> None:
        """Have the cluster end, and wait for it a little."""
        self._flag.unlink(missing_ok=True)
        self._thread.join(CLOSE_SECONDS)
        if not self.is_over:
            self._job.cancel()
            self._thread.join(CLOSE_SECONDS)
        self._folder.cleanup()

    def _keep(self, kind: str, options: dict[str, Any], count: int) -> None:
        try:
            run_in_worker(self._job, "jviz.cluster:keep", folder=Path(self._folder.name), tell=self._told, kind=kind,
                          options=options, count=count)  # fmt: skip
        except (JvizError, Cancelled) as error:
            self._error = error if isinstance(error, JvizError) else None

    def _told(self, value: dict[str, Any]) -> None:
        self._address = value["address"]
        self._known.set()

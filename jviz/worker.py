"""Work that cannot be interrupted from within, in processes that can be killed.

A worker is a Python process that waits for one call, ``"module:function"`` with JSON arguments, over
its standard input, tells its progress and its result over its standard output (one JSON object a line),
and leaves big results as files. To cancel a call its whole process group is killed; a fresh worker stands
ready, because starting one takes a tenth of a second and more. Workers that are slow to start and tell their progress
often may be asked to stop before.

The function is called as ``function(progress=…, tell=…, **arguments)`` when it takes ``progress`` or ``tell``
(which hands anything that JSON can say to the caller at once), returns what JSON can say, and may write files into
the folder that it gets as ``folder`` when it takes one. One that takes ``heard`` learns by it what the caller told
since the last time: the newest, or None.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jviz.backend.progress import Cancelled
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.worker_main import HEAR, STOP

__all__ = ["Pool", "WorkerCrashed", "pool", "run_in_worker", "special_pool"]


PATIENCE = 0.5
"""Seconds that a worker which was asked to stop may take."""


class WorkerCrashed(JvizError):
    """A worker process ended before its work did."""


def run_in_worker(
    job: Job,
    function: str,
    *,
    folder: Path | None = None,
    workers: Pool | None = None,
    tell: Callable[[Any], None] | None = None,
    follow: Callable[[Callable[[Any], None]], Callable[[], None]] | None = None,
    tries: int = 1,
    **arguments: Any,
) -> Any:
    """Call a function in a worker process and wait for its result.

    Parameters
    ----------
    job : Job
        Gets the progress; cancelling it kills the worker at once.
    function : str
        ``"module:function"``, importable there.
    folder : Path, optional
        Given to the function as ``folder``, for results that are files. What is in it after
        a failure or a cancel was not finished.
    workers : Pool, optional
        Whose workers do it; those that can do everything by default.
    tell : callable, optional
        Called in this thread with each thing that the function tells.
    follow : callable, optional
        Called, with what tells the function more while it works, once that was called; returns what ends the telling.
    tries : int
        How often it is called before a crash is final.
    arguments : dict
        JSON values.

    Returns
    -------
    object
        JSON values.

    Raises
    ------
    WorkerCrashed
        When the process ended of itself (it ran out of memory, or a library crashed).
    JvizError
        What went wrong in the function, in one sentence; the job's log has the traceback.
    Cancelled
        When the job was cancelled.
    """
    if folder is not None:
        arguments["folder"] = str(folder)
    for left in reversed(range(tries)):
        try:
            return _call(job, function, arguments, workers or pool, tell, follow)
        except WorkerCrashed as error:
            if job.cancel_wanted:
                raise Cancelled from error
            if not left:
                raise
            job.log.append(f"{error} It is tried once more.")
    raise ValueError("tries is less than one")


def _call(
    job: Job, function: str, arguments: dict[str, Any], workers: Pool, tell: Callable[[Any], None] | None,
    follow: Callable[[Callable[[Any], None]], Callable[[], None]] | None,
) -> Any:
    worker = workers.take()
    stop = job.when_cancelled(worker.cancel)
    try:
        if job.cancel_wanted:
            raise Cancelled
        return worker.call(job, function, arguments, tell, follow)
    except BaseException as error:
        if not isinstance(error, JvizError | _Stopped):
            worker.kill()  # it is still at work
        raise
    finally:
        stop()
        workers.give_back(worker)


class _Stopped(Cancelled):
    """A worker ended a call because it was asked to, and can take the next."""


class Worker:
    """One worker process.

    Parameters
    ----------
    setup : str
        ``"module:function"`` that it calls before it takes its first call, for imports that take long.
    environment : mapping
        Variables over those of this process.
    gentle : bool
        To cancel a call it is asked to stop, and killed only when that takes long.
    """

    def __init__(self, setup: str = "", environment: Mapping[str, str] | None = None, *, gentle: bool = False) -> None:
        self._gentle, self._patience = gentle, None
        # Its scratch files go with it, however it ends.
        self.scratch = Path(tempfile.mkdtemp(prefix="jviz-worker-"))
        self.errors = (self.scratch / "stderr").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from jviz.worker_main import serve; serve({setup!r})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=True,
            env={
                **os.environ,
                **(environment or {}),
                "TMPDIR": str(self.scratch),
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            },
        )
        self._killed = False
        self._lock, self._saying = threading.Lock(), threading.Lock()

    @property
    def alive(self) -> bool:
        """Whether it can take another call."""
        return not self._killed and self.process.poll() is None

    def call(
        self, job: Job, function: str, arguments: dict[str, Any], tell: Callable[[Any], None] | None = None,
        follow: Callable[[Callable[[Any], None]], Callable[[], None]] | None = None,
    ) -> Any:
        """Send one call and read what comes back until its result."""
        try:
            line = json.dumps({"function": function, "arguments": arguments})
        except TypeError as error:
            raise JvizError(f"{function} cannot be called in a worker: {error}. Give file names instead.") from error
        unfollow: Callable[[], None] | None = None
        try:
            self._say(line)
            unfollow = follow(self.tell) if follow is not None else None
            for answer in self.process.stdout:
                message = json.loads(answer)
                if message["say"] == "progress":
                    self._report(job, message)
                elif message["say"] == "told":
                    if tell is not None:
                        tell(message["value"])
                else:
                    return self._result(job, function, message)
        except (BrokenPipeError, ValueError, KeyError):
            self.process.poll()
        finally:
            if unfollow is not None:
                unfollow()
            self._forget_patience()
        return self._ended(job, function)

    def tell(self, value: Any) -> None:
        """Tell the function at work something new."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._say(json.dumps({HEAR: value}))

    def _say(self, line: str) -> None:
        with self._saying:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def _report(self, job: Job, message: dict[str, Any]) -> None:
        try:
            job.report(message["done"], message["total"], message["text"])
        except Cancelled:
            if not self._gentle:
                raise
            self.cancel()

    def cancel(self) -> None:
        """End the call at hand."""
        if not self._gentle:
            self.kill()
            return
        with self._lock:
            if self._patience is not None:
                return
            self._patience = threading.Timer(PATIENCE, self.kill)
            self._patience.daemon = True
            self._patience.start()
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._say(json.dumps(STOP))

    def _forget_patience(self) -> None:
        with self._lock:
            if self._patience is not None:
                self._patience.cancel()
            self._patience = None

    def kill(self) -> None:
        """End the process and all that it started."""
        with self._lock:
            self._killed = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.name == "nt":
                    self.process.kill()
                else:
                    os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill it, if it is still there, and remove its files."""
        self.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _result(self, job: Job, function: str, message: dict[str, Any]) -> Any:
        if self._gentle and job.cancel_wanted:
            raise _Stopped
        if message["say"] == "result":
            return message["value"]
        job.log.append(message["traceback"])
        if message["for_users"]:
            raise JvizError(message["text"])
        raise JvizError(f"{job.title} failed: {message['text']}. The job's log has the details.")

    def _ended(self, job: Job, function: str) -> Any:
        if job.cancel_wanted:
            raise Cancelled
        self.kill()
        code = self.process.wait()
        job.log.append(self._last_words())
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
        hint = " Was the memory too small?" if code == -signal.SIGKILL else ""
        raise WorkerCrashed(
            f"{job.title} failed: the worker process that did it ended by itself ({how}).{hint} "
            "Nothing was changed; try again."
        )

    def _last_words(self) -> str:
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - 4000))
        return self.errors.read().decode(errors="replace")


class Pool:
    """The workers: some are kept ready, more are started when more work at the same time.

    Parameters
    ----------
    setup, environment, gentle
        Of each `Worker`.
    ready : int
        How many are kept ready at most.
    """

    def __init__(
        self, setup: str = "", environment: Mapping[str, str] | None = None, *, ready: int = 1, gentle: bool = False
    ) -> None:
        self._gentle = gentle
        self._setup, self._environment, self._most = setup, dict(environment or {}), ready
        self._ready: list[Worker] = []
        self._taken: set[Worker] = set()
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def prepare(self, count: int = 1) -> None:
        """Start workers for the next calls, until that many are ready."""
        with self._lock:
            while len(self._ready) < min(count, self._most):
                self._ready.append(self._fresh())

    def take(self) -> Worker:
        """Return a worker for one call."""
        with self._lock:
            worker = next((w for w in self._ready if w.alive), None)
            if worker is not None:
                self._ready.remove(worker)
            else:
                worker = self._fresh()
            self._taken.add(worker)
            return worker

    def give_back(self, worker: Worker) -> None:
        """Take a worker back; one that was killed is replaced by a fresh one."""
        with self._lock:
            self._taken.discard(worker)
            keep = worker.alive and len(self._ready) < self._most
            if keep:
                self._ready.append(worker)
            elif not self._ready:
                self._ready.append(self._fresh())
        if not keep:
            worker.close()

    def rest(self) -> None:
        """End the workers that wait; those at work go on."""
        with self._lock:
            workers, self._ready = self._ready, []
        for worker in workers:
            worker.close()

    def close(self) -> None:
        """Kill all workers (those that wait and those at work)."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            workers, self._ready = [*self._ready, *self._taken], []
        for worker in workers:
            worker.close() if worker not in self._taken else worker.kill()

    def _fresh(self) -> Worker:
        return Worker(self._setup, self._environment, gentle=self._gentle)


pool = Pool()
"""The workers of this process."""

atexit.register(pool.close)

_special: dict[tuple[str, ...], Pool] = {}
_special_lock = threading.Lock()


def special_pool(setup: str, environment: Mapping[str, str], *, ready: int) -> Pool:
    """Return this process's pool of workers with a setup and variables of their own; see `Pool`.

    The workers of other such pools that wait are ended: they are large.
    """
    key = (setup, *(f"{name}={value}" for name, value in sorted(environment.items())))
    with _special_lock:
        if key not in _special:
            for other in _special.values():
                other.rest()
            _special[key] = Pool(setup, environment, ready=ready)
            atexit.register(_special[key].close)
        return _special[key]

"""Work that cannot be interrupted from within, in processes that can be killed.

A worker is a Python process that waits for one call, ``"module:function"`` with JSON arguments, over
its standard input, tells its progress and its result over its standard output (one JSON object a line),
and leaves big results as files. To cancel a call its whole process group is killed; a fresh worker stands
ready, because starting one takes a tenth of a second and more.

The function is called as ``function(progress=…, **arguments)`` when it takes ``progress``, returns what
JSON can say, and may write files into the folder that it gets as ``folder`` when it takes one.
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
from pathlib import Path
from typing import Any

from jviz.backend.progress import Cancelled
from jviz.errors import JvizError
from jviz.jobs import Job

__all__ = ["Pool", "WorkerCrashed", "pool", "run_in_worker"]


class WorkerCrashed(JvizError):
    """A worker process ended before its work did."""


def run_in_worker(job: Job, function: str, *, folder: Path | None = None, **arguments: Any) -> Any:
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
    worker = pool.take()
    job.on_cancel = worker.kill
    try:
        if job.cancel_wanted:
            raise Cancelled
        return worker.call(job, function, arguments)
    except Cancelled:
        worker.kill()
        raise
    finally:
        job.on_cancel = None
        pool.give_back(worker)


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        # Its scratch files go with it, however it ends.
        self.scratch = Path(tempfile.mkdtemp(prefix="jviz-worker-"))
        self.errors = (self.scratch / "stderr").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from jviz.worker_main import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.scratch), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        self._killed = False
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        """Whether it can take another call."""
        return not self._killed and self.process.poll() is None

    def call(self, job: Job, function: str, arguments: dict[str, Any]) -> Any:
        """Send one call and read what comes back until its result."""
        try:
            line = json.dumps({"function": function, "arguments": arguments})
        except TypeError as error:
            raise JvizError(f"{function} cannot be called in a worker: {error}. Give file names instead.") from error
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            for answer in self.process.stdout:
                message = json.loads(answer)
                if message["say"] == "progress":
                    job.report(message["done"], message["total"], message["text"])
                elif message["say"] == "log":
                    job.log.append(message["text"])
                else:
                    return self._result(job, function, message)
        except (BrokenPipeError, ValueError, KeyError):
            self.process.poll()
        return self._ended(job, function)

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
    """The workers: one is kept ready, more are started when more work at the same time."""

    def __init__(self) -> None:
        self._ready: list[Worker] = []
        self._taken: set[Worker] = set()
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def prepare(self) -> None:
        """Start a worker for the next call, unless one is ready."""
        with self._lock:
            if not self._ready:
                self._ready.append(Worker())

    def take(self) -> Worker:
        """Return a worker for one call."""
        with self._lock:
            worker = next((w for w in self._ready if w.alive), None)
            if worker is not None:
                self._ready.remove(worker)
            else:
                worker = Worker()
            self._taken.add(worker)
            return worker

    def give_back(self, worker: Worker) -> None:
        """Take a worker back; one that was killed is replaced by a fresh one."""
        with self._lock:
            self._taken.discard(worker)
            keep = worker.alive and not self._ready
            if keep:
                self._ready.append(worker)
            elif not self._ready:
                self._ready.append(Worker())
        if not keep:
            worker.close()

    def close(self) -> None:
        """Kill all workers (those that wait and those at work)."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            workers, self._ready = [*self._ready, *self._taken], []
        for worker in workers:
            worker.close() if worker not in self._taken else worker.kill()


pool = Pool()
"""The workers of this process."""

atexit.register(pool.close)

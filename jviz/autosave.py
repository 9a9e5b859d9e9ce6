"""Saving for recovery: what was not saved when jviz was killed is offered at the next start.

Each process writes a file of its own into ``recovery/`` below the data folder and holds a lock on it
as long as it lives; the lock goes with the process, however it ends. So a file that nobody has locked was
left by a crash, and one that is locked belongs to a second jviz that is running.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from jviz.backend.cache import home
from jviz.backend.progress import Cancelled
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.session_document import Snapshot, snapshot
from jviz.session_file import SUFFIX, adopt, read, read_document, write

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Autosave", "Recovery", "discard", "recoverable", "restore"]

_started = itertools.count(time.time_ns())


@dataclass(frozen=True)
class Recovery:
    """A session that was not closed.

    Attributes
    ----------
    path : Path
        The recovery file.
    when : float
        Seconds since 1970 of the last autosave.
    names : tuple of str
        Of its data.
    """

    path: Path
    when: float
    names: tuple[str, ...]


def folder() -> Path:
    """Return the folder of the recovery files."""
    return home("data") / "recovery"


def recoverable() -> list[Recovery]:
    """Return the sessions that crashed, the newest first; those of a running jviz are left out."""
    found = []
    for path in folder().glob(f"*{SUFFIX}"):
        with _Lock.of(path) as lock:
            recovery = _recovery_of(path) if lock.held else None
        if recovery is not None:
            found.append(recovery)
    return sorted(found, key=lambda recovery: -recovery.when)


def restore(session: Session, recovery: Recovery) -> None:
    """Put a crashed session into a session (in the thread that owns it), and remove its file.

    Raises
    ------
    SessionError
        When it cannot be read; the file stays.
    """
    parts = read(recovery.path)
    before = session.path
    adopt(session, parts, recovery.path, replace=True)
    # What was recovered is saved nowhere yet.
    session.saved_as(before, None)
    discard(recovery)


def discard(recovery: Recovery) -> None:
    """Remove a recovery file and its lock."""
    for path in (recovery.path, _Lock.path_of(recovery.path)):
        path.unlink(missing_ok=True)


class Autosave:
    """Saves a session for recovery whenever it has changed.

    A timer thread looks every ``session.autosave_seconds``; the state is taken in the thread that
    owns the session, which takes no time, and written by a quiet job.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    path : Path
        The recovery file of this session; written with the first change.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.path = folder() / f"{os.getpid()}-{next(_started)}{SUFFIX}"
        self._lock: _Lock | None = None
        self._written = ""
        self._job: Job | None = None
        self._stop = threading.Event()
        self._reset = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to save; call `stop` before the session is closed."""
        self._session.settings.changed.connect(self._settings_changed)
        self._thread = threading.Thread(target=self._run, name="jviz-autosave", daemon=True)
        self._thread.start()

    def stop(self, *, keep: bool = False) -> None:
        """End saving and remove the recovery file, for the end was a clean one.

        Parameters
        ----------
        keep : bool
            Leave the file, so that the next start offers it.
        """
        self._session.settings.changed.disconnect(self._settings_changed)
        self._stop.set()
        self._reset.set()
        if self._thread is not None:
            self._thread.join(5)
        if self._job is not None and not self._job.is_over:
            self._job.cancel()
            _wait_for(self._job)
        if self._lock is not None:
            if not keep:
                self.path.unlink(missing_ok=True)
            self._lock.release(remove=not keep)
            self._lock = None

    def save_now(self) -> Job | None:
        """Save if the session has changed since the last time (in the thread that owns it).

        Returns
        -------
        Job or None
            That writes; None when there is nothing to write.
        """
        if self._job is not None and not self._job.is_over:
            return None
        self._session.flush()
        taken = snapshot(self._session)
        text = _text_of(taken)
        if text == self._written or not (taken.data or taken.document["views"] or self._written):
            return None
        self._job = self._session.jobs.submit("Autosave", lambda job: self._write(job, taken, text), quiet=True)
        return self._job

    def _write(self, job: Job, taken: Snapshot, text: str) -> None:
        if self._lock is None:
            folder().mkdir(parents=True, exist_ok=True)
            self._lock = _Lock.of(self.path)
        write(taken, self.path, embed=False, progress=job.report)
        self._written = text

    def _run(self) -> None:
        while not self._stop.is_set():
            seconds = self._session.settings["session.autosave_seconds"]
            if self._reset.wait(seconds or None):
                self._reset.clear()
                continue
            self._session.dispatcher.call(self._tick)

    def _tick(self) -> None:
        if self._stop.is_set():
            return
        try:
            self.save_now()
        except JvizError as error:
            self._session.notice("warning", f"The session could not be saved for recovery: {error}")

    def _settings_changed(self, key: str) -> None:
        if key == "session.autosave_seconds":
            self._reset.set()


def _text_of(taken: Snapshot) -> str:
    """Return a text that differs when anything that is saved differs."""
    document = {n: v for n, v in taken.document.items() if n != "saved"}
    parts = [id(d) for d in taken.data], [(id(s), s.name) for s in taken.subsets], [id(m) for m in taken.markers]
    return json.dumps([document, parts])


def _wait_for(job: Job) -> None:
    try:
        job.result(5)
    except (JvizError, Cancelled, TimeoutError):
        return


def _recovery_of(path: Path) -> Recovery | None:
    try:
        document = read_document(path)
        return Recovery(path, float(document["saved"]), tuple(str(s["name"]) for s in document["data"]))
    except (JvizError, KeyError, TypeError, ValueError):
        return None  # half of nothing: an atomic write that never ended left no session to offer


class _Lock:
    """A lock on a file that the system takes away when its process ends.

    It is held on a file beside the session, which is replaced at every save.
    """

    def __init__(self, path: Path, file: IO[Any] | None) -> None:
        self._path, self._file = path, file

    @staticmethod
    def path_of(session_file: Path) -> Path:
        return session_file.with_suffix(".lock")

    @classmethod
    def of(cls, session_file: Path) -> _Lock:
        """Try to take the lock of a recovery file; see `held`."""
        path = cls.path_of(session_file)
        file = path.open("a")
        if _try_lock(file):
            return cls(path, file)
        file.close()
        return cls(path, None)

    @property
    def held(self) -> bool:
        """Whether it was free and is held now."""
        return self._file is not None

    def release(self, *, remove: bool = False) -> None:
        """Give it back."""
        if self._file is None:
            return
        if remove:
            self._path.unlink(missing_ok=True)
        self._file.close()
        self._file = None

    def __enter__(self) -> _Lock:
        return self

    def __exit__(self, *details: object) -> None:
        self.release()


def _try_lock(file: IO[Any]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

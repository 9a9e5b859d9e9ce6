"""Bringing one file here, whole or not at all.

Bytes go to a hidden ``.part`` file beside the target. A transfer that is cut goes on from where it was, if the
server says that the file is still the same (If-Range); what arrives is checked before it gets its name, and never
takes the place of another file.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from jviz.backend.archive.checks import digest, is_checked, is_page, problem_of
from jviz.backend.archive.net import BUSY, NetError, is_mast, is_unknown_host
from jviz.backend.archive.replies import first_byte, retry_after, total_of, validator_of
from jviz.backend.files import unwritable, writing
from jviz.backend.locks import FileLock
from jviz.backend.progress import Cancelled
from jviz.errors import JvizError

__all__ = ["Fetched", "Stop", "Wanted", "fetch"]

CHUNK = 256 * 1024
TRIES = 6
"""How often a transfer is begun again without any byte gained."""

READ = 30.0
"""Seconds without a byte after which a transfer is begun again."""

RESERVE = 500_000_000
"""Bytes that a download leaves free on the disk."""

MOST_FRESH = 2
"""How often a file that came wrong is fetched from its first byte."""

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)

AGAIN = 0.2
"""Seconds between two looks at whether a file that somebody else fetches is free."""


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: its address, the name it gets, and its size in bytes and checksums where they are known."""

    url: str
    name: str
    size: int = 0
    md5: str = ""
    sha1: str = ""


@dataclass(frozen=True)
class Fetched:
    """A file that is here.

    Attributes
    ----------
    path : Path
    sha256 : str
    received : int
        Bytes that came over the network for it; 0 when it was here already.
    """

    path: Path
    sha256: str
    received: int


class Stop:
    """Ends transfers at once, also those that wait for a silent server."""

    def __init__(self) -> None:
        self._event, self._lock = threading.Event(), threading.Lock()
        self._open: set[Any] = set()

    def set(self) -> None:
        """End all."""
        self._event.set()
        with self._lock:
            replies = list(self._open)
        for reply in replies:
            _shut(reply)

    @property
    def is_set(self) -> bool:
        """Whether transfers are to end."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Cancelled` once it is set."""
        if self._event.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until it is set."""
        if self._event.wait(seconds):
            raise Cancelled

    def watch(self, reply: Any) -> None:
        """Shut the connection of a reply when it is set."""
        with self._lock:
            self._open.add(reply)
        if self._event.is_set():
            _shut(reply)

    def unwatch(self, reply: Any) -> None:
        with self._lock:
            self._open.discard(reply)


def _shut(reply: Any) -> None:
    """Wake a thread that waits for bytes of a reply."""
    stream = getattr(getattr(reply.raw, "_fp", None), "fp", None)
    socket = getattr(getattr(stream, "raw", None), "_sock", None)
    if socket is not None:
        try:
            socket.shutdown(2)
        except OSError:
            return  # it is closed already


@dataclass
class _State:
    """What is known of a part: where it comes from, and how the server tells that version from others."""

    url: str
    validator: str = ""
    total: int = 0


def fetch(
    wanted: Wanted,
    folder: Path,
    session: requests.Session,
    *,
    stop: Stop | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
    read_timeout: float = READ,
    known: Callable[[Path], str | None] = lambda path: None,
) -> Fetched:
    """Fetch a file into a folder.

    Parameters
    ----------
    session : requests.Session
        Of this thread alone; see `jviz.backend.archive.net.connection`.
    report : callable
        Called with the bytes that are here and those that there will be (0: not known).
    read_timeout : float
        Seconds without a byte after which the transfer is begun again.
    known : callable
        Gives the SHA-256 that a file of that path had when it was fetched, None when it never was.

    Returns
    -------
    Fetched
        Under another name (``x.1.fits``) when another file bears the name.

    Raises
    ------
    NetError
        When it cannot be had: the sentence says why. What came is kept for the next time, unless it is wrong.
    JvizError
        When it cannot be written.
    """
    return _Transfer(wanted, folder, session, stop or Stop(), report, read_timeout, known).run()


class _Transfer:
    """One file on its way."""

    def __init__(self, wanted: Wanted, folder: Path, session: requests.Session, stop: Stop, report: Any,
                 read_timeout: float, known: Any) -> None:  # fmt: skip
        self.wanted, self.folder, self.session = wanted, folder, session
        self.stop, self.report, self.read_timeout, self.known = stop, report, read_timeout, known
        name = checked_name(wanted.name)
        self.target, self.part = folder / name, folder / f".{name}.part"
        self.note = folder / f".{name}.part.json"
        self.received = 0
        self.ends: set[int] = set()
        self.who = urlsplit(wanted.url).hostname or wanted.url

    def run(self) -> Fetched:
        here = self._here_already()
        if here is not None:
            return here
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._alone():
                return self._here_already() or self._bring()
        except OSError as error:
            if isinstance(error, requests.RequestException):
                raise
            raise unwritable(self.target, error) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody else, of this program or another, writes to the part of this file."""
        lock = FileLock(self.folder / f".{self.target.name}.lock")
        while not lock.take():
            self.stop.wait(AGAIN)
        try:
            yield
        finally:
            lock.give()

    def _bring(self) -> Fetched:
        self._room(self.wanted.size)
        self._transfer()
        return self._settle()

    def _here_already(self) -> Fetched | None:
        """Return the file when an earlier fetch brought just it, and nobody changed it since."""
        known = self.known(self.target) if self.target.is_file() else None
        if not known or (self.wanted.size and self.target.stat().st_size != self.wanted.size):
            return None
        if self.wanted.md5 and digest(self.target, "md5") != self.wanted.md5.lower():
            return None
        return Fetched(self.target, known, 0) if digest(self.target) == known else None

    def _room(self, size: int) -> None:
        missing = size - (self.part.stat().st_size if self.part.exists() else 0)
        free = shutil.disk_usage(self.folder).free
        if missing > 0 and free - missing < min(RESERVE, max(free // 2, 1)):
            raise JvizError(f"{self.wanted.name} needs {missing / 1e6:,.0f} MB, and the disk of {self.folder} has "
                            f"{free / 1e6:,.0f} MB. Free some space or choose another folder.")  # fmt: skip

    # --- the network ------------------------------------------------------------------------------

    def _transfer(self) -> None:
        """Ask until all is here; give up after some tries in a row that bring nothing."""
        tries, fresh = 0, 0
        while True:
            before = self._size()
            try:
                if self._ask():
                    problem = problem_of(self.part, self.wanted.name, self.wanted.md5, self.wanted.sha1)
                    if not problem:
                        return
                    self._forget()
                    fresh += 1
                    if fresh > MOST_FRESH or problem.startswith("the server sent a page"):
                        raise self._refused(problem)
                    continue
                wait, why = 0.0, "the connection breaks off"
            except _Busy as busy:
                wait, why = busy.wait, str(busy)
            except ASTRAY as error:
                raise self._refused(_astray(error)) from error
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                self.stop.check()
                if getattr(error, "errno", None) in UNWRITABLE:
                    raise
                wait, why = 0.0, _why(error)
            tries = 0 if self._size() > before else tries + 1
            if tries >= TRIES:
                raise NetError(f"{self.wanted.name} cannot be fetched from {self.who}: {why}. "
                               "What came is kept; try again later.")  # fmt: skip
            self.stop.wait(wait or (0.0 if tries == 0 else min(0.25 * 2**tries, 20.0) * random.uniform(0.7, 1.3)))

    def _ask(self) -> bool:
        """Take bytes from one reply; return whether the file is complete."""
        self.stop.check()
        state, start = self._resumable()
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": state.validator}
        with self.session.get(
            self.wanted.url, headers=headers, stream=True, timeout=(10.0, self.read_timeout)
        ) as reply:
            self.stop.watch(reply)
            try:
                self.stop.check()
                return self._take(reply, start)
            finally:
                self.stop.unwatch(reply)

    def _take(self, reply: requests.Response, start: int) -> bool:
        if reply.status_code == 416:
            self._forget()
            return False
        self._check_status(reply)
        if reply.status_code == 206 and (first_byte(reply) != start or self._is_of_another(reply)):
            self._forget()
            raise ValueError("the server sent another part than the one asked for")
        start = start if reply.status_code == 206 else 0
        packed = self._is_packed(reply)
        length = -1 if packed else int(reply.headers.get("Content-Length") or -1)
        total = start + length if length >= 0 else 0
        self._room(total)
        # Of a packed reply nobody knows which byte comes next: it is not gone on with.
        self._write_note(_State(self.wanted.url, "" if packed else validator_of(reply), total))
        with self.part.open("r+b" if start else "wb") as file:
            file.truncate(start)
            file.seek(start)
            done = self._copy(reply, file, start, total)
            file.flush()
            os.fsync(file.fileno())
        return done == total if total or length == 0 else self._has_ended(reply, done)

    def _is_of_another(self, reply: requests.Response) -> bool:
        """Whether a part is of another version than what is here: some servers do not look at If-Range."""
        state, _ = self._resumable()
        validator, total = validator_of(reply), total_of(reply)
        return bool((validator and state.validator and validator != state.validator)
                    or (total and state.total and total != state.total))  # fmt: skip

    def _has_ended(self, reply: requests.Response, done: int) -> bool:
        """Whether a reply that did not say how long it is was whole: a cut one looks as one that has ended."""
        size = self.wanted.size
        if getattr(reply.raw, "chunked", False) or not size or done == size or is_checked(self.wanted.name):
            return True
        if done in self.ends:
            return True  # it is the size in the list that is wrong
        self.ends.add(done)
        self._forget()
        return False

    def _is_packed(self, reply: requests.Response) -> bool:
        """Whether the bytes are to be unpacked, although that was not asked for; a .gz is a file as it is."""
        kind = reply.headers.get("Content-Encoding", "").strip().lower()
        carried = reply.headers.get("Transfer-Encoding", "").strip().lower()
        if carried not in ("", "identity", "chunked"):
            raise self._refused(f"the server packs it on the way as nobody asked for ({carried[:30]})")
        if kind in ("", "identity") or (kind in ("gzip", "x-gzip") and self.wanted.name.lower().endswith(".gz")):
            return False
        if kind in ("gzip", "x-gzip", "deflate"):
            return True
        raise self._refused(f"the server packs it in a way that is not understood ({kind[:30]})")

    def _copy(self, reply: requests.Response, file: Any, done: int, total: int) -> int:
        first, unpack = done == 0, self._is_packed(reply)
        read = getattr(reply.raw, "read1", reply.raw.read)
        while chunk := read(CHUNK, decode_content=unpack):
            self.stop.check()
            if first and is_page(chunk, self.wanted.name):
                raise self._refused("the server sent a page instead of the file")
            first = False
            file.write(chunk)
            done += len(chunk)
            self.received += len(chunk)
            self.report(done, total or self.wanted.size)
        self.stop.check()
        return done

    def _check_status(self, reply: requests.Response) -> None:
        status = reply.status_code
        if status in (200, 206):
            return
        if status in BUSY:
            raise _Busy(f"the server is busy (error {status})", retry_after(reply))
        if status in (401, 403):
            why = ("the token is missing, wrong or too old; log in with archive.login" if is_mast(self.wanted.url) else
                   "that archive wants a user name and a password (archive.login_to), or others")  # fmt: skip
            raise self._refused(f"it is exclusive to its observers, and {why}", status)
        if status in (404, 410):
            raise self._refused("the server has no such file", status)
        raise self._refused(f"the server answers with error {status} ({reply.reason})", status)

    def _refused(self, why: str, status: int = 0) -> NetError:
        self._forget()
        return NetError(f"{self.wanted.name} cannot be fetched from {self.who}: {why}.", status)

    # --- the part ---------------------------------------------------------------------------------

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _resumable(self) -> tuple[_State, int]:
        """Return what the part is of, and how many of its bytes can be kept."""
        state = _State(self.wanted.url)
        try:
            state = _State(**json.loads(self.note.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return state, 0
        if state.url != self.wanted.url or not state.validator:
            return state, 0
        return state, self._size()

    def _write_note(self, state: _State) -> None:
        with writing(self.note) as temporary:
            temporary.write_text(json.dumps(asdict(state)), "utf-8")

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _settle(self) -> Fetched:
        """Give the part its name, beside a file that bears it already."""
        total = digest(self.part, watch=self.stop.check)
        target = self.target
        for number in range(1, 10_000):
            if target.exists() and digest(target) == total:
                self._forget()
                return Fetched(target, total, self.received)
            if _named(self.part, target):
                self.note.unlink(missing_ok=True)
                return Fetched(target, total, self.received)
            stem, dot, rest = self.target.name.partition(".")
            target = self.target.with_name(f"{stem}.{number}{dot}{rest}")
        raise JvizError(f"{self.target} and 9,999 files of similar names are there already. Choose another folder.")


ASTRAY = (requests.TooManyRedirects, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL,
          requests.exceptions.SSLError)  # fmt: skip
"""What no further try mends."""


def _astray(error: Exception) -> str:
    if isinstance(error, requests.TooManyRedirects):
        return "the server sends from one address to the next without end"
    if isinstance(error, requests.exceptions.SSLError):
        return "the connection cannot be trusted: its certificate is not valid, or something stands between"
    return "the server sends to an address that cannot be asked"


class _Busy(Exception):
    def __init__(self, text: str, wait: float) -> None:
        super().__init__(text)
        self.wait = wait


def checked_name(name: str) -> str:
    """Return a name that stays within its folder.

    Raises
    ------
    JvizError
        When it would lead elsewhere.
    """
    if not name or name in (".", "..") or any(sign in name for sign in "/\\\0") or len(name) > 230:
        raise JvizError(f"A server wants a file to be called {name[:80]!r}, which is no name of a file. Not fetched.")
    return name


def _named(part: Path, target: Path) -> bool:
    """Give a file a name that no other bears; False when one does."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if target.exists():
            return False
        os.replace(part, target)
        return True
    part.unlink()
    return True


def _why(error: Exception) -> str:
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return "the server stays silent"
    if isinstance(error, requests.ConnectionError) and is_unknown_host(error):
        return "there is no such host, or no network"
    if isinstance(error, ValueError) and not isinstance(error, requests.RequestException):
        return str(error)
    return "the connection breaks off"

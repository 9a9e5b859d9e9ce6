"""Downloads that outlive the program: threads that work through a list in the database of the library."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jviz.backend.archive.fetch import RESERVE, Fetched, Wanted, checked_name, fetch
from jviz.backend.archive.keys import NO_SECRETS, Keys
from jviz.backend.archive.ledger import INTERRUPTED, OVER, Ledger, Transfer
from jviz.backend.archive.net import connection, reason_of
from jviz.backend.progress import Cancelled, Progress, silent
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Library

__all__ = ["INTERRUPTED", "OVER", "PER_HOST", "Transfer", "Transfers"]

PER_HOST = 4
"""Files that are fetched from one host at a time."""

TICK = 0.05
"""Seconds between two looks at whether somebody still waits, at least."""

SHARE = 4
"""So many times as long as a look takes: of thousands of transfers it is a small part of the work."""

TOLD = 1.0
"""Seconds between two notes of how far a transfer is, for other programs and for after a crash."""


class Transfers:
    """The list, and the threads that fetch: a few per host; one broken file does not stop the others.

    Parameters
    ----------
    library : Library
        Whose database holds the list, and which takes in what arrives.
    keys : Secrets or callable
        Each shown to its host alone.
    changed : callable
        Called, in any thread, when a transfer begins, ends or is put on the list.
    """

    def __init__(self, library: Library, *, keys: Keys = NO_SECRETS,
                 changed: Callable[[], None] = lambda: None, per_host: int = PER_HOST) -> None:  # fmt: skip
        self.library, self.per_host = library, per_host
        self.ledger = Ledger(library)
        self._keys, self._changed = keys, changed
        self._lock = threading.RLock()
        self._live: dict[int, Transfer] = {}
        self._waiting: dict[str, deque[Transfer]] = defaultdict(deque)
        self._threads: dict[str, int] = defaultdict(int)
        self._waited: Counter[int] = Counter()
        self._closed = False

    def close(self) -> None:
        """Stop; what is not here yet is paused, and goes on another time."""
        with self._lock:
            if self._closed:
                return
            for transfer in list(self._live.values()):
                self._end(transfer, "paused", INTERRUPTED)
            self._closed = True
            self.ledger.close()

    # --- the list -------------------------------------------------------------------------------

    def add(self, wanted: Sequence[Wanted], folder: Path | Callable[[Wanted], Path]) -> list[int]:
        """Put files on the list and begin; return their numbers, of one named twice once.

        What is on the list for the same place already, and not here, goes on; when another program that lives is at
        it, it is left to that one.

        Raises
        ------
        JvizError
            When a name leads elsewhere, or the disk has no room for all of it: then none is on the list.
        """
        files = [(file, folder(file) if callable(folder) else folder) for file in dict.fromkeys(wanted)]
        for file, _ in files:
            checked_name(file.name)
        _check_room(files)
        with self._lock:
            put = self.ledger.put(files)
            for transfer, begins in put:
                if begins:
                    self._enqueue(transfer)
            self._pump()
        self._changed()
        return [transfer.number for transfer, _ in put]

    def listed(self, *, unfinished: bool = False, most: int = 2_000) -> list[Transfer]:
        """Return the transfers, newest first: those under way as they are now, the others as they ended."""
        return self._present(self.ledger.newest(most, unfinished=unfinished))

    def get(self, numbers: Sequence[int]) -> list[Transfer]:
        """Return transfers by their numbers."""
        return self._present(self.ledger.get(numbers))

    def _present(self, transfers: list[Transfer]) -> list[Transfer]:
        with self._lock:
            return [self._live.get(transfer.number, transfer) for transfer in transfers]

    def pause(self, numbers: Sequence[int]) -> list[int]:
        """Stop transfers for now; what came is kept. Return those that stopped, not those of other programs."""
        return self._stop(numbers, "paused", ("waiting", "running"))

    def cancel(self, numbers: Sequence[int]) -> list[int]:
        """Stop transfers; what came is kept in case they are wanted again. Return those that stopped."""
        return self._stop(numbers, "cancelled", ("waiting", "running", "paused"))

    def resume(self, numbers: Sequence[int]) -> list[int]:
        """Go on with transfers that are paused, and begin those that failed or were cancelled again.

        Return those that go on; one that is done and still where it was is left alone.
        """
        begun = []
        with self._lock:
            for transfer in self.get(numbers):
                is_here = transfer.state == "done" and transfer.path is not None and transfer.path.exists()
                if transfer.number not in self._live and not is_here and self.ledger.take(transfer):
                    self._enqueue(transfer)
                    begun.append(transfer.number)
            self._pump()
        self._changed()
        return begun

    def forget(self, numbers: Sequence[int]) -> None:
        """Take transfers that are over off the list; files stay, and the history keeps them."""
        self.ledger.forget(numbers)
        self._changed()

    def wait(self, numbers: Sequence[int], progress: Progress = silent) -> list[Transfer]:
        """Wait until transfers are over; return them.

        Raises
        ------
        Cancelled
            When this does not wait any more: those that nobody else waits for are cancelled then.
        """
        numbers = list(dict.fromkeys(numbers))
        with self._lock:
            self._waited.update(numbers)
        try:
            while True:
                began = time.thread_time()
                found = self.get(numbers)
                self._take_over(found)
                left = [transfer for transfer in found if transfer.state not in OVER]
                done, total = sum(t.done for t in found), sum(max(t.total, t.done) for t in found)
                progress(done, max(total, 1), _told(found, left, done))
                if not left:
                    return found
                time.sleep(max(TICK, SHARE * (time.thread_time() - began)))
        except BaseException:
            with self._lock:
                unwanted = [number for number in numbers if self._waited[number] < 2]
            self.cancel(unwanted)
            raise
        finally:
            with self._lock:
                self._waited.subtract(numbers)

    def _take_over(self, transfers: Sequence[Transfer]) -> None:
        """Go on with what another program was at when it ended: somebody waits for it here."""
        left = [t.number for t in transfers if t.state == "paused" and t.reason == INTERRUPTED]
        if left and not self._closed:
            self.resume(left)

    # --- at work --------------------------------------------------------------------------------

    def _enqueue(self, transfer: Transfer) -> None:
        self._live[transfer.number] = transfer
        self._waiting[transfer.host].append(transfer)

    def _pump(self) -> None:
        """Have as many threads as there is work for."""
        for host, waiting in self._waiting.items():
            while self._threads[host] < min(self.per_host, len(waiting) + self._busy(host)) and not self._closed:
                self._threads[host] += 1
                # Threads that nobody joins: one that waits for a server must not hold up the end of the program.
                threading.Thread(target=self._work, args=(host,), daemon=True, name=f"jviz-fetch-{host}").start()

    def _busy(self, host: str) -> int:
        return sum(t.state == "running" and t.host == host for t in self._live.values())

    def _work(self, host: str) -> None:
        with connection(keys=self._keys, tries=1) as session:
            while (transfer := self._next(host)) is not None:
                self._changed()
                self._run(transfer, session)
                self._changed()

    def _next(self, host: str) -> Transfer | None:
        with self._lock:
            waiting = self._waiting[host]
            while waiting and not self._closed:
                transfer = waiting.popleft()
                if transfer.state == "waiting":
                    transfer.state = "running"
                    if self.ledger.write(transfer):
                        return transfer
                    self._live.pop(transfer.number, None)
            self._threads[host] -= 1
            return None

    def _run(self, transfer: Transfer, session: Any) -> None:
        file, noted = transfer.wanted, time.monotonic()

        def report(done: int, total: int) -> None:
            nonlocal noted
            transfer.done, transfer.total = done, total
            transfer.pace.count(done)
            if time.monotonic() - noted > TOLD:
                noted = time.monotonic()
                self._note(transfer)

        try:
            fetched = fetch(file, transfer.folder, session, stop=transfer.stop, report=report,
                            known=self.library.sum_of)  # fmt: skip
            self._take_in(transfer, fetched)
        except Cancelled:
            return  # who stopped it said so in the list
        except JvizError as error:
            self._fail(transfer, str(error))
        except Exception as error:  # one file must not take the others with it
            self._fail(transfer, str(reason_of(error, urlsplit(file.url).hostname or file.url)))

    def _note(self, transfer: Transfer) -> None:
        """Write down how far a transfer is; a database that is busy is no reason to stop it."""
        with self._lock, suppress(sqlite3.OperationalError):
            if transfer.state == "running" and not self._closed and not self.ledger.write(transfer):
                transfer.stop.set()  # it is somebody else's now
                self._live.pop(transfer.number, None)

    def _fail(self, transfer: Transfer, reason: str) -> None:
        with self._lock:
            if transfer.state == "running":  # else somebody stopped it, and said so in the list
                self._end(transfer, "failed", reason)

    def _take_in(self, transfer: Transfer, fetched: Fetched) -> None:
        with self._lock:
            if transfer.state != "running" or self._closed:
                return
            self.library.add(fetched.path, source=transfer.wanted.url, sha256=fetched.sha256)
            transfer.path, transfer.received = fetched.path, fetched.received
            transfer.done = transfer.total = fetched.path.stat().st_size
            self._end(transfer, "done", "", fetched.sha256)

    def _stop(self, numbers: Sequence[int], state: str, of: Sequence[str]) -> list[int]:
        stopped = []
        with self._lock:
            for transfer in self.get(numbers) if not self._closed else []:
                if transfer.state in of and not transfer.elsewhere and self.ledger.stop(transfer, state):
                    self._live.pop(transfer.number, None)
                    transfer.stop.set()
                    stopped.append(transfer.number)
        self._changed()
        return stopped

    def _end(self, transfer: Transfer, state: str, reason: str, sha256: str = "") -> None:
        with self._lock:
            if self._closed or self._live.get(transfer.number) is not transfer:
                return  # it was stopped, or begun again, meanwhile
            running = transfer.state == "running"
            transfer.state, transfer.reason, transfer.ended = state, reason, time.time() if state in OVER else 0.0
            if state != "done" and running:
                transfer.stop.set()
            self.ledger.write(transfer, sha256=sha256)
            self._live.pop(transfer.number, None)


def _told(found: Sequence[Transfer], left: Sequence[Transfer], done: int) -> str:
    paused = " (paused)" if left and all(t.state == "paused" for t in left) else ""
    speed = sum(transfer.speed for transfer in left)
    fast = f", {speed / 1e6:,.1f} MB/s" if speed else ""
    return f"Fetching {len(left)} of {len(found)} files: {done / 1e6:,.1f} MB{fast}{paused}"


def _check_room(files: Sequence[tuple[Wanted, Path]]) -> None:
    """Refuse what no disk has room for, all of it together."""
    needed: dict[int, int] = defaultdict(int)
    places: dict[int, Path] = {}
    for file, folder in files:
        there = next(place for place in (folder, *folder.parents) if place.is_dir())
        needed[there.stat().st_dev] += file.size
        places[there.stat().st_dev] = there
    for device, size in needed.items():
        free = shutil.disk_usage(places[device]).free
        if size and free - size < min(RESERVE, free // 2):
            raise JvizError(f"These files need {size / 1e6:,.0f} MB, and the disk of {places[device]} has "
                            f"{free / 1e6:,.0f} MB. Free some space, choose fewer, or another folder.")  # fmt: skip

"""The library: files taken in, found again, tagged and forgotten. The files themselves are only ever read."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jviz.backend.io.cards import Card, parse_cards
from jviz.backend.library.folders import below, files_below, linked_folders, outermost
from jviz.backend.library.reading import Seen, read_files
from jviz.backend.library.rows import former_row, former_rows, insert_row, remove_row
from jviz.backend.library.schema import connect
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Library", "Taken"]


KEPT_SECONDS = 7 * 86400
"""Age from which rows that were forgotten are taken out: nobody undoes that any more."""

AT_ONCE = 25
"""Files that are written in one go: who tags a file, or paints a window, meanwhile waits no longer than for these."""

AMONG = "path IN (SELECT value FROM json_each(?))"
"""Condition on paths that `_list_of` gives: thousands of them in one statement."""


@dataclass
class Taken:
    """What became of the files of one scan: paths new, changed, as before, moved, gone, found again, or refused."""

    added: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    moved: list[tuple[Path, Path]] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)
    found: list[Path] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def is_news(self) -> bool:
        """Whether anything is not as it was."""
        return any(paths for name, paths in vars(self).items() if name != "unchanged")


class Library:
    """One database; may be used from several threads.

    Parameters
    ----------
    path : Path
        Of the database; made when it is missing.
    changed : callable
        Called, in any thread, after what is known of files changed.
    """

    def __init__(self, path: Path, *, changed: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self._changed = changed
        self._database = connect(path)
        # Questions have a connection of their own: they never wait until a scan has written its batch.
        self._reader = connect(path)
        self._lock, self._reading = threading.RLock(), threading.RLock()
        # A script that never closes its session leaves no open database behind.
        weakref.finalize(self, self._database.close)
        weakref.finalize(self, self._reader.close)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock, self._reading:
            self._database.close()
            self._reader.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the database within a transaction: all of it happens, or nothing."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def ask(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return the rows that a question has."""
        with self._reading:
            return self._reader.execute(sql, values).fetchall()

    # --- taking in --------------------------------------------------------------------------------

    def add(self, path: Path, *, source: str = "", sha256: str = "", progress: Progress = silent) -> Taken:
        """Take in a file, or all files below a folder; what is known and unchanged is not read again.

        Parameters
        ----------
        path : Path
            A folder becomes one that is looked through again by `rescan`.
        source : str
            Where a file was fetched from.
        sha256 : str
            Of a file, where it is known already.

        Raises
        ------
        JvizError
            When there is no such path.
        """
        path = path.expanduser().absolute()
        if path.is_dir():
            return self._take(files_below(path), self._root(path), path, source, progress, by_hand=True)
        if not path.is_file():
            raise JvizError(f"{path} is not there, so it cannot be added to the library.")
        status = path.stat()
        seen = Seen(path, status.st_size, status.st_mtime_ns, sha256=sha256)
        return self._take([seen], self._root_over(path), path, source, progress, by_hand=True)

    def rescan(self, folder: Path | None = None, *, progress: Progress = silent) -> Taken:
        """Look through linked folders again, and for files that were taken in one by one.

        Parameters
        ----------
        folder : Path, optional
            Only this linked folder.
        """
        total = Taken()
        folders = [linked.path for linked in linked_folders(self)]
        for path in outermost(folders) if folder is None else [folder]:
            _join(total, self._take(files_below(path), self._root(path), path, "", progress))
        if folder is None:
            self._look_for_single_ones(total, progress)
            self._clear_out()
        came = {old for old, _ in total.moved}
        total.missing = [path for path in total.missing if path not in came]
        return total

    def _look_for_single_ones(self, total: Taken, progress: Progress) -> None:
        """Look at each file that lies in no linked folder."""
        gone: list[str] = []
        single = "root IS NULL AND state IN ('present', 'missing')"
        for row in self.ask(f"SELECT path, size, mtime_ns, state FROM file WHERE {single}"):
            try:
                status = os.stat(row["path"])
            except OSError:
                gone += [row["path"]] if row["state"] == "present" else []
                continue
            if row["state"] == "present" and (status.st_size, status.st_mtime_ns) == (row["size"], row["mtime_ns"]):
                total.unchanged.append(Path(row["path"]))
            else:
                seen = Seen(Path(row["path"]), status.st_size, status.st_mtime_ns)
                _join(total, self._take([seen], None, seen.path, "", progress))
        self._gone(gone, total)

    def _root(self, path: Path) -> int:
        """Return the number of the linked folder that a folder is or lies in; it is linked when there is none."""
        over = self._root_over(path)
        if over is not None:
            return over
        where, values = below(path)
        with self.writing() as database:
            number = database.execute("INSERT INTO root(path) VALUES (?)", (str(path),)).lastrowid
            database.execute(f"UPDATE file SET root = ? WHERE root IS NULL AND {where}", (number, *values))
        return number

    def _root_over(self, path: Path) -> int | None:
        """Return the number of the outermost linked folder that a path is or lies in."""
        rows = self.ask("SELECT id, path FROM root ORDER BY length(path)")
        return next((row["id"] for row in rows if path.is_relative_to(row["path"])), None)

    def _take(self, files: Iterable[Seen], root: int | None, where: Path, source: str, progress: Progress, *,
              by_hand: bool = False) -> Taken:  # fmt: skip
        """Take in the files that are at a path or below it; of a folder (with a ``root``) all that there are."""
        taken, known = Taken(), self._known(where)
        wanted, here, lost = list[Seen](), set[str](), ("missing", "forgotten") if by_hand else ("missing",)
        for file in files:
            path = str(file.path)
            here.add(path)
            size, mtime, state = known.get(path, (-1, -1, ""))
            if state == "forgotten" and not by_hand:
                continue
            if (size, mtime) != (file.size, file.mtime_ns):
                wanted.append(file)
            else:
                (taken.found if state in lost else taken.unchanged).append(file.path)
        self._found(taken.found)
        if root is not None:
            there = ("present", "refused")
            self._gone([path for path, (*_, state) in known.items() if path not in here and state in there], taken)
        self._read(wanted, root, source, known, taken, progress)
        if taken.is_news:
            self._changed()
        return taken

    def _known(self, where: Path) -> dict[str, tuple[int, int, str]]:
        """Return size, time and state of what the library holds at a path and below it, what it refused included."""
        there, values = below(where)
        rows = self.ask(f"SELECT path, size, mtime_ns, state FROM file WHERE state <> 'dropped' AND {there}", values)
        rows += self.ask(f"SELECT path, size, mtime_ns, 'refused' AS state FROM refused WHERE {there}", values)
        return {row["path"]: (row["size"], row["mtime_ns"], row["state"]) for row in rows}

    def _found(self, paths: Sequence[Path]) -> None:
        if paths:
            with self.writing() as database:
                database.execute(f"UPDATE file SET state = 'present' WHERE {AMONG}", (_list_of(paths),))

    def _gone(self, paths: Sequence[str], taken: Taken) -> None:
        if not paths:
            return
        with self.writing() as database:
            for path in paths:
                database.execute("UPDATE file SET state = 'missing' WHERE path = ?", (path,))
                database.execute("DELETE FROM refused WHERE path = ?", (path,))
                taken.missing.append(Path(path))

    def _read(self, wanted: Sequence[Seen], root: int | None, source: str, known: dict[str, tuple[int, int, str]],
              taken: Taken, progress: Progress) -> None:  # fmt: skip
        done = 0
        progress(0, max(len(wanted), 1), f"Reading {len(wanted):,} files into the library")
        with closing(read_files(wanted)) as batches:
            for batch in batches:
                for start in range(0, len(batch), AT_ONCE):
                    files = batch[start : start + AT_ONCE]
                    with self.writing() as database:
                        for file in files:
                            self._put(database, file, root, source, known, taken)
                    done += len(files)
                    progress(done, len(wanted), f"Reading {len(wanted):,} files into the library")

    def _put(self, database: sqlite3.Connection, seen: Seen, root: int | None, source: str,
             known: dict[str, tuple[int, int, str]], taken: Taken) -> None:  # fmt: skip
        path, now = str(seen.path), time.time()
        if seen.record is None:
            database.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)",
                             (path, seen.problem, seen.size, seen.mtime_ns, now))  # fmt: skip
            taken.refused.append((seen.path, seen.problem))
            return
        was_refused = database.execute("DELETE FROM refused WHERE path = ?", (path,)).rowcount > 0
        moved = self._moved_from(database, seen)
        if moved is not None:
            taken.moved.append((Path(moved["path"]), seen.path))
        elif path in known and not was_refused:
            taken.changed.append(seen.path)
        else:
            taken.added.append(seen.path)
        former = moved if moved is not None else former_row(database, "path = ?", path)
        if moved is None and former is not None and former["root"] is not None:
            root = former["root"]  # of two linked folders, one in the other, the one that it came with
        insert_row(database, seen, root, source, now, former)

    @staticmethod
    def _moved_from(database: sqlite3.Connection, seen: Seen) -> sqlite3.Row | None:
        """Return the row of the same bytes at a place where they are no more."""
        rows = former_rows(database, "sha256 = ? AND path <> ?", seen.sha256, str(seen.path))
        return next((row for row in rows if not os.path.exists(row["path"])), None)

    # --- changing what is known -------------------------------------------------------------------

    def forget(self, paths: Iterable[Path]) -> int:
        """Take files out of the library, not off the disk; return how many were in it.

        Those of linked folders stay out when these are looked through again, until they are added by hand.
        """
        with self.writing() as database:
            count = database.execute(
                f"UPDATE file SET was = state, state = 'forgotten', seen = ? WHERE state <> 'forgotten' AND {AMONG}",
                (time.time(), _list_of(paths)),
            ).rowcount
        self._changed()
        return count

    def recall(self, paths: Iterable[Path], *, root: int | None = None) -> None:
        """Take back what `forget` did.

        Parameters
        ----------
        root : int, optional
            Number of the linked folder that they belong to again.
        """
        with self.writing() as database:
            database.execute(
                f"UPDATE file SET state = was, root = coalesce(?, root) WHERE state = 'forgotten' AND {AMONG}",
                (root, _list_of(paths)),
            )
        self._changed()

    def _clear_out(self) -> None:
        """Take out rows that were forgotten long ago, but for those that keep files of linked folders out."""
        with self.writing() as database:
            rows = database.execute("SELECT id FROM file WHERE state = 'forgotten' AND root IS NULL AND seen < ?",
                                    (time.time() - KEPT_SECONDS,)).fetchall()  # fmt: skip
            for row in rows:
                remove_row(database, row["id"])

    def pin(self, paths: Iterable[Path], *, on: bool = True) -> None:
        """Pin files, so that they are never dropped from the store, or let go of them."""
        with self.writing() as database:
            database.execute(f"UPDATE file SET pinned = ? WHERE {AMONG}", (int(on), _list_of(paths)))
        self._changed()

    def pinned(self) -> set[str]:
        """Return the paths of all files that are pinned."""
        return {row["path"] for row in self.ask("SELECT path FROM file WHERE pinned")}

    def note_use(self, paths: Iterable[Path]) -> None:
        """Write down that files were opened just now: what was not used for longest is dropped first."""
        with self.writing() as database:
            database.execute(f"UPDATE file SET used = ? WHERE {AMONG}", (time.time(), _list_of(paths)))

    def tag(self, sums: Iterable[str], tag: str, *, on: bool = True) -> None:
        """Put a tag on files of these SHA-256, or take it off; it stays with the bytes wherever they move."""
        among = "SELECT value FROM json_each(?)"
        sql = (f"INSERT OR IGNORE INTO tag(tag, sha256) SELECT ?, value FROM ({among})" if on else
               f"DELETE FROM tag WHERE tag = ? AND sha256 IN ({among})")  # fmt: skip
        with self.writing() as database:
            database.execute(sql, (tag, json.dumps(list(sums))))
        self._changed()

    def tagged(self, tag: str) -> set[str]:
        """Return the SHA-256 of all files with a tag."""
        return {row["sha256"] for row in self.ask("SELECT sha256 FROM tag WHERE tag = ?", (tag,))}

    def note_of(self, total: str) -> str:
        """Return the note of a file, "" for none."""
        rows = self.ask("SELECT note FROM note WHERE sha256 = ?", (total,))
        return rows[0]["note"] if rows else ""

    def note(self, total: str, text: str) -> None:
        """Write a note to a file; an empty one is taken away."""
        with self.writing() as database:
            database.execute("DELETE FROM note WHERE sha256 = ?", (total,))
            if text.strip():
                database.execute("INSERT INTO note VALUES (?, ?)", (total, text))
        self._changed()

    def header_of(self, path: Path) -> list[Card]:
        """Return the cards that a file had when it was taken in, ``(keyword, value, comment)`` each."""
        rows = self.ask("SELECT header FROM file WHERE path = ?", (str(path),))
        return list(parse_cards(zlib.decompress(rows[0]["header"]))) if rows else []

    def knows(self, path: Path, size: int, mtime_ns: int) -> bool:
        """Whether a file is in the library as it is now."""
        return bool(self.ask("SELECT 1 FROM file WHERE path = ? AND size = ? AND mtime_ns = ? AND state = 'present'",
                             (str(path), size, mtime_ns)))  # fmt: skip

    def sums_of(self, paths: Iterable[Path]) -> dict[Path, str]:
        """Return the SHA-256 of those files that are in the library."""
        rows = self.ask(f"SELECT path, sha256 FROM file WHERE state <> 'forgotten' AND {AMONG}", (_list_of(paths),))
        return {Path(row["path"]): row["sha256"] for row in rows}

    def sum_of(self, path: Path) -> str | None:
        """Return the SHA-256 that a file had when it was taken in, None when it is not known."""
        rows = self.ask("SELECT sha256 FROM file WHERE path = ? AND state <> 'forgotten'", (str(path),))
        return rows[0]["sha256"] if rows else None


def _list_of(paths: Iterable[Path]) -> str:
    return json.dumps([str(path) for path in paths])


def _join(total: Taken, more: Taken) -> None:
    for name, paths in vars(more).items():
        getattr(total, name).extend(paths)

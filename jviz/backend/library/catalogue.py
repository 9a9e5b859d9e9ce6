"""The library: files taken in, found again, tagged and forgotten. The files themselves are only ever read."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jviz.backend.archive.checks import digest
from jviz.backend.io.cards import Card, parse_cards
from jviz.backend.library.footprints import vector
from jviz.backend.library.records import SUFFIXES, Record, read_record
from jviz.backend.library.schema import COLUMNS, connect
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Library", "Taken"]

BATCH = 500
"""Files put into the database at a time."""

WORKERS = 2
TEXTS = ("target_name", "proposal_pi", "obs_title", "name")


@dataclass
class Taken:
    """What became of the files of one scan: paths that are new, changed, as before, moved here, gone, or refused."""

    added: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    moved: list[tuple[Path, Path]] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Seen:
    """A file on the disk and, when it was read, what is in it."""

    path: Path
    size: int
    mtime_ns: int
    record: Record | None = None
    sha256: str = ""
    problem: str = ""
    header: bytes = b""


class Library:
    """One database; may be used from several threads.

    Parameters
    ----------
    path : Path
        Of the database; made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = connect(path)
        self._lock = threading.RLock()
        # A script that never closes its session leaves no open database behind.
        weakref.finalize(self, self._database.close)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._database.close()

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
        with self._lock:
            return self._database.execute(sql, values).fetchall()

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
            root = self._root(path)
            return self._take(_files_below(path), root, path, source, progress)
        if not path.is_file():
            raise JvizError(f"{path} is not there, so it cannot be added to the library.")
        status = path.stat()
        seen = _Seen(path, status.st_size, status.st_mtime_ns, sha256=sha256)
        return self._take([seen], None, path, source, progress)

    def rescan(self, *, progress: Progress = silent) -> Taken:
        """Look through all linked folders again."""
        total = Taken()
        for row in self.ask("SELECT id, path FROM root ORDER BY path"):
            taken = self._take(_files_below(Path(row["path"])), row["id"], Path(row["path"]), "", progress)
            for name, paths in vars(taken).items():
                getattr(total, name).extend(paths)
        return total

    def _root(self, path: Path) -> int:
        with self.writing() as database:
            database.execute("INSERT OR IGNORE INTO root(path) VALUES (?)", (str(path),))
        return self.ask("SELECT id FROM root WHERE path = ?", (str(path),))[0]["id"]

    def _take(self, files: Iterable[_Seen], root: int | None, where: Path, source: str, progress: Progress) -> Taken:
        """Take in the files that are at a path or below it; of a folder (with a ``root``) all that there are."""
        taken, known = Taken(), self._known(where)
        wanted: list[_Seen] = []
        here: set[str] = set()
        for file in files:
            here.add(str(file.path))
            if known.get(str(file.path)) == (file.size, file.mtime_ns):
                taken.unchanged.append(file.path)
            else:
                wanted.append(file)
        if root is not None:
            self._gone([path for path in known if path not in here], taken)
        self._read(wanted, root, source, known, taken, progress)
        return taken

    def _known(self, where: Path) -> dict[str, tuple[int, int]]:
        """Return size and time of what the library holds at a path and below it, what it refused included."""
        there, values = "(path = ? OR (path >= ? AND path < ?))", (str(where), f"{where}/", f"{where}0")
        rows = self.ask(f"SELECT path, size, mtime_ns FROM file WHERE state = 'present' AND {there}", values)
        rows += self.ask(f"SELECT path, size, mtime_ns FROM refused WHERE {there}", values)
        return {row["path"]: (row["size"], row["mtime_ns"]) for row in rows}

    def _gone(self, paths: Sequence[str], taken: Taken) -> None:
        with self.writing() as database:
            for path in paths:
                database.execute("UPDATE file SET state = 'missing' WHERE path = ?", (path,))
                database.execute("DELETE FROM refused WHERE path = ?", (path,))
                taken.missing.append(Path(path))

    def _read(self, wanted: Sequence[_Seen], root: int | None, source: str, known: dict[str, tuple[int, int]],
              taken: Taken, progress: Progress) -> None:  # fmt: skip
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="jviz-library") as workers:
            for start in range(0, len(wanted), BATCH):
                progress(start, len(wanted), f"Reading {len(wanted):,} files into the library")
                seen = list(workers.map(_read_one, wanted[start : start + BATCH], chunksize=1))
                with self.writing() as database:
                    for file in seen:
                        self._put(database, file, root, source, known, taken)

    def _put(self, database: sqlite3.Connection, seen: _Seen, root: int | None, source: str,
             known: dict[str, tuple[int, int]], taken: Taken) -> None:  # fmt: skip
        path, now = str(seen.path), time.time()
        if seen.record is None:
            database.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)",
                             (path, seen.problem, seen.size, seen.mtime_ns, now))  # fmt: skip
            taken.refused.append((seen.path, seen.problem))
            return
        was_refused = database.execute("DELETE FROM refused WHERE path = ?", (path,)).rowcount > 0
        former = self._moved_from(database, seen)
        if former is not None:
            taken.moved.append((Path(former["path"]), seen.path))
            _remove(database, former["id"])
            source = source or former["source"]
        elif path in known and not was_refused:
            taken.changed.append(seen.path)
        else:
            taken.added.append(seen.path)
        _insert(database, seen, root, source, now)

    @staticmethod
    def _moved_from(database: sqlite3.Connection, seen: _Seen) -> sqlite3.Row | None:
        """Return the row of the same bytes at a place where they are no more."""
        rows = database.execute("SELECT id, path, source FROM file WHERE sha256 = ? AND path <> ?",
                                (seen.sha256, str(seen.path))).fetchall()  # fmt: skip
        return next((row for row in rows if not os.path.exists(row["path"])), None)

    # --- changing what is known -------------------------------------------------------------------

    def forget(self, paths: Iterable[Path]) -> int:
        """Take files out of the library, not off the disk; return how many were in it."""
        count = 0
        with self.writing() as database:
            for path in paths:
                row = database.execute("SELECT id FROM file WHERE path = ?", (str(path),)).fetchone()
                if row is not None:
                    _remove(database, row["id"])
                    count += 1
        return count

    def tag(self, sums: Iterable[str], tag: str, *, on: bool = True) -> None:
        """Put a tag on files of these SHA-256, or take it off; it stays with the bytes wherever they move."""
        sql = "INSERT OR IGNORE INTO tag VALUES (?, ?)" if on else "DELETE FROM tag WHERE sha256 = ? AND tag = ?"
        with self.writing() as database:
            database.executemany(sql, [(total, tag) for total in sums])

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

    def header_of(self, path: Path) -> list[Card]:
        """Return the cards that a file had when it was taken in, ``(keyword, value, comment)`` each."""
        rows = self.ask("SELECT header FROM file WHERE path = ?", (str(path),))
        return list(parse_cards(zlib.decompress(rows[0]["header"]))) if rows else []

    def sum_of(self, path: Path) -> str | None:
        """Return the SHA-256 that a file had when it was taken in, None when it is not known."""
        rows = self.ask("SELECT sha256 FROM file WHERE path = ?", (str(path),))
        return rows[0]["sha256"] if rows else None


def _files_below(folder: Path) -> Iterator[_Seen]:
    """Yield the data files below a folder; hidden ones and links to folders are left out."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(Path(entry.path))
            elif entry.name.lower().endswith(SUFFIXES) and entry.is_file():
                status = entry.stat()
                yield _Seen(Path(entry.path), status.st_size, status.st_mtime_ns)
        except OSError:
            continue  # it went away, or may not be looked at


def _read_one(file: _Seen) -> _Seen:
    try:
        record = read_record(file.path)
        # Compressed here, where several threads do it at a time.
        header = zlib.compress(record.header, 1)
        return _Seen(file.path, file.size, file.mtime_ns, record, file.sha256 or digest(file.path), header=header)
    except (JvizError, OSError, ValueError) as error:
        return _Seen(file.path, file.size, file.mtime_ns, problem=str(error))


def _insert(database: sqlite3.Connection, seen: _Seen, root: int | None, source: str, now: float) -> None:
    record = seen.record
    assert record is not None
    before = database.execute("SELECT id, added, source, root FROM file WHERE path = ?", (str(seen.path),)).fetchone()
    added = before["added"] if before is not None else now
    if before is not None:
        source, root = source or before["source"], root if root is not None else before["root"]
        _remove(database, before["id"])
    values = {
        "path": str(seen.path), "name": seen.path.name, "size": seen.size, "mtime_ns": seen.mtime_ns,
        "sha256": seen.sha256, "state": "present", "root": root, "added": added, "seen": now, "source": source or None,
        **{name: record.columns.get(name) for name in COLUMNS},
        "footprint": record.footprint.as_bytes() if record.footprint is not None else None,
        "header": seen.header,
    }  # fmt: skip
    marks = ", ".join("?" * len(values))
    row = database.execute(f"INSERT INTO file({', '.join(values)}) VALUES ({marks})", list(values.values())).lastrowid
    box = _box(record)
    if box is not None:
        database.execute("INSERT INTO foot VALUES (?, ?, ?, ?, ?, ?, ?)", (row, *box))
    database.execute(f"INSERT INTO words(rowid, {', '.join(TEXTS)}) VALUES (?, ?, ?, ?, ?)",
                     (row, *(values[name] or "" for name in TEXTS)))  # fmt: skip
    database.executemany("INSERT INTO edge VALUES (?, ?, ?, ?)", [(row, *member) for member in record.members])


def _box(record: Record) -> tuple[float, ...] | None:
    """Return the limits of what is searched by place: of the footprint, or of the position when there is none."""
    if record.footprint is not None:
        return record.footprint.box
    ra, dec = record.columns.get("s_ra"), record.columns.get("s_dec")
    if ra is None or dec is None:
        return None
    return tuple(float(v) for number in vector(ra, dec) for v in (number - 1e-7, number + 1e-7))


def _remove(database: sqlite3.Connection, row: int) -> None:
    texts = database.execute(f"SELECT {', '.join(TEXTS)} FROM file WHERE id = ?", (row,)).fetchone()
    database.execute(f"INSERT INTO words(words, rowid, {', '.join(TEXTS)}) VALUES ('delete', ?, ?, ?, ?, ?)",
                     (row, *(text or "" for text in texts)))  # fmt: skip
    database.execute("DELETE FROM foot WHERE id = ?", (row,))
    database.execute("DELETE FROM edge WHERE child = ?", (row,))
    database.execute("DELETE FROM file WHERE id = ?", (row,))

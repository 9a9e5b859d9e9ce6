"""Reading many files for the library: in processes of their own when there are many, so that nobody else waits."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from jviz.backend.archive.checks import digest
from jviz.backend.library.records import Record, read_record
from jviz.errors import JvizError

__all__ = ["BATCH", "Seen", "read_files", "serve"]

BATCH = 50
"""Files that a process reads at a time: while its answer of more is taken in, nothing else gets on."""

MANY = 1_000
"""Files above which processes pay: each needs half a second to begin."""

WORKERS = max(2, min(4, os.cpu_count() or 2))

WHOLE = 16 * 1024**2
"""Bytes up to which a file is read at once."""

_PROGRAM = "from jviz.backend.library.reading import serve; serve()"


@dataclass(frozen=True)
class Seen:
    """A file on the disk and, when it was read, what is in it; ``problem`` says why it could not be."""

    path: Path
    size: int
    mtime_ns: int
    record: Record | None = None
    sha256: str = ""
    problem: str = ""
    header: bytes = b""


def read_files(files: Sequence[Seen]) -> Iterator[list[Seen]]:
    """Yield the files with what is in them, some at a time, in their order."""
    many = len(files) > MANY
    size = BATCH if many else max(1, min(BATCH, len(files) // WORKERS))
    batches = [files[start : start + size] for start in range(0, len(files), size)]
    readers = _Processes() if many else None
    executor = ThreadPoolExecutor(min(WORKERS, max(len(batches), 1)), thread_name_prefix="jviz-library")
    try:
        yield from executor.map(_read_batch if readers is None else readers.read, batches)
    finally:
        if readers is not None:
            readers.end()
        executor.shutdown(cancel_futures=True)


def _read_batch(files: Iterable[Seen]) -> list[Seen]:
    return [_read_one(file) for file in files]


def _read_one(file: Seen) -> Seen:
    try:
        # Small files are read once, for all that is wanted of them.
        content = file.path.read_bytes() if file.size <= WHOLE else None
        record = read_record(file.path, content)
        total = file.sha256 or (digest(file.path) if content is None else hashlib.sha256(content).hexdigest())
        return replace(file, record=record, sha256=total, header=zlib.compress(record.header, 1))
    except (JvizError, OSError, ValueError) as error:
        return replace(file, problem=str(error))


class _Processes:
    """One process for each thread that asks; what a process that died should have read is read here."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._all: list[subprocess.Popen[bytes]] = []
        self._ended = False

    def read(self, files: list[Seen]) -> list[Seen]:
        try:
            process = self._process()
            pickle.dump(files, process.stdin)
            process.stdin.flush()
            return pickle.load(process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            return files if self._ended else _read_batch(files)

    def _process(self) -> subprocess.Popen[bytes]:
        if not hasattr(self._own, "process"):
            place = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
            self._own.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": place},
            )  # fmt: skip
            self._all.append(self._own.process)
        return self._own.process

    def end(self) -> None:
        self._ended = True
        for process in self._all:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    stream.close()


def serve() -> None:
    """Read the files that standard input names, until it ends: the other side of `read_files`."""
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            pickle.dump(_read_batch(pickle.load(incoming)), outgoing)
            outgoing.flush()

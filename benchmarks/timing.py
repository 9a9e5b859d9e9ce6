"""What the benchmarks share: timing, memory, and the rows of the table."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

__all__ = ["Row", "blocked", "measure", "offscreen", "once", "peak_memory", "resident", "table", "with_byte_code"]


@contextmanager
def offscreen() -> Iterator[tuple[Any, Path]]:
    """Give an application without a screen, and a folder that also holds jviz's settings and cache meanwhile."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.setswitchinterval(0.0005)
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["benchmark"])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JVIZ_HOME"] = folder
        try:
            yield application, Path(folder)
        finally:
            del os.environ["JVIZ_HOME"]


def with_byte_code(folder: Path) -> dict[str, str]:
    """Return this shell's environment with byte code kept in a folder, as every user's second start has it."""
    found = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "byte code")}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


@dataclass(frozen=True)
class Row:
    """One line of the table.

    ``value`` (the median) and ``worst`` (the 99th percentile) in ``unit``; ``limit`` is the
    budget, None when there is none; ``limit_worst`` that of the 99th percentile.
    """

    name: str
    value: float
    unit: str = "ms"
    worst: float | None = None
    limit: float | None = None
    limit_worst: float | None = None

    @property
    def kept(self) -> bool:
        """Whether it stays within its budget."""
        return not (
            (self.limit is not None and self.value > self.limit)
            or (self.limit_worst is not None and self.worst is not None and self.worst > self.limit_worst)
        )


def measure(
    name: str,
    function: Callable[[], object],
    *,
    repeat: int = 50,
    limit: float | None = None,
    limit_worst: float | None = None,
) -> Row:
    """Time a function: median and 99th percentile in milliseconds, after one run to warm up."""
    function()
    times = sorted(_timed(function) for _ in range(repeat))
    worst = times[min(len(times) - 1, int(0.99 * len(times)))]
    return Row(name, median(times), "ms", worst, limit, limit_worst)


def once(name: str, function: Callable[[], object], *, limit: float | None = None) -> Row:
    """Time a single run, in milliseconds."""
    return Row(name, _timed(function), "ms", limit=limit)


def _timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1e3


def resident(*, with_files: bool = False) -> float:
    """Return the memory of this process in MB, without mapped files unless asked for."""
    with open(f"/proc/{os.getpid()}/status") as stream:
        fields = dict(line.split(":", 1) for line in stream)
    names = ("RssAnon", "RssShmem", "RssFile") if with_files else ("RssAnon", "RssShmem")
    return sum(int(fields[name].split()[0]) for name in names) / 1024


@contextmanager
def peak_memory(*, with_files: bool = False) -> Iterator[list[float]]:
    """Give a list that ends up holding the greatest growth of memory within, in MB."""
    found, before, done = [0.0], resident(with_files=with_files), Event()

    def watch() -> None:
        while not done.wait(0.01):
            found[0] = max(found[0], resident(with_files=with_files) - before)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


@contextmanager
def blocked() -> Iterator[list[float]]:
    """Give a list of the times, in ms, for which a thread that wants to run every ms could not."""
    gaps: list[float] = []
    done = Event()

    def tick() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            gaps.append((now - last) * 1e3 - 1)
            last = now

    ticker = Thread(target=tick)
    ticker.start()
    try:
        yield gaps
    finally:
        done.set()
        ticker.join()


def table(rows: list[Row]) -> str:
    """Return the rows as text, those over budget marked."""
    lines = [f"{'':92} {'median':>10} {'99 %':>9} {'budget':>9}"]
    for row in rows:
        worst = "" if row.worst is None else f"{row.worst:9.2f}"
        limit = "" if row.limit is None else f"{row.limit:9.1f}"
        mark = "" if row.kept else "  OVER"
        lines.append(f"{row.name:92} {row.value:10.2f} {worst:>9} {limit:>9} {row.unit}{mark}")
    return "\n".join(lines)

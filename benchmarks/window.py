"""The whole program: start to picture, memory, and how long the event loop was blocked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.make_big import big_image
from benchmarks.timing import Row

__all__ = ["rows"]

RUNS = 5


def rows() -> list[Row]:
    """Measure a start with a 2k image and with the 20k image, in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JVIZ_HOME"] = folder
        try:
            return [*_imports(), *_start(Path(folder)), *_big()]
        finally:
            del os.environ["JVIZ_HOME"]


def _imports() -> list[Row]:
    code = "import time; t = time.perf_counter(); import jviz, sys; t = time.perf_counter() - t; assert 'PySide6' not in sys.modules; print(t)"  # noqa: E501
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return [Row("import jviz", median(times), "s", max(times), limit=0.3)]


def _probe(path: Path, settle: float = 1.0) -> dict[str, float]:
    environment = {**os.environ, "JVIZ_BENCH_BORN": repr(time.time())}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    command = [sys.executable, "-m", "benchmarks.start_probe", str(path), str(settle)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def _start(folder: Path) -> list[Row]:
    from jviz.backend.demo import make_demo

    mosaic = next(p for p in make_demo(folder) if "i2d" in p.name or "mosaic" in p.name)
    _probe(mosaic)
    runs = [_probe(mosaic, settle=3.0) for _ in range(RUNS)]
    return [
        _of(runs, "start to window", "window", "s"),
        _of(runs, "start to a 2k image drawn", "drawn", "s", limit=2.0),
        _of(runs, "longest block of the event loop, start with a 2k image", "blocked", "ms", limit=33),
    ]


def _big() -> list[Row]:
    path = big_image()
    _read_through(path)
    bare = _probe(Path(os.environ["JVIZ_HOME"]) / next(_demo_names()))["memory"]
    cold, warm = _probe(path), _probe(path)
    return [
        Row("20k image: start to first pixels, warm page cache", cold["drawn"], "s"),
        Row("20k image: first pixels to sharp everywhere, no pyramid yet", cold["sharp"] - cold["drawn"], "s", limit=5),
        Row("20k image: first pixels to sharp, pyramid in the cache", warm["sharp"] - warm["drawn"], "s"),
        Row("20k image: longest block of the event loop", max(cold["blocked"], warm["blocked"]), "ms", limit=33),
        Row("20k image: memory above the program with a 2k image", max(cold["memory"], warm["memory"]) - bare, "MB",
            limit=600),
    ]  # fmt: skip


def _demo_names():
    from jviz.backend.demo import make_demo

    return (p.name for p in make_demo(Path(os.environ["JVIZ_HOME"])) if "i2d" in p.name or "mosaic" in p.name)


def _read_through(path: Path) -> None:
    """Bring a file into the page cache."""
    with path.open("rb") as stream:
        while stream.read(1 << 24):
            pass


def _of(runs: list[dict[str, float]], name: str, key: str, unit: str, *, limit: float | None = None) -> Row:
    values = [run[key] for run in runs]
    return Row(name, median(values), unit, max(values), limit)

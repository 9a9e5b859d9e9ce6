"""The whole program: start to picture, memory, and how long the event loop was blocked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.make_big import big_image
from benchmarks.timing import Row, with_byte_code

__all__ = ["rows"]

RUNS = 5
SCENE_RUNS = 3
BLOCK = 33
HELD = "any of these, without waiting for a processor"

IDLE = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from benchmarks.monitor import LoopMonitor
application, monitor = QApplication(["idle"]), LoopMonitor()
monitor.start()
QTimer.singleShot(8000, application.quit)
application.exec()
print(monitor.longest)
"""


def rows() -> list[Row]:
    """Measure a start with a 2k image and with the 20k image, in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        before = dict(os.environ)
        surroundings = {**with_byte_code(Path(folder)), "JVIZ_HOME": folder}
        os.environ.clear()
        os.environ |= surroundings
        try:
            return [*_imports(), _idle(), *_start(Path(folder)), *_scenes(), *_big()]
        finally:
            os.environ.clear()
            os.environ |= before


def _imports() -> list[Row]:
    code = "import time; t = time.perf_counter(); import jviz, sys; t = time.perf_counter() - t; assert 'PySide6' not in sys.modules; print(t)"  # noqa: E501
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return [Row("import jviz", median(times), "s", max(times), limit=0.3)]


def _idle() -> Row:
    """Measure a program that does nothing: how much of what follows is the machine's own."""
    times = [float(_output("-c", IDLE)) for _ in range(SCENE_RUNS)]
    return Row("for comparison: longest block of an idle event loop in 8 s", median(times), "ms", max(times))


def _output(*arguments: str) -> str:
    """Run Python with a window system and return the last line that it prints."""
    environment = {**os.environ, "JVIZ_BENCH_BORN": repr(time.time())}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    run = subprocess.run([sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout.splitlines()[-1]


def _probe(path: Path, settle: float = 1.0) -> dict[str, float]:
    return json.loads(_output("-m", "benchmarks.start_probe", str(path), str(settle)))


def _scenes() -> list[Row]:
    """Measure what a hand does in a window with a 2k image."""
    return _of_scenes([json.loads(_output("-m", "benchmarks.scenes")) for _ in range(SCENE_RUNS)], "longest block: ")


def _start(folder: Path) -> list[Row]:
    from jviz.backend.demo import make_demo

    mosaic = next(p for p in make_demo(folder) if "i2d" in p.name or "mosaic" in p.name)
    _probe(mosaic)
    runs = [_probe(mosaic, settle=3.0) for _ in range(RUNS)]
    return [
        _of(runs, "start to window", "window", "s"),
        _of(runs, "start to a 2k image drawn", "drawn", "s", limit=2.0),
        _of(runs, "longest block of the event loop, start with a 2k image", "blocked", "ms", limit=BLOCK),
        _of(runs, "   without waiting for a processor", "held", "ms", limit=BLOCK),
    ]


def _big() -> list[Row]:
    path = big_image()
    _read_through(path)
    bare = _probe(Path(os.environ["JVIZ_HOME"]) / next(_demo_names()))["memory"]
    cold, warm = _probe(path), _probe(path)
    blocks = [*_big_scenes(path, "no pyramid yet", without=True), *_big_scenes(path, "pyramid in the cache")]
    return [
        Row("20k image: start to first pixels, warm page cache", cold["drawn"], "s"),
        Row("20k image: first pixels to sharp everywhere, no pyramid yet", cold["sharp"] - cold["drawn"], "s", limit=5),
        Row("20k image: first pixels to sharp, pyramid in the cache", warm["sharp"] - warm["drawn"], "s"),
        _of([cold, warm], "20k image: longest block of the event loop, start", "blocked", "ms", limit=BLOCK),
        _of([cold, warm], "   without waiting for a processor", "held", "ms", limit=BLOCK),
        *blocks,
        Row("20k image: memory above the program with a 2k image", max(cold["memory"], warm["memory"]) - bare, "MB",
            limit=600),
    ]  # fmt: skip


def _big_scenes(path: Path, title: str, *, without: bool = False) -> list[Row]:
    runs = []
    for _ in range(SCENE_RUNS):
        if without:
            shutil.rmtree(Path(os.environ["JVIZ_HOME"]) / "cache", ignore_errors=True)
        runs.append(json.loads(_output("-m", "benchmarks.scenes", str(path))))
    return _of_scenes(runs, f"20k image, {title}: longest block, ")


def _demo_names():
    from jviz.backend.demo import make_demo

    return (p.name for p in make_demo(Path(os.environ["JVIZ_HOME"])) if "i2d" in p.name or "mosaic" in p.name)


def _read_through(path: Path) -> None:
    """Bring a file into the page cache."""
    with path.open("rb") as stream:
        while stream.read(1 << 24):
            pass


def _of_scenes(runs: list[dict[str, list[float]]], title: str) -> list[Row]:
    """Return a row for each scene, and one for how long the longest is when other programs leave the processors."""
    longest = [{name: value[0] for name, value in run.items()} for run in runs]
    held = [{HELD: max(value[1] for value in run.values())} for run in runs]
    return [*(_of(longest, f"{title}{name}", name, "ms", limit=BLOCK) for name in runs[0]),
            _of(held, f"{title}{HELD}", HELD, "ms", limit=BLOCK)]  # fmt: skip


def _of(runs: list[dict[str, float]], name: str, key: str, unit: str, *, limit: float | None = None) -> Row:
    values = [run[key] for run in runs]
    return Row(name, median(values), unit, max(values), limit)

"""The Library panel with 10,000 files: what each action costs the window, and how long its event loop was blocked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Row

__all__ = ["rows"]

BLOCK = 33

CODE = """
import json, sys, time
from pathlib import Path
import benchmarks.library as files
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
import jviz
from benchmarks.monitor import LoopMonitor

folder = Path(sys.argv[1]) / "files"
files._write_files(folder)
application, found = QApplication(["library"]), {}
window = jviz.launch([])
window.resize(1400, 900)

def live(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        application.processEvents()
        time.sleep(0.0005)

live(8)
panel, monitor = window.panel("library"), LoopMonitor()
live(3)

def watch(name, act, until):
    monitor.start()
    act()
    end = time.monotonic() + 120
    while not until() and time.monotonic() < end:
        live(0.02)
    live(0.5)
    monitor.stop()
    found[name] = monitor.longest, monitor.longest_held

def tagged():
    return panel.rows is not None and str(panel.rows["tags"][0]) == "all"

def count():
    return -1 if panel.rows is None else len(panel.rows)

def tag():
    panel.table.selectAll()
    panel.details.tags.setText("all")
    panel.details._write_tags()

session = window.session
watch("nothing", lambda: None, lambda: True)
watch("a folder is linked", lambda: session.submit("library.link", folder=folder), lambda: count() == files.FILES)
watch("words are typed", lambda: QTest.keyClicks(panel.question.words, "jw0123400"), lambda: 0 < count() < files.FILES)
panel.question.clear()
live(3)
watch("all are tagged", tag, tagged)
watch("that is undone", session.undo, lambda: not tagged())
order = panel.table.horizontalHeader().sortIndicatorOrder()
watch("all, selected, are sorted", lambda: panel.table.sortByColumn(1, order), lambda: True)
watch("the folder is unlinked", lambda: session.submit("library.unlink", folder=folder), lambda: count() == 0)
watch("that is undone, too", session.undo, lambda: count() == files.FILES)
print(json.dumps(found))
sys.stdout.flush()
window.close_at_once()
session.close()
"""


def rows() -> list[Row]:
    """Measure in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "JVIZ_HOME": str(Path(folder) / "home"), "QT_QPA_PLATFORM": "offscreen"}
        run = subprocess.run([sys.executable, "-c", CODE, folder], env=environment, capture_output=True, text=True,
                             check=True)  # fmt: skip
    found = json.loads(run.stdout.strip().splitlines()[-1])
    idle, _ = found.pop("nothing")
    return [Row("longest block of a window that does nothing", idle),
            *(Row(f"longest block while {name}", value, limit=BLOCK) for name, (value, _) in found.items()),
            Row("any of these, without waiting for a processor", max(held for _, held in found.values()),
                limit=BLOCK)]  # fmt: skip

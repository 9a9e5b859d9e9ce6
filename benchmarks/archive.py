"""How an answer of 50,000 rows comes into the Archive panel: how long the window is held up meanwhile, and after it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Row, offscreen

__all__ = ["rows"]

ROWS = 50_000
FRAME = 33.0


def rows() -> list[Row]:
    """Measure with rows of a fixed seed, which a server in a process of its own gives."""
    with offscreen() as (application, folder):
        server = subprocess.Popen([sys.executable, "-m", "benchmarks.archive", str(folder)], stdout=subprocess.PIPE,
                                  stdin=subprocess.PIPE, text=True)  # fmt: skip
        os.environ["JVIZ_MAST_URL"] = server.stdout.readline().strip()
        try:
            return _search(application)
        finally:
            del os.environ["JVIZ_MAST_URL"]
            server.communicate("\n")


def _said(monitor: Any, name: str) -> list[Row]:
    return [Row(f"{name}: longest block of the window", monitor.longest, limit=FRAME),
            Row(f"{name}: the same without waiting for a processor", monitor.longest_held, limit=FRAME),
            Row(f"{name}: longest work of the window between two looks", monitor.busiest, limit=FRAME)]  # fmt: skip


def _search(application: Any) -> list[Row]:
    import jviz
    from benchmarks.monitor import LoopMonitor

    window = jviz.launch([])
    window.resize(1400, 950)
    panel = window.panel("archive")
    _until(application, lambda: window.startup.is_done)
    _until(application, lambda: False, 1.5)
    monitor, found = LoopMonitor(), []
    monitor.start()
    _until(application, lambda: False, 3.0)
    monitor.stop()
    found += _said(monitor, "for comparison: nothing happens")[:1]
    for name, more in (("the first time", ""), ("anew", "t_exptime=0..1e9"), ("as kept", "t_exptime=0..1e9")):
        panel.question.fields["program"].setText("1234")
        panel.question.more.setText(more)
        _until(application, lambda: False, 2.0)  # the count is asked meanwhile
        start = time.perf_counter()
        monitor.start()
        panel.search()
        _until(application, lambda: not panel._jobs)
        _until(application, lambda: panel.rows.facets.topLevelItemCount() > 0)
        _until(application, lambda: False, 0.5)
        monitor.stop()
        assert len(panel.rows.table) == ROWS, panel.about.text()
        found += _said(monitor, f"{ROWS:,} rows come, {name}")
        found.append(Row(f"{ROWS:,} rows come, {name}: blocks above 33 ms", monitor.above(FRAME), ""))
        found.append(Row(f"{ROWS:,} rows come, {name}: in all", 1000 * (time.perf_counter() - start)))
    found += _used(application, panel, monitor)
    window.close_at_once()
    window.session.close()
    return found


def _used(application: Any, panel: Any, monitor: Any) -> list[Row]:
    """Measure what a user does with the rows."""
    tree = panel.rows.facets

    def tick() -> None:
        from PySide6.QtCore import Qt

        tree.topLevelItem(1).child(0).setCheckState(0, Qt.CheckState.Checked)

    doings = {
        "a column sorted": lambda: panel.found.sortByColumn(5, panel.found.horizontalHeader().sortIndicatorOrder()),
        "a facet ticked": tick,
        "all selected": panel.found.selectAll,
        "added to the session": panel.add_as_data,
        "scrolled": lambda: panel.found.verticalScrollBar().setValue(20_000),
    }
    found = []
    for name, do in doings.items():
        monitor.start()
        do()
        _until(application, lambda: False, 0.6)
        monitor.stop()
        found += _said(monitor, f"{ROWS:,} rows, {name}")
    return found


def _until(application: Any, true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.perf_counter() + seconds
    while not true() and time.perf_counter() < end:
        application.processEvents()
        time.sleep(0.0005)


def serve(folder: Path) -> None:
    """Be a server with many observations until a line comes in; as a far one it takes nothing from the window."""
    from tests.archives import made
    from tests.standin import Standin

    os.nice(10)
    held = folder / "held"
    held.mkdir()
    made(held / "jw01234-o000_t001_nircam_clear-f200w_i2d.fits", 0)
    server = Standin(held)
    [first] = server.observations
    draw = np.random.default_rng(1)
    ra, dec = draw.uniform(0, 360, ROWS), np.degrees(np.arcsin(draw.uniform(-1, 1, ROWS)))
    instruments = ("NIRCAM/IMAGE", "MIRI/IMAGE", "NIRSPEC/MSA", "NIRISS/WFSS")
    server.__dict__["observations"] = [
        {**first, "obsid": str(2_000_000 + n), "obs_id": f"jw01234-o{n:06d}_t001_nircam_clear-f200w",
         "instrument_name": instruments[n % 4], "target_name": f"FIELD {n % 997}", "s_ra": ra[n], "s_dec": dec[n],
         "t_exptime": 10.0 + n % 5000, "t_min": 59800.0 + 0.01 * n}
        for n in range(ROWS)
    ]  # fmt: skip
    print(server.url, flush=True)
    sys.stdin.readline()
    server.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

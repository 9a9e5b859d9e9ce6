"""How long calibrations take: the panel, a warm worker, cancel, a chain of four exposures, the window meanwhile.

It needs simulated exposures with a CRDS cache of their own: ``$JVIZ_SIMULATED``, or ``shared/data/sim_nircam_sub160``
beside the checkout; without them, or without the pipelines, there are no rows.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QTimer

from benchmarks.monitor import LoopMonitor
from benchmarks.timing import Row, offscreen

__all__ = ["rows"]


def rows() -> list[Row]:
    """Measure with two warm workers."""
    from jviz.calibrations import installed

    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "sim_nircam_sub160"
    folder = Path(os.environ.get("JVIZ_SIMULATED", beside))
    if not installed() or not folder.is_dir():
        return []
    os.environ |= {"CRDS_PATH": str(folder / "crds"), "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu"}
    exposures = [str(path) for path in sorted(folder.glob("*_uncal.fits"))]
    with offscreen() as (application, _):
        return _measured(application, exposures)


def _measured(application: Any, exposures: list[str]) -> list[Row]:
    import jviz

    window = jviz.launch([exposures[0]])
    session = window.session
    _warm(session, exposures)
    found = [_panel(application, window)]
    monitor = LoopMonitor()
    monitor.start()
    for measured in (_chain, _begin, _cancel):
        found.append(measured(session, exposures))
    monitor.stop()
    found.append(Row("longest block of the window meanwhile", monitor.longest, limit=33))
    found.append(Row("the same without waiting for a processor", monitor.longest_held, limit=33))
    found.append(Row("most processor time of the window's thread in one go", monitor.busiest, limit=33))
    window.close_at_once()
    return found


def _warm(session: Any, exposures: list[str]) -> None:
    job = session.submit("calibration.run", inputs=exposures[:2])
    _wait(lambda: job.is_over)


def _panel(application: Any, window: Any) -> Row:
    start = time.perf_counter()
    panel = window.panel("calibration")
    _wait(lambda: panel.choice is not None)
    for row in panel.choice.rows:
        panel.form(row.info.name)
    application.processEvents()
    return Row("panel with all forms of Detector1", 1000 * (time.perf_counter() - start), limit=300)


def _chain(session: Any, exposures: list[str]) -> Row:
    start = time.perf_counter()
    job = session.submit("calibration.run", inputs=exposures, pipeline="all")
    _wait(lambda: job.is_over)
    job.result()
    return Row("four exposures of SUB160, uncal to i2d", time.perf_counter() - start, unit="s", limit=30)


def _begin(session: Any, exposures: list[str]) -> Row:
    start = time.perf_counter()
    job = session.submit("calibration.run", inputs=exposures[:1])
    live = session.calibrations.live
    _wait(lambda: bool(live and live[-1].job is job and live[-1].log))
    value = Row("a warm worker says its first word", 1000 * (time.perf_counter() - start), limit=200)
    _wait(lambda: job.is_over)
    return value


def _cancel(session: Any, exposures: list[str]) -> Row:
    job = session.submit("calibration.run", inputs=exposures[:2])
    _wait(lambda: any("dark" in step for _, step in session.calibrations.live[-1].steps))
    start = time.perf_counter()
    job.cancel()
    _wait(lambda: job.is_over)
    return Row("cancel", 1000 * (time.perf_counter() - start), limit=100)


def _wait(condition: Any) -> None:
    """Let the event loop run, as that of a window does, until something is true."""
    loop, timer = QEventLoop(), QTimer(interval=2)
    timer.timeout.connect(lambda: condition() and loop.quit())
    timer.start()
    loop.exec()

"""Opening the simulated sample data."""

from __future__ import annotations

from functools import partial
from typing import Any

from jviz.jobs import Job

__all__ = ["open_samples"]

SEED, RAW_SIZE = 20260101, 320
"""Of the raw exposures; a field of that size is calibrated in half a minute."""

WHICH = {"mosaic": ("_i2d.fits",), "cube": ("_s3d.fits",), "all": ("",)}


def open_samples(window: Any, which: str) -> Job:
    """Make the samples in a job when they are not there yet, and open those asked for."""
    session = window.session
    if which == "raw":
        return session.jobs.submit("Make sample data", partial(_raw_exposures, window))

    def work(job: Job) -> None:
        from jviz.backend.demo import sample_files

        paths = [path for path in sample_files(progress=job.report) if path.name.endswith(WHICH[which])]
        session.dispatcher.call(lambda: None if window.is_closed else window.open_files(paths))

    return session.jobs.submit("Make sample data", work)


def _raw_exposures(window: Any, job: Job) -> None:
    """Make raw exposures with their reference files, open them, and show the panel that calibrates them."""
    from jviz.backend.simulate import plan_of, simulate

    made = simulate(plan_of(seed=SEED, size=RAW_SIZE), progress=job.report)

    def show() -> None:
        if not window.is_closed:
            window.open_files(list(made.exposures))
            window.panel("calibration")

    window.session.dispatcher.call(show)

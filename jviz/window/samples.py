"""Opening the simulated sample data."""

from __future__ import annotations

from typing import Any

from jviz.jobs import Job

__all__ = ["open_samples"]

WHICH = {"mosaic": ("_i2d.fits",), "cube": ("_s3d.fits",), "all": ("",)}


def open_samples(window: Any, which: str) -> Job:
    """Make the samples in a job when they are not there yet, and open those asked for."""
    session = window.session

    def work(job: Job) -> None:
        from jviz.backend.demo import sample_files

        paths = [path for path in sample_files(progress=job.report) if path.name.endswith(WHICH[which])]
        session.dispatcher.call(lambda: None if window.is_closed else window.open_files(paths))

    return session.jobs.submit("Make sample data", work)

"""What the calibration panel has worked out in jobs."""

from __future__ import annotations

from typing import Any

from jviz.api import Job, JvizError, best_references, calibration_choice

__all__ = ["best_of", "looked_at"]


def looked_at(session: Any, inputs: Any, pipeline: str, job: Job) -> tuple:
    """Return the choice for inputs, what is wrong with them, and the names of the pipelines; start workers for it."""
    pipelines: tuple[str, ...] = ()
    try:
        catalogue = session.calibrations.catalogue(job)
        pipelines = catalogue.names
        choice = calibration_choice(catalogue, inputs, pipeline)
        session.calibrations.prepare(min(2, len(choice.paths)), cache=choice.cache)
        return choice, "", pipelines
    except JvizError as error:
        return None, str(error), pipelines


def best_of(choice: Any, job: Job) -> tuple:
    """Return the best reference files by type; none where CRDS has no answer."""
    try:
        return (best_references(choice),)
    except JvizError:
        return ({},)

"""Whether a run fits into memory and onto the disk, asked before it starts."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.backend.calibration.registry import header_of
from jviz.backend.files import nearest_folder
from jviz.errors import JvizError

__all__ = ["Budget", "budget_of", "budget_of_all", "check", "check_room"]

BASE = 450_000_000
"""Bytes of a worker that has imported the pipelines, with some room."""

RAMP_FACTOR = 18
"""Bytes that the jump step needs for each byte of a ramp in single precision (measured on full frames: 15 to 18)."""

PICTURE_FACTOR = 60
"""The same of pipelines on slopes and calibrated images, for each byte of one plane."""

LEVEL_3_FACTOR, CUBE_FACTOR = 80, 450
"""The same of those that combine exposures, which work on one after the other, and of those that make cubes of them
(measured on four full frames, and on two and four of MIRI's integral-field spectrometer)."""

SLICED = ("MIR_MRS", "NRS_IFU")

DISK_FACTORS = {"calwebb_detector1": 5.0, "calwebb_image2": 4.0, "calwebb_spec2": 6.0}
"""Bytes of all products for each byte of the input, at most."""

OTHER_DISK_FACTOR = 5.0
STEP_FACTOR = 3.0
"""For each step that keeps its product, the same."""


@dataclass(frozen=True)
class Budget:
    """What one input needs, in bytes."""

    memory: int
    disk: int


def budget_of(pipeline: str, path: Path, header: Mapping[str, Any], *, kept_steps: int = 0) -> Budget:
    """Estimate the memory and the disk that a pipeline takes for one file."""
    size = path.stat().st_size
    plane = 4 * int(header.get("SUBSIZE1", 2048) or 2048) * int(header.get("SUBSIZE2", 2048) or 2048)
    if pipeline in ("calwebb_detector1", "calwebb_dark"):
        groups = int(header.get("NGROUPS", 1) or 1)
        integrations = int(header.get("NINTS", 1) or 1)
        # jump works on one integration at a time; the cube of all of them is held twice beside it.
        memory = BASE + RAMP_FACTOR * plane * groups + 10 * plane * groups * (integrations - 1)
    else:
        memory = BASE + _factor(pipeline, header) * plane
    disk = size * (DISK_FACTORS.get(pipeline, OTHER_DISK_FACTOR) + STEP_FACTOR * kept_steps)
    return Budget(memory, math.ceil(disk))


def budget_of_all(pipeline: str, paths: Sequence[Path], *, kept_steps: int = 0) -> Budget:
    """Estimate the same for files that are worked on together, one after the other: the members of an association."""
    needs = [budget_of(pipeline, path, _header(path), kept_steps=kept_steps) for path in paths]
    return Budget(max(need.memory for need in needs), sum(need.disk for need in needs))


def _header(path: Path) -> Mapping[str, Any]:
    """Return the header of a member; catalogues and other tables have none that matters."""
    return header_of(path) if path.suffix.lower() == ".fits" else {"SUBSIZE1": 1, "SUBSIZE2": 1}


def _factor(pipeline: str, header: Mapping[str, Any]) -> int:
    if pipeline == "calwebb_spec3" and str(header.get("EXP_TYPE", "")).strip().upper() in SLICED:
        return CUBE_FACTOR
    return LEVEL_3_FACTOR if pipeline.endswith("3") else PICTURE_FACTOR


def check(budget: Budget, folder: Path, *, what: str) -> None:
    """Refuse what does not fit.

    Raises
    ------
    JvizError
        Says how much is needed, how much is there, and what to do.
    """
    import psutil

    free = psutil.virtual_memory().available
    if budget.memory > free:
        raise JvizError(
            f"{what} needs about {budget.memory / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free. Close other "
            "programs, or calibrate fewer exposures at a time."
        )
    check_room(budget.disk, folder, what=what, instead="keep fewer products of steps")


def check_room(needed: int, folder: Path, *, what: str, instead: str) -> None:
    """Refuse to write so many bytes when the disk has no room for them.

    Raises
    ------
    JvizError
        Says how much is needed, how much is there, and what to do.
    """
    there = nearest_folder(folder)
    left = shutil.disk_usage(there).free
    if needed > left:
        raise JvizError(
            f"{what} writes about {needed / 1e9:.2g} GB and {left / 1e9:.2g} GB are free in {there}. Free some space, "
            f"choose another folder, or {instead}."
        )

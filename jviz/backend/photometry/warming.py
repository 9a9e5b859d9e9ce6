"""Compiling the kernels of photometry before they are wanted: the first time on a machine this takes half a minute."""

from __future__ import annotations

import hashlib
import importlib
import sys
from importlib.metadata import version
from pathlib import Path

from jviz.backend import cache
from jviz.backend.progress import Progress, silent

__all__ = ["is_warm", "warm"]

MODULES = ("smoothing", "kernels", "label_kernels", "mesh_kernels", "peak_kernels", "psf_kernels", "morphology_kernels",
           "isophote_kernels")  # fmt: skip


def is_warm() -> bool:
    """Whether the kernels were compiled on this machine as they are now."""
    return _mark().exists()


def warm(progress: Progress = silent) -> None:
    """Compile what is not yet compiled, or only load it; for a process of its own, since it keeps Python busy.

    numba keeps what it has compiled in files, which other processes load in a moment.
    """
    for number, name in enumerate(MODULES):
        progress(number, len(MODULES), f"compiling {name.replace('_', ' ')}")
        importlib.import_module(f"jviz.backend.photometry.{name}")
    _measure_one_galaxy()
    _mark().touch()


def _measure_one_galaxy() -> None:
    """Use the kernels that are compiled when they are called."""
    import numpy as np

    from jviz.backend.photometry import morphology_kernels as kernels
    from jviz.backend.photometry.isophotes import fit_isophotes

    values = np.ones((8, 8))
    values = kernels.stamp_values(values, values < 0, np.zeros((8, 8), np.int32), 1)
    kernels.least_asymmetry(values, 3.5, 3.5, 3.0, 1, 1.0)
    kernels.ellipse_growth(values[..., None], 3.5, 3.5, 0.5, 0.0, 1.0, np.zeros((3, 1)), np.zeros(3))
    kernels.asymmetry(values, values, 3.5, 3.5, 3.0)
    y, x = np.mgrid[:41, :41] - 20.0
    fit_isophotes(np.exp(-np.hypot(x, y / 0.7) / 5), (20, 20), 8.0, 0.3, 0.0, maximum=15.0)


def _mark() -> Path:
    """Return the file that says so: of this Python, numba and source."""
    source = [Path(__file__).with_name(f"{name}.py") for name in MODULES]
    text = repr([sys.version, version("numba"), [(str(p), p.stat().st_mtime_ns) for p in source]])
    return cache.folder("numba") / f"photometry-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

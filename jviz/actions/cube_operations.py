"""Commands that make cubes of cubes: smoothed, matched in their PSF, freed of their continuum, signal over noise."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.cubes import smoothing
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.cube_making import NewCube, by_channels, by_rows
from jviz.cube_measuring import CubeMeasure
from jviz.data import Cube
from jviz.region_statistics import DEFAULT_FLAGS
from jviz.session import Session

MENU = "Cube/Operations"


@command("cube.smooth", title="Smooth Cube…", menu=MENU, job=True, needs="cube", group="filter", icon="fa6s.droplet")
def smooth(
    session: Session,
    data: Cube,
    axis: Literal["spectral", "spatial"] = "spectral",
    sigma: float = 2.0,
    *,
    kernel: smoothing.Kernel = "gaussian",
    fill: bool = False,
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Cube:
    """Smooth a cube along the spectrum or on the sky; missing values take no part, and edges do not darken.

    Parameters
    ----------
    axis : {"spectral", "spatial"}
    sigma : float
        In channels or spaxels: σ of the Gaussian, full width of the box, or the odd side of the median.
    kernel : {"gaussian", "box", "median"}
    fill : bool
        Give missing values the mean of those round them; else they stay missing.
    exclude_flags : list of str, str or int
        Values with these data quality flags count as missing; DO_NOT_USE by default.

    Notes
    -----
    Errors are those of independent values. Afterwards neighbours are correlated: errors of sums over the result are
    larger than its errors added in quadrature.
    """
    measure = CubeMeasure(session, data, exclude_flags)
    new = NewCube(measure)
    axes, walk = ((0,), by_rows) if axis == "spectral" else ((1, 2), by_channels)

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        return smoothing.smoothed(values, variance, axes, kernel, sigma, fill=fill)

    walk(new, work, "smoothing", progress)
    what = f"{data.name} smoothed, {axis}, {kernel} of {sigma:g} {'channels' if axis == 'spectral' else 'spaxels'}"
    return new.made(name.strip() or f"{data.name} smoothed", what, flags=data.product.plane("flags"))

"""The command that bins spaxels to a signal-to-noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.actions.cube_operations import MENU
from jviz.backend.cubes.binning import Bins, binned_spectra, bins_of, signal_and_noise
from jviz.backend.images.picture import Extra, Picture
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.cube_making import NewCube
from jviz.cube_measuring import CubeMeasure, channel_shares
from jviz.data import Cube, Data, Image
from jviz.flags import DEFAULT_FLAGS
from jviz.pictures import data_from, plane_wcs
from jviz.session import Session


@command("cube.bin_snr", title="Bin to Signal-to-Noise…", menu=MENU, job=True, needs="cube", group="grid",
         icon="fa6s.table-cells")  # fmt: skip
def bin_snr(
    session: Session,
    data: Cube,
    target: float = 10.0,
    spectral: Any = None,
    *,
    minimum: float = 0.0,
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> list[Data]:
    """Join neighbouring spaxels into round bins of about the same signal-to-noise.

    Parameters
    ----------
    target : float
        Signal-to-noise of a channel that a bin should have.
    spectral : ranges or name of a spectral subset, optional
        Channels that signal and noise are taken from; the whole cube by default.
    minimum : float
        Spaxels whose own signal-to-noise is below this are in no bin.
    exclude_flags : list of str, str or int
        Values with these data quality flags are left out; DO_NOT_USE by default.

    Returns
    -------
    list of Data
        An image of the bins, numbered from 1, with signal-to-noise and spaxels of each in further planes; and the cube
        in which each spaxel has the mean spectrum of its bin, with its error.

    Notes
    -----
    Bins grow from the brightest spaxel on (Cappellari & Copin 2003, MNRAS 342, 345) and are then made round by a
    weighted Voronoi tessellation (Diehl & Statler 2006, MNRAS 368, 497). Noise is taken as independent between
    spaxels; that of a cube without errors is estimated from its channels (DER_SNR, Stoehr et al. 2008).
    """
    measure = CubeMeasure(session, data, exclude_flags)
    shares = channel_shares(session, measure.axis, spectral)
    signal, noise = signal_and_noise(measure.source, shares, measure.variance, progress)
    bins = bins_of(signal, noise, target, minimum=minimum, progress=progress)
    new = NewCube(measure)
    binned_spectra(measure.source, bins, measure.variance, new.put, progress)
    what = f"{data.name} in {len(bins.count)} bins of a signal-to-noise of about {target:g}"
    title = name.strip() or f"{data.name} binned"
    return [_map(data, bins, f"bins of {data.name}", what), new.made(title, what)]


def _map(data: Cube, bins: Bins, name: str, what: str) -> Image:
    inside = bins.number >= 0
    planes = []
    for values in (np.arange(1, len(bins.count) + 1), bins.snr, bins.count):
        plane = np.full(bins.number.shape, np.nan, np.float32)
        plane[inside] = values[bins.number[inside]]
        planes.append(plane)
    others = (Extra("SNR", "other", "", planes[1]), Extra("SPAXELS", "other", "", planes[2]))
    return data_from(Picture(planes[0], None, None, "", plane_wcs(data), others), name, data, what)

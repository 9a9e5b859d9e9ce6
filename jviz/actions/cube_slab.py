"""The command that cuts a range of channels out of a cube."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.cubes.grids import moved_wcs
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.cube_making import NewCube, read
from jviz.cube_measuring import CubeMeasure, channel_shares
from jviz.data import Cube
from jviz.session import Session


@command("cube.slab", title="Cut Out a Slab…", menu="Cube/Operations", needs="cube", group="parts", job=True,
         icon="fa6s.scissors")  # fmt: skip
def slab(session: Session, data: Cube, spectral: Any, *, name: str = "", progress: Progress) -> Cube:
    """Make a cube of the channels in a spectral range, with errors and flags as they are.

    Parameters
    ----------
    spectral : ranges or name of a spectral subset
        ``(4.9 * u.um, 5.1 * u.um)``, a SpectralRegion …: from the first to the last channel of which at least half
        lies inside; of several ranges all that lies between, too.
    """
    measure = CubeMeasure(session, data, 0)
    shares = channel_shares(session, measure.axis, spectral)
    inside = np.flatnonzero(shares >= min(0.5, shares.max()))
    first, last = int(inside[0]), int(inside[-1]) + 1
    new = NewCube(measure, (last - first, *measure.source.shape[1:]))
    for number, channel in enumerate(range(first, last)):
        progress(number, last - first, "copying channels")
        one = slice(channel, channel + 1)
        new.put(slice(number, number + 1), *read(measure, (one, slice(None), slice(None))))
    axis, flags = measure.axis.sliced(first, last), data.product.plane("flags")
    if flags is not None and flags.shape == data.plane().shape:
        flags = _cut(flags, first, last)
    ends = " to ".join(f"{axis.values[n]:.6g}" for n in (0, -1))
    what = f"channels {first} to {last - 1} ({ends} {axis.unit}) of {data.name}"
    wcs = moved_wcs(data.wcs, (1, 1, 1), (first, 0, 0))
    return new.made(name.strip() or f"{data.name} {ends} {axis.unit}".strip(), what, axis=axis, wcs=wcs, flags=flags)


def _cut(plane: Any, first: int, last: int) -> Any:
    from dataclasses import replace

    return replace(
        plane, shape=(last - first, *plane.shape[1:]), load=lambda progress: plane.raw(progress)[first:last],
        identity=None, _raw=None,
    )  # fmt: skip

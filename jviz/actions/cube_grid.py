"""Commands that change the grid of cubes: cropped, rebinned, masked, with their axes in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jviz.actions.cube_operations import MENU
from jviz.backend.cubes.grids import moved_wcs
from jviz.backend.cubes.turning import turned_product
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.cube_making import NewCube, by_channels, cut_out, is_summed, read
from jviz.cube_measuring import CubeMeasure, channel_shares, channels_within
from jviz.data import Cube
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.session import Session


@command("cube.crop", title="Crop Cube…", menu=MENU, job=True, needs="cube", group="cut", icon="fa6s.crop")
def crop(
    session: Session, data: Cube, region: Any = None, spectral: Any = None, *, name: str = "", progress: Progress
) -> Cube:
    """Cut a part out of a cube: the box round a region, the channels of a range, or both.

    Parameters
    ----------
    region : region, mask or name of a subset, optional
        All spaxels by default.
    spectral : ranges or name of a spectral subset, optional
        From the first to the last channel of which at least half is inside; all by default.
    """
    measure = CubeMeasure(session, data, 0)
    channels = channels_within(session, measure.axis, spectral)
    rows, columns = (slice(int(part.start), int(part.stop)) for part in measure.spaxels(region).box)
    what = (
        f"{data.name}, channels {channels.start} to {channels.stop - 1}, columns {columns.start} to "
        f"{columns.stop - 1}, rows {rows.start} to {rows.stop - 1}, counted from 0"
    )
    return cut_out(measure, (channels, rows, columns), name.strip() or f"{data.name} cropped", what, progress)


@command("cube.slab", title="Cut Out a Slab…", menu=MENU, job=True, needs="cube", group="parts", icon="fa6s.scissors")
def slab(session: Session, data: Cube, spectral: Any, *, name: str = "", progress: Progress) -> Cube:
    """Make a cube of the channels in a spectral range, with errors and flags as they are.

    Parameters
    ----------
    spectral : ranges or name of a spectral subset
        ``(4.9 * u.um, 5.1 * u.um)``, a SpectralRegion …: from the first to the last channel of which at least half
        lies inside; of several ranges all that lies between, too.
    """
    measure = CubeMeasure(session, data, 0)
    channels = channels_within(session, measure.axis, spectral)
    values = measure.axis.values[channels]
    ends = f"{values[0]:.6g} to {values[-1]:.6g} {measure.axis.unit}".strip()
    _, ny, nx = measure.source.shape
    what = f"channels {channels.start} to {channels.stop - 1} ({ends}) of {data.name}"
    where = (channels, slice(0, ny), slice(0, nx))
    return cut_out(measure, where, name.strip() or f"{data.name} {ends}", what, progress)


@command(
    "cube.rebin", title="Rebin Cube…", menu=MENU, job=True, needs="cube", group="grid", icon="fa6s.table-cells-large"
)
def rebin(
    session: Session,
    data: Cube,
    spectral: int = 1,
    spatial: int = 1,
    *,
    how: Literal["auto", "mean", "sum"] = "auto",
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Cube:
    """Join blocks of channels and spaxels; what does not fill a block at the end is left out.

    Parameters
    ----------
    spectral, spatial : int
        Channels, and spaxels along both sides, that become one.
    how : {"auto", "mean", "sum"}
        Over spaxels: fluxes and counts are summed; surface brightness, temperatures and what has no unit (BUNIT), such
        as a ratio, are averaged, so that values stay. Channels are averaged, as values are densities along the
        spectrum, except with "sum", which adds up everything. Missing values are left out; a sum is scaled to the whole
        block. The history of the result says what was done.
    exclude_flags : list of str, str or int
        Values with these data quality flags count as missing; DO_NOT_USE by default.
    """
    measure = CubeMeasure(session, data, exclude_flags, one_beam=spectral > 1)
    n, ny, nx = measure.source.shape
    if not (1 <= spectral <= n and 1 <= spatial <= min(ny, nx)):
        raise CommandError(
            f"A cube of {n} channels and {nx} × {ny} spaxels cannot be rebinned by {spectral} and {spatial}; use "
            "factors from 1 to its size."
        )
    shape = (n // spectral, ny // spatial, nx // spatial)
    summed = how == "sum" or (how == "auto" and is_summed(data.unit))
    factor = float((spectral if how == "sum" else 1) * (spatial**2 if summed else 1))
    new = NewCube(measure, shape)
    for first in range(shape[0]):
        progress(first, shape[0], "rebinning")
        part = slice(first * spectral, (first + 1) * spectral)
        values, variance = read(measure, (part, slice(0, shape[1] * spatial), slice(0, shape[2] * spatial)))
        new.put(first, *_joined(values, variance, spatial, factor))
    values = measure.axis.values[: shape[0] * spectral].reshape(shape[0], spectral).mean(axis=1)
    return new.made(
        name.strip() or f"{data.name} rebinned",
        f"{data.name} in blocks of {spectral} channels, {'summed' if how == 'sum' else 'averaged'}, and {spatial} × "
        f"{spatial} spaxels, {'summed' if summed else 'averaged'}{_reason(how, data.unit, summed)}",
        axis=replace(measure.axis, values=values),
        wcs=moved_wcs(data.wcs, (spectral, spatial, spatial), (0, 0, 0)),
        without=("PIXAR_SR", "PIXAR_A2") if spatial > 1 else (),
    )


def _reason(how: str, unit: str, summed: bool) -> str:
    if how != "auto":
        return ""
    return f" (as the unit {unit} is {'no' if summed else 'a'} brightness)" if unit else " (as there is no unit)"


def _joined(
    values: np.ndarray, variance: np.ndarray | None, spatial: int, factor: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Average blocks and multiply by a factor."""
    n, ny, nx = values.shape
    blocks = (n, ny // spatial, spatial, nx // spatial, spatial)
    good = np.isfinite(values)
    count = good.reshape(blocks).sum(axis=(0, 2, 4))
    scale = np.where(count > 0, factor / np.maximum(count, 1), np.nan)
    total = np.where(good, values, 0.0).reshape(blocks).sum(axis=(0, 2, 4))
    if variance is None:
        return total * scale, None
    noise = np.where(good, np.nan_to_num(variance), 0.0).reshape(blocks).sum(axis=(0, 2, 4))
    return total * scale, noise * scale**2


@command("cube.mask", title="Mask Cube…", menu=MENU, job=True, needs="cube", group="cut", icon="fa6s.mask")
def mask(
    session: Session,
    data: Cube,
    region: Any = None,
    minimum_snr: float | None = None,
    *,
    spectral: Any = None,
    keep: Literal["inside", "outside"] = "inside",
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Cube:
    """Keep what lies in a region, in a spectral range or above a signal-to-noise; the rest becomes NaN.

    Parameters
    ----------
    region : region, mask or name of a subset, optional
        Spaxels whose centre is inside count.
    minimum_snr : float, optional
        Values below so many times their error go.
    spectral : ranges or name of a spectral subset, optional
    keep : {"inside", "outside"}
        Of the region and the range; with "outside" only what lies in both goes.
    exclude_flags : list of str, str or int
        Values with these data quality flags become NaN too; DO_NOT_USE by default.
    """
    measure = CubeMeasure(session, data, exclude_flags)
    if minimum_snr is not None and measure.variance is None:
        raise CommandError(f"{data.name} has no errors (ERR, variances), so it cannot be masked by signal-to-noise.")
    if all(one is None or one == "" for one in (minimum_snr, spectral)) and (
        region is None or (isinstance(region, str) and not region)
    ):
        raise CommandError("Say what to keep: a region, a spectral range or a least signal-to-noise.")
    found = measure.spaxels(region, "center")
    inside = np.zeros(measure.source.shape[1:], bool)
    inside[found.rows, found.columns] = True
    channels = channel_shares(session, measure.axis, spectral) >= 0.5
    limits = region is not None or spectral is not None
    new, done = NewCube(measure), iter(range(0, measure.source.shape[0]))

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        kept = np.stack([inside & channels[next(done)] for _ in values])
        if limits:
            values = np.where(kept == (keep == "inside"), values, np.nan)
        if minimum_snr is not None and variance is not None:
            with np.errstate(invalid="ignore"):
                values = np.where(values >= minimum_snr * np.sqrt(variance), values, np.nan)
        return values, None if variance is None else np.where(np.isfinite(values), variance, np.nan)

    by_channels(new, work, "masking", progress)
    if not new.has_values:
        raise CommandError(f"Nothing of {data.name} is left; choose another region or a lower signal-to-noise.")
    said = [f"{keep} of {one}".splitlines()[0] for one in (region, spectral) if one is not None]
    if minimum_snr is not None:
        said.append(f"signal-to-noise from {minimum_snr:g}")
    what = f"{data.name} masked: {', '.join(said)}"
    return new.made(name.strip() or f"{data.name} masked", what, flags=data.product.plane("flags"))


@command("cube.transpose", title="Axes in Another Order…", menu=MENU, job=True, needs="cube", group="grid",
         icon="fa6s.shuffle")  # fmt: skip
def transpose(data: Cube, order: tuple[int, int, int] = (1, 2, 0), *, name: str = "") -> Cube:
    """Give a cube its axes in another order, for files that other programs want so; all planes and the WCS follow.

    Parameters
    ----------
    order : (int, int, int)
        Which of 0 (spectral), 1 (y) and 2 (x) comes first, second and third in the array, and in exported
        files. jviz shows the spectral axis first in any case.
    """
    order = tuple(int(axis) for axis in order)  # type: ignore[assignment]
    if sorted(order) != [0, 1, 2]:
        raise CommandError(f"{order} is no order of the axes; give each of 0 (spectral), 1 (y) and 2 (x) once.")
    made = turned_product(data.product, order)
    title = name.strip() or f"{data.name} with axes {' '.join('zyx'[axis] for axis in order)}"
    product = replace(made, name=title, path=None, planes={n: replace(p, _raw=None) for n, p in made.planes.items()})
    cube = Cube(product, title, choice=_spectral_at(order.index(0)))
    cube._axis = replace(data.axis, array_axis=0)
    return cube


def _spectral_at(place: int) -> Any:
    from jviz.spectral import AxisChoice

    return AxisChoice(axis=place)

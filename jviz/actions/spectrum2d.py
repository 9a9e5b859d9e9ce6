"""Commands on two-dimensional spectra: trace, extract, and look across."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress
from jviz.backend.spectra.extraction import Background
from jviz.backend.spectra.rectifying import rectified, straightened
from jviz.backend.spectra.tracing import Finder, profile_across
from jviz.backend.units import parse_unit
from jviz.commands import command
from jviz.data import Profile, Spectrum, Spectrum2D, from_product
from jviz.errors import CommandError, JvizError
from jviz.running import Apply
from jviz.session import Session
from jviz.spectra2d import (
    Dispersion,
    centre_of,
    extracted_from,
    frame_of,
    holds_of,
    lit_of,
    made_spectrum2d,
    path_of,
    trace_name,
    trace_on,
    traced,
    windows_of,
)
from jviz.spectral import made_spectrum
from jviz.subsets import Subset, next_color

MENU = "Spectrum/2-D Spectrum"
Trace = Any
Windows = Sequence[tuple[float, float]] | None


@command(
    "spectrum2d.trace", title="Trace…", menu=MENU, job=True, needs="image", group="trace", icon="fa6s.bezier-curve"
)
def trace(
    session: Session,
    data: Spectrum2D,
    method: Finder | Literal["by hand"] = "gaussian",
    order: int = 2,
    *,
    guess: float | None = None,
    points: Any = None,
    reach: float = 5.0,
    sigma: float = 3.0,
    dispersion: Dispersion = "auto",
    name: str = "",
    progress: Progress,
) -> Apply:
    """Find where the source lies on a 2-D spectrum, and keep it as a path that is drawn and can be moved by hand.

    Parameters
    ----------
    method : str
        gaussian, centroid or peak, found in 48 sums of columns and laid through by a polynomial; or by hand.
    order : int
        Of the polynomial.
    guess : float, optional
        Row (column, where wavelengths run upwards) of the source; the brightest one by default.
    points : float or list of (x, y), optional
        By hand: a row, or points on the image.
    reach : float
        Pixels on either side in which the source is looked for.
    sigma : float
        Places beyond that many robust deviations are left out.
    dispersion : str
        Along which axis wavelengths run: x, y, or auto.
    name : str, optional
        "trace" by default, "trace of …" for further data; a trace of that name is replaced.
    """
    progress(0, 1, f"tracing {data.name}")
    frame = frame_of(data, dispersion)
    if method == "by hand" or points is not None:
        if points is None:
            raise CommandError("A trace by hand needs points: a row, or [(x, y), …] on the image.")
        centre = centre_of(points, frame.flux.shape[1], frame.turned)
    else:
        centre = traced(data, frame, finder=method, order=order, guess=guess, window=reach, sigma=sigma)
    region, title = path_of(centre, frame.turned, lit_of(frame)), name or trace_name(session, data)

    def keep() -> Subset:
        old = session.subsets.get(title) or Subset(title, region, color=next_color(session.subsets))
        subset = old.but(region=region, data=data)
        session.set_subsets({**session.subsets, title: subset})
        return subset

    return Apply(keep, f"Trace {data.name}")


@command(
    "spectrum2d.extract", title="Extract Spectrum…", menu=MENU, job=True, needs="image", group="trace",
    icon="mdi6.arrow-collapse-vertical",
)  # fmt: skip
def extract(
    session: Session,
    data: Spectrum2D,
    trace: Trace = None,
    method: Literal["boxcar", "horne"] = "boxcar",
    width: float = 6.0,
    background: Windows = None,
    *,
    edges: tuple[float, float] | None = None,
    fit: Background = "median",
    order: int = 1,
    sigma: float = 5.0,
    exclude_flags: Any = None,
    dispersion: Dispersion = "auto",
    name: str = "",
    progress: Progress,
) -> Spectrum:
    """Sum the light along a trace into a spectrum, with errors and bad pixels left out.

    Parameters
    ----------
    trace : name of a subset, region, row or list of (x, y), optional
        The one that spectrum2d.trace made by default; else the source is looked for.
    method : str
        boxcar: the plain sum within the width; horne: the optimal sum, weighted by profile and errors.
    width : float
        In pixels, across the trace; cut pixels count by their share.
    background : list of (low, high), optional
        Windows in pixels from the trace: ``[(-12, -6), (6, 12)]``; on one side or both, as far as you like.
    edges : (low, high), optional
        In place of a width: lower and upper edge of the light, in pixels from the trace, ``(-2, 4)``.
    fit, order : str, int
        Median of the windows, or a polynomial of that order through them, column by column.
    sigma : float
        The optimal sum leaves out pixels that are that far off the profile.
    exclude_flags : list of str or int, optional
        Flags besides DO_NOT_USE whose pixels are left out.

    Returns
    -------
    Spectrum
        MJy/sr times the area of a pixel (PIXAR_SR), and the MJy of JWST point sources, become Jy; other units stay,
        summed over pixels.
    """
    progress(0, 1, f"extracting from {data.name}")
    frame = frame_of(data, dispersion, exclude_flags)
    centre = trace_on(session, data, frame, trace)
    span = width if edges is None else edges
    samples = extracted_from(
        data, frame, centre, method, span, windows=windows_of(background), background=fit, order=order, sigma=sigma
    )
    if not samples.good.any():
        raise CommandError(f"No column of {data.name} has light along that trace; move it onto the source.")
    what = f"of {width:g} pixels" if edges is None else f"of {edges[0]:g} to {edges[1]:g} pixels from the trace"
    return made_spectrum(samples, name or f"{data.name} 1-D", f"{method} {what} in {data.name}")


@command(
    "spectrum2d.rectify", title="Rectify…", menu=MENU, job=True, needs="image", group="trace",
    icon="mdi6.rectangle-outline",
)  # fmt: skip
def rectify(
    session: Session,
    data: Spectrum2D,
    trace: Trace = None,
    *,
    straighten: bool = False,
    step: float | None = None,
    holds: Literal["auto", "density", "counts"] = "auto",
    dispersion: Dispersion = "auto",
    name: str = "",
    progress: Progress,
) -> Spectrum2D:
    """Make tilted and curved lines straight: each column of the result is one wavelength, along x.

    Channels are shared out by their overlap, so that the flux of a line stays in every row. Errors are those of
    independent input pixels. Of a slit on a small part of a detector the rows with light are kept.

    Parameters
    ----------
    trace : name of a subset, region, row or list of (x, y), optional
        The columns get the wavelengths of the row that it lies on in the middle.
    straighten : bool
        Shift the columns, too, so that the trace (found, when none is given) lies on one row.
    step : float, optional
        Equal steps, in the unit of the wavelengths; the steps of that row by default.
    holds : str
        Whether values are densities (surface brightness, Jy, per Å), or counts of a whole pixel; by the unit.
    dispersion : str
        Along which axis wavelengths run: x, y, or auto.
    """
    frame = frame_of(data, dispersion)
    known = straighten or trace is not None or trace_name(session, data) in session.subsets
    centre = trace_on(session, data, frame, trace) if known else None
    row = None if centre is None else float(np.median(centre))
    kind = holds_of(data.unit) if holds == "auto" else holds
    try:
        made, home = rectified(frame, row, step=step, holds=kind, progress=progress), None
        if straighten and centre is not None:
            made, home = straightened(made, frame, centre)
    except JvizError as error:
        raise CommandError(f"{data.name} cannot be rectified: {error}.") from None
    made, below = made.of_slit()
    on = "" if home is None else f", trace on row {home - below:g}"
    return made_spectrum2d(made, data, name or f"{data.name} rectified", f"{data.name} rectified{on}")


@command(
    "spectrum2d.profile", title="Profile across the Slit…", menu=MENU, job=True, needs="image", group="trace",
    icon="fa6s.chart-area",
)  # fmt: skip
def profile(
    session: Session,
    data: Spectrum2D,
    trace: Trace = None,
    *,
    straighten: bool = False,
    dispersion: Dispersion = "auto",
) -> Profile:
    """Take the median light along the dispersion, row by row, or by the distance from a trace.

    Parameters
    ----------
    trace : name of a subset, region, row or list of (x, y), optional
    straighten : bool
        By the distance from the trace, which is found when none is given.
    """
    from astropy.table import QTable
    from astropy.units import pix

    from jviz.conversion.taken import take_profile

    frame = frame_of(data, dispersion)
    along = straighten or trace is not None
    offsets, light, error = profile_across(frame, trace_on(session, data, frame, trace) if along else None)
    title, unit = "offset" if along else "row", parse_unit(data.unit) if data.unit else None
    columns: dict[str, Any] = {title: offsets * pix, "signal": light if unit is None else light * unit}
    if error is not None:
        columns["signal_err"] = error if unit is None else error * unit
    label = "Offset from the trace" if along else "Across the dispersion"
    table = QTable(columns, meta={"x": title, "y": "signal", "x_label": label, "y_label": data.name})
    product = take_profile(table, f"profile of {data.name}", f"profile across {data.name}")
    return from_product(product)  # type: ignore[return-value]

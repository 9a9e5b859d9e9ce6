"""Commands of time series: light curves of integrations, and how their scatter falls when they are binned."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.actions.view import open_view, place
from jviz.backend.progress import Progress
from jviz.backend.timeseries.curves import Curve, binned, curve_of_stack, decorrelated, outliers, scatter_by_bin
from jviz.backend.timeseries.times import Times, times_of
from jviz.catalogs import catalog_of, evaluated
from jviz.commands import command
from jviz.data import Catalog, Cube, Profile, Ramp, Spectrum
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.measuring import profile_of, with_unit
from jviz.photometry import Field, places_meant, radius_in_pixels
from jviz.running import Apply, add_data
from jviz.session import Session
from jviz.subsets import Subset

MENU = "Photometry/Time Series"
Detrend = Literal["none", "position", "time", "position and time"]


@command("timeseries.light_curve", title="Light Curve…", menu=MENU, job=True, group="time", needs="data",
         icon="fa6s.wave-square")  # fmt: skip
def light_curve(
    session: Session,
    data: Ramp | Cube | Spectrum,
    region: Any = None,
    position: Any = "cursor",
    *,
    radius: Any = 5.0,
    annulus: Any = None,
    band: tuple[float, float] | None = None,
    order: int | None = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    clip: float = 5.0,
    detrend: Detrend = "none",
    baseline: list[tuple[float, float]] | None = None,
    bin_size: int = 1,
    normalize: bool = True,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Measure the flux of each integration in an aperture, or of each spectrum in a band.

    Parameters
    ----------
    data : Ramp, Cube or Spectrum
        Integrations (rateints, calints: integration, y, x), or the spectra of a file, one for each integration
        (x1dints).
    region : name of a region or regions.Region, optional
        The aperture; by default a circle round the position.
    position : position or "cursor"
        Centre of the circle.
    radius : float or str
        In pixels or as an angle.
    annulus : (inner, outer) or name of a region, optional
        Whose median is the sky, in each integration anew: two radii round the position, or a region.
    band : (low, high), optional
        Of spectra: the part of the spectral axis in its unit; by default all of it (white light).
    order : int, optional
        Of spectra in several orders: which one; by default the lowest.
    exclude_flags : str, int or list, optional
        Flags whose pixels are not used: they get the median of the same pixel over time.
    clip : float
        Integrations farther from the running median of 21 than so many deviations are outliers: flagged, and left
        out of fits and bins; 0: none.
    detrend : {"none", "position", "time", "position and time"}
        Divide by a linear function of the centroid (pixels), of time, or of both.
    baseline : list of (start, end), optional
        Times in which the trend and the level are worked out, outside a transit for one; by default all.
    bin_size : int
        Integrations that are averaged.
    normalize : bool
        Divide by the median (in the baseline).

    Returns
    -------
    Catalog
        integration, time, flux, flux_err, and of images background, x, y (centroid), n_replaced; outlier, or the
        number n in each bin. ``meta`` says the scale of time, the slopes with their errors, the level, and in ``notes``
        what could not be had.
    """
    if not bin_size >= 1:
        raise CommandError(f"Bins of {bin_size} integrations are none; give 1 or more.")
    if not clip >= 0:
        raise CommandError(f"A clip of {clip:g} deviations is none; give one above 0, or 0 to flag none.")
    progress(0, 3, f"reading {data.name}")
    if isinstance(data, Spectrum):
        if region or annulus:
            raise CommandError(f"{data.name} holds spectra, which have no aperture and no annulus; give a band.")
        order, notes = _order_meant(data, order)
        curve, unit = _of_spectra(data, band, order)
    else:
        if band is not None or order is not None:
            raise CommandError(f"{data.name} holds images, which have no band and no order; give an aperture.")
        curve, unit = _of_images(session, data, region, position, radius, annulus, exclude_flags)
        notes = []
    if curve.lost:
        what = "channels" if isinstance(data, Spectrum) else "pixels of the aperture"
        notes.append(f"{what} without a good value in any integration, which count in none: {curve.lost}")
    if not np.isfinite(curve.error).any():
        notes.append("it has no errors, so none are given; name an annulus")
    progress(1, 3, "times")
    times = times_of(data.path, len(curve.flux), data.header, order)
    columns, meta = _finished(curve, times, clip, detrend, baseline, normalize)
    table = _table(columns, times, "" if normalize else unit, bin_size)
    table.meta |= meta | {"data": data.name, "time_scale": times.scale or "integration", "time_label": times.label,
                          "pixel_unit": unit, "notes": notes}  # fmt: skip
    if order is not None:
        table.meta["order"] = order
    made = catalog_of(table, name or f"{data.name} light curve")

    def end() -> Catalog:
        add_data(session, [made])
        open_view(session, "scatter", made, x="time", y="flux", errors=True)
        if notes:
            session.notice("warning", f"{made.name}: {'; '.join(notes)}.")
        return made

    return Apply(end, f"Light Curve of {data.name}")


# --- measuring ----------------------------------------------------------------------------------------


def _of_images(
    session: Session, data: Any, region: Any, position: Any, radius: Any, annulus: Any, flags: Any
) -> tuple[Curve, str]:
    plane = data.plane()
    if len(plane.shape) != 3:
        raise CommandError(
            f"{data.name} has shape {' × '.join(map(str, plane.shape))}; a light curve needs integrations (n, y, x): "
            "open the rateints or calints file."
        )
    field = Field(session, data, exclude_flags=flags)
    aperture, ring = _apertures(session, data, field, region, position, radius, annulus)
    box = _box(aperture, ring)
    values = plane.read((slice(None), *box))
    bad = None
    found = data.product.plane("flags")
    if found is not None and field.bits and found.shape in (plane.shape, plane.shape[1:]):
        whole = found.read((*[slice(None)] * (len(found.shape) - 2), *box))
        bad = np.broadcast_to((whole.astype(np.int64) & field.bits) != 0, values.shape)
    errors = _errors(data, plane.shape, box)
    curve = curve_of_stack(values, aperture[box], sigma=errors, bad=bad, ring=None if ring is None else ring[box])
    if not np.isfinite(curve.flux).any():
        raise CommandError(f"{data.name} has no value there in any integration: all are NaN, flagged or off the image.")
    curve.x += box[1].start
    curve.y += box[0].start
    return curve, plane.unit


def _errors(data: Any, shape: tuple[int, ...], box: tuple[slice, slice]) -> np.ndarray | None:
    from jviz.pixels import VARIANCES

    for meaning, turn in VARIANCES:
        found = data.product.plane(meaning)
        if found is not None and found.shape == shape:
            read = found.read((slice(None), *box))
            return read if meaning == "error" else np.sqrt(turn(read))
    return None


def _apertures(
    session: Session, data: Any, field: Field, region: Any, position: Any, radius: Any, annulus: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the weights of the aperture, and the pixels of the sky."""
    from regions import CircleAnnulusPixelRegion, CirclePixelRegion, PixCoord

    from jviz.measuring import subset_of

    centre = None
    if region is None or region == "":
        x, y = places_meant(session, data, position)
        if len(x) != 1:
            raise CommandError(f"A light curve is of one place, not of {len(x)}.")
        centre = PixCoord(float(x[0]), float(y[0]))
        meant = Subset("aperture", CirclePixelRegion(centre, radius_in_pixels(radius, data)), data)
    else:
        meant = subset_of(session, data, region)
        centre = getattr(meant.region, "center", None)
    inside = field.weights(meant)
    if not inside.values.any():
        raise CommandError(f"The aperture does not lie on {data.name}; choose another place.")
    if annulus is None or annulus == "":
        return inside.full(field.shape), None
    if isinstance(annulus, list | tuple):
        inner, outer = (radius_in_pixels(r, data) for r in annulus)
        if not isinstance(centre, PixCoord):
            raise CommandError("Two radii of an annulus need a position or a region of pixels with a centre.")
        if not outer > inner:
            raise CommandError(f"The annulus reaches from {inner:g} to {outer:g} pixels; the outer radius is larger.")
        sky = Subset("annulus", CircleAnnulusPixelRegion(centre, inner, outer), data)
    else:
        sky = subset_of(session, data, annulus)
    ring = field.weights(sky, "center").full(field.shape) > 0
    if not ring.any():
        raise CommandError(f"The annulus does not lie on {data.name}; choose smaller radii or another region.")
    return inside.full(field.shape), ring


def _box(aperture: np.ndarray, ring: np.ndarray | None) -> tuple[slice, slice]:
    """Return the rows and columns that hold aperture and sky."""
    where = aperture > 0 if ring is None else (aperture > 0) | ring
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _order_of(samples: Any) -> int | None:
    found = samples.meta.get("SPORDER", samples.meta.get("ORDER"))
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _order_meant(data: Spectrum, order: int | None) -> tuple[int | None, list[str]]:
    """Return the spectral order to measure, None where there is but one, and which others there are."""
    there = sorted({found for one in data.samples if (found := _order_of(one)) is not None})
    if order is not None and order not in there:
        raise CommandError(f"{data.name} has no order {order}; it has {', '.join(map(str, there)) or 'no orders'}.")
    if len(there) < 2:
        return None, []
    listed = ", ".join(map(str, there))
    return (order, []) if order is not None else (there[0], [f"of its orders {listed}, this is order {there[0]}"])


def _of_spectra(data: Spectrum, band: Any, order: int | None) -> tuple[Curve, str]:
    """Return the mean flux density of each spectrum in a band."""
    samples = [one for one in data.samples if order is None or _order_of(one) == order]
    first = samples[0]
    if len(samples) < 2 or any(len(one) != len(first) for one in samples):
        raise CommandError(f"{data.name} holds no series of spectra with the same channels; open an x1dints file.")
    axis = first.axis.values
    low, high = (-np.inf, np.inf) if band is None else sorted(map(float, band))
    chosen = (axis >= low) & (axis <= high)
    if not chosen.any():
        raise CommandError(
            f"No channel of {data.name} lies between {low:g} and {high:g} {first.axis.unit}; it reaches from "
            f"{np.nanmin(axis):g} to {np.nanmax(axis):g}."
        )
    values = np.stack([one.flux[chosen] for one in samples])[:, None, :]
    bad = ~np.stack([one.good[chosen] for one in samples])[:, None, :]
    errors = [one.error for one in samples]
    sigma = None if any(e is None for e in errors) else np.stack([e[chosen] for e in errors])[:, None, :]
    count = max(int((~bad.all(axis=0)).sum()), 1)
    curve = curve_of_stack(values, np.full((1, int(chosen.sum())), 1 / count), sigma=sigma, bad=bad)
    curve.x[:] = curve.y[:] = np.nan
    return curve, first.unit


# --- what is done to a curve --------------------------------------------------------------------------


def _finished(
    curve: Curve, times: Times, clip: float, detrend: str, baseline: Any, normalize: bool
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Flag outliers, take the trend away, and normalise."""
    outside = outliers(curve.flux, clip)
    used = ~outside & _within(times.values, baseline)
    if not used.any():
        raise CommandError("No integration is left to work with: all are outliers or outside the baseline.")
    flux, error, meta = curve.flux.copy(), curve.error.copy(), {}
    if detrend != "none":
        flux, error, meta = _without_trend(curve, times, detrend, used)
        outside |= outliers(flux, clip)
        used &= ~outside
    if normalize:
        level = float(np.median(flux[used]))
        if not level or not np.isfinite(level):
            raise CommandError("The median flux is 0 and cannot be divided by; set normalize to False.")
        flux, error = flux / level, error / abs(level)
        meta["level"] = level
    columns = {"flux": flux, "flux_err": error}
    if np.isfinite(curve.x).any():
        columns |= {"background": curve.background, "x": curve.x, "y": curve.y}
    columns |= {"n_replaced": curve.replaced.astype(float), "outlier": outside}
    meta["n_outliers"] = int(outside.sum())
    return columns, meta


def _within(times: np.ndarray, baseline: Any) -> np.ndarray:
    if not baseline:
        return np.ones(len(times), bool)
    spans = [baseline] if np.ndim(baseline) == 1 else baseline
    found = np.zeros(len(times), bool)
    for start, end in spans:
        found |= (times >= start) & (times <= end)
    if not found.any():
        raise CommandError(
            f"No integration lies in the baseline; times reach from {times.min():.6f} to {times.max():.6f}."
        )
    return found


def _without_trend(
    curve: Curve, times: Times, detrend: str, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    parts = {}
    if "position" in detrend:
        if not np.isfinite(curve.x).any():
            raise CommandError("Spectra have no positions to detrend by; choose time or none.")
        parts |= {"x": curve.x, "y": curve.y}
    if "time" in detrend:
        parts["time"] = times.values
    try:
        trend, slopes, errors = decorrelated(curve.flux, np.column_stack(list(parts.values())), used)
    except ValueError as error:
        raise CommandError(f"The trend cannot be fitted: {error}.") from None
    said = {"slopes": dict(zip(parts, slopes.tolist(), strict=True)),
            "slope_errors": dict(zip(parts, errors.tolist(), strict=True))}  # fmt: skip
    return curve.flux / trend, curve.error / trend, said


def _table(columns: dict[str, np.ndarray], times: Times, unit: str, size: int) -> Any:
    from astropy.table import QTable

    outside = columns.pop("outlier")
    numbers = np.arange(1.0, len(outside) + 1)
    columns = {"integration": numbers, "time": times.values, **columns}
    if size > 1:
        made = binned(columns, ("flux_err",), size, ~outside)
    else:
        made = {**columns, "integration": numbers.astype(int), "outlier": outside,
                "n_replaced": columns["n_replaced"].astype(int)}  # fmt: skip
    units = {"time": times.unit, "flux": unit, "flux_err": unit, "x": "pix", "y": "pix"}
    table = QTable({n: with_unit(v, units[n]) if units.get(n) else v for n, v in made.items()})
    table["time"].info.description = times.label
    return table


# --- the scatter of bins ------------------------------------------------------------------------------


@command("timeseries.allan", title="Allan Plot…", menu=MENU, group="time", needs="catalog", icon="fa6s.stairs")
def allan(
    session: Session, data: Catalog, column: str = "flux", *, subtract: str = "", name: str = ""
) -> list[Profile]:
    """Plot the scatter of a light curve against the size of its bins, and that of noise without memory.

    Parameters
    ----------
    column : str
        A column or an expression over the columns; outliers are left out.
    subtract : str
        A column or an expression that is taken away first, such as a model.

    Returns
    -------
    list of Profile
        The scatter with its error, rms / √(2 (bins − 1)), and rms(1) / √n.
    """

    made = evaluated(data, f"({column}) - ({subtract})" if subtract.strip() else column)
    values = np.asarray(made.values, float)
    if "outlier" in data.columns:
        values = values[~np.asarray(data.columns["outlier"].values, bool)]
    try:
        size, rms, error, expected = scatter_by_bin(values)
    except ValueError as problem:
        raise CommandError(f"{data.name} makes no Allan plot: {problem}.") from None
    stem = name or f"{data.name} scatter"
    meta = {"x": "bin_size", "y": "rms", "x_label": "Integrations in a bin", "y_label": f"Scatter of {column}"}
    measured = {"bin_size": size, "rms": with_unit(rms, made.unit), "rms_err": with_unit(error, made.unit)}
    without = {"bin_size": size, "rms": with_unit(expected, made.unit)}
    profiles = [profile_of(stem, "scatter by size of bins", measured, meta),
                profile_of(f"{stem}, 1/√n", "scatter of noise without memory", without, meta)]  # fmt: skip
    add_data(session, profiles)
    view = open_view(session, "profile", profiles[0], x_log=True, y_log=True)
    place(session, view, profiles[1:], "add")
    for layer in view.layers:
        layer.drawing = "line"
    return profiles

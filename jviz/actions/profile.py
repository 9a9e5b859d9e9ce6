"""Commands that measure along lines and round points: cuts, radial profiles, growth curves, histograms, peaks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.dq import flag_bits
from jviz.backend.progress import Progress
from jviz.backend.units import parse_unit
from jviz.commands import command
from jviz.data import Data, Profile, WithPicture, from_product
from jviz.errors import CommandError
from jviz.geometry import geometry_of
from jviz.pixels import Pixels
from jviz.placement import home_of, outlines_of
from jviz.positions import Position, pixel_of, sky_of
from jviz.session import Session
from jviz.subsets import Subset

MENU = "Image/Measure"
RADIUS = 25.0


def _pixels(session: Session, data: WithPicture, exclude_flags: Any = None) -> Pixels:
    """Return the pixels that are measured: those of the slice that a view shows."""
    layers = [layer for view in session.views.values() for layer in view.layers if layer.data is data]
    index = getattr(layers[-1], "index", ()) if layers else ()
    plane = getattr(layers[-1], "plane", "") if layers else ""
    plane = plane if plane and data.plane(plane).meaning != "flags" else ""
    return Pixels(data, plane, index, exclude=flag_bits(exclude_flags, data.product.flags))


def _centre(session: Session, data: WithPicture, position: Position | None) -> tuple[float, float]:
    """Return the pixel that is meant; the middle of the last view of the data by default."""
    if position is not None:
        return pixel_of(session, data, position)[:2]
    for view in reversed(list(session.views.values())):
        if view.kind == "image" and view.layers and view.layers[0].data is data:
            return geometry_of(view).centre
    ny, nx = data.shape[-2:]
    return (nx - 1) / 2, (ny - 1) / 2


def _with_unit(values: np.ndarray, unit: str) -> Any:
    known = parse_unit(unit) if unit else None
    return values if known is None else values * known


def _profile(name: str, label: str, columns: dict[str, Any], meta: dict[str, Any]) -> Profile:
    from astropy.table import QTable

    from jviz.conversion.taken import take_profile

    kept = {key: value for key, value in columns.items() if value is not None}
    return from_product(take_profile(QTable(kept, meta=meta), name, label))  # type: ignore[return-value]


@command("image.line_cut", title="Line Cut…", menu=MENU, needs="image", group="cuts", job=True, icon="fa6s.chart-line")
def line_cut(
    session: Session,
    data: WithPicture,
    path: Any,
    width: float = 1.0,
    *,
    interpolation: Literal["linear", "nearest", "cubic"] = "linear",
    exclude_flags: Any = None,
    progress: Progress,
) -> Profile:
    """Take the values along a line or path, averaged over a width.

    Parameters
    ----------
    path : list of positions, region or name of a subset
        At least two points: pixels ``[(10, 20), (90, 25)]`` or sky positions; or a line, a polyline or a polygon.
    width : float
        Pixels across the path that are averaged.
    interpolation : str
        Between pixels: linear, nearest or cubic.
    exclude_flags : list of str or int, optional
        Pixels with these data quality flags count as missing.

    Returns
    -------
    Profile
        Distance in pixels (and in arcsec along great circles), value and error, with the place of each sample.
    """
    from jviz.backend.profiles import line_cut as cut_along

    corners = _corners(session, data, path)
    pixels = _pixels(session, data, exclude_flags)
    progress(0, 1, f"Cutting {data.name}")
    try:
        cut = cut_along(pixels.read, pixels.shape, corners, width=width, interpolation=interpolation)
    except ValueError as error:
        raise CommandError(f"{data.name} cannot be cut: {error}.") from None
    if not np.isfinite(cut.values).any():
        raise CommandError(f"The path crosses no pixel of {data.name} that has a value; move it onto the image.")
    import astropy.units as u

    columns: dict[str, Any] = {"distance": cut.distance * u.pix}
    if data.sky is not None:
        columns["angular_distance"] = _along_sky(data, cut) * u.arcsec
    columns |= {
        "signal": _with_unit(cut.values, pixels.unit),
        "signal_err": None if cut.error is None else _with_unit(cut.error, pixels.unit),
        "x": cut.x * u.pix,
        "y": cut.y * u.pix,
    }
    on_sky = "angular_distance" in columns and np.isfinite(columns["angular_distance"].value).all()
    meta = {
        "x": "angular_distance" if on_sky else "distance", "y": "signal", "x_label": "Distance",
        "y_label": data.name, "width": float(width), "interpolation": interpolation,
    }  # fmt: skip
    return _profile(f"cut of {data.name}", f"line cut of {data.name}", columns, meta)


def _corners(session: Session, data: WithPicture, path: Any) -> np.ndarray:
    """Return the corners of a path in data pixels, shape (n, 2)."""
    is_name = isinstance(path, str) and path in session.subsets
    if is_name or hasattr(path, "to_sky") or hasattr(path, "to_pixel"):
        outlines = _outlines(session, data, path)
        points = outlines.points[: outlines.starts[1]]
        return np.vstack([points, points[:1]]) if outlines.closed[0] else points
    if not isinstance(path, list | tuple | np.ndarray) or len(path) < 2:
        raise CommandError(f"{path!r} is no path: give two or more positions, a region or the name of a subset.")
    corners = np.array([pixel_of(session, data, tuple(p) if isinstance(p, np.ndarray) else p)[:2] for p in path])
    if not np.isfinite(corners).all():
        raise CommandError("The path has corners that are not finite numbers.")
    return corners


def _subset(session: Session, data: WithPicture, region: Any) -> Subset:
    if not isinstance(region, str):
        return Subset("region", region, data)
    if region not in session.subsets:
        raise CommandError(f"There is no subset {region!r}; there are {', '.join(session.subsets) or 'none'}.")
    return session.subsets[region]


def _outlines(session: Session, data: WithPicture, region: Any) -> Any:
    """Return the outlines of a region or a subset in the pixels of some data."""
    outlines = outlines_of({"region": _subset(session, data, region)}, data).outlines
    if not len(outlines) or not np.isfinite(outlines.points).any():
        raise CommandError(f"That region has no outline on {data.name}; take another one.")
    return outlines


def _along_sky(data: WithPicture, cut: Any) -> np.ndarray:
    """Return the distance along the path in arcsec: great circles from sample to sample."""
    lon, lat = data.sky.pixel_to_sky(cut.x, cut.y)
    steps = _separation(lon[:-1], lat[:-1], lon[1:], lat[1:])
    return np.concatenate([[0.0], np.cumsum(steps)])


def _separation(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> np.ndarray:
    """Return the angles between places in arcsec (Vincenty's formula, exact at all distances)."""
    from astropy.coordinates import angular_separation

    return np.degrees(angular_separation(*(np.radians(v) for v in (lon1, lat1, lon2, lat2)))) * 3600


@command("image.radial_profile", title="Radial Profile…", menu=MENU, needs="image", group="rounds", job=True)
def radial_profile(
    session: Session,
    data: WithPicture,
    center: Position = None,
    r_max: float = RADIUS,
    *,
    step: float = 1.0,
    fit: Literal["gaussian", "moffat", "none"] = "gaussian",
    exclude_flags: Any = None,
) -> Profile:
    """Average an image over rings round a point, with exact shares of the pixels, and fit a width.

    Parameters
    ----------
    center : position, optional
        Pixel, sky position or name; the middle of the view by default.
    r_max, step : float
        Largest radius and width of the rings, in pixels.
    fit : str
        A round Gaussian or Moffat; the table's ``meta`` has its ``fwhm`` and ``fwhm_err`` in pixels.
    """
    from jviz.backend.profiles import fit_rings, rings

    pixels, centre, radii = _round(session, data, center, r_max, step, exclude_flags)
    found = rings(pixels.read, pixels.shape, centre, radii)
    _check_found(found, data)
    meta = {"x": "radius", "y": "mean", "x_label": "Radius", "y_label": data.name, "center": list(centre)}
    fitted = fit_rings(found, fit) if fit != "none" else None
    if fitted is not None:
        meta |= {"model": fit, "fwhm": fitted.fwhm, "fwhm_err": fitted.fwhm_err, "fwhm_unit": "pix"}
        meta |= {"peak": fitted.peak, "sky": fitted.sky}
    return _profile(
        f"profile of {data.name}", f"radial profile of {data.name}", _ring_columns("mean", found, pixels), meta
    )


@command("image.growth_curve", title="Curve of Growth…", menu=MENU, needs="image", group="rounds", job=True)
def growth_curve(
    session: Session,
    data: WithPicture,
    center: Position = None,
    r_max: float = RADIUS,
    *,
    step: float = 1.0,
    sky: float = 0.0,
    exclude_flags: Any = None,
) -> Profile:
    """Sum an image within circles round a point, with exact shares of the pixels.

    Parameters
    ----------
    center : position, optional
        Pixel, sky position or name; the middle of the view by default.
    sky : float
        Taken away from each pixel, in the unit of the image.
    """
    from jviz.backend.profiles import growth

    pixels, centre, radii = _round(session, data, center, r_max, step, exclude_flags)
    found = growth(pixels.read, pixels.shape, centre, radii[1:])
    _check_found(found, data)
    columns = _ring_columns("sum", found, pixels, less=sky * found.area)
    meta = {"x": "radius", "y": "sum", "x_label": "Radius", "y_label": f"Sum of {data.name}", "center": list(centre)}
    return _profile(f"growth of {data.name}", f"curve of growth of {data.name}", columns, meta)


def _round(
    session: Session, data: WithPicture, center: Position, r_max: float, step: float, exclude_flags: Any
) -> tuple[Pixels, tuple[float, float], np.ndarray]:
    if not (0 < step <= r_max < 2000):
        raise CommandError(f"Rings of {step:g} pixels up to {r_max:g} make no profile; give 0 < step ≤ r_max < 2000.")
    pixels = _pixels(session, data, exclude_flags)
    return pixels, _centre(session, data, center), np.arange(0, round(r_max / step) + 1) * step


def _check_found(found: Any, data: Data) -> None:
    if not np.isfinite(found.values).any():
        raise CommandError(f"No pixel of {data.name} with a value lies there; choose a place on the image.")


def _ring_columns(name: str, found: Any, pixels: Pixels, less: Any = 0.0) -> dict[str, Any]:
    import astropy.units as u

    columns: dict[str, Any] = {"radius": found.radius * u.pix}
    if pixels.data.sky is not None:
        scale = pixels.data.sky.pixel_scale().mean
        columns["angular_radius"] = found.radius * scale * u.arcsec
    return columns | {
        name: _with_unit(found.values - less, pixels.unit),
        f"{name}_err": None if found.error is None else _with_unit(found.error, pixels.unit),
        "area": found.area * u.pix**2,
    }


@command("image.histogram", title="Histogram…", menu=MENU, needs="image", group="cuts", job=True)
def histogram(
    session: Session,
    data: WithPicture,
    region: Any = None,
    bins: int = 256,
    *,
    low: float | None = None,
    high: float | None = None,
    exclude_flags: Any = None,
) -> Profile:
    """Count the pixels of an image, or of a region of it, by their values.

    Parameters
    ----------
    region : region or name of a subset, optional
        Pixels whose centres lie inside; the whole image by default.
    low, high : float, optional
        Range of the bins; from the 0.1th to the 99.9th percentile by default.
    """
    import astropy.units as u

    if not 2 <= bins <= 100_000:
        raise CommandError(f"{bins} bins make no histogram; give 2 to 100,000.")
    pixels = _pixels(session, data, exclude_flags)
    values = _values_inside(session, pixels, region)
    if not len(values):
        raise CommandError(f"No pixel of {data.name} with a value lies there.")
    percentiles = np.percentile(values if len(values) < 4_000_000 else values[:: len(values) // 2_000_000], (0.1, 99.9))
    low, high = (float(p) if given is None else given for p, given in zip(percentiles, (low, high), strict=True))
    if low >= high:
        low, high = low - 0.5, low + 0.5
    counts, edges = np.histogram(values, bins, (low, high))
    columns = {
        "bin_center": _with_unit((edges[1:] + edges[:-1]) / 2, pixels.unit),
        "pixels": counts * u.one,
        "pixels_err": np.sqrt(counts) * u.one,
    }
    meta = {"x": "bin_center", "y": "pixels", "x_label": data.name, "y_label": "Pixels", "n": len(values)}
    return _profile(f"histogram of {data.name}", f"histogram of {data.name}", columns, meta)


def _values_inside(session: Session, pixels: Pixels, region: Any) -> np.ndarray:
    if region is None:
        rows = max(1, (8 << 20) // pixels.shape[1])
        parts = []
        for row in range(0, pixels.shape[0], rows):
            part = pixels.read(slice(row, min(row + rows, pixels.shape[0])), slice(None))[0].astype(np.float32)
            parts.append(part[np.isfinite(part)])
        return np.concatenate(parts)
    from jviz.backend.regions.masks import Target, weights

    subset = _subset(session, pixels.data, region)
    found = weights(
        subset.region, Target(pixels.shape, pixels.data.sky), home=home_of(subset, pixels.data), mode="center"
    )
    values = pixels.read(*found.slices)[0][found.values > 0]
    return values[np.isfinite(values)]


@command("image.pick", title="Pick Nearest Peak…", menu=MENU, needs="image", group="rounds", job=True)
def pick(
    session: Session,
    data: WithPicture,
    position: Position = None,
    radius: float = 10.0,
    *,
    model: Literal["gaussian", "moffat"] = "gaussian",
    exclude_flags: Any = None,
) -> Any:
    """Find the peak nearest to a place and measure it: centre, sky, height, widths, flux.

    Parameters
    ----------
    position : position, optional
        Pixel, sky position or name; the middle of the view by default.
    radius : float
        How far away the peak may be, in pixels; half the size of the box that is fitted.

    Returns
    -------
    QTable
        One row: x, y, sky position, peak, sky level, full widths at half maximum in pixels and arcsec, ellipticity,
        angle (counter-clockwise from x), position angle (north through east), flux; each with its error.
    """
    from jviz.backend.pick import pick as fitted

    pixels = _pixels(session, data, exclude_flags)
    x, y = _centre(session, data, position)
    try:
        found = fitted(pixels.read, pixels.shape, x, y, radius=radius, model=model)
    except ValueError as error:
        raise CommandError(f"Nothing to pick near pixel ({x:.1f}, {y:.1f}) of {data.name}: {error}.") from None
    return _pick_table(data, pixels, found)


def _pick_table(data: WithPicture, pixels: Pixels, found: Any) -> Any:
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

    table, unit = QTable(meta={"model": found.model, "data": data.name}), parse_unit(pixels.unit) or u.one
    units = {"x": u.pix, "y": u.pix, "peak": unit, "sky": unit, "flux": unit, "fwhm": u.pix, "fwhm_major": u.pix,
             "fwhm_minor": u.pix, "angle": u.deg, "beta": u.one}  # fmt: skip
    for name, one in units.items():
        if name == "beta" and found.model == "gaussian":
            continue
        table[name] = [getattr(found, name)] * one
        table[f"{name}_err"] = [found.errors[name]] * one
    table["ellipticity"] = [found.ellipticity]
    if data.sky is not None:
        lon, lat = data.sky.pixel_to_sky(found.x, found.y)
        scale = data.sky.pixel_scale(found.x, found.y).mean
        table.add_column(SkyCoord([float(lon)], [float(lat)], unit="deg"), name="sky_position", index=4)
        table["fwhm_angular"] = [found.fwhm * scale] * u.arcsec
        table["fwhm_angular_err"] = [found.errors["fwhm"] * scale] * u.arcsec
        north, hand = data.sky.north_angle(found.x, found.y), data.sky.handedness(found.x, found.y)
        table["position_angle"] = [(found.angle - north) * (1 if hand > 0 else -1) % 180] * u.deg
    table["reduced_chi2"] = [found.reduced_chi2]
    return table


@command("sky.separation", title="Separation of Two Places…", menu=MENU, group="sky", job=True)
def separation(session: Session, a: Position, b: Position, data: WithPicture | None = None) -> Any:
    """Measure the angle between two places and the direction from the first to the second.

    Parameters
    ----------
    a, b : position
        Sky positions, names, or pixels of ``data``.

    Returns
    -------
    QTable
        One row: separation (arcsec), position angle (degrees, north through east at ``a``), and the offsets in
        right ascension and declination on the sky (arcsec); for pixels without a sky their distance in pixels.
    """
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

    if data is not None and data.sky is None:
        (x1, y1, _), (x2, y2, _) = (pixel_of(session, data, place) for place in (a, b))
        row = {
            "separation": np.hypot(x2 - x1, y2 - y1) * u.pix,
            "angle": np.degrees(np.arctan2(y2 - y1, x2 - x1)) * u.deg,
        }
        return QTable({name: u.Quantity([value]) for name, value in row.items()})
    first, second = (SkyCoord(*sky_of(session, data, place), unit="deg") for place in (a, b))
    east, north = first.spherical_offsets_to(second)
    row = {
        "separation": first.separation(second).to(u.arcsec),
        "position_angle": first.position_angle(second).to(u.deg),
        "offset_east": east.to(u.arcsec),
        "offset_north": north.to(u.arcsec),
    }
    return QTable({name: u.Quantity([value]) for name, value in row.items()})

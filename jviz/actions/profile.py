"""Commands that measure along lines: cuts, and the way from one place to another."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Profile, WithPicture
from jviz.errors import CommandError
from jviz.measuring import MENU, corners_of, pixels_of, profile_of, with_unit
from jviz.positions import Position, pixel_of, sky_of
from jviz.session import Session


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

    corners = corners_of(session, data, path)
    pixels = pixels_of(session, data, exclude_flags)
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
        "signal": with_unit(cut.values, pixels.unit),
        "signal_err": None if cut.error is None else with_unit(cut.error, pixels.unit),
        "x": cut.x * u.pix,
        "y": cut.y * u.pix,
    }
    on_sky = "angular_distance" in columns and np.isfinite(columns["angular_distance"].value).all()
    meta = {
        "x": "angular_distance" if on_sky else "distance", "y": "signal", "x_label": "Distance",
        "y_label": data.name, "width": float(width), "interpolation": interpolation,
    }  # fmt: skip
    return profile_of(f"cut of {data.name}", f"line cut of {data.name}", columns, meta)


def _along_sky(data: WithPicture, cut: Any) -> np.ndarray:
    """Return the distance along the path in arcsec: great circles from sample to sample."""
    lon, lat = data.sky.pixel_to_sky(cut.x, cut.y)
    steps = _separation(lon[:-1], lat[:-1], lon[1:], lat[1:])
    return np.concatenate([[0.0], np.cumsum(steps)])


def _separation(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> np.ndarray:
    """Return the angles between places in arcsec (Vincenty's formula, exact at all distances)."""
    from astropy.coordinates import angular_separation

    return np.degrees(angular_separation(*(np.radians(v) for v in (lon1, lat1, lon2, lat2)))) * 3600


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
        right ascension and declination on the sky (arcsec); with ``data`` also their distance in its pixels and the
        angle there, counter-clockwise from x.
    """
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

    on_pixels = {}
    if data is not None:
        (x1, y1, _), (x2, y2, _) = (pixel_of(session, data, place) for place in (a, b))
        on_pixels = {
            "distance": np.hypot(x2 - x1, y2 - y1) * u.pix,
            "angle": np.degrees(np.arctan2(y2 - y1, x2 - x1)) % 360 * u.deg,
        }
        if data.sky is None:
            return QTable({name: u.Quantity([value]) for name, value in on_pixels.items()})
    first, second = (SkyCoord(*sky_of(session, data, place), unit="deg") for place in (a, b))
    east, north = first.spherical_offsets_to(second)
    row = {
        "separation": first.separation(second).to(u.arcsec),
        "position_angle": first.position_angle(second).to(u.deg),
        "offset_east": east.to(u.arcsec),
        "offset_north": north.to(u.arcsec),
    } | on_pixels
    return QTable({name: u.Quantity([value]) for name, value in row.items()})

"""Commands that measure round a point: radial profiles, growth curves, the nearest peak."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.units import parse_unit
from jviz.commands import command
from jviz.data import Data, Profile, WithPicture
from jviz.errors import CommandError
from jviz.measuring import MENU, centre_of, pixels_of, profile_of, with_unit
from jviz.pixels import Pixels
from jviz.positions import Position
from jviz.session import Session

RADIUS = 25.0


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
        A round Gaussian or Moffat on a flat sky: the column ``model`` has it at each radius, and the table's ``meta``
        its ``fwhm``, ``peak``, ``sky`` (and ``beta``) with their ``…_err``, ``chi2`` and ``dof``; widths in pixels.
    """
    from jviz.backend.profiles import fit_rings, rings

    pixels, centre, radii = _round(session, data, center, r_max, step, exclude_flags)
    found = rings(pixels.read, pixels.shape, centre, radii)
    _check_found(found, data)
    meta = {"x": "radius", "y": "mean", "x_label": "Radius", "y_label": data.name, "center": list(centre)}
    fitted = fit_rings(found, fit) if fit != "none" else None
    columns = _ring_columns("mean", found, pixels)
    if fitted is not None:
        meta |= {"model": fit, "fwhm_unit": "pix"} | fitted.numbers()
        columns["model"] = with_unit(fitted(found.radius), pixels.unit)
    return profile_of(f"profile of {data.name}", f"radial profile of {data.name}", columns, meta)


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
    return profile_of(f"growth of {data.name}", f"curve of growth of {data.name}", columns, meta)


def _round(
    session: Session, data: WithPicture, center: Position, r_max: float, step: float, exclude_flags: Any
) -> tuple[Pixels, tuple[float, float], np.ndarray]:
    if not (0 < step <= r_max < 2000):
        raise CommandError(f"Rings of {step:g} pixels up to {r_max:g} make no profile; give 0 < step ≤ r_max < 2000.")
    pixels = pixels_of(session, data, exclude_flags)
    return pixels, centre_of(session, data, center), np.arange(0, round(r_max / step) + 1) * step


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
        name: with_unit(found.values - less, pixels.unit),
        f"{name}_err": None if found.error is None else with_unit(found.error, pixels.unit),
        "area": found.area * u.pix**2,
    }


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

    pixels = pixels_of(session, data, exclude_flags)
    x, y = centre_of(session, data, position)
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

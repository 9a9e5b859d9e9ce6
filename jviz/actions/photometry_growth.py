"""Commands that show how the flux of a source adds up with radius: as a flux, and as a part of all of it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.actions.photometry import MENU, aperture, sky_meant
from jviz.aperture_measuring import Photometry, in_circles, in_squares
from jviz.backend.photometry.tables import columns_of
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Profile, WithPicture
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.measuring import profile_of
from jviz.photometry import Field, places_meant
from jviz.running import Apply
from jviz.session import Session


@command("photometry.growth_curve", title="Curve of Growth with Fluxes…", menu=MENU, job=True, group="measure",
         needs="data", icon="fa6s.chart-line")  # fmt: skip
def growth_curve(
    session: Session,
    data: WithPicture,
    position: Any = "cursor",
    r_max: float = 20.0,
    *,
    step: float = 0.5,
    annulus: Any = None,
    error: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    gain: float | None = None,
    zero_point: float | None = None,
    progress: Progress,
) -> Apply:
    """Plot the flux within circles of growing radius, with its errors, less the sky.

    Parameters
    ----------
    position : position or "cursor"
        Pixel, sky position or name.
    r_max, step : float
        Largest radius and step in pixels.
    annulus, error, exclude_flags, gain, zero_point
        As in ``photometry.aperture``.

    Returns
    -------
    Profile
        radius, flux, flux_err (Jy, or the unit of the image), abmag, abmag_err, area; ``meta["half_light"]`` is the
        radius in pixels with half of the greatest flux.
    """
    radii = _radii("Circles", r_max, step)
    place = _one_place("A curve of growth", session, data, position)
    measured = aperture(
        session, data, positions=[place], radii=radii.tolist(), annulus=annulus, error=error,
        exclude_flags=exclude_flags, gain=gain, zero_point=zero_point, progress=progress,
    )  # fmt: skip
    table = measured.function()
    curve = _curve(table, radii, place, data.name)
    return Apply(lambda: curve, f"Curve of Growth of {data.name}", {"position": place})


def _radii(what: str, r_max: float, step: float) -> np.ndarray:
    """Return the radii of a curve, in pixels."""
    if not (0 < step <= r_max < 2000):
        raise CommandError(f"{what} up to {r_max:g} pixels by {step:g} make no curve; give 0 < step ≤ r_max < 2000.")
    return np.arange(1, round(r_max / step) + 1) * step


def _one_place(what: str, session: Session, data: WithPicture, position: Any) -> tuple[float, float]:
    """Return the pixel that a curve is measured round."""
    x, y = places_meant(session, data, position)
    if len(x) != 1:
        raise CommandError(f"{what} is of one place, not of {len(x)}.")
    return float(x[0]), float(y[0])


def radius_with(part: float, radii: np.ndarray, energy: np.ndarray) -> float:
    """Return the first radius that holds a part of the light; NaN where none does.

    By a monotone cubic in the area, along which the light of a star begins straight: lines from point to point would
    lie below a curve that bends, and give radii up to 2 % too large.
    """
    from scipy.interpolate import PchipInterpolator

    good = np.isfinite(energy)
    rising = np.maximum.accumulate(np.r_[0.0, energy[good]])
    if not rising[-1] >= part:
        return np.nan
    known = np.r_[0.0, radii[good]]
    k = int(np.argmax(rising >= part))
    fine = np.linspace(known[k - 1], known[k], 257)
    return float(np.interp(part, PchipInterpolator(known**2, rising)(fine**2), fine))


def _curve(table: Any, radii: np.ndarray, place: tuple[float, float], name: str) -> Profile:
    from astropy import units as u

    def column(stem: str) -> Any:
        parts = [table[stem if len(radii) == 1 else f"{stem}_{k}"][0] for k in range(len(radii))]
        return u.Quantity(parts)

    columns = {"radius": radii * u.pix} | {n: column(n) for n in ("flux", "flux_err", "abmag", "abmag_err", "area")}
    flux = columns["flux"].value
    half = radius_with(0.5, radii, flux / np.nanmax(flux)) if np.nanmax(flux) > 0 else np.nan
    meta = {"x": "radius", "y": "flux", "x_label": "Radius", "y_label": f"Flux in {name}", "center": list(place),
            "half_light": half, "calibration": table.meta["calibration"]}  # fmt: skip
    return profile_of(f"growth of {name}", f"curve of growth of {name}", columns, meta)


@command("photometry.encircled_energy", title="Encircled Energy…", menu=MENU, job=True, group="measure", needs="data",
         icon="fa6s.circle-dot")  # fmt: skip
def encircled_energy(
    session: Session,
    data: WithPicture,
    position: Any = "cursor",
    r_max: float = 20.0,
    *,
    step: float = 0.5,
    shape: Literal["circle", "square"] = "circle",
    annulus: Any = None,
    error: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    progress: Progress,
) -> Apply:
    """Plot which part of the light of a source lies within circles (encircled) or squares (ensquared) round it.

    Parameters
    ----------
    position : position or "cursor"
        Pixel, sky position or name.
    r_max, step : float
        Largest radius, or half side of the squares, and step in pixels; what lies within the largest counts as all.
    shape : {"circle", "square"}
    annulus, error, exclude_flags
        As in ``photometry.aperture``.

    Returns
    -------
    Profile
        radius, energy (a part of 1), energy_err; ``meta`` has ``r50`` and ``r80``, the radii with 50 and 80 %.
    """
    radii = _radii("Radii", r_max, step)
    place = _one_place("Encircled energy", session, data, position)
    field = Field(session, data, exclude_flags=exclude_flags, error=error)
    how = Photometry(sky_meant(session, data, annulus))
    if shape == "square":
        measured, _ = in_squares(field, place, radii, how, progress)
    else:
        measured, _ = in_circles(field, *np.array(place)[:, np.newaxis], radii, how, progress)
    curve = _energies(columns_of(measured), radii, place, data.name, shape)
    return Apply(lambda: curve, f"Encircled Energy of {data.name}", {"position": place})


def _energies(
    columns: dict[str, np.ndarray], radii: np.ndarray, place: tuple[float, float], name: str, shape: str
) -> Profile:
    from astropy import units as u

    flux, error = columns["flux"][0], columns["flux_err"][0]
    if not flux[-1] > 0:
        raise CommandError(f"{name} has no light above the sky within {radii[-1]:g} pixels; choose another place.")
    energy = flux / flux[-1]
    found = {f"r{part}": radius_with(part / 100, radii, energy) for part in (50, 80)}
    words = "Encircled energy" if shape == "circle" else "Ensquared energy"
    across = "Radius" if shape == "circle" else "Half side"
    meta = {"x": "radius", "y": "energy", "x_label": across, "y_label": f"{words} in {name}",
            "center": list(place), "shape": shape, **found}  # fmt: skip
    table = {"radius": radii * u.pix, "energy": energy, "energy_err": error / flux[-1]}
    return profile_of(f"energy of {name}", f"{words.lower()} of {name}", table, meta)

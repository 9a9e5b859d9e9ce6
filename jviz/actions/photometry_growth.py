"""The command that shows how the flux of a source adds up with radius."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.actions.photometry import MENU, aperture
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Profile, WithPicture
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.measuring import profile_of
from jviz.photometry import places_meant
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
    if not (0 < step <= r_max < 2000):
        raise CommandError(f"Circles up to {r_max:g} pixels by {step:g} make no curve; give 0 < step ≤ r_max < 2000.")
    x, y = places_meant(session, data, position)
    if len(x) != 1:
        raise CommandError(f"A curve of growth is of one place, not of {len(x)}.")
    place = (float(x[0]), float(y[0]))
    radii = np.arange(1, round(r_max / step) + 1) * step
    measured = aperture(
        session, data, positions=[place], radii=radii.tolist(), annulus=annulus, error=error,
        exclude_flags=exclude_flags, gain=gain, zero_point=zero_point, progress=progress,
    )  # fmt: skip
    table = measured.function()
    curve = _curve(table, radii, place, data.name)
    return Apply(lambda: curve, f"Curve of Growth of {data.name}", {"position": place})


def _curve(table: Any, radii: np.ndarray, place: tuple[float, float], name: str) -> Profile:
    from astropy import units as u

    def column(stem: str) -> Any:
        parts = [table[stem if len(radii) == 1 else f"{stem}_{k}"][0] for k in range(len(radii))]
        return u.Quantity(parts)

    columns = {"radius": radii * u.pix} | {n: column(n) for n in ("flux", "flux_err", "abmag", "abmag_err", "area")}
    flux = columns["flux"].value
    above = np.flatnonzero(flux >= 0.5 * np.nanmax(flux)) if np.nanmax(flux) > 0 else []
    half = np.nan
    if len(above):
        k = int(above[0])
        before, r0 = (flux[k - 1], radii[k - 1]) if k else (0.0, 0.0)
        half = float(r0 + (0.5 * np.nanmax(flux) - before) / (flux[k] - before) * (radii[k] - r0))
    meta = {"x": "radius", "y": "flux", "x_label": "Radius", "y_label": f"Flux in {name}", "center": list(place),
            "half_light": half, "calibration": table.meta["calibration"]}  # fmt: skip
    return profile_of(f"growth of {name}", f"curve of growth of {name}", columns, meta)

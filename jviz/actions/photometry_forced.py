"""Commands that fit fluxes at fixed places over bands and exposures, and that inject artificial stars."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from jviz.actions.photometry_psf import tabled
from jviz.actions.photometry_psf_tiles import Added, Plan, fit_mosaic, plan_for, variance_of
from jviz.actions.photometry_sources import MENU
from jviz.actions.view import open_view
from jviz.backend.photometry.completeness import Injected, bins_of, injected, matched
from jviz.backend.photometry.vega import filter_of
from jviz.backend.progress import Progress, within
from jviz.backend.room import let_go, zeros
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image, Psf
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field
from jviz.psf_photometry import check_on, scale_meta, scale_notes, stars_meant
from jviz.running import Apply, add_data
from jviz.session import Session


@command("photometry.forced", title="Forced PSF Photometry…", menu=MENU, job=True, group="psf",
         icon="fa6s.thumbtack")  # fmt: skip
def forced(
    session: Session,
    data: list[Image],
    psf: list[Psf],
    positions: Any = "picked",
    *,
    box_size: int = 64,
    fit_size: int = 0,
    gain: float | None = None,
    zero_point: float | None = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Fit the fluxes of stars at fixed places in several bands or exposures.

    Parameters
    ----------
    data : list of Image
        Bands or exposures.
    psf : list of Psf
        One for each image, or one for all.
    positions : "picked", list of (x, y), SkyCoord, Catalog or table
        Places; pixels are those of the first image and go to the others by the sky where both have coordinates.
    box_size, fit_size, gain, zero_point, exclude_flags
        As in ``photometry.psf``.

    Returns
    -------
    Catalog
        id, x, y (of the first image), sky, and for each image flux, flux_err, snr, abmag, abmag_err, chi2, n_masked and
        flags with its filter or name behind them.
    """
    if not data or len(psf) not in (1, len(data)):
        raise CommandError(f"There are {len(data)} images and {len(psf)} PSFs; give one PSF for all, or one for each.")
    first = data[0]
    x, y, recorded = stars_meant(session, first, positions)
    check_on(x, y, first)
    result, notes, failed, shares = _places_table(session, first, x, y), [], [], {}
    for number, (one, words) in enumerate(zip(data, words_of(data), strict=True)):
        step = within(progress, number, len(data), one.name)
        places = (x, y) if one is first else moved(x, y, first, one)
        try:
            plan = plan_for(session, one, psf[number % len(psf)].model, fit_size=fit_size, max_shift=0.0,
                            box_size=box_size, gain=gain, flags=exclude_flags, progress=step)  # fmt: skip
        except CommandError as error:  # one exposure without a pixel must not cost those that have been fitted
            failed.append(error)
            notes.append(f"{one.name} is left out: {str(error).rstrip('.')}")
            continue
        made = fit_mosaic(plan, places, progress=step)
        table, said = tabled(made, made.fitted, made.level, made.saturated, zero_point, gain)
        notes += [f"{one.name}: {note}" for note in [*said, *scale_notes(psf[number % len(psf)])]]
        shares |= scale_meta(psf[number % len(psf)], f"_{words}")
        _join(result, table, words)
    if len(failed) == len(data):
        raise failed[0]
    result.meta |= {"images": ", ".join(one.name for one in data), "notes": notes} | shares
    catalog = catalog_of(result, name or f"forced photometry of {len(data)} images")

    def end() -> Any:
        if notes:
            session.notice("warning", f"Forced photometry: {'; '.join(notes[:3])}.")
        return catalog

    return Apply(end, f"Forced Photometry of {len(x)} Stars in {len(data)} Images",
                 {} if recorded is None else {"positions": recorded})  # fmt: skip


def words_of(data: list[Image]) -> list[str]:
    """Name each image by its filter, or by its name where filters are not known or the same."""
    filters = [filter_of(one.header) or str(one.header.get("FILTER") or "").strip() for one in data]
    if all(filters) and len(set(filters)) == len(filters):
        return filters
    names = [re.sub(r"\W+", "_", one.name).strip("_") for one in data]
    return [name if names.count(name) == 1 else f"{name}_{k}" for k, name in enumerate(names)]


def moved(x: np.ndarray, y: np.ndarray, first: Image, other: Image) -> tuple[np.ndarray, np.ndarray]:
    if first.sky is None or other.sky is None:
        if first.shape[-2:] != other.shape[-2:]:
            raise CommandError(
                f"{first.name} and {other.name} have not the same pixels, and not both have world coordinates; "
                "places cannot go from one to the other."
            )
        return x, y
    lon, lat = first.sky.pixel_to_sky(x, y)
    return other.sky.sky_to_pixel(np.asarray(lon, float), np.asarray(lat, float))


def _places_table(session: Session, first: Image, x: np.ndarray, y: np.ndarray) -> Any:
    from astropy.table import QTable

    table = QTable({"id": np.arange(1, len(x) + 1), "x": x, "y": y})
    if first.sky is not None:
        table["sky"] = Field(session, first).coordinates(x, y)
    return table


def _join(result: Any, table: Any, words: str) -> None:
    """Add the columns of one image."""
    names = ("flux", "flux_err", "snr", "abmag", "abmag_err", "vegamag", "vegamag_err", "chi2", "n_masked", "flags")
    for name in names:
        if name in table.colnames:
            result[f"{name}_{words}"] = table[name]


# --- artificial stars -----------------------------------------------------------------------------------


@command("photometry.inject", title="Completeness by Artificial Stars…", menu=MENU, job=True, group="psf",
         needs="image", icon="fa6s.vial")  # fmt: skip
def inject(
    session: Session,
    data: Image,
    psf: Psf,
    *,
    stars: int = 200,
    rounds: int = 5,
    brightest: float | None = None,
    faintest: float | None = None,
    bins: int = 10,
    snr: float = 5.0,
    passes: int = 2,
    box_size: int = 64,
    fit_size: int = 0,
    gain: float | None = None,
    zero_point: float | None = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    seed: int = 1,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Find out how many stars of each magnitude are found and how true their fluxes are, by adding stars of known flux.

    Parameters
    ----------
    stars : int
        Added in each round, at random places.
    rounds : int
        How often.
    brightest, faintest : float, optional
        Magnitudes, AB where the unit allows or a zero point is given, else −2.5 log10 of the flux in the unit of the
        image; by default S/N of 100 to 2.
    bins : int
        Steps of magnitude.
    snr, passes, box_size, fit_size, gain, zero_point, exclude_flags
        As in ``photometry.psf``. With a gain the light of the stars has its own noise.
    seed : int
        Of the random numbers: the same seed gives the same stars.

    Returns
    -------
    Catalog
        mag (of the middle of the step), n, completeness, completeness_err, flux_ratio (median of found over true),
        flux_ratio_err, bias (in magnitudes), scatter (in magnitudes), pull_width (of differences over errors).
    """
    if not (stars >= 1 and rounds >= 1 and bins >= 1):
        raise CommandError("Artificial stars take one or more of stars, rounds and bins.")
    plan = plan_for(session, data, psf.model, fit_size=fit_size, max_shift=None, snr=snr, passes=passes,
                    box_size=box_size, gain=gain, flags=exclude_flags, progress=progress)  # fmt: skip
    zero = _zero(plan, zero_point)
    fluxes = _range(plan, zero, brightest, faintest)
    draw, usable = np.random.default_rng(seed), _usable(plan, progress)
    made: list[Injected] = []
    for number in range(rounds):
        step = within(progress, number, rounds, f"round {number + 1} of {rounds}")
        made.append(_round(plan, usable, draw, stars, fluxes, step))
    table = bins_of(made, zero, bins, fluxes)
    table.meta |= {"data": data.name, "psf": psf.name, "zero_point": zero, "stars": stars * rounds, "seed": seed}
    catalog = catalog_of(table, name or f"{data.name} completeness")

    def end() -> Catalog:
        add_data(session, [catalog])
        open_view(session, "scatter", catalog, x="mag", y="completeness", errors=True)
        return catalog

    return Apply(end, f"Completeness of {data.name} by {stars * rounds} Stars")


def _zero(plan: Plan, zero_point: float | None) -> float:
    """Return the magnitude of 1 in the unit of the image."""
    from jviz.backend.photometry.fluxes import AB_ZERO

    field = plan.scene.field
    known = field.calibration(zero_point)
    factor = known.factor
    if known.known and known.per_area:
        ny, nx = plan.scene.shape
        factor = factor * float(field.solid_angles(np.array([nx / 2]), np.array([ny / 2]))[0][0])
    return float(-2.5 * np.log10(factor / AB_ZERO)) if np.isfinite(factor) and factor > 0 else 0.0


def _range(plan: Plan, zero: float, brightest: float | None, faintest: float | None) -> tuple[float, float]:
    """Return the least and the greatest flux, in the unit of the image."""
    model = plan.model
    error = plan.scene.typical_rms / float(np.sqrt((model.mean**2).sum() / model.fine**2))
    low = 2 * error if faintest is None else 10 ** (-0.4 * (faintest - zero))
    high = 100 * error if brightest is None else 10 ** (-0.4 * (brightest - zero))
    if not 0 < low < high:
        raise CommandError("The brightest magnitude is the smaller number; give brightest below faintest.")
    return low, high


def _usable(plan: Plan, progress: Progress) -> np.ndarray:
    """Return on which pixels a star may be added."""
    found = np.zeros(plan.scene.shape, bool)
    for rows in plan.scene.parts:
        progress(rows.start, len(found), "pixels that are used")
        columns = slice(0, plan.scene.shape[1])
        found[rows] = np.isfinite(variance_of(plan.scene, rows, columns, plan.scene.tile(rows, columns))[0])
    return found


def _round(
    plan: Plan, usable: np.ndarray, draw: Any, count: int, fluxes: tuple[float, float], progress: Progress
) -> Injected:
    """Add stars to the image, find and fit all, and see which of them come back."""
    x, y, flux = injected(draw, usable, count, fluxes)
    light = _light(plan, draw, x, y, flux)
    made = fit_mosaic(plan, added=Added(light, x, y), progress=progress)
    return matched(x, y, flux, made.fitted, 0.5 * plan.model.fwhm)


def _light(plan: Plan, draw: Any, x: np.ndarray, y: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """Return an image of stars alone; with a gain they have noise of their own."""
    from jviz.backend.photometry.psf_kernels import subtract

    model, light = plan.model, zeros(plan.scene.shape, np.float32)
    near, share = model.at(x, y)
    places = np.ascontiguousarray(np.c_[x, y, flux])
    subtract(light, model.coefs, model.fine, *model.centre, near, share, places, np.full(len(x), model.reach), -1.0)
    if plan.gain:
        for rows in plan.scene.parts:
            light[rows] = draw.poisson(np.clip(light[rows], 0, None) * plan.gain) / plan.gain
            let_go(light)
    return light

"""Commands that fit fluxes at fixed places over bands and exposures, and that inject artificial stars."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from jviz.actions.photometry_psf import Ready, fit_passes, ready_for, star_fit
from jviz.actions.photometry_sources import MENU
from jviz.backend.photometry.completeness import Injected, bins_of, injected, matched
from jviz.backend.progress import Progress
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Image, Psf
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.psf_photometry import check_on, psf_table, saturated_near, stars_meant
from jviz.running import Apply
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
    result: Any = None
    notes: list[str] = []
    for number, (one, words) in enumerate(zip(data, _words(data), strict=True)):
        progress(number, len(data), one.name)
        ready = ready_for(session, one, box_size, gain, exclude_flags, progress)
        places = (x, y) if one is first else _moved(x, y, first, one)
        table, said = _forced_in(ready, psf[number % len(psf)], places, fit_size, zero_point, progress)
        notes += [f"{one.name}: {note}" for note in said]
        result = _joined(result, table, words)
    result.meta |= {"images": ", ".join(one.name for one in data), "notes": notes}
    catalog = catalog_of(result, name or f"forced photometry of {len(data)} images")

    def end() -> Any:
        if notes:
            session.notice("warning", f"Forced photometry: {'; '.join(notes[:3])}.")
        return catalog

    return Apply(end, f"Forced Photometry of {len(x)} Stars in {len(data)} Images",
                 {} if recorded is None else {"positions": recorded})  # fmt: skip


def _words(data: list[Image]) -> list[str]:
    """Name each image by its filter, or by its name where filters are not known or the same."""
    filters = [str(one.header.get("FILTER") or "").strip() for one in data]
    if all(filters) and len(set(filters)) == len(filters):
        return filters
    names = [re.sub(r"\W+", "_", one.name).strip("_") for one in data]
    return [name if names.count(name) == 1 else f"{name}_{k}" for k, name in enumerate(names)]


def _moved(x: np.ndarray, y: np.ndarray, first: Image, other: Image) -> tuple[np.ndarray, np.ndarray]:
    if first.sky is None or other.sky is None:
        if first.shape[-2:] != other.shape[-2:]:
            raise CommandError(
                f"{first.name} and {other.name} have not the same pixels, and not both have world coordinates; "
                "places cannot go from one to the other."
            )
        return x, y
    lon, lat = first.sky.pixel_to_sky(x, y)
    return other.sky.sky_to_pixel(np.asarray(lon, float), np.asarray(lat, float))


def _forced_in(
    ready: Ready, psf: Psf, places: tuple[np.ndarray, np.ndarray], fit_size: int, zero: float | None, progress: Progress
) -> tuple[Any, list[str]]:
    fit = star_fit(ready, psf.model, fit_size, 0.0)
    fit.add(*places)
    fit.run(progress)
    fitted = fit.fitted()
    saturated = saturated_near(ready.picture.dq, ready.field.saturated, *places, fit.half)
    return psf_table(ready.field, fitted, np.zeros(len(fitted.x)), zero, saturated)


def _joined(result: Any, table: Any, words: str) -> Any:
    if result is None:
        result = table[[n for n in ("id", "x", "y", "sky") if n in table.colnames]]
    for name in ("flux", "flux_err", "snr", "abmag", "abmag_err", "chi2", "n_masked", "flags"):
        result[f"{name}_{words}"] = table[name]
    return result


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
    ready = ready_for(session, data, box_size, gain, exclude_flags, progress)
    zero = _zero(ready, data, zero_point)
    fluxes = _range(ready, psf, zero, brightest, faintest)
    draw = np.random.default_rng(seed)
    made: list[Injected] = []
    for number in range(rounds):
        progress(number, rounds, f"round {number + 1} of {rounds}")
        made.append(_round(ready, psf, draw, stars, fluxes, (snr, passes, fit_size), progress))
    table = bins_of(made, zero, bins, fluxes)
    table.meta |= {"data": data.name, "psf": psf.name, "zero_point": zero, "stars": stars * rounds, "seed": seed}
    catalog = catalog_of(table, name or f"{data.name} completeness")
    return Apply(lambda: catalog, f"Completeness of {data.name} by {stars * rounds} Stars")


def _zero(ready: Ready, data: Image, zero_point: float | None) -> float:
    """Return the magnitude of 1 in the unit of the image."""
    from jviz.backend.photometry.fluxes import AB_ZERO

    known = ready.field.calibration(zero_point)
    factor = known.factor
    if known.known and known.per_area:
        ny, nx = ready.values.shape
        factor = factor * float(ready.field.solid_angles(np.array([nx / 2]), np.array([ny / 2]))[0][0])
    return float(-2.5 * np.log10(factor / AB_ZERO)) if np.isfinite(factor) and factor > 0 else 0.0


def _range(ready: Ready, psf: Psf, zero: float, brightest: float | None, faintest: float | None) -> tuple[float, float]:
    """Return the least and the greatest flux, in the unit of the image."""
    seen = ready.variance[np.isfinite(ready.variance)]
    model = psf.model
    error = float(np.sqrt(np.median(seen[:: max(1, seen.size // 10000)]) / ((model.mean**2).sum() / model.fine**2)))
    low = 2 * error if faintest is None else 10 ** (-0.4 * (faintest - zero))
    high = 100 * error if brightest is None else 10 ** (-0.4 * (brightest - zero))
    if not 0 < low < high:
        raise CommandError("The brightest magnitude is the smaller number; give brightest below faintest.")
    return low, high


def _round(
    ready: Ready, psf: Psf, draw: Any, count: int, fluxes: tuple[float, float], how: tuple[float, int, int],
    progress: Progress,
) -> Injected:  # fmt: skip
    """Add stars to the image, find and fit all, and see which of them come back."""
    from dataclasses import replace

    from jviz.backend.photometry.psf_kernels import subtract

    model = psf.model
    x, y, flux = injected(draw, np.isfinite(ready.variance), count, fluxes)
    light = np.zeros(ready.values.shape, np.float32)
    near, share = model.at(x, y)
    places = np.ascontiguousarray(np.c_[x, y, flux])
    subtract(light, model.coefs, model.fine, *model.centre, near, share, places, np.full(count, model.reach), -1.0)
    if ready.gain:
        light = (draw.poisson(np.clip(light, 0, None) * ready.gain) / ready.gain).astype(np.float32)
    with_stars = replace(ready, values=ready.values + light)
    snr, passes, fit_size = how
    fit = star_fit(with_stars, model, fit_size, None)
    fit_passes(fit, np.zeros(0), np.zeros(0), snr, passes, False, progress)
    return matched(x, y, flux, fit.fitted(), 0.5 * model.fwhm)

"""Commands that make point spread functions and fit all stars of an image by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jviz.actions.photometry_sources import MENU, Prepared, prepare
from jviz.backend.images.picture import Picture
from jviz.backend.photometry.backgrounds import mesh_background
from jviz.backend.photometry.psf_fitting import Fitted, StarFit, usual_half
from jviz.backend.photometry.psfs import PsfModel, gaussian_psf, moffat_psf
from jviz.backend.photometry.segmenting import WHOLE
from jviz.backend.progress import Progress
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image, Psf
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field
from jviz.pictures import data_from, plane_of, plane_wcs
from jviz.psf_photometry import (
    check_on,
    psf_data,
    psf_table,
    saturated_near,
    scale_meta,
    scale_notes,
    stars_meant,
)  # fmt: skip
from jviz.running import Apply, add_data
from jviz.session import Session
from jviz.views import ImageView


@command("photometry.model_psf", title="Gaussian or Moffat PSF…", menu=MENU, group="psf", icon="fa6s.certificate")
def model_psf(
    session: Session,
    shape: Literal["gaussian", "moffat"] = "gaussian",
    fwhm: float = 2.5,
    *,
    beta: float = 3.0,
    fwhm_minor: float | None = None,
    angle: float = 0.0,
    size: int = 0,
    name: str = "",
) -> Psf:
    """Make an analytic point spread function, integrated over the pixels.

    Parameters
    ----------
    shape : {"gaussian", "moffat"}
        A Gaussian, or Moffat's profile (1 + r²/α²)^−β.
    fwhm : float
        Full width at half maximum in pixels.
    beta : float
        Of Moffat's profile; the larger, the less light in the wings.
    fwhm_minor : float, optional
        Of a Gaussian, along its minor axis.
    angle : float
        Of its major axis, in degrees from x to y.
    size : int
        Pixels along the sides; 0: nearly all of the light.
    """
    if shape == "gaussian":
        model, words = gaussian_psf(fwhm, fwhm_minor, angle, size), f"Gaussian, FWHM {fwhm:g} pixels"
    else:
        model, words = moffat_psf(fwhm, beta, size), f"Moffat, FWHM {fwhm:g} pixels, β {beta:g}"
    return psf_data(model, name or f"{shape} PSF", words)


@command("photometry.build_psf", title="Build PSF from Stars…", menu=MENU, job=True, group="psf", needs="image",
         icon="fa6s.star")  # fmt: skip
def build_psf(
    session: Session,
    data: Image,
    positions: Any = "picked",
    *,
    oversampling: int = 4,
    size: int = 0,
    others: Any = None,
    box_size: int = 64,
    gain: float | None = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    rounds: int = 10,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Build a point spread function from stars (an effective PSF as that of Anderson & King 2000).

    Parameters
    ----------
    positions : "picked", list of (x, y), SkyCoord, Catalog or table
        Stars, to a pixel. Picked are the selected rows of a catalogue, else the points drawn on the image.
    oversampling : int
        Samples for one pixel.
    size : int
        Pixels along the sides of the PSF; 0: until the wings of the brightest star are lost in the noise, 8 times its
        width or more.
    others : list of (x, y), Catalog or table, optional
        Neighbours, which are subtracted.
    box_size : int
        Side of the meshes of the background in pixels; 0: it is subtracted already.
    gain : float, optional
        Electrons for 1 in the image, where it has no errors.
    exclude_flags : str, int or list, optional
        Flags whose pixels are not used; saturated ones never are.
    rounds : int
        How often stars and PSF are fitted in turn.

    Returns
    -------
    Psf
        Stars that are cut by the edge, saturated, masked in the core, faint or no single ones are left out, and said.
        Its header has PSFDOUBT, the error of all fluxes alike as a part of them, and PSFBEYON, the part of the light
        beyond its sides, which is in the fluxes, with its error PSFBEYER.
    """
    from jviz.backend.photometry.psf_building import build

    if not (1 <= oversampling <= 16 and rounds >= 1 and (size == 0 or size >= 5)):
        raise CommandError("A PSF takes 1 to 16 samples a pixel, 5 pixels or more, and a round or more.")
    x, y, recorded = stars_meant(session, data, positions)
    check_on(x, y, data)
    beside = None if others is None else _without_near(*stars_meant(session, data, others)[:2], x, y)
    how = (box_size, gain, exclude_flags, progress)
    if data.shape[-2] * data.shape[-1] > WHOLE:
        from jviz.actions.photometry_psf_tiles import STAMP, measured_scene, montage

        cut = montage(measured_scene(session, data, *how)[0], x, y, beside, max(STAMP, 2 * size), progress)
        seen = (cut.values, cut.variance, cut.x, cut.y, cut.others, 0.0)
    else:
        ready = ready_for(session, data, *how)
        seen = (ready.values, ready.variance, x, y, beside, ready.level)
    built = build(*seen[:4], fine=oversampling, size=size, rounds=rounds, others=seen[4], level=seen[5], mesh=box_size,
                  progress=progress)  # fmt: skip
    count, left_out = int(built.used.sum()), int((~built.used).sum())
    notes = [("NSTARS", count, "stars it is made of"), ("PSFQFIT", round(built.spread, 5), "median of sum |r|/flux"),
             ("PSFDOUBT", round(built.doubt, 5), "relative error of all fluxes by this PSF"),
             ("PSFBEYON", round(built.beyond, 5), "part of the light beyond the table, in the fluxes"),
             ("PSFBEYER", round(built.beyond_error, 5), "error of PSFBEYON"),
             ("HISTORY", f"jviz: built from {count} stars of {data.name}", "")]  # fmt: skip
    made = psf_data(built.psf, name or f"{data.name} PSF", f"PSF of {count} stars", notes)

    def end() -> Psf:
        said = scale_notes(made)
        if left_out:
            said.insert(0, f"{left_out} of {count + left_out} stars are left out (cut by the edge, saturated or masked "
                           "pixels, faint, or no single stars)")  # fmt: skip
        if said:
            session.notice("info", f"{made.name}: {'; '.join(said)}.")
        return made

    return Apply(end, f"Build PSF of {data.name}", {} if recorded is None else {"positions": recorded})


@command("photometry.psf", title="PSF Photometry…", menu=MENU, job=True, group="psf", needs="image",
         icon="fa6s.wand-magic-sparkles")  # fmt: skip
def psf_photometry(
    session: Session,
    data: Image,
    psf: Psf,
    positions: Any = None,
    *,
    snr: float = 5.0,
    passes: int = 2,
    fit_size: int = 0,
    fixed: bool = False,
    max_shift: float | None = None,
    box_size: int = 64,
    gain: float | None = None,
    zero_point: float | None = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    residual: bool = True,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Fit all stars of an image by a PSF, with their neighbours subtracted.

    Parameters
    ----------
    psf : Psf
        Made by "Build PSF from Stars" or "Gaussian or Moffat PSF", or opened from a file.
    positions : list of (x, y), SkyCoord, Catalog or table, optional
        Stars; without them they are found in the image.
    snr : float
        Threshold of finding stars, over the noise.
    passes : int
        The first looks for stars in the image, unless positions are given; every further one looks for more of them in
        the residuals.
    fit_size : int
        Side in pixels of the box round each star that is fitted; 0: 2.6 widths of the PSF.
    fixed : bool
        Leave the places as they are.
    max_shift : float, optional
        Farthest that a star may move in pixels; the width of the PSF by default.
    box_size : int
        Side of the meshes of the background in pixels, worked out anew without the stars; 0: it is subtracted already.
    gain : float, optional
        Electrons for 1 in the image, where it has no errors: errors are then those of the sky and of the stars' light.
    zero_point : float, optional
        AB magnitude of 1 in the image, for images without a calibration that is understood.
    exclude_flags : str, int or list, optional
        Flags whose pixels are not used; saturated ones never are.
    residual : bool
        Add the image less its stars, as a further layer to blink with.

    Returns
    -------
    Catalog
        id, x, y, sky, x_err, y_err, flux_fit (unit of the image), flux, flux_err (Jy), snr, abmag, abmag_err,
        background, chi2 (reduced), qfit, cfit, n_used, n_masked, group_id, group_size, flags, found_in.
    """
    places, recorded = None, None
    if positions is not None:
        *places, recorded = stars_meant(session, data, positions)
        check_on(*places, data)
    how = {"fit_size": fit_size, "max_shift": 0.0 if fixed else max_shift, "snr": snr, "passes": passes,
           "box_size": box_size, "gain": gain, "flags": exclude_flags}  # fmt: skip
    work = _in_tiles if data.shape[-2] * data.shape[-1] > WHOLE else _in_one_piece
    table, notes, rest = work(session, data, psf, places, how, zero_point, residual, progress)
    catalog = catalog_of(table, name or f"{data.name} stars")
    if rest is not None:
        rest.prepare()

    def end() -> Catalog:
        if rest is not None:
            add_data(session, [rest])
            lay_over(session, data, rest)
        said = [note for note in notes if note not in scale_notes(psf)]  # that was said when the PSF was built
        if said:
            session.notice("warning", f"PSF photometry of {data.name}: {'; '.join(said)}.")
        return catalog

    return Apply(end, f"PSF Photometry of {len(table)} Stars in {data.name}",
                 {} if recorded is None else {"positions": recorded})  # fmt: skip


def _in_one_piece(
    session: Session, data: Image, psf: Psf, places: Any, how: dict[str, Any], zero_point: float | None,
    residual: bool, progress: Progress,
) -> tuple[Any, list[str], Image | None]:  # fmt: skip
    """Return the table of stars, what could not be had, and the image without them where it is wanted."""
    ready = ready_for(session, data, how["box_size"], how["gain"], how["flags"], progress)
    fit = star_fit(ready, psf.model, how["fit_size"], how["max_shift"])
    x, y = (np.zeros(0), np.zeros(0)) if places is None else places
    found = fit_passes(fit, x, y, how["snr"], how["passes"], places is not None, progress)
    level = ready.level
    if how["box_size"]:
        level = level + settle_background(fit, ready, how["box_size"], progress)
    table, notes = _table_of(ready, fit, level, zero_point)
    _add_found(table, found, psf, fit.half, notes)
    if not residual:
        return table, notes, None
    left = ready.picture.but(values=(ready.picture.values - fit.model).astype(ready.picture.values.dtype))
    return table, notes, _residual(data, left, len(table), psf)


def _in_tiles(
    session: Session, data: Image, psf: Psf, places: Any, how: dict[str, Any], zero_point: float | None,
    residual: bool, progress: Progress,
) -> tuple[Any, list[str], Image | None]:  # fmt: skip
    """Do the same a tile at a time."""
    from jviz.actions.photometry_psf_tiles import fit_mosaic, plan_for

    plan = plan_for(session, data, psf.model, **how, progress=progress)
    made = fit_mosaic(plan, places, residual=residual, progress=progress)
    if not len(made.fitted.x):
        raise CommandError(f"No star is above S/N {plan.snr:g}; lower snr, or give positions.")
    table, notes = tabled(made, made.fitted, made.level, made.saturated, zero_point, how["gain"])
    half = how["fit_size"] // 2 or usual_half(psf.model.fwhm)
    _add_found(table, made.found, psf, half, notes)
    if made.residual is None:
        return table, notes, None
    rest = _residual(data, Picture(made.residual, None, None, data.plane().unit, plane_wcs(data)), len(table), psf)
    beside = (plane_of(data, "error", "variance", "inverse variance"), plane_of(data, "flags"))
    rest.product.planes |= {p.name: replace(p) for p in beside if p is not None}
    return table, notes, rest


def _add_found(table: Any, found: np.ndarray, psf: Psf, half: int, notes: list[str]) -> None:
    table["found_in"] = found
    table["found_in"].info.description = "0: given; 1: found in the image; 2 and more: in the residuals"
    notes += scale_notes(psf)
    table.meta |= {"psf": psf.name, "fit_size": 2 * half + 1, "notes": notes} | scale_meta(psf)


def _residual(data: Image, left: Picture, count: int, psf: Psf) -> Image:
    return data_from(left, f"{data.name} residual", data, f"{data.name} less {count} stars, PSF {psf.name}")


# --- what they share ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """An image less its background, with the variance of each pixel, infinite where it is not used."""

    field: Field
    picture: Any
    values: np.ndarray
    level: np.ndarray
    variance: np.ndarray
    gain: float | None
    from_errors: bool


def ready_for(
    session: Session, data: Image, box_size: int, gain: float | None, flags: Any, progress: Progress
) -> Ready:
    """Subtract the background of an image and find the variance of its pixels."""
    if gain is not None and not gain > 0:
        raise CommandError(f"A gain of {gain:g} is none; give the electrons for 1 in the image, above 0.")
    field = Field(session, data, exclude_flags=flags)
    with_errors = field.has_errors and gain is None
    prepared: Prepared = prepare(session, data, box_size, "errors" if with_errors else "background", flags,
                                 progress)  # fmt: skip
    hidden = prepared.mask
    if prepared.picture.dq is not None and field.saturated:
        hidden = hidden | ((prepared.picture.dq.astype(np.int64) & field.saturated) != 0)
    variance = np.square(prepared.rms, dtype=np.float32)
    variance[hidden | ~(variance > 0)] = np.inf
    if not np.isfinite(variance).any():
        raise CommandError(f"{data.name} has no noise to weigh its pixels by: its errors are 0 or NaN; give a gain.")
    return Ready(field, prepared.picture, prepared.values, prepared.level, variance, gain, with_errors)


def star_fit(ready: Ready, model: PsfModel, fit_size: int, max_shift: float | None) -> StarFit:
    """Return what fits the stars of an image."""
    half = fit_size // 2 if fit_size else usual_half(model.fwhm)
    if half < 1 or half > 100:
        raise CommandError(f"A box of {fit_size} pixels cannot be fitted; give 3 to 201, or 0.")
    limit = model.fwhm if max_shift is None else float(max_shift)
    if not limit >= 0:
        raise CommandError(f"Stars cannot move by up to {limit:g} pixels; give 0 or more.")
    return StarFit(ready.values, ready.variance, model, half=half, apart=half + 1.0, limit=limit, gain=ready.gain)


def fit_passes(
    fit: StarFit, x: np.ndarray, y: np.ndarray, snr: float, passes: int, given: bool, progress: Progress
) -> np.ndarray:
    """Fit stars that are given, find more, fit all; return in which pass each was found."""
    from jviz.backend.photometry.star_finding import find_stars

    found = np.zeros(len(x), int)
    if given:
        fit.add(x, y)
        fit.run(progress)
    for number in range(2 if given else 1, max(1, passes) + 1):
        progress(0, 1, "finding stars" if number == 1 else "finding stars in the residuals")
        model = fit.model if len(fit.stars) else None
        new_x, new_y, _ = find_stars(fit.residual, fit.weight, fit.psf.fwhm, snr, model)
        if not len(new_x):
            break
        fit.add(new_x, new_y)
        found = np.r_[found, np.full(len(new_x), number)]
        fit.run(progress)
        found = _without_doubtful(fit, found, snr, progress)
    if not len(fit.stars):
        raise CommandError(f"No star is above S/N {snr:g}; lower snr, or give positions.")
    return found


def _without_doubtful(fit: StarFit, found: np.ndarray, snr: float, progress: Progress) -> np.ndarray:
    """Let go of stars that were found and are none beside their neighbours; return when the others were found."""
    fitted = fit.fitted()
    with np.errstate(invalid="ignore"):
        good = (found == 0) | (fitted.flux > 0.7 * snr * fitted.flux_error)
    if good.all():
        return found
    fit.keep(good)
    fit.run(progress)
    return found[good]


def settle_background(fit: StarFit, ready: Ready, box_size: int, progress: Progress) -> np.ndarray:
    """Work out what is left of the background without the stars, take it out and fit again; return it."""
    progress(0, 1, "background without the stars")
    mask = fit.weight <= 0
    try:
        more, _ = mesh_background(np.where(mask, np.nan, fit.residual), box_size)
    except CommandError:  # too little is left of it: the first one stays
        return np.zeros((), np.float32)
    more = np.where(np.isfinite(more), more, 0).astype(np.float32)
    fit.lift(more)
    fit.run(progress)
    return more


def _table_of(ready: Ready, fit: StarFit, level: np.ndarray, zero_point: float | None) -> tuple[Any, list[str]]:
    fitted = fit.fitted()
    saturated = saturated_near(ready.picture.dq, ready.field.saturated, fitted.x, fitted.y, fit.half)
    return tabled(ready, fitted, level_at(level, fitted), saturated, zero_point, ready.gain)


def level_at(level: np.ndarray, fitted: Fitted) -> np.ndarray:
    """Return the background in the pixels of stars; of those off the image in the nearest one."""
    ny, nx = level.shape
    j, i = (np.nan_to_num(np.rint(v), nan=0).astype(int).clip(0, n - 1) for v, n in ((fitted.x, nx), (fitted.y, ny)))
    return np.asarray(level[i, j], float)


def tabled(
    made: Any, fitted: Fitted, level: np.ndarray, saturated: np.ndarray, zero_point: float | None, gain: float | None
) -> tuple[Any, list[str]]:
    """Return the table of stars and what could not be had; ``made`` has the field and whether it has errors."""
    table, notes = psf_table(made.field, fitted, level, zero_point, saturated)
    if not made.from_errors:
        noise = "the scatter of the background" + (" and the light of the stars" if gain else " alone")
        notes.insert(0, f"it has no errors: those given come from {noise}")
    lost = int((~fitted.usable).sum())
    if lost:
        notes.append(
            f"{lost} of {len(table)} have no pixel to use (off the image, NaN, saturated or flagged) and stay NaN"
        )
    return table, notes


def lay_over(session: Session, data: Image, rest: Image, *, visible: bool = True) -> None:
    """Put the residual on top of the image in the view that shows it, with the same limits, to blink with."""
    from jviz.actions.view import place

    for view in reversed(session.views.values()):
        if isinstance(view, ImageView) and any(layer.data is data for layer in view.layers):
            below = next(layer for layer in view.layers if layer.data is data)
            place(session, view, [rest], "add")
            look = {"stretch": below.stretch, "colormap": below.colormap, "visible": visible}
            view.layers[-1].update(limits=below.limits, **look)
            if not visible:
                view.active = view.layers.index(below)
            return


def _without_near(
    x: np.ndarray, y: np.ndarray, stars_x: np.ndarray, stars_y: np.ndarray, distance: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """Leave out places that are those of the stars themselves."""
    from scipy.spatial import KDTree

    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    finite = np.isfinite(stars_x) & np.isfinite(stars_y)
    far = KDTree(np.c_[stars_x, stars_y][finite]).query(np.c_[x, y])[0] > distance
    return x[far], y[far]

"""Commands that smooth, mask and stack images and take their background away."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.actions.arithmetic import check_grids
from jviz.actions.image_geometry import MENU
from jviz.actions.region_measure import chosen
from jviz.backend.dq import flag_bits
from jviz.backend.images import filters
from jviz.backend.images.picture import Picture
from jviz.backend.images.stacking import How, Rows, stacked
from jviz.backend.progress import Progress
from jviz.backend.regions.masks import Target, weights
from jviz.commands import command
from jviz.data import Image
from jviz.errors import CommandError
from jviz.pictures import data_from, picture_of, plane_of, plane_wcs, read_rows, standard_deviation
from jviz.placement import home_of
from jviz.session import Session


@command(
    "image.smooth", title="Smooth Pixels…", menu=MENU, job=True, needs="image", group="filter", icon="fa6s.droplet"
)
def filter_pixels(
    data: Image, kernel: filters.Kernel = "gaussian", size: float = 2.0, *, name: str = "", progress: Progress
) -> Image:
    """Smooth an image; NaN is filled from its surroundings, and edges do not darken.

    Parameters
    ----------
    kernel : {"gaussian", "median", "tophat", "box"}
        Errors go through the linear ones; those of a median are not known.
    size : float
        In pixels: σ of the Gaussian, radius of the top hat, side of the box or of the median (odd).
    """
    picture = picture_of(data, progress=progress)
    if kernel == "median":
        if size != int(size):
            raise CommandError(f"The side of a median filter must be an odd number of pixels, not {size:g}.")
        made = filters.median_filtered(picture, int(size), progress)
    else:
        made = filters.convolved(picture, filters.kernel_of(kernel, size), progress)
    return data_from(
        made, name or f"{data.name} smoothed", data, f"{data.name} smoothed, {kernel}, size {size:g} pixels"
    )


@command(
    "image.psf_match", title="Match PSF…", menu=MENU, job=True, needs="image", group="filter", icon="fa6s.bullseye"
)
def psf_match(
    data: Image,
    fwhm_from: float | None = None,
    fwhm_to: float | None = None,
    *,
    kernel: Image | None = None,
    name: str = "",
    progress: Progress,
) -> Image:
    """Widen the point spread of an image to that of another, by a Gaussian or a kernel of your own.

    Parameters
    ----------
    fwhm_from, fwhm_to : float, optional
        Full widths at half maximum in pixels of the image; Gaussians are assumed.
    kernel : Data, optional
        An image of the kernel with odd sides on the pixels of the data, instead; it is scaled to a sum of 1.
    """
    if kernel is not None:
        weight = picture_of(kernel, progress=progress).values.astype(np.float64)
        total = weight.sum()
        if not (np.isfinite(total) and total > 0 and weight.shape[0] % 2 and weight.shape[1] % 2):
            raise CommandError(f"{kernel.name} is no kernel: it needs odd sides, no NaN and a sum above 0.")
        picture = picture_of(data, progress=progress)
        made, what = filters.convolved(picture, weight / total, progress), f"kernel {kernel.name}"
    else:
        if fwhm_from is None or fwhm_to is None or not 0 <= fwhm_from < fwhm_to:
            raise CommandError(
                "Give fwhm_from and a larger fwhm_to in pixels (a PSF can only be widened), or a kernel."
            )
        sigma = float(np.sqrt(fwhm_to**2 - fwhm_from**2) / filters.FWHM)
        made = filters.convolved(picture_of(data, progress=progress), filters.gaussian(sigma), progress)
        what = f"FWHM {fwhm_from:g} to {fwhm_to:g} pixels"
    return data_from(made, name or f"{data.name} matched", data, f"{data.name} with the PSF matched, {what}")


@command("image.subtract_background", title="Subtract Background…", menu=MENU, job=True, needs="image", group="filter",
         icon="fa6s.minus")  # fmt: skip
def subtract_background(
    data: Image,
    kind: Literal["constant", "plane", "mesh"] = "mesh",
    *,
    box: int = 64,
    name: str = "",
    progress: Progress,
) -> Image:
    """Subtract the background, estimated from values clipped at 3 σ.

    Parameters
    ----------
    kind : {"constant", "plane", "mesh"}
        The median; a plane; medians of boxes joined by splines.
    box : int
        Side of the boxes in pixels; larger than the sources.
    """
    picture = picture_of(data, progress=progress)
    progress(0, 1, "background")
    level = filters.background(picture, kind, box)
    made = picture.but(values=(picture.values - level).astype(picture.values.dtype))
    what = f"{data.name} less its background, {kind}, median level {np.median(level):.6g}"
    return data_from(made, name or f"{data.name} less background", data, what)


@command("image.mask", title="Mask Pixels…", menu=MENU, job=True, needs="image", group="filter", icon="fa6s.mask")
def mask(
    session: Session,
    data: Image,
    region: Any = None,
    flags: str | int | list[str | int] | None = None,
    *,
    invert: bool = False,
    name: str = "",
    progress: Progress,
) -> Image:
    """Set pixels to NaN: those in regions, those with flags, or all others.

    Parameters
    ----------
    region : str, list of str or regions.Region, optional
        Pixels whose centres are inside.
    flags : str, int or list, optional
        Names such as ``"SATURATED, JUMP_DET"``, or ``"bit 3"``.
    invert : bool
        Keep only these pixels.
    """
    if not region and not flags:
        raise CommandError("Say what to mask: a region, or flags.")
    progress(0, 1, "reading")
    picture = picture_of(data, progress=progress)
    hidden = np.zeros(picture.shape, bool)
    if region:
        for subset in chosen(session, region, data):
            target = Target(picture.shape, data.sky)
            inside = weights(subset.region, target, home=home_of(subset, data), mode="center")
            hidden[inside.slices] |= inside.values > 0
    if flags:
        if picture.dq is None:
            raise CommandError(f"{data.name} has no plane of flags; give a region instead.")
        bits = flag_bits(flags, data.product.flags or "generic")
        hidden |= (picture.dq.astype(np.int64) & bits) != 0
    hidden ^= invert
    made = picture.but(values=np.where(hidden, picture.values.dtype.type(np.nan), picture.values))
    what = f"{data.name} with {int(hidden.sum())} pixels masked"
    return data_from(made, name or f"{data.name} masked", data, what)


@command(
    "image.stack",
    title="Stack Images…",
    menu=MENU,
    job=True,
    needs="image",
    group="arithmetic",
    icon="fa6s.layer-group",
)
def stack(data: list[Image], how: How = "mean", sigma: float = 3.0, *, name: str = "", progress: Progress) -> Image:
    """Combine images on the same pixels, some rows at a time; NaN is left out.

    Parameters
    ----------
    data : list of Data
        Two or more; reproject those on other grids first.
    how : {"mean", "median", "clipped", "sum", "weighted"}
        "clipped" leaves out what is beyond ``sigma`` robust deviations of the median, "weighted" weighs by 1/error².
    sigma : float
        For "clipped".
    """
    if len(data) < 2:
        raise CommandError("A stack needs two images or more.")
    check_grids(data)
    units = {d.unit.replace(" ", "") for d in data}
    if len(units) > 1:
        raise CommandError(f"The images have different units ({', '.join(sorted(units))}); convert them first.")
    if how == "weighted" and (without := [d.name for d in data if _error(d) is None]):
        raise CommandError(f"{without[0]} has no errors to weigh by; take the mean or the median.")
    first = data[0]
    shape = first.shape[-2], first.shape[-1]
    values, error, dq = stacked([_rows(d) for d in data], shape, how, sigma=sigma, progress=progress)
    dtype = np.float64 if any(d.plane().dtype.itemsize > 4 for d in data) else np.float32
    error = None if error is None else error.astype(dtype)
    picture = Picture(values.astype(dtype), error, dq, first.unit, plane_wcs(first))
    return data_from(picture, name or f"{how} of {len(data)}", first, f"{how} of {', '.join(d.name for d in data)}")


def _error(data: Image) -> Any:
    return plane_of(data, "error", "variance", "inverse variance")


def _rows(data: Image) -> Rows:
    error, flags = _error(data), plane_of(data, "flags")

    def rows(part: slice) -> Any:
        deviation = None if error is None else standard_deviation(error.meaning, read_rows(data, error, part))
        return read_rows(data, data.plane(), part), deviation, None if flags is None else read_rows(data, flags, part)

    return rows

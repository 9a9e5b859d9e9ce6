"""The command that brings images onto the grid of another."""

from __future__ import annotations

from typing import Literal

from jviz.actions.image_geometry import MENU
from jviz.backend.images.projection import reprojected
from jviz.backend.progress import Progress
from jviz.backend.units import is_brightness
from jviz.commands import command
from jviz.data import Image
from jviz.errors import CommandError
from jviz.pictures import data_from, picture_of, plane_wcs


@command("image.reproject", title="Reproject…", menu=MENU, job=True, needs="image", group="grid", icon="fa6s.globe")
def reproject(
    data: Image,
    reference: Image,
    method: Literal["interpolate", "exact", "adaptive"] = "exact",
    *,
    conserve: Literal["auto", "flux", "brightness"] = "auto",
    name: str = "",
    progress: Progress,
) -> Image:
    """Bring an image onto the pixels of another, with its errors and flags; NaN where it does not reach.

    Parameters
    ----------
    reference : Data
        The image whose grid is used.
    method : {"interpolate", "exact", "adaptive"}
        Cubic interpolation (fast, for pixels of about the same size), the overlap of pixels on the sphere (keeps
        the sum), or a filter that follows the change of scale (DeForest 2004; keeps the sum, smooths a little).
    conserve : {"auto", "flux", "brightness"}
        What stays when pixels change their size: the sum over pixels, or the surface brightness; "auto" decides by the
        unit (MJy/sr is brightness, DN/s flux).

    Raises
    ------
    CommandError
        When one of them is not on the sky, or they do not overlap.
    """
    for one in (data, reference):
        if one.sky is None:
            raise CommandError(f"{one.name} is not on the sky, so nothing can be reprojected; give it a WCS first.")
    flux = not is_brightness(data.unit) if conserve == "auto" else conserve == "flux"
    shape = reference.shape[-2], reference.shape[-1]
    picture = picture_of(data, progress=progress)
    made = reprojected(picture, plane_wcs(reference), shape, method, flux=flux, progress=progress)
    if not (made.values == made.values).any():
        raise CommandError(
            f"No pixel of {reference.name} is covered by {data.name}: they do not overlap on the sky, or the one is "
            "smaller than a pixel of the other; choose another reference, or the method exact."
        )
    kept = "flux" if flux else "brightness"
    what = f"{data.name} on the grid of {reference.name}, {method}, conserving {kept}"
    return data_from(made, name or f"{data.name} on {reference.name}", data, what)

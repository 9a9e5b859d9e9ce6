"""What regions of files say of an image that is yet to be named: its physical pixels, its scale, its edges."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jviz.backend.regions.alternates import of_alternate
from jviz.backend.regions.converting import converted, is_pixel, to_pixel
from jviz.backend.regions.ds9_words import ABOUT, is_alternate
from jviz.backend.regions.kinds import shape_name
from jviz.backend.regions.making import Sketch
from jviz.backend.regions.offsets import offset_by, offsets_to
from jviz.backend.regions.physical import Physical, linear_of, physical_of
from jviz.errors import CommandError

__all__ = ["of_image", "words_of_image"]

WORDS = ("physical", "linear", "sky sizes", "pixel sizes", "field", "sector")
"""What may be in the meta ``frame`` of a region, with "+" between, besides the names that other packages put there.

There may also be "wcsa" to "wcsz", and "sky sizes about 99.5 100.25" for shapes whose sizes are in their vertices.
"""

def words_of_image(region: Any) -> tuple[str, ...]:
    """Return what a region, a sketch, or the first member of a combined one leaves to its image, of `WORDS`."""
    said = region.words[0].get("frame", "") if isinstance(region, Sketch) else str(region.meta.get("frame", ""))
    # numbers have signs and exponents, but no letter follows their plus
    words = re.split(r"\+(?=[a-z])", said)
    return tuple(word for word in words if word.partition(ABOUT)[0] in WORDS or is_alternate(word))


def of_image(regions: Sequence[Any], image: Any) -> tuple[list[Any], list[str]]:
    """Return regions as they are in the pixels, or on the sky, of an image.

    Parameters
    ----------
    regions : sequence of regions.Region or Sketch
    image : object or None
        With ``shape``, ``header`` and ``sky``, as data of the session have them.

    Returns
    -------
    regions : list of regions.Region or Sketch
        Those that leave nothing to the image are the same objects.
    problems : list of str
        Why others were left out.
    """
    kept, problems = [], []
    for region in regions:
        try:
            kept.append(_settled(region.made() if isinstance(region, Sketch) else region, image)
                        if _asks(region) else region)  # fmt: skip
        except CommandError as error:
            problems.append(str(error))
    return kept, list(dict.fromkeys(problems))


def _asks(region: Any) -> bool:
    if isinstance(region, Sketch) or shape_name(type(region)) != "Compound":
        return bool(words_of_image(region))
    return _asks(region.region1) or _asks(region.region2)


def _settled(region: Any, image: Any) -> Any:
    if shape_name(type(region)) == "Compound":
        region = region.copy(region1=_settled(region.region1, image), region2=_settled(region.region2, image))
        region.meta.pop("frame", None)
        return region
    words = words_of_image(region)
    if words and is_alternate(words[0]):
        region, words = of_alternate(region, words, image), ()
        region.meta.pop("frame", None)
    for word in words:
        kind, about, place = word.partition(ABOUT)
        region = _drawn_out(region, words, place, image) if about else _STEPS[kind](region, image)
    if words:
        region.meta.pop("frame", None)
    return region


def _physical(region: Any, image: Any) -> Any:
    physical = physical_of(image.header) if image is not None else None
    return region.copy() if physical is None else _along_axes(region, physical)


def _linear(region: Any, image: Any) -> Any:
    linear = linear_of(_wanted(image, "linear coordinates").header)
    if linear is None:
        raise CommandError("linear coordinates, which the image does not have")
    return _along_axes(region, linear)


def _along_axes(region: Any, axes: Physical) -> Any:
    words = words_of_image(region)
    if any(ABOUT in word for word in words):
        return region  # `_drawn_out` does both
    if "sky sizes" in words:  # which are no lengths along the axes
        return region.copy(center=axes.position(region.center))
    return converted(region, axes)


class _Scaled:
    """Leaves positions, and multiplies sizes."""

    def __init__(self, space: str, factor: float) -> None:
        self.space, self._factor = space, factor

    def position(self, position: Any) -> Any:
        return position

    def matrix(self, position: Any) -> np.ndarray:
        return np.eye(2) * self._factor

    def size(self, value: float) -> Any:
        if self.space == "Pixel":
            return value
        from astropy import units as u

        return value * 3600.0 * u.arcsec


def _sky_sizes(region: Any, image: Any) -> Any:
    """Turn sizes in arcseconds round a pixel into pixels, by the scale of the image there."""
    center = region.center
    return converted(region, _Scaled("Pixel", 1 / _scale(image, center.x, center.y)))


def _pixel_sizes(region: Any, image: Any) -> Any:
    """Turn sizes in pixels round a place on the sky into degrees, by the scale of the image there."""
    sky, center = _sky(image), region.center.icrs
    scale = _scale(image, *sky.sky_to_pixel(center.ra.deg, center.dec.deg))
    return converted(region, _Scaled("Sky", scale))


def _drawn_out(region: Any, words: Sequence[str], place: str, image: Any) -> Any:
    """Put vertices as far from a place as the scale of the image says, and the place where its coordinates mean."""
    x, y = map(float, place.split())
    names = ("start", "end") if shape_name(type(region)) == "Line" else ("vertices",)
    if not is_pixel(region):
        return region.copy(**{name: _drawn_out_on_sky(getattr(region, name), x, y, image) for name in names})
    from regions import PixCoord

    axes = _axes(words, image)
    at = axes.position(PixCoord(x, y)) if axes is not None else PixCoord(x, y)
    factor = 1 / _scale(image, at.x, at.y)

    def drawn_out(position: Any) -> Any:
        return PixCoord(at.x + factor * (position.x - x), at.y + factor * (position.y - y))

    return region.copy(**{name: drawn_out(getattr(region, name)) for name in names})


def _drawn_out_on_sky(position: Any, lon: float, lat: float, image: Any) -> Any:
    from astropy.coordinates import SkyCoord

    frame = position.frame.replicate_without_data()
    place = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    scale = _scale(image, *_sky(image).sky_to_pixel(place.ra.deg, place.dec.deg))
    west, north = offsets_to(lon, lat, position.spherical.lon.deg, position.spherical.lat.deg)
    return SkyCoord(*offset_by(lon, lat, west * scale, north * scale), unit="deg", frame=frame)


def _axes(words: Sequence[str], image: Any) -> Physical | None:
    if "physical" in words:
        return physical_of(image.header) if image is not None else None
    return linear_of(image.header) if "linear" in words else None


def _scale(image: Any, x: Any, y: Any) -> float:
    """Return the arcseconds in a pixel, by its area."""
    found = float(np.sqrt(abs(np.linalg.det(_sky(image).jacobian(float(x), float(y))))))
    if not (np.isfinite(found) and found > 0):
        raise CommandError("a size that needs the scale of the image where it has no sky")
    return found


def _sky(image: Any) -> Any:
    sky = getattr(image, "sky", None)
    if sky is None:
        raise CommandError("sizes in arcseconds and positions in pixels, or the other way round, which need an image "
                           "with world coordinates")  # fmt: skip
    return sky


def _wanted(image: Any, what: str) -> Any:
    if image is None:
        raise CommandError(f"{what}, which need an image")
    return image


def _field(region: Any, image: Any) -> Any:
    """Return the rectangle of all pixels of the image."""
    from regions import PixCoord

    ny, nx = _wanted(image, "field() and sectors").shape[-2:]
    return region.copy(center=PixCoord((nx - 1) / 2, (ny - 1) / 2), width=float(nx), height=float(ny))


def _sector(region: Any, image: Any) -> Any:
    """Lengthen a sector of radius 1, whose last vertex is its centre, beyond the corners of the image."""
    from regions import PixCoord

    if not is_pixel(region):  # one of an arcsecond
        region = to_pixel(region, _sky(_wanted(image, "field() and sectors")))
    ny, nx = _wanted(image, "field() and sectors").shape[-2:]
    x, y = np.asarray(region.vertices.x), np.asarray(region.vertices.y)
    corners = np.array([(-0.5, -0.5), (nx - 0.5, -0.5), (-0.5, ny - 0.5), (nx - 0.5, ny - 0.5)])
    away = np.hypot(*(corners - (x[-1], y[-1])).T)
    # The chords of the arc lie a ten-thousandth within it.
    reach = 1.001 * float(away.max()) / float(np.hypot(x[0] - x[-1], y[0] - y[-1]))
    return region.copy(vertices=PixCoord(x[-1] + reach * (x - x[-1]), y[-1] + reach * (y - y[-1])))


_STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "physical": _physical, "linear": _linear, "sky sizes": _sky_sizes, "pixel sizes": _pixel_sizes, "field": _field,
    "sector": _sector,
}  # fmt: skip

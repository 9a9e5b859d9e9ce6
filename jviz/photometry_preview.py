"""What the panel of photometry shows while its numbers are turned; nothing of it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.aperture_measuring import (
    Photometry,
    correction_table,
    in_circles,
    in_regions,
    is_none,
    ring_meant,
    sizes_meant,
    vega_meant,
)
from jviz.backend.photometry.backgrounds import clipped_scatter, mesh_background, uncovered
from jviz.backend.photometry.segmenting import Tile, find_segments
from jviz.backend.photometry.sources import peaks, stars
from jviz.backend.photometry.tables import FLAGS, columns_of, flags_of
from jviz.backend.render.colormaps import colormap
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.geometry import geometry_of
from jviz.photometry import Field, places_meant
from jviz.photometry_tiles import near_edge
from jviz.pictures import standard_deviation
from jviz.plot_views import Curve
from jviz.results import counted
from jviz.signals import Signal
from jviz.subsets import Subset

__all__ = ["Preview", "aperture_preview", "background_preview", "detection_preview", "part_in_sight",
           "photometry_shown", "read_part"]  # fmt: skip

LARGEST = 1200
"""Side of the part that previews work on, in pixels."""

MOST_MARKS = 3000
GROWTH = 30
"""Circles of a curve of growth."""


@dataclass(frozen=True, eq=False)
class Preview:
    """What is drawn over an image; all in its pixels.

    Attributes
    ----------
    data : Data
    rgba : ndarray of uint32 or None, shape (ny, nx)
        Colours (0xAARRGGBB, not premultiplied) of the pixels of a part.
    corner : (int, int)
        First column and row of that part.
    marks : ndarray, shape (n, 2)
        x and y.
    circles : tuple of (x, y, radius)
    ring : tuple of (x, y, inner, outer)
    ellipses : ndarray or None, shape (n, 5)
        x, y, semi-major and semi-minor axis, and the angle of the major axis in radians from +x.
    caption : str
    """

    data: Any
    rgba: np.ndarray | None = None
    corner: tuple[int, int] = (0, 0)
    marks: np.ndarray | None = None
    circles: tuple[tuple[float, float, float], ...] = ()
    ring: tuple[float, float, float, float] | None = None
    ellipses: np.ndarray | None = None
    caption: str = ""


class PhotometryShown:
    """Which preview is drawn in one session.

    Attributes
    ----------
    changed : Signal
    current : Preview or None
    """

    def __init__(self) -> None:
        self.changed = Signal()
        self.current: Preview | None = None

    def show(self, preview: Preview | None) -> None:
        """Draw another one, or none."""
        if preview is not self.current:
            self.current = preview
            self.changed.emit()


_shown: WeakKeyDictionary[Any, PhotometryShown] = WeakKeyDictionary()


def photometry_shown(session: Any) -> PhotometryShown:
    """Return what is shown in a session."""
    return _shown.setdefault(session, PhotometryShown())


def part_in_sight(view: Any) -> tuple[slice, slice]:
    """Return rows and columns of the first layer of a view that are in sight, 1200 each at most, round the middle."""
    shape = view.layers[0].picture.shape[-2:]
    x0, y0, x1, y1 = geometry_of(view).bounds(shape)
    return _within(y0, y1, shape[0]), _within(x0, x1, shape[1])


def _within(first: float, last: float, n: int) -> slice:
    low, high = max(int(first), 0), min(int(np.ceil(last)) + 1, n)
    spare = max(high - low - LARGEST, 0)
    return slice(low + spare // 2, high - (spare - spare // 2))


# --- backgrounds and sources --------------------------------------------------------------------------


def background_preview(
    session: Any, data: Any, part: tuple[slice, slice], show: str, regions: Sequence[Subset] = (), **options: Any
) -> tuple[Preview, str]:
    """Work out the background of a part of an image.

    Parameters
    ----------
    show : {"level", "rms", ""}
        What is drawn.
    options
        box_size, filter_size, estimator, rms, clip, exclude_flags and edge of ``photometry.background``.

    Returns
    -------
    tuple
        What to draw, and the numbers in words.
    """
    field = Field(session, data, exclude_flags=options.pop("exclude_flags", DEFAULT_FLAGS))
    values, hidden = read_part(field, part, regions, options.pop("edge", 0))
    box, window = options.pop("box_size", 64), options.pop("filter_size", 3)
    level, rms = mesh_background(values, box, window, mask=hidden, **options)
    unit = f" {field.plane.unit}" if field.plane.unit else ""
    text = f"level {np.nanmedian(level):.4g}{unit} ({_reach(level)}), scatter {np.nanmedian(rms):.3g}{unit}"
    drawn = {"level": level, "rms": rms}.get(show)
    if drawn is None:
        return Preview(data), text
    name = {"level": "Background", "rms": "Scatter"}[show]
    caption = f"{name} {_reach(drawn)}{unit}"
    return Preview(data, _coloured(drawn), _corner(part), caption=caption), text


def detection_preview(
    session: Any, data: Any, part: tuple[slice, slice], method: str = "segmentation", *, snr: float = 3.0,
    npixels: int = 5, fwhm: float = 2.0, deblend: bool = True, contrast: float = 0.005, box_size: int = 64,
    noise: str = "background", regions: Sequence[Subset] = (), exclude_flags: Any = DEFAULT_FLAGS, edge: int = 0,
) -> tuple[Preview, str]:  # fmt: skip
    """Find the sources of a part of an image, as ``photometry.detect`` does in all of it."""
    field = Field(session, data, exclude_flags=exclude_flags)
    values, hidden = read_part(field, part, regions, edge)
    if box_size:
        level, rms = mesh_background(values, min(box_size, *values.shape), mask=hidden)
        values = (values - level).astype(values.dtype)
    else:
        rms = np.full(values.shape, clipped_scatter(values[~hidden]))
    if noise == "errors":
        rms = _errors(field, part)
    rms = rms.astype(values.dtype)
    if method == "segmentation":
        whole = Tile(values, values, rms, hidden)
        found = find_segments(whole.part, values.shape, snr=snr, npixels=npixels, fwhm=fwhm, deblend=deblend,
                              contrast=contrast)  # fmt: skip
        if found is None:
            return Preview(data), "no source in sight above this threshold"
        return Preview(data, _tinted(found.labels), _corner(part)), _said(found.count, part)
    if method == "dao":
        table = stars(values, float(np.nanmedian(rms[~hidden])), snr=snr, fwhm=fwhm, mask=hidden)
    else:
        table = peaks(values, rms, snr=snr, size=npixels, mask=hidden)
    if table is None:
        return Preview(data), "no source in sight above this threshold"
    names = ("x_centroid", "y_centroid") if "x_centroid" in table.colnames else ("x_peak", "y_peak")
    places = np.column_stack([np.asarray(table[n], float) for n in names]) + _corner(part)
    return Preview(data, marks=places[:MOST_MARKS]), _said(len(places), part)


def _said(count: int, part: tuple[slice, slice]) -> str:
    is_whole = all(side.stop - side.start < LARGEST for side in part)
    where = "in sight" if is_whole else f"in the {LARGEST:,} pixels round the middle; zoom in to see others"
    return f"{counted(count, 'source')} {where}"


def read_part(
    field: Field, part: tuple[slice, slice], regions: Sequence[Subset], edge: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a part and which of them are not used."""
    block = field.read(*part)
    hidden = uncovered(block.values)
    if block.flags is not None and field.bits:
        hidden = hidden | ((block.flags & np.uint32(field.bits)) != 0)
    for subset in regions:
        hidden = hidden | _inside(field, subset, part)
    if edge:
        hidden = hidden | near_edge(field, *part, edge, uncovered)
    if hidden.all():
        raise CommandError(f"{field.data.name} has no pixel to use in sight: all are NaN, flagged or masked.")
    return np.array(block.values), hidden


def _inside(field: Field, subset: Subset, part: tuple[slice, slice]) -> np.ndarray:
    box = field.weights(subset, "center")
    inside = np.zeros(tuple(p.stop - p.start for p in part), bool)
    (r0, r1), (c0, c1) = ((max(p.start, b.start), min(p.stop, b.stop))
                          for p, b in zip(part, box.slices, strict=True))  # fmt: skip
    if r1 > r0 and c1 > c0:
        cut = box.values[r0 - box.slices[0].start : r1 - box.slices[0].start,
                         c0 - box.slices[1].start : c1 - box.slices[1].start]  # fmt: skip
        inside[r0 - part[0].start : r1 - part[0].start, c0 - part[1].start : c1 - part[1].start] = cut > 0
    return inside


def _errors(field: Field, part: tuple[slice, slice]) -> np.ndarray:
    sigma = field.read(*part).sigma
    if sigma is None:
        raise CommandError(f"{field.data.name} has no plane of errors; take the scatter of the background as noise.")
    turned = standard_deviation(field.kind, sigma)
    return np.where(turned > 0, turned, np.nan)


# --- colours ------------------------------------------------------------------------------------------


def _corner(part: tuple[slice, slice]) -> tuple[int, int]:
    return part[1].start, part[0].start


def _reach(values: np.ndarray) -> str:
    return f"{np.nanmin(values):.4g} … {np.nanmax(values):.4g}"


def _coloured(values: np.ndarray) -> np.ndarray:
    """Return colours from the lowest to the highest value, nothing where there is none."""
    low, high = np.nanmin(values), np.nanmax(values)
    table = colormap("viridis").astype(np.uint32)
    known = np.isfinite(values)
    which = np.where(known, (values - low) / max(high - low, 1e-30) * (len(table) - 1), 0).astype(int)
    packed = (table[:, 0] << 16) | (table[:, 1] << 8) | table[:, 2] | np.uint32(0xE6000000)
    return np.where(known, packed[which], np.uint32(0)).astype(np.uint32)


TINTS = np.array([0x4CC9F0, 0xFFB703, 0x80ED99, 0xF72585, 0xB388FF, 0xFF8FA3], np.uint32)


def _tinted(labels: np.ndarray) -> np.ndarray:
    """Return a veil over segments whose border is brighter."""
    inner = labels > 0
    for axis in (0, 1):
        same = np.ones(labels.shape, bool)
        middle = [slice(None), slice(None)]
        middle[axis] = slice(1, -1)
        ahead, behind = list(middle), list(middle)
        ahead[axis], behind[axis] = slice(2, None), slice(None, -2)
        here = labels[tuple(middle)]
        same[tuple(middle)] = (labels[tuple(ahead)] == here) & (labels[tuple(behind)] == here)
        inner &= same
    colours = TINTS[labels % len(TINTS)]
    veil = np.where(inner, np.uint32(0x30000000), np.uint32(0xD0000000)) | colours
    return np.where(labels > 0, veil, np.uint32(0)).astype(np.uint32)


# --- apertures ----------------------------------------------------------------------------------------

_fields: WeakKeyDictionary[Any, tuple[Any, Field]] = WeakKeyDictionary()


def _field(session: Any, data: Any, error: Any, exclude_flags: Any) -> Field:
    """Return the pixels of an image, kept while an aperture is dragged over it."""
    fresh = Field(session, data, exclude_flags=exclude_flags, error=error)
    kept = _fields.get(data)
    key = (fresh.bits, data.plane().name, error if isinstance(error, str | float | int) else id(error))
    if kept is None or kept[0] != key:
        _fields.clear()
        _fields[data] = (key, fresh)
    return _fields[data][1]


def aperture_preview(
    session: Any, data: Any, where: Any, radii: Any, *, annulus: Any = None, aperture_correction: Any = None,
    error: Any = None, exclude_flags: Any = DEFAULT_FLAGS, vega: Any = None, **options: Any,
) -> tuple[Preview, dict[str, str], Curve | None]:  # fmt: skip
    """Measure one aperture as ``photometry.aperture`` does, with its curve of growth.

    Parameters
    ----------
    where : Subset or (x, y) or name of a catalogue
    radii, annulus, aperture_correction, error, exclude_flags, vega, options
        As the command takes them.

    Returns
    -------
    tuple
        What to draw, the numbers in words by their names, the curve of growth (None for many places).
    """
    field = _field(session, data, error, exclude_flags)
    table = correction_table(session, aperture_correction, data.header)
    ring = None if is_none(annulus) else annulus
    how = Photometry(ring, None if table is not None else aperture_correction, table,
                     vega=vega_meant(session, vega), **options)  # fmt: skip
    if isinstance(where, Subset):
        measured, notes = in_regions(field, [where], how)
        x, y, circles = measured.x, measured.y, ()
        reach = float(np.sqrt(measured.sums.area.max() / np.pi))
    else:
        sizes = sizes_meant(radii, table, data)
        x, y = (np.atleast_1d(v) for v in places_meant(session, data, where))
        if len(x) > 1:
            return _of_many(data, x, y, sizes)
        if not is_none(annulus):
            ring, _ = ring_meant(annulus, radii, table, sizes)
        how = replace(how, annulus=ring)
        measured, notes = in_circles(field, x, y, sizes, how)
        reach = float(sizes.max())
        circles = tuple((float(x[0]), float(y[0]), float(r)) for r in sizes)
    drawn = None if ring is None else (float(x[0]), float(y[0]), *(float(r) for r in ring))
    said = _numbers(measured, notes, _unit(field, measured))
    return Preview(data, circles=circles, ring=drawn), said, _growth(field, x, y, reach, how)


def _of_many(data: Any, x: np.ndarray, y: np.ndarray, sizes: np.ndarray) -> tuple[Preview, dict[str, str], None]:
    seen = np.isfinite(x) & np.isfinite(y)
    circles = tuple((float(a), float(b), float(sizes.max()))
                    for a, b in zip(x[seen][:MOST_MARKS], y[seen][:MOST_MARKS], strict=True))  # fmt: skip
    return Preview(data, circles=circles), {"Places": f"{seen.sum():,} of {len(x):,} on the image"}, None


def _growth(field: Field, x: np.ndarray, y: np.ndarray, reach: float, how: Photometry) -> Curve | None:
    """Return the flux within circles up to twice the radius of an aperture."""
    radii = np.linspace(0, 2 * reach, GROWTH + 1)[1:]
    plain = Photometry(how.annulus, sky=how.sky, sky_clip=how.sky_clip, gain=how.gain, zero_point=how.zero_point)
    try:
        measured, _ = in_circles(field, x, y, radii, plain)
    except CommandError:
        return None  # no pixel there: the numbers have said so
    columns = columns_of(measured)
    return Curve(radii, columns["flux"][0], columns["flux_err"][0], "Radius", "Flux", "pix", _unit(field, measured))


def _unit(field: Field, measured: Any) -> str:
    """Return the unit of fluxes; that of the file in its own words where it cannot be turned into Jy."""
    return "Jy" if measured.calibration.known else field.plane.unit


def _numbers(measured: Any, notes: list[str], unit: str) -> dict[str, str]:
    """Return the numbers of the first place in words."""
    columns = columns_of(measured)
    several = measured.sums.sum.shape[1] > 1
    said: dict[str, str] = {}
    for k in range(measured.sums.sum.shape[1]):
        one = {name: float(v[0, k]) for name, v in columns.items() if v.ndim == 2}
        said[f"Flux {k + 1}" if several else "Flux"] = _flux(one, unit)
        if np.isfinite(one["abmag"]) or np.isfinite(one["abmag_limit"]):
            said[f"AB {k + 1}" if several else "AB magnitude"] = _magnitude(one, "abmag")
        if np.isfinite(one.get("vegamag", np.nan)) and not np.isfinite(one["abmag_limit"]):
            said[f"Vega {k + 1}" if several else "Vega magnitude"] = _magnitude(one, "vegamag")
    if measured.skies is not None:
        said["Sky"] = f"{columns['background'][0]:.5g} ± {columns['background_err'][0]:.2g} {measured.unit}"
    said["Area"] = f"{measured.sums.used[0, -1]:.2f} pixels"
    said["Place"] = f"{measured.x[0]:.2f}, {measured.y[0]:.2f}"
    bits = int(flags_of(measured)[0])
    said["Flags"] = "; ".join(words for bit, words in FLAGS.items() if bits & bit) or "none"
    if notes:
        said["Note"] = "; ".join(notes)
    return said


def _flux(one: dict[str, float], unit: str) -> str:
    text = f"{one['flux']:.5g} ± {one['flux_err']:.2g} {unit}" if np.isfinite(one["flux_err"]) else (
        f"{one['flux']:.5g} {unit}, no error known")  # fmt: skip
    if np.isfinite(one["flux_limit"]):
        return f"below {one['flux_limit']:.3g} {unit} (3 σ); {text}"
    return f"{text} (S/N {one['snr']:.3g})" if np.isfinite(one["snr"]) else text


def _magnitude(one: dict[str, float], name: str) -> str:
    if np.isfinite(one["abmag_limit"]):
        return f"fainter than {one['abmag_limit']:.2f} (3 σ)"
    error = f" ± {one[f'{name}_err']:.3f}" if np.isfinite(one[f"{name}_err"]) else ""
    return f"{one[name]:.3f}{error}"

"""The model's side of two-dimensional spectra: their wavelengths, frames to measure on, and traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from jviz.backend.dq import flag_bits
from jviz.backend.spectra.conventions import mask_of_flags
from jviz.backend.spectra.extraction import extracted
from jviz.backend.spectra.rectifying import Straight
from jviz.backend.spectra.tracing import found_trace
from jviz.backend.spectra.two_d import Frame, Wavelengths, dispersion_axis, wavelengths_of
from jviz.errors import CommandError, JvizError

if TYPE_CHECKING:
    from jviz.backend.spectra.samples import Samples
    from jviz.data import Spectrum2D
    from jviz.session import Session

__all__ = [
    "Dispersion",
    "centre_of",
    "extracted_from",
    "frame_of",
    "holds_of",
    "lit_of",
    "made_spectrum2d",
    "path_of",
    "trace_name",
    "trace_on",
    "traced",
    "wavelengths_of_data",
    "windows_of",
]

Dispersion = Literal["auto", "x", "y"]
_POINTS = 33


def wavelengths_of_data(data: Spectrum2D) -> Wavelengths:
    """Find the wavelength of every pixel of a data set, in the file's orientation; may take a second."""
    plane = next((p for n, p in data.planes.items() if n.upper() in ("WAVELENGTH", "WAVE", "LAMBDA")), None)
    values = None if plane is None else np.asarray(plane.read(), float)
    shape = data.shape[-2:]
    if values is not None and values.shape not in (shape, shape[-1:], shape[:1]):
        values = None
    if values is None and (beside := _table_beside(data)) is not None:
        return beside
    wcs = data.wcs if values is None else None
    return wavelengths_of(values, "" if plane is None else plane.unit, data.header, wcs, shape)


def _table_beside(data: Spectrum2D) -> Wavelengths | None:
    """Return the wavelengths that a table beside the data gives to each column: msaexp's SPEC1D, grizli's TRACE."""
    units = [u for u in data.product.units if u.shape[:1] == data.shape[-1:]]
    if data.path is None:
        return None
    spectrum = next((u for u in units if u.name.upper() == "SPEC1D"), None)
    if spectrum is not None:
        from jviz.backend.spectra.reading import samples_of_tables

        axis = samples_of_tables(data.path, [spectrum.index])[0].axis
        if len(axis) == data.shape[-1]:
            values = np.broadcast_to(axis.values, data.shape[-2:])
            return Wavelengths(values, axis.unit, axis.quantity, axis.medium, axis.notes)
    trace = next((u for u in units if u.name.upper() == "TRACE" and u.index > data.product.main), None)
    return None if trace is None else _along_trace(data, trace.index)


def _along_trace(data: Spectrum2D, index: int) -> Wavelengths | None:
    """Return the wavelengths of the table that grizli writes after each beam of a slitless exposure, in ångströms."""
    from astropy.io import fits

    from jviz.backend.io.fits_compressed import decompressed

    with fits.open(decompressed(data.path)) as file:  # type: ignore[arg-type]
        table = file[index].data
        names = {name.lower(): name for name in table.names}
        if "wavelength" not in names:
            return None
        values = np.asarray(table[names["wavelength"]], float)
        unit = table.columns[names["wavelength"]].unit or "Angstrom"
    return wavelengths_of(values, unit, {**data.header, "CTYPE1": ""}, None, data.shape[-2:])  # type: ignore[arg-type]


def frame_of(data: Spectrum2D, dispersion: Dispersion = "auto", exclude_flags: Any = None) -> Frame:
    """Read a two-dimensional spectrum whole, with wavelengths along the columns.

    Parameters
    ----------
    dispersion : {"auto", "x", "y"}
        Along which axis wavelengths run.
    exclude_flags : list of str or int, optional
        Flags besides DO_NOT_USE that make a pixel bad.

    Raises
    ------
    CommandError
        When the data have more than two axes.
    """
    if len(data.shape) != 2:
        raise CommandError(f"{data.name} has {len(data.shape)} axes; traces are of images with two.")
    flux = np.asarray(data.plane().read(), float)
    waves = data.wavelengths
    found, _ = dispersion_axis(data.header, waves.values, data.shape)
    axis = {"auto": found, "x": 1, "y": 0}[dispersion]
    variance, bad = _variance(data), _bad(data, flux, exclude_flags)
    if waves.values is not None:
        bad |= ~np.isfinite(waves.values)  # beside the slit, which may be a small part of the detector (MIRI LRS)
    if variance is not None:
        bad |= ~np.isfinite(variance)
    area = data.header.get("PIXAR_SR")
    frame = Frame(
        flux, variance, bad, waves, data.unit, axis == 0, float(area) if isinstance(area, int | float) else None
    )
    return _turned(frame) if axis == 0 else frame


def _turned(frame: Frame) -> Frame:
    waves = frame.wavelengths
    waves = replace(waves, values=None if waves.values is None else waves.values.T)
    variance = None if frame.variance is None else frame.variance.T
    return replace(frame, flux=frame.flux.T, variance=variance, bad=frame.bad.T, wavelengths=waves)


def _variance(data: Spectrum2D) -> np.ndarray | None:
    for meaning, power in (("error", 2), ("variance", 1), ("inverse variance", -1)):
        planes = [p for p in data.planes.values() if p.meaning == meaning and p.shape == data.shape]
        if planes:
            whole = [p for p in planes if not p.name.startswith("VAR_")] or planes
            values = [np.asarray(p.read(), float) for p in (whole[:1] if whole is not planes else planes)]
            with np.errstate(divide="ignore", invalid="ignore"):
                variance = sum(v**power for v in values)
            # raw files have errors of 0 everywhere, which are none
            return variance if np.any(variance > 0) else None  # type: ignore[return-value]
    return None


def _bad(data: Spectrum2D, flux: np.ndarray, exclude_flags: Any) -> np.ndarray:
    bad = ~np.isfinite(flux)
    for plane in data.planes.values():
        if plane.shape != data.shape:
            continue
        if plane.meaning == "flags":
            values = np.asarray(plane.read()).astype(np.int64)
            serious = mask_of_flags(values, data.product.flags, data.header)
            bad |= serious if serious is not None else np.zeros_like(bad)
            if exclude_flags:
                bad |= (values & flag_bits(exclude_flags, data.product.flags)) != 0
        elif plane.meaning == "weight":
            bad |= np.asarray(plane.read()) == 0  # resampled pixels that nothing fell on
    return bad


def trace_name(session: Session, data: Spectrum2D) -> str:
    """Return the name of the region that a trace of the data is kept as: "trace", or one with the data's name."""
    names = ("trace", f"trace of {data.name}")
    kept = [name for name in names if name in session.subsets and session.subsets[name].data is data]
    return kept[0] if kept else names["trace" in session.subsets]


def lit_of(frame: Frame) -> tuple[int, int]:
    """Return the first and the last pixel along the dispersion at which there is any light; slits may be short."""
    lit = np.flatnonzero((~frame.bad).any(axis=0))
    return (int(lit[0]), int(lit[-1])) if len(lit) else (0, frame.flux.shape[1] - 1)


def path_of(centre: np.ndarray, turned: bool, lit: tuple[int, int]) -> Any:
    """Return a trace as a path over the image where there is light: a region that is drawn, and that hands can move."""
    from regions import PixCoord, PolygonPixelRegion, RegionMeta

    along = np.linspace(*lit, min(_POINTS, lit[1] - lit[0] + 1))
    across = np.interp(along, np.arange(len(centre)), centre)
    x, y = (across, along) if turned else (along, across)
    return PolygonPixelRegion(PixCoord(x, y), meta=RegionMeta({"type": "path"}))


def centre_of(trace: Any, length: int, turned: bool) -> np.ndarray:
    """Return where a trace is in every pixel along the dispersion, shape (length,).

    Parameters
    ----------
    trace : float, sequence of (x, y), or region
        A row; points on the image; or a path or line. Beyond the first and last point it goes straight on.

    Raises
    ------
    CommandError
        When it is none of these.
    """
    if isinstance(trace, int | float | np.number):
        return np.full(length, float(trace))
    points = _points(trace)
    if turned:
        points = points[:, ::-1]
    points = points[np.argsort(points[:, 0], kind="stable")]
    along, first = np.unique(points[:, 0], return_index=True)
    across = points[first, 1]
    if len(along) < 2:
        return np.full(length, float(across[0]))
    x = np.arange(length, dtype=float)
    slopes = np.diff(across) / np.diff(along)
    centre = np.interp(x, along, across)
    centre = np.where(x < along[0], across[0] + slopes[0] * (x - along[0]), centre)
    return np.where(x > along[-1], across[-1] + slopes[-1] * (x - along[-1]), centre)


def _points(trace: Any) -> np.ndarray:
    if hasattr(trace, "vertices"):
        corners = trace.vertices
        return np.column_stack([np.atleast_1d(corners.x), np.atleast_1d(corners.y)]).astype(float)
    if hasattr(trace, "start") and hasattr(trace, "end"):
        return np.array([[trace.start.x, trace.start.y], [trace.end.x, trace.end.y]], float)
    if isinstance(trace, Sequence | np.ndarray) and not isinstance(trace, str):
        try:
            points = np.array([[float(x), float(y)] for x, y in trace])
        except (TypeError, ValueError):
            points = np.empty((0, 2))
        if len(points) and np.isfinite(points).all():
            return points
    raise CommandError(
        f"{trace!r} is no trace; give a row, points [(x, y), …] on the image, a path or line, or the name of such a "
        "subset."
    )


def traced(data: Spectrum2D, frame: Frame, **options: Any) -> np.ndarray:
    """Find the source on the data, shape (n_along,).

    Raises
    ------
    CommandError
        When too few places are found.
    """
    try:
        return found_trace(frame, **options).centre
    except JvizError as error:
        raise CommandError(f"No trace on {data.name}: {error}") from None


def trace_on(session: Session, data: Spectrum2D, frame: Frame, trace: Any) -> np.ndarray:
    """Return the trace that is meant: given, kept under the usual name, or found."""
    if trace is None or trace == "":
        kept = session.subsets.get(trace_name(session, data))
        if kept is None or kept.data is not data:
            return traced(data, frame)
        trace = kept.region
    elif isinstance(trace, str):
        if trace not in session.subsets:
            raise CommandError(f"There is no trace {trace!r}; there are {', '.join(session.subsets) or 'none'}.")
        subset = session.subsets[trace]
        if subset.kind == "sky" and data.sky is None:
            raise CommandError(f"{trace} lies on the sky and {data.name} does not; draw it on the spectrum itself.")
        trace = subset.region.to_pixel(data.wcs) if subset.kind == "sky" else subset.region
    return centre_of(trace, frame.flux.shape[1], frame.turned)


def extracted_from(
    data: Spectrum2D, frame: Frame, centre: np.ndarray, method: Any, width: Any, **options: Any
) -> Samples:
    """Extract, with the header of the data and errors that name them."""
    try:
        samples = extracted(frame, centre, method, width, **options)
    except JvizError as error:
        raise CommandError(f"Nothing can be extracted from {data.name}: {error}") from None
    return replace(samples, meta={**data.header, **samples.meta})


def holds_of(unit: str) -> Literal["density", "counts"]:
    """Return what values of a unit are of: counts of a whole pixel, or a density."""
    word = unit.strip().lower().partition("/")[0].strip().rstrip("s")
    return "counts" if word in ("dn", "adu", "count", "ct", "electron", "e-", "photon", "ph") else "density"


def made_spectrum2d(straight: Straight, like: Spectrum2D, name: str, label: str) -> Spectrum2D:
    """Wrap a two-dimensional spectrum that a command worked out, with the header of the one it was made from."""
    from jviz.backend.io.product import Plane, Product, Unit
    from jviz.data import from_product
    from jviz.pictures import cards_kept

    def plane(title: str, values: np.ndarray, meaning: Any, unit: str) -> Plane:
        return Plane(title, values.shape, values.dtype, lambda progress: values, meaning, unit)

    shape, axis = straight.flux.shape, straight.axis
    waves = np.ascontiguousarray(np.broadcast_to(axis.values, shape))
    planes = [plane("SCI", straight.flux, "data", like.unit), plane("WAVELENGTH", waves, "other", axis.unit)]
    if straight.variance is not None:
        planes.insert(1, plane("ERR", np.sqrt(straight.variance), "error", like.unit))
    own = [("BUNIT", like.unit, "unit of the values"), ("DISPAXIS", 1, "wavelengths run along x"),
           ("HISTORY", f"jviz: {label}", "")]  # fmt: skip
    if axis.medium:
        own.insert(2, ("VACUUM", axis.medium == "vacuum", "medium of the wavelengths"))
    names = {keyword for keyword, _, _ in own} - {"HISTORY"}
    cards = (*(card for card in cards_kept(like) if card[0] not in names), *own)
    product = Product("spectrum2d", name, like.label, planes={one.name: one for one in planes})
    product.units = (Unit(0, "SCI", 1, "image made in jviz", shape, "float64", like.unit, cards),)
    return from_product(product, name)  # type: ignore[return-value]


def windows_of(background: Any) -> list[tuple[float, float]]:
    """Take windows given as a pair or as several.

    Raises
    ------
    CommandError
        When they are no pairs of different numbers.
    """
    if background is None or len(background) == 0:
        return []
    pairs = [background] if np.ndim(background[0]) == 0 else background
    try:
        found = [(float(low), float(high)) for low, high in pairs]
    except (TypeError, ValueError):
        found = [(0.0, 0.0)]
    if any(not abs(high - low) > 0 for low, high in found):
        raise CommandError(
            f"{background!r} are no windows; give pairs such as [(-12, -6), (6, 12)], in pixels from the trace."
        )
    return found

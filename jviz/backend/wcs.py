"""The world coordinates of an array in a FITS file: from its keywords, or from the GWCS of JWST files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jviz.backend.courtesy import courteous
from jviz.backend.io.product import WcsResult
from jviz.backend.offline import keep_astropy_offline
from jviz.backend.skymap import PixelScale, SkyMap

__all__ = ["LinearAxis", "PixelScale", "SkyMap", "agreeing", "linear_axes", "load_fits_wcs", "matching_axes",
           "world_units"]  # fmt: skip

_tolerance = 1.0
_undistorted_tolerance = 0.02
_unreadable = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    OSError,
    MemoryError,
)
CELESTIAL = ("RA", "DEC", "GLON", "GLAT", "ELON", "ELAT", "SLON", "SLAT")
_numeric = re.compile(r"(CRVAL|CRPIX|CDELT)\d[A-Z]?|(CD|PC)\d_\d[A-Z]?")
_pipeline_tag = re.compile(r"tag:stsci\.edu:jwst_pipeline/([\w.-]+)")
_advice = "Positions are given in pixels."


@courteous()
def load_fits_wcs(path: str | Path, hdu: int, shape: tuple[int, ...]) -> WcsResult:
    """Load the WCS that places an array of a FITS file.

    The GWCS of a JWST file is taken when it belongs to this very array; else the keywords are.

    Parameters
    ----------
    path : str or Path
        An uncompressed FITS file (tiles may be compressed).
    hdu : int
        Number of the extension.
    shape : tuple of int
        Shape of the array as jviz shows it, in numpy order: axes of length 1 may be left out.

    Returns
    -------
    WcsResult
        An ``astropy.wcs.WCS`` (or a slice of one) or a ``gwcs.WCS``, over the axes of ``shape``; None,
        with a warning that says why, when there is none or it cannot be read.
    """
    from astropy.io import fits

    keep_astropy_offline()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # standard violations that astropy mends
            with fits.open(path, memmap=False, lazy_load_hdus=True) as units:
                return _of_unit(units, units[hdu], tuple(shape))
    except (*_unreadable, fits.VerifyError) as error:
        return WcsResult(None, (f"The WCS of extension {hdu} cannot be read ({_short(error)}). {_advice}",))


def _of_unit(units: Any, unit: Any, shape: tuple[int, ...]) -> WcsResult:
    name = f"extension {unit.name or units.index_of(unit)}"
    from_keywords = _from_keywords(unit.header, units, shape, name)
    if "ASDF" not in units:
        return from_keywords
    from jviz.backend.embedded_gwcs import read_gwcs

    gwcs, problem = read_gwcs(units["ASDF"], unit.ver)
    if problem:
        instead = "Its FITS keywords are used." if from_keywords.wcs is not None else _advice
        if from_keywords.wcs is None and "WAVELENGTH" in units:
            instead += " The wavelength of each is in the WAVELENGTH plane."
        note = f"The GWCS of {name} cannot be read by the libraries at hand ({_reason(problem)}). {instead}"
        kept = from_keywords.warnings if from_keywords.wcs is not None else ()
        return WcsResult(from_keywords.wcs, (note, *kept))
    return from_keywords if gwcs is None else agreeing(gwcs, from_keywords, shape, name)


def agreeing(gwcs: Any, other: WcsResult, shape: tuple[int, ...], name: str) -> WcsResult:
    """Choose the GWCS unless it is another array's.

    Parameters
    ----------
    gwcs : gwcs.WCS
    other : WcsResult
        What the FITS keywords say.
    name : str
        Name of the array, for the warning.
    """
    from jviz.backend.embedded_gwcs import contradiction

    reason = contradiction(gwcs, shape) or _distance(gwcs, other.wcs, shape)
    if not reason:
        return WcsResult(gwcs)
    instead = "its FITS keywords are used" if other.wcs is not None else "positions are given in pixels"
    return WcsResult(
        other.wcs,
        (f"The GWCS of {name} is not that of this array: {reason}. Is it a cut-out? Now {instead}.",),
    )


def _distance(gwcs: Any, wcs: Any, shape: tuple[int, ...]) -> str:
    """Say how far the middle of the array is in the two, ``""`` when that can be."""
    from jviz.backend.render.frames import separation

    mine, other = SkyMap.of(gwcs, shape), SkyMap.of(wcs, shape)
    if mine is None or other is None:
        return ""
    centre = (shape[-1] - 1) / 2, (shape[-2] - 1) / 2
    apart = 3600 * float(separation(*mine.pixel_to_sky(*centre), *other.pixel_to_sky(*centre)))
    limit = _tolerance
    if not wcs.has_distortion:
        # keywords without distortion are right at CRPIX and drift by a few per cent from there
        reference = wcs.wcs.crpix[:2] - 1 - centre
        limit += _undistorted_tolerance * np.hypot(*reference) * other.pixel_scale().mean
    return "" if not apart > limit else f"it is {apart:.1f} arcsec away from the FITS keywords"


def _from_keywords(header: Any, units: Any, shape: tuple[int, ...], name: str) -> WcsResult:
    from astropy.wcs import WCS

    keys = _alternates(header)
    if not keys:
        return WcsResult(None, (f"{name[0].upper()}{name[1:]} has no WCS keywords. {_advice}",), absent=True)
    key = _best(header, keys)
    notes = _mend_sip(header) if key == " " else ()
    try:
        _mend_numbers(header)
        _mend_units(header)
        _check_steps(header, key.strip())
        whole = WCS(header, units, key=key)
        rows = whole.pixel_scale_matrix
        if np.linalg.matrix_rank(rows / np.abs(rows).sum(axis=1, keepdims=True)) < whole.naxis:
            raise ValueError("their matrix is singular")
        wcs = _on_axes(whole, header, shape)
        wcs.pixel_to_world_values(*np.zeros(wcs.pixel_n_dim))  # some contradictions show only now
    except _unreadable as error:
        return WcsResult(None, (f"The WCS keywords of {name} make no sense ({_short(error)}). {_advice}",))
    if key != " ":
        notes += (f"The positions of {name} are those of its alternate WCS {key}.",)
    return WcsResult(wcs, notes)


def _short(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("ERROR")]
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:160]


def _alternates(header: Any) -> list[str]:
    """Return the versions of the WCS that a header has: " " and letters."""
    letters = " ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    words = ("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CDELT1", "CD1_1", "CTYPE3")
    return [letter for letter in letters if any(f"{word}{letter.strip()}" in header for word in words)]


def _best(header: Any, keys: list[str]) -> str:
    """Choose the first version with a celestial pair, else the first with types, else the first."""
    types = {key: [str(header.get(f"CTYPE{i}{key.strip()}", "")).strip() for i in range(1, 5)] for key in keys}
    for letters in ("RA--", "RA", "GLON", "ELON", "SLON"):
        for key in keys:
            if any(kind.startswith(letters) for kind in types[key]):
                return key
    return next((key for key in keys if any(types[key])), keys[0])


def _mend_sip(header: Any) -> tuple[str, ...]:
    """Make the -SIP suffixes of CTYPE agree with the presence of the polynomials, in place."""
    present = "A_ORDER" in header or "B_ORDER" in header
    notes: tuple[str, ...] = ()
    for keyword in ("CTYPE1", "CTYPE2"):
        value = str(header.get(keyword, "")).strip()
        if not present and value.endswith("-SIP"):
            header[keyword] = value.removesuffix("-SIP")
        elif present and value.endswith(("-TAN", "-SIN")):
            header[keyword] = f"{value}-SIP"
            notes = ("SIP polynomials are applied although CTYPE does not announce them.",)
    return notes


def _mend_units(header: Any) -> None:
    """Spell units of axes as wcslib knows them (microns: um), in place; for one unknown it refuses all axes."""
    from astropy import units

    from jviz.backend.units import parse_unit

    for keyword in [k for k in header if re.fullmatch(r"CUNIT\d[A-Z]?", k)]:
        text = str(header[keyword]).strip()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", units.UnitsWarning)
                units.Unit(text, format="fits")
        except ValueError:
            known = parse_unit(text)
            if known is not None:
                header[keyword] = known.to_string("fits")


def _mend_numbers(header: Any) -> None:
    """Turn numbers written as text into numbers, and steps of 0 into 1, in place.

    wcslib takes the first for 0 without a word, and refuses all axes for the second.

    Raises
    ------
    ValueError
        When a text is no number.
    """
    for keyword in [k for k in header if _numeric.fullmatch(k)]:
        value = header[keyword]
        if isinstance(value, str):
            try:
                header[keyword] = float(value.replace("D", "E"))
            except ValueError:
                raise ValueError(f"{keyword} = {value!r} is no number") from None
        elif value == 0 and keyword.startswith("CDELT") and not _is_along_the_sky(header, keyword):
            header[keyword] = 1.0


def _is_along_the_sky(header: Any, keyword: str) -> bool:
    """Whether a keyword is of a celestial axis with more than one pixel."""
    number, letter = re.fullmatch(r"[A-Z]+(\d)([A-Z]?)", keyword).groups()
    kind = str(header.get(f"CTYPE{number}{letter}", "")).partition("-")[0]
    return kind in CELESTIAL and int(header.get(f"NAXIS{number}", 1)) > 1


def _check_steps(header: Any, letter: str) -> None:
    """Refuse a matrix, a row of it, or steps on the sky that are all 0: they are taken for one degree without a word.

    Raises
    ------
    ValueError
        Names the keywords.
    """
    matrix = [keyword for keyword in header if re.fullmatch(rf"CD\d_\d{letter}", keyword)]
    steps = [keyword for keyword in header if re.fullmatch(rf"CDELT\d{letter}", keyword)]
    steps = [] if matrix else [keyword for keyword in steps if _is_along_the_sky(header, keyword)]
    rows: dict[str, list[str]] = {}
    for keyword in matrix:
        rows.setdefault(f"CDELT{keyword[2]}{letter}", []).append(keyword)
    on_the_sky = [keywords for step, keywords in rows.items() if _is_along_the_sky(header, step)]
    for keywords in (matrix, *on_the_sky, steps):
        if keywords and not any(header[keyword] for keyword in keywords):
            raise ValueError(f"{', '.join(keywords)} are 0")


def _on_axes(wcs: Any, header: Any, shape: tuple[int, ...]) -> Any:
    """Take away the WCS axes that the array does not have (any more)."""
    lengths = [int(header.get(f"NAXIS{i + 1}", 1)) for i in range(wcs.naxis)]
    wanted = list(shape[::-1])
    if wcs.naxis <= len(wanted):
        return wcs
    keep = matching_axes(lengths, wanted)
    try:
        return wcs.sub([axis + 1 for axis in keep])
    except ValueError:  # coupled axes cannot be taken apart, only cut through
        from astropy.wcs.wcsapi import SlicedLowLevelWCS

        return SlicedLowLevelWCS(wcs, [slice(None) if axis in keep else 0 for axis in range(wcs.naxis)][::-1])


def matching_axes(lengths: list[int], wanted: list[int]) -> list[int]:
    """Choose which axes (x first) are those of the array: in order, with its lengths."""
    keep: list[int] = []
    for axis, length in enumerate(lengths):
        left = len(wanted) - len(keep)
        if left and (length == wanted[len(keep)] or len(lengths) - axis == left):
            keep.append(axis)
    return keep


class LinearAxis(NamedTuple):
    """A world axis that depends on one pixel axis alone.

    Attributes
    ----------
    label : str
        Such as ``"LAMBDA"`` or ``"em.wl"``.
    unit : str
    function : callable
        Pixel coordinates (0-based) → values in ``unit``.
    pixel_axis : int
        0 for x, 1 for y, …
    """

    label: str
    unit: str
    function: Callable[[Any], np.ndarray]
    pixel_axis: int


def linear_axes(wcs: Any) -> list[LinearAxis]:
    """Return the world axes other than celestial ones that run along one pixel axis each.

    Parameters
    ----------
    wcs : object
        With the interface of APE 14.
    """
    wcs = getattr(wcs, "low_level_wcs", wcs)
    axes = []
    for world, row in enumerate(np.asarray(wcs.axis_correlation_matrix, bool)):
        physical = str(wcs.world_axis_physical_types[world] or "")
        if row.sum() == 1 and not physical.startswith("pos.") and "pos.helio" not in physical:
            pixel = int(np.flatnonzero(row)[0])
            axes.append(LinearAxis(*_label_and_unit(wcs, world), _along(wcs, pixel, world), pixel))
    return axes


def _label_and_unit(wcs: Any, world: int) -> tuple[str, str]:
    name = wcs.world_axis_names[world]
    if hasattr(wcs, "wcs"):
        return name or wcs.wcs.ctype[world].strip(), str(wcs.wcs.cunit[world])
    return name or str(wcs.world_axis_physical_types[world] or ""), world_units(wcs)[world]


def _along(wcs: Any, pixel: int, world: int) -> Callable[[Any], np.ndarray]:
    def value(position: Any) -> np.ndarray:
        position = np.asarray(position, dtype=float)
        places = [np.zeros_like(position)] * wcs.pixel_n_dim
        places[pixel] = position
        values = wcs.pixel_to_world_values(*places)
        return np.asarray(values if wcs.world_n_dim == 1 else values[world], dtype=float)

    return value


def _reason(problem: str) -> str:
    """Say in plain words why a GWCS cannot be read."""
    tag = _pipeline_tag.search(problem)
    if tag is None:
        return problem
    return f"it was written by an early version of the JWST pipeline, with the transform {tag[1]}"


def world_units(wcs: Any) -> list[str]:
    """Return the units of world axes; ångström is one, whatever the VOUnit standard says of it."""
    from astropy.units import UnitsWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnitsWarning)
        return [str(unit or "") for unit in wcs.world_axis_units]

"""What an array or a table is to a user: image, cube, spectrum, catalogue …"""

from __future__ import annotations

from pathlib import Path

from jviz.backend.io.cards import Keywords
from jviz.backend.io.fits_groups import Group
from jviz.backend.io.fitsfile import Hdu
from jviz.backend.io.jwst import is_jwst, jwst_product, mission_words, product_suffix
from jviz.backend.io.product import Kind
from jviz.backend.io.survey_files import has_rows_of_spectra, roles_of_units
from jviz.backend.spectra.naming import named_columns

__all__ = [
    "EVENTS",
    "array_kind",
    "array_label",
    "is_auxiliary",
    "is_spectral",
    "sections",
    "squeezed",
    "table_kind",
    "table_label",
]

_SPECTRAL = ("WAVE", "AWAV", "FREQ", "VELO", "VRAD", "VOPT", "ZOPT", "BETA", "ENER", "WAVN", "LAMBDA",
             "WAVELENGTH", "FELO", "MULTISPE")  # fmt: skip
_CELESTIAL = ("RA", "DEC", "GLON", "GLAT", "ELON", "ELAT", "SLON", "SLAT")
_WAVE_COLUMNS = ("wavelength", "wave", "lambda", "lam", "loglam", "loglambda", "frequency", "freq",
                 "wavelengths", "wavenumber", "velocity", "spectral_axis",
                 "channel", "energy", "awav")  # fmt: skip
_FLUX_COLUMNS = ("flux", "fluxes", "flux_density", "surf_bright", "intensity", "net", "counts", "fnu", "flam",
                 "model_flux")  # fmt: skip
_SKY_COLUMNS = ("ra", "raj2000", "_raj2000", "ra_icrs", "alpha_j2000", "target_ra", "sky_centroid.ra",
                "glon", "right_ascension", "plug_ra", "radeg", "x_world")  # fmt: skip
_METADATA = ("ASDF", "HDRTAB", "INT_TIMES", "WCS-TABLE", "GROUP", "BEAMS", "DQ_DEF", "EXP_FIBERMAP",
             "HISTORYSCRIPT", "HISTORYTASKS", "HISTORYPARAMETERS", "PROVENANCE", "WCSCORR", "WCSDVARR",
             "SLITS", "PROF1D", "TRACE")  # fmt: skip
EVENTS = "list of events"
"""What tables of events of X-ray and gamma-ray telescopes are called."""

_MOST_SECTIONS = 8
_FEWEST = 10
"""Rows below which a table is no spectrum unless its names say so."""
# FITS standard 4.0, table 29
_STOKES = {1: "I", 2: "Q", 3: "U", 4: "V", -1: "RR", -2: "LL", -3: "RL", -4: "LR",
           -5: "XX", -6: "YY", -7: "XY", -8: "YX"}  # fmt: skip
_WORDS: dict[str, str] = {
    "spectrum2d": "2-D spectrum",
    "catalog": "catalogue",
    "other": "other content",
}


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop axes of length 1 (STOKES, FREQ); a single pixel stays two-dimensional."""
    rest = tuple(n for n in shape if n != 1)
    return rest or shape[-2:]


def array_kind(path: Path, primary: Keywords, group: Group) -> tuple[Kind, tuple[int, ...]]:
    """Decide what an array is.

    Parameters
    ----------
    primary : mapping
        Primary header.

    Returns
    -------
    tuple
        ``(kind, shape)``; the shape is without degenerate axes, except for ramps.
    """
    hdu = group.main
    if is_jwst(primary):
        kind = jwst_product(product_suffix(path, primary), primary, hdu.shape)
        if kind:
            return kind, hdu.shape  # type: ignore[return-value]
    shape = hdu.shape if _has_sky_plane(hdu) else squeezed(hdu.shape)
    if len(shape) == 1 or (len(shape) < 4 and _ctypes(hdu)[0].startswith("MULTISPE")):
        return "spectrum", shape
    if len(shape) == 2:
        return _plane_kind(primary, group, shape), shape
    is_matrix = hdu.name.upper().endswith("RESOLUTION")
    return ("cube" if len(shape) == 3 and not is_matrix else "other"), shape


def section_axis(hdu: Hdu) -> int:
    """Return along which axis an array with four long ones is taken apart: that of STOKES, else the slowest."""
    long = [axis for axis, n in enumerate(hdu.shape) if n != 1]
    types = [str(hdu.header.get(f"CTYPE{len(hdu.shape) - axis}", "")).strip().upper() for axis in long]
    return types.index("STOKES") if "STOKES" in types else 0


def sections(hdu: Hdu) -> list[str]:
    """Name the parts of an array with four long axes along `section_axis`: ``["I", "Q", "U", "V"]``.

    Returns
    -------
    list of str
        Empty when the array is not to be taken apart.
    """
    shape, along = squeezed(hdu.shape), section_axis(hdu)
    if len(shape) != 4 or shape[along] > _MOST_SECTIONS:
        return []
    axis = len(hdu.shape) - [n for n, length in enumerate(hdu.shape) if length != 1][along]
    if str(hdu.header.get(f"CTYPE{axis}", "")).strip().upper() != "STOKES":
        return [str(number) for number in range(shape[along])]
    reference, first, step = (hdu.number(f"{key}{axis}", 1.0) for key in ("CRPIX", "CRVAL", "CDELT"))
    codes = [round(first + (number + 1 - reference) * step) for number in range(shape[along])]
    return [_STOKES.get(code, str(code)) for code in codes]


def _has_sky_plane(hdu: Hdu) -> bool:
    """Whether an image of one row or column is a piece of the sky and not a spectrum."""
    return len(hdu.shape) == 2 and 1 in hdu.shape and _is_celestial(hdu)


def _plane_kind(primary: Keywords, group: Group, shape: tuple[int, ...]) -> Kind:
    hdu = group.main
    if has_rows_of_spectra(hdu.header, primary) and not _is_celestial(hdu):
        return "spectrum"
    for companion in group.companions:
        name = companion.name.upper()
        if name.endswith(("WAVELENGTH", "WAVE")):
            return "spectrum" if companion.hdu.shape == shape[-1:] else "spectrum2d"
        if name == "CONTAM":
            return "spectrum2d"
    if _is_dispersed(hdu) or (_is_slit_exposure(primary) and not _is_celestial(hdu)):
        return "spectrum2d"
    return "image"


def _ctypes(hdu: Hdu) -> list[str]:
    return [str(hdu.header.get(f"CTYPE{axis}", "")).strip().upper() for axis in (1, 2)]


def _is_celestial(hdu: Hdu) -> bool:
    return any(ctype.partition("-")[0] in _CELESTIAL for ctype in _ctypes(hdu))


def _is_dispersed(hdu: Hdu) -> bool:
    if any(ctype.partition("-")[0] in _SPECTRAL for ctype in _ctypes(hdu)):
        return True
    return hdu.header.get("DISPAXIS") is not None and not _is_celestial(hdu)


def _is_slit_exposure(primary: Keywords) -> bool:
    slit, grating = (str(primary.get(key, "")).strip().upper() for key in ("SLITPOS", "GRATPOS"))
    if slit == grating == "IN":
        return True
    stis = str(primary.get("INSTRUME", "")).strip() == "STIS"
    return stis and str(primary.get("OBSTYPE", "")).strip() == "SPECTROSCOPIC"


def array_label(path: Path, primary: Keywords, kind: str, shape: tuple[int, ...]) -> str:
    """Name the kind of product in words, ``"JWST NIRCam cal (image)"``."""
    words = {"ramp": "integrations" if len(shape) == 3 else "ramp"}.get(kind) or _WORDS.get(kind, kind)
    if kind == "other":
        words = f"array of {len(shape)} axes"
    return _label(path, primary, words)


def _label(path: Path, primary: Keywords, words: str) -> str:
    origin = mission_words(primary, product_suffix(path, primary))
    return f"{origin} ({words})" if origin else f"FITS {words}"


def _columns(hdu: Hdu) -> list[str]:
    """Return the names of a table's columns, in lower case."""
    count = int(hdu.number("TFIELDS", 0))
    return [str(hdu.header.get(f"TTYPE{i}", "")).strip().lower() for i in range(1, min(count, 999) + 1)]


def table_kind(hdu: Hdu) -> Kind:
    """Decide what a table is, by its columns."""
    columns = _columns(hdu)
    if _healpix_order(hdu):
        return "other"
    if is_spectral(columns) or _is_spectral_otherwise(hdu, columns):
        return "spectrum"
    if _has_sky_columns(columns) or len(columns) >= 2:
        return "catalog"
    return "other"


def is_spectral(columns: list[str]) -> bool:
    """Whether columns (names in lower case) are those of a spectrum, or of spectra with their sources."""
    # A table whose columns only look like those of a spectrum by other words has few of them, and no places on the sky.
    found = {name.lower() for name in named_columns(columns, {}).names.values()} | set(columns)
    return not found.isdisjoint(_WAVE_COLUMNS) and not found.isdisjoint(_FLUX_COLUMNS)


def _is_spectral_otherwise(hdu: Hdu, columns: list[str]) -> bool:
    """Whether a table has its wavelengths in the header (SDSS-V), or columns that only their units tell."""
    if "flux" in columns and hdu.header.get("NPIXELS") and hdu.header.get("CDELT"):
        return True
    if hdu.shape[0] < _FEWEST or _has_sky_columns(columns):
        return False
    return bool(roles_of_units([str(hdu.header.get(f"TUNIT{i}", "")) for i in range(1, len(columns) + 1)]))


def _has_sky_columns(columns: list[str]) -> bool:
    """Whether a table has coordinates on the sky."""
    return any(column in _SKY_COLUMNS for column in columns)


def is_auxiliary(hdu: Hdu) -> bool:
    """Whether a table only accompanies the rest of its file."""
    if hdu.name.upper() in _METADATA or table_kind(hdu) == "other":
        return True
    if table_kind(hdu) == "spectrum":
        return False
    return hdu.shape[0] < 2 or not _has_sky_columns(_columns(hdu))


def table_label(path: Path, primary: Keywords, hdu: Hdu) -> str:
    """Name a table in words."""
    kind = table_kind(hdu)
    order = _healpix_order(hdu)
    if order:
        nside = hdu.header.get("NSIDE", "?")
        return _label(path, primary, f"HEALPix map, NSIDE {nside}, {order}")
    if kind == "other":
        return _label(path, primary, f"table {hdu.name}".strip())
    if kind == "catalog" and hdu.name.upper() == "EVENTS":
        return _label(path, primary, EVENTS)
    return _label(path, primary, _WORDS.get(kind, kind))


def _healpix_order(hdu: Hdu) -> str:
    header = hdu.header
    order = str(header.get("ORDERING", "")).strip().upper()
    is_map = str(header.get("PIXTYPE", "")).strip().upper() == "HEALPIX" or order in ("RING", "NESTED")
    return (order or "unknown order") if is_map and header.get("NSIDE") is not None else ""

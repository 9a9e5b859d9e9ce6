"""Two-dimensional spectra: which axis is dispersed, and the wavelength of every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.spectra.axis import Quantity
from jviz.backend.spectra.conventions import made_axis, medium_of
from jviz.backend.wcs import world_units

__all__ = ["Frame", "Wavelengths", "dispersion_axis", "wavelengths_of"]

_SPECTRAL = ("WAVE", "AWAV", "FREQ", "ENER", "WAVN", "LAMBDA", "WAVELENGTH")


@dataclass(frozen=True, eq=False)
class Wavelengths:
    """The wavelength of every pixel.

    Attributes
    ----------
    values : ndarray of float64 or None, shape (ny, nx)
        NaN where none is known; None when the file has none: then samples are numbered.
    """

    values: np.ndarray | None = None
    unit: str = ""
    quantity: Quantity = "channel"
    medium: str = ""
    notes: tuple[str, ...] = ()

    def at(self, x: float, y: float) -> float:
        """Return the wavelength at a place of the image, linearly between pixels; NaN where there is none."""
        if self.values is None or not (np.isfinite(x) and np.isfinite(y)):
            return float("nan")
        rows, columns = self.values.shape
        if not (-0.5 <= x < columns - 0.5 and -0.5 <= y < rows - 0.5):
            return float("nan")
        i, j = int(np.clip(np.floor(x), 0, max(columns - 2, 0))), int(np.clip(np.floor(y), 0, max(rows - 2, 0)))
        u, v = np.clip(x - i, 0, 1), np.clip(y - j, 0, 1)
        block = self.values[j : j + 2, i : i + 2]
        if block.shape == (2, 2) and np.isfinite(block).all():
            return float(
                (1 - v) * ((1 - u) * block[0, 0] + u * block[0, 1]) + v * ((1 - u) * block[1, 0] + u * block[1, 1])
            )
        return float(self.values[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))])


@dataclass(frozen=True, eq=False)
class Frame:
    """A two-dimensional spectrum, turned so that wavelengths run along the columns (axis 1).

    Attributes
    ----------
    flux : ndarray of float64, shape (n_cross, n_along)
    variance : ndarray or None, of the same shape
    bad : ndarray of bool
        Pixels that must not be used, those without a value among them.
    wavelengths : Wavelengths
        Turned alike.
    unit : str
    turned : bool
        Whether columns of the file became rows.
    area : float or None
        Of a pixel in sr.
    """

    flux: np.ndarray
    variance: np.ndarray | None
    bad: np.ndarray
    wavelengths: Wavelengths
    unit: str = ""
    turned: bool = False
    area: float | None = None

    @property
    def good(self) -> np.ndarray:
        """Flux with NaN for bad pixels."""
        return np.where(self.bad, np.nan, self.flux)


def dispersion_axis(
    header: Mapping[str, Any], wavelengths: np.ndarray | None, shape: tuple[int, int]
) -> tuple[int, str]:
    """Return the array axis along which wavelengths run (0: along y, 1: along x), and how that is known.

    DISPAXIS (1: x, 2: y) decides, then how wavelengths change from pixel to pixel, then the CTYPE of an axis, then the
    longer axis.
    """
    said = header.get("DISPAXIS")
    if said in (1, 2):
        return 2 - said, f"DISPAXIS = {said}"
    if wavelengths is not None and min(wavelengths.shape) > 1:
        steps = [np.abs(np.diff(wavelengths, axis=axis)) for axis in (0, 1)]
        known = [float(np.median(s[np.isfinite(s)])) if np.isfinite(s).any() else 0.0 for s in steps]
        if known[0] != known[1]:
            return int(known[1] > known[0]), "the wavelengths of the pixels"
    for axis in (1, 2):
        if str(header.get(f"CTYPE{axis}", "")).strip().upper().partition("-")[0] in _SPECTRAL:
            return 2 - axis, f"CTYPE{axis}"
    return int(shape[1] >= shape[0]), "the longer axis"


def wavelengths_of(
    plane: np.ndarray | None, unit: str, header: Mapping[str, Any], wcs: Any, shape: tuple[int, int]
) -> Wavelengths:
    """Find the wavelength of every pixel.

    Parameters
    ----------
    plane : ndarray or None
        Of wavelengths, with the shape of the image or one of its axes. It comes first: the GWCS of slitless spectra
        lies.
    unit : str
        Of the plane; JWST leaves it out and means µm.
    wcs : object or None
        With the interface of APE 14, which is asked where there is no plane.
    """
    if plane is not None:
        values = np.asarray(plane, float)
        if values.ndim == 1:
            values = np.broadcast_to(values if len(values) == shape[1] else values[:, np.newaxis], shape)
        values = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        unit = unit or ("um" if "JWST" in str(header.get("TELESCOP", "")) else "")
    else:
        try:
            found = _from_wcs(wcs, shape, header)
        except Exception as error:  # any transform may raise anything
            said = " ".join(str(error).split())[:160]
            return Wavelengths(notes=(f"The WCS gives no wavelengths ({said}); pixels are numbered.",))
        if found is None and _needs_source(wcs):
            return Wavelengths(notes=(_NO_SOURCE,))
        if found is None:
            return Wavelengths(notes=("The file has no wavelengths; pixels along the dispersed axis are numbered.",))
        values, unit = found
    if not np.isfinite(values).any():
        return Wavelengths(notes=("No pixel has a wavelength; pixels along the dispersed axis are numbered.",))
    arguments, notes = made_axis(values[np.isfinite(values)], unit, "WAVELENGTH", header)
    return Wavelengths(values, arguments["unit"], arguments["quantity"], medium_of(header), notes)


def _from_wcs(wcs: Any, shape: tuple[int, int], header: Mapping[str, Any]) -> tuple[np.ndarray, str] | None:
    low = getattr(wcs, "low_level_wcs", wcs)
    if low is None or low.pixel_n_dim != 2:
        return None
    physical = [str(name or "") for name in low.world_axis_physical_types]
    spectral = [n for n, name in enumerate(physical) if name.startswith("em.")]
    if not spectral:
        codes = [
            str(code).strip().upper().partition("-")[0] for code in getattr(getattr(low, "wcs", None), "ctype", [])
        ]
        spectral = [n for n, code in enumerate(codes) if code in _SPECTRAL]
    if not spectral:
        return None
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    if _needs_source(low):
        source = _source_of(header)
        if source is None:
            return None
        first, last, *more = source
        values = low.forward_transform(x + first, y + last, *(np.full(shape, value) for value in more))
    else:
        values = low.pixel_to_world_values(x, y)
    chosen = np.asarray(values[spectral[0]], float)
    return np.where(chosen > 0, chosen, np.nan), world_units(low)[spectral[0]]


_NO_SOURCE = (
    "The WCS is that of a slitless exposure and gives wavelengths only for a known source (SRCXPOS, SRCYPOS) and order "
    "(SPORDER), which the header lacks; pixels along the dispersed axis are numbered."
)

_SLITLESS = 5
"""What the GWCS of a whole slitless exposure takes: x, y, the place of the source in the direct image, the order."""


def _needs_source(wcs: Any) -> bool:
    low = getattr(wcs, "low_level_wcs", wcs)
    return getattr(getattr(low, "forward_transform", None), "n_inputs", 2) == _SLITLESS


def _source_of(header: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Return the first column and row of a cut-out of a slitless exposure, place of the source and order; all from 0.

    Keywords of the JWST pipeline's slits (jwst datamodels, `SlitModel`).
    """
    found = [header.get(keyword) for keyword in ("SRCXPOS", "SRCYPOS", "SPORDER")]
    start = [header.get(keyword, 1) for keyword in ("SLTSTRT1", "SLTSTRT2")]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (*found, *start)):
        return None
    return (*(float(value) - 1 for value in start), *(float(value) for value in found))

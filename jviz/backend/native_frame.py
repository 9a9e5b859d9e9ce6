"""The celestial frame that a WCS speaks, and the way from it to ICRS and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from jviz.backend.render.frames import from_icrs, lonlat, to_icrs, unit_vectors

__all__ = ["ICRS", "NativeFrame", "frame_of_astropy", "frame_of_fits"]

Turn = Callable[[np.ndarray], np.ndarray]

_standard = {"icrs": None, "galactic": None, "fk5": 2000.0, "fk4": 1950.0}


@dataclass(frozen=True)
class NativeFrame:
    """A frame with the functions that turn unit vectors of shape (3, …).

    Parameters
    ----------
    name : str
        ``"icrs"``, ``"fk5"``, ``"fk4"``, ``"galactic"``, ``"ecliptic"`` or astropy's name of another.
    """

    name: str
    into_icrs: Turn | None = None
    from_icrs: Turn | None = None

    def to_icrs(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn native degrees into ICRS degrees."""
        return _turned(lon, lat, self.into_icrs)

    def of_icrs(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn ICRS degrees into native degrees."""
        return _turned(lon, lat, self.from_icrs)


ICRS = NativeFrame("icrs")


def _turned(lon: np.ndarray, lat: np.ndarray, turn: Turn | None) -> tuple[np.ndarray, np.ndarray]:
    if turn is None:
        return lon % 360.0, lat
    return lonlat(turn(unit_vectors(lon, lat)))


def frame_of_fits(wcs: Any) -> NativeFrame | None:
    """Return the frame of a FITS WCS by its CTYPE, RADESYS and EQUINOX keywords, or None.

    Planets, the Sun and the ground have no place among the stars, so their frames give None.

    Notes
    -----
    ELON and ELAT are mean ecliptic coordinates (Calabretta & Greisen 2002, A&A 395, 1077, section 3.1).
    """
    from astropy.wcs.utils import wcs_to_celestial_frame

    kind = wcs.wcs.lngtyp.strip().upper()
    if kind == "ELON":
        return _ecliptic(wcs.wcs.equinox)
    if kind == "SLON":
        from astropy.coordinates import Supergalactic

        return frame_of_astropy(Supergalactic())
    if kind not in ("RA", "GLON"):
        return None
    try:
        return frame_of_astropy(wcs_to_celestial_frame(wcs))
    except ValueError:  # astropy knows no frame for these keywords, as with RADESYS = 'GAPPT'
        return None


def _ecliptic(equinox: float) -> NativeFrame:
    if np.isnan(equinox) or equinox == 2000.0:
        return _named("ecliptic")
    from astropy.coordinates import BarycentricMeanEcliptic

    return _rotated("ecliptic", BarycentricMeanEcliptic(equinox=f"J{equinox}"))


def frame_of_astropy(frame: Any) -> NativeFrame | None:
    """Wrap a frame object of astropy; None for frames of the ground or the solar system."""
    name = frame.name
    if name in _standard:
        if name not in ("fk5", "fk4") or _is_standard(frame):
            return _named(name)
        return _rotated(name, frame) if name == "fk5" else _general(name, frame)
    if name == "fk4noeterms":
        return _general("fk4", frame)
    if name in ("supergalactic", "barycentricmeanecliptic"):
        return _rotated("ecliptic" if name.endswith("ecliptic") else name, frame)
    return None


def _is_standard(frame: Any) -> bool:
    year = frame.equinox.jyear if frame.name == "fk5" else frame.equinox.byear
    same_epoch = frame.name == "fk5" or frame.obstime == frame.equinox
    return abs(year - _standard[frame.name]) < 1e-6 and same_epoch


def _named(name: str) -> NativeFrame:
    if name == "icrs":
        return ICRS
    return NativeFrame(name, partial(to_icrs, frame=name), partial(from_icrs, frame=name))


def _rotated(name: str, frame: Any) -> NativeFrame:
    """Take the rotation from what astropy does to the three axes."""
    from astropy.coordinates import SkyCoord

    axes = SkyCoord([0, 90, 0], [0, 0, 90], unit="deg", frame=frame).icrs.cartesian.xyz.value
    return NativeFrame(name, partial(np.tensordot, axes, axes=1), partial(np.tensordot, axes.T, axes=1))


def _general(name: str, frame: Any) -> NativeFrame:
    from astropy.coordinates import ICRS as AstropyICRS

    return NativeFrame(name, partial(_by_astropy, frame, AstropyICRS()), partial(_by_astropy, AstropyICRS(), frame))


def _by_astropy(source: Any, target: Any, vectors: np.ndarray) -> np.ndarray:
    from astropy.coordinates import SkyCoord

    lon, lat = lonlat(vectors)
    known = np.isfinite(lon) & np.isfinite(lat)
    result = np.full(vectors.shape, np.nan)
    turned = SkyCoord(lon[known], lat[known], unit="deg", frame=source).transform_to(target)
    result[:, known] = turned.cartesian.xyz.value
    return result

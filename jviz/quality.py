"""Short reports on products of a session: numbers with verdicts, and their places against a reference catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.calibration.quality import Check, checks_of, worst
from jviz.backend.progress import Progress, silent
from jviz.data import Catalog, Data
from jviz.errors import CommandError, JvizError

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["quality_checks", "quality_table", "worst"]

SNR = 10.0
"""Signal over noise of stars whose places are compared."""

FWHM = 2.5
"""Of stars that are looked for, in pixels."""

RADIUS = 2.0
"""Arcseconds within which rows of the reference are looked for."""

OFFSETS = (0.03, 0.2)
"""Arcseconds of offset above which it is worth a look, and bad: one fine pixel of JWST, and two coarse ones."""

FEWEST = 5


def quality_checks(data: Data, reference: Catalog | None = None, progress: Progress = silent) -> list[Check]:
    """Look at one product.

    Raises
    ------
    CommandError
        When it holds no array, or the reference has no places on the sky.
    """
    if not data.planes:
        raise CommandError(f"{data.name} holds no array ({data.label or data.kind}), so there is nothing to check.")
    stars: Callable[..., Check] | None = None
    if reference is not None:
        places = reference.places
        if places is None or places.system != "sky":
            raise CommandError(f"{reference.name} has no columns of right ascension and declination to compare with.")

        def stars(values: np.ndarray, errors: np.ndarray | None) -> Check:
            return _places(data, values, errors, places)

    return checks_of(data.product, stars, progress)


def quality_table(checks: dict[str, list[Check]]) -> QTable:
    """Return reports as a table, product by product."""
    from astropy.table import QTable

    rows = [(name, each.name, each.value, each.error, each.unit, each.verdict, each.said)
            for name, found in checks.items() for each in found]  # fmt: skip
    names = ("product", "check", "value", "value_err", "unit", "verdict", "meaning")
    table = QTable(rows=rows or None, names=names, dtype=(str, str, float, float, str, str, str))
    table.meta["verdicts"] = {name: worst(found) for name, found in checks.items()}
    return table


# --- places on the sky -----------------------------------------------------------------------------------


def _places(data: Data, values: np.ndarray, errors: np.ndarray | None, places: Any) -> Check:
    """Compare the places of stars with those of a catalogue."""

    def unclear(said: str) -> Check:
        return Check("position", np.nan, np.nan, "arcsec", "unknown", said)

    wcs = getattr(data, "wcs", None)
    if wcs is None:
        return unclear("it has no world coordinates")
    try:
        x, y = _stars(values, errors)
    except JvizError as error:
        return unclear(str(error))
    if len(x) < FEWEST:
        return unclear(f"only {len(x)} stars are bright enough")
    lon, lat = (np.asarray(v, float) for v in data.sky.pixel_to_sky(x, y))
    return _compared(lon, lat, places.x, places.y)


def _compared(lon: np.ndarray, lat: np.ndarray, lon_ref: np.ndarray, lat_ref: np.ndarray) -> Check:
    """Return the median offset of pairs, image minus reference, and its error."""
    from scipy.spatial import KDTree

    from jviz.backend.catalogs.astrometry import first_shift, on_plane

    good = np.isfinite(lon) & np.isfinite(lat)
    centre = (float(np.median(lon[good])), float(np.median(lat[good])))
    known = np.isfinite(lon_ref) & np.isfinite(lat_ref)
    here = on_plane(lon[good], lat[good], *centre) * 3600
    there = on_plane(lon_ref[known], lat_ref[known], *centre) * 3600
    near = KDTree(there).query_ball_point(here, RADIUS)
    offsets = np.array([here[n] - there[m] for n, found in enumerate(near) for m in found])
    if len(offsets) < FEWEST:
        return Check("position", np.nan, np.nan, "arcsec", "unknown",
                     f"{len(offsets)} of {good.sum()} stars are within {RADIUS:g} arcsec of the reference")  # fmt: skip
    shift = first_shift(offsets, 0.15)
    used = offsets[np.hypot(*(offsets - shift).T) < 0.3]
    middle = np.median(used, axis=0)
    scatter = 1.4826 * np.median(np.abs(used - middle), axis=0)
    error = 1.2533 * scatter / np.sqrt(len(used))
    size = float(np.hypot(*middle))
    size_err = float(np.hypot(*(middle * error)) / size) if size > 0 else float(np.hypot(*error))
    verdict = "good" if size <= max(OFFSETS[0], 3 * size_err) else "look" if size <= OFFSETS[1] else "bad"
    if len(used) < FEWEST:
        verdict = "unknown"
    said = f"{1000 * middle[0]:+.1f} mas in RA, {1000 * middle[1]:+.1f} mas in Dec, of {len(used)} stars"
    return Check("position", size, size_err, "arcsec", verdict, said)


def _stars(values: np.ndarray, errors: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return centres of bright stars, in pixels."""
    from jviz.backend.photometry.star_finding import find_stars

    good = np.isfinite(values)
    middle = float(np.median(values[good])) if good.any() else 0.0
    scatter = 1.4826 * float(np.median(np.abs(values[good] - middle))) if good.any() else 0.0
    sigma = np.where(np.isfinite(errors) & (errors > 0), errors, np.inf) if errors is not None else np.full(
        values.shape, scatter or 1.0)  # fmt: skip
    weight = np.where(good, 1 / np.maximum(sigma, 0.5 * (scatter or 0.0)) ** 2, 0.0).astype(np.float32)
    light = np.where(good, values - middle, 0.0).astype(np.float32)
    x, y, _ = find_stars(light, weight, FWHM, SNR)
    brightest = zip(x[:500].tolist(), y[:500].tolist(), strict=True)
    centres = [_centre(light, good, round(px), round(py)) for px, py in brightest]
    found = np.array([centre for centre in centres if centre is not None]).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _centre(light: np.ndarray, good: np.ndarray, x: int, y: int) -> tuple[float, float] | None:
    """Return the centre of light within 2 pixels, by iterating the window onto it; None at edges and holes."""
    ny, nx = light.shape
    cx, cy = float(x), float(y)
    for _ in range(10):
        x0, y0 = round(cx), round(cy)
        if not (3 <= x0 < nx - 3 and 3 <= y0 < ny - 3):
            return None
        part, hole = light[y0 - 3 : y0 + 4, x0 - 3 : x0 + 4], good[y0 - 3 : y0 + 4, x0 - 3 : x0 + 4]
        if not hole.all():
            return None
        dy, dx = np.mgrid[y0 - 3 : y0 + 4, x0 - 3 : x0 + 4].astype(float)
        # a Gaussian window as in SExtractor's XWIN: its shift is doubled, and it sits on the centre at the end
        window = part * np.exp(-((dx - cx) ** 2 + (dy - cy) ** 2) / (2 * (FWHM / 2) ** 2))
        total = float(window.sum())
        if total <= 0:
            return None
        step_x, step_y = 2 * float((window * (dx - cx)).sum()) / total, 2 * float((window * (dy - cy)).sum()) / total
        cx, cy = cx + step_x, cy + step_y
        if abs(cx - x) > 2 or abs(cy - y) > 2:
            return None
        if np.hypot(step_x, step_y) < 1e-3:
            break
    return cx, cy

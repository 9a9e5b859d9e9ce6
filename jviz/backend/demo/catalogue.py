"""The catalogue of what was put into the mosaic, as ECSV text."""

from __future__ import annotations

import numpy as np

from jviz.backend.demo.mosaic import APERTURE, PIXAR_SR, PIXEL_SCALE, SIZE, Mosaic, to_sky

__all__ = ["catalogue_text"]

_COLUMNS = (
    ("id", "int64", "", "number, brightest first"),
    ("kind", "string", "", "star, galaxy or spiral"),
    ("x", "float64", "pix", "0-based column in the mosaic"),
    ("y", "float64", "pix", "0-based row in the mosaic"),
    ("ra", "float64", "deg", "right ascension (ICRS)"),
    ("dec", "float64", "deg", "declination (ICRS)"),
    ("flux", "float64", "Jy", "all the light that was put in"),
    ("flux_err", "float64", "Jy", "error of a measurement in the aperture, corrected to all the light"),
    ("abmag", "float64", "mag(AB)", "AB magnitude"),
    ("abmag_err", "float64", "mag", "its error"),
    ("radius", "float64", "arcsec", "half-light radius along the major axis, 0 for stars"),
    ("snr", "float64", "", "flux over its error"),
)


def catalogue_text(mosaic: Mosaic, image: str, seed: int) -> str:
    """Return the catalogue of the sources within the mosaic, brightest first, as ECSV."""
    sources = mosaic.sources
    x, y, flux, radius = (
        np.array([getattr(source, name) for source in sources]) for name in ("x", "y", "flux", "radius")
    )
    error = mosaic.flux_errors()
    seen = (x >= 0) & (y >= 0) & (x <= SIZE - 1) & (y <= SIZE - 1) & (error > 0)
    order = np.flatnonzero(seen)[np.argsort(-flux[seen], kind="stable")]
    ra, dec = to_sky(x, y)
    jansky = flux * PIXAR_SR * 1e6
    jansky_error = error * PIXAR_SR * 1e6
    magnitude, magnitude_error = 8.9 - 2.5 * np.log10(jansky), 2.5 / np.log(10) * error / flux
    lines = [
        f"{number} {sources[one].kind} {x[one]:.4f} {y[one]:.4f} {ra[one]:.9f} {dec[one]:.9f} "
        f"{jansky[one]:.6e} {jansky_error[one]:.6e} {magnitude[one]:.4f} {magnitude_error[one]:.4f} "
        f"{radius[one] * PIXEL_SCALE:.4f} {flux[one] / error[one]:.2f}"
        for number, one in enumerate(order, 1)
    ]
    names = " ".join(name for name, *_ in _COLUMNS)
    return "\n".join([*_head(mosaic, image, seed), names, *lines]) + "\n"


def _head(mosaic: Mosaic, image: str, seed: int) -> list[str]:
    columns = [
        f"# - {{name: {name}, {f'unit: {unit}, ' if unit else ''}datatype: {kind}, description: '{text}'}}"
        for name, kind, unit, text in _COLUMNS
    ]
    meta = {
        "telescope": "SIMULATED",
        "comment": "SIMULATED by jviz; nothing in this table was observed",
        "image": image,
        "seed": seed,
        "aperture_radius_pixels": APERTURE,
        "encircled_energy": round(mosaic.psf.encircled(APERTURE), 6),
        "pixel_solid_angle_sr": PIXAR_SR,
    }
    pairs = [f"# - {{{key}: {value}}}" for key, value in meta.items()]
    start = ["# %ECSV 1.0", "# ---", "# datatype:"]
    return [*start, *columns, "# meta: !!omap", *pairs, "# schema: astropy-2.0"]

"""How long photometry takes on a field of 4096 × 4096 pixels with 10,000 stars (fixed seed), and how true it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.timing import Row, measure, offscreen

__all__ = ["rows", "star_field"]

SIDE, STARS, SIGMA, NOISE = 4096, 10_000, 1.5, 1.0


def rows() -> list[Row]:
    """Measure apertures, skies, backgrounds, detection, the catalogue and matching."""
    with offscreen():
        return _photometry()


def star_field() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return an image with its stars: x, y and flux."""
    draw = np.random.default_rng(20)
    image = draw.normal(10, NOISE, (SIDE, SIDE)).astype(np.float32)
    x, y = draw.uniform(20, SIDE - 20, (2, STARS))
    flux = 10 ** draw.uniform(2, 4, STARS)
    around = np.arange(-10, 11)
    for px, py, f in zip(x, y, flux, strict=True):
        i, j = round(py), round(px)
        along = [np.exp(-0.5 * ((around + c - p) / SIGMA) ** 2) for c, p in ((i, py), (j, px))]
        image[i - 10 : i + 11, j - 10 : j + 11] += f / (2 * np.pi * SIGMA**2) * np.outer(*along)
    return image, x, y, flux


def _photometry() -> list[Row]:
    from astropy.nddata import CCDData, StdDevUncertainty

    import jviz

    image, x, y, flux = star_field()
    session = jviz.Session(settings={})
    session.add(CCDData(image, unit="mJy", uncertainty=StdDevUncertainty(np.full_like(image, NOISE))), name="field")
    places = np.c_[x, y]

    def run(command: str, **options: Any) -> Any:
        return session.run(command, **options)

    apertures = {"data": "field", "positions": places, "radii": [3, 5, 8]}
    found = [
        measure("10,000 apertures × 3 radii with errors", lambda: run("photometry.aperture", **apertures), repeat=7,
                limit=150.0),
        measure("the same with clipped annuli", lambda: run("photometry.aperture", annulus=(10, 15), **apertures),
                repeat=5, limit=550.0),
        measure("background in meshes of 64", lambda: run("photometry.background", data="field"), repeat=3),
        measure("find sources, segmentation", lambda: run("photometry.detect", data="field", snr=5), repeat=3),
        measure("whole source catalogue", lambda: run("photometry.catalog", data="field", snr=5), repeat=3,
                limit=2500.0),
    ]  # fmt: skip
    table = run("photometry.aperture", annulus=(10, 15), data="field", positions=places, radii=5)
    within = 1 - np.exp(-0.5 * 25 / (SIGMA**2 + 1 / 12))
    alone = _alone(x, y)
    ratio = table["flux"].to_value("mJy")[alone] / (flux[alone] * within)
    found.append(
        Row("injected flux ratio − 1", 1000 * abs(float(np.average(ratio, weights=flux[alone])) - 1), "‰", limit=4.0)
    )
    session.close()
    return found


def _alone(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the stars without a neighbour within 25 pixels."""
    from scipy.spatial import KDTree

    places = np.c_[x, y]
    return KDTree(places).query(places, k=2)[0][:, 1] > 25

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
                repeat=5, limit=400.0),
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
    found += [*_live_rows(session), *_others(image), *_psf_rows(session)]
    session.close()
    return found


def _live_rows(session: Any) -> list[Row]:
    """Measure an aperture that is dragged, the light curve of 2,000 integrations, and isophotes."""
    from regions import CirclePixelRegion, PixCoord

    from jviz.backend.photometry.isophotes import fit_isophotes
    from jviz.backend.timeseries.curves import curve_of_stack
    from jviz.photometry_preview import aperture_preview

    subset = session.subset("core", CirclePixelRegion(PixCoord(2000, 2000), 60), data="field")
    places = iter(range(1000))

    def dragged() -> None:
        region = CirclePixelRegion(PixCoord(2000 + 3.3 * next(places), 2000.0), 60)
        aperture_preview(session, session["field"], subset.but(region=region), 5.0, annulus=(70, 90))

    row, column = np.mgrid[:1200, :1200] - 600.0
    galaxy = 500 * np.exp(-np.hypot(column, row / 0.6) / 60) + np.random.default_rng(2).normal(0, 0.5, row.shape)
    rows, columns = np.mgrid[:64, :128]
    away = np.hypot(columns - 64, rows - 32)
    stack = np.random.default_rng(1).normal(100, 3, (2000, 64, 128)).astype(np.float32)
    circle, ring = np.clip(10.5 - away, 0, 1), (away > 14) & (away < 22)
    return [
        measure("a step of a dragged aperture, r = 60", dragged, repeat=30, limit=16.0),
        measure("light curve, circle and ring, 2,000 × 64 × 128", lambda: curve_of_stack(stack, circle, ring=ring),
                repeat=5, limit=200.0),
        measure("isophotes of a galaxy of 1200 × 1200 pixels",
                lambda: fit_isophotes(galaxy, (600, 600), 10.0, 0.3, 0.1), repeat=5),
    ]  # fmt: skip


def _others(image: np.ndarray) -> list[Row]:
    """Measure the same catalogue by sep and SExtractor, where they are installed."""
    return [*_by_sep(image), *_by_sextractor(image)]


def _by_sep(image: np.ndarray) -> list[Row]:
    try:
        import sep
    except ImportError:
        return []

    def run() -> None:
        background = sep.Background(image, bw=64, bh=64)
        less = image - background
        found = sep.extract(less, 5.0, err=background.globalrms, minarea=5)
        kron, _ = sep.kron_radius(less, *(found[n] for n in ("x", "y", "a", "b", "theta")), 6.0)
        sep.sum_ellipse(less, *(found[n] for n in ("x", "y", "a", "b", "theta")), 2.5 * np.clip(kron, 1.4, 10))

    return [measure("sep: background, detection, Kron fluxes", run, repeat=3)]


def _by_sextractor(image: np.ndarray) -> list[Row]:
    import shutil
    import subprocess
    import tempfile
    from pathlib import Path

    from astropy.io import fits

    program = shutil.which("source-extractor") or shutil.which("sex")
    if program is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        fits.writeto(Path(folder) / "field.fits", image)
        (Path(folder) / "columns").write_text("NUMBER\nX_IMAGE\nY_IMAGE\nFLUX_AUTO\nFLUXERR_AUTO\nFLUX_APER\n")
        options = ["-c", "/dev/null", "-PARAMETERS_NAME", "columns", "-FILTER", "N", "-DETECT_THRESH", "5",
                   "-PHOT_APERTURES", "10", "-STARNNW_NAME", "none", "-VERBOSE_TYPE", "QUIET"]  # fmt: skip

        def run() -> None:
            subprocess.run([program, "field.fits", *options], cwd=folder, check=True, capture_output=True)

        return [measure("SExtractor: background, detection, Kron fluxes", run, repeat=3)]


def _psf_rows(session: Any) -> list[Row]:
    """Measure PSF photometry of 5,000 stars, of which 1 in 5 has a neighbour within two widths."""
    from astropy.nddata import CCDData, StdDevUncertainty

    from jviz.backend.photometry.psf_kernels import subtract
    from jviz.backend.photometry.psfs import moffat_psf

    psf, draw, count = moffat_psf(3.0, 3.5), np.random.default_rng(21), 5_000
    x, y = draw.uniform(20, SIDE - 20, (2, count))
    x[4000:], y[4000:] = x[:1000] + draw.uniform(-6, 6, 1000), y[:1000] + draw.uniform(-6, 6, 1000)
    flux = 10 ** draw.uniform(2, 4, count)
    image = draw.normal(0, NOISE, (SIDE, SIDE)).astype(np.float32)
    near, share = psf.at(x, y)
    subtract(image, psf.coefs, psf.fine, *psf.centre, near, share, np.c_[x, y, flux], np.full(count, psf.reach), -1.0)
    session.add(CCDData(image, unit="mJy", uncertainty=StdDevUncertainty(np.full_like(image, NOISE))), name="stars")
    star = session.run("photometry.model_psf", shape="moffat", fwhm=3.0, beta=3.5)
    start = np.c_[x, y] + draw.normal(0, 0.2, (count, 2))

    def run(**options: Any) -> Any:
        made = session.run("photometry.psf", data="stars", psf=star, residual=False, **options)
        session.undo()
        return made

    given = {"positions": start, "passes": 1, "box_size": 0}
    found = [
        measure("PSF photometry of 5,000 stars", lambda: run(**given), repeat=3, limit=2000.0),
        measure("the same, found in two passes, with background", run, repeat=2),
    ]
    table = run(**given).table
    pull = (table["flux"].to_value("mJy") - flux) / table["flux_err"].to_value("mJy")
    ratio = float(np.average(table["flux"].to_value("mJy") / flux, weights=flux))
    return [
        *found,
        Row("width of the pulls − 1", 1000 * abs(float(pull[abs(pull) < 5].std()) - 1), "‰", limit=80.0),
        Row("stars beyond 5 σ", 1000 * float((abs(pull) > 5).mean()), "‰", limit=10.0),
        Row("PSF flux ratio − 1", 1000 * abs(ratio - 1), "‰", limit=4.0),
    ]


def _alone(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the stars without a neighbour within 25 pixels."""
    from scipy.spatial import KDTree

    places = np.c_[x, y]
    return KDTree(places).query(places, k=2)[0][:, 1] > 25

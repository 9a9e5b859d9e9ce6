"""Commands that simulate exposures, and that compare with the truth what calibration makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Data, from_product
from jviz.errors import CommandError
from jviz.session import Session

MENU = "Simulate"


OF_IMAGES = ("instrument", ("nircam", "nircam-tso"))

ONLY = {
    **dict.fromkeys(("size", "filter", "stars", "galaxies", "integrations"), OF_IMAGES),
    "transit_depth": ("instrument", ("nircam-tso",)),
}
"""Choices that not every instrument has, with those that do."""


@command("simulate.exposures", title="Simulate Exposures…", menu=MENU, job=True, group="simulate", icon="fa6s.dice",
         only_with=ONLY)  # fmt: skip
def exposures(
    session: Session,
    instrument: Literal["nircam", "nircam-tso", "miri-mrs", "miri-lrs"] = "nircam",
    *,
    seed: int = 1,
    size: Literal[160, 320, 640, 2048] | None = None,
    filter: Literal["F115W", "F150W", "F200W"] | None = None,
    dithers: int | None = None,
    groups: int = 8,
    integrations: int | None = None,
    stars: int | None = None,
    galaxies: int | None = None,
    sky: float | None = None,
    cosmic_rays: float = 5.0,
    pointing_error: float | None = None,
    transit_depth: float = 0.01,
    folder: Path | None = None,
    progress: Progress,
) -> list[Data]:
    """Simulate raw exposures (uncal) of a field, or spectra, with the reference files that calibrate them.

    Detector, geometry and sources are made up from the seed, and the same arguments give the same bytes. Everything is
    marked SIMULATED. Beside the exposures lie their truth (``*_truth.fits``: brightness, count rates, cosmic rays;
    ``sources_truth.ecsv``) and a CRDS cache (``crds``), which calibration uses for them by itself, offline.

    Parameters
    ----------
    instrument : str
        Whose exposures are imitated: images of a field, the time series of a bright star in its middle (``-tso``), or
        spectra of a source with lines: through the slices of MIRI's integral-field spectrometer (``-mrs``), or through
        the slit of its spectrometer of low resolution (``-lrs``).
    seed : int
        Of all random numbers.
    size : int, optional
        Of images: width of the field in pixels of 0.031″; 2048 is the whole detector, and 640 the default.
    filter : str, optional
        Of images: wavelength of the light; F200W by default.
    dithers : int, optional
        Exposures, each moved a little, 1 to 9; 4, 2 nods along a slit, or 1 of a time series, by default.
    groups : int
        Reads of each integration, 3 to 60.
    integrations : int, optional
        Of each exposure, 1 to 400; 1, or 40 of a time series, by default.
    stars, galaxies : int, optional
        Of images: how many; as many as the field has room for by default.
    sky : float, optional
        Brightness of the sky, in MJy/sr; 0.4, or 40 of spectra (at 6.5 µm), by default.
    cosmic_rays : float
        Rays per cm² and second.
    pointing_error : float, optional
        By how much the header errs about each exposure but the first, in milliarcsec (rms on each axis); 15, or 0 of
        spectra, which nothing aligns, by default.
    transit_depth : float
        Part of its light that the star of a time series loses while a planet passes.
    folder : Path, optional
        A new folder; one in jviz's folder for data by default.

    Returns
    -------
    list of Data
        The exposures, as ramps.
    """
    from jviz.backend.io.registry import open_products
    from jviz.backend.simulate import plan_of, simulate

    plan = plan_of(seed=seed, size=size, filter=filter, dithers=dithers, groups=groups, stars=stars, galaxies=galaxies,
                   sky=sky, cosmic_rays=cosmic_rays, pointing_error=pointing_error, instrument=instrument,
                   integrations=integrations, transit_depth=transit_depth)  # fmt: skip
    made = simulate(plan, Path(folder) if folder is not None else None, progress=progress)
    loaded = [from_product(product) for path in made.exposures for product in open_products(path, progress=progress)]
    for data in loaded:
        data.prepare(progress)
    return loaded


@command("simulate.check", title="Compare with Truth…", menu=MENU, job=True, recorded=False, script=False, needs="data",
         group="simulate", icon="fa6s.scale-balanced")  # fmt: skip
def check(session: Session, data: Data) -> Any:
    """Compare a product of simulated exposures with what was put into them.

    Parameters
    ----------
    data : Data
        A slope image (rate): pulls and ratio. A ramp after the step jump: cosmic rays found. A calibrated image (cal):
        ratio. The catalogue of a mosaic: positions and fluxes of its stars. The photometry of a time series (phot): its
        scatter, and the depth of the transit. A cube (s3d): place of the source, background. A spectrum (x1d): its
        continuum, velocities and fluxes of its lines.

    Returns
    -------
    QTable
        ``quantity``, ``value`` with its statistical ``uncertainty`` and ``unit``, ``expected`` of a perfect product,
        ``note``.
    """
    from astropy.table import QTable

    from jviz.backend.simulate.checks import check_product

    if data.path is None:
        raise CommandError(f"{data.name} is in no file, so its truth cannot be found.")
    rows = check_product(data.path)
    names = ("quantity", "value", "uncertainty", "unit", "expected", "note")
    table = QTable({name: [getattr(row, name) for row in rows] for name in names})
    table.meta["data"] = data.name
    return table

"""Writing what is simulated: a folder that appears when all of it is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.calibration.budget import check_room
from jviz.backend.calibration.environment import OWN_CACHE as CACHE
from jviz.backend.calibration.runs import running
from jviz.backend.progress import Progress, silent
from jviz.backend.simulate.cache_writer import write_cache
from jviz.backend.simulate.exposing import Exposure, Field
from jviz.backend.simulate.headers import (
    asdf_part,
    exposure_header,
    hdu,
    integration_times,
    mark,
    science_header,
    table,
)
from jviz.backend.simulate.plans import LRS, MRS, Plan, default_folder
from jviz.backend.simulate.references import write_fits
from jviz.errors import JvizError

__all__ = ["CACHE", "Simulation", "make_field", "simulate"]

RECORD = "simulation.json"


@dataclass(frozen=True)
class Simulation:
    """What was written.

    Attributes
    ----------
    folder : Path
    exposures, truths : tuple of Path
        uncal files, and what was put into each.
    catalogue : Path
        The sources.
    cache : Path
        Value for ``CRDS_PATH``.
    """

    folder: Path
    exposures: tuple[Path, ...]
    truths: tuple[Path, ...]
    catalogue: Path
    cache: Path


def simulate(plan: Plan, folder: Path | None = None, *, progress: Progress = silent) -> Simulation:
    """Write exposures, their truth, a catalogue of the sources and a CRDS cache into a new folder.

    The same plan gives the same bytes. A folder that holds just that already is left as it is.

    Parameters
    ----------
    folder : Path, optional
        That of `default_folder` by default.

    Raises
    ------
    JvizError
        When the folder holds something else or cannot be written, or the disk has no room.
    Cancelled
        Nothing is left.
    """
    folder = folder.expanduser().absolute() if folder is not None else default_folder(plan)
    if _known(folder) == plan.record():
        return _simulation(folder)
    if folder.exists() and any(folder.iterdir()):
        raise JvizError(f"{folder} is not empty, so nothing is simulated into it; give a new folder.")
    check_room(plan.disk, folder, what="The simulation", instead="fewer exposures")
    if folder.exists():
        folder.rmdir()
    with running(folder.parent, folder.name) as part:
        _write(plan, part, progress)
    return _simulation(folder)


def _write(plan: Plan, part: Path, progress: Progress) -> None:
    total = plan.dithers + 2.0
    progress(0, total, "Making up a detector and a sky")
    field = make_field(plan)
    progress(1, total, "Writing reference files")
    write_cache(part / CACHE, plan.instrument.partition("-")[0], field.references())
    field.write_truth(part)

    def told(done: float, whole: float = 1.0, text: str = "") -> None:
        progress(2 + done, total, text)

    for exposure in field.exposures(told):
        keywords = field.keywords(exposure)
        name = f"jw09999001001_02101_{exposure.number:05d}_{keywords['DETECTOR'].lower()}"
        _write_exposure(part / f"{name}_uncal.fits", field, exposure, keywords)
        _write_truth(part / f"{name}_truth.fits", field, exposure)
    (part / RECORD).write_text(json.dumps(plan.record(), indent=1), encoding="utf-8")
    progress(total, total, "")


def make_field(plan: Plan) -> Field:
    """Make up what a plan is of."""
    if plan.instrument == MRS:
        from jviz.backend.simulate.mrs import make_mrs

        return make_mrs(plan)
    if plan.instrument == LRS:
        from jviz.backend.simulate.lrs import make_lrs

        return make_lrs(plan)
    from jviz.backend.simulate.imaging import make_image

    return make_image(plan)


def _write_exposure(path: Path, field: Field, exposure: Exposure, keywords: Mapping[str, Any]) -> None:
    plan = field.plan
    x, y = field.offset(exposure.said)
    primary = exposure_header(
        name=path.name, number=exposure.number, count=plan.dithers, groups=plan.groups,
        integrations=plan.integrations, seconds=plan.seconds, seed=plan.seed, XOFFSET=x, YOFFSET=y,
        SUBARRAY=plan.subarray, SUBSTRT1=1, SUBSTRT2=1, SUBSIZE1=plan.shape[1], SUBSIZE2=plan.shape[0], **keywords,
    )  # fmt: skip
    science = hdu("SCI", exposure.reads, science_header(exposure.said, field.frame, primary, field.middle))
    write_fits(path, primary, [science, integration_times(primary), asdf_part("Level1bModel")])


def _write_truth(path: Path, field: Field, exposure: Exposure) -> None:
    """Write the light as it fell, and the cosmic rays; the header says where the telescope really looked."""
    from astropy.io import fits

    primary = fits.Header()
    primary.update(ORIGIN="jviz", DATAMODL="truth", OBJECT="SIMULATED")
    mark(primary, field.plan.seed)
    said, true = exposure.said, exposure.true
    primary["ERR_EAST"] = ((true.ra - said.ra) * np.cos(np.radians(said.dec)) * 3.6e6, "[mas] error of the pointing")
    primary["ERR_NRTH"] = ((true.dec - said.dec) * 3.6e6, "[mas] error of the pointing")
    for keyword, value in (("RA_REF", true.ra), ("DEC_REF", true.dec), ("ROLL_REF", true.roll), ("V2_REF", true.v2),
                           ("V3_REF", true.v3)):  # fmt: skip
        primary[keyword] = value
    rate, sky = fits.Header({"BUNIT": "DN/s"}), fits.Header({"BUNIT": "MJy/sr"})
    hits = exposure.hits
    rays = fits.BinTableHDU.from_columns([
        fits.Column("integration", "J", array=hits.integration), fits.Column("group", "J", array=hits.group),
        fits.Column("x", "J", array=hits.x), fits.Column("y", "J", array=hits.y),
        fits.Column("charge", "E", "electron", array=hits.electrons),
    ], name="COSMIC_RAYS")  # fmt: skip
    write_fits(path, primary, [hdu("SCI", exposure.sky, sky), hdu("RATE", exposure.rate, rate), rays,
                               table("LIGHT_CURVE", flux=exposure.curve)])  # fmt: skip


# --- folders ------------------------------------------------------------------------------------------


def _known(folder: Path) -> dict[str, Any] | None:
    try:
        return json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _simulation(folder: Path) -> Simulation:
    exposures = tuple(sorted(folder.glob("jw*_uncal.fits")))
    truths = tuple(path.with_name(path.name.replace("_uncal", "_truth")) for path in exposures)
    return Simulation(folder, exposures, truths, folder / "sources_truth.ecsv", folder / CACHE)

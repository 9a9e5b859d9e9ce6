"""Products of the pipelines: which of them a run gives, and what the next pipeline takes on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jviz.backend.calibration.registry import CORONAGRAPHIC, Subject, header_of, subject_of

__all__ = ["THIRD_LEVEL", "main_products", "next_subjects", "product_name"]

THIRD_LEVEL = (
    "calwebb_image3", "calwebb_spec3", "calwebb_tso3", "calwebb_coron3", "calwebb_ami3", "calwebb_wfs-image3",
)  # fmt: skip
"""What works on associations, and on all exposures at once."""

RESULTS = {
    "calwebb_detector1": ("rate", "rateints", "ramp"), "calwebb_dark": ("dark",), "calwebb_guider": ("cal",),
    "calwebb_image2": ("cal", "calints"), "calwebb_spec2": ("cal", "calints", "s2d", "s3d", "x1d", "x1dints"),
    "calwebb_image3": ("i2d", "cat", "segm"), "calwebb_spec3": ("s2d", "s3d", "x1d", "c1d"),
    "calwebb_tso3": ("x1dints", "phot", "whtlt"), "calwebb_coron3": ("i2d", "psfsub"),
    "calwebb_ami3": ("aminorm-oi", "ami-oi"), "calwebb_wfs-image3": ("wfscmb",),
}  # fmt: skip
"""Suffixes of the products that a run of each gives; the others lie in its folder."""

BY_INTEGRATION = (*CORONAGRAPHIC, "NIS_AMI")
"""Types of exposures whose integrations level 3 works on one by one."""


def main_products(pipeline: str, products: Sequence[str]) -> list[str]:
    """Return those of the files of a run that are opened, the most important ones first."""
    wanted = RESULTS.get(pipeline)
    if wanted is None:
        return list(products)
    found = [name for suffix in wanted for name in products if _is_of(name, suffix)]
    # A rateints of one integration says the same as the rate.
    rates = {name.removesuffix("_rate.fits") for name in found if name.endswith("_rate.fits")}
    found = [name for name in found if name.removesuffix("_rateints.fits") not in rates or name.endswith("_rate.fits")]
    return found or list(products)


def _is_of(name: str, suffix: str) -> bool:
    """Return whether a file has a suffix: that of a product whose name ends like one follows a hyphen instead.

    What is called a pair of a star (psf-ami-oi) is another product than that of the target.
    """
    return re.search(rf"(?<!_psf)[_-]{suffix}$", Path(name).stem) is not None


def next_subjects(products: Sequence[str], part: Path) -> list[Subject]:
    """Return what the next stage works on: of each exposure the product of the highest level."""
    subjects = [subject_of(part / name) for name in products if name.endswith(".fits")]
    by_integration = any(subject.is_time_series or subject.kind in BY_INTEGRATION for subject in subjects)
    slopes = ("rateints", "rate") if by_integration else ("rate", "rateints")
    for suffix in ("calints", "cal", *slopes):
        found = [subject for subject in subjects if subject.suffix == suffix]
        if found:
            return found
    return subjects


def product_name(members: Sequence[Subject]) -> str:
    """Return the name of a level 3 product: program, observation, instrument and optical elements."""
    header = header_of(members[0].path)

    def word(name: str, default: str = "") -> str:
        value = str(header.get(name, default)).strip().lower()
        return "" if value in ("n/a", "none", "") else value

    program, observation = word("PROGRAM", "00000").zfill(5), word("OBSERVTN", "001").zfill(3)
    # Channels and bands of cubes are added by the step that makes them.
    elements = "-".join(filter(None, (word("PUPIL"), word("FILTER"), word("GRATING"))))
    subarray = word("SUBARRAY")
    parts = [f"jw{program}-o{observation}", "t001", word("INSTRUME"), elements]
    name = "_".join(filter(None, parts))
    return name if subarray in ("", "full") else f"{name}-{subarray}"

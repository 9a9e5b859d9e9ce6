"""What a header says about the calibration of a product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jviz.backend.calibration.registry import SPECTRAL
from jviz.backend.calibration.steps import Catalogue, Pipeline
from jviz.backend.io.jwst import is_jwst

__all__ = ["Status", "reference_of", "statuses"]

KEYWORDS = {
    "barshadow": "R_BARSHA", "chromcorr": "R_CHRCOR", "cubepar": "R_CUBPAR", "emicorr": "R_MIREMI",
    "extract1d": "R_EXTR1D", "filteroffset": "R_FILOFF", "fringefreq": "R_FRIFRQ", "lastframe": "R_LASTFR",
    "mrsptcorr": "R_MRSPT", "mrsxartcorr": "R_MRSXAR", "msaoper": "R_MSAOPE", "pastasoss": "R_PSTSOS",
    "pathloss": "R_PTHLOS", "regions": "R_REGION", "resol": "R_RESOL", "sirskernel": "R_SIRSKL",
    "speckernel": "R_SPKERN", "specprofile": "R_SPPROF", "spectrace": "R_SPTRAC", "specwcs": "R_SPCWCS",
    "straymask": "R_STRAY", "throughput": "R_THRPUT", "trapdensity": "R_TRPDEN", "trappars": "R_TRPPAR",
    "tsophot": "R_TSPHOT", "wavecorr": "R_WAVCOR", "wavelengthrange": "R_WAVRAN", "wavemap": "R_WAVMAP",
}  # fmt: skip
"""Keywords of reference types that are not ``R_`` and the first six letters."""


@dataclass(frozen=True)
class Status:
    """One step: its pipeline, and what the header says of it."""

    pipeline: str
    step: str
    status: str
    keyword: str
    references: str


def statuses(catalogue: Catalogue, header: Mapping[str, Any]) -> list[Status]:
    """Return the steps that a product has gone through or would; none when it is no JWST product."""
    if not is_jwst(header):
        return []
    instrument, kind = (str(header.get(key, "")).strip() for key in ("INSTRUME", "EXP_TYPE"))
    rows = []
    for pipeline in _pipelines(catalogue, header):
        for step in pipeline.ordered(instrument, kind):
            status = str(header.get(step.keyword, "") or "").strip() if step.keyword else ""
            used = [name for kind in step.references if (name := reference_of(header, kind))]
            rows.append(Status(pipeline.name, step.name, status, step.keyword, ", ".join(used)))
    return rows


def reference_of(header: Mapping[str, Any], kind: str) -> str:
    """Return the reference file of a type that a header names (without ``crds://``), "" when there is none."""
    keyword = KEYWORDS.get(kind, f"R_{kind.upper()[:6]}")
    return str(header.get(keyword, "") or "").strip().removeprefix("crds://")


def _pipelines(catalogue: Catalogue, header: Mapping[str, Any]) -> list[Pipeline]:
    exp_type = str(header.get("EXP_TYPE", "")).strip().upper()
    names = ["calwebb_detector1", "calwebb_spec2" if exp_type in SPECTRAL else "calwebb_image2"]
    names.append("calwebb_spec3" if exp_type in SPECTRAL else "calwebb_image3")
    return [catalogue.pipelines[name] for name in names if name in catalogue.pipelines]

"""Which pipelines a product goes through next, by its exposure type, level and suffix."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.errors import JvizError

__all__ = ["Subject", "chain_of", "header_of", "next_pipeline", "subject_of"]

SPECTRAL = frozenset(
    ("MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS", "MIR_MRS", "MIR_WFSS", "NRS_FIXEDSLIT", "NRS_IFU", "NRS_MSASPEC",
     "NRS_BRIGHTOBJ", "NRS_AUTOFLAT", "NRS_AUTOWAVE", "NRS_LAMP", "NIS_SOSS", "NIS_WFSS", "NRC_WFSS", "NRC_GRISM",
     "NRC_TSGRISM")
)  # fmt: skip
TIME_SERIES = frozenset(("NRC_TSIMAGE", "NRC_TSGRISM", "NRS_BRIGHTOBJ", "MIR_LRS-SLITLESS"))
CORONAGRAPHIC = frozenset(("NRC_CORON", "MIR_LYOT", "MIR_4QPM"))
GUIDING = frozenset(("FGS_ID-IMAGE", "FGS_ID-STACK", "FGS_ACQ1", "FGS_ACQ2", "FGS_TRACK", "FGS_FINEGUIDE"))

FIRST = ("uncal",)
SECOND = ("rate", "rateints")
THIRD = ("cal", "calints", "crf", "crfints")
ASSOCIATED = {
    "image2": "calwebb_image2", "wfs-image2": "calwebb_image2", "tso-image2": "calwebb_image2",
    "spec2": "calwebb_spec2", "nrslamp-spec2": "calwebb_spec2", "tso-spec2": "calwebb_spec2",
    "image3": "calwebb_image3", "spec3": "calwebb_spec3", "tso3": "calwebb_tso3", "coron3": "calwebb_coron3",
    "ami3": "calwebb_ami3", "wfs-image3": "calwebb_wfs-image3",
}  # fmt: skip
"""Pipelines by the type of an association."""


@dataclass(frozen=True)
class Subject:
    """What is calibrated: a product, or an association of products.

    Attributes
    ----------
    path : Path
    suffix : str
        ``"uncal"``, ``"rate"`` …; ``"asn"`` of associations.
    exp_type, instrument : str
        Upper case; of an association, its type in lower case.
    members : tuple of str
        Files of an association that are missing nowhere.
    member_type : str
        EXP_TYPE of the members of an association, upper case.
    """

    path: Path
    suffix: str
    exp_type: str
    instrument: str
    is_time_series: bool = False
    members: tuple[str, ...] = ()
    member_type: str = ""

    @property
    def kind(self) -> str:
        """EXP_TYPE of what is calibrated; of an association that of its members."""
        return self.member_type or self.exp_type

    @property
    def root(self) -> str:
        """Name of the exposure, without suffix."""
        return re.sub(rf"_{self.suffix}$", "", self.path.stem) if self.suffix else self.path.stem


def subject_of(path: Path, header: Mapping[str, Any] | None = None) -> Subject:
    """Read what a file is.

    Parameters
    ----------
    header : mapping, optional
        Its primary header, where that was read already.

    Raises
    ------
    JvizError
        When it is no JWST product and no association.
    """
    if path.suffix.lower() == ".json":
        return _association(path)
    from jviz.backend.io.jwst import is_jwst, product_suffix

    if header is None:
        header = header_of(path)
    if not is_jwst(header):
        raise JvizError(
            f"{path.name} is no JWST product (TELESCOP is {str(header.get('TELESCOP', 'missing')).strip() or 'empty'}"
            "), so the JWST pipelines cannot calibrate it. Give an uncal, rate or cal file, or an association."
        )
    exp_type = str(header.get("EXP_TYPE", "")).strip().upper()
    instrument = str(header.get("INSTRUME", "")).strip().upper()
    series = bool(header.get("TSOVISIT", False)) or exp_type in TIME_SERIES
    return Subject(path, product_suffix(path, header), exp_type, instrument, series)


def next_pipeline(subject: Subject) -> str:
    """Return the alias of the pipeline that takes a product on.

    Raises
    ------
    JvizError
        When there is none for its level.
    """
    exp_type = subject.exp_type
    if subject.suffix == "asn":
        if exp_type in ASSOCIATED:
            return ASSOCIATED[exp_type]
        raise JvizError(f"{subject.path.name} has the type {exp_type!r}; known ones are {', '.join(ASSOCIATED)}.")
    if subject.suffix in FIRST:
        if exp_type in GUIDING:
            return "calwebb_guider"
        return "calwebb_dark" if "DARK" in exp_type else "calwebb_detector1"
    if subject.suffix in SECOND:
        return "calwebb_spec2" if exp_type in SPECTRAL else "calwebb_image2"
    if subject.suffix in THIRD:
        return _third(subject)
    raise JvizError(
        f"{subject.path.name} is of {f'the kind {subject.suffix}' if subject.suffix else 'no known level'}, which no "
        "pipeline takes on: they take uncal, rate, rateints, cal and calints files and associations. Name a "
        "pipeline, or run a single step."
    )


def chain_of(subject: Subject) -> list[str]:
    """Return the aliases of all pipelines that lie between a product and its last level."""
    chain = [next_pipeline(subject)]
    if chain[0] == "calwebb_detector1":
        chain.append("calwebb_spec2" if subject.exp_type in SPECTRAL else "calwebb_image2")
    if chain[-1] in ("calwebb_image2", "calwebb_spec2"):
        chain.append(_third(subject))
    return chain


def _third(subject: Subject) -> str:
    if subject.exp_type == "NIS_AMI":
        return "calwebb_ami3"
    if subject.exp_type in CORONAGRAPHIC:
        return "calwebb_coron3"
    if subject.exp_type == "NRC_WFSC" or subject.exp_type.endswith("_WFSC"):
        return "calwebb_wfs-image3"
    if subject.is_time_series:
        return "calwebb_tso3"
    return "calwebb_spec3" if subject.exp_type in SPECTRAL else "calwebb_image3"


def header_of(path: Path) -> Mapping[str, Any]:
    """Return the primary header of a FITS file.

    Raises
    ------
    JvizError
        When it cannot be read.
    """
    from astropy.io import fits

    try:
        return fits.getheader(path, 0)
    except FileNotFoundError as error:
        raise JvizError(f"{path} is not there, so it cannot be calibrated.") from error
    except (OSError, ValueError) as error:
        raise JvizError(f"{path.name} cannot be calibrated: it is no FITS file that can be read ({error}).") from error


def _association(path: Path) -> Subject:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        products = content["products"]
        members = [str(m["expname"]) for product in products for m in product["members"]]
    except FileNotFoundError as error:
        raise JvizError(f"{path} is not there, so it cannot be calibrated.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JvizError(f"{path.name} is no association: {error or type(error).__name__}. It needs products with "
                        "members, each with expname and exptype.") from error  # fmt: skip
    missing = [name for name in members if not (path.parent / name).is_file()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise JvizError(f"{path.name} names files that are not beside it: {', '.join(missing[:3])}{more}. Bring them "
                        "there, or take them out of the association.")  # fmt: skip
    header = header_of(path.parent / members[0]) if members else {}
    instrument, kind = (str(header.get(key, "")).strip().upper() for key in ("INSTRUME", "EXP_TYPE"))
    return Subject(path, "asn", str(content.get("asn_type", "")).lower(), instrument, members=tuple(members),
                   member_type=kind)  # fmt: skip

"""Which pipelines a product goes through next, by its exposure type, level and suffix."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jviz.backend.associations.model import parsed, read_content, write_association
from jviz.backend.calibration.roads import ALWAYS_SERIES, MAY_BE_SERIES, ROADS, Road, road_of
from jviz.errors import JvizError

__all__ = ["Subject", "chain_of", "check_pairs", "header_of", "linked", "next_pipeline", "strict", "subject_of",
           "third_of"]  # fmt: skip

SPECTRAL = frozenset((*(kind for kind, road in ROADS.items() if road.is_spectral), "NRC_GRISM"))
TIME_SERIES = frozenset(("NRC_TSIMAGE", "NRC_TSGRISM", "NRS_BRIGHTOBJ", "MIR_LRS-SLITLESS"))
CORONAGRAPHIC = frozenset(("NRC_CORON", "MIR_LYOT", "MIR_4QPM"))

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
    is_mirrored : bool
        Whether NIRSpec had its mirror in, not a grating.
    is_sensing : bool
        Whether it is one of a pair of wavefront sensing.
    is_loose : bool
        Whether an association is no strict JSON, which the pipelines read alone.
    """

    path: Path
    suffix: str
    exp_type: str
    instrument: str
    is_time_series: bool = False
    members: tuple[str, ...] = ()
    member_type: str = ""
    is_mirrored: bool = False
    is_sensing: bool = False
    is_loose: bool = False

    @property
    def kind(self) -> str:
        """EXP_TYPE of what is calibrated; of an association that of its members."""
        return self.member_type or self.exp_type

    @property
    def road(self) -> Road:
        """The pipelines that such exposures go through."""
        return road_of(self.kind, mirror=self.is_mirrored, sensing=self.is_sensing)

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
    return Subject(path, product_suffix(path, header), exp_type, instrument, _is_series(exp_type, header),
                   **_special(header))  # fmt: skip


def _is_series(exp_type: str, header: Mapping[str, Any]) -> bool:
    """Return whether an exposure is a time series: by its type, or by TSOVISIT where the type leaves that open."""
    if exp_type in ALWAYS_SERIES:
        return True
    # Headers without the keyword: these types are time series as a rule.
    return bool(header.get("TSOVISIT", exp_type in ("NIS_SOSS", "MIR_LRS-SLITLESS")))


def _special(header: Mapping[str, Any]) -> dict[str, bool]:
    words = {key: str(header.get(key, "") or "").strip().upper() for key in ("GRATING", "PATTTYPE")}
    return {"is_mirrored": words["GRATING"] == "MIRROR", "is_sensing": words["PATTTYPE"] == "WFSC"}


def next_pipeline(subject: Subject) -> str:
    """Return the alias of the pipeline that takes a product on.

    Raises
    ------
    JvizError
        When there is none for its level.
    """
    if subject.suffix == "asn":
        return _of_association(subject)
    road = subject.road
    if subject.suffix in FIRST:
        return road.first
    if subject.suffix in (*SECOND, *THIRD):
        found = road.second if subject.suffix in SECOND else third_of(subject)
        if found:
            return found
        level = "2" if subject.suffix in SECOND else "3"
        raise JvizError(
            f"{subject.path.name} is of the type {subject.exp_type}{_no_series(subject)}, which no pipeline of level "
            f"{level} takes on. Name a pipeline yourself, or run a single step."
        )
    raise JvizError(
        f"{subject.path.name} is of {f'the kind {subject.suffix}' if subject.suffix else 'no known level'}, which no "
        "pipeline takes on: they take uncal, rate, rateints, cal and calints files and associations. Name a "
        "pipeline, or run a single step."
    )


def _of_association(subject: Subject) -> str:
    """Return the pipeline that the type of an association names, or that its members go through."""
    if subject.exp_type in ASSOCIATED:
        return ASSOCIATED[subject.exp_type]
    if subject.exp_type in ("", "none", "user_built") and subject.members:
        # asn_from_list writes no type.
        return next_pipeline(subject_of(subject.path.parent / subject.members[0]))
    raise JvizError(f"{subject.path.name} has the type {subject.exp_type!r}; known ones are {', '.join(ASSOCIATED)}.")


def chain_of(subject: Subject) -> list[str]:
    """Return the aliases of all pipelines that lie between a product and its last level."""
    chain = [next_pipeline(subject)]
    if subject.suffix == "asn":
        of_second = chain[0] in ("calwebb_image2", "calwebb_spec2") and bool(subject.members)
        # What the members of a level 2 association become goes on together.
        members = subject.path.parent / subject.members[0] if of_second else None
        return [*chain, *filter(None, [third_of(subject_of(members))])] if members is not None else chain
    if subject.suffix in FIRST:
        chain.append(subject.road.second)
    if subject.suffix in (*FIRST, *SECOND) and subject.road.second:
        chain.append(third_of(subject))
    return [name for name in chain if name]


def third_of(subject: Subject) -> str:
    """Return the alias of the pipeline of level 3 that exposures like this one go through, "" for none."""
    series = subject.is_time_series and subject.exp_type in MAY_BE_SERIES
    return subject.road.series if series else subject.road.third


def _no_series(subject: Subject) -> str:
    """Say that an exposure is no time series where that matters."""
    return ", and no time series" if subject.road.series and not subject.is_time_series else ""


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
    content, notes = read_content(path)
    association = parsed(content, path.name)
    members = tuple(member.expname for member in association.members)
    missing = [name for name in members if not (path.parent / name).is_file()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise JvizError(f"{path.name} names files that are not beside it: {', '.join(missing[:3])}{more}. Bring them "
                        "there, or take them out of the association.")  # fmt: skip
    header = header_of(path.parent / members[0]) if members else {}
    instrument, kind = (str(header.get(key, "")).strip().upper() for key in ("INSTRUME", "EXP_TYPE"))
    return Subject(path, "asn", association.asn_type.lower(), instrument, members=members, member_type=kind,
                   is_loose=bool(notes))  # fmt: skip


def check_pairs(subjects: Sequence[Subject]) -> None:
    """Refuse what is no pair of exposures: wavefront sensing combines two into one, and looks at no others.

    Parameters
    ----------
    subjects : sequence of Subject
        Associations, whose products have to be pairs each, or the two exposures.

    Raises
    ------
    JvizError
        When there are more exposures, or fewer.
    """
    counts = {}
    if all(subject.suffix == "asn" for subject in subjects):
        for subject in subjects:
            for product in parsed(read_content(subject.path)[0], subject.path.name).products:
                counts[f"{product.name} of {subject.path.name}"] = sum(m.exptype == "science" for m in product.members)
    else:
        counts["the input"] = len(subjects)
    for name, count in counts.items():
        if count != 2:
            raise JvizError(f"Wavefront sensing combines pairs, and {name} has {count} science exposure"
                            f"{'' if count == 1 else 's'}. Give two calibrated exposures of one activity.")  # fmt: skip


def strict(subject: Subject, folder: Path) -> Subject:
    """Return an association that the pipelines can read: one with commas too many is written anew, beside its members.

    Parameters
    ----------
    folder : Path
        Where the new one goes, with links to the members.
    """
    if not subject.is_loose:
        return subject
    content, _ = read_content(subject.path)
    for product in content["products"]:
        for member in product["members"]:
            path = (subject.path.parent / member["expname"]).absolute()
            member["expname"] = path.name
            linked(path, folder / path.name)
    copy = write_association(folder / subject.path.name, parsed(content, subject.path.name))
    return replace(subject, path=copy)


def linked(path: Path, link: Path) -> None:
    """Put a file into a folder under its own name, without another copy of it where that can be had."""
    if link.exists():
        return
    try:
        link.symlink_to(path)
    except OSError:
        shutil.copyfile(path, link)

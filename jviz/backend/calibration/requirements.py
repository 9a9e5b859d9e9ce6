"""Whether pipelines and steps can work on what they are given: what they cannot is refused before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jviz.backend.associations.model import parsed, read_content
from jviz.backend.calibration.registry import SECOND, THIRD, Subject, check_pairs, header_of, next_pipeline, subject_of
from jviz.backend.calibration.roads import ROADS
from jviz.errors import JvizError

__all__ = ["check_inputs", "check_step", "check_unused", "role_of"]

RAW = ("calwebb_detector1", "calwebb_dark", "calwebb_guider")
"""Pipelines of the first level."""

NEEDS = {
    **dict.fromkeys(RAW, ("raw exposures (uncal)", ("uncal", "ramp"))),
    "calwebb_image2": ("slopes (rate or rateints)", SECOND),
    "calwebb_spec2": ("slopes (rate or rateints)", SECOND),
    "calwebb_image3": ("calibrated exposures (cal)", ("cal", "crf")),
    "calwebb_spec3": ("calibrated exposures (cal or calints)", THIRD),
    "calwebb_tso3": ("calibrated integrations (calints)", ("calints", "crfints")),
    "calwebb_coron3": ("calibrated exposures (cal or calints)", THIRD),
    "calwebb_ami3": ("calibrated exposures (cal or calints)", THIRD),
    "calwebb_wfs-image3": ("calibrated exposures (cal)", ("cal", "crf")),
}
"""What a pipeline works on, in words and as suffixes."""

IN_PAIRS = ("calwebb_coron3",)
"""What makes nothing without exposures of a reference star."""

INDISPENSABLE = {
    "jump": ("gain", "readnoise"), "ramp_fit": ("gain", "readnoise"), "assign_wcs": ("distortion",),
    "source_catalog": ("apcorr", "abvegaoffset"), "ami_analyze": ("nrm", "throughput"),
}  # fmt: skip
"""Types without which a step of jwst fails; all others do without one that is declared unused."""

ONE_PRODUCT = ("calwebb_image3", "calwebb_spec3", "calwebb_tso3", "calwebb_coron3", "calwebb_ami3")
"""What makes the first product of an association alone."""

ON_SLOPES = ("gain_scale", "clean_flicker_noise", "picture_frame")
"""Steps of the first level that work on slopes, too."""

ON_RAMPS = ("assign_wcs",)
"""Steps of later levels that those of the first one need, too."""


def check_inputs(names: Sequence[str], subjects: Sequence[Subject]) -> list[tuple[str, Mapping[str, Any]]]:
    """Refuse inputs that the pipelines cannot work on.

    Parameters
    ----------
    names : sequence of str
        Aliases of the pipelines, in their order: the level counts for the first one, the type for all.
    subjects : sequence of Subject
        Exposures and associations.

    Returns
    -------
    list of (str, mapping)
        Names and primary headers of the exposures.

    Raises
    ------
    JvizError
        Names the pipeline and the file, says why, and what to do.
    """
    exposures = [(subject, role, header) for given in subjects for subject, role, header in _exposures(given)]
    for name in names:
        if name == names[0]:
            _check_level(name, [subject for subject, _, _ in exposures])
        for subject, role, header in exposures:
            if role in ("science", "psf"):
                _check_type(name, subject, header)
        if name in IN_PAIRS:
            _check_star(name, subjects, {role for _, role, _ in exposures})
        if name == "calwebb_wfs-image3":
            check_pairs(subjects)
        elif name in ONE_PRODUCT:
            for subject in subjects:
                _check_products(name, subject)
    return [(subject.path.name, header) for subject, _, header in exposures]


def role_of(header: Mapping[str, Any]) -> str:
    """Return the role of an exposure in an association: ``"psf"`` when it is of a reference star."""
    is_star = str(header.get("IS_PSF", "") or "").strip().upper() in ("T", "TRUE", "YES", "Y")
    return "psf" if is_star else "science"


def _exposures(subject: Subject) -> Iterable[tuple[Subject, str, Mapping[str, Any]]]:
    """Yield exposures, their roles and primary headers: of an association those that are calibrated."""
    if subject.suffix != "asn":
        header = header_of(subject.path)
        yield subject, role_of(header), header
        return
    association = parsed(read_content(subject.path)[0], subject.path.name)
    roles = {member.expname: member.exptype.lower() for member in association.members}
    for name, role in roles.items():
        if role in ("science", "psf"):
            path = subject.path.parent / name
            header = header_of(path)
            yield subject_of(path, header), role, header


def _check_level(name: str, subjects: Iterable[Subject]) -> None:
    if name not in NEEDS:
        return
    words, suffixes = NEEDS[name]
    for subject in subjects:
        if subject.suffix and subject.suffix not in suffixes:
            raise JvizError(f"{name} needs {words}, and {subject.path.name} is of the kind {subject.suffix}. Give "
                            f"such exposures{_instead(subject)}.")  # fmt: skip


def _instead(subject: Subject) -> str:
    try:
        return f", or run {next_pipeline(subject)} on this one"
    except JvizError:
        return ""


def _check_type(name: str, subject: Subject, header: Mapping[str, Any]) -> None:
    kind, road = subject.kind, subject.road
    if kind not in ROADS:  # nobody knows better than the user
        return
    if name in RAW and "calwebb_guider" in (name, road.first) and name != road.first:
        _refuse(name, "exposures for guiding" if name == "calwebb_guider" else "exposures of science", subject,
                road.first)  # fmt: skip
    if name in ("calwebb_spec2", "calwebb_spec3") and not road.is_spectral:
        _refuse(name, "spectra", subject, road.second if name.endswith("2") else road.third)
    if name in ("calwebb_image2", "calwebb_image3") and road.is_spectral:
        _refuse(name, "images", subject, road.second if name.endswith("2") else road.third)
    if name == "calwebb_coron3" and road.third != name:
        _refuse(name, "coronagraphic exposures", subject, road.third)
    if name == "calwebb_ami3" and kind != "NIS_AMI":
        _refuse(name, "exposures through the non-redundant mask of NIRISS", subject, road.third)
    if name == "calwebb_tso3":
        _check_series(name, subject, header)


def _check_series(name: str, subject: Subject, header: Mapping[str, Any]) -> None:
    """Refuse what jwst takes for no time series: by type and TSOVISIT, and with one integration alone."""
    if not subject.is_time_series:
        other = subject.road.third
        raise JvizError(f"{name} works on time series, and {subject.path.name} ({subject.kind}) is none: its TSOVISIT "
                        f"is not true. {f'Run {other} on it' if other else 'Give a time series'}.")  # fmt: skip
    if header.get("NINTS") == 1:
        raise JvizError(f"{name} works on time series, and {subject.path.name} has one integration alone (NINTS). Give "
                        "all segments of an exposure with several.")  # fmt: skip


def _refuse(name: str, words: str, subject: Subject, other: str) -> None:
    raise JvizError(f"{name} works on {words}, and {subject.path.name} is of the type {subject.kind} (EXP_TYPE). "
                    f"{f'Run {other} on it' if other else 'Give other exposures'}.")  # fmt: skip


def _check_star(name: str, subjects: Sequence[Subject], roles: set[str]) -> None:
    words = {"psf": "reference star", "science": "target"}
    missing = next((words[role] for role in words if role not in roles), "")
    if missing:
        what = subjects[0].path.name if len(subjects) == 1 else f"none of these {len(subjects)} files"
        lacks = f"{what} has none of a {missing}" if len(subjects) == 1 else f"{what} is of a {missing}"
        raise JvizError(f"{name} needs exposures of a target and of a reference star (role psf; IS_PSF in headers), "
                        f"and {lacks}. Make an association of both in the panel Associations.")  # fmt: skip


def check_unused(kind: str, steps: Iterable[str], subject: Subject) -> None:
    """Refuse to declare a type unused that one of the steps cannot do without.

    Raises
    ------
    JvizError
        Names the step.
    """
    for step in steps:
        if kind in INDISPENSABLE.get(step, ()) and not (step == "assign_wcs" and subject.instrument == "NIRSPEC"):
            raise JvizError(f"The step {step} cannot do without a reference of the type {kind}, which was declared "
                            "unused (N/A); give a file, or take that away for the best one.")  # fmt: skip


def _check_products(name: str, subject: Subject) -> None:
    """Refuse associations of which a pipeline would leave products out, and say nothing."""
    if subject.suffix != "asn":
        return
    products = parsed(read_content(subject.path)[0], subject.path.name).products
    if len(products) > 1:
        raise JvizError(f"{name} makes one product, and {subject.path.name} has {len(products)} "
                        f"({', '.join(product.name for product in products[:3])}{' …' if len(products) > 3 else ''}). "
                        "Write an association for each.")  # fmt: skip


def check_step(name: str, pipelines: Iterable[str], subject: Subject) -> None:
    """Refuse a step that is run alone on a product of another level.

    Parameters
    ----------
    name : str
        Of the step.
    pipelines : iterable of str
        Aliases of those that have it.

    Raises
    ------
    JvizError
        Names the step and the file.
    """
    levels = {pipeline in RAW for pipeline in pipelines}
    is_ramp = subject.suffix in ("uncal", "ramp")
    if levels == {True} and not is_ramp and name not in ON_SLOPES and subject.suffix in _later():
        needs = "ramps (uncal or ramp)"
    elif levels == {False} and is_ramp and name not in ON_RAMPS:
        needs = "slopes or calibrated exposures (rate, cal)"
    else:
        return
    raise JvizError(f"The step {name} works on {needs}, and {subject.path.name} is of the kind {subject.suffix}. Give "
                    "such a file, or choose another step.")  # fmt: skip


def _later() -> frozenset[str]:
    """Return the suffixes of what has no ramps any more."""
    return frozenset((*SECOND, *THIRD, "i2d", "s2d", "s3d", "x1d", "x1dints", "c1d", "psfsub", "asn"))

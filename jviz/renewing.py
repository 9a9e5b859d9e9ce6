"""Products that newer reference files or pipelines would change: what each is to be made of again, and how far."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.calibration import registry
from jviz.backend.calibration.environment import jwst_version, newer_software
from jviz.backend.calibration.runs import read_record
from jviz.backend.calibration.steps import Catalogue, Pipeline
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError
from jviz.references import products_of, rules_for, stale

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Renewal", "done_before", "renewals"]

EXPOSURE = re.compile(r"jw\d{11}_\d{5}_\d{5}(-seg\d{3})?_[a-z0-9]+$", re.IGNORECASE)
"""Beginning of the name of a product of one exposure; others are combined of several."""

OF_FIRST = ("rate", "rateints", "ramp", "dark")
"""Suffixes of what the pipelines of level 1 make; what comes after them is of level 2."""


@dataclass(frozen=True)
class Renewal:
    """One product that is out of date.

    Attributes
    ----------
    product : str
        Its path, or name.
    why : tuple of str
        Types of reference files that would be others, and "software".
    source : Path or None
        What it is made of again.
    pipelines : tuple of str
        Those that lead there.
    problem : str
        Why it cannot be made again, "" when it can.
    """

    product: str
    why: tuple[str, ...]
    source: Path | None = None
    pipelines: tuple[str, ...] = field(default_factory=tuple)
    problem: str = ""


def renewals(
    session: Session, catalogue: Catalogue, context: str | None = None, progress: Progress = silent
) -> list[Renewal]:
    """Return what of the session and of the library is out of date, and from which file it is made again.

    Raises
    ------
    JvizError
        When the rules are not on this machine.
    """
    rules = rules_for(None, context)
    asked = rules.context(context)
    found = []
    for product, header in products_of(session, progress):
        try:
            changed = [row.kind for row in stale(header, asked, rules)]
        except JvizError as error:
            found.append(Renewal(product, (), problem=str(error)))
            continue
        if newer_software(header):
            changed.append("software")
        if changed:
            found.append(_planned(session, catalogue, product, header, changed))
    return found


def _planned(
    session: Session, catalogue: Catalogue, product: str, header: Mapping[str, Any], why: Sequence[str]
) -> Renewal:
    """Say from which file a product is made again: the latest one that none of the changes touches."""
    path, given = Path(product), tuple(why)
    if not path.is_file():
        return Renewal(product, given, problem="it is in no file")
    subject = registry.subject_of(path, header)
    if not EXPOSURE.match(subject.root):
        return Renewal(product, given, problem="it is combined of several exposures; calibrate these anew, and then "
                                               "their association")  # fmt: skip
    road = subject.road
    levels = [road.first] if subject.suffix in OF_FIRST else [name for name in (road.first, road.second) if name]
    early = {"software", *_read(catalogue.pipelines[road.first], header)}
    if len(levels) == 2 and early.isdisjoint(why):
        slopes = ("rateints", "rate") if subject.is_time_series else ("rate", "rateints")
        source = _source(session, subject, slopes)
        if source is not None:
            return Renewal(product, given, source, (levels[1],))
    source = _source(session, subject, ("uncal",))
    if source is None:
        return Renewal(product, given, problem=f"{subject.root}_uncal.fits is neither beside it nor in the library")
    return Renewal(product, given, source, tuple(levels))


def _read(pipeline: Pipeline, header: Mapping[str, Any]) -> set[str]:
    """Return the types of reference files that a product took on its way through a pipeline."""
    found: set[str] = set()
    for step in pipeline.steps:
        state = str(header.get(step.keyword, "") or "").strip() if step.keyword else ""
        usual = not next((param.default for param in step.params if param.name == "skip"), False)
        if state == "COMPLETE" or (not state and usual):
            found |= set(step.references)
    return found


def _source(session: Session, subject: registry.Subject, suffixes: Sequence[str]) -> Path | None:
    """Return the file of an exposure with one of some suffixes: beside it, where its run took it, or in the library."""
    inputs = [Path(each["path"]) for each in read_record(subject.path.parent).get("inputs", ())]
    for suffix in suffixes:
        name = f"{subject.root}_{suffix}.fits"
        beside = [subject.path.parent / name, *(path for path in inputs if path.name == name)]
        rows = session.archives.library.ask("SELECT path FROM file WHERE state = 'present' AND name = ?", (name,))
        for path in (*beside, *(Path(row["path"]) for row in rows)):
            if path.is_file():
                return path
    return None


def done_before(session: Session, context: str) -> dict[str, str]:
    """Return the files that are being calibrated, or were with a context by the installed pipelines; and which."""
    found = {}
    for entry in session.calibrations.queue.entries("done", "queued", "running"):
        inputs = entry.request.get("inputs", ())
        if len(inputs) != 1 or "only" in entry.request or "until" in entry.request:
            continue
        if entry.state != "done":
            found[inputs[0]] = "in the queue already"
            continue
        record = read_record(Path(entry.folder))
        made_by = record.get("versions", {}).get("jwst")
        if record.get("context") == context and made_by == jwst_version():
            found[inputs[0]] = f"made anew in {entry.folder}"
    return found

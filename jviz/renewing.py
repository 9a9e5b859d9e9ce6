"""Products that newer reference files or pipelines would change: what each is to be made of again, and how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.associations.model import Association
from jviz.backend.calibration import registry
from jviz.backend.calibration.environment import jwst_version, newer_software
from jviz.backend.calibration.runs import read_record
from jviz.backend.calibration.steps import Catalogue, Pipeline
from jviz.backend.progress import Progress, silent
from jviz.calibration_members import EXPOSURE, MadeAnew, association_at, file_named, root_of, source_of
from jviz.errors import JvizError
from jviz.lost_associations import listed_exposures, remade_association
from jviz.references import products_of, rules_for, stale

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Done", "Renewal", "done_before", "renewals"]

Known = dict[tuple[Path, int], tuple[tuple[str, ...], str]]
"""By association and first level that changes touch: the pipelines, and why there are none."""

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
    members : tuple of str
        Exposures that are made anew with it, of an association.
    """

    product: str
    why: tuple[str, ...]
    source: Path | None = None
    pipelines: tuple[str, ...] = field(default_factory=tuple)
    problem: str = ""
    members: tuple[str, ...] = ()


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
    found: list[Renewal] = []
    known: Known = {}
    for product, header in products_of(session, progress):
        try:
            changed = [row.kind for row in stale(header, asked, rules)]
        except JvizError as error:
            found.append(Renewal(product, (), problem=str(error)))
            continue
        if newer_software(header):
            changed.append("software")
        if changed:
            found.append(_planned(session, catalogue, product, header, changed, known))
    return found


def _planned(
    session: Session, catalogue: Catalogue, product: str, header: Mapping[str, Any], why: Sequence[str],
    known: Known,
) -> Renewal:  # fmt: skip
    """Say from which file a product is made again: the latest one that none of the changes touches."""
    path, given = Path(product), tuple(why)
    if not path.is_file():
        return Renewal(product, given, problem="it is in no file")
    subject = registry.subject_of(path, header)
    if not EXPOSURE.fullmatch(subject.root):
        return _combined(session, catalogue, subject, header, given, known)
    road = subject.road
    levels = [road.first] if subject.suffix in OF_FIRST else [name for name in (road.first, road.second) if name]
    if len(levels) == 2 and _first_touched(catalogue, road, header, why) > 1:
        slopes = ("rateints", "rate") if subject.is_time_series else ("rate", "rateints")
        source = source_of(session, subject.root, path, slopes)
        if source is not None:
            return Renewal(product, given, source, (levels[1],))
    source = source_of(session, subject.root, path, ("uncal",))
    if source is None:
        return Renewal(product, given, problem=f"{subject.root}_uncal.fits is neither beside it nor in the library")
    return Renewal(product, given, source, tuple(levels))


def _first_touched(catalogue: Catalogue, road: registry.Road, header: Mapping[str, Any], why: Sequence[str]) -> int:
    """Return the first level that the changes touch: 1, 2, or 3 for what neither of the lower ones reads."""
    for level, name in ((1, road.first), (2, road.second)):
        touched = _read(catalogue.pipelines[name], header) if name else set()
        if not ({"software"} | touched).isdisjoint(why):
            return level
    return 3


def _combined(
    session: Session, catalogue: Catalogue, subject: registry.Subject, header: Mapping[str, Any], why: tuple[str, ...],
    known: Known,
) -> Renewal:  # fmt: skip
    """Say how a product of several exposures is made again: by its association, of members that are made anew."""
    product = str(subject.path)
    try:
        path = _association_of(session, subject, header)
        content = association_at(path)
        third = registry.ASSOCIATED.get(content.asn_type.lower()) or registry.third_of(subject)
        if not third:
            raise JvizError(f"no pipeline of level 3 takes exposures of the type {subject.kind}")
        every = tuple(filter(None, (subject.road.first, subject.road.second, third)))
        begin = _first_touched(catalogue, subject.road, header, why)
        if (path, begin) not in known:  # all that one association makes asks the same
            known[path, begin] = _begun(session, path, content, every, begin)
        pipelines, problem = known[path, begin]
        members = tuple(dict.fromkeys(root_of(member.expname) for member in content.members))
        return Renewal(product, why, None if problem else path, pipelines, problem, members)
    except JvizError as error:
        return Renewal(product, why, problem=str(error).rstrip("."))


def _begun(
    session: Session, path: Path, content: Association, every: tuple[str, ...], begin: int
) -> tuple[tuple[str, ...], str]:
    """Return the pipelines from the latest level whose files are all there, or what the level lacks that would do."""
    problem = ""
    for level in range(min(begin, len(every)), 0, -1):
        pipelines = every[level - 1 :]
        try:
            if len(pipelines) > 1:
                MadeAnew(session, [path], pipelines[0])
            else:
                registry.subject_of(path)
        except JvizError as error:
            problem = problem or str(error).rstrip(".")
        else:
            return pipelines, ""
    return (), problem


def _association_of(session: Session, subject: registry.Subject, header: Mapping[str, Any]) -> Path:
    """Return the association that a product names, or one of the exposures that it lists.

    Raises
    ------
    JvizError
        When neither can be had.
    """
    name = str(header.get("ASNTABLE", "") or "").strip()
    if name.lower().endswith(".json") and (found := file_named(session, Path(name).name, subject.path)) is not None:
        return found
    lost = f"its association {name} is neither beside it nor in the library" if name else "it names no association"
    roots = list(dict.fromkeys(root_of(each) for each in listed_exposures(subject.path)))
    if not roots:
        raise JvizError(f"{lost}, and it does not list its exposures; make the association in the panel Associations")
    return remade_association(session, subject, roots, lost)


def _read(pipeline: Pipeline, header: Mapping[str, Any]) -> set[str]:
    """Return the types of reference files that a product took on its way through a pipeline."""
    found: set[str] = set()
    for step in pipeline.steps:
        state = str(header.get(step.keyword, "") or "").strip() if step.keyword else ""
        usual = not next((param.default for param in step.params if param.name == "skip"), False)
        if state == "COMPLETE" or (not state and usual):
            found |= set(step.references)
    return found


@dataclass(frozen=True)
class Done:
    """A file that is being calibrated, or was.

    Attributes
    ----------
    state : str
        In words.
    pipelines : frozenset of str
        Of the run; none stand for the one that takes its input on by itself.
    of_association : bool
    """

    state: str
    pipelines: frozenset[str] = frozenset()
    of_association: bool = False

    def covers(self, pipelines: Sequence[str]) -> bool:
        """Return whether a run through some pipelines would only do the same again."""
        if not self.pipelines:
            return not self.of_association or len(pipelines) == 1
        return set(pipelines) <= self.pipelines


def done_before(session: Session, context: str) -> dict[str, Done]:
    """Return the files that are being calibrated, or were with a context by the installed pipelines."""
    found: dict[str, Done] = {}
    for entry in session.calibrations.queue.entries("done", "queued", "running"):
        inputs = entry.request.get("inputs", ())
        if len(inputs) != 1 or "only" in entry.request or "until" in entry.request:
            continue
        if entry.state != "done":
            given = entry.request.get("pipeline") or ()
            names = frozenset(f"calwebb_{name.removeprefix('calwebb_')}" for name in _listed(given))
            found[inputs[0]] = Done("in the queue already", names, inputs[0].lower().endswith(".json"))
            continue
        record = read_record(Path(entry.folder))
        if record.get("context") == context and record.get("versions", {}).get("jwst") == jwst_version():
            names = frozenset(task["pipeline"] for task in record.get("tasks", ()))
            # The files of the members of an association, too.
            found |= {each["path"]: Done(f"made anew in {entry.folder}", names) for each in record.get("inputs", ())}
    return found


def _listed(given: Any) -> list[str]:
    """Return the names of pipelines that were given; "all" says none."""
    return [name for name in ([given] if isinstance(given, str) else given) if name != "all"]

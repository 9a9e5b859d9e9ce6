"""What can be calibrated next, as a panel shows it: inputs, their pipelines, steps, references, presets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.calibration import registry
from jviz.backend.calibration.environment import own_cache
from jviz.backend.calibration.overrides import check_reference, endings_of, given_references
from jviz.backend.calibration.requirements import check_inputs
from jviz.backend.calibration.status import reference_of
from jviz.backend.calibration.steps import Catalogue, Param, Pipeline, StepInfo
from jviz.data import Data
from jviz.errors import JvizError
from jviz.references import Row, references_of, rules_for

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = [
    "CalibrationChoice", "Param", "StepInfo", "StepRow", "best_references", "calibration_choice", "changed_values",
    "inputs_of", "presets_of", "reference_endings", "reference_problem", "save_preset", "shipped_presets",
]  # fmt: skip


OF_PIPELINE = "Parameters of the pipeline itself."


@dataclass(frozen=True)
class StepRow:
    """One step: what it is, and what the header says became of it.

    Attributes
    ----------
    status : str
        "COMPLETE", "SKIPPED" or "".
    used : dict
        Reference files that the header names, by type.
    is_pipeline : bool
        It is no step, but stands for the parameters of the pipeline itself.
    """

    info: StepInfo
    status: str = ""
    used: dict[str, str] = field(default_factory=dict)
    is_pipeline: bool = False

    @property
    def runs(self) -> bool:
        """Whether the step runs by default."""
        return not next((param.default for param in self.info.params if param.name == "skip"), False)


@dataclass(frozen=True)
class CalibrationChoice:
    """Inputs that go through one pipeline.

    Attributes
    ----------
    inputs : tuple of Data or Path
    pipeline : Pipeline
    usual : str
        Alias of the pipeline that takes them on by itself.
    rows : tuple of StepRow
        In the order in which they run; `all_rows` has the parameters of the pipeline itself as well.
    cache : Path or None
        Of reference files that simulated exposures come with.
    first : Path or None
        File whose header chooses reference files: the first one, of an association its first member.
    problem : str
        Why the pipeline cannot work on them, "" when it can.
    """

    inputs: tuple[Any, ...]
    paths: tuple[Path, ...]
    pipeline: Pipeline
    usual: str
    rows: tuple[StepRow, ...]
    pipelines: tuple[str, ...]
    cache: Path | None = None
    first: Path | None = None
    problem: str = ""

    @property
    def all_rows(self) -> tuple[StepRow, ...]:
        """The steps, and the pipeline itself where it has parameters of its own."""
        params = tuple(param for param in self.pipeline.params if not param.help.startswith("Deprecated"))
        if not params:
            return self.rows
        own = StepInfo(self.pipeline.name.removeprefix("calwebb_"), self.pipeline.class_name, OF_PIPELINE, params)
        return (*self.rows, StepRow(own, is_pipeline=True))

    @property
    def title(self) -> str:
        """Names of the inputs in one line."""
        names = [path.name for path in self.paths]
        return names[0] if len(names) == 1 else f"{len(names)} files, {names[0]} …"


def calibration_choice(
    catalogue: Catalogue, inputs: Sequence[tuple[Any, Path, Mapping[str, Any] | None]], pipeline: str = ""
) -> CalibrationChoice:
    """Look at inputs, in a job: files may be read.

    Parameters
    ----------
    inputs : sequence of (Data or Path, Path, header)
        The header where it was read already.
    pipeline : str
        Instead of the one that takes them on.

    Raises
    ------
    JvizError
        When they are no JWST products, or no pipeline takes them on and none is named.
    """
    subjects = [registry.subject_of(path, header) for _, path, header in inputs]
    try:
        usual = registry.next_pipeline(subjects[0])
    except JvizError:
        if not pipeline:
            raise
        usual = ""
    usual = usual if usual in catalogue.names else ""
    found = catalogue.pipeline(pipeline or usual or "calwebb_image3")
    header = next((header for _, _, header in inputs if header is not None), None)
    if header is None or subjects[0].suffix == "asn":
        first = _first_file(subjects[0])
        header = registry.header_of(first) if first is not None else {}
    rows = tuple(_row(step, header) for step in found.ordered(subjects[0].instrument, subjects[0].kind))
    return CalibrationChoice(tuple(given for given, _, _ in inputs), tuple(path for _, path, _ in inputs), found, usual,
                             rows, catalogue.names, own_cache(inputs[0][1]), _first_file(subjects[0]),
                             _problem(found, subjects))  # fmt: skip


def _problem(pipeline: Pipeline, subjects: Sequence[registry.Subject]) -> str:
    try:
        check_inputs([pipeline.name], subjects)
    except JvizError as error:
        return str(error)
    return ""


def _first_file(subject: registry.Subject) -> Path | None:
    """Return the file whose header counts: of an association its first member, None when it has none."""
    if subject.suffix != "asn":
        return subject.path
    return subject.path.parent / subject.members[0] if subject.members else None


def _row(step: StepInfo, header: Mapping[str, Any]) -> StepRow:
    status = str(header.get(step.keyword, "") or "").strip() if step.keyword else ""
    used = {kind: name for kind in step.references if (name := reference_of(header, kind))}
    return StepRow(step, status, used)


def best_references(choice: CalibrationChoice) -> dict[str, Row]:
    """Return what the rules of CRDS choose for the first input, by type; reads mappings from the disk.

    Raises
    ------
    JvizError
        When the rules are not on this machine.
    """
    kinds, path = list(choice.pipeline.references), choice.first
    if not kinds or path is None:
        return {}
    _, rows = references_of(registry.header_of(path), path.name, None, kinds=kinds, everything=True,
                            rules=rules_for(path))  # fmt: skip
    return {row.kind: row for row in rows}


def reference_problem(choice: CalibrationChoice | None, kind: str, path: str) -> str:
    """Return why a file cannot be a reference of a type for the first input, "" when it can; reads files.

    Parameters
    ----------
    path : str
        Of the file, "N/A", or "" for the best one.
    """
    first = choice.first if choice is not None else None
    try:
        exposures = [(first.name, registry.header_of(first))] if first is not None else []
        for kept in given_references({kind: path} if path else {}).values():
            check_reference(kind, kept, exposures)
    except JvizError as error:
        return str(error)
    return ""


def reference_endings(kind: str) -> tuple[str, ...]:
    """Return the endings that names of references of a type may have, those of packed ones whole."""
    return tuple(ending if ending != ".gz" else ".fits.gz" for ending in endings_of(kind))


def changed_values(step: StepInfo, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of parameters that are not the defaults, checked.

    Raises
    ------
    JvizError
        For the first that cannot be.
    """
    checked = step.checked(values)
    return {name: value for name, value in checked.items() if value != step.param(name).default}


# --- presets --------------------------------------------------------------------------------------

FEW_STARS = {"tweakreg": {
    "starfinder": "dao", "sharplo": 0.2, "sharphi": 1.0, "roundlo": -1.0, "roundhi": 1.0, "minobj": 4,
    "fitgeometry": "shift", "searchrad": 0.4, "tolerance": 0.1, "separation": 0.15,
}}  # fmt: skip
"""For small fields, whose exposures err by less than 0.4 arcsec: tweakreg wants fifteen round stars by default, and
stars that it takes for the same may be nearer to each other than its search reaches."""

SHIPPED = {"calwebb_image3": {"Few Stars": FEW_STARS}}


def shipped_presets(pipeline: str) -> dict[str, dict[str, Any]]:
    """Return the presets that jviz brings for a pipeline: parameters by step, by name."""
    return dict(SHIPPED.get(pipeline, {}))


def presets_of(session: Session, pipeline: str) -> dict[str, dict[str, Any]]:
    """Return the user's presets of a pipeline: parameters by step, by name."""
    return dict(session.settings["calibration.presets"].get(pipeline, {}))


def save_preset(session: Session, pipeline: str, name: str, steps: Mapping[str, Any] | None) -> None:
    """Keep parameters under a name; None takes it away."""
    kept = session.settings["calibration.presets"]
    mine = kept.setdefault(pipeline, {})
    if steps is None:
        mine.pop(name, None)
    else:
        mine[name] = _without_none(steps)
    session.settings["calibration.presets"] = kept


def _without_none(value: Any) -> Any:
    """Return values as a settings file can hold them."""
    if isinstance(value, Mapping):
        return {str(name): _without_none(inside) for name, inside in value.items()}
    return "None" if value is None else value


def inputs_of(things: Sequence[Any]) -> list[tuple[Any, Path, Mapping[str, Any] | None]]:
    """Return what `calibration_choice` takes of data and paths; data that are in no file are left out."""
    found: list[tuple[Any, Path, Mapping[str, Any] | None]] = []
    for thing in things:
        if isinstance(thing, Data):
            if thing.path is not None:
                found.append((thing, thing.path, thing.header))
        else:
            found.append((Path(thing), Path(thing), None))
    return found

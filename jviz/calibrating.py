"""Calibrations made: what was asked becomes stages of tasks, which workers do into a folder of the run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.calibration import budget, registry, requirements, runs
from jviz.backend.calibration.environment import check_rules, own_cache
from jviz.backend.calibration.overrides import NOTHING, check_reference
from jviz.backend.calibration.products import THIRD_LEVEL, main_products, next_subjects, product_name
from jviz.backend.calibration.registry import Subject
from jviz.backend.calibration.steps import Catalogue, Pipeline, StepInfo
from jviz.backend.progress import Cancelled
from jviz.calibration_members import MadeAnew, is_made_anew
from jviz.calibration_stream import Stream
from jviz.calibrations import LiveRun
from jviz.data import Data
from jviz.errors import CommandError, JvizError
from jviz.jobs import Job

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Request", "calibrated", "exported", "imported", "paths_of"]

@dataclass
class Request:
    """What is to be calibrated, and how: the arguments of ``calibration.run``."""

    inputs: list[Path]
    pipeline: str | list[str] | None = None
    steps: dict[str, Any] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    context: str | None = None
    folder: Path | None = None
    until: str | None = None
    only: str | None = None
    keep_steps: bool = False
    stream: bool = False
    priority: int = 0

    def as_arguments(self) -> dict[str, Any]:
        """Return the arguments of the command, those by default left out."""
        values = {**vars(self), "inputs": [str(path) for path in self.inputs]}
        values["folder"] = str(self.folder) if self.folder is not None else None
        return {name: value for name, value in values.items() if value not in (None, {}, False, 0)}

    @property
    def line(self) -> tuple[str, dict[str, Any]]:
        """Id and arguments of the command that repeats it."""
        given = self.as_arguments()
        if (step := given.pop("only", None)) is None:
            return "calibration.run", given
        overrides = {f"override_{kind}": path for kind, path in self.references.items()}
        return "calibration.step", {"data": given["inputs"][0], "step": step, **self.steps.get(step, {}), **overrides}


@dataclass(frozen=True)
class Stage:
    """One pipeline, or one step, that all inputs go through."""

    name: str
    pipeline: Pipeline | None
    step: StepInfo | None


def paths_of(session: Session, inputs: Any) -> list[Path]:
    """Return the files of inputs: data, their names, paths, or a list of them.

    Raises
    ------
    CommandError
        When there are none, or data are not in a file.
    """
    several = inputs if isinstance(inputs, list | tuple) else [inputs]
    if not several:
        raise CommandError("There is nothing to calibrate; give data, files, or an association.")
    found = []
    for each in several:
        each = session[each] if isinstance(each, str) and each in session else each
        path = each.path if isinstance(each, Data) else Path(str(each)).expanduser().absolute()
        if path is None:
            how = "write it with association.write" if each.kind == "association" else "save it as a FITS file"
            raise CommandError(f"{each.name} is in no file, so no pipeline can read it; {how} first.")
        if path not in found:
            found.append(path)
    missing = next((path for path in found if not path.is_file()), None)
    if missing is not None:
        raise CommandError(f"{missing} is not there, so it cannot be calibrated.")
    return found


def calibrated(session: Session, request: Request, job: Job | None) -> tuple[Path, list[Path], LiveRun]:
    """Make a calibration, and wait for it.

    Returns
    -------
    folder : Path
    products : list of Path
        The main products of the last stage.
    run : LiveRun

    Raises
    ------
    JvizError
        Says which step failed on which file; nothing is left but the log in the job.
    Cancelled
        Nothing is left.
    """
    service = session.calibrations
    job = job or service.stand_in("Calibrate")
    name = runs.new_name()
    title = _title(request)
    live = LiveRun(name, title, job)
    service.live.append(live)
    service.queue.add(name, title, request.as_arguments(), request.priority)
    try:
        folder, products = _Calibration(session, request, job, live).made()
    except BaseException as error:
        live.state = "cancelled" if isinstance(error, Cancelled) or job.cancel_wanted else "failed"
        live.error = "" if live.state == "cancelled" else str(error)
        for step in live.steps.values():
            if step["state"] == "running":
                step["state"] = live.state
        service.note(live)
        service.tell(live)
        raise
    live.state, live.folder = "done", folder
    service.note(live)
    service.tell(live)
    return folder, products, live


class _Calibration:
    """One run under way."""

    def __init__(self, session: Session, request: Request, job: Job, live: LiveRun) -> None:
        self._service = service = session.calibrations
        self._request, self._job, self._live = request, job, live
        self._catalogue = service.catalogue(job)
        self._anew = _made_anew(session, request)
        paths = request.inputs if self._anew is None else self._anew.sources
        self._subjects = [registry.subject_of(path) for path in paths]
        self._cache = _cache_of(request.inputs)
        self._stages = _stages(request, self._subjects, self._catalogue)
        _check(request, self._stages, self._subjects, self._catalogue)
        self._run = runs.Run(live.id, live.title, references=dict(request.references))
        self._total, self._done = 0.0, 0.0
        self._stopped = False
        self._stream = Stream(session) if request.stream else None

    def made(self) -> tuple[Path, list[Path]]:
        request, parent = self._request, self._request.folder or self._service.folder()
        environment = self._service.environment(request.context, self._cache)
        self._run.environment = {k: v for k, v in environment.items() if k.startswith("CRDS_")}
        check_rules(environment)
        self._check(parent)
        for path in dict.fromkeys((*request.inputs, *(subject.path for subject in self._subjects))):
            self._job.report(0, 0, f"Reading {path.name}")
            self._run.add_input(path)
        count = min(self._service.places, len(self._subjects))
        self._service.prepare(count, request.context, self._cache)
        with runs.running(parent, self._live.id) as part:
            try:
                products = self._all_stages(part)
            finally:
                if self._stream is not None:
                    self._stream.end()
            self._run.state, self._run.ended = "done", time.time()
            self._settle(part, parent / self._live.id)
            self._run.write(part)
        return parent / self._live.id, [parent / self._live.id / name for name in products]

    def _check(self, parent: Path) -> None:
        first, request = self._stages[0], self._request
        kept = len(first.pipeline.steps) if request.keep_steps and first.pipeline is not None else 0
        needs = [budget.budget_of_all(first.name, _files_of(subject), kept_steps=kept) for subject in self._subjects]
        if needs:
            places = 1 if first.name in THIRD_LEVEL else self._service.places  # those work on all exposures at once
            most = sorted((need.memory for need in needs), reverse=True)[:places]
            if self._service.cluster.is_chosen:
                most = []  # the memory of this machine does not matter
            whole = budget.Budget(sum(most), sum(need.disk for need in needs) * len(self._stages))
            budget.check(whole, parent, what=f"Calibrating {self._live.title}")

    # --- stages ---------------------------------------------------------------------------------

    def _all_stages(self, part: Path) -> list[str]:
        subjects, products = [registry.strict(subject, part) for subject in self._subjects], []
        orders = [len(_order(stage, subjects[0])) for stage in self._stages]
        counts = [1 if stage.name in THIRD_LEVEL else len(subjects) for stage in self._stages]
        self._total = float(sum(order * count for order, count in zip(orders, counts, strict=True)))
        for stage in self._stages:
            inputs = self._gathered(stage, subjects, part) if stage.name in THIRD_LEVEL else subjects
            made = self._stage(stage, inputs, part)
            products = main_products(stage.name, made)
            if not products:
                raise JvizError(f"{stage.name} wrote no product{self._live.why}.")
            subjects = next_subjects(made, part)
        return products

    def _gathered(self, stage: Stage, subjects: Sequence[Subject], part: Path) -> list[Subject]:
        """Return the associations that a level 3 pipeline works on: those given, or one of all exposures."""
        if self._anew is not None:
            return self._anew.gathered(part)
        if all(subject.suffix == "asn" for subject in subjects):
            return list(subjects)
        members = [subject for subject in subjects if subject.suffix in registry.THIRD]
        if not members:
            raise JvizError(f"{stage.name} needs calibrated exposures (cal or calints); there are none.")
        for member in members:
            if member.path.parent != part:
                registry.linked(member.path, part / member.path.name)
        is_sensing, product = stage.name == "calwebb_wfs-image3", product_name(members)
        path = part / f"{product}_asn.json"
        self._service.call(self._job, "make_association", context=self._request.context, cache=self._cache,
                           path=str(path), files=[member.path.name for member in members],
                           roles=[requirements.role_of(registry.header_of(member.path)) for member in members],
                           product=f"{product}_{{suffix}}-01" if is_sensing else product,
                           rule="DMS_Level3_Base")  # fmt: skip
        return [Subject(path, "asn", members[0].exp_type, members[0].instrument)]

    def _stage(self, stage: Stage, subjects: Sequence[Subject], part: Path) -> list[str]:
        tasks = [_task(stage, subject, self._request, part) for subject in subjects]
        places = min(self._service.places, len(tasks))
        with ThreadPoolExecutor(places, thread_name_prefix="jviz-calibration") as threads:
            futures = [threads.submit(self._one, task, part) for task in tasks]
            try:
                answers = [future.result() for future in futures]
            except BaseException:
                self._stopped = True
                for future in futures:
                    future.cancel()
                raise
        return [name for answer in answers for name in answer["products"]]

    def _one(self, task: runs.Task, part: Path) -> dict[str, Any]:
        """Do one task in its own folder, and move what it made into that of the run."""
        job, name = self._job, Path(task.input).name
        with self._service.gate.passed(self._request.priority, lambda: job.cancel_wanted or self._stopped):
            if self._live.state == "queued":
                self._live.state = "running"
                self._service.note(self._live)
            own = part / f".{task.alias}-{Path(task.input).stem}"
            own.mkdir()
            began, said = time.monotonic(), []

            def tell(value: dict[str, Any]) -> None:
                said.append(value.get("log", ""))
                self._told(value, task, name, own)

            answer = self._service.run(job, task.call(), own, context=self._request.context, cache=self._cache,
                                       tell=tell)  # fmt: skip
            for product in answer["products"]:
                os.replace(own / product, part / product)
            shutil.rmtree(own)
        # What is said around a pipeline (which host of a cluster does it, that it crashed) is no part of its own log.
        around = [line for line in said if line and line not in set(answer["log"])]
        self._run.add(task, {**answer, "log": [*around, *answer["log"]]}, time.monotonic() - began)
        return answer

    def _told(self, value: dict[str, Any], task: runs.Task, name: str, own: Path) -> None:
        live = self._live
        if self._stopped:
            raise Cancelled  # another exposure failed
        if "log" in value:
            live.say(value["log"])
            self._job.log.append(value["log"])
        elif value["index"] >= 0 or not task.order or value["step"] == task.alias:
            before = live.steps.get((name, value["step"]), {}).get("state")
            live.steps[name, value["step"]] = {key: value[key] for key in ("state", "seconds", "warnings")}
            if value["state"] != "running" and before == "running":
                self._done += 1
                self._saved(value["step"], own)
            self._job.report(self._done, self._total, f"{name}: {value['step']}")
        self._service.tell(live)

    def _saved(self, step: str, own: Path) -> None:
        """Take note of what a step has saved, and show it."""
        known = {path for _, path in self._live.products}
        for path in sorted(own.glob("*.fits")):
            if path not in known:
                self._live.products.append((step, path))
                if self._stream is not None:
                    self._stream.show(step, path)

    def _settle(self, part: Path, final: Path) -> None:
        """Say in the record where files are after the folder has got its name."""
        for task in self._run.tasks:
            if Path(task["input"]).parent == part:
                task["input"] = str(final / Path(task["input"]).name)


def _made_anew(session: Session, request: Request) -> MadeAnew | None:
    """Return what makes the members of associations anew, when the pipelines begin below level 3."""
    given = request.pipeline
    if not isinstance(given, list | tuple):
        return None
    names = [name if name.startswith("calwebb_") else f"calwebb_{name}" for name in given]
    return MadeAnew(session, request.inputs, names[0]) if is_made_anew(request.inputs, names) else None


# --- from what was asked to tasks -----------------------------------------------------------------


def _cache_of(paths: Sequence[Path]) -> Path | None:
    """Return the cache that simulated exposures come with, None for the user's own."""
    caches = {own_cache(path) for path in paths}
    if len(caches) > 1:
        raise CommandError("These exposures come with different reference files (some are simulated); calibrate them "
                           "in several runs.")  # fmt: skip
    return caches.pop()


def _files_of(subject: Subject) -> list[Path]:
    """Return the files that are read: of an association its members."""
    return [subject.path.parent / name for name in dict.fromkeys(subject.members)] or [subject.path]


def _title(request: Request) -> str:
    first = request.inputs[0].name
    more = f" and {len(request.inputs) - 1} more" if len(request.inputs) > 1 else ""
    return f"{first}{more}"


def _stages(request: Request, subjects: Sequence[Subject], catalogue: Catalogue) -> list[Stage]:
    if request.only is not None:
        step = catalogue.step(request.only)
        return [Stage(step.name, None, step)]
    names = request.pipeline
    if names == "all":
        names = registry.chain_of(subjects[0])
    elif names is None:
        chosen = {registry.next_pipeline(subject) for subject in subjects}
        if len(chosen) > 1:
            raise CommandError(f"These files go through different pipelines ({', '.join(sorted(chosen))}); calibrate "
                               "them in several runs.")  # fmt: skip
        names = list(chosen)
    stages = []
    for name in [names] if isinstance(names, str) else names:
        alias = name if name.startswith("calwebb_") else f"calwebb_{name}"
        if alias in catalogue.steps:
            stages.append(Stage(alias, None, catalogue.step(alias)))
        else:
            pipeline = catalogue.pipeline(name)
            stages.append(Stage(pipeline.name, pipeline, None))
    _all_known(request, stages)
    return stages


def _check(request: Request, stages: Sequence[Stage], subjects: Sequence[Subject], catalogue: Catalogue) -> None:
    """Refuse inputs that the pipelines, or the step, cannot work on, and references that are of no use for them."""
    first = stages[0]
    if first.pipeline is None:
        own = [pipeline.name for pipeline in catalogue.pipelines.values()
               if any(step.name == first.name for step in pipeline.steps)]  # fmt: skip
        for subject in subjects:
            requirements.check_step(first.name, own, subject)
    exposures = requirements.check_inputs([stage.name for stage in stages], subjects)
    for kind, path in request.references.items():
        check_reference(kind, path, exposures)
        if path == NOTHING:
            running = [step for stage in stages for step in _running(request, stage, subjects[0])]
            requirements.check_unused(kind, running, subjects[0])


def _all_known(request: Request, stages: Sequence[Stage]) -> None:
    """Refuse steps and reference types that none of the pipelines has."""
    pipelines = [stage.pipeline for stage in stages if stage.pipeline is not None]
    steps = [step.name for pipeline in pipelines for step in pipeline.steps]
    own = [name for stage in stages for name in (stage.name, stage.name.removeprefix("calwebb_"))]
    for key in request.steps:
        name = key.rpartition(".")[2]
        if name not in steps and key not in own:
            raise CommandError(f"{', '.join(stage.name for stage in stages)} has no step {key!r}; its steps are "
                               f"{', '.join(dict.fromkeys(steps))}.")  # fmt: skip
    if request.until is not None and pipelines and request.until not in steps:
        raise CommandError(f"{pipelines[-1].name} has no step {request.until!r} to stop after; its steps are "
                           f"{', '.join(dict.fromkeys(steps))}.")  # fmt: skip
    kinds = {kind for stage in stages for kind in _references(stage)}
    for kind in request.references:
        if kind not in kinds:
            raise CommandError(f"No step reads a reference of the type {kind!r}; they read {', '.join(sorted(kinds))}.")


def _references(stage: Stage) -> Sequence[str]:
    if stage.pipeline is not None:
        return list(stage.pipeline.references)
    return stage.step.references if stage.step is not None else ()


def _order(stage: Stage, subject: Subject) -> list[str]:
    if stage.pipeline is None:
        return [stage.name]
    return [step.name for step in stage.pipeline.ordered(subject.instrument, subject.kind)]


def _running(request: Request, stage: Stage, subject: Subject) -> list[str]:
    """Return the names of the steps of a stage that are not skipped."""
    order = _order(stage, subject)
    if stage.pipeline is None:
        return order
    if request.until in order:
        order = order[: order.index(request.until) + 1]
    _, given = _parameters(stage.pipeline, request.steps)
    usual = {step.name: next((param.default for param in step.params if param.name == "skip"), False)
             for step in stage.pipeline.steps}  # fmt: skip
    return [name for name in order if not given.get(name, {}).get("skip", usual[name])]


def _task(stage: Stage, subject: Subject, request: Request, part: Path) -> runs.Task:
    order = _order(stage, subject)
    references = {kind: path for kind, path in request.references.items() if kind in _references(stage)}
    if stage.step is not None:
        own = stage.step.checked(_of_step(request.steps, stage.name))
        return runs.Task(stage.name, stage.step.class_name, str(subject.path), own, references=references, order=order,
                         readers={})  # fmt: skip
    pipeline = stage.pipeline
    assert pipeline is not None
    parameters, steps = _parameters(pipeline, request.steps)
    if stage.name == "calwebb_dark":
        parameters["suffix"] = "dark"  # as the operations name it, by a pars file
    if request.until in order:
        for later in order[order.index(request.until) + 1 :]:
            steps.setdefault(later, {})["skip"] = True
        if stage.name in THIRD_LEVEL:  # they save the product of their last steps only
            steps.setdefault(request.until, {})["save_results"] = True
    return runs.Task(stage.name, pipeline.class_name, str(subject.path), parameters, steps, references, order,
                     pipeline.references, request.keep_steps)  # fmt: skip


def _of_step(steps: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the parameters of a step that runs alone."""
    values = steps.get(name, steps.get(name.removeprefix("calwebb_"), {}))
    if values is False or (isinstance(values, Mapping) and values.get("skip")):
        raise CommandError(f"{name} is the only step, and it is to be skipped, so nothing would be done.")
    return {} if values is True else {key: value for key, value in values.items() if key != "skip"}


def _parameters(pipeline: Pipeline, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the parameters of a pipeline and of its steps; a step that is False is skipped."""
    short = pipeline.name.removeprefix("calwebb_")
    own = StepInfo(pipeline.name, pipeline.class_name, params=pipeline.params)
    parameters: dict[str, Any] = {}
    steps: dict[str, dict[str, Any]] = {}
    for key, values in given.items():
        if key in (pipeline.name, short):
            parameters |= own.checked(values)
            continue
        scope, _, name = key.rpartition(".")
        if scope not in ("", pipeline.name, short) or name not in [step.name for step in pipeline.steps]:
            continue
        values = {"skip": not values} if isinstance(values, bool) else values
        steps[name] = pipeline.step(name).checked(values)
    return parameters, steps


def exported(catalogue: Catalogue, name: str, steps: Mapping[str, Any]) -> dict[str, Any]:
    """Return the task whose parameters a worker writes into a file."""
    alias = next((known for known in (name, f"calwebb_{name}") if known in catalogue.steps), "")
    if alias:
        step = catalogue.step(alias)
        return {"class_name": step.class_name, "parameters": step.checked(dict(steps.get(alias, steps)))}
    pipeline = catalogue.pipeline(name)
    parameters, inner = _parameters(pipeline, steps)
    return {"class_name": pipeline.class_name, "parameters": parameters, "steps": inner}


def imported(catalogue: Catalogue, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a file as ``calibration.run`` takes them, without those that are the defaults."""
    kind = values["class_name"]
    for pipeline in catalogue.pipelines.values():
        if pipeline.class_name.endswith(f".{kind}"):
            own = StepInfo(pipeline.name, pipeline.class_name, params=pipeline.params)
            steps = {pipeline.name.removeprefix("calwebb_"): _differing(own, values["parameters"])}
            for step in pipeline.steps:
                steps[step.name] = _differing(step, values["steps"].get(step.name, {}))
            return {"class_name": kind, "pipeline": pipeline.name, "steps": {k: v for k, v in steps.items() if v}}
    for step in catalogue.steps.values():
        if step.class_name.endswith(f".{kind}"):
            return {"class_name": kind, "pipeline": "", "steps": {step.name: _differing(step, values["parameters"])}}
    raise JvizError(f"The parameters are of {kind or 'no step'}, which the installed pipelines do not have.")


def _differing(step: StepInfo, values: Mapping[str, Any]) -> dict[str, Any]:
    known = {param.name: param for param in step.params}
    checked = step.checked({name: value for name, value in values.items() if name in known})
    return {name: value for name, value in checked.items() if value != known[name].default}

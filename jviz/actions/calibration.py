"""Commands that calibrate data with the JWST pipelines, which run in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jviz.backend.calibration.overrides import given_references
from jviz.backend.calibration.runs import remove_part
from jviz.backend.progress import Progress
from jviz.calibrating import Request, calibrated, paths_of
from jviz.commands import command
from jviz.data import Data, from_product
from jviz.errors import CommandError
from jviz.jobs import Job
from jviz.outputs import output_path
from jviz.running import Apply
from jviz.session import Session

MENU = "Calibration"


@command("calibration.run", title="Run Pipeline…", menu=MENU, job=True, apart=True, group="run", icon="fa6s.play")
def run(
    session: Session,
    inputs: Any,
    pipeline: Any = None,
    steps: dict[str, Any] | None = None,
    *,
    references: dict[str, Any] | None = None,
    context: str | None = None,
    folder: Path | None = None,
    until: str | None = None,
    keep_steps: bool = False,
    stream: bool = False,
    priority: int = 0,
    job: Job | None,
    progress: Progress,
) -> Apply:
    """Calibrate JWST exposures or associations with the pipelines of STScI.

    The pipelines run unmodified in worker processes, two exposures side by side. Each run gets a folder of its own
    with the products, ``record.json`` (inputs with checksums, all parameters, reference files, versions, times),
    ``log.txt``, and ``script.py``, which repeats it without jviz. Nothing is left of a run that fails or is cancelled.

    Parameters
    ----------
    inputs : Data, name, path, or a list of them
        uncal, rate or cal files, or an association (``.json``).
    pipeline : str or list of str, optional
        ``"detector1"``, ``"image2"``, ``"spec2"``, ``"image3"`` …; several run one after the other; ``"all"`` goes up
        to level 3. By default the one that takes the inputs on, by exposure type and level.
    steps : dict, optional
        Parameters by step, ``{"jump": {"rejection_threshold": 5.0}}``; ``{"flat_field": False}`` skips a step. Of a
        step that several pipelines have: ``"image3.resample"``; of a pipeline itself: ``"image3"``.
    references : dict, optional
        Reference files by type, ``{"dark": "my_dark.fits"}``, given to every step that reads the type.
    context : str, optional
        CRDS context, ``"jwst_1413.pmap"``.
    folder : Path, optional
        Where the folder of the run is made; see *Preferences ▸ Calibration*.
    until : str, optional
        Name of the last step that runs; those after it are skipped.
    keep_steps : bool
        Save the product of every step too, in the folder of the run.
    stream : bool
        Show the product of each step in a viewer of its own while the run goes on (and keep them).
    priority : int
        Runs of a higher priority go before others that wait.

    Returns
    -------
    list of Data
        The main products of the last pipeline.
    """
    request = Request(
        paths_of(session, inputs), pipeline, _parameters(steps), given_references(references or {}), context,
        Path(folder).expanduser().absolute() if folder is not None else None, until, None, keep_steps or stream,
        stream, int(priority),
    )  # fmt: skip
    return _opened(session, request, job, progress)


@command("calibration.step", title="Run Step…", menu=MENU, job=True, apart=True, group="run", icon="fa6s.forward-step")
def step(
    session: Session, data: Data | Path, step: str, *, job: Job | None, progress: Progress, **parameters: Any
) -> Apply:
    """Run a single step of a JWST pipeline on a product.

    Parameters
    ----------
    data : Data or Path
        What the step works on: a ramp for jump, a slope image for flat_field …
    step : str
        ``"jump"``, ``"ramp_fit"``, ``"photom"`` …
    **parameters
        Of the step, ``rejection_threshold=5``; ``override_gain="my_gain.fits"`` replaces a reference file.

    Returns
    -------
    list of Data
    """
    overrides = {name.removeprefix("override_"): value for name, value in parameters.items()
                 if name.startswith("override_")}  # fmt: skip
    own = {name: value for name, value in parameters.items() if not name.startswith("override_")}
    request = Request(paths_of(session, data), None, {step: own}, given_references(overrides), only=step)
    return _opened(session, request, job, progress)


@command("calibration.resume", title="Resume Interrupted Runs", menu=MENU, job=True, apart=True, group="run",
         icon="fa6s.rotate-right")  # fmt: skip
def resume(session: Session, run: str | None = None, *, job: Job | None, progress: Progress) -> Apply:
    """Begin again the runs that were cut off when jviz, or the computer, went down.

    Parameters
    ----------
    run : str, optional
        Its id, as calibration.runs lists it; all that were interrupted or have failed to start by default.
    """
    queue = session.calibrations.queue
    entries = [entry for entry in queue.entries() if (entry.state == "interrupted" if run is None else entry.id == run)]
    if not entries:
        raise CommandError(f"There is no run {run!r}." if run else "No run was interrupted.")
    applied, lines = [], []
    for entry in entries:
        values = dict(entry.request)
        values["inputs"] = paths_of(session, values["inputs"])
        values["folder"] = Path(values["folder"]) if values.get("folder") else None
        if entry.state == "interrupted":
            remove_part(values["folder"] or session.calibrations.folder(), entry.id)
        queue.forget(entry.id)
        applied.append(_opened(session, request := Request(**values), job, progress))
        lines.append(request.line)
    return Apply(lambda: [data for each in applied for data in each.function()], applied[0].label, lines=lines)


@command("calibration.steps", title="Show Calibration Steps…", menu=MENU, job=True, recorded=False, script=False,
         needs="data", group="look", icon="fa6s.list-check")  # fmt: skip
def steps(session: Session, data: Data, *, job: Job | None) -> Any:
    """List the calibration steps of a JWST product and what its header says became of each.

    Returns
    -------
    QTable
        ``pipeline``, ``step``, ``status`` (COMPLETE, SKIPPED, or empty), ``keyword``, and ``references``: the files
        that the header names for the types that the step reads.
    """
    from astropy.table import QTable

    from jviz.backend.calibration.status import statuses

    catalogue = session.calibrations.catalogue(job or session.calibrations.stand_in("Steps"))
    rows = statuses(catalogue, data.header)
    if not rows:
        raise CommandError(f"{data.name} is no JWST product, so its header has no calibration steps.")
    names = ("pipeline", "step", "status", "keyword", "references")
    return QTable({name: [getattr(row, name) for row in rows] for name in names})


@command("calibration.export_parameters", title="Export Parameters…", menu=MENU, job=True, group="parameters",
         icon="fa6s.file-export")  # fmt: skip
def export_parameters(
    session: Session, path: Path, pipeline: str, steps: dict[str, Any] | None = None, *, job: Job | None
) -> Path:
    """Write the parameters of a pipeline or a step into a ``pars-*.asdf`` file, as ``strun`` and CRDS read them.

    Parameters
    ----------
    path : Path
        Ends with ``.asdf``.
    pipeline : str
        ``"detector1"`` …, or a step such as ``"jump"``.
    steps : dict, optional
        Parameters by step that differ from the defaults.
    """
    from jviz.backend.files import writing
    from jviz.calibrating import exported

    target = output_path(session, path)
    if target.suffix.lower() != ".asdf":
        raise CommandError(f"{target.name} is no name for parameters; it must end with .asdf.")
    job = job or session.calibrations.stand_in("Export parameters")
    task = exported(session.calibrations.catalogue(job), pipeline, dict(steps or {}))
    with writing(target) as temporary:
        session.calibrations.call(job, "export_parameters", task=task, path=str(temporary))
    return target


@command("calibration.import_parameters", title="Import Parameters…", menu=MENU, job=True, group="parameters",
         recorded=False, script=False, icon="fa6s.file-import")  # fmt: skip
def import_parameters(session: Session, path: Path, *, job: Job | None) -> dict[str, Any]:
    """Read a ``pars-*.asdf`` file.

    Returns
    -------
    dict
        ``class_name``, and ``steps``: what calibration.run takes, those that are the defaults left out.
    """
    job = job or session.calibrations.stand_in("Import parameters")
    from jviz.calibrating import imported

    values = session.calibrations.call(job, "import_parameters", path=str(Path(path).expanduser().absolute()))
    return imported(session.calibrations.catalogue(job), values)


def _parameters(steps: Any) -> dict[str, Any]:
    """Return parameters by step; refuses what is none."""
    steps = steps or {}
    if isinstance(steps, Mapping):
        odd = [f"{name}: {value!r}" for name, value in steps.items() if not isinstance(value, Mapping | bool)]
    else:
        odd = [repr(steps)]
    if odd:
        raise CommandError(f"steps cannot be {odd[0]}; give parameters by step, as "
                           "{'jump': {'rejection_threshold': 5.0}}, or {'jump': False} to skip it.")  # fmt: skip
    return dict(steps)


def _opened(session: Session, request: Request, job: Job | None, progress: Progress) -> Apply:
    """Calibrate, and read the products in this thread."""
    from jviz.backend.io.registry import open_products

    _, products, live = calibrated(session, request, job)
    loaded = []
    for path in products:
        progress(0, 0, f"Reading {path.name}")
        loaded += [from_product(product) for product in open_products(path, progress=progress)]
    for data in loaded:
        data.prepare(progress)

    def apply() -> list[Data]:
        for name, warnings in live.warnings().items():
            session.notice("warning", f"{name} is done, but look at its log: {warnings[0]}")
        return loaded

    names = [str(path) for path in request.inputs]
    key = "data" if request.only is not None else "inputs"
    recorded = {key: names[0] if request.only is not None else names}
    return Apply(apply, f"Calibrate {live.title}", recorded)

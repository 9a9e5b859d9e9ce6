"""Runs the JWST pipelines; imported in worker processes only, never in the one of the window.

`run` takes one task, plain values, and is the same for jviz's own workers and for those of a cluster.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import platform
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from jviz.backend.calibration.environment import NOT_INSTALLED
from jviz.backend.calibration.overrides import NOTHING
from jviz.backend.calibration.steplog import StepLog
from jviz.backend.files import is_full
from jviz.backend.priority import step_aside
from jviz.errors import JvizError

__all__ = [
    "export_parameters", "generate_associations", "import_parameters", "make_association", "run", "specs", "warm",
]  # fmt: skip

LOGGERS = ("stpipe", "jwst", "stcal", "stdatamodels", "tweakwcs", "drizzle", "CRDS")
"""Whose messages a run keeps beside the warnings of all."""


def warm() -> None:
    """Import what all runs need, once, and take it out of the reach of the garbage collector.

    From then on the process runs after that of the window: with as many workers as processors, mouse moves would wait.
    stpipe collects garbage before each step; over all that jwst brings, that takes longer than many steps.
    """
    step_aside()
    import_module("jwst.pipeline")
    import_module("jwst.step")
    gc.collect()
    gc.freeze()


def specs() -> dict[str, Any]:
    """Return the `jviz.backend.calibration.steps.Catalogue` of the installed jwst as JSON values."""
    _required()
    from jviz.backend.calibration.jwst_specs import catalogue

    return catalogue().to_json()


def run(task: Mapping[str, Any], folder: str, tell: Callable[[Any], None] | None = None) -> dict[str, Any]:
    """Run one pipeline or step on one input.

    Parameters
    ----------
    task : mapping
        ``class_name``; ``input``, a file or an association; ``parameters``; ``steps`` {step: {parameter: value}};
        ``references`` {type: file}, given to every step that reads the type; ``order``, names of the steps that
        are expected; ``keep_steps``, whether each step saves its product.
    folder : str
        Where products go, and nothing else lies.
    tell : callable, optional
        Gets ``{"step", "state", …}`` and ``{"log": text}`` as they happen.

    Returns
    -------
    dict
        ``products`` (file names), ``steps`` {name: {state, seconds, warnings}}, ``parameters`` (all of them, as they
        were used), ``log``, ``context``, ``versions``, ``host``.

    Raises
    ------
    JvizError
        Names the step that failed, and why.
    """
    _required()
    cls = _class(task["class_name"])
    tell = tell or (lambda value: None)
    log = StepLog(tell, known=task.get("order", ()))
    with _listening(log), _explained(log, task, folder), _in_folder(folder):
        instance = _made(cls, task, folder)
        parameters = _used(instance)  # before the run, which may change them in ways they cannot be given
        result = instance.run(task["input"])
        context = _context(result)
        _close(result)
    log.finish()
    # All that is there: what a crash left before a second try has been written anew.
    return {"products": sorted(os.listdir(folder)), "steps": log.steps, "parameters": parameters, "log": log.lines,
            "context": context, "versions": versions(), "host": platform.node()}  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of what works on the data."""
    from importlib.metadata import version

    names = ("jwst", "stcal", "stpipe", "stdatamodels", "crds", "numpy", "scipy", "astropy", "photutils", "gwcs")
    return {name: version(name) for name in names}


def import_parameters(path: str) -> dict[str, Any]:
    """Return the parameters of a ``pars-*.asdf`` file.

    Returns
    -------
    dict
        ``class_name`` (without its package), ``parameters``, ``steps``.
    """
    _required()
    from stpipe.config_parser import load_config_file

    try:
        config = load_config_file(path).dict()
    except Exception as error:
        name = Path(path).name
        raise JvizError(f"{name} holds no parameters of a step: {error}. Give a pars-*.asdf file.") from error
    steps = config.pop("steps", {})
    name, kind = config.pop("name", ""), str(config.pop("class", ""))
    return {"name": str(name), "class_name": kind.rpartition(".")[2], "parameters": _plain(config),
            "steps": _plain(steps)}  # fmt: skip


def export_parameters(task: Mapping[str, Any], path: str) -> None:
    """Write the parameters of a task into an ASDF file that ``strun`` and CRDS understand."""
    _required()
    cls = _class(task["class_name"])
    with _explained(None, task):
        config = {**_values(cls, task), "steps": _steps(cls, task)} if hasattr(cls, "step_defs") else _values(cls, task)
        instance = cls(**{name: value for name, value in config.items() if name != "steps"})
        if "steps" in config:
            instance.update_pars({"steps": config["steps"]})
        instance.export_config(path)


def make_association(files: list[str], path: str, product: str, rule: str, roles: list[str] | None = None) -> None:
    """Write an association of files that lie beside it.

    Parameters
    ----------
    rule : str
        Name of a rule of jwst: ``"DMS_Level3_Base"``, ``"DMSLevel2bBase"``.
    roles : list of str, optional
        ``exptype`` of each file, for rules of level 3; all are science by default.
    """
    _required()
    from jwst.associations.asn_from_list import asn_from_list
    from jwst.associations.lib.rules_level2_base import DMSLevel2bBase
    from jwst.associations.lib.rules_level3_base import DMS_Level3_Base

    rules = {"DMS_Level3_Base": DMS_Level3_Base, "DMSLevel2bBase": DMSLevel2bBase}
    items = list(zip(files, roles, strict=True)) if roles else files
    association = asn_from_list(items, rule=rules[rule], product_name=product, with_exptype=bool(roles))
    _, text = association.dump()
    Path(path).write_text(text, encoding="utf-8")


def generate_associations(files: list[str], pool: str, rule: str) -> list[dict[str, Any]]:
    """Make associations by the rules of jwst.

    Parameters
    ----------
    files : list of str
        Paths of exposures; or none, and a pool.
    pool : str
        Path of a pool.
    rule : str
        ``"jwst"`` for all rules, or the name of one: ``"Asn_Lv3Image"``.

    Returns
    -------
    list of dict
        ``name`` of each association, and ``content``.
    """
    _required()
    from jwst.associations import AssociationPool, AssociationRegistry
    from jwst.associations.main import Main

    known = sorted(name for name in AssociationRegistry() if name.startswith("Asn_"))
    if rule != "jwst" and rule not in known:
        raise JvizError(f"jwst has no rule {rule!r} for associations; it has {', '.join(known)}.")
    rows = AssociationPool.read(pool) if pool else _pool_of(files)
    main = Main(args=[], pool=rows)
    main.generate()
    found = []
    for association in main.associations:
        name, text = association.dump()
        content = json.loads(text)
        if rule == "jwst" or str(content.get("asn_rule", "")).endswith(rule):
            found.append({"name": name.removesuffix(".json"), "content": content})
    return found


def _pool_of(files: list[str]) -> Any:
    """Return a pool of exposures, under the names that raw ones have: the rules know no others."""
    from jwst.associations.mkpool import mkpool

    try:
        rows = mkpool(files)
    except KeyError as error:
        raise JvizError(f"No pool can be made of these exposures: their headers lack {error}. Use the rules of jviz "
                        "(rule=None), or make one by hand.") from error  # fmt: skip
    for column in rows.colnames:  # the rules compare with values in lower case, as pools have them
        rows[column] = [str(value).lower() for value in rows[column]]
    rows["filename"] = [re.sub(r"_[a-z0-9]+\.fits$", "_uncal.fits", Path(file).name) for file in files]
    return rows


def _required() -> None:
    try:
        import_module("jwst")
    except ImportError as error:
        raise JvizError(NOT_INSTALLED) from error


# --- one run --------------------------------------------------------------------------------------


def _class(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def _made(cls: Any, task: Mapping[str, Any], folder: str) -> Any:
    """Return the step with its parameters: those of CRDS below those that are given."""
    given: dict[str, Any] = {**_values(cls, task), "save_results": True, "output_dir": folder}
    if hasattr(cls, "step_defs"):
        given["steps"] = _steps(cls, task)
    config, config_file = cls.build_config(task["input"], **given)
    config.pop("class", None)
    return cls.from_config_section(config, name=config.get("name"), config_file=config_file)


def _values(cls: Any, task: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(task.get("parameters", {}))
    if not hasattr(cls, "step_defs"):
        values |= _overrides(cls, task.get("references", {}))
    return values


def _steps(cls: Any, task: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of the steps of a pipeline, with a reference for every step that reads its type."""
    given = {name: dict(values) for name, values in task.get("steps", {}).items()}
    for name, step in cls.step_defs.items():
        extra: dict[str, Any] = _overrides(step, task.get("references", {}))
        inner = {each: _overrides(cls, task.get("references", {})) for each, cls in _own_steps(step).items()}
        if any(inner.values()):
            extra["steps"] = {each: values for each, values in inner.items() if values}
        if task.get("keep_steps"):
            extra["save_results"] = True
        if extra:
            given[name] = {**extra, **given.get(name, {})}
    return given


def _own_steps(step: Any) -> Mapping[str, Any]:
    """Return the steps of a step that is a pipeline itself."""
    found = getattr(step, "step_defs", None)
    return found if isinstance(found, dict) else {}


def _overrides(step: Any, references: Mapping[str, str]) -> dict[str, str]:
    kinds = step.reference_file_types
    if not isinstance(kinds, list | tuple | set):
        return {}
    return {f"override_{kind}": path for kind, path in references.items() if kind in kinds}


def _used(step: Any) -> dict[str, Any]:
    """Return all parameters of a step and of those in it, overridden references among them."""
    found = _plain(step.get_pars())
    for name in getattr(step, "step_defs", {}):
        found["steps"][name] |= _given_files(getattr(step, name))
    return found if hasattr(step, "step_defs") else found | _given_files(step)


def _given_files(step: Any) -> dict[str, str]:
    kinds = step.reference_file_types
    names = [f"override_{kind}" for kind in kinds] if isinstance(kinds, list | tuple | set) else []
    return {name: str(value) for name in names if (value := getattr(step, name, None))}


def _context(result: Any) -> str:
    first = result[0] if isinstance(result, list | tuple) and result else result
    with suppress(Exception):
        return str(first.meta.ref_file.crds.context_used or "")
    return ""


def _close(result: Any) -> None:
    for model in result if isinstance(result, list | tuple) else [result]:
        with suppress(Exception):
            model.close()


def _plain(value: Any) -> Any:
    """Return what JSON can say of a value."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inside) for inside in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


@contextmanager
def _in_folder(folder: str) -> Any:
    """Have what steps write without a folder of its own land in that of the run."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _listening(log: StepLog) -> Any:
    root, loggers = logging.getLogger(), [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    logging.captureWarnings(True)
    for logger in loggers:
        logger.setLevel(logging.INFO)
    heard = [root, *(logger for logger in loggers if not logger.propagate)]
    for logger in heard:
        logger.addHandler(log)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.filterwarnings("ignore", message=".*deprecated")
            yield
    finally:
        for logger in heard:
            logger.removeHandler(log)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _explained(log: StepLog | None, task: Mapping[str, Any], folder: str = "") -> Any:
    """Turn whatever ends a run into one sentence that names its step; CRDS leaves by ``sys.exit``."""
    try:
        yield
    except JvizError:
        raise
    except (Exception, SystemExit) as error:
        if folder and is_full(error):
            # The folder of a task lies in that of its run, and both are hidden until they are whole.
            disk = Path(folder).parents[1]
            raise JvizError(
                f"{_where(log, task)} could not write its product of {_input(task)}: the disk of {disk} is full. "
                "Nothing was left there; free some space, or choose another folder."
            ) from error
        raise JvizError(_sentence(error, log, task)) from error


def _where(log: StepLog | None, task: Mapping[str, Any]) -> str:
    name = task["class_name"].rpartition(".")[2]
    return f"The step {log.current}" if log is not None and log.current not in ("", name) else name


def _unused(log: StepLog | None, task: Mapping[str, Any]) -> str:
    """Return the types that were declared unused and that the step at work reads."""
    given = [kind for kind, path in task.get("references", {}).items() if path == NOTHING]
    if not given or log is None:
        return ""
    cls = _class(task["class_name"])
    kinds = getattr(getattr(cls, "step_defs", {}).get(log.current, cls), "reference_file_types", None)
    return ", ".join(kind for kind in given if isinstance(kinds, list | tuple | set) and kind in kinds)


def _input(task: Mapping[str, Any]) -> str:
    return Path(str(task.get("input", ""))).name


def _sentence(error: BaseException, log: StepLog | None, task: Mapping[str, Any]) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, SystemExit) or not said:
        said = (log.last_error if log is not None else "") or f"it left with {error!r}"
    # Trap: Spec2 and Spec3 hide the first reason in a text of their own.
    if "See previous" in said and error.__cause__ is not None:
        said = str(error.__cause__)
    hint = "The log of the run has the details"
    if "cache load FAILED" in said:
        server, cache = (os.environ.get(name, "CRDS") for name in ("CRDS_SERVER_URL", "CRDS_PATH"))
        return (f"{_where(log, task)} failed on {_input(task)}: {server} does not answer, and no rules for reference "
                f"files are in {cache}. Go online, or set CRDS_PATH to the folder of a CRDS cache.")  # fmt: skip
    if unused := _unused(log, task):
        hint = f"It was to do without a reference of the type {unused} (N/A); give a file, or take that away"
    elif re.search(r"crds|reference|override|bestref|mapping|context", said, re.IGNORECASE):
        hint = "See which reference files are there, or give one with references={type: file}"
    elif "valid" in type(error).__name__.lower():
        hint = "Correct its parameters"
    return f"{_where(log, task)} failed on {_input(task)}: {said}. {hint}."

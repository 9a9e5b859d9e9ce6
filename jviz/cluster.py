"""Calls that workers of a dask cluster do, and clusters made from the queues of a computing centre.

`call`, `members` and `keep` run in processes of their own (see `jviz.worker`), so that the window imports nothing of
dask, and a call is cancelled by killing its process: the scheduler then takes the task back, and the worker that is at
it kills what does it. A task is done in a process below the worker of dask, because it could not be stopped there.
Files are not sent: the cluster has to see the same folders.
"""

from __future__ import annotations

import platform
import queue
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from jviz.errors import JvizError

__all__ = ["KINDS", "call", "job_script", "keep", "members", "options_of"]

NOT_INSTALLED = "dask is not installed, so no cluster can be used. Install it with: pip install 'jviz[clusters]'."

CONNECT_SECONDS = 10
"""Within which a scheduler has to answer."""

LATE_SECONDS = 5
"""How long news of a task that has ended are waited for."""

GLANCE_SECONDS = 0.1
"""Between two looks of a worker at whether its task is still wanted."""

QUEUES = {"slurm": ("SLURMCluster", "sbatch"), "htcondor": ("HTCondorCluster", "condor_submit")}
"""Classes of dask_jobqueue, and the programs by which queues take jobs."""

KINDS = ("local", *QUEUES)
"""Clusters that jviz makes itself."""

DEFAULTS = {"cores": 1, "memory": "8GB", "disk": "20GB", "walltime": "04:00:00"}
"""Of a job that holds one worker, which works on one exposure at a time."""

ALLOWED = {
    "local": (),
    "slurm": ("cores", "memory", "walltime", "queue", "account", "interface", "local_directory", "log_directory"),
    "htcondor": ("cores", "memory", "disk", "interface", "local_directory", "log_directory"),
}


def options_of(kind: str, text: str) -> dict[str, Any]:
    """Return the options of a kind of cluster: ``"queue=normal account=jwst memory=16GB"`` over the defaults.

    Raises
    ------
    JvizError
        When the kind has no such option.
    """
    allowed = ALLOWED[kind]
    found: dict[str, Any] = {name: value for name, value in DEFAULTS.items() if name in allowed}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals or name not in allowed:
            takes = ", ".join(f"{each}=…" for each in allowed) or "none"
            raise JvizError(f"{word!r} is no option of a {kind} cluster; those are: {takes}.")
        found[name] = value
    if "cores" in found:
        if not str(found["cores"]).isdigit() or not int(found["cores"]):
            raise JvizError(f"cores={found['cores']} is no number of processors; give 1 or more.")
        found |= {"cores": int(found["cores"]), "processes": 1}
    return found


def job_script(kind: str, options: Mapping[str, Any]) -> str:
    """Return what is handed to the queue for each worker; nothing is started.

    Raises
    ------
    JvizError
        When dask is not installed, or the kind has no script.
    """
    if kind not in QUEUES:
        raise JvizError(f"A cluster {kind!r} has no queue, so no script; give {' or '.join(QUEUES)}.")
    name, _ = QUEUES[kind]
    made = getattr(_imported("dask_jobqueue"), name).job_cls
    return made(scheduler="tcp://HOST:PORT", name="jviz", **options).job_script()


# --- in processes of their own --------------------------------------------------------------------


def call(address: str, called: str, arguments: dict[str, Any], environment: dict[str, str], setup: str = "",
         tell: Callable[[Any], None] | None = None) -> Any:  # fmt: skip
    """Have one worker of a cluster call a function, and wait for its result.

    Parameters
    ----------
    address : str
        Of the scheduler, ``"tcp://host:8786"``.
    called, arguments
        The function and what it gets, as `jviz.worker.run_in_worker` takes them. The worker has to see
        ``arguments["folder"]`` and ``arguments["task"]["input"]``.
    environment : dict
        Variables of the process that does it.
    setup : str
        Called first in that process.
    tell : callable, optional
        Gets what the function tells, in order.

    Raises
    ------
    JvizError
        When no scheduler answers, a worker ended, or with what went wrong in the function.
    """
    told: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
    topic = f"jviz-{uuid.uuid4().hex}"
    with _client(address) as client:
        client.subscribe_topic(topic, lambda event: told.put(event[1]))
        if tell is not None and not client.nthreads():
            tell({"log": f"The cluster {address} has no worker yet; waiting for one."})
        future = client.submit(_on_worker, called, arguments, environment, setup, topic, key=topic, pure=False)
        return _waited(future, told, tell or (lambda value: None))


def _waited(future: Any, told: queue.SimpleQueue, tell: Callable[[Any], None]) -> Any:
    heard = 0
    while not future.done():
        with suppress(queue.Empty):
            heard, value = told.get(timeout=0.05)
            tell(value)
    try:
        value, count = future.result()
    except JvizError:
        raise
    except Exception as error:
        if type(error).__name__ == "KilledWorker":
            raise JvizError("Workers of the cluster ended several times while they were at it (was their memory too "
                            "small?). Nothing was changed; see the log of the cluster.") from error  # fmt: skip
        raise JvizError(f"The cluster could not do it: {error or type(error).__name__}. Are the same versions of "
                        "jviz and its packages installed there?") from error  # fmt: skip
    with suppress(queue.Empty):
        while heard < count:
            heard, news = told.get(timeout=LATE_SECONDS)
            tell(news)
    return value


def _on_worker(function: str, arguments: dict[str, Any], environment: dict[str, str], setup: str, topic: str) -> Any:
    """Do a call in a process below this worker of dask; that process goes when the task is not wanted any more."""
    from distributed import get_worker

    from jviz.jobs import Dispatcher, Job, Jobs
    from jviz.worker import run_in_worker, special_pool

    dask, host = get_worker(), platform.node()
    key = dask.get_current_task()
    _check_seen(arguments, host)
    count = 0

    def pass_on(value: Any) -> None:
        nonlocal count
        count += 1
        dask.log_event(topic, (count, value))

    pass_on({"log": f"Done by {host} ({dask.address})"})
    job, over = Job("A calibration on the cluster", lambda job: None, Jobs(Dispatcher())), threading.Event()
    watch = threading.Thread(target=_watch, args=(dask, key, job, over), daemon=True)
    watch.start()
    try:
        workers = special_pool(setup, environment, ready=1)
        value = run_in_worker(job, function, workers=workers, tell=pass_on, tries=2, **arguments)
    finally:
        over.set()
        watch.join()
    return value, count


def _watch(dask: Any, key: str, job: Any, over: threading.Event) -> None:
    """Cancel a job once the scheduler has taken its task back: the window cancelled it, or is gone."""
    while not over.wait(GLANCE_SECONDS):
        task = dask.state.tasks.get(key)
        if task is None or task.state not in ("executing", "long-running"):
            job.cancel()
            return


def _check_seen(arguments: Mapping[str, Any], host: str) -> None:
    task = arguments.get("task", {})
    for path in (arguments.get("folder"), task.get("input")):
        if path is not None and not Path(path).exists():
            raise JvizError(f"{host}, a worker of the cluster, does not see {path}; data and folder of the runs have "
                            "to lie where the cluster finds them under the same name.")  # fmt: skip


def members(address: str) -> list[dict[str, Any]]:
    """Return the workers of a cluster: address, host, threads, memory in bytes, versions.

    Raises
    ------
    JvizError
        When no scheduler answers.
    """
    with _client(address) as client:
        versions = client.run(_versions)
        workers = client.scheduler_info(n_workers=-1)["workers"]
        return [
            {"address": name, "host": worker["host"], "threads": worker["nthreads"], "memory": worker["memory_limit"],
             **versions.get(name, {"jviz": "", "jwst": ""})}
            for name, worker in workers.items()
        ]  # fmt: skip


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("jviz", "jwst"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def keep(kind: str, options: dict[str, Any], count: int, folder: str, tell: Callable[[Any], None]) -> None:
    """Make a cluster, tell its address, and keep it until the file ``keep`` in a folder is gone.

    Workers whose scheduler is gone, because this process was killed, end by themselves within a minute.

    Raises
    ------
    JvizError
        When the queue's own programs are not on this machine.
    """
    name, program = QUEUES.get(kind, ("", ""))
    if program and shutil.which(program) is None:
        raise JvizError(f"{program} is not on this computer, so it can give {kind} no jobs. Start jviz where "
                        "the queue is, or name another cluster in Preferences ▸ Calibration.")  # fmt: skip
    flag = Path(folder) / "keep"
    cluster = None
    try:
        if kind == "local":
            made = _imported("distributed").LocalCluster
            cluster = made(n_workers=count, threads_per_worker=1, dashboard_address=None)
        else:
            made = getattr(_imported("dask_jobqueue"), name)
            cluster = made(**options, scheduler_options={"dashboard_address": None})
            cluster.scale(jobs=count)
        tell({"address": cluster.scheduler_address})
        while flag.exists():
            threading.Event().wait(GLANCE_SECONDS)
    except (OSError, RuntimeError, ValueError) as error:
        raise JvizError(f"The {kind} cluster could not be started: {error}. Look at its options.") from error
    finally:
        if cluster is not None:
            cluster.close(timeout=5)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    distributed = _imported("distributed")
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise JvizError(f"No dask scheduler answers at {address} ({why}). Start one by `dask scheduler`, or correct "
                        "the address in Preferences ▸ Calibration.") from error  # fmt: skip
    try:
        yield client
    finally:
        client.close()


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise JvizError(NOT_INSTALLED) from error

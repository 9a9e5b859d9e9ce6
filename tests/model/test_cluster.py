"""Calibrations on a cluster: a real scheduler and workers on this machine, and the scripts for queues."""

import importlib.util
import json
import os
import platform
import stat
import subprocess
import sys
import time

import psutil
import pytest

from jviz import JvizError, Session
from jviz.cluster import job_script, options_of
from jviz.errors import CommandError
from jviz.worker import pool

pytestmark = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="dask is not installed")

TASKS = "tests.model.cluster_tasks"
START = 60
"""Seconds within which processes that import dask have started."""


def wait_until(condition, seconds=START):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The address of a scheduler with one worker, in processes of their own."""
    folder = tmp_path_factory.mktemp("cluster")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}

    def started(*words):
        return subprocess.Popen([sys.executable, "-m", "distributed.cli." + words[0], *words[1:]], cwd=folder,
                                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    file = folder / "scheduler.json"
    programs = [started("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                        "--scheduler-file", str(file))]  # fmt: skip
    wait_until(lambda: file.exists() and file.stat().st_size)
    programs.append(started("dask_worker", "--scheduler-file", str(file), "--host", "127.0.0.1", "--nthreads", "2",
                            "--no-dashboard", "--nanny", "--local-directory", str(folder)))  # fmt: skip
    yield json.loads(file.read_text())["address"]
    for program in reversed(programs):
        program.terminate()
    for program in reversed(programs):
        program.wait(20)
    pool.close()


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


@pytest.fixture
def cluster(session, scheduler):
    session.settings["calibration.cluster"] = scheduler
    return session.calibrations.cluster


def submit(session, function, arguments, told=None, environment=None):
    heard = [] if told is None else told


    def work(job):
        return session.calibrations.cluster.call(job, f"{TASKS}:{function}", arguments, environment or {}, "",
                                                 heard.append)  # fmt: skip

    return session.jobs.submit("Work", work, apart=True)


def test_a_worker_of_the_cluster_does_it_and_all_it_tells_arrives_in_order(session, cluster):
    told = []
    value = submit(session, "told", {"count": 200}, told, {"JVIZ_TEST_WORD": "star"}).result(START)
    assert value["word"] == "star"
    assert value["pid"] != os.getpid()
    assert any("Done by" in news["log"] for news in told if isinstance(news, dict))
    assert [news for news in told if not isinstance(news, dict)] == list(range(200))


def test_what_goes_wrong_there_is_said_in_its_own_words(session, cluster):
    with pytest.raises(JvizError, match="no gain"):
        submit(session, "failing", {}).result(START)


def test_a_crash_there_is_tried_once_more(session, cluster, tmp_path):
    assert submit(session, "crashing", {"folder": str(tmp_path)}).result(START) == "done"


def test_cancelled_here_it_ends_there(session, cluster, tmp_path):
    job = submit(session, "lasting", {"folder": str(tmp_path)})
    wait_until(lambda: (tmp_path / "at_work").exists() and (tmp_path / "at_work").read_text())
    pid = int((tmp_path / "at_work").read_text())
    assert not gone(pid)
    job.cancel()
    with pytest.raises(JvizError, match="cancelled"):
        job.result(30)
    wait_until(lambda: gone(pid), 10)


def test_files_that_the_cluster_does_not_see_are_named(session, cluster, tmp_path):
    with pytest.raises(JvizError, match=r"does not see .*nowhere"):
        submit(session, "lasting", {"folder": str(tmp_path / "nowhere")}).result(START)


def test_workers_are_listed_with_what_is_installed_there(session, cluster):
    import jviz

    wait_until(lambda: len(session.run("cluster.workers")) == 1)
    [row] = session.run("cluster.workers")
    assert row["host"] == "127.0.0.1"
    assert row["threads"] == 2
    assert row["jviz"] == jviz.__version__
    assert row["memory"].to_value("Gbyte") > 0.1


def test_without_a_cluster_it_says_where_to_name_one(session):
    with pytest.raises(CommandError, match="this computer"):
        session.run("cluster.workers")


def test_a_scheduler_that_does_not_answer_is_named(session):
    session.settings["calibration.cluster"] = "tcp://127.0.0.1:9"
    with pytest.raises(JvizError, match=r"127\.0\.0\.1:9.*dask scheduler"):
        submit(session, "failing", {}).result(START)


def test_a_local_cluster_is_made_and_ends_with_the_session(session):
    session.settings["calibration.cluster"], session.settings["calibration.cluster_jobs"] = "local", 1
    value = submit(session, "told", {"count": 1}).result(START)
    worker = psutil.Process(value["pid"]).parent().pid
    session.close()
    wait_until(lambda: gone(value["pid"]) and gone(worker))


def test_scripts_of_queues_ask_for_what_the_options_say(session):
    session.settings["calibration.cluster_options"] = "queue=normal account=jwst memory=16GB walltime=02:00:00"
    text = session.run("cluster.script", system="slurm")
    lines = text.splitlines()
    assert {"#SBATCH -p normal", "#SBATCH -A jwst", "#SBATCH -t 02:00:00", "#SBATCH --cpus-per-task=1"} <= set(lines)
    assert "--nthreads 1" in text
    assert "--death-timeout" in text
    session.settings["calibration.cluster_options"] = "memory=16GB disk=50GB"
    text = session.run("cluster.script", system="htcondor")
    assert "MY.DaskWorkerMemory = 16000000000" in text
    assert "MY.DaskWorkerDisk = 50000000000" in text
    assert text.rstrip().endswith("Queue")


@pytest.mark.parametrize(("kind", "text"), [("slurm", "queue"), ("slurm", "colour=red"), ("htcondor", "account=x"),
                                            ("local", "queue=x"), ("slurm", "cores=many")])  # fmt: skip
def test_options_that_a_queue_does_not_have_are_refused(kind, text):
    with pytest.raises(JvizError, match=text.partition("=")[0]):
        options_of(kind, text)


def test_only_queues_have_scripts():
    with pytest.raises(JvizError, match="slurm or htcondor"):
        job_script("local", {})


def test_jobs_of_slurm_calibrate(session, tmp_path, monkeypatch):
    """A stand-in of the queue runs the very scripts that SLURM would get."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("sbatch", 'bash -c "$(cat "$1")" >/dev/null 2>&1 & echo "Submitted batch job $!"'),
                       ("scancel", 'pkill -P "$1"; kill "$1" 2>/dev/null; true')):  # fmt: skip
        (programs / name).write_text(f"#!/bin/bash\n{text}\n")
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    pool.close()  # a process that is ready has the old path
    session.settings["calibration.cluster_options"] = f"interface=lo log_directory={tmp_path}"
    session.settings["calibration.cluster_jobs"] = 1
    session.settings["calibration.cluster"] = "slurm"
    value = submit(session, "told", {"count": 3}).result(START)
    pid = value["pid"]
    session.calibrations.cluster.close()
    wait_until(lambda: gone(pid))
    pool.close()


def test_a_queue_that_is_not_there_is_named(session):
    session.settings["calibration.cluster_options"] = "interface=lo"
    session.settings["calibration.cluster"] = "slurm"
    with pytest.raises(JvizError, match="sbatch is not on this computer"):
        submit(session, "failing", {}).result(START)


def test_exposures_go_through_the_cluster(calibrating, uncal, scheduler):
    calibrating.settings["calibration.cluster"] = scheduler
    products = calibrating.run("calibration.run", inputs=[uncal(1), uncal(2)], until="linearity")
    assert [data.path.name for data in products] == [
        f"jw09999001001_02101_0000{n}_nrcb1_ramp.fits" for n in (1, 2)
    ]
    log = (products[0].path.parent / "log.txt").read_text()
    assert "Step linearity done" in log
    hosts = [line for line in log.splitlines() if line.startswith("Done by ")]
    assert len(hosts) == 2  # one for each exposure, as the window shows them, and before what the pipeline says
    assert all(line.startswith(f"Done by {platform.node()} (tcp://") for line in hosts)
    assert log.splitlines()[0] == hosts[0]
    assert json.loads((products[0].path.parent / "record.json").read_text())["tasks"][0]["host"] == platform.node()
    assert "distributed" not in sys.modules  # nor anything else of dask's cluster in the window's process

"""Workers: progress, results as files, crashes as one sentence, cancel that leaves nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from jviz import JvizError
from jviz.backend import priority
from jviz.jobs import Dispatcher, Jobs
from jviz.worker import Pool, WorkerCrashed, pool, run_in_worker

TASKS = "tests.model.worker_tasks"


@pytest.fixture
def jobs():
    jobs = Jobs(Dispatcher())
    yield jobs
    jobs.close()
    pool.close()


def submit(jobs, function, **arguments):
    return jobs.submit("Work", lambda job: run_in_worker(job, f"{TASKS}:{function}", **arguments))


def gone(pid):
    """Whether a process is no more, or a zombie that its new parent will bury."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def test_a_worker_stays_for_the_next_call(jobs):
    assert submit(jobs, "add", a=2, b=3).result(20) == 5
    first = submit(jobs, "process_id").result(20)
    assert submit(jobs, "process_id").result(20) == first != os.getpid()


def test_progress_and_files_come_back(jobs, tmp_path):
    np.save(tmp_path / "in.npy", np.arange(10.0))
    job = submit(jobs, "mean_of", path=str(tmp_path / "in.npy"), folder=tmp_path)
    assert job.result(20) == {"mean": 4.5}
    assert [line.split(" ", 1)[1] for line in job.log] == [f"step {n}" for n in range(5)]
    np.testing.assert_array_equal(np.load(tmp_path / "doubled.npy"), 2 * np.arange(10.0))


@pytest.mark.skipif(os.name == "nt", reason="other priorities")
def test_a_worker_comes_after_the_window(jobs):
    assert submit(jobs, "niceness").result(20) >= priority.NICE


def test_cancel_kills_the_worker_and_its_children_at_once(jobs, tmp_path):
    pool.prepare()
    note = tmp_path / "pids"
    job = submit(jobs, "sleep", seconds=60, note=str(note))
    wait_until(lambda: note.exists() and len(note.read_text().split()) == 2)
    pids = [int(word) for word in note.read_text().split()]
    scratch = [worker.scratch for worker in pool._taken]
    job.cancel()
    wait_until(lambda: job.is_over)
    assert job.state == "cancelled"
    wait_until(lambda: all(map(gone, pids)))
    wait_until(lambda: not any(path.exists() for path in scratch))
    assert submit(jobs, "add", a=1, b=1).result(20) == 2


@pytest.mark.parametrize(("function", "stays"), [("waits", True), ("is_deaf", False)])
def test_a_worker_that_is_asked_to_stop(jobs, tmp_path, function, stays):
    gentle = Pool(gentle=True)
    try:
        first = submit(jobs, "process_id", workers=gentle).result(20)
        job = submit(jobs, function, note=str(tmp_path / "note"), workers=gentle)
        wait_until((tmp_path / "note").exists)
        job.cancel()
        wait_until(lambda: job.is_over)
        assert job.state == "cancelled"
        assert (submit(jobs, "process_id", workers=gentle).result(20) == first) is stays
        assert submit(jobs, "add", a=1, b=1, workers=gentle).result(20) == 2
    finally:
        gentle.close()


def test_a_job_cancelled_before_it_begins_never_calls(jobs, tmp_path):
    import threading

    go = threading.Event()
    blockers = [jobs.submit("Block", lambda job: go.wait(10)) for _ in range(jobs.threads)]
    job = submit(jobs, "sleep", seconds=0, note=str(tmp_path / "note"))
    job.cancel()
    go.set()
    for blocker in blockers:
        blocker.result(10)
    assert job.state == "cancelled"
    assert not (tmp_path / "note").exists()


@pytest.mark.parametrize(
    ("function", "arguments", "how"), [("exits", {"code": 3}, "code 3"), ("crashes", {}, "SIGSEGV")]
)
def test_a_crash_is_one_clear_error_and_the_next_call_works(jobs, function, arguments, how):
    job = submit(jobs, function, **arguments)
    with pytest.raises(WorkerCrashed, match=rf"Work failed.*{how}.*try again"):
        job.result(20)
    assert job.state == "failed"
    assert submit(jobs, "add", a=1, b=1).result(20) == 2


def test_what_a_function_prints_does_not_break_the_protocol(jobs):
    assert submit(jobs, "talks").result(20) == "the truth"
    assert submit(jobs, "reads_stdin").result(20) == ""
    assert submit(jobs, "add", a=1, b=1).result(20) == 2


def test_errors_for_users_pass_and_others_are_explained(jobs):
    with pytest.raises(JvizError, match=r"^m31\.fits is tired; let it rest\.$"):
        submit(jobs, "fails").result(20)
    job = submit(jobs, "breaks")
    with pytest.raises(JvizError, match="Work failed: division by zero"):
        job.result(20)
    assert "ZeroDivisionError" in "".join(job.log)
    with pytest.raises(JvizError, match="JSON"):
        submit(jobs, "gives_no_json").result(20)
    with pytest.raises(JvizError, match="no_such_function"):
        submit(jobs, "no_such_function").result(20)


def test_arguments_that_json_cannot_say_are_refused(jobs):
    with pytest.raises(JvizError, match="file names"):
        submit(jobs, "add", a=np.ones(3), b=1).result(20)


def test_two_calls_run_side_by_side(jobs, tmp_path):
    running = [submit(jobs, "sleep", seconds=60, note=str(tmp_path / f"{n}")) for n in range(2)]
    wait_until(lambda: all((tmp_path / f"{n}").exists() and (tmp_path / f"{n}").read_text() for n in range(2)))
    assert (tmp_path / "0").read_text() != (tmp_path / "1").read_text()
    for job in running:
        job.cancel()
    wait_until(lambda: all(job.is_over for job in running))


def test_closing_leaves_no_process_and_no_file(jobs):
    assert submit(jobs, "add", a=1, b=1).result(20) == 2
    workers = list(pool._ready)
    pool.close()
    assert all(gone(worker.process.pid) for worker in workers)
    assert not any(Path(worker.scratch).exists() for worker in workers)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_worker_ends_when_its_parent_was_killed(tmp_path):
    code = (
        "import sys; from jviz.jobs import Dispatcher, Jobs; from jviz.worker import run_in_worker\n"
        "jobs = Jobs(Dispatcher())\n"
        f"jobs.submit('Work', lambda job: run_in_worker(job, '{TASKS}:sleep', seconds=60, note=sys.argv[1])).result()"
    )
    note = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, "-c", code, str(note)], env={**os.environ, "PYTHONPATH": os.getcwd()})
    wait_until(lambda: note.exists() and len(note.read_text().split()) == 2)
    parent.kill()
    parent.wait()
    wait_until(lambda: all(gone(int(pid)) for pid in note.read_text().split()))

"""Jobs: progress, cancel, results in the owner's thread, and nobody waits for ever."""

import threading
import time

import numpy as np
import pytest

import jviz
from jviz import JvizError
from jviz.backend.progress import Cancelled
from jviz.commands import command, forget
from jviz.jobs import Dispatcher, Jobs
from jviz.running import Apply


@pytest.fixture
def jobs():
    jobs = Jobs(Dispatcher())
    yield jobs
    jobs.close()


@pytest.fixture
def declared():
    """Declare commands that are gone after the test."""
    ids = []

    def declare(id, function, **options):
        command(id, title=id, **options)(function)
        ids.append(id)

    yield declare
    for id in ids:
        forget(id)


class Loop:
    """The owner's event loop, turned by hand."""

    def __init__(self, dispatcher):
        self.dispatcher, self.awake = dispatcher, threading.Event()
        dispatcher.bind(self.awake.set)

    def until(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            self.awake.wait(0.01)
            self.awake.clear()
            self.dispatcher.drain()


def test_a_job_gives_its_result_and_its_progress(jobs):
    seen = []
    jobs.changed.connect(told := lambda job: seen.append((job.state, job.done)))

    def work(job):
        for n in range(3):
            job.report(n, 3, f"part {n}")
        return 42

    job = jobs.submit("Count", work)
    assert job.result(30) == 42
    assert (job.state, job.progress) == ("done", 1.0)
    assert [line[9:] for line in job.log] == ["part 0", "part 1", "part 2"]
    assert seen[-1] == ("done", 2)
    assert told


def test_a_failure_is_raised_where_the_result_is_asked_for(jobs):
    def work(job):
        raise JvizError("no luck")

    job = jobs.submit("Fail", work)
    with pytest.raises(JvizError, match="no luck"):
        job.result(30)
    assert job.state == "failed"
    assert "no luck" in job.log[-1]


def test_cancel_stops_at_the_next_report(jobs):
    begun = threading.Event()

    def work(job):
        begun.set()
        while True:
            job.report(0)
            time.sleep(0.001)

    job = jobs.submit("Endless", work)
    begun.wait(5)
    job.cancel()
    with pytest.raises(JvizError, match="Endless was cancelled"):
        job.result(30)
    assert job.state == "cancelled"


def test_a_queued_job_that_is_cancelled_never_begins(jobs):
    go, ran = threading.Event(), []
    blockers = [jobs.submit("Block", lambda job: go.wait(5)) for _ in range(jobs.threads)]
    job = jobs.submit("Late", lambda job: ran.append(1))
    urgent = jobs.submit("Urgent", lambda job: ran.append("urgent"), urgent=True)
    job.cancel()
    assert job.state == "cancelled"
    go.set()
    for blocker in blockers:
        blocker.result(30)
    urgent.result(30)
    assert ran == ["urgent"]


def test_jobs_that_wait_for_jobs_do_not_wait_for_ever(jobs):
    def outer(job):
        return sum(jobs.submit("Inner", inner).result(30) for _ in range(3))

    def inner(job):
        return jobs.submit("Innermost", lambda job: 1).result(30)

    running = [jobs.submit("Outer", outer) for _ in range(4)]
    assert [job.result(10) for job in running] == [3] * 4


def test_a_result_that_takes_too_long_is_a_timeout(jobs):
    go = threading.Event()
    job = jobs.submit("Slow", lambda job: go.wait(5))
    with pytest.raises(TimeoutError, match="Slow"):
        job.result(0.02)
    go.set()
    job.result(30)


def test_who_shows_jobs_does_not_make_them_fail(jobs, caplog):
    def broken(job):
        raise RuntimeError("panel is broken")

    jobs.changed.connect(broken)
    assert jobs.submit("Work", lambda job: job.report(1) or 7).result(30) == 7
    assert "panel is broken" in caplog.text


def test_quiet_jobs_are_not_listed_as_running(jobs):
    go = threading.Event()
    quiet = jobs.submit("Quiet", lambda job: go.wait(5), quiet=True)
    loud = jobs.submit("Loud", lambda job: go.wait(5))
    assert jobs.running == [loud]
    go.set()
    quiet.result(30)
    loud.result(30)


def test_only_the_last_jobs_are_remembered(jobs):
    jobs.kept = 5
    for n in range(20):
        jobs.submit(f"{n}", lambda job: None).result(30)
    assert len(jobs.all) <= 7
    assert jobs.all[-1].title == "19"


def test_closing_ends_the_threads_and_refuses_more():
    jobs = Jobs(Dispatcher())
    begun = threading.Event()

    def endless(job):
        begun.set()
        while True:
            job.report(0)
            time.sleep(0.001)

    job = jobs.submit("Endless", endless)
    begun.wait(5)
    jobs.close()
    assert job.state == "cancelled"
    assert not any(thread.is_alive() for thread in jobs._workers)
    with pytest.raises(JvizError, match="closed"):
        jobs.submit("More", lambda job: None)


# --- the owner's thread -----------------------------------------------------------------------------


def test_results_are_applied_in_the_owners_thread(session, declared):
    where = {}

    def work(session: jviz.Session, progress):
        where["work"] = threading.current_thread()
        return Apply(lambda: where.update(apply=threading.current_thread()) or "done")

    declared("test.work", work, job=True)
    loop = Loop(session.dispatcher)
    job = session.submit("test.work")
    time.sleep(0.05)
    assert "apply" not in where  # nobody has turned the loop yet
    loop.until(lambda: job.is_over)
    assert job.result() == "done"
    assert where["apply"] is threading.main_thread() is not where["work"]


def test_the_owner_can_wait_for_a_result(session, tmp_path):
    np.save(tmp_path / "a.npy", np.ones((4, 4)))
    Loop(session.dispatcher)
    [data] = session.submit("file.open", paths=[str(tmp_path / "a.npy")]).result(20)
    assert session.data == (data,)
    assert session.undo()


def test_a_command_that_is_no_job_runs_in_the_owners_thread(session, declared):
    where = []

    def act(session: jviz.Session):
        where.append(threading.current_thread())
        session.set_views(())

    declared("test.act", act)
    loop = Loop(session.dispatcher)
    job = session.submit("test.act")
    loop.until(lambda: job.is_over)
    assert where == [threading.main_thread()]


def test_a_cancelled_job_applies_nothing(session, declared):
    applied, worked = [], threading.Event()

    def work(session: jviz.Session):
        worked.set()
        return Apply(lambda: applied.append(1))

    declared("test.work", work, job=True)
    loop = Loop(session.dispatcher)
    job = session.submit("test.work")
    worked.wait(5)
    job.cancel()
    loop.until(lambda: job.is_over)
    assert job.state == "cancelled"
    session.dispatcher.drain()
    assert applied == []
    assert len(session.history) == 0


def test_one_call_that_raises_does_not_stop_the_others():
    dispatcher = Dispatcher()
    Loop(dispatcher)
    ran = []

    def from_elsewhere():
        dispatcher.call(lambda: 1 / 0)
        dispatcher.call(lambda: ran.append(1))

    thread = threading.Thread(target=from_elsewhere)
    thread.start()
    thread.join()
    with pytest.raises(ZeroDivisionError):
        dispatcher.drain()
    assert ran == [1]


def test_ask_brings_back_values_and_errors():
    dispatcher = Dispatcher()
    loop, answers = Loop(dispatcher), []

    def from_elsewhere():
        answers.append(dispatcher.ask(lambda: 5))
        try:
            dispatcher.ask(lambda: 1 / 0)
        except ZeroDivisionError as error:
            answers.append(str(error))
        try:
            dispatcher.ask(lambda: answers.append("never"), unless=lambda: True)
        except Cancelled:
            answers.append("cancelled")

    thread = threading.Thread(target=from_elsewhere)
    thread.start()
    loop.until(lambda: len(answers) == 3)
    thread.join()
    assert answers == [5, "division by zero", "cancelled"]


def test_an_owner_that_leaves_does_not_strand_who_asked():
    dispatcher = Dispatcher()
    Loop(dispatcher)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(dispatcher.ask(lambda: 5)))
    thread.start()
    time.sleep(0.02)
    dispatcher.bind(None)
    thread.join(5)
    assert answers == [5]


def test_what_came_while_another_thread_held_the_session_is_not_left_lying():
    """The owner is woken for it, finds the session held, and goes back to its events."""
    dispatcher, woken, ran = Dispatcher(), [], []
    dispatcher.bind(lambda: woken.append(1))
    held, go_on = threading.Event(), threading.Event()

    def from_elsewhere():
        with dispatcher.hold():
            dispatcher.call(lambda: ran.append(1))
            held.set()
            go_on.wait(30)

    thread = threading.Thread(target=from_elsewhere)
    thread.start()
    assert held.wait(30)
    dispatcher.drain()
    assert (woken, ran) == ([1], [])
    go_on.set()
    thread.join()
    assert woken == [1, 1]
    dispatcher.drain()
    assert ran == [1]


def test_without_an_owner_changes_happen_one_at_a_time(session, declared):
    """Many jobs and the main thread change the session at once; every step is whole."""

    def work(n: int) -> object:
        return Apply(lambda: [session.add(np.ones((2, 2)), name=f"{n}"), time.sleep(0.001)][0], f"{n}")

    declared("test.work", work, job=True)
    jobs = [session.submit("test.work", n=n) for n in range(20)]
    for n in range(20, 30):
        session.add(np.ones((2, 2)), name=f"{n}")
    for job in jobs:
        job.result(20)
    assert sorted(map(int, session.names)) == list(range(30))
    assert len(session.history) == 30
    while session.undo():
        pass
    assert session.names == []


def test_a_command_may_wait_for_a_job_of_its_own(session, declared):
    def outer(session: jviz.Session):
        return session.submit("data.add", thing=np.ones((2, 2)), name="inner").result(10)

    declared("test.outer", outer)
    assert session.run("test.outer").name == "inner"
    assert len(session.history) == 1


def test_quiet_jobs_wait_while_they_are_held_and_urgent_ones_do_not():
    jobs, done = Jobs(Dispatcher()), []
    jobs.hold()
    quiet = jobs.submit("quiet", lambda job: done.append("quiet"), quiet=True)
    jobs.submit("urgent", lambda job: done.append("urgent"), quiet=True, urgent=True).result(30)
    jobs.submit("loud", lambda job: done.append("loud")).result(30)
    assert (quiet.state, done) == ("queued", ["urgent", "loud"])
    jobs.release()
    quiet.result(30)
    assert done == ["urgent", "loud", "quiet"]
    jobs.close()


def test_a_held_job_begins_when_somebody_waits_for_it():
    jobs = Jobs(Dispatcher())
    jobs.hold()
    assert jobs.submit("quiet", lambda job: 7, quiet=True).result(30) == 7
    jobs.close()

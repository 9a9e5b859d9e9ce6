"""Several programs share one list of transfers: none fetches, stops or marks what another one that lives is at."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from jviz.backend.archive.ledger import INTERRUPTED
from jviz.backend.locks import FileLock, is_locked
from jviz.backend.progress import Cancelled
from tests.backend.archive.test_transfers import NAMES, until, wanted

PROGRAM = """
import pathlib, sys
from jviz.backend.archive.fetch import Wanted
from jviz.backend.archive.transfers import Transfers
from jviz.backend.library.catalogue import Library

transfers = Transfers(Library(pathlib.Path(sys.argv[1])))
sys.stdin.readline()
files = [Wanted(url, url.rpartition("/")[2]) for url in sys.argv[3:]]
done = transfers.wait(transfers.add(files, pathlib.Path(sys.argv[2])))
print(*[transfer.state for transfer in done])
transfers.close()
"""


@pytest.fixture
def program(library, tmp_path):
    """Start other programs that fetch files when told to begin; they end with the test."""
    started = []

    def start(*files):
        command = [sys.executable, "-c", PROGRAM, str(library.path), str(tmp_path / "in"), *(f.url for f in files)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def begin(*processes):
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def running_elsewhere(transfers):
    until(lambda: any(t.state == "running" and t.elsewhere and t.done > 0 for t in transfers.listed()))
    return transfers.listed()[0]


def test_what_another_program_fetches_is_neither_fetched_nor_stopped(mast, holdings, transfers, program, tmp_path):
    mast.rate = 60_000
    other = program(wanted(mast, NAMES[0]))
    begin(other)
    theirs = running_elsewhere(transfers)
    assert transfers.add([wanted(mast, NAMES[0])], tmp_path / "in") == [theirs.number]
    for change in (transfers.pause, transfers.cancel, transfers.resume):
        assert change([theirs.number]) == []

    def stop(done, total, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        transfers.wait([theirs.number], stop)
    assert transfers.listed()[0].state == "running"
    [seen] = transfers.wait([theirs.number])
    assert (seen.state, seen.path) == ("done", tmp_path / "in" / NAMES[0])
    assert other.communicate()[0].split() == ["done"]
    assert seen.path.read_bytes() == (holdings / NAMES[0]).read_bytes()
    assert len(mast.asked(NAMES[0])) == 1


def test_what_a_killed_program_was_at_goes_on_where_somebody_waits_for_it(mast, holdings, transfers, program, tmp_path):
    mast.rate = 40_000
    other = program(wanted(mast, NAMES[0]))
    begin(other)
    theirs = running_elsewhere(transfers)
    part = tmp_path / "in" / f".{NAMES[0]}.part"
    until(lambda: part.stat().st_size > 16_000)
    timer = threading.Timer(0.2, other.kill)
    timer.start()
    [done] = transfers.wait(transfers.add([wanted(mast, NAMES[0])], tmp_path / "in"))
    timer.join()
    assert (done.number, done.state) == (theirs.number, "done")
    assert done.path.read_bytes() == (holdings / NAMES[0]).read_bytes()
    assert 0 < done.received < done.path.stat().st_size, "what the other one had fetched was kept"
    assert len(mast.asked(NAMES[0])) == 2
    assert mast.asked(NAMES[0])[1].headers["range"].startswith("bytes=")
    assert [path.name for path in (tmp_path / "in").iterdir()] == [NAMES[0]]


def test_a_killed_program_leaves_its_transfers_paused_for_those_that_live(mast, transfers, program):
    mast.rate = 50_000
    other = program(wanted(mast, NAMES[0]))
    begin(other)
    running_elsewhere(transfers)
    other.kill()
    until(lambda: transfers.listed()[0].state == "paused")
    [left] = transfers.listed()
    assert (left.reason, left.elsewhere) == (INTERRUPTED, False)
    assert left.done > 0, "how far it was is known"
    mast.rate = 0
    assert transfers.resume([left.number]) == [left.number]
    assert transfers.wait([left.number])[0].state == "done"


def test_a_program_that_sleeps_is_not_dead(mast, transfers, program):
    mast.rate = 60_000
    other = program(wanted(mast, NAMES[0]))
    begin(other)
    theirs = running_elsewhere(transfers)
    other.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    assert transfers.resume([theirs.number]) == transfers.cancel([theirs.number]) == []
    assert transfers.listed()[0].state == "running"
    other.send_signal(signal.SIGCONT)
    assert transfers.wait([theirs.number])[0].state == "done"


def test_programs_that_begin_at_once_fetch_each_file_once(mast, holdings, library, program, tmp_path):
    mast.rate = 1_000_000
    files = [wanted(mast, name) for name in NAMES]
    programs = [program(*files), program(*files[::-1]), program(*files)]
    begin(*programs)
    assert [process.communicate()[0].split() for process in programs] == [["done"] * len(NAMES)] * 3
    assert [len(mast.asked(name)) for name in NAMES] == [1] * len(NAMES)
    assert [row["name"] for row in library.ask("SELECT name FROM download ORDER BY name")] == NAMES
    assert {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()} == {
        name: (holdings / name).read_bytes() for name in NAMES
    }


def test_two_addresses_of_one_file_take_turns(mast, holdings, transfers, tmp_path):
    mast.rate = 500_000
    one = wanted(mast, NAMES[0])
    two = type(one)(f"{mast.url}/plain/{NAMES[0]}", NAMES[0])
    done = transfers.wait(transfers.add([one, two], tmp_path / "in"))
    assert [transfer.state for transfer in done] == ["done", "done"]
    assert {transfer.path for transfer in done} == {tmp_path / "in" / NAMES[0]}
    assert done[0].path.read_bytes() == (holdings / NAMES[0]).read_bytes()
    assert sum(entry.path.endswith(NAMES[0]) for entry in mast.log) == 1


def test_who_waits_elsewhere_in_this_program_keeps_the_transfer(mast, transfers, tmp_path):
    mast.rate = 150_000
    numbers = transfers.add([wanted(mast, NAMES[0])], tmp_path / "in")
    found = []
    other = threading.Thread(target=lambda: found.extend(transfers.wait(numbers)))
    other.start()
    until(lambda: transfers._waited[numbers[0]] == 1)

    def stop(done, total, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        transfers.wait(numbers, stop)
    other.join()
    assert [transfer.state for transfer in found] == ["done"]


# --- the locks themselves -------------------------------------------------------------------------------


def test_one_has_a_lock_at_a_time_and_a_killed_one_loses_it(tmp_path):
    path = tmp_path / "a.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, pathlib, time\nfrom jviz.backend.locks import FileLock\n"
         "lock = FileLock(pathlib.Path(sys.argv[1]))\nprint(lock.take(), flush=True)\ntime.sleep(60)", str(path)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline().strip() == "True"
    mine = FileLock(path)
    assert is_locked(path)
    assert not mine.take()
    holder.kill()
    holder.communicate()
    assert not is_locked(path)
    assert mine.take()
    assert not FileLock(path).take()
    mine.give()
    assert not path.exists()
    mine.give()  # once more does nothing


def test_many_that_want_a_lock_get_it_one_after_the_other(tmp_path):
    inside, most, count = 0, 0, 0

    def work():
        nonlocal inside, most, count
        for _ in range(25):
            lock = FileLock(tmp_path / "a.lock")
            while not lock.take():
                time.sleep(0.0005)
            inside += 1
            most = max(most, inside)
            count += 1
            inside -= 1
            lock.give()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, count) == (1, 100)

"""The list of downloads survives pauses, restarts and crashes, and what goes on adds no byte twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from jviz.backend.archive.fetch import Wanted
from jviz.backend.archive.keys import Secrets
from jviz.backend.archive.transfers import INTERRUPTED, Transfers
from jviz.errors import JvizError

NAMES = [f"jw01234-o{number:03d}_t001_nircam_clear-f200w_i2d.fits" for number in range(4)]


def wanted(server, name):
    return Wanted(f"{server.url}/api/v0.1/Download/file?uri=mast:JWST/product/{name}", name)


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_token_that_was_given_up_is_not_shown_any_more_by_a_thread_that_goes_on(mast, holdings, library, tmp_path):
    secret, kept = NAMES[0].replace("o000", "o004"), ["right-token"]
    transfers = Transfers(library, keys=lambda: Secrets(kept[0]), per_host=1)  # one thread for both files
    mast.rate = 200_000
    numbers = transfers.add([wanted(mast, NAMES[0]), wanted(mast, secret)], tmp_path / "in")
    until(lambda: transfers.get(numbers)[0].done > 0)
    kept[0], mast.rate = "", 0
    first, second = transfers.wait(numbers)
    assert (first.state, second.state) == ("done", "failed")
    assert "archive.login" in second.reason
    assert all("authorization" not in asked.headers for asked in mast.asked(secret))
    transfers.close()


def test_a_pause_keeps_what_came_and_the_rest_is_asked_for(mast, holdings, transfers, tmp_path):
    mast.rate = 200_000
    [number] = transfers.add([wanted(mast, NAMES[0])], tmp_path / "in")
    until(lambda: transfers.get([number])[0].done >= 32_768)
    transfers.pause([number])
    [paused] = transfers.listed()
    assert (paused.state, paused.path) == ("paused", None)
    part = tmp_path / "in" / f".{NAMES[0]}.part"
    until(lambda: part.stat().st_size >= 32_768)
    mast.rate = 0
    transfers.resume([number])
    [done] = transfers.wait([number])
    assert done.state == "done"
    assert done.path.read_bytes() == (holdings / NAMES[0]).read_bytes()
    assert done.received < done.path.stat().st_size
    assert mast.asked(NAMES[0])[-1].headers["range"].startswith("bytes=")


def test_a_cancel_is_heard_at_once_and_can_be_taken_back(mast, holdings, transfers, tmp_path):
    mast.rate = 50_000
    [number] = transfers.add([wanted(mast, NAMES[0])], tmp_path / "in")
    until(lambda: transfers.get([number])[0].done > 0)
    transfers.cancel([number])
    assert transfers.wait([number])[0].state == "cancelled"
    mast.rate = 0
    assert transfers.add([wanted(mast, NAMES[0])], tmp_path / "in") != [number], "history is kept"
    until(lambda: transfers.listed()[0].state == "done")
    assert [t.state for t in transfers.listed()] == ["done", "cancelled"]


def test_what_ends_while_the_list_is_read_stands_on_it_once(mast, transfers, library, tmp_path, monkeypatch):
    mast.rate = 50_000
    numbers = transfers.add([wanted(mast, name) for name in NAMES[:2]], tmp_path / "in")
    until(lambda: transfers.get(numbers)[0].done > 0)
    ask = library.ask

    def ends_then(sql, values=()):
        rows = ask(sql, values)
        if "FROM transfer WHERE state IN" in sql and sql.startswith("SELECT *"):
            monkeypatch.undo()
            transfers.cancel(numbers[:1])
            transfers.wait(numbers[:1])
        return rows

    monkeypatch.setattr(library, "ask", ends_then)
    assert [t.number for t in transfers.listed()] == numbers[::-1]
    assert library.ask is not ends_then
    assert [t.number for t in transfers.listed(unfinished=True)] == numbers[1:]


def test_killed_in_the_middle_it_goes_on_and_the_bytes_are_equal(mast, holdings, library, tmp_path):
    mast.rate = 100_000
    program = (
        "import sys, pathlib\n"
        "from jviz.backend.archive.fetch import Wanted\n"
        "from jviz.backend.archive.transfers import Transfers\n"
        "from jviz.backend.library.catalogue import Library\n"
        "transfers = Transfers(Library(pathlib.Path(sys.argv[1])))\n"
        "files = [Wanted(url, url.rpartition('/')[2]) for url in sys.argv[3:]]\n"
        "transfers.wait(transfers.add(files, pathlib.Path(sys.argv[2])))\n"
    )
    urls = [wanted(mast, name).url for name in NAMES]
    process = subprocess.Popen([sys.executable, "-c", program, library.path, tmp_path / "in", *urls])
    parts = [tmp_path / "in" / f".{name}.part" for name in NAMES]
    until(lambda: all(part.exists() and part.stat().st_size > 16_000 for part in parts))
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = sum(part.stat().st_size for part in parts)
    mast.rate = 0
    transfers = Transfers(library)
    left = transfers.listed()
    assert {(t.state, t.reason) for t in left} == {("paused", INTERRUPTED)}
    transfers.resume([t.number for t in left])
    done = transfers.wait([t.number for t in left])
    transfers.close()
    assert [t.path.read_bytes() for t in done] == [(holdings / t.wanted.name).read_bytes() for t in done]
    sizes = sum(t.path.stat().st_size for t in done)
    assert sum(t.received for t in done) == sizes - kept, "no byte comes twice"
    assert library.ask("PRAGMA integrity_check")[0][0] == "ok"


def test_what_runs_in_another_program_is_left_alone(mast, library, tmp_path):
    mast.rate = 50_000
    one = Transfers(library)
    one.add([wanted(mast, NAMES[0])], tmp_path / "in")
    other = Transfers(library)
    assert other.listed()[0].state in ("waiting", "running")
    one.close()
    assert other.listed()[0].state == "paused"
    other.close()


def test_no_room_for_all_of_it_is_said_before_any_is_on_the_list(mast, transfers, tmp_path):
    huge = [Wanted(wanted(mast, name).url, name, size=10**15) for name in NAMES]
    with pytest.raises(JvizError, match="Free some space"):
        transfers.add(huge, tmp_path / "in")
    assert transfers.listed() == []
    assert mast.log == []

"""What every test gets: an offscreen Qt, folders of its own, and a guard against what is left behind."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTEST_QT_API", "pyside6")

import faulthandler
import gc
import socket
import sys
import tempfile
import threading
from pathlib import Path

import hypothesis
import pytest
from pytestqt.qtbot import QtBot

from jviz.viewers.tidying import tidying
from tests import privileges

pytest_plugins = ["tests.archives", "tests.associations", "tests.calibrations"]
# Worker processes get the path of this one, and import sitecustomize from it.
sys.path.insert(0, str(Path(__file__).parent / "loopback_only"))
PATIENCE_MS = 30_000
# How long an example takes on a busy machine is no matter of a test.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real files from many telescopes; not part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"the folder of real files {SHARED} is not on this machine")
    return SHARED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add to the report of a test that failed what its session and its threads were doing."""
    report = yield
    if report.when == "call" and report.failed:
        session = item.funcargs.get("session")
        if hasattr(session, "jobs"):
            lines = [f"{job} {job.text} {job.error or ''}" for job in session.jobs.all]
            report.sections.append(("Jobs of the session", "\n".join(lines)))
        with tempfile.TemporaryFile("w+") as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            report.sections.append(("Threads", file.read()))
    return report


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory, monkeypatch):
    """Give each test settings, cache and data folders of its own."""
    home = tmp_path_factory.mktemp("jviz-home")
    monkeypatch.setenv("JVIZ_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def samp_lock_file(tmp_path_factory, monkeypatch) -> Path:
    """Where the SAMP hub of the test says that it is there: never in the home of whoever runs the tests."""
    path = tmp_path_factory.mktemp("samp") / "hub.samp"
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{path.as_uri()}")
    return path


class PatientBot(QtBot):
    """Waits at least `PATIENCE_MS` for what should come: how soon it comes on a busy machine is no matter of a test."""

    def waitUntil(self, callback, *, timeout=0):
        super().waitUntil(callback, timeout=max(timeout, PATIENCE_MS))

    def waitSignal(self, signal, *, timeout=0, **options):
        return super().waitSignal(signal, timeout=max(timeout, PATIENCE_MS), **options)


@pytest.fixture
def qtbot(qapp, request):
    """Give the hand and the patience of a user, see `PatientBot`."""
    return PatientBot(request)


@pytest.fixture
def like_anybody():
    """Let the permissions of files count for the test even when root runs it, who may read everything."""
    if os.name != "posix":
        pytest.skip("there are no such permissions here")
    if os.geteuid() != 0:
        yield
        return
    with privileges.without_overriding_permissions():
        yield


@pytest.fixture(autouse=True)
def garbage_is_collected_between_tests():
    """Collect in this thread only: met in a job's, a widget in a cycle of references ends the program."""
    gc.disable()
    yield
    tidying().tidy()


@pytest.fixture(autouse=True)
def no_leaked_threads():
    """Fail a test that leaves a non-daemon thread of its own running."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.is_alive() and not t.daemon]
    for thread in left:
        thread.join(2)
    left = [t.name for t in left if t.is_alive()]
    assert not left, f"threads left behind: {left}"


@pytest.fixture(autouse=True)
def no_network_but_loopback(monkeypatch):
    """Refuse every other host."""
    connect = socket.socket.connect

    def guarded(self, address):
        host = address[0] if isinstance(address, tuple) else "127.0.0.1"
        assert host in ("127.0.0.1", "::1", "localhost"), f"a test wants to reach {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)

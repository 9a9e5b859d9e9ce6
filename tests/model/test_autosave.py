"""What was not saved survives the end of its process, and only then."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz.autosave import Autosave, discard, folder, recoverable, restore


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / "field.fits"
    fits.PrimaryHDU(np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32)).writeto(path)
    return path


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture
def autosave(session):
    autosave = Autosave(session)
    yield autosave
    autosave.stop()


OTHER = """
import sys, time, numpy as np, jviz
from jviz.autosave import Autosave
session = jviz.Session()
session.settings["session.autosave_seconds"] = 1
autosave = Autosave(session)
autosave.start()
session.open(sys.argv[1])
session.add(np.arange(12.0).reshape(3, 4), name="made")
view = session.view("image", data="field")
view.update(stretch="asinh", rotation=33.0)
view.centre = (7.5, 8.25)
while not autosave.path.exists():
    time.sleep(0.01)
view.scale = 3.0
autosave.save_now() and autosave._job.result()
print("ready", flush=True)
if sys.argv[2] == "ends":
    autosave.stop()
    session.close()
else:
    time.sleep(60)
"""
OTHER = OTHER.replace('view.update(stretch="asinh", rotation=33.0)', 'view.stretch = "asinh"; view.rotation = 33.0')


def start(image_file, how):
    command = [sys.executable, "-c", OTHER, str(image_file), how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of Unix")
def test_a_session_that_was_killed_is_offered_and_restored(image_file, session):
    with start(image_file, "is killed") as process:
        assert recoverable() == []  # it is running: nothing to recover
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    [recovery] = recoverable()
    assert recovery.names == ("field", "made")
    restore(session, recovery)
    view = session.views["Image 1"]
    assert (view.stretch, view.rotation, view.centre, view.scale) == ("asinh", 33.0, (7.5, 8.25), 3.0)
    np.testing.assert_array_equal(session["made"].get(np.ndarray), np.arange(12.0).reshape(3, 4))
    with fits.open(image_file) as units:
        np.testing.assert_array_equal(session["field"].get(np.ndarray), units[0].data)
    assert "session.view(kind='image', data='field')" in session.script()
    assert session.path is None
    assert session.modified
    assert recoverable() == []
    assert not list(folder().iterdir())


def test_a_clean_end_leaves_nothing(image_file):
    with start(image_file, "ends") as process:
        process.wait(20)
    assert recoverable() == []
    assert not list(folder().iterdir())


def test_only_changes_are_written(session, autosave, image_file):
    assert autosave.save_now() is None
    session.open(image_file)
    view = session.view("image", data="field")
    autosave.save_now().result(10)
    written = autosave.path.stat().st_mtime_ns
    assert autosave.save_now() is None
    view.rotation = 5
    autosave.save_now().result(10)
    assert autosave.path.stat().st_mtime_ns > written
    session.undo()
    assert autosave.save_now() is not None


def test_a_recovery_can_be_discarded(session, image_file):
    autosave = Autosave(session)
    session.open(image_file)
    autosave.save_now().result(10)
    assert recoverable() == []
    autosave.stop(keep=True)
    [recovery] = recoverable()
    assert recovery.when == pytest.approx(recovery.path.stat().st_mtime, abs=60)
    discard(recovery)
    assert recoverable() == []
    assert not list(folder().iterdir())


def test_damaged_recovery_files_are_not_offered():
    folder().mkdir(parents=True)
    (folder() / "1-2.jviz").write_bytes(b"PK\x03\x04 cut")
    assert recoverable() == []


def test_the_interval_can_be_changed_while_it_runs(session, autosave, image_file):
    session.settings["session.autosave_seconds"] = 0
    autosave.start()
    session.open(image_file)
    session.settings["session.autosave_seconds"] = 1
    for _ in range(500):
        if autosave.path.exists():
            break
        autosave._thread.join(0.02)
    assert autosave.path.exists()

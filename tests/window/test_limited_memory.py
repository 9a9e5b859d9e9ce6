"""A window whose process may hold less than the cube it shows: slices, spectra, regions and commands go on."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

SHAPE = (500, 480, 250)
"""240 MB."""

LOOK = """
import json, os, resource, sys, time
import numpy as np
import jviz
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from regions import CirclePixelRegion, PixCoord

window = jviz.launch([], show=False)
window.resize(1000, 700)
window.show()
session, application = window.session, QApplication.instance()


def until(ready, what):
    end = time.monotonic() + 60
    while not ready():
        if time.monotonic() > end:
            print(f"never came: {what}; {list(session.notices)}", flush=True)
            os._exit(1)
        application.processEvents()
        time.sleep(0.002)


def live(start):
    return next((one for one in session.live_spectra.shown if one.title.startswith(start)), None)


def look(cube):
    found, (n, ny, nx) = {}, cube.shape
    viewer = window.open_viewer("cube", data=cube)
    until(lambda: viewer.is_sharp, "the first slice")
    viewer.setFocus()
    for key in (Qt.Key.Key_Period, Qt.Key.Key_PageUp, Qt.Key.Key_Comma):
        before = viewer.state.slice
        QTest.keyClick(viewer, key)
        until(lambda: viewer.state.slice != before and viewer.is_sharp, "another slice")
    window.open_viewer("spectrum")
    until(lambda: session.cube_spectra.reader(cube) is not None, "the reader")
    session.pointer.move(viewer.state, 20, 30)
    until(lambda: live("Spaxel 20, 30") is not None and len(live("Spaxel").samples.flux) == n, "the spaxel")
    found["spaxel"] = float(live("Spaxel").samples.flux[n // 2])
    session.run("subset.create", name="core", region=CirclePixelRegion(PixCoord(20, 30), 9), data=cube)
    for x in (22, 24, 26, 28):
        moved = session.subsets["core"].but(region=CirclePixelRegion(PixCoord(x, 30), 9))
        session.set_subsets({"core": moved})
        application.processEvents()
    until(lambda: live("core") is not None and len(live("core").samples.flux) == n, "the region")
    found["live"] = float(live("core").samples.flux[n // 2])
    made = session.run("cube.extract", data=cube, region="core", statistic="mean").samples[0]
    until(lambda: np.allclose(live("core").samples.flux, made.flux, rtol=1e-5), "the region where it is now")
    found["kept"] = float(made.flux[n // 2])
    until(lambda: all(job.is_over for job in session.jobs.all), "the end of the copy, which takes memory as well")
    found["moment"] = float(session.run("cube.moment", data=cube, order=0).plane("SCI").read((30, 20)))
    return found


def taken(name):
    with open("/proc/self/status") as stream:
        return int(next(line for line in stream if line.startswith(name + ":")).split()[1]) << 10


look(session.add(np.ones((60, 70, 80), np.float32), name="small"))  # what is imported is part of the bare program
kind, field = {"data": (resource.RLIMIT_DATA, "VmData"), "addresses": (resource.RLIMIT_AS, "VmSize")}[sys.argv[2]]
session.run("data.remove", data="small")
resource.setrlimit(kind, (taken(field) + (215 << 20),) * 2)
window.open_files([sys.argv[1]])
until(lambda: "cube" in session.names, "the cube")
print(json.dumps(look(session["cube"])))
window.close_at_once()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limits")
@pytest.mark.parametrize("limit", ["data", "addresses"])
def test_a_window_shows_a_cube_larger_than_its_memory(tmp_path, limit):
    values = np.random.default_rng(8).normal(5, 1, SHAPE).astype(">f4")
    header = fits.Header({"CTYPE3": "WAVE", "CRVAL3": 5.0, "CDELT3": 0.01, "CUNIT3": "um", "BUNIT": "MJy/sr"})
    fits.PrimaryHDU(values, header).writeto(tmp_path / "cube.fits")
    env = {**os.environ, "JVIZ_HOME": str(tmp_path / "home"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", LOOK, str(tmp_path / "cube.fits"), limit], capture_output=True,
                          text=True, env=env)  # fmt: skip
    (tmp_path / "cube.fits").unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    middle = SHAPE[0] // 2
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    inside = np.hypot(x - 28, y - 30) < 9
    assert found["spaxel"] == pytest.approx(float(values[middle, 30, 20]), rel=1e-6)
    assert found["kept"] == pytest.approx(found["live"], rel=0.05)
    assert found["kept"] == pytest.approx(float(values[middle][inside].mean()), rel=0.01)
    assert found["moment"] == pytest.approx(float(values[:, 30, 20].astype(float).sum()) * 0.01, rel=1e-4)

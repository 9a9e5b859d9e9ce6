"""Cubes where memory is short, and files that change under us: clear words, the rest goes on."""

import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

import jviz

HEADER = {"CTYPE3": "WAVE", "CRVAL3": 5.0, "CDELT3": 0.01, "CUNIT3": "um", "BUNIT": "MJy/sr"}

SMALL_MEMORY = """
import resource, sys
import jviz
from pathlib import Path
session = jviz.Session()
[cube] = session.open(sys.argv[1])
for id in sys.argv[2:]:
    session.run(id, data=cube, **({} if id == "cube.extract" else {"spectral": (5.0, 5.02)}))
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
room = held + cube.path.stat().st_size * 3 // 4  # the map of the file is held already
resource.setrlimit(resource.RLIMIT_AS, (room, room))
for id in sys.argv[2:]:
    made = session.run(id, data=cube)
    values = made.samples[0].flux if hasattr(made, "samples") else made.plane().read()
    print(id, repr(float(values.mean())))
session.close()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space are those of Linux")
def test_a_cube_larger_than_the_memory_that_is_left_is_measured(tmp_path):
    shape = (400, 300, 400)
    header = fits.PrimaryHDU(np.zeros((1, 1, 1), np.float32), fits.Header(HEADER)).header
    header["NAXIS1"], header["NAXIS2"], header["NAXIS3"] = shape[::-1]
    path = tmp_path / "large.fits"
    header.tofile(path)
    with path.open("ab") as stream:
        for channel in range(shape[0]):
            stream.write(np.full(shape[1:], channel, ">f4").tobytes())
        stream.write(bytes(-stream.tell() % 2880))
    ids = ["cube.collapse", "cube.moment", "cube.extract"]
    env = {**os.environ, "JVIZ_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-c", SMALL_MEMORY, str(path), *ids], capture_output=True, text=True,
                          env=env, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = dict(line.split() for line in done.stdout.splitlines())
    total = shape[0] * (shape[0] - 1) / 2
    assert float(found["cube.collapse"]) == pytest.approx(total, rel=1e-6)
    assert float(found["cube.moment"]) == pytest.approx(total * 0.01, rel=1e-6)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "cube.fits"
    values = np.random.default_rng(0).normal(5, 1, (60, 100, 100)).astype(np.float32)
    fits.PrimaryHDU(values, fits.Header(HEADER)).writeto(path)
    return path


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.mark.parametrize(
    ("id", "arguments"),
    [("cube.collapse", {}), ("cube.extract", {}), ("cube.moment", {}), ("cube.peak", {}),
     ("cube.image", {"channel": 50}), ("cube.smooth", {"sigma": 2.0})],
)  # fmt: skip
def test_a_cube_whose_file_is_cut_short_is_told_and_nothing_is_lost(session, path, id, arguments):
    [cube] = session.open(path)
    os.truncate(path, 100_000)
    with pytest.raises(jviz.JvizError, match=r"cube.fits was cut .* open it again"):
        session.run(id, data=cube, **arguments)
    assert list(session.data) == [cube]


def test_a_cube_whose_file_is_removed_is_measured_on(session, path):
    [cube] = session.open(path)
    expected = cube.plane().read().mean(axis=0)
    path.unlink()
    assert np.allclose(session.run("cube.collapse", data=cube, statistic="mean").plane().read(), expected, rtol=1e-5)

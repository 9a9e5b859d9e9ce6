"""Cubes larger than a limit on the memory of the process: read, measured and worked on, with the same numbers."""

import json
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from scipy.ndimage import gaussian_filter1d

SHAPE = (500, 480, 250)
"""240 MB."""

WORK = """
import json, resource, sys
import numpy as np
import jviz
from jviz.backend import room
from jviz.commands import all_commands
from regions import CirclePixelRegion, PixCoord

all_commands()
room.IN_MEMORY = 1 << 20
session = jviz.Session(settings={})
circle = CirclePixelRegion(PixCoord(60, 50), 9)
small = session.add(np.ones((60, 70, 80), np.float32), name="small")
for id, options in [("cube.smooth", {}), ("cube.extract", {"region": circle}), ("cube.moment", {}), ("cube.peak", {}),
                    ("cube.continuum", {"order": 0, "sigma": 0.0})]:
    session.run(id, data=small, **options)  # what is imported and compiled is part of the bare program


def taken(name):
    with open("/proc/self/status") as stream:
        return int(next(line for line in stream if line.startswith(name + ":")).split()[1]) << 10


kind, field, more = {"data": (resource.RLIMIT_DATA, "VmData", 200 << 20),
                     "addresses": (resource.RLIMIT_AS, "VmSize", 215 << 20)}[sys.argv[2]]
resource.setrlimit(kind, (taken(field) + more,) * 2)
[cube] = session.open(sys.argv[1], show=False)
found = {"mapped": isinstance(cube.plane().raw(), np.ndarray)}


def number(cube):
    return [float(cube.plane("SCI").read((k, 50, 60))) for k in (0, 250, 499)]


found["spectral"] = number(session.run("cube.smooth", data=cube, sigma=2.0))
session.undo()
found["spatial"] = number(session.run("cube.smooth", data=cube, axis="spatial", sigma=1.5))
session.undo()
found["twice"] = number(session.run("cube.arithmetic", expression="2*a", a=cube))
session.undo()
found["level"] = number(session.run("cube.continuum", data=cube, order=0, sigma=0.0, result="continuum"))
session.undo()
found["sum"] = float(session.run("cube.extract", data=cube, region=circle, statistic="sum").samples[0].flux[250])
found["mean"] = float(session.run("cube.collapse", data=cube, statistic="mean").plane("SCI").read((50, 60)))
found["peak"] = float(session.run("cube.peak", data=cube)[0].plane("SCI").read((50, 60)))
print(json.dumps(found))
session.close()
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    values = np.random.default_rng(8).normal(5, 1, SHAPE).astype(">f4")
    path = tmp_path_factory.mktemp("large") / "cube.fits"
    fits.PrimaryHDU(values).writeto(path)
    yield path, values
    path.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limits")
@pytest.mark.parametrize("limit", ["data", "addresses"])
def test_a_cube_larger_than_the_limit_is_worked_on(file, limit):
    path, values = file
    done = subprocess.run([sys.executable, "-c", WORK, str(path), limit], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["mapped"] == (limit == "data")
    line, plane = values[:, 50, 60].astype(float), values[250].astype(float)
    channels = [0, 250, 499]
    weights = gaussian_filter1d(np.ones(len(line)), 2.0, mode="constant", truncate=5)
    smooth = gaussian_filter1d(line, 2.0, mode="constant", truncate=5) / weights
    np.testing.assert_allclose(found["spectral"], smooth[channels], rtol=1e-5)
    np.testing.assert_allclose(found["twice"], 2 * line[channels], rtol=1e-6)
    np.testing.assert_allclose(found["level"], line.mean(), rtol=1e-5)
    side = np.arange(-8, 9)
    kernel = np.exp(-0.5 * (side / 1.5) ** 2)
    around = plane[50 - 8 : 50 + 9, 60 - 8 : 60 + 9]
    assert found["spatial"][1] == pytest.approx(kernel @ around @ kernel / kernel.sum() ** 2, rel=1e-5)
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    inside = np.hypot(x - 60, y - 50) < 8
    assert plane[inside].sum() < found["sum"] < plane[np.hypot(x - 60, y - 50) < 10].sum()
    assert found["mean"] == pytest.approx(line.mean(), rel=1e-5)
    assert found["peak"] == pytest.approx(line.max(), rel=1e-6)

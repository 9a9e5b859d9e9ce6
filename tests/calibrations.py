"""A small calibration chain with a CRDS cache of its own, for tests of the pipelines; one warm worker serves all."""

import importlib.metadata

import numpy as np
import pytest

from jviz import Session
from jviz.calibrations import _kept_specs

_specs = {}


@pytest.fixture
def pipelines():
    """Skip without the JWST pipelines."""
    try:
        importlib.metadata.version("jwst")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the JWST pipelines are not installed")


@pytest.fixture
def references(pipelines, pytestconfig, monkeypatch):
    """Folder of the simulated exposures, to whose references the variables of CRDS lead; there may be none."""
    folder = pytestconfig.rootpath.parent / "shared" / "data" / "sim_nircam_sub160"
    for name in ("CRDS_CONTEXT", "CRDS_MODE", "CRDS_OBSERVATORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRDS_PATH", str(folder / "crds"))
    monkeypatch.setenv("CRDS_SERVER_URL", "https://jwst-serverless-mode.stsci.edu")
    return folder


@pytest.fixture
def sim(references):
    """Folder of four simulated NIRCam exposures with their truth; the variables of CRDS lead to their references."""
    if not references.is_dir():
        pytest.skip("the simulated exposures are not on this machine")
    return references


@pytest.fixture
def uncal(sim):
    """Return the path of an exposure: ``uncal(1)``."""
    return lambda number=1, suffix="uncal": sim / f"jw09999001001_02101_0000{number}_nrcb1_{suffix}.fits"


@pytest.fixture
def truth(sim):
    """Return what was injected into an exposure."""
    return lambda number=1: np.load(sim / f"jw09999001001_02101_0000{number}_nrcb1_truth.npz", allow_pickle=True)


@pytest.fixture
def known_steps(references, own_folders):
    """Have the description of all steps at hand, as after the first start."""
    if "text" not in _specs:
        session = Session()
        session.calibrations.catalogue(session.calibrations.stand_in("Steps"))
        _specs["text"] = _kept_specs().read_text(encoding="utf-8")
        session.close()
    path = _kept_specs()
    path.write_text(_specs["text"], encoding="utf-8")


@pytest.fixture
def calibrating(known_steps):
    """A session that calibrates."""
    session = Session()
    yield session
    session.close()

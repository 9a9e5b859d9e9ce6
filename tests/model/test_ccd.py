"""Raw CCD frames reduced by commands: products, record, keywords, undo."""

import json

import numpy as np
import pytest

from jviz.errors import CommandError, JvizError
from tests.ccd_frames import SECONDS, night


@pytest.fixture
def truth(tmp_path):
    folder = tmp_path / "night"
    folder.mkdir()
    return night(folder, biases=4, darks=3, flats=3, exposures=3)


def test_a_folder_becomes_an_image_with_errors_and_a_record(session, truth, tmp_path):
    before = {path: path.read_bytes() for path in truth.folder.iterdir()}
    [image] = session.run("ccd.reduce", folder=str(truth.folder), target=str(tmp_path / "runs"))
    assert image.unit == "electron"
    assert list(image.planes) == ["SCI", "ERR", "DQ"]
    sci, err, dq = (np.asarray(image.plane(name).read(), float) for name in ("SCI", "ERR", "DQ"))
    pulls = ((sci - truth.scene_at_rest * SECONDS) / err)[dq == 0]
    assert pulls.std() == pytest.approx(1, abs=0.05)
    sky = image.wcs.pixel_to_world(79, 69)
    assert (sky.ra.deg, sky.dec.deg) == pytest.approx((150, 2), abs=1e-9), "trimming moves the reference pixel"
    folder = image.path.parent
    assert {path.name for path in folder.iterdir()} >= {
        "record.json", "log.txt", "script.py", "master_bias.fits", "master_dark_90s.fits", "master_flat_R.fits",
        "field0_red.fits", "combined_field_R.fits",
    }  # fmt: skip
    record = json.loads((folder / "record.json").read_text())
    assert len(record["inputs"]) == 13
    assert record["tasks"][0]["parameters"]["combine"] == "mean"
    assert all(len(each["sha256"]) == 64 for each in record["inputs"])
    assert "ccd.reduce" in session.run("calibration.runs")["pipelines"][0]
    assert {path: path.read_bytes() for path in before} == before
    session.undo()
    assert session.names == []
    session.redo()
    session.run("calibration.drop", data=image.name)
    assert not folder.exists()


def test_single_exposures_and_steps_left_out(session, truth):
    found = session.run("ccd.reduce", folder=str(truth.folder), combine="none", cosmic_rays=False, flat=False)
    assert len(found) == 3
    assert not list(found[0].path.parent.glob("master_flat*"))
    assert found[0].header["NRAYS"] == 0
    assert found[0].header["OBJECT"] == "field"


def test_frames_are_listed_and_keywords_mapped(session, truth):
    table = session.run("ccd.frames", folder=str(truth.folder))
    assert table.meta["instrument"] == "generic"
    assert table["exposure"].unit == "s"
    assert sorted(set(table["kind"])) == ["bias", "dark", "flat", "science"]
    words = {"science": ["dark*"], "dark": ["object"]}
    session.run("ccd.map_keywords", instrument="Test", match="TESTCAM", words=words)
    table = session.run("ccd.frames", folder=str(truth.folder))
    assert table.meta["instrument"] == "Test"
    assert {row["file"][:4]: row["kind"] for row in table}["dark"] == "science"
    assert session.run("ccd.instruments")["instrument"][0] == "Test"
    session.undo()
    assert session.run("ccd.frames", folder=str(truth.folder)).meta["instrument"] == "generic"


def test_what_is_refused(session, truth, tmp_path):
    with pytest.raises(JvizError, match="no folder"):
        session.run("ccd.reduce", folder=str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="gain is -1; it must be above 0"):
        session.run("ccd.reduce", folder=str(truth.folder), gain=-1.0)
    with pytest.raises(CommandError, match="no meaning of a keyword"):
        session.run("ccd.map_keywords", instrument="x", keywords={"colour": "FILTER"})
    with pytest.raises(CommandError, match="give keywords or words"):
        session.run("ccd.map_keywords", instrument="x")
    for path in truth.folder.glob("field*"):
        path.unlink()
    with pytest.raises(JvizError, match="no science frames here"):
        session.run("ccd.reduce", folder=str(truth.folder))
    assert session.names == []

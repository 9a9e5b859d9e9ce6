"""Reference files of products in a session and in the library."""

import numpy as np
import pytest
from astropy.io import fits

from jviz.errors import CommandError, JvizError
from tests.crds_cache import write_cache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    for name in ("CRDS_CONTEXT", "CRDS_MAPPATH", "CRDS_REFPATH"):
        monkeypatch.delenv(name, raising=False)
    folder = write_cache(tmp_path / "crds")
    monkeypatch.setenv("CRDS_PATH", str(folder))
    return folder


def write_product(path, **keys):
    first = fits.PrimaryHDU()
    first.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA3", "FILTER": "F090W",
                         "PUPIL": "CLEAR", "EXP_TYPE": "NRC_IMAGE", "READPATT": "RAPID", "SUBSIZE1": 2048,
                         "DATE-OBS": "2023-06-01", "TIME-OBS": "01:00:00.0", "CRDS_CTX": "jwst_0001.pmap",
                         "R_FLAT": "crds://flat_c.fits", "R_DARK": "crds://dark_full.fits",
                         "CAL_VER": "99.0.0"})  # fmt: skip
    first.header.update(keys)
    fits.HDUList([first, fits.ImageHDU(np.ones((9, 9), np.float32), name="SCI")]).writeto(path)
    return path


def test_best_and_used_files(session, cache, tmp_path):
    data = session.open(write_product(tmp_path / "jw1_cal.fits"))[0]
    table = session.run("crds.references", data=data)
    assert table.meta["context"] == "jwst_0002.pmap"
    rows = {row["type"]: tuple(row)[1:] for row in table}
    assert rows["flat"] == ("flat_new.fits", "missing", "flat_c.fits", True)
    assert rows["dark"] == ("dark_full.fits", "missing", "dark_full.fits", False)
    assert "ipc" not in rows
    old = session.run("crds.references", data=data, context="jwst_0001.pmap", everything=True)
    rows = {row["type"]: tuple(row)[1:] for row in old}
    assert rows["flat"] == ("flat_c.fits", "missing", "flat_c.fits", False)
    assert rows["ipc"] == ("N/A", "not applicable", "", False)


def test_a_file_in_the_cache_is_said_to_be_there(session, cache, tmp_path):
    data = session.open(write_product(tmp_path / "jw1_cal.fits", **{"DATE-OBS": "2020-06-01"}))[0]
    table = session.run("crds.references", data=data)
    assert [row["state"] for row in table if row["type"] == "flat"] == ["cached"]


def test_contexts_are_compared_rule_by_rule(session, cache):
    table = session.run("crds.compare", context_a="jwst_0001.pmap", context_b="jwst_0002.pmap")
    found = {(row["change"], row["type"], row["before"], row["after"]) for row in table}
    assert found == {
        ("added", "flat", "", "flat_new.fits"), ("removed", "mask", "OMIT", ""), ("added", "gain", "", "N/A"),
    }  # fmt: skip
    assert len(session.run("crds.compare", context_a="jwst_0002.pmap", context_b="jwst_0002.pmap")) == 0


def test_what_should_be_calibrated_anew(session, cache, tmp_path):
    folder = tmp_path / "products"
    folder.mkdir()
    write_product(folder / "jw1_cal.fits")
    write_product(folder / "jw2_cal.fits", R_FLAT="crds://flat_new.fits")
    write_product(folder / "jw3_cal.fits", **{"R_FLAT": "N/A", "R_DARK": "crds://dark_old.fits"})
    session.run("library.add", path=folder)
    here = session.open(write_product(tmp_path / "jw4_cal.fits"))[0]
    table = session.run("crds.reprocess")
    found = {row["product"]: (row["types"], row["before"], row["after"]) for row in table}
    assert found == {
        str(folder / "jw1_cal.fits"): ("flat", "flat_c.fits", "flat_new.fits"),
        str(folder / "jw3_cal.fits"): ("dark", "dark_old.fits", "dark_full.fits"),
        str(here.path): ("flat", "flat_c.fits", "flat_new.fits"),
    }
    assert table.meta["products"] == 4
    assert len(session.run("crds.reprocess", context="jwst_0001.pmap")) == 2  # jw2 used a file that was not known then


def test_older_software_is_told(session, cache, tmp_path):
    pytest.importorskip("importlib.metadata").version("jwst")
    session.open(write_product(tmp_path / "jw1_cal.fits", R_FLAT="crds://flat_new.fits", CAL_VER="1.9.0"))
    table = session.run("crds.reprocess")
    assert table["cal_ver"].tolist() == ["1.9.0"]


def test_what_is_refused(session, cache, tmp_path, monkeypatch):
    fits.writeto(tmp_path / "hst.fits", np.ones((9, 9), np.float32), fits.Header({"TELESCOP": "HST"}))
    other = session.open(tmp_path / "hst.fits")[0]
    with pytest.raises(CommandError, match="no JWST product"):
        session.run("crds.references", data=other)
    data = session.open(write_product(tmp_path / "jw1_cal.fits", INSTRUME="MIRI"))[0]
    with pytest.raises(JvizError, match="no rules for the instrument MIRI"):
        session.run("crds.references", data=data)
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(JvizError, match="CRDS_PATH"):
        session.run("crds.references", data=data)


def test_nothing_of_the_pipelines_is_imported(cache, tmp_path):
    import subprocess
    import sys

    path = write_product(tmp_path / "jw1_cal.fits")
    code = (
        "import sys, jviz; s = jviz.Session(); d = s.open(sys.argv[1])[0]; s.run('crds.references', data=d);"
        "s.run('crds.compare', context_a='jwst_0001.pmap', context_b='jwst_0002.pmap'); s.run('crds.reprocess');"
        "s.close(); assert not {'crds', 'jwst', 'stpipe', 'stdatamodels'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_simulated_chain_used_the_best_files(session, shared_data, monkeypatch):
    folder = shared_data / "sim_nircam_sub160"
    monkeypatch.setenv("CRDS_PATH", str(folder / "crds"))
    data = session.open(folder / "jw09999001001_02101_00001_nrcb1_cal.fits")[0]
    table = session.run("crds.references", data=data)
    used = [row for row in table if row["used"]]
    assert len(used) >= 10
    assert not any(row["differs"] for row in table)
    assert {row["state"] for row in used} == {"cached"}

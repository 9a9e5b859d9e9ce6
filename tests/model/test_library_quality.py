"""Reports on the products in the library: made beside everything else, kept with the bytes, found by searches."""

import shutil

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz import JvizError
from jviz.backend.library.quality import kept_reports, unchecked
from jviz.library_quality import QualityWatch
from jviz.library_watch import LibraryWatch

DONE = dict.fromkeys(("S_DQINIT", "S_SATURA", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP", "S_WCS", "S_FLAT", "S_PHOTOM"),
                     "COMPLETE")  # fmt: skip
GOOD, BAD = "jw01234001001_02101_00001_nrcb1_cal.fits", "jw01234001001_02101_00002_nrcb1_cal.fits"


def written(path, *, saturated=0, **cards):
    """Write a cal file of 100 × 100 pixels, some of them saturated."""
    rng = np.random.default_rng(saturated)
    first = fits.PrimaryHDU()
    first.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_IMAGE", "CAL_VER": "99.0",
                         "EFFEXPTM": 100.0, "PCS_MODE": "FINEGUIDE", **DONE, **cards})  # fmt: skip
    flags = np.zeros((100, 100), np.uint32)
    flags.flat[:saturated] = 2
    flags.flat[9_000:9_050] |= 4
    hdus = [fits.ImageHDU(rng.normal(1, 0.1, (100, 100)).astype(np.float32), name="SCI"),
            fits.ImageHDU(np.full((100, 100), 0.1, np.float32), name="ERR"), fits.ImageHDU(flags, name="DQ")]
    fits.HDUList([first, *hdus]).writeto(path, overwrite=True)
    return path


@pytest.fixture
def session():
    session = jviz.Session({})
    session.showing = True
    yield session
    session.close()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    written(folder / GOOD)
    written(folder / BAD, saturated=2000)
    written(folder / "hubble_flt.fits", TELESCOP="HST")
    written(folder / "jwst_nircam_dark_0001.fits", EXP_TYPE="")
    return folder


def looked(session, watch):
    watch.look()
    for job in list(session.jobs.all):
        job.result(60)
    session.dispatcher.drain()


def test_products_that_come_are_looked_at_once(session, folder):
    watch = QualityWatch(session)
    looked(session, watch)
    session.run("library.link", folder=folder)
    looked(session, watch)
    found = session.run("library.search")
    verdicts = dict(zip(found["name"], found["quality"].filled("none"), strict=True))
    assert verdicts == {GOOD: "good", BAD: "bad", "hubble_flt.fits": "none", "jwst_nircam_dark_0001.fits": "none"}
    assert [str(name) for name in session.run("library.search", quality="bad")["name"]] == [BAD]
    assert len(session.run("library.search", quality=["good", "bad"])) == 2
    assert unchecked(session.archives.library, 10) == []
    [made] = session.archives.library.ask("SELECT sum(made) AS sum FROM quality")
    shutil.copy(folder / BAD, folder / "jw01234001001_02101_00003_nrcb1_cal.fits")
    session.run("library.rescan")
    looked(session, watch)
    assert session.archives.library.ask("SELECT sum(made) AS sum FROM quality") == [made]  # the same bytes
    assert len(session.run("library.search", quality="bad")) == 2
    written(folder / BAD, saturated=10)
    session.run("library.rescan")
    looked(session, watch)
    assert [str(path.name) for path in map(type(folder), session.run("library.search", quality="bad")["path"])] == [
        "jw01234001001_02101_00003_nrcb1_cal.fits"
    ]


def test_a_report_is_asked_for_by_a_command(session, folder):
    session.run("library.link", folder=folder)
    table = session.run("library.quality", files=[folder / GOOD, folder / BAD])
    assert table.meta["verdicts"] == {GOOD: "good", BAD: "bad"}
    saturated = {row["product"]: row["value"] for row in table if row["check"] == "saturated"}
    assert saturated == {GOOD: 0.0, BAD: pytest.approx(0.2)}
    library = session.archives.library
    kept = kept_reports(library, library.sums_of([folder / BAD]).values())
    assert [check.verdict for checks in kept.values() for check in checks if check.name == "saturated"] == ["bad"]
    with pytest.raises(JvizError, match="is not in the library"):
        session.run("library.quality", files=folder / "other.fits")
    with pytest.raises(JvizError, match="quality of a product is not 'fine'; it is good, look, bad, unknown"):
        session.run("library.search", quality="fine")


def test_it_is_not_done_where_it_is_not_wanted(session, folder):
    session.settings["library.check_quality"] = False
    session.run("library.link", folder=folder)
    looked(session, QualityWatch(session))
    assert len(unchecked(session.archives.library, 10)) == 2


def test_a_file_that_ends_the_process_is_not_tried_again(session, folder, monkeypatch):
    session.run("library.link", folder=folder)
    monkeypatch.setattr("jviz.library_quality.MODULE", "tests.model.test_library_quality")
    watch = QualityWatch(session)
    looked(session, watch)
    found = session.run("library.search", quality="unknown")
    assert {str(name) for name in found["name"]} == {GOOD, BAD}
    table = session.run("library.quality", files=folder / GOOD)
    assert "ended by itself" in table["meaning"][0]


def report(path):
    """End the process, as one does that takes too much memory."""
    import os

    os._exit(3)


def test_watched_folders_and_reports_go_together(session, folder):
    session.run("library.link", folder=folder)
    watch, quality = LibraryWatch(session), QualityWatch(session)
    looked(session, quality)
    written(folder / "jw01234001001_02101_00004_nrcb1_cal.fits", saturated=1500)
    looked(session, watch)
    looked(session, quality)
    assert len(session.run("library.search", quality="bad")) == 2

"""Products that newer reference files would change, made again from where the change begins."""

import shutil

import pytest
from astropy.io import fits

from jviz.errors import CommandError


@pytest.fixture
def exposures(calibrating, uncal, sim, tmp_path):
    """Return ``exposures(number, *suffixes)``: a folder with these products of an exposure, in the library."""
    folder = tmp_path / "library"
    folder.mkdir()

    def put(number, *suffixes):
        for suffix in suffixes:
            shutil.copy(uncal(number, suffix), folder)

    put(1, "uncal", "rate", "cal")
    put(2, "rate", "cal")
    put(3, "cal")
    shutil.copy(next(sim.glob("*sub160_i2d.fits")), folder)
    calibrating.run("library.add", path=folder)
    return folder


@pytest.fixture
def renewed_type(calibrating, sim, tmp_path):
    """Return ``renewed_type("flat")``: the name of a context that has another file of a type."""

    def make(kind):
        path = tmp_path / f"my_{kind}.fits"
        shutil.copy(next((sim / "crds").rglob(f"jwst_nircam_{kind}_*.fits")), path)
        fits.setval(path, "USEAFTER", value="2021-01-01T00:00:00")
        fits.setval(path, "FILENAME", value=path.name)
        return calibrating.run("crds.add_reference", path=path).meta["context"]

    return make


def row_of(table, folder, name):
    [row] = [row for row in table if row["product"] == str(folder / name)]
    return row


def test_a_new_flat_makes_slopes_anew_and_once(calibrating, exposures, renewed_type, wait_for_jobs):
    context = renewed_type("flat")
    table = calibrating.run("calibration.renew", context=context)
    name = "jw09999001001_02101_0000{}_nrcb1_{}.fits"
    for number in (1, 2):
        row = row_of(table, exposures, name.format(number, "cal"))
        assert (row["why"], row["pipelines"], row["state"]) == ("flat", "calwebb_image2", "queued")
        assert row["source"] == str(exposures / name.format(number, "rate"))
    assert "_uncal.fits is neither beside it" in row_of(table, exposures, name.format(3, "cal"))["state"]
    [combined] = [row for row in table if row["product"].endswith("_i2d.fits")]
    assert "combined of several exposures" in combined["state"]
    assert table.meta["runs"] == 2
    wait_for_jobs()
    made = [data for data in calibrating.data if data.name.endswith("_cal")]
    assert {data.header["CRDS_CTX"] for data in made} == {context}
    assert {data.header["R_FLAT"] for data in made} == {"crds://my_flat.fits"}
    again = calibrating.run("calibration.renew", context=context)
    assert again.meta["runs"] == 0
    assert row_of(again, exposures, name.format(1, "cal"))["state"].startswith("made anew in")


def test_a_new_dark_makes_raw_data_anew_to_the_level_that_was_there(calibrating, exposures, renewed_type,
                                                                    wait_for_jobs):  # fmt: skip
    table = calibrating.run("calibration.renew", context=renewed_type("dark"))
    name = "jw09999001001_02101_00001_nrcb1_{}.fits"
    cal, rate = (row_of(table, exposures, name.format(suffix)) for suffix in ("cal", "rate"))
    assert cal["source"] == rate["source"] == str(exposures / name.format("uncal"))
    assert cal["pipelines"] == "calwebb_detector1, calwebb_image2"
    assert table.meta["runs"] == 1  # the way to cal passes rate
    wait_for_jobs()
    [made] = calibrating.data
    assert made.header["R_DARK"] == "crds://my_dark.fits"
    assert made.name.endswith("_cal")


def test_what_is_up_to_date_is_not_made_anew(calibrating, exposures):
    table = calibrating.run("calibration.renew")
    assert (len(table), table.meta["runs"]) == (0, 0)
    assert "Everything is up to date" in calibrating.notices[-1][1]
    with pytest.raises(CommandError, match="is not out of date"):
        calibrating.run("calibration.renew", only=[str(exposures / "x_cal.fits")])


@pytest.fixture
def wait_for_jobs(calibrating):
    """Return what waits until no job is left."""

    def wait():
        for job in list(calibrating.jobs.running):
            job.result(180)

    return wait

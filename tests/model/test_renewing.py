"""Products that newer reference files would change, made again from where the change begins."""

import json
import shutil

import pytest
from astropy.io import fits

from jviz.calibration_members import MadeAnew
from jviz.errors import CommandError
from jviz.renewing import renewals


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
    assert combined["state"] == ("its association l3_asn.json is neither beside it nor in the library, nor is its "
                                 "exposure jw09999001001_02101_00004_nrcb1; fetch either")  # fmt: skip
    assert table.meta["runs"] == 2
    wait_for_jobs()
    made = [data for data in calibrating.data if data.name.endswith("_cal")]
    assert {data.header["CRDS_CTX"] for data in made} == {context}
    assert {data.header["R_FLAT"] for data in made} == {"crds://my_flat.fits"}
    again = calibrating.run("calibration.renew", context=context)
    assert again.meta["runs"] == 0
    assert row_of(again, exposures, name.format(1, "cal"))["state"].startswith("made anew in")


@pytest.fixture
def mosaic(calibrating, sim, uncal, tmp_path):
    """Return ``mosaic("uncal", "rate")``: a folder with a mosaic and these products of its four exposures."""
    folder = tmp_path / "mosaic"
    folder.mkdir()

    def put(*suffixes, association=True):
        for number in (1, 2, 3, 4):
            for suffix in suffixes:
                shutil.copy(uncal(number, suffix), folder)
        shutil.copy(next(sim.glob("*sub160_i2d.fits")), folder)
        if association:
            shutil.copy(sim / "l3_asn.json", folder)
        calibrating.run("library.add", path=folder)
        return folder

    return put


MOSAIC = "jw09999-o001_t001_nircam_clear-f200w-sub160_i2d.fits"


def test_a_mosaic_is_made_anew_by_its_association_after_its_members(calibrating, mosaic, renewed_type, wait_for_jobs):
    folder = mosaic("rate", "cal")
    content = json.loads((folder / "l3_asn.json").read_text())
    del content["products"][0]["members"][2:]
    (folder / "l3_asn.json").write_text(json.dumps(content))
    context = renewed_type("flat")
    table = calibrating.run("calibration.renew", context=context)
    row = row_of(table, folder, MOSAIC)
    assert (row["why"], row["state"]) == ("flat", "queued")
    assert row["source"] == str(folder / "l3_asn.json")
    assert row["pipelines"] == "calwebb_image2, calwebb_image3"
    members = [row for row in table if row["product"].endswith("_cal.fits")]
    assert [row["state"] for row in members] == [*["made in the run of another product"] * 2, *["queued"] * 2]
    assert table.meta["runs"] == 3
    said = "2 exposures and 1 association with its members will be calibrated anew"
    assert calibrating.notices[-1][1].startswith(said)
    wait_for_jobs()
    made = next(data for data in calibrating.data if data.kind == "image" and data.path.name == MOSAIC)
    assert (made.header["CRDS_CTX"], made.header["R_FLAT"]) == (context, "crds://my_flat.fits")
    assert made.header["ASNTABLE"] == "l3_asn.json"
    run = made.path.parent
    cals = sorted(run.glob("*_cal.fits"))
    assert len(cals) == 2
    assert {fits.getheader(path)["R_FLAT"] for path in cals} == {"crds://my_flat.fits"}
    listed = {str(name).rpartition("_a3001_")[0] for name in fits.getdata(made.path, "HDRTAB")["FILENAME"]}
    assert listed == {path.name.removesuffix("_cal.fits") for path in cals}
    record = json.loads((run / "record.json").read_text())
    names = [each["path"] for each in record["inputs"]]
    assert names[0] == str(folder / "l3_asn.json")
    assert names[1:] == [str(folder / path.name.replace("_cal", "_rate")) for path in cals]
    assert [task["pipeline"] for task in record["tasks"]].count("calwebb_image3") == 1
    again = calibrating.run("calibration.renew", context=context)
    assert again.meta["runs"] == 0
    assert [row["state"].startswith("made anew in") for row in again] == [True] * 5
    assert row_of(again, folder, MOSAIC)["state"] == f"made anew in {run}"


def test_a_mosaic_whose_association_is_lost_is_made_of_the_exposures_that_it_lists(calibrating, mosaic, renewed_type):
    """A new dark begins with raw data; the association comes from the table of headers in the mosaic."""
    folder = mosaic("uncal", association=False)
    plans = renewals(calibrating, calibrating.calibrations.known(), renewed_type("dark"))
    [plan] = [plan for plan in plans if plan.product.endswith("_i2d.fits")]
    assert (plan.problem, plan.pipelines) == ("", ("calwebb_detector1", "calwebb_image2", "calwebb_image3"))
    content = json.loads(plan.source.read_text())
    [product] = content["products"]
    assert product["name"] == MOSAIC.removesuffix("_i2d.fits")
    names = [member["expname"] for member in product["members"]]
    assert names == [f"jw09999001001_02101_0000{number}_nrcb1_cal.fits" for number in (1, 2, 3, 4)]
    assert plan.source.parent != folder
    anew = MadeAnew(calibrating, [plan.source], "calwebb_detector1")
    assert anew.sources == [folder / name.replace("_cal", "_uncal") for name in names]


def test_what_a_mosaic_lacks_is_named(calibrating, mosaic, renewed_type):
    folder = mosaic("rate")
    (folder / "jw09999001001_02101_00003_nrcb1_rate.fits").unlink()
    calibrating.run("library.rescan")
    table = calibrating.run("calibration.renew", context=renewed_type("flat"))
    state = row_of(table, folder, MOSAIC)["state"]
    name = "jw09999001001_02101_00003_nrcb1"
    assert state == (f"{name}_rate.fits, of which the member {name}_cal.fits of l3_asn.json is made, is neither beside "
                     "it nor in the library. Fetch it first")  # fmt: skip
    assert table.meta["runs"] == 0
    assert calibrating.notices[-1][1].startswith(f"1 product cannot be: {name}_rate.fits")


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
            job.result(900)

    return wait

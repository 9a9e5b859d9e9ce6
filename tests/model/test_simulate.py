"""Simulated exposures from a command or the command line, and the real pipelines on them, against the truth."""

import sys

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture, aperture_photometry

from jviz import CommandError, JvizError, Session, cli
from jviz.backend.calibration.environment import own_cache
from jviz.backend.calibration.runs import read_record
from jviz.backend.simulate.geometry import Pointing
from jviz.backend.simulate.imaging import FRAME
from jviz.calibration_choice import FEW_STARS, calibration_choice, inputs_of
from jviz.calibrations import installed

SMALL = {"size": 160, "dithers": 2, "groups": 4}


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


def test_the_command_opens_the_exposures_and_undo_closes_them(session, tmp_path):
    ramps = session.run("simulate.exposures", seed=2, folder=tmp_path / "field", **SMALL)
    assert [ramp.kind for ramp in ramps] == ["ramp", "ramp"]
    assert ramps[0].get(np.ndarray).shape == (1, 4, 160, 160)
    assert own_cache(ramps[0].path) == tmp_path / "field" / "crds"
    line = session.script().splitlines()[-1]
    assert line.startswith("session.run('simulate.exposures', seed=2")
    session.undo()
    assert session.names == []
    assert ramps[0].path.exists()
    session.redo()
    assert len(session.names) == 2


def test_without_a_folder_the_same_choices_are_simulated_once(session, own_folders):
    first = session.run("simulate.exposures", seed=3, **SMALL)
    before = first[0].path.stat().st_mtime_ns
    again = session.run("simulate.exposures", seed=3, **SMALL)
    assert again[0].path == first[0].path
    assert again[0].path.stat().st_mtime_ns == before
    assert own_folders in first[0].path.parents


def test_reference_files_of_simulated_exposures_are_their_own(session, tmp_path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "nothing"))
    ramp, _ = session.run("simulate.exposures", seed=2, folder=tmp_path / "field", **SMALL)
    table = session.run("crds.references", data=ramp)
    states = dict(zip(table["type"], table["state"], strict=True))
    assert states["dark"] == states["distortion"] == "cached"
    assert table.meta["cache"] == str(tmp_path / "field" / "crds")


def test_bad_choices_are_one_sentence_and_leave_nothing(session, tmp_path):
    with pytest.raises(JvizError, match="groups is 1; it must be between 3 and 60"):
        session.run("simulate.exposures", groups=1, folder=tmp_path / "field")
    with pytest.raises(JvizError, match="size"):
        session.run("simulate.exposures", size=100, folder=tmp_path / "field")
    assert list(tmp_path.iterdir()) == []
    assert session.names == []
    session.add(np.ones((4, 4)), name="made")
    with pytest.raises(CommandError, match="made is in no file, so its truth cannot be found"):
        session.run("simulate.check", data="made")


def test_cancel_leaves_nothing(session, tmp_path):
    job = session.submit("simulate.exposures", seed=4, size=640, dithers=9, folder=tmp_path / "field")
    job.cancel()
    with pytest.raises(JvizError, match="was cancelled"):
        job.result(60)
    assert job.state == "cancelled"
    assert list(tmp_path.iterdir()) == []


def test_the_command_line(tmp_path, capsys):
    folder = tmp_path / "field"
    words = ["simulate", "--seed", "5", "--size", "160", "--dithers", "1", "--groups", "3", "--cosmic-rays", "0"]
    assert cli.main([*words, "--folder", str(folder)]) == 0
    out = capsys.readouterr()
    paths = out.out.split()
    assert [path.rsplit("_", 1)[-1] for path in paths] == ["uncal.fits", "truth.fits", "truth.ecsv"]
    assert f"CRDS_PATH={folder / 'crds'}" in out.err
    assert len(fits.getdata(paths[1], "COSMIC_RAYS")) == 0
    assert cli.main(["simulate", "--size", "161"]) == 2
    assert "invalid choice: 161" in capsys.readouterr().err
    assert cli.main(["simulate", "--groups", "1"]) == 1
    assert "groups is 1; it must be between 3 and 60" in capsys.readouterr().err
    assert cli.main(["simulate", "--help"]) == 0
    assert "--pointing-error" in capsys.readouterr().out


# --- the real pipelines -------------------------------------------------------------------------------

needs_pipelines = pytest.mark.skipif(not installed(), reason="the JWST pipelines are not installed")


def checks(session, path):
    [data] = session.open(path)
    table = session.run("simulate.check", data=data)
    return {row["quantity"]: row for row in table}


@pytest.mark.slow
@needs_pipelines
def test_from_uncal_to_a_mosaic_everything_is_what_was_put_in(calibrating, tmp_path):
    session = calibrating
    choices = {"seed": 22, "size": 320, "groups": 8, "cosmic_rays": 40.0, "pointing_error": 20.0}
    exposures = session.run("simulate.exposures", folder=tmp_path / "field", **choices)
    ramps = session.run("calibration.run", inputs=exposures, until="jump", folder=tmp_path / "ramps")
    for ramp in ramps:
        found = checks(session, ramp.path)
        assert found["completeness of jumps"]["value"] > 0.95
        assert found["purity of jumps"]["value"] > 0.99
    products = session.run("calibration.run", inputs=exposures, pipeline="all", folder=tmp_path / "runs")
    folder = products[0].path.parent
    assert not session.calibrations.live[-1].warnings()
    ratios = []
    for path in sorted(folder.glob("*_rate.fits")):
        found = checks(session, path)
        assert 0.95 < found["width of pulls"]["value"] < 1.06
        assert abs(found["mean pull"]["value"]) < 0.1
        assert found["pulls beyond 5"]["value"] < 1e-4
        ratios.append(found["slope / truth"])
    spread = np.sqrt(np.sum([row["uncertainty"] ** 2 for row in ratios])) / len(ratios)
    assert abs(np.mean([row["value"] for row in ratios]) - 1) < 0.002 + spread
    catalogue = next(folder.glob("*_cat.ecsv"))
    found = checks(session, catalogue)
    assert abs(found["offset east"]["value"]) < 3
    assert abs(found["offset north"]["value"]) < 3
    assert found["flux / truth"]["value"] == pytest.approx(1, abs=0.005)
    _sky_coordinates_are_those_of_the_simulation(session, folder)
    _exposures_are_aligned(session, folder, tmp_path / "field")
    _light_is_kept(session, products[0].path, tmp_path / "field")
    assert not [name for name in sys.modules if name.split(".")[0] in ("jwst", "stpipe", "stcal", "crds")]


def pointing_of(header):
    return Pointing(*(header[name] for name in ("RA_REF", "DEC_REF", "ROLL_REF", "V2_REF", "V3_REF")))


def _apart(data, pointing):
    """Return by how many mas the WCS of an image differs from the closed form, at some pixels."""
    rows, columns = data.get(np.ndarray).shape
    x, y = np.array([0.03, 0.94, 0.47, 0.06]) * columns, np.array([0.04, 0.13, 0.97, 0.88]) * rows
    true = SkyCoord(*pointing.to_sky(*FRAME.to_telescope(x, y)), unit="deg")
    return true.spherical_offsets_to(data.wcs.pixel_to_world(x, y))


def _sky_coordinates_are_those_of_the_simulation(session, folder):
    """The GWCS that the pipeline made of the references, before anything is aligned."""
    path = sorted(folder.glob("*_cal.fits"))[1]
    [data] = session.open(path)
    for offset in _apart(data, pointing_of(fits.getheader(path, "SCI"))):
        assert np.abs(offset.to_value("mas")).max() < 0.01


def _exposures_are_aligned(session, folder, field):
    for path, truth in zip(sorted(folder.glob("*_crf.fits")), sorted(field.glob("*_truth.fits")), strict=True):
        [data] = session.open(path)
        east, north = _apart(data, pointing_of(fits.getheader(truth)))
        assert np.hypot(east, north).to_value("mas").max() < 3


@pytest.mark.slow
@needs_pipelines
def test_exposures_of_a_field_with_few_stars_are_aligned(calibrating, tmp_path):
    """By the parameters that come with them: those of tweakreg's source find too few stars here."""
    session = calibrating
    exposures = session.run("simulate.exposures", seed=3, size=160, pointing_error=20.0, folder=tmp_path / "field")
    choice = calibration_choice(session.calibrations.known(), inputs_of(exposures))
    assert choice.cache == tmp_path / "field" / "crds"  # for which workers are warmed
    for pipeline, steps in (("all", {}), ("image3", FEW_STARS)):
        products = session.run("calibration.run", inputs=exposures, pipeline=pipeline, steps=steps,
                               folder=tmp_path / "runs")  # fmt: skip
        folder = products[0].path.parent
        assert not session.calibrations.live[-1].warnings()
        _exposures_are_aligned(session, folder, tmp_path / "field")
        exposures = sorted(folder.glob("*_cal.fits"))
    used = read_record(folder)["tasks"][-1]["parameters"]["steps"]["tweakreg"]
    assert (used["minobj"], used["kernel_fwhm"]) == (4, 2.31)


def _light_is_kept(session, mosaic, field):
    """Bright stars in the mosaic against the same apertures on the truth of the first exposure."""
    stars = QTable.read(field / "sources_truth.ecsv")
    stars = stars[(stars["kind"] == "star") & (stars["abmag"].value < 19.5)]
    with fits.open(sorted(field.glob("*_truth.fits"))[0]) as hdus:
        pointing, sky = pointing_of(hdus[0].header), hdus["SCI"].data.astype(float)
    x, y = FRAME.from_telescope(*pointing.from_sky(stars["RA"].value, stars["DEC"].value))
    inside = (x > 24) & (y > 24) & (x < 296) & (y < 296)
    [data] = session.open(mosaic)
    column, row = data.wcs.world_to_pixel(SkyCoord(stars["RA"], stars["DEC"]))
    area = fits.getheader(mosaic, "SCI")["PIXAR_SR"]
    place = np.arange(320)
    put_in = light(sky * FRAME.area(place, place[:, None]), x[inside], y[inside], 1.0) * FRAME.pixel_area
    drizzled = np.nan_to_num(fits.getdata(mosaic, "SCI").astype(float))
    got = light(drizzled, column[inside], row[inside], np.sqrt(FRAME.pixel_area / area)) * area
    assert inside.sum() >= 3
    assert got.sum() / put_in.sum() == pytest.approx(1, abs=0.005)


def light(image, x, y, scale):
    """Return the sums within ten pixels, without the mean of a ring."""
    places = np.transpose([x, y])
    sums = aperture_photometry(image, CircularAperture(places, 10 * scale))["aperture_sum"]
    ring = ApertureStats(image, CircularAnnulus(places, 15 * scale, 20 * scale)).mean
    return np.asarray(sums) - ring * np.pi * (10 * scale) ** 2


@pytest.mark.slow
@needs_pipelines
@pytest.mark.parametrize("sky", [200.0, 450.0, 900.0])
def test_slopes_of_an_even_sky_are_right_within_two_parts_in_a_thousand(calibrating, tmp_path, sky):
    choices = {"size": 160, "dithers": 1, "groups": 10, "stars": 0, "galaxies": 0, "sky": sky}
    [exposure] = calibrating.run("simulate.exposures", seed=31, folder=tmp_path / "field", **choices)
    [rate] = calibrating.run("calibration.run", inputs=exposure, folder=tmp_path / "runs")
    found = checks(calibrating, rate.path)
    assert 0.95 < found["width of pulls"]["value"] < 1.06
    with fits.open(rate.path) as hdus, fits.open(exposure.path.with_name(exposure.path.name.replace(
        "uncal", "truth"))) as true:  # fmt: skip
        good = hdus["DQ"].data == 0
        assert hdus["SCI"].data[good].sum() / true["RATE"].data[good].sum() == pytest.approx(1, abs=0.002)


@pytest.mark.slow
@needs_pipelines
def test_a_transit_comes_out_of_the_pipelines_as_deep_as_it_went_in(calibrating, tmp_path):
    choices = {"size": 160, "groups": 5, "integrations": 40, "transit_depth": 0.05}
    choices |= {"instrument": "nircam-tso", "seed": 41}
    [series] = calibrating.run("simulate.exposures", folder=tmp_path / "field", **choices)
    [curve] = calibrating.run("calibration.run", inputs=series, pipeline="all", folder=tmp_path / "runs")
    folder = curve.path.parent
    assert curve.path.name.endswith("_phot.ecsv")
    assert fits.getdata(next(folder.glob("*_calints.fits")), "SCI").shape == (40, 160, 160)
    assert not list(folder.glob("*_cal.fits"))
    found = checks(calibrating, curve.path)
    depth = found["transit depth / truth"]
    assert depth["value"] == pytest.approx(1, abs=4 * depth["uncertainty"])
    assert depth["uncertainty"] < 0.05
    assert 0.6 < found["scatter / error"]["value"] < 1.5
    rate = checks(calibrating, next(folder.glob("*_rate.fits")))
    assert 0.95 < rate["width of pulls"]["value"] < 1.06
    assert rate["slope / truth"]["value"] == pytest.approx(1, abs=0.002 + 3 * rate["slope / truth"]["uncertainty"])

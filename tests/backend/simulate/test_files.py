"""Files of a simulation: the same bytes from a seed, marked, complete, with rules that CRDS understands."""

import hashlib
import os

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable

from jviz.backend.calibration.environment import crds_environment, own_cache
from jviz.backend.calibration.rules import Rules, keys_of
from jviz.backend.progress import Cancelled
from jviz.backend.ramps.constants import reference_plane
from jviz.backend.simulate import default_folder, plan_of, plans, simulate
from jviz.backend.simulate.checks import check_product, truth_of
from jviz.errors import JvizError
from tests.crds_cache import best_by_crds, errors_by_crds

SMALL = {"size": 160, "dithers": 2, "groups": 4, "sky": 0.4, "cosmic_rays": 20.0, "pointing_error": 15.0}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulate(plan_of(seed=11, **SMALL), tmp_path_factory.mktemp("simulated") / "field")


def digests(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def test_a_seed_fixes_every_byte(made, tmp_path):
    again = simulate(plan_of(seed=11, **SMALL), tmp_path / "again")
    assert digests(again.folder) == digests(made.folder)
    other = simulate(plan_of(seed=12, **SMALL), tmp_path / "other")
    assert digests(other.folder)[other.exposures[0].name] != digests(made.folder)[made.exposures[0].name]


def test_a_folder_that_is_there_is_used_again_and_another_is_left_alone(made, tmp_path):
    before = [path.stat().st_mtime_ns for path in made.exposures]
    assert simulate(plan_of(seed=11, **SMALL), made.folder) == made
    assert [path.stat().st_mtime_ns for path in made.exposures] == before
    with pytest.raises(JvizError, match="is not empty, so nothing is simulated into it"):
        simulate(plan_of(seed=12, **SMALL), made.folder)
    (tmp_path / "mine").write_text("notes")
    with pytest.raises(JvizError, match="is not empty"):
        simulate(plan_of(seed=12, **SMALL), tmp_path)
    assert (tmp_path / "mine").read_text() == "notes"


def test_cancelling_leaves_nothing(tmp_path):
    def stop(done, total=1.0, text=""):
        if done >= 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        simulate(plan_of(seed=1, **SMALL), tmp_path / "field", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(JvizError, match=r"writes about 0\.\d+ GB and 0 GB are free"):
        simulate(plan_of(seed=1, **SMALL), tmp_path / "field")
    assert list(tmp_path.iterdir()) == []


def test_everything_says_that_it_is_simulated(made):
    for path in made.folder.rglob("*.fits"):
        header = fits.getheader(path)
        assert header["SIMULATD"] is True, path.name
        assert "SIMULATED" in str(header["HISTORY"])
    for path in made.exposures:
        header = fits.getheader(path)
        assert header["TARGNAME"] == header["TITLE"] == "SIMULATED"
        assert header["EXP_TYPE"] == "NRC_IMAGE"
    assert "SIMULATED" in QTable.read(made.catalogue).meta["comment"]


def test_exposures_have_the_shape_and_the_light_that_the_truth_says(made):
    for exposure, truth in zip(made.exposures, made.truths, strict=True):
        with fits.open(exposure) as hdus, fits.open(truth) as true:
            reads, rate = hdus["SCI"].data.astype(float), true["RATE"].data
            header = hdus[0].header
            assert reads.shape == (1, 4, 160, 160)
            assert hdus["SCI"].data.dtype == np.uint16
            rays = true["COSMIC_RAYS"].data
            assert rays["group"].max() < 4
            quiet = rate > 0
            quiet[rays["y"], rays["x"]] = False
            quiet &= (rate > 100) & (rate < 4000)
            reference = fits.getdata(made.cache / "references/jwst/nircam/jwst_nircam_mask_9001.fits", "DQ") == 2**31
            steps = np.diff(reads[0], axis=0)
            steps -= steps[:, reference].mean(1)[:, None, None]
            light = steps[:, quiet].sum() / (3 * header["TGROUP"])
            assert light == pytest.approx(rate[quiet].sum(), rel=0.1)
    with fits.open(made.truths[0]) as first, fits.open(made.truths[1]) as second:
        assert first[0].header["ERR_EAST"] == 0
        assert 0 < abs(second[0].header["ERR_EAST"]) < 60


def test_positions_of_the_catalogue_are_where_the_light_is(made):
    from jviz.backend.simulate.geometry import Pointing
    from jviz.backend.simulate.imaging import FRAME

    stars = QTable.read(made.catalogue)
    stars = stars[stars["kind"] == "star"][:6]
    for truth in made.truths:
        with fits.open(truth) as hdus:
            header, sky = hdus[0].header, hdus["SCI"].data.astype(float)
        pointing = Pointing(*(header[name] for name in ("RA_REF", "DEC_REF", "ROLL_REF", "V2_REF", "V3_REF")))
        x, y = FRAME.from_telescope(*pointing.from_sky(stars["RA"].value, stars["DEC"].value))
        for column, row in zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True):
            if 6 < column < 153 and 6 < row < 153:
                near = sky[row - 3 : row + 4, column - 3 : column + 4]
                assert np.unravel_index(near.argmax(), near.shape) in [(3, 3), (3, 2), (3, 4), (2, 3), (4, 3)]


def test_crds_chooses_the_files_of_the_cache_as_jviz_does(made):
    header = fits.getheader(made.exposures[0])
    rules = Rules(made.cache)
    chosen = {kind: choice.file for kind, choice in rules.choices(header, rules.context()).items()}
    for kind in ("mask", "gain", "dark", "flat", "distortion", "photom", "saturation", "linearity", "superbias"):
        assert rules.reference(chosen[kind], "NIRCAM"), kind
    environment = {**os.environ, **crds_environment(offline=True, cache=made.cache)}
    [by_crds] = best_by_crds([keys_of(header)], rules.context(), environment)
    for kind, file in by_crds.items():
        expected = "N/A" if str(file).upper().startswith("NOT FOUND N/A") else str(file)
        assert chosen[kind] == expected, kind


def test_simulated_exposures_have_a_cache_of_their_own(made, tmp_path, monkeypatch):
    assert own_cache(made.exposures[0]) == made.cache
    assert own_cache(tmp_path / "x_uncal.fits") is None
    monkeypatch.setenv("CRDS_CONTEXT", "jwst_1413.pmap")
    found = crds_environment(offline=False, cache=made.cache)
    assert found["CRDS_PATH"] == str(made.cache)
    assert found["CRDS_CONTEXT"] == "jwst_9001.pmap"
    assert "serverless" in found["CRDS_SERVER_URL"]


def test_ramps_find_the_gain_of_their_own_detector(made):
    header = {"R_GAIN": "crds://jwst_nircam_gain_9001.fits", "INSTRUME": "NIRCAM"}
    gain, source = reference_plane(header, "gain", (160, 160), made.exposures[0])
    np.testing.assert_array_equal(gain, fits.getdata(made.cache / "references/jwst/nircam/jwst_nircam_gain_9001.fits"))
    assert "jwst_nircam_gain_9001.fits" in source
    # A raw exposure names none; the rules choose the same.
    raw = fits.getheader(made.exposures[0])
    assert "R_GAIN" not in raw
    chosen, source = reference_plane(raw, "gain", (160, 160), made.exposures[0])
    np.testing.assert_array_equal(chosen, gain)
    assert source == "jwst_nircam_gain_9001.fits"
    assert reference_plane({**raw, "INSTRUME": "MIRI"}, "gain", (160, 160), made.exposures[0]) is None


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"size": 161}, "The size is 161; it must be one of 160, 320, 640, 2048 pixels"),
        ({"filter": "F999W"}, "no filter 'F999W'; there are F115W"),
        ({"groups": 2}, "groups is 2; it must be between 3 and 60"),
        ({"dithers": 0}, "dithers is 0; it must be between 1 and 9"),
        ({"seed": -1}, "seed is -1; it must be between 0 and"),
        ({"seed": 1.5}, "seed is 1.5; it must be a whole number"),
        ({"sky": float("nan")}, "sky is nan; it must be between 0 and 1000"),
    ],
)
def test_what_cannot_be_simulated_is_refused(choices, said):
    with pytest.raises(JvizError, match=said):
        plan_of(**{"seed": 1, **choices})


def test_plans_follow_the_field_and_have_folders_of_their_own():
    assert plan_of(seed=1, size=640).stars > plan_of(seed=1, size=320).stars >= 60
    assert default_folder(plan_of(seed=1)) == default_folder(plan_of(seed=1))
    assert default_folder(plan_of(seed=1)) != default_folder(plan_of(seed=2))


def test_an_older_simulation_is_not_in_the_way_of_a_newer_one(tmp_path, monkeypatch):
    monkeypatch.setenv("JVIZ_HOME", str(tmp_path))
    plan = plan_of(seed=3, size=160, dithers=1, groups=3)
    older = simulate(plan)
    assert older.folder == default_folder(plan)
    monkeypatch.setattr(plans, "VERSION", plans.VERSION + 1)
    newer = simulate(plan)
    assert newer.folder != older.folder
    assert older.exposures[0].is_file()


def test_a_perfect_product_passes_the_checks_and_others_have_no_truth(made, tmp_path):
    name = made.exposures[0].name.replace("_uncal", "_rate")
    product = made.folder.parent / "perfect" / name
    product.parent.mkdir(exist_ok=True)
    (product.parent / "record.json").write_text(f'{{"inputs": [{{"path": "{made.exposures[0]}"}}]}}')
    with fits.open(made.truths[0]) as true:
        rate = true["RATE"].data
        error = np.full(rate.shape, 0.5, np.float32)
        noisy = rate + 0.5 * np.random.default_rng(1).standard_normal(rate.shape).astype(np.float32)
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(noisy, name="SCI"), fits.ImageHDU(error, name="ERR"),
                      fits.ImageHDU(np.zeros(rate.shape, np.int32), name="DQ")]).writeto(product)  # fmt: skip
    assert truth_of(product) == made.truths[0]
    checks = {check.quantity: check for check in check_product(product)}
    assert checks["width of pulls"].value == pytest.approx(1, abs=4 * checks["width of pulls"].uncertainty)
    assert checks["mean pull"].value == pytest.approx(0, abs=4 * checks["mean pull"].uncertainty)
    assert checks["slope / truth"].value == pytest.approx(1, abs=5 * checks["slope / truth"].uncertainty)
    with pytest.raises(JvizError, match=r"There is no truth for mine_rate\.fits"):
        truth_of(tmp_path / "mine_rate.fits")
    with pytest.raises(JvizError, match="no truth to compare with; give a rate, cal or ramp file"):
        check_product(made.exposures[0])


def test_crds_certifies_every_reference_file(made):
    assert errors_by_crds(made.cache) == []

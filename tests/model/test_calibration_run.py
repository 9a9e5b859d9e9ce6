"""Runs of the real pipelines on simulated exposures whose truth is known."""

import json
import logging
import os
import re
import shutil
import signal
import sys
import time

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable

from jviz import JvizError
from jviz.backend.calibration.jwst_worker import _explained
from jviz.backend.calibration.steplog import StepLog
from jviz.calibrations import WORKER
from jviz.errors import CommandError
from jviz.worker import special_pool

NEVER = ("jwst", "stpipe", "stcal", "crds")


def runs_left(session):
    folder = session.calibrations.folder()
    return sorted(os.listdir(folder)) if folder.exists() else []


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_slopes_agree_with_the_truth_and_the_record_says_how_they_were_made(calibrating, uncal, truth):
    [rate] = calibrating.run("calibration.run", inputs=[uncal(1)])
    true = truth(1)["rate"]
    with fits.open(rate.path) as hdus:
        slope, error, flags = (hdus[name].data for name in ("SCI", "ERR", "DQ"))
        context = hdus[0].header["CRDS_CTX"]
    good = (flags == 0) & np.isfinite(slope)
    pulls = (slope - true)[good] / error[good]
    assert abs(np.median(pulls)) < 0.05
    assert 0.95 < np.std(pulls[np.abs(pulls) < 5]) < 1.06
    bright = good & (true > 10)
    assert slope[bright].sum() / true[bright].sum() == pytest.approx(1, abs=0.002)
    record = json.loads((rate.path.parent / "record.json").read_text())
    [task] = record["tasks"]
    assert record["state"] == "done"
    assert record["context"] == context == "jwst_0001.pmap"
    assert record["inputs"][0]["path"] == str(uncal(1))
    assert len(record["inputs"][0]["sha256"]) == 64
    assert task["parameters"]["steps"]["jump"]["rejection_threshold"] == 4.0
    assert task["steps"]["jump"]["state"] == "done"
    assert task["steps"]["persistence"]["state"] == "skipped"
    assert set(record["versions"]) >= {"jwst", "stcal", "crds", "numpy", "python"}
    assert "Step jump done" in (rate.path.parent / "log.txt").read_text()
    assert not [name for name in sys.modules if name.split(".")[0] in NEVER]


def test_undo_takes_the_products_away_and_the_script_repeats_the_run(calibrating, uncal):
    products = calibrating.run("calibration.run", inputs=str(uncal(2)), steps={"jump": False}, until="linearity")
    assert [data.path.name for data in products] == ["jw09999001001_02101_00002_nrcb1_ramp.fits"]
    statuses = {row["step"]: row["status"] for row in calibrating.run("calibration.steps", data=products[0])}
    assert statuses["linearity"] == "COMPLETE"
    assert statuses["jump"] == statuses["ramp_fit"] == "SKIPPED"
    calibrating.undo()
    assert calibrating.names == []
    calibrating.redo()
    assert len(calibrating.names) == 1
    line = calibrating.script().splitlines()[-1]
    assert line == (
        f"session.run('calibration.run', inputs=[{str(uncal(2))!r}], steps={{'jump': False}}, until='linearity')"
    )


def test_a_reference_is_given_to_every_step_that_reads_its_type(calibrating, uncal, sim, tmp_path):
    gain = tmp_path / "my_gain.fits"
    shutil.copy(next((sim / "crds").rglob("*nircam_gain*.fits")), gain)
    [rate] = calibrating.run("calibration.run", inputs=[uncal(1)], references={"gain": gain})
    record = json.loads((rate.path.parent / "record.json").read_text())
    steps = record["tasks"][0]["parameters"]["steps"]
    overridden = {name for name, values in steps.items() if values.get("override_gain") == str(gain)}
    assert overridden >= {"jump", "ramp_fit", "gain_scale"}
    assert overridden == {name for name, values in steps.items() if "override_gain" in values}
    assert fits.getheader(rate.path)["R_GAIN"].endswith("my_gain.fits")
    script = (rate.path.parent / "script.py").read_text()
    assert script.count("override_gain") >= 2 * len(overridden)
    compile(script, "script.py", "exec")


def test_cancel_leaves_nothing(calibrating, uncal):
    job = calibrating.submit("calibration.run", inputs=[uncal(1), uncal(2), uncal(3)])
    wait_until(lambda: any("jump" in step for _, step in _live(calibrating).steps))
    job.cancel()
    wait_until(lambda: job.is_over, 1)
    assert job.state == "cancelled"
    wait_until(lambda: runs_left(calibrating) == [])
    assert [entry.state for entry in calibrating.calibrations.queue.entries()] == ["cancelled"]
    assert calibrating.names == []


def _live(session):
    class Nothing:
        steps = {}

    return session.calibrations.live[-1] if session.calibrations.live else Nothing


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_worker_that_is_killed_is_replaced_and_the_exposure_done_once_more(calibrating, uncal):
    job = calibrating.submit("calibration.run", inputs=[uncal(1)])
    wait_until(lambda: any("saturation" in step for _, step in _live(calibrating).steps))
    pool = special_pool(f"{WORKER}:warm", calibrating.calibrations.environment(), ready=2)
    [worker] = pool._taken
    os.kill(worker.process.pid, signal.SIGKILL)
    [rate] = job.result(120)
    assert rate.path.name.endswith("_rate.fits")
    assert any("once more" in line for line in job.log)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"steps": {"jumps": {}}}, "no step 'jumps'; its steps are group_scale"),
        ({"steps": {"jump": {"treshold": 4}}}, "jump has no parameter 'treshold'; it takes rejection_threshold"),
        ({"steps": {"jump": {"rejection_threshold": -1}}}, "rejection_threshold of the step jump is -1.0.*at least 0"),
        ({"steps": {"jump": {"expand_large_events": "maybe"}}}, "cannot be 'maybe'; it takes true or false"),
        ({"steps": {"ramp_fit": {"algorithm": "GLS"}}}, "cannot be 'GLS'; choose one of"),
        ({"references": {"drak": "x.fits"}}, "type 'drak'; they read"),
        ({"references": {"gain": "N/A"}}, r"The step jump cannot do without a .* type gain, .* \(N/A\); give"),
        ({"references": {"dark": "/nowhere/x.fits"}}, r"/nowhere/x.fits \(dark\) is not there"),
        ({"references": "dark.fits"}, "references cannot be 'dark.fits'; give files by type"),
        ({"steps": "jump"}, "steps cannot be 'jump'; give parameters by step"),
        ({"steps": {"jump": 4}}, "steps cannot be jump: 4; give parameters by step"),
        ({"until": "photom"}, "no step 'photom' to stop after"),
        ({"pipeline": "detector9"}, "no pipeline 'detector9'; there are"),
        ({"pipeline": "image3"}, "needs calibrated exposures"),
        ({"inputs": []}, "nothing to calibrate"),
        ({"inputs": ["/nowhere/x_uncal.fits"]}, "is not there"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(calibrating, uncal, arguments, said):
    with pytest.raises(JvizError, match=said):
        calibrating.run("calibration.run", **{"inputs": [uncal(1)], **arguments})
    assert calibrating.names == []
    assert runs_left(calibrating) == []


def test_files_that_no_pipeline_takes(calibrating, uncal, tmp_path):
    fits.PrimaryHDU(np.ones((4, 4))).writeto(tmp_path / "mine.fits")
    with pytest.raises(JvizError, match=r"mine.fits is no JWST product"):
        calibrating.run("calibration.run", inputs=[tmp_path / "mine.fits"])
    with pytest.raises(JvizError, match="is of the kind i2d, which no pipeline takes on"):
        calibrating.run("calibration.run", inputs=[uncal(1, "i2d")])
    calibrating.add(np.ones((4, 4)), name="made")
    with pytest.raises(CommandError, match="made is in no file"):
        calibrating.run("calibration.run", inputs=calibrating["made"])
    (tmp_path / "broken_asn.json").write_text('{"products": [{"members": [{"exptype": "science"}]}]}')
    with pytest.raises(JvizError, match=r"broken_asn\.json: member 1 of product 1 has no expname"):
        calibrating.run("calibration.run", inputs=[tmp_path / "broken_asn.json"])
    members = [{"expname": "gone_cal.fits", "exptype": "science"}]
    content = {"asn_type": "image3", "products": [{"name": "x", "members": members}]}
    (tmp_path / "lost_asn.json").write_text(json.dumps(content))
    with pytest.raises(JvizError, match=r"names files that are not beside it: gone_cal\.fits"):
        calibrating.run("calibration.run", inputs=[tmp_path / "lost_asn.json"])


def test_references_that_cannot_be_used_are_named_with_the_step(calibrating, uncal, sim, tmp_path, monkeypatch):
    broken = tmp_path / "broken_dark.fits"
    broken.write_bytes(b"SIMPLE  =                    T" + b" " * 5000)
    with pytest.raises(CommandError, match=r"broken_dark\.fits \(dark\) is of no use: .* it is truncated"):
        calibrating.run("calibration.run", inputs=[uncal(1)], references={"dark": broken})
    text = tmp_path / "gain.fits"
    text.write_text("no FITS file")
    for command, given in (("calibration.run", {"inputs": [uncal(1)], "references": {"gain": text}}),
                           ("calibration.step", {"data": uncal(1), "step": "jump", "override_gain": text})):
        with pytest.raises(CommandError, match=r"gain\.fits \(gain\) is called FITS and is no FITS file; choose"):
            calibrating.run(command, **given)
    wrong = tmp_path / "wrong_flat.fits"
    shutil.copy(next((sim / "crds").rglob("*nircam_flat*.fits")), wrong)
    with fits.open(wrong, mode="update") as hdus:
        hdus[0].header["SUBSTRT1"] = 900
    with pytest.raises(CommandError, match=r"\(flat\) is of columns 900 to 1059 and .*_rate\.fits of columns \d"):
        calibrating.run("calibration.run", inputs=[uncal(1, "rate")], references={"flat": wrong})
    assert runs_left(calibrating) == []


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("dark.json", b"{}", r"dark\.json \(dark\) is neither FITS nor ASDF"),
        ("other.json", b"{}", r"other\.json \(dark\) is neither FITS nor ASDF"),
        ("dark.asdf", b"#ASDF 1.0.0\n", r"dark\.asdf \(dark\) is damaged: it has no tree"),
        ("dark.asdf", b"#ASDF 1.0.0\n%YAML 1.1\n---\nmeta:\n  reftype: DISTORTION\n...\n", r"of the type distortion"),
    ],
)
def test_references_of_other_formats_and_types_are_refused(calibrating, uncal, tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=says):
        calibrating.run("calibration.run", inputs=[uncal(1)], references={"dark": tmp_path / name})


def test_rules_that_are_not_there(calibrating, uncal, tmp_path, monkeypatch):
    with pytest.raises(JvizError, match=r"jwst_4711\.pmap is not in .*; the newest there are jwst_0001\.pmap"):
        calibrating.run("calibration.run", inputs=[uncal(1)], context="jwst_4711.pmap")
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    with pytest.raises(JvizError, match=r"no rules for reference files in .*Work online"):
        calibrating.run("calibration.run", inputs=[uncal(1)])


def test_a_server_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setenv("CRDS_SERVER_URL", "https://crds.example")
    monkeypatch.setenv("CRDS_PATH", "/data/crds")
    task = {"class_name": "jwst.pipeline.Image2Pipeline", "input": "/a/x_rate.fits"}
    said = r"^Image2Pipeline failed on x_rate\.fits: https://crds\.example does not answer, and no .* /data/crds\. Go"
    with pytest.raises(JvizError, match=said), _explained(None, task):
        raise OSError("CRDS server connection and cache load FAILED. Cannot continue.")


def test_a_library_that_leaves_the_program_is_one_sentence():
    log = StepLog(lambda value: None)
    task = {"class_name": "jwst.pipeline.Detector1Pipeline", "input": "/a/x_uncal.fits"}
    logger = logging.getLogger("a library of references")
    logger.addHandler(log)

    def leaves():
        with _explained(log, task):
            logger.error("No reference here.")
            sys.exit(-1)

    with pytest.raises(JvizError, match=r"^Detector1Pipeline failed on x_uncal.fits: No reference here\. See which"):
        leaves()
    logger.removeHandler(log)


def test_a_single_step(calibrating, uncal):
    [flat] = calibrating.run("calibration.step", data=uncal(1, "rate"), step="assign_wcs")
    assert fits.getheader(flat.path)["S_WCS"] == "COMPLETE"
    with pytest.raises(JvizError, match="no step 'asign_wcs'"):
        calibrating.run("calibration.step", data=uncal(1, "rate"), step="asign_wcs")


def test_what_does_not_fit_is_refused_before_it_starts(calibrating, uncal, monkeypatch):
    import psutil

    class Little:
        available = 10_000_000

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Little)
    with pytest.raises(JvizError, match=r"needs about 0\.\d GB of memory and 0\.0 GB are free"):
        calibrating.run("calibration.run", inputs=[uncal(1)])
    monkeypatch.undo()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes are Linux's")
def test_a_disk_that_gets_full_is_one_sentence_and_the_queue_goes_on(calibrating, uncal):
    """A limit on the size of files ends writing as a full disk does, after the checks before the start."""
    import resource

    service = calibrating.calibrations
    service.prepare(2)
    pool = special_pool(f"{WORKER}:warm", service.environment(), ready=2)
    limits = {}
    for worker in pool._ready:
        pid = worker.process.pid
        limits[pid] = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (300_000, limits[pid][1]))
    full = f"could not write its product of {uncal(1).name}: the disk of {re.escape(str(service.folder()))} is full"
    with pytest.raises(JvizError, match=full):
        calibrating.run("calibration.run", inputs=[uncal(1)])
    assert runs_left(calibrating) == []
    [entry] = service.queue.entries()
    assert (entry.state, "is full" in entry.error) == ("failed", True)
    for worker in pool._ready:
        resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, limits.get(worker.process.pid, (-1, -1)))
    [rate] = calibrating.run("calibration.run", inputs=[uncal(1)])
    assert rate.path.is_file()
    assert [entry.state for entry in service.queue.entries()] == ["failed", "done"]


@pytest.mark.slow
def test_from_raw_exposures_to_a_mosaic(calibrating, sim, uncal, truth):
    steps = {
        "tweakreg": {"minobj": 5, "kernel_fwhm": 2.14, "snr_threshold": 5},
        "source_catalog": {"kernel_fwhm": 2.14, "snr_threshold": 3, "npixels": 5},
    }
    inputs = [uncal(n) for n in (1, 2, 3, 4)]
    products = calibrating.run("calibration.run", inputs=inputs, pipeline="all", steps=steps)
    assert [data.path.stem.rpartition("_")[2] for data in products] == ["i2d", "cat", "segm"]
    folder = products[0].path.parent
    assert len(list(folder.glob("*_crf.fits"))) == 4
    assert not list(folder.glob(".*"))
    stars = truth()["src"]
    sources = QTable.read(products[1].path)
    found = sources["sky_centroid"]
    true = SkyCoord(stars[:, 3], stars[:, 4], unit="deg")
    index, distance, _ = found.match_to_catalog_sky(true)
    matched = distance.mas < 60
    assert matched.sum() >= 20
    east, north = found[matched].spherical_offsets_to(true[index[matched]])
    assert abs(np.median(east.to_value("mas"))) < 3
    assert abs(np.median(north.to_value("mas"))) < 3


@pytest.mark.slow
def test_an_alignment_that_failed_is_done_with_a_warning(calibrating, uncal):
    """Seven stars in common are too few for tweakreg, which says so in its log alone."""
    inputs = [uncal(n, "cal") for n in (1, 2)]
    calibrating.run("calibration.run", inputs=inputs, until="skymatch")
    [live] = calibrating.calibrations.live
    assert live.state_of("tweakreg")["state"] == "warning"
    assert live.state_of("skymatch")["state"] == "done"
    assert live.state_of("resample")["state"] == "skipped"
    assert (
        calibrating.notices[-1][0],
        calibrating.notices[-1][1].partition(":")[0],
    ) == ("warning", "tweakreg is done, but look at its log")


@pytest.mark.slow
def test_fluxes_are_kept(calibrating, sim, uncal, truth):
    [cal] = calibrating.run("calibration.run", inputs=[uncal(1)], pipeline=["detector1", "image2"])
    with fits.open(cal.path) as hdus:
        counts = hdus["SCI"].data / hdus["SCI"].header["PHOTMJSR"]
    flat = fits.getdata(next((sim / "crds").rglob("*nircam_flat*.fits")), "SCI")
    y, x = np.mgrid[:160, :160]
    stars = [star for star in truth()["src"] if 8 < star[1] < 152 and 8 < star[2] < 152]
    core = np.zeros((160, 160), bool)
    for star in sorted(stars, key=lambda star: star[5])[:10]:
        core |= np.hypot(x - star[1], y - star[2]) < 6
    core &= np.isfinite(counts)
    assert (counts * flat)[core].sum() / truth()["rate"][core].sum() == pytest.approx(1, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "where", "least"),
    [("jump", "cosmic rays", 1.0), ("linearity", "brightest", 0.0004), ("superbias", "bright", 0.001)],
)
def test_a_step_that_is_left_out_moves_the_numbers(calibrating, uncal, truth, step, where, least):
    number = 3 if step == "jump" else 1
    [whole] = calibrating.run("calibration.run", inputs=[uncal(number)])
    [without] = calibrating.run("calibration.run", inputs=[uncal(number)], steps={step: False})
    statuses = {row["step"]: row["status"] for row in calibrating.run("calibration.steps", data=without)}
    assert statuses[step] == "SKIPPED"
    slopes = [fits.getdata(data.path, "SCI") for data in (whole, without)]
    true = truth(number)["rate"]
    if where == "cosmic rays":
        shape = truth(number)["crshape"]
        bits = np.unpackbits(truth(number)["cr"])[: int(np.prod(shape))].reshape(shape)
        hit = bits[0, 1:].any(axis=0)
        bias = [np.nanmean((slope - true)[hit]) for slope in slopes]
        assert abs(bias[0]) < 0.1 * bias[1]
        assert bias[1] > least
    else:
        bright = (true > (30 if where == "bright" else 100)) & np.isfinite(slopes[0]) & np.isfinite(slopes[1])
        ratios = [slope[bright].sum() / true[bright].sum() for slope in slopes]
        assert ratios[0] == pytest.approx(1, abs=0.01)
        assert abs(ratios[1] - ratios[0]) > least


def test_an_association_with_commas_too_many_and_no_type_is_calibrated(calibrating, uncal, tmp_path):
    for number in (1, 2):
        shutil.copy(uncal(number, "cal"), tmp_path)
    names = [uncal(number, "cal").name for number in (1, 2)]
    members = "".join(f'{{"expname": "{name}", "exptype": "science"}},' for name in names)
    path = tmp_path / "mine_asn.json"
    path.write_text(f'{{"asn_type": "None", "asn_id": "a3001", "asn_pool": "none", "asn_rule": "DMS_Level3_Base",'
                    f'"products": [{{"name": "mine", "members": [{members}]}},]}}')  # fmt: skip
    made = calibrating.run("calibration.run", inputs=[path], steps={"tweakreg": False, "source_catalog": False})
    assert next(data.path.name for data in made if data.kind == "image") == "mine_i2d.fits"
    assert fits.getheader(made[0].path)["ASNTABLE"] == "mine_asn.json"
    record = json.loads((made[0].path.parent / "record.json").read_text())
    assert record["tasks"][0]["pipeline"] == "calwebb_image3"
    assert record["inputs"][0]["path"] == str(path)


def test_references_of_another_type_and_damaged_ones_are_refused(calibrating, uncal, sim, tmp_path):
    dark, superbias = (next((sim / "crds").rglob(f"*nircam_{kind}_*.fits")) for kind in ("dark", "superbias"))
    with pytest.raises(CommandError, match=r"\(gain\) says that it is of the type superbias \(REFTYPE\); choose"):
        calibrating.run("calibration.run", inputs=[uncal(1)], references={"gain": superbias})
    content = dark.read_bytes()
    (tmp_path / "cut.fits").write_bytes(content[: len(content) // 3])
    with pytest.raises(CommandError, match=r"cut\.fits \(dark\) is damaged: .* Fetch it again"):
        calibrating.run("calibration.run", inputs=[uncal(1)], references={"dark": tmp_path / "cut.fits"})
    assert runs_left(calibrating) == []


def test_darks_are_named_as_the_operations_do(calibrating, uncal, tmp_path):
    path = tmp_path / "jw09999001001_02101_00001_nrcb1_uncal.fits"
    shutil.copy(uncal(1), path)
    fits.setval(path, "EXP_TYPE", value="NRC_DARK")
    [made] = calibrating.run("calibration.run", inputs=[path], pipeline="all")
    assert made.path.name == "jw09999001001_02101_00001_nrcb1_dark.fits"
    assert "S_DARK" not in made.header
    assert fits.getheader(made.path)["S_LINEAR"] == "COMPLETE"


def test_a_coronagraphic_chain_without_a_star_is_refused_before_it_starts(calibrating, uncal, tmp_path):
    path = tmp_path / "jw09999001001_02101_00001_nrcb1_uncal.fits"
    shutil.copy(uncal(1), path)
    fits.setval(path, "EXP_TYPE", value="NRC_CORON")
    with pytest.raises(JvizError, match=r"coron3 needs exposures of a target and of a .* has none of a r"):
        calibrating.run("calibration.run", inputs=[path], pipeline="all")
    assert calibrating.calibrations.live[-1].steps == {}
    assert runs_left(calibrating) == []


def test_exposures_of_a_star_get_their_role(calibrating, uncal, tmp_path):
    """The association that is made for the last level knows targets and stars by their headers."""
    paths = [tmp_path / uncal(number, "cal").name for number in (1, 2)]
    for path in paths:
        shutil.copy(uncal(1, "cal").with_name(path.name), path)
        fits.setval(path, "EXP_TYPE", value="NRC_CORON")
    fits.setval(paths[1], "IS_PSF", value=True)
    with pytest.raises(JvizError, match=r"psfmask") as raised:  # which the cache lacks: the step before it was passed
        calibrating.run("calibration.run", inputs=paths)
    assert "reference star" not in str(raised.value)


def test_pairs_of_wavefront_sensing_become_one_image_and_others_are_refused(calibrating, uncal, tmp_path):
    paths = [tmp_path / uncal(number, "cal").name for number in (1, 2)]
    for path in paths:
        shutil.copy(uncal(1, "cal").with_name(path.name), path)
        fits.setval(path, "PATTTYPE", value="WFSC")
    members = [{"expname": paths[0].name, "exptype": "science"}]
    content = {"asn_type": "wfs-image3", "products": [{"name": "x_{suffix}-01", "members": members}]}
    (tmp_path / "one_asn.json").write_text(json.dumps(content))
    for inputs in (paths[:1], [tmp_path / "one_asn.json"]):
        with pytest.raises(JvizError, match=r"combines pairs, and .* has 1 science exposure\. Give two"):
            calibrating.run("calibration.run", inputs=inputs, pipeline="wfs-image3")
    assert runs_left(calibrating) == []
    [made] = calibrating.run("calibration.run", inputs=paths, pipeline="wfs-image3")
    assert made.path.name.endswith("_wfscmb-01.fits")
    assert fits.getheader(made.path)["S_WFSCOM"] == "COMPLETE"

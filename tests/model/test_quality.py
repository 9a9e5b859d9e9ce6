"""Reports on products: numbers against what was put in, verdicts against what was done to them."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS

from jviz.errors import CommandError

DONE = dict.fromkeys(("S_DQINIT", "S_SATURA", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP", "S_WCS", "S_FLAT", "S_PHOTOM"),
                     "COMPLETE")  # fmt: skip
NY, NX, SKY, SIGMA = 220, 240, 0.4, 0.02


def sky_wcs(dx=0.0, dy=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (150.0, 2.0), (120 + dx, 110 + dy)
    wcs.wcs.cdelt = (-0.06 / 3600, 0.06 / 3600)
    return wcs


@pytest.fixture
def stars():
    """Places of stars, in pixels."""
    return np.random.default_rng(2).uniform([12, 12], [NX - 12, NY - 12], (30, 2))


@pytest.fixture
def product(tmp_path, stars):
    """Return ``product(**cards)``: the path of a cal file with noise, stars and flags that are known."""

    def make(saturated=0, jumps=500, scale=1.0, dx=0.0, **cards):
        rng = np.random.default_rng(8)
        y, x = np.mgrid[:NY, :NX]
        values = SKY + rng.normal(0, SIGMA, (NY, NX))
        for px, py in stars:
            values += 5 * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / 1.1**2)
        flags = np.zeros((NY, NX), np.uint32)
        flags.flat[:saturated] |= 2
        flags.flat[10_000 : 10_000 + jumps] |= 4
        first = fits.PrimaryHDU()
        first.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_IMAGE", "CAL_VER": "99.0",
                             "CRDS_CTX": "jwst_0001.pmap", "EFFEXPTM": 100.0, "PCS_MODE": "FINEGUIDE",
                             "GDSTARID": "N1", "GS_MAG": 15.2, "GS_UMAG": 0.1, **DONE, **cards})  # fmt: skip
        sci = fits.ImageHDU(values.astype(np.float32), sky_wcs(dx).to_header(), name="SCI")
        sci.header["BUNIT"] = "MJy/sr"
        err = fits.ImageHDU(np.full((NY, NX), SIGMA * scale, np.float32), name="ERR")
        path = tmp_path / f"jw01234001001_02101_0000{len(list(tmp_path.glob('*.fits'))) + 1}_nrcb1_cal.fits"
        fits.HDUList([first, sci, err, fits.ImageHDU(flags, name="DQ")]).writeto(path)
        return path

    return make


def report(session, path, **arguments):
    [data] = session.open(path, show=False)
    return {row["check"]: row for row in session.run("calibration.quality", data=data, **arguments)}


def test_a_sound_product_has_the_numbers_that_were_put_in(session, product):
    found = report(session, product(saturated=40))
    assert {row["verdict"] for row in found.values()} == {"good"}
    assert found["saturated"]["value"] == pytest.approx(40 / (NX * NY))
    background = found["background"]
    assert background["unit"] == "MJy/sr"
    assert abs(background["value"] - SKY) < 5 * background["value_err"] + 0.1 * SIGMA
    assert background["value_err"] == pytest.approx(1.2533 * SIGMA / np.sqrt(NX * NY), rel=0.1)
    assert found["noise over errors"]["value"] == pytest.approx(1, abs=0.03)
    rays = found["cosmic rays"]
    assert (rays["value"], rays["unit"]) == (pytest.approx(500 / (NX * NY) / 100), "1 / s")
    assert rays["value_err"] == pytest.approx(rays["value"] / np.sqrt(500))
    assert (found["guide star"]["value"], found["guide star"]["value_err"]) == (15.2, 0.1)
    assert found["calibration"]["value"] == 1


def test_the_error_of_the_background_is_its_scatter(session):
    from jviz.backend.calibration.quality import _background

    rng = np.random.default_rng(1)
    found = [_background(rng.normal(3, 0.5, (60, 60)), None, "")[0] for _ in range(300)]
    pulls = [(check.value - 3) / check.error for check in found]
    assert np.std(pulls) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("changes", "check", "verdict"), [
    ({"saturated": 2000}, "saturated", "look"), ({"saturated": 4000}, "saturated", "bad"),
    ({"S_FLAT": "SKIPPED"}, "calibration", "look"),
    ({"S_FLAT": "SKIPPED", "S_DARK": "SKIPPED", "S_JUMP": "SKIPPED"}, "calibration", "bad"),
    ({"CAL_VER": "1.0.0"}, "software", "look"), ({"jumps": 0}, "cosmic rays", "look"),
    ({"jumps": 0, "EFFEXPTM": 2.0}, "cosmic rays", "unknown"),
    ({"jumps": 9000}, "cosmic rays", "look"), ({"S_JUMP": "SKIPPED"}, "cosmic rays", "unknown"),
    ({"scale": 0.5}, "noise over errors", "look"), ({"PCS_MODE": "COARSE"}, "guide star", "bad"),
    ({"PCS_MODE": "TRACK"}, "guide star", "look"), ({"ENGQLPTG": "PLANNED"}, "guide star", "look"),
    ({"VISITSTA": "FAILED"}, "guide star", "bad"),
])  # fmt: skip
def test_what_was_done_to_a_product_is_told(session, product, changes, check, verdict):
    row = report(session, product(**changes))[check]
    assert row["verdict"] == verdict, row["meaning"]


@pytest.mark.parametrize(("dx", "verdict"), [(0.0, "good"), (1.5, "look"), (8.0, "bad")])
def test_places_are_compared_with_a_catalogue(session, product, stars, dx, verdict):
    sky = sky_wcs().pixel_to_world(*stars.T)
    gaia = session.add(QTable({"ra": sky.ra.to("deg"), "dec": sky.dec.to("deg")}), name="gaia")
    row = report(session, product(dx=dx), reference=gaia)["position"]
    assert row["unit"] == "arcsec"
    assert row["value"] == pytest.approx(abs(dx) * 0.06, abs=max(4 * row["value_err"], 0.003))
    assert row["verdict"] == verdict
    assert 0 < row["value_err"] < 0.005


def test_several_products_and_their_worst_verdicts(session, product):
    names = [session.open(product(**changes), show=False)[0].name for changes in ({}, {"PCS_MODE": "COARSE"})]
    table = session.run("calibration.quality", data=names)
    assert table.meta["verdicts"] == {names[0]: "good", names[1]: "bad"}
    assert list(dict.fromkeys(table["product"])) == names


def test_what_cannot_be_reported_on(session, product):
    gaia = session.add(QTable({"a": [1.0]}), name="numbers")
    with pytest.raises(CommandError, match="holds no array"):
        session.run("calibration.quality", data=gaia)
    with pytest.raises(CommandError, match="no columns of right ascension"):
        session.run("calibration.quality", data=session.open(product(), show=False)[0], reference=gaia)
    with pytest.raises(CommandError, match="nothing to report"):
        session.run("calibration.quality", data=[])


def test_products_of_the_simulated_chain(session, shared_data):
    folder = shared_data / "sim_nircam_sub160"
    if not folder.is_dir():
        pytest.skip("the simulated exposures are not on this machine")
    for suffix in ("uncal", "rate", "cal", "i2d"):
        table = session.run("calibration.quality", data=session.open(next(folder.glob(f"*1_nrcb1_{suffix}.fits")))[0])
        rows = {row["check"]: row for row in table}
        assert rows["calibration"]["verdict"] in ("good", "look"), rows["calibration"]["meaning"]
        if suffix == "cal":
            # 5 rays a square centimetre and second are one in this small and short exposure
            assert rows["cosmic rays"]["value"] < 6e-4
            assert rows["cosmic rays"]["verdict"] == "unknown", "one or none says nothing"
            assert rows["background"]["value"] == pytest.approx(0.4, abs=0.3), "faint stars raise it a little"

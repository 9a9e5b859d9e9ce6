"""PSF photometry in tiles: the same stars as in one piece, each once, and memory within a limit."""

import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

import jviz
from jviz.actions import photometry_psf, photometry_psf_tiles
from jviz.backend.photometry.psfs import PsfModel, moffat_psf
from tests.backend.photometry.test_psfs import crowd

SIDE = 420
TRUE = moffat_psf(2.8, 3.5)


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    image, *truth = crowd(11, 220, SIDE, TRUE, faintest=2.3)
    session.add(CCDData(image + 10, unit="mJy", uncertainty=StdDevUncertainty(np.ones_like(image))), name="field")
    session.run("photometry.model_psf", shape="moffat", fwhm=2.8, beta=3.5, name="star")
    session.truth = truth
    yield session
    session.close()


def in_tiles(monkeypatch):
    """Make tiles of 128 pixels, and bands of 40 rows."""
    monkeypatch.setattr(photometry_psf, "WHOLE", 0)
    monkeypatch.setattr(photometry_psf_tiles, "CORE", 128)
    monkeypatch.setattr("jviz.backend.photometry.segmenting.WHOLE", 0)
    monkeypatch.setattr("jviz.backend.photometry.segmenting.PIECE", 40 * SIDE)


def both(session, monkeypatch, **options):
    """Return the table and the residual of one piece, and of tiles of 128 pixels."""
    found = []
    for tiled in (False, True):
        if tiled:
            in_tiles(monkeypatch)
        made = session.run("photometry.psf", data="field", psf="star", box_size=32, **options)
        rest = session["field residual"].plane().read().copy() if "field residual" in session.names else None
        found.append((made.table, rest))
        session.undo()
    return found


def test_stars_that_are_given_have_the_same_numbers_in_their_order(session, monkeypatch):
    x, y, flux = session.truth
    places = np.c_[np.r_[x, -40.0], np.r_[y, 10.0]]
    (whole, rest), (tiled, left) = both(session, monkeypatch, positions=places, passes=1)
    assert len(tiled) == len(x) + 1
    assert tiled["flags"][-1] == whole["flags"][-1] == 256
    usual = np.abs(tiled["flux_fit"] - whole["flux_fit"])[:-1].value / whole["flux_fit_err"][:-1].value
    assert np.median(usual) < 0.08
    assert np.percentile(usual, 97) < 0.5
    pulls = (tiled["flux_fit"].value[:-1] - flux) / tiled["flux_fit_err"].value[:-1]
    assert pulls.std() == pytest.approx(1, abs=0.15)
    assert np.std(left - rest) < 0.05
    assert np.unique(tiled["group_id"]).size == pytest.approx(np.unique(whole["group_id"]).size, abs=8)


def test_stars_across_tiles_are_found_once(session, monkeypatch):
    (whole, rest), (tiled, left) = both(session, monkeypatch, snr=6)
    assert abs(len(whole) - len(tiled)) <= 4
    tree = KDTree(np.c_[tiled["x"], tiled["y"]])
    assert not tree.query_pairs(0.7)
    apart, partner = tree.query(np.c_[whole["x"], whole["y"]])
    near = apart < 0.3
    assert near.mean() > 0.97
    ratio = tiled["flux_fit"].value[partner[near]] / whole["flux_fit"].value[near]
    assert np.median(np.abs(ratio - 1)) < 2e-3
    assert np.std(left - rest) < 0.3
    assert (np.diff(tiled["id"]) == 1).all()


def test_a_grid_of_psfs_counts_from_the_image(session, monkeypatch):
    wide = gaussian_filter(TRUE.values[0], 2.0)
    places = np.array([[0.0, SIDE / 2], [SIDE, SIDE / 2]])
    grid = PsfModel(np.stack([TRUE.values[0], wide]), TRUE.fine, places, TRUE.origin)
    monkeypatch.setattr("jviz.data.Psf.model", property(lambda self: grid))
    x, y, _ = session.truth
    (whole, _), (tiled, _) = both(session, monkeypatch, positions=np.c_[x, y], passes=1, residual=False)
    usual = np.abs(tiled["flux_fit"] - whole["flux_fit"]).value / whole["flux_fit_err"].value
    assert np.median(usual) < 0.12


def test_fluxes_at_fixed_places_are_the_same_in_tiles_and_as_those_of_fixed_psf_photometry(session, monkeypatch):
    x, y, _ = session.truth
    places = np.c_[np.r_[x, -40.0], np.r_[y, 10.0]]
    one = {"data": ["field"], "psf": ["star"], "positions": places, "box_size": 32}
    whole = session.run("photometry.forced", **one).table
    fixed = session.run("photometry.psf", data="field", psf="star", positions=places, passes=1, fixed=True, box_size=32,
                        residual=False).table  # fmt: skip
    in_tiles(monkeypatch)
    job = session.submit("photometry.forced", **one)
    tiled = job.result().table
    assert any("tile 2 of" in line for line in job.log)
    assert list(tiled["id"]) == list(range(1, len(places) + 1))
    for other in (whole["flux_field"], fixed["flux"]):
        off = np.abs(tiled["flux_field"] - other)[:-1] / tiled["flux_err_field"][:-1]
        assert np.median(off) < 0.08
        assert np.percentile(off, 97) < 0.5
    assert np.isnan(tiled["flux_field"][-1])
    assert tiled["flags_field"][-1] == 256


def test_artificial_stars_come_back_from_tiles_as_from_one_piece(session, monkeypatch):
    options = {"data": "field", "psf": "star", "stars": 60, "rounds": 2, "bins": 4, "box_size": 32, "gain": 2.0}
    whole = session.run("photometry.inject", **options).table
    in_tiles(monkeypatch)
    tiled = session.run("photometry.inject", **options).table
    np.testing.assert_array_equal(tiled["n"], whole["n"])
    np.testing.assert_allclose(tiled["completeness"], whole["completeness"], atol=0.08)
    assert tiled["completeness"][0] > 0.8
    np.testing.assert_allclose(tiled["flux_ratio"][:2], whole["flux_ratio"][:2], atol=0.02)


def test_a_psf_of_a_large_image_is_built_from_cut_outs(session, monkeypatch):
    x, y, flux = session.truth
    bright = np.argsort(-flux)[:40]
    stars, others = np.c_[x, y][bright], np.delete(np.c_[x, y], bright, axis=0)
    run = {"data": "field", "positions": np.r_[stars, [[-30.0, 20.0]]], "others": others, "size": 25, "box_size": 32}
    whole = session.run("photometry.build_psf", **run).model
    in_tiles(monkeypatch)
    cut = session.run("photometry.build_psf", **run).model
    assert cut.values.shape == whole.values.shape
    np.testing.assert_allclose(cut.values, whole.values, atol=0.01 * whole.values.max())
    assert cut.fwhm == pytest.approx(whole.fwhm, rel=0.01)


def test_an_image_without_stars_says_so(session, monkeypatch):
    empty = np.random.default_rng(1).normal(0, 1, (300, 300))
    session.add(CCDData(empty, unit="mJy", uncertainty=StdDevUncertainty(np.ones_like(empty))), name="empty")
    monkeypatch.setattr(photometry_psf, "WHOLE", 0)
    with pytest.raises(jviz.CommandError, match="No star is above S/N 30"):
        session.run("photometry.psf", data="empty", psf="star", snr=30)
    assert session.names == ["field", "star", "empty"]


LIMITED = """
import resource
from contextlib import closing

import numpy as np

import jviz


def main(path):
    with closing(jviz.Session(settings={})) as session:
        [mosaic] = session.open(path)
        session.run("photometry.model_psf", shape="gaussian", fwhm=2.5, name="psf")
        # what compiling and importing take is no matter of the mosaic
        small = np.random.default_rng(1).normal(0, 1, (300, 300)).astype(np.float32)
        small[30:33, 30:33] += 50
        session.add(small, name="small")
        session.run("photometry.psf", data="small", psf="psf", residual=False)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        status = open("/proc/self/status").read()
        room = (int(status.split("VmData:")[1].split()[0]) << 10) + 700_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (room, room))
        stars = session.run("photometry.psf", data=mosaic, psf="psf", snr=8)
        session.run("photometry.build_psf", data=mosaic, positions=[(900, 900), (3000, 3000), (30, 6000)] + [
            (float(row["x"]), float(row["y"])) for row in stars.table[:20]])
        session.run("photometry.forced", data=[mosaic], psf=["psf"], positions=stars)
        session.run("photometry.inject", data=mosaic, psf="psf", snr=8, stars=50, rounds=1)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(len(stars), (after - before) << 10)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and their state are those of Linux")
def test_a_mosaic_takes_a_bounded_amount_of_memory(tmp_path):
    """A mosaic of 6,144 × 6,144 pixels is 151 MB in one plane, and its fit in one piece would take a dozen of these.

    The process may not have more than 700 MB of memory of its own beside what it had before.
    """
    side, rng = 6144, np.random.default_rng(4)
    image = rng.normal(0, 1, (side, side)).astype(np.float32)
    y, x = np.mgrid[-6:7, -6:7]
    star = 400 * np.exp(-(x**2 + y**2) / (2 * (2.5 / 2.355) ** 2))
    places = rng.integers(20, side - 20, (900, 2))
    for a, b in places:
        image[a - 6 : a + 7, b - 6 : b + 7] += star
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(image, name="SCI")]).writeto(tmp_path / "mosaic.fits")
    code = f"{LIMITED}\nmain({str(tmp_path / 'mosaic.fits')!r})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    count, grown = map(int, run.stdout.split()[-2:])
    assert abs(count - len(places)) < 15
    assert grown < 700e6

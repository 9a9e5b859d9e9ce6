"""Smoothing, backgrounds, masks, stacks and files: against second ways to work them out."""

from contextlib import closing

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.wcs import WCS

from jviz import CommandError, Session
from jviz.backend.asdf_plugins import asdf_library
from tests.model.test_image_operations import make_wcs, planes


@pytest.fixture
def session():
    rng = np.random.default_rng(1)
    with closing(Session()) as session:
        for name in ("one", "two", "three"):
            error = StdDevUncertainty(rng.uniform(0.5, 1.5, (60, 70)))
            ccd = CCDData(rng.normal(5, 1, (60, 70)), unit="MJy/sr", uncertainty=error, wcs=make_wcs(sip=True))
            ccd.flags = np.full((60, 70), 4, np.int32) * (np.arange(70) > 60)
            session.add(ccd, name=name)
        yield session


@pytest.mark.parametrize(("kernel", "size"), [("gaussian", 1.5), ("tophat", 3), ("box", 5)])
def test_linear_filters_agree_with_astropy_and_monte_carlo(session, kernel, size):
    from astropy.convolution import Box2DKernel, Gaussian2DKernel, Tophat2DKernel, convolve

    values = planes(session["one"])["data"].copy()
    values[20:23, 30:33] = np.nan
    session.add(CCDData(values, unit="Jy", uncertainty=StdDevUncertainty(np.full(values.shape, 0.7))), name="holes")
    new = planes(session.run("image.smooth", data="holes", kernel=kernel, size=size))
    kernels = {"gaussian": lambda: Gaussian2DKernel(size, x_size=17, y_size=17), "box": lambda: Box2DKernel(size),
               "tophat": lambda: Tophat2DKernel(size)}  # fmt: skip
    wanted = convolve(values, kernels[kernel](), boundary="fill", fill_value=np.nan, nan_treatment="interpolate")
    inner = np.s_[10:-10, 10:-10]
    assert np.allclose(new["data"][inner], wanted[inner], atol=1e-4)
    assert np.isfinite(new["data"]).all()
    rng = np.random.default_rng(2)
    draws = [convolve(rng.normal(0, 0.7, (40, 40)), kernels[kernel]())[10:-10, 10:-10] for _ in range(60)]
    assert new["error"][45, 45] == pytest.approx(np.std(draws), rel=0.05)


def test_median_agrees_with_scipy(session):
    from scipy.ndimage import generic_filter

    values = planes(session["one"])["data"]
    new = planes(session.run("image.smooth", data="one", kernel="median", size=5))
    wanted = generic_filter(values, np.nanmedian, 5, mode="constant", cval=np.nan)
    assert np.allclose(new["data"], wanted)
    assert "error" not in new


def test_psf_gets_as_wide_as_wanted(session):
    y, x = np.mgrid[:61, :61] - 30.0
    fwhm = 2 * np.sqrt(2 * np.log(2))
    session.add(np.exp(-0.5 * (x**2 + y**2) / (3 / fwhm) ** 2), name="star")
    new = planes(session.run("image.psf_match", data="star", fwhm_from=3, fwhm_to=5))["data"]
    width = fwhm * np.sqrt((new * x**2).sum() / new.sum())
    assert width == pytest.approx(5, rel=2e-3)
    with pytest.raises(CommandError, match="widened"):
        session.run("image.psf_match", data="star", fwhm_from=5, fwhm_to=3)


@pytest.mark.parametrize("kind", ["constant", "plane", "mesh"])
def test_backgrounds_go_and_sources_stay(session, kind):
    y, x = np.mgrid[:200, :200]
    slope = 0 if kind == "constant" else 0.02
    star = 500 * np.exp(-((x - 90.0) ** 2 + (y - 110.0) ** 2) / 18)
    session.add(100 + slope * x + np.random.default_rng(0).normal(0, 1, x.shape) + star, name="field")
    new = planes(session.run("image.subtract_background", data="field", kind=kind, box=40))["data"]
    assert abs(np.median(new)) < 0.1
    assert np.std((new - star)[20:-20, 20:-20]) < 1.1


def test_masks_by_region_and_flags(session):
    from regions import CirclePixelRegion, PixCoord

    session.run("region.add", region=CirclePixelRegion(PixCoord(20, 15), 5), name="core", data="one")
    y, x = np.mgrid[:60, :70]
    inside = np.hypot(x - 20, y - 15) < 5
    assert (np.isnan(planes(session.run("image.mask", data="one", region="core"))["data"]) == inside).mean() > 0.999
    kept = planes(session.run("image.mask", data="one", flags="bit 2", invert=True))["data"]
    assert np.array_equal(np.isfinite(kept), x > 60)
    with pytest.raises(CommandError, match="Say what"):
        session.run("image.mask", data="one")


def test_stacks(session):
    cube = np.array([planes(session[n])["data"] for n in ("one", "two", "three")])
    errors = np.array([planes(session[n])["error"] for n in ("one", "two", "three")])
    names = ["one", "two", "three"]
    mean, median, total, weighted = (
        planes(session.run("image.stack", data=names, how=how)) for how in ("mean", "median", "sum", "weighted")
    )
    assert np.allclose(mean["data"], cube.mean(axis=0))
    assert np.allclose(mean["error"], np.sqrt((errors**2).sum(axis=0)) / 3)
    assert np.allclose(median["data"], np.median(cube, axis=0))
    assert np.allclose(total["data"], cube.sum(axis=0))
    assert np.allclose(weighted["data"], np.average(cube, axis=0, weights=1 / errors**2))
    assert np.allclose(weighted["error"], 1 / np.sqrt((1 / errors**2).sum(axis=0)))
    assert np.array_equal(mean["flags"], planes(session["one"])["flags"])


def test_a_cosmic_ray_is_clipped(session):
    rng = np.random.default_rng(8)
    for number in range(9):
        values = rng.normal(10, 1, (20, 20))
        values[5, 5] += 1000 * (number == 4)
        session.add(values, name=f"n{number}")
    new = planes(session.run("image.stack", data=[f"n{n}" for n in range(9)], how="clipped"))["data"]
    assert abs(new[5, 5] - 10) < 2


def test_exported_fits_is_what_it_was(session, tmp_path):
    made = session.run("image.flip", data="one", name="mirrored")
    path = session.run("data.export", data="mirrored", path=tmp_path / "out.fits")
    with fits.open(path, checksum=True) as units:
        assert [u.name for u in units[1:4]] == ["SCI", "ERR", "DQ"]
        for name, meaning in (("SCI", "data"), ("ERR", "error"), ("DQ", "flags")):
            assert np.array_equal(units[name].data, planes(made)[meaning])
        assert units["SCI"].header["BUNIT"] == made.unit
        assert "mirrored in x" in str(units[0].header["HISTORY"])
        wcs = WCS(units["SCI"].header)
    assert np.allclose(wcs.all_pix2world(3, 50, 0), made.wcs.all_pix2world(3, 50, 0), rtol=0, atol=1e-11)
    session.open(path)
    before = path.read_bytes()
    with pytest.raises(CommandError, match="is open in this session"):
        session.run("data.export", data="one", path=path)
    assert path.read_bytes() == before
    assert np.array_equal(
        np.load(session.run("data.export", data="one", path=tmp_path / "a.npy")), planes(session["one"])["data"]
    )
    with pytest.raises(CommandError, match="end it with"):
        session.run("data.export", data="one", path=tmp_path / "a.what")


def test_real_files_come_back_from_fits_at_their_place(shared_data, tmp_path):
    with closing(Session()) as session:
        for file in ("j8bt06nyq_flt.fits", "tpv.fits", "jw01288016001_34101_00002_mirimage_i2d.fits"):
            data = session.open(shared_data / file)[0]
            new = session.run("image.crop", data=data, x=(10, 60), y=(20, 90))
            path = session.run("data.export", data=new, path=tmp_path / file)
            again = session.open(path)[0]
            assert np.array_equal(again.plane().read(), new.plane().read(), equal_nan=True)
            first, second = data.wcs.pixel_to_world(22.0, 35.0), again.wcs.pixel_to_world(12.0, 15.0)
            assert first.separation(second).arcsec < 1e-3


def test_asdf_is_written(session, tmp_path):
    path = session.run("data.export", data="one", path=tmp_path / "a.asdf")
    with asdf_library().open(path) as file:
        assert np.array_equal(np.asarray(file["planes"]["SCI"]["data"]), planes(session["one"])["data"])


def test_what_a_command_makes_is_shown_and_said_in_the_script(session):
    session.showing = True
    made = session.run("image.flip", data="one")
    assert [v.data.name for v in session.views.values()] == [made.name]
    assert f"session.view('image', data={made.name!r})" in session.script()
    session.undo()
    assert not session.views

"""Cuts, bins, mirrors and turns of real JWST images, and what is written of them: exact, with every plane."""

import shutil
from contextlib import closing

import numpy as np
import pytest
from astropy.io import fits

from jviz import Session
from jviz.errors import CommandError

CAL = "jw01093012001_03102_00001_nis_cal.fits"
PSF = "jw01386_nrcalong_f300m_mask335r_hd141569_psfsub.fits"
I2D = "jw01288016001_34101_00002_mirimage_i2d.fits"

MOVES = [
    ("image.crop", {"x": (11, 64), "y": (20, 70)}, lambda x, y, nx, ny: (x - 11, y - 20)),
    ("image.flip", {"axis": "x"}, lambda x, y, nx, ny: (nx - 1 - x, y)),
    ("image.flip", {"axis": "y"}, lambda x, y, nx, ny: (x, ny - 1 - y)),
    ("image.rotate_pixels", {"angle": 90}, lambda x, y, nx, ny: (ny - 1 - y, x)),
    ("image.rotate_pixels", {"angle": 270}, lambda x, y, nx, ny: (y, nx - 1 - x)),
    ("image.rebin", {"factor": (2, 3)}, lambda x, y, nx, ny: ((x - 0.5) / 2, (y - 1) / 3)),
]


def exact(data, x, y):
    """Return RA and Dec by the WCS object itself, without its bounding box."""
    if hasattr(data.wcs, "available_frames"):
        return np.array(data.wcs(x, y, with_bounding_box=False), float)
    return np.array(data.wcs.pixel_to_world_values(x, y), float)


@pytest.mark.parametrize("file", [CAL, PSF, I2D, "j8bt06nyq_flt.fits"])
@pytest.mark.parametrize(("id", "options", "where"), MOVES)
def test_pixels_stay_on_the_sky_within_a_millionth_of_a_pixel(shared_data, file, id, options, where):
    with closing(Session()) as session:
        data = session.open(shared_data / file)[0]
        new = session.run(id, data=data, **options)
        ny, nx = data.shape
        x, y = np.random.default_rng(3).uniform((12, 21), (60, 65), (40, 2)).T
        before, after = exact(data, x, y), exact(new, *where(x, y, nx, ny))
        step = np.hypot(*(exact(data, x + 1, y) - before))  # a pixel, in degrees of RA and Dec
        assert (np.hypot(*(after - before)) < 1e-6 * step).all()
        assert type(new.wcs).__module__ == type(data.wcs).__module__  # a GWCS stays one


@pytest.mark.parametrize(("id", "options", "where"), MOVES)
def test_every_plane_goes_with_the_pixels(shared_data, id, options, where):
    with closing(Session()) as session:
        data = session.open(shared_data / CAL)[0]
        new = session.run(id, data=data, **options)
        ny, nx = data.shape
        for name, plane in data.planes.items():
            assert new.planes[name].meaning == plane.meaning
            assert new.planes[name].unit == plane.unit
            if id == "image.rebin":
                continue
            old, moved = plane.read(), new.planes[name].read()
            for x, y in ((20, 30), (45, 60), (63, 22)):
                u, v = where(x, y, nx, ny)
                np.testing.assert_array_equal(moved[v, u], old[y, x])


def test_binned_variances_add_up(shared_data):
    with closing(Session()) as session:
        data = session.open(shared_data / CAL)[0]
        new = session.run("image.rebin", data=data, factor=2, how="sum")
        good = np.isfinite(data.planes["SCI"].read()).reshape(40, 2, 40, 2)
        blocks = data.planes["VAR_RNOISE"].read().astype(float).reshape(40, 2, 40, 2)
        count = good.sum(axis=(1, 3))
        whole = np.where(good, blocks, 0).sum(axis=(1, 3)) * (4 / count) ** 2
        there = (count > 0) & np.isfinite(whole)
        np.testing.assert_allclose(new.planes["VAR_RNOISE"].read()[there], whole[there], rtol=1e-5)


@pytest.mark.parametrize("file", [CAL, "j8bt06nyq_flt.fits", "tpv.fits", I2D])
def test_a_cut_out_that_is_written_is_read_back_on_the_same_sky(shared_data, tmp_path, file):
    with closing(Session()) as session:
        data = session.open(shared_data / file)[0]
        new = session.run("image.crop", data=data, x=(11, 64), y=(20, 70), name="cut")
        path = session.run("data.export", data="cut", path=tmp_path / "cut.fits")
        [again] = session.open(path)
        assert not again.wcs_warnings
        x, y = np.random.default_rng(4).uniform(0, 49, (30, 2)).T
        step = np.hypot(*(exact(new, x + 1, y) - exact(new, x, y)))
        assert (np.hypot(*(exact(again, x, y) - exact(data, x + 11, y + 20))) < 1e-6 * step).all()
        for name, plane in new.planes.items():
            np.testing.assert_array_equal(again.planes[name].read(), plane.read())
        with fits.open(path) as written:  # for programs without GWCS
            from astropy.wcs import WCS

            place = WCS(written[1].header, written)
            off = np.hypot(*(np.array(place.all_pix2world(x, y, 0)) - exact(new, x, y)))
            assert (off < 0.02 * step).all()


def test_comments_and_history_of_cards_are_kept(shared_data, tmp_path):
    with closing(Session()) as session:
        data = session.open(shared_data / CAL)[0]
        path = session.run("data.export", data=data, path=tmp_path / "same.fits")
        with fits.open(shared_data / CAL) as old, fits.open(path) as new:
            for keyword in ("TELESCOP", "INSTRUME", "DATE-OBS", "EFFEXPTM"):
                assert new[0].header[keyword] == old[0].header[keyword]
                assert new[0].header.comments[keyword] == old[0].header.comments[keyword]
            own = [k for k in old["SCI"].header if k in ("RA_V1", "PA_V3", "VELOSYS", "V3I_YANG", "VA_SCALE")]
            assert own
            for keyword in own:
                assert new[0].header.comments[keyword] == old["SCI"].header.comments[keyword]
            new.verify("exception")


@pytest.mark.parametrize(
    "file",
    [
        "muse_udf_subcube.fits", "jw01022-o023_t001_miri_ch2-short_s3d_nav.fits", "jw01019_gs_acq1_uncal.fits",
        "miri_lrs_slitless_rateints_SIM.fits", "l1448_13co.fits", "gmos_ngc3081_cube.fits",
    ],
)  # fmt: skip
def test_cubes_and_ramps_are_written_with_all_planes(shared_data, tmp_path, file):
    with closing(Session()) as session:
        data = session.open(shared_data / file)[0]
        path = session.run("data.export", data=data, path=tmp_path / "out.fits")
        again = session.open(path)[0]
        assert list(again.planes) == ["SCI" if n == "PRIMARY" else n for n in data.planes] or (
            list(again.planes) == list(data.planes)
        )
        for name, plane in zip(again.planes, data.planes.values(), strict=True):
            np.testing.assert_array_equal(again.planes[name].read(), plane.read())
            assert again.planes[name].unit == plane.unit
        if data.kind == "cube":
            assert again.kind == "cube"
            place = [n / 3 for n in data.shape[::-1]]
            np.testing.assert_allclose(
                again.wcs.pixel_to_world_values(*place), data.wcs.pixel_to_world_values(*place), rtol=1e-12
            )


def test_a_cut_out_reads_only_its_part_and_can_be_cancelled(shared_data, tmp_path):
    from jviz.backend.progress import Cancelled
    from jviz.pictures import picture_of

    with closing(Session()) as session:
        data = session.open(shared_data / CAL)[0]

        def stop(done, total, text):
            if done:
                raise Cancelled

        with pytest.raises(Cancelled):
            picture_of(data, others=True, progress=stop)
        part = picture_of(data, part=(slice(3, 9), slice(20, 60)))
        np.testing.assert_array_equal(part.values, data.planes["SCI"].read()[3:9, 20:60])
        with pytest.raises(CommandError, match="hold no pixel"):
            session.run("image.crop", data=data, x=(90, 99), y=(0, 5))


def test_a_file_that_is_open_is_not_overwritten(shared_data, tmp_path):
    shutil.copy(shared_data / CAL, tmp_path / "mine.fits")
    with closing(Session()) as session:
        data = session.open(tmp_path / "mine.fits")[0]
        with pytest.raises(CommandError, match="is open in this session"):
            session.run("data.export", data=data, path=tmp_path / "mine.fits")

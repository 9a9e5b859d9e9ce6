"""Region statistics: the table, units, flags, errors, odd regions, recentring."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData, StdDevUncertainty
from regions import CirclePixelRegion, CircleSkyRegion, LinePixelRegion, PixCoord, RectanglePixelRegion

import jviz
from jviz import CommandError
from jviz.region_statistics import LiveStatistics
from tests.backend.regions.skies import sip_wcs


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    y, x = np.mgrid[:128, :128]
    light = 5 + 100 * np.exp(-0.5 * ((x - 61.3) ** 2 + (y - 70.6) ** 2) / 3**2)
    errors = StdDevUncertainty(np.full(light.shape, 0.5))
    session.add(CCDData(light, unit="MJy/sr", uncertainty=errors, wcs=sip_wcs(size=128)), name="image")
    yield session
    session.close()


def test_one_row_for_each_region_with_units(session):
    session.subset("core", CirclePixelRegion(PixCoord(61.3, 70.6), 15), data="image")
    session.subset("sky", CircleSkyRegion(SkyCoord(150, 2, unit="deg"), 0.5 * u.arcsec))
    table = session.run("region.statistics", data="image")
    assert list(table["name"]) == ["core", "sky"]
    core = table[0]
    sky = session["image"].sky
    area = np.pi * 15**2 * sky.pixel_area_arcsec2(61.3, 70.6)
    assert core["area"].to_value("arcsec2") == pytest.approx(float(area), rel=1e-4)
    total = 5 * np.pi * 225 + 100 * 2 * np.pi * 9
    assert core["sum"].to_value("MJy/sr") == pytest.approx(total, rel=1e-4)
    assert core["flux"].to_value("Jy") == pytest.approx(
        (core["sum"] * core["area"]).to_value("Jy") / (np.pi * 225), rel=1e-3
    )
    assert core["sum_err"].value == pytest.approx(0.5 * np.sqrt(np.pi * 225), rel=0.02)
    assert core["surface_brightness"] == core["mean"]
    assert core["centroid_x"] == pytest.approx(61.3, abs=1e-3)
    wanted = SkyCoord(*sky.pixel_to_sky(61.3, 70.6), unit="deg")
    assert core["sky_centroid"].separation(wanted).to_value("arcsec") < 1e-4
    assert core["note"] == ""
    assert table["area"][1].to_value("arcsec2") == pytest.approx(np.pi * 0.25, rel=1e-4)


def test_flags_are_left_out_by_name_or_bit(session):
    from jviz.backend.io.product import Plane

    image = session["image"]
    flags = np.zeros((128, 128), np.uint32)
    flags[:64], flags[64:100, :20] = 1, 4
    image.product.planes["DQ"] = Plane("DQ", (128, 128), flags.dtype, lambda progress: flags, meaning="flags")
    image.product.flags = "jwst"
    session.subset("all", RectanglePixelRegion(PixCoord(63.5, 63.5), 128, 128), data="image")

    def n_excluded(**options):
        return int(session.run("region.statistics", data="image", **options)["n_excluded"][0])

    assert n_excluded() == 64 * 128
    assert n_excluded(exclude_flags="JUMP_DET") == 36 * 20
    assert n_excluded(exclude_flags=["DO_NOT_USE", "bit 2"]) == 64 * 128 + 36 * 20
    assert n_excluded(exclude_flags="none") == 0
    assert n_excluded(exclude_flags=4) == 36 * 20
    with pytest.raises(CommandError, match=r"no flag 'SATURATE'.*SATURATED"):
        n_excluded(exclude_flags="SATURATE")


def test_counts_stay_counts_and_say_why(session):
    session.add(CCDData(np.full((32, 32), 3.0), unit="adu"), name="raw")
    table = session.run("region.statistics", data="raw", region=CirclePixelRegion(PixCoord(15, 15), 5))
    assert table["area"][0].to_value("pix2") == pytest.approx(np.pi * 25, rel=1e-6)
    assert table["flux"][0].to_value("adu") == pytest.approx(3 * np.pi * 25, rel=1e-6)
    assert table["surface_brightness"][0].to_value("adu / pix2") == pytest.approx(3)
    assert "adu is not a flux density" in table["note"][0]
    assert np.isnan(table["sum_err"][0])


def test_odd_regions_have_rows_of_nothing(session):
    values = np.full((32, 32), np.nan)
    session.add(CCDData(values, unit="Jy"), name="empty")
    session.subset("off", CirclePixelRegion(PixCoord(-50, 10), 3), data="empty")
    session.subset("nan", CirclePixelRegion(PixCoord(10, 10), 3), data="empty")
    table = session.run("region.statistics", data="empty")
    assert table["n_pixels"].tolist() == [0, 0]
    assert table["n_nan"].tolist()[0] == 0
    assert table["n_nan"].tolist()[1] > 20
    assert set(table["note"]) == {"no pixels to use"}
    assert len(session.run("region.statistics", data="empty", region=[])) == 0
    with pytest.raises(CommandError, match="no region 'core'"):
        session.run("region.statistics", data="empty", region="core")


def test_masks_and_centres_count_whole_pixels(session):
    mask = np.zeros((128, 128), bool)
    mask[10:20, 30:50] = True
    session.subset("mask", mask, data="image")
    assert session.run("region.statistics", data="image", region="mask")["n_pixels"][0] == 200
    session.subset("box", RectanglePixelRegion(PixCoord(40.2, 15.2), 20, 10), data="image")
    table = session.run("region.statistics", data="image", region="box", mode="center")
    image = session["image"].get(np.ndarray)
    inside = session.subsets["box"].region.to_mask(mode="center").multiply(image)
    assert table["sum"][0].value == pytest.approx(inside.sum())


def test_live_numbers_are_those_of_the_table(session):
    subset = session.subset("core", CirclePixelRegion(PixCoord(61.3, 70.6), 15), data="image")
    live = LiveStatistics(session["image"]).measure(subset)
    row = session.run("region.statistics", data="image", region="core")[0]
    assert (live.sum, live.clipped_std, live.area) == (
        row["sum"].value, row["clipped_std"].value, row["area"].value,
    )  # fmt: skip


@pytest.mark.parametrize("sky", [False, True])
def test_recentring_finds_the_star(session, sky):
    image = session["image"]
    region = CirclePixelRegion(PixCoord(64, 68), 10)
    session.subset("core", region, data="image")
    if sky:
        session.run("region.transform", name="core", to="sky")
    session.run("region.recentre", name="core", data="image")
    found = session.subsets["core"].region
    if sky:
        x, y = image.sky.sky_to_pixel(found.center.ra.deg, found.center.dec.deg)
    else:
        x, y = found.center.x, found.center.y
    assert (float(x), float(y)) == pytest.approx((61.3, 70.6), abs=0.02)
    session.undo()
    assert session.subsets["core"].region is not found


def test_sums_and_counts_are_those_of_photutils(session):
    from photutils.aperture import ApertureStats, CircularAperture

    image = session["image"]
    pixels = image.get(CCDData)
    table = session.run("region.statistics", data="image", region=CirclePixelRegion(PixCoord(60.2, 71.4), 8.3))
    exact = ApertureStats(pixels.data, CircularAperture((60.2, 71.4), 8.3), sum_method="exact")
    assert table["sum"].value[0] == pytest.approx(exact.sum, rel=1e-6)
    assert table["n_pixels"][0] == exact.center_aper_area.value
    assert (table["min"].value[0], table["max"].value[0]) == pytest.approx((exact.min, exact.max))


def test_the_statistics_of_a_line_say_what_they_are(session):
    line = LinePixelRegion(PixCoord(10, 5), PixCoord(30, 5))
    session.add(CCDData(np.full((32, 64), 3.0), unit="MJy/sr"), name="flat")
    table = session.run("region.statistics", data="flat", region=line)
    assert table["area"][0].to_value("pix2") == pytest.approx(20)
    assert table["sum"].value[0] == pytest.approx(60)
    assert (table["n_pixels"][0], table["mean"].value[0]) == (21, 3.0)
    assert table["note"][0].startswith("along the line, one pixel wide")
    gone = session.run("region.statistics", data="flat", region=LinePixelRegion(PixCoord(-9, -5), PixCoord(-3, 5)))
    assert gone["note"][0] == "no pixels to use"


def test_all_nan_regions_give_nan_and_say_so(session):
    session.add(CCDData(np.full((32, 64), np.nan), unit="MJy/sr"), name="void")
    table = session.run("region.statistics", data="void", region=CirclePixelRegion(PixCoord(20, 15), 5))
    # 69 points of a lattice are nearer than 5 to one of them
    assert (table["n_pixels"][0], table["n_excluded"][0], table["n_nan"][0]) == (0, 69, 69)
    assert np.isnan(table["sum"].value[0])
    assert table["note"][0] == "no pixels to use"


def test_limits_are_those_of_the_pixels_in_regions():
    session = jviz.Session()
    values = np.arange(6400, dtype=np.float32).reshape(80, 80)
    values[40, 40] = np.nan
    session.add(values, name="image")
    view = session.view("image", data="image")
    with pytest.raises(CommandError, match="No region is selected"):
        session.run("region.limits")
    session.subset("core", RectanglePixelRegion(PixCoord(40, 40), 5, 3), data="image")
    session.interaction.select(["core"])
    assert session.run("region.limits", mode="minmax") == (39 * 80 + 38, 41 * 80 + 42)
    assert view.layer.limits == (39 * 80 + 38, 41 * 80 + 42)
    low, high = session.run("region.limits", region="core", mode="percentile", low=10, high=90)
    inside = values[39:42, 38:43]
    assert (low, high) == pytest.approx(np.nanpercentile(inside, [10, 90]))
    session.undo()
    assert view.layer.limits == (39 * 80 + 38, 41 * 80 + 42)
    session.subset("off", RectanglePixelRegion(PixCoord(400, 40), 5, 3), data="image")
    with pytest.raises(CommandError, match="no finite pixels of image"):
        session.run("region.limits", region="off")

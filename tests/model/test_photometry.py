"""Aperture photometry: injected stars, units, regions, places, limits, flags, what is said of bad input."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import QTable, Table
from photutils.aperture import CircularAperture
from regions import CircleAnnulusPixelRegion, CirclePixelRegion, CircleSkyRegion, EllipsePixelRegion, PixCoord

from jviz import CommandError
from jviz.backend.io.product import Plane
from tests.backend.regions.skies import sip_wcs

SIGMA, SIDE = 1.7, 900


def star_field(seed=1, noise=0.3, sky=4.0):
    """Gaussian stars, integrated over pixels, of known flux on a flat sky with noise of known size."""
    from scipy.special import erf

    draw = np.random.default_rng(seed)
    x, y = (v.ravel() + draw.uniform(-0.5, 0.5, v.size) for v in np.meshgrid(*[np.arange(20, 880, 30.0)] * 2))
    flux = 10 ** draw.uniform(2.2, 3.5, x.size)
    image = np.full((SIDE, SIDE), sky)
    edges = np.arange(-13, 14) - 0.5
    for px, py, f in zip(x, y, flux, strict=True):
        i, j = round(py), round(px)
        along = [0.5 * np.diff(erf((edges + c - p) / (SIGMA * np.sqrt(2)))) for c, p in ((i, py), (j, px))]
        image[i - 13 : i + 13, j - 13 : j + 13] += f * np.outer(*along)
    return image + draw.normal(0, noise, image.shape), x, y, flux


def within(radius):
    """Return the part of a star in a circle: pixels take it up and lay it out again, each a box of variance 1/12."""
    return 1 - np.exp(-0.5 * radius**2 / (SIGMA**2 + 1 / 6))


@pytest.mark.parametrize("how", ["errors", "sky scatter"])
def test_injected_stars_come_back_with_errors_that_hold(session, how):
    image, x, y, flux = star_field()
    errors = StdDevUncertainty(np.full(image.shape, 0.3)) if how == "errors" else None
    session.add(CCDData(image, unit="mJy", uncertainty=errors), name="stars")
    table = session.run(
        "photometry.aperture", data="stars", positions=np.c_[x, y], radii=5.0, annulus=(9, 14),
        aperture_correction=1 / within(5.0),
    )  # fmt: skip
    ratio = table["flux"].to_value("mJy") / flux
    weight = flux / flux.sum()
    assert ratio @ weight == pytest.approx(1, abs=0.004)
    pulls = (table["flux"].to_value("mJy") - flux) / table["flux_err"].to_value("mJy")
    assert pulls.std() == pytest.approx(1, abs=0.08)
    assert abs(pulls.mean()) < 0.2
    assert np.median(table["background"].to_value("mJy")) == pytest.approx(4, abs=0.02)
    assert (table["flags"] == 0).all()


def test_the_numbers_are_those_of_the_source_catalogues_of_the_jwst_pipeline(session):
    """Its rules, by photutils: exact circles less the clipped median of the ring's pixels, solid angle, AB, APCORR."""
    from astropy.stats import SigmaClip
    from photutils.aperture import CircularAnnulus, aperture_photometry

    image, x, y, _ = star_field()
    x, y, sigma = x[:60], y[:60], np.sqrt(0.09 + 1e-3 * np.abs(image))
    header = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": "F200W", "PUPIL": "CLEAR", "PIXAR_SR": 2.29e-14}
    ccd = CCDData(image, unit="MJy/sr", uncertainty=StdDevUncertainty(sigma), meta=header)
    session.add(ccd, name="i2d")
    radii, corrections = np.array([1.2, 1.8, 2.9]), np.array([3.2, 1.95, 1.4])
    rows = Table({"filter": ["F200W"] * 3, "pupil": ["CLEAR"] * 3, "eefraction": [0.3, 0.5, 0.7], "radius": radii,
                  "apcorr": corrections, "skyin": [7.0] * 3, "skyout": [10.0] * 3})  # fmt: skip
    session.add(rows, name="apcorr")
    made = session.run("photometry.aperture", data="i2d", positions=np.c_[x, y], radii=["30 %", "50 %", "70 %"],
                       aperture_correction="apcorr")  # fmt: skip
    factor, places = 2.29e-8, np.c_[x, y]
    rings = CircularAnnulus(places, 7, 10).to_mask(method="center")
    skies = [SigmaClip(3.0, maxiters=None)(mask.get_values(image), masked=False) for mask in rings]
    level, count = np.array([np.median(v) for v in skies]), np.array([len(v) for v in skies])
    level_err = np.sqrt(np.pi / (2 * count)) * np.array([v.std() for v in skies])
    np.testing.assert_allclose(made["background"].value, level, rtol=1e-6)
    np.testing.assert_allclose(made["background_err"].value, level_err, rtol=2e-3)
    for k, (radius, correction) in enumerate(zip(radii, corrections, strict=True)):
        circle = CircularAperture(places, radius)
        sums = aperture_photometry(image, circle, error=sigma)
        flux = (sums["aperture_sum"].value - level * circle.area) * factor * correction
        np.testing.assert_allclose(made[f"flux_{k}"].to_value("Jy"), flux, rtol=1e-6)
        # the pipeline leaves the error of the sky out of that of the flux
        error = np.hypot(sums["aperture_sum_err"].value, circle.area * level_err) * factor * correction
        np.testing.assert_allclose(made[f"flux_err_{k}"].to_value("Jy"), error, rtol=2e-3)
        np.testing.assert_allclose(made[f"abmag_{k}"].value, -2.5 * np.log10(flux) + 8.9, atol=1e-4)
        np.testing.assert_allclose(made[f"abmag_err_{k}"].value, 2.5 * np.log10(1 + error / flux), rtol=2e-3)


def test_poisson_errors_with_a_gain_hold(session):
    image, x, y, flux = star_field(noise=0.0, sky=20.0)
    gain = 2.0
    counts = np.random.default_rng(5).poisson(image * gain) / gain
    session.add(CCDData(counts, unit="adu"), name="counts")
    table = session.run(
        "photometry.aperture", data="counts", positions=np.c_[x, y], radii=5.0, annulus=(9, 14), gain=gain
    )
    pulls = (table["flux"].value - flux * within(5.0)) / table["flux_err"].value
    assert pulls.std() == pytest.approx(1, abs=0.08)
    assert "zero_point" in "".join(table.meta["notes"])


def test_surface_brightness_times_the_solid_angle_is_flux(session):
    sky = sip_wcs(size=128)
    session.add(CCDData(np.full((128, 128), 3.0), unit="MJy/sr", wcs=sky), name="image")
    table = session.run("photometry.aperture", data="image", positions=[(60.0, 70.0)], radii=6, pixel_area="wcs")
    area = session["image"].sky.pixel_area_arcsec2(60.0, 70.0) * u.arcsec**2
    wanted = (3 * u.MJy / u.sr * area * np.pi * 36).to(u.Jy)
    assert table["flux"][0].to_value("Jy") == pytest.approx(wanted.value, rel=1e-9)
    assert table["abmag"][0].value == pytest.approx(wanted.to_value(u.ABmag), abs=1e-4)
    session["image"].product.units[0].header["PIXAR_SR"] = float(area.to_value("sr")) * 1.01
    again = session.run("photometry.aperture", data="image", positions=[(60.0, 70.0)], radii=6)
    assert float((again["flux"] / table["flux"])[0]) == pytest.approx(1.01, rel=1e-6)
    session["image"].product.units[0].header["PIXAR_SR"] = float(area.to_value("sr")) * 4
    other = session.run("photometry.aperture", data="image", positions=[(60.0, 70.0)], radii=6)
    assert float((other["flux"] / table["flux"])[0]) == pytest.approx(1, rel=1e-6)


def test_regions_by_name_and_as_objects_of_pixels_and_sky(session):
    wcs = sip_wcs(size=128)
    errors = StdDevUncertainty(np.full((128, 128), 0.5))
    session.add(CCDData(np.full((128, 128), 2.0), unit="MJy/sr", wcs=wcs, uncertainty=errors), name="image")
    session.subset("core", CirclePixelRegion(PixCoord(61.3, 70.6), 7), data="image")
    session.subset("ring", CircleAnnulusPixelRegion(PixCoord(61.3, 70.6), 12, 18), data="image")
    named = session.run("photometry.aperture", data="image", region="core", annulus="ring")
    assert named["name"][0] == "core"
    assert named["aperture_sum"][0].to_value("MJy/sr") == pytest.approx(2 * np.pi * 49, rel=1e-6)
    assert named["flux"][0].value == pytest.approx(0, abs=1e-15)
    circle = session.run("photometry.aperture", data="image", positions=[(61.3, 70.6)], radii=7)
    assert circle["aperture_sum_err"][0].value == pytest.approx(named["aperture_sum_err"][0].value, rel=1e-5)
    ellipse = EllipsePixelRegion(PixCoord(40, 40), 16, 8, 30 * u.deg)
    on_sky = CircleSkyRegion(SkyCoord(150, 2, unit="deg"), 0.5 * u.arcsec)
    both = session.run("photometry.aperture", data="image", region=[ellipse, on_sky])
    assert both["area"][0].value == pytest.approx(np.pi * 32, rel=1e-6)
    pixel = float(session["image"].sky.pixel_area_arcsec2(63.5, 63.5))
    assert both["area"][1].value == pytest.approx(np.pi * 0.25 / pixel, rel=1e-3)
    every = session.run("photometry.aperture", data="image")
    assert list(every["name"]) == ["core", "ring"]


def test_places_in_any_form_are_the_same_places(session):
    wcs = sip_wcs(size=128)
    session.add(CCDData(np.arange(128.0 * 128).reshape(128, 128), unit="Jy", wcs=wcs), name="image")
    pairs = [(30.25, 40.5), (80.0, 90.0)]
    lon, lat = session["image"].sky.pixel_to_sky(*np.transpose(pairs))
    coordinates = SkyCoord(lon, lat, unit="deg")
    session.add(QTable({"ra": lon * u.deg, "dec": lat * u.deg}), name="sources")
    forms = [np.array(pairs), coordinates, "sources", session["sources"], Table({"x": [30.25, 80], "y": [40.5, 90]})]
    wanted = session.run("photometry.aperture", data="image", positions=pairs)["flux"].value
    for form in forms:
        found = session.run("photometry.aperture", data="image", positions=form)
        np.testing.assert_allclose(found["flux"].value, wanted, rtol=1e-8)
    np.testing.assert_allclose(found["sky"].ra.deg, lon)
    one = session.run("photometry.aperture", data="image", positions=(30.25, 40.5))
    assert one["flux"].value == pytest.approx(wanted[:1])
    arcsec = 3 * session["image"].sky.pixel_scale().mean
    sizes = session.run("photometry.aperture", data="image", positions=pairs, radii=[3, f"{arcsec} arcsec"])
    np.testing.assert_allclose(sizes["flux_0"].value, sizes["flux_1"].value)
    assert sizes.meta["radii"] == pytest.approx([3, 3])


def test_the_cursor_is_a_place_that_the_script_names(session):
    session.add(CCDData(np.ones((50, 60)), unit="Jy"), name="image")
    view = session.view("image", data="image")
    session.interaction.point_at(view, 20.0, 10.0)
    table = session.run("photometry.aperture", data="image", positions="cursor")
    assert (table["x"][0], table["y"][0]) == (20, 10)
    assert "(20.0, 10.0)" in session.script()


def test_faint_sources_get_upper_limits_and_bad_pixels_flags(session):
    values, flags = np.zeros((60, 60), np.float32), np.zeros((60, 60), np.uint32)
    values[30, 30], values[15, 15], flags[45, 45] = 100, np.nan, 2
    data = CCDData(values, unit="uJy", uncertainty=StdDevUncertainty(np.ones_like(values)))
    image = session.add(data, name="image")
    image.product.planes["DQ"] = Plane("DQ", (60, 60), flags.dtype, lambda progress: flags, meaning="flags")
    image.product.flags = "jwst"
    places = [(30, 30), (15, 15), (45, 45), (0, 30), (-50, 30)]
    table = session.run("photometry.aperture", data="image", positions=places, radii=3.0)
    assert table["flags"].tolist() == [0, 1, 4, 2, 2 | 16]
    assert table["n_masked"].tolist() == [0, 1, 0, 0, 0]
    assert np.isnan(table["flux_limit"][0])
    squares = (CircularAperture((30, 30), 3.0).to_mask(method="exact").data ** 2).sum()
    assert table["snr"][0] == pytest.approx(100 / np.sqrt(squares))
    assert table["flux_limit"][1].value == pytest.approx(3 * table["flux_err"][1].value)
    assert table["abmag_limit"][1].value == pytest.approx(-2.5 * np.log10(table["flux_limit"][1].to_value("Jy") / 3631))
    assert np.isnan(table["abmag"][1])
    assert "1 of 5" in "".join(table.meta["notes"])
    kept = session.run("photometry.aperture", data="image", positions=places, radii=3.0, exclude_flags="SATURATED")
    assert kept["n_masked"].tolist() == [0, 1, 1, 0, 0]


def test_light_within_a_part_of_the_energy(session):
    image, x, y, flux = star_field()
    session.add(CCDData(image, unit="mJy"), name="stars")
    radius = np.arange(1, 9.0, 0.1)
    table = Table({"radius": radius, "apcorr": 1 / within(radius), "eefraction": within(radius)})
    found = session.run(
        "photometry.aperture", data="stars", positions=np.c_[x, y], radii=["80 %", 4.0], annulus=(9, 14),
        aperture_correction=table,
    )  # fmt: skip
    assert found.meta["radii"][0] == pytest.approx(np.sqrt(-2 * np.log(0.2) * (SIGMA**2 + 1 / 6)), rel=0.01)
    for column in ("flux_0", "flux_1"):
        assert found[column].to_value("mJy").sum() / flux.sum() == pytest.approx(1, abs=0.01)


def test_the_sky_of_the_corrections_serves_where_radii_are_parts_of_the_light(session):
    image, x, y, _ = star_field()
    session.add(CCDData(image, unit="mJy"), name="stars")
    radius = np.arange(1, 9.0, 0.1)
    table = Table({"radius": radius, "apcorr": 1 / within(radius), "eefraction": within(radius),
                   "skyin": np.where(radius < 4, 9.0, 40), "skyout": np.where(radius < 4, 14.0, 50)})  # fmt: skip

    def found(**options):
        options = {"radii": "80 %"} | options
        return session.run("photometry.aperture", data="stars", positions=np.c_[x, y], aperture_correction=table,
                           **options)  # fmt: skip

    by_itself, asked = found(), found(annulus=(9, 14))
    np.testing.assert_array_equal(by_itself["flux"], asked["flux"])
    assert "ring of the aperture corrections, 9 to 14 pixels" in "".join(by_itself.meta["notes"])
    assert by_itself["background"].value.mean() == pytest.approx(4, abs=0.1)
    for options in ({"annulus": "none"}, {"radii": float(asked.meta["radii"][0])}):
        bare = found(**options)
        assert (bare["flux"] > asked["flux"]).all()
        assert "ring" not in "".join(bare.meta["notes"])


@pytest.mark.parametrize(("options", "words"), [
    ({"positions": [(500, 500)]}, "None of the 1 positions"),
    ({"positions": []}, "empty"),
    ({"positions": [(5, 5)], "radii": 0}, "radius of 0"),
    ({"positions": [(5, 5)], "radii": "3 parsec"}, "angle"),
    ({"positions": [(5, 5)], "radii": "70 %"}, "table of aperture corrections"),
    ({"positions": [(5, 5)], "annulus": (8, 4)}, "outer radius is larger"),
    ({"positions": SkyCoord([1], [2], unit="deg")}, "no world coordinates"),
    ({"positions": [(5, 5)], "region": "core"}, "not both"),
    ({"positions": [(5, 5)], "aperture_correction": "nowhere.fits"}, "no file"),
    ({"positions": [(5, 5)], "error": np.ones((3, 3))}, "shape"),
    ({"positions": [(20, 20)], "radii": 2}, "all are NaN"),
    ({}, "Say where"),
])  # fmt: skip
def test_bad_input_is_said_in_words(session, options, words):
    values = np.ones((30, 30))
    values[15:, 15:] = np.nan
    session.add(CCDData(values, unit="adu"), name="image")
    before = len(session.data)
    with pytest.raises(CommandError, match=words):
        session.run("photometry.aperture", data="image", **options)
    assert len(session.data) == before


def test_what_cannot_be_had_is_told_once(session):
    session.add(CCDData(np.ones((30, 30)), unit="MJy/sr"), name="image")
    table = session.run("photometry.aperture", data="image", positions=[(9, 9)], radii=3)
    notes = "; ".join(table.meta["notes"])
    assert "no errors" in notes
    assert "PIXAR_SR" in notes
    assert np.isnan(table["flux_err"][0].value)
    assert np.isnan(table["abmag"][0].value)
    assert table["flux"].unit == u.MJy / u.sr
    assert len(session.notices) == 1
    assert "no errors" in session.notices[0][1]


def test_a_mosaic_of_webb(session, shared_data):
    [image] = session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")[:1]
    ny, nx = image.shape
    table = session.run("photometry.aperture", data=image, positions=[(nx / 2, ny / 2)], radii=4, annulus=(8, 12))
    raw = image.plane().read()
    assert np.isfinite(raw[ny // 2, nx // 2])
    solid = image.header["PIXAR_SR"]
    net = table["aperture_sum"][0] - table["background"][0] * table["area"][0].value
    assert table["flux"][0].to_value("Jy") == pytest.approx(net.to_value("MJy/sr") * 1e6 * solid, rel=1e-9)
    assert table["flux_err"][0].value > 0


def test_the_curve_of_growth_is_that_of_the_star_and_knows_half_its_light(session):
    image, x, y, flux = star_field(noise=0.01)
    brightest = int(np.argmax(flux))
    session.add(CCDData(image, unit="mJy"), name="stars")
    place = (float(x[brightest]), float(y[brightest]))
    curve = session.run("photometry.growth_curve", data="stars", position=place, r_max=8, annulus=(9, 14))
    radius, found = curve.table["radius"].value, curve.table["flux"].to_value("mJy")
    np.testing.assert_allclose(found[5:] / flux[brightest], within(radius)[5:], atol=0.01)
    assert curve.table.meta["half_light"] == pytest.approx(np.sqrt(2 * np.log(2) * (SIGMA**2 + 1 / 6)), rel=0.02)
    assert (curve.table["flux_err"].value > 0).all()
    session.undo()
    assert session.names == ["stars"]

"""Spectra, maps and moments of cubes against numpy, regions masks, closed forms, spectral-cube and Monte Carlo."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from regions import CircleAnnulusPixelRegion, CirclePixelRegion, CircleSkyRegion, PixCoord, PolygonPixelRegion

import jviz
from jviz.backend.spectra.ranges import SpectralRanges

N, NY, NX = 60, 20, 24
AXIS = 5.0 + 0.01 * np.arange(N)
LINE, SIGMA = 5.3, 0.04
SR = 1e-12


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def written(path, values, error=None, dq=None, unit="MJy/sr"):
    header = fits.Header()
    for n, (kind, value, step, middle, text) in enumerate(
        [("RA---TAN", 150.0, -2e-5, 12.0, "deg"), ("DEC--TAN", 2.0, 2e-5, 10.0, "deg"), ("WAVE", 5.0, 0.01, 1.0, "um")],
        1,
    ):
        header[f"CTYPE{n}"], header[f"CRVAL{n}"], header[f"CDELT{n}"] = kind, value, step
        header[f"CRPIX{n}"], header[f"CUNIT{n}"] = middle, text
    header["BUNIT"], header["PIXAR_SR"] = unit, SR
    parts = [fits.PrimaryHDU(), fits.ImageHDU(values.astype(np.float32), header, name="SCI")]
    if error is not None:
        parts.append(fits.ImageHDU(error.astype(np.float32), header, name="ERR"))
    if dq is not None:
        parts.append(fits.ImageHDU(dq.astype(np.uint32), name="DQ"))
    parts[0].header["TELESCOP"] = "JWST"
    fits.HDUList(parts).writeto(path)
    return path


@pytest.fixture
def numbers():
    rng = np.random.default_rng(11)
    return rng.normal(10, 1, (N, NY, NX)).astype(np.float32), np.full((N, NY, NX), 0.5, np.float32)


@pytest.fixture
def cube(session, tmp_path, numbers):
    dq = np.zeros((N, NY, NX), np.uint32)
    dq[:, 3, 3] = 1
    [data] = session.open(written(tmp_path / "cube.fits", *numbers, dq))
    return data


def test_a_sum_has_the_exact_weights_of_a_circle_and_becomes_jansky(session, cube, numbers):
    circle = CirclePixelRegion(PixCoord(12.3, 9.8), 4.6)
    made = session.run("cube.extract", data=cube, region=circle)
    [samples] = made.samples
    weights = circle.to_mask(mode="exact").to_image((NY, NX))
    assert samples.unit == "Jy"
    assert np.allclose(samples.flux, (numbers[0] * weights).sum(axis=(1, 2)) * SR * 1e6, rtol=1e-5)
    assert np.allclose(samples.error, 0.5 * np.sqrt((weights**2).sum()) * SR * 1e6, rtol=1e-5)
    assert np.isclose(weights.sum(), np.pi * 4.6**2, rtol=1e-6)
    assert np.isclose(samples.area, np.pi * 4.6**2 * SR, rtol=1e-5)


@pytest.mark.parametrize(
    "unit",
    ["MJy/sr", "uJy/arcsec2", "erg/(s cm2 Hz sr)", "1e-20 erg/(s cm2 Angstrom arcsec2)", "W/(m2 um sr)", "mJy", "K",
     "Jy/beam"],
)  # fmt: skip
def test_sums_of_any_brightness_are_fluxes(session, tmp_path, unit):
    session.open(written(tmp_path / "flat.fits", np.ones((N, NY, NX)), unit=unit))
    [samples] = session.run("cube.extract", data="flat", region=CirclePixelRegion(PixCoord(12, 10), 3)).samples
    per_area = any(word in unit for word in ("sr", "arcsec"))
    expected = np.pi * 9 * u.Unit(unit) * (SR * u.sr if per_area else 1)
    assert u.allclose(samples.flux * u.Unit(samples.unit), expected, rtol=1e-5)
    assert not any(base in u.Unit(samples.unit).to_string() for base in ("sr", "arcsec"))


@pytest.mark.parametrize("statistic", ["mean", "median", "min", "max"])
def test_other_statistics_keep_the_unit(session, cube, numbers, statistic):
    circle = CirclePixelRegion(PixCoord(12.0, 10.0), 3.5)
    [samples] = session.run("cube.extract", data=cube, region=circle, statistic=statistic, weights="center").samples
    inside = circle.to_mask(mode="center").to_image((NY, NX)) > 0
    expected = getattr(np, statistic)(numbers[0][:, inside], axis=1)
    assert samples.unit == "MJy/sr"
    assert np.allclose(samples.flux, expected, rtol=1e-5)


def test_flagged_spaxels_are_left_out_unless_wanted(session, cube, numbers):
    mask = np.zeros((NY, NX), bool)
    mask[3, 3:5] = True
    [without] = session.run("cube.extract", data=cube, region=mask, statistic="mean").samples
    [with_it] = session.run("cube.extract", data=cube, region=mask, statistic="mean", exclude_flags=[]).samples
    assert np.allclose(without.flux, numbers[0][:, 3, 4], rtol=1e-5)
    assert np.allclose(with_it.flux, numbers[0][:, 3, 3:5].mean(axis=1), rtol=1e-5)


def test_a_region_on_the_sky_is_the_same_on_the_pixels(session, cube):
    from astropy.coordinates import SkyCoord

    lon, lat = cube.sky.pixel_to_sky(12.0, 10.0)
    sky = CircleSkyRegion(SkyCoord(float(lon) * u.deg, float(lat) * u.deg), 3 * 2e-5 * u.deg)
    [first] = session.run("cube.extract", data=cube, region=sky).samples
    [second] = session.run("cube.extract", data=cube, region=CirclePixelRegion(PixCoord(12, 10), 3)).samples
    assert np.allclose(first.flux, second.flux, rtol=2e-3)


def test_a_background_is_taken_away_for_each_spaxel(session, tmp_path):
    y, x = np.mgrid[:NY, :NX]
    star = np.hypot(x - 12, y - 10) < 2.5
    values = np.full((N, NY, NX), 7.0) + 100.0 * star
    session.open(written(tmp_path / "star.fits", values, np.full(values.shape, 0.2)))
    circle, ring = CirclePixelRegion(PixCoord(12, 10), 4), CircleAnnulusPixelRegion(PixCoord(12, 10), 5, 8)
    [samples] = session.run("cube.extract", data="star", region=circle, background=ring).samples
    assert np.allclose(samples.flux, 100.0 * star.sum() * SR * 1e6, rtol=1e-4)
    outer, inner = (CirclePixelRegion(PixCoord(12, 10), r).to_mask(mode="exact").to_image((NY, NX)) for r in (8, 5))
    around = ((outer - inner) ** 2).sum() / (np.pi * 39) ** 2
    own = (circle.to_mask(mode="exact").data ** 2).sum()
    assert np.allclose(samples.error, 0.2 * np.sqrt(own + (np.pi * 16) ** 2 * around) * SR * 1e6, rtol=1e-4)


def test_a_cone_grows_with_wavelength(session, tmp_path):
    session.open(written(tmp_path / "flat.fits", np.ones((N, NY, NX))))
    circle = CirclePixelRegion(PixCoord(12, 10), 5)
    [samples] = session.run("cube.extract", data="flat", region=circle, cone=True, reference_wavelength=5.0).samples
    assert np.allclose(samples.flux, np.pi * (5 * AXIS / 5.0) ** 2 * SR * 1e6, rtol=1e-3)


def test_a_polygon_grows_from_its_centroid(session, tmp_path):
    y, x = np.mgrid[:NY, :NX]
    session.open(written(tmp_path / "slope.fits", (x + 100 * y) * np.ones((N, 1, 1))))
    corners = np.array([(8, 6), (16, 6), (16, 9), (11, 9), (11, 14), (8, 14)], float)  # an L
    shape = PolygonPixelRegion(PixCoord(*corners.T))
    area, middle = 8 * 3 + 3 * 5, (np.array([12, 7.5]) * 24 + np.array([9.5, 11.5]) * 15) / 39
    cone = {"cone": True, "reference_wavelength": 5.0}
    [samples] = session.run("cube.extract", data="slope", region=shape, **cone).samples
    [mean] = session.run("cube.extract", data="slope", region=shape, statistic="mean", **cone).samples
    wanted = middle[0] + 100 * middle[1]
    assert np.allclose(mean.flux, wanted, rtol=2e-3)
    assert np.allclose(samples.flux, area * (AXIS / 5.0) ** 2 * wanted * SR * 1e6, rtol=4e-3)
    [around] = session.run("cube.extract", data="slope", region=shape, ring=(1.2, 1.5), **cone).samples
    assert np.allclose(around.flux, 0, atol=4e-3 * samples.flux.max())


def test_the_background_of_a_cone_grows_with_it(session, tmp_path):
    y, x = np.mgrid[:NY, :NX]
    far = np.hypot(x - 12, y - 10)
    # The star and the ring with the sky beyond it both grow: no sky lies where the ring does not follow.
    sky = np.where(far[None] > 5.2 * (AXIS / 5.0)[:, None, None], 3.0, 50.0)
    session.open(written(tmp_path / "growing.fits", sky))
    circle, ring = CirclePixelRegion(PixCoord(12, 10), 2), CircleAnnulusPixelRegion(PixCoord(12, 10), 6.2, 7.5)
    [samples] = session.run("cube.extract", data="growing", region=circle, cone=True, reference_wavelength=5.0,
                            background=ring).samples  # fmt: skip
    assert np.allclose(samples.flux, 47 * np.pi * (2 * AXIS / 5.0) ** 2 * SR * 1e6, rtol=2e-3)
    assert samples.area is None
    [fixed] = session.run("cube.extract", data="growing", region=circle, background=ring).samples
    assert samples.flux[-1] > fixed.flux[-1]
    assert fixed.area is not None


def test_a_percentile_outside_of_0_to_100_is_refused(session, cube):
    with pytest.raises(jviz.JvizError, match="from 0 to 100"):
        session.run("cube.collapse", data=cube, statistic="percentile", percentile=101)
    made = session.run("cube.collapse", data=cube, statistic="percentile", percentile=84)
    assert "percentile 84" in made.name


def test_maps_of_peaks_have_errors(session, tmp_path):
    session.open(line_cube(tmp_path / "line.fits", level=0.0))
    value, place = session.run("cube.peak", data="line")
    assert np.allclose(value.plane("ERR").read(), 1.0)
    before, there, after = 50 * np.exp(-((np.array([-0.01, 0, 0.01]) / SIGMA) ** 2) / 2)
    assert np.allclose(place.plane("ERR").read(), 0.01 / np.sqrt(2) / abs(before - 2 * there + after), rtol=1e-3)


@pytest.mark.parametrize("statistic", ["sum", "mean", "median", "min", "max"])
def test_collapsed_cubes_are_those_of_numpy(session, cube, numbers, statistic):
    image = session.run("cube.collapse", data=cube, statistic=statistic, spectral=(5.0949 * u.um, 5.2051 * u.um),
                        exclude_flags=[])  # fmt: skip
    part = numbers[0][10:21].astype(float)
    expected = getattr(np, statistic)(part, axis=0)
    # the ends of the range cut into the neighbouring channels by a hundredth
    assert np.allclose(image.plane().read(), expected, rtol=3e-3)
    assert image.sky is not None


def line_cube(path, amplitude=50.0, level=3.0, slope=0.0, shift=None):
    shift = np.zeros((NY, NX)) if shift is None else shift
    x = AXIS[:, None, None]
    values = amplitude * np.exp(-((x - LINE - shift) ** 2) / (2 * SIGMA**2)) + level + slope * (x - 5.3)
    return written(path, values, np.full(values.shape, 1.0))


RANGE = SpectralRanges(((5.12, 5.48),), "um")
RANGE_SHARES = np.clip(np.minimum(AXIS + 0.005, 5.48) - np.maximum(AXIS - 0.005, 5.12), 0, 0.01) / 0.01


@pytest.mark.parametrize("continuum", ["side bands", "fit"])
def test_moments_of_a_gaussian_line_are_its_closed_forms(session, tmp_path, continuum):
    shift = np.linspace(-0.02, 0.02, NX)[None, :] * np.ones((NY, 1))
    session.open(line_cube(tmp_path / "line.fits", shift=shift, slope=4.0))
    maps = [
        session.run("cube.moment", data="line", order=n, spectral=RANGE, continuum=continuum).plane().read()
        for n in range(3)
    ]
    assert np.allclose(maps[0], 50 * SIGMA * np.sqrt(2 * np.pi), rtol=2e-3)
    assert np.allclose(maps[1], LINE + shift, atol=2e-4)
    assert np.allclose(np.sqrt(maps[2]), SIGMA, rtol=2e-2)


def test_units_of_moments(session, tmp_path):
    session.open(line_cube(tmp_path / "line.fits", level=0.0))
    for order, unit in ((0, u.MJy / u.sr * u.um), (1, u.um), (2, u.um**2)):
        made = session.run("cube.moment", data="line", order=order, spectral=RANGE)
        assert u.Unit(made.unit) == unit


@pytest.mark.parametrize("convention", ["radio", "optical", "relativistic"])
def test_velocities_are_those_of_astropy(session, tmp_path, convention):
    session.open(line_cube(tmp_path / "line.fits", level=0.0))
    made = session.run(
        "cube.moment", data="line", order=1, spectral=RANGE, output="velocity", reference="5.29 um",
        convention=convention,
    )  # fmt: skip
    equivalency = getattr(u, f"doppler_{convention}")(5.29 * u.um)
    velocity = (AXIS * u.um).to_value(u.km / u.s, equivalency)
    flux = 50 * np.exp(-((AXIS - LINE) ** 2) / (2 * SIGMA**2)) * RANGE_SHARES
    between = (velocity[1:] + velocity[:-1]) / 2
    widths = np.abs(
        np.diff(np.concatenate([[2 * velocity[0] - between[0]], between, [2 * velocity[-1] - between[-1]]]))
    )
    assert made.unit == "km / s"
    assert np.allclose(made.plane().read(), (flux * widths * velocity).sum() / (flux * widths).sum(), atol=0.5)


def test_errors_of_moments_are_the_scatter_of_noisy_cubes(session, tmp_path):
    x = AXIS[:, None, None]
    rng = np.random.default_rng(3)
    values = 50 * np.exp(-((x - LINE) ** 2) / (2 * SIGMA**2)) + rng.normal(0, 1, (N, NY, NX))
    session.open(written(tmp_path / "noisy.fits", values, np.ones((N, NY, NX))))
    for order in (0, 1):
        made = session.run("cube.moment", data="noisy", order=order, spectral=RANGE)
        found, error = made.plane().read(), made.plane("ERR").read()
        assert found.std() == pytest.approx(float(np.median(error)), rel=0.12)


def test_positions_in_a_radio_cube_are_finer_than_its_channels(session, tmp_path):
    rest, step = 230.538e9, 500.0  # Hz; the steps of a float32 are 16 kHz there
    shift = np.linspace(-2, 2, 6)[None, :] * np.ones((5, 1))
    values = np.exp(-0.5 * ((np.arange(41)[:, None, None] - 20 - shift) / 3) ** 2).astype(np.float32)
    unit = fits.PrimaryHDU(values)
    unit.header.update({"CTYPE3": "FREQ", "CUNIT3": "Hz", "CRVAL3": rest, "CDELT3": step, "CRPIX3": 21.0, "BUNIT": "K"})
    unit.writeto(tmp_path / "radio.fits")
    session.open(tmp_path / "radio.fits")
    mean = session.run("cube.moment", data="radio", order=1)
    _, position = session.run("cube.peak", data="radio")
    assert np.allclose(mean.plane().read() - rest, shift * step, atol=0.01 * step)
    assert np.allclose(position.plane().read() - rest, shift * step, atol=0.05 * step)


def test_moments_along_an_axis_without_a_unit_have_no_made_up_one(session, tmp_path):
    unit = fits.PrimaryHDU(np.ones((9, 4, 5), np.float32))
    unit.header.update({"CTYPE3": "LAMBDA", "CRVAL3": 4000.0, "CDELT3": 2.0, "CRPIX3": 1.0, "BUNIT": "Jy"})
    unit.writeto(tmp_path / "bare.fits")
    session.open(tmp_path / "bare.fits")
    assert [session.run("cube.moment", data="bare", order=n).unit for n in (1, 2, 3)] == ["", "", ""]


def test_insignificant_pixels_are_left_out(session, tmp_path):
    values = np.zeros((N, NY, NX))
    values[:, :, :12] = 100.0
    session.open(written(tmp_path / "half.fits", values, np.ones(values.shape)))
    made = session.run("cube.moment", data="half", order=0, spectral=RANGE, minimum_snr=5.0).plane().read()
    assert np.isfinite(made[:, :12]).all()
    assert np.isnan(made[:, 12:]).all()
    with pytest.raises(jviz.JvizError, match="No pixel of half has a line of S/N 1e"):
        session.run("cube.moment", data="half", order=0, spectral=RANGE, minimum_snr=1e9)


def test_moments_agree_with_spectral_cube(session, shared_data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spectral_cube import SpectralCube

        peer = SpectralCube.read(shared_data / "l1448_13co.fits")
        expected = [peer.moment(order=n).value for n in (0, 1)]
    session.open(shared_data / "l1448_13co.fits")
    mine = [session.run("cube.moment", data=session.names[0], order=n).plane().read() for n in (0, 1)]
    assert np.allclose(mine[0], expected[0], rtol=1e-4, atol=1e-4 * np.nanmax(np.abs(expected[0])), equal_nan=True)
    good = mine[0] > 0.3 * np.nanmax(mine[0])
    assert np.allclose(mine[1][good], expected[1][good], rtol=1e-4)


def test_peaks_lie_at_the_top_of_the_line(session, tmp_path):
    session.open(line_cube(tmp_path / "line.fits", level=0.0, shift=np.full((NY, NX), 0.0037)))
    value, place = session.run("cube.peak", data="line")
    assert np.allclose(place.plane().read(), LINE + 0.0037, atol=1e-3)
    assert np.allclose(value.plane().read(), 50.0, rtol=5e-3)


def test_a_slice_becomes_an_image_with_error_and_flags(session, cube, numbers):
    made = session.run("cube.image", data=cube, channel=7)
    assert np.array_equal(made.plane().read(), numbers[0][7])
    assert np.allclose(made.plane("ERR").read(), 0.5)
    assert made.plane("DQ").read()[3, 3] == 1
    assert np.allclose(made.sky.pixel_to_sky(3, 4), cube.sky.pixel_to_sky(3, 4))


@pytest.mark.parametrize(
    ("id", "arguments", "words"),
    [
        ("cube.extract", {"region": CirclePixelRegion(PixCoord(500, 500), 3)}, "covers no spaxel"),
        ("cube.extract", {"region": "nothing"}, "no subset"),
        ("cube.extract", {"region": np.ones((3, 3), bool)}, "does not fit"),
        ("cube.collapse", {"spectral": (9 * u.um, 10 * u.um)}, "covers 5 to 5.59 um"),
        ("cube.collapse", {"spectral": "nothing"}, "no spectral subset"),
        ("cube.moment", {"continuum": "fit"}, "where the line is"),
        ("cube.moment", {"output": "velocity"}, "need a reference"),
        ("cube.moment", {"output": "velocity", "reference": "five"}, "no rest value"),
        ("cube.moment", {"output": "velocity", "reference": "inf Hz"}, "no rest"),
        ("cube.extract", {"cone": True}, "needs a region"),
        ("cube.image", {"channel": 60}, "channels 0 to 59"),
    ],
)
def test_what_cannot_be_measured_is_told(session, cube, id, arguments, words):
    names = session.names
    with pytest.raises(jviz.JvizError, match=words):
        session.run(id, data=cube, **arguments)
    assert session.names == names


def test_a_cube_without_any_value_is_told(session, tmp_path):
    session.open(written(tmp_path / "empty.fits", np.full((N, NY, NX), np.nan)))
    for id in ("cube.extract", "cube.collapse", "cube.moment"):
        with pytest.raises(jviz.JvizError, match=r"no value|No channel"):
            session.run(id, data="empty")


@pytest.mark.parametrize(
    "name", ["muse_udf_subcube.fits", "gmos_ngc3081_cube.fits", "alma_perplanebeam.fits", "l1448_13co.fits"]
)
def test_real_cubes_are_extracted_and_undone(session, shared_data, name):
    [data, *_] = [d for d in session.open(shared_data / name) if d.kind == "cube"]
    ny, nx = data.shape[-2:]
    before = session.names
    made = session.run("cube.extract", data=data, region=CirclePixelRegion(PixCoord(nx / 2, ny / 2), 2.5))
    [samples] = made.samples
    assert np.isfinite(samples.flux).any()
    assert np.array_equal(samples.axis.values, data.axis.values)
    if data.product.plane("variance") or data.product.plane("error"):
        assert np.isfinite(samples.error).any()
    session.undo()
    assert session.names == before


def test_a_slab_keeps_channels_errors_flags_and_places(session, cube, numbers):
    made = session.run("cube.slab", data=cube, spectral=SpectralRanges(((5.1, 5.2),), "um"))
    assert np.array_equal(made.plane().read(), numbers[0][10:21])
    assert np.allclose(made.axis.values, AXIS[10:21])
    assert np.allclose(made.plane("ERR").read(), 0.5)
    assert (made.product.plane("flags").read()[:, 3, 3] == 1).all()
    assert np.allclose(made.sky.pixel_to_sky(3, 4), cube.sky.pixel_to_sky(3, 4))
    assert np.isclose(made.wcs.pixel_to_world_values(0, 0, 0)[2], 5.1e-6)


@pytest.mark.parametrize("order", [3, 4])
def test_higher_moments_are_central(session, tmp_path, order):
    session.open(line_cube(tmp_path / "line.fits", level=0.0))
    made = session.run("cube.moment", data="line", order=order, spectral=(4.9 * u.um, 5.65 * u.um))
    expected = {3: 0.0, 4: 3 * SIGMA**4}[order]
    assert u.Unit(made.unit) == u.um**order
    assert np.allclose(made.plane().read(), expected, atol=0.02 * SIGMA**order, rtol=0.02)


def test_statistics_of_slices_are_those_of_numpy_without_what_flags_forbid(tmp_path):
    values = np.random.default_rng(6).normal(3, 1, (9, 6, 7)).astype(np.float32)
    values[4] = np.nan
    flags = np.zeros(values.shape, np.uint32)
    flags[2, :3] = 1
    header = fits.Header({"CTYPE3": "WAVE", "CUNIT3": "um", "CRVAL3": 5.0, "CDELT3": 0.1, "CRPIX3": 1.0, "BUNIT": "Jy"})
    parts = [fits.PrimaryHDU(), fits.ImageHDU(values, header, name="SCI"), fits.ImageHDU(flags, name="DQ")]
    parts[0].header["TELESCOP"] = "JWST"
    fits.HDUList(parts).writeto(tmp_path / "cube.fits")
    session = jviz.Session(settings={})
    [cube] = session.open(tmp_path / "cube.fits")
    table = session.run("cube.plane_statistics", data=cube)
    good = np.where(flags == 0, values, np.nan).astype(float)
    some = np.arange(9) != 4
    assert table["mean"].unit == "Jy"
    np.testing.assert_allclose(table["wavelength"].to_value("um"), 5 + 0.1 * np.arange(9))
    np.testing.assert_array_equal(table["number"], np.isfinite(good).sum(axis=(1, 2)))
    for name, function in (("mean", np.nanmean), ("std", np.nanstd), ("min", np.nanmin), ("max", np.nanmax)):
        np.testing.assert_allclose(table[name].value[some], function(good[some], axis=(1, 2)), rtol=1e-5)
        assert np.isnan(table[name].value[4])
    assert table.meta["whole std"] == pytest.approx(np.nanstd(good), rel=1e-5)
    assert table.meta["whole number"] == np.isfinite(good).sum()
    every = session.run("cube.plane_statistics", data=cube, exclude_flags=0)
    assert every["number"][2] == 42
    assert "cube.plane_statistics" in session.script()
    session.close()


def test_a_range_of_wavelengths_on_numbered_channels_is_told(tmp_path):
    session = jviz.Session()
    cube = session.add(np.ones((9, 6, 7), "f4"), name="plain")
    with pytest.raises(jviz.JvizError, match="so um cannot be found on them; give numbers as the axis has them"):
        session.run("cube.collapse", data=cube, spectral=(1, 2) * u.um)
    session.close()


def test_cones_and_velocities_of_axes_without_a_unit(tmp_path):
    """Wavelengths in an unknown unit grow in proportion all the same; numbers of channels do not."""
    from tests.model.test_cube_operations import cube_header

    session, header = jviz.Session(), cube_header(9)
    header["CTYPE3"], header["CRVAL3"], header["CDELT3"] = "LAMBDA", 5000.0, 100.0
    del header["CUNIT3"]
    fits.PrimaryHDU(np.ones((9, 40, 40), "f4"), header).writeto(tmp_path / "a.fits")
    [cube] = session.open(tmp_path / "a.fits")
    region = CirclePixelRegion(PixCoord(20, 20), 8)
    [found] = session.run("cube.extract", data=cube, region=region, cone=True, reference_wavelength=5000).samples
    areas = np.pi * 64 * ((5000 + 100 * np.arange(9)) / 5000) ** 2
    scale = found.flux[0] / areas[0]  # a surface brightness, times the solid angle of a spaxel
    np.testing.assert_allclose(found.flux, scale * areas, rtol=1e-6)
    with pytest.raises(jviz.CommandError, match="so they have no velocities; say it with Cube"):
        session.run("cube.moment", data=cube, order=1, output="velocity", reference="656.46 nm")
    plain = session.add(np.ones((9, 40, 40), "f4"), name="plain")
    with pytest.raises(jviz.CommandError, match="A cone grows with the wavelength, and the file gives none"):
        session.run("cube.extract", data=plain, region=region, cone=True)
    session.close()

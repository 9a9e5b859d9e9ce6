"""Isophotes of a galaxy whose profile is known: numbers with errors, model, residual, masks, units, what is refused."""

import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import CCDData
from regions import CirclePixelRegion, PixCoord

import jviz
from jviz import CommandError, isophote_preview
from jviz.backend.photometry import isophotes
from tests.backend.regions.skies import sip_wcs

SIDE, NOISE = 160, 0.5
X, Y, EPS, TURN, SCALE, PEAK = 80.3, 76.8, 0.4, 65.0, 12.0, 500.0


def galaxy(noise=NOISE, b4=0.0):
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    cos, sin = np.cos(np.radians(TURN)), np.sin(np.radians(TURN))
    u_, v = (x - X) * cos + (y - Y) * sin, (y - Y) * cos - (x - X) * sin
    a = np.hypot(u_, v / (1 - EPS))
    light = PEAK * np.exp(-a / SCALE)
    # a fourth harmonic along the ellipse: I + B4 cos 4φ, with B4 = b4 · a · |dI/da|
    light += b4 * a / SCALE * PEAK * np.exp(-a / SCALE) * np.cos(4 * np.arctan2(v, u_))
    return light + np.random.default_rng(3).normal(0, noise, light.shape) * (noise > 0)


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    session.add(CCDData(galaxy().astype("f4"), unit="MJy/sr", wcs=sip_wcs(size=SIDE)), name="galaxy")
    session.view("image", data="galaxy")
    yield session
    session.close()


def between(table, low, high):
    sma = table["sma"].value
    return table[(sma > low) & (sma < high)]


def test_the_profile_is_the_one_that_was_put_in(session):
    made = session.run("photometry.isophotes", data="galaxy", center=(82, 75), maximum=55.0)
    rows = between(made.table, 5, 45)
    truth = PEAK * np.exp(-rows["sma"].value / SCALE)
    assert np.abs(rows["intensity"].value / truth - 1).max() < 0.02
    for name, value, floor in (("ellipticity", EPS, 0.007), ("x0", X, 0.03), ("y0", Y, 0.03), ("pa", TURN, 0.3)):
        found, error = (np.asarray(getattr(rows[n], "value", rows[n])) for n in (name, f"{name}_err"))
        assert (np.abs(found - value) < 5 * error + floor).all(), name
        assert np.median(np.abs(found - value)) < 2 * np.median(error) + floor
    for name in ("a3", "b3", "a4", "b4"):
        assert np.abs(rows[name]).max() < 0.02
    assert rows["intensity"].unit == "MJy / sr"
    assert rows["sma_arcsec"].unit == "arcsec"
    assert made.table["sma"][0] == 0
    # along the major axis on the sky, east of north
    step = np.array([0, 1])
    x, y = X + step * np.cos(np.radians(TURN)), Y + step * np.sin(np.radians(TURN))
    lon, lat = session["galaxy"].sky.pixel_to_sky(x, y)
    east, north = (lon[1] - lon[0]) * np.cos(np.radians(lat[0])), lat[1] - lat[0]
    want = np.degrees(np.arctan2(east, north))
    assert np.abs(np.median((rows["position_angle"].value - want + 90) % 180 - 90)) < 0.3


def test_model_and_residual_show_what_is_left(session):
    session.run("photometry.isophotes", data="galaxy", center=(X, Y), maximum=60.0)
    assert session.names[0] == "galaxy"
    model, rest = (session[f"galaxy {what}"].plane().read() for what in ("model", "residual"))
    values = session["galaxy"].plane().read()
    assert np.allclose(rest, values - model, atol=1e-3)
    y, x = np.mgrid[:SIDE, :SIDE]
    ring = (np.hypot(x - X, y - Y) > 4) & (np.hypot(x - X, y - Y) < 30)
    assert rest[ring].std() == pytest.approx(NOISE, rel=0.15)
    assert abs(rest[ring].mean()) < 0.1
    image = next(view for view in session.views.values() if view.kind == "image")
    assert [layer.data.name for layer in image.layers] == ["galaxy", "galaxy residual"]
    assert {view.kind for view in session.views.values()} == {"image", "table", "scatter"}
    session.undo()
    assert session.names == ["galaxy"]
    assert len(session.views) == 1


def by_photutils(values, sma, **options):
    from photutils.isophote import Ellipse, EllipseGeometry

    geometry = EllipseGeometry(X, Y, sma, EPS, np.radians(TURN))
    return Ellipse(values, geometry=geometry).fit_image(sma0=sma, sclip=3.0, n_clip=2, **options)


def numbers(table, name):
    return np.asarray(getattr(table[name], "value", table[name]), float)


@pytest.mark.parametrize(
    ("holes", "fixed"), [(False, ()), (True, ()), (False, ("center",)), (False, ("ellipticity", "angle"))]
)
def test_the_numbers_are_those_of_photutils(holes, fixed):
    from jviz.backend.photometry.isophotes import HARMONICS, fit_isophotes, table_of

    values = galaxy(b4=0.02)
    masked = np.ma.array(values, mask=np.zeros(values.shape, bool))
    if holes:
        masked[70:74, 95:99] = np.ma.masked
        masked[100:130, 60:64] = np.ma.masked
    ours = table_of(fit_isophotes(masked.filled(np.nan), (X, Y), 10, EPS, np.radians(TURN), maximum=50.0, fixed=fixed))
    theirs = table_of(by_photutils(
        masked if holes else values, 10, maxsma=50.0, fix_center="center" in fixed, fix_eps="ellipticity" in fixed,
        fix_pa="angle" in fixed,
    ))  # fmt: skip
    assert ours.colnames == theirs.colnames
    np.testing.assert_allclose(numbers(ours, "sma"), numbers(theirs, "sma"))
    out, inner = numbers(ours, "sma") > 9.9, (numbers(ours, "sma") > 2) & (numbers(ours, "sma") < 9.9)
    for name in ("intensity", "ellipticity", "pa", "x0", "y0", *HARMONICS):
        differences = np.abs(numbers(ours, name) - numbers(theirs, name)) / numbers(theirs, f"{name}_err")
        free = np.isfinite(differences)
        assert np.nanmedian(differences[out]) < 1e-3, name  # the same corrections, one after the other
        # inwards they begin elsewhere, and end within the part of an error at which a fit is good enough
        assert (differences[inner & free] < 3).all(), name
        ratio = (numbers(ours, f"{name}_err") / numbers(theirs, f"{name}_err"))[out & free]
        # theirs are too small where a harmonic is next to nothing: derivatives are taken numerically there
        assert (ratio > 0.95).all(), name
        assert fixed or np.median(np.abs(ratio - 1)) < 0.01, name
    for name in ("gradient", "rms", "n_data", "n_flagged", "n_iter", "stop_code"):
        assert np.median(np.abs(numbers(ours, name) - numbers(theirs, name))[out]) < 1e-6, name
    assert (numbers(ours, "gradient_err")[1:] > 0).all()


@pytest.mark.parametrize("step", [2.0, 5.0])
def test_ellipses_at_equal_steps_are_as_true_as_others(step):
    from jviz.backend.photometry.isophotes import fit_isophotes, table_of

    table = table_of(fit_isophotes(galaxy(), (82, 75), 10, 0.2, 1.0, step=step, linear=True, maximum=45.0))
    assert np.allclose(np.diff(numbers(table, "sma"))[1:], step)
    rows = between(table, 5, 45)
    assert np.abs(numbers(rows, "intensity") / (PEAK * np.exp(-numbers(rows, "sma") / SCALE)) - 1).max() < 0.02
    assert np.abs(numbers(rows, "ellipticity") - EPS).max() < 0.02
    # over a step h the slope of an exponential is that between its ends
    slope = -PEAK / step * np.exp(-numbers(rows, "sma") / SCALE) * (1 - np.exp(-step / SCALE))
    assert np.abs(numbers(rows, "gradient") / slope - 1)[numbers(rows, "sma") > 8].max() < 0.1
    assert (rows["stop_code"] == 0).mean() > 0.8


def test_where_the_light_ends_ellipses_end():
    from jviz.backend.photometry.isophotes import fit_isophotes

    flat = np.random.default_rng(1).normal(5, 1, (80, 80))
    with pytest.raises(ValueError, match="no ellipse"):
        fit_isophotes(flat, (40, 40), 10, 0.2, 0.3)
    cut = galaxy()
    cut[:, 100:] = np.nan
    found = fit_isophotes(cut, (X, Y), 10, EPS, np.radians(TURN), maximum=500.0)
    assert found[-1].sma < 200  # not one row after the other of nothing, out to 500
    assert all(one.n_data > 0 for one in found)


def test_the_model_is_that_of_photutils_and_knows_harmonics():
    from photutils.isophote import build_ellipse_model

    from jviz.backend.photometry.isophotes import model_of, table_of

    values = galaxy(noise=0, b4=0.03)
    found = by_photutils(values, 10, maxsma=55.0)
    table = table_of(found)
    assert np.median(between(table, 8, 45)["b4"]) == pytest.approx(0.03, rel=0.1)
    ours, theirs = model_of(table, values.shape), build_ellipse_model(values.shape, found, high_harmonics=True)
    plain = model_of(table, values.shape, harmonics=False)
    y, x = np.mgrid[:SIDE, :SIDE]
    ring = (np.hypot(x - X, y - Y) > 6) & (np.hypot(x - X, y - Y) < 25)
    assert np.abs(ours - theirs)[ring].max() < 0.02 * PEAK * 0.3
    assert np.abs(ours - values)[ring].std() < 0.5 * np.abs(plain - values)[ring].std()


def test_models_of_large_galaxies_are_the_same_on_a_sparser_grid(monkeypatch):
    from jviz.backend.photometry.isophotes import fit_isophotes, model_of, table_of

    values = galaxy(noise=0, b4=0.03)
    table = table_of(fit_isophotes(values, (X, Y), 10, EPS, np.radians(TURN), maximum=70.0))
    full = model_of(table, values.shape)
    monkeypatch.setattr(isophotes, "NEARBY", 20)
    assert np.abs(model_of(table, values.shape) - full).max() < 0.001 * PEAK


def test_pixels_in_regions_flags_and_other_segments_are_left_out(session):
    spoiled = galaxy().astype("f4")
    y, x = np.mgrid[:SIDE, :SIDE]
    star = np.hypot(x - 100, y - 90) < 6
    spoiled[star] += 400
    labels = np.ones((SIDE, SIDE), np.int32)
    labels[star] = 2
    session.add(CCDData(spoiled, unit="MJy/sr"), name="spoiled")
    session.add(CCDData(labels, unit=""), name="segments")
    circle = CirclePixelRegion(PixCoord(100, 90), 7)
    for how in ({"region": circle}, {"segmentation": "segments"}):
        made = session.run("photometry.isophotes", data="spoiled", center=(X, Y), maximum=50.0, model=False, **how)
        rows = between(made.table, 8, 40)
        assert np.abs(rows["intensity"].value / (PEAK * np.exp(-rows["sma"].value / SCALE)) - 1).max() < 0.03
        assert np.abs(np.asarray(rows["ellipticity"]) - EPS).max() < 0.02


def test_magnitudes_per_area_where_the_flux_is_calibrated(session):
    made = session.run("photometry.isophotes", data="galaxy", center=(X, Y), maximum=40.0, model=False)
    rows = between(made.table, 5, 30)
    jansky = rows["intensity"].to(u.Jy / u.arcsec**2).value
    assert np.allclose(rows["surface_brightness"].value, -2.5 * np.log10(jansky / 3631), atol=1e-3)
    share = (rows["intensity_err"] / rows["intensity"]).value
    assert np.allclose(rows["surface_brightness_err"].value, 2.5 * np.log10(1 + share))


def test_what_is_fixed_stays(session):
    run = {"data": "galaxy", "center": (X, Y), "recenter": False, "maximum": 40.0, "model": False}
    table = session.run("photometry.isophotes", fixed=["center", "angle"], angle=60.0, **run).table
    outer = table[table["sma"].value > 0]
    assert np.allclose(outer["x0"].value, X)
    assert np.allclose(outer["pa"].value, 60)
    assert all(np.isnan(outer[name].value).all() for name in ("x0_err", "y0_err", "pa_err"))
    assert np.isfinite(outer["ellipticity_err"]).any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"center": (-50, 10)}, "lies off galaxy"), ({"step": 0}, "step is above 0"), ({"maximum": 2}, "maximum above"),
     ({"fixed": ["size"]}, "cannot be fixed"), ({"ellipticity": 1.2}, "none; give one from 0"),
     ({"center": (5, 155), "sma": 4, "recenter": False}, "no ellipse can be fitted")],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said_and_nothing_changes(session, arguments, said):
    with pytest.raises(CommandError, match=said):
        session.run("photometry.isophotes", **{"data": "galaxy", "center": (X, Y), **arguments})
    assert session.names == ["galaxy"]


def test_an_image_smaller_than_the_first_ellipses_is_said(session):
    session.add(galaxy()[int(Y) - 4 : int(Y) + 4, int(X) - 3 : int(X) + 3].astype("f4"), name="small")
    with pytest.raises(CommandError, match=r"small at .* no ellipse can be fitted"):
        session.run("photometry.isophotes", data="small", center=(3, 4), sma=6.0)
    assert session.names == ["galaxy", "small"]


def test_a_galaxy_without_units_has_no_magnitudes_and_says_so(session):
    session.add(galaxy().astype("f4"), name="bare")
    table = session.run("photometry.isophotes", data="bare", center=(X, Y), maximum=30.0, model=False).table
    assert "surface_brightness" not in table.colnames
    assert "no surface brightness" in table.meta["notes"][0]


def test_a_script_repeats_it(session):
    session.run("photometry.isophotes", data="galaxy", center=(82, 75), maximum=30.0, model=False)
    lines = [line for line in session.script().splitlines() if "isophotes" in line]
    assert len(lines) == 1
    assert "recenter=False" in lines[0]


def test_a_large_image_is_read_as_far_as_the_ellipses_reach(session, monkeypatch):
    run = {"data": "galaxy", "center": (X, Y), "step": 0.2}
    whole = session.run("photometry.isophotes", **run).table
    rest = session["galaxy residual"].plane().read().copy()
    session.undo()
    monkeypatch.setattr("jviz.backend.photometry.segmenting.WHOLE", 0)
    monkeypatch.setattr("jviz.backend.photometry.segmenting.PIECE", 30 * SIDE)
    monkeypatch.setattr(isophotes, "FIRST", 40)
    grown = session.run("photometry.isophotes", **run).table
    # inside of 34 pixels on the pixels themselves, then on means of 2 × 2 and 4 × 4
    inner = [between(t, 3, 33) for t in (grown, whole)]
    for name, close in (("intensity", 0.02), ("ellipticity", 0.03), ("x0", 0.01), ("y0", 0.01)):
        np.testing.assert_allclose(*(np.asarray(getattr(t[name], "value", t[name])) for t in inner), rtol=close)
    outer = between(grown, 36, 60)
    assert len(outer) >= 2
    truth = PEAK * np.exp(-outer["sma"].value / SCALE)
    assert (np.abs(outer["intensity"].value - truth) < 5 * outer["intensity_err"].value + 0.03 * truth).all()
    assert (np.abs(np.asarray(outer["ellipticity"]) - EPS) < 0.05).all()
    assert np.allclose(outer["x0"].value, X, atol=1)
    # over a step of a fifth an exponential is not straight; twice as much would be the unit of a mean
    assert (np.abs(outer["gradient"].value / (-truth / SCALE) - 1) < 0.45).all()
    assert (np.diff(grown["sma"].value) > 0).all()
    y, x = np.mgrid[:SIDE, :SIDE]
    near = np.hypot(x - X, y - Y) < 15
    np.testing.assert_allclose(session["galaxy residual"].plane().read()[near], rest[near], atol=0.8)


@pytest.mark.parametrize("zoomed_out", [False, True])
def test_the_preview_shows_the_ellipses_that_the_command_fits(session, zoomed_out, monkeypatch):
    if zoomed_out:
        monkeypatch.setattr(isophote_preview, "FINE", 40)
    preview, words = isophote_preview.isophote_preview(
        session, session["galaxy"], (-0.5, -0.5, SIDE - 0.5, SIDE - 0.5), (82, 75), maximum=50.0,
        outdated=lambda: False,
    )  # fmt: skip
    x, y, long, short, turn = preview.ellipses[(preview.ellipses[:, 2] > 12) & (preview.ellipses[:, 2] < 40)].T
    assert np.allclose(x, X, atol=0.5)
    assert np.allclose(y, Y, atol=0.5)
    assert np.allclose(1 - short / long, EPS, atol=0.04)
    assert np.allclose(np.degrees(turn), TURN, atol=3)
    assert preview.ellipses[:, 2].max() <= 52
    assert ("2 × 2" in words or "3 × 3" in words or "4 × 4" in words) == zoomed_out


def test_a_preview_gives_way_to_other_numbers(session):
    everything = (-0.5, -0.5, SIDE - 0.5, SIDE - 0.5)
    preview, _ = isophote_preview.isophote_preview(
        session, session["galaxy"], everything, (82, 75), outdated=lambda: True
    )
    assert len(preview.ellipses) == isophote_preview.SOME
    with pytest.raises(CommandError, match="lies off galaxy"):
        isophote_preview.isophote_preview(
            session, session["galaxy"], everything, (-50, 75), outdated=lambda: False
        )

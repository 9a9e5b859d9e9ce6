"""Contours: where closed forms have them, through the sky, in views, undone and replayed."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import jviz
from jviz.backend.contours import areas, levels_between, smoothed, trace
from jviz.contouring import contours_of
from jviz.errors import CommandError


def cone(ny=90, nx=110, x=52.3, y=44.1):
    v, u = np.mgrid[:ny, :nx].astype(np.float32)
    return np.hypot(u - x, v - y)


def wcs(angle=0.0, scale=1e-4, crpix=(50.0, 45.0)):
    c, s = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    return WCS(fits.Header({
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 40.0, "CRVAL2": -30.0, "CRPIX1": crpix[0],
        "CRPIX2": crpix[1], "CD1_1": -c, "CD1_2": s, "CD2_1": s, "CD2_2": c,
    }))  # fmt: skip


def test_contours_of_a_cone_are_circles():
    found = trace(cone(), (10.0, 25.0))
    for number, level in enumerate(found.levels):
        points = found.points[found.starts[number] : found.starts[number + 1]]
        np.testing.assert_allclose(np.hypot(points[:, 0] - 52.3, points[:, 1] - 44.1), level, atol=0.02)
        np.testing.assert_array_equal(points[0], points[-1])  # closed
    assert found.levels.tolist() == [10.0, 25.0]


def test_lines_end_at_missing_values():
    image = cone()
    image[:, 60:] = np.nan
    found = trace(image, (20.0,))
    assert found.points[:, 0].max() <= 59


@pytest.mark.parametrize("spacing", ["linear", "sqrt", "log"])
def test_levels_run_from_low_to_high(spacing):
    levels = np.array(levels_between(2.0, 32.0, 5, spacing, np.zeros(3)))
    assert np.isclose(levels[[0, -1]], [2, 32]).all()
    steps = {"linear": levels, "sqrt": np.sqrt(levels - 2), "log": np.log(levels)}[spacing]
    np.testing.assert_allclose(np.diff(steps), np.diff(steps)[0])


def test_sigma_levels_stand_out_of_the_noise():
    sample = np.random.default_rng(1).normal(7, 2, 400_000)
    np.testing.assert_allclose(levels_between(0, 1, 3, "sigma", sample), [7 + 6, 7 + 10, 7 + 20], atol=0.1)


def test_smoothing_leaves_a_flat_image_with_holes_flat():
    image = np.full((40, 40), 3.0)
    image[10:20, 15] = np.nan
    result = smoothed(image, 2.5)
    np.testing.assert_allclose(result[np.isfinite(result)], 3.0, rtol=1e-5)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(image))


@pytest.fixture
def session(tmp_path):
    fits.PrimaryHDU(cone(), wcs().to_header()).writeto(tmp_path / "first.fits")
    fits.PrimaryHDU(cone(x=30, y=60), wcs(35.0, 1.7e-4, (20.0, 70.0)).to_header()).writeto(tmp_path / "second.fits")
    session = jviz.Session()
    session.open(tmp_path / "first.fits", tmp_path / "second.fits")
    yield session
    session.close()


def test_contours_of_another_image_lie_where_the_sky_has_them(session):
    view = session.view("image", data="first")
    session.run("image.contours", view=view, data="second", levels=[12.0])
    layer = view.layers[-1]
    assert (layer.data.name, layer.opacity) == ("second", 0.0)
    found = contours_of(layer, session["first"])
    x, y = wcs(35.0, 1.7e-4, (20.0, 70.0)).all_world2pix(*wcs().all_pix2world(*found.points.T, 0), 0)
    np.testing.assert_allclose(np.hypot(x - 30, y - 60), 12, atol=0.02)


def test_contours_are_one_step_and_replay(session):
    view = session.view("image", data="first")
    session.run("image.contours", view=view, spacing="sqrt", n=4, color="#ff0000")
    assert len(view.contour_levels) == 4
    names = {}
    exec(session.script(), names)  # our own program
    again = names["session"]
    assert again.views[view.name].layer.contour_levels == view.contour_levels
    again.close()
    session.undo()
    assert view.contour_levels == ()
    session.redo()
    session.run("image.no_contours", view=view)
    assert view.contour_levels == ()


def test_they_are_drawn_in_pictures(session, tmp_path, qapp):
    from PySide6.QtGui import QColor, QImage

    view = session.view("image", data="first", colorbar=False, compass=False, scale_bar=False)
    session.run("image.contours", view=view, levels=[20.0], color="#ff0000")
    image = QImage(str(session.render(view, tmp_path / "c.png", size=(500, 400))))
    reds = [
        (x, y) for x in range(500) for y in range(400)
        if (c := QColor(image.pixel(x, y))).red() > 180 and c.green() < 90
    ]  # fmt: skip
    scale = min(500 / 110, 400 / 90)
    across = max(x for x, _ in reds) - min(x for x, _ in reds)
    assert abs(across - 40 * scale) < 0.06 * 40 * scale


def test_levels_are_written_and_lines_have_their_width(session, tmp_path, qapp):
    from PySide6.QtGui import QImage

    view = session.view("image", data="first", colorbar=False, compass=False, scale_bar=False)
    number = {}
    for name, look in {"thin": {"width": 1.0}, "wide": {"width": 5.0}, "text": {"width": 1.0, "labels": True}}.items():
        session.run("image.contours", view=view, levels=[20.0], color="#ff0000", **look)
        image = QImage(str(session.render(view, tmp_path / f"{name}.png", size=(500, 400))))
        pixels = np.array([[image.pixelColor(x, y).getRgb()[:3] for x in range(500)] for y in range(400)])
        number[name] = int(((pixels[..., 0] > 180) & (pixels[..., 1] < 90)).sum())
    assert 3 < number["wide"] / number["thin"] < 9  # a thin line is a faint one where it lies between pixels
    assert number["text"] > number["thin"]
    session.run("image.contours", view=view, levels=[20.0])
    assert view.layer.contour_labels is True  # what is not said stays


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"levels": []}, "no levels"),
        ({"levels": [float("nan")]}, "no levels"),
        ({"n": 0}, "levels cannot be drawn"),
        ({"low": 5.0, "high": 1.0}, "must be below"),
        ({"smoothing": -1.0}, "0 or more"),
    ],
)
def test_what_cannot_be_drawn_is_said(session, arguments, words):
    view = session.view("image", data="first")
    with pytest.raises(CommandError, match=words):
        session.run("image.contours", view=view, **arguments)
    assert view.contour_levels == ()


def ring_image():
    """A ring of height 10 to 20 pixels round (52.3, 44.1), and a blob of radius 6 that reaches over the left edge."""
    v, u = np.mgrid[:90, :110].astype(np.float32)
    far = np.hypot(u - 52.3, v - 44.1)
    return np.maximum(5.0 - np.abs(far - 15.0), 6.0 - np.hypot(u - 2.0, v - 80.0)).astype(np.float32)


@pytest.mark.parametrize("with_sky", [False, True])
def test_areas_within_contours_become_regions_with_their_holes(with_sky, tmp_path):
    session = jviz.Session()
    header = wcs(30.0).to_header() if with_sky else None
    fits.writeto(tmp_path / "ring.fits", ring_image(), header)
    [data] = session.open(tmp_path / "ring.fits")
    added = session.run("region.from_contours", data="ring", level=1.0)
    assert [s.name for s in added] == ["ring above 1 1", "ring above 1 2"]
    assert {s.group for s in added} == {"ring above 1"}
    assert [s.kind for s in added] == (["sky"] * 2 if with_sky else ["pixel"] * 2)
    table = session.run("region.statistics", data="ring", region=[s.name for s in added])
    pixels = table["area"].value / (data.sky.pixel_area_arcsec2(52.0, 44.0) if with_sky else 1.0)
    assert pixels[0] == pytest.approx(np.pi * (19.0**2 - 11.0**2), rel=2e-3)
    assert pixels[1] < np.pi * 25
    image = ring_image()
    assert table["sum"][0].value == pytest.approx(image[(image > 1) & (np.mgrid[:90, :110][1] > 20)].sum(), rel=0.02)
    script = session.script()
    session.undo()
    assert not session.subsets
    session.redo()
    again: dict = {}
    exec(script, again)
    assert list(again["session"].subsets) == [s.name for s in added]


def test_regions_of_contours_take_the_level_and_the_smoothing_of_those_that_are_drawn():
    session = jviz.Session()
    session.add(ring_image(), name="ring")
    session.view("image", data="ring")
    with pytest.raises(CommandError, match="say which level"):
        session.run("region.from_contours")
    session.run("image.contours", levels=[3.0, 2.0], smoothing=1.0)
    [ring, *_] = session.run("region.from_contours", least=200)
    assert ring.name == "ring above 2"
    below = session.run("region.from_contours", level=-5.0, side="below", smoothing=0.0, name="sky")
    assert [s.name for s in below] == ["sky 1", "sky 2"]
    with pytest.raises(CommandError, match="has no area above 99"):
        session.run("region.from_contours", level=99.0)


def test_areas_end_at_missing_values_and_at_the_edges():
    image = np.ones((20, 30), np.float32)
    image[:, 14:16] = np.nan
    found = areas(image, 0.5)
    assert [area.size for area in found] == [13 * 19, 13 * 19]


def test_levels_that_are_not_given_keep_out_of_the_noise(tmp_path):
    noise = np.random.default_rng(5).normal(10.0, 2.0, (120, 120))
    y, x = np.mgrid[:120, :120]
    for a, b in ((30, 40), (80, 70), (60, 100), (90, 20)):
        noise += 60 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 8)
    fits.PrimaryHDU(noise.astype("f4")).writeto(tmp_path / "stars.fits")
    session = jviz.Session()
    session.open(tmp_path / "stars.fits")
    view = session.view("image", data="stars")
    levels = session.run("image.contours", view=view)
    assert levels[0] == pytest.approx(10 + 3 * 2, abs=0.4)
    assert levels[-1] < view.limits[1]
    assert session.run("image.contours", view=view, low=8.0)[0] == 8.0
    session.close()

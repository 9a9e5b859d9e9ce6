"""Moving the mouse over a cube, and regions on it, show spectra that are the numbers of the cube."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QPoint, QPointF, Qt
from regions import CircleAnnulusPixelRegion, CirclePixelRegion, PixCoord, RectanglePixelRegion

from jviz.errors import JvizError
from jviz.viewers.cube import CubeViewer
from jviz.viewers.spectrum.viewer import SpectrumViewer

N, NY, NX = 200, 24, 30


def write(path, values, *, error=None, flags=None, first=5.0):
    units = [fits.PrimaryHDU(), fits.ImageHDU(values, name="SCI")]
    axes = (("RA---TAN", "deg", 10.0, -1e-4, 15), ("DEC--TAN", "deg", 20.0, 1e-4, 10), ("WAVE", "um", first, 0.01, 1))
    for number, cards in enumerate(axes, start=1):
        units[1].header.update(
            zip((f"{k}{number}" for k in ("CTYPE", "CUNIT", "CRVAL", "CDELT", "CRPIX")), cards, strict=True)
        )
    units[1].header["BUNIT"] = "mJy"
    if error is not None:
        units.append(fits.ImageHDU(error, name="ERR"))
    if flags is not None:
        units[0].header["TELESCOP"] = "JWST"
        units.append(fits.ImageHDU(flags, name="DQ"))
    fits.HDUList(units).writeto(path)
    return path


@pytest.fixture
def values():
    k, y, x = np.mgrid[:N, :NY, :NX]
    return (1 + x + 2 * y * np.sin(k / 20.0) ** 2).astype(np.float32)


@pytest.fixture
def cube(session, tmp_path, values):
    return session.open(write(tmp_path / "cube.fits", values, error=np.full_like(values, 0.5)))[0]


@pytest.fixture
def make(qtbot, session):
    def made(cube):
        viewers = []
        for kind, view in (
            (CubeViewer, session.view("cube", data=cube, compass=False, scale_bar=False, colorbar=False)),
            (SpectrumViewer, session.view("spectrum")),
        ):
            viewer = kind(session, view)
            qtbot.addWidget(viewer)
            viewer.resize(500, 400)
            viewer.show()
            viewers.append(viewer)
        qtbot.waitUntil(lambda: viewers[0].is_sharp and session.cube_spectra.reader(cube) is not None, timeout=20_000)
        return viewers

    return made


@pytest.fixture
def viewers(make, cube):
    return make(cube)


def over(qtbot, viewer, x, y):
    """Move the mouse to a data pixel."""
    u, v = viewer.geometry_now().to_screen(x, y)
    left, top = viewer.frame_now().picture.left(), viewer.frame_now().picture.top()
    qtbot.mouseMove(viewer, QPoint(5, 5))  # no move is no event
    qtbot.mouseMove(viewer, QPoint(round(u + left), round(v + top)))


def live(session, start):
    found = [s for s in session.live_spectra.shown if s.title.startswith(start)]
    return found[0] if found else None


def test_the_spaxel_under_the_cursor_shows_its_spectrum(qtbot, session, cube, viewers, values):
    image, plot = viewers
    shots = []
    for x, y in ((7, 5), (20, 18)):
        over(qtbot, image, x, y)
        qtbot.waitUntil(lambda title=f"Spaxel {x}, {y}": live(session, title) is not None)
        shown = live(session, "Spaxel")
        np.testing.assert_array_equal(shown.samples.flux, values[:, y, x])
        np.testing.assert_allclose(shown.samples.axis.values, 5 + 0.01 * np.arange(N))
        assert shown.samples.unit == "mJy"
        qtbot.waitUntil(lambda: live(session, "Spaxel").samples.error is not None)
        np.testing.assert_allclose(live(session, "Spaxel").samples.error, 0.5)
        shots.append(plot.grab())
    assert shots[0] != shots[1]
    [curve] = [curve for _, curve in plot.scene_now().live]
    np.testing.assert_array_equal(curve.y, values[:, 18, 20])
    assert session.cube_spectra.spaxel == (cube, 18, 20)


def circle(x, y, radius):
    return CirclePixelRegion(PixCoord(x, y), radius)


def weights(region):
    """Return exact weights another way: the share of fine points that are inside."""
    fine = 40
    y, x = (np.mgrid[: NY * fine, : NX * fine] + 0.5) / fine - 0.5
    return region.contains(PixCoord(x, y)).reshape(NY, fine, NX, fine).mean(axis=(1, 3))


@pytest.mark.parametrize("statistic", ["mean", "sum"])
def test_regions_have_live_spectra_that_follow_them(qtbot, session, cube, viewers, values, statistic):
    session.cube_spectra.statistic = statistic
    session.subset("core", circle(10, 9, 4), data=cube)
    for x, y in ((10, 9), (11.3, 9.2), (16, 12)):
        moved = session.subsets["core"].but(region=circle(x, y, 4))
        session.set_subsets({**session.subsets, "core": moved})
        share = weights(circle(x, y, 4))
        expected = (values * share).sum(axis=(1, 2)) / (share.sum() if statistic == "mean" else 1)
        # At once, with no turn of the loop between.
        np.testing.assert_allclose(live(session, "core").samples.flux, expected, rtol=2e-3)
    assert live(session, "core").color == session.subsets["core"].color
    qtbot.waitUntil(lambda: live(session, "core").samples.error is not None)
    error = 0.5 * np.sqrt((share**2).sum()) / (share.sum() if statistic == "mean" else 1)
    np.testing.assert_allclose(live(session, "core").samples.error, error, rtol=3e-3)
    session.undo()
    assert live(session, "core") is None


def test_a_background_is_taken_away(qtbot, session, cube, viewers, values):
    session.subset("core", RectanglePixelRegion(PixCoord(9.5, 9.5), 4, 4), data=cube)
    session.subset("sky", RectanglePixelRegion(PixCoord(3.5, 3.5), 2, 2), data=cube)
    session.cube_spectra.statistic = "sum"
    session.cube_spectra.background = "sky"
    expected = values[:, 8:12, 8:12].sum(axis=(1, 2)) - 16 * values[:, 3:5, 3:5].mean(axis=(1, 2))
    np.testing.assert_allclose(live(session, "core").samples.flux, expected, rtol=1e-5)
    np.testing.assert_allclose(live(session, "sky").samples.flux, values[:, 3:5, 3:5].sum(axis=(1, 2)), rtol=1e-5)


def test_median_comes_from_a_job(qtbot, session, cube, viewers, values):
    session.cube_spectra.statistic = "median"
    session.subset("core", RectanglePixelRegion(PixCoord(9.5, 9.5), 4, 4), data=cube)
    qtbot.waitUntil(lambda: live(session, "core") is not None)
    expected = np.median(values[:, 8:12, 8:12].reshape(N, -1), axis=1)
    np.testing.assert_allclose(live(session, "core").samples.flux, expected, rtol=1e-6)


def test_without_a_store_a_coarse_spectrum_comes_first(qtbot, session, cube, values, make, monkeypatch):
    monkeypatch.setattr("jviz.cube_readers.SMALL", 0)
    image, _ = make(cube)
    seen = []
    session.live_spectra.changed.connect(note := lambda: seen.extend(session.live_spectra.shown))
    over(qtbot, image, 7, 5)
    qtbot.waitUntil(lambda: any(len(s.samples) == N for s in seen))
    assert len(seen[0].samples) < N // 2
    np.testing.assert_array_equal(seen[-1].samples.flux, values[:, 5, 7])
    step = N // 64
    np.testing.assert_array_equal(seen[0].samples.flux, values[::step, 5, 7])
    np.testing.assert_allclose(seen[0].samples.axis.values, 5 + 0.01 * np.arange(0, N, step))
    del note


def test_flagged_values_are_left_out(qtbot, session, tmp_path, values, make):
    flags = np.zeros(values.shape, np.uint32)
    flags[30, 5, 7] = 1
    cube = session.open(write(tmp_path / "dq.fits", values, flags=flags))[0]
    image, _ = make(cube)
    over(qtbot, image, 7, 5)
    qtbot.waitUntil(lambda: live(session, "Spaxel") is not None)
    assert np.flatnonzero(~np.isfinite(live(session, "Spaxel").samples.flux)).tolist() == [30]


def test_the_same_sky_on_two_cubes_gives_two_spectra(qtbot, session, cube, values, viewers, tmp_path):
    other = session.open(write(tmp_path / "other.fits", 3 * values, first=9.0))[0]
    session.run("view.open", kind="cube", data=other)
    qtbot.waitUntil(lambda: session.cube_spectra.reader(other) is not None)
    session.subset("core", circle(10, 9, 4).to_sky(cube.wcs.celestial))
    one, two = (live(session, f"core · {name}") for name in (cube.name, other.name))
    np.testing.assert_allclose(two.samples.flux, 3 * one.samples.flux, rtol=1e-5)
    assert two.samples.axis.values[0] == pytest.approx(9.0)
    over(qtbot, viewers[0], 7, 5)
    qtbot.waitUntil(lambda: live(session, f"Spaxel 7, 5 · {other.name}") is not None)
    np.testing.assert_array_equal(live(session, f"Spaxel 7, 5 · {other.name}").samples.flux, 3 * values[:, 5, 7])
    assert not live(session, f"Spaxel 7, 5 · {cube.name}").color
    assert live(session, f"Spaxel 7, 5 · {other.name}").color not in ("", session.subsets["core"].color)


def test_nothing_is_worked_out_without_a_viewer_of_spectra(session, cube):
    session.view("cube", data=cube)
    session.subset("core", circle(10, 9, 4), data=cube)
    assert session.live_spectra.shown == ()


def test_the_menu_of_a_region_keeps_its_spectrum_and_makes_it_the_background(qtbot, session, cube, viewers, values):
    from jviz.viewers.region_menu import region_actions

    image, _ = viewers
    session.subset("core", RectanglePixelRegion(PixCoord(9.5, 9.5), 4, 4), data=cube)
    session.subset("sky", RectanglePixelRegion(PixCoord(3.5, 3.5), 2, 2), data=cube)

    def choose(x, y, text):
        u, v = image.geometry_now().to_screen(x, y)
        found = region_actions(image, image.frame_now().picture.topLeft() + QPointF(float(u), float(v)))
        next(action for action in found if action.text() == text).trigger()

    choose(3.5, 3.5, "Background of Spectra")
    assert session.cube_spectra.background == "sky"
    session.interaction.select([])
    before = len(session.history)
    choose(9.5, 9.5, "Keep Spectrum as Data")
    qtbot.waitUntil(lambda: len(session.data) == 2)
    expected = values[:, 8:12, 8:12].mean(axis=(1, 2)) - values[:, 3:5, 3:5].mean(axis=(1, 2))
    np.testing.assert_allclose(session.data[1].samples[0].flux, expected, rtol=1e-5)
    np.testing.assert_allclose(live(session, "core").samples.flux, expected, rtol=1e-5)
    qtbot.waitUntil(lambda: len(session.history) == before + 1)
    session.undo()
    assert len(session.data) == 1


def test_dragging_a_region_by_the_mouse_moves_its_spectrum_and_is_one_step(qtbot, session, cube, viewers, values):
    image, plot = viewers
    session.subset("core", RectanglePixelRegion(PixCoord(9.5, 9.5), 4, 4), data=cube)
    session.interaction.select(["core"])

    def place(x, y):
        u, v = image.geometry_now().to_screen(x, y)
        return (image.frame_now().picture.topLeft() + QPointF(float(u), float(v))).toPoint()

    def mean():
        centre = session.subsets["core"].region.center
        left, low = round(centre.x - 1.5), round(centre.y - 1.5)
        return values[:, low : low + 4, left : left + 4].mean(axis=(1, 2))

    start, before, history = mean(), plot.grab(), len(session.history)
    qtbot.mouseMove(image, place(9.5, 9.5))
    qtbot.mousePress(image, Qt.MouseButton.LeftButton, pos=place(9.5, 9.5))
    qtbot.mouseMove(image, place(12.5, 9.5))
    qtbot.mouseMove(image, place(17.5, 13.5))
    assert len(session.history) == history
    during = live(session, "core").samples.flux
    assert np.median(during - start) > 4
    qtbot.mouseRelease(image, Qt.MouseButton.LeftButton, pos=place(17.5, 13.5))
    assert len(session.history) == history + 1
    np.testing.assert_allclose(live(session, "core").samples.flux, during, rtol=1e-6)
    assert plot.grab() != before
    session.undo()
    np.testing.assert_allclose(live(session, "core").samples.flux, start, rtol=1e-6)


def growing(values, centre, radius, factors, circle_of):
    """Return the mean over a circle whose radius is another one in each channel."""
    found = []
    for channel, factor in zip(values, factors, strict=True):
        share = circle_of(centre, radius * factor)
        found.append((channel * share).sum() / share.sum())
    return np.array(found)


def exact(centre, radius):
    return circle(*centre, radius).to_mask(mode="exact").to_image((NY, NX))


def test_cones_grow_with_wavelength_live_and_are_kept_as_they_are_seen(qtbot, session, cube, viewers, values):
    session.subset("core", circle(14, 11, 4), data=cube)
    session.run("cube.cone", on=True, reference=6.0)
    factors = (5 + 0.01 * np.arange(N)) / 6.0
    for x, y in ((14, 11), (10, 12)):
        session.set_subsets({"core": session.subsets["core"].but(region=circle(x, y, 4))})
        expected = growing(values, (x, y), 4, factors, exact)
        qtbot.waitUntil(
            lambda expected=expected: (
                live(session, "core") is not None and len(live(session, "core").samples.flux) == N
                and np.allclose(live(session, "core").samples.flux, expected, rtol=1e-6)
            ),
            timeout=20_000,
        )  # fmt: skip
    assert live(session, "core").samples.error is not None
    kept = session.run("cube.extract", data=cube, region="core", **session.cube_spectra.options_of("core"))
    np.testing.assert_allclose(kept.samples[0].flux, live(session, "core").samples.flux)
    np.testing.assert_allclose(kept.samples[0].error, live(session, "core").samples.error)
    session.run("cube.cone", on=False)
    still = growing(values, (10, 12), 4, np.ones(N), exact)
    qtbot.waitUntil(lambda: np.allclose(live(session, "core").samples.flux, still, rtol=1e-5), timeout=20_000)


@pytest.mark.parametrize("cone", [False, True])
def test_a_ring_follows_its_region_and_its_mean_is_taken_away(qtbot, session, cube, viewers, values, cone):
    session.subset("core", circle(14, 11, 3), data=cube)
    session.run("cube.background", ring=(1.5, 2.0))
    session.run("cube.cone", on=cone)
    factors = (5 + 0.01 * np.arange(N)) / (5 + 0.01 * (N // 2)) if cone else np.ones(N)

    def ring(centre, radius):
        return exact(centre, 2.0 * radius) - exact(centre, 1.5 * radius)

    for x, y in ((14, 11), (12, 12)):
        session.set_subsets({"core": session.subsets["core"].but(region=circle(x, y, 3))})
        expected = growing(values, (x, y), 3, factors, exact) - growing(values, (x, y), 3, factors, ring)
        qtbot.waitUntil(
            lambda expected=expected: (
                live(session, "core") is not None and len(live(session, "core").samples.flux) == N
                and np.allclose(live(session, "core").samples.flux, expected, atol=2e-4)
            ),
            timeout=20_000,
        )  # fmt: skip
    [kept] = session.run("cube.extract", data=cube, region="core", **session.cube_spectra.options_of("core")).samples

    def same():
        seen = live(session, "core").samples
        return seen.error is not None and len(seen.error) == N and np.allclose(seen.error, kept.error, rtol=1e-5)

    qtbot.waitUntil(same, timeout=20_000)
    np.testing.assert_allclose(kept.flux, live(session, "core").samples.flux, atol=2e-4)


def test_a_ring_that_is_none_is_told(session, cube):
    with pytest.raises(JvizError, match="is no ring"):
        session.run("cube.background", ring=(2.0, 1.5))
    with pytest.raises(JvizError, match="no other background"):
        session.run("cube.extract", data=cube, region=circle(5, 5, 2), ring=(1.5, 2), background=circle(9, 9, 2))
    annulus = CircleAnnulusPixelRegion(PixCoord(10, 10), 2, 4)
    with pytest.raises(JvizError, match="A ring goes round a circle"):
        session.run("cube.extract", data=cube, region=annulus, ring=(1.5, 2))


def test_a_region_that_is_long_to_add_up_is_begun_in_a_job_and_follows_then(
    qtbot, session, cube, viewers, values, monkeypatch
):
    from jviz import cube_readers

    monkeypatch.setattr(cube_readers, "AT_ONCE", 20 * N)
    monkeypatch.setattr(cube_readers.CubeReader, "needs_the_file", False)
    session.subset("core", circle(10, 9, 4), data=cube)
    share = weights(circle(10, 9, 4))
    expected = (values * share).sum(axis=(1, 2)) / share.sum()
    qtbot.waitUntil(lambda: live(session, "core") is not None and len(live(session, "core").samples.flux) == N)
    np.testing.assert_allclose(live(session, "core").samples.flux, expected, rtol=2e-3)
    moved = circle(10.2, 9, 4)
    session.set_subsets({"core": session.subsets["core"].but(region=moved)})
    qtbot.waitUntil(lambda: np.allclose(live(session, "core").samples.flux, (values * weights(moved)).sum(axis=(1, 2))
                                        / weights(moved).sum(), rtol=2e-3))  # fmt: skip


def test_a_region_dragged_over_a_cold_copy_is_gone_after(qtbot, session, cube, viewers, values, monkeypatch):
    from jviz import cube_readers
    from jviz.backend.cubes import extract

    monkeypatch.setattr(cube_readers, "AT_ONCE", 5 * N)
    monkeypatch.setattr(cube_readers.CubeReader, "needs_the_file", False)
    monkeypatch.setattr(extract, "in_memory", lambda part: False)
    session.subset("core", circle(8, 9, 4), data=cube)
    for x in np.arange(8, 14, 0.25):
        session.set_subsets({"core": session.subsets["core"].but(region=circle(x, 10, 4))})
        if x % 1 == 0:
            qtbot.wait(1)
    share = weights(circle(13.75, 10, 4))
    expected = (values * share).sum(axis=(1, 2)) / share.sum()
    qtbot.waitUntil(lambda: live(session, "core") is not None and len(live(session, "core").samples.flux) == N
                    and np.allclose(live(session, "core").samples.flux, expected, rtol=2e-3))  # fmt: skip


def test_rings_and_grown_cones_are_drawn_where_they_are(qtbot, session, cube, viewers):
    image = viewers[0]
    session.subset("core", circle(14, 11, 4), data=cube)
    image.state.slice = N // 2  # there cones are as drawn

    def colours(radius):
        """Return the share of places on a circle that have about the colour of the region."""
        shot, wanted, found = image.grab(), session.subsets["core"].color, 0
        angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
        u, v = image.geometry_now().to_screen(14 + radius * np.cos(angles), 11 + radius * np.sin(angles))
        left, top = image.frame_now().picture.left(), image.frame_now().picture.top()
        red, green, blue = (int(wanted[k : k + 2], 16) for k in (1, 3, 5))
        for x, y in zip(u + left, v + top, strict=True):
            around = [shot.pixelColor(round(x) + i, round(y) + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            found += any(abs(c.red() - red) + abs(c.green() - green) + abs(c.blue() - blue) < 90 for c in around)
        return found / 200

    assert colours(7) < 0.1
    session.run("cube.background", ring=(1.75, 2.25))
    qtbot.waitUntil(lambda: colours(7) > 0.4)
    assert colours(9) > 0.4
    assert colours(8) < 0.1
    session.run("cube.background")
    session.run("cube.cone", on=True)
    image.state.slice = N - 1
    grown = 4 * (5 + 0.01 * (N - 1)) / (5 + 0.01 * (N // 2))
    qtbot.waitUntil(lambda: colours(grown) > 0.4)
    session.run("cube.cone", on=False)
    qtbot.waitUntil(lambda: colours(grown) < 0.1)


@pytest.mark.parametrize("end", ["release", "escape"])
def test_a_region_has_its_spectrum_while_it_is_drawn(qtbot, session, cube, viewers, values, end):
    viewer, _ = viewers
    session.interaction.region_system = "pixel"
    session.run("tool.rectangle")
    geometry, corner = viewer.geometry_now(), viewer.frame_now().picture.topLeft().toPoint()

    def at(x, y):
        return QPoint(*map(round, geometry.to_screen(x, y))) + corner

    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=at(10, 9))
    seen = []
    for x, y in ((12, 8), (15, 7), (18, 6)):
        qtbot.mouseMove(viewer, at(x, y))
        qtbot.waitUntil(lambda: live(session, "Rectangle 1") is not None)
        seen.append(live(session, "Rectangle 1").samples.flux)
    assert "Rectangle 1" not in session.subsets
    (x, y), (a, b) = viewer.gesture.shape.centre, viewer.gesture.shape.sizes
    share = weights(RectanglePixelRegion(PixCoord(x, y), 2 * a, 2 * b))
    np.testing.assert_allclose(seen[-1], (values * share).sum(axis=(1, 2)) / share.sum(), rtol=2e-3)
    assert not np.allclose(seen[0], seen[-1], rtol=1e-3)
    if end == "escape":
        qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=at(18, 6))
    kept = end == "release"
    assert (live(session, "Rectangle 1") is not None) is kept
    assert ("Rectangle 1" in session.subsets) is kept

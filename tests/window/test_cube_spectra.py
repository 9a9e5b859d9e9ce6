"""Spectra under the cursor and of regions in the window: real mouse events, numbers of the cube, undo."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QPoint, QPointF
from regions import CirclePixelRegion, PixCoord

import jviz

N, NY, NX = 40, 12, 15


@pytest.fixture
def values():
    return np.random.default_rng(4).normal(5, 1, (N, NY, NX)).astype(np.float32)


@pytest.fixture
def window(qtbot, tmp_path, values):
    header = fits.Header({"CTYPE3": "WAVE", "CRVAL3": 5.0, "CDELT3": 0.1, "CUNIT3": "um", "BUNIT": "MJy/sr"})
    error = fits.ImageHDU(np.full_like(values, 0.5), name="ERR")
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(values, header, name="SCI"), error]).writeto(tmp_path / "cube.fits")
    window = jviz.launch(show=True)
    qtbot.addWidget(window)
    window.resize(1100, 800)
    window.session.submit("file.open", paths=[str(tmp_path / "cube.fits")], show=True)
    qtbot.waitUntil(lambda: len(window.viewers) == 2 and window.viewers[0].is_sharp, timeout=30_000)
    yield window
    window.close_at_once()


def shown(window):
    return {live.name: live for live in window.session.live_spectra.shown}


def point(window, qtbot, x, y):
    viewer = window.viewers[0]
    at = viewer.geometry_now().to_screen(float(x), float(y))
    place = (QPointF(*map(float, at)) + viewer.frame_now().picture.topLeft()).toPoint()
    qtbot.mouseMove(viewer, place + QPoint(1, 0))
    qtbot.mouseMove(viewer, place)


def test_a_cube_opens_with_a_spectrum_viewer_below_as_one_step(window):
    assert [viewer.kind for viewer in window.viewers] == ["cube", "spectrum"]
    cube, spectrum = (viewer.mapToGlobal(QPoint(0, 0)).y() for viewer in window.viewers)
    assert spectrum > cube
    window.session.undo()
    assert not window.session.views


def test_the_spectrum_viewer_goes_with_the_last_cube_and_comes_back_with_it(window, qtbot):
    session = window.session
    session.run("data.remove", data="cube")
    assert not session.views
    session.undo()
    qtbot.waitUntil(lambda: [viewer.kind for viewer in window.viewers] == ["cube", "spectrum"])
    session.run("view.close", view=window.viewers[0].state)
    assert not session.views
    session.undo()
    qtbot.waitUntil(lambda: len(window.viewers) == 2)
    # one with a spectrum of its own stays
    point(window, qtbot, 7, 4)
    qtbot.waitUntil(lambda: "Cursor" in shown(window), timeout=10_000)
    session.run("cube.extract", data="cube", name="whole")
    session.run("view.show", view=window.viewers[1].state, data="whole")
    before = [view.name for view in session.views.values() if view.kind == "spectrum"]
    session.run("data.remove", data="cube")
    assert list(session.views) == before


def test_the_spectrum_under_the_cursor_is_that_of_the_cube(window, qtbot, values):
    point(window, qtbot, 7, 4)
    qtbot.waitUntil(lambda: "Cursor" in shown(window), timeout=10_000)
    qtbot.waitUntil(lambda: np.allclose(shown(window)["Cursor"].samples.flux, values[:, 4, 7]), timeout=10_000)
    before = window.viewers[1].grab()
    point(window, qtbot, 2, 9)
    qtbot.waitUntil(lambda: np.allclose(shown(window)["Cursor"].samples.flux, values[:, 9, 2]), timeout=10_000)
    qtbot.waitUntil(lambda: window.viewers[1].grab() != before, timeout=5_000)
    assert len(window.session.data) == 1


def test_a_region_has_its_spectrum_with_its_error_and_follows(window, qtbot, values):
    session = window.session

    def expected(circle):
        weights = circle.to_mask(mode="exact").to_image((NY, NX))
        return (values * weights).sum(axis=(1, 2)) / weights.sum(), 0.5 * np.sqrt((weights**2).sum()) / weights.sum()

    for x in (5.0, 9.0):
        circle = CirclePixelRegion(PixCoord(x, 6.0), 3.0)
        session.run("region.add", region=circle, name="core", data="cube", mode="replace" if x > 5 else "new")
        mean, error = expected(circle)
        qtbot.waitUntil(
            lambda mean=mean: (
                "core" in shown(window) and np.allclose(shown(window)["core"].samples.flux, mean, rtol=1e-5)
            ),
            timeout=10_000,
        )
        qtbot.waitUntil(lambda: shown(window)["core"].samples.error is not None, timeout=10_000)
        assert np.allclose(shown(window)["core"].samples.error, error, rtol=1e-5)
    assert shown(window)["core"].color == session.subsets["core"].color
    session.run("region.edit", name="core", visible=False)
    assert "core" not in shown(window)
    session.undo()
    qtbot.waitUntil(lambda: "core" in shown(window), timeout=10_000)


def test_the_spectrum_under_the_cursor_is_kept_and_the_script_names_the_spaxel(window, qtbot, values):
    point(window, qtbot, 7, 4)
    qtbot.waitUntil(lambda: "Cursor" in shown(window), timeout=10_000)
    made = window.session.run("cube.keep_spectrum", data="cube")
    assert np.allclose(made.samples[0].flux, values[:, 4, 7])
    assert np.allclose(made.samples[0].error, 0.5)
    assert "x=7, y=4" in window.session.script()


def test_what_is_no_spaxel_is_told(window):
    with pytest.raises(jviz.CommandError, match="none of them"):
        window.session.run("cube.keep_spectrum", data="cube", x=50, y=1)


def test_the_statistic_is_that_of_the_settings(window, qtbot, values):
    session = window.session
    session.settings["cube.region_statistic"] = "max"
    session.run("region.add", region=CirclePixelRegion(PixCoord(5, 6), 2), name="core", data="cube")
    inside = CirclePixelRegion(PixCoord(5, 6), 2).to_mask(mode="exact").to_image((NY, NX)) >= 0.5
    qtbot.waitUntil(lambda: "core" in shown(window), timeout=10_000)
    assert np.allclose(shown(window)["core"].samples.flux, values[:, inside].max(axis=1), rtol=1e-5)


def test_cubes_behind_tabs_have_no_live_spectra(window, qtbot, values, tmp_path):
    """Regions have a spectrum for each cube in sight; of cubes that are all behind tabs the last one stays."""
    other = fits.ImageHDU(values[:, ::-1] + 20, fits.getheader(tmp_path / "cube.fits", 1), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), other]).writeto(tmp_path / "second.fits")
    live, [first] = window.session.cube_spectra, window.session.data
    window.session.subset("core", CirclePixelRegion(PixCoord(7, 5), 3))
    qtbot.waitUntil(lambda: [cube for _, _, cube in live.regions_shown()] == [first])
    window.central.activate(window.viewers[0].state.name)  # new viewers join the group of the active one
    window.session.submit("file.open", paths=[str(tmp_path / "second.fits")], show=True)
    qtbot.waitUntil(lambda: len(window.viewers) == 3 and len(window.session.data) == 2)
    second = window.session.data[-1]
    qtbot.waitUntil(lambda: live.cubes() == [second])
    cubes = {viewer.state.layer.data: viewer for viewer in window.viewers if viewer.kind == "cube"}
    behind, ahead = cubes[first], cubes[second]
    assert not behind.isVisible()
    assert ahead.isVisible()
    window.central.activate(behind.state.name)
    qtbot.waitUntil(lambda: live.cubes() == [first])
    qtbot.waitUntil(lambda: [cube for _, _, cube in live.regions_shown()] == [first])


@pytest.mark.parametrize(
    ("first", "count"), [(9.0, 2), (5.5, 1), (1300.0, 1)], ids=["the next band", "the same band", "another telescope"]
)
def test_cubes_behind_tabs_that_continue_the_band_belong_to_the_spectrum(window, qtbot, values, tmp_path, first, count):
    """As the twelve sub-bands of MIRI do: one region, one spectrum."""
    header = fits.getheader(tmp_path / "cube.fits", 1)
    header["CRVAL3"] = first  # the cube that is open goes from 5 to 8.9 µm
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(values + 20, header, name="SCI")]).writeto(tmp_path / "b.fits")
    live, session = window.session.cube_spectra, window.session
    window.central.activate(window.viewers[0].state.name)
    session.submit("file.open", paths=[str(tmp_path / "b.fits")], show=True)
    qtbot.waitUntil(lambda: len(window.viewers) == 3 and len(session.data) == 2)
    session.subset("core", CirclePixelRegion(PixCoord(7, 5), 3))
    for name in [viewer.state.name for viewer in window.viewers if viewer.kind == "cube"]:
        window.central.activate(name)
        qtbot.waitUntil(lambda: len(live.cubes()) == count and len(live.regions_shown()) == count)
        in_sight = next(v.state.layer.data for v in window.viewers if v.kind == "cube" and v.isVisible())
        assert in_sight in live.cubes()

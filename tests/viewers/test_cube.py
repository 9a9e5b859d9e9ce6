"""What a hand does in a cube viewer, and what an eye sees there."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from jviz.viewers.cube import CubeViewer

N, NY, NX = 40, 20, 30


@pytest.fixture
def cube(session, tmp_path):
    """A cube in which each slice k is k everywhere, from 5 to 5.39 µm."""
    values = np.broadcast_to(np.arange(N, dtype=np.float32)[:, None, None], (N, NY, NX))
    unit = fits.PrimaryHDU(np.ascontiguousarray(values))
    axes = (("RA---TAN", "deg", 10.0, -1e-4, 15), ("DEC--TAN", "deg", 20.0, 1e-4, 10), ("WAVE", "um", 5.0, 0.01, 1))
    for number, cards in enumerate(axes, start=1):
        unit.header.update(
            zip((f"{k}{number}" for k in ("CTYPE", "CUNIT", "CRVAL", "CDELT", "CRPIX")), cards, strict=True)
        )
    unit.writeto(tmp_path / "cube.fits")
    return session.open(tmp_path / "cube.fits")[0]


@pytest.fixture
def viewer(qtbot, session, cube):
    view = session.view("cube", data=cube, compass=False, scale_bar=False, colorbar=False, limits=(0.0, N - 1.0))
    view.slice, view.stretch = 10, "linear"
    session.flush()
    session.history.seal()
    made = CubeViewer(session, view)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitUntil(lambda: made.is_sharp and cube.axis_ready, timeout=20_000)
    return made


def grey(viewer):
    """Return the brightness in the middle of the picture, 0 to 255."""
    middle = viewer.frame_now().picture.center().toPoint()
    return viewer.grab().pixelColor(middle).red()


def expected(slice_):
    return pytest.approx(255 * slice_ / (N - 1), abs=2)


def test_keys_step_and_the_picture_follows(qtbot, viewer):
    viewer.setFocus()
    assert grey(viewer) == expected(10)
    for key, slice_ in (
        (Qt.Key.Key_Period, 11),
        (Qt.Key.Key_PageUp, 21),
        (Qt.Key.Key_Comma, 20),
        (Qt.Key.Key_PageDown, 10),
    ):
        qtbot.keyClick(viewer, key)
        assert viewer.state.slice == slice_
        qtbot.waitUntil(lambda: viewer.is_sharp)
        assert grey(viewer) == expected(slice_)


def test_stepping_is_one_step_of_the_history(qtbot, session, viewer):
    before = len(session.history)
    for _ in range(5):
        qtbot.keyClick(viewer, Qt.Key.Key_Period)
    assert viewer.state.slice == 15
    assert len(session.history) == before + 1
    session.undo()
    assert viewer.state.slice == 10


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier])
def test_the_wheel_with_a_key_steps_and_without_one_zooms(viewer, modifier):
    at = QPointF(300, 150)
    for keys in (modifier, Qt.KeyboardModifier.NoModifier):
        event = QWheelEvent(at, viewer.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, keys,
                            Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
        QApplication.sendEvent(viewer, event)
    assert viewer.state.slice == 11
    assert viewer.state.scale is not None


def test_the_marker_is_dragged_along_the_ruler(qtbot, session, viewer):
    track = viewer.bar.track
    before = len(session.history)
    y = 11
    qtbot.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track.x_of(10)), y))
    for slice_ in (15, 22, 30):
        qtbot.mouseMove(track, QPoint(round(track.x_of(slice_)), y))
    qtbot.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track.x_of(30)), y))
    assert viewer.state.slice == 30
    assert viewer.state.spectral_value == pytest.approx(5.30)
    assert len(session.history) == before + 1


def test_a_slab_is_drawn_with_shift_and_shows_its_mean(qtbot, viewer):
    track = viewer.bar.track
    qtbot.mousePress(
        track, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, QPoint(round(track.x_of(20)), 11)
    )
    qtbot.mouseMove(track, QPoint(round(track.x_of(30)), 11))
    qtbot.mouseRelease(
        track, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, QPoint(round(track.x_of(30)), 11)
    )
    low, high, statistic = viewer.state.slab
    assert (low, high, statistic) == (pytest.approx(5.195), pytest.approx(5.305), "mean")
    qtbot.waitUntil(lambda: viewer.is_sharp)
    assert grey(viewer) == expected(25)


def test_typing_a_value_goes_to_its_slice(qtbot, viewer):
    qtbot.waitUntil(lambda: viewer.bar.value.isEnabled())
    assert viewer.bar.value.text() == "5.1000"
    viewer.bar.value.selectAll()
    qtbot.keyClicks(viewer.bar.value, "5.2049")
    qtbot.keyClick(viewer.bar.value, Qt.Key.Key_Return)
    assert viewer.state.slice == 20


def test_space_plays_and_bounces_at_the_end(qtbot, viewer):
    viewer.state.update(rate=60.0, loop="bounce")
    viewer.state.slice = N - 3
    viewer.setFocus()
    seen = []
    viewer.state.layer.add_callback("index", lambda index: seen.append(index[0]))
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    assert viewer.state.playing
    qtbot.waitUntil(lambda: len(seen) >= 6, timeout=5000)
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    assert not viewer.state.playing
    assert seen[:6] == [N - 2, N - 1, N - 2, N - 3, N - 4, N - 5]


def test_playing_once_goes_forward_also_after_it_went_back(qtbot, viewer):
    viewer.state.update(rate=60.0, loop="bounce")
    viewer.state.slice = N - 2
    viewer.setFocus()
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: viewer.state.slice < N - 3)
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    viewer.state.loop = "once"
    viewer.state.slice = N - 4
    qtbot.keyClick(viewer, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not viewer.state.playing)
    assert viewer.state.slice == N - 1


def test_another_side_has_wavelength_along_its_edge(qtbot, session, viewer):
    session.run("cube.axes", side="wavelength-x")
    qtbot.waitUntil(lambda: viewer.is_sharp)
    geometry, frame = viewer.geometry_now(), viewer.frame_now()
    image = viewer.grab()
    for channel in (2, 20, 37):
        x, y = geometry.to_screen(channel, NX / 2)
        at = frame.picture.topLeft() + QPointF(x, y)
        assert image.pixelColor(at.toPoint()).red() == expected(channel)
    session.undo()
    assert viewer.state.order == ()


def test_averaging_takes_the_mean_of_neighbours(qtbot, session, viewer):
    session.run("cube.width", width=5)
    viewer.state.slice = 1
    qtbot.waitUntil(lambda: viewer.is_sharp)
    assert grey(viewer) == expected(1.5)  # slices 0 to 3: there is none before the first


def test_the_mean_of_every_slice_is_a_curve_above_the_ruler(qtbot, session, viewer):
    track = viewer.bar.track
    qtbot.waitUntil(lambda: track.curve is not None, timeout=10_000)
    values = np.asarray(viewer.state.layer.data.plane().read(), float)
    np.testing.assert_allclose(track.curve, values.mean(axis=(1, 2)), rtol=1e-6)
    tall, shot = track.sizeHint().height(), track.grab()
    viewer.state.slice_curve = "max"
    qtbot.waitUntil(lambda: np.allclose(track.curve, values.max(axis=(1, 2))))
    viewer.state.slice_curve = "none"
    qtbot.waitUntil(lambda: track.sizeHint().height() < tall)
    assert track.grab() != shot
    session.undo()
    assert viewer.state.slice_curve == "mean"


def test_a_curve_is_broken_where_slices_are_empty_and_keeps_narrow_peaks():
    from jviz.viewers.slice_track import curve_path

    values = np.sin(np.arange(20_000) / 900.0)
    values[7_000:9_000] = np.nan
    values[15_000:15_040] = 3.0
    path = curve_path(values, 10.0, 410.0, 0.0, 20.0)
    points = [path.elementAt(k) for k in range(path.elementCount())]
    assert sum(point.isMoveTo() for point in points) == 2
    assert not [p for p in points if 10 + 0.352 * 400 < p.x < 10 + 0.448 * 400]
    [peak] = {round(p.x) for p in points if p.y < 1e-9}
    assert peak == pytest.approx(10 + 0.75 * 400, abs=2)
    assert curve_path(np.full(9, np.nan), 0, 100, 0, 20).isEmpty()


def test_velocities_name_the_frame_that_they_are_counted_in(qtbot, session, tmp_path):
    unit = fits.PrimaryHDU(np.ones((9, 4, 5), np.float32))
    unit.header.update({"CTYPE3": "FREQ", "CUNIT3": "Hz", "CRVAL3": 230.5e9, "CDELT3": 1e6, "CRPIX3": 5.0,
                        "RESTFRQ": 230.538e9, "SPECSYS": "LSRK", "BUNIT": "K"})  # fmt: skip
    unit.writeto(tmp_path / "radio.fits")
    [cube] = session.open(tmp_path / "radio.fits")
    view = session.view("cube", data=cube)
    viewer = CubeViewer(session, view)
    qtbot.addWidget(viewer)
    viewer.resize(800, 500)
    viewer.show()
    choices = viewer.bar.unit
    qtbot.waitUntil(lambda: choices.findText("km/s, LSRK") >= 0, timeout=20_000)
    assert choices.currentText() == "GHz"
    view.spectral_unit = "km/s"
    qtbot.waitUntil(lambda: choices.currentText() == "km/s, LSRK", timeout=20_000)


def test_a_velocity_field_has_the_limits_of_its_slab_and_equal_steps(qtbot, session, tmp_path):
    """Where there is only noise the mean position lies anywhere: it must not set the limits."""
    rng = np.random.default_rng(3)
    k, y, x = np.mgrid[:N, :NY, :NX]
    line = np.exp(-((k - 20 - 0.2 * (x - 15)) ** 2) / 8) * np.exp(-((x - 15) ** 2 + (y - 10) ** 2) / 20)
    header = fits.Header({"CTYPE3": "WAVE", "CRVAL3": 5.0, "CDELT3": 0.01, "CUNIT3": "um"})
    values = (100 * line + rng.normal(0, 0.3, line.shape)).astype(np.float32)
    fits.PrimaryHDU(values, header).writeto(tmp_path / "line.fits")
    [cube] = session.open(tmp_path / "line.fits")
    view = session.view("cube", data=cube)
    usual = view.layer.stretch = cube.suggested_stretch()
    assert usual != "linear"
    session.run("cube.show_slab", low=5.1, high=5.3, statistic="moment1")
    assert view.layer.stretch == "linear"
    assert 5.1 <= view.layer.limits[0] < view.layer.limits[1] <= 5.3
    assert np.nanmin(view.layer.raster().all_values()) < 5.1
    session.run("cube.slab_statistic", statistic="sum")
    assert view.layer.stretch == usual
    session.run("cube.slab_statistic", statistic="moment2")
    assert view.layer.stretch == "linear"
    session.undo()
    assert (view.layer.stretch, view.layer.slab[2]) == (usual, "sum")

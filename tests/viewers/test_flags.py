"""Flags over images: colours of pixels, filter, legend, stepping and subsets, against sums of bits by numpy."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtGui import QColor

from jviz.errors import CommandError
from jviz.flags import excluded_flags, flag_color, flag_counts, flags_plane, known_flags, next_flagged

FILES = ("j8bt06nyq_flt.fits", "jw01093012001_03102_00001_nis_cal.fits", "miri_lrs_slitless_rateints_SIM.fits")
HOT, SATURATED, DO_NOT_USE = 11, 1, 0


@pytest.fixture
def flagged(tmp_path, session):
    """A flat JWST image with three kinds of flagged pixels, 60 × 40."""
    dq = np.zeros((40, 60), np.uint32)
    dq[10, 20] = 1 << HOT
    dq[10, 40] = 1 << SATURATED
    dq[30, 20] = 1 << HOT | 1
    dq[0, 0] = dq[39, 59] = 1
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "JWST"
    science = fits.ImageHDU(np.linspace(1, 2, 2400, dtype=np.float32).reshape(40, 60), name="SCI")
    path = tmp_path / "flagged_cal.fits"
    fits.HDUList([primary, science, fits.ImageHDU(dq, name="DQ")]).writeto(path)
    return session.open(path, show=False)[0], dq


def color_at(viewer, x, y):
    geometry, frame = viewer.geometry_now(), viewer.frame_now()
    u, v = geometry.to_screen(x, y)
    return viewer.grab().pixelColor(int(u + frame.picture.left()), int(v + frame.picture.top()))


def test_flags_are_drawn_in_their_colours_over_the_image(qtbot, show, session, flagged):
    data, _ = flagged
    viewer = show(data)
    plain = color_at(viewer, 20, 10)
    session.run("dq.overlay", opacity=1.0)
    qtbot.waitUntil(lambda: viewer.is_sharp)
    layer = viewer.state.layer
    for (x, y), bit in {(20, 10): HOT, (40, 10): SATURATED, (20, 30): HOT, (59, 39): DO_NOT_USE}.items():
        assert color_at(viewer, x, y) == QColor(flag_color(layer, bit)), (x, y)
    good = color_at(viewer, 30, 20)
    assert good.red() == good.green() == good.blue()
    layer.dq_bits = (SATURATED,)
    assert color_at(viewer, 20, 10) == plain
    assert color_at(viewer, 40, 10) == QColor(flag_color(layer, SATURATED))
    session.run("dq.color", flag="SATURATED", color="#00ff00")
    assert color_at(viewer, 40, 10) == QColor("#00ff00")
    layer.dq_opacity = 0.5
    mixed = color_at(viewer, 40, 10)
    assert mixed.red() == mixed.blue() != 0
    assert mixed.green() > mixed.red() + 100


def test_single_flagged_pixels_are_seen_when_the_image_is_small(qtbot, show, session, tmp_path):
    dq = np.zeros((2400, 2400), np.int32)
    dq[1211, 1503] = 1 << 4
    path = tmp_path / "big.fits"
    science = fits.ImageHDU(np.ones(dq.shape, np.float32), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), science, fits.ImageHDU(dq, name="DQ")]).writeto(path)
    viewer = show(session.open(path, show=False)[0], size=(240, 240))
    session.run("dq.overlay", opacity=1.0)
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    wanted = QColor(flag_color(viewer.state.layer, 4))
    assert any(color_at(viewer, 1503 + dx, 1211 + dy) == wanted for dx in (-8, 0, 8) for dy in (-8, 0, 8))


def test_key_steps_and_undo(qtbot, show, session, flagged):
    data, _ = flagged
    viewer = show(data)
    steps = len(session.history)
    session.run("dq.overlay")
    session.run("dq.overlay", flags=["HOT", "SATURATED"])
    layer = viewer.state.layer
    assert (layer.dq, layer.dq_bits) == (True, (SATURATED, HOT))
    assert len(session.history) == steps + 2
    session.undo()
    session.undo()
    assert (layer.dq, layer.dq_bits) == (False, None)
    viewer.state.update(centre=(0, 0), scale=20)
    seen = []
    for _ in range(4):
        session.run("dq.next", flags=["HOT", "SATURATED"])
        seen.append(viewer.state.centre)
    assert seen == [(20, 10), (40, 10), (20, 30), (20, 10)]
    session.run("dq.previous", flags="SATURATED")
    assert viewer.state.centre == (40, 10)
    session.run("dq.previous", flags="all")
    assert viewer.state.centre == (20, 10)
    with pytest.raises(CommandError, match="no flag 'WET'"):
        session.run("dq.next", flags="WET")
    with pytest.raises(CommandError, match="No pixel"):
        session.run("dq.next", flags="JUMP_DET")


def test_the_pixel_that_was_stepped_to_is_framed(show, session, flagged):
    data, _ = flagged
    viewer = show(data)
    viewer.state.update(centre=(0, 0), scale=20)
    session.run("dq.next", flags=["HOT", "SATURATED"])
    u, v = viewer.geometry_now().to_screen(20 - 0.5, 10)
    corner, image = viewer.frame_now().picture.topLeft(), viewer.grab()
    near = [image.pixelColor(round(u + corner.x()) + k, round(v + corner.y())).lightness() for k in range(-5, 6)]
    assert max(near) > 220


def test_subsets_of_flags(show, session, flagged):
    data, dq = flagged
    show(data)
    hot = session.run("dq.subset", flags="HOT")
    assert np.array_equal(hot.region, dq >> HOT & 1 == 1)
    assert session.run("dq.subset", flags=["HOT", "DO_NOT_USE"], match="all").region.sum() == 1
    assert session.run("dq.subset", flags="all", match="none").region.sum() == (dq == 0).sum()
    alike = session.run("dq.find", x=59.2, y=38.8)
    assert np.array_equal(alike.region, dq == 1)
    assert "like (59, 39)" in session.subsets
    session.undo()
    assert "like (59, 39)" not in session.subsets
    with pytest.raises(CommandError, match="has no flags"):
        session.run("dq.find", x=5, y=5)
    with pytest.raises(CommandError, match="not on"):
        session.run("dq.find", x=500, y=5)


def test_measurements_leave_the_excluded_flags_out(show, session, flagged):
    from regions import CirclePixelRegion, PixCoord

    data, dq = flagged
    assert excluded_flags(session, data) is None
    view = show(data).state
    assert excluded_flags(session, data) == ["DO_NOT_USE"]
    session.run("region.add", region=CirclePixelRegion(PixCoord(20, 20), 12), data=data)
    y, x = np.mgrid[:40, :60]
    inside = dq[(x - 20) ** 2 + (y - 20) ** 2 < 11**2]
    assert session.run("region.statistics", data=data, mode="center")["n_flagged"][0] == (inside & 1 > 0).sum() == 1
    session.run("dq.exclude", flags=["HOT", "SATURATED"])
    assert session.run("region.statistics", data=data, mode="center")["n_flagged"][0] == (inside != 0).sum() == 2
    session.run("dq.exclude", flags="")
    assert session.run("region.statistics", data=data, mode="center")["n_flagged"][0] == 0
    session.undo()
    assert view.exclude_flags == ("SATURATED", "HOT")


def test_script_repeats_the_overlay(show, session, flagged, tmp_path):
    data, _ = flagged
    view = show(data).state
    session.run("dq.overlay", flags="HOT", opacity=0.4)
    session.run("dq.color", flag="HOT", color="#123456")
    view.layer.dq_bits = (3, 4)
    session.run("dq.exclude", flags="HOT")
    script = session.script()
    space = {}
    exec(compile(script, "script", "exec"), space)
    again = next(v for v in space.values() if type(v).__name__ == "Session")
    try:
        other = again.views[view.name]
        assert other.exclude_flags == ("HOT",)
        for name in ("dq", "dq_bits", "dq_opacity", "dq_colors"):
            assert getattr(other.layer, name) == getattr(view.layer, name)
    finally:
        again.close()


def test_images_without_flags_say_so(show, session, ramp):
    show(ramp)
    with pytest.raises(CommandError, match="no data quality flags"):
        session.run("dq.overlay")


@pytest.mark.parametrize("name", FILES)
def test_counts_and_steps_of_real_files(session, shared_data, name):
    data = session.open(shared_data / name, show=False)[0]
    view = session.view("image", data=data)
    layer = view.layer
    plane = flags_plane(layer)
    index = tuple(n // 2 for n in data.shape[:-2])[-(len(plane.shape) - 2) :] if len(plane.shape) > 2 else ()
    truth = np.asarray(plane.read(index)).astype(np.int64)
    counts = flag_counts(layer)
    assert counts[:32].tolist() == [int((truth >> bit & 1).sum()) for bit in range(32)]
    assert counts[32] == (truth == 0).sum()
    assert {flag.bit for flag in known_flags(data)} >= {bit for bit in range(15) if counts[bit]}
    bit = int(np.argmax(counts[:32]))
    flat = np.flatnonzero(truth >> bit & 1)
    x, y = next_flagged(layer, 1 << bit, int(flat[0] % truth.shape[1]), int(flat[0] // truth.shape[1]))
    assert y * truth.shape[1] + x == flat[1]
    x, y = next_flagged(layer, 1 << bit, int(flat[0] % truth.shape[1]), int(flat[0] // truth.shape[1]), back=True)
    assert y * truth.shape[1] + x == flat[-1]


def test_menu_finds_pixels_flagged_alike(qtbot, show, session, flagged):
    from PySide6.QtCore import QPointF

    from jviz.viewers.image_tools import overlays

    data, dq = flagged
    viewer = show(data)
    geometry, corner = viewer.geometry_now(), viewer.frame_now().picture.topLeft()

    def entries(x, y):
        at = QPointF(*(float(n) for n in geometry.to_screen(x, y))) + corner
        return [action for overlay in overlays() for action in overlay.menu(viewer, at) if "Flagged" in action.text()]

    assert entries(30, 20) == []
    (action,) = entries(20, 10)
    assert action.text() == "Find Pixels Flagged HOT"
    action.trigger()
    qtbot.waitUntil(lambda: "like (20, 10)" in session.subsets)
    assert np.array_equal(session.subsets["like (20, 10)"].region, dq == 1 << HOT)


def test_legend_can_be_hidden(qtbot, show, session, flagged):
    data, _ = flagged
    viewer = show(data, size=(700, 600))
    session.run("dq.overlay")
    qtbot.waitUntil(lambda: viewer.is_sharp)
    with_legend = viewer.grab()
    session.run("image.flag_legend")
    assert viewer.grab() != with_legend
    session.undo()
    assert viewer.grab() == with_legend

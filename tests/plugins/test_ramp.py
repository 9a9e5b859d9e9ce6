"""The panel of ramps."""

import numpy as np
import pytest
from astropy.io import fits
from regions import CirclePixelRegion, PixCoord

from tests.ramp_files import JUMP_AT, RATE, write_ramp

FIRST_FIT = 60_000
"""Milliseconds: the kernels are compiled the first time on a machine."""


@pytest.fixture
def panel(make_panel):
    made = make_panel("ramp")
    made.gain.setValue(2.0)
    made.noise.setValue(4.2)
    made.show()
    return made


@pytest.fixture
def ramp_view(session, tmp_path):
    ramp = session.open(write_ramp(tmp_path / "jw1_ramp.fits"), show=False)[0]
    return session.view("ramp", data=ramp)


def test_the_pixel_under_the_cursor_shows_its_ramp_and_its_jump(panel, context, ramp_view, qtbot):
    column, row, group = JUMP_AT
    context.move_cursor(ramp_view, column + 0.2, row - 0.3)
    qtbot.waitUntil(lambda: "jump" in panel.picture.curves, timeout=FIRST_FIT)
    jump = panel.picture.curves["jump"]
    assert np.flatnonzero(np.isfinite(jump.y)).tolist() == [group]
    fit = panel.picture.curves["fit"]
    assert np.isnan(fit.y).sum() == 1  # the line breaks off before the jump
    assert fit.x[np.isnan(fit.y)] < jump.x[group]
    assert f"({column}, {row})" in panel.rate.text()
    value = float(panel.rate.text().partition("<b>")[2].split(" ±")[0])
    assert value == pytest.approx(RATE, rel=0.15)
    assert "1 jump" in panel.note.text()


def test_another_threshold_is_another_fit(panel, context, ramp_view, qtbot):
    context.move_cursor(ramp_view, *JUMP_AT[:2])
    qtbot.waitUntil(lambda: "jump" in panel.picture.curves, timeout=FIRST_FIT)
    panel.threshold.setValue(1000.0)
    qtbot.waitUntil(lambda: "jump" not in panel.picture.curves, timeout=FIRST_FIT)
    panel.anew.setChecked(False)
    assert panel.choices == {"find_jumps": False, "gain": 2.0, "readnoise": 4.2}


def test_residuals_scatter_about_nothing(panel, context, ramp_view, qtbot):
    context.move_cursor(ramp_view, 9, 11)
    qtbot.waitUntil(lambda: bool(panel.picture.curves), timeout=FIRST_FIT)
    panel.shown.setCurrentIndex(panel.shown.findData("residuals"))
    good = panel.picture.curves["good"].y
    assert abs(np.nanmean(good)) < 3
    assert np.nanmax(np.abs(good)) < 15


def test_hold_keeps_the_pixel_and_buttons_run_commands(panel, context, ramp_view, session, qtbot):
    context.move_cursor(ramp_view, 9, 11)
    qtbot.waitUntil(lambda: panel.found is not None, timeout=FIRST_FIT)
    panel.hold.setChecked(True)
    context.move_cursor(ramp_view, 1, 1)
    panel.list_numbers()
    panel.fit_all()
    qtbot.waitUntil(lambda: "jw1_ramp rate" in session.names, timeout=FIRST_FIT)
    script = session.script()
    assert "session.run('ramp.fit', data='jw1_ramp', x=9, y=11, gain=2.0, readnoise=4.2)" in script
    assert "session.run('ramp.refit', data='jw1_ramp', gain=2.0, readnoise=4.2)" in script


def test_beside_the_detector_it_says_so(panel, context, ramp_view, qtbot):
    context.move_cursor(ramp_view, -5, 2)
    qtbot.waitUntil(lambda: "beside" in panel.note.text(), timeout=FIRST_FIT)
    assert panel.picture.curves == {}


def test_the_mean_of_a_region_follows_it(panel, context, ramp_view, session, qtbot):
    session.subset("spot", CirclePixelRegion(PixCoord(20, 14), 3.2), data=ramp_view.data)
    qtbot.waitUntil(lambda: panel.where.findData("spot") > 0)
    panel.where.setCurrentIndex(panel.where.findData("spot"))
    context.move_cursor(ramp_view, 2, 2)
    qtbot.waitUntil(lambda: "37 pixels" in panel.note.text(), timeout=FIRST_FIT)
    assert panel.rate.text().startswith("spot, integration 1: <b>12.")
    session.subset("spot", CirclePixelRegion(PixCoord(20, 14), 1.2), data=ramp_view.data)
    qtbot.waitUntil(lambda: "5 pixels" in panel.note.text(), timeout=FIRST_FIT)
    panel.list_numbers()
    qtbot.waitUntil(lambda: "region='spot'" in session.script(), timeout=FIRST_FIT)
    session.run("subset.remove", name="spot")
    qtbot.waitUntil(lambda: panel.rate.text().startswith("Pixel (2, 2)"), timeout=FIRST_FIT)


def test_rates_of_integrations_are_shown_as_they_are(panel, context, session, qtbot, tmp_path):
    first = fits.PrimaryHDU()
    first.header.update(TELESCOP="JWST", INSTRUME="NIRCAM", DATAMODL="CubeModel")
    rates = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((4, 8, 8), np.float32)
    error = fits.ImageHDU(np.ones_like(rates), name="ERR")
    fits.HDUList([first, fits.ImageHDU(rates, name="SCI"), error]).writeto(tmp_path / "a_rateints.fits")
    [data] = session.open(tmp_path / "a_rateints.fits", show=False)
    context.move_cursor(session.view("ramp", data=data), 3, 5)
    qtbot.waitUntil(lambda: "good" in panel.picture.curves, timeout=FIRST_FIT)
    curve = panel.picture.curves["good"]
    assert curve.y.tolist() == [0, 1, 2, 3]
    assert (curve.x_label, curve.y_label, curve.y_unit) == ("Integration", "Rate", "DN/s")
    assert "1.50 ± 0.50 DN/s" in panel.rate.text()
    assert not panel.threshold.isVisible()


def test_counts_are_shown_when_nothing_can_be_fitted(panel, context, session, qtbot, tmp_path):
    [data] = session.open(write_ramp(tmp_path / "jw2_ramp.fits", groups=2), show=False)
    panel.noise.setValue(0.0)
    context.move_cursor(session.view("ramp", data=data), 9, 5)
    qtbot.waitUntil(lambda: "good" in panel.picture.curves, timeout=FIRST_FIT)
    assert "read noise of jw2_ramp is not known" in panel.note.text()
    assert set(panel.picture.curves) == {"good"}
    panel.noise.setValue(4.0)
    qtbot.waitUntil(lambda: "fit" in panel.picture.curves, timeout=FIRST_FIT)

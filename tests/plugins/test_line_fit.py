"""The panel of line fits: the model follows range and choices by hand, and Fit keeps what was seen."""

import astropy.units as u
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from specutils import Spectrum

from jviz.api import LINE_FIT
from jviz.viewers.spectrum.viewer import SpectrumViewer

X = np.linspace(4.0, 5.0, 400)


def gauss(centre, fwhm, height):
    return height * np.exp(-4 * np.log(2) * ((X - centre) / fwhm) ** 2)


@pytest.fixture
def viewer(session, qtbot, context):
    from astropy.nddata import StdDevUncertainty

    noise = np.random.default_rng(4).normal(0, 0.05, len(X))
    flux = 2 + 0.5 * (X - 4.5) + gauss(4.3, 0.03, 5) + gauss(4.7, 0.05, 2) + noise
    spectrum = Spectrum(flux=flux * u.Jy, spectral_axis=X * u.um, uncertainty=StdDevUncertainty(0.05 * np.ones(len(X))))
    data = session.add(spectrum, name="lines")
    viewer = SpectrumViewer(session, session.view("spectrum", data=data))
    qtbot.addWidget(viewer)
    viewer.resize(600, 400)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.is_sharp)
    context.activate(viewer.state)
    yield viewer
    viewer.release()


@pytest.fixture
def panel(make_panel, viewer):
    return make_panel("line_fit", (340, 560))


def model(session):
    return next((live.samples for live in session.live_spectra.shown if live.name == LINE_FIT), None)


def rest(panel, qtbot):
    qtbot.waitUntil(lambda: panel._fit is not None and not panel._newest.is_busy, timeout=10_000)
    return panel._fit


def drag(qtbot, viewer, low, high, keys=Qt.KeyboardModifier.NoModifier, *, let_go=True):
    scene = viewer.scene_now()
    y = round(scene.picture.center().y())
    start, end = (QPoint(round(float(scene.x.place(value))), y) for value in (low, high))
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, keys, start)
    for share in (0.3, 0.7, 1.0):
        qtbot.mouseMove(viewer, start + (end - start) * share)
    if let_go:
        qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, keys, end)


def test_it_says_what_it_is_for_without_a_spectrum(make_panel):
    panel = make_panel("line_fit")
    assert panel.is_empty()
    assert "drag with Shift" in panel._empty.text()


def test_the_fit_follows_the_range_while_it_is_dragged(panel, viewer, session, qtbot):
    fit = rest(panel, qtbot)
    assert fit.found.lines[0].center[0] == pytest.approx(4.3, abs=0.002)  # the strongest in sight
    drag(qtbot, viewer, 4.55, 4.85, Qt.KeyboardModifier.ShiftModifier)
    [name] = [n for n, s in session.subsets.items() if s.kind == "spectral"]
    qtbot.waitUntil(lambda: panel._fit is not None and abs(panel._fit.found.lines[0].center[0] - 4.7) < 0.01)
    [line] = rest(panel, qtbot).found.lines
    assert abs(line.center[0] - 4.7) < 4 * line.center[1]
    assert abs(line.fwhm[0] - 0.05) < 4 * line.fwhm[1]
    samples = model(session)
    assert (samples.axis.values[0], samples.axis.values[-1]) == (pytest.approx(4.55, abs=0.01),
                                                                  pytest.approx(4.85, abs=0.01))  # fmt: skip
    truth = 2 + 0.5 * (X - 4.5) + gauss(4.7, 0.05, 2)
    np.testing.assert_allclose(samples.flux, np.interp(samples.axis.values, X, truth), atol=0.1)
    assert panel.table.item(0, 0).text().startswith("4.7")
    drag(qtbot, viewer, 4.85, 4.95, let_go=False)  # its upper end
    qtbot.waitUntil(lambda: model(session) is not None and model(session).axis.values[-1] > 4.93, timeout=10_000)
    assert session.subsets[name].region.high > 4.93
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: model(session).axis.values[-1] < 4.87, timeout=10_000)
    panel.hide()
    assert model(session) is None


@pytest.mark.parametrize("shown", [{"y_unit": "erg / (s cm2 Angstrom)", "x_unit": "GHz"}, {"normalize": "peak"},
                                   {"normalize": "median", "x_unit": "Angstrom"}, {"offset": 3.0}])  # fmt: skip
def test_the_model_lies_on_the_spectrum_as_it_is_shown(panel, viewer, session, qtbot, shown):
    session.add(Spectrum(flux=np.ones(len(X)) * u.Jy, spectral_axis=X * u.um), name="first")
    session.run("view.show", data="first", view=viewer.state)
    session.run("view.remove_layer", data="lines", view=viewer.state)
    session.run("view.show", data="lines", view=viewer.state)
    qtbot.waitUntil(lambda: viewer.is_sharp)
    drag(qtbot, viewer, 4.2, 4.4, Qt.KeyboardModifier.AltModifier)
    rest(panel, qtbot)
    for name, value in shown.items():
        setattr(viewer.state, name, value)
    fit = rest(panel, qtbot)
    wanted = np.sort(((fit.one.samples.flux - fit.found.model) / fit.one.samples.error)[fit.use])
    qtbot.mouseClick(panel.fit, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(layer.is_model for layer in viewer.state.layers))
    qtbot.waitUntil(lambda: viewer.is_sharp)
    scene = viewer.scene_now()
    spectrum = next(curve for layer, curve in scene.shown if layer.data.name == "lines")
    kept = next(curve for layer, curve in scene.shown if layer.is_model)
    [live] = [curve for layer, curve in scene.live if layer.title == LINE_FIT]
    for curve in (kept, live):
        assert (curve.x_unit, curve.y_unit) == (spectrum.x_unit, spectrum.y_unit)
        there = np.isin(spectrum.x, curve.x)
        apart = (spectrum.y[there] - curve.y) / spectrum.error[there]
        np.testing.assert_allclose(np.sort(apart), wanted, atol=1e-6)


def test_lines_are_added_and_kept_as_they_are_seen(panel, viewer, session, qtbot):
    rest(panel, qtbot)
    one = panel._fit.found.chi2
    qtbot.mouseClick(panel.more, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel._fit is not None and len(panel._fit.found.lines) == 2, timeout=10_000)
    fit = rest(panel, qtbot)
    assert fit.found.chi2 < 0.3 * one
    assert sorted(round(line.center[0], 2) for line in fit.found.lines) == [4.3, 4.7]
    panel.shape.setFocus()
    qtbot.keyClick(panel.shape, Qt.Key.Key_Down)  # another shape fits worse
    qtbot.waitUntil(lambda: panel._fit is not None and panel._fit.found.chi2 > 1.2 * fit.found.chi2, timeout=10_000)
    qtbot.keyClick(panel.shape, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: panel._fit is not None and panel._fit.found.chi2 == pytest.approx(fit.found.chi2, rel=1e-3),
                    timeout=10_000)  # fmt: skip
    seen = model(session).flux
    qtbot.mouseClick(panel.fit, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.data) == 2, timeout=20_000)
    made = session.data[-1].samples[0]
    np.testing.assert_allclose(made.flux, seen, rtol=1e-4)
    assert "spectrum.fit_lines" in session.script()
    session.undo()
    assert len(session.data) == 1


def test_numbers_are_in_the_unit_that_is_shown_where_it_is_a_multiple(panel, viewer, session, qtbot):
    rest(panel, qtbot)
    panel.lines.setText("4.29, 4.71")
    panel.width_box.setValue(0.04)
    viewer.state.x_unit, viewer.state.y_unit = "Angstrom", "mJy"
    qtbot.waitUntil(lambda: panel.lines.text() == "42900, 47100")
    qtbot.waitUntil(lambda: panel.table.columnCount() == 2 and panel.table.item(0, 0).text()[:3] in ("429", "430"))
    fit = rest(panel, qtbot)
    assert fit.centers == pytest.approx([4.29, 4.71])
    assert panel.width_box.value() == pytest.approx(400)
    assert panel.width_box.suffix() == " Å"
    assert panel.options["width"] == pytest.approx(0.04)
    for row, factor in ((0, 1e4), (1, 1e4), (2, 1), (3, 1e3), (4, 1e7), (5, 1e4)):
        name = ("center", "fwhm", "velocity_width", "amplitude", "flux", "equivalent_width")[row]
        shown = float(panel.table.item(row, 0).text().split(" ± ")[0])
        assert shown == pytest.approx(factor * getattr(fit.found.lines[0], name)[0], rel=2e-2)
    assert "Å" in panel.table.verticalHeaderItem(0).text()
    viewer.state.x_unit = "GHz"  # no multiple of the file's unit
    qtbot.waitUntil(lambda: panel.lines.text() == "4.29, 4.71")
    assert "µm" in panel.lines.placeholderText()


def test_what_cannot_be_fitted_is_said_in_the_panel(panel, viewer, session, qtbot):
    rest(panel, qtbot)
    panel.lines.setFocus()
    qtbot.keyClicks(panel.lines, "4.3 x")
    qtbot.waitUntil(lambda: "are numbers" in panel.note.text(), timeout=10_000)
    assert not panel.fit.isEnabled()
    assert model(session) is None
    panel.lines.clear()
    qtbot.keyClicks(panel.lines, "7.5")
    qtbot.waitUntil(lambda: "is outside" in panel.note.text(), timeout=10_000)
    panel.lines.clear()
    rest(panel, qtbot)
    assert model(session) is not None

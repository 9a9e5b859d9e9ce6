"""The panel of spectra: lines, redshift, looks, live numbers."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.backend.spectra.samples import Samples
from jviz.plugins.spectrum import ROWS
from jviz.spectral import made_spectrum

X = np.linspace(1.0, 5.0, 401)


@pytest.fixture
def view(session):
    flux = 1 + 4 * np.exp(-0.5 * ((X - 3) / 0.1) ** 2)
    session.add(made_spectrum(Samples(SpectralAxis(X, "um", "wavelength"), flux, "mJy"), "star", "star"))
    return session.view("spectrum", data="star")


def test_an_empty_session_has_a_hint(make_panel):
    assert make_panel("spectrum").is_empty()


def test_buttons_and_boxes_set_the_lines(make_panel, view, session, qtbot):
    panel = make_panel("spectrum")
    qtbot.mouseClick(panel.lists["H"], Qt.MouseButton.LeftButton)
    assert view.lines == ("H",)
    panel.velocity.setValue(2997.92458)
    assert np.isclose(view.redshift, 0.01)
    qtbot.waitUntil(lambda: np.isclose(panel.redshift.value(), 0.01))
    session.flush()
    session.undo()
    assert view.redshift == 0.0


def test_the_slider_shifts_the_lines_in_one_step_and_returns(make_panel, view, session):
    panel = make_panel("spectrum")
    panel.fine.sliderPressed.emit()
    for place in (4_000, 10_000):
        panel.fine.sliderMoved.emit(place)
    panel.fine.sliderReleased.emit()
    assert np.isclose(view.redshift, 0.005)
    assert panel.fine.value() == 0
    session.undo()
    assert view.redshift == 0.0


def test_numbers_follow_a_range_that_is_dragged(make_panel, view, session, qtbot):
    subset = session.subset("line", SpectralRanges(((2.5, 3.5),), "um"))
    panel = make_panel("spectrum")
    row = [name for name, _, _ in ROWS].index("line")
    qtbot.waitUntil(lambda: panel.table.item(row, 0) is not None)
    expected = 4 * 0.1 * np.sqrt(2 * np.pi)
    assert np.isclose(float(panel.table.item(row, 0).text().split()[0]), expected, rtol=0.01)
    session.set_subsets({"line": subset.but(region=SpectralRanges(((1.5, 2.0),), "um"))})
    qtbot.waitUntil(lambda: abs(float(panel.table.item(row, 0).text().split()[0])) < 1e-3)


def test_numbers_are_in_the_units_that_are_shown(make_panel, view, session, qtbot):
    session.run("spectrum.units", x="nm", view=view)
    panel = make_panel("spectrum")
    row = [name for name, _, _ in ROWS].index("centroid")
    qtbot.waitUntil(lambda: panel.table.item(row, 0) is not None)
    assert panel.table.verticalHeaderItem(row).text() == "Centroid\nnm"
    assert np.isclose(float(panel.table.item(row, 0).text().split()[0]), 3000, rtol=1e-3)


def test_the_magnifying_glass_finds_the_redshift(make_panel, session, qtbot):
    draw = np.random.default_rng(2)
    x = np.linspace(1.0, 3.0, 2001)
    flux = 1 + sum(
        a * np.exp(-0.5 * ((x - w * 3) / 0.003) ** 2) for w, a in ((0.656461, 3), (0.500824, 4), (0.486268, 1))
    )
    one = Samples(
        SpectralAxis(x, "um", "wavelength"), flux + draw.normal(0, 0.1, 2001), "mJy", np.full(2001, 0.1), "std"
    )
    session.add(made_spectrum(one, "galaxy", "galaxy"))
    view = session.view("spectrum", data="galaxy")
    panel = make_panel("spectrum")
    qtbot.mouseClick(panel.search, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: abs(view.redshift - 2.0) < 1e-3)
    qtbot.waitUntil(lambda: panel.lists["O"].isChecked())

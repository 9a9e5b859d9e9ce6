"""The viewer of spectra: pixels where the numbers say, units that keep the range, ranges and slices by mouse."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPixmap, QWheelEvent

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.backend.spectra.samples import Samples
from jviz.spectral import made_spectrum
from jviz.viewers.plot.frame import _numbers_across
from jviz.viewers.plot.legend import legend_of
from jviz.viewers.spectrum.marks import lines_in_sight, placed, ranges_in_sight
from jviz.viewers.spectrum.menus import context_menu, unit_menu
from jviz.viewers.spectrum.viewer import SpectrumViewer

X = np.linspace(1.0, 5.0, 401)


def spectrum(y=None, name="star", **values):
    y = np.where((X > 2.9) & (X < 3.1), 10.0, 1.0) if y is None else y
    return made_spectrum(Samples(SpectralAxis(X, "um", "wavelength", medium="vacuum"), y, "mJy", **values), name, name)


@pytest.fixture
def make(session, qtbot):
    def make(*data, **values):
        for one in data:
            session.add(one)
        view = session.view("spectrum", data=data[0].name, **values)
        for one in data[1:]:
            session.run("view.show", view=view, data=one)
        viewer = SpectrumViewer(session, view)
        qtbot.addWidget(viewer)
        viewer.resize(640, 420)
        viewer.show()
        qtbot.waitUntil(lambda: viewer.is_sharp)
        return viewer

    return make


@pytest.fixture
def viewer(make):
    return make(spectrum())


def at(viewer, x, y=None):
    scene = viewer.scene_now()
    down = scene.picture.center().y() if y is None else float(scene.y.place(y))
    return QPoint(round(float(scene.x.place(x))), round(down))


def drag(qtbot, viewer, start, end, keys=Qt.KeyboardModifier.NoModifier, *, release=True):
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, keys, start)
    qtbot.mouseMove(viewer, (start + end) / 2)
    qtbot.mouseMove(viewer, end)
    if release:
        qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, keys, end)


def like(image, point, colour, reach=2):
    wanted = QColor(colour)
    near = [
        image.pixelColor(point.x() + i, point.y() + j)
        for i in range(-reach, reach + 1)
        for j in range(-reach, reach + 1)
    ]
    return any(
        abs(c.red() - wanted.red()) + abs(c.green() - wanted.green()) + abs(c.blue() - wanted.blue()) < 60 for c in near
    )


def test_the_curve_is_where_its_numbers_are(viewer):
    image, scene = viewer.grab(), viewer.scene_now()
    colour = scene.colors[id(viewer.state.layers[0])]
    assert like(image, at(viewer, 2.0, 1.0), colour)
    assert like(image, at(viewer, 3.0, 10.0), colour)
    assert not like(image, at(viewer, 2.0, 8.0), colour)


def test_units_change_what_is_shown_and_keep_what_is_in_sight(viewer, session):
    viewer.state.x_range = (2.5, 3.5)
    session.run("spectrum.units", x="THz", y="ABmag")
    scene = viewer.scene_now()
    np.testing.assert_allclose(viewer.state.x_range, (299.792458 / 3.5, 299.792458 / 2.5))
    assert scene.x_title.label == "Frequency"
    # Bright is up, also in magnitudes.
    assert scene.y.place(-2.5 * np.log10(10e-3 / 3631)) < scene.y.place(-2.5 * np.log10(1e-3 / 3631))
    found = viewer.readout(QPointF(float(scene.x.place(299.792458 / 3.0)), scene.picture.top() + 5))
    assert np.isclose(found.x, 299.792458 / 3.0, rtol=2e-3)
    assert found.channel == 200
    session.undo()
    assert viewer.state.x_range == (2.5, 3.5)
    assert viewer.state.x_unit == ""
    session.redo()
    assert 'x="THz"' in session.script() or "x='THz'" in session.script()


def test_what_cannot_be_shown_is_told_and_nothing_changes(viewer, session):
    from jviz.errors import CommandError

    for values, words in (({"x": "km/s"}, "rest"), ({"y": "MJy / sr"}, "area"), ({"x": "bananas"}, "no unit")):
        with pytest.raises(CommandError, match=words):
            session.run("spectrum.units", **values)
    assert (viewer.state.x_unit, viewer.state.y_unit) == ("", "")
    session.run("spectrum.units", x="km/s", rest=(3.0, "um"), convention="optical")
    scene = viewer.scene_now()
    assert np.isclose(scene.shown[0][1].x[200], 0, atol=1e-6)


def test_titles_of_axes_give_menus_of_units(viewer, qtbot):
    viewer.repaint()
    assert set(viewer.titles) == {"x", "y"}
    menu = unit_menu(viewer, "x")
    wavelength = next(a.menu() for a in menu.actions() if a.text() == "Wavelength")
    next(a for a in wavelength.actions() if a.text() == "nm in air").trigger()
    assert (viewer.state.x_unit, viewer.state.medium) == ("nm", "air")
    assert np.isclose(viewer.scene_now().shown[0][1].x[0], 1000 / 1.000274, rtol=1e-6)
    menu.deleteLater()


def test_masked_samples_are_grey_and_do_not_scale_y(make):
    y, mask = np.ones(401), np.zeros(401, bool)
    y[100:110], mask[100:110] = 500.0, True
    y[0] = 2.0
    viewer = make(spectrum(y, mask=mask))
    assert viewer.scene_now().y.high < 3
    viewer.state.y_range = (0.0, 600.0)
    faint, colour = viewer.look.faint, viewer.scene_now().colors[id(viewer.state.layers[0])]
    point = at(viewer, X[105], 500.0)
    assert like(viewer.grab(), point, faint)
    assert not like(viewer.grab(), point, colour, 1)
    viewer.state.masked = "hide"
    assert not like(viewer.grab(), point, faint)


def test_errors_are_a_band(make):
    viewer = make(spectrum(np.full(401, 5.0), uncertainty=np.full(401, 4.0), kind="var"))
    viewer.state.y_range = (0.0, 10.0)
    image, bare = viewer.grab(), QColor(viewer.look.canvas)
    assert image.pixelColor(at(viewer, 3.0, 6.8)) != bare
    assert image.pixelColor(at(viewer, 3.0, 7.3)) == bare
    viewer.session.run("spectrum.errors")
    assert viewer.grab().pixelColor(at(viewer, 3.0, 6.8)) == bare


def test_smoothing_normalising_and_stacking_only_change_the_picture(make, session):
    first, second = spectrum(), spectrum(np.full(401, 7.0), "flat")
    viewer = make(first, second)
    session.run("spectrum.normalize", how="range", low=1.0, high=2.0)
    curves = [curve for _, curve in viewer.scene_now().shown]
    assert np.isclose(curves[0].y.max(), 10.0)
    np.testing.assert_allclose(curves[1].y, 1.0)
    session.run("spectrum.stack", offset=20.0)
    np.testing.assert_allclose(viewer.scene_now().shown[1][1].y, 21.0)
    session.run("spectrum.normalize", how="none")
    session.run("spectrum.show_smoothed", kind="boxcar", width=5)
    smooth = viewer.scene_now().shown[0][1].y
    np.testing.assert_allclose(smooth[5:-5], np.convolve(first.samples[0].flux, np.ones(5) / 5, "same")[5:-5])
    assert first.samples[0].flux.max() == 10.0


def test_shift_and_drag_makes_a_range_that_is_moved_resized_and_removed(viewer, session, qtbot):
    steps = len(session.history)
    drag(qtbot, viewer, at(viewer, 2.0), at(viewer, 2.5), Qt.KeyboardModifier.ShiftModifier)
    ((name, subset),) = session.subsets.items()
    assert len(session.history) == steps + 1
    assert subset.kind == "spectral"
    np.testing.assert_allclose(subset.region.ranges[0], (2.0, 2.5), atol=0.01)
    image = viewer.grab()
    assert image.pixelColor(at(viewer, 2.25, 6.0)) != image.pixelColor(at(viewer, 4.0, 6.0))
    drag(qtbot, viewer, at(viewer, 2.25), at(viewer, 3.25))
    np.testing.assert_allclose(session.subsets[name].region.ranges[0], (3.0, 3.5), atol=0.02)
    end = session.subsets[name].region.high
    drag(qtbot, viewer, at(viewer, end), at(viewer, 4.0))
    np.testing.assert_allclose(session.subsets[name].region.ranges[0], (3.0, 4.0), atol=0.02)
    assert len(session.history) == steps + 3
    drag(qtbot, viewer, at(viewer, 4.0), at(viewer, 4.5), release=False)
    assert session.subsets[name].region.high > 4.3
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    np.testing.assert_allclose(session.subsets[name].region.high, 4.0, atol=0.02)
    assert len(session.history) == steps + 3
    low = session.subsets[name].region.low
    qtbot.keyClick(viewer, Qt.Key.Key_Right)
    assert session.subsets[name].region.low > low
    qtbot.keyClick(viewer, Qt.Key.Key_Delete)
    assert not session.subsets
    session.undo()
    assert name in session.subsets
    assert viewer.state.x_range is None


def test_ranges_are_where_they_belong_in_every_unit(viewer, session):
    session.subset("band", SpectralRanges(((100.0, 120.0),), "THz"))
    scene = viewer.scene_now()
    [mark] = ranges_in_sight(session, scene)
    np.testing.assert_allclose((mark.low, mark.high), (299.792458 / 120, 299.792458 / 100))
    session.run("spectrum.units", x="THz")
    [mark] = ranges_in_sight(session, viewer.scene_now())
    np.testing.assert_allclose((mark.low, mark.high), (100, 120))


def test_lines_are_at_their_redshift_and_labels_do_not_collide(viewer, session):
    session.run("spectrum.lines", lists=["H"], redshift=1.0)
    lines, places = lines_in_sight(viewer.state, viewer.scene_now())
    paschen = next(n for n, line in enumerate(lines) if line.name == "Paα")
    assert np.isclose(places[paschen], viewer.scene_now().x.place(2 * 1.875613), atol=0.01)
    wanted = np.sort(np.random.default_rng(1).uniform(0, 400, 25))
    found = list(placed(wanted, 14.0, 0.0, 400.0))
    middles = [middle for _, middle in found]
    assert len(found) == 25
    assert np.diff(middles).min() >= 14 - 1e-9
    assert min(middles) >= 7 - 1e-9
    assert max(middles) <= 393 + 1e-9
    crowd = list(placed(np.full(300, 200.0), 14.0, 0.0, 400.0))
    assert 10 < len(crowd) <= 28


def test_the_legend_scrolls_highlights_and_hides(make, qtbot):
    viewer = make(*[spectrum(np.full(401, float(n)), f"s{n:02d}") for n in range(40)])
    legend = legend_of(viewer.scene_now())
    assert len(legend.rows) < 40
    middle = QPointF(legend.box.center())
    wheel = QWheelEvent(
        middle, viewer.mapToGlobal(middle), QPoint(), QPoint(0, -1200), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    viewer.wheelEvent(wheel)
    legend = legend_of(viewer.scene_now())
    assert legend.first > 5
    assert viewer.state.x_range is None
    layer, rect, _ = legend.rows[1]
    qtbot.mouseMove(viewer, rect.center().toPoint())
    assert viewer.scene_now().hovered is layer
    assert viewer.readout(rect.center()) is None  # the curves below are covered
    assert viewer.readout(QPointF(rect.left() - 30, rect.center().y())) is not None
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=rect.center().toPoint())
    assert not layer.visible
    viewer.session.undo()
    assert layer.visible


def test_one_name_stands_for_a_region_on_many_cubes(make, session):
    viewer = make(spectrum(np.full(401, 1.0), "own"))
    samples = viewer.state.layers[0].data.samples[0]
    for number in range(5):
        session.live_spectra.show(f"core {number}", samples, "#ff8800", f"core · ch{number}")
        place = "Spaxel 12, 5" if number == 3 else "Spaxel"
        session.live_spectra.show(f"cursor {number}", samples, "", f"{place} · ch{number}")
    session.live_spectra.show("sky 1", samples, "#00ff88", "sky · ch1")
    names = {text for _, _, text in legend_of(viewer.scene_now()).rows}
    assert names == {"core · 5 cubes", "Spaxel 12, 5 · 5 cubes", "sky · ch1", "own"}


def test_the_legend_leaves_the_name_of_a_single_file_out(make, session):
    axis = SpectralAxis(X, "um", "wavelength")
    many = [Samples(axis, np.full(len(X), float(n)), "mJy", name=f"integration {n}") for n in (1, 2)]
    viewer = make(made_spectrum(many, "a_file_with_a_long_name_x1dints", "many"))
    assert [text for _, _, text in legend_of(viewer.scene_now()).rows] == ["integration 1", "integration 2"]
    session.add(spectrum())
    session.run("view.show", view=viewer.state, data="star")
    names = [text for _, _, text in legend_of(viewer.scene_now()).rows]
    assert names[-1] == "star"
    assert names[0].startswith("a_file")


def test_live_spectra_are_drawn_and_go_away(viewer, session):
    samples = Samples(SpectralAxis(X, "um", "wavelength"), np.full(401, 6.0), "mJy")
    session.live_spectra.show("spaxel", samples, "#ff00ff")
    assert like(viewer.grab(), at(viewer, 4.0, 6.0), "#ff00ff")
    session.live_spectra.remove("spaxel")
    assert not like(viewer.grab(), at(viewer, 4.0, 6.0), "#ff00ff")


def test_locked_views_show_the_same_wavelengths(viewer, make, session):
    other = make(spectrum(name="twin"), x_unit="nm")
    for one in (viewer, other):
        session.run("spectrum.lock", on=True, view=one.state)
    viewer.state.x_range = (2.0, 3.0)
    np.testing.assert_allclose(other.state.x_range, (2000, 3000))
    session.flush()
    session.undo()
    assert other.state.x_range is None


def test_all_viewers_are_aligned_in_one_step(viewer, make, session):
    other = make(spectrum(name="twin"), x_unit="nm")
    viewer.state.x_range = (2.0, 3.0)
    session.run("spectrum.align_panels", view=viewer.state)
    np.testing.assert_allclose(other.state.x_range, (2000, 3000))
    other.state.x_range = (2500, 2600)
    np.testing.assert_allclose(viewer.state.x_range, (2.5, 2.6))
    session.flush()
    session.undo()
    session.undo()
    assert (other.state.x_range, other.state.locks) == (None, ())


def test_the_context_menu_knows_the_place(viewer, session):
    session.subset("band", SpectralRanges(((2.9, 3.1),), "um"))
    menu = context_menu(viewer, QPointF(at(viewer, 3.0)))
    titles = [action.text() for action in menu.actions()]
    assert {"band", "Units Along", "Units of Flux", "Identify Line"} <= set(titles)
    menu.deleteLater()


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_figures(viewer, session, tmp_path, suffix):
    session.run("spectrum.lines", lists="H")
    session.subset("band", SpectralRanges(((2.9, 3.1),), "um"))
    path = session.render(viewer.state, tmp_path / f"s.{suffix}", size=(600, 400))
    assert path.stat().st_size > 2000


def test_statistics_of_the_range(viewer, session):
    session.subset("line", SpectralRanges(((2.5, 3.5),), "um"))
    table = session.run("spectrum.statistics", region="line")
    assert np.isclose(table["line_flux"][0].to_value("mJy um"), 9 * 0.2, rtol=0.06)
    assert table["equivalent_width"][0].unit == "um"
    assert np.isclose(table["start"][0].to_value("nm"), 2500)


@pytest.mark.parametrize("unit", ["um", "THz"], ids=["up", "down"])
def test_the_band_of_more_samples_than_pixels_reaches_one_sigma(make, unit):
    wave = np.linspace(1.0, 5.0, 50_000)
    samples = Samples(SpectralAxis(wave, "um", "wavelength", medium="vacuum"), np.full(wave.size, 10.0), "mJy",
                      uncertainty=np.where(wave < 3, 1.0, 4.0), kind="std")  # fmt: skip
    viewer = make(made_spectrum(samples, "dense", "dense"))
    viewer.state.y_range = (0.0, 20.0)
    if unit != "um":
        viewer.session.run("spectrum.units", x=unit)
    image, bare = viewer.grab(), QColor(viewer.look.canvas)
    for place, sigma in ((2.0, 1.0), (4.0, 4.0)):
        x = place if unit == "um" else 299.792458 / place
        for side in (-1, 1):
            assert image.pixelColor(at(viewer, x, 10 + 0.8 * side * sigma)) != bare
            assert image.pixelColor(at(viewer, x, 10 + 1.2 * side * sigma)) == bare


@pytest.fixture
def cube(session):
    from astropy.io.fits import Header
    from astropy.nddata import CCDData
    from astropy.wcs import WCS

    header = Header()
    for axis, (kind, unit, step, value) in enumerate(
        (("RA---TAN", "deg", -1e-4, 10.0), ("DEC--TAN", "deg", 1e-4, 5.0), ("WAVE", "um", 0.1, 1.5)), 1
    ):
        header.update({f"CTYPE{axis}": kind, f"CUNIT{axis}": unit, f"CDELT{axis}": step, f"CRVAL{axis}": value})
        header[f"CRPIX{axis}"] = 1.0
    values = np.ones((21, 5, 4), np.float32)
    data = session.add(CCDData(values, unit="mJy", wcs=WCS(header)), name="cube")
    assert data.kind == "cube"
    _ = data.axis
    return session.view("cube", data="cube")


def test_the_slice_follows_and_leads(viewer, session, cube, qtbot):
    from jviz.viewers.spectrum.marks import slice_color, slices_in_sight

    cube.slice = 10
    [mark] = slices_in_sight(session, viewer.scene_now())
    assert np.isclose(mark.place, viewer.scene_now().x.place(2.5), atol=0.01)
    accent = slice_color(viewer.scene_now())
    point = QPoint(round(mark.place), round(viewer.scene_now().picture.top()) + 40)
    picture = QPixmap(viewer.size())
    viewer.render(picture)
    assert like(picture.toImage(), point, accent)
    drag(qtbot, viewer, at(viewer, 2.5), at(viewer, 3.1))
    assert cube.slice == 16
    assert np.isclose(cube.spectral_value, 3.1e-6)
    session.undo()
    assert cube.slice == 10


def test_alt_and_drag_shows_a_slab(viewer, session, cube, qtbot):
    drag(qtbot, viewer, at(viewer, 2.0), at(viewer, 2.6), Qt.KeyboardModifier.AltModifier)
    np.testing.assert_allclose(cube.slab[:2], (2.0e-6, 2.6e-6), atol=0.02e-6)
    assert cube.slab[2] == "sum"


def test_a_slab_is_live_while_it_is_drawn_and_one_step(viewer, session, cube, qtbot):
    steps = len(session.history)
    start, end = at(viewer, 2.0), at(viewer, 2.6)
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, start)
    seen = []
    for share in (0.4, 0.7, 1.0):
        qtbot.mouseMove(viewer, start + (end - start) * share)
        seen.append(cube.slab[1])
    assert seen == sorted(set(seen))
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, end)
    assert len(session.history) == steps + 1
    session.undo()
    assert cube.slab is None
    cube.slab = (1.7e-6, 1.9e-6, "median")
    session.flush()
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, start)
    qtbot.mouseMove(viewer, end)
    assert cube.slab[2] == "median"
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert cube.slab == (1.7e-6, 1.9e-6, "median")


def test_the_map_of_a_range_follows_it_while_it_is_dragged(viewer, session, cube, qtbot):
    cube.slice = 1  # its line is not where the range ends
    session.subset("line", SpectralRanges(((2.0, 2.5),), "um"))
    menu = context_menu(viewer, QPointF(at(viewer, 2.2)))
    place = next(action.menu() for action in menu.actions() if action.text() == "line")
    maps = next(action.menu() for action in place.actions() if action.text() == "Live Map in Cube Viewers")
    next(action for action in maps.actions() if action.text() == "Moment 1").trigger()
    menu.deleteLater()
    assert cube.slab[2] == "moment1"
    session.interaction.select(["line"])
    start, end = at(viewer, 2.5), at(viewer, 2.9)
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(viewer, end)
    np.testing.assert_allclose(cube.layer.slab_now[:2], (2.0e-6, 2.9e-6), atol=0.02e-6)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=end)
    np.testing.assert_allclose(cube.layer.slab_now[:2], (2.0e-6, 2.9e-6), atol=0.02e-6)
    session.undo()
    np.testing.assert_allclose(cube.layer.slab_now[:2], (2.0e-6, 2.5e-6), atol=0.02e-6)


def test_many_spectra_are_drawn_where_their_numbers_are(make, qtbot):
    from jviz.backend.spectra import strokes

    viewer = make(
        *[
            spectrum(
                np.where(X > 3, n + 0.5, float(n)),
                f"s{n:02d}",
            )
            for n in range(30)
        ],
        legend=False,
    )
    qtbot.waitUntil(strokes.is_ready, timeout=30_000)
    picture = QPixmap(viewer.size())
    viewer.render(picture)
    image, scene = picture.toImage(), viewer.scene_now()
    for n in (0, 7, 29):
        colour = scene.colors[id(viewer.state.layers[n])]
        assert like(image, at(viewer, 2.0, float(n)), colour, 1)
        assert like(image, at(viewer, 4.0, n + 0.5), colour, 1)


def test_bands_of_many_spectra_stay_while_they_are_dragged(make, qtbot):
    from jviz.backend.spectra import strokes

    strokes.prepare()
    data = [spectrum(np.full(401, float(n)), f"s{n:02d}", uncertainty=np.full(401, 0.3), kind="std") for n in range(20)]
    viewer = make(*data, legend=False)
    middle = at(viewer, 3.0)
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(viewer, middle + QPoint(60, 0))
    picture = QPixmap(viewer.size())
    viewer.render(picture)
    image, ground = picture.toImage(), QColor(viewer.look.canvas)
    for n in (3, 12):
        beside = image.pixelColor(at(viewer, 2.5, n + 0.2))
        free = image.pixelColor(at(viewer, 2.5, n + 0.5))
        assert beside != ground
        assert free == ground
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=middle + QPoint(60, 0))


def test_log_axes_of_many_spectra(make, qtbot):
    from jviz.backend.spectra import strokes

    strokes.prepare()
    viewer = make(*[spectrum(np.full(401, 10.0 ** (n / 5)), f"s{n:02d}") for n in range(20)], legend=False)
    viewer.state.update(x_log=True, y_log=True)
    picture = QPixmap(viewer.size())
    viewer.render(picture)
    image, scene = picture.toImage(), viewer.scene_now()
    for n in (1, 10, 18):
        assert like(image, at(viewer, 2.0, 10.0 ** (n / 5)), scene.colors[id(viewer.state.layers[n])], 1)


def test_masked_samples_are_marked_even_without_a_value(make, qtbot):
    mask = (X > 3.5) & (X < 4.0)
    viewer = make(spectrum(np.where(mask, np.nan, 1.0), mask=mask))
    image, scene = viewer.grab(), viewer.scene_now()
    foot = round(scene.picture.bottom()) - 3
    colour = scene.colors[id(viewer.state.layers[0])]
    assert like(image, QPoint(at(viewer, 3.75).x(), foot), colour)
    assert not like(image, QPoint(at(viewer, 3.0).x(), foot), colour)
    [span] = scene.shown[0][1].masked_spans
    np.testing.assert_allclose(span, (3.505, 3.995))
    viewer.setFocus()
    viewer.session.run("spectrum.masked", view=viewer.state)
    assert viewer.state.masked == "hide"
    assert not like(viewer.grab(), QPoint(at(viewer, 3.75).x(), foot), colour)


def test_strips_of_two_spectra_lie_above_each_other(make):
    masks = [(X > 2) & (X < 2.5), (X > 4) & (X < 4.5)]
    viewer = make(*(spectrum(np.ones(401), name=name, mask=m) for name, m in zip("ab", masks, strict=True)))
    image, scene = viewer.grab(), viewer.scene_now()
    first, second = (scene.colors[id(layer)] for layer in viewer.state.layers)
    foot = round(scene.picture.bottom())
    assert like(image, QPoint(at(viewer, 4.25).x(), foot - 3), second, 1)
    assert like(image, QPoint(at(viewer, 2.25).x(), foot - 9), first, 1)


def test_aligned_panels_show_all_of_the_first_and_begin_at_the_same_place(make, session, qtbot):
    wide = make(spectrum(np.linspace(0, 123456.789, 401), name="wide"))
    x = np.linspace(2.0, 3.0, 101)
    short = make(made_spectrum(Samples(SpectralAxis(x, "um", "wavelength"), x, "Jy"), "short", "short"))
    assert wide.scene_now().picture.left() != short.scene_now().picture.left()
    session.run("spectrum.align_panels", view=wide.state)
    qtbot.waitUntil(lambda: wide.scene_now().picture.left() == short.scene_now().picture.left())
    low, high = short.state.x_range
    np.testing.assert_allclose((low, high), (0.995, 5.005))
    assert at(wide, 2.5).x() == at(short, 2.5).x()
    session.run("spectrum.align_panels", view=wide.state, on=False)
    assert wide.scene_now().picture.left() != short.scene_now().picture.left()


def test_of_many_lines_the_strong_ones_keep_their_labels():
    from jviz.backend.spectra.lines import LISTS, lines_of
    from jviz.viewers.spectrum.marks import strongest

    lines = [line for line in lines_of(tuple(LISTS))[0] if 0.3e-6 < line.wavelength < 1.1e-6]
    places = np.array([line.wavelength * 7e8 for line in lines])
    chosen = strongest(lines, places, 14.0)
    assert (np.diff(places[chosen]) >= 14.0).all()
    assert {"Hα", "[O III] 5008", "[S III] 9533"} <= {lines[n].title for n in chosen}


def test_of_stacked_spectra_that_wait_for_their_turn_nothing_is_asked(make, monkeypatch, qtbot):
    """A thousand of them are made over many frames, each of which would else ask all that are left."""
    from jviz.viewers.spectrum import scene

    asked, frames = [], []
    made, recipe = scene.CurveKeeper.make, scene.recipe_of
    monkeypatch.setattr(scene, "SECONDS", 0.0)  # every frame makes the fewest
    monkeypatch.setattr(scene, "recipe_of", lambda *a, **k: asked.append(1) or recipe(*a, **k))
    monkeypatch.setattr(scene.CurveKeeper, "make", lambda self, **k: frames.append(1) or made(self, **k))
    viewer = make(*[spectrum(np.full(401, float(n)), f"s{n:03d}") for n in range(120)])
    asked.clear(), frames.clear()
    viewer.state.offset = 3.0
    qtbot.waitUntil(lambda: viewer.is_sharp and len(frames) > 3)
    assert len(asked) <= 2 * len(frames)  # one for live spectra
    curves = [curve for _, curve in viewer.scene_now().shown]
    assert [curve.offset for curve in curves] == [3.0 * n for n in range(120)]


def test_numbers_below_a_spectrum_lie_within_the_viewer_and_apart(make):
    """Long ones, such as frequencies to the kilohertz, at the very edge."""
    viewer = make(spectrum(np.full(401, 1.0), "s"))
    frame, wide = viewer.scene_now(), viewer.look.metrics(0.92).horizontalAdvance("230.53801")
    edge = frame.picture.right()
    places = [frame.picture.left(), edge - wide / 2, edge]
    found = _numbers_across(frame, places, ["230.53799", "230.53800", "230.53801"])
    lefts = [left for left, _ in found]
    assert [text for _, text in found] == ["230.53799", "230.53800"]
    assert lefts[1] > lefts[0] + wide
    [(left, _)] = _numbers_across(frame, [edge], ["230.53801"])
    assert left + wide <= frame.whole.right()

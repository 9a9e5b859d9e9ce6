"""Viewers of catalogues: lasso, box and clicks select in all of them, filters and orders, marks on images, files."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap
from PySide6.QtWidgets import QHeaderView, QWidget

import jviz
from jviz.backend.catalogs.histograms import bin_edges
from jviz.catalogs import selection_name
from jviz.viewers.catalog.histogram import HistogramViewer
from jviz.viewers.catalog.points import CROWD, draw_points
from jviz.viewers.catalog.scatter import ScatterViewer
from jviz.viewers.catalog.table import TableViewer
from jviz.viewers.image import ImageViewer

SHAPES = {"scatter": ScatterViewer, "table": TableViewer, "histogram": HistogramViewer, "image": ImageViewer}


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture
def sources(session):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [50.0, 50.0]
    wcs.wcs.cdelt = [-1e-4, 1e-4]
    image = session.add(CCDData(np.zeros((100, 100), np.float32), unit="Jy", wcs=wcs), name="field")
    x, y = np.array([20.0, 50.0, 80.0, 80.0]), np.array([20.0, 50.0, 20.0, 80.0])
    lon, lat = image.sky.pixel_to_sky(x, y)
    table = QTable({"ra": lon * u.deg, "dec": lat * u.deg, "a": [1.0, 2.0, 3.0, 4.0], "b": [4.0, 3.0, 2.0, 1.0]})
    return session.add(table, name="sources")


@pytest.fixture
def opened(session, qtbot):
    def make(kind, data="sources", **values):
        viewer = SHAPES[kind](session, session.view(kind, data=data, **values))
        qtbot.addWidget(viewer)
        viewer.resize(700, 500)
        viewer.show()
        qtbot.waitUntil(lambda: viewer.has_painted)
        return viewer

    return make


def places(viewer):
    scene = viewer.scene_now()
    cloud = scene.clouds[0]
    x, y = scene.x.place(cloud.x.values), scene.y.place(cloud.y.values)
    return [QPointF(a, b).toPoint() for a, b in zip(x, y, strict=True)]


def dragged(qtbot, viewer, *points, held=Qt.KeyboardModifier.NoModifier):
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, held, points[0])
    for point in points[1:]:
        qtbot.mouseMove(viewer, point)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, held, points[-1])


def chosen(session, data):
    found = session.subsets.get(selection_name(data))
    return [] if found is None else np.flatnonzero(found.region).tolist()


def test_a_lasso_selects_in_the_table_too_and_keys_add_and_take_away(opened, session, sources, qtbot):
    scatter, table = opened("scatter", x="a", y="b"), opened("table")
    at = places(scatter)
    qtbot.keyClick(scatter, Qt.Key.Key_L)

    def round_point(n):
        d = 25
        return [at[n] + QPoint(-d, -d), at[n] + QPoint(d, -d), at[n] + QPoint(d, d), at[n] + QPoint(-d, d)]

    dragged(qtbot, scatter, *round_point(1))
    assert chosen(session, sources) == [1]
    dragged(qtbot, scatter, *round_point(3), held=Qt.KeyboardModifier.ShiftModifier)
    assert chosen(session, sources) == [1, 3]
    dragged(qtbot, scatter, *round_point(1), held=Qt.KeyboardModifier.AltModifier)
    assert chosen(session, sources) == [3]
    qtbot.waitUntil(lambda: "1 selected" in table.count.text())
    colours = [table.model.data(table.model.index(row, 0), Qt.ItemDataRole.BackgroundRole) for row in range(4)]
    assert [colour is not None for colour in colours] == [False, False, False, True]
    session.undo()
    assert chosen(session, sources) == [1, 3]


def test_a_box_and_a_click_select_and_a_click_beside_selects_none(opened, session, sources, qtbot):
    scatter = opened("scatter", x="a", y="b")
    at = places(scatter)
    qtbot.keyClick(scatter, Qt.Key.Key_B)
    dragged(qtbot, scatter, at[0] + QPoint(-15, -15), at[1] + QPoint(15, 15))
    assert chosen(session, sources) == [0, 1]
    qtbot.mouseClick(scatter, Qt.MouseButton.LeftButton, pos=at[2])
    assert chosen(session, sources) == [2]
    qtbot.mouseClick(scatter, Qt.MouseButton.LeftButton, pos=at[0] + QPoint(0, 120))
    assert chosen(session, sources) == []


def test_escape_gives_a_lasso_up(opened, session, sources, qtbot):
    scatter = opened("scatter", x="a", y="b")
    at = places(scatter)
    scatter.take_tool("lasso")
    qtbot.mousePress(scatter, Qt.MouseButton.LeftButton, pos=at[0] + QPoint(-20, -20))
    qtbot.mouseMove(scatter, at[3] + QPoint(20, 20))
    qtbot.keyClick(scatter, Qt.Key.Key_Escape)
    qtbot.mouseRelease(scatter, Qt.MouseButton.LeftButton, pos=at[0])
    assert chosen(session, sources) == []


def test_a_selection_is_seen_in_its_colour(opened, session, sources):
    scatter = opened("scatter", x="a", y="b")
    session.run("catalog.select", data=sources, rows=[2])
    image, colour = scatter.grab(), QColor(session.subsets[selection_name(sources)].color)
    at = places(scatter)
    assert image.pixelColor(at[2]).rgb() == colour.rgb()
    assert image.pixelColor(at[1]).rgb() != colour.rgb()


def test_a_range_of_a_histogram_selects_rows(opened, session, sources, qtbot):
    histogram = opened("histogram", x="a", bins=3)
    scene = histogram.scene_now()
    assert scene.bars[0].counts.tolist() == [1, 1, 2]
    histogram.take_tool("box")
    start, end = (QPoint(round(float(scene.x.place(v))), round(scene.picture.center().y())) for v in (1.5, 3.5))
    dragged(qtbot, histogram, start, end)
    assert chosen(session, sources) == [1, 2]
    assert histogram.scene_now().bars[1].counts.tolist() == [0, 1, 1]


def test_bins_follow_the_rule_of_freedman_and_diaconis():
    values = np.random.default_rng(5).normal(size=8000)
    edges = bin_edges(values, None)
    width = 2 * np.subtract(*np.percentile(values, (75, 25))) / 20
    assert np.diff(edges)[0] <= width < np.diff(edges)[0] * (1 + 2 / (len(edges) - 1))
    assert edges[0] == values.min()
    assert edges[-1] == values.max()


def test_the_table_sorts_filters_and_hides_as_steps(opened, session, sources, qtbot):
    table = opened("table")
    header = table.rows.horizontalHeader()
    names = [column.name for column in table.model.columns]
    header.sectionClicked.emit(names.index("b"))
    qtbot.waitUntil(lambda: table.model.order.tolist() == [3, 2, 1, 0])
    header.sectionClicked.emit(names.index("b"))
    qtbot.waitUntil(lambda: table.model.order.tolist() == [0, 1, 2, 3])
    table.filter.setFocus()
    qtbot.keyClicks(table.filter, "a > 1.5")
    qtbot.keyClick(table.filter, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: table.model.order.tolist() == [1, 2, 3])
    assert "3 of 4 rows" in table.count.text()
    session.undo()
    qtbot.waitUntil(lambda: len(table.model.order) == 4)
    table.state.hidden = ("ra",)
    qtbot.waitUntil(lambda: table.rows.isColumnHidden(names.index("ra")))


def test_a_condition_that_cannot_be_used_is_told_and_changes_nothing(opened, session, sources, qtbot):
    table, heard = opened("table"), []
    session.noticed.connect(lambda level, text: heard.append(text))
    table.filter.setFocus()
    qtbot.keyClicks(table.filter, "nope > 1")
    qtbot.keyClick(table.filter, Qt.Key.Key_Return)
    assert "no column" in heard[0]
    assert table.state.filter == ""


def test_rows_chosen_in_the_table_are_selected_everywhere(opened, session, sources, qtbot):
    table = opened("table")
    table.rows.selectRow(2)
    qtbot.waitUntil(lambda: chosen(session, sources) == [2])


def green(colour):
    return colour.green() - colour.red() > 60


def test_rows_are_marked_on_images_and_a_click_selects_them(opened, session, sources, qtbot):
    opened("table")
    image = opened("image", data="field")
    qtbot.waitUntil(lambda: image.is_sharp)
    geometry, frame = image.geometry_now(), image.frame_now()
    x, y = geometry.to_screen(np.array([50.0]), np.array([50.0]))
    at = QPointF(float(x[0]), float(y[0])) + frame.picture.topLeft()
    edge = (at + QPointF(4.5, 0)).toPoint()
    qtbot.waitUntil(lambda: green(image.grab().pixelColor(edge)))
    qtbot.mouseClick(image, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert chosen(session, sources) == [1]
    image.state.catalog_marks = False
    session.run("catalog.deselect", data=sources)
    qtbot.waitUntil(lambda: not green(image.grab().pixelColor(edge)))


@pytest.mark.parametrize("kind", ["scatter", "histogram", "table"])
def test_views_are_drawn_into_files_without_their_controls(session, sources, tmp_path, kind, qtbot):
    view = session.view(kind, data=sources)
    path = session.render(view, tmp_path / "plot.png", size=(400, 300))
    image = QImage(str(path))
    assert (image.width(), image.height()) == (400, 300)
    assert len({image.pixelColor(x, y).rgb() for x in range(0, 400, 3) for y in range(0, 300, 3)}) > 3


def test_every_point_leaves_its_mark_however_many_there_are(qtbot):
    from PySide6.QtGui import QPainter

    for n in (200, 5000):
        rng = np.random.default_rng(n)
        x, y = rng.uniform(10, 390, (2, n))
        image = QImage(400, 400, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        painter = QPainter(image)
        draw_points(painter, x, y, "#ff0000", "dot", 5.0)
        painter.end()
        assert all(image.pixelColor(int(a), int(b)).red() > 100 for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("mark", ["circle", "dot", "square", "cross"])
def test_marks_drawn_as_pictures_are_where_and_as_their_outlines_are(qtbot, monkeypatch, mark, ratio):
    from PySide6.QtGui import QPainter

    from jviz.viewers.catalog import points

    rng = np.random.default_rng(7)
    x, y = (30.0 + 40 * v.ravel() + rng.uniform(-4, 4, 64) for v in np.mgrid[:8, :8])
    size = rng.choice([6.0, 9.0, 12.5], 64)
    drawn = []
    for outlines in (0, 1000):
        monkeypatch.setattr(points, "OUTLINES", outlines)
        image = QImage(340 * ratio, 340 * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(0)
        with QPainter(image) as painter:
            draw_points(painter, x, y, "#40ff80", mark, size, rim="#000000", opacity=0.8)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(340 * ratio, 340 * ratio, 4)
        drawn.append(rows[..., 3].astype(float))  # how opaque
    pictures, outlines = drawn
    for a, b in zip(x * ratio, y * ratio, strict=True):
        box = np.s_[int(b) - 18 * ratio : int(b) + 19 * ratio, int(a) - 18 * ratio : int(a) + 19 * ratio]
        light, other = pictures[box], outlines[box]
        assert light.sum() == pytest.approx(other.sum(), rel=0.06)
        for axis in (0, 1):
            where = [float((v.sum(axis) * np.arange(v.shape[1 - axis])).sum() / v.sum()) for v in (light, other)]
            assert abs(where[0] - where[1]) < 0.25  # a quarter of a pixel is told apart


def test_a_crowd_is_drawn_as_its_density(session, opened, qtbot):
    rng = np.random.default_rng(2)
    n = 3 * CROWD
    session.add(QTable({"p": rng.normal(size=n), "q": rng.normal(size=n)}), name="crowd")
    viewer = opened("scatter", data="crowd", x="p", y="q")
    image, scene = viewer.grab(), viewer.scene_now()
    middle = QPointF(float(scene.x.place(0.0)), float(scene.y.place(0.0))).toPoint()
    corner = scene.picture.topLeft().toPoint() + QPoint(9, 9)

    def ink(place):
        near = [image.pixelColor(place + QPoint(i, j)).redF() for i in range(-6, 7) for j in (-6, 6)]
        return np.mean(np.abs(np.subtract(near, ground)))

    ground = QColor(viewer.look.canvas).redF()
    assert ink(middle) > ink(corner) + 0.2


@pytest.mark.parametrize("width", [900, 420, 280])
def test_the_controls_of_a_plot_never_lie_on_each_other(opened, sources, qtbot, width):
    viewer = opened("scatter", x="a", y="b")
    viewer.resize(width, 500)
    qtbot.waitUntil(lambda: viewer.strip.width() == width)
    parts = [w for w in viewer.strip.findChildren(QWidget) if w.parent() is viewer.strip and w.isVisible()]
    assert len(parts) >= 10
    for number, one in enumerate(parts):
        assert one.geometry().right() <= width
        assert not any(one.geometry().intersects(other.geometry()) for other in parts[number + 1 :])
    assert viewer.scene_now().picture.top() > viewer.strip.height()


def whole_text(box):
    line = box.lineEdit()
    return line.fontMetrics().horizontalAdvance(line.text()) <= line.contentsRect().width() - 4


def test_names_of_columns_are_read_whole_in_the_boxes(opened, session, qtbot):
    names = ("residual_ra", "residual_dec", "finder_flux_abmag")
    session.add(QTable({name: np.arange(4.0) for name in names}), name="check")
    viewer = opened("scatter", data="check", x=names[0], y=names[1])
    for width in (700, 560):
        viewer.resize(width, 500)
        viewer.change("color_by", names[2])
        qtbot.waitUntil(lambda: viewer.boxes["color_by"].currentText() == names[2])
        qtbot.waitUntil(lambda: all(whole_text(viewer.boxes[name]) for name in ("x", "y", "color_by")))


def colours_in(viewer, left, right):
    image, scene = viewer.grab(), viewer.scene_now()
    column = int((left + right) / 2)
    rows = range(int(scene.picture.top()) + 3, int(scene.picture.bottom()) - 3, 4)
    return [image.pixelColor(column, row) for row in rows]


def test_a_bar_tells_what_colours_stand_for(opened, session, qtbot):
    rng = np.random.default_rng(1)
    table = QTable({"p": rng.normal(size=500), "q": rng.normal(size=500), "age": rng.uniform(2, 9, 500) * u.Gyr})
    session.add(table, name="stars")
    viewer = opened("scatter", data="stars", x="p", y="q")
    assert viewer.scene_now().bar is None
    plain = viewer.scene_now().picture.right()
    session.run("catalog.marks", color_by="age", colormap="viridis")
    scene = viewer.scene_now()
    assert scene.picture.right() < plain - 40
    low, high = np.percentile(table["age"].value, (1, 99))
    assert (scene.bar.low, scene.bar.high) == pytest.approx((low, high))
    assert scene.bar.title.text("") == "age (Gyr)"
    seen = colours_in(viewer, scene.picture.right() + 10, scene.picture.right() + 16)
    assert seen[0].red() > 200 > 150 > seen[0].blue()  # yellow above
    assert seen[-1].red() < 100
    session.run("catalog.marks", color_by="")
    assert viewer.scene_now().picture.right() == pytest.approx(plain)


@pytest.mark.parametrize("count", [400, 6_000, 30_000])
def test_colours_are_those_of_the_values_however_many_there_are(opened, session, qtbot, count):
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, count)
    session.add(QTable({"x": x, "y": rng.uniform(-1, 1, count), "value": x}), name="ramp")
    viewer = opened("scatter", data="ramp", x="x", y="y")
    session.run("catalog.marks", color_by="value", colormap="viridis", mark="dot", size=14)
    qtbot.waitUntil(lambda: not viewer.problem)
    scene, image = viewer.scene_now(), viewer.grab()
    ground = QColor(viewer.look.canvas)

    def median_colour(value):
        at = float(scene.x.place(value))
        rows = range(int(scene.picture.top()) + 20, int(scene.picture.bottom()) - 20)
        colours = [image.pixelColor(int(at) + d, row) for row in rows for d in (-1, 0, 1)]
        return np.median([(c.red(), c.green(), c.blue()) for c in colours if c != ground], axis=0)

    red, _, blue = median_colour(0.9)
    assert red > 150 > blue
    red, _, blue = median_colour(-0.9)
    assert red < 100 < blue + 60


def test_a_button_makes_an_axis_logarithmic(opened, sources, qtbot):
    viewer = opened("scatter", x="a", y="b")
    qtbot.mouseClick(viewer.switches["x_log"], Qt.MouseButton.LeftButton)
    assert viewer.state.x_log
    gaps = np.diff([place.x() for place in places(viewer)])  # a is 1, 2, 3, 4
    assert gaps[1] / gaps[0] == pytest.approx(np.log(1.5) / np.log(2), abs=0.01)


def test_a_long_expression_gets_the_wider_box_and_is_told_whole(opened, sources, qtbot):
    long = "sqrt((a - 2.5)**2 + (b - 2.5)**2)"
    viewer = opened("scatter", x="a", y=long)
    x, y = (viewer.boxes[name] for name in "xy")
    qtbot.waitUntil(lambda: y.width() > 1.5 * x.width())
    assert long in y.toolTip()


def test_the_time_of_a_light_curve_says_its_clock(opened, session):
    table = QTable({"time": [1.0, 2.0, 3.0] * u.d, "flux": [1.0, 1.1, 0.9]})
    table["time"].info.description = "BJD (TDB) − 2400000.5"
    session.add(table, name="curve")
    scene = opened("scatter", data="curve", x="time", y="flux").scene_now()
    assert scene.x_title.text("") == "BJD (TDB) − 2400000.5 (d)"
    assert scene.y_title.text("") == "flux"


def test_magnitudes_that_differ_by_rounding_make_no_colour(session):
    from jviz.catalogs import usual_axes

    mag = np.linspace(20, 25, 50)
    table = QTable({"inst_mag": mag, "ab_mag": mag + 6.4743682088, "other_mag": mag**1.01})
    assert usual_axes(session.add(table, name="two")) == ("inst_mag - other_mag", "other_mag")
    constant = session.add(QTable({"mag_a": [1.0, 2.0], "mag_b": [1.5, 2.5]}), name="constant")
    assert usual_axes(constant) == ("mag_a", "mag_b")


def test_many_rows_are_counted_in_a_job_and_files_wait_for_them(opened, session, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr("jviz.viewers.catalog.histogram.MANY", 100)
    values = np.random.default_rng(1).normal(0, 1, 5000)
    session.add(QTable({"a": values}), name="rows")
    jobs = len(session.jobs.all)
    histogram = opened("histogram", data="rows", x="a", bins=10)
    histogram.scene_now()
    assert len(session.jobs.all) == jobs + 1

    def pumped(condition):
        session.dispatcher.drain()
        return condition()

    qtbot.waitUntil(lambda: pumped(lambda: bool(histogram.scene_now().bars)))
    assert histogram.scene_now().bars[0].counts.tolist() == np.histogram(values, 10)[0].tolist()
    histogram.state.bins = 20
    # the old counts stay until the new ones are there
    assert len(histogram.scene_now().bars[0].counts) == 10
    qtbot.waitUntil(lambda: pumped(lambda: len(histogram.scene_now().bars[0].counts) == 20))
    session.run("catalog.select", data="rows", expression="a > 0")
    qtbot.waitUntil(lambda: pumped(lambda: len(histogram.scene_now().bars) == 2))
    histogram.state.filter = "nothing > 0"
    qtbot.waitUntil(lambda: pumped(lambda: "no column 'nothing'" in (histogram.scene_now(), histogram.problem)[1]))
    histogram.state.update(filter="", bins=5)
    session.render(histogram.state, tmp_path / "counts.png", size=(400, 300))
    image = QImage(str(tmp_path / "counts.png"))
    colours = {image.pixelColor(x, y).name() for x in range(60, 390, 3) for y in range(20, 250, 3)}
    assert len(colours) > 3


def test_many_points_are_worked_out_in_a_job(opened, session, qtbot):
    n = 150_000
    rng = np.random.default_rng(5)
    data = session.add(QTable({"a": rng.normal(size=n), "b": rng.normal(size=n)}), name="many")
    viewer = opened("scatter", data="many", x="a", y="b - a")
    qtbot.waitUntil(lambda: viewer.is_sharp and len(viewer.scene_now().clouds) == 1)
    assert viewer.problem == ""
    viewer.state.update(x="b + a", filter="a > 1")
    old = viewer.scene_now().clouds[0]
    assert old.x.label == "a"  # until the others are there
    qtbot.waitUntil(lambda: viewer.scene_now().clouds[0].x.label == "b + a")
    viewer.take_tool("box")
    picture = viewer.scene_now().picture.toRect()
    dragged(qtbot, viewer, picture.topLeft(), picture.bottomRight())
    assert chosen(session, data) == np.flatnonzero(data.columns["a"].values > 1).tolist()
    viewer.state.update(y="nothing")
    qtbot.waitUntil(lambda: "nothing" in viewer.problem)
    assert viewer.is_sharp


@pytest.mark.parametrize("unit", [u.Jy, u.one])
def test_headers_of_tables_are_as_large_as_qt_makes_them(session, qtbot, unit):
    """They look at their largest section alone; Qt looks at all of the first hundred."""
    table = QTable({"number of the star": np.arange(90), "flux": np.arange(90.0) * unit})
    session.add(table, name="stars")
    viewer = TableViewer(session, session.view("table", data="stars"))
    qtbot.addWidget(viewer)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.has_painted)
    rows = np.zeros(90, bool)
    for header in (viewer.rows.verticalHeader(), viewer.rows.horizontalHeader()):
        assert header.count() in (90, 2)
        assert header.sizeHint().height() == QHeaderView.sizeHint(header).height()
    assert viewer.rows.verticalHeader().sizeHint() == QHeaderView.sizeHint(viewer.rows.verticalHeader())
    plain = viewer.rows.verticalHeader().sizeHint()
    icon = QPixmap(12, 12)
    rows[3] = True
    viewer.model.badge(rows, QIcon(icon), "here")
    assert viewer.model.widest_rows() == [89, 3]
    assert viewer.rows.verticalHeader().sizeHint() == QHeaderView.sizeHint(viewer.rows.verticalHeader())
    assert viewer.rows.verticalHeader().sizeHint().width() >= plain.width()
    viewer.model.set_order(np.array([88, 3, 7]))
    assert viewer.model.widest_rows() == [0, 1]
    viewer.model.set_order(np.arange(0))
    assert viewer.model.widest_rows() == []

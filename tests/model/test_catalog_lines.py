"""Lines over plots in the model: functions and tracks as state, undone, saved, in scripts; fits of histograms."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

import jviz
from jviz.catalog_lines import lines_of, track_places
from jviz.errors import JvizError


@pytest.fixture
def plot(session):
    rng = np.random.default_rng(1)
    stars = QTable({"F115W": rng.normal(25, 1, 500), "F200W": rng.normal(24, 1, 500)})
    session.add(stars, name="stars")
    blue, red = [1.0, 2.0, 1.5, 2.5] * u.mag, [0.5, 1.0, 0.7, 1.2] * u.mag
    track = {"logAge": [9.0, 9.0, 10.0, 10.0], "F115Wmag": blue, "F200Wmag": red}
    session.add(QTable(track), name="parsec")
    return session.run("catalog.scatter", data="stars", x="F115W - F200W", y="F200W")


def test_a_track_takes_the_columns_of_the_plots_filters_and_leaves_the_catalogue_active(session, plot):
    session.run("catalog.add_track", data="parsec", distance_modulus=24.5, reddening=0.1)
    layer = plot.layers[1]
    assert (layer.x, layer.y, layer.drawing) == ("F115Wmag - F200Wmag", "F200Wmag", "line")
    assert plot.data is session["stars"]
    x, y = track_places(plot, layer)
    known = dict(layer.extinction)
    assert np.allclose(y[:2], np.array([25.0, 25.5]) + 0.1 * known["F200Wmag"])
    assert np.allclose(x[:2], np.array([0.5, 1.0]) + 0.1 * (known["F115Wmag"] - known["F200Wmag"]))
    session.undo()
    assert len(plot.layers) == 1
    session.redo()
    assert [line.title for line in lines_of(plot)] == ["parsec"]


def test_lines_survive_a_saved_session_and_a_script(session, plot, tmp_path):
    session.add(QTable({"logAge": [9.0, 9.0], "F115Wmag": [1.0, 2.0], "F200Wmag": [0.5, 1.0]}), name="other")
    session.run("catalog.add_track", data="parsec", condition="logAge == 9", distance_modulus=24.0, color="#ff8800")
    session.run("catalog.add_function", expression="x = 0.5 * y - 10")
    plot.layers[1].update(reddening=0.3)
    session.flush()
    session.save(tmp_path / "work.jviz")
    again = jviz.Session.load(tmp_path / "work.jviz")
    namespace = {}
    exec(session.script(), namespace)
    third = namespace["session"]
    try:
        for other in (again, third):
            view = other.views[plot.name]
            assert [(line.title, line.color) for line in lines_of(view)] == [
                ("parsec, logAge == 9", "#ff8800"), ("x = 0.5 * y - 10", "")]  # fmt: skip
            assert view.layers[1].reddening == 0.3
            drawn = [track_places(one, one.layers[1]) for one in (view, plot)]
            assert np.array_equal(*drawn, equal_nan=True)
    finally:
        again.close()
        third.close()


def test_lines_are_removed_by_their_number_and_undo_brings_them_back(session, plot):
    session.run("catalog.add_function", expression="24 - x")
    session.run("catalog.add_track", data="parsec")
    assert [line.title for line in lines_of(plot)] == ["parsec", "24 - x"]
    session.run("catalog.remove_line", number=0)
    assert [line.title for line in lines_of(plot)] == ["24 - x"]
    assert plot.data is session["stars"]
    session.run("catalog.remove_line", number=0)
    assert lines_of(plot) == []
    session.undo()
    session.undo()
    assert [line.title for line in lines_of(plot)] == ["parsec", "24 - x"]
    with pytest.raises(JvizError, match="no line 5"):
        session.run("catalog.remove_line", number=5)


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [("track", {"x": "nothing"}, "no column 'nothing'"), ("track", {"condition": "logAge == 3"}, "No row of parsec"),
     ("track", {"distance_modulus": 100}, "distance modulus"),
     ("function", {"expression": "x", "color": "reddish"}, "no colour")],
)  # fmt: skip
def test_a_line_that_cannot_be_drawn_is_refused_and_nothing_changes(session, plot, command, arguments, said):
    if command == "track":
        arguments = {"data": "parsec", **arguments}
    with pytest.raises(JvizError, match=said):
        session.run(f"catalog.add_{command}", **arguments)
    assert len(plot.layers) == 1
    assert lines_of(plot) == []


def test_a_plot_without_filters_asks_for_expressions(session, plot):
    view = session.run("catalog.scatter", data="stars", x="F115W", y="F115W**2")
    session.add(QTable({"a": [1.0, 2.0], "b": [3.0, 4.0]}), name="curve")
    with pytest.raises(JvizError, match="give x="):
        session.run("catalog.add_track", data="curve", view=view)
    session.run("catalog.add_track", data="curve", view=view, x="a", y="b")
    with pytest.raises(JvizError, match="No filter of curve is known"):
        session.run("catalog.add_track", data="curve", view=view, x="a", y="b", reddening=0.1)
    session.run("catalog.add_track", data="curve", view=view, x="a", y="b", reddening=0.1, extinction={"b": 3.0})
    assert np.allclose(track_places(view, view.layers[-1])[1], [3.3, 4.3])


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("model", ["gaussian", "lognormal"])
def test_a_fitted_histogram_is_drawn_through_the_counts(session, model, log):
    from jviz.backend.catalogs.histograms import bin_edges, counted
    from jviz.backend.catalogs.tracks import curve_of

    rng = np.random.default_rng(5)
    n = 400_000
    values = rng.normal(10, 1, n) if model == "gaussian" else 10 ** rng.normal(0.5, 0.1, n)
    session.add(QTable({"a": values * u.m}), name="rows")
    view = session.run("catalog.histogram", data="rows", x="a", bins=300)
    view.x_log = log
    table = session.run("catalog.fit_histogram", view=view, model=model)
    truth = (10, 1) if model == "gaussian" else (0.5, 0.1)
    assert abs(table["rows"][0] - n) < 4 * table["rows_err"][0]
    for name, value in zip(("centre", "sigma"), truth, strict=True):
        assert abs(table[name][0].value - value) < 4 * table[f"{name}_err"][0].value
        assert table[name].unit == ("m" if model == "gaussian" else "dex")
    edges = bin_edges(values, 300, log)
    counts = counted(values, edges)
    middle = np.sqrt(edges[1:] * edges[:-1]) if log else (edges[1:] + edges[:-1]) / 2
    drawn = curve_of(view.functions[0][0], middle)[1]
    many = counts > 1000
    assert np.allclose(drawn[many], counts[many], rtol=0.15)
    assert abs(drawn[many].sum() / counts[many].sum() - 1) < 0.01
    session.undo()
    assert view.functions == ()


def test_what_is_no_count_is_not_fitted(session, plot):
    view = session.run("catalog.histogram", data="stars", x="F200W")
    view.cumulative = True
    with pytest.raises(JvizError, match="neither cumulative nor normalised"):
        session.run("catalog.fit_histogram", view=view)

"""Catalogues in the model: selections, columns, rows as data and regions, places on images, undo and scripts."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS

import jviz
from jviz.catalogs import places_on, row_places, selection_name, usual_axes

N = 60


@pytest.fixture
def image(session):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [50.0, 50.0]
    wcs.wcs.cdelt = [-1e-4, 1e-4]
    return session.add(CCDData(np.zeros((100, 100), np.float32), unit="Jy", wcs=wcs), name="field")


@pytest.fixture
def sources(session, image):
    rng = np.random.default_rng(7)
    x, y = rng.uniform(0, 99, (2, N))
    lon, lat = image.sky.pixel_to_sky(x, y)
    mag = rng.uniform(20, 26, N)
    table = QTable(
        {"id": np.arange(N), "ra": lon * u.deg, "dec": lat * u.deg, "F115W": mag, "F115W_err": 0.01 * mag,
         "F200W": mag - rng.normal(0.5, 0.2, N), "F200W_err": np.full(N, 0.05), "kind": np.where(mag < 23, "a", "b")},
        meta={"truth": 1},
    )  # fmt: skip
    data = session.add(table, name="sources")
    return data, x, y, table


def test_rows_lie_where_the_wcs_says(sources, image):
    data, x, y, _ = sources
    found = places_on(data, image)
    assert np.allclose(found[0], x, atol=1e-6)
    assert np.allclose(found[1], y, atol=1e-6)


def test_many_rows_are_placed_in_a_job(session, image, sources, monkeypatch):
    data, x, _, _ = sources
    monkeypatch.setattr("jviz.catalogs.SOON", 5)
    store, heard = row_places(session), []
    store.arrived.connect(lambda: heard.append(1))
    assert store.of(data, image) is None
    while not heard:
        for job in session.jobs.running:
            job.result(10)
        session.dispatcher.drain()
    assert np.allclose(store.of(data, image)[0], x, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "combine"),
    [("or", np.logical_or), ("and", np.logical_and), ("xor", np.logical_xor), ("andnot", lambda a, b: a & ~b)],
)
def test_selections_combine_as_sets(session, sources, mode, combine):
    data, _, _, table = sources
    first, second = np.asarray(table["F115W"]) < 23, np.asarray(table["F200W"]) > 21
    session.run("catalog.select", data=data, expression="F115W < 23")
    session.run("catalog.select", data=data, rows=second, mode=mode)
    found = session.subsets[selection_name(data)]
    assert np.array_equal(found.region, combine(first, second))
    session.undo()
    assert np.array_equal(session.subsets[selection_name(data)].region, first)
    session.undo()
    assert not session.subsets


def test_rows_inside_a_region_on_the_sky(session, sources):
    from regions import CirclePixelRegion, PixCoord

    data, x, y, _ = sources
    session.subset("core", CirclePixelRegion(PixCoord(50, 50), 20), data="field")
    found = session.run("catalog.select", data=data, region="core")
    assert np.array_equal(found.region, np.hypot(x - 50, y - 50) < 20)


def test_a_new_column_has_its_error_and_undo_takes_it_back(session, sources):
    data, _, _, table = sources
    view = session.view("table", data=data)
    session.run("catalog.select", data=data, rows=[1, 2])
    made = session.run("catalog.add_column", data=data, name="colour", expression="F115W - F200W")
    assert np.allclose(made.table["colour"], table["F115W"] - table["F200W"])
    assert np.allclose(made.table["colour_err"], np.hypot(table["F115W_err"], table["F200W_err"]))
    assert view.data is made
    assert session["sources"] is made
    assert session.subsets[selection_name(made)].data is made
    with pytest.raises(jviz.JvizError, match=r"was replaced since; use its name, or session\['sources'\]"):
        session.run("catalog.statistics", data=data)
    session.undo()
    assert view.data is data
    assert "colour" not in session["sources"].table.colnames


def test_columns_are_renamed_given_units_and_left_out(session, sources):
    session.run("catalog.edit_column", data="sources", column="F115W", rename="m115", unit="mag")
    assert session["sources"].table["m115"].unit == u.mag
    session.run("catalog.edit_column", data="sources", column="kind", remove=True)
    assert "kind" not in session["sources"].table.colnames
    assert session["sources"].table.meta["truth"] == 1


def test_selected_rows_become_a_catalogue_and_regions(session, sources):
    data, _, _, table = sources
    session.run("catalog.select", data=data, rows=[3, 5])
    rows = session.run("catalog.rows", data=data)
    assert rows.table["id"].tolist() == [3, 5]
    made = session.run("catalog.to_regions", data=data, radius=2.0, label="id")
    from regions import Regions

    circles = made.get(Regions)
    assert [c.meta["text"] for c in circles] == ["3", "5"]
    assert np.isclose(circles[0].center.ra.deg, table["ra"][3].value, atol=1e-10)
    assert circles[0].radius == 2 * u.arcsec


def test_statistics_are_those_of_numpy(session, sources):
    found = session.run("catalog.statistics", data="sources")
    row = found[list(found["column"]).index("F115W")]
    values = np.asarray(sources[3]["F115W"])
    assert row["n"] == N
    assert np.isclose(row["mean"], values.mean())
    assert np.isclose(row["std"], values.std(ddof=1))
    assert np.isclose(row["median"], np.median(values))


def test_plots_begin_with_a_colour_and_a_magnitude(session, sources):
    assert usual_axes(sources[0]) == ("F115W - F200W", "F200W")
    view = session.run("catalog.scatter", data="sources")
    assert (view.x, view.y, view.x_inverted) == ("F115W - F200W", "F200W", False)


def test_a_script_repeats_selections_and_columns(session, sources, tmp_path):
    path = tmp_path / "sources.ecsv"
    sources[3].write(path)
    other = jviz.Session()
    try:
        other.open(path)
        other.run("catalog.add_column", data="sources", name="c", expression="F115W - F200W")
        other.run("catalog.select", data="sources", expression="c > 0.5")
        script = other.script()
        space = {}
        exec(compile(script, "script", "exec"), space)
        again = space["session"]
        name = selection_name(again["sources"])
        assert np.array_equal(again.subsets[name].region, other.subsets[name].region)
        assert np.array_equal(again["sources"].table["c"], other["sources"].table["c"])
        again.close()
    finally:
        other.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "Say which rows"),
        ({"rows": [60]}, "rows 0 to 59"),
        ({"rows": np.ones(3, bool)}, "60 rows"),
        ({"expression": "F11W < 2"}, "did you mean"),
        ({"region": "nothing"}, "no subset"),
    ],
)
def test_what_cannot_be_selected_is_told_and_nothing_changes(session, sources, arguments, words):
    with pytest.raises(jviz.CommandError, match=words):
        session.run("catalog.select", data="sources", **arguments)
    assert not session.subsets


def test_what_cannot_be_done_with_columns_is_told(session, sources):
    for id, arguments, words in (
        ("catalog.add_column", {"name": "", "expression": "F115W"}, "needs a name"),
        ("catalog.add_column", {"name": "x", "expression": "F115W", "unit": "blob"}, "no unit"),
        ("catalog.edit_column", {"column": "nope"}, "no column"),
        ("catalog.edit_column", {"column": "F115W", "rename": "F200W"}, "already"),
        ("catalog.rows", {}, "select some first"),
    ):
        with pytest.raises(jviz.CommandError, match=words):
            session.run(id, data="sources", **arguments)


def test_a_mask_of_rows_is_a_subset_by_the_api_too(session, sources, tmp_path):
    data, _, _, table = sources
    mask = np.asarray(table["F115W"]) < 22
    session.subset("bright", mask, data="sources")
    assert session.subsets["bright"].kind == "mask"
    rows = session.run("catalog.rows", data=data, subset="bright")
    assert len(rows) == mask.sum()
    with pytest.raises(jviz.CommandError, match="does not fit"):
        session.subset("bad", mask[:5], data="sources")
    assert data.shape == (N,)
    table.write(tmp_path / "rows.fits")
    [read] = session.open(tmp_path / "rows.fits")
    assert read.shape == (N,)


def test_selected_rows_are_written_as_a_ds9_file_in_one_step(session, sources, tmp_path):
    from regions import Regions

    data, x, _, _ = sources
    chosen = np.array([3, 5, 8])
    session.run("catalog.select", data=data, rows=chosen)
    steps = len(session.history)
    path = session.run("catalog.export_regions", data=data, path=tmp_path / "few.reg", radius=0.5, label="id")
    found = Regions.read(path, format="ds9")
    assert [str(region.meta["text"]) for region in found] == ["3", "5", "8"]
    assert np.allclose([r.center.ra.deg for r in found], data.places.x[chosen], atol=1e-7)
    assert np.allclose([r.radius.to_value("arcsec") for r in found], 0.5)
    assert session.subsets[selection_name(data)].color in path.read_text()
    assert len(session.history) == steps
    whole = session.run("catalog.export_regions", data=data, path=tmp_path / "all.reg", everything=True)
    assert len(Regions.read(whole, format="ds9")) == len(x)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({}, "No row is selected"), ({"everything": True, "radius": 0}, "makes no circle"),
     ({"everything": True, "label": "nothing"}, "no column 'nothing'")],
)  # fmt: skip
def test_an_export_that_cannot_be_made_leaves_no_file(session, sources, tmp_path, arguments, said):
    with pytest.raises(jviz.JvizError, match=said):
        session.run("catalog.export_regions", data="sources", path=tmp_path / "none.reg", **arguments)
    assert list(tmp_path.glob("*.reg")) == []


def test_the_number_of_selected_rows_is_told(session, sources):
    data, said = sources[0], []
    session.noticed.connect(lambda level, text: said.append((level, text)))
    session.run("catalog.select", data=data, rows=[0, 2])
    assert said == [("status", f"2 of {len(data)} rows of {data.name} selected")]


def test_the_look_of_marks_is_chosen_undone_and_repeated(session, sources):
    table, plot = session.view("table", data="sources"), session.view("scatter", data="sources")
    session.run("catalog.marks", view=table, mark="square", size=14, size_by="F115W", label="id")
    assert (table.layer.mark, table.layer.size, table.layer.size_by, table.layer.label) == ("square", 14, "F115W", "id")
    assert plot.layer.mark == "circle"
    session.run("catalog.marks", color_by="F115W - F200W", opacity=0.5)  # of the newest: the plot
    assert (plot.layer.color_by, plot.layer.opacity, table.layer.color_by) == ("F115W - F200W", 0.5, "")
    session.run("catalog.marks", color_by="")
    assert plot.layer.color_by == ""
    session.undo()
    assert plot.layer.color_by == "F115W - F200W"
    session.undo()
    session.undo()
    assert table.layer.mark == "circle"
    session.redo()
    assert sum("catalog.marks" in line for line in session.script().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"mark": "star"}, "star"), ({"size": 0}, "size"), ({"color_by": "nothing + 1"}, "nothing"),
     ({"label": "nothing"}, "no column 'nothing'"), ({"opacity": 2}, "opacity")],
)  # fmt: skip
def test_looks_that_there_are_none_of_are_said(session, sources, arguments, said):
    view = session.view("scatter", data="sources")
    with pytest.raises(jviz.JvizError, match=said):
        session.run("catalog.marks", view=view, size=arguments.pop("size", 5), **arguments)
    assert view.layer.size == 9


def test_without_a_table_there_are_no_marks(session, sources):
    with pytest.raises(jviz.JvizError, match="Open a table"):
        session.run("catalog.marks", mark="dot")

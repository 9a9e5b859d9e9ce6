"""Matching two catalogues: against astropy's own, one row once, by pixels and names, what cannot be matched."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.table import MaskedColumn, QTable

import jviz
from jviz import CommandError
from jviz.backend.catalogs.matching import Pairs, match_names, match_places, one_to_one
from jviz.data import Catalog
from tests.backend.regions.skies import sip_wcs


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    draw = np.random.default_rng(4)
    ra, dec = (359.99 + draw.uniform(0, 0.02, 800)) % 360, 60 + draw.uniform(0, 0.01, 800)
    turn = draw.permutation(800)[:600]
    shift = draw.normal(0, 0.05, (2, 600)) / 3600
    other = QTable({
        "id": turn, "ra": ((ra[turn] + shift[0] / np.cos(np.radians(dec[turn]))) % 360) * u.deg,
        "dec": (dec[turn] + shift[1]) * u.deg, "z": turn * 1.0,
    })  # fmt: skip
    session.add(QTable({"id": np.arange(800), "ra": ra * u.deg, "dec": dec * u.deg}), name="one")
    session.add(other, name="two")
    yield session
    session.close()


def test_the_same_pairs_as_astropys_across_the_zero_of_right_ascension(session):
    found = session.run("catalog.match", a="one", b="two", radius=0.3)
    assert isinstance(found, Catalog)
    table = found.table
    one, two = (SkyCoord(session[n].table["ra"], session[n].table["dec"]) for n in ("one", "two"))
    which, separation, _ = two.match_to_catalog_sky(one)
    near = separation < 0.3 * u.arcsec
    wanted = set(zip(which[near].tolist(), session["two"].table["id"][near].tolist(), strict=True))
    got = set(zip(table["id_1"].tolist(), table["id_2"].tolist(), strict=True))
    assert len(got - wanted) <= 6
    assert len(got) > 580
    right = table["id_1"] == table["id_2"]
    assert right.mean() > 0.99
    first, second = SkyCoord(table["ra_1"], table["dec_1"]), SkyCoord(table["ra_2"], table["dec_2"])
    np.testing.assert_allclose(table["separation"].to_value("arcsec"), first.separation(second).arcsec, rtol=1e-4,
                               atol=1e-6)  # fmt: skip
    length = np.hypot(table["delta_ra"], table["delta_dec"])
    np.testing.assert_allclose(length.to_value("arcsec"), table["separation"].to_value("arcsec"), rtol=1e-3, atol=1e-5)
    assert ((table["quality"] > 0.5) & (table["quality"] <= 1)).all()
    session.undo()
    assert session.names == ["one", "two"]


def test_all_rows_are_matched_or_left(session):
    matched = len(session.run("catalog.match", a="one", b="two", radius=0.3))
    only_a = len(session.run("catalog.match", a="one", b="two", radius=0.3, rows="only a"))
    only_b = session.run("catalog.match", a="two", b="one", radius=0.05, rows="only a")
    assert matched + only_a == 800
    assert only_b.name == "two not in one"


def test_names_match_whatever_their_order(session):
    table = session.run("catalog.match", a="one", b="two", by="id").table
    assert len(table) == 600
    np.testing.assert_array_equal(table["id_1"], table["id_2"])
    pairs = match_names(np.array(["a", "b ", "c"]), np.array(["b", "b", "d"]))
    assert pairs.first.tolist() == [1, 1]
    assert pairs.second.tolist() == [0, 1]


def test_rows_without_a_name_match_nothing_and_numbers_match_in_any_type(session):
    """The value that a table keeps under a mask may be the id of another row."""
    gaps = QTable({"id": MaskedColumn([5, 7, 9], mask=[False, True, False]), "x": [1.0, 2, 3]})
    whole = QTable({"id": [7, 9, 5], "y": [1.0, 2, 3]})
    session.add(gaps, name="gaps")
    session.add(whole, name="whole")
    found = session.run("catalog.match", a="gaps", b="whole", by="id", keep="all").table
    assert found["id_1"].tolist() == found["id_2"].tolist() == [5, 9]
    floats = match_names(np.array([5.0, np.nan, 9.0]), np.array([9, 5, 0]))
    assert list(zip(floats.first.tolist(), floats.second.tolist(), strict=True)) == [(0, 1), (2, 0)]
    assert len(match_names(np.array([np.nan, np.nan]), np.array([np.nan]))) == 0
    assert len(match_names(np.array(["", " ", "a"]), np.array(["", "b"]))) == 0
    assert match_names(np.array([None, "a"], object), np.array(["a", None], object)).first.tolist() == [1]
    assert match_names(np.array([7, 8]), np.array(["8", "x"])).first.tolist() == [1]


def test_best_takes_each_row_once_and_the_nearest_first():
    first, second = np.array([[0.0, 0], [1.0, 0], [9, 9]]), np.array([[0.9, 0], [2.5, 0], [np.nan, 0]])
    pairs = match_places(first, second, 3.0)
    assert len(pairs) == 4
    assert pairs.candidates.tolist() == [2, 2, 2, 2]
    best = one_to_one(pairs)
    assert list(zip(best.first.tolist(), best.second.tolist(), strict=True)) == [(0, 1), (1, 0)]


def test_quality_is_the_chance_of_no_stranger_as_near():
    draw = np.random.default_rng(6)
    points, strangers = draw.uniform(20, 980, (3000, 2)), draw.uniform(0, 1000, (4000, 2))
    pairs = match_places(points, strangers, 60.0)
    nearest: Pairs = pairs[np.unique(pairs.first, return_index=True)[1]]
    # of unrelated points the chance is as often below p as p says
    for p in (0.25, 0.5, 0.75):
        assert (nearest.quality < p).mean() == pytest.approx(p, abs=0.06)


def test_pixels_and_the_sky_meet_on_an_image(session):
    session.add(CCDData(np.zeros((200, 200)), unit="Jy", wcs=sip_wcs(size=200)), name="image")
    x, y = np.random.default_rng(1).uniform(0, 199, (2, 50))
    lon, lat = session["image"].sky.pixel_to_sky(x, y)
    session.add(QTable({"x": x, "y": y}), name="pixels")
    session.add(QTable({"ra": lon * u.deg, "dec": lat * u.deg}), name="stars")
    for by, radius in (("sky", 0.01), ("pixel", 0.1)):
        found = session.run("catalog.match", a="pixels", b="stars", radius=radius, by=by, image="image")
        assert len(found) == 50
        assert found.table["separation"].value.max() < 1e-3
    with pytest.raises(CommandError, match="positions on pixels only"):
        session.run("catalog.match", a="pixels", b="stars")


@pytest.mark.parametrize(("options", "words"), [
    ({"radius": 0}, "above 0"), ({"radius": 1e-9}, "No row of one matches"), ({"b": "one"}, "with itself"),
    ({"by": "id", "column": "nope"}, "no column nope"), ({"suffixes": ("_1", "_1")}, "suffixes"),
])  # fmt: skip
def test_bad_input_is_said_in_words(session, options, words):
    with pytest.raises(CommandError, match=words):
        session.run("catalog.match", **({"a": "one", "b": "two"} | options))
    assert session.names == ["one", "two"]


def test_matches_by_chance_are_counted_and_told(session):
    made = session.run("catalog.match", a="one", b="two", radius=0.3)
    table, said = made.table, []
    right = table["id_1"] == table["id_2"]
    expected = table.meta["false_matches"]
    assert abs(expected - (~right).sum()) < 4 * max(table.meta["false_matches_err"], 1)
    assert ((table["false_share"] >= 0) & (table["false_share"] <= 1)).all()
    session.noticed.connect(lambda level, text: said.append(text))
    session.run("catalog.match", a="one", b="two", radius=0.2)
    assert any("expected by chance" in text for text in said)
    assert "false_matches" not in session.run("catalog.match", a="one", b="two", by="id").table.meta

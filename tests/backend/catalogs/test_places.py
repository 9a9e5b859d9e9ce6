"""Positions of rows by the columns of many catalogues, density of points and what a lasso holds."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jviz.backend.catalogs import crowd
from jviz.backend.catalogs.columns import columns_of
from jviz.backend.catalogs.places import places_of, position_columns
from jviz.backend.render import kernels


def found(table):
    return places_of(table, {c.name: c for c in columns_of(table)})


@pytest.mark.parametrize(
    ("names", "unit"),
    [(("RA", "DEC"), u.deg), (("_RAJ2000", "_DEJ2000"), u.deg), (("ALPHA_J2000", "DELTA_J2000"), u.deg)],
)
def test_sky_columns_are_known_by_name(names, unit):
    table = QTable({names[0]: [10.0, 20.0] * unit, names[1]: [-5.0, 5.0] * unit, "x": [1.0, 2.0], "y": [3.0, 4.0]})
    places = found(table)
    assert places.system == "sky"
    assert places.x.tolist() == [10.0, 20.0]
    assert places.y.tolist() == [-5.0, 5.0]


def test_radians_and_coordinates_and_galactic_columns_become_icrs_degrees():
    centre = SkyCoord([266.4, 83.6] * u.deg, [-29.0, 22.0] * u.deg)
    radians = found(QTable({"ra": centre.ra.to(u.rad), "dec": centre.dec.to(u.rad)}))
    galactic = found(QTable({"glon": centre.galactic.l, "glat": centre.galactic.b}))
    mixin = found(QTable({"sky_centroid": centre.galactic, "x": [0.0, 1.0], "y": [0.0, 1.0]}))
    for places in (radians, galactic, mixin):
        assert np.allclose(places.x, centre.ra.deg, atol=1e-9)
        assert np.allclose(places.y, centre.dec.deg, atol=1e-9)


def test_sextractor_counts_pixels_from_one():
    assert found(QTable({"X_IMAGE": [1.0], "Y_IMAGE": [5.0]})).y[0] == 4.0
    assert found(QTable({"xcentroid": [1.0], "ycentroid": [5.0]})).y[0] == 5.0


def test_a_table_without_positions_has_none():
    assert found(QTable({"mag": [1.0]})) is None


@pytest.fixture(params=[False, True], ids=["numpy", "compiled"])
def compiled(request, monkeypatch):
    if request.param:
        kernels.warm_up()
    monkeypatch.setattr(kernels, "ready", request.param)
    return request.param


def test_every_point_in_the_picture_is_counted_once(compiled):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-10, 110, 5000), rng.uniform(-10, 60, 5000)
    x[:5] = np.nan
    counts = crowd.density(x, y, 100, 50)
    expected, _, _ = np.histogram2d(y[5:], x[5:], bins=(50, 100), range=((0, 50), (0, 100)))
    assert np.array_equal(counts, expected)
    chosen, half = rng.random(5000) < 0.3, np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]])
    expected, _, _ = np.histogram2d(
        y[5:][chosen[5:]] / 2, x[5:][chosen[5:]] / 2, bins=(50, 100), range=((0, 50), (0, 100))
    )
    assert np.array_equal(crowd.density(x, y, 100, 50, to=half, rows=chosen), expected)
    count, numbers = crowd.in_sight(x, y, (0, 0, 100, 50), 10)
    assert count == counts.sum()
    assert len(numbers) == 10
    assert numbers.tolist() == np.flatnonzero((x >= 0) & (x <= 100) & (y >= 0) & (y <= 50))[:10].tolist()


def test_each_pixel_has_the_mean_of_its_points(compiled):
    rng = np.random.default_rng(4)
    x, y, numbers = rng.uniform(-5, 45, 3000), rng.uniform(-5, 35, 3000), rng.integers(-1, 32, 3000)
    x[:3], rows = np.nan, rng.random(3000) < 0.7
    half = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]])
    for to, scale, taken in ((crowd.AS_GIVEN, 1, None), (half, 2, rows)):
        good = (numbers >= 0) & np.isfinite(x) & (True if taken is None else taken)
        at = np.floor(y[good] / scale), np.floor(x[good] / scale)
        found = crowd.means(x, y, numbers, 40, 30, to=to, rows=taken)
        for row in range(30):
            for column in range(40):
                own = numbers[good][(at[0] == row) & (at[1] == column)]
                # halves are rounded up
                assert found[row, column] == (np.floor(own.mean() + 0.5) + 1 if len(own) else 0)


def test_stamps_cover_what_they_cover_most_and_the_last_wins(compiled):
    stamp = np.array([[0, 100, 0], [100, 255, 100], [0, 100, 0]], np.uint8)
    column, row, numbers = np.array([0, 1, 5]), np.array([0, 0, 2]), np.array([3, 7, 1])
    made = crowd.stamped(column, row, stamp, 9, 6, numbers)
    assert made[1, 1] == 3 * 256 + 255  # its middle: the side of the next covers less
    assert made[1, 2] == 7 * 256 + 255
    assert made[1, 0] == 3 * 256 + 100
    assert made[0, 2] == 7 * 256 + 100
    assert (made > 0).sum() == 8 + 5
    assert np.array_equal(crowd.stamped(column, row, stamp, 9, 6) % 256, made % 256)
    with pytest.raises(ValueError, match="beyond the picture"):
        crowd.stamped(column, row, stamp, 7, 6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(3, 12), st.integers(0, 2**32 - 1))
def test_a_lasso_holds_what_winding_says(compiled, corners, seed):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    outline = np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(0.2, 1.0, (corners, 1))
    if seed % 2:
        outline = rng.uniform(-1.3, 1.3, (corners, 2))  # crosses itself
    x, y = rng.uniform(-1.2, 1.2, (2, 300))
    # another way: the angle that each edge is seen under adds up to a whole turn inside
    first = outline[None] - np.stack([x, y], axis=1)[:, None]
    second = np.roll(first, -1, axis=1)
    cross = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    turn = np.arctan2(cross, (first * second).sum(axis=-1)).sum(axis=1)
    assert np.array_equal(crowd.inside(x, y, outline), np.abs(np.round(turn / (2 * np.pi))) % 2 == 1)


def test_columns_of_files_are_taken_as_they_are(compiled):
    table = np.zeros(500, [("flag", "u1"), ("x", ">f8"), ("y", "<f8")])  # unaligned, strided, of another byte order
    rng = np.random.default_rng(3)
    table["x"], table["y"] = rng.uniform(0, 20, (2, 500))
    table.flags.writeable = False
    outline, rows = np.array([(2.0, 2), (18, 4), (9, 17)]), np.broadcast_to(np.array([True]), (500,))
    plain = np.array(table["x"], float), np.array(table["y"], float)
    assert np.array_equal(crowd.inside(table["x"], table["y"], outline), crowd.inside(*plain, outline))
    counts = crowd.density(table["x"], table["y"], 20, 20, rows=rows)
    assert counts.sum() == 500
    assert np.array_equal(counts, crowd.density(*plain, 20, 20))
    assert crowd.in_sight(table["x"], table["y"], (0, 0, 20, 20), 10, rows=rows)[0] == 500


def test_the_nearest_point_within_reach(compiled):
    x, y = np.array([0.0, 5.0, np.nan]), np.array([0.0, 5.0, 1.0])
    assert crowd.nearest(x, y, (4.0, 4.0), 3.0) == 1
    assert crowd.nearest(x, y, (20.0, 4.0), 3.0) is None


def test_coordinates_that_were_written_as_two_columns():
    names = ["x_centroid", "y_centroid", "other.ra", "other.dec", "sky_centroid.ra", "sky_centroid.dec"]
    assert position_columns(names) == ("sky", "sky_centroid.ra", "sky_centroid.dec")
    assert position_columns(["a.ra", "b.dec", "x", "y"]) == ("pixel", "x", "y")


@pytest.mark.parametrize(
    "texts",
    [
        ("10:00:01.2", "-00:30:36"),
        ("10 00 01.2", "-00 30 36"),
        ("10h00m01.2s", "-00d30m36s"),
        ("150d00m18s", "-00\u00b030\u203236\u2033"),
    ],
)
def test_hours_and_degrees_in_words(texts):
    table = QTable({"RA": [texts[0], ""], "Dec": [texts[1], "10"]})
    places = places_of(table, {column.name: column for column in columns_of(table)})
    assert places.system == "sky"
    assert np.allclose([places.x[0], places.y[0]], [150.005, -0.51])
    assert np.isnan(places.x[1])


def test_hours_and_degrees_in_columns_as_journals_have_them():
    table = QTable({"RAh": [10, 0], "RAm": [0, 30], "RAs": [1.2, 0.0]})
    table["DE-"], table["DEd"], table["DEm"], table["DEs"] = ["-", " "], [0, 12], [30, 0], [36.0, 36.0]
    places = places_of(table, {column.name: column for column in columns_of(table)})
    assert np.allclose([places.x, places.y], [[150.005, 7.5], [-0.51, 12.01]])

"""Images of rows: counts against numpy, places against astropy's WCS of the columns, errors after Poisson."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

import jviz
from jviz import CommandError

N = 4000


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def events(path, *, xmm=False):
    rng = np.random.default_rng(2)
    columns = [
        fits.Column("time", "D", array=np.arange(N)),
        fits.Column("energy", "E", unit="eV", array=rng.uniform(300, 8000, N)),
        fits.Column("x", "E", array=rng.normal(4096, 120, N)),
        fits.Column("y", "E", array=rng.normal(4000, 90, N)),
    ]
    unit = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    for number, (name, kind, value, step) in enumerate((("X", "RA---TAN", 83.63, -1), ("Y", "DEC--TAN", 22.01, 1)), 3):
        words = [f"REF{name}C{end}" for end in ("TYP", "RVL", "RPX", "DLT")] if xmm else [
            f"TC{end}{number}" for end in ("TYP", "RVL", "RPX", "DLT")]  # fmt: skip
        unit.header.update(dict(zip(words, (kind, value, 4096.5, step * 0.492 / 3600), strict=True)))
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
    return unit.data


@pytest.mark.parametrize("xmm", [False, True])
def test_events_lie_where_their_columns_say(session, tmp_path, xmm):
    rows = events(tmp_path / "evt2.fits", xmm=xmm)
    [data] = session.open(tmp_path / "evt2.fits")
    image = session.run("catalog.image", data=data)
    values = image.get(np.ndarray)
    assert values.sum() == N
    assert max(values.shape) < 1024
    assert image.unit == "ct"
    # the pixel of a single event, by the sky of its columns
    by_columns = WCS(naxis=2)
    by_columns.wcs.ctype, by_columns.wcs.crval = ["RA---TAN", "DEC--TAN"], [83.63, 22.01]
    by_columns.wcs.crpix = [4096.5, 4096.5]
    by_columns.wcs.cdelt = [-0.492 / 3600, 0.492 / 3600]
    ra, dec = by_columns.all_pix2world(rows["x"].astype(float), rows["y"].astype(float), 1)
    x, y = image.sky.sky_to_pixel(ra, dec)
    counted = np.zeros_like(values)
    np.add.at(counted, (np.rint(y).astype(int), np.rint(x).astype(int)), 1)
    assert np.abs(counted - values).sum() <= 4  # float32 columns on the edge between two pixels
    error = image.product.plane("error").read()
    assert np.allclose(error, np.sqrt(values))


def test_condition_weight_and_size(session, tmp_path):
    rows = events(tmp_path / "evt2.fits")
    [data] = session.open(tmp_path / "evt2.fits")
    chosen = (rows["energy"] > 500) & (rows["energy"] < 2000)
    image = session.run("catalog.image", data=data, condition="(energy > 500) & (energy < 2000)", pixel=8)
    assert image.get(np.ndarray).sum() == chosen.sum()
    assert image.sky.pixel_scale().mean == pytest.approx(8 * 0.492, rel=1e-4)
    again = session.run("catalog.image", data=data, pixel=8)
    both = image.sky.pixel_to_sky(0.0, 0.0)
    x, y = again.sky.sky_to_pixel(*both)
    assert np.allclose([x, y], np.rint([x, y]), atol=1e-6)  # the pixels of one lie on those of the other
    weighted = session.run("catalog.image", data=data, weight="energy", pixel=8)
    assert weighted.get(np.ndarray).sum() == pytest.approx(rows["energy"].sum(), rel=1e-5)
    assert weighted.unit == "eV"
    squares = (weighted.product.plane("error").read().astype(float) ** 2).sum()
    assert squares == pytest.approx((rows["energy"].astype(float) ** 2).sum(), rel=1e-4)


@pytest.mark.parametrize("reach", [0.3, 170.0])
def test_catalogues_of_the_sky_are_laid_on_a_map(session, reach):
    rng = np.random.default_rng(3)
    ra, dec = (359.9 + rng.uniform(-reach, reach, N)) % 360, rng.uniform(-0.3, 0.3, N)
    data = session.add(Table({"ra": ra, "dec": dec}), name="stars")
    image = session.run("catalog.image", data=data)
    values = image.get(np.ndarray)
    assert values.sum() == N
    x, y = image.sky.sky_to_pixel(ra, dec)
    counted = np.zeros_like(values)
    np.add.at(counted, (np.rint(y).astype(int), np.rint(x).astype(int)), 1)
    assert np.abs(counted - values).sum() <= 4


def test_any_two_columns(session):
    data = session.add(Table({"a": [0.0, 0.4, 2.5, np.nan], "b": [1.0, 1.2, 3.0, 1.0]}), name="two")
    image = session.run("catalog.image", data=data, x="a", y="b", pixel=1)
    assert image.get(np.ndarray).tolist() == [[2, 0, 0], [0, 0, 0], [0, 0, 1]]
    session.undo()
    assert session.names == ["two"]


@pytest.mark.parametrize(("given", "words"), [
    ({}, "tell where its rows are"), ({"x": "a"}, "both x and y"), ({"x": "a", "y": "b", "pixel": -1}, "above 0"),
    ({"x": "a", "y": "b", "pixel": 1e-6}, "too large"), ({"x": "a", "y": "b", "condition": "a > 9"}, "No row of two"),
])  # fmt: skip
def test_what_makes_no_image_is_said(session, given, words):
    data = session.add(Table({"a": [0.0, 0.4, 2.5], "b": [1.0, 1.2, 3.0]}), name="two")
    with pytest.raises(CommandError, match=words):
        session.run("catalog.image", data=data, **given)
    assert session.names == ["two"]

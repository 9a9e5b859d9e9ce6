"""What is found a tile at a time is what is found in one piece, and large images take little memory."""

import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty

import jviz
from jviz.backend.photometry import segmenting

SIDE, SIGMA = 420, 1.6


def crowded(seed=6):
    """Stars, many of which blend, a galaxy over several tiles, holes, and an edge of zeros."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    image = 10 + 0.003 * columns + draw.normal(0, 0.5, (SIDE, SIDE))
    for x, y, flux in zip(*draw.uniform(5, SIDE - 5, (2, 260)), 10 ** draw.uniform(2, 4, 260), strict=True):
        image += flux / (2 * np.pi * SIGMA**2) * np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / SIGMA**2)
    image += 30 * np.exp(-np.hypot(columns - 220, (rows - 200) / 1.5) / 14)
    image[:, :12] = 0
    image[300:306, 100:106] = np.nan
    return image.astype(np.float32)


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    image = crowded()
    errors = StdDevUncertainty(np.full(image.shape, 0.5, np.float32))
    session.add(CCDData(image, unit="mJy", uncertainty=errors), name="field")
    yield session
    session.close()


def both(session, monkeypatch, command, **options):
    """Return what a command gives in one piece and in tiles of 16 to 37 rows, with the data that it made."""
    found = []
    for piece in (None, 37 * SIDE, 1):
        if piece is not None:
            monkeypatch.setattr(segmenting, "WHOLE", 0)
            monkeypatch.setattr(segmenting, "PIECE", piece)
        made = session.run(command, data="field", **options)
        planes = {d.name: d.plane().read() for d in session.data if d.kind == "image" and d.name != "field"}
        found.append((made, planes))
        session.undo()
    return found


@pytest.mark.parametrize("options", [
    {"snr": 3}, {"snr": 3, "deblend": False}, {"snr": 6, "method": "peaks"}, {"snr": 5, "method": "dao", "fwhm": 3.7},
    {"snr": 4, "edge": 9, "noise": "errors"},
])  # fmt: skip
def test_sources_across_tiles_are_found_once_and_the_same(session, monkeypatch, options):
    (whole, planes), *others = both(session, monkeypatch, "photometry.detect", **options)
    assert len(whole) > 100
    for tiled, more in others:
        assert tiled.table.colnames == whole.table.colnames
        for name in whole.table.colnames:
            values = (np.asarray(getattr(t[name], "value", t[name]), float) for t in (tiled.table, whole.table))
            np.testing.assert_allclose(*values, rtol=2e-5, atol=2e-4, err_msg=name)
        for name, labels in planes.items():
            np.testing.assert_array_equal(more[name], labels)


def test_a_catalogue_of_tiles_has_the_same_numbers(session, monkeypatch):
    (whole, _), *others = both(session, monkeypatch, "photometry.catalog", snr=3)
    assert len(whole) > 150
    for tiled, _ in others:
        for name in whole.table.colnames:
            values = (np.asarray(getattr(t[name], "value", t[name]), float) for t in (tiled.table, whole.table))
            np.testing.assert_allclose(*values, rtol=1e-4, atol=2e-4, err_msg=name)


def test_a_background_of_tiles_is_the_same(session, monkeypatch):
    (_, whole), *others = both(session, monkeypatch, "photometry.background", box_size=32, subtract=True)
    assert len(whole) == 3
    for _, tiled in others:
        for name, values in whole.items():
            np.testing.assert_allclose(tiled[name], values, rtol=1e-6, atol=1e-5)


def test_nothing_is_found_near_the_edge_of_the_field(session):
    found = session.run("photometry.detect", data="field", snr=3, edge=30).table
    x, y = found["x_centroid"], found["y_centroid"]
    assert x.min() > 12 + 29
    assert max(x.max(), y.max()) < SIDE - 30
    assert y.min() > 29
    near_the_hole = np.hypot(x - 102.5, y - 302.5) < 10
    assert not near_the_hole.any()


def test_cancelled_work_leaves_nothing(session):
    from jviz.actions.photometry_catalog import catalog
    from jviz.backend.progress import Cancelled

    def stop(done, total=1.0, text=""):
        if "measuring" in text:
            raise Cancelled

    with pytest.raises(Cancelled):
        catalog(session, session["field"], progress=stop)
    assert session.names == ["field"]

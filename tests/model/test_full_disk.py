"""A disk that is full, a folder that cannot be written to: one sentence, and what was there before is as it was."""

from __future__ import annotations

import resource
from contextlib import contextmanager

import numpy as np
import pytest
from astropy.table import Table
from regions import CirclePixelRegion, PixCoord

import jviz

NUMBERS = np.random.default_rng(0).normal(size=(300, 400)).astype("f4")


@pytest.fixture
def session():
    session = jviz.Session(settings={})
    session.add(NUMBERS, name="image")
    session.add(Table({"a": NUMBERS.ravel()[:20_000]}), name="table")
    session.view("image", data="image")
    session.subset("spot", CirclePixelRegion(PixCoord(9, 9), 3), data="image")
    yield session
    session.close()


@contextmanager
def small_disk(most: int):
    """Let no file grow beyond so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


WRITES = {
    "work.jviz": lambda session, path: session.save(path),
    "script.py": lambda session, path: session.run("file.save_script", path=path),
    "view.png": lambda session, path: session.render(session.views["Image 1"], path, size=(600, 400)),
    "view.pdf": lambda session, path: session.render(session.views["Image 1"], path, size=(600, 400)),
    "view.svg": lambda session, path: session.render(session.views["Image 1"], path, size=(600, 400)),
    "figure.pdf": lambda session, path: session.run("view.export_figure", path=path),
    "image.fits": lambda session, path: session.run("data.export", data="image", path=path),
    "image.asdf": lambda session, path: session.run("data.export", data="image", path=path),
    "image.npy": lambda session, path: session.run("data.export", data="image", path=path),
    "table.ecsv": lambda session, path: session.run("table.export", data="table", path=path),
    "table.fits": lambda session, path: session.run("table.export", data="table", path=path),
    "table.vot": lambda session, path: session.run("table.export", data="table", path=path),
    "table.csv": lambda session, path: session.run("table.export", data="table", path=path),
    "regions.reg": lambda session, path: session.run("region.export_file", path=path),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk_is_told_and_spoils_nothing(session, tmp_path, name):
    path = tmp_path / name
    WRITES[name](session, path)  # what was added is kept from now on
    path.write_bytes(b"as it was")
    with small_disk(40), pytest.raises(jviz.JvizError) as caught:
        WRITES[name](session, path)
    text = str(caught.value)
    assert f"{path} cannot be written: " in text
    assert text.endswith("Free some space or choose another folder.")
    assert path.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [path]
    WRITES[name](session, path)
    assert path.read_bytes() != b"as it was"


def test_where_nothing_can_be_kept_data_come_in_nevertheless(tmp_path, session):
    with small_disk(40):
        session.add(Table({"a": np.arange(1_000.0), "text": ["a long text " * 10] * 1_000}), name="more")
        assert session["more"].get(Table)["a"].sum() == 1_000 * 999 / 2
    assert "Nothing can be kept in" in session.script()


def test_a_long_table_comes_in_and_is_kept_when_there_is_room(tmp_path, session):
    with small_disk(40):
        session.add(Table({"a": np.arange(20_000.0)}), name="more")
        assert session["more"].get(Table)["a"].sum() == 20_000 * 19_999 / 2
        with pytest.raises(jviz.JvizError, match="Nothing can be kept in"):
            session.script()
    assert "thaw" in session.script()

"""Names of files to write: of a kind that is known, and never of a file that is open."""

import numpy as np
import pytest
from astropy.io import fits
from regions import CirclePixelRegion, PixCoord

import jviz
from jviz import CommandError


@pytest.fixture
def session(tmp_path):
    session = jviz.Session(settings={})
    for name in ("one", "two"):
        fits.writeto(tmp_path / f"{name}.fits", np.ones((20, 30), "f4"))
    session.open(tmp_path / "one.fits", tmp_path / "two.fits", show=False)
    yield session
    session.close()


def test_no_exporter_writes_over_a_file_that_is_open(session, tmp_path):
    (tmp_path / "link.fits").symlink_to(tmp_path / "one.fits")
    before = (tmp_path / "one.fits").read_bytes()
    session.subset("spot", CirclePixelRegion(PixCoord(5, 6), 3), data="one")
    for name in ("one.fits", "link.fits"):
        for id, values in (("data.export", {"data": "one"}), ("region.export_file", {"data": session["one"]})):
            with pytest.raises(CommandError, match="is open in this session as one"):
                session.run(id, path=tmp_path / name, **values)
    assert (tmp_path / "one.fits").read_bytes() == before


def test_suffixes_that_nobody_writes_are_named_with_those_there_are(session, tmp_path):
    view = session.run("image.compose_rgb", data=["one", "two"], limits=[(0.0, 1.0)] * 2)
    with pytest.raises(CommandError, match=r"c\.jpg cannot be written: colour pictures are \.tif, \.tiff or \.png"):
        session.run("image.export_rgb", path=tmp_path / "c.jpg", view=view)
    assert not (tmp_path / "c.jpg").exists()

"""Files changed, cut, moved and deleted while they are open: told once, and read again without losing what was made."""

import os

import numpy as np
import pytest
from astropy.io import fits
from regions import CirclePixelRegion, PixCoord

import jviz
from jviz.changed_files import FileWatch
from jviz.data import Cube


def write(path, level, shape=(12, 9, 10)):
    header = fits.Header({"CTYPE3": "WAVE", "CUNIT3": "um", "CRVAL3": 5.0, "CDELT3": 0.1, "CRPIX3": 1.0, "BUNIT": "Jy"})
    temporary = path.with_suffix(".new")
    fits.PrimaryHDU(np.full(shape, level, np.float32), header).writeto(temporary, overwrite=True)
    os.replace(temporary, path)
    os.utime(path, ns=(1_000_000_000, 1_000_000_000 * round(level + 2)))  # two changes within a tick of the clock


@pytest.fixture
def opened(tmp_path):
    path = tmp_path / "cube.fits"
    write(path, 1)
    session = jviz.Session(settings={})
    [cube] = session.open(path)
    watch = FileWatch(session)
    watch.look()
    assert not session.notices
    yield session, cube, path, watch
    session.close()


def told(session):
    return [text for _, text in session.notices]


def test_a_file_that_was_changed_is_told_once_and_read_again(opened):
    session, cube, path, watch = opened
    view = session.view("cube", data=cube)
    view.slice, view.layer.slab = 7, None
    session.subset("core", CirclePixelRegion(PixCoord(4, 4), 2), data=cube)
    write(path, 3)
    watch.look()
    watch.look()
    [text] = told(session)
    assert text.startswith("cube.fits was changed by another program")
    assert session.run("cube.extract", data=cube, region="core", statistic="mean").samples[0].flux[0] == 1
    new = session.run("data.reload", data="cube")
    assert isinstance(new, Cube)
    assert session["cube"] is new
    assert (view.layer.data, view.slice) == (new, 7)
    made = session.run("cube.extract", data="cube", region="core", statistic="mean")
    assert made.samples[0].flux[0] == 3
    watch.look()
    assert len(told(session)) == 1
    session.undo()
    session.undo()
    assert view.layer.data is cube
    assert session.subsets["core"].data is cube
    assert "data.reload" not in session.script()


def test_what_was_said_about_the_axis_is_kept(opened):
    session, cube, path, _ = opened
    session.run("cube.spectral_axis", data=cube, unit="nm", first=700.0, step=2.0, remember=False)
    write(path, 2, shape=(14, 9, 10))
    new = session.run("data.reload", data="cube")
    assert (new.axis.unit, new.axis.values[1], len(new.axis)) == ("nm", 702.0, 14)


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_file_that_is_gone_is_told_and_serves_on(opened, how):
    session, cube, path, watch = opened
    path.unlink() if how == "deleted" else path.rename(path.with_name("elsewhere.fits"))
    watch.look()
    watch.look()
    [text] = told(session)
    assert text.startswith("cube.fits was moved or deleted")
    assert np.isfinite(session.run("cube.extract", data=cube).samples[0].flux).all()
    with pytest.raises(jviz.JvizError, match=r"cube\.fits"):
        session.run("data.reload", data=cube)
    assert session["cube"] is cube


def test_a_file_that_was_cut_is_told_and_can_be_read_again_once_it_is_whole(opened):
    session, cube, path, watch = opened
    with path.open("r+b") as stream:
        stream.truncate(3000)
    watch.look()
    [text] = told(session)
    assert text.startswith("cube.fits was cut from")
    with pytest.raises(jviz.JvizError, match="was cut"):
        session.run("cube.extract", data=cube)
    write(path, 4)
    new = session.run("data.reload", data=cube)
    assert session.run("cube.extract", data=new, statistic="mean").samples[0].flux[3] == 4


def test_a_file_that_holds_something_else_now_and_data_of_no_file_are_told(opened):
    session, cube, path, _ = opened
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("a", "E", array=np.ones(3))])]).writeto(
        path, overwrite=True
    )
    with pytest.raises(jviz.JvizError, match=r"cube\.fits"):
        session.run("data.reload", data=cube)
    made = session.add(np.ones((4, 5)), name="made")
    with pytest.raises(jviz.JvizError, match="came from no file"):
        session.run("data.reload", data=made)

"""What is fetched beside the window: pyramids one by one, only what is still wanted, failures told once."""

import itertools
import os

import numpy as np
import pytest
from astropy.io import fits

from jviz.viewers.image_layers import raster_of


@pytest.fixture
def large():
    """An image too large to be sharp without a pyramid."""
    return np.random.default_rng(2).normal(size=(2300, 2300)).astype(np.float32)


def preparing(session):
    return [job for job in session.jobs.all if job.title.startswith("Preparing")]


def test_a_large_image_becomes_sharp_by_a_job_that_users_see(show, session, large, qtbot):
    viewer = show(large)
    [job] = preparing(session)
    qtbot.waitUntil(lambda: job.is_over)
    assert (job.title, job.quiet, job.state) == ("Preparing test", False, "done")
    assert raster_of(viewer.state.layer).sharp


def test_small_images_need_no_preparation(show, session, ramp):
    show(ramp)
    assert not preparing(session)


def test_pyramids_are_built_one_after_the_other_and_once(show, session, large, qtbot):
    first = show(large, wait=False)
    others = [show(large + n, wait=False) for n in (1, 2)]
    again = show(first.state.data, wait=False)
    qtbot.waitUntil(lambda: all(v.is_sharp for v in (first, again, *others)), timeout=30_000)
    jobs = sorted(preparing(session), key=lambda job: job.started)
    assert len(jobs) == 3
    for job, following in itertools.pairwise(jobs):
        # a job reports its end a moment after the next one was queued
        assert following.started >= job.ended - 0.05


def test_a_hidden_viewer_gets_ready_too(qtbot, session, large):
    from jviz.viewers.image import ImageViewer

    viewer = ImageViewer(session, session.view("image", data=session.add(large, name="a")))
    qtbot.addWidget(viewer)
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    assert not viewer.has_painted


def test_a_pan_across_a_large_image_leaves_no_queue(show, session, large, qtbot):
    viewer = show(large, scale=2.0, centre=(300.0, 300.0))
    before = len(session.jobs.all)
    for n in range(60):
        viewer.state.centre = (300.0 + 20 * n, 300.0 + 15 * n)
        viewer.refresh()
    waiting = [job for job in session.jobs.all if not job.is_over]
    assert len(waiting) <= 2
    qtbot.waitUntil(lambda: viewer.is_sharp)
    assert len(session.jobs.all) - before < 30


def test_a_file_that_is_cut_while_open_is_told_once(show, session, large, tmp_path, qtbot):
    path = tmp_path / "large.fits"
    fits.writeto(path, large)
    viewer = show(session.open(path, show=False)[0], scale=2.0, centre=(300.0, 300.0))
    os.truncate(path, 100_000)
    viewer.state.centre = (2000.0, 2000.0)
    qtbot.waitUntil(lambda: bool(session.errors))
    qtbot.wait(300)
    viewer.refresh()
    qtbot.wait(100)
    assert len(session.errors) == 1
    assert "large.fits" in session.errors[0]
    session.errors.clear()


def test_a_deleted_viewer_leaves_the_state_alone(show, session, ramp, qtbot):
    from jviz.viewers.image import ImageViewer

    state = session.view("image", data=session.add(ramp, name="a"))
    viewer = ImageViewer(session, state)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.is_sharp)
    viewer.close()
    viewer.deleteLater()
    qtbot.wait(20)
    state.scale = 3.0
    state.layer.bias = 0.4
    session.settings["image.pixel_origin"] = 1
    qtbot.wait(20)


def test_a_closed_session_stops_the_viewer_quietly(show, session, ramp, qtbot):
    viewer = show(ramp)
    session.close()
    viewer.state.layer.limits_mode = "zscale"
    viewer.refresh()
    qtbot.wait(50)


def test_a_deleted_viewer_is_gone(session, ramp, qtbot):
    import gc
    import weakref

    from jviz.viewers.image import ImageViewer

    viewer = ImageViewer(session, session.view("image", data=session.add(ramp, name="a")))
    viewer.show()
    qtbot.waitUntil(lambda: viewer.is_sharp)  # noqa: F821  (deleted below, on purpose)
    known = weakref.ref(viewer)
    viewer.deleteLater()
    del viewer
    qtbot.wait(20)
    gc.unfreeze()  # the program's first image is frozen with what was imported for it
    gc.collect()
    assert known() is None


@pytest.mark.parametrize(("header", "told"), [({}, 0), ({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, 1)])
def test_a_wcs_that_cannot_be_read_is_told_once_but_not_its_absence(show, session, ramp, tmp_path, qtbot, header, told):
    path = tmp_path / "lost.fits"
    fits.writeto(path, ramp, fits.Header({"SIMPLE": True, **header}))
    for _ in range(2):
        show(session.open(path, show=False)[0] if not len(session) else session.data[0])
    warnings = [text for level, text in session.notices if level == "warning"]
    assert len(warnings) == told
    assert all("WCS" in text and "lost" in text and "pixels" in text for text in warnings)

"""Views that follow each other through the sky: places, one step, undo, scripts."""

import numpy as np
import pytest
from astropy.wcs import WCS

from jviz.errors import CommandError, JvizError
from jviz.geometry import geometry_of
from jviz.linking import matched
from tests.model.sky_pairs import STARS, header, image

TWINS = [
    {"angle": 30.0},
    {"angle": -75.0, "scale": 0.11},
    {"mirrored": True, "angle": 12.0},
    {"mirrored": True, "scale": 0.02, "shift": (80.0, -40.0)},
]


def opened(session, tmp_path, *options):
    views = []
    for number, given in enumerate(options):
        path = tmp_path / f"image{number}.fits"
        image(path, **given)
        [data] = session.open(path, show=False)
        views.append(session.view("image", data=data, name=f"V{number}"))
    return views


def on_screen(view, wcs):
    x, y = wcs.all_world2pix(STARS[:, 0], STARS[:, 1], 0)
    return np.array(geometry_of(view).to_screen(x, y))


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("turn", [{}, {"rotation": 40.0}, {"flip_x": True, "rotation": 10.0}, {"flip_y": True}])
def test_stars_stand_at_the_same_places_in_locked_views(session, tmp_path, twin, turn):
    first, second = opened(session, tmp_path, {}, twin)
    session.run("view.lock_all", view=first)
    first.update(centre=(520.0, 470.0), scale=1.7, **turn)
    places = [on_screen(view, WCS(header(**given))) for view, given in ((first, {}), (second, twin))]
    # Distortion differs between the two, so only the middle is exact; 300 pixels off a few tenths of a pixel remain.
    distance = np.hypot(*(places[0] - places[1]))
    radius = np.hypot(*(places[0] - np.array([[500.0], [400.0]])))
    assert (distance <= 0.02 * radius + 1e-6).all()


def test_the_centre_is_exact(session, tmp_path):
    first, second = opened(session, tmp_path, {}, TWINS[1])
    session.run("view.lock_all", view=first)
    first.centre = (100.0, 900.0)
    expected = WCS(header(**TWINS[1])).all_world2pix(*WCS(header()).all_pix2world(100.0, 900.0, 0), 0)
    np.testing.assert_allclose(second.centre, np.ravel(expected), atol=1e-6)


def test_what_is_free_stays(session, tmp_path):
    first, second = opened(session, tmp_path, {}, {"angle": 30.0})
    second.update(centre=(10.0, 20.0), scale=3.0)
    session.run("view.lock", locks=["rotation"], view=first)
    session.run("view.lock", locks=["rotation"], view=second)
    first.update(centre=(400.0, 400.0), scale=0.3, rotation=15.0)
    assert (second.centre, second.scale) == ((10.0, 20.0), 3.0)
    assert second.rotation == pytest.approx(45.0, abs=0.6)


def test_a_gesture_is_one_step_that_undo_takes_back_everywhere(session, tmp_path):
    views = opened(session, tmp_path, {}, {"angle": 30.0}, {"mirrored": True})
    session.run("view.lock_all", view=views[0])
    before = [(v.centre, v.scale, v.rotation) for v in views]
    session.history.seal()
    steps = len(session.history)
    for n in range(10):
        views[1].update(centre=(500.0 + n, 510.0), scale=1.0 + n / 10)
    session.flush()
    assert len(session.history) == steps + 1
    after = [(v.centre, v.scale, v.rotation) for v in views]
    assert after != before
    session.undo()
    assert [(v.centre, v.scale, v.rotation) for v in views] == before
    session.redo()
    assert [(v.centre, v.scale, v.rotation) for v in views] == after


def test_commands_merge_and_lead_too(session, tmp_path):
    first, second = opened(session, tmp_path, {}, {"scale": 0.1})
    session.run("view.lock_all", view=first)
    session.history.seal()
    steps = len(session.history)
    session.run("image.zoom_in", view=first)
    session.run("image.pan_left", view=first)
    assert len(session.history) == steps + 1
    assert second.scale == pytest.approx(2 * first.scale, rel=1e-2)
    session.undo()
    assert first.scale is None


def test_the_script_leads_to_the_same_views(session, tmp_path):
    views = opened(session, tmp_path, {}, {"angle": 30.0})
    for view in views:
        view.viewport = (700.0, 500.0)
    session.run("view.lock_all", view=views[0])
    views[1].update(centre=(480.0, 500.0), scale=1.5)
    session.run("image.fit", view=views[0])
    session.run("view.lock_all", locks=["pan", "zoom", "limits", "colormap"], view=views[0])
    views[0].layer.limits = (1.0, 7.0)
    views[1].layer.colormap = "magma"
    scope = {}
    exec(session.script(), scope)
    again = scope["session"]
    for name, view in session.views.items():
        other = again.views[name]
        np.testing.assert_allclose(other.centre or (0, 0), view.centre or (0, 0), rtol=1e-9)
        assert other.scale == pytest.approx(view.scale) if view.scale else other.scale is None
        assert (other.rotation, other.locks) == (pytest.approx(view.rotation), view.locks)
        assert (other.layer.limits, other.layer.colormap) == (view.layer.limits, view.layer.colormap)
    again.close()


def test_limits_and_colours_follow_when_locked(session, tmp_path):
    first, second = opened(session, tmp_path, {}, {"angle": 5.0})
    session.run("view.lock_all", locks=["limits"], view=first)
    first.layer.limits = (2.0, 9.0)
    first.layer.colormap = "viridis"
    assert second.layer.limits == (2.0, 9.0)
    assert second.layer.colormap != "viridis"
    session.undo()
    session.undo()
    assert second.layer.limits_mode != "manual"


def test_match_once(session, tmp_path):
    first, second, third = opened(session, tmp_path, {}, {"angle": 30.0}, {"scale": 0.1})
    first.update(centre=(510.0, 480.0), scale=2.0)
    session.run("view.match_all", view=first)
    assert second.rotation == pytest.approx(30.0, abs=0.6)
    assert third.scale == pytest.approx(4.0, rel=0.02)
    first.scale = 5.0
    assert third.scale == pytest.approx(4.0, rel=0.02)
    session.run("view.match", reference=first, view=third, what=["zoom"])
    assert third.scale == pytest.approx(10.0, rel=0.02)
    with pytest.raises(CommandError, match="itself"):
        session.run("view.match", reference=first, view=first)
    with pytest.raises(CommandError, match="colour"):
        session.run("view.match_all", what=["colour"], view=first)


def test_without_a_sky_pixels_lead(session):
    for n in range(2):
        session.view("image", data=session.add(np.zeros((50, 80)), name=f"d{n}"), name=f"V{n}")
    first, second = session.views.values()
    session.run("view.lock_all", view=first)
    first.update(centre=(12.0, 13.0), scale=3.0, rotation=90.0, flip_x=True)
    assert (second.centre, second.scale) == ((12.0, 13.0), 3.0)
    assert np.allclose(geometry_of(second).matrix, geometry_of(first).matrix)


@pytest.mark.parametrize("away", [3.0, 60.0, 180.0])
def test_out_of_reach_nothing_moves(session, tmp_path, away):
    image(tmp_path / "a.fits")
    far = header()
    far["CRVAL1"] = (far["CRVAL1"] + away) % 360
    said = []
    session.noticed.connect(lambda level, text: said.append(text))
    from astropy.io import fits

    fits.writeto(tmp_path / "b.fits", np.zeros((1000, 1000), np.float32), far)
    views = [session.view("image", data=d) for d in session.open(tmp_path / "a.fits", tmp_path / "b.fits", show=False)]
    assert matched(views[0], views[1], ("pan", "zoom", "rotation")) == {}
    session.run("view.lock_all", view=views[0])
    views[0].centre = (5.0, 5.0)
    assert views[1].centre is None
    assert [text for text in said if "out of their reach" in text]


def test_fields_beside_each_other_follow(session, tmp_path):
    image(tmp_path / "a.fits")
    near = header()
    near["CRVAL2"] += 3 * 1000 * abs(near["CD2_2"] if "CD2_2" in near else near["CDELT2"])
    from astropy.io import fits

    fits.writeto(tmp_path / "b.fits", np.zeros((1000, 1000), np.float32), near)
    views = [session.view("image", data=d) for d in session.open(tmp_path / "a.fits", tmp_path / "b.fits", show=False)]
    session.run("view.lock_all", view=views[0])
    views[0].centre = (5.0, 5.0)
    expected = WCS(near).all_world2pix(*WCS(header()).all_pix2world(5.0, 5.0, 0), 0)
    np.testing.assert_allclose(views[1].centre, np.ravel(expected), atol=1e-6)


def test_locks_are_checked(session):
    view = session.view("image", data=session.add(np.zeros((5, 5))))
    with pytest.raises(JvizError, match="zooom"):
        view.locks = ("pan", "zooom")
    view.locks = "zoom"
    assert view.locks == ("zoom",)

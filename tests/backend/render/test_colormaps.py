"""Colour maps: every name gives colours, the known ones are the published, wrong ones are explained."""

import numpy as np
import pytest

from jviz.backend.render import colormaps
from jviz.backend.render.colormaps import colormap, names, register
from jviz.errors import JvizError


@pytest.fixture(autouse=True)
def no_maps_left(monkeypatch):
    """Forget the maps a test adds."""
    monkeypatch.setattr(colormaps, "_own", {})


def test_every_name_gives_colours_once():
    every = [name for group in names().values() for name in group]
    assert len(every) == len(set(every))
    for name in every:
        colours = colormap(name)
        assert colours.shape == (256, 3)
        assert colours.dtype == np.uint8
        assert np.ptp(colours) > 0
        np.testing.assert_array_equal(colormap(name + "_r"), colours[::-1])
        np.testing.assert_array_equal(colormap(name, invert=True), colours[::-1])


def test_the_first_group_is_safe_for_the_colour_blind_and_starts_with_gray():
    group, first = next(iter(names().items()))
    assert "colour-blind" in group
    assert first[0] == "gray"
    lightness = colormap("viridis") @ [0.3, 0.6, 0.1]
    assert (np.diff(lightness) > -0.5).all()


def test_matplotlibs_maps_are_matplotlibs():
    matplotlib = pytest.importorskip("matplotlib")
    for name, other in (("viridis", "viridis"), ("mpl-cool", "cool"), ("twilight", "twilight")):
        expected = matplotlib.colormaps[other](np.linspace(0, 1, 256))[:, :3] * 255
        np.testing.assert_allclose(colormap(name), expected, atol=0.51)


def test_ds9s_maps_are_ds9s():
    assert tuple(colormap("heat")[128]) == (255, 128, 0)
    assert tuple(colormap("bb")[-1]) == (255, 255, 255)
    assert len(np.unique(colormap("i8"), axis=0)) == 8
    assert len(np.unique(colormap("staircase"), axis=0)) == 15
    assert len(np.unique(colormap("aips0"), axis=0)) == 9


def test_users_may_add_maps():
    register("mine", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.5]])
    assert tuple(colormap("mine")[-1]) == (255, 0, 128)
    register("ints", [[0, 0, 0], [10, 20, 30]])
    assert tuple(colormap("ints_r")[0]) == (10, 20, 30)
    assert names()["Your own"] == ("mine", "ints")


@pytest.mark.parametrize("colours", [[[0, 0, 0]], [[0, 0], [1, 1]], [[0, 0, 0], [300, 0, 0]], [["a"] * 3] * 2])
def test_senseless_colours_are_refused(colours):
    with pytest.raises(JvizError, match="colours"):
        register("bad", colours)


def test_our_names_cannot_be_taken():
    with pytest.raises(JvizError, match="another name"):
        register("viridis", [[0, 0, 0], [1, 1, 1]])


def test_unknown_names_list_near_ones():
    with pytest.raises(JvizError, match="viridis"):
        colormap("virids")


def test_a_map_can_be_changed_without_changing_the_next():
    colormap("gray")[:] = 7
    assert colormap("gray")[0, 0] == 0

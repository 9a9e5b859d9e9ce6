"""Pages of channel maps, colours from slabs, movies: looked at pixel by pixel."""

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from PySide6.QtCore import Qt

from jviz import CommandError
from jviz.channel_views import maps_of, middle_of, panel_view
from jviz.viewers.channel_maps import ChannelMapsViewer

N = 24


@pytest.fixture
def view(session, tmp_path):
    """A view of a cube in which slice k is k everywhere, at 100 + 10 k GHz, from black (0) to white (23)."""
    values = np.broadcast_to(np.arange(N, dtype=np.float32)[:, None, None], (N, 10, 12))
    hdu = fits.PrimaryHDU(np.ascontiguousarray(values))
    hdu.header.update({"CTYPE3": "FREQ", "CUNIT3": "GHz", "CRVAL3": 100.0, "CDELT3": 10.0, "CRPIX3": 1.0})
    hdu.writeto(tmp_path / "cube.fits")
    [cube] = session.open(tmp_path / "cube.fits")
    return session.view("cube", data=cube, stretch="linear", limits=(0.0, N - 1.0), compass=False, scale_bar=False)


def test_channel_maps_show_every_mean_with_the_same_limits(qtbot, session, view, tmp_path):
    maps = session.run("cube.channel_maps", rows=2, columns=3, step=4)
    assert (maps.first, maps.last, maps.pages) == (0, 23, 1)
    viewer = ChannelMapsViewer(session, maps)
    qtbot.addWidget(viewer)
    viewer.resize(620, 400)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    shown, drawn = viewer.grab(), viewer._picture
    room = 14 + 8 * viewer.look.metrics(0.92).horizontalAdvance("0") + 34
    width = (620 - room - 4 * 3) / 3
    high = width * 10 / 12  # maps have the shape of the cube, in the middle of the page
    top = (400 - 2 * high - 3 * 3) / 2
    for number in range(6):
        row, column = divmod(number, 3)
        x, y = round(3 + column * (width + 3) + width / 2), round(top + 3 + row * (high + 3) + 0.7 * high)
        expected = pytest.approx(255 * (4 * number + 1.5) / (N - 1), abs=2)
        assert shown.pixelColor(x, y).red() == drawn.pixelColor(x, y).red() == expected
    session.run("view.export_figure", view=maps, path=tmp_path / "maps.pdf")
    assert (tmp_path / "maps.pdf").read_bytes().startswith(b"%PDF")


def test_maps_are_of_the_channels_of_the_range_alone_and_say_their_middle(session, view):
    maps = session.run("cube.channel_maps", rows=2, columns=3, step=4, first=150.0, last=260.0)
    assert maps_of(maps) == [(5, 8), (9, 12), (13, 16)]
    assert [middle_of(maps, channels) for channels in maps_of(maps)] == [6.5, 10.5, 14.5]
    maps.update(step=5)
    assert maps_of(maps)[-1] == (15, 16)
    last = panel_view(maps, maps_of(maps)[-1], (0, 23), (200, 200), first=False)
    assert last.layer.raster().sample() == pytest.approx(15.5)
    maps.update(averaged=False)
    assert middle_of(maps, (5, 9)) == 7
    one = panel_view(maps, (5, 9), (0, 23), (200, 200), first=False)
    assert (one.layer.index, one.layer.width) == ((7,), 1)


def test_maps_show_the_part_that_the_view_was_zoomed_to(session, view):
    assert session.run("cube.channel_maps").field is None
    view.viewport = (120, 80)
    view.update(centre=(6.0, 4.0), scale=20.0, rotation=90.0)
    maps = session.run("cube.channel_maps")
    assert maps.field == pytest.approx((4.0, 1.0, 8.0, 7.0))
    panel = panel_view(maps, (0, 1), (0, 23), (300, 200), first=False)
    assert panel.centre == pytest.approx((6.0, 4.0))
    assert panel.scale == pytest.approx(50.0)  # six pixels lie across and four up, as it is turned
    with pytest.raises(CommandError, match="holds no pixel"):
        maps.field = (3, 3, 3, 5)


def test_pages_are_turned_by_keys_and_undone_at_once(qtbot, session, view):
    maps = session.run("cube.channel_maps", rows=2, columns=2, step=1, first=150.0, last=250.0)
    assert (maps.first, maps.last, maps.pages) == (5, 15, 3)
    viewer = ChannelMapsViewer(session, maps)
    qtbot.addWidget(viewer)
    viewer.show()
    for _ in range(5):
        qtbot.keyClick(viewer, Qt.Key.Key_PageDown)
    assert maps.page == 2
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    session.undo()
    assert maps.page == 0
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)


def test_three_slabs_are_red_green_and_blue(session, view, tmp_path):
    rgb = session.run("cube.rgb", data="cube", red=(95, 105), green=(205, 215), blue=(295, 335))
    assert [layer.slab for layer in rgb.layers] == [(95, 105, "mean"), (205, 215, "mean"), (295, 335, "mean")]
    for layer, high in zip(rgb.layers, (23.0, 23.0, 23.0), strict=True):
        layer.update(limits=(0.0, high), stretch="linear")
    path = session.render(rgb, tmp_path / "rgb.png", size=(300, 300))
    colour = Image.open(path).convert("RGB").getpixel((150, 150))
    # Means of channels 0, 11, and 20 to 23.
    assert colour == pytest.approx((0, 255 * 11 / 23, 255 * 21.5 / 23), abs=3)


def test_red_is_the_longest_wavelength_also_of_frequencies(session, view):
    rgb = session.run("cube.rgb", data="cube")
    assert [layer.slab[:2] for layer in rgb.layers] == [(95, 175), (175, 255), (255, 335)]


@pytest.mark.parametrize("name", ["cube.gif", "cube.mp4"])
def test_a_movie_has_a_picture_for_each_slice(session, view, tmp_path, name):
    path = session.run("cube.movie", path=tmp_path / name, step=4, size=(160, 120), label=False)
    if name.endswith("gif"):
        with Image.open(path) as movie:
            assert movie.n_frames == 6
            for number in range(6):
                movie.seek(number)
                assert movie.convert("RGB").getpixel((40, 60))[0] == pytest.approx(255 * 4 * number / 23, abs=6)
    else:
        imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
        assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 6
    assert view.slice == 12  # the viewer stays where it was


def test_movies_that_cannot_be_are_refused_in_words(session, view, tmp_path):
    for wrong, words in (
        ({"path": tmp_path / "cube.avi"}, "gif or .mp4"),
        ({"first": 5, "last": 99}, "slices 0 to 23"),
        ({"rate": 0.0}, "pictures a second"),
    ):
        with pytest.raises(Exception, match=words) as caught:
            session.run("cube.movie", **{"path": tmp_path / "cube.gif", **wrong})
        assert isinstance(caught.value, CommandError) or type(caught.value).__name__ == "JvizError"
    assert not list(tmp_path.glob("*.gif"))

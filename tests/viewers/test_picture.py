"""Pictures as files: right pixels, right sizes, whole or not at all."""

import numpy as np
import pytest
from PySide6.QtGui import QImage

from jviz.errors import JvizError
from jviz.viewers.picture import save


@pytest.fixture
def view(session, ramp):
    data = session.add(ramp, name="ramp")
    plain = {"compass": False, "scale_bar": False, "colorbar": False}
    return session.view("image", data=data, limits=(0, 4000), stretch="linear", **plain)


def test_png_has_the_size_and_the_pixels_asked_for(session, view, ramp, tmp_path):
    path = save(session, view, tmp_path / "fig.png", (600, 400))
    image = QImage(str(path))
    assert (image.width(), image.height()) == (600, 400)
    for x, y in [(0, 0), (59, 39), (20, 31)]:
        colour = image.pixelColor(10 * x + 5, 400 - 10 * y - 5)
        assert abs(colour.red() - 255 * ramp[y, x] / 4000) <= 1


def test_large_pictures_show_the_same_with_larger_letters(session, view, tmp_path):
    view.update(axes="pixel", colorbar=True, scale=30.0, centre=(30.0, 20.0))
    small = QImage(str(save(session, view, tmp_path / "small.png", (1200, 900))))
    large = QImage(str(save(session, view, tmp_path / "large.png", (2400, 1800))))
    for u, v in [(300, 200), (700, 500), (500, 700)]:
        assert abs(small.pixelColor(u, v).red() - large.pixelColor(2 * u + 1, 2 * v + 1).red()) <= 2


def test_the_field_of_view_does_not_depend_on_the_size(session, view, ramp, tmp_path):
    view.viewport = (300.0, 200.0)
    view.update(scale=20.0, centre=(30.0, 20.0))  # 15 × 10 pixels in sight
    image = QImage(str(save(session, view, tmp_path / "fig.png", (1200, 800))))
    # pixel 30 − 7 = 23 is the leftmost whole one, 80 screen pixels wide from 40 on
    assert abs(image.pixelColor(80, 400).red() - 255 * ramp[20, 23] / 4000) <= 1


def test_files_are_drawn_on_white_with_black_axes(session, view, tmp_path):
    view.axes = "pixel"
    image = QImage(str(save(session, view, tmp_path / "fig.png", (600, 500))))
    margin = {image.pixelColor(x, y).name() for x in range(0, 60) for y in range(490)}
    assert image.pixelColor(2, 2).name() == "#ffffff"
    assert "#000000" in margin


def test_pdf_and_svg_are_vector_files_of_the_size(session, view, tmp_path):
    view.axes = "pixel"
    pdf = save(session, view, tmp_path / "fig.pdf", (800, 600)).read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/Font" in pdf
    assert b"[0 0 600" in pdf  # 800 units of 1/96 inch are 600 points
    svg = save(session, view, tmp_path / "fig.svg", (800, 600)).read_text()
    assert 'viewBox="0 0 800 600"' in svg
    assert "<text" in svg
    assert "data:image/png" in svg


@pytest.mark.parametrize("name", ["fig.jpeg2", "fig", "fig.fits"])
def test_unknown_suffixes_are_refused_with_those_known(session, view, tmp_path, name):
    with pytest.raises(JvizError, match=r"\.png, \.pdf or \.svg"):
        save(session, view, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(0, 100), (5, 5), (100_000, 100_000), (10,), "large", (-3, 400)])
def test_absurd_sizes_are_refused(session, view, tmp_path, size):
    with pytest.raises(JvizError, match=r"size|pixels"):
        save(session, view, tmp_path / "fig.png", size)


def test_a_folder_that_is_not_there_is_named(session, view, tmp_path):
    with pytest.raises(JvizError, match="nowhere"):
        save(session, view, tmp_path / "nowhere" / "fig.png")


def test_a_failure_leaves_the_old_file(session, view, tmp_path, monkeypatch):
    path = save(session, view, tmp_path / "fig.png")
    before = path.read_bytes()
    monkeypatch.setattr("jviz.viewers.picture.paint", _fail)
    with pytest.raises(RuntimeError):
        save(session, view, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["fig.png"]


def _fail(*arguments, **options):
    raise RuntimeError("no ink")


def test_the_command_draws_too(session, view, tmp_path):
    path = session.render(view, tmp_path / "fig.png", size=(300, 200))
    assert QImage(str(path)).width() == 300


def test_a_large_image_is_sharp_in_a_file(session, tmp_path):
    """Every pixel of the picture is the mean of those below it, though nobody built the pyramid before."""
    data = np.random.default_rng(8).uniform(0, 1, (2400, 2400)).astype(np.float32)
    plain = {"compass": False, "scale_bar": False, "colorbar": False}
    view = session.view("image", data=session.add(data, name="big"), limits=(0.3, 0.7), stretch="linear", **plain)
    image = QImage(str(save(session, view, tmp_path / "fig.png", (150, 150))))
    for u, v in [(3, 5), (100, 60), (149, 149)]:
        mean = data[2400 - 16 * (v + 1) : 2400 - 16 * v, 16 * u : 16 * (u + 1)].mean()
        assert abs(image.pixelColor(u, v).red() - 255 * (mean - 0.3) / 0.4) <= 1


def test_viewers_give_images_and_files(show, ramp, tmp_path):
    viewer = show(ramp, size=(320, 240))
    image = viewer.grab()
    assert isinstance(image, QImage)
    assert (image.width(), image.height()) == (320, 240)
    assert QImage(str(viewer.save(tmp_path / "a.png"))).size() == image.size()
    assert QImage(str(viewer.save(tmp_path / "b.png", size=(100, 90)))).width() == 100


def test_an_empty_view_is_drawn_too(session, tmp_path):
    assert save(session, session.view("image"), tmp_path / "empty.png").exists()

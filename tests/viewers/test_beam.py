"""The beam in the corner of a picture, and the scale bar of pixels that are not square."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtGui import QImage

from jviz.viewers.image_layers import Compositor
from jviz.viewers.image_overlays import _scale
from jviz.viewers.image_paint import scene_of
from jviz.viewers.look import PAPER
from jviz.viewers.overlays.beam import beam_shown, ellipse

EAST_LEFT = np.array([[-0.5, 0.0], [0.0, 0.5]])
UP = np.array([[10.0, 0.0], [0.0, -10.0]])
"""10 screen pixels for a pixel; y of the screen points down."""


def image_of_sky(path, step=(1.0, 1.0), **cards):
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 0.0, "CRPIX1": 30.5,
                          "CRPIX2": 30.5, "CDELT1": -step[0] / 3600, "CDELT2": step[1] / 3600, **cards})  # fmt: skip
    fits.PrimaryHDU(np.zeros((60, 60), np.float32), header).writeto(path)
    return path


@pytest.mark.parametrize(("angle", "way"), [(0, (0, 1)), (90, (-1, 0)), (30, (-0.5, np.sqrt(0.75)))])
def test_the_longer_axis_points_from_north_to_east(angle, way):
    """North is up and east is left; the longer half axis of 2 arcsec is 40 screen pixels, the shorter one 20."""
    outline = ellipse((4.0, 2.0, angle), EAST_LEFT, UP)
    length = np.hypot(*outline.T)
    assert (length.max(), length.min()) == pytest.approx((40, 20), rel=1e-3)
    farthest = outline[length.argmax()] * (1, -1) / 40
    assert abs(farthest @ way) == pytest.approx(1, abs=1e-3)


def test_the_beam_is_painted_as_large_as_it_is(qapp, session, tmp_path):
    path = image_of_sky(tmp_path / "sky.fits", BMAJ=12 / 3600, BMIN=6 / 3600, BPA=40.0)
    [data] = session.open(path)
    view = session.view("image", data=data, compass=False, scale_bar=False, colorbar=False, axes="none")
    found = []
    for on in (True, False):
        view.beam = on
        image = QImage(str(session.render(view, tmp_path / f"{on}.png", size=(300, 300)))).convertToFormat(
            QImage.Format.Format_RGB32
        )
        found.append(np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy())
    y, x = np.nonzero(found[0] != found[1])
    assert x.max() < 120
    assert y.min() > 180
    assert len(x) == pytest.approx(np.pi * (30 + 2) * (15 + 2), rel=0.1)  # 5 pixels to the arcsecond, and the rim


def test_the_command_hides_the_beam_and_is_undone(session, tmp_path):
    [data] = session.open(image_of_sky(tmp_path / "sky.fits", BMAJ=1e-3, BMIN=1e-3, BPA=0.0))
    view = session.view("image", data=data)
    assert beam_shown(view) == pytest.approx((3.6, 3.6, 0))
    session.run("image.beam", view=view)
    assert not view.beam
    session.undo()
    assert view.beam


def test_images_without_a_beam_show_none(session, tmp_path):
    [data] = session.open(image_of_sky(tmp_path / "sky.fits"))
    assert beam_shown(session.view("image", data=data)) is None


@pytest.mark.parametrize(
    ("rotation", "aspect", "arcsec"),
    [(0.0, 1.0, 4.0), (90.0, 1.0, 1.0), (180.0, 1.0, 4.0), (270.0, 1.0, 1.0), (0.0, None, 4.0), (90.0, None, 4.0)],
)
def test_the_scale_bar_measures_along_the_screen(qapp, session, tmp_path, rotation, aspect, arcsec):
    """Pixels of 4 by 1 arcsec: drawn square, they count as they are turned; drawn as on the sky, always the same."""
    [data] = session.open(image_of_sky(tmp_path / "sky.fits", step=(4.0, 1.0)))
    view = session.view("image", data=data, rotation=rotation, aspect=aspect, scale=4.0, centre=(29.5, 29.5))
    _ = data.sky
    scene = scene_of(view, 400, 400, PAPER, Compositor(), ratio=1.0)
    length, text = _scale(scene)
    value = float(text[:-1]) * {"″": 1, "′": 60}[text[-1]]
    assert length / 4.0 * arcsec == pytest.approx(value, rel=1e-3)

"""Stars picked by clicks are fitted and blink with what is left of them; a light curve in a circle that is drawn."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage

from jviz.backend.photometry.psfs import moffat_psf
from jviz.catalogs import places_on, selection_name
from jviz.viewers.catalog.scatter import ScatterViewer
from tests.backend.photometry.test_psfs import pictured

STAR = moffat_psf(2.8, 3.5)


def screen(viewer, x, y):
    return QPointF(*viewer.geometry_now().to_screen(x, y)).toPoint()


def brightness(viewer, x, y):
    """Return how bright the picture is round a place, 0 to 255."""
    picture = viewer.grab().convertToFormat(QImage.Format.Format_RGB32)
    middle = screen(viewer, x, y)
    return max(QColor(picture.pixel(middle.x() + a, middle.y() + b)).value() for a in (-2, 0, 2) for b in (-2, 0, 2))


def test_stars_are_picked_by_clicks_fitted_and_blinked(session, show, qtbot):
    places = np.array([(x, y) for x in (25.2, 65.2, 105.2, 145.2) for y in (22.2, 60.6, 97.9)])
    image = pictured(STAR, *places.T, np.full(len(places), 4000.0), (120, 170))
    image = image + np.random.default_rng(2).normal(10, 1, image.shape)
    errors = StdDevUncertainty(np.ones(image.shape))
    field = session.add(CCDData(image.astype(np.float32), unit="mJy", uncertainty=errors), name="field")
    viewer = show(field, size=(680, 480), stretch="linear", limits=(0.0, 200.0))
    session.interaction.tool = "point"
    for x, y in places:
        qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=screen(viewer, x, y))
    assert len(session.subsets) == len(places)
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=screen(viewer, *places[0]))  # one of them once more
    psf = session.run("photometry.build_psf", data=field, name="psf")
    assert psf.header["NSTARS"] == len(places)
    assert psf.model.fwhm == pytest.approx(STAR.fwhm, rel=0.05)
    session.set_subsets({})
    stars = session.run("photometry.psf", data=field, psf=psf, positions=places, passes=1)
    assert places_on(stars, field) is not None
    assert places_on(stars, psf) is None  # no markers of the image on the PSF
    flux = stars.table["flux"].to_value("mJy")
    assert flux.std() < 0.005 * flux.mean()
    assert flux.mean() / 4000 == pytest.approx(1, abs=0.01)
    assert [layer.data.name for layer in viewer.state.layers[:2]] == ["field", "field residual"]
    viewer.state.update(catalog_marks=False)
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    session.interaction.tool = "pan"
    x, y = places[4]
    session.run("compare.blink", seconds=0.05, view=viewer.state)
    seen = set()

    def both():
        seen.add(brightness(viewer, x, y) > 150)
        return len(seen) == 2

    qtbot.waitUntil(both, timeout=10_000)
    session.run("compare.blink", view=viewer.state)
    qtbot.waitUntil(lambda: viewer.state.blinking is None, timeout=5000)


def test_a_light_curve_of_a_circle_that_is_drawn(session, show, qtbot, tmp_path):
    draw = np.random.default_rng(8)
    y, x = np.mgrid[:32, :40]
    level = np.where((np.arange(50) > 20) & (np.arange(50) < 30), 0.9, 1.0)
    star = 4000 * np.exp(-0.5 * ((x - 20) ** 2 + (y - 15) ** 2) / 2.25) / (2 * np.pi * 2.25)
    stack = (5 + level[:, None, None] * star + draw.normal(0, 0.5, (50, 32, 40))).astype(np.float32)
    primary = fits.PrimaryHDU()
    primary.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DATAMODL": "CubeModel", "EXPSTART": 60000.0,
                           "EXPEND": 60000.5})  # fmt: skip
    science, errors = fits.ImageHDU(stack, name="SCI"), fits.ImageHDU(np.full_like(stack, 0.5), name="ERR")
    fits.HDUList([primary, science, errors]).writeto(tmp_path / "jw01_rateints.fits")
    [data] = session.open(tmp_path / "jw01_rateints.fits")
    viewer = show(data, size=(400, 320))
    session.interaction.tool = "circle"
    start, end = screen(viewer, 20.0, 15.0), screen(viewer, 26.0, 15.0)
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(viewer, (start + end) / 2)
    qtbot.mouseMove(viewer, end)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=end)
    [name] = session.subsets
    circle = session.subsets[name].region
    assert (circle.center.x, circle.center.y, circle.radius) == pytest.approx((20, 15, 6), abs=0.3)
    curve = session.run("timeseries.light_curve", data=data, region=name, annulus=(10, 14))
    flux = np.asarray(curve.table["flux"], float)
    np.testing.assert_allclose(flux, level, atol=0.02)
    [view] = [view for view in session.views.values() if view.kind == "scatter"]
    plot = ScatterViewer(session, view)
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    plot.show()
    qtbot.waitUntil(lambda: plot.has_painted)
    scene = plot.scene_now()
    cloud = scene.clouds[0]
    across, down = scene.x.place(cloud.x.values), scene.y.place(cloud.y.values)
    assert down[25] > down[5] + 50  # the dip lies lower on the screen
    assert (np.diff(across) > 0).all()
    qtbot.keyClick(plot, Qt.Key.Key_B)  # a box round the dip selects these integrations
    corners = [QPointF(across[21] - 6, min(down[21:30]) - 300), QPointF(across[29] + 6, max(down[21:30]) + 10)]
    corners[0].setY((min(down[21:30]) + max(down[10:20])) / 2)
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=corners[0].toPoint())
    qtbot.mouseMove(plot, (corners[0] + corners[1]).toPoint() / 2)
    qtbot.mouseMove(plot, corners[1].toPoint())
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=corners[1].toPoint())
    chosen = session.subsets[selection_name(curve)].region
    assert np.flatnonzero(np.asarray(chosen)).tolist() == list(range(21, 30))

"""Pictures of cubes, spectra, catalogues, photometry, calibration and the library."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.picture_data import nodded_exposures, stages, star_ramp, transit, uncal
from tools.picture_window import opened, picture, pump, sample, settle


@picture
def cube() -> Any:
    from regions import CirclePixelRegion, PixCoord

    window = opened(sample("s3d"))
    session, view = window.session, window.viewers[0].state
    for name, centre, radius in (("nucleus", (22.0, 22.0), 3.0), ("ring", (31.0, 27.0), 4.0)):
        session.run("region.add", region=CirclePixelRegion(PixCoord(*centre), radius), name=name, data=view.data)
    view.spectral_value = 2.1758
    settle(window)
    pump(2)
    return window


@picture
def spectrum() -> Any:
    window = opened(sample("nucleus_x1d"))
    session, view = window.session, window.viewers[0].state
    for path in sample("ring_x1d"):
        [other] = session.open(path, show=False)
        session.run("view.show", view=view, data=other)
    session.run("spectrum.lines", lists=["H", "He", "H2"], redshift=0.0045, view=view)
    window.panel("spectrum")
    settle(window)
    pump(1)
    return window


@picture
def two_d_spectrum() -> Any:
    window = opened(sample("s2d"))
    session = window.session
    session.run("spectrum2d.trace", data=session.data[0])
    window.panel("extraction")
    window.docks.toggle("data")
    settle(window)
    window.viewers[0].state.update(colorbar=False)
    session.run("image.fit", view=window.viewers[0].state)
    settle(window)
    pump(2)
    return window


@picture
def catalogue() -> Any:
    window = opened(sample("i2d", "cat"))
    session, image = window.session, window.viewers[0].state
    scatter = session.run("catalog.scatter", data=session.data[-1], x="abmag", y="snr")
    [table] = [view for view in session.views.values() if view.kind == "table"]
    window.central.move(scatter.name, image.name, "right")
    window.central.move(table.name, scatter.name, "bottom")
    session.run("catalog.select", data=session.data[-1], expression="(abmag < 21) & (kind == 'galaxy')")
    window.docks.toggle("display")
    image.update(scale=0.7, centre=(1240.0, 1330.0), colorbar=False)
    settle(window)
    return window


@picture
def psf_photometry() -> Any:
    window = opened(sample("i2d", "cat"))
    session, image = window.session, window.viewers[0].state
    session.run("catalog.select", data=session.data[-1], expression="kind == 'star'")
    [table] = [view for view in session.views.values() if view.kind == "table"]
    session.run("view.close", view=table)
    psf = session.run("photometry.build_psf", data=image.data, name="star PSF")
    session.run("photometry.psf", data=image.data, psf=psf, positions="picked", name="stars", passes=1)
    [shown] = [view for view in session.views.values() if view.layers and view.layers[0].data is psf]
    shown.update(stretch="log")
    table = list(session.views.values())[-1]
    window.central.move(shown.name, image.name, "right")
    window.central.move(table.name, shown.name, "bottom")
    window.docks.toggle("display")
    place = session["stars"].table[45]
    image.update(scale=5.0, centre=(float(place["x"]), float(place["y"])), colorbar=False, catalog_marks=False)
    image.curtain = 0.5
    settle(window)
    return window


@picture
def ramp() -> Any:
    import numpy as np
    from PySide6.QtCore import QPoint
    from PySide6.QtTest import QTest

    folder = Path(tempfile.mkdtemp())
    window = opened([star_ramp(folder / "stars_ramp.fits")])
    panel, viewer = window.panel("ramp"), window.viewers[0]
    panel.gain.setValue(2.0)
    settle(window)
    viewer.state.update(colorbar=False)
    settle(window)
    u, v = viewer.geometry_now().to_screen(np.array([71.0]), np.array([64.0]))
    for beside in (2, 0):
        QTest.mouseMove(viewer, QPoint(round(float(u[0])) + beside, round(float(v[0]))))
        pump(0.5)
        settle(window)
    return window


@picture
def calibration() -> Any:
    os.environ["CRDS_SERVER_URL"] = "https://jwst-serverless-mode.stsci.edu"
    path = uncal(Path(tempfile.mkdtemp()) / "jw01234001001_02101_00001_nrcb1_uncal.fits")
    window = opened([path])
    panel = window.panel("calibration")
    end = time.monotonic() + 60
    while panel.choice is None and time.monotonic() < end:
        pump(0.1)
    panel.tree.choose_one_of({"jump"})
    panel.form("jump").fields["rejection_threshold"].setText("5")
    panel.form("jump").references["gain"].setText("/data/my_gain.fits")
    window.viewers[0].state.layers[0].index = (0, 9)
    window.viewers[0].state.colorbar = False
    settle(window)
    pump(1)
    return window


@picture
def associations() -> Any:
    path = nodded_exposures(Path(tempfile.mkdtemp()))
    window = opened([])
    [made] = window.session.run("association.make", data=sorted(map(str, path.glob("*_rate.fits"))))
    settle(window)
    panel = window.panel("associations")
    settle(window)
    window.viewers[0].state.selected = made.content.names[1]
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(1))
    pump(0.5)
    return window


@picture
def library() -> Any:
    from PySide6.QtCore import Qt

    window = opened(sample("i2d"))
    folder = Path(tempfile.mkdtemp())
    stages(folder)
    session = window.session
    session.run("library.link", folder=folder)
    session.run("library.link", folder=sample("i2d")[0].parent)
    panel = window.panel("library")
    settle(window)
    mosaic = folder / "jw09999-o001_t001_nircam_clear-f200w_i2d.fits"
    session.run("library.tag", files=mosaic, tag="best")
    session.run("library.note", file=mosaic, text="use this one")
    session.run("library.pin", files=mosaic)
    window.resizeDocks([window.docks["library"]], [520], Qt.Orientation.Vertical)
    for _ in range(6):
        pump(0.5)
        settle(window)
    panel.table.select_rows([panel.found.row_of[str(mosaic)]])
    pump(0.5)
    return window


@picture
def ccd() -> Any:
    from tests.ccd_frames import night

    folder = Path(tempfile.mkdtemp()) / "night1"
    folder.mkdir()
    night(folder)
    window = opened([])
    panel = window.panel("ccd")
    panel.folder.setText(str(folder))
    panel.folder.editingFinished.emit()
    settle(window)
    panel.run_button.click()
    settle(window)
    panel.folder.setText("/data/night1")
    pump(0.5)
    return window


@picture
def provenance() -> Any:
    folder = Path(tempfile.mkdtemp())
    mosaic = stages(folder)[-1]
    window = opened([], "light")
    window.session.run("library.link", folder=folder)
    panel = window.panel("provenance")
    panel.show_file(mosaic)
    settle(window)
    return panel.graph


@picture
def light_curve() -> Any:
    from regions import CirclePixelRegion, PixCoord

    window = opened([transit()])
    session, image = window.session, window.viewers[0].state
    data = session.data[0]
    session.run("region.add", region=CirclePixelRegion(PixCoord(32.2, 30.6), 7), name="star", data=data)
    session.run("timeseries.light_curve", data=data, region="star", annulus=(11, 18), detrend="position",
                baseline=[(60000.0, 60000.12), (60000.28, 60000.4)], name="transit")  # fmt: skip
    session.run("timeseries.light_curve", data=data, region="star", annulus=(11, 18), bin_size=16, name="binned")
    curves = [view for view in session.views.values() if view.kind == "scatter"]
    for curve, above in zip(curves, (image, curves[0]), strict=True):
        window.central.move(curve.name, above.name, "right" if above is image else "bottom")
    curves[0].y_range = (0.982, 1.004)
    image.update(colorbar=False)
    window.docks.show("display")
    settle(window)
    window.docks.toggle("display")
    settle(window)
    pump(1)
    return window


@picture
def simulation() -> Any:
    window = opened([])
    window.session.run("simulate.exposures", seed=7, size=320)
    settle(window)
    window.invoker.trigger("simulate.exposures")
    pump(1.0)
    form = next(widget for widget in window.children() if type(widget).__name__ == "Form")
    form.adjustSize()
    return form

"""Draws the pictures of the documentation from the real window: ``python tools/make_pictures.py``."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
FOLDER = ROOT / "docs" / "images"
SIZE = (1360, 860)


def pump(seconds: float) -> None:
    """Let the window live for a while."""
    from PySide6.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.003)


def settle(window: Any) -> None:
    """Wait until nothing more is to come."""
    calm, end = 0, time.monotonic() + 60
    while calm < 60 and time.monotonic() < end:
        pump(0.01)
        quiet = all(job.is_over for job in window.session.jobs.all) and all(v.is_sharp for v in window.viewers)
        calm = calm + 1 if quiet else 0


def opened(files: list[Path], theme: str = "dark") -> Any:
    """Open a window as a user would."""
    import jviz

    window = jviz.launch([str(f) for f in files])
    window.theme.wear(theme)
    window.resize(*SIZE)
    settle(window)
    return window


def sample(*words: str) -> list[Path]:
    """Return samples by parts of their names."""
    from jviz.backend.demo import sample_files

    return [path for word in words for path in sample_files() if word in path.name]


def window_dark() -> Any:
    window = opened(sample("i2d"))
    window.viewers[0].state.update(axes="sky", grid=False)
    return window


def window_light() -> Any:
    window = opened(sample("i2d", "s3d"), "light")
    window.session.run("view.split_right")
    window.session.views["Image 1"].colormap = "inferno"
    return window


def welcome() -> Any:
    return opened([])


def palette() -> Any:
    window = opened(sample("i2d"))
    window.session.run("window.palette")
    pump(0.3)
    type_into_focus("zoom")
    return window


def header() -> Any:
    window = opened(sample("i2d"))
    window.panel("header")
    return window


def display() -> Any:
    window = opened(sample("i2d"))
    state = window.viewers[0].state
    state.update(scale=2.0, centre=(1390.0, 1420.0))
    window.session.run("image.stretch", stretch="asinh", parameter=0.02, view=state)
    state.colormap = "magma"
    settle(window)
    return window.panel("display")


def grid() -> Any:
    window = opened(sample("i2d"))
    window.viewers[0].state.update(axes="sky", grid=True, colorbar=False)
    settle(window)
    return window.viewers[0]


def regions(theme: str = "dark") -> Any:
    import astropy.units as u
    from regions import (
        CircleAnnulusPixelRegion,
        CirclePixelRegion,
        EllipsePixelRegion,
        PixCoord,
        PolygonPixelRegion,
        RectanglePixelRegion,
    )

    window = opened(sample("i2d"), theme)
    session, view = window.session, window.viewers[0].state
    view.update(scale=0.52, centre=(1240.0, 1330.0), colorbar=False)
    data = session.data[0]
    corners = PixCoord([680, 960, 1060, 900, 720], [830, 900, 780, 690, 700])
    for name, region in (
        ("galaxy", EllipsePixelRegion(PixCoord(1395, 1440), 430, 330, 50 * u.deg)),
        ("bulge", CirclePixelRegion(PixCoord(1395, 1440), 60)),
        ("sky", CircleAnnulusPixelRegion(PixCoord(905, 1130), 90, 140)),
        ("edge", PolygonPixelRegion(corners)),
        ("star", RectanglePixelRegion(PixCoord(1470, 1010), 110, 80, 20 * u.deg)),
    ):
        session.run("region.add", region=region, name=name, data=data, group="cloud" if name == "edge" else "")
    session.run("region.transform", name=["galaxy", "bulge", "sky"], to="sky")
    window.panel("regions")
    session.interaction.select(["galaxy"])
    settle(window)
    pump(1)
    return window


def console() -> Any:
    window = opened(sample("i2d"))
    panel = window.panel("console")
    pump(3)
    panel.run("session['simulated_field_i2d'].get(np.ndarray).mean()")
    pump(1)
    panel.run("view.colormap = 'cividis'")
    pump(1)
    return window


def chooser() -> Any:
    from jviz.backend.io.registry import open_products
    from jviz.window.chooser import Chooser

    window = opened([])
    path = several_images()
    dialog = Chooser(window, {str(path): open_products(path)})
    dialog.show()
    pump(0.3)
    return dialog


def curtain() -> Any:
    window = opened([])
    folder = Path(os.environ["JVIZ_HOME"])
    window.session.open(*three_filters(folder)[:2], show=False)
    view = window.session.view("image", data="galaxies_f090w")
    window.session.run("view.show", view=view, data="galaxies_f444w")
    view.update(axes="sky", colorbar=False, scale=0.9)
    for layer, colours in zip(view.layers, ("gray", "inferno"), strict=True):
        layer.colormap = colours
    window.session.run("compare.curtain", at=0.45, view=view)
    settle(window)
    return window


def tiles() -> Any:
    window = opened([])
    window.session.open(*three_filters(Path(os.environ["JVIZ_HOME"])), show=False)
    first, *others = window.session.names
    view = window.session.view("image", data=first)
    for name in others:
        window.session.run("view.show", view=view, data=name)
    window.session.run("view.tile_layers")
    settle(window)
    return window


def composite() -> Any:
    window = opened([])
    window.session.open(*three_filters(Path(os.environ["JVIZ_HOME"])), show=False)
    names = window.session.names
    view = window.session.run("image.compose_rgb", data=names, limits=[(1.0, 60.0)] * 3, stretch=0.3)
    view.update(scale=0.9)
    settle(window)
    return window


def three_filters(folder: Path) -> list[Path]:
    """Write a field of blue and red galaxies as seen through three filters, each turned its own way."""
    import numpy as np
    from astropy.io import fits
    from astropy.wcs import WCS

    random = np.random.default_rng(4)
    count, shape = 90, (900, 900)
    east, north = random.uniform(-11, 11, (2, count)) / 3600
    colour, flux, size = (
        random.normal(0, 0.7, count),
        10 ** random.uniform(1.0, 3.2, count),
        random.gamma(3, 1.3, count),
    )
    axis, turn = random.uniform(0.3, 1, count), random.uniform(0, np.pi, count)
    y, x = np.mgrid[-40:41, -40:41]
    paths = []
    for name, tilt, angle in (("F090W", -1.0, 0.0), ("F444W", 1.0, 33.0), ("F200W", 0.0, -12.0)):
        header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": name, "BUNIT": "MJy/sr"})
        cos, sin, step = np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.03 / 3600
        header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 450.5, "CRPIX2": 450.5, "CRVAL1": 150.1,
                       "CRVAL2": 2.3, "CD1_1": -step * cos, "CD1_2": step * sin, "CD2_1": step * sin,
                       "CD2_2": step * cos})  # fmt: skip
        places = WCS(header).all_world2pix(150.1 + east / np.cos(np.radians(2.3)), 2.3 + north, 0)
        image = random.normal(1.5, 0.6, (shape[0] + 160, shape[1] + 160)).astype("f4")
        for number, (px, py) in enumerate(zip(*places, strict=True)):
            column, row = round(px), round(py)
            if not (-40 <= column < shape[1] + 40 and -40 <= row < shape[0] + 40):
                continue
            a = turn[number] - np.radians(angle)
            dx, dy = x + column - px, y + row - py
            u, v = dx * np.cos(a) + dy * np.sin(a), (dy * np.cos(a) - dx * np.sin(a)) / axis[number]
            profile = np.exp(-(np.hypot(u, v) / size[number]))
            light = flux[number] * np.exp(tilt * colour[number]) / size[number] ** 1.2
            image[row + 40 : row + 121, column + 40 : column + 121] += light * profile
        paths.append(folder / f"galaxies_{name.lower()}.fits")
        fits.writeto(paths[-1], image[80:-80, 80:-80], header, overwrite=True)
    return paths


def several_images() -> Path:
    """Write a file with three exposures."""
    import numpy as np
    from astropy.io import fits

    random = np.random.default_rng(3)
    units = [fits.PrimaryHDU()]
    for number in (1, 2, 3):
        shape = (256 * number, 256)
        for name in ("SCI", "ERR"):
            unit = fits.ImageHDU(random.normal(size=shape).astype("f4"), name=name, ver=number)
            unit.header["BUNIT"] = "MJy/sr"
            units.append(unit)
    path = Path(os.environ["JVIZ_HOME"]) / "three_exposures.fits"
    fits.HDUList(units).writeto(path, overwrite=True)
    return path


def type_into_focus(text: str) -> None:
    """Type where the keyboard is."""
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    QTest.keyClicks(QApplication.focusWidget() or QApplication.activeWindow(), text)
    pump(0.3)


def data_quality() -> Any:
    window = opened(sample("i2d"))
    window.session.run("dq.overlay")
    window.panel("flags")
    settle(window)
    return window


def footprints() -> Any:
    window = opened(sample("i2d"))
    for aperture, angle in (("NRCA5_FULL", 30), ("NRS_FULL_MSA", 70)):
        window.session.run("footprint.place", aperture=aperture, pa=angle)
    window.panel("footprints")
    window.session.run("image.zoom_out", factor=5)
    settle(window)
    return window


def figure() -> Any:
    """Return what draws a figure as Export Figure writes it."""
    from jviz.viewers.figure import Sheet, figure_image

    window = opened(sample("i2d"))
    view = window.viewers[0].state
    view.update(axes="sky", colormap="inferno")
    window.session.run("dq.overlay", flags=["JUMP_DET", "HOT"])
    settle(window)
    sheet = Sheet(12 / 2.54, 9 / 2.54, 200, font=0.8, title="Simulated field")
    picture = figure_image(window.session, view, sheet)
    return SimpleNamespace(grab=lambda: picture)


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


def two_d_spectrum() -> Any:
    window = opened(sample("s2d"))
    session = window.session
    session.run("spectrum2d.trace", data=session.data[0])
    window.panel("extraction")
    window.docks.toggle("data")
    settle(window)
    window.viewers[0].state.update(scale=3.0, centre=(560.0, 31.5), colorbar=False)
    settle(window)
    pump(2)
    return window


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


PICTURES: dict[str, Callable[[], Any]] = {
    "window-dark": window_dark,
    "window-light": window_light,
    "welcome": welcome,
    "palette": palette,
    "header": header,
    "display": display,
    "grid": grid,
    "regions": regions,
    "console": console,
    "chooser": chooser,
    "curtain": curtain,
    "tiles": tiles,
    "composite": composite,
    "data-quality": data_quality,
    "footprints": footprints,
    "figure": figure,
    "cube": cube,
    "spectrum": spectrum,
    "two-d-spectrum": two_d_spectrum,
    "catalogue": catalogue,
    "psf-photometry": psf_photometry,
}


def main(names: list[str]) -> None:
    """Draw all pictures, or those named, each in a process with settings and folders of its own."""
    FOLDER.mkdir(exist_ok=True)
    if len(names) == 1:
        draw(names[0])
        return
    for name in names or PICTURES:
        with tempfile.TemporaryDirectory() as home:
            environment = {**os.environ, "JVIZ_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
            subprocess.run([sys.executable, __file__, name], env=environment, check=True)


def draw(name: str) -> None:
    """Draw one picture in this process."""
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    widget = PICTURES[name]()
    pump(0.5)
    picture = widget.grab()
    picture = picture if isinstance(picture, QImage) else picture.toImage()
    picture.convertToFormat(QImage.Format.Format_RGB32).save(str(FOLDER / f"{name}.png"))
    for window in QApplication.topLevelWidgets():
        if hasattr(window, "close_at_once"):  # menus are windows too
            window.close_at_once()
    pump(0.3)


if __name__ == "__main__":
    main(sys.argv[1:])

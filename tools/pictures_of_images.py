"""Pictures of the window, of image viewers and of what compares and measures them."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tools.picture_data import several_images, three_filters
from tools.picture_window import opened, picture, pump, sample, settle, type_into_focus


@picture
def window_dark() -> Any:
    window = opened(sample("i2d"))
    window.viewers[0].state.update(axes="sky", grid=False)
    return window


@picture
def window_light() -> Any:
    from regions import CirclePixelRegion, PixCoord

    window = opened(sample("i2d", "s3d"), "light")
    session = window.session
    session.run("view.split_right")
    session.views["Image 1"].colormap = "inferno"
    nucleus = CirclePixelRegion(PixCoord(22.0, 22.0), 3.0)
    session.run("region.add", region=nucleus, name="nucleus", data=session.views["Cube 1"].data)
    settle(window)
    pump(2)
    return window


@picture
def welcome() -> Any:
    return opened([])


@picture
def palette() -> Any:
    window = opened(sample("i2d"))
    window.session.run("window.palette")
    pump(0.3)
    type_into_focus("zoom")
    return window


@picture
def header() -> Any:
    window = opened(sample("i2d"))
    window.panel("header")
    return window


@picture
def display() -> Any:
    window = opened(sample("i2d"))
    state = window.viewers[0].state
    state.update(scale=2.0, centre=(1390.0, 1420.0))
    window.session.run("image.stretch", stretch="asinh", parameter=0.02, view=state)
    state.colormap = "magma"
    settle(window)
    return window.panel("display")


@picture
def grid() -> Any:
    window = opened(sample("i2d"))
    window.viewers[0].state.update(axes="sky", grid=True, colorbar=False)
    settle(window)
    return window.viewers[0]


@picture
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


@picture
def console() -> Any:
    window = opened(sample("i2d"))
    panel = window.panel("console")
    pump(3)
    panel.run("session['simulated_field_i2d'].get(np.ndarray).mean()")
    pump(1)
    panel.run("view.colormap = 'cividis'")
    pump(1)
    return window


@picture
def chooser() -> Any:
    from jviz.backend.io.registry import open_products
    from jviz.window.chooser import Chooser

    window = opened([])
    path = several_images()
    dialog = Chooser(window, {str(path): open_products(path)})
    dialog.show()
    pump(0.3)
    return dialog


@picture
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


@picture
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


@picture
def composite() -> Any:
    window = opened([])
    window.session.open(*three_filters(Path(os.environ["JVIZ_HOME"])), show=False)
    names = window.session.names
    view = window.session.run("image.compose_rgb", data=names, limits=[(1.0, 60.0)] * 3, stretch=0.3)
    view.update(scale=0.9)
    settle(window)
    return window


@picture
def data_quality() -> Any:
    window = opened(sample("i2d"))
    window.session.run("dq.overlay")
    window.panel("flags")
    settle(window)
    return window


@picture
def footprints() -> Any:
    window = opened(sample("i2d"))
    for aperture, angle in (("NRCA5_FULL", 30), ("NRS_FULL_MSA", 70)):
        window.session.run("footprint.place", aperture=aperture, pa=angle)
    window.panel("footprints")
    window.session.run("image.zoom_out", factor=5)
    settle(window)
    return window


@picture
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

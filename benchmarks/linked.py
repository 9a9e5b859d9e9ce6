"""How long frames of linked images take: two and four 4k layers on one sky, blinking, differences, many views."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Row, measure, offscreen

__all__ = ["rows"]

SIZE = (1000, 800)
SIDE = 4096


def rows() -> list[Row]:
    """Measure layers, blinking, differences, links, and how exact the drawn overlay is."""
    with offscreen() as (application, folder):
        return [*_layers(application, folder), *_difference(application, folder), *_many(folder)]


def write(path: Path, side: int, *, angle: float = 0.0, bend: float = 1.0, seed: int = 0) -> Path:
    """Write an image with TAN-SIP turned by an angle."""
    from astropy.io import fits

    cos, sin, step = math.cos(math.radians(angle)), math.sin(math.radians(angle)), 0.031 / 3600
    header = fits.Header({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRPIX1": side / 2, "CRPIX2": side / 2,
                          "CRVAL1": 150.0, "CRVAL2": 2.2, "CD1_1": -step * cos, "CD1_2": step * sin,
                          "CD2_1": step * sin, "CD2_2": step * cos, "A_ORDER": 3, "B_ORDER": 3})  # fmt: skip
    terms = {"A_2_0": 3e-6, "A_1_1": -2e-6, "A_0_2": 1e-6, "A_3_0": 4e-10, "B_2_0": -2e-6, "B_1_1": 3e-6, "B_0_2": 2e-6}
    header.update({name: value * bend * 2000 / side for name, value in terms.items()})
    data = np.random.default_rng(seed).normal(size=(side, side)).astype("f4")
    fits.writeto(path, data, header, overwrite=True)
    return path


def _wait(application: Any, viewer: Any, seconds: float = 60.0) -> None:
    from jviz.backend.render import kernels

    end = time.monotonic() + seconds
    while not (viewer.is_sharp and kernels.ready) and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.002)


def _shown(session: Any, names: list[str]) -> Any:
    from jviz.viewers.image import ImageViewer

    view = session.view("image", data=names[0])
    for name in names[1:]:
        session.run("view.show", view=view, data=name)
    for number, layer in enumerate(view.layers):
        layer.opacity = 1.0 if number == 0 else 0.5
    viewer = ImageViewer(session, view)
    viewer.resize(*SIZE)
    viewer.show()
    return viewer


def _panning(viewer: Any) -> Callable[[], None]:
    steps, fit = count(), viewer.geometry_now()

    def pan() -> None:
        n = next(steps)
        across, along = 200 * math.sin(0.031 * n), 150 * math.sin(0.023 * n)
        viewer.state.centre = (fit.centre[0] + across / fit.scale, fit.centre[1] + along / fit.scale)
        viewer._moving = True
        viewer.refresh()
        viewer.repaint()

    return pan


def _layers(application: Any, folder: Path) -> list[Row]:
    import jviz

    session, found = jviz.Session(settings={}), []
    paths = [write(folder / f"sip{n}.fits", SIDE, angle=20.0 * n, bend=1 - 0.6 * n, seed=n) for n in range(4)]
    session.open(*paths, show=False)
    for number, limit in ((2, 16.0), (4, 33.0)):
        viewer = _shown(session, session.names[:number])
        for scale, name in ((1.0, "one to one"), (0.31, "zoomed out"), (6.0, "magnified")):
            viewer.state.update(scale=scale, centre=(2000.0, 2100.0))
            _wait(application, viewer)
            found.append(
                measure(f"{number} layers 4k SIP by sky: pan, {name}", _panning(viewer), repeat=120, limit=limit,
                        limit_worst=33.0 if number == 2 else 50.0)
            )  # fmt: skip
            if number == 2:
                found.append(_error(viewer, name))
        if number == 2:
            found.append(_blink(application, viewer))
        viewer.close()
        viewer.release()
    session.close()
    return found


def _blink(application: Any, viewer: Any) -> Row:
    view, turns = viewer.state, count()
    view.update(scale=1.0, blink=30.0)
    _wait(application, viewer)

    def step() -> None:
        view.blinking = next(turns) % 2
        viewer.refresh()
        viewer.repaint()

    row = measure("blink step, two layers 4k", step, repeat=60, limit=16.0, limit_worst=33.0)
    view.update(blink=0.0)
    return row


def _error(viewer: Any, name: str) -> Row:
    """Compare the drawn place of the upper layer with the exact transform at every fifth pixel of the screen."""
    from jviz.viewers.image_places import placed

    view = viewer.state
    first, layer = view.layers[0].data, view.layers[-1]
    geometry = viewer.geometry_now()
    place = placed(view, layer, layer.data.shape, geometry, 1.0)
    u, v = np.meshgrid(np.arange(2, int(geometry.width), 5), np.arange(2, int(geometry.height), 5))
    mesh = place.mesh
    i, j = v // mesh.step, u // mesh.step
    down, right = v / mesh.step - i, u / mesh.step - j
    drawn = []
    for grid in (mesh.x, mesh.y):
        top = grid[i, j] * (1 - right) + grid[i, j + 1] * right
        low = grid[i + 1, j] * (1 - right) + grid[i + 1, j + 1] * right
        drawn.append(top * (1 - down) + low * down)
    exact = layer.data.sky.sky_to_pixel(*first.sky.pixel_to_sky(*geometry.to_data(u + 0.5, v + 0.5)))
    wrong = np.nanmax(np.hypot(drawn[0] - exact[0], drawn[1] - exact[1])) / place.step
    return Row(
        f"overlay against exact transform, {name}", 1000 * float(wrong), "thousandths of a screen px", limit=50.0
    )


def _difference(application: Any, folder: Path) -> list[Row]:
    import jviz

    session = jviz.Session(settings={})
    paths = [write(folder / f"two{n}.fits", 2048, angle=20.0 * n, bend=1 - 0.6 * n, seed=n) for n in range(2)]
    session.open(*paths, show=False)
    viewer = _shown(session, session.names)
    _wait(application, viewer)

    def difference() -> None:
        session.run("compare.difference", view=viewer.state)
        while viewer.state.layer.shown_limits is None:
            application.processEvents()
        viewer.refresh()
        viewer.repaint()
        session.undo()

    first = measure("difference of two 2k images, from the command to the picture", difference, repeat=5,
                    limit=300.0)  # fmt: skip
    session.run("compare.difference", view=viewer.state)
    viewer.state.update(scale=1.0, centre=(1000.0, 1000.0))
    _wait(application, viewer)
    second = measure("difference of two 2k images: pan", _panning(viewer), repeat=60, limit=33.0)
    viewer.close()
    viewer.release()
    session.close()
    return [first, second]


def _many(folder: Path) -> list[Row]:
    """Add the 100th linked view, and move all of them."""
    import jviz

    session = jviz.Session(settings={})
    paths = [write(folder / f"many{n}.fits", 64, angle=3.0 * n, seed=n) for n in range(101)]
    session.open(*paths, show=False)
    for data in session.data:
        data.sky  # noqa: B018
    locks = ("pan", "zoom", "rotation", "cursor")
    first = session.view("image", data=session.names[0])
    for name in session.names[:99]:
        session.view("image", data=name, locks=locks)
    first.update(locks=locks, centre=(30.0, 31.0), scale=4.0)

    def add() -> None:
        session.view("image", data=session.names[100], locks=locks)

    views = session.views

    def back() -> None:
        session.set_views(tuple(views.values()))

    times = []
    for _ in range(5):
        start = time.perf_counter()
        add()
        times.append(1000 * (time.perf_counter() - start))
        back()
    steps = count()

    def move() -> None:
        first.centre = (30.0 + 0.01 * next(steps), 31.0)

    moved = measure("moving one of 100 linked views: all follow", move, repeat=20)
    layered = session.view("image", data=session.names[0])
    for name in session.names[1:99]:
        session.run("view.show", view=layered, data=name)
    start = time.perf_counter()
    session.run("view.show", view=layered, data=session.names[99])
    stacked = 1000 * (time.perf_counter() - start)
    session.close()
    return [
        Row("adding the 100th linked view, main thread", float(np.median(times)), limit=50.0),
        Row("adding the 100th layer to a view, main thread", stacked, limit=50.0),
        moved,
    ]

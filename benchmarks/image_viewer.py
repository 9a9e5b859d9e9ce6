"""How long a frame of the image viewer takes: the real paint event, at 1000 × 800 and on a 4K screen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

from benchmarks.make_big import big_image
from benchmarks.timing import Row, measure, offscreen

__all__ = ["rows"]

SIZES = {"1000 × 800": (1000, 800), "3840 × 2160": (3840, 2160)}
FRAME, WORST = 16.0, 33.0


def rows() -> list[Row]:
    """Measure frames on a 2k and on the 20k image."""
    with offscreen() as (application, folder):
        found = [row for path in (_mosaic(folder), big_image()) for row in _of_file(application, path)]
    return found


def _mosaic(folder: Path) -> Path:
    from jviz.backend.demo import make_demo

    return next(path for path in make_demo(folder) if "i2d" in path.name or "mosaic" in path.name)


def _of_file(application: Any, path: Path) -> Iterator[Row]:
    import jviz
    from jviz.viewers.image import ImageViewer

    session = jviz.Session()
    data = session.open(path, show=False)[0]
    viewer = ImageViewer(session, session.view("image", data=data))
    viewer.show()
    for size, (width, height) in SIZES.items():
        viewer.resize(width, height)
        _wait(application, viewer)
        yield from _frames(application, viewer, f"{max(data.shape) // 1000}k image, {size}")
    viewer.close()
    viewer.release()
    session.close()


def _wait(application: Any, viewer: Any, seconds: float = 60.0) -> None:
    from jviz.backend.render import kernels

    end = time.monotonic() + seconds
    while not (viewer.is_sharp and kernels.ready) and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.002)


def _frames(application: Any, viewer: Any, name: str) -> Iterator[Row]:
    view, layer = viewer.state, viewer.state.layer
    frame = partial(_frame, viewer)
    row = partial(measure, repeat=120, limit=FRAME, limit_worst=WORST)
    steps = count()
    low, high = layer.limits
    fit = viewer.geometry_now()

    def pan() -> None:
        n = next(steps)
        across, along = 200 * math.sin(0.031 * n), 150 * math.sin(0.023 * n)
        view.centre = (fit.centre[0] + across / view.scale, fit.centre[1] + along / view.scale)

    def zoom() -> None:
        view.scale = fit.scale * 20 ** (0.5 + 0.5 * math.sin(0.02 * next(steps)))

    view.update(centre=fit.centre, scale=1.0)
    _wait(application, viewer)
    yield row(f"{name}: pan, one to one", frame(pan, moving=True))
    view.update(centre=fit.centre, scale=fit.scale * 1.7)
    _wait(application, viewer)
    yield row(f"{name}: pan, zoomed out", frame(pan, moving=True))
    yield row(f"{name}: zoom", frame(zoom, moving=True))
    view.update(centre=fit.centre, scale=fit.scale * 1.7, rotation=30.0)
    _wait(application, viewer)
    yield row(f"{name}: pan, turned by 30°", frame(pan, moving=True))
    view.update(rotation=0.0, axes="sky", grid=True)
    _wait(application, viewer)
    yield row(f"{name}: pan with sky axes and grid", frame(pan, moving=True))
    view.update(axes="none", grid=False, centre=None, scale=None)
    _wait(application, viewer)
    shifts = cycle(range(100))
    yield row(f"{name}: limits", frame(lambda: setattr(layer, "limits", (low, high * (1 + next(shifts) / 100)))))
    stretches, maps = cycle(("linear", "asinh", "log", "sqrt")), cycle(("gray", "viridis", "inferno", "RdBu"))
    yield row(f"{name}: stretch", frame(lambda: setattr(layer, "stretch", next(stretches))))
    yield row(f"{name}: colour map", frame(lambda: setattr(layer, "colormap", next(maps))))
    biases = cycle(range(50))
    yield row(f"{name}: bias", frame(lambda: setattr(layer, "bias", 0.3 + next(biases) / 100)))


def _frame(viewer: Any, change: Callable[[], None], *, moving: bool = False) -> Callable[[], None]:
    """Return a function that changes the state and paints.

    ``moving`` frames are drawn as during a drag, at half resolution on large screens; the others as single
    changes are, in full.
    """

    def run() -> None:
        change()
        viewer._moving = moving
        viewer.refresh()
        viewer.repaint()

    return run

"""How a cube of 1.3 GB is looked at: the first slice, each further one, slabs, sides, and the memory it takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.make_cube import big_cube
from benchmarks.timing import Row, measure, offscreen, once, resident

__all__ = ["rows", "viewing"]

SIZE = (1000, 800)


def rows() -> list[Row]:
    """Measure a cube viewer without and with the copy of spectra."""
    path = big_cube()
    with offscreen() as (application, _):
        return viewing(application, path)


def drop_from_memory(path: Path) -> None:
    """Have the system forget the pages of a file, so that it is read from the disk."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def settle(application: Any, viewer: Any, seconds: float = 120.0) -> None:
    """Wait until a viewer has nothing more to come."""
    from jviz.backend.render import kernels

    end = time.monotonic() + seconds
    while not (viewer.is_sharp and kernels.ready) and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.001)


def viewing(application: Any, path: Path) -> list[Row]:
    """Measure a cube viewer on a file."""
    from jviz import cube_copies
    from jviz.backend.cubes import planes, store
    from jviz.backend.cubes.source import CubeSource
    from jviz.backend.render import kernels
    from jviz.commands import all_commands
    from jviz.session import Session
    from jviz.viewers.cube import CubeViewer
    from jviz.viewers.image_tools import overlays

    all_commands(), overlays()  # the program has imported them long before a cube is opened
    kernels.warm_up()
    session = Session({})
    found: dict[str, Any] = {}

    def first() -> None:
        [cube] = session.open(path, show=False)
        cube_copies._begun.add(cube)  # the copy is made, and timed, later
        view = session.view("cube", data=cube)
        viewer = CubeViewer(session, view)
        viewer.resize(*SIZE)
        viewer.show()
        while not viewer.has_painted:
            application.processEvents()
            time.sleep(0.001)
        found.update(cube=cube, viewer=viewer)

    drop_from_memory(path)
    bare = resident()
    made = [once("first slice, cold", first, limit=500)]
    cube, viewer = found["cube"], found["viewer"]
    cube.axis  # noqa: B018
    settle(application, viewer)
    made.append(measure("change of slice, in order", _steps(viewer, 1), repeat=400, limit=10, limit_worst=33))
    made.append(measure("change of slice, at random", _steps(viewer, 733), repeat=400, limit=10, limit_worst=33))
    made.append(Row("memory above the bare program", resident() - bare, "MB", limit=700))
    made.append(once("slab of 300 channels from the file, rough", _slab(application, viewer, 0, rough=True), limit=100))
    settle(application, viewer)
    viewer.state.slab = None
    made += _live(application, viewer, "from the file", (100, 1000))
    size = path.stat().st_size / 1.28e9
    planes.plane_statistics(CubeSource(_few(cube)))  # compiles
    made.append(once("statistics of every slice", lambda: planes.plane_statistics(cube.source()), limit=1500 * size))
    made.append(once("copy of the spectra", lambda: store.build(cube.source(), cube.axis), limit=12_000 * size))
    cube_copies._copies.clear()
    made += _live(application, viewer, "with the copy", (8, 16))
    steps = count(1)
    made.append(measure("slab of 300 channels dragged, with the copy",
                        lambda: _slab(application, viewer, next(steps))(), repeat=40, limit=50))  # fmt: skip
    session.run("cube.axes", side="wavelength-x", view=viewer.state)
    settle(application, viewer)
    made.append(measure("change of slice, wavelength and x",
                        lambda: _other_side(application, viewer), repeat=20, limit=100))  # fmt: skip
    made.append(Row("memory above the bare program at the end", resident() - bare, "MB", limit=700))
    viewer.release()
    viewer.close()
    session.close()
    return made


def _few(cube: Any) -> Any:
    """Return a plane of the first channels only."""
    plane = cube.plane()
    return replace(plane, shape=(2, *plane.shape[1:]), load=lambda progress: plane.raw()[:2], identity=None, _raw=None)


def _live(application: Any, viewer: Any, how: str, limits: tuple[float, float]) -> list[Row]:
    """Measure how soon the spectrum under the cursor, and that of a region of 30 pixels, is seen after a move."""
    from regions import CirclePixelRegion, PixCoord

    from jviz.viewers.spectrum.viewer import SpectrumViewer

    session, cube = viewer.session, viewer.state.layer.data
    plot = SpectrumViewer(session, session.view("spectrum"))
    plot.resize(*SIZE)
    plot.show()
    while session.cube_spectra.reader(cube) is None:
        application.processEvents()
        time.sleep(0.001)
    ny, nx = cube.shape[1:]
    steps = count(1)
    seen: list[bool] = []
    note = partial(seen.append, True)
    session.live_spectra.changed.connect(note)

    def until_seen() -> None:
        while not seen:
            application.processEvents()
            time.sleep(0.0002)
        plot.repaint()

    def move() -> None:
        seen.clear()
        number = next(steps)
        session.pointer.move(viewer.state, number * 7 % nx, number * 3 % ny)
        until_seen()

    def drag() -> None:
        seen.clear()
        number = next(steps) % 20
        circle = CirclePixelRegion(PixCoord(40.0 + number, 45 + number / 2), 30)
        session.set_subsets({"core": session.subsets["core"].but(region=circle)})
        until_seen()

    made = [measure(f"spaxel under the cursor, {how}", move, repeat=60, limit=limits[0])]
    session.subset("core", CirclePixelRegion(PixCoord(40, 45), 30), data=cube)
    until_seen()
    made.append(measure(f"region of radius 30 dragged, {how}", drag, repeat=40, limit=limits[1]))
    session.live_spectra.changed.disconnect(note)
    session.run("view.close", view=plot.state)
    plot.release()
    plot.close()
    session.undo()
    session.undo()
    session.set_subsets({})
    return made


def _steps(viewer: Any, by: int) -> Callable[[], None]:
    """Return what sets the next slice and draws it, to the last pixel."""

    def change() -> None:
        viewer.state.slice = (viewer.state.slice + by) % viewer.state.layer.count
        viewer.refresh()
        viewer.repaint()
        raster = viewer.state.layer.raster()
        assert raster.block(raster.bounds, 1.0) is not None

    return change


def _slab(application: Any, viewer: Any, number: int, *, rough: bool = False) -> Callable[[], None]:
    layer = viewer.state.layer

    def change() -> None:
        low = 5.2 + 0.004 * number
        layer.slab = (low, low + 0.24, "moment0")
        viewer.refresh()
        while True:
            raster = layer.raster()
            rasters = [raster, layer.rough_raster()] if rough else [raster]
            if any(r is not None and r.block(r.bounds, 1.0) is not None for r in rasters):
                break
            application.processEvents()
            time.sleep(0.0005)
        viewer.repaint()

    return change


def _other_side(application: Any, viewer: Any) -> None:
    layer = viewer.state.layer
    layer.slab = None
    layer.slice = (layer.slice + 7) % layer.count
    viewer.refresh()
    raster = layer.raster()
    while raster.block(raster.bounds, 8.0) is None:
        application.processEvents()
        time.sleep(0.0005)
    viewer.repaint()

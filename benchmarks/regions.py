"""How long thousands of regions take: until all are seen, panned, and one of them dragged with its statistics."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.linked import SIDE, _panning, _shown, _wait, write
from benchmarks.timing import Row, measure, offscreen

__all__ = ["rows"]

COUNT = 5000


def rows() -> list[Row]:
    """Measure circles on a sky with distortion."""
    with offscreen() as (application, folder):
        return _regions(application, folder)


def _file(path: Path) -> Path:
    draw = np.random.default_rng(1)
    ra, dec = 150 + 0.034 * (draw.random(COUNT) - 0.5), 2.2 + 0.034 * (draw.random(COUNT) - 0.5)
    radii = draw.uniform(0.3, 1.5, COUNT)
    circles = [f'circle({x:.7f},{y:.7f},{r:.3f}")' for x, y, r in zip(ra, dec, radii, strict=True)]
    path.write_text("\n".join(["fk5", *circles]))
    return path


def _regions(application: Any, folder: Path) -> list[Row]:
    import jviz

    session = jviz.Session(settings={})
    session.open(write(folder / "sky.fits", SIDE), show=False)
    viewer = _shown(session, session.names[:1])
    _wait(application, viewer)
    session.run("region.import_file", path=str(_file(folder / "many.reg")))
    found = _first(application, viewer)
    found.append(measure(f"{COUNT} regions: pan, all in view", _panning(viewer), repeat=60, limit=16.0,
                         limit_worst=33.0))  # fmt: skip
    viewer._moving = False
    found.append(measure(f"{COUNT} regions: one dragged, with statistics", _drag(viewer), repeat=60, limit=16.0))
    viewer.close()
    viewer.release()
    session.close()
    return found


def _first(application: Any, viewer: Any) -> list[Row]:
    """Measure from when the regions are there until all of them are seen, and the longest wait of the window."""
    from jviz.places import places_of
    from jviz.viewers.image_layers import ready_sky

    data, worst, start = viewer.state.data, 0.0, time.perf_counter()
    complete = False
    while not complete and time.perf_counter() < start + 30:
        began = time.perf_counter()
        application.processEvents()
        worst = max(worst, time.perf_counter() - began)
        time.sleep(0.002)
        places = places_of(viewer.session, data, ready_sky(data), at_once=False)
        complete = places.complete and len(places.subsets) == COUNT
    seen = time.perf_counter() - start
    return [
        Row(f"{COUNT} regions: until all are placed", 1000 * seen, limit=500.0),
        Row(f"{COUNT} regions: longest wait of the window meanwhile", 1000 * worst, limit=33.0),
    ]


def _drag(viewer: Any) -> Any:
    from astropy import units as u

    from jviz.region_statistics import LiveStatistics

    session, steps = viewer.session, count()
    name = next(iter(session.subsets))
    live = LiveStatistics(viewer.state.data)
    start = session.subsets[name]
    radius = start.region.radius

    def drag() -> None:
        region = start.region.copy(radius=radius + 0.01 * (next(steps) % 20) * u.arcsec)
        moved = start.but(region=region)
        session.set_subsets({**session.subsets, name: moved})
        viewer.repaint()
        live.measure(moved)

    return drag

"""How long catalogues take: a table, a scatter plot and a lasso of a million rows, 100,000 marks on an image."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import numpy as np

from benchmarks.linked import SIDE, _panning, _shown, _wait, write
from benchmarks.timing import Row, measure, offscreen, once

__all__ = ["rows"]

ROWS, MARKS, FEW = 1_000_000, 100_000, 2_900


def rows() -> list[Row]:
    """Measure with rows of a fixed seed."""
    with offscreen() as (application, folder):
        return [*_million(application), *_marks(application, folder)]


def _catalogue(session: Any, n: int, name: str, ra: float = 150.0, dec: float = 2.2, side: float = 0.034) -> Any:
    from astropy import units as u
    from astropy.table import QTable

    draw = np.random.default_rng(1)
    lon, lat = ra + side * (draw.random(n) - 0.5), dec + side * (draw.random(n) - 0.5)
    mag = draw.normal(24, 1.5, n)
    table = QTable({"ra": lon * u.deg, "dec": lat * u.deg, "F115W": mag, "F200W": mag - draw.normal(0.5, 0.3, n)})
    data = session.add(table, name=name)
    data.prepare()
    return data


def _opened(application: Any, session: Any, kind: str, **values: Any) -> Any:
    from jviz.viewers.base import viewer_types

    viewer = viewer_types()[kind](session, session.view(kind, **values))
    viewer.resize(1000, 800)
    viewer.show()
    end = time.perf_counter() + 30
    while not viewer.is_sharp and time.perf_counter() < end:
        application.processEvents()
    return viewer


def _million(application: Any) -> list[Row]:
    import jviz
    from jviz.backend.render import kernels

    kernels.warm_up()
    session = jviz.Session(settings={})
    data = _catalogue(session, ROWS, "million")
    table = _opened(application, session, "table", data=data)
    steps = count()
    bar = table.rows.verticalScrollBar()

    def scroll() -> None:
        bar.setValue(37 * next(steps))
        table.rows.viewport().repaint()

    found = [measure("1e6 rows: a step of scrolling the table", scroll, limit=16.0, limit_worst=33.0)]
    scatter = _opened(application, session, "scatter", data=data, x="F115W - F200W", y="F200W")

    def pan() -> None:
        shift = 0.01 * (next(steps) % 50)
        scatter.state.x_range = (-1.0 + shift, 2.0 + shift)
        scatter.repaint()

    found.append(measure("1e6 rows: a frame of panning the scatter plot", pan, limit=33.0, limit_worst=33.0))
    angles = np.linspace(0, 2 * np.pi, 200)
    middle = scatter.scene_now().picture.center()
    outline = np.stack([middle.x() + 250 * np.cos(angles), middle.y() + 200 * np.sin(angles)], axis=1)

    def lasso() -> None:
        chosen = scatter.held_by(scatter.state.layer, outline)
        session.run("catalog.select", data=data, rows=chosen)

    found.append(measure("1e6 rows: a lasso of 200 corners selects", lasso, repeat=10, limit=100.0))
    found.append(measure("1e6 rows: a frame with a selection", pan, limit=33.0))
    _close(session, table, scatter)
    return found


def _marks(application: Any, folder: Any) -> list[Row]:
    import jviz

    session = jviz.Session(settings={})
    session.open(write(folder / "sky.fits", SIDE), show=False)
    image = _shown(session, session.names[:1])
    _wait(application, image)
    data = _catalogue(session, MARKS, "marks")
    table = _opened(application, session, "table", data=data)
    found = [once("100,000 marks: until they are seen", lambda: _seen(application, image, data), limit=300.0)]
    found.append(measure("100,000 marks: pan, all in view", _panning(image), repeat=60, limit=16.0, limit_worst=33.0))
    # Just as many as are drawn one by one: where it began to be slow.
    table.state.layers[0].visible = False
    some = _catalogue(session, FEW, "few")
    few = _opened(application, session, "table", data=some)
    _seen(application, image, some)
    found.append(measure("2,900 marks: pan, all in view", _panning(image), repeat=60, limit=16.0, limit_worst=33.0))
    _close(session, table, few, image)
    return found


def _seen(application: Any, image: Any, data: Any) -> None:
    from jviz.catalogs import row_places

    places = row_places(image.session)
    while places.of(data, image.state.data) is None:
        application.processEvents()
    image.repaint()


def _close(session: Any, *viewers: Any) -> None:
    for viewer in viewers:
        viewer.close()
        viewer.release()
    session.close()

"""How long spectra take: ten million samples panned, a thousand spectra, the 200th added, a live one, units."""

from __future__ import annotations

import statistics
import time
from itertools import count
from typing import Any

import numpy as np

from benchmarks.timing import Row, measure, offscreen

__all__ = ["rows"]

SIZE = (1000, 700)


def rows() -> list[Row]:
    """Measure the viewer of spectra."""
    with offscreen() as (application, _):
        return [*_long(application), *_many(application), *_live(application)]


def _spectrum(n: int, name: str, seed: int = 0, errors: bool = False) -> Any:
    from jviz.backend.spectra.axis import SpectralAxis
    from jviz.backend.spectra.samples import Samples
    from jviz.spectral import made_spectrum

    draw = np.random.default_rng(seed)
    x = np.linspace(1.0, 5.0, n)
    flux = 1 + 0.3 * np.sin(x * 7 + seed) + 0.05 * draw.standard_normal(n)
    error = np.full(n, 0.05) if errors else None
    axis = SpectralAxis(x, "um", "wavelength", medium="vacuum")
    return made_spectrum(Samples(axis, flux, "mJy", error, "std" if errors else ""), name, name)


def _viewer(application: Any, data: list[Any]) -> Any:
    import jviz
    from jviz.viewers.spectrum.viewer import SpectrumViewer

    session = jviz.Session(settings={})
    for one in data:
        session.add(one)
    view = session.view("spectrum", data=data[0].name)
    viewer = SpectrumViewer(session, view)
    viewer.resize(*SIZE)
    viewer.show()
    _until(application, lambda: viewer.is_sharp)
    return viewer


def _until(application: Any, ready: Any, seconds: float = 60.0) -> tuple[float, float]:
    """Let the window live until it is ready; returns the time and its longest wait, in ms."""
    start, worst = time.perf_counter(), 0.0
    while not ready() and time.perf_counter() < start + seconds:
        began = time.perf_counter()
        application.processEvents()
        worst = max(worst, time.perf_counter() - began)
        time.sleep(0.001)
    return 1000 * (time.perf_counter() - start), 1000 * worst


def _all_drawn(application: Any, viewer: Any) -> float:
    """Paint until every curve of the view is in the picture; returns the time in ms.

    The first painting is asked for: before it the viewer still tells of the picture without what was added.
    """
    start = time.perf_counter()
    viewer.repaint()
    _until(application, lambda: viewer.is_sharp)
    taken = 1000 * (time.perf_counter() - start)
    _check_drawn(viewer)
    return taken


def _check_drawn(viewer: Any) -> None:
    """Refuse a timing of a picture that lacks curves."""
    drawn, wanted = len(viewer.scene_now().shown), len(viewer.state.layers)
    if drawn != wanted:
        raise RuntimeError(f"Only {drawn} of {wanted} spectra were drawn; the timing would be of another picture.")


def _pan(viewer: Any, low: float, high: float) -> Any:
    """Return a step of a pan; all curves must be drawn by each."""
    steps = count()

    def pan() -> None:
        shift = 0.002 * (next(steps) % 50)
        viewer.state.x_range = (low + shift, high + shift)
        viewer.repaint()
        if not viewer.is_sharp:
            raise RuntimeError("A step of the pan left spectra out; the timing would be of another picture.")

    return pan


def _end(viewer: Any) -> None:
    viewer.close()
    viewer.release()
    viewer.session.close()


def _long(application: Any) -> list[Row]:
    viewer = _viewer(application, [_spectrum(10_000_000, "long", errors=True)])
    found = [
        measure("1e7 samples with errors: pan, all in view", _pan(viewer, 1.0, 4.9), repeat=40, limit=16.0),
        measure("1e7 samples with errors: pan, 1 % in view", _pan(viewer, 2.0, 2.04), repeat=40, limit=16.0),
    ]
    viewer.session.run("spectrum.units", x="THz", y="erg / (s cm2 Angstrom)")
    whole, worst = _until(application, lambda: viewer.is_sharp and viewer.scene_now().shown)
    found += [Row("1e7 samples: other units of both axes, until drawn", whole, limit=3000.0),
              Row("1e7 samples: longest wait of the window meanwhile", worst, limit=33.0)]  # fmt: skip
    _end(viewer)
    return found


def _many(application: Any) -> list[Row]:
    from jviz.spectral import made_spectrum

    spectra = [_spectrum(2000, f"s{n}", n) for n in range(1000)]
    viewer = _viewer(application, spectra[:1])
    session, costs = viewer.session, _adding(viewer, spectra[1:200])
    first, last = statistics.median(costs[:10]), statistics.median(costs[-10:])
    found = [Row("add a spectrum: 2nd to 11th, without drawing", first, limit=10.0),
             Row("add a spectrum: 190th to 199th, without drawing", last, limit=10.0)]  # fmt: skip
    _all_drawn(application, viewer)
    found.append(measure("200 spectra of 2000 samples: pan", _pan(viewer, 1.0, 4.9), repeat=20, limit=33.0))
    rest = made_spectrum([one.samples[0] for one in spectra[200:]], "rest", "rest")
    session.add(rest)
    session.run("view.show", view=viewer.state, data=rest)
    whole = _all_drawn(application, viewer)
    found += [Row("1000 spectra: until all are drawn", whole, limit=3000.0),
              measure("1000 spectra of 2000 samples: pan", _pan(viewer, 1.0, 4.9), repeat=20, limit=100.0)]  # fmt: skip
    _end(viewer)
    viewer = _viewer(application, spectra[:1])
    last = statistics.median(_adding(viewer, [_spectrum(2000, f"one by one {n}", n) for n in range(999)])[-10:])
    _end(viewer)
    return [*found, Row("add a spectrum: 990th to 999th, without drawing", last, limit=10.0)]


def _adding(viewer: Any, spectra: list[Any]) -> list[float]:
    """Add spectra one by one to the session and the view; returns what each took, in ms."""
    session, costs = viewer.session, []
    for one in spectra:
        start = time.perf_counter()
        session.add(one)
        session.run("view.show", view=viewer.state, data=one)
        viewer._watch()
        costs.append(1000 * (time.perf_counter() - start))
    return costs


def _live(application: Any) -> list[Row]:
    spectra = [_spectrum(4000, f"s{n}", n) for n in range(20)]
    viewer = _viewer(application, spectra[:1])
    news = [_spectrum(4000, "live", n, errors=True).samples[0] for n in range(60)]
    steps = count()

    def live() -> None:
        viewer.session.live_spectra.show("spaxel", news[next(steps) % 60], "#ff8800")
        viewer.repaint()

    found = [measure("live spectrum of 4000 channels, over one other", live, repeat=60, limit=8.0)]
    for one in spectra[1:]:
        viewer.session.add(one)
        viewer.session.run("view.show", view=viewer.state, data=one)
    viewer.state.y_range = (0.0, 2.0)
    _until(application, lambda: viewer.is_sharp)
    found.append(measure("live spectrum of 4000 channels, over 20 others", live, repeat=60, limit=8.0))
    _end(viewer)
    return found

"""How long a mosaic of 10,000 × 10,000 pixels takes in tiles, and how much memory; its 800 MB are made and removed."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Row, offscreen

__all__ = ["rows"]

SIDE, STARS, SIGMA, NOISE, STRIP = 10_000, 60_000, 1.2, 0.05, 500


def rows() -> list[Row]:
    """Measure the background, the sources and the catalogue of a mosaic, each with its greatest resident memory."""
    import jviz

    with offscreen(), tempfile.TemporaryDirectory() as folder:
        path = _mosaic(Path(folder) / "mosaic_i2d.fits")
        session = jviz.Session(settings={})
        [data] = session.open(path)
        made = []
        for command, options in (("background", {"subtract": True}), ("detect", {"snr": 5}), ("catalog", {"snr": 5})):
            seconds, peak = _watched(lambda c=command, o=options: session.run(f"photometry.{c}", data=data, **o))
            made.append(Row(f"{command} of 10,000 × 10,000 pixels", seconds, "s"))
            made.append(Row("resident memory", peak / 1e9, "GB", limit=1.5))
            session.undo()
        session.close()
    return made


def _mosaic(path: Path) -> Path:
    """Write a field of stars with its errors, a strip at a time."""
    from astropy.io import fits

    draw = np.random.default_rng(3)
    x, y = draw.uniform(15, SIDE - 15, (2, STARS))
    flux, around = NOISE * 10 ** draw.uniform(1.5, 4, STARS), np.arange(-10, 11)
    image = np.lib.format.open_memmap(path.with_suffix(".npy"), "w+", np.float32, (SIDE, SIDE))
    for first in range(0, SIDE, STRIP):
        image[first : first + STRIP] = draw.normal(0.3, NOISE, (STRIP, SIDE))
    for px, py, f in zip(x, y, flux, strict=True):
        i, j = round(py), round(px)
        along = [np.exp(-0.5 * ((around + c - p) / SIGMA) ** 2) for c, p in ((i, py), (j, px))]
        image[i - 10 : i + 11, j - 10 : j + 11] += f / (2 * np.pi * SIGMA**2) * np.outer(*along)
    errors = np.broadcast_to(np.float32(NOISE), (SIDE, SIDE))
    for name, values in (("SCI", image), ("ERR", errors)):
        header = fits.Header({"EXTNAME": name, "BUNIT": "MJy/sr", "PIXAR_SR": 2.29e-14})
        fits.append(str(path), values, header)
    path.with_suffix(".npy").unlink()
    return path


def _watched(work: Callable[[], Any]) -> tuple[float, float]:
    """Return how long a work took, and the most memory that was resident meanwhile."""
    import psutil

    process, over, peak = psutil.Process(), threading.Event(), [0]

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        work()
    finally:
        over.set()
        watcher.join()
    return time.perf_counter() - start, float(peak[0])

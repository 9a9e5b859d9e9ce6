"""How fast the render engine is: kernels, the first look, the pyramid, memory.

The numbers of the big image are from a warm page cache.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.make_big import big_image
from benchmarks.timing import Row, blocked, measure, once, peak_memory, resident, with_byte_code
from jviz.backend.io.product import Identity, Plane
from jviz.backend.render import kernels
from jviz.backend.render.blocks import block_of
from jviz.backend.render.colormaps import colormap
from jviz.backend.render.limits import auto_limits, limits, suggest_stretch
from jviz.backend.render.mesh import affine_mesh, mesh_of
from jviz.backend.render.raster import Raster
from jviz.backend.render.stretch import look_table, stretch

__all__ = ["rows"]

SIZES = {"1000 × 800": (1000, 800, 2.0), "3840 × 2160": (3840, 2160, 15.0)}


def rows() -> list[Row]:
    """Run all and return the lines of the table."""
    image = big_image()
    return [*_plain(), *_warming(), *_kernels(), *_tables(), *_big(image)]


def _plain() -> Iterator[Row]:
    """Draw before numba is there."""
    block, table, out = _scene(1000, 800)
    mesh = affine_mesh([[1.2, 0, 3], [0, 1.2, 4]], 1000, 800)
    yield measure("colour, numpy, 1000 × 800", partial(kernels.colour, block, mesh, table, -3, 3, out), repeat=9)


def _warming() -> Iterator[Row]:
    """Import numba and load the kernels in a thread, as the window does (kernels compiled before)."""
    code = (
        "import sys, threading; sys.setswitchinterval(0.0005)\n"
        "from benchmarks.timing import blocked, once\n"
        "from jviz.backend.render import kernels\n"
        "with blocked() as gaps:\n"
        "    row = once('', kernels.warm_up)\n"
        "print(row.value, max(gaps), sum(gap > 33 for gap in gaps))"
    )
    # With byte code, as installed programs have it; without, the import blocks three times as long.
    surroundings = with_byte_code(big_image().parent)
    for _ in range(2):
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=surroundings
        )
    total, longest, number = map(float, found.stdout.split())
    yield Row("warm up numba and kernels in a thread", total)
    yield Row("   longest time it blocks other threads", longest, limit=33)
    yield Row("   times above 33 ms", number, "times")
    kernels.warm_up()


def _scene(width: int, height: int) -> tuple:
    rng = np.random.default_rng(1)
    data = rng.standard_normal((int(height * 1.3), int(width * 1.3)), dtype=np.float32)
    data[rng.random(data.shape) < 0.05] = np.nan
    block = block_of(data, 0, 0, 1, data.shape, level=0, exact=True)
    table = look_table(stretch("asinh"), colormap("viridis"))
    return block, table, np.zeros((height, width), np.uint32)


def _kernels() -> Iterator[Row]:
    for name, (width, height, limit) in SIZES.items():
        block, table, out = _scene(width, height)
        colour = partial(kernels.colour, low=-3, high=3, out=out)
        straight = affine_mesh([[1.2, 0, 3], [0, 1.2, 4]], width, height)
        bent = mesh_of(lambda u, v: (1.1 * u + 0.1 * v, 1.1 * v + 1e-5 * u * v), width, height)
        fine = look_table(stretch("log"), colormap("gray"), size=65536)
        yield measure(f"colour, {name}", partial(colour, block, straight, table), limit=limit)
        yield measure(f"colour on a mesh, {name}", partial(colour, block, bent, table), limit=limit)
        yield measure(f"   with 65,536 colours, {name}", partial(colour, block, bent, fine), limit=limit)
        yield measure(f"   smooth, {name}", partial(colour, block, bent, table, smooth=True), repeat=15)
        yield measure(f"blend, {name}", partial(kernels.blend, out, out.copy(), 0.5))


def _tables() -> Iterator[Row]:
    colours, sample = colormap("viridis"), np.random.default_rng(2).normal(size=200_000).astype("f4")
    yield measure("look-up table, asinh", lambda: look_table(stretch("asinh"), colours))
    equal = partial(stretch, "histogram", sample=sample, low=-3, high=3)
    yield measure("look-up table, histogram", lambda: look_table(equal(), colours), repeat=15)
    yield measure("automatic limits and stretch of a sample", lambda: (auto_limits(sample), suggest_stretch(sample)))


def _big(image: Path) -> Iterator[Row]:
    plane = _plane(image)
    _into_page_cache(image)
    yield once("20k × 20k: first look", Raster(plane).first, limit=300)
    for mode in ("percentile", "zscale", "auto"):
        yield once(f"20k × 20k: {mode} limits", partial(limits, Raster(plane), mode), limit=200)
    with _own_cache():
        raster = Raster(plane)
        raster.first()
        bare = resident()
        with peak_memory(with_files=True) as all_grown, peak_memory() as grown, blocked() as gaps:
            yield once("20k × 20k: pyramid", raster.build, limit=5000)
        yield Row("   memory while building", grown[0], "MB", limit=100)
        yield Row("   the same with mapped files", all_grown[0], "MB")
        yield Row("   longest time it blocks other threads", max(gaps), limit=33)
        yield Row("   on disk", raster._pyramid.path.stat().st_size / 1e6, "MB")
        yield once("20k × 20k: pyramid found again", Raster(plane).build)
        yield from _walk(raster)
        yield Row("20k × 20k: memory after a walk through all scales", resident() - bare, "MB", limit=600)
        yield measure("20k × 20k: best block and what is wanted", partial(_ask, raster))


def _ask(raster: Raster) -> None:
    raster.block((5000, 5000, 9000, 8200), 4.0)
    raster.wanted((5000, 5000, 9000, 8200), 4.0)


def _walk(raster: Raster) -> Iterator[Row]:
    """Fetch what a viewport wants at each scale."""
    for step in (0.5, 1, 1.6, 3.3, 6.7, 13, 20):
        bounds = (5000.0, 5000.0, 5000 + 1000 * step, 5000 + 800 * step)
        request = raster._request(raster._level(step), bounds)
        yield measure(f"20k × 20k: fetch a viewport at 1:{step:g}", partial(raster.fetch, request), repeat=5)


def _plane(image: Path) -> Plane:
    side = int(np.sqrt(image.stat().st_size / 4 - 720))
    pixels = np.memmap(image, ">f4", "r", 2880, (side, side))
    return Plane("SCI", pixels.shape, np.dtype("f4"), lambda progress: pixels, identity=Identity.of(image))


def _into_page_cache(image: Path) -> None:
    with image.open("rb", buffering=0) as stream:
        while stream.read(1 << 24):
            pass


@contextmanager
def _own_cache() -> Iterator[None]:
    before = os.environ.get("JVIZ_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JVIZ_HOME"] = folder
        try:
            yield
        finally:
            del os.environ["JVIZ_HOME"]
            if before is not None:
                os.environ["JVIZ_HOME"] = before

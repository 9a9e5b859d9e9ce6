"""Make the big test image: 20,000 × 20,000 float32 with sky, sources, 5 % NaN and a WCS.

``python -m benchmarks.make_big [FILE]``; the same bytes each time. Written in strips, to the
cache folder unless told otherwise.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jviz.backend import cache

__all__ = ["big_image", "write_big"]

SIDE = 20_000
STRIP = 500
SEED = 20_261_101


def big_image(side: int = SIDE) -> Path:
    """Return the path of the image, made first if it is not there."""
    path = cache.home("cache").parent / "jviz-benchmarks" / f"big{side}.fits"
    if not path.exists():
        write_big(path, side)
    return path


def write_big(path: Path, side: int = SIDE) -> None:
    """Write the image as big-endian FITS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as stream:
        stream.write(_header(side))
        for strip in _strips(side):
            stream.write(strip.astype(">f4").tobytes())
        stream.write(b"\0" * (-stream.tell() % 2880))
    os.replace(temporary, path)


def _header(side: int) -> bytes:
    scale, half = 0.031 / 3600, side / 2 + 0.5
    cards = {
        "SIMPLE": "T", "BITPIX": -32, "NAXIS": 2, "NAXIS1": side, "NAXIS2": side,
        "BUNIT": "'MJy/sr'", "CTYPE1": "'RA---TAN'", "CTYPE2": "'DEC--TAN'",
        "CRPIX1": half, "CRPIX2": half, "CRVAL1": 53.16, "CRVAL2": -27.78,
        "CD1_1": -scale, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": scale, "RADESYS": "'ICRS'",
        "OBJECT": "'SIMULATED'",
    }  # fmt: skip
    text = "".join(f"{key:8}= {str(value).upper():>20}".ljust(80) for key, value in cards.items()) + "END"
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def _strips(side: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(SEED)
    # One strip of noise serves all, shifted: drawing 4e8 numbers anew would take the minute.
    noise = rng.standard_normal((STRIP, 2 * side), dtype=np.float32) * np.float32(0.02)
    number = side * side // 20_000
    x, y = rng.uniform(0, side, number), np.sort(rng.uniform(0, side, number))
    flux, width = 10 ** rng.uniform(-1, 3, number), rng.uniform(1.2, 6.0, number)
    slope = np.linspace(0, 0.1, side, dtype=np.float32)
    for row in range(0, side, STRIP):
        rows = min(STRIP, side - row)
        shift = int(rng.integers(side))
        strip = noise[:rows, shift : shift + side] + slope + np.float32(0.3 + 0.1 * row / side)
        first, last = np.searchsorted(y, (row - 40, row + rows + 40))
        for n in range(first, last):
            _add_source(strip, x[n], y[n] - row, flux[n], width[n])
        _punch_holes(strip, rng)
        yield strip


def _add_source(strip: np.ndarray, x: float, y: float, flux: float, width: float) -> None:
    reach = int(6 * width)
    left, bottom = max(int(x) - reach, 0), max(int(y) - reach, 0)
    right, top = min(int(x) + reach, strip.shape[1]), min(int(y) + reach, strip.shape[0])
    if top <= bottom or right <= left:
        return
    across = np.exp(-0.5 * ((np.arange(left, right) - x) / width) ** 2)
    along = np.exp(-0.5 * ((np.arange(bottom, top) - y) / width) ** 2)
    peak = flux / (2 * np.pi * width**2)
    strip[bottom:top, left:right] += (peak * along[:, None] * across).astype(np.float32)


def _punch_holes(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Set 5 % to NaN: single pixels (1 %) and a gap between detectors (4 %)."""
    flat = strip.ravel()
    flat[rng.integers(flat.size, size=flat.size // 100)] = np.nan
    middle = strip.shape[1] // 2
    strip[:, middle : middle + strip.shape[1] // 25] = np.nan


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_big(Path(sys.argv[1]))
    else:
        print(big_image())

"""Make the cubes to measure with: 2000 × 400 × 400 float32 (1.3 GB) with lines, continuum and noise, and larger ones.

``python -m benchmarks.make_cube [CHANNELS]``; the same bytes each time. Written plane by plane, to the cache folder.
"""

import os
import sys
from pathlib import Path

import numpy as np

from jviz.backend import cache

__all__ = ["big_cube", "write_cube"]

CHANNELS, SIDE, SEED = 2000, 400, 20_261_126


def big_cube(channels: int = CHANNELS, side: int = SIDE, *, make: bool = True) -> Path:
    """Return the path of a cube, made first if it is not there."""
    path = cache.home("cache").parent / "jviz-benchmarks" / f"cube{channels}x{side}.fits"
    if make and not path.exists():
        write_cube(path, channels, side)
    return path


def write_cube(path: Path, channels: int, side: int) -> None:
    """Write a cube as big-endian FITS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    random = np.random.default_rng(SEED)
    noise = random.normal(size=(16, side, side)).astype("f4")
    y, x = np.mgrid[:side, :side]
    source = 8 * np.exp(-((x - 0.4 * side) ** 2 + (y - 0.55 * side) ** 2) / (0.02 * side**2))
    with temporary.open("wb") as stream:
        stream.write(_header(channels, side))
        for k in range(channels):
            line = 1 + 4 * np.exp(-0.5 * ((k - 0.6 * channels) / 12) ** 2)
            stream.write((noise[k % 16] + source * line).astype(">f4").tobytes())
        stream.write(b"\0" * (-stream.tell() % 2880))
    os.replace(temporary, path)


def _header(channels: int, side: int) -> bytes:
    step = 0.2 / 3600
    cards = {
        "SIMPLE": "T", "BITPIX": -32, "NAXIS": 3, "NAXIS1": side, "NAXIS2": side, "NAXIS3": channels,
        "BUNIT": "'MJy/sr'", "CTYPE1": "'RA---TAN'", "CTYPE2": "'DEC--TAN'", "CTYPE3": "'WAVE'",
        "CUNIT1": "'deg'", "CUNIT2": "'deg'", "CUNIT3": "'um'", "CRPIX1": side / 2, "CRPIX2": side / 2, "CRPIX3": 1.0,
        "CRVAL1": 53.16, "CRVAL2": -27.78, "CRVAL3": 4.9, "CDELT1": -step, "CDELT2": step, "CDELT3": 0.0008,
    }  # fmt: skip
    lines = [f"{key:8}= {value!s:>20}" for key, value in cards.items()]
    text = "".join(f"{line:80}" for line in [*lines, "END"])
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


if __name__ == "__main__":
    print(big_cube(int(sys.argv[1]) if len(sys.argv) > 1 else CHANNELS))

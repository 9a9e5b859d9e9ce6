"""How long the library and downloads take: 10,000 files taken in, 1e6 rows searched, 32 files of a slow server."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import Row, measure, once

__all__ = ["rows"]

FILES, ROWS, FETCHED = 10_000, 1_000_000, 32
RATE = 1_500_000
"""Bytes a second of each connection."""


def rows() -> list[Row]:
    """Measure with files and rows of a fixed seed."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_ingest(Path(folder)), *_cones(Path(folder)), *_downloads(Path(folder))]


def _ingest(folder: Path) -> list[Row]:
    from jviz.backend.library.catalogue import Library

    below = folder / "files"
    _write_files(below)
    library = Library(folder / "ingest.sqlite")
    found = [
        once(f"{FILES:,} FITS files taken in, with checksums", lambda: library.add(below), limit=10_000),
        once("looked through again", lambda: library.add(below), limit=500),
    ]
    library.close()
    return found


def _write_files(below: Path) -> None:
    """Write files of 63 kB, five units each, that differ in their places and bytes."""
    from astropy.io import fits

    units = [fits.PrimaryHDU()] + [fits.ImageHDU(np.zeros((60, 64), "f4"), name=n) for n in ("SCI", "ERR", "DQ", "WHT")]
    units[0].header.update({f"KEY{n:05d}": n for n in range(250)})
    units[0].header.update(TELESCOP="JWST", INSTRUME="NIRCAM", FILTER="F200W", TARGNAME="BENCH", EXPSTART=59800.0)
    units[1].header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRPIX1=32.0, CRPIX2=30.0, CDELT1=-9e-6, CDELT2=9e-6,
                           CRVAL1=100.0, CRVAL2=10.0, BUNIT="MJy/sr")  # fmt: skip
    one = below / "one.fits"
    below.mkdir()
    fits.HDUList(units).writeto(one)
    content = bytearray(one.read_bytes())
    one.unlink()
    at = content.index(b"CRVAL1  =") + 10
    data = content.index(b"EXTNAME = 'SCI") // 2880 * 2880 + 2880
    for number in range(FILES):
        content[at : at + 20] = f"{0.036 * number:20.6f}".encode()
        content[data : data + 8] = np.float64(number).tobytes()
        (below / f"jw01234{number:06d}_02101_00001_nrca1_cal.fits").write_bytes(content)


def _cones(folder: Path) -> list[Row]:
    from jviz.backend.library.catalogue import Library
    from jviz.backend.library.footprints import Footprint, vector
    from jviz.backend.library.queries import facets, meeting, search

    rng = np.random.default_rng(3)
    ra, dec = rng.uniform(0, 360, ROWS), np.degrees(np.arcsin(rng.uniform(-1, 1, ROWS)))
    corners = vector(ra[:, None] + 0.02 * np.array([-1, 1, 1, -1]) / np.cos(np.radians(dec))[:, None],
                     dec[:, None] + 0.02 * np.array([-1, -1, 1, 1]))  # fmt: skip
    library = Library(folder / "cones.sqlite")
    insert = ("INSERT INTO file(id, path, name, size, mtime_ns, sha256, added, seen, s_ra, s_dec, filters, footprint) "
              "VALUES (?, ?, ?, 0, 0, ?, 0, 0, ?, ?, 'F200W', ?)")  # fmt: skip
    with library.writing() as database:
        for n in range(ROWS):
            shape = Footprint((corners[n],))
            place = f"/{n}.fits"
            database.execute(insert, (n + 1, place, place[1:], str(n), ra[n], dec[n], shape.as_bytes()))
            database.execute("INSERT INTO foot VALUES (?, ?, ?, ?, ?, ?, ?)", (n + 1, *shape.box))
    places = iter(rng.integers(0, ROWS, 400))

    def ask(radius: float) -> None:
        n = next(places)
        found = search(library, sky=(ra[n], dec[n], radius))
        assert len(found) >= 1
        facets(found)

    def ids() -> None:
        n = next(places)
        assert meeting(library, (ra[n], dec[n], 0.1))

    found = [
        measure(f"cone of 0.1° among {ROWS:,} rows: which files", ids, limit=1.0),
        measure("as a table, with facets", lambda: ask(0.1), limit=50.0),
        measure("cone of 3° (700 files), as a table, with facets", lambda: ask(3.0), limit=50.0),
    ]
    library.close()
    return found


def _downloads(folder: Path) -> list[Row]:
    from jviz.backend.archive.fetch import Wanted
    from jviz.backend.archive.transfers import Transfers
    from jviz.backend.library.catalogue import Library
    from tests.standin import Standin

    held = folder / "held"
    held.mkdir()
    rng = np.random.default_rng(5)
    for number in range(FETCHED):
        (held / f"file{number:02d}.bin").write_bytes(rng.bytes(600_000))
    library = Library(folder / "fetched.sqlite")
    server = Standin(held)
    server.rate = RATE
    wanted = [Wanted(f"{server.url}/plain/file{n:02d}.bin", f"file{n:02d}.bin") for n in range(FETCHED)]
    start = time.perf_counter()
    alone_by_one = Transfers(library, per_host=1)
    alone_by_one.wait(alone_by_one.add(wanted, folder / "one"))
    alone = time.perf_counter() - start
    start = time.perf_counter()
    four = Transfers(library)
    four.wait(four.add(wanted, folder / "four"))
    together = time.perf_counter() - start
    server.close()
    library.close()
    return [
        Row(f"{FETCHED} files at 1.5 MB/s each, four at a time", 1000 * together),
        Row("as a share of one by one", together / alone, "", limit=1 / 3),
    ]

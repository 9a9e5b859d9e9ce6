"""What an archive lists is found again among the files of this machine."""

from __future__ import annotations

import shutil

import numpy as np
from astropy.table import MaskedColumn, Table

from jviz.backend.archive.on_disk import files_here, observations_here
from jviz.backend.archive.products import address_of
from jviz.backend.archive.transfers import Transfers
from tests.archives import made
from tests.standin import Standin

STEM = "jw01234-o{:03d}_t001_nircam_clear-f200w"


def uri(number):
    return f"mast:JWST/product/{STEM.format(number)}_i2d.fits"


def products(numbers, sizes=None):
    return Table({"dataURI": [uri(n) for n in numbers],
                  "productFilename": [f"{STEM.format(n)}_i2d.fits" for n in numbers],
                  "size": sizes if sizes is not None else [0] * len(numbers)})  # fmt: skip


def test_by_name_and_size(library, tmp_path):
    path = made(tmp_path / f"{STEM.format(0)}_i2d.fits", 0)
    size = path.stat().st_size
    library.add(path)
    assert files_here(library, products([0, 1])) == [path, None]
    assert files_here(library, products([0], [size])) == [path]
    assert files_here(library, products([0], [size + 1])) == [None], "another version"
    assert files_here(library, products([0], MaskedColumn([1], mask=[True]))) == [path]
    path.unlink()
    assert files_here(library, products([0])) == [None]
    assert files_here(library, products([])) == []


def test_by_address_and_checksum_whatever_it_is_called(library, holdings, tmp_path, monkeypatch):
    server = Standin(holdings)
    monkeypatch.setenv("JVIZ_MAST_URL", server.url)
    transfers = Transfers(library)
    from jviz.backend.archive.products import wanted_files

    [outcome] = transfers.wait(transfers.add(wanted_files(products([0])), tmp_path / "in"))
    assert files_here(library, products([0], [12])) == [outcome.path], "it came from there, whatever size is listed"
    moved = tmp_path / "elsewhere" / "mine.fits"
    moved.parent.mkdir()
    shutil.copy(outcome.path, moved)
    outcome.path.unlink()
    library.rescan()
    library.add(moved)
    assert address_of(uri(0)).startswith(server.url)
    assert files_here(library, products([0, 1], [12, 12])) == [moved, None]
    transfers.close()
    server.close()


def test_many_are_asked_in_pieces(library, tmp_path):
    for number in (0, 4999):
        library.add(made(tmp_path / f"{STEM.format(0)[:-1]}{number}_i2d.fits", 0))
    names = [f"{STEM.format(0)[:-1]}{number}" for number in range(5000)]
    table = Table({"dataURI": [f"mast:JWST/product/{name}_i2d.fits" for name in names],
                   "productFilename": [f"{name}_i2d.fits" for name in names]})  # fmt: skip
    found = files_here(library, table)
    assert [n for n, path in enumerate(found) if path is not None] == [0, 4999]
    counts = observations_here(library, names)
    assert np.flatnonzero(counts).tolist() == [0, 4999]
    assert counts[[0, 4999]].tolist() == [1, 1]

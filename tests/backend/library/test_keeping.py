"""The store drops what can be fetched again, and nothing else."""

from __future__ import annotations

import os

import pytest

from jviz.backend.library import queries
from jviz.backend.library.keeping import drop, store_size
from tests.archives import made


@pytest.fixture
def store(tmp_path, library):
    """Five files that came from an archive, as large as each other, used in the order of their numbers."""
    folder = tmp_path / "store"
    folder.mkdir()
    for number in range(5):
        path = made(folder / f"{number}_i2d.fits", number)
        library.add(path, source=f"https://example.org/{number}")
        with library.writing() as database:
            database.execute("UPDATE file SET added = ? WHERE path = ?", (100.0 + number, str(path)))
    return folder


def names(folder):
    return sorted(path.name[0] for path in folder.glob("*.fits"))


def test_what_was_not_used_for_longest_goes_first(library, store):
    size = (store / "0_i2d.fits").stat().st_size
    assert store_size(library, store).size == 5 * size
    assert drop(library, store, 5 * size) == []
    library.note_use([store / "0_i2d.fits"])
    dropped = drop(library, store, 3 * size)
    assert [(file.path.name, file.size, file.source) for file in dropped] == [
        ("1_i2d.fits", size, "https://example.org/1"), ("2_i2d.fits", size, "https://example.org/2"),
    ]  # fmt: skip
    assert names(store) == ["0", "3", "4"]
    assert len(queries.search(library)) == 3
    found = queries.search(library, missing=True, criteria={"state": "dropped"})
    assert sorted(found["name"]) == ["1_i2d.fits", "2_i2d.fits"]
    assert not library.rescan().is_news, "a dropped file is not a missing one"


def test_what_cannot_be_had_again_stays(library, store, tmp_path):
    pinned, changed, own, opened, last = (store / f"{number}_i2d.fits" for number in range(5))
    library.pin([pinned])
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    status = changed.stat()
    changed.write_bytes(content)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    with library.writing() as database:
        database.execute("UPDATE file SET source = NULL WHERE path = ?", (str(own),))
    elsewhere = made(tmp_path / "mine_i2d.fits", 7)
    library.add(elsewhere, source="https://example.org/mine")
    dropped = drop(library, store, 0, keep=[opened])
    assert [file.path for file in dropped] == [last]
    assert names(store) == ["0", "1", "2", "3"]
    assert elsewhere.is_file()


def test_a_dropped_file_that_comes_back_is_the_same_file(library, store):
    file = store / "0_i2d.fits"
    content, total = file.read_bytes(), library.sum_of(file)
    library.tag([total], "good")
    drop(library, store, 0)
    assert names(store) == []
    file.write_bytes(content)
    library.add(file)
    [row] = queries.search(library, tag="good")
    assert (row["state"], row["source"]) == ("present", "https://example.org/0")

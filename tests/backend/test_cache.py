"""The cache: whole entries or none, the least recently used go first, and no folder breaks it."""

import os
from pathlib import Path

import pytest

from jviz.backend import cache
from jviz.backend.io.product import Identity
from jviz.backend.progress import Cancelled


def entry(name: str, length: int = 10, age: float = 0) -> Path:
    """Store `length` bytes, last used `age` seconds ago."""
    with cache.storing(Identity(name, 1, 1), ".bin") as path:
        path.write_bytes(b"x" * length)
    found = cache.stored(Identity(name, 1, 1), ".bin")
    stamp = found.stat().st_mtime - age
    os.utime(found, (stamp, stamp))
    return found


def test_homes_are_below_the_chosen_folder(own_folders):
    assert {cache.home(w) for w in ("config", "cache", "data")} == {
        own_folders / w for w in ("config", "cache", "data")
    }


def test_homes_without_a_chosen_folder_are_the_platforms(monkeypatch):
    monkeypatch.delenv("JVIZ_HOME")
    assert all("jviz" in str(cache.home(w)) for w in ("config", "cache", "data"))


def test_a_changed_file_does_not_find_the_entry_of_its_former_self(tmp_path):
    file = tmp_path / "a.fits"
    file.write_bytes(b"12")
    with cache.storing(Identity.of(file), ".p") as path:
        path.write_text("old")
    assert cache.stored(Identity.of(file), ".p").read_text() == "old"
    file.write_bytes(b"123")
    assert cache.stored(Identity.of(file), ".p") is None


@pytest.mark.parametrize("error", [Cancelled, ValueError])
def test_a_failed_store_leaves_no_file(error, own_folders):
    def store_half():
        with cache.storing(Identity("a", 1, 1), ".p") as path:
            path.write_text("half")
            raise error

    with pytest.raises(error):
        store_half()
    assert [p for p in own_folders.rglob("*") if p.is_file()] == []


def test_the_least_recently_used_go_first():
    old, new, kept = entry("old", age=50), entry("new"), entry("kept", age=99)
    assert cache.size() == 30
    assert cache.trim(20, keep={kept}) == 10
    assert (old.exists(), new.exists(), kept.exists()) == (False, True, True)


def test_looking_an_entry_up_makes_it_recent():
    old, other = entry("old", age=50), entry("other", age=20)
    cache.stored(Identity("old", 1, 1), ".bin")
    cache.trim(10)
    assert old.exists()
    assert not other.exists()


def test_clear_leaves_compiled_kernels(own_folders):
    entry("a")
    compiled = cache.folder("numba") / "kernel.nbi"
    compiled.write_text("code")
    assert cache.clear() == 10
    assert cache.size() == 0
    assert compiled.exists()


def test_temporary_files_of_a_dead_program_go_in_the_end():
    left = cache.folder(cache.ENTRIES) / ".abc.p.1-1.part"
    left.write_text("half")
    cache.trim(10**9)
    assert left.exists()  # it may belong to a running one
    os.utime(left, (1, 1))
    cache.trim(10**9)
    assert not left.exists()


def test_an_unusable_cache_folder_falls_back(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("JVIZ_HOME", str(tmp_path / "file"))
    assert entry("a").read_bytes() == b"x" * 10
    assert cache.trim(0) == 10

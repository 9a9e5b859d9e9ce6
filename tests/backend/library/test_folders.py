"""Linked folders, files found again, and what a user keeps of them."""

from __future__ import annotations

import os
import shutil

import pytest

from jviz.backend.library import queries
from jviz.backend.library.catalogue import Library
from jviz.backend.library.folders import folder_times, link, linked_folders, outermost, unlink
from jviz.errors import JvizError
from tests.archives import made

FIRST = "jw01234-o001_t001_nircam_clear-f200w_i2d.fits"


@pytest.fixture
def library(tmp_path):
    told = []
    library = Library(tmp_path / "library.sqlite", changed=lambda: told.append(1))
    library.told = told
    yield library
    library.close()


@pytest.fixture
def filled(library, holdings):
    library.add(holdings)
    return library


def paths(library, **asked):
    return sorted(str(path) for path in queries.search(library, **asked)["path"])


def test_a_linked_folder_is_counted_and_let_go(filled, holdings):
    [linked] = linked_folders(filled)
    sizes = sum(path.stat().st_size for path in holdings.iterdir())
    assert (linked.path, linked.files, linked.size, linked.is_there) == (holdings, 7, sizes, True)
    files = unlink(filled, holdings)
    assert len(files) == 7
    assert linked_folders(filled) == []
    assert paths(filled, missing=True) == []
    assert not filled.rescan().is_news
    assert all(path.is_file() for path in files)
    link(filled, holdings, files)
    assert linked_folders(filled) == [linked]
    assert paths(filled) == sorted(map(str, files))
    with pytest.raises(JvizError, match="is not linked"):
        unlink(filled, holdings.parent)


def test_a_folder_within_a_linked_one_belongs_to_it(filled, holdings):
    inside = holdings / "inside"
    inside.mkdir()
    made(inside / "a_i2d.fits", 9)
    assert len(filled.add(inside).added) == 1
    assert [linked.path for linked in linked_folders(filled)] == [holdings]
    assert len(filled.rescan().unchanged) == 8


def test_of_two_linked_folders_one_in_the_other_each_keeps_its_files(library, holdings):
    inside = holdings / "inside"
    inside.mkdir()
    made(inside / "a_i2d.fits", 9)
    library.add(inside)
    library.add(holdings)
    os.utime(inside / "a_i2d.fits")
    assert library.rescan().changed == [inside / "a_i2d.fits"]
    unlink(library, holdings)
    assert paths(library) == [str(inside / "a_i2d.fits")]


def test_a_disk_that_comes_back_is_not_read_again(filled, holdings):
    rows = filled.ask("SELECT id, seen FROM file ORDER BY id")
    away = holdings.with_name("unplugged")
    holdings.rename(away)
    assert len(filled.rescan().missing) == 7
    assert not linked_folders(filled)[0].is_there
    assert paths(filled) == []
    assert not filled.rescan().is_news
    away.rename(holdings)
    assert len(filled.rescan().found) == 7
    assert len(paths(filled)) == 7
    assert list(map(tuple, filled.ask("SELECT id, seen FROM file ORDER BY id"))) == list(map(tuple, rows))


def test_files_added_one_by_one_are_looked_after_too(library, holdings, tmp_path):
    file = holdings / FIRST
    library.add(file)
    assert not library.rescan().is_news
    file.rename(tmp_path / "elsewhere.fits")
    assert library.rescan().missing == [file]
    (tmp_path / "elsewhere.fits").rename(file)
    assert library.rescan().found == [file]
    os.utime(file)
    assert library.rescan().changed == [file]


def test_what_was_forgotten_stays_out_until_it_is_added_by_hand(filled, holdings):
    file = holdings / FIRST
    assert filled.forget([file]) == 1
    assert filled.forget([file]) == 0
    assert not filled.rescan().is_news
    assert str(file) not in paths(filled, missing=True)
    assert filled.sum_of(file) is None
    assert filled.add(file).found == [file]
    assert str(file) in paths(filled)


def test_a_changed_and_a_moved_file_keep_pin_and_source(library, holdings, tmp_path):
    file = holdings / FIRST
    library.add(file, source="https://example.org/one")
    library.pin([file])
    os.utime(file)
    library.rescan()
    assert library.pinned() == {str(file)}
    target = tmp_path / "linked"
    target.mkdir()
    shutil.move(file, target / file.name)
    assert library.add(target).moved == [(file, target / file.name)]
    [row] = queries.search(library)
    assert (bool(row["pinned"]), row["source"]) == (True, "https://example.org/one")
    library.pin([target / file.name], on=False)
    assert library.pinned() == set()


def test_rows_forgotten_long_ago_are_taken_out(library, holdings, monkeypatch):
    library.add(holdings / FIRST)
    library.forget([holdings / FIRST])
    library.rescan()
    assert len(library.ask("SELECT id FROM file")) == 1
    monkeypatch.setattr("jviz.backend.library.catalogue.KEPT_SECONDS", -1)
    library.rescan()
    assert library.ask("SELECT id FROM file") == []


def test_a_change_is_told_once_for_each_scan(filled, holdings):
    before = len(filled.told)
    filled.rescan()
    assert len(filled.told) == before
    os.utime(holdings / FIRST)
    filled.rescan()
    assert len(filled.told) == before + 1


def test_times_of_folders_change_with_what_is_in_them(holdings):
    (holdings / "deep").mkdir()
    (holdings / ".hidden").mkdir()
    times = folder_times(holdings)
    assert set(times) == {str(holdings), str(holdings / "deep")}
    os.utime(holdings / "deep", ns=(1, 1))
    assert folder_times(holdings)[str(holdings / "deep")] == 1
    assert folder_times(holdings / "none") == {}
    assert outermost([holdings, holdings / "deep", holdings.parent / "b"]) == [holdings, holdings.parent / "b"]


def test_answers_have_tags_notes_and_duplicates(filled, holdings):
    file = holdings / FIRST
    total = filled.sum_of(file)
    for word in ("good", "deep"):
        filled.tag([total], word)
    filled.note(total, "use this one")
    shutil.copy(file, holdings / "copy_i2d.fits")
    filled.rescan()
    found = queries.search(filled, duplicates=True)
    sums = list(map(str, found["sha256"]))
    assert sums == sorted(sums), "those of a kind are side by side"
    found = found[found["sha256"] == total]
    assert sorted(map(str, found["name"])) == ["copy_i2d.fits", FIRST]
    assert {frozenset(str(text).split(", ")) for text in found["tags"]} == {frozenset({"good", "deep"})}
    assert list(found["note"]) == ["use this one"] * 2
    assert len(queries.search(filled, criteria={"size": (1, 10**9)})) == 8
    filled.pin([file])
    assert paths(filled, criteria={"pinned": True}) == [str(file)]

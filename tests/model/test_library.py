"""Commands of the library: linked folders, the store, and what a window takes in by itself."""

from __future__ import annotations

import os

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits

import jviz
from jviz.backend.library.queries import search
from jviz.errors import CommandError, JvizError
from jviz.libraries import is_begun, store_folder, told_of
from jviz.library_watch import LibraryWatch
from tests.archives import made

I2D = "jw01234-o000_t001_nircam_clear-f200w_i2d.fits"


@pytest.fixture
def session():
    session = jviz.Session({})
    yield session
    session.close()


@pytest.fixture
def downloaded(session, mast):
    """Five files that were fetched into the store."""
    found = session.run("archive.search", instrument="NIRCAM", level=3)
    uris = [uri for uri in session.run("archive.products", observations=found, suffix="i2d")["dataURI"]
            if uri.endswith(".fits") and "o004" not in uri]  # fmt: skip
    return session.run("archive.download", products=uris)


def listed(session, **asked):
    """Paths that a search finds, without a step of the history."""
    missing = asked.pop("missing", False)
    return sorted(str(path) for path in search(session.archives.library, criteria=asked, missing=missing)["path"])


def wait(session):
    for job in list(session.jobs.all):
        job.result(20)
    session.dispatcher.drain()


def test_linking_a_folder_and_letting_go_of_it_are_undone(session, holdings):
    told = session.run("library.link", folder=holdings)
    assert set(told["state"]) == {"added"}
    folders = session.run("library.folders")
    assert folders["path"].tolist() == [str(holdings)]
    assert folders["files"].tolist() == [7]
    assert folders["size"].unit == u.byte
    assert np.all(folders["there"])
    made(holdings / "later_i2d.fits", 8)
    assert [str(s) for s in session.run("library.rescan", folder=holdings)["state"]].count("added") == 1
    assert session.run("library.unlink", folder=holdings) == 8
    assert listed(session, missing=True) == []
    session.undo()
    assert len(listed(session)) == 8
    assert session.run("library.folders")["files"].tolist() == [8]
    session.redo()
    assert listed(session) == []
    session.undo()
    session.undo()
    assert len(session.run("library.folders")) == 0
    assert listed(session, missing=True) == []
    session.redo()
    assert len(listed(session)) == 8, "the file that came later is there, too"
    assert session.run("library.folders")["files"].tolist() == [8]
    assert "session.run('library.link'" in session.script()


def test_pins_are_undone(session, holdings):
    session.run("library.add", path=holdings)
    found = session.run("library.search", level=3)
    assert session.run("library.pin", files=found[:2]) == 2
    assert session.run("library.pin", files=found[:3]) == 1
    assert len(listed(session, pinned=True)) == 3
    session.undo()
    assert len(listed(session, pinned=True)) == 2
    session.run("library.pin", files=found, on=False)
    assert listed(session, pinned=True) == []


def test_of_many_files_changes_are_made_beside_the_window_in_their_order(session, holdings, monkeypatch):
    monkeypatch.setattr("jviz.libraries.MANY", 2)
    session.run("library.link", folder=holdings)
    found = session.run("library.search")
    library = session.archives.library
    session.showing = True
    session.run("library.tag", files=found, tag="all")
    session.undo()
    session.redo()
    wait(session)
    assert library.tagged("all") == set(map(str, found["sha256"]))
    for step in (session.undo, session.redo, session.undo):
        step()
    wait(session)
    assert library.tagged("all") == set()
    session.run("library.unlink", folder=holdings)
    session.undo()
    wait(session)
    assert len(listed(session)) == 7


def test_the_store_is_kept_small_and_fetched_again(session, mast, downloaded):
    content = downloaded[0].read_bytes()
    session.run("library.pin", files=downloaded[1])
    session.open(downloaded[2])
    dropped = session.run("library.trim", limit=0)
    assert set(dropped["path"]) == {str(downloaded[0]), str(downloaded[3])}
    assert dropped["size"].unit == u.byte
    assert dropped["source"][0].startswith(mast.url)
    assert any("fetched again" in text for _, text in session.notices)
    assert [path.is_file() for path in downloaded] == [False, True, True, False]
    assert len(listed(session)) == 2
    assert listed(session, missing=True, state="dropped") == sorted([str(downloaded[0]), str(downloaded[3])])
    assert session.run("library.fetch", files=downloaded[0]) == [downloaded[0]]
    assert downloaded[0].read_bytes() == content
    assert len(listed(session)) == 3
    session.run("library.fetch", files=[downloaded[3]], open=True)
    assert any(data.path == downloaded[3] for data in session.data)


def test_the_limit_of_the_settings_holds(session, downloaded):
    watch = LibraryWatch(session)
    session.settings["library.store_limit_gb"] = 1e-9
    watch.look()
    wait(session)
    assert not any(path.is_file() for path in downloaded)
    assert all(path.is_relative_to(store_folder()) for path in downloaded)


def test_files_of_a_user_are_never_dropped(session, mast, tmp_path):
    [path] = session.run("archive.download", products=f"mast:JWST/product/{I2D}", folder=tmp_path / "mine")
    assert len(session.run("library.trim", limit=0)) == 0
    assert path.is_file()
    path.unlink()
    session.run("library.rescan")
    session.settings["network.offline"] = True
    with pytest.raises(CommandError, match="work offline"):
        session.run("library.fetch", files=path)
    session.settings["network.offline"] = False
    session.run("library.fetch", files=path)
    assert path.is_file()


def test_the_same_file_is_fetched_again_into_each_folder_that_it_is_missing_in(session, mast, tmp_path):
    paths = [session.run("archive.download", products=f"mast:JWST/product/{I2D}", folder=tmp_path / name)[0]
             for name in ("one", "two")]  # fmt: skip
    content = paths[0].read_bytes()
    for path in paths:
        path.unlink()
    session.run("library.rescan")
    assert session.run("library.fetch", files=paths) == paths
    assert [path.read_bytes() for path in paths] == [content, content]


def test_opened_files_are_taken_in_when_there_is_a_window(session, holdings):
    session.open(holdings / I2D, show=False)
    wait(session)
    assert not is_begun(), "scripts take in what they want"
    session.showing = True
    session.settings["library.take_opened"] = False
    session.open(holdings / I2D, show=False)
    wait(session)
    assert not is_begun()
    session.settings["library.take_opened"] = True
    session.open(holdings / I2D, show=False)
    wait(session)
    assert listed(session) == [str(holdings / I2D)]
    assert session.archives.library.ask("SELECT used FROM file")[0]["used"] > 0


def test_large_files_are_read_in_a_thread_of_their_own(session, holdings, monkeypatch):
    monkeypatch.setattr("jviz.libraries.LARGE", 1000)
    session.showing = True
    for _ in range(2):
        session.open(holdings / I2D, show=False)
        wait(session)
        wait(session)
    [total] = session.run("library.search")["sha256"]
    from hashlib import sha256

    assert total == sha256((holdings / I2D).read_bytes()).hexdigest()


def test_linked_folders_are_watched(session, holdings):
    watch = LibraryWatch(session)
    watch.look()
    wait(session)
    assert not is_begun()
    session.run("library.link", folder=holdings)
    watch.look()
    wait(session)
    made(holdings / "new_i2d.fits", 8)
    os.replace(holdings / I2D, holdings / "moved_i2d.fits")
    watch.look()
    wait(session)
    assert ("status", "Files of the library: 1 new, 1 moved.") in session.notices
    assert str(holdings / "moved_i2d.fits") in listed(session)
    assert len(listed(session)) == 8
    # Written over in its place, a file changes no folder; after news the next look is at all files.
    with fits.open(holdings / "new_i2d.fits", mode="update") as file:
        file[0].header["TARGNAME"] = "OTHER"
    watch.look()
    wait(session)
    assert ("status", "Files of the library: 1 changed.") in session.notices
    found = session.run("library.search", target_name="OTHER")
    assert [str(name) for name in found["name"]] == ["new_i2d.fits"]


def test_what_a_scan_found_in_words(session, holdings):
    library = session.archives.library
    taken = library.add(holdings)
    assert told_of(taken) == "Files of the library: 7 new."
    assert told_of(library.rescan()) == "Nothing is new in the library."


@pytest.mark.parametrize(
    ("id", "arguments", "words"),
    [
        ("library.link", {"folder": "/nowhere/at/all"}, "is no folder"),
        ("library.unlink", {"folder": "/nowhere"}, "is not linked"),
        ("library.rescan", {"folder": "/nowhere"}, "is not linked"),
        ("library.pin", {"files": "/nowhere/x.fits"}, "not in the library"),
        ("library.pin", {"files": []}, "No files"),
        ("library.fetch", {"files": "/nowhere/x.fits"}, "not in the library"),
        ("library.trim", {"limit": -1}, "give 0 or more"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(session, id, arguments, words):
    with pytest.raises(JvizError, match=words):
        session.run(id, **arguments)
    assert len(session.history.entries) == 0


def test_what_was_never_in_an_archive_is_not_fetched(session, holdings):
    session.run("library.add", path=holdings)
    (holdings / I2D).unlink()
    session.run("library.rescan")
    with pytest.raises(CommandError, match="did not come from an archive"):
        session.run("library.fetch", files=holdings / I2D)


def test_a_bundle_takes_what_its_files_were_made_of_along(session, tmp_path, shared_data):
    import zipfile

    folder = shared_data / "sim_nircam_sub160"
    session.run("library.link", folder=folder)
    [mosaic] = folder.glob("*-sub160_i2d.fits")
    for members, count in ((False, 1), (True, 1 + 4 * 4 + 1 + 12)):
        path = session.run("library.bundle", products=mosaic, path=tmp_path / "b.zip", members=members)
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            data = [name for name in archive.namelist() if name.startswith("data/")]
        assert len(data) == count
        assert data[0] == f"data/{mosaic.name}"


def test_small_pictures_are_drawn_before_anybody_looks(session, holdings):
    from jviz.backend.library.thumbnails import kept, known
    from jviz.library_pictures import PicturesAhead

    pictures = PicturesAhead(session)
    session.settings["library.draw_ahead"] = False
    session.run("library.link", folder=holdings)
    pictures.look()
    assert not known()
    session.settings["library.draw_ahead"] = True
    pictures.look()
    wait(session)
    rows = session.archives.library.ask("SELECT name, sha256 FROM file WHERE state = 'present'")
    assert known() == {row["sha256"] for row in rows}
    drawn = {row["name"]: kept(row["sha256"]) for row in rows}
    assert all((path is not None) == name.endswith(".fits") for name, path in drawn.items())
    # All are known: no process is started any more.
    session.settings["library.thumbnails_mb"] = 1.0
    pictures.look()
    wait(session)
    assert not pictures._pool._ready
    pictures.close()


def test_products_that_are_here_are_told(session, mast, tmp_path, holdings):
    products = session.run("archive.products", observations="1000000")
    assert set(session.run("library.here", products=products)["path"].tolist()) == {""}
    [path] = session.run("archive.download", products=f"mast:JWST/product/{I2D}", folder=tmp_path / "mine")
    found = session.run("library.here", products=products)
    assert found.colnames[: len(products.colnames)] == products.colnames
    assert {name: place for name, place in zip(found["productFilename"], found["path"], strict=True) if place} == {
        I2D: str(path)}  # fmt: skip
    assert session.run("library.here", products=f"mast:JWST/product/{I2D}")["path"].tolist() == [str(path)]
    assert "library.here" in session.script()

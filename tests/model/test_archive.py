"""The commands of archives and of the library, as a script calls them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zipfile

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable

import jviz
from jviz.errors import CommandError, JvizError
from tests.standin import TOKEN, Fault

I2D = "jw01234-o000_t001_nircam_clear-f200w_i2d.fits"


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_from_a_name_to_files_that_open(session, mast, holdings, own_folders):
    found = session.run("archive.search", target="test field", radius="5 arcmin", instrument="NIRCAM")
    assert isinstance(found, QTable)
    assert len(found) == 1
    assert found["s_ra"].unit == u.deg
    assert (found.meta["source"], found.meta["total"], found.meta["truncated"]) == ("MAST", 1, False)
    products = session.run("archive.products", observations=found, suffix="i2d")
    assert products["productFilename"].tolist() == ["jw01234-o000_t001_nircam_clear-f200w_asn.json", I2D]
    [_, path] = session.run("archive.download", products=products)
    assert path.read_bytes() == (holdings / I2D).read_bytes()
    assert path.is_relative_to(own_folders / "data")
    [image] = session.open(path)
    assert image.kind == "image"
    here = session.run("library.search", position="53.1 -27.8", radius=0)
    assert here["name"].tolist() == [I2D]
    assert str(here["source"][0]).startswith(mast.url)


@pytest.mark.parametrize(
    "place",
    [
        {"position": "53.1 -27.8"},
        {"position": (53.1, -27.8)},
        {"position": SkyCoord(53.1, -27.8, unit="deg")},
        {"position": "03:32:24 -27:48:00"},
        {"target": "test field"},
    ],
    ids=["text", "pair", "SkyCoord", "sexagesimal", "name"],
)
@pytest.mark.parametrize("radius", ["13 arcmin", 13 / 60, 13 * u.arcmin], ids=["text", "degrees", "Quantity"])
def test_places_and_radii_in_any_form(session, mast, place, radius):
    assert session.run("archive.count", radius=radius, **place) == 2


def test_one_table_for_the_archive_and_for_what_is_here(session, mast, holdings):
    session.run("library.add", path=holdings)
    asked = {"position": (53.1, -27.8), "radius": 0.25, "instrument": "NIRCAM"}
    there = session.run("archive.search", **asked)
    here = session.run("archive.search", collection="library", **asked)
    assert set(map(str, here["obs_id"])) == set(map(str, there["obs_id"]))
    for column in ("obs_id", "instrument_name", "s_ra", "s_dec", "t_min", "t_exptime", "target_name", "calib_level"):
        assert column in here.colnames
        assert column in there.colnames


def test_the_library_answers_alone_when_offline(session, mast, holdings):
    session.run("library.add", path=holdings)
    session.settings["network.offline"] = True
    assert len(session.run("archive.search", collection="library", instrument="NIRCAM")) == 6
    for id, arguments in {
        "archive.search": {"instrument": "NIRCAM"},
        "archive.download": {"products": "mast:JWST/product/x"},
        "archive.login": {},
        "archive.tap": {"url": "eso", "adql": "SELECT 1"},
    }.items():
        with pytest.raises(CommandError, match="work offline"):
            session.run(id, **arguments)
    assert mast.log == []


def test_a_cut_answer_says_so(session, mast):
    found = session.run("archive.search", instrument="NIRCAM", limit=2)
    assert (len(found), found.meta["total"], found.meta["truncated"]) == (2, 5, True)


def test_the_script_repeats_it(session, mast, tmp_path):
    found = session.run("archive.search", instrument="NIRCAM")
    products = session.run("archive.products", observations=found[:2], extension=".fits")
    session.run("archive.download", products=products[:1], folder=tmp_path / "a")
    script = session.script()
    again = jviz.Session()
    try:
        exec(compile(script.replace("/a'", "/b'"), "script", "exec"), {"__name__": "__main__"})
    finally:
        again.close()
    assert [p.name for p in (tmp_path / "b").iterdir()] == [p.name for p in (tmp_path / "a").iterdir()]
    assert "jviz.kept" not in script


def test_products_are_chosen(session, mast):
    found = session.run("archive.search", target_name="FIELD 0")

    def names(**chosen):
        table = session.run("archive.products", observations=found, **chosen)
        return sorted(str(name).rpartition("_")[2] for name in table["productFilename"])

    assert names() == ["asn.json", "cal.fits", "i2d.fits"]
    assert names(level=3) == ["i2d.fits"]
    assert names(type="science") == ["cal.fits", "i2d.fits"]
    assert names(suffix=["cal"]) == ["asn.json", "cal.fits"]
    assert names(extension="json") == ["asn.json"]
    assert names(suffix="x1d") == []


def test_one_lost_file_is_told_and_the_others_are_here(session, mast, tmp_path):
    mast.fail(I2D, Fault("html"))
    names = [I2D, I2D.replace("o000", "o001")]
    paths = session.run("archive.download", products=[f"mast:JWST/product/{n}" for n in names], folder=tmp_path / "in")
    assert [path.name for path in paths] == names[1:]
    assert any("a page instead of the file" in text for _, text in session.notices)


# --- the token ------------------------------------------------------------------------------------


@pytest.fixture
def no_keyring(monkeypatch):
    import keyring
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    monkeypatch.delenv("MAST_API_TOKEN", raising=False)
    yield
    keyring.set_keyring(before)


def test_logging_in_without_a_keyring_lasts_as_long_as_the_session(session, mast, no_keyring, own_folders, tmp_path):
    with pytest.raises(CommandError, match="no token yet"):
        session.run("archive.login")
    with pytest.raises(CommandError, match="does not know this token"):
        session.run("archive.login", token="wrong")
    said = session.run("archive.login", token=TOKEN)
    assert (said["user"], said["name"], said["kept"]) == ("astro", "A. Stronomer", "memory")
    assert said["expires"].startswith("20")
    secret = I2D.replace("o000", "o004")
    [path] = session.run("archive.download", products=f"mast:JWST/product/{secret}", folder=tmp_path)
    assert path.name == secret
    assert TOKEN not in session.script() + "".join(entry.label for entry in session.history.entries)
    stored = b"".join(p.read_bytes() for p in own_folders.rglob("*") if p.is_file())
    assert TOKEN.encode() not in stored
    session.run("archive.logout")
    with pytest.raises(JvizError, match=r"archive\.login"):
        session.run("archive.download", products=f"mast:JWST/product/{secret}", folder=tmp_path / "again")


def test_the_token_of_the_environment_comes_first(session, mast, no_keyring, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    assert session.run("archive.login")["user"] == "astro"


# --- the library ----------------------------------------------------------------------------------


def test_adding_is_undone_and_done_again(session, holdings):
    told = session.run("library.add", path=holdings)
    assert set(told["state"]) == {"added"}
    library = session.archives.library
    session.undo()
    assert library.ask("SELECT * FROM file") == []
    assert len(list(holdings.iterdir())) == 7
    session.redo()
    assert len(session.run("library.search")) == 7


def test_tags_and_notes_are_undone(session, holdings):
    session.run("library.add", path=holdings)
    found = session.run("library.search", level=3)
    session.run("library.tag", files=found[:2], tag="good")
    assert len(session.run("library.search", tag="good")) == 2
    session.undo()
    assert len(session.run("library.search", tag="good")) == 0
    session.run("library.note", file=str(found["path"][0]), text="saturated core")
    library = session.archives.library
    assert library.note_of(str(found["sha256"][0])) == "saturated core"
    session.undo()
    assert library.note_of(str(found["sha256"][0])) == ""
    session.run("library.forget", files=found)
    assert len(session.run("library.search", level=3)) == 0
    session.undo()
    assert len(session.run("library.search", level=3)) == 5


def test_a_bundle_is_whole_checks_itself_and_opens(session, mast, tmp_path, holdings):
    found = session.run("archive.search", target_name="FIELD 1")
    products = session.run("archive.products", observations=found)
    [path] = session.run("archive.download", products=products)
    bundle = session.run("library.bundle", products=session.run("library.search"), path=tmp_path / "b.zip")
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
        rows = list(csv.DictReader(io.StringIO(archive.read("MANIFEST.csv").decode())))
        manifest = json.loads(archive.read("manifest.json"))
    assert [row["file"] for row in rows] == [f"data/{path.name}"]
    assert manifest[0]["source"].startswith(mast.url)
    assert "path" not in manifest[0], "paths of this machine are nobody else's business"
    (tmp_path / "out" / "data" / path.name).unlink()
    run = subprocess.run(["sh", tmp_path / "out" / "get_data.sh"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "OK" in run.stdout
    assert (tmp_path / "out" / "data" / path.name).read_bytes() == path.read_bytes()
    compile((tmp_path / "out" / "load_in_jviz.py").read_text(), "load", "exec")


@pytest.mark.parametrize(
    ("id", "arguments", "words"),
    [
        ("archive.search", {}, "needs a target"),
        ("archive.search", {"position": "10 10", "target": "M 31"}, "not both"),
        ("archive.search", {"position": "10 10", "radius": "3 apples"}, "no radius"),
        ("archive.search", {"position": "10 10", "radius": -1}, "none on the sky"),
        ("archive.search", {"position": "10 100"}, "no place on the sky"),
        ("archive.search", {"collection": "nowhere", "position": "10 10"}, "no service 'nowhere'"),
        ("archive.search", {"target": "nothing at all"}, "does not know"),
        ("archive.search", {"instrument": "NIRCAM", "limit": 0}, "at most 0 rows"),
        ("archive.products", {"observations": "jw01234"}, "no obsid"),
        ("archive.products", {"observations": QTable({"a": [1]})}, "a column obsid is missing"),
        ("archive.download", {"products": QTable({"a": [1]})}, "a column dataURI is missing"),
        ("archive.download", {"products": []}, "nothing to download"),
        ("archive.download", {"products": "ftp://x/y"}, "no address of a file"),
        ("archive.download", {"products": "mast:JWST/product/none.fits"}, "no such file"),
        ("archive.tap", {"url": "nowhere", "adql": "SELECT 1"}, "no service 'nowhere'"),
        ("archive.tap", {"url": "eso", "adql": " "}, "question is empty"),
        ("library.add", {"path": "/nowhere/at/all.fits"}, "is not there"),
        ("library.search", {"colour": "red"}, "no column 'colour'"),
        ("library.bundle", {"products": "/nowhere/x.fits", "path": "b.zip"}, "not there any more"),
        ("library.bundle", {"products": [], "path": "b.zip"}, "nothing to bundle"),
        ("library.tag", {"files": "/nowhere/x.fits", "tag": "a"}, "not in the library"),
        ("library.forget", {"files": "/nowhere/x.fits"}, "None of these files"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(session, mast, id, arguments, words):
    with pytest.raises(JvizError, match=words):
        session.run(id, **arguments)
    assert len(session.history.entries) == 0


def test_numbers_survive_the_way_from_the_archive(session, mast):
    found = session.run("archive.search", instrument="NIRCAM")
    np.testing.assert_allclose(found["s_ra"].to_value(u.deg), 53.1 + 0.2 * np.arange(5))
    assert found["t_exptime"].unit == u.s

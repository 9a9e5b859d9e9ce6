"""The commands of archives and of the library, as a script calls them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable

import jviz
from jviz.archive_transfers import TransferRow, totals_of
from jviz.backend.archive.basket import basket
from jviz.backend.archive.transfers import INTERRUPTED
from jviz.backend.library.queries import search
from jviz.errors import CommandError, JvizError
from tests.standin import TOKEN, Fault

ROOT = Path(__file__).resolve().parents[2]
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


def test_the_products_that_most_people_need(session, mast):
    found = session.run("archive.products", observations=["1000000", "1000001"], recommended=True)
    assert [str(name)[-8:] for name in found["productFilename"]] == ["i2d.fits", "i2d.fits"]
    with_its_association = session.run("archive.products", observations="1000000", recommended=True, suffix="i2d")
    assert [str(name)[-8:] for name in with_its_association["productFilename"]] == ["asn.json", "i2d.fits"]


def test_public_files_come_from_the_cloud_and_the_others_from_mast(session, mast, holdings, monkeypatch, tmp_path):
    monkeypatch.setenv("JVIZ_S3_URL", mast.url)
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    secret = I2D.replace("o000", "o004")
    uris = [f"mast:JWST/product/{name}" for name in (I2D, secret)]
    paths = session.run("archive.download", products=uris, folder=tmp_path, cloud=True)
    assert sorted(path.name for path in paths) == [I2D, secret]
    assert (tmp_path / I2D).read_bytes() == (holdings / I2D).read_bytes()
    [cloudy] = mast.asked("/stpubdata/jwst/public/")
    assert cloudy.path.endswith(I2D)
    [other] = mast.asked("Download/file")
    assert secret in other.path
    assert "cloud=True" in session.script()


def test_a_public_object_is_fetched_by_its_address(session, mast, holdings, monkeypatch, tmp_path):
    monkeypatch.setenv("JVIZ_S3_URL", mast.url)
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    [path] = session.run("archive.download", products=f"s3://stpubdata/jwst/{I2D}", folder=tmp_path)
    assert path.read_bytes() == (holdings / I2D).read_bytes()


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
    assert len(search(library, missing=True)) == 0
    assert len(session.run("library.folders")) == 0
    assert library.rescan().is_news is False
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


def test_notes_are_searched_with_words_and_by_themselves(session, holdings):
    session.run("library.add", path=holdings)
    path = str(holdings / "jw01234-o003_t001_nircam_clear-f200w_i2d.fits")
    words = lambda text: [str(one) for one in session.run("library.search", text=text)["path"]]  # noqa: E731
    session.run("library.note", file=path, text="Saturated core, 50% of the halo_ring")
    for text in ("halo", "saturated core", "SATURATED", "curie halo", "halo field 3"):
        assert words(text) == [path], text
    assert words("halo nowhere") == []
    assert words("halo miri") == []
    assert len(words("curie")) == 6
    assert words("!!!") == []
    for note, count in (("halo", 1), ("core*ring", 1), (["nothing", "core"], 1), ("ring*core", 0)):
        assert len(session.run("library.search", note=note)) == count, note
    assert len(session.run("library.search", position="53.7 -27.8", note="halo")) == 1
    session.undo()
    assert words("halo") == []


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
    whole = subprocess.run(["sh", tmp_path / "out" / "get_data.sh"], capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stderr
    assert len(mast.asked("Download")) == 1, "what is whole is not fetched again"
    (tmp_path / "out" / "data" / path.name).unlink()
    run = subprocess.run(["sh", tmp_path / "out" / "get_data.sh"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "OK" in run.stdout
    assert (tmp_path / "out" / "data" / path.name).read_bytes() == path.read_bytes()
    picture = tmp_path / "shown.png"
    run = subprocess.run([sys.executable, tmp_path / "out" / "load_in_jviz.py", "--screenshot", picture],
                         capture_output=True, text=True, check=False,
                         env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert picture.is_file()


def test_a_bundle_shows_no_secret(session, mast, tmp_path, holdings, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    secret = holdings / I2D.replace("o000", "o004")
    library = session.archives.library
    library.add(secret, source=f"{mast.url}/api/v0.1/Download/file?uri=mast:JWST/product/{secret.name}")
    library.add(holdings / I2D, source="https://a.org/x.fits?X-Amz-Signature=hidden")
    bundle = session.run("library.bundle", products=[secret, holdings / I2D], path=tmp_path / "b.zip")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "out")
        for name in ("MANIFEST.csv", "manifest.json", "get_data.sh", "load_in_jviz.py"):
            text = archive.read(name).decode()
            assert "hidden" not in text
            assert TOKEN not in text
    (tmp_path / "out" / "data" / secret.name).unlink()
    seen, curl = tmp_path / "seen", tmp_path / "bin" / "curl"
    curl.parent.mkdir()
    curl.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{seen}'\nexec {shutil.which('curl')} \"$@\"\n")
    curl.chmod(0o755)
    path = f"{curl.parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(["sh", tmp_path / "out" / "get_data.sh"], capture_output=True, text=True, check=False,
                         env={**os.environ, "PATH": path})  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / "data" / secret.name).read_bytes() == secret.read_bytes()
    # The file is exclusive, so the token was shown; but every program of a machine sees the command lines of others.
    assert secret.name in seen.read_text()
    assert TOKEN not in seen.read_text()


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz", "B.TGZ"])
def test_a_bundle_may_be_a_tar(session, mast, tmp_path, holdings, name):
    session.run("library.add", path=holdings)
    bundle = session.run("library.bundle", products=session.run("library.search"), path=tmp_path / name)
    with tarfile.open(bundle) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    out = tmp_path / "out"
    rows = list(csv.DictReader(io.StringIO((out / "MANIFEST.csv").read_text())))
    assert len(rows) == len(list(holdings.iterdir())) == 7
    for row in rows:
        content = (out / row["file"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (row["sha256"], int(row["size"]))
        assert content == (holdings / row["file"].removeprefix("data/")).read_bytes()
    assert (out / "get_data.sh").is_file()
    assert (out / "load_in_jviz.py").is_file()
    with pytest.raises(CommandError, match="must end with"):
        session.run("library.bundle", products=holdings / I2D, path=tmp_path / "b.rar")


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


# --- transfers --------------------------------------------------------------------------------------


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_session_that_ends_pauses_what_it_fetches(session, mast, tmp_path):
    mast.rate = 4_000
    jobs = [session.submit("archive.download", products=f"mast:JWST/product/{I2D.replace('o000', f'o00{n}')}",
                           folder=tmp_path / "in") for n in range(4)]  # fmt: skip
    until(lambda: sum(t.done > 0 for t in session.archives.transfers.listed()) == 4)
    # Downloads take no turn of the work that is done here.
    assert session.submit("archive.products", observations="1000000").result(60) is not None
    session.close()
    assert {job.state for job in jobs} == {"cancelled"}
    again = jviz.Session()
    left = again.archives.transfers.listed()
    assert {(t.state, t.reason) for t in left} == {("paused", INTERRUPTED)}
    mast.rate = 0
    [path] = again.run("archive.download", products=f"mast:JWST/product/{I2D}", folder=tmp_path / "in")
    assert path.read_bytes() == (mast.folder / I2D).read_bytes()
    assert mast.asked(I2D)[-1].headers["range"].startswith("bytes=")
    again.close()


def test_the_list_of_downloads_as_a_table(session, mast, tmp_path):
    mast.rate = 20_000
    mast.fail(I2D.replace("o000", "o002"), Fault("html"))
    names = [I2D.replace("o000", f"o00{n}") for n in range(3)]
    products = session.run("archive.products", observations=["1000000", "1000001", "1000002"], suffix="i2d",
                           extension="fits")  # fmt: skip
    job = session.submit("archive.download", products=products, folder=tmp_path / "in")
    until(lambda: [t.state == "failed" or t.speed > 0 for t in session.archives.transfers.listed()] == [True] * 3)
    table = session.run("archive.transfers")
    assert isinstance(table, QTable)
    rows = {str(row["name"]): row for row in table}
    assert set(rows) == set(names)
    assert (table["size"].unit, table["speed"].unit, table["remaining"].unit) == (u.byte, u.byte / u.s, u.s)
    one, lost = rows[names[0]], rows[names[2]]
    assert one["state"] == "running"
    assert one["size"] == (mast.folder / names[0]).stat().st_size * u.byte
    left = (one["size"] - one["done"]) / one["speed"]
    assert one["remaining"].to_value(u.s) == pytest.approx(left.to_value(u.s))
    assert (lost["state"], str(lost["host"])) == ("failed", mast.url.removeprefix("http://"))
    assert "a page instead of the file" in lost["reason"]
    assert session.run("archive.transfers", state="failed")["name"].tolist() == [names[2]]
    assert session.run("archive.pause", transfers=table[table["name"] == names[0]]) == 1
    assert session.run("archive.pause") == 1
    assert session.run("archive.pause") == 0
    assert not job.is_over
    mast.rate = 0
    assert session.run("archive.resume", transfers=[names[0]]) == 1
    assert session.run("archive.resume") == 1
    assert [path.name for path in job.result(20)] == names[:2]
    assert session.run("archive.retry") == 1
    until(lambda: {t.state for t in session.archives.transfers.listed()} == {"done"})
    assert session.run("archive.clear_transfers", transfers=names[0]) == 1
    assert session.run("archive.clear_transfers") == 2
    assert len(session.run("archive.transfers")) == 0
    assert len(list((tmp_path / "in").iterdir())) == 3
    with pytest.raises(CommandError, match=r"no transfer 99; archive\.transfers lists"):
        session.run("archive.cancel", transfers=99)
    with pytest.raises(CommandError, match=r"no transfer 'x\.fits'"):
        session.run("archive.pause", transfers="x.fits")


def test_what_transfers_come_to():
    def row(number, state, done, size, speed=0.0):
        return TransferRow(number, "a", "h", "u", "f", state, "", "", done, size, speed, float(number), 0.0, False)

    rows = [row(0, "done", 70, 70), row(1, "running", 10, 100, 5.0), row(2, "done", 50, 50), row(3, "paused", 20, 40),
            row(4, "failed", 9, 90)]  # fmt: skip
    totals = totals_of(rows)
    assert totals.counts == {"done": 2, "running": 1, "paused": 1, "failed": 1}
    assert (totals.done, totals.size) == (10 + 50 + 20, 100 + 50 + 40), "with what came since the first of them began"
    assert (totals.speed, totals.remaining, totals.unknown) == (5.0, (190 - 80) / 5.0, False)
    over = totals_of([rows[0], rows[2], rows[4]])
    assert (over.done, over.size, over.remaining) == (0, 0, None)
    assert totals_of([*rows, row(5, "waiting", 0, 0)]).unknown


def test_what_is_done_but_gone_is_fetched_anew(session, mast, tmp_path):
    [path] = session.run("archive.download", products=f"mast:JWST/product/{I2D}", folder=tmp_path / "in")
    assert session.run("archive.retry", transfers=I2D) == 0
    path.unlink()
    assert session.run("archive.retry", transfers=I2D) == 1
    until(lambda: path.is_file())
    assert path.read_bytes() == (mast.folder / I2D).read_bytes()


# --- the basket -------------------------------------------------------------------------------------


def test_the_basket_outlives_the_session_and_is_fetched(session, mast, tmp_path):
    products = session.run("archive.products", observations=["1000000", "1000001"])
    assert session.run("archive.basket_add", products=products) == 4
    assert session.run("archive.basket_add", products=products[:1]) == 0
    kept = session.run("archive.basket")
    assert sorted(kept["dataURI"].tolist()) == sorted(products["dataURI"].tolist())
    assert kept["size"].unit == u.byte
    assert kept["size"].sum() == products["size"].sum()
    by_name = {str(row["productFilename"]): row for row in products}
    for row in kept:
        same = by_name[str(row["productFilename"])]
        assert (row["calib_level"], row["obs_id"], row["productType"]) == (
            same["calib_level"], same["obs_id"], same["productType"])  # fmt: skip
    session.close()
    again = jviz.Session()
    assert len(again.run("archive.basket")) == 4
    secret = f"mast:JWST/product/{I2D.replace('o000', 'o004')}"
    assert again.run("archive.basket_add", products=secret) == 1
    paths = again.run("archive.basket_download", folder=tmp_path / "in")
    assert sorted(path.name for path in paths) == sorted(products["productFilename"].tolist())
    assert again.run("archive.basket")["dataURI"].tolist() == [secret], "what could not be had stays"
    assert any("exclusive" in text for _, text in again.notices)
    again.close()


def test_changes_of_the_basket_are_undone(session, mast):
    names = [f"mast:JWST/product/{I2D.replace('o000', f'o00{n}')}" for n in range(3)]

    def there():
        return [uri.partition("-o00")[2][0] for uri in basket(session.archives.library)["dataURI"]]

    session.run("archive.basket_add", products=names)
    assert there() == ["0", "1", "2"]
    session.run("archive.basket_remove", products=session.run("archive.basket")[1:])
    assert there() == ["0"]
    session.undo()
    assert there() == ["0", "1", "2"]
    session.redo()
    assert there() == ["0"]
    assert session.run("archive.basket_clear") == 1
    session.undo()
    session.undo()
    session.undo()
    assert there() == []
    assert session.run("archive.basket_clear") == 0
    with pytest.raises(CommandError, match="None of these products is in the basket"):
        session.run("archive.basket_remove", products=names[0])
    with pytest.raises(CommandError, match="basket is empty"):
        session.run("archive.basket_download")
    with pytest.raises(JvizError, match="no address"):
        session.run("archive.basket_add", products="nonsense")


def test_the_history_knows_what_was_fetched_for_ever(session, mast, tmp_path):
    names = [f"mast:JWST/product/{I2D.replace('o000', f'o00{n}')}" for n in range(2)]
    paths = session.run("archive.download", products=names, folder=tmp_path / "in")
    session.run("archive.download", products=names, folder=tmp_path / "in")  # they are here: nothing comes
    session.run("archive.clear_transfers")
    paths[0].unlink()
    session.run("library.forget", files=paths[1])
    session.close()
    again = jviz.Session()
    known = again.run("archive.history")
    assert sorted(known["dataURI"].tolist()) == names
    here = {str(row["productFilename"]): bool(row["here"]) for row in known}
    assert here == {paths[0].name: False, paths[1].name: True}
    assert known["size"].unit == u.byte
    assert len(again.run("archive.history", text="o001")) == 1
    assert len(again.run("archive.history", text="o_01")) == 0, "signs of patterns are letters"
    assert again.run("archive.basket_add", products=known) == 2
    again.close()


def test_what_was_fetched_before_the_history_was_kept_is_in_it(tmp_path, monkeypatch):
    from jviz.backend.library import schema

    old = schema.MIGRATIONS[:3]
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", old)
        patched.setattr(schema, "VERSION", 3)
        database = schema.connect(tmp_path / "library.sqlite")
    row = "('https://a.org/x.fits', 'x.fits', '/d', 7, '', ?, '', ?, 7, 7, 1.0, 2.0, '1 1 a')"
    for state, path in (("done", "/d/x.fits"), ("failed", "")):
        database.execute("INSERT INTO transfer(url, name, folder, size, md5, state, reason, path, done, received, "
                         f"added, ended, owner) VALUES {row}", (state, path))  # fmt: skip
    database.close()
    database = schema.connect(tmp_path / "library.sqlite")
    assert [tuple(row)[1:] for row in database.execute("SELECT * FROM download")] == [
        (2.0, "https://a.org/x.fits", "x.fits", "/d/x.fits", 7, "", 7)
    ]
    database.close()


def test_addresses_and_scripts_of_products_and_of_the_basket(session, mast, tmp_path):
    names = [f"mast:JWST/product/{I2D.replace('o000', f'o00{n}')}" for n in range(2)]
    with pytest.raises(CommandError, match="basket is empty"):
        session.run("archive.urls")
    table = session.run("archive.urls", products=names)
    assert table["url"].tolist() == [f"{mast.url}/api/v0.1/Download/file?uri={name}" for name in names]
    session.run("archive.basket_add", products=names)
    path = session.run("archive.urls", path=tmp_path / "urls.txt")
    assert path.read_text().splitlines() == table["url"].tolist()
    written = session.run("archive.script", path=tmp_path / "get.sh")
    done = subprocess.run(["sh", str(written), str(tmp_path / "in")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "in").iterdir())) == 2
    before = written.read_bytes()
    with pytest.raises(JvizError, match="no address"):
        session.run("archive.script", path=written, products="nonsense")
    assert written.read_bytes() == before

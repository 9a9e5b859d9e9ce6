"""The library takes files in, finds them by anything, and never touches them."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from astropy.io import fits

from jviz.backend.library import queries
from jviz.backend.library.catalogue import Library
from jviz.backend.library.records import read_record
from jviz.backend.library.schema import MIGRATIONS, VERSION, connect
from jviz.backend.progress import Cancelled
from jviz.errors import JvizError
from tests.archives import made


@pytest.fixture
def filled(library, holdings):
    library.add(holdings)
    return library


def names(table):
    return sorted(str(name) for name in table["name"])


def state_of(folder):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_a_record_is_what_the_header_says(holdings):
    record = read_record(holdings / "jw01234-o003_t001_nircam_clear-f200w_i2d.fits")
    expected = {
        "obs_collection": "JWST", "instrument_name": "NIRCAM", "filters": "F200W", "target_name": "FIELD 3",
        "proposal_id": "1234", "proposal_pi": "Curie, Marie", "calib_level": 3, "dataproduct_type": "image",
        "t_min": 59803.2, "t_exptime": 314.0, "cal_ver": "1.14.0", "crds_ctx": "jwst_1230.pmap", "suffix": "i2d",
        "obs_id": "jw01234-o003_t001_nircam_clear-f200w",
    }  # fmt: skip
    assert {name: record.columns[name] for name in expected} == expected
    assert record.columns["s_ra"] == pytest.approx(53.7, abs=1e-6)


def test_every_real_file_is_taken_in_or_refused_with_a_reason(library, shared_data):
    before = {p: p.stat().st_mtime_ns for p in shared_data.rglob("*")}
    taken = library.add(shared_data)
    assert not taken.changed
    assert len(taken.added) > 50
    assert all(len(reason) > 20 for _, reason in taken.refused)
    assert {p: p.stat().st_mtime_ns for p in shared_data.rglob("*")} == before
    table = queries.search(library)
    placed = sum(value is not None for value in table["s_ra"].filled(float("nan")))
    assert placed > 20
    for row in table:
        assert row["sha256"] == hashlib.sha256(Path(row["path"]).read_bytes()).hexdigest()


def test_values_agree_with_astropy_on_real_headers(library, shared_data):
    library.add(shared_data)
    checked = 0
    for row in queries.search(library):
        if not str(row["path"]).endswith(".fits"):
            continue
        with fits.open(row["path"], ignore_missing_simple=True) as hdus:
            telescope = hdus[0].header.get("TELESCOP")
        if isinstance(telescope, str) and telescope.strip():
            assert row["obs_collection"] == telescope.strip()
            checked += 1
    assert checked > 10


def test_the_header_is_kept_without_the_file(filled, holdings):
    path = holdings / "jw01234-o003_t001_nircam_clear-f200w_i2d.fits"
    path.unlink()
    filled.rescan()
    cards = {keyword: value for keyword, value, _ in filled.header_of(path)}
    assert (cards["BUNIT"], cards["EFFEXPTM"], cards["TARGNAME"]) == ("MJy/sr", 314.0, "FIELD 3")
    assert filled.header_of(holdings / "none.fits") == []


def test_searches(filled):
    def found(**asked):
        return len(queries.search(filled, **asked))

    assert found() == 7
    assert found(criteria={"instrument": "nircam"}) == 6
    assert found(criteria={"filter": "F2*"}) == 6
    assert found(criteria={"target_name": ["FIELD 1", "FIELD 3"]}) == 2
    assert found(criteria={"level": 2}) == 1
    assert found(criteria={"exposure_time": (312, 313.5)}) == 2
    assert found(criteria={"date": "2022-08-10"}) == 1
    assert found(criteria={"date": "2022-08-10..2022-08-12"}) == 3
    assert found(criteria={"suffix": "asn"}) == 1
    assert found(text="curie") == 6
    assert found(text="cur field 3") == 1
    assert found(text="cur fie") == 6
    assert found(text='"; DROP TABLE file; --') == 0
    assert found(sky=(53.1, -27.8, 0.0)) == 2
    assert found(sky=(53.1, -27.8, 0.2)) == 3
    assert found(sky=(53.1, -27.8, 0.0), criteria={"level": 3}) == 1
    assert found(sky=(233.1, 27.8, 10.0)) == 0
    with pytest.raises(JvizError, match="no column 'colour'"):
        found(criteria={"colour": "red"})


def test_the_nearest_comes_first(filled):
    table = queries.search(filled, sky=(53.5, -27.8, 1.0))
    assert str(table["target_name"][0]) == "FIELD 2"


def test_facets_count_what_was_found(filled):
    facets = queries.facets(queries.search(filled))
    assert facets["filters"] == [("F200W", 6)]
    assert facets["calib_level"] == [("3", 5), ("2", 1)]


def test_a_second_scan_reads_only_what_changed(filled, holdings):
    before = state_of(holdings)
    assert len(filled.add(holdings).unchanged) == 7
    path = holdings / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits"
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["TARGNAME"] = "OTHER"
    gone = holdings / "jw01234-o002_t001_nircam_clear-f200w_i2d.fits"
    gone.unlink()
    taken = filled.rescan()
    assert (taken.changed, taken.missing, len(taken.unchanged)) == ([path], [gone], 5)
    assert names(queries.search(filled, criteria={"target_name": "OTHER"})) == [path.name]
    assert len(queries.search(filled)) == 6
    assert len(queries.search(filled, missing=True)) == 7
    after = state_of(holdings)
    assert all(after[p] == before[p] for p in after if p != path)


def test_a_moved_file_is_the_same_file(filled, holdings):
    path = holdings / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits"
    total = filled.sum_of(path)
    filled.tag([total], "best")
    filled.note(total, "use this one")
    other = holdings / "deeper" / "renamed.fits"
    other.parent.mkdir()
    path.rename(other)
    taken = filled.rescan()
    assert taken.moved == [(path, other)]
    assert names(queries.search(filled, tag="best")) == ["renamed.fits"]
    assert len(queries.search(filled, missing=True)) == 7


def test_what_is_broken_is_listed_with_its_reason_and_tried_again_when_it_changes(filled, holdings):
    whole = (holdings / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits").read_bytes()
    (holdings / "cut_i2d.fits").write_bytes(whole[:50_000])
    (holdings / "empty_i2d.fits").write_bytes(b"")
    (holdings / "page_i2d.fits").write_bytes(b"<html>nothing</html>")
    (holdings / "bad_asn.json").write_text("{")
    taken = filled.rescan()
    assert len(taken.refused) == 4
    reasons = {path.rpartition("/")[2]: reason for path, reason in queries.refused(filled)}
    assert "truncated" in reasons["cut_i2d.fits"]
    assert "is empty" in reasons["empty_i2d.fits"]
    assert "SIMPLE" in reasons["page_i2d.fits"]
    assert "broken JSON" in reasons["bad_asn.json"]
    assert filled.rescan().refused == []
    (holdings / "cut_i2d.fits").write_bytes(whole)
    assert [p.name for p in filled.rescan().added] == ["cut_i2d.fits"]
    assert "cut_i2d.fits" not in [path.rpartition("/")[2] for path, _ in queries.refused(filled)]
    groups = [sorted(p.rpartition("/")[2] for p in group) for group in queries.duplicates(filled)]
    assert ["cut_i2d.fits", "jw01234-o001_t001_nircam_clear-f200w_i2d.fits"] in groups


def test_what_a_product_is_made_of(library, tmp_path):
    folder = tmp_path / "chain"
    folder.mkdir()
    made(folder / "jw01234001001_02101_00001_nrca1_cal.fits", 0)
    made(folder / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits", 1)
    with fits.open(folder / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits", mode="update") as hdus:
        hdus[0].header["R_FLAT"] = "crds://jwst_nircam_flat_0313.fits"
        hdus[0].header["ASNTABLE"] = "jw01234-o001_asn.json"
    (folder / "jw01234-o001_asn.json").write_text(
        '{"asn_rule": "Asn_Lv3Image", "program": "01234", "products": [{"name": "jw01234-o001_t001_nircam_clear-f200w",'
        ' "members": [{"expname": "jw01234001001_02101_00001_nrca1_cal.fits", "exptype": "science"}]}]}'
    )
    library.add(folder)
    parts = queries.made_from(library, str(folder / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits"))
    assert ("jwst_nircam_flat_0313.fits", "reference", "R_FLAT", "") in parts
    assert ("jw01234-o001_asn.json", "association", "", str(folder / "jw01234-o001_asn.json")) in parts
    members = queries.made_from(library, str(folder / "jw01234-o001_asn.json"))
    assert members == [("jw01234001001_02101_00001_nrca1_cal.fits", "member", "science",
                        str(folder / "jw01234001001_02101_00001_nrca1_cal.fits"))]  # fmt: skip
    users = queries.used_by(library, "jw01234001001_02101_00001_nrca1_cal.fits")
    assert users == [str(folder / "jw01234-o001_asn.json")]


def test_forgetting_leaves_the_file(filled, holdings):
    path = holdings / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits"
    assert filled.forget([path, path.with_name("none")]) == 1
    assert path.is_file()
    assert len(queries.search(filled)) == 6
    assert len(queries.search(filled, text="curie")) == 5


def test_a_cancelled_scan_keeps_whole_batches(library, holdings, monkeypatch):
    monkeypatch.setattr("jviz.backend.library.reading.BATCH", 3)

    def progress(done, total=1.0, text=""):
        if done >= 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        library.add(holdings, progress=progress)
    assert len(queries.search(library)) == 3
    assert len(library.add(holdings).added) == 4


def test_a_library_is_made_once_by_all_that_open_it_at_the_same_time(tmp_path):
    for number in range(4):
        path, begin = tmp_path / f"{number}.sqlite", threading.Barrier(6)

        def opened(path=path, begin=begin):
            begin.wait()
            connect(path).close()

        with ThreadPoolExecutor(6) as pool:
            for one in [pool.submit(opened) for _ in range(6)]:
                one.result()
        with closing(connect(path)) as database:
            assert database.execute("PRAGMA user_version").fetchone()[0] == VERSION


def test_a_path_that_is_not_there(library, tmp_path):
    with pytest.raises(JvizError, match="is not there"):
        library.add(tmp_path / "none.fits")


def test_a_library_killed_while_it_takes_files_in_is_whole(tmp_path, holdings):
    for number in range(5, 60):
        made(holdings / f"jw01234-o{number:03d}_t001_nircam_clear-f200w_i2d.fits", number, size=40)
    program = (
        "import sys, pathlib; import jviz.backend.library.catalogue as c\n"
        "import jviz.backend.library.reading as r; r.BATCH = 2\n"
        "library = c.Library(pathlib.Path(sys.argv[1])); print('ready', flush=True)\n"
        "library.add(pathlib.Path(sys.argv[2]))\n"
    )
    path = tmp_path / "killed.sqlite"
    process = subprocess.Popen([sys.executable, "-c", program, path, holdings], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT count(*) FROM file").fetchone()[0]
        if rows >= 4:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    library = Library(path)
    assert library.ask("PRAGMA integrity_check")[0][0] == "ok"
    rows = library.ask("SELECT count(*) AS n FROM file")[0]["n"]
    words = len(queries.search(library, text="curie"))
    assert rows >= 4
    assert words in (rows, rows - 1), "the association has no investigator"
    library.add(holdings)
    assert len(queries.search(library)) == 62
    library.close()


def test_a_library_killed_with_its_readers_is_whole_and_leaves_none_of_them(tmp_path, holdings):
    for number in range(5, 40):
        made(holdings / f"jw01234-o{number:03d}_t001_nircam_clear-f200w_i2d.fits", number, size=40)
    program = (
        "import sys, pathlib, subprocess; import jviz.backend.library.catalogue as c\n"
        "import jviz.backend.library.reading as r; r.MANY, r.BATCH = 3, 2\n"
        "start = subprocess.Popen\n"
        "def told(*a, **k):\n    p = start(*a, **k); print(p.pid, flush=True); return p\n"
        "subprocess.Popen = told\n"
        "library = c.Library(pathlib.Path(sys.argv[1])); print('ready', flush=True)\n"
        "library.add(pathlib.Path(sys.argv[2]))\n"
    )
    path = tmp_path / "killed.sqlite"
    process = subprocess.Popen([sys.executable, "-c", program, path, holdings], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    readers = [int(process.stdout.readline())]
    while not _count(path):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    readers += [int(line) for line in process.stdout.read().split()]
    process.stdout.close()
    end = time.monotonic() + 20
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in readers):
        assert time.monotonic() < end, "readers go on without anybody who listens"
        time.sleep(0.05)
    with closing(Library(path)) as library:
        assert library.ask("PRAGMA integrity_check")[0][0] == "ok"
        library.rescan()
        assert len(queries.search(library)) == 42
        assert len(queries.search(library, text="curie")) == 41, "the association has no investigator"


def _count(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT count(*) FROM file").fetchone()[0]


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_library_of_any_older_jviz_is_brought_up_to_date(tmp_path, version):
    path = tmp_path / "library.sqlite"
    with closing(sqlite3.connect(path)) as database:
        for number, migration in enumerate(MIGRATIONS[:version], 1):
            database.executescript(f"BEGIN; {migration} PRAGMA user_version = {number}; COMMIT;")
        database.execute("INSERT INTO file(path, name, size, mtime_ns, sha256, added, seen) "
                         "VALUES ('/a.fits', 'a.fits', 1, 2, 'f00', 3, 4)")  # fmt: skip
        database.execute("INSERT INTO tag VALUES ('f00', 'good')")
        database.commit()
    with closing(Library(path)) as library:
        [row] = queries.search(library, tag="good")
        assert (row["name"], row["state"], bool(row["pinned"])) == ("a.fits", "present", False)
        assert library.rescan().missing == [Path("/a.fits")]


def test_a_library_of_a_newer_jviz_is_left_alone(tmp_path):
    path = tmp_path / "library.sqlite"
    connect(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 999")
    database.close()
    before = path.read_bytes()
    with pytest.raises(JvizError, match="newer jviz"):
        Library(path)
    assert path.read_bytes() == before


def test_a_damaged_library_is_told(tmp_path):
    path = tmp_path / "library.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(JvizError, match="cannot be opened"):
        Library(path)
    assert os.path.getsize(path) == 2100


def test_many_files_are_read_by_processes_and_come_out_the_same(library, holdings, monkeypatch, tmp_path):
    (holdings / "broken_i2d.fits").write_bytes(b"no file of this kind")
    library.add(holdings)
    monkeypatch.setattr("jviz.backend.library.reading.MANY", 3)
    monkeypatch.setattr("jviz.backend.library.reading.BATCH", 2)
    with closing(Library(tmp_path / "other.sqlite")) as other:
        taken = other.add(holdings)
        assert len(taken.added) == 7
        assert [path.name for path, _ in taken.refused] == ["broken_i2d.fits"]
        for table in ("file", "edge", "foot"):
            mine, theirs = ([tuple(row) for row in lib.ask(f"SELECT * FROM {table} ORDER BY 1")] for lib in
                            (library, other))  # fmt: skip
            times = (12, 13) if table == "file" else ()
            assert len(mine) == len(theirs)
            for one, two in zip(mine, theirs, strict=True):
                assert [v for n, v in enumerate(one[1:]) if n + 1 not in times and not isinstance(v, float)] == [
                    v for n, v in enumerate(two[1:]) if n + 1 not in times and not isinstance(v, float)
                ]


def test_a_reader_process_that_dies_loses_nothing(library, holdings, monkeypatch):
    monkeypatch.setattr("jviz.backend.library.reading.MANY", 3)
    monkeypatch.setattr("jviz.backend.library.reading._PROGRAM", "raise SystemExit(3)")
    assert len(library.add(holdings).added) == 7

"""Files come whole or not at all, whatever the server and the network do."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from email.utils import formatdate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jviz.backend.archive import fetch as fetching
from jviz.backend.archive.fetch import Stop, Wanted, fetch
from jviz.backend.archive.keys import Secrets
from jviz.backend.archive.net import NetError, connection
from jviz.backend.archive.replies import seconds_of
from jviz.backend.archive.transfers import Transfers
from jviz.backend.progress import Cancelled, silent
from jviz.errors import JvizError
from tests.standin import TOKEN, Fault, Standin

NAME = "jw01234-o000_t001_nircam_clear-f200w_i2d.fits"
SECRET = "jw01234-o004_t001_nircam_clear-f200w_i2d.fits"


def wanted(server, name=NAME, **more):
    return Wanted(f"{server.url}/api/v0.1/Download/file?uri=mast:JWST/product/{name}", name, **more)


def get(server, folder, name=NAME, token="", **options):
    file = options.pop("file", None) or wanted(server, name)
    with connection(keys=Secrets(token), tries=1) as session:
        return fetch(file, folder, session, read_timeout=options.pop("read_timeout", 0.4), **options)


def left(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def fetch_all(library, files, folder, progress=silent, **options):
    transfers = Transfers(library, **options)
    try:
        return transfers.wait(transfers.add(files, folder), progress)
    finally:
        transfers.close()


@pytest.fixture
def quick(monkeypatch):
    """Wait a tenth of what is decent between tries."""
    monkeypatch.setattr(fetching.random, "uniform", lambda low, high: 0.05)


def test_a_file_comes_as_it_is(mast, holdings, tmp_path):
    shown = []
    got = get(mast, tmp_path / "in", report=lambda done, total: shown.append((done, total)))
    content = (holdings / NAME).read_bytes()
    assert got.path == tmp_path / "in" / NAME
    assert got.path.read_bytes() == content
    assert (got.sha256, got.received) == (hashlib.sha256(content).hexdigest(), len(content))
    assert shown[-1] == (len(content), len(content))
    assert left(tmp_path / "in") == [NAME]
    assert [entry.method for entry in mast.log] == ["GET"], "no HEAD: some servers never answer it"


FAULTS = {
    "cut twice": [Fault("cut", 50_000), Fault("cut", 90_000)],
    "reset": [Fault("reset", 65_536)],
    "cut before the first byte": [Fault("cut", 0)],
    "stalled": [Fault("stall", 40_000)],
    "busy twice": [Fault("status", status=503), Fault("status", status=503)],
    "too many requests": [Fault("status", status=429, headers=(("Retry-After", "0.1"),))],
    "one wrong byte": [Fault("corrupt", 100_000)],
    "nothing, once": [Fault("empty")],
    "a part that does not say which": [Fault("cut", 40_000), Fault("unsaid")],
    "packed though not asked for": [Fault("packed", to="gzip")],
    "packed, after a cut": [Fault("cut", 40_000), Fault("packed", to="x-gzip")],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("lengths", [True, False], ids=["with length", "without length"])
def test_what_goes_wrong_on_the_way_is_mended(mast, holdings, tmp_path, quick, faults, lengths):
    mast.lengths = lengths
    mast.fail(NAME, *faults)
    got = get(mast, tmp_path / "in")
    assert got.path.read_bytes() == (holdings / NAME).read_bytes()
    assert left(tmp_path / "in") == [NAME]
    assert not mast.faults[NAME]


def test_a_packed_file_of_that_kind_stays_packed(mast, holdings, tmp_path):
    import gzip

    (holdings / f"{NAME}.gz").write_bytes((holdings / NAME).read_bytes())
    mast.fail(f"{NAME}.gz", Fault("packed", to="gzip"))
    got = get(mast, tmp_path / "in", f"{NAME}.gz")
    assert gzip.decompress(got.path.read_bytes()) == (holdings / NAME).read_bytes()


def test_no_byte_comes_twice_when_a_transfer_goes_on(mast, holdings, tmp_path, quick):
    mast.fail(NAME, Fault("cut", 40_000), Fault("cut", 80_000), Fault("reset", 100_000))
    got = get(mast, tmp_path / "in")
    assert got.received == (holdings / NAME).stat().st_size
    assert "range" not in mast.log[0].headers
    assert all(entry.headers["if-range"].startswith('"') for entry in mast.log[1:])


def test_a_server_without_ranges_is_asked_for_all_again(mast, holdings, tmp_path, quick):
    mast.ranges = False
    mast.fail(NAME, Fault("cut", 40_000))
    assert get(mast, tmp_path / "in").path.read_bytes() == (holdings / NAME).read_bytes()


def test_without_a_sign_of_the_version_nothing_is_spliced(mast, tmp_path, quick):
    mast.etags = False
    mast.fail(NAME, Fault("cut", 40_000))
    get(mast, tmp_path / "in")
    assert all("range" not in entry.headers for entry in mast.log)


def test_a_part_of_another_version_is_not_spliced(mast, holdings, tmp_path, quick):
    folder = tmp_path / "in"
    mast.fail(NAME, *[Fault("cut", 40_000)] + [Fault("status", status=503)] * 8)
    with pytest.raises(NetError):
        get(mast, folder)
    assert left(folder) == [f".{NAME}.part", f".{NAME}.part.json"]
    changed = bytearray((holdings / NAME).read_bytes())
    changed[2880 * 4 + 80 : 2880 * 4 + 90] = b"\0" * 10
    other = (holdings / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits").read_bytes()
    (holdings / NAME).write_bytes(other)
    mast.faults.clear()
    assert get(mast, folder).path.read_bytes() == other


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("html"), "a page instead of the file"),
        (Fault("status", status=404), "no such file"),
        (Fault("status", status=400), "error 400"),
        (Fault("empty"), "sent an empty file"),
        (Fault("packed", to="br"), r"not understood \(br\)"),
        (Fault("redirect", to=f"/api/v0.1/Download/file?uri=mast:JWST/product/{NAME}"), "to the next without end"),
        (Fault("redirect", to="ftp://127.0.0.1/x.fits"), "an address that cannot be asked"),
    ],
    ids=["page", "missing", "refused", "empty", "packed", "sent round", "sent astray"],
)
def test_what_is_no_file_is_refused_and_leaves_nothing(mast, tmp_path, fault, words):
    mast.fail(NAME, *[fault] * 40)
    with pytest.raises(NetError, match=words):
        get(mast, tmp_path / "in")
    assert left(tmp_path / "in") == []


def test_a_wrong_byte_without_checksums_is_found_by_the_md5_of_the_archive(mast, holdings, tmp_path):
    name = "jw01234-o000_t001_nircam_clear-f200w_asn.json"
    content = (holdings / name).read_bytes()
    right = wanted(mast, name, md5=hashlib.md5(content).hexdigest().upper())
    assert get(mast, tmp_path / "a", file=right).path.read_bytes() == content
    with pytest.raises(NetError, match="checksum is not the one"):
        get(mast, tmp_path / "b", file=wanted(mast, name, md5="0" * 32))
    assert left(tmp_path / "b") == []


def test_a_file_of_the_user_is_never_replaced(mast, holdings, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / NAME).write_bytes(b"mine")
    got = get(mast, folder)
    assert got.path.name == NAME.replace(".fits", ".1.fits")
    assert (folder / NAME).read_bytes() == b"mine"
    again = get(mast, folder)
    assert again.path == got.path, "the same bytes under that name are the same file"
    assert left(folder) == sorted([NAME, got.path.name])


def test_what_was_fetched_before_and_is_unchanged_is_not_asked_for(mast, tmp_path):
    got = get(mast, tmp_path / "in")
    mast.log.clear()
    again = get(mast, tmp_path / "in", known={got.path: got.sha256}.get)
    assert (again.path, again.received, mast.log) == (got.path, 0, [])
    got.path.write_bytes(got.path.read_bytes()[:-1] + b"x")
    assert get(mast, tmp_path / "in", known={got.path: got.sha256}.get).path != got.path


def test_names_that_lead_elsewhere_are_refused(mast, tmp_path):
    for name in ("../evil.fits", "a/b.fits", "..", ""):
        with pytest.raises(JvizError, match="no name of a file"):
            get(mast, tmp_path / "in", file=Wanted(mast.url + "/plain/x", name))


def test_a_server_that_fails_for_ever_is_given_up_and_the_part_is_kept(mast, tmp_path, quick):
    mast.fail(NAME, Fault("cut", 40_000), *[Fault("status", status=500)] * 20)
    with pytest.raises(NetError, match=r"the server is busy \(error 500\)\. What came is kept"):
        get(mast, tmp_path / "in")
    mast.faults.clear()
    before = (tmp_path / "in" / f".{NAME}.part").stat().st_size
    got = get(mast, tmp_path / "in")
    assert got.received == got.path.stat().st_size - before


def test_a_full_disk_is_said_before_the_first_byte(mast, tmp_path):
    with pytest.raises(JvizError, match="Free some space"):
        get(mast, tmp_path / "in", file=wanted(mast, size=10**18))
    assert mast.log == []


# --- the token ------------------------------------------------------------------------------------


def test_exclusive_data_need_the_token(mast, tmp_path):
    with pytest.raises(NetError, match=r"archive\.login") as refused:
        get(mast, tmp_path / "in", SECRET)
    assert refused.value.status == 401
    elsewhere = Wanted(f"{mast.url.replace('127.0.0.1', 'localhost')}/api/v0.1/Download/file?uri=x/{SECRET}", SECRET)
    with pytest.raises(NetError, match=r"archive\.login_to"):
        get(mast, tmp_path / "in", file=elsewhere)
    assert get(mast, tmp_path / "in", SECRET, token=TOKEN).path.name == SECRET


def test_the_token_does_not_follow_to_another_host(mast, holdings, tmp_path):
    elsewhere = Standin(holdings)
    try:
        mast.fail(NAME, Fault("redirect", to=f"{elsewhere.url}/plain/{NAME}"))
        get(mast, tmp_path / "in", token=TOKEN)
        assert mast.log[0].headers["authorization"] == f"token {TOKEN}"
        assert [entry.path for entry in elsewhere.log] == [f"/plain/{NAME}"]
        assert "authorization" not in elsewhere.log[0].headers
        assert "cookie" not in elsewhere.log[0].headers
        get(mast, tmp_path / "b", token=TOKEN, file=Wanted(f"{elsewhere.url}/plain/{NAME}", NAME))
        assert all("authorization" not in entry.headers for entry in elsewhere.log)
    finally:
        elsewhere.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [("https://mast.stsci.edu/api/v0.1/x", True), ("http://mast.stsci.edu/api/v0.1/x", False),
     ("https://mast.stsci.edu.evil.test/x", False), ("https://archive.test/?u=https://mast.stsci.edu", False)],
)  # fmt: skip
def test_the_token_is_shown_to_mast_alone_and_never_in_the_clear(url, shown, monkeypatch):
    import requests

    monkeypatch.delenv("JVIZ_MAST_URL", raising=False)
    with connection(keys=Secrets(TOKEN)) as session:
        request = session.prepare_request(requests.Request("GET", url))
    assert (request.headers.get("Authorization") == f"token {TOKEN}") is shown


# --- many -----------------------------------------------------------------------------------------


def test_one_broken_file_does_not_stop_the_others(mast, holdings, library, tmp_path):
    names = sorted(path.name for path in holdings.glob("*_i2d.fits"))
    mast.fail(names[1], Fault("html"))
    outcomes = fetch_all(library, [wanted(mast, name) for name in [*names, names[0]]], tmp_path / "in")
    assert [outcome.wanted.name for outcome in outcomes] == names, "a file named twice is fetched once"
    assert [outcome.reason == "" for outcome in outcomes] == [True, False, True, True, False]
    assert left(tmp_path / "in") == [names[0], names[2], names[3]]


def test_several_come_at_a_time_but_not_too_many(mast, holdings, library, tmp_path):
    mast.rate = 2_000_000
    running, most, lock = [0], [0], threading.Lock()
    stream = mast.RequestHandlerClass._stream

    def counted(self, *args):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        try:
            stream(self, *args)
        finally:
            with lock:
                running[0] -= 1

    mast.RequestHandlerClass = type("Counting", (mast.RequestHandlerClass,), {"_stream": counted})
    names = [f"jw01234-o{n:03d}_t001_nircam_clear-f200w_i2d.fits" for n in range(4)]
    names += ["jw01234-o000_t001_nircam_clear-f200w_cal.fits"]
    fetch_all(library, [wanted(mast, name) for name in names], tmp_path / "in", per_host=3)
    assert most[0] == 3


def test_cancelling_ends_transfers_that_hear_nothing(mast, library, tmp_path):
    mast.fail(NAME, Fault("stall", 40_000))
    calls = []

    def progress(done, total=1.0, text=""):
        calls.append(done)
        if done >= 40_000:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch_all(library, [wanted(mast)], tmp_path / "in", progress=progress)
    end = time.monotonic() + 5
    while any(thread.name.startswith("jviz-fetch") for thread in threading.enumerate()):
        assert time.monotonic() < end, "the thread still waits for the silent server"
        time.sleep(0.01)
    got = get(mast, tmp_path / "in")
    assert got.received == got.path.stat().st_size - 40_000


def test_stop_before_the_start_asks_nothing(mast, tmp_path):
    stop = Stop()
    stop.set()
    with pytest.raises(Cancelled):
        get(mast, tmp_path / "in", stop=stop)
    assert mast.log == []


@settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(cuts=st.lists(st.integers(0, 140_000), max_size=5), resets=st.booleans())
def test_wherever_it_is_cut_the_bytes_are_equal(mast, holdings, tmp_path_factory, cuts, resets):
    folder = tmp_path_factory.mktemp("in")
    mast.faults.clear()
    mast.fail(NAME, *[Fault("reset" if resets else "cut", cut) for cut in sorted(cuts)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching.random, "uniform", lambda low, high: 0.002)
        got = get(mast, folder)
    content = (holdings / NAME).read_bytes()
    assert got.path.read_bytes() == content
    assert got.received == len(content) or resets  # bytes on their way when a connection is reset may be lost


@pytest.fixture
def plain(mast):
    """A file of a kind that does not tell whether it is whole."""
    path = mast.folder / "plain_notes.txt"
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(20_000)))
    return path


def test_a_part_of_another_version_is_not_spliced_though_the_server_ignores_if_range(mast, plain, tmp_path, quick):
    mast.fail(plain.name, Fault("cut", 65_536), Fault("other version"))
    got = get(mast, tmp_path, plain.name)
    assert got.path.read_bytes() == plain.read_bytes()
    assert [bool(entry.headers.get("range")) for entry in mast.asked(plain.name)] == [False, True, False]


@pytest.mark.parametrize("size", ["right", "wrong", "unknown"])
def test_a_reply_without_a_length_that_is_shorter_than_listed_is_asked_for_again(mast, plain, tmp_path, quick, size):
    content = plain.read_bytes()
    mast.lengths = False
    mast.fail(plain.name, *[Fault("cut", 65_536)] * (size == "right"))
    told = {"right": len(content), "wrong": 10**6, "unknown": 0}[size]
    got = get(mast, tmp_path, file=wanted(mast, plain.name, size=told))
    assert got.path.read_bytes() == content
    assert len(mast.asked(plain.name)) == (1 if size == "unknown" else 2)


def test_what_is_packed_on_the_way_is_refused(mast, plain, tmp_path):
    mast.fail(plain.name, Fault("carried", to="gzip, chunked"))
    with pytest.raises(NetError, match=r"packs it on the way as nobody asked for \(gzip, chunked\)"):
        get(mast, tmp_path / "in", plain.name)
    assert left(tmp_path / "in") == []


def test_a_connection_that_cannot_be_trusted_is_not_tried_again(mast, tmp_path):
    address = mast.url.replace("http", "https") + "/plain/x.fits"  # it does not speak TLS
    with pytest.raises(NetError, match="the connection cannot be trusted"), connection(tries=1) as session:
        fetch(Wanted(address, "x.fits"), tmp_path, session)


def test_a_host_that_is_not_there_is_told(tmp_path, quick, monkeypatch):
    def unknown(*_args, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NetError, match="no such host, or no network"), connection(tries=1) as session:
        fetch(Wanted("https://archive.invalid/x.fits", "x.fits"), tmp_path, session)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3), ("-3", 0), ("nan", 0), ("inf", 0), ("soon", 0), ("", 0), ("Fri, 31 Dec 1999 23:59:59 GMT", 0)],
)
def test_what_retry_after_says(text, seconds):
    assert seconds_of(text) == seconds


def test_retry_after_as_a_date():
    assert 8 < seconds_of(formatdate(time.time() + 10, usegmt=True)) <= 10


def test_no_server_at_all(tmp_path, quick):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/x.fits"
    with pytest.raises(NetError, match="the connection breaks off"), connection(tries=1) as session:
        fetch(Wanted(address, "x.fits"), tmp_path, session)

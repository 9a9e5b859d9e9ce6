"""Who asks: names and passwords that one host alone sees, and what logging out ends at once."""

from __future__ import annotations

import base64
import time

import pytest

import jviz
from jviz.backend.archive.keys import Secrets, host_of
from jviz.backend.archive.net import NetError
from jviz.errors import CommandError, JvizError
from tests.standin import TOKEN
from tests.vo_service import Service

USER, PASSWORD = "curie", "pass:wörd"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
ALL = "SELECT * FROM ivoa.ObsCore"


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture
def guarded(service):
    service.account = f"{USER}:{PASSWORD}"
    return service


@pytest.fixture
def logged_in(session, guarded, no_keyring):
    session.run("archive.login_to", archive=f"{guarded.url}/tap", user=USER, password=PASSWORD)
    return session


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_what_only_users_may_see_needs_the_password(session, guarded, no_keyring, tmp_path, own_folders):
    tap = f"{guarded.url}/tap"
    with pytest.raises(NetError, match=r"archive\.login_to"):
        session.run("archive.tap", url=tap, adql=ALL)
    with pytest.raises(JvizError, match=r"archive\.login_to"):
        session.run("archive.download", products=f"{guarded.url}/file.csv", folder=tmp_path)
    with pytest.raises(JvizError, match="does not take this name and password"):
        session.run("archive.login_to", archive=tap, user=USER, password="wrong")
    assert not len(session.run("archive.logins"))
    said = session.run("archive.login_to", archive=tap, user=USER, password=PASSWORD)
    host = guarded.url.removeprefix("http://")
    assert (said["host"], said["user"], said["kept"]) == (host, USER, "memory")
    assert session.run("archive.logins")["host"].tolist() == [host]
    assert len(session.run("archive.tap", url=tap, adql=ALL)) == 40
    assert len(session.submit("archive.tap", url=tap, adql=ALL, wait=True).result(60)) == 40
    place = {"position": (53.0, -27.0), "radius": 0.3}
    assert session.submit("archive.count", collection=tap, **place).result(60) > 0
    assert len(session.submit("archive.search", collection=tap, **place).result(60)) > 0
    assert len(session.submit("archive.cone", url=f"{guarded.url}/cone", **place).result(60)) > 0
    assert len(session.submit("archive.datalink", url=f"{guarded.url}/links").result(60)) == 4
    [path] = session.run("archive.download", products=f"{guarded.url}/file.csv", folder=tmp_path)
    assert path.read_text() == "alpha,beta\n1,2\n"
    # Neither the script, the history nor any file knows the password.
    stored = b"".join(p.read_bytes() for p in own_folders.rglob("*") if p.is_file())
    said = session.script() + "".join(entry.label for entry in session.history.entries)
    said += "".join("\n".join(job.log) + job.title for job in session.jobs.all) + stored.decode("latin-1")
    assert PASSWORD not in said
    assert BASIC.removeprefix("Basic ") not in said
    session.run("archive.logout_of", archive=host)
    with pytest.raises(NetError, match=r"archive\.login_to"):
        session.run("archive.tap", url=tap, adql=ALL)
    # What was found as a user is not shown to who is none.
    with pytest.raises(NetError, match=r"archive\.login_to"):
        session.run("archive.search", collection=tap, **place)
    with pytest.raises(CommandError, match=f"not logged in to {host}; logged in to: none"):
        session.run("archive.logout_of", archive=host)


def test_another_host_does_not_see_the_password(logged_in, guarded, tmp_path):
    other = Service()
    try:
        logged_in.run("archive.tap", url=f"{other.url}/tap", adql=ALL)
        guarded.moved_to = other.url
        [path] = logged_in.run("archive.download", products=f"{guarded.url}/file.csv", folder=tmp_path)
        assert path.read_text().startswith("alpha")
        assert guarded.shown[-1] == BASIC
        assert set(other.shown) == {""}
        # Sent on to a host that has a password of its own, that host sees its own.
        other.account = "marie:other"
        logged_in.run("archive.login_to", archive=other.url, user="marie", password="other")
        logged_in.run("archive.download", products=f"{guarded.url}/file2.csv", folder=tmp_path)
        assert base64.b64decode(other.shown[-1].removeprefix("Basic ")) == b"marie:other"
    finally:
        other.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [("https://archive.test/tap", True), ("https://archive.test:443/x", True), ("https://ARCHIVE.test/x", True),
     ("http://archive.test/tap", False), ("https://archive.test:8443/tap", False),
     ("https://archive.test.evil/", False), ("https://evil.test/?u=https://archive.test/", False),
     ("https://archive.test@evil.test/", False), ("https://mast.stsci.edu/x", False)],
)  # fmt: skip
def test_a_password_is_shown_to_its_host_alone_and_never_in_the_clear(url, shown):
    login = Secrets(TOKEN, {"archive.test": (USER, PASSWORD)}).login_at(url)
    assert (login is not None) is shown


def test_secrets_are_not_printed():
    assert PASSWORD not in repr(Secrets(TOKEN, {"archive.test": (USER, PASSWORD)}))
    assert TOKEN not in repr(Secrets(TOKEN))


def test_hosts_are_told_apart_by_their_ports():
    assert host_of("https://Archive.test/tap?x") == host_of("archive.test") == "archive.test"
    assert host_of("http://[::1]:8099/tap") == "[::1]:8099"
    with pytest.raises(JvizError, match="names no host"):
        host_of("https:///tap")


def test_a_keyring_keeps_passwords_for_the_next_time(guarded, own_keyring):
    tap = f"{guarded.url}/tap"
    first = jviz.Session()
    host = guarded.url.removeprefix("http://")
    try:
        said = first.run("archive.login_to", archive=tap, user=USER, password=PASSWORD)
        assert said["kept"] == "keyring"
        assert own_keyring == {(f"jviz:{host}", USER): PASSWORD}
    finally:
        first.close()
    second = jviz.Session()
    try:
        assert second.settings["archive.logins"] == {host: USER}
        assert len(second.run("archive.tap", url=tap, adql=ALL)) == 40
        assert second.run("archive.logins")["kept"].tolist() == ["keyring"]
        second.run("archive.logout_of", archive=tap)
        assert own_keyring == {}
        assert second.settings["archive.logins"] == {}
    finally:
        second.close()


@pytest.mark.parametrize(
    ("archive", "user", "password", "reason"),
    [("http://archive.test/tap", USER, PASSWORD, "is not encrypted"),
     ("https://archive.test", "", PASSWORD, "or a token without a name"),
     ("https://archive.test", USER, "", "Give the name"), ("https://archive.test", "a:b", PASSWORD, "no colon"),
     ("https://mast.stsci.edu", USER, PASSWORD, "MAST takes a token"), ("http://", USER, PASSWORD, "names no host")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(session, no_keyring, monkeypatch, archive, user, password, reason):
    monkeypatch.delenv("JVIZ_MAST_URL", raising=False)
    with pytest.raises(JvizError, match=reason):
        session.run("archive.login_to", archive=archive, user=user, password=password)
    assert not len(session.run("archive.logins"))


# --- logging out ----------------------------------------------------------------------------------


def test_a_search_that_runs_shows_no_token_any_more_after_the_log_out(session, mast, no_keyring):
    session.run("archive.login", token=TOKEN)
    mast.executing, mast.hold = 10**6, 0.02
    job = session.submit("archive.search", instrument="NIRCAM", fresh=True)
    until(lambda: any("authorization" in entry.headers for entry in mast.asked("invoke")))
    session.run("archive.logout")
    until(lambda: "authorization" not in mast.asked("invoke")[-1].headers)
    after = len(mast.log)
    mast.executing = 0
    assert len(job.result(60)) == 5
    assert all("authorization" not in entry.headers for entry in mast.log[after:])


def test_a_question_that_runs_as_a_job_shows_no_password_any_more_after_the_log_out(logged_in, guarded):
    guarded.slow = True
    job = logged_in.submit("archive.tap", url=f"{guarded.url}/tap", adql=ALL, wait=True)
    until(lambda: guarded.jobs)
    logged_in.run("archive.logout_of", archive=guarded.url)
    with pytest.raises(NetError, match=r"archive\.login_to"):
        job.result(60)
    assert guarded.shown[-1] == ""

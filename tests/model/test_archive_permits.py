"""Log-ins that change a password for a cookie or a token, as the document of the IVOA on authentication says."""

from __future__ import annotations

import itertools

import pytest
import requests

import jviz
from jviz.backend.archive.permits import challenge_in, may_go_to
from jviz.errors import JvizError
from tests.sso_service import BASIC, FORM, SsoService
from tests.vo_service import Service

USER, PASSWORD = "curie", "pass:wörd"
ALL = "SELECT * FROM ivoa.ObsCore"


@pytest.fixture
def session(no_keyring):
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture(params=list(itertools.product(["ivoa_bearer", "ivoa_cookie"], [FORM, BASIC])),
                ids=["token, form", "token, basic", "cookie, form", "cookie, basic"])  # fmt: skip
def sso(request):
    service = SsoService(*request.param)
    yield service
    service.close()


def log_in(session, service):
    return session.run("archive.login_to", archive=f"{service.url}/tap", user=USER, password=PASSWORD)


def test_the_password_is_changed_once_for_what_is_shown_then(session, sso, tmp_path):
    with pytest.raises(JvizError, match=r"archive\.login_to"):
        session.run("archive.tap", url=f"{sso.url}/tap", adql=ALL)
    assert not sso.given, "nobody is logged in yet"
    assert log_in(session, sso)["said"] == "taken: they know you as curie"
    assert len(session.run("archive.tap", url=f"{sso.url}/tap", adql=ALL)) == 40
    assert len(session.run("archive.cone", url=f"{sso.url}/cone?", position="53 -27", radius=0.1))
    assert len(session.run("archive.tap", url=f"{sso.url}/tap", adql=ALL, wait=True)) == 40
    [path] = session.run("archive.download", products=f"{sso.url}/file.csv", folder=tmp_path)
    assert path.stat().st_size
    assert sso.given == [f"{USER}:{PASSWORD}"], "one log-in is enough"


def test_what_is_too_old_is_asked_for_anew(session, sso):
    log_in(session, sso)
    sso.valid.clear()
    assert len(session.run("archive.tap", url=f"{sso.url}/tap", adql=ALL)) == 40
    assert len(sso.given) == 2
    session.run("archive.logout_of", archive=sso.url)
    with pytest.raises(JvizError, match=r"archive\.login_to"):
        session.run("archive.tap", url=f"{sso.url}/tap", adql=ALL)
    assert sso.seen[-1] == ("", "")


def test_a_service_that_lets_everybody_in_knows_who_has_logged_in(session, sso):
    sso.optional = True
    log_in(session, sso)
    assert len(session.run("archive.tap", url=f"{sso.url}/tap", adql=ALL)) == 40
    assert any(permit in " ".join(sso.seen[-1]) for permit in sso.valid)
    assert len(sso.given) == 1


def test_a_wrong_password_is_one_sentence_and_is_not_kept(session, sso):
    with pytest.raises(JvizError, match=r"127\.0\.0\.1 does not take this name and password\."):
        session.run("archive.login_to", archive=f"{sso.url}/tap", user=USER, password="wrong")
    assert not len(session.run("archive.logins"))


def test_the_password_goes_to_no_other_owner(session, sso):
    thief = SsoService("ivoa_bearer")
    try:
        sso.login_url = thief.login_url.replace("127.0.0.1", "localhost")
        with pytest.raises(JvizError, match="wants the password to be given at localhost, which is another's"):
            log_in(session, sso)
        assert not thief.given
    finally:
        thief.close()


def test_permits_do_not_follow_to_another_host(session, sso, tmp_path):
    other = Service()
    try:
        sso.moved_to = other.url.replace("127.0.0.1", "localhost")
        log_in(session, sso)
        session.run("archive.download", products=f"{sso.url}/file.csv", folder=tmp_path)
        assert other.headers
        for headers in other.headers:
            assert not {"Authorization", "Cookie"} & set(headers)
    finally:
        other.close()


def test_a_token_instead_of_a_name_and_a_password(session):
    service = SsoService("ivoa_bearer")
    service.valid.add("abc.def")
    try:
        said = session.run("archive.login_to", archive=f"{service.url}/tap", user="", password="abc.def")
        assert said["user"] == "(token)"
        assert len(session.run("archive.tap", url=f"{service.url}/tap", adql=ALL)) == 40
        assert session.run("archive.logins")["user"].tolist() == ["(token)"]
        assert not service.given
        with pytest.raises(JvizError, match="does not take this name and password, or token"):
            session.run("archive.login_to", archive=f"{service.url}/tap", user="", password="other")
    finally:
        service.close()


def replied(header, status=401, **more):
    reply = requests.Response()
    reply.status_code = status
    reply.headers.update({"WWW-Authenticate": header, **more})
    return reply


URL = 'access_url="https://a.test/login", standard_id="ivo://ivoa.net/sso#tls-with-password"'


@pytest.mark.parametrize(
    ("header", "scheme"),
    [
        (f"ivoa_cookie {URL}", "ivoa_cookie"),
        (f"IVOA_BEARER {URL}", "ivoa_bearer"),
        (f'Bearer, ivoa_x509, ivoa_cookie {URL}, Basic realm="a \\"b\\", ivoa_bearer c"', "ivoa_cookie"),
        (f"ivoa_cookie {URL}, ivoa_bearer {URL}", "ivoa_bearer"),
        ("ivoa_bearer access_url=https://a.test/login", "ivoa_bearer"),
        ('ivoa_bearer standard_id="ivo://ivoa.net/sso#OAuth", access_url="https://a.test/authorize"', None),
        ('ivoa_bearer error="invalid_request", discovery_url="https://a.test/.well-known/openid-configuration"', None),
        ('Basic realm="ivoa_cookie"', None),
        ("", None),
    ],
)
def test_challenges_are_read(header, scheme):
    found = challenge_in(replied(header))
    assert (found and found.scheme) == scheme
    assert found is None or found.access_url == "https://a.test/login"
    assert challenge_in(replied(header, 500)) is None
    assert challenge_in(replied(header, 200, **{"X-VO-Authenticated": "curie"})) is None


@pytest.mark.parametrize(
    ("asked", "where", "may"),
    [
        ("https://a.esa.int/tap", "https://a.esa.int/login", True),
        ("https://tap.esa.int/tap", "https://login.esa.int/login", True),
        ("https://ws.cadc-ccda.hia-iha.nrc-cnrc.gc.ca/argus", "https://ws-cadc.canfar.net/ac/login", True),
        ("https://archive.some.ac.uk/tap", "https://other.ac.uk/login", False),
        ("https://archive.some.ac.uk/tap", "https://login.some.ac.uk/login", True),
        ("https://a.esa.int/tap", "http://a.esa.int/login", False),
        ("https://a.esa.int/tap", "https://esa.int.evil.com/login", False),
        ("https://127.0.0.1/tap", "https://1.0.0.1/login", False),
        ("http://127.0.0.1:80/tap", "http://127.0.0.1:81/login", True),
        ("http://127.0.0.1:80/tap", "http://localhost:81/login", False),
    ],
)
def test_where_a_password_may_be_given(asked, where, may):
    assert may_go_to(asked, where) is may

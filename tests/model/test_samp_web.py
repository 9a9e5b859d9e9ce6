"""Pages in a browser at jviz's own hub: none comes in without the user's word, none reads what was not for it."""

from __future__ import annotations

import http.client
import os
import socket
import time
import xmlrpc.client

import numpy as np
import pytest
from astropy.table import Table

from jviz import JvizError
from jviz.backend.samp import web
from jviz.backend.samp.addresses import Addresses
from jviz.errors import CommandError
from tests.samp_page import ORIGIN, BrowserPage
from tests.samp_partner import Partner

NO_PAGE = "not registered"


@pytest.fixture
def open_session(session, monkeypatch, samp_lock_file):
    monkeypatch.setattr(web, "PORT", 0)
    session.settings["samp.web_pages"] = True
    session.run("samp.connect")
    return session


@pytest.fixture
def port(open_session):
    return open_session.samp.connection.gate.port


@pytest.fixture
def page(open_session, port):
    return let_in(open_session, BrowserPage(port))


@pytest.fixture
def topcat(open_session):
    partner = Partner("Topcat", "table.load.votable", "coord.pointAt.sky")
    until(lambda: any("coord.pointAt.sky" in p.takes for p in open_session.samp.partners))
    yield partner
    partner.close()


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def let_in(session, page, name="Sky Page"):
    thread = page.knock(name)
    until(lambda: session.samp.waiting)
    session.run("samp.admit_page", page=str(session.samp.waiting[0].number))
    thread.join(30)
    assert not page.refused
    until(lambda: any(one.id == page.id and one.origin for one in session.samp.partners))
    return page


def message(mtype, **params):
    return {"samp.mtype": mtype, "samp.params": params}


# --- coming in ------------------------------------------------------------------------------------


def test_pages_find_nothing_unless_the_user_wants_it(session, samp_lock_file):
    session.run("samp.connect")
    assert not session.samp.takes_pages
    assert not len(session.run("samp.pages"))
    with pytest.raises(CommandError, match="none asks"):
        session.run("samp.admit_page", page="1")


def test_a_page_is_asked_for_by_name_and_origin_and_comes_in(open_session, port):
    page = BrowserPage(port)
    assert page.call("ping") == ""
    thread = page.knock("Sky\nPage <b>TOPCAT</b>")
    until(lambda: open_session.samp.waiting)
    table = open_session.run("samp.pages")
    assert (table["name"][0], table["origin"][0], table["state"][0]) == ("Sky Page <b>TOPCAT</b>", ORIGIN, "asks")
    assert not page.key
    open_session.run("samp.admit_page", page=ORIGIN)
    thread.join(30)
    assert page.key
    until(lambda: any(one.origin for one in open_session.samp.partners))
    [partner] = open_session.samp.partners
    assert (partner.name, partner.origin) == ("Sky Page <b>TOPCAT</b> (page.example.org)", ORIGIN)
    assert open_session.run("samp.pages")["state"].tolist() == ["in"]
    # What it says of itself later changes neither its name nor its origin.
    page.hub("declareMetadata", {"samp.name": "TOPCAT", "samp.icon.url": "file:///etc/passwd", "author.name": "N. N.",
                                 "jviz.page-origin": "https://other.example.org"})  # fmt: skip
    assert page.hub("getMetadata", page.id) == {"samp.name": "Sky Page <b>TOPCAT</b>", "jviz.page-origin": ORIGIN,
                                                "author.name": "N. N."}  # fmt: skip
    page.hub("unregister")
    until(lambda: not open_session.samp.partners)
    with pytest.raises(xmlrpc.client.Fault, match=NO_PAGE):
        page.hub("getRegisteredClients")


def test_a_page_that_is_refused_is_not_asked_for_again(open_session, port):
    page = BrowserPage(port)
    thread = page.knock()
    until(lambda: open_session.samp.waiting)
    open_session.run("samp.refuse_page", page=str(open_session.samp.waiting[0].number))
    thread.join(30)
    assert "does not let this page in" in page.refused
    page.refused = ""
    page.register()
    assert "does not let this page in" in page.refused
    assert not open_session.samp.waiting
    # Pages from elsewhere may ask.
    let_in(open_session, BrowserPage(port, "https://other.example.org"))
    # After a new connection these, too.
    open_session.run("samp.disconnect")
    open_session.run("samp.connect")
    let_in(open_session, BrowserPage(open_session.samp.connection.gate.port))


def test_one_page_cannot_flood_the_user_with_questions(open_session, port):
    pages = [BrowserPage(port, f"https://page{number}.example.org") for number in range(4)]
    threads = [page.knock() for page in pages[:3]]
    until(lambda: len(open_session.samp.waiting) == 3)
    again = BrowserPage(port, pages[0].origin)
    again.register()
    assert "being asked" in again.refused
    pages[3].register()
    assert "too many" in pages[3].refused
    for knock in open_session.samp.waiting:
        open_session.samp.answer_page(knock.number, False, remember=False)
    for thread in threads:
        thread.join(30)
    until(lambda: not open_session.samp.waiting)
    let_in(open_session, BrowserPage(port, pages[0].origin))


def test_a_page_that_is_closed_while_it_waits_is_not_asked_for_any_more(open_session, port):
    body = xmlrpc.client.dumps(({"samp.name": "Gone"},), "samp.webhub.register").encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {ORIGIN}\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)  # fmt: skip
        until(lambda: open_session.samp.waiting)
    until(lambda: not open_session.samp.waiting)
    assert not open_session.samp.partners


@pytest.mark.parametrize(
    "origin", ["", "null", "file://", "https://a.org https://b.org", "https://<b>x</b>", "javascript:1"]
)
def test_what_does_not_say_where_it_comes_from_is_not_asked_for(open_session, port, origin):
    page = BrowserPage(port, origin)
    page.register()
    assert "does not say from where" in page.refused
    assert not open_session.samp.waiting


@pytest.mark.parametrize("host", ["evil.example.org", "localhost", "localhost:80", "evil.example.org:{}"])
def test_a_server_that_says_it_is_at_this_address_gets_no_answer(open_session, port, host):
    page = BrowserPage(port)
    status, _, body = page.request("POST", "/", b"", Host=host.format(port))
    assert (status, body) == (403, b"")


@pytest.mark.parametrize("identity", ["", {"samp.name": " \n "}, {}, {"samp.name": ["a"]}, ["a"], 5])
def test_a_page_without_a_name_is_refused(open_session, port, identity):
    with pytest.raises(xmlrpc.client.Fault, match="say its name"):
        BrowserPage(port).call("register", identity)
    assert not open_session.samp.waiting


def test_the_browser_is_told_that_pages_may_ask(open_session, port):
    status, headers, _ = BrowserPage(port).request(
        "OPTIONS", "/", **{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Content-Type"})
    assert status == 200
    assert headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in headers["access-control-allow-methods"]
    assert headers["access-control-allow-headers"] == "Content-Type"
    assert "access-control-allow-credentials" not in headers


def test_another_page_cannot_use_the_key(page, port):
    thief = BrowserPage(port, "https://thief.example.org")
    thief.key, thief.translator = page.key, page.translator
    with pytest.raises(xmlrpc.client.Fault, match=NO_PAGE):
        thief.hub("getRegisteredClients")
    assert thief.read("file:///etc/passwd")[0] == 403
    assert page.hub("getRegisteredClients")


@pytest.mark.parametrize("body", [b"", b"<x/>", b"no xml", b"\xff\xfe",
                                  xmlrpc.client.dumps((1,), "system.listMethods").encode(),
                                  xmlrpc.client.dumps((), "samp.webhub.register").encode(),
                                  xmlrpc.client.dumps(("k",), "samp.webhub.close").encode(),
                                  xmlrpc.client.dumps(("k",), "samp.hub.register").encode()])  # fmt: skip
def test_what_is_no_question_is_answered_with_a_fault(open_session, port, body):
    status, _, answer = BrowserPage(port).request("POST", "/", body, **{"Content-Length": str(len(body))})
    with pytest.raises(xmlrpc.client.Fault):
        xmlrpc.client.loads(answer) if status == 200 else pytest.fail(str(status))
    assert BrowserPage(port).call("ping") == ""


def test_too_long_a_message_is_not_read(page):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    connection.putrequest("POST", "/", skip_host=True)
    for name, value in (("Host", f"localhost:{page.port}"), ("Origin", ORIGIN), ("Content-Length", "999999999999")):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


# --- talking --------------------------------------------------------------------------------------


def test_a_page_and_a_program_talk(open_session, page, topcat):
    page.hub("allowReverseCallbacks", "1")
    page.hub("declareSubscriptions", {"coord.pointAt.sky": {}})
    assert topcat.id in page.hub("getSubscribedClients", "coord.pointAt.sky")
    answer = page.hub("callAndWait", topcat.id, message("coord.pointAt.sky", ra="10", dec="-5"), "30")
    assert answer["samp.status"] == "samp.ok"
    assert topcat.next()["params"] == {"ra": "10", "dec": "-5"}
    page.hub("call", topcat.id, "tag-1", message("coord.pointAt.sky", ra="11", dec="-5"))
    [back] = page.pulled()
    assert back["samp.methodName"] == "receiveResponse"
    assert back["samp.params"][:2] == [topcat.id, "tag-1"]
    until(lambda: any(p.id == page.id and p.understands("coord.pointAt.sky") for p in open_session.samp.partners))
    topcat.tell("coord.pointAt.sky", ra="12", dec="6")
    [told] = page.pulled()
    assert told["samp.methodName"] == "receiveNotification"
    assert told["samp.params"][0] == topcat.id
    assert told["samp.params"][1]["samp.params"] == {"ra": "12", "dec": "6"}
    assert page.hub("pullCallbacks", "0") == []
    page.hub("allowReverseCallbacks", "0")
    with pytest.raises(xmlrpc.client.Fault, match="allowReverseCallbacks comes first"):
        page.hub("pullCallbacks", "0")


def test_a_page_gets_what_is_sent_to_it_and_reads_that_and_nothing_else(open_session, page, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("private")
    page.hub("allowReverseCallbacks", "1")
    page.hub("declareSubscriptions", {"table.load.votable": {}})
    until(lambda: any(p.id == page.id and p.understands("table.load.votable") for p in open_session.samp.partners))
    data = open_session.add(Table({"ra": [10.0, 20.0], "dec": [1.0, 2.0]}), name="stars")
    job = open_session.submit("samp.send", data=data, to="Sky Page (page.example.org)")
    [told] = page.pulled()
    params = told["samp.params"][2]["samp.params"]
    page.hub("reply", told["samp.params"][1], {"samp.status": "samp.ok", "samp.result": {}})
    assert job.result(30) == ["Sky Page (page.example.org)"]
    url = params["url"]
    assert url.startswith("file:")
    status, body = page.read(url)
    assert status == 200
    (tmp_path / "got.vot").write_bytes(body)
    np.testing.assert_array_equal(Table.read(tmp_path / "got.vot")["ra"], [10.0, 20.0])
    # Nothing else: neither files, nor folders, nor what lies beside it, nor servers of this machine.
    for other in (secret.as_uri(), "file:///etc/passwd", url + "/../x", url.rpartition("/")[0], "/etc/passwd", "",
                  f"http://localhost:{page.port}/", "http://127.0.0.1:1/", "https://example.org/"):  # fmt: skip
        assert page.read(other)[0] == 403, other
    page.hub("unregister")
    assert page.read(url)[0] == 403


def test_a_page_cannot_have_a_program_say_back_what_it_wants_to_read(page, topcat, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("private")
    page.hub("allowReverseCallbacks", "1")
    page.hub("declareSubscriptions", {"table.highlight.row": {}})
    with pytest.raises(xmlrpc.client.Fault, match="may not speak of"):
        page.hub("notify", topcat.id, message("table.load.votable", url=secret.as_uri()))
    topcat.tell("table.highlight.row", url=secret.as_uri(), row="1")
    page.pulled()
    assert page.read(secret.as_uri())[0] == 403


@pytest.mark.parametrize(
    "mtype", ["client.env.get", "client.cmd.exec", "ds9.set", "script.aladin.send", "samp.hub.event.shutdown", "", "x"]
)
def test_a_page_may_not_send_what_makes_a_program_do_things(page, topcat, mtype):
    said = message(mtype)
    for call in (("notifyAll", said), ("callAll", "t", said), ("notify", topcat.id, said),
                 ("call", topcat.id, "t", said), ("callAndWait", topcat.id, said, "1")):  # fmt: skip
        with pytest.raises(xmlrpc.client.Fault, match="may not send"):
            page.hub(*call)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "FILE:///etc/passwd", " file:///etc/passwd", "fi\tle:///etc/passwd", "file:/etc/passwd",
     "url:file:///etc/passwd", "jar:file:///a.jar!/x", "http://localhost:8080/x", "http://127.0.0.1/x",
     "http://127.1/x", "http://2130706433/x", "http://[::1]/x", "http://0.0.0.0:80/x", "http://0x7f000001/x",
     "http://me.localhost/x"],
)  # fmt: skip
def test_a_page_may_not_speak_of_this_machine(open_session, page, topcat, url):
    with pytest.raises(xmlrpc.client.Fault, match="may not speak of"):
        page.hub("notify", topcat.id, message("table.load.votable", url=url))
    with pytest.raises(xmlrpc.client.Fault, match="may not speak of"):
        page.hub("notifyAll", message("spectrum.load.ssa-generic", meta={"Access.Reference": url}))
    assert topcat.heard.empty()
    assert not len(open_session.data)


def test_values_that_samp_does_not_know_are_refused(page, topcat):
    deep = "x"
    for _ in range(20):
        deep = [deep]
    for value in (5, True, deep, None):
        with pytest.raises((xmlrpc.client.Fault, TypeError), match=r"SAMP knows|cannot marshal"):
            page.hub("notify", topcat.id, message("coord.pointAt.sky", ra=value))


def test_a_page_on_this_machine_may_speak_of_its_own_server(open_session, port, tmp_path):
    from http.server import SimpleHTTPRequestHandler

    from tests.loopback import LoopbackServer

    Table({"ra": [1.0], "dec": [2.0]}).write(tmp_path / "t.vot", format="votable")

    class Files(SimpleHTTPRequestHandler):
        def translate_path(self, path):
            return str(tmp_path / path.strip("/"))

        def log_message(self, *_):
            """Say nothing."""

    server = LoopbackServer(Files)
    try:
        page = let_in(open_session, BrowserPage(port, server.url))
        jviz_id = next(id for id in page.hub("getSubscribedClients", "table.load.votable"))
        said = message("table.load.votable", url=f"{server.url}/t.vot", name="mine")
        answer = page.hub("callAndWait", jviz_id, said, "60")
        assert answer["samp.status"] == "samp.ok"
        assert open_session["mine"].shape == (1,)
        until(lambda: any("Sky Page" in text and "sent" in text for _, text in open_session.notices))
    finally:
        server.close()


# --- going ----------------------------------------------------------------------------------------


def test_the_user_ends_a_page(open_session, page):
    open_session.run("samp.refuse_page", page=page.id)
    until(lambda: not open_session.samp.partners)
    with pytest.raises(xmlrpc.client.Fault, match=NO_PAGE):
        page.hub("getRegisteredClients")


def test_turning_the_setting_off_ends_all_pages_at_once(open_session, page, port):
    waiting = BrowserPage(port, "https://late.example.org")
    thread = waiting.knock()
    until(lambda: open_session.samp.waiting)
    open_session.settings["samp.web_pages"] = False
    until(lambda: not open_session.samp.takes_pages and not open_session.samp.partners)
    thread.join(30)
    assert not waiting.key
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port)).close()
    assert open_session.samp.connected
    open_session.settings["samp.web_pages"] = True
    until(lambda: open_session.samp.takes_pages)


def test_a_page_that_says_nothing_any_more_is_ended(open_session, page, monkeypatch):
    monkeypatch.setattr(web, "IDLE", 0.0)
    until(lambda: not open_session.samp.partners)


def test_a_place_that_is_taken_is_told_and_programs_connect_all_the_same(session, samp_lock_file, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(web, "PORT", other.getsockname()[1])
        session.settings["samp.web_pages"] = True
        session.run("samp.connect")
        assert session.samp.connected
        assert not session.samp.takes_pages
        assert any("Pages in a browser cannot connect" in text for _, text in session.notices)


def test_the_lock_file_and_the_secret_are_nobody_elses(open_session, samp_lock_file):
    if os.name == "posix":
        assert samp_lock_file.stat().st_mode & 0o077 == 0
    secret = next(line for line in samp_lock_file.read_text().splitlines() if line.startswith("samp.secret="))
    assert len(secret.partition("=")[2]) == 48


def test_too_many_addresses_end_it():
    addresses = Addresses()
    addresses.name("k", ORIGIN, [f"https://a.test/{number}" for number in range(10_000)])
    with pytest.raises(JvizError, match="too many addresses"):
        addresses.name("k", ORIGIN, "https://a.test/one-more")

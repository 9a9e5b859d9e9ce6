"""A session and other programs: a real hub on loopback, and another client in a process of its own."""

from __future__ import annotations

import http.server
import time
from functools import partial as bound
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from jviz import JvizError
from jviz.data import Spectrum
from tests.loopback import LoopbackServer
from tests.samp_partner import Partner

LOADS = ("image.load.fits", "table.load.votable", "table.load.fits", "spectrum.load.ssa-generic")
ROWS = ("table.highlight.row", "table.select.rowList")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Gives files, and says nothing."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def connected(session):
    session.run("samp.connect")
    return session


@pytest.fixture
def partner(connected):
    made = []

    def make(name, *mtypes, refuse=""):
        made.append(Partner(name, *mtypes, refuse=refuse))
        # By its id: another of that name may be there. Who comes first has no name, then takes nothing but a ping.
        until(lambda: any((p.id, p.name) == (made[-1].id, name) and set(mtypes) <= p.takes
                          for p in connected.samp.partners))  # fmt: skip
        return made[-1]

    yield make
    for one in made:
        one.close()


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def sky_image(path, size=60, ra=150.0, dec=2.0):
    hdu = fits.PrimaryHDU(np.arange(size * size, dtype=np.float32).reshape(size, size))
    hdu.header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=ra, CRVAL2=dec, CRPIX1=size / 2, CRPIX2=size / 2,
                      CDELT1=-1e-4, CDELT2=1e-4)  # fmt: skip
    hdu.writeto(path)
    return path


def stars(count=40):
    return Table({"id": np.arange(count), "ra": 150 + 1e-3 * np.arange(count), "dec": np.full(count, 2.0)})


def selected(session, data):
    subset = session.subsets.get(f"{data.name} selection")
    return [] if subset is None else np.flatnonzero(subset.region).tolist()


# --- connecting -----------------------------------------------------------------------------------


def test_an_own_hub_is_started_and_ended(session, samp_lock_file):
    assert not session.samp.connected
    session.run("samp.connect")
    assert session.samp.connected
    assert session.samp.owns_hub
    assert "127.0.0.1" in samp_lock_file.read_text()
    session.run("samp.disconnect")
    assert not session.samp.connected
    assert not samp_lock_file.exists()


def test_without_a_hub_and_leave_to_start_one_a_sentence_says_so(session):
    session.settings["samp.own_hub"] = False
    with pytest.raises(JvizError, match="No SAMP hub is running"):
        session.run("samp.connect")


@pytest.mark.parametrize("text", ["", "rubbish\n\0\n", "samp.secret=x\nsamp.hub.xmlrpc.url=http\\://127.0.0.1:1/\n",
                                  "samp.secret=x\nsamp.hub.xmlrpc.url=file:///etc\n"])  # fmt: skip
def test_the_samp_lock_file_of_a_dead_hub_is_no_hub(session, samp_lock_file, text):
    samp_lock_file.write_text(text)
    session.run("samp.connect")
    assert session.samp.owns_hub


def test_a_samp_lock_file_elsewhere_is_not_followed(session, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", "std-lockurl:http://example.org/hub")
    with pytest.raises(JvizError, match="SAMP_HUB"):
        session.run("samp.connect")


def test_what_needs_a_connection_says_so(session):
    data = session.add(np.ones((4, 4)), name="flat")
    asked = {"samp.send": {"data": data}, "samp.point": {"position": (1.0, 2.0)}, "samp.clients": {}}
    for id, arguments in asked.items():
        with pytest.raises(JvizError, match="not connected"):
            session.run(id, **arguments)


def test_programs_are_listed_with_what_they_take(connected, partner):
    partner("Topcat", *LOADS)
    table = connected.run("samp.clients")
    assert table["name"].tolist() == ["Topcat"]
    assert table["about"][0] == "A program of the tests"
    assert set(LOADS) <= set(table["takes"][0].split())


def test_a_hub_that_ends_is_noticed(session, samp_lock_file):
    from jviz.backend.samp.hub import own_hub

    hub = own_hub()
    session.run("samp.connect")
    assert not session.samp.owns_hub
    hub.stop()
    until(lambda: not session.samp.connected)
    until(lambda: any("hub does not answer any more" in text for _, text in session.notices))


# --- receiving ------------------------------------------------------------------------------------


def test_an_image_is_opened_where_it_lies_and_the_sender_is_named(connected, partner, tmp_path):
    path = sky_image(tmp_path / "field.fits")
    answer = partner("Topcat").ask("image.load.fits", url=path.as_uri(), name="Field 1")
    assert answer["samp.status"] == "samp.ok"
    assert connected.names == ["Field 1"]
    assert connected["Field 1"].path == path
    until(lambda: ("info", "Topcat sent Field 1.") in connected.notices)
    assert "session.open" in connected.script()
    connected.undo()
    assert connected.names == []


def test_a_file_of_the_network_is_copied_and_its_size_limited(connected, partner, tmp_path):
    sky_image(tmp_path / "field.fits")
    server = LoopbackServer(bound(Quiet, directory=str(tmp_path)))
    try:
        topcat, url = partner("Topcat"), f"{server.url}/field.fits"
        assert topcat.ask("image.load.fits", url=url)["samp.status"] == "samp.ok"
        copy = connected["field.fits"].path
        assert copy.parent.name == "received"
        assert copy.read_bytes() == (tmp_path / "field.fits").read_bytes()
        connected.settings["samp.limit_mb"] = 0.01
        refused = topcat.ask("image.load.fits", url=url)
        assert "more than" in refused["samp.error"]["samp.errortxt"]
        missing = topcat.ask("image.load.fits", url=f"{server.url}/none.fits")
        assert "404" in missing["samp.error"]["samp.errortxt"]
        assert [path.name for path in copy.parent.iterdir()] == ["field.fits"]
    finally:
        server.close()


def test_offline_only_this_machine_is_asked(connected, partner):
    connected.settings["network.offline"] = True
    answer = partner("Topcat").ask("image.load.fits", url="https://example.org/x.fits")
    assert "offline" in answer["samp.error"]["samp.errortxt"]


BAD = (
    ("image.load.fits", {}, "url"),
    ("image.load.fits", {"url": "ftp://127.0.0.1/x.fits"}, "neither a file nor"),
    ("image.load.fits", {"url": "javascript:alert(1)"}, "neither a file nor"),
    ("image.load.fits", {"url": "file:///no/such/file.fits"}, "no file on this machine"),
    ("image.load.fits", {"url": "file:///dev/zero"}, "no file on this machine"),
    ("image.load.fits", {"url": "file://elsewhere.example.org/x.fits"}, "another machine"),
    ("image.load.fits", {"url": "http://[::1"}, "no address"),
    ("table.highlight.row", {"table-id": "t", "row": "first"}, "no number of a row"),
    ("table.highlight.row", {"row": "1"}, "which table"),
    ("table.select.rowList", {"table-id": "t", "row-list": "1 2"}, "list of rows"),
    ("coord.pointAt.sky", {"ra": "10h", "dec": "2"}, "position in degrees"),
    ("coord.pointAt.sky", {"ra": "10", "dec": "92"}, "position in degrees"),
)


def test_bad_messages_are_answered_with_a_sentence(connected, partner):
    topcat = partner("Topcat")
    for mtype, params, words in BAD:
        answer = topcat.ask(mtype, **params)
        assert answer["samp.status"] == "samp.error"
        assert words in answer["samp.error"]["samp.errortxt"]
        until(lambda words=words: any(words in text and "Topcat" in text for _, text in connected.notices))
    assert connected.names == []


def test_files_that_are_not_what_they_should_be_are_refused_and_not_run(connected, partner, tmp_path):
    topcat = partner("Topcat")
    for name, content in (("evil.jviz", b"{}"), ("x.py", b"import os"), ("x.fits", b"no FITS")):
        path = tmp_path / name
        path.write_bytes(content)
        for mtype in LOADS:
            answer = topcat.ask(mtype, url=path.as_uri())
            assert answer["samp.status"] == "samp.error"
            assert len(answer["samp.error"]["samp.errortxt"]) > 20
    assert connected.names == []


def test_what_nobody_knows_is_not_asked_for(connected, partner):
    partner("Topcat")
    others = connected.samp.connection
    mine = others._hub.get_subscriptions(others._client.get_private_key(), others._client.get_public_id())
    assert "client.env.get" not in mine
    assert set(LOADS) | set(ROWS) | {"coord.pointAt.sky", "samp.app.ping"} <= set(mine)


def test_a_ping_is_answered(connected, partner):
    assert partner("Topcat").ask("samp.app.ping")["samp.status"] == "samp.ok"


def test_a_spectrum_is_opened(connected, partner, tmp_path):
    table = Table({"wavelength": np.linspace(1, 2, 50), "flux": np.ones(50)})
    table["wavelength"].unit, table["flux"].unit = "um", "Jy"
    table.write(tmp_path / "s.fits")
    answer = partner("Splat").ask("spectrum.load.ssa-generic", url=(tmp_path / "s.fits").as_uri(), name="star",
                                  meta={"Access.Format": "application/fits"})  # fmt: skip
    assert answer["samp.status"] == "samp.ok"
    assert connected.names == ["star"]


def test_a_position_centres_the_images(connected, partner, tmp_path):
    connected.open(sky_image(tmp_path / "a.fits"), show=False)
    view = connected.view("image", data="a")
    away = connected.view("image", data=connected.add(np.ones((5, 5)), name="nowhere"))
    before = away.centre
    assert partner("Aladin").ask("coord.pointAt.sky", ra="150.001", dec="2.001")["samp.status"] == "samp.ok"
    x, y = (float(v) for v in connected["a"].sky.sky_to_pixel(150.001, 2.001))
    until(lambda: view.centre == pytest.approx((x, y)))
    assert away.centre == before
    connected.settings["samp.follow_positions"] = False
    answer = partner("DS9").ask("coord.pointAt.sky", ra="150", dec="2")
    assert "does not follow" in answer["samp.error"]["samp.errortxt"]


# --- sending --------------------------------------------------------------------------------------


def test_an_image_goes_as_its_file_and_a_changed_one_as_a_copy(connected, partner, tmp_path):
    ds9 = partner("DS9", "image.load.fits")
    path = sky_image(tmp_path / "a.fits")
    connected.open(path, show=False)
    assert connected.run("samp.send", data="a") == ["DS9"]
    told = ds9.next()
    assert told["mtype"] == "image.load.fits"
    assert told["params"]["url"] == path.as_uri()
    assert told["params"]["name"] == "a"
    assert told["params"]["image-id"]
    connected.add(np.arange(12.0).reshape(3, 4), name="made here")
    connected.run("samp.send", data="made here", to="ds9")
    copy = Path(ds9.next()["params"]["url"].removeprefix("file://"))
    np.testing.assert_array_equal(fits.getdata(copy), np.arange(12.0).reshape(3, 4))
    assert connected.history.entries[-1].label != "Send Data to Programs"


def test_a_table_goes_to_those_that_take_tables(connected, partner):
    topcat = partner("Topcat", "table.load.votable", "table.load.fits")
    fits_only = partner("Fits", "table.load.fits", "image.load.fits")
    partner("Images", "image.load.fits")
    connected.add(stars(), name="stars")
    assert sorted(connected.run("samp.send", data="stars")) == ["Fits", "Topcat"]
    told, other = topcat.next(), fits_only.next()
    assert (told["mtype"], other["mtype"]) == ("table.load.votable", "table.load.fits")
    assert told["params"]["table-id"] == other["params"]["table-id"]
    for params, kind in ((told["params"], "votable"), (other["params"], "fits")):
        read = Table.read(params["url"].removeprefix("file://"), format=kind)
        np.testing.assert_array_equal(read["id"], np.arange(40))


def test_a_spectrum_goes_as_one_or_as_a_table(connected, partner):
    splat = partner("Splat", "spectrum.load.ssa-generic")
    topcat = partner("Topcat", "table.load.votable")
    from astropy import units as u
    from specutils import Spectrum as Taken

    data = connected.add(Taken(flux=np.arange(9.0) * u.Jy, spectral_axis=np.linspace(1, 2, 9) * u.um), name="line")
    assert isinstance(data, Spectrum)
    assert sorted(connected.run("samp.send", data=data)) == ["Splat", "Topcat"]
    told = splat.next()["params"]
    assert told["meta"]["Access.Format"] == "application/fits"
    assert "flux" in " ".join(Table.read(told["url"].removeprefix("file://"), format="fits").colnames).lower()
    assert topcat.next()["mtype"] == "table.load.votable"


def test_who_cannot_take_it_or_will_not_is_named(connected, partner):
    connected.add(stars(), name="stars")
    with pytest.raises(JvizError, match=r"No other program at the SAMP hub understands table\.load"):
        connected.run("samp.send", data="stars")
    partner("DS9", "image.load.fits")
    with pytest.raises(JvizError, match="DS9 does not understand"):
        connected.run("samp.send", data="stars", to="DS9")
    with pytest.raises(JvizError, match=r"There is no program 'Topcat'.*DS9"):
        connected.run("samp.send", data="stars", to="Topcat")
    partner("Topcat", "table.load.votable", refuse="The disk is full")
    with pytest.raises(JvizError, match="Topcat did not take stars: The disk is full"):
        connected.run("samp.send", data="stars")


def test_of_two_programs_of_one_name_each_is_told_of(connected, partner):
    connected.add(stars(), name="stars")
    partner("Topcat", "table.load.votable")
    partner("Topcat", "table.load.votable", refuse="The disk is full")
    assert connected.run("samp.send", data="stars") == ["Topcat"]
    assert ("warning", "Topcat did not take stars: The disk is full.") in connected.notices


def test_pointing_at_the_sky(connected, partner, tmp_path):
    aladin = partner("Aladin", "coord.pointAt.sky")
    connected.open(sky_image(tmp_path / "a.fits"), show=False)
    view = connected.view("image", data="a")
    view.centre = (10.0, 20.0)
    ra, dec = connected.run("samp.point")
    told = aladin.next()["params"]
    assert (float(told["ra"]), float(told["dec"])) == (ra, dec)
    assert tuple(float(v) for v in connected["a"].sky.pixel_to_sky(10.0, 20.0)) == pytest.approx((ra, dec))
    assert connected.run("samp.point", position="12:00:00 +10:00:00") == pytest.approx((180.0, 10.0))
    assert float(aladin.next()["params"]["ra"]) == pytest.approx(180.0)


# --- rows -----------------------------------------------------------------------------------------


def test_rows_selected_here_are_told_and_rows_selected_there_are_selected(connected, partner):
    topcat = partner("Topcat", *LOADS, *ROWS)
    data = connected.add(stars(), name="stars")
    connected.run("samp.send", data=data)
    table = topcat.next()["params"]["table-id"]
    connected.run("catalog.select", data=data, rows=[3, 5, 7])
    told = topcat.next()
    assert told["mtype"] == "table.select.rowList"
    assert told["params"]["table-id"] == table
    assert told["params"]["row-list"] == ["3", "5", "7"]
    connected.run("catalog.select", data=data, rows=[9])
    pointed = topcat.next()
    assert (pointed["mtype"], pointed["params"]["row"]) == ("table.highlight.row", "9")
    assert topcat.ask("table.select.rowList", **{"table-id": table, "url": "", "row-list": ["1", "2"]})[
        "samp.status"] == "samp.ok"  # fmt: skip
    assert selected(connected, data) == [1, 2]
    assert topcat.ask("table.highlight.row", **{"table-id": table, "url": "", "row": "11"})["samp.status"] == "samp.ok"
    assert selected(connected, data) == [11]
    connected.undo()
    assert selected(connected, data) == [1, 2]
    assert topcat.next()["params"]["row-list"] == ["1", "2"]  # what was taken back is told, as any selection
    topcat.ask("table.select.rowList", **{"table-id": table, "url": "", "row-list": []})
    assert selected(connected, data) == []


def test_a_table_sent_again_is_another_one_to_those_that_have_it(connected, partner):
    topcat = partner("Topcat", *LOADS, *ROWS)
    data = connected.add(stars(), name="stars")
    connected.run("samp.send", data=data)
    first = topcat.next()["params"]["table-id"]
    late = partner("Late", *LOADS, *ROWS)
    connected.run("samp.send", data=data, to="Late")
    assert late.next()["params"]["table-id"] == first
    connected.run("samp.send", data=data, to="Topcat")
    second = topcat.next()["params"]["table-id"]
    assert second != first
    connected.run("catalog.select", data=data, rows=[3, 5])
    told = [topcat.next()["params"] for _ in range(2)]
    assert {one["table-id"] for one in told} == {first, second}
    assert all(one["row-list"] == ["3", "5"] for one in told)
    topcat.ask("table.select.rowList", **{"table-id": second, "url": "", "row-list": ["1"]})
    assert selected(connected, data) == [1]


def test_what_others_selected_does_not_go_back_to_them(connected, partner):
    topcat = partner("Topcat", *LOADS, *ROWS)
    data = connected.add(stars(), name="stars")
    connected.run("samp.send", data=data)
    table = topcat.next()["params"]["table-id"]
    steps = len(connected.history.entries)
    for _ in range(3):
        topcat.ask("table.select.rowList", **{"table-id": table, "url": "", "row-list": ["4", "6"]})
    assert selected(connected, data) == [4, 6]
    assert len(connected.history.entries) == steps + 1  # the second and third changed nothing
    # Whatever would have been told comes before this.
    connected.run("samp.highlight", data=data, row=2)
    assert topcat.next()["params"]["row"] == "2"


def test_a_received_table_is_linked_by_the_senders_name_for_it(connected, partner, tmp_path):
    topcat = partner("Topcat", *ROWS)
    stars().write(tmp_path / "t.vot", format="votable")
    url = (tmp_path / "t.vot").as_uri()
    answer = topcat.ask("table.load.votable", url=url, name="mine", **{"table-id": "topcat-7"})
    assert answer["samp.status"] == "samp.ok"
    data = connected["mine"]
    topcat.ask("table.select.rowList", **{"table-id": "topcat-7", "url": url, "row-list": ["0", "39"]})
    assert selected(connected, data) == [0, 39]
    connected.run("catalog.select", data=data, expression="id < 4")
    told = topcat.next()
    assert told["params"] == {"table-id": "topcat-7", "url": url, "row-list": ["0", "1", "2", "3"]}


def test_rows_that_are_not_there_and_tables_that_nobody_has(connected, partner):
    topcat = partner("Topcat", *LOADS, *ROWS)
    data = connected.add(stars(), name="stars")
    with pytest.raises(JvizError, match="send it to them first"):
        connected.run("samp.highlight", data=data, row=1)
    connected.run("samp.send", data=data)
    table = topcat.next()["params"]["table-id"]
    answer = topcat.ask("table.highlight.row", **{"table-id": table, "url": "", "row": "40"})
    assert "rows 0 to 39" in answer["samp.error"]["samp.errortxt"]
    answer = topcat.ask("table.highlight.row", **{"table-id": "another", "url": "", "row": "1"})
    assert "does not have" in answer["samp.error"]["samp.errortxt"]
    with pytest.raises(JvizError, match="rows 0 to 39"):
        connected.run("samp.highlight", data=data, row=40)
    assert selected(connected, data) == []


def test_rows_stay_apart_when_the_user_wants_it(connected, partner):
    topcat = partner("Topcat", *LOADS, *ROWS)
    data = connected.add(stars(), name="stars")
    connected.run("samp.send", data=data)
    table = topcat.next()["params"]["table-id"]
    connected.settings["samp.link_rows"] = False
    connected.run("catalog.select", data=data, rows=[1, 2])
    answer = topcat.ask("table.highlight.row", **{"table-id": table, "url": "", "row": "4"})
    assert answer["samp.status"] == "samp.error"
    assert selected(connected, data) == [1, 2]
    assert connected.run("samp.send_rows", data=data) == 2
    assert topcat.next()["params"]["row-list"] == ["1", "2"]

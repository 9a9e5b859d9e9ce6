"""Reading, writing and looking up positions, against astropy's own angles and frames."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

import jviz
from jviz.backend.coords import FRAMES, angle_text, convert, format_position, parse_position, resolve_name
from jviz.errors import JvizError
from jviz.positions import sky_position

ASTROPY = {"ecliptic": "barycentricmeanecliptic"}
PLACE = SkyCoord("10h00m28.6s +02d12m21s")


def near(lonlat, coord, arcsec=1e-4):
    return SkyCoord(*lonlat, unit="deg").separation(coord.icrs).arcsec < arcsec


@pytest.mark.parametrize(
    "text",
    [
        "10:00:28.6 +02:12:21",
        "10:00:28.6, 02:12:21",
        "10:00:28.6+02:12:21",
        "10 00 28.6 +02 12 21",
        "10 00 28.6 02 12 21",
        "10h00m28.6s +02d12m21s",
        "10h 00m 28.6s, +2d 12m 21s",
        "10h00m28.6s+02°12′21″",
        "10:00:28.6 2d12'21\"",
        "(10:00:28.6, +02:12:21)",
        "150d07m09s 2d12m21s",
        "150.1191666667 2.2058333333",
        "150.1191666667, +2.2058333333",
        "150.1191666667d, 2.2058333333d",
        "150.1191666667 deg 2.2058333333 deg",
        "RA 10:00:28.6 Dec +02:12:21",
        "ra=150.1191666667 dec=2.2058333333",
        "α=150.1191666667, δ=2.2058333333",
        "icrs 10:00:28.6 +02:12:21",
        "10:00:28.6 +02:12:21 ICRS",
        "  10:00:28.6\t+02:12:21\n",
        "J100028.6+021221",
        "2MASS J10002860+0212210",
        "SDSS J100028.60+021221.0",
    ],
)
def test_usual_notations(text):
    assert near(parse_position(text), PLACE, 1e-3)


@pytest.mark.parametrize(
    ("text", "coord"),
    [
        ("galactic 121.17 -21.57", SkyCoord(121.17, -21.57, unit="deg", frame="galactic")),
        ("l=121.17 b=-21.57", SkyCoord(121.17, -21.57, unit="deg", frame="galactic")),
        ("l 121.17, b -21.57", SkyCoord(121.17, -21.57, unit="deg", frame="galactic")),
        ("121.17 -21.57 gal", SkyCoord(121.17, -21.57, unit="deg", frame="galactic")),
        ("GLON 121:10:12 GLAT -21:34:12", SkyCoord(121.17, -21.57, unit="deg", frame="galactic")),
        ("B1950 12:00:00 -30:00:00", SkyCoord("12h -30d", frame="fk4")),
        ("fk5 12:00:00 -30:00:00", SkyCoord("12h -30d", frame="fk5")),
        ("ecliptic 100.5 -3.25", SkyCoord(100.5, -3.25, unit="deg", frame="barycentricmeanecliptic")),
        ("05:35:17.3 -00:30:00", SkyCoord("5h35m17.3s -0d30m")),
        ("-10.5 20", SkyCoord(349.5, 20, unit="deg")),
        ("J1000+0221", SkyCoord("10h00m +2d21m")),
        ("J1000.5-0021", SkyCoord("10h00.5m -0d21m")),
        ("0 -90", SkyCoord(0, -90, unit="deg")),
        ("359.9999 89.9999", SkyCoord(359.9999, 89.9999, unit="deg")),
    ],
)
def test_frames_and_signs(text, coord):
    assert near(parse_position(text), coord)


def test_frame_of_the_reader_is_a_default_only():
    galactic = SkyCoord(10, 5, unit="deg", frame="galactic")
    assert near(parse_position("10 5", frame="galactic"), galactic)
    assert near(parse_position("icrs 10 5", frame="galactic"), SkyCoord(10, 5, unit="deg"))


@pytest.mark.parametrize(
    "text",
    ["", " ", "M31", "NGC 1365", "3C 273", "HD 189733", "47 Tuc", "4U 1700-37", "PKS 2155-304", "WASP-39", "1E 0657-56",
     "PSR J0437-4715", "10", "10:61:00 +02:00:00", "10:00:00 +95:00:00", "150 100", "400 10", "1 2 3",
     "10:00:28.6 north", "nan nan", "1e5 2", "10:00:28.6 +02:12:21 +1", "J9900+0221", "pixel 3 4", "l=10", "10.5:30 2"],
)  # fmt: skip
def test_what_is_no_position_is_refused(text):
    with pytest.raises(JvizError):
        parse_position(text)


@given(st.text(max_size=40))
def test_any_text_gives_a_position_or_an_error(text):
    try:
        lon, lat = parse_position(text)
    except JvizError:
        return
    assert 0 <= lon < 360
    assert -90 <= lat <= 90


@pytest.mark.parametrize("frame", FRAMES)
def test_convert_agrees_with_astropy(frame):
    for lon, lat in [(0.1, 0.0), (150.119, 2.205), (359.99, -89.5), (12.3, 88.0), (266.4, -29.0)]:
        expected = SkyCoord(lon, lat, unit="deg").transform_to(ASTROPY.get(frame, frame))
        found = SkyCoord(*convert(lon, lat, "icrs", frame), unit="deg", frame=ASTROPY.get(frame, frame))
        assert found.separation(expected).arcsec < 1e-5
        back = convert(*convert(lon, lat, "icrs", frame), frame, "icrs")
        assert SkyCoord(*back, unit="deg").separation(SkyCoord(lon, lat, unit="deg")).arcsec < 1e-5


positions = st.tuples(st.floats(0, 359.999), st.floats(-89.9, 89.9))


@given(positions, st.sampled_from(FRAMES), st.sampled_from(["sexagesimal", "degrees"]))
def test_what_is_written_reads_back(place, frame, style):
    written = format_position(*place, frame, style, precision=6 if style == "degrees" else 3)
    back = parse_position(" ".join(written), frame=frame)
    assert SkyCoord(*back, unit="deg").separation(SkyCoord(*place, unit="deg")).arcsec < 0.01


@given(positions)
def test_sexagesimal_is_astropys(place):
    coord = SkyCoord(*place, unit="deg")
    lon, lat = format_position(*place)
    assert (
        abs(u.Quantity(coord.ra.hour - SkyCoord(lon, lat, unit=("hourangle", "deg")).ra.hour, u.hour).value) % 24 < 1e-6
    )
    assert lat == coord.dec.to_string(sep=":", precision=2, alwayssign=True, pad=True) or abs(float(lat[-5:])) < 0.011


def test_styles():
    place = (PLACE.ra.deg, PLACE.dec.deg)
    assert format_position(*place) == ("10:00:28.600", "+02:12:21.00")
    assert format_position(*place, precision=0) == ("10:00:28.6", "+02:12:21")
    assert format_position(*place, style="degrees", precision=4) == ("150.1192", "+2.2058")
    lon, _ = format_position(*place, frame="galactic")
    assert lon.startswith("236:")


def test_no_sixty_and_no_twenty_four_hours():
    assert format_position(359.9999999, 59.9999999999) == ("00:00:00.000", "+60:00:00.00")
    assert format_position(359.9999999, -0.0, style="degrees", precision=3)[0] == "0.000"
    assert format_position(0.0, -1e-4)[1] == "-00:00:00.36"


def test_undefined_is_shown_as_dashes():
    assert format_position(np.nan, 1.0) == ("–", "–")


# ---- names


@pytest.fixture
def server():
    """A name server on the loopback interface: ``answers`` maps names to replies."""
    answers, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            from urllib.parse import unquote

            asked.append(unquote(self.path.partition("?")[2]))
            reply = answers.get(asked[-1], "# nothing\n#!SIMBAD: nothing found\n")
            if isinstance(reply, float):
                time.sleep(reply)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(reply.encode())

        def log_message(self, *args):
            pass

    instance = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=instance.serve_forever, args=(0.01,))
    thread.start()
    instance.answers, instance.asked = answers, asked
    instance.address = f"http://127.0.0.1:{instance.server_port}/sesame?"
    yield instance
    instance.shutdown()
    instance.server_close()
    thread.join()


REPLY = "# Kepler-1\t#Q1\n#=S=Simbad (CDS, via client/server):\n%@ 1\n%J 286.8085 +49.3164 = 19:07:14.04 +49:18:59\n"


@pytest.mark.parametrize(
    "name", ["M31", "m 31", "Messier 031", "NGC 224", "ngc0224", "Andromeda  Galaxy", "andromeda_galaxy"]
)
def test_well_known_objects_need_no_network(name):
    found = resolve_name(name, offline=True)
    assert near(found[:2], SkyCoord("0h42m44.3s +41d16m9s"), 60)


@pytest.mark.parametrize(
    ("name", "coord"),
    [
        ("M 1", "5h34m31.9s +22d00m52s"),
        ("M51", "13h29m52.7s +47d11m43s"),
        ("M 87", "12h30m49.4s +12d23m28s"),
        ("M104", "12h39m59.4s -11d37m23s"),
        ("3C 273", "12h29m06.7s +2d03m09s"),
        ("Sgr A*", "17h45m40.0s -29d00m28s"),
        ("Cartwheel", "0h37m41.1s -33d42m59s"),
        ("stephan’s quintet", "22h35m57.5s +33d57m36s"),
    ],
)
def test_positions_of_the_list(name, coord):
    assert near(resolve_name(name, offline=True)[:2], SkyCoord(coord), 60)


def test_the_list_is_sound():
    from jviz.backend.names import _own_list

    objects = _own_list()
    assert len(objects) > 250
    assert all(0 <= place.lon < 360 and -90 < place.lat < 90 for place in objects.values())
    assert sum(key.startswith("m") and key[1:].isdigit() for key in objects) >= 100


def test_names_that_are_positions():
    assert near(resolve_name("SDSS J100028.60+021221.0", offline=True)[:2], PLACE, 1e-3)
    rough = resolve_name("PSR J0437-4715", offline=True)
    assert near(rough[:2], SkyCoord("4h37m -47d15m"), 1e-3)


def test_the_server_of_the_preferences_is_asked(server):
    server.answers["Kepler-1"] = REPLY
    session = jviz.Session(settings={"network.name_resolver": server.address})
    assert sky_position(session, "Kepler-1")[:2] == (286.8085, 49.3164)


def test_server_is_asked_once(server):
    server.answers["Kepler-1"] = REPLY
    found = resolve_name("Kepler-1", servers=[server.address])
    assert found[:2] == (286.8085, 49.3164)
    assert "Simbad" in found.source
    assert resolve_name("kepler-1", servers=[server.address]) == found
    assert resolve_name("KEPLER-1", offline=True) == found
    assert server.asked == ["Kepler-1"]


def test_names_are_quoted(server):
    server.answers["[VV96] J1 & co?"] = REPLY
    assert resolve_name("[VV96] J1 & co?", servers=[server.address]).lon == 286.8085


def test_next_server_when_the_first_is_down(server):
    server.answers["Kepler-1"] = REPLY
    assert resolve_name("Kepler-1", servers=["http://127.0.0.1:9/?", server.address]).lat == 49.3164


def test_failures_say_what_to_do(server):
    server.answers["slow"] = 0.5
    server.answers["broken"] = "%J here there"
    for name, options in [
        ("nobody", {"servers": [server.address]}),
        ("broken", {"servers": [server.address]}),
        ("slow", {"servers": [server.address], "timeout": 0.1}),
        ("Kepler-1", {"servers": ["http://127.0.0.1:9/?"]}),
        ("Kepler-1", {"servers": []}),
        ("Kepler-1", {"servers": ["file:///etc/passwd?"]}),
        ("Kepler-1", {"offline": True}),
        ("  ", {}),
    ]:
        with pytest.raises(JvizError) as caught:
            resolve_name(name, **options)
        assert str(caught.value).endswith(".")
        assert len(str(caught.value)) > 40


def test_damaged_memory_only_costs_asking_again(server):
    from jviz.backend.names import _memory

    server.answers["Kepler-1"] = REPLY
    _memory().write_text("[1, 2")
    assert resolve_name("Kepler-1", servers=[server.address]).lon == 286.8085
    _memory().write_text('{"kepler-1": [1]}')
    assert resolve_name("Kepler-1", servers=[server.address]).lon == 286.8085


@pytest.mark.parametrize("equinox", [1875.0, 1950.0, 1975.0, 2000.0, 2016.5, 2050.0])
@pytest.mark.parametrize("name", ["fk5", "fk4", "ecliptic"])
def test_frames_at_any_equinox_are_those_of_astropy(name, equinox):
    from astropy.coordinates import FK4, FK5, BarycentricMeanEcliptic

    kind = {"fk5": FK5, "fk4": FK4, "ecliptic": BarycentricMeanEcliptic}[name]
    year = f"{'B' if name == 'fk4' else 'J'}{equinox:g}"
    random = np.random.default_rng(3)
    for lon, lat in zip(random.uniform(0, 360, 20), np.degrees(np.arcsin(random.uniform(-1, 1, 20))), strict=True):
        expected = SkyCoord(lon, lat, unit="deg").transform_to(kind(equinox=year))
        found = SkyCoord(*convert(lon, lat, "icrs", f"{name} {year}"), unit="deg", frame=kind(equinox=year))
        assert found.separation(expected).arcsec < 1e-6
        assert convert(*convert(lon, lat, "icrs", f"{name} {year}"), f"{name} {year}", "icrs") == pytest.approx(
            (lon, lat), abs=1e-8  # Murray's matrix of FK4 is no pure rotation off 1950
        )


def test_positions_say_their_equinox():
    assert near(parse_position("fk4 B1975 12:00:00 -30:00:00"), SkyCoord("12h -30d", frame="fk4", equinox="B1975"))
    assert near(parse_position("fk5 j1900 100.5, -3.25"), SkyCoord("100.5d -3.25d", frame="fk5", equinox="J1900"))
    with pytest.raises(JvizError, match="1800 and 2200"):
        parse_position("fk5 J2500 100.5 -3.25")


def test_one_resolver_is_asked_for_itself(server, mast):
    server.answers["M 31"] = REPLY
    own = resolve_name("M 31")
    assert resolve_name("M 31", resolver="offline") == own
    other = resolve_name("M 31", servers=[server.address], resolver="sesame")
    assert other.lon == 286.8085  # what the server of the test says, and not the list of jviz
    assert "MAST" in resolve_name("M 31", resolver="mast").source
    assert resolve_name("m 31", servers=[server.address], resolver="sesame", offline=True) == other
    assert server.asked == ["M 31"]
    assert resolve_name("M 31") == own
    assert near(resolve_name("J100028.60+021221.0", resolver="mast")[:2], PLACE, 1e-3)
    assert len(mast.asked("Santa")) == 1
    with pytest.raises(JvizError, match="not asked of mast before"):
        resolve_name("M 32", resolver="mast", offline=True)
    with pytest.raises(JvizError, match="not among the objects"):
        resolve_name("Nobody 7", resolver="offline")
    with pytest.raises(JvizError, match="no resolver"):
        resolve_name("M 31", resolver="oracle")


@pytest.mark.parametrize(
    ("arcsec", "digits", "text"),
    [(138.4 * 3600, 2, "140°"), (95.0, 3, "1.58′"), (2.5, 4, "2.5″"), (0.0123, 4, "12.3 mas"), (0.9996, 3, "1000 mas")],
)
def test_angles_are_written_without_powers_of_ten(arcsec, digits, text):
    assert angle_text(arcsec, digits) == text

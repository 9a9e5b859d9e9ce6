"""A small service of the Virtual Observatory on loopback: TAP over a table in SQLite, and a cone search of it."""

from __future__ import annotations

import base64
import io
import re
import sqlite3
import urllib.parse
from http.server import BaseHTTPRequestHandler

import numpy as np
from astropy.io.votable import from_table, writeto
from astropy.table import Table

from tests.loopback import LoopbackServer

ERROR = """<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE
type="results"><INFO name="QUERY_STATUS" value="ERROR">{}</INFO></RESOURCE></VOTABLE>"""


JOB = """<?xml version="1.0"?><uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0"
xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1"><uws:jobId>{0}</uws:jobId><uws:phase>{1}</uws:phase>
<uws:results><uws:result id="result" xlink:href="{2}/tap/async/{0}/results/result"/></uws:results></uws:job>"""

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGP8z4AATAxEcQAz0QEHOoQ+uAAAAABJRU5ErkJggg=="
)
"""A red square as PNG."""

SCHEMA = {
    "tables": (("schema_name", "table_name", "description"), [("ivoa", "ivoa.ObsCore", "Observations"),
               ("TAP_SCHEMA", "TAP_SCHEMA.tables", "Tables of this service")]),
    "columns": (("table_name", "column_name", "datatype", "unit", "ucd", "description"), [
        ("ivoa.ObsCore", "s_ra", "double", "deg", "pos.eq.ra", "Right ascension"),
        ("ivoa.ObsCore", "obs_id", "char", "", "meta.id", "Name of the observation")]),
}  # fmt: skip
"""What the service says of itself."""

RESOURCES = [
    # ivoid, short name, title, description, wavebands, standard, address, has ObsCore
    ("ivo://a/obs", "INFRA", "Infrared observatory archive", "Images and spectra of galaxies", "infrared#optical",
     "ivo://ivoa.net/std/tap", "{url}/tap", True),
    ("ivo://a/cat", "STARS", "Stars' catalogue", "A TAP service of stars", "optical", "ivo://ivoa.net/std/tap",
     "{url}/tap?stars", False),
    ("ivo://a/aux", "TABLE", "A table of galaxies", "Served elsewhere", "optical", "ivo://ivoa.net/std/tap#aux",
     "{url}/tap", False),
    ("ivo://b/cone", "CONE", "Cone search of stars", "Positions", "optical", "ivo://ivoa.net/std/conesearch",
     "{url}/cone?", False),
    ("ivo://b/sia", "PICS", "Pictures of galaxies", "Survey", "radio", "ivo://ivoa.net/std/sia#query-2.0",
     "{url}/cone?SIA2", False),
    ("ivo://b/sia1", "PICS1", "Older pictures of galaxies", "Survey", "", "ivo://ivoa.net/std/sia", "{url}/cone?SIA",
     False),
    ("ivo://b/ssa", "SPEC", "Spectra of galaxies", "Survey", "x-ray", "ivo://ivoa.net/std/ssa", "{url}/cone?SSA",
     False),
]  # fmt: skip
"""What it lists as a registry."""


def rows_of(count: int = 40) -> Table:
    """Return a table with the columns of ObsCore that are asked for, around RA 53, Dec -27."""
    rng = np.random.default_rng(4)
    return Table({
        "obs_id": [f"obs-{number}" for number in range(count)], "obs_collection": ["ALMA"] * count,
        "target_name": [f"Source's {number}" for number in range(count)],
        "instrument_name": ["BAND6" if number % 2 else "BAND3" for number in range(count)],
        "s_ra": 53.0 + 0.1 * rng.standard_normal(count), "s_dec": -27.0 + 0.1 * rng.standard_normal(count),
        "t_min": 59000.0 + np.arange(count), "calib_level": np.full(count, 2),
    })  # fmt: skip


class Service(LoopbackServer):
    """``url``/tap and ``url``/cone."""

    def __init__(self) -> None:
        self.rows, self.asked, self.broken = rows_of(), [], ""
        self.headers: list[dict[str, str]] = []
        """Those of every question that was not posted."""
        self.jobs: dict[str, str] = {}
        """Questions of jobs that were made and not deleted, by the number of the job."""
        self.slow = False
        """Whether jobs go on for ever."""
        self.account = ""
        """Name and password, with a colon between, that it wants; empty: anybody may ask."""
        self.shown: list[str] = []
        """What each request showed of who asks."""
        self.moved_to = ""
        """Where files are, when they are elsewhere."""
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def parse_request(self) -> bool:
        """Turn away whom it does not know."""
        if not super().parse_request():
            return False
        shown, account = self.headers.get("Authorization", ""), self.server.account
        self.server.shown.append(shown)
        if not account or shown == "Basic " + base64.b64encode(account.encode()).decode():
            return True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(b"who are you?", "text/plain", 401)
        return False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        asked = {key.upper(): value for key, value in urllib.parse.parse_qsl(body)}
        self._job(asked) if self.path.startswith("/tap/async") else self._answer(asked)

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers))
        query = urllib.parse.urlsplit(self.path).query
        asked = {key.upper(): value for key, value in urllib.parse.parse_qsl(query)}
        self._job(asked) if self.path.startswith("/tap/async/") else self._answer(asked)

    def do_DELETE(self) -> None:
        self._job({"ACTION": "DELETE"})

    def _job(self, asked: dict[str, str]) -> None:
        """Do what a job of the service is asked: be made, run, looked at, give its result, or go."""
        _, _, _, *rest = self.path.partition("?")[0].split("/")
        number = rest[0] if rest else str(len(self.server.jobs) + 1)
        if not rest:
            self.server.asked.append(asked)
            self.server.jobs[number] = asked["QUERY"]
        if asked.get("ACTION") == "DELETE":
            self.server.jobs.pop(number, None)
            return self._send(b"", "text/plain")
        if not rest or rest[1:] == ["phase"]:
            self.send_response(303)
            self.send_header("Location", f"{self.server.url}/tap/async/{number}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if rest[1:2] == ["results"]:
            return self._table(_select(self.server.rows, self.server.jobs[number]))
        phase = "EXECUTING" if self.server.slow else "COMPLETED"
        return self._send(JOB.format(number, phase, self.server.url).encode(), "text/xml")

    def _answer(self, asked: dict[str, str]) -> None:
        self.server.asked.append(asked)
        if self.server.broken:
            return self._send(self.server.broken.encode(), "text/html")
        if self.path.startswith("/cone"):
            ra, dec, radius = _circle(asked)
            return self._table(self.server.rows[_away(self.server.rows, ra, dec) <= radius])
        if self.path.startswith("/links"):
            return self._table(_links(self.server.url, self.path.endswith("bare")))
        if self.path.startswith("/file") and self.server.moved_to:
            self.send_response(302)
            self.send_header("Location", self.server.moved_to + self.path)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if self.path.startswith("/file"):
            return self._send(b"alpha,beta\n1,2\n", "text/csv")
        if self.path.startswith("/picture.png"):
            return self._send(PICTURE, "image/png")
        if self.path.startswith("/tap/sync"):
            try:
                return self._table(_select(self.server.rows, asked["QUERY"], self.server.url))
            except sqlite3.Error as error:
                return self._send(ERROR.format(error).encode(), "application/x-votable+xml", 400)
        return self._send(b"nothing here", "text/plain", 404)

    def _table(self, table: Table) -> None:
        text = io.BytesIO()
        writeto(from_table(table), text)
        self._send(text.getvalue(), "application/x-votable+xml")

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _links(url: str, bare: bool) -> Table:
    """Return what belongs to a data set, by its datalink: the data, a page about it, two pictures."""
    rows = [("a", f"{url}/data.fits", "#this", "application/fits"),
            ("a", f"{url}/about.html", "#preview", "text/html"),
            ("a", f"{url}/small.png", "#thumbnail", "image/png"),
            ("a", f"{url}/picture.png", "#preview", "image/png")]  # fmt: skip
    return Table(rows=rows[: 2 if bare else 4], names=("ID", "access_url", "semantics", "content_type"))


def _circle(asked: dict[str, str]) -> tuple[float, float, float]:
    """Read the circle of a cone search, or of the protocols for images and spectra (which send its diameter)."""
    if "RA" in asked:
        return float(asked["RA"]), float(asked["DEC"]), float(asked["SR"])
    place = asked["POS"].replace(",", " ").split()
    if place[0] == "CIRCLE":
        return float(place[1]), float(place[2]), float(place[3])
    return float(place[0]), float(place[1]), float(asked["SIZE"].split(",")[0]) / 2


def _away(rows: Table, ra: float, dec: float) -> np.ndarray:
    a, b = np.radians(rows["s_ra"].data), np.radians(rows["s_dec"].data)
    c, d = np.radians(ra), np.radians(dec)
    half = np.sin((b - d) / 2) ** 2 + np.cos(b) * np.cos(d) * np.sin((a - c) / 2) ** 2
    return np.degrees(2 * np.arcsin(np.sqrt(half)))


def _list_resources(database: sqlite3.Connection, url: str) -> None:
    """Make the tables of a registry."""
    database.execute("ATTACH ':memory:' AS rr")
    for table, columns in (("resource", "ivoid, short_name, res_title, res_description, waveband"),
                           ("capability", "ivoid, cap_index, standard_id"),
                           ("interface", "ivoid, cap_index, intf_role, access_url"),
                           ("res_detail", "ivoid, detail_xpath, detail_value")):  # fmt: skip
        database.execute(f"CREATE TABLE rr.{table}({columns})")
    for ivoid, short, title, about, bands, standard, address, has_obscore in RESOURCES:
        database.execute("INSERT INTO rr.resource VALUES (?, ?, ?, ?, ?)", (ivoid, short, title, about, bands))
        database.execute("INSERT INTO rr.capability VALUES (?, 1, ?)", (ivoid, standard))
        database.execute("INSERT INTO rr.interface VALUES (?, 1, 'std', ?)", (ivoid, address.format(url=url)))
        if has_obscore:
            database.execute("INSERT INTO rr.res_detail VALUES (?, '/capability/dataModel/@ivo-id', ?)",
                             (ivoid, "ivo://ivoa.net/std/obscore#core-1.1"))  # fmt: skip


def _select(rows: Table, adql: str, url: str = "") -> Table:
    """Run ADQL in SQLite: TOP becomes LIMIT, the circle a function."""
    database = sqlite3.connect(":memory:")
    try:
        names = ", ".join(rows.colnames)
        database.execute(f"CREATE TABLE obscore({names})")
        marks = ", ".join("?" * len(rows.colnames))
        database.executemany(f"INSERT INTO obscore VALUES ({marks})",
                             [tuple(getattr(v, "item", lambda v=v: v)() for v in row) for row in rows])  # fmt: skip
        _list_resources(database, url)
        database.execute("ATTACH ':memory:' AS TAP_SCHEMA")
        for name, (columns, about) in SCHEMA.items():
            database.execute(f"CREATE TABLE TAP_SCHEMA.{name}({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            database.executemany(f"INSERT INTO TAP_SCHEMA.{name} VALUES ({marks})", about)
        database.create_function("inside", 5, lambda x, y, ra, dec, r: bool(
            _away(Table({"s_ra": [x], "s_dec": [y]}), ra, dec)[0] <= r))  # fmt: skip
        sql = re.sub(r"(?<!')ivoa\.ObsCore", "obscore", adql)
        sql = sql.replace("POINT('ICRS', ", "").replace("CIRCLE('ICRS', ", "")
        sql = re.sub(r"CONTAINS\((.*?)\), (.*?)\)\)", r"inside(\1, \2)", sql)
        top = re.search(r"TOP (\d+)", sql)
        sql = re.sub(r"TOP \d+ ", "", sql) + (f" LIMIT {top[1]}" if top else "")
        cursor = database.execute(sql)
        found = cursor.fetchall()
        columns = [column[0] for column in cursor.description]
        if not found:
            return Table({name: rows[name][:0] if name in rows.colnames else [""][:0] for name in columns})
        return Table(rows=found, names=columns)
    finally:
        database.close()

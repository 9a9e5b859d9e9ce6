"""A small service of the Virtual Observatory on loopback: TAP over a table in SQLite, and a cone search of it."""

from __future__ import annotations

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
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer({key.upper(): value for key, value in urllib.parse.parse_qsl(body)})

    def do_GET(self) -> None:
        query = urllib.parse.urlsplit(self.path).query
        self._answer({key.upper(): value for key, value in urllib.parse.parse_qsl(query)})

    def _answer(self, asked: dict[str, str]) -> None:
        self.server.asked.append(asked)
        if self.server.broken:
            return self._send(self.server.broken.encode(), "text/html")
        if self.path.startswith("/cone"):
            away = _away(self.server.rows, float(asked["RA"]), float(asked["DEC"]))
            return self._table(self.server.rows[away <= float(asked["SR"])])
        if self.path.startswith("/tap/sync"):
            try:
                return self._table(_select(self.server.rows, asked["QUERY"]))
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


def _away(rows: Table, ra: float, dec: float) -> np.ndarray:
    a, b = np.radians(rows["s_ra"].data), np.radians(rows["s_dec"].data)
    c, d = np.radians(ra), np.radians(dec)
    half = np.sin((b - d) / 2) ** 2 + np.cos(b) * np.cos(d) * np.sin((a - c) / 2) ** 2
    return np.degrees(2 * np.arcsin(np.sqrt(half)))


def _select(rows: Table, adql: str) -> Table:
    """Run ADQL in SQLite: TOP becomes LIMIT, the circle a function."""
    database = sqlite3.connect(":memory:")
    try:
        names = ", ".join(rows.colnames)
        database.execute(f"CREATE TABLE obscore({names})")
        marks = ", ".join("?" * len(rows.colnames))
        database.executemany(f"INSERT INTO obscore VALUES ({marks})",
                             [tuple(getattr(v, "item", lambda v=v: v)() for v in row) for row in rows])  # fmt: skip
        database.create_function("inside", 5, lambda x, y, ra, dec, r: bool(
            _away(Table({"s_ra": [x], "s_dec": [y]}), ra, dec)[0] <= r))  # fmt: skip
        sql = adql.replace("ivoa.ObsCore", "obscore").replace("POINT('ICRS', ", "").replace("CIRCLE('ICRS', ", "")
        sql = re.sub(r"CONTAINS\((.*?)\), (.*?)\)\)", r"inside(\1, \2)", sql)
        top = re.search(r"TOP (\d+)", sql)
        sql = re.sub(r"TOP \d+ ", "", sql) + (f" LIMIT {top[1]}" if top else "")
        cursor = database.execute(sql)
        found = cursor.fetchall()
        columns = [column[0] for column in cursor.description]
        if not found:
            return rows[:0][columns]
        return Table(rows=found, names=columns)
    finally:
        database.close()

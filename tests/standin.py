"""A small server on loopback that speaks the protocol of MAST over a folder of FITS files, with faults on demand.

Rows are made of the headers of the files; the names and types of fields are those of recorded replies. Every
request is kept in ``log``, so that tests can say what was asked and what was not.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import struct
import threading
import time
import urllib.parse
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from tests.loopback import LoopbackServer

TOKEN = "right-token"

CATALOGUES = {"mast.hsc.db.v3": "hsc.json", "mast.catalogs.tic.cone": "tic.json",
              "mast.catalogs.gaiadr2.cone": "tic.json"}  # fmt: skip
"""Recorded replies that catalogues answer with, wherever one asks; none of Gaia was recorded."""
OBSERVATION_TYPES = {
    "s_ra": "float", "s_dec": "float", "calib_level": "int", "t_min": "float", "t_max": "float", "t_exptime": "float",
    "em_min": "float", "em_max": "float", "t_obs_release": "float", "objID": "string", "obsid": "string",
    "distance": "float", "mtFlag": "boolean", "srcDen": "float",
}  # fmt: skip
PRODUCT_TYPES = {"obsID": "string", "size": "int", "calib_level": "int"}


@dataclass
class Fault:
    """What a server does wrong to one request, after ``after`` bytes where it sends some."""

    kind: str
    after: int = 0
    status: int = 503
    headers: tuple[tuple[str, str], ...] = ()
    to: str = ""
    seconds: float = 30.0


@dataclass
class Asked:
    """One request: method, path with query, headers (lower case) and body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @cached_property
    def service(self) -> str:
        return json.loads(urllib.parse.unquote(self.body.decode().removeprefix("request=")))["service"]


class Standin(LoopbackServer):
    """The server; ``url`` is where it listens.

    Parameters
    ----------
    folder : Path
        FITS files, one or more for each observation (the part of their names before the last underscore).
    exclusive : iterable of str
        Names of files that need the token.
    """

    def __init__(self, folder: Path, *, exclusive: Iterable[str] = ()) -> None:
        self.folder, self.exclusive = folder, frozenset(exclusive)
        self.log: list[Asked] = []
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.executing = 0
        self.hold = 0.0
        self.error = ""
        self.copies = 1
        self.etags = self.ranges = self.lengths = True
        self.rate = 0
        self.stopping = threading.Event()
        super().__init__(Handler)

    def close(self) -> None:
        self.stopping.set()
        super().close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""

    def asked(self, part: str) -> list[Asked]:
        """Return the requests whose path contains ``part``."""
        return [entry for entry in self.log if part in entry.path]

    def fail(self, name: str, *faults: Fault) -> None:
        """Meet the next requests for a file, or for "invoke", with faults, one each."""
        self.faults[name].extend(faults)

    # --- what it holds ------------------------------------------------------------------------------

    @cached_property
    def observations(self) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for path in sorted(self.folder.glob("*.fits")):
            stem = path.stem.rpartition("_")[0]
            if stem not in rows:
                rows[stem] = _observation(stem, path, 1_000_000 + len(rows), path.name in self.exclusive)
            rows[stem]["calib_level"] = max(rows[stem]["calib_level"], 3 if path.stem.endswith("i2d") else 2)
        return list(rows.values())

    @cached_property
    def products(self) -> list[dict[str, Any]]:
        numbers = {row["obs_id"]: row["obsid"] for row in self.observations}
        found = []
        for path in sorted(self.folder.iterdir()):
            stem, _, suffix = path.name.partition(".")[0].rpartition("_")
            found.append({
                "obsID": numbers[stem], "obs_collection": "JWST", "dataproduct_type": "image", "obs_id": stem,
                "description": f"exposure/source/target ({suffix})", "type": "S",
                "dataURI": f"mast:JWST/product/{path.name}",
                "productType": "INFO" if path.suffix == ".json" else "PREVIEW" if path.suffix == ".jpg" else "SCIENCE",
                "productGroupDescription": "Minimum Recommended Products" if suffix == "i2d" else None,
                "productSubGroupDescription": suffix.upper(), "productDocumentationURL": None, "project": "CALJWST",
                "prvversion": None, "proposal_id": "1234", "productFilename": path.name, "size": path.stat().st_size,
                "parent_obsid": numbers[stem], "calib_level": 3 if suffix == "i2d" else 2,
                "dataRights": "EXCLUSIVE_ACCESS" if path.name in self.exclusive else "PUBLIC", "filters": "F200W",
            })  # fmt: skip
        return found


def _observation(stem: str, path: Path, number: int, exclusive: bool) -> dict[str, Any]:
    header = fits.getheader(path, 0) + fits.getheader(path, 1)
    return {
        "dataproduct_type": "image", "obs_collection": "JWST", "instrument_name": f"{header['INSTRUME']}/IMAGE",
        "project": "JWST", "filters": header["FILTER"], "wavelength_region": "INFRARED",
        "target_name": header["TARGNAME"], "target_classification": "Galaxy", "obs_id": stem,
        "s_ra": header["CRVAL1"], "s_dec": header["CRVAL2"], "proposal_id": header["PROGRAM"],
        "proposal_pi": header["PI_NAME"], "calib_level": 0,
        "t_min": header["EXPSTART"], "t_max": header["EXPEND"], "t_exptime": header["EFFEXPTM"],
        "em_min": 1755.0, "em_max": 2227.0, "obs_title": "A test of jviz", "t_obs_release": header["EXPEND"],
        "s_region": header.get("S_REGION"), "jpegURL": f"mast:JWST/product/{stem}_i2d.jpg", "dataURL": None,
        "intentType": "science", "obsid": str(number), "mtFlag": False, "srcDen": None,
        "dataRights": "EXCLUSIVE_ACCESS" if exclusive else "PUBLIC", "provenance_name": "CALJWST",
    }  # fmt: skip


def recorded(name: str) -> bytes:
    """Return a real reply of the server, as the tests of astroquery keep them."""
    import astroquery.mast

    return (Path(astroquery.mast.__file__).parent / "tests" / "data" / name).read_bytes()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Standin

    def log_message(self, *_: Any) -> None:
        """Say nothing: the log is for the tests."""

    def do_GET(self) -> None:
        self._note()
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        if address.path == "/api/v0.1/Download/file":
            self._file(Path(query["uri"]).name)
        elif address.path == "/whoami":
            self._whoami()
        elif address.path == "/Santa-war/query":
            self._resolve(query["name"])
        elif address.path == "/search/util/api/v0.1/column_list":
            self._send(200, recorded("mission_columns.json"), "application/json")
        elif address.path == "/api/v0.1/path_lookup/":
            self._lookup([value for key, value in urllib.parse.parse_qsl(address.query) if key == "uri"])
        elif address.path.startswith(("/plain/", "/stpubdata/")):
            self._file(Path(address.path).name)
        else:
            self._send(404, b"no such page", "text/plain")

    def _lookup(self, uris: list[str]) -> None:
        """Say where files lie in the cloud: those that everybody may have, but none of segmentation maps."""
        names = {uri: Path(uri).name for uri in uris}
        found = {uri: {"path": f"/jwst/{'private' if name in self.server.exclusive else 'public'}/{name}"}
                 if "segm" not in name else {"path": None} for uri, name in names.items()}  # fmt: skip
        self._send(200, json.dumps(found).encode(), "application/json")

    def do_HEAD(self) -> None:
        self._note()
        self._send(405, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._note(body)
        address = urllib.parse.urlsplit(self.path)
        if address.path.endswith("/columnsconfig"):
            self._send(200, recorded("columnsconfig.json"), "application/json")
        elif address.path == "/search/jwst/api/v0.1/search":
            self._mission(json.loads(body))
        elif address.path == "/api/v0.1/panstarrs/dr2/mean.json":
            self._send(200, recorded("panstarrs.json"), "application/json")
        elif address.path == "/api/v0/invoke":
            self._invoke(json.loads(urllib.parse.unquote(body.decode().removeprefix("request="))))
        else:
            self._send(404, b"no such page", "text/plain")

    def _note(self, body: bytes = b"") -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.log.append(Asked(self.command, self.path, headers, body))

    def _send(self, status: int, body: bytes, kind: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, reply: Any) -> None:
        self._send(200, json.dumps(reply).encode(), "application/json")

    def _has_token(self) -> bool:
        return self.headers.get("Authorization") == f"token {TOKEN}" or f"mast_token={TOKEN}" in (
            self.headers.get("Cookie") or ""
        )

    def _whoami(self) -> None:
        known = self._has_token()
        expires = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 86400 * 30))
        self._json({
            "ezid": "astro" if known else "anonymous", "anon": not known, "scopes": ["mast:exclusive_access"],
            "attrib": {"display_name": "A. Stronomer", "expires": expires} if known else {},
        })  # fmt: skip

    def _resolve(self, name: str) -> None:
        known = {"m 31": (10.6847083, 41.26875, "MESSIER 031"), "test field": (53.1, -27.8, "TEST FIELD")}
        found = known.get(name.lower())
        places = [] if found is None else [{
            "searchString": name.lower(), "resolver": "NED", "cached": False, "resolverTime": 2, "searchRadius": -1.0,
            "canonicalName": found[2], "ra": found[0], "decl": found[1], "objectType": "G",
        }]  # fmt: skip
        self._json({"resolvedCoordinate": places, "status": ""})

    # --- queries --------------------------------------------------------------------------------------

    def _invoke(self, request: dict[str, Any]) -> None:
        server = self.server
        if server.faults["invoke"]:
            fault = server.faults["invoke"].popleft()
            if fault.kind == "status":
                return self._send(fault.status, b"busy", "text/plain", fault.headers)
            if fault.kind == "html":
                return self._send(200, b"<!DOCTYPE html><html><body>Down for maintenance</body></html>", "text/html")
            if fault.kind == "silence":
                server.stopping.wait(fault.seconds)
                return None
            if fault.kind == "cut":
                return self._send(200, json.dumps(self._answer(request)).encode()[:-fault.after], "application/json")
            if fault.kind == "json":
                return self._send(200, fault.to.encode(), "application/json")
        if server.executing:
            server.executing -= 1
            server.stopping.wait(server.hold)
            return self._json({"status": "EXECUTING", "msg": "", "data": [], "fields": []})
        if server.error:
            return self._json({"status": "ERROR", "msg": server.error, "data": []})
        return self._json(self._answer(request))

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        service, parameters = request["service"], request["params"]
        if service.lower() in CATALOGUES:
            return json.loads(recorded(CATALOGUES[service.lower()]))
        if service == "Mast.Caom.Products":
            wanted = set(parameters["obsid"].split(","))
            rows = [row for row in self.server.products if row["obsID"] in wanted] * self.server.copies
            return _paged(rows, PRODUCT_TYPES, request)
        if service == "Mast.Caom.Cone":
            rows = _near(self.server.observations, parameters["ra"], parameters["dec"], parameters["radius"])
        else:
            rows = [row for row in self.server.observations if all(_passes(row, f) for f in parameters["filters"])]
            if "position" in parameters:
                rows = _near(rows, *(float(number) for number in parameters["position"].split(",")))
        if parameters.get("columns", "*").startswith("COUNT"):
            return _paged([{"Column1": len(rows)}], {}, request)
        return _paged(rows, OBSERVATION_TYPES, request)

    def _mission(self, request: dict[str, Any]) -> None:
        rows = self.server.observations
        if "target" in request:
            ra, dec = map(float, request["target"][0].split())
            rows = _near(rows, ra, dec, request["radius"] / 3600)
        names = {"fileSetName": "obs_id", "instrume": "instrument_name", "program": "proposal_id", "targ_ra": "s_ra",
                 "targ_dec": "s_dec", "duration": "t_exptime", "s_region": "s_region"}  # fmt: skip
        for condition in request["conditions"]:
            for name, wanted in condition.items():
                if name not in names:
                    return self._send(400, json.dumps({"message": f"no column {name}"}).encode(), "application/json")
                rows = [row for row in rows if any(_fits(row[names[name]], part) for part in wanted.split(","))]
        page = rows[request["offset"] : request["offset"] + request["limit"]]
        return self._json({
            "messages": [], "info": [{"name": "targ_ra", "type": "FLOAT"}, {"name": "fileSetName", "type": "STRING"}],
            "search_params": request, "totalResults": len(rows),
            "results": [{name: row[column] for name, column in names.items()} for row in page],
        })  # fmt: skip

    # --- files ----------------------------------------------------------------------------------------

    def _file(self, name: str) -> None:
        server, path = self.server, self.server.folder / name
        if not path.is_file():
            return self._send(404, b"<html>not found</html>", "text/html")
        if name in server.exclusive and not self._has_token():
            return self._send(401, b'{"message":"This product is exclusive access."}', "application/json")
        fault = server.faults[name].popleft() if server.faults[name] else Fault("")
        if fault.kind == "status":
            return self._send(fault.status, b"busy", "text/plain", fault.headers)
        if fault.kind == "html":
            return self._send(200, b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")
        if fault.kind == "redirect":
            return self._send(302, b"", "text/plain", [("Location", fault.to)])
        if fault.kind == "empty":
            return self._send(200, b"", "application/octet-stream")
        if fault.kind == "packed":
            packed, kind = gzip.compress(path.read_bytes()), [("Content-Encoding", fault.to)]
            return self._send(200, packed, "application/fits", kind)
        if fault.kind == "carried":
            return self._send(200, gzip.compress(path.read_bytes()), "text/csv", [("Transfer-Encoding", fault.to)])
        if fault.kind == "other version" and self.headers.get("Range"):
            return self._part_of_another(path.read_bytes()[::-1])
        return self._bytes(path.read_bytes(), fault)

    def _part_of_another(self, content: bytes) -> None:
        """Go on with another version of a file, whatever If-Range says."""
        start = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
        part = ("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self._send(206, content[start:], "application/octet-stream", [part, ("ETag", '"another"')])

    def _bytes(self, content: bytes, fault: Fault) -> None:
        server, etag = self.server, f'"{hashlib.md5(content).hexdigest()}"'
        start = self._start(len(content), etag) if server.ranges else 0
        if start is None:
            return self._send(416, b"", "text/plain", [("Content-Range", f"bytes */{len(content)}")])
        if fault.kind == "corrupt":
            content = content[: fault.after] + bytes([content[fault.after] ^ 0x55]) + content[fault.after + 1 :]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/octet-stream")
        if start and fault.kind != "unsaid":
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if server.etags:
            self.send_header("ETag", etag)
        if server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        rest = len(content) - start
        self.send_header(*(("Content-Length", str(rest)) if server.lengths else ("Connection", "close")))
        self.end_headers()
        self._stream(content, start, fault)
        return None

    def _start(self, size: int, etag: str) -> int | None:
        """Return the first byte asked for; None when there is no such byte."""
        asked = self.headers.get("Range")
        if not asked or self.headers.get("If-Range", etag) != etag:
            return 0
        start = int(asked.removeprefix("bytes=").split("-")[0])
        return start if start < size else None

    def _stream(self, content: bytes, start: int, fault: Fault) -> None:
        stop = fault.after if fault.kind in ("cut", "reset", "stall") else len(content)
        step = 16384 if self.server.rate or fault.kind else 1 << 20
        for at in range(start, max(stop, start), step):
            self.wfile.write(content[at : min(at + step, stop)])
            if self.server.rate and self.server.stopping.wait(step / self.server.rate):
                return
        self.wfile.flush()
        if fault.kind == "stall":
            self.server.stopping.wait(fault.seconds)
        if fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        if fault.kind in ("cut", "stall", "reset") or not self.server.lengths:
            self.close_connection = True


def _paged(rows: list[dict[str, Any]], types: dict[str, str], request: dict[str, Any]) -> dict[str, Any]:
    size, page = request.get("pagesize", 50_000), request.get("page", 1)
    names = list(rows[0]) if rows else list(types)
    pages = -(-len(rows) // size)
    return {
        "status": "COMPLETE", "msg": "", "data": rows[(page - 1) * size : page * size],
        "fields": [{"name": name, "type": types.get(name, "string")} for name in names],
        "paging": {"page": page, "pageSize": size, "pagesFiltered": pages, "rows": len(rows),
                   "rowsFiltered": len(rows), "rowsTotal": len(rows)},
    }  # fmt: skip


def _near(rows: list[dict[str, Any]], ra: float, dec: float, radius: float) -> list[dict[str, Any]]:
    def vector(lon: float, lat: float) -> np.ndarray:
        lon, lat = np.radians(lon), np.radians(lat)
        return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])

    middle, found = vector(ra, dec), []
    for row in rows:
        distance = 2 * np.degrees(np.arcsin(np.linalg.norm(vector(row["s_ra"], row["s_dec"]) - middle) / 2))
        if distance <= radius:
            found.append({**row, "distance": distance * 3600})
    return found


def _fits(value: Any, wanted: str) -> bool:
    """Whether a value is what the form of a mission says: the begin of a text, or within a range."""
    low, dots, high = wanted.partition("..")
    return float(low) <= value <= float(high) if dots else str(value).startswith(wanted)


def _passes(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    value = next(v for k, v in row.items() if k.lower() == wanted["paramName"].lower())
    ranges = [limits for limits in wanted["values"] if isinstance(limits, dict)]
    if ranges:
        return any(r["min"] <= value <= r["max"] for r in ranges)
    text = str(value).lower()
    like = wanted.get("freeText", "").lower()
    parts = like.split("%")
    wild = bool(like) and text.startswith(parts[0]) and text.endswith(parts[-1]) and all(p in text for p in parts)
    return wild or text in [str(v).lower() for v in wanted["values"]]

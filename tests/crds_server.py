"""A CRDS server on loopback: what it knows by JSON-RPC, its files by GET, as the real one gives them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler

from tests.loopback import LoopbackServer


def packed(value):
    """Return a value as CRDS packs large ones."""
    return {"crds_encoded": "1.0", "crds_payload": base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()}


class CrdsServer(LoopbackServer):
    """Serves a cache folder.

    Attributes
    ----------
    asked : list of (str, str)
        Method or file, and the range asked for.
    cut : dict
        Bytes after which the connection breaks off, by file, once each.
    wrong : set
        Files that come with wrong bytes.
    """

    def __init__(self, folder, context="jwst_0001.pmap"):
        self.folder, self.default = folder, context
        self.asked, self.cut, self.wrong = [], {}, set()
        self.files = {path.name: path for part in ("mappings", "references")
                      for path in (folder / part / "jwst").rglob("*") if path.is_file()}  # fmt: skip
        super().__init__(Handler)

    def facts(self):
        return {name: {"size": str(path.stat().st_size), "sha1sum": hashlib.sha1(path.read_bytes()).hexdigest()}
                for name, path in self.files.items()}  # fmt: skip

    def answer(self, method, parameters):
        if method == "get_server_info":
            return {"reference_url": {"jwst": f"{self.url}/references/"},
                    "mapping_url": {"jwst": f"{self.url}/mappings"},
                    "operational_context": self.default, "download_metadata": packed(self.facts()),
                    "crds_version": {"str": "14.0"}, "observatory": "jwst", "effective_mode": "remote"}
        if method == "get_mapping_names":
            return [parameters[0], *self.within(parameters[0])]
        if method == "get_default_context":
            return self.default
        raise ValueError(f"Unknown method &#39;{method}&#39;")

    def within(self, name):
        if name not in self.files:
            raise ValueError(f"{name} is no known mapping")
        inside = re.findall(r"'([a-z0-9_.-]+\.[ir]map)'", self.files[name].read_text())
        names = [each for each in dict.fromkeys(inside) if each != name and each in self.files]
        return [part for each in names for part in [each, *(self.within(each) if each.endswith("imap") else ())]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Keep the output of the tests quiet."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((body["method"], ""))
        try:
            answer = {"result": self.server.answer(body["method"], body["params"]), "error": None, "id": body["id"]}
        except ValueError as error:
            answer = {"result": None, "error": {"message": str(error)}, "id": body["id"]}
        self.reply(200, json.dumps(answer).encode())

    def do_GET(self):
        name, wanted = self.path.rpartition("/")[2], self.headers.get("Range", "")
        self.server.asked.append((name, wanted))
        path = self.server.files.get(name)
        if path is None:
            self.reply(404, b"no such file")
            return
        content = path.read_bytes()
        if name in self.server.wrong:
            content = content[:-1] + bytes([content[-1] ^ 255])
        start = int(wanted[6:-1]) if wanted else 0
        headers = {"ETag": f'"{hashlib.md5(content).hexdigest()}"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.reply(206 if start else 200, content[start:], headers, self.server.cut.pop(name, None))

    def reply(self, status, content, headers=None, cut=None):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if cut is None else content[:cut])
        if cut is not None:
            self.close_connection = True

"""Files of a CRDS server brought into the cache of this machine: rules of a context, and what they choose.

The server is asked as the package ``crds`` asks it: JSON-RPC for what it knows (``get_server_info``,
``get_mapping_names``), plain GET for files. The package itself is not imported.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import pprint
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.backend.archive.checks import digest
from jviz.backend.archive.fetch import Stop, Wanted, fetch
from jviz.backend.archive.net import NetError, connection, json_of, reason_of
from jviz.backend.calibration.environment import jwst_version
from jviz.backend.calibration.rules import NOT_APPLICABLE, Rules
from jviz.backend.files import writing
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Server", "Synced", "sync_mappings", "sync_references"]

REPAIRS = ".jviz-repairs"
"""Folder of the cache in which files are fetched that take the place of broken ones."""


@dataclass(frozen=True)
class Synced:
    """One file that the cache should have.

    Attributes
    ----------
    name, kind : str
        ``kind`` is the type of a reference file, or "rules".
    state : str
        "fetched", "there", "repaired".
    size : int
        In bytes, as the server says.
    """

    name: str
    kind: str
    state: str
    size: int
    path: Path


class Server:
    """A CRDS server.

    Parameters
    ----------
    url : str
        As in ``CRDS_SERVER_URL``.
    observatory : str

    Raises
    ------
    JvizError
        When the address is one that stands for no server.
    """

    def __init__(self, url: str, observatory: str = "jwst") -> None:
        if "serverless" in url or not url.startswith(("http://", "https://")):
            raise JvizError(
                f"No CRDS server may be asked (CRDS_SERVER_URL is {url or 'empty'}). Work online, and set "
                "CRDS_SERVER_URL to https://jwst-crds.stsci.edu, or leave it unset."
            )
        self.url, self.observatory = url.rstrip("/"), observatory
        self.session = connection()
        self._info: dict[str, Any] | None = None
        self._files: dict[str, dict[str, Any]] | None = None

    def close(self) -> None:
        """Let go of the connection."""
        self.session.close()

    def call(self, method: str, *parameters: Any) -> Any:
        """Ask the server.

        Raises
        ------
        JvizError
            When it cannot be reached, or refuses.
        """
        number = f"jviz-{uuid.uuid4()}"
        body = {"jsonrpc": "1.0", "method": method, "params": parameters, "id": number}
        who = f"The CRDS server {self.url}"
        try:
            reply = self.session.post(f"{self.url}/json/{method}/{number}/", data=json.dumps(body).encode())
            answer = json_of(reply, who)
        except (OSError, ValueError) as error:
            raise reason_of(error, who) from error
        if not isinstance(answer, dict):
            raise NetError(f"{who} answers in a way that is not understood. Is it a CRDS server?")
        if answer.get("error"):
            said = answer["error"].get("message", "") if isinstance(answer["error"], dict) else str(answer["error"])
            raise NetError(f"{who} refuses {method}: {html.unescape(said)}.")
        return _decoded(answer.get("result"))

    def info(self) -> dict[str, Any]:
        """Return what the server says of itself: contexts, and where its files are."""
        if self._info is None:
            found = self.call("get_server_info")
            if not isinstance(found, dict):
                raise NetError(f"The CRDS server {self.url} does not say what it has. Is it a CRDS server?")
            self._info = found
        return self._info

    def files(self) -> dict[str, dict[str, Any]]:
        """Return size and checksum of all files of the server, by name."""
        if self._files is None:
            packed = self.info().get("download_metadata")
            if packed is None:
                packed = self.call("get_file_info_map", self.observatory, None, ["size", "sha1sum"])
            found = _decoded(packed)
            self._files = {str(name): value for name, value in dict(found).items() if isinstance(value, dict)}
        return self._files

    def context(self, name: str | None = None) -> str:
        """Return the context to use: that given, that of ``CRDS_CONTEXT``, or the one for the installed pipelines."""
        wanted = name or os.environ.get("CRDS_CONTEXT", "")
        if wanted.endswith(".pmap"):
            return wanted
        version = jwst_version()
        if version and not wanted:
            try:
                return str(self.call("get_build_context", self.observatory, ".".join(version.split(".")[:3])))
            except NetError:
                pass  # an older server, or one that does not know this version: its newest context is the answer
        state = "edit" if wanted.endswith("-edit") else "latest"
        try:
            return str(self.call("get_default_context", self.observatory, state))
        except NetError:
            return str(self.call("get_default_context", self.observatory))

    def mappings(self, context: str) -> list[str]:
        """Return the names of all rules files of a context."""
        return [str(name) for name in self.call("get_mapping_names", context)]

    def address(self, name: str) -> str:
        """Return where a file is fetched from."""
        kind = "mapping_url" if name.endswith((".pmap", ".imap", ".rmap")) else "reference_url"
        where = self.info().get(kind, {})
        where = where.get("unchecked", where) if isinstance(where, dict) else where
        base = where.get(self.observatory, "") if isinstance(where, dict) else str(where)
        if not base:
            raise NetError(f"The CRDS server {self.url} does not say where {name} is ({kind} is missing).")
        return f"{base.rstrip('/')}/{name}"


def _decoded(value: Any) -> Any:
    """Return what ``crds`` has packed to be smaller."""
    if isinstance(value, Mapping) and "crds_encoded" in value:
        return json.loads(gzip.decompress(base64.b64decode(str(value["crds_payload"]))))
    return value


# --- into the cache ------------------------------------------------------------------------------------


def sync_mappings(
    server: Server, rules: Rules, context: str, *, check: bool = False, stop: Stop | None = None,
    progress: Progress = silent,
) -> list[Synced]:  # fmt: skip
    """Bring the rules of a context into the cache, and what else an offline run needs of the server.

    Parameters
    ----------
    check : bool
        Compare checksums of what is there, and fetch anew what differs.
    """
    names = sorted(server.mappings(context), key=lambda name: name.endswith(".pmap"))  # the context comes last
    found = _bring(server, [(name, "rules", rules.mappings) for name in names], check, stop, progress)
    _write_config(server, rules)
    return found


def sync_references(
    server: Server, rules: Rules, chosen: Mapping[str, str], instrument: str, *, check: bool = False,
    stop: Stop | None = None, progress: Progress = silent,
) -> list[Synced]:  # fmt: skip
    """Bring reference files into the cache.

    Parameters
    ----------
    chosen : mapping
        File by type, as rules choose them; "N/A" and "" are passed over.
    """
    folder = _reference_folder(rules, instrument)
    files = {name: kind for kind, name in chosen.items() if name not in ("", NOT_APPLICABLE)}
    wanted = []
    for name, kind in files.items():
        there = rules.reference(name, instrument)
        wanted.append((name, kind, there.parent if there is not None else folder))
    return _bring(server, wanted, check, stop, progress)


def _bring(
    server: Server, wanted: list[tuple[str, str, Path]], check: bool, stop: Stop | None, progress: Progress
) -> list[Synced]:
    known, found = server.files(), []
    sizes = {name: int(known.get(name, {}).get("size", 0) or 0) for name, _, _ in wanted}
    missing = sum(sizes[name] for name, _, folder in wanted if not (folder / name).is_file())
    done = 0
    for number, (name, kind, folder) in enumerate(wanted):
        facts = known.get(name)
        if facts is None and not (folder / name).is_file():
            raise NetError(f"The CRDS server {server.url} has no file {name}, though its rules name it.")
        text = f"{name} ({number + 1} of {len(wanted)})"
        progress(done, missing, text)

        def report(now: int, _: int, before: int = done, said: str = text) -> None:
            progress(min(before + now, missing), missing, said)

        state = _one(server, name, facts or {}, folder, check, stop or Stop(), report)
        done += sizes[name] if state != "there" else 0
        found.append(Synced(name, kind, state, sizes[name], folder / name))
    progress(missing, missing, "")
    return found


def _one(
    server: Server, name: str, facts: Mapping[str, Any], folder: Path, check: bool, stop: Stop,
    report: Callable[[int, int], None],
) -> str:  # fmt: skip
    """Bring one file, and say what was done."""
    sha1, size = str(facts.get("sha1sum", "") or ""), int(facts.get("size", 0) or 0)
    wanted = Wanted(server.address(name), name, size, sha1=sha1)
    target = folder / name
    if not target.is_file():
        fetch(wanted, folder, server.session, stop=stop, report=report)
        return "fetched"
    if not check or _is_whole(target, size, sha1, stop):
        return "there"
    aside = folder / REPAIRS
    fresh = fetch(wanted, aside, server.session, stop=stop, report=report)
    os.replace(fresh.path, target)
    for left in aside.glob(f".{name}.*"):
        left.unlink(missing_ok=True)
    if not any(aside.iterdir()):
        aside.rmdir()
    return "repaired"


def _is_whole(path: Path, size: int, sha1: str, stop: Stop) -> bool:
    if size and path.stat().st_size != size:
        return False
    return not sha1 or digest(path, "sha1", watch=stop.check) == sha1


def _reference_folder(rules: Rules, instrument: str) -> Path:
    """Return where new reference files go: a folder for each instrument, unless the cache is of the flat kind."""
    base = rules.references
    mode = rules.folder / "config" / rules.observatory / "ref_cache_subdir_mode"
    flat = mode.is_file() and mode.read_text("utf-8").strip() == "flat"
    return base if flat else base / instrument.lower()


def _write_config(server: Server, rules: Rules) -> None:
    """Keep what the server said of itself: without it, the package cannot work offline on this cache."""
    folder = rules.folder / "config" / rules.observatory
    folder.mkdir(parents=True, exist_ok=True)
    usual = {"bad_files": "", "bad_files_list": [], "force_remote_mode": False, "observatory": server.observatory,
             "crds_version": {"str": ""}, "mappings": sorted(os.listdir(rules.mappings))}  # fmt: skip
    said = {**usual, **server.info(), "server": server.url, "status": "cache", "connected": False,
            "last_synced": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())}  # fmt: skip
    said.setdefault("latest_context", said.get("operational_context", ""))
    with writing(folder / "server_config") as temporary:
        temporary.write_text(pprint.pformat(said) + "\n", encoding="utf-8")
    mode = folder / "ref_cache_subdir_mode"
    if not mode.is_file():
        is_flat = any(path.is_file() for path in rules.references.glob("*.*"))
        with writing(mode) as temporary:
            temporary.write_text("flat" if is_flat else "instrument", encoding="utf-8")

"""A ZIP or tar of files with all that one needs to check them, fetch them again, and open them."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
import tarfile
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from jviz.backend.archive.checks import digest
from jviz.backend.archive.scripts import fetch_function, has_secret
from jviz.backend.files import writing
from jviz.backend.library.catalogue import Library
from jviz.backend.library.queries import made_from
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["ENDS", "write_bundle"]

ENDS = (".zip", ".tar", ".tar.gz", ".tgz")
"""What the names of bundles end with."""

CHUNK = 1024**2
SMALL = 1024**3
COLUMNS = ("file", "size", "sha256", "source", "path")


def write_bundle(library: Library, paths: Sequence[Path], target: Path, *, progress: Progress = silent) -> None:
    """Write a bundle.

    Parameters
    ----------
    target : Path
        Its name ends with one of `ENDS`.

    Raises
    ------
    JvizError
        When a file is missing or the bundle cannot be written; then there is none.
    """
    entries = [_entry(library, path, name) for path, name in _named(paths)]
    total = sum(entry["size"] for entry in entries)
    texts = {"MANIFEST.csv": _csv, "manifest.json": _json, "get_data.sh": _shell, "load_in_jviz.py": _script}
    with writing(target) as temporary, _opened(temporary, target.name.lower()) as archive:
        done = 0
        for entry in entries:
            done = _put(archive, entry, done, total, progress)
        for name, text in texts.items():
            content = text(entries).encode()
            archive.put(name, io.BytesIO(content), len(content))


class _Zip:
    """A ZIP as it is written; nothing is compressed, for FITS files hardly are smaller then."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True)

    def put(self, name: str, stream: Any, size: int) -> None:
        with self._archive.open(name, "w", force_zip64=size > SMALL) as inside:
            shutil.copyfileobj(stream, inside, CHUNK)

    def close(self) -> None:
        self._archive.close()


class _Tar:
    """A tar as it is written."""

    def __init__(self, path: Path, mode: Literal["w", "w:gz"]) -> None:
        self._archive = tarfile.open(path, mode, format=tarfile.PAX_FORMAT)  # noqa: SIM115 (closed by `close`)

    def put(self, name: str, stream: Any, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(time.time()), 0o644
        self._archive.addfile(info, stream)

    def close(self) -> None:
        self._archive.close()


def _opened(path: Path, name: str) -> closing[Any]:
    if name.endswith(".zip"):
        return closing(_Zip(path))
    return closing(_Tar(path, "w" if name.endswith(".tar") else "w:gz"))


class _Told:
    """A file that tells how much of it was read."""

    def __init__(self, stream: Any, tell: Callable[[int], None]) -> None:
        self._stream, self._tell = stream, tell

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._tell(len(content))
        return content


def _named(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return paths with the names they get: those of the files, told apart where they are the same."""
    taken: set[str] = set()
    named = []
    for path in dict.fromkeys(paths):
        if not path.is_file():
            raise JvizError(f"{path} is not there any more, so no bundle was written. Rescan the library.")
        name, number = path.name, 1
        while name in taken:
            number += 1
            name = f"{number}-{path.name}"
        taken.add(name)
        named.append((path, name))
    return named


def _entry(library: Library, path: Path, name: str) -> dict[str, Any]:
    rows = library.ask("SELECT source FROM file WHERE path = ?", (str(path),))
    parts = [{"name": part, "role": role, "step": step} for part, role, step, _ in made_from(library, str(path))]
    source = (rows[0]["source"] if rows else None) or ""
    return {"file": f"data/{name}", "size": path.stat().st_size, "sha256": digest(path),
            "source": "" if has_secret(source) else source, "path": str(path), "made_of": parts}  # fmt: skip


def _put(archive: Any, entry: dict[str, Any], done: int, total: int, progress: Progress) -> int:
    def tell(more: int) -> None:
        nonlocal done
        done += more
        progress(done, max(total, 1), f"Bundling {Path(entry['file']).name}")

    with Path(entry["path"]).open("rb") as stream:
        archive.put(entry["file"], _Told(stream, tell), entry["size"])
    del entry["path"]
    return done


def _json(entries: Sequence[dict[str, Any]]) -> str:
    return json.dumps(entries, indent=1)


def _csv(entries: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS[:-1])
    writer.writerows([entry[column] for column in COLUMNS[:-1]] for entry in entries)
    return text.getvalue()


def _shell(entries: Sequence[dict[str, Any]]) -> str:
    """Return a script that fetches the files again; the token comes from the environment and is not in it."""
    lines = ["#!/bin/sh", "# Fetches the files of this bundle again. For exclusive data set MAST_API_TOKEN first.",
             "set -eu", 'cd "$(dirname "$0")"', "mkdir -p data",
             # Of a whole file a server has no more to send, which it calls an error.
             """is_whole() { [ -f "$2" ] && printf '%s  %s\\n' "$3" "$2" | sha256sum --check --status; }""",
             fetch_function(),
             """get() { is_whole "$@" || fetch "$1" --fail --location --continue-at - --output "$2"; }"""]  # fmt: skip
    lines += [f"get {shlex.quote(entry['source'])} {shlex.quote(entry['file'])} {entry['sha256']}"
              for entry in entries if entry["source"].startswith(("http://", "https://"))]  # fmt: skip
    lines += ["sha256sum --check <<'END'", *(f"{entry['sha256']}  {entry['file']}" for entry in entries), "END", ""]
    return "\n".join(lines)


def _script(entries: Sequence[dict[str, Any]]) -> str:
    files = ",\n    ".join(repr(entry["file"]) for entry in entries)
    return f'''"""Opens the files of this bundle in jviz: python load_in_jviz.py"""

import sys
from pathlib import Path

from jviz.cli import main

HERE = Path(__file__).resolve().parent
FILES = [
    {files},
]
if __name__ == "__main__":
    raise SystemExit(main([*(str(HERE / name) for name in FILES), *sys.argv[1:]]))
'''

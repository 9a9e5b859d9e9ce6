"""A ZIP of files with all that one needs to check them, fetch them again, and open them."""

from __future__ import annotations

import csv
import io
import json
import shlex
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jviz.backend.archive.checks import digest
from jviz.backend.files import writing
from jviz.backend.library.catalogue import Library
from jviz.backend.library.queries import made_from
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["write_bundle"]

CHUNK = 1024**2
COLUMNS = ("file", "size", "sha256", "source", "path")


def write_bundle(library: Library, paths: Sequence[Path], target: Path, *, progress: Progress = silent) -> None:
    """Write a bundle.

    Raises
    ------
    JvizError
        When a file is missing or the bundle cannot be written; then there is none.
    """
    entries = [_entry(library, path, name) for path, name in _named(paths)]
    total = sum(entry["size"] for entry in entries)
    with writing(target) as temporary:
        done = 0
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for entry in entries:
                done = _put(archive, entry, done, total, progress)
            archive.writestr("MANIFEST.csv", _csv(entries))
            archive.writestr("manifest.json", json.dumps(entries, indent=1))
            archive.writestr("get_data.sh", _shell(entries))
            archive.writestr("load_in_jviz.py", _script(entries))


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
    return {"file": f"data/{name}", "size": path.stat().st_size, "sha256": digest(path),
            "source": (rows[0]["source"] if rows else None) or "", "path": str(path), "made_of": parts}  # fmt: skip


def _put(archive: zipfile.ZipFile, entry: dict[str, Any], done: int, total: int, progress: Progress) -> int:
    with Path(entry["path"]).open("rb") as stream, archive.open(entry["file"], "w", force_zip64=True) as inside:
        while chunk := stream.read(CHUNK):
            inside.write(chunk)
            done += len(chunk)
            progress(done, max(total, 1), f"Bundling {Path(entry['file']).name}")
    del entry["path"]
    return done


def _csv(entries: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS[:-1])
    writer.writerows([entry[column] for column in COLUMNS[:-1]] for entry in entries)
    return text.getvalue()


def _shell(entries: Sequence[dict[str, Any]]) -> str:
    """Return a script that fetches the files again; the token comes from the environment and is not in it."""
    lines = ["#!/bin/sh", "# Fetches the files of this bundle again. For exclusive data set MAST_API_TOKEN first.",
             "set -eu", 'cd "$(dirname "$0")"', "mkdir -p data", "get() {",
             '  if [ -n "${MAST_API_TOKEN:-}" ] && [ "${1#https://mast.stsci.edu/}" != "$1" ]; then',
             '    curl --fail --location --continue-at - --header "Authorization: token $MAST_API_TOKEN" '
             '--output "$2" "$1"',
             "  else", '    curl --fail --location --continue-at - --output "$2" "$1"', "  fi", "}"]  # fmt: skip
    lines += [f"get {shlex.quote(entry['source'])} {shlex.quote(entry['file'])}"
              for entry in entries if entry["source"].startswith(("http://", "https://"))]  # fmt: skip
    lines += ["sha256sum --check <<'END'", *(f"{entry['sha256']}  {entry['file']}" for entry in entries), "END", ""]
    return "\n".join(lines)


def _script(entries: Sequence[dict[str, Any]]) -> str:
    files = ",\n    ".join(repr(entry["file"]) for entry in entries)
    return f'''"""Opens the files of this bundle in jviz: python load_in_jviz.py"""

from pathlib import Path

import jviz

HERE = Path(__file__).parent
FILES = [
    {files},
]
jviz.launch([HERE / name for name in FILES])
'''

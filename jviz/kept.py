"""A store for objects that a script or a session file refers to and that have no short source.

Each is a file named by the SHA-256 of its bytes: the same object is stored once, and what is
read back is what was stored. Formats are npy, npz, ecsv and JSON; nothing that is read runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.cache import home
from jviz.errors import JvizError

__all__ = ["folder", "freeze", "path_of", "promise", "settled", "take_in", "thaw"]

KEY = re.compile(r"[0-9a-f]{64}\.(?:npy|npz|json)")

_promised: dict[str, Any] = {}
_settled: dict[str, str] = {}


def folder() -> Path:
    """Return the folder of the store; it may not exist yet."""
    return home("data") / "kept"


def promise(thing: Any) -> str:
    """Return a key for a large array or table that is stored only when `settled` is asked for it.

    It must not change any more.
    """
    key = f"{secrets.token_hex(32)}.npy"
    _promised[key] = thing
    return key


def settled(text: str) -> str:
    """Store all promised objects that a text mentions, and return it with the keys of their content."""
    for match in set(KEY.findall(text)):
        if match in _promised:
            text = text.replace(match, _kept_promise(match))
    return text


def _kept_promise(key: str) -> str:
    if key not in _settled:
        _settled[key] = freeze(_promised[key])
    return _settled[key]


def freeze(thing: Any) -> str:
    """Store an object and return its key.

    Parameters
    ----------
    thing : ndarray, Quantity, Table, NDData, CCDData, Spectrum, SpectrumList, Region, Regions, SpectralRegion, SkyCoord
        Or lists, tuples and dicts of these.

    Raises
    ------
    JvizError
        When it is of another type, or the folder cannot be written.
    """
    from jviz.conversion.codec import encode

    if type(thing) is np.ndarray and not thing.dtype.hasobject:
        return _stored(".npy", lambda path: _write_array(path, thing))
    arrays: list[np.ndarray] = []
    text = json.dumps(encode(thing, arrays), separators=(",", ":"))
    if arrays:
        return _stored(".npz", lambda path: _write_arrays(path, text, arrays))
    return _stored(".json", lambda path: path.write_text(text, encoding="utf-8"))


def thaw(key: str) -> Any:
    """Return an object that `freeze` stored.

    Raises
    ------
    JvizError
        When this machine does not have it, or its file was changed.
    """
    path = path_of(key)
    if key in _promised:
        promised = _promised[key]
        return promised.copy() if hasattr(promised, "colnames") else promised
    try:
        changed = digest(path) != key.partition(".")[0]
    except FileNotFoundError:
        raise JvizError(
            f"The object {key} that this script or session uses is not on this machine; it is stored in {folder()} "
            "of the one that made it, and inside of a saved session."
        ) from None
    if changed:
        raise JvizError(f"The kept object {key} was changed on disk and cannot be used; add the original again.")
    try:
        return _read(path)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError) as error:
        raise JvizError(f"The kept object {key} cannot be read ({error}); was it made by a newer jviz?") from error


def _read(path: Path) -> Any:
    from jviz.conversion.codec import decode

    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix == ".json":
        return decode(json.loads(path.read_text(encoding="utf-8")), [])
    with np.load(path, allow_pickle=False) as content:
        arrays = [content[f"a{n}"] for n in range(len(content.files) - 1)]
        return decode(json.loads(str(content["about"])), arrays)


def path_of(key: str) -> Path:
    """Return the file of a key.

    Raises
    ------
    JvizError
        When it is no key; so a name from a file cannot lead elsewhere.
    """
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise JvizError(f"{key!r} is no key of a kept object.")
    return folder() / key


def take_in(key: str, source: Any) -> None:
    """Store what a session file brings under its key.

    Parameters
    ----------
    source : binary file

    Raises
    ------
    JvizError
        When its bytes are not those that the key names.
    """
    if path_of(key).exists():
        return
    stored = _stored(path_of(key).suffix, lambda path: _copy(source, path), wanted=key)
    if stored != key:
        raise JvizError(f"The kept object {key} was damaged on its way; save the session again where it was made.")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stored(suffix: str, write: Any, *, wanted: str = "") -> str:
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=suffix, dir=place)
    except OSError as error:
        raise JvizError(f"Nothing can be kept in {place}: {error.strerror}. Free it, or set JVIZ_HOME.") from error
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        key = digest(temporary) + suffix
        if wanted in ("", key):
            os.replace(temporary, place / key)
        return key
    except OSError as error:
        reason = error.strerror or str(error)
        raise JvizError(f"Nothing can be kept in {place}: {reason}. Free some space, or set JVIZ_HOME.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write_array(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _write_arrays(path: Path, text: str, arrays: list[np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, about=np.array(text), **{f"a{n}": array for n, array in enumerate(arrays)})


def _copy(source: Any, path: Path) -> None:
    import shutil

    with path.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)

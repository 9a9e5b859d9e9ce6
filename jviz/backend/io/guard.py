"""What is said about a path that cannot be read, before and after a reader tried."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from jviz.errors import ReadError

if TYPE_CHECKING:
    from jviz.backend.io.registry import Reader

__all__ = ["checked_start", "explain"]

_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def checked_start(path: Path) -> bytes:
    """Return the first bytes of a file that is safe to open; ``b""`` for a folder.

    Nothing is opened before it is known to be a regular file: opening a pipe would wait for ever.

    Raises
    ------
    ReadError
        When it is missing, empty, not a file, or may not be read.
    """
    from jviz.backend.io.registry import sniff_bytes

    try:
        mode = path.stat()
        _check_mode(path, mode)
        if stat.S_ISDIR(mode.st_mode):
            os.scandir(path).close()
            return b""
        with path.open("rb", buffering=0) as stream:
            return stream.read(sniff_bytes)
    except OSError as error:
        raise ReadError(_system_reason(path, error)) from error


def _check_mode(path: Path, status: os.stat_result) -> None:
    for test, what in _SPECIAL:
        if test(status.st_mode):
            raise ReadError(f"{path} is {what}, not a file. Save its content to a file, then open that.")
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise ReadError(f"{path} is empty (0 bytes). Fetch or write the file again.")


def _system_reason(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        if path.is_symlink():
            return f"{path} is a link to {path.readlink()}, which does not exist. Mend the link."
        return f"{path} does not exist (any more). Check the name, or whether it was moved or deleted."
    if isinstance(error, PermissionError):
        closed = next((folder for folder in reversed(path.absolute().parents) if not _may_be_entered(folder)), None)
        if closed is not None:
            return (
                f"{path} may not be read: permission denied to enter the folder {closed}. Change the permissions of "
                "that folder (chmod u+x), or copy the file to another one."
            )
        return f"{path} may not be read: permission denied. Change its permissions (chmod u+r) or copy it."
    reason = error.strerror or str(error)
    return f"{path} cannot be read: {reason}. Check the disk or the network folder, then open it again."


def _may_be_entered(folder: Path) -> bool:
    try:
        os.stat(f"{folder}/.")  # a path of pathlib would leave the dot out
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def explain(path: Path, reader: Reader, error: Exception) -> ReadError:
    """Turn what a reader raised into one clear message.

    Returns
    -------
    ReadError
        To be raised from ``error``.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return ReadError(_system_reason(path, error))
    if isinstance(error, MemoryError):
        return ReadError(f"{path.name} does not fit into memory. Close other data, then open it again.")
    if isinstance(error, TypeError) and "unexpected keyword argument" in str(error):
        option = str(error).rpartition(" ")[2].strip("'")
        return ReadError(f"The reader of {reader.title} has no option {option!r}; leave it out ({path.name}).")
    text = " ".join(str(error).split()).rstrip(".")
    reason = f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
    return ReadError(
        f"{path.name} could not be read as {reader.title} ({reason}). "
        "The file may be damaged or of another kind: fetch it again, or name a reader with File > Open As…"
    )

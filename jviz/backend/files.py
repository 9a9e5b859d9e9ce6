"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jviz.errors import JvizError

__all__ = ["is_full", "nearest_folder", "unwritable", "writing"]

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)

PARTLY = re.compile(r"requested and \d+ written|Not enough space on disk|disk is full", re.IGNORECASE)
"""What numpy, astropy and SQLite say of a full disk, without a number of the system."""


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes its place when the body ends well.

    Raises
    ------
    JvizError
        When the folder is missing or cannot be written to, or the disk is full; ``path`` is as it was.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; a saved file is as readable as any other of the user's.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename is None or str(temporary) in (str(error.filename), str(error.filename2)):
            raise unwritable(path, error) from error
        raise  # of another file, which is read
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def nearest_folder(path: Path) -> Path:
    """Return a folder, or the nearest one above it that is there."""
    return next(place for place in (path, *path.parents) if place.is_dir())


def unwritable(path: Path, error: OSError) -> JvizError:
    """Say why a file cannot be written, and what to do."""
    if is_full(error):
        reason = error.strerror or "the disk took only a part of it"
        return JvizError(f"{path} cannot be written: {reason}. Free some space or choose another folder.")
    return JvizError(f"{path} cannot be written: {error.strerror or error}. Choose another folder.")


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that a disk is full."""
    while error is not None:
        if getattr(error, "errno", None) in FULL or PARTLY.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False

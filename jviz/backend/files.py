"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jviz.errors import JvizError

__all__ = ["unwritable", "writing"]

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


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


def unwritable(path: Path, error: OSError) -> JvizError:
    """Say why a file cannot be written, and what to do."""
    if error.errno in FULL or _wrote_less(error):
        reason = error.strerror or "the disk took only a part of it"
        return JvizError(f"{path} cannot be written: {reason}. Free some space or choose another folder.")
    return JvizError(f"{path} cannot be written: {error.strerror or error}. Choose another folder.")


def _wrote_less(error: OSError) -> bool:
    # numpy says "4000000 requested and 4968 written", without a number of the system.
    return error.errno is None and "requested and" in str(error)

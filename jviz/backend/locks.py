"""Locks of the operating system on files: one program has one at a time, and loses it when it ends, however it ends."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

__all__ = ["FileLock", "is_locked"]

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
"""What file systems without locks say: there, work goes on without one."""


class FileLock:
    """A lock, which a small file stands for; also threads of one program exclude each other with it.

    Parameters
    ----------
    path : Path
        Of the file; it is made when the lock is taken, and goes when it is given back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def take(self) -> bool:
        """Take the lock, without waiting; False when somebody has it.

        Raises
        ------
        OSError
            When the file cannot be made.
        """
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            if not _locked(handle):
                os.close(handle)
                return False
            if _is_at(handle, self.path):
                self._handle = handle
                return True
            os.close(handle)  # who had it took the file away meanwhile: this lock is on nothing

    def give(self) -> None:
        """Give it back; nothing happens without it."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        with suppress(OSError):  # Windows removes no open file
            self.path.unlink()
        os.close(handle)
        with suppress(OSError):
            if os.name == "nt":
                self.path.unlink()


def is_locked(path: Path) -> bool:
    """Whether somebody has the lock that a file stands for."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _locked(handle, shared=True)
    finally:
        os.close(handle)


def _locked(handle: int, *, shared: bool = False) -> bool:
    """Lock an open file, unless somebody has; ``shared``: those who only look do not see each other."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in NO_LOCKS
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        there, here = os.stat(path), os.fstat(handle)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

"""Copies of cubes that are quick to read along wavelength: made in the background, used where they are."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from jviz.backend import cache
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.data import Cube
    from jviz.jobs import Job

__all__ = ["copy_of", "is_worth_it", "make_copy"]

SMALL = 1 << 24
"""Values below which the file is as quick."""

_copies: WeakKeyDictionary[Cube, dict[str, Any]] = WeakKeyDictionary()
_begun: WeakSet[Cube] = WeakSet()


def copy_of(cube: Cube, plane: str = "") -> Any:
    """Return the `jviz.backend.cubes.store.SpectralStore` of a plane if it is there; never waits long.

    A file that was changed since has none.
    """
    kept = _copies.setdefault(cube, {})
    name = cube.plane(plane).name
    if name not in kept:
        from jviz.backend.cubes.store import stored

        try:
            kept[name] = stored(cube.source(plane))
        except (JvizError, OSError):
            kept[name] = None
    return kept[name]


def is_worth_it(cube: Cube, limit: int) -> bool:
    """Whether a copy is quicker than the file, and fits into the cache and on the disk.

    Parameters
    ----------
    limit : int
        Of the cache, in bytes.
    """
    plane = cube.plane()
    if len(plane.shape) != 3 or plane.identity is None or plane.dtype.kind not in "biuf":
        return False
    count = plane.shape[0] * plane.shape[1] * plane.shape[2]
    needed = 4.4 * count
    if count < SMALL or needed > limit:
        return False
    return needed < 0.9 * shutil.disk_usage(cache.folder("")).free


def make_copy(session: Any, cube: Cube) -> Job | None:
    """Begin to copy a cube in the background, once; returns the job, None when there is nothing to do."""
    limit = int(session.settings["cache.limit_gb"] * 1e9)
    if cube in _begun or not is_worth_it(cube, limit):
        return None
    _begun.add(cube)

    def work(job: Job) -> None:
        from jviz.backend.cubes import store

        if copy_of(cube) is not None:
            return

        def report(done: float, total: float, text: str) -> None:
            if cube not in session:
                job.cancel()
            job.report(done, total, text)

        try:
            made = store.build(cube.source(), cube.axis, report)
        except OSError as error:
            session.notice("warning", f"The copy of {cube.name} cannot be written ({error.strerror or error}); jviz "
                           "goes on with the file, more slowly. Make room in the cache folder.")  # fmt: skip
            return
        _copies.setdefault(cube, {})[cube.plane().name] = made
        if made is not None:
            cache.trim(limit, keep={made.path})

    try:
        return session.jobs.submit(f"Copying spectra of {cube.name}", work)
    except JvizError:
        return None  # the session is closed

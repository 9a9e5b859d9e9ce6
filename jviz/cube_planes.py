"""Statistics of the planes of cubes: worked out once in the background, kept with the cube."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from jviz.backend.progress import Cancelled, Progress
from jviz.errors import JvizError
from jviz.flags import DEFAULT_FLAGS, excluded_bits

if TYPE_CHECKING:
    from jviz.backend.cubes.planes import PlaneStatistics
    from jviz.data import Cube
    from jviz.jobs import Job

__all__ = ["known_statistics", "make_statistics", "statistics_of"]

_known: WeakKeyDictionary[Cube, PlaneStatistics] = WeakKeyDictionary()
_asked: WeakKeyDictionary[Cube, bool] = WeakKeyDictionary()
"""Whether the job of a cube that was asked for is over."""


def known_statistics(cube: Cube) -> PlaneStatistics | None:
    """Return the statistics of the planes of a cube, without the values that flags forbid; None while unknown."""
    return _known.get(cube)


def statistics_of(cube: Cube, exclude_flags: Any, progress: Progress) -> PlaneStatistics:
    """Work out statistics of the planes of a cube, or return the known ones.

    Parameters
    ----------
    exclude_flags : list of str, str or int
        Values with these data quality flags are left out.
    """
    from jviz.backend.cubes.planes import plane_statistics

    usual = exclude_flags == DEFAULT_FLAGS
    if usual and cube in _known:
        return _known[cube]
    bits = excluded_bits(cube, exclude_flags) if cube.product.plane("flags") is not None else 0
    found = plane_statistics(cube.source("", bits), progress)
    if usual:
        _known[cube] = found
    return found


def make_statistics(session: Any, cube: Cube, done: Callable[[], None]) -> bool:
    """Work them out in the background, once; return whether that is over.

    Parameters
    ----------
    done : callable
        Called when it is, from any thread.
    """
    plane = cube.plane()
    if len(plane.shape) != 3 or plane.dtype.kind not in "biuf" or cube in _known:
        return True
    if cube in _asked:
        return _asked[cube]
    _asked[cube] = False

    def work(job: Job) -> None:
        def report(done: float, total: float, text: str) -> None:
            if cube not in session:
                job.cancel()
            job.report(done, total, text)

        try:
            statistics_of(cube, DEFAULT_FLAGS, report)
        except Cancelled:
            raise
        except (JvizError, OSError):
            return  # the picture itself tells that the file cannot be read
        finally:
            _asked[cube] = True
            done()

    try:
        session.jobs.submit(f"Statistics of {cube.name}", work, quiet=plane.shape[0] * plane.shape[1] < 1 << 18)
    except JvizError:
        _asked[cube] = True  # the session is closed
    return False

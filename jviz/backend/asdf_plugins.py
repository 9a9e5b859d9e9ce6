"""ASDF as it is read in this process: without what would import a hundred other packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

__all__ = ["asdf_library", "asdf_unchecked"]

LEFT_OUT = frozenset({"stpipe", "specutils", "ndcube"})
"""Packages whose extensions ASDF does not get: their import takes seconds, and most of it holds Python's lock.

The first brings the pipelines and CRDS; transforms of the JWST pipeline are those of stdatamodels, and are read. The
others bring dask, matplotlib and pytest, for objects of theirs of which no file that is read here needs more than the
arrays.
"""


@cache
def asdf_library() -> ModuleType:
    """Return the package ``asdf``, with the extensions of all packages but `LEFT_OUT`; imports it the first time."""
    import asdf
    from asdf import _entry_points

    known = getattr(_entry_points, "entry_points", None)
    if known is None:
        return asdf  # another version, which looks for its plugins elsewhere

    def others(**group: Any) -> list[Any]:
        return [point for point in known(**group) if point.dist is None or point.dist.name not in LEFT_OUT]

    _entry_points.entry_points = others
    try:
        config = asdf.get_config()
        _ = config.resource_mappings, config.extensions  # looked for now, and kept
    finally:
        _entry_points.entry_points = known
    return asdf


@contextmanager
def asdf_unchecked() -> Iterator[ModuleType]:
    """Have the package ``asdf`` read trees in this thread without comparing them with their schemas.

    To load the schemas of all transforms and to walk through them takes longer than to read a GWCS, and holds Python's
    lock; what does not obey them raises where it is built. Nor are defaults of the schemas filled in: the GWCS of
    JWST of all versions that were tried are the same without.
    """
    asdf = asdf_library()
    with asdf.config_context() as config:
        config.validate_on_read = config.legacy_fill_schema_defaults = False
        yield asdf

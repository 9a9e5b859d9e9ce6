"""The same data as glue objects, for links, subsets and joins; made when first asked for.

Components read their plane when glue asks for a part of it: nothing is copied whole into memory.
glue's hub is not thread safe: use these in the thread that owns the session.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import glue.core.subset
import numpy as np
from glue.core import Data as GlueData
from glue.core import DataCollection
from glue.core.component import Component

from jviz.data import Data, loaded_object

if TYPE_CHECKING:
    from jviz.backend.io.product import Plane
    from jviz.session import Session

__all__ = ["JvizData", "PlaneComponent", "collection_of", "glue_of"]


class PlaneComponent(Component):
    """A component of glue that reads its plane part by part.

    Parameters
    ----------
    plane : Plane
    """

    def __init__(self, plane: Plane) -> None:
        super().__init__(None, units=plane.unit)
        self._plane = plane

    @property
    def data(self) -> np.ndarray:
        """All values in native byte order, read anew each time: prefer a part."""
        return self._plane.read()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in numpy order."""
        return self._plane.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._plane.shape)

    @property
    def numeric(self) -> bool:
        """Planes hold numbers only."""
        return True

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, np.ndarray) and key.dtype == bool:
            return self._plane.read()[key]
        return self._plane.read(key)


class JvizData(GlueData):
    """A data set of jviz as glue sees it.

    Attributes
    ----------
    source : jviz.data.Data
    """

    def __init__(self, source: Data) -> None:
        super().__init__(label=source.name, coords=_coordinates(source))
        self.source = source
        self.meta.update(source.header)
        for plane in source.planes.values():
            if plane.shape == source.shape:
                self.add_component(PlaneComponent(plane), plane.name)
        if not source.planes and source.product.load_object is not None:
            self._add_columns(loaded_object(source))

    def _add_columns(self, table: Any) -> None:
        for name in getattr(table, "colnames", ()):
            for label, values, unit in _columns(name, table[name]):
                self.add_component(Component.autotyped(values, units=unit), label)


def glue_of(data: Data) -> JvizData:
    """Return the glue data of a data set, the same object each time."""
    # Kept by the data themselves, so that both go together.
    if not hasattr(data, "_glue"):
        _unmemoize_masks()
        data._glue = JvizData(data)
    return data._glue


def collection_of(session: Session) -> DataCollection:
    """Return the glue collection of all data of a session, kept in step with it."""
    if session not in _keepers:
        _keepers[session] = _Keeper(session)
    return _keepers[session].collection


_keepers: weakref.WeakKeyDictionary[Session, _Keeper] = weakref.WeakKeyDictionary()


class _Keeper:
    """Keeps a glue collection in step with a session."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.ref(session)
        self.collection = DataCollection()
        session.data_changed.connect(self._update)
        self._update()

    def _update(self) -> None:
        session = self._session()
        if session is None:
            return
        wanted = [glue_of(data) for data in session.data]
        for old in [d for d in self.collection if not any(d is w for w in wanted)]:
            self.collection.remove(old)
        for data in wanted:
            if data.label != data.source.name:
                data.label = data.source.name
            if not any(data is d for d in self.collection):
                self.collection.append(data)


def _coordinates(data: Data) -> Any:
    """Return the WCS when it has the axes of the data, which is what glue needs."""
    wcs = getattr(data, "wcs", None)
    wcs = getattr(wcs, "low_level_wcs", wcs)
    return wcs if wcs is not None and wcs.pixel_n_dim == len(data.shape) else None


def _columns(name: str, column: Any) -> list[tuple[str, np.ndarray, str]]:
    """Return the columns of numbers or texts that one column of a table makes, with their units."""
    if hasattr(column, "spherical"):
        places = column.spherical
        return [(f"{name}.lon", places.lon.deg, "deg"), (f"{name}.lat", places.lat.deg, "deg")]
    values = np.asarray(getattr(column, "value", column))
    if values.ndim != 1 or values.dtype.kind not in "biufSUO":
        return []
    if values.dtype.kind == "f" and np.ma.is_masked(column):
        values = np.where(np.ma.getmaskarray(column), np.nan, values)
    return [(name, np.array(values, values.dtype.newbyteorder("=")), str(getattr(column, "unit", None) or ""))]


def _unmemoize_masks() -> None:
    """Take glue's caches of masks away: they keep every mask of every view for ever."""
    for kind in vars(glue.core.subset).values():
        method = vars(kind).get("to_mask") if isinstance(kind, type) else None
        if hasattr(method, "__memoize_cache"):
            kind.to_mask = method.__wrapped__

"""A session as a document of plain values: taken from a session, and made into its parts again."""

from __future__ import annotations

import os
import time
import weakref
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz import astrometry
from jviz.backend.fingerprint import Fingerprint, find
from jviz.backend.io.product import Product, Unit, WcsResult
from jviz.backend.progress import Progress, silent
from jviz.conversion.codec import decode, encode
from jviz.cube_choice import restored, saved
from jviz.data import Data, from_product
from jviz.errors import JvizError, ReadError
from jviz.kept import KEY, freeze, settled, thaw
from jviz.markers import Marker, numbered
from jviz.subsets import Subset
from jviz.views import State, View, free_name, view_kinds

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["VERSION", "Parts", "Snapshot", "parts_of", "snapshot"]

VERSION = 1

SUBSET_LOOK = ("color", "visible", "locked", "group")
"""What of a subset says how it is drawn; files of older versions lack it."""

_kept_data: weakref.WeakKeyDictionary[Data, str] = weakref.WeakKeyDictionary()


@dataclass
class Snapshot:
    """A session at one moment, taken in no time; `finish` does what takes long, in any thread.

    Attributes
    ----------
    document : dict
        Plain values; without what `finish` adds about files and objects.
    """

    document: dict[str, Any]
    data: tuple[Data, ...]
    subsets: tuple[Subset, ...]
    markers: tuple[Marker, ...] = ()

    def finish(self, *, whole: bool = True, progress: Progress = silent) -> dict[str, Any]:
        """Add the checksums of files, and store objects in memory in `jviz.kept`.

        Parameters
        ----------
        whole : bool
            False leaves the checksums of whole files out (an autosave has no time for them).

        Returns
        -------
        dict
            The document, ready for JSON.
        """
        sources = []
        for number, data in enumerate(self.data):
            progress(number, len(self.data), f"Saving {data.name}")
            sources.append(_source_of(data, whole, progress))
        subsets = [_subset_to(subset, self.data) for subset in self.subsets]
        markers = [_marker_to(marker, self.data) for marker in self.markers]
        history = [{**e, "lines": [settled(line) for line in e["lines"]]} for e in self.document["history"]]
        return {**self.document, "history": history, "data": sources, "subsets": subsets, "markers": markers}


@dataclass
class Parts:
    """What a document brings, not yet in any session.

    Attributes
    ----------
    problems : list of str
        What a user should know: files that are missing or were changed.
    """

    data: list[Data] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    subsets: list[Subset] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


# --- from a session ---------------------------------------------------------------------------------


def snapshot(session: Session) -> Snapshot:
    """Take the present of a session (in the thread that owns it)."""
    from jviz import __version__

    history = [{"label": e.label, "lines": list(e.lines), "command": e.command} for e in session.history]
    document = {
        "format": "jviz session",
        "version": VERSION,
        "jviz": __version__,
        "saved": time.time(),
        "names": list(session.names),
        "views": [_view_to(view, session.data) for view in session.views.values()],
        "history": history,
        "extras": encode(session.extras, []),
    }
    return Snapshot(document, session.data, tuple(session.subsets.values()), session.markers)


def _view_to(view: View, data: tuple[Data, ...]) -> dict[str, Any]:
    layers = [_state_to(layer, data) for layer in view.layers]
    return {"kind": view.kind, "state": _state_to(view, data, leave={"layers"}), "layers": layers}


def _state_to(state: State, data: tuple[Data, ...], leave: set[str] = frozenset()) -> dict[str, Any]:
    values = {n: v for n, v in state.recorded().items() if n not in leave}
    return {n: {"!": "data", "n": data.index(v)} if isinstance(v, Data) else packed(v) for n, v in values.items()}


def packed(value: Any) -> Any:
    """Return a value as JSON, or as the key of a kept copy when it holds arrays."""
    arrays: list[np.ndarray] = []
    text = encode(value, arrays)
    return {"!": "kept", "key": freeze(value)} if arrays else text


def unpacked(value: Any) -> Any:
    """Return what `packed` was given."""
    if isinstance(value, dict) and value.get("!") == "kept":
        return thaw(value["key"])
    return decode(value, [])


def keys_in(document: Any) -> set[str]:
    """Return the keys of all kept objects that a document mentions, also in its script lines."""
    if isinstance(document, str):
        return {match.group() for match in KEY.finditer(document)}
    if isinstance(document, dict):
        document = list(document.values())
    return set().union(*map(keys_in, document)) if isinstance(document, list) else set()


def _source_of(data: Data, whole: bool, progress: Progress) -> dict[str, Any]:
    about = {"name": data.name, "kind": data.kind, "product": data.product.name, "made_by": data.made_by}
    if chosen := saved(data):
        about["spectral_axis"] = chosen
    if data.path is not None and (corrections := astrometry.saved(data)):
        about["astrometry"] = corrections
    if data.path is None:
        return {**about, "kept": _keep(data)}
    path = data.path.absolute()
    try:
        fingerprint = Fingerprint.of(path, whole=whole, progress=progress).as_dict()
    except OSError:
        fingerprint = None  # it vanished while it was open; its place is all that is known
    options = {n: v for n, v in data.product.options.items() if v is None or isinstance(v, bool | int | float | str)}
    return {
        **about,
        "path": str(path),
        "reader": data.product.reader,
        "options": options,
        "fingerprint": fingerprint,
    }


def _keep(data: Data) -> str:
    # Arrays are never changed in place, so an object is stored once and not at every autosave.
    if data not in _kept_data:
        _kept_data[data] = freeze(_product_to(data.filed))
    return _kept_data[data]


def _product_to(product: Product) -> dict[str, Any]:
    return {
        "kind": product.kind,
        "name": product.name,
        "label": product.label,
        "flags": product.flags,
        "planes": [(p.name, p.meaning, p.unit, np.asarray(p.read())) for p in product.planes.values()],
        "cards": [card for card in (product.units[product.main].cards if product.units else ())],
        "wcs": product.load_wcs().wcs,
        "object": product.load_object() if product.load_object is not None else None,
    }


def _product_from(values: dict[str, Any]) -> Product:
    from jviz.conversion.taken import plane_from

    planes = [plane_from(name, array, meaning, unit) for name, meaning, unit, array in values["planes"]]
    shape = planes[0].shape if planes else ()
    unit = Unit(0, values["name"], 1, "kept in the session", shape, "", "", tuple(map(tuple, values["cards"])))
    product = Product(values["kind"], values["name"], values["label"], flags=values["flags"], units=(unit,))
    product.planes = {plane.name: plane for plane in planes}
    if values["wcs"] is not None:
        product.load_wcs = lambda: WcsResult(values["wcs"])
    if values["object"] is not None:
        product.load_object = lambda: values["object"]
    return product


def _subset_to(subset: Subset, data: tuple[Data, ...]) -> dict[str, Any]:
    owner = data.index(subset.data) if subset.data in data else None
    look = {name: getattr(subset, name) for name in SUBSET_LOOK}
    return {"name": subset.name, "data": owner, "region": packed(subset.region), **look}


def _marker_to(marker: Marker, data: tuple[Data, ...]) -> dict[str, Any]:
    values = {f.name: getattr(marker, f.name) for f in fields(marker)}
    return {**values, "index": list(marker.index), "data": data.index(marker.data) if marker.data in data else None}


# --- to the parts of a session ----------------------------------------------------------------------


def parts_of(document: dict[str, Any], where: Path, search: list[Path], *, progress: Progress = silent) -> Parts:
    """Open the data of a document and make its views and subsets.

    Parameters
    ----------
    where : Path
        The session file: data are looked for beside it too.
    search : list of Path
        Folders to look for moved files in.
    """
    parts = Parts(history=[_entry(e) for e in document["history"]], extras=decode(document["extras"], []))
    found: list[Data | None] = []
    for number, source in enumerate(document["data"]):
        progress(number, len(document["data"]), f"Opening {source['name']}")
        found.append(_open(source, _Finder(where, document, search, parts), progress))
    parts.data = [data for data in found if data is not None]
    parts.views = [view for v in document["views"] if (view := _view_from(v, found, parts)) is not None]
    for values in document["subsets"]:
        _subset_from(values, found, parts)
    parts.markers = [_marker_from(values, found) for values in document.get("markers", ())]
    return parts


def _entry(values: dict[str, Any]) -> dict[str, Any]:
    lines = [str(line) for line in values["lines"]]
    return {"label": str(values["label"]), "lines": lines, "command": str(values["command"])}


@dataclass
class _Finder:
    """Where files of a document may be."""

    where: Path
    document: dict[str, Any]
    search: list[Path]
    parts: Parts

    def find(self, source: dict[str, Any]) -> tuple[Path | None, bool]:
        """Return where the file of a source is now, and whether it is unchanged."""
        old, folder = Path(source["path"]), self.where.absolute().parent
        near = [folder / old.name]
        if saved_as := self.document.get("where"):
            # Session and data may have moved together: go the same way from the new place.
            near.insert(0, Path(os.path.normpath(folder / _way(Path(saved_as).parent, old))))
        if source["fingerprint"] is None:
            return (old, True) if old.is_file() else (None, False)
        return find(old, Fingerprint.from_dict(source["fingerprint"]), near, [folder, *self.search])


def _way(start: Path, end: Path) -> Path:
    try:
        return Path(os.path.relpath(end, start))
    except ValueError:  # on another drive
        return Path(end.name)


def _open(source: dict[str, Any], finder: _Finder, progress: Progress) -> Data | None:
    name, problems = source["name"], finder.parts.problems
    try:
        if "kept" in source:
            product = _product_from(thaw(source["kept"]))
        else:
            path, same = finder.find(source)
            if path is None:
                problems.append(f"{name} is missing: {source['path']} is gone. Put it beside the session, or open it.")
                return None
            if not same:
                problems.append(f"{name}: {path} was changed since the session was saved; the numbers may differ.")
            if path != Path(source["path"]):
                _rewrite(finder.parts.history, source["path"], str(path))
            product = _read(path, source, progress)
        data = restored(from_product(product, name), source.get("spectral_axis", {}))
        data = astrometry.restored(data, source.get("astrometry", []))
        data.made_by = source["made_by"]
        data.prepare(progress)
    except JvizError as error:
        problems.append(f"{name} is missing: {error}")
        return None
    return data


def _read(path: Path, source: dict[str, Any], progress: Progress) -> Product:
    from jviz.backend.io.registry import open_products

    products = open_products(path, reader=source["reader"] or None, progress=progress, **source["options"])
    named = [p for p in products if p.name == source["product"]] or [p for p in products if p.kind == source["kind"]]
    if not named:
        raise ReadError(f"{path.name} no longer holds {source['product']}; open what it holds now.")
    return named[0]


def _rewrite(history: list[dict[str, Any]], old: str, new: str) -> None:
    for entry in history:
        entry["lines"] = [line.replace(repr(old), repr(new)) for line in entry["lines"]]


def _view_from(values: dict[str, Any], found: list[Data | None], parts: Parts) -> View | None:
    kind = view_kinds().get(values["kind"])
    name = values["state"].get("name", values["kind"])
    if kind is None:
        parts.problems.append(f"{name} is not shown: there is no viewer {values['kind']!r} here. Is a plugin missing?")
        return None
    view = kind()
    layers = [_state_from(kind.layer_type(), layer, found, parts) for layer in values["layers"]]
    view.layers = tuple(layer for layer in layers if layer.data is not None)
    if values["layers"] and not view.layers:
        return None
    return _state_from(view, values["state"], found, parts)


def _state_from(state: Any, values: dict[str, Any], found: list[Data | None], parts: Parts) -> Any:
    # What is in sight comes after the unit that it is counted in, which would convert it.
    for name, value in sorted(values.items(), key=lambda item: item[0].endswith("_range")):
        if not state.is_callback_property(name):
            parts.problems.append(f"“{name}” of a {type(state).__name__} is not known to this jviz and was left out.")
            continue
        is_data = isinstance(value, dict) and value.get("!") == "data"
        try:
            setattr(state, name, found[value["n"]] if is_data else unpacked(value))
        except JvizError as error:
            parts.problems.append(f"“{name}” of a {type(state).__name__} was left out: {error}")
    return state


def _subset_from(values: dict[str, Any], found: list[Data | None], parts: Parts) -> None:
    name, owner = values["name"], values["data"]
    data = found[owner] if owner is not None else None
    if owner is not None and data is None:
        parts.problems.append(f"The subset {name} is left out, because its data are missing.")
        return
    try:
        look = {key: values[key] for key in SUBSET_LOOK if key in values}
        parts.subsets.append(Subset(name, unpacked(values["region"]), data, **look))
    except JvizError as error:
        parts.problems.append(f"The subset {name} is left out: {error}")


def _marker_from(values: dict[str, Any], found: list[Data | None]) -> Marker:
    """Return a marker; what it says stays when its data are missing."""
    data = found[values["data"]] if values["data"] is not None else None
    return Marker(**{**values, "data": data, "index": tuple(values["index"])})


def put_in(session: Session, parts: Parts) -> None:
    """Add the parts to a session, under names that are free (inside a change)."""
    for data in parts.data:
        data.name = free_name(data.name, session.names)
        session.set_data((*session.data, data))
    for subset in parts.subsets:
        name = free_name(subset.name, session.subsets)
        session.set_subsets({**session.subsets, name: subset.but(name=name)})
    for marker in parts.markers:
        session.set_markers(numbered(session.markers, marker) if session.markers else (marker,))
    for view in parts.views:
        view.name = free_name(view.name, session.views)
        session.set_views((*session.views.values(), view))

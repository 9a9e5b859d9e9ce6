"""Views that move together: where one looks, those with the same locks look too, through the sky."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

import numpy as np

from jviz.backend.render.warp import are_far_apart, warps
from jviz.geometry import aspect_of, geometry_of
from jviz.signals import Signal
from jviz.slice_linking import matched_values
from jviz.views import ImageView, State, View

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Linker", "Pointer", "matched", "place_in", "position_in"]

OF_LOCK: dict[str, tuple[str, ...]] = {
    "pan": ("centre",),
    "zoom": ("scale",),
    "rotation": ("rotation", "flip_x", "flip_y"),
    "limits": ("limits_mode", "manual_limits", "percentiles", "stretch", "stretch_parameter", "knots"),
    "colormap": ("colormap", "invert", "contrast", "bias"),
}
"""What each lock keeps the same; the first three are properties of views, the others of their active layers."""

PLACES = frozenset({"pan", "zoom", "rotation"})
STEP = 1.0
"""Pixels on either side over which scale and direction are measured."""


class Pointer:
    """Where the mouse is, for all viewers to show; no part of the session's history.

    Attributes
    ----------
    moved : Signal
        Without arguments.
    at : (View, float, float) or None
        In data pixels of the view's first layer.
    spectral_moved : Signal
        Without arguments.
    spectral : (View, float, Scale) or None
        Where it is along a spectrum, and how that axis counts.
    """

    def __init__(self) -> None:
        self.moved, self.spectral_moved = Signal(), Signal()
        self.at: tuple[View, float, float] | None = None
        self.spectral: tuple[View, float, Any] | None = None

    def move(self, view: View | None, x: float = 0.0, y: float = 0.0) -> None:
        """Take note of where it is; None: nowhere."""
        at = None if view is None else (view, x, y)
        if at != self.at:
            self.at = at
            self.moved.emit()

    def move_spectral(self, view: View | None, value: float = 0.0, scale: Any = None) -> None:
        """Take note of where it is along a spectrum; None: nowhere."""
        spectral = None if view is None else (view, value, scale)
        if spectral != self.spectral:
            self.spectral = spectral
            self.spectral_moved.emit()


class Linker:
    """Hears of every change of a session's image views and makes the locked ones follow.

    There are no objects for pairs of views: a change is handed to each view that shares the lock.

    Attributes
    ----------
    followers : dict of State to set of str
        States that were moved since `forget`, and what of them.
    sources : set of State
        Views that others followed since then.
    is_leading : bool
        Whether the change that is heard of now is that of a follower.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watched: WeakSet[State] = WeakSet()
        self._paused = 0
        self.is_leading = False
        self.followers: dict[State, set[str]] = {}
        self.sources: set[State] = set()

    def watch(self, views: Iterable[View]) -> None:
        """Hear of every change of these views and their layers."""
        for view in views:
            if hasattr(view, "x_range_for") and view not in self._watched:
                self._watched.add(view)
                view.add_global_callback(partial(self._range_changed, ref(view)))
            if not isinstance(view, ImageView):
                continue
            if view not in self._watched:
                self._watched.add(view)
                view.add_global_callback(partial(self._view_changed, ref(view)))
            for layer in view.layers:
                if layer not in self._watched:
                    self._watched.add(layer)
                    layer.add_global_callback(partial(self._layer_changed, ref(layer)))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing follow meanwhile: the states are being put back to what they were."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    def forget(self) -> None:
        """Begin a new list of who followed whom."""
        self.followers, self.sources = {}, set()

    # --- changes --------------------------------------------------------------------------------

    def _view_changed(self, whose: ref[ImageView], **values: Any) -> None:
        view = whose()
        if "layers" in values:
            self.watch((view,))
        if self._paused or view not in self._session.views.values():
            return
        if "locks" in values:
            self._join(view)
            return
        locks = {lock for lock in PLACES & set(view.locks) if set(OF_LOCK[lock]) & set(values)}
        if locks and view.layers:
            self.lead(view, locks)

    def _layer_changed(self, whose: ref[Any], **values: Any) -> None:
        if self._paused:
            return
        layer = whose()
        for view in self._session.views.values():
            if not isinstance(view, ImageView):
                continue
            locks = set()
            if view.layer is layer:
                locks = {n for n in ("limits", "colormap") if n in view.locks and set(OF_LOCK[n]) & set(values)}
            if "index" in values and "slice" in view.locks and getattr(view, "leading", None) is layer:
                locks.add("slice")
            self.lead(view, locks)

    def _range_changed(self, whose: ref[Any], **values: Any) -> None:
        """Let views of spectra with the lock "x" show the same wavelengths, each in its own unit."""
        view = whose()
        joins = "locks" in values
        if self._paused or "x" not in view.locks or not (joins or "x_range" in values) or "x_unit" in values:
            return
        others = [other for other in self._session.views.values() if other is not view and "x" in
                  getattr(other, "locks", ())]  # fmt: skip
        with self.paused():
            for other in others:
                source, target = (other, view) if joins else (view, other)
                self._set(source, target, {"x_range": source.x_range_for(target)})

    def lead(self, view: ImageView, locks: set[str]) -> None:
        """Bring all views that share some of these locks in line with one."""
        if not locks:
            return
        with self.paused():
            for other in self._session.views.values():
                if other is not view and isinstance(other, ImageView) and other.layers:
                    self._follow(view, other, locks & set(other.locks))

    def _join(self, view: ImageView) -> None:
        """Bring a view in line with those whose locks it shares now."""
        with self.paused():
            left = set(view.locks)
            for other in self._session.views.values():
                shared = left & set(getattr(other, "locks", ()))
                if other is not view and shared and other.layers and view.layers:
                    self._follow(other, view, shared)
                    left -= shared

    def _follow(self, source: ImageView, target: ImageView, locks: set[str]) -> None:
        places = locks & PLACES
        if places:
            self._set(source, target, matched(source, target, places, wait=not self._session.showing))
        if "slice" in locks:
            values = matched_values(source, target, wait=not self._session.showing)
            if values:
                self._set(source, target.leading, values)
        for lock in ("limits", "colormap"):
            if lock in locks and source.layer is not None and target.layer is not None:
                self._set(source, target.layer, {name: getattr(source.layer, name) for name in OF_LOCK[lock]})

    def _set(self, source: ImageView, state: State, values: dict[str, Any]) -> None:
        changed = {name: value for name, value in values.items() if getattr(state, name) != value}
        if changed:
            self.followers.setdefault(state, set()).update(changed)
            self.sources.add(source)
            self.is_leading = True
            try:
                state.update(**changed)
            finally:
                self.is_leading = False


# --- the sky between two views --------------------------------------------------------------------


def position_in(source: ImageView, x: float, y: float, target: ImageView, *, wait: bool = True) -> Any:
    """Return where a pixel of one view lies in another.

    Parameters
    ----------
    x, y : float or ndarray
        Data pixels of the first layer of ``source``.
    wait : bool
        Load a WCS that is not at hand yet; else there is no answer.

    Returns
    -------
    (ndarray, ndarray) or None
        Data pixels of the first layer of ``target``, NaN where it does not reach; through the sky when both have
        one (and both views align by it), else the same pixels. None while that is not known.
    """
    first, second = source.layers[0].data, target.layers[0].data
    x, y = np.asarray(x, float), np.asarray(y, float)
    if first is second or "pixels" in (source.align, target.align):
        return x, y
    if not wait and not (first.wcs_ready and second.wcs_ready):
        return None
    return place_in(first, second, x, y)


def place_in(first: Any, second: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Return where pixels of one image lie in another: through the sky when both have one, else the same pixels.

    Parameters
    ----------
    first, second : Data
    x, y : float or ndarray
        Data pixels of ``first``.

    Returns
    -------
    (ndarray, ndarray)
        Data pixels of ``second``; NaN where it does not reach.
    """
    if first is second or first.sky is None or second.sky is None:
        return x, y
    slow = min(first.sky.mesh_step, second.sky.mesh_step) < 32
    warp = warps.get(first.sky, second.sky) if slow else None
    if warp is not None:
        found = warp.at(x, y)
        if np.isfinite(found[0]).all():
            return found
    return second.sky.sky_to_pixel(*_sky_at(first.sky, x, y))


KEPT_BYTES = 1024
_last_sky: tuple[Any, bytes, Any] | None = None


def _sky_at(sky: Any, x: Any, y: Any) -> Any:
    """Return the sky at some pixels; the last answer is kept, because a hundred views ask the same at each move."""
    global _last_sky
    points = np.stack([x, y]).tobytes()
    kept = _last_sky
    if kept is not None and kept[0]() is sky and kept[1] == points:
        return kept[2]
    found = sky.pixel_to_sky(x, y)
    if len(points) < KEPT_BYTES:
        _last_sky = (ref(sky), points, found)
    return found


def matched(source: ImageView, target: ImageView, what: Iterable[str], *, wait: bool = True) -> dict[str, Any]:
    """Return the properties with which one view shows the same as another.

    The centre is exact; scale and rotation are those of the map between the two images there, so that a twin
    turned by 30° or mirrored comes out upright.

    Parameters
    ----------
    what : iterable of str
        Of "pan", "zoom" and "rotation".
    wait : bool
        As of `position_in`.

    Returns
    -------
    dict
        Empty when the middle of the one is not within reach of the other, or both are of places far from each other:
        nothing of the other image would be left in sight.
    """
    what, geometry = set(what), geometry_of(source)
    if _are_of_different_places(source, target, wait):
        return {}
    x, y = geometry.centre
    if what <= {"pan"}:
        there = position_in(source, x, y, target, wait=wait)
        known = what and there is not None and np.isfinite(there[0]) and np.isfinite(there[1])
        return {"centre": (float(there[0]), float(there[1]))} if known else {}
    steps_x, steps_y = np.array([0, STEP, -STEP, 0, 0]), np.array([0, 0, 0, STEP, -STEP])
    found = position_in(source, x + steps_x, y + steps_y, target, wait=wait)
    if found is None or not (np.isfinite(found[0]).all() and np.isfinite(found[1]).all()):
        return {}
    columns, rows = found
    if np.array_equal(columns, x + steps_x) and np.array_equal(rows, y + steps_y):
        return _same(source, geometry, what)
    jacobian = np.array(
        [[columns[1] - columns[2], columns[3] - columns[4]], [rows[1] - rows[2], rows[3] - rows[4]]]
    ) / (2 * STEP)
    # Pixels of the target that are drawn higher than wide count as so many rows.
    aspect = aspect_of(target, *target.viewport)
    linear = np.diag([1.0, aspect]) @ jacobian @ geometry.matrix[:, :2]
    determinant = float(np.linalg.det(linear))
    if not abs(determinant) > 0:
        return {}
    values: dict[str, Any] = {}
    if "pan" in what:
        values["centre"] = (float(columns[0]), float(rows[0]))
    if "zoom" in what:
        values["scale"] = float(min(max(abs(determinant) ** -0.5, 1e-6), 1e4))
    if "rotation" in what:
        values |= _turned(linear, determinant, target.flip_y)
    return values


def _are_of_different_places(source: ImageView, target: ImageView, wait: bool) -> bool:
    first, second = source.layers[0].data, target.layers[0].data
    if first is second or "pixels" in (source.align, target.align):
        return False
    if not wait and not (first.wcs_ready and second.wcs_ready):
        return False
    return first.sky is not None and second.sky is not None and are_far_apart(first.sky, second.sky)


def _same(source: ImageView, geometry: Any, what: Iterable[str]) -> dict[str, Any]:
    """Return the properties of a view for one whose pixels are the same, to the last bit."""
    values = {"pan": {"centre": geometry.centre}, "zoom": {"scale": geometry.scale}}
    values["rotation"] = {name: getattr(source, name) for name in OF_LOCK["rotation"]}
    return {name: value for lock in what for name, value in values[lock].items()}


def _turned(linear: np.ndarray, determinant: float, flip_y: bool) -> dict[str, Any]:
    """Return rotation and flips of a map from the screen (y down) to data: the nearest without a shear."""
    sy = -1.0 if flip_y else 1.0
    sx = -sy if determinant > 0 else sy
    turn = np.diag([sx, -sy]) @ linear
    angle = float(np.degrees(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]))) % 360
    # Rounding must not leave a view turned by 1e-8 degrees, which would be drawn less quickly.
    angle = round(angle, 6) % 360
    return {"rotation": angle, "flip_x": sx < 0, "flip_y": flip_y}

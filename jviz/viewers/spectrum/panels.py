"""Panels of spectra that share their wavelengths: their pictures begin at the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import shiboken6

from jviz.viewers.plot.frame import picture_in
from jviz.viewers.spectrum.scene import SpectrumScene

__all__ = ["laid_out"]

_needs: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
"""Room, in pixels, that the numbers of y of each locked view need."""
_viewers: WeakSet[Any] = WeakSet()


def laid_out(viewer: Any, lay_out: Callable[[float], SpectrumScene]) -> SpectrumScene:
    """Lay a viewer out with as much room for the numbers of y as the one needs that is aligned with it and needs most.

    Parameters
    ----------
    lay_out : callable
        Makes the scene with room on the left, in pixels, at least.
    """
    view = viewer.state
    if "x" not in view.locks:
        _needs.pop(view, None)
        return lay_out(0.0)
    _viewers.add(viewer)
    others = [one for one in viewer.session.views.values() if one is not view and "x" in getattr(one, "locks", ())]
    scene = lay_out(max((_needs.get(one, 0.0) for one in others), default=0.0))
    need = picture_in(viewer.width(), viewer.height(), viewer.look, scene.y).left()
    if _needs.get(view) != need:
        _needs[view] = need
        for one in list(_viewers):
            there = one is not viewer and shiboken6.isValid(one)  # Qt may have deleted it already
            if there and one.state in others:
                one.stir()
    return scene

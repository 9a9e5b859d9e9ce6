"""Lines over plots of catalogues: isochrones and tracks, which are layers, and functions, which the view has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.catalogs.expressions import names_of
from jviz.backend.catalogs.extinction import filter_wavelength
from jviz.backend.catalogs.tracks import is_magnitude, moved_columns, track_of
from jviz.errors import CommandError

__all__ = ["Line", "expression_for", "line_expressions", "lines_of", "remove_line", "set_line", "track_places"]

KEPT = 16


@dataclass(frozen=True, eq=False)
class Line:
    """One line over a plot.

    Attributes
    ----------
    title : str
    color : str
        ``"#rrggbb"``; empty: one of the theme.
    visible : bool
    layer : CatalogLayer or None
        Of a track.
    function : int or None
        Number of a function in the view.
    expression : str
        Of a function.
    """

    title: str
    color: str
    visible: bool
    layer: Any = None
    function: int | None = None
    expression: str = ""


def lines_of(view: Any) -> list[Line]:
    """Return the lines over a plot: tracks in the order of the layers, then functions."""
    tracks = [Line(one.title, one.color, one.visible, one) for one in view.layers if one.drawing == "line"]
    functions = [
        Line(label or text, color, seen, None, n, text) for n, (text, color, seen, label) in enumerate(view.functions)
    ]
    return tracks + functions


def set_line(view: Any, line: Line, **values: Any) -> None:
    """Change the colour or visibility of a line, of a function its ``expression``, of a track what its layer has."""
    if line.layer is not None:
        line.layer.update(**values)
        return
    names = ("expression", "color", "visible", "label")
    changed = list(view.functions)
    # A name says what the function was; another function has none.
    values = {"label": "", **values} if "expression" in values else values
    now = dict(zip(names, changed[line.function], strict=True)) | values
    changed[line.function] = tuple(now[name] for name in names)
    view.functions = tuple(changed)


def remove_line(view: Any, line: Line) -> None:
    """Take a line away; the data of a track stay in the session."""
    if line.layer is None:
        view.functions = tuple(f for n, f in enumerate(view.functions) if n != line.function)
        return
    active = view.layer if view.layer is not line.layer else None
    left = tuple(layer for layer in view.layers if layer is not line.layer)
    view.update(layers=left, active=left.index(active) if active in left else -1)


def line_expressions(view: Any, layer: Any) -> tuple[str, str]:
    """Return the expressions along which a track is drawn: its own, else those of the plot."""
    return layer.x or view.x, layer.y or getattr(view, "y", "")


_tracks: WeakKeyDictionary[Any, dict[tuple, tuple[np.ndarray, np.ndarray]]] = WeakKeyDictionary()


def track_places(view: Any, layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y along a track in the units of the axes, kept with its data; NaN between lines.

    Raises
    ------
    CommandError
        When an expression cannot be worked out of its columns.
    """
    x, y = line_expressions(view, layer)
    if not (x and y):
        raise CommandError(f"Say what {layer.data.name} is drawn along: x and y are expressions over its columns.")
    key = (x, y, layer.condition, layer.distance_modulus, layer.reddening, layer.extinction)
    mine = _tracks.setdefault(layer.data, {})
    if key not in mine:
        columns = moved_columns(layer.data.columns, layer.distance_modulus, layer.reddening, dict(layer.extinction))
        made = track_of(columns, x, y, layer.condition)
        while len(mine) >= KEPT:
            del mine[next(iter(mine))]
        mine[key] = made
    return mine[key]


def expression_for(expression: str, columns: Mapping[str, Any]) -> str:
    """Return an expression with the columns of a track in place of a catalogue's: those of the same filters.

    It is empty where the track has none for one of them.
    """
    made = expression
    for name in names_of(expression):
        if name in columns:
            continue
        wave = filter_wavelength(name)
        like = [n for n, c in columns.items() if wave is not None and is_magnitude(c) and filter_wavelength(n) == wave]
        if not like:
            return ""
        made = _replaced(made, name, like[0])
    return made


def _replaced(expression: str, old: str, new: str) -> str:
    import re

    word = new if new.isidentifier() else f"`{new}`"
    pattern = rf"`{re.escape(old)}`" + (rf"|(?<![\w`]){re.escape(old)}(?![\w`])" if old.isidentifier() else "")
    return re.sub(pattern, word, expression)

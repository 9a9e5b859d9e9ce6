"""Colour maps by name: matplotlib's, DS9's, and users' own.

matplotlib takes over a second to import, so its tables (BSD and CC0) are kept in colormaps.npz::

    names = [n for group in GROUPS.values() for n in group if n not in DS9]
    numpy.savez_compressed("colormaps.npz", **{
        n: numpy.rint(matplotlib.colormaps[MATPLOTLIB.get(n, n)](numpy.linspace(0, 1, 256))[:, :3] * 255)
           .astype("u1") for n in names})

Where both programs have the same name, it is DS9's, and matplotlib's begins with ``mpl-``.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import numpy as np

from jviz.backend.render.ds9_maps import KNOTS, SEGMENTS, STEPS
from jviz.errors import JvizError

__all__ = ["colormap", "names", "register"]

DS9 = (*SEGMENTS, *STEPS, *KNOTS)

MATPLOTLIB = {"mpl-cool": "cool", "mpl-rainbow": "rainbow"}
"""Our name → matplotlib's, where they differ."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Safe for the colour-blind": (
        "gray", "viridis", "cividis", "magma", "inferno", "plasma", "cubehelix", "bone", "gist_heat",
    ),
    "Two-sided": ("RdBu", "coolwarm", "bwr", "seismic", "PuOr", "PRGn", "BrBG", "RdYlBu", "Spectral"),
    "Cyclic": ("twilight", "twilight_shifted", "hsv"),
    "DS9": tuple(name for name in DS9 if name not in ("red", "green", "blue")),
    "One colour": (
        "red", "green", "blue", "Greys", "Blues", "Greens", "Oranges", "Purples", "Reds", "YlOrRd", "YlGnBu",
    ),
    "matplotlib": (
        "hot", "afmhot", "copper", "pink", "turbo", "jet", "nipy_spectral", "gist_earth", "gist_ncar",
        "gist_rainbow", "gist_stern", "gnuplot", "gnuplot2", "CMRmap", "brg", "terrain", "ocean", "spring",
        "summer", "autumn", "winter", "Wistia", "mpl-cool", "mpl-rainbow", "tab10", "tab20", "Set1",
    ),
}  # fmt: skip

_ALIASES = {"grey": "gray", "colour": "color"}
_own: dict[str, np.ndarray] = {}
_hex = re.compile("#[0-9a-fA-F]{6}")


def colormap(name: str, *, invert: bool = False) -> np.ndarray:
    """Return the colours of a map from low to high.

    Parameters
    ----------
    name : str
        One of `names`; ``"_r"`` at its end turns it round, as in matplotlib. A colour ``"#rrggbb"``
        gives the ramp from black to it.
    invert : bool
        Turn it round.

    Returns
    -------
    ndarray of uint8, shape (256, 3)
        Red, green, blue.

    Raises
    ------
    JvizError
        When there is no map of that name.
    """
    colours = _find(name)
    if colours is None and name.endswith("_r"):
        colours, invert = _find(name.removesuffix("_r")), not invert
    if colours is None:
        every = [known for group in names().values() for known in group]
        near = get_close_matches(name.lower(), every, n=4, cutoff=0.5) or every[:4]
        raise JvizError(f"There is no colour map {name!r}. Did you mean {', '.join(near)}?")
    return (colours[::-1] if invert else colours).copy()


def names() -> dict[str, tuple[str, ...]]:
    """Return the names in groups, the best for most purposes first."""
    return {**GROUPS, "Your own": tuple(_own)} if _own else dict(GROUPS)


def register(name: str, colours: Sequence[Sequence[float]] | np.ndarray) -> None:
    """Add a colour map, or replace one of those added before.

    Parameters
    ----------
    colours : array_like, shape (n, 3) with n ≥ 2
        Red, green, blue at equal distances: integers 0 … 255, or fractions 0 … 1.

    Raises
    ------
    JvizError
        When the name is taken by a map of jviz, or the colours are none.
    """
    if any(name in group for group in GROUPS.values()):
        raise JvizError(f"{name!r} is a colour map of jviz. Choose another name.")
    values = np.asarray(colours)
    if values.ndim != 2 or values.shape[1] != 3 or len(values) < 2 or values.dtype.kind not in "iuf":
        raise JvizError(f"The colours of {name!r} have the shape {values.shape}; they must be (n, 3), n ≥ 2.")
    scale = 255.0 if values.dtype.kind == "f" else 1.0
    if not (values.min() >= 0 and values.max() * scale <= 255):
        raise JvizError(f"The colours of {name!r} must lie in 0 … 255, or in 0 … 1 for fractions.")
    _own[name] = _filled(values * scale)


def _find(name: str) -> np.ndarray | None:
    name = _ALIASES.get(name, name)
    if _hex.fullmatch(name):
        return _filled(np.array([(0, 0, 0), tuple(bytes.fromhex(name[1:]))], float))
    if name in _own:
        return _own[name]
    if name in DS9:
        return _ds9(name)
    return _tables().get(name)


@cache
def _tables() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("colormaps.npz")) as file:
        return dict(file)


@cache
def _ds9(name: str) -> np.ndarray:
    at = np.linspace(0.0, 1.0, 256)
    if name in KNOTS:
        return _filled(np.array(KNOTS[name]) * 255.0)
    if name in STEPS:
        colours = np.array(STEPS[name])[(np.arange(256) * len(STEPS[name])) // 256]
    else:
        lines = (np.array(line).T for line in SEGMENTS[name])
        colours = np.stack([np.interp(at, x, y) for x, y in lines], axis=1)
    return np.rint(colours * 255.0).astype(np.uint8)


def _filled(colours: np.ndarray) -> np.ndarray:
    at, knots = np.linspace(0.0, 1.0, 256), np.linspace(0.0, 1.0, len(colours))
    return np.rint(np.stack([np.interp(at, knots, c) for c in colours.T], axis=1)).astype(np.uint8)

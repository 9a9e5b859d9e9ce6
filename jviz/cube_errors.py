"""Of which kind the errors of a cube are: found out when it is opened, or said by its user."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jviz.backend.cubes.error_kind import WORDS, errors_plane, judged
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.cube_data import Cube

__all__ = ["look_at_errors"]

SLOW = 1 << 26
"""Values of a compressed plane above which only its header and unit are asked: the whole of it would be unpacked."""

WAY_OUT = "“Cube ▸ Kind of Errors…” says once and for all what it is."


def look_at_errors(cube: Cube) -> None:
    """Let the errors of a cube from a file count as what they are, and tell where that is not what they are called."""
    plane = errors_plane(cube.product)
    is_known = cube.path is None or cube.product.flags == "jwst" or getattr(cube.choice, "errors", "")
    if plane is None or is_known or len(cube.product.shape) != 3:
        return
    try:
        found = judged(cube.product, numbers=plane.immediate or plane.loaded or math.prod(plane.shape) <= SLOW)
    except (JvizError, OSError):
        return  # values that cannot be read are told where they are shown
    if found is None or (found.is_sure and found.meaning == plane.meaning):
        return
    cube.errors_unclear = not found.is_sure
    kind = WORDS[found.meaning]
    told = f"holds {kind}:" if found.is_sure else f"is taken for {kind}, as its name says, but"
    for product in (cube.filed, cube.product):  # the one of the file, and the one with the spectral axis first
        product.planes[plane.name].meaning = found.meaning
    cube.product.warnings.append(f"{plane.name} {told} {found.said}. {WAY_OUT}")

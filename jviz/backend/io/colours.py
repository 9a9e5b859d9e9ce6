"""The planes of a picture in colour: its luminance, then red, green, blue and transparency."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jviz.backend.io.product import Identity, Plane
from jviz.backend.progress import Progress

__all__ = ["colour_planes", "once"]

# ITU-R BT.709: how bright red, green and blue look
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype="f4")


def once(function: Callable[[], np.ndarray]) -> Callable[[], np.ndarray]:
    """Keep the result of a function: all planes of a picture come from one decoding."""
    kept: list[np.ndarray] = []

    def result() -> np.ndarray:
        if not kept:
            kept.append(function())
        return kept[0]

    return result


def colour_planes(
    decode: Callable[[], np.ndarray], shape: tuple[int, ...], channels: str, dtype: np.dtype, identity: Identity
) -> dict[str, Plane]:
    """Make the planes of a picture.

    Parameters
    ----------
    decode : callable
        Returns (ny, nx), or (ny, nx, n) with one entry for each of ``channels``, y up.
    shape : tuple of int
        (ny, nx).
    channels : str
        ``""`` for one value in each pixel, or ``"RGB"``, ``"RGBA"``, ``"A"`` (grey and alpha).
    dtype : dtype
        Of the channels.
    """
    own = Identity(identity.path, identity.size, identity.mtime_ns, f"{identity.part}:luminance")
    if "R" not in channels:
        load = (lambda progress: decode()[..., 0]) if channels else (lambda progress: decode())
        planes = {"PICTURE": Plane("PICTURE", shape, dtype, load, identity=own, immediate=False)}
    else:
        planes = {"LUMINANCE": Plane("LUMINANCE", shape, np.dtype("f4"), lambda progress: _luminance(decode()),
                                     identity=own, immediate=False)}  # fmt: skip
    for index, name in enumerate(channels, start=1 if channels == "A" else 0):
        part = Identity(identity.path, identity.size, identity.mtime_ns, f"{identity.part}:{name}")
        load = _channel(decode, index)
        planes[name] = Plane(name, shape, dtype, load, "other", identity=part, immediate=False)
    return planes


def _channel(decode: Callable[[], np.ndarray], index: int) -> Callable[[Progress], np.ndarray]:
    return lambda progress: decode()[..., index]


def _luminance(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :3].astype("f4") @ _LUMINANCE

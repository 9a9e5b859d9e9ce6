"""Commands on contours: lines of equal value over images."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import WithPicture
from jviz.errors import CommandError
from jviz.running import Apply
from jviz.session import Session
from jviz.views import ImageView

_CLEAR = 3.0
"""Times the scatter above the background, from where contours are drawn when no lowest level is given."""


@command("image.contours", title="Contours…", menu="Image", needs="image", group="contours", job=True)
def contours(
    session: Session,
    data: WithPicture | None = None,
    view: ImageView | None = None,
    levels: list[float] | None = None,
    *,
    spacing: Literal["linear", "sqrt", "log", "sigma"] = "linear",
    n: int = 7,
    low: float | None = None,
    high: float | None = None,
    smoothing: float = 0.0,
    color: str = "",
    width: float | None = None,
    labels: bool | None = None,
    progress: Progress,
) -> Any:
    """Draw contours of an image over a view, through the sky where both have one.

    Parameters
    ----------
    data : image, optional
        That of the active layer by default; an image that the view does not show is added without its picture.
    levels : list of float, optional
        Values of the lines; else ``n`` of them between ``low`` and ``high``: by default within the display limits, from
        3 σ above the background where that is less than the highest.
    spacing : str
        Equal steps of the value, its square root or its logarithm; "sigma": background plus 3, 5, 10, 20 … σ.
    smoothing : float
        Sigma, in pixels, of a Gaussian that the image is smoothed by first.
    color : str
        ``"#rrggbb"``; one for each layer by default.
    width : float, optional
        Of the lines, 0.5 to 8 screen pixels.
    labels : bool, optional
        Write each level at one of its lines.

    Returns
    -------
    list of float
        The levels, in the unit of the image.
    """
    view = session.find_view(view, "image")
    if data is None:
        if view.layer is None:
            raise CommandError(f"{view.name} shows no image yet, so there is nothing to draw contours of.")
        data = view.layer.data
    layer = next((one for one in view.layers if one.data is data), None)
    chosen = _levels(data, layer, levels, spacing, n, low, high)
    if smoothing < 0:
        raise CommandError(f"The smoothing is {smoothing:g} pixels; it must be 0 or more.")
    progress(0, 1, f"Contours of {data.name}")
    _ = data.sky  # loaded here, where it may take a while

    def apply() -> list[float]:
        look = {"contour_width": width, "contour_labels": labels}
        given = {name: value for name, value in look.items() if value is not None}
        _layer_for(session, view, data).update(
            contour_levels=chosen, contour_smoothing=float(smoothing), contour_color=color, **given
        )
        return list(chosen)

    given = {"data": data, "view": view, "levels": list(chosen), "smoothing": smoothing, "color": color}
    return Apply(apply, f"Contours of {data.name}", given)


def _levels(
    data: WithPicture,
    layer: Any,
    levels: list[float] | None,
    spacing: Any,
    n: int,
    low: float | None,
    high: float | None,
) -> tuple[float, ...]:
    from jviz.backend.contours import levels_between, noise_of

    if levels is not None:
        values = np.atleast_1d(np.asarray(levels, dtype=float))
        if not len(values) or not np.isfinite(values).all():
            raise CommandError(f"{levels!r} are no levels; give one or more finite numbers.")
        return tuple(sorted(set(values.tolist())))
    if not 1 <= n <= 100:
        raise CommandError(f"{n} levels cannot be drawn; give 1 to 100.")
    plane, index = (layer.plane, layer.index) if layer is not None else ("", ())
    limits = layer.limits if layer is not None else data.limits("auto", plane=plane, index=index)
    step = (limits[1] - limits[0]) / (n + 1)
    sample = data.raster(plane, index).sample()
    high = limits[1] - step if high is None else high
    if low is None:
        low = limits[0] + step
        middle, scatter = noise_of(sample)
        if low < middle + _CLEAR * scatter < high:  # lines within the noise would cover the picture
            low = middle + _CLEAR * scatter
    if spacing == "log" and low <= 0 < high:
        low = high * 1e-3
    try:
        return levels_between(low, high, n, spacing, sample)
    except ValueError as error:
        raise CommandError(f"Contours of {data.name}: {error}.") from None


def _layer_for(session: Session, view: ImageView, data: WithPicture) -> Any:
    """Return the layer of the data, added without its picture when the view has none."""
    from jviz.actions.view import place

    layer = next((one for one in view.layers if one.data is data), None)
    if layer is None:
        active = view.active
        place(session, view, [data], "add")
        layer = view.layers[-1]
        layer.opacity = 0.0
        view.active = active if active >= 0 else len(view.layers) - 2
    return layer


@command("image.no_contours", title="Remove Contours", menu="Image", needs="image", group="contours")
def no_contours(session: Session, view: ImageView | None = None, data: WithPicture | None = None) -> None:
    """Take the contours of all layers away, and layers that were there for them only.

    Parameters
    ----------
    data : image, optional
        Only its contours.
    """
    view = session.find_view(view, "image")
    drawn = [layer for layer in view.layers if layer.contour_levels and data in (None, layer.data)]
    if not drawn:
        raise CommandError(f"{view.name} shows no contours{f' of {data.name}' if data is not None else ''}.")
    kept = tuple(layer for layer in view.layers if not (layer in drawn and layer.opacity == 0))
    for layer in drawn:
        layer.contour_levels = ()
    if kept != view.layers:
        view.update(layers=kept, active=-1)

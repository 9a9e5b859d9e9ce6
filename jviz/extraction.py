"""What the panel of extractions shows while its numbers are turned: the spectrum, and the windows on the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np

from jviz.plot_views import Curve
from jviz.signals import Signal
from jviz.spectra2d import extracted_from, frame_of, lit_of, trace_on

__all__ = ["Extraction", "ExtractionShown", "extraction_preview", "extraction_shown"]


@dataclass(frozen=True, eq=False)
class Extraction:
    """A trace with the window of the light and those of the background, in pixels of the data.

    Attributes
    ----------
    centre : ndarray, shape (n_along,)
        Across the dispersion.
    turned : bool
        Whether wavelengths run along y.
    bands : dict
        Lower and upper edge, as distances from the trace, of "light", and of the windows "below" and "above" where
        there are any.
    lit : (int, int), optional
        The first and the last pixel along the dispersion where there is light; everywhere by default.
    """

    data: Any
    centre: np.ndarray
    turned: bool
    bands: dict[str, tuple[float, float]]
    lit: tuple[int, int] | None = None

    @property
    def windows(self) -> tuple[tuple[float, float], ...]:
        """Where the background is measured."""
        return tuple(edges for name, edges in self.bands.items() if name != "light")

    def line(self, offset: float) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of a line beside the trace."""
        first, last = self.lit or (0, len(self.centre) - 1)
        along, across = np.arange(first, last + 1, dtype=float), self.centre[first : last + 1] + offset
        return (across, along) if self.turned else (along, across)


class ExtractionShown:
    """Which extraction is drawn over its image; of one session.

    Attributes
    ----------
    changed : Signal
        Another one is drawn.
    dragged : Signal
        With the name of a band, which of its edges (0 is the lower one), where the mouse wants it, and whether it
        alone is meant.
    """

    def __init__(self) -> None:
        self.changed, self.dragged = Signal(), Signal()
        self.current: Extraction | None = None

    def show(self, extraction: Extraction | None) -> None:
        """Draw another one, or none."""
        if extraction is not self.current:
            self.current = extraction
            self.changed.emit()


_shown: WeakKeyDictionary[Any, ExtractionShown] = WeakKeyDictionary()
_frames: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def extraction_shown(session: Any) -> ExtractionShown:
    """Return what is shown in a session."""
    return _shown.setdefault(session, ExtractionShown())


def extraction_preview(
    session: Any,
    data: Any,
    trace: Any,
    method: Literal["boxcar", "horne"],
    bands: dict[str, tuple[float, float]],
    fit: Literal["median", "polynomial"] = "median",
) -> tuple[Extraction, Curve, str]:
    """Extract as `spectrum2d.extract` does, for a picture.

    Returns
    -------
    tuple
        Where, the spectrum, and its median signal to noise in words.
    """
    frame = _frames.get(data)
    if frame is None:
        frame = frame_of(data)
        _frames.clear()  # one at a time: those of long slits are large
        _frames[data] = frame
    centre = trace_on(session, data, frame, trace)
    shown = Extraction(data, centre, frame.turned, bands, lit_of(frame))
    one = extracted_from(data, frame, centre, method, bands["light"], windows=shown.windows, background=fit, order=1)
    flux = np.where(one.good, one.flux, np.nan)
    axis, order = one.axis, np.argsort(one.axis.values)
    label = "Pixel" if axis.quantity == "channel" else axis.quantity.capitalize()
    error = None if one.error is None else one.error[order]
    curve = Curve(axis.values[order], flux[order], error, label, "Flux", axis.unit, one.unit)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = flux / one.error if one.error is not None else np.full(len(flux), np.nan)
    ratio = ratio[np.isfinite(ratio)]
    text = f"{one.good.sum()} of {len(one)} samples"
    if len(ratio):
        text += f", median S/N {np.median(ratio):.3g}"
    return shown, curve, text

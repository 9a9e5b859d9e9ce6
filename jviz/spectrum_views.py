"""State of viewers of spectra: which are shown, in which units, with which lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from echo import CallbackProperty, delay_callback

from jviz.backend.spectra.fluxes import flux_unit
from jviz.backend.spectra.lines import LISTS
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.backend.spectra.units import CONVENTIONS, Scale, convert_axis, quantity_of, readable_unit, scale_of
from jviz.checked import whole
from jviz.errors import CommandError
from jviz.plot_views import PlotLayer, PlotView
from jviz.views import Checked, declare_view, number, one_of, pair, some_of

__all__ = [
    "MASKED",
    "NORMALIZE",
    "SMOOTHING",
    "SpectrumLayer",
    "SpectrumView",
    "bounds_in",
    "first_samples",
    "measured_layers",
    "moved_range",
    "ranges_between",
    "scale_of_view",
]

NORMALIZE = ("none", "median", "peak", "range")
SMOOTHING = ("none", "boxcar", "gaussian")
MODEL_OF = "MODELOF"
"""The card of a model that names the spectrum it was fitted to."""
COUNTING = frozenset({"x_unit", "medium", "rest", "convention"})
"""Properties that say how x counts."""
COUNTED = ("x_range", "normalize_range")
MASKED = ("grey", "hide", "show")


def _axis_unit(value: Any) -> str:
    text = str(value or "")
    if text:
        quantity_of(text)
    return text


def _flux_unit(value: Any) -> str:
    text = str(value or "")
    if text and flux_unit(text).density == "other":
        from jviz.backend.units import parse_unit

        if parse_unit(text) is None:
            raise CommandError(f"{text!r} is no unit that is known; write one such as 'mJy' or 'W / (m2 um)'.")
    return text


def _rest(value: Any) -> tuple[float, str] | None:
    if value is None:
        return None
    try:
        amount, unit = (value.value, str(value.unit)) if hasattr(value, "unit") else value
        amount = float(amount)
    except (TypeError, ValueError):
        raise CommandError(f"{value!r} is no rest value; give a number and a unit, such as (656.46, 'nm').") from None
    if not amount > 0 or quantity_of(str(unit))[0] in ("velocity", "channel"):
        raise CommandError(f"{amount:g} {unit} is no rest wavelength or frequency; give one such as (656.46, 'nm').")
    return amount, str(unit)


def _own_lines(value: Any) -> tuple[tuple[str, float], ...]:
    """Take lines by name and wavelength in m, in vacuum."""
    try:
        found = tuple((str(name), float(wave)) for name, wave in value or ())
    except (TypeError, ValueError):
        raise CommandError(f"{value!r} is no list of lines; give pairs of a name and a wavelength in m.") from None
    if not all(0 < wave < np.inf for _, wave in found):
        raise CommandError("Lines need wavelengths above 0, in m and in vacuum.")
    return found


class SpectrumLayer(PlotLayer):
    """How one spectrum looks.

    Attributes
    ----------
    data : Spectrum
    index : int
        Which of the spectra of the data, from 0.
    """

    index = Checked(0, whole(0, 1e7, "number of a spectrum"))

    @property
    def is_model(self) -> bool:
        """Whether it shows a model that was fitted to a spectrum, which nothing measures unasked."""
        return MODEL_OF in self.data.header

    @property
    def title(self) -> str:
        """Name of the data and, where there are several, of the spectrum."""
        samples = self.data.samples
        if len(samples) < 2 or self.index >= len(samples):
            return self.data.name
        return f"{self.data.name} {samples[self.index].name or self.index + 1}"


class SpectrumView(PlotView):
    """The state of a viewer of spectra. All that it says is for display: data are never converted.

    Attributes
    ----------
    x_unit, y_unit : str
        Of the axes; ``""``: as the first spectrum has them. Set by ``spectrum.units``, which keeps what is in sight.
    medium : str
        Of wavelengths: "vacuum", "air" or "" for that of the first spectrum.
    rest : (float, str) or None
        Rest wavelength (in vacuum) or frequency, energy, wavenumber of velocities; None: that of the file.
    convention : str
        Of velocities: optical, radio or relativistic; "" is that of the first spectrum, radio for frequencies.
    normalize : str
        none, or divide each by its median, its peak or its median within ``normalize_range``.
    offset : float
        By how much each spectrum is drawn above the one before, in units of y.
    smoothing : str
        none, boxcar or gaussian, over ``smoothing_width`` channels (the full width of the box, sigma of the Gaussian).
    robust : str
        Whether single peaks of noise run out of the picture when y is scaled to what is in sight: on, off, or auto
        (where they are so high that nothing else would be seen).
    masked : str
        grey, hide or show: what is done with samples that must not be used.
    locks : tuple of str
        "x": views with this lock show the same wavelengths.
    lines : tuple of str
        Lists of lines that are marked; ``redshift`` is that of their source.
    own_lines : tuple of (str, float)
        Further lines: name and wavelength at rest in vacuum, in m. Set by ``spectrum.line_file``.
    ranges : bool
        Show spectral subsets.
    """

    kind = "spectrum"
    accepts = ("spectrum",)
    layer_type = SpectrumLayer

    x_unit = Checked("", _axis_unit)
    y_unit = Checked("", _flux_unit)
    medium = Checked("", one_of("", "vacuum", "air", name="medium"))
    rest = Checked(None, _rest)
    convention = Checked("", one_of("", *CONVENTIONS, name="convention of velocities"))
    normalize = Checked("none", one_of(*NORMALIZE, name="way to normalise spectra"))
    normalize_range = Checked(None, pair)
    offset = Checked(0.0, number(name="offset"))
    smoothing = Checked("none", one_of(*SMOOTHING, name="way to smooth spectra"))
    smoothing_width = Checked(3.0, number(0.1, 10_000, "width of smoothing"))
    robust = Checked("auto", one_of("auto", "on", "off", name="way to scale y"))
    masked = Checked("grey", one_of(*MASKED, name="way to show masked samples"))
    locks = Checked((), some_of("x", name="lock"))
    lines = Checked((), some_of(*LISTS, name="list of lines"))
    own_lines = Checked((), _own_lines)
    redshift = Checked(0.0, number(-0.99, 100.0, "redshift"))
    ranges = CallbackProperty(True)
    _is_given = False

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a property; with another unit along x, what is in sight stays in sight."""
        if name not in COUNTING or self._is_given or self.x_range is self.normalize_range is None:
            super().__setattr__(name, value)
            return
        before = self.axis_scale
        with delay_callback(self, name, *COUNTED):  # one step of the history
            super().__setattr__(name, value)
            for span in COUNTED:
                setattr(self, span, moved_range(getattr(self, span), before, self.axis_scale))

    def update(self, **values: Any) -> None:
        """Set several properties; ranges that are given are taken to be in the unit that is given."""
        self._is_given = "x_range" in values
        try:
            super().update(**values)
        finally:
            self._is_given = False

    @property
    def axis_scale(self) -> Scale:
        """How the horizontal axis counts; of channels in an empty view."""
        first = next((layer for layer in self.layers if layer.data is not None), None)
        return scale_of_view(self, first.data.samples[first.index].axis if first is not None else None)

    @property
    def reach(self) -> tuple[float, float] | None:
        """From where to where the visible spectra reach, in the unit of the axis; None without any."""
        scale, ends = self.axis_scale, []
        for axis in dict.fromkeys(layer.data.samples[layer.index].axis for layer in self.layers if layer.visible):
            try:
                ends += list(convert_axis(axis.edges[[0, -1]], scale_of(axis), scale))
            except CommandError:  # it is not drawn either
                continue
        return (float(np.nanmin(ends)), float(np.nanmax(ends))) if ends and np.isfinite(ends).any() else None

    def x_range_for(self, other: SpectrumView) -> tuple[float, float] | None:
        """Return what is in sight along x, in the unit of another view; its own where it cannot count that way."""
        span = self.x_range or self.reach
        if span is None:
            return None
        try:
            ends = convert_axis(np.array(span), self.axis_scale, other.axis_scale)
        except CommandError:
            return other.x_range
        if self.x_range is None and other.reach is not None and np.allclose(np.sort(ends), other.reach, rtol=1e-9):
            return None
        return (float(ends.min()), float(ends.max())) if np.isfinite(ends).all() else other.x_range

    @staticmethod
    def layers_of(data: Any) -> tuple[SpectrumLayer, ...]:
        """Return a layer for each spectrum of the data."""
        layers = []
        for index in range(len(data.samples)):
            layer = SpectrumLayer()
            layer.data = data
            layer.index = index
            if layer.is_model:
                layer.drawing = "line"
            layers.append(layer)
        return tuple(layers)


def moved_range(span: tuple[float, float] | None, before: Scale, after: Scale) -> tuple[float, float] | None:
    """Return a range on another scale, None where it has no place there."""
    if span is None or before == after:
        return span
    try:
        ends = convert_axis(np.array(span), before, after)
    except CommandError:
        return None
    return (float(ends.min()), float(ends.max())) if np.isfinite(ends).all() else None


def scale_of_view(view: SpectrumView, axis: Any = None) -> Scale:
    """Return how the horizontal axis of a view counts.

    Parameters
    ----------
    axis : SpectralAxis, optional
        Of the first spectrum, whose unit (GHz for Hz, km/s for m/s), medium and rest value stand where the view has
        none.
    """
    own = scale_of(axis) if axis is not None else Scale()
    unit = view.x_unit or (readable_unit(own.unit, axis.reach) if axis is not None else "")
    quantity = quantity_of(unit)[0] if view.x_unit else own.quantity
    convention = (view.convention if view.x_unit else "") or own.convention
    rest = own.rest if view.rest is None else _vacuum_metres(*view.rest)
    return Scale(unit, quantity, view.medium or own.medium, rest, convention)


def _vacuum_metres(value: float, unit: str) -> float:
    return float(convert_axis(value, Scale(unit, quantity_of(unit)[0]), Scale("m", "wavelength")))


def first_samples(session: Any, view: SpectrumView) -> Any:
    """Return the samples that the axes of a view follow: of the first layer, else of the first live one."""
    if view.layers:
        return view.layers[0].data.samples[view.layers[0].index]
    live = session.live_spectra.shown
    return live[0].samples if live else None


def measured_layers(view: SpectrumView) -> list[SpectrumLayer]:
    """Return the visible layers that measurements are of: models only where nothing else is seen."""
    visible = [layer for layer in view.layers if layer.visible and layer.data is not None]
    return [layer for layer in visible if not layer.is_model] or visible


def bounds_in(ranges: SpectralRanges, scale: Scale) -> list[tuple[float, float]]:
    """Return ranges in the unit of an axis, each from low to high; those that it cannot count are left out."""
    medium = ranges.medium or scale.medium
    quantity = quantity_of(ranges.unit)[0]
    source = replace(scale, unit=ranges.unit, quantity=quantity, medium=medium)
    found = []
    for low, high in ranges.ranges:
        try:
            ends = convert_axis([low, high], source, scale)
        except CommandError:
            continue
        if np.isfinite(ends).all():
            found.append((float(ends.min()), float(ends.max())))
    return found


def ranges_between(low: float, high: float, scale: Scale) -> SpectralRanges:
    """Return the range between two values of an axis; of velocities with a rest value, the wavelengths."""
    low, high = min(low, high), max(low, high)
    if scale.quantity == "velocity" and scale.rest is not None:
        waves = convert_axis([low, high], scale, Scale("um", "wavelength", "vacuum"))
        return SpectralRanges(((float(waves[0]), float(waves[1])),), "um", "vacuum")
    medium = scale.medium if scale.quantity == "wavelength" else ""
    return SpectralRanges(((float(low), float(high)),), scale.unit, medium)


declare_view(SpectrumView)

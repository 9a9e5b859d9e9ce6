"""From samples of spectra to the curves of a view: units, smoothing, normalising and stacking, for display only."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.fluxes import convert_flux, flux_unit, label_of
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.smoothing import smoothed
from jviz.backend.spectra.units import Scale, convert_axis, scale_of
from jviz.plot_views import Curve
from jviz.spectrum_views import SpectrumView, scale_of_view

__all__ = ["Recipe", "SpectrumCurve", "curve_of_samples", "known_curve", "recipe_of"]

KEPT = 4
"""Curves that are kept for each spectrum: going back and forth between units costs nothing."""

LABELS = {"wavelength": "Wavelength", "frequency": "Frequency", "energy": "Energy", "wavenumber": "Wavenumber",
          "velocity": "Velocity", "channel": "Channel"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SpectrumCurve(Curve):
    """A spectrum to plot.

    Attributes
    ----------
    samples : Samples
        As the file has it.
    order : ndarray of int or slice
        Which channel each sample of the curve is.
    masked : Curve or None
        Samples that must not be used, NaN elsewhere; they are NaN in this one.
    level : float or None
        What normalising divided by, or took away from magnitudes.
    offset : float
        That was added.
    """

    samples: Samples | None = None
    order: Any = slice(None)
    masked: Curve | None = None
    level: float | None = None
    offset: float = 0.0

    @cached_property
    def masked_spans(self) -> np.ndarray:
        """Where samples must not be used: from and to which x, one row for each run of them, shape (runs, 2)."""
        if self.samples is None or self.samples.mask is None:
            return np.zeros((0, 2))
        bad = np.concatenate([[False], self.samples.mask[self.order], [False]]).astype(np.int8)
        steps = np.diff(bad)
        return np.stack([self.edges[np.flatnonzero(steps == 1)], self.edges[np.flatnonzero(steps == -1)]], axis=1)

    def channel(self, n: int) -> int:
        """Return the channel of a sample of the curve."""
        return int(np.arange(len(self.x))[self.order][n])


@dataclass(frozen=True)
class Recipe:
    """All that decides how samples become a curve; equal recipes give equal curves."""

    scale: Scale
    unit: str
    normalize: str = "none"
    normalize_range: tuple[float, float] | None = None
    offset: float = 0.0
    smoothing: str = "none"
    smoothing_width: float = 3.0
    masked: str = "grey"
    errors: bool = True
    level: float | None = None
    """Of the spectrum that this is a model of, to normalise by; its own by default."""

    def like(self, curve: SpectrumCurve) -> Recipe:
        """Return the recipe by which a model lies on the curve of its spectrum."""
        return replace(self, level=curve.level, offset=curve.offset)


def recipe_of(view: SpectrumView, first: Samples, number: int, *, errors: bool = True) -> Recipe:
    """Return the recipe of a layer of a view.

    Parameters
    ----------
    first : Samples
        Of the first layer, whose units stand where the view has none.
    number : int
        Of the layer among those that are seen, for the offset.
    """
    at = view.normalize_range if view.normalize == "range" else None
    width = view.smoothing_width if view.smoothing != "none" else 3.0
    return Recipe(
        scale_of_view(view, first.axis), view.y_unit or first.unit, view.normalize, at, number * view.offset,
        view.smoothing, width, view.masked, errors,
    )  # fmt: skip


_made: WeakKeyDictionary[Samples, OrderedDict[Recipe, SpectrumCurve]] = WeakKeyDictionary()


def known_curve(samples: Samples, recipe: Recipe) -> SpectrumCurve | None:
    """Return the curve if it has been made before."""
    made = _made.get(samples)
    return None if made is None else made.get(recipe)


def curve_of_samples(samples: Samples, recipe: Recipe) -> SpectrumCurve:
    """Return the curve of samples, kept for the next time.

    Raises
    ------
    CommandError
        When they cannot be shown in those units.
    """
    made = _made.setdefault(samples, OrderedDict())
    if recipe not in made:
        made[recipe] = _make(samples, recipe)
        while len(made) > KEPT:
            made.popitem(last=False)
    return made[recipe]


def _make(samples: Samples, recipe: Recipe) -> SpectrumCurve:
    source = scale_of(samples.axis)
    x = convert_axis(samples.axis.values, source, recipe.scale)
    y, error = samples.flux, samples.error if recipe.errors else None
    good = samples.good if recipe.masked != "show" else None
    if recipe.smoothing != "none":
        y, error = smoothed(y, error, samples.good, recipe.smoothing, recipe.smoothing_width)
    waves = None
    if source.quantity != "channel" and (source.quantity != "velocity" or source.rest):
        waves = convert_axis(samples.axis.values, source, Scale("m", "wavelength"))
    y, error = convert_flux(y, error, samples.unit, recipe.unit, wavelength=waves, area=samples.area)
    level = _level(x, y, samples.good, recipe)
    y, error, label, unit = _normalized(y, error, level, recipe)
    if recipe.offset:
        y = y + recipe.offset
    order = _order(x)
    hidden = None
    if good is not None and not good.all():
        if recipe.masked == "grey" and np.isfinite(y[~good]).any():
            hidden = Curve(x[order], _beside(y, good)[order])
        y = np.where(good, y, np.nan)
    error = None if error is None else error[order]
    is_turned = flux_unit(recipe.unit).density == "magnitude"
    words = (_across(recipe.scale, samples.axis), label, recipe.scale.unit, unit)
    return SpectrumCurve(x[order], y[order], error, *words, is_turned, samples, order, hidden, level, recipe.offset)


def _beside(y: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Keep masked samples and their neighbours: the grey line ends where the curve goes on."""
    near = ~good
    near[1:] |= ~good[:-1]
    near[:-1] |= ~good[1:]
    return np.where(near, y, np.nan)


def _across(scale: Scale, axis: SpectralAxis) -> str:
    """Name what the horizontal axis measures."""
    if not scale.unit and not axis.unit:
        return LABELS[axis.quantity]  # of a file that gives no unit
    if scale.quantity == "velocity":
        return f"Velocity, {scale.convention}"
    medium = f" in {scale.medium}" if scale.quantity == "wavelength" and scale.medium else ""
    return LABELS[scale.quantity] + medium


def _order(x: np.ndarray) -> Any:
    """Return what puts values in rising order: a slice where they rise or fall."""
    steps = np.diff(x)
    if not (steps < 0).any():
        return slice(None)
    if not (steps > 0).any():
        return slice(None, None, -1)
    return np.argsort(x, kind="stable")


def _normalized(
    y: np.ndarray, error: np.ndarray | None, level: float | None, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray | None, str, str]:
    label = label_of(recipe.unit)
    if level is None:
        return y, error, label, recipe.unit
    if flux_unit(recipe.unit).density == "magnitude":
        return y - level, error, "Magnitude difference", "mag"
    level = level if np.isfinite(level) and level != 0 else 1.0
    words = {"median": "median", "peak": "peak", "range": "level of the range"}
    return y / level, None if error is None else error / abs(level), f"{label} / {words[recipe.normalize]}", ""


def _level(x: np.ndarray, y: np.ndarray, good: np.ndarray, recipe: Recipe) -> float | None:
    if recipe.normalize == "none" or recipe.level is not None:
        return recipe.level
    chosen = good & np.isfinite(y)
    if recipe.normalize == "range" and recipe.normalize_range is not None:
        low, high = sorted(recipe.normalize_range)
        inside = chosen & (x >= low) & (x <= high)
        chosen = inside if inside.any() else chosen
    if not chosen.any():
        return np.nan
    values = y[chosen]
    return float(values.max() if recipe.normalize == "peak" else np.median(values))
